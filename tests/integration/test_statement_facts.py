# SPDX-License-Identifier: Apache-2.0
"""Kind, digest, tables and expanded text, as plugins are told them for every way in which a statement can come."""
import hashlib
import json
import struct

import pytest
from harness import raw
from harness.endpoint import DATABASE

pytestmark = pytest.mark.gateway_only


def digest(normalized):
    return hashlib.sha256(normalized.encode()).hexdigest()


def told(weir, events, do, event="Completed"):
    """The general events of a session in which do(connection) was done."""
    with weir.raw() as connection:
        do(connection)
        number = connection.greeting.connection_id
    return [e for e in events.ended(number) if e["point"] == "general" and e["event"] == event]


def test_a_table_is_told_in_the_database_beside_it(weir, events):
    found = told(weir, events, lambda c: c.query("SHOW COLUMNS FROM user FROM mysql; SHOW INDEX FROM db IN mysql"), "Starting")
    assert [[t[:2] for t in e["tables"]] for e in found] == [[["mysql", "user"]], [["mysql", "db"]]]


def test_a_text_has_kind_digest_and_tables(weir, events):
    (one,) = told(weir, events, lambda c: c.query("SELECT a.Host, 5 FROM mysql.user a, mysql.db WHERE 1 = 0"))
    assert one["kind"] == "Select" and one["specific_kind"] == "Select"
    assert one["normalized"] == "select `a` . `host` , ? from `mysql` . `user` `a` , `mysql` . `db` where ? = ?"
    assert one["digest"] == digest(one["normalized"])
    assert one["tables_known"] == 1
    assert [table[:2] for table in one["tables"]] == [["mysql", "user"], ["mysql", "db"]]


def test_each_statement_of_a_text_has_its_own_facts_in_the_database_of_its_turn(weir, events):
    found = told(weir, events, lambda c: c.query("USE mysql; SELECT 1 FROM db LIMIT 0; USE information_schema; "
                                                 "SELECT 1 FROM tables LIMIT 0"), "Starting")
    assert [e["kind"] for e in found] == ["Use", "Select", "Use", "Select"]
    assert [e["database"] for e in found] == [DATABASE, "mysql", "mysql", "information_schema"]
    assert [[t[:2] for t in e["tables"]] for e in found] == [[], [["mysql", "db"]], [], [["information_schema", "tables"]]]


def test_an_execution_has_the_facts_of_its_text_in_the_database_of_its_prepare(weir, events):
    def do(connection):
        connection.query("USE mysql")
        statement, _ = connection.prepare("SELECT ?, ? FROM db WHERE 1 = 0")
        connection.query(f"USE {DATABASE}")
        connection.command(bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<I", statement) + b"\0\1\0\0\0\0\1" +
                           struct.pack("<HH", 253, 8) + raw.text(b"it's") + struct.pack("<q", -7))

    executed = told(weir, events, do)[-1]
    assert executed["command"] == "Execute" and executed["kind"] == "Select"
    assert [t[:2] for t in executed["tables"]] == [["mysql", "db"]]
    assert executed["digest"] == digest("select ... from `db` where ? = ?")
    assert executed["expanded_sql"] == r"SELECT 'it\'s', -7 FROM db WHERE 1 = 0"


@pytest.mark.parametrize("count", [1, 40])
def test_each_execution_is_told_the_same(weir, events, database, count):
    """What is found out about a prepared text is kept, its tables only when they are few."""
    names = [name for (name,) in database.execute("SELECT LOWER(table_name) FROM information_schema.tables WHERE table_schema = "
                                                  f"'information_schema' ORDER BY 1 LIMIT {count}")]
    text = "SELECT ? LIMIT 0" + "".join(f" UNION ALL (SELECT 1 FROM information_schema.{name} LIMIT 0)" for name in names)

    def do(connection):
        statement, _ = connection.prepare(text.replace(" LIMIT 0", "", 1))
        for number in range(3):
            connection.command(bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<I", statement) + b"\0\1\0\0\0\0\1" +
                               struct.pack("<Hq", 8, number))

    with weir.raw() as connection:
        do(connection)
        number = connection.greeting.connection_id
    executed = [e for e in events.ended(number) if e["point"] == "general" and e["command"] == "Execute"]
    assert [e["event"] for e in executed] == ["Starting", "Completed"] * 3
    facts = {json.dumps([e[fact] for fact in ("kind", "specific_kind", "digest", "normalized", "tables", "tables_known")])
             for e in executed}
    assert len(facts) == 1 and len(executed[0]["tables"]) == count == executed[0]["table_count"]
    assert executed[0]["digest"] == digest(executed[0]["normalized"])


def test_parts_in_texts_have_their_own_text(weir, events):
    inner = "select `a` from `t` where `b` = ?"
    (one,) = told(weir, events, lambda c: c.query("PREPARE s FROM 'EXPLAIN SELECT a FROM t WHERE b = ''x'''"), "Starting")
    assert [[part[0], part[1]] for part in one["parts"]] == [["Prepare", 0], ["Explain", 3]]
    assert one["parts"][0][2:] == [one["sql"], one["normalized"], one["digest"], one["redacted_sql"]]
    text = "EXPLAIN SELECT a FROM t WHERE b = 'x'"
    assert one["parts"][1][2:] == [text, f"explain {inner}", digest(f"explain {inner}"), text]


def test_a_part_in_a_text_has_no_passwords_for_logs(weir, events):
    (one,) = told(weir, events, lambda c: c.query("EXECUTE IMMEDIATE 'SET PASSWORD = ''secret'''"), "Starting")
    assert one["redacted_sql"] == "EXECUTE IMMEDIATE '***'"
    assert one["parts"][1][2] == "SET PASSWORD = 'secret'" and one["parts"][1][5] == "SET PASSWORD = '***'"


