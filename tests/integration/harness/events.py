# SPDX-License-Identifier: Apache-2.0
"""What the recorder plugin has written: one JSON object an event, in the order in which the plugin was called."""
import json
import pathlib

from .waiting import wait_for


class Events:
    """The recorder's file, read on from where it was left; text facts are str with one character a byte (latin-1), absent
    ones None."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.offset = 0
        self.events, self.sessions = [], {}

    def all(self):
        if self.path.exists():
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                data = file.read()
            data = data[:data.rfind(b"\n") + 1]  # the last line may be half-written
            self.offset += len(data)
            for line in data.splitlines():
                event = json.loads(line)
                self.events.append(event)
                self.sessions.setdefault(event.get("connection_id"), []).append(event)
        return self.events

    def of(self, connection_id):
        self.all()
        return self.sessions.get(connection_id, [])

    def wait_for(self, condition, what, timeout=20.0):
        """Waits for an event of which condition(event) is true."""
        seen = 0

        def check():
            nonlocal seen
            new, seen = self.all()[seen:], len(self.events)
            return next((event for event in new if condition(event)), None)

        return wait_for(check, what, timeout)

    def ended(self, connection_id):
        """The events of a session once its Disconnect or Reject is there."""
        def check():
            events = self.of(connection_id)
            return events if events and events[-1]["event"] in ("Disconnect", "Reject") else None
        return wait_for(check, f"the end of session {connection_id}")


def names(events):
    """The events in short: "Connected", "Starting Query", ... in order."""
    return [event["event"] + (" " + event["command"] if event["point"] == "general" else "") for event in events]


def statements(events, event="Completed"):
    """The general events of one sort."""
    return [e for e in events if e["point"] == "general" and e["event"] == event]
