"""A Redis that comes back with what it held before: from its last snapshot, or as a replica that was behind. What was
removed or written since is removed or written again, and nothing stale stays."""

import glob
import json
import os
import threading
import time

import pytest

from shop import Shop, config, routes
from kafka_topics import create_topic, read_topic
from sluice import FINE, STOPPED, at, wait_until
from test_redis_write import differences, routes_of, settled, written

SNAPSHOTS = ["--appendonly", "no", "--save", ""]
KEYS = range(1, 61)
POLL_S = 2.5  # between two looks of sluice at the server, and some


def names(numbers):
    return {f"order:{number}" for number in numbers}


def save(redis):
    """A snapshot, of which sluice has heard."""
    client = redis.client()
    time.sleep(2.1)  # times of saves are whole seconds: it lies behind the server's start, and behind what was before
    before = client.lastsave()
    client.bgsave()
    wait_until(lambda: client.lastsave() != before and not client.info("persistence")["rdb_bgsave_in_progress"], "a save")
    time.sleep(2.1 + POLL_S)


def end(redis, how):
    """Without another snapshot."""
    if how == "shutdown":
        redis.client().shutdown(nosave=True)
        wait_until(lambda: not redis.alive(), "the server to end")
    else:
        redis.kill()


@pytest.fixture
def shop(db, new_redis):
    return Shop(db, new_redis(options=SNAPSHOTS))


def changed(shop, numbers):
    for number in numbers:
        shop.pay(number)
    shop.wait_gone(*names(numbers))


@pytest.mark.ci_flavors("mariadb")
@pytest.mark.parametrize("how, away", [("kill", False), ("shutdown", False), ("kill", True)])
def test_keys_that_a_snapshot_brings_back_are_removed_again(shop, sluice, how, away, full):
    if how == "shutdown" and not full:
        pytest.skip("as a kill; with --full")
    shop.orders(KEYS)
    driver = sluice(config(shop.db, shop.redis, partitions=4)).start()
    shop.wait_streaming(driver)
    shop.plant(*names(KEYS))
    save(shop.redis)
    changed(shop, KEYS[:40])
    if away:
        assert driver.stop() == FINE, driver.tail()
    end(shop.redis, how)
    shop.redis.start()
    if away:
        assert shop.left(*names(KEYS)) == names(KEYS)
        driver.start()
    shop.wait_gone(*names(KEYS[:40]), limit_s=60)
    assert shop.left(*names(KEYS)) == names(KEYS[40:])
    assert driver.find_log(msg="the sink's server came back: what it may have lost is applied again", sink="cache")
    shop.check_changes_reach_cache(KEYS[40:50])
    assert driver.stop() == FINE, driver.tail()


@pytest.mark.ci_flavors("mariadb")
def test_only_what_came_behind_the_snapshot_is_applied_again(shop, sluice):
    """And only to the sink whose server came back."""
    shop.orders(KEYS)
    both = [{**route, "to": ["cache", "seen"]} for route in routes()]
    made = config(shop.db, shop.redis, cache={"replay_after_failover_ms": 0}, partitions=4, routes=both)
    driver = sluice(made)
    path = os.path.join(driver.directory, "seen")
    driver.configure({**made, "sinks": {**made["sinks"], "seen": {"type": "recorder", "path": path}}})
    driver.start()
    shop.wait_streaming(driver)
    changed(shop, KEYS[:20])
    time.sleep(2)
    shop.plant(*names(KEYS))
    save(shop.redis)
    changed(shop, KEYS[20:40])
    end(shop.redis, "kill")
    shop.redis.start()
    shop.wait_gone(*names(KEYS[20:40]), limit_s=60)
    shop.check_changes_reach_cache(KEYS[40:50])
    assert shop.left(*names(KEYS)) == names([*KEYS[:20], *KEYS[50:]])
    assert driver.stop() == FINE, driver.tail()
    versions = []
    for name in glob.glob(path + ".*"):
        with open(name, encoding="utf-8") as file:
            versions += [json.loads(line)["version"] for line in file]
    assert len(versions) == len(set(versions)) >= 50


