"""What an applier cannot read goes to the dead letter topic, byte for byte, and the others are applied."""

import json
import random

import pytest

from kafka_topics import committed, create_topic, read_topic
from sluice import FINE, USAGE, stopped_with, wait_until
from test_kafka_applier import LANES, assert_rising, below, bus, records, settings  # noqa: F401 (fixtures)
from test_kafka_inputs import ROW, apply_all, recorded, write  # noqa: F401 (a fixture)
from test_kafka_inputs import settings as foreign_settings

HEADERS = [("op", "update"), ("table", "shop.orders"), ("op", "twice")]
ROUNDS = 10


def dead_topic(bus):  # noqa: F811
    return f"{bus.topic}.dead"


def with_letters(bus, path, more=(), **options):  # noqa: F811
    of_bus = {"dead_letter_topic": dead_topic(bus), "create_topics": True, **dict(more)}
    return settings(bus, {"type": "recorder", "path": path}, of_bus, **options)


def bad_value(bus, number):  # noqa: F811
    """Garbage, a line that was cut, none at all, one that is nested too deep, and no change of a row."""
    line = json.dumps(bus.line(number)).encode()
    return [b"\x00\xffgarbage", line[: len(line) // 2], None, b"[" * 5000, b'{"op":"update"}'][number % 5]


def write_mixed(bus, rounds=ROUNDS):  # noqa: F811
    """In each partition good records and bad ones by turns: {(partition, offset): (key, value)} of the bad."""
    producer, sent = bus.producer(), {}

    def report(error, message):
        assert error is None
        sent[message.partition(), message.offset()] = message.key(), message.value()

    for number in range(rounds * LANES):
        lane = number % LANES
        producer.produce(bus.topic, json.dumps(bus.line(number)), str(number), lane)
        key = None if number // LANES % 2 else b"bad"
        producer.produce(bus.topic, bad_value(bus, number), key, lane, headers=HEADERS, on_delivery=report)
    assert producer.flush(60) == 0
    assert len(sent) == rounds * LANES
    return sent


def letters(bus):  # noqa: F811
    """[((partition, offset) of the origin, letter), …]"""
    found = read_topic(bus.kafka, dead_topic(bus))
    return [((int(one.headers["dead.partition"]), int(one.headers["dead.offset"])), one) for one in found]


def check_letters(bus, bad):  # noqa: F811
    """Each bad record is there, as it was and with why; how many there are."""
    found = letters(bus)
    assert {origin for origin, _ in found} == set(bad)
    for origin, letter in found:
        assert (letter.key, letter.value) == bad[origin]
        assert letter.partition == origin[0]
        headers = letter.headers
        assert headers.pop("dead.text")
        assert headers == {
            "op": "twice", "table": "shop.orders", "dead.reason": "kafka_record", "dead.topic": bus.topic,
            "dead.partition": str(origin[0]), "dead.offset": str(origin[1]),
        }
    return len(found)


def good_versions(bus):  # noqa: F811
    found = set()
    for record in read_topic(bus.kafka, bus.topic):
        if "op" not in record.headers:
            found.add((record.key.decode(), json.loads(record.value)["version"]))
    return found


def test_bad_records_between_good_ones_are_dead_letters_once(bus, sluice, records):  # noqa: F811
    bad = write_mixed(bus)
    driver = sluice(with_letters(bus, records.path, checkpoint_ms=20)).start("--role", "applier")
    bus.wait_committed()
    assert check_letters(bus, bad) == len(bad)
    assert {change for file in records() for change in file} == good_versions(bus)
    assert json.loads(driver.rendered("status", "--json"))["dead_letters_total"] == len(bad)
    told = driver.find_log(msg="a record that cannot be read went to the dead letters")
    assert sorted(line["partition"] for line in told) == [str(lane) for lane in range(LANES)]
    # One that was cut is made whole by hand, and produced where it came from.
    origin, letter = next((origin, one) for origin, one in letters(bus) if one.value and one.value.startswith(b'{"op": "update", '))
    mended = bus.line(7)
    producer = bus.producer()
    producer.produce(bus.topic, json.dumps(mended), letter.key, origin[0])
    assert producer.flush(60) == 0
    bus.wait_committed()
    assert ("7", mended["version"]) in {change for file in records() for change in file}
    assert check_letters(bus, bad) == len(bad)
    assert driver.stop() == FINE


def test_killed_applier_leaves_no_bad_record_out(bus, sluice, records, full):  # noqa: F811
    bad, driver = {}, sluice(with_letters(bus, records.path, checkpoint_ms=50))
    for number in range(1, 11 if full else 3):
        bad.update(write_mixed(bus, 40))
        driver.start("--role", "applier")
        wait_until(lambda: driver.find_log(msg="partitions came") and len(letters(bus)) > (number - 1) * 160,
                   driver.tail, every_s=0.01)
        driver.kill()
    driver.start("--role", "applier")
    bus.wait_committed()
    assert driver.stop() == FINE
    assert check_letters(bus, bad) >= len(bad)
    assert {change for file in records() for change in file} == good_versions(bus)
    for file in records():
        assert_rising(file)


def test_letter_that_is_too_large_stops(bus, sluice, records):  # noqa: F811
    create_topic(bus.kafka, dead_topic(bus), 1, max_message_bytes=1000)
    bus.write([0])
    bus.write_raw(random.Random(1).randbytes(3000))  # which no compression makes smaller
    driver = sluice(with_letters(bus, records.path)).start("--role", "applier")
    line = stopped_with(driver, "kafka_too_large")
    assert f"topic {bus.topic}, partition 0, offset 1: " in line["text"] and dead_topic(bus) in line["text"]
    assert bus.committed()[0] == 1


def test_changes_that_a_sink_refuses_for_good_are_dead_letters(bus, sluice, records):  # noqa: F811
    """Each change is applied or a letter, which is the record again; those put off meanwhile are in order."""
    whole = with_letters(bus, records.path, checkpoint_ms=20)
    whole["sinks"]["target"].update(poison_every=7, fail_every=11, workers=2)
    bus.write([number % 40 for number in range(400)])
    driver = sluice(whole).start("--role", "applier")
    bus.wait_committed()
    written = {(record.partition, record.offset): record for record in read_topic(bus.kafka, bus.topic)}
    found, dead = letters(bus), set()
    assert json.loads(driver.rendered("status", "--json"))["dead_letters_total"] == len(found) > 20
    for origin, letter in found:
        record, headers = written[origin], letter.headers
        line = json.loads(record.value)
        dead.add((line["key"], line["version"]))
        assert letter.key == record.key and json.loads(letter.value) == line
        assert headers["dead.reason"] == "sink_poison" and headers["dead.sink"] == "target"
        assert headers["dead.topic"] == bus.topic and headers["op"] == "update" and headers["table"] == "shop.orders"
        assert headers["version"] == line["version"] and json.loads(headers["pk"]) == line["pk"]
    applied = {change for file in records() for change in file}
    assert len(dead) == len(found) and not dead & applied and dead | applied == below(bus, bus.ends())
    for file in records():
        assert_rising(file)
    assert driver.stop() == FINE
    assert driver.find_log(msg="a change that a sink refuses for good went to the dead letters")


@pytest.mark.parametrize("policy", ["compact", "compact,delete", None])
def test_topic_that_does_not_keep_letters_is_refused(bus, sluice, records, policy):  # noqa: F811
    if policy:
        create_topic(bus.kafka, dead_topic(bus), 1, cleanup_policy=policy)
    driver = sluice(with_letters(bus, records.path, {"create_topics": False})).start("--role", "applier")
    line = stopped_with(driver, "kafka_kept_topic" if policy else "kafka_topic_missing")
    assert dead_topic(bus) in line["text"] and not any(bus.committed().values())


def test_topic_of_the_bus_is_no_place_for_letters(bus, sluice, records):  # noqa: F811
    driver = sluice(with_letters(bus, records.path, {"dead_letter_topic": bus.topic})).start("--role", "applier")
    assert driver.wait_exit() == USAGE
    assert "a topic of their own" in driver.tail()


FOREIGN = {
    "canal": ["not json", '{"database":"shop","table":"t","type":"INSERT","data":[{"id":"1"}]}'],
    "maxwell": ["not json", '{"type":"update","database":"shop","table":"t","ts":1,"data":{"id":1}}'],
    "debezium": ['{"id":1}', '{"op":"u","before":null,"after":{"id":1},"source":{"db":"shop","table":"t"}}'],
}
NOT_OF_ONE_RECORD = {
    "canal": ('{"data":null,"database":"shop","table":"t","isDdl":false,"type":"DELETE","sql":"delete from t"}', "kafka_record"),
    "maxwell": ('{"type":"table-drop","database":"shop","table":"t","ts":1,"sql":"drop table t"}', "truncate_stop"),
    "debezium": ('{"op":"c","after":{"other":1},"source":{"db":"shop","table":"t"}}', "kafka_record"),
}


@pytest.mark.parametrize("peer", FOREIGN)
def test_records_of_peers(kafka, sluice, recorded, peer):  # noqa: F811
    """What is wrong with one record is a dead letter; what is a matter of others too, or of a setting, stops."""
    topic, dead = f"dead-{peer}", f"dead-{peer}.dead"
    value, error = NOT_OF_ONE_RECORD[peer]
    write(kafka, topic, [(b"k", text, 1) for text in [ROW[peer], *FOREIGN[peer], ROW[peer], value, ROW[peer]]])
    path, read = recorded()
    driver = sluice(
        foreign_settings(
            kafka, topic, peer, {"type": "recorder", "path": path}, table="shop.t", dead_letter_topic=dead,
            create_topics=True,
        )
    )
    line = stopped_with(driver.start("--role", "applier"), error)
    assert f"topic {topic}, partition 1, offset 4" in line["text"]
    assert committed(kafka, topic, topic)[1] == 4
    found = read_topic(kafka, dead)
    assert [letter.value.decode() for letter in found] == FOREIGN[peer]
    assert [letter.headers["dead.offset"] for letter in found] == ["1", "2"]
    assert sum(read().values()) == (4 if peer == "canal" else 2)
