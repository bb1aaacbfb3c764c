# SPDX-License-Identifier: Apache-2.0
"""Several backends: which one a session gets, and that the failure of one is not noticed while another is there."""
import http.server
import signal
import threading

import pymysql
import pytest
from harness import raw
from harness.fake_backend import FakeBackend
from harness.packaging import package
from harness.paths import ROOT
from harness.ports import free_port
from harness.waiting import wait_for
from several_backends_common import FAST, backends, both_run, close_all, connect, pair, where  # noqa: F401
from test_status_port import metrics
from test_upstream import NAME, hosts  # noqa: F401

pytestmark = pytest.mark.gateway_only


def test_order_takes_the_first(gateway, both_run):
    first, second = both_run
    server = gateway(f"{second.address},{first.address}", options=FAST)
    assert {where(server) for _ in range(10)} == {2}


def test_tables_of_the_configuration_file(gateway, both_run, tmp_path):
    first, second = both_run
    file = tmp_path / "weir.toml"
    file.write_text(f"""
backend-policy = "weights"
[[backend]]
name = "one"
address = "{first.address}"
weight = 3
[[backend]]
name = "two"
address = "{second.address}"
""")
    server = gateway(options=("-config", str(file), *FAST))
    assert {where(server) for _ in range(40)} == {1, 2}


def test_least_connections(gateway, both_run):
    first, second = both_run
    server = gateway(f"{first.address},{second.address}", options=("-backend-policy", "least-connections", *FAST))
    sessions = [connect(server) for _ in range(10)]
    try:
        found = []
        for session in sessions:
            with session.cursor() as cursor:
                cursor.execute("SELECT @@server_id")
                found.append(cursor.fetchone()[0])
        assert sorted(found) == [1] * 5 + [2] * 5
    finally:
        for session in sessions:
            session.close()


def test_a_backend_that_is_killed_is_not_noticed_by_logins(gateway, both_run):
    first, second = both_run
    server = gateway(f"{first.address},{second.address}", options=FAST)
    session = connect(server)
    first.process.signal(signal.SIGKILL)
    first.process.wait()
    for _ in range(20):
        assert where(server) == 2
    with pytest.raises(pymysql.err.OperationalError), session.cursor() as cursor:
        cursor.execute("SELECT 1")
    server.process.wait_log("is down")
    first.start()
    wait_for(lambda: where(server) == 1, "the first backend to be used again")


@pytest.mark.time_limit(90)
def test_a_backend_that_hangs_costs_a_share_of_the_time(gateway, both_run):
    first, second = both_run
    server = gateway(f"{first.address},{second.address}", options=("-connect-timeout", "2", *FAST))
    assert where(server) == 1
    first.process.signal(signal.SIGSTOP)
    for _ in range(5):
        assert where(server) == 2
    server.process.wait_log("is down")
    first.process.signal(signal.SIGCONT)
    wait_for(lambda: where(server) == 1, "the first backend to be used again")


def test_a_backend_that_refuses_from_the_start(gateway, both_run):
    _, second = both_run
    server = gateway(f"tcp://127.0.0.1:{free_port()},{second.address}", options=FAST)
    assert where(server) == 2


def test_a_name_with_two_addresses(gateway, both_run, hosts):  # noqa: F811
    """The databases listen at the second one only, where they are: of several, a name is not down because one address is."""
    prefix, set_address = hosts
    set_address("::1", "127.0.0.1")
    first, second = both_run
    server = gateway(f"tcp://{NAME}:{first.port},{second.address}", options=FAST, prefix=prefix)
    assert {where(server) for _ in range(5)} == {1}
    assert backends(server)[f"tcp://{NAME}:{first.port}"]["State"] == "up"


def test_a_server_of_another_family_is_refused(gateway, both_run):
    """Clients choose their dialect by the version in the greeting, which comes before there is a backend."""
    first, _ = both_run

    def greets(connection):
        connection.greet(0x81BFF7DF, version=b"8.0.36")

    with_mysql = FakeBackend(greets)
    server = gateway(f"{first.address},{with_mysql.address}", options=("-backend-policy", "least-connections", *FAST))
    server.process.wait_log("put servers of one family")
    assert {where(server) for _ in range(6)} == {1}
    with_mysql.close()


