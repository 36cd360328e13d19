"""The race of a cache: a reader fills a key with what it read before a change, after the key was removed for it. With
fences nothing stale stays, however slow readers are; without them it does."""

import os
import random
import sys
import threading
import time

import pytest

from race_worker import PlainCache
from shop import Shop, config, routes
from sluice import FINE, stopped_with, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "snippets", "python"))

from fenced_cache import FencedCache  # noqa: E402

HOLD_MS = 300
SECOND_MS = 400
KEYS = range(1, 9)
LONG_MS = 3_600_000


class Race:
    """Readers that fill slowly, a writer, and evictions; `fills` are the trials."""

    def __init__(self, shop, cache, seed, readers=6):
        self.shop, self.cache, self.seed, self.readers = shop, cache, seed, readers
        self.stop = threading.Event()
        self.fills = 0
        self.failed = []

    def _guarded(self, work, number):
        try:
            work(random.Random(f"{self.seed} {work.__name__} {number}"))
        except Exception as error:  # pylint: disable=broad-except
            self.failed.append(error)

    def _read(self, rng):
        with self.shop.db.connect("shop") as con, con.cursor() as cur:
            def load():
                cur.execute("SELECT amount FROM orders WHERE order_id = %s", (order,))
                found = str(cur.fetchone()[0])
                time.sleep(rng.choice((0, 0.001, 0.02)))
                self.fills += 1
                return found

            while not self.stop.is_set():
                order = rng.choice(KEYS)
                self.cache.get(f"order:{order}", load, LONG_MS)

    def _write(self, rng):
        with self.shop.db.connect("shop") as con, con.cursor() as cur:
            while not self.stop.is_set():
                cur.execute("UPDATE orders SET amount = amount + 1 WHERE order_id = %s", (rng.choice(KEYS),))
                time.sleep(rng.choice((0, 0, 0.01)))

    def _evict(self, rng):
        """What maxmemory-policy does: keys and records go, at any time."""
        client = self.shop.redis.client()
        while not self.stop.is_set():
            order = rng.choice(KEYS)
            client.unlink(rng.choice((f"order:{order}", FencedCache.beside("fence", f"order:{order}"))))
            time.sleep(0.005)

    def run(self, seconds):
        work = [(self._read, number) for number in range(self.readers)] + [(self._write, 0), (self._evict, 0)]
        threads = [threading.Thread(target=self._guarded, args=one) for one in work]
        for thread in threads:
            thread.start()
        self.stop.wait(seconds)
        self.stop.set()
        for thread in threads:
            thread.join()
        assert not self.failed, self.failed

    def stale(self):
        """Keys whose cached value is not the database's, once sluice has caught up."""
        sentinel = "order:1000000"
        self.shop.plant(sentinel)
        self.shop.order(1_000_000)
        self.shop.wait_gone(sentinel)
        truth = {f"order:{order}": str(amount) for order, amount in self.rows()}
        client = self.shop.redis.client()
        found = {key: client.get(key) for key in truth}
        return {key: (value, truth[key]) for key, value in found.items() if value and value.decode() != truth[key]}

    def rows(self):
        with self.shop.db.connect("shop") as con, con.cursor() as cur:
            cur.execute("SELECT order_id, amount FROM orders WHERE order_id < 1000000")
            return cur.fetchall()


def started(shop, sluice, mode, **of_sink):
    some = routes(mode=mode)
    some[1]["mode"] = mode
    driver = sluice(config(shop.db, shop.redis, cache={"hold_ms": HOLD_MS, **of_sink}, routes=some, partitions=4)).start()
    shop.orders(KEYS)
    shop.wait_streaming(driver, 900_000)
    return driver


