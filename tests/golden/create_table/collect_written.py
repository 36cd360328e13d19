"""Makes the golden files of hand-written statements of tests/unit/create_written_test.c from a running server.

    collect_written.py SOCKET mariadb|mysql [COUNT [SEED]]

Executes CREATE TABLE statements in many forms: those of made_from/written.sql and COUNT random ones, under several
sql_modes, character sets of the database and values of explicit_defaults_for_timestamp. Each that the server accepts is
written to <kind>_written.txt with what SHOW CREATE TABLE then prints: the judge is the server. COUNT 100000 and another
SEED make a file for a longer run (SLUICE_WRITTEN names it).
"""

import os
import random
import sys

import pymysql

HERE = os.path.dirname(os.path.abspath(__file__))

# Bits of sql_mode at the servers' values.
MODES = {
    "": 0,
    "ANSI_QUOTES": 1 << 2,
    "REAL_AS_FLOAT": 1,
    "NO_BACKSLASH_ESCAPES": 1 << 20,
    "STRICT_TRANS_TABLES": 1 << 21,
    "ANSI": 0x4000F,
    "ORACLE": 0x1000E20E,
}
DATABASES = ("utf8mb4", "latin1", "utf8mb3 COLLATE utf8mb3_bin", "ucs2", "binary", "sjis")

NUMBERS = """INT|INTEGER|INT(5)|INT UNSIGNED|INT(4) ZEROFILL|INT SIGNED|INT1|INT2|INT3|INT4|INT8|MIDDLEINT|TINYINT|TINYINT(1)|
TINYINT(1) UNSIGNED|TINYINT UNSIGNED ZEROFILL|SMALLINT|SMALLINT UNSIGNED|MEDIUMINT|MEDIUMINT(3) UNSIGNED|BIGINT|
BIGINT UNSIGNED|BIGINT(30)|BOOL|BOOLEAN|DEC|DECIMAL|DECIMAL(0)|DECIMAL(7)|DECIMAL(7,3) UNSIGNED|NUMERIC(10,2)|FIXED(8,4)|
FIXED|DEC(65,30) ZEROFILL|NUMERIC|REAL|REAL(8,3)|DOUBLE|DOUBLE PRECISION|DOUBLE PRECISION(9,2)|DOUBLE(9,2) UNSIGNED|
FLOAT|FLOAT4|FLOAT8|FLOAT(7)|FLOAT(24)|FLOAT(25)|FLOAT(53)|FLOAT(7,3)|FLOAT UNSIGNED|FLOAT(0)|DOUBLE ZEROFILL|BIT|BIT(1)|BIT(17)|
BIGINT SIGNED|INT UNSIGNED ZEROFILL|INT(0)|TINYINT(0)|BIT(0)"""
OTHERS = """YEAR|YEAR(4)|YEAR(2)|DATE|TIME|TIME(0)|TIME(3)|DATETIME|DATETIME(6)|DATETIME(0)|TIMESTAMP|TIMESTAMP(3)|BINARY|
BINARY(7)|VARBINARY(20)|BLOB|TINYBLOB|MEDIUMBLOB|LONGBLOB|BLOB(100)|BLOB(300)|BLOB(70000)|BLOB(20000000)|LONG VARBINARY|
CHAR BYTE|CHAR(5) BYTE|VARCHAR(9) BYTE|TEXT BYTE|JSON|GEOMETRY|POINT|LINESTRING|POLYGON|MULTIPOINT|MULTILINESTRING|
MULTIPOLYGON|GEOMETRYCOLLECTION|GEOMCOLLECTION|INET4|INET6|UUID|VECTOR(3)|VECTOR|BINARY VARYING(5)|VARBINARY(70000)|BINARY(0)|
NVARCHAR2(4)|VARCHAR2(10)|NUMBER|NUMBER(5)|NUMBER(7,2)|RAW(9)|CLOB|XMLTYPE"""
TEXTS = """CHAR|CHAR(3)|CHARACTER(4)|CHAR(0)|VARCHAR(10)|VARCHAR(0)|CHAR VARYING(11)|CHARACTER VARYING(12)|TINYTEXT|TEXT|MEDIUMTEXT|LONGTEXT|
LONG|LONG VARCHAR|LONG CHAR VARYING|LONG CHARACTER VARYING|TEXT(10)|TEXT(63)|TEXT(64)|TEXT(100)|TEXT(200)|TEXT(256)|TEXT(20000)|TEXT(70000)|
TEXT(6000000)|TEXT(20000000)|VARCHAR(70000)|VARCHAR(30000)|VARCHAR(16383)|VARCHAR(20000)|ENUM('a','b')|ENUM('x','y ','it''s','z\\\\w')|SET('a','b')|
SET('one','two','three')|ENUM('','q')|ENUM("q","r")"""
NATIONAL = """NATIONAL CHAR|NATIONAL CHAR(5)|NATIONAL CHARACTER(5)|NCHAR(6)|NCHAR|NVARCHAR(7)|NATIONAL VARCHAR(8)|
NCHAR VARCHAR(9)|NATIONAL CHAR VARYING(10)|NATIONAL CHARACTER VARYING(3)|NCHAR VARYING(11)|NATIONAL CHAR(5) BINARY|NVARCHAR(5) BINARY"""
CHARSETS = """CHARACTER SET latin1|CHARSET latin1 BINARY|BINARY|ASCII|UNICODE|ASCII BINARY|BINARY ASCII|BINARY UNICODE|CHARACTER SET utf8|
CHARACTER SET utf8mb4|CHARACTER SET utf8mb4 COLLATE utf8mb4_bin|COLLATE utf8mb4_general_ci|COLLATE latin1_general_cs|
CHARACTER SET binary|COLLATE binary|CHAR SET cp1251|CHARSET 'latin2'|CHARACTER SET DEFAULT|BINARY CHARSET utf8mb3|
CHARACTER SET ucs2 COLLATE ucs2_bin|COLLATE utf8_general_ci|CHARSET utf16le|CHARSET "gbk"|CHARSET UTF8MB4 COLLATE UTF8MB4_BIN|
BINARY COLLATE utf8mb4_bin|COLLATE uca1400_ai_ci|COLLATE DEFAULT|CHARSET latin1 COLLATE DEFAULT|CHARSET utf8mb4 COLLATE uca1400_as_cs"""


