# SPDX-License-Identifier: Apache-2.0
"""What plugins are notified of as the session's database, mode and account is what the server says, or unknown; and the
client sees nothing of how it is found out."""
import struct

import pytest
from harness import raw
from harness.endpoint import DATABASE, USER

pytestmark = pytest.mark.gateway_only


@pytest.fixture
def session(weir, events, database):
    """play(capabilities, *texts): runs them, then asks the server; the events, and the server's answer."""
    database.execute("CREATE DATABASE IF NOT EXISTS elsewhere")
    database.execute(f"GRANT ALL ON elsewhere.* TO {USER}@'%'")

    def play(*texts, capabilities=raw.BASIC):
        with weir.raw(capabilities=capabilities) as connection:
            for text in texts:
                connection.query(text)
            packets = connection.query("SELECT IFNULL(DATABASE(), ''), @@character_set_client")
            row = next(p for _, p in packets[1:] if p[:3] != b"\x03de" and p[:1] not in (b"\xfe", b"\x00\x00"))
            number = connection.greeting.connection_id
        general = [e for e in events.ended(number) if e["point"] == "general"]
        return general, row

    return play


def general_events(weir, events, text):
    """Those of a session that runs this one text."""
    with weir.raw() as connection:
        connection.query(text)
        number = connection.greeting.connection_id
    return [e for e in events.ended(number) if e["point"] == "general"]


def seen(events, event="Starting"):
    return [(e["sql"], e["database"]) for e in events if e["event"] == event]


@pytest.mark.parametrize("capabilities", [raw.BASIC, raw.BASIC | raw.SESSION_TRACK | raw.DEPRECATE_EOF])
@pytest.mark.parametrize("text", [
    "USE elsewhere",
    "SET STATEMENT max_statement_time = 10 FOR USE elsewhere",
    "EXECUTE IMMEDIATE 'USE elsewhere'",
    "EXECUTE IMMEDIATE CONCAT('USE else', 'where')",
    "SET @x = 'USE elsewhere'; PREPARE s FROM @x; EXECUTE s",
    "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'USE elsewhere'; END",
    "SET SESSION session_track_schema = 0; USE elsewhere",
    "SET SESSION session_track_system_variables = '', session_track_state_change = 0, session_track_schema = 0; USE elsewhere",
    "BEGIN NOT ATOMIC SET SESSION session_track_schema = 0; EXECUTE IMMEDIATE 'USE elsewhere'; END",
    "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'USE elsewhere'; SIGNAL SQLSTATE '45000'; END",
    # An error of syntax that comes late: it was taken for one of the whole text, of which nothing had run.
    "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'USE elsewhere'; PREPARE s FROM @nothing; END",
    "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'USE elsewhere'; EXECUTE IMMEDIATE 'misspelt'; END",
    "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'USE elsewhere'; SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1064; END",
])
def test_the_database_is_followed_in_every_disguise(session, text, capabilities):
    events, row = session(text, "SELECT 'after'", capabilities=capabilities)
    assert b"elsewhere" in row
    assert [database for sql, database in seen(events) if sql == "SELECT 'after'"] == ["elsewhere"]


def test_a_prepare_changes_nothing(weir, events):
    with weir.raw() as connection:
        connection.prepare("USE elsewhere_that_is_not")
        connection.query("SELECT 'after'")
        number = connection.greeting.connection_id
    assert seen(events.ended(number)[1:-1])[-1] == ("SELECT 'after'", DATABASE)


def test_a_limit_of_rows_does_not_hide_the_database(session):
    events, _ = session("SET SESSION sql_select_limit = 0", "CALL no_such_procedure()", "USE elsewhere", "SELECT 'after'",
                        "SET SESSION sql_select_limit = DEFAULT")
    assert ("SELECT 'after'", "elsewhere") in seen(events)


def test_a_character_set_of_results_does_not_bend_the_database(session):
    events, _ = session("SET character_set_results = utf16", "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'USE elsewhere'; "
                        "SIGNAL SQLSTATE '45000'; END", "SELECT 'after'")
    assert [database for sql, database in seen(events) if sql == "SELECT 'after'"] == ["elsewhere"]


