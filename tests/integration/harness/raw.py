# SPDX-License-Identifier: Apache-2.0
"""The protocol spoken by hand: for capabilities, commands and mistakes that no client library lets one make.

A packet is (sequence number, payload); payloads over 16 MiB - 1 are put together. A reply is the list of its packets,
so that two servers can be compared byte by byte."""
import hashlib
import socket
import struct

# Capability bits; those from 32 on are MariaDB's extended ones.
LONG_PASSWORD, FOUND_ROWS, LONG_FLAG, CONNECT_WITH_DB = 1 << 0, 1 << 1, 1 << 2, 1 << 3
COMPRESS, LOCAL_FILES, PROTOCOL_41, INTERACTIVE, SSL = 1 << 5, 1 << 7, 1 << 9, 1 << 10, 1 << 11
TRANSACTIONS, SECURE_CONNECTION, MULTI_STATEMENTS, MULTI_RESULTS = 1 << 13, 1 << 15, 1 << 16, 1 << 17
PS_MULTI_RESULTS, PLUGIN_AUTH, CONNECT_ATTRS, AUTH_LENENC = 1 << 18, 1 << 19, 1 << 20, 1 << 21
SESSION_TRACK, DEPRECATE_EOF, OPTIONAL_METADATA, QUERY_ATTRIBUTES = 1 << 23, 1 << 24, 1 << 25, 1 << 27
PROGRESS, COM_MULTI, BULK, EXTENDED_METADATA, CACHE_METADATA, BULK_UNIT_RESULTS = (1 << n for n in range(32, 38))

BASIC = (LONG_FLAG | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | MULTI_STATEMENTS | MULTI_RESULTS
         | PS_MULTI_RESULTS | PLUGIN_AUTH | LOCAL_FILES)

STATUS_CURSOR_EXISTS, STATUS_LAST_ROW_SENT, STATUS_MORE_RESULTS = 0x40, 0x80, 0x08

(COM_QUIT, COM_INIT_DB, COM_QUERY, COM_FIELD_LIST, COM_STATISTICS, COM_PROCESS_INFO, COM_PROCESS_KILL, COM_DEBUG,
 COM_PING, COM_CHANGE_USER) = 1, 2, 3, 4, 9, 0x0A, 0x0C, 0x0D, 0x0E, 0x11
(COM_STMT_PREPARE, COM_STMT_EXECUTE, COM_STMT_SEND_LONG_DATA, COM_STMT_CLOSE, COM_STMT_RESET, COM_SET_OPTION,
 COM_STMT_FETCH, COM_RESET_CONNECTION, COM_STMT_BULK_EXECUTE) = 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1F, 0xFA

CHUNK = 0xFFFFFF


def lenenc(number):
    if number < 251:
        return bytes([number])
    if number < 1 << 16:
        return b"\xfc" + struct.pack("<H", number)
    if number < 1 << 24:
        return b"\xfd" + struct.pack("<I", number)[:3]
    return b"\xfe" + struct.pack("<Q", number)


def read_lenenc(data, at):
    """(number, position after it)"""
    first = data[at]
    if first < 251:
        return first, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(data[at + 1:at + 1 + size], "little"), at + 1 + size


def text(data):
    return lenenc(len(data)) + data


def native_scramble(password, nonce):
    if not password:
        return b""
    once = hashlib.sha1(password.encode()).digest()
    mix = hashlib.sha1(nonce + hashlib.sha1(once).digest()).digest()
    return bytes(a ^ b for a, b in zip(once, mix))


class ServerError(Exception):
    """An ERR packet: number, SQLSTATE, message."""

    def __init__(self, payload):
        self.number = struct.unpack_from("<H", payload, 1)[0]
        rest = payload[3:]
        self.sqlstate, self.message = (rest[1:6].decode(), rest[6:]) if rest[:1] == b"#" else (None, rest)
        self.message = self.message.decode("utf-8", "replace")
        super().__init__(self.number, self.sqlstate, self.message)


class Closed(Exception):
    """The server has closed the connection."""


class Greeting:
    def __init__(self, payload):
        if payload[:1] == b"\xff":
            raise ServerError(payload)
        self.protocol = payload[0]
        end = payload.index(0, 1)
        self.version = payload[1:end].decode()
        at = end + 1
        self.connection_id = struct.unpack_from("<I", payload, at)[0]
        nonce = payload[at + 4:at + 12]
        low, self.collation, self.status, high, length = struct.unpack_from("<HBHHB", payload, at + 13)
        self.capabilities = low | high << 16
        extended = struct.unpack_from("<I", payload, at + 27)[0]
        if not self.capabilities & LONG_PASSWORD:  # MariaDB
            self.capabilities |= extended << 32
        rest = payload[at + 31:]
        second = max(12, length - 9)
        self.nonce = nonce + rest[:second]
        self.plugin = rest[second + 1:].split(b"\0")[0].decode()


