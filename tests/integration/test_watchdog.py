# SPDX-License-Identifier: Apache-2.0
"""The watchdog for loops: a callback that keeps a worker from its other sessions is in the log, with its plugin, and so is its
end."""
import re
import threading

import pytest
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

STALLED = re.compile(r"worker 0 has not gone on for (\d+) ms, and its sessions wait; it is in plugin misbehaves, Starting, while it "
                     r"reads from a client connection=(\d+)")
GOES_ON = re.compile(r"worker 0 goes on after (\d+) ms; it was in plugin misbehaves, Starting, while it reads from a client "
                     r"connection=(\d+)")


@pytest.fixture
def spinning(gateway, database, tmp_path):
    def make(*options):
        until = tmp_path / "until"
        server = gateway(database.address, plugins=["misbehaves-1"], options=["-workers", "1", *options],
                         environment={"MISBEHAVES": "spin", "MISBEHAVES_UNTIL": str(until)})
        return server, until

    return make


def spin(server):
    """A session whose statement does not come back from the plugin: (its thread, its connection id)."""
    ready = []

    def run():
        with server.endpoint.raw() as connection:
            ready.append(connection.greeting.connection_id)
            connection.query("SELECT 'spin_word'")

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: ready, "the session")
    return thread, ready[0]


def test_a_worker_that_does_not_go_on_is_logged_once_with_its_plugin_and_its_end(spinning):
    server, until = spinning()
    thread, number = spin(server)
    wait_for(lambda: STALLED.search(server.log()), "the line about the worker")
    waiting = server.log().count("has not gone on")
    until.touch()
    thread.join()
    wait_for(lambda: GOES_ON.search(server.log()), "the line about its end")
    stalled, ended = STALLED.search(server.log()), GOES_ON.search(server.log())
    assert int(stalled[1]) >= 100 and int(ended[1]) >= int(stalled[1])
    assert int(stalled[2]) == int(ended[2]) == number
    assert waiting == server.log().count("has not gone on") == server.log().count("goes on after") == 1


def test_a_session_that_waits_is_no_stall(spinning):
    """For its backend, or for its client: the worker waits for sockets."""
    server, _ = spinning("-stall-limit", "400")
    with server.endpoint.raw() as connection:
        connection.query("SELECT SLEEP(1.5)")
    assert "has not gone on" not in server.log()
