# SPDX-License-Identifier: Apache-2.0
"""The tables that weir finds in a statement's text against those that MariaDB opened: the server_audit plugin's
TABLE events of a real server that ran the statement.

The two must agree on names and on how each table was used, with the differences that DIFFERS names: the server
reports what it does, the text says what is named."""
import json
import subprocess

import pytest
from harness.mariadb import MariaDB
from harness.paths import BIN

SETUP = [
    "CREATE DATABASE d", "CREATE DATABASE e", "USE d",
    "CREATE TABLE a (x INT PRIMARY KEY, y INT, KEY i (y)) ENGINE=InnoDB",
    "CREATE TABLE b LIKE a", "CREATE TABLE c LIKE a", "CREATE TABLE e.f LIKE a", "CREATE TABLE `g``h` LIKE a",
    "CREATE TABLE p (x INT) PARTITION BY RANGE (x) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
    "CREATE TABLE v (x INT, s DATE, t DATE, PERIOD FOR app (s, t)) WITH SYSTEM VERSIONING",
    "CREATE SEQUENCE q", "CREATE SEQUENCE e.r",
    "CREATE PROCEDURE nothing() BEGIN END",
    "INSERT INTO a VALUES (1, 1), (2, 2)",
]

# Each is run on a fresh connection with d as its database; what stands after the first one undoes it.
STATEMENTS = [
    ["SELECT 1"],
    ["SELECT * FROM a, e.f AS z, b a2 WHERE a.x = z.x"],
    ["SELECT (SELECT MAX(x) FROM b), EXTRACT(YEAR FROM NOW()) FROM a WHERE y IN (SELECT y FROM c) ORDER BY 1"],
    ["SELECT * FROM (SELECT * FROM a) z JOIN (b, c) ON z.x = b.x LEFT JOIN e.f ON f.x = z.x"],
    ["(SELECT x FROM a) UNION (SELECT x FROM b) EXCEPT SELECT x FROM c ORDER BY 1 LIMIT 1, 2"],
    ["SELECT * FROM {OJ a LEFT JOIN b ON a.x = b.x}"],
    ["SELECT * FROM `g``h`"],
    ["SELECT * FROM .a"],
    ["SELECT * FROM p PARTITION (p0) AS z USE INDEX () , a FORCE INDEX FOR JOIN (i)"],
    ["SELECT * FROM v FOR SYSTEM_TIME ALL, a"],
    ["SELECT * FROM v FOR SYSTEM_TIME BETWEEN '2020-01-01' AND NOW() AS z, a"],
    ["SELECT * FROM a, JSON_TABLE('[1]', '$[*]' COLUMNS (n INT PATH '$')) j"],
    ["SELECT 1 FROM DUAL"],
    ["SELECT a.x FROM a FOR UPDATE"],
    ["WITH z AS (SELECT * FROM a) SELECT * FROM z, b"],
    ["WITH RECURSIVE z(n) AS (SELECT 1 UNION SELECT n + 1 FROM z JOIN a ON n < x) SELECT * FROM z"],
    ["WITH a AS (SELECT * FROM a) SELECT * FROM a"],
    ["SELECT * FROM (WITH b AS (SELECT 1) SELECT * FROM b) z, b"],
    ["VALUES (1), (2)"],
    ["/*!50000 SELECT * FROM a */ /*!99999 , b */ /*M!100100 , c */"],
    ["INSERT INTO b VALUES (1, (SELECT MAX(x) FROM a)) ON DUPLICATE KEY UPDATE y = (SELECT MIN(x) FROM c)", "DELETE FROM b"],
    ["INSERT INTO b SELECT * FROM a ON DUPLICATE KEY UPDATE y = 1", "DELETE FROM b"],
    ["INSERT INTO b SET x = 1", "DELETE FROM b"],
    ["INSERT INTO p PARTITION (p0) (x) VALUES (1)", "DELETE FROM p"],
    ["INSERT INTO b WITH z AS (SELECT * FROM a) SELECT * FROM z", "DELETE FROM b"],
    ["INSERT INTO b VALUES (7, 7) RETURNING (SELECT MAX(x) FROM a)", "DELETE FROM b"],
    ["REPLACE INTO b SELECT * FROM a", "DELETE FROM b"],
    ["UPDATE b SET y = (SELECT MAX(x) FROM a)"],
    ["UPDATE a JOIN b USING (x) SET b.y = a.y"],
    ["UPDATE v FOR PORTION OF app FROM '2020-01-01' TO '2020-02-01' SET x = 1"],
    ["DELETE FROM b WHERE x IN (SELECT x FROM a)"],
    ["DELETE FROM b USING b JOIN a USING (x)"],
    ["DELETE z FROM b AS z JOIN a USING (x) WHERE z.x IN (SELECT x FROM c)"],
    ["DELETE b, c.* FROM b JOIN c JOIN a"],
    ["DELETE HISTORY FROM v BEFORE SYSTEM_TIME '2000-01-01'"],
    ["TRUNCATE TABLE b"], ["TRUNCATE e.f"],
    ["CREATE TABLE n (x INT, FOREIGN KEY (x) REFERENCES a (x)) ENGINE=InnoDB", "DROP TABLE n"],
    ["CREATE TABLE n LIKE e.f", "DROP TABLE n"], ["CREATE TABLE n (LIKE a)", "DROP TABLE n"],
    ["CREATE OR REPLACE TABLE n AS SELECT a.x FROM a JOIN b ON a.x = b.x", "DROP TABLE n"],
    ["CREATE TABLE n (x INT) SELECT x FROM a", "DROP TABLE n"],
    ["CREATE SEQUENCE n", "DROP SEQUENCE n"],
    ["CREATE INDEX j ON e.f (y)", "DROP INDEX j ON e.f"],
    ["ALTER TABLE b ADD COLUMN z INT", "ALTER TABLE b DROP COLUMN z"],
    ["ALTER TABLE b RENAME TO e.n", "RENAME TABLE e.n TO b"],
    ["RENAME TABLE b TO e.n, c TO b", "RENAME TABLE b TO c, e.n TO b"],
    ["DROP TABLE IF EXISTS nowhere"],
    ["SELECT NEXTVAL(q), NEXT VALUE FOR e.r, LASTVAL(q), PREVIOUS VALUE FOR e.r"],
    ["SELECT SETVAL(q, 100)"],
    ["DO (SELECT MAX(x) FROM a)"], ["SET @m = (SELECT MAX(x) FROM a)"],
    ["SET STATEMENT max_statement_time = 10 FOR SELECT * FROM a"],
    ["CALL nothing()"],
    ["EXECUTE IMMEDIATE 'SELECT * FROM a WHERE y = ''x'''"],
    ["EXECUTE IMMEDIATE \"INSERT INTO b SELECT * FROM a WHERE x = ?\" USING 99"],
    ["BEGIN NOT ATOMIC DECLARE k CURSOR FOR SELECT x FROM a; IF EXISTS (SELECT 1 FROM b) THEN DELETE FROM c; END IF; "
     "OPEN k; CLOSE k; DELETE FROM c; END"],
    ["FOR k IN (SELECT x FROM a) DO INSERT INTO c SELECT * FROM b WHERE x = 77; END FOR"],
    ["ANALYZE SELECT * FROM a"], ["EXPLAIN SELECT * FROM a JOIN b"], ["EXPLAIN DELETE FROM b"],
    ["LOCK TABLES a READ, b AS z WRITE", "UNLOCK TABLES"],
    ["CHECK TABLE a, b"], ["CHECKSUM TABLE a, e.f"], ["ANALYZE TABLE a, b"], ["OPTIMIZE TABLE b"],
    ["HANDLER a OPEN AS z", "HANDLER z CLOSE"],
    ["SHOW CREATE TABLE e.f"], ["SHOW COLUMNS FROM f FROM e"], ["SHOW INDEX FROM a"], ["DESCRIBE e.f"],
    ["FLUSH TABLES a, b"],
]

