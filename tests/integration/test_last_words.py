# SPDX-License-Identifier: Apache-2.0
"""The server says why, and closes: what a client reads of it, without the gateway and with it, packet by packet."""
import select
import struct
import threading

import pytest
from harness import raw
from harness.endpoint import DATABASE
from harness.fake_backend import FakeBackend, error
from harness.observe import failure
from harness.tracing import TRACE_CRASH

TOO_LARGE = (1, b"\xff\x81\x04#08S01Got a packet bigger than 'max_allowed_packet' bytes")


def first_words(connection, payload, sequence=0):
    """What is read first while a packet is sent, or after it."""
    def send():
        try:
            connection.send(payload, sequence)
        except OSError:
            pass  # it has closed

    thread = threading.Thread(target=send)
    thread.start()
    try:
        return connection.read_packet()
    finally:
        thread.join()


@pytest.fixture
def failing_init_connect(database):
    """What the server runs at each login, but for those who may do everything, is no statement."""
    database.execute("SET GLOBAL init_connect = 'misspelt'")
    yield
    database.execute("SET GLOBAL init_connect = DEFAULT")


@pytest.mark.parametrize("payload", [b"\x03SELECT 1", b"\x0e", b"\x01", b"\x1f", b"\x19\1\0\0\0", b"\x03SELECT '" + b"a" * 70000 + b"'"],
                         ids=["query", "ping", "quit", "reset", "close", "long"])
def test_init_connect_has_failed(both, failing_init_connect, payload):
    """The login succeeds, and the first command reads 1184, whatever it is. It was the answer to weir's question, and lost."""
    def case(endpoint):
        with endpoint.raw(user="plain", password="plain-secret") as connection:
            words = first_words(connection, payload)
            return words[0], words[1][:27], connection.packets_to_end()

    number, words, rest = both(case)
    assert (number, words) == (1, b"\xff\xa0\x04#08S01Aborted connection") and rest == ([], b"")


def test_a_client_leaves_after_init_connect_has_failed(both, failing_init_connect):
    def case(endpoint):
        with endpoint.raw(user="plain", password="plain-secret"):
            return None

    both(case)


@pytest.mark.parametrize("size", [1500, 30000])
def test_a_command_is_too_large_for_the_server(both, small_packets, size):
    def case(endpoint):
        with endpoint.raw() as connection:
            return first_words(connection, b"\3SELECT LENGTH('" + b"a" * size + b"')")

    assert both(case) == TOO_LARGE


@pytest.mark.time_limit(120)
@pytest.mark.gateway_only
@pytest.mark.parametrize("size", [3 << 20, 40 << 20])
def test_a_command_is_far_too_large_for_the_server(weir, small_packets, size):
    """A client of the server itself may lose the error: the server closes while more is on its way."""
    for _ in range(3):
        with weir.raw() as connection:
            number, payload = first_words(connection, b"\3SELECT LENGTH('" + b"a" * size + b"')")
            assert payload == TOO_LARGE[1] and number == 1
    error = failure(lambda: weir.connect_c().query("SELECT LENGTH('" + "a" * size + "')"))
    assert error["arguments"][0] == 1153


@pytest.mark.parametrize("command", [raw.COM_STMT_SEND_LONG_DATA, raw.COM_STMT_CLOSE])
def test_a_command_without_a_reply_is_too_large_for_the_server(both, small_packets, command):
    def case(endpoint):
        with endpoint.raw() as connection:
            statement, _ = connection.prepare("SELECT ?")
            connection.send(bytes([command]) + struct.pack("<IH", statement, 0) + b"x" * 5000)
            return connection.packets_to_end()

    assert both(case) == ([TOO_LARGE], b"")


@pytest.mark.skipif(TRACE_CRASH, reason="test_trace knows no error before the file's end")
def test_a_local_file_has_a_packet_that_is_too_large_for_the_server(both, small_packets):
    def case(endpoint):
        with endpoint.raw(capabilities=raw.BASIC | raw.LOCAL_FILES) as connection:
            connection.query("CREATE TABLE t (a TEXT)")
            connection.send(b"\3LOAD DATA LOCAL INFILE 'x' INTO TABLE t")
            assert connection.read_packet() == (1, b"\xfbx")
            return first_words(connection, b"y" * 5000, 2)

    assert both(case) == (3, TOO_LARGE[1])


@pytest.mark.gateway_only
def test_the_gateways_own_limit_says_what_the_servers_does(gateway, database, both):
    """The client sends all of its command before it reads."""
    server = gateway(database.address, options=["-max-command-bytes", "20000"])
    for size in (30000, 3 << 20, 40 << 20):
        with server.endpoint.raw() as connection:
            connection.send(b"\3SELECT LENGTH('" + b"a" * size + b"')")
            packets, rest = connection.packets_to_end()
            assert packets == [TOO_LARGE] and not rest


