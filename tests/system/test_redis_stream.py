"""`mode: stream`: who reads the entries has the rows of the database, whatever is killed."""

import json

import pytest

from shop import Shop, config
from sluice import FINE, at, wait_until
from test_redis_write import written

COLUMNS = ["id", "order_id", "status", "amount", "note"]
KILLS, FULL_KILLS = 2, 10

pytestmark = pytest.mark.ci_flavors("mariadb")


def folded(client, stream="orders"):
    """The rows by their newest entries, and how many entries came twice. Those of a row are in order, but for what comes
    again."""
    newest, seen, again = {}, set(), 0
    for _, fields in client.xrange(stream):
        entry = {name.decode(): value.decode() for name, value in fields.items()}
        assert list(entry) == ["op", "version", "table", "row"] and entry["table"] == "shop.orders"
        row = json.loads(entry["row"])
        if entry["version"] in seen:
            again += 1
            continue
        seen.add(entry["version"])
        assert newest.get(row["id"], ("",))[0] < entry["version"]
        newest[row["id"]] = (entry["version"], entry["op"], row)
    return {number: row for number, (_, op, row) in newest.items() if op != "delete"}, again


def test_entries_add_up_to_the_rows(db, redis, sluice, rng, full):
    shop = Shop(db, redis)
    route = {
        "table": "shop.orders", "key": "order_id", "to": "cache", "mode": "stream", "write": "orders", "as": "json",
        "columns": COLUMNS, "maxlen": 0,
    }
    begin = at(db.position())
    driver = sluice(config(db, redis, begin, routes=[route], partitions=4)).start()
    for _ in range(FULL_KILLS if full else KILLS):
        written(shop, rng.random(), 5000 if full else 300)
        driver.restart()
    shop.order(1_000_000)
    driver.wait_log(msg=lambda text: text.startswith("connected to"))
    last = db.value("SELECT MAX(id) FROM shop.orders")
    wait_until(
        lambda: any(b'"id":%d,' % last in fields[b"row"] for _, fields in shop.cache.xrevrange("orders", count=500)),
        driver.tail,
    )
    assert driver.stop() == FINE, driver.tail()
    rows, again = folded(shop.cache)
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SELECT id, order_id, status, CAST(amount AS CHAR), note FROM orders")
        assert rows == {row[0]: dict(zip(COLUMNS, row)) for row in cur.fetchall()}
    print(f"\n{shop.cache.xlen('orders')} entries, {again} of them again, {len(rows)} rows")
    done = driver.run("replay", "again", "--from", begin)
    assert done.returncode == FINE, done.stderr
    assert folded(shop.cache) == (rows, again)
