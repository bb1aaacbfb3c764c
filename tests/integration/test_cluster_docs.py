# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/cluster.md run as they stand there, with other addresses: three nodes behind HAProxy, each a network
namespace, and a gateway with TiDB's PD, whose part an etcd plays."""
import os
import shutil

import pymysql
import pytest
from harness.documents import blocks
from harness.endpoint import Endpoint
from harness.etcd import Etcd
from harness.gateway import SANITIZER_OPTIONS
from harness.namespace import Namespace, Switch, namespaces_work
from harness.observe import run
from harness.packaging import package
from harness.paths import BIN, ROOT, program
from harness.ports import free_port
from harness.process import ServerProcess, sanitizer_reports
from harness.waiting import wait_for

HAS_PROGRAMS = all(shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") for name in ("etcd", "etcdctl", "haproxy"))
KEY = "/tidb/plugins/sql_firewall"
pytestmark = [pytest.mark.gateway_only, pytest.mark.time_limit(300),
              pytest.mark.skipif(not HAS_PROGRAMS, reason="etcd or HAProxy is not installed")]


class Example:
    """The document's files, and what was started of them."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        self.files = {path: text for _, path, _, text in blocks("docs/cluster.md") if path}

    def replaced(self, file, words):
        text = self.files[file]
        for old, new in words.items():
            assert old in text, f"{file} has no {old}"
            text = text.replace(old, str(new))
        return text

    def start(self, name, file, words, more="", prefix=()):
        """Runs the lines of a file, with what stands there replaced, and options at the end of the last line."""
        folder = self.folder / name
        folder.mkdir()
        (folder / "run.sh").write_text(f"cd {folder}\nPATH={BIN}:/usr/sbin:$PATH\n{self.replaced(file, words).rstrip()} {more}\n")
        process = ServerProcess(name, ["bash", folder / "run.sh"], folder, SANITIZER_OPTIONS, prefix)
        self.processes.append(process)
        return process

    def balancer(self, words):
        file = self.folder / "haproxy.cfg"
        file.write_text(self.replaced("haproxy.cfg", words))
        self.processes.append(ServerProcess("haproxy", [program("haproxy"), "-db", "-f", file], self.folder))

    def gateway(self, name, file, port, replaced, plugins, prefix=()):
        socket, data = self.folder / f"{name}.sock", self.folder / f"{name}.data"
        process = self.start(name, file, {"weir-server -host": f"exec weir-server -path {data} -socket {socket} -report-status=false -host",
                                          "-plugin-dir plugins": f"-plugin-dir {plugins}", **replaced}, prefix=prefix)
        return process, Endpoint(name, "127.0.0.1", port, str(socket))

    def end(self):
        for process in reversed(self.processes):
            if process.name.startswith("weir") and process.alive():
                assert process.stop() == 0 and not sanitizer_reports(process.log()), process.log()
        for process in self.processes:
            process.kill()


@pytest.fixture
def example(tmp_path):
    made = Example(tmp_path)
    yield made
    made.end()


@pytest.fixture
def loaded(plugins):
    for name in ("audit_log", "sql_firewall"):
        package(ROOT / "plugin" / name, plugins)
    return plugins


@pytest.fixture
def switch():
    if not namespaces_work():
        pytest.skip("no network namespaces here")
    made = Switch()
    cables = [Namespace(made) for _ in range(3)]
    yield made, cables
    for cable in cables:
        cable.remove()
    made.remove()


def answers(endpoint):
    try:
        endpoint.connect(database=None).close()
        return True
    except Exception:
        return False


def node_of(endpoint):
    """Which node a new session has come to; None: one that does not serve, which HAProxy has not noticed yet."""
    try:
        with endpoint.connect(database=None) as connection:
            return connection.thread_id() >> 20
    except pymysql.err.OperationalError:
        return None


def nodes(endpoint):
    with endpoint.connect(database=None) as connection:
        (result,) = run(connection, "ADMIN SHOW NODES")
        names = [column[0] for column in result["columns"]]
        return [dict(zip(names, row)) for row in result["rows"]]


def serves_with(endpoint, count):
    """Whether so many nodes are known where a session comes to; HAProxy may not have noticed yet that one is gone."""
    try:
        return len(nodes(endpoint)) == count
    except pymysql.err.OperationalError:
        return False


def test_three_nodes_behind_haproxy(example, loaded, switch, other_database):
    network, cables = switch
    backend = other_database("behind", host=network.outside)
    names = {f"node{number + 1}": cable.inside for number, cable in enumerate(cables)}
    for number, cable in enumerate(cables):
        own = {"NODE=node1": f"NODE={cable.inside}"}
        example.start(f"etcd{number}", "etcd.sh", {**own, **names, "/var/lib/etcd": example.folder / f"etcd{number}.data"},
                      "--unsafe-no-fsync", cable.prefix)
    gateways = [example.gateway(f"weir{number}", "weir.sh", 4000,
                                {"NODE=node1": f"NODE={cable.inside}", **names, "database:3306": f"{backend.host}:{backend.port}",
                                 "10.0.0.9": network.outside}, loaded, cable.prefix)[0]
                for number, cable in enumerate(cables)]
    port = free_port()
    example.balancer({**names, ":3306": f"127.0.0.1:{port}"})
    balanced = Endpoint("balanced", "127.0.0.1", port, "")
    wait_for(lambda: answers(balanced), "a client to be served", 60)
    wait_for(lambda: len({node_of(balanced) for _ in range(6)} - {None}) == 3, "all three to serve", 60)
    wait_for(lambda: serves_with(balanced, 3), "all three to be known")
    assert sorted(row["Address"] for row in nodes(balanced)) == sorted(f"{cable.inside}:4000" for cable in cables)
    with balanced.connect(database=None) as session:
        assert run(session, "FLUSH TIDB PLUGINS sql_firewall")[0].get("error") is None
    wait_for(lambda: all("sql_firewall" in (row["Last_flush"] or "") for row in nodes(balanced)), "all to have flushed")
    assert all("flushed: OK" in row["Last_flush"] for row in nodes(balanced))
    gateways[0].kill()
    wait_for(lambda: serves_with(balanced, 2), "the others to serve alone", 60)


def state(endpoint):
    with endpoint.connect(database=None) as connection:
        return {row[0]: row[1] for row in run(connection, "SHOW PLUGINS")[0]["rows"]}["sql_firewall"]


def test_a_gateway_with_tidbs_pd(example, loaded, database, tmp_path):
    pd = Etcd(tmp_path / "pd", members=3).start()
    try:
        port = free_port()
        _, endpoint = example.gateway("weir", "tidb.sh", port, {
            "0.0.0.0": "127.0.0.1", "-P 4001": f"-P {port}", "tcp://tidb:4000": database.address, "NODE=node1": "NODE=gateway",
            **{f"http://pd{number + 1}:2379": client for number, client in enumerate(pd.clients)}}, loaded)
        wait_for(lambda: answers(endpoint), "a client to be served", 60)
        wait_for(lambda: [row["Address"] for row in nodes(endpoint)] == ["gateway:4001"], "the node to know itself")
        pd.put(KEY, "1")  # as ADMIN PLUGINS DISABLE of a tidb-server does
        wait_for(lambda: state(endpoint) == "Ready-disable", "TiDB to be followed")
        with endpoint.connect(database=None) as connection:
            assert run(connection, "ADMIN PLUGINS ENABLE sql_firewall")[0].get("error") is None
        wait_for(lambda: pd.get(KEY) == "0", "TiDB to be told")
    finally:
        example.end()
        pd.stop()
