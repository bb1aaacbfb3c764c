# SPDX-License-Identifier: Apache-2.0
"""Clients that do not keep to the protocol: a clear error where there is a place for one, the connection closed, an
event, a log line, and everybody else unharmed."""
import contextlib
import os
import random
import socket
import struct

import pytest
from harness import raw
from harness.events import names
from harness.process import peak_resident_bytes, reserved_bytes, resident_bytes, unread_bytes
from harness.waiting import wait_for


@pytest.fixture
def bystander(weir):
    """A session that must not notice anything."""
    with weir.connect() as connection:
        connection.query("SET @here = 'still'")
        yield connection
        with connection.cursor() as cursor:
            cursor.execute("SELECT @here")
            assert cursor.fetchone() == ("still",)


def ended(connection):
    """Waits for the gateway to close; the packets that it sent before that."""
    packets, rest = connection.packets_to_end()
    assert not rest, f"closed within a packet: {rest}"
    return packets


def says_error(packets):
    """The error that the client was sent last."""
    assert packets, "closed without an error"
    error = raw.error_of(packets)
    assert error, packets
    # A client of before 4.1 knows no SQLSTATE.
    assert error[0] >= 1000 and (error[1] or error[0] == 1251) and error[2], error
    return error


FIRST_PACKETS = {
    "garbage": bytes(range(7, 200)),
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n" + b"x" * 64,
    "an empty packet": b"\0\0\0\1",
    "a truncated response": b"\5\0\0\1\x85\xa6\x0f\0\0",
    "a response that ends in its user name": struct.pack("<I", 36)[:3] + b"\1" + struct.pack("<IIB23x", 0xA685, 1 << 24, 45)
    + b"name",
    "a length of the answer that is too long": struct.pack("<I", 40)[:3] + b"\1"
    + struct.pack("<IIB23x", 0x8A685, 1 << 24, 45) + b"name\0\xffab",
    "a wrong sequence number": struct.pack("<I", 37)[:3] + b"\7" + struct.pack("<IIB23x", 0xA685, 1 << 24, 45) + b"name\0",
    "the protocol of before 4.1": struct.pack("<I", 10)[:3] + b"\1" + b"\x05\0\0\0\0root\0",
    "attributes that are longer than the packet": struct.pack("<I", 44)[:3] + b"\1"
    + struct.pack("<IIB23x", 0x18A685, 1 << 24, 45) + b"name\0\0\0\xfc\xff\xffab",
}


@pytest.mark.parametrize("data", FIRST_PACKETS.values(), ids=FIRST_PACKETS.keys())
def test_a_handshake_that_is_not_one_is_refused(weir, shared_gateway, events, bystander, data):
    start = len(shared_gateway.log())
    with weir.raw(login=False) as connection:
        connection.read_greeting()
        number = connection.greeting.connection_id
        connection.socket.sendall(data)
        connection.socket.shutdown(socket.SHUT_WR)
        says_error(ended(connection))
    event = events.ended(number)[-1]
    assert event["event"] == "Reject" and event["reject_reason"]
    wait_for(lambda: str(number) in shared_gateway.log()[start:], "a log line about the session")


