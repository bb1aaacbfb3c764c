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
from audit_log_common import AuditedGateway, statements, weir_audit
from harness.observe import failure
from harness.paths import WEIR_SERVER
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

KILLS = int(os.environ.get("AUDIT_KILLS", "5"))


@pytest.fixture
def audited(gateway, database, tmp_path):
    def make(environment=None, **settings):
        return AuditedGateway(gateway, f"tcp://{database.host}:{database.port}", tmp_path / "audit", settings=settings,
                              environment=environment)
    return make


def lets_in(endpoint):
    try:
        endpoint.connect().close()
        return True
    except pymysql.err.Error:
        return False


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


@pytest.mark.time_limit(60 + 6 * KILLS)
def test_kill_9_loses_no_acknowledged_statement(audited):
    server = audited(strategy="SYNCHRONOUS", chain=True, rotate_on_size=300000)
    chance = random.Random(4711)
    acknowledged = []
    for _ in range(KILLS):
        load = Load(server.endpoint)
        wait_for(lambda load=load: len(load.acknowledged) > 20, "some statements")
        time.sleep(chance.random() * 0.3)  # the random moment
        server.server.process.signal(signal.SIGKILL)
        server.server.process.wait()
        load.stop()
        acknowledged += load.acknowledged
        server.server.start()
    server.server.stop()
    files = [*server.rotated(), server.path]
    report = weir_audit("verify", *files).stdout
    assert "chained and intact" in report
    written = {r["sql"] for path in files for r in statements(server.records(path))}
    missing = [sql for sql in acknowledged if sql not in written]
    assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged statements are missing: {missing[:3]}"
    starts = [r for path in files for r in server.records(path) if r["event"] == "Start"]
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
        assert "a plugin" in error["arguments"][1] or "audit_log" in error["arguments"][1]
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
        failure(lambda: cursor.execute("SELECT 2"))
    assert "No such file or directory" in failure(lambda: server.endpoint.connect())["arguments"][1] or \
        "No such file or directory" in server.server.log()
    folder.mkdir()
    wait_for(lambda: lets_in(server.endpoint), "a connection that is let in")
    server.wait_for(lambda r: r["event"] == "Gap", "the gap")


EIO = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
int fdatasync(int fd)
{
    if (access(getenv("EIO_SWITCH"), F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
"""


def test_a_disk_that_does_not_take_what_it_was_given(audited, tmp_path):
    if b"__asan_init" in WEIR_SERVER.read_bytes():
        pytest.skip("AddressSanitizer wants to be the only library that is preloaded")
    source, library, switch = tmp_path / "eio.c", tmp_path / "eio.so", tmp_path / "switch"
    source.write_text(EIO)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    server = audited(environment={"LD_PRELOAD": str(library), "EIO_SWITCH": str(switch)}, strategy="SYNCHRONOUS", chain=True)
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'before'")
        switch.touch()
        assert failure(lambda: cursor.execute("SELECT 'not acknowledged'"))
        switch.unlink()
    wait_for(lambda: lets_in(server.endpoint), "a connection that is let in")
    server.server.stop()
    texts = [r["sql"] for r in statements(server.records())]
    assert texts.count("SELECT 'not acknowledged'") == 1  # it has run; written once, when that was possible
    assert "Input/output error" in server.server.log()
    weir_audit("verify", server.path)
