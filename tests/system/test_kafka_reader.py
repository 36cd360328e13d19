"""The reader's half of the Kafka bus: the configuration of the whole service, published instead of applied."""

import json

import pytest

from kafka_topics import create_topic, read_topic
from shop import Shop, config
from sluice import FINE, USAGE, at, stopped_with, wait_until

PARTITIONS = 4


def bus_config(db, redis, kafka, topic, start, **bus):
    more = {"type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic, **bus}
    return config(db, redis, start, bus=more, partitions=PARTITIONS)


def test_reader_publishes_all_routes_and_applies_nothing(db, redis, kafka, sluice, flavor):
    topic = f"reader-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    shop = Shop(db, redis)
    shop.plant("order:7")
    begin = db.position()
    driver = sluice(bus_config(db, redis, kafka, topic, at(begin))).start("--role", "reader")
    shop.order(7, items=2)
    wait_until(lambda: len(read_topic(kafka, topic)) == 3, driver.tail, every_s=0.2)
    driver.kill()
    driver.start("--role", "reader")
    shop.order(8)
    wait_until(lambda: {record.key for record in read_topic(kafka, topic)} == {b"7", b"8"}, driver.tail, every_s=0.2)
    records = [record for record in read_topic(kafka, topic) if record.key == b"7"]
    assert [json.loads(record.value)["table"] for record in records[:3]] == ["orders", "order_items", "order_items"]
    assert len({record.partition for record in records}) == 1
    assert shop.left("order:7") == {"order:7"}
    assert driver.run("status").returncode == FINE
    assert driver.stop() == FINE


@pytest.mark.ci_flavors("mariadb")
def test_a_compacted_topic_is_for_keys_of_one_row(db, redis, kafka, sluice):
    """Kafka would throw away changes of one row for those of another with the same key."""
    topic = "reader-compacted"
    create_topic(kafka, topic, PARTITIONS, cleanup_policy="compact,delete")
    shop = Shop(db, redis)
    settings = bus_config(db, redis, kafka, topic, at(db.position()))
    driver = sluice(settings).start("--role", "reader")
    line = stopped_with(driver, "kafka_compacted")
    assert topic in str(line) and "compact,delete" in str(line)
    settings["bus"]["record_key"] = "primary_key"
    driver.configure(settings)
    driver.start("--role", "reader")
    shop.order(7, items=2)
    wait_until(lambda: len(read_topic(kafka, topic)) == 3, driver.tail, every_s=0.2)
    assert driver.stop() == FINE


def test_roles_need_a_bus(db, redis, sluice):
    done = sluice(config(db, redis)).run("run", "--role", "reader")
    assert done.returncode == USAGE and "bus" in done.stderr, done.stderr


def test_what_does_not_pass_the_bus_is_refused_with_its_line(db, redis, kafka, sluice):
    driver = sluice(bus_config(db, redis, kafka, "t", "current", compression="zstd"))
    done = driver.run("run", "--role", "reader")
    assert done.returncode == USAGE and "compression" in done.stderr and "sluice.yaml:" in done.stderr, done.stderr
    settings = bus_config(db, redis, kafka, "t", "current", format="debezium", record_key="peer")
    driver.configure(settings)
    done = driver.run("run", "--role", "reader")
    assert done.returncode == USAGE and "tombstone" in done.stderr, done.stderr
    settings = bus_config(db, redis, kafka, "t", "current")
    settings["sinks"]["copy"] = {"type": "kafka", "brokers": kafka.brokers().split(","), "topic": "copy"}
    driver.configure(settings)
    done = driver.run("run", "--role", "applier")
    assert done.returncode == USAGE and "at_least_once" in done.stderr and "copy" in done.stderr, done.stderr
    settings = bus_config(db, redis, kafka, "t", "current", format="maxwell")
    settings["routes"][0]["on_truncate"] = "sweep"
    driver.configure(settings)
    done = driver.run("run", "--role", "reader")
    assert done.returncode == USAGE and "on_truncate" in done.stderr and "sluice.yaml:" in done.stderr, done.stderr
