# SPDX-License-Identifier: Apache-2.0
"""Files that nodes of a cluster share, with a real etcd: rules of sql_firewall and of ip_filter, filters of audit_log. What is
flushed on one node is in force on all, and a file that is out of date undoes nothing."""
import contextlib
import json
import os
import shutil
import time

import pytest
from firewall_common import SCHEMA
from harness import raw
from harness.packaging import package
from harness.paths import ROOT
from harness.waiting import wait_for
from test_cluster import query, wait_lost, warnings

pytestmark = [pytest.mark.gateway_only,
              pytest.mark.skipif(not (shutil.which("etcd") and shutil.which("etcdctl")), reason="etcd is not installed")]

FIREWALL = "/weir/weir/plugin/sql_firewall/rules/"
FLUSH = "FLUSH TIDB PLUGINS sql_firewall"
SECRET, TARGET = ("secret",), ("target",)


def denying(tables, more=""):
    """A file of rules by which nobody reads these tables."""
    names = json.dumps([f"firewall.{table}" for table in tables])
    return f'{more}\n[[deny]]\nname = "tables"\ntables = {names}\n'


class Node:
    """A gateway with sql_firewall and a file of rules of its own. Whatever it is asked, it is by a new session."""

    def __init__(self, gateway, backend, folder, etcd, settings=""):
        folder.mkdir()
        self.file = folder / "rules.toml"
        self.config = folder / "weir.toml"
        self.config.write_text(f'[plugin.sql_firewall]\nmode = "PROTECTING"\nrules = "{self.file}"\n{settings}')
        self.gateway, self.backend, self.etcd = gateway, backend, etcd
        self.server = None

    def start(self, text=None):
        if text is not None:
            self.file.write_text(text)
        if self.server:
            self.server.start()
        else:
            self.server = self.gateway(self.backend, plugins=["sql_firewall-1"],
                                       options=["-config", self.config, "-cluster", self.etcd.endpoints])
        return self

    def flush(self, text=None):
        """The warnings that the client reads."""
        if text is not None:
            self.file.write_text(text)
        return warnings(self.server, FLUSH)

    def denies(self, table="secret"):
        with self.server.endpoint.raw() as session:
            return bool(raw.error_of(session.query(f"SELECT 1 FROM firewall.{table}")))

    def has(self, tables):
        return all(self.denies(table) is (table in tables) for table in ("secret", "target"))

    def wait(self, tables, timeout=20):
        wait_for(lambda: self.has(tables), f"rules that deny {tables}", timeout)

    def refused(self):
        ((_name, value),) = query(self.server, "SHOW STATUS LIKE 'sql_firewall_rules_refused'")["rows"]
        return value


@pytest.fixture(scope="module")
def guarded(database, plugins):
    package(ROOT / "plugin" / "sql_firewall", plugins)
    database.execute(*SCHEMA[:5])
    return database


@pytest.fixture
def node(gateway, guarded, etcd, tmp_path):
    count = iter(range(9))
    return lambda settings="": Node(gateway, guarded.address, tmp_path / f"n{next(count)}", etcd, settings)


@pytest.fixture
def pair(node, etcd):
    """Two nodes that deny nothing yet but a table that there is not."""
    one, two = node().start(denying(["none"])), None
    wait_for(lambda: etcd.get(FIREWALL + "head"), "the first node's rules to be the cluster's")
    two = node().start(denying(["none"]))
    return one, two


def test_what_is_flushed_on_one_is_refused_on_the_other_within_a_second(pair, etcd):
    one, two = pair
    assert one.has([]) and two.has([])
    begun = time.monotonic()
    assert one.flush(denying(SECRET)) == []
    assert one.has(SECRET)
    two.wait(SECRET)
    assert time.monotonic() - begun < 1
    assert len(etcd.keys(FIREWALL)) == 2  # a head and a part: what was there before is gone
    assert "cluster's rules are in force" in two.server.log()
    assert two.flush(denying(TARGET)) == []
    one.wait(TARGET)


def test_a_file_that_is_out_of_date_undoes_nothing(pair, etcd):
    one, two = pair
    assert one.flush(denying(SECRET)) == []
    two.wait(SECRET)
    for server in (two, one, two):
        assert server.flush() == []
        assert server.has(SECRET)
    etcd.put("/tidb/plugins/sql_firewall", "0")  # a tidb-server flushes all of them
    wait_for(lambda: two.server.log().count("plugin: sql_firewall flushed") >= 4, "the flush to be done")
    assert one.has(SECRET) and two.has(SECRET)
    os.utime(two.file)
    assert two.flush() == []
    assert two.has([])
    one.wait([])


