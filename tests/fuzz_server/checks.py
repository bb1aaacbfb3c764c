# SPDX-License-Identifier: Apache-2.0
"""The invariants: each compares what the server did in a step with what the gateway said of it, and yields findings."""
import dataclasses
import re

import pymysql

import gateway_view
import kinds
import schema
import server_view
from mutate import CODECS


@dataclasses.dataclass(frozen=True)
class Finding:
    check: str
    expected: str
    got: str
    step: int

    @property
    def signature(self):
        """The same for findings that look alike."""
        if self.check == "database":
            return self.check + re.sub(r"'[^']*'", "", self.expected.partition(" of ")[0])
        return self.check + "".join(re.sub(r"'[^']*'|\"[^\"]*\"|[0-9.]+", "", text)[:50] for text in (self.expected, self.got))

    def __str__(self):
        return f"{self.check} (step {self.step + 1}): expected {self.expected}; got {self.got}"


CHARSETS = ("utf-8", "latin-1", "gbk", "shift_jis", *sorted(set(CODECS.values()) - {"utf-8", "gbk", "shift_jis"}))


def readings(data):
    """A text as it may be meant, lower case."""
    if data.isascii():
        return {data.decode("ascii").lower()}
    found = set()
    for charset in CHARSETS:
        found.add(data.decode(charset, "replace").lower())
    return found


def _text_of(value):
    """The witness's bytes as text, in the charsets that they may be in."""
    if value is None:
        return None
    return readings(value.encode("latin-1"))


class Judge:
    """judge(played) returns findings of a case. counts: statements, executed, unknown and unplaced over all cases."""

    def __init__(self, stand, counts):
        self.stand, self.counts = stand, counts

    def judge(self, played, trouble, show=False):
        findings = []
        if trouble:
            findings.append(Finding("conversation", "a reply", trouble, max(0, len(played) - 1)))
        rows = server_view.read_rows(self.stand)
        told = []
        for index, one in enumerate(played):
            try:
                told.append(gateway_view.read(self.stand, one))
            except gateway_view.Unbalanced as error:
                findings.append(Finding("balance", "an end for each Starting", str(error), index))
                told.append(None)
        try:
            placed = server_view.place(played, rows)
        except server_view.Misplaced as error:
            self.counts["unplaced"] += 1
            if show:
                print(f"not placed: {error}")
            return findings
        connection = next((b"%d" % one.backend_connection_id for some in told for one in some or []), b"")
        for index, one in enumerate(played):
            self.counts["statements"] += max(1, len(placed[index]))
            if told[index] is None:
                continue
            self.counts["executed"] += sum(1 for row in placed[index] if not row.error)
            if index == len(played) - 1:
                break  # the last ask, whose row may not be there yet
            view = View(index, one, told[index], placed[index], server_view.touched(self.stand, one, connection, placed[index]),
                        any(b"trigger" in earlier.text.lower() for earlier in played[:index]))
            self.counts["unknown"] += any(statement.inexact or not statement.names_known for statement in view.told)
            if show:
                view.show()
            for check in CHECKS:
                findings += [Finding(check.__name__.replace("_", "-"), expected, got, index)
                             for expected, got in check(view)]
        return findings + self._ledger(played)

    def _ledger(self, played):
        """Rule missing-where: each WHERE that the grammar makes for the ledger picks one row."""
        named = [index for index, one in enumerate(played) if b"edger" in one.text.lower()]
        if not named:
            return []
        guarded = all(played[index].account == "guarded" for index in named)
        findings = []
        for database in schema.DATABASES:
            table = f"{schema.quoted(database)}.ledger"
            try:
                count, same = self.stand.query(f"SELECT COUNT(*), IFNULL(SUM(n = id * 7), 0) FROM {table}")[0]
                if count != schema.LEDGER_ROWS or same != count:
                    self.stand.query(schema.ledger_of(database))
            except pymysql.err.MySQLError:
                continue  # dropped or altered: the other checks' business
            if guarded and (not count or not same):
                findings.append(Finding("rule-missing-where", "refused by rule missing-where",
                                        f"all rows of {database}.ledger changed or gone", named[-1]))
        return findings


@dataclasses.dataclass
class View:
    index: int
    one: object
    told: list
    rows: list
    touched: set
    has_triggers: bool  # maybe: an earlier step speaks of one

    def show(self):
        print(f"step {self.index + 1}: {self.one.step.verb} {self.one.text!r} results {self.one.results} {self.one.error or ''}")
        for row in self.rows:
            print(f"    server   {short(row)} in {row.database!r} error {row.error}; inner {row.inner}")
        print(f"    touched  {sorted(self.touched)}")
        for statement in self.told:
            print(f"    gateway  {statement.start}\n             {statement.end}")

    @property
    def reaches_unseen(self):
        """Tables that the text does not name as tables, though it may have their names: an EXECUTE of what was not seen, a trigger's."""
        return self.has_triggers or any(statement.runs_unseen for statement in self.told)

    @property
    def schema_unsure(self):
        """EXECUTE may run what another text names; and an error about an alias names the current database."""
        return b"execute" in self.one.text.lower() or bool(self.one.error and self.one.error[0] == 1142)

    @property
    def inexact(self):
        return any(statement.inexact for statement in self.told)


