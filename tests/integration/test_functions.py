# SPDX-License-Identifier: Apache-2.0
"""Functions of plugins, called by SELECT."""
import os

import pytest
from harness.observe import failure, run

pytestmark = pytest.mark.gateway_only

LONG = 60000  # bytes


@pytest.fixture(scope="module")
def server(settings_server):
    return settings_server


@pytest.fixture
def connection(server):
    with server.endpoint.connect() as connection:
        yield connection


def answer(connection, sql):
    (result,) = run(connection, sql)
    return [column[0] for column in result["columns"]], result["rows"]


def error(connection, sql):
    return failure(lambda: connection.query(sql))["arguments"]


@pytest.mark.parametrize("sql, title, value", [
    ("SELECT settings_echo('a')", "settings_echo('a')", "a"),
    ("select SETTINGS_ECHO('a') as x;", "x", "a"),
    ("/* x */ SELECT settings_echo(1 + 1, 'b') y", "y", "2|b"),
    ("SELECT settings_echo(NULL)", "settings_echo(NULL)", None),
    ("SELECT settings_echo('', NULL) n", "n", "|(null)"),
    ("SELECT settings_echo(@@global.port > 0, (SELECT 'x'), concat('a', 'b'))  c", "c", "1|x|ab"),
    ("SELECT settings_echo('\u00e9', 'it''s', '\\\\') c", "c", "\u00e9|it's|\\"),
])
def test_a_call_is_answered(connection, sql, title, value):
    assert answer(connection, sql) == ([title], [(value,)])


def test_several_calls_are_one_row(connection):
    assert answer(connection, "SELECT settings_echo('a') a, settings_echo('b') AS b") == (["a", "b"], [("a", "b")])


def test_arguments_come_in_utf8_whatever_the_connection_speaks(connection):
    connection.query("SET NAMES latin1")
    connection.query(b"SET @e = '\xe9'")
    connection.query("SET NAMES utf8mb4")
    assert answer(connection, "SELECT settings_echo(@e) e") == (["e"], [("\u00e9",)])


def test_an_argument_can_be_long(connection):
    _, (((value,),)) = answer(connection, f"SELECT settings_echo(repeat('x', {LONG})) e")
    assert value == "x" * LONG


def test_the_data_directory_is_known(connection, server):
    _, ((value,),) = answer(connection, "SELECT settings_where()")
    assert os.path.isabs(value) and os.path.isdir(value)


@pytest.mark.parametrize("sql, number, words", [
    ("SELECT settings_echo()", 1582, "Incorrect parameter count in the call to native function 'settings_echo'"),
    ("SELECT settings_echo(1, 2, 3, 4)", 1582, "Incorrect parameter count in the call to native function 'settings_echo'"),
    ("SELECT settings_fail('no room')", 1123, "Can't initialize function 'settings_fail'; no room"),
    ("SELECT settings_fail(NULL)", 9001, "nothing, settings_fail"),
    ("SELECT settings_echo(nowhere)", 1054, "Unknown column 'nowhere' in"),
    ("SELECT settings_echo(", 1064, "You have an error in your SQL syntax;"),
    ("SELECT settings_echo('a') FROM dual", 1305, "FUNCTION weir_case.settings_echo does not exist"),
    ("SELECT settings_echo('a'), 1", 1305, "FUNCTION weir_case.settings_echo does not exist"),
])
def test_what_goes_wrong_has_the_servers_words(connection, sql, number, words):
    got = error(connection, sql)
    assert got[0] == number and got[1].startswith(words)
    assert answer(connection, "SELECT settings_echo('still here') x") == (["x"], [("still here",)])


def test_a_privilege_is_needed(server, database, connection):
    connection.query("CREATE OR REPLACE USER caller IDENTIFIED BY 'c'")
    try:
        with server.endpoint.connect(user="caller", password="c", database=None) as other:
            assert answer(other, "SELECT settings_echo('everybody') x") == (["x"], [("everybody",)])
            assert error(other, "SELECT settings_where()") == (
                1227, "Access denied; you need (at least one of) the SUPER privilege(s) for this operation")
            assert error(other, "SELECT settings_fail('x')") == (
                1227, "Access denied; you need (at least one of) the FILE or SUPER privilege(s) for this operation")
            connection.query("GRANT FILE ON *.* TO caller")
            assert error(other, "SELECT settings_fail('x')")[0] == 1123
    finally:
        connection.query("DROP USER caller")


def test_a_disabled_plugin_is_not_called(connection):
    connection.query("ADMIN PLUGINS DISABLE settings")
    try:
        assert error(connection, "SELECT settings_echo(1)") == (1123, "Can't initialize function 'settings_echo'; its plugin is disabled")
    finally:
        connection.query("ADMIN PLUGINS ENABLE settings")


def test_plugins_are_notified_of_the_statement_and_of_its_end(server, connection):
    connection.query("SELECT settings_echo('heard') x")
    failure(lambda: connection.query("SELECT settings_fail('heard')"))
    seen = [event for event in server.events.of(connection.thread_id()) if event["point"] == "general" and "heard" in (event["sql"] or "")]
    assert [(event["event"], event["sql"], event["rows"], event["error_code"]) for event in seen] == [
        ("Starting", "SELECT settings_echo('heard') x", None, 0),
        ("Completed", "SELECT settings_echo('heard') x", 1, 0),
        ("Starting", "SELECT settings_fail('heard')", None, 0),
        ("Error", "SELECT settings_fail('heard')", None, 1123),
    ]
