"""Random JSON documents as SQL expressions, and random changes of them by the JSON functions.

A document comes as text that the server parses, or is built from SQL values, which gives the kinds that text has not:
decimals, temporal values, and the opaque ones that print as base64.
"""

import json
import struct

TEXTS = ["", "a", "café", 'quote " backslash \\ slash /', "\n\t\r\b\f\x01\x1f\x7f", "😀 emoji", "你好", "x" * 127, "y" * 128, "z" * 300]
KEYS = ["a", "b", "c", "key", "a b", "", "é", "你", "quo\"te", "back\\slash", "dot.ted", "br[0]", "$", "_x1", "😀", "\n", "1", "last"]

# One row of SQL values that no text gives.
LEAVES = """CREATE TABLE leaves (id INT PRIMARY KEY,
  l_bit BIT(13), l_bit64 BIT(64), l_year YEAR, l_date DATE, l_time TIME(6), l_time0 TIME, l_datetime DATETIME(6),
  l_stamp TIMESTAMP(3) NULL, l_dec DECIMAL(65,30), l_dec0 DECIMAL(20,0), l_dec2 DECIMAL(10,2), l_float FLOAT,
  l_double DOUBLE, l_tinyblob TINYBLOB, l_blob BLOB, l_mediumblob MEDIUMBLOB, l_longblob LONGBLOB, l_binary BINARY(20),
  l_varbinary VARBINARY(200), l_enum ENUM('x','y"z'), l_set SET('p','q'), l_latin1 VARCHAR(20) CHARACTER SET latin1,
  l_geo GEOMETRY)"""
LEAF_NAMES = [word for word in LEAVES.replace("(", " ").split() if word.startswith("l_")]


def fill_leaves(cur, rng, rows):
    """Values at the edges and between them."""
    for number in range(rows):
        blob = bytes(rng.randrange(256) for _ in range(rng.choice([0, 1, 2, 3, 56, 57, 58, 114, 200])))
        values = [
            number, rng.randrange(1 << 13), rng.randrange(1 << 64), rng.choice([0, 1901, 2026, 2155]),
            rng.choice(["0000-00-00", "2026-11-22", "9999-12-31", "2026-11-00"]),
            rng.choice(["00:00:00", "-838:59:59", "838:59:59", "-00:00:00.000001", "12:34:56.789"]),
            rng.choice(["00:00:00", "-100:00:01", "23:59:59"]),
            rng.choice(["0000-00-00 00:00:00", "2026-11-22 13:14:15.123456", "1000-01-01 00:00:00.000001"]),
            rng.choice(["2026-11-22 13:14:15.123", None, "1970-01-01 00:00:01"]),
            rng.choice(["0", "-0.5", "9" * 35 + "." + "9" * 30, "-" + "1" * 35, "0.000000000000000000000000000001"]),
            rng.choice([0, 10**19, -(10**19) + 1, 7]), rng.choice(["0.00", "-1.50", "99999999.99"]),
            rng.choice([0.0, 0.1, -1.5, 3.0e38]), random_double(rng), blob, blob, blob, blob, blob[:20], blob,
            rng.choice(["x", 'y"z']), rng.choice(["", "p,q"]), rng.choice(["", "ñandú"]),
        ]
        marks = ", ".join(["%s"] * len(values))
        cur.execute(f"INSERT INTO leaves VALUES ({marks}, ST_GeomFromText('POINT(1 2.5)'))", values)


