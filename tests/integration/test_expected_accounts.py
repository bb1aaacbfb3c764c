# SPDX-License-Identifier: Apache-2.0
"""Whoever configures something for an account that the server does not have is told so: it would match nobody."""
import signal

import pytest
from audit_log_common import packaged
from firewall_common import firewall, firewalled, make_firewall  # noqa: F401
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only
RULES = '[[deny]]\nname = "x"\naccounts = ["{account}"]\nkinds = ["DropTable"]\n'


@pytest.fixture(scope="module")
def server(make_firewall):  # noqa: F811
    return make_firewall("OFF", RULES.format(account="app@%"), plugins=(packaged(),))


@pytest.fixture
def admin(server, firewalled):  # noqa: F811
    firewalled.execute("CREATE OR REPLACE USER here@'10.0.%'", "CREATE OR REPLACE USER app@'%'", "CREATE OR REPLACE USER ``@elsewhere",
                       "CREATE OR REPLACE USER blind@'%' IDENTIFIED BY 'x'", "GRANT SUPER ON *.* TO blind@'%'")
    with server.endpoint.connect(database=None) as connection:
        yield connection
    firewalled.execute("DROP USER here@'10.0.%', app@'%', ``@elsewhere, blind@'%'")


def warnings(connection, statement):
    """What SHOW WARNINGS says after it, if the answer has promised something."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        promised = cursor._result.warning_count
        if promised == 0:
            return None
        cursor.execute("SHOW WARNINGS")
        ((_, _, text),) = cursor.fetchall()
        assert promised == 1
        return text


CASES = [
    ("here@'10.0.%'", None), ("'here'@'10.%'", None), ("here", None), ("\"\"@ELSEWHERE", None),
    ("here@'10.1.%'", "the server has no account here@10.1.%"), ("Here", "the server has no account Here@%"),
    ("'o''brien'@x", "the server has no account o'brien@x"),
]


@pytest.mark.parametrize("mode", ["", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"])
@pytest.mark.parametrize("account, warning", CASES)
def test_functions_warn(admin, account, warning, mode):
    admin.query(f"SET sql_mode = '{mode}', sql_select_limit = 0")
    quoted = account.replace("'", "''")
    assert warnings(admin, f"SELECT sql_firewall_set_mode('{quoted}', 'DETECTING')") == warning
    admin.query(f"SELECT sql_firewall_set_mode('{quoted}', 'RESET')")


def test_a_filter_for_nobody_warns(admin):
    admin.query("SELECT audit_log_filter_set_filter('nothing', '{\"filter\": {\"log\": false}}')")
    assert warnings(admin, "SELECT audit_log_filter_set_user('app@%', 'nothing')") is None
    assert warnings(admin, "SELECT audit_log_filter_set_user('%', 'nothing')") is None
    assert warnings(admin, "SELECT audit_log_filter_set_user('ap@%', 'nothing')") == "the server has no account ap@%"
    for account in ("app@%", "%", "ap@%"):
        admin.query(f"SELECT audit_log_filter_remove_user('{account}')")
    admin.query("SELECT audit_log_filter_remove_filter('nothing')")


def test_settings_warn(admin):
    assert warnings(admin, "SET GLOBAL audit_log_abort_exempt = 'app@%, \"root\"@localhost'") is None
    assert warnings(admin, "SET GLOBAL audit_log_abort_exempt = 'app@%,a@b,c'") == \
        "the server has no account a@b; the server has no account c@%"
    admin.query("SET GLOBAL audit_log_abort_exempt = ''")


def test_a_flush_of_rules_warns(server, admin):
    assert warnings(admin, "FLUSH TIDB PLUGINS sql_firewall") is None
    server.rules.write_text(RULES.format(account="ap@%"))
    assert warnings(admin, "FLUSH TIDB PLUGINS sql_firewall") == "the server has no account ap@%"
    server.rules.write_text(RULES.format(account="ap*"))
    assert warnings(admin, "FLUSH TIDB PLUGINS sql_firewall") is None


FILTERS = '{"filters": {"nothing": {"filter": {"log": false}}}, "users": {"app@%": "nothing", "auditor@%": "nothing", "%": "nothing"}}'


@pytest.fixture
def started(gateway, firewalled, ip_filter, firewall, tmp_path):  # noqa: F811
    """Starts a gateway whose plugins have files that name accounts, with this account for checks."""
    (tmp_path / "rules.toml").write_text(RULES.format(account="ap@%"))
    (tmp_path / "filters.json").write_text(FILTERS)
    (tmp_path / "networks").write_text("allow 127.0.0.0/8\nlimit app 50\nlimit a_pp 50\n")
    (tmp_path / "weir.toml").write_text(f'[plugin.sql_firewall]\nrules = "{tmp_path}/rules.toml"\n[plugin.ip_filter]\nfile = "{tmp_path}/networks"\n'
                                        f'[plugin.audit_log]\nfile = "{tmp_path}/audit.log"\nfilter_file = "{tmp_path}/filters.json"\n')

    def start(*options, backend=firewalled.address):
        return gateway(backend, plugins=[ip_filter, firewall, packaged()], options=["-config", tmp_path / "weir.toml", *options])
    return start


@pytest.mark.parametrize("who, said", [
    ("gate", "name accounts that it does not have, and that match nobody: \"a_pp@%, ap@%, auditor@%\". Correct their spelling"),
    ("poor", "whether it has the accounts that plugins' rules and settings name is not known; give the account of -backend-check-user")])
def test_the_log_names_the_accounts_of_a_start(started, admin, firewalled, who, said):  # noqa: F811
    """Files that are read at a start have no client that could be warned: the account of checks asks."""
    firewalled.execute("CREATE OR REPLACE USER gate@'%' IDENTIFIED BY ''", "GRANT SELECT ON mysql.* TO gate@'%'",
                       "CREATE OR REPLACE USER poor@'%' IDENTIFIED BY ''")
    try:
        server = started("-backend-check-user", who)
        wait_for(lambda: said in server.log(), said)
        assert server.log().count("rules and settings name") == 1
        server.stop()
    finally:
        firewalled.execute("DROP USER gate@'%', poor@'%'")


@pytest.mark.time_limit(90)
def test_the_log_names_them_of_a_backend_that_a_reload_adds(started, admin, firewalled, other_database, tmp_path):  # noqa: F811
    """The fault: a backend was only asked when it was one of those of the start."""
    said = "name accounts that it does not have, and that match nobody: \"a_pp@%, ap@%, app@%, auditor@%\""
    added = other_database("added")
    settings = (tmp_path / "weir.toml").read_text()
    (tmp_path / "weir.toml").write_text(f'backend = "{firewalled.address}"\n{settings}')
    server = started("-backend-check-user", "root", "-backend-check-interval", "200", backend=None)
    wait_for(lambda: "name accounts that it does not have" in server.log(), "the first backend to be asked")
    assert said not in server.log()
    (tmp_path / "weir.toml").write_text(f'backend = "{firewalled.address},{added.address}"\n{settings}')
    server.process.signal(signal.SIGHUP)
    wait_for(lambda: f"{added.address}: plugins' rules and settings {said}" in server.log(), "the added backend to be asked")
    assert server.log().count("rules and settings name") == 2


def test_the_log_names_those_that_a_file_names_that_a_signal_has_read_again(started, admin, firewalled, tmp_path):  # noqa: F811
    """Nobody was told: SIGHUP has no client. What was said at the start is not said again."""
    firewalled.execute("CREATE OR REPLACE USER gate@'%' IDENTIFIED BY ''", "GRANT SELECT ON mysql.* TO gate@'%'")
    try:
        server = started("-backend-check-user", "gate")
        wait_for(lambda: "name accounts that it does not have" in server.log(), "the start's accounts to be asked for")
        (tmp_path / "rules.toml").write_text(RULES.format(account="nobody@%"))
        server.process.signal(signal.SIGHUP)
        wait_for(lambda: "match nobody: nobody@%." in server.log(), "the new one to be asked for")
        server.process.signal(signal.SIGHUP)
        wait_for(lambda: server.log().count("SIGHUP: configuration and certificates read again") == 2, "the second one")
        assert server.log().count("rules and settings name") == 2
        server.stop()
    finally:
        firewalled.execute("DROP USER gate@'%'")


@pytest.mark.time_limit(90)
@pytest.mark.parametrize("signals", [1, 2], ids=["at once", "before"])
def test_a_backend_that_a_reload_adds_is_asked_for_what_a_signal_has_named(started, admin, firewalled, other_database, tmp_path,  # noqa: F811
                                                                           signals):
    """The fault: it was asked for the accounts of the start only."""
    added = other_database(f"later{signals}")
    settings = (tmp_path / "weir.toml").read_text()
    (tmp_path / "weir.toml").write_text(f'backend = "{firewalled.address}"\n{settings}')
    server = started("-backend-check-user", "root", "-backend-check-interval", "200", backend=None)
    wait_for(lambda: "name accounts that it does not have" in server.log(), "the first backend to be asked")
    (tmp_path / "rules.toml").write_text(RULES.format(account="nobody@%"))
    if signals == 2:
        server.process.signal(signal.SIGHUP)
        wait_for(lambda: "match nobody: nobody@%." in server.log(), "the first backend to be asked for the new one")
    (tmp_path / "weir.toml").write_text(f'backend = "{firewalled.address},{added.address}"\n{settings}')
    server.process.signal(signal.SIGHUP)
    wait_for(lambda: any("nobody@%" in line for line in server.log().splitlines() if added.address in line), "the added one to be asked for it")
    wait_for(lambda: any("a_pp@%" in line for line in server.log().splitlines() if added.address in line), "... and for those of the start")


def test_a_flush_of_filters_warns(started, admin):
    with started().endpoint.connect(database=None) as connection:
        assert warnings(connection, "SELECT audit_log_filter_flush()") == "the server has no account auditor@%"


def test_what_cannot_be_looked_up_is_not_known(server, admin):
    with server.endpoint.connect(database=None, user="blind", password="x") as blind:
        said = warnings(blind, "SELECT sql_firewall_set_mode('nobody@%', 'DETECTING')")
        assert said.startswith("whether the server has the accounts that are named is not known: SELECT command denied to user")
        blind.query("SELECT sql_firewall_set_mode('nobody@%', 'RESET')")
