# SPDX-License-Identifier: Apache-2.0
"""weir-replay: recorded conversations into a plugin, without a server; and the plugin that pluginpkg -new writes."""
import json
import os
import re
import shutil
import subprocess

import pymysql
import pytest
from harness.packaging import sanitized
from harness.paths import BIN, PLUGINPKG
from harness.waiting import wait_for
from test_trace import COLUMN, CONVERSATION, GREETING, OK, RESPONSE, SYNS, packet, segments, write_pcap
from test_trace_captures import Capture, closed, need_tcpdump

WEIR_REPLAY = BIN / "weir-replay"

pytestmark = [pytest.mark.gateway_only, pytest.mark.skipif(not WEIR_REPLAY.exists(), reason="weir-replay is not built there")]

LOGIN = [("s2c", packet(0, GREETING)), ("c2s", packet(1, RESPONSE)), ("s2c", packet(2, OK))]
ONE_ROW = packet(1, b"\1") + packet(2, COLUMN) + packet(3, b"\xfe\0\0\2\0") + packet(4, b"\x011") + packet(5, b"\xfe\0\0\2\0")
GONE = packet(1, b"\xff\x7a\x04#42S02Table 'a.b' doesn't exist")


def query(text):
    return ("c2s", packet(0, b"\3" + text.encode()))


def record(path, conversation):
    path.write_text("".join(json.dumps({"dir": direction, "hex": data.hex()}) + "\n" for direction, data in conversation))
    return path


def replay(*arguments, check=True):
    done = subprocess.run([str(argument) for argument in (WEIR_REPLAY, *arguments)], capture_output=True, text=True, check=False,
                          timeout=120)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def new_plugin(tmp_path_factory):
    """The folder that pluginpkg -new writes."""
    folder = tmp_path_factory.mktemp("new")
    subprocess.run([PLUGINPKG, "-new", "my_rules"], cwd=folder, check=True, capture_output=True)
    return folder / "my_rules"


def make(folder, *targets, check=True):
    """make, with the programs under test."""
    done = subprocess.run(["make", *targets], cwd=folder, capture_output=True, text=True, check=False, timeout=180,
                          env={**os.environ, **sanitized(), "PATH": f"{BIN}:{os.environ['PATH']}"})
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def rules(new_plugin):
    make(new_plugin)
    return new_plugin / "my_rules-1.so"


# ---- pluginpkg -new ----

def test_a_new_plugin_builds_and_passes_its_test(new_plugin):
    assert "tests/drop.jsonl: as expected" in make(new_plugin, "check").stdout
    assert (new_plugin / "my_rules-1.so").exists()
    assert not list((new_plugin / "tests").glob("*.got"))


def test_its_test_fails_where_the_plugin_is_wrong(new_plugin, tmp_path):
    copy = shutil.copytree(new_plugin, tmp_path / "my_rules", ignore=shutil.ignore_patterns("*.so"))
    source = copy / "my_rules.c"
    source.write_text(source.read_text().replace("event != WEIR_STARTING", "event != WEIR_COMPLETED"))
    done = make(copy, "check", check=False)
    assert done.returncode != 0 and "+Query drop table orders: OK" in done.stdout


@pytest.mark.skipif(bool(sanitized()), reason="the programs have a sanitizer themselves")
def test_the_address_sanitizer_finds_what_a_plugin_does_wrong(new_plugin, tmp_path):
    copy = shutil.copytree(new_plugin, tmp_path / "my_rules", ignore=shutil.ignore_patterns("*.so"))
    assert "ERROR" not in make(copy, "asan").stderr
    source = copy / "my_rules.c"
    source.write_text("#include <stdlib.h>\n" + source.read_text().replace(
        "    atomic_fetch_add(&refused, 1);\n",
        "    atomic_fetch_add(&refused, 1);\n    volatile char *text = malloc(4);\n    text[sql.size] = 0;\n    free((char *)text);\n"))
    done = make(copy, "asan", check=False)
    assert done.returncode != 0 and "heap-buffer-overflow" in done.stderr and "my_rules.c:" in done.stderr


