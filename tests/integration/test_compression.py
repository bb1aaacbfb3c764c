# SPDX-License-Identifier: Apache-2.0
"""Compression on the client's side, on the backend's, on both, and with TLS: clients read what they read without it, and
plugins see the same."""
import contextlib

import MySQLdb
import pytest
from harness import compressed, raw
from harness.endpoint import DATABASE, PASSWORD, USER
from harness.fake_backend import OK, FakeBackend
from harness.paths import program
from harness.process import peak_resident_bytes

pytestmark = pytest.mark.gateway_only

BOTH = ["-compression", "on", "-backend-compression", "on"]


def work(endpoint, tmp_path, **options):
    """Commands of many kinds, small and large, in both directions."""
    said = []
    with contextlib.closing(endpoint.connect_c(**options)) as connection, connection.cursor() as cursor:
        def run(text, *arguments):
            cursor.execute(text, *arguments)
            said.append(cursor.fetchall())
        run("SELECT 1, REPEAT('x', 49), REPEAT('y', 5000000)")
        run("SELECT LENGTH(%s), MD5(%s)", ("z" * 3000000, "ab" * 1000000))
        run("SELECT seq FROM seq_1_to_20000")
        run("CREATE TEMPORARY TABLE packed (a INT, b VARCHAR(100))")
        (tmp_path / "rows").write_text("".join(f"{n}\trow {n}\n" for n in range(50000)))
        run(f"LOAD DATA LOCAL INFILE '{tmp_path}/rows' INTO TABLE packed")
        run("SELECT COUNT(*), MIN(b), SUM(a) FROM packed")
        with pytest.raises(MySQLdb.Error) as failed:
            run("SELECT nothing FROM nowhere")
        said.append(failed.value.args)
        run("SELECT 2")
        connection.ping()
    return said


@pytest.mark.parametrize("options, client", [
    (["-compression", "on"], {"compress": 1}), (["-backend-compression", "zlib"], {}), (BOTH, {"compress": 1}), (BOTH, {}),
    ([*BOTH, "-backend-first"], {"compress": 1})])
def test_clients_read_what_they_read_without_it(gateway, direct, database, tmp_path, options, client):
    server = gateway(database.address, options=options)
    assert work(server.endpoint, tmp_path, **client) == work(direct, tmp_path)


def test_zstd_on_both_sides(gateway, direct, database, tmp_path):
    """MariaDB has no zstd; another gateway has."""
    behind = gateway(database.address, options=["-compression", "zstd"])
    server = gateway(f"tcp://127.0.0.1:{behind.port}", options=["-backend-compression", "zstd"])
    assert work(server.endpoint, tmp_path) == work(direct, tmp_path)
    with log_in(behind, 1 << 26) as connection:
        connection.socket.is_zstd = True
        rows = connection.query("SELECT REPEAT('x', 100000)")
        assert any(b"x" * 100000 in payload for _, payload in rows)
        assert sum(size for size, _ in connection.socket.frames) < 5000


def log_in(server, bits, level=b""):
    connection = raw.RawConnection(server.host, server.port, user=USER, password=PASSWORD, database=DATABASE, login=False,
                                   capabilities=raw.BASIC | bits, timeout=20)
    connection.read_greeting()
    assert connection.greeting.capabilities & bits == bits
    connection.send(connection.handshake_response() + level, 1)
    connection.finish_authentication()
    return compressed.begin(connection)


def test_what_is_offered_and_asked_for_is_what_the_options_say(gateway, database):
    for words, offered in (("off", 0), ("zlib", 1 << 5), ("zstd", 1 << 26), ("zstd,zlib", 1 << 5 | 1 << 26), ("on", 1 << 5 | 1 << 26)):
        server = gateway(database.address, options=["-compression", words, "-backend-compression", "on" if offered else "off"])
        with server.endpoint.raw() as connection:
            assert connection.greeting.capabilities & (1 << 5 | 1 << 26) == offered
            status = connection.query("SHOW STATUS LIKE 'Compression'")
            assert any(b"ON" if offered else b"OFF" in payload for _, payload in status)
        server.stop()
    server = gateway(database.address, options=["-compression", "lz4"], start=False).launch()
    assert server.process.wait(20) == 1
    assert "-compression: 'lz4' is none of off, on, zlib and zstd" in server.log()


