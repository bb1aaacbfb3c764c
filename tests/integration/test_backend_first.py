# SPDX-License-Identifier: Apache-2.0
"""-backend-first: clients read the backend's own greeting, so that one scramble and one connection id are seen everywhere."""
import socket
import struct
import time

import audit_log_common
import pymysql
import pytest
from harness import raw
from harness.both import Both
from harness.endpoint import USER
from harness.fake_backend import FakeBackend
from harness.observe import failure, run
from harness.paths import NODE, program
from harness.waiting import wait_for
from test_authentication import who_begins_with
from test_twins import LONGLONG, UNKNOWN, WORKS, execute, is_gone

pytestmark = pytest.mark.gateway_only

OLD = 0x0001 | 0x0200 | 0x8000  # LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION: a client that knows no PLUGIN_AUTH


@pytest.fixture(scope="module")
def server(make_gateway, database):
    server = make_gateway(database.address, plugins=["recorder-1"], options=["-backend-first", "-auto-tls"])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def as_always(make_gateway, database):
    server = make_gateway(database.address)
    yield server.endpoint
    server.stop()


@pytest.fixture
def both(database, direct, server):
    return Both(database, [direct, server.endpoint])


def connections(connection):
    """How many clients the server has seen; of a session that is there already."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name IN ('Connections', 'Aborted_connects_preauth')")
        return {name: int(value) for name, value in cursor.fetchall()}


# ---- One id

def test_the_greetings_id_is_the_backends_everywhere(server, database):
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        number = connection.thread_id()
        cursor.execute("SELECT CONNECTION_ID(), (SELECT id FROM information_schema.processlist WHERE id = CONNECTION_ID())")
        assert cursor.fetchall() == ((number, number),)
        cursor.execute("SHOW PROCESSLIST")
        assert number in [row[0] for row in cursor.fetchall()]
        connection.ping()
        assert database.execute(f"SELECT user FROM information_schema.processlist WHERE id = {number}") == ((USER,),)
    told = server.events.wait_for(lambda event: event["event"] == "Disconnect" and event["connection_id"] == number, "its end")
    assert told["backend_connection_id"] == number
    assert server.events.ended(number)[0]["event"] == "PreAuth"


@pytest.mark.parametrize("way", {**WORKS, **UNKNOWN})
def test_kill_in_each_form_ends_that_session(server, database, way):
    with server.endpoint.raw() as killer, server.endpoint.raw() as victim, server.endpoint.raw() as other:
        number = victim.greeting.connection_id
        {**WORKS, **UNKNOWN}[way](killer, number)
        wait_for(lambda: is_gone(database, number), "the end of the session")
        assert other.query("SELECT 1")[-1][1][:1] != b"\xff" and killer.query("SELECT 1")[-1][1][:1] != b"\xff"


def test_the_id_stays_when_the_user_changes(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            connection.change_user("plain", "plain-secret")
            return str(connection.greeting.connection_id).encode() in connection.query("SELECT CONNECTION_ID()")[-2][1]

    assert both(case)


# ---- Clients

def test_the_old_driver_of_node(both, node_modules):
    output = both(lambda endpoint: endpoint.run(program("node"), NODE / "mysql.js").stdout)
    assert "Grüße" in output and '"errno":1045' in output and "plain@%" in output and "pool: [0,1,2,3" in output


@pytest.mark.greets_first("it is about a gateway without -backend-first")
def test_the_old_driver_is_refused_otherwise_and_reads_of_the_option(as_always, node_modules):
    done = as_always.run(program("node"), NODE / "mysql.js", check=False)
    assert done.returncode == 1 and "1251" in done.stderr and "-backend-first" in done.stderr


@pytest.mark.parametrize("user, password", [(USER, "s3cret"), (USER, "wrong"), ("nopassword", ""), ("nopassword", "some"),
                                            ("ed", "ed-secret"), ("two_ways", "native-secret"), ("nobody-knows-me", "x")])
def test_a_client_that_knows_no_plugins(both, user, password):
    def case(endpoint):
        def go():
            with endpoint.raw(user=user, password=password, capabilities=OLD, database=None) as connection:
                return connection.query("SELECT CURRENT_USER()")
        try:
            return go()
        except raw.ServerError as error:
            return error.args

    both(case)


def response_of_before_41(user, answer=b""):
    return struct.pack("<H", 0x2405) + b"\0\0\1" + user + b"\0" + answer


@pytest.mark.parametrize("first", [True, False], ids=["backend first", "as always"])
def test_a_client_of_before_4_1_reads_the_servers_error(server, as_always, direct, first):
    def case(endpoint):
        with endpoint.raw(login=False) as connection:
            connection.read_greeting()
            connection.send(response_of_before_41(USER.encode(), b"abcdefgh"), 1)
            return connection.packets_to_end()[0]

    seen, expected = case(server.endpoint if first else as_always), case(direct)
    assert [(number, payload[:3]) for number, payload in seen] == [(number, payload[:3]) for number, payload in expected]
    assert seen[0][1][3:].startswith(b"Client does not support authentication protocol")  # no SQLSTATE: it would not know it


@pytest.mark.parametrize("user, password", [(USER, "s3cret"), ("nopassword", ""), (USER, "wrong")])
def test_pymysql(both, user, password):
    def case(endpoint):
        try:
            with endpoint.connect(user=user, password=password, database=None) as connection:
                return run(connection, "SELECT USER(), CURRENT_USER(), DATABASE()")
        except pymysql.err.MySQLError as error:
            return error.args

    both(case)


@pytest.mark.parametrize("user, password", [(USER, "s3cret"), ("nopassword", ""), ("ed", "ed-secret"), ("two_ways", "ed-secret"),
                                            ("two_ways", "native-secret"), (USER, "wrong"), ("ed", "wrong"), ("locked", "locked-secret")])
def test_the_mariadb_shell(both, user, password):
    def case(endpoint):
        done = endpoint.shell("SELECT CURRENT_USER()", user=user, password=password, database="", check=False)
        return done.returncode, done.stdout, done.stderr

    both(case)


def test_the_mariadb_shell_with_tls(server, direct):
    query = "SELECT 1 AS a, CURRENT_USER() AS u"
    assert server.endpoint.shell(query, "--ssl", "--batch").stdout == direct.shell(query, "--batch").stdout
    server.events.wait_for(lambda event: event["event"] == "Disconnect" and event["connection_type"] == 2, "its end")


@pytest.mark.parametrize("plugin", ["mysql_native_password", "client_ed25519", "caching_sha2_password", "no_such_plugin", ""])
def test_a_client_that_begins_with_another_plugin_is_asked_again(both, plugin):
    assert any(b"tester@%" in payload for _, payload in both(lambda endpoint: who_begins_with(endpoint, plugin)))


def test_a_parameter_of_a_statement_is_not_touched(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            statement, _ = connection.prepare("KILL ?")
            return execute(connection, statement, LONGLONG, 0x7FFFFFFF)

    assert both(case)[:1] == b"\xff"


def test_the_embedded_database(gateway):
    server = gateway(options=["-backend-first"])
    with server.endpoint.connect(user="root", password="", database=None) as connection:
        assert run(connection, "SELECT CONNECTION_ID(), USER()")[0]["rows"] == [(connection.thread_id(), "root@localhost")]


# ---- Plugins

def test_ip_filter_refuses_an_address_before_the_backend_is_touched(gateway, database, ip_filter, tmp_path):
    (tmp_path / "rules").write_text(f"deny 127.0.0.5\nallow 127.0.0.1\nallow plain@127.0.0.2\n")
    (tmp_path / "weir.toml").write_text(f"[plugin.ip_filter]\nfile = '{tmp_path / 'rules'}'\n")
    server = gateway(database.address, plugins=[ip_filter, "recorder-1"],
                     options=["-config", tmp_path / "weir.toml", "-backend-first"])

    def refused(source, **options):
        try:
            server.endpoint.connect(bind_address=source, **options).close()
            return 0
        except pymysql.err.MySQLError as error:
            return error.args[0]

    with database.connect() as watcher:
        before = connections(watcher)["Connections"]
        assert [refused("127.0.0.5"), refused("127.0.0.9")] == [1130, 1130]  # denied; not among those allowed
        assert connections(watcher)["Connections"] == before
        with socket.create_connection((server.host, server.port), source_address=("127.0.0.5", 0)) as client:
            assert client.recv(4096)[4:7] == b"\xff" + struct.pack("<H", 1130)  # in place of a greeting
        assert connections(watcher)["Connections"] == before
    assert refused("127.0.0.1") == 0
    # An account's rule can be judged only once the account is known.
    assert refused("127.0.0.2", user="plain", password="plain-secret") == 0
    assert refused("127.0.0.2") == 1130
    events = [event["event"] for event in server.events.all() if event.get("client_ip") == "127.0.0.5"]
    assert events == ["PreConnect", "Reject", "PreConnect", "Reject"]


def test_connections_are_counted_once(gateway, database, ip_filter, tmp_path):
    (tmp_path / "rules").write_text("")
    (tmp_path / "weir.toml").write_text(f"[plugin.ip_filter]\nfile = '{tmp_path / 'rules'}'\nconnections_per_address = 2\n")
    server = gateway(database.address, plugins=[ip_filter], options=["-config", tmp_path / "weir.toml", "-backend-first"])
    first, second = server.endpoint.connect(), server.endpoint.connect()
    with pytest.raises(pymysql.err.OperationalError):
        server.endpoint.connect()
    first.close()
    wait_for(lambda: failure_number(server.endpoint) == 0, "the place to be free again")
    second.close()


@pytest.mark.time_limit(120)
@pytest.mark.parametrize("form", ["json", "mysql_json", "csv"])
def test_audit_log_records_who_was_refused_by_address(gateway, database, ip_filter, tmp_path, form):
    (tmp_path / "rules").write_text("deny 127.0.0.5\n")
    (tmp_path / "weir.toml").write_text(f"[plugin.ip_filter]\nfile = '{tmp_path / 'rules'}'\n[plugin.audit_log]\n"
                                        f"file = '{tmp_path / 'audit.log'}'\nfilter_file = '{tmp_path / 'filters.json'}'\n"
                                        f"format = '{form}'\n")
    server = gateway(database.address, plugins=[audit_log_common.packaged(), ip_filter],
                     options=["-config", tmp_path / "weir.toml", "-backend-first"])
    with pytest.raises(pymysql.err.OperationalError):
        server.endpoint.connect(bind_address="127.0.0.5")
    with server.endpoint.connect() as connection:
        number = connection.thread_id()
        connection.query("SELECT 'audited'")
    log = tmp_path / "audit.log"
    wait_for(lambda: b"audited" in log.read_bytes(), "the records")
    text = log.read_text(encoding="utf-8")
    assert "1130" in text and str(number) in text
    assert ("127.0.0.5" in text) is (form != "mysql_json")  # which has no address of a client without a name


def failure_number(endpoint):
    try:
        endpoint.connect().close()
        return 0
    except pymysql.err.MySQLError as error:
        return error.args[0]


def test_a_plugin_that_refuses_the_user_is_asked_before_the_backend_is_told(server, database):
    with database.connect() as watcher:
        before = connections(watcher)["Aborted_connects_preauth"]
        error = failure(lambda: server.endpoint.connect(user="refused", password="refused-secret"))
        assert error["arguments"][0] == 3159
        wait_for(lambda: not database.execute(
            "SELECT 1 FROM information_schema.processlist WHERE user = 'unauthenticated user'"), "the backend to have let go")
        assert connections(watcher)["Aborted_connects_preauth"] == before


# ---- Ends

def test_clients_that_leave_early_are_no_failed_handshakes_of_the_gateways_host(server, database):
    """Or a port scanner would have the backend block the gateway (max_connect_errors)."""
    with database.connect() as watcher:
        before = connections(watcher)
        for _ in range(20):
            with socket.create_connection((server.host, server.port)) as client:
                assert client.recv(4096)[4:5] == b"\x0a"
        wait_for(lambda: not database.execute(
            "SELECT 1 FROM information_schema.processlist WHERE user = 'unauthenticated user'"), "the backend to have let go")
        after = connections(watcher)
        assert after["Aborted_connects_preauth"] == before["Aborted_connects_preauth"]
        assert after["Connections"] >= before["Connections"] + 20


def test_the_backends_error_in_place_of_its_greeting(gateway, other_database):
    full = other_database("full", "--max-connections=10")
    server = gateway(full.address, options=["-backend-first"])
    held = []

    def first_bytes(host, port):
        with socket.create_connection((host, port)) as client:
            return client.recv(4096)

    def is_refused_alike():
        """A check of weir's own may have had a place, and given it back."""
        try:
            held.append(raw.RawConnection(full.host, full.port, user=USER, password="s3cret"))
        except (OSError, raw.ServerError):
            seen = first_bytes(server.host, server.port)
            return seen == first_bytes(full.host, full.port) and seen[4:7] == b"\xff" + struct.pack("<H", 1040)
        return False

    wait_for(is_refused_alike, "weir to say what the server says")
    for connection in held:
        connection.close()
    server.stop()


