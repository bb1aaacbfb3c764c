# SPDX-License-Identifier: Apache-2.0
"""Records of TLS that come together, in pieces, or not to their end, from clients and from backends: what is there is read at once,
what is missing costs nothing, and the end of a connection is noticed."""
import contextlib
import itertools
import threading
import time

import pytest
from harness import compressed, raw
from harness.certificates import unverified
from harness.endpoint import DATABASE, PASSWORD, USER
from harness.fake_backend import EOF, column, error
from harness.process import cpu_seconds
from harness.tls_records import RecordSocket, secure_backend, server_context
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only


@pytest.fixture(scope="module", params=[[], ["-backend-first"]], ids=["", "backend-first"])
def server(request, make_gateway, database):
    server = make_gateway(database.address, plugins=["recorder-1"], options=["-auto-tls", "-compression", "zlib", *request.param])
    yield server
    server.stop()


def begin(server, bits=0):
    """A client whose handshake has ended: the connection, and the last flight, which is to be sent."""
    connection = raw.RawConnection(server.host, server.port, user=USER, password=PASSWORD, database=DATABASE, login=False, timeout=20,
                                   capabilities=raw.BASIC | raw.SSL | bits)
    connection.read_greeting()
    request = connection.frame((connection.capabilities & 0xFFFFFFFF).to_bytes(4, "little") + bytes(28), 1)
    connection.socket = RecordSocket(connection.socket, unverified())
    return connection, connection.socket.shake_hands(request)


def log_in(server, bits=0):
    connection, flight = begin(server, bits)
    records = connection.socket.seal(connection.frame(connection.handshake_response(), 2))
    connection.socket.socket.sendall(flight + records)  # in one piece with the end of the handshake
    connection.finish_authentication()
    return connection


def query(connection, text):
    return connection.frame(bytes([raw.COM_QUERY]) + text.encode())


def is_selected(packets, text):
    return any(text.encode() in payload for _, payload in packets)


def in_bytes(plain, data):
    """Each in a packet of the network's own, as far as that can be had."""
    for at in range(len(data)):
        plain.sendall(data[at:at + 1])


def test_a_login_comes_with_the_end_of_the_handshake(server):
    with log_in(server) as connection:
        assert is_selected(connection.query("SELECT 'after'"), "after")


def test_a_whole_session_byte_by_byte(server):
    connection, flight = begin(server)
    with connection:
        plain = connection.socket.socket
        in_bytes(plain, flight + connection.socket.seal(connection.frame(connection.handshake_response(), 2)))
        connection.finish_authentication()
        for number in range(3):
            in_bytes(plain, connection.socket.seal(query(connection, f"SELECT 'number {number}'")))
            assert is_selected(connection.read_result(), f"number {number}")


def test_commands_of_one_record_wait_for_each_other(server):
    """The client is not read from while a statement runs: what TLS has decrypted is taken up after that."""
    with log_in(server) as connection:
        texts = ["SELECT SLEEP(0.2), 'first'", *(f"SELECT 'number {number}'" for number in range(50))]
        connection.socket.socket.sendall(connection.socket.seal(b"".join(query(connection, text) for text in texts)))
        assert is_selected(connection.read_result(), "first")
        for number in range(50):
            assert is_selected(connection.read_result(), f"number {number}")


def test_records_of_any_size_in_pieces_of_any_size(server):
    """Also larger ones than the gateway reads at once, so that records lie decrypted, whole and in part."""
    with log_in(server) as connection:
        for size, piece in itertools.product((1, 5, 1000, 16384), (13, 16000, 70000)):
            text = f"SELECT 'of {size}', LENGTH('{'x' * min(size * 300, 150000)}')"
            data = query(connection, text)
            records = b"".join(connection.socket.seal(data[at:at + size]) for at in range(0, len(data), size))
            for at in range(0, len(records), piece):
                connection.socket.socket.sendall(records[at:at + piece])
            assert is_selected(connection.read_result(), f"of {size}")


def rests(server):
    """Whether the gateway uses next to nothing of a processor: one that reads again and again never does."""
    before = cpu_seconds(server.process.pid)
    time.sleep(0.5)  # in which nothing is to happen
    return cpu_seconds(server.process.pid) - before < 0.05


def test_half_a_record_costs_nothing_while_it_waits(server):
    with contextlib.ExitStack() as all_of_them:
        waiting = []
        for cut in (1, 3, 5, 6, 40):
            connection = all_of_them.enter_context(log_in(server))
            records = connection.socket.seal(query(connection, f"SELECT 'cut at {cut}'"))
            connection.socket.socket.sendall(records[:cut])
            waiting.append((connection, cut, records[cut:]))
        halfway, flight = begin(server)
        all_of_them.enter_context(halfway)
        halfway.socket.socket.sendall(flight[:20])
        wait_for(lambda: rests(server), "the gateway to rest")
        for connection, cut, rest in waiting:
            connection.socket.socket.sendall(rest)
            assert is_selected(connection.read_result(), f"cut at {cut}")


def test_half_a_record_behind_a_command_is_not_lost(server):
    """It lies decrypted in part while the command runs."""
    with log_in(server) as connection:
        first = connection.socket.seal(query(connection, "SELECT SLEEP(0.2), 'first'"))
        second = connection.socket.seal(query(connection, "SELECT 'second'"))
        connection.socket.socket.sendall(first + second[:10])
        assert is_selected(connection.read_result(), "first")
        connection.socket.socket.sendall(second[10:])
        assert is_selected(connection.read_result(), "second")


