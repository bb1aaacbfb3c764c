# SPDX-License-Identifier: Apache-2.0
"""ADMIN TRACE: what is traced, changed while clients are connected. The plugin is test_trace, which says in the gateway's log
when it begins and ends, and aborts the gateway where a conversation that it joins in the middle does not fit the protocol."""
import threading

import pytest
from harness.observe import failure
from harness.paths import TRACE_PLUGINS
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

COLUMNS = ["Plugin", "Tracing", "User", "Host", "Session", "Sessions_traced"]
PRINTING = {"MYSQL_TEST_TRACE_DEBUG": "1", "MYSQL_TEST_TRACE_CRASH": "1"}
STARTED, STOPPED = "Starting tracing in stage", "Tracing connection has ended"


class Traced:
    """A gateway, an administrator's connection to it, and what test_trace has printed in its log."""

    def __init__(self, server):
        self.server = server
        self.administrator = server.endpoint.connect()

    def do(self, sql):
        with self.administrator.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def shown(self):
        with self.administrator.cursor() as cursor:
            cursor.execute("ADMIN SHOW TRACE")
            assert [column[0] for column in cursor.description] == COLUMNS
            return cursor.fetchall()

    def lines(self, connection=None):
        """What was printed, of one connection (its gateway's id) or of all."""
        prefix = "test_trace: " + (f"{connection.server_thread_id[0]:03d}: " if connection else "")
        return [line[len(prefix):] for line in self.server.log().splitlines() if line.startswith(prefix)]

    def count(self, word, connection=None):
        return sum(word in line for line in self.lines(connection))

    def wait_stopped(self, connection, times=1):
        wait_for(lambda: self.count(STOPPED, connection) >= times, f"the end of the tracing of {connection}")


@pytest.fixture
def traced(gateway, database):
    server = gateway(f"tcp://{database.host}:{database.port}", plugins=["recorder-1"],
                     options=["-trace-plugin", TRACE_PLUGINS / "test_trace.so", "-workers", "2"], environment=PRINTING)
    traced = Traced(server)
    traced.do("ADMIN TRACE OFF")
    traced.wait_stopped(traced.administrator)
    yield traced
    traced.administrator.close()


def test_a_plugin_is_loaded_while_clients_are_connected(gateway, database):
    traced = Traced(gateway(f"tcp://{database.host}:{database.port}", environment=PRINTING,
                            options=["-trace-plugin", ""]))
    assert traced.shown() == ()
    error = failure(lambda: traced.do("ADMIN TRACE ALL"))["arguments"]
    assert "no trace plugin is loaded; ADMIN TRACE LOAD" in error[1]
    assert "nothing.so" in failure(lambda: traced.do("ADMIN TRACE LOAD 'nothing'"))["arguments"][1]
    assert "give its name" in failure(lambda: traced.do("ADMIN TRACE LOAD '/tmp/x'"))["arguments"][1]
    traced.do("ADMIN TRACE OFF")
    traced.do("ADMIN TRACE LOAD 'test_trace'")
    assert traced.shown() == (("test_trace", "OFF", None, None, None, "0"),)
    traced.do("SELECT 'unseen'")
    traced.do("ADMIN TRACE ALL")
    traced.do("SELECT 'seen'")
    lines = traced.lines(traced.administrator)
    assert "Starting tracing in stage READY_FOR_COMMAND" in lines and "QUERY: SELECT 'seen'" in lines
    assert "QUERY: SELECT 'unseen'" not in lines


def test_a_second_plugin_is_refused_and_the_first_stays_at_work(traced):
    for name in ("simple_trace", "test_trace"):
        error = failure(lambda name=name: traced.do(f"ADMIN TRACE LOAD '{name}'"))["arguments"]
        assert f"trace plugin {name}: test_trace is loaded already, and only one trace plugin can be" in error[1]
    traced.do("ADMIN TRACE ALL")
    traced.do("SELECT 'still there'")
    assert traced.count("QUERY: SELECT 'still there'") == 1


def test_one_user_is_traced_connected_or_not(traced):
    connect = traced.server.endpoint.connect
    with connect(user="limited", password="limited-secret") as before, connect() as other:
        traced.do("ADMIN TRACE USER 'limited'")
        assert traced.shown() == (("test_trace", "SELECTED", "limited", None, None, "0"),)
        with connect(user="limited", password="limited-secret") as new:
            for connection in (before, other, new):
                connection.query(f"SELECT 'of {connection.server_thread_id[0]}'")
            assert traced.lines(other) == []
            for connection in (before, new):
                lines = traced.lines(connection)
                assert lines[0] == "Starting tracing in stage READY_FOR_COMMAND"
                assert f"QUERY: SELECT 'of {connection.server_thread_id[0]}'" in lines
                assert lines[-1] == "End of data"
            assert traced.shown()[0][5] == "2"
            traced.do("ADMIN TRACE OFF")
            for connection in (before, new):
                traced.wait_stopped(connection)
                assert "DISCONNECTED" not in str(traced.lines(connection))  # the connection goes on
                connection.query("SELECT 'later'")
            assert traced.shown() == (("test_trace", "OFF", None, None, None, "0"),)
    for connection in (before, new):
        assert traced.count(STARTED, connection) == traced.count(STOPPED, connection) == 1
        assert traced.count("later", connection) == 0