def random_double(rng):
    """Any bits, and numbers about the places where the server's text changes its form."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice([0.0, -0.0, 1.0, 0.1, -1.5, 5e-324, 1.7976931348623157e308, 2.0**53, 2.0**53 + 2, 1e15, 1e14, 1e16])
    if kind < 0.6:
        sign, digits = rng.choice(["", "-"]), rng.randrange(10 ** rng.randrange(1, 18))
        return float(f"{sign}{digits}e{rng.randrange(-34, 20)}")
    bits = rng.getrandbits(64)
    value = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return value if value == value and abs(value) != float("inf") else 1.5


def scalar(rng):
    return rng.choice(
        [
            lambda: rng.choice([None, True, False]),
            lambda: rng.choice([0, 1, -1, 32767, -32768, 32768, 65535, 65536, -32769, 2**31 - 1, -(2**31), 2**32 - 1, 2**32]),
            lambda: rng.choice([2**63 - 1, -(2**63), 2**64 - 1, 2**53]),
            lambda: rng.randrange(-(1 << rng.randrange(1, 63)), 1 << rng.randrange(1, 63)),
            lambda: random_double(rng),
            lambda: rng.choice(TEXTS),
            lambda: "".join(chr(rng.choice([34, 92, 65, 97, 0x20AC, 1, 10, 0x1F600])) for _ in range(rng.randrange(40))),
        ]
    )()


def document(rng, depth):
    """A value of Python that json.dumps gives to the server."""
    kind = rng.random()
    if depth == 0 or kind < 0.3:
        return scalar(rng)
    count = rng.choice([0, 1, 2, 3, 5, 8])
    if kind < 0.65:
        return [document(rng, depth - 1) for _ in range(count)]
    return {key(rng): document(rng, depth - 1) for _ in range(count)}


def key(rng):
    return rng.choice(KEYS) if rng.random() < 0.8 else rng.choice(KEYS) * rng.randrange(1, 40)


def large_document(rng):
    """Beyond 64 KB: the large format, with small and large parts in it."""
    kind = rng.randrange(5)
    if kind == 0:
        return [rng.randrange(-70000, 70000) for _ in range(rng.randrange(22_000, 30_000))]
    if kind == 1:
        return {f"k{number}": scalar(rng) for number in range(6000)}
    if kind == 2:
        return {"a": "x" * 70_000, "b": [document(rng, 3) for _ in range(20)], "c": {"d": rng.choice(TEXTS)}}
    if kind == 3:
        return [[document(rng, 2) for _ in range(5)], "y" * 66_000, {"a": ["z" * 65_530, 1, 2.5, None]}]
    return ["é" * 40_000, [100_000 + number for number in range(20_000)], True]


def nested_document(rng):
    """At the server's limit of nesting."""
    made = scalar(rng)
    for _ in range(rng.choice([99, 100])):
        made = [made] if rng.random() < 0.5 else {rng.choice(KEYS): made}
    return made


def literal(con, value):
    """A Python value as an expression of type JSON."""
    return f"CAST({con.escape(json.dumps(value, ensure_ascii=False))} AS JSON)"


def leaf(con, rng):
    return rng.choice(LEAF_NAMES) if rng.random() < 0.7 else literal(con, scalar(rng))


def built(con, rng, depth):
    """An expression over a row of `leaves`."""
    if depth == 0 or rng.random() < 0.3:
        return leaf(con, rng)
    parts = [built(con, rng, depth - 1) for _ in range(rng.choice([0, 1, 2, 4]))]
    if rng.random() < 0.5:
        return f"JSON_ARRAY({', '.join(parts)})"
    return "JSON_OBJECT({})".format(", ".join(f"{con.escape(key(rng))}, {part}" for part in parts))


def expression(con, rng):
    """Any document as an expression over a row of `leaves`."""
    kind = rng.random()
    if kind < 0.45:
        return literal(con, document(rng, rng.randrange(5)))
    if kind < 0.55:
        return f"JSON_EXTRACT(JSON_ARRAY({leaf(con, rng)}), '$[0]')"
    if kind < 0.95:
        return f"JSON_EXTRACT(JSON_ARRAY({built(con, rng, 3)}), '$[0]')"
    return literal(con, nested_document(rng))


def steps(rng, value):
    """A path to a place in a parsed document, often to one that is there, sometimes just beyond it."""
    path = "$"
    while True:
        if isinstance(value, dict) and value and rng.random() < 0.85:
            name = rng.choice(list(value))
            path, value = path + member(name), value[name]
        elif isinstance(value, list) and value and rng.random() < 0.85:
            at = rng.randrange(len(value))
            path, value = path + cell(rng, at, len(value)), value[at]
        elif path == "$" or rng.random() < 0.3:
            beyond = isinstance(value, list)
            return path + (f"[{rng.choice([0, len(value), len(value) + 3])}]" if beyond else member(key(rng)))
        else:
            return path


def member(name):
    return "." + json.dumps(name, ensure_ascii=False)


def cell(rng, at, count):
    if rng.random() < 0.15:
        return "[last]" if at == count - 1 else f"[last-{count - 1 - at}]"
    return f"[{at}]"


def change(con, rng, column, text):
    """One call of a function that can be logged as a diff, on a column that now holds `text`."""
    value = json.loads(text)
    made = column
    for _ in range(rng.choice([1, 1, 2, 3])):
        function = rng.choice(["JSON_SET", "JSON_REPLACE", "JSON_REMOVE", "JSON_SET"])
        path = con.escape(steps(rng, value))
        if function == "JSON_REMOVE":
            made = f"JSON_REMOVE({made}, {path})"
        else:
            part = built(con, rng, 1) if rng.random() < 0.4 else literal(con, document(rng, 2))
            made = f"{function}({made}, {path}, {part})"
    return made
