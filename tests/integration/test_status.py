# SPDX-License-Identifier: Apache-2.0
"""SHOW STATUS LIKE 'weir%': what the gateway counts, with plugins and without, in every form of SHOW STATUS."""
import re
import threading

import pytest
from harness import raw
from harness.observe import failure, run
from harness.paths import ROOT
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

NAMES = ["Weir_" + name for name in re.findall(r'X\([A-Z_]+, "(\w+)", (?:COUNTER|GAUGE)', (ROOT / "src/gateway/statement/metrics.h").read_text())]


@pytest.fixture(params=[[], ["recorder-1"], ["settings-1"]], ids=["without plugins", "recorder", "with variables"])
def server(request, gateway, database):
    return gateway(database.address, plugins=request.param)


def status(connection, sql="SHOW GLOBAL STATUS LIKE 'weir%'"):
    (result,) = run(connection, sql)
    return {name: int(value) if re.fullmatch(r"-?\d+", value) else value for name, value in result["rows"]}


def test_the_document_lists_them():
    document = (ROOT / "docs/variables.md").read_text()
    assert re.findall(r"^\| `(Weir_\w+)` \|", document, re.MULTILINE) == NAMES


@pytest.mark.parametrize("sql", ["SHOW STATUS LIKE 'weir%'", "SHOW GLOBAL STATUS LIKE 'Weir\\_%'", "SHOW SESSION STATUS LIKE 'WEIR%'",
                                 "show local status where variable_name like 'weir%'", "SHOW STATUS LIKE '%eir_%'",
                                 "/* x */ SHOW STATUS LIKE 'weir%';", "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'weir%' AND Value <> 'x'"])
def test_every_form_shows_the_rows_in_their_order(server, database, sql):
    with server.endpoint.connect() as connection:
        found = status(connection, sql)
    assert list(found) == sorted([*NAMES, "Weir_backend", "Weir_version"])
    assert found["Weir_backend"] == database.address and found["Weir_version"].startswith("0.")


def test_the_servers_own_rows_stay(server, direct):
    with server.endpoint.connect() as connection, direct.connect() as other:
        ours = [row[0] for row in run(connection, "SHOW GLOBAL STATUS")[0]["rows"]]
        theirs = [row[0] for row in run(other, "SHOW GLOBAL STATUS")[0]["rows"]]
        assert [name for name in ours if not name.startswith(("Weir_", "Settings_"))] == theirs
        assert set(NAMES) < set(ours)
        assert status(connection, "SHOW STATUS LIKE 'Weir_sessions_open'") == {"Weir_sessions_open": 1}
        assert status(connection, "SHOW STATUS LIKE 'uptime'").keys() == {"Uptime"}
        assert "error" in run(connection, "SHOW STATUS LIKE")[0]
        assert run(connection, "SHOW VARIABLES LIKE 'weir%'")[0]["rows"] == []


def test_what_is_counted(gateway, database):
    server = gateway(database.address, options=["-workers", "2", "-max-connections", "5"])
    with server.endpoint.raw() as watcher:
        def now():
            rows = watcher.query("SHOW GLOBAL STATUS LIKE 'weir%'")
            text = [payload for _, payload in rows if payload[1:6] == b"Weir_"]
            pairs = [raw_row(row) for row in text]
            return {name: int(value) for name, value in pairs if value.lstrip("-").isdigit()}

        def raw_row(row):
            size = row[0]
            return row[1:1 + size].decode(), row[2 + size:].decode()

        wait_for(lambda: now()["Weir_connections_open"] == 1, "the harness's own connection to close")
        before = now()
        sessions = [server.endpoint.connect() for _ in range(3)]
        for session in sessions:
            session.query("SELECT 1")
            run(session, "SELEC")
            session.ping()
        failure(lambda: server.endpoint.connect(password="wrong"))
        during = now()
        more = [server.endpoint.raw(login=False) for _ in range(4)]
        wait_for(lambda: now()["Weir_connections_refused"] > before["Weir_connections_refused"], "a connection too many")
        for one in [*more, *sessions]:
            one.close()
        wait_for(lambda: now()["Weir_connections_open"] == 1 and now()["Weir_backend_connections_open"] == 1, "the connections to close")
        after = now()

    def grown(name, by=during):
        return by["Weir_" + name] - before["Weir_" + name]

    assert before["Weir_sessions_open"] == before["Weir_connections_open"] == 1 and during["Weir_sessions_open"] == 4
    assert grown("sessions") == 3 and grown("connections") == 4 and grown("logins_failed") == 1
    assert grown("statements_failed") == 3 and grown("statements_refused") == 0
    assert grown("statements") >= 7 and grown("commands") >= grown("statements") + 3
    assert grown("backend_connections") == 4 and grown("backend_connections_failed") == 0
    for name in ("bytes_from_clients", "bytes_to_clients", "bytes_from_backend", "bytes_to_backend"):
        assert grown(name) > 300, name
    assert after["Weir_sessions_open"] == 1 and after["Weir_sessions"] == during["Weir_sessions"]


def test_bytes_are_those_of_the_sockets(gateway, database):
    server = gateway(database.address)
    size = 1 << 20
    with server.endpoint.connect() as connection:
        before = status(connection)
        run(connection, f"SELECT REPEAT('x', {size})")
        during = status(connection)
        run(connection, f"SELECT LENGTH('{'y' * size}')")
        after = status(connection)
    for name, first, second in (("to_clients", before, during), ("from_backend", before, during), ("from_clients", during, after),
                                ("to_backend", during, after)):
        grown = second[f"Weir_bytes_{name}"] - first[f"Weir_bytes_{name}"]
        assert size < grown < size + 10000, (name, grown)


def test_what_plugins_refuse_and_what_the_gateway_answers_is_counted(gateway, database):
    server = gateway(database.address, plugins=["settings-1"])
    with server.endpoint.connect() as connection:
        before = status(connection)
        failure(lambda: connection.query("see the settings"))
        connection.query("SHOW PLUGINS")
        after = status(connection)
    assert after["Weir_statements_refused"] - before["Weir_statements_refused"] == 1
    assert after["Weir_statements_local"] - before["Weir_statements_local"] == 2  # SHOW PLUGINS, and the SHOW STATUS itself


def test_sums_are_whole_while_all_workers_count(gateway, database):
    """Each counter is its own thread's: nothing is lost between several."""
    server = gateway(database.address, options=["-workers", "4"])
    with server.endpoint.connect() as watcher:
        before = status(watcher)["Weir_statements"]

        def work():
            with server.endpoint.connect() as connection:
                for _ in range(200):
                    connection.query("SELECT 1")

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert status(watcher)["Weir_statements"] - before == 8 * 200 + 1  # and the question at the end
        assert status(watcher)["Weir_sessions"] == 9


def test_a_backend_that_is_not_there_is_counted(gateway, other_database):
    database = other_database("counted")
    server = gateway(database.address)
    watcher = server.endpoint.connect()
    database.process.kill()
    wait_for(lambda: "error" in run_or_error(server), "the login to fail")
    database.start()
    with server.endpoint.connect() as connection:
        assert status(connection)["Weir_backend_connections_failed"] >= 1
    watcher.close()


def run_or_error(server):
    try:
        server.endpoint.connect().close()
        return {}
    except Exception as error:
        return {"error": error.args}
