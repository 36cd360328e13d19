"""Redis of Debian's redis-server package: TCP and a Unix socket, kept across restarts by its append-only file."""

import os
import shutil

import redis

from .process import Server, Unavailable


class Redis(Server):
    kind = "redis"

    def __init__(self, workspace, password=None, options=(), name=None):
        """options are further redis-server arguments: ["--maxmemory", "10mb"]."""
        super().__init__(workspace, name)
        self.password = password
        self.options = list(options)
        self.socket = os.path.join(self.directory, "r.sock")

    def argv(self):
        binary = shutil.which("redis-server")
        if not binary:
            raise Unavailable("no redis-server: install redis-server")
        secret = ["--requirepass", self.password] if self.password else []
        # An answered command is in the operating system's hands, so even kill -9 keeps it.
        keep = ["--save", "", "--appendonly", "yes", "--appendfsync", "no", "--dir", self.directory]
        where = ["--bind", "127.0.0.1", "--port", self.port, "--unixsocket", self.socket]
        return [binary, *where, *keep, *secret, *self.options]

    def client(self, **more):
        more.setdefault("password", self.password)
        return redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=30, **more)

    def ready(self):
        try:
            with self.client() as client:
                return client.ping()
        except (redis.exceptions.ConnectionError, redis.exceptions.BusyLoadingError):
            return False

    def url(self, database=0):
        secret = f":{self.password}@" if self.password else ""
        return f"redis://{secret}127.0.0.1:{self.port}/{database}"
