# SPDX-License-Identifier: Apache-2.0
"""The binary log as an endless stream: a replication client reads it through the gateway."""
import subprocess
import threading

import pytest
from harness import raw
from harness.both import difference
from harness.endpoint import PASSWORD, USER
from harness.paths import program
from harness.waiting import wait_for


@pytest.fixture
def log(database):
    """A fresh binary log with a few events in it, and its name."""
    database.execute("DROP DATABASE IF EXISTS logged", "RESET MASTER", "CREATE DATABASE logged",
                     "CREATE TABLE logged.t (a INT, b LONGTEXT)", "INSERT INTO logged.t VALUES (1, 'one'), (2, NULL)",
                     "INSERT INTO logged.t VALUES (3, REPEAT('x', 3000000))", "DROP TABLE logged.t")
    return database.execute("SHOW MASTER STATUS")[0][0]


def binlog_command(endpoint, log, *options):
    return [program("mariadb-binlog"), "--no-defaults", "--read-from-remote-server", f"--host={endpoint.host}",
            f"--port={endpoint.port}", f"--user={USER}", f"--password={PASSWORD}", "--protocol=tcp", *options, log]


def test_the_binary_log_can_be_read_to_its_end(endpoints, log):
    first, second = (endpoint.run(*binlog_command(endpoint, log)).stdout.splitlines() for endpoint in endpoints)
    assert first == second, difference(first, second)
    assert any("CREATE TABLE logged.t" in line for line in first) and sum(map(len, first)) > 3000000


def test_the_binary_log_can_be_followed_while_it_grows(endpoints, database, log, tmp_path):
    for endpoint in endpoints:
        result = tmp_path / f"{endpoint.name}."
        process = subprocess.Popen(binlog_command(endpoint, log, "--raw", "--stop-never", f"--result-file={result}"),
                                   stderr=subprocess.PIPE)
        try:
            copy = tmp_path / f"{endpoint.name}.{log}"
            wait_for(lambda: copy.exists() and b"CREATE TABLE logged.t" in copy.read_bytes(), "the log's old events")
            word = f"grown_{endpoint.name.replace(' ', '_')}"
            database.execute(f"CREATE TABLE logged.{word} (a INT)")
            wait_for(lambda: word.encode() in copy.read_bytes(), "the event that came while it was followed")
        finally:
            process.kill()
            process.communicate()


def test_an_unknown_binary_log_is_the_servers_error(both):
    def case(endpoint):
        done = endpoint.run(*binlog_command(endpoint, "no-such.000001"), check=False)
        return done.returncode, done.stderr

    assert both(case)[0] != 0


def test_a_dump_ends_when_its_session_is_killed(both, database, log):
    def case(endpoint):
        with endpoint.raw(timeout=20) as connection:
            connection.query("SET @master_binlog_checksum = 'NONE', @mariadb_slave_capability = 4")
            connection.send(b"\x12" + (4).to_bytes(4, "little") + b"\0\0" + (99).to_bytes(4, "little") + log.encode())
            packets = [connection.read_packet()]
            ending = threading.Event()

            def kill():
                with endpoint.raw() as killer:
                    killer.query(f"KILL {connection.greeting.connection_id}")
                ending.set()

            wait_for(lambda: database.execute("SELECT COUNT(*) FROM information_schema.processlist "
                                              "WHERE command = 'Binlog Dump' AND state LIKE '%waiting%'")[0][0],
                     "the dump to have sent everything")
            threading.Thread(target=kill).start()
            try:
                while packets[-1][1][:1] == b"\0":
                    packets.append(connection.read_packet())
            except (raw.Closed, ConnectionResetError):
                pass
            ending.wait(20)
            return len([payload for _, payload in packets if payload[0] == 0]) > 5

    assert both(case)
