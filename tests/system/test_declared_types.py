"""The type of a column as a definition tells it: what follows from a statement of the log is, letter by letter, what
SHOW CREATE TABLE prints. Formats of other programs show it."""

import json
import re

import pymysql
import pytest

from sluice import FINE

WITHOUT_NAMES = {"mariadb": {"binlog_row_metadata": "NO_LOG"}, "mysql": {"binlog_row_metadata": "MINIMAL"}}

SPELLINGS = """
INT;INTEGER;int;INT(5);INT(0);INT UNSIGNED;INTEGER UNSIGNED;INT(4) ZEROFILL;INT UNSIGNED ZEROFILL;INT SIGNED;INT1;INT2;INT3;INT4;INT8;
MIDDLEINT;TINYINT;TINYINT(1);TINYINT(1) UNSIGNED;TINYINT(1) ZEROFILL;TINYINT(0);TINYINT(2);TINYINT UNSIGNED ZEROFILL;BOOL;BOOLEAN;
SMALLINT;SMALLINT(3);SMALLINT UNSIGNED;SMALLINT ZEROFILL;MEDIUMINT;MEDIUMINT(3) UNSIGNED;BIGINT;BIGINT(30);BIGINT UNSIGNED;
BIGINT(7) ZEROFILL;SERIAL;DEC;DEC(10,2);DECIMAL;DECIMAL(0);DECIMAL(7);DECIMAL( 7 , 3 ) UNSIGNED;NUMERIC;NUMERIC(10,2);FIXED;
FIXED(8,4);DEC(65,30) ZEROFILL;REAL;REAL(8,3);DOUBLE;DOUBLE PRECISION;DOUBLE PRECISION(9,2);DOUBLE(9,2) UNSIGNED;
DOUBLE ZEROFILL;FLOAT;FLOAT4;FLOAT8;FLOAT(0);FLOAT(7);FLOAT(24);FLOAT(25);FLOAT(53);FLOAT(7,3);FLOAT(7,3) ZEROFILL;FLOAT UNSIGNED;
BIT;BIT(0);BIT(1);BIT(17);BIT(64);YEAR;YEAR(4);DATE;TIME;TIME(0);TIME(3);DATETIME;DATETIME(0);DATETIME(6);TIMESTAMP NULL;
TIMESTAMP(3) NULL;CHAR;CHAR(0);CHAR(10);CHARACTER(5);char(3) character set latin1;CHAR BYTE;CHAR(6) BYTE;
CHAR(4) CHARACTER SET BINARY;VARCHAR(20);VARCHAR(0);VARCHARACTER(13);CHAR VARYING(7);CHARACTER VARYING(9);VARCHAR(9) BYTE;
VARCHAR(7) CHARACTER SET binary;VARCHAR(16383);NATIONAL CHAR(5);NATIONAL CHARACTER(5);NCHAR;NCHAR(4);NVARCHAR(6);
NATIONAL VARCHAR(8);NCHAR VARCHAR(3);NATIONAL CHAR VARYING(4);NCHAR VARYING(5);BINARY;BINARY(0);BINARY(4);VARBINARY(20);
BINARY VARYING(5);TINYTEXT;TEXT;TEXT(0);TEXT(10);TEXT(63);TEXT(64);TEXT(100);TEXT(255);TEXT(256);TEXT(16384);TEXT(20000);TEXT(70000);
TEXT(6000000);TEXT(20000000);TEXT(100) CHARACTER SET latin1;TEXT(300) CHARACTER SET utf8mb3;TEXT CHARACTER SET binary;
TEXT BYTE;MEDIUMTEXT;LONGTEXT;LONG;LONG VARCHAR;LONG BYTE;TINYBLOB;BLOB;BLOB(0);BLOB(100);BLOB(300);BLOB(70000);BLOB(20000000);
MEDIUMBLOB;LONGBLOB;LONG VARBINARY;JSON;ENUM('a');ENUM( 'a' , 'b' );ENUM('x','y ','it''s','z\\\\w');ENUM("q","r'");enum('ä','€');
SET('a','b');set('One','two');ENUM('a','b') CHARACTER SET binary;GEOMETRY;POINT;LINESTRING;POLYGON;MULTIPOINT;MULTILINESTRING;
MULTIPOLYGON;GEOMETRYCOLLECTION;GEOMCOLLECTION;UUID;INET4;INET6;VECTOR(3);VECTOR
"""
ACCEPTED_MIN = 150

