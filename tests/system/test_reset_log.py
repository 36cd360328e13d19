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


@pytest.mark.parametrize("left_out", [True, False])
def test_files_that_lie_behind_what_the_service_has_read(new_db, redis, sluice, flavor, left_out):
    """The service knows the columns as they were before a statement that only the file left out has."""
    db = new_db({"binlog_row_metadata": WITHOUT_NAMES[flavor]})
    db.reset_binlog()
    db.sql(create("t"))
    table = Table(db, cache=redis.client())
    driver = sluice(routed(db, redis, "t"))
    streaming(driver, table)
    table.rows(3)
    table.wait_done(driver)
    assert driver.stop() == FINE
    db.sql("FLUSH BINARY LOGS")
    table.run(SWAP)
    db.sql("FLUSH BINARY LOGS")
    number = table.number
    table.rows(3)
    db.sql("FLUSH BINARY LOGS")
    paths = [db.binlog_path(row[0]) for row in db.sql("SHOW BINARY LOGS")]
    files = paths[2 if left_out else 1 : 3]
    done = driver.run("replay", "again", *files, "--from", f"{files[0].rpartition('/')[2]}:4", "--to", at(db.position()))
    assert not table.wrong(), done.stderr
    if left_out:
        assert done.returncode == STOPPED and "schema_unknown" in done.stderr, done.stderr
    else:
        assert done.returncode == FINE and number == table.number - 3 and not table.undone(), done.stderr


def test_a_file_that_is_left_out_of_a_dump_leaves_no_definition_behind(new_db, sluice, flavor):
    db = new_db({"binlog_row_metadata": WITHOUT_NAMES[flavor]})
    db.reset_binlog()
    db.sql(create("t"))
    table = Table(db)
    table.rows(2)
    db.sql("FLUSH BINARY LOGS")
    table.run(SWAP)
    db.sql("FLUSH BINARY LOGS")
    table.rows(2)
    db.sql("FLUSH BINARY LOGS")
    paths = [db.binlog_path(row[0]) for row in db.sql("SHOW BINARY LOGS")]
    assert [line["after"]["a"] for line in sluice().dump(*paths[:3])] == ["a-1", "a-2", "a-3", "a-4"]
    done = sluice().run("dump", paths[0], paths[2], config=False)
    assert done.returncode == STOPPED and "schema_unknown" in done.stderr, done.stderr
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("source", ["server", "files"])
@pytest.mark.parametrize("begin", ["place", "gtids"])
def test_a_replay_that_goes_on_behind_its_end_before_the_service_began(new_db, redis, sluice, flavor, source, begin):
    """Neither the replay nor the service has read the statement in between."""
    db = new_db({"binlog_row_metadata": WITHOUT_NAMES[flavor]})

    def here():
        return at(db.position()) if begin == "place" else db.gtid()

    db.reset_binlog()
    first = at(db.position())
    db.sql(create("t"))
    table = Table(db, cache=redis.client())
    table.rows(3)
    end = here()
    db.sql("FLUSH BINARY LOGS")
    table.run(SWAP)
    db.sql("FLUSH BINARY LOGS")
    second, number = here(), table.number
    table.rows(3)
    db.sql("FLUSH BINARY LOGS")
    driver = sluice(routed(db, redis, "t"))
    logs = [row[0] for row in db.sql("SHOW BINARY LOGS")]
    cache = redis.client()
    cache.delete(*table.undone())
    streaming(driver, table)
    assert driver.stop() == FINE
    paths = [db.binlog_path(name) for name in logs]
    planted = [f"k:{name}-{n}" for name in "ab" for n in range(1, table.number + 1)]
    cache.mset(dict.fromkeys(planted, "planted"))
    files = (paths[:1], paths[2:3]) if source == "files" else ([], [])
    start = ["--from", first] if source == "server" or begin == "place" else []
    done = driver.run("replay", "again", *files[0], *start, *(["--to", end] if source == "server" else []))
    assert done.returncode == FINE, done.stderr
    assert not table.wrong() and f"k:a-{number}" not in table.undone()
    start = ["--from", second] if source == "server" or begin == "gtids" else []
    done = driver.run("replay", "again", *files[1], *start)
    assert not table.wrong(), done.stderr
    if done.returncode == FINE:
        assert not [key for key in table.undone() if number < int(key[4:]) <= number + 3], done.stderr
    else:
        assert "schema_unknown" in done.stderr, done.stderr
