"""Compressed logs: the same changes come out as of a plain log, and nothing else."""

import json
import random
import struct

import pytest

import randomrows
from folding import Fold, assert_valid
from servers import CuttingProxy, EncryptedMySQL
from shop import Shop, config
from sluice import FINE, STOPPED, at, source_of, wait_until
from tables import Table
from test_dump import live, recorded
from test_memory import MB, grow, limit_of

STATEMENTS = 300
FULL_STATEMENTS = 3_000  # an UPDATE takes an eighth of all rows: the lines grow with the square
ON = {
    "mysql": ["SET SESSION binlog_transaction_compression = ON"],
    "mariadb": ["SET GLOBAL log_bin_compress_min_len = 10", "SET GLOBAL log_bin_compress = ON"],
}
OFF = {"mysql": ["SET SESSION binlog_transaction_compression = OFF"], "mariadb": ["SET GLOBAL log_bin_compress = OFF"]}
TRANSACTION_PAYLOAD, QUERY_COMPRESSED, WRITE_COMPRESSED, UPDATE_COMPRESSED, DELETE_COMPRESSED = 40, 165, 166, 167, 168
COMPRESSED = {
    "mysql": {TRANSACTION_PAYLOAD},
    "mariadb": {QUERY_COMPRESSED, WRITE_COMPRESSED, UPDATE_COMPRESSED, DELETE_COMPRESSED},
}
RANDOM_TEXT = "TO_BASE64(RANDOM_BYTES(142))"
PLACES = ("file", "pos", "gtid", "version", "ts_us")


@pytest.fixture
def compression(db):
    """Runs statements in a session; off again for the other tests."""

    def switch(con, on):
        with con.cursor() as cur:
            for statement in (ON if on else OFF)[db.flavor]:
                cur.execute(statement)

    yield switch
    db.script(OFF[db.flavor])


def change(db, switch, seed, statements, compressed):
    """The changes of that seed in a new table, in a log of their own."""
    db.sql("DROP TABLE IF EXISTS shop.types")
    with recorded(db) as files, db.connect("shop") as con:
        switch(con, compressed)
        con.cursor().execute(randomrows.CREATE)
        randomrows.Changes(con, random.Random(seed)).run(statements)
    return files


def types_in(path):
    """Types of the events in a file, by their headers."""
    found = set()
    with open(path, "rb") as file:
        log = file.read()
    pos = 4
    while pos < len(log):
        kind, _, length = struct.unpack_from("<BII", log, pos + 4)
        found.add(kind)
        pos += length
    return found


def without_places(line):
    """What a change is, and its number within its transaction."""
    return {name: value for name, value in line.items() if name not in PLACES}, line["version"].split(".")[2]


def test_compressed_log_gives_the_same_changes(db, sluice, rng, full, compression):
    """Types, savepoints, rollbacks: the dump equals that of the same changes in a plain log, and SELECT."""
    seed, statements = rng.random(), FULL_STATEMENTS if full else STATEMENTS
    plain = sluice().dump(*change(db, compression, seed, statements, False))
    (file,) = change(db, compression, seed, statements, True)
    assert COMPRESSED[db.flavor] <= types_in(file), "the log was not what the test means"
    lines = sluice().dump(file)
    assert_valid(lines)
    Fold([Table(db, "types")]).apply_all(lines).assert_equals_select()
    assert list(map(without_places, lines)) == list(map(without_places, plain))


def test_every_place_of_a_compressed_log_is_one_to_restart_from(db, sluice, rng, compression):
    """From the place that a line names, its whole transaction comes again, and all behind it; by GTID all behind it."""
    (file,) = change(db, compression, rng.random(), 60, True)
    driver = sluice(live(db))
    end = ["--to", at(db.position())]
    lines = driver.dump("--from", at((file.rsplit("/", 1)[1], 4)), *end, config=True)
    first = {}
    for number, line in enumerate(lines):
        first.setdefault(line["gtid"], number)
    # The set of all before a transaction: each of its own server, the first of them after those of other tests.
    for gtid, number in rng.sample(list(first.items())[1:], 6):
        place = f"{lines[number]['file']}:{lines[number]['pos']}"
        if db.flavor == "mysql":
            assert {line["pos"] for line in lines if line["gtid"] == gtid} == {lines[number]["pos"]}
            assert driver.dump("--from", place, *end, config=True) == lines[number:]
        uuid, last = gtid.rsplit(":" if db.flavor == "mysql" else "-", 1)
        before = f"{uuid}:1-{int(last) - 1}" if db.flavor == "mysql" else f"{uuid}-{int(last) - 1}"
        assert driver.dump("--from", before, *end, config=True) == lines[number:]


