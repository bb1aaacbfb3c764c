# SPDX-License-Identifier: Apache-2.0
"""System and status variables of plugins, next to the server's own: its numbers, its words, its order."""
import pathlib

import pytest
from harness import raw
from harness.observe import failure, run

pytestmark = pytest.mark.gateway_only


@pytest.fixture(scope="module")
def server(settings_server):
    return settings_server


@pytest.fixture
def connection(server):
    """Everything has its default again afterwards."""
    with server.endpoint.connect() as connection:
        yield connection
    with server.endpoint.connect() as connection:
        for name in ("format", "limit", "buffer", "wait", "chain", "file"):
            connection.query(f"SET GLOBAL settings_{name} = DEFAULT")


def rows(connection, sql, arguments=None):
    result = run(connection, sql, arguments)[-1]
    assert "rows" in result, result
    return result["rows"]


def value(connection, sql):
    ((found,),) = rows(connection, sql)
    return found


def error(connection, sql):
    return failure(lambda: connection.query(sql))["arguments"]


def seen(connection):
    return error(connection, "see the settings")[1]


# -- reading


def test_each_type_is_read_as_the_server_reads_its_own(connection):
    (result,) = run(connection, "SELECT @@settings_format, @@settings_limit, @@settings_buffer, @@settings_wait, @@settings_chain, "
                                "@@settings_file, @@settings_fixed, @@settings_mine")
    assert [column[0] for column in result["columns"]] == [f"@@settings_{name}" for name in (
        "format", "limit", "buffer", "wait", "chain", "file", "fixed", "mine")]
    assert [str(cell) for cell in result["rows"][0]] == ["jsonl", "5", "1048576", "0.250000", "0", "audit.log", "-3", "own"]


@pytest.mark.parametrize("sql, name, expected", [
    ("SELECT @@GLOBAL.Settings_Limit", "@@GLOBAL.Settings_Limit", 5),
    ("select @@session.settings_limit + 1 ;", "@@session.settings_limit + 1", 6),
    ("SELECT @@settings_limit AS x", "x", 5), ("SELECT @@settings_limit `a b`", "a b", 5), ("SELECT @@`settings_limit`", "@@`settings_limit`", 5),
    ("SELECT concat(@@settings_format, '-', @@settings_limit)", "concat(@@settings_format, '-', @@settings_limit)", "jsonl-5"),
    ("SELECT 7 FROM dual WHERE @@settings_format = 'jsonl'", "7", 7),
    ("SELECT (SELECT @@settings_limit) LIMIT 1", "(SELECT @@settings_limit)", 5),
    ("(SELECT @@settings_limit)", "@@settings_limit", 5),
    ("SELECT @@settings_limit * @@max_connections > 5", "@@settings_limit * @@max_connections > 5", 1),
    ("SELECT '@@settings_limit'", "@@settings_limit", "@@settings_limit"),
    ("SELECT /* c */ @@settings_limit -- x", "@@settings_limit", 5),
    ("SELECT 1 - @@settings_fixed", "1 - @@settings_fixed", 4),
    ("SELECT CASE @@settings_limit WHEN 5 THEN 'five' END", "CASE @@settings_limit WHEN 5 THEN 'five' END", "five"),
])
def test_names_work_in_any_expression_and_columns_keep_their_names(connection, sql, name, expected):
    (result,) = run(connection, sql)
    assert "error" not in result, result
    assert ([column[0] for column in result["columns"]], result["rows"]) == ([name], [(expected,)])


def test_names_work_in_other_statements_and_in_texts_of_several(connection):
    connection.query("SET @a = @@settings_limit")
    assert value(connection, "SELECT @a") == 5
    connection.query("CREATE TEMPORARY TABLE t AS SELECT @@settings_format, @@settings_limit l")
    assert rows(connection, "SELECT * FROM t") == [("jsonl", 5)]
    connection.query("INSERT INTO t VALUES (@@settings_format, @@global.settings_limit + 1)")
    assert value(connection, "SELECT MAX(l) FROM t") == 6
    several = run(connection, "SELECT @@settings_limit; SELECT 2; SELECT @@settings_format /* x */ ; ")
    assert [result["rows"] for result in several] == [[(5,)], [(2,)], [("jsonl",)]]


