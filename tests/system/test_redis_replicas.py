"""A Redis with replicas: what counts as applied when they are asked for (`wait_replicas`)."""

import pytest

from shop import Shop, config
from sluice import FINE, wait_until

pytestmark = pytest.mark.ci_flavors("mariadb")


@pytest.fixture
def pair(db, redis, new_redis):
    """A shop whose cache has a replica, which is in step, and that replica."""
    replica = new_redis(options=["--replicaof", "127.0.0.1", redis.port])
    wait_until(
        lambda: replica.client().info("replication")["master_link_status"] == "up", "the replica to be in step"
    )
    return Shop(db, redis), replica


def test_a_change_counts_when_the_replica_has_it(pair, sluice):
    """While the replica is held, the change comes again and again: also a key that was filled anew meanwhile goes."""
    shop, replica = pair
    driver = sluice(config(shop.db, shop.redis, cache={"wait_replicas": 1, "wait_timeout_ms": 100})).start()
    shop.orders([1])
    shop.wait_streaming(driver)
    shop.plant("order:1")
    replica.pause()
    shop.pay(1)
    shop.wait_gone("order:1")
    driver.wait_log(level="warn", err="sink_not_ready", text=lambda text: "0 of wait_replicas 1" in text)
    shop.plant("order:1")
    shop.wait_gone("order:1")
    replica.resume()
    wait_until(lambda: not replica.client().exists("order:1"), lambda: f"the replica to follow: {driver.tail()}")
    shop.check_changes_reach_cache([1])
    assert driver.stop() == FINE
