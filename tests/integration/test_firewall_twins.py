# SPDX-License-Identifier: Apache-2.0
"""One rule, and every way to the same thing: text, prepared, executed, in bulk, as a command of the protocol, by another
account of the same connection, and within other statements. A rule that holds for one way holds for its twins."""
import json
import struct
import subprocess

import pytest
from firewall_common import BLOCKED, connect, firewall, firewalled, make_firewall  # noqa: F401
from harness import raw
from harness.paths import BIN

pytestmark = pytest.mark.gateway_only

ADMIN = '[[account]]\naccounts = ["tester@*"]\nmode = "OFF"\n'
SECRET = "SELECT word FROM secret"
KINDS = 'kinds = ["DropTable"]'
DROP = "DROP TABLE IF EXISTS nothing"
WRAPPED = {"several": "SELECT 1; {}", "SET STATEMENT": "SET STATEMENT max_statement_time = 9 FOR {}",
           "compound": "BEGIN NOT ATOMIC {}; END", "EXECUTE IMMEDIATE": "EXECUTE IMMEDIATE '{}'",
           "PREPARE": "PREPARE p FROM '{}'", "nested": "BEGIN NOT ATOMIC EXECUTE IMMEDIATE '{}'; END"}


def digest(text):
    done = subprocess.run([BIN / "weir-digest"], input=json.dumps(text), capture_output=True, text=True, check=True)
    return next(word for word in done.stdout.replace('"', " ").split() if len(word) == 64)


# name: (the rule's conditions, a text that it denies, ways that there are not)
CONDITIONS = {
    "kinds": (KINDS, DROP, ()),
    "kinds of a file": ('kinds = ["LoadData"]', "LOAD DATA LOCAL INFILE \"x\" INTO TABLE secret",
                        ("prepare", "execute", "EXECUTE IMMEDIATE", "PREPARE", "nested", "compound", "SET STATEMENT")),
    "missing_where": ("missing_where = true", "DELETE FROM secret", ()),
    "tables": ('tables = ["*.secret"]', SECRET, ()),
    "tables of a file": ('tables = ["*.secret"]\naccess = ["write"]', "LOAD DATA LOCAL INFILE \"x\" INTO TABLE secret",
                         ("prepare", "execute", "EXECUTE IMMEDIATE", "PREPARE", "nested", "compound", "SET STATEMENT")),
    "tables written": ('tables = ["*.secret"]\naccess = ["write"]', "INSERT INTO secret SELECT 1", ()),
    "regex": ('regex = "select `word` from"', SECRET, ()),
    "regex at the start": ('regex = "^select `word`"', SECRET, ("SET STATEMENT",)),
    "digests": (lambda: f'digests = ["{digest(SECRET)}"]', SECRET, ("SET STATEMENT",)),
    "accounts": (f'{KINDS}\naccounts = ["ruled@*"]', DROP, ()),
    "except_accounts": (f'{KINDS}\nexcept_accounts = ["tabled@*"]', DROP, ()),
    "without_tls": (f"{KINDS}\nwithout_tls = true", DROP, ()),
    "except_subjects": (f'{KINDS}\nexcept_subjects = ["CN=client,*"]', DROP, ()),
    "tables_known": ("tables_known = false", "EXECUTE IMMEDIATE @x", ("prepare", "execute", "EXECUTE IMMEDIATE", "PREPARE", "nested")),
    "digest_exact": ("digest_exact = false", "SELECT 1 /*M! + 1 */", ()),
    "statements_over": ("statements_over = 1", "SELECT 1; SELECT 2", ("prepare", "execute", *set(WRAPPED) - {"several"})),
    "commands": ('commands = ["Query", "Prepare", "Execute"]', "SELECT 1", ()),
}


@pytest.fixture(scope="module")
def server(make_firewall):
    return make_firewall("PROTECTING", ADMIN)


@pytest.fixture(scope="module")
def rule(server):
    """Sets the rules: a single one, of these conditions."""
    with server.endpoint.connect(database=None) as admin:
        def set_rule(conditions):
            conditions = conditions() if callable(conditions) else conditions
            server.rules.write_text(ADMIN + (f'[[deny]]\nname = "r"\n{conditions}\n' if conditions else ""))
            admin.cursor().execute("FLUSH TIDB PLUGINS sql_firewall")
        yield set_rule


def is_blocked(packets):
    error = raw.error_of(packets)
    return error is not None and error[0] == 1045 and error[2].startswith(BLOCKED + '"r"')


