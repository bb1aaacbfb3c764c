# SPDX-License-Identifier: Apache-2.0
"""Clients that leave while their statement runs: the server notices it, or not, as it does without a gateway between them.

A server looks at its client's connection while it waits for a lock or sleeps, gives up, and carries the statement to its end;
it does not look while it computes, nor as long as there is something to read, and it fails where it sends rows to nobody."""
import signal
import socket
import struct
import subprocess

import pytest
from harness import raw
from harness.endpoint import DATABASE, PASSWORD, USER
from harness.events import names, statements
from harness.paths import program
from harness.waiting import wait_for

LOCK = "weir_vanishing"
WAITS = f"GET_LOCK('{LOCK}', 3600)"


def closes(connection):
    connection.socket.close()


def resets(connection):
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.socket.close()


def closes_half(connection):
    connection.socket.shutdown(socket.SHUT_WR)


every_way = pytest.mark.parametrize("leave", [closes, resets, closes_half])


@pytest.fixture
def holder(database):
    """Somebody else has the lock."""
    connection = database.connect()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT GET_LOCK('{LOCK}', 20)")  # the holder before may still be going
        assert cursor.fetchall() == ((1,),)
    yield connection
    connection.close()


def count(database, state):
    return database.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE state = %r" % state)[0][0]


def wait_until(database, state, number):
    wait_for(lambda: count(database, state) == number, f"{number} connections in the state {state!r}")


def leave_while_waiting(database, connection, sql, leave):
    """Sends the statement, leaves once the server waits for the lock, and waits until the server does not any more."""
    connection.send(b"\3" + sql.encode())
    wait_until(database, "User lock", 1)
    leave(connection)
    wait_until(database, "User lock", 0)


def rows(database):
    """What is in the table once the server has let go of all sessions."""
    wait_for(lambda: not database.execute(
        f"SELECT 1 FROM information_schema.processlist WHERE user = '{USER}'"), "the end of the server's sessions")
    return [value for value, in database.execute(f"SELECT a FROM {DATABASE}.t ORDER BY a")]


def table(endpoint):
    with endpoint.raw() as connection:
        connection.query("CREATE TABLE t (a VARCHAR(40)) ENGINE=InnoDB")


# ---- While a lock is waited for ----

@every_way
def test_the_server_gives_up_waiting_for_a_lock(both, database, holder, leave):
    def case(endpoint):
        with endpoint.raw() as connection:
            leave_while_waiting(database, connection, f"SELECT {WAITS}, 'gone'", leave)
            return connection.at_end() if leave is closes_half else None

    answer = both(case)
    assert leave is not closes_half or b"\x010\x04gone" in answer  # it goes on as if the time were over


def test_the_server_gives_up_waiting_for_a_table(both, database):
    def case(endpoint):
        table(endpoint)
        with endpoint.raw() as connection, database.connect(autocommit=False) as reader:
            with reader.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {DATABASE}.t")
            connection.send(b"\3ALTER TABLE t ADD b INT")
            wait_until(database, "Waiting for table metadata lock", 1)
            closes_half(connection)
            return connection.at_end()

    assert b"Lock wait timeout exceeded" in both(case)


@every_way
def test_the_outcome_is_recorded(weir, events, database, holder, leave):
    with weir.raw() as connection:
        number = connection.greeting.connection_id
        leave_while_waiting(database, connection, f"SELECT {WAITS}; SELECT nowhere; SELECT 2", leave)
    found = events.ended(number)
    assert names(found)[-4:] == ["Completed Query", "Error Query", "Error Query", "Disconnect"]
    assert [e["error_code"] for e in statements(found, "Error")] == [1054, 1317]


@pytest.mark.parametrize("way", ["tcp", "socket"])
def test_a_client_that_is_killed(endpoints, database, holder, way):
    for endpoint in endpoints:
        where = ["-h", endpoint.host, "-P", str(endpoint.port), "--protocol=tcp"] if way == "tcp" else ["-S", endpoint.socket]
        with subprocess.Popen([program("mariadb"), "--no-defaults", *where, f"-u{USER}", f"-p{PASSWORD}", "-e",
                               f"SELECT {WAITS}"], stdout=subprocess.DEVNULL) as client:
            wait_until(database, "User lock", 1)
            client.kill()
            wait_until(database, "User lock", 0)