def test_idle_sessions_are_let_go_at_once(traced):
    with traced.server.endpoint.connect() as idle:
        traced.do("ADMIN TRACE ALL")
        idle.query("SELECT 1")
        assert traced.count(STARTED, idle) == 1
        traced.do("ADMIN TRACE HOST '10.%'")
        traced.wait_stopped(idle)


@pytest.mark.parametrize("own", [True, False], ids=["the gateway's id", "the backend's id"])
def test_one_session_is_traced(traced, own):
    with traced.server.endpoint.connect() as one, traced.server.endpoint.connect() as other:
        with one.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            ((backend_id,),) = cursor.fetchall()
        number = one.server_thread_id[0] if own else backend_id
        traced.do(f"ADMIN TRACE SESSION {number}")
        assert traced.shown()[0][:5] == ("test_trace", "SELECTED", None, None, str(number))
        for connection in (one, other):
            connection.query("SELECT 1")
        assert traced.count("QUERY: SELECT 1", one) == 1
        assert traced.lines(other) == []


def test_hosts_are_a_pattern_and_conditions_are_joined(traced):
    with traced.server.endpoint.connect() as here:
        for selection, fits in (("HOST '127.0.%'", True), ("HOST '10.%'", False), ("USER 'tester' HOST '127.%'", True),
                                ("USER 'nobody' HOST '%'", False), ("HOST '127.0.0._'", True)):
            traced.do(f"ADMIN TRACE {selection}")
            here.query(f"SELECT {traced.count('QUERY: ', here)}")
            assert bool(traced.shown()[0][5] != "0") is fits, selection
            traced.do("ADMIN TRACE OFF")
            wait_for(lambda: traced.shown()[0][5] == "0", "tracing to end")


def test_a_session_that_is_switched_on_and_off_is_started_and_stopped_each_time(traced):
    with traced.server.endpoint.connect() as connection:
        for times in (1, 2, 3):
            traced.do("ADMIN TRACE USER 'tester'")
            connection.query("SELECT 1")
            traced.do("ADMIN TRACE OFF")
            traced.wait_stopped(connection, times)
            connection.query("SELECT 2")
            assert traced.count(STARTED, connection) == traced.count(STOPPED, connection) == times
        assert traced.count("QUERY: SELECT 1", connection) == 3 and traced.count("QUERY: SELECT 2", connection) == 0


@pytest.mark.parametrize("sql", ["ADMIN TRACE ALL", "ADMIN TRACE OFF", "ADMIN SHOW TRACE", "ADMIN TRACE LOAD 'simple_trace'",
                                 "ADMIN TRACE USER 'tester'"])
def test_it_needs_a_privilege(traced, sql):
    with traced.server.endpoint.connect(user="limited", password="limited-secret") as connection:
        error = failure(lambda: connection.query(sql))["arguments"]
        assert error[0] == 1227 and "SUPER" in error[1]
    assert traced.shown()[0][1] == "OFF"


@pytest.mark.parametrize("sql", ["ADMIN TRACE", "ADMIN TRACE everything", "ADMIN TRACE SESSION x", "ADMIN SHOW TRACE LIKE 'x'"])
def test_mistakes_are_answered_with_the_grammar(traced, sql):
    error = failure(lambda: traced.do(sql))["arguments"]
    assert error[0] == 1064 and "ADMIN TRACE ALL | OFF" in error[1]


def test_it_is_audited_and_other_statements_are_the_backends(traced):
    traced.shown()
    general = [e for e in traced.server.events.all() if e["point"] == "general" and e.get("sql") == "ADMIN SHOW TRACE"]
    assert [e["event"] for e in general] == ["Starting", "Completed"]
    error = failure(lambda: traced.do("ADMIN CHECK TABLE t"))["arguments"]
    assert error[0] == 1064 and "MariaDB server" in error[1]


def test_the_shell_shows_it(traced):
    shown = traced.server.endpoint.shell("ADMIN TRACE USER 'nobody' HOST '10.%'; ADMIN SHOW TRACE", "--table").stdout
    row = next(line for line in shown.splitlines() if "test_trace" in line)
    assert [cell.strip() for cell in row.split("|")[1:-1]] == ["test_trace", "SELECTED", "nobody", "10.%", "NULL", "0"]


@pytest.mark.time_limit(90)
def test_concurrent_changes_leave_no_tracing_open(traced):
    """Clients on both workers run statements while tracing goes on and off."""
    stop = threading.Event()

    def work():
        with traced.server.endpoint.connect() as connection, connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("SELECT 1; SELECT 2 UNION SELECT 3")
                cursor.nextset()

    clients = [threading.Thread(target=work) for _ in range(4)]
    for client in clients:
        client.start()
    for turn in range(60):
        traced.do(("ADMIN TRACE ALL", "ADMIN TRACE OFF", "ADMIN TRACE USER 'tester'", "ADMIN TRACE HOST '10.%'")[turn % 4])
    stop.set()
    for client in clients:
        client.join()
    traced.do("ADMIN TRACE OFF")
    wait_for(lambda: traced.shown()[0][5] == "0", "tracing to end")
    assert traced.count(STARTED) == traced.count(STOPPED) > 4
