"""What test_values.py does not reach with random literals: addresses by the thousand, GeoJSON beside ST_AsGeoJSON, the
temporal types before 5.6, long compressed values, hidden and history columns, sequences."""

import base64
import json
import math
import re
import struct

import pytest

from folding import assert_valid
from sluice import STOPPED, USAGE, at, source_of


def live(db, *tables):
    return {
        "source": source_of(db),
        "sinks": {"cache": {"type": "redis", "url": "redis://127.0.0.1:1"}},
        "routes": [{"table": f"shop.{name}", "to": "cache", "invalidate": ["t:{id}"]} for name in tables],
    }


@pytest.fixture
def server(db):
    """Sets globals of the shared server until the test ends: server(binlog_row_metadata="FULL")."""
    was = {}

    def set_globals(**wanted):
        for name, value in wanted.items():
            was.setdefault(name, db.value(f"SELECT @@global.{name}"))
            db.sql(f"SET GLOBAL {name} = %s", (value,))
        return db

    yield set_globals
    for name, value in was.items():
        db.sql(f"SET GLOBAL {name} = %s", (value,))


class Recorded:
    """A block of changes: `files` holds them afterwards, from `begin` to `end`."""

    def __init__(self, db):
        self.db = db

    def __enter__(self):
        self.db.flush_logs()
        self.first, self.begin = self.db.binlogs()[-1], self.db.position()
        return self

    def __exit__(self, *_):
        self.end = self.db.position()
        self.db.flush_logs()
        names = self.db.binlogs()
        self.files = [self.db.binlog_path(name) for name in names[names.index(self.first) : -1]]


def inserted(lines, column="v"):
    return {line["after"]["id"]: line["after"][column] for line in lines if line["op"] == "insert"}


def fill(db, declaration, literals, before=()):
    """Table shop.t (id, v) with one row per literal. Returns the place behind the CREATE."""
    with db.connect("shop") as con, con.cursor() as cur:
        for statement in before:
            cur.execute(statement)
        cur.execute(f"CREATE TABLE t (id INT PRIMARY KEY, v {declaration})")
        made = db.position()
        for begin in range(0, len(literals), 500):
            rows = (f"({begin + i}, {literal})" for i, literal in enumerate(literals[begin : begin + 500]))
            cur.execute(f"INSERT INTO t VALUES {', '.join(rows)}")
    return made


