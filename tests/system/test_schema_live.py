"""Names of columns that no log tells: read from a live server while its tables change, and kept over everything.

Each value names the column that it was written to, and all columns have one type: a wrong definition gives rows that
look right and are not.
"""

import json
import random
import signal
import threading
import time

import pytest

from servers.process import spawn
from shop import config
from sluice import BINARY, FINE, STOPPED, at, source_of, stopped_with, wait_until
from test_failover import hosts, pair, promote  # noqa: F401

WITHOUT_NAMES = {"mariadb": "NO_LOG", "mysql": "MINIMAL"}
TYPE = "VARCHAR(40) CHARACTER SET utf8mb4"
ROUNDS = 20
TEMPLATES = {"shop.t": "k:{a}"}


def create(table, columns=("a", "b")):
    body = ", ".join(f"{name} {TYPE}" for name in columns)
    return f"CREATE TABLE shop.{table} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, {body})"


@pytest.fixture
def bare(db, flavor):
    """The shared server without names in its log, and the table."""
    was = db.value("SELECT @@global.binlog_row_metadata")
    db.sql(f"SET GLOBAL binlog_row_metadata = '{WITHOUT_NAMES[flavor]}'")
    db.sql(create("t"))
    yield db
    db.sql(f"SET GLOBAL binlog_row_metadata = '{was}'")


class Table:
    """A table whose columns change; knows their names."""

    def __init__(self, db, name="t", columns=("a", "b"), cache=None, seed=1, copies=True):
        self.db, self.name, self.columns, self.cache = db, name, list(columns), cache
        self.rng = random.Random(seed)
        self.kinds = ["swap", "move", "add", "drop", "again"] + ["copy"] * copies
        self.number = 0
        self.lock = threading.Lock()
        self.con = db.connect("shop")

    def run(self, sql):
        with self.con.cursor() as cur:
            cur.execute(sql)

    def row(self):
        """A row in which each value names its column. What a service must take out of the cache is there before, and
        what it would take out with other names too."""
        self.number += 1
        if self.cache:
            self.cache.mset({f"k:{name}-{self.number}": 1 for name in self.columns})
        values = ", ".join(f"'{name}-{self.number}'" for name in self.columns)
        self.run(f"INSERT INTO {self.name} ({', '.join(self.columns)}) VALUES ({values})")
        return self.number

    def rows(self, count):
        return [self.row() for _ in range(count)]

    def change(self):
        """A random statement that moves, renames, adds or drops columns, on its own way."""
        kind = self.rng.choice(self.kinds)
        names = self.columns
        if kind == "swap":
            one, other = self.rng.sample(names, 2)
            self.run(f"ALTER TABLE {self.name} CHANGE {one} {other} {TYPE}, CHANGE {other} {one} {TYPE}")
        elif kind == "move":
            self.run(f"ALTER TABLE {self.name} MODIFY {self.rng.choice(names)} {TYPE} FIRST")
        elif kind == "add" and len(names) < 6:
            new = next(name for name in "cdefgh" if name not in names)
            where = self.rng.choice(["FIRST", f"AFTER {self.rng.choice(names)}"])
            self.run(f"ALTER TABLE {self.name} ADD COLUMN {new} {TYPE} {where}")
            names.append(new)
        elif kind == "drop" and len(names) > 2:
            gone = self.rng.choice([name for name in names if name not in "ab"])
            self.run(f"ALTER TABLE {self.name} DROP COLUMN {gone}")
            names.remove(gone)
        elif kind == "copy":
            copy = f"_{self.name}_gho"
            self.run(f"CREATE TABLE {copy} LIKE {self.name}")
            self.run(f"ALTER TABLE {copy} MODIFY a {TYPE} FIRST, MODIFY b {TYPE} AFTER id")
            self.run(f"RENAME TABLE {self.name} TO {self.name}_del, {copy} TO {self.name}")
            self.run(f"DROP TABLE {self.name}_del")
        elif kind == "again":
            self.rng.shuffle(names)
            self.run(f"DROP TABLE {self.name}")
            self.run(create(self.name, names))

    # What a service has done with the rows 1 to number.
    def undone(self):
        keys = [f"k:a-{number}" for number in range(1, self.number + 1)]
        return [key for key, value in zip(keys, self.cache.mget(keys)) if value is not None] if keys else []

    def wrong(self):
        keys = [f"k:{name}-{number}" for number in range(1, self.number + 1) for name in "b"]
        return [key for key, value in zip(keys, self.cache.mget(keys)) if value is None] if keys else []

    def wait_done(self, driver):
        wait_until(lambda: not self.undone(), lambda: f"{self.undone()[:5]} to vanish: {driver.tail()}")
        assert not self.wrong()