# What may stand behind the type in SHOW CREATE TABLE.
BEHIND = re.compile(
    r" (CHARACTER SET|COLLATE|NOT NULL|NULL|DEFAULT|AUTO_INCREMENT|GENERATED|CHECK|REF_SYSTEM_ID|/\*)|,?$"
)


# What an integer has without a width, which only MariaDB shows; Canal's format leaves it out.
WIDTHS = re.compile(
    r"(tinyint\(4\)|smallint\(6\)|mediumint\(9\)|int\(11\)|bigint\(20\)|year\(4\)|"
    r"(tinyint\(3\)|smallint\(5\)|mediumint\(8\)|int\(10\)|bigint\(20\)) unsigned)(?! unsigned| zerofill)"
)


def without_width(line):
    found = WIDTHS.match(line)
    return re.sub(r"\(\d+\)", "", found.group()) + line[found.end() :] if found else line


def spellings():
    return [word.strip() for word in SPELLINGS.replace("\n", "").split(";")]


def printed_line(db, table):
    """The line of the column `c` in SHOW CREATE TABLE, without its name."""
    text = db.sql(f"SHOW CREATE TABLE shop.{table}")[0][1]
    return re.search(r"^  `c` (.*)$", text, re.M).group(1)


def made_tables(db, change):
    """{table: spelling} of what the server takes."""
    made = {}
    for number, spelling in enumerate(spellings()):
        try:
            change(db, f"t{number}", spelling)
        except pymysql.Error:
            continue
        made[f"t{number}"] = spelling
    assert len(made) >= ACCEPTED_MIN
    return made


def create(db, table, spelling):
    db.sql(f"CREATE TABLE shop.{table} (c {spelling})")


def add(db, table, spelling):
    db.sql(f"CREATE TABLE shop.{table} (a INT)")
    db.sql(f"ALTER TABLE shop.{table} ADD COLUMN c {spelling}")


def create_with_row(db, table, spelling):
    db.sql(f"CREATE TABLE shop.{table} (a INT, c {spelling})")
    db.sql(f"INSERT INTO shop.{table} (a) VALUES (1)")


def assert_printed(db, made, told, shown=str):
    wrong = {}
    for table, spelling in made.items():
        line, mine = shown(printed_line(db, table)), told.get(table)
        if mine is None or not line.startswith(mine) or not BEHIND.match(line[len(mine) :]):
            wrong[spelling] = (mine, line)
    assert not wrong


@pytest.mark.parametrize("change", [create, add])
@pytest.mark.parametrize("charset", ["utf8mb4", "latin1"])
def test_a_type_is_told_as_the_server_prints_it(new_db, flavor, sluice, change, charset):
    db = new_db(WITHOUT_NAMES[flavor])
    db.sql(f"ALTER DATABASE shop CHARACTER SET {charset}")
    made = made_tables(db, change)
    done = sluice().run("schema", "show", "--format", "json", *db.binlog_paths(), config=False)
    assert done.returncode == FINE, done.stderr
    told = {row["table"]: row for row in map(json.loads, done.stdout.splitlines()) if row.get("table")}
    assert_printed(db, made, {table: told[table]["columns"][-1]["type"] for table in made if "columns" in told[table]})


@pytest.mark.parametrize("metadata", ["named", "without names"])
def test_rows_have_it_in_every_mode(new_db, flavor, sluice, metadata):
    """With names in the log too, of which no TABLE_MAP carries tinyint(1)."""
    db = new_db({"binlog_row_metadata": "FULL"} if metadata == "named" else WITHOUT_NAMES[flavor])
    made = made_tables(db, create_with_row)
    done = sluice().run("dump", "--format", "canal", *db.binlog_paths(), config=False)
    assert done.returncode == FINE, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert_printed(db, made, {row["table"]: row["mysqlType"]["c"] for row in rows}, shown=without_width)
