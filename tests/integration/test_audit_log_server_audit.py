# SPDX-License-Identifier: Apache-2.0
"""audit_log's records against those of MariaDB's own server_audit, one by one: the same workload, recorded at both ends of
weir. They must agree on statements, error codes, databases, tables and logins; where they do not, the difference has a name
in DIFFERENCES, is explained in docs/plugins/audit_log.md, and must be met by the workload."""
import re
import struct

import pymysql
import pytest
from audit_log_common import AuditedGateway
from harness import accounts, raw
from harness.endpoint import DATABASE
from harness.mariadb import MariaDB
from harness.waiting import wait_for
from test_sql_server_audit import ACCESS, SETUP, STATEMENTS
from test_sql_server_audit import DIFFERS as TEXT_DIFFERS

pytestmark = pytest.mark.gateway_only

# Statements beside those of test_sql_server_audit: failures, several in one text, passwords, transactions, names and bytes.
MORE = [
    "SELECT 1; SELECT * FROM a ; SELECT 'it''s'",
    "SELECT * FROM b; SELEC; SELECT 3",
    "SELECT 'line\nbreak', 'back\\\\slash', \"quo\\\"te\", 'tab\t', 'umlaut \u00e4'",
    "  /* comment */ SELECT 2 -- at the end",
    "SELEC",
    "SELECT * FROM nowhere",
    "SELECT * FROM nowhere.at_all",
    "INSERT INTO a VALUES (1, 1)",
    "INSERT INTO a VALUES ('x', 1)",
    "SELECT missing FROM a",
    "CALL nowhere_procedure()",
    "CALL fills()",
    "BEGIN", "INSERT INTO b VALUES (50, 50)", "SAVEPOINT s", "ROLLBACK TO s", "ROLLBACK",
    "CREATE USER secretive@'%' IDENTIFIED BY 'hunter2'",
    "ALTER USER secretive@'%' IDENTIFIED BY 'hunter3'",
    "SET PASSWORD FOR secretive@'%' = PASSWORD('hunter4')",
    "GRANT SELECT ON d.* TO secretive@'%'",
    "DROP USER secretive@'%'",
    "USE mysql", "USE d", "USE nowhere",
    "SET @x = 1", "SET SESSION sql_mode = ''", "SET SESSION no_such_variable = 1",
    "PREPARE p FROM 'SELECT y FROM a WHERE x = ?'", "EXECUTE p USING @x", "EXECUTE p USING @x", "DEALLOCATE PREPARE p",
    "PREPARE p FROM 'SELEC'", "EXECUTE nothing_prepared",
    "KILL QUERY 999999",
    "SHOW TABLES", "SHOW VARIABLES LIKE 'version'", "SELECT DATABASE(), CONNECTION_ID()",
    "CREATE VIEW w AS SELECT x FROM a", "SELECT * FROM w", "DROP VIEW w",
    "CREATE TRIGGER after_c AFTER INSERT ON c FOR EACH ROW INSERT INTO b VALUES (NEW.x, 0)", "INSERT INTO c VALUES (60, 1)",
    "DROP TRIGGER after_c", "DELETE FROM b", "DELETE FROM c",
]

# Statements prepared by the protocol, with the parameters of each execution.
PREPARED = [("SELECT x FROM a WHERE x = ?", [1, 2]), ("INSERT INTO b VALUES (?, 0)", [70, 70]), ("DELETE FROM b WHERE x = ?", [70]),
            ("SELECT * FROM nowhere WHERE x = ?", [])]

GATEWAYS_QUESTION = re.compile(r"(BEGIN NOT ATOMIC )?SELECT CAST\(CURRENT_USER\(\) AS BINARY\)|SET (SESSION )?session_track_|"
                               r"SELECT HEX\(Variable_name\)")


class Difference:
    """A named difference, and how often the workload has met it."""

    def __init__(self, why):
        self.why, self.met = why, 0

    def meets(self, condition):
        self.met += bool(condition)
        return condition


