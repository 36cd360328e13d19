"""A table with a column of each type that is decoded, and random changes of it."""

import datetime
import decimal
import struct

TEXTS = ["", "a", "café", "quote \" backslash \\ newline \n tab \t nul \0 end", "😀 emoji", "你好", " lead", "x" * 300]
LATIN = ["", "a", "ñandú", "€ ÿ", "x" * 40]


def _int(bits, signed):
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    edges = [low, high, 0, 1, low + 1, high - 1]
    return lambda rng: rng.choice(edges) if rng.random() < 0.4 else rng.randint(low, high)


def _decimal(digits, scale, signed=True):
    def make(rng):
        number = rng.choice([0, 10**digits - 1, rng.randrange(10**digits), rng.randrange(10 ** (digits // 3 + 1))])
        sign = "-" if signed and rng.random() < 0.5 else ""
        return decimal.Decimal(f"{sign}{number}E-{scale}") if scale else decimal.Decimal(f"{sign}{number}")

    return make


def _float(rng):
    return struct.unpack("f", struct.pack("f", rng.choice([0.0, 0.1, -1.5, 3.0e38, 1e-30, rng.uniform(-1e6, 1e6)])))[0]


def _double(rng):
    return rng.choice([0.0, 0.1, -1.5, 1.7e308, 5e-300, rng.uniform(-1e15, 1e15), rng.random()])


def _micros(rng, digits):
    return rng.randrange(10**digits) * 10 ** (6 - digits)


def _datetime(digits):
    def make(rng):
        if rng.random() < 0.1:
            return "0000-00-00 00:00:00"
        day = datetime.datetime(1000, 1, 1) + datetime.timedelta(seconds=rng.randrange(280_000_000_000))
        return str(day.replace(microsecond=_micros(rng, digits) if digits else 0))

    return make


def _timestamp(digits):
    def make(rng):
        if rng.random() < 0.1:
            return "0000-00-00 00:00:00"
        day = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=rng.randrange(1, (1 << 31) - 1))
        return str(day.replace(microsecond=_micros(rng, digits) if digits else 0))

    return make


def _date(rng):
    if rng.random() < 0.15:
        return rng.choice(["0000-00-00", "2026-00-00", "2026-11-00", "1000-01-01", "9999-12-31"])
    return str(datetime.date(1000, 1, 1) + datetime.timedelta(days=rng.randrange(3_280_000)))


def _time(digits):
    def make(rng):
        sign = rng.choice(["", "-"])
        text = f"{sign}{rng.choice([0, 1, 23, 838, rng.randrange(839)])}:{rng.randrange(59):02}:{rng.randrange(59):02}"
        return f"{text}.{_micros(rng, digits):06}"[: len(text) + 1 + digits] if digits else text

    return make


def _bytes(limit):
    return lambda rng: rng.choice([b"", b"\0", b"\xff\x00\x80", rng.randbytes(rng.randrange(limit))])[:limit]


def _text(choices, limit=300):
    return lambda rng: "".join(rng.choice(choices) for _ in range(rng.randrange(3)))[:limit].rstrip(" ")


def _set(labels):
    return lambda rng: ",".join(label for label in labels if rng.random() < 0.5)


# (column, declaration, maker of a random value)
COLUMNS = [
    ("c_tiny", "TINYINT", _int(8, True)),
    ("c_utiny", "TINYINT UNSIGNED", _int(8, False)),
    ("c_small", "SMALLINT", _int(16, True)),
    ("c_usmall", "SMALLINT UNSIGNED", _int(16, False)),
    ("c_medium", "MEDIUMINT", _int(24, True)),
    ("c_umedium", "MEDIUMINT UNSIGNED", _int(24, False)),
    ("c_int", "INT", _int(32, True)),
    ("c_uint", "INT UNSIGNED", _int(32, False)),
    ("c_big", "BIGINT", _int(64, True)),
    ("c_ubig", "BIGINT UNSIGNED", _int(64, False)),
    ("c_bool", "TINYINT(1)", lambda rng: rng.randrange(2)),
    ("c_dec", "DECIMAL(20,5)", _decimal(20, 5)),
    ("c_udec", "DECIMAL(10,0) UNSIGNED", _decimal(10, 0, False)),
    ("c_dec65", "DECIMAL(65,30)", _decimal(65, 30)),
    ("c_float", "FLOAT", _float),
    ("c_double", "DOUBLE", _double),
    ("c_bit1", "BIT(1)", _int(1, False)),
    ("c_bit10", "BIT(10)", _int(10, False)),
    ("c_bit64", "BIT(64)", _int(64, False)),
    ("c_year", "YEAR", lambda rng: rng.choice([0, 1901, 2155, rng.randrange(1901, 2156)])),
    ("c_date", "DATE", _date),
    ("c_time", "TIME", _time(0)),
    ("c_time3", "TIME(3)", _time(3)),
    ("c_time6", "TIME(6)", _time(6)),
    ("c_dt", "DATETIME", _datetime(0)),
    ("c_dt3", "DATETIME(3)", _datetime(3)),
    ("c_dt6", "DATETIME(6)", _datetime(6)),
    ("c_ts", "TIMESTAMP NULL", _timestamp(0)),
    ("c_ts3", "TIMESTAMP(3) NULL", _timestamp(3)),
    ("c_ts6", "TIMESTAMP(6) NULL", _timestamp(6)),
    ("c_char", "CHAR(20)", _text(["", "a", "é", "字", "zz"], 20)),
    ("c_vc", "VARCHAR(2000)", _text(TEXTS, 2000)),
    ("c_latin", "VARCHAR(50) CHARACTER SET latin1", _text(LATIN, 50)),
    ("c_ltext", "TEXT CHARACTER SET latin1", _text(LATIN, 200)),
    ("c_bin", "BINARY(4)", _bytes(4)),
    ("c_vbin", "VARBINARY(20)", _bytes(20)),
    ("c_tblob", "TINYBLOB", _bytes(255)),
    ("c_blob", "BLOB", _bytes(3000)),
    ("c_mblob", "MEDIUMBLOB", _bytes(100)),
    ("c_lblob", "LONGBLOB", _bytes(100)),
    ("c_ttext", "TINYTEXT", _text(["", "t", "ü"], 60)),
    ("c_text", "TEXT", _text(TEXTS)),
    ("c_mtext", "MEDIUMTEXT", _text(TEXTS)),
    ("c_enum", "ENUM('a','b','c,d','é')", lambda rng: rng.choice(["a", "b", "c,d", "é"])),
    ("c_set", "SET('x','y','z w','ü')", _set(["x", "y", "z w", "ü"])),
]
MAKERS = {name: make for name, _, make in COLUMNS}

CREATE = (
    "CREATE TABLE shop.types (id BIGINT NOT NULL, grp INT NOT NULL DEFAULT 0, "
    + ", ".join(f"{name} {declaration}" for name, declaration, _ in COLUMNS)
    + ", PRIMARY KEY (id)) CHARACTER SET utf8mb4"
)
SQL_MODE = "SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES', time_zone = '+00:00'"


def random_row(rng, columns=None, null_share=0.15):
    return {
        name: None if rng.random() < null_share else MAKERS[name](rng)
        for name in (columns or MAKERS)
    }


class Changes:
    """Random single- and multi-row changes of shop.types in transactions, some of them rolled back."""

    def __init__(self, connection, rng):
        self.cursor = connection.cursor()
        self.cursor.execute(SQL_MODE)
        self.rng = rng
        self.next_id = 1

    def insert(self):
        rows = []
        for _ in range(self.rng.choice([1, 1, 3])):
            rows.append({"id": self.next_id, "grp": self.rng.randrange(8), **random_row(self.rng)})
            self.next_id += 1
        names = ", ".join(rows[0])
        places = ", ".join(["%s"] * len(rows[0]))
        values = ", ".join(f"({places})" for _ in rows)
        self.cursor.execute(
            f"INSERT INTO shop.types ({names}) VALUES {values}", [value for row in rows for value in row.values()]
        )

    def update(self):
        row = random_row(self.rng, self.rng.sample(list(MAKERS), self.rng.choice([1, 2, 10])))
        if self.rng.random() < 0.15:
            row = {"id": self.next_id, **row}
            self.next_id += 1
            where = ("id = %s", self._some_id())
        elif self.rng.random() < 0.2:
            where = ("grp = %s", self.rng.randrange(8))
        else:
            where = ("id = %s", self._some_id())
        settings = ", ".join(f"{name} = %s" for name in row)
        self.cursor.execute(f"UPDATE shop.types SET {settings} WHERE {where[0]}", [*row.values(), where[1]])

    def delete(self):
        self.cursor.execute("DELETE FROM shop.types WHERE id = %s", (self._some_id(),))

    def _some_id(self):
        return self.rng.randrange(max(1, self.next_id - 60), self.next_id + 1)

    def run(self, statements):
        """So many statements in transactions of 1 to 5."""
        done = 0
        while done < statements:
            self.cursor.execute("BEGIN")
            for number in range(self.rng.randrange(1, 6)):
                if number and self.rng.random() < 0.15:
                    self.cursor.execute("SAVEPOINT s")
                    self.update()
                    self.cursor.execute("ROLLBACK TO s")
                self.rng.choices([self.insert, self.update, self.delete], [4, 5, 1])[0]()
                done += 1
            self.cursor.execute("ROLLBACK" if self.rng.random() < 0.1 else "COMMIT")
