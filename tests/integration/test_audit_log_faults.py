# SPDX-License-Identifier: Apache-2.0
"""audit_log when things go wrong: kill -9, a full disk, a disk with errors, a folder that is gone.

AUDIT_KILLS says how often the server is killed (default 5; the fault test of a release takes 200)."""
import os
import random
import signal
import subprocess
import threading
import time

import pymysql
import pytest
from audit_log_common import statements, weir_audit
from audit_log_disk import Disk
from harness.observe import failure
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

KILLS = int(os.environ.get("AUDIT_KILLS", "5"))


def lets_in(endpoint):
    try:
        endpoint.connect().close()
        return True
    except pymysql.err.Error:
        return False


FAILED = (1105, 'plugin audit_log failed, and its on_failure is "refuse"; the server\'s log says more')


class Load:
    """Clients that write down what they were told was done."""

    def __init__(self, endpoint, clients=4):
        self.acknowledged, self.stopped = [], threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(endpoint, i)) for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def _run(self, endpoint, client):
        number = 0
        while not self.stopped.is_set():
            try:
                with endpoint.connect(connect_timeout=5, read_timeout=10) as connection, connection.cursor() as cursor:
                    while not self.stopped.is_set():
                        sql = f"SELECT '{id(self)}-{client}-{number}'"
                        number += 1
                        cursor.execute(sql)
                        self.acknowledged.append(sql)
            except (pymysql.err.Error, OSError):
                time.sleep(0.005)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(20)


def kill_under_load(server, chance):
    """Kills the server at a random moment. Returns the statements that clients were told were done."""
    load = Load(server.endpoint)
    wait_for(lambda: len(load.acknowledged) > 20, "some statements")
    time.sleep(chance.random() * 0.3)  # the random moment
    server.server.process.signal(signal.SIGKILL)
    server.server.process.wait()
    load.stop()
    return load.acknowledged


def assert_all_are_written(server, acknowledged):
    """The log is whole, and has every statement whose end a client has read."""
    files = [*server.rotated(), server.path]
    assert "chained and intact" in weir_audit("verify", *files).stdout
    written = {r["sql"] for path in files for r in statements(server.records(path))}
    missing = [sql for sql in acknowledged if sql not in written]
    assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged statements are missing: {missing[:3]}"


