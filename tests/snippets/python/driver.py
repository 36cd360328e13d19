"""The Python snippet behind redis-py, for tests/system/test_fence_snippets.py, which has the protocol."""

import json
import os
import sys

import redis

SNIPPETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "snippets")
sys.path.insert(0, os.path.join(SNIPPETS, "python"))

from fenced_cache import FencedCache  # noqa: E402


def say(**what):
    print(json.dumps(what), flush=True)


def load():
    say(load=True)
    found = json.loads(sys.stdin.readline())
    if "fail" in found:
        raise RuntimeError(found["fail"])
    return bytes.fromhex(found["value"])


def answer(cache, ask):
    key = bytes.fromhex(ask["key"])
    if "beside" in ask:
        return cache.beside(ask["beside"], key)
    return cache.get(key, load, ask["ttl_ms"])


def main():
    options = json.loads(sys.argv[1])
    client = redis.Redis(host="127.0.0.1", port=options["port"], username=options.get("username"), password=options.get("password"))
    cache = FencedCache(
        client, os.path.join(SNIPPETS, "redis"), options["hold_ms"], options["max_fill_ms"], options["lease_ms"]
    )
    for line in iter(sys.stdin.readline, ""):
        try:
            say(got=answer(cache, json.loads(line)).hex())
        except Exception as error:  # pylint: disable=broad-except
            say(error=str(error))


main()
