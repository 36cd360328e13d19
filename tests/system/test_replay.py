"""`sluice replay`: a range of the log again into the sinks, beside or without the service. And `sluice position`."""

import re

import pytest

from shop import Shop, config
from sluice import FINE, STOPPED, USAGE, at, wait_until


@pytest.fixture
def shop(db, redis):
    return Shop(db, redis)


def keys(numbers):
    return [f"order:{number}" for number in numbers]


def pay_all(shop, numbers):
    """Pays the orders; returns the positions before and after."""
    begin = shop.db.position()
    for number in numbers:
        shop.pay(number)
    return at(begin), at(shop.db.position())


def test_replay_of_a_range_touches_that_range_only(shop, sluice):
    shop.orders(range(1, 31))
    pay_all(shop, range(1, 11))
    begin, end = pay_all(shop, range(11, 21))
    pay_all(shop, range(21, 31))
    shop.plant(*keys(range(1, 31)))
    driver = sluice(config(shop.db, shop.redis))
    done = driver.run("replay", "fix", "--from", begin, "--to", end)
    assert done.returncode == FINE, done.stderr
    assert shop.left(*keys(range(1, 31))) == set(keys([*range(1, 11), *range(21, 31)]))


def test_replay_by_gtid(shop, sluice):
    shop.orders(range(1, 21))
    begin = shop.db.gtid()
    pay_all(shop, range(1, 11))
    end = shop.db.gtid()
    pay_all(shop, range(11, 21))
    shop.plant(*keys(range(1, 21)))
    done = sluice(config(shop.db, shop.redis)).run("replay", "fix", "--from", begin, "--to", end)
    assert done.returncode == FINE, done.stderr
    assert shop.left(*keys(range(1, 21))) == set(keys(range(11, 21)))


def test_replay_with_table_replays_that_table(shop, sluice):
    shop.orders(range(1, 4))
    begin = at(shop.db.position())
    shop.pay(1)
    shop.db.sql("INSERT INTO shop.order_items (order_id, product) VALUES (2, 'p')")
    end = at(shop.db.position())
    shop.plant(*keys(range(1, 4)))
    driver = sluice(config(shop.db, shop.redis))
    done = driver.run("replay", "items", "--from", begin, "--to", end, "--table", "shop.order_items")
    assert done.returncode == FINE, done.stderr
    assert shop.left(*keys(range(1, 4))) == {"order:1", "order:3"}


def test_dry_run_touches_nothing_and_counts(shop, sluice):
    shop.orders(range(1, 11))
    begin, end = pay_all(shop, range(1, 11))
    shop.plant(*keys(range(1, 11)))
    done = sluice(config(shop.db, shop.redis)).run("replay", "try", "--from", begin, "--to", end, "--dry-run")
    assert done.returncode == FINE, done.stderr
    assert len(shop.left(*keys(range(1, 11)))) == 10
    assert re.search(r"\b10\b", done.stdout + done.stderr)


def test_finished_replay_can_be_run_again_under_its_name(shop, sluice):
    shop.orders(range(1, 11))
    begin, end = pay_all(shop, range(1, 11))
    driver = sluice(config(shop.db, shop.redis))
    assert driver.run("replay", "once", "--from", begin, "--to", end).returncode == FINE
    shop.plant(*keys(range(1, 11)))
    assert driver.run("replay", "once", "--from", begin, "--to", end).returncode == FINE
    assert not shop.left(*keys(range(1, 11)))


def test_replay_beside_the_running_service_leaves_its_position(shop, sluice):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders(range(1, 11))
    shop.wait_streaming(driver)
    begin, end = pay_all(shop, range(1, 11))
    shop.wait_gone(*keys(range(1, 11)))
    shop.plant(*keys(range(1, 11)))
    done = driver.run("replay", "beside", "--from", begin, "--to", end)
    assert done.returncode == FINE, done.stderr
    assert not shop.left(*keys(range(1, 11)))
    assert driver.alive()
    shop.check_changes_reach_cache([1])


def test_replay_without_to_ends_at_the_service_s_position(shop, sluice):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders(range(1, 11))
    shop.wait_streaming(driver)
    begin, end = pay_all(shop, range(1, 11))
    wait_until(lambda: end in driver.rendered("position", "show"), lambda: f"the checkpoint at {end}: {driver.rendered('position', 'show')}", 20)
    shop.plant(*keys(range(1, 11)))
    done = driver.run("replay", "open-end", "--from", begin, timeout=60)
    assert done.returncode == FINE, done.stderr
    assert not shop.left(*keys(range(1, 11)))


