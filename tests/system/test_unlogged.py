"""Changes without row events: cascades, TRUNCATE, partitions. Named and refused or swept, never ignored.

And the row images that lack what a route needs.
"""

import pytest

from shop import Shop, config, routes
from sluice import FINE, STOPPED, at, stopped_with, wait_until

CHILD = """CREATE TABLE shop.lines (
    id INT PRIMARY KEY, order_id BIGINT NULL, CONSTRAINT lines_order FOREIGN KEY (order_id) REFERENCES shop.heads (order_id)
    ON DELETE {action} ON UPDATE {action}) ENGINE=InnoDB"""
HEAD = "CREATE TABLE shop.heads (order_id BIGINT PRIMARY KEY, v INT NOT NULL DEFAULT 0) ENGINE=InnoDB"
HEAD_ROUTE = {"table": "shop.heads", "key": "order_id", "to": "cache", "invalidate": ["head:{order_id}"]}
CHILD_ROUTE = {"table": "shop.lines", "key": "order_id", "to": "cache", "invalidate": ["lines:{order_id|default:none}"]}


def logs_cascades(db):
    """MySQL 9.6 and later write the rows that a cascade changes."""
    return db.flavor == "mysql"


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
class TestCascade:
    @pytest.fixture
    def tables(self, db, redis, action):
        db.script(
            [
                HEAD,
                CHILD.format(action=action),
                "INSERT INTO shop.heads (order_id) VALUES (1), (2), (3)",
                "INSERT INTO shop.lines VALUES (10, 1), (11, 1), (20, 2), (30, 3)",
            ]
        )
        return db

    def lines_in_cache(self, db, cache):
        """Fills the cache from SELECT, as an application does."""
        wanted = {f"lines:{number}": str(db.sql("SELECT id FROM shop.lines WHERE order_id = %s", (number,)))
                  for number in (1, 2, 3)}
        cache.mset(wanted)
        return wanted

    def judge(self, db, cache):
        """No entry that is still there differs from SELECT."""
        for number in (1, 2, 3):
            stored = cache.get(f"lines:{number}")
            now = str(db.sql("SELECT id FROM shop.lines WHERE order_id = %s", (number,)))
            assert stored is None or stored.decode() == now, f"lines:{number} is stale: {stored}"

    def test_child_is_refused_where_cascades_are_not_logged(self, tables, redis, sluice):
        driver = sluice(config(tables, redis, routes=[HEAD_ROUTE, CHILD_ROUTE])).start()
        if not logs_cascades(tables):
            line = stopped_with(driver, "cascade_unlogged")
            assert "lines_order" in str(line) and "accept_unlogged" in str(line)
            return
        cache = redis.client()
        self.wait_streaming(tables, cache, driver)
        self.lines_in_cache(tables, cache)
        tables.sql("DELETE FROM shop.heads WHERE order_id = 1")
        tables.sql("UPDATE shop.heads SET order_id = 4 WHERE order_id = 2")
        wait_until(lambda: not cache.exists("lines:1", "lines:2"), lambda: f"the keys to vanish: {driver.tail()}")
        self.judge(tables, cache)

    def test_accepted_child_runs_and_the_parent_s_route_can_derive_its_keys(self, tables, redis, sluice):
        head = {**HEAD_ROUTE, "invalidate": ["head:{order_id}", "lines:{order_id}"]}
        child = {**CHILD_ROUTE, "accept_unlogged": ["lines_order"]}
        driver = sluice(config(tables, redis, routes=[head, child])).start()
        cache = redis.client()
        self.wait_streaming(tables, cache, driver)
        self.lines_in_cache(tables, cache)
        tables.sql("DELETE FROM shop.heads WHERE order_id = 1")
        tables.sql("UPDATE shop.heads SET order_id = 4 WHERE order_id = 2")
        wait_until(lambda: not cache.exists("lines:1", "lines:2"), lambda: f"the keys to vanish: {driver.tail()}")
        self.judge(tables, cache)

    @staticmethod
    def wait_streaming(db, cache, driver):
        def seen():
            assert driver.alive(), driver.tail()
            cache.set("head:3", 1)
            db.sql("UPDATE shop.heads SET v = v + 1 WHERE order_id = 3")
            try:
                return wait_until(lambda: not cache.exists("head:3"), "head:3", 0.5)
            except TimeoutError:
                return False

        wait_until(seen, lambda: f"the first invalidation: {driver.tail()}", 120)

    def test_cascade_that_is_added_later_is_refused_then(self, db, redis, sluice, action):
        if logs_cascades(db):
            pytest.skip("this server logs cascades")
        db.script([HEAD, "CREATE TABLE shop.lines (id INT PRIMARY KEY, order_id BIGINT NULL) ENGINE=InnoDB"])
        db.sql("INSERT INTO shop.heads (order_id) VALUES (1), (2), (3)")
        driver = sluice(config(db, redis, routes=[HEAD_ROUTE, CHILD_ROUTE])).start()
        self.wait_streaming(db, redis.client(), driver)
        db.sql(
            "ALTER TABLE shop.lines ADD CONSTRAINT lines_order FOREIGN KEY (order_id) "
            f"REFERENCES shop.heads (order_id) ON DELETE {action}"
        )
        line = stopped_with(driver, "cascade_unlogged")
        assert "lines_order" in str(line)


