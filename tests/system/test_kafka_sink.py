"""The Kafka sink on a real broker: what a client that shares no code with sluice reads is what the log has."""

import json
import threading

import pytest

from folding import Fold, assert_valid
from kafka_topics import create_topic, read_topic, size_of, topics
from shop import Shop
from sluice import FINE, at, source_of, stopped_with, wait_until
from tables import Table

PARTITIONS = 8
ROUNDS, FULL_ROUNDS = 150, 5000
KILLS, FULL_KILLS = 2, 20
TABLES = ("orders", "order_items")


def config(db, kafka, topic, start, *, partitions=PARTITIONS, route=None, tables=TABLES, **sink):
    """The shop's tables into one topic, by order."""
    route = {"key": "order_id", "to": "topic", **(route or {})}
    return {
        "source": source_of(db, start=start),
        "partitions": partitions,
        "sinks": {"topic": {"type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic, **sink}},
        "routes": [{"table": f"shop.{name}", **route} for name in tables],
    }


@pytest.fixture
def begin(db):
    """The place in the log where the shop's tables are there and empty."""
    Shop(db)
    return at(db.position())


# What happens in the shop.


def transaction(rng):
    """Statements about some orders and their items; orders move to other numbers too."""
    order, other = rng.randint(1, 60), rng.randint(1, 60)
    few = "ORDER BY id LIMIT 4"
    kinds = [
        f"INSERT INTO orders (order_id, user_id, note) VALUES ({order}, {other}, 'été')",
        f"INSERT INTO order_items (order_id, product) VALUES ({order}, 'p'), ({other}, 'q')",
        f"UPDATE orders SET amount = amount + 1 WHERE order_id IN ({order}, {other}) {few}",
        f"UPDATE orders SET order_id = {other} WHERE order_id = {order} {few}",
        f"UPDATE order_items SET order_id = {other} WHERE order_id = {order} {few}",
        f"DELETE FROM orders WHERE order_id = {order} {few}",
        f"DELETE FROM order_items WHERE order_id = {order} {few}",
    ]
    return ["BEGIN", *rng.choices(kinds, k=rng.randint(1, 4)), "COMMIT" if rng.random() < 0.9 else "ROLLBACK"]


class Load(threading.Thread):
    """Transactions until told to stop, so many at least, beside what the test does meanwhile: those beyond come slowly,
    since a broker may take long to come back."""

    def __init__(self, db, rng, rounds):
        super().__init__(daemon=True)
        self.db, self.rng, self.rounds = db, rng, rounds
        self.done, self.failure, self.enough = 0, None, threading.Event()
        self.start()

    def run(self):
        try:
            with self.db.connect("shop") as con, con.cursor() as cur:
                while self.done < self.rounds or not self.enough.is_set():
                    for statement in transaction(self.rng):
                        cur.execute(statement)
                    self.done += 1
                    if self.done > self.rounds:
                        self.enough.wait(0.02)
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = error

    def wait(self, rounds):
        wait_until(lambda: self.failure or self.done >= rounds, f"{rounds} transactions", 600, 0.002)
        assert self.failure is None, self.failure

    def finish(self):
        self.enough.set()
        self.join(1200)
        assert self.failure is None and not self.is_alive(), self.failure


# What the topic has, against what the log has.


def place_of(line):
    """A change's place in the log, in its order: dump, which has no epochs, gives other versions than the service."""
    return line["file"], line["pos"], line["version"].rsplit(".", 1)[1]


def without_version(line):
    return {name: value for name, value in line.items() if name != "version"}


def header_values(line):
    """The headers that a line of sluice's own JSON must have."""
    headers = {
        "op": line["op"],
        "table": f"{line['db']}.{line['table']}",
        "version": line["version"],
        "format": "sluice",
        "commit": str(line["ts_us"]),
        "gtid": line.get("gtid"),
        "pos": f"{line['file']}:{line['pos']}",
        "half": line.get("half"),
    }
    return {name: value for name, value in headers.items() if value is not None}


def read_all(kafka, topic, log):
    """The topic's records, once all changes of the log are among them."""
    records, missing = [], set()

    def complete():
        records[:] = read_topic(kafka, topic)
        missing.clear()
        missing.update(log.keys() - {place_of(json.loads(record.value)) for record in records})
        return not missing

    wait_until(complete, lambda: f"{len(missing)} of {len(log)} changes, as {sorted(missing)[:3]}", 300, 0.3)
    return records


def check_record(record, line, expected):
    """One record is the log's line, under its key, with its headers."""
    headers = dict(record.headers)
    assert json.loads(headers.pop("pk")) == line["pk"]
    assert headers == header_values(line)
    assert record.key.decode() == line["key"]
    assert without_version(line) == without_version(expected)


def check_topic(driver, db, kafka, topic, begin):
    """All of the log from `begin` is in the topic, in order per key but for repeats; returns (records, repeats)."""
    log = {place_of(line): line for line in driver.dump("--from", begin, "--to", at(db.position()), config=True)}
    records = read_all(kafka, topic, log)
    seen, newest, partition = {}, {}, {}
    for record in records:
        line = json.loads(record.value)
        place, key = place_of(line), line["key"]
        assert place in log, f"not in the log: {line}"
        check_record(record, line, log[place])
        assert partition.setdefault(key, record.partition) == record.partition, key
        if place in seen:
            assert seen[place] == line, "a repeat differs"
            continue
        assert line["version"] > newest.get(key, ""), f"{key}: {line['version']} behind {newest[key]}"
        newest[key], seen[place] = line["version"], line
    in_order = [seen[place] for place in sorted(seen)]
    assert_valid(in_order)
    Fold([Table(db, name) for name in TABLES]).apply_all(in_order).assert_equals_select()
    assert len(set(partition.values())) == PARTITIONS, "the test is too small"
    return records, len(records) - len(seen)


def test_each_change_is_once_in_the_topic(db, kafka, sluice, rng, flavor, full, begin):
    topic = f"once-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(config(db, kafka, topic, begin)).start()
    Load(db, rng, FULL_ROUNDS if full else ROUNDS).finish()
    records, repeats = check_topic(driver, db, kafka, topic, begin)
    assert repeats == 0 and any(record.headers.get("half") == "to" for record in records)
    assert driver.stop() == FINE


DELIVERIES = ("exactly_once", "at_least_once")


@pytest.mark.ci_flavors("mariadb")
@pytest.mark.parametrize("delivery", DELIVERIES)
def test_kills_of_sluice_and_of_the_broker_lose_nothing(
    db, new_kafka, sluice, rng, flavor, full, begin, delivery, record_property
):
    topic, kafka = f"kills-{flavor}", new_kafka()
    kills, rounds = (FULL_KILLS, FULL_ROUNDS) if full else (KILLS, ROUNDS)
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(config(db, kafka, topic, begin, delivery=delivery)).start()
    faults = ["sluice"] * kills + ["broker"] * (kills // 2)
    rng.shuffle(faults)
    load = Load(db, rng, rounds)
    for fault in faults:
        before = size_of(kafka, topic)
        load.wait(load.done + rounds // len(faults))
        wait_until(lambda: size_of(kafka, topic) > before, "records")
        driver.restart() if fault == "sluice" else kafka.restart(kill=True)
    load.finish()
    records, repeats = check_topic(driver, db, kafka, topic, begin)
    print(f"{flavor}: {len(records)} records, {repeats} of them again")
    record_property("repeats", repeats)
    assert delivery == "at_least_once" or repeats == 0
    assert driver.stop() == FINE


@pytest.mark.ci_flavors("mariadb")
@pytest.mark.parametrize("delivery", DELIVERIES)
def test_kills_inside_one_transaction_lose_nothing(db, kafka, sluice, flavor, begin, delivery, record_property):
    """It goes out in many transactions of Kafka, of which the last may be cut by each kill."""
    topic = f"inside-{flavor}-{delivery}"
    create_topic(kafka, topic, PARTITIONS)
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i"
    fill = f"INSERT INTO order_items (order_id, product) {numbers} % 60, REPEAT('p', 40) FROM n"
    db.script(["BEGIN", *[fill] * 20, "UPDATE order_items SET product = 'q'", "COMMIT"], "shop")
    settings = config(db, kafka, topic, begin, delivery=delivery, transaction_ms="5ms")
    driver = sluice({**settings, "buffer_bytes": "2MiB", "tx_buffer_bytes": "64KiB"}).start()
    for _ in range(3):
        before = size_of(kafka, topic)
        wait_until(lambda: size_of(kafka, topic) > before + 1000, "records", every_s=0.01)
        driver.restart()
    records, repeats = check_topic(driver, db, kafka, topic, begin)
    record_property("repeats", repeats)
    assert len(records) >= 40000
    assert delivery == "at_least_once" or repeats == 0
    assert driver.stop() == FINE


@pytest.mark.ci_flavors("mariadb")
@pytest.mark.parametrize("delivery", DELIVERIES)
def test_broker_that_does_not_answer_is_waited_out(db, new_kafka, sluice, rng, flavor, begin, delivery):
    """At least once, messages stay on their way meanwhile; exactly once, they are aborted and sent again. Nothing is
    lost, and who reads what is committed sees nothing again."""
    topic, kafka = f"paused-{flavor}", new_kafka()
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(config(db, kafka, topic, begin, timeout_ms="1s", delivery=delivery)).start()
    load = Load(db, rng, ROUNDS)
    load.wait(ROUNDS // 3)
    kafka.pause()
    try:
        driver.wait_log(err="sink_down")
    finally:
        kafka.resume()
    load.finish()
    assert check_topic(driver, db, kafka, topic, begin)[1] == 0
    assert driver.stop() == FINE


# Topics.


@pytest.mark.ci_flavors("mariadb")
def test_topic_with_another_number_of_partitions_is_refused(db, kafka, sluice, flavor, begin):
    topic = f"three-{flavor}"
    create_topic(kafka, topic, 3)
    driver = sluice(config(db, kafka, topic, begin)).start()
    db.script(["INSERT INTO orders (order_id, user_id) VALUES (1, 1)"], "shop")
    line = stopped_with(driver, "kafka_partitions")
    assert f"{topic} has 3 partitions" in line["text"] and f" {PARTITIONS} lanes" in line["text"], line
    assert not read_topic(kafka, topic)


@pytest.mark.ci_flavors("mariadb")
def test_missing_topic_is_made_only_when_asked_for(db, kafka, sluice, flavor, begin):
    topic = f"made-{flavor}"
    driver = sluice(config(db, kafka, topic, begin)).start()
    db.script(["INSERT INTO orders (order_id, user_id) VALUES (1, 1)"], "shop")
    assert topic in stopped_with(driver, "kafka_topic_missing")["text"] and topic not in topics(kafka)
    driver.configure(config(db, kafka, topic, begin, create_topics=True))
    driver.start()
    wait_until(lambda: len(topics(kafka).get(topic, ())) == PARTITIONS, f"topic {topic}")
    wait_until(lambda: len(read_topic(kafka, topic)) == 1, "the row", every_s=0.2)
    assert driver.stop() == FINE


def test_template_gives_each_table_its_topic(db, kafka, sluice, flavor, begin):
    template = f"{flavor}.{{db}}.{{table}}"
    driver = sluice(config(db, kafka, template, begin, create_topics=True, state_topic=f"state-{flavor}")).start()
    db.script([f"INSERT INTO {name} (order_id, {more}) VALUES (7, 1)" for name, more in
               zip(TABLES, ("user_id", "product"))], "shop")
    for name in TABLES:
        topic = f"{flavor}.shop.{name}"
        wait_until(lambda: topic in topics(kafka) and read_topic(kafka, topic), topic, every_s=0.2)
        assert [json.loads(record.value)["table"] for record in read_topic(kafka, topic)] == [name]
    assert driver.stop() == FINE


# Record keys and other formats.


def three_changes(db, kafka, sluice, topic, begin, count, **options):
    """A row comes, changes and goes; returns its records."""
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(config(db, kafka, topic, begin, **options)).start()
    db.script(
        ["INSERT INTO orders (order_id, user_id) VALUES (5, 1)", "UPDATE orders SET amount = 7", "DELETE FROM orders"],
        "shop",
    )
    found = []

    def there():
        found[:] = read_topic(kafka, topic)
        return len(found) >= count

    wait_until(there, lambda: f"{count} records: {found}", every_s=0.2)
    assert driver.stop() == FINE
    assert len(found) == count and len({record.partition for record in found}) == 1
    return found


def test_record_key_can_be_the_primary_key(db, kafka, sluice, flavor, begin):
    records = three_changes(db, kafka, sluice, f"pk-{flavor}", begin, 3, record_key="primary_key")
    assert [json.loads(record.key) for record in records] == [{"table": "shop.orders", "pk": {"id": 1}}] * 3
    assert [record.headers["op"] for record in records] == ["insert", "update", "delete"]


def test_debezium_has_its_keys_and_tombstones(db, kafka, sluice, flavor, begin):
    records = three_changes(
        db, kafka, sluice, f"debezium-{flavor}", begin, 4, record_key="peer", route={"format": "debezium"},
        tables=["orders"],
    )
    assert [json.loads(record.key) for record in records] == [{"id": 1}] * 4
    assert [record.value and json.loads(record.value)["op"] for record in records] == ["c", "u", "d", None]


def test_maxwell_has_its_keys(db, kafka, sluice, flavor, begin):
    records = three_changes(
        db, kafka, sluice, f"maxwell-{flavor}", begin, 3, record_key="peer", route={"format": "maxwell"}
    )
    assert {json.loads(record.key)["pk.id"] for record in records} == {1}
    assert [json.loads(record.value)["type"] for record in records] == ["insert", "update", "delete"]