def test_a_login_that_the_client_was_asked_for_says_nothing_of_the_backend(gateway):
    """A client that takes its time until the backend closes must not make it look as if it were down."""
    def asks(connection):
        connection.greet(raw.BASIC)
        connection.write(b"\xfemysql_native_password\0abcdefghijklmnopqrst\0")
        connection.read()

    pair = [FakeBackend(asks) for _ in range(2)]
    server = gateway(",".join(backend.address for backend in pair), options=FAST)
    for _ in range(5):
        with pytest.raises(pymysql.err.OperationalError) as lost:
            connect(server)
        assert lost.value.args[0] == 1429 and pair[0].address in lost.value.args[1]
    assert "is down" not in server.log()
    for backend in pair:
        backend.close()


def test_when_nobody_is_there_the_error_names_the_last(gateway, both_run):
    first, second = both_run
    server = gateway(f"{first.address},{second.address}", options=FAST)
    for database in both_run:
        database.process.signal(signal.SIGKILL)
        database.process.wait()
    with pytest.raises(pymysql.err.OperationalError) as refused:
        connect(server)
    assert refused.value.args[0] == 1429
    assert first.address in refused.value.args[1] or second.address in refused.value.args[1]


@pytest.mark.parametrize("lines, message", [
    ('[[backend]]\nadress = "tcp://a:1"\n', ':2: key "adress": no such option; did you mean "address"?'),
    ('[[backend]]\nname = "a"\n', ":1: [[backend]]: a backend without address"),
    ('[[backend]]\naddress = "tcp://a:1"\nweight = 0\n', ":3: "),
    ('[[backend]]\naddress = "tcp://a:1"\n[[backend]]\naddress = "tcp://a:1"\n', "two backends are named tcp://a:1"),
    ('backend = ["tcp://a:1"]\n', ':1: key "backend": must be a value, not a list'),
])
def test_what_is_wrong_in_the_file_stops_the_start(gateway, tmp_path, lines, message):
    file = tmp_path / "weir.toml"
    file.write_text(lines)
    server = gateway(options=("-config", str(file)), start=False).launch()
    assert server.process.wait() == 1
    assert message in server.log()


@pytest.mark.parametrize("options, message", [
    (("-backend", "tcp://a:1,,tcp://b:1"), "there is nothing between two commas"),
])
def test_what_is_wrong_in_the_options_stops_the_start(gateway, options, message):
    server = gateway(options=options, start=False).launch()
    assert server.process.wait() == 1
    assert message in server.log()


# ---- ADMIN BACKENDS ----

def admin(server, sql):
    with connect(server) as connection, connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def named(gateway, both_run, tmp_path):
    """A gateway in front of one and two, in this order."""
    file = tmp_path / "weir.toml"
    file.write_text("".join(f'[[backend]]\nname = "{name}"\naddress = "{database.address}"\n'
                            for name, database in zip(("one", "two"), both_run)))
    return gateway(options=("-config", str(file), *FAST))


def test_backends_are_shown(named, both_run):
    first, second = both_run
    wait_for(lambda: int(backends(named)["two"]["Checks"]) > 3, "two to be checked again and again")
    rows = backends(named)
    assert [rows[name]["Address"] for name in ("one", "two")] == [first.address, second.address]
    assert [rows[name]["State"] for name in ("one", "two")] == ["up", "up"]
    assert [rows[name]["Sessions"] for name in ("one", "two")] == ["1", "0"]
    assert rows["one"]["Last_error"] is None and "MariaDB" in rows["one"]["Version"]
    second.process.signal(signal.SIGKILL)
    second.process.wait()
    wait_for(lambda: backends(named)["two"]["State"] == "down", "two to be down")
    assert "refused" in backends(named)["two"]["Last_error"]


