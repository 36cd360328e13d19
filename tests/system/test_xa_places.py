"""Where a start finds what is prepared: other servers, sinks at different places, replay, positions that were set."""

import os

import pytest

from sluice import FINE, STOPPED, at, wait_until
from test_failover import hosts, pair, promote  # noqa: F401  (pair is a fixture)
from test_xa import DURABLE, OTHER, TABLE, changes, config, ids, prepared, prepared_on, resolve, shop, xa  # noqa: F401

LOG_MOST = 40 << 20


def wait_prepared(driver, number):
    wait_until(lambda: prepared(driver) == number, f"{number} prepared")


def wait_stored(driver, place):
    wait_until(lambda: at(place) in driver.rendered("position", "show"), lambda: driver.rendered("position", "show"))


def put(row):
    return f"INSERT INTO t VALUES ({row}, 1, 'x')"


def test_failover_between_prepare_and_commit(pair, sluice):  # noqa: F811
    """Prepared on one server, committed on another: the rows come from what is kept."""
    primary, replica = pair
    primary.script([TABLE, OTHER])
    made = config(primary, start="current")
    made["source"]["host"] = hosts(primary, replica)
    driver = sluice(made).start()
    driver.wait_log(msg="reading")
    for number in (1, 2, 3):
        xa(primary, f"f{number}", put(number))
    wait_prepared(driver, 3)
    resolve(primary, "f3")
    wait_until(lambda: ids(changes(driver)) == [3], "the one that was committed before")
    replica.catch_up_with(primary)
    primary.kill()
    promote(replica)
    assert sorted(prepared_on(replica)) == ["f1", "f2"]
    resolve(replica, "f1")
    wait_until(lambda: ids(changes(driver)) == [3, 1], "the one that was committed behind it")
    # Also when it was down meanwhile.
    driver.kill()
    resolve(replica, "f2")
    driver.start()
    wait_until(lambda: ids(changes(driver)) == [3, 1, 2], "the one that was committed while it was down")
    assert driver.stop() == FINE


def both_sinks(db, redis):
    made = config(db, start="current")
    made["sinks"]["cache"] = {"type": "redis", "url": redis.url()}
    made["routes"].append({"table": "shop.t", "key": "id", "to": "cache", "invalidate": ["t:{id}"]})
    return made


def plant(redis, *rows):
    redis.client().mset({f"t:{row}": "planted" for row in rows})


def wait_gone(redis, *rows):
    wait_until(lambda: redis.client().exists(*(f"t:{row}" for row in rows)) == 0, f"{rows} to vanish")


def test_sinks_at_different_places(shop, redis, sluice):  # noqa: F811
    """One sink is behind the XA COMMIT, the other before it, or before the XA PREPARE: each gets all rows."""
    driver = sluice(both_sinks(shop, redis)).start()
    driver.wait_log(msg="reading")
    xa(shop, "early", put(1))
    wait_prepared(driver, 1)
    wait_stored(driver, shop.position())
    redis.kill()
    shop.sql("INSERT INTO shop.t VALUES (3, 1, 'holds the cache back')")
    resolve(shop, "early")
    xa(shop, "late", put(2))
    resolve(shop, "late")
    xa(shop, "open", put(4))
    wait_until(lambda: ids(changes(driver)) == [3, 1, 2], "the sink that goes on")
    wait_stored(driver, shop.position())
    driver.kill()
    redis.start()
    plant(redis, 1, 2, 3, 4)
    driver.start()
    wait_gone(redis, 1, 2, 3)
    wait_prepared(driver, 1)
    resolve(shop, "open")
    wait_gone(redis, 4)
    assert ids(changes(driver)) == [3, 1, 2, 4]
    assert driver.stop() == FINE


def test_replay_that_begins_between_prepare_and_commit__stops(shop, redis, sluice):  # noqa: F811
    driver = sluice(both_sinks(shop, redis))
    xa(shop, "r", put(1))
    between = at(shop.position())
    shop.sql("INSERT INTO shop.t VALUES (2, 1, 'x')")
    resolve(shop, "r")
    end = at(shop.position())
    done = driver.run("replay", "cut", "--from", between, "--to", end)
    assert done.returncode == STOPPED
    assert "X'72'" in done.stderr and "XA PREPARE" in done.stderr, done.stderr


