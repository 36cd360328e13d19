"""Expressions of generated columns, of which sluice keeps the text: what `schema show` prints of them is SQL that makes the
same columns, whatever sql_mode and whatever comments they were written with."""

import random

import pymysql
import pytest

from sluice import FINE
from test_schema_command import truth

MODES = ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "PIPES_AS_CONCAT", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT"]
GAPS = ["", " ", "/**/", "/* - */", "-- x\n", "# y\n", "\n", "/*! */"]
SIGNS = ["-", "-", "+", "*", "/", "%", "|", "&", "<<", "||", "<=>", " XOR ", " DIV "]
TEXTS = ["'it''s'", "'a\\\\b'", "N'y'", "_utf8mb4'z'", "x'41'", "b'01'", "'\"'", "'`'", '"q"', "'/*'", "'-- '", "'#'"]
OPERANDS = ["a", "c", "`c`", "2", "0.5", "1e1"] + [f"{word}({text})" for word in ("length", "ascii") for text in TEXTS]
MUST = ["a--/**/c", "a-/**/-/**/-c", "a- -c", "a+-/**/-c", "a*/**/c", "a/ /**/c", "(a)-/* x */-1"]
MAY = ["concat('x', /**/ 'y''z')"]  # MySQL refuses a doubled quote in an expression under NO_BACKSLASH_ESCAPES
COUNT = 60


def draw_expression(rng):
    """One that a server may refuse."""
    parts = [rng.choice(["a", "c", "`a`", "1", "1.5", ".5", "1e1", "0x1f"])]
    for _ in range(rng.randint(1, 4)):
        parts += [rng.choice(GAPS), rng.choice(SIGNS), rng.choice(GAPS), rng.choice(["", "", "-", "~"]), rng.choice(GAPS)]
        parts.append(rng.choice(OPERANDS))
    return "".join(parts)


@pytest.mark.parametrize("mode", MODES)
def test_expressions_as_shown_make_the_same_columns(new_db, sluice, mode):
    db = new_db()
    rng = random.Random(f"opaque {mode}")
    accepted = []
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET SESSION sql_mode = %s", (mode,))
        for number, expression in enumerate(MUST + MAY + [draw_expression(rng) for _ in range(COUNT)]):
            name = f"t{number}"
            try:
                made = f"b VARCHAR(60) AS ({expression}) VIRTUAL"
                cur.execute(f"CREATE TABLE {name} (a INT, c BIGINT, {made}, d ENUM('x', 'it''s'))")
            except pymysql.err.MySQLError:
                assert expression not in MUST, expression
                continue
            accepted.append(name)
    assert len(accepted) > COUNT / 4
    before = {name: truth(db, name) for name in accepted}
    done = sluice().run("schema", "show", *db.binlog_paths(), "--table=shop.t*", config=False)
    assert done.returncode == FINE, done.stderr
    shown = [statement for statement in done.stdout.split(";\n") if statement.strip()]
    db.script(["SET SESSION sql_mode = ''"] + [f"DROP TABLE shop.{name}" for name in accepted] + shown)
    assert {name: truth(db, name) for name in accepted} == before
