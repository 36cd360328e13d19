"""The statement behind each change, as the server logs it."""

import pytest

from folding import assert_valid
from shop import Shop, config
from sluice import FINE, at, source_of
from test_dump import recorded

LOGGED = {"mariadb": "binlog_annotate_row_events", "mysql": "binlog_rows_query_log_events"}
LONG = "INSERT INTO shop.q VALUES " + ",".join(f"({i}, 'row {i} é')" for i in range(1000, 3000))
STATEMENTS = [
    "INSERT INTO shop.q VALUES (1, 'one'), (2, 'two') /* request=17 */",
    "UPDATE shop.q SET v = 'été' WHERE id < 3",
    "DELETE FROM shop.q WHERE id = 1",
    LONG,
]


@pytest.fixture
def logged(db):
    """Runs the statements in sessions whose texts are logged, and one whose text is not."""
    db.sql("CREATE TABLE shop.q (id INT PRIMARY KEY, v VARCHAR(50)) ENGINE=InnoDB")
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute(f"SET SESSION {LOGGED[db.flavor]} = ON")
        con.begin()
        for statement in STATEMENTS:
            cur.execute(statement)
        con.commit()
        cur.execute(f"SET SESSION {LOGGED[db.flavor]} = OFF")
        cur.execute("INSERT INTO shop.q VALUES (9, 'no text')")
        con.commit()
    return db


def live(db, **more):
    return {"source": source_of(db, **more), "sinks": {"cache": {"type": "redis", "url": "redis://127.0.0.1:1"}},
            "routes": [{"table": "shop.q", "key": "id", "to": "cache", "invalidate": ["q:{id}"]}]}


def check(lines, limit):
    assert_valid(lines)
    found = []
    for line in lines:
        if line.get("query") not in found:
            found.append(line.get("query"))
    assert found[:3] == STATEMENTS[:3] and found[4] is None
    whole = LONG.encode()
    assert found[3].encode() == whole[: len(found[3].encode())]
    long_ones = [line for line in lines if line.get("query") == found[3]]
    assert len(long_ones) == 2000
    assert all(line["query_bytes"] == len(whole) for line in long_ones)
    assert limit - 4 < len(found[3].encode()) <= limit
    assert not any("query_bytes" in line for line in lines if line.get("query") in STATEMENTS)


def test_dump_of_files_and_of_a_stream_tells_the_statement(db, sluice, request):
    with recorded(db) as files:
        begin = db.position()
        request.getfixturevalue("logged")
        end = db.position()
    driver = sluice(live(db, query_max_bytes="3KiB"))
    lines = driver.dump("--query", *files)
    check(lines, 4096)
    span = ("--from", at(begin), "--to", at(end))
    streamed = driver.dump("--query", *span, config=True)
    check(streamed, 3072)
    plain = driver.dump(*span, config=True)
    assert [{k: v for k, v in line.items() if k not in ("query", "query_bytes")} for line in streamed] == plain
    assert plain == driver.dump(*files)


def test_service_with_query_follows_a_stream(db, redis, sluice):
    """The texts come with the events; nothing of the order or the state changes."""
    shop = Shop(db, redis)
    base = config(db, redis)
    driver = sluice({**base, "source": {**base["source"], "query": True}}).start()
    shop.wait_streaming(driver)
    shop.orders(range(1, 51))
    shop.check_changes_reach_cache(range(1, 51))
    assert driver.stop() == FINE
