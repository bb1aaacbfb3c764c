# SPDX-License-Identifier: Apache-2.0
"""A backend that behaves as a case wants it to: for exchanges that MariaDB does not have, and for misbehaviour."""
import socket
import struct
import threading

from . import raw

OK = b"\0\0\0\2\0\0\0"
EOF = b"\xfe\0\0\2\0"


def column(name, kind=253):
    return (raw.text(b"def") + raw.text(b"") * 3 + raw.text(name) * 2 + b"\x0c" + struct.pack("<HIBHB", 45, 1024, kind, 0, 0)
            + b"\0\0")


def error(number, sqlstate, message):
    return b"\xff" + struct.pack("<H", number) + b"#" + sqlstate + message


class FakeConnection:
    """One accepted connection: packets in and out, the sequence number kept."""

    def __init__(self, connection):
        self.socket = connection
        self.sequence = 0
        self.response = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()  # which may be another one by now: TLS

    def read(self):
        """The next packet's payload; None when the client has gone."""
        header = self._exactly(4)
        if not header:
            return None
        self.sequence = header[3] + 1 & 255
        return self._exactly(int.from_bytes(header[:3], "little"))

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                return None
            data += more
        return data

    def write(self, *payloads):
        data = b""
        for payload in payloads:
            data += struct.pack("<I", len(payload))[:3] + bytes([self.sequence]) + payload
            self.sequence = self.sequence + 1 & 255
        self.socket.sendall(data)

    def greet(self, capabilities, version=b"8.0.99-fake", plugin=b"mysql_native_password"):
        low, high, extended = capabilities & 0xFFFF, capabilities >> 16 & 0xFFFF, capabilities >> 32
        self.write(b"\x0a" + version + b"\0" + struct.pack("<I", 77) + b"abcdefgh\0" + struct.pack("<HBHHB", low, 45, 2, high, 21)
                   + bytes(6) + struct.pack("<I", extended) + b"ijklmnopqrst\0" + plugin + b"\0")
        self.response = self.read()
        return self.response  # empty for a gateway that only wanted to read the greeting

    def result(self, *rows, metadata=True):
        """A result of one column in the classic form."""
        self.write(b"\1", column(b"c"), EOF, *[raw.text(row) for row in rows], EOF)


class FakeBackend:
    """Listens on a free port unless one is given, or a path; serve(FakeConnection) runs in a thread for each connection."""

    def __init__(self, serve, host="127.0.0.1", port=0, path=None):
        if path:
            self.listener = socket.create_server(str(path), family=socket.AF_UNIX)
            self.address = f"unix://{path}"
        else:
            is_v6 = ":" in host
            self.listener = socket.create_server((host, port), family=socket.AF_INET6 if is_v6 else socket.AF_INET)
            self.port = self.listener.getsockname()[1]
            self.address = f"tcp://[{host}]:{self.port}" if is_v6 else f"tcp://{host}:{self.port}"
        self.serve = serve
        self.failures = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                served = FakeConnection(connection)
                with served:
                    self.serve(served)
            except OSError:
                pass
            except Exception as failed:  # shown by the case that expected something else
                self.failures.append(failed)

    def close(self):
        """From here on connections are refused."""
        self.listener.shutdown(socket.SHUT_RDWR)  # accept() in the other thread keeps a closed socket listening
        self.listener.close()
