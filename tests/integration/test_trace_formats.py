# SPDX-License-Identifier: Apache-2.0
"""What the formats of weir-trace show of written conversations, and what they keep to themselves."""
import json
import subprocess

import pytest
from harness.paths import BIN, TRACE_PLUGINS
from harness.tracing import untraced

WEIR_TRACE = BIN / "weir-trace"
FORMS = {"text": ["--format", "text"], "hex": ["--format", "text", "--hex"], "json": ["--format", "json"],
         "test_trace": ["--format", "test_trace"]}

pytestmark = pytest.mark.skipif(not WEIR_TRACE.exists(), reason="weir-trace is not built there")

OK = bytes([0, 0, 0, 2, 0, 0, 0])
EOF = b"\xfe\0\0\x02\0"
COLUMN = b"\x03def\0\0\0\x02Id\0\x0c\x3f\0\x01\0\0\0\x08\x81\0\0\0\0"
CAPABILITIES = 0x00088201  # PLUGIN_AUTH, SECURE_CONNECTION, PROTOCOL_41, and MySQL's own
GREETING = (b"\x0a8.0\0\x07\0\0\0abcdefgh\0" + (CAPABILITIES & 0xffff).to_bytes(2, "little") + b"\x2d\x02\0"
            + (CAPABILITIES >> 16).to_bytes(2, "little") + b"\x15" + bytes(10) + b"ijklmnopqrst\0native\0")


def response(answer):
    return (CAPABILITIES.to_bytes(4, "little") + bytes(4) + b"\x2d" + bytes(23) + b"bob\0" + bytes([len(answer)]) + answer
            + b"mysql_clear_password\0")


def show(tmp_path, conversation, *options):
    """conversation: (direction, sequence number, payload)s."""
    path = tmp_path / "wire.jsonl"
    path.write_text("".join(
        json.dumps({"dir": direction, "hex": (len(payload).to_bytes(3, "little") + bytes([number]) + payload).hex()}) + "\n"
        for direction, number, payload in conversation))
    done = subprocess.run([WEIR_TRACE, "--wire", path, *options], env=untraced(), capture_output=True, check=True)
    return (done.stdout + done.stderr).decode("latin-1")


LOGIN = [("s2c", 0, GREETING), ("c2s", 1, response(b"")), ("s2c", 2, OK)]


def test_a_list_of_processes_reads_as_one(tmp_path):
    lines = show(tmp_path, [*LOGIN, ("c2s", 0, b"\x0a"), ("s2c", 1, b"\x01"), ("s2c", 2, COLUMN), ("s2c", 3, EOF),
                            ("s2c", 4, b"\x0242"), ("s2c", 5, EOF), ("c2s", 0, b"\x0d"), ("s2c", 1, EOF)]).splitlines()
    shown = [line.split("bytes  ")[1] for line in lines if line.startswith("WAIT_FOR_RESULT") and "bytes  " in line]
    assert shown == ["1 columns", "Id LONGLONG", "end", "42", "end, 1 rows", "OK"]


def test_what_is_sent_ahead_comes_in_an_order_that_a_library_could_have_made(tmp_path, monkeypatch):
    """A batch of blobs: what has no reply waits for its turn like all else. test_trace says so, or aborts, if not."""
    monkeypatch.setenv("MYSQL_TEST_TRACE_DEBUG", "1")
    statement, flags = b"\1\0\0\0", b"\0\1\0\0\0"
    batch = [b"\x18" + statement + b"\0\0one", b"\x17" + statement + flags, b"\x18" + statement + b"\0\0two",
             b"\x17" + statement + flags, b"\x19" + statement]
    told = show(tmp_path, [*LOGIN, ("c2s", 0, b"\x16insert ?"), ("s2c", 1, b"\0" + statement + bytes(7)),
                           *[("c2s", 0, command) for command in batch], ("s2c", 1, OK), ("s2c", 1, OK), ("c2s", 0, b"\1")],
                "--plugin", "test_trace", "--plugin-dir", TRACE_PLUGINS)
    words = ("cmd: 24", "OK", "STMT_", "QUIT")
    shown = [line.split(": ", 2)[2].split(";")[0] for line in told.splitlines() if line.split(": ", 2)[-1].startswith(words)]
    assert shown == ["STMT_PREPARE: insert ?", *["cmd: 24", "STMT_EXECUTE: 1", "OK from server"] * 2, "STMT_CLOSE: 1", "QUIT"]
    assert "wrong stage" not in told


