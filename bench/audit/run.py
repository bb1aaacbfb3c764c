#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What auditing costs: point selects through weir without a plugin and with audit_log in each strategy, beside MariaDB with
and without its own server_audit, in one run.

    make bench-audit                 or: bench/audit/run.py --rounds 3 --seconds 4 --threads 16 --many 64

The rounds of all contestants are interleaved, and medians are taken. `us/stmt` is the CPU time of weir-server, all its
threads, for one statement, and `plugin` what it has more than weir without a plugin: the record's facts (digest, tables),
formatting, queueing, writing. MariaDB's own cost is that of the whole server. `many` compares SYNCHRONOUS with ASYNCHRONOUS
at so many clients, on the disk that holds --folder."""
import argparse
import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from audit_log_common import packaged  # noqa: E402
from harness import accounts  # noqa: E402
from harness.endpoint import Endpoint  # noqa: E402
from harness.gateway import Gateway  # noqa: E402
from harness.mariadb import MariaDB  # noqa: E402
from harness.paths import PACKAGED, mariadb_plugin_dir  # noqa: E402
from harness.process import cpu_seconds  # noqa: E402
from harness.sysbench import sysbench, transactions_per_second  # noqa: E402

STRATEGIES = ["ASYNCHRONOUS", "PERFORMANCE", "SEMISYNCHRONOUS", "SYNCHRONOUS"]
TABLE_SIZE = 10000


class Contestant:
    def __init__(self, name, server, endpoint):
        self.name, self.server, self.endpoint = name, server, endpoint
        self.speeds, self.costs = {}, {}

    def run(self, threads, seconds):
        before = cpu_seconds(self.server.process.pid)
        report = sysbench(self.endpoint, "oltp_point_select", "run", threads=threads, time=seconds, table_size=TABLE_SIZE,
                          db_ps_mode="disable")
        used = cpu_seconds(self.server.process.pid) - before
        speed = transactions_per_second(report)
        self.speeds.setdefault(threads, []).append(speed)
        self.costs.setdefault(threads, []).append(used * 1e6 / (speed * seconds))

    def speed(self, threads):
        return statistics.median(self.speeds[threads])

    def cost(self, threads):
        return statistics.median(self.costs[threads])


def database(folder, name, *options):
    place = folder / name.replace(" ", "-")
    place.mkdir()
    server = MariaDB(place, options).start()
    server.execute(*accounts.STATEMENTS, "CREATE DATABASE sbtest")
    return Contestant(name, server, Endpoint(name, server.host, server.port, server.socket))


def gateway(folder, name, backend, settings=None):
    folder = folder / name.replace(" ", "-")
    folder.mkdir()
    options = []
    if settings is not None:
        config = folder / "weir.toml"
        config.write_text("[plugin.audit_log]\n" + f'file = "{folder}/audit.log"\nrotate_on_size = "256M"\nrotations = 1\n'
                          + "".join(f"{key} = {value}\n" for key, value in settings.items()))
        options = ["-config", str(config)]
    server = Gateway(folder, f"tcp://{backend.server.host}:{backend.server.port}", PACKAGED,
                     plugins=[packaged()] if settings is not None else [], options=options).start()
    return Contestant(name, server, Endpoint(name, server.host, server.port, server.socket))


def report(contestants, threads, many):
    plain = next(c for c in contestants if c.name == "weir")
    direct = next(c for c in contestants if c.name == "mariadb")
    print(f"\n{threads} clients         {'stmt/s':>9} {'of direct':>10} {'of weir':>8} {'us/stmt':>8} {'plugin us':>10}")
    for c in contestants:
        is_weir = c.name.startswith("weir")
        base = plain if is_weir else direct
        print(f"{c.name:<26} {c.speed(threads):9.0f} {c.speed(threads) / direct.speed(threads):10.2f} "
              f"{c.speed(threads) / plain.speed(threads):8.2f} {c.cost(threads):8.2f} {c.cost(threads) - base.cost(threads):10.2f}")
    names = {c.name: c for c in contestants}
    share = names["weir SYNCHRONOUS"].speed(many) / names["weir ASYNCHRONOUS"].speed(many)
    print(f"\n{many} clients: SYNCHRONOUS {names['weir SYNCHRONOUS'].speed(many):.0f} stmt/s is {share:.2f} of ASYNCHRONOUS "
          f"{names['weir ASYNCHRONOUS'].speed(many):.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--many", type=int, default=64)
    parser.add_argument("--folder", help="where logs and databases are put; must be on the disk that is to be measured")
    options = parser.parse_args()
    started = []
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = pathlib.Path(name)
        try:
            started.append(database(folder, "mariadb"))
            if (pathlib.Path(mariadb_plugin_dir()) / "server_audit.so").exists():
                started.append(database(folder, "mariadb server_audit", "--plugin-load-add=server_audit",
                                        "--server-audit-logging=ON", f"--server-audit-file-path={folder}/server_audit.log"))
            started.append(gateway(folder, "weir", started[0]))
            started += [gateway(folder, f"weir {strategy}", started[0], {"strategy": f'"{strategy}"'}) for strategy in STRATEGIES]
            started.append(gateway(folder, "weir ASYNC chain", started[0], {"chain": "true"}))
            started.append(gateway(folder, "weir ASYNC facts off", started[0], {"digest": "false", "tables": "false"}))
            for contestant in started[:2] if started[1].name.startswith("mariadb") else started[:1]:
                sysbench(contestant.endpoint, "oltp_point_select", "prepare", table_size=TABLE_SIZE)
            for _ in range(options.rounds):
                for contestant in started:
                    contestant.run(options.threads, options.seconds)
                for contestant in started:
                    if contestant.name in ("weir ASYNCHRONOUS", "weir SYNCHRONOUS"):
                        contestant.run(options.many, options.seconds)
                print(".", end="", flush=True)
            report(started, options.threads, options.many)
        finally:
            for contestant in reversed(started):
                contestant.server.stop()


if __name__ == "__main__":
    main()
