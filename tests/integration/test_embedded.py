# SPDX-License-Identifier: Apache-2.0
"""The embedded database: made at the first run, kept, watched, restarted, stopped; its root; and where clients come
from, shown with network namespaces. A PROXY protocol header tells an external backend the same."""
import ipaddress
import os
import pathlib
import select
import signal
import subprocess

import pymysql
import pytest
from harness import raw
from harness.endpoint import Endpoint
from harness.namespace import Namespace, namespaces_work
from harness.observe import failure, run
from harness.paths import program
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

ROOT = {"user": "root", "password": "", "database": None}


@pytest.fixture(scope="module")
def server(make_gateway):
    """A gateway with its own database, listening everywhere."""
    server = make_gateway(host="0.0.0.0", plugins=["recorder-1"])
    server.endpoint = Endpoint("weir", "127.0.0.1", server.port, server.socket)
    with server.endpoint.connect(**ROOT) as connection:
        connection.query("CREATE DATABASE IF NOT EXISTS weir_case")
        connection.query("CREATE USER anywhere@'%'")  # without one, no host but this is let in at all
    yield server
    server.stop()


def engine_of(server):
    """The process id of the embedded mariadbd: a child of the gateway, or of what it has started."""
    children = pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/children")
    for number in (word for path in children for word in path.read_text().split()):
        if "mariadbd" in pathlib.Path(f"/proc/{number}/cmdline").read_text():
            return int(number)
    return None


def test_the_first_run_says_what_it_does_and_how_to_connect(server):
    log = server.log()
    assert "first run: initialising the embedded MariaDB in " in log
    assert "its account root@localhost has no password" in log and "set one with ALTER USER root@localhost" in log
    assert f"connect with: mariadb -h 0.0.0.0 -P {server.port} -u root\n" in log


def test_root_comes_in_without_a_password_and_is_the_administrator(server):
    with server.endpoint.connect(**ROOT) as connection:
        (result,) = run(connection, "SELECT CURRENT_USER(), VERSION()")
        assert result["rows"][0][0].startswith("root@") and "MariaDB" in result["rows"][0][1]
        assert "error" not in run(connection, "CREATE DATABASE made_by_root")[0]
        assert "error" not in run(connection, "GRANT ALL ON *.* TO tester@'%' IDENTIFIED BY 's3cret' WITH GRANT OPTION")[0]


def test_its_temporary_tables_are_its_own(server):
    """Two servers of the same pid, in containers that share /tmp, took each other's and crashed."""
    with server.endpoint.connect(**ROOT) as connection:
        (result,) = run(connection, "SELECT @@tmpdir, @@datadir")
        ((temporary, data),) = result["rows"]
    assert pathlib.Path(temporary) == pathlib.Path(data).parent / "tmp"


def test_the_shell_of_the_readme_connects(server):
    done = subprocess.run([program("mariadb"), "--no-defaults", "-h", "127.0.0.1", "-P", str(server.port), "-u", "root", "-e",
                           "SELECT 'welcome'"], capture_output=True, text=True, timeout=20)
    assert "welcome" in done.stdout, done.stderr


def test_the_engine_has_no_network_port(server):
    engine = engine_of(server)
    assert engine
    listening = subprocess.run([program("ss"), "-ltnp"], capture_output=True, text=True, check=True).stdout
    assert f"pid={engine}," not in listening


def test_the_engine_is_restarted_when_it_dies_and_kept_its_data(server):
    with server.endpoint.connect(**ROOT) as connection:
        for sql in ("CREATE OR REPLACE TABLE weir_case.kept (a INT) ENGINE=InnoDB", "INSERT INTO weir_case.kept VALUES (42)"):
            connection.query(sql)
    old = engine_of(server)
    session = server.endpoint.raw(**{**ROOT, "database": "weir_case"})
    os.kill(old, signal.SIGKILL)
    assert server.events.ended(session.greeting.connection_id)[-1]["event"] == "Disconnect"
    session.close()
    error = None

    def back():
        nonlocal error
        try:
            with server.endpoint.connect(**ROOT) as connection:
                return run(connection, "SELECT a FROM weir_case.kept")[0]["rows"]
        except Exception as refused:
            error = refused
            return None

    assert wait_for(back, f"the engine to be back; the last error was {error}", 60) == [(42,)]
    assert engine_of(server) not in (None, old)


