# SPDX-License-Identifier: Apache-2.0
"""Writes what came of a run into docs/clients.md, between its markers."""
import datetime
import fcntl
import json
import re
import types

import compare
import get
import suites
import table
from place import ROOT

DOCUMENT = ROOT / "docs" / "clients.md"
BEGIN, END = "<!-- make clients writes what follows -->\n", "<!-- until here -->\n"


def _shown(line, length=110):
    text = "nothing" if line is None else line
    text = re.sub(r"\s+", " ", text).replace("`", "'")
    return f"`{text[:length]}{'…' if len(text) > length else ''}`"


class Notes:
    """The differences, numbered; those with the same reason share a number."""

    def __init__(self):
        self.texts, self.examples = [], {}

    def number(self, verdict, feature, direct, weir, reason):
        if reason not in self.texts:
            self.texts.append(reason)
            self.examples[reason] = (verdict.client.name, feature, direct, weir)
        return self.texts.index(reason) + 1

    def lines(self):
        for number, text in enumerate(self.texts, 1):
            name, feature, direct, weir = self.examples[text]
            yield f"{number}. {text} For example {name}, {feature}: directly {_shown(direct)}, through weir {_shown(weir)}."


def _cell(verdict, feature, notes):
    if feature not in verdict.features:
        return "–"
    if verdict.features[feature] == "equal":
        return "equal"
    numbers = {notes.number(verdict, f, direct, weir, why) for f, direct, weir, why in verdict.known if f == feature}
    numbers |= {notes.number(verdict, f, direct, weir, "Not explained.") for f, direct, weir in verdict.unknown if f == feature}
    return "differs " + ", ".join(map(str, sorted(numbers)))


def generated(verdicts):
    """The text between the markers."""
    notes = Notes()
    drivers = [v for v in verdicts if hasattr(v.client, "command")]
    suites = [v for v in verdicts if not hasattr(v.client, "command")]
    shown = list(compare.FEATURES)
    lines = [f"From runs of {' and '.join(sorted({v.day for v in verdicts}))}.", "",
             "| client | from | version | " + " | ".join(shown) + " |", "|---" * (len(shown) + 3) + "|"]
    for v in drivers:
        if not v.skipped:
            lines.append(f"| {v.client.name} | {v.client.source} | {v.version} | " + " | ".join(_cell(v, f, notes) for f in shown) + " |")
    lines += ["", "| suite, tool or server | what is run | version | outcome |", "|---|---|---|---|"]
    for v in suites:
        if not v.skipped:
            lines.append(f"| {v.client.name} | {v.client.what} | {v.version} | {_cell(v, 'work', notes)}, {v.lines} lines |")
    skipped = [v for v in verdicts if v.skipped]
    if skipped:
        lines += ["", "Not run:", "", *(f"* {v.client.name} ({getattr(v.client, 'source', None) or v.client.what}): {v.skipped}." for v in skipped)]
    if notes.texts:
        lines += ["", "What differs:", "", *notes.lines()]
    return "\n".join(lines) + "\n"


def _keep(verdicts):
    """The newest verdicts of all clients, each with its day: a run of some does not forget the others."""
    path = get.INTO / "verdicts.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    for v in verdicts:
        kept[f"{type(v.client).__name__} {v.client.name}"] = {
            "version": v.version, "skipped": v.skipped, "features": v.features, "known": v.known, "unknown": v.unknown,
            "day": f"{datetime.date.today():%Y-%m-%d}", "lines": len(v.outcomes[0].features.get("work", ())) if v.outcomes else 0}
    path.write_text(json.dumps(kept, indent=1))
    names = [(client, f"{type(client).__name__} {client.name}") for client in (*table.CLIENTS, *suites.SUITES)]
    return [types.SimpleNamespace(client=client, **kept[name]) for client, name in names if name in kept]


def write(verdicts):
    """Several runs may do this at a time."""
    get.INTO.mkdir(parents=True, exist_ok=True)
    with open(get.INTO / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        text = DOCUMENT.read_text()
        head, rest = text.split(BEGIN)
        _, tail = rest.split(END)
        DOCUMENT.write_text(head + BEGIN + generated(_keep(verdicts)) + END + tail)
