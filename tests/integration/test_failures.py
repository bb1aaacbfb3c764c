# SPDX-License-Identifier: Apache-2.0
"""Backends that go away, refuse, or come back; and the gateway's own end."""
import os
import signal
import socket

import pytest
from harness import raw
from harness.events import names, statements
from harness.gateway import SANITIZER_OPTIONS
from harness.observe import failure, run
from harness.ports import free_port
from harness.process import resident_bytes
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only


@pytest.fixture(scope="module")
def mortal(other_database):
    """A database that the cases kill and start again."""
    return other_database("mortal")


@pytest.fixture
def server(gateway, mortal):
    if not mortal.process.alive():
        mortal.start()
    return gateway(mortal.address, plugins=["recorder-1"], options=["-connect-timeout", "2"])


# A short reply of another session is in this state for a moment, too.
WRITING = "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'Writing to net' AND info LIKE 'SELECT REPEAT%'"


def kill(mortal):
    mortal.process.signal(signal.SIGKILL)
    mortal.process.wait()


def lost(error):
    """The error of a statement whose backend has gone."""
    assert error[:2] == (1927, "08S01") and "closed the connection while a statement was running" in error[2], error


def test_a_backend_that_dies_between_two_results_of_a_reply_is_an_error(server, mortal):
    with server.endpoint.raw() as connection, mortal.connect() as holder:
        holder.query("SELECT GET_LOCK('middle', 0)")
        connection.send(b"\3SELECT 1; SELECT GET_LOCK('middle', 60)")
        for _ in range(5):
            connection.read_packet()  # the whole first result
        kill(mortal)
        packets, rest = connection.packets_to_end()
        assert len(packets) == 1 and not rest
        lost(raw.error_of(packets))
        number = connection.greeting.connection_id
    found = server.events.ended(number)
    assert names(found)[-2:] == ["Error Query", "Disconnect"]
    assert found[-2]["sqlstate"] == "08S01" and found[-2]["error_code"]


def test_a_backend_that_dies_within_a_packet_leaves_no_place_for_an_error(server, mortal):
    with server.endpoint.raw() as connection:
        connection.send(b"\3SELECT REPEAT('x', 16000000)")
        wait_for(lambda: mortal.execute(WRITING)[0][0], "the packet to be too large for all that lies between")
        kill(mortal)
        packets, rest = connection.packets_to_end()
        assert len(packets) == 3 and 0 < len(rest) < 16000000
        number = connection.greeting.connection_id
    found = server.events.ended(number)
    assert names(found)[-2:] == ["Error Query", "Disconnect"]
    assert found[-2]["sqlstate"] == "08S01" and found[-2]["error_code"]


def test_a_backend_that_dies_while_a_statement_runs(server, mortal):
    with server.endpoint.raw() as connection:
        connection.send(bytes([raw.COM_QUERY]) + b"SELECT SLEEP(60)")
        wait_for(lambda: mortal.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'")
                 [0][0], "the statement")
        kill(mortal)
        lost(raw.error_of(connection.read_result()))
        number = connection.greeting.connection_id
    assert names(server.events.ended(number)).count("Disconnect") == 1


def test_a_backend_that_dies_under_idle_sessions_ends_them(server, mortal):
    sessions = [server.endpoint.raw() for _ in range(20)]
    kill(mortal)
    for connection in sessions:
        number = connection.greeting.connection_id
        assert server.events.ended(number)[-1]["event"] == "Disconnect"
        connection.close()
    connected = [e for e in server.events.all() if e["event"] == "Connected"]
    disconnected = [e for e in server.events.all() if e["event"] == "Disconnect"]
    assert len(connected) == len(disconnected) == 20


def test_a_backend_that_refuses_is_told_to_the_client_and_back_again_it_is_used(server, mortal):
    kill(mortal)
    error = failure(lambda: server.endpoint.raw().close())["arguments"]
    assert error[1] == "08S01" and str(mortal.port) in error[2]
    rejected = server.events.wait_for(lambda e: e["event"] == "Reject" and e["error_code"], "the event")
    assert rejected["error_code"] == error[0]
    mortal.start()
    with server.endpoint.raw() as connection:
        assert connection.query("SELECT 1")


