#!/usr/bin/python3
"""Makes the seeds of event, table_map, payload and log_reader anew from the golden binlogs: few and small files; those of
input_canal, input_maxwell and input_debezium from the peers' golden messages; and those of ddl, create_table, alter_table and follow whose names begin with `manual_` from the golden statements (tests/golden/ddl).

Seeds in other folders, and seeds here whose names begin with `found_` (what a fuzzer found), are left alone.
"""

import glob
import os
import re
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(os.path.dirname(HERE), "golden", "binlog")
FILES_MAX = 40
BYTES_MAX = 4096
HEADER = 19
TABLE_MAP = 19
ROWS = (23, 24, 25, 30, 31, 32)


def binlogs():
    for path in sorted(glob.glob(os.path.join(GOLDEN, "*", "*.binlog"))):
        with open(path, "rb") as file:
            yield path.split(os.sep)[-2], os.path.basename(path)[: -len(".binlog")], file.read()


def bodies(data):
    """(type, body) of each event, without checksums; of FORMAT the whole event."""
    at, crc = 4, 4
    while at + HEADER <= len(data):
        kind, length = data[at + 4], struct.unpack_from("<I", data, at + 9)[0]
        if kind == 15:
            crc = 4 if data[at + length - 5] == 1 else 0
            yield kind, data[at : at + length]
        else:
            yield kind, data[at + HEADER : at + length - crc]
        at += length


def write(target, seeds):
    """Replaces the seeds of one target: the smallest ones when there are too many."""
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if not name.startswith("found_"):
            os.remove(os.path.join(folder, name))
    small = sorted(((len(seed), name) for name, seed in seeds.items() if len(seed) <= BYTES_MAX))[:FILES_MAX]
    for _, name in small:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(seeds[name])
    print(f"{target}: {len(small)} seeds")


def event_seeds():
    """One of each type and flavour: type, how post-headers are read, body."""
    seeds = {}
    for flavor, _, data in binlogs():
        for kind, body in bodies(data):
            seed = bytes([kind, 0]) + body
            name = f"type_{kind}_{flavor}"
            if len(seed) <= BYTES_MAX and name not in seeds:
                seeds[name] = seed
    # Types that only one flavour is known to write look the same in both.
    return {name: seed for name, seed in seeds.items() if not name.endswith("mysql") or name[:-5] + "mariadb" not in seeds
            or seed != seeds[name[:-5] + "mariadb"]}


def rows_of(kind, body):
    """What lies behind the bitmaps of a ROWS event."""
    at = 8 + (struct.unpack_from("<H", body, 8)[0] if kind >= 30 else 0)
    bitmap = (body[at] + 7) // 8
    return body[at + 1 + bitmap * (2 if kind in (24, 31) else 1) :]


def table_map_seeds():
    """Tables that differ in their types, each with the rows behind it as its image."""
    seeds = {}
    for flavor, topic, data in binlogs():
        last = None
        for kind, body in bodies(data):
            if kind == TABLE_MAP:
                last = body
            elif kind in ROWS and last:
                image = rows_of(kind, body)[:255]
                shape = last[8:]  # without its number
                for names, flags in (("full", 0), ("definition", 2)):
                    key = (shape, names)
                    if key not in seeds:
                        seeds[key] = (f"{flavor}_{topic}_{len(seeds)}_{names}", bytes([flags, len(image)]) + last + image)
                last = None
    return dict(seeds.values())


def fields(body):
    """({type: number}, offset of the payload) of a TRANSACTION_PAYLOAD; lengths below 251."""
    found, at = {}, 0
    while body[at]:
        kind, length = body[at], body[at + 1]
        value = body[at + 2 : at + 2 + length]
        found[kind] = int.from_bytes(value if length == 1 else value[1:], "little")
        at += 2 + length
    return found, at + 1


def plain(kind, body):
    """An event without a checksum."""
    return struct.pack("<IBIIIH", 1, kind, 7, HEADER + len(body), 0, 0) + body


