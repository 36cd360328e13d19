"""The catalogue of column types, with generators of random values as SQL literals. Shares nothing with sluice.

A Type is one declaration. `pool(rng, n)` gives literals, the edges of the type among them; NULL is the table's part.
"""

import dataclasses
import datetime
import decimal
import json
import struct
import typing

TEMPORAL_DIGITS = range(7)
# Of values as long as the type allows; they cost more than all others together.
LONG_SHARE = 0.006
# Character sets whose codes without a character are shown as U+FFFD, not as `?`.
REPLACING = ("big5", "tis620")


@dataclasses.dataclass(frozen=True)
class Type:
    name: str  # in the report; a declaration, or what is particular
    sql: str
    form: str  # of value_oracle
    pool: typing.Callable  # (rng, n) → SQL literals, as str or bytes
    row_bytes: int = 20  # towards the 65,535 of a row
    inline: int = 20  # towards InnoDB's half page
    blob: bool = False  # what NOBLOB may leave out
    key: bool = False  # may be part of a primary key
    options: str = ""  # behind NULL or NOT NULL: the generated column's expression, INVISIBLE
    generated: bool = False
    nullable: bool = True
    not_null_ok: bool = True
    names_logged: bool = False  # only where the log has all of the metadata


def text_literal(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def hex_literal(data):
    return f"x'{data.hex()}'"


def mixed(edges, make):
    """Edges first, then random ones, so many in all."""

    def pool(rng, n):
        few = list(edges) if len(edges) <= n else rng.sample(list(edges), n)
        return few + [make(rng) for _ in range(n - len(few))]

    return pool


# Numbers.
def integers():
    for name, bits in (("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64)):
        low, high, top = -(1 << (bits - 1)), (1 << (bits - 1)) - 1, (1 << bits) - 1
        signed = sorted({low, low + 1, -1, 0, 1, high - 1, high, *(n for n in (2**53, -(2**53), 2**53 - 1) if n <= high)})
        unsigned = sorted({0, 1, high, high + 1, top - 1, top, *(n for n in (2**53 - 1, 2**53) if n <= top)})

        def any_of(low, high):
            # All magnitudes alike, not only the long ones.
            return lambda rng: str(max(low, min(high, rng.randint(low, high) >> rng.randrange(bits))))

        yield Type(name, name, "integer", mixed([*map(str, signed)], any_of(low, high)), 8, 8, key=True)
        for more in (" UNSIGNED", " ZEROFILL"):
            pool = mixed([*map(str, unsigned)], any_of(0, top))
            yield Type(name + more, name + more, "integer", pool, 8, 8, key=True)
    yield Type("TINYINT(1)", "TINYINT(1)", "integer", mixed(["0", "1", "-128"], lambda rng: str(rng.randrange(-128, 128))))
    yield Type("BOOL", "BOOL", "integer", mixed(["TRUE", "FALSE"], lambda rng: str(rng.randrange(2))))
    yield Type("YEAR", "YEAR", "integer", mixed(["0", "1901", "2155"], lambda rng: str(rng.randrange(1901, 2156))))
    for bits in (1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 48, 53, 54, 56, 57, 63, 64):
        edges = [str(n) for n in sorted({0, 1, 1 << (bits - 1), (1 << bits) - 1})]
        pool = mixed(edges, lambda rng, bits=bits: str(rng.getrandbits(bits) >> rng.randrange(bits)))
        yield Type(f"BIT({bits})", f"BIT({bits})", "bit", pool, 8, 8, key=True)


def decimals():
    shapes = ((1, 0), (1, 1), (5, 2), (9, 0), (9, 9), (10, 0), (10, 9), (10, 10), (12, 2), (18, 9), (19, 1), (20, 5),
              (27, 18), (30, 30), (38, 15), (38, 38 - 9), (64, 29), (65, 0), (65, 1), (65, 30))
    for digits, scale in shapes:
        for more in ("", " UNSIGNED", " ZEROFILL"):
            if more and (digits, scale) not in ((5, 2), (20, 5), (65, 30)):
                continue
            signs = ("",) if more else ("", "-")

            def literal(number, sign, scale=scale):
                return f"{sign}{decimal.Decimal(number).scaleb(-scale, decimal.Context(prec=80)):f}"

            edges = [literal(n, s) for n in (0, 1, 10**digits - 1, 10 ** (digits - 1), 10**scale) for s in signs
                     if n < 10**digits]

            def make(rng, digits=digits, signs=signs, literal=literal):
                return literal(rng.randrange(10 ** rng.randint(1, digits)), rng.choice(signs))

            sql = f"DECIMAL({digits},{scale}){more}"
            yield Type(sql, sql, "decimal", mixed(edges, make), 34, 34, key=True)


def reals():
    singles = ["0", "-0e0", "0.1", "-1.5", "3.4028234e38", "-3.4028234e38", "1.17549435e-38", "1.4e-45", "16777216",
               "16777217", "1e-7", "9.9999e-8", "1e15", "9.99999e14", "0.333333333", "1e10", "123456.789", "2e-44"]
    doubles = ["0", "-0e0", "0.1", "1.7976931348623157e308", "-1.7976931348623157e308", "2.2250738585072014e-308",
               "5e-324", "9007199254740993", "1e15", "999999999999999.9", "1e-7", "9.999999999999999e-8", "1e22", "1e23",
               "123456789012345680000", "0.30000000000000004", "4.35", "1e16"]

    def single(rng):
        value = struct.unpack("<f", struct.pack("<I", rng.getrandbits(32)))[0]
        return repr(value) if value - value == 0 else repr(rng.uniform(-1e6, 1e6))

    def double(rng):
        value = struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0]
        return repr(rng.choice([value, rng.uniform(-1e15, 1e15), round(rng.uniform(-1e6, 1e6), 3)])
                    if value - value == 0 else rng.random())

    def unsigned(make):
        return lambda rng: make(rng).lstrip("-")

    def fixed(whole, part):
        return lambda rng: f"{rng.uniform(-(10**whole), 10**whole):.{part}f}"

    def positive(edges):
        return [text.lstrip("-") for text in edges]

    for name, form, edges, make in (("FLOAT", "float", singles, single), ("DOUBLE", "double", doubles, double)):
        yield Type(name, name, form, mixed(edges, make), 8, 8)
        for more in (" UNSIGNED", " ZEROFILL"):
            yield Type(name + more, name + more, form, mixed(positive(edges), unsigned(make)), 8, 8)
        for whole, part in ((5, 2), (3, 7), (8, 0)):
            sql = f"{name}({whole + part},{part})"
            yield Type(sql, sql, form, mixed(["0", "0.01", "-1.55"], fixed(whole, part)), 8, 8)
    yield Type("FLOAT(24)", "FLOAT(24)", "float", mixed(singles, single), 8, 8)
    yield Type("FLOAT(53)", "FLOAT(53)", "double", mixed(doubles, double), 8, 8)


# Dates and times; with sql_mode '' zero and partial dates are values.
def temporals():
    def date_of(rng):
        if rng.random() < 0.15:
            return f"{rng.randrange(10000):04}-{rng.randrange(13):02}-00"
        if rng.random() < 0.1:
            return f"{rng.randrange(10000):04}-02-{rng.randrange(29, 32)}"
        return str(datetime.date(1, 1, 1) + datetime.timedelta(days=rng.randrange(3_652_059)))

    dates = ["'0000-00-00'", "'0000-01-01'", "'1000-01-01'", "'9999-12-31'", "'2026-00-00'", "'2026-11-00'", "'2026-02-31'",
             "'2024-02-29'", "'1969-12-31'", "'1582-10-10'"]
    yield Type("DATE", "DATE", "text", mixed(dates, lambda rng: f"'{date_of(rng)}'"), 8, 8, key=True)

    for digits in TEMPORAL_DIGITS:
        def part(rng, digits=digits):
            return "." + f"{rng.choice([0, 1, 10**digits - 1, rng.randrange(10**digits)]):0{digits}}" if digits else ""

        def clock(rng, part=part):
            return f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}{part(rng)}"

        def time_of(rng, part=part):
            hours = rng.choice([0, 1, 23, 24, 837, rng.randrange(838), rng.randrange(60)])
            return f"'{rng.choice(['', '-'])}{hours:02}:{rng.randrange(60):02}:{rng.randrange(60):02}{part(rng)}'"

        def datetime_of(rng, clock=clock):
            return f"'{date_of(rng)} {clock(rng)}'"

        def timestamp_of(rng, part=part):
            second = rng.randrange(1, 1 << rng.randrange(20, 32)) % ((1 << 31) - 1) or 1
            return f"'{datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=second)}{part(rng)}'"

        nines, least = ("." + "9" * digits, "." + "0" * (digits - 1) + "1") if digits else ("", "")
        times = ["'00:00:00'", "'838:59:59'", "'-838:59:59'", f"'-838:59:58{nines}'", f"'-00:00:00{least}'",
                 f"'00:00:00{least}'", f"'-00:00:00{nines}'", f"'-00:00:01{least}'", "'-00:00:01'", "'24:00:00'",
                 f"'-00:59:59{nines}'", f"'-01:00:00{least}'"]
        moments = ["'0000-00-00 00:00:00'", "'1000-01-01 00:00:00'", f"'9999-12-31 23:59:59{nines[:1 + digits]}'",
                   f"'2026-00-00 00:00:00{least}'", f"'0000-00-00 00:00:00{least}'", "'2026-02-31 01:02:03'"]
        stamps = ["'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'", f"'2038-01-19 03:14:07{nines}'", "'2000-02-29 23:59:59'",
                  f"'1970-01-01 00:00:01{least}'", "'2024-12-31 23:59:59'", "'2026-03-29 01:00:00'", "'2026-10-25 00:30:00'"]
        yield Type(f"TIME({digits})", f"TIME({digits})", "text", mixed(times, time_of), 8, 8, key=True)
        yield Type(f"DATETIME({digits})", f"DATETIME({digits})", "text", mixed(moments, datetime_of), 8, 8, key=True)
        yield Type(f"TIMESTAMP({digits})", f"TIMESTAMP({digits})", "timestamp", mixed(stamps, timestamp_of), 8, 8,
                   nullable=True, key=True)


# Bytes.
def binaries():
    def bytes_pool(limit):
        edges = {b"", b"\0", b"\xff" * min(limit, 300), b"a\0\0", b"  ", b"\0" * limit if limit < 300 else b"\0\0"}

        def make(rng):
            longest = limit if rng.random() < LONG_SHARE else min(limit, rng.choice([4, 30, 300]))
            return hex_literal(rng.randbytes(rng.randint(0, longest)))

        return mixed([hex_literal(edge[:limit]) for edge in sorted(edges)], make)

    for length in (0, 1, 4, 16, 255):
        sql = f"BINARY({length})"
        yield Type(sql, sql, "bytes", bytes_pool(length), length, length)
    for length in (0, 1, 20, 255, 256, 1000, 60000):
        sql = f"VARBINARY({length})"
        yield Type(sql, sql, "bytes", bytes_pool(length), length + 2, min(length, 300 if length < 256 else 40))
    for sql, length in (("TINYBLOB", 255), ("BLOB", 65535), ("MEDIUMBLOB", 70_000), ("LONGBLOB", 70_000)):
        yield Type(sql, sql, "bytes", bytes_pool(length), 12, 40, blob=True)


# Texts, in every character set.
@dataclasses.dataclass(frozen=True)
class Charset:
    name: str
    bytes_max: int
    collation: str  # by bytes
    letters: str  # characters that it has, by the server's own conversion


def usable(text):
    """In a label that SHOW CREATE TABLE shows as it is: that goes through utf8mb3."""
    return text.isprintable() and not text.isspace() and text not in ",'\\?" and ord(text) < 0x10000


def texts(charset):
    letters, name = charset.letters, charset.name
    plain = [letter for letter in letters if letter.isascii() and letter not in " \0"] or list(letters)

    def word(rng, most):
        length = rng.randint(0, most)
        return "".join(rng.choices(plain if rng.random() < 0.2 else letters, k=length))

    def text_pool(chars, limit_bytes):
        def make(rng):
            length = chars if rng.random() < LONG_SHARE else min(chars, rng.choice([1, 8, 40, 300]))
            return text_literal(fitting(word(rng, length)))

        def fitting(text):
            return text[: min(chars, limit_bytes // charset.bytes_max)]

        controls = [text for text in ("", "a", " ", " a ", "a  ", "\0", "\t\n\r\x0b\x1b\x7f", "\"'\\/", "<\u2028>", "\x80\x9f")
                    if all(letter in letters for letter in text)]
        return mixed([text_literal(fitting(text)) for text in controls], make)

    of = f" CHARACTER SET {name}"
    for length in (0, 1, 10, 255):
        most = length * charset.bytes_max
        pool = text_pool(length, most)
        yield Type(f"CHAR({length}){of}", f"CHAR({length}){of}", "text", pool, most, min(most, 300))
    short, long = 255 // charset.bytes_max, 255 // charset.bytes_max + 1
    for length in dict.fromkeys((0, 1, short, long, 1500)):
        most = length * charset.bytes_max
        inline = most if most < 256 else 40
        pool = text_pool(length, most)
        yield Type(f"VARCHAR({length}){of}", f"VARCHAR({length}){of}", "text", pool, most + 2, inline)
    for kind, length in (("TINYTEXT", 255), ("TEXT", 20_000), ("MEDIUMTEXT", 70_000), ("LONGTEXT", 70_000)):
        yield Type(kind + of, kind + of, "text", text_pool(length, length), 12, 40, blob=True)
    labels_of = [letter for letter in letters if usable(letter)]
    for kind, counts in (("ENUM", (5, 300)), ("SET", (3, 9, 64))):
        for count in counts:
            # The same labels in each run; enough letters of the set make each its own.
            labels = list(dict.fromkeys(
                f"{number}{labels_of[number * 37 % len(labels_of)]}{labels_of[number * 101 % len(labels_of)]}"
                for number in range(count)))
            listed = ",".join(map(text_literal, labels))
            pool = enum_pool(labels) if kind == "ENUM" else set_pool(labels)
            yield Type(f"{kind} of {count}{of}", f"{kind}({listed}){of} COLLATE {charset.collation}", "text", pool, 8, 8)


def enum_pool(labels):
    edges = [text_literal(labels[0]), text_literal(labels[-1]), "0", "1", str(len(labels)), "'no such label'"]
    return mixed(edges, lambda rng: text_literal(rng.choice(labels)))


def set_pool(labels):
    everything = (1 << len(labels)) - 1
    edges = ["''", "0", str(everything), str(1 << (len(labels) - 1)), text_literal(labels[0])]
    return mixed(edges, lambda rng: str(rng.getrandbits(len(labels)) & rng.choice([everything, rng.getrandbits(64)])))


def misdecoded(charset):
    """Bytes that need not be a text of the character set, as a client that lied about its own leaves them."""

    def make(rng):
        lead = rng.choice([range(0x81, 0xFF), range(0x20, 0x100), range(0xA1, 0xFF)])
        return hex_literal(bytes(rng.choice(lead) for _ in range(rng.randrange(0, 12))))

    sql = f"VARCHAR(40) CHARACTER SET {charset.name}"
    form = "any_replaced" if charset.name in REPLACING else "any_text"
    return Type(f"{sql}, any bytes", sql, form, mixed(["''"], make), 160, 160)


def odd_texts():
    """Long declarations, and labels that look like something else."""
    for sql in ("VARCHAR(16000) CHARACTER SET utf8mb4", "VARCHAR(60000) CHARACTER SET latin1"):
        pool = mixed(["''", "REPEAT('é', 16000)", "REPEAT('z', 15999)"], lambda rng: text_literal("é" * rng.randrange(30)))
        yield Type(sql, sql, "text", pool, 64_002, 40)
    labels = ["", "0", "1", "a b", "a\"b", "c\\d", "é", "x" * 200, "'", "(", "--", "null"]
    listed = ",".join(map(text_literal, labels))
    yield Type("ENUM of odd labels", f"ENUM({listed}) CHARACTER SET utf8mb4", "text", enum_pool(labels), 8, 8)
    labels = labels[1:]
    listed = ",".join(map(text_literal, labels))
    yield Type("SET of odd labels", f"SET({listed}) CHARACTER SET utf8mb4", "text", set_pool(labels), 8, 8)
    labels = ["😀", "?", "a😀b", "🚀?"]
    listed = ",".join(map(text_literal, labels))
    for charset in ("utf8mb4", "utf16", "utf16le", "utf32"):
        of = f"({listed}) CHARACTER SET {charset}"
        yield Type(f"ENUM beyond the BMP, {charset}", "ENUM" + of, "text", enum_pool(labels), 8, 8,
                   names_logged=True)
        yield Type(f"SET beyond the BMP, {charset}", "SET" + of, "text", set_pool(labels), 8, 8,
                   names_logged=True)


# JSON.
def random_json(rng, depth=0):
    leaf = [
        lambda: None, lambda: True, lambda: False, lambda: 0, lambda: rng.randint(-(2**15), 2**16), lambda: 2**63 - 1,
        lambda: -(2**63), lambda: 2**64 - 1, lambda: rng.randint(-(2**31), 2**32), lambda: rng.uniform(-1e9, 1e9),
        lambda: 1e300 * rng.random(), lambda: "", lambda: "é😀\"\\\n\0x", lambda: "k" * rng.choice([5, 127, 128, 300]),
        lambda: [], lambda: {},
    ]
    if depth > 3 or rng.random() < 0.35:
        return rng.choice(leaf)()
    if rng.random() < 0.5:
        return [random_json(rng, depth + 1) for _ in range(rng.randrange(6))]
    return {rng.choice(["a", "b", "", "é", "key %d", "\"q\"", "long " * 20]).replace("%d", str(rng.randrange(9))):
            random_json(rng, depth + 1) for _ in range(rng.randrange(6))}


def json_pool(opaque):
    """MySQL can hold in its documents what JSON has no literal for."""
    edges = ["'null'", "'true'", "'0'", "'-1'", "'\"\"'", "'[]'", "'{}'", "'1.5'", "'18446744073709551615'",
             "'[1, -32768, 32767, 32768, 65536, -2147483649, 4294967296]'", "'1e308'", "'-0.0'"]
    values = ["CAST(1.50 AS DECIMAL(10,2))", "CAST('-838:59:59.5' AS TIME(6))", "CAST('2026-11-22' AS DATE)",
              "CAST('2026-11-22 01:02:03.456' AS DATETIME(6))", "CAST(x'00ff7f' AS BINARY)", "123456789012345678901234567890.5",
              "CAST(2026 AS YEAR)", "0.1e0", "x'00'", "TIMESTAMP'2026-01-02 03:04:05'", "POINT(1, 2)", "TRUE", "NULL",
              "b'1010'", "18446744073709551615", "-1"]

    def make(rng):
        if opaque and rng.random() < 0.35:
            value = rng.choice(values)
            return rng.choice([f"JSON_ARRAY({value}, 1)", f"JSON_OBJECT('k', {value}, 'l', 'x')", f"CAST({value} AS JSON)"]
                              if value != "NULL" else ["JSON_ARRAY(NULL)"])
        if rng.random() < LONG_SHARE:  # beyond 64 KiB: the large format
            return text_literal(json.dumps({f"k{n}": "v" * 700 for n in range(100)}))
        return text_literal(json.dumps(random_json(rng), ensure_ascii=rng.random() < 0.5).replace("\\u0000", "\\u0001"))

    return mixed(edges, make)


# Geometry.
def geometry_pool(kind):
    def number(rng):
        return rng.choice([0, 1, -1.5, rng.uniform(-180, 180), 1e-300, 1e100, 0.1])

    def pair(rng):
        return f"{number(rng)!r} {number(rng)!r}"

    def line(rng):
        return "(" + ",".join(pair(rng) for _ in range(rng.randint(2, 5))) + ")"

    def ring(rng):
        x, y, size = rng.randrange(9), rng.randrange(9), rng.randint(1, 9)
        return f"({x} {y},{x + size} {y},{x + size} {y + size},{x} {y})"

    def polygon(rng):
        return "(" + ring(rng) + ")"

    def several(make):
        return lambda rng: "(" + ",".join(make(rng) for _ in range(rng.randint(1, 3))) + ")"

    bodies = {
        "POINT": lambda rng: f"({pair(rng)})", "LINESTRING": line, "POLYGON": polygon, "MULTIPOINT": several(pair),
        "MULTILINESTRING": several(line), "MULTIPOLYGON": several(polygon),
    }

    def text(rng, kind):
        if kind == "GEOMETRYCOLLECTION":
            return kind + several(lambda rng: text(rng, rng.choice(list(bodies))))(rng)
        return kind + bodies[kind](rng)

    def make(rng):
        which = rng.choice([*bodies, "GEOMETRYCOLLECTION"]) if kind == "GEOMETRY" else kind
        return f"ST_GeomFromText('{text(rng, which)}', {rng.choice([0, 0, 3857])})"

    return mixed([], make)


def geometries():
    for kind in ("GEOMETRY", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON",
                 "GEOMETRYCOLLECTION"):
        yield Type(kind, kind, "geometry", geometry_pool(kind), 12, 40, blob=True)


def vectors():
    def pool(most):
        def make(rng):
            data = b"".join(struct.pack("<f", rng.choice([0.0, -0.0, 0.1, rng.uniform(-1e3, 1e3), 3e38, 1e-40]))
                            for _ in range(rng.randint(1, most)))
            return hex_literal(data)

        return mixed([hex_literal(struct.pack("<f", 1.5))], make)

    for most in (1, 3, 2048):
        yield Type(f"VECTOR({most})", f"VECTOR({most})", "vector", pool(min(most, 50)), 12, 40, blob=True)


# What only MariaDB has.
def addresses():
    def uuid(rng):
        return text_literal("-".join(rng.randbytes(n).hex() for n in (4, 2, 2, 2, 6)))

    def inet4(rng):
        return text_literal(".".join(str(rng.choice([0, 255, rng.randrange(256)])) for _ in range(4)))

    def inet6(rng):
        parts = [f"{rng.choice([0, 0, 1, rng.randrange(65536)]):x}" for _ in range(8)]
        return text_literal(rng.choice([":".join(parts), "::ffff:1.2.3.4", "::", "::" + parts[0], "1::" + parts[1]]))

    yield Type("UUID", "UUID", "inet", mixed(["'00000000-0000-0000-0000-000000000000'"], uuid), 16, 16)
    yield Type("INET4", "INET4", "inet", mixed(["'0.0.0.0'", "'255.255.255.255'"], inet4), 16, 16)
    yield Type("INET6", "INET6", "inet", mixed(["'::'", "'::1'", "'::255.255.255.255'"], inet6), 16, 16)


def compressed(charsets):
    def words(rng):
        return text_literal(rng.choice(["ab ", "é", "x"]) * rng.choice([0, 1, 50, 120, 300]))

    def data(rng):
        return hex_literal(rng.choice([b"\0", b"ab", rng.randbytes(3)]) * rng.choice([0, 1, 60, 100]))

    for sql in ("VARCHAR(1000)", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"):
        for name in ("utf8mb4", "latin1"):
            of = f"{sql} COMPRESSED CHARACTER SET {name}"
            pool = mixed(["''", "'a'", "REPEAT('ab', 100)"], words) if sql != "TINYTEXT" else mixed(
                ["''"], lambda rng: text_literal("ab " * rng.randrange(60)))
            blob = sql != "VARCHAR(1000)"
            yield Type(of, of, "text", pool, 4010 if not blob else 12, 40, blob=blob)
    for sql in ("VARBINARY(1000)", "BLOB", "MEDIUMBLOB", "LONGBLOB"):
        of = f"{sql} COMPRESSED"
        blob = sql != "VARBINARY(1000)"
        yield Type(of, of, "bytes", mixed(["''", "x'00'"], data), 1010 if not blob else 12, 40, blob=blob)


def generated():
    """Columns that the server fills, from the table's INT column `id`."""
    for how in ("VIRTUAL", "STORED"):
        for sql, form, expression in (
            ("BIGINT", "integer", "id * 3 - 7"),
            ("VARCHAR(40) CHARACTER SET utf8mb4", "text", "CONCAT('é', id)"),
            ("DECIMAL(12,3)", "decimal", "id / 8"),
            ("DATE", "text", "IF(id % 3, '2026-11-22', NULL)"),
        ):
            yield Type(f"{sql} {how}", sql, form, mixed(["DEFAULT"], lambda rng: "DEFAULT"), 170, 170,
                       options=f"GENERATED ALWAYS AS ({expression}) {how}", generated=True)


def invisible():
    for sql, form, make in (
        ("INT", "integer", lambda rng: str(rng.randrange(10**9))),
        ("VARCHAR(20) CHARACTER SET utf8mb4", "text", lambda rng: text_literal("ü" * rng.randrange(20))),
        ("TEXT CHARACTER SET latin1", "text", lambda rng: text_literal("ü" * rng.randrange(20))),
    ):
        yield Type(f"{sql} INVISIBLE", sql, form, mixed([], make), 82, 82, blob=sql.startswith("TEXT"), options="INVISIBLE",
                   not_null_ok=False)


def catalogue(flavor, charsets):
    """All types of the server."""
    yield from integers()
    yield from decimals()
    yield from reals()
    yield from temporals()
    yield from binaries()
    for charset in charsets:
        yield from texts(charset)
        yield misdecoded(charset)
    yield from odd_texts()
    yield from geometries()
    yield from generated()
    yield from invisible()
    if flavor == "mysql":
        yield Type("JSON", "JSON", "json", json_pool(True), 12, 40, blob=True)
        yield from vectors()
    else:
        yield Type("JSON", "JSON", "text", json_pool(False), 12, 40, blob=True, not_null_ok=True)
        yield from addresses()
        yield from compressed(charsets)