def test_names_of_nobody_are_the_servers_to_refuse(server, connection, direct):
    with direct.connect() as other:
        for sql in ("SELECT @@settings_nothing", "SET GLOBAL settings_nothing = 1", "SELECT @@settings_limits, @@settings_limit"):
            mine, its = error(connection, sql), failure(lambda: other.query(sql))["arguments"]
            assert mine == its and mine[0] == 1193


@pytest.mark.parametrize("sql, like", [("SELECT @@session.settings_format", "SELECT @@session.max_connections"),
                                       ("SELECT @@global.settings_mine", "SELECT @@global.timestamp")])
def test_a_wrong_scope_is_refused_in_the_servers_words(connection, sql, like):
    mine, its = error(connection, sql), error(connection, like)
    assert mine[0] == its[0] == 1238
    assert mine[1].replace(sql.split(".")[1], "x") == its[1].replace(like.split(".")[1], "x")


def test_prepared_statements_read_too(server, client):
    done = server.endpoint.run(client("prepared"), "select", "SELECT @@settings_format, @@settings_limit + 1")
    assert done.stdout.splitlines()[-3:] == ["jsonl", "6", "1 rows"]


# -- setting


@pytest.mark.parametrize("sql, expected", [
    ("SET GLOBAL settings_format = 'json'", "1 5/5 1048576 250000000 0 audit.log own"),
    ("SET GLOBAL settings_format = csv", "2 5/5 1048576 250000000 0 audit.log own"),
    ("SET @@global.settings_format := 2", "2 5/5 1048576 250000000 0 audit.log own"),
    ("SET GLOBAL settings_limit = 3 + 4", "0 7/5 1048576 250000000 0 audit.log own"),
    ("SET GLOBAL settings_limit = @@settings_limit * 2, settings_buffer = '64k'", "0 10/5 65536 250000000 0 audit.log own"),
    ("SET SESSION settings_limit = 9", "0 5/9 1048576 250000000 0 audit.log own"),
    ("SET settings_limit = 9, local settings_mine = concat('a', \"b'c\")", "0 5/9 1048576 250000000 0 audit.log ab'c"),
    ("SET PERSIST settings_wait = 1.5, settings_chain = ON", "0 5/5 1048576 1500000000 1 audit.log own"),
    ("SET GLOBAL settings_wait = '2m', GLOBAL settings_chain = TRUE;", "0 5/5 1048576 120000000000 1 audit.log own"),
    ("SET GLOBAL settings_file = 'x\\'y'", "0 5/5 1048576 250000000 0 x'y own"),
    ("SET GLOBAL settings_file = 'up'", "0 5/5 1048576 250000000 0 UP own"),
    ("SET GLOBAL settings_file = (SELECT 'from a table')", "0 5/5 1048576 250000000 0 from a table own"),
    ("SET PERSIST_ONLY settings_limit = 8", "0 5/5 1048576 250000000 0 audit.log own"),
])
def test_set_takes_effect_for_the_plugin(connection, sql, expected):
    (result,) = run(connection, sql)
    assert "error" not in result, result
    assert seen(connection) == expected


def test_values_in_other_letters_keep_them(connection):
    connection.query("SET GLOBAL settings_file = 'Grüße, 世界 🎉'")
    assert value(connection, "SELECT @@settings_file") == "Grüße, 世界 🎉"
    assert rows(connection, "SHOW VARIABLES LIKE 'settings_file'") == [("settings_file", "Grüße, 世界 🎉")]


