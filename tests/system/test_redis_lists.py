"""Keys from lists in JSON columns: `{tags[*]}`, on both servers, whose JSON is stored in different ways."""

import json

import pytest

from kafka_topics import create_topic, read_topic
from shop import config
from sluice import FINE, USAGE, at, stopped_with, wait_until

TABLE = "CREATE TABLE shop.posts (id INT PRIMARY KEY, lang CHAR(2) NOT NULL, tags JSON NULL, owners LONGTEXT NULL)"
TAGS = ["red", "Été", "a \"b\"\n", "", "7", 7, -1, True, None, "{x}", "\U0001f600"]
ROUTE = {
    "table": "shop.posts", "to": "cache", "on_truncate": "sweep",
    "invalidate": ["post:{id}", "tag:{tags[*]}:{lang}", "owner:{owners[*]|lower}"],
}


def element(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def keys_of(row):
    """What the templates name for a row, by a reader of its own: {key}."""
    number, lang, tags, owners = row
    found = {f"post:{number}"}
    found |= {f"tag:{element(tag)}:{lang}" for tag in json.loads(tags or "null") or [] if tag is not None}
    return found | {f"owner:{element(one).lower()}" for one in json.loads(owners or "null") or [] if one is not None}


class Posts:
    def __init__(self, db, redis, rng):
        self.db, self.rng, self.cache = db, rng, redis.client()
        db.sql(TABLE)
        self.rows, self.sentinels = {}, 0
        langs = ("en", "fr")
        self.universe = {f"post:{number}" for number in range(1, 60)}
        self.universe |= {f"tag:{element(tag)}:{lang}" for tag in TAGS for lang in langs}
        self.universe |= {f"owner:{name}" for name in ("ann", "bob", "eve")}

    def plant(self):
        self.cache.mset({key: "planted" for key in self.universe})

    def left(self):
        names = sorted(self.universe)
        return {name for name, value in zip(names, self.cache.mget(names)) if value}

    def any_row(self, number):
        def some(of):
            return json.dumps([self.rng.choice(of) for _ in range(self.rng.randrange(5))], ensure_ascii=self.rng.random() < .5)

        tags = self.rng.choice((None, "null", some(TAGS), some(TAGS), some(TAGS)))
        return number, self.rng.choice(("en", "fr")), tags, self.rng.choice((None, some(["Ann", "bob", "EVE"])))

    def change(self, cur):
        """One statement; the keys that it makes stale."""
        number = self.rng.randrange(1, 30)
        before, row = self.rows.pop(number, None), self.any_row(number)
        if not before:
            cur.execute("INSERT INTO posts VALUES (%s, %s, %s, %s)", row)
        elif self.rng.random() < 0.2:
            cur.execute("DELETE FROM posts WHERE id = %s", (number,))
            return keys_of(before)
        else:
            free = [other for other in range(30, 60) if other not in self.rows]
            moved = self.rng.choice(free) if self.rng.random() < 0.3 else number
            row = (moved, *row[1:])
            cur.execute("UPDATE posts SET id = %s, lang = %s, tags = %s, owners = %s WHERE id = %s", (*row, number))
        self.rows[row[0]] = row
        return keys_of(row) | (keys_of(before) if before else set())


def started(db, redis, sluice, start, **more):
    return sluice(config(db, redis, start, routes=[ROUTE], partitions=4, **more)).start()


def sentinel(posts, driver):
    """Until everything before is applied."""
    posts.sentinels += 1
    key = f"tag:{posts.sentinels}:xx"
    posts.cache.set(key, "planted")
    posts.db.sql("REPLACE INTO shop.posts VALUES (999, 'xx', %s, NULL)", (f"[{posts.sentinels}]",))
    wait_until(lambda: not posts.cache.exists(key), lambda: f"the last key to vanish: {driver.tail()}", 30)


def test_any_lists_remove_the_keys_of_their_elements_and_no_other(db, redis, sluice, rng, full):
    posts = Posts(db, redis, rng)
    driver = started(db, redis, sluice, at(db.position()))
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET NAMES utf8mb4")
        for _ in range(200 if full else 12):
            posts.plant()
            stale = set()
            for _ in range(5):
                stale |= posts.change(cur)
            sentinel(posts, driver)
            assert posts.left() == posts.universe - stale
        cur.execute("SELECT id, lang, tags, owners FROM posts WHERE id < 999")
        assert {row[0]: keys_of(row) for row in cur.fetchall()} == {row[0]: keys_of(row) for row in posts.rows.values()}
    posts.plant()
    db.sql("TRUNCATE TABLE shop.posts")
    wait_until(lambda: posts.left() == set(), lambda: f"all keys to go: {posts.left()}")
    assert driver.stop() == FINE


def test_a_partial_update_is_the_list_before_and_the_list_behind(db, redis, sluice, rng):
    """PARTIAL_JSON of MySQL sends only what changed in it."""
    posts = Posts(db, redis, rng)
    driver = started(db, redis, sluice, at(db.position()))
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("INSERT INTO posts VALUES (1, 'en', '[\"red\", \"7\"]', NULL)")
        if db.flavor == "mysql":
            cur.execute("SET SESSION binlog_row_value_options = PARTIAL_JSON")
        sentinel(posts, driver)
        posts.plant()
        cur.execute("UPDATE posts SET tags = JSON_REPLACE(tags, '$[0]', '{x}') WHERE id = 1")
        sentinel(posts, driver)
        assert posts.universe - posts.left() == {"post:1", "tag:red:en", "tag:7:en", "tag:{x}:en"}
    assert driver.stop() == FINE


@pytest.mark.parametrize("wrong", ['{"red": 1}', '["red", ["7"]]', '"red"'])
@pytest.mark.ci_flavors("mariadb")
def test_what_is_no_list_stops_and_is_named(db, redis, sluice, rng, wrong):
    posts = Posts(db, redis, rng)
    driver = started(db, redis, sluice, at(db.position()))
    sentinel(posts, driver)
    db.sql("INSERT INTO shop.posts VALUES (1, 'en', %s, NULL)", (wrong,))
    line = stopped_with(driver, "key_list")
    assert "shop.posts" in line["text"] and "tags" in line["text"], line
    db.sql("INSERT INTO shop.posts VALUES (2, 'en', '[\"red\"]', NULL)")
    driver.start()
    stopped_with(driver, "key_list")


@pytest.mark.ci_flavors("mariadb")
def test_templates_that_can_have_no_list_are_refused_at_start(db, redis, sluice, rng):
    Posts(db, redis, rng)
    for templates, part in (
        (["t:{tags[*]}:{owners[*]}"], "more than one list"),
        (["t:{tags[*]|default:x}"], "default"),
        (["t:{id[*]}"], "neither JSON nor text"),
        (["t:{nope[*]}"], "nope"),
    ):
        done = sluice(config(db, redis, routes=[{**ROUTE, "invalidate": templates}])).run("run", timeout=60)
        assert done.returncode == USAGE and part in done.stderr, done.stderr
    when = [{**ROUTE, "when": "tags[*] = red"}]
    done = sluice(config(db, redis, routes=when)).run("run", timeout=60)
    assert done.returncode == USAGE and "keys to remove only" in done.stderr, done.stderr


def test_behind_a_kafka_bus_lists_are_read_and_a_wrong_one_becomes_a_dead_letter(
        db, redis, kafka, sluice, rng, flavor):
    topic = f"lists-{flavor}"
    create_topic(kafka, topic, 4)
    create_topic(kafka, topic + "-dead", 1)
    bus = {"type": "kafka", "brokers": [kafka.brokers()], "topic": topic, "dead_letter_topic": topic + "-dead"}
    posts = Posts(db, redis, rng)
    driver = started(db, redis, sluice, at(db.position()), bus=bus)
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET NAMES utf8mb4")
        for _ in range(3):
            posts.plant()
            stale = set()
            for _ in range(5):
                stale |= posts.change(cur)
            wait_until(lambda: posts.left() <= posts.universe - stale, lambda: f"keys to go: {driver.tail()}", 30)
            sentinel(posts, driver)
            assert posts.left() == posts.universe - stale
        cur.execute("INSERT INTO posts VALUES (700, 'en', '{\"red\": 1}', NULL)")
        cur.execute("INSERT INTO posts VALUES (701, 'en', '[\"red\"]', NULL)")
    wait_until(lambda: "tag:red:en" not in posts.left(), "what comes behind", 30)
    wait_until(lambda: list(read_topic(kafka, topic + "-dead")), "a dead letter", 30)
    letters = list(read_topic(kafka, topic + "-dead"))
    assert len(letters) == 1 and b"key_list" in str(letters[0]).encode(), letters
    assert driver.stop() == FINE