@pytest.mark.ci_flavors("mariadb")
def test_told_to_ignore_it_nothing_is_applied_again(shop, sluice):
    shop.orders(KEYS)
    driver = sluice(config(shop.db, shop.redis, cache={"on_restart": "ignore"})).start()
    shop.wait_streaming(driver)
    shop.plant(*names(KEYS))
    shop.cache.save()
    changed(shop, KEYS[:40])
    end(shop.redis, "kill")
    shop.redis.start()
    shop.check_changes_reach_cache(KEYS[50:])
    time.sleep(1)
    assert shop.left(*names(KEYS)) == names(KEYS[:50])
    assert driver.stop() == FINE, driver.tail()


@pytest.mark.ci_flavors("mariadb")
def test_server_that_keeps_nothing_and_begins_empty_costs_nothing(shop, sluice):
    shop.orders(KEYS)
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.wait_streaming(driver)
    end(shop.redis, "kill")
    shop.redis.start()
    shop.check_changes_reach_cache(KEYS)
    assert not driver.find_log(msg="the service goes back")
    assert driver.stop() == FINE, driver.tail()


def follow(client, primary):
    """It is a replica now, and in step."""
    client.slaveof("127.0.0.1", primary.port)
    wait_until(lambda: client.info("replication").get("master_link_status") == "up", "the replica to be in step")
    wait_until(lambda: client.dbsize() == primary.client().dbsize(), "all keys at the replica")


@pytest.mark.ci_flavors("mariadb")
@pytest.mark.parametrize("begin", ["with keys", "empty"])
def test_replica_that_was_behind_takes_the_place(db, new_redis, workspace, sluice, begin):
    """Whatever the primary held when the replica came to it."""
    primary, replica = new_redis(options=SNAPSHOTS), new_redis(options=SNAPSHOTS)
    address = os.path.join(workspace.directory("address"), "redis.sock")
    os.symlink(primary.socket, address)
    shop = Shop(db, primary)
    shop.orders(KEYS)
    made = config(db, primary, partitions=4, cache={"url": f"unix://{address}", "replay_after_failover_ms": "30s"})
    driver = sluice(made).start()
    shop.wait_streaming(driver)
    client = replica.client()
    if begin == "empty":
        follow(client, primary)
    shop.plant(*names(KEYS))
    follow(client, primary)
    client.slaveof()  # it stands still from here on, and is no replica any more
    time.sleep(POLL_S)
    changed(shop, KEYS[:40])
    os.unlink(address)
    os.symlink(replica.socket, address)
    primary.kill()
    shop.redis, shop.cache = replica, client
    shop.wait_gone(*names(KEYS[:40]), limit_s=60)
    assert shop.left(*names(KEYS)) == names(KEYS[40:])
    shop.check_changes_reach_cache(KEYS[40:50])
    assert driver.stop() == FINE, driver.tail()


@pytest.mark.ci_flavors("mariadb")
def test_same_process_with_the_data_of_another(db, new_redis, sluice):
    """Demoted, resynchronised with one that was behind, promoted: its run_id stays."""
    redis, other = new_redis(options=SNAPSHOTS), new_redis(options=SNAPSHOTS)
    shop = Shop(db, redis)
    shop.orders(KEYS)
    driver = sluice(config(db, redis, partitions=4, cache={"replay_after_failover_ms": "30s"})).start()
    shop.wait_streaming(driver)
    shop.plant(*names(KEYS))
    behind = other.client()
    follow(behind, redis)
    behind.slaveof()
    changed(shop, KEYS[:40])
    time.sleep(POLL_S)
    shop.cache.slaveof("127.0.0.1", other.port)
    wait_until(lambda: shop.left(*names(KEYS)) == names(KEYS), "the data of the other")
    time.sleep(POLL_S)
    shop.cache.slaveof()
    shop.wait_gone(*names(KEYS[:40]), limit_s=60)
    assert shop.left(*names(KEYS)) == names(KEYS[40:])
    shop.check_changes_reach_cache(KEYS[40:50])
    assert driver.stop() == FINE, driver.tail()