@pytest.mark.parametrize("mine, like", [
    ("SET GLOBAL settings_limit = 'abc'", "SET GLOBAL max_connections = 'abc'"), ("SET GLOBAL settings_limit = '7'", "SET GLOBAL max_connections = '7'"),
    ("SET GLOBAL settings_limit = 1.5", "SET GLOBAL max_connections = 1.5"), ("SET GLOBAL settings_limit = NULL", "SET GLOBAL max_connections = NULL"),
    ("SET GLOBAL settings_limit = (SELECT '7')", "SET GLOBAL max_connections = (SELECT '7')"),
    ("SET GLOBAL settings_limit = ON", "SET GLOBAL max_connections = ON"),
    ("SET GLOBAL settings_limit = nosuch()", "SET GLOBAL max_connections = nosuch()"),
    ("SET GLOBAL settings_limit = 99999999999", "SET GLOBAL max_connections = 99999999999"),  # under STRICT_ALL_TABLES
    ("SET GLOBAL settings_limit = -1", "SET GLOBAL max_connections = -1"),
    ("SET GLOBAL settings_chain = maybe", "SET GLOBAL low_priority_updates = maybe"), ("SET GLOBAL settings_chain = 7", "SET GLOBAL low_priority_updates = 7"),
    ("SET GLOBAL settings_chain = 1.0", "SET GLOBAL low_priority_updates = 1.0"), ("SET GLOBAL settings_chain = ''", "SET GLOBAL low_priority_updates = ''"),
    ("SET GLOBAL settings_chain = NULL", "SET GLOBAL low_priority_updates = NULL"),
    ("SET GLOBAL settings_format = 'x'", "SET GLOBAL binlog_format = 'x'"), ("SET GLOBAL settings_format = 77", "SET GLOBAL binlog_format = 77"),
    ("SET GLOBAL settings_format = 1.5", "SET GLOBAL binlog_format = 1.5"),
    ("SET GLOBAL settings_file = 5", "SET GLOBAL general_log_file = 5"), ("SET GLOBAL settings_file = NULL", "SET GLOBAL general_log_file = NULL"),
    ("SET GLOBAL settings_wait = 'a'", "SET GLOBAL long_query_time = 'a'"), ("SET GLOBAL settings_wait = -1", "SET GLOBAL long_query_time = -1"),
    ("SET GLOBAL settings_fixed = 1", "SET GLOBAL version = 1"), ("SET settings_fixed = 1", "SET version = 1"),
    ("SET SESSION settings_format = 1", "SET SESSION max_connections = 1"), ("SET settings_format = 1", "SET max_connections = 1"),
    ("SET GLOBAL settings_mine = 'a'", "SET GLOBAL timestamp = 1"),
])
def test_errors_are_the_servers(connection, mine, like):
    def name_of(sql):
        return sql.split("=")[0].split()[-1]

    connection.query("SET SESSION sql_mode = 'STRICT_ALL_TABLES'")
    got, its = error(connection, mine), error(connection, like)
    assert (got[0], got[1].replace(name_of(mine), "x")) == (its[0], its[1].replace(name_of(like), "x"))
    assert seen(connection) == "0 5/5 1048576 250000000 0 audit.log own"


def test_a_plugins_refusal_is_read_by_the_client(connection):
    assert error(connection, "SET GLOBAL settings_file = 'bad'") == (
        1231, "Variable 'settings_file' can't be set to the value of 'bad': there is no such place")


@pytest.mark.parametrize("sql, number", [
    ("SET GLOBAL settings_format", 1064), ("SET GLOBAL settings_format =", 1064),
    ("SET GLOBAL settings_format = 'json' 'x', = 3", 1064), ("SET GLOBAL settings_limit = (1", 1064),
    ("SET GLOBAL settings_limit = 1, PASSWORD = PASSWORD('x') x y", 1193)])  # PASSWORD counts as a variable's name
def test_what_is_no_sql_is_refused(connection, sql, number):
    assert error(connection, sql)[0] == number
    assert seen(connection) == "0 5/5 1048576 250000000 0 audit.log own"
    assert value(connection, "SELECT 1") == 1


@pytest.mark.parametrize("sql", [
    "SET GLOBAL settings_limit = 6, SESSION sort_buffer_size = 1048576, @x = 4",
    "SET @x = 4, sort_buffer_size = 1048576, GLOBAL settings_limit = 6",
    "SET SESSION sort_buffer_size = 1048576, @@global.settings_limit = 6, @x = @@settings_limit - 1",
    "SET GLOBAL settings_limit = 6, @@sort_buffer_size = 1048576, @x = 4",
])
def test_the_backend_gets_the_rest_of_a_set(connection, sql):
    before = value(connection, "SELECT @@global.sort_buffer_size")
    run(connection, sql)
    assert rows(connection, "SELECT @@settings_limit, @@global.settings_limit, @@sort_buffer_size, @x") == [(5, 6, 1048576, 4)]
    assert value(connection, "SELECT @@global.sort_buffer_size") == before


