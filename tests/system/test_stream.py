"""Streaming from a live server: where it starts, what it survives, where it goes on."""

import signal

import pytest

from shop import Shop, config
from sluice import FINE, at, stopped_with, wait_until


@pytest.fixture
def shop(db, redis):
    return Shop(db, redis)


def keys(numbers):
    return [f"order:{number}" for number in numbers]


def test_start_current_sees_what_comes_and_not_what_was(shop, sluice):
    shop.order(1)
    shop.plant("order:1")
    driver = sluice(config(shop.db, shop.redis, "current")).start()
    shop.wait_streaming(driver)
    assert shop.left("order:1"), "a change before the start was taken"
    shop.check_changes_reach_cache([1])
    assert driver.stop() == FINE


def test_start_earliest_sees_the_whole_log(new_db, redis, sluice):
    shop = Shop(new_db(), redis)
    shop.orders(range(1, 30))
    shop.db.flush_logs()
    shop.plant(*keys(range(1, 30)))
    sluice(config(shop.db, redis, "earliest")).start()
    shop.wait_gone(*keys(range(1, 30)))


@pytest.mark.parametrize("kind", ["position", "gtid"])
def test_start_at_a_place_sees_all_after_it_and_nothing_before(shop, sluice, kind):
    shop.order(1)
    start = at(shop.db.position()) if kind == "position" else shop.db.gtid()
    shop.order(2)
    shop.plant("order:1", "order:2")
    driver = sluice(config(shop.db, shop.redis, start)).start()
    shop.wait_gone("order:2")
    shop.wait_streaming(driver)
    assert shop.left("order:1")


def test_both_images_invalidate_and_a_deleted_row_too(shop, sluice):
    shop.order(1, user_id=7, items=2)
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.wait_streaming(driver)
    sql = shop.db.sql

    shop.plant("order:1", "user:7:orders", "user:8:orders", "user:9:orders")
    sql("UPDATE shop.orders SET user_id = 8 WHERE order_id = 1")
    shop.wait_gone("order:1", "user:7:orders", "user:8:orders")
    assert shop.left("user:9:orders")

    shop.plant("order:1", "order:2", "order:3")
    sql("UPDATE shop.order_items SET order_id = 2 WHERE order_id = 1 LIMIT 1")
    shop.wait_gone("order:1", "order:2")
    assert shop.left("order:3")

    shop.plant("order:1", "user:8:orders")
    sql("DELETE FROM shop.orders WHERE order_id = 1")
    shop.wait_gone("order:1", "user:8:orders")
    assert shop.left("order:3", "user:9:orders") == {"order:3", "user:9:orders"}


def test_rolled_back_changes_touch_nothing(shop, sluice):
    shop.orders([1, 2])
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.wait_streaming(driver)
    shop.plant("order:1", "order:2")
    with shop.db.connect("shop", autocommit=False) as con, con.cursor() as cur:
        cur.execute("UPDATE orders SET status = 'x' WHERE order_id = 1")
        con.rollback()
        cur.execute("UPDATE orders SET status = 'x' WHERE order_id = 2")
        con.commit()
    shop.wait_gone("order:2")
    assert shop.left("order:1")


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_resume_sees_what_happened_meanwhile(shop, sluice, how):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders(range(1, 41))
    shop.wait_streaming(driver)
    for round_number in range(4):
        if how == "stop":
            assert driver.stop() == FINE
        else:
            driver.kill()
        numbers = range(1 + 10 * round_number, 11 + 10 * round_number)
        shop.plant(*keys(numbers))
        for number in numbers:
            shop.pay(number)
        if round_number % 2:
            shop.db.flush_logs()
        driver.start()
        shop.wait_gone(*keys(numbers))
    assert driver.stop() == FINE


def test_stop_checkpoints_all_that_was_done(shop, sluice):
    """After a clean end nothing is sent again: an entry planted then stays."""
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders([1])
    shop.wait_streaming(driver)
    shop.check_changes_reach_cache([1])
    assert driver.stop() == FINE
    shop.plant("order:1")
    driver.start()
    shop.wait_streaming(driver, order_id=900_001)
    assert shop.left("order:1")


