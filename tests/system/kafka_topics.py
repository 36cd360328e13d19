"""Topics as a client that shares no code with sluice sees them."""

import subprocess
from collections import namedtuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from servers import wait_until

Record = namedtuple("Record", "partition offset key value headers time_ms")


def create_topic(kafka, name, partitions=1, **settings):
    """settings are those of the topic, with _ for the dots: cleanup_policy="compact"."""
    config = {key.replace("_", "."): str(value) for key, value in settings.items()}
    admin = AdminClient({"bootstrap.servers": kafka.brokers()})
    copies = len(getattr(kafka, "nodes", ())) or 1
    topic = NewTopic(name, partitions, min(3, copies), config=config)
    admin.create_topics([topic], operation_timeout=30)[name].result()
    # The controller has it; brokers hear of it a moment later.
    wait_until(lambda: name in admin.list_topics(timeout=30).topics, f"topic {name} to be told")


def add_partitions(kafka, name, count):
    """So that the topic has `count`."""
    admin = AdminClient({"bootstrap.servers": kafka.brokers()})
    admin.create_partitions([NewPartitions(name, count)], operation_timeout=30)[name].result()
    wait_until(lambda: len(partitions_of(kafka, name)) == count, f"{count} partitions of {name}")


def delete_topic(kafka, name):
    admin = AdminClient({"bootstrap.servers": kafka.brokers()})
    admin.delete_topics([name], operation_timeout=30)[name].result()
    wait_until(lambda: name not in admin.list_topics(timeout=30).topics, f"topic {name} to go")


def delete_group(kafka, name):
    """With all its offsets."""
    subprocess.run(
        kafka.java(
            "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", kafka.brokers(),
            "--delete", "--group", name,
        ),
        check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120,
    )


def _consumer(kafka, isolation, group="reader"):
    return Consumer(
        {
            "bootstrap.servers": kafka.brokers(),
            "group.id": group,
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
        }
    )


def topics(kafka):
    """{name: its partitions' numbers} of all there are."""
    found = AdminClient({"bootstrap.servers": kafka.brokers()}).list_topics(timeout=30).topics
    return {name: sorted(topic.partitions) for name, topic in found.items() if topic.error is None}


def partitions_of(kafka, topic):
    found = AdminClient({"bootstrap.servers": kafka.brokers()}).list_topics(topic, timeout=30).topics[topic]
    assert found.error is None, found.error
    return sorted(found.partitions)


def _bounds_of(consumer, part):
    """The first offset that the partition has and the one behind its last. Just after a topic was made or a broker
    came back the leaders do not know of it yet."""
    def found():
        try:
            return consumer.get_watermark_offsets(part, timeout=30)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION:
                raise
            return None

    return wait_until(found, f"a leader of {part.topic} {part.partition}", 30)


def size_of(kafka, topic):
    """How many offsets the topic has given to records, those of all transactions with them."""
    consumer = _consumer(kafka, "read_uncommitted")
    try:
        return sum(_bounds_of(consumer, TopicPartition(topic, number))[1] for number in partitions_of(kafka, topic))
    finally:
        consumer.close()


def read_topic(kafka, topic, isolation="read_committed"):
    """All records from the first to the end of each partition as it is now; in order within a partition."""
    return list(stream_topic(kafka, topic, isolation))


def stream_topic(kafka, topic, isolation="read_committed"):
    """The same, one by one."""
    consumer = _consumer(kafka, isolation)
    try:
        parts = [TopicPartition(topic, number, 0) for number in partitions_of(kafka, topic)]
        for part in parts:
            part.offset = _bounds_of(consumer, part)[0]
        consumer.assign(parts)
        at_end = set()
        while len(at_end) < len(parts):
            message = consumer.poll(30)
            assert message is not None, f"nothing of {topic} for 30 s"
            if message.error() is not None:
                assert message.error().name() == "_PARTITION_EOF", message.error()
                at_end.add(message.partition())
                continue
            at_end.discard(message.partition())
            headers = {name: value.decode() for name, value in message.headers() or []}
            time_ms = message.timestamp()[1]
            yield Record(message.partition(), message.offset(), message.key(), message.value(), headers, time_ms)
    finally:
        consumer.close()


def committed(kafka, group, topic):
    """{partition: offset} that the group has committed."""
    consumer = _consumer(kafka, "read_committed", group)
    try:
        parts = consumer.committed([TopicPartition(topic, number) for number in partitions_of(kafka, topic)], timeout=30)
        return {part.partition: part.offset for part in parts if part.offset >= 0}
    finally:
        consumer.close()
