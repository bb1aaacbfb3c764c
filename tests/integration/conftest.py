# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one database and one gateway in front of it for the whole run, and ways to get others.

    both           runs a case direct and through the gateway, and compares (harness/both.py)
    direct, weir   the two endpoints; events: what the gateway's recorder plugin has seen
    gateway        makes further gateways with options of their own; all are stopped, and must end with status 0

WEIR_BIN names the folder of another build's programs; WEIR_TEST_OPTIONS are options that every gateway gets; WEIR_TEST_DIRECT_ONLY=1 runs the cases without a gateway;
WEIR_TEST_TLS=1 runs them with TLS on both sides (harness/certificates.py);
WEIR_TEST_BALANCER=1 puts HAProxy, which sends PROXY headers, in front of the gateway that most cases share;
WEIR_TRACE_CRASH=1 runs them with the protocol of all of them checked (harness/tracing.py); WEIR_TEST_OUTSIDE runs those
that can be against servers that somebody else has started (harness/outside.py)."""
import dataclasses
import itertools
import os
import pathlib
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from audit_log_common import AuditedGateway  # noqa: E402
from harness import accounts  # noqa: E402
from harness.balancer import BEHIND_BALANCER, Balancer  # noqa: E402
from harness.both import Both  # noqa: E402
from harness.certificates import EVERYWHERE, make_certificates, server_options  # noqa: E402
from harness.endpoint import Endpoint  # noqa: E402
from harness.etcd import Etcd  # noqa: E402
from harness.events import Events  # noqa: E402
from harness.exclusive import alone  # noqa: E402
from harness.gateway import Gateway  # noqa: E402
from harness.mariadb import MariaDB  # noqa: E402
from harness.outside import OUTSIDE, OutsideDatabase, needs_its_own, outside_gateway  # noqa: E402
from harness.packaging import build_client, package  # noqa: E402
from harness.paths import BUILD, DIRECT_ONLY, INTEGRATION, NODE, PACKAGED, ROOT, WEIR_SERVER, program  # noqa: E402
from harness.tracing import trace_clients  # noqa: E402

trace_clients()


# They begin first, so that no worker is left with a long file when the others have none. Files, and not cases, are what workers
# get (--dist loadfile): those of a file share servers.
LONGEST = ("test_logins", "test_clients", "test_trace_package", "test_result_counts", "test_docs", "test_galera", "test_backend_tls",
           "test_trace_captures", "test_proxy_protocol", "test_trace", "test_vanishing_clients", "test_backend_failures",
           "test_balancer_failures")


def pytest_configure(config):
    config.addinivalue_line("markers", "time_limit(seconds): the case may take longer than usual")
    config.addinivalue_line("markers", "gateway_only: means nothing without the gateway")
    config.addinivalue_line("markers", "greets_first(why): means nothing with WEIR_TEST_OPTIONS=-backend-first")


def pytest_collection_modifyitems(config, items):
    if OUTSIDE:
        left_out = [item for item in items if needs_its_own(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
    for item in items:
        marker = item.get_closest_marker("greets_first")
        if marker and "-backend-first" in os.environ.get("WEIR_TEST_OPTIONS", ""):
            item.add_marker(pytest.mark.skip(reason=marker.args[0]))
    if not DIRECT_ONLY:
        return
    needs = {"weir", "gateway", "events", "shared_gateway", "make_gateway"}
    for item in items:
        if needs & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("gateway_only"):
            item.add_marker(pytest.mark.skip(reason="needs the gateway, and WEIR_TEST_DIRECT_ONLY is set"))


@pytest.fixture(autouse=True)
def time_limit(request):
    """Ends a case that hangs, with a traceback of where it does. Longer ones say so: @pytest.mark.time_limit(120)."""
    marker = request.node.get_closest_marker("time_limit")
    seconds = marker.args[0] if marker else 40

    def expired(_signal, _frame):
        raise TimeoutError(f"the case took more than {seconds} s")

    previous = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """A folder for this run; short, because Unix socket paths are."""
    return tmp_path_factory.mktemp("w")


@pytest.fixture(scope="session")
def certificates(work):
    """An authority, and certificates that it has signed or not: harness/certificates.py."""
    (work / "tls").mkdir()
    return make_certificates(work / "tls")


@pytest.fixture(scope="session")
def database(request, work):
    """The private MariaDB that all the cases share."""
    if OUTSIDE:
        yield OutsideDatabase()
        return
    folder = work / "mariadb"
    folder.mkdir()
    server = MariaDB(folder, server_options(request.getfixturevalue("certificates")) if EVERYWHERE else ())
    try:
        server.start()
        server.execute(*accounts.STATEMENTS)
        yield server
        server.stop()
    finally:
        if server.process:
            server.process.kill()


@pytest.fixture(scope="module")
def other_database(request, work):
    """Makes further private databases, for the cases that kill theirs. They end with the file: dozens take gigabytes."""
    servers = []

    def make(name, *options, **where):
        folder = next(path for path in (work / f"{name}{n or ''}" for n in itertools.count()) if not path.exists())
        folder.mkdir()
        if EVERYWHERE and not any(option.startswith("--ssl-cert") for option in options):
            options = (*options, *server_options(request.getfixturevalue("certificates")))
        servers.append(MariaDB(folder, options, **where))
        servers[-1].start()
        servers[-1].execute(*accounts.STATEMENTS)
        return servers[-1]

    yield make
    for server in servers:
        server.process.kill()


@pytest.fixture(scope="session")
def plugins():
    """The folder of the plugins that the tests load, with the tests' own in it."""
    for name in ("recorder", "misbehaves", "mistakes", "settings"):
        package(INTEGRATION / "plugins" / name, PACKAGED)
    return PACKAGED