# What only the server reports, and what only the text says.
DIFFERS = {
    # Row locks are taken by a reader.
    "SELECT a.x FROM a FOR UPDATE": ({("d", "a", "write")}, {("d", "a", "read")}),
    # A comment that this server does not run: what it would name counts all the same.
    "/*!50000 SELECT * FROM a */ /*!99999 , b */ /*M!100100 , c */": (set(), {("d", "b", "read")}),
    # Which tables of the list have assigned columns is not in the text alone: all count as written.
    "UPDATE a JOIN b USING (x) SET b.y = a.y": ({("d", "a", "read")}, {("d", "a", "write")}),
    # Emptying a table is a definition to weir, as its privilege is.
    "TRUNCATE TABLE b": ({("d", "b", "write")}, {("d", "b", "ddl")}),
    "TRUNCATE e.f": ({("e", "f", "write")}, {("e", "f", "ddl")}),
    # The server does not report what it only looks at.
    "CREATE TABLE n (x INT, FOREIGN KEY (x) REFERENCES a (x)) ENGINE=InnoDB": (set(), {("d", "a", "read")}),
    "CREATE TABLE n LIKE e.f": (set(), {("e", "f", "read")}),
    "CREATE TABLE n (LIKE a)": (set(), {("d", "a", "read")}),
    "DROP TABLE IF EXISTS nowhere": (set(), {("d", "nowhere", "ddl")}),
    "HANDLER a OPEN AS z": (set(), {("d", "a", "read")}),
    "SHOW CREATE TABLE e.f": (set(), {("e", "f", "read")}),
    "SHOW COLUMNS FROM f FROM e": (set(), {("e", "f", "read")}),
    "SHOW INDEX FROM a": (set(), {("d", "a", "read")}),
    "DESCRIBE e.f": (set(), {("e", "f", "read")}),
    "FLUSH TABLES a, b": (set(), {("d", "a", "read"), ("d", "b", "read")}),
    # What a definition does inside: the new table is filled, the old one copied.
    "CREATE OR REPLACE TABLE n AS SELECT a.x FROM a JOIN b ON a.x = b.x": ({("d", "n", "write")}, set()),
    "CREATE TABLE n (x INT) SELECT x FROM a": ({("d", "n", "write")}, set()),
    "CREATE SEQUENCE n": ({("d", "n", "write")}, set()),
    "CREATE INDEX j ON e.f (y)": ({("e", "f", "read")}, set()),
    "ALTER TABLE b ADD COLUMN z INT": ({("d", "b", "read")}, set()),
    "OPTIMIZE TABLE b": ({("d", "b", "ddl"), ("d", "b", "read")}, set()),
}

