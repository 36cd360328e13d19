"""Compressed logs: the same changes come out as of a plain log, and nothing else."""

import random
import struct

import pytest

import randomrows
from folding import Fold, assert_valid
from sluice import STOPPED, at
from tables import Table
from test_dump import live, recorded

STATEMENTS = 300
FULL_STATEMENTS = 20_000
ON = {
    "mysql": ["SET SESSION binlog_transaction_compression = ON"],
    "mariadb": ["SET GLOBAL log_bin_compress_min_len = 10", "SET GLOBAL log_bin_compress = ON"],
}
OFF = {"mysql": ["SET SESSION binlog_transaction_compression = OFF"], "mariadb": ["SET GLOBAL log_bin_compress = OFF"]}
TRANSACTION_PAYLOAD, QUERY_COMPRESSED, WRITE_COMPRESSED, UPDATE_COMPRESSED, DELETE_COMPRESSED = 40, 165, 166, 167, 168
COMPRESSED = {
    "mysql": {TRANSACTION_PAYLOAD},
    "mariadb": {QUERY_COMPRESSED, WRITE_COMPRESSED, UPDATE_COMPRESSED, DELETE_COMPRESSED},
}
PLACES = ("file", "pos", "gtid", "version", "ts_us")


@pytest.fixture
def compression(db):
    """Runs statements in a session; off again for the other tests."""

    def switch(con, on):
        with con.cursor() as cur:
            for statement in (ON if on else OFF)[db.flavor]:
                cur.execute(statement)

    yield switch
    db.script(OFF[db.flavor])


def change(db, switch, seed, statements, compressed):
    """The changes of that seed in a new table, in a log of their own."""
    db.sql("DROP TABLE IF EXISTS shop.types")
    with recorded(db) as files, db.connect("shop") as con:
        switch(con, compressed)
        con.cursor().execute(randomrows.CREATE)
        randomrows.Changes(con, random.Random(seed)).run(statements)
    return files


def types_in(path):
    """Types of the events in a file, by their headers."""
    found = set()
    with open(path, "rb") as file:
        log = file.read()
    pos = 4
    while pos < len(log):
        kind, _, length = struct.unpack_from("<BII", log, pos + 4)
        found.add(kind)
        pos += length
    return found


def without_places(line):
    """What a change is, and its number within its transaction."""
    return {name: value for name, value in line.items() if name not in PLACES}, line["version"].split(".")[2]


def test_compressed_log_gives_the_same_changes(db, sluice, rng, full, compression):
    """Types, savepoints, rollbacks: the dump equals that of the same changes in a plain log, and SELECT."""
    seed, statements = rng.random(), FULL_STATEMENTS if full else STATEMENTS
    plain = sluice().dump(*change(db, compression, seed, statements, False))
    (file,) = change(db, compression, seed, statements, True)
    assert COMPRESSED[db.flavor] <= types_in(file), "the log was not what the test means"
    lines = sluice().dump(file)
    assert_valid(lines)
    Fold([Table(db, "types")]).apply_all(lines).assert_equals_select()
    assert list(map(without_places, lines)) == list(map(without_places, plain))


def test_every_place_of_a_compressed_log_is_one_to_restart_from(db, sluice, rng, compression):
    """From the place that a line names, its whole transaction comes again, and all behind it; by GTID all behind it."""
    (file,) = change(db, compression, rng.random(), 60, True)
    driver = sluice(live(db))
    end = ["--to", at(db.position())]
    lines = driver.dump("--from", at((file.rsplit("/", 1)[1], 4)), *end, config=True)
    first = {}
    for number, line in enumerate(lines):
        first.setdefault(line["gtid"], number)
    # The set of all before a transaction: each of its own server, the first of them after those of other tests.
    for gtid, number in rng.sample(list(first.items())[1:], 6):
        place = f"{lines[number]['file']}:{lines[number]['pos']}"
        if db.flavor == "mysql":
            assert {line["pos"] for line in lines if line["gtid"] == gtid} == {lines[number]["pos"]}
            assert driver.dump("--from", place, *end, config=True) == lines[number:]
        uuid, last = gtid.rsplit(":" if db.flavor == "mysql" else "-", 1)
        before = f"{uuid}:1-{int(last) - 1}" if db.flavor == "mysql" else f"{uuid}-{int(last) - 1}"
        assert driver.dump("--from", before, *end, config=True) == lines[number:]


@pytest.mark.flavors("mariadb")
def test_compressed_statement_is_read_as_what_it_is(db, sluice, compression):
    """DDL is followed; a change by statement stops."""
    with recorded(db) as files, db.connect("shop") as con, con.cursor() as cur:
        compression(con, True)
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY)")
        cur.execute("INSERT INTO t VALUES (1)")
        cur.execute("ALTER TABLE t ADD COLUMN note VARCHAR(300)")
        cur.execute("INSERT INTO t VALUES (2, REPEAT('x', 300))")
        cur.execute("SET SESSION binlog_format = STATEMENT")
        cur.execute("INSERT INTO t VALUES (3, 'by statement')")
    done = sluice().run("dump", *files, config=False)
    assert done.returncode == STOPPED and "as a statement, not as rows: INSERT INTO t" in done.stderr
    assert [line[line.index('"after"') : line.index(',"ts_us"')] for line in done.stdout.splitlines()] == [
        '"after":{"id":1}',
        '"after":{"id":2,"note":"' + "x" * 300 + '"}',
    ]
