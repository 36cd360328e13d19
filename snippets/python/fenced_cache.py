"""Cache reads for keys that sluice fences (`mode: fence`): a fill never outlives a change that it did not see.

    cache = FencedCache(redis.Redis(...), "snippets/redis")
    order = cache.get("order:17", load=lambda: read_order(17), ttl_ms=3_600_000)

`load` reads the database and returns bytes or str. hold_ms and max_fill_ms are those of the sink. Needs redis-py."""

import os
import secrets


class FencedCache:
    PREFIX = b"sluice:fence:"

    def __init__(self, client, scripts, hold_ms=1000, max_fill_ms=60_000):
        self.hold_ms, self.max_fill_ms = hold_ms, max_fill_ms
        self._get = client.register_script(self._text(scripts, "get.lua"))
        self._fill = client.register_script(self._text(scripts, "fill.lua"))

    @staticmethod
    def _text(directory, name):
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            return file.read()

    @classmethod
    def record(cls, key):
        """The name of the key's fence: in one slot with the key."""
        key = key.encode() if isinstance(key, str) else key
        begin = key.find(b"{")
        end = key.find(b"}", begin) if begin >= 0 else -1
        return cls.PREFIX + key if end > begin + 1 else cls.PREFIX + b"{" + key + b"}"

    def get(self, key, load, ttl_ms):
        """The cached value, or what load() returns, which is stored if it is safe."""
        keys = [key, self.record(key)]
        found = self._get(keys, [secrets.token_hex(16), self.hold_ms, self.max_fill_ms])
        if len(found) == 1:
            return found[0]
        value = load()
        self._fill(keys, [found[1], found[2], value, ttl_ms, self.hold_ms])
        return value