@pytest.mark.parametrize("end", ["cut", "farewell", "alert", "garbage"])
def test_an_end_in_any_form_is_noticed_at_once(server, end):
    connection = log_in(server)
    number = connection.greeting.connection_id
    plain, records = connection.socket.socket, connection.socket.seal(query(connection, "SELECT 'never'"))
    with connection:
        if end == "cut":
            plain.sendall(records[:-1])
        elif end == "farewell":
            plain.sendall(connection.socket.farewell())
        else:
            plain.sendall(b"\x15\x03\x03\0\2\2\x28" if end == "alert" else b"\x17\x03\x03\xff\xff" + bytes(50))
        if end == "cut":
            plain.close()
        assert server.events.ended(number)[-1]["event"] == "Disconnect"
    assert not [e for e in server.events.of(number) if e.get("sql") == "SELECT 'never'"]


def test_a_command_in_front_of_a_farewell_is_run(server):
    """As a client does on plain TCP that sends COM_QUIT behind its last command, or ends."""
    connection = log_in(server)
    with connection:
        number = connection.greeting.connection_id
        records = connection.socket.seal(query(connection, "SELECT 'the last'"))
        connection.socket.socket.sendall(records + connection.socket.farewell())
        events = server.events.ended(number)
    assert [e["sql"] for e in events if e["event"] == "Starting" and e.get("sql")] == ["SELECT 'the last'"]


def test_compressed_frames_cut_and_joined_by_records(server):
    with log_in(server, raw.COMPRESS) as connection:
        sealing = connection.socket
        compressed.begin(connection)

        class Collected:
            def __init__(self):
                self.data = b""

            def sendall(self, data):
                self.data += data

        for size in (7, 100, 16384):
            collected, connection.socket.socket = Collected(), sealing
            connection.socket.socket = collected
            for text in ("SELECT SLEEP(0.1), 'first'", "SELECT 'second', '" + "y" * 3000 + "'"):
                connection.socket.number = 0
                connection.socket.sendall(query(connection, text))
            connection.socket.socket = sealing
            records = b"".join(sealing.seal(collected.data[at:at + size]) for at in range(0, len(collected.data), size))
            sealing.socket.sendall(records)
            for text in ("first", "second"):
                connection.socket.number = 1
                assert is_selected(connection.read_result(), text)


def test_the_gateway_ends_while_commands_lie_decrypted(gateway, database):
    server = gateway(database.address, options=["-auto-tls"])
    with log_in(server) as connection:
        texts = ["SELECT SLEEP(0.5), 'first'", *["SELECT 'more'"] * 20]
        connection.socket.socket.sendall(connection.socket.seal(b"".join(query(connection, text) for text in texts)))
        wait_for(lambda: database.execute("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(0.5)%'")[0][0],
                 "the first to run")
        server.interrupt()
        assert is_selected(connection.read_result(), "first")
        assert server.process.wait() == 0


# ---- Backends

def play(certificates, serve):
    return secure_backend(server_context(certificates), serve)


def rows(*texts):
    payloads = [b"\1", column(b"c"), EOF, *[raw.text(text) for text in texts], EOF]
    return b"".join(len(p).to_bytes(3, "little") + bytes([n + 1]) + p for n, p in enumerate(payloads))


def through(server):
    return raw.RawConnection(server.host, server.port, user=USER, password=PASSWORD, timeout=20)


def test_a_backend_that_stops_within_a_record(gateway, certificates):
    """Nothing is used up while it waits, and the rest is read when it has come."""
    go_on = threading.Event()

    def serve(connection, sealing):
        records = sealing.seal(rows(b"before", b"after"))
        sealing.socket.sendall(records[:-7])
        go_on.wait(60)  # longer than anybody waits for the gateway to rest
        sealing.socket.sendall(records[-7:])
        return True
    backend = play(certificates, serve)
    server = gateway(backend.address)
    with through(server) as connection:
        connection.send(b"\3SELECT 1")
        wait_for(lambda: rests(server), "the gateway to rest")
        go_on.set()
        assert is_selected(connection.read_result(), "after")
    backend.close()
    assert not backend.failures


@pytest.mark.parametrize("farewell", [False, True])
def test_a_backend_that_closes_behind_its_last_words(gateway, certificates, farewell):
    def serve(connection, sealing):
        said = error(1927, b"70100", b"Connection was killed, it says")
        records = sealing.seal(len(said).to_bytes(3, "little") + b"\1" + said)
        sealing.socket.sendall(records + (sealing.farewell() if farewell else b""))
        return False
    backend = play(certificates, serve)
    server = gateway(backend.address)
    with through(server) as connection:
        assert raw.error_of(connection.query("SELECT 1")) == (1927, "70100", "Connection was killed, it says")
        assert connection.at_end() == b""
    backend.close()
    assert not backend.failures


def test_a_backend_that_ends_within_a_record_ends_the_statement(gateway, certificates):
    def serve(connection, sealing):
        sealing.socket.sendall(sealing.seal(rows(b"before"))[:-7])
        return False
    backend = play(certificates, serve)
    server = gateway(backend.address)
    with through(server) as connection:
        start = time.monotonic()
        number, _, message = raw.error_of(connection.query("SELECT 1"))
        assert number == 1927 and time.monotonic() - start < 5, message
    backend.close()
    assert not backend.failures
