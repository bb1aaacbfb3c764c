# SPDX-License-Identifier: Apache-2.0
"""Who may say ADMIN PLUGINS: an account that has the privilege on everything, by whatever way, and nobody who has only put its
name into the name of something."""
import pytest
from harness.observe import failure, run

pytestmark = pytest.mark.gateway_only

SQL = "FLUSH TIDB PLUGINS recorder"

# Each is the name of something that its owner may create.
NAMES = ["RELOAD, SUPER ON *.* TO x", "x` TO y\nGRANT SUPER ON *.* TO `z", "') ON *.* TO y, SUPER ON *.* TO x", "GRANT SUPER ON *.* TO",
         "\" ON *.* TO x -- y", "/*! SUPER ON *.* TO x */", "*", "*.*", "SUPER", "ALL PRIVILEGES ON *.* TO x", "é SUPER ON *.* TO 中",
         "\\` ON *.* TO \\", "# SUPER ON *.* TO x\ny", "a) ON *.* TO y, RELOAD (b"]

# What the client may set on the connection on which the gateway asks.
SETTINGS = ["SET sql_select_limit = 0", "SET character_set_results = swe7", "SET character_set_results = utf16", "SET NAMES latin1",
            "SET character_set_results = NULL", "SET NAMES gbk", "SET character_set_results = armscii8", "SET sql_mode = 'ANSI_QUOTES'",
            "SET sql_mode = 'ORACLE'", "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
            "SET sql_quote_show_create = 0, sql_mode = 'ANSI_QUOTES'", "SET sql_quote_show_create = 0, character_set_results = swe7",
            "USE information_schema"]


def quoted(name, quote="`"):
    return quote + name.replace(quote, 2 * quote) + quote


@pytest.fixture(scope="module")
def server(make_gateway, database):
    server = make_gateway(database.address, plugins=["recorder-1"])
    yield server
    server.stop()


@pytest.fixture
def account(database):
    """An account that owns one schema, and may grant there."""
    database.execute("CREATE DATABASE hostile", "CREATE USER owner@'%' IDENTIFIED BY 'owner-secret'",
                     "GRANT ALL ON hostile.* TO owner@'%' WITH GRANT OPTION")
    yield "owner"
    database.execute("DROP DATABASE hostile", "DROP USER owner@'%'")


def connect(server, user="owner", password="owner-secret", database=None):
    return server.endpoint.connect(user=user, password=password, database=database)


def answer(connection):
    (result,) = run(connection, SQL)
    return result.get("arguments", ("granted",))[0]


def is_refused(connection, *before):
    for sql in before:
        connection.query(sql)
    error = failure(lambda: connection.query("ADMIN PLUGINS DISABLE recorder"))
    assert error["arguments"][0] == 1227 and answer(connection) == 1227, (before, error)


def test_names_that_look_like_a_grant_give_nothing(server, database, account):
    with connect(server) as owner:
        for number, name in enumerate(NAMES):
            owner.query(f"CREATE TABLE hostile.{quoted(name)} ({quoted(name)} INT, plain INT)")
            owner.query(f"GRANT SELECT, UPDATE ({quoted(name)}, plain) ON hostile.{quoted(name)} TO owner@'%'")
            owner.query(f"CREATE PROCEDURE hostile.{quoted(name)}() SELECT 1")
            database.execute(f"CREATE FUNCTION hostile.{quoted(name)}() RETURNS INT DETERMINISTIC RETURN {number}")
            owner.query(f"GRANT EXECUTE ON PROCEDURE hostile.{quoted(name)} TO owner@'%'")
            owner.query(f"GRANT EXECUTE ON FUNCTION hostile.{quoted(name)} TO owner@'%'")
    with connect(server) as owner:
        is_refused(owner)
    for settings in SETTINGS:
        with connect(server) as owner:
            is_refused(owner, *settings.split("; "))


@pytest.mark.parametrize("name", NAMES)
def test_schemas_roles_and_users_of_such_names_give_nothing(server, database, account, name):
    if "\n" in name:
        pytest.skip("not a name of a role")
    try:
        database.execute(f"CREATE ROLE {quoted(name)}", f"GRANT {quoted(name)} TO owner@'%'", f"CREATE DATABASE {quoted(name)}",
                         f"GRANT ALL ON {quoted(name)}.* TO owner@'%' WITH GRANT OPTION", f"GRANT ALL ON hostile.* TO {quoted(name)}",
                         f"CREATE USER {quoted(name)}@'%' IDENTIFIED BY 'owner-secret'", f"GRANT ALL ON hostile.* TO {quoted(name)}@'%'",
                         f"GRANT PROXY ON {quoted(name)}@'%' TO owner@'%'")
        with connect(server) as owner:
            is_refused(owner)
            is_refused(owner, f"SET ROLE {quoted(name)}")
            is_refused(owner, "SET sql_quote_show_create = 0, sql_mode = 'ANSI_QUOTES'")
        with connect(server, user=name) as named:
            is_refused(named)
    finally:
        database.execute(f"DROP DATABASE IF EXISTS {quoted(name)}", f"DROP USER IF EXISTS {quoted(name)}@'%'",
                         f"DROP ROLE IF EXISTS {quoted(name)}")


