"""Topics that Canal, Maxwell or Debezium wrote, or sluice in their formats, applied as those of a reader of sluice."""

import base64
import glob
import json
import os
import random
from collections import Counter

import pytest
from confluent_kafka import Producer

import randomrows
from conftest import SEED
from kafka_topics import committed, create_topic, read_topic
from peers.case import read_cases
from sluice import FINE, USAGE, at, source_of, stopped_with, wait_until

LANES = 3
PEERS = ("canal", "maxwell", "debezium")
QUICK = ["session.timeout.ms=6000", "heartbeat.interval.ms=500"]
# What the peers' formats need to say all that our own says of the columns in TEMPLATES.
OPTIONS = {
    "sluice": {},
    "canal": {"format_options": ["convert_text=true"], "record_key": "peer"},
    "maxwell": {"record_key": "peer"},
    "debezium": {
        "format_options": ["decimal.handling.mode=string", "tombstones.on.delete=false"], "record_key": "peer",
    },
}
MARKER = 10**9
# Columns whose text is the same in all formats.
TEMPLATES = [
    "row:{id}", "group:{grp}", "tiny:{c_tiny|default:none}", "uint:{c_uint|default:none}", "big:{c_big|default:none}",
    "dec:{c_dec|default:none}", "char:{c_char|default:none}", "text:{c_vc|default:none}", "latin:{c_latin|default:none}",
]


def bus_of(kafka, topic, format, **more):
    return {
        "type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic, "format": format, "properties": QUICK,
        **more,
    }


def settings(kafka, topic, format, sink, table="shop.types", start=None, db=None, route=(), **bus):
    return {
        "source": source_of(db, start=start) if db else {"user": "nobody"},
        "partitions": LANES,
        "bus": bus_of(kafka, topic, format, **bus),
        "sinks": {"target": sink},
        "routes": [{"table": table, "key": "id", "to": "target", **dict(route)}],
    }


def to_redis(redis):
    return {"type": "redis", "url": redis.url()}


@pytest.fixture
def recorded(workspace):
    """Makes a path for a recorder, and what it wrote: Counter of (op, half, table, key)."""
    number, folder = 0, workspace.directory("records")

    def make():
        nonlocal number
        number += 1
        path = os.path.join(folder, str(number))

        def read():
            lines = [
                json.loads(line) for name in glob.glob(path + ".*") for line in open(name, encoding="utf-8").read().split("\n")[:-1]
            ]
            return Counter((line["op"], line.get("half"), line["table"], line["key"]) for line in lines)

        return path, read

    return make


def ends(kafka, topic):
    found = dict.fromkeys(range(LANES), 0)
    for record in read_topic(kafka, topic):
        found[record.partition] = max(found[record.partition], record.offset + 1)
    return found


def apply_all(driver, kafka, topic):
    """Everything that is in the topic."""
    driver.start("--role", "applier")
    wanted = ends(kafka, topic)

    def done():
        now = committed(kafka, topic, topic)
        return all(now.get(part, -1) >= end for part, end in wanted.items())

    wait_until(done, lambda: f"{wanted}, now {committed(kafka, topic, topic)}: {driver.tail()}", every_s=0.2)
    assert driver.stop() == FINE


def write(kafka, topic, records):
    """(key, value, partition) each; None is none."""
    create_topic(kafka, topic, LANES)
    producer = Producer({"bootstrap.servers": kafka.brokers(), "enable.idempotence": True})
    for key, value, partition in records:
        producer.produce(topic, value, key, partition)
        producer.poll(0)
    assert producer.flush(60) == 0


def text_of(value):
    """A column's text from the JSON of our own format."""
    if value is None:
        return "none"
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else str(value)


def keys_of(line):
    """The keys that a line of our own makes stale."""
    for image in (line.get("before"), line.get("after")):
        for template in TEMPLATES if image else ():
            name, column = template.split(":", 1)
            yield f"{name}:{text_of(image[column.strip('{}').split('|')[0]])}"


@pytest.fixture(scope="module")
def own(shared_db, kafka, sluice_of_module, full, flavor):
    """A topic of our own format with random changes: (begin in the log, its lines)."""
    topic = f"inputs-own-{flavor}"
    create_topic(kafka, topic, LANES)
    shared_db.sql("DROP DATABASE IF EXISTS shop")
    shared_db.sql("CREATE DATABASE shop CHARACTER SET utf8mb4")
    shared_db.sql(randomrows.CREATE)
    begin = shared_db.position()
    with shared_db.connect("shop") as con:
        randomrows.Changes(con, random.Random(f"{SEED} inputs")).run(2000 if full else 200)
    shared_db.sql(f"INSERT INTO shop.types (id) VALUES ({MARKER})")
    publish(sluice_of_module, shared_db, kafka, topic, "sluice", begin)
    return begin, [json.loads(record.value) for record in read_topic(kafka, topic)]


@pytest.fixture(scope="module")
def sluice_of_module(workspace):
    from sluice import Sluice

    made = []

    def make(config):
        made.append(Sluice(workspace.directory("sluice"), config))
        return made[-1]

    yield make
    for driver in made:
        driver.kill()