DISCARDS = {
    "truncate": ["TRUNCATE TABLE shop.orders"],
    "truncate-with-comment": ["/* nightly */ TRUNCATE /*!80000 TABLE */ `shop` . `orders`"],
    "drop": ["DROP TABLE shop.orders"],
}


class TestDiscarded:
    @pytest.fixture
    def shop(self, db, redis):
        return Shop(db, redis)

    @pytest.mark.parametrize("how", DISCARDS)
    def test_it_stops_by_default(self, shop, sluice, how):
        if how == "truncate-with-comment" and shop.db.flavor == "mariadb":
            pytest.skip("MariaDB reads comments of MySQL 8 as comments")
        driver = sluice(config(shop.db, shop.redis)).start()
        shop.wait_streaming(driver)
        shop.db.script(DISCARDS[how])
        line = stopped_with(driver, "truncate_stop")
        assert "shop.orders" in str(line)
        # Nothing behind it is taken, also not by a restart.
        assert driver.start().wait_exit() == STOPPED

    def test_sweep_removes_every_key_of_the_route_and_no_other(self, shop, sluice):
        driver = sluice(config(shop.db, shop.redis, routes=routes(on_truncate="sweep"))).start()
        shop.orders(range(1, 101))
        shop.wait_streaming(driver)
        mine = [f"order:{number}" for number in range(1, 101)] + ["user:1:orders"]
        others = ["other:1", "users:1", "order", "user:1:carts"]
        shop.plant(*mine, *others)
        shop.db.sql("TRUNCATE TABLE shop.orders")
        shop.wait_gone(*mine)
        assert shop.left(*others) == set(others)
        shop.orders(range(1, 11))
        shop.check_changes_reach_cache(range(1, 11))
        assert driver.stop() == FINE

    def test_ignore_goes_on(self, shop, sluice):
        driver = sluice(config(shop.db, shop.redis, routes=routes(on_truncate="ignore"))).start()
        shop.orders([1])
        shop.wait_streaming(driver)
        shop.plant("order:1")
        shop.db.sql("TRUNCATE TABLE shop.orders")
        shop.orders([2])
        shop.check_changes_reach_cache([2])
        assert shop.left("order:1")

    def test_truncate_of_another_table_changes_nothing(self, shop, sluice):
        driver = sluice(config(shop.db, shop.redis)).start()
        shop.orders([1])
        shop.wait_streaming(driver)
        shop.db.script(["CREATE TABLE shop.orders_old (id INT)", "TRUNCATE shop.orders_old", "DROP TABLE shop.orders_old"])
        shop.check_changes_reach_cache([1])

    def test_order_of_truncate_and_rows_is_kept(self, shop, sluice):
        """Rows of all lanes before it, rows after it: the sweep stands between."""
        start = at(shop.db.position())
        for round_number in range(5):
            shop.orders(range(1, 51))
            shop.db.sql("TRUNCATE TABLE shop.orders")
        shop.orders(range(1, 51))
        keys = [f"order:{number}" for number in range(1, 51)]
        shop.plant(*keys, "order:999")
        driver = sluice(config(shop.db, shop.redis, start, routes=routes(on_truncate="sweep"), partitions=16)).start()
        shop.wait_gone(*keys, "order:999")
        shop.wait_streaming(driver)


