#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long it takes to find something in a big log: weir-audit beside grep and jq, in one run.

    make bench-audit-read            or: bench/audit/read.py --gigabytes 1 --rounds 5

A log of that size is made, and is in the page cache when it is read. Rounds of all contestants are interleaved, and medians are
taken; jq, which is slow, has one round. Each question has the same answer from each contestant, which is checked. The load of
the machine, which makes figures of different runs incomparable, is printed beside them."""
import argparse
import datetime
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEIR_AUDIT = ROOT / "bin" / "weir-audit"
BEGIN = datetime.datetime(2026, 1, 31, tzinfo=datetime.timezone.utc)
PER_SECOND = 100
TEXTS = ["SELECT c FROM sbtest{t} WHERE id={i}", "UPDATE sbtest{t} SET k=k+1 WHERE id={i}",
         "SELECT DISTINCT c FROM sbtest{t} WHERE id BETWEEN {i} AND {i}99 ORDER BY c",
         "INSERT INTO sbtest{t} (id, k, c, pad) VALUES ({i}, 5, '68487932199-96439406143', 'it''s \\u0009 \\\"x\\\" /')"]
KINDS = ["Select", "Update", "Select", "Insert"]


def line(number):
    moment = BEGIN + datetime.timedelta(seconds=number / PER_SECOND)
    which = number % 4
    connection = 1000 + number // 500 % 5000
    sql = TEXTS[which].format(t=number % 8, i=number)
    table, kind = f"sbtest{number % 8}", KINDS[which]
    if number % 100003 == 77:
        sql, table, kind = "DROP TABLE shop.orders", "orders", "DropTable"
    return (f'{{"seq":{number + 1},"time":"{moment:%Y-%m-%dT%H:%M:%S.%f}Z","event":"Completed","class":"general",'
            f'"connection_id":{connection},"backend_connection_id":{connection + 70000},"user":"app{number % 7}","host":"10.0.{number % 5}.9",'
            f'"account":"app{number % 7}@10.%","client_ip":"10.0.{number % 5}.9","client_port":50412,"connection_type":"TCP",'
            f'"program":"orders","os_user":"www","database":"shop","statement_id":{number % 500},"command":"Query","kind":"{kind}",'
            f'"sql":"{sql}","digest":"{number % 97:064x}","tables":[{{"schema":"shop","name":"{table}","access":["read"]}}],'
            f'"tables_known":1,"rows":1,"bytes":312,"affected_rows":0,"warnings":0,"duration_us":{number % 9973}}}\n')


def make_log(path, size):
    number, written = 0, 0
    with open(path, "w", buffering=1 << 20) as file:
        while written < size:
            block = "".join(line(i) for i in range(number, number + 10000))
            number += 10000
            written += file.write(block)
    return number


def output(command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def questions(path, records):
    middle = BEGIN + datetime.timedelta(seconds=records // 2 // PER_SECOND)
    since, until = f"{middle:%Y-%m-%dT%H:%M:%SZ}", f"{middle + datetime.timedelta(seconds=9):%Y-%m-%dT%H:%M:%SZ}"
    regex = "|".join(f'"time":"{middle + datetime.timedelta(seconds=i):%Y-%m-%dT%H:%M:%S}' for i in range(10))
    one = records // 8 * 4
    end = f"{middle + datetime.timedelta(seconds=10):%Y-%m-%dT%H:%M:%SZ}"

    def audit(*conditions):
        return [WEIR_AUDIT, "show", "-json", *conditions, path]
    return {
        "a kind that is rare": (audit("-kind", "Drop*"), ["grep", '"kind":"Drop', path], ["jq", "-c", 'select(.kind // "" | startswith("Drop"))', path]),
        "a table": (audit("-table", "shop.orders"), ["grep", '"name":"orders"', path],
                    ["jq", "-c", 'select(any(.tables[]?; .name == "orders"))', path]),
        "a connection": (audit("-connection", "1042"), ["grep", '"connection_id":1042,', path],
                         ["jq", "-c", "select(.connection_id == 1042)", path]),
        "words of a text": (audit("-text", f"WHERE id={one}"), ["grep", f"WHERE id={one}", path],
                            ["jq", "-c", f'select(.sql // "" | contains("WHERE id={one}"))', path]),
        "slow ones": (audit("-slow", "9.972ms"), ["grep", '"duration_us":9972[,}]', path], ["jq", "-c", "select(.duration_us >= 9972)", path]),
        "ten seconds": (audit("-since", since, "-until", until), ["grep", "-E", regex, path],
                        ["jq", "-c", f'select(.time >= "{since[:-1]}" and .time < "{end[:-1]}")', path]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="where the log is made")
    parser.add_argument("--no-jq", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = pathlib.Path(folder) / "audit.log"
        records = make_log(path, int(options.gigabytes * 1e9))
        print(f"{path.stat().st_size / 1e9:.2f} GB, {records} records, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
        asked = questions(path, records)
        times = {name: ([], [], []) for name in asked}
        for turn in range(options.rounds):
            for name, contestants in asked.items():
                answers = []
                for which, command in enumerate(contestants):
                    if which == 2 and (turn or options.no_jq):
                        continue
                    started = time.monotonic()
                    answers.append(len(output(command).splitlines()))
                    times[name][which].append(time.monotonic() - started)
                if len(set(answers)) != 1:
                    sys.exit(f"{name}: the answers differ: {answers}")
            print(".", end="", flush=True)
        print(f"\n{'seconds, medians':<22} {'weir-audit':>10} {'grep':>8} {'jq':>8} {'of grep':>8} {'of jq':>8}")
        for name, (audit, grep, jq) in times.items():
            a, g, j = statistics.median(audit), statistics.median(grep), statistics.median(jq) if jq else float("nan")
            print(f"{name:<22} {a:10.2f} {g:8.2f} {j:8.2f} {a / g:8.2f} {a / j:8.3f}")
        started = time.monotonic()
        output([WEIR_AUDIT, "count", path])
        print(f"counting everything: {time.monotonic() - started:.2f} s; load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
