"""Random DDL and row changes, made from what information_schema says of the tables there are. Shares nothing with sluice.

A Generator makes one step after the other: a list of statements that are run in one session. Most are valid, some are
meant to fail. What a statement contains is counted by its words, so that a test can demand that all of them came up.
"""

import collections
import dataclasses

DATABASES = ("d1", "D_2", "d é")
TABLES = ("t1", "t2", "T3", "order", "été", "名前", "a b", "x-y", "b`q")
COLUMNS = ("a", "b", "c", "d", "Id", "key", "Größe", "名", "sp ace", "back`tick", 'dq"q', "back\\s", "é1", "n1", "n2", "n3")
KEY = "rid"
CODECS = {"utf8mb4": "utf-8", "latin1": "cp1252", "gbk": "gbk", "utf8mb3": "utf-8", "cp932": "cp932"}
# They hold é, so that a conversion among them loses no label.
CHARSETS = ("utf8mb4", "latin1", "utf8mb3", "latin2")
# For columns only: MySQL turns labels into others where a table's default is one of them.
WIDE = ("ucs2", "utf16")
COLLATIONS = {
    "utf8mb4": ("utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci"),
    "latin1": ("latin1_bin", "latin1_swedish_ci", "latin1_german1_ci", "latin1_general_cs"),
    "utf8mb3": ("utf8mb3_bin", "utf8mb3_unicode_ci"),
    "ucs2": ("ucs2_bin", "ucs2_general_ci"),
    "latin2": ("latin2_general_ci", "latin2_bin"),
    "utf16": ("utf16_bin", "utf16_unicode_ci"),
}
MODES = ("ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "STRICT_TRANS_TABLES", "PIPES_AS_CONCAT", "REAL_AS_FLOAT", "IGNORE_SPACE",
         "NO_AUTO_VALUE_ON_ZERO", "HIGH_NOT_PRECEDENCE")
INTEGERS = ("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER", "BIGINT", "INT1", "INT2", "INT3", "INT4", "INT8", "MIDDLEINT")
PLAIN = ("BOOL", "BOOLEAN", "BIT", "BIT(1)", "BIT(12)", "DECIMAL", "DEC(10,2)", "NUMERIC(8)", "FIXED(6,3)",
         "DECIMAL(12,4) UNSIGNED", "FLOAT", "FLOAT(7,3)", "FLOAT(30)", "DOUBLE", "DOUBLE PRECISION", "REAL", "FLOAT4", "FLOAT8",
         "DOUBLE(9,2)", "DOUBLE UNSIGNED", "DATE", "TIME", "TIME(3)", "DATETIME", "DATETIME(6)", "TIMESTAMP", "TIMESTAMP(2)",
         "YEAR", "YEAR(4)", "DECIMAL(5,0) ZEROFILL", "FLOAT ZEROFILL")
BYTES = ("BINARY", "BINARY(4)", "VARBINARY(20)", "TINYBLOB", "BLOB", "BLOB(300)", "BLOB(70000)", "MEDIUMBLOB", "LONGBLOB",
         "LONG VARBINARY", "CHAR BYTE", "CHAR(6) BYTE", "VARCHAR(7) CHARACTER SET binary", "TEXT CHARACTER SET binary")
TEXTS = ("CHAR", "CHAR(10)", "CHARACTER(5)", "VARCHAR(20)", "VARCHAR(255)", "VARCHAR(300)", "CHARACTER VARYING(9)",
         "CHAR VARYING(7)", "VARCHARACTER(13)", "TINYTEXT", "TEXT", "TEXT(100)", "TEXT(10)", "TEXT(70000)", "MEDIUMTEXT",
         "LONGTEXT", "LONG", "LONG VARCHAR")
NATIONALS = ("NATIONAL CHAR(5)", "NCHAR(4)", "NVARCHAR(6)", "NATIONAL VARCHAR(8)", "NCHAR VARCHAR(3)", "NATIONAL CHAR VARYING(4)")
ODD = {"mariadb": ("JSON", "POINT", "VARCHAR(30) COMPRESSED", "BLOB COMPRESSED", "TEXT COMPRESSED"),
       "mysql": ("JSON", "POINT", "GEOMETRY", "VECTOR(3)", "GEOMETRYCOLLECTION")}
LABELS = (("a", "b"), ("x",), ("é", "e"), ("it's", "b\\c", 'q"q'), ("A", "bb ", "c d"), ("", "0", "1"))
# What a test demands to have seen, where the server has it.
FEATURES = {"CREATE", "LIKE", "SELECT", "ADD", "FIRST", "AFTER", "DROP COLUMN", "CHANGE", "MODIFY", "RENAME COLUMN", "CONVERT",
            "DEFAULT CHARSET", "SET DEFAULT", "ADD KEY", "ADD PRIMARY", "DROP PRIMARY", "DROP KEY", "ENGINE", "ROW_FORMAT",
            "AUTO_INCREMENT", "PARTITION", "CREATE INDEX", "DROP INDEX", "RENAME", "SWAP", "DROP", "TRUNCATE", "DATABASE",
            "TEMPORARY", "MENTION", "FAIL", "IF NOT EXISTS", "INVISIBLE", "GENERATED", "SERIAL", "COMMENT", "ANSI_QUOTES",
            "NO_BACKSLASH_ESCAPES", "gbk", "latin1"}


