"""Another number of partitions for a bus in use: the way that docs/kafka.md tells keeps everything."""

import json

import pytest
from confluent_kafka import Consumer, TopicPartition

from kafka_topics import add_partitions, committed, create_topic, delete_topic, read_topic
from shop import Shop, config
from sluice import FINE, at, stopped_with, wait_until

# What is tested here does not depend on the server.
pytestmark = pytest.mark.ci_flavors("mariadb")

OLD, NEW = 4, 6


def with_bus(db, redis, kafka, start, topic, partitions, **more):
    bus = {"type": "kafka", "brokers": [kafka.brokers()], "topic": topic, "state_topic": "moving.state", **more}
    return config(db, redis, start, partitions=partitions, bus=bus, checkpoint_ms=20)


def commit_at_begin(kafka, group, topic, numbers):
    """As kafka-consumer-groups --reset-offsets --to-earliest does."""
    consumer = Consumer({"bootstrap.servers": kafka.brokers(), "group.id": group})
    try:
        consumer.commit(offsets=[TopicPartition(topic, number, 0) for number in numbers], asynchronous=False)
    finally:
        consumer.close()


def changes(kafka, topic):
    """{(primary key, version)} of the topic's orders."""
    found = [json.loads(record.value) for record in read_topic(kafka, topic)]
    assert len({line["version"] for line in found}) == len(found), "a version twice"
    return {(line["key"], line["version"]) for line in found if line["table"] == "orders"}


def pay(shop, numbers):
    keys = [f"order:{number}" for number in numbers]
    shop.plant(*keys)
    for number in numbers:
        shop.pay(number)
    return keys


def test_added_partitions_are_left_by_the_documented_way(db, redis, kafka, sluice, flavor):
    old, new = f"moving-{flavor}-old", f"moving-{flavor}-new"
    create_topic(kafka, old, OLD)
    shop = Shop(db, redis)
    shop.orders(range(1, 21))
    start = at(db.position())
    reader, applier = sluice(with_bus(db, redis, kafka, start, old, OLD)), sluice()
    reader.start("--role", "reader")
    keys = pay(shop, range(1, 21))
    wait_until(lambda: len(changes(kafka, old)) == 20, reader.tail, every_s=0.2)
    # The group has begun, and has all of it before it; then somebody adds partitions.
    commit_at_begin(kafka, old, old, range(OLD))
    assert reader.stop() == FINE
    add_partitions(kafka, old, NEW)
    for driver, role in ((reader, "reader"), (applier, "applier")):
        driver.configure(with_bus(db, redis, kafka, start, old, OLD))
        driver.start("--role", role)
        assert f"{NEW} partitions" in stopped_with(driver, "kafka_partitions")["text"]
    # What is in the old topic is applied.
    commit_at_begin(kafka, old, old, range(OLD, NEW))
    applier.configure(with_bus(db, redis, kafka, start, old, NEW))
    applier.start("--role", "applier")
    shop.wait_gone(*keys)
    assert applier.stop() == FINE
    ends = {}
    for record in read_topic(kafka, old):
        ends[record.partition] = record.offset + 1
    done = committed(kafka, old, old)
    assert all(done[number] >= end for number, end in ends.items())
    # The reader goes on where it was, into a new one.
    delete_topic(kafka, "moving.state.marks")
    create_topic(kafka, new, NEW)
    for driver, role in ((reader, "reader"), (applier, "applier")):
        driver.configure(with_bus(db, redis, kafka, start, new, NEW))
        driver.start("--role", role)
    shop.wait_gone(*pay(shop, range(1, 21)))
    assert reader.stop() == FINE and applier.stop() == FINE
    before, behind = changes(kafka, old), changes(kafka, new)
    assert len(before) == len(behind) == 20
    assert max(version for _, version in before) < min(version for _, version in behind)
