# SPDX-License-Identifier: Apache-2.0
"""The drivers of Python that keep to its DB API: dbapi.py MySQLdb|pymysql|mysql.connector.c|mysql.connector.pure|mariadb"""
import datetime
import decimal
import sys

from where import (CA, DATABASE, FILE, GONE, HOST, IDLE, PASSWORD, PORT, RELEASE, RUNNING, SLEEP, USER, attempt, cancelled,
                   settle, show)

DRIVER = sys.argv[1]
SETTINGS = {"host": HOST, "port": PORT, "user": USER, "password": PASSWORD, "database": DATABASE}

if DRIVER == "MySQLdb":
    import MySQLdb as module
    from MySQLdb.constants import CLIENT
    SETTINGS.update(local_infile=1, charset="utf8mb4", client_flag=CLIENT.MULTI_STATEMENTS)
    TLS = {"ssl": {"ca": CA}}
elif DRIVER == "pymysql":
    import pymysql as module
    from pymysql.constants import CLIENT
    SETTINGS.update(local_infile=True, charset="utf8mb4", client_flag=CLIENT.MULTI_STATEMENTS)
    TLS = {"ssl": {"ca": CA, "check_hostname": False}}
elif DRIVER.startswith("mysql.connector"):
    import mysql.connector as module
    # The collation that this driver asks for by default is not one of MariaDB's.
    SETTINGS.update(allow_local_infile=True, use_pure=DRIVER.endswith("pure"), charset="utf8mb4",
                    collation="utf8mb4_general_ci", ssl_disabled=True)
    TLS = {"ssl_ca": CA, "ssl_verify_cert": True, "ssl_disabled": False}
else:
    import mariadb as module
    SETTINGS.update(local_infile=True)
    TLS = {"ssl_ca": CA, "ssl_verify_cert": True}

MARK = "?" if DRIVER == "mariadb" else "%s"
PREPARES = DRIVER == "mariadb" or DRIVER.startswith("mysql.connector")


def connect(**options):
    connection = module.connect(**{**SETTINGS, **options})
    (connection.autocommit(True) if callable(connection.autocommit) else setattr(connection, "autocommit", True))
    return connection


def sql(text):
    return text.replace("?", MARK)


def fetch(connection, text, *arguments, **cursor):
    cursor = connection.cursor(**cursor)
    cursor.execute(sql(text), *([arguments] if arguments else []))
    rows = cursor.fetchall() if cursor.description else (cursor.rowcount, cursor.lastrowid)
    cursor.close()
    return list(rows)


def who(**options):
    connection = connect(**options)
    answer = fetch(connection, "SELECT USER(), CURRENT_USER(), DATABASE()")
    connection.close()
    return answer


def thread_id(connection):
    if DRIVER == "MySQLdb" or DRIVER == "pymysql":
        return connection.thread_id()
    return connection.connection_id


def logins():
    attempt("login", "native", who)
    attempt("login", "no password", lambda: who(user="nopassword", password=""))
    attempt("login", "ed25519", lambda: who(user="ed", password="ed-secret"))
    attempt("login", "wrong password", lambda: who(password="wrong"))
    attempt("login", "unknown database", lambda: who(database="no_such_database"))
    attempt("tls", "verified", lambda: who(**TLS))
    attempt("tls", "ed25519", lambda: who(user="ed", password="ed-secret", **TLS))


VALUES = ("Grüße 🌍", -5, decimal.Decimal("12345.678"), 1.5, datetime.datetime(2024, 2, 29, 12, 34, 56, 789000),
          datetime.date(2024, 2, 29), b"\0\xff'\\", None)
INSERT = "INSERT INTO t (t, i, n, f, d, day, b, nothing) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def statements(connection):
    fetch(connection, "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), i INT, n DECIMAL(20,5), f DOUBLE, "
                      "d DATETIME(3), day DATE, b BLOB, nothing INT)")
    show("text", fetch(connection, INSERT, *VALUES))
    show("text", fetch(connection, "SELECT * FROM t"))
    show("text", fetch(connection, "UPDATE t SET i = ? WHERE id = ?", 7, 1))
    if PREPARES:
        cursor = connection.cursor(prepared=True)
        for i in range(3):
            cursor.execute(sql(INSERT), (*VALUES[:1], i, *VALUES[2:]))
            show("prepared", cursor.rowcount, cursor.lastrowid)
        cursor.close()
        cursor = connection.cursor(prepared=True)
        for i in range(3):
            cursor.execute(sql("SELECT * FROM t WHERE i = ?"), (i,))
            show("prepared", cursor.fetchall())
        attempt("prepared", "an error", lambda: cursor.execute("SELECT * FROM nowhere WHERE ?", (1,)))
        cursor.close()
    cursor = connection.cursor()
    cursor.executemany(sql("INSERT INTO t (t, i) VALUES (?, ?)"), [(f"row {i}", i) for i in range(2000)])
    show("bulk", cursor.rowcount, fetch(connection, "SELECT COUNT(*), SUM(i), MAX(t) FROM t"))
    cursor.close()
    # 20,000 parameters in one statement.
    marks = ", ".join(["?"] * 20000)
    show("bulk", fetch(connection, f"SELECT COUNT(*) FROM t WHERE i IN ({marks})", *range(20000)))