def test_a_scope_holds_for_the_assignments_after_it(connection):
    before = value(connection, "SELECT @@global.long_query_time")
    try:
        connection.query("SET GLOBAL settings_limit = 6, long_query_time = 3")
        assert value(connection, "SELECT @@global.long_query_time") == 3
        connection.query("SET GLOBAL long_query_time = 4, SESSION settings_limit = 7, long_query_time = 5")
        assert rows(connection, "SELECT @@global.long_query_time, @@long_query_time, @@settings_limit") == [(4, 5, 7)]
    finally:
        connection.query(f"SET GLOBAL long_query_time = {before}")


@pytest.mark.parametrize("sql, number", [
    ("SET GLOBAL settings_limit = 6, sort_buffer_size = 'x'", 1232), ("SET @y = 1, GLOBAL settings_limit = 6000, @x = 1", 1231),
    ("SET GLOBAL settings_limit = 6, settings_format = 'x', @x = 1", 1231), ("SET @x = nosuch(), GLOBAL settings_limit = 6", 1305),
    ("SET @x = 1, GLOBAL settings_limit = nosuch()", 1305), ("SET GLOBAL settings_limit = 6, nosuch_variable = 1", 1193),
])
def test_a_set_that_fails_changes_nothing(connection, sql, number):
    connection.query("SET @x = NULL")
    assert error(connection, sql)[0] == number
    assert rows(connection, "SELECT @@global.settings_limit, @x") == [(5, None)]


@pytest.mark.parametrize("assignments", ["settings_file = 'seven', GLOBAL settings_limit = 7", "settings_limit = 7, GLOBAL settings_file = 'seven'",
                                         "settings_limit = 7, GLOBAL settings_limit = 9, GLOBAL settings_file = 'seven', GLOBAL settings_limit = 7"])
def test_values_that_belong_together_are_changed_together(connection, assignments):
    """Each is checked with the values that the others are about to have, and when it has changed they have."""
    assert "with the limit 5 (5), and not 7" in error(connection, "SET GLOBAL settings_file = 'seven'")[1]
    assert "with the limit 8 (8), and not 7" in error(connection, "SET GLOBAL settings_limit = 8, GLOBAL settings_file = 'seven'")[1]
    assert "with the limit 5 (5), and not 7" in error(connection, "SET SESSION settings_limit = 7, GLOBAL settings_file = 'seven'")[1]
    assert value(connection, "SELECT @@global.settings_limit") == 5
    connection.query(f"SET GLOBAL {assignments}")
    assert rows(connection, "SELECT @@global.settings_limit, @@settings_file") == [(7, "seven")]
    assert rows(connection, "SHOW STATUS LIKE 'settings_limit_at_change'") == [("Settings_limit_at_change", "7")]


def test_sql_mode_in_the_rest_is_noticed(connection):
    connection.query("SET GLOBAL settings_limit = 6, SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'")
    assert rows(connection, "SELECT '\\', @@global.settings_limit, ''") == [("\\", 6, "")]


def test_global_values_need_a_privilege_and_session_values_do_not(server, database, connection):
    with server.endpoint.connect(user="limited", password="limited-secret") as limited:
        for sql in ("SET GLOBAL settings_limit = 6", "SET PERSIST settings_limit = 6", "SET SESSION settings_limit = 6, GLOBAL settings_limit = 6",
                    "SET GLOBAL settings_limit = 'wrong'"):
            assert error(limited, sql) == (1227, "Access denied; you need (at least one of) the SUPER or SYSTEM_VARIABLES_ADMIN "
                                                 "privilege(s) for this operation")
        assert error(limited, "SET GLOBAL settings_fixed = 1")[0] == 1238
        limited.query("SET settings_limit = 7")
        assert rows(limited, "SELECT @@settings_limit, @@global.settings_limit") == [(7, 5)]
    database.execute("GRANT SUPER, SHUTDOWN ON *.* TO limited@'%'")
    try:
        with server.endpoint.connect(user="limited", password="limited-secret") as privileged:
            privileged.query("SET GLOBAL settings_limit = 6")
    finally:
        database.execute("REVOKE SUPER, SHUTDOWN ON *.* FROM limited@'%'")
    assert value(connection, "SELECT @@global.settings_limit") == 6


