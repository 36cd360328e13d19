"""Stale fills, in numbers: readers in processes of their own fill as fast as they can while sluice removes keys and
others are evicted, on a replica that lags and on a primary that tells a change before its own readers see it. At full
size 1,000,000 fills in all on the two servers; docs/consistency.md has the figures."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from shop import Shop, config
from sluice import FINE, wait_until

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "race_worker.py")
KEYS, KEYS_OF_REPLICA = 300, 1000
READERS, WRITERS = 4, 3
MAX_FILL_MS = 10_000


class Race:
    """Rounds of readers, writers and evictions against one cache. The process that evicts judges what it takes away, and
    a look behind each round what is left. judge_s: a value that is not true for longer is stale for good; generous where
    none may be, since the lag of sluice counts too."""

    def __init__(self, shop, driver, rng, readers_db=None, **spec):
        self.shop, self.driver, self.rng = shop, driver, rng
        self.readers_db = readers_db or shop.db
        self.spec = {
            "keys": KEYS, "redis": shop.redis.socket, "fenced": True, "hold_ms": 0, "lease_ms": 0,
            "max_fill_ms": MAX_FILL_MS, "write_pause_s": 0.01, "judge_s": 2, **spec,
        }
        self.done = {}

    def _worker(self, role, database, **more):
        spec = {**self.spec, "role": role, "database": database.socket, "seed": self.rng.random(), **more}
        return subprocess.Popen(
            [sys.executable, WORKER, json.dumps(spec)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _finish(self, workers):
        for worker in workers:
            worker.stdin.close()
        for worker in workers:
            told = worker.stdout.read()
            assert worker.wait(60) == 0
            for name, value in json.loads(told).items():
                before = self.done.get(name, 0)
                self.done[name] = max(before, value) if name == "slowest_ms" else before + value

    def round(self, seconds, leases=False):
        """With `leases` every other reader asks for them."""
        workers = [self._worker("write", self.shop.db) for _ in range(WRITERS)]
        workers.append(self._worker("evict", self.shop.db))
        for number in range(READERS):
            lease_ms = 2000 if leases and number % 2 else 0
            workers.append(self._worker("read", self.readers_db, lease_ms=lease_ms))
        try:
            time.sleep(seconds)
        finally:
            self._finish(workers)

    def stale(self):
        """How many fills were stale for good: those that were seen, and what is so once sluice has caught up and
        unsettled fills have ended."""
        sentinel = "order:1000000"
        self.shop.plant(sentinel)
        self.shop.order(1_000_000, items=0)
        self.shop.wait_gone(sentinel)
        wait_until(lambda: not self.shop.cache.exists("sluice:due:{cache}"), "the second removals")
        time.sleep(1.2 * self.spec["hold_ms"] / 1000)
        rows = self.shop.db.sql("SELECT order_id, amount FROM shop.orders WHERE order_id <= %s", (self.spec["keys"],))
        found = self.shop.cache.mget([f"order:{order}" for order, _ in rows])
        left = [f"order:{row[0]}" for row, value in zip(rows, found) if value and value.decode() != str(row[1])]
        if left:
            self.shop.cache.unlink(*left)
        self.done["stale"] += len(left)
        return self.done["stale"]

    def figures(self, name):
        done = {key: int(value) for key, value in self.done.items()}
        print(f"\n{name}: {done['fills']} fills ({done['kept']} of them kept for good), {done['changes']} changes, "
              f"{done['evictions']} evictions, slowest fill {done['slowest_ms']} ms: {done['stale']} stale for good")


class Stalls:
    """Makes a replica lag by 0 to `most_s` seconds, over and over; the worst lag is known at the end."""

    def __init__(self, primary, replica, rng, most_s):
        self.primary, self.replica, self.rng, self.most_s = primary, replica, rng, most_s
        self.worst_s = 0
        self.count = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        word = "SLAVE" if self.replica.flavor == "mariadb" else "REPLICA"
        while not self.over.is_set():
            begin = time.monotonic()
            self.replica.sql(f"STOP {word} SQL_THREAD")
            self.over.wait(self.rng.uniform(0, self.most_s))
            self.replica.sql(f"START {word} SQL_THREAD")
            self.replica.catch_up_with(self.primary)
            self.worst_s = max(self.worst_s, time.monotonic() - begin)
            self.count += 1
            self.over.wait(self.rng.uniform(0, self.most_s / 5))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def started(db, redis, sluice, mode, **of_sink):
    shop = Shop(db, redis)
    route = {"table": "shop.orders", "key": "order_id", "to": "cache", "invalidate": ["order:{order_id}"], "mode": mode}
    more = {"max_fill_ms": MAX_FILL_MS} if mode == "fence" else {}
    driver = sluice(config(db, redis, cache={**more, **of_sink}, routes=[route], partitions=4)).start()
    shop.orders(range(1, KEYS_OF_REPLICA + 1))
    shop.wait_streaming(driver)
    return shop, driver


@pytest.fixture
def lagging(new_db):
    """(primary, replica) with the replica following."""
    primary, replica = new_db(name="primary"), new_db(name="replica")
    replica.sql("DROP DATABASE shop")
    replica.reset_binlog()
    replica.replicate_from(primary)
    return primary, replica


@pytest.fixture
def early(db):
    """The server sends a transaction some time before its own sessions see it."""
    of_flavor = {
        "mysql": {"sync_binlog": 0, "binlog_group_commit_sync_delay": 20_000},
        "mariadb": {"sync_binlog": 0, "binlog_commit_wait_usec": 20_000, "binlog_commit_wait_count": 100},
    }[db.flavor]
    before = {name: db.value(f"SELECT @@GLOBAL.{name}") for name in of_flavor}
    for name, value in of_flavor.items():
        db.sql(f"SET GLOBAL {name} = {value}")
    yield db
    for name, value in before.items():
        db.sql(f"SET GLOBAL {name} = {value}")


@pytest.mark.ci_flavors("mariadb")
def test_fences_and_leases_on_a_replica_that_lags(lagging, redis, sluice, rng, full):
    """hold_ms is above the largest lag: nothing stale stays."""
    primary, replica = lagging
    most_s, hold_ms, fills = (5, 8000, 200_000) if full else (0.5, 2000, 500)
    shop, driver = started(primary, redis, sluice, "fence", hold_ms=hold_ms)
    replica.catch_up_with(primary)
    race = Race(shop, driver, rng, replica, keys=KEYS_OF_REPLICA, hold_ms=hold_ms, judge_s=2 * hold_ms / 1000 + 10,
                write_pause_s=0.05)
    with Stalls(primary, replica, rng, most_s) as stalls:
        race.round(5)
        while race.done["fills"] < fills:
            race.round(60 if full else 2, leases=True)
            assert race.stale() == 0
    replica.catch_up_with(primary)
    assert race.stale() == 0
    race.figures(f"fences, replica up to {stalls.worst_s:.1f} s behind ({stalls.count} stalls)")
    assert stalls.worst_s * 1000 < hold_ms, "the replica lagged more than hold_ms: this run tells nothing"
    assert race.done["kept"] > fills / 10
    assert driver.stop() == FINE


def measure(race, fills, seconds):
    """Rounds until there is a figure: that many fills, and a stale one."""
    for _ in range(60):
        race.round(seconds)
        if race.stale() and race.done["fills"] >= fills:
            return
    raise AssertionError(f"nothing stale: {race.done}")


@pytest.mark.ci_flavors("mariadb")
def test_plain_removals_before_a_replica_that_lags(lagging, redis, sluice, rng, full):
    """What the lag does to `invalidate`: the figure, and that the race above is one."""
    primary, replica = lagging
    most_s, fills = (5, 50_000) if full else (0.5, 500)
    shop, driver = started(primary, redis, sluice, "invalidate")
    replica.catch_up_with(primary)
    race = Race(shop, driver, rng, replica, keys=KEYS_OF_REPLICA, judge_s=2 * most_s + 1, fenced=False,
                write_pause_s=0.05)
    with Stalls(primary, replica, rng, most_s) as stalls:
        measure(race, fills, 30 if full else 3)
    race.figures(f"plain, replica up to {stalls.worst_s:.1f} s behind")
    assert driver.stop() == FINE


def test_fences_on_a_primary_that_tells_changes_early(early, redis, sluice, rng, full):
    hold_ms, fills = 1000, 200_000 if full else 500
    shop, driver = started(early, redis, sluice, "fence", hold_ms=hold_ms)
    race = Race(shop, driver, rng, hold_ms=hold_ms, judge_s=2 * hold_ms / 1000 + 10)
    race.round(3)
    assert race.stale() == 0
    while race.done["fills"] < fills:
        race.round(60 if full else 2, leases=True)
        assert race.stale() == 0
    race.figures("fences, primary with a group-commit delay")
    assert race.done["kept"] > fills / 10
    assert driver.stop() == FINE


def test_second_removals_on_a_primary_that_tells_changes_early(early, redis, sluice, rng, full):
    if not full:
        pytest.skip("a figure; with --full")
    second_ms, fills = 2000, 25_000 if full else 500
    shop, driver = started(early, redis, sluice, "second_delete", second_delete_ms=second_ms)
    race = Race(shop, driver, rng, fenced=False, judge_s=second_ms / 1000 + 10)
    race.round(5)
    race.stale()
    while race.done["fills"] < fills:
        race.round(60 if full else 2)
        race.stale()
    race.figures("second removals, primary with a group-commit delay")
    assert race.done["slowest_ms"] < second_ms, "a reader took longer than second_delete_ms: this run tells nothing"
    assert race.done["stale"] == 0
    assert driver.stop() == FINE


def test_plain_removals_on_a_primary_that_tells_changes_early(early, redis, sluice, rng, full):
    if not full:
        pytest.skip("a figure; with --full")
    fills = 25_000 if full else 500
    shop, driver = started(early, redis, sluice, "invalidate")
    race = Race(shop, driver, rng, fenced=False)
    measure(race, fills, 30 if full else 3)
    race.figures("plain, primary with a group-commit delay")
    assert driver.stop() == FINE
