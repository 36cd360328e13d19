"""The demo's story: a shop that caches its orders, a database that changes under the cache, and sluice between them."""

import json
import os
import random
import subprocess
import sys
import threading
import time

from servers import MariaDB, REPLICATION_PASSWORD, REPLICATION_USER, Redis, Unavailable, Workspace, wait_until
from servers.process import spawn

SHOP = """
CREATE DATABASE shop;
CREATE TABLE shop.orders (
  order_id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, user_id BIGINT UNSIGNED NOT NULL,
  status VARCHAR(20) NOT NULL, amount DECIMAL(12,2) NOT NULL);
CREATE TABLE shop.order_items (
  item_id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, order_id BIGINT UNSIGNED NOT NULL,
  product VARCHAR(80) NOT NULL, quantity INT NOT NULL, KEY (order_id));
INSERT INTO shop.orders VALUES (1, 7, 'new', 42.50), (2, 7, 'new', 9.99), (3, 8, 'paid', 120.00);
INSERT INTO shop.order_items VALUES (1, 1, 'lamp', 1), (2, 2, 'bulb', 3), (3, 3, 'desk', 1);
"""

CONFIG = """\
source: {{ host: 127.0.0.1, port: {port}, user: {user}, password_file: {password_file} }}
state_dir: {state_dir}
sinks:
  cache: {{ type: redis, url: "{redis_url}" }}
routes:
  - table: shop.orders
    key: order_id
    to: cache
    invalidate: ["order:{{order_id}}", "user:{{user_id}}:orders"]
  - table: shop.order_items
    key: order_id
    to: cache
    invalidate: ["order:{{order_id}}"]
"""

STEPS = [
    ("an order is paid", ["UPDATE shop.orders SET status = 'paid' WHERE order_id = 1"], ["order:1", "user:7:orders"]),
    ("an item is added to it", ["INSERT INTO shop.order_items (order_id, product, quantity) VALUES (1, 'shade', 2)"], ["order:1"]),
    (
        "an order moves to another user: both users' lists go",
        ["UPDATE shop.orders SET user_id = 8 WHERE order_id = 2"],
        ["order:2", "user:7:orders", "user:8:orders"],
    ),
    (
        "one transaction over two tables",
        [
            "UPDATE shop.order_items SET quantity = quantity + 1 WHERE order_id = 3",
            "UPDATE shop.orders SET amount = amount + 10 WHERE order_id = 3",
        ],
        ["order:3", "user:8:orders"],
    ),
    (
        "a rolled back transaction: nothing may go",
        ["UPDATE shop.orders SET status = 'lost' WHERE order_id = 1", "ROLLBACK"],
        [],
    ),
    ("an order is deleted", ["DELETE FROM shop.orders WHERE order_id = 2"], ["order:2", "user:8:orders"]),
]
ALL_KEYS = ["order:1", "order:2", "order:3", "user:7:orders", "user:8:orders"]

