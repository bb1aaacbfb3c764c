# SPDX-License-Identifier: Apache-2.0
"""A plugin that keeps the client's reply back until its own work is done: weir_hold_reply()."""
import pathlib
import select
import signal
import threading

import pytest
from harness import raw
from harness.events import names, statements
from harness.gateway import serve_others
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only


@pytest.fixture
def server(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"])
    yield server
    if server.process.alive():
        release(server)


def release(server):
    pathlib.Path(f"{server.events.path}.release").touch()


def told(server, sql, event="Completed"):
    """Waits until the plugin has been told of the end of a statement (and holds back what comes then)."""
    return server.events.wait_for(lambda e: e["event"] == event and e["point"] == "general" and e["sql"] == sql, sql)


def silent(connection):
    """Whether nothing is there to read, after all that the gateway has to do is done: another session has been served."""
    return not select.select([connection.socket], [], [], 0)[0]


def others_are_served(server):
    serve_others(server.endpoint.raw)


def test_a_client_waits_for_what_is_held_back(server):
    with server.endpoint.raw() as connection:
        connection.send(b"\3SELECT 'hold_word'")
        told(server, "SELECT 'hold_word'")
        others_are_served(server)
        while not silent(connection):  # rows may come before the end of the result
            connection.received += connection.socket.recv(65536)
        assert not connection.received.endswith(b"\xfe\0\0\2\0"), "the end of the result was not held back"
        release(server)
        assert b"hold_word" in connection.read_result()[3][1]
        assert connection.query("SELECT 2")
    assert names(server.events.ended(connection.greeting.connection_id))[-1] == "Disconnect"


@pytest.mark.parametrize("sql, event", [("DO 'hold_word'", "Completed"), ("SELECT nowhere, 'hold_word'", "Error")])
def test_an_ok_and_an_error_are_held_back(server, sql, event):
    with server.endpoint.raw() as connection:
        connection.send(b"\3" + sql.encode())
        told(server, sql, event)
        others_are_served(server)
        assert silent(connection)
        release(server)
        assert connection.read_result()[0][1][:1] == (b"\0" if event == "Completed" else b"\xff")


def test_pipelined_replies_keep_their_order(server):
    texts = ["SELECT 1", "SELECT 'hold_word', 2", "SELECT 3", "DO 'hold_word'", "SELECT 5"]
    with server.endpoint.raw() as connection:
        connection.send_queries(*texts)
        told(server, texts[1])
        others_are_served(server)
        release(server)
        replies = [connection.read_result() for _ in texts]
    assert [len(reply) for reply in replies] == [5, 6, 5, 1, 5]
    assert b"\x015" in replies[4][3][1]


def test_results_of_one_text_are_held_back_each(server):
    with server.endpoint.raw() as connection:
        connection.send(b"\3SELECT 1; SELECT 'hold_word'; SELECT 3")
        server.events.wait_for(lambda e: e["event"] == "Completed" and "hold_word" in (e["sql"] or ""), "the held one")
        release(server)
        assert len(connection.read_result()) == 15


def test_a_large_result_is_whole_after_it_was_held_back(server):
    sql = "SELECT REPEAT('hold_word', 10000) FROM seq_1_to_300"
    with server.endpoint.raw() as connection:
        connection.send(b"\3" + sql.encode())
        replies = []
        reader = threading.Thread(target=lambda: replies.append(connection.read_result()))
        reader.start()
        told(server, sql)
        others_are_served(server)
        assert not replies, "the end of the result was not held back"
        release(server)
        reader.join(20)
        assert [len(payload) for _, payload in replies[0]][3:-1] == [90004] * 300
        assert connection.query("SELECT 1")


def test_work_that_failed_ends_the_session_with_an_error(server):
    with server.endpoint.raw() as connection:
        connection.send(b"\3DO 'hold_broken_word'")
        told(server, "DO 'hold_broken_word'")
        release(server)
        packet = connection.read_packet()
        error = raw.error_of([packet])
        assert packet[0] == 1 and error[0] == 1105 and "plugin" in error[2] and "recorder" in server.log()
        connection.at_end()
    assert names(server.events.ended(connection.greeting.connection_id))[-1] == "Disconnect"


def test_a_login_is_held_back(server):
    with server.endpoint.raw(login=False) as connection:
        connection.read_greeting()
        connection.user, connection.password = "held", "held-secret"
        connection.send(connection.handshake_response(), 1)
        login = threading.Thread(target=connection.finish_authentication)
        login.start()
        server.events.wait_for(lambda e: e["event"] == "Connected" and e["user"] == "held", "the event")
        others_are_served(server)
        assert login.is_alive(), "the OK was not held back"
        release(server)
        login.join(20)
        assert connection.query("SELECT 1")


def test_a_client_that_leaves_while_its_reply_is_held_back(server):
    connection = server.endpoint.raw()
    number = connection.greeting.connection_id
    connection.send(b"\3DO 'hold_word'")
    told(server, "DO 'hold_word'")
    connection.close()
    others_are_served(server)
    release(server)
    found = server.events.ended(number)
    assert names(found).count("Disconnect") == 1
    assert len(statements(found, "Starting")) == len(statements(found)) + len(statements(found, "Error"))


def test_a_backend_that_closes_while_a_reply_is_held_back(server, database):
    with server.endpoint.raw() as connection:
        connection.send(b"\3DO 'hold_word'")
        backend = told(server, "DO 'hold_word'")["backend_connection_id"]
        database.execute(f"KILL {backend}")
        wait_for(lambda: not database.execute(f"SELECT 1 FROM information_schema.processlist WHERE id = {backend}"),
                 "the backend's session to be gone")
        others_are_served(server)
        release(server)
        assert connection.read_result()[0][1][:1] == b"\0", "the statement had succeeded"
    assert names(server.events.ended(connection.greeting.connection_id)).count("Disconnect") == 1


def test_a_drain_waits_for_what_is_held_back(server):
    with server.endpoint.raw() as connection:
        connection.send(b"\3DO 'hold_word'")
        told(server, "DO 'hold_word'")
        server.process.signal(signal.SIGTERM)
        server.process.wait_log("stopping")
        release(server)
        assert connection.read_result()[0][1][:1] == b"\0"
        connection.at_end()
    assert server.process.wait() == 0
    assert server.events.all()[-1]["event"] == "OnShutdown"
