"""JSON columns: documents and partial updates of them, as MySQL SELECTs them."""

import json
import re

import pytest

import randomjson
from folding import assert_valid
from sluice import FINE, at, source_of, stopped_with, wait_until
from test_dump import recorded

pytestmark = pytest.mark.usefixtures("flavor")

DOCUMENTS, FULL_DOCUMENTS = 600, 20_000
CHANGES, FULL_CHANGES = 250, 6_000
LEAF_ROWS = 30


@pytest.fixture
def con(db):
    with db.connect("shop") as link:
        cur = link.cursor()
        cur.execute("SET sql_mode = ''")
        yield link


def make_leaves(con, rng):
    cur = con.cursor()
    cur.execute(randomjson.LEAVES)
    randomjson.fill_leaves(cur, rng, LEAF_ROWS)
    con.commit()


def selected(cur, number, columns="doc"):
    cur.execute(f"SELECT {columns} FROM docs WHERE id = {number}")
    return cur.fetchone()


def same(line, found, expected):
    if found != expected:
        place = next((n for n, (a, b) in enumerate(zip(str(found), str(expected))) if a != b), 0)
        part = slice(max(0, place - 60), place + 60)
        pytest.fail(f"{line['op']} {line['key']} at {place}:\n{str(found)[part]}\n{str(expected)[part]}")


@pytest.mark.flavors("mysql")
def test_documents_equal_select(db, con, sluice, rng, full):
    """Every kind of value, small and large, at the server's limit of nesting."""
    make_leaves(con, rng)
    cur = con.cursor()
    expected, refused = {}, 0
    with recorded(db) as files:
        cur.execute("CREATE TABLE docs (id INT PRIMARY KEY, doc JSON)")
        for number in range(FULL_DOCUMENTS if full else DOCUMENTS):
            large = number % 60 == 59
            made = (
                randomjson.literal(con, randomjson.large_document(rng)) if large else randomjson.expression(con, rng)
            )
            cur.execute(f"INSERT INTO docs SELECT {number}, {made} FROM leaves WHERE id = {rng.randrange(LEAF_ROWS)}")
            expected[number] = selected(cur, number)[0]
        con.commit()
    lines = sluice().dump(*files)
    assert_valid(lines)
    assert len(lines) == len(expected)
    for line in lines:
        same(line, line["after"]["doc"], expected[line["after"]["id"]])
    kinds = set(re.findall(r"base64:type\d+", " ".join(text or "" for text in expected.values())))
    assert len(kinds) >= 5, kinds


class Recorder:
    """Changes rows of `docs` and keeps what they were before and after each change."""

    def __init__(self, con, rng, rows):
        self.con, self.cur, self.rng, self.rows = con, con.cursor(), rng, rows
        self.now, self.steps = {}, []
        for number in range(rows):
            self.cur.execute(
                f"INSERT INTO docs SELECT {number}, {self.start(number)}, {self.start(number + 1)}, NULL, {number}, 'x' "
                f"FROM leaves WHERE id = {number % LEAF_ROWS}"
            )
            self.now[number] = selected(self.cur, number, "*")

    def start(self, number):
        if number % 40 == 7:
            return randomjson.literal(self.con, randomjson.large_document(self.rng))
        return randomjson.literal(self.con, randomjson.document(self.rng, 4))

    def change(self):
        """One statement over one row or two; afterwards some rows are as they were."""
        rows = sorted(self.rng.sample(range(self.rows), self.rng.choice([1, 1, 2])))
        sets = []
        for column, place in (("doc", 1), ("other", 2)):
            text = self.now[rows[0]][place]
            if text is not None and self.rng.random() < 0.75:
                sets.append(f"{column} = {randomjson.change(self.con, self.rng, column, text)}")
            elif self.rng.random() < 0.1:
                sets.append(f"{column} = " + self.rng.choice(["NULL", self.start(0), column, "'[1, 2]'"]))
        if not sets or self.rng.random() < 0.2:
            sets.append(f"n = {self.rng.randrange(1000)}")
        where = ", ".join(map(str, rows))
        try:
            self.cur.execute(
                f"UPDATE docs, leaves SET {', '.join(sets)} WHERE docs.id IN ({where}) AND leaves.id = 3"
                if any("l_" in part for part in sets)
                else f"UPDATE docs SET {', '.join(sets)} WHERE id IN ({where})"
            )
        except Exception as refused:  # a path that does not fit: nothing changed
            assert refused.args[0] in (3141, 3143, 3149, 3151, 3154, 3157, 3165, 1048), refused
            return
        for number in rows:
            was, self.now[number] = self.now[number], selected(self.cur, number, "*")
            if was != self.now[number]:
                self.steps.append((was, self.now[number]))

    def run(self, changes):
        for _ in range(changes):
            self.change()
            if self.rng.random() < 0.3:
                self.con.commit()
        self.con.commit()


