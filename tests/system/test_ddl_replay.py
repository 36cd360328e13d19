"""The service and its replay over a table whose columns change places and names: each row has the names it had then."""

import itertools

import pytest

from shop import config
from sluice import FINE, at, wait_until

METADATA = {"mariadb": "NO_LOG", "mysql": "MINIMAL"}
TEMPLATE = "t:{a}:{b}"


def columns(db):
    return [row[0] for row in db.sql("SELECT column_name FROM information_schema.columns WHERE table_schema = 'shop' "
                                     "AND table_name = 't' ORDER BY ordinal_position")]


def change(db, rng, number):
    """One change of the table's definition, or of the table by another."""
    added = [name for name in columns(db) if name.startswith("c")]
    # a stays even and b odd: a row read with the names of another time has them the other way round.
    swap_values = "UPDATE shop.t SET a = a + 1, b = b - 1"
    return rng.choice([
        ["ALTER TABLE shop.t RENAME COLUMN a TO b, RENAME COLUMN b TO a", swap_values],
        ["ALTER TABLE shop.t CHANGE a b INT, CHANGE b a INT", swap_values],
        ["ALTER TABLE shop.t MODIFY b INT FIRST"],
        ["ALTER TABLE shop.t MODIFY a INT AFTER b"],
        [f"ALTER TABLE shop.t ADD c{number} INT FIRST"],
        [f"ALTER TABLE shop.t ADD c{number} INT NULL AFTER a, MODIFY COLUMN id BIGINT AFTER b"],
        [f"ALTER TABLE shop.t DROP {added[0]}" if added else "ALTER TABLE shop.t FORCE"],
        # As gh-ost and pt-online-schema-change do it.
        ["CREATE TABLE shop._t_gho LIKE shop.t", f"ALTER TABLE shop._t_gho ADD COLUMN c{number} INT FIRST",
         f"INSERT INTO shop._t_gho ({', '.join(columns(db))}) SELECT * FROM shop.t",
         "RENAME TABLE shop.t TO shop._t_del, shop._t_gho TO shop.t", "DROP TABLE shop._t_del"],
        ["CREATE TABLE shop.t2 LIKE shop.t", "ALTER TABLE shop.t2 MODIFY b INT FIRST",
         "INSERT INTO shop.t2 (id, a, b) SELECT id, a, b FROM shop.t", "RENAME TABLE shop.t TO shop.t3",
         "RENAME TABLE shop.t2 TO shop.t", "DROP TABLE shop.t3"],
    ])


@pytest.mark.parametrize("when", ["before", "after"])
def test_keys_are_made_of_the_columns_that_had_the_names(new_db, redis, sluice, rng, full, flavor, when):
    """The service is started before all of it, or from before it when it is done; then all is replayed."""
    db = new_db({"binlog_row_metadata": METADATA[flavor]})
    begin = at(db.position())
    db.sql("CREATE TABLE shop.t (id BIGINT PRIMARY KEY, a INT, b INT) ENGINE=InnoDB")
    routes = [{"table": "shop.t", "key": "id", "to": "cache", "invalidate": TEMPLATE, "on_truncate": "ignore"}]
    driver = sluice(config(db, redis, begin, routes=routes))
    numbers = itertools.count()
    keys = set()  # of each state that a row ever had
    if when != "after":
        driver.start()
    for round_number in range(60 if full else 12):
        for statement in change(db, rng, round_number):
            seen(db, keys)
            db.sql(statement)
            seen(db, keys)
        for _ in range(2):
            number = next(numbers)
            db.sql("INSERT INTO shop.t (id, a, b) VALUES (%s, %s, %s)", (number, 2 * number, 2 * number + 1001))
            seen(db, keys)
            db.sql("UPDATE shop.t SET a = a + 20000 WHERE id = %s", (rng.randrange(number + 1),))
            seen(db, keys)
    cache = redis.client()
    wrong = {"t:{2}:{1}".format(*key.split(":")) for key in keys} - keys
    end = at(db.position())

    def plant():
        cache.mset(dict.fromkeys(keys | wrong, "planted"))

    def left(of):
        of = sorted(of)
        return [key for key, value in zip(of, cache.mget(of)) if value is not None]

    if when == "after":
        plant()
        driver.start()
        wait_until(lambda: not left(keys), lambda: f"{left(keys)[:5]} to go: {driver.tail()}")
    # The last row of all: the service has seen the rest.
    last = "t:4000000:4000001"
    cache.set(last, "planted")
    db.sql("INSERT INTO shop.t (id, a, b) VALUES (4000000, 4000000, 4000001)")
    wait_until(lambda: not left([last]), lambda: f"the last row: {driver.tail()}")
    assert when == "before" or len(left(wrong)) == len(wrong), "keys of swapped names went"
    plant()
    done = driver.run("replay", "all", "--from", begin, "--to", end)
    assert done.returncode == FINE, done.stderr
    assert not left(keys), left(keys)[:5]
    assert len(left(wrong)) == len(wrong), "keys of swapped names went"
    assert driver.stop() == FINE, driver.tail()


def seen(db, keys):
    if db.sql("SHOW TABLES FROM shop LIKE 't'"):
        keys.update(f"t:{a}:{b}" for a, b in db.sql("SELECT a, b FROM shop.t"))
