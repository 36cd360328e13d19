"""Programs that use the snippets, one for each language, and how they are built.

A program (tests/snippets/LANGUAGE) has its options as JSON in its only argument. Line by line, as JSON, bytes in hex:

    {"key": K, "ttl_ms": N}           get K             → {"load": true}, once the caller shall read the database,
    {"value": V} or {"fail": TEXT}    what load returns   and at the end {"got": V} or {"error": TEXT}
    {"key": K, "beside": "fence"}     a name            → {"got": NAME}
"""

import json
import os
import select
import shutil
import subprocess
import sys
import time

import pytest

from conftest import FULL, missing
from servers.process import kill_group, spawn
from sluice import ROOT

SNIPPETS = os.path.join(ROOT, "snippets")
PROGRAMS = os.path.join(ROOT, "tests", "snippets")
ALWAYS_TESTED = ("python", "go", "node")
LIMIT_S = 60


class Lacks(Exception):
    """What this machine would need."""


def tool(name, package):
    found = shutil.which(name)
    if not found:
        raise Lacks(f"no {name}: install {package}")
    return found


def run(argv, **more):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


# How each program is made in a directory of its own: the arguments that start it.
def python(_):
    return [sys.executable, os.path.join(PROGRAMS, "python", "driver.py")]


def go(directory):
    binary = os.path.join(directory, "driver")
    # Nothing but the standard library, and nothing is asked of the network.
    offline = {**os.environ, "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"}
    run([tool("go", "golang-go"), "build", "-o", binary, "."], cwd=os.path.join(PROGRAMS, "go"), env=offline)
    return [binary]


def node(_):
    argv = ["env", "NODE_PATH=/usr/share/nodejs", tool("node", "nodejs")]
    try:
        run([*argv, "-e", "require('redis')"])
    except AssertionError:
        raise Lacks("no client for Node: install node-redis") from None
    return [*argv, os.path.join(PROGRAMS, "node", "driver.js")]


def java(directory):
    sources = [os.path.join(PROGRAMS, "java", name) for name in ("Driver.java", "Connection.java")]
    sources.append(os.path.join(SNIPPETS, "java", "FencedCache.java"))
    run([tool("javac", "default-jdk-headless"), "--release", "11", "-Xlint:all,-options", "-Werror", "-d", directory, *sources])
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", directory, "Driver"]


def php(_):
    argv = [tool("php", "php-cli")]
    if "redis" not in run([*argv, "-m"]).split():
        raise Lacks("no client for PHP: install php-redis")
    return [*argv, os.path.join(PROGRAMS, "php", "driver.php")]


LANGUAGES = {"python": python, "go": go, "node": node, "java": java, "php": php}


class Driver:
    """One running program."""

    def __init__(self, language, argv, directory, options):
        self.language, self.buffer, self.busy = language, b"", False
        self.log_path = os.path.join(directory, "server.log")
        with open(self.log_path, "wb") as log:
            self.process = spawn(
                [*argv, json.dumps(options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )

    def say(self, **what):
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()

    def line(self, limit_s):
        """The next line, or None if none came in that time."""
        end = time.monotonic() + limit_s
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                return None
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            assert data, f"the {self.language} program ended: {open(self.log_path, encoding='utf-8').read()}"
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def told(self):
        """The end of what was begun: what was got, or an Exception with the text of the error."""
        line = self.line(LIMIT_S)
        self.busy = line is None or "load" in line
        assert not self.busy, f"{self.language}: {line}"
        return bytes.fromhex(line["got"]) if "got" in line else RuntimeError(line["error"])

    def begin(self, key, ttl_ms):
        self.busy = True
        self.say(key=key.hex(), ttl_ms=ttl_ms)

    def loads(self, limit_s=LIMIT_S):
        """Whether load is called within that time."""
        line = self.line(limit_s)
        assert line in (None, {"load": True}), f"{self.language}: {line}"
        return line is not None

    def loaded(self, value):
        self.say(value=value.hex())
        return self.told()

    def failed(self, text):
        self.say(fail=text)
        return self.told()

    def get(self, key, load, ttl_ms):
        """A whole get; load is called if the program asks for it."""
        self.begin(key, ttl_ms)
        line = self.line(LIMIT_S)
        if line == {"load": True}:
            return self.loaded(load())
        assert line is not None, f"{self.language}: no answer"
        self.busy = False
        return bytes.fromhex(line["got"]) if "got" in line else RuntimeError(line["error"])

    def beside(self, kind, key):
        self.say(key=key.hex(), beside=kind)
        return self.told()

    def kill(self):
        kill_group(self.process, 9)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Drivers:
    """Programs by language and options. They are built once, and run until somebody leaves one in mid-get."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.argv, self.lacks, self.running = {}, {}, {}

    def has(self, language):
        """Builds it if need be."""
        if language not in self.argv and language not in self.lacks:
            try:
                self.argv[language] = LANGUAGES[language](self.workspace.directory(language))
            except Lacks as reason:
                self.lacks[language] = reason
        return language in self.argv

    def available(self):
        return [language for language in LANGUAGES if self.has(language)]

    def of(self, language, number=0, **options):
        """The number-th program of this language with these options."""
        if not self.has(language):
            if language in ALWAYS_TESTED or FULL:
                missing(self.lacks[language])
            pytest.skip(str(self.lacks[language]))
        name = (language, number, json.dumps(options, sort_keys=True))
        if name not in self.running:
            given = {"scripts": os.path.join(SNIPPETS, "redis"), "max_fill_ms": 60_000, "lease_ms": 0, **options}
            directory = self.workspace.directory(f"driver-{language}")
            self.running[name] = Driver(language, self.argv[language], directory, given)
        return self.running[name]

    def drop(self, only_busy):
        for name, driver in list(self.running.items()):
            if driver.busy or not only_busy:
                driver.kill()
                del self.running[name]
