# SPDX-License-Identifier: Apache-2.0
"""Where the backend is: it is looked at again and again, and followed when its name gets another address."""
import subprocess

import pytest
from harness import raw
from harness.fake_backend import OK, FakeBackend
from harness.paths import program
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

NAME = "moves.weir.test"


@pytest.fixture
def hosts(tmp_path):
    """A file that is /etc/hosts for what is started with the prefix: (prefix, set_address)."""
    file = tmp_path / "hosts"
    prefix = [program("unshare"), "--mount", "/bin/sh", "-c", f'mount --bind {file} /etc/hosts && exec "$@"', "sh"]

    def set_address(address):
        file.write_text(f"127.0.0.1 localhost\n{address} {NAME}\n")

    set_address("127.0.0.1")
    tried = subprocess.run([*prefix, "/bin/true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"mount namespaces need root: {tried.stderr.strip()}")
    return prefix, set_address


def serves(version):
    """Greets with a version, lets everybody in, and answers each query with the version."""
    def serve(connection):
        if not connection.greet(raw.BASIC, version=version):
            return
        connection.write(OK)
        while (command := connection.read()) and command[0] != raw.COM_QUIT:
            connection.result(version)

    return serve


def test_a_backend_whose_name_gets_another_address_is_followed(gateway, hosts):
    """Probing stopped after its first success, and the name was never looked up again."""
    prefix, set_address = hosts
    old = FakeBackend(serves(b"8.0.1-old"))
    new = FakeBackend(serves(b"8.0.2-new"), "127.0.0.2", old.port)
    server = gateway(f"tcp://{NAME}:{old.port}", prefix=prefix)
    assert b"8.0.1-old" in server.greeting()
    with server.endpoint.raw(database=None) as before:
        set_address("127.0.0.2")
        wait_for(lambda: b"8.0.2-new" in server.greeting(), "the new address to be in use")
        with server.endpoint.raw(database=None) as after:
            assert b"8.0.2-new" in after.query("SELECT 1")[-2][1]
        assert b"8.0.1-old" in before.query("SELECT 1")[-2][1]  # a session stays where it is
    assert f"is now at 127.0.0.2:{old.port}" in server.log()
    for backend in (old, new):
        backend.close()
        assert not backend.failures


def test_a_backend_that_has_gone_is_noticed_and_noticed_again_when_it_is_back(gateway):
    first = FakeBackend(serves(b"8.0.1"))
    server = gateway(first.address)
    first.close()
    assert pytest.raises(raw.ServerError, server.endpoint.raw, database=None).value.number == 1429
    server.process.wait_log("clients get an error until it answers")
    second = FakeBackend(serves(b"8.0.2"), port=first.port)
    wait_for(lambda: b"8.0.2" in server.greeting(), "the backend to be back")
    second.close()
