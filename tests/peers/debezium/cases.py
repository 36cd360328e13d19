"""Runs the cases of Debezium through Debezium itself: /usr/bin/python3 -m peers.debezium.cases [--write] [NAME ...]

A case is a file of tests/golden/peers/debezium; its form stands in the README.md beside this file. The cases with the
same options and the same server run in one go of the embedded engine, each in an empty database `shop`, between two
rows of a marker table. What Debezium writes is compared with the lines under `-- expect` (the values) and, where a
case has them, under `-- keys` (topic, key and headers); with --write those lines are replaced.
"""

import argparse
import collections
import contextlib
import json
import os
import re
import sys

from peers.case import STOPS, read_cases
from peers.debezium.engine import CONNECTORS, Session, Stopped, installed
from peers.volatile import debezium_volatile
from servers import DATABASES, Workspace


def runs_of(cases):
    groups = collections.OrderedDict()
    for case in cases:
        kind = case.head["server"]
        groups.setdefault((kind, case.head.get("options", "")), []).append(case)
    return groups


class Runner(Session):
    number = 0

    def run(self, case):
        if not self.engine:
            self.server.sql("DROP DATABASE IF EXISTS shop")
            self.start()
        self.number += 1
        begin, end = f"begin {self.number}", f"end {self.number}"
        self.server.sql("DROP DATABASE IF EXISTS shop")
        self.server.sql("CREATE DATABASE shop CHARACTER SET utf8mb4")
        self.mark(begin)
        failure = None
        with self.server.connect("shop") as con, con.cursor() as cur:
            cur.execute("SET time_zone = '+00:00'")
            for statement in case.statements():
                try:
                    cur.execute(statement)
                except Exception as error:
                    failure = f"{statement[:200]}: {error}"
                    break
        self.mark(end)
        stopped = None
        try:
            records = self.between(begin, end)
        except Stopped as reason:
            records, stopped = reason.seen, reason
        if failure:
            raise RuntimeError(failure)
        if stopped and STOPS not in case.expected:
            print(f"{case.name} stops: {stopped}")
        values = [debezium_volatile(record[3]) for record in records]
        keys = []
        for topic, key, headers, _ in records:
            key = re.sub(r'"id":"[^"]*"', '"id":"*"', key) if topic == "dbz.transaction" else key
            keys.append("\t".join([topic, key, headers]))
        if stopped:
            values.append(STOPS)
        return values, keys


def compare(case, values, keys):
    pairs = [("expect", case.expected, values)]
    if case.keys is not None:
        pairs.append(("keys", case.keys, keys))
    differs = False
    for part, wanted, got in pairs:
        for number in range(max(len(wanted), len(got))):
            want = wanted[number] if number < len(wanted) else "(no line)"
            have = got[number] if number < len(got) else "(no line)"
            if want != have:
                differs = True
                print(f"{case.name} ({part}):\n  want {want}\n  got  {have}")
    return differs


def main():
    parser = argparse.ArgumentParser(prog="peers.debezium.cases", description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--server", choices=CONNECTORS, help="only the cases of this server")
    parser.add_argument("name", nargs="*", help="the beginning of a case's file name")
    args = parser.parse_args()
    cases = [case for case in read_cases("debezium") if not args.name or any(case.name.startswith(name) for name in args.name)]
    cases = [case for case in cases if args.server in (None, case.head["server"])]
    bad = 0
    with contextlib.ExitStack() as stack:
        attached = {}
        if "PEER_SERVERS" in os.environ:
            with open(os.environ["PEER_SERVERS"], encoding="utf-8") as stream:
                attached = json.load(stream)
        workspace = None if attached else stack.enter_context(Workspace(False))
        servers = {}
        log = stack.enter_context(open(os.path.join(os.environ["PEER_CLASSES"], "peer.log"), "a", encoding="utf-8"))
        for (kind, options), group in runs_of(cases).items():
            if kind not in servers:
                cls = DATABASES[kind]
                if attached:
                    server = servers[kind] = cls.__new__(cls)
                    server.socket, server.port = attached[kind]["socket"], attached[kind]["port"]
                else:
                    servers[kind] = cls(workspace, {}).start()
            named = dict(pair.split("=", 1) for pair in options.split())
            runner = Runner(servers[kind], kind, named, log, installed())
            for case in group:
                try:
                    values, keys = runner.run(case)
                except RuntimeError as failure:
                    bad += 1
                    print(f"{case.name}: {failure}")
                    runner.stop()
                    continue
                if args.write:
                    case.expected, case.keys = values, keys if case.keys is not None else None
                    case.head["proved"] = "ran"
                    case.write()
                else:
                    bad += compare(case, values, keys)
            runner.stop()
    print(f"{len(cases)} cases, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
