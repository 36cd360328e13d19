"""A reader's state in Kafka: another machine goes on with nothing but the topics, and who was there before is fenced."""

import json
import shutil

import pytest
from confluent_kafka import Producer

from folding import Fold, assert_valid
from kafka_topics import create_topic, read_topic, topics
from sluice import FINE, at, source_of, stopped_with, wait_until
from tables import Table
from test_kafka_sink import PARTITIONS, TABLES, Load, begin, place_of, size_of  # noqa: F401 (a fixture)

# What is tested here does not depend on the server.
pytestmark = pytest.mark.ci_flavors("mariadb")


def reader_config(db, kafka, topic, start, **bus):
    return {
        "source": source_of(db, start=start),
        "partitions": PARTITIONS,
        "checkpoint_ms": 50,
        "bus": {
            "type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic, "create_topics": True,
            "session_ms": "1s", **bus,
        },
        "sinks": {"nowhere": {"type": "counter"}},
        "routes": [{"table": f"shop.{name}", "key": "order_id", "to": "nowhere"} for name in TABLES],
    }


def start_reader(driver):
    return driver.start("--role", "reader")


def forget_all(driver):
    """What a new machine has."""
    shutil.rmtree(driver.state_dir)


def check_log(driver, db, kafka, topic, start):
    """All changes of the log are in the topic, each version once, rising per key, and they fold to the tables."""
    log = {place_of(line) for line in driver.dump("--from", start, "--to", at(db.position()), config=True)}
    lines = []

    def complete():
        lines[:] = [json.loads(record.value) for record in read_topic(kafka, topic)]
        return log <= {place_of(line) for line in lines}

    wait_until(complete, lambda: f"{len(lines)} records of {len(log)} changes: {driver.tail()}", 120, 0.3)
    newest = {}
    for line in lines:
        assert line["version"] > newest.get(line["key"], ""), line
        newest[line["key"]] = line["version"]
    assert len(lines) == len(log)
    in_order = sorted(lines, key=place_of)
    assert_valid(in_order)
    Fold([Table(db, name) for name in TABLES]).apply_all(in_order).assert_equals_select()


def test_another_machine_goes_on_with_the_topics_alone(db, kafka, sluice, rng, flavor, full, begin):  # noqa: F811
    topic = f"moves-{flavor}"
    driver = sluice(reader_config(db, kafka, topic, begin))
    start_reader(driver)
    load = Load(db, rng, 60)
    for number in range(10 if full else 3):
        before = size_of(kafka, topic) if topic in topics(kafka) else 0
        load.wait((number + 1) * 10)
        wait_until(lambda: topic in topics(kafka) and size_of(kafka, topic) > before, "records", every_s=0.05)
        driver.kill()
        forget_all(driver)
        start_reader(driver)
    load.finish()
    check_log(driver, db, kafka, topic, begin)
    assert driver.stop() == FINE
    epochs = {json.loads(record.value)["version"].split(".")[0] for record in read_topic(kafka, topic)}
    assert len(epochs) == 1, f"the epochs were begun anew: {epochs}"


def test_position_is_shown_set_and_reset_in_the_topic(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"position-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    driver, other = (sluice(reader_config(db, kafka, topic, begin)) for _ in range(2))
    start_reader(driver)
    db.script(["INSERT INTO orders (order_id, user_id) VALUES (1, 1), (2, 2)"], "shop")
    wait_until(lambda: len(read_topic(kafka, topic)) == 2, driver.tail, every_s=0.2)
    assert driver.stop() == FINE
    shown = other.run("position", "show")
    assert shown.returncode == FINE and db.position()[0] in shown.stdout, shown
    done = other.run("position", "set", begin)
    assert done.returncode == FINE, done.stderr
    start_reader(driver)
    wait_until(lambda: len(read_topic(kafka, topic)) == 4, driver.tail, every_s=0.2)
    assert driver.stop() == FINE
    assert other.run("position", "reset").returncode == FINE
    start_reader(driver)
    wait_until(lambda: len(read_topic(kafka, topic)) == 6, driver.tail, every_s=0.2)
    assert driver.stop() == FINE


def test_foreign_record_in_the_state_topic_stops_with_its_place(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"damaged-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(reader_config(db, kafka, topic, begin))
    start_reader(driver)
    driver.wait_log(msg="reading")
    assert driver.stop() == FINE
    producer = Producer({"bootstrap.servers": kafka.brokers()})
    producer.produce(f"{topic}.state", b"what", b"record/checkpoint/0")
    assert producer.flush(30) == 0
    start_reader(driver)
    line = stopped_with(driver, "state_topic")
    assert f"{topic}.state" in line["text"] and "offset" in line["text"], line


def test_broker_away_is_waited_for_by_the_state(db, new_kafka, sluice, rng, flavor, begin):  # noqa: F811
    topic, kafka = f"away-{flavor}", new_kafka()
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(reader_config(db, kafka, topic, begin, delivery="at_least_once", timeout_ms="1s"))
    start_reader(driver)
    load = Load(db, rng, 60)
    wait_until(lambda: size_of(kafka, topic) > 0, driver.tail, every_s=0.1)
    kafka.kill()
    db.script(["ALTER TABLE order_items COMMENT = 'known by the history'"], "shop")
    driver.wait_log(msg="the state cannot be stored, trying again")
    kafka.start()
    load.finish()
    db.script(["INSERT INTO orders (order_id, user_id) VALUES (77, 1)"], "shop")
    wait_until(lambda: any(record.key == b"77" for record in read_topic(kafka, topic)), driver.tail, 120, 0.3)
    assert driver.find_log(msg="the state is stored again")
    assert driver.stop() == FINE


def test_state_topic_with_retention_is_refused(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"kept-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    create_topic(kafka, f"{topic}.state", 1)
    driver = sluice(reader_config(db, kafka, topic, begin))
    start_reader(driver)
    assert "cleanup.policy=delete" in stopped_with(driver, "kafka_state_topic")["text"]
