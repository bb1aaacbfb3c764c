#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real clients, directly and through weir: main.py [--only PATTERN] [--show] [--write]

Prints a line for each, and what differs. --write puts the table into docs/clients.md. 0 when every difference has a reason."""
import argparse
import pathlib
import re
import signal
import sys
import tempfile
import time

import document
import runner
import suites
import table
from place import Place
from reasons import REASONS


def report(verdict, seconds):
    name = f"{verdict.client.name:34} {verdict.version[:24]:24}"
    if verdict.skipped:
        print(f"{name} not run: {verdict.skipped}", flush=True)
        return
    differing = [feature for feature, what in verdict.features.items() if what == "differs"]
    print(f"{name} {seconds:4.0f} s  {len(verdict.features) - len(differing)} equal"
          + (f", differ: {', '.join(differing)}" if differing else ""), flush=True)
    for feature, direct, weir in verdict.unknown:
        print(f"    {feature}: direct {direct!r}\n    {' ' * len(feature)}  weir   {weir!r}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="those whose name matches this regular expression")
    parser.add_argument("--show", action="store_true", help="print what was read, too")
    parser.add_argument("--write", action="store_true", help="write docs/clients.md")
    parser.add_argument("--folder", help="where to work, and to leave what was written")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with tempfile.TemporaryDirectory(prefix="clients") as scratch:
        folder = pathlib.Path(arguments.folder or scratch)
        folder.mkdir(exist_ok=True)
        place = Place(folder)
        verdicts = []
        try:
            place.start()
            for kind, judge in [(table.CLIENTS, runner.judge), (suites.SUITES, suites.judge)]:
                for client in kind:
                    if not re.search(arguments.only, client.name, re.IGNORECASE):
                        continue
                    start = time.monotonic()
                    verdicts.append(judge(place, client))
                    report(verdicts[-1], time.monotonic() - start)
                    if arguments.write:
                        document.write(verdicts[-1:])
                    if arguments.show:
                        for name, outcome in zip(("direct", "weir"), verdicts[-1].outcomes):
                            print(name, *(f"    {f}: {line}" for f, lines in outcome.features.items() for line in lines), sep="\n")
            place.stop()
        finally:
            place.kill()
    if not arguments.only:
        used = {why for verdict in verdicts for *_, why in verdict.known}
        for *_, why in REASONS:
            if why not in used:
                print(f"this reason explains nothing: {why}")
    bad = [verdict.client.name for verdict in verdicts if verdict.unknown]
    ran = [verdict for verdict in verdicts if not verdict.skipped]
    print(f"{len(ran) - len(bad)} passed, {len(bad)} failed, {len(verdicts) - len(ran)} skipped" + (f": {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
