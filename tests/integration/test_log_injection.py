# SPDX-License-Identifier: Apache-2.0
"""What clients and backends send stands in the log, but never as a line or a field of its own."""
import re

import pytest
from harness import raw
from harness.fake_backend import FakeBackend, error

pytestmark = pytest.mark.gateway_only

FORGED = "error gateway: forged"
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (error|warn |info |debug) [a-z]+: ")


def assert_only_lines_of_the_gateway(log):
    for line in log.splitlines():
        assert LINE.match(line), line
        assert not line[LINE.match(line).end():].startswith("forged"), line


@pytest.mark.greets_first("with -backend-first a client is refused before it has said who it is")
def test_a_user_name_with_a_newline_does_not_forge_a_line_of_the_log(gateway, database):
    server = gateway(f"tcp://{database.host}:{database.port}")
    with server.endpoint.raw(user=f"mallory\n2026-01-31T23:59:59.123456Z {FORGED}", password="x", database=None,
                             login=False) as client:
        client.read_greeting()
        client.send(client.handshake_response(), 1)
        client.read_packet()  # its password is asked for
        client.send(b"x" * 20, 77)  # ... and comes out of order, which is worth a line
        client.at_end()
    server.process.wait_log("user=")
    assert_only_lines_of_the_gateway(server.log())
    assert f'user="mallory\\u000a2026-01-31T23:59:59.123456Z {FORGED}"' in server.log()


def test_a_backends_version_with_a_newline_does_not_forge_a_line_of_the_log(gateway):
    version = f"8.0.1\n2026-01-31T23:59:59.123456Z {FORGED}"
    backend = FakeBackend(lambda connection: connection.greet(raw.BASIC, version=version.encode()))
    server = gateway(backend.address)
    server.process.wait_log("8.0.1")
    assert_only_lines_of_the_gateway(server.log())
    backend.close()


def test_a_backends_error_with_a_newline_does_not_forge_a_line_of_the_log(gateway):
    message = f"Too many connections\n2026-01-31T23:59:59.123456Z {FORGED}"
    backend = FakeBackend(lambda connection: connection.write(error(1040, b"08004", message.encode())))
    server = gateway(backend.address, start=False).launch()
    server.process.wait_log("Too many connections")
    assert_only_lines_of_the_gateway(server.log())
    backend.close()
