# SPDX-License-Identifier: Apache-2.0
"""The table of privileges (src/gateway/local/privileges.def), row by row, with an account for each privilege alone; what plugins demand
besides; and plugins that are locked. The same in docs/privileges.md."""
import re

import pytest
from harness.observe import failure, run
from harness.paths import ROOT

pytestmark = pytest.mark.gateway_only

TABLE = re.sub(r"\s+", " ", (ROOT / "src/gateway/local/privileges.def").read_text().split("*/", 1)[1])
ROWS = {name: (statement, why, set(re.findall(r'"([^"]+)"', rest)))
        for name, statement, why, rest in re.findall(r'X\((\w+), "([^"]+)", "([^"]+)",([^)]+)\)', TABLE)}

# A statement of each row, about a plugin that demands nothing more.
SQL = {"FLUSH": "FLUSH TIDB PLUGINS recorder", "ENABLE": "ADMIN PLUGINS ENABLE recorder", "DISABLE": "ADMIN PLUGINS DISABLE recorder",
       "SET": "SET GLOBAL plain_word = 'other'", "TRACE": "ADMIN TRACE OFF", "SHOW_TRACE": "ADMIN SHOW TRACE",
       "BACKENDS": "ADMIN BACKENDS ENABLE '{backend}'", "SHOW_BACKENDS": "ADMIN SHOW BACKENDS",
       "RELOAD_CONFIG": "ADMIN RELOAD CONFIG", "SHOW_NODES": "ADMIN SHOW NODES", "PROCESSLIST": "ADMIN SHOW PROCESSLIST"}

# Without the privilege one's own is shown.
SHOWS_OWN = {"PROCESSLIST"}

# MariaDB's privileges that somebody might take for enough.
PRIVILEGES = ["SUPER", "RELOAD", "PROCESS", "SHUTDOWN", "FILE", "BINLOG ADMIN", "CONNECTION ADMIN", "READ_ONLY ADMIN", "SET USER",
              "CREATE USER", "SELECT"]


@pytest.fixture(scope="module")
def plain(work, plugins):
    """A plugin with a variable, which demands nothing."""
    from harness.packaging import package
    folder = work / "plain"
    folder.mkdir()
    (folder / "manifest.toml").write_text('name = "plain"\nkind = "Audit"\nversion = "1"\n[[sysVars]]\nname = "plain_word"\n'
                                          'value = "first"\n[[sysVars]]\nname = "plain_own"\nvalue = "first"\nscope = "Session"\n')
    (folder / "plain.c").write_text("#include <weir/plugin.h>\n")
    package(folder, plugins)
    return "plain-1"


@pytest.fixture(scope="module")
def server(make_gateway, database, plain):
    server = make_gateway(database.address, plugins=["recorder-1", "settings-1", plain])
    yield server
    server.stop()


@pytest.fixture
def account(database):
    """Gives an account exactly these privileges."""
    database.execute("CREATE USER alone@'%' IDENTIFIED BY 'alone-secret'")

    def grant(*privileges):
        database.execute("REVOKE ALL PRIVILEGES, GRANT OPTION FROM alone@'%'",
                         *[f"GRANT {privilege} ON *.* TO alone@'%'" for privilege in privileges])
        return {"user": "alone", "password": "alone-secret", "database": None}
    yield grant
    database.execute("DROP USER alone@'%'")


def number(connection, sql):
    try:
        connection.query(sql)
    except Exception as error:
        return error.args[0]
    return 0


def state_of(server):
    with server.endpoint.connect() as connection:
        return (run(connection, "SHOW PLUGINS")[0]["rows"], run(connection, "SHOW GLOBAL VARIABLES LIKE 'plain%'")[0]["rows"],
                run(connection, "SHOW GLOBAL VARIABLES LIKE 'settings%'")[0]["rows"], run(connection, "ADMIN SHOW TRACE")[0]["rows"])


def test_the_document_is_the_table():
    document = (ROOT / "docs/privileges.md").read_text()
    for statement, why, privileges in ROWS.values():
        (line,) = [line for line in document.splitlines() if line.startswith("| `" + statement.replace("|", "\\|") + "`")]
        first = line.split(" | ")[1].split(";")[0]
        assert set(re.findall(r"`([^`]+)`", first)) == privileges and why in line, line


def test_every_row_has_a_statement_here():
    assert set(SQL) == set(ROWS)


@pytest.mark.parametrize("privilege", PRIVILEGES)
def test_each_privilege_alone(server, account, privilege, database):
    login = account(privilege)
    try:
        for name, sql in SQL.items():
            sql = sql.format(backend=database.address)
            is_granted = privilege in ROWS[name][2]
            if name in SHOWS_OWN:
                with server.endpoint.connect(), server.endpoint.connect(**login) as connection:
                    users = {row[2] for row in run(connection, sql)[0]["rows"]}
                assert users == ({"tester", "alone"} if is_granted else {"alone"}), (privilege, sql)
                continue
            expected = 0 if is_granted else 1227
            before = state_of(server)
            with server.endpoint.connect(**login) as connection:
                assert number(connection, sql) == expected, (privilege, sql)
            if expected:
                assert state_of(server) == before
    finally:
        with server.endpoint.connect() as administrator:
            administrator.query("ADMIN PLUGINS ENABLE recorder")
            administrator.query("SET GLOBAL plain_word = DEFAULT")


