"""The differential test: SELECT before and after each change equals the JSON of `dump`, for every type, character set,
row image, metadata mode and compression, by random values.

CI runs a pairwise cover; --full runs every combination with at least 500 values of each type in it.
"""

import collections
import filecmp
import itertools
import random
import subprocess

import pytest

from servers.process import spawn
from sluice import BINARY, source_of, wait_until
from value_oracle import loads
from value_tables import DECLARED, DIFFERENCES, Combination, Judge, charsets, split
from value_types import catalogue

METADATA = {"mariadb": ("FULL", "MINIMAL", "NO_LOG"), "mysql": ("FULL", "MINIMAL")}
IMAGES = ("FULL", "MINIMAL", "NOBLOB")
# Rows of a table. The smaller images hold a column less often; with these each has VALUES_PER_COMBINATION.
ROWS = dict.fromkeys(IMAGES, 3)
FULL_ROWS = {"FULL": 110, "MINIMAL": 185, "NOBLOB": 185}
VALUES_PER_COMBINATION = 500


def combinations(flavor):
    partial = ("PARTIAL_JSON", "") if flavor == "mysql" else ("",)
    return [Combination(*each) for each in itertools.product(IMAGES, METADATA[flavor], (False, True), partial)]


def possible(types, combination):
    return [kind for kind in types if combination.metadata == "FULL" or not kind.names_logged]