def multiple(connection):
    fetch(connection, "CREATE PROCEDURE p(a INT) BEGIN SELECT a; SELECT a + 1, 'ä'; UPDATE t SET i = a WHERE id < 3; END")

    def results(cursor, execute):
        execute()
        seen = [list(cursor.fetchall())]
        while cursor.nextset():
            seen.append(list(cursor.fetchall()) if cursor.description else cursor.rowcount)
        cursor.close()
        return seen

    cursor = connection.cursor()
    attempt("multi", "procedure", lambda: results(cursor, lambda: cursor.execute("CALL p(5)")))
    if DRIVER in ("MySQLdb", "pymysql"):
        cursor = connection.cursor()
        attempt("multi", "statements", lambda: results(cursor, lambda: cursor.execute("SELECT 1; SELECT 2; UPDATE t SET i = 1")))
        cursor = connection.cursor()
        attempt("multi", "an error within", lambda: results(cursor, lambda: cursor.execute("SELECT 1; SELEC; SELECT 3")))


def local_file(connection):
    fetch(connection, "CREATE TABLE loaded (a INT, b VARCHAR(20))")
    attempt("infile", "loaded", lambda: fetch(connection, f"LOAD DATA LOCAL INFILE '{FILE}' INTO TABLE loaded"))
    show("infile", fetch(connection, "SELECT COUNT(*), SUM(a), MAX(b) FROM loaded"))
    attempt("infile", "no such file", lambda: fetch(connection, "LOAD DATA LOCAL INFILE '/no/such/file' INTO TABLE loaded"))
    attempt("infile", "and then", lambda: fetch(connect(), "SELECT 1"))


def cancel():
    for name, number in (("the driver's id", thread_id), ("CONNECTION_ID()", lambda c: fetch(c, "SELECT CONNECTION_ID()")[0][0])):
        one, other = connect(), connect()
        victim = number(one)
        show("cancel", name, *cancelled(lambda: fetch(one, SLEEP), lambda: fetch(other, f"KILL QUERY {victim}"),
                                        lambda: fetch(other, RUNNING)[0][0]))
        attempt("cancel", "and then", lambda: fetch(one, "SELECT 1"))
        show("ids", "agree", thread_id(one) == fetch(one, "SELECT CONNECTION_ID()")[0][0])
        one.close()
        other.close()


def idle(watcher, **options):
    connection = connect(**options)
    for statement in IDLE:
        fetch(connection, statement)
    fetch(watcher, GONE)
    fetch(watcher, RELEASE)
    settle()
    return connection


def lost():
    watcher = connect()
    gone = idle(watcher)
    attempt("reconnect", "a statement", lambda: fetch(gone, "SELECT 1"))
    attempt("reconnect", "another", lambda: fetch(gone, "SELECT 1"))
    pinged = idle(watcher)
    if DRIVER == "MySQLdb":
        attempt("pool", "ping", pinged.ping)
    elif DRIVER == "pymysql":
        attempt("pool", "ping without reconnecting", lambda: pinged.ping(reconnect=False))
        pinged = idle(watcher)
        attempt("pool", "ping that reconnects", lambda: pinged.ping(reconnect=True))
    elif DRIVER == "mariadb":
        attempt("pool", "ping", pinged.ping)
        pinged = idle(watcher, reconnect=True)
        attempt("reconnect", "by itself", lambda: fetch(pinged, "SELECT 1"))
    else:
        attempt("pool", "is_connected", pinged.is_connected)
        attempt("pool", "ping that reconnects", lambda: pinged.ping(reconnect=True))
    attempt("pool", "after that", lambda: fetch(pinged, "SELECT 1"))
    killed, number = connect(), None
    number = fetch(killed, "SELECT CONNECTION_ID()")[0][0]
    fetch(killed, IDLE[1])
    fetch(watcher, f"KILL {number}")
    fetch(watcher, GONE)
    settle()
    attempt("reconnect", "killed", lambda: fetch(killed, "SELECT 1"))
    attempt("reconnect", "kills itself", lambda: fetch(watcher, "KILL CONNECTION_ID()"))
    attempt("reconnect", "after that", lambda: fetch(watcher, "SELECT 1"))


def errors(connection):
    for statement in ("SELEC 1", "SELECT * FROM nowhere", "INSERT INTO t (id) VALUES (1)", "SELECT 1 FROM t WHERE nocolumn"):
        attempt("errors", statement, lambda: fetch(connection, statement))
    attempt("errors", "and then", lambda: fetch(connection, "SELECT 1"))
    text = "x" * 17_000_000
    attempt("large", "sent", lambda: fetch(connection, "SELECT LENGTH(?)", text))
    attempt("large", "read", lambda: len(fetch(connection, "SELECT REPEAT('y', 17000000)")[0][0]))


logins()
main = connect()
statements(main)
multiple(main)
local_file(main)
errors(main)
main.close()
cancel()
lost()
