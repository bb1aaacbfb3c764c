# SPDX-License-Identifier: Apache-2.0
"""Two gateways behind HAProxy, as docs/load-balancer.md has them, in front of a primary and its replica: backends and gateways
that fail under load, and gateways that are restarted. What test_backend_failures.py does with one gateway."""
import contextlib
import shutil
import signal
import socket
import subprocess
import time

import pymysql
import pytest
from backend_failures_common import KILLS, ROUNDS, SLACK, Proof, audited_gateway, one_load, replicate, revive, tables_of  # noqa: F401
from harness.balancer import HAProxy
from harness.documents import blocks
from harness.endpoint import PASSWORD, USER, Endpoint
from harness.paths import WEIR_SERVER, program
from harness.ports import free_port

pytestmark = [pytest.mark.gateway_only, pytest.mark.time_limit(90 + 40 * ROUNDS),
              pytest.mark.skipif(not shutil.which(program("haproxy")), reason="HAProxy is not installed: run tools/bootstrap.sh test")]

FILES = {path: text for _, path, _, text in blocks("docs/load-balancer.md") if path}

# Seconds between HAProxy's checks, those that one may take, and when two have failed: a gateway that stands still is left out.
INTERVAL, CHECK = 0.2, 1.0
UNTIL_OUT = 2 * (INTERVAL + CHECK)
# With it, logins on their way to a gateway fail at the moment in which HAProxy takes it out.
SHUTS_DOWN = " on-marked-down shutdown-sessions"
WAIT = 2  # graceful-wait-before-shutdown


@pytest.fixture(scope="module")
def replicated(other_database):
    return replicate(other_database)


def haproxy(folder, gates, leave_out):
    port = free_port()
    text = FILES["haproxy.cfg"].replace(leave_out, "")
    for old, new in {"bind :3306": f"bind 127.0.0.1:{port}", "check port 10080 inter 1s": f"check inter {INTERVAL * 1000:.0f}ms",
                     **{f"gate{n}:4000": f"127.0.0.1:{gate.server.port} port {gate.server.status_port}"
                        for n, gate in enumerate(gates, 1)}}.items():
        assert old in text, old
        text = text.replace(old, new)
    return HAProxy(folder, port, text)


class BalancedProof(Proof):
    def __init__(self, gates, balancer, folder):
        endpoint = Endpoint("haproxy", "127.0.0.1", balancer.port, None)
        super().__init__(gates, folder, endpoint=endpoint)
        self.balancer, self.endpoint = balancer, endpoint

    def gate(self, number):
        """A gateway, and what HAProxy calls it."""
        return self.gates[number % 2].server, f"gate{number % 2 + 1}"

    def takes_logins_until_now(self):
        """HAProxy has noticed that a gateway has failed; so far it may have given it clients."""
        failure = self.failures[-1]
        failure.takes_logins, failure.is_over = True, time.monotonic()
        assert failure.is_over - failure.after <= UNTIL_OUT + SLACK

    def back_again(self, name):
        self.balancer.wait_state(name, "UP")
        self.load.wait_for_progress()


@pytest.fixture
def balanced(gateway, replicated, tmp_path):
    """Makes the proof with gateways that wait so long before they shut down."""
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: [revive(database) for database in replicated])

        def make(wait=WAIT, leave_out=""):
            gates = [audited_gateway(gateway, tmp_path / name, tables=tables_of(*replicated), status=True,
                                     options=["-proxy-protocol-networks", "127.0.0.1",
                                              "-graceful-wait-before-shutdown", str(wait)])
                     for name in ("gate1", "gate2")]
            balancer = haproxy(tmp_path / "haproxy", gates, leave_out).start()
            stack.callback(balancer.stop)
            for gate in gates:
                stack.callback(lambda process: process.alive() and process.signal(signal.SIGCONT), gate.server.process)
            for name in ("gate1", "gate2"):
                balancer.wait_state(name, "UP")
            return BalancedProof(gates, balancer, tmp_path / "proof")

        yield make