REPLACED = ("CREATE OR REPLACE TABLE shop.orders (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL DEFAULT 7, "
            "amount DECIMAL(12,2) NOT NULL DEFAULT 0) SELECT seq AS order_id FROM shop.seq_1_to_{}")


class TestReplaced:
    """MariaDB's CREATE OR REPLACE ... SELECT: rows are discarded inside a transaction, before its own rows."""

    @pytest.fixture
    def shop(self, db, redis, flavor):
        if flavor != "mariadb":
            pytest.skip("MySQL has no CREATE OR REPLACE TABLE")
        return Shop(db, redis)

    def test_it_stops_by_default_and_goes_on_with_what_the_route_says_then(self, shop, sluice):
        driver = sluice(config(shop.db, shop.redis)).start()
        shop.wait_streaming(driver)
        shop.plant("order:5", "order:77", "user:7:orders", "other:1")
        shop.db.sql(REPLACED.format(50))
        assert "shop.orders" in str(stopped_with(driver, "truncate_stop"))
        assert driver.start().wait_exit() == STOPPED
        assert shop.left("order:5", "order:77", "user:7:orders") == {"order:5", "order:77", "user:7:orders"}
        driver.configure({**driver.config, "routes": routes(on_truncate="sweep")})
        driver.start()
        shop.wait_gone("order:5", "order:77", "user:7:orders")
        assert shop.left("other:1")
        shop.check_changes_reach_cache([1, 50])
        assert driver.stop() == FINE

    def test_ignore_takes_its_rows(self, shop, sluice):
        driver = sluice(config(shop.db, shop.redis, routes=routes(on_truncate="ignore"))).start()
        shop.wait_streaming(driver)
        shop.plant("order:5", "order:77", "user:7:orders")
        shop.db.sql(REPLACED.format(50))
        shop.wait_gone("order:5", "user:7:orders")
        assert shop.left("order:77")

    def test_a_transaction_that_is_out_in_part_comes_again_as_a_whole(self, shop, sluice):
        """Killed between the sweep and the last row; the position stands before both."""
        begin = at(shop.db.position())
        count = 30_000
        shop.db.sql(REPLACED.format(count))
        more = {"partitions": 4, "buffer_bytes": "1MiB", "tx_buffer_bytes": "64KiB"}
        driver = sluice(config(shop.db, shop.redis, begin, routes=routes(on_truncate="sweep"), **more))
        last = f"order:{count}"
        for _ in range(3):
            # Nothing but the sweep takes the first; the last goes with the last row when the sweep is done.
            shop.plant("order:never")
            driver.start()
            shop.wait_gone("order:never")
            shop.plant("order:never", last)
            driver.kill()
        driver.start()
        shop.wait_gone("order:never", last)
        shop.wait_streaming(driver)
        assert driver.stop() == FINE

    def test_rows_stand_on_both_sides_of_it(self, shop, sluice):
        begin = at(shop.db.position())
        shop.orders([1, 2])
        shop.db.sql(REPLACED.format(3))
        shop.db.sql("DELETE FROM shop.orders WHERE order_id = 3")
        driver = sluice(config(shop.db, shop.redis))
        lines = driver.dump("--table", "shop.orders", "--from", begin, "--to", at(shop.db.position()), config=True)
        assert [line["op"] for line in lines] == ["insert"] * 2 + ["truncate"] + ["insert"] * 3 + ["delete"]
        assert list(lines[0]["after"])[:2] == ["id", "order_id"] and list(lines[3]["after"])[:2] == ["id", "user_id"]
        versions = [line["version"] for line in lines]
        assert versions == sorted(versions)
        assert lines[2]["gtid"] == lines[3]["gtid"] != lines[1]["gtid"]


