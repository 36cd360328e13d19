"""Debezium's embedded engine as a process that follows a server, see README.md."""

import json
import os
import queue
import subprocess
import tempfile
import threading
import time

from servers import REPLICATION_PASSWORD, REPLICATION_USER

HERE = os.path.dirname(os.path.abspath(__file__))
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


def installed():
    """Where the classes of DebeziumRunner and the jars are, as the environment tells."""
    return os.environ["PEER_CLASSES"], os.environ["PEER_CLASSPATH"]


def install(directory):
    """Fetches the jars with Maven and compiles DebeziumRunner, where that was not done yet; as `installed`."""
    jars, classes = os.path.join(directory, "lib"), os.path.join(directory, "classes")
    if not os.path.exists(os.path.join(classes, "DebeziumRunner.class")):
        argv = ["mvn", "-q", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        subprocess.run(argv, cwd=HERE, check=True, capture_output=True)
        argv = ["javac", "-cp", f"{jars}/*", "-d", classes, os.path.join(HERE, "DebeziumRunner.java")]
        subprocess.run(argv, check=True, capture_output=True)
    return classes, f"{jars}/*"


class Stopped(RuntimeError):
    def __init__(self, seen, text):
        super().__init__(text)
        self.seen = seen


class Engine:
    """One run of the embedded engine."""

    def __init__(self, server, kind, options, directory, log, where):
        properties = {**FIXED, "connector.class": CONNECTORS[kind], "database.port": server.port}
        properties["schema.history.internal.file.filename"] = os.path.join(directory, "history")
        for name, value in options.items():
            properties[OWN_OPTIONS.get(name, name)] = value
        path = os.path.join(directory, "properties")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("".join(f"{name}={value}\n" for name, value in properties.items()))
        argv = ["nice", "-n", "10", os.environ.get("PEER_JAVA", "java"), "-Xmx512m", "-Duser.timezone=UTC", "-Dfile.encoding=UTF-8"]
        argv += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=" + os.environ.get("PEER_LOG", "warn")]
        argv += ["-cp", os.pathsep.join(where), "DebeziumRunner", path]
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


class Session:
    """The engine at a server; rows of a marker table tell what it has read."""

    def __init__(self, server, kind, options, log, where):
        self.server, self.kind, self.options, self.log, self.where = server, kind, options, log, where
        self.engine = self.directory = None

    def mark(self, text):
        self.server.sql("INSERT INTO peer_marker.marker (text) VALUES (%s)", (text,))

    def start(self):
        self.directory = tempfile.TemporaryDirectory(prefix="peer-")
        self.server.sql("CREATE DATABASE IF NOT EXISTS peer_marker")
        self.server.sql(
            "CREATE TABLE IF NOT EXISTS peer_marker.marker (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(100))"
        )
        self.engine = Engine(self.server, self.kind, self.options, self.directory.name, self.log, self.where)
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

    def between(self, begin, end, timeout=LIMIT_S):
        """The records between two marks, without those of the marks' own transactions."""
        own = {self.engine.until(begin)[1]}
        try:
            records, last = self.engine.until(end, timeout)
        except Stopped as reason:
            reason.seen = without(reason.seen, own)
            self.stop()
            raise
        if last is None:
            raise RuntimeError("the engine did not get to the end")
        return without(records, own | {last})


def without(records, transactions):
    return [r for r in records if not (r[0] == "dbz.transaction" and json.loads(r[1])["id"] in transactions)]