def test_session_values_are_the_global_ones_of_its_beginning(server, connection):
    connection.query("SET GLOBAL settings_limit = 8")
    assert value(connection, "SELECT @@settings_limit") == 5
    with server.endpoint.connect() as later:
        assert value(later, "SELECT @@settings_limit") == 8
    connection.query("SET settings_limit = DEFAULT")
    assert value(connection, "SELECT @@settings_limit") == 8
    with server.endpoint.raw() as other:
        other.query("SET settings_limit = 44, settings_mine = 'x'")
        other.command(b"\x1f", other.read_one)  # COM_RESET_CONNECTION
        assert b"\x018\x03own" in b"".join(p for _, p in other.query("SELECT @@settings_limit, @@settings_mine"))


def test_a_prepared_set_is_refused_as_the_server_refuses_what_it_cannot_prepare(server):
    with server.endpoint.raw() as connection:
        with pytest.raises(raw.ServerError) as caught:
            connection.prepare("SET GLOBAL settings_limit = 6")
        assert caught.value.number == 1295
        assert connection.query("SELECT 1")


def test_a_set_among_several_statements_is_refused_in_words(connection):
    got = error(connection, "SELECT 1; SET GLOBAL settings_limit = 6")
    assert got[0] == 1235 and "several statements" in got[1]
    assert value(connection, "SELECT @@global.settings_limit") == 5


# -- showing


@pytest.mark.parametrize("sql", ["SHOW VARIABLES", "SHOW GLOBAL VARIABLES", "show session variables", "SHOW VARIABLES WHERE 1"])
def test_show_variables_has_all_in_the_servers_order(connection, direct, sql):
    with direct.connect() as other:
        its = rows(other, sql)
    mine = rows(connection, sql)
    names = [name for name, _ in mine]
    changing = {"timestamp", "pseudo_thread_id", "rand_seed1", "rand_seed2", "last_gtid",
                "session_track_system_variables", "session_track_state_change"}  # weir asks the server to report more
    assert [name for name in names if not name.startswith("settings_")] == [name for name, _ in its]
    assert {row for row in its if row[0] not in changing} <= set(mine)
    ours = [name for name in names if name.startswith("settings_")]
    assert ours == sorted(ours) and len(ours) == (7 if "GLOBAL" in sql else 8)
    at = names.index(ours[0])
    assert names[at - 1] < ours[0] and names[at + len(ours)] > ours[-1]


@pytest.mark.parametrize("sql, expected", [
    ("SHOW VARIABLES LIKE 'settings_l%'", [("settings_limit", "5")]), ("SHOW VARIABLES LIKE 'SETTINGS\\_LIMIT'", [("settings_limit", "5")]),
    ("SHOW GLOBAL VARIABLES LIKE 'settings_mine'", []), ("SHOW LOCAL VARIABLES LIKE 'settings_mine';", [("settings_mine", "own")]),
    ("SHOW VARIABLES WHERE Variable_name IN ('settings_wait', 'settings_chain', 'lower_case_table_names')",
     [("lower_case_table_names", "0"), ("settings_chain", "OFF"), ("settings_wait", "0.250000")]),
    ("SHOW VARIABLES WHERE Value = 'JSONL'", [("settings_format", "jsonl")]),
    ("SHOW VARIABLES WHERE `Variable_name` LIKE 'settings%' AND Value > 6", [("settings_buffer", "1048576")]),
    ("SHOW VARIABLES LIKE 'nosuch'", []),
])
def test_show_variables_filters_with_the_servers_rules(connection, sql, expected):
    connection.query("SET NAMES utf8mb4 COLLATE utf8mb4_bin")
    assert rows(connection, sql) == expected


