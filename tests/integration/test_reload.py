# SPDX-License-Identifier: Apache-2.0
"""The configuration is read again while weir serves: by SIGHUP, and by ADMIN RELOAD CONFIG."""
import signal

import pymysql
import pytest
from harness.observe import run
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

DONE = "configuration and certificates read again"


def failure(connection, sql):
    """(code, message) of its error; None: there is none."""
    try:
        connection.query(sql)
    except pymysql.err.MySQLError as error:
        return error.args
    return None


class Reloaded:
    """A gateway with a file of its own; by: how it is told to read it again."""

    def __init__(self, server, config, by):
        self.server, self.config, self.by = server, config, by

    def write(self, text):
        self.config.write_text(text)

    def reload(self):
        """Returns None, or the error."""
        if self.by == "statement":
            with self.server.endpoint.connect() as connection:
                return failure(connection, "ADMIN RELOAD CONFIG")
        before = self.outcomes()
        self.server.process.signal(signal.SIGHUP)
        wait_for(lambda: len(self.outcomes()) > len(before), "the reload to end")
        outcome = self.outcomes()[-1]
        return None if DONE in outcome else outcome

    def outcomes(self):
        return [line for line in self.server.log().splitlines() if ("SIGHUP: " in line or "ADMIN RELOAD CONFIG: " in line) and
                (DONE in line or "nothing was changed" in line)]

    def apply(self, text):
        self.write(text)
        error = self.reload()
        assert error is None, error


@pytest.fixture
def serve(gateway, database, plugins, tmp_path):
    def start(text="", by="signal", options=(), backend="database", loaded=(), **settings):
        config = tmp_path / "weir.toml"
        config.write_text(text)
        server = gateway(database.address if backend == "database" else backend, plugins=list(loaded),
                         options=["-config", str(config), *options], **settings)
        return Reloaded(server, config, by)
    return start


def can_connect(endpoint):
    try:
        endpoint.connect().close()
    except pymysql.err.OperationalError as error:
        return error.args[0]
    return True


def connect(weir):
    """Whoever looked whether it serves may still be counted."""
    wait_for(lambda: can_connect(weir.server.endpoint) is True, "a free connection")
    return wait_for(lambda: try_to_connect(weir), "a connection")


def try_to_connect(weir):
    try:
        return weir.server.endpoint.connect()
    except pymysql.err.OperationalError:
        return None


@pytest.mark.parametrize("by", ["signal", "statement"])
def test_what_changes_for_new_connections_does_and_sessions_stay(serve, by):
    weir = serve("max-connections = 10\nmax-command-bytes = 100000\n", by)
    with weir.server.endpoint.connect() as connection:
        big = "SELECT LENGTH('" + "x" * 60000 + "')"
        assert run(connection, big)[0]["rows"] == [(60000,)]
        weir.apply("max-connections = 2\nmax-command-bytes = 50000\n")
        assert run(connection, "SELECT 1")[0]["rows"] == [(1,)]
        with connect(weir) as second:
            assert can_connect(weir.server.endpoint) == 1040
            assert failure(second, big)[0] in (1153, 2013, 2006)


@pytest.mark.parametrize("by", ["signal", "statement"])
@pytest.mark.parametrize("text, words", [
    ("max-connections = 5\nmax-conections = 5\n", 'weir.toml:2: key "max-conections": no such option; did you mean "max-connections"?'),
    ("max-connections = 5\nlevel = 'loud'\n", 'weir.toml:2: level: "loud" is not one of'),
    ("max-connections = 5\nssl-cert = '/nowhere.pem'\n", "-ssl-cert /nowhere.pem"),
    ("max-connections = 5\nrequire-secure-transport = true\n", "-require-secure-transport: there is no certificate"),
    ("max-connections = 5\nproxy-protocol-networks = '10.0.0.0/99'\n", "10.0.0.0/99"),
    ("max-connections = 5\ncompression = 'lzma'\n", "-compression: 'lzma' is none of"),
    ("max-connections = 5\nlog-file = '/nowhere/weir.log'\n", "log file /nowhere/weir.log"),
    ("max-connections = ", "weir.toml:1"),
])
def test_a_wrong_file_changes_nothing_and_is_named_with_its_line(serve, by, text, words):
    weir = serve("max-connections = 1\n", by)
    with connect(weir) as connection:
        weir.write(text)
        if by == "statement":
            code, message = failure(connection, "ADMIN RELOAD CONFIG")
            assert (code, words in message) == (1105, True), message
        else:
            assert words in weir.reload()
        assert can_connect(weir.server.endpoint) == 1040
        assert run(connection, "SELECT 1")[0]["rows"] == [(1,)]
    assert "nothing was changed" in weir.outcomes()[-1]


def test_what_needs_a_restart_is_named_and_stays(serve):
    weir = serve("workers = 2\nlevel = 'info'\n", "statement", loaded=["settings-1"])
    weir.write("workers = 3\nstall-limit = 7\nlevel = 'debug'\n[plugin.settings]\nlimit = 9\n")
    with weir.server.endpoint.connect() as connection:
        for _ in range(2):  # it is still so at the second time
            assert failure(connection, "ADMIN RELOAD CONFIG") is None
            (warnings,) = run(connection, "SHOW WARNINGS")
            assert len(warnings["rows"]) == 1 and warnings["rows"][0][0] == "Warning"
            said = warnings["rows"][0][2]
            assert said.startswith("-workers, -stall-limit differ, and take effect at the next start"), said
            assert "settings.limit; SET GLOBAL" in said
        assert run(connection, "SELECT @@global.settings_limit")[0]["rows"] != [(9,)]
    assert "-workers, -stall-limit differ" in weir.server.log()


def test_the_command_line_still_wins(serve):
    weir = serve("", options=["-max-connections", "1"])
    weir.apply("max-connections = 100\n")
    with connect(weir):
        assert can_connect(weir.server.endpoint) == 1040


def test_the_log_follows_its_option(serve, tmp_path):
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    weir = serve(f"log-file = '{first}'\nlevel = 'info'\n")
    weir.write(f"log-file = '{second}'\nlevel = 'error'\n")
    weir.server.process.signal(signal.SIGHUP)
    wait_for(lambda: second.exists(), "the second log")
    weir.write("")
    weir.server.process.signal(signal.SIGHUP)
    wait_for(lambda: DONE in weir.server.log(), "the log to come back")
    assert DONE not in first.read_text() + second.read_text()


def test_a_rotated_log_is_opened_again_though_the_file_is_wrong(serve, tmp_path):
    log = tmp_path / "weir.log"
    weir = serve(f"log-file = '{log}'\n")
    log.rename(tmp_path / "weir.log.1")
    weir.write("nonsense = 1\n")
    weir.server.process.signal(signal.SIGHUP)
    wait_for(lambda: log.exists() and "nothing was changed" in log.read_text(), "the new log")
