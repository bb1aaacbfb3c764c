# SPDX-License-Identifier: Apache-2.0
"""TLS between the gateway and the database: what is demanded of its certificate, what clients read when that fails, tickets, and
what plugins are told. What clients send and read is the same as without."""
import shutil
import signal
import ssl

import pymysql
import pytest
from audit_log_common import AuditedGateway
from harness import raw
from harness.certificates import server_options, unverified

from harness.fake_backend import OK, FakeBackend, error
from harness.process import sanitizer_reports
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

UNREACHABLE = 1429


@pytest.fixture(scope="module")
def secured(other_database, certificates):
    """A database that offers TLS."""
    return other_database("secured", *server_options(certificates))


def rows(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def cipher_of(endpoint, **options):
    """What the database says of its connection: version and cipher; empty texts without TLS."""
    with endpoint.connect(database=None, **options) as connection:
        found = dict(rows(connection, "SHOW STATUS LIKE 'Ssl\\_%'"))
        return found["Ssl_version"], found["Ssl_cipher"]


def failure(endpoint, **options):
    with pytest.raises(pymysql.err.MySQLError) as failed:
        endpoint.connect(database=None, **options).close()
    return failed.value.args


# ---- Modes

def test_tls_is_used_where_it_is_offered(gateway, secured):
    server = gateway(secured.address)
    version, cipher = cipher_of(server.endpoint)
    assert version.startswith("TLSv1.") and cipher


def test_a_database_without_tls_is_served_in_plain(gateway, database):
    server = gateway(database.address)
    assert cipher_of(server.endpoint) == ("", "")


def test_off_is_plain(gateway, secured):
    assert cipher_of(gateway(secured.address, options=["-backend-tls", "off"]).endpoint) == ("", "")


def test_a_unix_socket_stays_plain_unless_told_otherwise(gateway, secured):
    assert cipher_of(gateway(f"unix://{secured.socket}").endpoint) == ("", "")
    assert cipher_of(gateway(f"unix://{secured.socket}", options=["-backend-tls", "required"]).endpoint)[1]


@pytest.mark.greets_first("with -backend-first the error comes in place of the greeting, which the start waits for")
def test_what_is_demanded_and_not_offered_is_said(gateway, database):
    server = gateway(database.address, options=["-backend-tls", "required"])
    number, message = failure(server.endpoint)
    assert number == UNREACHABLE and "does not offer TLS, and -backend-tls required demands it" in message
    wait_for(lambda: "TLS fails, and nobody can log in (-backend-tls required): the server does not offer it" in server.log(),
             "the probe to have said so")


@pytest.mark.parametrize("options", [["-backend-ssl-ca", "CA"], ["-backend-tls", "verify-ca", "-backend-ssl-ca", "CA"],
                                     ["-backend-tls", "verify-identity", "-backend-ssl-ca", "CA"],
                                     ["-backend-tls", "verify-identity", "-backend-ssl-ca", "CA", "-backend-ssl-name", "127.0.0.1"]])
def test_a_certificate_that_the_authority_has_signed(gateway, secured, certificates, options):
    server = gateway(secured.address, options=[str(certificates / "ca.pem") if word == "CA" else word for word in options])
    assert cipher_of(server.endpoint)[1]
    assert "TLS fails" not in server.log()


@pytest.mark.parametrize("certificate, options, reason", [
    ("stranger", [], "certificate verify failed: unable to get local issuer certificate"),
    ("expired", [], "certificate verify failed: certificate has expired"),
    ("named", ["-backend-tls", "verify-identity"], "certificate verify failed: IP address mismatch"),
    ("server", ["-backend-tls", "verify-identity", "-backend-ssl-name", "db.example"], "certificate verify failed: hostname mismatch"),
])
def test_a_certificate_that_is_not_right_is_an_error_with_the_reason(gateway, other_database, certificates, certificate, options, reason):
    wrong = other_database("wrong_" + certificate, *server_options(certificates, certificate))
    server = gateway(wrong.address, options=["-backend-ssl-ca", str(certificates / "ca.pem"), *options])
    number, message = failure(server.endpoint)
    assert number == UNREACHABLE and message == f"weir: TLS with the backend {wrong.address} failed: {reason}"
    wait_for(lambda: f"TLS fails, and nobody can log in (-backend-tls verify-{'identity' if options else 'ca'}): {reason}" in server.log(),
             "the probe to have said so")
    assert f"TLS with the backend {wrong.address} failed: {reason} connection=" in server.log()


def test_a_name_from_the_configuration_is_what_counts(gateway, other_database, certificates):
    named = other_database("has_a_name", *server_options(certificates, "named"))
    server = gateway(named.address, options=["-backend-tls", "verify-identity", "-backend-ssl-ca", str(certificates / "ca.pem"),
                                             "-backend-ssl-name", "db.example"])
    assert cipher_of(server.endpoint)[1]


def test_versions_and_ciphers(gateway, secured):
    options = ["-backend-tls-version", "TLSv1.2", "-backend-ssl-cipher", "ECDHE-RSA-AES128-GCM-SHA256"]
    assert cipher_of(gateway(secured.address, options=options).endpoint) == ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256")
    options = ["-backend-tls-version", "TLSv1.3", "-backend-ssl-cipher", "AES128-SHA:TLS_CHACHA20_POLY1305_SHA256"]
    assert cipher_of(gateway(secured.address, options=options).endpoint) == ("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256")


def test_a_certificate_of_the_gateways_own(gateway, secured, certificates):
    secured.execute("CREATE OR REPLACE USER shows@'%' IDENTIFIED BY 'x' REQUIRE SUBJECT '/O=weir/CN=client'")
    server = gateway(secured.address)
    assert failure(server.endpoint, user="shows", password="x")[0] == 1045
    server = gateway(secured.address, options=["-backend-ssl-cert", str(certificates / "client.pem"), "-backend-ssl-key",
                                               str(certificates / "client.key")])
    assert cipher_of(server.endpoint, user="shows", password="x")[1]


@pytest.mark.parametrize("options, says", [
    (["-backend-tls", "verify_ca"], "-backend-tls verify_ca: give off, preferred, required, verify-ca or verify-identity"),
    (["-backend-tls", "verify-ca"], "-backend-tls: whom to trust is not said"),
    (["-backend-tls", "required", "-backend-ssl-ca", "/x.pem"], "-backend-ssl-ca /x.pem: -backend-tls required verifies nobody"),
    (["-backend-ssl-ca", "/nothing.pem"], "-backend-ssl-ca /nothing.pem: "),
    (["-backend-ssl-cert", "/nothing.pem"], "-backend-ssl-cert /nothing.pem: "),
    (["-backend-ssl-key", "/nothing.pem"], "-backend-ssl-key /nothing.pem: its certificate is missing; give it with -backend-ssl-cert"),
    (["-backend-tls-version", "TLSv1.1"], "-backend-tls-version TLSv1.1: give TLSv1.2, TLSv1.3 or both with a comma"),
    (["-backend-ssl-cipher", "NOTHING"], "-backend-ssl-cipher NOTHING: no cipher match; `openssl ciphers -v ALL` lists the names"),
    (["-backend-tls", "off", "-backend-ssl-name", "x"], "-backend-ssl-name: TLS to the backend is off"),
])
def test_an_option_that_cannot_be_names_itself(gateway, secured, options, says):
    server = gateway(secured.address, options=options, start=False).launch()
    assert server.process.wait() == 1
    assert says in server.log()


# ---- Sessions

def test_what_a_client_reads_is_the_same_as_without(gateway, secured):
    plain, encrypted = gateway(secured.address, options=["-backend-tls", "off"]), gateway(secured.address, plugins=["recorder-1"])
    queries = ["SELECT 1 AS a, NULL AS b", "SELECT nothing", "SELECT seq, REPEAT('x', 5000) FROM seq_1_to_5000", "SELECT 1; SELECT 2"]
    seen = []
    for server in (plain, encrypted):
        with server.endpoint.raw() as connection:
            seen.append([connection.query(query) for query in queries])
    assert seen[0] == seen[1]


def test_more_than_a_read_lies_in_the_tls_library(gateway, secured):
    """The client takes its time, so that the backend is not read from: what is decrypted already is not announced by its socket."""
    server = gateway(secured.address)
    with server.endpoint.raw() as connection:
        connection.send(b"\x03SELECT seq, REPEAT('y', 10000) FROM seq_1_to_10000")
        wait_for(lambda: is_waiting(secured), "the database to have stopped sending")
        packets = connection.read_result()
    assert sum(len(payload) for _, payload in packets) > 100_000_000


def is_waiting(server):
    return any(row[4] == "Query" and "seq_1_to_10000" in (row[7] or "") and row[5] >= 1 for row in server.execute("SHOW PROCESSLIST"))


def test_long_commands_and_local_files_pass(gateway, secured, tmp_path):
    server = gateway(secured.address)
    (tmp_path / "rows.csv").write_text("\n".join(str(i) for i in range(200_000)))
    with server.endpoint.connect(database=None, max_allowed_packet=64 << 20) as connection:
        text = "0123456789abcdef" * (17 << 16)
        assert rows(connection, "SELECT MD5('%s'), LENGTH('%s')" % (text, text))[0][1] == len(text)
        rows(connection, "CREATE TEMPORARY TABLE test.t (i INT)") if rows(connection, "CREATE DATABASE IF NOT EXISTS test") == () else None
        rows(connection, f"LOAD DATA LOCAL INFILE '{tmp_path}/rows.csv' INTO TABLE test.t")
        assert rows(connection, "SELECT COUNT(*) FROM test.t") == ((200_000,),)


@pytest.mark.time_limit(120)  # the plugin is compiled first
def test_a_client_that_goes_during_a_statement_is_missed_by_the_server(gateway, secured):
    """A server asks every few seconds, and takes bytes that nobody has read, a close_notify too, for a sign of life."""
    connection = gateway(secured.address).endpoint.connect(database=None)
    connection._execute_command(3, "SELECT SLEEP(300)")
    running = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(300)'"
    wait_for(lambda: secured.execute(running)[0][0], "the statement to run")
    connection._force_close()
    wait_for(lambda: not secured.execute(running)[0][0], "the server to have missed its client", 30)


def test_audit_log_writes_both_sides(gateway, secured, certificates, tmp_path):
    audited = AuditedGateway(gateway, secured.address, tmp_path / "audit")
    with audited.endpoint.connect(database=None) as connection:
        rows(connection, "SELECT 1")
    for record in audited.ended(connection.thread_id()):
        if record["event"] != "PreAuth":
            assert record["backend_tls_version"].startswith("TLSv1.") and record["backend_tls_cipher"]


def test_both_sides_are_encrypted(gateway, secured):
    server = gateway(secured.address, plugins=["recorder-1"], options=["-auto-tls"])
    with server.endpoint.connect(ssl=unverified(), database=None) as connection:
        assert rows(connection, "SELECT 1") == ((1,),)
    told = server.events.wait_for(lambda event: event["event"] == "Disconnect", "the end of the session")
    assert told["tls_version"] and told["backend_tls_version"].startswith("TLSv1.") and told["backend_tls_cipher"]


def test_backend_first_with_tls(gateway, secured):
    server = gateway(secured.address, options=["-backend-first"], plugins=["recorder-1"])
    assert cipher_of(server.endpoint)[1]
    with server.endpoint.connect(database=None) as connection:
        assert rows(connection, "SELECT CONNECTION_ID()") == ((connection.thread_id(),),)
    assert failure(server.endpoint, password="wrong")[0] == 1045


@pytest.mark.parametrize("options", [[], ["-backend-first"]])
def test_a_server_that_insists_is_served_and_counts_no_errors(gateway, other_database, certificates, options):
    """Neither sessions nor probes nor clients that leave early may have it block the gateway's host."""
    insists = other_database("insists" + str(len(options)), *server_options(certificates))
    insists.execute("SET GLOBAL require_secure_transport = ON")
    before = aborted(insists)
    server = gateway(insists.address, options=options)
    assert cipher_of(server.endpoint)[1]
    for _ in range(5):
        server.greeting()
    wait_for(lambda: not insists.execute("SELECT 1 FROM information_schema.processlist WHERE user = 'unauthenticated user'"),
             "the server to have let go")
    assert aborted(insists) == before
    if not options:
        assert failure(gateway(insists.address, options=["-backend-tls", "off"]).endpoint)[0] in (1045, 3159)


def aborted(server):
    return server.execute("SHOW GLOBAL STATUS LIKE 'Aborted_connects_preauth'")[0][1]


# ---- What is not TLS

def test_what_a_server_says_in_plain_in_place_of_tls_is_what_the_client_reads(gateway):
    def serve(connection):
        connection.greet(raw.BASIC | raw.SSL)  # the request for TLS, or all that a probe has to say
        connection.write(error(1040, b"08004", b"Too many connections, it says"))
    backend = FakeBackend(serve)
    try:
        server = gateway(backend.address)
        assert failure(server.endpoint) == (1040, "Too many connections, it says")
    finally:
        backend.close()


@pytest.mark.parametrize("answer", [b"", b"\x15", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x03\x40\x00" + b"x" * 0x4000, bytes(600)])
def test_nonsense_in_place_of_tls_is_an_error(gateway, answer):
    def serve(connection):
        connection.greet(raw.BASIC | raw.SSL)
        connection.socket.sendall(answer)
    backend = FakeBackend(serve)
    try:
        server = gateway(backend.address)
        number, message = failure(server.endpoint)
        assert number == UNREACHABLE and message.startswith("weir: ")
        assert not sanitizer_reports(server.log())
    finally:
        backend.close()


def test_what_comes_in_plain_before_tls_is_never_taken_for_a_part_of_it(gateway, certificates):
    """An OK that somebody on the way has put after the greeting."""
    served = []

    def serve(connection):
        low, high = (raw.BASIC | raw.SSL) & 0xFFFF, (raw.BASIC | raw.SSL) >> 16
        greeting = (b"\x0a8.0.99-fake\0" + (77).to_bytes(4, "little") + b"abcdefgh\0" + low.to_bytes(2, "little") + b"\x2d\x02\0"
                    + high.to_bytes(2, "little") + b"\x15" + bytes(10) + b"ijklmnopqrst\0mysql_native_password\0")
        served.append(1)
        connection.socket.sendall(len(greeting).to_bytes(3, "little") + b"\0" + greeting + len(OK).to_bytes(3, "little") + b"\2" + OK)
        connection.read()
        while connection.socket.recv(4096):
            pass
    backend = FakeBackend(serve)
    try:
        server = gateway(backend.address)
        number, message = failure(server.endpoint)
        assert number == UNREACHABLE and served
    finally:
        backend.close()


def test_the_proxy_header_that_is_not_taken_is_still_what_the_error_is_about(gateway, secured):
    server = gateway(secured.address, options=["-proxy-protocol"])
    number, message = failure(server.endpoint)
    assert number == UNREACHABLE and "does not take the PROXY header" in message
    wait_for(lambda: "does not take the PROXY header, and nobody can log in" in server.log(), "the probe to have said so")


def test_the_proxy_header_and_tls(gateway, other_database, certificates):
    takes = other_database("takes_headers", *server_options(certificates), "--proxy-protocol-networks=*")
    server = gateway(takes.address, options=["-proxy-protocol"])
    assert cipher_of(server.endpoint)[1]


# ---- Tickets, and other certificates

def counted(endpoint):
    with endpoint.connect(database=None) as connection:
        return {name: int(value) for name, value in rows(connection, "SHOW STATUS LIKE 'Weir_backend_tls%'")}


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_tickets_spare_the_full_handshake(gateway, secured, version):
    server = gateway(secured.address, options=["-backend-tls-version", version])
    before = counted(server.endpoint)
    for _ in range(20):
        assert cipher_of(server.endpoint)[0] == version
    after = counted(server.endpoint)
    grown = {name: after[name] - before[name] for name in after}
    assert grown["Weir_backend_tls"] == 21 and grown["Weir_backend_tls_failed"] == 0
    assert grown["Weir_backend_tls_resumed"] >= 19


def test_certificates_are_read_again_and_old_tickets_are_worth_nothing(gateway, secured, certificates, tmp_path):
    authority = tmp_path / "ca.pem"
    shutil.copy(certificates / "ca.pem", authority)
    server = gateway(secured.address, options=["-backend-ssl-ca", str(authority)])
    assert cipher_of(server.endpoint)[1]
    shutil.copy(certificates / "other-ca.pem", authority)
    server.process.signal(signal.SIGHUP)
    wait_for(lambda: "certificates read again" in server.log(), "SIGHUP to be honoured")
    assert "certificate verify failed" in failure(server.endpoint)[1]
    shutil.copy(certificates / "ca.pem", authority)
    server.process.signal(signal.SIGHUP)
    wait_for(lambda: server.log().count("certificates read again") == 2, "SIGHUP to be honoured")
    assert cipher_of(server.endpoint)[1]
    authority.write_text("nonsense")
    server.process.signal(signal.SIGHUP)
    wait_for(lambda: f"SIGHUP: -backend-ssl-ca {authority}" in server.log(), "SIGHUP to have failed")
    assert cipher_of(server.endpoint)[1]


# ---- Facts

def test_plugins_are_told_of_the_clients_certificate(gateway, secured, certificates):
    server = gateway(secured.address, plugins=["recorder-1"], options=["-ssl-cert", str(certificates / "server.pem"), "-ssl-key",
                                                                     str(certificates / "server.key"), "-ssl-ca",
                                                                     str(certificates / "ca.pem")])
    context = unverified()
    context.load_cert_chain(certificates / "client.pem", certificates / "client.key")
    with server.endpoint.connect(ssl=context, database=None) as connection:
        number = connection.thread_id()
    serial = ssl._ssl._test_decode_cert(str(certificates / "client.pem"))["serialNumber"]
    for event in server.events.ended(number):
        if event["event"] == "PreConnect" or "client_cert_subject" not in event:
            continue
        assert event["client_cert_subject"] == "CN=client,O=weir"
        assert event["client_cert_issuer"] == "CN=test ca"
        assert event["client_cert_serial"] == serial
    assert any(event.get("client_cert_subject") for event in server.events.ended(number))


def test_rules_of_ip_filter_ask_for_the_certificate(gateway, secured, certificates, ip_filter, tmp_path):
    rules = tmp_path / "ip_filter.conf"
    rules.write_text('allow root@any tls yes subject "CN=client,O=weir" issuer "CN=test ca"\n')
    (tmp_path / "weir.toml").write_text(f'[plugin.ip_filter]\nfile = "{rules}"\n')
    server = gateway(secured.address, plugins=[ip_filter], options=["-config", str(tmp_path / "weir.toml"), "-ssl-cert",
                                                                  str(certificates / "server.pem"), "-ssl-key",
                                                                  str(certificates / "server.key"), "-ssl-ca", str(certificates / "ca.pem")])
    shown = unverified()
    shown.load_cert_chain(certificates / "client.pem", certificates / "client.key")
    with server.endpoint.connect(user="root", password="", ssl=shown, database=None) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        rules.write_text('allow root@any tls yes subject "CN=another,O=weir"\n')
        with pytest.raises(pymysql.err.MySQLError) as refused:
            server.endpoint.connect(user="root", password="", database=None)
        assert refused.value.args[0] == 1130
        cursor.execute("FLUSH TIDB PLUGINS ip_filter")
    with pytest.raises(pymysql.err.MySQLError) as refused:
        server.endpoint.connect(user="root", password="", ssl=shown, database=None)
    assert refused.value.args[0] == 1130


# ---- Several backends

QUICK = ("-backend-check-interval", "200", "-backend-rise", "1", "-backend-fall", "2", "-backend-slow-start", "0")


def state_of(server, name, column="State"):
    with server.endpoint.connect(user="root", password="", database=None, cursorclass=pymysql.cursors.DictCursor) as connection:
        return {row["Name"]: row[column] for row in rows(connection, "ADMIN SHOW BACKENDS")}[name]


def tables(path, *backends):
    path.write_text("".join("[[backend]]\n" + "".join(f'{key} = "{value}"\n' for key, value in backend.items()) for backend in backends))
    return ["-config", str(path)]


def test_each_backend_has_its_own_settings(gateway, other_database, secured, certificates, tmp_path):
    """What a table says goes before the options; what it does not is the options'."""
    plain = other_database("several_plain")
    file = tables(tmp_path / "weir.toml", {"name": "plain", "address": plain.address, "tls": "off"},
                  {"name": "secured", "address": secured.address, "ssl-name": "localhost"})
    server = gateway(options=[*file, "-backend-tls", "verify-ca", "-backend-ssl-ca", str(certificates / "ca.pem"), *QUICK])
    assert cipher_of(server.endpoint) == ("", "")
    assert (state_of(server, "plain", "TLS"), state_of(server, "secured", "TLS")) == (None, "TLSv1.3")
    plain.process.signal(signal.SIGKILL)
    wait_for(lambda: cipher_of(server.endpoint)[1], "the sessions to go to the other one")


def test_a_backend_whose_tls_fails_is_left_for_the_next(gateway, other_database, secured, certificates):
    """Its greeting is no success: neither a client nor a check takes it for up."""
    stranger = other_database("several_stranger", *server_options(certificates, "stranger"))
    server = gateway(f"{stranger.address},{secured.address}",
                     options=["-backend-tls", "verify-ca", "-backend-ssl-ca", str(certificates / "ca.pem"), *QUICK])
    for _ in range(3):
        assert cipher_of(server.endpoint)[1]
    wait_for(lambda: state_of(server, stranger.address) == "down", "the backend with the wrong certificate to be down")
    assert state_of(server, secured.address) == "up"
    assert (state_of(server, stranger.address, "TLS"), state_of(server, secured.address, "TLS")) == ("fails", "TLSv1.3")


def test_a_backend_without_the_tls_that_is_demanded_is_left_for_the_next(gateway, other_database, secured):
    plain = other_database("several_bare")
    server = gateway(f"{plain.address},{secured.address}", options=["-backend-tls", "required", *QUICK])
    assert cipher_of(server.endpoint)[1]
    wait_for(lambda: state_of(server, plain.address) == "down", "the backend without TLS to be down")


@pytest.mark.parametrize("mode", ["required", "verify-ca", "verify-identity"])
def test_the_account_of_checks_speaks_tls(gateway, other_database, certificates, mode):
    """Two servers that let nobody in without it."""
    pair = [other_database(f"several_checked_{mode}_{i}", *server_options(certificates), "--require-secure-transport=ON") for i in (1, 2)]
    for database in pair:
        database.execute("CREATE USER checker@'%' IDENTIFIED BY 'secret' REQUIRE SSL")
    options = ["-backend-tls", mode, "-backend-check-user", "checker",
               "-backend-check-query", "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS "
               "WHERE VARIABLE_NAME = 'Ssl_cipher'", "-backend-check-expect", "1", *QUICK]
    if mode != "required":
        options += ["-backend-ssl-ca", str(certificates / "ca.pem")]
    server = gateway(",".join(database.address for database in pair), options=options,
                     environment={"WEIR_BACKEND_CHECK_PASSWORD": "secret"})
    for database in pair:
        wait_for(lambda database=database: state_of(server, database.address) == "up", "the check to have succeeded")
