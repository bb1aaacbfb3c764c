# SPDX-License-Identifier: Apache-2.0
"""-backend-first-networks: clients of these networks read the backend's greeting, and others are served as ever."""
import pytest
from harness import raw
from harness.observe import run
from test_backend_first import OLD
from test_reload import Reloaded

pytestmark = pytest.mark.gateway_only

OURS, THEIRS = "127.0.0.2", "127.0.0.3"


@pytest.fixture
def server(gateway, database, tmp_path):
    config = tmp_path / "weir.toml"
    config.write_text(f"backend-first-networks = '{OURS}, 10.0.0.0/8'\n")
    return Reloaded(gateway(database.address, plugins=["recorder-1"], options=["-config", str(config)]), config, "signal")


def log_in(server, source):
    """As a client that knows no plugins of authentication; None, or its error's number."""
    try:
        with server.server.endpoint.raw(capabilities=OLD, database=None, source=source) as connection:
            connection.query("SELECT 1")
    except raw.ServerError as error:
        return error.args[0]
    return None


def test_only_who_comes_from_there_is_greeted_by_the_backend(server):
    assert (log_in(server, OURS), log_in(server, THEIRS)) == (None, 1251)
    for source in (OURS, THEIRS):  # whoever understands what is asked again
        with server.server.endpoint.raw(source=source) as connection:
            assert connection.query("SELECT 1")[-1][1][:1] != b"\xff"


def test_plugins_hear_of_them_before_the_backend_does(server):
    for source, first in ((OURS, "PreConnect"), (THEIRS, "PreAuth")):
        with server.server.endpoint.raw(source=source) as connection:
            number = connection.greeting.connection_id
        assert server.server.events.ended(number)[0]["event"] == first


def test_ids_are_the_gateways_and_kill_meets_the_right_one(server):
    with server.server.endpoint.connect() as killer:
        for source in (OURS, THEIRS):
            with server.server.endpoint.raw(source=source) as victim:
                number = victim.greeting.connection_id
                assert number > 1 << 30
                run(killer, f"KILL {number}")
                victim.socket.settimeout(20)
                assert victim.packets_to_end()[1] == b""


def test_a_reload_changes_the_networks(server):
    server.apply(f"backend-first-networks = '{THEIRS}'\n")
    assert (log_in(server, OURS), log_in(server, THEIRS)) == (1251, None)
    server.write("backend-first-networks = '10.0.0.0/33'\n")
    assert "-backend-first-networks: '10.0.0.0/33' is no network" in server.reload()
