# SPDX-License-Identifier: Apache-2.0
"""SQLAlchemy, 1.4 and 2: with_sqlalchemy.py mysqldb|pymysql. Types, inserts in bulk, reflection, transactions, and pre_ping."""
import sys

import sqlalchemy as sa
from sqlalchemy.engine import URL
from where import CA, DATABASE, GONE, HOST, IDLE, PASSWORD, PORT, RELEASE, USER, attempt, settle, show

DRIVER = sys.argv[1]


def engine(user=USER, password=PASSWORD, query=None, **options):
    return sa.create_engine(URL.create(f"mysql+{DRIVER}", user, password, HOST, PORT, DATABASE, {"charset": "utf8mb4", **(query or {})}),
                            **options)


def fetch(connection, text, **arguments):
    return [list(row) for row in connection.execute(sa.text(text), arguments)]


def once(made, text="SELECT USER(), CURRENT_USER(), DATABASE()"):
    with made.connect() as connection:
        return fetch(connection, text)


def statements():
    made, metadata = engine(), sa.MetaData()
    table = sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("t", sa.String(100), index=True),
                     sa.Column("n", sa.Numeric(20, 5)), sa.Column("d", sa.DateTime), sa.Column("b", sa.LargeBinary))
    metadata.create_all(made)
    with made.begin() as connection:
        show("text", connection.execute(table.insert().values(t="Grüße 🌍", n="1.5", b=b"\0\xff")).inserted_primary_key[0])
        done = connection.execute(table.insert(), [{"t": f"row {i}", "n": i} for i in range(3000)])
        show("bulk", done.rowcount, fetch(connection, "SELECT COUNT(*), SUM(n), MAX(t) FROM t"))
    with made.connect() as connection:
        show("text", [list(row) for row in connection.execute(sa.select(table).limit(2))])
        streamed = connection.execution_options(stream_results=True).execute(sa.select(table.c.id))
        show("text", "streamed", sum(row[0] for row in streamed))
    reflected = sa.Table("t", sa.MetaData(), autoload_with=made)
    show("text", "reflected", [(c.name, str(c.type)) for c in reflected.columns], sorted(i.name for i in reflected.indexes))
    try:
        with made.begin() as connection:
            connection.execute(table.delete())
            connection.execute(table.insert().values(id=1))
            connection.execute(table.insert().values(id=1))
    except sa.exc.IntegrityError as error:
        show("errors", error.orig.args)
    show("errors", "rolled back", once(made, "SELECT COUNT(*) FROM t"))
    attempt("errors", "syntax", lambda: once(made, "SELEC 1"))


def make_idle(made, watcher):
    with made.connect() as connection:
        for statement in IDLE:
            connection.execute(sa.text(statement))
        # Back in the pool; its reset on return is a ROLLBACK, which leaves the lock.
    once(watcher, GONE)
    once(watcher, RELEASE)
    settle()


def pools():
    watcher = engine(pool_size=1, max_overflow=0)
    checked = engine(pool_pre_ping=True, pool_size=1, max_overflow=0)
    make_idle(checked, watcher)
    attempt("pool", "pre_ping", lambda: once(checked, "SELECT 1"))
    plain = engine(pool_size=1, max_overflow=0)
    make_idle(plain, watcher)
    try:
        once(plain, "SELECT 1")
    except sa.exc.DBAPIError as error:
        show("reconnect", type(error).__name__, "is_disconnect", error.connection_invalidated, error.orig.args)
    attempt("reconnect", "after that", lambda: once(plain, "SELECT 1"))
    with plain.connect() as connection:
        try:
            connection.execute(sa.text("KILL CONNECTION_ID()"))
        except sa.exc.DBAPIError as error:
            show("reconnect", "killed", error.connection_invalidated, error.orig.args)
    attempt("reconnect", "after that", lambda: once(plain, "SELECT 1"))


attempt("login", "native", lambda: once(engine()))
attempt("login", "wrong password", lambda: once(engine(password="wrong")))
attempt("tls", "verified", lambda: once(engine(query={"ssl_ca": CA, "ssl_check_hostname": "false"} if DRIVER == "pymysql" else {"ssl_ca": CA})))
statements()
pools()