def test_a_wait_for_a_definition_is_told_and_ends_by_a_signal(new_db, redis, sluice, flavor):
    """RENAME holds the lock of t's metadata while it waits for that of u."""
    db = new_db({"binlog_row_metadata": WITHOUT_NAMES[flavor]})
    for name in ("t", "u"):
        db.sql(create(name))
    reads = db.connect("shop")
    reads.begin()
    with reads.cursor() as cur:
        cur.execute("SELECT * FROM u")
    renames = threading.Thread(target=db.sql, args=("RENAME TABLE shop.t TO shop.t2, shop.u TO shop.u2",))
    renames.start()
    wait_until(lambda: db.sql("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'RENAME%'"), "RENAME")
    driver = sluice(config(db, redis, routes=live(db)["routes"])).start()
    driver.wait_log(err="schema_waits", text=lambda text: "shop.t: " in text)
    began = time.monotonic()
    assert driver.stop() == FINE
    assert time.monotonic() - began < 4, "a lock is asked for again after five seconds"
    reads.rollback()
    renames.join()
    db.sql("RENAME TABLE shop.t2 TO shop.t")
    cache = redis.client()
    cache.set("k:x", "planted")
    driver.start()
    driver.wait_log(msg=lambda text: "connected" in text)
    db.sql("INSERT INTO shop.t (a) VALUES ('x')")
    wait_until(lambda: cache.get("k:x") is None, lambda: f"k:x to vanish: {driver.tail()}")
    assert driver.stop() == FINE


class Storm(threading.Thread):
    """Rows and statements at full speed until it is ended."""

    def __init__(self, table, share=0.3, pause_s=0.0):
        super().__init__()
        self.table, self.share, self.pause_s = table, share, pause_s
        self.ending, self.error = threading.Event(), None

    def run(self):
        try:
            while not self.ending.is_set():
                if self.table.rng.random() < self.share:
                    self.table.change()
                self.table.row()
                time.sleep(self.pause_s)
        except Exception as error:  # told by end()
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()
        assert self.error is None, self.error


def live(db, **more):
    return {
        "source": source_of(db, start="current", **more),
        "sinks": {"cache": {"type": "redis", "url": "redis://127.0.0.1:1"}},
        "routes": [{"table": "shop.t", "key": "id", "to": "cache", "invalidate": ["k:{a}"]}],
    }


class Dump:
    """A dump of a live server that is ended when it has printed enough."""

    def __init__(self, driver, *args):
        self.path, self.driver = driver.directory + "/dumped", driver
        with open(self.path, "wb") as out, open(driver.log_path, "ab") as log:
            self.log_from = log.tell()
            self.process = spawn([BINARY, "dump", "-c", driver.config_path, *args], stdout=out, stderr=log,
                                 cwd=driver.directory)

    def lines(self):
        with open(self.path, "rb") as text:
            whole = text.read().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def finish(self, rows):
        """(exit code, lines), once there are that many or it has ended."""

        def enough():
            with open(self.path, "rb") as text:
                return text.read().count(b"\n") >= rows or self.process.poll() is not None

        wait_until(enough, lambda: f"{rows} rows: {self.driver.tail()}", 60)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60), self.lines()

    def said(self):
        with open(self.driver.log_path, "rb") as log:
            log.seek(self.log_from)
            return log.read().decode()


