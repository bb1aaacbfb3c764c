# SPDX-License-Identifier: Apache-2.0
"""Whoever configures something for an account that the server does not have is told so: it would match nobody."""
import pytest
from audit_log_common import packaged
from firewall_common import firewall, firewalled, make_firewall  # noqa: F401

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


def test_what_cannot_be_looked_up_is_not_known(server, admin):
    with server.endpoint.connect(database=None, user="blind", password="x") as blind:
        said = warnings(blind, "SELECT sql_firewall_set_mode('nobody@%', 'DETECTING')")
        assert said.startswith("whether the server has the accounts that are named is not known: SELECT command denied to user")
        blind.query("SELECT sql_firewall_set_mode('nobody@%', 'RESET')")