@pytest.mark.ci_flavors("mariadb")
def test_topic_beside_it_has_each_version_once(shop, kafka, sluice):
    """An exactly-once topic keeps its marks when the Redis beside it is set back, in a transaction that the topic has a
    part of."""
    many = range(1, 20001)
    shop.orders(many)
    create_topic(kafka, "beside", 4)
    both = [{**route, "to": ["cache", "topic"]} for route in routes()]
    made = config(shop.db, shop.redis, partitions=4, routes=both, buffer_bytes="1MiB")
    made["sinks"]["topic"] = {"type": "kafka", "brokers": kafka.brokers().split(","), "topic": "beside"}
    driver = sluice(made).start()
    shop.wait_streaming(driver)
    shop.plant(*names(KEYS))
    save(shop.redis)
    changed(shop, KEYS[:40])
    end(shop.redis, "kill")
    shop.db.sql("UPDATE shop.orders SET amount = amount + 1")
    time.sleep(1)
    some = len(list(read_topic(kafka, "beside")))
    assert 1000 < some < len(many)
    shop.redis.start()
    shop.wait_gone(*names(KEYS), limit_s=60)
    shop.check_changes_reach_cache(KEYS[40:50])
    assert driver.stop() == FINE, driver.tail()
    assert driver.find_log(msg="the service goes back")
    versions = [record.headers["version"] for record in read_topic(kafka, "beside")]
    assert len(versions) == len(set(versions)) >= len(many) + 50


@pytest.mark.ci_flavors("mariadb")
def test_replay_that_loses_its_server_begins_anew(shop, sluice):
    """What it has applied to a server that came back is not known."""
    shop.orders(KEYS)
    driver = sluice(config(shop.db, shop.redis, at(shop.db.position())))
    begin = shop.db.position()
    for number in KEYS:
        shop.pay(number)
    name, end_at = shop.db.position()
    shop.plant(*names(KEYS))
    shop.cache.save()
    replay = driver.begin("replay", "again", "--from", at(begin), "--to", at((name, end_at + 1_000_000)))
    shop.wait_gone(*names(KEYS))
    end(shop.redis, "kill")
    shop.redis.start()
    assert replay.wait(60) == STOPPED, driver.tail()
    assert "[sink_replay_lost]" in driver.tail()
    assert shop.left(*names(KEYS)) == names(KEYS)
    done = driver.run("replay", "again", "--from", at(begin), "--to", at((name, end_at)))
    assert done.returncode == FINE, done.stderr
    assert not shop.left(*names(KEYS))


@pytest.mark.ci_flavors("mariadb")
def test_rows_are_written_again(db, new_redis, sluice, rng, full):
    """Snapshots and kills under load; at the end Redis is as the database."""
    redis = new_redis(options=SNAPSHOTS)
    shop = Shop(db, redis)
    driver = sluice(config(db, redis, at(db.position()), routes=routes_of(), partitions=4)).start()
    for turn in range(5 if full else 1):
        written(shop, f"{rng.random()} {turn}", 300)
        settled(shop, redis, driver)
        save(redis)
        written(shop, f"{rng.random()} {turn}", 300)
        if turn % 2:
            settled(shop, redis, driver)
        end(redis, "kill")
        redis.start()
        wait_until(lambda: driver.find_log(msg="the service goes back"), driver.tail)
        settled(shop, redis, driver)
        assert not differences(shop, redis)
    assert driver.stop() == FINE, driver.tail()


@pytest.mark.ci_flavors("mariadb")
def test_user_without_the_right_to_info_is_told(db, redis, sluice):
    Shop(db, redis)
    redis.client().acl_setuser(
        "bare", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-info"]
    )
    driver = sluice(config(db, redis, cache={"username": "bare", "password": "pw"})).start()
    line = driver.wait_log(level="warn", sink="cache")
    assert "INFO" in line["msg"]
    assert driver.stop() == FINE
