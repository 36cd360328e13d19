"""The Redis sink on a real Redis: outages, logins, sockets, keys that are bytes."""

import pytest

from servers import REPLICATION_PASSWORD
from shop import Shop, config
from sluice import FINE, USAGE, at, wait_until


@pytest.fixture
def shop(db, redis):
    return Shop(db, redis)


def keys(numbers):
    return [f"order:{number}" for number in numbers]


@pytest.mark.parametrize("kill", [False, True], ids=["restart", "kill"])
def test_restart_loses_no_invalidation(shop, sluice, kill):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders(range(1, 201))
    shop.wait_streaming(driver)
    shop.plant(*keys(range(1, 201)))
    for number in range(1, 201):
        shop.pay(number)
        if number in (50, 150):
            shop.redis.restart(kill=kill)
    shop.wait_gone(*keys(range(1, 201)))
    assert driver.stop() == FINE


def test_outage_loses_nothing_and_memory_stays_flat(shop, sluice, full):
    """Changes go on while Redis is away: 5 s, and 60 s at full size."""
    driver = sluice(config(shop.db, shop.redis, buffer_bytes="2MiB")).start()
    shop.orders(range(1, 1001))
    shop.wait_streaming(driver)
    shop.plant(*keys(range(1, 1001)))
    shop.redis.stop()
    before = driver.memory()[0]
    # The database's own clock says when the outage has lasted; changes fill the buffer many times over meanwhile.
    outage_s = 60 if full else 5
    with shop.db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SELECT UNIX_TIMESTAMP()")
        begin = cur.fetchone()[0]
        rounds = 0
        while True:
            cur.execute("UPDATE orders SET amount = amount + 1, note = REPEAT('x', 200)")
            rounds += 1
            cur.execute("SELECT UNIX_TIMESTAMP()")
            if cur.fetchone()[0] - begin >= outage_s and rounds >= 20:
                break
    assert driver.alive(), driver.tail()
    grown = driver.memory()[0] - before
    shop.redis.start()
    shop.wait_gone(*keys(range(1, 1001)), limit_s=600)
    assert grown < 32 << 20, f"grew by {grown} bytes"
    assert driver.stop() == FINE


def test_sluice_stopped_during_an_outage_resumes_after_it(shop, sluice):
    driver = sluice(config(shop.db, shop.redis, shutdown_ms=1000)).start()
    shop.orders(range(1, 21))
    shop.wait_streaming(driver)
    shop.plant(*keys(range(1, 21)))
    shop.redis.stop()
    for number in range(1, 21):
        shop.pay(number)
    driver.stop()
    driver.start()
    shop.redis.start()
    shop.wait_gone(*keys(range(1, 21)))


def test_redis_that_comes_late_is_waited_for(shop, sluice):
    shop.orders([1])
    shop.plant("order:1")
    shop.redis.stop()
    start = at(shop.db.position())
    shop.pay(1)
    driver = sluice(config(shop.db, shop.redis, start)).start()
    driver.wait_log(level="warn")
    shop.redis.start()
    shop.wait_gone("order:1")


def test_password_and_database_number(db, new_redis, sluice):
    redis = new_redis(password="p@ss:word/1")
    shop = Shop(db, redis)
    shop.cache = redis.client(db=3)
    url = f"redis://127.0.0.1:{redis.port}/3"
    driver = sluice(config(db, redis, cache={"url": url, "password": redis.password})).start()
    shop.wait_streaming(driver)
    assert redis.password not in driver.tail(1000)


def test_acl_user_with_no_more_rights_than_needed(shop, sluice):
    shop.cache.acl_setuser(
        "cachebot", enabled=True, passwords=["+bot-pw"], keys=["order:*", "user:*"],
        commands=["+unlink", "+ping", "+select", "+hello", "+client"],
    )
    driver = sluice(config(shop.db, shop.redis, cache={"username": "cachebot", "password": "bot-pw"})).start()
    shop.wait_streaming(driver)


def test_wrong_password_is_said_and_waited_out(db, new_redis, sluice):
    """The person who must act may do so on the Redis side: the service goes on trying or stops, but never skips."""
    redis = new_redis(password="right")
    shop = Shop(db, redis)
    shop.orders([1])
    shop.plant("order:1")
    start = at(db.position())
    shop.pay(1)
    driver = sluice(config(db, redis, start, cache={"url": f"redis://127.0.0.1:{redis.port}", "password": "wrong-pw"}))
    driver.start()
    driver.wait_log(level=lambda level: level in ("warn", "error"), err=lambda err: err.startswith("sink"))
    assert shop.left("order:1")
    assert "wrong-pw" not in driver.tail(1000)


def test_unix_socket(shop, sluice):
    driver = sluice(config(shop.db, shop.redis, cache={"url": f"unix://{shop.redis.socket}"})).start()
    shop.wait_streaming(driver)