NAMES = ["id", "doc", "other", "third", "n", "note"]
CREATE = "CREATE TABLE docs (id INT PRIMARY KEY, doc JSON, other JSON, third JSON, n INT, note TEXT)"


class Raw(str):
    """A number's digits."""


def parse(text):
    return json.loads(text, parse_int=Raw, parse_float=Raw)


def render(value):
    """As the server prints it."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        ordered = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
        return "{" + ", ".join(f"{render(str(name))}: {render(value[name])}" for name in ordered) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(render, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def legs_of(path):
    found = re.findall(r'\.("(?:[^"\\]|\\.)*"|[^.\[]+)|\[(last)?(?:-)?(\d*)\]', path, re.S)
    for name, last, index in found:
        if name:
            yield json.loads(name, strict=False) if name.startswith('"') else name
        else:
            yield (-1 - int(index or 0)) if last else int(index)


def apply_diffs(text, diffs):
    """What docs/formats.md says of diff_after, in Python."""
    value = parse(text)
    for diff in diffs:
        *way, last = legs_of(diff["path"])
        place = value
        for leg in way:
            place = place[leg]
        if diff["op"] == "remove":
            del place[last]
        elif diff["op"] == "insert" and isinstance(place, list):
            place.insert(last, parse(diff["value"]))
        else:
            place[last] = parse(diff["value"])
    return render(value)


def check_update(line, was, now, counts):
    """One line against the row before and after; a column that it lacks must be unchanged."""
    assert line["op"] == "update" and line["after"].get("id", line["before"]["id"]) == was[0]
    diffs = line.get("diff_after", {})
    for name, old, new in zip(NAMES, was, now):
        if name in line["before"]:
            same(line, line["before"][name], old)
        if name in line["after"]:
            same(line, line["after"][name], new)
        elif name in diffs:
            assert name in line["absent_after"] and name in line["absent_before"]
            same(line, apply_diffs(old, diffs[name]), new)
            counts["diffs"] += 1
        else:
            assert name in line["absent_after"]
            same(line, old, new)


@pytest.mark.flavors("mysql")
@pytest.mark.parametrize("image", ["FULL", "NOBLOB", "MINIMAL"])
def test_partial_updates_equal_select(db, con, sluice, rng, full, image):
    """JSON_SET, JSON_REPLACE and JSON_REMOVE logged as diffs: two columns, several rows, all kinds of values."""
    make_leaves(con, rng)
    cur = con.cursor()
    cur.execute(CREATE)
    cur.execute(f"SET SESSION binlog_row_value_options = 'PARTIAL_JSON', binlog_row_image = '{image}'")
    recorder = Recorder(con, rng, 60)
    con.commit()
    with recorded(db) as files:
        recorder.run(FULL_CHANGES if full else CHANGES)
    lines = sluice().dump(*files)
    assert_valid(lines)
    assert count_partial(files) > 50, "few partial updates were logged"
    assert len(lines) == len(recorder.steps)
    counts = {"diffs": 0}
    for line, (was, now) in zip(lines, recorder.steps):
        check_update(line, was, now, counts)
    assert bool(counts["diffs"]) == (image == "MINIMAL")  # NOBLOB has the documents that change


def count_partial(files):
    """PARTIAL_UPDATE_ROWS events in the files."""
    count = 0
    for path in files:
        with open(path, "rb") as file:
            data = file.read()
        place = 4
        while place < len(data):
            count += data[place + 4] == 39
            place += int.from_bytes(data[place + 9 : place + 13], "little")
    return count


def service(db, redis, start="current"):
    return {
        "source": source_of(db, start=start),
        "sinks": {"cache": {"type": "redis", "url": redis.url()}},
        "routes": [{"table": "shop.docs", "key": "id", "to": "cache", "invalidate": ["doc:{id}", "text:{doc}"]}],
    }


def counted(number, count):
    return f'{{"n": {count}, "of": {number}}}'


@pytest.mark.flavors("mysql")
def test_partial_updates_invalidate_over_kills_and_in_a_replay(db, con, redis, sluice):
    """The keys of the old document and of the new one, which no event holds."""
    rows, untouched, cache = 40, 5, redis.client()
    cur = con.cursor()
    cur.execute("CREATE TABLE docs (id INT PRIMARY KEY, doc JSON)")
    for number in range(rows + untouched):
        cur.execute("INSERT INTO docs VALUES (%s, %s)", (number, counted(number, 0)))
    con.commit()
    cur.execute("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'")
    kept = {f"doc:{number}" for number in range(rows, rows + untouched)}
    kept |= {f"text:{counted(number, 0)}" for number in range(rows, rows + untouched)}
    gone = [f"doc:{number}" for number in range(rows)]
    gone += [f"text:{counted(number, count)}" for number in range(rows) for count in range(3)]

    def plant():
        cache.mset({key: "planted" for key in [*kept, *gone]})

    def wait_gone():
        wait_until(lambda: not cache.exists(*gone), lambda: f"{[key for key in gone if cache.exists(key)][:5]} to vanish")
        assert cache.exists(*kept) == len(kept)

    with recorded(db) as files:
        begin = db.position()
        driver = sluice(service(db, redis, at(begin))).start()
        plant()
        for count in (1, 2):
            for number in range(rows):
                cur.execute("UPDATE docs SET doc = JSON_SET(doc, '$.n', %s) WHERE id = %s", (count, number))
                con.commit()
                if number in (10, 30):
                    driver.restart()
        wait_gone()
        end = db.position()
    assert count_partial(files) == 2 * rows
    plant()
    replay = ["--from", at(begin), "--to", at(end)]
    assert driver.run("replay", "again", *replay).returncode == FINE
    wait_gone()
    assert driver.stop() == FINE
    changed = [(line["before"]["doc"], line["after"]["doc"]) for line in driver.dump(*replay, config=True)]
    assert changed == [
        (counted(number, count - 1), counted(number, count)) for count in (1, 2) for number in range(rows)
    ]
    assert changed == [(line["before"]["doc"], line["after"]["doc"]) for line in sluice().dump(*files)]


@pytest.mark.flavors("mysql")
@pytest.mark.parametrize("options", ["", "PARTIAL_JSON"], ids=["absent", "partial"])
def test_template_of_a_document_that_the_log_does_not_tell_stops(db, con, redis, sluice, options):
    """With MINIMAL images: of a document that is not logged, and of one whose differences are."""
    cur = con.cursor()
    cur.execute("CREATE TABLE docs (id INT PRIMARY KEY, doc JSON, n INT)")
    cur.execute("INSERT INTO docs VALUES (1, %s, 0)", (counted(1, 0),))
    con.commit()
    driver = sluice(service(db, redis, at(db.position()))).start()
    cur.execute(f"SET SESSION binlog_row_image = 'MINIMAL', binlog_row_value_options = '{options}'")
    cur.execute("UPDATE docs SET " + ("doc = JSON_SET(doc, '$.n', 1)" if options else "n = 1"))
    con.commit()
    assert "doc" in stopped_with(driver, "row_image")["text"]