def test_flush_logs_and_rotation_are_followed(shop, sluice):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders(range(1, 31))
    shop.wait_streaming(driver)
    for number in range(1, 31):
        shop.plant(f"order:{number}")
        shop.pay(number)
        if number % 3 == 0:
            shop.db.flush_logs()
    shop.wait_gone(*keys(range(1, 31)))
    assert driver.stop() == FINE


@pytest.mark.parametrize("kill", [False, True], ids=["restart", "kill"])
def test_server_restart_is_survived(new_db, redis, sluice, kill):
    shop = Shop(new_db(), redis)
    driver = sluice(config(shop.db, redis)).start()
    shop.orders(range(1, 21))
    shop.wait_streaming(driver)
    for numbers in (range(1, 11), range(11, 21)):
        shop.plant(*keys(numbers))
        shop.db.restart(kill=kill)
        for number in numbers:
            shop.pay(number)
        shop.wait_gone(*keys(numbers))
    assert driver.alive()
    assert driver.stop() == FINE


def test_server_that_comes_late_is_waited_for(new_db, redis, sluice):
    shop = Shop(new_db(), redis)
    shop.orders([1])
    start = at(shop.db.position())
    shop.pay(1)
    shop.plant("order:1")
    shop.db.stop()
    driver = sluice(config(shop.db, redis, start)).start()
    driver.wait_log(level="warn")
    assert driver.alive()
    shop.db.start()
    shop.wait_gone("order:1")


def test_file_numbers_grow_beyond_six_digits(new_db, redis, sluice):
    db = new_db()
    db.sql(("RESET MASTER TO 999998" if db.flavor == "mariadb" else "RESET BINARY LOGS AND GTIDS TO 999998"))
    shop = Shop(db, redis)
    shop.orders(range(1, 31))
    driver = sluice(config(db, redis)).start()
    shop.wait_streaming(driver)
    for number in range(1, 16):
        shop.plant(f"order:{number}")
        shop.pay(number)
        if number % 3 == 0:
            db.flush_logs()
            driver.restart()
    shop.wait_gone(*keys(range(1, 16)))
    assert db.binlogs()[-1].split(".")[1].startswith("100000")


def test_heartbeat_keeps_an_idle_connection(shop, sluice):
    """Nothing happens for many heartbeats: no reconnect, and the next change arrives."""
    driver = sluice(config(shop.db, shop.redis, source={"heartbeat_ms": 100})).start()
    shop.orders([1])
    shop.wait_streaming(driver)
    connections = dump_threads(shop.db)
    # Idle for so many of the server's own seconds, by its clock.
    shop.db.sql("SELECT SLEEP(3)")
    assert dump_threads(shop.db) == connections
    shop.check_changes_reach_cache([1])


def dump_threads(db):
    return sorted(row[0] for row in db.sql("SHOW PROCESSLIST") if row[4].startswith("Binlog Dump"))


def test_silent_server_is_left_and_found_again(new_db, redis, sluice):
    """A stopped process keeps its sockets open and says nothing."""
    shop = Shop(new_db(), redis)
    shop.orders([1, 2])
    driver = sluice(config(shop.db, redis, source={"heartbeat_ms": 200})).start()
    shop.wait_streaming(driver)
    shop.db.pause()
    try:
        driver.wait_log(level="warn")
    finally:
        shop.db.resume()
    shop.check_changes_reach_cache([1, 2])


def test_killed_connection_is_opened_again(shop, sluice):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders(range(1, 6))
    shop.wait_streaming(driver)
    for number in range(1, 6):
        (thread,) = wait_until(lambda: dump_threads(shop.db), "a dump thread")
        shop.db.sql(f"KILL {thread}")
        shop.check_changes_reach_cache([number])


def test_change_does_not_wait_behind_a_rotation(shop, sluice):
    """What follows in the same read and gives nothing must not keep a commit until the next heartbeat."""
    shop.orders(range(1, 4))
    conf = config(shop.db, shop.redis)
    conf["source"]["heartbeat_ms"] = "10m"
    driver = sluice(conf).start()
    shop.wait_streaming(driver)
    shop.plant("order:1")
    driver.process.send_signal(signal.SIGSTOP)
    shop.pay(1)
    shop.db.flush_logs()
    driver.process.send_signal(signal.SIGCONT)
    shop.wait_gone("order:1", limit_s=60)


