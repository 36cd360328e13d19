"""What other programs read from JSON lines: jq, Python's json, and Java's Jackson, held against each other."""

import decimal
import json
import os
import shutil
import subprocess

from sluice import ROOT

JACKSON = [f"/usr/share/java/jackson-{part}.jar" for part in ("core", "annotations", "databind")]


class Number(str):
    """A number as it is written."""


def unique(pairs):
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"a name is there twice: {names}"
    return dict(pairs)


def refuse(text):
    raise ValueError(f"{text} is no JSON")


def parse(line):
    """Python's own reader, with the digits of numbers kept."""
    return json.loads(line, parse_int=Number, parse_float=Number, parse_constant=refuse, object_pairs_hook=unique)


def through(argv, lines):
    """What a program prints of these lines, as many."""
    done = subprocess.run(argv, input="".join(f"{line}\n" for line in lines).encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-2000:]
    back = done.stdout.decode("utf-8").split("\n")[:-1]
    assert len(back) == len(lines), f"{argv[0]} read {len(back)} values from {len(lines)} lines"
    return back


def jq(lines):
    return through(["jq", "-c", "."], lines)


def jackson_is_there():
    return shutil.which("java") and all(map(os.path.exists, JACKSON))


def jackson(lines):
    program = os.path.join(ROOT, "tests", "peers", "JsonLines.java")
    return through(["java", "-Xmx512m", "-cp", os.pathsep.join(JACKSON), program], lines)


def as_double(number):
    """What jq keeps of a number."""
    return float(number)


def digits_of(number):
    """All digits and their place; Java's decimals have no negative zero."""
    sign, digits, exponent = decimal.Decimal(number).as_tuple()
    return (sign if any(digits) else 0, digits, exponent)


def alike(ours, theirs, number):
    """The same value but for what `number` makes of each number; members of objects in the same order."""
    if isinstance(ours, Number) and isinstance(theirs, Number):
        return number(ours) == number(theirs)
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, dict):
        return list(ours) == list(theirs) and all(alike(ours[name], theirs[name], number) for name in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(alike(*pair, number) for pair in zip(ours, theirs))
    return ours == theirs


def assert_read_alike(lines, with_java):
    """All readers take every line for the same value; with Jackson all digits are the same, jq has doubles."""
    own = [parse(line) for line in lines]
    readers = [(jq, as_double)] + ([(jackson, digits_of)] if with_java else [])
    for reader, number in readers:
        for line, ours, text in zip(lines, own, reader(lines)):
            assert alike(ours, parse(text), number), f"{reader.__name__} read\n{line}\nas\n{text}"