def pairwise(types, flavor):
    """{combination: types}: each type with each value of each dimension, and the dimensions' values with each other."""
    cover = collections.defaultdict(list)
    metadata = METADATA[flavor]
    compression = sorted({c.compression for c in combinations(flavor)})
    partial = sorted({c.json for c in combinations(flavor)})
    for number, kind in enumerate(types):
        for turn, image in enumerate(IMAGES):
            combination = Combination(image, "FULL" if kind.names_logged else metadata[(number + turn) % len(metadata)],
                                      compression[(number // 2 + turn) % len(compression)],
                                      partial[(number // 4 + turn) % len(partial)])
            cover[combination].append(kind)
        if kind.form == "json":
            for combination in combinations(flavor):
                cover[combination].append(kind)
    return cover


class Server:
    """The shared server with its global settings as they were, afterwards."""

    def __init__(self, db):
        self.db = db
        names = ["binlog_row_metadata"] + (["log_bin_compress"] if db.flavor == "mariadb" else [])
        self.was = {name: db.value(f"SELECT @@global.{name}") for name in names}

    def set(self, **settings):
        for name, value in settings.items():
            self.db.sql(f"SET GLOBAL {name} = %s", (value,))

    def restore(self):
        self.set(**self.was)

    def session(self, con, combination):
        """Sets what a session sets; MariaDB's compression is the server's."""
        with con.cursor() as cur:
            cur.execute("SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES', time_zone = '+00:00', "
                        f"innodb_strict_mode = 0, binlog_row_image = '{combination.image}'")
            if self.db.flavor == "mysql":
                cur.execute(f"SET SESSION binlog_transaction_compression = {int(combination.compression)}, "
                            f"binlog_row_value_options = '{combination.json}'")
        if self.db.flavor == "mariadb":
            self.set(log_bin_compress=int(combination.compression))


@pytest.fixture
def server(db):
    made = Server(db)
    yield made
    made.restore()


def live(db, tables):
    """A configuration to read this server with; dump asks nothing of its sink."""
    return {
        "source": source_of(db, start="current"),
        "sinks": {"cache": {"type": "redis", "url": "redis://127.0.0.1:1"}},
        "routes": [{"table": f"shop.{name}", "to": "cache", "invalidate": ["t"]} for name in tables],
    }


class Following:
    """`dump -c` of the live server, from now until all that was done before finish() has been printed."""

    def __init__(self, db, driver):
        self.db, self.path = db, driver.directory + "/lines"
        self.log_path = driver.log_path
        db.sql("CREATE TABLE shop.zz_end (id INT PRIMARY KEY, n INT)")
        tables = [row[0] for row in db.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop'")]
        driver.configure(live(db, tables))
        before = self.readers()
        with open(self.path, "wb") as out, open(self.log_path, "wb") as log:
            self.process = spawn([BINARY, "dump", "-c", driver.config_path, "--from", "current"], stdout=out, stderr=log,
                                 cwd=driver.directory)
        self.wait(lambda: self.readers() > before, "dump to read the log")

    def readers(self):
        return self.db.value("SELECT COUNT(*) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'")

    def wait(self, condition, what):
        def checked():
            if condition():
                return True
            assert self.process.poll() is None, f"dump ended with {self.process.returncode}: {self.errors()}"
            return False

        wait_until(checked, what, 600, 0.05)

    def errors(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def finish(self):
        """Lines, as text."""
        self.db.sql("INSERT INTO shop.zz_end VALUES (1, 1)")
        self.wait(self.ended, "dump to print the last row")
        self.process.terminate()
        self.process.wait(60)
        with open(self.path, "rb") as lines:
            for line in lines:
                if b'"table":"zz_end"' not in line[:200]:
                    yield line

    def ended(self):
        with open(self.path, "rb") as lines:
            lines.seek(0, 2)
            lines.seek(max(0, lines.tell() - 2000))
            return b'"table":"zz_end"' in lines.read()


def dump_to(path, driver, *args):
    """Runs dump to its end; its output is the file."""
    with open(path, "wb") as out:
        with spawn([BINARY, "dump", *args], stdout=out, stderr=subprocess.PIPE, cwd=driver.directory) as process:
            errors = process.stderr.read().decode("utf-8", "replace")
    assert process.returncode == 0, f"dump ended with {process.returncode}: {errors[-2000:]}"
    return path


def assert_streamed_alike(db, driver, files, path):
    """The server's stream gives the same bytes as the files, but for types that the declaration alone tells."""
    driver.configure(live(db, ["*"]))
    begin, end = f"{db.binlogs()[-1 - len(files)]}:4", f"{db.binlogs()[-1]}:4"
    streamed = dump_to(path + ".streamed", driver, "-c", driver.config_path, "--from", begin, "--to", end,
                       "--table", "shop.*")
    if not filecmp.cmp(path, streamed, shallow=False):
        with open(path, "rb") as ours, open(streamed, "rb") as theirs:
            for number, (one, other) in enumerate(itertools.zip_longest(ours, theirs)):
                assert one == other or DECLARED.encode() in one[:200], f"line {number} of the files and of the stream"
    return streamed


def by_table(lines):
    """{table: its lines, without the first halves of moved keys}."""
    found = collections.defaultdict(list)
    for text in lines:
        line = loads(text.decode("utf-8"))
        if line.get("half") != "from":
            found[line["table"]].append(line)
    return found


def run_batch(server, sluice, judge, tables, rows, streamed):
    """Plays tables of one metadata mode and compares what dump prints of them; `streamed`: from the server as well."""
    db = server.db
    metadata = tables[0].combination.metadata
    server.set(binlog_row_metadata=metadata)
    with db.connect("shop") as con, con.cursor() as cur:
        server.session(con, Combination("FULL", metadata, False, ""))
        for table in tables:
            cur.execute(table.create())
    driver = sluice()
    following = None if metadata == "FULL" else Following(db, driver)
    db.flush_logs()
    first = db.binlogs()[-1]
    with db.connect("shop", conv={}) as con:
        for table in tables:
            server.session(con, table.combination)
            table.play(con, rows[table.combination.image])
    if following:
        lines = by_table(following.finish())
    else:
        db.flush_logs()
        names = db.binlogs()
        files = [db.binlog_path(name) for name in names[names.index(first) : -1]]
        path = dump_to(driver.directory + "/lines", driver, *files)
        if streamed or any(DECLARED in table.name for table in tables):
            path = assert_streamed_alike(db, driver, files, path)
        with open(path, "rb") as lines:
            lines = by_table(lines)
    for table in tables:
        judge.check(table, lines.pop(table.name, []))
    assert not lines, f"lines of {list(lines)}"
    db.sql("DROP DATABASE shop")
    db.sql("CREATE DATABASE shop CHARACTER SET utf8mb4")
    db.purge_to_last()


def test_values_equal_select(server, sluice, rng, full, flavor, record_property):
    types = list(catalogue(flavor, charsets(server.db, rng)))
    plan = {each: possible(types, each) for each in combinations(flavor)} if full else pairwise(types, flavor)
    judge = Judge(flavor)
    batches = collections.defaultdict(list)
    for number, (combination, some) in enumerate(plan.items()):
        batches[combination.metadata if not full else combination] += split(some, combination, f"t{number}", rng)
    for tables in batches.values():
        # Few at a time: what is expected of them is held in memory.
        step = 8 if full else len(tables)
        for begin in range(0, len(tables), step):
            run_batch(server, sluice, judge, tables[begin : begin + step], FULL_ROWS if full else ROWS, begin == 0)
        if full:
            print(flavor, tables[0].combination, sum(judge.counts.values()), "values,", len(judge.differences), "differences")
    values = sum(judge.counts.values())
    figures = {"values": values, "types": len(types), "combinations": len(plan), "least": min(judge.counts.values())}
    print("values:", flavor, figures)
    record_property("values", figures)
    assert not judge.differences, f"{len(judge.differences)} differences of {figures}:\n" + "\n".join(
        judge.differences.values())
    if flavor == "mysql":
        assert any(name == DIFFERENCES for name, _ in judge.counts), "no partial update lacked its document"
    for combination, some in plan.items():
        for kind in some:
            least = VALUES_PER_COMBINATION if full else 1
            # The server's own to leave out.
            if not (kind.generated and combination.image == "MINIMAL"):
                assert judge.counts[(kind.name, combination)] >= least, (kind.name, combination)


def test_judge_sees_each_kind_of_difference():
    """Lines as they should be give none; each damage of them gives one."""
    kinds = [kind for kind in catalogue("mariadb", []) if kind.name in ("INT", "DOUBLE", "BLOB")]

    def judged(image, damage):
        (table,) = split(kinds, Combination(image, "FULL", False, ""), "t", random.Random(1))
        table.key = ["id"]
        row = {"id": 1, "step": 0, **{c.name: {"INT": 7, "DOUBLE": ("-0.0",), "BLOB": None}[c.type.name]
                                      for c in table.columns if c.type in kinds}}
        row = {name: row[name] for name in table.names}
        table.expected = [("insert", {1: (None, tuple(row.values()))}, set(row)),
                          ("delete", {1: (tuple(row.values()), None)}, set())]
        place = {"file": "f", "pos": 4}
        lines = [{"op": "insert", "after": dict(row), **place}, {"op": "delete", "before": dict(row), **place}]
        damage(lines, {c.type.name: c.name for c in table.columns})
        judge = Judge("mariadb")
        judge.check(table, lines)
        return judge.differences

    def lack(kind, told=True):
        def damage(lines, names):
            del lines[1]["before"][names[kind]]
            if told:
                lines[1]["absent_before"] = [names[kind]]

        return damage

    assert not judged("FULL", lambda lines, names: None)
    assert not judged("NOBLOB", lack("BLOB")) and not judged("MINIMAL", lack("INT"))
    damages = [
        lambda lines, names: lines[0]["after"].update({names["INT"]: 8}),
        lambda lines, names: lines[0]["after"].update({names["DOUBLE"]: 0}),
        lambda lines, names: lines[0]["after"].update({names["BLOB"]: {"base64": ""}}),
        lambda lines, names: lines[1]["before"].update(more=1),
        lambda lines, names: lines[1].update(absent_before=["id"]),
        lambda lines, names: lines.pop(),
        lambda lines, names: lines.reverse(),
        lambda lines, names: lines.append(lines[0]),
        lack("BLOB"),
        lack("BLOB", told=False),
    ]
    for number, damage in enumerate(damages):
        assert judged("FULL", damage), f"damage {number} was not seen"
    assert judged("NOBLOB", lack("INT")), "a column that is no BLOB was left out"