def test_a_client_that_does_not_log_in_is_closed_after_the_handshake_timeout(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"], options=["-handshake-timeout", "1"])
    with server.endpoint.raw() as idle, server.endpoint.raw(login=False) as silent, server.endpoint.raw(login=False) as slow:
        silent.read_greeting()
        slow.read_greeting()
        slow.socket.sendall(b"\x50\0\0\1\x85")  # begins its login, and stops
        for connection in (silent, slow):
            ended(connection)
            event = server.events.ended(connection.greeting.connection_id)[-1]
            assert event["event"] == "Reject" and "time" in event["reject_reason"].lower()
        assert not raw.error_of(idle.query("SELECT 1"))  # who has logged in may be idle as long as it likes


def test_a_client_that_leaves_after_the_greeting_is_no_failure(weir, events, bystander):
    with weir.raw(login=False) as connection:
        connection.read_greeting()
        number = connection.greeting.connection_id
    assert events.ended(number)[-1]["event"] == "Reject"


@pytest.mark.greets_first("with -backend-first every client costs the backend a connection")
def test_the_backend_gets_no_connection_for_clients_that_do_not_log_in(weir, database, bystander):
    before = database.connections()
    for data in list(FIRST_PACKETS.values()) * 3:
        with weir.raw(login=False) as connection:
            connection.read_greeting()
            connection.socket.sendall(data)
            connection.socket.shutdown(socket.SHUT_WR)
            ended(connection)
    assert database.connections() - before == 1  # the one that asks


COMMANDS = {
    "a wrong sequence number": b"\1\0\0\5\x0e",
    "a continuation that does not continue": b"\xff\xff\xff\0" + b"\3" + b"x" * (raw.CHUNK - 1) + b"\1\0\0\7x",
}


@pytest.mark.parametrize("data", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_command_with_a_wrong_sequence_number_ends_the_session(weir, events, shared_gateway, bystander, data):
    with weir.raw() as connection:
        number = connection.greeting.connection_id
        connection.socket.sendall(data)
        connection.socket.shutdown(socket.SHUT_WR)
        assert says_error(ended(connection))[:2] == (1156, "08S01")
    event = events.ended(number)[-1]
    assert event["event"] == "Disconnect" and event["reject_reason"]
    assert str(number) in shared_gateway.log()


def test_an_announced_gibibyte_costs_no_memory(gateway, database):
    """64 commands of 16 MiB each, of which 64 KiB have come: memory is used and set aside for what has come only."""
    server = gateway(database.address, plugins=["recorder-1"])
    sessions = [server.endpoint.raw() for _ in range(64)]
    resident, reserved = resident_bytes(server.process.pid), reserved_bytes(server.process.pid)
    part = b"\xff\xff\xff\0\3SELECT '" + b"x" * (64 << 10)
    for connection in sessions:
        connection.socket.sendall(part)
    wait_for(lambda: unread_bytes(server.port) == 0, "the gateway to have read them all")
    # Less than one of the announced commands, and than a quarter of all of them.
    assert resident_bytes(server.process.pid) - resident < len(part) * 64 + (12 << 20)
    assert reserved_bytes(server.process.pid) - reserved < 256 << 20
    for connection in sessions:
        connection.close()
    for connection in sessions:
        assert names(server.events.ended(connection.greeting.connection_id)) == ["PreAuth", "Connected", "Disconnect"]


def test_a_command_of_more_than_a_gibibyte_is_refused_without_keeping_it(gateway, database):
    """The client sends all of it, whatever it is answered: not one of its packets of 16 MiB is kept."""
    server = gateway(database.address, plugins=["recorder-1"], options=["-max-command-bytes", 1 << 20])
    packet = b"\3" + b"x" * (raw.CHUNK - 1)
    with server.endpoint.raw() as connection:
        connection.query("SELECT 1")
        before = peak_resident_bytes(server.process.pid)
        for sequence in range(65):
            connection.socket.sendall(b"\xff\xff\xff" + bytes([sequence]) + packet)
        connection.socket.shutdown(socket.SHUT_WR)
        assert says_error(ended(connection)) == (1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes")
    assert peak_resident_bytes(server.process.pid) - before < 8 << 20
    assert server.events.ended(connection.greeting.connection_id)[-1]["event"] == "Disconnect"


def test_a_command_over_the_limit_is_refused_when_it_is_announced(weir, bystander):
    """64 MiB unless -max-command-bytes says otherwise: four packets of 16 MiB are too much, three of them wait for the fourth."""
    with weir.raw() as connection:
        for sequence in range(3):
            connection.socket.sendall(b"\xff\xff\xff" + bytes([sequence]) + b"\3" + b"x" * (raw.CHUNK - 1))
        connection.socket.sendall(b"\xff\xff\xff\3")
        assert says_error(ended(connection)) == (1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes")


def test_executing_nonsense_gets_the_backends_answer(both):
    def case(endpoint):
        seen = []
        for payload in (b"\x17", b"\x17\1", b"\x18\1\0\0\0", b"\x19", b"\x1a\1", b"\x1b", b"\x1c\1\0", b"\xfa\1\0\0\0", b"\x0c\1"):
            with endpoint.raw(timeout=5) as connection:
                connection.send(payload)
                connection.socket.shutdown(socket.SHUT_WR)
                try:
                    packet = connection.read_packet()
                    seen.append((raw.error_of([packet]) or packet)[:2])
                except (raw.Closed, ConnectionResetError):
                    seen.append("closed")
        return seen

    both(case)


@pytest.mark.time_limit(120)
def test_random_bytes_at_every_stage_harm_nobody(weir, events, shared_gateway, bystander):
    seed = int.from_bytes(os.urandom(4), "little")
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(150):
        stage = chance.randrange(3)
        connection = weir.raw(login=stage > 1, timeout=5)
        if stage < 2:
            connection.read_greeting()
        data = chance.randbytes(chance.randrange(1, 3000))
        if stage:  # with a header that is right, so that it is looked into
            data = connection.frame(data, 0 if stage == 2 else 1)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # but no time-out: it closes
            connection.socket.sendall(data)
            connection.socket.shutdown(socket.SHUT_WR)
            connection.at_end()
        connection.close()
    assert shared_gateway.process.alive()


def test_a_client_that_leaves_in_the_middle_of_a_change_of_user_is_gone(weir, events, bystander):
    with weir.raw() as connection:
        number = connection.greeting.connection_id
        connection.send_change_user("ed", "mysql")
        assert connection.read_packet()[1][:1] == b"\xfe"  # asked for the account's method, and silent
    assert events.ended(number)[-1]["event"] == "Disconnect"