@pytest.mark.flavors("mysql")
class TestMySQL:
    def test_without_gtids_the_position_is_file_and_offset(self, new_db, redis, sluice):
        db = new_db({"gtid-mode": "OFF", "enforce-gtid-consistency": "OFF"})
        shop = Shop(db, redis)
        shop.orders(range(1, 11))
        driver = sluice(config(db, redis)).start()
        shop.wait_streaming(driver)
        driver.kill()
        shop.plant(*keys(range(1, 11)))
        for number in range(1, 11):
            shop.pay(number)
        db.flush_logs()
        driver.start()
        shop.wait_gone(*keys(range(1, 11)))

    def test_gtid_mode_turned_on_while_running(self, new_db, redis, sluice):
        db = new_db({"gtid-mode": "OFF", "enforce-gtid-consistency": "ON"})
        shop = Shop(db, redis)
        shop.orders(range(1, 11))
        driver = sluice(config(db, redis)).start()
        shop.wait_streaming(driver)
        for number, mode in enumerate(("OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"), 1):
            db.sql(f"SET GLOBAL gtid_mode = {mode}")
            shop.check_changes_reach_cache([number])
            # With GTIDs on, the server refuses to send what is before: the checkpoint must have passed it.
            wait_until(lambda: at(db.position()) in driver.rendered("position", "show"), "the checkpoint at the end")
            driver.kill()
            shop.plant(f"order:{number}")
            shop.pay(number)
            driver.start()
            shop.wait_gone(f"order:{number}")

    def test_first_start_with_purged_gtids(self, new_db, redis, sluice):
        db = new_db()
        shop = Shop(db, redis)
        shop.orders(range(1, 11))
        db.purge_to_last()
        assert db.value("SELECT @@gtid_purged")
        driver = sluice(config(db, redis)).start()
        shop.wait_streaming(driver)
        driver.restart()
        shop.check_changes_reach_cache([1])

    def test_tagged_gtids_resume(self, new_db, redis, sluice):
        db = new_db()
        shop = Shop(db, redis)
        shop.orders(range(1, 11))
        driver = sluice(config(db, redis)).start()
        shop.wait_streaming(driver)
        for number in range(1, 6):
            driver.kill()
            shop.plant(f"order:{number}")
            with db.connect() as con, con.cursor() as cur:
                cur.execute("SET SESSION gtid_next = 'AUTOMATIC:blue'")
                cur.execute("UPDATE shop.orders SET amount = 1 WHERE order_id = %s", (number,))
            driver.start()
            shop.wait_gone(f"order:{number}")
        assert "blue" in db.gtid()


@pytest.mark.flavors("mariadb")
class TestMariaDB:
    def test_names_come_from_the_server_where_the_log_has_none(self, new_db, redis, sluice):
        """binlog_row_metadata=NO_LOG is MariaDB's default."""
        db = new_db({"binlog_row_metadata": "NO_LOG"})
        shop = Shop(db, redis)
        shop.orders(range(1, 11))
        driver = sluice(config(db, redis)).start()
        shop.wait_streaming(driver)
        shop.check_changes_reach_cache(range(1, 11))
        driver.kill()
        shop.plant("order:1")
        shop.pay(1)
        driver.start()
        # A restart reads the table after that change: whether the row may be trusted is for it to say, not to guess.
        wait_until(lambda: not shop.left("order:1") or not driver.alive(), "the row or a refusal")
        if not driver.alive():
            assert "binlog_row_metadata=FULL" in driver.tail()

    def test_start_at_file_and_offset_knows_the_gtids_there(self, new_db, redis, sluice):
        """Stored positions then serve another host, too: the place of the file is known with what lies before it."""
        shop = Shop(new_db(), redis)
        shop.orders(range(1, 11))
        shop.db.flush_logs()
        shop.pay(1)
        start = at(shop.db.position())
        shop.pay(2)
        driver = sluice(config(shop.db, redis, start)).start()
        shop.wait_streaming(driver)
        assert driver.stop() == FINE
        assert shop.db.gtid() in driver.run("position", "show").stdout
        shop.plant("order:3")
        shop.pay(3)
        driver.start()
        shop.wait_gone("order:3")
