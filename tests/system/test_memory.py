"""Bounded memory: large transactions, large tables, a source that is not read for long."""

from shop import Shop, config
from sluice import FINE, at, wait_until

MB = 1 << 20


def grow(db, megabytes, update=False, session=(), text="REPEAT('x', 190)"):
    """One transaction whose rows fill so many megabytes of binlog, after some statements that set up its session."""
    with db.connect("shop", autocommit=False, read_timeout=1800) as con, con.cursor() as cur:
        for statement in session:
            cur.execute(statement)
        if update:
            cur.execute("UPDATE orders SET amount = amount + 1, note = REPEAT('y', 190)")
        else:
            rows = 2000
            statement = "INSERT INTO orders (order_id, user_id, note) VALUES " + ", ".join(
                f"({number}, 1, {text})" for number in range(1, rows + 1)
            )
            for _ in range(megabytes * MB // (rows * 240)):
                cur.execute(statement)
        con.commit()


def limit_of(buffer_mb):
    """Promise 5: the budget and 32 MiB, beside what the idle process has."""
    return (buffer_mb + 32) * MB


def test_transaction_far_larger_than_the_buffer(new_db, redis, sluice, full):
    """64 MB through a buffer of 2 MiB; 2 GB through the default of 64 MiB at full size."""
    db = new_db({"innodb_buffer_pool_size": "512M", "max_binlog_cache_size": 8 << 30} if full else None)
    shop = Shop(db, redis)
    megabytes, buffer_mb = (2000, 64) if full else (64, 2)
    driver = sluice(config(db, redis, buffer_bytes=f"{buffer_mb}MiB")).start()
    shop.wait_streaming(driver)
    idle = driver.memory()[0]
    keys = [f"order:{number}" for number in range(1, 2001)]
    shop.plant(*keys)
    grow(db, megabytes)
    shop.wait_gone(*keys, limit_s=1800)
    # Also its end has arrived when a later change has.
    shop.wait_streaming(driver, order_id=900_002)
    peak = driver.memory()[1]
    print(f"memory: idle {idle / MB:.1f} MiB, peak {peak / MB:.1f} MiB, transaction {megabytes} MB")
    assert peak - idle < limit_of(buffer_mb), f"idle {idle}, peak {peak}"
    assert driver.stop() == FINE


def test_killed_in_a_large_transaction_loses_nothing(new_db, redis, sluice):
    """Chunks of it are out, the checkpoint is before it: it is read again from its start."""
    shop = Shop(new_db(), redis)
    driver = sluice(config(shop.db, redis, buffer_bytes="1MiB")).start()
    shop.wait_streaming(driver)
    grow(shop.db, 24)
    for _ in range(5):
        shop.plant("order:1")
        wait_until(lambda: not shop.left("order:1") or not driver.alive(), "a first part of it", 120)
        driver.restart()
    keys = [f"order:{number}" for number in range(1, 2001)]
    shop.plant(*keys)
    grow(shop.db, 0, update=True)
    shop.wait_gone(*keys, limit_s=600)


def test_source_that_is_not_read_for_long_is_still_there(new_db, redis, sluice, full):
    """A dead Redis holds the source back; the server must not cut the stream, and nothing may be lost.

    The server's own net_write_timeout is far below the outage: 90 s at full size.
    """
    pause_s = 90 if full else 8
    db = new_db({"net_write_timeout": 2})
    shop = Shop(db, redis)
    driver = sluice(config(db, redis, buffer_bytes="1MiB")).start()
    shop.wait_streaming(driver)
    grow(db, 4)
    keys = [f"order:{number}" for number in range(1, 2001)]
    shop.wait_streaming(driver, order_id=900_002)
    reconnects = len(driver.find_log(level="warn"))
    redis.pause()
    for _ in range(8):
        grow(db, 4, update=True)
    db.sql(f"SELECT SLEEP({pause_s})")
    redis.resume()
    shop.plant(*keys)
    grow(db, 0, update=True)
    shop.wait_gone(*keys, limit_s=600)
    assert driver.alive()
    assert not [line for line in driver.find_log(level="warn")[reconnects:] if line.get("err") == "connect"], driver.tail()
    assert driver.stop() == FINE


def test_table_of_many_rows_is_dumped_in_bounded_memory(new_db, sluice, full, redis):
    """16 million rows at full size."""
    db = new_db({"innodb_buffer_pool_size": "512M"} if full else None)
    begin = db.position()
    doublings = 24 if full else 17
    db.sql("CREATE TABLE shop.many (id INT PRIMARY KEY AUTO_INCREMENT, v INT)")
    db.sql("INSERT INTO shop.many (v) VALUES (1)")
    for _ in range(doublings):
        with db.connect("shop", read_timeout=1800) as con, con.cursor() as cur:
            cur.execute("INSERT INTO many (v) SELECT v FROM many")
    rows = db.value("SELECT COUNT(*) FROM shop.many")
    route = {"table": "shop.many", "to": "cache", "invalidate": ["many:{id}"]}
    driver = sluice(config(db, redis, at(begin), routes=[route], buffer_bytes="4MiB")).start()
    cache = redis.client()
    cache.mset({"many:1": 1, "sentinel": 1})
    wait_until(lambda: not cache.exists("many:1"), lambda: f"the first row: {driver.tail()}", 600)
    idle = driver.memory()[0]
    last = db.value("SELECT MAX(id) FROM shop.many")
    cache.set(f"many:{last}", 1)
    db.sql("UPDATE shop.many SET v = 2 WHERE id = %s", (last,))
    wait_until(lambda: not cache.exists(f"many:{last}"), lambda: f"the last row: {driver.tail()}", 3600)
    peak = driver.memory()[1]
    print(f"memory: {rows} rows, early {idle / MB:.1f} MiB, peak {peak / MB:.1f} MiB")
    assert peak < limit_of(4) + 16 * MB
    assert driver.stop() == FINE
