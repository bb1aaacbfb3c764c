# SPDX-License-Identifier: Apache-2.0
"""Connections that the server ends while nothing is asked: what comes of them, byte by byte and for clients that connect
again by themselves, is the same without the gateway and with it."""
import errno
import re
import select
import signal
import subprocess

import MySQLdb
import pytest
from harness import raw
from harness.balancer import BEHIND_BALANCER
from harness.paths import INTEGRATION, program
from harness.raw import RawConnection
from harness.waiting import wait_for

ENDED = select.POLLRDHUP | select.POLLHUP | select.POLLERR


def has_ended(fd):
    """Whether the other side has closed, without reading anything."""
    poll = select.poll()
    poll.register(fd, ENDED)
    return bool(poll.poll(0))


def wait_for_end(fd):
    wait_for(lambda: has_ended(fd), "the connection to be closed", timeout=20)


def needs_resets():
    """After wait_timeout the server resets the connection, and weir does the same; HAProxy then ends its client's in good order."""
    if BEHIND_BALANCER:
        pytest.skip("HAProxy passes no reset on")


def read_to_end(connection):
    """What is left to read, and how it ends."""
    data = bytes(connection.received)
    try:
        while more := connection.socket.recv(65536):
            data += more
        return data, "end"
    except ConnectionResetError:
        return data, "reset"


def write_until_it_fails(connection):
    """The first write may still succeed. What it said, and with what the writes fail."""
    said = []

    def fails():
        try:
            connection.socket.sendall(b"\1\0\0\0\x0e")
            said.append("sent")
        except OSError as failed:
            said.append(errno.errorcode[failed.errno])
        return said[-1] != "sent"

    wait_for(fails, "a write to fail")
    return said[0], said[-1]


def by_timeout(connection, _database):
    connection.query("SET wait_timeout = 1")


def by_kill(connection, database):
    name = connection.query("SELECT CONNECTION_ID()")[3][1][1:].decode()
    database.execute(f"KILL {name}")


def by_itself(connection, _database):
    connection.send(b"\3KILL CONNECTION_ID()")


def by_goodbye(connection, _database):
    connection.send(b"\1")


CAUSES = [by_timeout, by_kill, by_itself, by_goodbye]


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_what_is_read_and_how_writes_fail(both, database, cause, over):
    if cause is by_timeout and over == "tcp":
        needs_resets()

    def case(endpoint):
        seen = []
        for reads_first in (True, False):
            where = {"path": endpoint.socket} if over == "unix" else {"host": endpoint.host, "port": endpoint.port}
            with RawConnection(**where, user="tester", password="s3cret") as connection:
                cause(connection, database)
                wait_for_end(connection.socket.fileno())
                if reads_first:
                    seen.append(read_to_end(connection))
                seen.append(write_until_it_fails(connection))
        return seen

    seen = both(case)
    if cause is by_timeout and over == "tcp":
        assert seen[0] == (b"", "reset")


@pytest.fixture(scope="module")
def mortal(other_database):
    """A database that the cases kill and start again."""
    return other_database("closing")


def kill(mortal):
    mortal.process.signal(signal.SIGKILL)
    mortal.process.wait()


@pytest.mark.gateway_only
@pytest.mark.parametrize("loaded", [[], ["recorder-1"]])
def test_a_backend_that_is_killed(gateway, mortal, loaded):
    server = gateway(mortal.address, plugins=loaded)
    seen = []
    for host, port in ((mortal.host, mortal.port), (server.host, server.port)):
        with RawConnection(host, port, user="tester", password="s3cret") as connection:
            connection.query("SELECT 1")
            kill(mortal)
            wait_for_end(connection.socket.fileno())
            seen.append((read_to_end(connection), write_until_it_fails(connection)))
        mortal.start()
    assert seen[0] == seen[1] == ((b"", "end"), ("sent", "EPIPE"))


@pytest.mark.gateway_only
def test_the_gateways_own_end_is_like_the_servers(gateway, mortal):
    server = gateway(mortal.address, plugins=["recorder-1"])
    seen = []
    for end, host, port in ((server.interrupt, server.host, server.port),
                            (lambda: mortal.process.signal(signal.SIGTERM), mortal.host, mortal.port)):
        with RawConnection(host, port, user="tester", password="s3cret") as connection:
            with RawConnection(host, port, login=False) as newcomer:
                newcomer.read_greeting()
                connection.query("SELECT 1")
                end()
                for one in (connection, newcomer):
                    wait_for_end(one.socket.fileno())
                    seen.append((read_to_end(one), write_until_it_fails(one)))
    mortal.process.wait()
    mortal.start()
    assert server.process.wait(20) == 0
    assert seen == [((b"", "end"), ("sent", "EPIPE"))] * 4


@pytest.mark.gateway_only
def test_a_client_that_does_not_log_in(gateway, database):
    """The server's connect_timeout."""
    server = gateway(database.address, plugins=["recorder-1"], options=["-handshake-timeout", "1"])
    with server.endpoint.raw(login=False) as connection:
        connection.read_greeting()
        wait_for_end(connection.socket.fileno())
        assert read_to_end(connection) == (b"", "reset")
    event = server.events.wait_for(lambda e: e["event"] == "Reject" and e["error_code"], "the event")
    assert (event["error_code"], event["reject_reason"]) == (1159, "Got timeout reading communication packets")


