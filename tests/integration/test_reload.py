# SPDX-License-Identifier: Apache-2.0
"""The configuration is read again while weir serves: by SIGHUP, and by ADMIN RELOAD CONFIG."""
import dataclasses
import os
import pathlib
import shutil
import signal
import socket
import threading

import pymysql
import pytest
from harness.observe import run
from harness.ports import free_port
from harness.sysbench import number, sysbench
from harness.waiting import wait_for
from test_status_port import get

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
    weir.write("workers = 3\nstall-limit = 7\nlevel = 'debug'\n[plugin.settings]\nfixed = 9\n")
    with weir.server.endpoint.connect() as connection:
        for _ in range(2):  # it is still so at the second time
            assert failure(connection, "ADMIN RELOAD CONFIG") is None
            (warnings,) = run(connection, "SHOW WARNINGS")
            assert len(warnings["rows"]) == 1 and warnings["rows"][0][0] == "Warning"
            said = warnings["rows"][0][2]
            assert said.startswith("-workers, -stall-limit differ, and take effect at the next start"), said
            assert "settings_fixed differ in the file: read-only" in said
        assert run(connection, "SELECT @@global.settings_fixed")[0]["rows"] != [(9,)]
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


# ---- Backends


def names_at(connection):
    return {row[0]: row for row in run(connection, "ADMIN SHOW BACKENDS")[0]["rows"]}


def id_of(connection):
    return run(connection, "SELECT @@server_id")[0]["rows"][0][0]


@pytest.fixture(scope="module")
def two(other_database):
    return [other_database(f"reload{number}", f"--server-id={number}") for number in (1, 2)]


def tables(*rows):
    return "backend-check-interval = 100\n" + "".join("[[backend]]\n" + "".join(f"{key} = {value!r}\n" for key, value in row.items()) for row in rows)


def test_backends_come_and_go_and_their_sessions_stay(serve, two, tmp_path):
    one, other = ({"name": name, "address": server.address} for name, server in zip(("one", "other"), two))
    weir = serve(tables(one), backend=None)
    with weir.server.endpoint.connect() as old:
        assert id_of(old) == 1
        weir.apply(tables(other, one))
        with weir.server.endpoint.connect() as new:
            assert id_of(new) == 2
            assert set(names_at(new)) == {"one", "other"}
        weir.apply(tables(other))
        assert id_of(old) == 1
        assert names_at(old)["one"][2:5:2] == ("removed", "1")
    with weir.server.endpoint.connect() as new:
        wait_for(lambda: set(names_at(new)) == {"other"}, "the removed one to be forgotten")
        for _ in range(3):  # back, and away again
            weir.apply(tables(one))
            with weir.server.endpoint.connect() as third:
                assert id_of(third) == 1
            weir.apply(tables(other, one))
        assert id_of(new) == 2


def test_an_address_changes_without_an_error(serve, two):
    weir = serve(tables({"name": "it", "address": two[0].address}), backend=None)
    with weir.server.endpoint.connect() as old:
        weir.apply(tables({"name": "it", "address": two[1].address}))
        with weir.server.endpoint.connect() as new:
            assert (id_of(old), id_of(new)) == (1, 2)


def test_a_removed_backend_can_be_drained(serve, two):
    one, other = ({"name": name, "address": server.address} for name, server in zip(("one", "other"), two))
    weir = serve(tables(one, other), backend=None)
    with weir.server.endpoint.connect() as old:
        weir.apply(tables(other))
        with weir.server.endpoint.connect() as new:
            new.query("ADMIN BACKENDS DRAIN one")
            wait_for(lambda: set(names_at(new)) == {"other"}, "its sessions to end")
        assert failure(old, "SELECT 1")


def test_a_removed_backend_that_vanishes_ends_its_sessions(serve, two):
    """Whoever takes a dead machine out of the file must not keep its sessions waiting."""
    one, other = ({"name": name, "address": server.address} for name, server in zip(("one", "other"), two))
    head = "backend-lost-timeout = 1\nbackend-fall = 1\nconnect-timeout = 2\n"
    weir = serve(head + tables(one, other), backend=None)
    with weir.server.endpoint.connect() as old:
        assert id_of(old) == 1
        two[0].process.freeze()
        try:
            weir.apply(head + tables(other))
            assert "timed out" not in failure(old, "SELECT 1")[1]
        finally:
            two[0].process.signal(signal.SIGCONT)