def numbers_of(lines, table="t"):
    """The rows' numbers; fails when a value is not its column's."""
    numbers = []
    for line in lines:
        if line.get("table") != table or line.get("op") != "insert":
            continue
        values = {name: value for name, value in line["after"].items() if name != "id"}
        assert all(value.startswith(name + "-") for name, value in values.items()), line
        assert len({value.split("-")[1] for value in values.values()}) == 1, line
        numbers.append(int(values["a"].split("-")[1]))
    return numbers


def test_fresh_start_among_statements_and_rows(bare, sluice, full):
    driver = sluice(live(bare))
    # A copy that is made and renamed within the first moment may be unknown: that would be a stop.
    with Storm(Table(bare, copies=False)):
        for _ in range(ROUNDS * (5 if full else 1)):
            dump = Dump(driver, "--table", "shop.t")
            code, lines = dump.finish(30)
            numbers = numbers_of(lines)
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True, numbers
            assert code == FINE, dump.said()


@pytest.mark.flavors("mysql")
def test_start_while_a_commit_is_in_the_log_and_not_yet_in_the_gtid_set(new_db, sluice):
    """Semi-sync holds commits there as long as no replica confirms them: the place noted at the start lies behind the
    first transactions of the dump."""
    db = new_db({"binlog_row_metadata": "MINIMAL"})
    db.script([create("t"), "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'",
               "SET GLOBAL rpl_semi_sync_source_timeout = 3000", "SET GLOBAL rpl_semi_sync_source_enabled = 1"])
    begin, known = db.position(), db.value("SELECT @@gtid_executed")
    table = Table(db)
    writer = threading.Thread(target=table.rows, args=(1,))
    writer.start()
    try:
        wait_until(lambda: db.position() != begin, lambda: "the commit is not in the log", 10, 0.01)
        dump = Dump(sluice(live(db)))
        wait_until(lambda: "from the source" in dump.said(), dump.said, 10, 0.01)
        assert db.value("SELECT @@gtid_executed") == known, "the commit was not held"
    finally:
        writer.join()
    table.rows(2)
    code, lines = dump.finish(3)
    assert code == FINE and numbers_of(lines) == [1, 2, 3], dump.said()


def test_table_that_is_not_changed_is_known_from_an_older_start_on(bare, sluice):
    table = Table(bare)
    begin = bare.position()
    table.rows(20)
    bare.flush_logs()
    table.rows(20)
    driver = sluice(live(bare))
    lines = driver.dump("--from", at(begin), "--to", at(bare.position()), "--table", "shop.t", config=True)
    assert numbers_of(lines) == list(range(1, 41))


def test_rows_before_an_unread_change_stop_and_those_behind_it_come(bare, sluice):
    table = Table(bare)
    begin = bare.position()
    table.rows(3)
    bare.sql(f"ALTER TABLE shop.t MODIFY b {TYPE} FIRST")
    behind = bare.position()
    table.rows(3)
    driver = sluice(live(bare))
    end = at(bare.position())
    done = driver.run("dump", "--from", at(begin), "--to", end, "--table", "shop.t")
    assert done.returncode == STOPPED and "shop.t" in done.stderr, done.stderr
    assert not done.stdout
    lines = driver.dump("--from", at(behind), "--to", end, "--table", "shop.t", config=True)
    assert numbers_of(lines) == [4, 5, 6]


def test_table_that_is_made_behind_an_older_start_is_known_from_the_log(bare, sluice):
    begin = bare.position()
    bare.sql(create("u"))
    table = Table(bare, "u")
    for _ in range(30):
        table.row()
        table.change()
    driver = sluice(live(bare))
    lines = driver.dump("--from", at(begin), "--to", at(bare.position()), "--table", "shop.u", config=True)
    assert numbers_of(lines, "u") == list(range(1, 31))


