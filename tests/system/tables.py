"""A table as SELECT shows it, in the forms that sluice's JSON has: the judge of what dump prints."""

import base64
import json
import struct

SAFE_INTEGER = (1 << 53) - 1
INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint", "year"}
TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}
BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}


def _integer(value):
    return value if abs(value) <= SAFE_INTEGER else str(value)


def _bytes(value):
    return {"base64": base64.b64encode(value).decode("ascii")}


def _timestamp(text):
    return text if text.startswith("0000") else text.replace(" ", "T") + "Z"


def _float(value):
    return struct.unpack("f", struct.pack("f", value))[0]


# type → (SQL expression of the column, what its value becomes)
_FORMS = {
    **{kind: ("{}", lambda value: _integer(int(value))) for kind in INTEGERS},
    **{kind: ("CONVERT({} USING utf8mb4)", str) for kind in TEXTS},
    **{kind: ("{}", _bytes) for kind in BYTES},
    "bit": ("{} + 0", lambda value: _integer(int(value))),
    "decimal": ("CAST({} AS CHAR)", str),
    "float": ("CAST({} AS DOUBLE)", _float),
    "double": ("{}", float),
    "date": ("CAST({} AS CHAR)", str),
    "time": ("CAST({} AS CHAR)", str),
    "datetime": ("CAST({} AS CHAR)", str),
    "timestamp": ("CAST({} AS CHAR)", _timestamp),
}


class Table:
    """A table of a live server: its columns, primary key and rows."""

    def __init__(self, db, name, schema="shop"):
        self.db, self.name, self.schema = db, name, schema
        where = "WHERE table_schema = %s AND table_name = %s"
        self.kinds = dict(
            db.sql(
                f"SELECT column_name, data_type FROM information_schema.columns {where} ORDER BY ordinal_position",
                (schema, name),
            )
        )
        self.key = [
            row[0]
            for row in db.sql(
                f"SELECT column_name FROM information_schema.statistics {where} AND index_name = 'PRIMARY' "
                "ORDER BY seq_in_index",
                (schema, name),
            )
        ]

    def normal(self, row):
        """A row of JSON values with floats reduced to what their column can hold."""
        return {
            name: _float(value) if self.kinds[name] == "float" and value is not None else value
            for name, value in row.items()
        }

    def rows(self):
        """{key text: {column: JSON value}} of the table now."""
        forms = [_FORMS[kind] for kind in self.kinds.values()]
        columns = ", ".join(form[0].format(f"`{name}`") for name, form in zip(self.kinds, forms))
        found = {}
        with self.db.connect(self.schema) as con, con.cursor() as cur:
            cur.execute("SET time_zone = '+00:00'")
            cur.execute(f"SELECT {columns} FROM `{self.name}`")
            for values in cur:
                row = {
                    name: None if value is None else form[1](value)
                    for name, form, value in zip(self.kinds, forms, values)
                }
                found[key_of(row, self.key)] = row
        return found


def key_of(row, columns):
    return json.dumps([row[name] for name in columns])
