# SPDX-License-Identifier: Apache-2.0
"""audit_log's filters: the functions that manage them, what survives a restart, and what the language does to real events."""
import json
import pathlib
import stat

import pytest
from audit_log_common import statements
from harness.observe import failure

pytestmark = pytest.mark.gateway_only


@pytest.fixture
def audited(audited):
    return lambda: audited(filter_file="audit_log_filters.json")


def ask(connection, sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        (row,) = cursor.fetchall()
    return row[0]


def set_filter(connection, name, definition):
    return ask(connection, "SELECT audit_log_filter_set_filter(%s, %s)", name, json.dumps({"filter": definition}))


def set_user(connection, account, name):
    return ask(connection, "SELECT audit_log_filter_set_user(%s, %s)", account, name)


def run(server, *texts, **login):
    """Statements in a session of their own; returns the texts of its records' statements that are not SET and the like."""
    with server.endpoint.connect(**login) as connection, connection.cursor() as cursor:
        for text in texts:
            try:
                cursor.execute(text)
            except Exception:  # noqa: BLE001 - the record tells
                pass
    return connection.thread_id()


def marked(server, mark, event="Completed"):
    """The texts with this mark, of what is recorded up to a statement that comes now and is always recorded."""
    with server.endpoint.connect(user="limited", password="limited-secret") as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT 'end of {mark}'")
    server.wait_for(lambda r: r.get("sql") == f"SELECT 'end of {mark}'")
    return [r["sql"] for r in statements(server.records(), event) if mark in r["sql"] and "end of" not in r["sql"]]


def test_functions_change_what_is_recorded_at_once_and_for_good(audited, tmp_path):
    server = audited()
    with server.endpoint.connect() as connection:
        assert ask(connection, "SELECT audit_log_session_filter_id()") == "0"
        assert set_filter(connection, "nothing", {"log": False}) == "OK"
        assert set_user(connection, "tester@%", "nothing") == "OK"
        assert ask(connection, "SELECT audit_log_session_filter_id()") == "1"
        ask(connection, "SELECT 'one silent'")
        (file,) = pathlib.Path(server.server.folder).rglob("audit_log_filters.json")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text()) == {"filters": {"nothing": {"filter": {"log": False}}},
                                                "users": {"tester@%": "nothing"}}
        server.server.stop()
    server.server.start()
    run(server, "SELECT 'two silent'")
    assert marked(server, "silent") == []
    with server.endpoint.connect() as connection:
        assert ask(connection, "SELECT audit_log_filter_remove_user('tester@%')") == "OK"
        ask(connection, "SELECT 'three heard'")
        set_user(connection, "%", "nothing")
        set_filter(connection, "everything", {})
        set_user(connection, "limited@%", "everything")
        ask(connection, "SELECT 'four unheard'")
        assert ask(connection, "SELECT audit_log_filter_remove_filter('nothing')") == "OK"
        ask(connection, "SELECT 'five heard'")
    assert marked(server, "heard") == ["SELECT 'three heard'", "SELECT 'five heard'"]
    assert json.loads(file.read_text())["users"] == {"limited@%": "everything"}


