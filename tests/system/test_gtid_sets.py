"""GTID set arithmetic equals the server's own functions."""

import struct

import pymysql
import pytest

from gtid_sets import Sets, answers

PAIRS = 1000
FULL_PAIRS = 10_000
BATCH = 500

# What MySQL has no function for is derived from what it has.
SUBTRACT = "GTID_SUBTRACT(%(a)s, %(b)s)"
ORACLE = {
    "canonical": "GTID_SUBTRACT(%(a)s, '')",
    "union": "GTID_SUBTRACT(CONCAT(%(a)s, ',', %(b)s), '')",
    "subtract": SUBTRACT,
    "intersect": f"GTID_SUBTRACT(%(a)s, {SUBTRACT})",
    "contains": "GTID_SUBSET(%(b)s, %(a)s)",
    "equal": "GTID_SUBSET(%(b)s, %(a)s) AND GTID_SUBSET(%(a)s, %(b)s)",
}
MALFORMED = 1772


def of_server(cursor, a, b):
    """What the server says to each operation, in the order of ORACLE; "error" when it refuses the text."""
    try:
        cursor.execute("SELECT " + ", ".join(ORACLE.values()), {"a": a, "b": b})
    except pymysql.err.MySQLError as error:
        assert error.args[0] == MALFORMED, (a, b, error)
        return ["error"] * len(ORACLE)
    return [str(value).replace("\n", "") for value in cursor.fetchone()]


def of_sluice(pairs):
    """The same, for all pairs at once."""
    flat = answers([(op, a) if op == "canonical" else (op, a, b) for a, b in pairs for op in ORACLE])
    rows = [flat[i : i + len(ORACLE)] for i in range(0, len(flat), len(ORACLE))]
    return [["error" if word.startswith("error:") else word for word in row] for row in rows]


def compare(db, pairs):
    """Asserts that all answers are equal; returns how many pairs the server refused."""
    refused = 0
    with db.connect() as con, con.cursor() as cursor:
        for (a, b), ours in zip(pairs, of_sluice(pairs)):
            theirs = of_server(cursor, a, b)
            assert ours == theirs, f"a={a!r} b={b!r}"
            refused += theirs[0] == "error"
    return refused


@pytest.mark.flavors("mysql")
def test_gtid_set_arithmetic_equals_the_servers(db, rng, full):
    sets = Sets(rng)
    wanted = FULL_PAIRS if full else PAIRS
    refused = 0
    for begin in range(0, wanted, BATCH):
        count = min(BATCH, wanted - begin)
        refused += compare(db, [(sets.any(), sets.any()) for _ in range(count)])
    assert refused < wanted / 2, "most texts were refused: nothing was compared"
    # Near misses: one text contains the other but for little.
    close = [(text, text) for text in (sets.any() for _ in range(wanted // 10))]
    close += [(a, a + "," + sets.source(sets.uuids[0])) for a, _ in close]
    compare(db, close)


@pytest.mark.flavors("mysql")
def test_texts_that_the_server_refuses_are_refused(db, rng, full):
    sets = Sets(rng)
    texts = [sets.broken() for _ in range((FULL_PAIRS if full else PAIRS) // 2)]
    refused = compare(db, [(text, "") for text in texts])
    assert len(texts) / 10 < refused < len(texts), f"{refused} of {len(texts)} were refused"


def previous_gtids(path):
    """The body of the PREVIOUS_GTIDS event at the head of a binlog file, without its checksum."""
    with open(path, "rb") as file:
        data = file.read(1 << 20)
    at = 4
    while at < len(data):
        kind, length = data[at + 4], struct.unpack_from("<I", data, at + 9)[0]
        if kind == 35:
            return data[at + 19 : at + length - 4]
        at += length
    raise AssertionError(f"no PREVIOUS_GTIDS in {path}")


@pytest.mark.flavors("mysql")
def test_wire_form_equals_the_servers(new_db, rng, full):
    """What the server writes at the head of a file is read as its text, and written again as the same bytes."""
    server = new_db()
    sets = Sets(rng)
    forms = set()
    for tagged in (False, True):
        server.reset_binlog()
        for _ in range(100 if full else 12):
            gtids = [sets.single(tagged) for _ in range(rng.choice([1, 2, 10, 40]))]
            server.script([s for gtid in gtids for s in (f"SET gtid_next = '{gtid}'", "COMMIT")])
            server.flush_logs()
            wire, text = previous_gtids(server.binlog_path(server.binlogs()[-1])), server.gtid()
            forms.add("encode_tagged" if wire[7] else "encode")
            of_form = "encode_tagged" if wire[7] else "encode"
            assert answers([("decode", wire), (of_form, text)]) == [text, wire.hex()]
    assert forms == {"encode", "encode_tagged"}
