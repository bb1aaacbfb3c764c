# SPDX-License-Identifier: Apache-2.0
"""Where the clients are run: a private mariadbd with TLS, and weir in front of it with audit_log, sql_firewall and ip_filter."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from harness import accounts  # noqa: E402
from harness.endpoint import DATABASE, Endpoint  # noqa: E402
from harness.gateway import Gateway  # noqa: E402
from harness.mariadb import MariaDB  # noqa: E402
from harness.packaging import package  # noqa: E402
from harness.paths import PACKAGED, ROOT  # noqa: E402

PLUGINS = ("audit_log", "sql_firewall", "ip_filter")
CONFIGURATION = """
[plugin.audit_log]
file = "{folder}/audit.log"
strategy = "SYNCHRONOUS"
starting = true

[plugin.sql_firewall]
mode = "DETECTING"
allow_list = "{folder}/allow"

[plugin.ip_filter]
file = "{root}/plugin/ip_filter/ip_filter.conf"
"""


def make_certificates(folder):
    """An authority, and a server's certificate for 127.0.0.1 which both servers use."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=clients ca", "-keyout", "ca.key",
            "-out", "ca.pem", "-addext", "keyUsage=critical,keyCertSign")
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
            "-extfile", "server.ext", "-out", "server.pem")


class Place:
    """Both servers, started and stopped together, and what a program is told of them."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        make_certificates(self.folder)
        self.file = self.folder / "load.txt"
        self.file.write_text("".join(f"{i}\tline {i}\n" for i in range(5000)))
        (self.folder / "db").mkdir()
        self.database = MariaDB(self.folder / "db", [f"--ssl-cert={self.folder}/server.pem", f"--ssl-key={self.folder}/server.key"])
        self.gateway = None

    def start(self):
        self.database.start()
        self.database.execute(*accounts.STATEMENTS)
        self.gateway = self.start_gateway(self.folder / "gateway", self.database)
        self.direct = Endpoint("direct", self.database.host, self.database.port, self.database.socket)
        self.weir = self.gateway.endpoint
        return self

    def start_gateway(self, folder, database):
        """A gateway with the three plugins in front of a database."""
        for name in PLUGINS:
            package(ROOT / "plugin" / name, PACKAGED)
        folder.mkdir()
        configuration = folder / "weir.toml"
        configuration.write_text(CONFIGURATION.format(folder=folder, root=ROOT))
        gateway = Gateway(folder, database.address, PACKAGED, [f"{name}-1" for name in PLUGINS],
                          ["-config", configuration, "-ssl-cert", self.folder / "server.pem", "-ssl-key", self.folder / "server.key"])
        gateway.start()
        gateway.endpoint = Endpoint("weir", gateway.host, gateway.port, gateway.socket)
        return gateway

    def endpoints(self):
        return self.direct, self.weir

    def empty(self):
        """Before each run: the database of the cases with nothing in it, and globals as they were."""
        self.database.execute(f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")

    def environment(self):
        """What a program is told beside where to connect (Endpoint.run)."""
        return {"WEIR_TEST_CA": str(self.folder / "ca.pem"), "WEIR_TEST_FILE": str(self.file)}

    def stop(self):
        """Both have to end well."""
        if self.gateway:
            self.gateway.stop()
        self.database.stop()

    def kill(self):
        for server in (self.gateway, self.database):
            if server and server.process:
                server.process.kill()
