# SPDX-License-Identifier: Apache-2.0
"""Many at once: sysbench with the example plugin counting, and thousands of idle connections."""
import resource
import socket

import pytest
from harness.gateway import serve_others
from harness.observe import run
from harness.paths import BIN
from harness.process import resident_bytes
from harness.sysbench import number, sysbench
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only


@pytest.mark.time_limit(120)
def test_sysbench_reads_and_writes_without_an_error_and_every_event_has_its_end(gateway, database, example):
    database.execute("DROP DATABASE IF EXISTS sbtest", "CREATE DATABASE sbtest")
    server = gateway(database.address, plugins=[example])
    sizes = {"tables": 4, "table_size": 10000}
    sysbench(server.endpoint, "oltp_read_write", "prepare", **sizes)
    report = sysbench(server.endpoint, "oltp_read_write", "run", threads=16, time=0, events=1000, **sizes)
    assert number(report, "reconnects:") == 0
    assert number(report, "transactions:") == 1000
    database.execute("DROP DATABASE sbtest")
    server.stop()
    events = {word: 0 for word in ("Statement Starting", "Statement Completed", "ERROR!", "event: Connected",
                                   "event: Disconnect", "event: Reject")}
    with open(server.process.output_path, encoding="utf-8", errors="replace") as output:
        for line in output:
            for word in events:
                if word in line:
                    events[word] += 1
    # What sysbench calls ignored errors are deadlocks, which the backend has sent.
    assert events["ERROR!"] <= number(report, "ignored errors:") * 2
    assert events["Statement Starting"] == events["Statement Completed"] + events["ERROR!"] > 1000
    assert events["event: Connected"] == events["event: Disconnect"] >= 17


@pytest.mark.time_limit(120)
def test_two_thousand_idle_connections(gateway, database):
    """They stay usable, and cost little. Descriptors: two a session."""
    wanted = 2000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = 2 * wanted + 500
    if hard != resource.RLIM_INFINITY and hard < need:
        pytest.skip(f"the limit of open files is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(need, hard)), hard))
    database.execute(f"SET GLOBAL max_connections = {wanted + 200}")
    server = gateway(database.address, plugins=["recorder-1"])
    sessions = [server.endpoint.raw() for _ in range(100)]
    before = resident_bytes(server.process.pid)
    try:
        while len(sessions) < wanted + 100:
            sessions.append(server.endpoint.raw())
        each = (resident_bytes(server.process.pid) - before) / wanted
        print(f"{each:.0f} bytes of memory a session")
        assert each < 64 << 10
        for connection in sessions[::100]:
            assert b"\x017" in connection.query("SELECT 7")[3][1]
        with server.endpoint.connect() as connection:
            assert run(connection, "SELECT 1")[0]["rows"] == [(1,)]
    finally:
        for connection in sessions:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes(8))
            connection.close()

    def counts():
        events = [event["event"] for event in server.events.all()]
        return events.count("Connected") == events.count("Disconnect") == wanted + 101

    wait_for(counts, "every session's end", 60)


@pytest.mark.skipif("asan" in str(BIN) or "tsan" in str(BIN), reason="a sanitizer keeps what is freed")
def test_large_statements_leave_no_memory_behind(gateway, database):
    """The allocator kept up to twice the largest buffer for each worker, and what lay between: 140 MiB after a minute of these."""
    server = gateway(database.address, plugins=["recorder-1"])
    with server.endpoint.connect() as connection:
        run(connection, "SELECT 1")
    before = resident_bytes(server.process.pid)
    for size in (3, 7, 2, 5, 6, 4, 3, 7):
        with server.endpoint.connect(max_allowed_packet=64 << 20) as connection, server.endpoint.connect() as small:
            run(connection, f"SELECT LENGTH('{'x' * (size << 20)}')")
            run(small, "SELECT 1")
    serve_others(server.endpoint.raw)  # so that each worker has begun something else
    after = resident_bytes(server.process.pid)
    print(f"{(after - before) >> 10} KiB more")
    assert after - before < 12 << 20
