"""`sluice schema show|import|rebuild`, `dump --schema`, and rows of old logs with the names that they had then.

All on logs without names (MariaDB's NO_LOG, MySQL's MINIMAL): what is told comes from the history.
"""

import glob
import json
import os
import re
import shlex
import subprocess

import pytest

from shop import config
from sluice import FINE, RETRY, STOPPED, USAGE, at, stopped_with, wait_until

WITHOUT_NAMES = {"mariadb": {"binlog_row_metadata": "NO_LOG"}, "mysql": {"binlog_row_metadata": "MINIMAL"}}

TABLES = [
    "CREATE TABLE shop.plain (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, `na``me` VARCHAR(20) NOT NULL, "
    "price DECIMAL(10,2), note TEXT CHARACTER SET latin1, UNIQUE KEY by_name (`na``me`, price))",
    "CREATE TABLE shop.kinds (a TINYINT(1), b ENUM('x', 'it''s', 'ä') NOT NULL, c SET('p', 'q'), d BIT(5), e YEAR, "
    "f DATETIME(3) NULL, g BINARY(4), h BLOB, i DOUBLE, k BIGINT UNSIGNED, l JSON, UNIQUE (k))",
    "CREATE TABLE shop.made (a INT, b INT AS (a + 1) VIRTUAL, c INT AS (a * 2) STORED, d CHAR(3) CHARACTER SET ascii)",
    "CREATE TABLE shop.`größe` (id INT PRIMARY KEY, v VARCHAR(10) COLLATE utf8mb4_bin) CHARACTER SET utf8mb4",
]


@pytest.fixture
def plain_db(new_db, flavor):
    """A server whose log has no names."""
    return new_db(WITHOUT_NAMES[flavor])


def dump_program(db, *args):
    """The output of the server's own dump program."""
    program = {"mariadb": "mariadb-dump", "mysql": "/usr/bin/mysqldump"}[db.flavor]
    argv = [program, "--no-defaults", "-uroot", "-S", db.inner(db.socket), "--no-data", *args]
    if db.flavor == "mysql":
        argv = db.entered(db.directory, *argv)
    return subprocess.run(argv, check=True, capture_output=True).stdout


def shown(driver, *args, config=True):
    """The definitions that `schema show` prints: {(db, table): object} of the last version of each."""
    done = driver.run("schema", "show", "--format", "json", *args, config=config)
    assert done.returncode == FINE, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {(row["db"], row.get("table", "")): row for row in rows}


def truth(db, table, schema="shop"):
    """What information_schema says of a table's columns, in the members of schema show."""
    generated = {"VIRTUAL GENERATED": "virtual", "STORED GENERATED": "stored", "PERSISTENT GENERATED": "stored"}
    columns = []
    for row in db.dicts(
        "SELECT column_name AS name, column_type AS type, is_nullable AS nullable, character_set_name AS charset, "
        "collation_name AS collation, extra AS extra FROM information_schema.columns "
        "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (schema, table),
    ):
        extra = row["extra"].upper()
        columns.append(
            {
                "name": row["name"],
                "type": row["type"],
                "nullable": row["nullable"] == "YES",
                "unsigned": "unsigned" in row["type"],
                "charset": row["charset"],
                "collation": row["collation"],
                "generated": next((word for text, word in generated.items() if text in extra), None),
                "invisible": "INVISIBLE" in extra,
            }
        )
    return columns


def told(row, wanted):
    """The same members of an object of schema show. A collation that is not written is the character set's."""
    columns = []
    for column, truth_column in zip(row["columns"], wanted):
        mine = {name: column.get(name) for name in truth_column}
        mine["invisible"] = column.get("invisible", False)
        if mine["charset"] and not mine["collation"]:
            mine["collation"] = truth_column["collation"]
        if column["type"] == "json":  # MariaDB's alias of LONGTEXT
            mine["type"] = truth_column["type"]
        columns.append(mine)
    return columns


def unique_keys(db, table, schema="shop"):
    keys = {}
    for name, column in db.sql(
        "SELECT index_name, column_name FROM information_schema.statistics WHERE table_schema = %s "
        "AND table_name = %s AND non_unique = 0 ORDER BY index_name, seq_in_index",
        (schema, table),
    ):
        keys.setdefault(name, []).append(column)
    return keys


