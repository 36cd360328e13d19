"""`sluice run` with a bus of type kafka and no role: the reader and an applier in one process, with one answer."""

import json

import pytest
from confluent_kafka import Producer

from kafka_topics import committed, create_topic, read_topic
from shop import Shop, config
from sluice import FINE, at, stopped_with, wait_until

# What is tested here does not depend on the server.
pytestmark = pytest.mark.ci_flavors("mariadb")

LANES = 4
HALVES = ("reader", "applier")
# What a dead process costs in time.
QUICK = ["session.timeout.ms=2000", "heartbeat.interval.ms=200"]


def with_bus(db, redis, kafka, topic, start, **more):
    """The embedded configuration and the line of the bus."""
    bus = {"type": "kafka", "brokers": [kafka.brokers()], "topic": topic, "properties": QUICK}
    return config(db, redis, start, partitions=LANES, bus=bus, checkpoint_ms=20, **more)


def wait_running(driver):
    driver.wait_log(msg="reading", half="reader")
    driver.wait_log(msg="partitions came", half="applier")


def written(kafka, topic):
    """{partition: offset behind its last record} of those that have records."""
    found = {}
    for record in read_topic(kafka, topic):
        found[record.partition] = record.offset + 1
    return found


def applied(kafka, topic):
    """The group's offsets lie behind all records; the end of a transaction is a record that nobody sees."""
    done = committed(kafka, topic, topic)
    return all(done[number] >= offset for number, offset in written(kafka, topic).items())


def test_same_configuration_and_a_bus_leave_the_same_redis_over_kills(
        db, redis, new_redis, kafka, sluice, rng, full, flavor):
    topic, rounds, size = f"whole-beside-embedded-{flavor}", 20 if full else 3, 200
    create_topic(kafka, topic, LANES)
    other = new_redis(name="embedded")
    shop, beside = Shop(db, redis), Shop.__new__(Shop)
    beside.db, beside.cache = db, other.client()
    numbers = list(range(1, rounds * size + 1))
    for first in range(0, len(numbers), size):
        shop.orders(numbers[first:first + size], user_id=first)
    keys = [f"order:{number}" for number in numbers] + [f"user:{first}:orders" for first in range(0, len(numbers), size)]
    start = at(db.position())
    shop.plant(*keys)
    beside.plant(*keys)
    whole = sluice(with_bus(db, redis, kafka, topic, start)).start()
    embedded = sluice(config(db, other, start, partitions=LANES)).start()
    wait_running(whole)
    for number in range(rounds - 1):  # what belongs to the last round is left alone
        changed = rng.sample(numbers[number * size:(number + 1) * size], size // 2)
        for order in changed[:size // 4]:
            shop.pay(order)
        whole.kill()
        embedded.kill()
        whole.start()
        embedded.start()
        for order in changed[size // 4:]:
            shop.pay(order)
        gone = [f"order:{order}" for order in changed] + [f"user:{number * size}:orders"]
        shop.wait_gone(*gone)
        beside.wait_gone(*gone)
        assert len(shop.left(*keys)) == len(keys) - (number + 1) * (size // 2 + 1)
    assert shop.left(*keys) == beside.left(*keys)
    wait_until(lambda: applied(kafka, topic), "the group's offsets", every_s=0.2)
    assert whole.stop() == FINE and embedded.stop() == FINE
    assert applied(kafka, topic)


def test_status_and_log_tell_the_halves_apart(db, redis, kafka, sluice, flavor):
    topic = f"whole-status-{flavor}"
    create_topic(kafka, topic, LANES)
    shop = Shop(db, redis)
    shop.orders(range(1, 21))
    driver = sluice(with_bus(db, redis, kafka, topic, "current", stats_interval="100ms")).start()
    wait_running(driver)
    keys = [f"order:{number}" for number in range(1, 21)]
    shop.plant(*keys)
    for number in range(1, 21):
        shop.pay(number)
    shop.wait_gone(*keys)
    status = json.loads(driver.rendered("status", "--json"))
    assert status["healthy"] and set(status["halves"]) == set(HALVES)
    for half in HALVES:
        assert status["halves"][half]["healthy"] and status["halves"][half]["rows_total"] == 20
    assert set(status["halves"]["reader"]["sinks"]) == {"bus"}
    assert set(status["halves"]["applier"]["sinks"]) == {"cache"}
    text = driver.rendered("status")
    assert "\nreader\n" in text and "\napplier\n" in text
    for half in HALVES:
        driver.wait_log(msg="figures", half=half, rows_total="20")
    redis.stop()
    shop.pay(1)
    wait_until(lambda: driver.run("status").returncode != FINE, "a bad status")
    status = json.loads(driver.run("status", "--json").stdout)
    assert status["halves"]["reader"]["healthy"] and not status["halves"]["applier"]["healthy"]
    redis.start()
    wait_until(lambda: driver.run("status").returncode == FINE, "a good status")
    assert driver.stop() == FINE


def test_applier_that_stops_takes_the_reader_along_and_says_why(db, redis, kafka, sluice, flavor):
    """What the reader has read is in the topic, and its position is behind that."""
    topic = f"whole-applier-stops-{flavor}"
    create_topic(kafka, topic, LANES)
    shop = Shop(db, redis)
    driver = sluice(with_bus(db, redis, kafka, topic, "current")).start()
    wait_running(driver)
    shop.order(7)
    wait_until(lambda: len(read_topic(kafka, topic)) == 2, driver.tail, every_s=0.2)
    producer = Producer({"bootstrap.servers": kafka.brokers()})
    producer.produce(topic, b"not ours", partition=0)
    assert producer.flush(60) == 0
    assert stopped_with(driver, "kafka_record")["text"].startswith("applier: topic ")
    shop.order(8)
    driver.start("--role", "reader")
    wait_until(lambda: len(read_topic(kafka, topic)) == 5, driver.tail, every_s=0.2)
    assert driver.stop() == FINE


def test_reader_that_stops_leaves_nothing_undone_that_the_applier_took(db, redis, kafka, sluice, flavor):
    topic = f"whole-reader-stops-{flavor}"
    create_topic(kafka, topic, LANES)
    shop = Shop(db, redis)
    shop.orders(range(1, 51))
    driver = sluice(with_bus(db, redis, kafka, topic, "current")).start()
    wait_running(driver)
    keys = [f"order:{number}" for number in range(1, 51)]
    shop.plant(*keys)
    for number in range(1, 51):
        shop.pay(number)
    db.sql("TRUNCATE TABLE shop.orders")
    assert stopped_with(driver, "truncate_stop")["text"].startswith("reader: ")
    records, done = read_topic(kafka, topic), committed(kafka, topic, topic)
    assert {record.key.decode() for record in records} == {str(number) for number in range(1, 51)}
    taken = {f"order:{record.key.decode()}" for record in records if record.offset < done[record.partition]}
    assert not shop.left(*keys) & taken
    driver.start("--role", "applier")
    shop.wait_gone(*keys)
    assert driver.stop() == FINE