def test_a_mode_set_by_a_dynamic_text_is_not_the_old_one(weir, events):
    text = 'EXECUTE IMMEDIATE CONCAT(\'SET sql_mode=ANSI\', \'_QUOTES\'); SELECT 1 AS "\\"; DROP TABLE IF EXISTS victim -- "'
    starting = [e for e in general_events(weir, events, text) if e["event"] == "Starting"]
    assert starting[0]["reading_known"] == 1 and starting[-1]["reading_known"] == 0
    assert starting[-1]["tables_known"] == 0 and starting[-1]["digest_exact"] == 0


def test_a_mode_that_the_same_text_shows_is_followed(weir, events):
    """And each Completed has the facts of its own statement; it had those of the last one, where Starting had asked for them."""
    text = 'EXECUTE IMMEDIATE \'SET sql_mode=ANSI_QUOTES\'; SELECT 1 AS "\\"; DROP TABLE IF EXISTS victim -- "'
    completed = [e for e in general_events(weir, events, text) if e["event"] == "Completed"]
    assert [e["kind"] for e in completed] == ["other", "Select", "DropTable"]


@pytest.mark.parametrize("first", ["EXECUTE IMMEDIATE 'SELECT 1'", "EXECUTE IMMEDIATE CONCAT('SELECT', ' 1')",
                                   "SET STATEMENT max_statement_time = 10 FOR SELECT 1"])
def test_statements_after_a_dynamic_one_are_not_said_not_to_have_run(weir, events, first):
    general = general_events(weir, events, f"{first}; SELECT 2; DO 3")
    assert [(e["event"], e["sql"].strip(" ;")) for e in general if e["event"] != "Starting"] == \
        [("Completed", first), ("Completed", "SELECT 2"), ("Completed", "DO 3")]


@pytest.mark.parametrize("text", [
    "SET @@sql_mode = 'ANSI'", "SET@@sql_mode='ANSI';DO 1", "SELECT 1; SET @@sql_mode = 'ANSI'; SELECT 2",
    "SET @@sql_mode = CONCAT('AN', 'SI')", 'EXECUTE IMMEDIATE "SET @@sql_mode = \'ANSI\'"',
    'EXECUTE IMMEDIATE CONCAT("SET @@sql_", "mode = \'ANSI\'")', "SET STATEMENT max_statement_time = 10 FOR SET @@sql_mode = 'ANSI'",
    'SET @x = "SET @@sql_mode = \'ANSI\'"; PREPARE s FROM @x; EXECUTE s', "SET sql_mode = 'ANSI'", "SET @@session.sql_mode = 'ANSI'; DO 1",
    "BEGIN NOT ATOMIC SET @@sql_mode = 'ANSI'; END", "SET @@sql_mode = 'ANSI'; SIGNAL SQLSTATE '45000'",
])
def test_a_mode_is_followed_although_the_server_does_not_report_it(weir, events, text):
    """MariaDB reports SET sql_mode and SET @@session.sql_mode, and no SET @@sql_mode: that nothing was reported proved too much."""
    probe = "SELECT 1 AS \"a\"; SELECT '\\'; SELECT 2 -- '"
    with weir.raw(capabilities=raw.BASIC) as connection:
        connection.query("SET sql_mode = 'NO_BACKSLASH_ESCAPES'")
        connection.query("SELECT 1")
        connection.query(text)
        packets = connection.query(probe)
        number = connection.greeting.connection_id
    results = sum(payload == b"\x01" for _, payload in packets)
    starting = [e for e in events.ended(number) if e["point"] == "general" and e["event"] == "Starting"]
    of_probe = starting[[e["sql"].strip() for e in starting].index('SELECT 1 AS "a";'):]
    assert len(of_probe) == results or of_probe[1]["reading_known"] == 0


