"""The applier of a Kafka bus on a real broker: nothing is lost, order per key, offsets only behind what is applied."""

import glob
import json
import os
import subprocess
import time

import pytest
from confluent_kafka import Producer

from kafka_topics import add_partitions, committed, create_topic, delete_group, delete_topic, partitions_of, read_topic
from shop import Shop, config
from sluice import FINE, USAGE, stopped_with, wait_until

LANES = 4


class Bus:
    """A topic with what a reader would write there."""

    def __init__(self, kafka, topic, **of_topic):
        self.kafka, self.topic = kafka, topic
        self.number = 0
        create_topic(kafka, topic, LANES, **of_topic)

    def line(self, key, **more):
        """One change, with a version of its own."""
        self.number += 1
        row = {"order_id": key, "user_id": 1, "amount": self.number}
        return {
            "op": "update", "db": "shop", "table": "orders", "key": str(key), "pk": {"order_id": key},
            "before": {**row, "amount": 0}, "after": row, "ts_us": 1_700_000_000_000_000 + self.number,
            "commit_precision": "us", "file": "binlog.000001", "pos": 4 + self.number,
            "version": f"00000001.{self.number:016x}.{0:016x}", **more,
        }

    def producer(self):
        """One that keeps its order when it has to try again."""
        return Producer({"bootstrap.servers": self.kafka.brokers(), "enable.idempotence": True, "linger.ms": 5})

    def write(self, keys, **more):
        """One change per key in this order, in the key's partition."""
        producer = self.producer()
        for key in keys:
            producer.produce(self.topic, json.dumps(self.line(key, **more)), str(key), key % LANES)
            producer.poll(0)
        assert producer.flush(60) == 0

    def write_raw(self, value, partition=0):
        producer = self.producer()
        producer.produce(self.topic, value, partition=partition)
        assert producer.flush(60) == 0

    def ends(self):
        """{partition: offset behind its last record}."""
        found = {number: 0 for number in partitions_of(self.kafka, self.topic)}
        for record in read_topic(self.kafka, self.topic):
            found[record.partition] = record.offset + 1
        return found

    def committed(self):
        return committed(self.kafka, self.topic, self.topic)

    def wait_committed(self, ends=None):
        """Until everything that is in the topic is applied and committed."""
        ends = ends or self.ends()
        wait_until(lambda: self.committed() == ends, lambda: f"offsets {ends}, now {self.committed()}", every_s=0.2)


@pytest.fixture
def bus(kafka, request):
    return Bus(kafka, "".join(c if c.isalnum() else "-" for c in request.node.name)[:100])


# What a dead process and a dead broker cost in time.
QUICK = ["session.timeout.ms=2000", "heartbeat.interval.ms=200", "reconnect.backoff.max.ms=500"]


def settings(bus, sink, of_bus=(), **more):
    """An applier's configuration; of the source it needs nothing."""
    route = {"table": "shop.orders", "key": "order_id", "to": "target"}
    if sink["type"] == "redis":
        route["invalidate"] = ["order:{order_id}"]
    return {
        "partitions": LANES,
        "bus": {
            "type": "kafka", "brokers": bus.kafka.brokers().split(","), "topic": bus.topic,
            "properties": QUICK, **dict(of_bus),
        },
        "sinks": {"target": sink},
        "routes": [route],
        **more,
    }


def to_redis(redis):
    return {"type": "redis", "url": redis.url()}


@pytest.fixture
def records(workspace):
    """Where a recorder writes, and what it wrote: [[(key, version) of one file], …]."""
    path = os.path.join(workspace.directory("records"), "r")

    def read():
        found = []
        for name in sorted(glob.glob(path + ".*"), key=lambda name: int(name.rsplit(".", 1)[1])):
            with open(name, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file.read().split("\n")[:-1]]
            found.append([(line["key"], line["version"]) for line in lines])
        return found

    read.path = path
    return read


def assert_rising(file):
    """In order per key, with what came again left out."""
    last = {}
    for key, version in dict.fromkeys(file):
        assert last.get(key, "") < version, f"{key}: {version} behind {last[key]}"
        last[key] = version


def below(bus, offsets):
    """{(key, version)} of the records that lie below these offsets."""
    found, everything = set(), []
    for record in read_topic(bus.kafka, bus.topic):
        everything.append((record.key.decode(), json.loads(record.value)["version"]))
        if record.offset < offsets.get(record.partition, 0):
            found.add(everything[-1])
    assert_rising(everything)
    return found


