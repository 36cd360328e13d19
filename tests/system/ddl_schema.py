"""What `sluice schema show --all --format json` says of tables, against what information_schema said after each statement."""

import collections
import json
import re

from ddl_oracle import Difference

ALIASES = {"utf8": "utf8mb3"}
INTEGER = re.compile(r"^(tinyint|smallint|mediumint|int|bigint)\((\d+)\)")
WORDS = {"numeric": "decimal", "integer": "int", "geomcollection": "geometrycollection"}


def default_collations(cur):
    """{charset: its collation when none is named}"""
    cur.execute("SELECT character_set_name, collation_name FROM information_schema.collations WHERE is_default = 'Yes'")
    return {ALIASES.get(charset, charset): collation for charset, collation in cur.fetchall()}


def type_of(text):
    """A type without what is only shown, or is a column of its own here: widths of integers, UNSIGNED, ZEROFILL."""
    text = re.sub(r" */\*M?!\d* *COMPRESSED *\*/| compressed\b", "", text)
    if not text.startswith(("enum", "set")):
        text = re.sub(r" (unsigned|signed|zerofill)\b", "", text.lower())
    text = INTEGER.sub(lambda found: found[0] if found[0] == "tinyint(1)" else found[1], text)
    text = re.sub(r"^year\(4\)$", "year", text)
    word = re.match(r"\w*", text)[0]
    return WORDS.get(word, word) + text[len(word):]


def labels_of(column):
    word = "enum" if column["type"].lower().startswith("enum") else "set"
    return word + "(" + ",".join("'" + label.replace("'", "''") + "'" for label in column["labels"]) + ")"


def column_differs(ours, truth, defaults):
    """What is another, or None."""
    shown = ours["type"] if "labels" not in ours else labels_of(ours)
    if "labels" in ours:
        # One server doubles backslashes here, the other does not.
        same = truth.type in (shown, shown.replace("\\", "\\\\"))
    else:
        same = type_of(shown) == type_of(truth.type)
    if not same:
        return f"type {shown!r}, expected {truth.type!r}"
    charset = ALIASES.get(truth.charset, truth.charset)
    found = {
        "name": (ours["name"], truth.name),
        "nullable": (ours["nullable"], truth.nullable),
        "unsigned": (ours["unsigned"], "unsigned" in truth.type and "labels" not in ours),
        "zerofill": (ours.get("zerofill", False), "zerofill" in truth.type and "labels" not in ours),
        "charset": (ALIASES.get(ours.get("charset"), ours.get("charset")), charset),
        "collation": ((ours.get("collation") or defaults.get(charset) or "").replace("utf8_", "utf8mb3_"),
                      (truth.collation or "").replace("utf8_", "utf8mb3_")),
        "generated": (ours.get("generated", "").upper(), truth.generated),
        "invisible": (ours.get("invisible", False), truth.invisible),
        "auto_increment": (ours.get("auto_increment", False), truth.auto),
    }
    wrong = [f"{what} {one!r}, expected {other!r}" for what, (one, other) in found.items() if one != other]
    return ", ".join(wrong) or None


def keys_of(line):
    return {key["name"].lower(): (key["kind"] in ("primary", "unique"), key["columns"]) for key in line["keys"]}


def table_differs(line, truth, defaults):
    if line is None or line["kind"] == "gone":
        return None if truth is None else "gone, expected to be there"
    if line["kind"] == "unknown":
        # RENAME TABLE of a view: the log does not say that it is none.
        is_view = truth is None and line["reason"].startswith("a table whose definition is not known got its name")
        return None if is_view else f"unknown: {line['reason']}"
    if truth is None:
        return "there, expected to be gone"
    names = [column["name"] for column in line["columns"]]
    if names != truth.names():
        return f"columns {names}, expected {truth.names()}"
    for ours, column in zip(line["columns"], truth.columns):
        wrong = column_differs(ours, column, defaults)
        if wrong:
            return f"column {column.name}: {wrong}"
    keys = {name.lower(): key for name, key in truth.keys.items()}
    if keys_of(line) != keys:
        return f"keys {keys_of(line)}, expected {keys}"
    return None


def is_uncertain(line):
    """Whether it says that it does not know: files do not tell that their server folds the case of names, and a statement
    with another case may be about another table or database."""
    return line["kind"] == "unknown" or "CHARACTER SET unknown" in (line.get("sql") or "")


def check_schema(recording, lines):
    """lines: of `schema show --all --format json`, read with json. Each table as of each statement's end. Returns how many
    tables were compared."""
    versions = collections.defaultdict(list)
    for line in lines:
        if "table" in line:
            name = (line["db"], line["table"])
            versions[tuple(map(str.lower, name)) if recording.folded else name].append(line)
    for of in versions.values():
        of.sort(key=at_of)
    now, compared, before = {}, 0, ("", 0)
    for place, statement, changed in recording.steps:
        if recording.folded:
            changed = {tuple(map(str.lower, name)): table for name, table in changed.items()}
        now.update(changed)
        begun = {name for name, of in versions.items() if any(before < at_of(line) <= place for line in of)}
        for name in sorted(changed.keys() | begun):
            held = [line for line in versions.get(name, ()) if at_of(line) <= place]
            wrong = table_differs(held[-1] if held else None, now.get(name), recording.defaults)
            compared += 1
            if wrong and not (recording.folded and held and is_uncertain(held[-1])):
                raise Difference(f"{'.'.join(name)} after {statement!r} at {place}: {wrong}\n{held[-1].get('sql') if held else ''}")
        before = place
    return compared


def at_of(line):
    return line.get("file", ""), line.get("pos", 0)


def read_versions(file):
    for text in file:
        yield json.loads(text)