def execution(number, rest=b"\0\1\0\0\0"):
    return bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<I", number) + rest


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_rule_holds_for_each_way(server, rule, name):
    conditions, text, without = CONDITIONS[name]
    holes = []
    with connect(server, "ruled") as connection:
        connection.query("SET @x = 'SELECT 1'")
        number = None
        if "execute" not in without:
            rule(None)
            number, _ = connection.prepare(text)
        rule(conditions)
        if not is_blocked(connection.query(text)):
            holes.append("text")
        if "prepare" not in without and not is_blocked(
                connection.command(bytes([raw.COM_STMT_PREPARE]) + text.encode(), connection.read_prepared)):
            holes.append("prepare")
        if number is not None and not is_blocked(connection.command(execution(number))):
            holes.append("execute")
        for way in WRAPPED:
            if way not in without and not is_blocked(connection.query(WRAPPED[way].format(text))):
                holes.append(way)
    assert not holes


@pytest.mark.parametrize("name", ["regex at the start", "digests"])
def test_what_set_statement_runs_is_known_by_its_own_text(server, rule, name):
    conditions, text, _ = CONDITIONS[name]
    with connect(server, "ruled") as connection:
        rule(conditions)
        assert is_blocked(connection.query(WRAPPED["SET STATEMENT"].format(text)))


COMMANDS = {  # name: (payload, kind, table of the rule, the command's name, how its reply is read)
    "INIT_DB": (bytes([raw.COM_INIT_DB]) + b"firewall", "Use", None, "Init DB", "read_one"),
    "CREATE_DB": (b"\5made_by_command", "CreateDatabase", None, "Create DB", "read_one"),
    "DROP_DB": (b"\6made_by_command", "DropDatabase", None, "Drop DB", "read_one"),
    "FIELD_LIST": (bytes([raw.COM_FIELD_LIST]) + b"secret\0", "Show*", "*.secret", "Field List", "read_fetched"),
    "PROCESS_KILL": (bytes([raw.COM_PROCESS_KILL]) + struct.pack("<I", 1), "Kill", None, "*Kill*", "read_one"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_is_a_statement_is_judged_as_one(server, rule, name):
    payload, kind, table, command, read = COMMANDS[name]
    rules = [f'kinds = ["{kind}"]', f'commands = ["{command}"]', 'regex = "."', 'digests = ["*"]',
             f'kinds = ["{kind}"]\naccounts = ["ruled@*"]']
    holes = []
    for conditions in rules + ([f'tables = ["{table}"]'] if table else []):
        with connect(server, "ruled") as connection:
            rule(conditions)
            if not is_blocked(connection.command(payload, getattr(connection, read))):
                holes.append(conditions)
    assert not holes


@pytest.mark.parametrize("conditions", ['kinds = ["Insert"]', 'tables = ["*.target"]\naccess = ["write"]', 'regex = "^insert"',
                                        'commands = ["*Bulk*"]', 'digests = ["*"]', 'kinds = ["Insert"]\naccounts = ["ruled@*"]'])
def test_a_rule_holds_for_a_bulk_execution(server, rule, conditions):
    with connect(server, "ruled", capabilities=raw.BASIC | raw.BULK) as connection:
        rule(None)
        number, _ = connection.prepare("INSERT INTO target (id) VALUES (?)")
        rule(conditions)
        bulk = bytes([raw.COM_STMT_BULK_EXECUTE]) + struct.pack("<IH", number, 0x80) + b"\3\0" + b"\0" + struct.pack("<i", 99)
        assert is_blocked(connection.command(bulk))
        rule(None)
        assert raw.error_of(connection.command(bulk)) is None
        assert raw.error_of(connection.query("DELETE FROM target WHERE id = 99")) is None


def test_the_rules_of_an_account_hold_when_the_connection_changes_to_it(server, rule):
    with connect(server, "ruled") as connection:
        rule(f'{KINDS}\naccounts = ["tabled@*"]')
        assert raw.error_of(connection.query(DROP)) is None
        connection.change_user("tabled", "tabled", "firewall")
        assert is_blocked(connection.query(DROP))
        assert is_blocked(connection.command(bytes([raw.COM_STMT_PREPARE]) + DROP.encode(), connection.read_prepared))
        connection.change_user("ruled", "ruled", "firewall")
        assert raw.error_of(connection.query(DROP)) is None
        rule(f'{KINDS}\nexcept_accounts = ["ruled@*"]')
        assert raw.error_of(connection.query(DROP)) is None
        connection.change_user("tabled", "tabled", "firewall")
        assert is_blocked(connection.query(DROP))


def test_the_list_of_an_account_holds_when_the_connection_changes_to_it(make_firewall):
    server = make_firewall("OFF", ADMIN)
    with connect(server, "ruled") as connection, server.endpoint.connect(database=None) as admin:
        admin.cursor().execute("SELECT sql_firewall_set_mode('listed@%', 'PROTECTING')")
        assert raw.error_of(connection.query("SELECT 1")) is None
        connection.change_user("listed", "listed", "firewall")
        assert raw.error_of(connection.query("SELECT 1"))[2].startswith(BLOCKED + '"allow-list"')