ACCESS = {"READ": "read", "WRITE": "write", "CREATE": "ddl", "ALTER": "ddl", "RENAME": "ddl", "DROP": "ddl"}


@pytest.fixture(scope="module")
def audited(work):
    folder = work / "audited"
    folder.mkdir()
    log = folder / "audit.log"
    server = MariaDB(folder, [
        "--plugin-load-add=server_audit", "--server-audit-events=TABLE", "--server-audit-logging=ON",
        f"--server-audit-file-path={log}"])
    server.log = log
    try:
        server.start()
        server.execute(*SETUP)
        yield server
        server.stop()
    finally:
        if server.process:
            server.process.kill()


def opened(server, statements):
    """What the server reports for the first of the statements: {(database, table, access)}."""
    connection = server.connect(database="d")
    try:
        with connection.cursor() as cursor:
            start = server.log.stat().st_size
            cursor.execute(statements[0])
            while cursor.nextset():
                pass
            end = server.log.stat().st_size
            for undo in statements[1:]:
                cursor.execute(undo)
    finally:
        connection.close()
    text = server.log.read_bytes()[start:end].decode()
    found = set()
    for line in text.splitlines():
        # time,host,user,from,connection,query,operation,database,object,
        operation, rest = line.split(",", 7)[6:8]
        for name in rest.rstrip(",").split("|"):
            database, _, table = name.replace(",", ".", 1).partition(".")
            if database not in ("mysql", "information_schema"):
                found.add((database, table, ACCESS[operation]))
    return found


def named(statement):
    """What weir-digest finds in its text."""
    output = subprocess.run([BIN / "weir-digest", "-d", "d", "-V", "10.11.6-MariaDB"], input=json.dumps(statement) + "\n",
                            check=True, capture_output=True, text=True).stdout
    facts = json.loads(output)
    assert facts["names_known"], statement
    return {(table["db"], table["table"], table["access"]) for table in facts["tables"]}


@pytest.mark.parametrize("statements", STATEMENTS, ids=lambda statements: statements[0][:60])
def test_the_tables_named_are_those_the_server_opens(audited, statements):
    by_server, by_weir = opened(audited, statements), named(statements[0])
    only_server, only_weir = DIFFERS.get(statements[0], (set(), set()))
    assert by_weir - by_server == only_weir
    assert by_server - by_weir == only_server
