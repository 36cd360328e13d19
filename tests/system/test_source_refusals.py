"""What a source may not be, and what sluice says then: the right name, the right exit code, no secret."""

import pytest

from servers import Authority, REPLICATION_PASSWORD, REPLICATION_USER
from shop import Shop, config
from sluice import FINE, STOPPED, at, stopped_with, wait_until


@pytest.fixture
def shop(db, redis):
    return Shop(db, redis)


def refused(driver, error):
    """Runs until the stop and returns its error line."""
    driver.start()
    line = stopped_with(driver, error)
    assert REPLICATION_PASSWORD not in driver.tail(1000)
    return line


def test_wrong_password(shop, sluice):
    driver = sluice(config(shop.db, shop.redis, source={"password": "guess-again"}))
    refused(driver, "login_denied")
    assert "guess-again" not in driver.tail(1000)


def test_unknown_user(shop, sluice):
    refused(sluice(config(shop.db, shop.redis, source={"user": "nobody"})), "login_denied")


@pytest.mark.parametrize("grants", ["SELECT", ""], ids=["select-only", "nothing"])
def test_missing_grants_are_named(shop, sluice, grants):
    shop.db.sql("DROP USER IF EXISTS 'poor'@'%'")
    shop.db.add_user("poor", "poor", grants)
    line = refused(sluice(config(shop.db, shop.redis, source={"user": "poor", "password": "poor"})), "grant_missing")
    assert "REPLICATION" in str(line)


def test_no_binlog(new_db, redis, sluice):
    db = new_db()
    db.stop()
    gtids = {"gtid-mode": None} if db.flavor == "mysql" else {"log-slave-updates": None}
    db.options |= {"log-bin": None, "skip-log-bin": True, **gtids}
    db.start()
    refused(sluice(config(db, redis)), "binlog_off")


def test_binlog_format_other_than_row(new_db, redis, sluice):
    db = new_db({"binlog_format": "MIXED"})
    Shop(db, redis)
    line = refused(sluice(config(db, redis)), "binlog_format")
    assert "binlog_format" in str(line)


def test_statement_in_the_log_stops(shop, sluice):
    driver = sluice(config(shop.db, shop.redis)).start()
    shop.orders([1])
    shop.wait_streaming(driver)
    with shop.db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET SESSION binlog_format = 'STATEMENT'")
        cur.execute("UPDATE orders SET status = 'x' WHERE order_id = 1")
    stopped_with(driver, "statement_dml")


def test_purged_binlog(new_db, redis, sluice):
    shop = Shop(new_db(), redis)
    shop.orders([1])
    driver = sluice(config(shop.db, redis)).start()
    shop.wait_streaming(driver)
    assert driver.stop() == FINE
    for number in range(3):
        shop.pay(1)
        shop.db.flush_logs()
    shop.db.purge_to_last()
    refused(driver, "binlog_purged")


def test_start_at_a_file_that_does_not_exist(shop, sluice):
    refused(sluice(config(shop.db, shop.redis, "bin.777777:4")), "binlog_purged")


@pytest.mark.parametrize("again", [0, 40], ids=["no-new-numbers", "more-numbers-than-before"])
def test_reset_of_the_log_is_noticed(new_db, redis, sluice, again):
    """Also when the server has given out the numbers that were read for other changes by then."""
    shop = Shop(new_db(), redis)
    shop.orders([1])
    shop.db.flush_logs()
    driver = sluice(config(shop.db, redis)).start()
    shop.wait_streaming(driver)
    assert driver.stop() == FINE
    shop.db.reset_binlog()
    for number in range(2, 2 + again):
        shop.order(number)
    refused(driver, "gtid_surplus")


def test_reset_of_the_log_while_reading_is_noticed(new_db, redis, sluice):
    shop = Shop(new_db(), redis)
    shop.orders([1])
    shop.db.flush_logs()
    driver = sluice(config(shop.db, redis)).start()
    shop.wait_streaming(driver)
    shop.db.reset_binlog()
    for number in range(2, 42):
        shop.order(number)
    stopped_with(driver, "gtid_surplus")


def test_server_id_of_the_source_is_refused(shop, sluice):
    driver = sluice(config(shop.db, shop.redis, source={"server_id": shop.db.server_id}))
    refused(driver, "server_id_duplicate")


