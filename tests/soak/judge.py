# SPDX-License-Identifier: Apache-2.0
"""What must hold at the end: every statement that began has ended, every session that came has left, the chain verifies, and
memory is flat. Reads audit_log's files one line at a time: there are gigabytes of them."""
import collections
import gzip
import json
import statistics
import subprocess

from harness.paths import BIN

ENDS = ("Completed", "Error", "Refused")


def files(path):
    """The rotated ones, oldest first, then the log."""
    return [*sorted(path.parent.glob(path.name + ".2*Z*")), path]


def records(path):
    for file in files(path):
        with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as lines:
            for line in lines:
                yield json.loads(line)


class Absences:
    """When audit_log was disabled itself, in connection ids, which count down: sessions that came meanwhile have no Connect."""

    SLACK = 64  # sessions that were logging in

    def __init__(self):
        self.spans, self.newest, self.begun, self.ends = [], 1 << 31, None, False

    def see(self, record):
        self.newest = min(self.newest, record.get("connection_id") or self.newest)
        if record["event"] == "Plugin" and record.get("plugin") == "audit_log":
            if record["detail"] == "Disabling":
                self.begun, self.ends = self.newest, False
            elif record["detail"] == "Enabled":
                self.ends = True
        elif self.ends and record["event"] == "Connect":
            self.spans.append((self.newest - self.SLACK, self.begun + self.SLACK))
            self.ends = False

    def explain(self, connection_id):
        return any(first <= connection_id <= last for first, last in self.spans)


class Balance:
    """Counts what has begun and not ended, by session and statement."""

    def __init__(self, path):
        self.statements, self.sessions, self.strangers = set(), set(), {}
        self.counts, self.wrong = collections.Counter(), []
        absences = Absences()
        for record in records(path):
            absences.see(record)
            self.counts[record["event"]] += 1
            if record["class"] == "general":
                self._statement(record)
            elif record["class"] == "connection":
                self._session(record)
        self.wrong += [f"has not ended: statement {key}" for key in sorted(self.statements)]
        self.wrong += [f"has not left: session {key}" for key in sorted(self.sessions)]
        self.wrong += [f"left and had not come: {record}" for key, record in self.strangers.items() if not absences.explain(key)]
        self.unseen = sum(absences.explain(key) for key in self.strangers)

    def _statement(self, record):
        key = (record["connection_id"], record.get("statement_id"))
        if record["event"] == "Starting":
            if key in self.statements:
                self.wrong.append(f"began twice: {record}")
            self.statements.add(key)
        elif record["event"] in ENDS:
            if key not in self.statements and record["event"] != "Refused":
                self.wrong.append(f"ended and had not begun: {record}")
            self.statements.discard(key)

    def _session(self, record):
        key = record["connection_id"]
        if record["event"] == "Connect":
            self.sessions.add(key)
        elif record["event"] == "Disconnect":
            if key not in self.sessions:
                self.strangers[key] = record
            self.sessions.discard(key)


def verify(path):
    """weir-audit verify over all files: (whether they verify, what it says)."""
    done = subprocess.run([BIN / "weir-audit", "verify", *files(path)], capture_output=True, text=True)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


class Memory:
    """RSS of the gateway, sampled after each suite. The first two rounds of suites are the warm-up. After that it goes up and down
    with the largest packets, so start, middle and end are the medians of a third of the samples each."""

    MIB = 1 << 20
    ALLOWED = 8 * MIB  # or a tenth of the start, whichever is more

    def __init__(self, warm_up):
        self.samples, self.warm_up = [], warm_up

    def take(self, size):
        self.samples.append(size)

    def judge(self):
        """(whether it is flat, what to print)"""
        after = self.samples[self.warm_up:]
        if len(after) < 9:
            return True, f"RSS {[size // self.MIB for size in self.samples]} MiB: too short a run to judge it"
        third = len(after) // 3
        start, middle, end = (statistics.median(part) for part in (after[:third], after[third:-third], after[-third:]))
        flat = end - start <= max(self.ALLOWED, start / 10)
        return flat, f"RSS at first {self.samples[0] / self.MIB:.1f} MiB; after warm-up " + ", ".join(
            f"{name} {size / self.MIB:.1f} MiB" for name, size in (("start", start), ("middle", middle), ("end", end)))
