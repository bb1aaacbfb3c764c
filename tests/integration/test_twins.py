# SPDX-License-Identifier: Apache-2.0
"""What holds on one path holds on its twins: text, several statements, prepared, executed, bulk, nested, the command that does the
same, COM_CHANGE_USER, and the ends in errors. A twin that the gateway cannot serve is an error that says so."""
import socket
import struct

import pytest
from harness import raw
from harness.events import statements
from harness.observe import failure, run
from harness.waiting import wait_for
from harness.tracing import TRACE_CRASH

pytestmark = pytest.mark.gateway_only

LONGLONG, LONG, DOUBLE, VAR_STRING = 8, 3, 5, 253


@pytest.fixture(scope="module", params=["with plugins", "without plugins"])
def server(request, make_gateway, database):
    server = make_gateway(database.address, plugins=["recorder-1"] if request.param == "with plugins" else [])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def recorded(make_gateway, database):
    server = make_gateway(database.address, plugins=["recorder-1"])
    yield server
    server.stop()


# ---- KILL of an id that a client was told

def error_number(payload):
    return struct.unpack_from("<H", payload, 1)[0] if payload[:1] == b"\xff" else 0


def execute(connection, statement, kind, value, count=1, command=raw.COM_STMT_EXECUTE):
    encoded = {LONGLONG: lambda: struct.pack("<Q", value), LONG: lambda: struct.pack("<I", value),
               DOUBLE: lambda: struct.pack("<d", value), VAR_STRING: lambda: raw.text(str(value).encode())}[kind]()
    types = b"\1" + struct.pack("<BB", kind, 0x80 if kind in (LONG, LONGLONG) else 0)
    return connection.command(struct.pack("<BIBI", command, statement, 0, count) + b"\0" + types + encoded)[-1][1]


def prepared_parameter(kind, sql="KILL ?"):
    def kill(connection, number):
        statement, _ = connection.prepare(sql)
        return execute(connection, statement, kind, number)
    return kill


def prepared(sql):
    def kill(connection, number):
        statement, _ = connection.prepare(sql % number)
        return connection.command(struct.pack("<BIBI", raw.COM_STMT_EXECUTE, statement, 0, 1))[-1][1]
    return kill


def executed_again(connection, number):
    """The types are sent with the first execution only."""
    statement, _ = connection.prepare("KILL ?")
    assert error_number(execute(connection, statement, LONGLONG, 1 << 40)) != 0
    return connection.command(struct.pack("<BIBI", raw.COM_STMT_EXECUTE, statement, 0, 1) + b"\0\0"
                              + struct.pack("<Q", number))[-1][1]


def texts(*sqls):
    def kill(connection, number):
        for sql in sqls:
            payload = connection.query(sql.replace("%d", str(number)))[-1][1]
        return payload
    return kill


def process_kill(connection, number):
    return connection.command(struct.pack("<BI", raw.COM_PROCESS_KILL, number), connection.read_one)[-1][1]


WORKS = {
    "text": texts("KILL %d"), "hard": texts("KILL HARD CONNECTION %d"), "soft": texts("KILL SOFT %d"),
    "parentheses": texts("KILL (%d)"), "comment": texts("/*!50000 KILL /* who */ %d */"), "several": texts("SELECT 1; KILL %d"),
    "SET STATEMENT": texts("SET STATEMENT max_statement_time = 9 FOR KILL %d"),
    "EXECUTE IMMEDIATE": texts("EXECUTE IMMEDIATE 'KILL %d'"), "compound": texts("BEGIN NOT ATOMIC KILL %d; END"),
    "PREPARE": texts("PREPARE s FROM 'KILL %d'", "EXECUTE s"), "COM_PROCESS_KILL": process_kill,
    "compound, nested": texts("BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'KILL %d'; END"),
    "prepared": prepared("KILL %d"), "prepared hard": prepared("KILL HARD CONNECTION %d"),
    "parameter": prepared_parameter(LONGLONG), "parameter of 32 bits": prepared_parameter(LONG),
    "parameter, a double": prepared_parameter(DOUBLE), "parameter, a string": prepared_parameter(VAR_STRING),
    "parameter, hard": prepared_parameter(LONGLONG, "KILL HARD CONNECTION ?"), "executed again": executed_again,
}

