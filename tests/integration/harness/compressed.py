# SPDX-License-Identifier: Apache-2.0
"""The compressed protocol spoken by hand, with zlib or with zstd: a socket in the place of a RawConnection's own, once it
has logged in."""
import ctypes
import ctypes.util
import zlib

COMPRESS, ZSTD = 1 << 5, 1 << 26


class Zstd:
    """The library itself: Python has no module for it."""
    library = ctypes.CDLL(ctypes.util.find_library("zstd"))
    for name in ("ZSTD_compressBound", "ZSTD_compress", "ZSTD_decompress"):
        getattr(library, name).restype = ctypes.c_size_t

    @classmethod
    def compress(cls, data):
        room = cls.library.ZSTD_compressBound(ctypes.c_size_t(len(data)))
        out = ctypes.create_string_buffer(room)
        size = cls.library.ZSTD_compress(out, ctypes.c_size_t(room), data, ctypes.c_size_t(len(data)), 3)
        return out.raw[:size]

    @classmethod
    def decompress(cls, data, size):
        out = ctypes.create_string_buffer(size)
        assert cls.library.ZSTD_decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data))) == size
        return out.raw


class CompressedSocket:
    """What is sent goes out as one frame a call, numbered from 0 where it begins a command."""

    def __init__(self, socket, is_zstd=False):
        self.socket, self.is_zstd = socket, is_zstd
        self.number, self.received, self.frames = 0, b"", []

    def sendall(self, data):
        if data[3] == 0:
            self.number = 0
        for at in range(0, len(data), 0xFFFFFF):
            part = data[at:at + 0xFFFFFF]
            packed = Zstd.compress(part) if self.is_zstd else zlib.compress(part)
            plain = len(part) if len(part) >= 50 else 0
            self.send_frame(packed if plain else part, plain)

    def send_frame(self, packed, plain, number=None):
        number = self.number if number is None else number
        self.socket.sendall(len(packed).to_bytes(3, "little") + bytes([number & 255]) + plain.to_bytes(3, "little") + packed)
        self.number = number + 1

    def _read(self, size):
        while len(self.received) < size:
            data = self.socket.recv(65536)
            if not data:
                return False
            self.received += data
        return True

    def recv(self, _size):
        if not self._read(7):
            return b""
        size, number, plain = (int.from_bytes(self.received[:3], "little"), self.received[3], int.from_bytes(self.received[4:7], "little"))
        if not self._read(7 + size):
            return b""
        packed, self.received = self.received[7:7 + size], self.received[7 + size:]
        assert number == self.number & 255, (number, self.number)
        self.number = number + 1
        self.frames.append((size, plain))
        if plain == 0:
            return packed
        return Zstd.decompress(packed, plain) if self.is_zstd else zlib.decompress(packed)

    def close(self):
        self.socket.close()


def begin(connection, is_zstd=False):
    """The login's OK has been read."""
    assert not connection.received
    connection.socket = CompressedSocket(connection.socket, is_zstd)
    return connection
