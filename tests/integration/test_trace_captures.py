# SPDX-License-Identifier: Apache-2.0
"""Captures of real conversations: on any port, with TLS and its key log, with bytes missing."""
import json
import re
import shutil
import signal
import ssl
import struct
import subprocess

import pymysql
import pytest
from harness.mariadb import MariaDB
from harness.paths import BIN
from harness.tracing import untraced
from harness.waiting import wait_for
from test_trace import CONVERSATION, SYNS, frame, segments, write_pcap

WEIR_TRACE = BIN / "weir-trace"
TCPDUMP = "/usr/bin/tcpdump"

pytestmark = pytest.mark.skipif(not WEIR_TRACE.exists(), reason="weir-trace is not built there")


def trace(*arguments, environment=None):
    return subprocess.run([str(argument) for argument in (WEIR_TRACE, *arguments)], env=environment or untraced(),
                          check=False, capture_output=True, text=True, errors="replace")


# ---- what was found, and what was not ----

def test_conversations_are_found_on_any_port_and_counted(tmp_path):
    write_pcap(tmp_path / "any.pcap", [bytes(frame_).replace(struct.pack("!H", 3306), struct.pack("!H", 7788))
                                       for frame_ in SYNS + list(segments(CONVERSATION, 1000))])
    done = trace("-r", tmp_path / "any.pcap")
    assert "SEND_COMMAND         Query select a from t" in done.stdout and done.returncode == 0
    assert re.search(r"weir-trace: \d+ packets, \d+ of TCP; 1 conversation, 0 bytes missing", done.stderr)
    assert trace("-r", tmp_path / "any.pcap", "--port", 7788).stdout == done.stdout


@pytest.mark.parametrize("options, words", [(["--port", 4406], "no conversations with a server at port 4406"),
                                            ([], "no conversations of the MySQL protocol")])
def test_nothing_found_is_an_error(tmp_path, options, words):
    """It was nothing at all, and exit code 0, where the port was another."""
    other = [frame(True, 1, b"GET / HTTP/1.1\r\n\r\n"), frame(False, 1, b"HTTP/1.1 200 OK\r\n\r\n")]
    write_pcap(tmp_path / "other.pcap", other)
    done = trace("-r", tmp_path / "other.pcap", *options)
    assert done.returncode == 1 and done.stdout == ""
    assert words in done.stderr and "2 packets, 2 of TCP; 0 conversations" in done.stderr


def test_an_empty_capture_or_recording_is_an_error(tmp_path):
    write_pcap(tmp_path / "empty.pcap", [])
    (tmp_path / "empty.jsonl").write_text("\n")
    assert "nothing was captured" in trace("-r", tmp_path / "empty.pcap").stderr
    assert trace("-r", tmp_path / "empty.pcap").returncode == 1
    assert "is empty" in trace("--wire", tmp_path / "empty.jsonl").stderr


def test_a_link_type_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "wifi.pcap"
    path.write_bytes(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 105))
    assert "link type IEEE802_11 (105)" in trace("-r", path).stderr


def test_packets_that_were_cut_short_are_said(tmp_path):
    path = tmp_path / "cut.pcap"
    frames = SYNS + list(segments(CONVERSATION, 1000))
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 200, 1))
        for second, data in enumerate(frames):
            out.write(struct.pack("<IIII", 1000 + second, 0, min(len(data), 200), len(data)) + data[:200])
    done = trace("-r", path)
    cut = sum(len(data) > 200 for data in frames)
    assert f"{cut} packets were cut short" in done.stderr and "tcpdump -s 0" in done.stderr
    assert re.search(r"1 conversation, [1-9]\d+ bytes missing", done.stderr)


def test_times_without_a_beginning_count_from_the_first_command(tmp_path):
    """They were 18446744073.7 s: the difference of times without a sign."""
    write_pcap(tmp_path / "middle.pcap", list(segments(CONVERSATION, 700, start=2)))
    lines = trace("-r", tmp_path / "middle.pcap").stdout.splitlines()
    times = [float(line.split()[1]) for line in lines]
    assert times[0] == 0 and times == sorted(times) and times[-1] < 100


