"""Starts `sluice run` on a private MariaDB with TABLES routed tables, twice: without and with a history of definitions.

Prints for each start the wall time until the log is read, the CPU time of sluice and of the server meanwhile, and what
sluice has in memory then."""

import os
import signal
import subprocess
import sys
import tempfile
import time

import yaml

from servers import REPLICATION_PASSWORD, REPLICATION_USER, MariaDB, Redis, Workspace

DATABASES = 10
COLUMNS = """
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT UNSIGNED NOT NULL, status ENUM('new','paid','sent') NOT NULL,
  amount DECIMAL(12,2) NOT NULL DEFAULT 0, currency CHAR(3) NOT NULL DEFAULT 'EUR', address VARCHAR(255), note TEXT,
  created_at DATETIME(3) NOT NULL DEFAULT current_timestamp(3), updated_at TIMESTAMP(6) NOT NULL DEFAULT current_timestamp(6),
  UNIQUE KEY by_user (user_id, created_at), KEY (status)"""
LIMIT_S = 600


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        lines = dict(line.split(":", 1) for line in status)
    return tuple(int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))


def make_tables(db, count):
    with db.connect() as connection, connection.cursor() as cursor:
        for number in range(DATABASES):
            cursor.execute(f"CREATE DATABASE load_{number}")
        for number in range(count):
            cursor.execute(f"CREATE TABLE load_{number % DATABASES}.orders_{number} ({COLUMNS}) ENGINE=InnoDB")


def write_config(path, db, redis):
    routes = [
        {"table": f"load_{number}.*", "key": "id", "to": "cache", "invalidate": ["order:{id}"]} for number in range(DATABASES)
    ]
    source = {"host": "127.0.0.1", "port": db.port, "user": REPLICATION_USER, "password": REPLICATION_PASSWORD}
    config = {
        "state_dir": os.path.join(os.path.dirname(path), "state"),
        "source": source,
        "sinks": {"cache": {"type": "redis", "url": redis.url()}},
        "routes": routes,
    }
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(config, file)


def start(name, binary, path, db):
    """One start, up to the line that says that the log is read; ended in good order."""
    log_path = path + ".log"
    with open(log_path, "wb") as log:
        server_before = cpu_seconds(db.process.pid)
        begin = time.monotonic()
        process = subprocess.Popen([binary, "run", "-c", path], stderr=log, stdout=log)
        while True:
            with open(log_path, "rb") as said:
                if b"reading from" in said.read():
                    break
            if process.poll() is not None or time.monotonic() - begin > LIMIT_S:
                process.kill()
                with open(log_path, encoding="utf-8") as said:
                    sys.exit(f"sluice did not start: {said.read()[-2000:]}")
            time.sleep(0.01)
        wall = time.monotonic() - begin
        ours, theirs = cpu_seconds(process.pid), cpu_seconds(db.process.pid) - server_before
        now, peak = resident_mb(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait()
    print(f"{name:16} {wall:8.2f} {ours:10.2f} {theirs:10.2f} {100 * ours / (ours + theirs or 1):8.0f} % {now:8.1f} {peak:8.1f}")


def main():
    binary, count = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    options = {"innodb_flush_log_at_trx_commit": 0, "sync_binlog": 0, "table_definition_cache": 2 * count + 400}
    with Workspace() as workspace, tempfile.TemporaryDirectory() as directory:
        db, redis = MariaDB(workspace, options).start(), Redis(workspace).start()
        make_tables(db, count)
        path = os.path.join(directory, "sluice.yaml")
        write_config(path, db, redis)
        print(f"{count:,} routed tables")
        print(f"{'start':16} {'wall s':>8} {'sluice s':>10} {'server s':>10} {'our share':>10} {'MiB now':>8} {'at most':>8}")
        start("without history", binary, path, db)
        start("with history", binary, path, db)


main()
