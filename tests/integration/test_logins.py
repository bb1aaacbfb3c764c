# SPDX-License-Identifier: Apache-2.0
"""docs/logins.md: each cell of its table, with a client and a server that go by their own connections as MySQL's do. A password that a
client has trusted to a connection that is safe never goes as it is over plain TCP."""
import pymysql
import pytest
from harness import raw
from harness.certificates import server_options, unverified
from harness.fake_backend import FakeBackend
from harness.password_server import FIRST_USER, PasswordServer, unix_connection
from harness.paths import ROOT

pytestmark = pytest.mark.gateway_only

BACKENDS = ("plain", "TLS", "Unix socket")
PASSWORD = "pass-word-of-nobody"
OUTCOMES = {"relayed", "encrypted", "decrypted", "refused"}


def table():
    """(method, client, backend, outcome) of each cell."""
    for line in (ROOT / "docs/logins.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) == 5 and cells[1] in BACKENDS:
            assert set(cells[2:]) <= OUTCOMES
            yield from ((cells[0], cells[1], backend, outcome) for backend, outcome in zip(BACKENDS, cells[2:]))


CELLS = list(table())
REAL = {"mysql_native_password": ("plain", "plain-secret"), "client_ed25519": ("ed", "ed-secret")}  # which MariaDB plays itself
SCRIPTED = [cell for cell in CELLS if cell[0] not in REAL]


class SendsItsPassword:
    """A method of which PyMySQL knows nothing."""

    def __init__(self, connection):
        self.connection = connection

    def authenticate(self, _packet):
        self.connection.write_packet(self.connection.password + b"\0")
        return self.connection._read_packet()


def log_in(server, client, method, password=PASSWORD, user="somebody"):
    """A client that is connected, or the error that it reads."""
    options = {"user": user, "password": password, "database": None, "defer_connect": True,
               "auth_plugin_map": {name: SendsItsPassword for name in (b"dialog", b"auth_gssapi_client", b"novel_method")}}
    if client == "TLS":
        options["ssl"] = unverified()
    if client == "Unix socket":
        options["unix_socket"] = server.socket
    connection = server.endpoint.connect(**options)
    connection.connect(unix_connection(server.socket) if client == "Unix socket" and method == "sha256_password" else None)
    return connection


def change_user(server, client, method, password=PASSWORD, user="somebody"):
    """The same of a client that logs in as another account first. PyMySQL itself has no COM_CHANGE_USER."""
    connection = log_in(server, client, method, "", FIRST_USER)
    connection.password = password.encode()
    connection._execute_command(raw.COM_CHANGE_USER, user.encode() + b"\0\0\0\x2d\0mysql_native_password\0")
    packet = connection._read_packet()
    packet.read_uint8()
    connection._process_auth(packet.read_string(), packet)
    return connection


def outcome_of(server, scripted, client, method, comes):
    try:
        connection = comes(server, client, method)
    except pymysql.err.MySQLError as failed:
        assert failed.args[0] == 3159 and "use -backend-tls required, or a Unix socket" in failed.args[1], failed
        assert scripted.got == []
        return "refused"
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    client_key, got = connection.server_public_key, scripted.got[-1:]
    if client_key and client_key != scripted.pem:
        assert got == ["clear"]
        return "decrypted"
    if not client_key and got == ["encrypted"]:
        return "encrypted"
    assert got in ([], ["encrypted" if client_key else "clear"])
    return "relayed"


@pytest.mark.parametrize("method, client, backend, outcome", SCRIPTED)
def test_a_cell(gateway, certificates, tmp_path, method, client, backend, outcome):
    name = {"dialog (PAM)": "dialog", "any other": "novel_method"}.get(method, method.split(",")[0])
    scripted = PasswordServer(name, PASSWORD, backend, certificates, tmp_path, cached=method.endswith(", cached"))
    try:
        server = gateway(scripted.address, options=["-auto-tls"], plugins=["recorder-1"])
        for comes in (log_in, change_user):
            assert outcome_of(server, scripted, client, name, comes) == outcome, comes
            assert backend != "plain" or client == "plain" or name == "auth_gssapi_client" or "clear" not in scripted.got
            if outcome != "refused":
                with pytest.raises(pymysql.err.MySQLError) as wrong:
                    comes(server, client, name, password="another")
                assert wrong.value.args[:2] == (1045, "Access denied, says the password server")
    finally:
        scripted.close()
    if outcome != "refused":
        assert {event["auth_method"] for event in server.events.all() if event["event"] == "ChangeUser"} == {name}
    assert not scripted.backend.failures
    assert PASSWORD not in server.log()


@pytest.fixture(scope="module")
def real_servers(make_gateway, other_database, certificates):
    """A gateway for each kind of connection to one real server."""
    database = other_database("logins", *server_options(certificates))
    servers = {"plain": make_gateway(database.address, options=["-auto-tls", "-backend-tls", "off"]),
               "TLS": make_gateway(database.address, options=["-auto-tls", "-backend-tls", "required"]),
               "Unix socket": make_gateway(f"unix://{database.socket}", options=["-auto-tls"])}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.mark.parametrize("method, client, backend, outcome", [cell for cell in CELLS if cell[0] in REAL])
def test_a_cell_of_a_method_that_a_real_server_plays(real_servers, method, client, backend, outcome):
    user, password = REAL[method]
    assert outcome == "relayed"
    server = real_servers[backend]
    if method == "client_ed25519":  # Connector/C: PyMySQL needs a library for it
        where = {"TLS": ["--ssl"], "plain": ["--skip-ssl"], "Unix socket": ["--protocol=socket", f"--socket={server.socket}"]}[client]
        for secret, status in ((password, 0), ("wrong", 1)):
            done = server.endpoint.shell("SELECT 1", *where, user=user, password=secret, check=False)
            assert done.returncode == status, done.stderr
        return
    with log_in(server, client, method, password, user) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    for wrong_user, wrong_password, number in ((user, "wrong", 1045), ("nobody_of_that_name", "x", 1045), ("nopassword", "x", 1045)):
        with pytest.raises(pymysql.err.MySQLError) as failed:
            log_in(server, client, method, wrong_password, wrong_user)
        assert failed.value.args[0] == number
    log_in(server, client, method, "", "nopassword").close()


def test_a_server_that_was_restarted_has_cached_nothing(gateway, certificates, tmp_path):
    """The fast exchange, then the full one, as after a restart of a MySQL server."""
    scripted = PasswordServer("caching_sha2_password", PASSWORD, "plain", certificates, tmp_path, cached=True)
    server = gateway(scripted.address, options=["-auto-tls"])
    log_in(server, "TLS", "caching_sha2_password").close()
    assert scripted.got == []
    scripted.cached = False
    log_in(server, "TLS", "caching_sha2_password").close()
    assert scripted.got == ["encrypted"]
    scripted.close()


def test_backend_first_drops_an_answer_that_may_hold_the_password(gateway, certificates, tmp_path):
    scripted = PasswordServer("mysql_clear_password", PASSWORD, "plain", certificates, tmp_path)
    seen = []
    serve = scripted.backend.serve

    def listen(connection):
        serve(connection)
        seen.append(connection.response)
    scripted.backend.serve = listen
    try:
        server = gateway(scripted.address, options=["-backend-first", "-auto-tls"])
        with server.endpoint.raw(login=False) as client:
            client.capabilities |= raw.PLUGIN_AUTH
            client.read_greeting()
            client.send(b"\x20\0\0\1"[4:] + (client.capabilities | raw.SSL).to_bytes(4, "little") + bytes(28), 1)
            client.socket = unverified().wrap_socket(client.socket)
            client.send(client.handshake_response("mysql_clear_password", PASSWORD.encode() + b"\0"), 2)
            with pytest.raises(raw.ServerError) as failed:
                client.finish_authentication()
        assert failed.value.number == 3159
    finally:
        scripted.close()
    assert all(PASSWORD.encode() not in (response or b"") for response in seen) and scripted.got == []


def test_a_key_that_is_none_is_an_error(gateway, certificates):
    def serve(connection):
        connection.greet(raw.BASIC)
        connection.write(b"\xfesha256_password\0" + b"s" * 20 + b"\0")
        if connection.read() == b"\x01":
            connection.write(b"\x01-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n")
        connection.read()
    backend = FakeBackend(serve)
    try:
        server = gateway(backend.address, options=["-auto-tls"])
        with pytest.raises(pymysql.err.MySQLError) as failed:
            log_in(server, "TLS", "sha256_password")
        assert failed.value.args[0] == 3159 and "cannot be encrypted with the key that the backend has given" in failed.value.args[1]
    finally:
        backend.close()
