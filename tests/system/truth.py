"""The truth test's machinery: writers, readers through the cache, a history kept by triggers, and the judge.

Judged at the end, when all is quiet: each key in Redis against the database. A value that is not the database's is
LOST unless its fill raced: the SET was done after the last change of that key began to commit, and Redis's own
command log (MONITOR) shows an UNLINK of the key between that moment and the SET. Then sluice did its part, and the
reader put back what it had read before (a SELECT before the change, or between the moment the source sends a
transaction and the moment its own readers see it). Such fills are counted apart. Where MONITOR was not connected
(Redis was just restarted) the first condition alone decides, and they are counted apart again.
"""

import collections
import itertools
import json
import math
import random
import re
import threading
import time

import pymysql
import redis as redis_client

from servers.process import kill_group, spawn
from sluice import wait_until
from tables import Table

USERS = 40
ENOUGH_S = 0.1  # what a writer waits before a transaction that nobody asked for
LOST_CONNECTION = (2003, 2006, 2013, 1053, 1927, 1317, 2002, 3169, 0)
DEADLOCKS = (1213, 1205)

ORDER_SQL = (
    "SELECT 'o', id, order_id, user_id, status, CAST(amount AS CHAR), note FROM shop.orders WHERE order_id = %s "
    "UNION ALL SELECT 'i', id, order_id, quantity, product, NULL, NULL FROM shop.order_items WHERE order_id = %s"
)
USER_SQL = "SELECT order_id, id FROM shop.orders WHERE user_id = %s"


def history_sql(table, columns):
    """DDL of a history table and the triggers that keep it: before and after values beside the transaction's tag."""
    sides = {"INSERT": "a", "UPDATE": "ba", "DELETE": "b"}
    declared = "".join(f", b_{name} {kind} NULL, a_{name} {kind} NULL" for name, kind in columns.items())
    yield (
        f"CREATE TABLE shop.{table}_history (n BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, tx BIGINT NOT NULL, "
        f"op VARCHAR(6) NOT NULL{declared}) ENGINE=InnoDB CHARACTER SET utf8mb4"
    )
    for op, which in sides.items():
        names = [f"{side}_{name}" for side in which for name in columns]
        values = [f"{'OLD' if side == 'b' else 'NEW'}.{name}" for side in which for name in columns]
        yield (
            f"CREATE TRIGGER shop.{table}_{op.lower()} AFTER {op} ON shop.{table} FOR EACH ROW "
            f"INSERT INTO shop.{table}_history (tx, op, {', '.join(names)}) "
            f"VALUES (@tx, '{op.lower()}', {', '.join(values)})"
        )


HISTORIES = {
    "orders": {
        "id": "BIGINT",
        "order_id": "BIGINT",
        "user_id": "BIGINT",
        "status": "VARCHAR(20)",
        "amount": "DECIMAL(12,2)",
        "note": "VARCHAR(200)",
    },
    "order_items": {"id": "BIGINT", "order_id": "BIGINT", "product": "VARCHAR(50)", "quantity": "INT"},
}


def add_histories(db):
    for table, columns in HISTORIES.items():
        db.script(list(history_sql(table, columns)))


def order_key(number):
    return f"order:{number}"


def user_key(number):
    return f"user:{number}:orders"


def read_value(cursor, key):
    """What the application would cache under the key now, as JSON-ready lists."""
    kind, number = key.split(":")[:2]
    if kind == "order":
        cursor.execute(ORDER_SQL, (number, number))
    else:
        cursor.execute(USER_SQL, (number,))
    return sorted((list(row) for row in cursor.fetchall()), key=json.dumps)


