# SPDX-License-Identifier: Apache-2.0
"""Backends that are not MariaDB, or not well: MySQL's own methods and capabilities, odd greetings, broken replies."""
import socket
import threading

import pytest
from harness import raw
from harness.events import names
from harness.fake_backend import EOF, OK, FakeBackend, column, error
from harness.gateway import serve_others
from harness.observe import failure

pytestmark = [pytest.mark.gateway_only,
              pytest.mark.greets_first("with -backend-first the scripted backend also sees the connections of those that only wait for the port")]

MYSQL = (raw.BASIC | raw.LONG_PASSWORD | raw.DEPRECATE_EOF | raw.SESSION_TRACK | raw.CONNECT_ATTRS | raw.AUTH_LENENC
         | raw.CONNECT_WITH_DB | raw.OPTIONAL_METADATA | raw.QUERY_ATTRIBUTES | raw.COMPRESS | raw.SSL)


@pytest.fixture
def fronting(gateway):
    """Starts a gateway in front of a fake backend that serves as told."""
    made = []

    def start(serve, **settings):
        backend = FakeBackend(serve)
        made.append(backend)
        options = ["-backend-tls", "off", *settings.pop("options", [])]  # its greeting offers TLS as MySQL's does, and it has none
        return gateway(backend.address, **{"plugins": ["recorder-1"], **settings}, options=options), backend

    yield start
    for backend in made:
        backend.close()
        assert not backend.failures, backend.failures


def answers(replies):
    """Serves logins without asking for anything, then queries: replies maps a text to what writes its reply. Whatever else
    is asked (the gateway's own questions) gets an empty result."""
    def serve(connection):
        if not connection.greet(MYSQL):
            return
        connection.write(OK)
        while (command := connection.read()) is not None:
            reply = next((write for text, write in replies.items() if text in command), None)
            if reply:
                if reply(connection) == "close":
                    return
            elif command[0] == raw.COM_QUERY:
                connection.result()
            elif command[0] != raw.COM_QUIT:
                connection.write(OK)

    return serve


def log_in(server, capabilities=raw.BASIC, **options):
    return server.endpoint.raw(**{"capabilities": capabilities, "database": None, **options})


@pytest.mark.parametrize("full", [False, True], ids=["fast", "full"])
def test_an_exchange_of_many_packets_is_relayed_whatever_it_means(fronting, full):
    """caching_sha2_password: a scramble, then "go on" (3) or the public key and an encrypted password (4)."""
    seen = []

    def serve(connection):
        if b"tester" not in connection.greet(MYSQL, plugin=b"caching_sha2_password"):
            return  # the gateway itself, which wants to know what the backend is
        connection.write(b"\xfecaching_sha2_password\0" + b"n" * 20 + b"\0")
        seen.append(connection.read())
        if full:
            connection.write(b"\1\4")
            seen.append(connection.read())
            connection.write(b"\1-----BEGIN PUBLIC KEY-----" + b"k" * 400)
            seen.append(connection.read())
        else:
            connection.write(b"\1\3")
        connection.write(OK)
        while connection.read() is not None:
            connection.result(b"in")

    server, _ = fronting(serve, plugins=[])
    with server.endpoint.raw(login=False, database=None) as client:
        client.read_greeting()
        client.send(client.handshake_response("caching_sha2_password", b"x" * 32), 1)
        assert client.read_packet()[1].startswith(b"\xfecaching_sha2_password\0")
        client.send(b"s" * 32, client.sequence)
        if full:
            assert client.read_packet()[1] == b"\1\4"
            client.send(b"\2", client.sequence)
            assert client.read_packet()[1].startswith(b"\1-----BEGIN")
            client.send(b"e" * 256, client.sequence)
        else:
            assert client.read_packet()[1] == b"\1\3"
        assert client.read_packet()[1][:1] == b"\0"
        assert b"in" in client.query("SELECT 1")[3][1]
    assert seen == ([b"s" * 32, b"\2", b"e" * 256] if full else [b"s" * 32])


def test_capabilities_that_cannot_be_relayed_are_not_offered(fronting):
    server, _ = fronting(answers({}))
    with log_in(server) as client:
        assert client.greeting.capabilities & (raw.COMPRESS | raw.SSL) == 0
        assert client.greeting.capabilities & raw.QUERY_ATTRIBUTES and client.greeting.capabilities & raw.OPTIONAL_METADATA
        assert client.greeting.version == "8.0.99-fake"


def test_query_attributes_and_missing_metadata_are_understood(fronting):
    def reply(connection):
        connection.write(b"\1\0", EOF, raw.text(b"without metadata"), EOF)  # one column; no metadata follows

    server, _ = fronting(answers({b"'with attributes'": reply}))
    capabilities = raw.BASIC | raw.QUERY_ATTRIBUTES | raw.OPTIONAL_METADATA
    with log_in(server, capabilities) as client:
        # One attribute named "a" of type VARCHAR, then the text.
        client.send(b"\3" + b"\1\1" + b"\0\1" + b"\xfd\0" + raw.text(b"a") + raw.text(b"value") + b"SELECT 'with attributes'")
        packet = client.read_packet()[1]
        assert packet == b"\1\0", packet
        assert client.read_packet()[1] == EOF
        assert client.read_packet()[1] == raw.text(b"without metadata")
        assert client.read_packet()[1] == EOF
        number = client.greeting.connection_id
    end = next(e for e in server.events.ended(number) if e["event"] == "Completed" and e["command"] == "Query")
    assert end["sql"] == "SELECT 'with attributes'" and end["rows"] == 1