def test_replay_over_both_ends__has_the_rows(shop, redis, sluice):  # noqa: F811
    driver = sluice(both_sinks(shop, redis))
    begin = at(shop.position())
    xa(shop, "r", put(1))
    xa(shop, "never", put(3))
    shop.sql("INSERT INTO shop.t VALUES (2, 1, 'x')")
    resolve(shop, "r")
    end = at(shop.position())
    plant(redis, 1, 2, 3)
    done = driver.run("replay", "whole", "--from", begin, "--to", end)
    assert done.returncode == FINE, done.stderr
    wait_gone(redis, 1, 2)
    assert redis.client().exists("t:3") == 1


def test_log_of_what_is_resolved_stays_small(shop, redis, sluice):  # noqa: F811
    """Rows that every sink is past leave the state while the service runs."""
    shop.sql("CREATE TABLE shop.big (id INT PRIMARY KEY, v LONGBLOB)")
    made = both_sinks(shop, redis)
    del made["sinks"]["out"]
    made["sinks"]["cache"]["on_restart"] = "ignore"  # else rows stay for as long as the server may lose them
    made["routes"] = [{"table": "shop.big", "key": "id", "to": "cache", "invalidate": ["t:{id}"]}]
    driver = sluice(made).start()
    driver.wait_log(msg="reading")
    xa(shop, "stays", "INSERT INTO big VALUES (1000, REPEAT('s', 100000))")
    path = os.path.join(driver.state_dir, "xa.log")
    written = largest = 0
    for number in range(30):
        xa(shop, f"n{number}", f"INSERT INTO big VALUES ({number}, REPEAT('x', 3000000))")
        plant(redis, number)
        resolve(shop, f"n{number}")
        if number % 5 == 4:
            wait_gone(redis, number)
        written += 3_000_000
        largest = max(largest, os.path.getsize(path))
    wait_prepared(driver, 1)
    assert written > 2 * LOG_MOST and largest < LOG_MOST
    plant(redis, 1000)
    driver.restart()
    resolve(shop, "stays")
    wait_gone(redis, 1000)
    assert driver.stop() == FINE


@pytest.mark.flavors("mysql")
def test_prepared_and_lost_by_the_server__never_emitted(new_db, sluice):
    """MySQL may lose prepared ones with different format ids at its start (docs/support.md)."""
    db = new_db(DURABLE)
    db.script([TABLE, OTHER])
    driver = sluice(config(db, start="current")).start()
    driver.wait_log(msg="reading")
    rows = range(1, 7)
    for row in rows:
        xa(db, f"l{row}", put(row), more=f",'b',{row}")
    wait_prepared(driver, len(rows))
    db.restart(kill=True)
    kept = {int(name[1]) for name in prepared_on(db)}
    for row in kept:
        resolve(db, f"l{row}", more=f",'b',{row}")
    wait_until(lambda: set(ids(changes(driver))) == kept, "what the server kept")
    assert {row[0] for row in db.sql("SELECT id FROM shop.t")} == kept
    wait_prepared(driver, len(rows) - len(kept))
    # The same xid again takes the place of the lost one.
    for row in set(rows) - kept:
        xa(db, f"l{row}", put(row + 10), more=f",'b',{row}")
        resolve(db, f"l{row}", more=f",'b',{row}")
    wait_until(lambda: set(ids(changes(driver))) == kept | {row + 10 for row in set(rows) - kept}, "the new ones")
    wait_prepared(driver, 0)
    assert driver.stop() == FINE


def test_position_set_over_an_unread_commit(shop, sluice):  # noqa: F811
    """What was prepared and whose end was passed over comes never, nor in the place of another of that name."""
    driver = sluice(config(shop, start="current")).start()
    driver.wait_log(msg="reading")
    xa(shop, "p", put(1))
    xa(shop, "q", put(2))
    wait_prepared(driver, 2)
    between = at(shop.position())
    assert driver.stop() == FINE
    resolve(shop, "p")
    assert driver.run("position", "set", at(shop.position())).returncode == FINE
    driver.start()
    shop.sql("INSERT INTO shop.t VALUES (3, 1, 'x')")
    wait_until(lambda: ids(changes(driver)) == [3], "the change behind it")
    resolve(shop, "q")
    wait_until(lambda: ids(changes(driver)) == [3, 2], "what is still prepared")
    xa(shop, "p", put(4))
    resolve(shop, "p")
    wait_until(lambda: ids(changes(driver)) == [3, 2, 4], "the new one of that name")
    assert prepared(driver) == 0
    # Back to the place behind the PREPARE: nothing is missing there.
    assert driver.stop() == FINE
    assert driver.run("position", "set", between).returncode == FINE
    driver.start()
    wait_until(lambda: ids(changes(driver)) == [3, 2, 4, 1], "what was passed over")
    assert driver.stop() == FINE
