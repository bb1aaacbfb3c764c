# SPDX-License-Identifier: Apache-2.0
"""The gateway's own end: what idle sessions, transactions and statements that run on meet, and what the exit status and the log say."""
import signal

import pytest
from harness.endpoint import Endpoint
from harness.observe import run
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

CUT_OFF = 2


@pytest.fixture(scope="module")
def mortal(other_database):
    return other_database("draining")


@pytest.fixture(autouse=True)
def table(database):
    database.execute("CREATE OR REPLACE TABLE weir_case.drained (a INT) ENGINE=InnoDB")
    yield
    database.execute("DROP TABLE weir_case.drained")


def rows(database):
    with database.connect() as connection:
        return run(connection, "SELECT a FROM weir_case.drained")[0]["rows"]


def outcome(connection):
    """What a driver says of its next statement, on a connection that the other side has closed: PyMySQL is strict about the
    numbers of packets."""
    try:
        connection.query("SELECT 1")
        return "answered"
    except Exception as error:
        return type(error).__name__, error.args[0]


BEFORE = ["SELECT 1", "SHOW PLUGINS", "SHOW VARIABLES LIKE 'ver%'", "USE mysql", "SELECT 1 FROM information_schema.columns", "SELEC"]


@pytest.mark.parametrize("loaded", [[], ["recorder-1"]])
@pytest.mark.parametrize("before", BEFORE)
def test_an_idle_driver_meets_what_a_stopped_server_leaves(gateway, database, loaded, before):
    server = gateway(database.address, plugins=loaded)
    connection, ended = server.endpoint.connect(), []
    run(connection, before)
    server.interrupt()
    assert server.process.wait(20) == 0
    ended = outcome(connection)
    assert ended in (("OperationalError", 2013), ("OperationalError", 2006)), ended


def test_a_stopped_server_leaves_the_same(mortal):
    """What the case above compares with."""
    connection = Endpoint("direct", mortal.host, mortal.port, mortal.socket).connect()
    run(connection, "SELECT 1")
    mortal.process.signal(signal.SIGTERM)
    mortal.process.wait()
    assert outcome(connection) in (("OperationalError", 2013), ("OperationalError", 2006))
    mortal.start()


def test_a_backend_that_stops_ends_idle_drivers_in_the_same_way(gateway, mortal):
    server = gateway(mortal.address, plugins=["recorder-1"])
    connection = server.endpoint.connect()
    run(connection, "SELECT 1")
    mortal.process.signal(signal.SIGTERM)
    mortal.process.wait()
    assert outcome(connection) in (("OperationalError", 2013), ("OperationalError", 2006))
    mortal.start()


@pytest.mark.parametrize("begin", ["BEGIN", "START TRANSACTION READ ONLY", "SET autocommit = 0", "XA START 'x'"])
def test_a_transaction_may_end(gateway, database, begin):
    server = gateway(database.address, plugins=["recorder-1"])
    with server.endpoint.raw() as busy, server.endpoint.raw() as idle:
        busy.query(begin)
        writes = "READ ONLY" not in begin
        busy.query("INSERT INTO weir_case.drained VALUES (1)" if writes else "SELECT 1 FROM weir_case.drained")
        server.interrupt()
        idle.at_end()
        if writes:
            busy.query("INSERT INTO weir_case.drained VALUES (2)")
        for sql in ["XA END 'x'", "XA COMMIT 'x' ONE PHASE"] if "XA" in begin else ["COMMIT"]:
            assert busy.query(sql)[0][1][:1] == b"\0", sql
        busy.at_end()
    assert server.process.wait(20) == 0
    assert rows(database) == ([(1,), (2,)] if writes else [])
    assert "cut off" not in server.log()


def test_a_transaction_that_does_not_end_is_cut_off(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"], options=["-drain-timeout", "1"])
    with server.endpoint.raw() as busy:
        busy.query("BEGIN")
        busy.query("INSERT INTO weir_case.drained VALUES (1)")
        name = busy.query("SELECT CONNECTION_ID()")[3][1][1:].decode()
        server.interrupt()
        assert busy.packets_to_end() == ([], b"")
    assert server.process.wait(20) == CUT_OFF
    assert "stopped; 1 statements or transactions were cut off" in server.log()
    assert f"KILL {name} there ends it" in server.log()
    wait_for(lambda: rows(database) == [], "the transaction to be rolled back")


def test_a_statement_that_runs_on_is_named(gateway, database):
    server = gateway(database.address, options=["-drain-timeout", "1"])
    with server.endpoint.connect() as busy:
        (name,), = run(busy, "SELECT CONNECTION_ID()")[0]["rows"]
        error = None
        server.process.wait_log("listening")

        def begins_to_drain():
            with database.connect() as watcher:
                wait_for(lambda: run(watcher, f"SELECT 1 FROM information_schema.processlist WHERE ID = {name} AND INFO LIKE '%drain me%'")
                         [0]["rows"], "the statement")
                server.interrupt()

        import threading
        thread = threading.Thread(target=begins_to_drain)
        thread.start()
        try:
            busy.query("SELECT SLEEP(60), 'drain me'")
        except Exception as failed:
            error = failed.args
        thread.join()
    assert error == (1053, "Server shutdown in progress")
    assert server.process.wait(20) == CUT_OFF
    assert f"KILL {name} there ends it" in server.log()
    with database.connect() as administrator:  # what the line says
        wait_for(lambda: not run(administrator, f"SELECT 1 FROM information_schema.processlist WHERE ID = {name}")[0]["rows"]
                 or "error" in run(administrator, f"KILL {name}")[0], "the statement to end")