def names(text, table):
    """Whether a text may name a table. That of a keyword has to have quotes, or a point before it."""
    if table == "select":
        return bool(re.search(r"[`\"\[.]\s*select", text))
    return table in text


# ---- The checks: each yields (expected, got) ----

def tables(view):
    if not view.told or not view.touched or view.reaches_unseen or any(not statement.names_known for statement in view.told):
        return
    text = readings(view.one.text)
    reached = set()
    for name, reaches in schema.REACHES.items():
        if any(names(reading, name) for reading in text):
            reached |= reaches
    known = set()
    for statement in view.told:
        for database, name, _ in statement.tables:
            known |= {(one, other) for one in (_text_of(database) or {None}) for other in _text_of(name)}
    known_names = {name for _, name in known}
    for database, name in sorted(view.touched):
        lower = name.lower()
        if not name or not name.isprintable():
            continue  # a line of server_audit ends within it
        if lower in reached or not any(names(reading, lower) for reading in text):
            continue
        if lower not in known_names:
            yield f"table {database}.{name}, or names_known = 0", f"tables {sorted(known_names)}"
        elif database.isascii() and not view.schema_unsure and (database.lower(),
            lower) not in known and (None, lower) not in known:
            yield f"table {database}.{name}", f"tables {sorted(known, key=str)[:6]}"


def statements(view):
    """Each statement that the server ran has its records, and no other has."""
    if view.inexact:
        return
    ran, rows = effective(view)
    if len(ran) != len(rows):
        yield (f"{len(rows)} statements: {[short(row) for row in rows]}",
               f"{len(ran)} that ran, of {len(view.told)}: {[statement.specific_kind for statement in view.told]}")


def effective(view):
    """The statements that ran, as the gateway and as the server have them, without empty ones in texts."""
    ran = [statement for statement in view.told if statement.ran]
    if len(ran) == len(view.rows):
        return ran, view.rows
    return ([statement for statement in ran if statement.specific_kind != "Empty"],
            [row for row in view.rows if row.kind != "statement/sql/empty_query" and row.error != 1065])


def pairs(view):
    ran, rows = effective(view)
    return list(zip(ran, rows)) if len(ran) == len(rows) else []


def kind(view):
    if view.inexact:
        return
    for statement, row in pairs(view):
        expected = kinds.EXPECTED.get(row.kind)
        names = statement.kinds()
        if expected and not row.error and not (expected | kinds.EXPLAINS) & names and None not in names:
            yield f"a kind of {short(row)}", f"{statement.specific_kind}, parts {statement.parts}"


def database(view):
    for statement, row in pairs(view):
        believed = _text_of(statement.start["database"])
        if believed is not None and row.database.lower() not in believed:
            yield f"database {row.database!r} at Starting of {short(row)}", repr(statement.start["database"])


def error(view):
    if view.inexact:
        return
    for statement, row in pairs(view):
        if statement.end["error_code"] != row.error and (row.error or statement.end["error_code"]):
            yield f"error {row.error} of {short(row)}", f"{statement.end['error_code']} {statement.end['message']}"


def state(view):
    """The answer to an ask: database and account."""
    if not view.one.row or not view.told:
        return
    end = view.told[-1].end
    for name, value in zip(("database", "current_user", "current_role"), view.one.row):
        believed = _text_of(end[name])
        if believed is not None and not readings(value or b"") & believed and (value or b"") != b"NONE":
            yield f"{name} {value!r}", repr(end[name])


def rule_secret(view):
    if view.one.account != "guarded" or not any("secret" in reading for reading in readings(view.one.text)):
        return
    for database_name, name in view.touched:
        if name.lower() == "secret" and not (view.one.error and view.one.error[0] == 1142):
            yield "refused by rule secret", f"the server touched {database_name}.secret"


def rule_drop(view):
    if view.one.account != "guarded":
        return
    for row in view.rows:
        dropped = row.kind.startswith("statement/sql/drop_")
        inner = [text for text in row.inner if text.lstrip().lower().startswith("drop ")
                 and not text.lstrip().lower().startswith("drop prepare")]
        if dropped or inner:
            yield "refused by rule no-drop", f"the server ran {inner or short(row)}"


def short(row):
    return f"{row.kind.rpartition('/')[2]} {(row.text or '')[:60]!r}"


CHECKS = (tables, statements, kind, database, error, state, rule_secret, rule_drop)
