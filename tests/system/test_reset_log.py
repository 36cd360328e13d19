"""A log that was begun anew: what was known of the old one by file and offset says nothing of the new one, which has the
same names for its files. Without names in the log a row must come out with those that it had, or stop.
"""

import pytest

from sluice import FINE, STOPPED, at, wait_until
from test_schema_live import TYPE, WITHOUT_NAMES, Table, create, routed, streaming

SWAP = f"ALTER TABLE t CHANGE a b {TYPE}, CHANGE b a {TYPE}"


def reset(db):
    """The new log is begun at another second than the old one, whatever the clock says."""
    db.script(["SET TIMESTAMP = 1700000000", "RESET MASTER" if db.flavor == "mariadb" else "RESET BINARY LOGS AND GTIDS",
               "SET TIMESTAMP = DEFAULT"])


@pytest.fixture(params=["gtids", "files"])
def table(request, new_db, redis, flavor):
    """Behind some rows of a log that was just begun; MariaDB has GTIDs always."""
    options = {"binlog_row_metadata": WITHOUT_NAMES[flavor]}
    if flavor == "mysql" and request.param == "files":
        options.update({"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"})
    elif request.param == "files":
        pytest.skip("MariaDB has GTIDs always")
    db = new_db(options)
    db.reset_binlog()
    db.sql(create("t"))
    return Table(db, cache=redis.client())


def old_log(table, driver):
    """The columns change places far behind the begin of the log; the service has read all of it and is stopped."""
    streaming(driver, table)
    table.rows(20)
    table.run(SWAP)
    table.rows(3)
    table.wait_done(driver)
    assert driver.stop() == FINE


def right_or_stopped(table, driver):
    """Every key that has gone is one of column a."""
    wait_until(lambda: not driver.alive() or not table.undone(), lambda: f"{table.undone()[:5]}: {driver.tail()}")
    assert not table.wrong(), driver.tail()


def test_a_place_low_in_the_new_log_has_no_names_of_the_old_one(table, redis, sluice):
    driver = sluice(routed(table.db, redis, "t"))
    old_log(table, driver)
    reset(table.db)
    begin = at(table.db.position())
    table.rows(3)
    assert driver.run("position", "set", begin).returncode == FINE
    driver.start()
    table.wait_done(driver)
    table.run(SWAP)
    table.rows(3)
    table.wait_done(driver)
    assert driver.stop() == FINE
    # What is known of the new log stays known.
    assert driver.run("position", "set", begin).returncode == FINE
    driver.start()
    table.rows(3)
    table.wait_done(driver)
    assert driver.stop() == FINE


def test_a_place_high_in_the_new_log_and_then_a_low_one(table, redis, sluice):
    driver = sluice(routed(table.db, redis, "t"))
    old_log(table, driver)
    reset(table.db)
    begin = at(table.db.position())
    table.rows(3)
    table.db.sql("FLUSH BINARY LOGS")
    assert driver.run("position", "set", at(table.db.position())).returncode == FINE
    high = table.number
    driver.start()
    driver.wait_log(msg=lambda text: text.startswith("connected to"))
    table.rows(3)
    wait_until(lambda: not [key for key in table.undone() if int(key[4:]) > high], driver.tail)
    assert driver.stop() == FINE
    assert driver.run("position", "set", begin).returncode == FINE
    driver.start()
    right_or_stopped(table, driver)


def test_a_log_that_grew_past_the_place_while_the_service_was_away_stops_it(table, redis, sluice):
    driver = sluice(routed(table.db, redis, "t"))
    old_log(table, driver)
    reached = table.db.position()
    gone = table.number
    reset(table.db)
    while table.db.position() <= reached or table.number < 2 * gone:
        table.row()
    driver.start()
    assert driver.wait_exit() == STOPPED, driver.tail()
    assert driver.find_log(err="gtid_surplus"), driver.tail()
    assert not table.wrong()
