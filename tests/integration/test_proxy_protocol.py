# SPDX-License-Identifier: Apache-2.0
"""PROXY headers of balancers in front of the gateway: HAProxy's own, and written ones beside what MariaDB does with them."""
import dataclasses
import socket
import ssl
import struct

import pymysql
import pytest
from harness import raw
from harness.balancer import Balancer, certificates
from harness.endpoint import DATABASE, PASSWORD, USER
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

V2 = b"\r\n\r\n\0\r\nQUIT\n"
TCP = 0  # WEIR_TYPE_TCP
LOCAL = V2 + b"\x20\0\0\0"
waits_for_a_greeting = pytest.mark.greets_first("with -backend-first a client of a listed network is greeted after its header")

LISTED = ["-proxy-protocol-networks", "127.0.0.1, localhost"]


def v1(address):
    return f"PROXY TCP4 {address} 192.0.2.1 4444 3306\r\n".encode()


def v2(address, values=b"", family=0x11):
    body = socket.inet_aton(address) + socket.inet_aton("192.0.2.1") + struct.pack(">HH", 4444, 3306) + values
    return V2 + bytes([0x21, family]) + struct.pack(">H", len(body)) + body


def value(kind, data):
    return bytes([kind]) + struct.pack(">H", len(data)) + data


@pytest.fixture
def balancer(tmp_path):
    started = []

    def make(server, options, bind=""):
        started.append(Balancer(tmp_path / f"haproxy{len(started)}", server, options, bind))
        return started[-1].start()

    yield make
    for one in started:
        one.stop()


def behind(server, port):
    return dataclasses.replace(server.endpoint, port=port)


def login(server, header, source="127.0.0.1", path=None):
    """A raw connection that has sent a header before its login."""
    connection = raw.RawConnection(server.host, server.port, path, USER, PASSWORD, DATABASE, login=False) if source == "127.0.0.1" \
        else from_address(server, source)
    connection.socket.sendall(header)
    connection.login()
    return connection


def from_address(server, source):
    connection = raw.RawConnection.__new__(raw.RawConnection)
    raw.RawConnection.__init__(connection, server.host, server.port, user=USER, password=PASSWORD, database=DATABASE, login=False)
    connection.socket.close()
    connection.socket = socket.create_connection((server.host, server.port), 20, (source, 0))
    return connection


def connected(server, number):
    return next(event for event in server.events.ended(number) if event["event"] == "Connected")


def answer(host, port, path, data):
    """What a server sends after its greeting to these bytes, and then closes."""
    with raw.RawConnection(host, port, path, login=False, timeout=10) as connection:
        connection.read_greeting()
        connection.socket.sendall(data)
        return connection.at_end()


REFUSED = [v1("203.0.113.9"), v2("203.0.113.9"), LOCAL, b"PROXY UNKNOWN\r\n", b"PROXz", b"\r\n\r\nx"]
BROKEN = [v1("203.0.113.900"), b"PROXz TCP4\r\n", v2("203.0.113.9", family=0x12), V2 + b"\x31" + v2("203.0.113.9")[13:]]


