"""Tables with random columns of the catalogue, what is done with them, and what `dump` has to say of it."""

import collections

from value_oracle import Reader, loads, patched
from value_types import REPLACING, Charset, Type

COLUMNS_MAX = 38  # and two of the table's own
ROW_BYTES_MAX = 64_900
INLINE_MAX = 7_000
DECLARED = "_declared"  # in the name of a table with types that only its definition tells
DIFFERENCES = "JSON, differences"  # counted beside the types
PACKET_BYTES = 4_000_000
# What MySQL may log as a partial update.
JSON_CHANGES = [
    "JSON_SET({0}, '$.a', id)",
    "JSON_SET({0}, '$[0]', 'x', '$.k', id)",
    "JSON_REMOVE({0}, '$.a')",
    "JSON_REPLACE({0}, '$[1]', JSON_ARRAY(id, 'new'))",
    "JSON_SET({0}, '$.b', 'y', '$.c', id)",
    "JSON_SET({0}, '$.b.a', 1.50, '$.\"\"', NULL)",
    "JSON_REPLACE({0}, '$[last]', CAST('{{\"a\": [1]}}' AS JSON))",
    "JSON_SET(JSON_REMOVE({0}, '$[0]'), '$[9]', 'end', '$.\"key 3\"', TRUE)",
    "JSON_SET({0}, '$.\"é\"', REPEAT('long ', id), '$.a[1]', 2)",
    "JSON_REMOVE({0}, '$.\"\\\\\"q\\\\\"\"')",
]
ID = Type("INT, key", "INT", "integer", None, 4, 4)
# Each UPDATE counts here, so that each row changes and is logged.
STEP = Type("INT, step", "INT", "integer", None, 4, 4, options="DEFAULT 0")
OWN = ("id", "step")

Combination = collections.namedtuple("Combination", "image metadata compression json")
Column = collections.namedtuple("Column", "name quoted type not_null")


def charsets(db, rng):
    """What SHOW CHARACTER SET lists, each with a sample of the characters that it has, by the server's conversion."""
    # Surrogates are no characters, and private ones have a place in some sets and not in others' conversions.
    points = [*range(1, 0xD800), *range(0xE000, 0x10000), *range(0x10000, 0x11000), *range(0x1F300, 0x1F700),
              *range(0x20000, 0x20800), 0x10FFFF]
    everything = "".join(map(chr, points))
    collations = dict(db.sql("SELECT character_set_name, collation_name FROM information_schema.collations "
                             "WHERE collation_name IN (CONCAT(character_set_name, '_bin'), 'utf8mb3_bin')"))
    found = []
    with db.connect() as con, con.cursor() as cur:
        cur.execute("SHOW CHARACTER SET")
        for name, _, _, bytes_max in sorted(cur.fetchall()):
            if name == "binary":
                continue
            there = ""
            for begin in range(0, len(everything), 8000):
                part = everything[begin : begin + 8000]
                cur.execute(f"SELECT CONVERT(CONVERT(%s USING {name}) USING utf8mb4)", (part,))
                back = cur.fetchone()[0]
                assert len(back) == len(part), f"{name}: {len(back)} characters of {len(part)}"
                there += "".join(a for a, b in zip(part, back) if a == b)
            if name in REPLACING:
                there = there.replace("\ufffd", "")
            # All of the small sets; of the large ones the first and some, other ones with each seed.
            if len(there) > 400:
                there = there[:130] + "".join(rng.sample(there, 2000)) + there[-20:]
            found.append(Charset(name, bytes_max, collations[name], there))
    return found


