"""`publish`: who keeps values in its own memory hears which keys are stale, when Redis does not hold them any more."""

import threading
import time

import pytest

from shop import Shop, config, routes
from sluice import FINE, USAGE, wait_until

pytestmark = pytest.mark.ci_flavors("mariadb")
KEYS = range(1, 201)


class Ear(threading.Thread):
    """A subscriber that asks Redis for each key at once, as an application would."""

    def __init__(self, redis, channel):
        super().__init__(daemon=True)
        self.client = redis.client()
        self.pubsub = redis.client().pubsub(ignore_subscribe_messages=True)
        self.pubsub.subscribe(channel)
        self.heard, self.found, self.stopping = [], {}, False
        wait_until(lambda: self.client.pubsub_numsub(channel)[0][1] > 0, "the subscription")
        self.start()

    def run(self):
        while not self.stopping:
            message = self.pubsub.get_message(timeout=0.1)
            if message:
                self.heard.append(message["data"].decode())
                value = self.client.get(message["data"])
                if value is not None:
                    self.found[message["data"].decode()] = value

    def end(self):
        self.stopping = True
        self.join()


def running(shop, sluice, **of_routes):
    some = [{**route, "publish": "stale", **of_routes} for route in routes()]
    return sluice(config(shop.db, shop.redis, routes=some, partitions=4)).start()


def fresh(shop, numbers):
    for number in numbers:
        shop.pay(number)


@pytest.mark.parametrize("mode", ["invalidate", "fence", "second_delete"])
def test_keys_are_published_behind_their_removal(db, redis, sluice, mode):
    shop = Shop(db, redis)
    shop.orders(KEYS, user_id=7)
    driver = running(shop, sluice, mode=mode)
    shop.wait_streaming(driver)
    ear = Ear(redis, "stale")
    shop.plant(*(f"order:{number}" for number in KEYS), "user:7:orders")
    fresh(shop, KEYS)
    expected = {f"order:{number}" for number in KEYS} | {"user:7:orders"}
    wait_until(lambda: set(ear.heard) >= expected, lambda: f"{len(set(ear.heard))} messages", 60)
    assert set(ear.heard) == expected and ear.found == {}
    ear.end()
    assert driver.stop() == FINE


def test_mode_publish_leaves_keys_alone(db, redis, sluice):
    shop = Shop(db, redis)
    shop.orders(KEYS)
    ear = Ear(redis, "stale")
    driver = running(shop, sluice, mode="publish")
    driver.wait_log(msg="reading")
    shop.plant("order:5")
    shop.pay(5)
    wait_until(lambda: "order:5" in ear.heard, "the message", 60)
    time.sleep(0.2)
    assert set(ear.heard) == {"order:5", "user:1:orders"} and shop.left("order:5")
    ear.end()
    assert driver.stop() == FINE


def test_row_that_is_written_is_published_behind_it(db, redis, sluice):
    shop = Shop(db, redis)
    ear = Ear(redis, "orders")
    route = {"table": "shop.orders", "key": "order_id", "to": "cache", "mode": "write", "write": "order:{order_id}",
             "as": "text", "text": "{amount}", "when": "status = paid", "publish": "orders"}
    driver = sluice(config(db, redis, routes=[route])).start()
    driver.wait_log(msg="reading")
    shop.orders([1, 2])
    db.sql("UPDATE shop.orders SET status = 'paid' WHERE order_id = 2")
    wait_until(lambda: ear.found, "the row", 60)
    assert ear.heard == ["order:2"] and ear.found == {"order:2": b"0.00"}
    db.sql("UPDATE shop.orders SET status = 'sent' WHERE order_id = 2")
    wait_until(lambda: len(ear.heard) > 1, "its end", 60)
    assert ear.heard == ["order:2"] * 2 and not redis.client().exists("order:2")
    ear.end()
    assert driver.stop() == FINE


def test_what_cannot_be_published_is_refused(db, redis, sluice):
    shop = Shop(db, redis)
    for more, says in (({"mode": "publish"}, "publish"), ({"publish": "x", "on_truncate": "sweep"}, "TRUNCATE")):
        done = sluice(config(shop.db, redis, routes=[{**routes()[0], **more}])).run("run")
        assert done.returncode == USAGE and says in done.stderr, done.stderr
