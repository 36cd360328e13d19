"""A case of tests/golden/peers: SQL, and the lines that the peer wrote for it. Its form stands in docs/peers/README.md."""

import glob
import os
import re

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "peers")
HEAD = ("rule", "source", "proved", "server", "options")
STOPS = "(stops)"  # stands for the record that the peer could not write: it ended


class Case:
    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)[: -len(".case")]
        self.head, self.expected = {}, []
        self.keys = self.own = None
        part, sql = "head", []
        with open(path, encoding="utf-8", newline="\n") as stream:
            for line in stream.read().split("\n"):
                match = re.match(r"-- (\w+): (.*)", line)
                if line == "-- expect":
                    part = "expect"
                elif line == "-- keys":
                    part, self.keys = "keys", []
                elif line == "-- sluice":
                    part, self.own = "sluice", []
                elif part == "head" and match and match.group(1) in HEAD:
                    self.head[match.group(1)] = match.group(2)
                elif part in ("head", "sql"):
                    part = "sql"
                    sql.append(line)
                elif line:
                    {"expect": self.expected, "keys": self.keys, "sluice": self.own}[part].append(line)
        self.sql = "\n".join(sql).strip("\n") + "\n"
        self.options = dict(pair.split("=", 1) for pair in self.head.get("options", "").split())

    def servers(self):
        return {"both": ["mysql", "mariadb"]}.get(self.head["server"], [self.head["server"]])

    def statements(self):
        return [s for s in (part.strip().rstrip(";") for part in self.sql.split(";\n")) if s]

    def write(self):
        """Puts all of the case into its file."""
        text = "".join(f"-- {key}: {self.head[key]}\n" for key in HEAD if key in self.head) + self.sql
        for part, lines in (("expect", self.expected), ("keys", self.keys), ("sluice", self.own)):
            if lines is not None:
                text += f"-- {part}\n" + "".join(f"{line}\n" for line in lines)
        with open(self.path, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)


def read_cases(peer):
    """All cases of a peer, by name."""
    return [Case(path) for path in sorted(glob.glob(os.path.join(GOLDEN, peer, "*.case")))]
