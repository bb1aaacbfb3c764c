# SPDX-License-Identifier: Apache-2.0
"""Capabilities that a client sets although they were not offered: those that change the bytes to come are refused, where
everybody can read it, and the others are as with the server itself."""
import struct

import pytest
from harness import raw
from harness.paths import INTEGRATION, program
from harness.tracing import TRACE_CRASH

pytestmark = pytest.mark.gateway_only

COMPRESS, SSL, ZSTD = 5, 11, 26


def refusal(error):
    return (error.number, error.sqlstate), error.message


def told(server, name, user):
    """The event and the line in the log."""
    event = server.events.wait_for(lambda e: e["event"] == "Reject" and name in (e["reject_reason"] or ""), "the event")
    assert event["error_code"] == 1043 and (event["user"] or "") == user
    assert f"the client insists on {name}, which is not offered: turn" in server.log()


@pytest.fixture
def server(gateway, database):
    return gateway(database.address, plugins=["recorder-1"])


@pytest.mark.parametrize("bit, name", [(COMPRESS, "CLIENT_COMPRESS"), (ZSTD, "CLIENT_ZSTD_COMPRESSION_ALGORITHM")])
def test_compression(server, bit, name):
    with server.endpoint.raw(login=False, capabilities=raw.BASIC | 1 << bit) as connection:
        connection.read_greeting()
        assert not connection.greeting.capabilities >> bit & 1
        connection.send(connection.handshake_response(), 1)
        number, payload = connection.read_packet()
        numbers, message = refusal(raw.ServerError(payload))
        assert number == 2 and numbers == (1043, "08S01") and name in message and "turn compression off" in message
        assert connection.packets_to_end() == ([], b"")
    told(server, name, "tester")


@pytest.mark.skipif(TRACE_CRASH, reason="test_trace knows no error in answer to a request for TLS")
def test_tls(server):
    with server.endpoint.raw(login=False, capabilities=raw.BASIC | 1 << SSL) as connection:
        connection.read_greeting()
        assert not connection.greeting.capabilities >> SSL & 1
        connection.send(struct.pack("<IIB23x", connection.capabilities, 1 << 26, 45), 1)
        number, payload = connection.read_packet()
        numbers, message = refusal(raw.ServerError(payload))
        assert number == 2 and numbers == (1043, "08S01") and "CLIENT_SSL" in message and "-auto-tls" in message
    told(server, "CLIENT_SSL", "")


@pytest.mark.parametrize("bit", [SSL, 25, 27, 28, 29, 30, 31])
def test_what_counts_only_where_both_have_it_is_as_with_the_server(both, bit):
    def case(endpoint):
        with endpoint.raw(capabilities=raw.BASIC | 1 << bit) as connection:
            return connection.query("SELECT 1")

    assert len(both(case)) == 5


@pytest.mark.parametrize("client", ["mysqli", "PDO"])
def test_mysqlnd_compresses_whatever_it_is_offered(server, client):
    said = server.endpoint.run(program("php"), INTEGRATION / "clients" / "error.php", client, "compress", check=False).stdout
    assert "1043" in said and "CLIENT_COMPRESS" in said and "MYSQLI_CLIENT_COMPRESS" in said, said
    told(server, "CLIENT_COMPRESS", "tester")
    assert "no error" in server.endpoint.run(program("php"), INTEGRATION / "clients" / "error.php", client, check=False).stdout
