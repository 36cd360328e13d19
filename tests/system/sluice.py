"""sluice as a process: writes its configuration, runs it, reads its log, waits for it."""

import json
import os
import re
import signal
import subprocess
import time

import yaml

import servers
from servers import REPLICATION_PASSWORD, REPLICATION_USER
from servers.process import spawn

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "dev", "sluice"))

# Exit codes.
FINE, RETRY, USAGE, DIFFERENT, STOPPED = range(5)

# Services that are meant to be running now.
_running = []

_FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')


def wait_until(condition, what, limit_s=120, every_s=0.02):
    """As servers.wait_until, but fails at once when a service has ended that nobody stopped."""

    def checked():
        result = condition()
        ended = [] if result else [driver for driver in _running if not driver.alive()]
        if ended:
            result = condition()  # it may be what was waited for, a moment after the look
        for driver in ended:
            assert result, f"sluice ended by itself with {driver.process.returncode}: {driver.tail()}"
        return result

    return servers.wait_until(checked, what, limit_s, every_s)


def parse_log_line(line):
    """logfmt or JSON → dict of strings."""
    if line.startswith("{"):
        return {name: str(value) for name, value in json.loads(line).items()}
    fields = {}
    for name, value in _FIELD.findall(line):
        if value.startswith('"'):
            try:
                value = json.loads(value)
            except ValueError:
                value = value[1:-1]
        fields[name] = value
    return fields


def source_of(db, **more):
    """The `source` section for a server."""
    return {
        "host": "127.0.0.1",
        "port": db.port,
        "user": REPLICATION_USER,
        "password": REPLICATION_PASSWORD,
        **more,
    }


def at(position):
    """(file, offset) as sluice writes it."""
    return "{}:{}".format(*position)


class Sluice:
    """One configuration and the processes that run with it, one after the other."""

    def __init__(self, directory, config=None):
        self.directory = directory
        self.state_dir = os.path.join(directory, "state")
        self.config_path = os.path.join(directory, "sluice.yaml")
        self.log_path = os.path.join(directory, "sluice.log")
        self.process = None
        self.log_from = 0
        self.configure(config or {})

    def configure(self, config):
        """Replaces the configuration; a str is written as it is."""
        self.config = config
        with open(self.config_path, "w", encoding="utf-8") as file:
            if isinstance(config, str):
                file.write(config)
            else:
                yaml.safe_dump({"state_dir": self.state_dir, **config}, file, sort_keys=False)

    # Commands that end by themselves.
    def run(self, *args, timeout=300, env=None, config=True):
        """Runs a subcommand to its end; returns a CompletedProcess with text. `-c` is added unless config=False."""
        argv = [BINARY, *map(str, args)]
        if config:
            argv += ["-c", self.config_path]
        done = subprocess.run(
            argv,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            env={**os.environ, **(env or {})},
            cwd=self.directory,
        )
        done.stdout = done.stdout.decode("utf-8", "surrogateescape")
        done.stderr = done.stderr.decode("utf-8", "surrogateescape")
        with open(self.log_path, "a", encoding="utf-8", errors="surrogateescape") as log:
            log.write(f"$ {' '.join(argv)}\n{done.stderr}[exit {done.returncode}]\n")
        return done

    def begin(self, *args):
        """Starts a subcommand, which the test waits for; what it says goes to log_path."""
        with open(self.log_path, "ab") as log:
            return spawn([BINARY, *map(str, args), "-c", self.config_path], stdout=log, stderr=log, cwd=self.directory)

    def dump(self, *args, config=False, **more):
        """Runs `dump` and returns its lines as dicts; fails unless it ends well."""
        done = self.run("dump", *args, config=config, **more)
        assert done.returncode == FINE, f"dump ended with {done.returncode}: {done.stderr}"
        return [json.loads(line) for line in done.stdout.splitlines()]

    # The service.
    def start(self, *args):
        """Starts `run` in the background; its log lines go to log_path."""
        assert not self.alive(), "runs already"
        with open(self.log_path, "ab") as log:
            self.log_from = log.tell()
            self.process = spawn(
                [BINARY, "run", "-c", self.config_path, *args], stdout=log, stderr=log, cwd=self.directory
            )
        _running.append(self)
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def wait_exit(self, limit_s=120):
        """The exit code, once it has ended."""
        self._leave()
        return self.process.wait(limit_s)

    def _leave(self):
        if self in _running:
            _running.remove(self)

    def _hears(self):
        """It has begun: SIGTERM no longer just ends it."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            fields = dict(line.split(":", 1) for line in status)
        return int(fields["SigBlk"], 16) & 1 << (signal.SIGTERM - 1)

    def stop(self, limit_s=120):
        """SIGTERM: drains, checkpoints and ends. Returns the exit code."""
        end = time.monotonic() + 10  # a reader of Kafka's hears once it has the first of its state
        while self.alive() and not self._hears() and time.monotonic() < end:
            time.sleep(0.005)
        self.process.send_signal(signal.SIGTERM)
        return self.wait_exit(limit_s)

    def kill(self):
        """kill -9."""
        self._leave()
        if self.alive():
            self.process.kill()
            self.process.wait()

    def restart(self):
        self.kill()
        return self.start()

    # The log of the latest start.
    def log_lines(self):
        with open(self.log_path, "rb") as log:
            log.seek(self.log_from)
            text = log.read().decode("utf-8", "replace")
        return [parse_log_line(line) for line in text.splitlines() if line]

    def find_log(self, **wanted):
        """The log lines of the latest start that have these fields; a callable judges the field."""

        def fits(line):
            return all(
                test(line.get(name, "")) if callable(test) else line.get(name) == test for name, test in wanted.items()
            )

        return [line for line in self.log_lines() if fits(line)]

    def wait_log(self, limit_s=120, **wanted):
        """Waits for such a line."""

        return wait_until(
            lambda: self.find_log(**wanted), lambda: f"a log line with {wanted}: {self.tail()}", limit_s, 0.05
        )[0]

    def tail(self, lines=20):
        with open(self.log_path, "rb") as log:
            return "\n" + b"".join(log.readlines()[-lines:]).decode("utf-8", "replace")

    # Figures of the process.
    def memory(self):
        """(resident now, resident at most) in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            fields = dict(line.split(":", 1) for line in status)
        return tuple(int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))

    def rendered(self, *args):
        """The text of a status-like command; fails unless it ends well."""
        done = self.run(*args)
        assert done.returncode == FINE, f"{args} ended with {done.returncode}: {done.stderr}"
        return done.stdout


def stopped_with(driver, error, limit_s=120):
    """Waits until the service has ended as a person must act, and returns its error line of that name."""
    code = driver.wait_exit(limit_s)
    lines = driver.find_log(err=error)
    assert lines, f"ended with {code} and without err={error}: {driver.tail()}"
    assert code == STOPPED, f"exit {code} for err={error}: {driver.tail()}"
    return lines[-1]
