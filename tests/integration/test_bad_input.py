# SPDX-License-Identifier: Apache-2.0
"""Clients that do not keep to the protocol: a clear error where there is a place for one, the connection closed, an
event, a log line, and everybody else unharmed."""
import os
import random
import socket
import struct

import pytest
from harness import raw
from harness.process import resident_bytes
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
    """Waits for the gateway to close; the packets that it sent before, if they are packets."""
    data = connection.at_end()
    packets = []
    while len(data) >= 4:
        size = int.from_bytes(data[:3], "little")
        packets.append((data[3], data[4:4 + size]))
        data = data[4 + size:]
    return packets


def says_error(packets):
    """The error that the client was sent last."""
    assert packets, "closed without a word"
    error = raw.error_of(packets)
    assert error, packets
    assert error[0] >= 1000 and error[1] and error[2], error
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


def test_a_client_that_says_nothing_is_closed_after_the_handshake_timeout(gateway, database):
    server = gateway(f"tcp://{database.host}:{database.port}", plugins=["recorder-1"], options=["-handshake-timeout", "1"])
    with server.endpoint.raw(login=False) as connection:
        connection.read_greeting()
        ended(connection)
        event = server.events.ended(connection.greeting.connection_id)[-1]
        assert event["event"] == "Reject" and "time" in event["reject_reason"].lower()
    with server.endpoint.raw(login=False) as connection:
        connection.read_greeting()
        connection.socket.sendall(b"\x50\0\0\1\x85")  # begins to speak, and stops
        ended(connection)
    with server.endpoint.raw() as connection:  # a session that has logged in may be idle as long as it likes
        server.events.wait_for(lambda e: e["event"] == "Connected", "the session")
        with server.endpoint.raw(login=False) as silent:
            silent.read_greeting()
            ended(silent)
        assert connection.query("SELECT 1")


def test_a_client_that_leaves_after_the_greeting_is_no_failure(weir, events, bystander):
    with weir.raw(login=False) as connection:
        connection.read_greeting()
        number = connection.greeting.connection_id
    assert events.ended(number)[-1]["event"] == "Reject"


def test_a_backend_never_hears_of_clients_that_do_not_log_in(weir, database, bystander):
    def connections():
        return int(database.execute("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1])

    before = connections()
    for data in list(FIRST_PACKETS.values()) * 3:
        with weir.raw(login=False) as connection:
            connection.read_greeting()
            connection.socket.sendall(data)
            connection.socket.shutdown(socket.SHUT_WR)
            ended(connection)
    assert connections() - before == 1  # the one that asks


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
        packets = ended(connection)
        if packets:
            says_error(packets)
    event = events.ended(number)[-1]
    assert event["event"] == "Disconnect" and event["reject_reason"]
    assert str(number) in shared_gateway.log()


def test_a_length_of_a_gibibyte_costs_no_memory(weir, events, shared_gateway, bystander):
    """The most that packets can announce without an end: 64 times 16 MiB, of which the client sends little."""
    before = resident_bytes(shared_gateway.process.pid)
    sessions = [weir.raw() for _ in range(50)]
    for connection in sessions:
        connection.socket.sendall(b"\xff\xff\xff\0\x03SELECT '" + b"x" * 100000)
    with weir.raw() as connection:
        connection.query("SELECT 1")
    assert resident_bytes(shared_gateway.process.pid) - before < 100 << 20
    for connection in sessions:
        connection.close()
    for connection in sessions:
        assert events.ended(connection.greeting.connection_id)[-1]["event"] == "Disconnect"


def test_a_statement_of_more_than_a_gibibyte_is_refused_without_keeping_it(weir, shared_gateway, bystander):
    before = resident_bytes(shared_gateway.process.pid)
    with weir.raw() as connection:
        chunk = b"\3" + b"x" * (raw.CHUNK - 1)
        try:
            for sequence in range(12):  # over max_allowed_packet, which is where the backend gives up
                connection.socket.sendall(b"\xff\xff\xff" + bytes([sequence]) + chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        connection.socket.settimeout(20)
        ended(connection)
    # What a plugin may see of a statement has a limit; AddressSanitizer keeps freed memory for a while.
    assert resident_bytes(shared_gateway.process.pid) - before < 400 << 20


def test_executing_nonsense_is_the_backends_matter(both):
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
        try:
            connection.socket.sendall(data)
            connection.socket.shutdown(socket.SHUT_WR)
            connection.at_end()
        except OSError:
            pass
        connection.close()
    assert shared_gateway.process.alive()


def test_a_client_that_leaves_in_the_middle_of_a_change_of_user_is_gone(weir, events, bystander):
    with weir.raw() as connection:
        number = connection.greeting.connection_id
        connection.send(bytes([raw.COM_CHANGE_USER]) + b"ed\0\0mysql\0\x2d\0mysql_native_password\0")
        assert connection.read_packet()[1][:1] == b"\xfe"  # asked for the account's method, and silent
    assert events.ended(number)[-1]["event"] == "Disconnect"