def test_a_clock_that_was_set_back_gives_times_below_zero(tmp_path):
    path = tmp_path / "back.pcap"
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for number, data in enumerate(SYNS + list(segments(CONVERSATION, 5000))):
            out.write(struct.pack("<IIII", 1000 - number, 0, len(data), len(data)) + data)
    times = [float(line.split()[1]) for line in trace("-r", path).stdout.splitlines()]
    assert times[0] == 0 and -100 < times[-1] < 0


# ---- TLS ----

@pytest.fixture(scope="module", params=["TLSv1.2", "TLSv1.3"])
def tls_server(request, work):
    folder = work / request.param
    folder.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    server = MariaDB(folder, [f"--ssl-cert={folder}/cert.pem", f"--ssl-key={folder}/key.pem",
                              f"--tls-version={request.param}"])
    try:
        server.version = request.param
        yield server.start()
    finally:
        server.stop()


class Capture:
    """tcpdump of one server's port; the caller waits for what it has to hold."""

    def __init__(self, folder, port):
        self.path, self.port = folder / "capture.pcap", port
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen([TCPDUMP, "-i", "lo", "-U", "-w", self.path, "-B", "16384", "-Z", "root",
                                         f"tcp port {self.port}"], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "listening on" in line:
                return self
        pytest.skip("tcpdump may not capture here")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.process.stderr.close()


def need_tcpdump():
    try:
        subprocess.run([TCPDUMP, "--version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there is no tcpdump")


def talk(server, keylog, ciphers=None):
    """A client whose TLS library writes a key log."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.keylog_filename = str(keylog)
    if ciphers:
        context.set_ciphers(ciphers)
    connection = pymysql.connect(host=server.host, port=server.port, user="root", ssl=context)
    with connection.cursor() as cursor:
        cursor.execute("select 'seen through TLS', %s", ("x" * 40000,))
        assert cursor.fetchall()[0][1] == "x" * 40000
        with pytest.raises(pymysql.err.ProgrammingError):
            cursor.execute("select * from mysql.nowhere")
    cipher = connection._sock.cipher()[0]
    connection.close()
    return cipher


def captured(server, folder, *arguments, **options):
    """The capture of a talk, complete: it holds the end of the connection. Returns path and cipher."""
    with Capture(folder, server.port) as capture:
        cipher = talk(server, *arguments, **options)
        wait_for(lambda: closed(capture.path), "the end of the connection in the capture")
    return capture.path, cipher


def closed(path):
    """Both sides have said FIN."""
    out = subprocess.run([TCPDUMP, "-nr", path, "tcp[tcpflags] & (tcp-fin|tcp-rst) != 0"], check=False, capture_output=True,
                         text=True).stdout
    return len(out.splitlines()) >= 2


CIPHERS = {"TLSv1.2": ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305",
                       "AES128-GCM-SHA256"], "TLSv1.3": [None]}


def test_tls_is_read_with_the_clients_key_log(tls_server, tmp_path):
    need_tcpdump()
    for ciphers in CIPHERS[tls_server.version]:
        keylog = tmp_path / "keys.log"
        path, cipher = captured(tls_server, tmp_path, keylog, ciphers=ciphers)
        assert not ciphers or cipher == ciphers
        done = trace("-r", path, "--keylog", keylog)
        assert done.returncode == 0 and "is not shown" not in done.stderr
        assert "Query select 'seen through TLS'" in done.stdout and "ERR 1146" in done.stdout
        assert "40" in done.stdout and "AUTHENTICATED" in done.stdout
        through_environment = trace("-r", path, environment={**untraced(), "SSLKEYLOGFILE": str(keylog)})
        assert through_environment.stdout == done.stdout


def test_tls_without_its_keys_says_why_it_ends(tls_server, tmp_path):
    need_tcpdump()
    keylog = tmp_path / "keys.log"
    path, _cipher = captured(tls_server, tmp_path, keylog)
    bare = trace("-r", path)
    assert bare.returncode == 0 and "SSL_CONNECT" in bare.stdout and "seen through" not in bare.stdout
    assert "goes on in TLS, which is not shown: there is no key log" in bare.stderr and "SSLKEYLOGFILE" in bare.stderr
    (tmp_path / "other.log").write_text("# none\n")
    other = trace("-r", path, "--keylog", tmp_path / "other.log")
    assert "the key log has no secret for its client random" in other.stderr
    wrong = re.sub(r"[0-9a-f]{4}$", "beef", keylog.read_text(), flags=re.MULTILINE)
    (tmp_path / "wrong.log").write_text(wrong)
    assert "does not fit its key" in trace("-r", path, "--keylog", tmp_path / "wrong.log").stderr
    missing = trace("-r", path, "--keylog", tmp_path / "missing.log")
    assert missing.returncode == 1 and "key log" in missing.stderr and "No such file" in missing.stderr


# ---- summaries ----

def plain_talk(server, statements):
    """Runs statements one by one, without TLS; some fail. Returns how many rows were read."""
    rows = 0
    connection = pymysql.connect(host=server.host, port=server.port, user="root", ssl_disabled=True, autocommit=True)
    with connection.cursor() as cursor:
        for statement in statements:
            try:
                cursor.execute(statement)
                rows += len(cursor.fetchall())
            except pymysql.err.Error:
                pass
    connection.close()
    return rows


@pytest.fixture(scope="module")
def summarised(database, tmp_path_factory):
    """A capture of statements, and how many rows there were."""
    need_tcpdump()
    folder = tmp_path_factory.mktemp("summary")
    with Capture(folder, database.port) as capture:
        rows = plain_talk(database, ["create or replace temporary table mysql.s (a int)",
                                     *[f"insert into mysql.s values ({i}), ({i})" for i in range(40)],
                                     *[f"select a from mysql.s where a < {i}" for i in range(30)],
                                     *[f"select '{i}' from mysql.no_such_table" for i in range(20)],
                                     "select sleep(0.05)"])
        wait_for(lambda: closed(capture.path), "the end of the connection in the capture")
    return capture.path, rows


def summary_of(path, *options):
    done = trace("-r", path, "--summary", "--format", "json", *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_summary_counts_by_digest_and_client(summarised):
    path, rows = summarised
    told = summary_of(path, "--top", 0)
    by_text = {row["statement"]: row for row in told["statements"]}
    insert = by_text["insert into `mysql` . `s` values ( ... )"]
    assert (insert["count"], insert["affected_rows"], insert["errors"]) == (40, 80, 0)
    failed = by_text["select ? from `mysql` . `no_such_table`"]
    assert (failed["count"], failed["errors"], failed["rows"]) == (20, 20, 0)
    select = by_text["select `a` from `mysql` . `s` where `a` < ?"]
    assert select["count"] == 30 and select["rows"] == rows - 1
    assert select["p50_ms"] <= select["p95_ms"] <= select["max_ms"] <= select["total_ms"]
    assert by_text["select `sleep` ( ? )"]["max_ms"] >= 50
    assert told["errors"] == 20 and told["unanswered"] == 0
    assert told["count"] == sum(row["count"] for row in told["statements"])
    (client,) = told["clients"]
    assert client["client"] == "root@127.0.0.1" and client["count"] == told["count"] and client["rows"] == rows
    assert [row["total_ms"] for row in told["statements"]] == sorted((row["total_ms"] for row in told["statements"]), reverse=True)


def test_a_summary_as_text_has_the_same_figures(summarised):
    path, _rows = summarised
    told = summary_of(path, "--top", 3)
    lines = trace("-r", path, "--summary", "--top", 3).stdout.splitlines()
    assert lines[0].startswith(f"{told['count']} commands in ") and "20 with an error" in lines[0]
    assert [line.split()[0] for line in lines[3:6]] == [str(row["count"]) for row in told["statements"]]
    assert lines[6] == f"... and {told['statements_left_out']} more"


def test_prepared_statements_are_counted_by_their_text(tmp_path):
    """What is executed by an id is the statement that was prepared."""
    from test_trace import GREETING, OK, RESPONSE, packet
    prepared = [("c2s", packet(0, b"\x16insert into t values (?)")), ("s2c", packet(1, b"\0\7\0\0\0" + bytes(7)))]
    execution = [("c2s", packet(0, b"\x17\7\0\0\0\0\1\0\0\0")), ("s2c", packet(1, b"\0\1\0\2\0\0\0"))]
    talk_ = [("s2c", packet(0, GREETING)), ("c2s", packet(1, RESPONSE)), ("s2c", packet(2, OK)), *prepared, *execution * 3,
             ("c2s", packet(0, b"\x19\7\0\0\0")), ("c2s", packet(0, b"\x17\7\0\0\0\0\1\0\0\0"))]
    write_pcap(tmp_path / "prepared.pcap", SYNS + list(segments(talk_, 1000)))
    told = summary_of(tmp_path / "prepared.pcap")
    counts = {row["statement"]: (row["count"], row["affected_rows"], row["unanswered"]) for row in told["statements"]}
    assert counts == {"insert into `t` values ( ? )": (3, 3, 0), "(prepare) insert into `t` values ( ? )": (1, 0, 0),
                      "(Close stmt)": (1, 0, 0), "(Execute)": (1, 0, 1)}
    assert told["clients"][0]["client"] == "bob@10.0.0.1"


@pytest.mark.skipif(not shutil.which("pt-query-digest"), reason="there is no pt-query-digest")
def test_a_summary_agrees_with_pt_query_digest(summarised, database, tmp_path):
    path, _rows = summarised
    text = tmp_path / "capture.txt"
    with open(text, "wb") as out:
        subprocess.run([TCPDUMP, "-s", "65535", "-x", "-nn", "-q", "-tttt", "-r", path], check=True, stdout=out,
                       stderr=subprocess.DEVNULL)
    done = subprocess.run(["pt-query-digest", "--type", "tcpdump", "--watch-server", f"{database.host}:{database.port}", "--limit",
                           "100%", "--output", "json", "--no-version-check", text], check=True, capture_output=True, text=True)
    theirs = json.loads(done.stdout[done.stdout.index("{"):])
    ours = summary_of(path, "--top", 0)
    their_counts = sorted(each["query_count"] for each in theirs["classes"])
    # It reports a COM_QUIT only where it finds something wrong with the end of the connection.
    our_counts = [row["count"] for row in ours["statements"]]
    quits = [row["count"] for row in ours["statements"] if row["statement"] == "(Quit)"]
    assert sorted(their_counts + quits) == sorted(our_counts) or their_counts == sorted(our_counts), done.stderr
    total = float(theirs["global"]["metrics"]["Query_time"]["sum"]) * 1000
    assert abs(total - sum(row["total_ms"] for row in ours["statements"])) < max(1, total / 100)


def test_a_summary_is_for_captures(tmp_path):
    assert "--summary is for captures" in trace("--summary", "--", "true").stderr
    assert "--summary is for captures" in trace("--summary", "--format", "test_trace", "-r", "x").stderr


def test_a_live_interface_is_traced_until_it_is_interrupted(database, tmp_path):
    out = tmp_path / "events.txt"
    process = subprocess.Popen([WEIR_TRACE, "-i", "lo", "-o", out], stderr=subprocess.PIPE, text=True, env=untraced())
    try:
        def seen():
            if process.poll() is not None:
                pytest.skip(f"this process may not capture: {process.stderr.read()}")
            plain_talk(database, ["select 'seen live'"])
            return out.exists() and "seen live" in out.read_text(errors="replace")
        wait_for(seen, "the statement on the interface")
    finally:
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 0
    assert re.search(r"[1-9]\d* conversations?, \d+ bytes? missing", errors)
