# SPDX-License-Identifier: Apache-2.0
"""-graceful-wait-before-shutdown: after SIGTERM clients are served on, and balancers' checks fail. Behind HAProxy:
test_balancer_failures.py; /readyz: test_status_port.py."""
import contextlib
import signal
import socket
import struct

import pytest
from harness.waiting import wait_for
from test_proxy_protocol import LISTED, LOCAL, v2

pytestmark = pytest.mark.gateway_only

WAITS = "stopping in"
DRAINS = "stopping: no new connections"


def waiting(gateway, database, *options, seconds=60, **more):
    server = gateway(database.address, options=["-graceful-wait-before-shutdown", str(seconds), *options], **more)
    server.interrupt()
    server.process.wait_log(WAITS)
    return server


def first_packet(server, header):
    """The first byte of the payload that answers the header, and an error's number."""
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(header)
        packet = connection.recv(4096)
    return packet[4], struct.unpack("<H", packet[5:7])[0] if packet[4] == 0xFF else None


def test_sessions_go_on_and_new_ones_come_until_it_drains(gateway, database):
    server = gateway(database.address, options=["-graceful-wait-before-shutdown", "2"])
    with contextlib.closing(server.endpoint.connect()) as old:
        server.interrupt()
        server.process.wait_log(WAITS)
        old.query("SELECT 1")
        with contextlib.closing(server.endpoint.connect()) as new:
            new.query("SELECT 1")
        assert DRAINS not in server.log()
        with server.endpoint.raw() as idle:
            idle.at_end()
    assert server.process.wait(20) == 0 and DRAINS in server.log()


def test_a_second_signal_ends_the_wait_and_a_third_the_drain(gateway, database):
    server = waiting(gateway, database, "-drain-timeout", "60")
    with server.endpoint.raw() as busy:
        busy.query("BEGIN")
        busy.query("SELECT 1 FROM mysql.user")
        server.interrupt()
        server.process.wait_log(DRAINS)
        server.interrupt()
        busy.at_end()
    assert server.process.wait(20) == 2


@pytest.mark.parametrize("more", [[], ["-backend-first"]])
def test_a_balancers_check_reads_that_it_stops(gateway, database, more):
    server = waiting(gateway, database, *LISTED, *more)
    assert first_packet(server, LOCAL) == (0xFF, 1053)
    assert first_packet(server, v2("203.0.113.9"))[0] == 10
    assert first_packet(server, b"")[0] == 10  # after a second without a header


def test_a_reload_during_the_wait_changes_nothing(gateway, database):
    server = waiting(gateway, database)
    with contextlib.closing(server.endpoint.connect(user="root", password="")) as connection:
        with pytest.raises(Exception, match="starting or shutting down"):
            connection.query("ADMIN RELOAD CONFIG")
    server.process.signal(signal.SIGHUP)  # logs are opened again all the same
    server.interrupt()
    wait_for(lambda: not server.process.alive(), "its end")
