#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""TLS on both sides: the CPU time that weir and HAProxy spend on the same statements, results and new connections.

    make bench-tls                   or: bench/tls.py --rounds 5 --seconds 5

HAProxy cannot begin TLS in the middle of a MySQL login. So the one that is measured gets TLS from the first byte on and
sends it on so: between two others, which only put plain connections into TLS and take them out again. bench/README.md says
what that compares, and what not: CPU time of one process, never speed."""
import argparse
import concurrent.futures
import pathlib
import socket
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))

import pymysql  # noqa: E402
from harness import accounts  # noqa: E402
from harness.certificates import make_certificates, server_options, unverified  # noqa: E402
from harness.endpoint import PASSWORD, USER  # noqa: E402
from harness.gateway import Gateway  # noqa: E402
from harness.mariadb import MariaDB  # noqa: E402
from harness.paths import program  # noqa: E402
from harness.ports import free_port  # noqa: E402
from harness.process import ServerProcess, cpu_seconds  # noqa: E402

CIPHER = "TLS_AES_256_GCM_SHA384"
HAPROXY = """
global
    nbthread {threads}
    maxconn 1000
    ssl-default-bind-ciphersuites {cipher}
    ssl-default-server-ciphersuites {cipher}
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
listen it
    bind 127.0.0.1:{port} {bind}
    server one 127.0.0.1:{next} {server}
"""
BIG = "SELECT REPEAT('0123456789abcdef', 655360)"  # 10 MB


class Contestant:
    """connect() makes a client's connection by way of the process whose CPU time counts."""

    def __init__(self, name, port, process, secure):
        self.name, self.port, self.process = name, port, process
        self.costs = {}
        self.context = unverified() if secure else None
        if self.context:
            self.context.options |= 0x4000  # SSL_OP_NO_TICKET: a client that has not been here before

    def connect(self):
        return pymysql.connect(host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, autocommit=True, ssl=self.context)

    def measure(self, what, work, seconds):
        """CPU microseconds of one unit of the work, which says how many it has done."""
        before = cpu_seconds(self.process.pid)
        done = sum(_in_threads(self, work, seconds))
        self.costs.setdefault(what, []).append((cpu_seconds(self.process.pid) - before) / done * 1e6)


def _in_threads(contestant, work, seconds, threads=4):
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda _: work(contestant, time.monotonic() + seconds), range(threads)))


def statements(sql):
    def work(contestant, end):
        done = 0
        with contestant.connect() as connection, connection.cursor() as cursor:
            while time.monotonic() < end:
                cursor.execute(sql)
                done += 1
        return done
    return work


def connections(contestant, end):
    done = 0
    while time.monotonic() < end:
        contestant.connect().close()
        done += 1
    return done


WORKS = (("a point select", statements("SELECT c FROM bench.points WHERE id = 5000")), ("a result of 10 MB", statements(BIG)),
         ("a new connection", connections))


def start_haproxy(folder, name, next_port, bind="", server="", threads=1):
    port = free_port()
    file = folder / f"{name}.cfg"
    file.write_text(HAPROXY.format(port=port, next=next_port, bind=bind, server=server, threads=threads, cipher=CIPHER))
    process = ServerProcess(name, [program("haproxy"), "-db", "-f", file], folder)

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    process.wait_ready(listens)
    return port, process


def haproxies(folder, database, tls, started):
    """Innermost first. The outer one does not resume its sessions: it stands for clients that are new."""
    bind = f"ssl crt {tls}/both.pem"
    inner, process = start_haproxy(folder, "inner", database.port, bind=bind)
    started.append(process)
    middle, measured = start_haproxy(folder, "measured", inner, bind=bind, server="ssl verify none", threads=2)
    started.append(measured)
    outer, process = start_haproxy(folder, "outer", middle, server="ssl verify none no-ssl-reuse")
    started.append(process)
    return Contestant("HAProxy", outer, measured, secure=False)


def weir(folder, database, tls, started):
    gateway = Gateway(folder / "weir", database.address, options=[
        "-ssl-cert", tls / "server.pem", "-ssl-key", tls / "server.key", "-backend-tls", "required",
        "-backend-ssl-cipher", CIPHER, "-workers", "2"]).start()
    started.append(gateway.process)
    return Contestant("weir", gateway.port, gateway.process, secure=True)


def report(contestants, rounds):
    haproxy, own = contestants
    print(f"CPU microseconds of the proxy's process, TLS on both sides ({CIPHER}); median of {rounds} rounds, interleaved")
    print(f"{'':22}{haproxy.name:>12}{own.name:>12}{'ratio':>10}")
    for what, _ in WORKS:
        one, other = (statistics.median(each.costs[what]) for each in contestants)
        print(f"{what:22}{one:12.1f}{other:12.1f}{other / one:10.2f}")


def kernel_tls():
    """Whether the kernel can do the records itself: then OpenSSL could hand them over (SSL_OP_ENABLE_KTLS)."""
    try:
        return "tls" in pathlib.Path("/proc/sys/net/ipv4/tcp_available_ulp").read_text().split()
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    arguments = parser.parse_args()
    started = []
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name:
        folder = pathlib.Path(name)
        try:
            for each in ("tls", "mariadb"):
                (folder / each).mkdir()
            tls = make_certificates(folder / "tls")
            (tls / "both.pem").write_text((tls / "server.pem").read_text() + (tls / "server.key").read_text())
            database = MariaDB(folder / "mariadb", ["--skip-log-bin", "--performance-schema=OFF", *server_options(tls)]).start()
            started.append(database.process)
            database.execute(*accounts.STATEMENTS, "CREATE DATABASE bench", "USE bench",
                             "CREATE TABLE bench.points (id INT PRIMARY KEY, c CHAR(120))",
                             "INSERT INTO bench.points SELECT seq, SHA2(seq, 256) FROM seq_1_to_10000")
            contestants = [haproxies(folder, database, tls, started), weir(folder, database, tls, started)]
            for _ in range(arguments.rounds):
                for what, work in WORKS:
                    for contestant in contestants:
                        contestant.measure(what, work, arguments.seconds)
            report(contestants, arguments.rounds)
            print(f"kernel TLS: {'there' if kernel_tls() else 'not in this kernel'}")
        finally:
            for process in started:
                process.kill()


if __name__ == "__main__":
    main()
