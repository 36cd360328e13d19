"""Cache reads for keys that sluice fences (`mode: fence`): a fill never outlives a change that it did not see.

    cache = FencedCache(redis.Redis(...), "snippets/redis")
    order = cache.get("order:17", load=lambda: read_order(17), ttl_ms=3_600_000)

`load` reads the database, in no snapshot that is older than the call, and returns bytes or str. hold_ms and max_fill_ms are those of the sink. With lease_ms one
reader of a key fills at a time, within that time; the others get what the key held before (`old_ms` of the sink), or
wait for it. Needs redis-py."""

import os
import secrets
import time

WAIT_S = 0.005


class FencedCache:
    def __init__(self, client, scripts, hold_ms=1000, max_fill_ms=60_000, lease_ms=0):
        self.hold_ms, self.max_fill_ms, self.lease_ms = hold_ms, max_fill_ms, lease_ms
        self._get = client.register_script(self._text(scripts, "get.lua"))
        self._fill = client.register_script(self._text(scripts, "fill.lua"))

    @staticmethod
    def _text(directory, name):
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def beside(kind, key):
        """The name of what stands beside a key, in one slot with it: "fence", "lease" or "old"."""
        key = key.encode() if isinstance(key, str) else key
        begin = key.find(b"{")
        end = key.find(b"}", begin) if begin >= 0 else -1
        return b"sluice:" + kind.encode() + b":" + (key if end > begin + 1 else b"{" + key + b"}")

    def get(self, key, load, ttl_ms):
        """The cached value, or what load() returns, which is stored if it is safe."""
        keys = [key] + [self.beside(kind, key) for kind in ("fence", "lease", "old")]
        text = secrets.token_hex(16)
        while True:
            found = self._get(keys, [text, self.hold_ms, self.max_fill_ms, self.lease_ms])
            if len(found) == 1:
                return found[0]
            _, token, settled, mine, old = found
            if mine:
                break
            if old is not None:
                return old
            time.sleep(WAIT_S)
        value = load()
        self._fill(keys, [token, settled, value, ttl_ms, self.hold_ms, text])
        return value
