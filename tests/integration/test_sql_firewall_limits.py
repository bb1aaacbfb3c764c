# SPDX-License-Identifier: Apache-2.0
"""Limits of sql_firewall's rules (rates, sessions, messages), what drivers send, allowing what was refused, and getting back in."""
import re
import signal
import struct
import subprocess

import pymysql
import pytest
from firewall_common import BLOCKED, connect, firewall, firewalled, make_firewall  # noqa: F401
from harness import raw
from harness.observe import failure
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

ADMIN = '[[account]]\naccounts = ["tester@*", "root@*"]\nmode = "OFF"\n'


def rule(*lines, name="r"):
    return ADMIN + f'[[deny]]\nname = "{name}"\naccounts = ["ruled", "listed"]\n' + "\n".join(lines) + "\n"


def error_of(connection, text):
    return raw.error_of(connection.query(text))


def ask(server, text):
    with server.endpoint.connect(database=None) as admin, admin.cursor() as cursor:
        cursor.execute(text)
        rows = cursor.fetchall()
        return rows[0][0] if rows else None


def flush(server, rules):
    server.rules.write_text(rules)
    ask(server, "FLUSH TIDB PLUGINS sql_firewall")


def refused_digest(server, text):
    """The digest of the last refused statement that has the text, as the log names it."""
    (line,) = [line for line in server.log().splitlines() if "refused by" in line and line.endswith("statement=" + text)][-1:]
    return re.search(r"digest=([0-9a-f]{64})", line)[1]


def test_a_rate_lets_a_burst_through_and_refuses_what_comes_faster(make_firewall):
    server = make_firewall("PROTECTING", rule('kinds = ["Select"]', "rate = 1", "burst = 3", 'message = "not so fast"'))
    with connect(server, "ruled") as ruled, connect(server, "listed") as listed:
        answers = [error_of(ruled, f"SELECT {n}") for n in range(60)]
        assert answers[:3] == [None] * 3 and answers.count(None) < 20
        assert {answer[2] for answer in answers if answer} == {"not so fast"}
        assert error_of(ruled, "DO 1") is None
        assert error_of(listed, "SELECT 1") is None  # it has a bucket of its own
        wait_for(lambda: error_of(ruled, "SELECT 1") is None, "the bucket to be filled again")
        flush(server, rule('kinds = ["Select"]', "rate = 1", 'per = ["account", "digest"]'))
        answers = [error_of(ruled, text) for text in ("SELECT 1", "SELECT 2", "SELECT id FROM target")]
        assert [answer and answer[2] for answer in answers] == [None, BLOCKED + '"r"', None]
    assert 'refused by rule "r": account=ruled@%' in server.log()


def test_an_account_may_have_so_many_sessions(make_firewall):
    server = make_firewall("PROTECTING", rule("sessions_over = 2", 'message = "two are enough"'))
    sessions = [connect(server, "ruled").__enter__() for _ in range(4)]
    with connect(server, "listed") as other, connect(server, "tabled") as third:
        assert [error_of(session, "SELECT 1") is None for session in sessions] == [True, True, False, False]
        assert error_of(sessions[3], "SELECT 1")[2] == "two are enough"
        assert error_of(other, "SELECT 1") is None and error_of(third, "SELECT 1") is None
        sessions[0].close()
        sessions[1].close()
        wait_for(lambda: all(error_of(session, "SELECT 1") is None for session in sessions[2:]), "the places to be free")
        other.change_user("ruled", "ruled")  # and now there are three
        assert error_of(other, "SELECT 1")[2] == "two are enough"
        assert error_of(sessions[2], "SELECT 1") is None
    for session in sessions[2:]:
        session.close()


