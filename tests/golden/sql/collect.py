"""Makes the dumps of tests/unit/script_test.c: what mysqldump and mariadb-dump write of made_from.sql.

    PYTHONPATH=tests /usr/bin/python3 tests/golden/sql/collect.py mariadb|mysql

Starts a server of its own, runs made_from.sql there by the server's client, and writes <kind>_all.sql (all databases
with routines, events and triggers), <kind>_one.sql (one database, with rows) and <kind>_ansi.sql (quotes of ANSI).
"""

import os
import subprocess
import sys

from servers import DATABASES, Workspace

HERE = os.path.dirname(os.path.abspath(__file__))
COMMANDS = {
    "mariadb": ("mariadb", "mariadb-dump"),
    "mysql": ("/usr/bin/mysql", "/usr/bin/mysqldump"),
}
ALL = ["--no-data", "--databases", "shop", "other`s", "--routines", "--events", "--triggers"]
RUNS = {
    "all": ALL,
    "one": ["shop"],
    "ansi": ["--no-data", "--compatible=ansi", "shop"],
}


def run(server, kind, program, *args, **more):
    argv = [program, "--no-defaults", "-uroot", "-S", server.inner(server.socket), *args]
    if kind == "mysql":
        argv = server.entered(server.directory, *argv)
    return subprocess.run(argv, check=True, capture_output=True, **more).stdout


def main():
    kind = sys.argv[1]
    client, dump = COMMANDS[kind]
    with Workspace(False) as workspace:
        server = DATABASES[kind](workspace).start()
        try:
            with open(os.path.join(HERE, "made_from.sql"), "rb") as script:
                run(server, kind, client, "--default-character-set=utf8mb4", input=script.read())
            for name, args in RUNS.items():
                if name == "ansi" and kind == "mysql":
                    continue  # it has no such quotes any more
                with open(os.path.join(HERE, f"{kind}_{name}.sql"), "wb") as out:
                    out.write(run(server, kind, dump, "--skip-dump-date", *args))
        finally:
            server.kill()


main()
