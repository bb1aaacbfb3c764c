# SPDX-License-Identifier: Apache-2.0
"""The modes of sql_firewall while it runs: of all and of single accounts, what they count, and what of the learned is on the
disk when weir-server is killed, or when the disk cannot be written."""
import random
import shutil
import threading

import pymysql
import pytest
from firewall_common import BLOCKED, RULES, connect, firewall, firewalled, make_firewall  # noqa: F401
from harness import raw
from harness.observe import failure
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

ADMIN = '[[account]]\naccounts = ["tester@*", "root@*"]\nmode = "OFF"\n'


@pytest.fixture
def admin():
    """Runs statements as an account that the firewall lets alone; the rows of the last one."""
    connections = []

    def run(server, *texts):
        connections.append(server.endpoint.connect(database=None))
        with connections[-1].cursor() as cursor:
            for text in texts:
                cursor.execute(text)
            return cursor.fetchall()

    yield run
    for connection in connections:
        connection.close()


def status(admin, server):
    return {name.removeprefix("Sql_firewall_"): int(value)
            for name, value in admin(server, "SHOW STATUS LIKE 'sql_firewall%'")}


def call(admin, server, function, *arguments):
    return admin(server, f"SELECT {function}({', '.join(map(repr, arguments))})")[0][0]


def error_of(connection, text):
    return raw.error_of(connection.query(text))


def test_setting_the_mode_takes_effect_for_sessions_that_are_there(make_firewall, admin):
    server = make_firewall("OFF")
    text = "SELECT * FROM secret"
    with connect(server, "ruled") as connection:
        for mode, refused in (("OFF", False), ("PROTECTING", True), ("DETECTING", False), ("PROTECTING", True),
                              ("RECORDING", False), ("PROTECTING", True), ("OFF", False)):
            admin(server, f"SET GLOBAL sql_firewall_mode = '{mode}'")
            assert bool(error_of(connection, text)) is refused, mode
            assert admin(server, "SELECT @@sql_firewall_mode") == ((mode,),)
    wrong = failure(lambda: admin(server, "SET GLOBAL sql_firewall_mode = 'BLOCKING'"))
    assert wrong["arguments"] == (1231, "Variable 'sql_firewall_mode' can't be set to the value of 'BLOCKING'")
    assert failure(lambda: admin(server, "SET SESSION sql_firewall_mode = 'OFF'"))["arguments"][0] == 1229


def test_status_counts_what_was_granted_denied_and_logged(make_firewall, admin):
    server = make_firewall("RECORDING")
    assert status(admin, server) == dict.fromkeys(
        ["access_granted", "access_denied", "access_suspicious", "cached_entries", "any_database", "learned",
         "unsaved", "rules_refused"], 0)
    with connect(server, "listed") as connection:
        before = status(admin, server)["access_granted"]  # what the login itself asks
        for text in ("SELECT 1", "SELECT 2", "SELECT id FROM target"):
            assert error_of(connection, text) is None
        counted = status(admin, server)
        assert (counted["access_granted"] - before, counted["cached_entries"], counted["learned"]) == (3, 2, 2)
        assert (counted["access_denied"], counted["access_suspicious"], counted["unsaved"]) == (0, 0, 0)
        admin(server, "SET GLOBAL sql_firewall_mode = 'DETECTING'")
        for text in ("SELECT 3", "SELECT name FROM target"):
            assert error_of(connection, text) is None
        admin(server, "SET GLOBAL sql_firewall_mode = 'PROTECTING'")
        for text in ("SELECT 3", "SELECT name FROM target", "SELECT name, id FROM target"):
            assert bool(error_of(connection, text)) is (text != "SELECT 3")
    counted = status(admin, server)
    assert (counted["access_granted"] - before, counted["access_denied"], counted["access_suspicious"]) == (5, 2, 1)
    with connect(server, "ruled") as connection:
        assert error_of(connection, "SELECT 1 FROM secret")
    assert status(admin, server)["access_denied"] == 3


