# SPDX-License-Identifier: Apache-2.0
"""Clients that log in again every few statements while backends fail (clients/steady_load.c), and what they have seen."""
import collections
import os
import subprocess
import time

from .packaging import build_client
from .waiting import wait_for

# since: when the login of its session began.
Step = collections.namedtuple("Step", "what begin end error marker message since")


class SteadyLoad:
    """In a with statement: the clients run inside it. read() is what they have done so far, in the order of its ends."""

    def __init__(self, endpoint, user, password, folder, statement="SELECT '%s'", threads=32, each=4):
        self.command = [build_client("steady_load"), str(threads), str(each), statement]
        self.threads = threads
        self.environment = {**os.environ, "WEIR_TEST_HOST": endpoint.host, "WEIR_TEST_PORT": str(endpoint.port),
                            "WEIR_TEST_USER": user, "WEIR_TEST_PASSWORD": password}
        self.path = folder / "steady_load.out"
        self.process, self.file = None, None
        self.steps, self.rest, self.logins = [], "", {}

    def __enter__(self):
        with open(self.path, "wb") as output:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=output, env=self.environment)
        self.file = open(self.path, encoding="utf-8", errors="replace")
        self.wait_for_progress()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(90)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        self.read()
        self.file.close()
        assert self.process.returncode == 0

    def read(self):
        """Reads what has come since the last time; returns all steps."""
        *lines, self.rest = (self.rest + self.file.read()).split("\n")
        for line in lines:
            what, begin, end, error, marker, message = line.split(" ", 5)
            thread = marker.split("x")[0]
            if what == "login":
                self.logins[thread] = float(begin)
            self.steps.append(Step(what, float(begin), float(end), int(error), marker, message, self.logins[thread]))
        return self.steps

    def wait_for_progress(self, more=2):
        """Waits until as many sessions as there are threads, times `more`, have begun and logged in from now on."""
        start = time.monotonic()

        before = len(self.read())

        def enough():
            new = self.read()[before:]
            return sum(step.what == "login" and not step.error and step.begin >= start for step in new) >= more * self.threads

        wait_for(enough, "the clients to go on logging in", 60)
        return start


def failed_logins(steps):
    return [step for step in steps if step.what == "login" and step.error]


def failed_statements(steps):
    return [step for step in steps if step.what == "statement" and step.error]


def acknowledged(steps):
    """The markers of the statements whose end a client has read."""
    return {step.marker for step in steps if step.what == "statement" and not step.error}


def longest(steps):
    return max((step.end - step.begin for step in steps), default=0.0)
