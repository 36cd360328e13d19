"""Dead letters of the embedded bus: what a sink refuses for good is kept in state_dir, and `sluice dlq` applies it."""

import glob
import json
import os

import pytest

from shop import Shop, routes
from sluice import FINE, RETRY, STOPPED, USAGE, at, source_of, stopped_with, wait_until

pytestmark = pytest.mark.ci_flavors("mariadb")

KILLS = 4
ROWS_A_LIFE = 150


@pytest.fixture
def shop(db, redis):
    return Shop(db, redis)


@pytest.fixture
def path(workspace):
    """Where a recorder writes."""
    return os.path.join(workspace.directory("records"), "r")


def settings(shop, path, start="current", sink=(), **more):
    """A recorder called `cache` that refuses every second change."""
    return {
        "source": source_of(shop.db, start=start),
        "partitions": 4,
        "sinks": {
            "cache": {"type": "recorder", "path": path, "dead_letters": "state", "poison_every": 2, **dict(sink)}
        },
        "routes": [{name: value for name, value in one.items() if name != "invalidate"} for one in routes()],
        **more,
    }


def to_redis(shop, **more):
    """The same service with a Redis in the recorder's place."""
    return {
        **settings(shop, "unused", **more),
        "sinks": {"cache": {"type": "redis", "url": shop.redis.url(), "dead_letters": "state"}},
        "routes": routes(),
    }


def recorded(path):
    """{(version, op, half)} of what was done."""
    found = set()
    for name in glob.glob(path + ".*"):
        with open(name, encoding="utf-8") as file:
            for line in map(json.loads, file.read().split("\n")[:-1]):
                found.add((line["version"], line["op"], line.get("half")))
    return found


def letters(driver):
    """All that wait, whole."""
    return [json.loads(line) for line in driver.rendered("dlq", "show", "--all").splitlines()]


def changes(found):
    return [(one["change"]["version"], one["change"]["op"], one["change"].get("half")) for one in found]


def wait_letters(driver, count):
    wait_until(lambda: len(letters(driver)) >= count, lambda: f"{count} letters of {driver.tail()}")


