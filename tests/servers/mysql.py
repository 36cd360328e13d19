"""Genuine MySQL from the Debian sid tree that `scripts/servers mysql` makes.

The server runs chrooted into that shared tree, with its own directory mounted at /mnt, in a mount namespace that
ends with the process.
"""

import json
import os
import re
import shutil
import subprocess

from .database import CACHE, Database
from .process import Unavailable, wait_until

_ENTER = """
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --bind "$2" "$1/mnt"
tree=$1; shift 2
exec chroot "$tree" "$@"
"""


class MySQL(Database):
    kind = flavor = "mysql"
    status_statement = "SHOW BINARY LOG STATUS"
    defaults = {
        **Database.defaults,
        "binlog_format": None,
        "mysqlx": "OFF",
        "secure-file-priv": "",
        "gtid-mode": "ON",
        "enforce-gtid-consistency": "ON",
        "innodb_redo_log_capacity": "128M",
        "performance_schema": "OFF",
    }

    @classmethod
    def tree(cls):
        path = os.path.join(CACHE, "mysql-sid")
        if not os.path.exists(os.path.join(path, ".sluice-complete")):
            raise Unavailable("no MySQL tree: run scripts/servers mysql")
        if os.geteuid() != 0:
            raise Unavailable("MySQL runs in a chroot: that needs root")
        return path

    @classmethod
    def entered(cls, directory, *argv):
        return ["unshare", "--mount", "sh", "-euc", _ENTER, "enter", cls.tree(), directory, *argv]

    @classmethod
    def version_key(cls):
        words = subprocess.check_output(["chroot", cls.tree(), "/usr/sbin/mysqld", "--version"], text=True)
        return "mysql-" + re.search(r"Ver (\S+)", words).group(1)

    @classmethod
    def make_template(cls, directory, *more):
        os.mkdir(directory)
        argv = ["/usr/sbin/mysqld", "--no-defaults", "--user=root", "--initialize-insecure", "--datadir=/mnt/data", *more]
        subprocess.run(cls.entered(directory, *argv), check=True, capture_output=True, stdin=subprocess.DEVNULL)
        os.remove(os.path.join(directory, "data", "auto.cnf"))

    def inner(self, path):
        return "/mnt" + path[len(self.directory) :] if path.startswith(self.directory) else path

    def argv(self):
        return self.entered(self.directory, "/usr/sbin/mysqld", "--no-defaults", "--user=root", *self.option_args())

    def option_args(self):
        # Files named in options (TLS) are seen through the mount.
        return [
            arg if "=/" not in arg else "{}={}".format(arg.split("=", 1)[0], self.inner(arg.split("=", 1)[1]))
            for arg in super().option_args()
        ]

    def reset_binlog(self):
        self.sql("RESET BINARY LOGS AND GTIDS")

    def gtid(self):
        return self.value("SELECT @@gtid_executed").replace("\n", "")

    def has_gtid(self, gtid):
        return self.value("SELECT GTID_SUBSET(%s, @@gtid_executed)", (gtid,)) == 1

    def replicate_from(self, primary):
        """Follows another server by GTID, from the beginning of its binlog."""
        self.reset_binlog()
        self.sql(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=%s, SOURCE_USER='replica', "
            "SOURCE_PASSWORD='replica', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1",
            (primary.port,),
        )
        self.sql("START REPLICA")
        wait_until(
            lambda: self.dicts("SHOW REPLICA STATUS")[0]["Replica_IO_Running"] == "Yes",
            lambda: f"{self.name} to replicate: {self.dicts('SHOW REPLICA STATUS')}",
        )

    def stop_applying(self):
        self.sql("STOP REPLICA")

    def stop_replica(self):
        self.script(["STOP REPLICA", "RESET REPLICA ALL"])


class FoldingMySQL(MySQL):
    """Keeps names of tables in lower case, which a data directory is made for."""

    defaults = {**MySQL.defaults, "lower_case_table_names": 1}

    @classmethod
    def version_key(cls):
        return super().version_key() + "-folding"

    @classmethod
    def make_template(cls, directory):
        super().make_template(directory, "--lower-case-table-names=1")


class EncryptedMySQL(MySQL):
    """Encrypts its binlog, with a keyring in a file.

    The server looks for the list of its components beside its binary and for their settings beside the plugins, so it
    has copies of both in its own directory; the shared tree stays as it is.
    """

    defaults = {**MySQL.defaults, "binlog_encryption": "ON"}

    def argv(self):
        home = os.path.join(self.directory, "home")
        plugins = os.path.join(home, "plugin")
        if not os.path.isdir(home):
            os.makedirs(plugins)
            shutil.copy(os.path.join(self.tree(), "usr/sbin/mysqld"), home)
            shutil.copy(os.path.join(self.tree(), "usr/lib/mysql/plugin/component_keyring_file.so"), plugins)
            with open(os.path.join(home, "mysqld.my"), "w", encoding="ascii") as file:
                json.dump({"components": "file://component_keyring_file"}, file)
            with open(os.path.join(plugins, "component_keyring_file.cnf"), "w", encoding="ascii") as file:
                json.dump({"path": self.inner(os.path.join(home, "keyring")), "read_only": False}, file)
        args = ["--no-defaults", "--user=root", f"--plugin-dir={self.inner(plugins)}", *self.option_args()]
        return self.entered(self.directory, self.inner(os.path.join(home, "mysqld")), *args)
