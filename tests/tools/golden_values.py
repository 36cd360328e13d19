"""Makes tests/golden/values/KIND.jsonl: bytes of values as a real server logs them, beside what it SELECTs.

PYTHONPATH=tests /usr/bin/python3 tests/tools/golden_values.py mariadb|mysql

One table per type with one row event per value; the value's bytes are cut out of the binlog. Each line: sql (type),
wire, meta (hex), unsigned (integers), collation (id), labels, bytes (hex; absent for NULL), and the text: "text" as
selected, turned into our form where docs/formats.md says so (TIMESTAMP, YEAR 0000, BIT as number), "text_hex" where it
is no UTF-8, "number" for FLOAT and DOUBLE, "vector" for VECTOR: its numbers as four bytes each. "declared": the word and
the number of the type, where only they tell what the bytes are.
"""

import json
import pathlib
import random
import struct
import sys

from servers import DATABASES, Workspace

TABLE_MAP, WRITE_ROWS = 19, (23, 30)
SQL_MODE = "NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES"


def decimals(precision, scale):
    digits = "98765432101234567890" * 4
    whole, part = digits[: precision - scale], digits[20 : 20 + scale]
    number = (whole or "0") + ("." + part if scale else "")
    least = "0" + ("." + "0" * (scale - 1) + "1" if scale else "")
    nines = ("9" * (precision - scale) or "0") + ("." + "9" * scale if scale else "")
    return [f"{sign}{n}" for n in (number, least, nines, "0") for sign in ("", "-")]


def integers(bits):
    return [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, -1, 0, 1, 42], [0, 1, 2 ** (bits - 1), 2**bits - 1]