@pytest.mark.time_limit(90)
def test_a_sleep_ends_and_its_locks_are_free(both, database):
    def case(endpoint):
        with endpoint.raw() as connection:
            connection.send(f"\3SELECT {WAITS}, SLEEP(3600)".encode())
            wait_until(database, "User sleep", 1)
            closes(connection)
            wait_for(lambda: database.execute(f"SELECT IS_FREE_LOCK('{LOCK}')")[0][0], "the lock to be free")

    both(case)


# ---- What becomes of changes ----

@every_way
def test_changes_are_as_without_the_gateway(both, database, holder, leave):
    def case(endpoint):
        table(endpoint)
        for sql in (f"INSERT INTO t SELECT CONCAT('one ', {WAITS})",
                    f"INSERT INTO t VALUES ('two'); DO {WAITS}; INSERT INTO t VALUES ('three'); INSERT INTO t VALUES ('four')",
                    f"BEGIN; INSERT INTO t VALUES ('five'); DO {WAITS}",
                    f"BEGIN NOT ATOMIC INSERT INTO t VALUES ('six'); DO {WAITS}; INSERT INTO t VALUES ('seven'); END"):
            with endpoint.raw() as connection:
                leave_while_waiting(database, connection, sql, leave)
                if leave is closes_half:
                    connection.at_end()
        return rows(database)

    assert both(case) == ["four", "one 0", "seven", "six", "three", "two"]


@every_way
def test_commands_that_were_sent_ahead(both, database, leave):
    """The server runs them until it cannot answer: a closed socket takes one reply, and refuses the next."""
    def case(endpoint):
        table(endpoint)
        with endpoint.raw() as connection:
            connection.send_queries("SELECT SLEEP(0.5)", "INSERT INTO t VALUES ('one')", "DO SLEEP(0.1)",
                                    "INSERT INTO t VALUES ('two')")
            wait_until(database, "User sleep", 1)
            leave(connection)
            if leave is closes_half:
                connection.at_end()
            return rows(database)

    assert both(case) == {closes: ["one"], resets: [], closes_half: ["one", "two"]}[leave]


@every_way
def test_a_command_whose_reply_is_not_waited_for(both, database, leave):
    def case(endpoint):
        table(endpoint)
        with endpoint.raw() as connection:
            connection.send(b"\3INSERT INTO t VALUES ('sent')")
            leave(connection)
            wait_for(lambda: rows(database), "the row")
            return rows(database)

    assert both(case) == ["sent"]


@every_way
def test_a_file_that_is_cut_off(both, database, leave):
    def case(endpoint):
        table(endpoint)
        with endpoint.raw() as connection:
            connection.send(b"\3LOAD DATA LOCAL INFILE 'x' INTO TABLE t")
            connection.read_packet()
            connection.socket.sendall(connection.frame(b"a\nb\n" * 1000, connection.sequence))
            leave(connection)
            return rows(database), connection.at_end() if leave is closes_half else None

    assert both(case) == ([], b"" if leave is closes_half else None)


@pytest.mark.parametrize("leave", [closes, resets])
def test_rows_that_nobody_reads(both, database, leave):
    def case(endpoint):
        table(endpoint)
        with endpoint.raw() as connection:
            connection.send(b"\3SELECT REPEAT('x', 1000), seq FROM seq_1_to_100000000; INSERT INTO t VALUES ('after')")
            connection.read_packet()
            leave(connection)
            return rows(database)

    assert both(case) == []


def test_rows_that_nobody_reads_have_no_known_outcome(weir, events):
    with weir.raw() as connection:
        number = connection.greeting.connection_id
        connection.send(b"\3SELECT REPEAT('x', 1000), seq FROM seq_1_to_100000000")
        connection.read_packet()
        resets(connection)
    error = events.ended(number)[-2]
    assert error["message"] == "the client closed the connection; whether it took effect is not known"


# ---- When the gateway stops ----

@pytest.mark.gateway_only
def test_the_gateway_does_not_wait_for_whom_nobody_waits(gateway, database):
    server = gateway(database.address, plugins=["recorder-1"])
    with server.endpoint.raw() as connection:
        number = connection.greeting.connection_id
        connection.send(b"\3SELECT BENCHMARK(2000000000, 1 + 1)")  # the server does not look at its client
        wait_for(lambda: database.execute("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT BENCHMARK%'"),
                 "the statement to run")
        closes(connection)
        server.process.signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
    assert names(server.events.of(number))[-2:] == ["Error Query", "Disconnect"]
    for number, in database.execute("SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT BENCHMARK%'"):
        database.execute(f"KILL {number}")
