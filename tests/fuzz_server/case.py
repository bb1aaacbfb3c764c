# SPDX-License-Identifier: Apache-2.0
"""A case: one session of a client, as steps; and the same as a text that people read.

A file has a line a step: a verb, a blank, and its argument as bytes: printable ASCII as it is, a backslash twice, other bytes
as \\xNN. Lines that begin with # are for people.

    login ACCOUNT DATABASE COLLATION   first; the collation is the number in the handshake response
    query TEXT             COM_QUERY
    prepared TEXT          COM_STMT_PREPARE, COM_STMT_EXECUTE with ones for the parameters, COM_STMT_CLOSE
    prepare NAME TEXT      COM_STMT_PREPARE
    execute NAME           COM_STMT_EXECUTE of that
    init_db NAME           COM_INIT_DB
    change_user ACCOUNT DATABASE
    reset                  COM_RESET_CONNECTION
    ask                    a SELECT of the session's state, whose answer is compared with what the gateway believes
"""
import dataclasses
import pathlib
import re

VERBS = ("query", "prepared", "prepare", "execute", "init_db", "change_user", "reset", "ask")


@dataclasses.dataclass(frozen=True)
class Step:
    verb: str
    argument: bytes = b""

    @property
    def text(self):
        """The statement's text; for the others b""."""
        if self.verb == "prepare":
            return self.argument.partition(b" ")[2]
        return self.argument if self.verb in ("query", "prepared") else b""

    @property
    def name(self):
        return self.argument.partition(b" ")[0]

    def with_text(self, text):
        return Step(self.verb, self.name + b" " + text if self.verb == "prepare" else text)


@dataclasses.dataclass(frozen=True)
class Case:
    account: str = "free"
    database: str = "db1"
    collation: int = 45
    steps: tuple = ()

    def with_steps(self, steps):
        return dataclasses.replace(self, steps=tuple(steps))


def escape(data):
    return "".join("\\\\" if byte == 0x5C else chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in data)


def unescape(text):
    return re.sub(rb"\\(\\|x[0-9a-f]{2})", lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]),
                  text.encode("ascii"))


def write(case, comments=()):
    lines = [f"# {line}" for comment in comments for line in comment.splitlines()]
    lines.append(f"login {case.account} {case.database} {case.collation}")
    lines += [f"{step.verb} {escape(step.argument)}".rstrip(" ") if not step.argument else
              f"{step.verb} {escape(step.argument)}" for step in case.steps]
    return "\n".join(lines) + "\n"


def read(text):
    case, steps = Case(), []
    for number, line in enumerate(text.split("\n"), 1):
        verb, _, argument = line.partition(" ")
        if not verb or verb == "#":
            continue
        if verb == "login":
            account, database, collation = argument.split(" ")
            case = Case(account, database, int(collation))
        elif verb in VERBS:
            steps.append(Step(verb, unescape(argument)))
        else:
            raise ValueError(f"line {number}: no such verb: {verb}")
    return case.with_steps(steps)


def read_file(path):
    return read(pathlib.Path(path).read_text(encoding="ascii"))
