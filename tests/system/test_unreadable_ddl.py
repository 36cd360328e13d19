"""Statements that nobody can read, in files of a real server into which they are written over one that it ran: those that
name a table that is wanted stop with their position and the ways out, the others are told once.
"""

import pytest

from sluice import FINE, STOPPED

PLACE = "ALTER TABLE shop.orders COMMENT 'to be replaced by something longer, of which no server has ever heard: " + "." * 60 + "'"

# Name shop.orders.
WANTED = {
    "word": "FROBNICATE TABLE shop.orders",
    "object": "CREATE WONDER w ON `shop`.`orders` (v)",
    "clause": "ALTER TABLE shop.orders ADD COLUMN x INT, FROBNICATE COLUMN v",
    "type": "ALTER TABLE `shop` . `orders` ADD COLUMN x FROB(3) UNFOLDED BY 7",
    "definition": "CREATE TABLE shop.orders (id INT, v FROB WITH (orders))",
    "quote": "ALTER TABLE shop.orders ADD COLUMN `x INT",
    "comment": "/* never ended, and names orders",
    "index": "CREATE INDEX i ON shop.orders BY v",
}
# Name other tables, or shop.orders only in a text.
OTHERS = {
    "word": "FROBNICATE TABLE shop.other",
    "clause": "ALTER TABLE shop.other FROBNICATE COLUMN orders_of_magnitude",
    "text": "FROBNICATE 'orders' INTO \"shop.orders\"",
}


@pytest.fixture
def log(db):
    """The bytes of a log without checksums: two rows of shop.orders, with PLACE between them."""
    checksum = db.value("SELECT @@GLOBAL.binlog_checksum")
    db.sql("SET GLOBAL binlog_checksum = NONE")
    db.flush_logs()
    db.script(["DROP DATABASE shop", "CREATE DATABASE shop CHARACTER SET utf8mb4",
               "CREATE TABLE shop.orders (id INT PRIMARY KEY, v VARCHAR(10))", "CREATE TABLE shop.other (id INT)",
               "INSERT INTO shop.orders VALUES (1, 'before')", PLACE, "INSERT INTO shop.orders VALUES (2, 'behind')"])
    path = db.binlog_path(db.flush_logs())
    db.sql(f"SET GLOBAL binlog_checksum = {checksum}")
    with open(path, "rb") as file:
        return file.read()


def with_statement(log, text, directory):
    """A file that has the statement in the place of PLACE, and the position of its event."""
    assert log.count(PLACE.encode()) == 1 and len(text) < len(PLACE)
    path = directory + "/bin.000001"
    with open(path, "wb") as file:
        file.write(log.replace(PLACE.encode(), text.encode().ljust(len(PLACE))))
    begin = 4
    while begin + int.from_bytes(log[begin + 9 : begin + 13], "little") < log.index(PLACE.encode()):
        begin += int.from_bytes(log[begin + 9 : begin + 13], "little")
    return path, f"bin.000001:{begin}"


@pytest.mark.parametrize("name", WANTED)
def test_statement_that_names_a_wanted_table_stops_with_position_and_ways_out(log, sluice, name):
    driver = sluice()
    path, place = with_statement(log, WANTED[name], driver.directory)
    done = driver.run("dump", "--table", "shop.orders", path, config=False)
    assert done.returncode == STOPPED, done.stderr
    assert "[ddl_unknown]" in done.stderr and place in done.stderr and WANTED[name].split(" ")[0] in done.stderr, done.stderr
    assert "set a position behind it" in done.stderr or "sluice schema import" in done.stderr, done.stderr
    assert '"before"' in done.stdout and '"behind"' not in done.stdout


@pytest.mark.parametrize("name", OTHERS)
def test_statement_that_names_no_wanted_table_is_told_once(log, sluice, name):
    config = {"source": {"host": "127.0.0.1", "port": 1, "user": "none", "start": "earliest", "connect_timeout_ms": 100},
              "sinks": {"out": {"type": "stdout"}}, "routes": [{"table": "shop.orders", "to": "out"}]}
    driver = sluice(config)
    path, _ = with_statement(log, OTHERS[name], driver.directory)
    done = driver.run("replay", "all", path)
    assert done.returncode == FINE, done.stderr
    assert '"before"' in done.stdout and '"behind"' in done.stdout
    said = [line for line in done.stderr.splitlines() if "not understood" in line or "is not followed" in line]
    assert len(said) == 1, done.stderr