def test_a_header_from_an_address_that_is_not_listed_is_refused_as_mariadb_does(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"])
    for data in REFUSED + BROKEN:
        said = answer(server.host, server.port, None, data)
        assert said == answer(database.host, database.port, None, data), data
        assert b"\xff\x6a\x04#HY000Proxy header is not accepted from 127.0.0.1" in said
    assert b"Proxy header is not accepted from localhost" in answer(None, None, server.socket, v1("203.0.113.9"))
    reject = server.events.wait_for(lambda e: e["event"] == "Reject" and e["error_code"] == 1130, "the event")
    assert (reject["client_ip"], reject["proxy_ip"], reject["error_code"]) == ("127.0.0.1", None, 1130)
    assert "-proxy-protocol-networks does not list" in server.log()


@waits_for_a_greeting
def test_a_header_that_is_none_is_refused_as_mariadb_does(gateway, other_database):
    database = other_database("reads_headers", "--proxy-protocol-networks=127.0.0.1")
    server = gateway(database.address, options=LISTED)
    for data in BROKEN:
        said = answer(server.host, server.port, None, data)
        direct = answer(database.host, database.port, None, data)
        assert said[3:4] == direct[3:4] and said[4:].startswith(direct[4:]), data  # weir says why after that
        assert b"Failed to parse proxy header" in said


def test_networks_that_are_none_are_named_at_start(gateway, database):
    server = gateway(database.address, options=["-proxy-protocol-networks", "127.0.0.1, 10.0.0.0/33"], start=False).launch()
    assert server.process.wait(20) == 1
    assert "-proxy-protocol-networks: '10.0.0.0/33' is no network" in server.log()


@pytest.mark.parametrize("make", [v1, v2])
@pytest.mark.parametrize("options", [[], ["-backend-first"]])
def test_the_address_in_the_header_is_the_clients(gateway, other_database, make, options):
    """For events, for the account at the backend, and once more after a login without one."""
    database = other_database(f"told_{make.__name__}_{len(options)}", "--proxy-protocol-networks=127.0.0.1")
    server = gateway(database.address, plugins=["recorder-1"], options=[*LISTED, "-proxy-protocol", *options])
    with login(server, make("203.0.113.9")) as connection:
        assert any(b"tester@203.0.113.9" in payload for _, payload in connection.query("SELECT USER()"))
        number = connection.greeting.connection_id
    for event in server.events.ended(number):
        assert (event["client_ip"], event["host"], event["client_port"], event["server_ip"], event["server_port"], event["proxy_ip"],
                event["client_address"]) == ("203.0.113.9", "203.0.113.9", 4444, "192.0.2.1", 3306, "127.0.0.1", "cb007109")
    with server.endpoint.raw() as connection:
        number = connection.greeting.connection_id
    event = connected(server, number)
    assert (event["client_ip"], event["proxy_ip"]) == ("127.0.0.1", None)


def test_only_listed_addresses_are_believed(gateway, database):
    server = gateway(database.address, options=LISTED)
    login(server, v2("203.0.113.9")).close()
    with pytest.raises((raw.ServerError, ConnectionResetError, BrokenPipeError)) as refused:
        login(server, v2("203.0.113.9"), "127.0.0.9")
    assert getattr(refused.value, "number", 1130) == 1130


def test_a_unix_socket_is_listed_as_localhost(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"], options=LISTED)
    with login(server, v2("203.0.113.9"), path=server.socket) as connection:
        number = connection.greeting.connection_id
    event = connected(server, number)
    assert (event["client_ip"], event["proxy_ip"], event["connection_type"]) == ("203.0.113.9", "", TCP)
    server = gateway(database.address, options=["-proxy-protocol-networks", "127.0.0.1"])
    with pytest.raises((raw.ServerError, BrokenPipeError)):
        login(server, v2("203.0.113.9"), path=server.socket)


def test_a_client_that_came_over_tcp_must_use_tls_whatever_the_balancer_uses(gateway, database):
    server = gateway(database.address, options=[*LISTED, "-auto-tls", "-require-secure-transport"])
    login(server, b"", path=server.socket).close()
    with pytest.raises(raw.ServerError) as refused:
        login(server, v2("203.0.113.9"), path=server.socket)
    assert refused.value.number == 3159


@waits_for_a_greeting
def test_tls_follows_a_header(gateway, database):
    """In one piece: what comes after the SSL request is not read before TLS has it."""
    server = gateway(database.address, plugins=["recorder-1"], options=[*LISTED, "-auto-tls"])
    sent = []

    class Prefixed(socket.socket):
        def sendall(self, data, *flags):
            prefix = b"" if sent else v2("203.0.113.9", value(2, b"x" * 3000))
            sent.append(data)
            return super().sendall(prefix + data, *flags)

    raw_socket = Prefixed()
    raw_socket.connect((server.host, server.port))
    connection = pymysql.connect(host=server.host, port=server.port, user=USER, password=PASSWORD, database=DATABASE,
                                 ssl={"check_hostname": False, "verify_mode": False}, defer_connect=True)
    connection.connect(sock=raw_socket)
    number = connection.thread_id()
    connection.close()
    event = connected(server, number)
    assert (event["client_ip"], event["tls_version"]) == ("203.0.113.9", "TLSv1.3")
    assert event["proxy_authority"] == "x" * 3000


def test_an_incomplete_header_ends_with_the_time_of_a_login(gateway, database):
    server = gateway(database.address, options=[*LISTED, "-handshake-timeout", "1"])
    first = gateway(database.address, options=[*LISTED, "-handshake-timeout", "1", "-backend-first"])
    for one in (server, first):
        with raw.RawConnection(one.host, one.port, login=False, timeout=20) as connection:
            connection.socket.sendall(v2("203.0.113.9")[:20])
            connection.at_end()
        one.process.wait_log("the client did not log in in time")


def test_values_of_a_header_are_facts(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"], options=LISTED)

    def ssl_value(verify):
        return value(0x20, b"\7" + struct.pack(">I", verify) + value(0x21, b"TLSv1.2") + value(0x22, b"app"))

    with login(server, v2("203.0.113.9", value(0xea, b"\1vpce-07") + value(0xe0, b"own") + value(5, b"id\0") + ssl_value(0))) as one:
        first = one.greeting.connection_id
    with login(server, v2("203.0.113.9", value(0xea, b"\2other") + ssl_value(1))) as one:
        second = one.greeting.connection_id
    event = connected(server, first)
    assert (event["proxy_vpc_endpoint"], event["proxy_unique_id"], event["proxy_tls_version"], event["proxy_tls_common_name"]) == (
        "vpce-07", "id\0", "TLSv1.2", "app")
    assert [0xe0, "own"] in event["proxy_values"] and [0x22, "app"] in event["proxy_values"]
    event = connected(server, second)
    assert (event["proxy_vpc_endpoint"], event["proxy_tls_version"], event["proxy_tls_common_name"]) == (None, "TLSv1.2", None)
    assert [0x22, "app"] in event["proxy_values"]


def test_haproxy_with_version_1(gateway, database, balancer):
    server = gateway(database.address, plugins=["recorder-1"], options=LISTED)
    one = balancer(f"127.0.0.1:{server.port}", "send-proxy")
    with behind(server, one.port).connect(bind_address="127.0.0.5") as connection:
        number = connection.thread_id()
    event = connected(server, number)
    assert (event["client_ip"], event["proxy_ip"], event["server_port"]) == ("127.0.0.5", "127.0.0.1", one.port)


def test_haproxy_with_version_2_over_a_unix_socket(gateway, database, balancer):
    server = gateway(database.address, plugins=["recorder-1"], options=LISTED)
    one = balancer(f"unix@{server.socket}", "send-proxy-v2")
    with behind(server, one.port).connect(bind_address="127.0.0.5") as connection:
        number = connection.thread_id()
    assert (connected(server, number)["client_ip"], connected(server, number)["proxy_ip"]) == ("127.0.0.5", "")


def test_haproxy_that_ends_tls(gateway, database, balancer, tmp_path):
    """Its client speaks TLS from the first byte; the name in its certificate is a fact."""
    certificates(tmp_path)
    server = gateway(database.address, plugins=["recorder-1"], options=LISTED)
    one = balancer(f"127.0.0.1:{server.port}", "send-proxy-v2 proxy-v2-options ssl,cert-cn,authority,unique-id,crc32c",
                   f"ssl crt {tmp_path}/server.pem ca-file {tmp_path}/ca.crt verify optional")
    context = ssl.create_default_context(cafile=tmp_path / "ca.crt")
    context.check_hostname = False
    context.load_cert_chain(tmp_path / "client.crt", tmp_path / "client.key")
    connection = raw.RawConnection("127.0.0.1", one.port, user=USER, password=PASSWORD, database=DATABASE, login=False)
    connection.socket = context.wrap_socket(connection.socket, server_hostname="db.example.com")
    with connection:
        connection.login()
        number = connection.greeting.connection_id
        port = connection.socket.getsockname()[1]
    event = connected(server, number)
    assert (event["proxy_authority"], event["proxy_tls_common_name"], event["proxy_tls_version"], event["proxy_unique_id"]) == (
        "db.example.com", "app-client", "TLSv1.3", f"127.0.0.1-{port}")


@pytest.mark.parametrize("options", [[], ["-backend-first"]])
def test_checks_of_haproxy_are_seen_by_nobody(gateway, database, balancer, options):
    server = gateway(database.address, plugins=["recorder-1"], options=[*LISTED, *options])
    before = connections(server)
    balancer(f"127.0.0.1:{server.port}", "send-proxy-v2 check check-send-proxy inter 50")
    wait_for(lambda: connections(server) > before + 10, "checks")
    assert not [event for event in server.events.all() if event.get("client_ip") == "127.0.0.1"]
    assert not [line for line in server.log().splitlines() if "closed" in line]


def connections(server):
    with server.endpoint.connect(unix_socket=server.socket) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Weir_connections'")
        return int(cursor.fetchone()[1])


def test_a_check_that_logs_in_is_a_session_like_any_other(gateway, database):
    for options in ([], ["-backend-first"]):
        server = gateway(database.address, plugins=["recorder-1"], options=[*LISTED, *options])
        with login(server, LOCAL) as connection:
            connection.query("SELECT 'seen'")
            number = connection.greeting.connection_id
        events = server.events.ended(number)
        assert [e["sql"] for e in events if e["event"] == "Completed"] == ["SELECT 'seen'"]
        assert events[-1]["client_ip"] == "127.0.0.1" and {"PreAuth", "Connected", "Disconnect"} <= {e["event"] for e in events}


def test_with_backend_first_a_client_without_a_header_is_greeted_all_the_same(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"], options=[*LISTED, "-backend-first"])
    with server.endpoint.connect() as connection:
        number = connection.thread_id()
    assert connected(server, number)["proxy_ip"] is None
    with server.endpoint.raw(login=False) as connection:
        connection.read_greeting()
        connection.socket.sendall(v2("203.0.113.9"))
        assert b"the PROXY header has come too late" in connection.at_end()


def test_ip_filter_judges_the_address_in_the_header(gateway, database, ip_filter, balancer, tmp_path):
    (tmp_path / "rules").write_text("deny 127.0.0.9\n")
    (tmp_path / "weir.toml").write_text(f"[plugin.ip_filter]\nfile = '{tmp_path}/rules'\nconnections_per_address = 1\n")
    server = gateway(database.address, plugins=[ip_filter], options=[*LISTED, "-config", tmp_path / "weir.toml"])
    one = balancer(f"127.0.0.1:{server.port}", "send-proxy-v2")
    through = behind(server, one.port)
    with pytest.raises(pymysql.err.Error):
        through.connect(bind_address="127.0.0.9")
    with through.connect(bind_address="127.0.0.5"), through.connect(bind_address="127.0.0.6"):
        with pytest.raises(pymysql.err.Error):
            through.connect(bind_address="127.0.0.5")
