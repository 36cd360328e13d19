"""Sentinels name the primary: sluice follows them, and what the one before lost is applied again. At the end the Redis
that applications are led to holds what the database's own SELECT says."""

import os
import signal
import threading
import time

import pytest

from servers import wait_until as wait_for
from servers.redis_sentinel import Sentinel
from shop import Shop, config
from sluice import FINE, stopped_with, wait_until
from test_redis_write import differences, routes_of, settled, written

SENTINELS = 3
STOPPED_S = 4  # longer than a failover takes

pytestmark = pytest.mark.ci_flavors("mariadb")


class Deployment:
    """A primary, a replica and their Sentinels; client() is of the primary that they name."""

    def __init__(self, workspace, new_redis):
        first = new_redis()
        self.redis = [first, new_redis(options=["--replicaof", "127.0.0.1", str(first.port)])]
        self.sentinels = [Sentinel(workspace, first).start() for _ in range(SENTINELS)]
        for sentinel in self.sentinels:
            sentinel.wait_knows(SENTINELS)

    def primary(self):
        port = self.sentinels[-1].primary_port()
        return next(server for server in self.redis if server.port == port)

    def client(self):
        return self.primary().client()

    def config(self, db, **more):
        made = config(db, self.redis[0], partitions=4, **more)
        cache = made["sinks"]["cache"]
        del cache["url"]
        cache.update({"sentinels": [one.address() for one in self.sentinels], "master": "cache", **more.get("cache", {})})
        return made


@pytest.fixture
def deployment(workspace, new_redis):
    made = Deployment(workspace, new_redis)
    yield made
    for sentinel in made.sentinels:
        sentinel.kill()


@pytest.mark.parametrize("how", ["killed", "standing still", "told to"])
def test_another_primary_takes_over_under_load(db, deployment, sluice, rng, full, how):
    """Killed; standing still for a while, so that sluice's own connection to it stays; or by hand."""
    if how == "told to" and not full:
        pytest.skip("as the others; with --full")
    shop = Shop(db)
    behind = {"replay_after_failover_ms": "20s"}  # far more than this replica is
    driver = sluice(deployment.config(db, routes=routes_of(), cache=behind)).start()
    driver.wait_log(msg=lambda text: text.startswith("connected to"))
    written(shop, rng.random(), 300)
    settled(shop, deployment, driver)
    for _ in range(5 if full else 1):
        old = deployment.primary()
        load = threading.Thread(target=written, args=(shop, rng.random(), 20000 if full else 3000))
        load.start()
        time.sleep(0.2)
        if how == "killed":
            old.kill()
        elif how == "standing still":
            os.kill(old.process.pid, signal.SIGSTOP)
        else:
            deployment.sentinels[0].client().execute_command("SENTINEL", "FAILOVER", "cache")
        wait_for(lambda: deployment.primary() is not old, "the failover")
        if how == "standing still":
            time.sleep(STOPPED_S)
            os.kill(old.process.pid, signal.SIGCONT)
        elif how == "killed":
            old.start()
        load.join()
        wait_until(lambda: driver.find_log(msg="the service goes back"), driver.tail)
        settled(shop, deployment, driver, 900 if full else 180)
        assert not differences(shop, deployment)
    assert driver.stop() == FINE, driver.tail()


def test_most_sentinels_away_and_a_name_that_they_do_not_know(db, deployment, sluice):
    shop = Shop(db)
    driver = sluice(deployment.config(db)).start()
    driver.wait_log(msg=lambda text: text.startswith("connected to"))
    shop.redis, shop.cache = deployment.redis[0], deployment.client()
    shop.wait_streaming(driver)
    for sentinel in deployment.sentinels[:2]:
        sentinel.kill()
    line = driver.wait_log(level="warn", sink="cache")
    assert "too few Sentinels" in line["msg"]
    shop.orders(range(1, 11))
    shop.check_changes_reach_cache(range(1, 11))
    assert driver.stop() == FINE, driver.tail()
    driver.start()
    line = driver.wait_log(err="sink_not_ready")
    assert "1 of 3 Sentinels" in line["text"]
    deployment.sentinels[0].start()
    shop.check_changes_reach_cache(range(1, 11))
    assert driver.stop() == FINE, driver.tail()
    driver.configure(deployment.config(db, cache={"master": "other"}))
    driver.start()
    assert "other" in stopped_with(driver, "sink_no_master")["text"]