@pytest.fixture(scope="session")
def example(plugins):
    package(ROOT / "plugin" / "conn_ip_example", plugins)
    return "conn_ip_example-1"


@pytest.fixture(scope="session")
def ip_filter(plugins):
    package(ROOT / "plugin" / "ip_filter", plugins)
    return "ip_filter-1"


@pytest.fixture(scope="session")
def every_gateway():
    """The gateways that were started. Whatever happens, all are gone at the end of the run; whoever is to stop one before
    names this fixture among its arguments, since those that are asked for by name may end in any order."""
    gateways = []
    yield gateways
    for server in gateways:
        if server.process:
            server.process.kill()


@pytest.fixture(scope="session")
def make_gateway(work, plugins, every_gateway):
    """Starts gateways, each with a file for the recorder plugin."""
    assert WEIR_SERVER.exists(), f"{WEIR_SERVER} is not built; WEIR_TEST_DIRECT_ONLY=1 runs the cases without it"
    numbers = itertools.count(1)

    def make(backend=None, start=True, environment=None, **settings):
        folder = work / f"g{next(numbers)}"
        server = Gateway(folder, backend, plugins,
                         environment={"RECORDER_FILE": str(folder / "events.jsonl"), **(environment or {})}, **settings)
        server.events = Events(folder / "events.jsonl")
        server.endpoint = Endpoint("weir", server.host, server.port, server.socket)
        every_gateway.append(server)
        return server.start() if start else server

    return make


@pytest.fixture(autouse=True)
def survival(request):
    """A case that the shared gateway does not survive has failed; the next one gets it back."""
    yield
    if {"weir", "both", "endpoints", "shared_gateway"} & set(request.fixturenames) and not DIRECT_ONLY:
        server = request.getfixturevalue("shared_gateway")
        if not server.process.alive():
            status, log = server.process.process.returncode, server.log()
            server.start()
            pytest.fail(f"weir-server has ended with status {status}; its log ended with:\n{log[-3000:]}")


@pytest.fixture
def gateway(make_gateway):
    """Gateways of one test: when it is over they are stopped, and must end well."""
    made = []

    def make(*arguments, **settings):
        made.append(make_gateway(*arguments, **settings))
        return made[-1]

    yield make
    for server in made:
        if server.process and server.process.alive():
            server.stop()


@pytest.fixture(scope="session")
def shared_gateway(request, database, every_gateway):
    """The gateway that most cases go through, with the recorder plugin loaded."""
    if OUTSIDE:
        yield outside_gateway()
        return
    listed = ["-proxy-protocol-networks", "127.0.0.1,localhost"] if BEHIND_BALANCER else []
    server = request.getfixturevalue("make_gateway")(database.address, plugins=["recorder-1"], options=listed)
    yield server
    server.stop()


@pytest.fixture
def etcd(tmp_path):
    server = Etcd(tmp_path / "etcd").start()
    yield server
    server.stop()


@pytest.fixture
def audited(gateway, database, tmp_path):
    """Makes a gateway with audit_log in front of the shared database: settings are those of [plugin.audit_log]."""
    def make(environment=None, **settings):
        return AuditedGateway(gateway, database.address, tmp_path / "audit", settings=settings, environment=environment)
    return make


@pytest.fixture(scope="module")
def settings_server(make_gateway, database):
    """A gateway with the plugin whose variables and functions are tested, and with the recorder."""
    server = make_gateway(database.address, plugins=["recorder-1", "settings-1"])
    yield server
    server.stop()


@pytest.fixture(scope="session")
def weir(shared_gateway, work):
    if not BEHIND_BALANCER:
        yield shared_gateway.endpoint
        return
    balancer = Balancer(work / "balancer", f"127.0.0.1:{shared_gateway.port}", "send-proxy-v2").start()
    yield dataclasses.replace(shared_gateway.endpoint, port=balancer.port)
    balancer.stop()


@pytest.fixture
def events(shared_gateway):
    return shared_gateway.events


@pytest.fixture(scope="session")
def direct(database):
    return Endpoint("direct", database.host, database.port, database.socket)


@pytest.fixture
def small_packets(database):
    """New sessions of the server may send 1024 bytes."""
    before = database.execute("SELECT @@GLOBAL.max_allowed_packet, @@GLOBAL.net_buffer_length")[0]
    database.execute("SET GLOBAL net_buffer_length = 1024", "SET GLOBAL max_allowed_packet = 1024")
    yield
    database.execute("SET GLOBAL max_allowed_packet = %d" % before[0], "SET GLOBAL net_buffer_length = %d" % before[1])


@pytest.fixture(scope="session")
def endpoints(request, direct):
    if DIRECT_ONLY:
        return [direct, dataclasses.replace(direct, name="direct again")]
    return [direct, request.getfixturevalue("weir")]


@pytest.fixture
def both(database, endpoints):
    return Both(database, endpoints)


@pytest.fixture(scope="session")
def client():
    """Builds a client program of clients/ and returns its path."""
    return build_client


@pytest.fixture(scope="session")
def node_modules():
    """The pinned drivers, installed when the lock file is newer."""
    mark = NODE / "node_modules" / ".package-lock.json"
    with alone(BUILD / "node"):
        if mark.exists() and mark.stat().st_mtime >= (NODE / "package-lock.json").stat().st_mtime:
            return
        done = subprocess.run([program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NODE,
                              capture_output=True, text=True)
        assert done.returncode == 0, f"npm ci: {done.stderr}"
        mark.touch()
