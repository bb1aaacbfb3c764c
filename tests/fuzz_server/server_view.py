# SPDX-License-Identifier: Apache-2.0
"""What the server says that it did: performance_schema has a row for each statement at the top, in order, with its kind, the
database that it began in and its error; server_audit has a line for each table that was touched. Here both are put to the steps
of a case. The gateway's own statements are those whose text no step has sent."""
import dataclasses
import re

ROWS = ("SELECT thread_id, event_name, current_schema, mysql_errno, sql_text, nesting_event_level "
        "FROM performance_schema.events_statements_history_long ORDER BY thread_id, event_id")
TABLE_OPERATIONS = {b"READ", b"WRITE", b"CREATE", b"ALTER", b"DROP", b"RENAME"}
SYSTEM = {"mysql", "performance_schema", "information_schema", "sys"}
COMMANDS = {"statement/com/Prepare": ("prepare", "prepared"), "statement/com/Execute": ("execute", "prepared"),
            "statement/com/Init DB": ("init_db",), "statement/com/Change user": ("change_user",),
            "statement/com/Reset connection": ("reset",)}


@dataclasses.dataclass
class Row:
    kind: str  # the event's name: "statement/sql/select"
    database: str
    error: int
    text: str
    inner: list = dataclasses.field(default_factory=list)  # the texts that routines and compound statements ran


class Misplaced(Exception):
    """A row belongs to no step: the oracle does not understand what happened."""


def read_rows(stand):
    rows = []
    for _, kind, database, error, text, level in stand.query(ROWS):
        if level:
            if rows:
                rows[-1].inner.append(text or "")
        else:
            rows.append(Row(kind, database or "", error or 0, text))
    stand.query("TRUNCATE performance_schema.events_statements_history_long")
    return rows


def _letters(text):
    return re.sub(r"[^0-9a-z]", "", text.lower())


def _same_start(sent, row_text):
    """Whether a row's text can be this one. The server converts texts to UTF-8 and cuts them where it cannot."""
    if row_text is None:
        return not re.sub(rb"[\s;]", b"", sent) or sent.lstrip()[:1] >= b"\x80"
    sent, row_text = sent.lstrip(b" \t\n\v\f\r"), row_text.lstrip(" \t\n\v\f\r")
    if row_text.endswith("..."):
        row_text = row_text[:-3]
    at = re.search(r"[^\x00-\x7e]|\?", row_text)
    end = at.start() if at else len(row_text)
    ascii_only = re.search(rb"[^\x00-\x7e]", sent)
    if row_text and (ascii_only is not None and not ascii_only.start()) != (at is not None and not at.start()):
        return False
    if ascii_only and not at and len(row_text) > ascii_only.start() + 3:
        return False  # what is no ASCII is in the row, or the row ends there
    end = min(end, ascii_only.start() if ascii_only else end, 2000)
    return sent[:end].decode("latin-1") == row_text[:end] and (at or ascii_only or abs(len(sent) - len(row_text)) < 4
                                                              or end == 2000)


def _same_whole(sent, row_text):
    """Whether a row's text is all of this one. Of a text that begins with what is no character, the server keeps nothing."""
    return row_text.encode().strip() == sent.strip() if row_text else _same_start(sent, row_text)


def _is_part(sent, row_text):
    """Whether the row's text stands somewhere in what was sent."""
    if not row_text:
        return True
    letters = _letters(re.split(r"[^\x00-\x7e]|\?|\.\.\.$", row_text)[0])[:40]
    return letters in _letters(sent.decode("latin-1"))


def place(played, rows):
    """The rows of each step: a list beside `played`."""
    placed = [[] for _ in played]
    at = -1  # the step that rows belong to now
    for row in rows:
        if row.kind in COMMANDS:
            at = _command(played, placed, at, COMMANDS[row.kind])
            placed[at].append(row)
        elif row.kind.startswith("statement/sql/"):
            found = _statement(played, placed, at, row)
            if found is not None:
                at = found
                placed[at].append(row)
    return placed


def _command(played, placed, at, verbs):
    if "execute" in verbs and at >= 0 and played[at].step.verb == "prepared" and played[at].executed and len(placed[at]) == 1:
        return at
    for index in range(at + 1, len(played)):
        if played[index].step.verb == "execute" and not played[index].executed:
            continue
        if played[index].step.verb in verbs and (played[index].executed or not _refused(played[index])):
            return index
    raise Misplaced(f"{verbs}: after step {at}")


def _statement(played, placed, at, row):
    """The step that a row of COM_QUERY belongs to; None: it is the gateway's own."""
    current = played[at] if at >= 0 else None
    if current and current.step.verb in ("query", "ask") and 0 < len(placed[at]) < current.results \
            and _is_part(current.text, row.text):
        if any(one.step.verb in ("query", "ask") and _same_whole(one.text, row.text) for one in played[at + 1:at + 2]):
            raise Misplaced(f"{row.kind} {row.text!r} fits step {at} and the next one")
        return at
    refused = None  # would be a finding: only if no other step fits
    for index in range(at + 1, len(played)):
        if played[index].step.verb in ("query", "ask"):
            fits = _same_start(played[index].text, row.text)
            if fits and not _refused(played[index]):
                return index
            if fits and refused is None:
                refused = index
            if not _refused(played[index]):
                break
    if refused is not None:
        return refused
    if row.text and not any(_is_part(one.text, row.text) for one in played):
        return None
    raise Misplaced(f"{row.kind} {row.text!r} after step {at}")


def _refused(one):
    return bool(one.error) and "sql_firewall" in one.error[2]


def touched(stand, one, connection, rows):
    """The tables that the server touched in a step: a set of (schema, name). Those that went with their database are none."""
    tables = set()
    whole = re.search(rb"database|schema|execute|call|@", one.text, re.I) or any(row.inner for row in rows)
    for line in stand.audit.read(*one.audit).splitlines():
        fields = line.split(b",", 8)
        if len(fields) < 9 or fields[6] not in TABLE_OPERATIONS or fields[4] != connection:
            continue
        if fields[6] == b"DROP" and whole:
            continue
        schema, name = fields[7].decode("utf-8", "replace"), fields[8].rsplit(b",", 1)[0].decode("utf-8", "replace")
        if fields[6] == b"RENAME":
            name, _, new = name.partition("|")
            tables.add(tuple(new.partition(".")[::2]))
        if schema not in SYSTEM:
            tables.add((schema, name))
    if one.error and one.error[0] == 1142:
        named = re.search(r"for table `(.*)`\.`(.*)`$", one.error[2])
        if named and "?" not in one.error[2]:
            tables.add(tuple(re.sub(r"\\([0-9A-F]{4})", lambda m: chr(int(m[1], 16)), name.replace("``", "`"))
                             for name in named.groups()))
    return tables
