"""The servers that all other system tests stand on."""

import json
import subprocess
import sys

from servers import wait_until


def test_database_keeps_its_data_and_port_across_kill_and_restart(new_db):
    db = new_db()
    db.script("CREATE TABLE shop.t (id INT PRIMARY KEY);\nINSERT INTO shop.t VALUES (1)")
    port = db.port
    db.restart(kill=True)
    db.restart()
    assert db.port == port
    assert db.sql("SELECT * FROM shop.t") == [(1,)]
    assert len(db.binlogs()) == 3


def test_replica_follows_by_gtid(new_db):
    primary, replica = new_db(name="primary"), new_db(name="replica")
    replica.sql("DROP DATABASE shop")
    replica.reset_binlog()
    replica.replicate_from(primary)
    primary.script("CREATE TABLE shop.t (id INT PRIMARY KEY);\nINSERT INTO shop.t VALUES (1)")
    replica.catch_up_with(primary)
    assert replica.sql("SELECT * FROM shop.t") == [(1,)]
    assert replica.gtid() == primary.gtid()


def test_redis_keeps_what_it_answered_across_kill(redis):
    redis.client().set("a", "1")
    redis.restart(kill=True)
    assert redis.client().get("a") == b"1"


def test_server_dies_with_the_python_that_started_it():
    """kill -9 of the parent leaves no server behind."""
    with subprocess.Popen(
        [sys.executable, "-m", "servers", "redis"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=f"{__file__.rsplit('/', 2)[0]}",
        text=True,
    ) as parent:
        pid = json.loads(parent.stdout.readline())["redis"]["pid"]
        parent.kill()

    def gone():
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True

    wait_until(gone, f"process {pid} to end")