# The gateway cannot read the id: the backend says that it has no such connection.
UNKNOWN = {
    "variable": texts("SET @a = %d", "KILL @a"), "expression": texts("KILL %d + 0"),
    "computed": texts("EXECUTE IMMEDIATE CONCAT('KILL ', %d)"), "USING": texts("EXECUTE IMMEDIATE 'KILL ?' USING %d"),
    "parameter in an expression": prepared_parameter(LONGLONG, "KILL ? + 0"),
}


def is_gone(database, backend_id):
    return not database.execute(f"SELECT 1 FROM information_schema.processlist WHERE id = {backend_id}")


def backend_id_of(connection):
    return int(connection.query("SELECT CONNECTION_ID()")[-2][1][1:])


@pytest.mark.parametrize("way", WORKS)
@pytest.mark.greets_first("with -backend-first the greeting's id is the backend's own")
def test_kill_of_the_greetings_id_ends_that_session(server, database, way):
    with server.endpoint.raw() as killer, server.endpoint.raw() as victim, server.endpoint.raw() as other:
        number, backend_id = victim.greeting.connection_id, backend_id_of(victim)
        assert number >> 30 == 1 and backend_id >> 30 == 0
        payload = WORKS[way](killer, number)
        assert payload[:1] in (b"\0", b"\1", b"\xfe"), payload
        wait_for(lambda: is_gone(database, backend_id), "the end of the session")
        assert other.query("SELECT 1")[-1][1][:1] != b"\xff" and killer.query("SELECT 1")[-1][1][:1] != b"\xff"


@pytest.mark.parametrize("way", WORKS)
def test_kill_of_the_backends_id_means_the_same(server, database, way):
    with server.endpoint.raw() as killer, server.endpoint.raw() as victim:
        backend_id = backend_id_of(victim)
        WORKS[way](killer, backend_id)
        wait_for(lambda: is_gone(database, backend_id), "the end of the session")


@pytest.mark.parametrize("way", UNKNOWN)
@pytest.mark.greets_first("with -backend-first the greeting's id is the backend's own")
def test_an_id_that_cannot_be_read_kills_nobody(server, way):
    with server.endpoint.raw() as killer, server.endpoint.raw() as victim:
        assert error_number(UNKNOWN[way](killer, victim.greeting.connection_id)) == 1094
        assert victim.query("SELECT 1")[-1][1][:1] != b"\xff"


@pytest.mark.parametrize("way", WORKS)
def test_an_id_of_no_session_kills_nobody(server, way):
    with server.endpoint.raw() as killer:
        assert error_number(WORKS[way](killer, 0xFFFFFF00)) == 1094


@pytest.mark.parametrize("way", WORKS)
def test_who_may_kill_is_for_the_server_to_say(server, database, way):
    with server.endpoint.raw(user="limited", password="limited-secret") as killer, server.endpoint.raw() as victim:
        assert error_number(WORKS[way](killer, victim.greeting.connection_id)) == 1095
        assert victim.query("SELECT 1")[-1][1][:1] != b"\xff"


def test_a_bulk_kill_is_the_servers_error(server):
    with server.endpoint.raw(capabilities=raw.BASIC | raw.BULK) as killer, server.endpoint.raw() as victim:
        statement, _ = killer.prepare("KILL ?")
        payload = killer.command(struct.pack("<BIHBB", raw.COM_STMT_BULK_EXECUTE, statement, 0x80, LONGLONG, 0x80)
                                 + b"\0" + struct.pack("<Q", victim.greeting.connection_id))[-1][1]
        assert error_number(payload) == 1295
        assert victim.query("SELECT 1")[-1][1][:1] != b"\xff"


@pytest.mark.greets_first("with -backend-first the greeting's id is the backend's own")
def test_a_kill_as_long_data_kills_nobody(server):
    with server.endpoint.raw() as killer, server.endpoint.raw() as victim:
        statement, _ = killer.prepare("KILL ?")
        killer.send(struct.pack("<BIH", raw.COM_STMT_SEND_LONG_DATA, statement, 0) + str(victim.greeting.connection_id).encode())
        payload = killer.command(struct.pack("<BIBI", raw.COM_STMT_EXECUTE, statement, 0, 1) + b"\0\1"
                                 + struct.pack("<BB", VAR_STRING, 0))[-1][1]
        assert error_number(payload) == 1094
        assert victim.query("SELECT 1")[-1][1][:1] != b"\xff"


