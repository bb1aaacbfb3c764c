# SPDX-License-Identifier: Apache-2.0
"""The database belongs to an allow-list's entry: what was learned in one does not pass in another."""
import struct

import pytest
from firewall_common import BLOCKED, connect, firewall, firewalled, make_firewall  # noqa: F401
from harness import raw

pytestmark = pytest.mark.gateway_only

ADMIN = '[[account]]\naccounts = ["tester@*"]\nmode = "OFF"\n'
READ = "SELECT name FROM target WHERE id = 1"
LIST = BLOCKED + '"allow-list" (not among the statements of listed@%'


@pytest.fixture
def switch(firewalled):
    """Two databases with the same table; runs a statement as the administrator."""
    firewalled.execute("CREATE OR REPLACE DATABASE twin", "CREATE TABLE twin.target SELECT * FROM firewall.target")

    def run(server, text):
        with server.endpoint.connect(database=None) as admin, admin.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall()
    return run


def execute(connection, number):
    return raw.error_of(connection.command(bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<I", number) + b"\0\1\0\0\0"))


def mode(switch, server, name):
    switch(server, f"SELECT sql_firewall_set_mode('listed@%', '{name}')")


def login(server, database):
    return server.endpoint.raw(user="listed", password="listed", database=database)


def test_what_was_learned_in_one_database_does_not_pass_in_another(make_firewall, switch):
    server = make_firewall("OFF", ADMIN)
    mode(switch, server, "RECORDING")
    with login(server, "firewall") as connection:
        for text in (READ, "PREPARE p FROM 'SELECT 1 FROM target'", "USE twin", "USE firewall"):
            assert raw.error_of(connection.query(text)) is None
    assert "\ndatabase firewall\n" in server.allow_list.read_text()
    mode(switch, server, "PROTECTING")
    with login(server, "twin") as connection:  # chosen at the login
        assert raw.error_of(connection.query(READ))[2] == LIST + " in twin)"
        assert raw.error_of(connection.query("PREPARE p FROM 'SELECT 1 FROM target'"))[2] == LIST + " in twin)"
        packets = connection.command(bytes([raw.COM_STMT_PREPARE]) + READ.encode(), connection.read_prepared)
        assert raw.error_of(packets)[2] == LIST + " in twin)"
        assert raw.error_of(connection.query("USE firewall")) is None  # it was learned there: see the next test
        assert raw.error_of(connection.query(READ)) is None
    with login(server, "firewall") as connection:
        assert raw.error_of(connection.query(READ)) is None
        assert raw.error_of(connection.query("USE twin")) is None
        assert raw.error_of(connection.query(READ))[2] == LIST + " in twin)"
        assert raw.error_of(connection.command(bytes([raw.COM_INIT_DB]) + b"firewall", connection.read_one)) is None
        assert raw.error_of(connection.query("USE twin; " + READ))[2] == LIST + " in twin)"
        assert raw.error_of(connection.query(READ)) is None  # nothing of it has run


def test_a_statement_that_changes_the_database_is_learned_in_the_one_before(make_firewall, switch):
    server = make_firewall("OFF", ADMIN)
    mode(switch, server, "RECORDING")
    texts = ["USE twin", READ, "USE firewall; USE twin; " + READ, "EXECUTE IMMEDIATE 'USE firewall'", "SELECT 1"]

    def run(connection):
        return [raw.error_of(connection.query(text)) for text in texts]

    with login(server, "firewall") as connection:
        assert run(connection) == [None] * 5
    mode(switch, server, "PROTECTING")
    with login(server, "firewall") as connection:
        assert run(connection) == [None] * 5
        assert raw.error_of(connection.query("USE firewall"))[2] == LIST + " in firewall)"


def test_a_prepared_statement_counts_in_the_database_that_it_was_prepared_in(make_firewall, switch):
    server = make_firewall("OFF", ADMIN)
    mode(switch, server, "RECORDING")
    with login(server, "firewall") as connection:
        number, _ = connection.prepare(READ)
        assert execute(connection, number) is None
    mode(switch, server, "OFF")
    with login(server, "firewall") as connection:
        here, _ = connection.prepare(READ)
        assert raw.error_of(connection.query("USE twin")) is None
        there, _ = connection.prepare(READ)
        mode(switch, server, "PROTECTING")
        assert execute(connection, there)[2] == LIST + " in twin)"
        assert execute(connection, here) is None  # its names were resolved there
        mode(switch, server, "OFF")
        assert raw.error_of(connection.query("USE firewall")) is None
        mode(switch, server, "PROTECTING")
        assert execute(connection, there)[2] == LIST + " in twin)"
        assert execute(connection, here) is None


def test_a_list_without_databases_counts_in_all_and_is_announced(make_firewall, switch, tmp_path):
    server = make_firewall("OFF", ADMIN)
    mode(switch, server, "RECORDING")
    with login(server, "firewall") as connection:
        assert raw.error_of(connection.query(READ)) is None
    server.stop()
    text = server.allow_list.read_text().replace("database firewall\n", "").replace("mode RECORDING", "mode PROTECTING")
    server.allow_list.write_text(text)
    server = make_firewall("OFF", ADMIN, folder=server.work)
    server.process.wait_log("1 statements on allow-lists have no database, and count in every one")
    assert switch(server, "SHOW STATUS LIKE 'sql_firewall_any_database'")[0][1] == "1"
    for name in ("firewall", "twin"):
        with login(server, name) as connection:
            assert raw.error_of(connection.query(READ)) is None
    mode(switch, server, "RECORDING")  # recorded anew, it has its database
    with login(server, "firewall") as connection:
        assert raw.error_of(connection.query(READ)) is None
    lines = server.allow_list.read_text().splitlines()
    digest = next(line.split()[1] for line in lines if line.startswith("digest"))
    assert lines.count("database firewall") == 1 and sum(line.startswith("digest " + digest) for line in lines) == 2
    assert switch(server, f"SELECT sql_firewall_forget('listed@%', '{digest}', 'firewall')") == (("OK",),)
    assert switch(server, "SELECT sql_firewall_statements('listed@%')") == (("1",),)
    assert switch(server, f"SELECT sql_firewall_forget('listed@%', '{digest}')") == (("OK",),)
    assert switch(server, "SELECT sql_firewall_statements('listed@%')") == (("0",),)
