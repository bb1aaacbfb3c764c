# SPDX-License-Identifier: Apache-2.0
"""A plugin that never gives its holds back: the client reads who it was, other sessions go on, and the server ends."""
import pytest
from harness import raw
from harness.gateway import serve_others
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

LATE = (1105, "HY000", 'plugin misbehaves failed: it did not answer in 1 s (hold-timeout), and its on_failure is "refuse"')
SQL = "SELECT 'keep_word'"


def start(gateway, database, kind, *options):
    return gateway(database.address, plugins=["recorder-1", "misbehaves-1"], environment={"MISBEHAVES": f"keep {kind}"},
                   options=[str(option) for option in options])


def is_held(server, kind):
    event = "Completed" if kind == "replies" else "Starting"
    server.events.wait_for(lambda e: e["event"] == event and e["point"] == "general" and e["sql"] == SQL, "the statement")


def complaint(kind):
    return f"misbehaves failed in weir_hold_{'reply' if kind == 'replies' else 'verdict'}(): it "


@pytest.mark.parametrize("kind", ["replies", "verdicts"])
def test_a_hold_has_a_limit(gateway, database, kind):
    server = start(gateway, database, kind, "-hold-timeout", 1)
    with server.endpoint.raw() as connection, server.endpoint.raw() as other:
        connection.send(b"\3" + SQL.encode())
        is_held(server, kind)
        serve_others(server.endpoint.raw)
        assert other.query("SELECT 1")
        if kind == "verdicts":  # nothing has happened, and the session goes on
            assert raw.error_of(connection.read_result()) == LATE
            assert connection.query("SELECT 2")[3][1] == b"\0012"
        else:  # it has happened, and nobody knows of it
            packets, rest = connection.packets_to_end()
            assert raw.error_of(packets) == LATE and not rest
        assert complaint(kind) + "did not answer in 1 s (hold-timeout)" in server.log()
        # What comes too late changes nothing.
        other.query("FLUSH TIDB PLUGINS misbehaves")
        assert other.query("SELECT 3")[3][1] == b"\0013"
    server.stop()


@pytest.mark.parametrize("signals", [1, 2])
@pytest.mark.parametrize("kind", ["replies", "verdicts"])
def test_a_kept_hold_does_not_keep_the_server(gateway, database, kind, signals):
    """OnShutdown gives it back, much too late."""
    server = start(gateway, database, kind, "-drain-timeout", 1 if signals == 1 else 60)
    with server.endpoint.raw() as connection, server.endpoint.raw() as gone:
        for one in (connection, gone):
            one.send(b"\3" + SQL.encode())
            is_held(server, kind)
        gone.close()
        server.interrupt()
        server.process.wait_log("stopping")
        if signals == 2:
            server.interrupt()
        connection.packets_to_end()
        assert server.process.wait(20) == 0
    assert complaint(kind) + "has not answered, and the server ends" in server.log()
    found = server.events.all()
    assert [e["event"] for e in found if e["event"] in ("OnShutdown",)] == ["OnShutdown"]
    assert len([e for e in found if e["event"] == "Connected"]) == len([e for e in found if e["event"] == "Disconnect"])


@pytest.mark.parametrize("kind", ["replies", "verdicts"])
def test_a_hold_that_is_kept_is_taken_back_while_the_server_drains(gateway, database, kind):
    server = start(gateway, database, kind, "-hold-timeout", 1, "-drain-timeout", 60)
    with server.endpoint.raw() as connection:
        connection.send(b"\3" + SQL.encode())
        is_held(server, kind)
        server.interrupt()
        packets, rest = connection.packets_to_end()
        assert raw.error_of(packets[:1]) == LATE and not rest
        assert [number for number, _ in packets] == [1]
    assert server.process.wait(20) == 0


def test_a_session_that_has_ended_is_freed_without_its_hold(gateway, database):
    server = start(gateway, database, "verdicts", "-hold-timeout", 1)
    with server.endpoint.raw() as connection:
        connection.send(b"\3" + SQL.encode())
        is_held(server, "verdicts")
        number = connection.greeting.connection_id
    server.events.ended(number)
    wait_for(lambda: complaint("verdicts") in server.log(), "the hold's end")
    server.stop()
