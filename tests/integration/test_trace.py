# SPDX-License-Identifier: Apache-2.0
"""Trace plugins inside unmodified client programs, over captures, and in the gateway at once."""
import json
import struct
import subprocess

import pytest
from harness.mariadb import MariaDB
from harness.paths import CLIENT_LIB, CLIENT_TRACE_PLUGINS, ROOT, TRACE_PLUGINS, program
from harness.tracing import untraced

WEIR_TRACE = CLIENT_LIB.parent / "bin" / "weir-trace"
STATEMENTS = "select 1, 'x'; select repeat('a', 70000); do 1; select * from mysql.db"

pytestmark = pytest.mark.skipif(not WEIR_TRACE.exists(), reason="weir-trace is not built there")


def run(arguments, plugin=None, check=True, **environment):
    """Runs a program, with a trace plugin in it."""
    variables = {**untraced(), **environment}
    if plugin:
        variables |= {"MARIADB_PLUGIN_DIR": str(CLIENT_TRACE_PLUGINS), "LIBMYSQL_PLUGINS": plugin}
    done = subprocess.run([str(argument) for argument in arguments], env=variables, check=False,
                          capture_output=True, text=True, errors="replace")
    assert not check or done.returncode == 0, done.stderr[-2000:]
    return done


def shell(database, *options, statements=STATEMENTS):
    return [program("mariadb"), "--no-defaults", "-S", database.socket, "-u", "root", *options, "-e", statements]


def python_program(database, body):
    return ["/usr/bin/python3", "-c",
            f"import MySQLdb, threading\ndef connect(): return MySQLdb.connect(unix_socket={database.socket!r}, user='root')\n"
            + body]


CLIENTS = {
    "mariadb": shell,
    "mariadb, compressed": lambda database: shell(database, "-C"),
    "mariadb, no buffering": lambda database: shell(database, "-q"),
    "mariadb-dump": lambda database: [program("mariadb-dump"), "--no-defaults", "-S", database.socket, "-u", "root",
                                      "mysql", "db", "user"],
    "mariadb-admin": lambda database: [program("mariadb-admin"), "--no-defaults", "-S", database.socket, "-u", "root",
                                       "processlist", "status", "debug", "refresh"],
    "MySQLdb": lambda database: python_program(database, "c = connect(); k = c.cursor(); k.execute('select 1'); "
                                               "k.fetchall(); c.select_db('mysql'); c.ping(); c.close()"),
    "MySQLdb, threads": lambda database: python_program(
        database, "def work():\n    c = connect(); k = c.cursor()\n    for i in range(200): k.execute('select %s', (i,)); "
        "k.fetchall()\n    c.close()\nall = [threading.Thread(target=work) for _ in range(8)]\n"
        "[t.start() for t in all]; [t.join() for t in all]"),
    "DBD::mysql": lambda database: [
        program("perl"), "-e", "use DBI; my $d = DBI->connect('DBI:mysql:mysql_server_prepare=1;mysql_socket="
        + database.socket + "', 'root', '', {RaiseError => 1}); my $s = $d->prepare('select ?, 2'); "
        "for (1..3) { $s->execute($_); $s->fetchall_arrayref; } $d->disconnect"],
}


@pytest.mark.parametrize("client", CLIENTS)
def test_an_unmodified_program_is_traced_and_keeps_to_the_protocol(database, client):
    """test_trace checks the stages, and aborts the program when one does not fit."""
    command = CLIENTS[client](database)
    plain = run(command)
    traced = run(command, "test_trace", MYSQL_TEST_TRACE_DEBUG="1", MYSQL_TEST_TRACE_CRASH="1")
    lines = [line for line in traced.stderr.split("\n") if line.startswith("test_trace: ")]
    starts = sum("Starting tracing in stage CONNECTING" in line for line in lines)
    ends = sum("Tracing connection has ended" in line for line in lines)
    assert starts == ends == (8 if "threads" in client else 1)
    assert sum("event: AUTHENTICATED" in line for line in lines) == starts
    assert not [line for line in lines if "wrong stage" in line or "invalid event" in line]
    if client.startswith("mariadb,") or client == "mariadb":
        assert traced.stdout == plain.stdout


