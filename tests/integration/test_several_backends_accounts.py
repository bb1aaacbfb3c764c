# SPDX-License-Identifier: Apache-2.0
"""Several backends that have an account for the gateway: a KILL of a session at another one, and checks that ask."""
import signal
import struct

import pymysql
import pytest
from harness import raw
from harness.waiting import wait_for
from several_backends_common import FAST, backends, both_run, close_all, connect, pair, where  # noqa: F401
from test_twins import LONGLONG, UNKNOWN, WORKS, error_number, execute

pytestmark = pytest.mark.gateway_only


# ---- KILL ----

@pytest.fixture
def checked(gateway, both_run):
    """A gateway that has an account of its own at both backends, which get sessions in turn."""
    for database in both_run:
        database.execute("CREATE OR REPLACE USER gate@'%' IDENTIFIED VIA ed25519 USING PASSWORD('gate-secret')",
                         "GRANT CONNECTION ADMIN ON *.* TO gate@'%'", "GRANT SUPER ON *.* TO gate@'%'",
                         "CREATE OR REPLACE USER plain@'%' IDENTIFIED BY 'plain-secret'")

    def make(*options, plugins=()):
        addresses = ",".join(database.address for database in both_run)
        return gateway(addresses, options=("-backend-policy", "least-connections", "-backend-check-user", "gate", *FAST, *options),
                       environment={"WEIR_BACKEND_CHECK_PASSWORD": "gate-secret"}, plugins=list(plugins))
    yield make
    for database in both_run:
        database.process.signal(signal.SIGCONT)
        database.execute("DROP USER gate@'%'", "DROP USER plain@'%'")


def at(server, number, **options):
    """A session at the backend with this server_id, and the sessions that were needed to get it."""
    others = []

    def attempt():
        session = connect(server, **options)
        with session.cursor() as cursor:
            cursor.execute("SELECT @@server_id")
            if cursor.fetchone()[0] == number:
                return session
        others.append(session)
        if len(others) > 8:  # the one that is wanted has missed its checks: it will be back
            close_all(*others)
            others.clear()
        return None

    return wait_for(attempt, f"a session at backend {number}"), others


@pytest.mark.parametrize("how", ["text", "command"])
def test_a_kill_goes_to_the_backend_of_the_session(checked, how):
    server = checked()
    (victim, more), (killer, others) = at(server, 1), at(server, 2)
    innocent, rest = at(server, 2)
    try:
        if how == "text":
            with killer.cursor() as cursor:
                cursor.execute(f"KILL {victim.thread_id()}")
        else:
            killer.kill(victim.thread_id())
        with pytest.raises(pymysql.err.OperationalError), victim.cursor() as cursor:
            cursor.execute("SELECT 1")
        for session in (innocent, killer):
            with session.cursor() as cursor:
                cursor.execute("SELECT @@server_id")
                assert cursor.fetchone()[0] == 2
    finally:
        close_all(victim, killer, innocent, *more, *others, *rest)


def kill_raw(server, way, user="root", password=""):
    """The error number that KILL of a session of root's at the first backend gives when asked at the second; 0: it has ended."""
    (victim, more), others = at(server, 1), []
    connection = None
    try:
        while connection is None:
            candidate = raw.RawConnection(server.host, server.port, user=user, password=password)
            if candidate.query("SELECT @@server_id")[-2][1][1:] == b"2":
                connection = candidate
            else:
                others.append(candidate)
        number = error_number(way(connection, victim.thread_id()))
        assert connection.query("SELECT 1")[-1][1][:1] != b"\xff"
        if number:
            with victim.cursor() as cursor:
                cursor.execute("SELECT 1")
        else:
            wait_for(lambda: not alive(victim), "the end of the session")
        return number
    finally:
        close_all(victim, *more)
        for other in (*others, connection):
            if other:
                other.close()


def alive(session):
    try:
        session.ping(reconnect=False)
        return True
    except pymysql.err.Error:
        return False


@pytest.mark.time_limit(120)
@pytest.mark.parametrize("with_plugins", [True, False], ids=["with plugins", "without plugins"])
def test_each_form_of_kill_goes_to_the_backend_of_the_session(checked, with_plugins):
    """They failed with 1094, except a plain text and COM_PROCESS_KILL. Without plugins PREPARE is refused, and EXECUTE knows no s."""
    server = checked(plugins=["recorder-1"] if with_plugins else [])
    refused = {"several": 1235, **({} if with_plugins else {"PREPARE": 1243})}
    for name, way in WORKS.items():
        assert kill_raw(server, way) == refused.get(name, 0), name
    for name, way in UNKNOWN.items():
        assert kill_raw(server, way) == 1094, name
    for name, way in WORKS.items():
        expected = refused.get(name, 1227)
        assert kill_raw(server, way, user="plain", password="plain-secret") == expected, name


