# SPDX-License-Identifier: Apache-2.0
"""Two databases that can be told apart, and gateways in front of both."""
import signal

import pymysql
import pytest

FAST = ("-backend-check-interval", "200", "-backend-slow-start", "0", "-backend-rise", "1", "-backend-fall", "2")


@pytest.fixture(scope="module")
def pair(other_database):
    """Two databases that say who they are: SELECT @@server_id."""
    return [other_database(f"several{i}", f"--server-id={i}") for i in (1, 2)]


@pytest.fixture
def both_run(pair):
    yield pair
    for database in pair:
        database.process.signal(signal.SIGCONT)
        if not database.process.alive():
            database.start()


def connect(server, **options):
    return pymysql.connect(**{"host": server.host, "port": server.port, "user": "root", "autocommit": True, **options})


def where(server, **options):
    """The server_id of the backend of a new session."""
    with connect(server, **options) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@server_id")
        return cursor.fetchone()[0]


COLUMNS = ("Name", "Address", "State", "Since", "Sessions", "Checks", "Last_error", "Version", "TLS", "Role")


def backends(server):
    """The rows of ADMIN SHOW BACKENDS, by name."""
    with connect(server) as connection, connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("ADMIN SHOW BACKENDS")
        rows = cursor.fetchall()
        assert tuple(column[0] for column in cursor.description) == COLUMNS
        return {row["Name"]: row for row in rows}


def close_all(*sessions):
    for session in sessions:
        try:
            session.close()
        except pymysql.err.Error:
            pass
