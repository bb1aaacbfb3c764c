# SPDX-License-Identifier: Apache-2.0
"""What one worker works with: a MariaDB on tmpfs that tells what it does (server_audit, performance_schema), and a gateway in front
of it with the witness and sql_firewall."""
import contextlib
import os
import pathlib
import shutil
import tempfile

import pymysql
from pymysql.constants import CLIENT

from harness.gateway import Gateway
from harness.mariadb import MariaDB
from harness.packaging import package
from harness.paths import BUILD, ROOT

import schema

PLUGINS = BUILD / "fuzz_server"

SERVER_OPTIONS = (
    "--skip-log-bin", "--query-cache-type=0", "--query-cache-size=0", "--default-storage-engine=MEMORY",
    "--plugin-load-add=server_audit", "--server-audit-logging=ON",
    "--server-audit-events=TABLE", "--max-statement-time=2", "--lock-wait-timeout=1", "--innodb-lock-wait-timeout=1",
    "--performance-schema-events-statements-history-long-size=1500", "--performance-schema-max-sql-text-length=2048",
    "--use-stat-tables=NEVER", "--max-prepared-stmt-count=100000",
    "--performance-schema-digests-size=0", "--table-open-cache=2000", "--sql-mode=STRICT_TRANS_TABLES")

INSTRUMENT = [
    "UPDATE performance_schema.setup_consumers SET ENABLED='YES' WHERE NAME LIKE 'events_statements%'",
    "UPDATE performance_schema.setup_instruments SET ENABLED='YES', TIMED='NO' WHERE NAME LIKE 'statement/%'",
    "DELETE FROM performance_schema.setup_actors",
    *(f"INSERT INTO performance_schema.setup_actors (HOST, USER, ROLE, ENABLED) VALUES ('%', '{account}', '%', 'YES')"
      for account in schema.ACCOUNTS),
    "UPDATE performance_schema.threads SET INSTRUMENTED='NO' WHERE PROCESSLIST_ID = CONNECTION_ID()",
]


def build_plugins():
    package(pathlib.Path(__file__).parent / "witness", PLUGINS)
    package(ROOT / "plugin" / "sql_firewall", PLUGINS)


class Grown:
    """A file that somebody appends to, read from where it was left."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.touch()
        self.descriptor = os.open(self.path, os.O_RDONLY)

    def size(self):
        return os.fstat(self.descriptor).st_size

    def read(self, start, end):
        return os.pread(self.descriptor, end - start, start)

    def close(self):
        os.close(self.descriptor)


class Stand:
    """Use as a context manager. admin: a cursor of the administrator, directly at the server."""

    def __enter__(self):
        parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-judge-", dir=parent))
        self.database = self.gateway = None
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        (self.folder / "db").mkdir()
        (self.folder / "files").mkdir()
        self.database = MariaDB(self.folder / "db", (
            *SERVER_OPTIONS, f"--server-audit-file-path={self.folder}/audit.log", f"--secure-file-priv={self.folder}/files",
            "--server-audit-file-rotate-size=9223372036854775807"))
        self.database.start()
        self.connection = self.database.connect(charset="utf8mb4", client_flag=CLIENT.MULTI_STATEMENTS)
        self.admin = self.connection.cursor()
        self.reset()
        for statement in (*schema.account_statements(), *INSTRUMENT):
            self.admin.execute(statement)
        (self.folder / "rules.toml").write_text(schema.RULES)
        (self.folder / "weir.toml").write_text(
            f'[plugin.sql_firewall]\nmode = "PROTECTING"\nrules = "{self.folder}/rules.toml"\n'
            f'allow_list = "{self.folder}/allow"\n')
        self.start_gateway()
        self.audit = Grown(self.folder / "audit.log")

    def start_gateway(self):
        self.gateway = Gateway(self.folder / "gateway", self.database.address, PLUGINS, ["witness-1", "sql_firewall-1"],
                               ["-config", self.folder / "weir.toml"],
                               {"WITNESS_FILE": str(self.folder / "witness.jsonl")})
        self.gateway.start()
        self.witness = Grown(self.folder / "witness.jsonl")

    def __exit__(self, *_):
        for server in (self.gateway, self.database):
            if server and server.process:
                server.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def query(self, sql):
        self.admin.execute(sql)
        return self.admin.fetchall()

    def reset(self):
        try:
            self._reset()
        except pymysql.err.OperationalError as error:
            if error.args[0] not in (1010, 1050):  # files that the server does not know: left by a statement that failed halfway
                raise
            for database in schema.FOLDERS:
                shutil.rmtree(self.folder / "db" / "data" / database, ignore_errors=True)
            self._reset()

    def _reset(self):
        # A loop goes on after its client has left, and fills the history of statements.
        for (thread, ) in self.query("SELECT id FROM information_schema.PROCESSLIST WHERE user <> 'system user' AND id <> CONNECTION_ID()"):
            with contextlib.suppress(pymysql.err.MySQLError):  # it ends just now
                self.admin.execute(f"KILL {thread}")
        self.admin.execute(";".join(schema.reset_statements()))
        while self.admin.nextset():
            pass

    def drops(self):
        """How many statements of the kinds DROP ... have run, also within others."""
        return sum(int(count) for _, count in self.query("SHOW GLOBAL STATUS LIKE 'Com\\_drop%'"))

    def redefined(self, start):
        """Whether a table that cases begin with has been created, dropped or changed since the audit log had this size."""
        for line in self.audit.read(start, self.audit.size()).splitlines():
            fields = line.split(b",", 8)
            if len(fields) == 9 and fields[6] in (b"CREATE", b"DROP", b"ALTER", b"RENAME") and not fields[8].startswith(b"new"):
                return True
        return False

    def trim(self):
        """Empties the files that grow."""
        for grown in (self.audit, self.witness):
            if grown.size() > 64 << 20:
                os.truncate(grown.path, 0)
