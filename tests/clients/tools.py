# SPDX-License-Identifier: Apache-2.0
"""Tools of administrators: dumps, Percona's toolkit and MariaDB's small programs. Each returns what it said."""
import re
import shutil
import subprocess

from harness.endpoint import DATABASE, PASSWORD, USER
from harness.paths import program

FILL = """
CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT, b BLOB, d DATETIME(3) DEFAULT '2024-02-29 12:00:00', KEY (d), KEY d2 (d));
INSERT INTO a (v, b) SELECT REPEAT('ä', seq % 300), UNHEX(SHA1(seq)) FROM seq_1_to_3000;
CREATE TABLE e LIKE a;
CREATE VIEW vw AS SELECT id FROM a;
CREATE TRIGGER tr BEFORE INSERT ON e FOR EACH ROW SET NEW.v = UPPER(NEW.v);
CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 5;
"""
CHECK = f"SELECT COUNT(*), SUM(LENGTH(v)), MD5(GROUP_CONCAT(HEX(b) ORDER BY id)) FROM {DATABASE}.a; SHOW TABLES FROM {DATABASE}"


def where(endpoint):
    return [f"--host={endpoint.host}", f"--port={endpoint.port}", f"--user={USER}", f"--password={PASSWORD}"]


def said(done):
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "assword on the command line" not in line]
    return [*lines, f"status {done.returncode}"]


def mariadb_dump(place, endpoint):
    endpoint.shell(FILL)
    dump = endpoint.run(program("mariadb-dump"), "--no-defaults", *where(endpoint), "--protocol=tcp", "--routines", "--triggers",
                        "--hex-blob", "--skip-dump-date", "--single-transaction", "--master-data=2", "--flush-logs", DATABASE, check=False)
    text = re.sub(r"MASTER_LOG_(FILE|POS)='?[\w.]+'?", r"\1", dump.stdout)
    text = re.sub(r"gtid_slave_pos='[\d-]+'", "gtid_slave_pos", text)
    place.empty()
    endpoint.shell(dump.stdout)
    return [*text.splitlines(), dump.stderr, *endpoint.shell(CHECK).stdout.splitlines()]


def mydumper(place, endpoint):
    endpoint.shell(FILL)
    folder = place.folder / f"mydumper-{endpoint.name}"
    dumped = endpoint.run("mydumper", *where(endpoint), f"--database={DATABASE}", f"--outputdir={folder}", "--threads=2",
                          "--rows=1000", "--triggers", "--routines", check=False)
    files = sorted(path.name for path in folder.iterdir())
    place.empty()
    loaded = endpoint.run("myloader", *where(endpoint), f"--directory={folder}", "--threads=2", "--overwrite-tables", check=False)
    shutil.rmtree(folder)
    return [*files, f"status {dumped.returncode} {loaded.returncode}", *endpoint.shell(CHECK).stdout.splitlines()]


def small_ones(place, endpoint):
    endpoint.shell(FILL + "CREATE TABLE load_t (a INT, b VARCHAR(20))")
    file = place.folder / "load_t.txt"
    shutil.copy(place.file, file)
    lines = []
    for command in (["mariadb-import", "--local", *where(endpoint), DATABASE, file], ["mariadb-check", *where(endpoint), DATABASE],
                    ["mariadb-check", "--analyze", *where(endpoint), DATABASE, "a"], ["mariadb-show", "--count", *where(endpoint), DATABASE],
                    ["mariadb-show", *where(endpoint), DATABASE, "a"]):
        lines += said(endpoint.run(command[0], "--no-defaults", "--protocol=tcp", *command[1:], check=False))
    slap = endpoint.run("mariadb-slap", "--no-defaults", "--protocol=tcp", *where(endpoint), "--concurrency=4", "--iterations=2",
                        "--auto-generate-sql", "--auto-generate-sql-load-type=mixed", "--number-of-queries=200", check=False)
    return [*lines, f"mariadb-slap: status {slap.returncode} {slap.stderr[-200:]}"]


