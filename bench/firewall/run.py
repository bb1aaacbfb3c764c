#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What sql_firewall costs: in one process with nothing else (bench.c), and through weir with sysbench.

    make bench-firewall              or: bench/firewall/run.py --rounds 5 --seconds 3 --threads 8

The first table is nanoseconds of CPU time a statement that the plugin itself takes, when all facts are known. The second is
the CPU time of weir-server, all its threads, for one point select, without the plugin and with it; the rounds of all
contestants are interleaved, and medians are taken. What it is more than the first table is what the server works out because
the plugin asks: normalised text, digest, tables, parts."""
import argparse
import hashlib
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAKE_HOST = ROOT / "plugin" / "fake_host"
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from harness import accounts  # noqa: E402
from harness.endpoint import Endpoint  # noqa: E402
from harness.gateway import Gateway  # noqa: E402
from harness.mariadb import MariaDB  # noqa: E402
from harness.packaging import package  # noqa: E402
from harness.process import cpu_seconds  # noqa: E402
from harness.sysbench import sysbench, transactions_per_second  # noqa: E402

TABLE_SIZE = 10000
LISTED = 10000
STATEMENTS = [  # of sysbench's OLTP: text, normalised, kind, access
    ("SELECT c FROM sbtest1 WHERE id=5037", "select `c` from `sbtest1` where `id` = ?", "Select", "WEIR_TABLE_READ"),
    ("SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN 4990 AND 5089",
     "select sum ( `k` ) from `sbtest1` where `id` between ? and ?", "Select", "WEIR_TABLE_READ"),
    ("SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 1 AND 100 ORDER BY c",
     "select distinct `c` from `sbtest1` where `id` between ? and ? order by `c`", "Select", "WEIR_TABLE_READ"),
    ("UPDATE sbtest1 SET k=k+1 WHERE id=5020", "update `sbtest1` set `k` = `k` + ? where `id` = ?", "Update",
     "WEIR_TABLE_WRITE"),
    ("INSERT INTO sbtest1 (id, k, c, pad) VALUES (7, 5, 'c', 'p')",
     "insert into `sbtest1` ( `id` , `k` , `c` , `pad` ) values ( ... )", "Insert", "WEIR_TABLE_WRITE"),
    ("DELETE FROM sbtest1 WHERE id=4992", "delete from `sbtest1` where `id` = ?", "Delete", "WEIR_TABLE_WRITE"),
]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def hundred_rules():
    """100 rules of which none denies what sysbench does: 40 by kind, 30 by table, 10 by digest, 10 others, 10 regexes."""
    kinds = ["Drop*", "Alter*", "CreateUser", "Grant*", "TruncateTable", "Lock*", "LoadData", "Call*", "RenameTable", "Kill"]
    regexes = [r"\\binto (outfile|dumpfile)\\b|\\bload_file\\b", r"\\bunion\\b", r"\\bsleep\\s*\\(", r"\\bbenchmark\\s*\\(",
               r"\\binformation_schema\\b", r"\\border by \\? desc\\b", r"(updatexml|extractvalue)\\s*\\(", r"\\bor \\? = \\?",
               r"@@(version|datadir|hostname)", r"\\bprocedure analyse\\b"]
    rules = [f'kinds = ["{kinds[n % 10]}", "{kinds[(n + 3) % 10]}"]' for n in range(40)]
    rules += [f'tables = ["mysql.*", "*.ledger{n}"]\naccess = ["write", "ddl"]' for n in range(30)]
    rules += [f'digests = ["{digest(str(n))}"]' for n in range(10)]
    rules += ["missing_where = true", "tables_known = false", "digest_exact = false", "statements_over = 9"]
    rules += [f'accounts = ["guest{n}@*"]\ntables = ["*.*"]' for n in range(6)]
    rules += [f'regex = "{regex}"' for regex in regexes]
    return "".join(f'[[deny]]\nname = "rule-{n}"\n{rule}\n' for n, rule in enumerate(rules))


def allow_list(account, statements):
    return (f"account {account}\ndatabase sbtest\n" + "".join(f"digest {digest(f'other {n}')} other\n" for n in range(LISTED - len(statements)))
            + "".join(f"digest {known} listed\n" for known in statements))


def build(folder):
    rows = "".join(f'    X("{sql}", "{normalized}", "{digest(normalized)}", "{kind}", {access}) \\\n'
                   for sql, normalized, kind, access in STATEMENTS)
    (folder / "statements.h").write_text("#define STATEMENTS_OF_SYSBENCH(X) \\\n" + rows + "\n")
    subprocess.run(["cc", "-std=gnu11", "-O2", f"-I{ROOT / 'include'}", f"-I{FAKE_HOST}", f"-I{folder}",
                    "-o", folder / "bench", ROOT / "bench" / "firewall" / "bench.c", FAKE_HOST / "fake_host.c", "-ldl"], check=True)


def in_process(folder, plugin):
    build(folder)
    rules, listed, empty = folder / "rules.toml", folder / "listed", folder / "empty"
    rules.write_text(hundred_rules())
    listed.write_text(allow_list("app@10.%", [digest(normalized) for _, normalized, _, _ in STATEMENTS]))
    print(f"{'in one process':<44}{'ns/stmt':>8}")
    for name, arguments in (("OFF", ("-", empty, "0")), ("PROTECTING, no rules, no list", ("-", empty, "3")),
                            ("PROTECTING, 100 rules with 10 regexes", (rules, empty, "3")),
                            (f"PROTECTING, a list of {LISTED} digests", ("-", listed, "3")),
                            ("PROTECTING, both", (rules, listed, "3")), ("RECORDING, all is listed", ("-", listed, "1"))):
        ns, refused = subprocess.run([folder / "bench", plugin, *arguments], check=True, capture_output=True,
                                     text=True).stdout.split()
        assert refused == "0", f"{name}: {refused} % are refused"
        print(f"{name:<44}{ns:>8}")


class Contestant:
    def __init__(self, name, folder, backend, plugin_dir, settings=None):
        self.name, self.costs, self.speeds = name, [], []
        folder.mkdir()
        (folder / "weir.toml").write_text("[plugin.sql_firewall]\n" + "".join(f'{k} = "{v}"\n' for k, v in (settings or {}).items()))
        self.server = Gateway(folder, f"tcp://{backend.host}:{backend.port}", plugin_dir,
                              plugins=["sql_firewall-1"] if settings is not None else [],
                              options=["-config", folder / "weir.toml"] if settings is not None else []).start()
        self.endpoint = Endpoint(name, self.server.host, self.server.port, self.server.socket)

    def run(self, threads, seconds):
        before = cpu_seconds(self.server.process.pid)
        report = sysbench(self.endpoint, "oltp_point_select", "run", threads=threads, time=seconds, table_size=TABLE_SIZE,
                          db_ps_mode="disable")
        used = cpu_seconds(self.server.process.pid) - before
        self.speeds.append(transactions_per_second(report))
        self.costs.append(used * 1e6 / (self.speeds[-1] * seconds))


def learned(contestant, threads):
    """Lets the contestant record, protect from then on; its list is filled up to LISTED."""
    contestant.run(threads, 1)
    contestant.speeds.clear()
    contestant.costs.clear()
    path = contestant.server.folder / "allow"
    others = [line.split()[1] for line in path.read_text().splitlines() if line.startswith("digest ")]
    account = next(line.removeprefix("account ") for line in path.read_text().splitlines() if line.startswith("account "))
    path.write_text(allow_list(account, others))
    with contestant.endpoint.connect(database=None) as connection, connection.cursor() as cursor:
        cursor.execute("FLUSH TIDB PLUGINS sql_firewall")
        cursor.execute("SELECT sql_firewall_set_mode(%s, 'PROTECTING')", (account,))


def through_weir(folder, plugin_dir, options):
    (folder / "mariadb").mkdir()
    backend = MariaDB(folder / "mariadb").start()
    started = []
    try:
        backend.execute(*accounts.STATEMENTS, "CREATE DATABASE sbtest")
        rules = folder / "weir-rules.toml"
        rules.write_text(hundred_rules())

        def gateway(name, settings=None):
            started.append(Contestant(name, folder / name.replace(" ", "-"), backend, plugin_dir, settings))
            return started[-1]

        gateway("weir")
        gateway("OFF", {"mode": "OFF", "allow_list": folder / "OFF" / "allow"})
        gateway("100 rules", {"mode": "PROTECTING", "rules": rules, "allow_list": folder / "100-rules" / "allow"})
        listed = gateway("10000 digests", {"mode": "RECORDING", "allow_list": folder / "10000-digests" / "allow"})
        sysbench(started[0].endpoint, "oltp_point_select", "prepare", table_size=TABLE_SIZE)
        learned(listed, options.threads)
        for _ in range(options.rounds):
            for contestant in started:
                contestant.run(options.threads, options.seconds)
        plain = statistics.median(started[0].costs)
        print(f"\nthrough weir, {options.threads} clients{'':<20}{'us/stmt':>8}{'ratio':>8}{'stmt/s':>9}")
        for contestant in started:
            cost = statistics.median(contestant.costs)
            print(f"{contestant.name:<44}{cost:8.2f}{cost / plain:8.2f}{statistics.median(contestant.speeds):9.0f}")
    finally:
        for contestant in started:
            contestant.server.stop()
        backend.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--in-process", action="store_true", help="the first table only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        package(ROOT / "plugin" / "sql_firewall", folder / "plugins")
        in_process(folder, folder / "plugins" / "sql_firewall-1.so")
        sys.stdout.flush()
        if not options.in_process:
            through_weir(folder, folder / "plugins", options)


if __name__ == "__main__":
    main()
