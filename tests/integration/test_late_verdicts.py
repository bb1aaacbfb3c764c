# SPDX-License-Identifier: Apache-2.0
"""ask_service in front of a real server: a verdict that comes later (weir_hold_verdict()), from a service of this file."""
import pathlib
import queue
import re
import select
import signal
import socket
import struct
import threading

import pytest
from harness import raw
from harness.endpoint import DATABASE, USER
from harness.events import names, statements
from harness.packaging import package
from harness.paths import ROOT

pytestmark = pytest.mark.gateway_only

TABLE = f"{DATABASE}.late_verdict"


class Question:
    """A line that the service has not answered yet."""

    def __init__(self, connection, line):
        self.connection, self.line = connection, line

    def answer(self, text):
        self.connection.sendall(text.encode() + b"\n")


class Service:
    """Answers each line with the next of `answers`, None: the question goes to `held` and is answered by the test; and with
    "allow" when there is none."""

    def __init__(self, path):
        self.path = str(path)
        self.answers, self.held, self.lines = queue.Queue(), queue.Queue(), []
        self.start()

    def start(self):
        pathlib.Path(self.path).unlink(missing_ok=True)
        self.connections = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, args=[self.listener], daemon=True).start()

    def accept(self, listener):
        try:
            while True:
                self.connections.append(listener.accept()[0])
                threading.Thread(target=self.serve, args=[self.connections[-1]], daemon=True).start()
        except OSError:
            pass  # stop()

    def serve(self, connection):
        try:
            for line in connection.makefile("r", encoding="latin-1"):
                self.lines.append(line.rstrip("\n"))
                try:
                    answer = self.answers.get_nowait()
                except queue.Empty:
                    answer = "allow"
                if answer is None:
                    self.held.put(Question(connection, line))
                else:
                    connection.sendall(answer.encode() + b"\n")
        except OSError:
            pass

    def hold_next(self):
        self.answers.put(None)

    def next_held(self):
        return self.held.get(timeout=20)

    def stop(self):
        for one in [self.listener, *self.connections]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()


@pytest.fixture(scope="module")
def ask_service(plugins):
    package(ROOT / "plugin" / "ask_service", plugins)
    return "ask_service-1"


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path / "service.sock")
    yield service
    service.stop()


@pytest.fixture
def make_server(gateway, database, ask_service, service, tmp_path):
    def make(timeout="60s"):
        (tmp_path / "weir.toml").write_text(f'[plugin.ask_service]\naddress = "unix://{service.path}"\ntimeout = "{timeout}"\n')
        return gateway(f"tcp://{database.host}:{database.port}", plugins=[ask_service, "recorder-1"],
                       options=["-config", tmp_path / "weir.toml"])
    return make


@pytest.fixture
def server(make_server):
    return make_server()


@pytest.fixture
def no_table(database):
    database.execute(f"DROP TABLE IF EXISTS {TABLE}")
    yield lambda: not database.execute(f"SELECT 1 FROM information_schema.tables WHERE table_name = 'late_verdict'")
    database.execute(f"DROP TABLE IF EXISTS {TABLE}")


def others_are_served(server):
    for _ in range(8):  # on every worker
        with server.endpoint.raw() as connection:
            assert raw.error_of(connection.query("SELECT 1")) is None


def silent(connection):
    return not select.select([connection.socket], [], [], 0)[0]


def begins_and_ends_match(events):
    return len(statements(events, "Starting")) == len(statements(events)) + len(statements(events, "Error"))


def test_what_is_allowed_runs(server, service):
    with server.endpoint.raw() as connection:
        assert b"41" in connection.query("SELECT 41")[3][1]
    assert re.fullmatch(rf"{USER} \S+ [0-9a-f]{{64}}", service.lines[-1])


def test_what_is_denied_never_reaches_the_backend(server, service, no_table):
    with server.endpoint.raw() as connection:
        service.answers.put("deny not on Fridays")
        error = raw.error_of(connection.query(f"CREATE TABLE {TABLE} (a INT)"))
        assert error == (1045, "28000", "Statement denied: not on Fridays")
        assert raw.error_of(connection.query("SELECT 1")) is None, "the session goes on"
    assert no_table()
    refused = statements(server.events.ended(connection.greeting.connection_id), "Error")
    assert [event["refused_by"] for event in refused] == ["ask_service"]


