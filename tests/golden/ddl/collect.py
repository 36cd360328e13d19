"""Makes the golden files of tests/unit/ddl_corpus_test.c from a running server.

    collect.py SOCKET mariadb|mysql

Runs statements.txt there and writes <kind>.txt: after each statement, what SHOW CREATE TABLE says of each table that
is another now, and what the binlog has of the statement where that is another text. All databases that are not the
server's own are dropped. README.md here describes both formats.
"""

import os
import re
import sys

import pymysql

HERE = os.path.dirname(os.path.abspath(__file__))
OWN = ("information_schema", "performance_schema", "mysql", "sys")
MODES = {  # the bits of sql_mode that a statement of the log carries, by name
    "REAL_AS_FLOAT": 1 << 0, "PIPES_AS_CONCAT": 1 << 1, "ANSI_QUOTES": 1 << 2, "IGNORE_SPACE": 1 << 3, "ORACLE": 1 << 9,
    "NO_BACKSLASH_ESCAPES": 1 << 20,
}
NOT_LOGGED = {"BEGIN", "COMMIT", "ROLLBACK"}


def quote(name):
    return "`" + name.replace("`", "``") + "`"


class Block:
    """A page of the corpus: statements that run one after the other in an empty database `shop`."""

    def __init__(self, text):
        head, _, body = text.partition("\n")
        fields = [field.strip() for field in head.lstrip("# ").split("|")] + [""] * 3
        self.page, self.kinds, self.modes = fields[0], fields[1] or "both", fields[2]
        self.flags = dict((flag.split("=") + [""])[:2] for flag in fields[3].split())
        self.statements = [part.strip("\n") for part in re.split(r";\n", body + "\n") if part.strip("\n")]


def blocks():
    with open(os.path.join(HERE, "statements.txt"), encoding="utf-8") as file:
        return [Block(part) for part in re.split(r"\n\n(?=# )", file.read().strip("\n"))]


class Server:
    def __init__(self, socket, kind):
        self.kind = kind
        self.socket = socket
        self.looker = self.connect()
        major, minor, patch = self.rows("SELECT VERSION()")[0][0].split("-")[0].split(".")
        self.collation = self.rows("SELECT id FROM information_schema.collations WHERE collation_name = @@collation_server")[0][0]
        self.version = int(major) * 10000 + int(minor) * 100 + int(patch)

    def connect(self):
        con = pymysql.connect(unix_socket=self.socket, user="root", charset="utf8mb4", autocommit=True)
        return con.cursor(pymysql.cursors.Cursor)

    def rows(self, sql):
        self.looker.execute(sql)
        return self.looker.fetchall()

    def databases(self):
        rows = self.rows("SELECT schema_name, default_character_set_name, default_collation_name "
                         "FROM information_schema.schemata")
        return {row[0]: f"{row[1]} {row[2]}" for row in rows if row[0] not in OWN}

    def tables(self):
        """{(database, table): text of SHOW CREATE TABLE}"""
        names = self.rows("SELECT table_schema, table_name FROM information_schema.tables "
                          "WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')")
        return {
            (db, table): self.rows(f"SHOW CREATE TABLE {quote(db)}.{quote(table)}")[0][1]
            for db, table in sorted(names) if db not in OWN
        }

    def place(self):
        row = self.rows("SHOW MASTER STATUS" if self.kind == "mariadb" else "SHOW BINARY LOG STATUS")[0]
        return row[0], row[1]

    def logged(self, place):
        """The statements in the log since `place`, as they stand there."""
        texts = []
        for row in self.rows(f"SHOW BINLOG EVENTS IN '{place[0]}' FROM {place[1]}"):
            if row[2] == "Query" and row[5] not in NOT_LOGGED:
                text = re.sub(r"^use `(?:[^`]|``)*`; ", "", row[5])
                text = re.sub(r" /\* xid=\d+ \*/$", "", text)
                texts.append(re.sub(r"(sha2_password' AS ')(?:[^'\\]|\\.|'')*", r"\1hash", text))  # another each time
        return texts


def differences(before, after):
    for name in sorted(before.keys() - after.keys()):
        yield f"%% gone {name[0]}.{name[1]}\n"
    for name in sorted(after):
        if before.get(name) != after[name]:
            yield f"%% is {name[0]}.{name[1]}\n{after[name]}\n"


def run_statement(server, session, sql):
    databases, before, place = server.databases(), server.tables(), server.place()
    lines = [f"%% statement\n{sql}\n"]
    try:
        session.execute(sql)
        while session.nextset():
            pass
    except pymysql.MySQLError as refusal:
        lines.append(f"%% refused {refusal.args[0]}\n")
    logged = server.logged(place)
    if logged and logged != [sql]:
        lines += [f"%% logged\n{text}\n" for text in logged]
    elif not logged and len(lines) == 1:
        lines.append("%% unlogged\n")
    after = server.databases()
    lines += [f"%% database {name} {after[name]}\n" for name in sorted(after) if databases.get(name) != after[name]]
    return "".join(lines + list(differences(before, server.tables())))


def run_block(server, block):
    for name in server.databases():
        server.rows(f"DROP DATABASE {quote(name)}")
    server.rows(f"CREATE DATABASE shop CHARACTER SET {block.flags.get('database') or 'utf8mb4'}")
    session = server.connect()
    session.execute("USE shop")
    for mode in filter(None, block.modes.split(",")):
        session.execute(f"SET SESSION sql_mode = CONCAT(@@sql_mode, ',{mode}')")
    if "implicit_timestamps" in block.flags:
        session.execute("SET SESSION explicit_defaults_for_timestamp = 0, sql_mode = ''")
    session.execute("SELECT @@sql_mode")
    bits = sum(MODES.get(mode, 0) for mode in session.fetchone()[0].split(","))
    texts = [f"%% page {block.page}\n%% server {server.version}\n%% collation {server.collation}\n%% mode {bits}\n"]
    texts += [f"%% {flag}\n" for flag in ("harmless", "implicit_timestamps") if flag in block.flags]
    texts.append(f"%% database shop {server.databases()['shop']}\n")
    texts += [run_statement(server, session, sql) for sql in block.statements]
    session.connection.close()
    return "".join(texts)


def main():
    server = Server(*sys.argv[1:3])
    texts = [run_block(server, block) for block in blocks() if block.kinds in ("both", server.kind)]
    with open(os.path.join(HERE, server.kind + ".txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(texts))


if __name__ == "__main__":
    main()
