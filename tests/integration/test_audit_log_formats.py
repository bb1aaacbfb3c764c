# SPDX-License-Identifier: Apache-2.0
"""audit_log in the formats of others: server_audit byte for byte beside MariaDB's own plugin, which records the same workload;
and each format read by a parser as log shippers have one, written here after what they document."""
import json
import re

import pymysql
import pytest
from audit_log_common import AuditedGateway, weir_audit
from harness.observe import failure
from test_audit_log_server_audit import GATEWAYS_QUESTION, SETUP, server  # noqa: F401 - a fixture

pytestmark = pytest.mark.gateway_only

# What both ends see alike: no views, triggers, routines, or failures before tables are opened.
WORKLOAD = [
    "SELECT x FROM a WHERE y = 1", "INSERT INTO b VALUES (501, 501)", "UPDATE b SET y = 2 WHERE x = 501", "DELETE FROM b WHERE x = 501",
    "INSERT INTO b SELECT x + 900, y FROM a WHERE x < 0", "SELECT 'line\nbreak', 'back\\\\slash', \"quo\\\"te\", 'tab\t', 'umlaut \u00e4', 'it''s'",
    "  /* comment */ SELECT 2 ;  ", "SELECT ',', ',,0'", "SELEC", "SELECT missing FROM a", "CREATE TABLE fresh (x INT)", "ALTER TABLE fresh ADD y INT",
    "RENAME TABLE fresh TO d.stale", "DROP TABLE stale", "SET @x = 1", "USE d", "SELECT * FROM e.f WHERE 1 = 0", "BEGIN", "COMMIT",
    "CREATE USER quiet@'%' IDENTIFIED BY 'hunter2'", "SET PASSWORD FOR quiet@'%' = PASSWORD('hunter3')", "DROP USER quiet@'%'",
]

# As fluent-bit, syslog-ng and Elastic's module take such a line apart: named fields between commas, the object with or without quotes.
LINE = re.compile(r"^(?P<time>\d{8} \d\d:\d\d:\d\d),(?P<serverhost>[^,]*),(?P<username>[^,]*),(?P<host>[^,]*),(?P<connectionid>\d+),(?P<queryid>\d+),"
                  r"(?P<operation>[A-Z_]+),(?P<database>[^,]*),(?:'(?P<query>(?:[^'\\]|\\.)*)'|(?P<object>[^,]*)),(?P<retcode>\d*)$")


def workload(endpoint):
    with endpoint.connect(database="d") as connection, connection.cursor() as cursor:
        number = connection.thread_id()
        for sql in WORKLOAD:
            try:
                cursor.execute(sql)
            except pymysql.err.Error:
                pass  # both ends tell
    return number


def comparable(text, connection):
    """[(tables of a statement, sorted; the line)] of a session, without what must differ: time, ids, and the host, for which the server
    may have looked up a name."""
    found, tables = [], []
    for line in text.splitlines():
        parts = LINE.match(line)
        if not parts or int(parts["connectionid"]) != connection or GATEWAYS_QUESTION.match(parts["query"] or ""):
            continue
        fields = line.split(",", 6)
        rest = (fields[1], fields[2], fields[6])
        if parts["operation"] in ("READ", "WRITE", "CREATE", "ALTER", "RENAME", "DROP"):
            if parts["database"] != "mysql":  # opened for the server's own ends
                tables.append(rest)
        else:
            altered = {line[2].replace("ALTER", "READ") for line in tables if line[2].startswith("ALTER")}
            found.append((sorted({line for line in tables if line[2] not in altered}), rest))  # the server reads what it alters
            tables = []
    return found


def test_server_audit_is_what_the_servers_plugin_writes(server, gateway, tmp_path):  # noqa: F811
    weir = AuditedGateway(gateway, server.address, tmp_path, settings={"format": "server_audit"})
    start = server.log.stat().st_size
    number = workload(weir.endpoint)
    failure(lambda: weir.endpoint.connect(password="wrong"))
    weir.server.stop()
    ours = weir.path.read_text()
    theirs = server.log.read_bytes()[start:].decode()
    assert all(LINE.match(line) for line in ours.splitlines()), [line for line in ours.splitlines() if not LINE.match(line)]
    backend = next(int(LINE.match(line)["connectionid"]) for line in theirs.splitlines() if "missing FROM a" in line)
    mine, other = comparable(ours, number), comparable(theirs, backend)
    assert [line for _, line in mine] == [line for _, line in other]
    assert mine == other

    def failed(text):
        lines = [line.split(",", 6) for line in text.splitlines()]
        rejected = next(line[4] for line in lines if line[6].startswith("FAILED_CONNECT") and line[2] == "tester")
        return [(line[1], line[2], line[5], line[6]) for line in lines if line[4] == rejected]
    assert failed(ours) == failed(theirs) and len(failed(ours)) == 2


