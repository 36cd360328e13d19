"""Plays random DDL and row changes on a server, and keeps what they did: the rows by SELECT before and after each change,
the tables by information_schema after each statement. And the judge of what sluice says of them."""

import collections
import json

import pymysql

from ddl_columns import CODECS, DATABASES, Column, Table
from ddl_generator import Generator
from value_oracle import FORMS, loads

NUMBERS = {"tinyint": "integer", "smallint": "integer", "mediumint": "integer", "int": "integer", "bigint": "integer",
           "year": "integer", "bit": "bit", "decimal": "decimal", "float": "float", "double": "double"}
OTHERS = {"timestamp": "timestamp", "json": "json", "vector": "vector", "uuid": "inet", "inet4": "inet", "inet6": "inet"}
GEOMETRIES = ("point", "geometry", "geometrycollection", "geomcollection")
BYTES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
TEXTS = ("", "a", "é", "B b", "x'y", "zz\\z", "12")
ROWS_MAX = 8
TABLE_LOST = (1812, 1932)

# Rows that one statement changed: names of all columns, {values: how often}.
Group = collections.namedtuple("Group", "op table names befores afters statement")


class Difference(AssertionError):
    """What sluice said is not what was done."""


def form_of(column):
    if column.kind in GEOMETRIES:
        return "geometry"
    if column.kind in BYTES:
        return "bytes"
    return NUMBERS.get(column.kind) or OTHERS.get(column.kind, "text")


def quoted(*names):
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)


# What information_schema says.
def read_state(cur):
    """([database], {(db, table): Table}) of the generator's databases."""
    names = ", ".join("'" + name.lower() + "'" for name in DATABASES)
    cur.execute(f"SELECT schema_name FROM information_schema.schemata WHERE LOWER(schema_name) IN ({names}) "
                "ORDER BY schema_name")
    databases = [name for (name,) in cur.fetchall()]
    state = {}
    for db in databases:
        cur.execute("SELECT table_name, engine, create_options FROM information_schema.tables WHERE table_schema = %s "
                    "AND table_type <> 'VIEW' AND table_type <> 'SEQUENCE' AND table_type NOT LIKE 'TEMPORARY%%' "
                    "ORDER BY table_name", (db,))
        for name, engine, options in cur.fetchall():
            state[(db, name)] = Table([], {}, engine, int("partitioned" in (options or "")))
        cur.execute("SELECT table_name, column_name, column_type, data_type, is_nullable, character_set_name, collation_name, "
                    "extra, generation_expression FROM information_schema.columns WHERE table_schema = %s "
                    "ORDER BY table_name, ordinal_position", (db,))
        for table, name, kind, data, nullable, charset, collation, extra, expression in cur.fetchall():
            if (db, table) not in state:
                continue
            extra = extra.upper()
            generated = next((word for word in ("VIRTUAL", "STORED") if f"{word} GENERATED" in extra), "")
            state[(db, table)].columns.append(
                Column(name, text_of(kind), data, nullable == "YES", charset, collation, generated, "INVISIBLE" in extra,
                       text_of(expression or ""), "AUTO_INCREMENT" in extra))
        cur.execute("SELECT table_name, index_name, non_unique, column_name FROM information_schema.statistics "
                    "WHERE table_schema = %s ORDER BY table_name, index_name, seq_in_index", (db,))
        for table, key, not_unique, column in cur.fetchall():
            if (db, table) in state:
                state[(db, table)].keys.setdefault(key, (not int(not_unique), []))[1].append(column)
    return databases, state