BOLD, GREEN, RESET = ("\033[1m", "\033[32m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


def show(text=""):
    print(text, flush=True)


def fill(db, cache):
    """What the application does on a miss: SELECT, then SET."""
    for key in ALL_KEYS:
        number = int(key.split(":")[1])
        column = "order_id" if key.startswith("order:") else "user_id"
        rows = db.sql(f"SELECT order_id, user_id, status, amount FROM shop.orders WHERE {column} = %s", (number,))
        cache.set(key, json.dumps([list(map(str, row)) for row in rows]))


def play_step(db, cache, step):
    title, statements, expected = step
    fill(db, cache)
    show(f"\n{BOLD}{title}{RESET}")
    connection = db.connect()
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for statement in statements:
            show(f"  sql    {statement}")
            cursor.execute(statement)
        if statements[-1] != "ROLLBACK":
            cursor.execute("COMMIT")
    committed = time.monotonic()
    gone = {}

    def all_gone():
        for key in expected:
            if key not in gone and not cache.exists(key):
                gone[key] = (time.monotonic() - committed) * 1000
        return len(gone) == len(expected)

    wait_until(all_gone, f"the keys {expected} to go", 10, 0.0002)
    connection.close()
    for key in expected:
        show(f"  {GREEN}gone{RESET}   {key:16} {gone[key]:6.1f} ms after the commit")
    stay = [key for key in ALL_KEYS if key not in expected and not cache.exists(key)]
    if stay:
        raise SystemExit(f"demo: these keys should have stayed: {stay}")
    if not expected:
        time.sleep(0.3)
        show(f"  {GREEN}kept{RESET}   all {len(ALL_KEYS)} keys")


def play_load(db, cache, seconds):
    """Two writers and a reader that goes through the cache; then every key is compared with the database."""
    show(f"\n{BOLD}load: two writers and a reader for {seconds} s, then every cached order is compared{RESET}")
    end = time.monotonic() + seconds
    changes = [0, 0]

    def write(number):
        rng = random.Random(number)
        connection = db.connect()
        with connection.cursor() as cursor:
            while time.monotonic() < end:
                cursor.execute("UPDATE shop.orders SET amount = amount + 1 WHERE order_id = %s", (rng.choice([1, 3]),))
                connection.commit()
                changes[number] += 1
        connection.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in (0, 1)]
    for writer in writers:
        writer.start()
    while time.monotonic() < end:
        fill(db, cache)
        time.sleep(0.05)
    for writer in writers:
        writer.join()
    time.sleep(0.5)
    wrong = 0
    for number in (1, 3):
        cached = cache.get(f"order:{number}")
        row = db.sql("SELECT order_id, user_id, status, amount FROM shop.orders WHERE order_id = %s", (number,))
        if cached is not None and json.loads(cached) != [list(map(str, r)) for r in row]:
            wrong += 1
    show(f"  {sum(changes)} changes; stale keys afterwards: {wrong}")


def wait_for_reading(log_path, process):
    def reading():
        if process.poll() is not None:
            raise SystemExit(open(log_path, encoding="utf-8").read())
        return "msg=reading" in open(log_path, encoding="utf-8").read()

    wait_until(reading, "sluice to read", 30)


def keep_running(config_path, binary, db, cache):
    show(f"\n{BOLD}Everything keeps running. Try, in another terminal:{RESET}")
    show(f"  mariadb --socket={db.socket} -u root shop")
    show(f"  redis-cli -p {cache.port} monitor")
    show(f"  {binary} status -c {config_path}")
    show(f"  {binary} dump -c {config_path} --from earliest | jq .")
    show("Ctrl-C ends it and cleans up.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        show()


def main():
    binary, keep = os.path.abspath(sys.argv[1]), "--keep" in sys.argv[2:]
    with Workspace() as workspace:
        show("starting a private MariaDB and a private Redis …")
        options = {"binlog_format": "ROW", "binlog_row_metadata": "FULL"}
        try:
            db, redis_server = MariaDB(workspace, options).start(), Redis(workspace).start()
        except Unavailable as reason:
            raise SystemExit(f"demo: {reason}") from None
        db.script(SHOP)
        cache = redis_server.client()
        password_file = os.path.join(workspace.path, "password")
        with open(os.open(password_file, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(REPLICATION_PASSWORD + "\n")
        config_path, log_path = os.path.join(workspace.path, "sluice.yaml"), os.path.join(workspace.path, "sluice.log")
        config = CONFIG.format(
            port=db.port,
            user=REPLICATION_USER,
            password_file=password_file,
            state_dir=os.path.join(workspace.path, "state"),
            redis_url=redis_server.url(),
        )
        with open(config_path, "w", encoding="utf-8") as file:
            file.write(config)
        show(f"\n{BOLD}sluice run -c {config_path}{RESET}\n{config}")
        with open(log_path, "wb") as log:
            process = spawn([binary, "run", "-c", config_path], stdout=log, stderr=log)
        wait_for_reading(log_path, process)
        for step in STEPS:
            play_step(db, cache, step)
            time.sleep(1)
        play_load(db, cache, 5)
        show(f"\n{BOLD}sluice status{RESET}")
        subprocess.run([binary, "status", "-c", config_path], check=True)
        if keep:
            keep_running(config_path, binary, db, redis_server)
        process.terminate()
        if process.wait(20) != 0:
            raise SystemExit(open(log_path, encoding="utf-8").read())
        show("\nsluice drained, saved its position and ended; the private servers are stopped.")


main()