PARTITIONED = """CREATE TABLE shop.days (
    id INT NOT NULL, day INT NOT NULL, PRIMARY KEY (id, day)) ENGINE=InnoDB
    PARTITION BY RANGE (day) (PARTITION p1 VALUES LESS THAN (10), PARTITION p2 VALUES LESS THAN (20),
    PARTITION p3 VALUES LESS THAN MAXVALUE)"""
DAY_ROUTE = {"table": "shop.days", "key": "id", "to": "cache", "invalidate": ["day:{id}"]}


@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE shop.days DROP PARTITION p1", "ALTER TABLE shop.days TRUNCATE PARTITION p1",
     "ALTER TABLE shop.days EXCHANGE PARTITION p1 WITH TABLE shop.spare"],
    ids=["drop", "truncate", "exchange"],
)
@pytest.mark.parametrize("reaction", ["stop", "sweep"])
def test_partition_that_takes_rows_with_it(db, redis, sluice, statement, reaction):
    db.script([PARTITIONED, "CREATE TABLE shop.spare (id INT NOT NULL, day INT NOT NULL, PRIMARY KEY (id, day)) ENGINE=InnoDB"])
    db.sql("INSERT INTO shop.days VALUES (1, 5), (2, 15)")
    driver = sluice(config(db, redis, at(db.position()), routes=[{**DAY_ROUTE, "on_truncate": reaction}])).start()
    cache = redis.client()
    cache.mset({"day:1": 1, "day:2": 1, "day:3": 1, "other": 1})
    db.sql("INSERT INTO shop.days VALUES (3, 25)")
    wait_until(lambda: not cache.exists("day:3"), lambda: f"day:3 to vanish: {driver.tail()}")
    db.sql(statement)
    if reaction == "stop":
        line = stopped_with(driver, "truncate_stop")
        assert "shop.days" in str(line)
    else:
        wait_until(lambda: not cache.exists("day:1", "day:2"), lambda: f"the sweep: {driver.tail()}")
        assert cache.exists("other") and driver.alive()


@pytest.mark.flavors("mariadb")
@pytest.mark.parametrize("reaction", ["stop", "sweep", "ignore"])
def test_table_that_is_replaced_with_the_rows_of_a_query(db, redis, sluice, reaction):
    """Its statement stands inside the transaction of its rows: what it discards goes first, whatever lane it is in."""
    start = at(db.position())
    numbers = range(1, 41)
    db.script(["CREATE TABLE shop.days (id INT PRIMARY KEY, day INT)", "CREATE TABLE shop.model (id INT PRIMARY KEY, day INT)"])
    db.script([f"INSERT INTO shop.days VALUES ({n}, 0)" for n in numbers])
    db.script([f"INSERT INTO shop.model VALUES ({n}, 0)" for n in range(31, 51)])
    driver = sluice(config(db, redis, start, routes=[{**DAY_ROUTE, "on_truncate": reaction}], partitions=4)).start()
    cache = redis.client()
    cache.set("day:40", 1)
    db.sql("UPDATE shop.days SET day = 1 WHERE id = 40")
    wait_until(lambda: not cache.exists("day:40"), lambda: f"day:40 to vanish: {driver.tail()}")
    cache.mset({f"day:{n}": 1 for n in range(1, 61)})
    db.sql("CREATE OR REPLACE TABLE shop.days (PRIMARY KEY (id)) AS SELECT day AS new_day, id FROM shop.model")
    if reaction == "stop":
        line = stopped_with(driver, "truncate_stop")
        assert "shop.days" in str(line) and cache.exists("day:31")
        assert driver.start().wait_exit() == STOPPED and cache.exists("day:31")
        return
    gone = range(1, 61) if reaction == "sweep" else range(31, 51)
    keys = [f"day:{n}" for n in gone]
    wait_until(lambda: not cache.exists(*keys), lambda: f"the keys to vanish: {driver.tail()}")
    assert len(cache.keys("day:*")) == 60 - len(keys)
    driver.kill()
    cache.set("day:55", 1)
    db.sql("INSERT INTO shop.days (id, new_day) VALUES (55, 7)")
    driver.start()
    wait_until(lambda: not cache.exists("day:55"), lambda: f"day:55 to vanish: {driver.tail()}")
    lines = driver.dump("--from", start, "--to", at(db.position()), "--table", "shop.days", config=True)
    assert [line["op"] for line in lines] == ["insert"] * 40 + ["update", "truncate"] + ["insert"] * 21
    after = [line["after"] for line in lines[42:]]
    assert [(row["id"], row["new_day"]) for row in after] == [(n, 0) for n in range(31, 51)] + [(55, 7)]
    versions = [line["version"] for line in lines]
    assert versions == sorted(set(versions))


