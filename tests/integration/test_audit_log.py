# SPDX-License-Identifier: Apache-2.0
"""audit_log: what its records say, with real clients and a real database."""
import base64
import gzip
import json
import os
import re
import stat
import struct

import pytest
from audit_log_common import AuditedGateway, statements
from harness import raw
from harness.observe import failure
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only


def session(audited, *texts, **login):
    """Runs statements in a session of its own and returns its records."""
    with audited.endpoint.connect(**login) as connection:
        number = connection.thread_id()
        for text in texts:
            try:
                with connection.cursor() as cursor:
                    cursor.execute(text)
            except Exception:  # noqa: BLE001 - the record tells
                pass
    return audited.ended(number)


def test_a_session_from_its_beginning_to_its_end(audited):
    server = audited()
    records = session(server, "CREATE OR REPLACE TABLE t (a INT)", "INSERT INTO t VALUES (1), (2)", "SELECT a FROM t", "SELEC")
    assert records[0]["event"] == "Connect" and records[-1]["event"] == "Disconnect"
    connect = records[0]
    assert (connect["user"], connect["account"], connect["client_ip"], connect["database"], connect["connection_type"]) == (
        "tester", "tester@%", "127.0.0.1", "weir_case", "TCP")
    assert connect["auth_method"] == "mysql_native_password" and connect["attributes"]["_client_name"] == "pymysql"
    create, insert, select = [r for r in statements(records) if r["command"] == "Query"][-3:]
    assert insert["sql"] == "INSERT INTO t VALUES (1), (2)" and insert["affected_rows"] == 2 and insert["kind"] == "Insert"
    assert select["rows"] == 2 and select["bytes"] > 0 and re.fullmatch("[0-9a-f]{64}", select["digest"])
    assert select["tables"] == [{"schema": "weir_case", "name": "t", "access": ["read"]}] and select["tables_known"] == 1
    assert insert["tables"][0]["access"] == ["write"]
    (error,) = statements(records, "Error")
    assert error["error_code"] == 1064 and error["sqlstate"] == "42000" and "SELEC" in error["message"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", r["time"]) for r in records)
    assert records[-1]["duration_us"] > 0


def test_a_record_names_the_routines_that_a_statement_calls(audited):
    server = audited()
    records = session(server, "CREATE OR REPLACE TABLE t (a INT)", "CREATE OR REPLACE FUNCTION f(x INT) RETURNS INT READS SQL DATA RETURN (SELECT COUNT(a) + x FROM t)",
                      "CREATE OR REPLACE PROCEDURE p() INSERT INTO t VALUES (f(1))", "CALL p()", "SELECT f(2)", "SELECT ABS(-1)",
                      "DROP PROCEDURE p", "DROP FUNCTION f")
    call, function, own = [one for one in statements(records) if one.get("sql") in ("CALL p()", "SELECT f(2)", "SELECT ABS(-1)")]
    assert call["routines"] == [{"schema": "weir_case", "name": "p", "how": "call"}] and call["tables_known"] == 0
    assert function["routines"] == [{"schema": "weir_case", "name": "f", "how": "function"}] and function["tables_known"] == 0
    assert "routines" not in own and own["tables_known"] == 1


def test_sequence_numbers_have_no_gap_and_the_log_has_a_start_and_a_stop(audited):
    server = audited()
    session(server, *[f"SELECT {i}" for i in range(50)])
    server.server.stop()
    records = server.records()
    assert [r["seq"] for r in records] == list(range(1, len(records) + 1))
    assert records[0]["event"] == "Start" and records[-1]["event"] == "Stop"
    assert stat.S_IMODE(os.stat(server.path).st_mode) == 0o600
    server.server.start()
    session(server, "SELECT 1")
    server.server.stop()
    records = server.records()
    assert [r["seq"] for r in records] == list(range(1, len(records) + 1))
    assert [r["event"] for r in records].count("Start") == 2


def test_changes_of_plugins_are_recorded_also_its_own(audited):
    server = audited()
    session(server, "FLUSH TIDB PLUGINS audit_log", "ADMIN PLUGINS DISABLE audit_log", "SELECT 'unheard'", "ADMIN PLUGINS ENABLE audit_log")
    server.wait_for(lambda r: r.get("detail") == "Enabled")
    changes = [r for r in server.records() if r["event"] == "Plugin"]
    assert [(r["plugin"], r["detail"], r["user"]) for r in changes] == [
        ("audit_log", detail, "tester") for detail in ("Flushed", "Disabling", "Enabled")]
    assert not [r for r in server.records() if "unheard" in r.get("sql", "")]


def test_rejected_clients_are_recorded(audited):
    server = audited()
    failure(lambda: server.endpoint.connect(password="wrong"))
    record = server.wait_for(lambda r: r["event"] == "Reject" and "user" in r)
    assert record["user"] == "tester" and record["error_code"] == 1045 and "Access denied" in record["reason"]


@pytest.mark.parametrize("sql", ["CREATE OR REPLACE USER secret@'%' IDENTIFIED BY 'hunter2'", "SET PASSWORD FOR limited@'%' = 'hunter2'",
                                 "ALTER USER nobody@nowhere IDENTIFIED BY 'hunter2'", "CREATE USRE x IDENTIFIED BY 'hunter2'",
                                 "GRANT USAGE ON *.* TO 'limited'@'%' IDENTIFIED BY 'hunter2'",
                                 "PREPARE s FROM 'CREATE OR REPLACE USER secret IDENTIFIED BY ''hunter2'''",
                                 "CHANGE MASTER 'x' TO MASTER_HOST='h', MASTER_PASSWORD='hunter2'"])
def test_passwords_are_never_written(audited, database, sql):
    server = audited(starting=True)
    records = session(server, sql)
    database.execute("SET PASSWORD FOR limited@'%' = PASSWORD('limited-secret')")
    assert b"hunter2" not in server.path.read_bytes()
    assert [r for r in records if r.get("masked") == 1 and "'***'" in r["sql"]]


def test_parameters_of_prepared_statements(audited):
    server = audited()
    with server.endpoint.raw() as connection:
        statement, _ = connection.prepare("SELECT ?, ? + 1, ?")
        types = struct.pack("<HHH", 253, 0x8008, 6)
        connection.command(bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<I", statement) + b"\0\1\0\0\0\4\1" + types
                           + raw.text(b"it's") + struct.pack("<Q", 2**64 - 2))
        number = connection.greeting.connection_id
    prepare, execute = [r for r in statements(server.ended(number)) if r["command"] in ("Prepare", "Execute")]
    assert prepare["prepared_id"] == execute["prepared_id"] and execute["sql"] == "SELECT ?, ? + 1, ?"
    assert [p["value"] for p in execute["parameters"]] == ["it's", "18446744073709551614", None]


def test_long_texts_are_cut_and_marked(audited):
    server = audited(sql_limit=100)
    text = "SELECT '" + "x" * 500 + "'"
    (record,) = [r for r in statements(session(server, text)) if "xxx" in r["sql"]]
    assert len(record["sql"]) == 100 and record["sql_size"] == len(text)


def test_bytes_that_are_no_utf8_are_kept_exactly(audited):
    server = audited()
    with server.endpoint.raw() as connection:
        connection.query(b"SELECT '\xff\xfe'")
        number = connection.greeting.connection_id
    (record,) = [r for r in server.ended(number) if r.get("sql", "").startswith("SELECT '")]
    assert base64.b64decode(record["sql_base64"]) == b"SELECT '\xff\xfe'" and "\ufffd" in record["sql"]


def test_roles_are_recorded_when_they_change(audited):
    server = audited()
    records = session(server, "SELECT 1", "SET ROLE reader", "SELECT 2")
    first, second = [next(r for r in statements(records) if r["sql"] == text) for text in ("SELECT 1", "SELECT 2")]
    assert "roles" not in first and second["roles"] == "reader"


@pytest.mark.parametrize("strategy", ["ASYNCHRONOUS", "PERFORMANCE", "SEMISYNCHRONOUS", "SYNCHRONOUS"])
def test_every_strategy_writes_everything(audited, strategy):
    server = audited(strategy=strategy, chain=True)
    records = session(server, *[f"SELECT {i}" for i in range(200)])
    assert [r["sql"] for r in statements(records) if r["kind"] == "Select"] == [f"SELECT {i}" for i in range(200)]


@pytest.mark.parametrize("strategy", ["SEMISYNCHRONOUS", "SYNCHRONOUS"])
def test_what_a_client_has_read_is_in_the_log(audited, strategy):
    server = audited(strategy=strategy)
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        for i in range(100):
            cursor.execute(f"SELECT {i}")
            assert statements(server.records())[-1]["sql"] == f"SELECT {i}"


def test_flush_opens_the_file_again(audited):
    server = audited()
    session(server, "SELECT 1")
    moved = server.path.with_name("moved")
    server.path.rename(moved)
    with server.endpoint.connect() as connection:
        connection.query("FLUSH TIDB PLUGINS audit_log")
    wait_for(server.path.exists, "the new file")
    records = session(server, "SELECT 'after'")
    assert statements(records) and not b"'after'" in moved.read_bytes()
    old = server.records(moved)
    assert server.records()[0]["seq"] == old[-1]["seq"] + 1


def test_rotation_by_size_keeps_numbers_and_files(audited):
    server = audited(rotate_on_size=20000, rotations=3, compress=True)
    session(server, *[f"SELECT {i}" for i in range(500)])
    wait_for(lambda: [path.suffix for path in server.rotated()] == [".gz"] * 3, "three compressed files, and no more")
    kept = [json.loads(line) for path in server.rotated() for line in gzip.decompress(path.read_bytes()).splitlines()]
    kept += server.records()
    assert [r["seq"] for r in kept] == list(range(kept[0]["seq"], kept[0]["seq"] + len(kept))) and kept[0]["seq"] > 1
    assert kept[-1]["event"] == "Disconnect"
    assert server.path.stat().st_size <= 20000


def test_a_removed_file_is_begun_anew_and_announced(audited):
    server = audited()
    session(server, "SELECT 1")
    server.path.unlink()
    session(server, "SELECT 2")
    server.wait_for(lambda r: r["event"] == "Reopen", "the announcement")
    assert "had been removed" in server.server.log()


def test_two_servers_cannot_write_one_log(audited, gateway, database, tmp_path):
    server = audited()
    with pytest.raises(AssertionError, match="in use by another process"):
        AuditedGateway(gateway, database.address, tmp_path / "second",
                       settings={"file": str(server.path)})


def test_status_tells_what_was_written(audited):
    server = audited()
    def status():
        with server.endpoint.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'audit_log%'")
            return {name.lower(): int(value) for name, value in cursor.fetchall() if value.isdigit()}

    before = status()
    recorded = session(server, "SELECT 1")
    after = status()
    assert after["audit_log_events"] - before["audit_log_events"] >= len(recorded) and after["audit_log_lost"] == 0


def test_filters_choose_refuse_and_redact(audited, tmp_path):
    query = {"name": "general_query.str", "print": False, "replace": {"function": {"name": "query_digest"}}}
    secret = {"field": {"name": "table_name.str", "value": "secrets"}}
    filters = {"filters": {
        "careful": {"filter": {"class": [
            {"name": "connection", "event": {"name": "connect"}},
            {"name": "general", "event": {"name": "status", "print": {"field": query}}},
            {"name": "table_access", "event": {"name": ["insert", "update", "delete"], "abort": secret}}]}}},
        "users": {"tester@%": "careful"}}
    file = tmp_path / "my.filters"
    server = audited(filter_file=str(file))
    assert "Disconnect" in [r["event"] for r in session(server, "SELECT 1")]
    file.write_text(json.dumps(filters))
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("FLUSH TIDB PLUGINS audit_log")
        cursor.execute("CREATE OR REPLACE TABLE secrets (a INT)")
        error = failure(lambda: cursor.execute("INSERT INTO secrets VALUES (4711)"))
        assert error["arguments"] == (1045, "Statement was aborted by an audit log filter")
        cursor.execute("SELECT 4712")
        number = connection.thread_id()
        record = server.wait_for(lambda r: r.get("connection_id") == number and r.get("redacted") and "select" in r["sql"])
        file.write_text('{"filters": {"x": {"filter": {"class": {"name": "nothing"}}}}}')
        assert 'no class "nothing"' in failure(lambda: cursor.execute("FLUSH TIDB PLUGINS audit_log"))["arguments"][1]
    assert record["sql"] == "select ?"
    refused = server.wait_for(lambda r: r.get("connection_id") == number and r.get("error_code") == 1045)
    assert "insert" in refused["sql"] and "4711" not in refused["sql"]