@pytest.mark.flavors("mariadb")
def test_compressed_statement_is_read_as_what_it_is(db, sluice, compression):
    """DDL is followed; a change by statement stops."""
    with recorded(db) as files, db.connect("shop") as con, con.cursor() as cur:
        compression(con, True)
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY)")
        cur.execute("INSERT INTO t VALUES (1)")
        cur.execute("ALTER TABLE t ADD COLUMN note VARCHAR(300)")
        cur.execute("INSERT INTO t VALUES (2, REPEAT('x', 300))")
        cur.execute("SET SESSION binlog_format = STATEMENT")
        cur.execute("INSERT INTO t VALUES (3, 'by statement')")
    done = sluice().run("dump", *files, config=False)
    assert done.returncode == STOPPED and "as a statement, not as rows: INSERT INTO t" in done.stderr
    assert [line[line.index('"after"') : line.index(',"ts_us"')] for line in done.stdout.splitlines()] == [
        '"after":{"id":1}',
        '"after":{"id":2,"note":"' + "x" * 300 + '"}',
    ]


def log_bytes(db):
    return sum(int(row[1]) for row in db.sql("SHOW BINARY LOGS"))


@pytest.mark.flavors("mysql")
@pytest.mark.parametrize("compressible", [True, False], ids=["small packet", "large packet"])
def test_large_compressed_transaction_keeps_to_the_memory(new_db, redis, sluice, full, compressible):
    """64 MB through a buffer of 2 MiB (16 MB in a large packet); 2 GB through the default at full size.

    What it adds to the promise: its packet, zstd's window (2 MiB at the server's level) and one of its events.
    """
    large = full and compressible
    small = not full and not compressible
    db = new_db({"innodb_buffer_pool_size": "512M", "max_binlog_cache_size": 8 << 30} if large else None)
    shop = Shop(db, redis)
    megabytes, buffer_mb = (2000, 64) if large else (16, 2) if small else (64, 2)
    driver = sluice(config(db, redis, buffer_bytes=f"{buffer_mb}MiB")).start()
    shop.wait_streaming(driver)
    idle, before = driver.memory()[0], log_bytes(db)
    keys = [f"order:{number}" for number in range(1, 2001)]
    shop.plant(*keys)
    grow(db, megabytes, session=ON[db.flavor], text="REPEAT('x', 190)" if compressible else RANDOM_TEXT)
    written = log_bytes(db) - before
    assert (written < megabytes * MB // 4) == compressible, f"{written} bytes of log"
    shop.wait_gone(*keys, limit_s=1800)
    shop.wait_streaming(driver, order_id=900_002)
    peak = driver.memory()[1]
    print(f"memory: idle {idle / MB:.1f} MiB, peak {peak / MB:.1f} MiB, log {written / MB:.1f} MiB of {megabytes} MB")
    assert peak - idle < limit_of(buffer_mb) + written + 4 * MB, f"idle {idle}, peak {peak}"
    assert driver.stop() == FINE


def printing(server, start="current"):
    """A service that prints its changes."""
    return {
        "source": source_of(server, start=start),
        "sinks": {"out": {"type": "stdout"}},
        "routes": [{"table": "shop.orders", "key": "id", "to": "out"}],
        "buffer_bytes": "1MiB",
    }


def wait_printed(driver, count):
    """All that it has printed once these are that many changes, in the order of the log."""

    def found():
        with open(driver.log_path, encoding="utf-8") as log:
            texts = [text for text in log if text.startswith('{"op"')]
        return texts if len(texts) >= count and texts[-1].endswith("\n") else None

    lines = list(map(json.loads, wait_until(found, lambda: f"{count} changes: {driver.tail(3)}", 120, 0.2)))
    return sorted(lines, key=lambda line: line["version"])


@pytest.mark.flavors("mysql")
def test_connection_lost_inside_of_a_compressed_transaction_loses_and_repeats_nothing(db, sluice, compression):
    """Cut in the middle of its bytes, and behind them while its rows are handed out: what went out in chunks before the
    connection was lost does not come again."""
    Shop(db)
    begin = at(db.position())
    with db.connect("shop") as con, con.cursor() as cur:
        compression(con, True)
        for _ in range(2):
            grow(db, 2, session=ON["mysql"], text=RANDOM_TEXT)
            cur.execute("INSERT INTO orders (order_id, user_id) VALUES (1, 2)")
    dumped = sluice(printing(db)).dump("--from", begin, "--to", at(db.position()), config=True)
    expected = list(map(without_places, dumped))
    # The stream uncut; the first transaction is its first half.
    with CuttingProxy(db.port) as proxy:
        driver = sluice(printing(proxy, begin)).start()
        assert list(map(without_places, wait_printed(driver, len(expected)))) == expected
        assert driver.stop() == FINE
        half = max(proxy.sent) // 2
    assert half > MB, "the log was not what the test means"
    with CuttingProxy(db.port, [half // 4, half // 2, half - 60_000, half + 9_000, half // 2, half - 20_000]) as proxy:
        driver = sluice(printing(proxy, begin)).start()
        lines = wait_printed(driver, len(expected))
        assert proxy.done == len(proxy.cuts), proxy.sent
        assert driver.stop() == FINE
        assert len(wait_printed(driver, len(expected))) == len(expected), "changes came twice"
    assert list(map(without_places, lines)) == expected


def kill_in_large_transactions(db, redis, sluice):
    """Chunks of it are out, the checkpoint is before it: it is read again from its start."""
    shop = Shop(db, redis)
    driver = sluice(config(db, redis, buffer_bytes="1MiB")).start()
    shop.wait_streaming(driver)
    grow(db, 8, session=ON[db.flavor])
    for _ in range(3):
        shop.plant("order:1")
        wait_until(lambda: not shop.left("order:1") or not driver.alive(), "a first part of it", 120)
        driver.restart()
    keys = [f"order:{number}" for number in range(1, 2001)]
    shop.plant(*keys)
    grow(db, 0, update=True, session=ON[db.flavor])
    shop.wait_gone(*keys, limit_s=600)


def test_killed_in_a_large_compressed_transaction_loses_nothing(new_db, redis, sluice):
    kill_in_large_transactions(new_db(), redis, sluice)


@pytest.mark.flavors("mysql")
def test_killed_in_a_large_compressed_transaction_without_gtids_loses_nothing(new_db, redis, sluice):
    """The place to go on is a file and an offset."""
    kill_in_large_transactions(new_db({"gtid-mode": "OFF", "enforce-gtid-consistency": "OFF"}), redis, sluice)


class TestEncryptedLogs:
    """A server decrypts what it sends; its files are a clear stop."""

    @staticmethod
    def check(db, redis, sluice):
        shop = Shop(db, redis)
        begin = db.position()
        driver = sluice(config(db, redis, at(begin))).start()
        shop.wait_streaming(driver)
        shop.orders(range(1, 101))
        with db.connect("shop") as con, con.cursor() as cur:
            for statement in ON[db.flavor]:
                cur.execute(statement)
            shop.plant(*(f"order:{number}" for number in range(1, 101)))
            cur.execute("UPDATE orders SET amount = amount + 1 WHERE order_id <= 100")
        shop.wait_gone(*(f"order:{number}" for number in range(1, 101)))
        driver.restart()
        shop.check_changes_reach_cache(range(1, 11))
        done = sluice().run("dump", db.flush_logs(), config=False)
        assert done.returncode == STOPPED and "is encrypted" in done.stderr, done.stderr
        assert not done.stdout

    @pytest.mark.flavors("mariadb")
    def test_stream_of_mariadb(self, new_db, redis, sluice, tmp_path):
        keys = tmp_path / "keys"
        keys.write_text("1;" + "a1" * 32 + "\n")
        options = {"plugin-load-add": "file_key_management", "file-key-management-filename": str(keys)}
        self.check(new_db({**options, "encrypt-binlog": "ON"}), redis, sluice)

    @pytest.mark.flavors("mysql")
    def test_stream_of_mysql(self, new_db, redis, sluice):
        self.check(new_db(kind=EncryptedMySQL), redis, sluice)