def assert_told(db, rows, table):
    wanted = truth(db, table)
    row = rows["shop", table]
    assert len(row["columns"]) == len(wanted)
    assert told(row, wanted) == wanted
    mine = {key["name"]: key["columns"] for key in row["keys"] if key["kind"] in ("primary", "unique")}
    assert mine == unique_keys(db, table)


class TestShow:
    def test_files_tell_what_information_schema_tells(self, plain_db, sluice):
        names = ["plain", "kinds", "made", "größe"]
        plain_db.script(TABLES)
        rows = shown(sluice(), *plain_db.binlog_paths(), config=False)
        for name in names:
            assert_told(plain_db, rows, name)
        assert {row["origin"] for row in rows.values()} == {"log"}
        plain_db.script(
            [
                "ALTER TABLE shop.plain ADD COLUMN first_one BIGINT UNSIGNED FIRST, DROP COLUMN note",
                "ALTER TABLE shop.kinds RENAME COLUMN a TO z, MODIFY i FLOAT NOT NULL AFTER z",
                "RENAME TABLE shop.made TO shop.other, shop.`größe` TO shop.made",
                "DROP TABLE shop.other",
            ]
        )
        rows = shown(sluice(), *plain_db.binlog_paths(), config=False)
        for name in ["plain", "kinds", "made"]:
            assert_told(plain_db, rows, name)
        assert set(rows) == {("shop", "plain"), ("shop", "kinds"), ("shop", "made")}

    def test_all_tells_every_version_with_its_place(self, plain_db, sluice):
        plain_db.sql("CREATE TABLE shop.t (a INT PRIMARY KEY)")
        place = plain_db.position()
        plain_db.script(["ALTER TABLE shop.t ADD COLUMN b INT", "DROP TABLE shop.t"])
        done = sluice().run(
            "schema", "show", *plain_db.binlog_paths(), "--all", "--format=json", "--table=shop.t", config=False
        )
        assert done.returncode == FINE, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert rows.pop(0)["db"] == "shop", "the defaults of the database come first"
        assert [row["kind"] for row in rows] == ["defined", "defined", "gone"]
        assert [len(row.get("columns", [])) for row in rows] == [1, 2, 0]
        assert [row["file"] for row in rows] == [place[0]] * 3
        assert rows[0]["pos"] < place[1] <= rows[1]["pos"] < rows[2]["pos"]
        assert all(row["gtid"] for row in rows)

    def test_sql_of_show_is_read_by_dump(self, plain_db, sluice, tmp_path):
        plain_db.script(TABLES)
        plain_db.flush_logs()
        plain_db.sql("INSERT INTO shop.plain (`na``me`, price) VALUES ('x', 1.5)")
        first, second = plain_db.binlog_paths()[:2]
        done = sluice().run("schema", "show", first, config=False)
        assert done.returncode == FINE, done.stderr
        (tmp_path / "schema.sql").write_text(done.stdout, encoding="utf-8")
        lines = sluice().dump(second, "--schema", tmp_path / "schema.sql")
        assert lines[0]["after"] == {"id": 1, "na`me": "x", "price": "1.50", "note": None}

    @pytest.mark.parametrize(
        "args, words",
        [
            ([], "name binlog files"),
            (["x.bin", "--at", "x.bin:4"], "--at is for"),
            (["x.bin", "--format", "xml"], "write sql or json"),
            (["x.bin", "--table", "orders"], "write database.table"),
        ],
    )
    def test_what_cannot_be_shown_is_a_usage_error(self, sluice, args, words):
        done = sluice().run("schema", "show", *args, config=False)
        assert done.returncode == USAGE
        assert words in done.stderr