def test_a_greeting_that_is_an_error_is_the_clients_to_read(fronting):
    answered = []

    def serve(connection):
        if answered:  # the probe was greeted
            connection.write(error(1129, b"HY000", b"Host 'gateway' is blocked because of many connection errors"))
            return
        answered.append(connection.greet(MYSQL))

    server, _ = fronting(serve)
    found = failure(lambda: log_in(server))["arguments"]
    assert found[0] == 1129 and "is blocked" in found[2]
    assert server.events.wait_for(lambda e: e["event"] == "Reject" and e["error_code"] == 1129, "the event")


HALF_ROW = b"\x05\0\0\x05\x04two"


@pytest.mark.parametrize("last", [b"", b"\x05\0"], ids=["between two packets", "within a header"])
def test_a_backend_that_closes_in_a_result(fronting, last):
    """A part of a packet is held back until it is known what it is, so that there is a place for the error."""
    packets, rest, found = closed_in_a_result(fronting, last)
    assert raw.error_of(packets)[:2] == (1927, "08S01") and len(packets) == 1 and not rest
    assert names(found)[-2:] == ["Error Query", "Disconnect"]


def test_a_backend_that_closes_within_a_row(fronting):
    """Rows are passed on as they come: within one there is no place for an error."""
    packets, rest, found = closed_in_a_result(fronting, HALF_ROW)
    assert not packets and rest == HALF_ROW
    assert names(found)[-2:] == ["Error Query", "Disconnect"]


def closed_in_a_result(fronting, last):
    """What the client reads after the first row, and the session's events."""
    def reply(connection):
        connection.write(b"\1", column(b"c"), EOF, raw.text(b"one"))
        connection.socket.sendall(last)
        return "close"

    server, _ = fronting(answers({b"'cut'": reply}))
    with log_in(server) as client:
        client.send(b"\3SELECT 'cut'")
        first = [client.read_packet() for _ in range(4)]
        assert first[3][1] == raw.text(b"one")
        packets, rest = client.packets_to_end()
        return packets, rest, server.events.ended(client.greeting.connection_id)


ASKS = {
    "for a local file": (b"\3LOAD DATA LOCAL INFILE 'asked' INTO TABLE t", b"\xfbasked"),
    "for another password": (b"\x11asked\0\0\0\x2d\0mysql_native_password\0", b"\xfedialog\0who?\0"),
}


@pytest.mark.parametrize("command, question", ASKS.values(), ids=ASKS.keys())
def test_a_client_that_has_sent_its_last_before_it_is_asked_is_gone(fronting, command, question):
    """The end of its input came while the command ran, and was forgotten: the session hung."""
    has_left = threading.Event()

    def reply(connection):
        has_left.wait(20)
        connection.write(question)

    server, _ = fronting(answers({b"asked": reply}))
    with log_in(server, timeout=10) as client:
        client.send(command)
        client.socket.shutdown(socket.SHUT_WR)
        serve_others(lambda: log_in(server))
        has_left.set()
        client.at_end()
        found = server.events.ended(client.greeting.connection_id)
    assert names(found)[-1] == "Disconnect"


BROKEN = {
    "a wrong sequence number": lambda c: c.socket.sendall(b"\1\0\0\7\1"),
    "an empty packet": lambda c: c.write(b""),
    "a column count without columns": lambda c: c.write(b"\1", EOF, EOF),
    "an OK that is cut": lambda c: c.write(b"\0\xfe"),
    "a packet after the end": lambda c: c.write(OK, b"more"),
}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN.keys())
def test_a_reply_that_is_not_understood_ends_an_audited_session(fronting, reply):
    server, _ = fronting(answers({b"'broken'": reply}))
    with log_in(server, timeout=10) as client:
        client.send(b"\3SELECT 'broken'")
        client.at_end()
        number = client.greeting.connection_id
    found = server.events.ended(number)
    assert found[-1]["event"] == "Disconnect" and found[-1]["reject_reason"]
    starting = [e for e in found if e["event"] == "Starting"]
    assert len(starting) == len([e for e in found if e["event"] in ("Completed", "Error")]) == 1
    assert server.process.alive() and str(number) in server.log()


def test_a_reply_that_is_not_understood_is_relayed_where_nobody_looks(fronting):
    server, _ = fronting(answers({b"'broken'": BROKEN["a wrong sequence number"]}), plugins=[])
    with log_in(server, timeout=10) as client:
        client.send(b"\3SELECT 'broken'")
        assert client.read_packet() == (7, b"\1")
    assert server.process.alive()


def test_an_authentication_that_never_ends_is_given_up(fronting):
    asked = []

    def serve(connection):
        if b"tester" not in (connection.greet(MYSQL) or b""):
            return  # the gateway itself, which wants to know what the backend is
        asked.append(1)
        connection.read()  # silence

    server, _ = fronting(serve, options=["-connect-timeout", "1"])
    with server.endpoint.raw(login=False, database=None, timeout=10) as client:
        client.read_greeting()
        client.send(client.handshake_response(), 1)
        client.at_end()
        event = server.events.ended(client.greeting.connection_id)[-1]
        assert event["event"] == "Reject" and event["reject_reason"].endswith(" did not answer in 1 s")
    assert asked
    assert server.process.alive()
