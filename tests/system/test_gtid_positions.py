"""A MariaDB position by GTIDs begins where a replica with that gtid_slave_pos begins.

The oracles share no code with sluice: mariadb-binlog, and a server that replicates.
"""

import re
import shutil
import subprocess

import pytest

from servers import wait_until
from sluice import STOPPED, at, source_of

pytestmark = pytest.mark.flavors("mariadb")

TRANSACTIONS = 150
POSITIONS = 25
FULL_POSITIONS = 300
REPLICATED = 4
FULL_REPLICATED = 40


class Log:
    """Transactions of several domains and servers over several files, as they lie in the log. The numbers rise in each
    domain or, as servers do that know nothing of each other, only in what one server wrote of it."""

    def __init__(self, server, rng, rising_by_server=False):
        self.server, self.rng, self.rising_by_server = server, rng, rising_by_server
        self.gtids = []
        self.last = {}
        server.sql("CREATE TABLE shop.t (gtid VARCHAR(40))")
        server.reset_binlog()
        self.first = server.position()
        with server.connect("shop") as con, con.cursor() as cursor:
            for _ in range(TRANSACTIONS):
                if rng.randrange(25) == 0:
                    server.flush_logs()
                self.write(cursor)
        self.end = server.position()

    def write(self, cursor):
        domain, server_id = self.rng.choice([0, 0, 1, 7, 4294967295]), self.rng.choice([1, 1, 2, 3])
        writer = (domain, server_id if self.rising_by_server else 0)
        number = self.last.get(writer, 0) + self.rng.choice([1, 1, 1, 2, 50])
        self.last[writer] = number
        gtid = f"{domain}-{server_id}-{number}"
        cursor.execute(
            "SET SESSION gtid_domain_id = %s, SESSION server_id = %s, SESSION gtid_seq_no = %s",
            (domain, server_id, number),
        )
        cursor.execute("INSERT INTO t VALUES (%s)", (gtid,))
        self.gtids.append(gtid)

    def hole(self):
        """A GTID whose number lies between two of its domain."""
        numbers = {tuple(gtid.split("-")[::2]) for gtid in self.gtids}
        return self.rng.choice(
            [
                f"{domain}-{server_id}-{int(number) - 1}"
                for domain, server_id, number in (gtid.split("-") for gtid in self.gtids)
                if int(number) > 2 and (domain, str(int(number) - 1)) not in numbers
            ]
        )

    def position(self):
        """One GTID of some of the domains, any of them; a domain that is left out is read from its begin."""
        domains = sorted({gtid.split("-")[0] for gtid in self.gtids}, key=int)
        chosen = [domain for domain in domains if self.rng.randrange(4)]
        self.rng.shuffle(chosen)
        return ",".join(
            self.rng.choice([gtid for gtid in self.gtids if gtid.startswith(domain + "-")]) for domain in chosen
        )


def of_mariadb_binlog(server, position):
    """The GTIDs that mariadb-binlog is sent, in order."""
    program = shutil.which("mariadb-binlog") or pytest.fail("no mariadb-binlog")
    done = subprocess.run(
        [program, "--no-defaults", "--read-from-remote-server", "--host=127.0.0.1", f"--port={server.port}",
         "--user=replica", "--password=replica", "--to-last-log", "--skip-gtid-strict-mode",
         f"--start-position={position}", server.binlogs()[0]],
        capture_output=True, text=True, errors="replace", check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return re.findall(r"\tGTID (\d+-\d+-\d+)", done.stdout)


def of_sluice(driver, position, end):
    lines = driver.dump("--from", position, "--to", at(end), config=True)
    assert all(line["gtid"] == line["after"]["gtid"] for line in lines), "a row has another transaction's GTID"
    return [line["gtid"] for line in lines]


def live(server, **more):
    """A configuration to read this server with; dump asks nothing of its sink."""
    return {
        "source": source_of(server, **more),
        "sinks": {"cache": {"type": "redis", "url": "redis://127.0.0.1:1"}},
        "routes": [{"table": "shop.t", "to": "cache", "key": ["gtid"], "invalidate": ["t:{gtid}"]}],
    }


def test_a_position_begins_where_mariadb_binlog_begins(new_db, sluice, rng, full):
    server = new_db()
    log = Log(server, rng)
    driver = sluice(live(server))
    assert len(server.binlogs()) > 2
    for _ in range(FULL_POSITIONS if full else POSITIONS):
        position = log.position()
        if position:
            assert of_sluice(driver, position, log.end) == of_mariadb_binlog(server, position), position


@pytest.fixture
def replica(new_db):
    server = new_db(name="replica")
    server.sql("CREATE TABLE shop.t (gtid VARCHAR(40), n INT PRIMARY KEY AUTO_INCREMENT)")
    return server


def of_replica(replica, server, position):
    """The GTIDs that the replica applies, in order; None when the server refuses its position."""
    replica.script(
        [
            "RESET MASTER",
            f"SET GLOBAL gtid_slave_pos = '{position}'",
            "SET sql_log_bin = 0",
            "TRUNCATE shop.t",
            f"CHANGE MASTER TO master_host='127.0.0.1', master_port={server.port}, master_user='replica', "
            "master_password='replica', master_use_gtid=slave_pos",
            "START SLAVE",
        ]
    )
    wanted = set(server.value("SELECT @@gtid_binlog_pos").split(","))
    refused = 1236

    def settled():
        status = replica.dicts("SHOW SLAVE STATUS")[0]
        if status["Last_IO_Errno"] == refused:
            return "refused"
        return wanted <= set(replica.value("SELECT @@gtid_slave_pos").split(",")) and "done"

    how = wait_until(settled, lambda: f"the replica to catch up: {replica.dicts('SHOW SLAVE STATUS')}")
    replica.stop_replica()
    return [row[0] for row in replica.sql("SELECT gtid FROM shop.t ORDER BY n")] if how == "done" else None


def test_a_position_begins_where_a_replica_begins(new_db, replica, sluice, rng, full):
    server = new_db()
    log = Log(server, rng, rising_by_server=True)
    driver = sluice(live(server))
    for _ in range(FULL_REPLICATED if full else REPLICATED):
        position = log.position()
        if position:
            assert of_sluice(driver, position, log.end) == of_replica(replica, server, position), position


def test_positions_that_the_log_does_not_hold(new_db, replica, sluice, rng):
    """What a replica is refused stops, what it is not begins at the same place. Only of a domain that the server does
    not know sluice asks more: it has one source, so what was read of that domain is lost there."""
    server = new_db()
    log = Log(server, rng)
    domain, server_id, number = log.gtids[-1].split("-")
    hole, unknown = log.hole(), "17-1-1"
    begins = {
        hole: True,
        f"{domain}-{server_id}-{int(number) + 5}": False,
        f"{domain}-9-{number}": False,
        unknown: True,
    }
    for gtid, is_taken in begins.items():
        others = [g for g in log.gtids if not g.startswith(gtid.split("-")[0] + "-")][:1]
        position = ",".join([gtid, *others])
        theirs = of_replica(replica, server, position)
        assert (theirs is not None) == is_taken, position
        if not is_taken or gtid == unknown:
            done = sluice(live(server)).run("dump", "--from", position, "--to", at(log.end))
            assert done.returncode == STOPPED and "gtid_surplus" in done.stderr, position
        if is_taken:
            driver = sluice(live(server, on_lost_transactions="continue"))
            assert of_sluice(driver, position, log.end) == theirs, position
