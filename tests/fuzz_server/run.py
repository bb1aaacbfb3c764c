#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes a gateway with the server as the judge; see README.md.

    run.py                       FUZZ_SECONDS (600) of fresh cases, in FUZZ_WORKERS processes, from FUZZ_SEED
    run.py check                 replays the corpus, which must hold, then fuzzes for a minute and prints what it finds: the step of make test
    run.py replay FILE|FOLDER    plays kept cases and says what they find
    run.py show FILE             plays a case and prints what the server and the gateway say of each step
"""
import collections
import hashlib
import multiprocessing
import os
import pathlib
import queue
import random
import re
import signal
import sys
import time

import pymysql

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "integration")]

import case as cases  # noqa: E402
from checks import Finding, Judge  # noqa: E402
from maker import Maker  # noqa: E402
from minimise import Minimiser  # noqa: E402
from play import Player  # noqa: E402
import server_view  # noqa: E402
from seeds import Seeds  # noqa: E402
from stand import Stand, build_plugins  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
FINDINGS = HERE.parents[1] / "build" / "fuzz_server"
# What may define something that later cases would use: also by a text that is hidden in a literal.
DEFINES = re.compile(rb"execute|password|(drop|alter|rename|create|import)\b.*"
                     rb"(view|procedure|function|trigger|event|sequence|database|schema|package|index)", re.I | re.S)
CASES_BETWEEN_RESETS = 40
FOUND, WORKERS_DIED = 1, 2  # what fuzz() returns, if not 0


class Worker:
    """A stand and what plays on it."""

    def __init__(self, stand, counts):
        self.stand, self.player, self.judge = stand, Player(stand), Judge(stand, counts)
        self.dirty, self.since_reset = True, 0

    def run(self, case):
        """(played, findings) of a case. Starts the gateway again if that has ended."""
        if self.dirty or self.since_reset > CASES_BETWEEN_RESETS:
            self.stand.reset()
            self.since_reset = 0
        self.since_reset += 1
        start = self.stand.audit.size()
        guarded = case.account == "guarded" and not any(step.verb == "change_user" for step in case.steps)
        drops = self.stand.drops() if guarded else 0
        played, trouble = self.player.play(case)
        self.dirty = bool(trouble) or any(DEFINES.search(one.text) for one in played) or self.stand.redefined(start)
        findings = self.judge.judge(played, trouble)
        if guarded and self.stand.drops() != drops:
            findings.append(Finding("rule-drop-inside", "refused by rule no-drop", "the server counts a DROP", len(played) - 1))
        if (trouble or any(finding.check == "balance" for finding in findings)) and self.fails_directly(case):
            findings = []
        self.stand.trim()
        if not self.stand.gateway.process.alive():
            self.stand.start_gateway()
        return played, findings

    def fails_directly(self, case):
        """Whether the server alone gives no reply, or more than one: FOR loops around result sets do that to MariaDB."""
        self.stand.reset()
        trouble = Player(self.stand, self.stand.database.socket, strict=True).play(case)[1]
        server_view.read_rows(self.stand)
        return bool(trouble)

    def fails(self, check):
        def fails(case):
            return any(finding.check == check for finding in self.run(case)[1])
        return fails


def keep(case, finding, folder, comments=()):
    text = cases.write(case, [str(finding), *comments])
    name = f"{finding.check}-{hashlib.sha256(cases.write(case).encode()).hexdigest()[:8]}.case"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="ascii", errors="backslashreplace")
    return name


class Run:
    """A worker process: goes on with a new stand when the old one has become useless."""

    def __init__(self, number, seed, results):
        self.number, self.seed, self.results = number, seed, results
        self.random = random.Random(seed * 1000 + number)
        self.seeds = Seeds(self.random)
        self.maker = Maker(self.random, self.seeds)
        self.found, self.seen, self.kept = collections.Counter(), collections.Counter(), collections.Counter()
        self.counts = collections.Counter()

    def fuzz(self, seconds):
        self.results.put(("seeds", self.number, len(self.seeds)))
        end = None
        while not end or time.monotonic() < end:
            with Stand() as stand:
                end = end or time.monotonic() + seconds
                self._on(stand, end)

    def _on(self, stand, end):
        worker, next_report, failures = Worker(stand, self.counts), 0, 0
        while time.monotonic() < end and failures < 3:
            case = self.maker.case()
            try:
                self._case(worker, case)
                failures = 0
            except (ValueError, OSError, pymysql.err.MySQLError) as error:  # the oracle's own trouble
                failures += 1
                self.found["oracle"] += 1
                keep(case, Finding("oracle", "an opinion", repr(error), 0), FINDINGS / "unstable")
                worker.dirty = True
            if time.monotonic() > next_report:
                self.report()
                next_report = time.monotonic() + 2
        self.report()

    def report(self):
        self.results.put(("progress", self.number, (dict(self.counts), dict(self.found))))

    def _case(self, worker, case):
        played, findings = worker.run(case)
        for one in played:
            if one.text in self.maker.seeded:
                self.seeds.ran(self.maker.seeded[one.text], not one.error)
        for finding in {finding.check: finding for finding in findings}.values():
            self.found[finding.check] += 1
            self.seen[finding.signature] += 1
            if self.seen[finding.signature] == 1 and self.kept[finding.check] < 3 + self.found[finding.check] // 50:
                self.kept[finding.check] += 1
                before = dict(self.counts)
                self._minimise(worker, case, finding)
                worker.dirty = True
                self.counts.clear()
                self.counts.update(before)

    def _minimise(self, worker, case, finding):
        """Makes it small and keeps it."""
        comment = f"seed {self.seed}, worker {self.number}"
        fails = worker.fails(finding.check)
        worker.dirty = True
        if not fails(case):
            keep(case, finding, FINDINGS / "unstable", [f"{comment}; did not fail again"])
            self.results.put(("unstable", self.number, str(finding)))
            return
        small = Minimiser(fails).minimise(case)
        worker.dirty = True
        again = [one for one in worker.run(small)[1] if one.check == finding.check]
        finding = again[0] if again else finding
        name = keep(small, finding, FINDINGS, [comment])
        self.results.put(("finding", self.number, f"{name}\n{cases.write(small, [str(finding)])}"))


def work(number, seed, seconds, results):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the stand stops what it has started
    Run(number, seed, results).fuzz(seconds)
    results.put(("end", number, None))


def line(progress, seconds):
    counts, found = collections.Counter(), collections.Counter()
    for some_counts, some_found in progress.values():
        counts.update(some_counts)
        found.update(some_found)
    statements = max(1, counts["statements"])
    return (f"{counts['statements']} statements, {statements / max(seconds, 0.001):.0f}/s, "
            f"{counts['executed']} executed without an error ({100 * counts['executed'] / statements:.0f}%), "
            f"{counts['unknown']} steps with something unknown, {counts['unplaced']} cases not placed, "
            f"findings: {dict(found) or 0}")


def fuzz():
    seconds = float(os.environ.get("FUZZ_SECONDS", "600"))
    seed = int(os.environ.get("FUZZ_SEED", random.SystemRandom().randrange(1 << 31)))
    workers = int(os.environ.get("FUZZ_WORKERS", os.cpu_count() or 1))
    print(f"fuzz-server: FUZZ_SEED={seed} FUZZ_SECONDS={seconds:g} FUZZ_WORKERS={workers}; findings go to {FINDINGS}",
        flush=True)
    context = multiprocessing.get_context("spawn")  # ports are chosen by process
    results = context.Queue()
    processes = [context.Process(target=work, args=(number, seed, seconds, results), daemon=True) for number in range(workers)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and the daemons end
    for process in processes:
        process.start()
    start, progress, ended, printed = time.monotonic(), {}, 0, 0
    while ended < workers and (any(process.is_alive() for process in processes) or not results.empty()):
        try:
            what, number, value = results.get(timeout=5)
        except queue.Empty:
            continue
        if what == "progress":
            progress[number] = value
            if time.monotonic() > printed + 10:
                printed = time.monotonic()
                print(f"{printed - start:6.0f} s  {line(progress, printed - start)}", flush=True)
        elif what == "end":
            ended += 1
        elif what == "seeds":
            print(f"worker {number}: {value} seeds", flush=True)
        else:
            print(f"-- {what} of worker {number}: {value}", flush=True)
    for process in processes:
        process.join(30)
    print(f"total: {line(progress, time.monotonic() - start)}")
    if ended < workers or len(progress) < workers:
        return WORKERS_DIED
    return FOUND if any(found for _, found in progress.values()) else 0


def replay(places):
    files = [file for place in map(pathlib.Path, places)
             for file in (sorted(place.glob("*.case")) if place.is_dir() else [place])]
    failed = 0
    with Stand() as stand:
        counts = collections.Counter()
        worker = Worker(stand, counts)
        for file in files:
            worker.dirty = True
            findings = worker.run(cases.read_file(file))[1]
            failed += bool(findings)
            for finding in findings:
                print(f"{file.name}: {finding}")
        print(f"replay: {len(files)} cases, {counts['statements']} statements, {counts['executed']} executed without an error, "
              f"{failed} with findings")
    return 1 if failed else 0


def show(path):
    with Stand() as stand:
        player, judge = Player(stand), Judge(stand, collections.Counter())
        played, trouble = player.play(cases.read_file(path))
        findings = judge.judge(played, trouble, show=True)
        print(*findings, sep="\n")
    return 1 if findings else 0


if __name__ == "__main__":
    build_plugins()
    if sys.argv[1:] == ["check"]:
        os.environ.setdefault("FUZZ_SECONDS", "60")
        status = replay([CORPUS])
        # Chance decides what it finds: it is printed and kept, and no reason to refuse an unrelated change.
        sys.exit(WORKERS_DIED if fuzz() == WORKERS_DIED else status)
    if sys.argv[1:2] == ["show"]:
        sys.exit(show(sys.argv[2]))
    sys.exit(replay(sys.argv[2:] or [CORPUS]) if sys.argv[1:2] == ["replay"] else fuzz())
