"""A storm of rebalances: appliers of one group come and go under load, in good order and by SIGKILL. Nothing is lost, and
each key's changes are applied in order, whichever applier has its partition."""

import glob
import json
import random
import threading
import time

from kafka_topics import read_topic
from sluice import FINE
from test_kafka_applier import LANES, bus, records, settings, wait_applying  # noqa: F401 (fixtures)

KEYS, APPLIERS, PER_S = 200, 5, 2000
# How often one comes or goes, seconds from one to the next, how many of those that go are killed.
CI_SIZE, FULL_SIZE = (4, 1, 0), (40, 3, 0.25)
# Longer than a machine that is busy keeps a process from its heartbeats: who is alive keeps its partitions.
GROUP = ["session.timeout.ms=6000", "heartbeat.interval.ms=500"]


class Load(threading.Thread):
    """Changes of random keys at a steady rate until told to end."""

    def __init__(self, bus, seed):  # noqa: F811
        super().__init__(daemon=True)
        self.bus, self.rng = bus, random.Random(seed)
        self.count, self.failure, self.enough = 0, None, threading.Event()
        self.began = time.monotonic()
        self.start()

    def run(self):
        try:
            producer = self.bus.producer()
            while not self.enough.wait(0.01):
                while self.count < (time.monotonic() - self.began) * PER_S:
                    key = self.rng.randrange(KEYS)
                    producer.produce(self.bus.topic, json.dumps(self.bus.line(key)), str(key), key % LANES)
                    producer.poll(0)
                    self.count += 1
            assert producer.flush(60) == 0
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = error

    def check(self):
        assert self.failure is None, self.failure

    def finish(self):
        self.enough.set()
        self.join(120)
        self.check()
        assert not self.is_alive()


def applied(path):
    """[(key, version)] of all appliers in the order in which they were applied."""
    lines = []
    for name in glob.glob(path + ".*"):
        with open(name, encoding="utf-8") as file:
            lines += [json.loads(line) for line in file.read().split("\n")[:-1]]
    lines.sort(key=lambda line: line["at_us"])  # stable: lines of one batch stay as they are
    return [(line["key"], line["version"]) for line in lines]


def check_order(changes, written):
    """Each key's changes are applied in the topic's order, but that a stretch may come again: then it goes on from
    there without a gap. written: {key: [version]}. Returns how many came again."""
    rank = {(key, version): number for key, versions in written.items() for number, version in enumerate(versions)}
    last, highest, again = {}, {}, 0
    for change in changes:
        key, number = change[0], rank[change]
        assert number <= last.get(key, -1) + 1, f"{key}: change {number} behind {last.get(key)}"
        again += number <= highest.get(key, -1)
        last[key], highest[key] = number, max(number, highest.get(key, -1))
    missing = {key: len(versions) - 1 - highest.get(key, -1) for key, versions in written.items()}
    assert not any(missing.values()), f"not applied: {sum(missing.values())} of {len(rank)}"
    return again


def storm(drivers, rng, load, size):
    """One comes or goes at a time, and one is always there; returns (came, went, killed)."""
    (rounds, every_s, kills), running, came, went, killed = size, drivers[:1], 1, 0, 0
    for number in range(1, rounds + 1):
        if len(running) == 1 or (len(running) < len(drivers) and rng.random() < 0.5):
            running.append(next(driver for driver in drivers if driver not in running))
            running[-1].start("--role", "applier")
            came += 1
        else:
            driver = running.pop(rng.randrange(len(running)))
            if rng.random() < kills:
                driver.kill()
                killed += 1
            else:
                assert driver.stop() == FINE, driver.tail()
                went += 1
        load.check()
        time.sleep(max(0, number * every_s - (time.monotonic() - load.began)))
        for driver in running:
            assert driver.alive(), driver.tail()
    return running, (came, went, killed)


def test_appliers_that_come_and_go_under_load_lose_nothing(bus, sluice, records, rng, full, record_property):  # noqa: F811
    sink = {"type": "recorder", "path": records.path, "workers": 2}
    drivers = [sluice(settings(bus, sink, {"properties": GROUP}, checkpoint_ms=20)) for _ in range(APPLIERS)]
    drivers[0].start("--role", "applier")
    wait_applying(drivers[0])
    load = Load(bus, rng.random())
    running, figures = storm(drivers, rng, load, FULL_SIZE if full else CI_SIZE)
    load.finish()
    bus.wait_committed()
    for driver in running:
        assert driver.stop() == FINE, driver.tail()
    written = {}
    for record in read_topic(bus.kafka, bus.topic):
        written.setdefault(record.key.decode(), []).append(json.loads(record.value)["version"])
    changes = applied(records.path)
    again = check_order(changes, written)
    assert sum(map(len, written.values())) == load.count
    told = dict(zip(("came", "went", "killed"), figures), written=load.count, again=again)
    record_property("storm", told)
    print("storm:", told)
