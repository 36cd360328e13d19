"""Makes the golden files of tests/unit/alter_table_test.c: random ALTER statements as a real server executes them.

    collect.py SOCKET mariadb|mysql STATEMENTS EVERY FILE [SEED]

Makes tables in the databases alter_* (dropped first) and alters them. Each line of FILE is one of

    T sql_mode explicit_timestamps charset collation    the session and the database of what follows
    B text    the table as SHOW CREATE TABLE prints it before the statements that follow
    S text    a statement that succeeded
    A text    the table after it

with backslashes and line breaks escaped. EVERY is how many statements stand before one A; failed ones are not written.
"""

import random
import re
import sys

import pymysql

TYPES = """TINYINT|TINYINT(1)|SMALLINT UNSIGNED|MEDIUMINT|INT|INT(5) ZEROFILL|INTEGER UNSIGNED|BIGINT|BIGINT UNSIGNED|BOOL
BOOLEAN|DECIMAL|DECIMAL(10)|DECIMAL(12,3) UNSIGNED|NUMERIC(5,2)|DEC(4)|FIXED|FLOAT|FLOAT(30)|FLOAT(7,3)|DOUBLE
DOUBLE PRECISION|REAL|BIT|BIT(5)|DATE|TIME|TIME(3)|DATETIME|DATETIME(6)|TIMESTAMP|TIMESTAMP NULL|TIMESTAMP(3)|YEAR
YEAR(4)|INT1|INT8|MIDDLEINT|FLOAT4|FLOAT8|BINARY|BINARY(8)|VARBINARY(30)|TINYBLOB|BLOB|BLOB(20)|MEDIUMBLOB|LONGBLOB
LONG VARBINARY|POINT|GEOMETRY|JSON|INT SIGNED|TIMESTAMP(6) NULL""".replace("\n", "|").split("|")
TEXTS = """CHAR|CHAR(10)|VARCHAR(20)|VARCHAR(300)|CHARACTER(3)|CHARACTER VARYING(9)|TINYTEXT|TEXT|TEXT(60)|TEXT(100)
TEXT(20000)|TEXT(70000)|MEDIUMTEXT|LONGTEXT|LONG|LONG VARCHAR|ENUM('a','b','C')|SET('x','y')|ENUM('it''s','e')
CHAR VARYING(6)""".replace("\n", "|").split("|")
NATIONAL = ["NCHAR(5)", "NVARCHAR(7)", "NATIONAL VARCHAR(8)", "NATIONAL CHAR(4)", "NCHAR VARYING(3)"]
OWN = {"mariadb": ["UUID", "INET6", "INET4"], "mysql": ["VECTOR(3)", "VECTOR"]}
CHARSETS = ["latin1", "utf8mb4", "utf8mb3", "ucs2", "utf32", "sjis", "binary", "ascii", "cp1251"]
COLLATIONS = ["latin1_bin", "latin1_swedish_ci", "utf8mb4_bin", "utf8mb4_unicode_ci", "utf8mb3_bin", "ascii_bin",
              "utf8mb4_general_ci", "cp1251_bin"]
