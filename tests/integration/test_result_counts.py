# SPDX-License-Identifier: Apache-2.0
"""What sql_runs_read() says of a statement, held against a real server: how many results it has, and what sql_mode,
character set and database are afterwards. Each inner statement goes through each wrapper, on a connection of its own;
what is said to be unchanged or to have a value must be so, and whatever is said to be unknown may be anything."""
import re
import subprocess

import pytest
from pymysql.connections import MySQLResult
from pymysql.constants import CLIENT
from pymysql.err import MySQLError

from harness.paths import BIN, ROOT

SHOW_RUNS = (ROOT / "build" / "release" if BIN == ROOT / "bin" else BIN.parent) / "tests" / "show_runs"

SETUP = [
    "SET GLOBAL log_bin_trust_function_creators = 1",
    "CREATE OR REPLACE DATABASE counts", "CREATE OR REPLACE DATABASE db2", "USE counts",
    "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1), (2)", "CREATE TABLE db2.t2 (a INT)",
    "CREATE PROCEDURE p0() BEGIN END",
    "CREATE PROCEDURE p1() SELECT 1",
    "CREATE PROCEDURE p2() BEGIN SELECT 1; SELECT 2; END",
    "CREATE PROCEDURE fails() BEGIN SELECT 1; SIGNAL SQLSTATE '45000'; END",
    "CREATE PROCEDURE sets() BEGIN SET NAMES latin1; SET sql_mode = 'ANSI_QUOTES'; END",
    "CREATE PROCEDURE sets_deep() EXECUTE IMMEDIATE 'SET NAMES latin1, sql_mode = ''ANSI_QUOTES'''",
    "CREATE PROCEDURE uses() EXECUTE IMMEDIATE 'USE db2'",
    "CREATE PROCEDURE prepares() PREPARE s FROM 'SET sql_mode = ''ANSI_QUOTES'''",
    "CREATE FUNCTION sets_mode() RETURNS INT BEGIN SET sql_mode = 'ANSI_QUOTES'; RETURN 1; END",
    "CREATE FUNCTION sets_names() RETURNS INT BEGIN SET NAMES latin1; RETURN 1; END",
]

WRAPPERS = {
    "plain": lambda sql: [sql],
    "set statement": lambda sql: [f"SET STATEMENT max_statement_time = 10 FOR {sql}"],
    "set statement sql_mode": lambda sql: [f"SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR {sql}"],
    "twice": lambda sql: [f"SET STATEMENT lock_wait_timeout = 5 FOR SET STATEMENT max_statement_time = 10 FOR {sql}"],
    "twice with sql_mode": lambda sql: [  # MariaDB forgets to give it back
        f"SET STATEMENT sql_mode = '' FOR SET STATEMENT max_statement_time = 10 FOR {sql}"],
    "execute immediate": lambda sql: [f"EXECUTE IMMEDIATE {quoted(sql)}"],
    "set statement for execute immediate": lambda sql: [
        f"SET STATEMENT sql_mode = 'NO_BACKSLASH_ESCAPES' FOR EXECUTE IMMEDIATE {quoted(sql)}"],
    "begin not atomic": lambda sql: [f"BEGIN NOT ATOMIC {sql}; END"],
    "in a text": lambda sql: [f"EXECUTE IMMEDIATE {quoted(f'BEGIN NOT ATOMIC {sql}; END')}"],
    "a text inside": lambda sql: [f"BEGIN NOT ATOMIC EXECUTE IMMEDIATE {quoted(sql)}; SELECT 5; END"],
    "for begin": lambda sql: [f"SET STATEMENT max_statement_time = 10 FOR BEGIN NOT ATOMIC {sql}; {sql}; END"],
    "if": lambda sql: [f"IF 1 THEN {sql}; END IF"],
    "prepared": lambda sql: [f"PREPARE z FROM {quoted(sql)}", "EXECUTE z"],
    "prepared in another mode": lambda sql: [
        f"SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR PREPARE z FROM {quoted(sql)}", "USE db2", "EXECUTE z"],
    "prepared twice": lambda sql: ["PREPARE z FROM 'SELECT 1'", f"PREPARE z FROM {quoted(sql)}", "EXECUTE z"],
    "analyze": lambda sql: [f"ANALYZE {sql}"],
    "explain": lambda sql: [f"EXPLAIN {sql}"],
}

