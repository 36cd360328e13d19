"""The formats of Canal, Maxwell and Debezium: each line is what the peer itself wrote for the same SQL.

SLUICE_UPDATE=1 writes sluice's own lines into the cases that docs/peers names as different by decision.
"""

import os
import random

import pytest

import peer_workload
from conftest import FULL, SEED, missing, started
from json_readers import assert_read_alike, jackson_is_there
from peer_cases import (
    METADATA,
    PARTITIONS,
    PEERS,
    all_cases,
    check,
    differences,
    dump,
    empty,
    execute,
    flags_of,
    listed_differences,
    update,
)
from peers.case import STOPS, read_cases
from servers import DATABASES

# Read from files with both: servers print characters beyond U+FFFF in labels as `?`, only the statement tells them.
OF_FILES = ("059-text-supplementary",)
# Of each table of the workload.
ROWS, FULL_ROWS = 3, 60


def parameters():
    """Every case with both metadata modes; in CI, but for the samples, one after the other takes one of them."""
    for number, (peer, case) in enumerate(all_cases()):
        marks = [pytest.mark.flavors(*case.servers())]
        if PARTITIONS & set(case.options):
            marks.append(pytest.mark.skip(reason="the partition is sluice's own"))
        for metadata in METADATA if FULL or case.name == "sample" else [METADATA[number % 2]]:
            yield pytest.param(peer, case, metadata, marks=marks, id=f"{peer}-{case.name}-{metadata}")


@pytest.fixture(scope="module")
def peer_db(workspace, flavor):
    """A server of these tests' own: the cases make users, and databases beside `shop`."""
    server = started(DATABASES[flavor](workspace, name=f"peers-{flavor}"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def written():
    """All lines that the cases gave."""
    return []


@pytest.fixture(scope="module")
def workload(peer_db):
    peer_db.sql("SET GLOBAL binlog_row_metadata = FULL")
    empty(peer_db)
    tables = peer_workload.make_tables(peer_db, random.Random(f"{SEED} formats"))
    return peer_workload.play(peer_db, tables, FULL_ROWS if FULL else ROWS)


@pytest.mark.parametrize("peer, case, metadata", parameters())
def test_lines_are_the_peers(peer_db, sluice, written, flavor, peer, case, metadata):
    """MINIMAL is read from the server, FULL from the log's file."""
    peer_db.sql(f"SET GLOBAL binlog_row_metadata = {metadata}")
    empty(peer_db)
    span = execute(peer_db, case)
    lines = dump(sluice(), peer_db, span, flags_of(peer, case), live=metadata == "MINIMAL" and case.name not in OF_FILES)
    written += [part for line in lines if line != STOPS for part in line.split("\t")]
    if "SLUICE_UPDATE" in os.environ and flavor == case.servers()[0]:
        update(peer, case, lines)
    wrong = check(case, lines)
    assert not wrong, wrong


def test_lines_of_cases_are_read_alike(peer_db, written):
    assert_read_alike(written, with_java())


@pytest.mark.parametrize("format_name", [*PEERS, "sluice"])
def test_lines_of_all_types_are_read_alike(peer_db, sluice, workload, format_name):
    lines = dump(sluice(), peer_db, workload, ["--format", format_name], live=False)
    assert len(lines) > 50
    assert_read_alike(lines, with_java())


def with_java():
    """Jackson reads along in a full run."""
    if FULL and not jackson_is_there():
        missing("no Java, or no Jackson: run scripts/install-deps full")
    return FULL


def test_differences_are_told_in_the_pages():
    """Cases with lines of sluice's own are those in the tables of docs/peers."""
    for peer in PEERS:
        assert listed_differences(peer) == {case.name for case in read_cases(peer) if case.own is not None}


@pytest.mark.parametrize(
    "want, line, same",
    [
        ('{"a":1}', '{"a":1}', True),
        ('{"a":1}', '{"a":1.0}', False),
        ('{"a":1}', '{"a": 1}', False),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', False),
        ('{"a":"*","b":2}', '{"a":-1.5e3,"b":2}', True),
        ('{"a":"*","b":2}', '{"a":"x\\",","b":2}', True),
        ('{"a":"*","b":2}', '{"a":null,"b":2}', True),
        ('{"a":"*","b":2}', '{"a":[1],"b":2}', False),
        ('{"a":"*","b":2}', '{"a":,"b":2}', False),
        ('{"a":"*","b":2}', '{"a":1,"c":3,"b":2}', False),
        ("null", "null", True),
        ('{"a":".+"}', '{"a":"xx"}', False),
    ],
)
def test_matching_is_by_bytes(want, line, same):
    assert (differences([want], [line]) == "") == same


@pytest.mark.parametrize(
    "want, lines, same",
    [
        (["1", "2"], ["1"], False),
        (["1"], ["1", "2"], False),
        ([], ["1"], False),
        (["1", "(stops)"], ["1", "2"], True),
        (["1", "(stops)"], ["1"], True),
        (["1", "(stops)"], [], False),
        (["1", "(stops)"], ["2"], False),
    ],
)
def test_matching_counts_lines(want, lines, same):
    assert (differences(want, lines) == "") == same

