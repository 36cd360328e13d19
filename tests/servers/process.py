"""Child processes that cannot outlive us, the directory they live in, and waiting on conditions.

A child is started through setpriv --pdeathsig, so the kernel kills it when we die, even by SIGKILL. That signal
is tied to the thread that forked, so one thread forks for all. Mounts are made in a mount namespace that a child
owns, so they end with it.
"""

import atexit
import concurrent.futures
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

# Waits are generous: they end when the condition holds, the limit is for a server that is truly gone.
LOG_NAMES = ("server.log", "sluice.log")
START_LIMIT_S = 180
STOP_LIMIT_S = 60

_forker = concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")
_ports_given = set()
_ports_lock = threading.Lock()


class Unavailable(Exception):
    """A server that this machine does not have."""


def wait_until(condition, what, limit_s=60, every_s=0.02):
    """Calls condition until it returns something true, which is returned; fails after limit_s."""
    end = time.monotonic() + limit_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise TimeoutError(f"waited {limit_s} s in vain for {what() if callable(what) else what}")
        time.sleep(every_s)


def free_port():
    """A loopback port that nobody listens on and that was not given out before in this process."""
    with _ports_lock:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            if port not in _ports_given:
                _ports_given.add(port)
                return port


def spawn(argv, **popen):
    """Popen whose child is killed by the kernel when this process ends."""
    popen.setdefault("stdin", subprocess.DEVNULL)
    argv = ["setpriv", "--pdeathsig", "KILL", *map(str, argv)]
    return _forker.submit(subprocess.Popen, argv, start_new_session=True, **popen).result()


def kill_group(process, sig):
    """Sends a signal to the child and to all that it started."""
    try:
        os.killpg(process.pid, sig)
    except ProcessLookupError:
        pass


def _sweep(parent):
    """Removes workspaces whose process was killed before it could: their name holds its pid."""
    for name in os.listdir(parent):
        owner = re.fullmatch(r"sluice-(\d+)-\w+", name)
        if owner and not os.path.exists(f"/proc/{owner.group(1)}"):
            shutil.rmtree(os.path.join(parent, name), ignore_errors=True)


class Workspace:
    """A temporary directory and the servers that live in it. close() ends them and removes the directory."""

    def __init__(self, keep=False):
        parent = os.environ.get("SLUICE_TEST_TMP", "/tmp")
        _sweep(parent)
        # Short, because a Unix socket's path has 107 characters.
        self.path = tempfile.mkdtemp(prefix=f"sluice-{os.getpid()}-", dir=parent)
        os.chmod(self.path, 0o755)
        self.keep = keep
        self.servers = []
        self._names = {}
        self._closed = False
        atexit.register(self.close)

    def directory(self, name):
        """A new, empty directory in the workspace."""
        number = self._names[name] = self._names.get(name, 0) + 1
        path = os.path.join(self.path, f"{name}-{number}")
        os.mkdir(path)
        return path

    def logs(self):
        """Paths of the log files of all that ran here, the latest written last."""
        found = [os.path.join(top, name) for top, _, names in os.walk(self.path) for name in names if name in LOG_NAMES]
        return sorted(found, key=os.path.getmtime)

    def close(self):
        if self._closed:
            return
        self._closed = True
        for server in self.servers:
            server.kill()
        if self.keep:
            print(f"kept: {self.path}")
        else:
            shutil.rmtree(self.path, ignore_errors=True)
        _sweep(os.path.dirname(self.path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Server:
    """One server process with a directory, a port and a log file. Subclasses give argv() and ready()."""

    kind = "server"

    def __init__(self, workspace, name=None):
        self.name = name or self.kind
        self.workspace = workspace
        self.directory = workspace.directory(self.name)
        self.log_path = os.path.join(self.directory, "server.log")
        self.port = free_port()
        self.process = None
        workspace.servers.append(self)

    def argv(self):
        raise NotImplementedError

    def ready(self):
        raise NotImplementedError

    def start(self, wait=True):
        assert not self.alive(), f"{self.name} runs already"
        with open(self.log_path, "ab") as log:
            self.process = spawn(self.argv(), stdout=log, stderr=log)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        def up():
            if not self.alive():
                raise RuntimeError(f"{self.name} ended at its start:\n{self.log_tail()}")
            return self.ready()

        wait_until(up, lambda: f"{self.name} to be ready:\n{self.log_tail()}", START_LIMIT_S, 0.05)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def _end(self, sig, limit_s):
        if self.process is None:
            return
        kill_group(self.process, sig)
        try:
            self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            kill_group(self.process, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def stop(self):
        """A clean shutdown."""
        self._end(signal.SIGTERM, STOP_LIMIT_S)

    def kill(self):
        """kill -9."""
        self._end(signal.SIGKILL, STOP_LIMIT_S)

    def restart(self, kill=False):
        """Down and up again on the same port and data."""
        self.kill() if kill else self.stop()
        return self.start()

    def pause(self):
        """Holds the process (SIGSTOP): the sockets stay open, nothing answers."""
        kill_group(self.process, signal.SIGSTOP)

    def resume(self):
        kill_group(self.process, signal.SIGCONT)

    def log_tail(self, lines=30):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"