class Client(threading.Thread):
    """A thread with a database connection that it renews, until told to stop. An exception fails the test."""

    def __init__(self, world, seed):
        super().__init__(daemon=True)
        self.world, self.rng = world, random.Random(seed)
        self.connection = None
        self.failure = None

    def run(self):
        try:
            while not self.world.done(self):
                try:
                    if self.connection is None:
                        self.connection = self.world.db.connect(autocommit=False, read_timeout=60)
                        self.cursor = self.connection.cursor()
                    self.step()
                except (pymysql.err.OperationalError, pymysql.err.InternalError, pymysql.err.InterfaceError) as error:
                    self.recover(error)
                except (redis_client.exceptions.ConnectionError, redis_client.exceptions.TimeoutError,
                        redis_client.exceptions.BusyLoadingError):
                    time.sleep(0.01)
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = error

    def recover(self, error):
        if error.args and error.args[0] in DEADLOCKS:
            try:
                self.connection.rollback()
                return
            except pymysql.err.MySQLError as lost:  # the server may go down in between
                error = lost
        if not isinstance(error, pymysql.err.InterfaceError) and error.args[0] not in LOST_CONNECTION:
            raise error
        self.connection = None
        time.sleep(0.02)


class Writer(Client):
    """Changes orders and items in random transactions, until the world has had enough."""

    def step(self):
        rng, cursor = self.rng, self.cursor
        if self.world.has_enough():
            time.sleep(ENOUGH_S)
        tx = next(self.world.tx_numbers)
        changed = 0
        cursor.execute("SET @tx = %s", (tx,))
        cursor.execute("BEGIN")
        for _ in range(rng.choice([1, 1, 2, 4])):
            if rng.random() < 0.1:
                cursor.execute("SAVEPOINT s")
                self.change()
                cursor.execute("ROLLBACK TO SAVEPOINT s")
            changed += self.change()
        if rng.random() < 0.08:
            self.connection.rollback()
            return
        self.world.commits[tx] = time.time()
        self.connection.commit()
        self.world.changes[self] += changed
        time.sleep(self.world.pause_s)

    def an_order(self):
        return self.rng.randrange(1, self.world.orders + 1)

    def a_user(self):
        return self.rng.randrange(1, USERS + 1)

    def change(self):
        """One statement or two; returns how many rows it changed."""
        kinds = [
            (6, self.new_order),
            (6, self.pay),
            (3, self.move_user),
            (3, self.move_order),
            (2, self.move_order_with_items),
            (3, self.new_item),
            (3, self.change_item),
            (2, self.move_item),
            (1, self.cancel_user),
            (4, self.delete_order),
        ]
        return self.rng.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]()

    def _do(self, statement, *args):
        return self.cursor.execute(statement, args)

    def new_order(self):
        number = self.an_order()
        rows = self._do(
            "INSERT INTO shop.orders (order_id, user_id, amount, note) VALUES (%s, %s, %s, %s)",
            *(number, self.a_user(), self.rng.randrange(10000) / 100, self.rng.choice([None, "", "été 😀"])),
        )
        for _ in range(self.rng.randrange(3)):
            rows += self._do("INSERT INTO shop.order_items (order_id, product) VALUES (%s, 'p')", number)
        return rows

    def pay(self):
        return self._do(
            "UPDATE shop.orders SET status = %s, amount = amount + 0.01 WHERE order_id = %s ORDER BY id LIMIT 3",
            self.rng.choice(["new", "paid", "sent"]), self.an_order(),
        )

    def move_user(self):
        return self._do(
            "UPDATE shop.orders SET user_id = %s WHERE order_id = %s ORDER BY id LIMIT 1", self.a_user(), self.an_order()
        )

    def move_order(self):
        return self._do(
            "UPDATE shop.orders SET order_id = %s WHERE order_id = %s ORDER BY id LIMIT 1",
            self.an_order(), self.an_order(),
        )

    def move_order_with_items(self):
        old, new = self.an_order(), self.an_order()
        return self._do("UPDATE shop.orders SET order_id = %s WHERE order_id = %s", new, old) + self._do(
            "UPDATE shop.order_items SET order_id = %s WHERE order_id = %s", new, old
        )

    def new_item(self):
        return self._do(
            "INSERT INTO shop.order_items (order_id, product, quantity) VALUES (%s, 'a', 1), (%s, 'b', 2)",
            self.an_order(), self.an_order(),
        )

    def change_item(self):
        return self._do(
            "UPDATE shop.order_items SET quantity = quantity + 1 WHERE order_id = %s ORDER BY id LIMIT 2", self.an_order()
        )

    def move_item(self):
        return self._do(
            "UPDATE shop.order_items SET order_id = %s WHERE order_id = %s ORDER BY id LIMIT 1",
            self.an_order(), self.an_order(),
        )

    def cancel_user(self):
        return self._do(
            "UPDATE shop.orders SET status = 'gone' WHERE user_id = %s ORDER BY id LIMIT 5", self.a_user()
        )

    def delete_order(self):
        number = self.an_order()
        return self._do("DELETE FROM shop.order_items WHERE order_id = %s", number) + self._do(
            "DELETE FROM shop.orders WHERE order_id = %s", number
        )


