# SPDX-License-Identifier: Apache-2.0
"""What the gateway says of each step: the witness's lines, Starting and its end put together."""
import dataclasses
import json

NOT_RUN, NOT_KNOWN = "Not run", "Not known"


@dataclasses.dataclass
class Told:
    """A statement as plugins see it. Texts are str with one character a byte; None: not known."""
    start: dict
    end: dict = None

    def __getattr__(self, name):
        return self.start[name]

    @property
    def ran(self):
        return self.end is not None and not self.refused and not (self.end["message"] or "").startswith(NOT_RUN)

    @property
    def refused(self):
        return bool(self.end and self.end["refused_by"])

    @property
    def inexact(self):
        """Whether the gateway itself says that it does not know what ran. That there are fewer results than it has seen
        statements is no such word: it has misread the text."""
        message = self.end and self.end["message"] or ""
        return self.start["reading_known"] == 0 or (message.startswith(NOT_KNOWN) and "fewer" not in message)

    @property
    def runs_unseen(self):
        """Whether it is an EXECUTE of which no part was seen."""
        return self.start["specific_kind"] == "Execute" and len(self.start["parts"]) == 1

    def kinds(self):
        """All names that it gives to what runs: its own, and those of its parts."""
        names = {self.start["kind"], self.start["specific_kind"]}
        for part in self.start["parts"]:
            names.update(part[:2])
        return names


class Unbalanced(Exception):
    pass


def read(stand, one):
    """The statements of a step, in order. Raises Unbalanced where Starting and its end do not fit."""
    told, open_ones = [], {}
    for line in stand.witness.read(*one.witness).splitlines():
        event = json.loads(line)
        number = event["statement_number"]
        if event["event"] == "Starting":
            if event["command"] == "Close stmt":
                continue  # has no reply: its events may come a step later
            told.append(Told(event))
            open_ones[number] = told[-1]
        elif number in open_ones:
            open_ones.pop(number).end = event
    if open_ones:
        raise Unbalanced(f"{len(open_ones)} of {len(told)} statements have no end: "
                         f"{[(one.command, (one.sql or '')[:80]) for one in open_ones.values()]}")
    return told
