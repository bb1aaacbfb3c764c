# SPDX-License-Identifier: Apache-2.0
"""Where the backend is: it is looked at again and again, and followed when its name gets another address."""
import subprocess
import threading

import pytest
from harness import raw
from harness.fake_backend import OK, FakeBackend
from harness.paths import program
from harness.ports import free_port
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

NAME = "moves.weir.test"


@pytest.fixture
def hosts(tmp_path):
    """A file that is /etc/hosts for what is started with the prefix: (prefix, set_address). A name may have several addresses."""
    file = tmp_path / "hosts"
    prefix = [program("unshare"), "--mount", "/bin/sh", "-c", f'mount --bind {file} /etc/hosts && exec "$@"', "sh"]

    def set_address(*addresses, name=NAME):
        file.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for address in addresses))

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


def served_by(server):
    with server.endpoint.raw(database=None) as connection:
        return connection.query("SELECT 1")[-2][1][1:]


def test_all_addresses_of_a_name_are_tried(gateway, hosts):
    """IPv6 comes first. It refuses, it says nothing, and it stops to say anything while the gateway runs: nobody fails to log in."""
    prefix, set_address = hosts
    set_address("::1", "127.0.0.1")
    is_silent = threading.Event()

    def serves_or_not(connection):
        if is_silent.is_set():
            connection.read()
        else:
            serves(b"8.0.6-v6")(connection)

    v4 = FakeBackend(serves(b"8.0.4-v4"), port=free_port())

    def start():
        return gateway(f"tcp://{NAME}:{v4.port}", prefix=prefix, options=["-connect-timeout", "3"])

    assert served_by(start()) == b"8.0.4-v4"
    v6 = FakeBackend(serves_or_not, "::1", v4.port)
    is_silent.set()
    assert served_by(start()) == b"8.0.4-v4"
    is_silent.clear()
    server = start()
    assert served_by(server) == b"8.0.6-v6"
    is_silent.set()
    for _ in range(3):
        assert served_by(server) == b"8.0.4-v4"
    is_silent.clear()
    v4.close()
    assert served_by(server) == b"8.0.6-v6"
    v6.close()
    assert not v4.failures + v6.failures