def test_the_timeout_of_lost_backends_follows_the_file(serve, two):
    one, other = ({"name": name, "address": server.address} for name, server in zip(("one", "other"), two))
    head = "backend-fall = 1\nconnect-timeout = 2\n"
    weir = serve(head + "backend-lost-timeout = 0\n" + tables(one, other), backend=None)
    with weir.server.endpoint.connect() as old:
        assert id_of(old) == 1
        two[0].process.freeze()
        try:
            weir.apply(head + "backend-lost-timeout = 1\n" + tables(one, other))
            assert "timed out" not in failure(old, "SELECT 1")[1]
        finally:
            two[0].process.signal(signal.SIGCONT)


def test_ids_are_the_gateways_once_there_was_another_backend(serve, two):
    """Two servers count alike: KILL of a number that both have given would end the wrong session."""
    one, other = ({"name": name, "address": server.address} for name, server in zip(("one", "other"), two))

    def is_backends(connection):
        return connection.thread_id() == run(connection, "SELECT CONNECTION_ID()")[0]["rows"][0][0]

    weir = serve(tables(one), backend=None, options=["-backend-first"])
    with weir.server.endpoint.connect() as old:
        assert is_backends(old)
        weir.apply("max-connections = 50\n" + tables(one))
        with weir.server.endpoint.connect() as new:
            assert is_backends(new)
        weir.apply(tables(one, other))
        with weir.server.endpoint.connect() as new:
            assert not is_backends(new)
        weir.apply(tables(other))
        with weir.server.endpoint.connect() as new:
            assert id_of(new) == 2 and not is_backends(new)
        assert is_backends(old)


def test_metrics_have_each_name_once(serve, two):
    weir = serve(tables({"name": "it", "address": two[0].address}), backend=None, status=True)
    with weir.server.endpoint.connect() as old:
        weir.apply(tables({"name": "it", "address": two[1].address}))
        with weir.server.endpoint.connect() as new:
            assert (id_of(old), id_of(new)) == (1, 2)
            status, body, _ = get(weir.server, "/metrics")
            series = [line.rpartition(" ")[0] for line in body.splitlines() if not line.startswith("#")]
            assert status == 200 and not {name for name in series if series.count(name) > 1}
            assert 'weir_backend_sessions{backend="it"} 2' in body
        weir.apply(tables({"name": "other", "address": two[1].address}))
        _, body, _ = get(weir.server, "/metrics")
        assert 'weir_backend_state{backend="it",state="removed"} 1' in body


def test_roles_and_weights_change_in_place(serve, two):
    one, other = ({"name": name, "address": server.address} for name, server in zip(("one", "other"), two))
    weir = serve(tables(one, other), backend=None)
    with weir.server.endpoint.connect() as old:
        weir.apply(tables({**one, "role": "standby"}, other))
        assert names_at(old)["one"][4] == "1" and names_at(old)["one"][9] == "standby"
        with weir.server.endpoint.connect() as new:
            assert id_of(new) == 2


def test_a_wrong_backend_changes_nothing(serve, two):
    one = {"name": "one", "address": two[0].address}
    weir = serve(tables(one), backend=None)
    for text, words in ((tables({"name": "one", "address": "db:1"}), "tcp://host:port"), (tables(one, one), "two backends are named one"),
                        (tables({**one, "ssl-ca": "/nowhere.pem", "tls": "verify-ca"}), "/nowhere.pem"), ("", "is a change for the next start")):
        weir.write(text)
        assert words in weir.reload()
    with weir.server.endpoint.connect() as new:
        assert id_of(new) == 1


# ---- Listeners


