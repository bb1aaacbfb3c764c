# SPDX-License-Identifier: Apache-2.0
"""A server's part of the exchanges that MariaDB does not have, after MySQL's protocol documentation ("Caching_sha2_password information",
"SHA-256 authentication"): it says what it was sent, and over which kind of connection."""
import hashlib
import secrets
import socket
import ssl

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from . import raw
from .fake_backend import OK, FakeBackend, FakeConnection, error

CAPABILITIES = raw.BASIC | raw.CONNECT_WITH_DB | raw.CONNECT_ATTRS | raw.LONG_PASSWORD
DENIED = error(1045, b"28000", b"Access denied, says the password server")
FIRST_USER = "whoever-is-first"  # is let in without a word, and may become another one
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)


def unmask(data, scramble):
    return bytes(byte ^ scramble[i % len(scramble)] for i, byte in enumerate(data))


def fast_proof(password, scramble):
    """What caching_sha2_password's client answers to the scramble."""
    once = hashlib.sha256(password).digest()
    mix = hashlib.sha256(hashlib.sha256(once).digest() + scramble).digest()
    return bytes(a ^ b for a, b in zip(once, mix))


class PasswordServer:
    """kind: "plain", "TLS" or "Unix socket". Every account but FIRST_USER has the method and the password. got: for each password that came, "clear" or
    "encrypted"."""

    def __init__(self, method, password, kind, certificates, folder, cached=False):
        self.method, self.password, self.kind, self.cached = method, password.encode(), kind, cached
        self.got = []
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.pem = self.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.context = None
        if kind == "TLS":
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
        self.backend = FakeBackend(self._serve, path=folder / "password.sock" if kind == "Unix socket" else None)
        self.address = self.backend.address

    def close(self):
        self.backend.close()

    def _serve(self, connection: FakeConnection):
        connection.greet(CAPABILITIES | (raw.SSL if self.context else 0))
        if self.context and len(connection.response) == 32:
            connection.socket = self.context.wrap_socket(connection.socket, server_side=True)
            connection.response = connection.read()
        if b"weir-probe" in connection.response:
            connection.write(DENIED)
            return
        if FIRST_USER.encode() + b"\0" not in connection.response and not self._lets_in(connection):
            return
        connection.write(OK)
        while (command := connection.read()) and command[0] != raw.COM_QUIT:
            connection.sequence = 1
            if command[0] == raw.COM_QUERY:
                connection.result(b"1")
            elif command[0] == raw.COM_CHANGE_USER:
                if not self._lets_in(connection):
                    return
                connection.write(OK)
            else:
                connection.write(OK)

    def _lets_in(self, connection):
        scramble = secrets.token_hex(10).encode()
        connection.write(b"\xfe" + self.method.encode() + b"\0" + scramble + b"\0")
        answer = connection.read()
        if answer is not None and self._is_right(connection, answer, scramble):
            return True
        connection.write(DENIED)
        return False

    def _is_right(self, connection, answer, scramble):
        if self.method == "caching_sha2_password":
            if answer not in (fast_proof(self.password, scramble), fast_proof(self.password, scramble + b"\0")):
                return False  # PyMySQL hashes the NUL at the end of an AuthSwitchRequest, too
            if self.cached:
                connection.write(b"\x01\x03")
                return True
            connection.write(b"\x01\x04")
            answer = connection.read()
            return self._password(connection, answer, scramble, b"\x02", self.kind in ("TLS", "Unix socket"))
        if self.method == "sha256_password":
            return self._password(connection, answer, scramble, b"\x01", self.kind == "TLS")
        if answer.strip(b"\0"):  # a client that leaves early sends an empty one
            self.got.append("clear")
        return answer.rstrip(b"\0") == self.password

    def _password(self, connection, answer, scramble, key_request, is_safe):
        """A server on a connection that is safe takes what comes for the password; another one decrypts it, whatever it is."""
        if is_safe:
            self.got.append("clear")
            return answer == self.password + b"\0"
        if answer == key_request:
            connection.write(b"\x01" + self.pem)
            answer = connection.read()
        if self.password in answer:
            self.got.append("clear")
        try:
            plain = unmask(self.key.decrypt(answer, OAEP), scramble)
        except ValueError:
            return False
        self.got.append("encrypted")
        return plain == self.password + b"\0"


def unix_connection(path):
    """A connection of a client that does not take a Unix socket for safe (sha256_password)."""
    connected = socket.socket(socket.AF_UNIX)
    connected.connect(str(path))
    return connected