def test_plugins_see_the_kill_as_the_client_wrote_it(recorded):
    with recorded.endpoint.raw() as killer, recorded.endpoint.raw() as victim:
        number = victim.greeting.connection_id
        prepared_parameter(LONGLONG)(killer, number)
        mine = killer.greeting.connection_id
    told = [e["sql"] for e in statements(recorded.events.ended(mine)) if e["sql"]]
    assert "KILL ?" in told


# ---- Statements that are the gateway's

OURS = ["ADMIN PLUGINS DISABLE recorder", "FLUSH TIDB PLUGINS recorder", "SHOW PLUGINS", "ADMIN TRACE OFF", "ADMIN SHOW TRACE",
        "/*!50000 ADMIN PLUGINS DISABLE recorder */"]

NESTED = {
    "several, last": ("SELECT 1; {}", 1235), "several, first": ("{}; SELECT 1", 1235),
    "EXECUTE IMMEDIATE": ("EXECUTE IMMEDIATE '{}'", 1235), "PREPARE": ("PREPARE s FROM '{}'", 1235),
    "SET STATEMENT": ("SET STATEMENT max_statement_time = 9 FOR {}", 1235), "compound": ("BEGIN NOT ATOMIC {}; END", 1235),
}


def is_enabled(endpoint):
    with endpoint.connect() as connection:
        return run(connection, "SHOW PLUGINS")[0]["rows"][0][1] == "Ready-enable"


@pytest.mark.parametrize("sql", OURS)
@pytest.mark.parametrize("way", NESTED)
@pytest.mark.parametrize("user", ["tester", "limited"])
def test_nested_they_are_refused_and_recorded(recorded, sql, way, user):
    template, expected = NESTED[way]
    text = template.format(sql)
    password = {"tester": "s3cret", "limited": "limited-secret"}[user]
    with recorded.endpoint.connect(user=user, password=password) as connection:
        number = connection.thread_id()
        error = failure(lambda: connection.query(text))
        assert error["arguments"][0] == expected, error
        assert run(connection, "SELECT 2")[0]["rows"] == [(2,)]
    assert is_enabled(recorded.endpoint)
    errors = statements(recorded.events.ended(number), "Error")
    assert any(sql[:20] in (e["sql"] or "") for e in errors) or "IMMEDIATE" in way or errors, errors


@pytest.mark.parametrize("sql", OURS)
def test_prepared_they_are_refused_and_recorded(recorded, sql):
    with recorded.endpoint.raw() as connection:
        with pytest.raises(raw.ServerError) as refused:
            connection.prepare(sql)
        assert refused.value.number == 1295
        number = connection.greeting.connection_id
    assert is_enabled(recorded.endpoint)
    assert [e["sql"] for e in statements(recorded.events.ended(number), "Error")] == [sql]


@pytest.mark.parametrize("sql_mode", ["", "ANSI_QUOTES", "ORACLE", "NO_BACKSLASH_ESCAPES", "IGNORE_SPACE", "PIPES_AS_CONCAT"])
@pytest.mark.parametrize("charset", ["utf8mb4", "latin1", "gbk", "sjis", "big5", "swe7"])
def test_no_mode_and_no_character_set_gives_the_privilege(recorded, sql_mode, charset):
    with recorded.endpoint.connect(user="limited", password="limited-secret") as connection:
        number = connection.thread_id()
        connection.query(f"SET sql_mode = '{sql_mode}'")
        connection.query(f"SET NAMES {charset}")
        for sql in OURS[:2]:
            assert failure(lambda: connection.query(sql))["arguments"][0] == 1227
    assert is_enabled(recorded.endpoint)
    assert [e["sql"] for e in statements(recorded.events.ended(number), "Error")] == OURS[:2]


