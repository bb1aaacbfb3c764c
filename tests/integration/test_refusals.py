# SPDX-License-Identifier: Apache-2.0
"""Plugins that refuse: what the client reads, and that nothing of it reaches the backend. And plugins that fail."""
import struct
import subprocess

import pytest
from harness import raw
from harness.endpoint import DATABASE
from harness.events import names
from harness.observe import failure, run

pytestmark = pytest.mark.gateway_only

FORBIDDEN = (1142, "42000", "a word is forbidden in statement {}")


def log_in(weir, user, password):
    with weir.raw(user=user, password=password) as connection:
        connection.query("SELECT 1")


@pytest.mark.greets_first("with -backend-first every client costs the backend a connection")
def test_a_refused_connection_reads_the_plugins_words_and_costs_no_backend_connection(weir, database):
    before = database.connections()
    error = failure(lambda: log_in(weir, "refused", "refused-secret"))
    assert error["arguments"] == (3159, "HY000", "the recorder does not like refused from 127.0.0.1")
    assert failure(lambda: log_in(weir, "refused_by_default", ""))["arguments"] == (1045, "28000", "not today")
    assert failure(lambda: weir.connect(user="refused"))["arguments"][0] == 3159
    assert "ERROR 3159" in weir.shell("SELECT 1", user="refused", check=False).stderr
    assert database.connections() == before + 1  # the one that asks


def test_a_refused_statement_reads_the_plugins_words_and_the_backend_never_sees_it(weir, events, database):
    with weir.raw() as connection:
        connection.query("CREATE OR REPLACE TABLE untouched (a INT)")
        reply = connection.query("INSERT INTO untouched VALUES (1) /* forbidden_word */")
        error = raw.error_of(reply)
        assert error[:2] == FORBIDDEN[:2] and error[2].startswith("a word is forbidden")
        assert reply[0][0] == 1  # the sequence number of a reply
        assert b"\x010" in connection.query("SELECT COUNT(*) FROM untouched")[3][1]  # the connection lives on
        connection.query("DROP TABLE untouched")
        number = connection.greeting.connection_id
    found = [e for e in events.ended(number) if e["point"] == "general" and "forbidden_word" in (e["sql"] or "")]
    assert [e["event"] for e in found] == ["Starting", "Error"]
    assert (found[1]["error_code"], found[1]["sqlstate"], found[1]["message"]) == error


def test_events_name_the_plugin_that_refused(weir, events):
    with weir.raw() as connection:
        connection.query("SELECT nothing FROM nowhere")
        connection.query("SELECT 'forbidden_word'")
        connection.query("forbidden_text")
        connection.query("SELECT nothing FROM nowhere")
        number = connection.greeting.connection_id
    found = events.ended(number)
    assert [e["refused_by"] for e in found if e["event"] == "Error"] == [None, "recorder", "recorder", None]
    assert {e["refused_by"] for e in found if e["event"] != "Error"} == {None}
    for user, by in (("refused", "recorder"), ("nobody_at_all", None)):
        failure(lambda user=user: log_in(weir, user, ""))
        assert events.wait_for(lambda e, user=user: e["event"] == "Reject" and e["user"] == user, "the event")["refused_by"] == by


def test_one_refused_statement_refuses_the_whole_text(weir, database):
    with weir.connect() as connection:
        connection.query("CREATE OR REPLACE TABLE untouched (a INT)")
        for text in ("INSERT INTO untouched VALUES (1); SELECT 'forbidden_word'",
                     "SELECT 'forbidden_word'; INSERT INTO untouched VALUES (1)"):
            error = failure(lambda text=text: connection.query(text))
            assert error["arguments"][0] == 1142
        assert run(connection, "SELECT COUNT(*) FROM untouched")[0]["rows"] == [(0,)]
        connection.query("DROP TABLE untouched")


def test_each_starting_of_a_refused_text_has_its_end(weir, events):
    with weir.raw() as connection:
        connection.query("SELECT 1; SELECT 'forbidden_word'; SELECT 3")
        number = connection.greeting.connection_id
    found = [e for e in events.ended(number) if e["point"] == "general" and e["command"] == "Query"]
    assert [e["event"] for e in found] == ["Starting", "Starting", "Error", "Error"]
    assert {e["error_code"] for e in found if e["event"] == "Error"} == {1142}


