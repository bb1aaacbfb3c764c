# SPDX-License-Identifier: Apache-2.0
"""What the authors of plugins get wrong: it refuses rather than passes, and the log names the plugin and the callback."""
import re
import signal

import pytest
from harness import raw
from harness.gateway import SANITIZER_OPTIONS
from harness.observe import failure
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only


@pytest.fixture
def server(gateway, database):
    return gateway(database.address, plugins=["mistakes-1"])


def answer(server, sql):
    with server.endpoint.raw() as connection:
        packets = connection.query(sql)
        return raw.error_of(packets) if packets[0][1][0] == 0xFF else None


def logged(server, text):
    wait_for(lambda: f"plugin: mistakes {text}" in server.log(), text)


def test_a_refusal_that_is_not_returned_refuses_all_the_same(server):
    assert answer(server, "SELECT 'forget_refuse'") == (1045, "28000", "this is forbidden")
    logged(server, "called weir_refuse() and returned WEIR_OK in Starting: it is refused; write `return weir_refuse(...)`")


def test_a_failure_that_is_not_returned_is_one(server):
    assert answer(server, "SELECT 'forget_fail'") is None  # its on_failure is "allow"
    logged(server, "failed in Starting: the service does not answer")


def test_a_refusal_where_nothing_can_be_refused_is_logged(server):
    assert answer(server, "SELECT 'too_late'") is None
    logged(server, "tried to refuse in Completed: nothing can be refused there, and it went on")


def test_numbers_and_states_that_no_server_sends_are_logged(server):
    assert answer(server, "SELECT 'wrong_number'") == (1045, "HY000", "with a number of its own")
    logged(server, "refused with a wrong number in Starting: number 70000 is none that a server sends; the client reads 1045 instead")
    assert answer(server, "SELECT 'wrong_state'") == (1317, "28000", "with a state of its own")
    logged(server, 'refused with a wrong SQLSTATE in Starting: "too long" is not five digits and capital letters; '
                   "the client reads 28000 instead")


def test_an_exception_that_leaves_a_callback_is_a_failure(server):
    assert answer(server, "SELECT 'throw_error'") is None
    logged(server, "failed in Starting: a C++ exception left it: no such key")
    assert answer(server, "SELECT 'throw_number'") is None
    logged(server, "failed in Starting: a C++ exception left it: one that is no std::exception")
    with server.endpoint.connect() as connection:
        error = failure(lambda: connection.query("SELECT mistakes_throw()"))["arguments"][1]
    assert "a C++ exception left it: a function's argument" in error


def test_a_message_that_comes_often_does_not_hide_another_and_is_counted(server):
    with server.endpoint.raw() as connection:
        for _ in range(20):
            connection.query("SELECT 'throw_error'")
        connection.query("SELECT 'throw_number'")
    server.stop()
    lines = re.findall(r"plugin: mistakes failed in Starting: a C\+\+ exception left it: (.*)", server.log())
    first = [line for line in lines if line == "no such key"]
    counted = [int(count) for count in re.findall(r"no such key \((\d+) more times\)", "\n".join(lines))]
    assert lines.count("one that is no std::exception") == 1
    assert len(first) + sum(counted) == 20 and counted


CRASHES = {
    "SELECT 'crash_here'": (signal.SIGSEGV, "in plugin mistakes, Starting, while it reads from a client"),
    "SELECT 'abort_here'": (signal.SIGABRT, "in plugin mistakes, Starting, while it reads from a client"),
    "SELECT 'recurse_here'": (signal.SIGSEGV, "in plugin mistakes, Starting, while it reads from a client"),
    "FLUSH TIDB PLUGINS mistakes": (signal.SIGFPE, "in plugin mistakes, OnFlush"),
}


@pytest.mark.parametrize("sql", CRASHES)
def test_a_crash_names_its_plugin_and_callback(make_gateway, database, sql):
    number, where = CRASHES[sql]
    options = {name: f"{value}:handle_segv=0:handle_abort=0:handle_sigfpe=0:use_sigaltstack=0"
               for name, value in {**SANITIZER_OPTIONS, "TSAN_OPTIONS": "exitcode=99"}.items()}
    server = make_gateway(database.address, plugins=["mistakes-1"], environment=options)
    with server.endpoint.raw() as connection:
        connection.send(b"\3" + sql.encode())
        assert server.process.wait() == -number
    found = re.search(rf"error gateway: crashed: .* {where}; the calls that led there follow signal={number.name} "
                      r"address=\S+ connection=(\d+)\n((?:.+\n)*)", server.log())
    assert found and "mistakes-1.so" in found[2], server.log()[-3000:]
    assert int(found[1]) == (0 if "FLUSH" in sql else connection.greeting.connection_id)