def test_accounts_have_modes_of_their_own(make_firewall, admin):
    """Its own mode counts before the rules', and that before the variable's."""
    server = make_firewall("OFF", RULES + '[[account]]\naccounts = ["ruled@*"]\nmode = "DETECTING"\n')
    with connect(server, "ruled") as ruled, connect(server, "listed") as listed:
        assert call(admin, server, "sql_firewall_mode", "ruled@%") == "DETECTING"
        assert call(admin, server, "sql_firewall_mode", "listed@%") == "OFF"
        assert error_of(ruled, "SELECT * FROM secret") is None
        assert call(admin, server, "sql_firewall_set_mode", "ruled@%", "protecting") == "OK"
        assert error_of(ruled, "SELECT * FROM secret")[2] == BLOCKED + '"secret"'
        assert call(admin, server, "sql_firewall_set_mode", "listed@%", "RECORDING") == "OK"
        for text in ("SELECT 1", "SELECT id FROM target"):
            assert error_of(listed, text) is None
        assert call(admin, server, "sql_firewall_statements", "listed@%") == "2"
        call(admin, server, "sql_firewall_set_mode", "listed@%", "PROTECTING")
        assert error_of(listed, "SELECT 5") is None
        assert error_of(listed, "SELECT name FROM target")[2].startswith(BLOCKED + '"allow-list"')
        digest = next(line.split()[1] for line in server.allow_list.read_text().splitlines() if "target" in line)
        assert call(admin, server, "sql_firewall_forget", "listed@%", digest) == "OK"
        assert error_of(listed, "SELECT id FROM target") and error_of(listed, "SELECT 7") is None
    server.stop()
    server = make_firewall("OFF", server.rules.read_text(), folder=server.work)
    with connect(server, "ruled") as ruled, connect(server, "listed") as listed:  # modes survive
        assert error_of(ruled, "SELECT * FROM secret") and error_of(listed, "SELECT name FROM target")
        call(admin, server, "sql_firewall_set_mode", "ruled@%", "DEFAULT")
        assert call(admin, server, "sql_firewall_mode", "ruled@%") == "DETECTING"
        assert error_of(ruled, "SELECT * FROM secret") is None
        call(admin, server, "sql_firewall_set_mode", "listed@%", "RESET")
        assert call(admin, server, "sql_firewall_mode", "listed@%") == "OFF"
        assert call(admin, server, "sql_firewall_statements", "listed@%") == "0"
        assert error_of(listed, "SELECT name FROM target") is None
        call(admin, server, "sql_firewall_set_mode", "listed@%", "DEFAULT")
        assert call(admin, server, "sql_firewall_statements", "listed@%") is None
    assert "listed" not in server.allow_list.read_text()


def test_functions_say_what_is_wrong_and_are_for_administrators(make_firewall, admin, firewalled):
    server = make_firewall("OFF")
    for function, arguments, words in (
            ("set_mode", ("app@%", "ON"), '"ON" is no mode; it is OFF, RECORDING, DETECTING, PROTECTING, DEFAULT or RESET'),
            ("set_mode", ("a\nb@%", "OFF"), "is no account: it has a control character in it"),
            ("set_mode", ("'a@%", "OFF"), "\"'a@%\" is no account: it has a quote that is not closed"),
            ("mode", ("a b",), "has a space or a quote in a name without quotes; write 'user'@'host'"),
            ("statements", ("%",), "user names have no wildcards"),
            ("forget", ("app@%", "12"), "a digest has 64 lower-case hex digits"),
            ("forget", ("app@%", "0" * 64), "app@% has no statement of that digest on its list")):
        error = failure(lambda: call(admin, server, "sql_firewall_" + function, *arguments))
        assert words in error["arguments"][1], error
    assert "NULL" in failure(lambda: admin(server, "SELECT sql_firewall_mode(NULL)"))["arguments"][1]
    with server.endpoint.connect(user="plain", password="plain-secret", database=None) as connection:
        error = failure(lambda: connection.cursor().execute("SELECT sql_firewall_set_mode('plain@%', 'OFF')"))
        assert error["arguments"][0] == 1227
    assert call(admin, server, "sql_firewall_flush") == "OK"


@pytest.mark.parametrize("name", ["'ruled'@'%'", '"ruled"@"%"', "`ruled`", "ruled"])
def test_accounts_are_read_as_the_server_does(make_firewall, admin, name):
    """In quotes, or without a host, an account was stored as it stood: OK, and nobody was protected."""
    server = make_firewall("OFF", f'[[deny]]\nname = "secret"\ntables = ["*.secret"]\naccounts = [\'\'\'{name}\'\'\']\n' + ADMIN)
    with connect(server, "ruled") as ruled:
        assert error_of(ruled, "SELECT * FROM secret") is None
        for mode, refused in (("PROTECTING", True), ("OFF", False)):
            assert call(admin, server, "sql_firewall_set_mode", name, mode) == "OK"
            assert call(admin, server, "sql_firewall_mode", "ruled@%") == mode
            assert bool(error_of(ruled, "SELECT * FROM secret")) is refused
        server.allow_list.write_text(f"account {name}\nmode PROTECTING\n")
        admin(server, "FLUSH TIDB PLUGINS sql_firewall")
        assert error_of(ruled, "SELECT * FROM secret")[2] == BLOCKED + '"secret"'