@pytest.mark.parametrize("texts,character_set,sql_mode", [
    ((), "utf8mb4", ""), (("SET NAMES latin1",), "latin1", ""), (("SET NAMES utf8",), "utf8mb4", ""),
    (("SET character_set_client = gbk, sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'",), "gbk", "NO_BACKSLASH_ESCAPES"),
    (("SET sql_mode = CONCAT('ORA', 'CLE')",), "utf8mb4", "ANSI_QUOTES,ORACLE"),
    (("SET NAMES latin1", "SET sql_mode = 'ANSI'", "SET NAMES koi8r, sql_mode = DEFAULT"), "koi8r", ""),
])
def test_plugins_read_the_character_set_and_the_mode(weir, events, texts, character_set, sql_mode):
    with weir.raw(capabilities=raw.BASIC) as connection:
        for text in texts:
            connection.query(text)
        connection.query("SELECT 1 AS probe")
        number = connection.greeting.connection_id
    (probe,) = [e for e in events.ended(number) if e["event"] == "Starting" and e["sql"] == "SELECT 1 AS probe"]
    assert (probe["character_set"], probe["sql_mode"]) == (character_set, sql_mode)


def test_a_character_set_and_a_mode_that_are_not_known_are_absent(weir, events):
    text = "EXECUTE IMMEDIATE CONCAT('SET sql_mode=ANSI', '_QUOTES'); SELECT 1"
    first, last = [e for e in general_events(weir, events, text) if e["event"] == "Starting"]
    assert (first["character_set"], first["sql_mode"]) == ("utf8mb4", "")
    assert (last["character_set"], last["sql_mode"]) == (None, None)


def test_reports_that_were_switched_off_unseen_prove_nothing(session):
    """SET @@session_track_schema is not reported either."""
    hidden = "EXECUTE IMMEDIATE CONCAT('SET @@session_track_sch', 'ema = 0')"
    events, row = session("SELECT 1", hidden, "EXECUTE IMMEDIATE CONCAT('USE else', 'where')", "SELECT 'after'")
    assert b"elsewhere" in row
    assert [database for sql, database in seen(events) if sql == "SELECT 'after'"] in (["elsewhere"], [None])


def test_a_client_without_multi_results_is_known(weir, events):
    """The question in a block cannot be answered there (1312); the account stayed unknown."""
    with weir.raw(capabilities=raw.BASIC & ~raw.MULTI_RESULTS & ~raw.MULTI_STATEMENTS) as connection:
        connection.query("SELECT 1")
        number = connection.greeting.connection_id
    starting = [e for e in events.ended(number) if e["event"] == "Starting"]
    assert starting[0]["current_user"] == f"{USER}@%" and starting[0]["unknown"] in (None, "")


def test_what_is_not_known_is_said_not_to_be(weir, events):
    general = general_events(weir, events, "EXECUTE IMMEDIATE CONCAT('SELECT', ' 1'); SELECT \"x\"")
    assert [e for e in general if e["event"] == "Starting"][1]["reading_known"] == 0


# ---- The client sees nothing of it ----

STATEMENTS = ["USE elsewhere", f"USE {DATABASE}", "SET NAMES latin1", "SET NAMES utf8mb4", "SET sql_mode = 'ANSI'", "SET @a = 1",
              "SET autocommit = 0", "SET autocommit = 1", "INSERT INTO counted VALUES (1), (2)", "SET max_statement_time = 0",
              "CREATE TEMPORARY TABLE passing (a INT)", "USE elsewhere; SET @b = 2; SELECT 1", "SET SESSION session_track_schema = 1",
              "SET STATEMENT sql_mode = '' FOR SET @c = 3"]


@pytest.mark.parametrize("capabilities", [raw.BASIC, raw.BASIC | raw.SESSION_TRACK,
                                          raw.BASIC | raw.SESSION_TRACK | raw.DEPRECATE_EOF])
def test_a_client_reads_the_reports_that_it_has_asked_for(weir, direct, database, capabilities):
    database.execute("CREATE DATABASE IF NOT EXISTS elsewhere")
    database.execute(f"CREATE TABLE IF NOT EXISTS {DATABASE}.counted (a INT)")
    replies = []
    for endpoint in (direct, weir):
        with endpoint.raw(capabilities=capabilities) as connection:
            replies.append([connection.query(text) for text in STATEMENTS])
    for text, alone, through in zip(STATEMENTS, *replies):
        assert in_any_order(through) == in_any_order(alone), text


def in_any_order(packets):
    """The server reports variables in the order of their addresses, which the number of those that are reported changes."""
    return [(number, sorted(payload) if payload[:1] == b"\0" else payload) for number, payload in packets]


