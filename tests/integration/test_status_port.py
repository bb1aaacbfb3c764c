# SPDX-License-Identifier: Apache-2.0
"""The status port: its pages, who may read them, and what they count."""
import json
import re
import signal
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
import warnings

import pytest
from audit_log_common import AuditedGateway
from harness.observe import failure, run
from harness.paths import ROOT, program
from harness.ports import free_port
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

TOKEN = "0123456789abcdef-a-token"
OPEN_METRICS = "application/openmetrics-text"
SAMPLE = re.compile(r'(\w+)(?:\{(.*)\})? (-?[0-9.e+]+)')


def get(server, path, token=None, context=None, method="GET", **headers):
    """(status, body, headers)"""
    scheme = "https" if context else "http"
    request = urllib.request.Request(f"{scheme}://127.0.0.1:{server.status_port}{path}", method=method, headers=headers)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode(), answer.headers


def metrics(server, **request):
    """Samples by name and labels, as they are written."""
    status, body, _ = get(server, "/metrics", **request)
    assert status == 200
    samples = {}
    for line in body.splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            samples[f"{name}{{{labels}}}" if labels else name] = float(value)
    return samples


@pytest.fixture(scope="module")
def server(make_gateway, database):
    server = make_gateway(database.address, status=True, plugins=["recorder-1", "settings-1"])
    yield server
    server.stop()


