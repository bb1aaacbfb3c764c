# SPDX-License-Identifier: Apache-2.0
"""The databases and accounts that statements are made against, known to the grammar and to the judge.

Objects that reach tables which a text does not name (views, routines,
    triggers) are listed with the tables that they reach: what
those touch is no fault of the gateway's reading."""

DATABASES = ("db1", "db2", "d\u00e4")
FOLDERS = ("db1", "db2", "d@00e4")  # of the server's data directory

# Accounts without passwords. `guarded` is bound by the rules of RULES; `poor` may read t1 and t2 and nothing else, so that the
# server's refusals name the tables that a statement touches.
ACCOUNTS = ("free", "guarded", "poor")

RULES = """
[[deny]]
name = "secret"
accounts = ["guarded@%"]
tables = ["*.secret"]

[[deny]]
name = "no-drop"
accounts = ["guarded@%"]
kinds = ["Drop*"]

[[deny]]
name = "missing-where"
accounts = ["guarded@%"]
missing_where = true
"""

LEDGER_ROWS = 12

_TABLES = [
    "CREATE TABLE {db}.t1 (a INT, b VARCHAR(40), c INT, KEY(a))",
    "CREATE TABLE {db}.t2 (a INT, b VARCHAR(40), c INT)",
    "CREATE TABLE {db}.t3 (a INT PRIMARY KEY, b VARCHAR(40), c INT)",
    "CREATE TABLE {db}.t4 (a INT, b VARCHAR(40), c INT)",
    "CREATE TABLE {db}.secret (a INT, b VARCHAR(40), c INT)",
    "CREATE TABLE {db}.ledger (id INT PRIMARY KEY, n INT, b VARCHAR(40))",
    "CREATE TABLE {db}.`select` (a INT, b VARCHAR(40), c INT)",
    "CREATE TABLE {db}.`odd ``name` (a INT, b VARCHAR(40), c INT)",
    "CREATE TABLE {db}.`gr\u00fcn` (a INT, b VARCHAR(40), c INT)",
    "CREATE TABLE {db}.logged (a INT, b VARCHAR(40), c INT)",
    "CREATE TABLE {db}.journal (a INT, b VARCHAR(40), c INT)",
]
_ROWS = ["INSERT INTO {db}.%s VALUES (1,'one',1),(2,'two',4),(3,'three',9)" % name
         for name in ("t1", "t2", "t3", "secret", "`select`", "`odd ``name`", "`gr\u00fcn`")]
_CODE = [
    "CREATE VIEW {db}.view_one AS SELECT a, b, c FROM {db}.t1",
    "CREATE VIEW {db}.view_two AS SELECT x.a, x.b, y.c FROM {db}.t2 x JOIN {db}.t3 y ON x.a = y.a",
    "CREATE PROCEDURE {db}.proc_read(i INT) SELECT a, b FROM t1 WHERE a = i",
    "CREATE PROCEDURE {db}.proc_write() INSERT INTO t4 VALUES (1,'p',1)",
    "CREATE PROCEDURE {db}.proc_names() SET NAMES latin1",
    "CREATE PROCEDURE {db}.proc_mode() SET sql_mode = 'ANSI_QUOTES'",
    "CREATE FUNCTION {db}.func_sum(i INT) RETURNS INT READS SQL DATA RETURN (SELECT SUM(a) FROM t2) + i",
    "CREATE FUNCTION {db}.func_mode() RETURNS INT BEGIN SET sql_mode = 'ANSI_QUOTES'; RETURN 1; END",
    "CREATE TRIGGER {db}.trig_log BEFORE INSERT ON {db}.logged FOR EACH ROW INSERT INTO {db}.journal VALUES (NEW.a,'t',0)",
]
REACHES = {"view_one": {"t1"}, "view_two": {"t2", "t3"}, "proc_read": {"t1"}, "proc_write": {"t4"}, "func_sum": {"t2"},
           "logged": {"journal"}}


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def tables_of(database):
    return [statement.format(db=quoted(database)) for statement in _TABLES + _ROWS] + [ledger_of(database)]


def ledger_of(database):
    rows = ",".join(f"({i},{i * 7},'x')" for i in range(1, LEDGER_ROWS + 1))
    return f"REPLACE INTO {quoted(database)}.ledger VALUES {rows}"


def reset_statements():
    """Brings the databases into the state that cases begin with."""
    statements = ["SET sql_mode=''", *(f"ALTER USER IF EXISTS {account}@'%' IDENTIFIED BY ''" for account in ACCOUNTS)]  # their own they may set
    for database in DATABASES:
        statements.append(f"DROP DATABASE IF EXISTS {quoted(database)}")
        statements.append(f"CREATE DATABASE {quoted(database)} CHARACTER SET utf8mb4")
        statements += tables_of(database)
        statements += [statement.format(db=quoted(database)) for statement in _CODE]
    return statements


def account_statements():
    statements = ["DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost')",
                  "FLUSH PRIVILEGES", "CREATE ROLE reader", "CREATE ROLE writer"]
    statements += [f"CREATE USER {account}@'%'" for account in ACCOUNTS]
    for database in (*DATABASES, "fresh"):
        for account in ("free", "guarded"):
            statements.append(f"GRANT ALL ON {quoted(database)}.* TO {account}@'%'")
    for account in ("free", "guarded"):
        statements += [f"GRANT reader TO {account}@'%'", f"GRANT writer TO {account}@'%'"]
    statements += ["GRANT SELECT ON `db1`.t1 TO poor@'%'", "GRANT SELECT ON `db1`.t2 TO poor@'%'",
                   "GRANT SELECT ON `db2`.t1 TO poor@'%'"]
    return statements
