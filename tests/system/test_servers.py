"""The servers that all other system tests stand on."""

import json
import subprocess
import sys

from confluent_kafka import Producer

from kafka_topics import create_topic, read_topic
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


def test_kafka_keeps_records_across_kill(new_kafka):
    kafka = new_kafka()
    create_topic(kafka, "t", partitions=3)
    producer = Producer({"bootstrap.servers": kafka.brokers(), "acks": "all"})
    for number in range(30):
        producer.produce("t", b"v%d" % number, key=b"k", partition=number % 3, headers={"n": str(number)})
    assert producer.flush(60) == 0
    kafka.restart(kill=True)
    seen = read_topic(kafka, "t")
    assert sorted(record.value for record in seen) == sorted(b"v%d" % number for number in range(30))
    assert all(int(record.headers["n"]) % 3 == record.partition for record in seen)


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
