"""One process of a race around a cache: `race_worker.py SPEC` with SPEC as JSON, until standard input ends; then what
it did, as JSON on standard output. Roles: "read" fills the cache as an application does, "write" changes rows, "evict"
judges what is cached and takes it away, as a maxmemory-policy does."""

import json
import os
import random
import sys
import threading
import time

import pymysql
import redis

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "snippets", "python"))

from fenced_cache import FencedCache  # noqa: E402

LONG_MS = 3_600_000
# Between read and fill: most readers are as fast as they can be.
PAUSES_S = (0,) * 92 + (0.001,) * 5 + (0.02,) * 3


class PlainCache:
    """As applications do it without fences: a miss, a read, a SET."""

    def __init__(self, client):
        self.client = client

    def get(self, key, load, ttl_ms):
        value = self.client.get(key)
        if value is None:
            value = load()
            self.client.set(key, value, px=ttl_ms)
        return value


class CountingCache(FencedCache):
    """Knows how many of its fills are kept for the whole TTL."""

    kept = 0

    def __init__(self, client, spec):
        super().__init__(
            client, os.path.join(ROOT, "snippets", "redis"), spec["hold_ms"], spec["max_fill_ms"], spec["lease_ms"])
        fill = self._fill

        def counting(keys, args):
            stored = fill(keys, args)
            self.kept += stored and str(args[1]) == "1"
            return stored

        self._fill = counting


class Worker:
    def __init__(self, spec):
        self.spec, self.rng = spec, random.Random(spec["seed"])
        self.client = redis.Redis(unix_socket_path=spec["redis"])
        self.done = {"fills": 0, "kept": 0, "slowest_ms": 0, "changes": 0, "evictions": 0, "stale": 0}
        self.stop = threading.Event()

    def connect(self):
        return pymysql.connect(
            unix_socket=self.spec["database"], user="root", database="shop", autocommit=True, charset="utf8mb4")

    def order(self):
        return self.rng.randrange(1, self.spec["keys"] + 1)

    def read(self):
        cache = CountingCache(self.client, self.spec) if self.spec["fenced"] else PlainCache(self.client)
        begun = [0.0]
        with self.connect() as con, con.cursor() as cur:
            def load():
                begun[0] = time.monotonic()
                cur.execute("SELECT amount FROM orders WHERE order_id = %s", (order,))
                found = str(cur.fetchone()[0])
                time.sleep(self.rng.choice(PAUSES_S))
                self.done["fills"] += 1
                return found

            while not self.stop.is_set():
                order = self.order()
                fills = self.done["fills"]
                cache.get(f"order:{order}", load, LONG_MS)
                if self.done["fills"] > fills:
                    took_ms = (time.monotonic() - begun[0]) * 1000
                    self.done["slowest_ms"] = max(self.done["slowest_ms"], took_ms)
        self.done["kept"] = cache.kept if self.spec["fenced"] else self.done["fills"]

    def write(self):
        with self.connect() as con, con.cursor() as cur:
            while not self.stop.is_set():
                cur.execute("UPDATE orders SET amount = amount + 1 WHERE order_id = %s", (self.order(),))
                self.done["changes"] += 1
                self.stop.wait(self.spec["write_pause_s"])

    def evict(self):
        """What is cached goes when it was found to be true, so that no fill goes unseen. What is not is left alone for
        judge_s: if it is there then, it is stale for good."""
        suspects = {}
        with self.connect() as con, con.cursor() as cur:
            while not self.stop.is_set():
                orders = list({*self.rng.sample(range(1, self.spec["keys"] + 1), 300), *suspects})
                cached = dict(zip(orders, self.client.mget([f"order:{order}" for order in orders])))
                cur.execute("SELECT order_id, amount FROM orders WHERE order_id IN %s", (orders,))
                now, gone = time.monotonic(), []
                for order, amount in cur.fetchall():
                    value = cached[order]
                    before, since = suspects.pop(order, (None, now))
                    is_true = value is None or value.decode() == str(amount)
                    is_late = value == before and now - since > self.spec["judge_s"]
                    self.done["stale"] += not is_true and is_late
                    if is_true or is_late:
                        gone.append(f"order:{order}")
                    else:
                        suspects[order] = (value, since if value == before else now)
                self.done["evictions"] += self.client.unlink(*gone) if gone else 0
                if self.spec["fenced"] and self.rng.random() < 0.1:
                    self.client.unlink(FencedCache.beside("fence", f"order:{self.order()}"))
                self.stop.wait(0.005)

    def run(self):
        def wait():
            sys.stdin.read()
            self.stop.set()

        threading.Thread(target=wait, daemon=True).start()
        {"read": self.read, "write": self.write, "evict": self.evict}[self.spec["role"]]()
        print(json.dumps(self.done))


if __name__ == "__main__":
    Worker(json.loads(sys.argv[1])).run()
