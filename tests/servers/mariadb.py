"""MariaDB of Debian's mariadb-server package."""

import os
import re
import shutil
import subprocess

from .database import Database
from .process import Unavailable, wait_until


class MariaDB(Database):
    kind = flavor = "mariadb"
    status_statement = "SHOW MASTER STATUS"
    defaults = {
        **Database.defaults,
        "log-slave-updates": True,
        "innodb_log_file_size": "64M",
    }

    @classmethod
    def binary(cls):
        path = shutil.which("mariadbd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        if not path:
            raise Unavailable("no mariadbd: install mariadb-server")
        return path

    @classmethod
    def version_key(cls):
        words = subprocess.check_output([cls.binary(), "--version"], text=True)
        return "mariadb-" + re.search(r"Ver (\S+)", words).group(1)

    @classmethod
    def make_template(cls, directory):
        os.mkdir(directory)
        subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={directory}/data",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--force",  # also where no name can be looked up
                *cls.run_as(),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )

    @staticmethod
    def run_as():
        return ["--user=root"] if os.geteuid() == 0 else []

    def argv(self):
        return [self.binary(), "--no-defaults", *self.run_as(), *self.option_args()]

    def reset_binlog(self):
        self.sql("RESET MASTER")

    def gtid(self):
        return self.value("SELECT @@gtid_current_pos" if self.is_replica() else "SELECT @@gtid_binlog_pos")

    def is_replica(self):
        return bool(self.sql("SHOW SLAVE STATUS"))

    def has_gtid(self, gtid):
        return self.value("SELECT MASTER_GTID_WAIT(%s, 0)", (gtid,)) == 0

    def replicate_from(self, primary):
        """Follows another server by GTID, from the beginning of its binlog."""
        self.sql("SET GLOBAL gtid_slave_pos = ''")
        self.sql(
            "CHANGE MASTER TO master_host='127.0.0.1', master_port=%s, master_user='replica', "
            "master_password='replica', master_use_gtid=slave_pos, master_connect_retry=1",
            (primary.port,),
        )
        self.sql("START SLAVE")
        wait_until(
            lambda: self.dicts("SHOW SLAVE STATUS")[0]["Slave_IO_Running"] == "Yes",
            lambda: f"{self.name} to replicate: {self.dicts('SHOW SLAVE STATUS')}",
        )

    def stop_applying(self):
        self.sql("STOP SLAVE")

    def stop_replica(self):
        self.script(["STOP SLAVE", "RESET SLAVE ALL"])