# Times, rates and ids in what the toolkit says.
NUMBERS = (r"\d\d-\d\dT\d\d:\d\d:\d\d", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", r"\b\d+\.\d+\b", r"\bpid:? \d+", r"_\d{4,}_new")


def toolkit(endpoint, name, *arguments, dsn=None, timeout=150):
    """One of its programs, by options or a DSN; numbers that are times are replaced."""
    to = dsn if dsn is not None else [f"--host={endpoint.host}", f"--port={endpoint.port}", f"--user={USER}", f"--password={PASSWORD}"]
    try:
        done = endpoint.run(name, *arguments, *to, check=False, timeout=timeout)
    except subprocess.TimeoutExpired:
        return [f"{name}: did not end"]
    lines = said(done)
    for pattern in NUMBERS:
        lines = [re.sub(pattern, "N", line) for line in lines]
    return [f"{name}: {line}" for line in lines if line.strip()]


def percona(place, endpoint):
    dsn = f"h={endpoint.host},P={endpoint.port},u={USER},p={PASSWORD}"
    endpoint.shell(FILL)
    lines = toolkit(endpoint, "pt-duplicate-key-checker", f"--databases={DATABASE}")
    lines += toolkit(endpoint, "pt-find", DATABASE, "--tablesize", "+1k")
    lines += toolkit(endpoint, "pt-show-grants", "--only=plain,ed,limited", "--notimestamp")
    lines += toolkit(endpoint, "pt-archiver", "--where", "id <= 500", "--dest", f"{dsn},D={DATABASE},t=e", "--limit=100", "--no-check-charset",
                     "--txn-size=100", "--bulk-insert", dsn=["--source", f"{dsn},D={DATABASE},t=a"])
    lines += toolkit(endpoint, "pt-online-schema-change", "--alter", "ADD COLUMN extra INT", "--execute", "--no-version-check",
                     "--recursion-method=none", "--quiet", dsn=[f"{dsn},D={DATABASE},t=a"])
    lines += [line for line in toolkit(endpoint, "pt-table-checksum", f"--databases={DATABASE}", "--tables=a,e", "--no-check-binlog-format",
                                       "--recursion-method=none", "--no-version-check", "--chunk-size=500", "--no-check-replication-filters",
                                       f"--replicate={DATABASE}.checksums") if "N" in line or "status" in line]
    lines += toolkit(endpoint, "pt-kill", "--run-time=1", "--interval=1", "--print", "--victims=all", "--match-info=NOTHING", "--no-version-check")
    lines += [line for line in toolkit(endpoint, "pt-variable-advisor", "--no-version-check", dsn=[dsn]) if "status" in line or "WARN" in line]
    lines += toolkit(endpoint, "pt-heartbeat", "--update", "--run-time=1", "--create-table", f"--database={DATABASE}")
    lines += toolkit(endpoint, "pt-deadlock-logger", "--run-time=1", "--iterations=1", dsn=[dsn])
    log = place.folder / "query.log"
    log.write_text("# Time: 240229 12:00:00\n# User@Host: a[a] @ b []\n# Query_time: 1  Lock_time: 0  Rows_sent: 1  Rows_examined: 1\n"
                   f"use {DATABASE};\nSELECT * FROM a WHERE id = 5;\n")
    lines += toolkit(endpoint, "pt-query-digest", "--no-version-check", "--limit=5", f"--explain={dsn},D={DATABASE}", log, dsn=[])
    lines = [line for line in lines if not re.search(" rss, |Current date|Size Duplicate", line)]
    return [*lines, *endpoint.shell(f"SELECT COUNT(*) FROM {DATABASE}.a; SELECT COUNT(*) FROM {DATABASE}.e; CHECKSUM TABLE {DATABASE}.e").stdout.splitlines()]
