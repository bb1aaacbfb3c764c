# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes a weir under load: every query of the dashboard and of the alerts has an answer, and alerts fire."""
import json
import re
import subprocess
import threading
import urllib.parse
import urllib.request

import pytest
from audit_log_common import AuditedGateway
from harness.paths import ROOT, program
from harness.ports import free_port
from harness.process import ServerProcess
from harness.waiting import wait_for

pytestmark = [pytest.mark.gateway_only, pytest.mark.time_limit(240)]

SHARE = ROOT / "share"
RULES = SHARE / "prometheus/weir.rules.yml"
# These are of others: node_exporter gives what weir-audit-chain writes.
FOREIGN = ("weir_audit_chain_intact", "weir_audit_chain_checked_timestamp_seconds")


class Prometheus:
    def __init__(self, folder, target):
        self.port = free_port()
        rules = RULES.read_text()
        # A test has no minutes: what must last is due at once, and windows are of seconds.
        rules = re.sub(r"^( *)for: .*\n", "", rules, flags=re.MULTILINE).replace("  - name: weir\n", "  - name: weir\n    interval: 1s\n")
        (folder / "weir.rules.yml").write_text(rules)
        example = (SHARE / "prometheus/prometheus.yml").read_text()
        (folder / "prometheus.yml").write_text(example.replace("127.0.0.1:10080", target).replace("scrape_interval: 15s", "scrape_interval: 1s"))
        self.process = ServerProcess("prometheus", [
            program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}"], folder)
        self.process.wait_ready(self._is_ready, 60)

    def _is_ready(self):
        try:
            return self.ask("/-/ready", parse=False)
        except OSError:
            return False

    def ask(self, path, parse=True, **parameters):
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read()
        return json.loads(text)["data"] if parse else text

    def query(self, expression):
        return self.ask("/api/v1/query", query=expression)["result"]

    def firing(self):
        return {alert["labels"]["alertname"] for alert in self.ask("/api/v1/alerts")["alerts"] if alert["state"] == "firing"}


@pytest.fixture
def prometheus(tmp_path):
    made = []

    def make(server):
        folder = tmp_path / "prometheus"
        folder.mkdir()
        made.append(Prometheus(folder, f"127.0.0.1:{server.status_port}"))
        return made[-1]

    yield make
    for one in made:
        one.process.stop()


@pytest.fixture
def load():
    """Sessions that work until the test is over."""
    over, threads = threading.Event(), []

    def work(server):
        while not over.is_set():
            try:
                with server.endpoint.connect() as connection:
                    for number in range(20):
                        connection.query(f"SELECT {number}")
                server.endpoint.connect(password="wrong").close()
            except Exception:  # the wrong password, and a backend that is gone
                over.wait(0.05)

    def begin(server):
        threads.extend(threading.Thread(target=work, args=(server,)) for _ in range(3))
        for thread in threads:
            thread.start()

    yield begin
    over.set()
    for thread in threads:
        thread.join()


def dashboard_queries():
    dashboard = json.loads((SHARE / "grafana/weir.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(found) > 40
    return [text.replace("$__rate_interval", "10s").replace("$job", "weir").replace("$instance", ".*") for text in found]


def metric_names(expression):
    return set(re.findall(r"\b(?:weir|process)_\w+", expression))


def rule_queries(prometheus):
    (group,) = prometheus.ask("/api/v1/rules")["groups"]
    return {rule["name"]: rule for rule in group["rules"]}


def test_every_query_has_an_answer_and_alerts_fire(gateway, other_database, ip_filter, tmp_path, prometheus, load):
    database = other_database("watched")
    audited = AuditedGateway(gateway, database.address, tmp_path / "audit", plugins=[ip_filter], status=True, start=False)
    (tmp_path / "ip_filter.conf").write_text("")
    with (tmp_path / "audit/weir.toml").open("a") as config:
        config.write(f'[plugin.ip_filter]\nfile = "{tmp_path}/ip_filter.conf"\n')
    server = audited.server
    server.arguments += ["-auto-tls", "-max-connections", "20"]
    server.start()
    watched = prometheus(server)
    load(server)
    wait_for(lambda: watched.query('up{job="weir"} == 1'), "the first scrape", 30)
    wait_for(lambda: watched.query("rate(weir_statements_total[10s]) > 0"), "a rate", 60)

    known = set(watched.ask("/api/v1/label/__name__/values"))
    for text in dashboard_queries():
        answer = watched.ask("/api/v1/query", query=text)  # an error of the expression is an HTTP error
        missing = {name for name in metric_names(text) if name not in known and "sql_firewall" not in name}
        assert not missing, (text, missing)
        if "> 0" not in text and "sql_firewall" not in text:
            assert answer["result"], f"{text} has no answer"

    wait_for(lambda: all(rule["health"] == "ok" for rule in rule_queries(watched).values()), "all rules to be evaluated")
    for name, rule in rule_queries(watched).items():
        assert "lastError" not in rule, (name, rule)
        missing = {metric for metric in metric_names(rule["query"]) if metric not in known and metric not in FOREIGN}
        assert not missing, (name, missing)
    assert not watched.firing() & {"WeirBackendDown", "WeirNoHealthyBackend", "WeirNearMaxConnections", "WeirAuditEventsLost"}

    crowd = [server.endpoint.raw() for _ in range(17)]
    try:
        wait_for(lambda: "WeirNearMaxConnections" in watched.firing(), "the alert of many connections", 60)
    finally:
        for one in crowd:
            one.close()
    database.process.kill()
    wait_for(lambda: {"WeirBackendDown", "WeirNoHealthyBackend"} <= watched.firing(), "the alerts of the backend", 60)
    database.start()
    wait_for(lambda: not {"WeirBackendDown", "WeirNoHealthyBackend"} & watched.firing(), "the end of these alerts", 30)


def test_the_rules_are_right_and_the_document_names_them():
    checked = subprocess.run([program("promtool"), "check", "rules", RULES], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    document = (ROOT / "docs/status-port.md").read_text()
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
    assert len(alerts) == len(set(alerts)) >= 10
    assert not [name for name in alerts if name not in document]


def test_a_broken_chain_is_found_from_cron(gateway, database, tmp_path):
    server = AuditedGateway(gateway, database.address, tmp_path / "audit", settings={"chain": True})
    with server.endpoint.connect() as connection:
        for number in range(3):
            connection.query(f"SELECT {number}")
    server.server.stop()

    def check():
        done = subprocess.run([SHARE / "prometheus/weir-audit-chain", server.path, tmp_path], capture_output=True, text=True,
                              env={"PATH": "/usr/bin:/bin", "WEIR_AUDIT": str(ROOT / "bin/weir-audit")})
        written = (tmp_path / "weir_audit_chain.prom").read_text()
        linted = subprocess.run([program("promtool"), "check", "metrics"], input=written, capture_output=True, text=True)
        assert (linted.returncode, linted.stderr) == (0, "")
        return done.returncode, written

    status, text = check()
    assert status == 0 and f'weir_audit_chain_intact{{log="{server.path}"}} 1\n' in text
    lines = server.path.read_bytes().splitlines(keepends=True)
    server.path.write_bytes(b"".join(lines[:2] + lines[3:]))
    status, text = check()
    assert status == 1 and f'weir_audit_chain_intact{{log="{server.path}"}} 0\n' in text