@pytest.mark.flavors("mariadb")
def test_second_reader_with_the_same_server_id(shop, sluice):
    """MariaDB ends the first reader for the second (MySQL goes by the replica's UUID): not retried for ever."""
    first = sluice(config(shop.db, shop.redis, source={"server_id": 4711})).start()
    shop.wait_streaming(first)
    second = sluice(config(shop.db, shop.redis, source={"server_id": 4711})).start()
    wait_until(
        lambda: [one for one in (first, second) if one.find_log(err="server_id_duplicate") or not one.alive()],
        lambda: f"one to notice the other: {first.tail()} {second.tail()}",
    )


def test_two_services_on_one_state_dir(shop, sluice):
    first = sluice(config(shop.db, shop.redis)).start()
    shop.wait_streaming(first)
    done = first.run("run", timeout=120)
    assert done.returncode == STOPPED and "state_locked" in done.stderr, done.stderr
    assert first.alive()


def test_hidden_table_is_refused(new_db, redis, sluice):
    db = new_db({"binlog_ignore_db": "shop"})
    Shop(db, redis)
    line = refused(sluice(config(db, redis)), "binlog_filtered")
    assert "shop" in str(line)


def test_server_without_checksums_is_warned_of(new_db, redis, sluice):
    db = new_db({"binlog_checksum": "NONE"})
    shop = Shop(db, redis)
    driver = sluice(config(db, redis)).start()
    shop.wait_streaming(driver)
    assert [line for line in driver.find_log(level="warn") if "checksum" in str(line)], driver.tail()


def test_nothing_is_written_to_the_source(shop, sluice):
    before = shop.db.gtid()
    driver = sluice(config(shop.db, shop.redis, at(shop.db.position()))).start()
    wait_until(lambda: [row for row in shop.db.sql("SHOW PROCESSLIST") if row[1] == REPLICATION_USER], "a connection")
    assert driver.stop() == FINE
    assert shop.db.gtid() == before


class TestTls:
    @pytest.fixture
    def certified(self, new_db, authority, redis):
        """Makes a server with this certificate; sluice must use TLS to log in."""

        def make(name, **certificate):
            certificate_path, key_path = authority.issue(name, **certificate)
            db = new_db(name=f"tls-{name}")
            db.stop()
            db.options |= {
                "ssl-ca": db.install(authority.certificate),
                "ssl-cert": db.install(certificate_path),
                "ssl-key": db.install(key_path),
            }
            db.start()
            db.sql(f"ALTER USER '{REPLICATION_USER}'@'%' REQUIRE SSL")
            return Shop(db, redis)

        return make

    def start(self, shop, sluice, mode, ca=None):
        tls = {"tls": mode, **({"tls_ca": ca} if ca else {})}
        return sluice(config(shop.db, shop.redis, source=tls)).start()

    @pytest.mark.parametrize("mode", ["preferred", "required", "verify_ca", "verify_identity"])
    def test_good_certificate_is_accepted(self, certified, sluice, authority, mode):
        shop = certified(f"good-{mode}")
        driver = self.start(shop, sluice, mode=mode, ca=authority.certificate)
        shop.wait_streaming(driver)

    def test_wrong_name_is_refused_by_verify_identity_only(self, certified, sluice, authority):
        shop = certified("wrong-name", names="DNS:db.example.org")
        driver = self.start(shop, sluice, mode="verify_identity", ca=authority.certificate)
        stopped_with(driver, "tls_failed")
        driver = self.start(shop, sluice, mode="verify_ca", ca=authority.certificate)
        shop.wait_streaming(driver)

    def test_expired_certificate_is_refused(self, certified, sluice, authority):
        shop = certified("expired", expired=True)
        for mode in ("verify_ca", "verify_identity"):
            driver = self.start(shop, sluice, mode=mode, ca=authority.certificate)
            stopped_with(driver, "tls_failed")

    def test_certificate_of_another_authority_is_refused(self, certified, sluice, workspace):
        other = Authority(workspace.directory("tls"), "other")
        shop = certified("foreign")
        driver = self.start(shop, sluice, mode="verify_ca", ca=other.certificate)
        stopped_with(driver, "tls_failed")

    def test_server_that_demands_tls_and_tls_disabled(self, certified, sluice):
        shop = certified("demanding")
        driver = self.start(shop, sluice, mode="disabled")
        stopped_with(driver, "login_denied")

    def test_server_without_tls_and_tls_required(self, new_db, flavor, redis, sluice):
        db = new_db({"tls-version": ""} if flavor == "mysql" else {})
        shop = Shop(db, redis)
        driver = self.start(shop, sluice, mode="required")
        stopped_with(driver, "tls_failed")