def test_mistakes_are_answered_with_a_sentence_and_change_nothing(audited):
    server = audited()
    with server.endpoint.connect() as connection:
        assert set_filter(connection, "f", {}) == "OK"
        for sql, answer in [
            ("SELECT audit_log_filter_set_filter('', '{}')", "the name of a filter has 1 to 255 bytes"),
            ("SELECT audit_log_filter_set_filter('f', '{')", "the definition is no JSON"),
            ("SELECT audit_log_filter_set_filter('f', '{\"filter\": {\"class\": {\"name\": \"message\"}}}')", "not supported"),
            ("SELECT audit_log_filter_set_filter('f', NULL)", "none is NULL"),
            ("SELECT audit_log_filter_set_user('a b@%', 'f')", "no account"),
            ("SELECT audit_log_filter_set_user('\\'a@%', 'f')", "has a quote that is not closed"),
            ("SELECT audit_log_filter_set_user('%@%', 'f')", "user names have no wildcards"),
            ("SELECT audit_log_filter_set_user('a@b', 'g')", "there is no filter \"g\""),
        ]:
            found = ask(connection, sql)
            assert found.startswith("ERROR: ") and answer in found, sql
        for sql in ["SELECT audit_log_filter_remove_filter('g')", "SELECT audit_log_filter_remove_user('g@h')",
                    "SELECT audit_log_filter_flush()"]:
            assert ask(connection, sql) == "OK"
    with server.endpoint.connect(user="limited", password="limited-secret") as connection:
        error = failure(lambda: ask(connection, "SELECT audit_log_filter_flush()"))
        assert error["arguments"][0] == 1227
        assert ask(connection, "SELECT audit_log_session_filter_id()") == "0"


@pytest.mark.parametrize("account", ["'tester'@'%'", '"tester"@"%"', "`tester`@`%`", "'tester'", "tester"])
def test_accounts_are_read_as_the_server_does(audited, account):
    """In quotes, or without a host, an account was stored as it stood, and matched nobody."""
    server = audited()
    with server.endpoint.connect() as connection:
        set_filter(connection, "nothing", {"log": False})
        assert set_user(connection, account, "nothing") == "OK"
        ask(connection, "SELECT 'not recorded'")
        assert ask(connection, "SELECT audit_log_filter_remove_user(%s)", account) == "OK"
        ask(connection, "SELECT 'recorded again'")
    assert marked(server, "recorded again") and not marked(server, "not recorded")


def test_lists_of_accounts_in_variables_are_checked(audited):
    server = audited()
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        for name in ("audit_log_include_accounts", "audit_log_exclude_accounts", "audit_log_abort_exempt"):
            error = failure(lambda name=name: cursor.execute(f"SET GLOBAL {name} = 'a@b, c d, e'"))
            assert error["arguments"][0] == 1231 and '"c d" is no account' in error["arguments"][1], error
            cursor.execute(f"SET GLOBAL {name} = %s", ("'o''brien'@'%', web",))
            assert ask(connection, f"SELECT @@{name}") == "'o''brien'@'%', web"
            cursor.execute(f"SET GLOBAL {name} = ''")


def test_a_file_edited_by_hand_is_read_by_flush(audited):
    server = audited()
    with server.endpoint.connect() as connection:
        set_filter(connection, "f", {})
        (file,) = pathlib.Path(server.server.folder).rglob("audit_log_filters.json")
        file.write_text('{"filters": {"f": {"filter": {"class": {"name": "nothing"}}}}}')
        assert "there is no class" in ask(connection, "SELECT audit_log_filter_flush()")
        file.write_text('{"filters": {"f": {"filter": {"log": false}}}, "users": {"tester@%": "f"}}')
        assert ask(connection, "SELECT audit_log_filter_flush()") == "OK"
        ask(connection, "SELECT 'flushed away'")
    assert marked(server, "flushed away") == []


def test_statements_are_aborted_but_not_of_exempt_accounts(audited):
    server = audited()
    run(server, "CREATE OR REPLACE TABLE guarded (a INT)", "CREATE OR REPLACE TABLE open (a INT)")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        set_filter(connection, "guard", {"class": {"name": "table_access", "event": {
            "name": ["insert", "update", "delete"],
            "abort": {"field": {"name": "table_name.str", "value": "guarded"}}}}})
        set_user(connection, "tester@%", "guard")
        for sql in ["INSERT INTO guarded VALUES (1)", "UPDATE guarded SET a = 2", "DELETE FROM guarded",
                    "TRUNCATE TABLE guarded", "INSERT INTO open SELECT 1; DELETE FROM guarded"]:
            error = failure(lambda sql=sql: cursor.execute(sql))
            assert error["arguments"] == (1045, "Statement was aborted by an audit log filter"), sql
        cursor.execute("INSERT INTO open SELECT * FROM guarded")
        cursor.execute("SET GLOBAL audit_log_abort_exempt = 'root@localhost, tester@%'")
        cursor.execute("INSERT INTO guarded VALUES (3)")
        cursor.execute("SELECT audit_log_filter_remove_user('tester@%')")
    server.wait_for(lambda r: r.get("kind") == "Insert" and r["event"] == "Completed" and "VALUES (3)" in r["sql"])
    refused = [r for r in server.records() if r["event"] == "Refused"]
    assert len(refused) == 6 and all(r["refused_by"] == "audit_log" and r["error_code"] == 1045 for r in refused)