@pytest.mark.time_limit(60 + 6 * KILLS)
def test_kill_9_loses_no_acknowledged_statement(audited):
    server = audited(strategy="SYNCHRONOUS", chain=True, rotate_on_size=300000)
    chance = random.Random(4711)
    acknowledged = []
    for _ in range(KILLS):
        acknowledged += kill_under_load(server, chance)
        server.server.start()
    server.server.stop()
    assert_all_are_written(server, acknowledged)
    starts = [r for path in [*server.rotated(), server.path] for r in server.records(path) if r["event"] == "Start"]
    assert len(starts) == KILLS + 1


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    with open(folder / "filler", "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass


def test_a_full_disk_refuses_what_cannot_be_recorded(audited, small_disk):
    server = audited(file=str(small_disk / "audit.log"), strategy="SYNCHRONOUS", chain=True)
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'before'")
        fill(small_disk)
        error = failure(lambda: [cursor.execute(f"SELECT '{i:1000}'") for i in range(300)])
        assert error["arguments"] == FAILED
    refused = failure(lambda: server.endpoint.connect())
    assert "audit_log" in refused["arguments"][1]
    assert "No space left on device" in server.server.log()
    (small_disk / "filler").unlink()
    wait_for(lambda: lets_in(server.endpoint), "a connection that is let in")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'after'")
    gap = server.wait_for(lambda r: r["event"] == "Gap", "the gap")
    assert gap["reason"] == "the log could not be written"
    server.server.stop()
    assert "chained and intact" in weir_audit("verify", server.path).stdout


def test_a_full_disk_with_allow_counts_what_is_lost(audited, small_disk):
    server = audited(file=str(small_disk / "audit.log"), on_failure="allow", buffer_size="16K")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'before'")
        server.wait_for(lambda r: r.get("sql") == "SELECT 'before'")
        fill(small_disk)
        for i in range(300):
            cursor.execute(f"SELECT '{i:1000}'")
        wait_for(lambda: "statements run unaudited" in server.server.log(), "the announcement")
        (small_disk / "filler").unlink()
        gap = server.wait_for(lambda r: r["event"] == "Gap" and r["lost"] > 0, "the gap")
    server.server.stop()
    written = [r for r in statements(server.records()) if len(r["sql"]) > 900]
    lost = sum(r["lost"] for r in server.records() if r["event"] == "Gap")
    assert gap["since"] < gap["until"] and len(written) + lost >= 300
    weir_audit("verify", server.path)


def test_a_folder_that_is_gone_and_comes_back(audited, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    server = audited(file=str(folder / "audit.log"), strategy="SYNCHRONOUS")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        server.path.unlink()
        folder.rmdir()
        lost = failure(lambda: cursor.execute("SELECT 2"))["arguments"]
    assert lost == failure(lambda: server.endpoint.connect())["arguments"] == FAILED
    assert "No such file or directory" in server.server.log()
    folder.mkdir()
    wait_for(lambda: lets_in(server.endpoint), "a connection that is let in")
    server.wait_for(lambda r: r["event"] == "Gap", "the gap")


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path)


@pytest.mark.parametrize("fault, words", [
    ("fdatasync EIO", "Input/output error"), ("write EIO", "Input/output error"), ("write EROFS", "Read-only file system"),
    ("write ENOSPC", "No space left on device")])
def test_a_disk_that_does_not_take_what_it_was_given(audited, disk, fault, words):
    server = audited(environment=disk.environment, strategy="SYNCHRONOUS", chain=True)
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'before'")
        disk.set(fault)
        assert failure(lambda: cursor.execute("SELECT 'not acknowledged'"))
        assert "audit_log" in failure(lambda: server.endpoint.connect())["arguments"][1]
        disk.set()
    wait_for(lambda: lets_in(server.endpoint), "a connection that is let in")
    server.server.stop()
    texts = [r["sql"] for r in statements(server.records())]
    assert texts.count("SELECT 'not acknowledged'") == 1  # it has run; written once, when that was possible
    assert words in server.server.log()
    assert "chained and intact" in weir_audit("verify", server.path).stdout


def test_writes_that_take_only_a_part_are_gone_on_with(audited, disk):
    server = audited(environment=disk.environment, strategy="SYNCHRONOUS", chain=True)
    disk.set("write SHORT")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        for i in range(20):
            cursor.execute(f"SELECT 'short {i}'")
    server.server.stop()
    assert [r["sql"] for r in statements(server.records()) if "short" in r["sql"]] == [f"SELECT 'short {i}'" for i in range(20)]
    weir_audit("verify", server.path)


def test_a_slow_disk_holds_results_back_and_nothing_else(audited, disk, database):
    """While fsync does not return, a client has no result, but its statement has run; new connections are greeted, and what
    needs no record goes on."""
    server = audited(environment=disk.environment, strategy="SYNCHRONOUS")
    database.execute("CREATE OR REPLACE TABLE weir_case.slow (a INT)")
    first, second = server.endpoint.connect(autocommit=True), server.endpoint.connect(autocommit=True)
    try:
        disk.set("fdatasync WAIT")
        done = []
        threads = [threading.Thread(target=lambda c=c, i=i: (c.query(f"INSERT INTO slow VALUES ({i})"), done.append(i)))
                   for i, c in enumerate((first, second))]
        for thread in threads:
            thread.start()
        disk.wait_until_something_waits()
        wait_for(lambda: database.execute("SELECT COUNT(*) FROM weir_case.slow")[0][0] == 2, "both statements to have run")
        for _ in range(20):
            assert server.server.greeting()[4:5] == b"\x0a"
        assert done == []
        disk.set()
        for thread in threads:
            thread.join(20)
        assert sorted(done) == [0, 1]
    finally:
        disk.set()
        first.close()
        second.close()


def test_a_disk_that_hangs_delays_nobody_without_synchronous(audited, disk):
    server = audited(environment=disk.environment, strategy="ASYNCHRONOUS")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        disk.set("write WAIT")
        cursor.execute("SELECT 'the first'")
        disk.wait_until_something_waits()
        for i in range(300):
            cursor.execute(f"SELECT 'async {i}'")
        disk.set()
    server.server.stop()
    assert len([r for r in statements(server.records()) if "async" in r["sql"]]) == 300


def test_a_folder_that_can_only_be_read(audited, small_disk):
    """At the start: with `refuse` the server does not begin, with `allow` it does, and says what is missing."""
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(AssertionError, match="Read-only file system"):
        audited(file=str(small_disk / "audit.log"))
    server = audited(file=str(small_disk / "audit.log"), on_failure="allow")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'unrecorded, or late'")
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    gap = server.wait_for(lambda r: r["event"] == "Gap", "the gap")
    assert gap["reason"] == "the log could not be written"


POWER_FAILURES = max(3, KILLS // 4)


@pytest.mark.time_limit(60 + 8 * POWER_FAILURES)
def test_a_power_failure_loses_no_acknowledged_statement(audited, disk):
    """As after kill -9, but of the files only what was brought to the disk is still there, with a torn end."""
    server = audited(environment=disk.environment, strategy="SYNCHRONOUS", chain=True, rotate_on_size=200000)
    chance = random.Random(1147)
    acknowledged = []
    for _ in range(POWER_FAILURES):
        acknowledged += kill_under_load(server, chance)
        disk.lose_power(server.path.parent, chance)
        server.server.start()
    server.server.stop()
    assert_all_are_written(server, acknowledged)


LET_IN = "the emergency account tester@% from 127.0.0.1 is let in"


def wait_until_the_writer_knows(server):
    """Until it has met the full disk: from then on a login of the emergency account is an exception."""
    def is_let_in():
        server.endpoint.connect().close()
        return LET_IN in server.server.log()

    wait_for(is_let_in, "the emergency account to be needed")


def test_an_emergency_account_is_let_in_by_a_full_disk_and_recorded(audited, small_disk):
    server = audited(file=str(small_disk / "audit.log"), chain=True, emergency_account="'tester'@'%'")
    fill(small_disk)
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        for i in range(120):  # soon the disk is full; nothing is refused
            cursor.execute(f"SELECT 'emergency {i}', '{'x' * 300}'")
        cursor.execute("SELECT 'last words'")
    wait_until_the_writer_knows(server)
    assert failure(lambda: server.endpoint.connect(user="limited", password="limited-secret"))["arguments"] == FAILED
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'a second login'")
    (small_disk / "filler").unlink()
    server.wait_for(lambda r: "a second login" in r.get("sql", ""))
    server.server.stop()
    written = [r.get("sql", "") for r in server.records()]
    assert all(any(f"'emergency {i}'" in sql for sql in written) for i in range(120)) and any("last words" in sql for sql in written)
    assert "chained and intact" in weir_audit("verify", server.path).stdout


def test_what_an_emergency_account_did_is_lost_by_a_kill_and_its_logins_are_not(audited, small_disk):
    """Its records wait in memory: a kill takes them, as the page says. What is left is intact, and weir's own log has who was let in."""
    server = audited(file=str(small_disk / "audit.log"), chain=True, emergency_account="'tester'@'%'")
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'on the disk'")
        server.wait_for(lambda r: "on the disk" in r.get("sql", ""))
        fill(small_disk)
        for i in range(120):
            cursor.execute(f"SELECT 'in memory {i}', '{'x' * 300}'")
    wait_until_the_writer_knows(server)
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'last words'")
    server.server.process.signal(signal.SIGKILL)
    server.server.process.wait()
    assert LET_IN in server.server.log()
    (small_disk / "filler").unlink()
    server.server.start()
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'after the kill'")
    server.server.stop()
    records = server.records()
    written = " ".join(r.get("sql", "") for r in records)
    assert "on the disk" in written and "after the kill" in written and "last words" not in written
    assert [r["seq"] for r in records] == list(range(1, len(records) + 1)) and sum(r["event"] == "Start" for r in records) == 2
    assert "chained and intact" in weir_audit("verify", server.path).stdout


def test_an_emergency_account_is_refused_when_memory_for_its_records_is_used_up(audited, small_disk):
    server = audited(file=str(small_disk / "audit.log"), emergency_account="tester@%", buffer_size="64K")
    fill(small_disk)
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        done = 0
        with pytest.raises(pymysql.err.Error) as refused:
            while done < 100000:
                cursor.execute(f"SELECT 'emergency {done}', '{'x' * 300}'")
                done += 1
        assert refused.value.args[0] == FAILED[0] and done > 100
    (small_disk / "filler").unlink()
    wait_for(lambda: lets_in(server.endpoint), "a client that is let in")
    server.server.stop()
    written = [r.get("sql", "") for r in server.records()]
    assert sum("SELECT 'emergency" in sql for sql in written) >= done  # the one that was refused may be there, too


def test_an_emergency_account_is_the_one_that_the_backend_has_found(audited, small_disk):
    server = audited(file=str(small_disk / "audit.log"), emergency_account="tester@nowhere")
    fill(small_disk)
    with server.endpoint.connect() as connection, connection.cursor() as cursor, pytest.raises(pymysql.err.Error):
        for _ in range(5000):
            cursor.execute(f"SELECT '{'x' * 300}'")
    assert not lets_in(server.endpoint)
    (small_disk / "filler").unlink()
    wait_for(lambda: lets_in(server.endpoint), "a client that is let in")


def test_an_emergency_account_that_is_none_is_refused(audited):
    server = audited()
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        for wrong in ("'dba@%", "dba@localhost, a b@%"):
            with pytest.raises(pymysql.err.Error) as refused:
                cursor.execute("SET GLOBAL audit_log_emergency_account = %s", (wrong,))
            assert "is no account, it " in refused.value.args[1]
        cursor.execute("SET GLOBAL audit_log_emergency_account = \"'dba'@'10.0.0.%', root@localhost\"")
        cursor.execute("SET GLOBAL audit_log_emergency_account = ''")