def delete_before(bus, partition, offset):
    """What retention does."""
    path = os.path.join(bus.kafka.directory, "delete.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"version": 1, "partitions": [{"topic": bus.topic, "partition": partition, "offset": offset}]}, file)
    subprocess.run(
        bus.kafka.java(
            "org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", bus.kafka.brokers(),
            "--offset-json-file", path,
        ),
        check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120,
    )


def wait_applying(driver):
    driver.wait_log(msg="partitions came")


def test_keys_vanish_by_reader_and_applier(db, kafka, redis, sluice, request):
    topic = f"whole-{'-'.join(request.node.callspec.params.values())}"
    create_topic(kafka, topic, LANES)
    shop = Shop(db, redis)
    shop.orders(range(1, 101))
    both = config(
        db, redis, partitions=LANES,
        bus={"type": "kafka", "brokers": [kafka.brokers()], "topic": topic, "group": f"group-{topic}"},
    )
    reader, applier = sluice(both), sluice(both)
    reader.start("--role", "reader")
    applier.start("--role", "applier")
    wait_applying(applier)
    reader.wait_log(msg="reading")
    keys = [f"order:{number}" for number in range(1, 101)]
    shop.plant(*keys)
    for number in range(1, 101):
        shop.pay(number)
    shop.wait_gone(*keys)
    status = json.loads(applier.rendered("status", "--json"))
    assert status["healthy"] and status["rows_total"] >= 100 and status["applied_total"] >= 100
    assert applier.stop() == FINE and reader.stop() == FINE
    written = [0] * LANES
    for record in read_topic(kafka, topic):
        written[record.partition] = record.offset + 1
    done = committed(kafka, f"group-{topic}", topic)
    assert [done[number] for number in range(LANES)] == written


def test_kill_loses_nothing_and_offsets_are_behind_what_is_applied(bus, sluice, records, rng, full):
    keys, rounds = 40, 20 if full else 4
    sink = {"type": "recorder", "path": records.path, "fail_every": 97, "down_every": 31, "workers": 3}
    driver = sluice(settings(bus, sink, checkpoint_ms=5))
    for _ in range(rounds):
        bus.write(rng.choices(range(keys), k=1500))
        seen = sum(map(len, records()))
        driver.start("--role", "applier")
        more = rng.randrange(1, 1200)
        wait_until(lambda: sum(map(len, records())) > seen + more, "changes that are applied", every_s=0.005)
        driver.kill()
        applied = {change for file in records() for change in file}
        assert below(bus, bus.committed()) <= applied
    driver.start("--role", "applier")
    bus.wait_committed()
    assert driver.stop() == FINE
    files = records()
    assert {change for file in files for change in file} == below(bus, bus.ends())
    for file in files:
        assert_rising(file)


def test_orderly_hand_over_repeats_nothing(bus, sluice, records, rng):
    """What an applier has in flight at SIGTERM is applied and committed before another takes its partitions."""
    driver = sluice(settings(bus, {"type": "recorder", "path": records.path, "workers": 2}, checkpoint_ms=60_000))
    for _ in range(3):
        seen = sum(map(len, records()))
        bus.write(rng.choices(range(40), k=2000))
        driver.start("--role", "applier")
        wait_until(lambda: sum(map(len, records())) > seen, "changes that are applied", every_s=0.001)
        assert driver.stop() == FINE
    driver.start("--role", "applier")
    wait_applying(driver)
    wait_until(lambda: sum(map(len, records())) >= 6000, "all changes")
    assert driver.stop() == FINE
    applied = [change for file in records() for change in file]
    assert len(applied) == 6000 and set(applied) == below(bus, bus.ends())
    for file in records():
        assert_rising(file)


def test_a_dead_applier_is_followed_by_the_other(bus, sluice, records, rng):
    sink = {"type": "recorder", "path": records.path, "workers": 2}
    one, other = (sluice(settings(bus, sink, checkpoint_ms=20)) for _ in range(2))
    one.start("--role", "applier")
    wait_applying(one)
    other.start("--role", "applier")
    wait_applying(other)
    bus.write(rng.choices(range(40), k=2000))
    one.kill()
    bus.write(rng.choices(range(40), k=2000))
    bus.wait_committed()
    assert other.stop() == FINE
    assert {change for file in records() for change in file} == below(bus, bus.ends())


def test_a_sink_of_its_own_group_does_not_wait_for_another(bus, redis, sluice, records):
    """Each applier serves one of the two sinks; the Redis of the one is away."""
    whole = settings(bus, {"type": "recorder", "path": records.path}, buffer_bytes="1MiB")
    whole["sinks"]["cache"] = to_redis(redis)
    whole["routes"].append({**whole["routes"][0], "to": "cache", "invalidate": ["order:{order_id}"]})
    recorder, cache = sluice(whole), sluice(whole)
    redis.stop()
    cache.start("--role", "applier", "--sink", "cache")
    recorder.start("--role", "applier", "--sink", "target")
    wait_applying(cache)
    bus.write(range(20_000))
    group, ends = f"{bus.topic}.target", bus.ends()
    wait_until(lambda: committed(bus.kafka, group, bus.topic) == ends, "all records in the one sink", every_s=0.2)
    assert committed(bus.kafka, f"{bus.topic}.cache", bus.topic) != ends
    redis.start()
    wait_until(lambda: committed(bus.kafka, f"{bus.topic}.cache", bus.topic) == ends, "the other", every_s=0.2)
    assert recorder.stop() == FINE and cache.stop() == FINE
    assert {change for file in records() for change in file} == below(bus, ends)


def test_source_of_an_applier_is_not_read(bus, sluice, records):
    """Its password file is not there."""
    source = {"host": "db.invalid", "user": "sluice", "password_file": "/nonexistent/password"}
    driver = sluice(settings(bus, {"type": "recorder", "path": records.path}, source=source))
    driver.start("--role", "applier")
    bus.write(range(8))
    bus.wait_committed()
    assert json.loads(driver.rendered("status", "--json"))["applied_total"] == 8
    assert driver.stop() == FINE


@pytest.mark.parametrize(
    "words, says",
    [
        (["--role", "applier", "--sink", "targte"], "did you mean 'target'"),
        (["--role", "applier", "--sink", "unused"], "no route leads there"),
        (["--sink", "target"], "--role applier"),
    ],
    ids=["name", "route", "role"],
)
def test_sinks_that_cannot_be_kept(bus, sluice, records, words, says):
    whole = settings(bus, {"type": "recorder", "path": records.path})
    whole["sinks"]["unused"] = {"type": "counter"}
    driver = sluice(whole)
    driver.start(*words)
    assert driver.wait_exit() == USAGE
    assert says in driver.tail()


STATIC = ["session.timeout.ms=30000", "heartbeat.interval.ms=200"]


def test_restart_of_a_static_member_moves_no_partitions(bus, sluice, records):
    """Its session lasts longer than the test; what is written meanwhile waits for it."""
    sink = {"type": "recorder", "path": records.path}
    one, other = (
        sluice(settings(bus, sink, {"instance_id": name, "properties": STATIC})) for name in ("one", "other")
    )
    other.start("--role", "applier")
    wait_applying(other)
    one.start("--role", "applier")
    one.wait_log(msg="partitions came", partitions=lambda count: int(count) == LANES // 2)
    # A commit that both have behind them: the group is at rest.
    bus.write(range(40))
    bus.wait_committed()
    before = json.loads(other.rendered("status", "--json"))
    assert before["partitions"] == LANES // 2 and before["rebalances_total"] >= 2
    assert one.stop() == FINE
    bus.write(range(40))
    one.start("--role", "applier")
    one.wait_log(msg="partitions came", partitions=lambda count: int(count) == LANES // 2)
    bus.wait_committed()
    after = json.loads(other.rendered("status", "--json"))
    assert after["rebalances_total"] == before["rebalances_total"]
    assert one.stop() == FINE and other.stop() == FINE
    assert {change for file in records() for change in file} == below(bus, bus.ends())


def test_second_of_a_static_name_fences_the_first(bus, sluice, records):
    sink = {"type": "recorder", "path": records.path}
    both = settings(bus, sink, {"instance_id": "same", "properties": STATIC})
    first, second = sluice(both), sluice(both)
    first.start("--role", "applier")
    wait_applying(first)
    second.start("--role", "applier")
    stopped_with(first, "kafka_consuming")
    wait_applying(second)
    assert second.stop() == FINE


def test_redis_away_beyond_the_buffer(bus, redis, sluice):
    """The lanes are full for longer than the group waits for a record; memory stays flat, and nothing is lost."""
    driver = sluice(settings(bus, to_redis(redis), buffer_bytes="1MiB", stats_interval="200ms"))
    driver.start("--role", "applier")
    wait_applying(driver)
    cache = redis.client()
    redis.stop()
    before = driver.memory()[0]
    bus.write(range(20_000))
    driver.wait_log(msg="figures", queue_bytes=lambda bytes: bytes and int(bytes) > 900_000)
    # Two more lines of figures after a second without progress.
    done = len(driver.find_log(msg="figures"))
    wait_until(lambda: len(driver.find_log(msg="figures")) > done + 8, "time to pass")
    assert driver.memory()[0] - before < 48 << 20
    redis.start()
    cache.mset({f"order:{number}": "planted" for number in range(19_000, 20_000)})
    wait_until(lambda: not cache.exists(*[f"order:{number}" for number in range(19_000, 20_000)]), "keys to vanish")
    bus.wait_committed()
    assert driver.stop() == FINE


def test_broker_restart_is_waited_for(new_kafka, redis, sluice, full):
    """A broker that was killed lets nobody in for 9 s more: its own registration must expire."""
    kafka = new_kafka()
    bus = Bus(kafka, "restart")
    driver = sluice(settings(bus, to_redis(redis))).start("--role", "applier")
    wait_applying(driver)
    kafka.restart(kill=full)
    cache = redis.client()
    cache.mset({f"order:{number}": "planted" for number in range(100)})
    bus.write(range(100))
    wait_until(lambda: not cache.exists(*[f"order:{number}" for number in range(100)]), "keys to vanish")
    bus.wait_committed()
    assert driver.stop() == FINE


def test_from_latest_begins_behind_what_is_there(bus, sluice, records):
    sink = {"type": "recorder", "path": records.path}
    bus.write(range(20))
    old = below(bus, bus.ends())
    driver = sluice(settings(bus, sink, {"from": "latest"})).start("--role", "applier")
    wait_applying(driver)
    assert bus.committed() == bus.ends()
    bus.write(range(20))
    bus.wait_committed()
    assert driver.stop() == FINE
    assert {change for file in records() for change in file} == below(bus, bus.ends()) - old


def test_records_of_no_route_are_passed(bus, sluice, records):
    sink = {"type": "recorder", "path": records.path}
    bus.write(range(8), table="others")
    driver = sluice(settings(bus, sink)).start("--role", "applier")
    bus.wait_committed()
    assert driver.stop() == FINE
    assert not any(records())


@pytest.mark.parametrize("value", [b"not ours", b'{"op":"update"}', None], ids=["text", "json", "tombstone"])
def test_record_that_is_not_ours_stops_and_is_named(bus, sluice, records, value):
    bus.write([0, 4, 8])
    bus.write_raw(value)
    driver = sluice(settings(bus, {"type": "recorder", "path": records.path})).start("--role", "applier")
    line = stopped_with(driver, "kafka_record")
    assert f"topic {bus.topic}, partition 0, offset 3" in line["text"]
    assert bus.committed()[0] == 3 and len(records()[0]) == 3


def head(bus, key, table="shop.orders", **more):
    """The headers of a change; None leaves one out."""
    bus.number += 1
    headers = {
        "op": "update", "table": table, "version": f"00000001.{bus.number:016x}.{0:016x}", "format": "sluice",
        "commit": "1700000000000000", "pos": f"binlog.000001:{bus.number}", "pk": json.dumps({"order_id": key}), **more,
    }
    return [(name, value) for name, value in headers.items() if value is not None]


def write_head(bus, headers, value, key="1"):
    producer = bus.producer()
    producer.produce(bus.topic, value, key, 1, headers=headers)
    assert producer.flush(60) == 0


def bodies_parsed(driver):
    return json.loads(driver.rendered("status", "--json"))["bodies_parsed_total"]


def test_headers_are_enough_where_templates_read_the_primary_key(bus, redis, sluice):
    """Bodies that nobody could parse are not looked at."""
    cache = redis.client()
    cache.mset({f"order:{number}": "planted" for number in range(1, 8)})
    write_head(bus, head(bus, 1), "garbage")
    write_head(bus, head(bus, 2, pk_before=json.dumps({"order_id": 3})), "garbage")
    write_head(bus, head(bus, 4, op="delete"), "garbage")
    write_head(bus, head(bus, 5, table="shop.others"), "garbage")
    write_head(bus, head(bus, 5, half="to", pk_before=json.dumps({"order_id": 6})), "garbage")
    driver = sluice(settings(bus, to_redis(redis))).start("--role", "applier")
    bus.wait_committed()
    assert [cache.exists(f"order:{number}") for number in range(1, 8)] == [0, 0, 0, 0, 0, 1, 1]
    assert bodies_parsed(driver) == 0
    # One without the primary key, and one of which the image before lacks a column.
    write_head(bus, head(bus, 1, pk=None), json.dumps(bus.line(6)))
    write_head(bus, head(bus, 1, pk_before="{}"), json.dumps(bus.line(7)))
    bus.wait_committed()
    assert not cache.exists("order:6", "order:7")
    assert bodies_parsed(driver) == 2
    assert driver.stop() == FINE


def test_bodies_are_parsed_where_a_template_reads_another_column(bus, redis, sluice):
    whole = settings(bus, to_redis(redis))
    whole["routes"][0]["invalidate"] = ["order:{order_id}", "user:{user_id}"]
    write_head(bus, head(bus, 1), json.dumps(bus.line(1)))
    write_head(bus, head(bus, 1), "garbage")
    cache = redis.client()
    cache.mset({"order:1": "planted", "user:1": "planted"})
    driver = sluice(whole).start("--role", "applier")
    assert "partition 1, offset 1: " in stopped_with(driver, "kafka_record")["text"]
    assert not cache.exists("order:1", "user:1")


@pytest.mark.parametrize("more", [{"version": "1.2.3"}, {"pk": '{"order_id": }'}])
def test_headers_that_cannot_be_read_stop(bus, redis, sluice, more):
    write_head(bus, head(bus, 1, **more), json.dumps(bus.line(1)))
    driver = sluice(settings(bus, to_redis(redis))).start("--role", "applier")
    assert f"header {next(iter(more))}: " in stopped_with(driver, "kafka_record")["text"]


def test_offset_that_retention_passed_stops_with_the_gap(bus, sluice, records):
    driver = sluice(settings(bus, {"type": "recorder", "path": records.path})).start("--role", "applier")
    bus.write(range(40))
    bus.wait_committed()
    assert driver.stop() == FINE
    bus.write(range(40))
    delete_before(bus, 2, 15)
    driver.start("--role", "applier")
    line = stopped_with(driver, "kafka_offset")
    assert f"topic {bus.topic}, partition 2" in line["text"] and "at offset 10" in line["text"]
    assert "5 offsets in between are gone" in line["text"]


def test_topic_made_anew_stops(bus, sluice, records):
    driver = sluice(settings(bus, {"type": "recorder", "path": records.path})).start("--role", "applier")
    bus.write(range(40))
    bus.wait_committed()
    assert driver.stop() == FINE
    delete_topic(bus.kafka, bus.topic)
    create_topic(bus.kafka, bus.topic, LANES)
    driver.start("--role", "applier")
    stopped_with(driver, "kafka_offset")


def test_other_number_of_partitions_stops(bus, sluice, records):
    driver = sluice(settings(bus, {"type": "recorder", "path": records.path}, partitions=LANES + 1))
    driver.start("--role", "applier")
    assert "4 partitions, the configuration has 5" in stopped_with(driver, "kafka_partitions")["text"]


def test_partitions_added_while_it_runs_and_before_it_starts_stop(bus, sluice, records):
    """What is in the partitions that were there is applied and committed first."""
    quick = {"properties": [*QUICK, "topic.metadata.refresh.interval.ms=500"]}
    driver = sluice(settings(bus, {"type": "recorder", "path": records.path}, quick)).start("--role", "applier")
    bus.write(range(40))
    bus.wait_committed()
    add_partitions(bus.kafka, bus.topic, LANES + 2)
    assert "6 partitions, the configuration has 4" in stopped_with(driver, "kafka_partitions")["text"]
    driver.start("--role", "applier")
    assert "6 partitions, the configuration has 4" in stopped_with(driver, "kafka_partitions")["text"]
    assert {change for file in records() for change in file} == below(bus, bus.ends())


@pytest.mark.parametrize(
    "more, says",
    [
        ({"topic": "{db}.{table}"}, "template"),
        ({"instance_id": "of host"}, "instance_id"),
        ({"properties": ["isolation.level=read_uncommitted"]}, "isolation.level"),
    ],
    ids=["template", "instance", "property"],
)
def test_settings_that_an_applier_refuses(bus, sluice, records, more, says):
    driver = sluice(settings(bus, {"type": "recorder", "path": records.path}, more))
    driver.start("--role", "applier")
    assert driver.wait_exit() == USAGE
    assert says in driver.tail()


def test_group_whose_offsets_are_gone_stops(bus, sluice, records):
    """As when the brokers let them expire: state_dir knows that the group has run."""
    driver = sluice(settings(bus, {"type": "recorder", "path": records.path})).start("--role", "applier")
    bus.write(range(40))
    bus.wait_committed()
    assert driver.stop() == FINE
    delete_group(bus.kafka, bus.topic)
    driver.start("--role", "applier")
    line = stopped_with(driver, "kafka_offset")
    assert "no offset there any more; the partition has records from 0 up to 10" in line["text"]
    assert bus.committed() == {}


def test_group_whose_offsets_expired_stops(new_kafka, sluice, records, full):
    """The brokers forget a group that has had no member for offsets.retention.minutes."""
    if not full:
        pytest.skip("one minute at least: --full")
    options = {"offsets.retention.minutes": 1, "offsets.retention.check.interval.ms": 1000}
    bus = Bus(new_kafka(options=options), "expired-offsets")
    driver = sluice(settings(bus, {"type": "recorder", "path": records.path})).start("--role", "applier")
    bus.write(range(40))
    bus.wait_committed()
    assert driver.stop() == FINE
    bus.write(range(40))
    wait_until(lambda: bus.committed() == {}, "the group's offsets to expire", 240, every_s=2)
    driver.start("--role", "applier")
    line = stopped_with(driver, "kafka_offset")
    assert "no offset there any more; the partition has records from 0 up to 20" in line["text"]
    assert bus.committed() == {}


def test_lag_against_retention_is_told(kafka, redis, sluice):
    """Records that are 50 minutes old in a topic that keeps them for an hour, while the sink is away."""
    bus, age_ms = Bus(kafka, "lag-against-retention", retention_ms=3_600_000), 3_000_000
    driver = sluice(settings(bus, to_redis(redis)))
    driver.start("--role", "applier")
    wait_applying(driver)
    redis.stop()
    producer, then = bus.producer(), int(time.time() * 1000) - age_ms
    for key in range(40):
        producer.produce(bus.topic, json.dumps(bus.line(key)), str(key), key % LANES, timestamp=then)
    assert producer.flush(60) == 0
    line = driver.wait_log(msg="records may be purged before they are applied")
    assert line["topic"] == bus.topic and int(line["retention_ms"]) == 3_600_000 and "retention.ms" in line["todo"]

    def status():
        return json.loads(driver.run("status", "--json").stdout)

    wait_until(lambda: status()["lag_records"] == 40, lambda: f"40 records behind: {status()}", every_s=0.2)
    found = status()
    assert found["lag_ms"] >= age_ms and 83 <= found["retention_share_percent"] < 90
    assert found["topic"]["name"] == bus.topic and found["topic"]["retention_ms"] == 3_600_000
    assert [part["partition"] for part in found["topic"]["partitions"]] == list(range(LANES))
    assert all((part["committed"], part["end"], part["lag_records"]) == (0, 10, 10)
               for part in found["topic"]["partitions"])
    assert "lag_records 10 " in driver.run("status").stdout
    redis.start()
    bus.wait_committed()
    wait_until(lambda: status()["lag_records"] == 0, lambda: f"no lag: {status()}", every_s=0.2)
    found = status()
    assert found["lag_ms"] == 0 and found["retention_share_percent"] == 0
    assert {part["partition"]: part["committed"] for part in found["topic"]["partitions"]} == bus.ends()
    assert [part["until_purged_records"] for part in found["topic"]["partitions"]] == [10] * LANES
    assert driver.stop() == FINE
