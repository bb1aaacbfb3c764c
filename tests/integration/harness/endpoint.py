# SPDX-License-Identifier: Apache-2.0
"""A place to connect to, the database itself or the gateway in front of it, and the ways clients do that."""
import dataclasses
import os
import subprocess

import MySQLdb
import pymysql
import pymysql.constants.CLIENT as CLIENT

from .certificates import EVERYWHERE, unverified
from .paths import program
from .raw import RawConnection

USER, PASSWORD, DATABASE = "tester", "s3cret", "weir_case"


@dataclasses.dataclass(frozen=True)
class Endpoint:
    name: str  # "direct" or "weir"
    host: str
    port: int
    socket: str

    def connect(self, **options):
        """PyMySQL, over TCP unless told otherwise. Multi-statements and LOCAL INFILE are on."""
        settings = {"host": self.host, "port": self.port, "user": USER, "password": PASSWORD,
                    "database": DATABASE, "autocommit": True, "local_infile": True, "charset": "utf8mb4",
                    "client_flag": CLIENT.MULTI_STATEMENTS, "connect_timeout": 20, "read_timeout": 60}
        if EVERYWHERE and "unix_socket" not in options:
            settings["ssl"] = unverified()
        return pymysql.connect(**{**settings, **options})

    def connect_c(self, **options):
        """MySQLdb, which is Connector/C."""
        settings = {"host": self.host, "port": self.port, "user": USER, "password": PASSWORD,
                    "database": DATABASE, "charset": "utf8mb4", "local_infile": 1}
        return MySQLdb.connect(**{**settings, **options})

    def raw(self, **options):
        """The protocol itself: packets as bytes."""
        return RawConnection(self.host, self.port, **{"user": USER, "password": PASSWORD, "database": DATABASE,
                                                      **options})

    def shell(self, sql, *arguments, user=USER, password=PASSWORD, database=DATABASE, check=True):
        """The mariadb shell, in batch mode unless the arguments say otherwise."""
        if EVERYWHERE:
            arguments = ("--ssl", *arguments)
        return self.run(program("mariadb"), "--no-defaults", f"--host={self.host}", f"--port={self.port}",
                        "--protocol=tcp", f"--user={user}", f"--password={password}", *arguments, database,
                        input=sql, check=check)

    def run(self, *command, input="", check=True, timeout=60, **environment):
        """A client program, told by its environment where to connect."""
        where = {"WEIR_TEST_HOST": self.host, "WEIR_TEST_PORT": str(self.port), "WEIR_TEST_SOCKET": self.socket,
                 "WEIR_TEST_USER": USER, "WEIR_TEST_PASSWORD": PASSWORD, "WEIR_TEST_DATABASE": DATABASE}
        done = subprocess.run([str(word) for word in command], input=input, text=True, capture_output=True,
                              timeout=timeout, env={**os.environ, **where, **environment})
        if check:
            assert done.returncode == 0, f"{command} on {self.name}: {done.stderr}\n{done.stdout[-2000:]}"
        return done
