"""The truth test over Kafka: reader, topic, two appliers. After kills of all of them nothing stale is in the cache, and
the topic has what the log has."""

import json
import os
import time

import pytest

from folding import Fold, assert_valid
from kafka_topics import create_topic, stream_topic
from servers.kafka import KafkaCluster
from shop import Shop, config
from sluice import FINE, at, wait_until
from tables import Table
from test_kafka_sink import place_of
from test_truth import LIMIT_S, SENTINELS, settle
from truth import Reader, World, Writer, add_histories, judge

PARTITIONS = 4
CI_SIZE, FULL_SIZE = (3_000, 2, 1), (60_000, 20, 20)  # changes, kills of reader and of appliers, kills of brokers
# Repeats reach back to the last position that was stored. It is stored on this clock; the topic for it may wait for
# brokers as long as rows do, and for this busy machine.
CHECKPOINT_S, STORED_S = 0.1, 3
QUICK = ["session.timeout.ms=2000", "heartbeat.interval.ms=200", "reconnect.backoff.max.ms=500"]


def over_kafka(db, redis, kafka, topic, start, delivery):
    copies = len(getattr(kafka, "nodes", ())) or 1
    bus = {
        "type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic, "delivery": delivery,
        "session_ms": "1s", "properties": QUICK, "replication": copies, "min_insync_replicas": min(2, copies),
    }
    return config(db, redis, start, partitions=PARTITIONS, bus=bus, checkpoint_ms=int(CHECKPOINT_S * 1000))


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


class Runs:
    """What each reader wrote, by the header `reader` of at_least_once (one for all, exactly once). In each partition it
    begins anywhere in what is there, goes on from there without a gap, and never goes back."""

    def __init__(self):
        self.first = {}  # place → when its first copy was written
        self.order, self.at, self.highest = {}, {}, {}
        self.written, self.again, self.oldest = {}, {}, {}

    def add(self, record, place):
        """True when the record is the first of its place, False when it comes again; None when it is superseded."""
        part, number = record.partition, int(record.headers.get("reader", 0))
        if number < self.highest.get(part, 0):
            return None
        self.highest[part] = number
        order = self.order.setdefault(part, {})
        index, last = order.setdefault(place, len(order)), self.at.get((part, number))
        assert last is None or index == last + 1, f"reader {number}, partition {part}: record {index} behind {last}"
        self.at[part, number] = index
        self.written[number] = max(self.written.get(number, 0), record.time_ms)
        if place not in self.first:
            self.first[place] = record.time_ms
            return True
        self.again[number] = self.again.get(number, 0) + 1
        self.oldest[number] = min(self.oldest.get(number, record.time_ms), self.first[place])
        return False

    def oldest_repeat_s(self):
        """How long before the end of the readers in front of it a reader began again, at most."""
        ages = [0]
        for number, oldest in self.oldest.items():
            ages.append(max(self.written[other] for other in self.written if other < number) - oldest)
        return max(ages) / 1000


def check_topic(driver, db, kafka, topic, begin):
    """What the log has is in the topic, rising per key but for repeats."""
    tables = ["--table", "shop.orders", "--table", "shop.order_items"]
    done = driver.run("dump", "--from", at(begin), "--to", at(db.position()), *tables, timeout=1200)
    assert done.returncode == FINE, done.stderr
    missing = {place_of(json.loads(line)) for line in done.stdout.splitlines()}
    del done
    seen, newest, runs = {}, {}, Runs()
    for record in stream_topic(kafka, topic):
        line = json.loads(record.value)
        place = place_of(line)
        is_first = runs.add(record, place)
        if is_first is False:
            assert seen[place] == record.value, "a repeat differs"
        if not is_first:
            continue
        assert line["version"] > newest.get(line["key"], ""), f"{line} behind {newest[line['key']]}"
        newest[line["key"]], seen[place] = line["version"], record.value
        missing.discard(place)
    assert not missing, f"{len(missing)} changes are not in the topic, as {sorted(missing)[:3]}"
    in_order = [seen[place] for place in sorted(seen)]
    assert_valid([json.loads(value) for value in in_order[:: max(1, len(in_order) // 300)]])
    fold = Fold([Table(db, "orders"), Table(db, "order_items")])
    fold.apply_all(map(json.loads, in_order)).assert_equals_select()
    return runs


@pytest.fixture
def brokers(new_kafka, workspace, full, delivery):
    """One broker, or the three of a release's size."""
    if not full and delivery != "exactly_once":
        pytest.skip("with --full")
    if not full:
        yield new_kafka()
        return
    cluster = KafkaCluster(workspace, 3)
    try:
        yield cluster.start()
    finally:
        cluster.kill()


@pytest.mark.ci_flavors("mariadb")
@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
def test_cache_and_topic_are_true_after_kills(
    new_db, redis, brokers, sluice, rng, full, flavor, delivery, record_property
):
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
    share, away_s = changes // len(faults), 0
    for fault in faults:
        before = world.changed()
        world.goal = before + 2 * share  # as many again while it lasts
        wait_until(lambda: world.changed() >= before + share, "changes", LIMIT_S, 0.02)
        began = time.monotonic()
        roles.play(fault, rng)
        settle(shop)
        away_s = max(away_s, time.monotonic() - began) if fault == "broker" else away_s
    world.stop(Writer)
    settle(shop)
    wait_until(lambda: shop.cache.dbsize() > len(SENTINELS), "fills after the last change", 60, 0.05)
    world.stop(Reader)
    settle(shop)
    verdict = judge(world)
    runs = check_topic(roles.roles[0][0], db, kafka, topic, begin)
    repeats, oldest_s = sum(runs.again.values()), runs.oldest_repeat_s()
    figures = {
        "changes": world.changed(), "keys": verdict.keys, "true": verdict.true, "raced": len(verdict.raced),
        "lost": len(verdict.lost), "records": len(runs.first), "repeats": repeats,
        "most_at_once": max(runs.again.values(), default=0), "oldest_s": oldest_s, "away_s": round(away_s, 1),
    }
    print("truth over kafka:", flavor, delivery, figures)
    record_property("truth", figures)
    assert not verdict.lost, f"{verdict.lost[:5]} of {figures}"
    assert verdict.keys and verdict.true > verdict.keys / 2, figures
    assert delivery == "at_least_once" or repeats == 0
    assert oldest_s < CHECKPOINT_S + away_s + STORED_S, figures
    roles.stop()
