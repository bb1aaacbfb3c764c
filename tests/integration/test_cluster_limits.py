# SPDX-License-Identifier: Apache-2.0
"""ip_filter's limits on several gateways that share an etcd: they hold for all of them together, whatever becomes of etcd and of nodes."""
import base64
import contextlib
import json
import shutil
import time

import pymysql
import pytest
from harness.endpoint import USER
from harness.waiting import wait_for

pytestmark = [pytest.mark.gateway_only,
              pytest.mark.skipif(not (shutil.which("etcd") and shutil.which("etcdctl")), reason="etcd is not installed")]

COUNTS = "/weir/weir/plugin/ip_filter/count/"
TOO_MANY, BANNED, WRONG = 1040, 1129, 1045


@pytest.fixture
def cluster(gateway, database, ip_filter, etcd, tmp_path):
    """Makes gateways with these rules and settings."""
    def make(count, rules="", **settings):
        (tmp_path / "rules").write_text(rules)
        config = tmp_path / "weir.toml"
        config.write_text("[plugin.ip_filter]\n" + "".join(f"{key} = {value!r}\n".replace("True", "true") for key, value in {
            "file": str(tmp_path / "rules"), **settings}.items()))
        nodes = [gateway(database.address, plugins=[ip_filter], options=["-config", config, "-cluster", etcd.endpoints])
                 for _ in range(count)]
        for node in nodes:
            node.rules = tmp_path / "rules"
        return nodes

    return make


def connect(node, source="127.0.0.1", **login):
    return node.endpoint.connect(bind_address=source, **{"database": None, **login})


def refusal(node, source="127.0.0.1", **login):
    """The number of the error that the client reads; 0: it gets in."""
    try:
        connect(node, source, **login).close()
        return 0
    except Exception as error:
        return error.args[0]


def enter(node, source="127.0.0.1", **login):
    """A connection, as soon as there is a place: one that has become free on another node is so here a moment later."""
    made = []

    def get_in():
        with contextlib.suppress(pymysql.err.OperationalError):
            made.append(connect(node, source, **login))
        return bool(made)

    wait_for(get_in, "the place to be free", 5)
    return made[0]


def drop(connection):
    """Closes what a server that was killed has left."""
    with contextlib.suppress(Exception):
        connection.close()


def administer(node, statement):
    with node.endpoint.connect(unix_socket=node.endpoint.socket, database=None) as admin, admin.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def status(node, name):
    return int(administer(node, f"SHOW STATUS LIKE 'ip_filter_{name}'")[0][1])


def wait_refused(node, number=TOO_MANY, seconds=5, **login):
    wait_for(lambda: refusal(node, **login) == number, f"error {number}", seconds)


def published(etcd):
    """What nodes have published, as bytes."""
    keys = json.loads(etcd.ctl("get", "--prefix", COUNTS, "-w", "json").stdout).get("kvs", [])
    return [base64.b64decode(key.get("value", "")) for key in keys]


def test_an_account_has_its_connections_on_all_nodes_together(cluster, etcd):
    one, two = cluster(2, connections_per_account=2)
    assert etcd.keys(COUNTS) == []  # nothing is counted yet
    first = enter(one)
    second = enter(two, "127.0.0.2")
    wait_refused(one)
    wait_refused(two)
    assert refusal(two, user="other") != TOO_MANY
    second.close()  # that was on the other node
    third = enter(one)
    wait_refused(two)
    first.close()
    third.close()
    with enter(two), enter(two):
        wait_refused(one)
    enter(one).close()
    wait_for(lambda: etcd.keys(COUNTS) == [], "nodes that count nothing to leave nothing", 15)


def test_an_address_has_its_connections_on_all_nodes_together(cluster):
    one, two, three = cluster(3, connections_per_address=3)
    with enter(one), enter(two), enter(three):
        for node in (one, two, three):
            wait_refused(node)
            assert refusal(node, source="127.0.0.2") == 0
    with enter(one), enter(one), enter(one):
        wait_refused(three)


def test_a_line_of_the_rules_limits_an_account_on_all_nodes_together(cluster):
    one, two = cluster(2, rules=f"limit {USER} 3\n")
    with enter(one), enter(one):
        with enter(two):
            wait_refused(two)
            wait_refused(one)
        with enter(one):
            wait_refused(two)
        one.rules.write_text(f"limit {USER} 4\n")
        administer(one, "FLUSH TIDB PLUGINS ip_filter")  # and the other node reads its own
        with enter(two), enter(two):
            wait_refused(one)


@pytest.mark.time_limit(90)
def test_what_a_node_has_counted_is_free_once_it_is_killed(cluster):
    one, two = cluster(2, connections_per_account=2)
    with contextlib.ExitStack() as ending:
        for _ in range(2):
            ending.callback(drop, enter(two))
        wait_refused(one)
        two.process.kill()
        killed = time.monotonic()
        assert refusal(one) == TOO_MANY  # nobody knows yet
        wait_for(lambda: refusal(one) == 0, "the lease of the counts to end", 20)
        assert time.monotonic() - killed < 15
    assert status(one, "nodes_counted") == 0


