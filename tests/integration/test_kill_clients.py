# SPDX-License-Identifier: Apache-2.0
"""KILL as client programs and drivers send it, with the connection id that they read from the greeting."""
import contextlib
import pathlib
import re
import signal
import subprocess
import threading

import pymysql
import pytest
from harness.endpoint import DATABASE, PASSWORD, USER
from harness.observe import failure
from harness.paths import INTEGRATION, program
from harness.waiting import wait_for

ASLEEP = "SELECT id FROM information_schema.processlist WHERE state = 'User sleep'"
CONNECTOR_J = pathlib.Path("/usr/share/java/mariadb-java-client.jar")


@contextlib.contextmanager
def asleep(database, run):
    """run() sleeps in the server, in a thread of its own: gives a function that returns its outcome."""
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(failure(run)))

    def woken():
        thread.join(20)
        assert not thread.is_alive(), "the session sleeps on"
        return outcome[0]["arguments"]

    thread.start()
    wait_for(lambda: database.execute(ASLEEP), "the session to be in SLEEP")
    try:
        yield woken
    finally:
        for (number,) in database.execute(ASLEEP):
            with contextlib.suppress(pymysql.err.MySQLError):  # it may have ended just now
                database.execute(f"KILL {number}")
        thread.join(20)


def test_kill_of_connector_c(both, database):
    """mysql_kill() with mysql_thread_id(), by MySQLdb."""
    def case(endpoint):
        victim, killer = endpoint.connect_c(), endpoint.connect_c()
        with asleep(database, lambda: victim.query("SELECT SLEEP(60)")) as woken:
            killer.kill(victim.thread_id())
            return bool(woken()), killer.ping()

    assert both(case)[0]


def test_kill_of_pymysql(both, database):
    def case(endpoint):
        with endpoint.connect() as killer:
            victim = endpoint.connect()
            with asleep(database, lambda: victim.query("SELECT SLEEP(60)")) as woken:
                killer.kill(victim.thread_id())
                is_lost = bool(woken())
                victim._force_close()
            return is_lost, killer.ping()

    assert both(case)[0]


def test_ctrl_c_in_the_mariadb_shell(both, database):
    def case(endpoint):
        shell = subprocess.Popen(
            [program("mariadb"), "--no-defaults", f"--host={endpoint.host}", f"--port={endpoint.port}", "--protocol=tcp",
             f"--user={USER}", f"--password={PASSWORD}", "-e", "SELECT SLEEP(30)", DATABASE],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            wait_for(lambda: database.execute(ASLEEP), "the shell to be in SLEEP")
            shell.send_signal(signal.SIGINT)
            output, errors = shell.communicate(timeout=20)
        finally:
            shell.kill()
        return shell.returncode, re.sub(r"KILL QUERY \d+", "KILL QUERY n", output), errors

    _, output, errors = both(case)
    assert "ERROR 1317 (70100)" in errors and "Query execution was interrupted" in errors and "query killed" in output


@pytest.mark.time_limit(120)
def test_cancel_and_timeout_of_connector_j(both):
    def case(endpoint):
        return endpoint.run(program("java"), "-cp", CONNECTOR_J, INTEGRATION / "clients" / "Cancel.java").stdout

    assert CONNECTOR_J.exists(), "libmariadb-java is not installed: run tools/bootstrap.sh test"
    output = both(case)
    assert output.count("Query execution was interrupted") >= 4 and output.count("it goes on") == 2
