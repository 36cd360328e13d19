"""Runs the cases of a peer through the peer itself: /usr/bin/python3 -m peers.cases canal [--write] [NAME ...]

A case is a file of tests/golden/peers/PEER; its form stands in docs/peers/README.md. Every case runs in an empty
database `shop` of a private server, the peer reads the binlog of it, and what it writes is compared with the lines
under `-- expect`; with --write those lines are replaced. The peer's jars are named by PEER_CLASSPATH, see README.md.
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys

from peers.case import read_cases
from peers.volatile import VOLATILE
from servers import DATABASES, REPLICATION_PASSWORD, REPLICATION_USER, Workspace

PEER_USER = "peer"
ORACLES = {"canal": "CanalOracle", "maxwell": "MaxwellOracle"}


class Oracle:
    """The peer's process: one line in, lines up to an empty one out."""

    def __init__(self, peer, classes):
        self.peer = peer
        path = os.pathsep.join([classes, *os.environ["PEER_CLASSPATH"].split(os.pathsep)])
        log = open(os.path.join(classes, "peer.log"), "w")
        self.process = subprocess.Popen(
            ["nice", "-n", "10", "java", "-Xmx512m", "-Duser.timezone=UTC", "-Dfile.encoding=UTF-8", "-cp", path, ORACLES[peer]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        assert self.line() == "ready"

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the peer's process ended")
        return line.decode().rstrip("\n")

    def ask(self, request):
        text = "\t".join(f"{key}={value}" for key, value in request.items())
        self.process.stdin.write(f"{text}\n".encode())
        self.process.stdin.flush()
        return list(iter(self.line, ""))

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


class Attached:
    """A server that `python3 -m servers` runs already, named by PEER_SERVERS, the file of its line."""

    def __init__(self, kind, seen):
        cls = DATABASES[kind]
        self.server = cls.__new__(cls)
        self.server.socket = seen["socket"]
        self.server.port = seen["port"]
        self.server.data_dir = seen["data"]


def run(case, kind, server, oracle, number):
    begin, end = f"begin_of_case_{number}_{os.getpid()}", f"end_of_case_{number}_{os.getpid()}"
    server.sql("DROP DATABASE IF EXISTS shop")
    server.sql("CREATE DATABASE shop CHARACTER SET utf8mb4")
    position = server.sql(server.status_statement)[0]
    request = {
        "host": "127.0.0.1",
        "port": server.port,
        "kind": kind,
        "user": REPLICATION_USER,
        "password": REPLICATION_PASSWORD,
        "file": position[0],
        "position": position[1],
        "begin": begin,
        "end": end,
        "query_dml": "off",
        **case.options,
    }
    if case.options.get("gtid") == "on":
        statement = "SELECT @@gtid_executed" if kind == "mysql" else "SELECT @@gtid_binlog_pos"
        request["gtid"] = server.value(statement).replace("\n", "")
    if oracle.peer == "maxwell":  # keeps a schema of its own and so must write, and must be there before the case
        request |= {"user": PEER_USER, "do": "prepare"}
        failed = oracle.ask(request)
        if failed:
            return failed
        request["do"] = "collect"
        server.sql(f"CREATE DATABASE {begin}")
        server.sql(f"DROP DATABASE {begin}")
    with server.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET time_zone = '+00:00'")
        for statement in case.statements():
            cur.execute(statement)
    server.sql(f"CREATE DATABASE {end}")
    lines = oracle.ask(request)
    server.sql(f"DROP DATABASE {end}")
    return lines


def main():
    parser = argparse.ArgumentParser(prog="peers.cases", description=__doc__)
    parser.add_argument("peer", choices=ORACLES)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("name", nargs="*", help="the beginning of a case's file name")
    args = parser.parse_intermixed_args()
    cases = [case for case in read_cases(args.peer) if not args.name or any(case.name.startswith(name) for name in args.name)]
    bad = 0
    with contextlib.ExitStack() as stack:
        servers = {}
        if "PEER_SERVERS" in os.environ:
            with open(os.environ["PEER_SERVERS"]) as stream:
                seen = json.load(stream)
            servers = {kind: Attached(kind, seen[kind]).server for kind in DATABASES if kind in seen}
        else:
            workspace = stack.enter_context(Workspace(False))
            for kind in sorted({kind for case in cases for kind in case.servers()}):
                servers[kind] = DATABASES[kind](workspace, {}).start()
        for server in servers.values():
            server.sql("SET GLOBAL binlog_row_metadata = MINIMAL")
            if not server.sql(f"SELECT 1 FROM mysql.user WHERE user = '{PEER_USER}'"):
                server.add_user(PEER_USER, REPLICATION_PASSWORD, "ALL")
        classes = os.environ["PEER_CLASSES"]
        oracle = Oracle(args.peer, classes)
        stack.callback(oracle.stop)
        for number, case in enumerate(cases):
            for kind in case.servers():
                try:
                    lines = run(case, kind, servers[kind], oracle, number)
                except Exception as failure:  # of the SQL
                    lines = [f"error\t{failure}"]
                lines = [re.sub(r"^0\t", "", VOLATILE[args.peer](line)) for line in lines]
                if args.write and kind == case.servers()[0]:
                    case.expected = lines
                    case.head["proved"] = "ran"
                    case.write()
                if lines != case.expected or any(line.startswith("error\t") for line in lines):
                    bad += 1
                    print(f"{case.name} ({kind}):")
                    for want, got in zip(case.expected + [""] * len(lines), lines + [""] * len(case.expected)):
                        if want != got or got.startswith("error\t"):
                            print(f"  want {want}\n  got  {got}")
    print(f"{len(cases)} cases, {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
