"""A reader whose state topic is lost: sluice position recover finds where to go on from the records themselves."""

import json

import pytest
from confluent_kafka import Producer

from folding import Fold, assert_valid
from kafka_topics import create_topic, delete_topic, read_topic, topics
from sluice import FINE, STOPPED, USAGE, at, wait_until
from tables import Table
from test_kafka_sink import PARTITIONS, TABLES, Load, begin, place_of  # noqa: F401 (a fixture)
from test_kafka_state import forget_all, reader_config, start_reader

# A set of GTIDs says most there.
pytestmark = pytest.mark.ci_flavors("mysql")


def lose_state(driver, kafka, topic, marks):
    forget_all(driver)
    lost = [f"{topic}.state", f"{topic}.state.marks"] if marks else [f"{topic}.state"]
    for name in set(lost) & set(topics(kafka)):
        delete_topic(kafka, name)


def lines_of(kafka, topic):
    return [json.loads(record.value) for record in read_topic(kafka, topic)]


def check_nothing_lost(driver, db, kafka, topic, start):
    """All changes of the log are there, versions rise per key but for repeats, and the newest fold to the tables."""
    log = {place_of(line) for line in driver.dump("--from", start, "--to", at(db.position()), config=True)}
    newest, newest_of_key, lines = {}, {}, []

    def complete():
        lines[:] = lines_of(kafka, topic)
        return log <= {place_of(line) for line in lines}

    wait_until(complete, lambda: f"{len(lines)} records of {len(log)} changes: {driver.tail()}", 120, 0.3)
    for line in lines:
        again = newest.get(place_of(line))
        assert again is not None or line["version"] > newest_of_key.get(line["key"], ""), line
        newest[place_of(line)] = line
        newest_of_key[line["key"]] = max(line["version"], newest_of_key.get(line["key"], ""))
    in_order = sorted(newest.values(), key=place_of)
    assert_valid(in_order)
    Fold([Table(db, name) for name in TABLES]).apply_all(in_order).assert_equals_select()
    return lines


@pytest.mark.parametrize("delivery, marks", [("exactly_once", True), ("exactly_once", False), ("at_least_once", True)])
def test_reader_without_its_state_goes_on_where_the_topic_ends(  # pylint: disable=too-many-positional-arguments
    db, kafka, sluice, rng, flavor, begin, delivery, marks  # noqa: F811
):
    topic = f"recovered-{flavor}-{delivery}-{marks}".replace("_", "-")
    driver = sluice(reader_config(db, kafka, topic, "current", delivery=delivery))
    create_topic(kafka, topic, PARTITIONS)
    start_reader(driver)
    driver.wait_log(msg="reading")
    load = Load(db, rng, 200)

    def is_everywhere():
        return {record.partition for record in read_topic(kafka, topic)} == set(range(PARTITIONS))

    wait_until(is_everywhere, driver.tail, every_s=0.1)
    driver.kill()
    lose_state(driver, kafka, topic, marks)
    written = {place_of(line) for line in lines_of(kafka, topic)} if delivery == "at_least_once" else set()
    load.finish()
    done = driver.run("position", "recover")
    assert done.returncode == FINE, done.stderr
    name, place, gtids = done.stdout.rstrip("\n").split("\t")
    assert name == "bus"
    assert flavor != "mysql" or gtids
    if written:
        file, pos = place.rsplit(":", 1)
        assert (file, int(pos)) <= max(written)[:2], "behind what the topic has"
    assert driver.run("position", "show").stdout == done.stdout
    start_reader(driver)
    lines = check_nothing_lost(driver, db, kafka, topic, begin)
    assert driver.stop() == FINE
    assert len({line["version"].split(".")[0] for line in lines}) == 2


