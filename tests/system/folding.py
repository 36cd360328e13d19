"""Lines of `sluice dump` folded into tables, with every before image checked on the way."""

import json
import os

from sluice import ROOT
from tables import key_of

SCHEMA_PATH = os.path.join(ROOT, "docs", "formats.schema.json")


class FoldError(AssertionError):
    pass


class Fold:
    """Applies changes in order. tables: {(schema, table): Table}, whose primary key identifies rows."""

    def __init__(self, tables):
        self.tables = {(table.schema, table.name): table for table in tables}
        self.rows = {name: {} for name in self.tables}
        self.counts = {}
        self.last_version = ""

    def apply_all(self, lines):
        for line in lines:
            self.apply(line)
        return self

    def apply(self, line):
        name = (line["db"], line["table"])
        # A key that moves is told in two halves with the same images; one is enough here.
        if line.get("half") == "from" or name not in self.tables:
            return
        version = line["version"]
        if version <= self.last_version:
            raise FoldError(f"version {version} after {self.last_version}: {line}")
        self.last_version = version
        op, table, rows = line["op"], self.tables[name], self.rows[name]
        self.counts[name, op] = self.counts.get((name, op), 0) + 1
        before = table.normal(line["before"]) if "before" in line else None
        after = table.normal(line["after"]) if "after" in line else None
        if op == "truncate":
            rows.clear()
        elif op == "insert":
            key = key_of(after, table.key)
            if key in rows:
                raise FoldError(f"inserted again: {line}")
            rows[key] = after
        elif op == "update":
            row = self._known(rows, before, table, line)
            del rows[key_of(before, table.key)]
            row = {**row, **after}
            rows[key_of(row, table.key)] = row
        elif op == "delete":
            self._known(rows, before, table, line)
            del rows[key_of(before, table.key)]
        else:
            raise FoldError(f"unexpected op: {line}")

    @staticmethod
    def _known(rows, before, table, line):
        row = rows.get(key_of(before, table.key))
        if row is None:
            raise FoldError(f"changes a row that is not there: {line}")
        wrong = {name: (value, row[name]) for name, value in before.items() if row[name] != value}
        if wrong:
            raise FoldError(f"before image differs from the row as it was, {wrong}: {line}")
        return row

    def assert_equals_select(self):
        """The folded tables are what the server holds now."""
        for name, table in self.tables.items():
            assert_same_rows(self.rows[name], table.rows(), ".".join(name))


def assert_same_rows(folded, selected, what):
    lost = sorted(set(selected) - set(folded))[:5]
    extra = sorted(set(folded) - set(selected))[:5]
    assert not lost and not extra, f"{what}: not in the log: {lost}; no longer in the table: {extra}"
    for key, row in selected.items():
        if folded[key] != row:
            wrong = {name: (folded[key].get(name, "(absent)"), value) for name, value in row.items()
                     if folded[key].get(name, "(absent)") != value}
            raise AssertionError(f"{what} {key}: (folded, selected) differ: {wrong}")


def assert_valid(lines, sample=300):
    """The lines satisfy the published JSON Schema: all of few, an even sample of many."""
    if not os.path.exists(SCHEMA_PATH):
        return
    import jsonschema

    with open(SCHEMA_PATH, encoding="utf-8") as file:
        validator = jsonschema.Draft202012Validator(json.load(file))
    for line in lines[:: max(1, len(lines) // sample)]:
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(line)]
        assert not errors, f"{errors}: {line}"
