"""XA transactions: rows arrive with their XA COMMIT, never after XA ROLLBACK, over restarts of sluice and of the server."""

import json

import pymysql
import pytest

from folding import Fold, assert_valid
from sluice import FINE, at, source_of, stopped_with, wait_until
from tables import Table
from test_dump import recorded

TRANSACTIONS = 20
FULL_TRANSACTIONS = 1000
OPEN_MOST = 8
IDS = range(1, 60)
UNKNOWN_XID = 1397
LOCK_WAIT = 1205
TABLE = "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT NOT NULL, who VARCHAR(20) NOT NULL)"
OTHER = "CREATE TABLE shop.other (id INT PRIMARY KEY AUTO_INCREMENT, v INT)"


def config(db, start="earliest", tables=("shop.t",), **more):
    return {
        "source": source_of(db, start=start, **more.pop("source", {})),
        "sinks": {"out": {"type": "stdout"}},
        "routes": [{"table": table, "to": "out"} for table in tables],
        "partitions": 1,
        "checkpoint_ms": 50,
        **more,
    }


def changes(driver):
    """What all runs of the service have printed, each change once, in the order in which it came first."""
    seen, lines = set(), []
    with open(driver.log_path, encoding="utf-8", errors="replace") as log:
        for text in log:
            if not text.startswith('{"op"'):
                continue
            try:
                line = json.loads(text)
            except ValueError:
                continue  # cut by a kill; it comes again
            if line["version"] not in seen:
                seen.add(line["version"])
                lines.append(line)
    return lines


def prepared(driver):
    """The figure of `status`; None while nobody answers."""
    text = driver.run("status", "--json").stdout
    return json.loads(text)["xa_prepared"] if text else None


def prepared_on(db):
    """gtrid and bqual, as one text, of what XA RECOVER lists."""
    return [row[3].decode() if isinstance(row[3], bytes) else row[3] for row in db.sql("XA RECOVER")]


def ids(lines):
    return [line["after"]["id"] if "after" in line else line["before"]["id"] for line in lines]


class Workload:
    """XA transactions side by side, on rows of their own, and what is committed in the end."""

    def __init__(self, db, rng):
        self.db, self.rng = db, rng
        # MySQL sorts what it finds prepared at its start by an order that is none when format ids differ, and rolls
        # back what it then does not find: all that is prepared at one time has one.
        self.formats = [rng.randrange(1, 9)] if db.flavor == "mysql" else range(1, 9)
        self.begun = self.committed = self.rolled_back = self.one_phase = 0
        self.open = {}  # xid: (effects, connection that prepared it or None)
        self.truth = {}

    def locked(self):
        return {row for effects, _ in self.open.values() for row in effects}

    def connect(self):
        con = self.db.connect("shop")
        con.cursor().execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        con.cursor().execute("SET SESSION innodb_lock_wait_timeout = 1")
        return con

    def change(self, cur, who):
        """Changes rows that no open transaction holds; returns {id: row or None}."""
        effects = {}
        for row in self.rng.sample(sorted(set(IDS) - self.locked()), self.rng.randint(0, 4)):
            value = self.rng.randrange(1_000_000)
            if row not in self.truth:
                statement, effect = f"INSERT INTO t VALUES ({row}, {value}, '{who}')", (value, who)
            elif self.rng.random() < 0.7:
                statement, effect = f"UPDATE t SET v = {value}, who = '{who}' WHERE id = {row}", (value, who)
            else:
                statement, effect = f"DELETE FROM t WHERE id = {row}", None
            try:
                cur.execute(statement)
                effects[row] = effect
            except pymysql.err.OperationalError as error:
                # An INSERT where a deleted row was holds the gap beside it, too.
                assert error.args[0] == LOCK_WAIT
            if self.rng.random() < 0.3:
                cur.execute("INSERT INTO other (v) VALUES (1)")
        return effects

    def apply(self, effects):
        for row, value in effects.items():
            if value is None:
                self.truth.pop(row, None)
            else:
                self.truth[row] = value

    def ordinary(self):
        with self.connect() as con, con.cursor() as cur:
            cur.execute("BEGIN")
            effects = self.change(cur, "plain")
            cur.execute("COMMIT")
        self.apply(effects)

    def begin(self):
        """One more, up to its XA PREPARE or its XA COMMIT ONE PHASE."""
        self.begun += 1
        branch = self.rng.choice(["b", "", "long"])
        xid = f"'x{self.begun}','{branch}',{self.rng.choice(self.formats)}"
        con = self.connect()
        cur = con.cursor()
        cur.execute(f"XA START {xid}")
        effects = self.change(cur, xid[:12].replace("'", ""))
        cur.execute(f"XA END {xid}")
        if self.rng.random() < 0.2:
            cur.execute(f"XA COMMIT {xid} ONE PHASE")
            con.close()
            self.one_phase += 1
            self.apply(effects)
            return
        cur.execute(f"XA PREPARE {xid}")
        if self.rng.random() < 0.5:
            con.close()
            con = None
        self.open[xid] = effects, con

    def resolve(self, xid=None, commit=None):
        xid = xid or self.rng.choice(sorted(self.open))
        commit = self.rng.random() < 0.6 if commit is None else commit
        effects, con = self.open.pop(xid)
        word = "COMMIT" if commit else "ROLLBACK"

        said = []

        def done():
            """Another session can have it once the one that prepared it is gone; an empty one may be gone with it."""
            one = self.connect() if said or not con else con
            try:
                one.cursor().execute(f"XA {word} {xid}")
                return True
            except pymysql.err.MySQLError as error:
                said[:] = [str(error)]
                return not effects and error.args[0] == UNKNOWN_XID
            finally:
                one.close()

        wait_until(done, lambda: f"XA {word} {xid} {effects}: {said}, {self.db.sql('XA RECOVER')}", 10)
        if commit:
            self.committed += 1
            self.apply(effects)
        else:
            self.rolled_back += 1

    def disconnect(self):
        """Before a restart of the server: what is prepared stays."""
        for xid, (effects, con) in list(self.open.items()):
            if con:
                con.close()
            self.open[xid] = effects, None

    def check_recovered(self):
        """The server kept its promise: it has all that is prepared; one without changes may be gone."""
        recovered = set(prepared_on(self.db))
        changing = {"".join(xid.split("'")[1:-1:2]) for xid, (effects, _) in self.open.items() if effects}
        assert changing <= recovered

    def step(self):
        if self.rng.random() < 0.3:
            self.ordinary()
        if len(self.open) >= OPEN_MOST or (self.open and self.rng.random() < 0.4):
            self.resolve()
        else:
            self.begin()

    def check(self, driver, mark):
        """Exactly what was committed has arrived."""
        self.db.sql("INSERT INTO shop.t VALUES (%s, 0, 'mark')", (mark,))
        self.truth[mark] = (0, "mark")
        wait_until(lambda: mark in ids(changes(driver)), "the last change")
        lines = changes(driver)
        assert_valid(lines)
        folded = Fold([Table(self.db, "t")]).apply_all(lines)
        held = {row["id"]: (row["v"], row["who"]) for row in folded.rows["shop", "t"].values()}
        assert held == self.truth
        assert {row[0]: row[1:] for row in self.db.sql("SELECT id, v, who FROM shop.t")} == self.truth
        folded.assert_equals_select()