# The service.


def routed(db, redis, *tables, start="current", **more):
    routes = [{"table": f"shop.{name}", "key": "id", "to": "cache", "invalidate": ["k:{a}"], "on_truncate": "ignore"} for name in tables]
    return config(db, redis, start, routes=routes, **more)


@pytest.fixture
def table(bare, redis):
    return Table(bare, cache=redis.client())


def streaming(driver, table):
    """Started, and past the reading of the tables."""
    driver.start()
    driver.wait_log(msg=lambda text: text.startswith("connected to"))
    table.row()
    table.wait_done(driver)
    return driver


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_statements_while_sluice_is_down(table, redis, sluice, how):
    driver = streaming(sluice(routed(table.db, redis, "t")), table)
    for _ in range(4):
        if how == "stop":
            assert driver.stop() == FINE
        else:
            driver.kill()
        for _ in range(6):
            table.rows(2)
            table.change()
        table.rows(2)
        driver.start()
        table.wait_done(driver)
    assert driver.stop() == FINE


def test_killed_between_a_statement_and_its_first_row(table, redis, sluice):
    driver = streaming(sluice(routed(table.db, redis, "t")), table)
    for _ in range(5):
        said = len(driver.find_log(msg="statement on a routed table"))
        table.run(f"ALTER TABLE t CHANGE a b {TYPE}, CHANGE b a {TYPE}")
        wait_until(lambda: len(driver.find_log(msg="statement on a routed table")) > said, driver.tail)
        driver.kill()
        table.rows(2)
        driver.start()
        table.wait_done(driver)


def test_killed_at_any_time_among_statements(table, redis, sluice, rng, full):
    driver = streaming(sluice(routed(table.db, redis, "t")), table)
    with Storm(table, pause_s=0.002):
        for _ in range(40 if full else 8):
            time.sleep(rng.random() * 0.5)  # any time will do
            driver.restart()
    table.wait_done(driver)
    assert driver.stop() == FINE


def test_killed_before_its_first_checkpoint(table, redis, sluice):
    """What was read is worth nothing when the next start leaves out what happened since."""
    driver = sluice(routed(table.db, redis, "t"))
    for _ in range(3):
        driver.start()
        driver.wait_log(msg=lambda text: text.startswith("connected to"))
        driver.kill()
        table.change()
        assert driver.run("position", "reset").returncode == FINE
    streaming(driver, table)
    assert driver.stop() == FINE


def test_position_set_forward_over_a_change(table, redis, sluice):
    driver = streaming(sluice(routed(table.db, redis, "t")), table)
    assert driver.stop() == FINE
    begin = table.db.position()
    table.run(f"ALTER TABLE t CHANGE a b {TYPE}, CHANGE b a {TYPE}")
    forward = table.db.position()
    assert driver.run("position", "set", at(forward)).returncode == FINE
    driver.start()
    table.rows(3)
    table.wait_done(driver)
    assert driver.stop() == FINE
    # And back, to where the history knows the names of then.
    assert driver.run("position", "set", at(begin)).returncode == FINE
    driver.start()
    table.rows(3)
    table.wait_done(driver)


def test_new_route_on_a_restart_with_a_backlog(table, redis, sluice):
    table.db.sql(create("u"))
    other = Table(table.db, "u", cache=redis.client())
    driver = streaming(sluice(routed(table.db, redis, "t")), table)
    assert driver.stop() == FINE
    table.number = 100  # the two tables' rows have other keys
    table.rows(5)
    other.rows(20)
    table.run(f"ALTER TABLE t MODIFY b {TYPE} FIRST")
    table.rows(5)
    driver.configure(routed(table.db, redis, "t", "u"))
    driver.start()
    other.wait_done(driver)
    wait_until(lambda: not [key for key in table.undone() if int(key[4:]) > 100], driver.tail)
    assert driver.stop() == FINE