@pytest.mark.parametrize("name, words", [("My", "small letters"), ("my-rules", "small letters"), ("1st", "small letters"),
                                         ("x" * 51, "at most 50"), ("../x", "small letters")])
def test_a_name_that_will_not_do_is_refused(name, words, tmp_path):
    done = subprocess.run([PLUGINPKG, "-new", name], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and words in done.stderr and not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    done = subprocess.run([PLUGINPKG, "-new", "mine"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "is there already" in done.stderr and not list((tmp_path / "mine").iterdir())


# ---- weir-replay ----

def test_a_refused_statement_leaves_its_reply_out(rules, tmp_path):
    path = record(tmp_path / "talk.jsonl", [*LOGIN, query("drop table a"), ("s2c", packet(1, OK)), query("select 1"), ("s2c", ONE_ROW),
                                            query("select * from a.b"), ("s2c", GONE), ("c2s", packet(0, b"\x0e")),
                                            ("s2c", packet(1, OK)), ("c2s", packet(0, b"\1"))])
    assert replay(rules, path).stdout.splitlines() == [
        "login bob: OK", "Query drop table a: ERROR 1142 (42000): drop is not allowed here (Query)", "Query select 1: 1 row",
        "Query select * from a.b: ERROR 1146 (42S02): Table 'a.b' doesn't exist", "Ping: OK", "Quit", "end: the client said goodbye"]


def test_settings_come_from_the_configuration_file(rules, tmp_path):
    config = tmp_path / "weir.toml"
    config.write_text("port = 1\n[plugin.my_rules]\nword = 'select'\n")
    path = record(tmp_path / "talk.jsonl", [*LOGIN, query("drop table a"), ("s2c", packet(1, OK)), query("select 1"), ("s2c", ONE_ROW)])
    lines = replay("-config", config, rules, path).stdout.splitlines()
    assert lines[1] == "Query drop table a: OK" and lines[2].endswith("select is not allowed here (Query)")


def test_pipelined_commands_and_prepared_statements(rules, tmp_path):
    prepared = packet(1, b"\0\7\0\0\0" + bytes(7))
    path = record(tmp_path / "talk.jsonl", [
        *LOGIN, ("c2s", query("do 1")[1] + query("drop table a")[1] + query("do 2")[1]), ("s2c", packet(1, OK) * 3),
        ("c2s", packet(0, b"\x16drop table b")), ("s2c", prepared), ("c2s", packet(0, b"\x16do 3")), ("s2c", prepared),
        ("c2s", packet(0, b"\x17\7\0\0\0\0\1\0\0\0") + packet(0, b"\x19\7\0\0\0")), ("s2c", packet(1, b"\0\5\0\2\0\0\0"))])
    lines = replay(rules, path).stdout.splitlines()
    assert lines[1:4] == ["Query do 1: OK", "Query drop table a: ERROR 1142 (42000): drop is not allowed here (Query)", "Query do 2: OK"]
    assert lines[5:] == ["Prepare do 3: OK", "Execute: OK, 5 affected", "Close stmt", "end: the client closed the connection"]


def test_a_capture_is_replayed_as_a_recording_is(rules, tmp_path):
    write_pcap(tmp_path / "talk.pcap", SYNS + list(segments(CONVERSATION, 100)))
    captured = replay(rules, tmp_path / "talk.pcap").stdout
    assert captured == replay(rules, record(tmp_path / "talk.jsonl", CONVERSATION)).stdout
    assert "Query select a from t: 300 rows" in captured


@pytest.mark.parametrize("conversation, words", [
    ([], "does not begin with a login"),
    ([query("select 1")], "broken|login"),
    ([LOGIN[0], ("c2s", packet(1, RESPONSE[:1] + bytes([RESPONSE[1] | 8]) + RESPONSE[2:32]))], "TLS|login"),
    ([*LOGIN, query("select 1"), ("s2c", packet(1, b"\1") + packet(2, b"nonsense"))], ""),
])
def test_what_cannot_be_replayed_is_said(rules, tmp_path, conversation, words):
    done = replay(rules, record(tmp_path / "talk.jsonl", conversation), check=False)
    assert done.returncode == (1 if words else 0)
    assert re.search(words, done.stderr)


def test_mistakes_of_the_command_line(rules, tmp_path):
    assert "give a plugin and recordings" in replay(rules, check=False).stderr
    assert "the plugin is a file" in replay(tmp_path, tmp_path, check=False).stderr
    assert "No such file" in replay(rules, tmp_path / "none", check=False).stderr
    assert "my_rules-2" in replay(rules.with_name("my_rules-2.so"), tmp_path / "none", check=False).stderr


def test_a_plugin_sees_in_a_replay_what_it_sees_in_the_gateway(database, make_gateway, example, plugins, tmp_path):
    """The same statements, once through weir-server, and once captured from the server and replayed."""
    need_tcpdump()
    statements = ["select 1", "create temporary table mysql.replayed (a int)", "insert into mysql.replayed values (1), (2)",
                  "select * from mysql.replayed", "use mysql", "select nothing from nowhere", "drop table replayed"]

    def talk(port, **options):
        connection = pymysql.connect(host=database.host, port=port, autocommit=True, **options)
        with connection.cursor() as cursor:
            for statement in statements:
                try:
                    cursor.execute(statement)
                    cursor.fetchall()
                except pymysql.err.Error:
                    pass
        connection.close()

    account = {"user": "root", "ssl_disabled": True}
    with Capture(tmp_path, database.port) as capture:
        talk(database.port, **account)
        wait_for(lambda: closed(capture.path), "the end of the connection in the capture")
    replayed = replay(plugins / f"{example}.so", capture.path).stdout
    gateway = make_gateway(database.address, plugins=[example])
    talk(gateway.port, **account)
    gateway.stop()
    wanted = re.compile(r"---- (statement|event|cmd|executed).*")

    def events(text):
        return [line for line in text.splitlines() if wanted.match(line)]

    assert len(events(replayed)) > 40
    assert events(replayed) == events(gateway.process.output())


def test_a_plugin_that_answers_later_is_waited_for(tmp_path):
    """A thread of the plugin's own gives the verdict, and gives the reply back."""
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "manifest.toml").write_text('name = "slow"\nkind = "Audit"\nversion = "1"\n'
                                          'export = [{extPoint="OnGeneralEvent", impl="OnGeneralEvent"}]\nlibraries = ["-lpthread"]\n')
    (folder / "slow.c").write_text(r"""
#include <pthread.h>
#include <string.h>
#include <weir/plugin.h>

static void *decide(void *hold)
{
    weir_decide(hold, WEIR_REFUSE, 1142, "42000", "later");
    return NULL;
}

static void *give_back(void *hold)
{
    weir_release(hold, WEIR_OK);
    return NULL;
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    weir_string sql = weir_sql(session);
    pthread_t thread;
    int drops = sql.size >= 4 && memcmp(sql.data, "drop", 4) == 0;
    if (event == WEIR_STARTING ? !drops : event != WEIR_COMPLETED)
        return WEIR_OK;
    weir_hold *hold = drops ? weir_hold_verdict(session) : weir_hold_reply(session);
    if (hold && pthread_create(&thread, NULL, drops ? decide : give_back, hold) == 0)
        pthread_detach(thread);
    return WEIR_OK;
}
""")
    made = subprocess.run([PLUGINPKG, "-pkg-dir", folder, "-out-dir", folder], capture_output=True, text=True, check=False,
                          env={**os.environ, **sanitized()})
    assert made.returncode == 0, made.stderr
    path = record(tmp_path / "talk.jsonl", [*LOGIN, query("drop table a"), ("s2c", packet(1, OK)), query("select 1"), ("s2c", ONE_ROW)])
    assert replay(folder / "slow-1.so", path).stdout.splitlines()[1:3] == [
        "Query drop table a: ERROR 1142 (42000): later", "Query select 1: 1 row"]