def test_sysbench_with_threads_is_traced(database):
    database.execute("create database if not exists traced")
    options = [f"--mysql-socket={database.socket}", "--mysql-user=root", "--mysql-db=traced", "--tables=1",
               "--table-size=100"]
    run([program("sysbench"), "oltp_read_write", *options, "prepare"])
    try:
        traced = run([program("sysbench"), "oltp_read_write", *options, "--threads=4", "--events=40", "--time=0", "run"],
                     "test_trace", MYSQL_TEST_TRACE_DEBUG="1", MYSQL_TEST_TRACE_CRASH="1")
    finally:
        database.execute("drop database traced")
    assert traced.stderr.count("Tracing connection has ended") == 4
    assert "STMT_EXECUTE" in traced.stderr


def test_mydumper_with_threads_is_traced(database, tmp_path):
    """Each of its connections is another thread's."""
    database.execute("create database if not exists dumped", "create or replace table dumped.t (a int primary key, b text)",
                     "insert into dumped.t select seq, repeat('x', 1000) from dumped.seq_1_to_2000")
    try:
        traced = run([program("mydumper"), "--no-locks", "-S", database.socket, "-u", "root", "-B", "dumped", "-r", "100", "-t",
                      "4", "-o", tmp_path / "dump"], "test_trace", MYSQL_TEST_TRACE_DEBUG="1", MYSQL_TEST_TRACE_CRASH="1")
    finally:
        database.execute("drop database dumped")
    connections = {line.split(": ")[1] for line in traced.stderr.splitlines() if "SELECT /*!40001 SQL_NO_CACHE */" in line}
    assert len(connections) > 1
    assert traced.stderr.count("Starting tracing in stage CONNECTING") == traced.stderr.count("Tracing connection has ended") > 4
    dumped = "".join(path.read_text() for path in (tmp_path / "dump").glob("dumped.t.*.sql"))
    assert dumped.count("x" * 1000) == 2000


def test_simple_trace_prints_what_the_manual_shows(database):
    lines = run(shell(database, statements="select 1"), "simple_trace").stdout.split("\n")
    lines = [line for line in lines if line not in ("", "1")]
    assert lines[:4] == ["Initializing trace: stage 0", "Trace initialized", "Trace event received: stage 0, event 1",
                         "Trace event received: stage 0, event 2"]
    assert lines[-4:] == ["Trace event received: stage 4, event 12", "Trace event received: stage 4, event 16",
                          "Connection closed", "Terminating trace"]
    assert "Trace event received: stage 8, event 14" in lines


@pytest.mark.parametrize("compiler, language", [("cc", "c"), ("c++", "c++")])
def test_the_sample_compiles_with_pkg_config(database, tmp_path, compiler, language):
    flags = run(["pkg-config", "--cflags", "--libs", "weir-trace"], PKG_CONFIG_PATH=str(CLIENT_LIB / "pkgconfig")).stdout.split()
    source = ROOT / "plugin/simple_trace/simple_trace.c"
    run([compiler, "-x", language, "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", source, "-x", "none", *flags, "-o",
         tmp_path / "simple_trace.so"])
    out = run([WEIR_TRACE, "--plugin", "simple_trace", "--plugin-dir", tmp_path, "--", *shell(database)]).stdout
    assert "Terminating trace" in out


def test_a_traced_program_finds_the_librarys_other_plugins(database):
    """The library looks for those of authentication where it was told to look for this one."""
    command = [program("mariadb"), "--no-defaults", "-h", database.host, "-P", database.port, "-u", "ed", "-ped-secret", "-e",
               "select current_user()"]
    traced = run([WEIR_TRACE, "--format", "test_trace", "--", *command])
    assert "ed@%" in traced.stdout and "Using authentication plugin: client_ed25519" in traced.stderr
    folder = run(["pkg-config", "--variable=plugindir", "libmariadb"]).stdout.strip() or "/usr/lib/x86_64-linux-gnu/libmariadb3/plugin"
    told = run([WEIR_TRACE, "--format", "test_trace", "--", *command], MARIADB_PLUGIN_DIR=folder)
    assert "ed@%" in told.stdout and "Using authentication plugin: client_ed25519" in told.stderr