class Reader(Client):
    """An application: GET, and on a miss SELECT and SET."""

    def __init__(self, world, seed):
        super().__init__(world, seed)
        self.cache = world.redis.client()
        self.hits = 0

    def step(self):
        rng, world = self.rng, self.world
        key = order_key(rng.randrange(1, world.orders + 1)) if rng.random() < 0.7 else user_key(rng.randrange(1, USERS + 1))
        if self.cache.get(key) is not None:
            self.hits += 1
            return
        fill = next(world.fill_numbers)
        begin = time.time()
        value = read_value(self.cursor, key)
        self.connection.commit()
        # Until the answer is here the SET may still be on its way.
        world.fills[fill] = (begin, math.inf)
        self.cache.set(key, json.dumps({"fill": fill, "value": value}))
        world.fills[fill] = (begin, time.time())


class Monitor:
    """Redis's log of all commands, by MONITOR, and the times in which it was not connected."""

    def __init__(self, redis, path):
        self.redis, self.path = redis, path
        self.gaps = [(0.0, time.time())]
        self.process = None

    def attach(self):
        """Call when Redis runs (again); returns when MONITOR does."""
        down = self.gaps.pop()[0] if self.process is None else time.time()
        with open(self.path, "ab") as log:
            self.process = spawn(
                ["redis-cli", "-h", "127.0.0.1", "-p", str(self.redis.port), "monitor"], stdout=log, stderr=log
            )
        with self.redis.client() as client:
            wait_until(lambda: any(c["cmd"] == "monitor" for c in client.client_list()), "MONITOR", 60, 0.005)
        self.gaps.append((down, time.time()))

    def detach(self):
        """Call before Redis goes down."""
        self.gaps.append((time.time(), math.inf))
        if self.process:
            kill_group(self.process, 9)
            self.process.wait()
            self.process = None

    def watched(self, begin, end):
        """True when MONITOR was connected all the time from begin to end."""
        return not any(gap_begin < end and begin < gap_end for gap_begin, gap_end in self.gaps)

    def unlinks(self, keys):
        """{key: [times]} of the UNLINKs of these keys."""
        wanted = {key.encode() for key in keys}
        found = collections.defaultdict(list)
        with open(self.path, "rb") as log:
            for line in log:
                if b'] "unlink" ' not in line.lower():
                    continue
                when = float(line.split(b" ", 1)[0])
                for key in wanted.intersection(re.findall(rb'"([^"]*)"', line)):
                    found[key.decode()].append(when)
        return found


class World:
    """The clients and what they wrote down."""

    def __init__(self, db, redis, seed, orders=300, writers=8, readers=4, pause_s=0):
        """pause_s: of each writer between two transactions."""
        self.db, self.redis, self.orders, self.pause_s = db, redis, orders, pause_s
        self.tx_numbers, self.fill_numbers = itertools.count(1), itertools.count(1)
        self.commits = {}  # tx → when its COMMIT was sent
        self.fills = {}  # fill → (SELECT begun, SET answered)
        self.goal = math.inf
        self.monitor = None
        self._stopped = set()
        self.writers = [Writer(self, f"{seed} writer {n}") for n in range(writers)]
        self.readers = [Reader(self, f"{seed} reader {n}") for n in range(readers)]
        self.changes = dict.fromkeys(self.writers, 0)

    def done(self, client):
        return type(client) in self._stopped

    def start(self, monitor_path):
        self.monitor = Monitor(self.redis, monitor_path)
        self.monitor.attach()
        for client in self.writers + self.readers:
            client.start()

    def has_enough(self):
        """There are as many changes as the test asked for (`goal`): more come slowly."""
        return sum(self.changes.values()) >= self.goal

    def changed(self):
        """Rows changed so far by committed transactions."""
        for client in self.writers + self.readers:
            if client.failure:
                raise client.failure
        return sum(self.changes.values())

    def stop(self, kind):
        self._stopped.add(kind)
        for client in self.writers + self.readers:
            if isinstance(client, kind):
                client.join(120)
                assert not client.is_alive(), "a client does not end"
                if client.failure:
                    raise client.failure