INNER = [
    "SELECT 1", "(SELECT 1)", "SELECT 1 UNION SELECT 2", "VALUES (1)", "SELECT 1 INTO @a", "SELECT * FROM nothere",
    "WITH x AS (SELECT 1) SELECT * FROM x", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1) RETURNING a",
    "REPLACE INTO t VALUES (1) RETURNING a", "DELETE FROM t WHERE a = 9 RETURNING a", "UPDATE t SET a = 1", "DO 1",
    "CALL p0()", "CALL p1()", "CALL p2()", "CALL fails()", "CALL sets()", "CALL sets_deep()", "CALL uses()",
    "CALL prepares()", "SELECT sets_mode()", "DO sets_names()", "CHECK TABLE t", "ANALYZE TABLE t", "OPTIMIZE TABLE t",
    "REPAIR TABLE t", "CHECKSUM TABLE t", "SHOW TABLES", "SHOW WARNINGS", "EXPLAIN SELECT 1", "ANALYZE SELECT 1",
    "DESCRIBE t", "HELP 'x'", "HANDLER t OPEN", "FLUSH TABLES", "XA RECOVER", "KILL QUERY 999999",
    "CREATE OR REPLACE TABLE u AS SELECT 1", "CACHE INDEX t IN default", "LOCK TABLES t READ", "COMMIT",
    "START TRANSACTION", "EXECUTE IMMEDIATE 'SELECT 1'", "EXECUTE IMMEDIATE 'SEL' 'ECT 1'", "EXECUTE IMMEDIATE @text",
    "EXECUTE IMMEDIATE x'73656C6563742031'", "PREPARE s FROM 'CALL p1()'", "DEALLOCATE PREPARE s", "EXECUTE s",
    "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END", "BEGIN NOT ATOMIC CALL p1(); END", "BEGIN", "SET ROLE NONE",
    "USE db2", "USE `db2`", "USE nothere", "DROP DATABASE mine", "DROP DATABASE IF EXISTS MINE", "CREATE DATABASE mine2",
    "CREATE OR REPLACE DATABASE mine", "CREATE OR REPLACE DATABASE mine CHARACTER SET gbk",
    "SET @x = 1", "SET NAMES latin1", "SET NAMES 'gbk' COLLATE 'gbk_bin'", "SET NAMES DEFAULT", "SET NAMES utf8",
    "SET CHARACTER SET latin1", "SET CHARSET latin1", "SET character_set_client = latin1",
    "SET character_set_client = 8", "SET @@character_set_client = DEFAULT", "SET character_set_client = ucs2",
    "SET NAMES latin1, character_set_client = gbk", "SET sql_mode = 'ANSI_QUOTES'", "SET sql_mode = ANSI_QUOTES",
    "SET sql_mode = ''", "SET sql_mode = 4", "SET sql_mode = DEFAULT", "SET sql_mode = 'ORACLE'",
    "SET sql_mode = 'MSSQL'", "SET sql_mode = 'POSTGRESQL'", "SET sql_mode = 'DB2'", "SET sql_mode = 'MAXDB'",
    "SET sql_mode = 'MYSQL40'", "SET sql_mode = 'TRADITIONAL'", "SET sql_mode = 'ANSI'", "SET sql_mode = 'A\\NSI'",
    "SET sql_mode = x'414E5349'", "SET sql_mode = 'AN' 'SI'", "SET sql_mode = CONCAT('AN', 'SI')",
    "SET sql_mode = (SELECT 4)", "SET sql_mode = 'ANSI_QUOTES '", "SET sql_mode = ' ANSI'", "SET sql_mode = 'ANSI,,'",
    "SET sql_mode = 'ANSI_QUOTES', nothere = 1", "SET NAMES latin1, sql_mode = bad", "SET sql_mode = 'bad'",
    "SET LOCAL sql_mode = 'ANSI_QUOTES'", "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'",
    "SET @@local.sql_mode = 'ANSI_QUOTES'", "SET @@session . sql_mode = 'ANSI_QUOTES'",
    "SET @@session./**/sql_mode = 'ANSI_QUOTES'", "SET `sql_mode` = 'ANSI_QUOTES'", "SET @@`sql_mode` = 'ANSI_QUOTES'",
    "SET ROLE NONE, sql_mode = 'ANSI_QUOTES'", "SET sql_mode = 'ANSI_QUOTES', ROLE NONE",
    "SET GLOBAL max_statement_time = 0, @@sql_mode = 'ANSI_QUOTES'",
    "SET GLOBAL max_statement_time = 0, SESSION sql_mode = 'ANSI_QUOTES'",
    "SET @a = 1, sql_mode = 'ANSI_QUOTES', @b = 2", "SET sql_mode := 'ANSI_QUOTES'", "FROBNICATE",
]


