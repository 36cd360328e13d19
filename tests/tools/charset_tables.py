"""Makes value/charset_tables.inc, tests/golden/charsets.txt and collations.txt from what both servers say.

PYTHONPATH=tests /usr/bin/python3 tests/tools/charset_tables.py

A code is assigned when CONVERT(… USING utf8mb4) gives one character, neither '?' nor U+FFFD in the place of something
that is not that character; gb18030 has a code for U+FFFD itself. MySQL and MariaDB must say the same of the character
sets that both have. The table of a multi-byte set is a string of its characters, '.' where no code is assigned; equal
rows of two sets are written once. Each golden line: set, number of assigned codes, CRC-32 over "code character" of all
of them, shorter codes first, then by their bytes. collations.txt: id, name, character set of each collation.
"""

import itertools
import pathlib
import sys
import unicodedata
import zlib

from servers import DATABASES, Workspace

ROOT = pathlib.Path(__file__).parent.parent.parent
EIGHT_BIT = ("ascii armscii8 cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 dec8 geostd8 greek hebrew hp8 keybcs2 koi8r "
             "koi8u latin1 latin2 latin5 latin7 macce macroman swe7 tis620").split()
MULTI = "big5 cp932 eucjpms euckr gb18030 gb2312 gbk sjis ujis".split()
BATCH = 20000
HOLE = "."

SJIS = ([(0x81, 0x9F), (0xE0, 0xFC)], [(0x40, 0x7E), (0x80, 0xFC)])
GBK = ([(0x81, 0xFE)], [(0x40, 0x7E), (0x80, 0xFE)])
EUC = ([(0xA1, 0xFE)], [(0xA1, 0xFE)])
# Of each set: lead and trail bytes of its two-byte codes, and where a row of the table is cut into pieces.
LAYOUTS = {
    "big5": ([(0xA1, 0xF9)], [(0x40, 0x7E), (0xA1, 0xFE)], (63, 94)),
    "cp932": (*SJIS, (94, 94)),
    "eucjpms": (*EUC, (94,)),
    "euckr": ([(0x81, 0xFD)], [(0x41, 0x5A), (0x61, 0x7A), (0x81, 0xFE)], (84, 94)),
    "gb18030": (*GBK, (96, 94)),
    "gb2312": (*EUC, (94,)),
    "gbk": (*GBK, (96, 94)),
    "sjis": (*SJIS, (94, 94)),
    "ujis": (*EUC, (94,)),
}
KANA = {bytes([0x8E, 0xA1 + i]): 0xFF61 + i for i in range(63)}


def assigned(cursor, charset, codes):
    """{code: code point}"""
    found = {}
    for batch in batches(codes):
        cursor.execute("TRUNCATE codes")
        cursor.execute("INSERT INTO codes (code) VALUES " + ",".join(f"(x'{code.hex()}')" for code in batch))
        cursor.execute(f"SELECT HEX(code), HEX(CONVERT(CONVERT(code USING {charset}) USING utf8mb4)),"
                       f" HEX(CONVERT(CONVERT(code USING {charset}) USING binary)) FROM codes")
        for code, text, kept in cursor.fetchall():
            if text is None or kept != code:
                continue
            code, text = bytes.fromhex(code), bytes.fromhex(text).decode()
            if len(text) == 1 and (text != "?" or code == b"?") and (text != "\ufffd" or len(code) == 4):
                found[code] = ord(text)
    return found


def batches(codes):
    codes = iter(codes)
    while batch := list(itertools.islice(codes, BATCH)):
        yield batch


def ask(cursor, charset):
    found = assigned(cursor, charset, (bytes([i]) for i in range(256)))
    if charset in EIGHT_BIT:
        return found
    leads = [i for i in range(256) if bytes([i]) not in found]
    found |= assigned(cursor, charset, (bytes([i, j]) for i in leads for j in range(256)))
    if charset in ("ujis", "eucjpms"):
        found |= assigned(cursor, charset, (bytes([0x8F, i, j]) for i in range(128, 256) for j in range(128, 256)))
    if charset == "gb18030":
        found |= assigned(cursor, charset, (bytes(code) for code in itertools.product(
            range(0x81, 0xFF), range(0x30, 0x3A), range(0x81, 0xFF), range(0x30, 0x3A))))
    return found


def ask_collations(cursor, kind):
    if kind == "mariadb":
        cursor.execute("SELECT id, full_collation_name, character_set_name"
                       " FROM information_schema.collation_character_set_applicability")
    else:
        cursor.execute("SELECT id, collation_name, character_set_name FROM information_schema.collations")
    return set(cursor.fetchall())


def ask_all():
    answers, collations = {}, set()
    for kind in ("mysql", "mariadb"):
        with Workspace(False) as workspace:
            server = DATABASES[kind](workspace, {}).start()
            link = server.connect()
            with link.cursor() as cursor:
                cursor.execute("CREATE DATABASE golden")
                cursor.execute("USE golden")
                cursor.execute("SET sql_mode = '', max_error_count = 0")
                cursor.execute("CREATE TEMPORARY TABLE codes (id INT PRIMARY KEY AUTO_INCREMENT, code VARBINARY(4))")
                cursor.execute("SHOW CHARACTER SET")
                here = {row[0] for row in cursor.fetchall()}
                collations |= ask_collations(cursor, kind)
                for charset in EIGHT_BIT + MULTI:
                    if charset not in here:
                        continue
                    found = ask(cursor, charset)
                    assert found == answers.setdefault(charset, found), f"{charset} of {kind} differs"
            link.close()
            server.stop()
    return answers, collations


