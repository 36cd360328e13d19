#!/usr/bin/python3
"""Makes the binlog files beside it from real servers: one file per topic of TOPICS, each ended by FLUSH BINARY LOGS.

The expected output (FILE.txt) is then written by `SLUICE_UPDATE_GOLDEN=1 source_file_test` and read by a person.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))

from servers import DATABASES, Workspace  # noqa: E402

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
    ("nochecksum", None, [
        "SET GLOBAL binlog_checksum=NONE",
        "INSERT INTO shop.nokey VALUES (6,6,6)",
    ]),
]


def make(kind):
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
                cur.execute("FLUSH BINARY LOGS")
                cur.execute(server.status_statement)
                log = cur.fetchone()[0]
                for statement in statements:
                    cur.execute(statement)
                cur.execute(server.status_statement)
                last = cur.fetchone()[0]
                cur.execute("FLUSH BINARY LOGS")
                for name in sorted({log, last}):
                    with open(os.path.join(server.data_dir, name), "rb") as log_file:
                        data = log_file.read()
                    suffix = "" if name == last else ".before"
                    with open(os.path.join(directory, f"{topic}{suffix}.binlog"), "wb") as out:
                        out.write(data)
            server.stop()
    return directory


for server_kind in sys.argv[1:] or list(DATABASES):
    print(make(server_kind))
