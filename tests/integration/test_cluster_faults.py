# SPDX-License-Identifier: Apache-2.0
"""Three etcds and three gateways that fail: killed, stopped, cut off. Whatever happens, all nodes agree again within a
named time (docs/cluster.md), no session is lost or waits, and no flush is lost or done twice."""
import shutil
import signal
import time

import pytest
from cluster_faults_common import LISTED, Cluster, rows
from firewall_common import firewall  # noqa: F401
from harness.waiting import wait_for

pytestmark = [pytest.mark.gateway_only, pytest.mark.time_limit(240),
              pytest.mark.skipif(not (shutil.which("etcd") and shutil.which("etcdctl")), reason="etcd is not installed")]

# Seconds; docs/cluster.md names them.
AGREED = 2  # on what was done while nothing fails
FOUND = 10  # while some etcds have failed and most have not; and once most of them are back
LEASE = 20  # until a node that was killed, or cut off, is nobody's any more
STATEMENT = 2  # the longest that any statement may take: nobody waits for etcd


@pytest.fixture(scope="module")
def cluster(make_gateway, database, ip_filter, firewall, tmp_path_factory):  # noqa: F811
    database.execute("CREATE OR REPLACE USER gate@'%' IDENTIFIED BY 'gate-secret'", "GRANT CONNECTION ADMIN ON *.* TO gate@'%'",
                     "GRANT SUPER ON *.* TO gate@'%'", "CREATE OR REPLACE USER listed@'%' IDENTIFIED BY 'listed'")
    made = Cluster(make_gateway, database, [ip_filter, firewall], tmp_path_factory.mktemp("f"))
    try:
        wait_for(lambda: all(len(site.nodes() or ()) == 3 for site in made.sites), "three nodes to know each other", 30)
        rows(made.sites[0].server, f"SELECT sql_firewall_set_mode('{LISTED}', 'RECORDING')")
        yield made
    finally:
        made.end()
        database.execute("DROP USER gate@'%', listed@'%'")


@pytest.fixture(autouse=True)
def whole(cluster):
    """Each case begins with everything there and agreed, and ends so."""
    cluster.agree("before", cluster.do(0), AGREED + FOUND)
    for site in cluster.sites:
        site.pulse.take_longest()
    yield
    cluster.agree("afterwards", cluster.do(1), AGREED + FOUND)
    cluster.judge_sessions(STATEMENT)
    cluster.judge_flushes()


def test_what_is_done_on_one_node_holds_on_all(cluster):
    for at in (0, 1, 2):
        cluster.agree(f"done at {at}", cluster.do(at), AGREED)
        cluster.kill_across(at, (at + 1) % 3)


def others(number):
    return [other for other in range(3) if other != number]


def etcds(cluster, which):
    """The numbers of the etcds that are to fail."""
    leader = cluster.etcd.leader()
    return {"the leader": [leader], "a follower": [others(leader)[0]], "two of three": [leader, others(leader)[1]]}[which]


@pytest.mark.parametrize("which", ["a follower", "the leader"])
@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_one_etcd_fails_and_nothing_is_missed(cluster, which, how):
    (failing,) = etcds(cluster, which)
    process = cluster.etcd.processes[failing]
    cluster.etcd.kill(failing) if how == "killed" else process.freeze()
    try:
        # The gateway beside it notices only now.
        cluster.agree(f"{which} is {how}", cluster.do(failing), FOUND)
        cluster.agree(f"{which} is {how}, done at another site", cluster.do(others(failing)[0]), FOUND)
        cluster.kill_across(others(failing)[0], failing)
    finally:
        cluster.etcd.launch(failing) if how == "killed" else process.signal(signal.SIGCONT)
    cluster.agree(f"{which} is back", time.monotonic(), FOUND)


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_two_etcds_fail_and_nodes_catch_up(cluster, how):
    failing = etcds(cluster, "two of three")
    for number in failing:
        cluster.etcd.kill(number) if how == "killed" else cluster.etcd.processes[number].freeze()
    try:
        cluster.do(failing[0])
        wait_for(lambda: all(site.nodes() is None for site in cluster.sites), "all to miss their cluster", FOUND)
    finally:
        for number in failing:
            cluster.etcd.launch(number) if how == "killed" else cluster.etcd.processes[number].signal(signal.SIGCONT)
    cluster.agree(f"two of three were {how}", time.monotonic(), FOUND)
    cluster.kill_across(0, 2)


def test_a_gateway_is_killed_and_comes_back(cluster):
    site = cluster.sites[2]
    site.end()
    site.server.process.kill()
    cluster.agree("a gateway is killed", cluster.do(0), LEASE, among=(0, 1))
    site.server.start()
    site.meet_clients()
    site.flushed = site.flushes()  # it has read everything at its start
    cluster.agree("the gateway is back", time.monotonic(), AGREED + FOUND)


def test_a_gateway_is_stopped_for_longer_than_its_lease(cluster):
    site = cluster.sites[2]
    site.server.process.freeze()
    try:
        cluster.agree("a gateway is stopped", cluster.do(0), LEASE, among=(0, 1))
    finally:
        site.server.process.signal(signal.SIGCONT)
    cluster.agree("the gateway goes on", time.monotonic(), FOUND)
    assert site.pulse.failure is None
    site.pulse.take_longest()  # it was its own pause


@pytest.mark.parametrize("which", ["a follower", "the leader"])
def test_a_site_is_cut_off(cluster, which):
    """It has an etcd beside it, which is of no use alone."""
    if not cluster.switch:
        pytest.skip("no network namespaces here")
    (lonely,) = etcds(cluster, which)
    at = others(lonely)[0]
    cluster.cables[lonely].cut()
    try:
        cluster.agree(f"a site with {which} is cut off", cluster.do(at), LEASE, among=others(lonely))
        wait_for(lambda: cluster.sites[lonely].nodes() is None, "the site to miss its cluster", FOUND)
        assert cluster.sites[lonely].flushes() == cluster.sites[lonely].flushed - 1
        cluster.judge_sessions(STATEMENT)
    finally:
        cluster.cables[lonely].mend()
    cluster.agree(f"the site with {which} is back", time.monotonic(), FOUND)
