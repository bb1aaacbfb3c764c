#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A soak: the clients' suites of tests/integration in turn through one gateway, with mischief, for --minutes.

In calm times, while plugins go off and on, every case must pass; in rough times, while the backend is killed, cases may fail, and
the gateway must serve on. At the end everything balances (judge.py). Prints what it did; 0 when all holds."""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from harness import accounts  # noqa: E402
from harness.endpoint import Endpoint  # noqa: E402
from harness.gateway import Gateway  # noqa: E402
from harness.mariadb import MariaDB  # noqa: E402
from harness.outside import announce  # noqa: E402
from harness.packaging import package  # noqa: E402
from harness.paths import PACKAGED  # noqa: E402
from harness.process import resident_bytes  # noqa: E402
from judge import Balance, Memory, verify  # noqa: E402
from load import Sysbench, Visitors  # noqa: E402
from mischief import PLUGINS, Mischief  # noqa: E402

SUITES = ("drivers", "commands", "prepared", "results", "pipelining", "authentication", "large")
CONFIGURATION = """
[plugin.audit_log]
file = "{folder}/audit.log"
strategy = "SYNCHRONOUS"
starting = true
chain = true
compress = true
rotate_on_size = "32M"

[plugin.sql_firewall]
mode = "DETECTING"
rules = "{root}/tests/mtr/rules.toml"
allow_list = "{folder}/allow"

[plugin.ip_filter]
file = "{root}/plugin/ip_filter/ip_filter.conf"
"""


def start_gateway(folder, database):
    folder.mkdir()
    configuration = folder / "weir.toml"
    configuration.write_text(CONFIGURATION.format(folder=folder, root=ROOT))
    for name in PLUGINS:
        package(ROOT / "plugin" / name, PACKAGED)
    gateway = Gateway(folder, database.address, PACKAGED, [f"{name}-1" for name in PLUGINS], ["-config", configuration])
    gateway.start()
    gateway.endpoint = Endpoint("weir", gateway.host, gateway.port, gateway.socket)
    return gateway


def run_suite(name, outside, log):
    """(cases that passed, lines that name those that failed)"""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", "-rfE", f"tests/integration/test_{name}.py"]
    try:
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "WEIR_TEST_OUTSIDE": str(outside)}, capture_output=True,
                              text=True, timeout=600)
        output, failed = done.stdout + done.stderr, re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.MULTILINE)
        if done.returncode not in (0, 1):
            failed.append(f"pytest of {name} ended with {done.returncode}")
    except subprocess.TimeoutExpired as expired:
        output, failed = str(expired.stdout), [f"{name} did not end within 600 s"]
    log.write(output)
    passed = re.search(r"(\d+) passed", output)
    return int(passed.group(1)) if passed else 0, failed


class Soak:
    """One run of it: failures has what does not hold."""

    def __init__(self, folder, seed):
        self.folder, self.seed = folder, seed
        self.failures, self.passed, self.rough_failed = [], [0, 0], 0
        self.memory = Memory(2 * len(SUITES))

    def prepare(self):
        (self.folder / "db").mkdir()
        self.database = MariaDB(self.folder / "db")
        self.database.start()
        self.database.execute(*accounts.STATEMENTS, "CREATE DATABASE sbtest")
        self.gateway = start_gateway(self.folder / "gateway", self.database)
        announce(self.folder / "outside.json", self.database, self.gateway)
        self.sysbench = Sysbench(self.gateway.endpoint)
        self.visitors = Visitors(self.gateway.endpoint, self.seed)
        self.mischief = Mischief(self.database, self.gateway.endpoint, self.seed)

    def suites(self, minutes):
        end = time.monotonic() + minutes * 60
        with open(self.folder / "suites.log", "w") as log:
            for number in range(1 << 30):
                if time.monotonic() > end:
                    return
                # Odd rounds begin rough: in two rounds every suite has had both.
                self._suite(SUITES[number % len(SUITES)], (number + number // len(SUITES)) % 2 == 1, log)

    def _suite(self, name, rough, log):
        self.mischief.rough = rough
        start = time.monotonic()
        passed, failed = run_suite(name, self.folder / "outside.json", log)
        self.passed[rough] += passed
        if rough:
            self.rough_failed += len(failed)
        else:
            self.failures += failed
        self.sysbench.begin()
        self.memory.take(resident_bytes(self.gateway.process.pid))
        print(f"{'rough' if rough else 'calm '} {name:15} {passed:3} passed {len(failed):2} failed {time.monotonic() - start:4.0f} s"
              f"  RSS {self.memory.samples[-1] / Memory.MIB:.1f} MiB", flush=True)

    def stop(self):
        for part in ("mischief", "visitors", "sysbench"):
            if hasattr(self, part):
                getattr(self, part).stop()

    def kill(self):
        for part in ("gateway", "database"):
            process = getattr(getattr(self, part, None), "process", None)
            if process:
                process.kill()

    def judge(self):
        log = self.folder / "gateway" / "audit.log"
        self.gateway.stop()
        self.database.stop()
        self.failures += self.mischief.failed
        flat, memory = self.memory.judge()
        verified, said = verify(log)
        balance = Balance(log)
        self.failures += balance.wrong + ([] if flat else ["memory grows"]) + ([] if verified else ["the chain does not verify"])
        print(f"{self.passed[0]} cases passed in calm times, {self.passed[1]} in rough ones, where {self.rough_failed} failed")
        print(f"{self.visitors.count} visitors; {dict(self.mischief.done)}")
        print(f"records: {dict(balance.counts)}; {len(balance.wrong)} out of balance; "
              f"{balance.unseen} sessions came while audit_log was disabled")
        print(memory)
        print(f"weir-audit verify: {said}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="leave the folder with logs and databases")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-soak-"))
    print(f"soak of {options.minutes:g} minutes, seed {options.seed}, in {folder}", flush=True)
    soak = Soak(folder, options.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what has been started is stopped
    try:
        soak.prepare()
        soak.suites(options.minutes)
        soak.stop()
        soak.judge()
    finally:
        soak.stop()
        soak.kill()
    for failure in soak.failures[:40]:
        print(f"does not hold: {failure}")
    print(f"soak: {len(soak.failures)} things do not hold" if soak.failures else "soak: all holds")
    if not options.keep and not soak.failures:
        shutil.rmtree(folder)
    return 1 if soak.failures else 0


if __name__ == "__main__":
    sys.exit(main())
