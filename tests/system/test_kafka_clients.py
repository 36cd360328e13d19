"""What others read of a topic that sluice wrote: kcat and Kafka's own Java consumer, beside confluent-kafka."""

import json
import subprocess

from kafka_topics import create_topic, read_topic
from shop import Shop, config
from sluice import FINE, at, wait_until

PARTITIONS = 4


def by_kcat(kafka, topic):
    """[(partition, offset, key, value, headers)]"""
    done = subprocess.run(
        ["kcat", "-b", kafka.brokers(), "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J",
         "-X", "isolation.level=read_committed"],
        check=True, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )
    found = []
    for line in map(json.loads, done.stdout.splitlines()):
        names = line.get("headers", [])
        headers = dict(zip(names[::2], names[1::2]))
        found.append((line["partition"], line["offset"], line["key"], line["payload"], headers))
    return sorted(found)


def by_java(kafka, topic, count):
    """The same by kafka-console-consumer."""
    shows = ["print.partition", "print.offset", "print.headers", "print.key"]
    done = subprocess.run(
        kafka.java(
            "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", kafka.brokers(), "--topic", topic,
            "--from-beginning", "--isolation-level", "read_committed", "--max-messages", str(count),
            "--timeout-ms", "30000", *sum((["--property", f"{name}=true"] for name in shows), []),
        ),
        check=True, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
    )
    found = []
    for line in done.stdout.splitlines():
        if not line.startswith("Partition:"):
            continue
        partition, offset, headers, key, value = line.split("\t", 4)
        pairs = dict(pair.split(":", 1) for pair in split_headers(headers))
        found.append((int(partition.split(":")[1]), int(offset.split(":")[1]), key, value, pairs))
    return sorted(found)


def split_headers(text):
    """name:value pairs; values of sluice's may hold commas, its names are few."""
    names = ("op", "table", "version", "format", "commit", "gtid", "pos", "pk", "pk_before", "half", "reader")
    pairs = []
    for part in text.split(","):
        if part.split(":", 1)[0] in names:
            pairs.append(part)
        else:
            pairs[-1] += "," + part
    return pairs


def test_kcat_and_java_read_what_sluice_wrote(db, redis, kafka, sluice, flavor):
    topic = f"clients-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    shop = Shop(db, redis)
    bus = {"type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic}
    driver = sluice(config(db, redis, at(db.position()), partitions=PARTITIONS, bus=bus)).start("--role", "reader")
    for number in range(1, 41):
        shop.order(number, items=1)
    db.script(["UPDATE orders SET order_id = order_id + 1000 WHERE order_id < 10", "DELETE FROM order_items"], "shop")
    count = 40 * 2 + 9 * 2 + 40
    wait_until(lambda: len(read_topic(kafka, topic)) == count, driver.tail, every_s=0.3)
    assert driver.stop() == FINE
    expected = sorted(
        (record.partition, record.offset, record.key.decode(), record.value.decode(), record.headers)
        for record in read_topic(kafka, topic)
    )
    assert by_kcat(kafka, topic) == expected
    assert by_java(kafka, topic, count) == expected
