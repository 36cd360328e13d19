#!/usr/bin/python3
"""Makes the binlog files beside it from real servers: one file per topic of TOPICS, each ended by FLUSH BINARY LOGS.

The expected output (FILE.txt) is then written by `SLUICE_UPDATE_GOLDEN=1 source_file_test` and read by a person.
FILE.sql, where there is one, is what a server would say of the one table that the log does not name the columns of.

Arguments: servers and topics; all when none are given. Files of other topics stay as they are.
"""

import os
import sys

import pymysql

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))

from servers import DATABASES, REPLICATION_PASSWORD, REPLICATION_USER, Workspace, wait_until  # noqa: E402

ORDERS = """CREATE TABLE shop.orders (order_id bigint unsigned NOT NULL PRIMARY KEY, user_id int,
 status enum('new','paid','gone') NOT NULL, tags set('a','b','c'), y year, small tinyint unsigned,
 amount decimal(12,2), f float, note varchar(50) CHARACTER SET latin1, txt text, b varbinary(10), bt bit(5),
 e2 enum('\u00e4','\u00f6') CHARACTER SET latin1, ts timestamp(3) NULL, dt datetime(6), KEY(user_id))
 ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"""

# (file, servers or None for both, statements)
TOPICS = [
    ("ddl", None, [
        "CREATE DATABASE shop",
        ORDERS,
        "CREATE TABLE shop.items (a int NOT NULL, b char(3) NOT NULL, c varchar(10), PRIMARY KEY (b(2), a))"
        " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
        "CREATE TABLE shop.nokey (a int, b int unsigned) ENGINE=InnoDB",
        "CREATE TABLE shop.parts (a int) ENGINE=InnoDB PARTITION BY RANGE (a)"
        " (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
        "CREATE DATABASE other",
        "CREATE TABLE other.t (a int) ENGINE=InnoDB",
    ]),
    ("rows", None, [
        "INSERT INTO shop.orders VALUES (1,7,'new','a,c',2026,200,'12.30',1.5,'caf\u00e9','h\u00e9llo',0x00ff,b'10101',"
        "'\u00f6','2026-11-22 10:00:00.123','2026-11-22 10:00:00.123456'),(2,8,'paid',NULL,NULL,NULL,NULL,NULL,NULL,"
        "NULL,NULL,NULL,NULL,NULL,NULL)",
        "UPDATE shop.orders SET user_id=9 WHERE order_id=1",
        "INSERT INTO other.t VALUES (1)",
        "SET SESSION binlog_row_image=MINIMAL",
        "UPDATE shop.orders SET user_id=10 WHERE order_id=1",
        "SET SESSION binlog_row_image=NOBLOB",
        "UPDATE shop.orders SET user_id=11 WHERE order_id=1",
        "SET SESSION binlog_row_image=FULL",
        "DELETE FROM shop.orders WHERE order_id=2",
    ]),
    ("transactions", None, [
        "INSERT INTO shop.items VALUES (9,'zzz','x')",
        "BEGIN",
        "INSERT INTO shop.items VALUES (1,'abc','x')",
        "INSERT INTO other.t VALUES (2)",
        "SAVEPOINT s1",
        "INSERT INTO shop.items VALUES (2,'abd','y')",
        "ROLLBACK TO SAVEPOINT s1",
        "SAVEPOINT `S``2`",
        "UPDATE shop.orders o JOIN shop.items i SET o.user_id=12, i.c='z' WHERE o.order_id=1",
        "COMMIT",
        "BEGIN",
        "INSERT INTO shop.items VALUES (3,'abe','y')",
        "ROLLBACK",
    ]),
    ("alter", None, [
        "ALTER TABLE shop.nokey ADD COLUMN extra int",
        "INSERT INTO shop.nokey VALUES (1,4000000000,3)",
        "CREATE TABLE shop.copy SELECT * FROM shop.nokey",
        "CREATE TABLE shop.empty SELECT * FROM other.t WHERE a > 100",
        "RENAME TABLE shop.copy TO shop.copied",
        "INSERT INTO shop.parts VALUES (1),(20)",
        "ALTER TABLE shop.parts TRUNCATE PARTITION p0",
        "TRUNCATE TABLE shop.nokey",
        "TRUNCATE TABLE other.t",
        "DROP TABLE shop.copied, shop.empty",
        "CREATE USER nobody@localhost",
        "DROP DATABASE other",
    ]),
    ("statement", None, [
        "SET SESSION binlog_format=STATEMENT",
        "INSERT INTO shop.nokey VALUES (RAND()*10,3,3)",
        "SET @x=5",
        "INSERT INTO shop.nokey VALUES (@x,3,3)",
        "SET SESSION binlog_format=ROW",
    ]),
    ("myisam", None, [
        "CREATE TABLE shop.my (a int) ENGINE=MyISAM",
        "INSERT INTO shop.my VALUES (1)",
        "BEGIN",
        "INSERT INTO shop.my VALUES (2)",
        "INSERT INTO shop.nokey VALUES (7,7,7)",
        "ROLLBACK",
    ]),
    ("replace", ["mariadb"], ["CREATE OR REPLACE TABLE shop.my SELECT * FROM shop.nokey"]),
    ("tagged", ["mysql"], [
        "SET GTID_NEXT='AUTOMATIC:tagged'",
        "INSERT INTO shop.nokey VALUES (3,3,3)",
        "SET GTID_NEXT='AUTOMATIC'",
        "INSERT INTO shop.nokey VALUES (4,4,4)",
    ]),
    ("minimal", None, [
        "SET GLOBAL binlog_row_metadata=MINIMAL",
        "INSERT INTO shop.nokey VALUES (5,4000000000,5)",
    ]),
    ("no_log", ["mariadb"], [
        "SET GLOBAL binlog_row_metadata=NO_LOG",
        "INSERT INTO shop.nokey VALUES (5,4000000000,5)",
    ]),
    ("compressed", ["mariadb"], [
        "SET GLOBAL binlog_row_metadata=FULL",
        "SET GLOBAL log_bin_compress_min_len=10",
        "SET GLOBAL log_bin_compress=ON",
        "INSERT INTO shop.nokey SELECT seq, seq, seq FROM shop.seq_1_to_50",
        "SET GLOBAL log_bin_compress=OFF",
    ]),
    ("payload", ["mysql"], [
        "SET GLOBAL binlog_row_metadata=FULL",
        "SET SESSION binlog_transaction_compression=ON",
        "INSERT INTO shop.nokey VALUES (5,5,5)",
        "SET SESSION binlog_transaction_compression=OFF",
    ]),
    ("xa", None, [
        "XA START 'x1'",
        "INSERT INTO shop.nokey VALUES (8,8,8)",
        "XA END 'x1'",
        "XA PREPARE 'x1'",
        "XA COMMIT 'x1'",
    ]),
    ("queries", None, [
        "SET SESSION binlog_rows_query_log_events=ON",
        "INSERT INTO shop.nokey VALUES (9,9,9) /* caf\u00e9 */",
        "SET SESSION binlog_rows_query_log_events=OFF",
    ]),
    ("two_phase", ["mariadb"], [
        "CREATE TABLE shop.slow (a int PRIMARY KEY, b int) ENGINE=InnoDB",
        "INSERT INTO shop.slow VALUES (1,7),(2,7)",
        "SET SESSION binlog_alter_two_phase=ON",
        "ALTER TABLE shop.slow ADD COLUMN c int",
        "FAILS ALTER TABLE shop.slow ADD UNIQUE (b)",
        "ALTER TABLE shop.slow ADD COLUMN d int, ALGORITHM=COPY",
        "INSERT INTO shop.slow VALUES (3,8,9,10)",
        "SET SESSION binlog_alter_two_phase=OFF",
    ]),
    ("nochecksum", None, [
        "SET GLOBAL binlog_checksum=NONE",
        "INSERT INTO shop.nokey VALUES (6,6,6)",
    ]),
]

