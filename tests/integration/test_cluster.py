# SPDX-License-Identifier: Apache-2.0
"""Several gateways that are one cluster, with a real etcd: flushes and states of plugins hold on all of them, TiDB's servers
(played by etcdctl) and they follow each other, and whatever becomes of etcd, sessions go on."""
import re
import shutil
import signal
import threading

import pytest
from harness import raw
from harness.etcd import Etcd
from harness.observe import failure, run
from harness.waiting import wait_for
from test_several_backends_accounts import alive
from test_twins import UNKNOWN, WORKS, error_number

pytestmark = [pytest.mark.gateway_only,
              pytest.mark.skipif(not (shutil.which("etcd") and shutil.which("etcdctl")), reason="etcd is not installed")]

ids_say_whose_they_are = pytest.mark.greets_first("with -backend-first the greeting's id is the backend's own")

PLUGINS = ["recorder-1", "settings-1"]
LEASE_S = 10  # src/gateway/cluster_link.c
KEY = "/tidb/plugins/recorder"


class Nodes:
    """Gateways of one cluster. Whatever a test asks of one of them, it asks by a session of its own."""

    def __init__(self, gateway, backend, etcd):
        self.gateway, self.backend, self.etcd = gateway, backend, etcd

    def add(self, *options, plugins=PLUGINS, **settings):
        return self.gateway(self.backend, plugins=plugins, options=("-cluster", self.etcd.endpoints, *options), **settings)

    def pair(self, *options):
        """Two of them that know each other."""
        both = [self.add(*options) for _ in range(2)]
        wait_for(lambda: all(len(nodes_of(server)) == 2 for server in both), "two nodes to know each other")
        return both


@pytest.fixture
def nodes(gateway, database, etcd):
    return Nodes(gateway, database.address, etcd)


def query(server, sql):
    with server.endpoint.connect() as connection:
        (result,) = run(connection, sql)
        return result


def nodes_of(server):
    """ADMIN SHOW NODES, by id."""
    result = query(server, "ADMIN SHOW NODES")
    names = [column[0] for column in result["columns"]]
    return {int(row[0]): dict(zip(names, row)) for row in result["rows"]}


def here(server):
    """The node that the server is, once it has heard of itself."""
    (node,) = wait_for(lambda: [row for row in nodes_of(server).values() if row["Here"] == "YES"], "the node to know itself")
    return node


def flushes(server, plugin="recorder"):
    return server.log().count(f"plugin: {plugin} flushed")


def state(server, plugin="recorder"):
    return {row[0]: row[1] for row in query(server, "SHOW PLUGINS")["rows"]}[plugin]


def wait_state(server, expected, plugin="recorder"):
    wait_for(lambda: state(server, plugin) == expected, f"{plugin} to be {expected}")


def warnings(server, sql):
    """The texts of the warnings of a statement that succeeds."""
    with server.endpoint.connect() as connection:
        (result,) = run(connection, sql)
        assert "error" not in result, result
        return [row[2] for row in run(connection, "SHOW WARNINGS")[0]["rows"]]


def settled(server, etcd):
    """Waits until the server has seen all that etcd has: a put that it acts upon comes after."""
    before = flushes(server, "settings")
    etcd.put("/tidb/plugins/settings", "0")
    wait_for(lambda: flushes(server, "settings") > before, "a later put to be seen")


def wait_lost(server):
    wait_for(lambda: warnings(server, "ADMIN SHOW NODES"), "the node to miss its cluster", 30)


def wait_found(server):
    wait_for(lambda: not warnings(server, "ADMIN SHOW NODES"), "the node to be back in its cluster", 30)


# ---- Nodes ----

def test_nodes_say_who_they_are(nodes):
    one, two = nodes.pair("-advertise", "db.example:4000")
    rows = nodes_of(one)
    assert len(rows) == 2 and all(1025 <= number <= 2047 for number in rows)
    assert [row["Here"] for row in rows.values()].count("YES") == 1
    assert here(one)["Id"] != here(two)["Id"]
    for row in rows.values():
        assert row["Address"] == "db.example:4000" and row["Version"] and re.fullmatch(r"\d{4}-.*Z", row["Since"])
        assert row["Plugins"] == "recorder 1 Ready-enable; settings 1 Ready-enable"
    assert here(one)["Last_flush"] is None