@pytest.fixture
def token_file(tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    return tmp_path / "token"


# ---- The pages ----

def test_status_says_what_is_there(server, database):
    with server.endpoint.connect():
        status, body, headers = get(server, "/status")
    page = json.loads(body)
    assert status == 200 and headers["Content-Type"] == "application/json" and headers["Cache-Control"] == "no-store"
    assert page["connections"] >= 1 and page["sessions"] >= 1 and page["uptime_seconds"] >= 0 and not page["draining"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", page["version"]) and re.fullmatch(r"[0-9a-f]{12}|unknown", page["git_hash"])
    (backend,) = page["backends"]
    assert backend["address"] == database.address and backend["answers"] and "MariaDB" in backend["version"]
    assert [(plugin["name"], plugin["version"], plugin["state"]) for plugin in page["plugins"]] == [
        ("recorder", "1", "Ready-enable"), ("settings", "1", "Ready-enable")]
    assert sum(worker["connections"] for worker in page["workers"]) >= page["sessions"]


def test_other_paths_and_methods_are_errors(server):
    assert get(server, "/healthz")[:2] == (200, "ok\n") and get(server, "/readyz")[:2] == (200, "ok\n")
    assert "/metrics" in get(server, "/")[1]
    for path in ("/nothing", "/status/", "//status", "/../etc/passwd", "/" + "x" * 100):
        assert get(server, path)[0] == 404, path
    for method in ("POST", "PUT", "DELETE"):
        status, _, headers = get(server, "/status", method=method)
        assert status == 405 and headers["Allow"] == "GET, HEAD"
    assert get(server, "/metrics", method="HEAD")[:2] == (200, "")


def test_bytes_that_are_no_http_do_no_harm(server):
    for bytes_ in (b"\x00" * 100, b"GET /status\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10000 + b"\r\n", b"G" * 100000, b"\x16\x03\x01\x02\x00"):
        with socket.create_connection(("127.0.0.1", server.status_port), timeout=10) as connection:
            try:
                connection.sendall(bytes_)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
            except OSError:
                pass
    assert get(server, "/healthz")[0] == 200


def test_config_is_what_is_in_force_without_secrets(gateway, database, tmp_path, token_file):
    config = tmp_path / "weir.toml"
    config.write_text("workers = 3\n[plugin.settings]\nlimit = 12\n")
    server = gateway(database.address, status=True, plugins=["settings-1"],
                     options=["-config", config, "-connect-timeout", "7", "-status-token-file", token_file])
    assert get(server, "/config")[0] == 401
    body = get(server, "/config", token=TOKEN)[1]
    page = json.loads(body)
    assert page["options"]["workers"] == 3 and page["options"]["connect-timeout"] == 7 and page["options"]["level"] == "info"
    assert page["options"]["status"] == server.status_port and page["options"]["ssl-cert"] is None
    assert page["variables"]["settings_limit"] == "12"
    assert TOKEN not in body and "help" not in page["options"]
    with server.endpoint.connect() as connection:
        run(connection, "SET GLOBAL settings_limit = 13")
    assert json.loads(get(server, "/config", token=TOKEN)[1])["variables"]["settings_limit"] == "13"


# ---- Readiness ----

def test_ready_as_long_as_the_backend_answers(gateway, other_database):
    database = other_database("ready")
    server = gateway(database.address, status=True)
    assert get(server, "/readyz")[0] == 200 and metrics(server)[f'weir_backend_up{{backend="{database.address}"}}'] == 1
    database.process.kill()
    failure(lambda: server.endpoint.connect())  # an idle gateway looks at its backend once a minute
    wait_for(lambda: get(server, "/readyz")[0] == 503, "the status port to notice")
    assert get(server, "/readyz")[1] == "no backend answers\n" and get(server, "/healthz")[0] == 200
    assert metrics(server)[f'weir_backend_up{{backend="{database.address}"}}'] == 0
    database.start()
    wait_for(lambda: get(server, "/readyz")[0] == 200, "the backend to be found again")


def test_not_ready_while_it_drains(gateway, database):
    server = gateway(database.address, status=True)
    with server.endpoint.connect() as connection:
        connection.query("BEGIN")
        server.interrupt()
        wait_for(lambda: get(server, "/readyz")[0] == 503, "the drain")
        assert get(server, "/readyz")[1] == "the gateway is stopping\n"
        assert metrics(server)["weir_draining"] == 1
        connection.query("COMMIT")


def test_not_ready_while_it_waits_for_balancers(gateway, database):
    server = gateway(database.address, status=True, options=["-graceful-wait-before-shutdown", "60"])
    server.interrupt()
    wait_for(lambda: get(server, "/readyz")[:2] == (503, "the gateway is stopping\n"), "the wait")
    assert metrics(server)["weir_draining"] == 1
    with server.endpoint.connect() as connection:
        assert connection.query("SELECT 1")


def test_not_ready_before_clients_are_served(gateway, database):
    """A node that waits for its cluster, though its backend answers."""
    server = gateway(database.address, status=True, start=False,
                     options=["-cluster", f"http://127.0.0.1:{free_port()}", "-cluster-required"]).launch()
    wait_for(lambda: server.process.alive() and "the status port is" in server.log(), "the status port")
    wait_for(lambda: get(server, "/readyz")[:2] == (503, "clients are not served yet\n"), "the backend to be looked at")


def test_not_ready_once_a_refusing_plugin_has_failed(gateway, database):
    server = gateway(database.address, status=True, plugins=["misbehaves-1"], environment={"MISBEHAVES": "Starting"})
    with server.endpoint.raw() as connection:
        assert get(server, "/readyz")[0] == 200
        assert b"misbehaves" in connection.query("SELECT 1")[-1][1]
    status, body, _ = get(server, "/readyz")
    assert status == 503 and body == 'plugin misbehaves has failed, and its on_failure is "refuse"\n'
    found = metrics(server)
    assert found['weir_plugin_failures_total{plugin="misbehaves"}'] >= 1
    assert found['weir_refusals_total{plugin="misbehaves"}'] >= 1


def test_not_ready_without_a_refusing_plugin_that_was_skipped(gateway, database):
    server = gateway(database.address, status=True, plugins=["misbehaves-1"], options=["-skip-plugin-on-failure"],
                     environment={"MISBEHAVES": "OnInit"})
    status, body, _ = get(server, "/readyz")
    assert status == 503 and body == 'plugin misbehaves has failed, and its on_failure is "refuse"\n'
    assert metrics(server)['weir_plugin_enabled{plugin="misbehaves"}'] == 0


# ---- Who may read ----

def test_the_token_opens_all_and_health_needs_none(gateway, database, token_file):
    server = gateway(database.address, status=True, options=["-status-token-file", token_file])
    for path in ("/status", "/metrics", "/config"):
        for wrong in (None, "", TOKEN[:-1], TOKEN + "x", TOKEN.upper()):
            status, body, headers = get(server, path, token=wrong)
            assert status == 401 and headers["WWW-Authenticate"] == "Bearer" and "weir_" not in body, (path, wrong)
        assert get(server, path, Authorization=f"Basic {TOKEN}")[0] == 401
        assert get(server, path, token=TOKEN)[0] == 200
    assert get(server, "/healthz")[0] == 200 and get(server, "/readyz")[:2] == (200, "ok\n")


def test_a_browser_that_is_led_to_the_loopback_reads_nothing(gateway, server, database, token_file):
    """DNS rebinding: the page comes from evil.example, whose address has become 127.0.0.1."""
    port = server.status_port
    for host in ("evil.example", f"evil.example:{port}", "localhost.evil.example", f"127.0.0.1.evil.example:{port}", "1", "", ":80"):
        status, body, _ = get(server, "/config", Host=host)
        assert status in (400, 403) and "options" not in body, host
    for host in (f"127.0.0.1:{port}", "127.0.0.1", f"localhost:{port}", "LocalHost", f"[::1]:{port}"):
        assert get(server, "/config", Host=host)[0] == 200, host
    with_token = gateway(database.address, status=True, options=["-status-token-file", token_file])
    assert get(with_token, "/config", token=TOKEN, Host="weir.example")[0] == 200


def test_without_the_token_readiness_says_no_reasons(gateway, token_file):
    server = gateway(f"tcp://127.0.0.1:{free_port()}", status=True, options=["-status-token-file", token_file], start=False).launch()
    wait_for(lambda: "the status port is" in server.log(), "the status port")
    assert get(server, "/readyz")[:2] == (503, "not ready\n")
    assert get(server, "/readyz", token=TOKEN)[:2] == (503, "no backend answers\n")


def test_a_new_token_counts_after_a_hangup(gateway, database, token_file):
    server = gateway(database.address, status=True, options=["-status-token-file", token_file])
    token_file.write_text("another-token-of-mine\n")
    server.process.signal(signal.SIGHUP)
    wait_for(lambda: get(server, "/status", token="another-token-of-mine")[0] == 200, "the new token")
    assert get(server, "/status", token=TOKEN)[0] == 401
    token_file.write_text("short\n")
    server.process.signal(signal.SIGHUP)
    wait_for(lambda: "its first line must be a token of 16" in server.log(), "the complaint")
    assert get(server, "/status", token="another-token-of-mine")[0] == 200


def ends_with(gateway, database, *options, status=False):
    server = gateway(database.address, status=status, options=options, start=False).launch()
    wait_for(lambda: not server.process.alive(), "the end")
    assert server.process.process.returncode == 1
    return server.log()


def test_off_the_loopback_only_with_a_token(gateway, database, token_file):
    log = ends_with(gateway, database, "-status-host", "0.0.0.0", status=True)
    assert "-status-host: other machines can reach the status port there, so that it needs -status-token-file FILE" in log
    server = gateway(database.address, status=True, options=["-status-host", "0.0.0.0", "-status-token-file", token_file])
    assert get(server, "/status")[0] == 401 and get(server, "/status", token=TOKEN)[0] == 200
    assert "its token goes there in the clear; -status-tls encrypts it" in server.log()
    for host in ("::1", "127.0.0.2"):
        assert gateway(database.address, status=True, options=["-status-host", host]).process.alive()


def test_a_token_that_can_be_guessed_is_refused(gateway, database, tmp_path):
    for text, complaint in (("short\n", "must be a token of 16 to 4096 characters"), ("", "must be a token of 16"),
                            ("a token with spaces in it\n", "a token has no spaces"), (None, "it cannot be read")):
        path = tmp_path / "token"
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
        assert complaint in ends_with(gateway, database, "-status-token-file", path, status=True), text


def test_tls_with_the_servers_certificate(gateway, database):
    server = gateway(database.address, status=True, options=["-auto-tls", "-status-tls"])
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    assert get(server, "/healthz", context=context)[0] == 200
    with socket.create_connection(("127.0.0.1", server.status_port)) as plain, context.wrap_socket(plain) as encrypted:
        certificate, version = encrypted.getpeercert(binary_form=True), encrypted.version()
    assert version in ("TLSv1.2", "TLSv1.3") and b"weir automatic" in certificate
    assert metrics(server, context=context)["weir_certificate_expiry_timestamp_seconds"] > 1.7e9
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.maximum_version = old.minimum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", server.status_port)) as plain, pytest.raises((ssl.SSLError, OSError)):
        old.wrap_socket(plain)


def test_tls_takes_a_replaced_certificate_after_a_hangup(gateway, database, tmp_path):
    def make(name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout",
                        tmp_path / "key.pem", "-out", tmp_path / "cert.pem"], check=True, capture_output=True)

    def subject():
        with socket.create_connection(("127.0.0.1", server.status_port)) as plain, context.wrap_socket(plain) as encrypted:
            return encrypted.getpeercert(binary_form=True)

    make("first of them")
    server = gateway(database.address, status=True, options=["-ssl-cert", tmp_path / "cert.pem", "-ssl-key", tmp_path / "key.pem", "-status-tls"])
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    assert b"first of them" in subject()
    make("second of them")
    server.process.signal(signal.SIGHUP)
    wait_for(lambda: b"second of them" in subject(), "the new certificate")


def test_tls_needs_a_certificate(gateway, database):
    assert "-status-tls: there is no certificate; give -ssl-cert and -ssl-key, or -auto-tls" in ends_with(
        gateway, database, "-status-tls", status=True)


# ---- The port ----

def test_a_port_that_somebody_names_must_be_free(gateway, database, server, tmp_path):
    log = ends_with(gateway, database, "-report-status=true", "-status", str(server.status_port))
    assert f"cannot listen on 127.0.0.1 port {server.status_port}: Address already in use; give another port with -status" in log
    config = tmp_path / "weir.toml"
    config.write_text(f"status = {server.status_port}\n")
    assert "Address already in use" in ends_with(gateway, database, "-report-status=true", "-config", config)


def test_the_usual_port_may_be_taken(gateway, database):
    """Whoever has it, a second gateway on the machine serves all the same, and says that it has none."""
    first = gateway(database.address, options=["-report-status=true"])
    second = gateway(database.address, options=["-report-status=true"])
    with second.endpoint.connect() as connection:
        assert connection.query("SELECT 1")
    assert "there is no status port: cannot listen on 127.0.0.1 port 10080: Address already in use; give another port with -status" in second.log()
    assert first.process.alive()


def test_no_status_port_where_none_is_wanted(gateway, database):
    server = gateway(database.address)
    assert "status port" not in server.log()


# ---- What is counted ----

def test_promtool_finds_no_fault(gateway, database):
    server = gateway(database.address, status=True, plugins=["recorder-1", "settings-1"], options=["-auto-tls"])
    with server.endpoint.connect() as connection:
        for sql in ("SELECT 1", "INSERT INTO nowhere.at_all VALUES (1)", "SHOW PLUGINS", "see the settings"):
            run(connection, sql)
    checked = subprocess.run([program("promtool"), "check", "metrics"], input=get(server, "/metrics")[1], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_open_metrics_when_asked_for(server):
    _, body, headers = get(server, "/metrics", Accept=f"{OPEN_METRICS};version=1.0.0,text/plain;q=0.5")
    assert headers["Content-Type"].startswith(OPEN_METRICS) and body.endswith("\n# EOF\n") and body.count("# EOF") == 1
    assert "# TYPE weir_connections counter\nweir_connections_total " in body
    _, body, headers = get(server, "/metrics", Accept="text/plain")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4") and "# EOF" not in body
    assert "# TYPE weir_connections_total counter\nweir_connections_total " in body


def test_statements_are_counted_by_kind_and_outcome(gateway, database):
    for plugins in ([], ["settings-1"]):
        server = gateway(database.address, status=True, plugins=plugins)
        with server.endpoint.connect() as connection:
            run(connection, "CREATE TEMPORARY TABLE test.counted (a INT)")
            for sql in ("SELECT 1", "SELECT 2", "INSERT INTO test.counted VALUES (1)", "INSERT INTO test.absent VALUES (1)", "SHOW PLUGINS",
                        "SELECT 1; SELECT 2") + (("see the settings",) if plugins else ()):
                run(connection, sql)
            found = metrics(server)
            assert found['weir_sessions{state="idle"}'] == 1 and found['weir_sessions{state="running"}'] == 0

        def count(kind, outcome):
            return found.get(f'weir_statements_total{{kind="{kind}",outcome="{outcome}"}}', 0)

        assert count("Select", "ok") >= 2 and count("Insert", "ok") == 1 and count("Insert", "error") == 1
        assert count("ShowPlugins", "local") == 1 or count("Show", "local") == 1
        assert count("CreateTable", "ok") == 1
        refused = sum(value for name, value in found.items() if 'outcome="refused"' in name)
        assert refused == (1 if plugins else 0)
        if plugins:
            assert found['weir_refusals_total{plugin="settings"}'] == 1
            assert found['weir_plugin_callback_duration_seconds_count{plugin="settings"}'] > 0
        ended = sum(value for name, value in found.items() if name.startswith("weir_statements_total{"))
        assert ended == found["weir_statements_begun_total"]
        assert found["weir_statement_duration_seconds_count"] == ended - sum(
            value for name, value in found.items() if 'outcome="local"' in name)
        assert found["weir_backend_connect_duration_seconds_count"] == found["weir_backend_connections_total"]


def test_a_statement_that_waits_is_running_and_one_that_is_cut_off_is_lost(gateway, database):
    server = gateway(database.address, status=True, options=["-workers", "1"])
    with server.endpoint.connect() as other, server.endpoint.raw() as waiting:
        number = waiting.greeting.connection_id
        waiting.send(b"\x03SELECT SLEEP(100)", sequence=0)
        wait_for(lambda: metrics(server)['weir_sessions{state="running"}'] == 1, "the statement to run")
        run(other, f"KILL {number}")
        wait_for(lambda: metrics(server)['weir_sessions{state="running"}'] == 0, "its end")
        found = metrics(server)
        assert found['weir_statements_total{kind="Select",outcome="error"}'] + found['weir_statements_total{kind="Select",outcome="lost"}'] == 1


def test_rejections_are_counted_by_their_reason(gateway, database):
    server = gateway(database.address, status=True)
    failure(lambda: server.endpoint.connect(password="wrong"))
    wait_for(lambda: metrics(server)['weir_rejections_total{reason="backend_rejected"}'] == 1, "the rejection")
    with server.endpoint.connect() as connection:
        connection.query("SELECT 1")
    wait_for(lambda: metrics(server)["weir_sessions_open"] == 0, "the session's end")
    found = metrics(server)
    assert sum(value for name, value in found.items() if name.startswith("weir_sessions_ended_total{")) == 1
    assert sum(value for name, value in found.items() if name.startswith("weir_rejections_total{")) == found["weir_logins_failed_total"]


def test_prepared_statements_that_are_kept_are_counted(gateway, database):
    server = gateway(database.address, status=True, plugins=["recorder-1"])
    with server.endpoint.raw() as connection:
        connection.query("SELECT 1")
        for _ in range(3):
            connection.prepare("SELECT ?")
        wait_for(lambda: metrics(server)["weir_prepared_statements"] == 3, "three statements")
    wait_for(lambda: metrics(server)["weir_prepared_statements"] == 0, "the session's end")


@pytest.mark.time_limit(120)  # it packages audit_log
def test_what_plugins_count_is_there_as_their_manifests_say(gateway, database, tmp_path):
    server = AuditedGateway(gateway, database.address, tmp_path / "audit", status=True).server
    with server.endpoint.connect() as connection:
        connection.query("SELECT 1")
    wait_for(lambda: metrics(server)["weir_audit_log_events_total"] >= 2, "the records")
    found = metrics(server)
    assert found["weir_audit_log_lost_total"] == 0 and found["weir_audit_log_broken"] == 0
    assert found["weir_audit_log_current_size_bytes"] == found["weir_audit_log_bytes_total"] > 0


def test_the_loop_lag_grows_while_a_plugin_keeps_a_worker(gateway, database, tmp_path):
    until = tmp_path / "until"
    server = gateway(database.address, status=True, plugins=["misbehaves-1"], options=["-workers", "1"],
                     environment={"MISBEHAVES": "spin", "MISBEHAVES_UNTIL": str(until)})

    def late(found):
        return found["weir_loop_lag_seconds_count"] - found['weir_loop_lag_seconds_bucket{le="0.268435456"}']

    wait_for(lambda: metrics(server)["weir_loop_lag_seconds_count"] >= 3, "the timer")
    before = late(metrics(server))
    with server.endpoint.raw() as connection:
        connection.send(b"\x03SELECT 'spin_word'", sequence=0)
        wait_for(lambda: re.search("worker 0 has not gone on", server.log()), "the stall")
        wait_for(lambda: metrics(server)["weir_uptime_seconds"] >= 2, "the stall to be long")
        assert get(server, "/healthz")[0] == 200  # the port has a thread of its own
        until.touch()
        wait_for(lambda: late(metrics(server)) > before, "the lag")


def test_nothing_a_client_sends_is_a_label(gateway, database):
    server = gateway(database.address, status=True, plugins=["recorder-1"])
    before = set(metrics(server))
    with server.endpoint.connect() as connection:
        for number in range(50):
            run(connection, f"SELECT {number} AS column_{number} FROM table_{number}")
    failure(lambda: server.endpoint.connect(user="labelled_user"))
    more = set(metrics(server)) - before
    assert not [name for name in more if "labelled" in name or "column_" in name or "table_" in name] and len(more) < 20, more


def test_the_document_names_every_family(gateway, database):
    server = gateway(database.address, status=True, plugins=["recorder-1"], options=["-auto-tls"])
    document = (ROOT / "docs/status-port.md").read_text()
    families = re.findall(r"^# TYPE (\w+) ", get(server, "/metrics")[1], re.MULTILINE)
    assert len(families) == len(set(families)) > 40
    missing = [family for family in families if f"`{family}`" not in document]
    assert not missing, missing