def test_what_drivers_send_is_allowed_by_one_switch(make_firewall):
    server = make_firewall("OFF", ADMIN)
    noise = ["BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK", "SET NAMES utf8mb4", "SHOW WARNINGS", "SELECT 1",
             "SELECT @@version_comment LIMIT 1", "SET autocommit = 1"]
    others = ["SELECT 1 FROM target", "SET sql_mode = ''", "SET NAMES utf8mb4, @a = 1", "EXECUTE IMMEDIATE 'SELECT 1'"]
    ask(server, "SELECT sql_firewall_set_mode('listed', 'PROTECTING')")
    with connect(server, "listed") as connection:
        assert all(error_of(connection, text) for text in noise + others)
        ask(server, "SET GLOBAL sql_firewall_allow_driver_statements = ON")
        assert [text for text in noise if error_of(connection, text)] == []
        assert [text for text in others if not error_of(connection, text)] == []
        ask(server, "SELECT sql_firewall_set_mode('listed', 'RECORDING')")
        assert error_of(connection, "SELECT 1") is None and error_of(connection, "SELECT id FROM target") is None
        assert ask(server, "SELECT sql_firewall_statements('listed')") == "1"  # noise need not be learned
        ask(server, "SET GLOBAL sql_firewall_allow_driver_statements = OFF")


def test_what_was_refused_can_be_allowed_by_its_digest(make_firewall):
    server = make_firewall("OFF", ADMIN)
    ask(server, "SELECT sql_firewall_set_mode('listed', 'PROTECTING')")
    with connect(server, "listed") as connection:
        for text in ("SELECT id FROM target", "EXECUTE IMMEDIATE 'SELECT name FROM target'"):
            assert error_of(connection, text)
        digest = refused_digest(server, "select `id` from target")
        assert ask(server, f"SELECT sql_firewall_allow('''listed''@''%''', '{digest}')") == "OK"
        assert error_of(connection, "SELECT id FROM target") is None
        connection.command(bytes([raw.COM_INIT_DB]) + b"mysql", connection.read_one)
        inner = refused_digest(server, "execute `immediate` ?")
        assert ask(server, f"SELECT sql_firewall_allow('listed', '{inner}', 'firewall')") == "OK"
        assert error_of(connection, "EXECUTE IMMEDIATE 'SELECT name FROM target'") is None
        assert error_of(connection, "EXECUTE IMMEDIATE 'SELECT id, name FROM target'")
        assert digest in server.allow_list.read_text() and "database firewall" in server.allow_list.read_text()
    unseen = "0123456789abcdef" * 4
    for arguments, problem in ((f"'listed', '{unseen}'", "no statement of that digest of listed@% is known to have been refused; name"),
                               (f"'tabled', '{unseen}', 'firewall'", "tabled@% has no allow-list"),
                               ("'listed', '12'", "a digest has 64 lower-case hex digits")):
        error = failure(lambda arguments=arguments: ask(server, f"SELECT sql_firewall_allow({arguments})"))
        assert problem in error["arguments"][1], error
    assert ask(server, f"SELECT sql_firewall_allow('listed', '{unseen}', 'firewall')") == "OK"
    assert f"digest {unseen} (allowed by sql_firewall_allow())" in server.allow_list.read_text()
    server.stop()
    server = make_firewall("OFF", ADMIN, folder=server.work)
    with connect(server, "listed") as connection:
        assert error_of(connection, "SELECT id FROM target") is None


def test_an_administrator_who_is_locked_out_gets_back_by_the_files_and_a_signal(make_firewall):
    server = make_firewall("OFF", "")
    ask(server, "SELECT sql_firewall_set_mode('tester', 'PROTECTING')")
    assert failure(lambda: ask(server, "SELECT sql_firewall_set_mode('tester', 'OFF')"))["arguments"][1].startswith(BLOCKED)
    assert failure(lambda: ask(server, "FLUSH TIDB PLUGINS sql_firewall"))["arguments"][1].startswith(BLOCKED)
    text = server.allow_list.read_text()
    assert "account tester@%\nmode PROTECTING" in text
    server.allow_list.write_text(text.replace("mode PROTECTING", "mode OFF"))
    subprocess.run(["kill", f"-{signal.SIGHUP.value}", str(server.process.pid)], check=True)

    def is_in():
        try:
            return ask(server, "SELECT sql_firewall_mode('tester')") == "OFF"
        except Exception:  # noqa: BLE001 - it is refused
            return False

    wait_for(is_in, "the administrator to get in")


def rows_of(server, text, values=None, account="ruled"):
    """The rows that a client has read when the statement ends, and the error that ends it."""
    with server.endpoint.connect(user=account, password=account, database="firewall",
                                 cursorclass=pymysql.cursors.SSCursor) as connection:
        cursor, rows = connection.cursor(), []
        try:
            cursor.execute(text, values)
            for row in cursor:
                rows.append(row)
            return rows, None
        except pymysql.err.Error as error:
            return rows, error.args
        finally:
            connection._force_close()  # pylint: disable=protected-access