@pytest.mark.time_limit(90)
def test_a_node_that_is_started_again_does_not_count_itself_twice(cluster):
    one, two = cluster(2, connections_per_account=2)
    with contextlib.ExitStack() as ending:
        for _ in range(2):
            ending.callback(drop, enter(two))
        wait_refused(one)
        two.process.kill()
        two.start()
        begun = time.monotonic()
        with enter(two), enter(two):
            wait_refused(one)
        enter(one).close()
        assert time.monotonic() - begun < 5  # the lease of before would last longer


@pytest.mark.time_limit(90)
def test_without_etcd_others_count_for_a_while_and_then_a_node_counts_alone(cluster, etcd):
    one, two = cluster(2, connections_per_account=2)
    with enter(one), enter(two):
        wait_refused(one)
        etcd.kill()
        begun = time.monotonic()
        assert refusal(one) == TOO_MANY and time.monotonic() - begun < 1  # as of before, and nobody waits
        with contextlib.ExitStack() as stack:
            wait_for(lambda: "limits count the connections of this node alone" in one.log(), "the node to say so", 30)
            stack.enter_context(enter(one))
            wait_refused(one)
            assert status(one, "nodes_counted") == 0
            assert one.log().count("of this node alone") == 1
            etcd.start()
            wait_for(lambda: status(one, "nodes_counted") == 1, "the other node to be known again", 30)
            wait_refused(two)  # there are three: nobody is thrown out
        wait_refused(two)
    enter(two).close()


def test_failed_logins_on_several_nodes_ban_an_address_on_all(cluster):
    one, two, three = cluster(3, ban_after=6, ban_window="1h", ban_time="1h")
    for node in (one, two, three, one, two):
        assert refusal(node, source="127.0.0.8", password="wrong") == WRONG
    for node in (one, two, three):
        wait_for(lambda node=node: status(node, "nodes_counted") == 2, "the others' failures to be known")
    assert [status(node, "bans") for node in (one, two, three)] == [0, 0, 0]
    failed = 0
    while refusal(three, source="127.0.0.8", password="wrong") == WRONG:
        failed += 1
    assert failed < 5  # by itself it would ban after five more
    for node in (one, two):
        wait_refused(node, BANNED, source="127.0.0.8")
        assert refusal(node, source="127.0.0.9") == 0
    administer(two, "SELECT ip_filter_unban('127.0.0.8')")
    for node in (one, two, three):  # and the failures of before are none any more
        wait_for(lambda node=node: refusal(node, source="127.0.0.8", password="wrong") == WRONG, "the ban to be lifted")


def test_connections_within_a_window_count_on_all_nodes_together(cluster, etcd):
    one, two = cluster(2, rate_per_account=30, rate_window="1h")
    assert [refusal(one) for _ in range(20)] == [0] * 20
    wait_for(lambda: any(f"u{USER}\0{chr(20)}".encode() in value for value in published(etcd)), "all of them to be published")
    passed = 0
    while refusal(two) == 0:
        passed += 1
    assert passed < 30  # by itself it would let in 30
    wait_refused(one)


def test_a_limit_that_is_set_at_run_time_counts_what_began_under_another(cluster):
    one, two = cluster(2, connections_per_account=1000)
    with enter(one), enter(one), enter(two):  # of a thousand nobody publishes three
        administer(one, "SET GLOBAL ip_filter_connections_per_account = 3")
        wait_refused(two, seconds=10)
        administer(one, "SET GLOBAL ip_filter_connections_per_account = 0")
        enter(two).close()


def test_a_node_that_has_disabled_the_plugin_goes_on_counting_what_was_there(cluster):
    one, two = cluster(2, connections_per_account=2)
    with enter(one):
        with enter(one):
            wait_refused(two)
            administer(one, "ADMIN PLUGINS DISABLE ip_filter")
            wait_for(lambda: refusal(two) == 0, "the other node to have it disabled as well")
        administer(one, "ADMIN PLUGINS ENABLE ip_filter")
        with enter(one):  # in place of the one that has ended meanwhile
            wait_refused(one)
            wait_refused(two)


def test_in_a_dry_run_nobody_is_refused_and_others_say_so(cluster):
    one, two = cluster(2, connections_per_account=1, dry_run=True)
    with enter(one):
        wait_for(lambda: refusal(two) == 0 and "dry_run: would refuse" in two.log(), "the log to say so", 5)


def test_limits_that_nobody_has_set_cost_etcd_nothing(cluster, etcd):
    one, two = cluster(2)
    for _ in range(5):
        assert refusal(one) == refusal(two) == 0
    assert "ip_filter/count" not in etcd.ctl("get", "--prefix", "/", "--keys-only").stdout


def test_what_is_none_of_counts_is_left_alone(cluster, etcd):
    one, two = cluster(2, connections_per_account=1)
    for key, value in ((COUNTS + "x", "1"), (COUNTS + "0123456789abcdef/9", "1"), (COUNTS + "0123456789abcdef/0", "none"),
                       (COUNTS + "0123456789abcdef/1", "\x01\x02ua\x01")):
        etcd.put(key, value)
    wait_for(lambda: "has no counts that can be read" in one.log(), "the log to say so")
    with enter(one):
        wait_refused(two)
