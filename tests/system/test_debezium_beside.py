"""Debezium beside sluice on the same log, in full runs: every field of every message, but for what
tests/golden/debezium-differences.md tells."""

import collections
import os
import random
import re
import struct
import subprocess

import pytest

import peer_workload
from conftest import FULL, SEED, missing, started
from json_readers import Number, parse
from peer_cases import dump, empty, execute
from peers.case import STOPS, read_cases
from peers.debezium.engine import Session, install
from servers import DATABASES
from sluice import ROOT

pytestmark = [
    pytest.mark.flavors("mysql"),
    pytest.mark.skipif(not FULL, reason="Debezium runs beside sluice in full runs only"),
]

ROWS = 60
LIMIT_S = 300
SHOWN = 20  # of the differences
LEAST = 300  # messages
TABLE = os.path.join(ROOT, "tests", "golden", "debezium-differences.md")
OPTIONS = [
    {},
    {
        "decimal.handling.mode": "string",
        "bigint.unsigned.handling.mode": "precise",
        "binary.handling.mode": "hex",
        "time.precision.mode": "microseconds",
        "provide.transaction.metadata": "true",
        "include.query": "true",
        "ddl": "true",
    },
]
CASES_OPTIONS = {
    "provide.transaction.metadata": "true",
    "include.query": "true",
    "skipped.operations": "none",
    "ddl": "true",
}
COLUMN_AT = 4  # in the path of a column: tableChanges, 0, table, columns, its number
CLOCK = ("ts_ms", "ts_us", "ts_ns")  # of the message itself: when each of the two made it


# The rules: what Debezium's value and sluice's may be.
def boolean(theirs, ours):
    return (theirs, ours) in ((True, "1"), (False, "0"))


def digits(theirs, ours):
    if not isinstance(theirs, Number) or not isinstance(ours, Number):
        return False
    single = struct.Struct("<f")
    return float(theirs) == float(ours) or single.pack(float(theirs)) == single.pack(float(ours))


def json_time(theirs, ours):
    """All but the time is the same."""
    broken = r'-?\d+:(?:0-)?\d+:(?:0-)?\d+(?:\.[\d-]+)?'
    return re.sub(broken, "", theirs) == re.sub(broken, "", ours)


def unmapped(theirs, ours):
    return theirs == re.sub("[\x81\x8d\x8f\x90\x9d]", "\ufffd", ours)


def no_text(theirs, ours):
    return isinstance(theirs, str) and isinstance(ours, str)


wrong_table = codes = no_text


def noncharacter(theirs, ours):
    return ours[:1] in ("\ufeff", "\ufffe")


def spelled(theirs, ours):
    return not isinstance(theirs, (dict, list))


spelled_case = xa = compressed = renamed = spelled


def rules():
    """[(name, pattern, function)] of the table."""
    with open(TABLE, encoding="utf-8") as file:
        rows = re.findall(r"^\| (\w+) \| `([^`]+)` \| .+ \| .+ \|$", file.read(), re.M)
    return [(name, pattern.replace("\\|", "|"), globals()[name]) for name, pattern in rows]


def differing(theirs, ours, path=()):
    """Where two values differ: (path, Debezium's, sluice's)."""
    if isinstance(theirs, dict) and isinstance(ours, dict) and list(theirs) == list(ours):
        for name in theirs:
            yield from differing(theirs[name], ours[name], (*path, name))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for number, pair in enumerate(zip(theirs, ours)):
            yield from differing(*pair, (*path, number))
    elif type(theirs) is not type(ours) or theirs != ours:
        yield path, theirs, ours


