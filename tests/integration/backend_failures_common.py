# SPDX-License-Identifier: Apache-2.0
"""What the proofs with failing backends share: a gateway with audit_log in front of several servers, clients without end,
failures one after another, and what must be true of all that the clients have seen."""
import dataclasses
import os
import re
import signal
import time

import pymysql
import pytest
from audit_log_common import AuditedGateway, weir_audit
from harness.endpoint import PASSWORD, USER
from harness.exclusive import alone
from harness.namespace import Namespace, namespaces_work
from harness.paths import BUILD
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
    takes_logins: bool = False  # ... and whose logins failed: those of a gateway, until the balancer has left it out


def replicate(other_database, **elsewhere):
    """A primary, and a replica that is read-only. elsewhere: where the primary is to run."""
    primary = other_database("primary", "--server-id=1", **elsewhere)
    replica = other_database("replica", "--server-id=2", "--read-only=1")
    log, position = primary.execute("SHOW MASTER STATUS")[0][:2]
    replica.execute(f"CHANGE MASTER TO MASTER_HOST='{primary.host}', MASTER_PORT={primary.port}, MASTER_USER='{USER}',"
                    f" MASTER_PASSWORD='{PASSWORD}', MASTER_LOG_FILE='{log}', MASTER_LOG_POS={position},"
                    " MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=1",
                    "START SLAVE")
    primary.execute("CREATE USER gate@'%' IDENTIFIED BY 'gate-secret'", "CREATE DATABASE proof",
                    "CREATE TABLE proof.marks (mark VARCHAR(60) PRIMARY KEY)")
    wait_for(lambda: replica.execute("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'proof'")[0][0],
             "the replica to follow")
    return primary, replica


def tables_of(primary, replica):
    """Both in the configuration file, the one that is not read-only first."""
    return "".join(f'[[backend]]\nname = "{name}"\naddress = "{database.address}"\nrole = "auto"\n'
                   for name, database in (("one", primary), ("two", replica)))


def revive(database):
    """Has a database serve again, whatever was done to it."""
    database.process.signal(signal.SIGCONT)
    if not database.process.alive():
        database.start()


@pytest.fixture(scope="module", autouse=True)
def one_load():
    """The processes that run such cases do so one after the other: each fills the machine, and times what clients wait."""
    with alone(BUILD / "load"):
        yield


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


def audited_gateway(gateway, folder, backend=None, tables="", options=(), **more):
    """A gateway whose log has every statement before its client has read the end of it."""
    return AuditedGateway(gateway, backend, folder, tables=tables, options=[*OPTIONS, *options],
                          settings={"strategy": "SYNCHRONOUS", "chain": True},
                          environment={"WEIR_BACKEND_CHECK_PASSWORD": "gate-secret"}, **more)


class Proof:
    """In a with statement: the clients run inside it; at its end all that they have seen is judged. gates: the gateways;
    the clients are at the first one's endpoint, or at that of the balancer in front of them."""

    def __init__(self, gates, folder, statement="SELECT '%s'", endpoint=None):
        folder.mkdir(exist_ok=True)
        self.gates, self.server = gates, gates[0].server
        self.load = SteadyLoad(endpoint or self.server.endpoint, USER, PASSWORD, folder, statement)
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
        for gate in self.gates:
            wait_for(lambda: backends(gate.server)[node.address]["State"] == state, f"{node.address} to be {state}", 60)  # noqa: B023

    def wait_limit(self):
        """Waits until a session of the server that failed last that still waits has waited too long."""
        failure = self.failures[-1]
        wait_for(lambda: time.monotonic() > failure.after + failure.limit + 2 * SLACK, "the time-outs to be over", 60)

    def excused(self, step, grace):
        """Whether its session was there or under way when a server failed, and it has ended in time."""
        return any(step.since <= (failure.is_over if step.what != "login" or failure.takes_logins else failure.after)
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
        logged = set()
        for gate in self.gates:
            gate.server.stop()
            lines = [line for line in gate.path.read_text().splitlines() if '"Completed"' in line]
            logged.update(re.findall(r"m\d+x\d+x\d+", "\n".join(lines)))
        missing = acknowledged(steps) - logged
        assert not missing, f"{len(missing)} of {len(acknowledged(steps))} acknowledged statements are not in the log: {sorted(missing)[:5]}"
        for gate in self.gates:
            weir_audit("verify", gate.path)

    def report(self, steps):
        logins = [step for step in steps if step.what == "login"]
        statements = [step for step in steps if step.what == "statement"]
        late = [max((step.end - failure.after for step in failed_statements(steps)
                     if failure.before <= step.end and step.since <= failure.after), default=0.0)
                for failure in self.failures]
        print(f"\n{len(self.failures)} failures: {len(logins)} logins ({len(failed_logins(steps))} failed, all under way at a failure), "
              f"longest {longest(logins):.2f} s; {len(statements)} statements ({len(failed_statements(steps))} failed), "
              f"longest {longest(statements):.2f} s; last error after a failure: {max(late, default=0.0):.2f} s")