def test_keys_are_any_bytes(db, redis, sluice):
    db.sql(
        "CREATE TABLE shop.pages (id INT PRIMARY KEY, name VARCHAR(100) CHARACTER SET utf8mb4, hash VARBINARY(20))"
    )
    routes = [{"table": "shop.pages", "to": "cache", "invalidate": ["page:{name}", "h:{hash}", "x:{hash|hex}"]}]
    start = at(db.position())
    rows = [(1, "a b", b"\r\n*3\r\n"), (2, "été😀", b"\0\xff\0"), (3, "", b""), (4, "{order}", b"'\"\\")]
    cache = redis.client()
    wanted = [
        key
        for _, name, data in rows
        for key in (b"page:" + name.encode(), b"h:" + data, b"x:" + data.hex().encode())
    ]
    cache.mset({key: "planted" for key in [*wanted, "page:other"]})
    driver = sluice(config(db, redis, start, routes=routes)).start()
    with db.connect("shop") as con, con.cursor() as cur:
        cur.executemany("INSERT INTO pages VALUES (%s, %s, %s)", rows)
    wait_until(lambda: not any(cache.mget(wanted)), lambda: f"the keys to vanish: {driver.tail()}")
    assert cache.get("page:other")


def test_filters_of_templates(db, redis, sluice):
    db.sql("CREATE TABLE shop.users (id INT PRIMARY KEY, mail VARCHAR(50), nick VARCHAR(50) NULL)")
    routes = [
        {
            "table": "shop.users",
            "to": "cache",
            "invalidate": ["mail:{mail|trim|lower}", "nick:{nick|default:none}"],
        }
    ]
    start = at(db.position())
    cache = redis.client()
    cache.mset({"mail:ann@x.org": 1, "nick:none": 1, "nick:": 1})
    driver = sluice(config(db, redis, start, routes=routes)).start()
    db.sql("INSERT INTO shop.users VALUES (1, '  Ann@X.org ', NULL)")
    wait_until(
        lambda: not cache.exists("mail:ann@x.org", "nick:none"), lambda: f"the keys to vanish: {driver.tail()}"
    )
    assert cache.exists("nick:")


def test_value_of_another_type_is_removed_too(shop, sluice):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders([1])
    shop.wait_streaming(driver)
    shop.cache.hset("order:1", "field", "value")
    shop.pay(1)
    wait_until(lambda: not shop.cache.exists("order:1"), "the hash to vanish")


def test_readonly_and_full_redis_are_retried(shop, sluice):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders(range(1, 11))
    shop.wait_streaming(driver)
    shop.plant(*keys(range(1, 11)))
    shop.cache.config_set("min-replicas-to-write", 1)
    for number in range(1, 11):
        shop.pay(number)
    driver.wait_log(level="warn", err=lambda err: err.startswith("sink"))
    assert driver.alive()
    shop.cache.config_set("min-replicas-to-write", 0)
    shop.wait_gone(*keys(range(1, 11)))


def test_missing_column_in_a_template_is_a_config_error_at_start(shop, sluice):
    routes = [{"table": "shop.orders", "key": "order_id", "to": "cache", "invalidate": ["order:{order_nr}"]}]
    done = sluice(config(shop.db, shop.redis, routes=routes)).run("run", timeout=120)
    assert done.returncode == USAGE, done.stderr
    assert "order_nr" in done.stderr and "shop.orders" in done.stderr
    assert REPLICATION_PASSWORD not in done.stderr


def test_changes_for_which_a_condition_does_not_hold_leave_the_keys(shop, sluice):
    """`status changed` for one route, a set of users for the other; what leaves the set counts too."""
    settings = config(shop.db, shop.redis, at(shop.db.position()), partitions=1)
    orders = settings["routes"][0]
    settings["routes"] = [
        {**orders, "invalidate": ["order:{order_id}"], "when": "status changed"},
        {**orders, "invalidate": ["vip:{order_id}"], "when": ["user_id in 7, 8", "note is null"]},
    ]
    driver = sluice(settings).start()
    for number, user in ((1, 7), (2, 1), (3, 1)):
        shop.order(number, user)
    shop.plant("vip:99")
    shop.order(99, 7)
    shop.wait_gone("vip:99")
    names = [f"{kind}:{number}" for kind in ("order", "vip") for number in (1, 2, 3)]
    shop.plant(*names)
    for statement, gone in (
        ("UPDATE shop.orders SET amount = 5", {"vip:1"}),
        ("UPDATE shop.orders SET status = 'paid' WHERE order_id = 2", {"vip:1", "order:2"}),
        ("UPDATE shop.orders SET user_id = 8 WHERE order_id = 3", {"vip:1", "order:2", "vip:3"}),
        ("UPDATE shop.orders SET note = 'x' WHERE order_id < 4", {"vip:1", "order:2", "vip:3"}),
    ):
        shop.plant("vip:99")
        shop.db.sql(statement)
        shop.pay(99)
        shop.wait_gone("vip:99")
        assert shop.left(*names) == set(names) - gone, statement
    assert driver.stop() == FINE