def test_a_text_can_be_refused_before_it_is_looked_at(weir, events):
    with weir.raw() as connection:
        assert raw.error_of(connection.query("forbidden_text")) == (1045, "28000", "this text is forbidden")
        assert connection.query("SELECT 1")[0][1] == b"\1"
        number = connection.greeting.connection_id
    found = [e for e in events.ended(number) if "forbidden_text" in (e["sql"] or "") and e["point"] != "connection"]
    assert [e["event"] for e in found] == ["PreParse", "Starting", "Error"]


def test_refused_statements_in_a_pipeline_are_answered_in_their_place(weir):
    with weir.raw() as connection:
        texts = [b"SELECT 1", b"SELECT 'forbidden_word'", b"SELECT SLEEP(0.2)", b"SELECT 'forbidden_word', 2", b"SELECT 3"]
        connection.send_queries(*texts)
        replies = [connection.read_result() for _ in texts]
    assert [bool(raw.error_of(reply)) for reply in replies] == [False, True, False, True, False]
    assert b"\x013" in replies[4][3][1]


def test_a_refused_prepare_and_a_refused_execute(weir):
    with weir.raw() as connection:
        reply = connection.command(bytes([raw.COM_STMT_PREPARE]) + b"SELECT 'forbidden_word'", connection.read_prepared)
        assert raw.error_of(reply)[:2] == FORBIDDEN[:2]
        statement, _ = connection.prepare("SELECT 1")
        execute = bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<I", statement) + b"\0\1\0\0\0"
        assert not raw.error_of(connection.command(execute))
        # Prepared and executed in one go: the execution refers to a statement that there is not.
        last = bytes([raw.COM_STMT_EXECUTE]) + b"\xff\xff\xff\xff" + b"\0\1\0\0\0"
        connection.socket.sendall(connection.frame(bytes([raw.COM_STMT_PREPARE]) + b"SELECT 'forbidden_word'")
                                  + connection.frame(last) + connection.frame(bytes([raw.COM_PING])))
        assert raw.error_of(connection.read_prepared())[0] == 1142
        assert raw.error_of(connection.read_result()), "the statement that was prepared before is executed instead"
        assert connection.read_one()[0][1][:1] == b"\0"


def test_a_refused_local_file_is_never_asked_for(weir):
    with weir.raw() as connection:
        reply = connection.query("LOAD DATA LOCAL INFILE 'forbidden_word' INTO TABLE t")
        assert raw.error_of(reply)[0] == 1142 and len(reply) == 1
        assert connection.query("SELECT 1")


def test_a_large_statement_can_be_refused(weir):
    with weir.raw() as connection:
        assert raw.error_of(connection.query("SELECT '" + "x" * (17 << 20) + "', 'forbidden_word'"))[0] == 1142
        assert raw.error_of(connection.query("SELECT 'forbidden_word', '" + "x" * (17 << 20) + "'"))[0] == 1142
        assert connection.query("SELECT 1")[0][1] == b"\1"


def test_a_refused_change_of_user_closes_the_connection(weir, events):
    with weir.raw() as connection:
        number = connection.greeting.connection_id
        error = failure(lambda: connection.change_user("refused", "refused-secret", DATABASE))
        assert error["arguments"][0] == 3159
        assert connection.at_end() == b""
    assert names(events.ended(number))[-1] == "Disconnect"


def test_a_statement_at_which_a_plugin_fails_is_refused(weir):
    """on_failure is "refuse" for kind Audit: nothing unaudited passes."""
    with weir.raw() as connection:
        error = raw.error_of(connection.query("SELECT 'failing_word'"))
        assert error and "recorder" in error[2]
        assert connection.query("SELECT 1")[0][1] == b"\1"


# ---- The plugin that misbehaves

def misbehaving(gateway, database, place, **settings):
    return gateway(database.address, plugins=["recorder-1", "misbehaves-1"],
                   environment={"MISBEHAVES": place}, **settings)


@pytest.mark.parametrize("place, life", [("Validate", ["Validate"]), ("OnInit", ["Validate", "OnInit", "OnShutdown"])])
def test_a_plugin_that_fails_to_start_stops_the_server_with_a_clear_message(gateway, database, place, life):
    server = misbehaving(gateway, database, place, start=False).launch()
    assert server.process.wait() == 1
    assert "misbehaves" in server.log() and place in server.log()
    assert [event["event"] for event in server.events.all()] == life  # of the plugin before it: what was started is stopped