def test_a_chain_and_a_format_without_room_for_it_are_refused(audited):
    server = audited()
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL audit_log_chain = ON")
        with pytest.raises(pymysql.err.Error) as refused:
            cursor.execute("SET GLOBAL audit_log_format = 'server_audit'")
        assert "the format server_audit has no room for it" in refused.value.args[1]
        cursor.execute("SET GLOBAL audit_log_chain = OFF")
        cursor.execute("SET GLOBAL audit_log_format = 'server_audit'")
        with pytest.raises(pymysql.err.Error):
            cursor.execute("SET GLOBAL audit_log_chain = ON")
        cursor.execute("SET GLOBAL audit_log_format = 'json'")


def flattened(value, prefix=""):
    """As Elastic's and fluent-bit's JSON parsers name nested members."""
    for key, member in value.items():
        if isinstance(member, dict):
            yield from flattened(member, f"{prefix}{key}.")
        else:
            yield prefix + key, member


@pytest.mark.parametrize("form", ["mysql_json", "percona_json"])
def test_the_json_formats_are_what_shippers_read(audited, form):
    server = audited(format=form)
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        number = connection.thread_id()
        for sql in ("CREATE OR REPLACE TABLE t (a INT)", "INSERT INTO t SELECT 1", "SHOW TABLES", "SELECT * FROM t"):
            cursor.execute(sql)
    server.server.stop()
    records = json.loads(server.path.read_text())
    own = [dict(flattened(r)) for r in records if r["connection_id"] == number]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", r["timestamp"]) and isinstance(r["id"], int) for r in own)
    assert [r["event"] for r in own if r["class"] == "connection"] == ["connect", "disconnect"]
    general = [r for r in own if r["class"] == "general" and r["general_data.command"] == "Query"]
    assert [r["general_data.sql_command"] for r in general][-4:] == ["create_table", "insert_select", "show_tables", "select"]
    place = own.index(general[-1])  # tables come first
    assert (own[place - 1]["class"], own[place - 1]["event"], own[place - 1]["table_access_data.table"]) == ("table_access", "read", "t")
    assert own[place - 1]["table_access_data.query"] == general[-1]["general_data.query"] == "SELECT * FROM t"
    assert len({r["backend_connection_id"] for r in own}) == 1
    user = general[-1]["account.user"]
    assert user == ("tester[tester] @  [127.0.0.1]" if form == "percona_json" else "tester")
    # What weir-audit makes of it is the same as from JSON lines.
    shown = weir_audit("show", "-connection", number, "-event", "general", "-format", "user,account,kind,sql,error_code", server.path).stdout
    assert "tester\ttester@%\tInsert\tINSERT INTO t SELECT 1\t\n" in shown
    server.server.start()  # and the file is gone on with as what it is
    server.server.stop()
    assert json.loads(server.path.read_text())[-1]["event"] == "shutdown" and not server.rotated()
    assert "0 gaps" in weir_audit("verify", server.path).stdout


@pytest.mark.greets_first("with -backend-first the greeting's id is the backend's own")
def test_both_connection_ids_are_in_every_record_of_a_session(audited):
    for form in ("json", "csv"):
        server = audited(format=form)
        with server.endpoint.connect() as connection, connection.cursor() as cursor:
            number = connection.thread_id()
            cursor.execute("SELECT 1")
        server.server.stop()
        rows = [row.split("\t") for row in weir_audit("show", "-connection", number, "-format", "connection_id,backend_connection_id,event",
                                                      server.path).stdout.splitlines()]
        assert {row[2] for row in rows} == {"Connect", "Completed", "Disconnect"} and len({tuple(row[:2]) for row in rows}) == 1
        assert rows[0][0] == str(number) != rows[0][1] != ""
        assert weir_audit("show", "-connection", rows[0][1], server.path).stdout == weir_audit("show", "-connection", number, server.path).stdout


def test_only_slow_statements_are_recorded_if_that_is_wanted(audited):
    server = audited(slow_statements="100ms")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'quick'")
        cursor.execute("SELECT 'slow', SLEEP(0.15)")
        failure(lambda: cursor.execute("SELECT quick_mistake"))
    server.server.stop()
    assert [r["sql"] for r in server.records() if r["class"] == "general"] == ["SELECT 'slow', SLEEP(0.15)", "SELECT quick_mistake"]
    assert {r["event"] for r in server.records()} - {"Reject"} == {"Start", "Connect", "Completed", "Error", "Disconnect", "Stop"}
