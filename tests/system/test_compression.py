"""Compressed logs: the same changes come out as of a plain log, and nothing else."""

import random

import pytest

import randomrows
from folding import Fold, assert_valid
from tables import Table
from test_dump import recorded

STATEMENTS = 300
FULL_STATEMENTS = 20_000
SWITCH = {"mysql": "SESSION binlog_transaction_compression", "mariadb": "GLOBAL log_bin_compress"}
PLACES = ("file", "pos", "gtid", "version", "ts_us", "ts", "tx")


def compress(con, flavor, on):
    with con.cursor() as cur:
        cur.execute(f"SET {SWITCH[flavor]} = {int(on)}")


def change(db, seed, statements, compressed):
    """The changes of that seed in a new table, in a log of their own."""
    with recorded(db) as files:
        db.sql("DROP TABLE IF EXISTS shop.types")
        db.sql(randomrows.CREATE)
        with db.connect("shop") as con:
            compress(con, db.flavor, compressed)
            randomrows.Changes(con, random.Random(seed)).run(statements)
            compress(con, db.flavor, False)
    return files


def without_places(line):
    """What a change is, and its row number within its transaction."""
    return {name: value for name, value in line.items() if name not in PLACES}, line["version"].split(".")[2]


def kinds_in(db, path):
    return {row["Event_type"].lower() for row in db.dicts(f"SHOW BINLOG EVENTS IN '{path.rsplit('/', 1)[1]}'")}


@pytest.mark.flavors("mysql")
def test_compressed_log_gives_the_same_changes(db, sluice, rng, full):
    """Types, savepoints, rollbacks: the dump equals that of the same changes in a plain log, and SELECT."""
    seed, statements = rng.random(), FULL_STATEMENTS if full else STATEMENTS
    plain = sluice().dump(*change(db, seed, statements, False))
    files = change(db, seed, statements, True)
    kinds = set().union(*(kinds_in(db, path) for path in files))
    assert any("compressed" in kind or "payload" in kind for kind in kinds), kinds
    lines = sluice().dump(*files)
    assert_valid(lines)
    Fold([Table(db, "types")]).apply_all(lines).assert_equals_select()
    assert list(map(without_places, lines)) == list(map(without_places, plain))
