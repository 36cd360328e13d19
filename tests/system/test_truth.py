"""The truth test: after kills and restarts, nothing stale is in the cache and nothing is missing in the log."""

import os

import pytest

from folding import Fold, assert_valid
from shop import Shop, config
from sluice import at, wait_until
from tables import Table
from truth import Reader, World, Writer, add_histories, check_history, judge

# Row changes and kills of sluice, per flavour.
CI_SIZE = {"mariadb": (10_000, 4), "mysql": (2_000, 2)}
FULL_SIZE = {"mariadb": (200_000, 20), "mysql": (200_000, 20)}
SENTINELS = range(10_000_001, 10_000_065)
LIMIT_S = 3600


def plan_faults(rng, changes, kills, redis_restarts):
    """[(at so many changes, what)] in order."""
    faults = ["kill sluice"] * kills + ["restart redis"] * redis_restarts + ["restart database"]
    return sorted((rng.randrange(changes // 20, changes * 19 // 20), fault) for fault in faults)


def play(fault, world, driver, rng):
    if fault == "kill sluice":
        assert driver.alive(), f"sluice ended by itself: {driver.tail()}"
        driver.restart()
    elif fault == "restart redis":
        world.monitor.detach()
        world.redis.restart(kill=rng.random() < 0.5)
        world.monitor.attach()
    else:
        world.db.restart(kill=rng.random() < 0.5)


def settle(shop):
    """Waits until changes made now have left the cache, on so many keys that each lane has some."""
    keys = [f"order:{number}" for number in SENTINELS]
    shop.plant(*keys)
    shop.db.script(
        ["SET @tx = 0"]
        + [f"INSERT INTO shop.orders (order_id, user_id) VALUES ({number}, 0)" for number in SENTINELS]
    )
    shop.wait_gone(*keys, limit_s=600)


def test_cache_and_log_are_true_after_kills_and_restarts(new_db, redis, sluice, rng, full, flavor, record_property):
    db = new_db()
    changes, kills = (FULL_SIZE if full else CI_SIZE)[flavor]
    shop = Shop(db, redis)
    add_histories(db)
    begin = db.position()
    driver = sluice(config(db, redis, at(begin), partitions=4)).start()
    world = World(db, redis, rng.random(), orders=2000 if full else 300)
    world.start(os.path.join(driver.directory, "monitor.txt"))
    for when, fault in plan_faults(rng, changes, kills, 2 if full else 1):
        wait_until(lambda: world.changed() >= when or not driver.alive(), f"{when} changes", LIMIT_S, 0.05)
        play(fault, world, driver, rng)
    wait_until(lambda: world.changed() >= changes or not driver.alive(), f"{changes} changes", LIMIT_S, 0.05)
    world.stop(Writer)
    world.stop(Reader)
    settle(shop)
    verdict = judge(world)
    figures = {
        "changes": world.changed(),
        "fills": len(world.fills),
        "hits": sum(reader.hits for reader in world.readers),
        "keys": verdict.keys,
        "true": verdict.true,
        "raced": len(verdict.raced),
        "raced_unwatched": len(verdict.unwatched),
        "lost": len(verdict.lost),
    }
    print("truth:", flavor, figures)
    record_property("truth", figures)
    assert not verdict.lost, f"{verdict.lost[:5]} of {figures}"
    assert verdict.true > verdict.keys / 2 and figures["hits"], figures
    assert driver.stop() == 0, driver.tail()

    db.flush_logs()
    names = db.binlogs()
    files = [db.binlog_path(name) for name in names[names.index(begin[0]) : -1]]
    lines = sluice().dump("--table", "shop.orders", "--table", "shop.order_items", *files)
    assert_valid(lines)
    check_history(db, lines)
    Fold([Table(db, "orders"), Table(db, "order_items")]).apply_all(lines).assert_equals_select()


@pytest.mark.flavors("mariadb")
def test_judge_finds_invalidations_that_never_came(new_db, redis, rng, tmp_path):
    """The same world without sluice: its judge must not be content."""
    db = new_db()
    shop = Shop(db, redis)
    add_histories(db)
    world = World(db, redis, rng.random(), orders=50, writers=2, readers=2)
    world.start(tmp_path / "monitor.txt")
    wait_until(lambda: world.changed() >= 500, "500 changes", 120)
    world.stop(Writer)
    world.stop(Reader)
    verdict = judge(world)
    assert len(verdict.lost) > 20 and not verdict.raced, verdict
    assert shop.cache.dbsize() == verdict.keys
