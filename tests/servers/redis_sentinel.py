"""A Sentinel: redis-server told to watch others. It keeps what it learns in its configuration file."""

import os
import shutil

import redis

from .process import Server, Unavailable, wait_until


class Sentinel(Server):
    kind = "sentinel"

    def __init__(self, workspace, primary, quorum=2, master="cache", down_after_ms=500, name=None):
        super().__init__(workspace, name)
        self.master = master
        self.path = os.path.join(self.directory, "sentinel.conf")
        with open(self.path, "w", encoding="ascii") as file:
            file.write(
                f"port {self.port}\nbind 127.0.0.1\ndir {self.directory}\n"
                f"sentinel monitor {master} 127.0.0.1 {primary.port} {quorum}\n"
                f"sentinel down-after-milliseconds {master} {down_after_ms}\n"
                f"sentinel failover-timeout {master} 10000\n"
            )

    def argv(self):
        binary = shutil.which("redis-server")
        if not binary:
            raise Unavailable("no redis-server: install redis-server")
        return [binary, self.path, "--sentinel"]

    def client(self):
        return redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=30)

    def ready(self):
        try:
            with self.client() as client:
                return client.ping()
        except redis.exceptions.ConnectionError:
            return False

    def address(self):
        return f"127.0.0.1:{self.port}"

    def primary_port(self):
        with self.client() as client:
            return client.sentinel_get_master_addr_by_name(self.master)[1]

    def wait_knows(self, sentinels, replicas=1):
        """All the others, and the replicas."""

        def knows():
            with self.client() as client:
                state = client.sentinel_master(self.master)
            return state["num-other-sentinels"] == sentinels - 1 and state["num-slaves"] == replicas

        wait_until(knows, f"{self.name} to know the others")