# What a client answers with, and the method that it is asked for before.
SECRETS = {
    "in the response": (None, b"SECRETSECRETSECRET\0"),
    "clear": (b"mysql_clear_password", b"SECRETSECRETSECRET\0"),
    "dialog": (b"dialog", b"SECRETSECRETSECRET\0"),
    "sha256": (b"sha256_password", b"SECRETSECRETSECRET\0"),
    "caching_sha2": (b"caching_sha2_password", b"SECRETSECRETSECRET\0"),
}


def login_with(method, secret):
    if method is None:
        return [("s2c", 0, GREETING), ("c2s", 1, response(secret)), ("s2c", 2, OK)]
    return [*LOGIN[:2], ("s2c", 2, b"\xfe" + method + b"\0" + b"x" * 20 + b"\0"), ("c2s", 3, secret), ("s2c", 4, OK)]


def spellings(secret):
    yield secret.decode()
    yield secret.hex()
    yield " ".join(f"{byte:02X}" for byte in secret)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_passwords_are_masked(tmp_path, secret, form):
    method, answer = SECRETS[secret]
    conversation = login_with(method, answer)
    masked = show(tmp_path, conversation, *FORMS[form])
    assert not any(spelling in masked for spelling in spellings(b"SECRET"))
    if method and form != "text":
        opened = show(tmp_path, conversation, *FORMS[form], "--show-secrets")
        assert any(spelling in opened for spelling in spellings(b"SECRET"))


@pytest.mark.parametrize("form", FORMS)
def test_the_answer_in_a_change_of_user_is_masked(tmp_path, form):
    masked = show(tmp_path, [*LOGIN, ("c2s", 0, b"\x11eve\0\x06SECRETdb\0\x2d\0native\0"), ("s2c", 1, OK)], *FORMS[form])
    assert not any(spelling in masked for spelling in spellings(b"SECRET"))


def test_what_is_made_of_a_password_is_masked_but_in_the_test_plugins_words(tmp_path):
    conversation = login_with(b"mysql_native_password", b"SECRETSECRETSECRETSE")
    for form, options in FORMS.items():
        is_open = any(spelling in show(tmp_path, conversation, *options) for spelling in spellings(b"SECRET"))
        assert is_open == (form == "test_trace")


STATEMENTS = {
    "query": b"\x03CREATE USER eve IDENTIFIED BY 'SECRET'",
    "prepare": b"\x16SET PASSWORD FOR eve = PASSWORD('SECRET')",
    "far from the beginning": b"\x03" + b"/*" + b" " * 300 + b"*/" + b"ALTER USER eve IDENTIFIED BY 'SECRET'",
}
ERROR = b"\xff\x28\x04#42000Error near 'SECRET'' at line 1"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_passwords_in_statements_are_masked_but_in_the_test_plugins_words(tmp_path, statement, form):
    conversation = [*LOGIN, ("c2s", 0, STATEMENTS[statement]), ("s2c", 1, ERROR), ("c2s", 0, b"\x0e"), ("s2c", 1, OK)]
    masked, opened = show(tmp_path, conversation, *FORMS[form]), show(tmp_path, conversation, *FORMS[form], "--show-secrets")
    is_open = any(spelling in masked for spelling in spellings(b"SECRET"))
    assert is_open == (form == "test_trace")
    assert any(spelling in opened for spelling in spellings(b"SECRET"))
    if form == "text" and statement == "query":
        assert "CREATE USER eve IDENTIFIED BY '***'" in masked


@pytest.mark.parametrize("form", FORMS)
def test_other_statements_are_shown_as_they_are(tmp_path, form):
    conversation = [*LOGIN, ("c2s", 0, b"\x03SELECT password FROM t"),
                    ("s2c", 1, b"\xff\x7a\x04#42S02Table 'db.t' doesn't exist")]
    masked, opened = show(tmp_path, conversation, *FORMS[form]), show(tmp_path, conversation, *FORMS[form], "--show-secrets")
    assert masked.partition("SEND_COMMAND")[2] == opened.partition("SEND_COMMAND")[2] != ""
