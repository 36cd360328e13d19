"""The oracle of the schema: random DDL with row changes between, on real servers, in every metadata mode. After each
statement our schema is that of information_schema; and every row that is dumped live, from the files after the last
statement, and replayed from the start is the one that was changed.

CI plays about 150 statements on each server; --full plays 20,000 in 500 scripts.
"""

import collections
import json
import random

import pytest

from ddl_columns import KEY, Column, Table
from ddl_generator import FEATURES
from ddl_oracle import Difference, Group, Player, Recording, check_any_order, check_rows, read_lines
from ddl_schema import check_schema, default_collations, read_versions
from servers import FoldingMySQL
from servers.process import spawn
from sluice import BINARY, FINE, at, source_of, wait_until

METADATA = {"mariadb": ("NO_LOG", "MINIMAL", "FULL"), "mysql": ("MINIMAL", "FULL")}
STATEMENTS = 40  # of a script
SCRIPTS, FULL_SCRIPTS = 4, 500


def live(db, **more):
    """A configuration that reads all tables of this server."""
    return {
        "source": source_of(db, start="current"),
        "sinks": {"out": {"type": "stdout"}},
        "routes": [{"table": "*.*", "to": "out", "on_truncate": "ignore", **more}],
    }


class Live:
    """`dump -c` of the live server beside the script."""

    def __init__(self, db, driver):
        self.db, self.driver, self.path = db, driver, driver.directory + "/lines"
        db.script(["DROP DATABASE IF EXISTS zz", "CREATE DATABASE zz", "CREATE TABLE zz.zz_end (rid INT, n INT)"])
        driver.configure(live(db))
        with open(self.path, "wb") as out, open(driver.log_path, "wb") as log:
            self.process = spawn([BINARY, "dump", "-c", driver.config_path, "--from", "current"], stdout=out, stderr=log,
                                 cwd=driver.directory)
        # It prints what is done behind its start; so this is repeated until it does.
        self.wait("the first row")

    def errors(self):
        with open(self.driver.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()[-1500:]

    def wait(self, what):
        def seen():
            if self.process.poll() is not None:
                raise Difference(f"the live dump ended with {self.process.returncode}: {self.errors()}")
            with open(self.path, "rb") as lines:
                lines.seek(0, 2)
                lines.seek(max(0, lines.tell() - 2000))
                if f'"n":{self.mark}}}'.encode() in lines.read():
                    return True
            self.db.sql(f"INSERT INTO zz.zz_end (n) VALUES ({self.mark})")
            return False

        Live.mark += 1
        wait_until(seen, lambda: f"{what} of the live dump: {self.errors()}", 120, 0.05)

    def finish(self):
        """The lines of all that was done."""
        self.wait("the last row")
        self.stop()
        with open(self.path, "rb") as lines:
            yield from (line for line in read_lines(lines) if line["db"] != "zz")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


Live.mark = 1000


def lines_of(driver, *args, read=read_lines):
    """Runs a command that prints lines, to its end."""
    path = driver.directory + "/printed"
    with open(path, "wb") as out, open(driver.log_path, "ab") as log:
        with spawn([BINARY, *args], stdout=out, stderr=log, cwd=driver.directory) as process:
            code = process.wait(300)
    if code != FINE:
        raise Difference(f"{args[0]} ended with {code}: {driver.tail(6)}")
    with open(path, "rb") as lines:
        yield from (line for line in read(lines) if line["db"] != "zz")


class Oracle:
    """Plays scripts and compares what each way to the rows tells of them."""

    def __init__(self, db, sluice, rng):
        self.db, self.sluice, self.rng = db, sluice, rng
        self.features = collections.Counter()
        self.figures = collections.Counter()
        self.differences = []

    def script(self, metadata, statements, compression=False, keyed=False):
        db, driver, seed = self.db, self.sluice(), self.rng.getrandbits(32)
        db.sql(f"SET GLOBAL binlog_row_metadata = {metadata}")
        db.flush_logs()
        begin = db.position()
        player = Player(db, random.Random(seed), compression, keyed)
        following = None
        try:
            following = Live(db, driver)
            recording = player.play(statements)
            self.judge("live", recording, check_rows, following.finish())
            db.flush_logs()
            names = db.binlogs()
            files = [db.binlog_path(name) for name in names[names.index(begin[0]) : -1]]
            self.judge("files", recording, check_rows, lines_of(driver, "dump", *files))
            recording.defaults = default_collations(player.truth)
            self.judge("schema", recording, check_schema,
                       lines_of(driver, "schema", "show", *files, "--all", "--format", "json", read=read_versions))
            end = at(db.position())
            self.judge("again", recording, check_rows,
                       lines_of(driver, "dump", "-c", driver.config_path, "--from", at(begin), "--to", end))
            if keyed:
                driver.configure(live(db, key=KEY))
                self.judge("replay", recording, check_any_order,
                           lines_of(driver, "replay", "all", "-c", driver.config_path, "--from", at(begin), "--to", end))
            self.figures.update(scripts=1, statements=recording.statements, failed=recording.failed)
        except Difference as difference:
            self.differences.append(f"seed {seed}, {db.flavor}, {metadata}{', compressed' * compression}{', keyed' * keyed}: {difference}")
        finally:
            if following:
                following.stop()
            player.close()
        self.features.update(player.generator.counts)
        db.purge_to_last()

    def judge(self, way, recording, check, lines):
        try:
            self.figures[way] += check(recording, lines)
        except Difference as difference:
            raise Difference(f"{way}: {str(difference)[:1500]}") from None


def play_all(db, sluice, rng, scripts):
    oracle = Oracle(db, sluice, rng)
    modes = METADATA[db.flavor]
    for number in range(scripts):
        oracle.script(modes[number % len(modes)], STATEMENTS, db.flavor == "mysql" and number // len(modes) % 2 == 1, number % 5 in (0, 3))
    return oracle


def test_rows_have_the_names_and_values_that_they_had_when_they_changed(new_db, sluice, rng, full, flavor, record_property):
    db = new_db()
    oracle = play_all(db, sluice, rng, FULL_SCRIPTS if full else SCRIPTS)
    print("ddl:", flavor, dict(oracle.figures))
    record_property("ddl", dict(oracle.figures))
    assert not oracle.differences, f"{len(oracle.differences)} scripts differ, of {oracle.figures}:\n" + "\n\n".join(
        oracle.differences[:10])
    assert oracle.figures["failed"] < oracle.figures["statements"] / 5, oracle.figures
    assert oracle.figures["live"] == oracle.figures["files"] > oracle.figures["statements"] / 2 and oracle.figures["replay"] > 50
    missing = FEATURES - set(oracle.features)
    assert len(missing) < (1 if full else 15), f"never generated: {missing}"


def test_rows_of_a_server_that_folds_the_case_of_tables(new_db, sluice, rng, full, flavor):
    db = new_db({"lower_case_table_names": 1}, kind=FoldingMySQL if flavor == "mysql" else None)
    oracle = play_all(db, sluice, rng, FULL_SCRIPTS // 5 if full else 2)
    assert not oracle.differences, "\n\n".join(oracle.differences[:10])


def version_line(name, table, place):
    """A table as `schema show` says it, made from what information_schema said."""
    if table is None:
        return {"db": name[0], "table": name[1], "kind": "gone", "file": place[0], "pos": place[1]}
    columns = []
    for column in table.columns:
        line = {"name": column.name, "type": column.type, "nullable": column.nullable, "unsigned": "unsigned" in column.type}
        if column.charset:
            line.update(charset=column.charset, collation=column.collation)
        if column.kind in ("enum", "set"):
            line["labels"] = column.type[column.type.index("(") + 2 : -2].split("','")
        columns.append({**line, "zerofill": "zerofill" in column.type, "generated": column.generated.lower(),
                        "invisible": column.invisible, "auto_increment": column.auto})
    keys = [{"kind": "unique" if unique else "index", "name": key, "columns": of} for key, (unique, of) in table.keys.items()]
    return {"db": name[0], "table": name[1], "kind": "defined", "file": place[0], "pos": place[1], "columns": columns, "keys": keys}


def test_judge_of_tables_sees_each_kind_of_difference():
    def column(name, kind, **more):
        return Column(**{"name": name, "type": kind, "kind": kind.split("(")[0], "nullable": True, "charset": None, "collation": None,
                         "generated": "", "invisible": False, **more})

    columns = [column("a", "int(10) unsigned"), column("b", "varchar(9)", charset="latin1", collation="latin1_bin"),
               column("c", "enum('x','y')", charset="latin1", collation="latin1_swedish_ci")]
    table = Table(columns, {"k": (True, ["a", "b"])}, "InnoDB", 0)
    name = ("d", "t")
    recording = Recording()
    recording.steps = [(("f", 10), "CREATE", {name: table}), (("f", 20), "nothing", {}), (("f", 30), "DROP", {name: None})]
    good = version_line(name, table, ("f", 5))
    gone = version_line(name, None, ("f", 25))
    assert check_schema(recording, [good, gone]) == 2

    def without(line, path, value):
        line = json.loads(json.dumps(line))
        *way, last = path
        place = line
        for part in way:
            place = place[part]
        place[last] = value
        return line

    for path, value in (
        (("columns", 0, "type"), "bigint(10) unsigned"), (("columns", 0, "unsigned"), False), (("columns", 1, "type"), "varchar(10)"),
        (("columns", 1, "charset"), "utf8mb4"), (("columns", 1, "collation"), None), (("columns", 2, "labels"), ["y", "x"]),
        (("columns", 0, "name"), "A"), (("columns", 0, "nullable"), False), (("columns", 0, "invisible"), True),
        (("columns", 0, "generated"), "virtual"), (("columns",), good["columns"][::-1]), (("columns",), good["columns"][:2]),
        (("keys", 0, "columns"), ["b", "a"]), (("keys", 0, "kind"), "index"), (("keys",), []), (("pos",), 15), (("kind",), "gone"),
    ):
        with pytest.raises(Difference):
            check_schema(recording, [without(good, path, value), gone])
    for lines in ([good], [gone], [good, gone, without(good, ("pos",), 26)], [good, without(gone, ("pos",), 15)]):
        with pytest.raises(Difference):
            check_schema(recording, lines)


def test_judge_sees_each_kind_of_difference():
    recording = Recording()
    rows = collections.Counter({repr([1, "x"]): 2})
    recording.groups.append(Group("insert", ("d", "t"), ["a", "b"], collections.Counter(), rows, "INSERT"))
    line = {"op": "insert", "db": "d", "table": "t", "after": {"a": 1, "b": "x"}, "file": "f", "pos": 4}
    for check in (check_rows, check_any_order):
        assert check(recording, [line, line]) == 2
        for wrong in (
            [line],
            [line] * 3,
            [line, {**line, "after": {"b": "x", "a": 1}}],
            [line, {**line, "after": {"a": 1, "c": "x"}}],
            [line, {**line, "after": {"a": 1, "b": "y"}}],
            [line, {**line, "after": {"a": "1", "b": "x"}}],
            [line, {**line, "table": "u"}],
            [line, {**line, "op": "delete"}],
            [line, {**line, "before": {"a": 1, "b": "x"}}],
        ):
            with pytest.raises(Difference):
                check(recording, wrong)
