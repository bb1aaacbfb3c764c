# SPDX-License-Identifier: Apache-2.0
"""A server of the runner's with a gateway in front of it, and one test file run over both: the place where files are compared."""
import difflib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import runner

sys.path.insert(0, str(runner.ROOT / "tests" / "integration"))

from harness.gateway import Gateway  # noqa: E402
from harness.packaging import package  # noqa: E402
from harness.paths import PACKAGED, ROOT  # noqa: E402
from harness.ports import free_port  # noqa: E402

PLUGINS = ("audit_log", "sql_firewall", "ip_filter")
CONFIGURATION = """
[plugin.audit_log]
file = "{folder}/audit.log"
strategy = "SYNCHRONOUS"
rotate_on_size = "64M"
rotations = 1

[plugin.sql_firewall]
mode = "DETECTING"
rules = "{here}/rules.toml"
allow_list = "{folder}/allow"

[plugin.ip_filter]
file = "{root}/plugin/ip_filter/ip_filter.conf"
ban_after = 1000
"""


TEMPORARY = re.compile(rb"(VARDIR/tmp)\w{6}\b")  # a script's
STATUS = {0: None, 62: "skipped"}  # exit statuses of mariadb-test


class Place:
    """What benches share, made before there are any: a folder on tmpfs, the plugins, a pristine data directory."""

    def __init__(self, plugins=PLUGINS):
        self.plugins, self.folder = plugins, None

    def __enter__(self):
        for name in PLUGINS:  # the file has a section of each
            package(ROOT / "plugin" / name, PACKAGED)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-mtr-", dir="/dev/shm"))
        self.folder.chmod(0o755)
        try:
            self._make_pristine()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_pristine(self):
        """As the runner makes it."""
        shutil.chown(self.folder, "mysql")
        module = runner.load(self.folder, free_port())
        try:
            module.start(str(self.folder / "db.sock"))
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"no data directory: {error.output!r} {error.stderr!r}") from error
        finally:
            stop(module)
        shutil.rmtree(self.folder / "data", ignore_errors=True)


def stop(module):
    """Stops the runner's server."""
    if module.SRV:
        module.SRV.kill()
        module.SRV.wait()
        module.SRV = None


class Outcome:
    """What became of a file. verdict: same, retried (equal at a later try), skipped or fails (alike both ways), differs, unsteady (its direct
    runs differ among themselves), timeout (directly)."""

    def __init__(self, name, verdict, seconds, difference=""):
        self.name, self.verdict, self.seconds, self.difference = name, verdict, seconds, difference


class Bench:
    """One server, one gateway, one file at a time."""

    def __init__(self, place):
        self.place, self.gateway = place, None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="b", dir=place.folder))
        self.folder.chmod(0o755)
        self.port, self.socket = free_port(), str(self.folder / "db.sock")
        (self.folder / "server").mkdir()
        self.runner = runner.load(self.folder / "server", self.port)

    def __enter__(self):
        try:
            for folder in (self.folder, self.folder / "server"):
                shutil.chown(folder, "mysql")
            subprocess.run(["cp", "-a", self.place.folder / "pristine", self.folder / "server"], check=True)
            self.runner.start(self.socket)
            self.runner.reset(self.socket)
            self._start_gateway()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.gateway and self.gateway.process:
            self.gateway.process.kill()
        stop(self.runner)

    def _start_gateway(self):
        folder = self.folder / "gateway"
        folder.mkdir(exist_ok=True)
        configuration = folder / "weir.toml"
        configuration.write_text(CONFIGURATION.format(folder=folder, here=pathlib.Path(__file__).parent, root=ROOT))
        self.gateway = Gateway(folder, f"tcp://127.0.0.1:{self.port}", PACKAGED, [f"{name}-1" for name in self.place.plugins],
                               ["-config", configuration] if self.place.plugins else [])
        self.gateway.start()

    def _run(self, name, port):
        self.runner.reset(self.socket)
        if self.runner.admin(self.socket, "USE test").returncode != 0:
            self.runner.start(self.socket)  # on a busy machine it may give up too early
        assert self.runner.SRV.poll() is None, "the server has not started; the files would be run by somebody else's"
        done = self.runner.run(self.socket, ("tcp", str(port)), name)
        if done[0] == "timeout":
            self.runner.start(self.socket)  # its sessions would go on in the next file's database
        return done[0], TEMPORARY.sub(rb"\1", done[1])

    def _gateway_runs(self):
        """A gateway that a file has killed is named by that file's difference, and comes back for the next."""
        if self.gateway.process.alive():
            return ""
        ended = f"weir-server has ended with {self.gateway.process.process.returncode}; its log ends with\n{self.gateway.log()[-2000:]}\n"
        self._start_gateway()
        return ended

    def compare(self, name):
        """Runs the file both ways, up to three times. A file that is equal once to one of its direct runs is equal: there are
        some that depend on statistics. A difference is believed when the direct runs are equal among themselves."""
        start, direct = time.monotonic(), []
        for _ in range(3):
            direct.append(self._run(name, self.port))
            if direct[-1][0] == "timeout":
                return Outcome(name, "timeout", time.monotonic() - start)
            through = self._run(name, self.gateway.port)
            ended = self._gateway_runs()
            if through in direct and not ended and (through[0] in STATUS or len(direct) > 1):
                alike = "retried" if len(direct) > 1 else "same"
                return Outcome(name, STATUS.get(through[0], "fails") or alike, time.monotonic() - start)
        verdict = "differs" if any(direct.count(output) > 1 for output in direct) or ended else "unsteady"
        return Outcome(name, verdict, time.monotonic() - start, ended + difference(direct[-1], through))


def difference(direct, through):
    """The two outputs as a unified diff, with the exit statuses."""
    head = f"direct: {direct[0]}, through weir: {through[0]}\n"
    texts = [output.decode("utf-8", "backslashreplace").splitlines(keepends=True) for _, output in (direct, through)]
    return head + "".join(line if line.endswith("\n") else line + "\n"
                          for line in difflib.unified_diff(*texts, "direct", "through weir", n=3))

