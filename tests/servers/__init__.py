"""Private servers for tests and for the demo: free loopback ports, a temporary directory, nothing left behind.

Uses Debian's Python modules only; servers.kafka, which the demo does without, is imported by itself. Everything that is started here dies with the Python process that started
it, whatever way that process ends (see process.py).
"""

from .database import Database, REPLICATION_PASSWORD, REPLICATION_USER
from .mariadb import MariaDB
from .mysql import EncryptedMySQL, FoldingMySQL, MySQL
from .process import Unavailable, Workspace, wait_until
from .proxy import CuttingProxy
from .redis_server import Redis
from .tls import Authority

DATABASES = {"mariadb": MariaDB, "mysql": MySQL}

__all__ = [
    "Authority",
    "CuttingProxy",
    "DATABASES",
    "Database",
    "EncryptedMySQL",
    "FoldingMySQL",
    "MariaDB",
    "MySQL",
    "REPLICATION_PASSWORD",
    "REPLICATION_USER",
    "Redis",
    "Unavailable",
    "Workspace",
    "wait_until",
]
