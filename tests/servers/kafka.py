"""Apache Kafka (KRaft) from the jars that `scripts/servers kafka` fetches: a broker that is its own controller, or
several that are one cluster."""

import base64
import os
import shutil
import subprocess
import uuid

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from .database import CACHE
from .process import Server, Unavailable, free_port, wait_until

VERSION = "4.1.1"
# A short life on a shared machine: compiled lightly, one collector thread.
JVM = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


def class_path():
    """All jars of the broker and its tools."""
    path = os.path.join(CACHE, f"kafka-{VERSION}")
    if not os.path.exists(os.path.join(path, ".sluice-complete")):
        raise Unavailable("no Kafka: run scripts/servers kafka")
    if not shutil.which("java"):
        raise Unavailable("no java: install default-jre-headless")
    return os.path.join(path, "*")


class Kafka(Server):
    """One broker. The nodes of a cluster are made with the same `cluster` and know each other's ports from it."""

    kind = "kafka"
    socket = None

    def __init__(self, workspace, options=(), name=None, cluster=None):
        """options are further broker properties: {"message.max.bytes": 2000}."""
        super().__init__(workspace, name)
        self.options = dict(options)
        self.controller_port = free_port()
        self.cluster = [self] if cluster is None else cluster
        self.cluster_id = None

    def properties(self):
        nodes = list(enumerate(self.cluster, 1))
        copies = min(3, len(nodes))
        return {
            "process.roles": "broker,controller",
            "node.id": next(number for number, node in nodes if node is self),
            "controller.quorum.voters": ",".join(f"{n}@127.0.0.1:{node.controller_port}" for n, node in nodes),
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": os.path.join(self.directory, "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.num.partitions": 4,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": min(2, copies),
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "num.network.threads": 2,
            "num.io.threads": 2,
            **self.options,
        }

    def java(self, main, *args):
        return ["java", *JVM, "-cp", class_path(), main, *args]

    def argv(self):
        path = os.path.join(self.directory, "server.properties")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in self.properties().items())
        if not os.path.exists(os.path.join(self.directory, "data")):
            first = self.cluster[0]
            if not first.cluster_id:
                text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
                first.cluster_id = text.replace("-", "_")  # the tool would take -X… for an option
            subprocess.run(
                self.java("kafka.tools.StorageTool", "format", "-t", first.cluster_id, "-c", path),
                check=True, capture_output=True, stdin=subprocess.DEVNULL,
            )
        return self.java("kafka.Kafka", path)

    def brokers(self):
        """What clients are told, of all nodes."""
        return ",".join(f"127.0.0.1:{node.port}" for node in self.cluster)

    def ready(self):
        try:
            AdminClient({"bootstrap.servers": f"127.0.0.1:{self.port}", "log_level": 0}).list_topics(timeout=1)
            return True
        except KafkaException:
            return False


class KafkaCluster:
    """Several brokers, each with a copy of what has three."""

    def __init__(self, workspace, count, options=()):
        self.nodes = []
        for number in range(count):
            self.nodes.append(Kafka(workspace, options, f"kafka{number + 1}", self.nodes))

    def start(self):
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            node.wait_ready()
        return self

    def brokers(self):
        return self.nodes[0].brokers()

    def leader(self, topic, partition=0):
        """The node that leads the partition now."""
        def found():
            admin = AdminClient({"bootstrap.servers": self.brokers(), "log_level": 0})
            number = admin.list_topics(topic, timeout=10).topics[topic].partitions[partition].leader
            return self.nodes[number - 1] if number > 0 else None

        return wait_until(found, f"a leader of {topic} {partition}")

    def kill(self):
        for node in self.nodes:
            node.kill()
