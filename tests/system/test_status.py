"""`sluice status`, the stats line, signals and logs: what a person or a health check sees of a service."""

import json
import re
import signal

import pytest

from shop import Shop, config
from sluice import FINE, wait_until


@pytest.fixture
def shop(db, redis):
    return Shop(db, redis)


def test_status_of_a_running_service(shop, sluice):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders([1])
    shop.wait_streaming(driver)
    text = driver.rendered("status")
    assert shop.db.position()[0] in text, text
    assert "cache" in text


def test_status_follows_the_position(shop, sluice):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders([1])
    shop.wait_streaming(driver)
    shop.db.flush_logs()
    shop.check_changes_reach_cache([1])
    name = shop.db.position()[0]
    wait_until(lambda: name in driver.rendered("status"), lambda: f"{name} in {driver.rendered('status')}")


def test_status_without_a_service_fails(shop, sluice):
    done = sluice(config(shop.db, shop.redis)).run("status")
    assert done.returncode not in (FINE, 2) and done.stderr, done


def test_status_tells_of_a_dead_sink(shop, sluice):
    """The exit code serves a health check."""
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders([1])
    shop.wait_streaming(driver)
    shop.redis.stop()
    shop.db.sql("UPDATE shop.orders SET amount = 5 WHERE order_id = 1")
    wait_until(lambda: driver.run("status").returncode != FINE, "a bad status")
    shop.redis.start()
    wait_until(lambda: driver.run("status").returncode == FINE, "a good status")


def test_stats_line_has_the_promised_figures(shop, sluice):
    driver = sluice(config(shop.db, shop.redis, stats_interval="1s")).start()
    shop.orders([1])
    shop.wait_streaming(driver)
    # Those from before the source was open have no position yet.
    line = driver.wait_log(msg="figures", position=lambda text: text.startswith("bin."))
    text = " ".join(line)
    for figure in ("lag", "rows", "queue", "unacknowledged", "parked", "retries"):
        assert figure in text, (figure, line)


def test_log_lines_are_json_when_asked(shop, sluice):
    driver = sluice(config(shop.db, shop.redis, log_format="json")).start()
    shop.wait_streaming(driver)
    assert driver.stop() == FINE
    with open(driver.log_path, encoding="utf-8") as log:
        lines = [json.loads(line) for line in log]
    assert lines and all({"ts", "level", "msg"} <= set(line) for line in lines)


def test_no_row_data_in_the_log(shop, sluice):
    driver = sluice(config(shop.db, shop.redis, stats_interval="1s")).start()
    shop.wait_streaming(driver)
    shop.db.sql("INSERT INTO shop.orders (order_id, user_id, note) VALUES (77, 1, 'very-private-words')")
    shop.check_changes_reach_cache([77])
    assert driver.stop() == FINE
    with open(driver.log_path, encoding="utf-8") as log:
        assert "very-private-words" not in log.read()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_signal_drains_and_ends_well(shop, sluice, sig):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders(range(1, 101))
    shop.wait_streaming(driver)
    driver.process.send_signal(sig)
    assert driver.wait_exit() == FINE


def test_second_signal_leaves_at_once(shop, sluice):
    driver = sluice(config(shop.db, shop.redis, shutdown_ms=3_600_000)).start()
    shop.orders(range(1, 11))
    shop.wait_streaming(driver)
    # A dead Redis keeps the drain from ending.
    shop.redis.pause()
    shop.db.sql("UPDATE shop.orders SET amount = 5")
    wait_until(lambda: not re.search(r"^unacknowledged +0$", driver.run("status").stdout, re.M), "something to drain")
    driver.process.send_signal(signal.SIGTERM)
    driver.wait_log(msg=lambda msg: re.search("drain|stop|signal", msg))
    assert driver.alive()
    driver.process.send_signal(signal.SIGTERM)
    assert driver.wait_exit(30) != FINE
    shop.redis.resume()


def test_drain_gives_up_after_shutdown_ms(shop, sluice):
    driver = sluice(config(shop.db, shop.redis, shutdown_ms=300)).start()
    shop.orders(range(1, 11))
    shop.wait_streaming(driver)
    shop.redis.stop()
    shop.db.sql("UPDATE shop.orders SET amount = 5")
    driver.process.send_signal(signal.SIGTERM)
    driver.wait_exit(60)
    # What was not drained is done by the next start.
    shop.redis.start()
    shop.plant("order:1")
    driver.start()
    shop.wait_gone("order:1")