def uuids(rng, count):
    """Of every version and variant that the server takes: the order of bytes in the table's pages depends on them."""
    found = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
    while len(found) < count:
        digits = f"{rng.getrandbits(128):032x}"
        if rng.random() < 0.2:
            digits = digits[: 2 * rng.randrange(16)].ljust(32, "0")
        if digits[12] < "8" or digits[16] < "8":  # version 8 … f of variant 0 is refused
            if not (digits[12] >= "8" and digits[16] < "8"):
                found.append("-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])))
    return found


def inet6s(rng, count):
    found = ["::", "::1", "1::", "::1.2.3.4", "::ffff:1.2.3.4", "::ffff:0:1.2.3.4", "::0.1.0.0", "::ffff:0.0.0.0"]
    while len(found) < count:
        found.append(":".join(f"{rng.choice((0, 0, 0, 1, 0xffff, 0xfff, rng.randrange(65536))):x}" for _ in range(8)))
    return found


@pytest.mark.flavors("mariadb")
@pytest.mark.parametrize("metadata", ["FULL", "NO_LOG"])
def test_addresses_of_mariadb_equal_select(server, sluice, rng, full, metadata):
    db = server(binlog_row_metadata=metadata)
    count = 60_000 if full else 2_000
    texts = {
        "uuid": uuids(rng, count),
        "inet6": inet6s(rng, count),
        "inet4": [".".join(str(rng.choice((0, 1, 255, rng.randrange(256)))) for _ in range(4)) for _ in range(count // 10)],
    }
    for name, literals in texts.items():
        db.sql("DROP TABLE IF EXISTS shop.t")
        with Recorded(db) as block:
            made = fill(db, name, [f"'{text}'" for text in literals])
        selected = dict(db.sql("SELECT id, CAST(v AS CHAR) FROM shop.t"))
        driver = sluice(live(db, "t"))
        assert inserted(driver.dump(*block.files, config=True)) == selected
        assert len(selected) == len(literals)
        if metadata == "FULL":
            # The definition that the server shows is younger than the rows; the form is told by it all the same.
            assert inserted(driver.dump("--from", at(block.begin), "--to", at(block.end), config=True)) == selected
            # Without a server the CREATE in the log tells it; behind the CREATE nothing does.
            assert inserted(driver.dump(*block.files)) == selected
            in_bytes = inserted(driver.dump("--from", at(made), *block.files))
            assert set(map(type, in_bytes.values())) == {dict}, "told without a definition"


def test_key_of_addresses_is_their_text(db, sluice):
    declaration, text = ("INET6", "::ffff:1.2.3.4") if db.flavor == "mariadb" else ("BINARY(2)", None)
    with Recorded(db) as block:
        db.sql(f"CREATE TABLE shop.t (id {declaration} PRIMARY KEY)")
        db.sql("INSERT INTO shop.t VALUES (%s)", (text or b"\x01\xff",))
    (line,) = sluice(live(db, "t")).dump(*block.files, config=True)
    assert line["key"] == (text.replace(":", "\\:") if text else "01ff")


# GEOMETRY.
def ring(rng):
    x, y = rng.uniform(-80, 70), rng.uniform(-80, 70)
    return f"({x} {y},{x + 5} {y},{x + 5} {y + 5},{x} {y})"


def shapes(rng, depth):
    def point():
        return f"{rng.uniform(-85, 85)} {rng.choice((0, -0.5, rng.uniform(-85, 85)))}"

    def several(make, least=1):
        return ",".join(make() for _ in range(rng.randint(least, 4)))

    bodies = {
        "POINT": lambda: f"({point()})",
        "LINESTRING": lambda: f"({several(point, 2)})",
        "POLYGON": lambda: f"({ring(rng)})",
        "MULTIPOINT": lambda: f"({several(point)})",
        "MULTILINESTRING": lambda: "(" + several(lambda: f"({several(point, 2)})") + ")",
        "MULTIPOLYGON": lambda: "(" + several(lambda: f"({ring(rng)})") + ")",
    }

    def any_shape(depth):
        if depth and rng.random() < 0.3:
            inner = [any_shape(depth - 1) for _ in range(rng.randint(1, 3))]
            return f"GEOMETRYCOLLECTION({','.join(inner)})"
        kind = rng.choice(list(bodies))
        return kind + bodies[kind]()

    for kind, make in bodies.items():
        yield kind + make()
    yield "GEOMETRYCOLLECTION EMPTY"
    while True:
        yield any_shape(depth)


def near(a, b):
    """Equal but for the digits that the server rounds coordinates to."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(near(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(near, a, b))
    if isinstance(a, str):
        return a == b
    return math.isclose(a, b, rel_tol=1e-14, abs_tol=1e-14)


def test_geojson_equals_the_servers(db, sluice, rng, full):
    count = 5_000 if full else 200
    made = shapes(rng, 4 if db.flavor == "mysql" else 1)  # MariaDB 10.11 has no collections in collections
    texts = [next(made) for _ in range(count)]
    with Recorded(db) as block:
        fill(db, "GEOMETRY", [f"ST_GeomFromText('{text}', {rng.choice((0, 4326))})" for text in texts])
    stored = {row[0]: bytes.fromhex(row[1]) for row in db.sql("SELECT id, HEX(v) FROM shop.t")}
    shown = {row[0]: json.loads(row[1]) for row in db.sql("SELECT id, ST_AsGeoJSON(v, 17) FROM shop.t")}
    lines = sluice().dump(*block.files)
    assert_valid(lines)
    wkb = inserted(lines)
    assert len(wkb) == count
    for number, data in stored.items():
        assert base64.b64decode(wkb[number]["wkb"]) == data[4:]
        assert wkb[number]["srid"] == struct.unpack("<I", data[:4])[0]
    as_json = inserted(sluice().dump("--geometry", "geojson", *block.files))
    wrong = [(n, as_json[n], shown[n]) for n in shown if not near(as_json[n], shown[n])]
    assert not wrong, f"{len(wrong)} of {count}: {wrong[0]}"


@pytest.mark.flavors("mariadb")
def test_geometry_that_is_none_comes_as_bytes(db, sluice):
    with Recorded(db) as block, db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET SESSION sql_mode = ''")
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY)")
        cur.execute("INSERT INTO t VALUES (1)")
        cur.execute("ALTER TABLE t ADD v GEOMETRY NOT NULL")
        cur.execute("UPDATE t SET id = 2")
        (shown,) = db.sql("SELECT HEX(v) FROM shop.t")[0]
    for form in ("wkb", "geojson"):
        (line,) = [one for one in sluice().dump("--geometry", form, *block.files) if one.get("half") == "to"]
        assert base64.b64decode(line["after"]["v"]["base64"]).hex() == shown.lower()


def test_geometry_form_that_is_none_is_a_usage_error(sluice, tmp_path):
    done = sluice().run("dump", "--geometry", "wkt", str(tmp_path / "x"), config=False)
    assert done.returncode == USAGE and "wkb" in done.stderr and "geojson" in done.stderr


# Temporal types before 5.6.
def temporals(rng, count):
    columns = {}
    for scale in range(7):
        part = (lambda s: lambda: f".{rng.randrange(10**s):0{s}d}" if s else "")(scale)
        clock = lambda: f"{rng.randrange(60):02d}:{rng.randrange(60):02d}"  # noqa: E731
        columns[f"TIME({scale})"] = ["00:00:00", "-838:59:59", "838:59:59", *(
            f"{rng.choice(('', '-'))}{rng.randrange(839)}:{clock()}{part()}" for _ in range(count))]
        columns[f"DATETIME({scale})"] = ["0000-00-00 00:00:00", "9999-12-31 23:59:59", "2026-00-00 00:00:00", *(
            f"{rng.randrange(10000):04d}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d} {rng.randrange(24):02d}:{clock()}{part()}"
            for _ in range(count))]
        columns[f"TIMESTAMP({scale})"] = ["0000-00-00 00:00:00", "1970-01-01 00:00:01", "2038-01-19 03:14:07", *(
            f"{rng.randint(1971, 2037)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d} {rng.randrange(24):02d}:{clock()}{part()}"
            for _ in range(count))]
    return columns


@pytest.mark.flavors("mariadb")
@pytest.mark.parametrize("metadata", ["FULL", "NO_LOG"])
def test_temporal_types_before_56_equal_select(server, sluice, rng, full, metadata):
    db = server(binlog_row_metadata=metadata, mysql56_temporal_format=0)
    columns = temporals(rng, 2_000 if full else 40)
    with Recorded(db) as block, db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'")
        declared = ", ".join(f"c{i} {sql} NULL" for i, sql in enumerate(columns))
        cur.execute(f"CREATE TABLE t (id INT PRIMARY KEY, {declared})")
        made = db.position()
        for number, row in enumerate(zip(*columns.values())):
            cur.execute(f"INSERT INTO t VALUES ({number}, {', '.join(repr(text) for text in row)})")
        cur.execute("UPDATE t SET c0 = NULL WHERE id % 2")
    assert "mariadb-5.3" in db.sql("SHOW CREATE TABLE shop.t")[0][1]
    driver = sluice(live(db, "t"))
    lines = driver.dump(*block.files, config=True)
    assert_valid(lines)
    rows = {}
    for line in lines:
        rows[line["after"]["id"]] = line["after"]
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET time_zone = '+00:00'")
        cur.execute(f"SELECT id, {', '.join(f'CAST(c{i} AS CHAR)' for i in range(len(columns)))} FROM t")
        for number, *shown in cur.fetchall():
            expected = [text if not sql.startswith("TIMESTAMP") or text is None or text.startswith("0000")
                        else text.replace(" ", "T") + "Z" for sql, text in zip(columns, shown)]
            assert [rows[number][f"c{i}"] for i in range(len(columns))] == expected
    # How many digits there are is not in the rows: the CREATE in the log tells it, behind the CREATE nothing is guessed.
    again = driver.dump(*block.files)
    assert [line["after"] for line in again] == [line["after"] for line in lines]
    done = driver.run("dump", "--from", at(made), *block.files, config=False)
    assert done.returncode == STOPPED
    assert ("type_uncertain" if metadata == "FULL" else "schema_unknown") in done.stderr


# MariaDB's compressed columns.
@pytest.mark.flavors("mariadb")
def test_long_compressed_columns_equal_select(db, sluice, rng, full):
    texts = ["", "a", "é" * 30_000, "x" * 70_000, "".join(rng.choices("abcdef ", k=100_000)), "y" * (20_000_000 if full else 300_000)]
    with Recorded(db) as block, db.connect("shop") as con, con.cursor() as cur:
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT COMPRESSED, b LONGBLOB COMPRESSED, c VARCHAR(8000) COMPRESSED) "
                    "CHARACTER SET utf8mb4")
        number = 0
        for wrap in (0, 1):
            for level in (0, 1, 9):
                cur.execute(f"SET column_compression_zlib_wrap = {wrap}, column_compression_zlib_level = {level}")
                for text in texts:
                    number += 1
                    cur.execute("INSERT INTO t VALUES (%s, %s, %s, %s)", (number, text, rng.randbytes(len(text) % 50_000), text[:8000]))
    lines = [line["after"] for line in sluice().dump(*block.files)]
    assert len(lines) == number
    for (_, v, b, c), line in zip(db.sql("SELECT id, v, b, c FROM shop.t ORDER BY id"), lines):
        assert (line["v"], line["c"]) == (v, c)
        assert base64.b64decode(line["b"]["base64"]) == b


# Columns that nobody declared, and tables that are none.
@pytest.mark.flavors("mariadb")
@pytest.mark.parametrize("metadata", ["FULL", "NO_LOG"])
def test_versioned_table_has_its_rows_of_history(server, sluice, metadata):
    db = server(binlog_row_metadata=metadata)
    with Recorded(db) as block:
        db.script(["CREATE TABLE shop.t (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING", "INSERT INTO shop.t VALUES (1, 10)",
                   "UPDATE shop.t SET v = 11", "DELETE FROM shop.t"])
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET time_zone = '+00:00'")
        cur.execute("SELECT id, v, CAST(row_start AS CHAR), CAST(row_end AS CHAR) FROM t FOR SYSTEM_TIME ALL")
        selected = sorted(cur.fetchall())
    rows = {}
    lines = sluice(live(db, "t")).dump(*block.files, config=True)
    for line in lines:
        if line.get("half") == "from":
            continue
        if "before" in line:
            del rows[json.dumps(line["before"])]
        rows[json.dumps(line["after"])] = line["after"]
    shown = sorted((row["id"], row["v"], *(row[name].replace("T", " ").rstrip("Z") for name in ("row_start", "row_end")))
                   for row in rows.values())
    assert shown == selected
    assert all(list(line["pk"]) == ["id", "row_end"] for line in lines)


@pytest.mark.flavors("mariadb")
def test_hashes_of_long_unique_keys_are_columns_in_every_metadata_mode(server, sluice):
    """MariaDB keeps a hidden column for the hash of a key that is too long for an index, and logs it."""
    lines = {}
    for metadata in ("FULL", "NO_LOG"):
        db = server(binlog_row_metadata=metadata)
        with Recorded(db) as block:
            db.script(["CREATE OR REPLACE TABLE shop.t (id INT PRIMARY KEY, a TEXT, b VARCHAR(3000), c VARCHAR(9), UNIQUE (a), "
                       "UNIQUE (b, a), UNIQUE (c))", "INSERT INTO shop.t VALUES (1, 'x', 'y', 'z')",
                       "CREATE OR REPLACE TABLE shop.u (id INT PRIMARY KEY, DB_ROW_HASH_1 INT, a BLOB UNIQUE) WITH SYSTEM VERSIONING",
                       "INSERT INTO shop.u (id, DB_ROW_HASH_1) VALUES (1, 2)"])
        found = sluice(live(db, "t", "u")).dump(*block.files, config=True)
        lines[metadata] = [{name: value for name, value in line["after"].items() if name != "row_start"}
                           for line in found if line["op"] == "insert"]
    assert lines["FULL"] == lines["NO_LOG"]
    first, second = lines["FULL"]
    assert list(first) == ["id", "a", "b", "c", "DB_ROW_HASH_1", "DB_ROW_HASH_2"]
    assert list(second) == ["id", "DB_ROW_HASH_1", "a", "row_end", "DB_ROW_HASH_2"]


@pytest.mark.flavors("mariadb")
def test_table_versioned_by_transaction_is_logged_as_statements_and_stops(db, sluice):
    with Recorded(db) as block:
        db.script(["CREATE TABLE shop.t (id INT PRIMARY KEY, s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, "
                   "e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) ENGINE=InnoDB "
                   "WITH SYSTEM VERSIONING", "INSERT INTO shop.t (id) VALUES (1)"])
    done = sluice().run("dump", *block.files, config=False)
    assert done.returncode == STOPPED and "statement" in done.stderr


@pytest.mark.flavors("mariadb")
def test_sequence_and_application_period_equal_select(db, sluice):
    with Recorded(db) as block:
        db.script(["CREATE SEQUENCE shop.s START WITH 5 CACHE 10", "SELECT NEXTVAL(shop.s)",
                   "CREATE TABLE shop.t (id INT, f DATE, u DATE, PERIOD FOR p (f, u), PRIMARY KEY (id, p WITHOUT OVERLAPS))",
                   "INSERT INTO shop.t VALUES (1, '2026-01-01', '2027-01-01')",
                   "DELETE FROM shop.t FOR PORTION OF p FROM '2026-03-01' TO '2026-04-01'"])
    lines = sluice().dump(*block.files)
    (sequence,) = [line["after"] for line in lines if line["table"] == "s"]
    assert sequence["next_not_cached_value"] == 15 and sequence["start_value"] == 5
    rows = {}
    for line in lines:
        if line["table"] == "t" and line.get("half") != "from":
            rows.pop(json.dumps(line.get("before")), None)
            if "after" in line:
                rows[json.dumps(line["after"])] = line["after"]
    shown = sorted((row["f"], row["u"]) for row in rows.values())
    assert shown == [tuple(map(str, row)) for row in db.sql("SELECT f, u FROM shop.t ORDER BY f")]
    assert len(shown) == 2


@pytest.mark.flavors("mysql")
def test_columns_behind_indexes_are_not_in_the_rows(db, sluice):
    """Functional and multi-valued indexes have hidden columns; a table without a key may have a hidden one of its own."""
    with Recorded(db) as block, db.connect("shop") as con, con.cursor() as cur:
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT AS (a + 1) VIRTUAL, j JSON, c INT AS (a * 2) STORED, "
                    "d INT INVISIBLE, KEY ((a + 5)), KEY ((CAST(j AS UNSIGNED ARRAY))), KEY ((LOWER(CONCAT(a, 'x')))))")
        cur.execute("INSERT INTO t (id, a, j, d) VALUES (1, 7, '[1, 2, 3]', 9)")
        cur.execute("UPDATE t SET a = 8, j = '[4]'")
        cur.execute("SET SESSION sql_generate_invisible_primary_key = ON")
        cur.execute("CREATE TABLE g (a INT)")
        cur.execute("INSERT INTO g VALUES (5)")
    for config in (False, True):
        lines = sluice(live(db, "t", "g")).dump(*block.files, config=config)
        update = next(line for line in lines if line["op"] == "update")
        assert update["before"] == {"id": 1, "a": 7, "b": 8, "j": "[1, 2, 3]", "c": 14, "d": 9}
        assert update["after"] == {"id": 1, "a": 8, "b": 9, "j": "[4]", "c": 16, "d": 9}
        assert lines[-1]["after"] == {"my_row_id": 1, "a": 5} and lines[-1]["pk"] == {"my_row_id": 1}


@pytest.mark.flavors("mysql")  # MariaDB has VECTOR since 11.7
def test_vectors_equal_select(db, sluice, rng):
    numbers = [[rng.choice((0.0, -0.0, 0.1, rng.uniform(-1e38, 1e38), rng.uniform(-1, 1))) for _ in range(rng.randint(1, 100))]
               for _ in range(100)]
    with Recorded(db) as block:
        fill(db, "VECTOR(100)", [f"x'{struct.pack(f'<{len(v)}f', *v).hex()}'" for v in numbers])
    found = inserted(sluice().dump(*block.files))
    for number, data in db.sql("SELECT id, HEX(v) FROM shop.t"):
        assert struct.pack(f"<{len(found[number])}f", *found[number]).hex() == data.lower()


# The bounds of what older and newer servers store.
def test_timestamps_up_to_2038_are_utc(db, sluice):
    with Recorded(db) as block, db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET time_zone = '+05:30'")
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY, v TIMESTAMP(6) NULL)")
        cur.execute("INSERT INTO t VALUES (1, '2038-01-19 08:44:07.999999'), (2, '1970-01-01 05:30:01')")
    assert inserted(sluice().dump(*block.files)) == {1: "2038-01-19T03:14:07.999999Z", 2: "1970-01-01T00:00:01.000000Z"}


def test_how_a_column_is_printed_is_no_part_of_its_value(db, sluice):
    """FLOAT(M,D) and ZEROFILL say how SELECT prints; the value is what is stored."""
    with Recorded(db) as block, db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET sql_mode = ''")
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY, f FLOAT(10,3), d DOUBLE(20,5), z INT(8) ZEROFILL, n DECIMAL(6,2) ZEROFILL)")
        cur.execute("INSERT INTO t VALUES (1, 123.4567, 1.000001, 42, 1.5), (2, 1e6, -0.1, 4294967295, 9999.99)")
    rows = [line["after"] for line in sluice().dump(*block.files)]
    for row, (f, d, z) in zip(rows, db.sql("SELECT CAST(f AS DOUBLE), CAST(d AS DOUBLE), z + 0 FROM shop.t ORDER BY id")):
        assert struct.pack("<f", row["f"]) == struct.pack("<f", f) and row["d"] == d and row["z"] == z
    assert [re.sub("^0+(?=[0-9])", "", row["n"]) for row in rows] == ["1.50", "9999.99"]
