"""`mode: write`: the rows of the database stand in Redis as they are, whatever is killed, and a replay takes nothing
back. The truth is the server's own SELECT; all of Redis is compared, key by key."""

import json
import os
import random
import threading
import time

import pymysql
import pytest

from kafka_topics import create_topic
from shop import Shop, config
from sluice import FINE, STOPPED, USAGE, at, stopped_with, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ORDERS = range(1, 41)
COLUMNS = ("id", "order_id", "user_id", "status", "amount", "note")
NOTES = (None, "", "plain", "käse ✓ 😀", 'quote " back \\ slash', "line\nfeed\r\n", "x" * 200)
DEADLOCKS = (1205, 1213)
RECORD = "sluice:version:"


def routes_of():
    return [
        {"table": "shop.orders", "key": "order_id", "to": "cache", "mode": "write", "write": "order:{id}", "as": "hash"},
        {
            "table": "shop.orders", "key": "order_id", "to": "cache", "mode": "write", "write": "paid:{order_id}:{id}",
            "as": "json", "columns": ["amount as total", "note", "id"], "when": ["status = paid"],
        },
        {
            "table": "shop.order_items", "key": "order_id", "to": "cache", "mode": "write",
            "write": "item:{order_id}:{id}", "as": "text", "text": "{quantity} of {product}",
            "invalidate": ["items:{order_id}"],
        },
    ]


def texts_of(shop):
    """What must stand in Redis, by the server's own words."""
    expected = {}
    with shop.db.connect("shop") as con, con.cursor() as cur:
        cur.execute(f"SELECT {', '.join(f'CAST({name} AS CHAR)' for name in COLUMNS)} FROM orders")
        for row in cur.fetchall():
            texts = dict(zip(COLUMNS, row))
            expected[f"order:{texts['id']}"] = {name: text for name, text in texts.items() if text is not None}
            if texts["status"] == "paid":
                paid = {"total": texts["amount"], "note": texts["note"], "id": int(texts["id"])}
                expected[f"paid:{texts['order_id']}:{texts['id']}"] = paid
        cur.execute("SELECT CONCAT('item:', order_id, ':', id), CONCAT(quantity, ' of ', product) FROM order_items")
        expected.update(cur.fetchall())
    return expected


def values_of(redis):
    """All of Redis but the records."""
    client, found = redis.client(), {}
    for name in client.scan_iter(count=1000):
        key = name.decode()
        if key.startswith(RECORD):
            continue
        if client.type(name) == b"hash":
            found[key] = {field.decode(): text.decode() for field, text in client.hgetall(name).items()}
        elif (text := client.get(name)) is not None:  # else it went since
            found[key] = json.loads(text) if key.startswith("paid:") else text.decode()
    return found


def differences(shop, redis):
    expected, found = texts_of(shop), values_of(redis)
    return {
        key: (found.get(key), expected.get(key))
        for key in {*expected, *found}
        if found.get(key) != expected.get(key)
    }


class Writer(threading.Thread):
    """Transactions of rows that come, change, move to another order and go; those that are rolled back too."""

    def __init__(self, shop, seed, changes):
        super().__init__(daemon=True)
        self.shop, self.rng, self.changes = shop, random.Random(seed), changes
        self.made, self.failed = 0, None

    def _change(self, cur):
        rng = self.rng
        order, note = rng.choice(ORDERS), rng.choice(NOTES)
        kind = rng.randrange(8)
        if kind < 2:
            cur.execute(
                "INSERT INTO orders (order_id, user_id, status, amount, note) VALUES (%s, %s, %s, %s, %s)",
                (order, rng.randrange(5), rng.choice(("new", "paid")), rng.randrange(10**6) / 100, note),
            )
        elif kind < 4:
            cur.execute(
                "UPDATE orders SET status = %s, amount = amount + 1, note = %s WHERE order_id = %s",
                (rng.choice(("new", "paid", "sent")), note, order),
            )
        elif kind == 4:
            cur.execute("UPDATE orders SET order_id = %s WHERE order_id = %s LIMIT 2", (rng.choice(ORDERS), order))
        elif kind == 5:
            cur.execute("DELETE FROM orders WHERE order_id = %s LIMIT 3", (order,))
        elif kind == 6:
            cur.execute(
                "INSERT INTO order_items (order_id, product, quantity) VALUES (%s, %s, 1), (%s, 'q', 2)",
                (order, note and note[:50] or "p", order),
            )
        else:
            cur.execute("UPDATE order_items SET order_id = order_id %% 40 + 1, quantity = 3 WHERE order_id = %s", (order,))
            cur.execute("DELETE FROM order_items WHERE order_id = %s LIMIT 4", (order,))

    def run(self):
        try:
            with self.shop.db.connect("shop", autocommit=False) as con, con.cursor() as cur:
                while self.made < self.changes:
                    try:
                        for _ in range(self.rng.randrange(1, 5)):
                            self._change(cur)
                            self.made += 1
                        con.commit() if self.rng.random() < 0.9 else con.rollback()
                    except pymysql.err.OperationalError as error:
                        con.rollback()
                        if error.args[0] not in DEADLOCKS:
                            raise
        except Exception as error:  # pylint: disable=broad-except
            self.failed = error