def quoted(sql):
    return "'" + sql.replace("\\", "\\\\").replace("'", "''") + "'"


def results_of(connection, sql):
    """A letter for each result: Rows, Ok, Error."""
    letters = ""
    connection._result = None
    connection._execute_command(3, sql.encode())
    more = True
    while more:
        result = MySQLResult(connection)
        try:
            result.read()
            letters += "R" if result.field_count else "O"
            more = result.has_next
        except MySQLError:
            letters += "E"
            more = False
    return letters


def state_of(connection):
    """(flags, character set, database) as show_runs has them."""
    cursor = connection.cursor()
    cursor.execute("SELECT @@sql_mode, @@character_set_client, DATABASE()")
    modes, charset, database = (value.decode() if isinstance(value, bytes) else value for value in cursor.fetchone())
    flags = "".join(letter for letter, name in (("A", "ANSI_QUOTES"), ("N", "NO_BACKSLASH_ESCAPES"), ("O", "ORACLE"),
                                                ("B", "MSSQL")) if name in modes.split(","))
    return flags, re.sub("^utf8.*", "utf8", charset), database or ""


def told(session):
    """What show_runs says of the last statement of a session of (statement, failed)."""
    text = "".join(("!" if failed else "") + sql + "\0" for sql, failed in session)
    lines = subprocess.run([SHOW_RUNS, "10.11.6-MariaDB"], input=text.encode(), capture_output=True, check=True).stdout
    return lines.decode().splitlines()[-1].split("\t")


@pytest.fixture(scope="module")
def prepared(database):
    database.execute(*SETUP)
    return database


def differences(database, statements):
    """Runs them in a session of their own; says where the last one is not what show_runs tells."""
    in_mine = any("mine" in sql.lower() for sql in statements)
    if in_mine:
        database.execute("CREATE DATABASE IF NOT EXISTS mine")
    connection = database.connect(database="counts", charset="utf8mb4", client_flag=CLIENT.MULTI_STATEMENTS)
    opening = ["SET NAMES utf8mb4", "SET sql_mode = ''", "USE mine" if in_mine else "USE counts",
               "SET @text = 'SELECT 1'"]
    session = []
    for sql in opening + statements:
        before = state_of(connection)
        letters = results_of(connection, sql)
        session.append((sql, letters[-1] == "E"))
    after = state_of(connection)
    connection.close()
    results, whole, *effects, _account = told(session)
    failed = letters[-1] == "E"
    shapes = {"one": "[ROE]", "until_ok": "R*[OE]", "unknown": "[RO]|R*[OE]"}
    wrong = []
    if not re.fullmatch(shapes[results], letters):
        wrong.append(f"results {letters}, told {results}")
    for name, was, value, effect in zip(("flags", "charset", "database"), before, after, effects):
        if failed:
            allowed = was if whole == "whole" or effect == "=" else None
        else:
            allowed = {"=": was, "?": None}.get(effect, effect)
        if allowed is not None and value != allowed:
            wrong.append(f"{name} was {was!r}, is {value!r}, told {effect!r} ({letters}, {whole})")
    return [f"{statements}: {one}" for one in wrong], results != "unknown" and "?" not in effects


@pytest.mark.time_limit(240)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_statement_does_what_its_text_tells(prepared, wrapper):
    wrong, known = [], 0
    for sql in INNER:
        different, is_known = differences(prepared, WRAPPERS[wrapper](sql))
        wrong += different
        known += is_known
    assert not wrong, "\n".join(wrong)
    assert known > len(INNER) / 3 or wrapper == "twice with sql_mode", f"of {len(INNER)} statements only {known} are known"


def test_texts_in_texts_are_known_four_deep(prepared):
    """BEGIN NOT ATOMIC around each, because the server lets none stand in another directly."""
    sql = "SELECT 1"
    for depth in range(4):
        sql = f"BEGIN NOT ATOMIC EXECUTE IMMEDIATE {quoted(sql)}; END"
        different, known = differences(prepared, [sql])
        assert not different and known, depth
