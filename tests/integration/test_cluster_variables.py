# SPDX-License-Identifier: Apache-2.0
"""Plugins' variables in a cluster, with a real etcd: what SET GLOBAL sets on one node holds on all, whoever was away meanwhile."""
import shutil
import signal

import pytest
from harness.waiting import wait_for
from test_cluster import Nodes, here, nodes_of, query, wait_found, wait_lost, warnings

pytestmark = [pytest.mark.gateway_only,
              pytest.mark.skipif(not (shutil.which("etcd") and shutil.which("etcdctl")), reason="etcd is not installed")]

PREFIX = "/weir/weir/variables/"
LIMIT = PREFIX + "settings_limit"


@pytest.fixture
def nodes(gateway, database, etcd):
    return Nodes(gateway, database.address, etcd)


def value(server, name):
    ((found,),) = query(server, f"SELECT @@GLOBAL.settings_{name}")["rows"]
    return found


def origin(server, name):
    """The row of ADMIN SHOW VARIABLES."""
    result = query(server, f"ADMIN SHOW VARIABLES LIKE 'settings_{name}'")
    (row,) = result["rows"]
    return dict(zip([column[0] for column in result["columns"]], row))


def wait_value(server, name, expected):
    wait_for(lambda: value(server, name) == expected, f"settings_{name} to be {expected}")


def set_on(server, assignments):
    """SET GLOBAL that succeeds without a warning."""
    assert warnings(server, "SET " + assignments) == []


def test_what_is_set_on_one_holds_on_all(nodes, etcd):
    one, two = nodes.pair()
    set_on(one, "GLOBAL settings_limit = 7, GLOBAL settings_format = 'csv'")
    assert value(one, "limit") == 7
    wait_value(two, "limit", 7)
    wait_value(two, "format", "csv")
    assert etcd.get(LIMIT) == "=7"
    set_on(two, "PERSIST settings_limit = 8")
    wait_value(one, "limit", 8)
    for server in (one, two):
        wait_for(lambda server=server: origin(server, "limit")["Source"] == "CLUSTER", "the value to be the cluster's")
        row = origin(server, "limit")
        assert row["Path"].startswith(LIMIT + "@") and int(row["Path"].split("@")[1]) > 0 and row["Persisted"] == "8"


@pytest.fixture
def limit_3(tmp_path):
    """Options of a node whose configuration file has a limit of its own."""
    file = tmp_path / "weir.toml"
    file.write_text("[plugin.settings]\nlimit = 3\n")
    return "-config", file


def test_a_reset_holds_on_all_with_each_nodes_own_file(nodes, etcd, limit_3):
    one, two = nodes.add(*limit_3), nodes.add()
    assert (value(one, "limit"), value(two, "limit")) == (3, 5)
    set_on(one, "GLOBAL settings_limit = 7")
    wait_value(two, "limit", 7)
    set_on(two, "GLOBAL settings_limit = DEFAULT")
    assert value(two, "limit") == 5
    wait_value(one, "limit", 3)
    assert etcd.get(LIMIT) == "DEFAULT"
    assert origin(one, "limit")["Source"] == "FILE" and origin(one, "limit")["Persisted"] is None


def test_a_nodes_own_variables_are_its_own(nodes, etcd):
    one, two = nodes.pair()
    set_on(one, "GLOBAL settings_wait = 1")
    set_on(one, "SESSION settings_limit = 9")
    set_on(one, "GLOBAL settings_chain = ON")
    wait_value(two, "chain", 1)
    assert value(two, "limit") == 5 and str(value(two, "wait")) == "0.250000"
    assert etcd.keys(PREFIX) == [PREFIX + "settings_chain"]
    (warning,) = warnings(one, "SET PERSIST_ONLY settings_limit = 11")
    assert "this node only" in warning
    assert etcd.keys(PREFIX) == [PREFIX + "settings_chain"]


def test_a_node_that_starts_has_what_the_cluster_has(nodes, etcd, limit_3):
    one = nodes.add()
    set_on(one, "GLOBAL settings_limit = 7")
    wait_for(lambda: etcd.get(LIMIT) == "=7", "the value to be the cluster's")
    late = nodes.add(*limit_3)
    assert value(late, "limit") == 7  # from its first client on
    assert "settings_limit has the value of the cluster" in late.log() and "which counts more than" in late.log()
    assert origin(late, "limit")["Source"] == "CLUSTER" and origin(late, "limit")["Configured"] == "3"


