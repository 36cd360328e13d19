"""What MariaDB and MySQL have in common: SQL, users, binlogs, replication."""

import os
import random
import shutil
import subprocess

import pymysql

from .process import Server, wait_until

REPLICATION_USER = "sluice"
REPLICATION_PASSWORD = "s3cret-Pass"
REPLICA_LIMIT_S = 120

CACHE = os.environ.get("SLUICE_CACHE", os.path.expanduser("~/.cache/sluice"))


class Database(Server):
    """A private database server. options are mysqld options without dashes: {"binlog_row_image": "MINIMAL"}.

    An option's value True gives a bare flag; None takes a default option away.
    """

    flavor = None
    defaults = {
        "skip-name-resolve": True,
        "log-bin": "bin",
        "binlog_format": "ROW",
        "binlog_row_metadata": "FULL",
        "innodb_flush_log_at_trx_commit": 2,
        "sync_binlog": 0,
        "innodb_buffer_pool_size": "128M",
        "max_connections": 200,
    }

    def __init__(self, workspace, options=None, name=None):
        super().__init__(workspace, name)
        self.server_id = random.randrange(1, 1 << 31)
        self.options = {**self.defaults, **(options or {})}
        self.options.setdefault("server-id", self.server_id)
        self.server_id = self.options["server-id"]
        self.data_dir = os.path.join(self.directory, "data")
        self.tmp_dir = os.path.join(self.directory, "tmp")
        self.socket = os.path.join(self.directory, "s.sock")
        self._prepared = False

    # The server's own view of the same directory; it differs inside a chroot.
    def inner(self, path):
        return path

    def option_args(self):
        fixed = {
            "datadir": self.inner(self.data_dir),
            # Its own: a server that starts removes what looks like temporary tables of a dead one.
            "tmpdir": self.inner(self.tmp_dir),
            "socket": self.inner(self.socket),
            "pid-file": self.inner(os.path.join(self.directory, "pid")),
            "port": self.port,
            "bind-address": "127.0.0.1",
        }
        args = []
        for name, value in {**fixed, **self.options}.items():
            if value is True:
                args.append(f"--{name}")
            elif value is not None:
                args.append(f"--{name}={value}")
        return args

    def install(self, path):
        """Copies a file to where the server can read it, for an option that names one."""
        return shutil.copy(path, self.directory)

    @classmethod
    def version_key(cls):
        """Names the prepared data directory in the cache."""
        raise NotImplementedError

    @classmethod
    def make_template(cls, directory):
        raise NotImplementedError

    @classmethod
    def template(cls):
        """A freshly initialised data directory, made once and kept in the cache."""
        final = os.path.join(CACHE, f"data-{cls.version_key()}")
        if not os.path.isdir(final):
            os.makedirs(CACHE, exist_ok=True)
            part = f"{final}.{os.getpid()}"
            shutil.rmtree(part, ignore_errors=True)
            try:
                cls.make_template(part)
                os.rename(os.path.join(part, "data"), final)
            except OSError:
                if not os.path.isdir(final):
                    raise
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return final

    def start(self, wait=True):
        if not self._prepared:
            os.makedirs(self.tmp_dir, exist_ok=True)
            subprocess.run(["cp", "-a", "--sparse=always", self.template(), self.data_dir], check=True)
        super().start(wait)
        if not self._prepared and wait:
            self.add_users()
            self._prepared = True
        return self

    def ready(self):
        try:
            self.connect().close()
            return True
        except pymysql.err.OperationalError:
            return False

    def add_users(self):
        """The replication user gets what sluice asks for and no more; the binlog starts clean after it."""
        self.add_user(REPLICATION_USER, REPLICATION_PASSWORD)
        self.add_user("replica", "replica", "REPLICATION SLAVE")
        self.reset_binlog()

    def add_user(self, user, password, grants="REPLICATION SLAVE, REPLICATION CLIENT, SELECT"):
        with self.connect() as con, con.cursor() as cur:
            cur.execute(f"CREATE USER '{user}'@'%%' IDENTIFIED BY %s", (password,))
            if grants:
                cur.execute(f"GRANT {grants} ON *.* TO '{user}'@'%'")

    # SQL, always as root by the Unix socket.
    def connect(self, database=None, **more):
        more.setdefault("autocommit", True)
        more.setdefault("connect_timeout", 10)
        return pymysql.connect(
            unix_socket=self.socket, user="root", password="", database=database, charset="utf8mb4", **more
        )

    def sql(self, statement, args=None, database=None):
        """Runs one statement on a connection of its own and returns its rows."""
        with self.connect(database) as con, con.cursor() as cur:
            cur.execute(statement, args)
            return list(cur.fetchall())

    def script(self, statements, database=None):
        """Runs statements one after the other in one session; a string is split at `;` line ends."""
        if isinstance(statements, str):
            statements = [s for s in (part.strip() for part in statements.split(";\n")) if s.strip(";")]
        with self.connect(database) as con, con.cursor() as cur:
            for statement in statements:
                cur.execute(statement.rstrip(";"))

    def dicts(self, statement, args=None, database=None):
        with self.connect(database, cursorclass=pymysql.cursors.DictCursor) as con, con.cursor() as cur:
            cur.execute(statement, args)
            return list(cur.fetchall())

    def value(self, statement, args=None, database=None):
        return self.sql(statement, args, database)[0][0]

    # Binlogs.
    def binlogs(self):
        return [row[0] for row in self.sql("SHOW BINARY LOGS")]

    def binlog_path(self, name):
        return os.path.join(self.data_dir, name)

    def binlog_paths(self):
        return [self.binlog_path(name) for name in self.binlogs()]

    def flush_logs(self):
        """Begins a new binlog file and returns the one that is complete now."""
        before = self.binlogs()[-1]
        self.sql("FLUSH BINARY LOGS")
        return self.binlog_path(before)

    def purge_to_last(self):
        """Leaves only the newest binlog file."""
        self.flush_logs()

        # A file that a connection still reads is kept; one whose reader is gone is noticed by and by.
        def purged():
            self.sql(f"PURGE BINARY LOGS TO '{self.binlogs()[-1]}'")
            return len(self.binlogs()) == 1

        wait_until(purged, "the old binlogs to go")

    def position(self):
        """(file, offset) of the end of the binlog."""
        row = self.sql(self.status_statement)[0]
        return row[0], int(row[1])

    def gtid(self):
        """What the server has executed, as its own GTID text."""
        raise NotImplementedError

    def has_gtid(self, gtid):
        raise NotImplementedError

    def catch_up_with(self, primary):
        """Waits until this replica has all that the primary has now."""
        wanted = primary.gtid()
        wait_until(lambda: self.has_gtid(wanted), lambda: f"{self.name} to reach {wanted}: {self.gtid()}", REPLICA_LIMIT_S)