def publish(sluice, db, kafka, topic, format, begin):
    """A reader from there to the marker."""
    config = settings(kafka, topic, format, {"type": "counter"}, db=db, start=at(begin), **OPTIONS[format])
    driver = sluice(config).start("--role", "reader")
    wait_until(
        lambda: any(str(MARKER).encode() in (record.value or b"") for record in read_topic(kafka, topic)),
        driver.tail, every_s=0.3,
    )
    assert driver.stop() == FINE


def as_debezium(changes):
    """A moved primary key is a delete and an insert."""
    halves = {"from": "delete", "to": "insert"}
    return sum((Counter({(halves.get(half, op), None, table, key): n}) for (op, half, table, key), n in changes.items()),
               Counter())


@pytest.mark.parametrize("peer", PEERS)
def test_our_own_writer_of_the_format_is_read_back(own, shared_db, kafka, redis, sluice, recorded, flavor, peer):
    """The same rows at the sinks and the same stale keys as with our own format."""
    begin, lines = own
    topic = f"inputs-{peer}-{flavor}"
    create_topic(kafka, topic, LANES)
    publish(sluice, shared_db, kafka, topic, peer, begin)
    path, read = recorded()
    driver = sluice(settings(kafka, topic, peer, {"type": "recorder", "path": path}))
    apply_all(driver, kafka, topic)
    wanted = Counter((line["op"], line.get("half"), line["table"], line["key"]) for line in lines)
    assert read() == (as_debezium(wanted) if peer == "debezium" else wanted)
    stale = {key for line in lines for key in keys_of(line)}
    cache = redis.client()
    cache.mset({key: "planted" for key in stale} | {f"row:{10**10 + number}": "stays" for number in range(50)})
    path, read = recorded()
    config = settings(kafka, topic, peer, to_redis(redis), route={"invalidate": TEMPLATES}, group=topic + "-redis")
    driver = sluice(config).start("--role", "applier")
    left = lambda: [key for key in stale if cache.exists(key)]
    wait_until(lambda: not left(), lambda: f"{left()[:5]}: {driver.tail()}", every_s=0.2)
    assert driver.stop() == FINE
    assert cache.dbsize() == 50


def golden(peer):
    """(key, value, expected changes) of the lines that the peer wrote about rows with an integer key `id`."""
    for case in read_cases(peer):
        keys = [line.split("\t")[1].encode() for line in case.keys] if case.keys else None
        for number, line in enumerate(case.expected):
            text = line.split("\t")[-1]
            if not text.startswith("{"):
                continue
            changes = list(changes_of(peer, json.loads(text.replace('"*"', "1"))))
            if changes:
                key = b'{"id":1}' if peer == "debezium" else b'{"database":"shop","table":"t","pk.id":1}'
                yield case.name, keys[number] if keys and len(keys) == len(case.expected) else key, text.replace('"*"', "1"), changes


def changes_of(peer, message):
    if peer == "canal" and message["data"] and message["pkNames"] == ["id"]:
        for number, row in enumerate(message["data"]):
            old = (message["old"] or [{}] * len(message["data"]))[number]
            if message["type"] == "UPDATE" and not old or not row["id"].lstrip("-").isdigit():
                return
            yield from moved(message["type"].lower(), message["table"], old.get("id", row["id"]), row["id"])
    if peer == "maxwell" and message.get("type") in ("insert", "update", "delete"):
        row, old = message["data"], message.get("old", {})
        if isinstance(row.get("id"), int) and (old or message["type"] != "update"):
            yield from moved(message["type"], message["table"], old.get("id", row["id"]), row["id"])
    if peer == "debezium" and message.get("op") in ("c", "u", "d"):
        before, after = message["before"] or message["after"], message["after"] or message["before"]
        if type(before.get("id")) is int and type(after.get("id")) is int:
            op = {"c": "insert", "u": "update", "d": "delete"}[message["op"]]
            yield from moved(op, message["source"]["table"], before["id"], after["id"])


def moved(op, table, before, after):
    if op == "update" and str(before) != str(after):
        yield op, "from", table, str(before)
        yield op, "to", table, str(after)
    else:
        yield op, None, table, str(after)


@pytest.mark.parametrize("peer", PEERS)
def test_messages_of_the_running_peer_are_applied(kafka, redis, sluice, recorded, peer):
    topic = f"inputs-golden-{peer}"
    messages = list(golden(peer))
    assert len(messages) > 100
    write(kafka, topic, [(key, value, number % LANES) for number, (_, key, value, _) in enumerate(messages)])
    path, read = recorded()
    config = settings(kafka, topic, peer, {"type": "recorder", "path": path}, table="*.*")
    apply_all(sluice(config), kafka, topic)
    wanted = Counter(change for *_, changes in messages for change in changes)
    assert read() == wanted
    cache = redis.client()
    stale = {f"row:{key}" for _, _, _, key in wanted}
    cache.mset({key: "planted" for key in stale | {"row:none", "row:x"}})
    config = settings(
        kafka, topic, peer, to_redis(redis), table="*.*", route={"invalidate": ["row:{id}"]}, group=topic + "-redis"
    )
    driver = sluice(config).start("--role", "applier")
    wait_until(lambda: cache.dbsize() == 2, lambda: f"{cache.keys()}: {driver.tail()}", every_s=0.2)
    assert driver.stop() == FINE