def test_a_wrong_file_changes_nothing_anywhere(pair, etcd):
    one, two = pair
    assert one.flush(denying(SECRET)) == []
    two.wait(SECRET)
    head = etcd.get(FIREWALL + "head")
    with pytest.raises(Exception, match="rules.toml:1: there is no \"nonsense\""):
        one.flush("nonsense = 1\n")
    assert one.has(SECRET) and two.has(SECRET)
    assert etcd.get(FIREWALL + "head") == head
    assert one.flush(denying(TARGET)) == []
    two.wait(TARGET)


def test_a_node_that_starts_with_another_file_takes_the_clusters(pair, node):
    one, _two = pair
    assert one.flush(denying(SECRET)) == []
    late = node().start(denying(TARGET))
    assert late.has(SECRET)
    assert f"the cluster's rules count, which differ from {late.file}; touch that and flush the plugin" in late.server.log()
    own = node("share_rules = false\n").start(denying(TARGET))
    assert own.has(TARGET)
    assert own.flush(denying(SECRET + TARGET)) == []
    assert own.has(SECRET + TARGET) and one.has(SECRET) and late.has(SECRET)


@pytest.mark.time_limit(120)
def test_rules_while_etcd_is_away(pair, etcd):
    one, two = pair
    assert one.flush(denying(SECRET)) == []
    two.wait(SECRET)
    etcd.kill()
    for node in (one, two):
        wait_lost(node.server)
    (warning,) = [text for text in one.flush(denying(TARGET)) if "other nodes have the rules" in text]
    assert str(one.file) in warning
    assert one.has(TARGET) and two.has(SECRET)
    two.server.stop()
    two.start()  # with what the cluster had last, and not with its file, which denies nothing
    assert two.has(SECRET)
    assert "the rules that the cluster had last count" in two.server.log()
    etcd.start()
    two.wait(TARGET, 40)
    assert one.has(TARGET)


def test_two_at_once_end_with_the_same(pair):
    one, two = pair
    for _ in range(5):
        one.file.write_text(denying(SECRET))
        two.file.write_text(denying(TARGET))
        with contextlib.ExitStack() as stack:
            sessions = [stack.enter_context(server.server.endpoint.raw(database=None)) for server in (one, two)]
            for session in sessions:
                session.send_queries(FLUSH)
            for session in sessions:
                session.read_one()
        wait_for(lambda: one.has(SECRET) and two.has(SECRET) or one.has(TARGET) and two.has(TARGET), "both to have the same")


def test_a_big_file_is_shared_and_one_that_is_too_big_is_not(pair, etcd):
    one, two = pair
    assert one.flush(denying(SECRET, "# " + "x" * 300_000)) == []
    two.wait(SECRET)
    wait_for(lambda: len(etcd.keys(FIREWALL)) == 6, "old parts to be gone")
    (warning,) = one.flush(denying(TARGET, "# " + "x" * (1 << 20)))
    assert "longer than 1048576 bytes: it counts on this node alone" in warning
    assert one.has(TARGET) and two.has(SECRET)
    assert two.flush(denying(SECRET + TARGET)) == []
    assert one.flush() == [warning]
    assert one.has(TARGET) and two.has(SECRET + TARGET)


# ---- ip_filter ----


def test_ip_filters_rules_are_the_clusters(gateway, database, ip_filter, etcd, tmp_path):
    def start(name, settings=""):
        (tmp_path / name).write_text("")
        config = tmp_path / f"{name}.toml"
        config.write_text(f'[plugin.ip_filter]\nfile = "{tmp_path / name}"\n{settings}')
        return gateway(database.address, plugins=[ip_filter], options=["-config", config, "-cluster", etcd.endpoints])

    def refuses(server, source="127.0.0.8"):
        try:
            server.endpoint.connect(bind_address=source, database=None).close()
            return False
        except Exception as error:
            return error.args[0] == 1130

    one, two = start("one"), start("two")
    (tmp_path / "one").write_text("deny 127.0.0.8\n")
    assert warnings(one, "FLUSH TIDB PLUGINS ip_filter") == []
    assert refuses(one)
    wait_for(lambda: refuses(two), "the rule to be on the other node", 5)
    assert warnings(two, "FLUSH TIDB PLUGINS ip_filter") == []
    assert refuses(two) and refuses(one) and not refuses(two, "127.0.0.9")
    # Other files that rules need are each node's own; a node that does not have one keeps what it has, and says so.
    (tmp_path / "two").write_text("allow 127.0.0.0/8\ndeny 127.0.0.9\n")
    assert warnings(two, "FLUSH TIDB PLUGINS ip_filter") == []
    wait_for(lambda: refuses(one, "127.0.0.9"), "the rule to be on the first node")