def written(shop, seed, changes, during=lambda done: None):
    """Three writers at work until they have made so many changes; `during` is told how far they are."""
    writers = [Writer(shop, f"{seed} {number}", changes // 3) for number in range(3)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        during(sum(writer.made for writer in writers))
        writers[0].join(0.02)
    assert not [writer.failed for writer in writers if writer.failed]


def settled(shop, redis, driver, limit_s=180):
    def same():
        assert driver.alive(), driver.tail()
        return not differences(shop, redis)

    wait_until(same, lambda: f"Redis to be as the database: {list(differences(shop, redis).items())[:3]}", limit_s, 0.3)


def test_rows_are_as_the_database_after_kills(db, redis, sluice, rng, full, record_property):
    changes, kills = (200_000, 20) if full else (2_400, 3)
    shop = Shop(db, redis)
    begin = at(db.position())
    driver = sluice(config(db, redis, begin, routes=routes_of(), partitions=4)).start()
    left = sorted(rng.randrange(changes // 10, changes) for _ in range(kills))

    def kill(done):
        if left and done >= left[0]:
            left.pop(0)
            assert driver.alive(), driver.tail()
            driver.restart()

    written(shop, rng.random(), changes, kill)
    settled(shop, redis, driver, 1800 if full else 180)  # many rows a change: Redis is behind by minutes
    values = values_of(redis)
    assert len(values) > 20 and {key.split(":")[0] for key in values} == {"order", "paid", "item"}
    record_property("written", {"changes": changes, "kills": kills, "keys": len(values)})
    assert driver.stop() == FINE, driver.tail()


def forget(redis, rng, share):
    """As when keys expire or are evicted; returns those that are gone."""
    client, gone = redis.client(), set()
    for name in sorted(client.scan_iter(count=1000)):
        if rng.random() < share:
            client.delete(name)
            if not name.startswith(RECORD.encode()):
                gone.add(name.decode())
    return gone


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside-the-service"])
def test_replay_from_the_first_position_takes_nothing_back(db, redis, sluice, rng, full, beside):
    changes = 30_000 if full else 900
    shop = Shop(db, redis)
    begin = at(db.position())
    driver = sluice(config(db, redis, begin, routes=routes_of(), partitions=4)).start()
    written(shop, rng.random(), changes)
    settled(shop, redis, driver)
    if not beside:
        assert driver.stop() == FINE, driver.tail()
    gone = forget(redis, rng, 0.2)
    before = values_of(redis)
    assert gone and before
    done = driver.run("replay", "whole", "--from", begin)
    assert done.returncode == FINE, done.stderr
    assert values_of(redis) == before
    done = driver.run("replay", "again", "--from", begin, "--create")
    assert done.returncode == FINE, done.stderr
    after, truth = values_of(redis), texts_of(shop)
    assert {key: value for key, value in after.items() if truth.get(key) != value} == {}
    assert set(after) > set(before), "none was made"


def test_replay_that_creates_needs_to_end_now(db, redis, sluice):
    shop = Shop(db, redis)
    begin = at(shop.db.position())
    driver = sluice(config(db, redis, begin, routes=routes_of()))
    done = driver.run("replay", "x", "--from", begin, "--to", at(shop.db.position()), "--create")
    assert done.returncode == USAGE and "--to now" in done.stderr


def test_truncate_removes_the_rows(db, redis, sluice, rng):
    shop = Shop(db, redis)
    some = [{**route, "on_truncate": "sweep"} for route in routes_of()]
    driver = sluice(config(db, redis, at(db.position()), routes=some, partitions=4)).start()
    written(shop, rng.random(), 150)
    settled(shop, redis, driver)
    redis.client().set("orders:other", "mine")
    db.sql("TRUNCATE TABLE shop.orders")
    shop.orders(range(1, 4))
    wait_until(
        lambda: set(differences(shop, redis)) == {"orders:other"}, lambda: f"{differences(shop, redis)}", 60, 0.1
    )


def ids_in(client):
    return {int(name.split(b":")[1]) for name in client.scan_iter("order:*")}


def ids_of(db):
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SELECT id FROM orders")
        return {number for number, in cur.fetchall()}


def rules_of(name):
    with open(os.path.join(ROOT, "deploy", "redis.acl"), encoding="utf-8") as file:
        return next(line.split()[2:] for line in file if line.split()[1] == name)


@pytest.mark.ci_flavors("mariadb")
def test_the_user_of_the_acl_file_can_do_what_it_must_and_no_more(db, redis, sluice):
    shop = Shop(db, redis)
    admin = redis.client()
    rules = rules_of("sluice_write")
    admin.execute_command("ACL", "SETUSER", "sluice_write", *rules)
    courtesy = ("+@all", "+scan", "+select", "+ping", "+info", "+client|setname")
    needed = [rule for rule in rules if rule[0] == "+" and rule not in courtesy]
    assert len(needed) == 8
    some = [{**routes_of()[0], "as": "hash", "ttl_ms": "1h"}, {**routes_of()[0], "write": "user:{id}", "as": "json"}]
    begin = at(db.position())
    login = {"username": "sluice_write", "password": "change-me"}
    driver = sluice(config(db, redis, begin, routes=some, cache=login)).start()
    shop.orders([1, *range(100, 100 + len(needed))])
    wait_until(lambda: ids_in(admin) == ids_of(db) and admin.exists("user:1"), "the orders", 60)
    assert driver.stop() == FINE
    for number, rule in enumerate(needed):
        admin.acl_setuser("sluice_write", enabled=True, commands=["-" + rule[1:]])
        admin.script_flush()
        shop.orders([10 + number])
        db.sql(f"DELETE FROM shop.orders WHERE order_id = {100 + number}")
        if rule == "+exists":  # a replay asks
            admin.delete("sluice:version:{order:1}")
            done = driver.run("replay", "look", "--from", begin)
            assert done.returncode == STOPPED and "sink_rights" in done.stderr, done.stderr
        else:
            driver.start()
            line = stopped_with(driver, "sink_rights")
            assert "cache" in line["text"], line
        admin.acl_setuser("sluice_write", enabled=True, commands=[rule])
    driver.start()
    shop.orders([3])
    wait_until(lambda: ids_in(admin) == ids_of(db), lambda: f"{ids_in(admin)} to be {ids_of(db)}", 60)
    assert driver.stop() == FINE


@pytest.mark.ci_flavors("mariadb")
def test_server_that_evicts_is_named(db, redis, sluice):
    redis.client().config_set("maxmemory", "100mb")
    redis.client().config_set("maxmemory-policy", "allkeys-lru")
    Shop(db, redis)
    driver = sluice(config(db, redis, routes=routes_of())).start()
    line = driver.wait_log(level="warn", sink="cache")
    assert "evicts" in line["msg"]
    assert driver.stop() == FINE


@pytest.mark.ci_flavors("mariadb")
def test_changes_that_come_later_than_tombstones_are_told(db, redis, sluice):
    shop = Shop(db, redis)
    begin = at(db.position())
    shop.orders([1])
    time.sleep(2.1)
    driver = sluice(config(db, redis, begin, routes=routes_of(), cache={"tombstone_ttl_ms": "1s"})).start()
    line = driver.wait_log(level="warn", sink="cache")
    assert "tombstone_ttl_ms" in line["msg"] and int(line["lag_ms"]) > 1000
    settled(shop, redis, driver)
    assert driver.stop() == FINE


@pytest.mark.ci_flavors("mariadb")
def test_appliers_write_rows_as_they_are(db, kafka, redis, sluice, rng, full, request):
    """Over a bus, with appliers that are killed; the bodies of the records are read."""
    changes, kills = (60_000, 10) if full else (900, 2)
    topic = f"write-{'-'.join(map(str, request.node.callspec.params.values()))}"
    create_topic(kafka, topic, 4)
    shop = Shop(db, redis)
    both = config(
        db, redis, at(db.position()), routes=routes_of(), partitions=4,
        bus={
            "type": "kafka", "brokers": [kafka.brokers()], "topic": topic, "group": f"group-{topic}",
            "session_ms": 6000,
        },
    )
    reader, appliers = sluice(both), [sluice(both), sluice(both)]
    reader.start("--role", "reader")
    for applier in appliers:
        applier.start("--role", "applier")
    left = sorted(rng.randrange(changes // 10, changes) for _ in range(kills))

    def kill(done):
        if left and done >= left[0]:
            left.pop(0)
            one = rng.choice(appliers)
            assert one.alive(), one.tail()
            one.kill()
            one.start("--role", "applier")

    written(shop, rng.random(), changes, kill)
    settled(shop, redis, reader)
    for one in (reader, *appliers):
        assert one.alive(), one.tail()
        assert one.stop() == FINE, one.tail()
