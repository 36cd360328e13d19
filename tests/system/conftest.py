"""Fixtures of the system tests: real servers, sluice as a process, and what a machine without a server gets."""

import os
import random
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from servers import DATABASES, Authority, Redis, Unavailable, Workspace  # noqa: E402
from servers.kafka import Kafka  # noqa: E402
from sluice import BINARY, Sluice  # noqa: E402

IN_CI = os.environ.get("CI") == "true"
SEED = int(os.environ.get("SLUICE_TEST_SEED", "20261122"))
FULL = bool(os.environ.get("SLUICE_TEST_FULL"))
_missing = set()


def pytest_addoption(parser):
    parser.addoption("--server", choices=[*DATABASES, "none"], help="only tests on this server, or only those on none")
    parser.addoption("--keep", action="store_true", help="keep the temporary directory with data and logs")


def pytest_configure(config):
    config.addinivalue_line("markers", "flavors(name, ...): only on these servers")
    config.addinivalue_line("markers", "ci_flavors(name, ...): without --full only on these servers")
    # A terminated run cleans up as a failed one does.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 143))


def pytest_generate_tests(metafunc):
    if "flavor" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("flavors")
        only = metafunc.config.getoption("--server")
        if not marker and not FULL:
            marker = metafunc.definition.get_closest_marker("ci_flavors")
        flavors = [name for name in (marker.args if marker else DATABASES) if only in (None, name)]
        metafunc.parametrize("flavor", flavors, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if config.getoption("--server"):
        on_servers = config.getoption("--server") != "none"
        items[:] = [item for item in items if ("flavor" in item.fixturenames) == on_servers]
    if not os.path.exists(BINARY):
        _missing.add(f"no binary at {BINARY}")
        for item in items:
            if "sluice" in item.fixturenames:
                item.add_marker(pytest.mark.skip(reason="no binary"))
    # What a parameter's own mark leaves out; that of a function was heeded when its servers were chosen.
    items[:] = [item for item in items if flavor_of(item) in ("", *servers_of(item))]
    # All of one server, then all of the next: one shared server runs at a time.
    items.sort(key=lambda item: (flavor_of(item), item.path))


def flavor_of(item):
    flavor = item.callspec.params.get("flavor", "") if hasattr(item, "callspec") else ""
    return flavor if isinstance(flavor, str) else ""


def servers_of(item):
    marker = item.get_closest_marker("flavors")
    return marker.args if marker else DATABASES


def pytest_terminal_summary(terminalreporter):
    for reason in sorted(_missing):
        terminalreporter.write_line(f"SKIPPED: {reason}", red=True, bold=True)


def missing(reason):
    """What the machine lacks is a failure in CI and a loud skip elsewhere."""
    if IN_CI:
        pytest.fail(f"this machine lacks what the test needs: {reason}", pytrace=False)
    _missing.add(str(reason))
    pytest.skip(str(reason))


def started(server):
    try:
        return server.start()
    except Unavailable as reason:
        missing(reason)


@pytest.fixture(scope="session")
def workspace(request):
    with Workspace(request.config.getoption("--keep")) as made:
        yield made


@pytest.fixture(scope="session")
def full():
    """True at the sizes of a release."""
    return FULL


@pytest.fixture
def rng(request):
    """Random numbers of the run's seed and this test, the same in each run of CI."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture(scope="session")
def shared_db(workspace, flavor):
    """One server of each flavour for all tests that leave it as it is."""
    server = started(DATABASES[flavor](workspace, name=f"shared-{flavor}"))
    yield server
    server.kill()  # a clean shutdown takes up to two minutes here and shows nothing


@pytest.fixture
def db(shared_db):
    """The shared server, with an empty database `shop`."""
    shared_db.script(["DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop CHARACTER SET utf8mb4"])
    return shared_db


@pytest.fixture
def new_db(workspace, flavor):
    """Makes servers of this test's own, with `shop` in them: new_db({"binlog_row_image": "MINIMAL"})."""
    made = []

    def make(options=None, name=None, kind=None):
        server = (kind or DATABASES[flavor])(workspace, options, name or f"own-{flavor}")
        made.append(server)
        started(server)
        server.script(["CREATE DATABASE shop CHARACTER SET utf8mb4"])
        return server

    yield make
    for server in made:
        server.kill()


def maker_of(workspace, kind):
    """Yields what makes servers of a test's own; they go with it."""
    made = []

    def make(**options):
        made.append(kind(workspace, **options))
        return started(made[-1])

    yield make
    for server in made:
        server.kill()


@pytest.fixture
def redis(workspace):
    """An empty Redis of this test's own."""
    server = started(Redis(workspace))
    yield server
    server.kill()


@pytest.fixture
def new_redis(workspace):
    yield from maker_of(workspace, Redis)


@pytest.fixture(scope="session")
def kafka(workspace):
    """One broker for all tests that leave it running; topics have names of their own test."""
    server = started(Kafka(workspace))
    yield server
    server.kill()


@pytest.fixture
def new_kafka(workspace):
    yield from maker_of(workspace, Kafka)


@pytest.fixture(scope="session")
def authority(workspace):
    return Authority(workspace.directory("tls"))


@pytest.fixture
def sluice(workspace):
    """Makes Sluice drivers; whatever still runs at the end of the test is killed."""
    made = []

    def make(config=None):
        made.append(Sluice(workspace.directory("sluice"), config))
        return made[-1]

    yield make
    for one in made:
        one.kill()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its sluice and servers said last."""
    outcome = yield
    report = outcome.get_result()
    if report.when != "call" or not report.failed:
        return
    workspace = item.funcargs.get("workspace")
    if workspace is None:
        return
    for path in workspace.logs()[-3:]:
        with open(path, encoding="utf-8", errors="replace") as log:
            tail = log.readlines()[-25:]
        if tail:
            report.sections.append((path, "".join(tail)))
