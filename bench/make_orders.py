"""Makes a binlog file of SIZE MB with inserts (three of four rows) and updates of a table `orders`, by a private MySQL."""

import os
import random
import shutil
import sys

from servers import MySQL, Workspace

TABLE = """
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE TABLE shop.orders (
  order_id BIGINT UNSIGNED PRIMARY KEY, user_id BIGINT UNSIGNED NOT NULL, status TINYINT NOT NULL, amount DECIMAL(12,2) NOT NULL,
  currency CHAR(3) NOT NULL, address VARCHAR(255) NOT NULL, note TEXT, created_at DATETIME(3) NOT NULL,
  updated_at TIMESTAMP(6) NOT NULL);
"""
WORDS = "street avenue north south garden river hill market old new upper lower bridge church mill station".split()
BATCH = 1000


def make_row(rng, number):
    address = f"{rng.randrange(1, 999)} {rng.choice(WORDS)} {rng.choice(WORDS)} {rng.choice(WORDS)}, {rng.randrange(10000, 99999)}"
    note = None if rng.random() < 0.3 else " ".join(rng.choice(WORDS) for _ in range(rng.randrange(2, 14)))
    day = f"2026-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
    time = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
    return (
        number,
        rng.randrange(1, 5_000_000),
        rng.randrange(0, 9),
        f"{rng.randrange(0, 99999)}.{rng.randrange(100):02}",
        rng.choice(("EUR", "USD", "GBP", "JPY")),
        address,
        note,
        f"{day} {time}.{rng.randrange(1000):03}",
        f"{day} {time}.{rng.randrange(1_000_000):06}",
    )


def main():
    target, size = sys.argv[1], int(sys.argv[2]) * 1_000_000
    rng = random.Random(20261122)
    options = {"binlog_row_metadata": "FULL", "max_binlog_size": 1 << 30, "time_zone": "+00:00"}
    with Workspace() as workspace:
        db = MySQL(workspace, {key.replace("time_zone", "default_time_zone"): value for key, value in options.items()})
        db.start()
        db.script(TABLE)
        db.flush_logs()
        connection = db.connect("shop")
        number = 0
        with connection.cursor() as cursor:
            path = db.binlog_paths()[-1]
            while os.path.getsize(path) < size:
                rows = [make_row(rng, number + i) for i in range(BATCH)]
                cursor.executemany("INSERT INTO orders VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s)", rows)
                cursor.execute(
                    "UPDATE orders SET status = status + 1, amount = amount + 1 WHERE order_id BETWEEN %s AND %s",
                    (number, number + BATCH // 3),
                )
                connection.commit()
                number += BATCH
        db.flush_logs()
        shutil.copyfile(path, target + ".part")
    os.rename(target + ".part", target)


main()
