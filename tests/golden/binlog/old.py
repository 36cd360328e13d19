#!/usr/bin/python3
"""Writes logs as servers wrote them that do not run here, byte by byte from the documented layouts, to old/.

Sources of the layouts: MySQL internals manual "Binary log", the headers of each release's events; lengths of FORMAT
events are those of the releases (5.0: 18 types, 5.1: 26, 5.5: 27, 5.6: 35, 5.7: 38, 8.0: 41, MariaDB 10.2: 171).
The JSON beside each (FILE.jsonl) is then written by `SLUICE_UPDATE_GOLDEN=1 old_log_test` and read by a person.
"""

import os
import struct
import zlib

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "old")
SECOND = 1262349296  # 2010-01-01 12:34:56 UTC
UUID = bytes(range(0x10, 0x20))

POST = {1: 56, 2: 13, 4: 8, 6: 18, 8: 4, 9: 4, 10: 4, 11: 4, 12: 18, 17: 4, 18: 26, 19: 8, 23: 8, 24: 8, 25: 8, 26: 2,
        30: 10, 31: 10, 32: 10, 33: 42, 34: 42, 36: 18, 37: 52, 39: 10, 160: 0, 161: 4, 162: 19, 163: 4}


class Log:
    """One file; server = version text, types = count of types in its FORMAT event, crc None: knows no checksums."""

    def __init__(self, server, types, crc=None, post=None):
        self.bytes = b"\xfebin"
        self.crc = False
        lengths = {**POST, 15: 57 + types, **(post or {})}
        self.small = lengths[19] == 6
        body = struct.pack("<H50sIB", 4, server.encode(), SECOND, 19)
        body += bytes(lengths.get(number, 0) for number in range(1, types + 1))
        self.event(15, body + (b"" if crc is None else bytes([crc])), force_crc=crc is not None)
        self.crc = bool(crc)

    def event(self, kind, body, flags=0, force_crc=False):
        trailer = 4 if self.crc or force_crc else 0
        length = 19 + len(body) + trailer
        whole = struct.pack("<IBIIIH", SECOND, kind, 7, length, len(self.bytes) + length, flags) + body
        self.bytes += whole + (struct.pack("<I", zlib.crc32(whole)) if trailer else b"")
        return self

    def query(self, text, variables=b"", db=b"shop"):
        return self.event(2, struct.pack("<IIBHH", 3, 0, len(db), 0, len(variables)) + variables + db + b"\0" + text.encode())

    def xid(self):
        return self.event(16, struct.pack("<Q", 99))

    def table(self, columns, number=5, optional=b""):
        body = struct.pack("<I" if self.small else "<Q", number)[: 4 if self.small else 6] + struct.pack("<H", 1)
        body += b"\x04shop\0\x03old\0" + bytes([len(columns)]) + bytes(c.wire for c in columns)
        meta = b"".join(c.meta for c in columns)
        body += bytes([len(meta)]) + meta
        return self.event(19, body + bitmap(c.null for c in columns) + optional)

    def rows(self, kind, columns, *images, number=5, extra=None, last=True):
        """images: one tuple per image; an update has two per row."""
        body = struct.pack("<I" if self.small else "<Q", number)[: 4 if self.small else 6] + struct.pack("<H", last)
        if kind >= 30:
            body += struct.pack("<H", 2 + len(extra or b"")) + (extra or b"")
        body += bytes([len(columns)]) + bitmap(True for _ in columns) * (2 if kind in (24, 31) else 1)
        for image in images:
            body += bitmap(value is None for value in image)
            body += b"".join(c.pack(value) for c, value in zip(columns, image) if value is not None)
        return self.event(kind, body)

    def save(self, name, definition=None):
        with open(os.path.join(HERE, name + ".binlog"), "wb") as out:
            out.write(self.bytes)
        if definition:
            with open(os.path.join(HERE, name + ".sql"), "w", encoding="utf-8") as out:
                out.write(definition)