@pytest.mark.parametrize("name", [name for name in SQL if name != "SHOW_TRACE"])
def test_a_detour_is_no_way(server, account, name, database):
    """Prepared, nested, among others: with no privilege and with all of them nothing is changed."""
    sql = SQL[name].format(backend=database.address)
    quoted = sql.replace("'", "''")
    before = state_of(server)
    for privileges in (["SELECT"], ["SUPER", "RELOAD", "SHUTDOWN"]):
        with server.endpoint.connect(**account(*privileges)) as connection:
            for disguise in (f"PREPARE s FROM '{quoted}'", f"EXECUTE IMMEDIATE '{quoted}'", f"BEGIN NOT ATOMIC {sql}; END",
                             f"SET STATEMENT max_statement_time = 9 FOR {sql}", f"DO 1; {sql}", f"{sql}; DO 1",
                             f"SET STATEMENT max_statement_time = 9 FOR EXECUTE IMMEDIATE '{quoted}'",
                             f"EXECUTE IMMEDIATE CONCAT('{quoted}', '')"):
                failed = failure(lambda disguise=disguise: list(run_all(connection, disguise)))
                assert failed["arguments"][0] in (1064, 1193, 1235, 1295, 1227, 1146), (disguise, failed)
        with server.endpoint.raw(user="alone", password="alone-secret", database=None) as connection:
            reply = connection.command(b"\x16" + sql.encode())
            assert reply[-1][1][:3] == b"\xff\x0f\x05", reply  # 1295
    assert state_of(server) == before


def run_all(connection, sql):
    """Reads every result of a text, so that the last one's error is seen."""
    cursor = connection.cursor()
    cursor.execute(sql)
    yield cursor.fetchall()
    while cursor.nextset():
        yield cursor.fetchall()


def test_a_plugin_can_demand_more(server, account):
    """settings has disable_privilege = ["SHUTDOWN"]: for its DISABLE and its variables."""
    statements = ["ADMIN PLUGINS DISABLE settings", "ADMIN PLUGINS DISABLE recorder, settings", "SET GLOBAL settings_limit = 7",
                  "SET GLOBAL plain_word = 'other', GLOBAL settings_limit = 7", "SET PERSIST_ONLY settings_fixed = 1"]
    before = state_of(server)
    for privilege in ("SUPER", "SHUTDOWN"):
        with server.endpoint.connect(**account(privilege)) as connection:
            for sql in statements:
                assert number(connection, sql) == 1227, (privilege, sql)
            assert number(connection, "SET settings_limit = 7") == 0  # of the session: everybody may
    assert state_of(server) == before
    with server.endpoint.connect(**account("SUPER", "SHUTDOWN")) as connection:
        for sql in statements:
            assert number(connection, sql) == 0, sql
        for sql in ("ADMIN PLUGINS ENABLE recorder, settings", "SET GLOBAL settings_limit = DEFAULT, GLOBAL plain_word = DEFAULT",
                    "SET PERSIST_ONLY settings_fixed = DEFAULT"):
            assert number(connection, sql) == 0, sql


LOCKED = ["ADMIN PLUGINS DISABLE settings", "ADMIN PLUGINS ENABLE settings", "ADMIN PLUGINS DISABLE recorder, settings",
          "FLUSH TIDB PLUGINS settings", "FLUSH PLUGINS recorder, settings", "SET GLOBAL settings_limit = 7", "SET @@GLOBAL.settings_limit = 7",
          "SET PERSIST settings_limit = 7", "SET PERSIST_ONLY settings_fixed = 1", "SET GLOBAL settings_limit = DEFAULT",
          "SET GLOBAL plain_word = 'other', GLOBAL settings_chain = ON", "SELECT settings_echo('a')", "SELECT settings_fail('a')"]


@pytest.fixture(scope="module")
def locked(make_gateway, database, plain):
    server = make_gateway(database.address, plugins=["recorder-1", "settings-1", plain], options=["-plugin-locked", "settings"])
    yield server
    server.stop()


@pytest.mark.parametrize("sql", LOCKED)
def test_a_locked_plugin_is_changed_by_nobody(locked, sql):
    before = state_of(locked)
    with locked.endpoint.connect() as root:
        error = failure(lambda: root.query(sql))["arguments"]
        assert error[0] == 1290 and "settings is locked" in error[1] and "-plugin-locked" in error[1], error
    assert state_of(locked) == before


def test_what_a_lock_leaves(locked):
    with locked.endpoint.connect() as root:
        for sql in ("SET settings_limit = 7", "SELECT settings_where()", "SELECT @@settings_limit", "SHOW PLUGINS",
                    "FLUSH TIDB PLUGINS recorder", "ADMIN PLUGINS DISABLE recorder", "ADMIN PLUGINS ENABLE recorder",
                    "SET GLOBAL plain_word = 'other'", "SET GLOBAL plain_word = DEFAULT"):
            assert number(root, sql) == 0, sql
    assert "settings is locked" in locked.log()


def test_a_lock_of_nothing_stops_the_start(gateway, database, plain):
    for options, words in ((["-plugin-locked", "setings"], "-plugin-locked setings: no such plugin is loaded; did you mean settings"),
                           (["-plugin-locked", "audit_log", "-skip-plugin-on-failure"], "-plugin-locked audit_log: no such plugin")):
        server = gateway(database.address, plugins=["settings-1"], options=options, start=False).launch()
        assert server.process.wait() == 1
        assert words in server.log()


def test_a_locked_plugin_is_not_skipped(gateway, database, tmp_path):
    config = tmp_path / "weir.toml"
    config.write_text("[plugin.settings]\nlimit = 0\n")
    options = ["-config", str(config), "-skip-plugin-on-failure"]
    server = gateway(database.address, plugins=["settings-1"], options=[*options, "-plugin-locked", "settings"], start=False).launch()
    assert server.process.wait() == 1
    assert "settings_limit" in server.log()