MODES = ["", "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "PIPES_AS_CONCAT"]
NAMES = [*"abcdefghij", "A b", "größe", "naïve`q", "select", "Order"]


def escape(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n")


class Table:
    """What the server says of the table now."""

    def __init__(self, run):
        self.columns = [row[0] for row in run("SHOW COLUMNS FROM t")]
        self.types = {row[0]: row[1].decode() if isinstance(row[1], bytes) else row[1] for row in run("SHOW COLUMNS FROM t")}
        keys = run("SHOW INDEX FROM t")
        self.keys = sorted({row[2] for row in keys})
        self.unique = {row[4] for row in keys if not row[1]}
        self.text = run("SHOW CREATE TABLE t")[0][1]

    def is_odd(self):
        """Unique keys over shapes have prefixes that depend on what the column was before."""
        shapes = any(self.types.get(name, "").startswith(("point", "geometry")) for name in self.unique)
        # Labels of two bytes a letter come out as others after a while.
        return shapes or bool(re.search(r"\b(enum|set)\(", self.text) and re.search("ucs2|utf32", self.text))


class Generator:
    def __init__(self, rnd, kind):
        self.rnd, self.kind = rnd, kind

    def chance(self, percent):
        return self.rnd.random() * 100 < percent

    def pick(self, *items):
        return self.rnd.choice(items)

    def quote(self, name):
        plain = name.isalnum() and name.isascii() and name.lower() not in ("select", "order", "primary")
        if plain and self.chance(50):
            return name if self.chance(80) else name.swapcase()
        if self.ansi and self.chance(50):
            return '"' + name + '"'
        return "`" + name.replace("`", "``") + "`"

    def new_name(self):
        return self.rnd.choice(NAMES) if self.chance(60) else f"n{self.rnd.randrange(40)}"

    def charset(self):
        return self.pick("CHARACTER SET ", "CHARSET ", "CHARACTER SET ") + self.pick(*CHARSETS)

    def narrow(self):
        """Labels of ENUM and SET become question marks in the text where a set has two bytes for each letter."""
        return "CHARACTER SET " + self.pick(*(name for name in CHARSETS if name not in ("ucs2", "utf32")))

    def type(self):
        kind = self.pick(1, 1, 2, 2, 2, 3)
        if kind == 1:
            return self.pick(*TYPES)
        if kind == 3:
            return self.pick(*NATIONAL, *OWN[self.kind])
        text = self.pick(*TEXTS)
        if self.chance(25):
            return text + " " + (self.narrow() if text.startswith(("ENUM", "SET")) else self.charset())
        if self.chance(12):
            return text + " COLLATE " + self.pick(*COLLATIONS)
        if self.chance(12):
            return text + " " + self.pick("BINARY", "ASCII", "UNICODE", "CHARSET utf8mb4 BINARY", "BINARY CHARSET latin1",
                                          "CHARSET utf8mb4 COLLATE utf8mb4_bin")
        return text

    def definition(self):
        if self.chance(3):
            return "SERIAL"
        text = self.type()
        if self.chance(7) and "CHAR" in text or text in ("INT", "BIGINT") and self.chance(30):
            text += self.pick(" AS (1)", " GENERATED ALWAYS AS (2) STORED", " AS (1+1) VIRTUAL")
            return text + self.pick("", " COMMENT 'x'", " UNIQUE")
        if self.chance(30):
            text += self.pick(" NOT NULL", " NULL", " NOT NULL")
        if self.chance(10):
            text += " DEFAULT NULL"
        if self.chance(5):
            text += self.pick(" UNIQUE", " UNIQUE KEY", " PRIMARY KEY", " KEY")
        if self.chance(4):
            text += " INVISIBLE"
        if self.chance(8):
            text += self.pick(" COMMENT 'after, first'", " COMMENT 'a''b'", " CHECK (1 > 0)")
        if "INT" in text and self.chance(6):
            text += self.pick(" AUTO_INCREMENT UNIQUE", " AUTO_INCREMENT PRIMARY KEY", " AUTO_INCREMENT")
        return text

    def place(self, names):
        if self.chance(60):
            return ""
        return " FIRST" if self.chance(30) else " AFTER " + self.quote(self.pick(*names))

    def condition(self, text):
        return text if self.kind == "mariadb" and self.chance(15) else ""

    def part(self, table, name):
        text = self.quote(name)
        kind = table.types.get(name, "int").lower()
        if "text" in kind or "blob" in kind or ("char" in kind and self.chance(20)):
            text += f"({self.pick(1, 2, 5, 10)})"
        return text + self.pick("", "", "", " DESC", " ASC")

    def parts(self, table, names):
        if self.kind == "mysql" and self.chance(5):
            return "((1 + 1), " + self.part(table, self.pick(*names)) + ")"
        count = min(len(names), self.pick(1, 1, 1, 2, 2, 3))
        return "(" + ", ".join(self.part(table, name) for name in self.rnd.sample(names, count)) + ")"

    def key(self, table, names):
        name = self.pick("", "", " " + self.quote(self.pick("k1", "k2", "k3", "a", "b_2")))
        using = self.pick("", "", "", " USING BTREE")
        kind = self.pick("INDEX", "KEY", "UNIQUE", "UNIQUE KEY", "UNIQUE INDEX", "PRIMARY KEY", "FULLTEXT", "FULLTEXT KEY",
                         "CONSTRAINT UNIQUE", "CONSTRAINT c1 UNIQUE", "CONSTRAINT c2 PRIMARY KEY", "FOREIGN KEY",
                         "CONSTRAINT f1 FOREIGN KEY", "CHECK")
        if kind == "CHECK":
            return self.pick("", "CONSTRAINT ch ") + "CHECK (1 < 2)"
        if "FOREIGN" in kind:
            return f"{kind}{name} ({self.quote(self.pick(*names))}) REFERENCES parent (id)" + self.pick(
                "", " ON DELETE CASCADE", " ON DELETE SET NULL ON UPDATE CASCADE")
        if "FULLTEXT" in kind or "PRIMARY" in kind:
            using = ""
        if "PRIMARY" in kind:
            name = ""
        return f"{kind}{name}{using} {self.parts(table, names)}" + self.pick("", "", " COMMENT 'k'")

    def option(self, table):
        labelled = any(kind.startswith(("enum", "set")) for kind in table.types.values())
        wide = [] if labelled else ["CONVERT TO CHARSET ucs2", "CONVERT TO CHARACTER SET utf32"]
        return self.pick(
            *wide, "ENGINE=InnoDB", "COMMENT 'c, d'", "COMMENT='x'", "AUTO_INCREMENT=7", "ROW_FORMAT=DYNAMIC", "FORCE",
            "DEFAULT " + self.narrow(), "DEFAULT " + self.narrow().replace("SET", "SET ="),
            self.narrow(), "COLLATE " + self.pick(*COLLATIONS), "DEFAULT COLLATE = " + self.pick(*COLLATIONS),
            "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=COMPACT",
            "CONVERT TO " + self.narrow(), "CONVERT TO " + self.narrow(), "CONVERT TO CHARACTER SET DEFAULT",
            "CONVERT TO CHARSET latin1 COLLATE latin1_bin", "CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "ALGORITHM=COPY", "LOCK = SHARED", "DISABLE KEYS", "STATS_PERSISTENT=1", "MAX_ROWS 10",
            "ALGORITHM=DEFAULT, LOCK=DEFAULT")

    def clause(self, table, names):
        """One clause; names: of columns as far as earlier clauses of the statement made them."""
        old, new = self.pick(*table.columns), self.new_name()
        kind = self.rnd.randrange(100)
        if kind < 22:
            text = "ADD " + self.pick("", "COLUMN ") + self.condition("IF NOT EXISTS ")
            text += f"{self.quote(new)} {self.definition()}{self.place(names)}"
            names.append(new)
            return text
        if kind < 25:
            extra = self.pick("", ", " + self.key(table, names))
            text = f"ADD {self.pick('', 'COLUMN ')}({self.quote(new)} {self.definition()}, n41 {self.definition()}{extra})"
            names += [new, "n41"]
            return text
        if kind < 35:
            return ("DROP " + self.pick("", "COLUMN ") + self.condition("IF EXISTS ") + self.quote(old)
                    + self.pick("", "", " RESTRICT"))
        if kind < 45:
            text = (f"CHANGE {self.pick('', 'COLUMN ')}{self.condition('IF EXISTS ')}{self.quote(old)} "
                    f"{self.quote(new if self.chance(70) else old)} {self.definition()}{self.place(names)}")
            names.append(new)
            return text
        if kind < 57:
            return (f"MODIFY {self.pick('', 'COLUMN ')}{self.condition('IF EXISTS ')}{self.quote(old)} "
                    f"{self.definition()}{self.place(names)}")
        if kind < 64:
            names.append(new)
            return f"RENAME COLUMN {self.condition('IF EXISTS ')}{self.quote(old)} TO {self.quote(new)}"
        if kind < 67 and len(table.columns) > 1:
            one, two = (self.quote(name) for name in self.rnd.sample(table.columns, 2))
            return f"RENAME COLUMN {one} TO {two}, RENAME COLUMN {two} TO {one}"
        if kind < 78:
            return "ADD " + self.key(table, names)
        if kind < 84 and table.keys:
            key = self.pick(*table.keys)
            if key == "PRIMARY" and self.chance(70):
                return "DROP PRIMARY KEY"
            return self.pick("DROP INDEX ", "DROP KEY ", "DROP INDEX ", "DROP CONSTRAINT ") + self.condition(
                "IF EXISTS ") + ("`PRIMARY`" if key == "PRIMARY" else self.quote(key))
        if kind < 86 and table.keys:
            return f"RENAME {self.pick('INDEX', 'KEY')} {self.quote(self.pick(*table.keys))} TO {self.pick('r1', 'r2', 'k1')}"
        if kind < 87:
            return self.pick("DROP FOREIGN KEY f1", "DROP CONSTRAINT f1", "DROP FOREIGN KEY t_ibfk_1", "DROP CONSTRAINT c1",
                             "DROP CONSTRAINT ch")
        if kind < 90:
            return f"ALTER {self.pick('', 'COLUMN ')}{self.quote(old)} " + self.pick(
                "SET DEFAULT 1", "DROP DEFAULT", *(["SET INVISIBLE", "SET VISIBLE"] if self.kind == "mysql" else []), "SET DEFAULT (1 + 1)", "SET DEFAULT 'x'", "SET DEFAULT NULL")
        return self.option(table)

    def statement(self, table):
        kind = self.rnd.randrange(100)
        if kind < 5:
            name = self.quote(self.pick("k1", "k2", "x1", "x2"))
            return (f"CREATE {self.pick('', 'UNIQUE ', 'FULLTEXT ', '')}INDEX {self.condition('IF NOT EXISTS ')}{name} ON t "
                    f"{self.parts(table, table.columns)}")
        if kind < 8 and table.keys:
            key = self.pick(*table.keys)
            key = "`PRIMARY`" if key == "PRIMARY" else self.quote(key)
            return f"DROP INDEX {self.condition('IF EXISTS ')}{key} ON t"
        names = list(table.columns)
        count = self.pick(1, 1, 1, 2, 2, 3, 4)
        clauses = [self.clause(table, names) for _ in range(count)]
        if self.chance(2):
            clauses.append("ORDER BY " + ", ".join(self.quote(name) for name in names[:2]))
        if self.chance(2):
            clauses[-1] += self.pick(" PARTITION BY HASH (1) PARTITIONS 2", " REMOVE PARTITIONING")
        head = self.pick("ALTER TABLE ", "ALTER TABLE ", "alter  table ", "ALTER /* x */ TABLE ")
        if self.kind == "mariadb" and self.chance(10):
            head = self.pick("ALTER IGNORE TABLE ", "ALTER ONLINE TABLE ", "ALTER TABLE IF EXISTS ")
        if self.kind == "mariadb" and self.chance(4):
            clauses.append(self.pick("ADD SYSTEM VERSIONING", "DROP SYSTEM VERSIONING"))
        text = head + "t " + ", ".join(clauses)
        # MySQL gives such a column the size of what it was before.
        odd = "CONVERT" in text and re.search(r"(CHANGE|MODIFY) [^,]* (\w*TEXT|LONG|\w*BLOB)\b", text)
        return self.statement(table) if odd or text.count("CONVERT") > 1 else text

    def create(self):
        names = self.rnd.sample(NAMES, self.rnd.randrange(2, 6))
        parts = [f"`{name.replace('`', '``')}` {self.definition()}" for name in names]
        return f"CREATE TABLE t ({', '.join(parts)})" + self.pick("", f" DEFAULT {self.narrow()}")


class Collector:
    def __init__(self, socket, kind, seed, out):
        self.connection = pymysql.connect(unix_socket=socket, user="root", charset="utf8mb4", autocommit=True)
        self.cursor, self.kind, self.out = self.connection.cursor(), kind, out
        self.rnd = random.Random(seed)
        self.generator = Generator(self.rnd, kind)
        self.tried = self.done = 0

    def run(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchall()

    def succeeds(self, sql):
        try:
            self.run(sql)
            return True
        except pymysql.err.MySQLError as error:
            if error.args[0] in (1064, 2006, 2013):
                print(error, sql, file=sys.stderr)
            return False

    def line(self, word, text):
        self.out.write(f"{word} {escape(text)}\n")

    def new_session(self):
        mode, explicit = self.rnd.choice(MODES), self.rnd.randrange(2)
        charset = self.rnd.choice(["latin1", "utf8mb4", "utf8mb3", "cp1251"])
        self.run("DROP DATABASE IF EXISTS alter_db")
        self.run(f"CREATE DATABASE alter_db CHARACTER SET {charset}")
        self.run("USE alter_db")
        collation = self.run("SELECT @@collation_database")[0][0]
        self.run("SET sql_mode = ''")
        self.run("CREATE TABLE parent (id INT PRIMARY KEY)")
        if self.kind == "mariadb":
            self.run("SET system_versioning_alter_history = KEEP")
        self.run(f"SET sql_mode = '{mode}', explicit_defaults_for_timestamp = {explicit}")
        self.generator.ansi = "ANSI" in mode
        self.line("T", f"{mode or '-'} {explicit} {charset} {collation}")

    def show(self):
        self.run("SET @mode = @@sql_mode")
        self.run("SET sql_mode = ''")
        table = Table(self.run)
        self.run("SET sql_mode = @mode")
        return table

    def new_table(self):
        self.run("DROP TABLE IF EXISTS t")
        while not self.succeeds(self.generator.create()):
            pass
        self.line("B", self.show().text)

    def collect(self, count, every):
        while self.done < count:
            self.new_session()
            for _ in range(4):
                self.new_table()
                self.alter(every)

    def alter(self, every):
        since, table = 0, self.show()
        for _ in range(40):
            statement = self.generator.statement(table)
            self.tried += 1
            if not self.succeeds(statement):
                continue
            changed = self.show()
            if changed.is_odd():
                break
            self.line("S", statement)
            self.done += 1
            since += 1
            table = changed
            if since == every:
                self.line("A", table.text)
                since = 0
        if since:
            self.line("A", table.text)


def main():
    socket, kind, count, every, path = sys.argv[1:6]
    seed = sys.argv[6] if len(sys.argv) > 6 else "1"
    with open(path, "w", encoding="utf-8") as out:
        collector = Collector(socket, kind, f"{kind} {seed}", out)
        collector.collect(int(count), int(every))
    print(f"{collector.done} of {collector.tried} statements succeeded")


if __name__ == "__main__":
    main()