def test_the_data_is_there_after_a_restart_of_the_gateway(gateway):
    server = gateway()
    with server.endpoint.connect(**ROOT) as connection:
        connection.query("CREATE DATABASE stays")
    engine = engine_of(server)
    server.stop()
    assert not pathlib.Path(f"/proc/{engine}").exists(), "the engine outlives the gateway"
    server.start()
    with server.endpoint.connect(**ROOT) as connection:
        assert ("stays",) in run(connection, "SHOW DATABASES")[0]["rows"]


def test_two_gateways_do_not_share_a_data_directory(gateway, server):
    second = gateway(options=["-path", str(server.folder / "data")], start=False).launch()
    assert second.process.wait(60) == 1
    with server.endpoint.connect(**ROOT) as connection:
        assert run(connection, "SELECT 1")[0]["rows"] == [(1,)]


def is_running(pid):
    """Not a process that has ended, and that nobody waits for (in a container without an init)."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("is_busy", [False, True])
def test_the_engine_dies_with_a_gateway_that_is_killed(gateway, is_busy):
    """By itself and in order, whether there is a next gateway or not; and that one can start on the same data."""
    server = gateway()
    engine = engine_of(server)
    log = server.folder / "data" / "mariadbd.log"
    with server.endpoint.raw(**ROOT) as connection:
        if is_busy:
            connection.send(b"\3SELECT SLEEP(600)")
        server.process.signal(signal.SIGKILL)
        server.process.wait()
        wait_for(lambda: not is_running(engine), "the engine's end", 60)
    assert "Shutdown complete" in log.read_text(errors="replace")
    server.start()
    assert engine_of(server) not in (None, engine)
    with server.endpoint.connect(**ROOT) as connection:
        assert run(connection, "SELECT 1")[0]["rows"] == [(1,)]


def test_a_gateway_waits_for_the_engine_of_one_that_was_killed(gateway):
    """However the gateway ends, the next one can start on the same data at once."""
    server = gateway()
    engine = engine_of(server)
    server.process.signal(signal.SIGKILL)
    server.process.wait()
    server.start()
    assert not is_running(engine) and engine_of(server)
    with server.endpoint.connect(**ROOT) as connection:
        assert run(connection, "SELECT 1")[0]["rows"] == [(1,)]


def test_an_engine_that_cannot_be_started_is_named(gateway, tmp_path):
    """It is tried again, and the gateway can be stopped meanwhile."""
    program_file = tmp_path / "mariadbd"
    program_file.write_bytes(b"\x7fELF is all that it is")
    program_file.chmod(0o755)
    server = gateway(options=["-mariadbd", program_file], start=False).launch()
    server.process.wait_log(f"starting {program_file}: Exec format error", 60)
    server.interrupt()
    assert server.process.wait(20) == 0


# ---- Where clients come from

@pytest.fixture(scope="module")
def elsewhere():
    """A network namespace that clients come from."""
    if not namespaces_work():
        pytest.skip("network namespaces need root")
    made = Namespace()
    yield made
    made.remove()


def shell_elsewhere(elsewhere, server, user, password, sql):
    return subprocess.run([*elsewhere.prefix, program("mariadb"), "--no-defaults", "--batch", "--skip-column-names", "-h", elsewhere.outside,
                           "-P", str(server.port), f"--user={user}", f"--password={password}", "-e", sql],
                          capture_output=True, text=True, timeout=20)


def test_a_remote_client_cannot_become_local_root(server, elsewhere):
    done = shell_elsewhere(elsewhere, server, "root", "", "SELECT CURRENT_USER()")
    assert done.returncode == 1 and f"ERROR 1045 (28000): Access denied for user 'root'@'{elsewhere.inside}'" in done.stderr, done.stderr
    # ... and can from here, so that it is not for another reason.
    with server.endpoint.connect(**ROOT) as connection:
        assert run(connection, "SELECT CURRENT_USER()")[0]["rows"][0][0].startswith("root@")


def test_accounts_match_the_clients_own_address(server, elsewhere):
    with server.endpoint.connect(**ROOT) as connection:
        for sql in (f"CREATE OR REPLACE USER placed@'{elsewhere.network}.%' IDENTIFIED BY 'from-there'",
                    "CREATE OR REPLACE USER placed@'127.0.0.1' IDENTIFIED BY 'from-here'"):
            connection.query(sql)
    there = shell_elsewhere(elsewhere, server, "placed", "from-there", "SELECT USER(), CURRENT_USER()")
    assert there.stdout.split() == [f"placed@{elsewhere.inside}", f"placed@{elsewhere.network}.%"], there.stderr
    assert "ERROR 1045" in shell_elsewhere(elsewhere, server, "placed", "from-here", "SELECT 1").stderr
    with server.endpoint.connect(user="placed", password="from-here", database=None) as connection:
        assert run(connection, "SELECT CURRENT_USER()")[0]["rows"][0][0].startswith("placed@")
    told = server.events.wait_for(lambda e: e["event"] == "Connected" and e["user"] == "placed" and e["host"] == elsewhere.inside,
                                  "the event")
    assert (told["client_ip"], told["client_address"], told["server_ip"]) == (
        elsewhere.inside, ipaddress.ip_address(elsewhere.inside).packed.hex(), elsewhere.outside)
    assert told["current_user"] == f"placed@{elsewhere.network}.%"


def test_a_forged_proxy_header_is_not_believed(server, elsewhere):
    """A client that says in a PROXY header of its own that it is local is refused: nobody is listed."""
    forged = (b"\r\n\r\n\0\r\nQUIT\n" + b"\x21\x11\x00\x0c" + bytes([127, 0, 0, 1, 127, 0, 0, 1, 0, 99, 0, 100]))
    script = ("import socket, sys\n"
              f"s = socket.create_connection(('{elsewhere.outside}', {server.port}), 10)\n"
              f"s.recv(1000); s.sendall({forged!r}); s.shutdown(1)\n"
              "data = s.recv(1000); sys.stdout.write(repr(data))\n")
    done = subprocess.run([*elsewhere.prefix, "/usr/bin/python3", "-c", script], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert f"Proxy header is not accepted from {elsewhere.inside}" in done.stdout


def test_an_external_backend_is_told_the_clients_address_where_it_wants_to_know(gateway, other_database, elsewhere):
    database = other_database("proxied", "--proxy-protocol-networks=127.0.0.1")
    database.execute(f"CREATE USER placed@'{elsewhere.inside}' IDENTIFIED BY 'secret'")
    server = gateway(database.address, options=["-host", "0.0.0.0", "-proxy-protocol"])
    done = shell_elsewhere(elsewhere, server, "placed", "secret", "SELECT CURRENT_USER()")
    assert done.stdout.strip() == f"placed@{elsewhere.inside}", done.stderr


@pytest.mark.parametrize("options", [(), ("-backend-first",)], ids=["as always", "backend first"])
def test_a_backend_that_does_not_take_the_header_is_named_with_the_remedy(gateway, other_database, options):
    """At start, at each login, and once more when it has been set up. With -backend-first the client's connection was closed without a word,
    since it had been greeted and had not answered yet."""
    database = other_database("unproxied" + "".join(options).replace("-", "_"))
    server = gateway(database.address, options=["-proxy-protocol", *options])
    remedy = "its proxy_protocol_networks (MariaDB) must have the gateway's address; or leave -proxy-protocol out"
    said = "Proxy header is not accepted from 127.0.0.1"
    server.process.wait_log(
        f"{database.address} does not take the PROXY header, and nobody can log in: {remedy} it_says=\"{said}\"")
    with pytest.raises(pymysql.err.OperationalError) as failed:
        server.endpoint.connect()
    assert failed.value.args == (1429, f"weir: the backend {database.address} does not take the PROXY header ({said}): {remedy}")
    server.process.wait_log(f"the backend does not take the PROXY header: {remedy} connection=")
    database.execute("SET GLOBAL proxy_protocol_networks = '127.0.0.1'")
    server.endpoint.connect().close()


def test_a_backend_beside_the_gateway_takes_everybody_for_local(gateway, database):
    server = gateway(database.address)
    assert "every client looks like localhost to it, wherever it comes from: it matches accounts such as 'root'@'localhost'" in server.log()
    server = gateway(f"unix://{database.socket}")
    assert "every client looks like localhost to it" in server.log()
    server = gateway("tcp://unknown.invalid:3306", start=False).launch()
    server.process.wait_log("every client has the gateway's host for it")


def test_a_remote_client_of_an_external_backend_is_the_gateway_otherwise(gateway, database, elsewhere):
    server = gateway(database.address, options=["-host", "0.0.0.0"])
    done = shell_elsewhere(elsewhere, server, "plain", "plain-secret", "SELECT USER()")
    assert done.stdout.strip() == "plain@localhost", done.stderr


def test_errors_before_the_engine_is_there_are_clear(gateway, tmp_path):
    server = gateway(options=["-mariadbd", str(tmp_path / "no-such-mariadbd")], start=False).launch()
    assert server.process.wait(60) == 1
    assert "no-such-mariadbd" in server.log()


# A machine of its own in what concerns names: no network, and files of /etc that know no host.
WITHOUT_NAMES = """
for file in hosts resolv.conf nsswitch.conf; do mount --bind /dev/null /etc/$file; done
exec "$@"
"""


def test_a_machine_without_etc_hosts_is_told_so(gateway):
    """It read that mariadb-install-db had failed, and the path of its output."""
    if subprocess.run(["unshare", "-m", "-n", "true"], capture_output=True).returncode:
        pytest.skip("namespaces need root")
    server = gateway(start=False, prefix=["unshare", "-m", "-n", "sh", "-c", WITHOUT_NAMES, "sh"]).launch()
    assert server.process.wait(60) == 1
    assert 'can be looked up, and mariadb-install-db goes no further then: put the line "127.0.0.1 localhost" into /etc/hosts' in server.log()


def test_a_client_that_comes_while_the_engine_starts_is_served_after_that(gateway, tmp_path):
    """The engine starts when the test says so."""
    starts, may_start, slow = tmp_path / "starts", tmp_path / "may start", tmp_path / "mariadbd"
    slow.write_text('#!/bin/sh\ncase "$*" in *--socket=*)\n'
                    f'    touch "{starts}"; until [ -e "{may_start}" ]; do sleep 0.02; done\nesac\n'
                    f'exec {program("mariadbd")} "$@"\n')
    slow.chmod(0o755)
    server = gateway(start=False, options=["-mariadbd", slow]).launch()
    wait_for(starts.exists, "the start of the engine", 30)
    with server.endpoint.raw(**ROOT, login=False) as early:
        silent = not select.select([early.socket], [], [], 0)[0]
        may_start.touch()
        assert silent, "greeted without an engine"
        early.login()
        assert early.query("SELECT 1")[3][1] == b"\x011"


def test_the_greeting_of_the_embedded_database_offers_no_less(server):
    with server.endpoint.raw(login=False) as connection:
        connection.read_greeting()
        assert connection.greeting.capabilities & raw.DEPRECATE_EOF and "MariaDB" in connection.greeting.version
    assert failure(lambda: server.endpoint.raw(user="nobody", password="x", database=None))["arguments"][0] == 1045