def payload_seeds():
    """A seed for each way that the target reads its input."""
    seeds = {}
    for flavor, topic, data in binlogs():
        inside = []
        for number, (kind, body) in enumerate(bodies(data)):
            name = f"{flavor}_{topic}_{number}"
            if kind == 40:
                found, at = fields(body)
                seeds[f"steps_{name}"] = b"\0" + struct.pack("<I", found[3]) + body[at:]
                seeds[f"payload_{name}"] = b"\1" + body
            elif kind in (33, 34, 42):
                inside = []
            elif flavor == "mysql" and topic in ("rows", "transactions"):
                inside.append(plain(kind, body))
                if kind == 16:
                    seeds[f"inside_{name}"] = b"\2" + b"".join(inside)
            elif 165 <= kind <= 171:
                seeds[f"compressed_{kind}"] = b"\3" + bytes([kind - 165]) + body
            elif flavor == "mariadb" and kind in ROWS and topic == "rows":
                tail = rows_of(kind, body)
                head = b"\1" + bytes(5) + body[6 : len(body) - len(tail)]
                seeds[f"tail_{kind}"] = b"\4" + bytes([kind - 22, len(head)]) + head + tail
    return seeds


def log_seeds():
    """Whole files; the first byte of the magic number is an option of the target."""
    return {f"{flavor}_{topic}": data for flavor, topic, data in binlogs()}


def manual_statements():
    """(1 on MariaDB, statement of the log, definition of the table before it or "") of the golden statements."""
    for bit, kind in ((0, "mysql"), (1, "mariadb")):
        with open(os.path.join(os.path.dirname(GOLDEN), "ddl", kind + ".txt"), encoding="utf-8") as file:
            parts = re.split(r"(?m)^%% ", file.read())[1:]
        shown, statement, before = {}, "", ""
        for part in parts:
            head, _, text = part.partition("\n")
            tag, _, name = head.partition(" ")
            text = text.strip("\n")
            if tag == "page":
                shown = {}
            elif tag in ("statement", "logged"):
                statement, before = text, dict(shown)
                yield bit, text, ""
            elif tag == "is":
                if statement and name in before:
                    yield bit, statement, before[name]
                shown[name] = text


def manual_pages():
    """The statements of each page as the log has them, with a NUL between them."""
    for bit, kind in ((0, "mysql"), (1, "mariadb")):
        with open(os.path.join(os.path.dirname(GOLDEN), "ddl", kind + ".txt"), encoding="utf-8") as file:
            for page in re.split(r"(?m)^%% page ", file.read())[1:]:
                texts = re.findall(r"(?ms)^%% (?:statement|logged)\n(.*?)\n(?=%% )", page + "\n%% ")
                yield bytes([bit]) + "\0".join(texts).encode()


def write_manual(target, seeds):
    """The fewest seeds that have each word of all, one new one at least in each."""
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name.startswith("manual_"):
            os.remove(os.path.join(folder, name))
    known, count = set(), 0
    for seed in sorted(set(seeds), key=lambda seed: (-len(set(re.findall(rb"[A-Za-z_]+", seed))), seed)):
        words = {word.upper() for word in re.findall(rb"[A-Za-z_]{2,}|[^\w\s]{1,2}", seed)}
        if len(seed) <= BYTES_MAX and len(words - known) > 1:
            known |= words
            count += 1
            with open(os.path.join(folder, f"manual_{count}"), "wb") as file:
                file.write(seed)
    print(f"{target}: {count} statements of the manuals")


def manual_seeds():
    rows = list(manual_statements())
    write_manual("ddl", [bytes([2 * bit]) + text.encode() for bit, text, _ in rows])
    write_manual("create_table", [bytes([bit | 4]) + text.encode() for bit, text, _ in rows if "CREATE" in text[:30].upper()])
    write_manual("alter_table", [bytes([bit | 8]) + before.encode() + b"\0" + text.encode() for bit, text, before in rows if before])
    write_manual("follow", manual_pages())


def input_seeds(peer):
    """One message of each kind that a case has: the length of its key, the key, the value."""
    seeds = {}
    for path in sorted(glob.glob(os.path.join(os.path.dirname(GOLDEN), "peers", peer, "*.case"))):
        with open(path, encoding="utf-8") as file:
            lines = re.split(r"(?m)^-- expect\n", file.read())[1].replace('"*"', "1").split("\n")
        for line in lines:
            kind = re.search(r'"(?:type|op)":"(\w+)"', line)
            if line.startswith("{") and kind and line.count("\t") == 0:
                key = b'{"id":1}' if peer == "debezium" else b'{"database":"shop","table":"t","pk.id":1}'
                name = f"{os.path.basename(path)[:3]}_{kind.group(1)}"
                seeds.setdefault(name, bytes([len(key)]) + key + line.encode())
    return seeds


if __name__ == "__main__":
    for name in ("canal", "maxwell", "debezium"):
        write(f"input_{name}", input_seeds(name))
    manual_seeds()
    write("event", event_seeds())
    write("table_map", table_map_seeds())
    write("payload", payload_seeds())
    write("log_reader", log_seeds())