class RawConnection:
    """Connects and logs in (unless login=False). capabilities: what the client asks for; of the extended ones, only
    those the server offers are sent."""

    def __init__(self, host=None, port=None, path=None, user="", password="", database=None, capabilities=BASIC,
                 attributes=None, login=True, timeout=60.0, collation=45, source=None):
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(path)
        else:
            self.socket = socket.create_connection((host, port), timeout, source and (source, 0))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = bytearray()
        self.sequence = 0
        self.capabilities = capabilities
        self.user, self.password, self.database = user, password, database
        self.attributes, self.collation = attributes, collation
        self.greeting = None
        self.opens_cursor = False  # the last command is an Execute that asks for one
        if login:
            try:
                self.login()
            except BaseException:
                self.socket.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # -- packets

    def _read(self, size):
        while len(self.received) < size:
            data = self.socket.recv(max(65536, size - len(self.received)))
            if not data:
                raise Closed(self.received)
            self.received += data
        head = bytes(self.received[:size])
        del self.received[:size]
        return head

    def read_packet(self):
        parts = []
        while True:
            header = self._read(4)
            size = int.from_bytes(header[:3], "little")
            self.sequence = (header[3] + 1) & 255
            parts.append(self._read(size))
            if size < CHUNK:
                return header[3], b"".join(parts)

    def frame(self, payload, sequence=0):
        """payload as one or more packets."""
        out = []
        for start in range(0, len(payload) + 1, CHUNK):
            part = payload[start:start + CHUNK]
            out.append(struct.pack("<I", len(part))[:3] + bytes([sequence & 255]) + part)
            sequence += 1
        self.sequence = sequence & 255
        return b"".join(out)

    def send(self, payload, sequence=0):
        if sequence == 0:
            self.opens_cursor = payload[:1] == bytes([COM_STMT_EXECUTE]) and payload[5:6] != b"\0"
        self.socket.sendall(self.frame(payload, sequence))

    def at_end(self):
        """Reads what is left until the server closes, and returns it."""
        try:
            while data := self.socket.recv(65536):
                self.received += data
        except ConnectionResetError:
            pass
        return bytes(self.received)

    def packets_to_end(self):
        """Reads until the server closes. Returns the packets as (sequence number, payload), each frame for itself, and the
        bytes of an incomplete one at the end."""
        data, packets = self.at_end(), []
        while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:3], "little"):
            size = int.from_bytes(data[:3], "little")
            packets.append((data[3], data[4:4 + size]))
            data = data[4 + size:]
        return packets, data

    # -- login

    def login(self):
        self.read_greeting()
        self.send(self.handshake_response(), 1)
        self.finish_authentication()

    def read_greeting(self):
        self.greeting = Greeting(self.read_packet()[1])

    def handshake_response(self, plugin="mysql_native_password", answer=None):
        wanted = self.capabilities & 0xFFFFFFFF
        if self.database:
            wanted |= CONNECT_WITH_DB
        if self.attributes is not None:
            wanted |= CONNECT_ATTRS
        extended = (self.capabilities >> 32) & (self.greeting.capabilities >> 32)
        self.capabilities = wanted | extended << 32
        if answer is None:
            answer = native_scramble(self.password, self.greeting.nonce[:20])
        body = struct.pack("<IIB19xI", wanted, 1 << 26, self.collation, extended)
        body += self.user.encode() + b"\0" + bytes([len(answer)]) + answer
        if self.database:
            body += self.database.encode() + b"\0"
        if wanted & PLUGIN_AUTH:
            body += plugin.encode() + b"\0"
        if self.attributes is not None:
            body += text(b"".join(text(k.encode()) + text(v.encode()) for k, v in self.attributes))
        return body

    def finish_authentication(self):
        while True:
            _, payload = self.read_packet()
            if payload[:1] == b"\x00":
                return payload
            if payload[:1] == b"\xff":
                raise ServerError(payload)
            if payload[:1] == b"\xfe":
                plugin, nonce = payload[1:].split(b"\0", 1)
                # A server asks unknown users for any method that it has; no answer to that is right.
                answer = native_scramble(self.password, nonce[:20]) if plugin == b"mysql_native_password" else bytes(64)
                self.send(answer, self.sequence)

    # -- commands

    def command(self, payload, reader=None):
        """Sends a command and returns its reply's packets."""
        self.send(payload)
        return (reader or self.read_result)()

    def query(self, sql):
        return self.command(bytes([COM_QUERY]) + (sql.encode() if isinstance(sql, str) else sql))

    def send_queries(self, *texts):
        """Sends statements at once, before the replies to earlier ones have come."""
        self.socket.sendall(b"".join(self.frame(bytes([COM_QUERY]) + (text.encode() if isinstance(text, str) else text))
                                     for text in texts))

    def send_change_user(self, user, database=""):
        self.send(bytes([COM_CHANGE_USER]) + user.encode() + b"\0\0" + database.encode() + b"\0\x2d\0mysql_native_password\0")

    def change_user(self, user, password, database=""):
        self.user, self.password = user, password
        self.send_change_user(user, database)
        return self.finish_authentication()

    def read_one(self):
        return [self.read_packet()]

    def read_closed(self):
        """For commands after which the server closes."""
        try:
            return [self.read_packet()]
        except (Closed, ConnectionResetError):
            return []

    def read_result(self, infile=None):
        """A whole reply in the shape of a result: all results of it, progress reports included."""
        packets = []
        while self._read_one_result(packets, infile):
            pass
        return packets

    def _take(self, packets):
        packets.append(self.read_packet())
        return packets[-1][1]

    def _more(self, payload):
        """Whether an OK or EOF packet says that more results follow."""
        return bool(self.status_of(payload) & STATUS_MORE_RESULTS)

    def status_of(self, payload):
        if payload[0] == 0xFE and not self.capabilities & DEPRECATE_EOF:
            return struct.unpack_from("<H", payload, 3)[0]
        _, at = read_lenenc(payload, 1)
        _, at = read_lenenc(payload, at)
        return struct.unpack_from("<H", payload, at)[0]

    def _read_one_result(self, packets, infile):
        head = self._take(packets)
        while head[:3] == b"\xff\xff\xff" and self.capabilities & PROGRESS:
            head = self._take(packets)
        if head[0] == 0xFF:
            return False
        if head[0] == 0x00:
            return self._more(head)
        if head[0] == 0xFB:
            sequence = self.sequence
            for part in infile or []:
                self.send(part, sequence)
                sequence = self.sequence
            self.send(b"", sequence)
            return self._read_one_result(packets, infile)
        columns, at = read_lenenc(head, 0)
        if at == len(head) or head[at] != 0 or not self.capabilities & CACHE_METADATA:
            for _ in range(columns):
                self._take(packets)
        if not self.capabilities & DEPRECATE_EOF:
            # Only if it was asked for: of a result within a FOR loop MariaDB says the same.
            if self.status_of(self._take(packets)) & STATUS_CURSOR_EXISTS and self.opens_cursor:
                return False
        return self._read_rows(packets)

    def _read_rows(self, packets):
        while True:
            payload = self._take(packets)
            if payload[0] == 0xFF:
                return False
            if payload[0] == 0xFE and len(payload) < (CHUNK if self.capabilities & DEPRECATE_EOF else 9):
                return self._more(payload)

    def read_fetched(self):
        """The reply of COM_STMT_FETCH and of COM_FIELD_LIST: packets up to an EOF or ERR."""
        packets = []
        while True:
            payload = self._take(packets)
            if payload[0] == 0xFF or (payload[0] == 0xFE and len(payload) < CHUNK):
                return packets

    def read_prepared(self):
        packets = [self.read_packet()]
        head = packets[0][1]
        if head[0] == 0:
            _, columns, parameters = struct.unpack_from("<IHH", head, 1)
            eof = 0 if self.capabilities & DEPRECATE_EOF else 1
            follow = (parameters + eof if parameters else 0) + (columns + eof if columns else 0)
            for _ in range(follow):
                packets.append(self.read_packet())
        return packets

    def prepare(self, sql):
        """(statement id, packets); the id in the packets is made 0, since the server counts them over all connections"""
        packets = self.command(bytes([COM_STMT_PREPARE]) + (sql.encode() if isinstance(sql, str) else sql), self.read_prepared)
        if packets[0][1][0] == 0xFF:
            raise ServerError(packets[0][1])
        sequence, head = packets[0]
        return struct.unpack_from("<I", head, 1)[0], [(sequence, head[:1] + bytes(4) + head[5:]), *packets[1:]]


def error_of(packets):
    """The error that ends a reply, as (number, sqlstate, message); None when it is not one."""
    last = packets[-1][1]
    if last[:1] != b"\xff":
        return None
    error = ServerError(last)
    return error.number, error.sqlstate, error.message
