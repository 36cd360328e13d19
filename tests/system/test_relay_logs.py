"""Relay logs of a running replica as files, and MariaDB's ALTER in two phases: rows beside the source's log and SELECT."""

import glob
import os

import pytest

import randomrows
from folding import Fold
from tables import Table

CHANGES = 200


def without_place(line):
    return {name: value for name, value in line.items() if name not in ("file", "pos", "version")}


def test_relay_logs_have_the_rows_of_the_sources_log(new_db, sluice, rng):
    primary, replica = new_db(name="primary"), new_db({"relay_log_purge": "OFF", "relay_log": "relay"}, name="replica")
    replica.sql("DROP DATABASE shop")
    replica.reset_binlog()
    replica.replicate_from(primary)
    primary.sql(randomrows.CREATE)
    with primary.connect("shop") as con:
        changes = randomrows.Changes(con, rng)
        changes.run(CHANGES)
        primary.flush_logs()
        replica.catch_up_with(primary)
        replica.flush_logs()
        changes.run(CHANGES)
    replica.catch_up_with(primary)
    replica.stop_applying()
    relay_logs = sorted(glob.glob(os.path.join(replica.data_dir, "relay.[0-9]*")))
    assert len(relay_logs) > 2
    lines = sluice().dump(*relay_logs)
    logs = [primary.binlog_path(name) for name in primary.binlogs()]
    assert [without_place(line) for line in lines] == [without_place(line) for line in sluice().dump(*logs)]
    Fold([Table(primary, "types")]).apply_all(lines).assert_equals_select()


@pytest.mark.flavors("mariadb")
def test_alter_in_two_phases_has_effect_at_its_commit(db, sluice):
    db.flush_logs()
    first = db.binlogs()[-1]
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET SESSION binlog_alter_two_phase = ON")
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
        cur.execute("INSERT INTO t VALUES (1, 10)")
        cur.execute("ALTER TABLE t ADD COLUMN w VARCHAR(10) DEFAULT 'new', ALGORITHM=COPY")
        cur.execute("INSERT INTO t VALUES (2, 20, 'x')")
        cur.execute("INSERT INTO t VALUES (3, 20, 'y')")
        with pytest.raises(Exception, match="Duplicate"):
            cur.execute("ALTER TABLE t ADD UNIQUE (v), ALGORITHM=COPY")
        cur.execute("UPDATE t SET v = 30 WHERE id = 3")
    db.flush_logs()
    names = db.binlogs()
    files = [db.binlog_path(name) for name in names[names.index(first) : -1]]
    said = [row[5] for name in names[names.index(first) : -1] for row in db.sql(f"SHOW BINLOG EVENTS IN '{name}'")]
    assert sum("START ALTER" in text for text in said) == 2 and sum("ROLLBACK ALTER" in text for text in said) == 1
    lines = sluice().dump(*files)
    assert [line["after"] for line in lines] == [
        {"id": 1, "v": 10}, {"id": 2, "v": 20, "w": "x"}, {"id": 3, "v": 20, "w": "y"}, {"id": 3, "v": 30, "w": "y"}]