DIFFERENCES = {name: Difference(why) for name, why in {
    "own question": "the gateway asks the server for roles, and for variables beside its plugins' own",
    "client address": "the server sees where the gateway is, audit_log where the client is",
    "not known": "a CALL that fails may have changed the database before, and an error does not tell",
    "password mask": "***** instead of '***'",
    "spaces around": "the server trims texts, and cuts the ; between several statements off",
    "rest of the text": "of several statements the server reports one with a mistake together with all that follows it",
    "comment not run": "the server rewrites an executable comment that it does not run",
    "parameters": "the server puts the parameters into some texts; audit_log has them beside the text",
    "execute": "EXECUTE is recorded as it was sent; the server reports the statement that it runs, and its tables",
    "nothing prepared": "the server does not report EXECUTE of what has not been prepared",
    "never run": "of several statements those after a failed one are recorded as interrupted; the server never saw them",
    "prepare": "a Prepare that succeeds is recorded; the server reports only one that fails",
    "inner statements": "the server reports statements in routines and triggers, too",
    "system tables": "the server reports tables of mysql that it opens for its own ends",
    "tables not opened": "the text of a statement that failed before it opened its tables has named them all the same",
    "tables of the text": "the server reports what it does, the text says what is named",
    "failed login": "one Reject instead of FAILED_CONNECT and DISCONNECT",
    "other commands": "ping, change user and their like are recorded, too",
}.items()}


# ---- Both ends ----

@pytest.fixture(scope="module")
def server(work, request):
    """A database with server_audit, which writes whole texts."""
    folder = work / f"reported-{request.module.__name__}"
    folder.mkdir()
    log = folder / "server_audit.log"
    database = MariaDB(folder, [
        "--plugin-load-add=server_audit", "--server-audit-events=CONNECT,QUERY,TABLE", "--server-audit-logging=ON",
        f"--server-audit-file-path={log}", "--server-audit-query-log-limit=65536"])
    database.log = log
    try:
        database.start()
        database.execute(*accounts.STATEMENTS, *SETUP, "CREATE PROCEDURE d.fills() INSERT INTO d.b SELECT 99, MAX(y) FROM d.a")
        yield database
        database.process.stop()
    finally:
        if database.process.alive():
            database.process.kill()


class Reported:
    """What server_audit says of a statement, or of a login."""

    def __init__(self, fields, text):
        _, _, self.user, self.host, self.connection, _, self.operation, self.database = fields
        self.text, _, code = text.rpartition(",")
        self.code = int(code)
        if self.text.startswith("'"):
            self.text = self.text[1:-1]
        self.tables = set()


def reported(text):
    """{connection: [Reported]}, with the tables of each statement's own TABLE lines."""
    found, tables = {}, {}
    for line in text.splitlines():
        changed = re.match(r".*,(\d+),\d+,CHANGEUSER,", line)  # the server's fields of it can be anything
        fields, rest = line.split(",", 8)[:8], line.split(",", 8)[8]
        if changed or not line[:8].isdigit():
            fields, rest = ["", "", "", "", changed.group(1), "", "CHANGEUSER", ""], ",0"
        connection, query, operation = fields[4], fields[5], fields[6]
        if operation in ACCESS:
            for name in (fields[7] + "," + rest).rstrip(",").split("|"):
                database, _, table = name.replace(",", ".", 1).partition(".")
                tables.setdefault((connection, query), set()).add((database, table, ACCESS[operation]))
            continue
        entry = Reported(fields, rest)
        if operation == "QUERY":
            entry.tables = tables.pop((connection, query), set())
        found.setdefault(int(connection), []).append(entry)
    return found


def escaped(text):
    """A text as server_audit writes it."""
    for plain, written in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(plain, written)
    return text


# ---- The workload ----

def run(cursor, sql):
    try:
        cursor.execute(sql)
        while cursor.nextset():
            pass
    except pymysql.err.Error:
        pass  # both ends tell


def run_prepared(endpoint):
    with endpoint.raw(database="d") as connection:
        for sql, executions in PREPARED:
            try:
                statement, _ = connection.prepare(sql)
            except raw.ServerError:
                continue
            for value in executions:
                connection.command(bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<IBI", statement, 0, 1) + b"\0\1\x03\0"
                                   + struct.pack("<i", value), connection.read_result)
        connection.command(bytes([raw.COM_PING]), connection.read_one)
        connection.change_user("plain", "plain-secret", DATABASE)
        connection.query("SELECT 'as another user'")


def workload(endpoint):
    for statements in STATEMENTS:
        with endpoint.connect(database="d") as connection, connection.cursor() as cursor:
            for sql in statements:
                run(cursor, sql)
    with endpoint.connect(database="d") as connection, connection.cursor() as cursor:
        for sql in MORE:
            run(cursor, sql)
    run_prepared(endpoint)
    for login in ({"password": "wrong"}, {"user": "nopassword", "password": "some"}, {"database": "nowhere"}, {"user": "locked", "password": "locked-secret"}):
        with pytest.raises(pymysql.err.Error):
            endpoint.connect(**login)