def test_a_parameter_of_kill_names_one_here_after_one_elsewhere(checked):
    """The types come with the first execution alone, and the backend has not read that one."""
    server = checked()
    (elsewhere, more), (here, others) = at(server, 1), at(server, 2)
    killer, rest = None, []
    try:
        while killer is None:
            rest.append(raw.RawConnection(server.host, server.port, user="root"))
            if rest[-1].query("SELECT @@server_id")[-2][1][1:] == b"2":
                killer = rest[-1]
        statement, _ = killer.prepare("KILL ?")
        assert error_number(execute(killer, statement, LONGLONG, elsewhere.thread_id())) == 0
        again = killer.command(struct.pack("<BIBI", raw.COM_STMT_EXECUTE, statement, 0, 1) + b"\0\0"
                               + struct.pack("<Q", here.thread_id()))[-1][1]
        assert error_number(again) == 0
        wait_for(lambda: not alive(elsewhere) and not alive(here), "the end of both")
    finally:
        close_all(elsewhere, here, *more, *others)
        for connection in rest:
            connection.close()


def test_a_statement_is_cancelled_at_another_backend(checked, both_run):
    server = checked()
    (victim, more), (killer, others) = at(server, 1, user="plain", password="plain-secret"), \
        at(server, 2, user="plain", password="plain-secret")
    try:
        victim._execute_command(3, "SELECT SLEEP(30)")
        wait_for(lambda: both_run[0].execute("SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'")[0][0],
                 "the statement to run")
        with killer.cursor() as cursor:
            cursor.execute(f"KILL QUERY {victim.thread_id()}")
        with pytest.raises(pymysql.err.OperationalError) as interrupted:
            victim._read_query_result()
        assert interrupted.value.args[0] == 1317
        with victim.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        close_all(victim, killer, *more, *others)


def test_who_may_not_kill_may_not_elsewhere(checked):
    server = checked()
    (victim, more), (killer, others) = at(server, 1), at(server, 2, user="plain", password="plain-secret")
    try:
        with killer.cursor() as cursor, pytest.raises(pymysql.err.OperationalError) as refused:
            cursor.execute(f"KILL {victim.thread_id()}")
        assert refused.value.args[0] == 1227
        with victim.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        close_all(victim, killer, *more, *others)


def test_without_an_account_of_its_own_the_gateway_says_so(gateway, both_run):
    server = gateway(",".join(database.address for database in both_run),
                     options=("-backend-policy", "least-connections", *FAST))
    (victim, more), (killer, others) = at(server, 1), at(server, 2)
    try:
        with killer.cursor() as cursor:
            for text in ("KILL {}", "EXECUTE IMMEDIATE 'KILL {}'"):
                with pytest.raises(pymysql.err.OperationalError) as refused:
                    cursor.execute(text.format(victim.thread_id()))
                assert "give -backend-check-user" in refused.value.args[1]
    finally:
        close_all(victim, killer, *more, *others)


# ---- Checks with an account ----

def test_a_server_that_is_read_only_is_a_standby(gateway, both_run, checked, tmp_path):
    first, second = both_run
    file = tmp_path / "weir.toml"
    file.write_text("".join(f'[[backend]]\naddress = "{database.address}"\nrole = "auto"\n' for database in both_run))
    first.execute("SET GLOBAL read_only = 1")
    try:
        server = gateway(options=("-config", str(file), "-backend-check-user", "gate", *FAST),
                         environment={"WEIR_BACKEND_CHECK_PASSWORD": "gate-secret"})
        assert where(server) == 2
        wait_for(lambda: [backends(server)[database.address]["Role"] for database in both_run] == ["standby", "primary"], "both to have been asked")
        first.execute("SET GLOBAL read_only = 0")
        second.execute("SET GLOBAL read_only = 1")
        wait_for(lambda: where(server) == 1, "the roles to have changed")
    finally:
        for database in both_run:
            database.execute("SET GLOBAL read_only = 0")


def test_a_check_query_takes_a_server_out_and_back(checked, both_run):
    server = checked("-backend-check-query", "SELECT @@global.max_connect_errors = 77", "-backend-check-expect", "0")
    first, _ = both_run
    before = first.execute("SELECT @@global.max_connect_errors")[0][0]
    for number in (1, 2):  # each is up, as soon as its first check is done
        session, others = at(server, number)
        close_all(session, *others)
    first.execute("SET GLOBAL max_connect_errors = 77")
    try:
        wait_for(lambda: backends(server)[first.address]["State"] == "down", "the check to fail")
        assert 'says "1", not "0"' in backends(server)[first.address]["Last_error"]
        assert {where(server) for _ in range(6)} == {2}
    finally:
        first.execute(f"SET GLOBAL max_connect_errors = {before}")
    wait_for(lambda: backends(server)[first.address]["State"] == "up", "the check to succeed")


def test_an_account_that_cannot_log_in_is_said(gateway, both_run):
    first, second = both_run
    server = gateway(f"{first.address},{second.address}", options=("-backend-check-user", "root", "-backend-check-password", "wrong", *FAST))
    server.process.wait_log("the gateway's own account cannot log in")
    assert "Access denied" in server.log()
    assert where(server) in (1, 2)  # the last resort


@pytest.mark.parametrize("options, message", [
    (("-backend-check-query", "SELECT 1"), "give -backend-check-user"),
    (("-backend-check-user", "a", "-backend-check-expect", "1"), "there is no -backend-check-query"),
    (("-backend-check-user", "a", "-backend-check-password-file", "/missing"), "/missing: No such file"),
])
def test_what_is_wrong_in_the_checks_stops_the_start(gateway, options, message):
    server = gateway("tcp://a:1,tcp://b:1", options=options, start=False).launch()
    assert server.process.wait() == 1
    assert message in server.log()