def test_partition_ddl_that_keeps_the_rows_goes_on(db, redis, sluice):
    db.script([PARTITIONED, "INSERT INTO shop.days VALUES (1, 5), (2, 15)"])
    driver = sluice(config(db, redis, at(db.position()), routes=[DAY_ROUTE])).start()
    cache = redis.client()
    cache.set("day:1", 1)
    db.script(
        [
            "ALTER TABLE shop.days REORGANIZE PARTITION p1 INTO "
            "(PARTITION p0 VALUES LESS THAN (5), PARTITION p1 VALUES LESS THAN (10))",
            "ALTER TABLE shop.days REBUILD PARTITION p2",
            "UPDATE shop.days SET day = 6 WHERE id = 1",
        ]
    )
    wait_until(lambda: not cache.exists("day:1"), lambda: f"day:1 to vanish: {driver.tail()}")
    assert driver.alive()


class TestRowImages:
    """The key order_id stands outside the primary key of shop.orders."""

    @pytest.fixture
    def shop(self, db, redis):
        return Shop(db, redis)

    CHANGES = {
        "insert": "INSERT INTO orders (order_id, user_id) VALUES (1, 1)",
        "update": "UPDATE orders SET status = 'x' WHERE order_id = 1",
        "delete": "DELETE FROM orders WHERE order_id = 1",
    }
    # What can be done exactly with each image, and what must stop.
    ENOUGH = {
        "FULL": {"insert", "update", "delete"},
        "NOBLOB": {"insert", "update", "delete"},
        "MINIMAL": {"insert"},
        "FULL_NODUP": {"insert", "update", "delete"},
    }

    @pytest.mark.parametrize("image", ENOUGH)
    @pytest.mark.parametrize("op", CHANGES)
    def test_key_is_found_or_the_service_stops(self, shop, sluice, image, op):
        with shop.db.connect("shop") as con, con.cursor() as cur:
            try:
                cur.execute(f"SET SESSION binlog_row_image = '{image}'")
            except Exception:  # pylint: disable=broad-except
                pytest.skip(f"{shop.db.flavor} here has no {image}")
            if op != "insert":
                shop.orders([1])
            start = at(shop.db.position())
            shop.plant("order:1", "user:1:orders")
            driver = sluice(config(shop.db, shop.redis, start)).start()
            cur.execute(self.CHANGES[op])
        if op in self.ENOUGH[image]:
            shop.wait_gone("order:1", "user:1:orders")
            return
        line = stopped_with(driver, "row_image")
        text = str(line)
        assert "shop.orders" in text and "order_id" in text and "binlog_row_image" in text
        assert shop.left("order:1"), "the row was taken in part"

    def test_minimal_images_are_enough_for_a_key_that_is_the_primary_key(self, shop, sluice):
        route = {"table": "shop.orders", "to": "cache", "invalidate": ["row:{id}"]}
        shop.orders([1])
        number = shop.db.value("SELECT id FROM shop.orders")
        start = at(shop.db.position())
        driver = sluice(config(shop.db, shop.redis, start, routes=[route])).start()
        with shop.db.connect("shop") as con, con.cursor() as cur:
            cur.execute("SET SESSION binlog_row_image = 'MINIMAL'")
            for statement in (self.CHANGES["update"], self.CHANGES["delete"]):
                shop.plant(f"row:{number}")
                cur.execute(statement)
                wait_until(lambda: not shop.left(f"row:{number}"), lambda: f"the key to vanish: {driver.tail()}")