def test_a_reply_ends_at_the_row_beyond_its_limit(make_firewall):
    server = make_firewall("PROTECTING", rule('kinds = ["Select"]', "rows_over = 2", 'message = "two rows are enough"'))
    assert rows_of(server, "SELECT id FROM target ORDER BY id") == ([(1,), (2,)], (1045, "two rows are enough"))
    assert rows_of(server, "SELECT id FROM target WHERE id < 3 ORDER BY id") == ([(1,), (2,)], None)
    assert rows_of(server, "SHOW COLUMNS FROM target")[1] is None  # another kind
    assert rows_of(server, "SELECT seq FROM seq_1_to_100000") == ([(1,), (2,)], (1045, "two rows are enough"))
    assert len(rows_of(server, "SELECT seq FROM seq_1_to_100000", account="tabled")[0]) == 100000
    with connect(server, "ruled") as connection:  # rows of the binary protocol, and of a text in a text
        statement, _ = connection.prepare("SELECT id FROM target ORDER BY id")
        packets = connection.command(bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<IBI", statement, 0, 1))
        assert packets[-1][1][:1] == b"\xff" and packets[-1][1].endswith(b"two rows are enough")
        assert [packet[:1] for _, packet in packets[-3:-1]] == [b"\0"] * 2
        with pytest.raises((raw.Closed, OSError)):
            connection.query("SELECT 1")
    assert rows_of(server, "EXECUTE IMMEDIATE 'SELECT id FROM target ORDER BY id'") == ([(1,), (2,)], (1045, "two rows are enough"))
    flush(server, rule("bytes_over = 20000"))
    rows, error = rows_of(server, "SELECT REPEAT('x', 1000) FROM seq_1_to_1000")
    assert 10 < len(rows) < 20 and error == (1045, 'Statement ended by sql_firewall: rule "r"')
    assert rows_of(server, "SELECT REPEAT('x', 10000)")[1] is None
    flush(server, rule("seconds_over = 1"))
    rows, error = rows_of(server, "SELECT SLEEP(100)")
    assert (rows, error) == ([], (1045, 'Statement ended by sql_firewall: rule "r"'))
    wait_for(lambda: ask(server, "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(100)%'") == 0,
             "the backend to give the statement up")
    assert rows_of(server, "SELECT 1") == ([(1,)], None)
    flush(server, rule("rows_over = 1").replace("[[account]]", '[[account]]\naccounts = ["ruled"]\nmode = "DETECTING"\n[[account]]', 1))
    assert len(rows_of(server, "SELECT id FROM target")[0]) == 3  # nothing is refused there


COMPUTES = "SELECT /* computes */ BENCHMARK(1000000000000, 1 + 1)"


def computing(database):
    return database.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT /* computes */%'")[0][0]


def test_what_computes_too_long_is_ended_at_the_server_by_the_gateways_account(make_firewall, firewalled):
    """The server notices nothing by itself: it has nothing to send, and waits for nobody."""
    firewalled.execute("CREATE OR REPLACE USER gate@'%' IDENTIFIED BY 'gate-secret'", "GRANT CONNECTION ADMIN ON *.* TO gate@'%'")
    server = make_firewall("PROTECTING", rule("seconds_over = 1"), options=["-backend-check-user", "gate"],
                           environment={"WEIR_BACKEND_CHECK_PASSWORD": "gate-secret"})
    assert rows_of(server, COMPUTES) == ([], (1045, 'Statement ended by sql_firewall: rule "r"'))
    wait_for(lambda: computing(firewalled) == 0, "the server to have given it up")
    assert rows_of(server, "SELECT 1") == ([(1,)], None)


def test_without_such_an_account_the_log_says_that_it_may_go_on(make_firewall, firewalled):
    server = make_firewall("PROTECTING", rule("seconds_over = 1"))
    assert rows_of(server, COMPUTES)[1] == (1045, 'Statement ended by sql_firewall: rule "r"')
    wait_for(lambda: "may go on at the backend: the gateway has no account at the backend" in server.log(), "the log to say so")
    for (number,) in firewalled.execute("SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT /* computes */%'"):
        firewalled.execute(f"KILL {number}")
