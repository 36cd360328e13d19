"""CREATE statements that a server writes itself: their strings have escapes and their names are UTF-8 in every session."""

import pytest

from sluice import STOPPED

MODES = ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"]
LABEL = "it's,b\\c"


@pytest.fixture
def logged(db):
    """Makes `select_N` by CREATE ... SELECT and `like_N` like a temporary table in each mode; returns the files."""
    usual = db.value("SELECT @@global.binlog_row_metadata")
    db.sql("SET GLOBAL binlog_row_metadata = %s", ("NO_LOG" if db.flavor == "mariadb" else "MINIMAL",))
    db.flush_logs()
    first = db.binlogs()[-1]
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET NAMES latin1")
        cur.execute(r"CREATE TABLE model (id INT PRIMARY KEY, e ENUM('it''s,b\\c', 'x') CHARACTER SET utf8mb4, `é` INT)")
        cur.execute("INSERT INTO model VALUES (1, 1, 2)")
        for number, mode in enumerate(MODES):
            cur.execute(f"SET sql_mode = '{mode}'")
            cur.execute(f"CREATE TABLE select_{number} SELECT * FROM model")
            cur.execute(f"CREATE TEMPORARY TABLE tmp_{number} LIKE model")
            cur.execute(f"CREATE TABLE like_{number} LIKE tmp_{number}")
            cur.execute(f"INSERT INTO like_{number} SELECT * FROM model")
    db.flush_logs()
    db.sql("SET GLOBAL binlog_row_metadata = %s", (usual,))
    names = db.binlogs()
    return [db.binlog_path(name) for name in names[names.index(first) : -1]]


def test_labels_and_names_are_those_of_select(db, sluice, logged):
    names = [row[0] for row in db.sql("SELECT column_name FROM information_schema.columns WHERE table_schema = 'shop' AND "
                                      "table_name = 'model' ORDER BY ordinal_position")]
    assert db.value("SELECT e FROM shop.like_2") == LABEL
    told = [f"select_{number}" for number in range(len(MODES))] + ["like_0", "like_1"]
    tables = [word for name in told for word in ("--table", f"shop.{name}")]
    lines = sluice().dump(*tables, *logged)
    assert {line["table"]: line["after"] for line in lines} == {
        name: {names[0]: 1, names[1]: LABEL, names[2]: 2} for name in told}


@pytest.mark.parametrize("table", ["like_2", "like_3"])
def test_backslashes_that_may_be_escapes_or_not_are_not_guessed(sluice, logged, table):
    done = sluice().run("dump", "--table", f"shop.{table}", *logged, config=False)
    assert done.returncode == STOPPED and not done.stdout
    assert "schema_unknown" in done.stderr and "NO_BACKSLASH_ESCAPES" in done.stderr, done.stderr
