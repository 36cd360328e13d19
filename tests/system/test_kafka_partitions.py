"""The lane of a key equals the partition that Kafka's Java producer chooses, its partitioner.class unset."""

import os
import subprocess

import pytest

from kafka_topics import create_topic, read_topic
from sluice import ROOT

PROGRAM = os.path.join(ROOT, "build", "dev", "tests", "key_lanes")
KEYS = 1000
FULL_KEYS = 20_000
ALPHABET = "abcXYZ0129 :\\-é漢ж😀\u00a0\u0301"


def random_key(rng):
    """Key texts as routes make them: numbers, texts with anything in them, several parts, some empty, some long."""
    kind = rng.random()
    if kind < 0.3:
        return str(rng.randrange(-(1 << 63), 1 << 64))
    if kind < 0.35:
        return "".join(rng.choices(ALPHABET, k=rng.randrange(1000, 20_000)))
    return ":".join("".join(rng.choices(ALPHABET, k=rng.randrange(9))) for _ in range(rng.randrange(1, 5)))


def random_keys(rng, count):
    """So many different ones, none of them empty as a whole."""
    keys = {"\\E", "\\N", ":", "\\N:\\N"}
    while len(keys) < count:
        keys.add(random_key(rng))
    return sorted(keys - {""})


def produce_by_java(kafka, topic, keys):
    """One record per key by the console producer, which leaves the partition to the client's default."""
    subprocess.run(
        kafka.java(
            "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", kafka.brokers(), "--topic", topic,
            "--property", "parse.key=true", "--property", "key.separator=\t",
        ),
        input="".join(f"{key}\t.\n" for key in keys).encode(), check=True, capture_output=True, timeout=300,
    )


def lanes_of(keys, lanes):
    text = "".join(f"{key}\n" for key in keys).encode()
    done = subprocess.run([PROGRAM, str(lanes)], input=text, check=True, capture_output=True, timeout=60)
    return [int(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("partitions", [8, 13])
def test_lane_is_the_partition_of_the_java_producer(kafka, rng, full, partitions):
    topic = f"java-{partitions}"
    create_topic(kafka, topic, partitions)
    keys = random_keys(rng, FULL_KEYS if full else KEYS)
    produce_by_java(kafka, topic, keys)
    theirs = {record.key.decode(): record.partition for record in read_topic(kafka, topic)}
    ours = dict(zip(keys, lanes_of(keys, partitions)))
    assert len(theirs) == len(keys) and set(theirs.values()) == set(range(partitions))
    wrong = {key: (ours[key], theirs.get(key)) for key in keys if ours[key] != theirs.get(key)}
    assert not wrong, f"{len(wrong)} of {len(keys)} keys, (ours, theirs): {list(wrong.items())[:5]}"
