"""Two servers and one stream, by GTID: the second goes on where the first ended, under other file names."""

import pytest

from shop import Shop, config
from sluice import FINE, stopped_with, wait_until


@pytest.fixture
def pair(new_db):
    """(primary, replica) with the replica following; its file numbers are its own."""
    primary, replica = new_db(name="primary"), new_db(name="replica")
    replica.sql("DROP DATABASE shop")
    replica.reset_binlog()
    replica.replicate_from(primary)
    for _ in range(3):
        replica.flush_logs()
    return primary, replica


def hosts(*servers):
    return [f"127.0.0.1:{server.port}" for server in servers]


def failing_over(pair, redis, **more):
    primary, replica = pair
    made = config(primary, redis, **more)
    made["source"]["host"] = hosts(primary, replica)
    return made


def promote(replica):
    replica.stop_replica()
    replica.sql("SET GLOBAL read_only = OFF")


def keys(numbers):
    return [f"order:{number}" for number in numbers]


def test_next_host_continues_by_gtid(pair, redis, sluice):
    primary, replica = pair
    shop = Shop(primary, redis)
    shop.orders(range(1, 31))
    driver = sluice(failing_over(pair, redis)).start()
    shop.wait_streaming(driver)
    shop.check_changes_reach_cache(range(1, 11))

    replica.catch_up_with(primary)
    primary.kill()
    promote(replica)
    shop.db = replica
    shop.check_changes_reach_cache(range(11, 21))

    # Also a service that was down during all that.
    driver.kill()
    shop.plant(*keys(range(21, 31)))
    for number in range(21, 31):
        shop.pay(number)
    driver.start()
    shop.wait_gone(*keys(range(21, 31)))
    assert driver.stop() == FINE


def test_changes_that_only_the_replica_has_passed_on_are_seen(pair, redis, sluice):
    """Changes made while sluice is down, read later from the replica only."""
    primary, replica = pair
    shop = Shop(primary, redis)
    shop.orders(range(1, 21))
    driver = sluice(failing_over(pair, redis)).start()
    shop.wait_streaming(driver)
    driver.kill()
    shop.plant(*keys(range(1, 21)))
    for number in range(1, 21):
        shop.pay(number)
    replica.catch_up_with(primary)
    primary.kill()
    driver.start()
    shop.wait_gone(*keys(range(1, 21)))


def lose_transactions(pair, redis, sluice, **more):
    """sluice has seen a transaction of the primary that the promoted replica lacks."""
    primary, replica = pair
    shop = Shop(primary, redis)
    shop.orders(range(1, 11))
    made = failing_over(pair, redis)
    made["source"].update(more)
    driver = sluice(made).start()
    shop.wait_streaming(driver)
    replica.catch_up_with(primary)
    replica.sql("STOP SLAVE" if replica.flavor == "mariadb" else "STOP REPLICA")
    shop.check_changes_reach_cache([1])
    lost = primary.gtid()
    primary.kill()
    promote(replica)
    shop.db = replica
    shop.orders([100])
    return shop, driver, lost


def test_lost_transactions_stop_and_are_named(pair, redis, sluice):
    _, driver, lost = lose_transactions(pair, redis, sluice, lost_grace_ms=2000)
    line = stopped_with(driver, "gtid_surplus")
    number = lost.replace(":", "-").split("-")[-1]
    assert number in str(line), (lost, line)


def test_lost_transactions_continue_when_told_to(pair, redis, sluice):
    shop, driver, _ = lose_transactions(pair, redis, sluice, on_lost_transactions="continue", lost_grace_ms=2000)
    wait_until(lambda: driver.find_log(err="gtid_surplus"), "a warning")
    shop.wait_streaming(driver)
    # What it goes on from is stored: after a restart nothing is missed, and nothing is said to be lost again.
    driver.restart()
    shop.wait_streaming(driver, order_id=900_003)
    assert not driver.find_log(err="gtid_surplus"), driver.tail()