def quote(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def cases():
    for name, bits in (("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64)):
        signed, unsigned = integers(bits)
        yield name, {"unsigned": False}, [str(n) for n in signed]
        yield name + " UNSIGNED", {"unsigned": True}, [str(n) for n in unsigned]
    for precision, scale in ((1, 0), (1, 1), (5, 2), (9, 0), (9, 9), (10, 0), (10, 9), (12, 2), (18, 9), (20, 5), (30, 30),
                             (38, 15), (65, 0), (65, 30), (64, 29), (19, 1)):
        yield f"DECIMAL({precision},{scale})", {}, decimals(precision, scale)
    reals = ["0", "1", "-1.5", "0.1", "123456.789", "1e-7", "1e15", "3.4e38", "-1.17549e-38", "16777216", "0.333333333"]
    yield "FLOAT", {}, reals
    yield "DOUBLE", {}, [*reals, "1.7976931348623157e308", "5e-324", "2.2250738585072014e-308", "9007199254740993", "1e22"]
    for bits in (1, 7, 8, 9, 10, 16, 33, 63, 64):
        yield f"BIT({bits})", {}, ["0", "1", str(2**bits - 1), str(2 ** (bits - 1))]
    yield "YEAR", {}, ["0", "1901", "2026", "2155"]
    yield "DATE", {}, ["'0000-00-00'", "'1000-01-01'", "'2026-11-22'", "'9999-12-31'", "'2026-00-00'", "'2026-02-00'",
                       "'2026-02-31'"]
    for scale in range(7):
        part = "." + "123456"[:scale] if scale else ""
        least = "." + "0" * (scale - 1) + "1" if scale else ""
        nines = "." + "9" * scale if scale else ""
        yield f"TIME({scale})", {}, [quote(t) for t in (
            "00:00:00", "-00:00:01", f"12:34:56{part}", f"-12:34:56{part}", f"-00:00:00{least}", f"00:00:00{least}",
            "838:59:59", "-838:59:59", f"-838:59:58{nines}", f"-00:00:00{nines}", f"-00:00:01{least}", f"100:00:00{part}")]
        yield f"DATETIME({scale})", {}, [quote(t) for t in (
            "0000-00-00 00:00:00", "1000-01-01 00:00:00", f"2026-11-22 13:14:15{part}", f"9999-12-31 23:59:59{nines}",
            f"2026-00-00 00:00:00{least}", f"0001-01-01 00:00:00{least}", "2026-02-31 01:02:03")]
        yield f"TIMESTAMP({scale})", {"null": True}, [quote(t) for t in (
            "0000-00-00 00:00:00", "1970-01-01 00:00:01", f"2026-11-22 13:14:15{part}", f"2038-01-19 03:14:07{nines}",
            f"2000-02-29 23:59:59{least}", "2000-03-01 00:00:00", "2024-12-31 23:59:59")]
    words = ["''", "'a'", "'caf\u00e9'", "'tab\\t nl\\n q\" b\\\\'", "'end  '"]
    wide = [*words, "'\u4f60\u597d \U0001f600'"]
    for charset, collation, texts in (("utf8mb4", 45, wide), ("utf8mb3", 33, words), ("latin1", 8, [*words, "'\u20ac \u0153'"])):
        options = {"collation": collation}
        for size in (10, 63, 64, 85, 86, 200, 255):
            yield f"CHAR({size}) CHARACTER SET {charset}", options, [*texts[:4], *texts[5:], quote("x" * size)]
        for size in (10, 63, 64, 255, 256, 3000):
            yield f"VARCHAR({size}) CHARACTER SET {charset}", options, [*texts, quote("y" * size)]
        for name in ("TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"):
            yield f"{name} CHARACTER SET {charset}", options, [*texts, quote("z" * 200)]
    yield "CHAR(5) CHARACTER SET ascii", {"collation": 11}, ["'abc'", "''"]
    yield "VARCHAR(5) CHARACTER SET latin1", {"collation": 8}, ["0x818d8f909d", "0x80ff"]
    yield "VARCHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", {"collation": 46}, ["'abc'"]
    raw = ["''", "'ab'", "0x0001ff00", "0x6100", "0x00000000"]
    for name in ("BINARY(4)", "BINARY(16)", "BINARY(255)", "VARBINARY(20)", "VARBINARY(255)", "VARBINARY(256)", "TINYBLOB",
                 "BLOB", "MEDIUMBLOB", "LONGBLOB"):
        yield name, {"collation": 63}, raw
    labels = ["a", "b", "c d", "\u00e9"]
    listed = ",".join(map(quote, labels))
    yield f"ENUM({listed})", {"labels": labels}, ["'a'", "'\u00e9'", "'c d'", "0", "'no such'"]
    yield f"SET({listed})", {"labels": labels}, ["''", "'a'", "'a,\u00e9'", "'a,b,c d,\u00e9'", "5"]
    many = [f"v{i}" for i in range(300)]
    yield f"ENUM({','.join(map(quote, many))})", {"labels": many}, ["'v0'", "'v255'", "'v299'", "0"]
    for count in (8, 9, 17, 25, 33, 64):
        some = [f"s{i}" for i in range(count)]
        yield f"SET({','.join(map(quote, some))})", {"labels": some}, ["''", quote(some[-1]), quote(",".join(some))]


def documents():
    """MySQL's JSON: all kinds of values, and the places where the text of a double changes its form."""
    texts = ["null", "true", "false", "0", "-1", "32767", "32768", "65536", "-32769", "4294967296", "18446744073709551615",
             '""', '"a"', '"caf\u00e9 \U0001f600"', r'"q\" b\\ n\n t\t z\u0001"', "[]", "{}", "[1, 70000, null, [true, {}]]",
             '{"b": 1, "a": {"c": [2.5]}, "long": "' + "x" * 200 + '"}', '{"": 0, "\u00e9": 1}', "[" * 100 + "]" * 100]
    doubles = ["1.0", "-0.0", "0.1", "1e15", "1e14", "123456789012345.6", "1234567890123456.5", "1e-15", "9.9e-16", "5e-324",
               "1.7976931348623157e308", "-1.2345678901234567e-14", "9007199254740992.0", "1.5e20"]
    values = ["1.50", "0.0", "CAST('-98765432101234567890123456789012345.123456789012345678901234567890' AS DECIMAL(65,30))",
              "DATE '2026-11-22'", "TIME '-838:59:58.123456'", "TIMESTAMP '2026-11-22 13:14:15.000001'", "b'1010'",
              "x'0001ff'", f"x'{'ab' * 57}'", f"x'{'cd' * 58}'", "CAST('x' AS BINARY)", "ST_GeomFromText('POINT(1 2.5)')"]
    return [f"CAST({quote(text)} AS JSON)" for text in texts + doubles] + [f"JSON_ARRAY({v})" for v in values]


GEOMETRIES = [
    "POINT(1 2)", "POINT(-0.1 1e300)", "LINESTRING(0 0,1.5 2,3 -4)", "POLYGON((0 0,4 0,4 4,0 4,0 0),(1 1,2 1,2 2,1 1))",
    "MULTIPOINT(1 2,3 4)", "MULTILINESTRING((0 0,1 1),(2 2,3 3,4 4))",
    "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,7 5,7 7,5 5),(6 5.5,6.5 5.5,6.5 6,6 5.5)))", "GEOMETRYCOLLECTION EMPTY",
    "GEOMETRYCOLLECTION(POINT(1 1),GEOMETRYCOLLECTION(LINESTRING(0 0,1 1),GEOMETRYCOLLECTION EMPTY))",
]


def geometries():
    yield "GEOMETRY", {}, [f"ST_GeomFromText('{text}',{srid})" for text in GEOMETRIES for srid in (0, 4326)
                           if not (srid and "1e300" in text)]
    yield "POINT", {}, ["ST_GeomFromText('POINT(7 -8)')"]


def addresses(rng):
    """Groups of zeros at every place, and the two forms with dots."""
    for _ in range(60):
        groups = [rng.choice((0, 0, 0, 1, 0xffff, rng.randrange(65536))) for _ in range(8)]
        yield ":".join(f"{group:x}" for group in groups)
    yield from ("::", "::1", "1::", "::1.2.3.4", "::ffff:1.2.3.4", "::ffff:0:1.2.3.4", "::0.1.0.0", "::ffff:0.0.0.0",
                "1:0:2:0:3:0:4:0", "0:1:0:1:0:1:0:1", "fe80::1", "1:2:3:4:5:6:7:8", "0:0:1::")


def mariadb_cases():
    rng = random.Random(20261122)
    uuids = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
             "12345678-1234-1234-8234-123456789a00", "01890a5d-ac96-774b-bcce-b302099a8057"]
    uuids += [f"{rng.getrandbits(128) & ~(0x8000 << 64):032x}" for _ in range(20)]
    yield "UUID", {"declared": ["uuid", 0], "collation": 63, "as_text": True}, [quote(uuid) for uuid in uuids]
    yield "INET4", {"declared": ["inet4", 0], "collation": 63, "as_text": True}, [
        quote(text) for text in ("0.0.0.0", "1.2.3.0", "255.255.255.255", "127.0.0.1", "10.0.0.0", "0.0.0.1")]
    yield "INET6", {"declared": ["inet6", 0], "collation": 63, "as_text": True}, [quote(text) for text in addresses(rng)]
    yield from geometries()
    for wrap in ("OFF", "ON"):
        before = ["SET column_compression_threshold = 10", f"SET column_compression_zlib_wrap = {wrap}"]
        for name, options in (("VARCHAR(300) COMPRESSED CHARACTER SET utf8mb4", {"collation": 45}),
                              ("VARCHAR(50) COMPRESSED CHARACTER SET latin1", {"collation": 8}),
                              ("VARBINARY(300) COMPRESSED", {"collation": 63}), ("TINYTEXT COMPRESSED", {"collation": 45}),
                              ("TEXT COMPRESSED", {"collation": 45}), ("MEDIUMBLOB COMPRESSED", {"collation": 63}),
                              ("LONGTEXT COMPRESSED CHARACTER SET latin1", {"collation": 8})):
            yield name, {**options, "set": before}, [
                "''", "'a'", "'12345678901234'", "REPEAT('caf\u00e9 ', 10)", quote(rng.randbytes(12).hex()), "REPEAT('x', 50)",
                *(["REPEAT('yz', 1000)"] if "TEXT" in name and "TINY" not in name or "BLOB" in name else [])]
    off, on = "SET GLOBAL mysql56_temporal_format = OFF", "SET GLOBAL mysql56_temporal_format = ON"
    for sql, options, literals in cases():
        if sql.startswith(("TIME", "DATETIME")):
            word, scale = sql.lower().rstrip(")").split("(")
            yield sql, {**options, "declared": [word, int(scale)], "set": [off], "reset": [on]}, literals


def mysql_cases():
    yield "JSON", {}, documents()
    yield from geometries()
    yield "VECTOR(3)", {}, [f"TO_VECTOR('[{numbers}]')" for numbers in (
        "0,1,-1", "0.1,1e-7,123456789", "3.4028234e38,-1.17549435e-38,16777216", "-0.0,0.333333333,1e15")]
    yield "VECTOR(1)", {}, ["TO_VECTOR('[2.5]')"]


def events(path, start):
    data = pathlib.Path(path).read_bytes()
    at = start
    while at + 19 <= len(data):
        kind, size = data[at + 4], struct.unpack_from("<I", data, at + 9)[0]
        yield kind, data[at + 19 : at + size]
        at += size


def lenenc(data, at):
    first = data[at]
    if first < 251:
        return first, at + 1
    size = {252: 2, 253: 3, 254: 8}[first]
    return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size


def map_of(body):
    """Wire type and metadata of the second column; the first is INT, without metadata."""
    at = 8
    for _ in range(2):
        at += body[at] + 2
    count, at = lenenc(body, at)
    assert count == 2
    wire, at = body[at + 1], at + 2
    size, at = lenenc(body, at)
    return wire, body[at : at + size]


def value_of(kind, body):
    """The bytes of the second column in an event of one row; None for NULL."""
    at = 8 if kind == 23 else 8 + struct.unpack_from("<H", body, 8)[0]
    _, at = lenenc(body, at)
    nulls = body[at + 1]
    return None if nulls & 2 else body[at + 2 + 4 :]


def expected(sql, selected):
    """The members that say what value_text must give."""
    if sql.startswith("VECTOR"):
        return {"vector": selected.decode().lower()}
    if sql in ("GEOMETRY", "POINT"):
        return {"text_hex": selected.decode().lower()}
    if sql.startswith(("FLOAT", "DOUBLE")):
        return {"number": selected.decode()}
    try:
        text = selected.decode()
    except UnicodeDecodeError:
        return {"text_hex": selected.hex()}
    if sql.startswith("TIMESTAMP") and not text.startswith("0000"):
        text = text.replace(" ", "T") + "Z"
    if sql == "YEAR":
        text = str(int(text))
    return {"text": text}


def column_of(sql):
    if sql.startswith("BIT"):
        return "v + 0"
    if sql == "FLOAT":
        return "v + 0e0"
    if sql.startswith(("VECTOR", "GEOMETRY", "POINT")):
        return "HEX(v)"
    return "v"


def run(kind):
    with Workspace(False) as workspace:
        server = DATABASES[kind](workspace, {"binlog_checksum": "NONE", "sql_mode": SQL_MODE}).start()
        link = server.connect()
        lines = []
        with link.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00', sql_mode = %s", (SQL_MODE,))
            cursor.execute("SET NAMES utf8mb4")
            cursor.execute("CREATE DATABASE IF NOT EXISTS golden")
            for sql, options, literals in [*cases(), *{"mariadb": mariadb_cases, "mysql": mysql_cases}[kind]()]:
                for statement in options.get("set", []):
                    cursor.execute(statement)
                cursor.execute("DROP TABLE IF EXISTS golden.t")
                null = " NULL" if options.get("null") else ""
                cursor.execute(f"CREATE TABLE golden.t (id INT PRIMARY KEY, v {sql}{null}) CHARACTER SET utf8mb4")
                cursor.execute("FLUSH BINARY LOGS")
                cursor.execute(server.status_statement)
                name = cursor.fetchone()[0]
                for number, literal in enumerate([*literals, "NULL"]):
                    cursor.execute(f"INSERT IGNORE INTO golden.t VALUES ({number}, {literal})")
                for statement in options.get("reset", []):
                    cursor.execute(statement)
                binary = options.get("collation") == 63 and "as_text" not in options
                cursor.execute("SET character_set_results = NULL" if binary else "SET NAMES utf8mb4")
                cursor.execute(f"SELECT CAST({column_of(sql)} AS BINARY) FROM golden.t ORDER BY id"
                               if binary else
                               f"SELECT CAST(CONVERT({column_of(sql)} USING utf8mb4) AS BINARY) FROM golden.t ORDER BY id")
                rows = [row[0] for row in cursor.fetchall()]
                mapped, found = None, []
                for event, body in events(pathlib.Path(server.data_dir) / name, 4):
                    if event == TABLE_MAP:
                        mapped = map_of(body)
                    elif event in WRITE_ROWS:
                        found.append(value_of(event, body))
                assert len(found) == len(rows), (sql, len(found), len(rows))
                for value, selected in zip(found, rows):
                    line = {"sql": sql[:60], "wire": mapped[0], "meta": mapped[1].hex()}
                    line |= {k: options[k] for k in ("unsigned", "collation", "labels", "declared") if k in options}
                    if value is not None:
                        line |= {"bytes": value.hex(), **expected(sql, selected)}
                        lines.append(line)
                    else:
                        assert selected is None
        link.close()
        server.stop()
    target = pathlib.Path(__file__).parent.parent / "golden" / "values" / f"{kind}.jsonl"
    target.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    print(f"{target}: {len(lines)} values", file=sys.stderr)


if __name__ == "__main__":
    run(sys.argv[1])
