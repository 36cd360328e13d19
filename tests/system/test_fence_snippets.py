"""The snippets for applications do the same in each language, and side by side: one program for each of them, the same
cases for all, on a real Redis; changes are made by the script of sluice itself."""

import os
import random
import re
import threading
import time
import uuid

import pytest
from redis.crc import key_slot

from conftest import started
from fence_drivers import LANGUAGES, Drivers
from servers import Redis
from sluice import ROOT, wait_until

HOLD_MS = 2000
RACE_HOLD_MS = 300
MAX_FILL_MS = 60_000
LONG_MS = 3_600_000
LEASE_MS = 20_000

# A key, and how what stands beside it ends: in the same slot of a cluster, but for the last.
NAMES = [
    (b"order:17", b"{order:17}"),
    (b"{user:1}:orders", b"{user:1}:orders"),
    (b"a{b}{c}", b"a{b}{c}"),
    (b"open{only", b"{open{only}"),
    (b"}{x}", b"}{x}"),
    ("größe:日本".encode(), "{größe:日本}".encode()),
    (b"cr\r\nlf\x00nul\xff\xfe", b"{cr\r\nlf\x00nul\xff\xfe}"),
    (b" ", b"{ }"),
    (b"a{}b", b"{a{}b}"),
]


@pytest.fixture(scope="module")
def server(workspace):
    redis = started(Redis(workspace))
    yield redis
    redis.kill()


@pytest.fixture(scope="module")
def shared_drivers(workspace):
    made = Drivers(workspace)
    yield made
    made.drop(only_busy=False)


@pytest.fixture
def drivers(shared_drivers):
    yield shared_drivers
    shared_drivers.drop(only_busy=True)


class Cache:
    """The Redis, and what sluice does to it."""

    def __init__(self, server, hold_ms=HOLD_MS):
        self.server, self.client, self.hold_ms = server, server.client(), hold_ms
        self.client.flushall()
        with open(os.path.join(ROOT, "sink", "redis", "fence.c"), encoding="utf-8") as file:
            lines = re.search(r'text\[\] = ((?:\s*".*\\n")+);', file.read()).group(1)
        self.script = "\n".join(re.findall(r'"(.*)\\n"', lines))

    def _record(self):
        """Token, hold_ms and the record's time to live."""
        return f"{uuid.uuid4()}-", self.hold_ms, self.hold_ms + MAX_FILL_MS

    def change(self, key, old_ms=0):
        """As sluice does it behind a change of this key."""
        names = [key, beside("fence", key), beside("old", key)][: 3 if old_ms else 2]
        self.client.eval(self.script, len(names), *names, *self._record(), old_ms)

    def settle(self, key):
        """Makes the key's last change older than hold_ms."""
        seconds, micros = self.client.time()
        token, hold_ms, ttl_ms = self._record()
        at = seconds * 1000 + micros // 1000 - hold_ms - 1
        self.client.set(beside("fence", key), f"{token} {at} {hold_ms}", px=ttl_ms)

    def kept(self, key):
        """(value, ms to live)"""
        return self.client.get(key), self.client.pttl(key)

    def options(self, **more):
        return {"port": self.server.port, "hold_ms": self.hold_ms, **more}


def beside(kind, key):
    return b"sluice:" + kind.encode() + b":" + dict(NAMES).get(key, b"{" + key + b"}")


@pytest.fixture
def cache(server):
    return Cache(server)


@pytest.fixture(params=LANGUAGES)
def driver(request, drivers, cache):
    return drivers.of(request.param, **cache.options())


def never():
    raise AssertionError("load was called")


def test_what_is_cached_is_returned_and_nothing_is_read(driver, cache):
    for value in (b"cached", b"", b"\x00\r\n\xff"):
        cache.client.set("order:1", value)
        assert driver.get(b"order:1", never, LONG_MS) == value
    assert cache.client.keys("*") == [b"order:1"]


def test_a_settled_fill_is_kept_and_an_unsettled_one_for_hold_ms(driver, cache):
    assert driver.get(b"order:1", lambda: b"new", LONG_MS) == b"new"
    value, ttl = cache.kept("order:1")
    assert value == b"new" and 0 < ttl <= HOLD_MS
    record = cache.client.get(beside("fence", b"order:1"))
    assert re.fullmatch(rb"\S{32,} \d+ %d" % HOLD_MS, record)

    cache.change(b"order:2")
    driver.get(b"order:2", lambda: b"new", LONG_MS)
    assert 0 < cache.kept("order:2")[1] <= HOLD_MS

    cache.settle(b"order:3")
    assert driver.get(b"order:3", lambda: b"settled", LONG_MS) == b"settled"
    value, ttl = cache.kept("order:3")
    assert value == b"settled" and LONG_MS - 60_000 < ttl <= LONG_MS
    assert driver.get(b"order:3", never, LONG_MS) == b"settled"

    cache.settle(b"order:4")
    driver.get(b"order:4", lambda: b"short", 100)
    assert cache.kept("order:4")[1] <= 100
    wait_until(lambda: cache.client.get("order:4") is None, "the fill to end")