@pytest.mark.parametrize("limit", [0, 1])
def test_a_limit_of_rows_hides_no_row_of_a_plugin(server, direct, limit):
    """sql_select_limit holds for the server's own rows; plugins' rows came in spite of it when a name decided, and not when the backend did."""
    shows = ("SHOW VARIABLES LIKE 'settings%'", "SHOW VARIABLES WHERE Value = 'JSONL' OR Value = 'mysql_native_password'",
             "SHOW VARIABLES WHERE Value <> 'x' -- all of them", "SHOW STATUS WHERE Value >= 0",
             f"SHOW VARIABLES WHERE Value = 'JSONL' OR Value = '{'long' * 500}' # and no more")

    def ours(connection):
        found = [[name for name, _ in rows(connection, sql)] for sql in shows]
        return [[name for name in names if name.lower().startswith("settings_")] for names in found], [len(names) for names in found]

    with direct.connect() as other, server.endpoint.connect() as connection:
        before, _ = ours(connection)
        for each in (other, connection):
            each.query(f"SET sql_select_limit = {limit}")
        after, count = ours(connection)
        of_server, its = ours(other)
    assert after == before and all(before) and not any(of_server)
    of_weir = [0, 0, 0, count[3] - len(after[3]) - its[3], 0]  # its own counters
    assert count == [len(mine) + more + own for mine, more, own in zip(after, its, of_weir)] and max(its) == limit


def test_the_result_looks_like_the_servers(server, direct):
    def shape(endpoint, capabilities):
        with endpoint.raw(capabilities=capabilities) as connection:
            packets = connection.query("SHOW VARIABLES LIKE 'lower_case_table_names'")
            mine = connection.query("SHOW VARIABLES WHERE Variable_name = 'lower_case_table_names' OR Variable_name = 'settings_chain'")
            assert [number for number, _ in mine] == [(1 + i) & 255 for i in range(len(mine))]
            everything = connection.query("SHOW VARIABLES")
            assert [number for number, _ in everything] == [(1 + i) & 255 for i in range(len(everything))]
            assert connection.query("SELECT 1")
            return packets, len(mine)

    for capabilities in (raw.BASIC, raw.BASIC | raw.DEPRECATE_EOF | raw.SESSION_TRACK, raw.BASIC | raw.EXTENDED_METADATA):
        (mine, with_ours), (its, without) = shape(server.endpoint, capabilities), shape(direct, capabilities)
        assert mine == its and with_ours == without + 1


def test_an_error_of_the_filter_is_the_servers(connection, direct):
    with direct.connect() as other:
        for sql in ("SHOW VARIABLES WHERE nosuch = 1", "SHOW VARIABLES LIKE", "SHOW VARIABLES WHERE (", "SHOW VARIABLES LIKE 'a' 'b'"):
            assert error(connection, sql) == failure(lambda: other.query(sql))["arguments"]


@pytest.mark.parametrize("sql", ["SHOW STATUS LIKE 'Handler_read%'", "SHOW STATUS LIKE 'Handler\\_%'", "SHOW STATUS LIKE 'Empty_queries'",
                                 "SHOW STATUS LIKE 'Created_tmp%'", "SHOW STATUS LIKE 'Questions'", "SHOW STATUS LIKE 'Last_query_cost'",
                                 "SHOW STATUS WHERE Variable_name LIKE 'Handler_read%' AND Value <> 0",
                                 "SHOW STATUS WHERE Variable_name IN ('Handler_read_rnd_next', 'Created_tmp_tables')"])
def test_a_show_leaves_the_counters_of_the_session_as_they_are(connection, direct, sql):
    def shown(connection):
        connection.query("DO 1")  # a session's first statement may have company
        connection.query("FLUSH STATUS")
        return [rows(connection, sql) for _ in range(2)]

    with direct.connect() as other:
        assert shown(connection) == shown(other)


def test_a_show_is_the_only_statement_in_its_profile(connection):
    connection.query("SET profiling = 1")
    for sql in ("SHOW VARIABLES LIKE 'version'", "SHOW VARIABLES LIKE 'settings%'", "SHOW VARIABLES LIKE ''", "SHOW VARIABLES"):
        assert rows(connection, sql)
    assert [sql for _, _, sql in rows(connection, "SHOW PROFILES")] == [
        "SHOW VARIABLES LIKE 'version'", "SHOW VARIABLES LIKE 'settings%'", "SHOW VARIABLES LIKE ''", "SHOW VARIABLES"]


@pytest.mark.parametrize("sql, like", [(f"SHOW VARIABLES LIKE {written.format(ours)}", f"SHOW VARIABLES LIKE {written.format(its)}")
                                       for ours, its in [("settings_fixed", "lower_case_file_system")]
                                       for written in ("'{}'", "''", "'{}\\0x'", "'{} '", "'{}\\\\'", "'\u00e9{}'", "'%''{}'")])