def test_only_one_trace_plugin_is_at_work(database):
    done = run(shell(database, statements="select 1"), "simple_trace;test_trace", MYSQL_TEST_TRACE_DEBUG="1")
    assert "Terminating trace" in done.stdout
    assert "test_trace" not in done.stderr


def test_the_calls_of_the_c_api(database, tmp_path):
    flags = run(["pkg-config", "--cflags", "--libs", "weir-trace", "libmariadb"],
                PKG_CONFIG_PATH=str(CLIENT_LIB / "pkgconfig")).stdout.split()
    client = tmp_path / "trace_api"
    run(["cc", "-Wall", "-Wextra", "-Werror", ROOT / "tests/integration/clients/trace_api.c", "-o", client, *flags])
    assert run([client, database.socket, CLIENT_TRACE_PLUGINS]).stdout.splitlines() == [
        "register 1", "find 1", "option known=1", "options 0option unknown=1", "options 1",
        "user root, thread 1, do 1",
        "second 0: Plugin simple_trace could not be loaded: linked_trace is loaded already, "
        "and only one trace plugin can be",
        "user root, thread 1, do 2", "starts 2, stops 2, events 1"]
    again = run([WEIR_TRACE, "--plugin", "simple_trace", "--", client, database.socket]).stdout
    assert again.count("Initializing trace: stage 0") == again.count("Terminating trace") == 2
    lines = run([client, database.socket, CLIENT_TRACE_PLUGINS, "simple_trace"]).stdout.splitlines()
    assert lines[:3] == ["load_v simple_trace: ", "find 1", "again 0: Plugin simple_trace could not be loaded: it is already loaded"]
    assert lines[3:5] == ["Initializing trace: stage 0", "Trace initialized"] and lines[-1] == "Terminating trace"


def test_a_login_that_is_refused_is_traced_to_its_end(database):
    command = [program("mariadb"), "--no-defaults", "-S", database.socket, "-u", "nobody", "-pwrong", "-e", "select 1"]
    done = run(command, "test_trace", check=False, MYSQL_TEST_TRACE_DEBUG="1")
    assert done.returncode == 1
    assert "Server error 1045 (28000)" in done.stderr
    assert done.stderr.count("Tracing connection has ended") == 1


@pytest.fixture(scope="module")
def tls_server(work):
    folder = work / "tls-trace"
    folder.mkdir()
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"])
    server = MariaDB(folder, [f"--ssl-cert={folder}/cert.pem", f"--ssl-key={folder}/key.pem"])
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.mark.time_limit(120)
@pytest.mark.parametrize("client, words", [("mariadb", ["-e", "select 'plain'"]), ("mariadb-dump", ["mysql", "db"]),
                                           ("mariadb-admin", ["--compress", "status"])])
def test_tls_shows_plaintext(tls_server, client, words):
    """Also in programs that have the library linked in and export nothing: mariadb-dump and mariadb-admin are such."""
    done = run([program(client), "--no-defaults", "--ssl", "-h", tls_server.host, "-P", tls_server.port, "-u", "root", *words],
               "test_trace", MYSQL_TEST_TRACE_DEBUG="1", MYSQL_TEST_TRACE_CRASH="1")
    events = [line.split("event: ")[1] for line in done.stderr.split("\n") if "event: " in line]
    assert events[5:9] == ["SEND_SSL_REQUEST", "SSL_CONNECT", "SSL_CONNECTED", "AUTH_PLUGIN"]
    assert events[-3:] == ["SEND_COMMAND", "PACKET_SENT", "DISCONNECTED"]
    said = {"mariadb": "QUERY: select 'plain'", "mariadb-dump": "FROM `db`", "mariadb-admin": "cmd: 9"}
    assert said[client] in done.stderr


# ---- recordings and captures ----

def json_events(*arguments):
    out = run([WEIR_TRACE, "--format", "json", "--show-secrets", *arguments]).stdout
    events = [json.loads(line) for line in out.splitlines()]
    for event in events:
        event.pop("connection", None)
        event.pop("time_ns", None)
    return events