class TestDumpSchema:
    def old_log(self, db):
        """A log without the CREATE of its tables."""
        db.script(TABLES)
        db.flush_logs()
        first = db.binlogs()[-1]
        before = dump_program(db, "shop")
        db.script(
            [
                "INSERT INTO shop.plain (`na``me`, price) VALUES ('a', 1)",
                "ALTER TABLE shop.plain ADD COLUMN extra INT NOT NULL DEFAULT 7 FIRST",
                "INSERT INTO shop.plain (`na``me`, price) VALUES ('b', 2)",
                "INSERT INTO shop.kinds (b, c, k) VALUES ('it''s', 'p,q', 18446744073709551615)",
            ]
        )
        names = db.binlogs()
        return before, [db.binlog_path(name) for name in names[names.index(first) :]]

    def test_without_it_rows_of_unknown_tables_stop_with_the_ways_out(self, plain_db, sluice):
        _, files = self.old_log(plain_db)
        done = sluice().run("dump", *files, config=False)
        assert done.returncode == STOPPED
        assert "schema_unknown" in done.stderr and "shop.plain" in done.stderr
        assert "--schema" in done.stderr

    @pytest.mark.parametrize("form", ["one database", "databases"])
    def test_the_dump_of_a_server_names_the_rows_of_an_old_log(self, plain_db, sluice, tmp_path, form):
        before, files = self.old_log(plain_db)
        if form == "databases":
            before = before.replace(b"-- Host", b"-- From")
            before = b"CREATE DATABASE shop;\nUSE shop;\n" + before
        (tmp_path / "before.sql").write_bytes(before)
        lines = sluice().dump(*files, "--schema", tmp_path / "before.sql")
        rows = [line["after"] for line in lines]
        assert rows[0] == {"id": 1, "na`me": "a", "price": "1.00", "note": None}
        assert list(rows[1]) == ["extra", "id", "na`me", "price", "note"] and rows[1]["extra"] == 7
        assert rows[2]["b"] == "it's" and rows[2]["c"] in ("p,q", ["p", "q"])
        assert rows[2]["k"] == "18446744073709551615"

    def test_a_file_without_wanted_tables_is_named(self, plain_db, sluice, tmp_path):
        _, files = self.old_log(plain_db)
        (tmp_path / "none.sql").write_text("CREATE DATABASE other;\n-- nothing\n", encoding="utf-8")
        done = sluice().run("dump", *files, "--schema", tmp_path / "none.sql", "--table", "shop.plain", config=False)
        assert done.returncode == USAGE
        assert "none.sql" in done.stderr

    def test_a_statement_that_cannot_be_read_is_named_with_its_line(self, plain_db, sluice, tmp_path):
        _, files = self.old_log(plain_db)
        (tmp_path / "bad.sql").write_text("USE shop;\n\nCREATE TABLE plain (id INT, WHAT IS THIS);\n", encoding="utf-8")
        done = sluice().run("dump", *files, "--schema", tmp_path / "bad.sql", config=False)
        assert done.returncode in (USAGE, STOPPED)
        assert "bad.sql line 3" in done.stderr


DDLS = [
    "ADD COLUMN c1 INT NOT NULL DEFAULT 1 FIRST",
    "RENAME COLUMN b TO b2",
    "ADD COLUMN c2 VARCHAR(9) DEFAULT 'two' AFTER id",
    "DROP COLUMN c1",
    "CHANGE b2 b3 INT",
    "MODIFY c2 VARCHAR(9) DEFAULT 'two' FIRST",
    "ADD COLUMN (c3 INT DEFAULT 3, c4 INT DEFAULT 4)",
    "DROP COLUMN c3, ADD COLUMN c5 INT DEFAULT 5 FIRST",
    "CHANGE c4 c6 BIGINT AFTER id",
    "DROP COLUMN b3",
]


class TestBeforeTenDDLs:
    def history(self, db):
        """Rows between ten DDLs; returns each row as SELECT told it at that time."""
        rows = []
        db.sql("CREATE TABLE shop.t (id INT PRIMARY KEY, code INT, b INT)")
        for number, clause in enumerate([None, *DDLS]):
            if clause:
                db.sql(f"ALTER TABLE shop.t {clause}")
            db.sql(f"INSERT INTO shop.t (id, code) VALUES ({number}, {100 + number})")
            rows += db.dicts(f"SELECT * FROM shop.t WHERE id = {number}")
        return rows

    def test_dump_gives_each_row_the_names_it_had(self, plain_db, sluice):
        rows = self.history(plain_db)
        lines = sluice().dump(*plain_db.binlog_paths())
        assert [list(line["after"].items()) for line in lines] == [list(row.items()) for row in rows]

    def test_replay_of_files_gives_each_row_the_names_it_had(self, plain_db, redis, sluice):
        rows = self.history(plain_db)
        cache = redis.client()
        routes = [{"table": "shop.t", "key": "id", "to": "cache", "invalidate": ["code:{code}"]}]
        keys = {f"code:{row['code']}" for row in rows}
        cache.mset({key: "planted" for key in [*keys, "code:1", "code:2", "code:3"]})
        driver = sluice(config(plain_db, redis, routes=routes, source={"port": 1}))
        done = driver.run("replay", "all", *plain_db.binlog_paths())
        assert done.returncode == FINE, done.stderr
        assert {key.decode() if isinstance(key, bytes) else key for key in cache.keys()} == {"code:1", "code:2", "code:3"}


