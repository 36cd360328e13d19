"""One seeded workload over all types: tables that together hold each type, filled, changed and emptied."""

from value_tables import Combination, charsets, split
from value_types import catalogue

# The sets that peers treat apart; all of them are read by test_values.
CHARSETS = ("ascii", "gbk", "latin1", "ucs2", "utf16", "utf8mb3", "utf8mb4")
SESSION = "sql_mode = 'NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES', time_zone = '+00:00', innodb_strict_mode = 0"


def play(db, rng, rows, wanted=lambda kind: True, names=CHARSETS):
    """Runs it in the database `shop`, in each table so many rows; returns where it begins and ends in the log."""
    combination = Combination("FULL", "FULL", False, "")
    types = list(catalogue(db.flavor, [each for each in charsets(db, rng) if each.name in names]))
    tables = list(split([kind for kind in types if wanted(kind)], combination, "t", rng))
    begin = db.position()
    with db.connect("shop", conv={}) as con, con.cursor() as cur:
        cur.execute(f"SET SESSION {SESSION}")
        for table in tables:
            cur.execute(table.create())
            table.play(con, rows)
    return begin, db.position()
