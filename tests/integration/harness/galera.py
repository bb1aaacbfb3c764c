# SPDX-License-Identifier: Apache-2.0
"""A Galera cluster of three nodes: Debian's MariaDB with its galera-4, each node on an address of its own."""
import pathlib
import re
import shutil
import subprocess
import tempfile

from . import accounts
from .mariadb import MariaDB
from .paths import ROOT
from .ports import free_port

PROVIDER = pathlib.Path("/usr/lib/galera/libgalera_smm.so")
ACCOUNT = "mysql"  # a state transfer drops the rights of root, and could not read what root's server has written

# In seconds: how soon the others go on without a node. Galera's own are 5 and 15.
SUSPECT, INACTIVE = 2, 4


def _transfer_scripts(folder):
    """A folder with wsrep_sst_rsync that ACCOUNT can read."""
    for place in (pathlib.Path("/usr/bin"), ROOT / "build/debian/usr/bin"):
        if (place / "wsrep_sst_rsync").exists():
            folder.mkdir()
            for name in ("wsrep_sst_rsync", "wsrep_sst_common"):
                shutil.copy(place / name, folder / name)
                (folder / name).chmod(0o755)
            return folder
    raise FileNotFoundError("wsrep_sst_rsync is missing: run tools/bootstrap.sh test")


class GaleraNode(MariaDB):
    """start() recovers the position that a killed node has, and so it needs no whole state transfer."""

    account = ACCOUNT

    def __init__(self, folder, name, host, prefix, scripts):
        folder.mkdir(exist_ok=True)
        super().__init__(folder, (), host, prefix)
        self.name = name
        self.group_port, self.transfer_port, self.increment_port = free_port(), free_port(), free_port()
        self.environment = {"PATH": f"{scripts}:/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": str(folder)}

    def join(self, nodes):
        """Sets the options of a node of this cluster. The first of the others is the donor of its state transfers."""
        members = ",".join(f"{node.host}:{node.group_port}" for node in nodes)
        others = ",".join(node.name for node in nodes if node is not self)
        provider = ";".join((
            f"gmcast.listen_addr=tcp://{self.host}:{self.group_port}", f"ist.recv_addr={self.host}:{self.increment_port}",
            f"evs.suspect_timeout=PT{SUSPECT}S", f"evs.inactive_timeout=PT{INACTIVE}S", "evs.inactive_check_period=PT0.5S",
            "evs.keepalive_period=PT0.5S", f"evs.install_timeout=PT{INACTIVE}S", "gcache.size=32M", "gcs.fc_limit=200",
            "pc.recovery=false"))
        self.options = (
            "--wsrep-on=ON", f"--wsrep-provider={PROVIDER}", f"--wsrep-cluster-address=gcomm://{members}", "--wsrep-cluster-name=proof",
            f"--wsrep-node-name={self.name}", f"--wsrep-node-address={self.host}:{self.group_port}", "--wsrep-sst-method=rsync",
            f"--wsrep-sst-receive-address={self.host}:{self.transfer_port}", f"--wsrep-sst-donor={others},",
            f"--wsrep-provider-options={provider}", "--innodb-autoinc-lock-mode=2", "--performance-schema=OFF",
            "--max-connections=300", "--wsrep-slave-threads=2")

    def own_files(self):
        subprocess.run(["chown", "-R", f"{ACCOUNT}:{ACCOUNT}", self.folder], check=True)

    def recovered(self):
        """Where the cluster's history ended for it."""
        done = subprocess.run([*self.prefix, *self.command("--wsrep-recover", "--skip-networking")], capture_output=True,
                              text=True, check=False, timeout=60)
        return re.search(r"Recovered position: *(\S+)", done.stderr + done.stdout).group(1)

    def start(self, more=()):
        self.own_files()
        if not more and (self.folder / "data/grastate.dat").exists():
            more = (f"--wsrep-start-position={self.recovered()}",)
        return super().start(more)

    def state(self):
        """4 is Synced, 2 a donor or desynced."""
        return int(self.execute("SHOW GLOBAL STATUS LIKE 'wsrep_local_state'")[0][1])

    def forget(self):
        """Has it lose its data, so that it gets a whole state transfer: a datadir of another cluster."""
        (self.folder / "data/grastate.dat").unlink(missing_ok=True)
        (self.folder / "data/gvwstate.dat").unlink(missing_ok=True)


class Galera:
    """places: address and prefix of each node's programs."""

    def __init__(self, places):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-galera-"))  # pytest's are for root alone
        self.folder.chmod(0o755)
        scripts = _transfer_scripts(self.folder / "bin")
        self.nodes = []
        for number, (host, prefix) in enumerate(places, 1):
            folder = self.folder / f"node{number}"
            if self.nodes:  # as good as one that is made again
                shutil.copytree(self.nodes[0].folder / "data", folder / "data")
            self.nodes.append(GaleraNode(folder, f"node{number}", host, prefix, scripts))
        for node in self.nodes:
            node.join(self.nodes)

    def start(self, *statements):
        """The first node begins with these statements; the others get what it has."""
        first, *others = self.nodes
        first.start(("--wsrep-new-cluster",))
        first.execute(*accounts.STATEMENTS, *statements)
        for node in others:
            node.start()
        return self

    def stop(self):
        for node in self.nodes:
            if node.process:
                node.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
