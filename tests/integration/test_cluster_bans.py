# SPDX-License-Identifier: Apache-2.0
"""ip_filter on several gateways that share an etcd: who is banned on one is banned on all, whatever becomes of etcd."""
import shutil
import time

import pytest
from harness.waiting import wait_for

pytestmark = [pytest.mark.gateway_only,
              pytest.mark.skipif(not (shutil.which("etcd") and shutil.which("etcdctl")), reason="etcd is not installed")]

BANS = "/weir/weir/plugin/ip_filter/ban/"


@pytest.fixture
def nodes(gateway, database, ip_filter, etcd, tmp_path):
    """Two gateways: the first bans after one failed login, the second never itself."""
    (tmp_path / "rules").write_text("")

    def make(ban_after):
        config = tmp_path / f"weir-{ban_after}.toml"
        config.write_text(f'[plugin.ip_filter]\nfile = "{tmp_path / "rules"}"\nban_after = {ban_after}\nban_time = "1h"\n')
        return gateway(database.address, plugins=[ip_filter], options=["-config", config, "-cluster", etcd.endpoints])

    return make(1), make(0)


def refusal(server, source, **login):
    """The number of the error that the client reads; 0: it gets in."""
    try:
        server.endpoint.connect(bind_address=source, **{"database": None, **login}).close()
        return 0
    except Exception as error:
        return error.args[0]


def ban(server, source):
    assert [refusal(server, source, password="wrong"), refusal(server, source)] == [1045, 1129]


def ask(server, statement):
    with server.endpoint.connect(unix_socket=server.endpoint.socket, database=None) as admin, admin.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall()
        return rows and rows[0][0]


def test_who_is_banned_on_one_node_is_banned_on_all_within_a_second(nodes, etcd):
    one, two = nodes
    begun = time.monotonic()
    ban(one, "127.0.0.8")
    wait_for(lambda: refusal(two, "127.0.0.8") == 1129, "the ban to be there", 5)
    assert time.monotonic() - begun < 1
    assert refusal(two, "127.0.0.9") == 0
    assert etcd.keys(BANS) == [BANS + "127.0.0.8"]
    two.stop()
    two.start()  # it reads what there is
    assert refusal(two, "127.0.0.8") == 1129
    assert not (two.folder / "data" / "plugin-store").exists()
    assert ask(two, "SELECT ip_filter_unban('127.0.0.8')") == "OK"
    wait_for(lambda: refusal(one, "127.0.0.8") == 0, "the ban to be lifted")
    ban(one, "127.0.0.9")
    wait_for(lambda: refusal(two, "127.0.0.9") == 1129, "the ban to be there")
    ask(one, "FLUSH TIDB PLUGINS ip_filter")
    wait_for(lambda: refusal(two, "127.0.0.9") == 0, "the ban to be lifted")
    assert etcd.keys(BANS) == []


@pytest.mark.time_limit(90)
def test_bans_hold_while_etcd_is_away_and_spread_when_it_is_back(nodes, etcd):
    one, two = nodes
    ban(one, "127.0.0.7")
    wait_for(lambda: refusal(two, "127.0.0.7") == 1129, "the ban to be there")
    etcd.kill()
    ban(one, "127.0.0.8")  # at once: nobody waits for etcd
    assert [refusal(two, "127.0.0.7"), refusal(two, "127.0.0.8")] == [1129, 0]
    etcd.start()
    wait_for(lambda: refusal(two, "127.0.0.8") == 1129, "the ban to be there", 30)
    assert refusal(one, "127.0.0.7") == refusal(one, "127.0.0.8") == 1129
