# SPDX-License-Identifier: Apache-2.0
"""What the proofs with failing backends share: a gateway with audit_log in front of several servers, clients without end,
failures one after another, and what must be true of all that the clients have seen."""
import dataclasses
import os
import re
import time

import pymysql
import pytest
from audit_log_common import AuditedGateway, weir_audit
from harness.endpoint import PASSWORD, USER
from harness.namespace import Namespace, namespaces_work
from harness.steady_load import SteadyLoad, acknowledged, failed_logins, failed_statements, longest
from harness.waiting import wait_for

# How often each failure comes; kills, after which nobody waits for time-outs, are quicker.
ROUNDS = int(os.environ.get("WEIR_TEST_ROUNDS", "1"))
KILLS = max(2, ROUNDS)

CONNECT, HANDSHAKE, LOST, INTERVAL = 2, 4, 2, 0.2  # seconds
OPTIONS = ["-backend-check-interval", f"{INTERVAL * 1000:.0f}", "-backend-slow-start", "0", "-backend-rise", "1", "-backend-fall", "2",
           "-connect-timeout", str(CONNECT), "-handshake-timeout", str(HANDSHAKE), "-backend-lost-timeout", str(LOST),
           "-backend-check-user", "gate"]

# What a machine with more work than processors adds to any wait, in seconds.
SLACK = 1.0
# From when on a server says nothing until the gateway leaves it: two checks that fail, or the time-out; and it is looked at
# once more a check later.
UNTIL_LOST = 2 * (CONNECT + INTERVAL) + LOST + INTERVAL


@dataclasses.dataclass
class Failure:
    kind: str
    before: float  # it has failed between these two times
    after: float
    limit: float  # how long its sessions may wait from then on
    is_over: float  # until when it got sessions that it could not serve: a node that does not know yet that it was left out


@pytest.fixture(scope="module")
def cable():
    """A network namespace for the server that loses its network, or None where there can be none."""
    made = Namespace() if namespaces_work() else None
    yield made
    if made:
        made.remove()


def backends(server):
    """The rows of ADMIN SHOW BACKENDS, by address."""
    with pymysql.connect(host=server.host, port=server.port, user=USER, password=PASSWORD) as connection, \
            connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("ADMIN SHOW BACKENDS")
        return {row["Address"]: row for row in cursor.fetchall()}


class Proof:
    """In a with statement: the clients run inside it; at its end all that they have seen is judged."""

    def __init__(self, gateway, folder, backend=None, tables="", statement="SELECT '%s'", options=()):
        folder.mkdir(exist_ok=True)
        self.audited = AuditedGateway(gateway, backend, folder, tables=tables, options=[*OPTIONS, *options],
                                      settings={"strategy": "SYNCHRONOUS", "chain": True},
                                      environment={"WEIR_BACKEND_CHECK_PASSWORD": "gate-secret"})
        self.server = self.audited.server
        self.load = SteadyLoad(self.server.endpoint, USER, PASSWORD, folder, statement)
        self.failures = []

    def __enter__(self):
        self.load.__enter__()
        return self

    def __exit__(self, kind, *_):
        self.load.__exit__()
        if kind is None:
            self.judge()

    def fail(self, kind, limit, action):
        """Has a server fail."""
        before = time.monotonic()
        action()
        after = time.monotonic()
        self.failures.append(Failure(kind, before, after, limit, after))

    def outlast(self, kind, action):
        """A failure that closes no connection: until all that waits for the server has been given up."""
        self.fail(kind, UNTIL_LOST, action)
        self.load.wait_for_progress()
        self.wait_limit()

    def come_back(self, action, is_back):
        """A node comes back that was left out, and serves nobody until it has noticed."""
        self.fail("come back", CONNECT, action)
        wait_for(is_back, "the node to be a member again", 60)
        self.failures[-1].is_over = time.monotonic()

    def wait_state(self, node, state):
        wait_for(lambda: backends(self.server)[node.address]["State"] == state, f"{node.address} to be {state}", 60)

    def wait_limit(self):
        """Waits until a session of the server that failed last that still waits has waited too long."""
        failure = self.failures[-1]
        wait_for(lambda: time.monotonic() > failure.after + failure.limit + 2 * SLACK, "the time-outs to be over", 60)

    def excused(self, step, grace):
        """Whether its session was there or under way when a server failed, and it has ended in time."""
        return any(step.since <= (failure.after if step.what == "login" else failure.is_over)
                   and failure.before <= step.end <= failure.is_over + max(failure.limit, grace) + SLACK
                   for failure in self.failures)

    def judge(self):
        steps = self.load.steps
        self.report(steps)
        # A login may fail if the client had been asked for its password by the server that failed; no other.
        wrong = [step for step in failed_logins(steps) if not self.excused(step, HANDSHAKE)]
        assert not wrong, (self.failures, len(wrong), wrong[:3])
        wrong = [step for step in failed_statements(steps) if not self.excused(step, 0)]
        assert not wrong, (self.failures, len(wrong), wrong[:3])
        assert longest(steps) <= max([CONNECT + HANDSHAKE, *(failure.limit for failure in self.failures)]) + SLACK
        logins = [step for step in steps if step.what == "login" and not step.error]
        assert longest(logins) <= CONNECT + HANDSHAKE + SLACK  # until a backend asks for the password, and from there on
        self.server.stop()
        lines = [line for line in self.audited.path.read_text().splitlines() if '"Completed"' in line]
        logged = set(re.findall(r"m\d+x\d+x\d+", "\n".join(lines)))
        missing = acknowledged(steps) - logged
        assert not missing, f"{len(missing)} of {len(acknowledged(steps))} acknowledged statements are not in the log: {sorted(missing)[:5]}"
        weir_audit("verify", self.audited.path)

    def report(self, steps):
        logins = [step for step in steps if step.what == "login"]
        statements = [step for step in steps if step.what == "statement"]
        late = [max((step.end - failure.after for step in failed_statements(steps)
                     if failure.before <= step.end and step.since <= failure.after), default=0.0)
                for failure in self.failures]
        print(f"\n{len(self.failures)} failures: {len(logins)} logins ({len(failed_logins(steps))} failed, all under way at a failure), "
              f"longest {longest(logins):.2f} s; {len(statements)} statements ({len(failed_statements(steps))} failed), "
              f"longest {longest(statements):.2f} s; last error after a failure: {max(late, default=0.0):.2f} s")
