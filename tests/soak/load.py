# SPDX-License-Identifier: Apache-2.0
"""Clients beside the suites: sysbench at a low rate, and sessions that end in every way."""
import random
import subprocess

import pymysql
from harness.endpoint import PASSWORD, USER
from harness.paths import program
from harness.raw import COM_QUERY, Closed, ServerError
from until_stopped import UntilStopped

SIZES = ["--tables=2", "--table-size=1000"]


class Sysbench:
    """Point selects and transactions, begun again whenever it ends (it gives up when its backend is killed)."""

    def __init__(self, endpoint):
        self.words = [program("sysbench"), f"--mysql-host={endpoint.host}", f"--mysql-port={endpoint.port}", f"--mysql-user={USER}",
                      f"--mysql-password={PASSWORD}", "--mysql-db=sbtest", *SIZES]
        subprocess.run([*self.words, "oltp_read_write", "prepare"], check=True, capture_output=True)
        self.process, self.runs = None, 0
        self.begin()

    def begin(self):
        """Begins it unless it runs."""
        if self.process is None or self.process.poll() is not None:
            self.runs += 1
            self.process = subprocess.Popen([*self.words, "--threads=4", "--rate=10", "--time=0", "--mysql-ignore-errors=all",
                                             "oltp_read_write", "run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Visitors(UntilStopped):
    """Sessions one after another: some say goodbye, some vanish, some are refused, some change who they are."""

    def __init__(self, endpoint, seed):
        self.endpoint, self.random, self.count = endpoint, random.Random(seed), 0
        super().__init__()

    def _run(self):
        visits = (self._leaves, self._vanishes, self._is_refused, self._changes, self._fails)
        while not self.stopped.wait(0.05):
            try:
                self.random.choice(visits)()
            except (pymysql.err.Error, OSError, Closed, ServerError):
                pass  # the backend is killed now and then
            self.count += 1

    def _open(self, **options):
        return self.endpoint.connect(database=None, read_timeout=30, **options)

    def _leaves(self):
        with self._open() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT SQL_CALC_FOUND_ROWS seq FROM mysql.seq_1_to_100 LIMIT 3")
            cursor.execute("SELECT FOUND_ROWS()")

    def _vanishes(self):
        """In the middle of a result that nobody reads."""
        with self.endpoint.raw(database=None, timeout=30) as connection:
            connection.send(bytes([COM_QUERY]) + b"SELECT REPEAT('x', 1000) FROM mysql.seq_1_to_10000")
            connection.read_packet()

    def _is_refused(self):
        self._open(password="wrong").close()

    def _changes(self):
        with self._open() as connection, connection.cursor() as cursor:
            cursor.execute("SET ROLE reader; SET NAMES latin1; SET sql_mode = CONCAT('ANSI', '_QUOTES')")
            while cursor.nextset():
                pass
            cursor.execute("EXECUTE IMMEDIATE 'USE information_schema'")
            cursor.execute("SELECT DATABASE(), @@sql_mode")

    def _fails(self):
        with self._open() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1; SELEC; SELECT 3")
            while cursor.nextset():
                pass