class Table:
    """One table of a combination: CREATE, changes, and the lines that they must give."""

    def __init__(self, name, columns, combination, rng):
        self.name, self.combination, self.rng = name, combination, rng
        self.quoted = f"shop.`{name}`"
        self.columns = columns
        self.types = [column.type for column in columns]
        self.names = tuple(column.name for column in columns)
        self.place = {name: place for place, name in enumerate(self.names)}
        keys = [column for column in columns if column.type.key and column.not_null]
        # Without a primary key, with one, or with one of several columns in any order.
        self.key = None
        if rng.random() < 0.8:
            chosen = [column.name for column in rng.sample(keys, min(len(keys), rng.choice([0, 0, 1, 2])))] + ["id"]
            self.key = rng.sample(chosen, len(chosen))
        self.reader = Reader(self.quoted, [(column.quoted, column.type) for column in columns])
        self.expected = []  # (op, {id: (before, after)}, columns that the statement names)

    def create(self):
        declared = []
        for column in self.columns:
            kind = column.type
            null = "" if kind.generated else " NOT NULL" if column.not_null else " NULL"
            if kind.generated:
                declared.append(f"{column.quoted} {kind.sql} {kind.options}")
            else:
                declared.append(f"{column.quoted} {kind.sql}{null} {kind.options}")
        quoted = {column.name: column.quoted for column in self.columns}
        if self.key:
            declared.append(f"PRIMARY KEY ({', '.join(quoted[name] for name in self.key)})")
        return f"CREATE TABLE {self.quoted} ({', '.join(declared)}) ENGINE=InnoDB CHARACTER SET utf8mb4"

    def literals(self, column, count):
        pool = column.type.pool(self.rng, min(count, 60))
        if not column.not_null:
            pool.append("NULL")
        chosen = self.rng.sample(pool, min(count, len(pool)))
        return chosen + self.rng.choices(pool, k=count - len(chosen))

    def insert_statements(self, rows):
        """All rows, the last of them with some columns left out."""
        of = [column for column in self.columns if not column.type.generated and column.name not in OWN]
        few = [column for column in of if column.not_null or self.rng.random() < 0.5]
        last = max(1, rows // 10)
        for columns, begin, end in ((of, 1, rows - last + 1), (few, rows - last + 1, rows + 1)):
            if begin == end:
                continue
            columns = self.rng.sample(columns, len(columns))
            values = [[str(number) for number in range(begin, end)]]
            values += [self.literals(column, end - begin) for column in columns]
            head = f"INSERT INTO {self.quoted} ({', '.join(['`id`', *(column.quoted for column in columns)])}) VALUES "
            parts, size = [], 0
            for row in zip(*values):
                parts.append(f"({','.join(row)})")
                size += len(parts[-1])
                if size > PACKET_BYTES:
                    yield head + ",".join(parts), {"id", *(column.name for column in columns)}
                    parts, size = [], 0
            if parts:
                yield head + ",".join(parts), {"id", *(column.name for column in columns)}

    def update_statements(self, rows):
        """Each column that can be is set at least once: to what another row has, or to something new."""
        free = [column for column in self.columns if not column.type.generated and column.name not in OWN]
        movable = [column for column in free if column.name not in (self.key or ())]
        first = {column.name for column in movable if self.rng.random() < 0.6}
        for share in ("first", "rest") if self.combination.image == "FULL" else ("first", "rest", "all"):
            chosen = [column for column in movable if share == "all" or (column.name in first) == (share == "first")
                      or self.rng.random() < 0.3]
            settings = ", ".join(["a.step = a.step + 1", *(f"a.{c.quoted} = b.{c.quoted}" for c in chosen)])
            step = self.rng.randrange(1, 100)
            yield (f"UPDATE {self.quoted} a JOIN {self.quoted} b ON b.id = 1 + (a.id + {step}) % {rows} SET {settings}",
                   {"step", *(column.name for column in chosen)}, 0)
        for column in free:
            for change in self.rng.sample(JSON_CHANGES, 4) if column.type.form == "json" else ():
                yield (f"UPDATE {self.quoted} SET step = step + 1, {column.quoted} = {change.format(column.quoted)}",
                       {"step", column.name}, 0)
        # The key itself, and literals of some columns beside it.
        chosen = self.rng.sample(free, min(len(free), self.rng.choice([0, 1, 3])))
        settings = ["`id` = `id` + 1000000"] + [f"{column.quoted} = {self.literals(column, 2)[0]}" for column in chosen]
        yield (f"UPDATE {self.quoted} SET {', '.join(settings)} WHERE id % 3 = 0", {"id", *(c.name for c in chosen)}, 1000000)

    def play(self, con, rows):
        """Runs all statements and notes what the server says before and after each."""
        with con.cursor() as cur:
            state = {}
            transaction = self.rng.random() < 0.5
            if transaction:
                cur.execute("BEGIN")
            for statement, named in self.insert_statements(rows):
                cur.execute(statement)
                now = self.reader.rows(cur)
                self.expected.append(("insert", {at: (None, now[at]) for at in now.keys() - state.keys()}, named))
                state = now
            if transaction:
                cur.execute("COMMIT")
                cur.execute("BEGIN")
            assert len(state) == rows, f"{self.name}: {len(state)} rows of {rows}"
            for statement, named, moved in self.update_statements(rows):
                cur.execute(statement)
                now = self.reader.rows(cur)
                pairs = {}
                for at, before in state.items():
                    after = now[at + moved if moved and at % 3 == 0 else at]
                    if not moved or at % 3 == 0:
                        pairs[at] = (before, after)
                self.expected.append(("update", pairs, named))
                state = now
            cur.execute(f"DELETE FROM {self.quoted}")
            self.expected.append(("delete", {at: (row, None) for at, row in state.items()}, set()))
            if transaction:
                cur.execute("COMMIT")


class Judge:
    """Compares lines with what the tables expect; counts the values compared by type and combination."""

    def __init__(self, flavor):
        self.flavor = flavor
        self.counts = collections.Counter()
        self.differences = {}

    def differ(self, kind, text):
        self.differences.setdefault(kind, text)

    def check(self, table, lines):
        shapes = collections.Counter()
        at = 0
        for op, rows, named in table.expected:
            seen = set()
            while at < len(lines) and lines[at]["op"] == op:
                line = lines[at]
                key = (line["after"] if op == "insert" else line["before"]).get("id")
                if key not in rows or key in seen:
                    break
                seen.add(key)
                at += 1
                self.diffs(table, line, rows[key])
                for side, expected in zip(("before", "after"), rows[key]):
                    if expected is not None:
                        shapes[self.image(table, line, side, expected, op, named)] += 1
                    elif side in line:
                        self.differ((op, side), f"{table.name}: {op} with {side}")
            unseen = rows.keys() - seen
            if unseen:
                self.differ(("missing", op), f"{table.name}: {op} of {len(unseen)} rows missing, of {sorted(unseen)[:3]}; "
                            f"next line: {str(lines[at : at + 1])[:300]}; {table.create()}")
                return
        if at != len(lines):
            self.differ("more", f"{table.name}: {len(lines) - at} lines more: {str(lines[at])[:300]}; {table.create()}")
        for names, count in shapes.items():
            for name in table.place.keys() & names:
                self.counts[(table.types[table.place[name]].name, table.combination)] += count

    def image(self, table, line, side, expected, op, named):
        """Compares one image; returns the names of its columns."""
        image = line[side]
        names = tuple(image)
        if names != table.names:
            absent = [name for name in table.names if name not in image]
            if line.get("absent_" + side, []) != absent or [n for n in table.names if n in image] != list(names):
                self.differ((op, side, "names"), f"{table.name}: names {names}, absent {line.get('absent_' + side)}")
            diffs = line.get("diff_after", {}) if side == "after" else {}
            self.may_lack(table, [name for name in absent if name not in diffs], side, op, named)
            expected = tuple([expected[table.place[name]] for name in names if name in table.place])
        elif "absent_" + side in line:
            self.differ((op, side, "absent"), f"{table.name}: absent {line['absent_' + side]}, but all are there")
        if tuple(image.values()) != expected:
            for name, ours, truth in zip(names, image.values(), expected):
                if ours != truth or type(ours) is not type(truth):
                    kind = table.types[table.place[name]]
                    self.differ((kind.name, table.combination.json if kind.form == "json" else ""),
                                f"{kind.name}: {ours!r:.300} instead of {truth!r:.300}: {side} of {op}, {table.combination}, "
                                f"{table.name}, {line['file']}:{line['pos']}")
        return names

    def diffs(self, table, line, row):
        """What a partial update tells of a document that the image lacks leads from the old one to the new one."""
        for name, diffs in line.get("diff_after", {}).items():
            old, new = (image[table.place[name]] for image in row)
            if "PARTIAL_JSON" not in table.combination.json or patched(old, diffs) != loads(new):
                self.differ(("diff", table.combination), f"{table.name}: {diffs} of {old} is not {new}: {line['file']}:{line['pos']}")
            self.counts[(DIFFERENCES, table.combination)] += 1

    def may_lack(self, table, absent, side, op, named):
        """What the row image lets the server leave out."""
        lacks = set(absent)
        image = table.combination.image
        kinds = dict(zip(table.names, table.types))
        if image == "FULL":
            may = set()
        elif side == "before":
            # Without a key all columns are the key.
            may = set(table.names) - set(table.key) if table.key else set()
        else:
            may = set(table.names) - named
        if image == "NOBLOB":
            may = {name for name in may if kinds[name].blob}
        if lacks - may:
            bad = sorted(lacks - may)
            self.differ((op, side, image, "lacks", kinds[bad[0]].name), f"{table.name}: {op} lacks {bad} in {side} with {image}: {table.create()}")


def odd_name(rng, number):
    return f"c{number}" + rng.choice(["", "", "", " é", "\"q", "\\b", "`t`", "_字"])


def split(types, combination, prefix, rng):
    """Tables that together hold each of these types once. Those that the log does not tell are by themselves."""
    declared = [kind for kind in types if kind.form == "inet"]
    if declared and len(declared) < len(types):
        yield from split(declared, combination, prefix + DECLARED, rng)
        types = [kind for kind in types if kind not in declared]
    left = rng.sample(types, len(types))
    made = 0
    while left:
        room, most, inline = ROW_BYTES_MAX, rng.choice([COLUMNS_MAX] * 6 + [1, 7, 20]), INLINE_MAX
        chosen, rest = [], []
        for kind in left:
            if len(chosen) < most and kind.row_bytes <= room and kind.inline <= inline:
                chosen.append(kind)
                room -= kind.row_bytes
                inline -= kind.inline
            else:
                rest.append(kind)
        left = rest
        columns = []
        for number, kind in enumerate(chosen):
            name = odd_name(rng, number)
            not_null = kind.not_null_ok and not kind.generated and rng.random() < 0.4
            columns.append(Column(name, "`" + name.replace("`", "``") + "`", kind, not_null))
        for name, kind in (("id", ID), ("step", STEP)):
            columns.insert(rng.randint(0, len(columns)), Column(name, f"`{name}`", kind, True))
        made += 1
        yield Table(f"{prefix}_{made}", columns, combination, rng)