def test_backends_are_measured_each(gateway, both_run):
    first, second = both_run
    server = gateway(f"{first.address},{second.address}", options=FAST, status=True)

    def read(name, database, **labels):
        wanted = {"backend": database.address, **labels}
        return metrics(server)["weir_backend_" + name + "{" + ",".join(f'{key}="{value}"' for key, value in wanted.items()) + "}"]

    before = read("connects_total", first)
    assert {where(server) for _ in range(3)} == {1}
    assert read("connects_total", first) == before + 3 and read("connects_total", second) == 0
    assert read("connect_seconds_total", first) > 0 == read("connect_seconds_total", second)
    assert read("state", first, state="up") == 1 and read("state", first, state="down") == 0
    failed = read("checks_failed_total", second)
    second.process.signal(signal.SIGKILL)
    second.process.wait()
    wait_for(lambda: read("state", second, state="down") == 1, "the second to be down")
    assert read("state", second, state="up") == 0 and read("checks_failed_total", second) >= failed + 2
    assert read("checks_total", second) > read("checks_failed_total", second)
    with connect(server):
        wait_for(lambda: read("sessions", first) == 1, "the session to be counted")


def test_a_backend_that_is_disabled_gets_no_new_sessions(named):
    with connect(named) as session, session.cursor() as cursor:
        admin(named, "ADMIN BACKENDS DISABLE one")
        assert {where(named) for _ in range(5)} == {2}
        cursor.execute("SELECT @@server_id")  # the others stay
        assert cursor.fetchone()[0] == 1
        assert backends(named)["one"]["State"] == "disabled"
    admin(named, "ADMIN BACKENDS ENABLE one")
    assert where(named) == 1


def test_a_drain_waits_for_transactions_and_closes_the_idle(named):
    idle, busy = connect(named), connect(named, autocommit=False)
    with busy.cursor() as cursor:
        cursor.execute("START TRANSACTION")
        cursor.execute("SELECT @@server_id")
        admin(named, "ADMIN BACKENDS DRAIN one")
        idle._sock.settimeout(10)
        assert idle._sock.recv(1) == b""
        assert backends(named)["one"]["State"] == "draining"
        cursor.execute("SELECT @@server_id")
        assert cursor.fetchone()[0] == 1
        cursor.execute("COMMIT")
        busy._sock.settimeout(10)
        assert busy._sock.recv(1) == b""
    assert backends(named)["one"]["State"] == "drained"
    assert where(named) == 2
    admin(named, "ADMIN BACKENDS ENABLE one")
    assert where(named) == 1


def test_the_last_backend_stays(named):
    admin(named, "ADMIN BACKENDS DISABLE one")
    for order in ("DISABLE", "DRAIN"):
        with pytest.raises(pymysql.err.OperationalError) as refused:
            admin(named, f"ADMIN BACKENDS {order} two")
        assert "the last backend that is enabled" in refused.value.args[1]
    with pytest.raises(pymysql.err.OperationalError) as refused:
        admin(named, "ADMIN BACKENDS ENABLE three")
    assert "there is no backend three" in refused.value.args[1]
    admin(named, "ADMIN BACKENDS ENABLE one")


def test_orders_to_backends_are_events_like_any_statement(gateway, both_run):
    """Also those that fail: who has taken a backend away must stand in an audit log."""
    first, second = both_run
    server = gateway(f"{first.address},{second.address}", options=FAST, plugins=["recorder-1"])
    texts = [f"ADMIN BACKENDS {order} '{second.address}'" for order in ("DISABLE", "DRAIN", "ENABLE")] + ["ADMIN SHOW BACKENDS"]
    with connect(server) as connection, connection.cursor() as cursor:
        for text in texts:
            cursor.execute(text)
        with pytest.raises(pymysql.err.OperationalError):
            cursor.execute("ADMIN BACKENDS DRAIN nobody")
    told = [(e["event"], e["sql"]) for e in server.events.ended(connection.thread_id()) if e["point"] == "general" and "BACKENDS" in (e["sql"] or "")]
    assert told == [(event, text) for text in texts for event in ("Starting", "Completed")] + [
        ("Starting", "ADMIN BACKENDS DRAIN nobody"), ("Error", "ADMIN BACKENDS DRAIN nobody")]