def test_the_documents_configuration_is_right(tmp_path):
    (tmp_path / "token").write_text("0123456789abcdef-a-token\n")
    text = FILES["weir.toml"].replace("/etc/weir/status-token", str(tmp_path / "token"))
    (tmp_path / "weir.toml").write_text(text)
    done = subprocess.run([WEIR_SERVER, "-check", "-config", tmp_path / "weir.toml", "-path", tmp_path / "data"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "graceful-wait-before-shutdown" in done.stdout, done.stderr
    assert str(tmp_path) in text


def test_a_primary_that_is_killed(balanced, replicated):
    primary, _ = replicated
    with balanced() as proof:
        for _ in range(KILLS):
            proof.fail("kill -9", 1.0, lambda: (primary.process.signal(signal.SIGKILL), primary.process.wait()))
            proof.load.wait_for_progress()
            primary.start()
            proof.wait_state(primary, "up")
            proof.load.wait_for_progress()


def test_a_primary_that_stands_still(balanced, replicated):
    primary, _ = replicated
    with balanced() as proof:
        for _ in range(ROUNDS):
            proof.outlast("SIGSTOP", primary.process.freeze)
            primary.process.signal(signal.SIGCONT)
            proof.wait_state(primary, "up")
            proof.load.wait_for_progress()


def kill_in_turn(proof, takes_logins):
    for number in range(KILLS):
        server, name = proof.gate(number)
        proof.fail("kill -9", 1.0, lambda: (server.process.signal(signal.SIGKILL), server.process.wait()))  # noqa: B023
        proof.balancer.wait_state(name, "DOWN")
        if takes_logins:
            proof.takes_logins_until_now()
        proof.load.wait_for_progress()
        server.start()
        proof.back_again(name)


def test_a_gateway_that_is_killed(balanced):
    """Logins that HAProxy is connecting to it at the moment in which it notices may fail: shutdown-sessions ends them."""
    with balanced() as proof:
        kill_in_turn(proof, True)


def test_a_gateway_that_is_killed_where_haproxy_shuts_no_sessions_down(balanced):
    with balanced(leave_out=SHUTS_DOWN) as proof:
        kill_in_turn(proof, False)


def test_a_gateway_that_stands_still(balanced):
    """Until HAProxy has noticed it gives it new clients; they read an error then, as those that it had before."""
    with balanced() as proof:
        for number in range(KILLS):
            server, name = proof.gate(number)
            proof.fail("SIGSTOP", UNTIL_OUT, server.process.freeze)
            proof.balancer.wait_state(name, "DOWN")
            proof.takes_logins_until_now()
            proof.load.wait_for_progress()
            proof.wait_limit()
            server.process.signal(signal.SIGCONT)
            proof.back_again(name)


def test_gateways_that_are_restarted_disturb_nobody(balanced):
    proof = balanced()
    with proof:
        for number in range(KILLS):
            server, name = proof.gate(number)
            server.interrupt()
            proof.balancer.wait_state(name, "NOLB")
            assert server.process.wait(WAIT + 20) == 0
            proof.load.wait_for_progress()
            server.start()
            proof.back_again(name)
    assert not [step for step in proof.load.steps if step.error]


def test_gateways_that_are_restarted_without_the_wait(balanced):
    """What is refused goes to the other one; who was there reads an error."""
    def stop(server):
        begin = len(server.log())
        server.interrupt()
        server.process.wait_log("stopping: no new connections", start=begin)

    with balanced(wait=0, leave_out=SHUTS_DOWN) as proof:
        for number in range(KILLS):
            server, name = proof.gate(number)
            proof.fail("SIGTERM", 1.0, lambda: stop(server))  # noqa: B023
            assert server.process.wait(20) == 0
            proof.load.wait_for_progress()
            server.start()
            proof.back_again(name)


def test_transactions_may_end_while_a_gateway_that_was_left_out_drains(balanced, replicated):
    """HAProxy closes nothing of a gateway that says that it stops."""
    primary, _ = replicated
    proof = balanced()
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(pymysql.connect(host="127.0.0.1", port=proof.endpoint.port, user=USER, password=PASSWORD))
                    for _ in range(2)]  # one at each, since they have the same number of connections
        for number, session in enumerate(sessions):
            session.query(f"INSERT INTO proof.marks VALUES ('drained {number}')")
        server, name = proof.gate(0)
        server.interrupt()
        proof.balancer.wait_state(name, "NOLB")
        server.process.wait_log("stopping: no new connections")
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port)):
            pass
        assert proof.balancer.states() == {"gate1": "NOLB", "gate2": "UP"} and server.process.alive()
        for session in sessions:
            session.commit()
        assert server.process.wait(20) == 0
    rows = primary.execute("SELECT COUNT(*) FROM proof.marks WHERE mark LIKE 'drained%'")
    assert rows == ((2,),)
