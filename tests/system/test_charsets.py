"""Every code of every character set of both servers, as text of each kind and as labels, against SELECT."""

import base64
import itertools
import json

from sluice import FINE
from test_dump import recorded
from value_types import REPLACING

ROW_CODES = 3000
CHAR_CODES = 60
LABELS = 60
BAD_CODES = 150
BAD = 1_000_000  # ids from here: a code without a character, as far as the server keeps it
ASTRAL = [*range(0x10000, 0x10400), *range(0x1F300, 0x1F700), *range(0x20000, 0x20800), 0xFFFFF, 0x100000, 0x10FFFF]
UNICODE = {"utf8mb4": "utf-8", "utf8mb3": "utf-8", "ucs2": "utf-16-be", "utf16": "utf-16-be", "utf16le": "utf-16-le",
           "utf32": "utf-32-be"}
SETS = """armscii8 ascii big5 cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 cp932 dec8 eucjpms euckr gb18030 gb2312 gbk
          geostd8 greek hebrew hp8 keybcs2 koi8r koi8u latin1 latin2 latin5 latin7 macce macroman sjis swe7 tis620 ucs2
          ujis utf16 utf16le utf32 utf8mb3 utf8mb4""".split()


def test_the_list_of_sets_is_the_servers_own(db):
    here = {name for name, *_ in db.sql("SHOW CHARACTER SET")}
    assert here - {"binary"} == set(SETS) - ({"gb18030"} if db.flavor == "mariadb" else set())


def make_codes(cur, full):
    """A table of the byte sequences that may be one code."""
    codes = [bytes([i]) for i in range(256)]
    codes += [bytes([i, j]) for i in range(0x80, 0x100) for j in range(0x30, 0x100)]
    codes += [bytes([0x8F, i, j]) for i in range(0xA0, 0x100) for j in range(0xA0, 0x100)]
    four = itertools.product(range(0x81, 0xFF), range(0x30, 0x3A), range(0x81, 0xFF), range(0x30, 0x3A))
    codes += map(bytes, itertools.islice(four, 0, None, 1 if full else 151))
    cur.execute("CREATE TEMPORARY TABLE codes (id INT PRIMARY KEY AUTO_INCREMENT, len INT, code VARBINARY(4), KEY (len))")
    for begin in range(0, len(codes), 20000):
        cur.execute("INSERT INTO codes (len, code) VALUES "
                    + ",".join(f"({len(code)}, x'{code.hex()}')" for code in codes[begin : begin + 20000]))


def ask(cur, charset, bytes_max, full):
    """Codes that the server takes as they are, with what it shows: [(code, text)]."""
    if charset in UNICODE:
        points = [*range(1, 0xD800), *range(0xE000, 0x10000)]
        if bytes_max == 4:
            points += range(0x10000, 0x110000) if full else ASTRAL
        return [(chr(point).encode(UNICODE[charset]), chr(point)) for point in points]
    cur.execute(f"SELECT code, CONVERT(CONVERT(code USING {charset}) USING utf8mb4),"
                f" CONVERT(CONVERT(code USING {charset}) USING binary) FROM codes WHERE len <= {bytes_max} ORDER BY id")
    return [(code, text) for code, text, kept in cur.fetchall() if code == kept and text]


def is_lost(charset, code, text):
    """Whether the server shows a stand-in for a code without a character."""
    return text == "?" and code != b"?" or text == "\ufffd" and charset in REPLACING


def quoted(texts):
    return ",".join("'" + text.replace("\\", "\\\\").replace("'", "''") + "'" for text in texts)