# ---- Chosen by a plugin ----

@pytest.fixture(scope="module")
def router(work, plugins):
    """The plugin of the guide, taken out of the page: whoever is called "report" gets a standby."""
    guide = (ROOT / "docs/plugin-guide.md").read_text()
    block = guide[guide.index("## Which backend"):guide.index("## Helpers")]
    code = "\n".join(line[4:] for line in block.splitlines() if line.startswith("    "))
    folder = work / "router"
    folder.mkdir()
    (folder / "manifest.toml").write_text('name = "router"\nkind = "Audit"\nversion = "1"\n'
                                          'export = [{extPoint = "OnConnectionEvent", impl = "OnConnectionEvent"}]\n')
    (folder / "router.c").write_text(f"#include <string.h>\n#include <weir/plugin.h>\n#include <weir/text.h>\n{code}\n")
    package(folder, plugins)
    return "router-1"


@pytest.mark.greets_first("with -backend-first a backend is chosen before the account is known")
def test_a_plugin_routes_by_account(gateway, both_run, router, tmp_path):
    first, second = both_run
    for database in both_run:
        database.execute("CREATE OR REPLACE USER report@'%'")
    file = tmp_path / "weir.toml"
    file.write_text(f'[[backend]]\nname = "one"\naddress = "{first.address}"\n'
                    f'[[backend]]\nname = "two"\naddress = "{second.address}"\nrole = "standby"\n')
    server = gateway(options=("-config", str(file), *FAST), plugins=["recorder-1", router])
    try:
        assert {where(server) for _ in range(5)} == {1}
        assert {where(server, user="report") for _ in range(5)} == {2}
        events = [event for event in server.events.all() if event.get("user") == "report"]
        assert {event.get("backend_name") for event in events if event["event"] == "PreAuth"} == {None}
        assert {event.get("backend_name") for event in events if event["event"] == "Connected"} == {"two"}
        admin(server, "ADMIN BACKENDS DISABLE two")
        with pytest.raises(pymysql.err.OperationalError) as refused:
            where(server, user="report")
        assert refused.value.args[0] == 1429 and "name or role standby" in refused.value.args[1]
        assert where(server) == 1
    finally:
        for database in both_run:
            database.execute("DROP USER report@'%'")


def test_accounts_that_everybody_matches_are_named(gateway, pair):
    """Without the client's address 'u'@'localhost' is everybody; the check's account can see who may more that way."""
    first, _ = pair
    names = ["near@'127.%'", "more@'127.0.0.1'", "more@'%'", "schema@localhost", "schema@'127.0.0.%'", "schema@'%'", "alike@'127.%'", "alike@'%'",
             "gate@'%'", "far@'10.%'"]
    first.execute(*(f"CREATE OR REPLACE USER {name}" for name in names), "GRANT SELECT ON *.* TO alike@'127.%', alike@'%', more@'%'",
                  "GRANT SELECT, FILE ON *.* TO more@'127.0.0.1'", "GRANT INSERT ON test.* TO schema@'127.0.0.%'",
                  "GRANT INSERT ON other.* TO schema@'%'")
    options = ("-backend-check-user", "gate")
    try:
        server = gateway(first.address, options=options, environment={"WEIR_BACKEND_CHECK_PASSWORD": ""})
        server.process.wait_log("whether it has accounts that may more from the gateway's host is not known; give the account")
        server.stop()
        first.execute("GRANT SELECT ON mysql.* TO gate@'%'")
        server = gateway(first.address, options=options, environment={"WEIR_BACKEND_CHECK_PASSWORD": ""})
        server.process.wait_log("clients from everywhere match these accounts")
        line = next(line for line in server.log().splitlines() if "these accounts" in line)
        assert 'elsewhere: "more@127.0.0.1, near@127.%, root@localhost, schema@127.0.0.%". Drop them' in line
    finally:
        first.execute(f"DROP USER {', '.join(names)}")


