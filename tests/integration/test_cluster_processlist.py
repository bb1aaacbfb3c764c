# SPDX-License-Identifier: Apache-2.0
"""ADMIN SHOW PROCESSLIST [CLUSTER]: the sessions of a gateway, and of all gateways of a cluster, with a real etcd."""
import hashlib
import shutil
import signal
import struct
import threading
from contextlib import contextmanager

import pytest
from harness.observe import run
from harness.waiting import wait_for
from test_cluster import Nodes, here, nodes_of, query, wait_lost

pytestmark = [pytest.mark.gateway_only,
              pytest.mark.skipif(not (shutil.which("etcd") and shutil.which("etcdctl")), reason="etcd is not installed")]

COLUMNS = ["Id", "Node", "User", "Host", "db", "Command", "Time", "State", "Digest", "Info"]
REQUESTS = "/weir/weir/requests/"


@pytest.fixture
def nodes(gateway, database, etcd):
    return Nodes(gateway, database.address, etcd)


def processes(server, cluster=False, **login):
    """The rows by id, and the warnings; without the session that asks."""
    with server.endpoint.connect(**login) as connection:
        (result,) = run(connection, "ADMIN SHOW PROCESSLIST" + (" CLUSTER" if cluster else ""))
        assert "error" not in result, result
        assert [column[0] for column in result["columns"]] == COLUMNS
        rows = [dict(zip(COLUMNS, row)) for row in result["rows"]]
        asking = str(connection.thread_id())
        assert asking in [row["Id"] for row in rows]
        texts = [row[2] for row in run(connection, "SHOW WARNINGS")[0]["rows"]]
        return {row["Id"]: row for row in rows if row["Id"] != asking}, texts


@contextmanager
def sleeping(server, sql="SELECT SLEEP(100), 'a secret'"):
    """A session that runs a statement: its id."""
    with server.endpoint.connect() as connection, server.endpoint.connect() as killer:
        def sleep():
            try:
                run(connection, sql)
            except Exception:  # it was killed
                pass
        thread = threading.Thread(target=sleep)
        thread.start()
        try:
            yield str(connection.thread_id())
        finally:
            killer.query(f"KILL {connection.thread_id()}")
            thread.join()


def row_that(server, number, condition, **options):
    """The row of a session, once it is as it should be."""
    return wait_for(lambda: next((row for row in [processes(server, **options)[0].get(number)] if row and condition(row)), None),
                    f"session {number} to be listed as it should be")