class Comparison:
    def __init__(self, tables):
        self.types = {table.name: {column.name: column.type.name for column in table.columns} for table in tables}
        self.rules = rules()
        self.messages = 0
        self.used = collections.Counter()
        self.wrong = []

    def compare_all(self, records, lines, of="the workload"):
        if len(records) != len(lines):
            self.wrong.append(f"{of}: {len(records)} messages but {len(lines)}")
        for record, line in zip(records, lines):
            self.compare(record, line, of)

    def finish(self, record_property):
        figures = {"messages": self.messages, "differences": dict(self.used)}
        print("Debezium beside sluice:", figures)
        record_property("debezium", figures)
        assert not self.wrong, f"{len(self.wrong)} differences of {figures}:\n" + "\n".join(self.wrong[:SHOWN])
        assert self.messages > LEAST

    def compare(self, record, line, of):
        topic, key, headers, value = record
        parts = line.split("\t")
        if len(parts) == 2:
            parts.insert(1, "{}")
        pairs = [(parse(theirs), parse(ours)) for theirs, ours in zip((key, headers, value), parts)]
        for message in pairs[2]:
            for name in CLOCK if isinstance(message, dict) else ():
                message.pop(name, None)
        self.messages += 1
        table = topic.rpartition(".")[2] if "." in topic else (pairs[2][0].get("source") or {}).get("table")
        types = self.types.get(table, {})
        for what, pair in zip(("key", "headers", "value"), pairs):
            for path, theirs, ours in differing(*pair):
                if not self.allowed(types, path, theirs, ours, of):
                    self.wrong.append(f"{of}: {topic} {what} {'.'.join(map(str, path))}: {theirs!a:.300} but {ours!a:.300}")

    def allowed(self, types, path, theirs, ours, of):
        if path[:1] == ("tableChanges",) and len(path) > COLUMN_AT and types:
            kind = f"definition of {list(types.values())[path[COLUMN_AT]]}"
        else:
            kind = next((types[name] for name in path if name in types), f"{of} {'.'.join(map(str, path))}")
        for name, pattern, alike in self.rules:
            if re.search(pattern, kind) and alike(theirs, ours):
                self.used[name] += 1
                return True
        return False


@pytest.fixture(scope="module")
def debezium():
    try:
        return install(os.path.join(ROOT, "build", "debezium"))
    except (OSError, subprocess.CalledProcessError) as reason:
        missing(f"Debezium: {getattr(reason, 'stderr', None) or reason}")


@pytest.fixture(scope="module")
def beside_db(workspace, flavor):
    """A server whose log has MINIMAL metadata: Debezium's library stops at some of FULL."""
    server = started(DATABASES[flavor](workspace, {"binlog_row_metadata": "MINIMAL"}, f"beside-{flavor}"))
    yield server
    server.kill()


@pytest.mark.parametrize("options", OPTIONS, ids=["defaults", "options"])
def test_debezium_writes_the_same(beside_db, sluice, debezium, tmp_path, options, flavor, record_property):
    empty(beside_db)
    rng = random.Random(f"{SEED} {options}")
    tables = peer_workload.make_tables(beside_db, rng, lambda kind: not kind.names_logged, names=None)
    with open(tmp_path / "debezium.log", "w", encoding="utf-8") as log:
        session = Session(beside_db, flavor, options, log, debezium)
        try:
            session.start()
            session.mark("begin")
            # Days that the month has not would stop Debezium: they become zero.
            span = peer_workload.play(beside_db, tables, ROWS, "NO_ENGINE_SUBSTITUTION")
            session.mark("end")
            records = session.between("begin", "end", LIMIT_S)
        finally:
            session.stop()
    comparison = Comparison(tables)
    comparison.compare_all(records, dump(sluice(), beside_db, span, flags_of(options), live=False))
    comparison.finish(record_property)


def test_debezium_writes_the_same_for_the_cases(beside_db, sluice, debezium, tmp_path, flavor, record_property):
    """The cases hold no times, places and ids: here those are the same, too."""
    spans = {}
    with open(tmp_path / "debezium.log", "w", encoding="utf-8") as log:
        session = Session(beside_db, flavor, CASES_OPTIONS, log, debezium)
        try:
            session.start()
            for case in read_cases("debezium"):
                if case.servers() != [flavor] or case.own or STOPS in case.expected:
                    continue
                beside_db.sql("SET GLOBAL binlog_row_metadata = MINIMAL")
                empty(beside_db)
                session.mark(f"begin {case.name}")
                spans[case.name] = execute(beside_db, case)
                session.mark(f"end {case.name}")
            records = {name: session.between(f"begin {name}", f"end {name}") for name in spans}
        finally:
            session.stop()
    comparison = Comparison([])
    for name, span in spans.items():
        lines = dump(sluice(), beside_db, span, flags_of(CASES_OPTIONS), live=False)
        comparison.compare_all(records[name], lines, name)
    comparison.finish(record_property)


def flags_of(options):
    flags = ["--format", "debezium", "--record-key"]
    for name, value in options.items():
        flags += ["--format-option", f"{name}={value}"]
    return flags