# ---- The comparison ----

# What runs within a statement: the server reports it before the statement itself.
INNER = {
    "CALL fills()": {"INSERT INTO d.b SELECT 99, MAX(y) FROM d.a"},
    "INSERT INTO c VALUES (60, 1)": {"INSERT INTO b VALUES (NEW.x, 0)"},
    "EXECUTE IMMEDIATE 'SELECT * FROM a WHERE y = ''x'''": {"SELECT * FROM a WHERE y = 'x'"},
    'EXECUTE IMMEDIATE "INSERT INTO b SELECT * FROM a WHERE x = ?" USING 99': {"INSERT INTO b SELECT * FROM a WHERE x = 99"},
    **{sql: {"DELETE FROM c", "INSERT INTO c SELECT * FROM b WHERE x = 77"} for (sql, *_) in STATEMENTS
       if sql.startswith(("BEGIN NOT ATOMIC", "FOR "))},
}

# Tables that only the server reports, and that only the text names.
TABLES_DIFFER = {
    **TEXT_DIFFERS,
    # What a definition does inside: the old table is read.
    "DROP INDEX j ON e.f": ({("e", "f", "read")}, set()),
    "ALTER TABLE b DROP COLUMN z": ({("d", "b", "read")}, set()),
    "CREATE TRIGGER after_c AFTER INSERT ON c FOR EACH ROW INSERT INTO b VALUES (NEW.x, 0)": (
        {("d", "c", "read")}, {("d", "c", "ddl"), ("d", "b", "write")}),
    "DROP TRIGGER after_c": ({("d", "c", "read")}, set()),
    # The name of a handler looks like one of a table.
    "HANDLER z CLOSE": (set(), {("d", "z", "read")}),
    # The server opens tables when they are used; views are none to it.
    "PREPARE p FROM 'SELECT y FROM a WHERE x = ?'": (set(), {("d", "a", "read")}),
    "CREATE VIEW w AS SELECT x FROM a": (set(), {("d", "w", "ddl")}),
    "SELECT * FROM w": ({("d", "a", "read")}, {("d", "w", "read")}),
    "DROP VIEW w": (set(), {("d", "w", "ddl")}),
    # What a trigger or a routine uses is not in the text, and what is not reached is.
    "INSERT INTO c VALUES (60, 1)": ({("d", "b", "write")}, set()),
    "CALL fills()": ({("d", "a", "read"), ("d", "b", "write")}, set()),
    **{sql: (set(), {("d", "a", "read"), ("d", "b", "read")}) for (sql, *_) in STATEMENTS if sql.startswith("BEGIN NOT ATOMIC")},
    **{sql: (set(), {("d", "a", "read")}) for (sql, *_) in STATEMENTS if sql.startswith("FOR ")},
}


def same_database(record, entry):
    return record.get("database", "") == entry.database or DIFFERENCES["not known"].meets(record.get("database", "") is None
                                                                                         and "database" in record["unknown"])


def same_text(record, entry):
    sql, text = record["sql"], entry.text
    plain = escaped(sql.strip().rstrip(";").strip())
    if escaped(sql) == text:
        return True
    if DIFFERENCES["spaces around"].meets(plain == text.strip()):
        return True
    if DIFFERENCES["password mask"].meets(escaped(sql.replace("'***'", "*****")) == text):
        return True
    if DIFFERENCES["rest of the text"].meets(record["error_code"] == 1064 and text.startswith(plain + ";")):
        return True
    if DIFFERENCES["comment not run"].meets(escaped(sql.replace("/*!99999", "/* 99999")) == text):
        return True
    if record["command"] == "Execute":
        pattern = re.escape(escaped(sql)).replace(r"\?", r"(\?|[0-9]+)")
        return DIFFERENCES["parameters"].meets(re.fullmatch(pattern, text))
    return DIFFERENCES["execute"].meets(record["kind"] in ("Execute", "ExecuteImmediate"))


