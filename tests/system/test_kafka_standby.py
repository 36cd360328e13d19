"""Several readers of one topic: one is active, who takes over, and what a reader does that was away for too long."""

import glob
import json
import os
import signal

import pytest

from kafka_topics import create_topic, delete_topic, read_topic
from servers.kafka import KafkaCluster
from sluice import FINE, stopped_with, wait_until
from test_kafka_sink import PARTITIONS, Load, begin  # noqa: F401 (a fixture)
from test_kafka_state import check_log, reader_config, start_reader

# What is tested here does not depend on the server.
pytestmark = pytest.mark.ci_flavors("mariadb")


def applied(path):
    """[(key, version)] of each file that a recorder wrote."""
    found = []
    for name in glob.glob(path + ".*"):
        with open(name, encoding="utf-8") as file:
            found.append([(line["key"], line["version"]) for line in map(json.loads, file.read().split("\n")[:-1])])
    return found


@pytest.fixture
def two(db, kafka, sluice, flavor, begin, request):  # noqa: F811
    """An active reader, one that stands by, their topic."""
    topic = f"{request.node.originalname}-{flavor}".replace("_", "-")
    create_topic(kafka, topic, PARTITIONS)
    first, second = (sluice(reader_config(db, kafka, topic, begin)) for _ in range(2))
    start_reader(first).wait_log(msg="reading")
    start_reader(second).wait_log(msg="standing by: another reader is active")
    return first, second, topic


def write(db, order):
    db.script([f"INSERT INTO orders (order_id, user_id) VALUES ({order}, 1)"], "shop")


def wait_key(kafka, topic, order, driver):
    key = str(order).encode()
    wait_until(lambda: key in {record.key for record in read_topic(kafka, topic)}, driver.tail, 60, 0.2)


def stands_by(driver):
    status = driver.run("status", "--json")
    return status.returncode == FINE and json.loads(status.stdout).get("standby", False)


def numbers(driver):
    """The numbers with which this reader was active."""
    return [int(line["reader"]) for line in driver.log_lines() if line.get("msg") == "this reader is the active one"]


def test_killed_reader_is_followed_by_the_standby(db, kafka, sluice, begin, two):  # noqa: F811
    first, second, topic = two
    write(db, 1)
    wait_key(kafka, topic, 1, first)
    assert stands_by(second) and not stands_by(first)
    before = numbers(first)[0]
    first.kill()
    write(db, 2)
    wait_key(kafka, topic, 2, second)
    assert not stands_by(second) and numbers(second)[0] > before
    start_reader(first)
    first.wait_log(msg="standing by: another reader is active")
    write(db, 3)
    wait_key(kafka, topic, 3, second)
    assert stands_by(first) and not numbers(first), "it must not come back"
    check_log(second, db, kafka, topic, begin)
    assert second.stop() == FINE
    first.wait_log(msg="reading")
    assert first.stop() == FINE


def test_standby_ends_when_it_is_asked_to(two):
    first, second, _ = two
    assert second.stop() == FINE
    assert first.stop() == FINE


def test_reader_that_stood_still_is_fenced(db, kafka, sluice, rng, begin, two):  # noqa: F811
    first, second, topic = two
    load = Load(db, rng, 60)
    load.wait(10)
    wait_until(lambda: read_topic(kafka, topic), first.tail, 60, 0.2)
    first.process.send_signal(signal.SIGSTOP)
    try:
        second.wait_log(msg="this reader is the active one")
        load.finish()
        write(db, 99)
        wait_key(kafka, topic, 99, second)
    finally:
        first.process.send_signal(signal.SIGCONT)
    code = first.wait_exit()
    line = first.find_log(msg="stopped")[0]
    assert (code, line["err"]) in ((4, "kafka_fenced"), (1, "lease_lost")), line
    write(db, 100)
    wait_key(kafka, topic, 100, second)
    check_log(second, db, kafka, topic, begin)
    assert second.stop() == FINE