def test_with_tls(gateway, direct, database):
    server = gateway(database.address, plugins=["recorder-1"], options=[*BOTH, "-auto-tls"])
    text = "SELECT CONNECTION_ID() > 0, REPEAT('a', 5000000); SELECT LENGTH('" + "b" * 2000000 + "')"
    assert server.endpoint.shell(text, "--compress", "--ssl").stdout == direct.shell(text).stdout
    assert server.events.wait_for(lambda e: e["event"] == "Connected" and e["tls_version"] == "TLSv1.3", "the session")


def test_the_shell_and_mysqlnd(gateway, database):
    server = gateway(database.address, options=["-compression", "on"])
    assert server.endpoint.shell("SELECT REPEAT('a', 60)", "--compress", "--skip-column-names").stdout == "a" * 60 + "\n"
    script = ("$c = mysqli_init(); $c->real_connect(getenv('WEIR_TEST_HOST'), getenv('WEIR_TEST_USER'), getenv('WEIR_TEST_PASSWORD'), "
              "getenv('WEIR_TEST_DATABASE'), (int)getenv('WEIR_TEST_PORT'), null, MYSQLI_CLIENT_COMPRESS); "
              "echo strlen($c->query(\"SELECT REPEAT('b', 3000000)\")->fetch_row()[0]), ' ', "
              "$c->query(\"SELECT LENGTH('\" . str_repeat('c', 2000000) . \"')\")->fetch_row()[0];")
    assert server.endpoint.run(program("php"), "-r", script).stdout == "3000000 2000000"


def test_plugins_see_the_same(gateway, database):
    """The reply's bytes are those of the protocol, not of the connection."""
    facts = []
    for options in ([], BOTH):
        server = gateway(database.address, plugins=["recorder-1"], options=options)
        with contextlib.closing(server.endpoint.connect_c(**({"compress": 1} if options else {}))) as connection, connection.cursor() as cursor:
            number = connection.thread_id()
            cursor.execute("SELECT seq, REPEAT('x', 100) FROM seq_1_to_500")
        last = server.events.ended(number)[-1]
        assert (last["wire_sent"] < 50000) == bool(options) and last["wire_received"] > 100
        facts.append([(e["event"], e.get("sql"), e.get("rows"), e.get("bytes")) for e in server.events.ended(number)])
    assert facts[0] == facts[1]
    assert any(rows == 500 and size > 50000 for _, _, rows, size in facts[0])


def test_commands_that_are_sent_ahead(gateway, database):
    """Each reply is numbered as an answer to its own command."""
    server = gateway(database.address, options=["-compression", "zlib"])
    with log_in(server, 1 << 5) as connection:
        for text in (b"SELECT 1", b"SELECT 2"):
            connection.socket.number = 0
            connection.socket.sendall(connection.frame(b"\3" + text))
        for _ in range(2):
            connection.socket.number = 1
            connection.sequence = 1
            assert connection.read_result()


BAD = {
    "a bomb": lambda s: s.send_frame(b"x" * 100, 0xFFFFFF, 0),
    "garbage": lambda s: s.send_frame(b"x" * 100, 200, 0),
    "a wrong length": lambda s: s.send_frame(compressed.zlib.compress(b"\x63\0\0\0\x03" + b"x" * 98), 200, 0),
    "a wrong number": lambda s: s.send_frame(b"\1\0\0\0\x0e", 0, 7),
}


@pytest.mark.parametrize("name", BAD)
def test_frames_that_are_wrong_end_the_session(gateway, database, name):
    server = gateway(database.address, plugins=["recorder-1"], options=["-compression", "zlib", "-max-command-bytes", "1048576"])
    with log_in(server, 1 << 5) as connection:
        number = connection.greeting.connection_id
        BAD[name](connection.socket)
        connection.socket.number = 1  # as the answer to a command
        _, payload = connection.read_packet()
        error = raw.ServerError(payload)
        assert (error.number, error.sqlstate) == (1157, "08S01") and "Couldn't uncompress communication packet: " in error.message
        assert connection.socket.recv(1) == b""
    assert server.events.ended(number)[-1]["event"] == "Disconnect"
    with log_in(server, 1 << 5) as connection:
        assert connection.query("SELECT 1")


