"""The truth test over Kafka: reader, topic, two appliers. After kills of all of them nothing stale is in the cache, and
the topic has what the log has."""

import json
import os

import pytest

from folding import Fold, assert_valid
from kafka_topics import create_topic, read_topic
from servers.kafka import KafkaCluster
from shop import Shop, config
from sluice import FINE, at, wait_until
from tables import Table
from test_kafka_sink import place_of
from test_truth import LIMIT_S, SENTINELS, settle
from truth import Reader, World, Writer, add_histories, judge

PARTITIONS = 4
CI_SIZE, FULL_SIZE = (3_000, 2, 1), (60_000, 20, 20)  # changes, kills of reader and of appliers, kills of brokers
QUICK = ["session.timeout.ms=2000", "heartbeat.interval.ms=200", "reconnect.backoff.max.ms=500"]


def over_kafka(db, redis, kafka, topic, start, delivery):
    copies = len(getattr(kafka, "nodes", ())) or 1
    bus = {
        "type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic, "delivery": delivery,
        "session_ms": "1s", "properties": QUICK, "replication": copies, "min_insync_replicas": min(2, copies),
    }
    return config(db, redis, start, partitions=PARTITIONS, bus=bus, checkpoint_ms=100)


class Roles:
    """The processes, and what may happen to them."""

    def __init__(self, sluice, settings, kafka, topic):
        self.kafka, self.topic = kafka, topic
        self.roles = [(sluice(settings), role) for role in ("reader", "applier", "applier")]
        for driver, role in self.roles:
            driver.start("--role", role)

    def check(self):
        for driver, role in self.roles:
            assert driver.alive(), f"the {role} ended by itself: {driver.tail()}"

    def play(self, fault, rng):
        self.check()
        if fault == "broker":
            several = hasattr(self.kafka, "leader")
            node = self.kafka.leader(self.topic, rng.randrange(PARTITIONS)) if several else self.kafka
            node.restart(kill=True)
            return
        driver, role = rng.choice([(driver, role) for driver, role in self.roles if role == fault])
        driver.kill()
        driver.start("--role", role)

    def stop(self):
        for driver, role in self.roles:
            assert driver.stop() == FINE, f"{role}: {driver.tail()}"


def check_topic(driver, db, kafka, topic, begin):
    """What the log has is in the topic, rising per key but for repeats; returns (records, repeats)."""
    tables = ["--table", "shop.orders", "--table", "shop.order_items"]
    lines = driver.dump("--from", at(begin), "--to", at(db.position()), *tables, config=True)
    log = {place_of(line) for line in lines}
    seen, newest, repeats = {}, {}, 0
    for record in read_topic(kafka, topic):
        line = json.loads(record.value)
        if line["table"] not in ("orders", "order_items"):
            continue
        place = place_of(line)
        if place in seen:
            assert seen[place] == line, "a repeat differs"
            repeats += 1
            continue
        assert line["version"] > newest.get(line["key"], ""), f"{line} behind {newest[line['key']]}"
        newest[line["key"]], seen[place] = line["version"], line
    assert not log - seen.keys(), f"{len(log - seen.keys())} of {len(log)} changes are not in the topic"
    in_order = [seen[place] for place in sorted(seen)]
    assert_valid(in_order)
    Fold([Table(db, "orders"), Table(db, "order_items")]).apply_all(in_order).assert_equals_select()
    return len(seen), repeats


@pytest.fixture
def brokers(new_kafka, workspace, full):
    """One broker, or the three of a release's size."""
    if not full:
        yield new_kafka()
        return
    cluster = KafkaCluster(workspace, 3)
    try:
        yield cluster.start()
    finally:
        cluster.kill()


@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
def test_cache_and_topic_are_true_after_kills(
    new_db, redis, brokers, sluice, rng, full, flavor, delivery, record_property
):
    if not full and (flavor, delivery) != ("mariadb", "exactly_once"):
        pytest.skip("with --full")
    db, kafka, topic = new_db(), brokers, f"truth-{delivery}"
    changes, kills, broker_kills = FULL_SIZE if full else CI_SIZE
    create_topic(kafka, topic, PARTITIONS)
    shop = Shop(db, redis)
    add_histories(db)
    begin = db.position()
    settings = over_kafka(db, redis, kafka, topic, at(begin), delivery)
    roles = Roles(sluice, settings, kafka, topic)
    # What changes while a broker starts is to be kept in memory by the judge.
    world = World(db, redis, rng.random(), orders=2000 if full else 300, pause_s=0.02 if full else 0)
    world.start(os.path.join(roles.roles[0][0].directory, "monitor.txt"))
    faults = ["reader", "applier"] * kills + ["broker"] * broker_kills
    rng.shuffle(faults)
    for fault in faults:
        before = world.changed()
        wait_until(lambda: world.changed() >= before + changes // len(faults), "changes", LIMIT_S, 0.05)
        roles.play(fault, rng)
        settle(shop)
    world.stop(Writer)
    settle(shop)
    wait_until(lambda: shop.cache.dbsize() > len(SENTINELS), "fills after the last change", 60, 0.05)
    world.stop(Reader)
    settle(shop)
    verdict = judge(world)
    records, repeats = check_topic(roles.roles[0][0], db, kafka, topic, begin)
    figures = {
        "changes": world.changed(), "keys": verdict.keys, "true": verdict.true, "raced": len(verdict.raced),
        "lost": len(verdict.lost), "records": records, "repeats": repeats,
    }
    print("truth over kafka:", flavor, delivery, figures)
    record_property("truth", figures)
    assert not verdict.lost, f"{verdict.lost[:5]} of {figures}"
    assert verdict.keys and verdict.true > verdict.keys / 2, figures
    assert delivery == "at_least_once" or repeats == 0
    roles.stop()