@ids_say_whose_they_are
def test_a_clients_id_is_its_nodes(nodes):
    for server in nodes.pair():
        with server.endpoint.connect() as connection:
            assert connection.thread_id() >> 20 == int(here(server)["Id"])
            assert connection.thread_id() < 2**31


@pytest.mark.time_limit(90)
def test_a_number_is_free_again_after_the_lease_of_a_node_that_was_killed(nodes, etcd):
    one, two = nodes.pair()
    number = here(two)["Id"]
    two.process.kill()
    assert int(number) in nodes_of(one)
    wait_for(lambda: int(number) not in nodes_of(one), "the dead node's lease to end", 3 * LEASE_S)
    assert etcd.keys("/weir/weir/nodes/") == [f"/weir/weir/nodes/{here(one)['Id']}"]


def test_a_node_that_stops_gives_its_number_back(nodes, etcd):
    one = nodes.add()
    assert len(etcd.keys("/weir/weir/nodes/")) == 1
    one.stop()
    assert etcd.keys("/weir/weir/nodes/") == []


@pytest.mark.time_limit(120)
def test_a_node_that_was_paused_longer_than_its_lease_takes_a_new_number(nodes, etcd):
    one, two = nodes.pair()
    number = here(two)["Id"]
    with two.endpoint.connect() as connection:
        kept = connection.thread_id()
        two.process.freeze()
        wait_for(lambda: int(number) not in nodes_of(one), "the lease to end", 3 * LEASE_S)
        etcd.put(f"/weir/weir/nodes/{number}", "{}")  # another node has it now
        two.process.signal(signal.SIGCONT)
        with two.endpoint.connect() as fresh:
            assert fresh.thread_id() >> 20 != int(number)
        assert here(two)["Id"] != number
        assert connection.thread_id() == kept
        connection.ping()


def test_clusters_that_share_an_etcd_have_names(nodes, etcd):
    one, other = nodes.add(), nodes.add("-cluster-name", "other")
    assert here(one) and here(other) and len(nodes_of(one)) == len(nodes_of(other)) == 1
    assert {key.split("/")[2] for key in etcd.keys("/weir/")} == {"other", "weir"}


@ids_say_whose_they_are
def test_without_a_cluster_there_are_no_nodes(gateway, database):
    server = gateway(database.address)
    assert query(server, "ADMIN SHOW NODES")["rows"] == []
    assert "-cluster" in warnings(server, "ADMIN SHOW NODES")[0]
    with server.endpoint.connect() as connection:
        assert connection.thread_id() >> 20 == 2047


# ---- Plugins ----

def test_a_flush_is_done_on_all_nodes_once(nodes, etcd):
    one, two = nodes.pair()
    assert warnings(one, "FLUSH TIDB PLUGINS recorder") == []
    assert flushes(one) == 1
    assert etcd.get(KEY) == "0"
    wait_for(lambda: flushes(two) == 1, "the other node to flush")
    settled(one, etcd)
    settled(two, etcd)
    assert (flushes(one), flushes(two)) == (1, 1)
    wait_for(lambda: all("recorder" in (row["Last_flush"] or "") for row in nodes_of(one).values()), "both to have said so")
    for row in nodes_of(two).values():
        assert re.search(r"recorder \S+Z flushed: OK", row["Last_flush"]), row


def test_states_hold_on_all_nodes(nodes, etcd):
    one, two = nodes.pair()
    assert warnings(one, "ADMIN PLUGINS DISABLE recorder") == []
    assert state(one) == "Ready-disable" and etcd.get(KEY) == "1"
    wait_state(two, "Ready-disable")
    late = nodes.add()
    wait_state(late, "Ready-disable")
    assert flushes(late) == 0  # it has read everything at its start
    assert warnings(two, "ADMIN PLUGINS ENABLE recorder") == []
    for server in (one, late):
        wait_state(server, "Ready-enable")
    assert state(two) == "Ready-enable"