@dataclasses.dataclass
class Column:
    name: str
    type: str  # information_schema's COLUMN_TYPE
    kind: str  # DATA_TYPE
    nullable: bool
    charset: str | None
    collation: str | None
    generated: str  # "", "VIRTUAL" or "STORED"
    invisible: bool
    expression: str = ""
    auto: bool = False


@dataclasses.dataclass
class Table:
    columns: list
    keys: dict  # name → (unique, columns)
    engine: str
    partitions: int

    def names(self):
        return [column.name for column in self.columns]


Step = collections.namedtuple("Step", "statements db mode charset words")


class Generator:
    """state: {(db, table): Table} and databases are the truth that step() works on, renewed by the caller."""

    def __init__(self, rng, flavor, keyed=False):
        """keyed: each table has a column KEY all its life, of which a route can make its key."""
        self.rng, self.flavor, self.keyed = rng, flavor, keyed
        self.maria = flavor == "mariadb"
        self.state, self.databases = {}, []
        self.counts = collections.Counter()
        self.mode, self.charset, self.db = "", "utf8mb4", None
        self.words = set()

    # Text, in the way of the session's mode.
    def name(self, text, quoted=None):
        if quoted is None:
            quoted = not (text.isascii() and text.replace("_", "").isalnum() and text.lower() not in ("order", "key"))
            quoted = quoted or self.rng.random() < 0.5
        if not quoted:
            return text
        mark = '"' if "ANSI_QUOTES" in self.mode and self.rng.random() < 0.6 else "`"
        return mark + text.replace(mark, mark * 2) + mark

    def text(self, text):
        mark = "'" if "ANSI_QUOTES" in self.mode or self.rng.random() < 0.7 else '"'
        text = text.replace(mark, mark * 2)
        if "NO_BACKSLASH_ESCAPES" not in self.mode:
            text = text.replace("\\", "\\\\")
        return mark + text + mark

    def column(self, text):
        """A name that refers to a column: its case does not count."""
        return self.name(text.swapcase() if text.isascii() and self.rng.random() < 0.1 else text)

    def word(self, *words):
        self.words.update(words)

    def chance(self, share):
        return self.rng.random() < share

    def pick(self, *of):
        return self.rng.choice(of)

    def of(self, some):
        return self.rng.choice(list(some))

    def full(self, table):
        db, name = table
        if db == self.db and self.chance(0.7):
            return self.name(name)
        gap = self.pick("", "", "", " ")
        return f"{self.name(db)}{gap}.{gap}{self.name(name)}"

    # Columns.
    def charset_clause(self, wide):
        roll = self.rng.random()
        charset = self.of(CHARSETS + WIDE if wide else CHARSETS)
        if roll < 0.55:
            return ""
        if roll < 0.7:
            return f" {self.pick('CHARACTER SET', 'CHARSET', 'CHAR SET')} {charset}"
        if roll < 0.8:
            return f" COLLATE {self.of(COLLATIONS[charset])}"
        if roll < 0.92:
            return f" CHARACTER SET {charset} COLLATE {self.of(COLLATIONS[charset])}"
        return self.pick(" BINARY", *([" ASCII", " UNICODE"] if wide else []), f" CHARACTER SET {charset} BINARY")

    def type(self):
        """(declaration, what it is good for)"""
        roll = self.rng.random()
        if roll < 0.3:
            kind = self.of(INTEGERS) + self.pick("", "", "(5)", " (11)")
            return kind + self.pick("", "", " UNSIGNED", " ZEROFILL", " UNSIGNED ZEROFILL", " SIGNED"), "integer"
        if roll < 0.48:
            return self.of(PLAIN), "plain"
        if roll < 0.56:
            return self.of(BYTES), "bytes"
        if roll < 0.81:
            return self.of(TEXTS) + self.charset_clause(True), "text"
        if roll < 0.85:
            return self.of(NATIONALS), "text"
        if roll < 0.95:
            listed = self.pick(",", ", ").join(map(self.text, self.of(LABELS)))
            return f"{self.pick('ENUM', 'SET')}({listed})" + self.charset_clause(self.maria).replace(" BINARY", ""), "labels"
        return self.of(ODD[self.flavor]), "odd"

    def default(self, use):
        if use in ("odd", "bytes"):
            return self.pick("", "", " DEFAULT NULL")
        if use == "integer":
            return self.pick("", " DEFAULT 1", " DEFAULT '2'", " DEFAULT NULL")
        return self.pick("", "", " DEFAULT NULL")

    def definition(self, name, others=(), table_new=True):
        """A column: its name and all behind it."""
        quoted = self.name(name)
        if self.chance(0.06) and others:
            self.word("GENERATED")
            base = self.column(self.of(others))
            kind = self.pick("INT", "VARCHAR(40)", "BIGINT")
            always = self.pick("", "GENERATED ALWAYS ")
            stored = self.pick("VIRTUAL", "STORED", "") if not self.maria else self.pick("VIRTUAL", "PERSISTENT", "STORED", "")
            return f"{quoted} {kind} {always}AS (CHAR_LENGTH(HEX({base}))) {stored}"
        if table_new and self.chance(0.05):
            self.word("SERIAL")
            return f"{quoted} SERIAL"
        kind, use = self.type()
        parts = [f"{quoted} {kind}"]
        null = self.pick("", "", " NULL", " NOT NULL")
        default = self.default(use)
        if "NOT NULL" in null and "DEFAULT NULL" in default or "POINT" in kind and null:
            default = null = ""
        tail = [null, default]
        self.rng.shuffle(tail)
        parts += tail
        if self.chance(0.06) and (null != " NOT NULL" or "DEFAULT" in default):
            self.word("INVISIBLE")
            parts.append(" INVISIBLE")
        if self.chance(0.1):
            parts.append(" COMMENT " + self.text(self.pick("x", "it's", "é, (", "a--b", "/* c */", "b\\")))
        if self.chance(0.02) and use == "integer":
            parts.append(" CHECK (1 < 2)")
        return "".join(parts)

    def key_part(self, column):
        """A column of a key, with a length where it needs one; None where it cannot be in one."""
        kind, quoted = column.kind, self.column(column.name)
        if kind in ("json", "point", "geometry", "geometrycollection", "geomcollection", "vector") or "COMPRESSED" in column.type:
            return None
        if "text" in kind or "blob" in kind:
            return f"{quoted}({self.rng.randint(2, 9)})"
        if kind in ("varchar", "char") and self.chance(0.2) and not column.type.endswith(("(1)", "(2)", "(3)", "(0)")):
            return f"{quoted}(2)"
        return quoted + self.pick("", "", "", " ASC", " DESC")

    def key_parts(self, columns):
        usable = [column for column in columns if self.key_part(column)]
        chosen = self.rng.sample(usable, min(len(usable), self.pick(1, 1, 2)))
        return ", ".join(self.key_part(column) for column in chosen), chosen

    def fresh_key(self, table):
        free = [name for name in ("k1", "k2", "k3", "k é", "K4") if name.lower() not in {k.lower() for k in table.keys}]
        return self.of(free) if free else None

    # CREATE TABLE.
    def options(self):
        found = []
        if self.chance(0.4):
            charset = self.of(CHARSETS)
            found.append(self.pick("", "DEFAULT ") + self.pick("CHARACTER SET", "CHARSET") + self.pick(" ", "=", " = ") + charset)
            if self.chance(0.4):
                found.append(f"COLLATE{self.pick(' ', '=')}{self.of(COLLATIONS[charset])}")
        elif self.chance(0.15):
            found.append(f"DEFAULT COLLATE {self.of(COLLATIONS[self.of(CHARSETS)])}")
        if self.chance(0.3):
            self.word("ENGINE")
            found.append(f"ENGINE{self.pick('=', ' ')}{self.engine()}")
        if self.chance(0.1):
            found.append(f"COMMENT={self.text('of a table; (x')}")
        if self.chance(0.1):
            found.append(f"AUTO_INCREMENT={self.rng.randint(1, 50)}")
        if self.chance(0.1):
            found.append(f"ROW_FORMAT={self.pick('DYNAMIC', 'COMPACT')}")
        self.rng.shuffle(found)
        return self.pick(" ", ", ").join(found)

    def engine(self):
        return self.pick("InnoDB", "innodb", "MyISAM", *(["Aria"] if self.maria else []))

    def body(self):
        names = self.rng.sample(COLUMNS, self.rng.randint(2, 7))
        parts, serial = [], False
        for number, name in enumerate(names):
            part = self.definition(name, names[:number] if number else ())
            if part.endswith("SERIAL"):
                if serial:
                    continue
                serial = True
            parts.append(part)
        if not serial:
            roll = self.rng.random()
            first = self.name("id")
            if roll < 0.4:
                how = self.pick(" PRIMARY KEY", " AUTO_INCREMENT PRIMARY KEY", " NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)", " KEY",
                                " UNIQUE", " UNIQUE KEY", " NOT NULL UNIQUE")
                parts = [part for part in parts if not part.lower().strip("`\"").startswith("id")]
                parts.insert(self.rng.randint(0, len(parts)), f"{first} {self.pick('INT', 'BIGINT UNSIGNED', 'SMALLINT')}{how}")
            elif roll < 0.6:
                parts = [part for part in parts if not part.lower().strip("`\"").startswith("id")]
                parts.append(f"{first} INT")
                parts.append(self.pick("PRIMARY KEY (id)", "CONSTRAINT c1 PRIMARY KEY USING BTREE (id)", "UNIQUE (id)",
                                       "UNIQUE KEY k1 (id)", "CONSTRAINT cu UNIQUE (id)", "INDEX (id DESC)", "KEY k2 (id), KEY (id)"))
        if self.keyed:
            parts.insert(self.rng.randint(0, len(parts)), f"{KEY} INT")
        if self.chance(0.05):
            parts.append("CONSTRAINT ck CHECK (1 = 1)")
        return "(" + self.pick(", ", ",\n  ").join(parts) + ")"

    def existing(self):
        return self.of(self.state)

    def new_table(self, db=None):
        """A name that is not there, with lower_case_table_names=1 too."""
        there = {(db.lower(), table.lower()) for db, table in self.state}
        free = [(d, t) for d in ([db] if db else self.databases) for t in TABLES if (d.lower(), t.lower()) not in there]
        return self.of(free)

    def create(self):
        self.word("CREATE")
        table = self.new_table()
        exists = self.pick("", "", "", "IF NOT EXISTS ")
        replace = ""
        if self.maria and self.chance(0.15):
            replace, exists = "OR REPLACE ", ""
            if self.chance(0.5) and self.state:
                table = self.existing()
        if self.chance(0.05):
            self.word("PARTITION")
            return f"CREATE {replace}TABLE {exists}{self.full(table)} (a INT, {KEY} INT) PARTITION BY HASH (a) PARTITIONS 3"
        return f"CREATE {replace}TABLE {exists}{self.full(table)} {self.body()} {self.options()}"

    def create_like(self):
        self.word("LIKE")
        form = self.pick("LIKE {}", "(LIKE {})")
        return f"CREATE TABLE {self.pick('', 'IF NOT EXISTS ')}{self.full(self.new_table())} {form.format(self.full(self.existing()))}"

    def create_select(self):
        self.word("SELECT")
        model = self.existing()
        columns = [c for c in self.state[model].columns if c.kind not in ("point", "geometry", "geometrycollection")]
        chosen = self.rng.sample(columns, min(len(columns), self.rng.randint(1, 4))) or columns
        listed = []
        for number, column in enumerate(chosen):
            listed.append(self.column(column.name) + self.pick("", "", f" AS {self.name('s' + str(number))}"))
        listed += self.rng.sample(["1 AS one", "'x' AS tx", "NULL AS nn", "NOW() AS w", "1.5 AS de", "CONCAT('a', 'b') AS cc"],
                                  self.pick(0, 0, 1, 2))
        own = ""
        if self.chance(0.5):
            extra = self.of([n for n in COLUMNS if n not in [c.name for c in chosen]])
            own = f"({self.definition(extra, table_new=False)}) " if self.chance(0.7) else f"({self.name('s0')} BIGINT) "
        star = "*" if self.chance(0.2) and not any(c.invisible for c in self.state[model].columns) else ", ".join(listed)
        if star == "*":
            own = ""
        elif self.keyed:
            star = ", ".join([KEY, *(name for name in listed if KEY not in name.lower())])
        return (f"CREATE TABLE {self.full(self.new_table())} {own}{self.options()} {self.pick('', 'AS ')}"
                f"SELECT {star} FROM {self.full(model)}")

    # ALTER TABLE.
    def alter(self):
        name = self.existing()
        table = self.state[name]
        left = [column for column in table.columns if column.name != KEY]
        used = {column.name.lower() for column in table.columns}
        clauses = []
        for _ in range(self.pick(1, 1, 1, 2, 2, 3, 4)):
            clause = self.clause(table, left, used)
            if clause:
                clauses.append(clause)
        if not clauses:
            clauses = ["FORCE"]
        if self.chance(0.08):
            clauses.append(self.pick("ALGORITHM=COPY", "ALGORITHM = DEFAULT", "LOCK=DEFAULT"))
        # MariaDB loses the table when it fails in the middle of such a one with another engine.
        if self.chance(0.04) and not any("ENGINE" in clause for clause in clauses):
            self.word("RENAME")
            clauses.append(f"RENAME {self.pick('TO ', 'AS ', '')}{self.full(self.new_table())}")
        return f"ALTER TABLE {self.full(name)} {self.pick(', ', ',').join(clauses)}"

    def place(self, left):
        roll = self.rng.random()
        if roll < 0.2:
            self.word("FIRST")
            return " FIRST"
        if roll < 0.5 and left:
            self.word("AFTER")
            return f" AFTER {self.column(self.of(left).name)}"
        return ""

    def unused(self, used):
        name = self.of([name for name in COLUMNS if name.lower() not in used])
        used.add(name.lower())
        return name

    def take(self, left):
        column = self.of(left)
        left.remove(column)
        return column

    def clause(self, table, left, used):
        kinds = [(10, self.add), (6, self.drop_column), (6, self.change), (7, self.modify), (5, self.rename_column),
                 (2, self.swap_columns), (2, self.convert), (2, self.default_charset), (3, self.set_default), (5, self.add_key),
                 (2, self.add_primary), (3, self.drop_key), (4, self.drop_primary), (1, self.rename_key), (6, self.table_option),
                 (1, self.visibility), (1, self.check)]
        make = self.rng.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]
        return make(table, left, used)

    def add(self, _table, left, used):
        if len(used) > 12:
            return None
        self.word("ADD")
        exists = " IF NOT EXISTS" if self.maria and self.chance(0.1) else ""
        others = [c.name for c in left if not c.auto]  # MariaDB takes the number's column, before it has its number
        if self.chance(0.15):
            some = ", ".join(self.definition(self.unused(used), table_new=False) for _ in range(2))
            return f"ADD{self.pick('', ' COLUMN')} ({some})"
        return f"ADD{self.pick('', ' COLUMN')}{exists} {self.definition(self.unused(used), others, False)}{self.place(left)}"

    def drop_column(self, _table, left, _used):
        if len(left) < 3:
            return None
        self.word("DROP COLUMN")
        exists = "IF EXISTS " if self.maria and self.chance(0.2) else ""
        return f"DROP {self.pick('COLUMN ', '') if not exists else 'COLUMN '}{exists}{self.name(self.take(left).name, True)}"

    def again(self, column, name):
        """A definition for a column that is there: sometimes the type that it has."""
        if column.auto or column.generated or self.chance(0.4):
            if column.generated:
                return None
            null = "" if column.nullable else " NOT NULL"
            kind = column.type if column.charset is None else column.type + f" CHARACTER SET {column.charset}"
            if "COMPRESSED" in kind:
                return None
            if column.charset is not None and column.kind in ("enum", "set"):
                return None
            return f"{self.name(name)} {kind}{null}{' AUTO_INCREMENT' if column.auto else ''}"
        return self.definition(name, table_new=False)

    def change(self, _table, left, used):
        if len(left) < 2:
            return None
        column = self.take(left)
        new = column.name if self.chance(0.3) else self.unused(used)
        definition = self.again(column, new)
        self.word("CHANGE")
        return definition and f"CHANGE {self.pick('COLUMN ', '')}{self.column(column.name)} {definition}{self.place(left)}"

    def modify(self, _table, left, _used):
        if len(left) < 2:
            return None
        column = self.take(left)
        definition = self.again(column, column.name)
        self.word("MODIFY")
        exists = "IF EXISTS " if self.maria and self.chance(0.1) else ""
        return definition and f"MODIFY {self.pick('COLUMN ', '')}{exists}{definition}{self.place(left)}"

    def rename_column(self, _table, left, used):
        if not left or any(column.generated for column in left):
            return None
        self.word("RENAME COLUMN")
        return f"RENAME COLUMN {self.column(self.take(left).name)} TO {self.name(self.unused(used))}"

    def swap_columns(self, _table, left, _used):
        if len(left) < 3 or any(column.generated for column in left):
            return None
        self.word("RENAME COLUMN")
        one, two = self.take(left).name, self.take(left).name
        return f"RENAME COLUMN {self.column(one)} TO {self.name(two)}, RENAME COLUMN {self.column(two)} TO {self.name(one)}"

    def convert(self, _table, _left, _used):
        self.word("CONVERT")
        charset = self.of(CHARSETS)
        collate = f" COLLATE {self.of(COLLATIONS[charset])}" if self.chance(0.4) else ""
        return f"CONVERT TO {self.pick('CHARACTER SET', 'CHARSET')} {charset}{collate}"

    def default_charset(self, _table, _left, _used):
        self.word("DEFAULT CHARSET")
        charset = self.of(CHARSETS)
        return f"{self.pick('DEFAULT ', '')}{self.pick('CHARACTER SET', 'CHARSET')}{self.pick(' ', '=')}{charset}"

    def set_default(self, _table, left, _used):
        integers = [c for c in left if c.kind in ("int", "bigint", "smallint", "tinyint") and not c.auto and not c.generated]
        if not integers:
            return None
        self.word("SET DEFAULT")
        return f"ALTER {self.pick('COLUMN ', '')}{self.column(self.of(integers).name)} {self.pick('SET DEFAULT 3', 'DROP DEFAULT')}"

    def add_key(self, table, left, _used):
        parts, chosen = self.key_parts(left)
        if not parts:
            return None
        self.word("ADD KEY")
        for column in chosen:
            left.remove(column)
        kind = self.pick("INDEX", "KEY", "INDEX", "UNIQUE", "UNIQUE KEY", "CONSTRAINT UNIQUE")
        key = self.fresh_key(table) if self.chance(0.5) else None
        name = f" {self.name(key)}" if key else ""
        return f"ADD {kind}{name} ({parts})"

    def add_primary(self, table, left, _used):
        if "PRIMARY" in table.keys:
            return None
        fitting = [c for c in left if c.kind in ("int", "bigint", "smallint", "varchar", "date", "decimal") and not c.generated]
        if not fitting:
            return None
        self.word("ADD PRIMARY")
        column = self.of(fitting)
        left.remove(column)
        return f"ADD {self.pick('', 'CONSTRAINT ')}PRIMARY KEY ({self.column(column.name)})"

    def drop_key(self, table, left, _used):
        there = [key for key in table.keys if key != "PRIMARY"]
        auto = [c.name for c in table.columns if c.auto]
        there = [key for key in there if not set(auto) & set(table.keys[key][1])]
        if not there:
            return None
        self.word("DROP KEY")
        key = self.of(there)
        del table.keys[key]
        return f"DROP {self.pick('INDEX', 'KEY')} {self.column(key)}"

    def drop_primary(self, table, left, _used):
        if "PRIMARY" not in table.keys or any(c.auto for c in table.columns):
            return None
        self.word("DROP PRIMARY")
        del table.keys["PRIMARY"]
        return "DROP PRIMARY KEY"

    def rename_key(self, table, _left, _used):
        there = [key for key in table.keys if key != "PRIMARY"]
        new = self.fresh_key(table)
        if not there or not new:
            return None
        key = self.of(there)
        del table.keys[key]
        return f"RENAME {self.pick('INDEX', 'KEY')} {self.name(key)} TO {self.name(new)}"

    def table_option(self, _table, _left, _used):
        roll = self.rng.random()
        if roll < 0.3:
            self.word("ENGINE")
            return f"ENGINE={self.engine()}"
        if roll < 0.5:
            self.word("ROW_FORMAT")
            return f"ROW_FORMAT={self.pick('DYNAMIC', 'COMPACT', 'DEFAULT')}"
        if roll < 0.7:
            self.word("AUTO_INCREMENT")
            return f"AUTO_INCREMENT={self.rng.randint(1, 99)}"
        return self.pick("FORCE", f"COMMENT={self.text('c,)')}", "STATS_PERSISTENT=0", "MAX_ROWS=100")

    def visibility(self, table, left, _used):
        if self.maria:
            there = [key for key in table.keys if key != "PRIMARY"]
            return f"ALTER INDEX {self.name(self.of(there))} {self.pick('IGNORED', 'NOT IGNORED')}" if there else None
        shown = [c for c in left if not c.invisible]
        if len(shown) < 3:
            return None
        self.word("INVISIBLE")
        column = self.take(left)
        return f"ALTER COLUMN {self.column(column.name)} SET {self.pick('INVISIBLE', 'VISIBLE')}"

    def check(self, _table, _left, _used):
        return "ADD CHECK (2 > 1)"

    def partition_statement(self):
        """Clauses of their own: they go with no other."""
        there = [name for name, table in self.state.items() if table.partitions]
        self.word("PARTITION")
        if not there:
            fitting = [(name, c) for name, table in self.state.items() if not table.keys and table.engine == "InnoDB"
                       for c in table.columns if c.kind in ("int", "bigint", "smallint") and not c.generated]
            if not fitting:
                return self.create()
            name, column = self.of(fitting)
            return f"ALTER TABLE {self.full(name)} PARTITION BY HASH ({self.column(column.name)}) PARTITIONS 2"
        name = self.of(there)
        return f"ALTER TABLE {self.full(name)} " + self.pick("REMOVE PARTITIONING", "ADD PARTITION PARTITIONS 1", "REBUILD PARTITION ALL",
                                                            "COALESCE PARTITION 1", "TRUNCATE PARTITION p0")

    # Keys, names, tables, databases.
    def create_index(self):
        name = self.existing()
        table = self.state[name]
        key = self.fresh_key(table)
        parts, _ = self.key_parts(table.columns)
        if not key or not parts:
            return self.alter()
        self.word("CREATE INDEX")
        replace = self.pick("", "OR REPLACE ") if self.maria and self.chance(0.3) else ""
        kind = self.pick("", "", "UNIQUE ")
        return f"CREATE {replace}{kind}INDEX {self.name(key)}{self.pick('', ' USING BTREE')} ON {self.full(name)} ({parts})"

    def drop_index(self):
        fitting = [(name, key) for name, table in self.state.items() for key in table.keys
                   if key != "PRIMARY" and not any(c.auto for c in table.columns)]
        if not fitting:
            return self.create_index()
        self.word("DROP INDEX")
        name, key = self.of(fitting)
        return f"DROP INDEX {self.pick('', 'IF EXISTS ') if self.maria else ''}{self.name(key)} ON {self.full(name)}"

    def rename(self):
        names = self.rng.sample(list(self.state), min(len(self.state), self.pick(1, 2, 2, 3)))
        if len(names) == 1 or self.chance(0.4):
            self.word("RENAME")
            pairs, taken = [], set()
            for name in names:
                new = self.new_table()
                if (new[0].lower(), new[1].lower()) not in taken:
                    taken.add((new[0].lower(), new[1].lower()))
                    pairs.append((name, new))
        else:
            self.word("SWAP")
            spare = (self.of(self.databases), "spare")
            pairs = [(names[0], spare), *zip(names[1:], names[:-1]), (spare, names[-1])]
        exists = "IF EXISTS " if self.maria and self.chance(0.2) else ""
        return f"RENAME TABLE {exists}" + ", ".join(f"{self.full(old)} TO {self.full(new)}" for old, new in pairs)

    def drop(self):
        self.word("DROP")
        names = self.rng.sample(list(self.state), 1 if len(self.state) < 4 or self.chance(0.7) else 2)
        exists = self.pick("", "IF EXISTS ")
        listed = [self.full(name) for name in names] + ([self.full(self.new_table())] if exists and self.chance(0.2) else [])
        return f"DROP TABLE {exists}{', '.join(listed)}{self.pick('', '', ' CASCADE', ' RESTRICT')}"

    def truncate(self):
        self.word("TRUNCATE")
        return f"TRUNCATE {self.pick('TABLE ', '')}{self.full(self.existing())}"

    def database(self):
        self.word("DATABASE")
        word = self.pick("DATABASE", "SCHEMA")
        charset = self.of(CHARSETS)
        options = self.pick(f"CHARACTER SET {charset}", f"DEFAULT CHARACTER SET = {charset} COLLATE {self.of(COLLATIONS[charset])}",
                            f"COLLATE {self.of(COLLATIONS[charset])}")
        gone = [name for name in DATABASES if name not in self.databases]
        if gone:
            exists = self.pick("", "IF NOT EXISTS ")
            return f"CREATE {word} {exists}{self.name(gone[0])} {self.pick(options, '')}"
        if self.chance(0.25):
            return f"DROP {word} {self.pick('', 'IF EXISTS ')}{self.name(self.of(self.databases))}"
        target = self.of(self.databases)
        return f"ALTER {word} {'' if target == self.db and self.chance(0.5) else self.name(target) + ' '}{options}"

    def temporary(self):
        """Statements on a table that the log and other sessions know nothing of; it may hide one that they know."""
        self.word("TEMPORARY")
        table = self.existing() if self.chance(0.6) else self.new_table()
        shown = self.full(table)
        create = self.pick(f"CREATE TEMPORARY TABLE {shown} (z1 INT, z2 VARCHAR(5))",
                           f"CREATE TEMPORARY TABLE {shown} AS SELECT 1 AS z1, 'x' AS z2")
        changes = [f"INSERT INTO {shown} VALUES (1, 'q')", f"ALTER TABLE {shown} ADD z3 INT FIRST", f"TRUNCATE TABLE {shown}",
                   f"CREATE INDEX kz ON {shown} (z1)", f"ALTER TABLE {shown} DROP COLUMN z2",
                   f"CREATE TABLE IF NOT EXISTS {self.full(self.new_table())} LIKE {shown}"]
        if self.keyed:
            changes.pop()
        chosen = [changes[number] for number in sorted(self.rng.sample(range(len(changes)), self.rng.randint(0, 4)))]
        drop = self.pick(f"DROP TEMPORARY TABLE {shown}", f"DROP TABLE {shown}", f"DROP /*!40005 TEMPORARY */ TABLE IF EXISTS {shown}")
        return [create, *chosen, drop]

    def mention(self):
        """Statements that look like DDL of a table and are none."""
        self.word("MENTION")
        shown = self.full(self.existing())
        db = self.name(self.of(self.databases))
        body = self.text(f"CREATE TABLE {shown} (zz INT)")
        return self.pick(
            [f"CREATE PROCEDURE {db}.p1() BEGIN CREATE TABLE {shown} (zz INT); ALTER TABLE {shown} ADD zz INT; DROP TABLE {shown}; END",
             f"DROP PROCEDURE {db}.p1"],
            [f"CREATE FUNCTION {db}.f1() RETURNS INT DETERMINISTIC BEGIN DROP TEMPORARY TABLE IF EXISTS {shown}; RETURN 1; END",
             f"DROP FUNCTION IF EXISTS {db}.f1"],
            [f"CREATE VIEW {db}.v1 AS SELECT {body} AS x", f"DROP VIEW {db}.v1"],
            [f"CREATE EVENT {db}.e1 ON SCHEDULE EVERY 1 DAY DISABLE DO ALTER TABLE {shown} ADD zz INT", f"DROP EVENT {db}.e1"],
            [f"CREATE USER u1@localhost IDENTIFIED BY {self.text('drop table t1')}", "ALTER USER u1@localhost ACCOUNT LOCK",
             f"GRANT SELECT, ALTER, DROP ON {shown} TO u1@localhost", "DROP USER u1@localhost"],
            [f"ANALYZE TABLE {shown}", f"OPTIMIZE TABLE {shown}", "FLUSH TABLES"],
        )

    def failing(self):
        self.word("FAIL")
        name = self.existing()
        shown, missing = self.full(name), self.name("nowhere")
        return self.pick(
            f"CREATE TABLE {shown} (a INT)", f"DROP TABLE {missing}", f"ALTER TABLE {shown} DROP COLUMN {missing}",
            f"ALTER TABLE {shown} ADD n9 INT, ADD n9 INT", f"RENAME TABLE {shown} TO {self.full(self.new_table())}, {missing} TO x1",
            f"ALTER TABLE {shown} ADD n9 INT AFTER {missing}", f"CREATE TABLE {self.full(self.new_table())} (a INT, A INT)",
            f"CREATE TABLE {self.full(self.new_table())} LIKE {missing}", f"CREATE TABLE {self.full(self.new_table())} AS SELECT 1 AS a, 2 AS A",
            f"ALTER TABLE {shown} ADD n9 INT, ALGORITHM=NONE", f"DROP TABLE {shown}, {missing}", f"CREATE TABLE {shown}")

    def nothing(self):
        """Statements that find what they would make."""
        self.word("IF NOT EXISTS")
        name = self.existing()
        shown = self.full(name)
        some = [f"CREATE TABLE IF NOT EXISTS {shown} (zz INT, yy TEXT)",
                f"CREATE TABLE IF NOT EXISTS {shown} LIKE {self.full(self.existing())}",
                f"DROP TABLE IF EXISTS {self.full(self.new_table())}", f"CREATE DATABASE IF NOT EXISTS {self.name(self.of(self.databases))}"]
        if self.maria:
            column = self.name(self.of(self.state[name].columns).name)
            some += [f"ALTER TABLE {shown} ADD COLUMN IF NOT EXISTS {column} TEXT", f"ALTER TABLE {shown} DROP COLUMN IF EXISTS zz",
                     f"ALTER TABLE IF EXISTS {self.full(self.new_table())} ADD q INT", f"DROP INDEX IF EXISTS nokey ON {shown}"]
        return self.of(some)

    # Statements as people write them.
    def dressed(self, statement):
        roll = self.rng.random()
        if roll < 0.06:
            self.word("COMMENT")
            return f"/* ALTER TABLE x ADD y; */ {statement}"
        if roll < 0.1:
            self.word("COMMENT")
            return f"-- a note: 'it\n# and `this\n{statement} /* end */"
        if roll < 0.15:
            head, _, tail = statement.partition(" ")
            number = "50000" if not self.maria else self.pick("50000", "100000")
            marker = self.pick("/*!", f"/*!{number} ", *(["/*M!", "/*M!100101 "] if self.maria else []))
            if "/*" not in tail:
                return f"{marker} {statement} */"
        if roll < 0.22:
            head, _, tail = statement.partition(" ")
            return f"{head.lower()}\n\t{tail}"
        if roll < 0.26:
            head, _, tail = statement.partition(" ")
            return f"{head.capitalize()} /* x */ {tail} ;" if not tail.rstrip().endswith(";") else statement
        return statement

    def session(self):
        self.mode = ",".join(self.rng.sample(MODES, self.pick(0, 0, 1, 2)))
        self.charset = self.pick("utf8mb4", "utf8mb4", "utf8mb4", "latin1", "gbk", "utf8mb3", "cp932")
        self.db = self.pick(None, *self.databases, *self.databases) if self.databases else None

    def step(self):
        """The next step on the state as it is now."""
        self.words = set()
        self.session()
        few = len(self.state) < 3
        many = len(self.state) > 9
        kinds = [(25 if few else 0 if many else 7, self.create), (32, self.alter), (3, self.create_index), (2, self.drop_index),
                 (6, self.rename), (12 if many else 3, self.drop), (3, self.truncate), (3, self.database), (2, self.temporary),
                 (2, self.mention), (3, self.failing), (3, self.nothing), (2, self.partition_statement)]
        if not many:
            kinds += [(3, self.create_like), (5, self.create_select)]
        if not self.state:
            kinds = [(1, self.create)]
        if len(self.databases) < 2:
            kinds = [(1, self.database)]
        make = self.rng.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]
        made = make()
        if isinstance(made, str):
            made = [made if "FAIL" in self.words else self.dressed(made)]
        elif self.db is None:
            self.db = self.of(self.databases)
        # A name that the client's character set lacks is sent in another.
        try:
            for statement in made:
                statement.encode(CODECS[self.charset])
        except UnicodeEncodeError:
            self.charset = "utf8mb4"
        self.words.update(self.mode.split(","), [self.charset])
        return Step(made, self.db, self.mode, self.charset, frozenset(self.words - {""}))
