# SPDX-License-Identifier: Apache-2.0
"""sql_firewall in front of a real server: learning, modes, and the attempts to get around it (firewall/*.txt)."""
import re
import struct
import subprocess

import pymysql
import pytest
from firewall_common import (  # noqa: F401
    BLOCKED, FILES, GOODS, RULES, SCHEMA, connect, firewall, firewalled, make_firewall)
from harness import raw
from harness.observe import failure
from harness.paths import BIN, ROOT
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only


def cases(name):
    """The lines of a file: (account, how, setup, text as bytes, with \\xNN undone)."""
    for line in (FILES / name).read_text().splitlines():
        if line and not line.startswith("#"):
            account, how, setup, text = (part.strip() for part in line.split("|", 3))
            yield account, how, setup, undo(text)


def undo(text):
    text = text.replace("\\t", "\t")
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())


@pytest.fixture(scope="module")
def recorded(make_firewall):
    """A folder with the allow-list of the account "listed"."""
    server = make_firewall("RECORDING")
    for line in (FILES / "recorded.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        setup, statement = [part.strip() for part in line.split("| ", 1)]
        with connect(server, "listed") as connection:
            if "EXECUTE p" in statement:
                connection.query("PREPARE p FROM 'SELECT name FROM target WHERE id = ?'")
            for text in filter(None, [setup, statement]):
                assert raw.error_of(connection.query(undo(text))) is None, text
    server.stop()
    return server.work


@pytest.fixture(scope="module")
def protecting(make_firewall, recorded):
    return make_firewall("PROTECTING", folder=recorded)


def attempt(connection, how, text):
    """Runs a text in one of several ways; the error it ends with, and all that was read."""
    commands = {"init_db": raw.COM_INIT_DB, "create_db": 5, "drop_db": 6, "ping": raw.COM_PING}
    if how == "query":
        packets = connection.query(text)
    elif how == "prepare":
        packets = connection.command(bytes([raw.COM_STMT_PREPARE]) + text, connection.read_prepared)
    elif how == "prepare and execute":  # in one go, the execution meaning what was prepared last
        last = bytes([raw.COM_STMT_EXECUTE]) + b"\xff\xff\xff\xff\0\1\0\0\0"
        connection.socket.sendall(connection.frame(bytes([raw.COM_STMT_PREPARE]) + text) + connection.frame(last))
        packets = connection.read_prepared()
        assert raw.error_of(connection.read_result()), "the execution did something"
    elif how == "field_list":
        packets = connection.command(bytes([raw.COM_FIELD_LIST]) + text + b"\0", connection.read_fetched)
    elif how == "process_kill":
        packets = connection.command(bytes([raw.COM_PROCESS_KILL]) + struct.pack("<I", int(text)), connection.read_one)
    elif how == "command":
        packets = connection.command(text, connection.read_one)
    else:
        packets = connection.command(bytes([commands[how]]) + text, connection.read_one)
    return raw.error_of(packets), b"".join(payload for _, payload in packets)


def run_case(server, case):
    account, how, setup, text = case
    options = {}
    if setup.startswith("collation="):
        options["collation"] = int(setup.split("=")[1])
        setup = ""
    with connect(server, account, **options) as connection:
        if how == "pipelined":  # the text is sent before the setup has been answered
            texts = [setup.encode(), text]
            connection.send_queries(*texts)
            assert raw.error_of(connection.read_result()) is None
            packets = connection.read_result()
            return raw.error_of(packets), b"".join(payload for _, payload in packets)
        if how == "failing setup":
            assert raw.error_of(connection.query(setup))
            return attempt(connection, "query", text)
        for statement in filter(None, setup.split(";;")):
            assert raw.error_of(connection.query(statement.strip())) is None, f"the setup failed: {statement}"
        return attempt(connection, how, text)


def test_attempts_to_get_around_it_are_refused(protecting, firewalled):
    """Every line of bypasses.txt. All are tried before any is judged, so that the list of holes is whole."""
    before = firewalled.execute(GOODS)
    holes = []
    for case in cases("bypasses.txt"):
        error, read = run_case(protecting, case)
        if not error or error[0] != 1045 or not error[2].startswith(BLOCKED) or b"xyzzy" in read:
            holes.append((*case, error))
        try:
            after = firewalled.execute(GOODS)
        except pymysql.err.Error as gone:
            after = gone
        if after != before:
            holes.append((*case, "HAS HAD AN EFFECT", after))
            firewalled.execute(*SCHEMA)
    assert not holes, "\n".join(map(str, holes))


def test_harmless_look_alikes_pass(protecting):
    refused = []
    for case in cases("harmless.txt"):
        error, _ = run_case(protecting, case)
        if error:
            refused.append((*case, error))
    assert not refused, "\n".join(map(str, refused))


def test_the_error_names_the_rule(protecting):
    with connect(protecting, "ruled") as connection:
        assert raw.error_of(connection.query("DROP TABLE target")) == (1045, "28000", BLOCKED + '"no-drop"')
        assert raw.error_of(connection.query("EXECUTE IMMEDIATE @x"))[2] == \
            BLOCKED + '"secret" (what it does cannot be told: it runs a text that is computed)'
    with connect(protecting, "listed") as connection:
        assert raw.error_of(connection.query("SELECT 5")) == \
            (1045, "28000", BLOCKED + '"allow-list" (not among the statements of listed@% in firewall)')


def test_prepared_statements_run_and_are_judged_when_executed_too(make_firewall, recorded):
    server = make_firewall("OFF", folder=recorded)
    execute = bytes([raw.COM_STMT_EXECUTE])
    with connect(server, "ruled") as connection:
        fine, _ = connection.prepare("SELECT name FROM target WHERE id = 1")
        bad, _ = connection.prepare("SELECT * FROM secret")
        assert raw.error_of(connection.command(execute + struct.pack("<I", bad) + b"\0\1\0\0\0")) is None
        server.rules.write_text(RULES + '[[account]]\naccounts = ["ruled@*"]\nmode = "PROTECTING"\n')
        with server.endpoint.connect(database=None) as admin:
            admin.query("FLUSH TIDB PLUGINS sql_firewall")
        assert raw.error_of(connection.command(execute + struct.pack("<I", fine) + b"\0\1\0\0\0")) is None
        assert raw.error_of(connection.command(execute + struct.pack("<I", bad) + b"\0\1\0\0\0"))[2] == BLOCKED + '"secret"'
    server.rules.write_text(RULES)


def test_recording_refuses_nothing_learns_what_succeeds_and_saves_it_soon(make_firewall):
    server = make_firewall("RECORDING")
    with connect(server, "listed") as connection:
        for text in ("SELECT 1", "SELECT nonsense", "SELECT * FROM target WHERE id = 2"):
            connection.query(text)
        saved = wait_for(lambda: server.allow_list.exists() and "target" in server.allow_list.read_text()
                         and server.allow_list.read_text(), "the list to be saved")
    assert "account listed@%\n" in saved and "nonsense" not in saved
    assert saved.count("\ndigest ") == 2 and (server.allow_list.stat().st_mode & 0o777) == 0o600
    with connect(server, "ruled") as connection:
        assert raw.error_of(connection.query("SELECT * FROM secret")) is None
    server.stop()
    assert "secret" not in server.allow_list.read_text()  # what a rule denies is not learned
    assert "is denied by rule \"secret\"" in server.log()


def test_detecting_logs_and_lets_pass(make_firewall, recorded):
    server = make_firewall("DETECTING", folder=recorded)
    with connect(server, "ruled") as connection:
        assert raw.error_of(connection.query("SELECT * FROM secret")) is None
    with connect(server, "listed") as connection:
        assert raw.error_of(connection.query("SELECT 12345")) is None
    server.stop()
    assert 'would be refused by rule "secret": account=ruled@%' in server.log()
    assert 'would be refused by rule "allow-list" (not among the statements of listed@% in firewall)' in server.log()


def test_flush_reads_rules_again_and_a_mistake_changes_nothing(make_firewall):
    server = make_firewall("PROTECTING")
    with server.endpoint.connect(database=None) as admin, connect(server, "ruled") as connection:
        server.rules.write_text(RULES + '[[deny]]\nname = "x"\nkind = ["Drop*"]\n')
        error = failure(lambda: admin.query("FLUSH TIDB PLUGINS sql_firewall"))
        line = RULES.count("\n") + 3
        assert f"{server.rules}:{line}: a rule has no \"kind\"" in error["arguments"][1]
        assert raw.error_of(connection.query("SELECT * FROM secret"))
        server.rules.write_text('[[account]]\naccounts = ["tester@*"]\nmode = "OFF"\n')
        admin.query("FLUSH TIDB PLUGINS sql_firewall")
        assert raw.error_of(connection.query("SELECT * FROM secret")) is None


def test_a_rule_about_tables_refuses_routines_that_it_does_not_trust(make_firewall):
    rules = '[[deny]]\nname = "no-secret"\ntables = ["*.secret"]\naccounts = ["ruled@*"]\n'
    server = make_firewall("PROTECTING", rules)
    with server.endpoint.connect(database="firewall") as admin:
        with admin.cursor() as cursor:
            for sql in ("CREATE OR REPLACE PROCEDURE tell() SELECT word FROM secret",
                        "CREATE OR REPLACE FUNCTION counts() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM secret)"):
                cursor.execute(sql)
        with connect(server, "ruled") as connection:
            for sql in ("CALL tell()", "SELECT counts()", "PREPARE s FROM 'CALL tell()'", "DO (SELECT 1 WHERE counts () = 0)"):
                assert raw.error_of(connection.query(sql))[2] == (
                    BLOCKED + '"no-secret" (what it does cannot be told: it calls a routine, whose tables are not known)'), sql
            assert raw.error_of(connection.query("SELECT COUNT(*) FROM information_schema.ENGINES")) is None
        server.rules.write_text('trusted_routines = ["firewall.tell"]\n' + rules)
        admin.query("FLUSH TIDB PLUGINS sql_firewall")
        with connect(server, "ruled") as connection:
            assert raw.error_of(connection.query("CALL tell()")) is None
            assert raw.error_of(connection.query("SELECT counts()"))[2].startswith(BLOCKED + '"no-secret"')
        server.rules.write_text('[[deny]]\nname = "x"\nroutines = ["counts"]\n')
        with admin.cursor() as cursor:
            cursor.execute("DROP PROCEDURE tell")
            cursor.execute("DROP FUNCTION counts")
        with pytest.raises(Exception, match=r'"counts" names no schema; write "schema.routine"'):
            admin.query("FLUSH TIDB PLUGINS sql_firewall")


def test_unknown_accounts_can_be_refused_and_one_statement_a_command_demanded(make_firewall):
    server = make_firewall("PROTECTING", 'unknown_accounts = "refuse"\n[[account]]\naccounts = ["tester@*"]\nmode = "OFF"\n')
    with connect(server, "ruled") as connection:
        assert raw.error_of(connection.query("SELECT 1"))[2].startswith(BLOCKED + '"allow-list"')
        assert raw.error_of(connection.command(bytes([raw.COM_PING]), connection.read_one)) is None
    server.rules.write_text('[[deny]]\nname = "one"\nstatements_over = 1\n')
    with server.endpoint.connect(database=None) as admin:
        admin.query("FLUSH TIDB PLUGINS sql_firewall")
    with connect(server, "ruled") as connection:
        assert raw.error_of(connection.query("SELECT 1; SELECT 2"))[2] == BLOCKED + '"one"'
        assert raw.error_of(connection.query("SELECT 1")) is None


def test_weir_firewall_prints_verdict_and_rule_of_each_statement(tmp_path):
    def run(*words, text):
        done = subprocess.run([BIN / "weir-firewall", "test", *words], input=text, capture_output=True, text=True)
        return done.returncode, [tuple(line.split("\t")[:2]) for line in done.stdout.splitlines()], done.stderr

    example = ROOT / "plugin" / "sql_firewall" / "sql_firewall.toml"
    text = "SELECT 1; BEGIN NOT ATOMIC DROP TABLE t; END; EXECUTE IMMEDIATE @x; DELETE FROM ledger WHERE id = 1;"
    assert run(example, text=text) == (1, [("pass", "-"), ("deny", "no-drop"), ("deny", "missing-where ?"),
                                           ("deny", "one-statement ?")], "")  # what ran before is not known
    assert run("-u", "deploy@%", example, text="DROP TABLE t;")[:2] == (0, [("pass", "-")])
    assert run("-l", example, text="SELECT 1; SELECT 2\nSELECT 3\n")[1] == [("deny", "one-statement")] * 2 + [("pass", "-")]
    wrong = tmp_path / "wrong.toml"
    for rules, problem in (('[[deny]]\nname = "x"\nkinds = ["DorpTable"]\n',
                            '3: there is no kind "DorpTable"; did you mean "DropTable"?'),
                           ('[[deny]]\nname = "x"\ncommands = ["Qeury"]\n',
                            '3: there is no command "Qeury"; did you mean "Query"?'),
                           ('[[deny]]\nname = "x"\n', '1: the rule "x" has no condition, and would deny every statement; '
                            'if it shall, write kinds = ["*"]'),
                           ('[[deny]]\nname = "x"\nkind = ["Drop"]\n', '3: a rule has no "kind"'),
                           ('[[deny]]\nname = "x"\nregex = "("\n', '3: "regex": missing closing parenthesis, at byte 1'),
                           ('[[deny]]\nname = "x"\ntables = ["t"]\n',
                            '3: "t" names no schema; write "schema.table" or "*.table"'),
                           ('[[deny]]\nname = "x"\nkinds = ["*"]\n' * 2, '4: there are two rules of the name "x"')):
        wrong.write_text(rules)
        assert run(wrong, text="") == (2, [], f"weir-firewall: {wrong}:{problem}\n")
    wrong.write_text('[[deny]]\nname = "x"\nregex = "drop|TRUNCATE"\n')
    assert run(wrong, text="TRUNCATE t;") == (0, [("pass", "-")], f'weir-firewall: warning: {wrong}:3: "regex" looks for the capital '
                                              "letter T, which no normalised text has; write it in lower case, or begin with (?i)\n")
    assert run("-u", "'a@%", example, text="")[2] == "weir-firewall: -account \"'a@%\" is no account: it has a quote that is not closed\n"
    assert run("-u", "'deploy'@'%'", example, text="DROP TABLE t;")[:2] == (0, [("pass", "-")])


def test_what_protects_nothing_says_so(make_firewall):
    """PROTECTING with neither rules nor lists, and rules that can never match, were silent."""
    text = "sql_firewall_mode is PROTECTING, and nothing is refused"
    server = make_firewall("PROTECTING", "")
    assert text in server.log()
    server.stop()
    server = make_firewall("OFF", '[[deny]]\nname = "x"\nkinds = ["*"]\nlog_only = true\nregex = "drop|TRUNCATE"\n')
    assert ':5: "regex" looks for the capital letter T' in server.log() and text not in server.log()
    with server.endpoint.connect(database=None) as admin:
        admin.query("SET GLOBAL sql_firewall_mode = 'PROTECTING'")
        wait_for(lambda: text in server.log(), "the warning")
        with admin.cursor() as cursor:
            assert cursor.execute("SHOW WARNINGS") == 1
            ((level, number, message),) = cursor.fetchall()
            assert (level, number) == ("Warning", 1105) and message.startswith(text)
            cursor.execute("FLUSH TIDB PLUGINS sql_firewall")
            assert cursor._result.warning_count == 1
            cursor.execute("SELECT @@warning_count")
            assert cursor.fetchall() == ((1,),)
            cursor.execute("FLUSH TIDB PLUGINS sql_firewall")
            cursor.execute("SHOW WARNINGS")
            flushed = cursor.fetchall()[0][2]
            assert flushed.startswith(f"{server.rules}:5: ") and text in flushed
            cursor.execute("SET GLOBAL sql_firewall_mode = 'DETECTING'")
            assert cursor._result.warning_count == 0
        admin.query("SET GLOBAL sql_firewall_mode = 'OFF'")
        server.rules.write_text('[[deny]]\nname = "x"\ncommands = ["Qeury"]\n')
        error = failure(lambda: admin.query("FLUSH TIDB PLUGINS sql_firewall"))
        assert ':3: there is no command "Qeury"; did you mean "Query"?' in error["arguments"][1]
