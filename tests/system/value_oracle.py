"""What a live server SELECTs of a column, in the form that docs/formats.md gives it. Shares nothing with sluice.

JSON is read with `loads`: a number with a point or an exponent becomes a tuple of its text, so that digits and negative
zero are compared, and no text can pass for it.
"""

import base64
import decimal
import json
import re
import struct

SAFE_INTEGER = (1 << 53) - 1

loads = json.JSONDecoder(parse_float=lambda text: (text,)).decode


def integer(text):
    value = int(text)
    return value if abs(value) <= SAFE_INTEGER else str(value)


def in_base64(data):
    return {"base64": base64.b64encode(data).decode("ascii")}


def _decimal(text):
    """Without ZEROFILL's padding; unpadded texts begin with a sign, a digit and a point, or a digit that counts."""
    if text[0] == "-":
        return text
    bare = text.lstrip("0")
    return "0" + bare if bare[:1] in ("", ".") else bare


def _number(text):
    """A number with the fewest digits, as the JSON reader gives it."""
    sign, digits, exponent = decimal.Decimal(text).as_tuple()
    shown = "".join(map(str, digits)).lstrip("0")
    if not shown:
        return ("-0.0",) if sign else 0
    exponent += len(shown) - 1
    shown = shown.rstrip("0")
    minus = "-" if sign else ""
    if -7 <= exponent < 0:
        return (f"{minus}0.{'0' * (-exponent - 1)}{shown}",)
    if 0 <= exponent < 15:
        if len(shown) <= exponent + 1:
            return int(minus + shown.ljust(exponent + 1, "0"))
        return (f"{minus}{shown[: exponent + 1]}.{shown[exponent + 1 :]}",)
    return (f"{minus}{shown[0]}{'.' if shown[1:] else ''}{shown[1:]}e{exponent}",)


def _double(text):
    return _number(repr(float(text)))


def _single_of(value):
    for digits in range(1, 10):
        text = f"{value:.{digits - 1}e}"
        try:
            if struct.pack("<f", float(text)) == struct.pack("<f", value):
                return _number(text)
        except OverflowError:  # rounded beyond the largest
            continue
    raise AssertionError(f"{value!r} is no single")


def _single(text):
    return _single_of(float(text))


def _timestamp(text):
    return text if text.startswith("0000") else text.replace(" ", "T") + "Z"


def _geometry(text):
    stored = bytes.fromhex(text)
    return {"wkb": base64.b64encode(stored[4:]).decode("ascii"), "srid": int.from_bytes(stored[:4], "little")}


def _vector(text):
    data = bytes.fromhex(text)
    return [_single_of(value) for (value,) in struct.iter_unpack("<f", data)]


_STEP = re.compile(r'\.("(?:[^"\\]|\\.)*"|[^.\[]+)|\[(last)?-?(\d+)?\]')


def _steps(path):
    """MySQL's path as a list of member names and cell numbers, counted from 0, or from the end as negative ones."""
    assert path[0] == "$", path
    steps, at = [], 1
    while at < len(path):
        found = _STEP.match(path, at)
        assert found, path
        name, last, number = found.groups()
        if name is not None:
            steps.append(json.loads(name) if name[0] == '"' else name)
        else:
            steps.append(-1 - int(number or 0) if last else int(number))
        at = found.end()
    return steps


def patched(document, diffs):
    """The text of a document with the differences of a partial update applied, both as `loads` gives them."""
    top = {"": loads(document)}
    for diff in diffs:
        place, (*way, last) = top, ["", *_steps(diff["path"])]
        for step in way:
            place = place[step]
        there = last in place if isinstance(place, dict) else -len(place) <= last < len(place)
        assert there == (diff["op"] != "insert") or isinstance(place, list), f"{diff} of {document:.200}"
        if diff["op"] == "remove":
            del place[last]
        elif diff["op"] == "insert" and isinstance(place, list):
            place.insert(last, loads(diff["value"]))
        else:
            place[last] = loads(diff["value"])
    return top[""]


def _any_text(parts):
    """The bytes, where the text lacks what they hold: the server shows `?` for what is no character."""
    shown, stored, question_marks, length = parts.split("|")
    try:
        text = bytes.fromhex(shown).decode("utf-8")
    except UnicodeDecodeError:  # utf8mb3 of MariaDB takes surrogates
        return in_base64(bytes.fromhex(stored))
    # MySQL ends the text at a surrogate of ucs2.
    whole = len(text) == int(length) and text.count("?") == int(question_marks)
    return text if whole else in_base64(bytes.fromhex(stored))


def _any_replaced(parts):
    """The same of a set whose codes without a character are shown as U+FFFD."""
    stored = parts.split("|")[1]
    text = _any_text(parts)
    return in_base64(bytes.fromhex(stored)) if "\ufffd" in text else text


_ANY_TEXT = ("CONCAT(HEX(CONVERT({0} USING utf8mb4)), '|', HEX({0}), '|', "
             "CHAR_LENGTH({0}) - CHAR_LENGTH(REPLACE({0}, '?', '')), '|', CHAR_LENGTH({0}))")

# form → (SQL expression of the column, what its text or bytes become)
FORMS = {
    "integer": ("{}", integer),
    "bit": ("{} + 0", integer),
    "decimal": ("CAST({} AS CHAR)", _decimal),
    "float": ("CAST({} AS DOUBLE)", _single),
    "double": ("CAST({} AS DOUBLE)", _double),
    "any_text": (_ANY_TEXT, _any_text),
    "any_replaced": (_ANY_TEXT, _any_replaced),
    "text": ("CONVERT({} USING utf8mb4)", str),
    "json": ("CAST({} AS CHAR CHARACTER SET utf8mb4)", str),
    "timestamp": ("CAST({} AS CHAR)", _timestamp),
    "bytes": ("{}", in_base64),
    "geometry": ("HEX({})", _geometry),
    "vector": ("HEX({})", _vector),
    "inet": ("CAST({} AS CHAR)", str),
}


class Memo(dict):
    """Remembers what each text became: values repeat."""

    def __init__(self, make):
        super().__init__({None: None})
        self.make = make

    def __missing__(self, raw):
        made = self[raw] = self.make(raw)
        return made


class Reader:
    """Reads all rows of a table in the forms of the JSON: {id: tuple of values}."""

    def __init__(self, name, columns):
        """columns: [(quoted name, value_types.Type)], among them `id`."""
        forms = [FORMS[kind.form] for _, kind in columns]
        self.memos = [Memo(form[1]) for form in forms]
        shown = ", ".join(form[0].format(column) for form, (column, _) in zip(forms, columns))
        self.statement = f"SELECT {shown} FROM {name}"
        self.id = [column for column, _ in columns].index("`id`")

    def rows(self, cursor):
        cursor.execute(self.statement)
        raw = cursor.fetchall()
        if not raw:
            return {}
        made = [map(memo.__getitem__, column) for memo, column in zip(self.memos, zip(*raw))]
        return {row[self.id]: row for row in zip(*made)}