OPTIONS_TABLE = """CREATE TABLE shop.opt (id int unsigned NOT NULL, v varchar(20) DEFAULT NULL, t text, n decimal(5,2),
 PRIMARY KEY (id)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"""

# Every image under every metadata mode, with and without checksums: (file, servers, statements).
for metadata in ("FULL", "MINIMAL", "NO_LOG"):
    for checksum in ("CRC32", "NONE"):
        statements = [f"SET GLOBAL binlog_row_metadata={metadata}"]
        for number, image in enumerate(("FULL", "NOBLOB", "MINIMAL")):
            row = 4000000000 + number
            statements += [
                f"SET SESSION binlog_row_image={image}",
                f"INSERT INTO shop.opt VALUES ({row},'v','text',-1.50)",
                f"UPDATE shop.opt SET v=NULL WHERE id={row}",
                f"DELETE FROM shop.opt WHERE id={row}",
            ]
        TOPICS.append((f"opt_{metadata.lower()}_{checksum.lower()}",
                       ["mariadb"] if metadata == "NO_LOG" else None, statements))

# Before the topic's log begins.
BEFORE = {name: [f"SET GLOBAL binlog_checksum={name.rsplit('_', 1)[1]}", "SET GLOBAL binlog_row_metadata=FULL",
                 "CREATE DATABASE IF NOT EXISTS shop", OPTIONS_TABLE.replace("TABLE", "TABLE IF NOT EXISTS", 1)]
          for name, _, _ in TOPICS if name.startswith("opt_")}