class TestPosition:
    def stopped(self, shop, sluice):
        driver = sluice(config(shop.db, shop.redis)).start()
        shop.orders(range(1, 11))
        shop.wait_streaming(driver)
        assert driver.stop() == FINE
        return driver

    def test_show_names_file_offset_and_gtid(self, shop, sluice):
        driver = self.stopped(shop, sluice)
        text = driver.rendered("position", "show")
        name = shop.db.position()[0]
        assert name in text, text
        assert shop.db.gtid().split(":")[0].split(",")[-1].strip()[:8] in text, text

    def test_set_goes_back_and_forward(self, shop, sluice):
        driver = self.stopped(shop, sluice)
        begin, end = pay_all(shop, range(1, 11))
        shop.plant(*keys(range(1, 11)))
        assert driver.run("position", "set", end).returncode == FINE
        driver.start()
        shop.wait_streaming(driver, order_id=900_001)
        assert len(shop.left(*keys(range(1, 11)))) == 10
        assert driver.stop() == FINE
        assert driver.run("position", "set", begin).returncode == FINE
        driver.start()
        shop.wait_gone(*keys(range(1, 11)))

    @pytest.mark.flavors("mariadb")
    def test_set_to_a_file_finds_its_gtids(self, shop, sluice):
        driver = self.stopped(shop, sluice)
        begin, _ = pay_all(shop, range(1, 11))
        assert driver.run("position", "set", begin).returncode == FINE
        assert "0-" not in driver.rendered("position", "show")
        driver.start()
        shop.wait_streaming(driver, order_id=900_001)
        assert driver.stop() == FINE
        text = driver.rendered("position", "show")
        assert shop.db.gtid() in text, text

    def test_reset_starts_as_configured(self, shop, sluice):
        driver = self.stopped(shop, sluice)
        pay_all(shop, range(1, 11))
        assert driver.run("position", "reset").returncode == FINE
        shop.plant(*keys(range(1, 11)))
        driver.start()
        shop.wait_streaming(driver, order_id=900_001)
        assert len(shop.left(*keys(range(1, 11)))) == 10

    def test_set_and_reset_need_the_service_stopped(self, shop, sluice):
        driver = sluice(config(shop.db, shop.redis)).start()
        shop.wait_streaming(driver)
        for args in (["set", "bin.000001:4"], ["reset"]):
            done = driver.run("position", *args)
            assert done.returncode == STOPPED and "state_locked" in done.stderr, done.stderr
        assert driver.run("position", "show").returncode == FINE
        assert driver.alive()

    def test_nonsense_is_refused(self, shop, sluice):
        driver = sluice(config(shop.db, shop.redis))
        done = driver.run("position", "set", "over-there")
        assert done.returncode == USAGE and "over-there" in done.stderr


def test_killed_replay_goes_on_where_it_was(shop, sluice):
    """SIGKILL in the middle: the next call with the name, without --from, does the rest."""
    shop.orders(range(1, 501))
    begin, end = pay_all(shop, range(1, 501))
    shop.plant(*keys(range(1, 501)))
    driver = sluice(config(shop.db, shop.redis))
    process = driver.begin("replay", "cut", "--from", begin, "--to", end)
    wait_until(lambda: len(shop.left(*keys(range(1, 501)))) < 500 or process.poll() is not None, "a first row")
    process.kill()
    process.wait()
    done = driver.run("replay", "cut", "--to", end)
    assert done.returncode == FINE, done.stderr
    assert not shop.left(*keys(range(1, 501)))


class TestFiles:
    """The files of a server as the source: without the server."""

    def files(self, shop, sluice, count=10, **more):
        shop.orders(range(1, count + 1))
        shop.db.flush_logs()
        pay_all(shop, range(1, count + 1))
        paths = shop.db.binlog_paths()
        shop.plant(*keys(range(1, count + 1)))
        driver = sluice(config(shop.db, shop.redis, source={"port": 1, "connect_timeout_ms": 100}, **more))
        return driver, paths

    @pytest.fixture
    def shop(self, new_db, redis):
        return Shop(new_db({"binlog_row_metadata": "FULL"}), redis)

    def test_files_are_replayed_without_a_server(self, shop, sluice):
        driver, paths = self.files(shop, sluice)
        done = driver.run("replay", "old", *paths)
        assert done.returncode == FINE, done.stderr
        assert not shop.left(*keys(range(1, 11)))

    def test_from_and_to_are_places_in_the_files(self, shop, sluice):
        driver, paths = self.files(shop, sluice)
        begin, end = pay_all(shop, range(3, 6))
        done = driver.run("replay", "part", *paths, "--from", begin, "--to", end)
        assert done.returncode == FINE, done.stderr
        assert shop.left(*keys(range(1, 11))) == set(keys([1, 2, *range(6, 11)]))

    def test_a_replay_that_stopped_goes_on_where_it_was(self, shop, sluice, tmp_path):
        driver, paths = self.files(shop, sluice)
        with open(paths[-1], "rb") as file:
            whole = file.read()
        cut = tmp_path / paths[-1].rsplit("/", 1)[-1]
        cut.write_bytes(whole[:-600])
        done = driver.run("replay", "cut", cut)
        assert done.returncode == STOPPED, done.stderr
        assert 0 < len(shop.left(*keys(range(1, 11)))) < 10
        gone = set(keys(range(1, 11))) - shop.left(*keys(range(1, 11)))
        shop.plant(*gone)
        cut.write_bytes(whole)
        done = driver.run("replay", "cut", cut, "--from", "earliest")
        assert done.returncode == USAGE, "it has begun already"
        done = driver.run("replay", "cut", cut)
        assert done.returncode == FINE, done.stderr
        left = shop.left(*keys(range(1, 11)))
        assert left and left <= gone, "what was applied is not applied again"
