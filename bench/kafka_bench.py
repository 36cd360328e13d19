"""Sends the rows of a binlog into a private broker: by `sluice replay` and, as lines that are ready, by `kcat -P -l`.

Prints rows per CPU-second of the client, per compression and delivery, beside kcat's and the ratio of each pair. sluice reads
the log, writes JSON, keys and headers, and waits for every report; kcat reads lines. What of it is the log and the JSON is
shown by `sluice dump` of the same file."""

import os
import statistics
import subprocess
import sys
import tempfile

import yaml
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from dump_bench import cpu_seconds
from servers import Workspace
from servers.kafka import Kafka

PARTITIONS = 4
COMPRESSIONS = ("none", "lz4", "zstd")
DELIVERIES = ("at_least_once", "exactly_once")


def measured(argv, **more):
    """CPU seconds of a process that must end well."""
    before = cpu_seconds()
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, **more)
    if done.returncode != 0:
        sys.exit(f"{argv}: {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return cpu_seconds() - before


class Topics:
    """A new topic for each run, gone behind it."""

    def __init__(self, kafka):
        self.brokers, self.number, self.name = kafka.brokers(), 0, None
        self.admin = AdminClient({"bootstrap.servers": self.brokers, "log_level": 2})

    def __enter__(self):
        self.number += 1
        self.name = f"bench-{self.number}"
        self.admin.create_topics([NewTopic(self.name, PARTITIONS, 1)], operation_timeout=30)[self.name].result()
        return self.name

    def __exit__(self, *_):
        mine = [name for name in self.admin.list_topics(timeout=30).topics if name.startswith(self.name)]
        for done in self.admin.delete_topics(mine, operation_timeout=30).values():
            done.result()

    def holds(self):
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "bench"})
        parts = [TopicPartition(self.name, number) for number in range(PARTITIONS)]
        ends = [consumer.get_watermark_offsets(part, timeout=30)[1] for part in parts]
        consumer.close()
        return sum(ends)


def run_kcat(topics, lines, compression):
    with topics as topic:
        options = [f"compression.type={compression}", "acks=all", "enable.idempotence=true", "linger.ms=1"]
        argv = ["kcat", "-P", "-l", "-b", topics.brokers, "-t", topic]
        return measured([*argv, *(part for option in options for part in ("-X", option)), lines]), topics.holds()


def run_sluice(binary, topics, binlog, compression, delivery):
    with topics as topic, tempfile.TemporaryDirectory() as directory:
        sink = {
            "type": "kafka", "brokers": [topics.brokers], "topic": topic, "delivery": delivery, "create_topics": True,
            "replication": 1, "min_insync_replicas": 1, "properties": [f"compression.type={compression}"],
        }
        config = {
            "state_dir": os.path.join(directory, "state"),
            "source": {"user": "nobody"},
            "partitions": PARTITIONS,
            "sinks": {"out": sink},
            "routes": [{"table": "shop.orders", "key": "order_id", "to": "out"}],
        }
        path = os.path.join(directory, "sluice.yaml")
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(config, file)
        return measured([binary, "replay", "bench", binlog, "-c", path], stdout=subprocess.DEVNULL), topics.holds()


def show(name, rates, beside=None):
    line = f"{name:32} min {min(rates):>11,.0f}  median {statistics.median(rates):>11,.0f}  max {max(rates):>11,.0f}"
    if beside:
        ratios = [ours / theirs for ours, theirs in zip(rates, beside)]
        line += f"   of kcat's: min {min(ratios):.3f}  median {statistics.median(ratios):.3f}  max {max(ratios):.3f}"
    print(line, flush=True)


def bench(binary, binlog, runs, compressions):
    with Workspace() as workspace, tempfile.TemporaryDirectory() as directory:
        topics = Topics(Kafka(workspace, {"log.retention.bytes": -1}).start())
        lines = os.path.join(directory, "lines.json")
        with open(lines, "wb") as out:
            dumped = [measured([binary, "dump", binlog], stdout=out)]
        with open(lines, "rb") as text:
            rows = sum(1 for _ in text)
        print(f"{os.path.getsize(binlog) / 1e6:.0f} MB of binlog, {rows:,} rows, {os.path.getsize(lines) / 1e6:.0f} MB of lines")
        print("rows per CPU-second of the client")
        show("sluice dump to a file", [rows / seconds for seconds in dumped])
        for compression in compressions:
            rates = {}
            for _ in range(runs):
                found = {"kcat": run_kcat(topics, lines, compression)}
                for delivery in DELIVERIES:
                    found[delivery] = run_sluice(binary, topics, binlog, compression, delivery)
                for name, (seconds, held) in found.items():
                    if held < rows:
                        sys.exit(f"{name}: the topic holds {held} of {rows} rows")
                    rates.setdefault(name, []).append(rows / seconds)
            show(f"kcat -P -l, {compression}", rates["kcat"])
            for delivery in DELIVERIES:
                show(f"sluice, {compression}, {delivery}", rates[delivery], rates["kcat"])


if __name__ == "__main__":
    bench(os.path.abspath(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:] or COMPRESSIONS)