def bitmap(bits):
    bits = list(bits)
    out = bytearray((len(bits) + 7) // 8)
    for number, bit in enumerate(bits):
        out[number // 8] |= bool(bit) << number % 8
    return bytes(out)


class Column:
    def __init__(self, wire, pack, meta=b"", null=True):
        self.wire, self.pack, self.meta, self.null = wire, pack, bytes(meta), null


def number(form):
    return lambda value: struct.pack(form, value)


def sized(form):
    return lambda value: struct.pack(form, len(value)) + value


def decimal_10_3(text):
    """Seven digits in four bytes, three in two; the sign in the highest bit, all inverted when negative."""
    whole, part = text.lstrip("-").split(".")
    out = bytearray(struct.pack(">IH", int(whole), int(part)))
    out[0] ^= 0x80
    return bytes(b ^ 0xFF for b in out) if text[0] == "-" else bytes(out)


def date(value):
    year, month, day = value
    return struct.pack("<I", year << 9 | month << 5 | day)[:3]


def datetime(value):
    year, month, day, hour, minute, second = value
    return struct.pack("<Q", ((((year * 100 + month) * 100 + day) * 100 + hour) * 100 + minute) * 100 + second)


def time(value):
    sign, hour, minute, second = value
    return struct.pack("<i", sign * ((hour * 100 + minute) * 100 + second))[:3]


def datetime2(value):
    year, month, day, hour, minute, second = value
    whole = ((year * 13 + month) << 5 | day) << 17 | hour << 12 | minute << 6 | second
    return struct.pack(">Q", whole + (1 << 39))[3:]


def time2(value):
    sign, hour, minute, second = value
    return struct.pack(">I", (1 << 23) + sign * (hour << 12 | minute << 6 | second))[1:]


def columns(new_temporals):
    temporals = ([Column(18, datetime2, [0]), Column(17, number(">I"), [0], False), Column(19, time2, [0])]
                 if new_temporals else [Column(12, datetime), Column(7, number("<I"), null=False), Column(11, time)])
    return [
        Column(3, number("<I"), null=False), Column(1, number("<b")), Column(246, decimal_10_3, [10, 3]),
        Column(254, sized("<B"), [254, 5]), Column(15, sized("<H"), struct.pack("<H", 900)), Column(252, sized("<H"), [2]),
        Column(254, number("<B"), [247, 1]), Column(254, number("<B"), [248, 1]), Column(13, number("<B")), *temporals,
        Column(10, date), Column(4, number("<f"), [4]), Column(16, number(">H"), [2, 1]),
    ]


DEFINITION = """CREATE TABLE `old` (
  `id` int(10) unsigned NOT NULL,
  `t` tinyint(4) DEFAULT NULL,
  `d` decimal(10,3) DEFAULT NULL,
  `c` char(5) CHARACTER SET latin1 DEFAULT NULL,
  `v` varchar(300) CHARACTER SET utf8 DEFAULT NULL,
  `bl` blob,
  `e` enum('new','paid') CHARACTER SET latin1 DEFAULT NULL,
  `s` set('x','y','z') CHARACTER SET latin1 DEFAULT NULL,
  `y` year(4) DEFAULT NULL,
  `dt` datetime DEFAULT NULL,
  `ts` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  `tm` time DEFAULT NULL,
  `da` date DEFAULT NULL,
  `f` float DEFAULT NULL,
  `b` bit(10) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8
"""

FULL = (4000000000, -5, "-1234567.125", b"caf\xe9", "caf\u00e9 \u20ac".encode(), b"\0\xff", 2, 5, 110, (2010, 1, 2, 3, 4, 5), SECOND,
        (-1, 838, 59, 59), (2010, 1, 2), 0.1, 0x2AA)
AFTER = (4000000000, 127, "0.001", b"", b"", b"", 1, 0, 0, (0, 0, 0, 0, 0, 0), 0, (1, 0, 0, 1), (2010, 0, 0), -1.5, 0)
NULLS = (1, *[None] * 9, SECOND, *[None] * 4)
CHARSET = b"\x04\x21\0\x21\0\x08\0"  # of a QUERY: client, connection, server
MODE = b"\0" + bytes(4) + b"\x01" + bytes(8) + b"\x06\x03std" + CHARSET


def changes(log, kinds, cols, **more):
    """Insert of two rows, update, delete in one transaction."""
    insert, update, delete = kinds
    log.table(cols).rows(insert, cols, FULL, NULLS, **more)
    log.table(cols).rows(update, cols, FULL, AFTER, **more)
    log.table(cols).rows(delete, cols, AFTER, **more)
    return log


V1, V2 = (23, 24, 25), (30, 31, 32)


def gtid_mysql(log, kind=33, more=b""):
    uuid, gno = (UUID, 42) if kind == 33 else (bytes(16), 0)
    return log.event(kind, b"\1" + uuid + struct.pack("<Q", gno) + more)


def main():
    os.makedirs(HERE, exist_ok=True)
    # 4.0: START of version 3, then events whose layout nothing tells.
    v3 = Log("", 0)
    v3.bytes = b"\xfebin"
    v3.event(1, struct.pack("<H50sI", 3, b"4.0.30-log", SECOND)).query("INSERT INTO t VALUES (1)").save("mysql40")

    log = Log("5.0.96-log", 18)
    log.query("CREATE TABLE old (a INT)", MODE).query("BEGIN", MODE).event(5, b"\2" + struct.pack("<Q", 8))
    log.query("INSERT INTO old VALUES (1)", MODE).xid().event(3, b"").save("mysql50")

    # The first releases with rows: table ids of 4 bytes.
    cols = columns(False)
    log = Log("5.1.16-beta-log", 26, post={19: 6, 23: 6, 24: 6, 25: 6})
    changes(log.query("BEGIN", MODE), V1, cols).xid().save("mysql51_small_ids", DEFINITION)
    log = Log("5.1.73-log", 26)
    changes(log.query("BEGIN", MODE), V1, cols).query("COMMIT", MODE).event(4, struct.pack("<Q", 4) + b"bin.000002")
    log.save("mysql51", DEFINITION)
    log = Log("5.5.62-log", 27)
    more = MODE + b"\x05\x06SYSTEM" + b"\x07\0\0" + b"\x08\x21\0" + b"\x0c\x01shop\0"
    changes(log.query("BEGIN", more), V1, cols).xid().event(3, b"").save("mysql55", DEFINITION)
    # Rows of versions before 5.1.16: another layout, and no release.
    log = Log("5.1.15-beta-log", 26)
    log.query("BEGIN", MODE).table(cols).rows(20, cols, NULLS).xid().save("mysql51_pre_ga", DEFINITION)

    cols = columns(True)
    log = Log("5.6.51-log", 35, crc=1, post={33: 25, 34: 25})
    log.event(35, struct.pack("<Q", 1) + UUID + struct.pack("<QQQ", 1, 1, 42), 0x80)
    changes(gtid_mysql(log).query("BEGIN", more), V2, cols).xid().save("mysql56", DEFINITION)

    # Extra data of NDB before the rows.
    log = Log("5.7.44-log", 38, crc=1)
    log.event(35, struct.pack("<Q", 0), 0x80)
    gtid_mysql(log, 34, b"\2" + struct.pack("<QQ", 0, 1)).query("BEGIN", more)
    changes(log, V2, cols, extra=b"\0\x06\0\1\2\3").xid().save("mysql57", DEFINITION)

    # Names come with the log; extra data tells partitions; a field of the metadata that nobody knows.
    log = Log("8.0.36", 41, crc=1)
    log.event(35, struct.pack("<Q", 0), 0x80)
    us = SECOND * 1000000 + 654321
    times = struct.pack("<Q", us | 1 << 55)[:7] + struct.pack("<Q", us - 5)[:7] + b"\xfc\x10\2" + struct.pack("<I", 80036)
    gtid_mysql(log, 33, b"\2" + struct.pack("<QQ", 0, 1) + times).query("BEGIN", more)
    few = [Column(3, number("<I"), null=False), Column(15, sized("<B"), struct.pack("<H", 80)), Column(254, number("<B"), [247, 1])]
    fields = [(1, b"\x80"), (3, b"\xfc\xff\0"), (4, b"\2id\1v\1e"), (6, b"\2\1a\2bc"), (8, b"\0"), (11, b"\x08"), (12, b"\xe0"), (99, b"new")]
    optional = b"".join(bytes([kind, len(value)]) + value for kind, value in fields)
    log.table(few, optional=optional).rows(30, few, (1, "\u00e4".encode(), 2), (2, None, 1), extra=b"\1" + struct.pack("<H", 3))
    log.table(few, optional=optional).rows(31, few, (1, b"x", 2), (1, b"y", 1), extra=b"\1" + struct.pack("<HH", 3, 4))
    log.xid().save("mysql80")

    log = Log("10.2.44-MariaDB-log", 171, crc=1)
    log.event(163, struct.pack("<I", 1) + struct.pack("<IIQ", 0, 7, 41)).event(161, struct.pack("<I", 10) + b"bin.000001")
    log.event(162, struct.pack("<QIB", 42, 0, 4) + bytes(6), 8).event(160, b"INSERT INTO old VALUES (...)")
    changes(log, V1, cols).xid()
    log.event(162, struct.pack("<QIBQ", 43, 0, 6, 42), 8).event(160, b"DELETE FROM old").table(cols).rows(25, cols, NULLS).xid()
    log.save("mariadb102", DEFINITION)


main()