def test_a_gateway_lists_its_sessions(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"])
    with server.endpoint.connect() as idle, sleeping(server) as busy:
        row = row_that(server, busy, lambda row: row["State"] == "running")
        assert (row["User"], row["Command"], row["Node"], row["Host"]) == ("tester", "Query", None, "127.0.0.1")
        assert int(row["Time"]) < 60
        assert row["Info"] == "select `sleep` ( ? ) , ?" and len(row["Digest"]) == 64
        row = processes(server)[0][str(idle.thread_id())]
        assert (row["Command"], row["State"], row["Info"], row["Digest"]) == ("Sleep", "ready", None, None)
        assert row["db"] == run(idle, "SELECT DATABASE()")[0]["rows"][0][0]
    wait_for(lambda: not processes(server)[0], "the sessions to be gone")


def digest_of(server, sql):
    """What the gateway itself says of a statement while it runs."""
    with sleeping(server, sql) as busy:
        return row_that(server, busy, lambda row: row["State"] == "running")


def test_without_plugins_statements_are_listed_as_with_them(gateway, database):
    rows = [digest_of(gateway(database.address, plugins=plugins), "SELECT SLEEP(100), 'a secret'")
            for plugins in ([], ["recorder-1"])]
    assert [(row["Command"], row["Info"], row["Digest"]) for row in rows] == 2 * [
        ("Query", "select `sleep` ( ? ) , ?", hashlib.sha256(b"select `sleep` ( ? ) , ?").hexdigest())]


def test_without_plugins_the_beginning_of_a_long_statement_is_listed_without_a_literal(gateway, database):
    """4,096 bytes are kept: the one that is cut lies in a text, in a number, in a comment."""
    server = gateway(database.address)
    for literal in ("'" + 5000 * "secret" + "'", 5000 * "7", "'a' /* " + 5000 * "secret" + "*/"):
        row = digest_of(server, f"SELECT SLEEP(100), {literal}")
        assert row["Digest"] is None and "secret" not in row["Info"] and "7" not in row["Info"]
        assert row["Info"].startswith("select `sleep` ( ? ) ,"), row
    row = digest_of(server, "SELECT SLEEP(100)" + 50 * ", '0123456789012345678901234567890'")
    assert len(row["Digest"]) == 64, "what is kept as a whole has a digest"


def test_without_plugins_an_idle_session_has_no_statement(gateway, database):
    server = gateway(database.address)
    with server.endpoint.connect() as idle:
        run(idle, "SELECT 'a secret'")
        row = processes(server)[0][str(idle.thread_id())]
        assert (row["Command"], row["Info"], row["Digest"]) == ("Sleep", None, None)


@pytest.mark.parametrize("loaded, text", [([], None), (["recorder-1"], "select `sleep` ( ? )")])
def test_an_execution_has_the_statement_that_was_prepared_where_that_is_kept(gateway, database, loaded, text):
    """Which is so with plugins."""
    server = gateway(database.address, plugins=loaded)
    with server.endpoint.raw() as connection, server.endpoint.connect() as killer:
        connection.query("SELECT 'the statement before'")
        statement = connection.prepare("SELECT SLEEP(100)")[0]
        connection.send(struct.pack("<BIBI", 0x17, statement, 0, 1))
        number = str(connection.greeting.connection_id)
        row = row_that(server, number, lambda row: row["State"] == "running")
        assert (row["Command"], row["Info"]) == ("Execute", text)
        killer.query(f"KILL {number}")


def test_many_sessions_of_all_workers_are_listed(gateway, database):
    server = gateway(database.address)
    connections = [server.endpoint.connect() for _ in range(40)]
    try:
        assert set(processes(server)[0]) == {str(connection.thread_id()) for connection in connections}
    finally:
        for connection in connections:
            connection.close()


def test_who_has_no_privilege_sees_his_own_sessions(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"])
    plain = {"user": "plain", "password": "plain-secret", "database": None}
    with server.endpoint.connect(), server.endpoint.connect(**plain) as own:
        assert list(processes(server, **plain)[0]) == [str(own.thread_id())]
        assert len(processes(server)[0]) == 2


def test_what_is_not_the_grammar_is_refused(gateway, database):
    server = gateway(database.address)
    assert "give ADMIN SHOW PROCESSLIST" in query(server, "ADMIN SHOW PROCESSLIST now")["arguments"][1]
    assert "in no cluster" in processes(server, cluster=True)[1][0]


def test_all_nodes_list_the_sessions_of_all(nodes, etcd):
    one, two = nodes.pair()
    numbers = [here(server)["Id"] for server in (one, two)]
    with one.endpoint.connect() as idle, sleeping(two) as busy:
        for server in (one, two):
            row = row_that(server, busy, lambda row: row["State"] == "running", cluster=True)
            assert (row["Node"], row["User"], row["Info"]) == (numbers[1], "tester", "select `sleep` ( ? ) , ?")
            rows, texts = processes(server, cluster=True)
            assert texts == [] and rows[str(idle.thread_id())]["Node"] == numbers[0]
        assert busy not in processes(one)[0]  # without CLUSTER: its own
    wait_for(lambda: etcd.keys(REQUESTS) == [], "nothing to be left behind")


def test_of_other_nodes_a_user_sees_his_own_sessions_too(nodes):
    one, two = nodes.pair()
    plain = {"user": "plain", "password": "plain-secret", "database": None}
    with two.endpoint.connect(), two.endpoint.connect(**plain) as own:
        assert list(processes(one, cluster=True, **plain)[0]) == [str(own.thread_id())]


def test_no_literal_goes_to_etcd(nodes, etcd):
    one, two = nodes.pair()
    with sleeping(two) as busy:
        before = etcd.revision()
        row_that(one, busy, lambda row: row["Info"], cluster=True)
        seen = etcd.history("/weir/", before, lambda text: "select `sleep`" in text)
    assert "secret" not in seen


@pytest.mark.time_limit(90)
def test_more_sessions_than_fit_into_an_answer(nodes):
    one, two = nodes.pair()
    database = "information_schema"
    connections = [two.endpoint.connect(database=database) for _ in range(600)]  # 150 bytes each, 64 KiB an answer
    try:
        rows, texts = processes(one, cluster=True)
        assert texts == []
        assert {str(connection.thread_id()) for connection in connections} <= set(rows)
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.time_limit(90)
def test_a_node_that_does_not_answer_is_named_and_nobody_else_waits(nodes):
    one, two = nodes.pair()
    number = here(two)["Id"]
    two.process.freeze()
    try:
        with one.endpoint.connect() as other:
            answered = []
            thread = threading.Thread(target=lambda: answered.append(processes(one, cluster=True)))
            thread.start()
            while thread.is_alive():
                other.ping()  # as fast as it can: it never waits for the list
            thread.join()
        assert str(other.thread_id()) in answered[0][0]
        (warning,) = answered[0][1]
        assert f"sessions of node {number} are missing: it has not answered in time" in warning
    finally:
        two.process.signal(signal.SIGCONT)
    wait_for(lambda: processes(one, cluster=True)[1] == [], "the node to answer again")


@pytest.mark.time_limit(90)
def test_while_etcd_is_away_the_nodes_own_sessions_are_listed(nodes, etcd):
    one, two = nodes.pair()
    etcd.kill()
    wait_lost(one)
    with one.endpoint.connect() as own:
        rows, texts = processes(one, cluster=True)
        assert str(own.thread_id()) in rows
        assert all("the cluster is not reached" in text or "it has not answered in time" in text for text in texts)
    with one.endpoint.connect() as own:
        assert str(own.thread_id()) in processes(one)[0]


def test_the_list_is_no_way_to_hold_up_the_end(gateway, database):
    """Lists that are asked for while the gateway ends come to an end."""
    server = gateway(database.address)
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            try:
                processes(server)
            except Exception:  # it has ended
                return
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(processes(server)[0]) > 3, "lists to be asked for")
    server.stop()
    stop.set()
    for thread in threads:
        thread.join()