ACCOUNTS = {
    "locked": "IDENTIFIED BY 's3cret' ACCOUNT LOCK",
    "outdated": "IDENTIFIED BY 's3cret' PASSWORD EXPIRE",
    "old_hash": "IDENTIFIED VIA mysql_old_password USING '5d2e19393cc5ef67'",
    "no_plugin": "IDENTIFIED VIA unix_socket",
    "restricted": "IDENTIFIED BY 's3cret' WITH MAX_USER_CONNECTIONS 1",
    "by_tls": "IDENTIFIED BY 's3cret' REQUIRE SSL",
}


def answer_to(login):
    try:
        login()
    except raw.ServerError as refused:
        return refused.number, refused.sqlstate, refused.message
    return "in"


@pytest.mark.parametrize("user, database_name, number", [
    ("locked", DATABASE, 4151), ("outdated", DATABASE, 1862), ("old_hash", DATABASE, 1275), ("no_plugin", DATABASE, 1698),
    ("by_tls", DATABASE, 1045), ("nobody_at_all", DATABASE, 1045), ("restricted", "no_such_database", 1049)])
def test_a_login_reads_the_servers_error(both, database, user, database_name, number):
    if user in ACCOUNTS:
        database.execute(f"CREATE OR REPLACE USER {user}@'%' {ACCOUNTS[user]}", f"GRANT ALL ON *.* TO {user}@'%'",
                         "SET GLOBAL disconnect_on_expired_password = ON")

    def case(endpoint):
        def change():
            with endpoint.raw() as connection:
                connection.change_user(user, "s3cret", database_name)

        return answer_to(lambda: endpoint.raw(user=user, password="s3cret", database=database_name).close()), answer_to(change)

    try:
        (found, *_), changed = both(case)
    finally:
        database.execute("SET GLOBAL disconnect_on_expired_password = OFF")
    assert found == number and changed[0] in (number, 1045)


@pytest.mark.gateway_only
@pytest.mark.parametrize("options", [[], ["-proxy-protocol"]])
@pytest.mark.parametrize("words", [error(1040, b"08004", b"Too many connections"), b"\xff\x10\x04Too many connections",
                                   error(1129, b"HY000", b"Host '192.0.2.1' is blocked because of many connection errors")])
@pytest.mark.greets_first("with -backend-first a client is refused before it has said who it is")
def test_the_server_says_why_in_place_of_a_greeting(gateway, words, options):
    """With the PROXY header unread when it closes, the connection is reset: what was said before is read all the same."""
    says_why = threading.Event()

    def serve(connection):
        if options and not says_why.is_set():
            connection.socket.recv(65536)
        if says_why.is_set():
            connection.write(words)
            select.select([connection.socket] if options else [], [], [], 5 if options else 0)
        else:
            connection.greet(raw.BASIC | raw.PLUGIN_AUTH)

    backend = FakeBackend(serve)
    server = gateway(backend.address, plugins=["recorder-1"], options=options)
    says_why.set()
    expected = raw.ServerError(words)
    refused = failure(lambda: server.endpoint.raw(database=None))
    assert refused["arguments"][0] == expected.number and refused["arguments"][2] == expected.message
    event = server.events.wait_for(lambda e: e["event"] == "Reject" and e["user"], "the event")
    assert (event["error_code"], event["reject_reason"]) == (expected.number, expected.message)
    backend.close()


@pytest.mark.gateway_only
@pytest.mark.parametrize("loaded", [[], ["recorder-1"]])
@pytest.mark.parametrize("when", ["idle", "in a statement", "within a result"])
def test_the_server_says_why_it_closes(gateway, loaded, when):
    """As MySQL does it after wait_timeout (4031), and MariaDB's connection that is killed (1927)."""
    words = error(4031, b"HY000", b"The client was disconnected by the server because of inactivity.")

    def serve(connection):
        if not connection.greet(raw.BASIC | raw.PLUGIN_AUTH):
            return
        connection.write(b"\0\0\0\2\0\0\0")
        while (payload := connection.read()) is not None:
            if b"farewell" not in payload and when != "idle":
                connection.result(b"1")
                continue
            if when == "within a result":
                connection.write(b"\1")
            if when == "idle" and b"farewell" not in payload:
                connection.result(b"1")
                if b"SELECT 1" not in payload:
                    continue  # the gateway's own
            connection.sequence = 0
            connection.write(words)
            return

    backend = FakeBackend(serve)
    server = gateway(backend.address, plugins=loaded)
    with server.endpoint.raw(database=None) as connection:
        if when == "idle":
            connection.query("SELECT 1")
        else:
            connection.send(b"\3SELECT 'farewell'")
        packets, rest = connection.packets_to_end()
    assert packets[-1] == (0, words) and len(packets) == (2 if when == "within a result" else 1) and not rest
    backend.close()
