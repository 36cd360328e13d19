"""What the log holds as statements: changes stop, whatever table they name, or are named and passed over; the rest says
nothing about rows."""

import os

import pytest

from shop import Shop, config
from sluice import FINE, STOPPED, at, source_of, wait_until

TABLES = [
    "CREATE DATABASE IF NOT EXISTS other",
    "CREATE TABLE IF NOT EXISTS other.t (id INT PRIMARY KEY, v INT) ENGINE=InnoDB",
    "CREATE TABLE shop.s (id INT PRIMARY KEY, v INT) ENGINE=InnoDB",
    "INSERT INTO shop.s VALUES (1, 1), (2, 2)",
    "CREATE PROCEDURE shop.p() INSERT INTO shop.s VALUES (100, 1)",
    "CREATE FUNCTION shop.f() RETURNS INT DETERMINISTIC MODIFIES SQL DATA "
    "BEGIN INSERT INTO shop.s VALUES (101, 1) ON DUPLICATE KEY UPDATE v = v + 1; RETURN 1; END",
]

# What changes rows; each is run with this binlog_format.
CHANGES = {
    "insert": ("STATEMENT", "INSERT INTO shop.s VALUES (10, 1)"),
    "update": ("STATEMENT", "UPDATE shop.s SET v = v + 1 WHERE id < 100"),
    "delete": ("STATEMENT", "DELETE FROM shop.s WHERE id = 1"),
    "replace": ("STATEMENT", "REPLACE INTO shop.s VALUES (1, 5)"),
    "insert-select": ("STATEMENT", "INSERT INTO shop.s SELECT id + 5000, v FROM shop.s"),
    "update-join": ("STATEMENT", "UPDATE shop.s a JOIN shop.s b ON a.id = b.id SET a.v = b.v + 7"),
    "comment": ("STATEMENT", "/* from a job */ INSERT INTO shop.s VALUES (12, 1)"),
    "with": ("STATEMENT", "INSERT INTO shop.s WITH x AS (SELECT 11 AS i) SELECT i, i FROM x"),
    "create-select": ("STATEMENT", "CREATE TABLE shop.made SELECT * FROM shop.s"),
    "load": ("STATEMENT", "LOAD DATA INFILE './rows.txt' INTO TABLE shop.s"),
    "call": ("STATEMENT", "CALL shop.p()"),
    "do": ("STATEMENT", "DO shop.f()"),
    "select": ("STATEMENT", "SELECT shop.f()"),
    "mixed": ("MIXED", "INSERT INTO shop.s VALUES (13, 1)"),
    "no-route": ("STATEMENT", "REPLACE INTO other.t VALUES (1, 1)"),
}

# What is logged as a statement and says nothing about rows of shop.s.
NOTHING = [
    "FLUSH TABLES", "ANALYZE TABLE shop.s", "OPTIMIZE TABLE shop.s", "CREATE USER IF NOT EXISTS x@localhost",
    "GRANT SELECT ON shop.* TO x@localhost", "REVOKE SELECT ON shop.* FROM x@localhost", "DROP USER x@localhost",
    "CREATE VIEW shop.v AS SELECT * FROM shop.s", "DROP VIEW shop.v",
    "CREATE TRIGGER shop.g BEFORE INSERT ON shop.s FOR EACH ROW SET NEW.v = 1", "DROP TRIGGER shop.g",
    "CREATE EVENT shop.e ON SCHEDULE EVERY 1 YEAR DISABLE DO DELETE FROM shop.s", "DROP EVENT shop.e",
    "CREATE PROCEDURE shop.q() DELETE FROM shop.s", "DROP PROCEDURE shop.q",
    "CREATE TEMPORARY TABLE shop.tmp (a INT)", "INSERT INTO shop.tmp VALUES (1)", "DROP TEMPORARY TABLE shop.tmp",
    "ALTER DATABASE shop COMMENT = 'x'",
]


@pytest.fixture
def tables(db):
    db.script(TABLES)
    with open(os.path.join(db.data_dir, "rows.txt"), "w", encoding="ascii") as out:
        out.write("20\t1\n21\t2\n")
    os.chmod(out.name, 0o644)
    return db


def live(db, **more):
    return {"source": source_of(db, **more), "sinks": {"cache": {"type": "redis", "url": "redis://127.0.0.1:1"}},
            "routes": [{"table": "shop.s", "key": "id", "to": "cache", "invalidate": ["s:{id}"]}]}


def test_change_by_statement_stops_or_is_named(tables, sluice):
    """Between two rows of each: all are named with `warn`, and each one stops."""
    tables.flush_logs()  # to read from a place near the begin of a file is quick
    places = []
    with tables.connect("shop") as con, con.cursor() as cur:
        for number, (log_format, statement) in enumerate(CHANGES.values()):
            places.append(at(tables.position()))
            cur.execute(f"INSERT INTO shop.s VALUES ({1000 + number}, 0)")
            con.commit()
            cur.execute(f"SET SESSION binlog_format = {log_format}")
            cur.execute(statement)
            con.commit()
            cur.execute("SET SESSION binlog_format = ROW")
    tables.sql("INSERT INTO shop.s VALUES (2000, 0)")
    end = at(tables.position())
    warned = sluice(live(tables, on_statement="warn")).run("dump", "--from", places[0], "--to", end)
    assert warned.returncode == FINE, warned.stderr
    assert warned.stderr.count("err=statement_dml") == len(CHANGES), warned.stderr
    keys = [int(line.split('"key":"')[1].split('"')[0]) for line in warned.stdout.splitlines()]
    assert keys == [*range(1000, 1000 + len(CHANGES)), 2000]
    driver = sluice(live(tables))
    for number, (how, place) in enumerate(zip(CHANGES, places)):
        stopped = driver.run("dump", "--from", place, "--to", end)
        assert stopped.returncode == STOPPED and "[statement_dml]" in stopped.stderr, f"{how}: {stopped.stderr}"
        assert stopped.stdout.count('"key"') == 1 and f'"key":"{1000 + number}"' in stopped.stdout, how


def test_statements_that_change_no_rows_pass(tables, sluice):
    begin = tables.position()
    with tables.connect("shop") as con, con.cursor() as cur:
        for statement in NOTHING:
            if tables.flavor == "mysql" and statement.startswith("ALTER DATABASE"):
                statement = "ALTER DATABASE shop CHARACTER SET utf8mb4"
            cur.execute(statement)
        cur.execute("UPDATE shop.s SET v = 9 WHERE id = 1")
        con.commit()
    lines = sluice(live(tables)).dump("--from", at(begin), "--to", at(tables.position()), config=True)
    assert [line["after"]["v"] for line in lines] == [9]


def test_service_that_warns_counts_what_it_passes_over(db, redis, sluice):
    shop = Shop(db, redis)
    base = config(db, redis)
    driver = sluice({**base, "stats_interval": "100ms", "source": {**base["source"], "on_statement": "warn"}}).start()
    shop.wait_streaming(driver)
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("CREATE TABLE shop.unrouted (id INT)")
        cur.execute("SET SESSION binlog_format = STATEMENT")
        for number in range(3):
            cur.execute(f"INSERT INTO shop.unrouted VALUES ({number})")
            con.commit()
    shop.orders([1])
    shop.check_changes_reach_cache([1])
    wait_until(lambda: driver.find_log(unfollowed_total="3"), lambda: f"the figure: {driver.tail()}")
    assert len(driver.find_log(err="statement_dml")) == 3
    assert driver.stop() == FINE