def same_tables(record, entry):
    named = {(t["schema"], t["name"], access) for t in record.get("tables", ()) for access in t["access"]}
    opened = {table for table in entry.tables if table in named or table[0] != "mysql"}
    DIFFERENCES["system tables"].meets(opened != entry.tables)
    if opened == named:
        return True
    only_server, only_text = TABLES_DIFFER.get(record["sql"], (set(), set()))
    if DIFFERENCES["tables of the text"].meets((opened - named, named - opened) == (only_server, only_text)):
        return True
    if record["kind"] in ("Execute", "ExecuteImmediate"):
        return DIFFERENCES["execute"].meets(True)
    return DIFFERENCES["tables not opened"].meets(record["event"] == "Error" and opened <= named)


def is_unknown_to_the_server(record):
    """A record that has no counterpart, for a reason that has a name."""
    code = record.get("error_code", 0)
    return (DIFFERENCES["other commands"].meets("sql" not in record or record["command"] not in ("Query", "Execute", "Prepare"))
            or DIFFERENCES["prepare"].meets(record["command"] == "Prepare" and code == 0)
            or DIFFERENCES["never run"].meets(code == 1317)
            or DIFFERENCES["nothing prepared"].meets(code == 1243))


def compare_statements(records, entries):
    """One by one, in order. Returns what does not agree."""
    wrong = []
    entries = [e for e in entries if not DIFFERENCES["own question"].meets(GATEWAYS_QUESTION.match(e.text))]
    for record in records:
        record.setdefault("error_code", 0)
        if is_unknown_to_the_server(record):
            continue
        inner = {escaped(text) for text in INNER.get(record["sql"], ())}
        opened = set()
        while entries and DIFFERENCES["inner statements"].meets(entries[0].text in inner):
            opened |= entries.pop(0).tables
        if not entries:
            wrong.append(("only in audit_log", record))
            continue
        entry = entries.pop(0)
        entry.tables |= opened
        if not (same_text(record, entry) and record["error_code"] == entry.code and same_database(record, entry)
                and record["user"] == entry.user and same_tables(record, entry)):
            wrong.append((record["sql"], record["error_code"], record.get("database"), record.get("tables"), "but server_audit",
                          entry.text, entry.code, entry.database, entry.tables))
    return wrong + [("only in server_audit", entry.text) for entry in entries]


def compare_logins(records, entries):
    """The ends of a connection: who, into which database, with which error."""
    operations = [e.operation for e in entries if e.operation != "QUERY"]
    events = [r["event"] for r in records if r["class"] == "connection"]
    first = records[0]
    DIFFERENCES["client address"].meets(first["host"] != entries[0].host)
    if first["event"] == "Reject":
        DIFFERENCES["failed login"].meets(True)
        return [] if (operations, events) == (["FAILED_CONNECT", "DISCONNECT"], ["Reject"]) and (
            entries[0].user, entries[0].code) == (first["user"], first["error_code"]) else [(operations, first)]
    names = {"Connect": "CONNECT", "ChangeUser": "CHANGEUSER", "Disconnect": "DISCONNECT"}
    fine = operations == [names[event] for event in events] and entries[0].user == first["user"] and (
        entries[0].database == first.get("database", ""))
    return [] if fine else [(operations, events)]


@pytest.mark.greets_first("with -backend-first a client is refused before it has said who it is")
def test_every_record_has_its_counterpart(server, gateway, tmp_path):
    weir = AuditedGateway(gateway, server.address, tmp_path)
    start = server.log.stat().st_size
    workload(weir.endpoint)
    weir.server.stop()
    records = weir.records()
    backends = {r["backend_connection_id"]: r["connection_id"] for r in records if "backend_connection_id" in r}

    def text():
        return server.log.read_bytes()[start:].decode(errors="replace")
    wait_for(lambda: all(f",{number},0,DISCONNECT," in text() for number in backends), "the server's last record")
    sessions = reported(text())
    assert set(sessions) >= set(backends)
    wrong, compared = [], 0
    for number, connection in backends.items():
        own = [r for r in records if r.get("connection_id") == connection]
        statements = [r for r in own if r["class"] == "general"]
        compared += len(statements)
        wrong += compare_logins(own, sessions[number])
        wrong += compare_statements(statements, [e for e in sessions[number] if e.operation == "QUERY"])
    assert not wrong, "\n".join(map(str, wrong))
    assert compared > 150
    unmet = [name for name, difference in DIFFERENCES.items() if not difference.met]
    assert not unmet, f"differences that are none any more: {unmet}"