def frame(from_client, number, payload, flags=0x18, port=50000):
    """One TCP segment as Ethernet has it."""
    client, server = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
    source, destination = (client, server) if from_client else (server, client)
    ports = (port, 3306) if from_client else (3306, port)
    tcp = struct.pack("!HHIIBBHHH", *ports, number & 0xffffffff, 0, 0x50, flags, 1024, 0, 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, source, destination) + tcp
    return bytes(12) + b"\x08\x00" + ip


def write_pcap(path, frames):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for second, data in enumerate(frames):
            out.write(struct.pack("<IIII", 1000 + second, 0, len(data), len(data)) + data)


def packet(sequence, payload):
    return len(payload).to_bytes(3, "little") + bytes([sequence]) + payload


OK = bytes([0, 0, 0, 2, 0, 0, 0])
COLUMN = b"\x03def\0\0\0\x01a\0\x0c\x3f\0\x01\0\0\0\x08\x81\0\0\0\0"
GREETING = (b"\x0a8.0\0\x07\0\0\0abcdefgh\0\x00\x82\x2d\x02\0\x08\0\x15" + bytes(10) + b"ijklmnopqrst\0native\0")
RESPONSE = b"\x00\x82\x08\0\0\0\0\x01\x2d" + bytes(23) + b"bob\0\0sha2\0"
ROWS = b"".join(packet(4 + i & 255, bytes([100]) + b"r" * 100) for i in range(300))
CONVERSATION = [
    ("s2c", packet(0, GREETING)), ("c2s", packet(1, RESPONSE)), ("s2c", packet(2, OK)),
    ("c2s", packet(0, b"\x03select a from t")),
    ("s2c", packet(1, b"\x01") + packet(2, COLUMN) + packet(3, b"\xfe\0\0\x02\0") + ROWS
     + packet(304 & 255, b"\xfe\0\0\x02\0")),
    ("c2s", packet(0, b"\x0e")), ("s2c", packet(1, OK)), ("c2s", packet(0, b"\x01")),
]


def segments(conversation, size, start=0):
    """The frames of a conversation from `start` on, in segments of `size` bytes."""
    numbers = {"c2s": 0xfffffff0, "s2c": 77}
    for index, (direction, data) in enumerate(conversation):
        for at in range(0, len(data), size):
            piece = data[at:at + size]
            if index >= start:
                yield frame(direction == "c2s", numbers[direction], piece)
            numbers[direction] += len(piece)


SYNS = [frame(True, 0xffffffef, b"", 2), frame(False, 76, b"", 0x12)]


@pytest.fixture
def wire_events(tmp_path):
    path = tmp_path / "wire.jsonl"
    path.write_text("".join(json.dumps({"dir": d, "hex": b.hex()}) + "\n" for d, b in CONVERSATION))
    return json_events("--wire", path)


def test_a_capture_gives_the_events_of_the_recording(tmp_path, wire_events):
    assert wire_events[-1] == {"cb": "stop"}
    assert sum(event.get("event") == "PACKET_RECEIVED" for event in wire_events) == 307
    write_pcap(tmp_path / "plain.pcap", SYNS + list(segments(CONVERSATION, 1000)))
    assert json_events("-r", tmp_path / "plain.pcap") == wire_events


def test_a_capture_in_disorder_gives_the_same(tmp_path, wire_events):
    pieces = list(segments(CONVERSATION, 500))
    middle = len(SYNS) + 4  # within the long reply: late, twice
    frames = SYNS + pieces
    frames[middle + 2], frames[middle + 5] = frames[middle + 5], frames[middle + 2]
    frames[middle + 8:middle + 8] = [frames[middle + 3], frames[middle + 7]]
    write_pcap(tmp_path / "disorder.pcap", frames)
    assert json_events("-r", tmp_path / "disorder.pcap") == wire_events


def test_a_capture_without_its_beginning_starts_at_a_command(tmp_path, wire_events):
    write_pcap(tmp_path / "middle.pcap", list(segments(CONVERSATION, 700, start=2)))
    events = json_events("-r", tmp_path / "middle.pcap")
    first = next(i for i, event in enumerate(wire_events) if event.get("event") == "SEND_COMMAND")
    assert [event["cb"] for event in events[:1]] == ["start"]
    assert events[1:] == wire_events[first:]