def test_fences_leave_nothing_stale(db, redis, sluice, rng, full):
    shop = Shop(db, redis)
    driver = started(shop, sluice, "fence")
    race = Race(shop, FencedCache(redis.client(), os.path.join(ROOT, "snippets", "redis"), HOLD_MS), rng.random())
    for _ in range(60 if full else 1):
        race.run(10 if full else 5)
        race.stop.clear()
        time.sleep(2 * HOLD_MS / 1000)
        assert race.stale() == {}
    print(f"\nfences: {race.fills} fills, none stale")
    assert race.fills > 300
    assert driver.stop() == FINE


def test_without_fences_something_stale_stays(db, redis, sluice, rng):
    """That the race is one: else the test above would tell nothing."""
    shop = Shop(db, redis)
    driver = started(shop, sluice, "invalidate")
    race = Race(shop, PlainCache(redis.client()), rng.random())
    found = []

    def seen():
        race.run(1)
        race.stop.clear()
        found.append(len(race.stale()))
        return found[-1] > 0

    wait_until(seen, lambda: f"a stale key: {found} after {race.fills} fills", 120)
    print(f"\nwithout fences: {race.fills} fills, stale keys after each second: {found}")
    assert driver.stop() == FINE


def test_second_removals_take_what_was_filled_between(db, redis, sluice, rng):
    """Readers that are no slower than second_delete_ms; sluice is killed, and what is due outlives it."""
    shop = Shop(db, redis)
    driver = started(shop, sluice, "second_delete", second_delete_ms=SECOND_MS)
    race = Race(shop, PlainCache(redis.client()), rng.random())
    for _ in range(3):
        race.run(1.5)
        driver.restart()
        race.stop.clear()
        shop.wait_streaming(driver)
        wait_until(lambda: not redis.client().exists("sluice:due:{cache}"), "the second removals")
        assert race.stale() == {}
    print(f"\nsecond removals: {race.fills} fills, none stale after {SECOND_MS} ms")
    assert race.fills > 200
    assert driver.stop() == FINE


def test_what_is_read_soon_after_a_change_is_kept_for_hold_ms_only(db, redis, sluice):
    """A source sends a transaction before its readers see it: such a fill must end by itself."""
    shop = Shop(db, redis)
    driver = started(shop, sluice, "fence")
    client = redis.client()
    cache = FencedCache(client, os.path.join(ROOT, "snippets", "redis"), HOLD_MS)
    shop.pay(1)
    wait_until(lambda: client.exists(FencedCache.beside("fence", "order:1")), "the fence of order:1")
    assert cache.get("order:1", lambda: "old", LONG_MS) == "old"
    assert client.pttl("order:1") <= HOLD_MS
    wait_until(lambda: client.get("order:1") is None, "the fill to end")
    wait_until(lambda: (cache.get("order:1", lambda: "new", LONG_MS), client.pttl("order:1"))[1] > HOLD_MS, "a long fill")
    shop.pay(1)
    shop.wait_gone("order:1")
    assert driver.stop() == FINE


@pytest.mark.ci_flavors("mariadb")
def test_a_fill_behind_a_change_is_refused_whatever_happened_to_the_record(db, redis, sluice):
    shop = Shop(db, redis)
    driver = started(shop, sluice, "fence")
    client = redis.client()
    cache = FencedCache(client, os.path.join(ROOT, "snippets", "redis"), HOLD_MS)

    def change():
        before = client.get(FencedCache.beside("fence", "order:2"))
        shop.pay(2)
        wait_until(lambda: client.get(FencedCache.beside("fence", "order:2")) != before, "another token")
        return "stale"

    def evict():
        client.unlink(FencedCache.beside("fence", "order:2"))
        return "stale"

    def change_and_evict():
        change()
        return evict()

    for load in (change, evict, change_and_evict):
        assert cache.get("order:2", load, LONG_MS) == "stale"
        assert client.get("order:2") is None, load.__name__
    assert driver.stop() == FINE