def test_a_frame_that_is_cut_short(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"], options=["-compression", "zlib"])
    with log_in(server, 1 << 5) as connection:
        number = connection.greeting.connection_id
        connection.socket.socket.sendall(b"\x64\0\0\0\xff\0\0" + b"x" * 10)
    assert server.events.ended(number)[-1]["event"] == "Disconnect"


# ---- What a session does besides statements

@pytest.mark.parametrize("options, bits", [(BOTH, 1 << 5), (BOTH, 1 << 26), (["-compression", "on"], 1 << 5),
                                           ([*BOTH, "-backend-first"], 1 << 5)])
def test_another_user_and_a_reset_leave_it_compressed(gateway, database, options, bits):
    server = gateway(database.address, options=options)
    with log_in(server, bits, b"\3" if bits == 1 << 26 else b"") as connection:
        connection.socket.is_zstd = bits == 1 << 26
        connection.query("SET @mine = 1")
        assert connection.command(bytes([raw.COM_RESET_CONNECTION]), connection.read_one)[0][1][:1] == b"\0"
        assert connection.query("SELECT @mine")[-2][1] == b"\xfb"
        for user, password, database_name in (("nopassword", "", ""), (USER, PASSWORD, DATABASE)):
            connection.change_user(user, password, database_name)
            assert any(user.encode() + b"@" in payload for _, payload in connection.query("SELECT USER(), REPEAT('x', 1000)"))
        with pytest.raises(raw.ServerError) as denied:
            connection.change_user(USER, "wrong")
        assert denied.value.number == 1045


def test_packets_of_16_mib_in_frames_of_any_size(gateway, database):
    """A frame holds less than such a packet with its header, and frames need not end where packets do."""
    server = gateway(database.address, options=BOTH)
    with log_in(server, 1 << 5) as connection:
        text = b"\3SELECT LENGTH('" + b"x" * (17 << 20) + b"'), REPEAT('y', 17 << 20)"
        data = connection.frame(text)
        connection.socket.number = 0
        for at in range(0, len(data), 5_000_001):
            part = data[at:at + 5_000_001]
            connection.socket.send_frame(compressed.zlib.compress(part, 1), len(part))
        payload = connection.read_result()[-2][1]
        assert payload.startswith(b"\x0817825792") and len(payload) > 17 << 20


# ---- Backends that compress wrongly

def compressing(bad):
    """A backend whose answer to a statement is what bad(socket) sends."""
    def serve(connection):
        if not connection.greet(raw.BASIC | raw.COMPRESS | raw.CONNECT_WITH_DB) or b"weir-probe" in connection.response:
            return
        connection.write(OK)
        frames = compressed.CompressedSocket(connection.socket)
        if frames.recv(65536):
            bad(frames)
            frames.recv(65536)
    return FakeBackend(serve)


WRONG = {
    "a bomb that is allowed": (lambda s: s.send_frame(compressed.zlib.compress(bytes(1000)), 0xFFFFFF), "another length than it says"),
    "garbage": (lambda s: s.send_frame(b"x" * 100, 200), "compressed data is damaged"),
    "a wrong length": (lambda s: s.send_frame(compressed.zlib.compress(bytes(1000)), 999), "another length than it says"),
    "a wrong number": (lambda s: (s.send_frame(b"\7\0\0\1", 0), s.send_frame(OK, 0, 9)), "a wrong sequence number"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_backends_frames_that_are_wrong_are_the_end_of_it(gateway, name):
    bad, why = WRONG[name]
    backend = compressing(bad)
    server = gateway(backend.address, options=["-backend-compression", "zlib"])
    peak = peak_resident_bytes(server.process.pid)
    with server.endpoint.raw() as connection:
        number, _, message = raw.error_of(connection.query("SELECT 1"))
        assert number == 1927 and why in message and backend.address in message, message
        assert connection.at_end() == b""
    assert peak_resident_bytes(server.process.pid) - peak < 40 << 20
    backend.close()
    assert not backend.failures


def test_a_backend_that_ends_within_a_frame(gateway):
    def bad(socket):
        socket.socket.sendall(b"\x64\0\0\1\xff\0\0" + b"x" * 10)
        socket.socket.close()
    backend = compressing(bad)
    server = gateway(backend.address, options=["-backend-compression", "zlib"])
    with server.endpoint.raw() as connection:
        assert raw.error_of(connection.query("SELECT 1"))[0] == 1927
    backend.close()