def test_a_capture_with_a_gap_says_so(tmp_path):
    pieces = list(segments(CONVERSATION, 500))
    del pieces[6]
    write_pcap(tmp_path / "gap.pcap", SYNS + pieces)
    done = run([WEIR_TRACE, "-r", tmp_path / "gap.pcap"])
    assert "SEND_COMMAND         Query select a from t" in done.stdout
    assert "DISCONNECTED" in done.stdout


def test_secrets_are_masked_unless_asked_for(tmp_path):
    path = tmp_path / "wire.jsonl"
    secret = [*CONVERSATION[:2], ("s2c", packet(2, b"\xfenative\0abcdefghijklmnopqrst\0")),
              ("c2s", packet(3, b"SECRETSECRETSECRETSE")), ("s2c", packet(4, OK))]
    path.write_text("".join(json.dumps({"dir": d, "hex": b.hex()}) + "\n" for d, b in secret))
    hidden = b"SECRET".hex()
    for form in (["--format", "json"], ["--format", "text", "--hex"]):
        assert hidden not in run([WEIR_TRACE, "--wire", path, *form]).stdout
        assert hidden in run([WEIR_TRACE, "--wire", path, *form, "--show-secrets"]).stdout


def test_bad_input_names_the_place(tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"dir": "c2s", "hex": "00"}\n{"dir": "up", "hex": ""}\n')
    done = run([WEIR_TRACE, "--wire", bad], check=False)
    assert done.returncode == 1 and f"{bad}:2:" in done.stderr
    assert run([WEIR_TRACE, "-r", bad], check=False).returncode == 1
    assert "one of -r" in run([WEIR_TRACE], check=False).stderr
    missing = run([WEIR_TRACE, "--plugin", "nothing", "--plugin-dir", tmp_path, "--", "true"], check=False)
    assert missing.returncode == 1 and "nothing.so" in missing.stderr


# ---- the gateway ----

def commands_of(path):
    """For each connection, in the order of their beginnings, the callbacks from its first command on."""
    connections = []
    for line in path.read_text().splitlines():
        event = json.loads(line)
        event.pop("time_ns", None)
        event.pop("connection", None)
        if event["cb"] == "start":
            connections.append([])
        elif connections[-1] or event.get("event") == "SEND_COMMAND":
            connections[-1].append(event)
    return connections


SAME = {
    "mariadb": lambda client: [program("mariadb"), "--no-defaults", "-e", STATEMENTS],
    "mariadb-dump": lambda client: [program("mariadb-dump"), "--no-defaults", "mysql", "db"],
    "a cursor": lambda client: [client("prepared"), "cursor", "SELECT seq FROM mysql.seq_1_to_25", 7],
    "parameters in pieces": lambda client: [client("prepared"), "long-data"],
    "an array of parameters": lambda client: [client("prepared"), "bulk"],
    "commands sent ahead": lambda client: [client("prepared"), "direct", "SELECT 1, 'zwei'"],
    "many commands": lambda client: [client("commands")],
}


@pytest.mark.time_limit(90)
@pytest.mark.gateway_only
@pytest.mark.parametrize("what", SAME)
def test_client_and_gateway_see_the_same_events(database, make_gateway, client, tmp_path, what):
    inside, outside = tmp_path / "gateway.json", tmp_path / "client.json"
    database.execute("drop database if exists weir_case", "create database weir_case")
    gateway = make_gateway(f"unix://{database.socket}",
                           options=["-trace-plugin", TRACE_PLUGINS / "weir_trace.so", "-trace-user", "tester"],
                           environment={"WEIR_TRACE_FORMAT": "json", "WEIR_TRACE_OUTPUT": str(inside)})
    name, *words = SAME[what](client)
    where = ["-h", gateway.host, "-P", gateway.port, "-u", "tester", "-ps3cret"] if str(name).startswith("/usr") else []
    gateway.endpoint.run(WEIR_TRACE, "--format", "json", "-o", outside, "--", name, *words[:1], *where, *words[1:])
    gateway.stop()
    assert commands_of(inside) == commands_of(outside)
