# SPDX-License-Identifier: Apache-2.0
"""Whom a backend's certificate must be for: the name that the configuration says, whatever addresses that name has."""
import pytest
from harness import raw
from harness.ports import free_port
from harness.tls_records import secure_backend, server_context
from harness.waiting import wait_for
from several_backends_common import FAST
from test_upstream import hosts  # noqa: F401

pytestmark = pytest.mark.gateway_only

NAME = "db.example"  # of the certificate "named"


def says(text):
    def serve(connection, _):
        connection.result(text)
        return True
    return serve


def verifying(certificates, *options):
    return ["-backend-tls", "verify-identity", "-backend-ssl-ca", str(certificates / "ca.pem"), *options]


def served_by(server):
    with server.endpoint.raw(database=None) as connection:
        return connection.query("SELECT 1")[-2][1][1:]


def refusal(server):
    with pytest.raises(raw.ServerError) as failed:
        server.endpoint.raw(database=None)
    return failed.value


def test_the_name_is_sent_and_an_address_is_not(gateway, certificates, hosts):  # noqa: F811
    """Checks and sessions alike: who has several certificates chooses by it."""
    prefix, set_address = hosts
    set_address("127.0.0.1", name=NAME)
    names, context = [], server_context(certificates, "named")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    backend = secure_backend(context, says(b"it"))
    server = gateway(f"tcp://{NAME}:{backend.port}", prefix=prefix, options=verifying(certificates))
    assert served_by(server) == b"it"
    assert len(names) >= 2 and set(names) == {NAME}
    names.clear()
    server = gateway(backend.address, options=["-backend-tls", "required"])
    assert served_by(server) == b"it"
    assert set(names) == {None}
    server = gateway(backend.address, options=verifying(certificates, "-backend-ssl-name", NAME))
    assert served_by(server) == b"it" and names[-1] == NAME
    backend.close()


@pytest.mark.greets_first("with -backend-first the error comes in place of the greeting")
def test_a_certificate_for_the_address_that_a_name_has_is_not_enough(gateway, certificates, hosts):  # noqa: F811
    """A session that is there stays; when the name is moved to a stranger, new ones are refused until it is moved back."""
    prefix, set_address = hosts
    set_address("127.0.0.2", name=NAME)
    right = secure_backend(server_context(certificates, "named"), says(b"right"), host="127.0.0.2", port=free_port())
    wrong = secure_backend(server_context(certificates), says(b"wrong"), host="127.0.0.1", port=right.port)
    server = gateway(f"tcp://{NAME}:{right.port}", prefix=prefix, options=verifying(certificates))
    with server.endpoint.raw(database=None) as before:
        set_address("127.0.0.1", name=NAME)  # for which the stranger has a certificate of the authority
        server.process.wait_log(f"is now at 127.0.0.1:{right.port}")
        error = refusal(server)
        assert error.number == 1429 and error.message.endswith("failed: certificate verify failed: hostname mismatch")
        assert before.query("SELECT 1")[-2][1][1:] == b"right"
        set_address("127.0.0.2", name=NAME)
        server.process.wait_log(f"is now at 127.0.0.2:{right.port}")
        assert served_by(server) == b"right"
    for backend in (right, wrong):
        backend.close()
        assert not backend.failures


@pytest.mark.parametrize("is_one_of_two", [False, True])
def test_the_next_address_of_a_name_is_tried_when_tls_fails_with_the_first(gateway, certificates, hosts, is_one_of_two):  # noqa: F811
    prefix, set_address = hosts
    set_address("127.0.0.1", "127.0.0.2", name=NAME)
    wrong = secure_backend(server_context(certificates), says(b"wrong"), host="127.0.0.1", port=free_port())
    right = secure_backend(server_context(certificates, "named"), says(b"right"), host="127.0.0.2", port=wrong.port)
    addresses = f"tcp://{NAME}:{wrong.port}"
    other = secure_backend(server_context(certificates), says(b"other"), host="127.0.0.3")
    if is_one_of_two:
        addresses += f",{other.address}"  # whose certificate is for another address
    server = gateway(addresses, prefix=prefix, options=verifying(certificates, *(FAST if is_one_of_two else ())))
    wait_for(lambda: served_by(server) == b"right", "the address whose certificate is right to be in use")
    assert {served_by(server) for _ in range(5)} == {b"right"}
    for backend in (wrong, right, other):
        backend.close()
