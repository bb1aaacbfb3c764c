# SPDX-License-Identifier: Apache-2.0
"""Plays a case through the gateway and notes, step by step, what the client read and how far the witness's file and the server's
audit log had grown by then: both are written before the client reads the end of a reply, so that the parts between two such
marks are about one step."""
import dataclasses
import select
import struct

from harness.raw import (COM_INIT_DB, COM_QUERY, COM_RESET_CONNECTION, COM_STMT_CLOSE, COM_STMT_EXECUTE, COM_STMT_PREPARE,
                         Closed, RawConnection, ServerError, error_of, read_lenenc)

from case import Step

# Nothing in it depends on the session's mode or character set. The number says which question an answer belongs to.
ASK = b"SELECT %d, HEX(DATABASE()), HEX(CURRENT_USER()), HEX(CURRENT_ROLE()) LIMIT 1"


class Client(RawConnection):
    def counted(self, payload):
        """Sends a command. Returns the packets of its reply and the number of results in it."""
        self.send(payload)
        packets, results = [], 1
        while self._read_one_result(packets, None):
            results += 1
        return packets, results


@dataclasses.dataclass
class Played:
    """One step: what was sent, and what came."""
    step: Step
    account: str
    text: bytes = b""  # of the statement, also for an execute
    results: int = 0
    error: tuple = None  # (number, sqlstate, message)
    row: list = None  # the answer to an ask
    witness: tuple = (0, 0)
    audit: tuple = (0, 0)
    executed: bool = False  # a prepared statement got as far as its execute


class Player:
    """strict: whether more than a reply comes is looked at after each step, which takes a while."""

    def __init__(self, stand, socket=None, strict=False):
        self.stand, self.socket, self.strict = stand, socket, strict

    def play(self, case):
        """Returns ([Played], what went wrong or None): the connection was lost, or a reply did not come."""
        self.prepared, self.account = {}, case.account
        played = []
        self.marks = self._sizes()
        try:
            client = Client(path=self.socket or self.stand.gateway.socket, user=case.account, database=case.database or None,
                            collation=case.collation, timeout=5)
        except ServerError as error:
            return played, f"login: {error}" if error.number not in (1044, 1045, 1049) else None
        with client:
            trouble = None
            for step in (*case.steps, Step("ask")):
                now = Played(step, self.account)
                played.append(now)
                try:
                    self._step(client, step, now)
                except ServerError as error:
                    now.error = (error.number, error.sqlstate, error.message)
                except (Closed, ConnectionError, TimeoutError, struct.error, IndexError, KeyError) as error:
                    trouble = f"{type(error).__name__} after {step.verb}"
                if self.strict and (client.received or select.select([client.socket], [], [], 0.02)[0]):
                    trouble = f"more than a reply after {step.verb}"
                self._mark(now)
                if trouble:
                    break
            if not trouble:
                client.send(b"\1")
        return played, trouble

    def _sizes(self):
        return self.stand.witness.size(), self.stand.audit.size()

    def _mark(self, now):
        before, self.marks = self.marks, self._sizes()
        now.witness, now.audit = (before[0], self.marks[0]), (before[1], self.marks[1])

    def _step(self, client, step, now):
        if step.verb == "query":
            now.text = step.argument
            packets, now.results = client.counted(bytes([COM_QUERY]) + step.argument)
            now.error = error_of(packets)
        elif step.verb == "ask":
            self._ask(client, now)
        elif step.verb == "prepared":
            now.text = step.argument
            statement = self._prepare(client, step.argument)
            self._execute(client, statement, now)
            client.send(struct.pack("<BI", COM_STMT_CLOSE, statement[0]))
        elif step.verb == "prepare":
            now.text = step.text
            self.prepared[step.name] = (*self._prepare(client, step.text), step.text)
        elif step.verb == "execute":
            if step.argument in self.prepared:
                now.text = self.prepared[step.argument][2]
                self._execute(client, self.prepared[step.argument], now)
        elif step.verb == "init_db":
            now.error = error_of(client.command(bytes([COM_INIT_DB]) + step.argument))
        elif step.verb == "reset":
            now.error = error_of(client.command(bytes([COM_RESET_CONNECTION])))
            self.prepared = {}
        elif step.verb == "change_user":
            account, _, database = step.argument.decode().partition(" ")
            self.prepared = {}
            client.change_user(account, "", database)
            self.account = account

    def _ask(self, client, now):
        number = client.sequence + 1000 * len(self.prepared) + self.marks[0]
        now.text = ASK % number
        packets, now.results = client.counted(bytes([COM_QUERY]) + now.text)
        now.error = error_of(packets)
        rows = [payload for _, payload in packets[6:-1]]
        if not now.error:
            # character_set_results may be one with wide characters.
            values = [value and value.replace(b"\0", b"") for value in text_row(rows[0])] if rows else []
            if len(values) != 4 or values[0] != b"%d" % number:
                raise KeyError("an answer to another question")
            now.row = [None if value is None else bytes.fromhex(value.decode("ascii")) for value in values[1:]]

    def _prepare(self, client, text):
        packets = client.command(bytes([COM_STMT_PREPARE]) + text, client.read_prepared)
        head = packets[0][1]
        if head[0] == 0xFF:
            raise ServerError(head)
        number, _, parameters = struct.unpack_from("<IHH", head, 1)
        return number, parameters

    def _execute(self, client, statement, now):
        number, parameters = statement[:2]
        body = struct.pack("<BIBI", COM_STMT_EXECUTE, number, 0, 1)
        if parameters:
            body += bytes((parameters + 7) // 8) + b"\1" + b"\3\0" * parameters + b"\1\0\0\0" * parameters
        now.executed = True
        packets, now.results = client.counted(body)
        now.error = error_of(packets)


def text_row(payload):
    values, at = [], 0
    while at < len(payload):
        if payload[at] == 0xFB:
            values.append(None)
            at += 1
            continue
        size, at = read_lenenc(payload, at)
        values.append(payload[at:at + size])
        at += size
    return values