def test_kills_lose_no_change_and_each_letter_is_there_once(shop, sluice, path):
    """Beside the sink that refuses is one that takes all."""
    begin = at(shop.db.position())
    config = settings(
        shop, path, begin, {"poison_every": 3, "fail_every": 7, "workers": 2}, checkpoint_ms="150ms"
    )
    config["sinks"]["whole"] = {"type": "recorder", "path": path + "-whole"}
    for route in config["routes"]:
        route["to"] = ["cache", "whole"]
    driver = sluice(config).start()
    for life in range(KILLS):
        first = life * ROWS_A_LIFE
        known = len(recorded(path))
        for number in range(first, first + ROWS_A_LIFE, 10):
            shop.orders(range(number, number + 10))
            shop.pay(number)
        shop.db.sql(f"UPDATE shop.orders SET order_id = order_id + 100000 WHERE order_id = {first}")
        wait_until(lambda: len(recorded(path)) > known + ROWS_A_LIFE // 4, "something to be applied")
        driver.restart()
    # The halves of a change that moves its key are two.
    wanted = KILLS * (ROWS_A_LIFE + ROWS_A_LIFE // 10 + 2)
    wait_until(lambda: len(recorded(path + "-whole")) == wanted, "the other sink's changes")
    wait_until(
        lambda: len(recorded(path) | set(changes(letters(driver)))) == wanted, lambda: f"all of them: {driver.tail()}"
    )
    assert driver.stop() == FINE
    found = letters(driver)
    refused = changes(found)
    assert len(refused) == len(set(refused)) > ROWS_A_LIFE // 4
    assert recorded(path) | set(refused) == recorded(path + "-whole")
    assert [one["id"] for one in found] == list(range(1, len(found) + 1))
    assert {one["sink"] for one in found} == {"cache"} and {one["reason"] for one in found} == {"sink_poison"}


def test_letters_are_listed_applied_and_dropped_while_the_service_runs(shop, sluice, path):
    driver = sluice(settings(shop, path)).start()
    driver.wait_log(msg="reading")
    shop.orders(range(1, 13))
    wait_letters(driver, 6)
    lines = [line.split("\t") for line in driver.rendered("dlq", "list").splitlines()]
    assert [line[0] for line in lines] == ["1", "2", "3", "4", "5", "6"]
    assert {line[3] for line in lines} == {"shop.orders"}
    assert driver.find_log(msg="a change that a sink refuses for good went to the dead letters", letter="1")
    assert json.loads(driver.rendered("status", "--json"))["dead_letters"] == 6
    first, *others = letters(driver)
    assert [first] == [json.loads(driver.rendered("dlq", "show", "1"))]
    dead = {one["change"]["after"]["order_id"] for one in others}

    # The Redis in its place takes what the recorder refused.
    other = sluice(to_redis(shop))
    other.state_dir = driver.state_dir
    other.configure(to_redis(shop))
    shop.plant(*[f"order:{number}" for number in range(1, 13)])
    assert other.run("dlq", "drop", "1").returncode == FINE
    shop.redis.stop()
    assert other.run("dlq", "retry", "2").returncode == RETRY
    assert len(letters(driver)) == 5
    shop.redis.start()
    shop.plant(*[f"order:{number}" for number in range(1, 13)])
    assert other.run("dlq", "retry", "2").returncode == FINE
    done = other.run("dlq", "retry", "--all")
    assert done.returncode == FINE and "4 applied, 0 refused again" in done.stderr, done.stderr
    assert {f"order:{number}" for number in range(1, 13)} - shop.left(
        *[f"order:{number}" for number in range(1, 13)]
    ) == {f"order:{number}" for number in dead}
    assert driver.rendered("dlq", "list") == ""
    status = json.loads(driver.rendered("status", "--json"))
    assert status["dead_letters"] == 0 and status["dead_letters_total"] == 6

    # Numbers go on, also behind a restart that forgets what is done.
    assert driver.restart().wait_log(msg="reading")
    shop.orders(range(21, 27))
    wait_letters(driver, 2)
    assert min(one["id"] for one in letters(driver)) > 6
    assert driver.run("dlq", "retry", "3").returncode == USAGE
    assert driver.stop() == FINE


def test_retry_keeps_the_order_of_a_key(shop, sluice, path):
    """A letter waits for the older ones of its key; where one is refused again, those behind it are not tried."""
    driver = sluice(settings(shop, path, sink={"poison_every": 1})).start()
    driver.wait_log(msg="reading")
    shop.orders([1])
    shop.orders([2])
    shop.pay(1)
    shop.pay(1)
    wait_letters(driver, 4)
    assert driver.stop() == FINE
    first, _, last = [one["id"] for one in letters(driver) if one["change"]["key"] == "1"]
    done = driver.run("dlq", "retry", str(last))
    assert done.returncode == USAGE and f"letter {first} is older" in done.stderr, done.stderr
    done = driver.run("dlq", "retry", "--all")  # refuses all
    assert done.returncode == STOPPED, done.stderr
    assert "0 applied, 2 refused again, 2 behind" in done.stderr, done.stderr
    assert len(letters(driver)) == 4
    driver.configure({**driver.config, "sinks": {"cache": {"type": "recorder", "path": path}}})
    assert driver.run("dlq", "retry", str(first)).returncode == FINE
    done = driver.run("dlq", "retry", "--all")
    assert done.returncode == FINE and "3 applied" in done.stderr, done.stderr
    versions = []
    for name in sorted(glob.glob(path + ".*"), key=os.path.getmtime):
        with open(name, encoding="utf-8") as file:
            versions += [line["version"] for line in map(json.loads, file) if line["key"] == "1"]
    assert len(versions) == 3 and versions == sorted(versions)


def test_row_whose_keys_redis_cannot_be_told_is_a_letter(db, redis, sluice):
    """It is refused again until its route can do with it."""
    db.sql("CREATE TABLE shop.posts (id INT PRIMARY KEY, tags LONGTEXT)")
    cache = redis.client()
    keys = {"table": "shop.posts", "to": "cache", "invalidate": ["post:{id}", "tag:{tags[*]}"]}
    driver = sluice(
        {
            "source": source_of(db),
            "sinks": {"cache": {"type": "redis", "url": redis.url(), "dead_letters": "state"}},
            "routes": [keys],
        }
    ).start()
    driver.wait_log(msg="reading")
    cache.mset({"post:1": "x", "post:2": "x", "tag:a": "x"})
    db.script(["INSERT INTO shop.posts VALUES (1, '{\"no\":\"list\"}')", "INSERT INTO shop.posts VALUES (2, '[\"a\"]')"])
    wait_until(lambda: not cache.exists("post:2", "tag:a"), "what comes behind it")
    [letter] = letters(driver)
    assert letter["reason"] == "key_list" and letter["change"]["after"]["id"] == 1, letter
    assert driver.run("dlq", "retry", "1").returncode == STOPPED
    assert len(letters(driver)) == 1
    cache.set("post:1", "x")
    other = sluice()
    other.configure({**driver.config, "state_dir": driver.state_dir, "routes": [{**keys, "invalidate": ["post:{id}"]}]})
    assert other.run("dlq", "retry", "1").returncode == FINE
    assert not cache.exists("post:1") and letters(driver) == []
    assert driver.stop() == FINE


def test_late_letters_take_nothing_back_in_written_keys(shop, sluice, path):
    """Redis has what is newer, and lacks the rest: that is made when it is asked for."""
    driver = sluice(settings(shop, path, sink={"poison_every": 1})).start()
    driver.wait_log(msg="reading")
    shop.orders([1, 2, 3, 4])
    wait_letters(driver, 4)
    assert driver.stop() == FINE
    [plain] = [one["id"] for one in letters(driver) if one["change"]["key"] == "4"]
    write = {"table": "shop.orders", "key": "order_id", "to": "cache", "mode": "write", "write": "o:{order_id}"}
    driver.configure({**to_redis(shop), "routes": [{**write, "as": "text", "text": "{amount}"}]})
    driver.start()
    shop.pay(1)
    shop.db.sql("DELETE FROM shop.orders WHERE order_id = 2")
    wait_until(lambda: shop.cache.get("o:1") == b"1.00" and shop.cache.keys("sluice:version:*o:2*"), "both changes")
    assert driver.run("dlq", "retry", str(plain)).returncode == FINE
    done = driver.run("dlq", "retry", "--all", "--create")
    assert done.returncode == FINE and "3 applied" in done.stderr, done.stderr
    assert shop.cache.mget("o:1", "o:2", "o:3", "o:4") == [b"1.00", None, b"0.00", None]
    assert driver.rendered("dlq", "list") == ""


def test_full_letters_and_none_at_all_stop(shop, sluice, path):
    begin = at(shop.db.position())
    shop.orders(range(1, 21))
    driver = sluice(settings(shop, path, begin, dead_letters_max=3)).start()
    stopped_with(driver, "dead_letters_full")
    assert len(letters(driver)) == 3
    assert driver.run("dlq", "drop", "--all").returncode == FINE
    driver.start()
    stopped_with(driver, "dead_letters_full")
    assert len(letters(driver)) == 3
    driver.configure({**driver.config, "dead_letters_max": 100})
    driver.start()
    wait_until(lambda: len(recorded(path)) + len(set(changes(letters(driver)))) >= 17, "the rest")
    assert driver.stop() == FINE
    # As it is unless it is asked for.
    plain = settings(shop, path, begin)
    del plain["sinks"]["cache"]["dead_letters"]
    stopped_with(sluice(plain).start(), "sink_poison")


def test_wrong_use_says_so(shop, sluice, path):
    driver = sluice(settings(shop, path))
    for words in (["dlq", "drop", "--all", "--create"], ["dlq"], ["dlq", "list", "1"], ["dlq", "retry"], ["dlq", "drop", "x"], ["dlq", "show", "7"]):
        assert driver.run(*words).returncode == USAGE
    to_topic = {"type": "kafka", "brokers": "localhost:1", "topic": "t", "dead_letters": "state"}
    once = settings(shop, path)
    once["sinks"]["cache"] = to_topic
    done = sluice(once).run("run")
    assert done.returncode == USAGE and "at_least_once" in done.stderr, done.stderr
    bus = {"type": "kafka", "brokers": "localhost:1", "topic": "t"}
    behind = sluice(settings(shop, path, bus=bus))
    done = behind.run("run", "--role", "applier")
    assert done.returncode == USAGE and "dead_letter_topic" in done.stderr, done.stderr
    done = behind.run("dlq", "list")
    assert done.returncode == USAGE and "dead_letter_topic" in done.stderr, done.stderr
    assert driver.rendered("dlq", "list") == "" and not os.path.exists(driver.state_dir)
    assert driver.run("dlq", "drop", "--all").returncode == FINE
    assert "list|show|retry|drop" in driver.run("dlq", "--help", config=False).stdout
