"""Names, texts, types, columns and keys of random DDL, as people and tools write them, in the session's sql_mode."""

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
ODD = {"mariadb": ("JSON", "POINT", "UUID", "INET4", "INET6", "VARCHAR(30) COMPRESSED", "BLOB COMPRESSED", "TEXT COMPRESSED"),
       "mysql": ("JSON", "POINT", "GEOMETRY", "VECTOR(3)", "GEOMETRYCOLLECTION")}
LABELS = (("a", "b"), ("x",), ("é", "e"), ("it's", "b\\c", 'q"q'), ("A", "bb ", "c d"), ("", "0", "1"))
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


class Writer:
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
            # Who wrote backslashes that MariaDB's log shows in such a session, the server or the client, nobody can tell.
            odd = self.maria and "NO_BACKSLASH_ESCAPES" in self.mode
            plain = [labels for labels in LABELS if not odd or not any("\\" in x for x in labels)]
            listed = self.pick(",", ", ").join(map(self.text, self.of(plain)))
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