def test_tables_named_like_the_servers_own_change_nothing(server, account):
    with connect(server, database="hostile") as owner:
        owner.query("CREATE TEMPORARY TABLE user_privileges (GRANTEE TEXT, PRIVILEGE_TYPE TEXT)")
        owner.query("INSERT INTO user_privileges VALUES (\"'owner'@'%'\", 'SUPER')")
        owner.query("CREATE VIEW hostile.applicable_roles AS SELECT 'SUPER'")
        is_refused(owner)


def test_a_role_counts_while_it_is_active(server, database, account):
    database.execute("CREATE ROLE operating", "GRANT RELOAD ON *.* TO operating", "CREATE ROLE outside", "GRANT operating TO outside",
                     "GRANT outside TO owner@'%'")
    try:
        with connect(server) as owner:
            is_refused(owner)
            owner.query("SET ROLE outside")
            assert answer(owner) == "granted"
            is_refused(owner, "SET ROLE NONE")
        database.execute("SET DEFAULT ROLE outside FOR owner@'%'")
        with connect(server) as owner:
            assert answer(owner) == "granted"
        database.execute("SET DEFAULT ROLE NONE FOR owner@'%'", "REVOKE operating FROM outside")
        with connect(server) as owner:
            is_refused(owner, "SET ROLE outside")
    finally:
        database.execute("DROP ROLE operating, outside")


def test_grants_on_everything_count_and_others_do_not(server, database, account):
    for privileges, expected in (("ALL PRIVILEGES ON hostile.*", 1227), ("SELECT, INSERT, CREATE USER, BINLOG ADMIN ON *.*", 1227),
                                 ("SUPER ON *.*", "granted"), ("SELECT, RELOAD ON *.*", "granted"),
                                 ("ALL PRIVILEGES ON *.*", "granted")):
        database.execute("REVOKE ALL PRIVILEGES, GRANT OPTION FROM owner@'%'",
                         f"GRANT {privileges} TO owner@'%' REQUIRE NONE WITH GRANT OPTION MAX_QUERIES_PER_HOUR 100000")
        with connect(server) as owner:
            assert answer(owner) == expected, privileges
    with connect(server) as owner:
        for settings in ("SET sql_select_limit = 0", "SET NAMES latin1", "SET sql_mode = 'ANSI_QUOTES'", "SET sql_quote_show_create = 0"):
            owner.query(settings)
            assert answer(owner) == "granted", settings
        for charset in ("utf16", "swe7"):  # a row that cannot be read grants nothing
            owner.query(f"SET character_set_results = {charset}")
            assert answer(owner) == 1227
    database.execute("REVOKE ALL PRIVILEGES, GRANT OPTION FROM owner@'%'")
    with connect(server) as owner:
        assert answer(owner) == 1227


def test_what_public_has_everybody_has(server, database, account):
    database.execute("GRANT RELOAD ON *.* TO PUBLIC")
    try:
        with connect(server) as owner:
            assert answer(owner) == "granted"
    finally:
        database.execute("REVOKE RELOAD ON *.* FROM PUBLIC")
    with connect(server) as owner:
        is_refused(owner)


def test_the_anonymous_account_has_what_it_was_granted(server, database):
    database.execute("CREATE USER ''@'%' IDENTIFIED BY 'owner-secret'")
    try:
        with connect(server, user="nobody_knows") as anonymous:
            is_refused(anonymous)
        database.execute("GRANT RELOAD ON *.* TO ''@'%'")
        with connect(server, user="nobody_knows") as anonymous:
            assert answer(anonymous) == "granted"
    finally:
        database.execute("DROP USER ''@'%'")


def test_a_session_that_may_ask_nothing_is_refused(server):
    """An expired password: the backend answers SHOW GRANTS with an error."""
    with server.endpoint.raw(user="expired", password="expired-secret", database=None) as connection:
        reply = connection.query(SQL)
    assert reply[-1][1][:1] == b"\xff"