def test_two_readers_of_a_key_without_a_record_have_tokens_of_their_own(driver, cache):
    found = set()
    for _ in range(20):
        cache.client.delete("order:1", beside("fence", b"order:1"))
        driver.get(b"order:1", lambda: b"x", LONG_MS)
        found.add(cache.client.get(beside("fence", b"order:1")).split()[0])
    assert len(found) == 20


def test_a_fill_behind_a_change_is_refused_whatever_happened_to_the_record(driver, cache):
    def change():
        cache.change(b"order:1")
        return b"stale"

    def evict():
        cache.client.delete(beside("fence", b"order:1"))
        return b"stale"

    def change_and_evict():
        change()
        return evict()

    for load in (change, evict, change_and_evict):
        cache.settle(b"order:1")
        assert driver.get(b"order:1", load, LONG_MS) == b"stale"
        assert cache.client.get("order:1") is None, load.__name__


def test_scripts_that_redis_forgot_are_sent_again(driver, cache):
    def forget():
        cache.client.script_flush()
        return b"filled"

    cache.settle(b"order:1")
    forget()
    assert driver.get(b"order:1", forget, LONG_MS) == b"filled"
    assert cache.kept("order:1")[1] > HOLD_MS
    assert driver.get(b"order:1", never, LONG_MS) == b"filled"


def test_names_are_in_the_slot_of_their_key():
    assert [key for key, name in NAMES if key_slot(key) != key_slot(b"sluice:old:" + name)] == [b"a{}b"]


def test_keys_and_values_are_any_bytes(driver, cache):
    for key, name in NAMES:
        for kind in ("fence", "lease", "old"):
            assert driver.beside(kind, key) == b"sluice:" + kind.encode() + b":" + name
        value = b"\x00\r\n$5\r\n\xff\xfe" + key
        cache.settle(key)
        assert driver.get(key, lambda sent=value: sent, LONG_MS) == value
        assert cache.client.get(key) == value and cache.client.pttl(key) > HOLD_MS
        assert driver.get(key, never, LONG_MS) == value
    big = random.Random(1).randbytes(1 << 20)
    cache.settle(b"big")
    assert driver.get(b"big", lambda: big, LONG_MS) == big
    assert driver.get(b"big", never, LONG_MS) == big
    cache.settle(b"empty")
    assert driver.get(b"empty", lambda: b"", LONG_MS) == b"" and cache.client.get("empty") == b""