def greets(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as probe:
            return probe.recv(4096)[4:5] == b"\x0a"
    except ConnectionRefusedError:
        return False


@pytest.fixture
def from_file(gateway, database, tmp_path):
    """The same with a gateway that is told where to listen by its file alone."""
    def start(text):
        config = tmp_path / "weir.toml"
        server = gateway(database.address, options=["-config", str(config)], start=False)
        assert server.arguments[0::2][:3] == ["-host", "-P", "-socket"]
        config.write_text(text(server))
        server.arguments = server.arguments[6:]
        return Reloaded(server.start(), config, "signal")
    return start


def test_listeners_come_and_go_and_their_sessions_stay(from_file, tmp_path):
    first, second = free_port(), free_port()
    weir = from_file(lambda server: f"port = {first}\nsocket = '{server.socket}'\n")
    with pymysql.connect(host="127.0.0.1", port=first, user="root") as connection, connection.cursor() as old:
        weir.apply(f"port = {second}\nsocket = '{weir.server.socket}'\n")
        assert greets(second) and weir.server.greeting()
        wait_for(lambda: not greets(first), "the old port to be closed")
        assert old.execute("SELECT 1") == 1
        other = tmp_path / "other.sock"
        weir.apply(f"port = 0\nsocket = '{other}'\n")
        wait_for(lambda: not greets(second), "the second port to be closed")
        assert other.exists() and not pathlib.Path(weir.server.socket).exists()
        assert old.execute("SELECT 1") == 1
        weir.apply(f"port = {first}\nsocket = '{other}'\n")
        assert greets(first)


def test_an_address_that_is_taken_changes_nothing(from_file):
    first = free_port()
    weir = from_file(lambda server: f"port = {first}\nsocket = '{server.socket}'\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        weir.write(f"port = {taken.getsockname()[1]}\n")
        assert "Address already in use" in weir.reload()
    assert greets(first) and weir.server.greeting()


# ---- Under load


class Clients:
    """Threads that log in, ask and leave, and one that stays, as long as the block runs: none may see an error."""

    def __init__(self, endpoint, count=6):
        self.endpoint, self.ends, self.errors, self.asked = endpoint, threading.Event(), [], 0
        self.threads = [threading.Thread(target=self.ask, args=(number,)) for number in range(count)]

    def ask(self, number):
        try:
            while not self.ends.is_set():
                secured = {"ssl": {"check_hostname": False}} if number % 2 else {}
                with self.endpoint.connect(**secured) as connection:
                    for _ in range(5):
                        assert connection.query("SELECT 1") is not None
                        self.asked += 1
                        while number == 0 and not self.ends.is_set():  # this one never reconnects
                            connection.query("SELECT 1")
        except Exception as error:
            self.errors.append(error)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        for thread in self.threads:
            thread.join()


class Sysbench(threading.Thread):
    """One run of sysbench after the other, as long as the block runs. It ends at the first error that it sees, and so does this."""

    SIZES = {"tables": 1, "table_size": 1000}

    def __init__(self, endpoint, servers):
        super().__init__()
        self.endpoint, self.ends, self.errors, self.transactions = endpoint, threading.Event(), [], 0
        for server in servers:
            server.execute("DROP DATABASE IF EXISTS sbtest", "CREATE DATABASE sbtest")
            sysbench(dataclasses.replace(endpoint, port=server.port), "oltp_read_only", "prepare", **self.SIZES)

    def run(self):
        try:
            while not self.ends.is_set():
                report = sysbench(self.endpoint, "oltp_read_only", "run", threads=4, time=0, events=400, **self.SIZES)
                assert number(report, "ignored errors:") == 0 and number(report, "reconnects:") == 0, report
                self.transactions += number(report, "transactions:")
        except Exception as error:
            self.errors.append(error)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.join()


@pytest.mark.time_limit(600)
def test_reloads_under_load_cost_no_session_and_no_error(serve, two, certificates, tmp_path):
    rounds = int(os.environ.get("WEIR_TEST_ROUNDS", "12"))
    one, other = ({"name": name, "address": server.address} for name, server in zip(("one", "other"), two))
    head = f"ssl-cert = '{tmp_path}/own.pem'\nssl-key = '{tmp_path}/own.key'\n"

    def renew(name):
        for kind in ("pem", "key"):
            shutil.copy(certificates / f"{name}.{kind}", tmp_path / f"own.{kind}")

    renew("server")
    right = [head + tables(one, other), head + tables(other) + "", head + "max-connections = 500\nbackend-policy = 'weights'\n" + tables(other, {**one, "weight": 3}),
             head + "handshake-timeout = 7\n" + tables({**one, "name": "renamed"})]
    wrong = ["nonsense = 1\n", head + tables(one, one), head.replace("own.pem", "gone.pem") + tables(one), "[[backend]]\n"]
    weir = serve(right[0], backend=None)
    load = Sysbench(weir.server.endpoint, two)
    with Clients(weir.server.endpoint) as clients, load:
        for number in range(rounds):
            renew(("server", "named")[number % 2])
            weir.write(wrong[number % len(wrong)] if number % 3 == 2 else right[number % len(right)])
            assert (weir.reload() is None) == (number % 3 != 2)
            asked = clients.asked
            wait_for(lambda: clients.errors or clients.asked > asked, "clients to go on")
            assert not clients.errors and not load.errors
    assert not clients.errors and not load.errors and load.transactions