NESTED = ["EXECUTE IMMEDIATE 'DELETE FROM guarded'", "PREPARE p FROM 'UPDATE guarded SET a = 1'", "BEGIN NOT ATOMIC DELETE FROM guarded; END",
          "SET STATEMENT max_statement_time = 10 FOR UPDATE guarded SET a = 1", "EXECUTE IMMEDIATE 'DROP TABLE droppable'",
          "BEGIN NOT ATOMIC IF 1 THEN DROP TABLE droppable; END IF; END", "PREPARE p FROM 'drop table if exists droppable'"]


def test_what_runs_inside_of_a_statement_is_aborted_and_recorded(audited):
    """A rule about DELETE or DROP TABLE means the ones in dynamic statements, blocks and wrappers, too."""
    server = audited()
    run(server, "CREATE OR REPLACE TABLE guarded (a INT)", "CREATE OR REPLACE TABLE open (a INT)", "CREATE OR REPLACE TABLE droppable (a INT)")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        set_filter(connection, "guard", {"class": [
            {"name": "table_access", "event": {"name": ["update", "delete"], "abort": {"field": {"name": "table_name.str", "value": "guarded"}}}},
            {"name": "general", "event": {"name": "status", "log": {"field": {"name": "general_sql_command.str", "value": "truncate"}},
                                          "abort": {"field": {"name": "general_sql_command.str", "value": "drop_table"}}}}]})
        set_user(connection, "tester@%", "guard")
        for sql in NESTED:
            error = failure(lambda sql=sql: cursor.execute(sql))
            assert error["arguments"] == (1045, "Statement was aborted by an audit log filter"), sql
        # What is done to another table, or otherwise to this one, is no event of the rule.
        cursor.execute("BEGIN NOT ATOMIC INSERT INTO guarded VALUES (1); DELETE FROM open; END")
        cursor.execute("EXECUTE IMMEDIATE 'INSERT INTO guarded VALUES (1)'")
        cursor.execute("EXECUTE IMMEDIATE 'TRUNCATE TABLE open'")
        cursor.execute("SELECT audit_log_filter_remove_user('tester@%')")
    server.wait_for(lambda r: r["event"] == "Completed" and "TRUNCATE" in (r.get("sql") or ""))
    assert not [r for r in server.records() if "IMMEDIATE 'INSERT INTO guarded" in (r.get("sql") or "")]


def test_a_login_is_aborted(audited):
    server = audited()
    with server.endpoint.connect() as connection:
        set_filter(connection, "out", {"class": {"name": "connection", "event": {
            "name": "connect", "abort": {"field": {"name": "user.str", "value": "plain"}}}}})
        set_user(connection, "%", "out")
        error = failure(lambda: server.endpoint.connect(user="plain", password="plain-secret"))
        assert error["arguments"][0] == 1045 and "aborted by an audit log filter" in error["arguments"][1]
    record = server.wait_for(lambda r: r["event"] == "Reject" and r.get("user") == "plain")
    assert record["refused_by"] == "audit_log"