class TestService:
    """What a service keeps, shown, damaged, rebuilt and given."""

    ROUTES = [{"table": "shop.t", "key": "id", "to": "cache", "invalidate": ["code:{code}"]}]

    def driver(self, db, redis, sluice, **more):
        return sluice(config(db, redis, routes=self.ROUTES, **more))

    def follow(self, db, redis, sluice):
        """A service that has read rows of shop.t and was stopped; what it removed is seen by its key."""
        db.sql("CREATE TABLE shop.t (id INT PRIMARY KEY, code INT, b INT) CHARACTER SET utf8mb4")
        driver = self.driver(db, redis, sluice).start()
        self.check(db, redis, driver, 1)
        assert driver.stop() == FINE
        return driver

    def check(self, db, redis, driver, number):
        """A row inserted now reaches the cache."""
        cache = redis.client()
        driver.wait_log(msg=lambda text: "reading" in text or "connected" in text)
        cache.set(f"code:{number}", "planted")
        db.sql(f"INSERT INTO shop.t (id, code) VALUES ({number}, {number})")
        wait_until(lambda: cache.get(f"code:{number}") is None, lambda: f"code:{number} to vanish: {driver.tail()}", 60)

    def log_file(self, driver):
        return os.path.join(driver.state_dir, "schema.log")

    def damage(self, driver):
        with open(self.log_file(driver), "r+b") as file:
            file.seek(30)
            byte = file.read(1)
            file.seek(30)
            file.write(bytes([byte[0] ^ 0x55]))
            file.seek(0, 2)
            file.write(b"slu\x02 and more behind it" * 4)

    def test_show_tells_what_a_running_service_knows(self, plain_db, redis, sluice):
        driver = self.follow(plain_db, redis, sluice)
        driver.start()
        plain_db.sql("ALTER TABLE shop.t ADD COLUMN first_one INT FIRST")
        self.check(plain_db, redis, driver, 2)
        assert_told(plain_db, shown(driver), "t")
        place = at(plain_db.position())
        plain_db.sql("ALTER TABLE shop.t DROP COLUMN b")
        self.check(plain_db, redis, driver, 3)
        assert_told(plain_db, shown(driver), "t")
        assert len(shown(driver, "--at", place)["shop", "t"]["columns"]) == 4
        assert driver.stop() == FINE

    def test_replay_beside_the_service_has_the_names_of_then(self, plain_db, redis, sluice):
        driver = self.follow(plain_db, redis, sluice)
        driver.start()
        begin, before = at(plain_db.position()), plain_db.gtid()
        for number, clause in enumerate(["ADD COLUMN c1 INT FIRST", "ADD COLUMN c2 INT FIRST", "DROP COLUMN b"], 2):
            self.check(plain_db, redis, driver, number)
            plain_db.sql(f"ALTER TABLE shop.t {clause}")
        self.check(plain_db, redis, driver, 5)
        assert driver.stop() == FINE
        cache = redis.client()
        for number in range(1, 6):
            cache.set(f"code:{number}", "planted")
        done = driver.run("replay", "again", "--from", begin)
        assert done.returncode == FINE, done.stderr
        assert [number for number in range(1, 6) if cache.get(f"code:{number}")] == [1]
        for number in range(1, 6):
            cache.set(f"code:{number}", "planted")
        done = driver.run("replay", "files", *plain_db.binlog_paths(), "--from", before)
        assert done.returncode == FINE, done.stderr
        assert [number for number in range(1, 6) if cache.get(f"code:{number}")] == [1]

    def test_a_damaged_history_stops_with_the_repair_and_is_rebuilt(self, plain_db, redis, sluice):
        driver = self.follow(plain_db, redis, sluice)
        plain_db.sql("INSERT INTO shop.t (id, code) VALUES (7, 7)")
        redis.client().set("code:7", "planted")
        self.damage(driver)
        for args in (["run"], ["replay", "x", "--from", "earliest"], ["schema", "show"]):
            done = driver.run(*args)
            assert done.returncode == STOPPED, (args, done.stderr)
            assert "schema rebuild" in done.stderr, (args, done.stderr)
        done = driver.run("schema", "rebuild")
        assert done.returncode == FINE, done.stderr
        assert glob.glob(self.log_file(driver) + ".damaged-*"), done.stderr
        assert_told(plain_db, shown(driver), "t")
        driver.start()
        wait_until(lambda: redis.client().get("code:7") is None, lambda: f"code:7: {driver.tail()}", 60)
        assert driver.stop() == FINE

    def test_a_rebuild_that_cannot_read_the_tables_forgets_nothing(self, plain_db, redis, sluice):
        driver = self.follow(plain_db, redis, sluice)
        before = driver.run("schema", "show", "--all").stdout
        assert "CREATE TABLE" in before
        done = driver.run("schema", "rebuild", "--table", "shop.nothing_like_it")
        assert done.returncode == STOPPED and "nothing was forgotten" in done.stderr, done.stderr
        plain_db.stop()
        done = driver.run("schema", "rebuild")
        assert done.returncode == RETRY, done.stderr
        assert driver.run("schema", "show", "--all").stdout == before

    def test_a_rebuild_that_fails_on_the_way_forgets_nothing(self, plain_db, redis, sluice):
        driver = self.follow(plain_db, redis, sluice)
        before = driver.run("schema", "show", "--all").stdout
        plain_db.sql("ALTER TABLE shop.t ADD COLUMN first_one INT FIRST")
        plain_db.flush_logs()
        plain_db.sql("INSERT INTO shop.t (id, code) VALUES (7, 7)")
        plain_db.purge_to_last()
        done = driver.run("schema", "rebuild")
        assert done.returncode == STOPPED and "binlog_purged" in done.stderr, done.stderr
        assert driver.run("schema", "show", "--all").stdout == before

    def test_a_rebuild_names_the_tables_that_are_known_only_later(self, plain_db, redis, sluice):
        driver = self.follow(plain_db, redis, sluice)
        done = driver.run("schema", "rebuild")
        assert done.returncode == FINE and "shop.t" not in done.stderr, done.stderr
        plain_db.sql("INSERT INTO shop.t (id, code) VALUES (7, 7)")
        plain_db.sql("ALTER TABLE shop.t ADD COLUMN first_one INT FIRST")
        place = at(plain_db.position())
        done = driver.run("schema", "rebuild", "--table", "shop.t")
        assert done.returncode == FINE, done.stderr
        assert f"shop.t was changed since the stored position and is known from {place} on" in done.stderr
        assert_told(plain_db, shown(driver), "t")

    def test_a_rebuild_names_the_first_place_from_which_a_table_is_known(self, plain_db, redis, sluice):
        driver = self.follow(plain_db, redis, sluice)
        plain_db.sql("DROP TABLE shop.t")
        plain_db.sql("CREATE TABLE shop.t (id INT PRIMARY KEY, code INT)")
        place = at(plain_db.position())
        plain_db.sql("INSERT INTO shop.t VALUES (7, 7)")
        plain_db.sql("ALTER TABLE shop.t ADD COLUMN first_one INT FIRST")
        later = at(plain_db.position())
        done = driver.run("schema", "rebuild", "--table", "shop.t")
        assert done.returncode == FINE, done.stderr
        told = re.search(r"shop\.t was changed .* known from (\S+) on", done.stderr)
        assert told, done.stderr
        assert int(told[1].rsplit(":", 1)[1]) <= int(place.rsplit(":", 1)[1]) < int(later.rsplit(":", 1)[1]), done.stderr
        shown_all = driver.run("schema", "show", "--all").stdout
        assert re.search(rf"^-- .* from {re.escape(told[1])}\b.* by log", shown_all, re.M), shown_all

    def test_a_name_that_no_table_has_is_a_usage_error(self, plain_db, redis, sluice, tmp_path):
        driver = self.follow(plain_db, redis, sluice)
        done = driver.run("schema", "show", "--table", "shop.t", "--table", "nope.*")
        assert done.returncode == USAGE and "table_not_known" in done.stderr and "nope.*" in done.stderr, done.stderr
        done = driver.run("schema", "show", "--table", "shop.t", "--at", "earliest")
        assert done.returncode == FINE and "at that place" in done.stderr and not done.stdout, done.stderr
        for path in (tmp_path / "none.sql", tmp_path):
            done = driver.run("schema", "import", path)
            assert done.returncode == USAGE and str(path) in done.stderr, done.stderr

    def test_a_missing_history_is_read_anew(self, plain_db, redis, sluice):
        driver = self.follow(plain_db, redis, sluice)
        plain_db.sql("INSERT INTO shop.t (id, code) VALUES (7, 7)")
        redis.client().set("code:7", "planted")
        os.remove(self.log_file(driver))
        driver.start()
        wait_until(lambda: redis.client().get("code:7") is None, lambda: f"code:7: {driver.tail()}", 60)
        assert driver.stop() == FINE

    def test_rows_before_a_ddl_that_was_not_followed_need_an_import(self, plain_db, redis, sluice, tmp_path):
        driver = self.follow(plain_db, redis, sluice)
        before = dump_program(plain_db, "shop")
        plain_db.script(
            ["INSERT INTO shop.t (id, code) VALUES (7, 7)", "ALTER TABLE shop.t ADD COLUMN first_one INT FIRST"]
        )
        redis.client().set("code:7", "planted")
        os.remove(self.log_file(driver))
        driver.start()
        line = stopped_with(driver, "schema_unknown")
        (tmp_path / "before.sql").write_bytes(before)
        command = shlex.split(line["text"].split("to tell them: sluice ")[1])
        assert command[:5] == ["schema", "-c", "CONFIG", "import", "FILE.sql"] and "shop.t" in command
        done = driver.run("schema", "import", tmp_path / "before.sql", *command[5:])
        assert done.returncode == FINE, done.stderr
        driver.start()
        wait_until(lambda: redis.client().get("code:7") is None, lambda: f"code:7: {driver.tail()}", 60)
        assert driver.stop() == FINE

    def test_a_dropped_table_is_forgotten_and_a_replay_from_before_stops(self, plain_db, redis, sluice):
        driver = self.follow(plain_db, redis, sluice)
        driver.configure({**driver.config, "routes": [{**self.ROUTES[0], "on_truncate": "ignore"}]})
        driver.start()
        begin = at(plain_db.position())
        self.check(plain_db, redis, driver, 2)
        plain_db.sql("DROP TABLE shop.t")
        plain_db.sql("CREATE TABLE shop.u (id INT PRIMARY KEY)")
        end = plain_db.position()
        wait_until(lambda: "gone" in driver.run("schema", "show", "--all", "--table", "shop.t").stdout, driver.tail)
        assert driver.stop() == FINE
        driver.start()
        driver.wait_log(msg=lambda text: "connected" in text)
        assert driver.stop() == FINE
        assert "gone" in driver.run("schema", "show", "--all", "--table", "shop.t").stdout, "one is fewer than 10000"
        driver.configure({**driver.config, "keep_dropped_tables": 0})
        driver.start()
        driver.wait_log(msg="old definitions of tables are forgotten")
        assert driver.stop() == FINE
        assert driver.run("schema", "show", "--table", "shop.t").returncode == USAGE
        done = driver.run("replay", "again", "--from", begin, "--to", at(end))
        assert done.returncode == STOPPED and "keep_dropped_tables" in done.stderr, done.stderr

    def test_import_and_rebuild_need_the_lock(self, plain_db, redis, sluice, tmp_path):
        driver = self.follow(plain_db, redis, sluice)
        driver.start()
        self.check(plain_db, redis, driver, 2)
        (tmp_path / "x.sql").write_text("CREATE TABLE shop.t (a INT);", encoding="utf-8")
        for args in (["import", tmp_path / "x.sql"], ["rebuild"]):
            done = driver.run("schema", *args)
            assert done.returncode == STOPPED and "state_locked" in done.stderr
        assert driver.stop() == FINE