def test_one_reader_of_a_hot_key_fills_and_the_others_take_what_was(db, redis, sluice):
    """A herd: each change of a key that everybody reads costs one read of the database."""
    shop = Shop(db, redis)
    driver = started(shop, sluice, "fence", old_ms=60_000)
    client = redis.client()
    made = threading.Lock()
    loads = []
    held = threading.Event()

    def load(value):
        with made:
            loads.append(value)
        held.wait(10)
        return value

    def reader(value, found):
        cache = FencedCache(redis.client(), os.path.join(ROOT, "snippets", "redis"), HOLD_MS, lease_ms=20_000)
        found.append(cache.get("order:3", lambda: load(value), LONG_MS))

    def herd(value, count):
        found = []
        threads = [threading.Thread(target=reader, args=(value, found)) for _ in range(count)]
        for thread in threads:
            thread.start()
        return threads, found

    def done(threads):
        for thread in threads:
            thread.join()

    threads, found = herd("first", 20)
    wait_until(lambda: loads == ["first"], "one reader to fill")
    assert found == []
    held.set()
    done(threads)
    assert set(found) <= {"first", b"first"} and len(found) == 20 and loads == ["first"]

    held.clear()
    client.set("order:3", "first", px=LONG_MS)
    shop.pay(3)
    shop.wait_gone("order:3")
    threads, found = herd("second", 20)
    wait_until(lambda: len(found) == 19, "the others")
    assert set(found) == {b"first"} and loads == ["first", "second"]
    held.set()
    done(threads)
    assert found[-1] == "second" and client.get("order:3") == b"second"
    assert not client.exists(FencedCache.beside("old", "order:3"), FencedCache.beside("lease", "order:3"))
    assert driver.stop() == FINE


def users():
    """{name: its rules} of the file that operators start from."""
    with open(os.path.join(ROOT, "deploy", "redis.acl"), encoding="utf-8") as file:
        lines = [line.split() for line in file.read().splitlines()]
    return {words[1]: words[2:] for words in lines}


@pytest.mark.ci_flavors("mariadb")
@pytest.mark.parametrize("mode", ["invalidate", "second_delete", "fence"])
def test_the_users_of_the_acl_file_can_do_what_they_must_and_no_more(db, redis, sluice, mode):
    shop = Shop(db, redis)
    admin = redis.client()
    rules = users()
    for name in (f"sluice_{mode}", "application"):
        admin.execute_command("ACL", "SETUSER", name, *rules[name])
    courtesy = ("+@all", "+scan", "+select", "+ping", "+info", "+client|setname", "+exists", "+del", "+pexpire")
    needed = [rule for rule in rules[f"sluice_{mode}"] if rule[0] == "+" and rule not in courtesy]
    assert "+unlink" in needed and len(needed) == {"invalidate": 1, "second_delete": 9, "fence": 6}[mode]
    login = {"username": f"sluice_{mode}", "password": "change-me"}
    driver = started(shop, sluice, mode, old_ms=1000, **login)
    if mode == "fence":
        client = redis.client(username="application", password="change-me")
        cache = FencedCache(client, os.path.join(ROOT, "snippets", "redis"), HOLD_MS, lease_ms=1000)
        assert cache.get("order:5", lambda: "filled", LONG_MS) == "filled"
        assert admin.get("order:5") == b"filled"
        with pytest.raises(Exception, match="(?i)no permissions"):
            client.set("other:5", "x")
    else:
        shop.plant("order:5")
    shop.pay(5)
    shop.wait_gone("order:5")
    assert driver.stop() == FINE
    for rule in needed:
        admin.acl_setuser(f"sluice_{mode}", enabled=True, commands=["-" + rule[1:]])
        admin.script_flush()
        shop.plant("order:5")
        driver.start()
        shop.pay(5)
        line = stopped_with(driver, "sink_rights")
        assert "cache" in line["text"], line
        admin.acl_setuser(f"sluice_{mode}", enabled=True, commands=[rule])
        driver.start()
        shop.wait_streaming(driver)
        shop.wait_gone("order:5")
        assert driver.stop() == FINE