def test_tidb_and_weir_follow_each_other(nodes, etcd):
    one = nodes.add()
    etcd.put(KEY, "1")
    wait_state(one, "Ready-disable")
    etcd.put(KEY, "0")
    wait_for(lambda: flushes(one) == 1, "the flush")
    assert state(one) == "Ready-enable"
    etcd.put(KEY, "0")
    wait_for(lambda: flushes(one) == 2, "the next flush")
    etcd.ctl("del", KEY)
    wait_for(lambda: flushes(one) == 3, "the flush of a key that is gone")
    query(one, "ADMIN PLUGINS DISABLE recorder")
    assert etcd.get(KEY) == "1"
    query(one, "FLUSH TIDB PLUGINS recorder")
    assert etcd.get(KEY) == "1"
    query(one, "ADMIN PLUGINS ENABLE recorder")
    assert etcd.get(KEY) == "0"


def test_a_plugin_that_is_not_loaded_here_is_flushed_where_it_is(nodes, etcd):
    one, two = nodes.add(plugins=["recorder-1"]), nodes.add()
    wait_for(lambda: len(nodes_of(one)) == 2, "the other node to be known")
    etcd.put("/tidb/plugins/unknown", "1")
    assert "error" not in query(one, "FLUSH TIDB PLUGINS settings")
    wait_for(lambda: flushes(two, "settings") == 1, "the other node to flush")
    assert "doesn't exist" in query(one, "FLUSH TIDB PLUGINS nothing")["arguments"][1]
    # What it demands of whom that disables it is not known here.
    assert "doesn't exist" in query(one, "ADMIN PLUGINS DISABLE settings")["arguments"][1]
    assert state(two, "settings") == "Ready-enable"


def test_a_flush_that_fails_elsewhere_is_said(gateway, database, etcd):
    nodes = Nodes(gateway, database.address, etcd)
    one = nodes.add(plugins=["misbehaves-1"])
    two = nodes.add(plugins=["misbehaves-1"], environment={"MISBEHAVES": "OnFlush"})
    wait_for(lambda: len(nodes_of(one)) == 2, "two nodes")
    assert "error" not in query(one, "FLUSH TIDB PLUGINS misbehaves")
    wait_for(lambda: "misbehaves" in (nodes_of(one)[int(here(two)["Id"])]["Last_flush"] or ""), "the failure to be said")
    assert ": OK" not in nodes_of(one)[int(here(two)["Id"])]["Last_flush"]
    before = etcd.revision()
    assert "error" in query(two, "FLUSH TIDB PLUGINS misbehaves")  # nobody else is asked then
    assert etcd.get("/tidb/plugins/misbehaves") == "0" and flushes(one, "misbehaves") == 1
    assert before <= etcd.revision()


def test_a_locked_plugin_is_left_alone(nodes, etcd):
    one = nodes.add("-plugin-locked", "recorder")
    etcd.put(KEY, "1")
    wait_for(lambda: "-plugin-locked" in (here(one)["Last_flush"] or ""), "the refusal to be said")
    assert state(one) == "Ready-enable" and flushes(one) == 0
    assert "recorder is not disabled for another node: -plugin-locked names it" in one.log()
    etcd.put(KEY, "0")
    wait_for(lambda: "flushed: -plugin-locked" in here(one)["Last_flush"], "the next refusal")
    assert flushes(one) == 0


def test_what_a_plugin_demands_is_asked_by_some_node(nodes, etcd):
    """settings demands SHUTDOWN of whom that disables it. A put of "1" alone shows no such privilege."""
    one, two = nodes.pair()
    etcd.put("/tidb/plugins/settings", "1")
    for server in (one, two):
        wait_for(lambda server=server: "demands a privilege" in (here(server)["Last_flush"] or ""), "the refusal")
        assert state(server, "settings") == "Ready-enable"
    assert "error" not in query(one, "ADMIN PLUGINS DISABLE settings")
    wait_state(two, "Ready-disable", "settings")