# ---- The backend first ----

def test_the_backend_is_chosen_before_the_greeting(gateway, both_run):
    """With -backend-first each session is greeted by the backend that it gets, under an id of the gateway's."""
    first, second = both_run
    server = gateway(f"{first.address},{second.address}",
                     options=("-backend-first", "-backend-policy", "least-connections", *FAST), plugins=["recorder-1"])
    sessions = [connect(server) for _ in range(6)]
    try:
        found = []
        for session in sessions:
            with session.cursor() as cursor:
                cursor.execute("SELECT @@server_id, CONNECTION_ID()")
                number, backend_id = cursor.fetchone()
                found.append(number)
                assert backend_id != session.thread_id()
        assert sorted(found) == [1] * 3 + [2] * 3
        assert len({session.thread_id() for session in sessions}) == 6
    finally:
        close_all(*sessions)
    with raw.RawConnection(server.host, server.port, user="root", capabilities=raw.BASIC & ~raw.PLUGIN_AUTH) as old:
        assert old.query("SELECT 1")[-1][1][:1] != b"\xff"
        told = server.events.wait_for(lambda event: event.get("connection_id") == old.greeting.connection_id, "its events")
    assert told["event"] == "PreConnect"


def test_a_backend_that_is_killed_is_not_noticed_by_greetings(gateway, both_run):
    first, second = both_run
    server = gateway(f"{first.address},{second.address}", options=("-backend-first", *FAST))
    assert where(server) == 1
    first.process.signal(signal.SIGKILL)
    first.process.wait()
    for _ in range(20):
        assert where(server) == 2
    first.start()
    wait_for(lambda: where(server) == 1, "the first backend to be used again")


def test_a_plugin_cannot_route_by_account_once_the_client_was_greeted(gateway, both_run, router):
    """weir_choose_backend() says in PreAuth that it is too late; the guide's plugin refuses then."""
    first, second = both_run
    server = gateway(f"{first.address},{second.address}", options=("-backend-first", *FAST), plugins=[router])
    with pytest.raises(pymysql.err.OperationalError) as refused:
        where(server, user="report")
    assert "no backend can be chosen here" in refused.value.args[1]
    assert where(server) == 1


@pytest.fixture
def status_ports():
    """Two of TiDB's status ports, which answer with .code."""
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.paths.append(self.path)
            self.send_response(self.server.code)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Page) for _ in range(2)]
    for server in servers:
        server.code, server.paths = 200, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_server_that_is_about_to_stop_is_left(gateway, both_run, status_ports, tmp_path):
    """As a TiDB in its graceful-wait-before-shutdown says by its status port, while its other one goes on."""
    file = tmp_path / "weir.toml"
    file.write_text("".join(f'[[backend]]\nname = "{name}"\naddress = "{database.address}"\nstatus-port = {port.server_port}\n'
                            for name, database, port in zip(("one", "two"), both_run, status_ports)))
    server = gateway(options=("-config", str(file), *FAST))
    assert where(server) == 1
    with connect(server) as stays, stays.cursor() as cursor:
        for code in (500, 302):  # what it points to is not followed
            status_ports[0].code = code
            wait_for(lambda: backends(server)["one"]["State"] == "down", "the check to fail")
            assert f"/status answers {code}" in backends(server)["one"]["Last_error"]
            assert where(server) == 2
            cursor.execute("SELECT @@server_id")
            assert cursor.fetchone()[0] == 1  # who is there stays
            status_ports[0].code = 200
            wait_for(lambda: backends(server)["one"]["State"] == "up", "the check to succeed")
            assert where(server) == 1
    status_ports[0].shutdown()
    status_ports[0].server_close()
    wait_for(lambda: backends(server)["one"]["State"] == "down", "a port that does not answer to be noticed")
    assert "does not answer" in backends(server)["one"]["Last_error"]
    assert set(status_ports[0].paths) == {"/status"}
