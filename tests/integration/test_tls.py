# SPDX-License-Identifier: Apache-2.0
"""TLS between clients and the gateway: what clients read is the same as without, and plugins are told."""
import os
import signal
import socket
import ssl
import struct

import pytest
from harness import raw
from harness.certificates import unverified
from harness.process import sanitizer_reports
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only


@pytest.fixture(scope="module")
def server(make_gateway, database):
    server = make_gateway(database.address, plugins=["recorder-1"], options=["-auto-tls"])
    yield server
    server.stop()


# What a client sends before the handshake of TLS: its capabilities.
TLS_REQUEST = b"\x20\0\0\1" + struct.pack("<IIB23x", 0xA2FF85 | raw.SSL, 1 << 24, 45)


def test_a_session_over_tls_reads_the_same_and_says_so(server, direct):
    query = "SELECT 1 AS a, 'x' AS b, NULL AS c, CURRENT_USER() AS u"
    encrypted = server.endpoint.shell(query, "--ssl", "--batch")
    assert encrypted.stdout == direct.shell(query, "--batch").stdout
    told = server.events.wait_for(lambda event: event["event"] == "Disconnect", "the end of the session")
    assert told["connection_type"] == 2
    assert told["tls_version"].startswith("TLSv1.") and told["tls_cipher"]


def test_the_shell_sees_a_cipher(server):
    assert "Cipher in use" in server.endpoint.shell("status", "--ssl").stdout


def test_pymysql_over_tls_runs_statements_and_sees_errors(server):
    with server.endpoint.connect(ssl=unverified()) as connection, connection.cursor() as cursor:
        assert isinstance(connection._sock, ssl.SSLSocket)
        cursor.execute("SELECT %s", ("over tls",))
        assert cursor.fetchall() == (("over tls",),)
        with pytest.raises(Exception) as error:
            cursor.execute("SELECT nothing_of_that_name")
        assert error.value.args[0] == 1054


def test_big_packets_pass_both_ways_over_tls(server):
    with server.endpoint.connect(ssl=unverified(), max_allowed_packet=64 << 20) as connection:
        with connection.cursor() as cursor:
            text = "0123456789abcdef" * (17 << 16)
            cursor.execute("SELECT %s", (text,))
            assert cursor.fetchone()[0] == text
            cursor.execute("SELECT seq, REPEAT('y', 1000) FROM seq_1_to_20000")
            assert len(cursor.fetchall()) == 20000


def test_many_statements_pipelined_over_tls(server):
    """More input than one read takes lies in the TLS library, where the socket does not announce it."""
    with server.endpoint.connect(ssl=unverified()) as connection:
        query = b"\x03SELECT 1 /* " + b"p" * 3000 + b" */"
        packet = len(query).to_bytes(3, "little") + b"\0" + query
        connection._sock.sendall(packet * 100)
        for _ in range(100):
            connection._next_seq_id = 1
            assert connection._read_query_result() == 1
            assert connection._result.rows == ((1,),)


def test_a_client_that_wants_no_tls_is_served_too(server):
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    events = server.events.ended(connection.thread_id())
    assert events[0]["connection_type"] == 0 and events[0]["tls_version"] is None


def test_without_a_certificate_tls_is_not_offered(weir):
    done = weir.shell("SELECT 1", "--ssl-verify-server-cert", "--ssl", check=False)
    assert done.returncode != 0 and "SSL" in done.stderr


def test_insecure_transport_is_refused_where_it_is_forbidden(gateway, database):
    server = gateway(database.address, options=["-auto-tls", "-require-secure-transport"])
    with pytest.raises(Exception) as error:
        server.endpoint.connect()
    assert error.value.args[0] == 3159
    with server.endpoint.connect(ssl=unverified()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    with server.endpoint.connect(unix_socket=server.endpoint.socket) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_a_certificate_is_verified_and_read_again_on_sighup(gateway, database, certificates, tmp_path):
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    certificate.write_bytes((certificates / "server.pem").read_bytes())
    key.write_bytes((certificates / "server.key").read_bytes())
    server = gateway(database.address, options=["-ssl-cert", str(certificate), "-ssl-key", str(key)])

    def subject():
        context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
        context.check_hostname = False
        with server.endpoint.connect(ssl=context) as connection:
            return dict(part[0] for part in connection._sock.getpeercert()["subject"])["commonName"]

    assert subject() == "server"
    certificate.write_bytes((certificates / "client.pem").read_bytes())
    key.write_bytes((certificates / "client.key").read_bytes())
    server.process.signal(signal.SIGHUP)
    wait_for(lambda: "SIGHUP" in server.log(), "SIGHUP to be honoured")
    context = unverified()
    with server.endpoint.connect(ssl=context) as connection:
        der = connection._sock.getpeercert(binary_form=True)
    assert ssl.DER_cert_to_PEM_cert(der).strip() in (certificates / "client.pem").read_text()


def test_clients_must_show_a_certificate_when_a_ca_is_given(gateway, database, certificates):
    server = gateway(database.address, options=["-ssl-cert", str(certificates / "server.pem"), "-ssl-key",
                                                 str(certificates / "server.key"), "-ssl-ca",
                                                 str(certificates / "ca.pem")])
    with socket.create_connection((server.host, server.port), 10) as plain:
        plain.recv(4096)
        plain.sendall(TLS_REQUEST)
        with unverified().wrap_socket(plain) as client, pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
            client.recv(4096)
    context = unverified()
    context.load_cert_chain(certificates / "client.pem", certificates / "client.key")
    with server.endpoint.connect(ssl=context) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_garbage_in_place_of_a_tls_handshake_harms_nobody(server):
    with socket.create_connection((server.host, server.port)) as client:
        client.recv(4096)
        client.sendall(TLS_REQUEST + os.urandom(500))
        client.settimeout(10)
        try:
            while client.recv(4096):
                pass
        except ConnectionResetError:
            pass  # its bytes were not all read
    with server.endpoint.connect(ssl=unverified()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert "TLS handshake failed" in server.log()
    assert not sanitizer_reports(server.log())


def test_a_wrong_option_names_itself(gateway, tmp_path):
    server = gateway(options=["-ssl-cert", str(tmp_path / "nothing.pem")], start=False).launch()
    assert server.process.wait() == 1
    assert "-ssl-cert" in server.log() and "nothing.pem" in server.log()