def words(text):
    return [word.strip() for word in text.replace("\n", "").split("|")]


class Generator:
    """Random statements: most of them are valid; the server says which."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def pick(self, items, odds=1.0):
        return self.rng.choice(items) if self.rng.random() < odds else ""

    def column(self, name):
        kind = self.rng.random()
        if kind < 0.35:
            typed, default = self.pick(words(NUMBERS)), self.pick(["DEFAULT 1", "DEFAULT '0'", "DEFAULT -1", "DEFAULT NULL"], 0.3)
        elif kind < 0.6:
            typed, default = self.pick(words(OTHERS)), self.pick(["DEFAULT NULL"], 0.2)
            if "TIMESTAMP" in typed or "DATETIME" in typed:
                fraction = typed[typed.find("(") :] if "(" in typed else ""
                now = self.pick(["CURRENT_TIMESTAMP", "NOW", "LOCALTIMESTAMP"]) + (fraction or "()")
                default = self.pick(["", "DEFAULT " + now, "ON UPDATE " + now, f"DEFAULT {now} ON UPDATE {now}", "DEFAULT 0", "DEFAULT NULL"])
        elif kind < 0.95:
            typed = self.pick(words(TEXTS)) + " " + self.pick(words(CHARSETS), 0.5)
            default = self.pick(["DEFAULT ''", "DEFAULT 'a'", "DEFAULT _utf8mb4'a'", "DEFAULT NULL", "DEFAULT X'61'"], 0.2)
        else:
            typed, default = self.pick(words(NATIONAL)), ""
        attributes = [
            self.pick(["NOT NULL", "NULL", "NOT NULL", "NULL NOT NULL", "NOT NULL NULL"], 0.5),
            default,
            self.pick(["COMMENT 'it''s, (a) \"comment\"'", "INVISIBLE", "COLUMN_FORMAT DYNAMIC", "CHECK (1 > 0)"], 0.1),
            self.pick(["UNIQUE", "UNIQUE KEY", "PRIMARY KEY", "KEY"], 0.06),
            self.pick(["AUTO_INCREMENT", "REFERENCES other (x)", "COMPRESSED"], 0.05),
        ]
        self.rng.shuffle(attributes)
        if self.rng.random() < 0.05:
            typed, attributes = self.pick(["SERIAL", "INT SERIAL DEFAULT VALUE", "BIGINT UNSIGNED SERIAL DEFAULT VALUE"]), []
        if self.rng.random() < 0.06:
            attributes = [self.pick(["GENERATED ALWAYS ", ""]) + "AS (" + self.pick(["1 + 1", "concat('a', ')', \"b\")", "NULL"]) + ")",
                          self.pick(["STORED", "VIRTUAL", "PERSISTENT"], 0.7), self.pick(["NOT NULL", "NULL", "UNIQUE"], 0.2)]
        return " ".join(filter(None, [name, typed, *attributes]))

    def key(self, names):
        parts = [
            self.pick(names) + self.pick(["(3)", "(10)"], 0.15) + self.pick([" DESC", " ASC"], 0.1)
            for _ in range(self.rng.randint(1, 3))
        ]
        if self.rng.random() < 0.04:
            parts[0] = "(" + names[0] + " + 1)"
        kind = self.rng.choice(
            ["KEY", "INDEX", "UNIQUE", "UNIQUE KEY", "UNIQUE INDEX", "PRIMARY KEY", "CONSTRAINT UNIQUE", "CONSTRAINT cu UNIQUE KEY",
             "CONSTRAINT pk PRIMARY KEY", "FULLTEXT", "FULLTEXT KEY", "SPATIAL INDEX", "FOREIGN KEY", "CONSTRAINT fk FOREIGN KEY"]
        )
        name = self.pick(["k", "`a b`", "k2", "a_2"], 0.4) if "PRIMARY" not in kind else ""
        text = f"{kind} {name} {self.pick(['USING BTREE', 'USING HASH'], 0.1) if 'FULL' not in kind and 'SPA' not in kind and 'FOR' not in kind else ''}"
        text += "(" + ", ".join(parts[:1] if "SPA" in kind else parts) + ")"
        if "FOREIGN" in kind:
            columns = [part.split("(")[0].split(" ")[0] for part in parts]
            text = f"{kind} {name} ({', '.join(columns)}) REFERENCES nowhere ({', '.join('xyz'[: len(parts)])})"
            text += self.pick([" ON DELETE CASCADE", " ON UPDATE SET NULL", " ON DELETE NO ACTION ON UPDATE CASCADE", " ON DELETE RESTRICT"], 0.5)
        return text + self.pick([" COMMENT 'c'", " KEY_BLOCK_SIZE=4"], 0.05)

    def statement(self):
        names = self.rng.sample(["a", "b", "c", "`a b`", "Id", "`naïve`", "`from`", "d1"], self.rng.randint(1, 5))
        elements = [self.column(name) for name in names]
        elements += [self.key(names) for _ in range(self.rng.choice([0, 0, 1, 1, 2, 3]))]
        if self.rng.random() < 0.1:
            self.rng.shuffle(elements)
        options = [
            self.pick(["ENGINE=InnoDB", "ENGINE MyISAM", "ROW_FORMAT=DYNAMIC", "AUTO_INCREMENT 7"], 0.3),
            self.pick(["CHARSET latin1", "DEFAULT CHARACTER SET = utf8mb4", "COLLATE latin1_bin", "CHARSET=utf8 COLLATE utf8_bin",
                       "DEFAULT COLLATE = utf8mb4_bin", "CHARSET binary", "CHARACTER SET DEFAULT", "CHARSET cp932", "CHARSET utf8mb3"], 0.4),
            self.pick(["COMMENT 'charset=latin1'", "COMMENT = 'x', CHECKSUM 1", "UNION=()"], 0.1),
        ]
        self.rng.shuffle(options)
        space = self.pick(["\n", " ", "  "])
        text = f"CREATE TABLE {self.pick(['IF NOT EXISTS ', ''])}t ({space}{(',' + space).join(elements)}{space}) {' '.join(filter(None, options))}"
        return text.lower() if self.rng.random() < 0.3 else text


class Server:
    def __init__(self, socket, kind):
        self.kind = kind
        self.cursor = pymysql.connect(unix_socket=socket, user="root", charset="utf8mb4", autocommit=True).cursor()
        self.run("SET GLOBAL max_allowed_packet = 1 << 26")
        for i, charset in enumerate(DATABASES):
            self.run(f"DROP DATABASE IF EXISTS written{i}")
            self.run(f"CREATE DATABASE written{i} CHARACTER SET {charset}")
        if kind == "mysql":
            self.run("SET restrict_fk_on_non_standard_key = OFF")
        self.run("SET foreign_key_checks = 0")

    def run(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchall()

    def attempt(self, sql, mode, database, explicit):
        """The lines of one statement, or None when the server refuses it."""
        self.run(f"USE written{database}")
        self.run(f"SET explicit_defaults_for_timestamp = {explicit}")
        collation = self.run("SELECT @@character_set_database, @@collation_database")[0]
        try:
            self.run(f"SET sql_mode = '{mode}'")
            self.run(sql)
        except pymysql.MySQLError:
            return None
        self.run("SET sql_mode = ''")
        shown = self.run("SHOW CREATE TABLE t")[0][1]
        self.run("DROP TABLE t")
        return f"{MODES[mode]} {collation[0]} {collation[1]} {explicit}\n{sql}\n=\n{shown}\n"


def systematic(kind):
    """Every type and attribute for itself."""
    for typed in words(NUMBERS) + words(OTHERS) + words(TEXTS) + words(NATIONAL):
        for mode in ("", "ORACLE") if kind == "mariadb" else ("",):
            yield f"CREATE TABLE t (a {typed}, b {typed} NOT NULL)", mode, 0, 1
    for database in range(1, len(DATABASES)):
        for typed in words(TEXTS):
            yield f"CREATE TABLE t (a {typed})", "", database, 1
    for database in (0, 1, 2, 4):
        for charset in words(CHARSETS):
            columns = ", ".join(f"c{i} {typed} {charset}" for i, typed in enumerate(["CHAR(9)", "VARCHAR(20)", "TEXT", "TEXT(90)", "ENUM('a')"]))
            yield f"CREATE TABLE t ({columns})", "", database, 1
            yield f"CREATE TABLE t (c VARCHAR(9), d CHAR(3) BINARY, e ENUM('x')) {charset}", "", database, 1
    for mode in ("REAL_AS_FLOAT", "ANSI"):
        yield "CREATE TABLE t (a REAL, b REAL(7,3), c DOUBLE)", mode, 0, 1


def main():
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 400
    generator = Generator(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    server = Server(*sys.argv[1:3])
    found = [server.attempt(*each) for each in systematic(server.kind)]
    with open(os.path.join(HERE, "made_from", "written.sql"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("--"):
                mode = "ANSI_QUOTES" if "ANSI_QUOTES" in line else ""
                found += [server.attempt(line.strip().rstrip(";"), mode, database, explicit) for database, explicit in ((0, 1), (1, 0))]
    modes = [mode for mode in MODES if server.kind == "mariadb" or mode != "ORACLE"]
    for _ in range(count):
        sql = generator.statement()
        context = generator.pick(modes), generator.rng.randrange(len(DATABASES)), generator.rng.randrange(2)
        if not sys.argv[4:] or sql:
            found.append(server.attempt(sql, *context))
    lines = list(dict.fromkeys(filter(None, found)))
    name = sys.argv[5] if len(sys.argv) > 5 else os.path.join(HERE, server.kind + "_written.txt")
    with open(name, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    print(f"{len(lines)} of {len(found)} statements accepted")


if __name__ == "__main__":
    main()