def test_partition_without_records_is_passed_over_only_when_told(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"recover-empty-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(reader_config(db, kafka, topic, begin))
    start_reader(driver)
    db.script(["INSERT INTO orders (order_id, user_id) VALUES (1, 1)"], "shop")
    wait_until(lambda: read_topic(kafka, topic), driver.tail, every_s=0.2)
    assert driver.stop() == FINE
    stored = driver.run("position", "recover", "--skip-empty")
    assert stored.returncode == USAGE and "a position is stored" in stored.stderr, stored.stderr
    lose_state(driver, kafka, topic, True)
    refused = driver.run("position", "recover")
    assert refused.returncode == STOPPED and "has no record" in refused.stderr, refused.stderr
    done = driver.run("position", "recover", "--skip-empty")
    assert done.returncode == FINE and f"{PARTITIONS - 1} partitions" in done.stderr, done.stderr
    start_reader(driver)
    wait_until(lambda: len(read_topic(kafka, topic)) == 2, driver.tail, every_s=0.2)
    first, again = lines_of(kafka, topic)
    assert place_of(first) == place_of(again) and first["version"] < again["version"]
    assert driver.stop() == FINE


def test_record_of_something_else_is_named(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"recover-foreign-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    producer = Producer({"bootstrap.servers": kafka.brokers()})
    producer.produce(topic, b"what", partition=0)
    assert producer.flush(30) == 0
    done = sluice(reader_config(db, kafka, topic, begin)).run("position", "recover")
    assert done.returncode == STOPPED, done.stderr
    assert topic in done.stderr and "partition 0, offset 0" in done.stderr, done.stderr


def produce(kafka, topic, records):
    """(partition, epoch, line of a dump, other headers): records as a reader would have written them."""
    producer = Producer({"bootstrap.servers": kafka.brokers()})
    for partition, epoch, line, other in records:
        headers = {
            "pos": f"{line['file']}:{line['pos']}",
            "version": f"{epoch:08x}.{line['version'].split('.', 1)[1]}",
            **({"gtid": line["gtid"]} if "gtid" in line else {}),
            **other,
        }
        producer.produce(topic, json.dumps(line).encode(), partition=partition, headers=headers)
    assert producer.flush(30) == 0


def dumped_orders(driver, db, begin, count):  # noqa: F811
    """One transaction each; their lines."""
    for number in range(count):
        db.script([f"INSERT INTO orders (order_id, user_id) VALUES ({number + 1}, 1)"], "shop")
    return driver.dump("--from", begin, "--to", at(db.position()), config=True)


def test_oldest_of_the_newest_records_is_the_place(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"recover-oldest-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(reader_config(db, kafka, topic, begin))
    lines = dumped_orders(driver, db, begin, 4)
    far = 0xF0000000
    produce(kafka, topic, [(0, 7, lines[0], {}), (0, 7, lines[3], {}), (1, 7, lines[1], {}), (2, far, lines[2], {})])
    done = driver.run("position", "recover", "--skip-empty")
    assert done.returncode == FINE, done.stderr
    file, pos = done.stdout.split("\t")[1].rsplit(":", 1)
    assert file == lines[1]["file"] and lines[0]["pos"] < int(pos) < lines[1]["pos"], done.stdout
    start_reader(driver)
    wait_until(lambda: len(read_topic(kafka, topic)) == 7, driver.tail, every_s=0.2)
    again = [line for line in lines_of(kafka, topic) if line["version"] > f"{far:08x}"]
    assert {place_of(line)[:2] for line in again} == {(line["file"], line["pos"]) for line in lines[1:]}
    assert driver.stop() == FINE


def test_place_with_another_transaction_is_refused(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"recover-other-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(reader_config(db, kafka, topic, begin))
    first, second = dumped_orders(driver, db, begin, 2)
    produce(kafka, topic, [(0, 7, second, {"gtid": first["gtid"]})])
    done = driver.run("position", "recover", "--skip-empty")
    assert done.returncode == STOPPED and second["gtid"] in done.stderr, done.stderr


def test_place_behind_the_log_is_refused(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"recover-behind-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(reader_config(db, kafka, topic, begin))
    (line,) = dumped_orders(driver, db, begin, 1)
    produce(kafka, topic, [(0, 7, line, {"pos": f"{line['file']}:{line['pos'] + 100000000}"})])
    done = driver.run("position", "recover", "--skip-empty")
    assert done.returncode == STOPPED and "ends before" in done.stderr, done.stderr


def test_number_of_the_reader_goes_on_behind_those_of_the_records(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"recover-number-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(reader_config(db, kafka, topic, begin, delivery="at_least_once"))
    first, second = dumped_orders(driver, db, begin, 2)
    produce(kafka, topic, [(0, 7, first, {"reader": "5000000"}), (1, 7, second, {"reader": "12"})])
    done = driver.run("position", "recover", "--skip-empty")
    assert done.returncode == FINE, done.stderr
    start_reader(driver)
    wait_until(lambda: len(read_topic(kafka, topic)) == 4, driver.tail, every_s=0.2)
    numbers = sorted(int(record.headers["reader"]) for record in read_topic(kafka, topic))
    assert numbers[1] == 5000000 < numbers[2] == numbers[3], "appliers would drop what this reader writes"
    assert driver.stop() == FINE