# ---- audit_log ----


def test_audit_filters_are_the_clusters(gateway, database, plugins, etcd, tmp_path):
    package(ROOT / "plugin" / "audit_log", plugins)
    servers = [gateway(database.address, plugins=["audit_log-1"], options=["-cluster", etcd.endpoints]) for _ in range(2)]
    one, two = servers

    def ask(server, function, *words):
        arguments = ", ".join("'" + word.replace("'", "''") + "'" for word in words)
        ((answer,),) = query(server, f"SELECT audit_log_filter_{function}({arguments})")["rows"]
        return answer

    def filters(server):
        file = server.folder / "data" / "audit_log_filters.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def filter_id(server):
        ((number,),) = query(server, "SELECT audit_log_session_filter_id()")["rows"]
        return int(number)

    assert ask(one, "set_filter", "all", '{"filter": {}}') == "OK"
    assert ask(one, "set_user", "%", "all") == "OK"
    wait_for(lambda: filter_id(two) == 1, "the filter to be on the other node", 5)
    assert filters(two) == filters(one) == {"filters": {"all": {"filter": {}}}, "users": {"%": "all"}}
    for number in range(5):  # on both at the same time: none is lost
        with contextlib.ExitStack() as stack:
            sessions = [stack.enter_context(server.endpoint.raw(database=None)) for server in servers]
            for name, session in zip("ab", sessions):
                session.send_queries(f"SELECT audit_log_filter_set_filter('{name}{number}', '{{\"filter\": {{}}}}')")
            for session in sessions:
                session.read_one()
    names = {"all"} | {f"{name}{number}" for name in "ab" for number in range(5)}
    wait_for(lambda: all(set(filters(server)["filters"]) == names for server in servers), "all filters to be on both nodes")
    assert ask(two, "remove_filter", "all") == "OK"
    wait_for(lambda: filter_id(one) == 0, "the filter to be gone")
    two.stop()
    assert ask(one, "set_user", "%", "a0") == "OK"
    two.start()
    assert filter_id(two) > 0
    assert filters(two) == filters(one)


# ---- Keys of allow-lists ----


def test_many_keys_of_allow_lists_become_few(node, etcd):
    """What many keys say is merged, and says the same: to who was there, and to who comes later."""
    lists = "/weir/weir/plugin/sql_firewall/list/"
    rules = '[[account]]\naccounts = ["*"]\nmode = "OFF"\n'
    one = node().start(rules)
    for number in range(70):
        digest = f"{number:064x}"
        etcd.put(f"{lists}00000000000000aa-{number:08x}", f"account listed@%\ndatabase shop\ndigest {digest} select ?\n")
    etcd.put(f"{lists}00000000000000aa-{70:08x}", f"account listed@%\ndatabase shop\nforget digest {0:064x}\n")

    def count(server):
        ((number,),) = query(server, "SELECT sql_firewall_statements('listed@%')")["rows"]
        return int(number or 0)

    wait_for(lambda: count(one.server) == 69, "the statements to be known")
    assert len(etcd.keys(lists)) == 71
    query(one.server, "SELECT sql_firewall_set_mode('listed@%', 'DETECTING')")
    wait_for(lambda: len(etcd.keys(lists)) <= 4, "the keys to be merged")
    assert count(one.server) == 69
    late = node().start(rules)
    assert count(late.server) == 69
    assert query(late.server, "SELECT sql_firewall_mode('listed@%')")["rows"] == [("DETECTING",)]
    etcd.put(f"{lists}00000000000000aa-{5:08x}", f"account listed@%\ndatabase shop\ndigest {0:064x}\n")  # its answer was lost
    query(late.server, "SELECT sql_firewall_set_mode('listed@%', 'OFF')")
    wait_for(lambda: query(one.server, "SELECT sql_firewall_mode('listed@%')")["rows"] == [("OFF",)], "the mode to be told")
    assert count(one.server) == count(late.server) == 69