def escape(point):
    char = chr(point)
    if char == "\\":
        return "\\\\"
    if unicodedata.category(char)[0] not in "LNPS" or unicodedata.normalize("NFC", char) != char:
        return f"\\u{point:04x}"
    return char


def write_eight_bit(out, answers):
    for charset in EIGHT_BIT:
        found = answers[charset]
        cells = [f"U({found[bytes([i])]:#x})" if bytes([i]) in found else "NONE" for i in range(256)]
        if all(cells[i] == f"U({i:#x})" for i in range(128)):
            out.append(f"static const struct utf8_cell {charset}_cells[256] = {{\n    ASCII_CELLS,")
            cells = cells[128:]
        else:
            out.append(f"static const struct utf8_cell {charset}_cells[256] = {{")
        out += ["    " + ", ".join(cells[i : i + 8]) + "," for i in range(0, len(cells), 8)]
        out.append("};\n")


def rows_of(found, prefix, leads, trails, pieces):
    """The table as a list of strings of code points: each row cut into `pieces`."""
    trail_bytes = [i for first, last in trails for i in range(first, last + 1)]
    for lead in (i for first, last in leads for i in range(first, last + 1)):
        row = [found.get(prefix + bytes([lead, trail])) for trail in trail_bytes]
        at = 0
        for size in pieces:
            yield tuple(row[at : at + size])
            at += size
        assert at == len(row)


def tables_of(answers):
    for charset in MULTI:
        leads, trails, pieces = LAYOUTS[charset]
        if charset in ("ujis", "eucjpms"):
            yield f"{charset}_three_cells", list(rows_of(answers[charset], b"\x8f", leads, trails, pieces))
        found = {code: point for code, point in answers[charset].items() if len(code) == 2}
        if charset in ("ujis", "eucjpms"):
            kana = {code: point for code, point in found.items() if code[0] == 0x8E}
            assert kana == KANA
            found = {code: point for code, point in found.items() if code[0] != 0x8E}
        rows = list(rows_of(found, b"", leads, trails, pieces))
        assert sum(point is not None for row in rows for point in row) == len(found), charset
        yield f"{charset}_cells", rows


def write_multi(out, answers):
    tables = list(tables_of(answers))
    names, uses = {}, {}
    for _, rows in tables:
        for row in rows:
            uses[row] = uses.get(row, 0) + 1
    body = []
    for name, rows in tables:
        body.append(f"static const uint16_t {name}[] =")
        for row in rows:
            assert all(point is None or (point < 0x10000 and (point >= 0xA0 or chr(point) in "\\~")) for point in row)
            text = '    u"' + "".join(HOLE if point is None else escape(point) for point in row) + '"'
            if uses[row] == 1:
                body.append(text)
                continue
            if row not in names:
                names[row] = f"ROW_{len(names)}"
                out.append(f"#define {names[row]}{text[3:]}")
            body.append("    " + names[row])
        body[-1] += ";"
        body.append("")
    out += ["", *body]


def write_four(out, found):
    def linear(code):
        return (((code[0] - 0x81) * 10 + code[1] - 0x30) * 126 + code[2] - 0x81) * 10 + code[3] - 0x30

    four = sorted((linear(code), point) for code, point in found.items() if len(code) == 4)
    runs = []
    for at, point in four:
        if runs and at == runs[-1][0] + runs[-1][2] and point == runs[-1][1] + runs[-1][2]:
            runs[-1][2] += 1
        else:
            runs.append([at, point, 1])
    out.append("/* place of the first four-byte code, its code point, number of codes */")
    out.append("static const struct code_run gb18030_runs[] = {")
    cells = [f"{{{at}, {point:#x}, {count}}}," for at, point, count in runs]
    out += ["    " + " ".join(cells[i : i + 5]) for i in range(0, len(cells), 5)]
    out.append("};")


def golden(answers):
    for charset in EIGHT_BIT + MULTI:
        found = answers[charset]
        crc = 0
        for code in sorted(found, key=lambda code: (len(code), code)):
            crc = zlib.crc32(code + b" " + chr(found[code]).encode(), crc)
        yield f"{charset} {len(found)} {crc:08x}\n"


def main():
    answers, collations = ask_all()
    out = ["/* Generated by tests/tools/charset_tables.py from the servers' own conversions. */", ""]
    write_eight_bit(out, answers)
    write_multi(out, answers)
    write_four(out, answers["gb18030"])
    (ROOT / "value" / "charset_tables.inc").write_text("\n".join(out) + "\n", encoding="utf-8")
    (ROOT / "tests" / "golden" / "charsets.txt").write_text("".join(golden(answers)), encoding="utf-8")
    lines = [f"{number} {name} {charset}\n" for number, name, charset in sorted(collations)]
    (ROOT / "tests" / "golden" / "collations.txt").write_text("".join(lines), encoding="utf-8")
    print(f"{len(answers)} character sets, {len(lines)} collations", file=sys.stderr)


if __name__ == "__main__":
    main()
