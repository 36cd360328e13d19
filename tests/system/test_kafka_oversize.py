"""Rows that are larger than their topic takes: a stop, a record without what nobody reads, or a dead letter."""

import json

import pytest

from kafka_topics import create_topic, read_topic
from sluice import FINE, USAGE, at, source_of, stopped_with, wait_until

PARTITIONS, LIMIT = 2, 20_000
TABLE = "CREATE TABLE notes (id INT PRIMARY KEY, order_id INT NOT NULL, body MEDIUMTEXT, tag VARCHAR(20))"

pytestmark = pytest.mark.ci_flavors("mariadb")


def settings(db, redis, kafka, topic, properties=(f"batch.size={LIMIT}", "compression.type=none"), **bus):
    """Whole: reader and applier in one process."""
    return {
        "source": source_of(db, start=at(db.position())),
        "partitions": PARTITIONS,
        "bus": {
            "type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic, "properties": list(properties), **bus,
        },
        "sinks": {"cache": {"type": "redis", "url": redis.url()}},
        "routes": [
            {"table": "shop.notes", "key": "order_id", "to": "cache", "invalidate": ["note:{id}", "tag:{tag|lower}"]}
        ],
    }


@pytest.fixture
def topic(db, kafka, request):
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)[:100]
    create_topic(kafka, name, PARTITIONS, max_message_bytes=LIMIT)
    db.script(["DROP TABLE IF EXISTS notes", TABLE], "shop")
    return name


def insert(db, number, size, order_id=7):
    db.sql("INSERT INTO shop.notes VALUES (%s, %s, REPEAT('x', %s), CONCAT('T', %s))", (number, order_id, size, number))


def check_wire(records, expected):
    """Each row once: {id: (length of its body, or None where it was left out)}."""
    found = {}
    for record in records:
        line = json.loads(record.value)
        row = line["after"]
        assert row["id"] not in found
        assert line["pk"] == {"id": row["id"]} and line["key"] == str(row["order_id"]) and row["tag"] == f"T{row['id']}"
        is_short = record.headers.get("oversize") == "keys_only"
        assert line.get("absent_after", []) == (["body"] if is_short else [])
        assert line.get("oversize") == ("keys_only" if is_short else None)
        found[row["id"]] = None if is_short else len(row["body"])
    assert found == expected


def test_batches_above_the_limit_stop_before_the_first_row(db, redis, kafka, sluice, topic):
    driver = sluice(settings(db, redis, kafka, topic, oversize="keys_only", properties=[])).start("--role", "reader")
    line = stopped_with(driver, "kafka_batch_size")
    assert topic in str(line) and str(LIMIT) in str(line)


def test_it_stops_unless_told_otherwise(db, redis, kafka, sluice, topic):
    driver = sluice(settings(db, redis, kafka, topic)).start()
    insert(db, 1, 3 * LIMIT)
    line = stopped_with(driver, "kafka_too_large")
    assert topic in str(line) and "shop.notes" in str(line) and "oversize" in str(line)


def test_keys_only_keeps_what_templates_read_and_each_size_is_known(db, redis, kafka, sluice, topic):
    """Around the limit what is sent whole is taken by the broker, else the service would stop."""
    driver = sluice(settings(db, redis, kafka, topic, oversize="keys_only")).start()
    cache = redis.client()
    sizes = [*range(LIMIT - 800, LIMIT + 50, 10), 3_000_000]
    cache.mset({key: "planted" for n in range(len(sizes)) for key in (f"note:{n}", f"tag:t{n}")})
    for number, size in enumerate(sizes):
        insert(db, number, size, number % 5)
    wait_until(lambda: not cache.keys("*"), driver.tail, every_s=0.1)
    records = read_topic(kafka, topic)
    whole = {json.loads(record.value)["after"]["id"] for record in records if "oversize" not in record.headers}
    assert len(whole) == max(whole) + 1 and 10 < len(whole) < len(sizes) - 10
    check_wire(records, {n: size if n in whole else None for n, size in enumerate(sizes)})
    # Both images of an update, and of a delete the one that there is.
    cache.mset({"note:3": "planted", "note:100003": "planted", "tag:t3": "planted", "tag:moved": "planted"})
    db.sql(f"UPDATE shop.notes SET id = 100003, tag = 'MOVED', body = REPEAT('y', {2 * LIMIT}) WHERE id = 3")
    wait_until(lambda: not cache.keys("*"), driver.tail, every_s=0.1)
    assert driver.stop() == FINE


def test_batches_of_small_rows_stay_below_the_limit(db, redis, kafka, sluice, topic):
    """A batch of librdkafka's own size would be refused; the linger lets it fill."""
    bus = {"oversize": "keys_only", "delivery": "at_least_once", "properties": [f"batch.size={LIMIT}", "linger.ms=20"]}
    driver = sluice(settings(db, redis, kafka, topic, **bus)).start()
    sizes = {n: n % 300 for n in range(5000)}
    db.sql("INSERT INTO shop.notes VALUES " + ",".join(f"({n}, 7, REPEAT('x', {size}), 'T{n}')" for n, size in sizes.items()))
    wait_until(lambda: len(read_topic(kafka, topic)) == len(sizes), driver.tail, every_s=0.2)
    check_wire(read_topic(kafka, topic), sizes)
    assert driver.stop() == FINE


def test_dead_letters_hold_the_whole_row(db, redis, kafka, sluice, topic):
    dead = f"{topic}-dead"
    create_topic(kafka, dead, 1)
    driver = sluice(
        settings(db, redis, kafka, topic, oversize="dead_letter", dead_letter_topic=dead, properties=["batch.size=10000"])
    ).start()
    for number, size in enumerate([10, 2 * LIMIT, 20, 2_000_000]):
        insert(db, number, size)
    wait_until(lambda: len(read_topic(kafka, topic)) == 2 and len(read_topic(kafka, dead)) == 2, driver.tail, every_s=0.2)
    check_wire(read_topic(kafka, topic), {0: 10, 2: 20})
    check_wire(read_topic(kafka, dead), {1: 2 * LIMIT, 3: None})
    for record in read_topic(kafka, dead):
        assert record.headers["dead.reason"] == "kafka_too_large" and record.headers["dead.topic"] == topic
        assert record.headers["op"] == "insert" and "dead.offset" not in record.headers
    assert driver.stop() == FINE


@pytest.mark.parametrize(
    "bus,named",
    [
        ({"oversize": "dead_letter"}, "dead_letter_topic"),
        ({"oversize": "keys_only", "format": "maxwell"}, "oversize"),
    ],
)
def test_what_cannot_be_is_refused(db, redis, kafka, sluice, topic, bus, named):
    done = sluice(settings(db, redis, kafka, topic, **bus)).run("run", "--role", "reader")
    assert done.returncode == USAGE and named in done.stderr, done.stderr