# ---- KILL ----

@pytest.fixture
def killers(gateway, database, etcd):
    """Two nodes with an account that may kill, and a user who may not."""
    database.execute("CREATE OR REPLACE USER gate@'%' IDENTIFIED BY 'gate-secret'", "GRANT CONNECTION ADMIN ON *.* TO gate@'%'",
                     "GRANT SUPER ON *.* TO gate@'%'")

    def make(plugins):
        nodes = Nodes(gateway, database.address, etcd)
        both = [nodes.add("-backend-check-user", "gate", plugins=plugins, environment={"WEIR_BACKEND_CHECK_PASSWORD": "gate-secret"})
                for _ in range(2)]
        wait_for(lambda: all(len(nodes_of(server)) == 2 for server in both), "two nodes to know each other")
        return both
    yield make
    database.execute("DROP USER gate@'%'")


def kill_at(victims, killers, way, user="root", password=""):
    """The error number that KILL of a session of root's at one node gives when asked at the other; 0: it has ended."""
    with victims.endpoint.connect(database=None) as victim:
        connection = raw.RawConnection(killers.host, killers.port, user=user, password=password)
        try:
            number = error_number(way(connection, victim.thread_id()))
            assert connection.query("SELECT 1")[-1][1][:1] != b"\xff"
        finally:
            connection.close()
        if number:
            victim.ping(reconnect=False)
        else:
            wait_for(lambda: not alive(victim), "the end of the session")
        return number


@pytest.mark.time_limit(120)
@pytest.mark.parametrize("with_plugins", [True, False], ids=["with plugins", "without plugins"])
@ids_say_whose_they_are
def test_each_form_of_kill_goes_to_the_node_of_the_session(killers, etcd, with_plugins):
    one, two = killers(["recorder-1"] if with_plugins else [])
    refused = {"several": 1235, **({} if with_plugins else {"PREPARE": 1243})}
    for name, way in WORKS.items():
        assert kill_at(one, two, way) == refused.get(name, 0), name
    for name, way in UNKNOWN.items():
        assert kill_at(two, one, way) == 1094, name
    for name, way in WORKS.items():
        assert kill_at(one, two, way, user="plain", password="plain-secret") == refused.get(name, 1227), name
    wait_for(lambda: etcd.keys("/weir/weir/requests/") == [], "nothing to be left behind")


def test_a_user_may_kill_a_session_of_his_own_at_another_node(killers):
    one, two = killers([])
    with one.endpoint.connect(user="plain", password="plain-secret", database=None) as victim, \
            two.endpoint.connect(user="plain", password="plain-secret", database=None) as killer:
        killer.query(f"KILL {victim.thread_id()}")
        wait_for(lambda: not alive(victim), "the end of the session")
        killer.ping(reconnect=False)


@pytest.mark.time_limit(120)
def test_a_kill_never_meets_a_session_of_who_has_taken_a_number_over(killers, etcd):
    """Somebody who is cut off may still have sessions with ids of the number: from other nodes nobody's are killed then."""
    for first in range(1025, 2048, 100):
        etcd.txn([f"put /weir/weir/numbers/{number} had" for number in range(first, min(first + 100, 2048))])
    one, two = killers([])
    assert "was another node's, which has not given it back" in one.log()
    with one.endpoint.connect() as victim, two.endpoint.connect() as killer:
        failed = failure(lambda: killer.query(f"KILL {victim.thread_id()}"))
        assert failed["arguments"][0] == 1105 and "its number was another node's" in failed["arguments"][1]
        victim.ping(reconnect=False)


def test_a_number_that_was_not_given_back_is_not_taken(nodes, etcd):
    one = nodes.add()
    number = here(one)["Id"]
    assert etcd.keys("/weir/weir/numbers/") == [f"/weir/weir/numbers/{number}"]
    one.stop()
    assert etcd.keys("/weir/weir/numbers/") == []
    two = nodes.add()
    number = here(two)["Id"]
    two.process.kill()
    three = nodes.add()
    assert here(three)["Id"] != number
    assert f"/weir/weir/numbers/{number}" in etcd.keys("/weir/weir/numbers/")


