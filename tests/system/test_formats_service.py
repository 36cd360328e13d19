"""The formats of peers from the service: several lanes, kills in the middle, two formats of one table on one sink."""

import itertools
import json
import time

from sluice import FINE, at, source_of, wait_until

ROUNDS, FULL_ROUNDS = 60, 1500
KILLS = 3
PARTITIONS = 8


def config(db):
    maxwell = ["output_gtid_position=true"] if db.flavor == "mysql" else []
    out = {"table": "shop.t", "key": "owner", "to": "out"}
    return {
        "source": source_of(db, start="current"),
        "partitions": PARTITIONS,
        "sinks": {"out": {"type": "stdout"}},
        "routes": [
            {**out, "format": "debezium", "format_options": ["tombstones.on.delete=false"]},
            {**out, "format": "maxwell", "format_options": ["output_binlog_position=true", *maxwell]},
            {**out, "format": "canal"},
        ],
    }


def transaction(rng, known, fresh):
    """A few statements: rows come, move to another owner, change their key, go. Returns them and the rows that are left."""
    statements, left = [], list(known)
    for _ in range(rng.randint(1, 5)):
        kind, number = rng.choice(("new", "change", "move", "key", "all", "gone")), rng.choice(left or [None])
        if kind == "new" or number is None:
            left.append(next(fresh))
            statements.append(f"INSERT INTO t VALUES ({left[-1]}, {rng.randint(1, 20)}, 'r{rng.random()}')")
        elif kind == "change":
            statements.append(f"UPDATE t SET note = 'r{rng.random()}' WHERE id = {number}")
        elif kind == "move":
            statements.append(f"UPDATE t SET owner = owner + 7 WHERE id = {number}")
        elif kind == "key":
            left[left.index(number)] = next(fresh)
            statements.append(f"UPDATE t SET id = {max(left)} WHERE id = {number}")
        elif kind == "all":
            statements.append(f"UPDATE t SET note = 'r{rng.random()}' WHERE id % 3 = {rng.randint(0, 2)}")
        else:
            left.remove(number)
            statements.append(f"DELETE FROM t WHERE id = {number}")
    commits = rng.random() < 0.9
    return ["BEGIN", *statements, "COMMIT" if commits else "ROLLBACK"], left if commits else known


def lines_of(driver):
    """What the service printed, over all its starts; the log's own lines stand between."""
    with open(driver.log_path, encoding="utf-8", errors="replace") as log:
        return [json.loads(line) for line in log if line.startswith("{") and line.endswith("}\n")]


def format_of(line):
    return "debezium" if "source" in line else "maxwell" if "database" in line and "isDdl" not in line else "canal"


def rows_of(lines, peer):
    """The rows of a format by what they say, without what only one lane or the clock knows; and the first place of each."""
    rows = {}
    for line in lines:
        if format_of(line) != peer:
            continue
        if peer == "canal":
            old = line["old"] or [None] * len(line["data"])
            found = [(line["type"], line["es"], row, was) for row, was in zip(line["data"], old)]
        elif peer == "maxwell":
            found = [{name: value for name, value in line.items()}]
        else:
            found = [{name: value for name, value in line.items() if not name.startswith("ts_")}]
        for one in found:
            rows.setdefault(json.dumps(one, sort_keys=True), len(rows))
    return rows


def keys_of(rows, peer):
    """Per row of the table, by its first number, its changes in the order in which they were first printed."""
    chains = {}
    for text in rows:
        row = json.loads(text)
        image = row[2] if peer == "canal" else row["data"] if peer == "maxwell" else row["after"] or row["before"]
        chains.setdefault(int(image["id"]), []).append(text)
    return chains


def test_service_prints_what_dump_prints_over_kills(db, sluice, rng, full):
    db.script(["USE shop", "CREATE TABLE t (id INT PRIMARY KEY, owner INT NOT NULL, note VARCHAR(40))"])
    begin = db.position()
    driver = sluice(config(db))
    driver.start()
    wait_until(lambda: (db.script(["USE shop", "INSERT INTO t VALUES (0, 0, 'probe') ON DUPLICATE KEY UPDATE note = UUID()"]),
                        lines_of(driver))[1], "the first line", every_s=0.1)
    known, fresh, rounds = [], itertools.count(1), FULL_ROUNDS if full else ROUNDS
    for number in range(rounds):
        statements, known = transaction(rng, known, fresh)
        db.script(["USE shop", *statements])
        if (number + 1) % (rounds // (KILLS + 1)) == 0 and number + 1 < rounds:
            time.sleep(rng.random() * 0.05)
            driver.restart()
    db.script(["USE shop", "INSERT INTO t VALUES (1000000, 0, 'the last')"])
    wait_until(lambda: sum("the last" in json.dumps(line) for line in lines_of(driver)) >= 3, driver.tail)
    assert driver.stop() == FINE
    printed = lines_of(driver)
    for peer, options in (("debezium", ["tombstones.on.delete=false"]),
                          ("maxwell", config(db)["routes"][1]["format_options"]), ("canal", [])):
        flags = [word for option in options for word in ("--format-option", option)]
        done = driver.run("dump", "--format", peer, *flags, "--table", "shop.t", "--from", at(begin), "--to", at(db.position()))
        assert done.returncode == FINE, done.stderr
        whole = rows_of([json.loads(line) for line in done.stdout.splitlines()], peer)
        live = rows_of(printed, peer)
        behind = set(whole) - set(live)
        # What came before the service's own start is not in it.
        assert all("probe" in text for text in behind), sorted(behind)[:3]
        assert not set(live) - set(whole), sorted(set(live) - set(whole))[:3]
        assert len(live) > rounds
        wanted, had = keys_of(whole, peer), keys_of(live, peer)
        for number, chain in had.items():
            assert chain == [text for text in wanted[number] if text in live], f"{peer}: order of row {number}"