def test_without_the_privilege_the_refusal_is_recorded_after_a_change_of_user(recorded):
    with recorded.endpoint.raw() as connection:
        connection.change_user("limited", "limited-secret")
        assert error_number(connection.query("ADMIN PLUGINS DISABLE recorder")[-1][1]) == 1227
        connection.change_user("tester", "s3cret")
        assert error_number(connection.query("FLUSH TIDB PLUGINS recorder")[-1][1]) == 0
        number = connection.greeting.connection_id
    (error,) = [e for e in statements(recorded.events.ended(number), "Error") if e["sql"]]
    assert error["sql"] == "ADMIN PLUGINS DISABLE recorder"


@pytest.mark.parametrize("template", ["EXECUTE IMMEDIATE '{}'", "SET STATEMENT max_statement_time = 9 FOR {}", "PREPARE s FROM '{}'",
                                      "BEGIN NOT ATOMIC {}; END", "SELECT 1; {}"])
def test_variables_of_plugins_are_not_set_by_another_statement(settings_server, template):
    with settings_server.endpoint.connect() as connection:
        before = run(connection, "SELECT @@GLOBAL.settings_buffer")
        if "error" in before[0]:
            pytest.skip("no such variable")
        results = run(connection, template.format("SET GLOBAL settings_buffer = 4711"))
        assert results[-1].get("arguments", (0,))[0] in (1193, 1235, 1295), results
        assert run(connection, "SELECT @@GLOBAL.settings_buffer") == before


# ---- Failed logins, by every way to fail one

def wrong_password(endpoint):
    failure(lambda: endpoint.connect(password="wrong").close())


def unknown_user(endpoint):
    """The backend asks it for any method that it has."""
    failure(lambda: endpoint.raw(user="nobody_knows", password="wrong").close())


def wrong_after_a_switch(endpoint):
    failure(lambda: endpoint.raw(user="ed", password="wrong").close())


def changed_user(endpoint):
    with endpoint.raw() as connection:
        with pytest.raises((raw.ServerError, raw.Closed, ConnectionResetError)):
            connection.change_user("plain", "wrong")


FAILURES = [wrong_password, unknown_user, wrong_after_a_switch, changed_user]


def banning(gateway, database, ip_filter, tmp_path):
    lists, config = tmp_path / "ip_filter.lists", tmp_path / "weir.toml"
    lists.write_text("allow 127.0.0.0/8\n")
    config.write_text(f'[plugin.ip_filter]\nfile = "{lists}"\nban_after = 3\n')
    return gateway(database.address, plugins=[ip_filter], options=["-config", str(config)])


def hang_up(endpoint):
    """In the middle of a login with a wrong password."""
    connection = endpoint.raw(login=False, user="ed", password="wrong")
    connection.read_greeting()
    connection.send(connection.handshake_response(), 1)
    assert connection.read_packet()[1][:1] == b"\xfe"  # another method is asked for
    connection.socket.shutdown(socket.SHUT_WR)
    assert connection.at_end() == b""
    connection.close()


def fail_to_begin_tls(endpoint):
    connection = endpoint.raw(login=False)
    connection.read_greeting()
    connection.send(struct.pack("<IIB23x", raw.BASIC | raw.SSL, 1 << 26, 45), 1)
    connection.socket.sendall(b"no handshake at all")
    connection.at_end()
    connection.close()


@pytest.mark.parametrize("fail", [hang_up, fail_to_begin_tls])
def test_whoever_leaves_before_the_answer_learns_nothing_and_does_not_count(gateway, database, ip_filter, tmp_path, fail):
    if TRACE_CRASH and fail is fail_to_begin_tls:
        pytest.skip("test_trace knows no TLS that does not begin")
    server = banning(gateway, database, ip_filter, tmp_path)
    for _ in range(5):
        fail(server.endpoint)
    server.endpoint.connect().close()


@pytest.mark.parametrize("fail", FAILURES)
def test_every_way_to_fail_a_login_counts_for_a_ban(gateway, database, ip_filter, tmp_path, fail):
    server = banning(gateway, database, ip_filter, tmp_path)

    def is_banned():
        try:
            server.endpoint.connect().close()
        except Exception as error:
            return error.args[0] == 1129
        return False

    for _ in range(3):
        assert not is_banned()
        fail(server.endpoint)
    wait_for(is_banned, "the ban")