def test_kill_query_ends_the_statement_and_not_the_session(killers, database):
    one, two = killers([])
    with one.endpoint.connect() as victim, two.endpoint.connect() as killer:
        thread = threading.Thread(target=lambda: results.extend(run(victim, "SELECT SLEEP(30)")))
        results = []
        thread.start()
        wait_for(lambda: database.execute("SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(30)%'"),
                 "the statement to run")
        killer.query(f"KILL QUERY {victim.thread_id()}")
        thread.join(20)
        assert not thread.is_alive() and results
        victim.ping(reconnect=False)


def test_kill_of_a_session_that_nobody_has(killers):
    one, two = killers([])
    with one.endpoint.connect() as gone:
        number = gone.thread_id()
    nobodys = {int(here(one)["Id"]) << 20: 1094, number: 1094}
    for missing, expected in nobodys.items():
        wait_for(lambda missing=missing: query(two, f"KILL {missing}").get("arguments", (0,))[0] == expected, "nobody to be killed")


@pytest.mark.time_limit(90)
@ids_say_whose_they_are
def test_kill_says_that_a_node_does_not_answer(killers):
    one, two = killers([])
    with one.endpoint.connect() as victim:
        one.process.freeze()
        try:
            refused = query(two, f"KILL {victim.thread_id()}")
        finally:
            one.process.signal(signal.SIGCONT)
        assert f"node {victim.thread_id() >> 20} has not answered within" in refused["arguments"][1]


@ids_say_whose_they_are
def test_kill_needs_an_account_on_the_other_node(nodes):
    one, two = nodes.pair()
    with one.endpoint.connect() as victim:
        assert "give -backend-check-user" in query(two, f"KILL {victim.thread_id()}")["arguments"][1]
        victim.ping(reconnect=False)


# ---- etcd is away ----

@pytest.mark.time_limit(120)
def test_sessions_go_on_without_etcd_and_nodes_catch_up(nodes, etcd):
    one, two = nodes.pair()
    with one.endpoint.connect() as session:
        etcd.kill()
        wait_lost(one)
        wait_lost(two)
        assert run(session, "SELECT 7")[0]["rows"]
        (text,) = warnings(one, "FLUSH TIDB PLUGINS recorder")
        assert text.startswith("done here; the cluster is not reached")
        assert flushes(one) == 1 and flushes(two) == 0
        (text,) = warnings(one, "ADMIN SHOW NODES")
        assert text.startswith("the cluster is not reached") and len(nodes_of(one)) == 2
        etcd.launch()
        etcd.wait_answers()
        wait_for(lambda: flushes(two) == 1, "the flush that was missed", 30)
        wait_found(one)
        settled(one, etcd)
        settled(two, etcd)
        assert (flushes(one), flushes(two)) == (1, 1)
        assert run(session, "SELECT 8")[0]["rows"]


@pytest.mark.time_limit(120)
def test_a_node_that_missed_a_compaction_reads_everything_anew(nodes, etcd, tmp_path):
    one = nodes.add()
    etcd.put(KEY, "0")
    wait_for(lambda: flushes(one) == 1, "the flush")
    one.process.freeze()
    etcd.put(KEY, "1")
    etcd.put("/tidb/plugins/settings", "0")
    etcd.ctl("compact", str(etcd.revision()))
    etcd.kill()  # its connections end, so that the node has to ask from where it was
    etcd.launch()
    etcd.wait_answers()
    one.process.signal(signal.SIGCONT)
    wait_state(one, "Ready-disable")
    wait_for(lambda: flushes(one, "settings") == 1, "the flush that was missed", 30)