def test_errors_come_to_the_caller_and_nothing_is_stored(driver, cache):
    cache.settle(b"order:1")
    driver.begin(b"order:1", LONG_MS)
    assert driver.loads()
    error = driver.failed("the database is away")
    assert isinstance(error, RuntimeError) and "the database is away" in str(error)
    assert cache.client.get("order:1") is None

    cache.client.rpush("list", "x")
    error = driver.get(b"list", never, LONG_MS)
    assert isinstance(error, RuntimeError) and "WRONGTYPE" in str(error)
    assert driver.get(b"order:1", lambda: b"filled", LONG_MS) == b"filled"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_redis_that_is_away_is_an_error(drivers, redis, language):
    cache = Cache(redis)
    driver = drivers.of(language, **cache.options())
    cache.client.set("order:1", "cached")
    assert driver.get(b"order:1", never, LONG_MS) == b"cached"
    redis.kill()
    assert isinstance(driver.get(b"order:1", never, LONG_MS), RuntimeError)
    driver.busy = True  # its connection is gone


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_reader_fills_and_those_of_all_languages_wait_or_take_what_was(drivers, cache, language):
    options = cache.options(lease_ms=LEASE_MS)
    filler = drivers.of(language, **options)
    others = [drivers.of(other, number=1, **options) for other in drivers.available()]
    cache.settle(b"order:1")
    filler.begin(b"order:1", LONG_MS)
    assert filler.loads()
    for other in others:
        other.begin(b"order:1", LONG_MS)
    for other in others:
        assert not other.loads(0.05), other.language
    assert filler.loaded(b"first") == b"first"
    assert [other.told() for other in others] == [b"first"] * len(others)

    cache.change(b"order:1", old_ms=60_000)
    filler.begin(b"order:1", LONG_MS)
    assert filler.loads()
    assert [other.get(b"order:1", never, LONG_MS) for other in others] == [b"first"] * len(others)
    assert filler.loaded(b"second") == b"second"
    assert [other.get(b"order:1", never, LONG_MS) for other in others] == [b"second"] * len(others)
    assert not cache.client.exists(beside("old", b"order:1"), beside("lease", b"order:1"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lease_of_a_reader_that_died_ends(drivers, cache, language):
    options = cache.options(lease_ms=200)
    filler, other = drivers.of(language, **options), drivers.of(language, number=1, **options)
    filler.begin(b"order:1", LONG_MS)
    assert filler.loads()
    filler.kill()
    assert other.get(b"order:1", lambda: b"second", LONG_MS) == b"second"
    assert cache.client.get("order:1") == b"second"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_user_of_the_acl_file_may_do_what_a_snippet_does(drivers, cache, language):
    with open(os.path.join(ROOT, "deploy", "redis.acl"), encoding="utf-8") as file:
        rules = next(line.split()[2:] for line in file if line.startswith("user application "))
    cache.client.execute_command("ACL", "SETUSER", "application", *rules)
    cache.client.script_flush()
    login = {"username": "application", "password": "change-me"}
    driver = drivers.of(language, lease_ms=LEASE_MS, **cache.options(**login))
    assert driver.get(b"order:1", lambda: b"filled", LONG_MS) == b"filled"
    assert cache.client.get("order:1") == b"filled"


class Race:
    """Readers in all languages that fill slowly, evictions, and a writer: sluice's removal comes behind its COMMIT, or
    before its readers see that."""

    KEYS = [key for key, _ in NAMES]

    def __init__(self, cache, drivers, rng):
        self.cache, self.drivers, self.seed = cache, drivers, rng.random()
        self.rows = {key: 0 for key in self.KEYS}
        self.stop = threading.Event()
        self.fills = {driver.language: 0 for driver in drivers}
        self.long_lived, self.failed = 0, []

    def _guarded(self, work, *args):
        try:
            rng = random.Random(f"{self.seed} {work.__name__} {args}")
            while not self.stop.is_set():
                work(rng, rng.choice(self.KEYS), *args)
        except Exception as error:  # pylint: disable=broad-except
            self.failed.append(error)

    def _read(self, rng, key, number):
        driver = self.drivers[number]

        def load():
            found = b"%d" % self.rows[key]
            time.sleep(rng.choice((0, 0.001, 0.02)))
            self.fills[driver.language] += 1
            return found

        found = driver.get(key, load, LONG_MS)
        assert isinstance(found, bytes), found

    def _write(self, rng, key):
        time.sleep(rng.choice((0, 0.01, 0.1)))
        if rng.random() < 0.5:
            self.rows[key] += 1
            time.sleep(rng.choice((0, 0.005)))
            self.cache.change(key)
            return
        begin = time.monotonic()
        self.cache.change(key)
        time.sleep(rng.choice((0, 0.005, 0.05)))
        self.rows[key] += 1
        if time.monotonic() - begin > self.cache.hold_ms / 2000:  # this machine stood still: more than is promised for
            self.cache.change(key)

    def _evict(self, rng, key):
        self.long_lived += self.cache.client.pttl(key) > self.cache.hold_ms
        self.cache.client.unlink(key if rng.random() < 0.9 else beside("fence", key))
        time.sleep(0.005)

    def run(self, seconds):
        work = [(self._read, number) for number in range(len(self.drivers))] + [(self._write,), (self._evict,)]
        threads = [threading.Thread(target=self._guarded, args=one) for one in work]
        for thread in threads:
            thread.start()
        self.stop.wait(seconds)
        self.stop.set()
        for thread in threads:
            thread.join()
        assert not self.failed, self.failed
        self.stop.clear()
        time.sleep(2 * self.cache.hold_ms / 1000)

    def stale(self):
        found = {key: self.cache.client.get(key) for key in self.KEYS}
        return {key: (value, self.rows[key]) for key, value in found.items() if value and int(value) != self.rows[key]}


@pytest.mark.parametrize("lease_ms", [0, 100])
def test_readers_of_all_languages_on_the_same_keys_leave_nothing_stale(drivers, server, rng, full, lease_ms):
    cache = Cache(server, RACE_HOLD_MS)
    options = cache.options(lease_ms=lease_ms)
    readers = [drivers.of(language, number, **options) for language in drivers.available() for number in (0, 1)]
    race = Race(cache, readers, rng)
    for _ in range(60 if full else 2):
        race.run(10 if full else 1.5)
        assert race.stale() == {}
    print(f"\nfences, lease_ms {lease_ms}: {race.fills} fills, {race.long_lived} seen to be kept for long, none stale")
    assert min(race.fills.values()) > 0 and race.long_lived > 0, race.fills