def test_new_route_with_a_change_in_the_backlog_stops_before_its_rows(table, redis, sluice):
    table.db.sql(create("u"))
    other = Table(table.db, "u", cache=redis.client())
    driver = streaming(sluice(routed(table.db, redis, "t")), table)
    assert driver.stop() == FINE
    other.rows(2)
    other.run(f"ALTER TABLE u CHANGE a b {TYPE}, CHANGE b a {TYPE}")
    other.rows(2)
    driver.configure(routed(table.db, redis, "t", "u"))
    driver.start()
    line = stopped_with(driver, "schema_unknown")
    assert "shop.u" in line["text"], line
    assert not other.wrong() and len(other.undone()) == 4


def test_copy_that_is_being_filled_at_the_start_is_known_when_it_is_renamed(table, redis, sluice):
    table.run("CREATE TABLE _t_new LIKE t")
    table.run(f"ALTER TABLE _t_new MODIFY b {TYPE} FIRST")
    driver = streaming(sluice(routed(table.db, redis, "t")), table)
    pid = driver.process.pid
    table.run("RENAME TABLE t TO _t_old, _t_new TO t")
    table.rows(5)
    table.wait_done(driver)
    assert driver.alive() and driver.process.pid == pid
    assert driver.stop() == FINE


def test_view_that_is_renamed_is_no_table(table, redis, sluice):
    driver = streaming(sluice(routed(table.db, redis, "t", "*")), table)
    pid = driver.process.pid
    table.run("CREATE VIEW v AS SELECT 'x' AS x")
    table.run("RENAME TABLE v TO w")
    table.rows(3)
    table.wait_done(driver)
    assert driver.alive() and driver.process.pid == pid
    assert driver.stop() == FINE


@pytest.mark.parametrize("when", ["before", "behind", "both"])
def test_statements_on_either_side_of_a_failover(pair, redis, sluice, flavor, when):  # noqa: F811
    primary, replica = pair
    for server in pair:
        server.sql(f"SET GLOBAL binlog_row_metadata = '{WITHOUT_NAMES[flavor]}'")
    primary.sql(create("t"))
    table = Table(primary, cache=redis.client())
    made = routed(primary, redis, "t")
    made["source"]["host"] = hosts(primary, replica)
    driver = streaming(sluice(made), table)
    driver.kill()
    table.rows(3)
    if when != "behind":
        table.run(f"ALTER TABLE t CHANGE a b {TYPE}, CHANGE b a {TYPE}")
        table.rows(3)
    replica.catch_up_with(primary)
    primary.kill()
    promote(replica)
    table.con = replica.connect("shop")
    if when != "before":
        table.run(f"ALTER TABLE t MODIFY b {TYPE} FIRST")
    table.rows(3)
    driver.start()
    table.wait_done(driver)
    assert driver.stop() == FINE


def test_many_tables_are_read_once(table, redis, sluice, full):
    """A restart reads none of them again, whatever happens to some while the first start reads."""
    db, count = table.db, 2_000 if full else 200
    db.script([create(f"m{number}") for number in range(count)])
    driver = sluice(routed(db, redis, "*"))
    others = Table(db, "m7", cache=redis.client(), copies=False)
    with Storm(others, share=0.5):
        driver.start()
        driver.wait_log(msg=lambda text: text.startswith("connected to"))
    others.cache.flushall()
    others.number = 0
    others.rows(3)
    others.wait_done(driver)
    assert driver.stop() == FINE
    before = shown(db)
    driver.start()
    others.rows(3)
    others.wait_done(driver)
    # Once each for its foreign keys, where the server does not log what they change, and not for its definition.
    assert shown(db) - before <= (count + 10 if db.flavor == "mariadb" else 10)
    assert driver.stop() == FINE


def shown(db):
    """How many definitions the server was asked for."""
    return int(db.sql("SHOW GLOBAL STATUS LIKE 'Com_show_create_table'")[0][1])
