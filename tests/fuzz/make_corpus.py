#!/usr/bin/python3
"""Makes the seeds of event, table_map, payload and log_reader anew from the golden binlogs: few and small files.

Seeds in other folders, and seeds here whose names begin with `found_` (what a fuzzer found), are left alone.
"""

import glob
import os
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


if __name__ == "__main__":
    write("event", event_seeds())
    write("table_map", table_map_seeds())
    write("payload", payload_seeds())
    write("log_reader", log_seeds())
