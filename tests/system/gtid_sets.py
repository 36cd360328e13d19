"""Random GTID sets as people and servers write them, and sluice's arithmetic on them (tests/programs/gtid_sets.c)."""

import os
import subprocess

from sluice import ROOT

PROGRAM = os.path.join(ROOT, "build", "dev", "tests", "gtid_sets")

LAST = 2**63 - 2
BLANKS = ["", "", "", "", " ", "  ", "\n", "\t", " \n "]


def answers(operations, flavor="mysql"):
    """One answer per operation: [("union", a, b), ("canonical", a), …], operands text or bytes."""

    def word(operand):
        raw = operand.encode() if isinstance(operand, str) else operand
        return raw.hex() or "-"

    lines = "".join(" ".join([op, *map(word, operands)]) + "\n" for op, *operands in operations)
    done = subprocess.run([PROGRAM, flavor], input=lines, capture_output=True, text=True, check=True)
    out = done.stdout.split("\n")[:-1]
    assert len(out) == len(operations)
    return out


class Sets:
    """Random texts of one test. Few sources and small numbers, so that two sets meet; gaps, edges and noise."""

    def __init__(self, rng, uuids=4):
        self.rng = rng
        self.uuids = [
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}".format(*(rng.getrandbits(n) for n in (32, 16, 16, 16, 48)))
            for _ in range(uuids - 2)
        ]
        # Neighbours in the order of the bytes.
        self.uuids += ["7fffffff-0000-0000-0000-000000000000", "80000000-0000-0000-0000-000000000000"]
        self.tags = ["", "", "a", "blue", "blue_2", "_", "z" * 32]

    def blank(self):
        return self.rng.choice(BLANKS)

    def case(self, text):
        return self.rng.choice([text, text, text.upper(), text.title()])

    def number(self):
        kind = self.rng.randrange(12)
        if kind == 0:
            return LAST - self.rng.randrange(4)
        if kind == 1:
            return self.rng.randrange(1, LAST + 1)
        if kind == 2:
            return 2 ** self.rng.randrange(1, 63) + self.rng.randrange(-1, 2)
        return self.rng.randrange(1, 60)

    def interval(self):
        first = self.number()
        kind = self.rng.randrange(8)
        if kind < 3:
            return f"{first}"
        last = self.number() if kind == 3 else min(LAST, first + self.rng.randrange(12))
        if self.rng.randrange(20) == 0:
            first = max(last, 2)
            last = first - 1
        return f"{first}{self.blank()}-{self.blank()}{last}"

    def source(self, uuid):
        parts = [self.case(uuid)]
        for _ in range(self.rng.choice([0, 1, 1, 1, 2, 3])):
            tag = self.rng.choice(self.tags)
            if tag:
                parts.append(self.case(tag))
            parts += [self.interval() for _ in range(self.rng.choice([0, 1, 1, 2, 4, 9]))]
        return ":".join(self.blank() + part + self.blank() for part in parts)

    def single(self, tagged):
        """One GTID."""
        tag = self.rng.choice(self.tags) if tagged else ""
        return f"{self.rng.choice(self.uuids)}:{tag}{':' if tag else ''}{self.number()}"

    def any(self):
        """Text that the server takes, mostly: a tag without an interval and the like is for it to say."""
        count = self.rng.choice([0, 1, 1, 2, 3, 5, 8])
        text = ",".join(self.source(self.rng.choice(self.uuids)) for _ in range(count))
        return self.rng.choice(["", "", "", ",", " ,, "]) + text + self.rng.choice(["", "", "", ",", "\n"])

    def broken(self):
        """Text with one or more characters changed. None beyond ASCII: MySQL 9.7 takes some of those in a tag, and
        prints others in their place."""
        text = list(self.any() or "x")
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            at = self.rng.randrange(len(text))
            text[at] = self.rng.choice(["", *"0:-, \n\v\f\0gA_9\\", "::", "--"])
        return "".join(text)