def test_a_text_is_asked_about_statement_by_statement(server, service, no_table):
    with server.endpoint.raw() as connection:
        service.answers.put("allow")
        service.answers.put("deny the second")
        packets = connection.query(f"CREATE TABLE {TABLE} (a INT); DO 2")
        assert raw.error_of(packets) == (1045, "28000", "Statement denied: the second")
    assert no_table()
    assert begins_and_ends_match(server.events.ended(connection.greeting.connection_id))


def test_a_client_waits_and_others_do_not(server, service):
    with server.endpoint.raw() as connection:
        service.hold_next()
        connection.send(b"\3SELECT 42")
        question = service.next_held()
        others_are_served(server)
        assert silent(connection)
        question.answer("allow")
        assert b"42" in connection.read_result()[3][1]
        assert raw.error_of(connection.query("SELECT 1")) is None


def test_pipelined_commands_wait_for_their_turn(server, service):
    with server.endpoint.raw() as connection:
        service.hold_next()
        texts = ["SELECT 51", "SELECT 52", "SELECT 53"]
        connection.socket.sendall(b"".join(connection.frame(b"\3" + text.encode()) for text in texts))
        question = service.next_held()
        others_are_served(server)
        assert silent(connection)
        question.answer("deny only this one")
        assert raw.error_of(connection.read_result())[2] == "Statement denied: only this one"
        assert b"52" in connection.read_result()[3][1]
        assert b"53" in connection.read_result()[3][1]


def test_without_the_service_statements_are_refused(server, service):
    with server.endpoint.raw() as connection:
        assert raw.error_of(connection.query("SELECT 1")) is None
        service.stop()
        error = raw.error_of(connection.query("SELECT 1"))
        assert error[0] == 1105 and "ask_service" in error[2] and "on_failure" in error[2]
        service.start()
        assert raw.error_of(connection.query("SELECT 1")) is None


def test_a_service_that_does_not_answer_in_time(make_server, service):
    server = make_server(timeout="50ms")
    with server.endpoint.raw() as connection:
        service.hold_next()
        error = raw.error_of(connection.query("SELECT 1"))
        assert error[0] == 1105 and "ask_service" in error[2]
        server.process.wait_log("the service has not answered in time")
        service.next_held()


def test_a_session_that_loses_its_backend_first(server, service, database, no_table):
    with server.endpoint.raw() as connection:
        service.hold_next()
        connection.send(b"\3" + f"CREATE TABLE {TABLE} (a INT)".encode())
        question = service.next_held()
        number = connection.greeting.connection_id
        starting = server.events.wait_for(lambda e: e["event"] == "Starting" and e["connection_id"] == number, "Starting")
        database.execute(f"KILL {starting['backend_connection_id']}")
        events = server.events.ended(number)  # before the answer
        question.answer("allow")
        others_are_served(server)
    assert names(events).count("Disconnect") == 1 and begins_and_ends_match(events)
    assert no_table()


def resets(connection):
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.socket.close()


@pytest.mark.parametrize("answer", ["allow", "deny too late"])
@pytest.mark.parametrize("leave", [raw.RawConnection.close, resets])
def test_a_client_that_leaves_first(server, service, no_table, answer, leave):
    """A statement that has been sent is run, as by a server that comes to it late; but nothing is for who is known to be gone."""
    connection = server.endpoint.raw()
    number = connection.greeting.connection_id
    service.hold_next()
    connection.send(b"\3" + f"CREATE TABLE {TABLE} (a INT)".encode())
    question = service.next_held()
    leave(connection)
    if leave is resets:
        server.events.ended(number)
    others_are_served(server)
    question.answer(answer)
    events = server.events.ended(number)
    assert names(events).count("Disconnect") == 1 and begins_and_ends_match(events)
    others_are_served(server)
    assert no_table() == (leave is resets or answer != "allow")
    if leave is resets:
        assert events[-2]["message"] == "the client closed the connection; it was not run"


def test_a_client_that_sends_no_more_reads_its_answer(server, service):
    with server.endpoint.raw() as connection:
        service.hold_next()
        connection.send(b"\3SELECT 'late'")
        question = service.next_held()
        connection.socket.shutdown(socket.SHUT_WR)
        others_are_served(server)
        question.answer("allow")
        assert b"\x04late" in connection.at_end()


def test_a_drain_waits_for_the_verdict(server, service):
    with server.endpoint.raw() as connection:
        service.hold_next()
        connection.send(b"\3SELECT 61")
        question = service.next_held()
        server.process.signal(signal.SIGTERM)
        server.process.wait_log("stopping")
        question.answer("allow")
        assert b"61" in connection.read_result()[3][1]
        connection.at_end()
    assert server.process.wait() == 0
    assert server.events.all()[-1]["event"] == "OnShutdown"