def labels_of(texts, bytes_max):
    """Some that stand for themselves in SHOW CREATE TABLE and in a SET."""
    fit = [text for text in dict.fromkeys(texts) if text.isprintable() and not text.isspace() and text not in ",?"]
    return fit if bytes_max == 1 else fit[:: max(1, len(fit) // LABELS)][:LABELS]


def fill(cur, charset, bytes_max, full):
    """Makes shop.CHARSET with all codes in it; returns how many, and codes without a character by id."""
    found = ask(cur, charset, bytes_max, full)
    lost = {code for code, text in found if charset not in UNICODE and is_lost(charset, code, text)}
    good = [(code, text) for code, text in found if len(text) == 1 and code not in lost]
    bad = sorted(lost)
    labels = labels_of([text for _, text in good], bytes_max)
    collation = "utf8mb3_bin" if charset == "utf8mb3" else f"{charset}_bin"
    cur.execute(f"CREATE TABLE shop.`{charset}` (id INT PRIMARY KEY, c CHAR({CHAR_CODES}), v VARCHAR({ROW_CODES}), t TEXT,"
                f" l LONGTEXT, e ENUM({quoted(labels)}), s SET({quoted(labels[:64])}))"
                f" ENGINE=InnoDB CHARACTER SET {charset} COLLATE {collation}")
    rows = []
    for number, begin in enumerate(range(0, len(good), ROW_CODES)):
        part = [code for code, _ in good[begin : begin + ROW_CODES]]
        some = part[number * CHAR_CODES % len(part) :][:CHAR_CODES]
        whole = f"_{charset} x'{b''.join(part).hex()}'"
        rows.append(f"({number}, _{charset} x'{b''.join(some).hex()}', {whole}, {whole}, {whole}, 1 + {number % len(labels)},"
                    f" {number + 1})")
    rows += [f"({-1 - number}, NULL, NULL, NULL, NULL, {1 + number}, {1 << number % min(64, len(labels))})"
             for number in range(len(labels))]
    for begin in range(0, len(rows), 100):
        cur.execute(f"INSERT INTO shop.`{charset}` VALUES " + ",".join(rows[begin : begin + 100]))
    bad = bad if full else bad[:: max(1, len(bad) // BAD_CODES)]
    if bad:
        cur.execute(f"INSERT INTO shop.`{charset}` (id, c, v) VALUES " + ",".join(
            f"({BAD + number}, _{charset} x'{code.hex()}', _{charset} x'{b'a'.hex()}{code.hex()}')"
            for number, code in enumerate(bad)))
    return len(good), {BAD + number: code for number, code in enumerate(bad)}


def in_base64(data):
    return {"base64": base64.b64encode(data).decode()}


def test_every_code_is_what_the_server_selects(db, sluice, full):
    bad, sizes, bad_codes = {}, {}, 0
    with db.connect("shop") as con, con.cursor() as cur, recorded(db) as files:
        cur.execute("SET sql_mode = '', max_error_count = 0")
        make_codes(cur, full)
        cur.execute("SHOW CHARACTER SET")
        for name, _, _, bytes_max in cur.fetchall():
            if name != "binary":
                sizes[name], bad[name] = fill(cur, name, bytes_max, full)
    assert sizes["latin1"] == 256 and sizes["sjis"] == 7070 and sizes["eucjpms"] == 15206 and sizes["gbk"] == 21919
    lines = {}
    dumped = sluice().run("dump", *files, config=False)
    assert dumped.returncode == FINE, dumped.stderr
    for text in dumped.stdout.split("\n")[:-1]:  # U+0085 and U+2028 end no line
        line = json.loads(text)
        lines.setdefault(line["table"], {})[line["after"]["id"]] = line["after"]
    for name in sizes:
        selected = db.dicts(f"SELECT * FROM shop.`{name}`")
        stored = {number: code for number, code in db.sql(f"SELECT id, CAST(c AS BINARY) FROM shop.`{name}` WHERE id >= {BAD}")
                  if code == bad[name][number]}
        bad_codes += len(stored)
        assert len(selected) == len(lines[name])
        for row in selected:
            found = lines[name][row["id"]]
            if row["id"] in stored:
                row |= {"c": in_base64(stored[row["id"]]), "v": in_base64(b"a" + stored[row["id"]])}
            for column in row:
                assert found[column] == row[column], (name, row["id"], column)
    assert bad_codes > 1000


COLLATIONS = {"mariadb": "SELECT full_collation_name, character_set_name FROM"
                         " information_schema.collation_character_set_applicability WHERE character_set_name <> 'binary'",
              "mysql": "SELECT collation_name, character_set_name FROM information_schema.collations"
                       " WHERE character_set_name <> 'binary'"}
SAMPLES = "éжא一あ가ｱ"


def test_every_collation_is_known(db, sluice):
    """By the number in the log (FULL), with a character that tells its set from the others where there is one."""
    collations = sorted(db.sql(COLLATIONS[db.flavor]))
    sample = {}
    for charset in {charset for _, charset in collations}:
        shown = db.value(f"SELECT CONVERT(CONVERT('{SAMPLES}' USING {charset}) USING utf8mb4)")
        sample[charset] = "".join(letter for letter in shown if letter in SAMPLES)[:1] or "a"
    expected = {}
    with recorded(db) as files, db.connect("shop") as con, con.cursor() as cur:
        for begin in range(0, len(collations), 200):
            part = collations[begin : begin + 200]
            cur.execute(f"CREATE TABLE shop.c{begin} (id INT PRIMARY KEY, "
                        + ", ".join(f"`{name}` VARCHAR(2) CHARACTER SET {charset} COLLATE {name}" for name, charset in part) + ")")
            cur.execute(f"INSERT INTO shop.c{begin} VALUES (1, " + quoted(sample[charset] for _, charset in part) + ")")
            expected[f"c{begin}"] = {"id": 1, **{name: sample[charset] for name, charset in part}}
    found = {line["table"]: line["after"] for line in sluice().dump(*files)}
    assert found == expected


def test_keys_of_equal_text_are_equal_in_every_set(db, sluice):
    """So that tables with different character sets share a lane; in gbk the second byte of a letter may be a backslash."""
    sets = {"latin1": "straße:ü\\", "utf8mb4": "straße:ü\\一俓", "utf16": "straße:ü\\一俓", "gbk": "一俓:\\", "sjis": "一表:\\"}
    with recorded(db) as files:
        for name, text in sets.items():
            db.sql(f"CREATE TABLE shop.k_{name} (k VARCHAR(20) PRIMARY KEY) CHARACTER SET {name}")
            db.sql(f"INSERT INTO shop.k_{name} VALUES (%s)", (text,))
    keys = {line["table"]: line["key"] for line in sluice().dump(*files)}
    for name, text in sets.items():
        assert keys[f"k_{name}"] == text.replace("\\", "\\\\").replace(":", "\\:")
    assert keys["k_utf16"] == keys["k_utf8mb4"]


ENCODINGS = {"gbk": "gbk", "sjis": "cp932", "utf8mb4": "utf-8"}


def test_statements_of_clients_in_other_sets_are_understood(db, sluice):
    """The log has them as the client sent them, but SAVEPOINT and the CREATE of CREATE … SELECT in UTF-8."""
    name = "表一"  # 0x95 0x5c in sjis
    for charset in ENCODINGS:
        with db.connect("shop") as con, recorded(db) as files:

            def run(statement):
                con.query(statement.replace("NAME", name).encode(ENCODINGS[charset]))

            con.query(f"SET character_set_client = {charset}")
            run("CREATE TABLE `NAME` (id INT PRIMARY KEY, v VARCHAR(9)) ENGINE=InnoDB CHARACTER SET utf8mb4")
            con.begin()
            run("INSERT INTO `NAME` VALUES (1, 'NAME')")
            run("SAVEPOINT `NAME`")
            run("INSERT INTO `NAME` VALUES (2, 'NAME')")
            run("ROLLBACK TO SAVEPOINT `NAME`")
            run("INSERT INTO `NAME` VALUES (3, 'NAME')")
            con.commit()
            run("CREATE TABLE `NAME2` AS SELECT * FROM `NAME`")
            run("TRUNCATE TABLE `NAME2`")
            run("DROP TABLE `NAME2`")
            run("DROP TABLE `NAME`")
        lines = sluice().dump("--table", f"shop.{name}", *files)
        assert [line["after"] for line in lines if line["op"] == "insert"] == [{"id": 1, "v": name}, {"id": 3, "v": name}]
        assert [line["op"] for line in lines][-1] == "truncate"
        lines = sluice().dump("--table", f"shop.{name}2", *files)
        assert [line["op"] for line in lines] == ["insert", "insert", "truncate", "truncate"]
