"""TRUNCATE over a Kafka bus: each partition is told, and the keys of the table go, whoever is killed meanwhile."""

import json

import pytest

from kafka_topics import create_topic, read_topic
from shop import Shop, config, routes
from sluice import FINE, at, stopped_with, wait_until

PARTITIONS = 4
QUICK = ["session.timeout.ms=2000", "heartbeat.interval.ms=200", "reconnect.backoff.max.ms=500"]

pytestmark = pytest.mark.ci_flavors("mariadb")


def over_kafka(db, redis, kafka, topic, **more):
    bus = {
        "type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic, "session_ms": "1s", "properties": QUICK,
    }
    return config(
        db, redis, at(db.position()), partitions=PARTITIONS, bus=bus, checkpoint_ms=100,
        routes=routes(on_truncate="sweep"), **more,
    )


def check_truncates(kafka, topic, count):
    """Each partition has every TRUNCATE once, behind all versions before it and in front of all behind it."""
    found = {number: [] for number in range(PARTITIONS)}
    newest = {}
    for record in read_topic(kafka, topic):
        line = json.loads(record.value)
        headers = dict(record.headers)
        assert line["version"] > newest.get(record.partition, ""), f"{line} behind {newest[record.partition]}"
        assert headers["op"] == line["op"] and headers["version"] == line["version"]
        newest[record.partition] = line["version"]
        if line["op"] == "truncate":
            assert (line["db"], line["table"], record.key) == ("shop", "orders", None)
            found[record.partition].append(line["version"])
    assert len(found[0]) == count, found
    assert all(versions == found[0] for versions in found.values()), found


def test_keys_of_all_partitions_go_and_no_others(new_db, redis, kafka, sluice, rng, full):
    db, topic = new_db(), "truncate"
    create_topic(kafka, topic, PARTITIONS)
    shop = Shop(db, redis)
    settings = over_kafka(db, redis, kafka, topic)
    roles = [(sluice(settings), role) for role in ("reader", "applier", "applier")]
    for driver, role in roles:
        driver.start("--role", role)
    shop.wait_streaming(roles[0][0], 900_000)
    others = ["other:1", "users:1", "order", "user:1:carts"]
    rounds = 12 if full else 3
    for number in range(rounds):
        shop.orders(range(1, 101))
        mine = [f"order:{order}" for order in range(1, 201)] + ["user:1:orders", "user:7:orders"]
        shop.plant(*mine, *others)
        shop.db.sql("TRUNCATE TABLE shop.orders")
        shop.orders(range(200, 205))
        driver, role = rng.choice(roles)
        driver.kill()
        driver.start("--role", role)
        shop.wait_gone(*mine)
        assert shop.left(*others) == set(others)
        shop.db.sql("DELETE FROM shop.orders")
    shop.orders(range(1, 11))
    shop.check_changes_reach_cache(range(1, 11))
    check_truncates(kafka, topic, rounds)
    for driver, role in roles:
        assert driver.stop() == FINE, f"{role}: {driver.tail()}"


def test_a_topic_behind_an_applier_has_it_once_per_partition(new_db, redis, kafka, sluice):
    db, topic = new_db(), "truncate-again"
    create_topic(kafka, topic, PARTITIONS)
    create_topic(kafka, f"{topic}-copy", PARTITIONS)
    shop = Shop(db, redis)
    settings = over_kafka(db, redis, kafka, topic)
    settings["sinks"]["cache"] = {
        "type": "kafka", "brokers": kafka.brokers().split(","), "topic": f"{topic}-copy", "delivery": "at_least_once",
    }
    settings["routes"] = [
        {key: value for key, value in route.items() if key != "invalidate"} for route in settings["routes"]
    ]
    roles = [sluice(settings).start("--role", role) for role in ("reader", "applier")]
    shop.orders(range(1, 101))
    shop.db.sql("TRUNCATE TABLE shop.orders")
    shop.orders(range(1, 101))
    wait_until(lambda: len(read_topic(kafka, f"{topic}-copy")) >= 200 + PARTITIONS, roles[1].tail, every_s=0.2)
    for driver in roles:
        assert driver.stop() == FINE, driver.tail()
    check_truncates(kafka, topic, 1)
    check_truncates(kafka, f"{topic}-copy", 1)


def test_an_applier_does_what_its_own_route_says(new_db, redis, kafka, sluice):
    db, topic = new_db(), "truncate-routes"
    create_topic(kafka, topic, PARTITIONS)
    shop = Shop(db, redis)
    settings = over_kafka(db, redis, kafka, topic)
    reader = sluice(settings).start("--role", "reader")
    shop.orders([1, 2])
    shop.db.sql("TRUNCATE TABLE shop.orders")
    shop.orders([3])
    shop.plant("order:1", "order:77", "order:3")
    strict = sluice({**settings, "routes": routes()}).start("--role", "applier")
    line = stopped_with(strict, "truncate_stop")
    assert "shop.orders" in str(line) and f"topic {topic}, partition" in str(line)
    assert shop.left("order:77")
    lenient = sluice({**settings, "routes": routes(on_truncate="ignore")}).start("--role", "applier")
    shop.wait_gone("order:1", "order:3")
    assert shop.left("order:77")
    assert lenient.stop() == FINE
    wait_until(lambda: len(read_topic(kafka, topic)) == 3 + PARTITIONS, reader.tail, every_s=0.2)
    assert reader.stop() == FINE