def test_what_is_for_logs_has_no_passwords(weir, events):
    def do(connection):
        for sql in ("SELECT 1", "SET PASSWORD FOR nobody@nowhere = PASSWORD('secret')", "CREATE USER x IDENTIFIED BY 'secret' secret"):
            connection.query(sql)

    (plain,) = told(weir, events, do)
    assert plain["redacted_sql"] == plain["sql"] == "SELECT 1"
    known, wrong = told(weir, events, do, "Error")
    assert known["sql"].endswith("PASSWORD('secret')")
    assert known["redacted_sql"] == "SET PASSWORD FOR nobody@nowhere = PASSWORD('***')"
    assert known["redacted_message"] == known["message"] != ""
    assert wrong["redacted_sql"] == "CREATE USER x IDENTIFIED BY '***' secret"
    assert "secret" in wrong["message"] and wrong["redacted_message"].endswith("near '***'")


def test_code_in_comments_is_told(weir, events):
    (one,) = told(weir, events, lambda c: c.query("/*!50000 SELECT */ 1 FROM /*M! mysql.db */ LIMIT 0"))
    assert one["kind"] == "Select"
    assert ["mysql", "db"] in [t[:2] for t in one["tables"]]


@pytest.mark.parametrize("command, sql, kind", [
    (bytes([raw.COM_INIT_DB]) + b"mysql", "USE `mysql`", "Use"),
    (b"\x06no_such`database", "DROP DATABASE `no_such``database`", "DropDatabase"),
    (b"\x04t1\0", "SHOW COLUMNS FROM `t1`", "Show"),
])
def test_statements_in_disguise_show_their_face(weir, events, command, sql, kind):
    found = told(weir, events, lambda c: c.command(command, c.read_packet), "Starting")
    assert found[0]["sql"] == sql and found[0]["kind"] == kind


def test_what_is_not_understood_says_so(weir, events):
    (one,) = told(weir, events, lambda c: c.query("FROBNICATE everything"), "Error")
    assert one["tables_known"] == 0


def test_the_tables_of_a_routine_are_not_known_and_the_routine_is_named(weir, events):
    call, function = told(weir, events, lambda c: c.query("CALL no_such_procedure(1)"), "Error") + told(
        weir, events, lambda c: c.query("SELECT mysql.no_such_function(Host) FROM mysql.db"), "Error")
    assert call["routines"] == [[DATABASE, "no_such_procedure", 1]] and call["tables"] == []
    assert function["routines"] == [["mysql", "no_such_function", 2]] and [t[:2] for t in function["tables"]] == [["mysql", "db"]]
    for one in (call, function):
        assert (one["tables_known"], one["names_known"], one["routine_count"]) == (0, 1, 1)
    (own,) = told(weir, events, lambda c: c.query("SELECT COUNT(*), LOWER(Host) FROM mysql.db GROUP BY 2 LIMIT 0"))
    assert (own["tables_known"], own["routine_count"], own["routines"]) == (1, 0, [])


def test_a_call_that_a_text_prepares_or_that_is_executed_is_a_call(weir, events):
    def do(connection):
        connection.query("PREPARE s FROM 'CALL mysql.no_such_procedure()'")
        statement, _ = connection.prepare("SELECT ABS(?)")
        connection.command(bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<I", statement) + b"\0\1\0\0\0\0\1\x08\0" + struct.pack("<q", -7))

    text, prepare, execute = told(weir, events, do, "Starting")[:3]
    assert text["routines"] == [["mysql", "no_such_procedure", 1]]
    assert [one["routines"] for one in (prepare, execute)] == [[], []] and execute["tables_known"] == 1


def test_the_mode_of_a_session_decides_what_a_quote_is(weir, events):
    def do(connection):
        connection.query("SET sql_mode = 'ANSI_QUOTES'")
        connection.query('SELECT 1 FROM "mysql"."db" LIMIT 0')
        connection.query("SET sql_mode = CONCAT('NO_', 'BACKSLASH_ESCAPES')")
        connection.query("SELECT '\\' FROM mysql.user LIMIT 0 -- '")

    found = told(weir, events, do)
    assert [t[:2] for t in found[1]["tables"]] == [["mysql", "db"]]
    assert [t[:2] for t in found[3]["tables"]] == [["mysql", "user"]]


@pytest.mark.parametrize("reader", ["SELECT ROW_COUNT()", "SHOW WARNINGS", "SELECT @@warning_count", "SELECT FOUND_ROWS()"])
def test_what_the_gateway_asks_wipes_no_diagnostics_out(both, reader):
    """After a CALL or an EXECUTE the gateway asks the backend for the session's mode, but not in front of these."""
    def case(endpoint):
        with endpoint.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE OR REPLACE TABLE d (a TINYINT)")
            cursor.execute("CREATE OR REPLACE PROCEDURE fill() INSERT IGNORE INTO d VALUES (1), (2), (1000)")
            seen = []
            cursor.execute("SELECT 1 UNION SELECT 2 UNION SELECT 3")  # a session of its own has had no rows yet
            for statement in ("CALL fill()", "EXECUTE IMMEDIATE 'INSERT IGNORE INTO d VALUES (3), (3000)'"):
                cursor.execute(statement)
                while cursor.nextset():
                    pass
                cursor.execute(reader)
                seen.append(cursor.fetchall())
            return seen

    assert both(case)