def test_a_damaged_file_changes_nothing_and_is_named_by_line(make_firewall, admin):
    server = make_firewall("PROTECTING", RULES + ADMIN)
    call(admin, server, "sql_firewall_set_mode", "listed@%", "PROTECTING")
    fine = server.allow_list.read_text()

    def flush_error():
        return failure(lambda: admin(server, "FLUSH TIDB PLUGINS sql_firewall"))["arguments"][1]

    with connect(server, "ruled") as ruled, connect(server, "listed") as listed:
        for damaged in ("account listed@%\ndigest 0123 select\n", "account listed@%\nmode MAYBE\n# end\n"):
            server.allow_list.write_text(damaged)
            assert f"{server.allow_list}:2: the line has " in flush_error()
            assert error_of(listed, "SELECT 1")[2].startswith(BLOCKED + '"allow-list"')
        server.rules.write_text(RULES + '[[deny]]\nname = "x"\nregex = "("\n')
        assert f"{server.allow_list}:2: the line has " in flush_error()  # of two mistakes the first
        server.allow_list.write_text(fine)
        assert f'{server.rules}:{RULES.count(chr(10)) + 3}: "regex": missing' in flush_error()
        assert error_of(ruled, "SELECT * FROM secret")[2] == BLOCKED + '"secret"'
        server.rules.write_text(ADMIN)
        server.allow_list.unlink()
        admin(server, "FLUSH TIDB PLUGINS sql_firewall")
        assert error_of(ruled, "SELECT * FROM secret") is None and error_of(listed, "SELECT 1") is None


def test_what_was_recorded_before_a_kill_is_on_the_list(make_firewall, random_seed=20261121):
    """A statement whose result has reached its client while it was recorded is in the file, whenever weir-server is killed."""
    moments = random.Random(random_seed)
    folder, number, known = None, 0, 0
    for _ in range(12):
        server = make_firewall("RECORDING", ADMIN, folder=folder)
        folder = server.work
        stop, answered, lock = threading.Event(), [], threading.Lock()

        def work(first, server=server, stop=stop, answered=answered, lock=lock):
            try:
                with connect(server, "listed") as connection:
                    for n in range(first, first + 1000):
                        if stop.is_set() or error_of(connection, f"SELECT 1 AS c{n}"):
                            return
                        with lock:
                            answered.append(n)
            except (OSError, raw.Closed, pymysql.err.Error):
                pass  # it was killed

        threads = [threading.Thread(target=work, args=(number + 1000 * n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        wanted = moments.randrange(5, 120)
        wait_for(lambda wanted=wanted, answered=answered: len(answered) >= wanted, "statements to be answered")
        server.process.kill()
        stop.set()
        for thread in threads:
            thread.join()
        number += 4000
        text = server.allow_list.read_text()
        missing = [n for n in answered if f" select ? as `c{n}`\n" not in text]
        assert not missing and len(answered) >= wanted
        known += len(answered)
    server = make_firewall("PROTECTING", ADMIN, folder=folder)
    with connect(server, "listed") as connection:
        assert error_of(connection, f"SELECT 5 AS c{answered[0]}") is None
        assert error_of(connection, "SELECT 5 AS other")
    with server.endpoint.connect(database=None) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT sql_firewall_statements('listed@%')")
        assert int(cursor.fetchone()[0]) >= known


def test_a_folder_that_cannot_be_written_holds_nobody_up(make_firewall, admin, tmp_path):
    rules = ADMIN
    folder = tmp_path / "work"
    folder.mkdir()
    server = make_firewall("RECORDING", rules, folder=folder)
    shutil.rmtree(folder)
    with connect(server, "listed") as connection:
        for n in range(3):
            assert error_of(connection, f"SELECT 1 AS c{n}") is None
        assert status(admin, server)["unsaved"] == 3
        server.process.wait_log("what was learned is not saved: ")
        error = failure(lambda: call(admin, server, "sql_firewall_set_mode", "listed@%", "PROTECTING"))
        assert f"{folder}/allow: No such file or directory" in error["arguments"][1]
        folder.mkdir()
        wait_for(lambda: status(admin, server)["unsaved"] == 0, "what was learned to be saved")
        server.process.wait_log("what was learned is saved again: ")
        assert server.allow_list.read_text().count("digest ") == 3
