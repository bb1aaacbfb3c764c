# SPDX-License-Identifier: Apache-2.0
"""Client programs and libraries as people use them, each with a day's work: its output is the same without the gateway."""
import MySQLdb
import MySQLdb.cursors
import pytest
from harness.endpoint import DATABASE
from harness.observe import failure
from harness.paths import INTEGRATION, NODE, program


@pytest.mark.parametrize("driver", ["mysql2", "mariadb"])
def test_a_driver_of_node(both, node_modules, driver):
    output = both(lambda endpoint: endpoint.run(program("node"), NODE / f"{driver}.js").stdout)
    assert "Grüße 🌍" in output and "pool: [0,1,2,3" in output and '"errno":1045' in output


def test_dbd_mysql_of_perl(both):
    output = both(lambda endpoint: endpoint.run(program("perl"), INTEGRATION / "clients" / "dbd.pl").stdout)
    assert "row: 1 | Grüße 🌍 | 1.500 | 2024-02-29" in output and "refused 1045" in output


def test_mysqldb_with_its_cursors(both):
    def case(endpoint):
        connection = endpoint.connect_c()
        try:
            connection.query("CREATE TABLE m (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), b BLOB)")
            cursor = connection.cursor()
            seen = [cursor.executemany("INSERT INTO m (t, b) VALUES (%s, %s)",
                                       [(f"Zeile {i} ä", bytes([i])) for i in range(100)]), cursor.lastrowid]
            connection.rollback()
            cursor.execute("SELECT COUNT(*) FROM m")
            seen += [cursor.fetchall(), connection.info(), connection.warning_count()]
            unbuffered = connection.cursor(MySQLdb.cursors.SSDictCursor)
            unbuffered.execute("SELECT seq, REPEAT('x', seq) AS x FROM seq_1_to_2000")
            seen += [unbuffered.fetchone(), sum(len(row["x"]) for row in unbuffered)]
            unbuffered.close()
            cursor.execute("CREATE PROCEDURE pr(a INT) BEGIN SELECT a; SELECT a + 1; END")
            cursor.callproc("pr", (5,))
            seen.append(cursor.fetchall())
            while cursor.nextset():
                seen.append(cursor.fetchall())
            seen.append(failure(lambda: cursor.execute("SELECT * FROM nowhere")))
            connection.select_db("information_schema")
            cursor.execute("SELECT DATABASE()")
            seen.append(cursor.fetchall())
            connection.change_user("plain", "plain-secret", DATABASE)
            connection.ping()
            cursor.execute("SELECT CURRENT_USER(), DATABASE()")
            return [*seen, cursor.fetchall(), connection.character_set_name()]
        finally:
            connection.close()

    assert (("plain@%", DATABASE),) in both(case)


SHELL_SCRIPT = """
CREATE TABLE sh (id INT PRIMARY KEY, v VARCHAR(20), d DECIMAL(5,2));
INSERT INTO sh VALUES (1, 'eins', 1.5), (2, NULL, NULL), (3, 'drei', 999.99);
SELECT * FROM sh;
UPDATE sh SET v = 'x' WHERE id > 1;
SHOW TABLES;
DESCRIBE sh;
delimiter //
CREATE PROCEDURE three() BEGIN SELECT 1; SELECT 2; SELECT 3; END//
delimiter ;
CALL three();
use information_schema
SELECT DATABASE();
status_is_not_a_statement;
SELECT 'the shell goes on with --force';
"""


@pytest.mark.parametrize("form", [["--table"], ["--batch"], ["--xml"], ["--vertical"], ["--column-type-info"], ["--quick"]],
                         ids=" ".join)
def test_the_mariadb_shell(both, form):
    def case(endpoint):
        done = endpoint.shell(SHELL_SCRIPT, "--force", "--verbose", "--show-warnings", *form, check=False)
        return done.returncode, done.stdout, done.stderr

    _, output, errors = both(case)
    assert "the shell goes on" in output and "ERROR 1064 (42000)" in errors


def test_a_dump_made_through_the_gateway_is_the_same_and_can_be_loaded(both):
    def case(endpoint):
        endpoint.shell("CREATE TABLE a (id INT PRIMARY KEY, v LONGTEXT, b BLOB); CREATE VIEW vw AS SELECT id FROM a;"
                       "INSERT INTO a SELECT seq, REPEAT('y', seq), UNHEX(SHA1(seq)) FROM seq_1_to_2000;"
                       "CREATE TRIGGER tr BEFORE INSERT ON a FOR EACH ROW SET NEW.v = UPPER(NEW.v);"
                       "CREATE PROCEDURE pr() SELECT 1;")
        dump = endpoint.run(program("mariadb-dump"), "--no-defaults", f"--host={endpoint.host}", f"--port={endpoint.port}",
                            "--user=tester", "--password=s3cret", "--routines", "--hex-blob", "--skip-dump-date",
                            "--single-transaction", DATABASE).stdout
        endpoint.shell("DROP TABLE a; DROP VIEW vw; DROP PROCEDURE pr;")
        endpoint.shell(dump)
        return dump, endpoint.shell("SELECT COUNT(*), SUM(LENGTH(v)), MD5(GROUP_CONCAT(HEX(b))) FROM a; CALL pr()").stdout

    assert both(case)[1].startswith("COUNT(*)")