STOPS = {
    "canal": [
        ('{"data":null,"database":"shop","table":"t","isDdl":true,"type":"TRUNCATE","sql":"truncate t"}', "truncate_stop"),
        ('{"data":null,"database":"shop","table":"t","isDdl":true,"type":"ERASE","sql":"drop table t"}', "truncate_stop"),
        ('{"data":null,"database":"shop","table":"t","isDdl":false,"type":"DELETE","sql":"delete from t"}', "kafka_record"),
        ('{"database":"shop","table":"t","type":"INSERT","data":[{"id":"1"}]}', "kafka_record"),
    ],
    "maxwell": [
        ('{"type":"table-drop","database":"shop","table":"t","ts":1,"sql":"drop table t"}', "truncate_stop"),
        ('{"type":"database-drop","database":"shop","ts":1,"sql":"drop database shop"}', "truncate_stop"),
        ('{"type":"update","database":"shop","table":"t","ts":1,"data":{"id":1}}', "kafka_record"),
        ("not json", "kafka_record"),
    ],
    "debezium": [
        ('{"before":null,"after":null,"op":"t","source":{"db":"shop","table":"t"}}', "truncate_stop"),
        ('{"databaseName":"shop","ddl":"drop table t"}', "truncate_stop"),
        ('{"op":"u","before":null,"after":{"id":1},"source":{"db":"shop","table":"t"}}', "kafka_record"),
        ('{"id":1}', "kafka_record"),
    ],
}
PASSED = {
    "canal": ['{"data":null,"database":"shop","table":"t","isDdl":true,"type":"ALTER","sql":"alter table t add a int"}'],
    "maxwell": ['{"type":"bootstrap-start","database":"shop","table":"t","ts":1,"data":{}}'],
    "debezium": ['{"ts_ms":1}', '{"status":"END","id":"1","event_count":1,"data_collections":[],"ts_ms":1}', "null", None],
}
ROW = {
    "canal": '{"database":"shop","table":"t","type":"INSERT","mysqlType":{"id":"int"},"data":[{"id":"1"},{"id":"2"}]}',
    "maxwell": '{"type":"insert","database":"shop","table":"t","ts":1,"data":{"id":1}}',
    "debezium": '{"op":"c","after":{"id":1},"source":{"db":"shop","table":"t"}}',
}


@pytest.mark.parametrize("peer, number", [(peer, number) for peer in PEERS for number in range(4)])
def test_what_is_not_known_stops_and_is_named(kafka, sluice, recorded, peer, number):
    topic = f"inputs-stop-{peer}-{number}"
    value, error = STOPS[peer][number]
    passed = PASSED[peer]
    write(kafka, topic, [(None, text, 1) for text in [*passed, ROW[peer], value, ROW[peer]]])
    path, read = recorded()
    driver = sluice(settings(kafka, topic, peer, {"type": "recorder", "path": path}, table="shop.t"))
    line = stopped_with(driver.start("--role", "applier"), error)
    assert f"topic {topic}, partition 1, offset {len(passed) + 1}" in line["text"]
    assert sum(read().values()) == (2 if peer == "canal" else 1)
    assert committed(kafka, topic, topic)[1] == len(passed) + 1
    if error == "truncate_stop":
        ignoring = settings(
            kafka, topic, peer, {"type": "recorder", "path": path}, table="shop.t", route={"on_truncate": "ignore"}
        )
        driver.configure(ignoring)
        apply_all(driver, kafka, topic)
        assert sum(read().values()) == (4 if peer == "canal" else 2)


def test_versions_are_epoch_offset_and_row(kafka, sluice, workspace):
    write(kafka, "inputs-versions", [(None, ROW["canal"], 2), (None, ROW["canal"], 2)])
    path = os.path.join(workspace.directory("records"), "versions")
    driver = sluice(
        settings(kafka, "inputs-versions", "canal", {"type": "recorder", "path": path}, table="shop.t", epoch=7)
    )
    apply_all(driver, kafka, "inputs-versions")
    lines = [json.loads(line) for name in glob.glob(path + ".*") for line in open(name, encoding="utf-8")]
    assert sorted(line["version"] for line in lines) == [
        f"00000007.{offset:016x}.{row << 4:016x}" for offset in range(2) for row in range(2)
    ]


def test_sweep_is_refused(kafka, sluice, redis):
    config = settings(
        kafka, "inputs-sweep", "canal", to_redis(redis), table="shop.t",
        route={"invalidate": ["row:{id}"], "on_truncate": "sweep"},
    )
    driver = sluice(config).start("--role", "applier")
    assert driver.wait_exit() == USAGE
    assert "on_truncate" in driver.tail()
