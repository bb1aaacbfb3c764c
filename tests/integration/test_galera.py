# SPDX-License-Identifier: Apache-2.0
"""A Galera cluster of three nodes that fail under load, one after another: as test_backend_failures.py. And what
-backend-check-galera is for: a node that is not synced gets no sessions."""
import signal

import pymysql
import pytest
from backend_failures_common import KILLS, OPTIONS, ROUNDS, Proof, audited_gateway, backends, cable, one_load  # noqa: F401
from harness.endpoint import PASSWORD, USER
from harness.galera import PROVIDER, Galera
from harness.waiting import wait_for

pytestmark = [pytest.mark.gateway_only, pytest.mark.time_limit(120 + 40 * ROUNDS),
              pytest.mark.skipif(not PROVIDER.exists(), reason="galera-4 is not installed: run tools/bootstrap.sh test")]

STATEMENTS = ["CREATE USER gate@'%' IDENTIFIED BY 'gate-secret'", "CREATE DATABASE proof",
              "CREATE TABLE proof.marks (mark VARCHAR(60) PRIMARY KEY)"]


@pytest.fixture(scope="module")
def cluster(cable):  # noqa: F811
    here, there = (cable.outside, (cable.inside, cable.prefix)) if cable else (None, ("127.0.0.4", ()))
    made = Galera([(here or "127.0.0.2", ()), (here or "127.0.0.3", ()), there])
    try:
        yield made.start(*STATEMENTS)
    finally:
        made.stop()


@pytest.fixture
def nodes(cluster):
    """All of them, synced: before and after."""
    def all_are_synced():
        return all(node.state() == 4 for node in cluster.nodes)

    wait_for(all_are_synced, "all nodes to be synced", 60)
    yield cluster.nodes
    for node in cluster.nodes:
        node.process.signal(signal.SIGCONT)
        if not node.process.alive():
            node.start()
    wait_for(all_are_synced, "all nodes to be synced again", 60)


@pytest.fixture
def proof(gateway, nodes, tmp_path):
    gate = audited_gateway(gateway, tmp_path / "gate", ",".join(node.address for node in nodes),
                           options=["-backend-policy", "least-connections", "-backend-check-galera"])
    made = Proof([gate], tmp_path / "proof", statement="INSERT INTO proof.marks VALUES ('%s')")
    made.nodes = nodes
    return made


def kept(node):
    return {row[0] for row in node.execute("SELECT mark FROM proof.marks")}


def must_keep(proof, nodes):
    """What was acknowledged is in the table, at each node."""
    wanted = {step.marker for step in proof.load.steps if step.what == "statement" and not step.error}
    wait_for(lambda: all(wanted <= kept(node) for node in nodes), "every node to have all that was acknowledged", 30)


def is_up(proof, node):
    return backends(proof.server)[node.address]["State"] == "up"


def test_nodes_that_are_killed(proof, nodes):
    with proof:
        for number in range(KILLS):
            node = nodes[number % 3]
            proof.fail("kill -9", 1.0, lambda: (node.process.signal(signal.SIGKILL), node.process.wait()))
            proof.load.wait_for_progress()
            node.start()
            proof.wait_state(node, "up")
            proof.load.wait_for_progress()
    must_keep(proof, nodes)


def test_nodes_that_stand_still(proof, nodes):
    with proof:
        for number in range(ROUNDS):
            node = nodes[(number + 1) % 3]
            proof.outlast("SIGSTOP", node.process.freeze)
            came_back(proof, node, lambda: node.process.signal(signal.SIGCONT))
    must_keep(proof, nodes)


def came_back(proof, node, action):
    """It may be up for a moment before it notices that the others have gone on without it."""
    size = "SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'"
    views = "SHOW GLOBAL STATUS LIKE 'wsrep_cluster_conf_id'"
    other = next(each for each in proof.nodes if each is not node)
    before = other.execute(views)[0][1]
    proof.come_back(action, lambda: other.execute(views)[0][1] != before and other.execute(size)[0][1] == "3"
                    and node.state() == 4 and is_up(proof, node))
    proof.load.wait_for_progress()


def test_a_node_whose_network_is_cut(proof, nodes, cable):  # noqa: F811
    if not cable:
        pytest.skip("no network namespace can be made here")
    with proof:
        for _ in range(ROUNDS):
            proof.outlast("cut", cable.cut)
            came_back(proof, nodes[2], cable.mend)
    must_keep(proof, nodes)


# ---- What is not synced ----

def where(server):
    with pymysql.connect(host=server.host, port=server.port, user=USER, password=PASSWORD) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@wsrep_node_name")
        return cursor.fetchone()[0]


@pytest.fixture
def ordered(gateway, nodes):
    server = gateway(",".join(node.address for node in nodes), options=[*OPTIONS, "-backend-check-galera"],
                     environment={"WEIR_BACKEND_CHECK_PASSWORD": "gate-secret"})
    wait_for(lambda: where(server) == "node1", "the first node to be up")
    return server


def test_a_node_that_is_desynced_gets_no_sessions(ordered, nodes):
    nodes[0].execute("SET GLOBAL wsrep_desync = ON")
    try:
        wait_for(lambda: backends(ordered)[nodes[0].address]["State"] == "down", "the node to be down")
        assert {where(ordered) for _ in range(10)} == {"node2"}
        assert '"SHOW GLOBAL STATUS LIKE \'wsrep_local_state\'" says' in backends(ordered)[nodes[0].address]["Last_error"]
    finally:
        nodes[0].execute("SET GLOBAL wsrep_desync = OFF")
    wait_for(lambda: where(ordered) == "node1", "the node to be used again")


def test_a_donor_and_the_node_that_joins_get_no_sessions_until_they_are_synced(ordered, nodes):
    first, _, third = nodes
    third.stop()
    third.forget()
    third.start()
    ordered.process.wait_log(f"{first.address} is down")  # it was the donor
    wait_for(lambda: where(ordered) == "node1", "the donor to be used again")
    wait_for(lambda: backends(ordered)[third.address]["State"] == "up", "the node that joins to be up", 60)
    assert third.state() == 4