@pytest.mark.gateway_only
def test_an_answer_that_is_due_at_the_gateways_end(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"], options=["-drain-timeout", "1"])
    with server.endpoint.raw() as connection:
        connection.send(b"\3SELECT SLEEP(30) -- due")
        server.events.wait_for(lambda e: e["event"] == "Starting" and "due" in e["sql"], "the statement")
        server.interrupt()
        packets, rest = connection.packets_to_end()
        assert [raw.error_of([packet]) for packet in packets] == [(1053, "08S01", "Server shutdown in progress")]
        assert packets[0][0] == 1 and not rest
    assert server.process.wait(20) == 2


@pytest.mark.gateway_only
def test_nothing_more_is_taken_after_an_error_that_ends_the_session(gateway, mortal):
    """A client that has read it finds the connection closed, as one of the server's."""
    server = gateway(mortal.address, plugins=["recorder-1"])
    with server.endpoint.raw(database=None) as connection:
        connection.send(b"\3SELECT SLEEP(60) -- busy")
        server.events.wait_for(lambda e: e["event"] == "Starting" and "busy" in e["sql"], "the statement")
        kill(mortal)
        number, payload = connection.read_packet()
        assert number == 1 and raw.ServerError(payload).number == 1927
        wait_for_end(connection.socket.fileno())
        assert read_to_end(connection) == (b"", "end")
        assert write_until_it_fails(connection) == ("sent", "EPIPE")
    mortal.start()


# ---- Clients that connect again

def end_by(cause, database, connection_id):
    if cause == "kill":
        database.execute(f"KILL {connection_id}")


@pytest.mark.parametrize("cause", ["kill", "timeout"])
def test_connector_c_connects_again(both, database, cause):
    def case(endpoint):
        connection = endpoint.connect_c()
        connection.ping(True)  # from here on it connects again by itself
        cursor = connection.cursor()
        seen = []
        for what in (connection.ping, lambda: cursor.execute("SELECT 1"), lambda: connection.select_db("information_schema")):
            cursor.execute("SELECT CONNECTION_ID(), @kept")
            before = cursor.fetchall()[0]
            cursor.execute("SET @kept = 1" if cause == "kill" else "SET @kept = 1, wait_timeout = 1")
            end_by(cause, database, before[0])
            wait_for_end(connection.fileno())
            try:
                what()
                cursor.execute("SELECT CONNECTION_ID(), @kept")
                after = cursor.fetchall()[0]
                seen.append((after[0] != before[0], after[1]))
            except Exception as failed:
                seen.append(failed.args)
                connection.ping(True)
        return seen

    assert both(case) == [(True, None)] * 3


def test_a_ping_that_crosses_the_servers_close_connects_again(both):
    """The session kills itself: its next command may be sent before it is closed."""
    def case(endpoint):
        connection = endpoint.connect_c()
        connection.ping(True)
        seen = []
        for _ in range(30):
            before = connection.thread_id()
            try:
                connection.kill(before)
            except MySQLdb.Error:
                pass  # what it reads depends on which is first
            connection.ping()
            seen.append(connection.thread_id() != before)
        return seen

    assert both(case) == [True] * 30


@pytest.mark.parametrize("cause", ["kill", "timeout"])
@pytest.mark.parametrize("driver", ["mysqldb", "pymysql"])
def test_sqlalchemy_asks_before_it_uses_a_connection(both, database, cause, driver):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    if cause == "timeout":
        needs_resets()

    def case(endpoint):
        where = f"mysql+{driver}://tester:s3cret@{endpoint.host}:{endpoint.port}/weir_case"
        seen = []
        for asks in (True, False):
            engine = sqlalchemy.create_engine(where, pool_pre_ping=asks, pool_size=1, max_overflow=0)
            with engine.connect() as connection:
                if cause == "timeout":
                    connection.execute(sqlalchemy.text("SET wait_timeout = 1"))
                before = connection.execute(sqlalchemy.text("SELECT CONNECTION_ID()")).scalar()
                mine = connection.connection.dbapi_connection
                fd = mine.fileno() if driver == "mysqldb" else mine._sock.fileno()
            end_by(cause, database, before)
            wait_for_end(fd)
            for _ in range(2):
                try:
                    with engine.connect() as connection:
                        after = connection.execute(sqlalchemy.text("SELECT CONNECTION_ID()")).scalar()
                        seen.append(after != before)
                except sqlalchemy.exc.DBAPIError as failed:
                    seen.append((failed.orig.args, failed.connection_invalidated))
            engine.dispose()
        return seen

    seen = both(case)
    assert seen[:2] == [True, True] and seen[2][1] and seen[3] is True


def run_again(both, database, *command):
    """A client program that says its connection's id, waits for a line, and shows how it goes on."""
    def case(endpoint):
        seen = []
        for cause in ("kill", "timeout"):
            done = subprocess.Popen([str(word) for word in command] + [endpoint.host, str(endpoint.port), cause], text=True,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            number = int(done.stdout.readline())
            if cause == "kill":
                database.execute(f"KILL {number}")
            wait_for(lambda n=number: not database.execute(
                f"SELECT 1 FROM information_schema.processlist WHERE id = {n}"), "the connection to end")
            output, _ = done.communicate("\n", timeout=30)
            seen.append(re.sub(rf"\b{number}\b", "ID", output))
        return seen

    return both(case)


def test_dbd_mariadb_connects_again(both, database):
    seen = run_again(both, database, program("perl"), INTEGRATION / "clients" / "again.pl")
    assert all("again: other" in output for output in seen), seen


def test_mysqli_sees_that_its_connection_is_gone(both, database):
    seen = run_again(both, database, program("php"), INTEGRATION / "clients" / "again.php")
    assert all("2006" in output and "again: 1" in output for output in seen), seen
