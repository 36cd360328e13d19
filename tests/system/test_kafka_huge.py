"""One huge transaction into Kafka, with kills inside: each version is there once, and memory has its bound."""

import hashlib
import json

import pytest

from kafka_topics import create_topic, size_of, stream_topic
from sluice import FINE, at, source_of, wait_until

PARTITIONS, KEYS, MB = 4, 60, 1 << 20
BODY_BYTES, BUFFER = 20_000, 8 * MB
ROUNDS, FULL_ROUNDS = 3, 100  # statements of 1,000 rows
KILLS, FULL_KILLS = 3, 10
COMPRESSED = {"mysql": {"binlog_transaction_compression": "ON"}, "mariadb": {"log_bin_compress": "1"}}
LARGE = {"max_binlog_cache_size": 8 << 30, "innodb_buffer_pool_size": "512M"}


def fill(db, rounds):
    """One transaction."""
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
    with db.connect("shop", autocommit=False, read_timeout=3600) as con, con.cursor() as cur:
        for base in range(0, rounds * 1000, 1000):
            cur.execute(
                f"INSERT INTO big (order_id, body) {numbers} "
                f"SELECT i % {KEYS}, REPEAT(SHA2(i + {base}, 256), {BODY_BYTES // 64}) FROM n"
            )
        con.commit()


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
def test_kills_inside_a_huge_transaction_repeat_nothing(
    new_db, kafka, sluice, full, flavor, compressed, record_property
):
    if compressed == (flavor == "mariadb") and not full:
        pytest.skip("with --full")
    db = new_db({**LARGE, **(COMPRESSED[flavor] if compressed else {})})
    topic, rounds = f"huge-{flavor}-{compressed}", FULL_ROUNDS if full else ROUNDS
    create_topic(kafka, topic, PARTITIONS)
    db.script(["CREATE TABLE big (id INT AUTO_INCREMENT PRIMARY KEY, order_id INT NOT NULL, body MEDIUMTEXT)"], "shop")
    driver = sluice({
        "source": source_of(db, start=at(db.position())),
        "partitions": PARTITIONS,
        "buffer_bytes": BUFFER,
        "tx_buffer_bytes": "1MiB",
        "sinks": {"topic": {"type": "kafka", "brokers": kafka.brokers().split(","), "topic": topic}},
        "routes": [{"table": "shop.big", "key": "order_id", "to": "topic"}],
    }).start()
    driver.wait_log(msg="reading")
    idle = driver.memory()[0]
    fill(db, rounds)
    peak, kills = 0, FULL_KILLS if full else KILLS
    for number in range(1, kills + 1):
        goal = rounds * 1000 * number // (kills + 1)
        wait_until(lambda: size_of(kafka, topic) > goal, driver.tail, 1800, 0.02)
        peak = max(peak, driver.memory()[1])
        driver.restart()
    end = db.position()
    wait_until(lambda: driver.run("position", "show").stdout.find(f"{end[0]}:{end[1]}") >= 0, driver.tail, 1800, 0.5)
    peak = max(peak, driver.memory()[1])

    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SELECT id, SHA2(body, 256) FROM big")
        expected = dict(cur.fetchall())
    seen, newest = {}, {}
    for record in stream_topic(kafka, topic):
        line = json.loads(record.value)
        row, key = line["after"], line["key"]
        assert row["id"] not in seen, f"row {row['id']} is there twice"
        assert line["version"] > newest.get(key, ""), key
        seen[row["id"]], newest[key] = hashlib.sha256(row["body"].encode()).hexdigest(), line["version"]
    assert seen == expected
    record_property("memory", {"idle": idle, "peak": peak})
    assert peak - idle < BUFFER + 32 * MB
    print(f"huge: {flavor} compressed={compressed}: {len(seen)} rows, {kills} kills, idle {idle / MB:.1f}, "
          f"peak {peak / MB:.1f} MiB")
    assert driver.stop() == FINE
