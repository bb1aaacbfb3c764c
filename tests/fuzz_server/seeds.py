# SPDX-License-Identifier: Apache-2.0
"""Statements of other people's tests, read where they are and never copied: MariaDB's test files (Debian's mariadb-test-data) and the
digest cases, which hold TiDB's. Either may be missing. Those that run come more often."""
import json
import os
import pathlib
import re

MARIADB = (pathlib.Path("/usr/share/mysql/mysql-test"), )
TRUTH = pathlib.Path(os.environ.get("WEIR_TRUTH", pathlib.Path(__file__).resolve().parents[3] / "shared"))
FIRST_WORDS = set("""select insert update delete replace create drop alter rename truncate use set prepare execute deallocate begin start
    commit rollback savepoint call do handler lock unlock show describe desc explain analyze check checksum optimize repair with values
    load table signal get flush if case loop while repeat for""".split())
# Of mariadb-test's own language; and what would stop the server, take long, or change what the judge relies on.
FORBIDDEN = re.compile(r"\$|^\s*(let|eval|connect|disconnect|connection|source|echo|error|while|if\s*\(|inc|dec|sleep)\b|sleep\s*\(|benchmark\s*\(|"
                       r"shutdown|get_lock|\bkill\b|performance_schema|server_audit|set\s+(global|@@global)|@@global|delimiter|"
                       r"^\s*(repeat|loop)\b|seq_\d+_to|setup_|plugin|profiling|sql_log_|wait_for|backup|debug|delayed", re.I)


def _mariadb_files():
    for root in MARIADB:
        for folder in ("main", "suite/sys_vars/t", "suite/compat/oracle/t", "suite/innodb/t", "suite/period/t", "suite/json/t",
                       "suite/sql_sequence", "suite/vcol/t", "suite/gcol/t", "suite/maria"):
            yield from sorted((root / folder).glob("*.test"))


def _statements_of(text):
    delimiter, lines = ";", []
    for line in text.split("\n"):
        stripped = line.strip()
        if not lines and (not stripped or stripped[0] == "#" or stripped.startswith("--") or stripped[0] == "}"):
            continue
        found = re.match(r"delimiter\s+(\S+?);?\s*" + re.escape(delimiter) + "?$", stripped, re.I) if not lines else None
        if found:
            delimiter = found[1]
            continue
        lines.append(line)
        if stripped.endswith(delimiter):
            yield "\n".join(lines).rstrip()[:-len(delimiter)].strip()
            lines = []


def _useful(statement):
    word = re.match(r"\W*([A-Za-z]+)", statement)
    return word and word[1].lower() in FIRST_WORDS and len(statement) < 600 and not FORBIDDEN.search(statement)


class Seeds:
    """next() gives a statement as str and remembers it; ran(ok) says how the last one went."""

    def __init__(self, random, limit=40000):
        self.random = random
        found = set()
        for path in _mariadb_files():
            found.update(s for s in _statements_of(path.read_text("utf-8", "replace")) if _useful(s))
        self.from_mariadb = len(found)
        for name in ("digest_cases_dev.jsonl", "tables_cases_dev.jsonl"):
            path = TRUTH / "digest" / name
            if path.exists():
                with open(path, encoding="utf-8") as lines:
                    # Those in bytes that are no UTF-8 have no "sql".
                    found.update(sql for sql in (json.loads(line).get("sql", "") for line in lines) if _useful(sql))
        self.all = sorted(found)
        self.random.shuffle(self.all)
        del self.all[limit:]
        self.score = {}  # statement: runs that succeeded, less those that failed

    def __len__(self):
        return len(self.all)

    def next(self):
        """Prefers what has run before, or has not been tried."""
        for _ in range(6):
            statement = self.random.choice(self.all)
            if self.score.get(statement, 0) >= 0:
                break
        return statement

    def ran(self, statement, ok):
        self.score[statement] = max(-2, min(5, self.score.get(statement, 0) + (1 if ok else -1)))
