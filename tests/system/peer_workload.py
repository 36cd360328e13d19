"""One seeded workload over all types: tables that together hold each type, filled, changed and emptied."""

from value_tables import Combination, charsets, split
from value_types import catalogue

# The sets that peers treat apart; all of them are read by test_values.
CHARSETS = ("ascii", "gbk", "latin1", "ucs2", "utf16", "utf8mb3", "utf8mb4")


def make_tables(db, rng, wanted=lambda kind: True, names=CHARSETS):
    """`names`: the character sets; None: all of them."""
    types = list(catalogue(db.flavor, [each for each in charsets(db, rng) if names is None or each.name in names]))
    return list(split([kind for kind in types if wanted(kind)], Combination("FULL", "FULL", False, ""), "t", rng))


def play(db, tables, rows, sql_mode="NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES"):
    """Makes them in the database `shop`, with so many rows each; returns where that begins and ends in the log."""
    begin = db.position()
    with db.connect("shop", conv={}) as con, con.cursor() as cur:
        cur.execute(f"SET SESSION sql_mode = '{sql_mode}', time_zone = '+00:00', innodb_strict_mode = 0")
        for table in tables:
            cur.execute(table.create())
            table.play(con, rows)
    return begin, db.position()