def execute(cur, kind, statement):
    """One statement of a topic."""
    if kind == "mariadb" and "binlog_rows_query_log_events" in statement:
        statement = statement.replace("binlog_rows_query_log_events", "binlog_annotate_row_events")
    if not statement.startswith("FAILS "):
        cur.execute(statement)
        return
    try:
        cur.execute(statement[len("FAILS "):])
    except pymysql.err.Error:
        return
    raise AssertionError(f"did not fail: {statement}")


def make_relay(kind, directory):
    """The relay log of a replica that began with it, up to its ROTATE: `relay`; and one behind a ROTATE: `relay_next`."""
    with Workspace() as workspace:
        source = DATABASES[kind](workspace, {"server-id": 7}, "source").start()
        replica = DATABASES[kind](workspace, {"server-id": 8, "relay_log": "relay", "relay_log_purge": "OFF"},
                                  "replica").start()
        log, pos = source.position()
        words, role = ("MASTER", "SLAVE") if kind == "mariadb" else ("REPLICATION SOURCE", "REPLICA")
        name = words.split()[-1]
        more = ", SOURCE_AUTO_POSITION=0, GET_SOURCE_PUBLIC_KEY=1" if kind == "mysql" else ""
        replica.script([
            f"CHANGE {words} TO {name}_HOST='127.0.0.1', {name}_PORT={source.port}, {name}_USER='{REPLICATION_USER}', "
            f"{name}_PASSWORD='{REPLICATION_PASSWORD}', {name}_LOG_FILE='{log}', {name}_LOG_POS={pos}{more}",
            f"START {role}"])

        def arrived(count):
            try:
                return replica.value("SELECT COUNT(*) FROM shop.t") == count
            except pymysql.err.Error:
                return False

        source.script(["CREATE DATABASE shop", "CREATE TABLE shop.t (a int PRIMARY KEY, b varchar(20)) ENGINE=InnoDB",
                       "INSERT INTO shop.t VALUES (1,'x'),(2,'y')"])
        source.flush_logs()
        source.sql("INSERT INTO shop.t VALUES (3,'z')")
        wait_until(lambda: arrived(3), "the replica")
        replica.sql("FLUSH RELAY LOGS")
        source.sql("DELETE FROM shop.t WHERE a=1")
        wait_until(lambda: arrived(2), "the replica")
        replica.sql(f"STOP {role}")
        for number, topic in ((2, "relay"), (4, "relay_next")):
            with open(os.path.join(replica.data_dir, f"relay.{number:06}"), "rb") as log_file:
                data = log_file.read()
            with open(os.path.join(directory, f"{topic}.binlog"), "wb") as out:
                out.write(data)
        source.stop()
        replica.stop()


def make(kind, only):
    directory = os.path.join(HERE, kind)
    os.makedirs(directory, exist_ok=True)
    with Workspace() as workspace:
        options = {"server-id": 7}
        if kind == "mysql":
            options["binlog_rows_query_log_events"] = "ON"
        server = DATABASES[kind](workspace, options).start()
        with server.connect() as con, con.cursor() as cur:
            cur.execute("SET NAMES utf8mb4")
            for topic, kinds, statements in TOPICS:
                if kinds and kind not in kinds:
                    continue
                for statement in BEFORE.get(topic, []):
                    execute(cur, kind, statement)
                cur.execute("FLUSH BINARY LOGS")
                cur.execute(server.status_statement)
                log = cur.fetchone()[0]
                for statement in statements:
                    execute(cur, kind, statement)
                cur.execute(server.status_statement)
                last = cur.fetchone()[0]
                cur.execute("FLUSH BINARY LOGS")
                if topic.startswith("opt_") and "full" not in topic and (not only or topic in only):
                    with open(os.path.join(directory, f"{topic}.sql"), "w", encoding="utf-8") as out:
                        out.write(OPTIONS_TABLE)
                for name in sorted({log, last}):
                    if only and topic not in only:
                        continue
                    with open(os.path.join(server.data_dir, name), "rb") as log_file:
                        data = log_file.read()
                    suffix = "" if name == last else ".before"
                    with open(os.path.join(directory, f"{topic}{suffix}.binlog"), "wb") as out:
                        out.write(data)
            server.stop()
    if not only or "relay" in only:
        make_relay(kind, directory)
    return directory


arguments = sys.argv[1:]
for server_kind in [name for name in arguments if name in DATABASES] or list(DATABASES):
    print(make(server_kind, [name for name in arguments if name not in DATABASES]))
