#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Direct, HAProxy in TCP mode, and weir side by side in one run: speed of point selects, CPU time that a statement costs
the proxy, and memory of an idle connection.

    make bench                       or: bench/run.py --rounds 5 --seconds 5 --threads 1,16 --idle 2000

Figures of one machine at one moment mean nothing alone, so that the rounds of all contestants are interleaved, medians are
taken, and what counts are the ratios. HAProxy copies bytes (with splice where it can) and knows nothing of the protocol:
the difference to it is what looking at everything costs."""
import argparse
import os
import pathlib
import resource
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from harness import accounts  # noqa: E402
from harness.endpoint import Endpoint  # noqa: E402
from harness.gateway import Gateway  # noqa: E402
from harness.mariadb import MariaDB  # noqa: E402
from harness.packaging import package  # noqa: E402
from harness.paths import program  # noqa: E402
from harness.ports import free_port  # noqa: E402
from harness.process import ServerProcess, cpu_seconds, resident_bytes  # noqa: E402
from harness.sysbench import number, sysbench, transactions_per_second  # noqa: E402

HAPROXY = """
global
    nbthread {threads}
    maxconn 5000
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
listen mysql
    bind 127.0.0.1:{port}
    server one 127.0.0.1:{backend}
"""


class Contestant:
    """A way to the database: an endpoint, and the process whose cost counts (None: the database alone)."""

    def __init__(self, name, endpoint, process=None):
        self.name, self.endpoint, self.process = name, endpoint, process
        self.speeds, self.costs, self.latencies = [], [], []

    def run(self, threads, seconds, table_size):
        before = cpu_seconds(self.process.pid) if self.process else 0
        report = sysbench(self.endpoint, "oltp_point_select", "run", threads=threads, time=seconds, table_size=table_size,
                          db_ps_mode="disable")
        used = cpu_seconds(self.process.pid) - before if self.process else 0
        self.speeds.append(transactions_per_second(report))
        self.latencies.append(number(report, "95th percentile:"))
        self.costs.append(used / number(report, "queries performed:\n        read:") * 1e6)


def start_haproxy(folder, database):
    port = free_port()
    (folder / "haproxy.cfg").write_text(HAPROXY.format(threads=os.cpu_count(), port=port, backend=database.port))
    process = ServerProcess("haproxy", [program("haproxy"), "-db", "-f", folder / "haproxy.cfg"], folder)
    endpoint = Endpoint("haproxy", "127.0.0.1", port, "")

    def answers():
        try:
            endpoint.raw(database=None).close()
            return True
        except OSError:
            return False

    process.wait_ready(answers)
    return Contestant("HAProxy, TCP mode", endpoint, process)


def start_weir(folder, name, database, plugins=None, load=(), **settings):
    gateway = Gateway(folder, f"tcp://{database.host}:{database.port}", plugins, load, **settings).start()
    return Contestant(name, Endpoint("weir", gateway.host, gateway.port, gateway.socket), gateway.process)


def print_table(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))))
    print()


def measure_speed(contestants, arguments):
    for threads in arguments.threads:
        for contestant in contestants:
            contestant.speeds, contestant.costs, contestant.latencies = [], [], []
        for done in range(arguments.rounds):
            for contestant in contestants:
                print(f"\r{threads} threads, round {done + 1} of {arguments.rounds}: {contestant.name:40}", end="", file=sys.stderr)
                contestant.run(threads, arguments.seconds, arguments.table_size)
        print("\r" + " " * 79 + "\r", end="", file=sys.stderr)
        direct, haproxy = contestants[0], contestants[1]
        rows = []
        for contestant in contestants:
            speed = statistics.median(contestant.speeds)
            cost = statistics.median(contestant.costs)
            rows.append([contestant.name, f"{speed:.0f}", f"{speed / statistics.median(direct.speeds):.2f}",
                         f"{speed / statistics.median(haproxy.speeds):.2f}",
                         f"{statistics.median(contestant.latencies):.2f}", f"{cost:.1f}" if contestant.process else "-"])
        print(f"Point selects with {threads} threads, median of {arguments.rounds} rounds of {arguments.seconds} s, interleaved")
        print_table(["", "a second", "of direct", "of HAProxy", "95 % within ms", "proxy CPU us"], rows)


def measure_memory(contestants, count, database):
    database.execute(f"SET GLOBAL max_connections = {count + 200}")
    rows = []
    for contestant in contestants:
        sessions = [contestant.endpoint.raw(database=None) for _ in range(50)]  # what the first ones cost is not counted
        before = resident_bytes(contestant.process.pid)
        sessions += [contestant.endpoint.raw(database=None) for _ in range(count)]
        each = (resident_bytes(contestant.process.pid) - before) / count
        for connection in sessions:
            connection.close()
        rows.append([contestant.name, f"{each:.0f}"])
    print(f"Memory of {count} idle connections, logged in (resident memory of the process, without the kernel's socket buffers)")
    print_table(["", "bytes each"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--threads", type=lambda text: [int(word) for word in text.split(",")], default=[1, 16])
    parser.add_argument("--table-size", type=int, default=10000)
    parser.add_argument("--idle", type=int, default=2000)
    arguments = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    started = []
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name:
        folder = pathlib.Path(name)
        try:
            (folder / "mariadb").mkdir()
            database = MariaDB(folder / "mariadb", ["--skip-log-bin", "--performance-schema=OFF"])
            database.start()
            started.append(database.process)
            database.execute(*accounts.STATEMENTS, "CREATE DATABASE sbtest")
            direct = Contestant("direct", Endpoint("direct", database.host, database.port, database.socket))
            sysbench(direct.endpoint, "oltp_point_select", "prepare", table_size=arguments.table_size)

            haproxy = start_haproxy(folder, database)
            started.append(haproxy.process)
            bare = start_weir(folder / "bare", "weir", database)
            started.append(bare.process)
            package(ROOT / "plugin" / "conn_ip_example", folder / "plugins")
            example = start_weir(folder / "example", "weir, conn_ip_example", database, folder / "plugins", ["conn_ip_example-1"])
            started.append(example.process)

            measure_speed([direct, haproxy, bare, example], arguments)
            measure_memory([haproxy, bare, example], arguments.idle, database)
        finally:
            for process in started:
                process.kill()


if __name__ == "__main__":
    main()
