# SPDX-License-Identifier: Apache-2.0
"""A build with -DWITH_TEST_TRACE_PLUGIN=ON (make test-trace): the programs load test_trace by default, it does nothing until a
variable asks for it, and a second plugin is refused. Skipped for every other build."""
import subprocess

import pytest
from harness.observe import failure
from harness.paths import BIN, program
from harness.tracing import untraced

CACHE = BIN.parent / "CMakeCache.txt"
WEIR_TRACE = BIN / "weir-trace"
REFUSED = "trace plugin simple_trace: test_trace is loaded already, and only one trace plugin can be"
ASKING = {"MYSQL_TEST_TRACE_DEBUG": "1"}

pytestmark = pytest.mark.skipif(not CACHE.exists() or "WITH_TEST_TRACE_PLUGIN:BOOL=ON" not in CACHE.read_text(),
                                reason="test_trace is not built in there")


def weir_trace(*words, **environment):
    return subprocess.run([str(word) for word in (WEIR_TRACE, *words)], capture_output=True, text=True, check=False,
                          env={**untraced(), **environment})


def shell(database):
    return [program("mariadb"), "--no-defaults", "-S", database.socket, "-u", "root", "-e", "select 1"]


def test_a_program_gets_it_and_it_is_silent_until_it_is_asked(database):
    silent = weir_trace("--", *shell(database))
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "1\n1\n", "")
    asked = weir_trace("--", *shell(database), **ASKING)
    assert "QUERY: select 1" in asked.stderr and asked.stderr.count("Test trace plugin initialized") == 1


def test_a_program_gets_no_second_one(database):
    refused = weir_trace("--plugin", "simple_trace", "--", *shell(database))
    assert (refused.returncode, refused.stdout) == (1, "") and REFUSED in refused.stderr
    assert '"event":"SEND_COMMAND"' in weir_trace("--format", "json", "--", *shell(database)).stderr.replace(" ", "")


def test_recordings_get_no_second_one(tmp_path):
    recording = tmp_path / "wire.jsonl"
    recording.write_text('{"dir": "s2c", "hex": "00"}\n')
    assert REFUSED in weir_trace("--plugin", "simple_trace", "--wire", recording).stderr
    assert weir_trace("--wire", recording).returncode == 0


@pytest.mark.gateway_only
@pytest.mark.parametrize("asking", [False, True])
def test_the_gateway_has_it_and_it_is_silent_until_it_is_asked(gateway, database, asking):
    server = gateway(f"unix://{database.socket}", environment=ASKING if asking else {})
    with server.endpoint.connect() as connection, connection.cursor() as cursor:
        cursor.execute("ADMIN SHOW TRACE")
        assert cursor.fetchall()[0][:2] == ("test_trace", "ALL")
        assert REFUSED in failure(lambda: cursor.execute("ADMIN TRACE LOAD 'simple_trace'"))["arguments"][1]
        cursor.execute("SELECT 'still there'")
    assert ("QUERY: SELECT 'still there'" in server.log()) is asking
    assert asking or "test_trace:" not in server.log()


@pytest.mark.gateway_only
def test_the_gateway_does_not_start_with_a_second_one(make_gateway, database):
    server = make_gateway(f"unix://{database.socket}", start=False, options=["-trace-plugin", "simple_trace"]).launch()
    assert server.process.wait() == 1
    assert REFUSED in server.log()
