"""A routed table changes while the service runs: what fits is followed without a pause, what does not fit stops the
service before the first row that it affects, and it goes on there once the configuration fits."""

import pytest

from shop import Shop, config, routes
from sluice import FINE, stopped_with, wait_until

BY_USER = ["user:{user_id}:orders"]


@pytest.fixture
def shop(db, redis):
    return Shop(db, redis)


def started(driver, shop):
    driver.start()
    shop.wait_streaming(driver)
    return driver


def test_fitting_changes_are_followed_without_a_pause(shop, redis, sluice):
    driver = started(sluice(config(shop.db, redis)), shop)
    pid = driver.process.pid
    for number, statement in enumerate(
        [
            "ADD COLUMN first INT NOT NULL DEFAULT 1 FIRST",
            "MODIFY note TEXT, ADD KEY (status)",
            "DROP COLUMN note, ADD COLUMN more VARCHAR(10) AFTER user_id",
            "CHANGE amount amount DECIMAL(14,2) NOT NULL DEFAULT 0 FIRST",
        ]
    ):
        shop.db.sql(f"ALTER TABLE shop.orders {statement}")
        shop.orders([100 + number])
        shop.check_changes_reach_cache([100 + number])
    assert driver.alive() and driver.process.pid == pid
    lines = driver.find_log(msg="statement on a routed table", table="orders")
    assert len(lines) == 4 and all(line["db"] == "shop" and ":" in line["at"] for line in lines), driver.tail()
    assert driver.stop() == FINE


@pytest.mark.parametrize(
    "statement, column",
    [
        ("ALTER TABLE shop.orders DROP COLUMN user_id", "user_id"),
        ("ALTER TABLE shop.orders CHANGE order_id number BIGINT NOT NULL", "order_id"),
    ],
    ids=["of a template", "of the key"],
)
def test_lost_column_stops_before_the_first_row_and_goes_on_there(shop, redis, sluice, statement, column):
    driver = started(sluice(config(shop.db, redis)), shop)
    shop.orders([1, 2])
    shop.check_changes_reach_cache([1, 2])
    file, pos = shop.db.position()
    shop.db.sql(statement)
    # Rows of other tables do not mind.
    shop.plant("order:3")
    shop.db.sql("INSERT INTO shop.order_items (order_id, product) VALUES (3, 'p')")
    shop.wait_gone("order:3")
    changed = ("INSERT INTO shop.orders (order_id) VALUES (4)" if column == "user_id"
               else "INSERT INTO shop.orders (number, user_id) VALUES (4, 1)")
    keys = ["order:4", "user:1:orders", "order:5"]
    shop.plant(*keys)
    shop.db.sql(changed)
    shop.db.sql("INSERT INTO shop.order_items (order_id, product) VALUES (5, 'p')")
    line = stopped_with(driver, "route_broken")
    text = str(line)
    assert column in text and "shop.orders" in text and file in text and "goes on exactly" in text, text
    said = driver.find_log(msg="statement on a routed table")
    assert said and said[-1]["at"].split(":")[0] == file and int(said[-1]["at"].split(":")[1]) >= pos
    assert shop.left(*keys) == set(keys), "nothing behind the row has gone out"

    key, templates = ("order_id", ["order:{order_id}"]) if column == "user_id" else ("number", ["order:{number}", *BY_USER])
    fits = {"table": "shop.orders", "key": key, "to": "cache", "invalidate": templates}
    driver.configure(config(shop.db, redis, routes=[fits, routes()[1]]))
    driver.start()
    gone = {"order:4", "order:5"} if column == "user_id" else set(keys)
    wait_until(lambda: not shop.left(*gone), lambda: f"the rows from there on: {driver.tail()}")
    assert driver.stop() == FINE


def test_route_that_is_dropped_lets_the_service_go_on(shop, redis, sluice):
    driver = started(sluice(config(shop.db, redis)), shop)
    shop.db.sql("ALTER TABLE shop.orders DROP COLUMN user_id")
    shop.plant("order:7", "order:8")
    shop.db.sql("INSERT INTO shop.orders (order_id) VALUES (7)")
    shop.db.sql("INSERT INTO shop.order_items (order_id, product) VALUES (8, 'p')")
    stopped_with(driver, "route_broken")
    driver.configure(config(shop.db, redis, routes=routes()[1:]))
    driver.start()
    shop.wait_gone("order:8")
    assert shop.left("order:7") == {"order:7"}
    assert driver.stop() == FINE
