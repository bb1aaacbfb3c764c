# SPDX-License-Identifier: Apache-2.0
"""HAProxy in front of something: it says in a PROXY header who its client is."""
import csv
import io
import os
import pathlib
import socket
import subprocess

from .paths import program
from .ports import free_port
from .process import ServerProcess
from .waiting import wait_for

BEHIND_BALANCER = bool(os.environ.get("WEIR_TEST_BALANCER"))  # it stands in front of the gateway that most cases share

CONFIGURATION = """
defaults
    mode tcp
    timeout connect 10s
    timeout client 10m
    timeout server 10m
    unique-id-format %[src]-%[src_port]
listen gateway
    bind 127.0.0.1:{port} {bind}
    server one {server} {options}
"""


def certificates(folder):
    """An authority and certificates of a server and of a client of it: FOLDER/ca.crt, server.pem, client.crt, client.key."""
    def openssl(*words):
        subprocess.run([program("openssl"), *words], cwd=folder, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=authority")
    for name in ("server", "client"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN=app-{name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.crt")
    (folder / "server.pem").write_text((folder / "server.crt").read_text() + (folder / "server.key").read_text())


class HAProxy:
    """text: its configuration, without a section `global`; start() returns when it listens on the port."""

    def __init__(self, folder, port, text):
        self.folder, self.port = pathlib.Path(folder), port
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file, self.admin = self.folder / "haproxy.cfg", self.folder / "admin.sock"
        self.file.write_text(f"global\n    maxconn 1000\n    stats socket {self.admin}\n{text}")
        self.process = None

    def start(self):
        self.process = ServerProcess("haproxy", [program("haproxy"), "-db", "-f", self.file], self.folder)
        wait_for(self._listens, "HAProxy to listen")
        return self

    def _listens(self):
        assert self.process.alive(), self.process.log()
        needle = f"0100007F:{self.port:04X} 00000000:0000 0A"  # 127.0.0.1, in /proc's way
        return needle in pathlib.Path("/proc/net/tcp").read_text()

    def states(self):
        """What it takes its servers for, by name: UP, NOLB (it goes on with sessions, and gives it no new ones), DOWN; while it
        changes its mind also "DOWN 1/2"."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self.admin))
            admin.sendall(b"show stat\n")
            text = b"".join(iter(lambda: admin.recv(65536), b"")).decode()
        rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
        return {row["svname"]: row["status"] for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")}

    def wait_state(self, server, state):
        wait_for(lambda: self.states()[server] == state, f"HAProxy to take {server} for {state}")

    def stop(self):
        self.process.kill()


class Balancer(HAProxy):
    """server: the address behind it, as HAProxy writes it; options: of HAProxy's line `server`; bind: of its line `bind`."""

    def __init__(self, folder, server, options, bind=""):
        port = free_port()
        super().__init__(folder, port, CONFIGURATION.format(port=port, bind=bind, server=server, options=options))