def test_patterns_are_matched_as_the_servers_own_names_are(connection, sql, like):
    def names(mode, text):
        connection.query(f"SET sql_mode = '{mode}'")
        return [name for name, _ in rows(connection, text)]

    for mode in ("", "NO_BACKSLASH_ESCAPES"):
        assert ("settings_fixed" in names(mode, sql)) == ("lower_case_file_system" in names(mode, like))


def test_a_question_that_is_too_large_for_the_backend_is_not_asked(server, small_packets):
    with server.endpoint.connect() as connection:
        assert rows(connection, "SHOW VARIABLES LIKE 'settings_l%'") == [("settings_limit", "5")]
        assert rows(connection, "SHOW VARIABLES WHERE Variable_name LIKE 'settings_l%' OR Value = 'jsonl'") == [("settings_limit", "5")]
        assert value(connection, "SELECT 1") == 1
    assert "rows of plugins are left out of a SHOW: max_allowed_packet is too small" in server.log()


def test_prepared_shows_have_the_rows_too(server, client):
    done = server.endpoint.run(client("prepared"), "select", "SHOW VARIABLES WHERE Variable_name IN ('settings_limit', 'lower_case_table_names')")
    assert done.stdout.splitlines().index("lower_case_table_names") < done.stdout.splitlines().index("settings_limit")


def test_show_status_reports_what_the_plugin_says(connection):
    before = dict(rows(connection, "SHOW STATUS LIKE 'settings%'"))
    assert list(before) == ["Settings_changed", "Settings_last_global", "Settings_limit_at_change", "Settings_validated"]
    connection.query("SET GLOBAL settings_limit = 77")
    after = dict(rows(connection, "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'Settings%'"))
    assert int(after["Settings_changed"]) == int(before["Settings_changed"]) + 1
    assert after["Settings_last_global"] == "settings_limit=77"
    names = [name for name, _ in rows(connection, "SHOW GLOBAL STATUS")]
    at = names.index("Settings_changed")
    assert names[at + 3] == "Settings_validated" and names[at - 1] < "Settings_changed" < names[at + 4]


def test_the_shell_shows_it(server):
    done = server.endpoint.shell("SHOW VARIABLES LIKE 'settings_f%'; SET GLOBAL settings_limit = 5; SELECT @@settings_limit", "--table")
    assert "| settings_fixed  | -3        |" in done.stdout and "| @@settings_limit |" in done.stdout


# -- what plugins see, pipelines, restarts


def test_the_statements_are_audited_as_the_client_wrote_them(server, connection):
    texts = ["SELECT @@settings_limit", "SET GLOBAL settings_limit = 6, @x = 1", "SHOW VARIABLES LIKE 'settings%'", "SET GLOBAL settings_limit = 0"]
    for sql in texts:
        run(connection, sql)
    found = [e for e in server.events.of(connection.thread_id()) if e["point"] == "general" and e.get("sql") in texts]
    assert [(e["sql"], e["event"]) for e in found] == [(sql, event) for sql in texts for event in (
        "Starting", "Error" if sql.endswith("= 0") else "Completed")]
    assert found[5]["rows"] == 8 and found[7]["error_code"] == 1231


def test_statements_in_a_pipeline_are_answered_in_their_place(server):
    with server.endpoint.raw() as connection:
        texts = [b"SELECT SLEEP(0.1), 1", b"SET settings_limit = 9, @x = 3", b"SELECT @@settings_limit, @x", b"SHOW VARIABLES LIKE 'settings_l%'",
                 b"SET settings_limit = 99999", b"SELECT 3"]
        connection.send_queries(*texts)
        replies = [b"|".join(payload for _, payload in connection.read_result()) for _ in texts]
    assert replies[1][:1] == b"\0" and b"|\x019\x013|" in replies[2] and b"settings_limit\x019" in replies[3]
    assert replies[4][:3] == b"\xff\xcf\x04" and b"|\x013|" in replies[5]


