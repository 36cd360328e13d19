"""The cases of the peers, run on a server and read by sluice, and its lines held against those of the peer."""

import os
import re

from peers.case import STOPS, read_cases
from peers.volatile import VOLATILE
from sluice import FINE, ROOT, STOPPED, at, source_of

PEERS = ("canal", "debezium", "maxwell")
METADATA = ("MINIMAL", "FULL")
ALWAYS = {"canal": {"ddl": "true"}, "debezium": {}, "maxwell": {}}
# Options of the cases that are not sluice's own: what they are here, and those that need nothing.
RENAMED = {("maxwell", "output_ddl"): "ddl"}
NOTHING = {"tables", "gtid_mode"}
PARTITIONS = {"partitions", "partition_hash"}  # of the bus, and sluice has its own

DATABASE = "CREATE DATABASE shop CHARACTER SET utf8mb4"

SHOWN = 3  # of the lines that differ

SCALAR = r'(?:"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null)'


def all_cases():
    return [(peer, case) for peer in PEERS for case in read_cases(peer)]


def fits(expected, line):
    """True when a line is the expected one, byte for byte but for `"*"`, which stands for any scalar of JSON."""
    return re.fullmatch(SCALAR.join(map(re.escape, expected.split('"*"'))), line) is not None


def wanted_lines(case):
    """What sluice should print for the peer's lines: keys and headers stand in front where the case has them."""
    if case.keys is None:
        return case.expected
    lines = []
    for number, value in enumerate(case.expected):
        _, key, headers = case.keys[number].split("\t") if value != STOPS else (None, "", "{}")
        lines.append(value if value == STOPS else "\t".join([key, value] if headers == "{}" else [key, headers, value]))
    return lines


def differences(expected, lines):
    """What is wrong with the lines, as text: empty when nothing is. Where the peer stopped no line is told any more."""
    stops = expected[-1:] == [STOPS]
    if stops:
        expected, lines = expected[:-1], lines[: len(expected) - 1]
    wrong = []
    for number in range(max(len(expected), len(lines))):
        want = expected[number] if number < len(expected) else "(no line)"
        line = lines[number] if number < len(lines) else "(no line)"
        if not fits(want, line):
            wrong.append(f"line {number + 1}\n  want {want}\n  got  {line}")
    return "\n".join(wrong[:SHOWN])


def check(case, lines):
    """What is wrong with sluice's lines for a case, as text. One with lines of sluice's own differs by decision."""
    unlike = differences(wanted_lines(case), lines)
    if case.own is None:
        return unlike
    if not unlike:
        return "should differ by decision, and does not"
    return differences(case.own, lines)


def listed_differences(peer):
    """Names of the cases in the table `Differences by decision` of the peer's page."""
    with open(os.path.join(ROOT, "docs", "peers", f"{peer}.md"), encoding="utf-8") as page:
        section = page.read().partition("\n## Differences by decision\n")[2].partition("\n## ")[0]
    return {name for row in re.findall(r"^\|([^|]*)\|", section, re.M) for name in re.findall(r"\d{3}-[\w-]+|sample", row)}


def update(peer, case, lines):
    """Writes sluice's lines into a case that the page of the peer tells to differ."""
    if case.name in listed_differences(peer):
        case.own = [VOLATILE[peer](line) for line in lines]
        case.write()


def flags_of(peer, case):
    """Those of `dump` for the options of a case."""
    flags = ["--format", peer]
    for name, value in {**ALWAYS[peer], **case.options}.items():
        if name == "record_key":
            name = "kafka_key_format"
        if name not in NOTHING:
            flags += ["--format-option", f"{RENAMED.get((peer, name), name)}={value}"]
    if case.keys is not None or "record_key" in case.options:
        flags.append("--record-key")
    return flags


def empty(db):
    """Leaves the database `shop` empty, as each case finds it."""
    db.script(["DROP DATABASE IF EXISTS shop", DATABASE])


def execute(db, case):
    """Runs the SQL of a case; returns where it begins and ends in the log."""
    begin = db.position()
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET time_zone = '+00:00'")
        for statement in case.statements():
            cur.execute(statement)
    return begin, db.position()


def dump(driver, db, span, flags, live):
    """The lines of `sluice dump` of a part of the log, of the server or of its file, and STOPS when it cannot go on."""
    begin, end = map(at, span)
    driver.configure({"source": source_of(db)})
    database = os.path.join(driver.directory, "database.sql")
    with open(database, "w", encoding="ascii") as file:
        file.write(f"{DATABASE};\nCREATE TABLE shop.of_no_case (id INT);\n")
    words = ["--table", "*.*"] if live else [db.binlog_path(span[0][0])]
    words += ["--from", begin, "--to", end, "--schema", database]
    done = driver.run("dump", *words, *flags, config=live)
    print(done.stderr)
    assert done.returncode in (FINE, STOPPED), f"dump ended with {done.returncode}: {done.stderr}"
    return done.stdout.split("\n")[:-1] + ([STOPS] if done.returncode == STOPPED else [])
