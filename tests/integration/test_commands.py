# SPDX-License-Identifier: Apache-2.0
"""Commands other than statements, what they do to the session, and KILL in its forms."""
import contextlib
import re
import select
import threading

import pymysql
import pytest
from harness import raw
from harness.endpoint import DATABASE
from harness.observe import failure, run
from harness.waiting import wait_for


def test_ping_init_db_field_list_set_option_debug_reset_and_change_user(both, client):
    def case(endpoint):
        return endpoint.run(client("commands")).stdout

    output = both(case)
    assert "select_db: error 1049 (42000): Unknown database 'no_such_database'" in output
    assert f"{DATABASE} | ed@% | NULL" in output and f"{DATABASE} | nopassword@% | NULL" in output
    assert "change_user wrong: error 1045" in output


def test_statistics_have_the_servers_form(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            (_, payload), = connection.command(bytes([raw.COM_STATISTICS]), connection.read_one)
            return [part.split(b":")[0].strip() for part in payload.split(b"  ")], connection.query("SELECT 1")

    assert both(case)[0][0] == b"Uptime"


def test_commands_that_the_server_does_not_know_get_its_error(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            return [raw.error_of(connection.command(bytes([code]), connection.read_one))[:2]
                    for code in (0x00, 0x0B, 0x10, 0x1D, 0x21, 0x7F)] + [connection.query("SELECT 1")]

    assert both(case)[0] == (1047, "08S01")


def test_process_info_lists_the_sessions(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            reply = connection.command(bytes([raw.COM_PROCESS_INFO]))
            return len(reply) > 9, any(b"tester" in payload for _, payload in reply)

    assert both(case) == (True, True)


def test_quit_closes_the_connection_without_a_word(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            connection.send(bytes([raw.COM_QUIT]))
            return connection.at_end()

    assert both(case) == b""


def test_connection_attributes_reach_the_backend(both):
    attributes = [("program_name", "weir test"), ("_client_name", "hand"), ("empty", ""), ("long", "v" * 200)]

    def case(endpoint):
        with endpoint.raw(attributes=attributes) as connection:
            return connection.query("SELECT attr_name, attr_value FROM performance_schema.session_connect_attrs "
                                    "WHERE processlist_id = CONNECTION_ID() ORDER BY ordinal_position")

    reply = both(case)
    assert any(b"weir test" in payload for _, payload in reply) and any(b"v" * 200 in payload for _, payload in reply)


def test_session_tracking_tells_of_schema_variables_and_transactions(both, client):
    def case(endpoint):
        output = endpoint.run(client("tracking"),
                            "SET session_track_system_variables = '*', session_track_state_change = 1, "
                            "session_track_transaction_info = 'CHARACTERISTICS'",
                            "SET sql_mode = 'ANSI'", "USE information_schema", f"USE {DATABASE}", "SET NAMES latin1",
                            "BEGIN", "CREATE TABLE s (a INT)", "START TRANSACTION READ ONLY", "SELECT * FROM s", "COMMIT",
                            "SET @x = 1").stdout
        return re.sub(r"0-1-\d+", "0-1-N", output)  # last_gtid counts on

    output = both(case)
    for words in ("schema: information_schema", "system variable: sql_mode", "state: 1",
                  "transaction characteristics: START TRANSACTION READ ONLY"):
        assert words in output


def test_progress_reports_stand_inside_a_reply(both, client):
    def case(endpoint):
        output = endpoint.run(client("progress"), "SET progress_report_time = 0.000001",
                              "CREATE TABLE pr (a INT, b VARCHAR(200)) ENGINE=Aria",
                              "INSERT INTO pr SELECT seq, REPEAT('x', 100) FROM seq_1_to_50000",
                              "ALTER TABLE pr ADD KEY (b), ALGORITHM=COPY", "SELECT COUNT(*) FROM pr").stdout
        # Which stages are reported depends on how fast the machine is.
        return [line for line in output.splitlines() if not line.startswith("stage")]

    assert both(case)[-1] == "there were reports"


@contextlib.contextmanager
def sleeper(endpoint, database):
    """A session that sleeps in a thread of its own: (its connection, a function that waits for what wakes it). A session
    that loses its server hears of it from its library, or from the gateway: that is the same here."""
    connection = endpoint.connect()
    outcome = []

    def sleep():
        for end in run(connection, "SELECT SLEEP(60)"):
            number = end["arguments"][0] if "error" in end else None
            outcome.append("lost" if number in (1927, 2013) else number or end)

    def woken():
        thread.join(20)
        assert not thread.is_alive(), "the session sleeps on"
        return outcome

    thread = threading.Thread(target=sleep)
    thread.start()
    asleep = "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"
    wait_for(lambda: database.execute(asleep), "the session to be in SLEEP")
    try:
        yield connection, woken
    finally:
        for (number,) in database.execute(asleep):
            with contextlib.suppress(pymysql.err.MySQLError):  # it may have ended just now
                database.execute(f"KILL {number}")
        thread.join(20)


@pytest.mark.parametrize("kill", ["KILL {}", "KILL CONNECTION {}", "KILL QUERY {}", "kill /* it */ query {}", "command",
                                  "KILL {} -- by text", "DO 1; KILL QUERY {}", "KILL SOFT CONNECTION {}"])
def test_another_session_can_be_killed_by_the_id_that_its_client_knows(both, database, kill):
    def case(endpoint):
        with sleeper(endpoint, database) as (victim, woken), endpoint.raw() as killer:
            if kill == "command":
                reply = killer.command(bytes([raw.COM_PROCESS_KILL]) + victim.thread_id().to_bytes(4, "little"),
                                       killer.read_one)
            else:
                reply = killer.query(kill.format(victim.thread_id()))
            return [payload[0] for _, payload in reply], killer.query("SELECT 1"), woken()

    both(case)


def test_a_session_can_kill_itself(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            error = raw.error_of(connection.query(f"KILL {connection.greeting.connection_id}"))
            connection.at_end()
            return error

    assert both(case)[:2] == (1927, "70100")


def test_killing_what_is_not_there_is_an_error(both):
    def case(endpoint):
        with endpoint.connect() as connection:
            return [failure(lambda sql=sql: connection.query(sql)) for sql in ("KILL 4000000000", "KILL QUERY 999999", "KILL 'x'")]

    assert both(case)[0]["arguments"] == (1094, "Unknown thread id: 4000000000")


def test_a_user_without_privileges_cannot_kill_anothers_session(both, database):
    def case(endpoint):
        with sleeper(endpoint, database) as (victim, woken):
            with endpoint.connect(user="limited", password="limited-secret") as killer:
                error = failure(lambda: killer.query(f"KILL {victim.thread_id()}"))
            with endpoint.connect() as owner:
                owner.query(f"KILL QUERY {victim.thread_id()}")
            return error["arguments"][0], woken()

    assert both(case)[0] == 1095


@pytest.mark.greets_first("with -backend-first the greeting's id is the backend's own")
def test_the_id_of_the_greeting_cannot_be_a_backends_id(weir):
    with weir.raw() as connection:
        assert 0x40000000 <= connection.greeting.connection_id < 0x80000000
    with weir.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        assert cursor.fetchone()[0] < 0x40000000


def test_change_user_by_hand_and_the_session_goes_on(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            connection.change_user("plain", "plain-secret", DATABASE)
            return connection.query("SELECT USER(), CURRENT_USER(), DATABASE()")

    assert any(b"plain@%" in payload for _, payload in both(case))


def test_a_client_library_reads_why_its_session_is_over(both, database):
    def case(endpoint):
        connection = endpoint.connect()
        with connection.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            database.execute(f"KILL {cursor.fetchone()[0]}")
        end = select.poll()
        end.register(connection._sock, select.POLLRDHUP)
        assert end.poll(20000), "the connection is not closed"
        error = failure(lambda: connection.query("SELECT 1"))
        connection._force_close()
        return error["arguments"]

    assert both(case)[0] == 2013