def test_what_was_set_survives_a_restart_and_wins_over_the_file(gateway, database, tmp_path):
    config = tmp_path / "weir.toml"
    config.write_text('[plugin.settings]\nlimit = 20\nformat = "csv"\nwait = "3s"\n')
    backend = database.address
    server = gateway(backend, plugins=["settings-1"], options=["-config", str(config)])
    read = "SELECT @@global.settings_limit, @@settings_format, @@settings_wait + 0.0, @@settings_file"
    with server.endpoint.connect() as connection:
        assert [str(cell) for cell in rows(connection, read)[0]] == ["20", "csv", "3.000000", "audit.log"]
        connection.query("SET GLOBAL settings_limit = 30, settings_file = 'a\"b\\\\c'")
        connection.query("SET PERSIST_ONLY settings_fixed = 12")
        connection.query("SET SESSION settings_limit = 31")
        connection.query("SET GLOBAL settings_wait = 9")
        connection.query("SET GLOBAL settings_wait = DEFAULT")
    server.stop()
    server.start()
    with server.endpoint.connect() as connection:
        assert [str(cell) for cell in rows(connection, read)[0]] == ["30", "csv", "3.000000", 'a"b\\c']
        assert value(connection, "SELECT @@settings_fixed") == 12
    server.stop()
    kept = (server.folder / "data" / "plugin-variables.toml").read_text()
    assert "settings_wait" not in kept and 'settings_limit = "30"' in kept


def test_a_wrong_value_in_the_file_stops_the_start_in_words(gateway, database, tmp_path):
    for text, words in (("limit = 0", "settings_limit"), ('file = "bad"', "there is no such place"), ('format = "xml"', "settings_format")):
        config = tmp_path / "weir.toml"
        config.write_text(f"[plugin.settings]\n{text}\n")
        server = gateway(database.address, plugins=["settings-1"], options=["-config", str(config)],
                         start=False).launch()
        assert server.process.wait() == 1
        assert words in server.log()


def test_without_such_plugins_everything_goes_to_the_backend(weir):
    with weir.connect() as connection:
        assert error(connection, "SELECT @@settings_limit")[0] == 1193
        assert rows(connection, "SHOW VARIABLES LIKE 'settings%'") == []


def test_a_client_that_leaves_in_the_middle_harms_nobody(server, connection):
    for sql in ("SET GLOBAL settings_limit = SLEEP(0.2) + 6", "SHOW VARIABLES WHERE SLEEP(0.01) = 0", "SET GLOBAL settings_limit = 7, @x = SLEEP(0.2)"):
        other = server.endpoint.raw()
        other.socket.sendall(other.frame(bytes([raw.COM_QUERY]) + sql.encode()))
        other.close()
    assert value(connection, "SELECT 1") == 1


def test_python_drivers_of_the_c_library(server):
    other = server.endpoint.connect_c()
    try:
        cursor = other.cursor()
        cursor.execute("SHOW VARIABLES LIKE 'settings_limit'")
        assert cursor.fetchall() == (("settings_limit", "5"),)
        with pytest.raises(Exception) as caught:
            cursor.execute("SET GLOBAL settings_limit = 0")
        assert caught.value.args[0] == 1231
    finally:
        other.close()


@pytest.mark.parametrize("held", range(5))
def test_replies_are_held_back_until_plugins_are_done(gateway, database, held):
    server = gateway(database.address, plugins=["recorder-1", "settings-1"])
    texts = ["SELECT @@settings_limit", "SET settings_limit = 9", "SET @x = 3, settings_limit = 10", "SHOW VARIABLES LIKE 'settings_limit'",
             "SET settings_limit = 0", "SELECT @@settings_limit, @x"]
    texts[held] += " /* hold_word */"
    with server.endpoint.raw() as connection:
        connection.send_queries(*texts)
        server.events.wait_for(lambda e: e["event"] in ("Completed", "Error") and "hold_word" in (e["sql"] or ""), "the held one")
        with server.endpoint.raw() as other:
            assert other.query("SELECT @@settings_limit")
        pathlib.Path(f"{server.events.path}.release").touch()
        replies = [b"|".join(payload for _, payload in connection.read_result()) for _ in texts]
    assert b"|\x015|" in replies[0] and replies[1][:1] == replies[2][:1] == b"\0" and b"\x0210|" in replies[3]
    assert replies[4][:3] == b"\xff\xcf\x04" and b"|\x0210\x013|" in replies[5]
