# SPDX-License-Identifier: Apache-2.0
"""Real servers that fail under load, again and again, and nobody is disturbed who was not at the one that fails: a primary
with its replica here, a Galera cluster in test_galera.py, behind HAProxy in test_balancer_failures.py.

32 clients log in again every four statements; audit_log is SYNCHRONOUS with its chain on. WEIR_TEST_ROUNDS is how often
each failure comes; the figures of each case are printed (pytest -s)."""
import signal
import time

import pytest
from backend_failures_common import KILLS, ROUNDS, Proof, audited_gateway, cable, one_load, replicate, revive, tables_of  # noqa: F401
from harness.waiting import wait_for

pytestmark = [pytest.mark.gateway_only, pytest.mark.time_limit(60 + 40 * ROUNDS)]


@pytest.fixture(scope="module")
def replicated(other_database, cable):  # noqa: F811
    """A primary, and a replica that is read-only."""
    return replicate(other_database, **({"host": cable.inside, "prefix": cable.prefix} if cable else {}))


@pytest.fixture
def proof(gateway, replicated, tmp_path):
    gate = audited_gateway(gateway, tmp_path / "gate", tables=tables_of(*replicated))
    yield Proof([gate], tmp_path / "proof")
    revive(replicated[0])


def test_a_primary_that_is_killed(proof, replicated):
    primary, replica = replicated
    with proof:
        for number in range(KILLS):
            proof.fail("kill -9", 1.0, lambda: (primary.process.signal(signal.SIGKILL), primary.process.wait()))
            proof.load.wait_for_progress()
            primary.start()
            primary.execute(f"INSERT INTO proof.marks VALUES ('round {number}')")
            proof.wait_state(primary, "up")
            proof.load.wait_for_progress()
    wait_for(lambda: replica.execute("SELECT COUNT(*) FROM proof.marks WHERE mark LIKE 'round%'")[0][0] == KILLS,
             "the replica to have all that the primary has")


def test_a_primary_that_stands_still(proof, replicated):
    primary, _ = replicated
    with proof:
        for _ in range(ROUNDS):
            proof.outlast("SIGSTOP", primary.process.freeze)
            primary.process.signal(signal.SIGCONT)
            proof.wait_state(primary, "up")
            proof.load.wait_for_progress()


def test_a_primary_whose_network_is_cut(proof, replicated, cable):  # noqa: F811
    if not cable:
        pytest.skip("no network namespace can be made here")
    primary, _ = replicated
    with proof:
        for _ in range(ROUNDS):
            proof.outlast("cut", cable.cut)
            cable.mend()
            proof.wait_state(primary, "up")
            proof.load.wait_for_progress()


def test_a_primary_whose_network_is_slow(proof, replicated, cable):  # noqa: F811
    """Its sessions go on, or end by a time-out; what is new goes elsewhere as soon as it is too slow to greet in time."""
    if not cable:
        pytest.skip("no network namespace can be made here")
    primary, _ = replicated
    with proof:
        for _ in range(ROUNDS):
            proof.outlast("slow", cable.slow_down)
            cable.speed_up()
            proof.failures[-1].is_over = time.monotonic()
            proof.wait_state(primary, "up")
            proof.load.wait_for_progress()