Verdict = collections.namedtuple("Verdict", "keys true raced unwatched lost")


def changing(table):
    """SQL: the row of the history is of a change. Triggers also run for updates that leave a row as it was, of which the
    log has none: nobody is told of those, and nobody has to be."""
    return " OR ".join(f"NOT (b_{name} <=> a_{name})" for name in HISTORIES[table])


def last_changes(db):
    """{cache key: txs that changed it} by the triggers' history."""
    last = {}
    orders = "SELECT tx, b_order_id, a_order_id, b_user_id, a_user_id FROM shop.orders_history"
    items = "SELECT tx, b_order_id, a_order_id, NULL, NULL FROM shop.order_items_history"
    for table, select in (("orders", orders), ("order_items", items)):
        for tx, *touched in db.sql(f"{select} WHERE {changing(table)} ORDER BY n"):
            for make, number in zip((order_key, order_key, user_key, user_key), touched):
                if number is not None:
                    last.setdefault(make(number), []).append(tx)
    return last


def judge(world):
    """Compares each key in Redis with the database; all clients have stopped and sluice has caught up."""
    changes = last_changes(world.db)
    stale, true = {}, 0
    with world.db.connect() as con, con.cursor() as cursor, world.redis.client() as cache:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        for raw in cache.scan_iter(count=1000):
            key = raw.decode()
            stored = json.loads(cache.get(key))
            if stored["value"] == json.loads(json.dumps(read_value(cursor, key))):
                true += 1
            else:
                stale[key] = stored["fill"]
    unlinks = world.monitor.unlinks(stale) if stale else {}
    raced, unwatched, lost = [], [], []
    for key, fill in stale.items():
        begin, end = world.fills[fill]
        committed = max(world.commits[tx] for tx in changes[key])
        if end < committed:
            lost.append((key, begin, end, committed, "filled before the last change, never removed"))
        elif any(committed <= when <= end for when in unlinks.get(key, ())):
            raced.append(key)
        elif not world.monitor.watched(committed, end):
            unwatched.append(key)
        else:
            lost.append((key, begin, end, committed, "no UNLINK between the last change and the fill"))
    return Verdict(true + len(stale), true, raced, unwatched, lost)


def check_history(db, lines):
    """The changes that dump printed are those that the triggers saw, row by row and in order."""
    for name, columns in HISTORIES.items():
        table = Table(db, f"{name}_history")
        expected = collections.defaultdict(list)
        for row in sorted(table.rows().values(), key=lambda row: row["n"]):
            before = None if row["op"] == "insert" else {column: row[f"b_{column}"] for column in columns}
            after = None if row["op"] == "delete" else {column: row[f"a_{column}"] for column in columns}
            # Triggers run for updates that change nothing; the log has no row for those.
            if before != after:
                expected[(after or before)["id"]].append((row["op"], before, after))
        seen = collections.defaultdict(list)
        for line in lines:
            if line["table"] == name and line.get("half") != "from":
                pk = (line.get("after") or line["before"])["id"]
                seen[pk].append((line["op"], line.get("before"), line.get("after")))
        assert seen.keys() == expected.keys(), f"{name}: rows {sorted(seen.keys() ^ expected.keys())[:5]}"
        for row_id, changes in expected.items():
            for number, (ours, theirs) in enumerate(itertools.zip_longest(seen[row_id], changes)):
                assert ours == theirs, f"{name} {row_id}, change {number} of {len(changes)}: {ours} instead of {theirs}"