def test_what_a_node_had_set_before_it_joined_is_its_own_until_the_cluster_has_a_value(nodes, gateway, database, etcd):
    alone = gateway(database.address, plugins=["settings-1"])
    query(alone, "SET GLOBAL settings_limit = 9")
    query(alone, "SET GLOBAL settings_buffer = '64K'")
    alone.stop()
    etcd.put(LIMIT, "=7")
    joined = nodes.add("-path", alone.folder / "data", plugins=["settings-1"])
    assert (value(joined, "limit"), value(joined, "buffer")) == (7, 65536)
    assert "settings_buffer has a value of SET GLOBAL that is this node's own" in joined.log()
    assert "settings_limit has the value of the cluster" in joined.log()


def test_a_value_that_a_node_cannot_take_is_said_and_the_old_one_is_kept(nodes, etcd):
    one = nodes.add()
    small = nodes.add(environment={"SETTINGS_SMALL": "1"})
    locked = nodes.add("-plugin-locked", "settings")
    numbers = {name: int(here(server)["Id"]) for name, server in (("small", small), ("locked", locked))}
    set_on(one, "GLOBAL settings_buffer = '64K'")

    def refused(name):
        return nodes_of(one).get(numbers[name], {}).get("Refused_variables") or ""
    wait_for(lambda: "there is no room for it" in refused("small"), "the refusal of one node to be said on another")
    wait_for(lambda: "settings_buffer: " in refused("locked"), "the refusal of the locked plugin to be said")
    assert (value(small, "buffer"), value(locked, "buffer"), value(one, "buffer")) == (1048576, 1048576, 65536)
    assert "the cluster's value of settings_buffer is not taken" in small.log()
    set_on(one, "GLOBAL settings_buffer = DEFAULT")
    wait_for(lambda: refused("small") == "", "the refusal to be over")


def test_values_that_are_right_only_together_are_taken_together(nodes, etcd):
    one, two = nodes.pair()
    set_on(one, "GLOBAL settings_file = 'seven', GLOBAL settings_limit = 7")
    wait_value(two, "file", "seven")
    assert value(two, "limit") == 7
    late = nodes.add()
    assert (value(late, "file"), value(late, "limit")) == ("seven", 7)
    assert not here(late)["Refused_variables"]


def test_what_is_no_value_and_what_nobody_has_changes_nothing(nodes, etcd):
    one = nodes.add()
    etcd.put(LIMIT, "7")
    etcd.put(PREFIX + "nothing_here", "=7")
    etcd.put(PREFIX + "settings_wait", "=7")
    etcd.put(PREFIX + "settings_chain", "=ON")
    wait_value(one, "chain", 1)
    assert value(one, "limit") == 5 and str(value(one, "wait")) == "0.250000"
    assert "is no variable's value" in one.log()
    wait_for(lambda: "each node has its own settings_wait" in (here(one)["Refused_variables"] or ""), "the refusal to be said")


@pytest.mark.time_limit(120)
def test_what_is_set_while_etcd_is_away_is_the_clusters_later(nodes, etcd):
    one, two = nodes.pair()
    etcd.kill()
    for server in (one, two):
        wait_lost(server)
    (warning,) = warnings(one, "SET GLOBAL settings_limit = 7")
    assert "settings_limit is set here; the cluster is not reached" in warning
    assert (value(one, "limit"), value(two, "limit")) == (7, 5)
    etcd.launch()
    for server in (one, two):
        wait_found(server)
    wait_value(two, "limit", 7)
    assert value(one, "limit") == 7


@pytest.mark.time_limit(120)
def test_with_refuse_nothing_is_set_while_etcd_is_away(nodes, etcd):
    one = nodes.add("-cluster-unreached", "refuse")
    etcd.kill()
    wait_lost(one)
    assert "nothing was done" in query(one, "SET GLOBAL settings_limit = 7")["arguments"][1]
    assert value(one, "limit") == 5
    set_on(one, "GLOBAL settings_wait = 1")  # its own


@pytest.mark.time_limit(120)
def test_a_node_that_was_away_catches_up_also_when_etcd_has_compacted(nodes, etcd):
    one, two = nodes.pair()
    set_on(one, "GLOBAL settings_limit = 7, GLOBAL settings_format = 'csv'")
    wait_value(two, "format", "csv")
    etcd.kill()
    for server in (one, two):
        wait_lost(server)
    two.process.freeze()
    etcd.launch()
    etcd.wait_answers()
    wait_found(one)
    set_on(one, "GLOBAL settings_limit = 8")
    wait_for(lambda: etcd.get(LIMIT) == "=8", "the value to be the cluster's")
    etcd.ctl("del", PREFIX + "settings_format")
    etcd.ctl("compact", str(etcd.revision()))
    two.process.signal(signal.SIGCONT)
    wait_value(two, "limit", 8)
    for server in (one, two):
        wait_value(server, "format", "jsonl")
