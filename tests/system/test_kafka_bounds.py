"""The topic of the bounds of transactions: each transaction of the topic of rows has a begin and an end there, and the
end tells how many records it has."""

import json
from collections import Counter

import pytest

from kafka_topics import create_topic, partitions_of, read_topic
from shop import Shop, config, routes
from sluice import FINE, USAGE, at, stopped_with

PARTITIONS = 4
PREFIX = 25  # of a version: what all changes of a transaction share

pytestmark = pytest.mark.ci_flavors("mariadb")


def over_kafka(db, redis, kafka, topic, **bus):
    more = {
        "type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic, "transaction_topic": f"{topic}-bounds",
        "create_topics": True, **bus,
    }
    return config(
        db, redis, at(db.position()), bus=more, partitions=PARTITIONS, checkpoint_ms=100,
        routes=routes(on_truncate="sweep"),
    )


def judge(kafka, topic, once):
    """The bounds against the rows; returns the transactions' ids by version."""
    rows = Counter()
    gtids = {}
    versions = set()
    for record in read_topic(kafka, topic):
        line = json.loads(record.value)
        told = (line["version"], record.partition)
        if told not in versions:
            rows[line["version"][:PREFIX]] += 1
        assert not (once and told in versions), line
        versions.add(told)
        gtids[line["version"][:PREFIX]] = line.get("gtid")
    found = {"begin": Counter(), "end": Counter()}
    ids = {}
    open_ones = set()
    for record in read_topic(kafka, f"{topic}-bounds"):
        line = json.loads(record.value)
        version = line["version"]
        assert record.partition == 0 and record.key.decode() == line["id"] and len(version) == PREFIX
        assert line["gtid"] == line["id"] == gtids[version], line
        found[line["status"]][version] += 1
        ids[version] = line["id"]
        if line["status"] == "begin":
            open_ones.add(version)
        else:
            assert version in open_ones, f"{line} without a begin before it"
            assert line["records"] == rows[version], f"{line}: the topic has {rows[version]}"
    for status in found.values():
        assert set(status) == set(rows)
        assert not once or set(status.values()) == {1}
    return ids


def work(shop):
    """Transactions of several lanes, key moves, savepoints, one that is rolled back, one that routes nothing."""
    shop.orders(range(1, 60))
    shop.order(70, items=5)
    shop.db.sql("UPDATE shop.order_items SET order_id = 71 WHERE order_id = 70")
    shop.db.sql("UPDATE shop.orders SET order_id = order_id + 1000 WHERE order_id BETWEEN 10 AND 20")
    shop.db.script(
        [
            "BEGIN",
            "DELETE FROM shop.orders WHERE order_id < 5",
            "SAVEPOINT s",
            "DELETE FROM shop.orders WHERE order_id < 9",
            "ROLLBACK TO s",
            "UPDATE shop.orders SET status = 'paid' WHERE order_id BETWEEN 30 AND 40",
            "COMMIT",
            "BEGIN",
            "DELETE FROM shop.orders",
            "ROLLBACK",
            "CREATE TABLE IF NOT EXISTS shop.aside (a INT PRIMARY KEY)",
            "REPLACE INTO shop.aside VALUES (1)",
        ]
    )
    shop.db.sql("TRUNCATE TABLE shop.orders")
    for order in range(100, 150):
        shop.order(order)


@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
def test_sums_are_right_over_kills(db, redis, kafka, sluice, rng, delivery):
    topic = f"bounds-{delivery}"
    shop = Shop(db, redis)
    driver = sluice(over_kafka(db, redis, kafka, topic, delivery=delivery)).start()
    for _ in range(2):
        work(shop)
        driver.kill()
        driver.start()
        shop.db.sql("DELETE FROM shop.orders")
        shop.db.sql("DELETE FROM shop.order_items")
    shop.wait_streaming(driver)
    assert driver.stop() == FINE  # all that was read is written, in every partition
    ids = judge(kafka, topic, once=delivery == "exactly_once")
    assert len(set(ids.values())) == len(ids) > 100
    assert partitions_of(kafka, f"{topic}-bounds") == [0]


def test_a_topic_that_loses_records_and_sinks_without_ends_are_refused(db, redis, kafka, sluice):
    topic = "bounds-compacted"
    create_topic(kafka, topic, PARTITIONS)
    create_topic(kafka, f"{topic}-bounds", 1, cleanup_policy="compact")
    settings = over_kafka(db, redis, kafka, topic)
    driver = sluice(settings).start("--role", "reader")
    line = stopped_with(driver, "kafka_kept_topic")
    assert f"{topic}-bounds" in str(line) and "transaction_topic" in str(line), line
    for wrong in ({"format": "maxwell"}, {"transaction_topic": topic}, {"transaction_topic": f"{topic}.state.marks"}):
        driver.configure({**over_kafka(db, redis, kafka, topic, **wrong), "routes": routes()})
        done = driver.run("run", "--role", "reader")
        assert done.returncode == USAGE and "transaction_topic" in done.stderr, done.stderr
    settings["sinks"]["copy"] = {
        "type": "kafka", "brokers": kafka.brokers().split(","), "topic": "copy", "delivery": "at_least_once",
        "transaction_topic": "copy-bounds",
    }
    driver.configure(settings)
    done = driver.run("run", "--role", "applier")
    assert done.returncode == USAGE and "transaction_topic" in done.stderr and "copy" in done.stderr, done.stderr


def test_a_replay_writes_whole_transactions_at_least_once(db, redis, kafka, sluice):
    """Exactly once it would take the service's place; with some of the tables its ends would tell too little."""
    topic = "bounds-replay"
    shop = Shop(db, redis)
    settings = config(db, redis, at(db.position()), partitions=PARTITIONS, routes=[
        {"table": f"shop.{name}", "key": "order_id", "to": "copy"} for name in ("orders", "order_items")
    ])
    copy = {
        "type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic, "transaction_topic": f"{topic}-bounds",
        "create_topics": True,
    }
    begin = at(db.position())
    settings["sinks"] = {"copy": copy}
    driver = sluice(settings).start()
    driver.wait_log(msg="reading")
    assert driver.stop() == FINE, driver.tail()
    shop.order(1, items=3)
    where = ["--from", begin, "--to", at(db.position())]
    done = driver.run("replay", "again", *where)
    assert done.returncode == USAGE and "at_least_once" in done.stderr and "copy" in done.stderr, done.stderr
    copy["delivery"] = "at_least_once"
    driver.configure(settings)
    done = driver.run("replay", "again", *where, "--table", "shop.orders")
    assert done.returncode == USAGE and "transaction_topic" in done.stderr, done.stderr
    done = driver.run("replay", "again", *where)
    assert done.returncode == FINE, done.stderr
    assert len(judge(kafka, topic, once=False)) > 0
