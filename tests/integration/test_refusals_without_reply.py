# SPDX-License-Identifier: Apache-2.0
"""Refusing commands that have no reply: no client reads the answer of another command."""
import ctypes
import struct

import pytest
from firewall_common import BLOCKED, connect, firewall, firewalled, make_firewall  # noqa: F401
from harness import raw

pytestmark = pytest.mark.gateway_only

ADMIN = 'unknown_accounts = "refuse"\n[[account]]\naccounts = ["tester@*", "root@*"]\nmode = "OFF"\n'
TEXT = "SELECT CONCAT(name, ?) FROM firewall.target WHERE id = 1"


@pytest.fixture(scope="module")
def server(make_firewall):
    return make_firewall("OFF", ADMIN)


def set_mode(server, mode):
    with server.endpoint.connect() as admin:
        admin.query(f"SET GLOBAL sql_firewall_mode = {mode}")


def close(connection, statement):
    connection.send(bytes([raw.COM_STMT_CLOSE]) + struct.pack("<I", statement))


def long_data(connection, statement, data):
    connection.send(bytes([raw.COM_STMT_SEND_LONG_DATA]) + struct.pack("<IH", statement, 0) + data)


def execute(connection, statement, code=raw.COM_STMT_EXECUTE):
    return connection.command(bytes([code]) + struct.pack("<I", statement) + b"\0\1\0\0\0\0\1\xfd\0\1y")


def reset(connection, statement):
    return connection.command(bytes([raw.COM_STMT_RESET]) + struct.pack("<I", statement), connection.read_one)


def statements_open(server):
    with server.endpoint.connect() as admin, admin.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")
        return int(cursor.fetchall()[0][1])


def test_a_statement_that_was_prepared_before_the_firewall_protects(server):
    set_mode(server, "OFF")
    with connect(server, "listed") as connection:
        before = statements_open(server)
        statement, _ = connection.prepare(TEXT)
        other, _ = connection.prepare("DO ?")
        assert statements_open(server) == before + 2
        set_mode(server, "PROTECTING")
        long_data(connection, statement, b"long")
        assert connection.command(bytes([raw.COM_PING]), connection.read_one) == [(1, b"\0\0\0\2\0\0\0")]
        for _ in range(2):
            number, _, message = raw.error_of(execute(connection, statement))
            assert number == 1045 and message.startswith(BLOCKED)
        close(connection, statement)
        close(connection, other)
        assert connection.command(bytes([raw.COM_PING]), connection.read_one) == [(1, b"\0\0\0\2\0\0\0")]
        assert raw.error_of(connection.query("SELECT 7"))[2].startswith(BLOCKED)
        assert statements_open(server) == before, "a refused close leaves the statement behind"
        set_mode(server, "OFF")
        for value in (b"7", b"8"):
            assert connection.query(b"SELECT " + value)[3][1] == b"\1" + value


def connector_c(server):
    """Connector/C itself: a connection, and a function that runs a text and returns the first value."""
    library = ctypes.CDLL("libmariadb.so.3")
    for name in ("mysql_init", "mysql_store_result", "mysql_fetch_row", "mysql_stmt_init", "mysql_stmt_error"):
        getattr(library, name).restype = ctypes.c_void_p
    connection = ctypes.c_void_p(library.mysql_init(None))
    assert library.mysql_real_connect(connection, server.endpoint.host.encode(), b"listed", b"listed", b"firewall",
                                      server.endpoint.port, None, ctypes.c_ulong(0))

    def value(text):
        assert library.mysql_query(connection, text) == 0
        result = ctypes.c_void_p(library.mysql_store_result(connection))
        row = ctypes.cast(library.mysql_fetch_row(result), ctypes.POINTER(ctypes.c_char_p))
        found = row[0]
        library.mysql_free_result(result)
        return found

    return library, connection, value


def test_a_real_client_whose_statement_became_forbidden_reads_its_own_answers(server):
    set_mode(server, "OFF")
    library, connection, value = connector_c(server)
    statement = ctypes.c_void_p(library.mysql_stmt_init(connection))
    assert library.mysql_stmt_prepare(statement, b"SELECT 1", ctypes.c_ulong(8)) == 0
    set_mode(server, "PROTECTING")
    assert library.mysql_stmt_execute(statement) != 0
    assert BLOCKED.encode() in ctypes.string_at(library.mysql_stmt_error(statement))
    assert library.mysql_stmt_close(statement) == 0
    set_mode(server, "OFF")
    for number in (b"11", b"12", b"13"):
        assert value(b"SELECT " + number) == number
    library.mysql_close(connection)


def test_refused_long_data_is_answered_by_the_execution_until_the_reset(server):
    """As the server does it with an error of its own: see the next case."""
    set_mode(server, "OFF")
    with connect(server, "listed") as connection:
        statement, _ = connection.prepare(TEXT)
        set_mode(server, "PROTECTING")
        long_data(connection, statement, b"forbidden")
        set_mode(server, "OFF")  # it is too late for the data, which the backend has not got
        for code in (raw.COM_STMT_EXECUTE, raw.COM_STMT_EXECUTE):
            assert raw.error_of(execute(connection, statement, code))[2].startswith(BLOCKED)
        assert reset(connection, statement) == [(1, b"\0\0\0\2\0\0\0")]
        long_data(connection, statement, b"allowed")
        assert execute(connection, statement)[3][1].endswith(b"oneallowed")
        assert execute(connection, statement)[3][1].endswith(b"oney")


def test_the_server_keeps_an_error_of_long_data_in_the_same_way(both):
    def errors(endpoint):
        with endpoint.raw() as connection:
            statement, _ = connection.prepare("SELECT ?")
            connection.send(bytes([raw.COM_STMT_SEND_LONG_DATA]) + struct.pack("<IH", statement, 5) + b"x")
            first, second = execute(connection, statement), execute(connection, statement)
            return first, second, reset(connection, statement), execute(connection, statement)

    both(errors)


@pytest.mark.parametrize("place", ["Starting", "Completed"])
def test_a_plugin_that_fails_at_a_close_sends_no_answer_to_it(gateway, database, place):
    server = gateway(database.address, plugins=["recorder-1", "misbehaves-1"], environment={"MISBEHAVES": f"{place} of Close stmt"})
    with server.endpoint.raw() as connection:
        statement, _ = connection.prepare("SELECT 7")
        connection.socket.sendall(connection.frame(bytes([raw.COM_STMT_CLOSE]) + struct.pack("<I", statement))
                                  + connection.frame(bytes([raw.COM_PING])))
        if place == "Starting":
            assert connection.read_one() == [(1, b"\0\0\0\2\0\0\0")]
            assert connection.query("SELECT 7")[3][1] == b"\0017"
        else:  # what was not audited ends the session, and there is no place for an error
            assert connection.packets_to_end() == ([], b"")
        number = connection.greeting.connection_id
    found = [e["event"] for e in server.events.ended(number) if e["command"] == "Close stmt"]
    assert found == ["Starting", "Completed"]
    if place == "Starting":
        assert "Close stmt cannot be refused, and is carried out: misbehaves: " in server.log()
