#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""MariaDB's own test files, directly and through weir with its plugins loaded: the outputs must be equal.

    main.py                       all files of the list
    main.py --sample 60           a sample: the files that once differed (noticed.txt), and others that change from day to day
    main.py NAME ...              these; a file of another suite is named by its path from main/, ../suite/json/t/json_table

Differences are left in build/mtr/NAME.diff. A file is run up to three times: some depend on statistics, and are equal only
to another of their direct runs ("retried"). One that has no two equal direct runs is "unsteady"; one that differs as known.txt says is
"known". Those and what fails or is skipped alike both ways are no failure of this program; they are counted."""
import argparse
import datetime
import hashlib
import multiprocessing
import os
import pathlib
import queue
import signal
import sys
import time

import runner
from bench import Bench, Place

LEFT = runner.ROOT / "build" / "mtr"
EQUAL = ("same", "retried")
HERE = pathlib.Path(__file__).resolve().parent


def listed(path):
    return [word for line in pathlib.Path(path).read_text().splitlines() for word in line.split("#")[0].split()]


def sample(names, count, day):
    """All that once differed, and so many others: the same ones all day long, and others tomorrow."""
    noticed = listed(HERE / "noticed.txt")
    others = sorted(set(names) - set(noticed), key=lambda name: hashlib.sha256(f"{day} {name}".encode()).digest())
    return noticed + others[:max(0, count - len(noticed))]


def work(names, outcomes, place):
    """A process with a bench of its own: takes names until there are none."""
    os.nice(5)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the bench stops what it has started
    with Bench(place) as bench:
        while (name := names.get()) is not None:
            outcomes.put(bench.compare(name))


def compare_all(names, jobs, plugins):
    """Yields the outcome of each name as it comes."""
    with Place(plugins) as place:
        yield from compare_there(place, names, jobs)


def compare_there(place, names, jobs):
    waiting, outcomes = multiprocessing.Queue(), multiprocessing.Queue()
    waiting.cancel_join_thread()  # an end before that does not wait for its readers
    for name in [*names, *[None] * jobs]:
        waiting.put(name)
    workers = [multiprocessing.Process(target=work, args=(waiting, outcomes, place)) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    try:
        for _ in names:
            yield next_outcome(outcomes, workers)
    except BaseException:
        for worker in workers:
            worker.terminate()
        raise
    finally:
        for worker in workers:
            worker.join()


def next_outcome(outcomes, workers):
    while True:
        try:
            return outcomes.get(timeout=1)
        except queue.Empty:
            if any(worker.exitcode for worker in workers):
                raise RuntimeError("a process that runs files has failed") from None


def leave(outcome):
    LEFT.mkdir(parents=True, exist_ok=True)
    path = LEFT / (outcome.name.removeprefix("../").replace("/", "-") + ".diff")
    path.write_text(outcome.difference)
    return path.relative_to(runner.ROOT)


def report(counts, names, seconds):
    same = sum(counts.get(verdict, 0) for verdict in EQUAL)
    rest = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()) if verdict != "same")
    print(f"{same} of {len(names)} test files of MariaDB give the same output through weir in {seconds:.0f} s"
          + (f" ({rest})" if rest else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--list", default=str(runner.SHARED / "list.txt"), help="a file of names")
    parser.add_argument("--sample", type=int, metavar="COUNT")
    parser.add_argument("--day", default=datetime.date.today().isoformat(), help="whose sample; by default today's")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--plugins", default="audit_log,sql_firewall,ip_filter")
    options = parser.parse_args()
    if reason := runner.why_not():
        print(f"skipped: {reason}")
        return 0
    if lacking := runner.missing():
        print(f"not there: {', '.join(lacking)}; run tools/bootstrap.sh test", file=sys.stderr)
        return 2
    names = options.names or listed(options.list)
    if options.sample:
        names = sample(names, options.sample, options.day)
        print(f"the sample of {options.day}: {' '.join(names)}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start, counts, known = time.monotonic(), {}, set(listed(HERE / "known.txt"))
    for outcome in compare_all(names, options.jobs, tuple(filter(None, options.plugins.split(",")))):
        if outcome.verdict == "differs" and outcome.name in known:
            outcome.verdict = "known"
        counts[outcome.verdict] = counts.get(outcome.verdict, 0) + 1
        where = f"  {leave(outcome)}" if outcome.difference else ""
        print(f"{outcome.verdict:9} {outcome.seconds:5.1f} s  {outcome.name}{where}", flush=True)
    report(counts, names, time.monotonic() - start)
    return 1 if counts.get("differs") else 0


if __name__ == "__main__":
    sys.exit(main())
