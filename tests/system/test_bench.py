"""The benchmarks run, and count what they say: in a small size, since their figures are read by people."""

import os
import re
import subprocess

import pytest

from shop import Shop
from sluice import BINARY, ROOT

ROWS = 2000


@pytest.mark.flavors("mariadb")
def test_kafka_bench_prints_a_ratio_for_each_compression_and_delivery(new_db, kafka):
    """With a broker of its own; `kafka` is asked for to be told when there is none."""
    db = new_db({"binlog_row_metadata": "FULL"})
    shop = Shop(db)
    db.flush_logs()
    for first in range(0, ROWS, 500):
        shop.orders(range(first, first + 500))
    binlog = db.flush_logs()
    done = subprocess.run(
        ["/usr/bin/python3", os.path.join(ROOT, "bench/kafka_bench.py"), BINARY, binlog, "1", "lz4", "zstd"],
        env={**os.environ, "PYTHONPATH": os.path.join(ROOT, "tests"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    assert f" {ROWS:,} rows," in done.stdout, done.stdout
    found = re.findall(r"^sluice, (\w+), (\w+) .* of kcat's: min [\d.]+  median [\d.]+", done.stdout, re.M)
    assert found == [(compression, delivery) for compression in ("lz4", "zstd") for delivery in ("at_least_once", "exactly_once")]
