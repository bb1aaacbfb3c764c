# SPDX-License-Identifier: Apache-2.0
"""The drivers of Python's asyncio: asynchronous.py asyncmy|aiomysql. They are much alike."""
import asyncio
import importlib
import ssl
import sys
import time

from where import CA, DATABASE, FILE, GONE, HOST, IDLE, PASSWORD, PORT, RELEASE, RUNNING, SLEEP, USER, failure, show

module = importlib.import_module(sys.argv[1])
SETTINGS = {"host": HOST, "port": PORT, "user": USER, "password": PASSWORD, "db": DATABASE, "autocommit": True, "charset": "utf8mb4",
            "local_infile": True, "client_flag": 1 << 16}


def tls():
    context = ssl.create_default_context(cafile=CA)
    context.check_hostname = False
    return context


async def connect(**options):
    return await module.connect(**{**SETTINGS, **options})


async def fetch(connection, text, arguments=None):
    async with connection.cursor() as cursor:
        await cursor.execute(text, arguments)
        seen = [list(await cursor.fetchall()) if cursor.description else [cursor.rowcount, cursor.lastrowid]]
        while await cursor.nextset():
            seen.append(list(await cursor.fetchall()) if cursor.description else [cursor.rowcount])
        return seen


async def attempt(feature, what, awaitable):
    try:
        show(feature, what, await awaitable)
    except Exception as error:
        show(feature, what, *failure(error))


async def who(**options):
    connection = await connect(**options)
    found = await fetch(connection, "SELECT USER(), CURRENT_USER(), DATABASE()")
    connection.close()
    return found


async def idle(watcher, connection):
    for statement in IDLE:
        await fetch(connection, statement)
    await fetch(watcher, GONE)
    await fetch(watcher, RELEASE)
    await asyncio.sleep(0.3)


async def cancel(watcher):
    victim = await connect()
    number = (await fetch(victim, "SELECT CONNECTION_ID()"))[0][0][0]
    start = time.monotonic()
    sleeping = asyncio.create_task(fetch(victim, SLEEP))
    while (await fetch(watcher, RUNNING))[0][0][0] == 0:
        await asyncio.sleep(0.01)
    await attempt("cancel", "KILL", fetch(watcher, f"KILL QUERY {number}"))
    await attempt("cancel", "CONNECTION_ID()", sleeping)
    show("cancel", "soon", time.monotonic() - start < 20)
    await attempt("cancel", "and then", fetch(victim, "SELECT 1"))
    show("ids", "agree", victim.thread_id() == number)
    # A task that is cancelled leaves its connection in the middle of a reply; such a one is closed.
    sleeping = asyncio.create_task(fetch(victim, SLEEP))
    while (await fetch(watcher, RUNNING))[0][0][0] == 0:
        await asyncio.sleep(0.01)
    sleeping.cancel()
    try:
        await sleeping
    except (asyncio.CancelledError, Exception) as error:
        show("cancel", "a task", type(error).__name__)
    victim.close()
    await fetch(watcher, f"KILL {number}")


async def main():
    await attempt("login", "native", who())
    await attempt("login", "no password", who(user="nopassword", password=""))
    await attempt("login", "wrong password", who(password="wrong"))
    await attempt("tls", "verified", who(ssl=tls()))
    connection, watcher = await connect(), await connect()
    await fetch(connection, "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), n DECIMAL(20,5), d DATETIME(3), b BLOB)")
    await attempt("text", "insert", fetch(connection, "INSERT INTO t (t, n, b) VALUES (%s, %s, %s)", ("Grüße 🌍", "1.5", b"\0\xff'")))
    await attempt("text", "rows", fetch(connection, "SELECT * FROM t"))
    async with connection.cursor() as cursor:
        await cursor.executemany("INSERT INTO t (t, n) VALUES (%s, %s)", [(f"row {i}", i) for i in range(3000)])
        show("bulk", cursor.rowcount)
    await attempt("bulk", "rows", fetch(connection, "SELECT COUNT(*), SUM(n), MAX(t) FROM t"))
    await fetch(connection, "CREATE PROCEDURE p(a INT) BEGIN SELECT a; SELECT a + 1; END")
    for text in ("SELECT 1; UPDATE t SET n = 1 WHERE id < 3; SELECT 2, 3", "CALL p(5)", "SELECT 1; SELEC; SELECT 3"):
        await attempt("multi", text, fetch(connection, text))
    connection = await connect()
    await fetch(connection, "CREATE TABLE loaded (a INT, b VARCHAR(20))")
    await attempt("infile", "loaded", fetch(connection, f"LOAD DATA LOCAL INFILE '{FILE}' INTO TABLE loaded"))
    connection = await connect()
    for text in ("SELEC 1", "SELECT * FROM nowhere", "INSERT INTO t (id) VALUES (1)", "SELECT 1"):
        await attempt("errors", text, fetch(connection, text))
    await attempt("large", "sent", fetch(connection, "SELECT LENGTH(%s)", ("x" * 17_000_000,)))
    await attempt("large", "read", fetch(connection, "SELECT REPEAT('y', 17000000)"))
    await cancel(watcher)
    gone = await connect()
    await idle(watcher, gone)
    await attempt("reconnect", "a statement", fetch(gone, "SELECT 1"))
    await attempt("reconnect", "another", fetch(gone, "SELECT 1"))
    gone = await connect()
    await idle(watcher, gone)
    await attempt("pool", "ping that reconnects", gone.ping(reconnect=True))
    await attempt("pool", "after that", fetch(gone, "SELECT 1"))
    pool = await module.create_pool(minsize=1, maxsize=1, **SETTINGS)
    async with pool.acquire() as pooled:
        await idle(watcher, pooled)
    for _ in range(2):
        async with pool.acquire() as pooled:
            await attempt("pool", "taken again", fetch(pooled, "SELECT 1"))
    pool.close()
    await pool.wait_closed()


asyncio.run(main())