def test_a_backend_that_is_gone_is_an_error_in_place_of_the_greeting(gateway, other_database):
    mortal = other_database("mortal_first")
    server = gateway(mortal.address, options=["-backend-first"])
    with server.endpoint.connect(database=None) as connection:
        assert run(connection, "SELECT 1")[0]["rows"] == [(1,)]
    mortal.process.kill()
    with server.endpoint.raw(login=False) as client:
        number, payload = client.read_packet()
    assert number == 0 and payload[:3] == b"\xff" + struct.pack("<H", 1429) and b"cannot connect to the backend" in payload
    mortal.start()
    wait_for(lambda: failure_number(server.endpoint) in (0, 1049), "the backend to be used again")


def test_a_backend_that_does_not_greet_is_an_error_after_the_time_limit(gateway):
    """It answers the probe, and nobody else."""
    state = {"greets": True}

    def serve(connection):
        if state["greets"]:
            connection.greet(0x00000001 | raw.BASIC)
            connection.read()
        while state["greets"] is False:
            time.sleep(0.01)

    backend = FakeBackend(serve)
    server = gateway(f"tcp://127.0.0.1:{backend.port}", options=["-backend-first", "-connect-timeout", "1"], start=False)
    try:
        server.start()
        state["greets"] = False
        with server.endpoint.raw(login=False) as client:
            _, payload = client.read_packet()
        assert payload[:3] == b"\xff" + struct.pack("<H", 1429) and b"did not answer in 1 s" in payload
    finally:
        state["greets"] = None
        server.stop()
        backend.close()
