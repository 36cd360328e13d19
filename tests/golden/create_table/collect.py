"""Makes the golden files of tests/unit/create_table_test.c from a running server.

    collect.py SOCKET mariadb|mysql

Creates the tables of made_from/common.sql and made_from/<kind>.sql in the databases gold and gold2 (dropped first) and
writes <kind>.sql, the output of SHOW CREATE TABLE, and <kind>.txt, what information_schema and SHOW INDEX say of the
same tables: the judge of the parser shares no code with it.
"""

import os
import re
import sys

import pymysql

HERE = os.path.dirname(os.path.abspath(__file__))


def escape(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def quote(name):
    return "`" + name.replace("`", "``") + "`"


class Server:
    def __init__(self, socket, kind):
        self.kind = kind
        self.cursor = pymysql.connect(unix_socket=socket, user="root", charset="utf8mb4", autocommit=True).cursor()

    def rows(self, sql, *args):
        self.cursor.execute(sql, args or None)
        return self.cursor.fetchall()

    def dicts(self, sql, *args):
        rows = self.rows(sql, *args)
        names = [column[0].lower() for column in self.cursor.description]
        return [dict(zip(names, row)) for row in rows]

    def tables(self):
        return {row[0] for row in self.rows("SHOW FULL TABLES WHERE Table_type <> 'SEQUENCE'")}

    def create(self):
        """Creates all tables; their names in order."""
        self.rows("DROP DATABASE IF EXISTS gold")
        self.rows("DROP DATABASE IF EXISTS gold2")
        self.rows("CREATE DATABASE gold CHARACTER SET utf8mb4")
        self.rows("CREATE DATABASE gold2")
        self.rows("CREATE TABLE gold2.`par``ent` (id INT PRIMARY KEY)")
        self.rows("USE gold")
        self.rows("SET sql_mode = ''")
        names = []
        for name in ("common", self.kind):
            with open(os.path.join(HERE, "made_from", name + ".sql"), encoding="utf-8") as file:
                for line in file:
                    if "my_gipk" in line:
                        self.rows("SET sql_generate_invisible_primary_key = ON")
                    before = self.tables()
                    self.rows(line.strip().rstrip(";"))
                    names += sorted(self.tables() - before)
        return names


def describe_column(row, default_collation):
    kind = row["column_type"]
    if isinstance(kind, bytes):
        kind = kind.decode()
    compressed = " compressed" if "COMPRESSED" in kind else ""
    kind = kind.replace(" /*M!100301 COMPRESSED*/", "")
    collation = row["collation_name"] or "-"
    if collation == default_collation:
        collation = "-"
    generated = ""
    if row["generation_expression"] in ("ROW START", "ROW END"):
        generated = " " + row["generation_expression"].lower().replace(" ", "_")
    elif row["generation_expression"] and "DEFAULT_GENERATED" not in row["extra"]:
        generated = " virtual" if "VIRTUAL" in row["extra"] else " stored"
    return "column {} type={}{} charset={} collation={}{}{}{}".format(
        escape(row["column_name"]),
        escape(kind),
        " null" if row["is_nullable"] == "YES" else "",
        row["character_set_name"] or "-",
        collation,
        generated,
        " invisible" if "INVISIBLE" in row["extra"] else "",
        compressed,
    )


def describe_keys(server, table, text):
    keys = {}
    for row in server.dicts("SHOW INDEX FROM " + quote(table)):
        if not row["non_unique"]:
            keys.setdefault(row["key_name"], []).append((row["seq_in_index"], row["column_name"], row["sub_part"]))
    lines = []
    for name, parts in keys.items():
        partial = any(column is None or prefix is not None for _, column, prefix in parts)
        columns = [column for _, column, _ in sorted(parts) if column is not None]
        if re.search(re.escape(quote(name)) + r" \(.*WITHOUT OVERLAPS", text):
            columns, partial = columns[:-2], True  # the two columns of the period
        label = "primary " if name == "PRIMARY" else f"unique {escape(name)} "
        lines.append("{}({}){}".format(label, ",".join(map(escape, columns)), " partial" if partial else ""))
    return lines


def describe_foreign_keys(server, table):
    rows = server.dicts(
        """SELECT k.constraint_name AS name, k.column_name AS child, k.referenced_table_schema AS db,
                  k.referenced_table_name AS parent, k.referenced_column_name AS parent_column,
                  r.delete_rule AS deletes, r.update_rule AS updates
           FROM information_schema.key_column_usage k
           JOIN information_schema.referential_constraints r ON r.constraint_schema = k.constraint_schema
                AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
           WHERE k.table_schema = 'gold' AND k.table_name = %s AND k.referenced_table_name IS NOT NULL
           ORDER BY k.constraint_name, k.ordinal_position""",
        table,
    )
    lines = []
    for name in sorted({row["name"] for row in rows}):
        parts = [row for row in rows if row["name"] == name]
        deletes, updates = (parts[0][key].lower().replace("no action", "restrict") for key in ("deletes", "updates"))
        lines.append(
            "foreign {} ({}) {}.{} ({}) delete={} update={}".format(
                escape(name),
                ",".join(row["child"] for row in parts),
                parts[0]["db"],
                escape(parts[0]["parent"]),
                ",".join(row["parent_column"] for row in parts),
                deletes,
                updates,
            )
        )
    return lines


def describe(server, table, text):
    info = server.dicts(
        "SELECT table_collation AS c, create_options AS o FROM information_schema.tables "
        "WHERE table_schema = 'gold' AND table_name = %s",
        table,
    )[0]
    options = text.split("\n)")[-1]
    collation = info["c"] if "COLLATE" in options else "-"
    lines = [
        "table {} charset={} collation={}{}{}".format(
            escape(table),
            info["c"].split("_")[0],
            collation,
            " partitioned" if "partitioned" in info["o"] else "",
            " versioned" if "SYSTEM VERSIONING" in options else "",
        )
    ]
    columns = server.dicts(
        "SELECT column_name AS column_name, column_type AS column_type, is_nullable AS is_nullable, "
        "character_set_name AS character_set_name, collation_name AS collation_name, extra AS extra, "
        "generation_expression AS generation_expression FROM information_schema.columns "
        "WHERE table_schema = 'gold' AND table_name = %s ORDER BY ordinal_position",
        table,
    )
    unwritten = info["c"] if collation == "-" else None
    lines += [describe_column(row, unwritten) for row in columns]
    return "\n".join(lines + describe_keys(server, table, text) + describe_foreign_keys(server, table))


def main():
    server = Server(*sys.argv[1:3])
    texts, descriptions = [], []
    for table in server.create():
        texts.append(server.rows("SHOW CREATE TABLE " + quote(table))[0][1])
        descriptions.append(describe(server, table, texts[-1]))
    with open(os.path.join(HERE, server.kind + ".sql"), "w", encoding="utf-8") as file:
        file.write(";\n\n".join(texts) + ";\n")
    with open(os.path.join(HERE, server.kind + ".txt"), "w", encoding="utf-8") as file:
        file.write("\n\n".join(descriptions) + "\n")


if __name__ == "__main__":
    main()
