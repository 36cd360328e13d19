"""The shop of the examples: orders and their items, and the cache entries that hang on them."""

from sluice import source_of, wait_until

ORDERS = """
CREATE TABLE shop.orders (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    status VARCHAR(20) NOT NULL DEFAULT 'new',
    amount DECIMAL(12,2) NOT NULL DEFAULT 0,
    note VARCHAR(200) NULL,
    KEY (order_id), KEY (user_id)
) ENGINE=InnoDB CHARACTER SET utf8mb4"""

ITEMS = """
CREATE TABLE shop.order_items (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id BIGINT NOT NULL,
    product VARCHAR(50) NOT NULL,
    quantity INT NOT NULL DEFAULT 1,
    KEY (order_id)
) ENGINE=InnoDB CHARACTER SET utf8mb4"""

ORDER_TEMPLATES = ["order:{order_id}", "user:{user_id}:orders"]
ITEM_TEMPLATES = ["order:{order_id}"]


def routes(**orders_more):
    return [
        {"table": "shop.orders", "key": "order_id", "to": "cache", "invalidate": ORDER_TEMPLATES, **orders_more},
        {"table": "shop.order_items", "key": "order_id", "to": "cache", "invalidate": ITEM_TEMPLATES},
    ]


def config(db, redis, start="current", **more):
    """A whole configuration: this source, this Redis, the shop's routes. A dict `source` is merged in."""
    more = dict(more)
    return {
        "source": source_of(db, start=start, **more.pop("source", {})),
        "sinks": {"cache": {"type": "redis", "url": redis.url(), **more.pop("cache", {})}},
        "routes": more.pop("routes", routes()),
        **more,
    }


class Shop:
    """Orders in a database and a cache in front of them."""

    def __init__(self, db, redis=None):
        self.db, self.redis = db, redis
        self.cache = redis.client() if redis else None
        db.script([ORDERS, ITEMS])

    def order(self, order_id, user_id=1, items=1):
        """Inserts an order with items in one transaction."""
        with self.db.connect("shop", autocommit=False) as con, con.cursor() as cur:
            cur.execute("INSERT INTO orders (order_id, user_id) VALUES (%s, %s)", (order_id, user_id))
            for number in range(items):
                cur.execute("INSERT INTO order_items (order_id, product) VALUES (%s, %s)", (order_id, f"p{number}"))
            con.commit()

    def orders(self, numbers, user_id=1):
        """Inserts many orders in one statement."""
        rows = ", ".join(f"({number}, {user_id})" for number in numbers)
        self.db.sql(f"INSERT INTO shop.orders (order_id, user_id) VALUES {rows}")

    def pay(self, order_id, db=None):
        """One small change of an order, different each time."""
        (db or self.db).sql("UPDATE shop.orders SET amount = amount + 1 WHERE order_id = %s", (order_id,))

    # The cache.
    def plant(self, *keys):
        """Fills cache entries, as an application would."""
        self.cache.mset({key: "planted" for key in keys})

    def left(self, *keys):
        return {key for key, value in zip(keys, self.cache.mget(keys)) if value is not None}

    def wait_gone(self, *keys, limit_s=120):
        wait_until(lambda: not self.left(*keys), lambda: f"{sorted(self.left(*keys))[:5]} to vanish", limit_s)

    def wait_streaming(self, driver, order_id=None):
        """Returns once a change made now reaches the cache: the service runs and has caught up."""
        order_id = order_id or 900_000
        self.orders([order_id])

        def seen():
            assert driver.alive(), f"sluice ended with {driver.process.returncode}: {driver.tail()}"
            self.plant(f"order:{order_id}")
            self.pay(order_id)
            try:
                self.wait_gone(f"order:{order_id}", limit_s=0.5)
                return True
            except TimeoutError:
                return False

        wait_until(seen, lambda: f"the first invalidation: {driver.tail()}", 120)

    def check_changes_reach_cache(self, numbers):
        """Changes orders that are cached; each entry vanishes."""
        keys = [f"order:{number}" for number in numbers]
        self.plant(*keys)
        for number in numbers:
            self.pay(number)
        self.wait_gone(*keys)
