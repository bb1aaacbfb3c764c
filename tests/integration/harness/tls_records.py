# SPDX-License-Identifier: Apache-2.0
"""TLS with its records in the hands of a case, which says what is sent with what, and cuts records where it likes: a socket in the
place of a RawConnection's own, or of a FakeConnection's."""
import ssl

from . import raw
from .fake_backend import OK, FakeBackend, error


class RecordSocket:
    """seal() makes records and sends nothing; sendall() sends them at once."""

    def __init__(self, socket, context, server_side=False):
        self.socket = socket
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side)

    def _more(self):
        """Whether the peer has sent something; what was to be sent first has to be sent by the caller."""
        data = self.socket.recv(65536)
        self.incoming.write(data) if data else self.incoming.write_eof()
        return bool(data)

    def shake_hands(self, before=b""):
        """Sends what comes before TLS together with the first flight. Returns the last flight, which is not sent yet."""
        while True:
            try:
                self.tls.do_handshake()
                return self.outgoing.read()
            except ssl.SSLWantReadError:
                self.socket.sendall(before + self.outgoing.read())
                before = b""
                if not self._more():
                    raise raw.Closed(b"") from None

    def seal(self, data):
        """A record for each 16 KiB at most."""
        self.tls.write(data)
        return self.outgoing.read()

    def farewell(self):
        """The record that says close_notify."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def sendall(self, data):
        for at in range(0, len(data), 16384):
            self.socket.sendall(self.seal(data[at:at + 16384]))

    def recv(self, size):
        while True:
            try:
                return self.tls.read(size)
            except ssl.SSLWantReadError:
                self._more()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    def close(self):
        self.socket.close()


def server_context(certificates, name="server"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
    return context


def secure_backend(context, serve, **where):
    """A backend with TLS: serve(connection, its RecordSocket) is called with each command after the login, and says whether it goes on."""
    def session(connection):
        connection.greet(raw.BASIC | raw.SSL | raw.CONNECT_WITH_DB)
        if not connection.response:
            return
        sealing = connection.socket = RecordSocket(connection.socket, context, server_side=True)
        try:
            sealing.socket.sendall(sealing.shake_hands())
            connection.response = connection.read()
        except (ssl.SSLError, raw.Closed):
            return
        if not connection.response or b"weir-probe" in connection.response:
            connection.response and connection.write(error(1045, b"28000", b"Access denied"))
            return
        connection.write(OK)
        while (command := connection.read()) and command[0] != raw.COM_QUIT:
            connection.sequence = 1
            if not serve(connection, sealing):
                return
    return FakeBackend(session, **where)