@pytest.mark.time_limit(90)
def test_statements_are_refused_alone_if_that_is_wanted(nodes, etcd):
    one = nodes.add("-cluster-unreached", "refuse")
    etcd.kill()
    wait_lost(one)
    for sql in ("FLUSH TIDB PLUGINS recorder", "ADMIN PLUGINS DISABLE recorder"):
        assert query(one, sql)["arguments"][1].startswith("nothing was done: the cluster is not reached")
    assert flushes(one) == 0 and state(one) == "Ready-enable"


@pytest.mark.time_limit(90)
@ids_say_whose_they_are
def test_a_node_starts_alone_and_joins_later(gateway, database, tmp_path):
    etcd = Etcd(tmp_path / "late")
    one = Nodes(gateway, database.address, etcd).add()
    try:
        assert "serving alone until the cluster is reached" in one.log()
        with one.endpoint.connect() as connection:
            assert connection.thread_id() >> 20 == 1024  # nobody else knows it
        etcd.start()
        wait_for(lambda: len(nodes_of(one)) == 1, "the node to join", 30)
        with one.endpoint.connect() as connection:
            assert connection.thread_id() >> 20 == int(here(one)["Id"])
    finally:
        etcd.stop()


@pytest.mark.time_limit(90)
def test_a_node_that_needs_its_cluster_waits_for_it(gateway, database, tmp_path):
    etcd = Etcd(tmp_path / "late")
    one = gateway(database.address, start=False, options=("-cluster", etcd.endpoints, "-cluster-required"))
    one.launch()
    try:
        one.process.wait_log("clients are not served before the cluster is reached (-cluster-required)")
        assert one.greeting()[4:5] != b"\x0a"
        etcd.start()
        one.process.wait_ready(lambda: one.greeting()[4:5] == b"\x0a", 30)
        assert here(one)
    finally:
        etcd.stop()


@pytest.mark.time_limit(120)
def test_one_of_three_etcds_may_die(gateway, database, tmp_path):
    etcd = Etcd(tmp_path / "three", members=3).start()
    try:
        one, two = Nodes(gateway, database.address, etcd).pair()
        etcd.kill(0)
        query(one, "FLUSH TIDB PLUGINS recorder")
        wait_for(lambda: flushes(two) >= 1, "the other node to flush", 60)
        wait_found(one)
        wait_found(two)
        assert len(nodes_of(one)) == 2
    finally:
        etcd.stop()


# ---- Users and TLS ----

def test_etcd_knows_who_it_talks_to(gateway, database, certificates, tmp_path):
    """TLS with a certificate of ours, and a password from a file."""
    ca, client = certificates / "ca.pem", (certificates / "client.pem", certificates / "client.key")
    etcd = Etcd(tmp_path / "tls", certificates=certificates).start()
    try:
        one = Nodes(gateway, database.address, etcd).add(
            "-cluster-ssl-ca", ca, "-cluster-ssl-cert", client[0], "-cluster-ssl-key", client[1])
        assert here(one)
    finally:
        etcd.stop()


def test_a_user_of_etcds_that_may_no_more_than_it_needs(gateway, database, etcd, tmp_path):
    """As docs/cluster.md says."""
    for words in (("user", "add", "root:root-secret"), ("role", "add", "root"), ("user", "grant-role", "root", "root"),
                  ("role", "add", "weir"), ("role", "grant-permission", "weir", "--prefix=true", "readwrite", "/weir/weir/"),
                  ("role", "grant-permission", "weir", "--prefix=true", "readwrite", "/tidb/plugins/"),
                  ("user", "add", "weir:weir-secret"), ("user", "grant-role", "weir", "weir"), ("auth", "enable")):
        etcd.ctl(*words)
    etcd.ctl_options = ("--user", "root:root-secret")
    file = tmp_path / "password"
    file.write_text("weir-secret\n")
    one, two = Nodes(gateway, database.address, etcd).pair("-cluster-user", "weir", "-cluster-password-file", file)
    assert warnings(one, "FLUSH TIDB PLUGINS recorder") == []
    wait_for(lambda: flushes(two) == 1, "the other node to flush")
    assert "weir-secret" not in one.log()
    two.stop()
    wait_for(lambda: len(nodes_of(one)) == 1, "the number to be given back")
