"""Mistakes in the configuration: found before anything runs, with the line and the way to mend it."""

import os

import pytest

from servers import REPLICATION_PASSWORD
from shop import Shop
from sluice import USAGE

GOOD = """\
source: { host: 127.0.0.1, port: 3306, user: sluice, password: pw, start: current }
state_dir: state
partitions: 4
sinks:
  cache: { type: redis, url: "redis://127.0.0.1:6379" }
routes:
  - { table: shop.orders, key: order_id, to: cache, invalidate: ["order:{order_id}"] }
"""

# (what is replaced in GOOD, by what, line of the mistake, words of the message)
MISTAKES = {
    "unknown-section": ("sinks:", "sinkss:", 4, ["sinkss", "sinks"]),
    "unknown-key": ("port: 3306", "prot: 3306", 1, ["prot", "port"]),
    "unknown-sink-key": ("url:", "ulr:", 5, ["ulr", "url"]),
    "unknown-route-key": ("invalidate:", "invalidat:", 7, ["invalidat", "invalidate"]),
    "unknown-sink-type": ("type: redis", "type: rediss", 5, ["rediss", "redis"]),
    "unknown-sink-in-route": ("to: cache", "to: cahce", 7, ["cahce"]),
    "port-out-of-range": ("port: 3306", "port: 99999", 1, ["99999", "65535"]),
    "port-is-text": ("port: 3306", "port: mysql", 1, ["port"]),
    "zero-partitions": ("partitions: 4", "partitions: 0", 3, ["partitions"]),
    "bad-size": ("partitions: 4", "buffer_bytes: 64 parsecs", 3, ["buffer_bytes"]),
    "bad-start": ("start: current", "start: yesterday-ish", 1, ["yesterday-ish", "current"]),
    "bad-url": ("redis://127.0.0.1:6379", "http://127.0.0.1:6379", 5, ["url", "redis://"]),
    "no-url": (', url: "redis://127.0.0.1:6379"', "", 5, ["url"]),
    "no-table": ("table: shop.orders, ", "", 7, ["table"]),
    "table-without-database": ("table: shop.orders", "table: orders", 7, ["orders"]),
    "template-not-closed": ("{order_id}\"", "{order_id\"", 7, ["order:{order_id"]),
    "template-unknown-filter": ("{order_id}", "{order_id|uper}", 7, ["uper"]),
    "template-empty": ('"order:{order_id}"', '""', 7, ["template"]),
    "yaml-indent": ("  cache:", "\tcache:", 5, []),
    "yaml-not-closed": ("start: current }", "start: current", 1, []),
    "yaml-key-twice": ("partitions: 4", "partitions: 4\npartitions: 5", 4, ["partitions"]),
    "env-not-set": ("password: pw", "password: '${SLUICE_NO_SUCH}'", 1, ["SLUICE_NO_SUCH"]),
    "secret-twice": ("password: pw", "password: pw, password_file: /dev/null", 1, ["password"]),
    "secret-file-missing": ("password: pw", "password_file: /no/such/secret", 1, ["/no/such/secret"]),
    "no-invalidate": (', invalidate: ["order:{order_id}"]', "", 7, ["invalidate", "mode: write"]),
    "write-without-key": ('invalidate: ["order:{order_id}"]', "mode: write", 7, ["write", "key"]),
    "topic-for-bounds-has-rows": ("routes:", "  a: { type: kafka, brokers: [h:1], topic: a }\n  b: { type: kafka, brokers: [h:1], "
                                  "topic: b, transaction_topic: a }\nroutes:", 7, ["sinks.b", "transaction_topic"]),
    "topic-for-letters-has-rows": ("routes:", "  a: { type: kafka, brokers: [h:1], topic: a, dead_letter_topic: b, "
                                   "oversize: dead_letter }\n  b: { type: kafka, brokers: [h:1], topic: b }\nroutes:", 7,
                                   ["sinks.b", "dead letters"]),
    "unknown-tls-mode": ("start: current", "tls: maybe", 1, ["maybe", "verify_identity"]),
}
# Some mistakes are only known to be one at the end of the construct: the line may be a later one.
LATER_LINE_TOO = {"yaml-indent", "yaml-not-closed", "no-url", "no-table"}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_named_with_its_line(sluice, name):
    old, new, line, words = MISTAKES[name]
    assert GOOD.count(old) == 1
    driver = sluice(GOOD.replace(old, new))
    done = driver.run("run", timeout=60)
    assert done.returncode == USAGE, done.stderr
    assert done.stdout == ""
    lines = range(line, line + 3) if name in LATER_LINE_TOO else [line]
    assert any(f"sluice.yaml:{number}:" in done.stderr or f"line {number}:" in done.stderr for number in lines), done.stderr
    for word in words:
        assert word in done.stderr, (word, done.stderr)


@pytest.mark.parametrize("table", ["shop.orders", "shop.*"])
def test_two_keys_for_one_table_name_both_lines(db, redis, sluice, table):
    """Patterns meet only when the server's tables are known."""
    Shop(db, redis)
    text = GOOD.replace("port: 3306", f"port: {db.port}").replace("password: pw", f"password: {REPLICATION_PASSWORD}")
    driver = sluice(text + f'  - {{ table: "{table}", key: user_id, to: cache, invalidate: ["user:{{user_id}}"] }}\n')
    done = driver.run("run", timeout=60)
    assert done.returncode == USAGE, done.stderr
    assert "7" in done.stderr and "8" in done.stderr and "shop.orders" in done.stderr


def test_secret_file_that_others_can_read_is_refused(sluice, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("pw\n")
    os.chmod(secret, 0o644)
    done = sluice(GOOD.replace("password: pw", f"password_file: {secret}")).run("run", timeout=60)
    assert done.returncode == USAGE and "0600" in done.stderr.replace("600", "0600"), done.stderr


def test_missing_file_and_missing_flag(sluice):
    driver = sluice(GOOD)
    done = driver.run("run", "-c", "/no/such/file.yaml", config=False)
    assert done.returncode == USAGE and "/no/such/file.yaml" in done.stderr
    done = driver.run("run", config=False)
    assert done.returncode == USAGE and "-c" in done.stderr


@pytest.mark.parametrize(
    "args",
    [[], ["runn"], ["run", "--nonsense"], ["dump", "--from"], ["replay"], ["position", "sow"], ["dump"]],
    ids=lambda args: "-".join(args) or "nothing",
)
def test_command_line_mistakes_are_usage(sluice, args):
    done = sluice(GOOD).run(*args, config=False)
    assert done.returncode == USAGE, (args, done.stderr)
    assert done.stderr and done.stdout == ""


def test_near_misses_are_guessed(sluice):
    done = sluice().run("dump", "--form", "x:4", config=False)
    assert "--from" in done.stderr
