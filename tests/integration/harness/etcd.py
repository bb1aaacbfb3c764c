# SPDX-License-Identifier: Apache-2.0
"""A private etcd of one or several members, and etcdctl, which plays the part of TiDB's servers.

Where WEIR_PD names a pd-server, that is started in place of etcd: TiDB's PD has one in it."""
import json
import os
import pathlib
import subprocess

from .paths import program
from .ports import free_port
from .process import ServerProcess
from .waiting import wait_for


def _etcd(client, peer, certificates):
    tls = ["--cert-file", certificates / "server.pem", "--key-file", certificates / "server.key", "--client-cert-auth",
           "--trusted-ca-file", certificates / "ca.pem"] if certificates else []
    return [program("etcd"), "--listen-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--unsafe-no-fsync", *tls]


def _placement_driver(client, peer, certificates):
    tls = ["--cert", certificates / "server.pem", "--key", certificates / "server.key",
           "--cacert", certificates / "ca.pem"] if certificates else []
    return [os.environ["WEIR_PD"], "--client-urls", client, "--peer-urls", peer, "--advertise-peer-urls", peer, *tls]


class Etcd:
    """members: how many. start() returns when the cluster answers. options: of each etcd. certificates: a folder of them
    (harness/certificates.py); clients must show one. places: the network namespaces that the members are in (harness/namespace.py)."""

    def __init__(self, folder, members=1, options=(), certificates=None, places=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.options, self.certificates = options, certificates
        self.ctl_options = ("--cacert", certificates / "ca.pem", "--cert", certificates / "client.pem",
                            "--key", certificates / "client.key") if certificates else ()
        scheme = "https" if certificates else "http"
        hosts = [place.inside for place in places] or ["127.0.0.1"] * members
        self.prefixes = [place.prefix for place in places] or [()] * members
        self.clients = [f"{scheme}://{host}:{free_port()}" for host in hosts]
        self.peers = [f"http://{host}:{free_port()}" for host in hosts]
        self.processes = [None] * len(hosts)

    @property
    def endpoints(self):
        return ",".join(self.clients)

    def launch(self, number=0):
        """Starts one member, with the data that it had."""
        place = self.clients[number], self.peers[number]
        self.processes[number] = ServerProcess(f"etcd{number}", [
            *(_placement_driver(*place, self.certificates) if "WEIR_PD" in os.environ else _etcd(*place, self.certificates)),
            "--name", f"m{number}", "--data-dir", self.folder / f"m{number}", "--advertise-client-urls", self.clients[number],
            "--initial-cluster", ",".join(f"m{n}={peer}" for n, peer in enumerate(self.peers)),
            *self.options], self.folder, prefix=self.prefixes[number])

    def start(self):
        for number in range(len(self.processes)):
            self.launch(number)
        self.wait_answers()
        return self

    def wait_answers(self):
        wait_for(lambda: self.ctl("get", "nothing", check=False).returncode == 0, "etcd to answer", 30)

    def kill(self, number=0):
        """kill -9."""
        self.processes[number].kill()

    def stop(self):
        for process in self.processes:
            if process:
                process.kill()

    def ctl(self, *words, check=True):
        return subprocess.run([program("etcdctl"), "--endpoints", self.endpoints, "--command-timeout", "5s", *self.ctl_options,
                               *words], capture_output=True, text=True, check=check, env={"ETCDCTL_API": "3"})

    def put(self, key, value):
        self.ctl("put", key, value)

    def get(self, key):
        """The value; None: there is no such key."""
        lines = self.ctl("get", key).stdout.splitlines()
        return lines[1] if len(lines) > 1 else None

    def keys(self, prefix):
        return [line for line in self.ctl("get", "--prefix", "--keys-only", prefix).stdout.splitlines() if line]

    def txn(self, operations):
        """All of them at once: at most 128."""
        lines = "\n".join(["", *operations, "", ""])
        subprocess.run([program("etcdctl"), "--endpoints", self.endpoints, *self.ctl_options, "txn"], input=lines + "\n",
                       capture_output=True, text=True, check=True, env={"ETCDCTL_API": "3"})

    def history(self, prefix, revision, is_enough):
        """What was put below a prefix since a revision, as text, up to what is enough."""
        watch = subprocess.Popen([program("etcdctl"), "--endpoints", self.endpoints, *self.ctl_options, "watch", "--prefix", prefix,
                                  "--rev", str(revision)], stdout=subprocess.PIPE, text=True, env={"ETCDCTL_API": "3"})
        try:
            seen = ""
            while not is_enough(seen):
                seen += watch.stdout.readline()
            return seen
        finally:
            watch.kill()
            watch.wait()

    def leader(self):
        """The number of the member that leads; all of them must answer."""
        told = [entry["Status"] for entry in json.loads(self.ctl("endpoint", "status", "-w", "json").stdout)]
        assert len({status["leader"] for status in told}) == 1, told
        return [status["header"]["member_id"] for status in told].index(told[0]["leader"])

    def revision(self):
        return json.loads(self.ctl("get", "nothing", "-w", "json").stdout)["header"]["revision"]