@pytest.mark.parametrize("place", ["Validate", "OnInit"])
def test_a_plugin_that_fails_to_start_can_be_skipped(gateway, database, place):
    server = misbehaving(gateway, database, place, options=["-skip-plugin-on-failure"])
    assert "misbehaves" in server.log()
    with server.endpoint.connect() as connection:
        rows = run(connection, "SHOW PLUGINS")[0]["rows"]
        assert [row[0] for row in rows if row[1] == "Ready-enable"] == ["recorder"]
        assert run(connection, "SELECT 1")[0]["rows"] == [(1,)]


FAILED = 'plugin misbehaves failed, and its on_failure is "refuse"; the server\'s log says more'


@pytest.mark.parametrize("place", ["PreAuth", "Connected"])
def test_nobody_gets_in_where_a_plugin_fails(gateway, database, place):
    server = misbehaving(gateway, database, place)
    assert failure(lambda: server.endpoint.raw())["arguments"][::2] == (1105, FAILED)
    assert server.process.alive() and f"misbehaves failed in {place}" in server.log()


def test_a_statement_at_whose_start_a_plugin_fails_is_refused(gateway, database):
    server = misbehaving(gateway, database, "Starting")
    with server.endpoint.raw() as connection:
        for _ in range(2):
            assert raw.error_of(connection.query("SELECT 1"))[::2] == (1105, FAILED)
    assert "misbehaves failed in Starting" in server.log()


def test_a_statement_at_whose_end_a_plugin_fails_ends_the_session(gateway, database):
    """It has happened, so that it cannot be refused any more. The error stands in place of the reply; it had the number that
    would have followed it, which clients took for packets out of order."""
    server = misbehaving(gateway, database, "Completed")
    with server.endpoint.raw() as connection:
        connection.send(b"\3SELECT 1")
        packets, rest = connection.packets_to_end()
    assert [number for number, _ in packets] == [1] and not rest
    assert raw.error_of(packets)[::2] == (1105, FAILED)
    assert server.process.alive() and "misbehaves failed in Completed" in server.log()


def test_a_refusal_without_words_names_the_plugin(gateway, database):
    server = misbehaving(gateway, database, "refuse silently")
    with server.endpoint.raw() as connection:
        error = raw.error_of(connection.query("SELECT 1"))
        assert error[:2] == (1045, "28000") and "misbehaves" in error[2]


def test_a_flush_that_fails_is_an_error(gateway, database):
    server = misbehaving(gateway, database, "OnFlush")
    with server.endpoint.connect() as connection:
        assert "misbehaves" in failure(lambda: connection.query("FLUSH TIDB PLUGINS misbehaves"))["arguments"][1]


def test_a_plugin_for_another_version_of_the_abi_is_refused(gateway, database, plugins, tmp_path):
    """A copy of the recorder whose manifest claims a version of the ABI that does not exist yet."""
    copy = (plugins / "recorder-1.so").read_bytes()
    assert copy.count(b'{"api_version": 1,') == 1
    (tmp_path / "recorder-1.so").write_bytes(copy.replace(b'{"api_version": 1,', b'{"api_version": 9,'))
    server = gateway(database.address, plugins=["recorder-1"], start=False, options=["-plugin-dir", tmp_path]).launch()
    assert server.process.wait() == 1
    assert f"{tmp_path}/recorder-1.so: " in server.log() and "version 9 of the plugin API, and this server has version 1" in server.log()


def test_a_plugin_exports_its_manifest_only(plugins):
    symbols = subprocess.run(["nm", "-D", plugins / "recorder-1.so"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in symbols.splitlines() if line.split()[-2] in "DBRTV"] == ["weir_plugin_manifest"]


@pytest.mark.parametrize("name, words", [
    ("missing-1", "missing-1.so: No such file or directory; package it with pluginpkg"),
    ("recorder-2", "recorder-2.so: No such file or directory; package it with pluginpkg"),
    ("recorder", "-plugin-load recorder: a plugin is named NAME-VERSION, as in conn_ip_example-1"),
    ("recorder-1,recorder-1", "-plugin-load recorder-1: plugin recorder is named twice")])
def test_plugins_that_cannot_be_loaded_are_named(gateway, database, name, words):
    server = gateway(database.address, plugins=[name], start=False).launch()
    assert server.process.wait() == 1
    (line,) = [line for line in server.log().splitlines() if " error " in line]
    assert line.endswith(words)