def text_of(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class Recording:
    """What a script did: groups of rows, and the tables after each statement as far as they changed."""

    def __init__(self):
        self.groups = []
        self.steps = []  # (position, statement, {(db, table): Table or None})
        self.statements = self.failed = 0
        self.lost = False  # the server lost a table: the script ended there
        self.folded = False  # the server's names are in lower case
        self.defaults = {}  # collations that a character set has when none is named


class Player:
    """Plays scripts in two sessions: one for DDL as people write it, one for rows."""

    def __init__(self, db, rng, compression=False, keyed=False):
        self.db, self.rng = db, rng
        self.generator = Generator(rng, db.flavor, keyed)
        self.state, self.databases = {}, []
        self.rows = db.connect(conv={})
        self.truth = self.rows.cursor()
        self.truth.execute("SET sql_mode = 'NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_strict_mode = 0, "
                           "foreign_key_checks = 0")
        self.compression = compression
        self.trace = None

    def close(self):
        self.rows.close()

    def play(self, steps):
        """One script on databases that it makes itself."""
        self.recording = Recording()
        self.recording.folded = self.db.value("SELECT @@lower_case_table_names") != 0
        with self.db.connect() as con, con.cursor() as cur:
            for name in DATABASES:
                cur.execute(f"DROP DATABASE IF EXISTS {quoted(name)}")
            cur.execute("SET innodb_strict_mode = 0, foreign_key_checks = 0")
            if self.db.flavor == "mariadb":
                cur.execute(f"SET binlog_alter_two_phase = {self.rng.choice([0, 0, 1])}")
            else:
                cur.execute(f"SET sql_generate_invisible_primary_key = {self.rng.choice([0, 0, 0, 1])}")
                cur.execute(f"SET binlog_transaction_compression = {int(self.compression)}")
                cur.execute("SET default_collation_for_utf8mb4 = "
                            f"'{self.rng.choice(['utf8mb4_0900_ai_ci', 'utf8mb4_general_ci'])}'")
            cur.execute(f"SET explicit_defaults_for_timestamp = {self.rng.choice([0, 1, 1])}")
            self.look("")
            try:
                while self.recording.statements < steps:
                    self.step(con, cur)
                    for _ in range(self.rng.choice([0, 1, 2, 3])):
                        self.change_rows()
            except pymysql.err.OperationalError as error:
                # Both servers lose a table's file now and then when a statement fails in its middle.
                if error.args[0] not in TABLE_LOST:
                    raise
                self.recording.lost = True
        return self.recording

    def position(self):
        self.truth.execute(self.db.status_statement)
        row = self.truth.fetchone()
        return row[0], int(row[1])

    def look(self, statement):
        """Reads the tables again and notes which are others now."""
        self.databases, now = read_state(self.truth)
        changed = {name: now.get(name) for name in now.keys() | self.state.keys() if now.get(name) != self.state.get(name)}
        self.state = now
        self.recording.steps.append((self.position(), statement, changed))
        self.generator.state, self.generator.databases = {n: t for n, t in now.items()}, self.databases
        return changed

    def step(self, con, cur):
        self.look("")
        step = self.generator.step()
        gone = step.db is None
        cur.execute(f"SET sql_mode = '{step.mode}'")
        if gone:
            self.lose_database(cur)
        else:
            con.select_db(step.db)
        cur.execute(f"SET NAMES {step.charset}")
        cur.execute("SET character_set_results = utf8mb4")
        fine = True
        for statement in step.statements:
            fine = self.execute(cur, statement.encode(CODECS[step.charset]), statement) and fine
        cur.execute("SET NAMES utf8mb4")
        if fine or "FAIL" in step.words:
            self.generator.counts.update(step.words)

    def lose_database(self, cur):
        cur.execute("CREATE DATABASE zz_gone")
        cur.execute("USE zz_gone")
        cur.execute("DROP DATABASE zz_gone")

    def execute(self, cur, sent, shown):
        self.recording.statements += 1
        error = None
        try:
            cur.execute(sent)
        except (pymysql.err.MySQLError, UnicodeDecodeError) as raised:
            error = raised
            self.recording.failed += 1
        if self.trace:
            self.trace(self.generator.mode, self.generator.charset, shown, error)
        self.look(shown)
        if error is None and self.generator.selected:
            name = self.generator.selected
            if self.recording.folded:
                name = tuple(part.lower() for part in name)
            table = self.state[name]
            self.note("insert", name, table, collections.Counter(), self.read(name, table), shown)
        return error is None

    # Rows.
    def read(self, name, table):
        """{values: how many such rows}"""
        shown = [FORMS[form_of(column)] for column in table.columns]
        listed = ", ".join(form[0].format(quoted(column.name)) for form, column in zip(shown, table.columns))
        self.truth.execute(f"SELECT {listed} FROM {quoted(*name)}")
        return collections.Counter(
            repr([None if raw is None else form[1](raw) for form, raw in zip(shown, row)]) for row in self.truth.fetchall())

    def note(self, op, name, table, befores, afters, statement):
        if befores or afters:
            self.recording.groups.append(Group(op, name, table.names(), befores, afters, statement))

    def change_rows(self):
        if not self.state:
            return
        name = self.rng.choice(list(self.state))
        table = self.state[name]
        before = self.read(name, table)
        count = sum(before.values())
        op = self.rng.choice(["insert", "insert", "insert", "update", "update", "delete"]) if count else "insert"
        if count > ROWS_MAX:
            op = "delete"
        statement = getattr(self, op)(quoted(*name), table)
        if statement is None:
            return
        try:
            self.truth.execute(statement)
        except pymysql.err.MySQLError:
            pass
        after = self.read(name, table)
        self.note(op, name, table, before - after, after - before, statement)

    def writable(self, table):
        return [column for column in table.columns if not column.generated]

    def insert(self, shown, table):
        columns = self.writable(table)
        values = ", ".join(f"({', '.join(self.literal(column) for column in columns)})" for _ in range(self.rng.choice([1, 1, 2])))
        return f"INSERT INTO {shown} ({', '.join(quoted(column.name) for column in columns)}) VALUES {values}" if columns else None

    def update(self, shown, table):
        columns = self.writable(table)
        if not columns:
            return None
        chosen = self.rng.sample(columns, self.rng.randint(1, len(columns)))
        return f"UPDATE {shown} SET {', '.join(f'{quoted(c.name)} = {self.literal(c)}' for c in chosen)} LIMIT 1"

    def delete(self, shown, _table):
        return f"DELETE FROM {shown}{self.rng.choice([' LIMIT 1', ' LIMIT 2', ''])}"

    def literal(self, column):
        rng, kind = self.rng, column.kind
        if column.nullable and rng.random() < 0.2:
            return "NULL"
        if column.auto:
            return rng.choice(["NULL", str(rng.randint(1, 120))])
        if kind in ("enum", "set"):
            return str(rng.randint(0, column.type.count("','") + 1))
        if form_of(column) == "integer" and kind != "year":
            return str(rng.choice([0, 1, -1, rng.randint(-2**63, 2**63 - 1), rng.randint(-128, 255), rng.randint(0, 2**64 - 1)]))
        if form_of(column) in ("decimal", "float", "double"):
            return rng.choice(["0", "1.5", "-2.25", str(rng.randint(-10**6, 10**6) / 8), "3e5"])
        if kind == "longtext":  # may be MariaDB's JSON
            return rng.choice(["'[1]'", "'{\"a\": \"é\"}'", "'null'"])
        fixed = {"year": ["2024", "1970"], "bit": ["0", "1", str(rng.getrandbits(12))], "json": ["'{\"k\": [1, 2.5]}'", "'true'"],
                 "date": ["'2024-02-29'", "'0000-00-00'"], "time": ["'01:02:03.456'", "'-12:00:00'"],
                 "datetime": ["'2026-11-22 01:02:03.654321'", "'0000-00-00'"], "timestamp": ["'2026-11-22 01:02:03.5'", "'1999-01-01'"],
                 "uuid": ["'123e4567-e89b-12d3-a456-426655440000'"], "inet4": ["'1.2.3.4'"], "inet6": ["'::ffff:1.2.3.4'", "'2001:db8::1'"],
                 "vector": ["STRING_TO_VECTOR('[1,2.5,-3]')"], "geometrycollection": ["ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')"],
                 "geomcollection": ["ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')"], "point": ["POINT(1, 2)"],
                 "geometry": ["POINT(3, 4)"]}
        if kind in fixed:
            return rng.choice(fixed[kind])
        if kind in BYTES:
            return f"x'{rng.randbytes(rng.randint(0, 6)).hex()}'"
        return "'" + rng.choice(TEXTS).replace("\\", "\\\\").replace("'", "''") + "'"


# The judge.
def check_rows(recording, lines):
    """lines: dicts of `dump` in order, read with value_oracle.loads. Returns how many were compared."""
    lines = (line for line in lines if line.get("half") != "from" and line["op"] in ("insert", "update", "delete"))
    # A change of nothing that SELECT shows is a line all the same.
    lines = (line for line in lines if line["op"] != "update" or line["before"] != line["after"])
    compared = 0
    for group in recording.groups:
        left = {"before": group.befores.copy(), "after": group.afters.copy()}
        for _ in range(max(group.befores.total(), group.afters.total())):
            line = next(lines, None)
            if line is None:
                raise Difference(f"no line for {group}")
            check_line(group, line, left)
            compared += 1
    line = next(lines, None)
    if line is not None:
        raise Difference(f"a line for no change: {json.dumps(line, ensure_ascii=False)}")
    return compared


def image_of(line, side):
    """Without MariaDB's hashes of long unique keys, which the log has beside the columns (docs/formats.md)."""
    return {name: value for name, value in line[side].items() if not name.startswith("DB_ROW_HASH_")}


def check_line(group, line, left):
    what = f"{line['op']} {line['db']}.{line['table']} at {line['file']}:{line['pos']} of {group.statement!r}"
    if (line["db"], line["table"]) != group.table or line["op"] != group.op:
        raise Difference(f"{what}: expected {group.op} {group.table}: {line}")
    for side, values in left.items():
        if bool(values) != (side in line):
            raise Difference(f"{what}: {side} expected {dict(values)}, is {line.get(side)}")
        if not values:
            continue
        image = image_of(line, side)
        if list(image) != group.names:
            raise Difference(f"{what}: columns of {side} {list(image)}, expected {group.names}")
        found = repr(list(image.values()))
        if not values[found]:
            raise Difference(f"{what}: {side} is\n{found}, expected of\n" + "\n".join(values) + f"\n{group.names}")
        values[found] -= 1
        if not values[found]:
            del values[found]


def read_lines(file):
    for text in file:
        yield loads(text if isinstance(text, str) else text.decode("utf-8"))


def check_any_order(recording, lines):
    """The same of lines that keep only the order of each key."""
    wanted = collections.Counter()
    for group in recording.groups:
        for side, values in (("before", group.befores), ("after", group.afters)):
            for value, count in values.items():
                wanted[(group.op, group.table, side, tuple(group.names), value)] += count
    found = collections.Counter()
    compared = 0
    for line in lines:
        if line.get("half") == "from" or line["op"] not in ("insert", "update", "delete"):
            continue
        if line["op"] == "update" and line["before"] == line["after"]:
            continue
        compared += 1
        for side in ("before", "after"):
            if side in line:
                image = image_of(line, side)
                found[(line["op"], (line["db"], line["table"]), side, tuple(image), repr(list(image.values())))] += 1
    if found != wanted:
        raise Difference(f"not expected: {list(found - wanted)[:3]}\nmissing: {list(wanted - found)[:3]}")
    return compared