def test_a_subfilter_takes_over_until_the_end_of_the_statement(audited):
    """The manual's own example: what touches temp_1 is recorded as a whole, and only that."""
    server = audited()
    run(server, "CREATE OR REPLACE TABLE temp_1 (a INT)", "CREATE OR REPLACE TABLE temp_3 (a INT)")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        set_filter(connection, "main", {"id": "main", "class": {"name": "table_access", "event": {
            "name": ["update", "delete"], "log": False, "filter": {
                "class": {"name": "general", "event": {"name": "status", "filter": {"ref": "main"}}},
                "activate": {"or": [{"field": {"name": "table_name.str", "value": "temp_1"}},
                                    {"field": {"name": "table_name.str", "value": "temp_2"}}]}}}}})
        set_user(connection, "tester@%", "main")
        for sql in ["UPDATE temp_3 SET a = 1", "UPDATE temp_1, temp_3 SET temp_1.a = 21, temp_3.a = 23",
                    "SELECT * FROM temp_3", "DELETE FROM temp_1", "DELETE FROM temp_3"]:
            cursor.execute(sql)
    assert [sql for sql in marked(server, "temp_") if sql.split()[0] in ("UPDATE", "DELETE", "INSERT") or "FROM" in sql] == [
        "UPDATE temp_1, temp_3 SET temp_1.a = 21, temp_3.a = 23", "DELETE FROM temp_1"]


def test_literals_are_replaced_in_texts_and_messages(audited):
    server = audited()
    run(server, "CREATE OR REPLACE TABLE numbers (a INT PRIMARY KEY)")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        replace = {"print": False, "replace": {"function": {"name": "query_digest"}}}
        set_filter(connection, "digests", {"class": {"name": "general", "print": {"field": {
            "name": "general_query.str", **replace, "print": {"function": {"name": "query_digest", "args": "SELECT ?"}}}}}})
        set_user(connection, "tester@%", "digests")
        cursor.execute("SELECT 'kept, for its digest is named'")
        cursor.execute("INSERT INTO numbers VALUES (471147)")
        failure(lambda: cursor.execute("INSERT INTO numbers VALUES (471147)"))
    error = server.wait_for(lambda r: r["event"] == "Error" and r.get("error_code") == 1062)
    assert error["redacted"] == 1 and "471147" not in json.dumps(error) and "Duplicate entry '?'" in error["message"]
    texts = [r["sql"] for r in statements(server.records()) if r.get("user") == "tester"]
    assert "SELECT 'kept, for its digest is named'" in texts and "insert into `numbers` values ( ? )" in texts


def test_policies_switch_filters_without_another_definition(audited):
    server = audited()
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        set_filter(connection, "policy", {"class": {"name": "general", "event": {"name": "status", "log": {"or": [
            {"variable": {"name": "audit_log_statement_policy_value", "value": "::all"}},
            {"function": {"name": "find_in_include_list", "args": [
                {"string": [{"field": "user.str"}, {"string": "@"}, {"field": "host.str"}]}]}}]}}}})
        set_user(connection, "tester@%", "policy")
        cursor.execute("SELECT 'policy one'")
        cursor.execute("SET GLOBAL audit_log_statement_policy = 'NONE'")
        cursor.execute("SELECT 'policy two'")
        cursor.execute("SET GLOBAL audit_log_include_accounts = 'tester@%'")
        cursor.execute("SELECT 'policy three'")
    assert marked(server, "policy ") == ["SELECT 'policy one'", "SELECT 'policy three'"]


def test_rotate_returns_the_name_of_the_file_that_was_closed(audited):
    server = audited()
    with server.endpoint.connect() as connection:
        ask(connection, "SELECT 'before the rotation'")
        name = ask(connection, "SELECT audit_log_rotate()")
        ask(connection, "SELECT 'after the rotation'")
    server.wait_for(lambda r: r.get("sql") == "SELECT 'after the rotation'")
    assert pathlib.Path(name) in server.rotated()
    assert "SELECT 'before the rotation'" in [r.get("sql") for r in server.records(pathlib.Path(name))]
    assert [r["seq"] for r in server.records(pathlib.Path(name)) + server.records()] == \
        list(range(1, 1 + len(server.records(pathlib.Path(name))) + len(server.records())))
