# SPDX-License-Identifier: Apache-2.0
"""weir-server under a service manager that speaks sd_notify(3) and sd_listen_fds(3), as systemd does."""
import contextlib
import re
import signal
import stat
import time

import pytest
from harness.ports import free_port
from harness.service_manager import ServiceManager, with_sockets
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only


@pytest.fixture
def manager(tmp_path):
    with contextlib.closing(ServiceManager(tmp_path / "notify", watchdog_ms=300)) as heard:
        yield heard


def test_ready_reload_pulse_and_stop_are_told_in_this_order(gateway, database, manager):
    server = gateway(database.address, environment=manager.environment)
    wait_for(lambda: manager.said("READY=1"), "its readiness")
    server.endpoint.connect().close()
    server.process.signal(signal.SIGHUP)
    wait_for(lambda: manager.said("READY=1") == 2, "the end of the reload")
    beats = manager.said("WATCHDOG=1")
    wait_for(lambda: manager.said("WATCHDOG=1") >= beats + 3, "the pulse")
    server.stop()
    wait_for(lambda: manager.said("STOPPING=1"), "its last word")
    told = [message for message in manager.heard if message != ["WATCHDOG=1"]]
    assert told[0] == ["READY=1", "STATUS=serving"]
    assert reload_time(told[1])
    assert told[2] == ["READY=1", "STATUS=serving"]
    assert told[3] == ["STOPPING=1", "STATUS=draining", "EXTEND_TIMEOUT_USEC=11000000"] and len(told) == 4


def test_the_wait_for_balancers_is_told_and_counts(gateway, database, manager):
    server = gateway(database.address, options=["-graceful-wait-before-shutdown", "60"], environment=manager.environment)
    wait_for(lambda: manager.said("READY=1"), "its readiness")
    server.interrupt()
    wait_for(lambda: manager.said("STOPPING=1"), "that it stops")
    server.stop()
    wait_for(lambda: manager.said("STOPPING=1") == 2, "its last word")
    told = [message for message in manager.heard if message[0] == "STOPPING=1"]
    assert told == [["STOPPING=1", "STATUS=waiting for balancers", "EXTEND_TIMEOUT_USEC=71000000"],
                    ["STOPPING=1", "STATUS=draining", "EXTEND_TIMEOUT_USEC=11000000"]]


def reload_time(message):
    """When the reload began, in microseconds of the monotonic clock."""
    assert message[0] == "RELOADING=1" and len(message) == 2
    return int(re.fullmatch(r"MONOTONIC_USEC=(\d+)", message[1])[1])


@pytest.mark.parametrize("text, words", [("max-connections = 7\n", "read again"), ("max-conections = 7\n", "nothing was changed")],
                         ids=["right", "wrong"])
def test_a_reload_right_or_wrong_begins_after_it_was_asked_for_and_has_an_end(gateway, database, manager, tmp_path, text, words):
    """systemd's notify-reload waits for RELOADING=1 with a later time than its own SIGHUP, and for the READY=1 after it."""
    config = tmp_path / "weir.toml"
    config.write_text("")
    server = gateway(database.address, options=["-config", str(config)], environment=manager.environment)
    wait_for(lambda: manager.said("READY=1"), "its readiness")
    config.write_text(text)
    for count in (1, 2):
        asked = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
        server.process.signal(signal.SIGHUP)
        wait_for(lambda: manager.said("READY=1") == count + 1, "the end of the reload")
        told = [message for message in manager.heard if message != ["WATCHDOG=1"]][-2:]
        assert asked <= reload_time(told[0]) <= time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
        assert told[1] == ["READY=1", "STATUS=serving"]
        assert server.log().count(words) == count, "what was asked for has been done when the end is told"


def test_the_embedded_mariadb_says_nothing_to_the_manager(gateway, manager):
    """A MariaDB that sees NOTIFY_SOCKET says READY=1 itself, before clients are served."""
    server = gateway(environment=manager.environment)
    server.stop()
    wait_for(lambda: manager.said("STOPPING=1"), "its last word")
    assert manager.said("READY=1") == 1 and all("SQL" not in line for message in manager.heard for line in message)


def test_a_worker_that_stands_still_stops_the_pulse(gateway, database, manager, tmp_path):
    """Within the second after which the log says so, six beats are due: one may be under way, and one learns where the worker is."""
    until = tmp_path / "until"
    server = gateway(database.address, plugins=["misbehaves-1"], options=["-workers", "2", "-stall-limit", "1000"],
                     environment={"MISBEHAVES": "spin", "MISBEHAVES_UNTIL": str(until), **manager.environment})
    with server.endpoint.raw() as connection:
        wait_for(lambda: manager.said("WATCHDOG=1"), "the pulse")
        connection.send_queries("SELECT 'spin_word'")
        beats = manager.said("WATCHDOG=1")
        server.process.wait_log("has not gone on")
        assert manager.said("WATCHDOG=1") <= beats + 2
        until.touch()
        connection.read_result()
    beats = manager.said("WATCHDOG=1")
    wait_for(lambda: manager.said("WATCHDOG=1") > beats, "the pulse, again")


def test_sockets_of_the_manager_take_the_place_of_the_options(gateway, database, tmp_path):
    port, path = free_port(), tmp_path / "given.sock"
    server = gateway(database.address, start=False, prefix=with_sockets(port, path)).launch()
    server.process.wait_log(f"listening on {path}")
    assert f"listening on 127.0.0.1:{port}" in server.log() and str(server.port) not in server.log().split("connect with")[0]
    for where in ({"port": port}, {"unix_socket": str(path)}):
        with contextlib.closing(server.endpoint.connect(**where)) as connection:
            assert connection.thread_id()
    server.stop()
    assert stat.S_ISSOCK(path.stat().st_mode), "the manager's sockets are the manager's"


def test_what_is_no_listening_socket_is_refused(gateway, database):
    server = gateway(database.address, start=False, environment={"LISTEN_FDS": "1"},
                     prefix=["sh", "-c", 'export LISTEN_PID=$$; exec "$@" 3</dev/null', "sh"]).launch()
    assert server.process.wait(30) == 1
    assert ("the service manager gives 1 sockets, and number 1 is no listening stream socket; its unit must say ListenStream="
            in server.log())
