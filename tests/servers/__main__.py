"""Private servers for a shell: PYTHONPATH=tests /usr/bin/python3 -m servers mariadb redis

Starts the servers named, prints one line of JSON on stdout when all are ready, and stops them when stdin ends or
a signal comes. Server options: --set binlog_row_image=MINIMAL (for the database).
"""

import argparse
import json
import signal
import sys

from . import DATABASES, REPLICATION_PASSWORD, REPLICATION_USER, Redis, Unavailable, Workspace


def describe(server):
    seen = {"port": server.port, "socket": server.socket, "log": server.log_path, "pid": server.process.pid}
    if server.kind in DATABASES:
        seen |= {"user": REPLICATION_USER, "password": REPLICATION_PASSWORD, "data": server.data_dir}
    return seen


def make(workspace, kind, options):
    if kind == "redis":
        return Redis(workspace)
    if kind == "kafka":
        from .kafka import Kafka  # pylint: disable=import-outside-toplevel

        return Kafka(workspace, options)
    return DATABASES[kind](workspace, options)


def main():
    parser = argparse.ArgumentParser(prog="servers", description=__doc__)
    parser.add_argument("kind", nargs="+", choices=[*DATABASES, "redis", "kafka"])
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="an option of the database or the broker")
    parser.add_argument("--keep", action="store_true", help="leave the directory with data and logs")
    args = parser.parse_args()
    options = dict(pair.split("=", 1) for pair in args.set)

    def leave(*_):
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    with Workspace(args.keep) as workspace:
        ready = {"directory": workspace.path}
        try:
            for kind in args.kind:
                ready[kind] = describe(make(workspace, kind, options).start())
        except Unavailable as reason:
            sys.exit(f"servers: {reason}")
        print(json.dumps(ready), flush=True)
        while sys.stdin.read(4096):
            pass


if __name__ == "__main__":
    main()
