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
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time

from peers.case import STOPS, read_cases
from peers.volatile import debezium_volatile
from servers import DATABASES, REPLICATION_PASSWORD, REPLICATION_USER, Workspace

LIMIT_S = 60
OWN_OPTIONS = {"ddl": "include.schema.changes"}
CONNECTORS = {
    "mysql": "io.debezium.connector.mysql.MySqlConnector",
    "mariadb": "io.debezium.connector.mariadb.MariaDbConnector",
}
FIXED = {
    "name": "peer",
    "offset.storage": "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
    "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
    "topic.prefix": "dbz",
    "database.hostname": "127.0.0.1",
    "database.user": REPLICATION_USER,
    "database.password": REPLICATION_PASSWORD,
    "database.server.id": "223344",
    "snapshot.mode": "no_data",
    "snapshot.locking.mode": "none",
    "include.schema.changes": "false",
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
    "header.converter.schemas.enable": "false",
    "poll.interval.ms": "20",
}


class Stopped(RuntimeError):
    def __init__(self, seen, text):
        super().__init__(text)
        self.seen = seen


class Engine:
    """One run of the embedded engine."""

    def __init__(self, server, kind, options, directory, log):
        properties = {**FIXED, "connector.class": CONNECTORS[kind], "database.port": server.port}
        properties["schema.history.internal.file.filename"] = os.path.join(directory, "history")
        for name, value in options.items():
            properties[OWN_OPTIONS.get(name, name)] = value
        path = os.path.join(directory, "properties")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("".join(f"{name}={value}\n" for name, value in properties.items()))
        classes = os.environ["PEER_CLASSES"]
        argv = ["nice", "-n", "10", os.environ.get("PEER_JAVA", "java"), "-Xmx512m", "-Duser.timezone=UTC", "-Dfile.encoding=UTF-8"]
        argv += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=" + os.environ.get("PEER_LOG", "warn")]
        argv += ["-cp", os.pathsep.join([classes, os.environ["PEER_CLASSPATH"]]), "DebeziumRunner", path]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.lines = queue.SimpleQueue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.decode().rstrip("\n").split("\t"))
        self.lines.put(["error", "the engine's process ended"])

    def until(self, mark, timeout=LIMIT_S):
        """The records before the row of the marker table with this text, and the id of that row's transaction."""
        seen = []
        end = time.monotonic() + timeout
        while True:
            try:
                record = self.lines.get(timeout=max(end - time.monotonic(), 0.001))
            except queue.Empty:
                return seen, None
            if record[0] == "error":
                raise Stopped(seen, record[1])
            if record[0] == "dbz.peer_marker.marker":
                value = json.loads(record[3])
                if value["after"]["text"] == mark:
                    return seen, (value["transaction"] or {}).get("id", "")
                continue
            seen.append(record)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def runs_of(cases):
    groups = collections.OrderedDict()
    for case in cases:
        kind = case.head["server"]
        groups.setdefault((kind, case.head.get("options", "")), []).append(case)
    return groups


class Runner:
    def __init__(self, server, kind, options, log):
        self.server, self.kind, self.log = server, kind, log
        self.options = dict(pair.split("=", 1) for pair in options.split())
        self.engine = self.directory = None
        self.number = 0

    def mark(self, text):
        self.server.sql("INSERT INTO peer_marker.marker (text) VALUES (%s)", (text,))

    def start(self):
        self.directory = tempfile.TemporaryDirectory(prefix="peer-")
        self.server.sql("DROP DATABASE IF EXISTS shop")
        self.server.sql("CREATE DATABASE IF NOT EXISTS peer_marker")
        self.server.sql(
            "CREATE TABLE IF NOT EXISTS peer_marker.marker (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(100))"
        )
        self.engine = Engine(self.server, self.kind, self.options, self.directory.name, self.log)
        tag = f"start {os.getpid()}"
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            self.mark(tag)
            if self.engine.until(tag, 0.5)[1] is not None:
                return
        raise RuntimeError("the engine wrote nothing")

    def stop(self):
        if self.engine:
            self.engine.stop()
            self.directory.cleanup()
        self.engine = None

    def run(self, case):
        if not self.engine:
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
        own = {self.engine.until(begin)[1]}
        stopped = None
        try:
            records, last = self.engine.until(end)
        except Stopped as reason:
            records, last, stopped = reason.seen, "", reason
            self.stop()
        own.add(last)
        if failure or last is None:
            raise RuntimeError(failure or "no end of the case")
        if stopped and STOPS not in case.expected:
            print(f"{case.name} stops: {stopped}")
        records = [r for r in records if not (r[0] == "dbz.transaction" and json.loads(r[1])["id"] in own)]
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
            runner = Runner(servers[kind], kind, options, log)
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
