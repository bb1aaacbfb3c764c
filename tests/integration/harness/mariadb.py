# SPDX-License-Identifier: Apache-2.0
"""A private mariadbd: its own data directory, Unix socket and TCP port; nothing of the system's configuration."""
import pathlib
import subprocess

import pymysql

from .paths import mariadb_plugin_dir, program
from .ports import free_port
from .process import ServerProcess


def install_database(folder):
    """Creates a data directory in folder/data."""
    subprocess.run(
        [program("mariadb-install-db"), "--no-defaults", f"--datadir={folder}/data", f"--tmpdir={folder}",
         "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
         "--user=root", "--innodb-log-file-size=16M"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class MariaDB:
    """One database server that can be killed and started again on the same address. prefix: runs it elsewhere, such as
    in a network namespace; account: that it runs as."""

    account, environment = "root", None

    def __init__(self, folder, options=(), host="127.0.0.1", prefix=()):
        self.folder = pathlib.Path(folder)
        self.host, self.port = host, free_port()
        self.prefix = prefix
        self.socket = str(self.folder / "mariadb.sock")
        self.options = options
        self.process = None
        if not (self.folder / "data").exists():
            install_database(self.folder)

    @property
    def address(self):
        """The value of -backend for it."""
        return f"tcp://{self.host}:{self.port}"

    def command(self, *more):
        """What starts it."""
        return [
            program("mariadbd"), "--no-defaults", f"--user={self.account}", f"--datadir={self.folder}/data",
            f"--tmpdir={self.folder}", f"--socket={self.socket}", f"--port={self.port}", f"--bind-address={self.host}",
            f"--pid-file={self.folder}/mariadb.pid", f"--plugin-dir={mariadb_plugin_dir()}",
            "--plugin-load-add=auth_ed25519", "--local-infile=1", "--event-scheduler=OFF",
            f"--log-bin={self.folder}/binlog", "--server-id=1", "--binlog-format=ROW",
            "--max-allowed-packet=64M", "--max-connections=3000", "--table-open-cache=400",
            "--performance-schema=ON", "--character-set-server=utf8mb4",
            "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M",
            "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", "--skip-slave-start",
            "--max-connect-errors=1000000", *self.options, *more]

    def start(self, more=()):
        self.process = ServerProcess("mariadbd", self.command(*more), self.folder, self.environment, self.prefix)
        self.process.wait_ready(self._answers)
        return self

    def _answers(self):
        try:
            self.connect().close()
            return True
        except pymysql.err.OperationalError:
            return False

    def connect(self, **options):
        """An administrator's connection that does not go through anything."""
        return pymysql.connect(**{"unix_socket": self.socket, "user": "root", "autocommit": True, **options})

    def execute(self, *statements):
        """Runs statements as the administrator; returns the rows of the last one."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()

    def connections(self):
        """How many connections it has had so far, this one included."""
        return int(self.execute("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1])

    def stop(self):
        if self.process:
            self.process.stop()
