# SPDX-License-Identifier: Apache-2.0
"""audit_log's other ways out: sockets, the syslog, MySQL's JSON and CSV; and settings that change while it runs."""
import csv
import io
import json
import socket
import threading

import pytest
from audit_log_common import weir_audit
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only


class Shipper:
    """Takes connections on a socket and keeps what comes."""

    def __init__(self, listener):
        self.listener, self.data, self.connections = listener, b"", []
        listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection):
        while True:
            try:
                data = connection.recv(65536)
            except OSError:
                return
            if not data:
                return
            self.data += data

    def hang_up(self):
        for connection in self.connections:
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.connections = []

    def records(self):
        return [json.loads(line) for line in self.data.split(b"\n")[:-1]]


@pytest.fixture(params=["unix", "tcp"])
def shipper(request, tmp_path):
    listener = socket.socket(socket.AF_UNIX if request.param == "unix" else socket.AF_INET)
    listener.bind(str(tmp_path / "ship.sock") if request.param == "unix" else ("127.0.0.1", 0))
    shipper = Shipper(listener)
    name = listener.getsockname()
    shipper.address = f"unix://{name}" if request.param == "unix" else f"tcp://127.0.0.1:{name[1]}"
    yield shipper
    listener.close()


def ask(server, *texts):
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        for text in texts:
            cursor.execute(text)


def test_a_shipper_gets_every_record_also_after_it_hung_up(audited, shipper):
    server = audited(handler="SOCKET", socket=shipper.address)
    ask(server, "SELECT 'one'")
    wait_for(lambda: [r for r in shipper.records() if r.get("sql") == "SELECT 'one'"], "the first record")
    shipper.hang_up()
    ask(server, *[f"SELECT 'many {i}'" for i in range(50)])
    ask(server, "SELECT 'last'")
    wait_for(lambda: [r for r in shipper.records() if r.get("sql") == "SELECT 'last'"], "the last record")
    assert shipper.records()[0]["event"] == "Start"


def test_the_syslog_gets_one_datagram_a_record(audited, tmp_path):
    path = tmp_path / "log.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(path))
        syslog.settimeout(20)
        server = audited(handler="SYSLOG", syslog_socket=str(path), syslog_facility="local3", syslog_identity="audit")
        ask(server, "SELECT 'logged'")
        lines = [syslog.recv(65536) for _ in range(3)]
        while b"SELECT 'logged'" not in lines[-1]:
            lines.append(syslog.recv(65536))
    assert all(line.startswith(b"<158>") and b" audit[" in line for line in lines)  # local3 * 8 + info
    assert json.loads(lines[-1][lines[-1].index(b"{"):])["kind"] == "Select"


def test_records_too_long_for_a_datagram_come_in_parts(audited, tmp_path):
    path = tmp_path / "log.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(path))
        syslog.settimeout(20)
        server = audited(handler="SYSLOG", syslog_socket=str(path))
        long = "SELECT '" + "long \u20ac \" \t" * 60000 + "'"
        threading.Thread(target=ask, args=(server, long, "SELECT 'short'")).start()
        parts, whole = [], []
        while not any(r.get("sql") == "SELECT 'short'" for r in whole):
            datagram = syslog.recv(1 << 20)
            value = json.loads(datagram[datagram.index(b"{"):])
            (parts if "part" in value else whole).append(value)
    assert len(parts) > 3 and [p["part"] for p in parts] == list(range(1, parts[0]["parts"] + 1))
    assert json.loads("".join(p["text"] for p in parts))["sql"] == long


def test_mysqls_json_is_an_array_with_its_items(audited):
    server = audited(format="mysql_json", chain=True)
    ask(server, "CREATE OR REPLACE TABLE t (a INT)", "INSERT INTO t VALUES (1)", "SELECT * FROM t")
    server.server.stop()
    records = json.loads(server.path.read_text())
    assert [r["id"] for r in records] == list(range(1, len(records) + 1))
    assert (records[0]["class"], records[0]["event"], records[-1]["event"]) == ("audit", "startup", "shutdown")
    connect = next(r for r in records if r["event"] == "connect" and r["login"]["user"])
    assert connect["account"] == {"user": "tester", "host": "%"} and connect["connection_data"]["connection_type"] == "tcp/ip"
    access = [(r["event"], r["table_access_data"]["table"]) for r in records if r["class"] == "table_access"]
    assert ("insert", "t") in access and ("read", "t") in access
    assert "chained and intact" in weir_audit("verify", server.path).stdout


def test_csv_is_read_by_a_csv_reader(audited):
    server = audited(format="csv", chain=True)
    ask(server, "SELECT 'a,\"b\"\n' FROM DUAL")
    server.server.stop()
    rows = list(csv.DictReader(io.StringIO(server.path.read_text())))
    assert [int(row["seq"]) for row in rows] == list(range(1, len(rows) + 1))
    assert [row for row in rows if row["sql"] == "SELECT 'a,\"b\"\\n' FROM DUAL"]
    assert "chained and intact" in weir_audit("verify", server.path).stdout


def test_settings_change_while_it_runs(audited):
    server = audited()
    ask(server, "SELECT 'before'", "SET GLOBAL audit_log_strategy = 'SYNCHRONOUS'", "SET GLOBAL audit_log_chain = ON",
        "SET GLOBAL audit_log_format = 'csv'", "SELECT 'after'")
    server.server.stop()
    (old,) = server.rotated()
    assert "SELECT 'before'" in old.read_text() and "SELECT 'after'" in server.path.read_text()
    assert server.path.read_text().startswith("seq,prev,time,event,class,")
    assert weir_audit("verify", old, server.path).returncode == 0
