"""`sluice dump` of binlog files and of a live source equals SELECT."""

import contextlib
import json
import os
import re
import shutil

import pytest

import randomrows
from folding import Fold, assert_valid
from sluice import FINE, STOPPED, USAGE, at, source_of
from tables import Table

STATEMENTS = 600
FULL_STATEMENTS = 3_000  # an UPDATE takes an eighth of all rows: the lines grow with the square


@contextlib.contextmanager
def recorded(db):
    """Yields a list that holds, after the block, the binlog files with what happened inside it."""
    files = []
    db.flush_logs()
    first = db.binlogs()[-1]
    yield files
    db.flush_logs()
    names = db.binlogs()
    files += [db.binlog_path(name) for name in names[names.index(first) : -1]]


def fold(db, lines, *names):
    folded = Fold([Table(db, name) for name in names]).apply_all(lines)
    folded.assert_equals_select()
    return folded


def test_dump_of_files_equals_select(db, sluice, rng, full):
    """Every type, random transactions with savepoints and rollbacks, over two files."""
    with recorded(db) as files:
        db.sql(randomrows.CREATE)
        with db.connect("shop") as con:
            changes = randomrows.Changes(con, rng)
            changes.run((FULL_STATEMENTS if full else STATEMENTS) // 2)
            db.flush_logs()
            changes.run((FULL_STATEMENTS if full else STATEMENTS) // 2)
    assert len(files) == 2
    lines = sluice().dump(*files)
    assert_valid(lines)
    folded = fold(db, lines, "types")
    assert {op for _, op in folded.counts} == {"insert", "update", "delete"}


@pytest.mark.parametrize("image", ["FULL", "NOBLOB", "MINIMAL", "FULL_NODUP"])
def test_dump_with_row_image_equals_select(db, sluice, rng, image):
    if image == "FULL_NODUP" and image not in known_row_images(db):
        pytest.skip(f"{db.flavor} here has no FULL_NODUP")
    with recorded(db) as files:
        db.sql(randomrows.CREATE)
        with db.connect("shop") as con:
            con.cursor().execute(f"SET SESSION binlog_row_image = '{image}'")
            randomrows.Changes(con, rng).run(200)
    lines = sluice().dump(*files)
    assert_valid(lines)
    # A table that has no row left unchanged columns out of: fold merges after images into the rows.
    fold_partial(db, lines)
    partial = [line for line in lines if line["op"] == "update" and "c_blob" not in line["before"]]
    assert bool(partial) == (image in ("NOBLOB", "MINIMAL")), "the image was not what the test means"


def known_row_images(db):
    rows = db.sql("SHOW VARIABLES LIKE 'version'")
    version = [int(part) for part in re.findall(r"\d+", rows[0][1])[:2]]
    return ["FULL", "NOBLOB", "MINIMAL"] + (["FULL_NODUP"] if db.flavor == "mariadb" and version >= [11, 4] else [])


def fold_partial(db, lines):
    """Folds lines whose inserts may lack columns: those hold their default, NULL here."""
    table = Table(db, "types")
    for line in lines:
        if line["op"] == "insert":
            line["after"] = {**dict.fromkeys(table.kinds), "grp": 0, **line["after"]}
    Fold([table]).apply_all(lines).assert_equals_select()


def live(db):
    """A configuration to read this server with; dump asks nothing of its sink."""
    return {
        "source": source_of(db),
        "sinks": {"cache": {"type": "redis", "url": "redis://127.0.0.1:1"}},
        "routes": [{"table": "shop.types", "to": "cache", "invalidate": ["types:{id}"]}],
    }


def test_dump_of_live_source_equals_select(db, sluice, rng):
    begin = db.position()
    db.sql(randomrows.CREATE)
    with db.connect("shop") as con:
        randomrows.Changes(con, rng).run(200)
    driver = sluice(live(db))
    lines = driver.dump("--from", at(begin), "--to", at(db.position()), config=True)
    assert_valid(lines)
    fold(db, lines, "types")


def test_dump_of_live_source_and_of_files_is_the_same(db, sluice, rng):
    with recorded(db) as files:
        begin = db.position()
        db.sql(randomrows.CREATE)
        with db.connect("shop") as con:
            randomrows.Changes(con, rng).run(100)
        end = db.position()
    driver = sluice(live(db))
    streamed = driver.dump("--from", at(begin), "--to", at(end), config=True)
    assert streamed == driver.dump(*files)
    assert streamed, "nothing was dumped"


def test_dump_table_keeps_only_that_table(db, sluice):
    with recorded(db) as files:
        db.script(
            [
                "CREATE TABLE shop.a (id INT PRIMARY KEY)",
                "CREATE TABLE shop.b (id INT PRIMARY KEY)",
                "INSERT INTO shop.a VALUES (1), (2)",
                "INSERT INTO shop.b VALUES (3)",
            ]
        )
    lines = sluice().dump("--table", "shop.a", *files)
    assert [(line["table"], line["pk"]) for line in lines] == [("a", {"id": 1}), ("a", {"id": 2})]


def test_each_line_names_its_place_and_transaction(db, sluice):
    with recorded(db) as files:
        db.sql("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)")
        before = db.gtid()
        db.sql("INSERT INTO shop.t VALUES (1, 1)")
        end, gtid = db.position(), db.gtid()
        commit_s = db.value("SELECT UNIX_TIMESTAMP()")
    (line,) = [line for line in sluice().dump(*files) if line["table"] == "t"]
    assert line["file"] == end[0] and 4 < line["pos"] < end[1]
    # MySQL's set ends in the transaction's number, MariaDB's position is its GTID.
    assert line["gtid"].split(":")[-1] == gtid.replace("-", ":" if db.flavor == "mysql" else "-").split(":")[-1]
    assert gtid != before
    assert abs(line["ts_us"] / 1e6 - float(commit_s)) < 60
    assert re.fullmatch("[0-9a-f]{8}[.][0-9a-f]{16}[.][0-9a-f]{16}", line["version"])


@pytest.fixture
def without_names(db):
    """The server without column names in its log, as is MariaDB's default."""
    was = db.value("SELECT @@global.binlog_row_metadata")
    db.sql(f"SET GLOBAL binlog_row_metadata = '{'NO_LOG' if db.flavor == 'mariadb' else 'MINIMAL'}'")
    yield db
    db.sql(f"SET GLOBAL binlog_row_metadata = '{was}'")


def test_file_without_names_has_them_from_the_statements_in_it(without_names, sluice):
    db = without_names
    with recorded(db) as files:
        db.script(
            [
                "CREATE TABLE shop.t (id INT PRIMARY KEY)",
                "INSERT INTO shop.t VALUES (1)",
                "ALTER TABLE shop.t ADD first_one BIGINT UNSIGNED FIRST, CHANGE id number INT",
                "INSERT INTO shop.t VALUES (7, 2)",
            ]
        )
    done = sluice().run("dump", *files, config=False)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["after"] for line in done.stdout.splitlines()] == [{"id": 1}, {"first_one": 7, "number": 2}]


def test_file_without_names_and_without_server_is_refused_with_the_ways_out(without_names, sluice):
    db = without_names
    db.sql("CREATE TABLE shop.t (id INT PRIMARY KEY)")
    with recorded(db) as files:
        db.sql("INSERT INTO shop.t VALUES (1)")
    done = sluice().run("dump", *files, config=False)
    assert done.returncode == STOPPED, done.stderr
    assert done.stdout == ""
    assert "binlog_row_metadata" in done.stderr and "shop.t" in done.stderr


def test_live_source_gives_the_names_that_the_log_lacks(without_names, sluice, rng):
    """A table is known from the start on when no statement changed it up to its reading."""
    db = without_names
    db.sql(randomrows.CREATE)
    driver = sluice(live(db))
    begin = db.position()
    with db.connect("shop") as con:
        randomrows.Changes(con, rng).run(50)
    lines = driver.dump("--from", at(begin), "--to", at(db.position()), config=True)
    fold(db, lines, "types")


class TestDamage:
    """Files that are cut or changed."""

    @pytest.fixture
    def file(self, db, tmp_path):
        with recorded(db) as files:
            db.sql("CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(200))")
            for number in range(20):
                db.sql("INSERT INTO shop.t VALUES (%s, %s)", (number, "v" * 100))
        return shutil.copy(files[0], tmp_path)

    @staticmethod
    def events(db, path):
        """Offsets of the events by the server's own reading."""
        rows = db.dicts(f"SHOW BINLOG EVENTS IN '{os.path.basename(path)}'")
        return [(row["Pos"], row["End_log_pos"], row["Event_type"]) for row in rows]

    def test_file_cut_inside_an_event_stops_with_its_position(self, db, sluice, file):
        rows = [event for event in self.events(db, file) if event[2].startswith("Write_rows")]
        begin, end, _ = rows[10]
        for cut in (begin + 1, begin + 18, begin + 19, end - 1):
            damaged = shutil.copy(file, f"{file}.{cut}")
            os.truncate(damaged, cut)
            done = sluice().run("dump", damaged, config=False)
            assert done.returncode == STOPPED, (cut, done.stderr)
            assert f":{begin}" in done.stderr, (cut, done.stderr)
            assert len(done.stdout.splitlines()) <= 10

    def test_file_cut_between_transactions_is_read_to_its_end(self, db, sluice, file):
        ends = [end for _, end, kind in self.events(db, file) if kind == "Xid"]
        os.truncate(file, ends[9])
        assert len(sluice().dump(file)) == 10

    def test_flipped_bit_stops_with_its_position(self, db, sluice, file):
        rows = [event for event in self.events(db, file) if event[2].startswith("Write_rows")]
        begin, end, _ = rows[10]
        for offset in (begin + 30, (begin + end) // 2, end - 2):
            damaged = shutil.copy(file, f"{file}.{offset}")
            with open(damaged, "r+b") as data:
                data.seek(offset)
                byte = data.read(1)[0]
                data.seek(offset)
                data.write(bytes([byte ^ 4]))
            done = sluice().run("dump", damaged, config=False)
            assert done.returncode == STOPPED, (offset, done.stderr)
            assert f":{begin}" in done.stderr, (offset, done.stderr)


def test_file_that_is_no_binlog_is_refused(sluice, tmp_path):
    path = tmp_path / "text"
    path.write_text("this is not a binlog, whatever its name says\n" * 10)
    done = sluice().run("dump", path, config=False)
    assert done.returncode in (USAGE, STOPPED) and str(path) in done.stderr
    done = sluice().run("dump", tmp_path / "missing", config=False)
    assert done.returncode in (USAGE, STOPPED) and "missing" in done.stderr


def test_statement_format_stops_a_dump(db, sluice):
    with recorded(db) as files:
        db.sql("CREATE TABLE shop.t (id INT PRIMARY KEY)")
        with db.connect("shop") as con, con.cursor() as cur:
            cur.execute("SET SESSION binlog_format = 'STATEMENT'")
            cur.execute("INSERT INTO shop.t VALUES (1)")
    done = sluice().run("dump", *files, config=False)
    assert done.returncode == STOPPED and "binlog_format" in done.stderr, done.stderr


def test_help_and_version_go_to_stdout(sluice):
    driver = sluice()
    for args in (["--version"], ["--help"], ["dump", "--help"], ["run", "--help"]):
        done = driver.run(*args, config=False)
        assert done.returncode == FINE and done.stdout and not done.stderr, (args, done)