def test_a_backend_that_accepts_and_says_nothing_is_given_up(gateway):
    """A listener that never answers: -connect-timeout ends the wait."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        backend = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        server = gateway(backend, options=["-connect-timeout", "1"], start=False).launch()
        wait_for(server.greeting, "the gateway to listen")
        error = failure(lambda: server.endpoint.raw(timeout=10).close())["arguments"]
        assert error == (1429, "08S01", f"weir: the backend {backend} has not been reached yet; try again")


def test_a_gateway_may_be_started_before_its_backend(gateway, mortal):
    if mortal.process.alive():
        kill(mortal)
    server = gateway(mortal.address, start=False).launch()
    server.process.wait_log(f"backend {mortal.address}: Connection refused; clients get an error until it answers")
    mortal.start()
    server.process.wait_ready(lambda: server.greeting()[4:5] == b"\x0a")
    with server.endpoint.raw() as connection:
        assert connection.query("SELECT 1")


def test_a_backend_with_too_many_connections_is_quoted(gateway, database, mortal):
    if not mortal.process.alive():
        mortal.start()
    server = gateway(mortal.address)
    before = mortal.execute("SELECT @@max_connections")[0][0]
    keeper = mortal.connect()
    keeper.query("SET GLOBAL max_connections = 10")
    sessions = []
    try:
        error = None
        for _ in range(30):
            try:
                sessions.append(server.endpoint.raw())
            except raw.ServerError as refused:
                error = refused.args
                break
        assert error and error[0] == 1040, error
    finally:
        keeper.query(f"SET GLOBAL max_connections = {before}")
        keeper.close()
        for connection in sessions:
            connection.close()


# ---- The gateway's own end

def test_sigterm_lets_running_statements_end(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"])
    with server.endpoint.raw() as busy, server.endpoint.raw() as idle, database.connect() as holder:
        holder.query("SELECT GET_LOCK('drain', 0)")
        busy.send(bytes([raw.COM_QUERY]) + b"SELECT GET_LOCK('drain', 60), 'ended'")
        server.events.wait_for(lambda e: e["event"] == "Starting" and "'ended'" in e["sql"], "the statement")
        server.interrupt()
        idle.at_end()  # idle sessions end at once
        with pytest.raises(ConnectionRefusedError):
            server.endpoint.raw(timeout=5)  # nobody new is let in
        assert server.process.alive()
        holder.query("SELECT RELEASE_LOCK('drain')")
        reply = busy.read_result()
        assert b"ended" in reply[-2][1]
    assert server.process.wait() == 0
    found = server.events.all()
    assert found[-1] == {"point": "life", "event": "OnShutdown"}
    assert len([e for e in found if e["event"] == "Connected"]) == len([e for e in found if e["event"] == "Disconnect"]) == 2
    assert len(statements(found, "Starting")) == len(statements(found, "Completed")) + len(statements(found, "Error"))


def test_sigterm_ends_statements_that_run_on_after_a_limit(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"], options=["-drain-timeout", "1"])
    with server.endpoint.raw() as busy:
        busy.send(bytes([raw.COM_QUERY]) + b"SELECT SLEEP(60)")
        server.events.wait_for(lambda e: e["event"] == "Starting", "the statement")
        server.interrupt()
        assert raw.error_of(busy.packets_to_end()[0])[0] == 1053
    assert server.process.wait() == 2
    assert "stopped; 1 statements or transactions were cut off" in server.log()
    found = server.events.all()
    assert [e["event"] for e in found][-1] == "OnShutdown"
    assert len([e for e in found if e["event"] == "Disconnect"]) == 1


def test_a_second_signal_ends_it_at_once(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"], options=["-drain-timeout", "60"])
    with server.endpoint.raw() as busy:
        busy.send(bytes([raw.COM_QUERY]) + b"SELECT SLEEP(60)")
        server.events.wait_for(lambda e: e["event"] == "Starting", "the statement")
        server.interrupt()
        server.process.wait_log("stopping")
        server.interrupt()
        assert server.process.wait(10) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_idle_gateway_ends_at_once(gateway, database, number):
    server = gateway(database.address)
    server.process.signal(number)
    assert server.process.wait(5) == 0


def test_a_port_that_is_taken_is_a_clear_error(gateway, database):
    first = gateway(database.address)
    second = gateway(database.address, options=["-P", str(first.port)], start=False).launch()
    assert second.process.wait() == 1
    assert str(first.port) in second.log() and "in use" in second.log()


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(gateway, database):
    first = gateway(database.address)
    second = gateway(database.address, options=["-socket", first.socket], start=False).launch()
    assert second.process.wait() == 1
    with first.endpoint.raw() as connection:
        assert connection.query("SELECT 1")
    first.process.signal(signal.SIGKILL)
    first.process.wait()
    first.start()  # on the socket that was left behind


def test_too_many_clients_read_that(gateway, database):
    server = gateway(database.address, options=["-max-connections", "5"])
    sessions = [server.endpoint.raw() for _ in range(4)]
    sessions.append(server.endpoint.raw())
    error = failure(lambda: server.endpoint.raw())["arguments"]
    assert error[0] == 1040
    sessions.pop().close()

    def again():
        try:
            with server.endpoint.raw() as connection:
                return connection.query("SELECT 1")
        except raw.ServerError:
            return None

    wait_for(again, "room for another client")
    for connection in sessions:
        connection.close()


def test_slow_clients_are_not_kept_in_memory(gateway, database):
    """Twenty clients ask for 96 MB each and read nothing: what they have asked for waits in the backend. It does not
    compress, or the kernel would have room for all of it."""
    noise = "SELECT noise FROM (SELECT GROUP_CONCAT(UNHEX(SHA2(seq, 512)) SEPARATOR '') AS noise FROM seq_1_to_1500) AS one, seq_1_to_1000"
    writing = "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'Writing to net' AND info LIKE 'SELECT noise%'"
    little = SANITIZER_OPTIONS["ASAN_OPTIONS"] + ":quarantine_size_mb=16"  # AddressSanitizer keeps 256 MB that are freed
    server = gateway(database.address, plugins=["recorder-1"], environment={"ASAN_OPTIONS": little})
    with server.endpoint.raw() as connection:
        connection.query("SELECT 1")
    before = resident_bytes(server.process.pid)
    sessions = [server.endpoint.raw() for _ in range(20)]
    for connection in sessions:
        connection.send(bytes([raw.COM_QUERY]) + noise.encode())
    wait_for(lambda: database.execute(writing)[0][0] == 20, "all to be held up")
    assert resident_bytes(server.process.pid) - before < 60 << 20
    for connection in sessions:
        connection.close()
    wait_for(lambda: database.execute(writing)[0][0] == 0, "the statements to be given up")


def test_a_client_of_a_gateway_without_a_backend_is_refused_at_once(gateway):
    backend = f"tcp://127.0.0.1:{free_port()}"
    server = gateway(backend, options=["-connect-timeout", "60"], start=False).launch()
    wait_for(server.greeting, "the gateway to listen")
    error = failure(lambda: server.endpoint.raw(timeout=10))["arguments"]
    assert error == (1429, "08S01", f"weir: the backend {backend} has not been reached yet; try again")


def test_many_connections_and_disconnections_leave_nothing_behind(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"])
    descriptors = f"/proc/{server.process.pid}/fd"
    with server.endpoint.connect() as connection:
        run(connection, "SELECT 1")
    wait_for(lambda: [e["event"] for e in server.events.all()].count("Disconnect") == 1, "the first session's end")
    before = len(os.listdir(descriptors))
    for i in range(200):
        connection = server.endpoint.raw()
        if i % 2:
            connection.query("SELECT 1")
        connection.close()
    wait_for(lambda: [e["event"] for e in server.events.all()].count("Disconnect") == 201, "every session's end")
    wait_for(lambda: len(os.listdir(descriptors)) <= before, "the descriptors to be closed")