# A killed server holds what it said it holds.
DURABLE = {"innodb_flush_log_at_trx_commit": 1, "sync_binlog": 1}
VARIANTS = {
    "plain": ({}, {}),
    "compressed": (
        {"binlog_transaction_compression": "ON"},
        {"log_bin_compress": "ON", "log_bin_compress_min_len": "10"},
    ),
    "file": ({"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"}, {}),
}


def restart(driver, by_file):
    """kill -9, and on from the stored position; by_file: without its GTIDs."""
    driver.kill()
    shown = driver.rendered("position", "show").split("\t")
    if by_file and len(shown) == 3:
        assert driver.run("position", "set", shown[1]).returncode == FINE
    driver.start()


@pytest.mark.parametrize("variant", VARIANTS)
def test_exactly_what_was_committed_arrives(new_db, flavor, variant, sluice, rng, full):
    """Prepared, committed, rolled back, one phase, left open, while sluice is killed and the server restarts."""
    options = dict(zip(("mysql", "mariadb"), VARIANTS[variant]))[flavor]
    db = new_db({**DURABLE, **options})
    db.script([TABLE, OTHER])
    work = Workload(db, rng)
    driver = sluice(config(db)).start()
    number = FULL_TRANSACTIONS if full else TRANSACTIONS
    all_restarts = full or variant == "plain"
    restarts = {number // 3: False, 2 * number // 3: True} if all_restarts else {}
    while work.begun < number:
        before = work.begun
        work.step()
        if work.rng.random() < 0.15:
            restart(driver, by_file=variant == "file")
        if work.begun > before and work.begun in restarts:
            work.disconnect()
            db.restart(kill=restarts[work.begun])
            work.check_recovered()
    left = sorted(work.open)[: max(1, len(work.open) // 2)]
    for xid in sorted(work.open):
        if xid not in left:
            work.resolve(xid)
    work.check(driver, 1001)
    assert work.committed and work.rolled_back
    # Those that were left open, after both have been down.
    work.disconnect()
    driver.kill()
    if full or not all_restarts:
        db.restart(kill=True)
        work.check_recovered()
    driver.start()
    for xid in left:
        work.resolve(xid, commit=True)
    work.check(driver, 1002)
    assert driver.stop() == FINE
    assert driver.run("position", "show").stdout


def xa(db, xid, *statements, more=""):
    """Prepares one; `more`: of the xid, behind its first part."""
    with db.connect("shop") as con, con.cursor() as cur:
        for statement in (f"XA START '{xid}'{more}", *statements, f"XA END '{xid}'{more}", f"XA PREPARE '{xid}'{more}"):
            cur.execute(statement)


def resolve(db, xid, word="COMMIT", more=""):
    def done():
        try:
            db.sql(f"XA {word} '{xid}'{more}")
            return True
        except pymysql.err.MySQLError:
            return False

    wait_until(done, f"XA {word} {xid}")


@pytest.fixture
def shop(db):
    db.script([TABLE, OTHER])
    yield db
    for name in prepared_on(db):
        resolve(db, name, "ROLLBACK")


def test_started_between_prepare_and_commit__stops_and_names_it(shop, sluice):
    xa(shop, "lost", "INSERT INTO t VALUES (1, 1, 'x')")
    driver = sluice(config(shop, start=at(shop.position()))).start()
    resolve(shop, "lost")
    line = stopped_with(driver, "xa_unknown")
    assert "X'6c6f7374'" in str(line)
    # Told to, it goes on without.
    driver.configure(config(shop, start=at(shop.position()), source={"on_unknown_xa": "warn"}))
    driver.start()
    shop.sql("INSERT INTO shop.t VALUES (2, 1, 'x')")
    wait_until(lambda: ids(changes(driver)) == [2], "the change behind it")
    assert driver.find_log(err="xa_unknown")
    assert driver.stop() == FINE


def test_dump_of_files_and_of_the_server_is_the_same(shop, sluice):
    with recorded(shop) as files:
        begin = shop.position()
        xa(shop, "a", "INSERT INTO t VALUES (1, 1, 'a')", "INSERT INTO other (v) VALUES (1)")
        xa(shop, "b", "INSERT INTO t VALUES (2, 1, 'b')")
        xa(shop, "c", "INSERT INTO t VALUES (3, 1, 'c')")
        shop.flush_logs()
        shop.sql("INSERT INTO shop.t VALUES (4, 1, 'd')")
        resolve(shop, "b")
        resolve(shop, "a", "ROLLBACK")
        end = shop.position()
    lines = sluice().dump(*files, "--table", "shop.t")
    assert ids(lines) == [4, 2]
    driver = sluice(config(shop))
    assert driver.dump("--from", at(begin), "--to", at(end), config=True) == lines


def test_more_than_the_cap__stops(shop, sluice):
    driver = sluice(config(shop, start=at(shop.position()), xa_spool_bytes="64KiB")).start()
    rows = ",".join(f"({row}, 1, 'aaaaaaaaaaaaaaa')" for row in range(4000))
    xa(shop, "large", f"INSERT INTO t VALUES {rows}")
    stopped_with(driver, "xa_spool_full")
    # With room it is read whole.
    driver.configure(config(shop, xa_spool_bytes="1MiB"))
    driver.start()
    resolve(shop, "large")
    wait_until(lambda: len(changes(driver)) == 4000, "all rows")
    assert driver.stop() == FINE


def test_route_that_came_in_between__stops_instead_of_losing_rows(shop, sluice):
    driver = sluice(config(shop, start=at(shop.position()))).start()
    begin = shop.position()
    xa(shop, "two", "INSERT INTO t VALUES (1, 1, 'x')", "INSERT INTO other (v) VALUES (7)")
    wait_until(lambda: prepared(driver) == 1, "the PREPARE to be read")
    assert driver.stop() == FINE
    driver.configure(config(shop, tables=("shop.t", "shop.other")))
    driver.start()
    resolve(shop, "two")
    line = stopped_with(driver, "xa_left_out")
    assert "shop.other" in str(line)
    # At the place that it names, all is there.
    assert driver.run("position", "set", at(begin)).returncode == FINE
    driver.start()
    wait_until(lambda: len(changes(driver)) == 2, "both rows")
    assert driver.stop() == FINE


def test_names_from_the_table__rows_prepared_before_a_restart_arrive(new_db, sluice):
    """The log has no names; the definition that is read after the restart is that of the PREPARE."""
    db = new_db({"binlog_row_metadata": "MINIMAL"})
    db.script([TABLE, OTHER])
    driver = sluice(config(db, start="current")).start()
    driver.wait_log(msg="reading")
    xa(db, "m", "INSERT INTO t VALUES (1, 1, 'x')")
    wait_until(lambda: prepared(driver) == 1, "the PREPARE to be read")
    driver.restart()
    wait_until(lambda: prepared(driver) == 1, "what is prepared, after a restart")
    resolve(db, "m")
    wait_until(lambda: ids(changes(driver)) == [1], "the row")
    assert driver.stop() == FINE