def test_a_client_that_tracks_everything_reads_everything(weir, direct):
    replies = []
    for endpoint in (direct, weir):
        with endpoint.raw(capabilities=raw.BASIC | raw.SESSION_TRACK) as connection:
            connection.query("SET SESSION session_track_system_variables = '*', session_track_state_change = 1")
            replies.append([connection.query(text) for text in ("SET @a = 1", "SET sql_mode = 'ANSI'", "USE elsewhere")])
    assert replies[0] == replies[1]


@pytest.mark.parametrize("prepared", [False, True])
def test_what_a_call_has_left_can_be_read(weir, direct, database, prepared):
    """ROW_COUNT() and FOUND_ROWS() after CALL, also by COM_STMT_EXECUTE, were those of weir's question."""
    database.execute(f"CREATE TABLE IF NOT EXISTS {DATABASE}.counted (a INT)")
    database.execute(f"CREATE OR REPLACE PROCEDURE {DATABASE}.leaves() BEGIN SET @left = 1; SELECT 1 UNION SELECT 2 UNION SELECT 3; END")
    text = "SELECT FOUND_ROWS(), ROW_COUNT()"
    answers = []
    for endpoint in (direct, weir):
        with endpoint.raw() as connection:
            statement = connection.prepare(text)[0] if prepared else None
            connection.query("CALL leaves()")
            if prepared:
                packets = connection.command(bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<I", statement) + b"\0\1\0\0\0")
            else:
                packets = connection.query(text)
            answers.append(packets)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("first", ["SELECT MAX(a) FROM traced", "EXPLAIN SELECT a FROM traced", "CALL traces()", "EXECUTE IMMEDIATE CONCAT('SELECT a ', 'FROM traced')",
                                   "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'SELECT a FROM traced'; SIGNAL SQLSTATE '45000'; END"])
def test_what_the_optimizer_has_traced_can_be_read(weir, direct, database, first, prepared):
    """information_schema.OPTIMIZER_TRACE has the last statement's; it was that of weir's question."""
    database.execute(f"CREATE TABLE IF NOT EXISTS {DATABASE}.traced (a INT)")
    database.execute(f"CREATE OR REPLACE PROCEDURE {DATABASE}.traces() BEGIN SET @left = 1; SELECT a FROM traced; END")
    answers = []
    for endpoint in (direct, weir):
        with endpoint.raw() as connection:
            statement = connection.prepare("SELECT QUERY FROM information_schema.OPTIMIZER_TRACE")[0]
            connection.query("SET optimizer_trace = 'enabled=on'")
            connection.query(first)
            if prepared:
                packets = connection.command(bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<I", statement) + b"\0\1\0\0\0")
            else:
                packets = connection.query("SELECT QUERY FROM information_schema.OPTIMIZER_TRACE")
            answers.append(packets)
    assert answers[0] == answers[1]


def test_the_backend_is_asked_once_a_session(weir, database):
    """Questions of weir's own are visible in SHOW STATUS: there is one, at the login."""
    with weir.connect() as connection, connection.cursor() as cursor:
        for text in ("USE elsewhere", "SET NAMES latin1", "SET sql_mode = CONCAT('ANSI', '_QUOTES')", "DO 1", "SET NAMES utf8mb4"):
            cursor.execute(text)
        cursor.execute("SHOW SESSION STATUS LIKE 'Com_select'")
        (before,) = cursor.fetchall()
        cursor.execute("SET STATEMENT max_statement_time = 10 FOR USE elsewhere")
        cursor.execute("EXECUTE IMMEDIATE 'DO 1'")
        cursor.execute("SHOW SESSION STATUS LIKE 'Com_select'")
        assert cursor.fetchall() == (before,)


def test_an_account_with_an_expired_password_is_asked_for_again(weir, events, database):
    database.execute("CREATE OR REPLACE USER expiring IDENTIFIED BY 'old' PASSWORD EXPIRE")
    with weir.raw(user="expiring", password="old", database=None) as connection:
        connection.query("SELECT 1")
        connection.query("SET PASSWORD = PASSWORD('new')")
        connection.query("SELECT 2")
        number = connection.greeting.connection_id
    general = [e for e in events.ended(number) if e["point"] == "general" and e["event"] == "Starting"]
    assert general[0]["current_user"] is None and general[0]["unknown"]
    assert general[-1]["current_user"] == "expiring@%"
    database.execute("DROP USER expiring")
