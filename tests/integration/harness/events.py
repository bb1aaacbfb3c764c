# SPDX-License-Identifier: Apache-2.0
"""What the recorder plugin has written: one JSON object an event, in the order in which the plugin was called."""
import json
import pathlib

from .waiting import wait_for


class Events:
    """The recorder's file; text facts are str with one character a byte (latin-1), absent ones None."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def all(self):
        if not self.path.exists():
            return []
        lines = self.path.read_bytes().split(b"\n")[:-1]  # the last one may be half-written
        return [json.loads(line) for line in lines]

    def of(self, connection_id):
        return [event for event in self.all() if event.get("connection_id") == connection_id]

    def wait_for(self, condition, what, timeout=20.0):
        """Waits for an event of which condition(event) is true."""
        return wait_for(lambda: next((event for event in self.all() if condition(event)), None), what, timeout)

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