def test_appliers_drop_what_a_reader_still_writes_at_least_once(
        db, kafka, sluice, workspace, flavor, begin):  # noqa: F811
    """Nothing at the brokers fences rows that are not in a transaction: the topic has them, the sinks have not."""
    topic, path = f"superseded-{flavor}", os.path.join(workspace.directory("records"), "r")
    create_topic(kafka, topic, PARTITIONS)
    quick = ["session.timeout.ms=2000", "heartbeat.interval.ms=200"]  # of the applier, which is killed
    settings = reader_config(db, kafka, topic, begin, delivery="at_least_once", properties=quick)
    settings["sinks"] = {"nowhere": {"type": "recorder", "path": path}}
    first, second, applier = (sluice(settings) for _ in range(3))
    start_reader(first).wait_log(msg="reading")
    start_reader(second).wait_log(msg="standing by: another reader is active")
    applier.start("--role", "applier")
    write(db, 1)
    wait_key(kafka, topic, 1, first)
    first.process.send_signal(signal.SIGSTOP)
    try:
        rows = ", ".join(f"({number}, 1)" for number in range(1000, 3000))
        db.script([f"INSERT INTO orders (order_id, user_id) VALUES {rows}"], "shop")
        second.wait_log(msg="this reader is the active one")
        write(db, 99)
        wait_key(kafka, topic, 99, second)
    finally:
        first.process.send_signal(signal.SIGCONT)
    assert first.wait_exit() in (1, 4), first.tail()
    write(db, 100)
    wait_key(kafka, topic, 100, second)

    expected, dropped, highest = {}, 0, {}
    for record in read_topic(kafka, topic):
        number, line = int(record.headers["reader"]), json.loads(record.value)
        if number < highest.get(record.partition, 0):
            dropped += 1
            continue
        highest[record.partition] = number
        expected[line["key"], line["version"]] = number
    assert dropped, "the first reader wrote nothing more: the test proves nothing"
    wait_until(lambda: expected.keys() <= set(sum(applied(path), [])), applier.tail, 60, 0.2)
    assert json.loads(applier.run("status", "--json").stdout)["superseded_total"] == dropped
    assert applier.find_log(msg="records of a reader that was followed by another are dropped")
    assert sum(len(file) for file in applied(path)) == len(set(sum(applied(path), [])))
    applier.kill()
    applier.start("--role", "applier")
    applier.wait_log(msg="partitions came")
    assert applier.stop() == FINE and second.stop() == FINE
    assert set(sum(applied(path), [])) == expected.keys()


def test_reader_that_the_group_refuses_stops_and_is_no_healthy_standby(db, new_kafka, sluice, flavor, begin):  # noqa: F811
    kafka = new_kafka(options={"group.min.session.timeout.ms": 6000})
    driver = sluice(reader_config(db, kafka, f"refused-{flavor}", begin))
    start_reader(driver)
    line = stopped_with(driver, "lease_refused")
    assert "session" in line["text"].lower(), line


def test_reader_whose_state_topic_is_deleted_stops_and_ends(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"state-deleted-{flavor}"
    often = ["topic.metadata.refresh.interval.ms=500"]
    driver = sluice(reader_config(db, kafka, topic, begin, properties=often))
    start_reader(driver).wait_log(msg="reading")
    delete_topic(kafka, f"{topic}.state")
    driver.wait_log(msg="the membership of the active reader was lost: looking who is active")
    write(db, 1)
    stopped_with(driver, "kafka_topic_missing", limit_s=40)


@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
def test_first_starts_on_several_brokers(db, sluice, workspace, full, begin, delivery):  # noqa: F811
    """Each makes its topics, of which the brokers hear one after the other; whichever is asked, the reader starts."""
    if not full:
        pytest.skip("with --full")
    cluster = KafkaCluster(workspace, 3)
    try:
        cluster.start()
        for number in range(25):
            driver = sluice(reader_config(db, cluster, f"first-{number}", begin, delivery=delivery))
            start_reader(driver).wait_log(msg="reading", limit_s=60)
            driver.kill()
    finally:
        cluster.kill()
