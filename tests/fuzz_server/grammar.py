# SPDX-License-Identifier: Apache-2.0
"""The built-in grammar: statements against the databases of schema.py that mostly run, as str. A single blank is a place where
mutate.py may put something else."""
import schema

TABLES = ("t1", "t2", "t3", "t4", "t1", "t2", "`t1`", "`t2`", "secret", "`select`", "`odd ``name`", "`gr\u00fcn`", "gr\u00fcn",
          "view_one", "view_two", "T1", "logged")
DATABASES = ("db1", "db2", "`db1`", "`db2`", "`d\u00e4`", "d\u00e4")
COLUMNS = ("a", "b", "c", "`a`", "a", "c")
MODES = ("", "", "", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "ORACLE", "ANSI", "MSSQL",
    "DB2",
         "POSTGRESQL", "IGNORE_SPACE", "PIPES_AS_CONCAT", "HIGH_NOT_PRECEDENCE", "TRADITIONAL", "NO_UNSIGNED_SUBTRACTION",
         "STRICT_ALL_TABLES", "NO_KEY_OPTIONS", "MYSQL40", "EMPTY_STRING_IS_NULL", "SIMULTANEOUS_ASSIGNMENT")
CHARSETS = ("latin1", "utf8mb4", "utf8mb3", "gbk", "sjis", "big5", "cp1251", "koi8r", "koi8u", "latin2", "latin5", "latin7",
    "euckr",
            "gb2312", "ujis", "cp932", "eucjpms", "ascii", "binary", "greek", "hebrew", "tis620", "cp1250", "cp1256", "cp1257",
            "cp850", "cp852", "cp866", "swe7", "dec8", "hp8", "armscii8", "geostd8", "keybcs2", "macroman", "macce")
VARIABLES = ("sql_select_limit", "max_join_size", "sort_buffer_size", "max_statement_time", "lock_wait_timeout",
    "join_buffer_size")


class Grammar:
    """random: the worker's source of chance. guarded: what the rules forbid comes more often."""

    def __init__(self, random, guarded=False):
        self.random, self.guarded, self.depth = random, guarded, 0
        self.names = 0

    def pick(self, *choices):
        return self.random.choice(choices)

    def maybe(self, chance, text):
        return text if self.random.random() < chance else ""

    # -- names and values

    def table(self):
        name = self.random.choice(TABLES)
        if self.guarded and self.random.random() < 0.4:
            name = self.pick("secret", "`secret`", "SECRET", "ledger", "`ledger`")
        if self.random.random() < 0.25:
            return self.random.choice(DATABASES) + self.pick(".", ".", ".", " . ", " .", ". ") + name
        return name

    def base_table(self):
        name = self.table()
        return self.pick("t1", "t2", "t4", "db2.t1") if "view" in name else name

    def fresh_name(self):
        self.names += 1
        return self.pick("new%d", "`new%d`", "`new %d`", "db1.new%d", "`n\u00e9w%d`", "`select%d`") % (self.names % 5)

    def number(self):
        return self.pick("1", "2", "3", "0", "-1", "1.5", "1e1", "0x41", "b'1'", "NULL", ".5", "@x", "TRUE")

    def string(self):
        return self.pick("'x'", "'it''s'", "'a\\\\b'", "'a;b'", "'-- x'", "'/* x'", "'*/'", "'\u00e4'", "\"x\"", "\"a'b\"",
            "N'x'",
                         "_latin1'x'", "_utf8mb4'\u00e4'", "x'41'", "'a' 'b'", "'\\''", "'\\\\'", "'#'", "''",
                         "'FROM secret'", "'`'")

    def value(self):
        return self.number() if self.random.random() < 0.6 else self.string()

    def expression(self, depth=0):
        kind = self.random.random()
        if depth > 2 or kind < 0.35:
            return self.pick(self.random.choice(COLUMNS), self.value())
        if kind < 0.6:
            operator = self.pick("+", "-", "*", "=", "<", "||", "AND", "OR", "<=>", "LIKE", "XOR")
            return f"{self.expression(depth + 1)} {operator} {self.expression(depth + 1)}"
        if kind < 0.75:
            return self.pick("COUNT(*)", "NOW()", "CONCAT({0}, {1})", "IF({0}, {1}, 2)", "IFNULL({0}, {1})",
                "CAST({0} AS CHAR)",
                             "COALESCE({0}, {1})", "HEX({0})", "DATABASE()", "func_sum(1)", "USER()", "CHAR_LENGTH({0})",
                             "CASE WHEN {0} THEN {1} END", "({0})", "NOT {0}", "- {0}", "{0} IS NULL", "{0} IN ({1}, 2)",
                             "{0} BETWEEN 1 AND {1}").format(self.expression(depth + 2), self.expression(depth + 2))
        return self.pick("(SELECT MAX(a) FROM {0})", "EXISTS (SELECT 1 FROM {0})", "a IN (SELECT a FROM {0})",
                         "a = ANY (SELECT a FROM {0})", "(SELECT COUNT(*) FROM {0} WHERE a = 1)").format(self.table())

    def where(self):
        return self.pick("", " WHERE a = 1", f" WHERE {self.expression()}", " WHERE a > 0 AND c < 5", " WHERE 1 = 0")

    # -- queries

    def source(self):
        table = self.table()
        return self.pick("{0}", "{0}", "{0}", "{0} AS x", "{0} x", "({0})", "{0} x JOIN {1} y USING (a)",
            "{0} x LEFT JOIN {1} y ON x.a = y.a",
                         "(SELECT * FROM {0}) AS d", "{0} x, {1} y", "({0} x, {1} y)", "{0} NATURAL JOIN (SELECT 1 AS a) q",
                         "{0} x STRAIGHT_JOIN {1} y", "{0} x CROSS JOIN {1} y", "{0} PARTITION (p0)", "{0} USE INDEX ()",
                         "{{ OJ {0} x LEFT JOIN {1} y ON x.a = y.a }}", "(VALUES (1), (2)) AS v").format(table, self.table())

    def select(self):
        self.depth += 1
        if self.depth > 4 or self.random.random() < 0.6:
            columns = self.pick("*", "1", "COUNT(*)", self.value(), "1 AS " + self.pick("x", "`y`", "secret"))
            end = self.pick("", "", " LIMIT 1", " WHERE 1 = 1", " GROUP BY 1", " ORDER BY 1")
            text = f"SELECT {self.maybe(.1, 'DISTINCT ')}{columns} FROM {self.source()}{end}"
        else:
            text = self.pick(
                lambda: f"SELECT {self.expression()} AS e FROM {self.table()}{self.where()}",
                lambda: f"SELECT {self.value()}, {self.value()}",
                lambda: f"SELECT a FROM {self.table()} UNION {self.pick('ALL ', '')}SELECT a FROM {self.table()}",
                lambda: f"(SELECT a FROM {self.table()}) EXCEPT (SELECT a FROM {self.table()})",
                lambda: f"WITH w AS (SELECT a FROM {self.table()}) SELECT * FROM w",
                lambda: f"WITH RECURSIVE t1 (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t1 WHERE n < 3) SELECT * FROM t1",
                lambda: f"WITH t2 AS (SELECT a FROM {self.table()}), w AS (SELECT * FROM t2) SELECT * FROM w, {self.table()} z",
                lambda: f"SELECT a FROM {self.table()} {self.pick('FOR UPDATE', 'LOCK IN SHARE MODE', 'INTO @x', 'LIMIT 1 INTO @y')}",
                lambda: f"TABLE {self.table()}" if self.random.random() < .1 else "VALUES (1, 2), (3, 4)",
                lambda: f"SELECT * FROM {self.table()} PROCEDURE ANALYSE()",
                lambda: f"SELECT a, ROW_NUMBER() OVER (ORDER BY a) FROM {self.table()}",
            )()
        self.depth -= 1
        return text

    # -- changes

    def ledger_where(self):
        row = f"id = {self.random.randrange(1, 12)}"
        return self.pick("", "", f" WHERE {row}", f" WHERE {row} LIMIT 1", f" WHERE {row} AND n > 0")

    def ledger(self):
        table = self.maybe(.3, self.pick("db1.", "db2.", "`db1` . ")) + self.pick("ledger", "`ledger`", "LEDGER")
        where = self.ledger_where()
        return self.pick(f"UPDATE {table} SET n = n + 1{where}", f"DELETE FROM {table}{where}",
            f"UPDATE {table} SET b = ' WHERE id = 1 ', n = 1{where}",
                         f"UPDATE LOW_PRIORITY {table} AS l SET n = (SELECT MAX(a) FROM t1 WHERE a = 1){where}",
                         f"DELETE {self.pick('QUICK ', 'IGNORE ', '')}FROM {table}{where}",
                         f"UPDATE {table} x, t3 y SET x.n = 0{where and where + ''}", f"DELETE x FROM {table} x{where}",
                         f"UPDATE {table} SET n = 2 WHERE 1 = 1", f"UPDATE {table} SET n = 3 ORDER BY id")

    def insert(self):
        table = self.base_table()
        return self.pick("INSERT INTO {0} (a, b) VALUES ({1}, 'x')", "INSERT INTO {0} VALUES (9, 'x', {1})",
            "INSERT {0} SET a = {1}",
                         "INSERT IGNORE INTO {0} (a) SELECT a FROM {2} WHERE a = 1", "REPLACE INTO {0} (a, c) VALUES (8, {1})",
                         "INSERT INTO {0} (a) VALUES (7) ON DUPLICATE KEY UPDATE c = {1}",
                         "REPLACE INTO {0} (a) SELECT 6 FROM {2} LIMIT 1",
                         "INSERT INTO {0} (a) VALUES (5) RETURNING a", "INSERT INTO {0} () VALUES ()",

                         "INSERT INTO {0} (a) VALUES ((SELECT MAX(a) FROM {2}))").format(
                             table, self.pick("1", "2", "NULL"), self.table())

    def update(self):
        return self.pick("UPDATE {0} SET c = 1{2}", "UPDATE {0} SET b = {3} WHERE a = 1",
            "UPDATE {0} x, {1} y SET x.c = 1 WHERE x.a = y.a",
                         "UPDATE {0} SET c = (SELECT MAX(a) FROM {1}) WHERE a = 2",
                         "UPDATE IGNORE {0} SET c = c + 1 LIMIT 1").format(
                             self.base_table(), self.table(), self.where(), self.string())

    def delete(self):
        return self.pick("DELETE FROM {0} WHERE a = 9", "DELETE FROM {0} WHERE a IN (SELECT a FROM {1} WHERE a > 10)",
            "DELETE x FROM {0} x JOIN {1} y ON x.a = y.a WHERE x.a = 99",
                         "DELETE FROM x USING {0} AS x WHERE x.a = 77", "DELETE FROM {0} LIMIT 1",
                         "DELETE FROM {0} WHERE a = 8 RETURNING a").format(
                             self.base_table(), self.table())

    # -- definitions

    def definition(self):
        name, table = self.fresh_name(), self.table()
        text = self.pick(
            "CREATE TABLE {0} (a INT)", "CREATE TABLE IF NOT EXISTS {0} (a INT, b INT)", "CREATE OR REPLACE TABLE {0} (a INT)",
            "CREATE TABLE {0} LIKE {1}", "CREATE OR REPLACE TABLE {0} (a INT) ENGINE=MERGE UNION=({1}, t2)",
            "CREATE TABLE {0} AS SELECT * FROM {1}", "CREATE TABLE {0} (x INT) SELECT a FROM {1}",
            "CREATE TEMPORARY TABLE {0} (a INT)", "CREATE TEMPORARY TABLE t1 (a INT, b INT, c INT)",
            "CREATE OR REPLACE TEMPORARY TABLE t2 AS SELECT * FROM {1}",
            "DROP TEMPORARY TABLE IF EXISTS t1", "DROP TABLE IF EXISTS {0}", "DROP TABLE IF EXISTS new1, new2",
            "DROP TABLE {0}",
            "ALTER TABLE {1} COMMENT = 'x'", "ALTER TABLE {1} ADD COLUMN IF NOT EXISTS z INT", "RENAME TABLE {0} TO new9",
            "RENAME TABLE t4 TO new8, new8 TO t4",
            "CREATE OR REPLACE VIEW view_new AS SELECT * FROM {1}", "CREATE OR REPLACE VIEW {0} AS SELECT a FROM {1}",
            "DROP VIEW IF EXISTS view_new",
            "CREATE INDEX IF NOT EXISTS i1 ON t1 (a)", "DROP INDEX IF EXISTS i1 ON t1", "TRUNCATE TABLE t4", "TRUNCATE new1",
            "CREATE OR REPLACE SEQUENCE seq_new", "DROP SEQUENCE IF EXISTS seq_new", "SELECT NEXT VALUE FOR seq_new",
            "CREATE OR REPLACE PROCEDURE proc_new() {2}",
            "CREATE OR REPLACE FUNCTION func_new() RETURNS INT RETURN (SELECT COUNT(*) FROM {1})",
            "CREATE OR REPLACE TRIGGER trig_new BEFORE INSERT ON t4 FOR EACH ROW SET @x = (SELECT MAX(a) FROM {1})",
            "DROP TRIGGER IF EXISTS trig_new", "DROP PROCEDURE IF EXISTS proc_new", "DROP FUNCTION IF EXISTS func_new",
            "CREATE OR REPLACE EVENT ev_new ON SCHEDULE EVERY 1 DAY DO {2}", "DROP EVENT IF EXISTS ev_new",
            "CREATE DATABASE IF NOT EXISTS fresh", "CREATE OR REPLACE DATABASE fresh", "DROP DATABASE IF EXISTS fresh",
            "DROP DATABASE IF EXISTS db2", "CREATE OR REPLACE DATABASE db2", "ALTER DATABASE fresh COMMENT 'x'")
        return text.format(name, table, self.simple())

    # -- the session

    def session(self):
        return self.pick(
            lambda: "USE " + self.random.choice(DATABASES + ("fresh", "nowhere")),
            lambda: "USE db1", lambda: "USE db2",
            lambda: f"SET NAMES {self.random.choice(CHARSETS)}", lambda: "SET NAMES DEFAULT", lambda: "SET NAMES utf8mb4",
            lambda: f"SET CHARACTER SET {self.random.choice(CHARSETS)}",
            lambda: f"SET character_set_client = {self.random.choice(CHARSETS)}",
            lambda: f"SET {self.pick('', 'SESSION ', '@@', '@@session.', 'LOCAL ')}sql_mode = '{self.random.choice(MODES)}'",
            lambda: "SET sql_mode = DEFAULT",
            lambda: f"SET @m = '{self.random.choice(MODES)}', sql_mode = @m",
            lambda: f"SET sql_mode = CONCAT(@@sql_mode, ',{self.random.choice(MODES)}')",
            lambda: f"SET @x = {self.value()}, @y := (SELECT MAX(a) FROM {self.table()})",
            lambda: f"SET {self.random.choice(VARIABLES)} = {self.pick('DEFAULT', '1', '1000000')}",
            lambda: f"SET ROLE {self.pick('reader', 'writer', 'NONE', 'nobody')}",
            lambda: f"SELECT func_mode()", lambda: "SET @s = 'SELECT * FROM secret', @d = 'DROP TABLE t4', @u = 'USE db2'",
            lambda: "SET autocommit = 1", lambda: "SET sql_quote_show_create = 1", lambda: "SET character_set_results = NULL",
        )()

    def other(self):
        table = self.table()
        return self.pick(
            "BEGIN", "COMMIT", "ROLLBACK", "START TRANSACTION", "SAVEPOINT s", "CALL proc_read(1)", "CALL proc_write",
            "CALL proc_new()", "CALL db1.proc_names()", "CALL proc_mode()",
            f"LOCK TABLES {table} READ", f"LOCK TABLES t1 WRITE, {table} AS x READ", "UNLOCK TABLES",
            f"SHOW COLUMNS FROM {table}", f"DESCRIBE {table}",
            f"DESC {table} a", f"SHOW CREATE TABLE {table}", "SHOW TABLES", "SHOW TABLES FROM db2",
            f"SHOW INDEX FROM {table}", "SHOW WARNINGS", "SHOW DATABASES",
            f"EXPLAIN SELECT * FROM {table}", f"EXPLAIN EXTENDED UPDATE {table} SET c = 1", f"ANALYZE SELECT * FROM {table}",
            f"EXPLAIN FORMAT=JSON DELETE FROM {table}",
            f"ANALYZE FORMAT=JSON SELECT 1 FROM {table}", f"CHECK TABLE {table}", f"CHECKSUM TABLE {table}, t1",
            f"ANALYZE TABLE {table}", f"OPTIMIZE TABLE t4, {table}", f"REPAIR TABLE {table}",
            f"HANDLER {table} OPEN", f"HANDLER {table} OPEN AS h", "HANDLER h READ FIRST", f"HANDLER {table} READ FIRST",
            "HANDLER h CLOSE",
            f"DO (SELECT MAX(a) FROM {table})", "DO 1", "SIGNAL SQLSTATE '45000'", "GET DIAGNOSTICS @n = NUMBER",
            "FLUSH TABLES", f"FLUSH TABLES {table}",
            "SHOW STATUS LIKE 'x'", "SHOW VARIABLES LIKE 'sql_mode'", "SHOW PROCEDURE STATUS LIKE 'x'", "HELP 'x'",
            f"LOAD DATA LOCAL INFILE 'x' INTO TABLE {table}",
            f"LOAD DATA INFILE '/nonexistent' INTO TABLE {table}", f"SELECT 1 INTO OUTFILE '/nonexistent/x'", "XA START 'x'",
            "XA END 'x'", "XA ROLLBACK 'x'")

    # -- what runs others

    def simple(self):
        return self.random.choices((self.select, self.insert, self.update, self.delete, self.ledger), (5, 2, 1, 1,
            4 if self.guarded else 0))[0]()

    def inner(self):
        return self.random.choices((self.simple, self.definition, self.session, self.other, self.wrapped), (6, 2, 2, 2, 1))[0]()

    def literal(self, text):
        """A text as a literal of one of the kinds."""
        return self.pick("'" + text.replace("\\", "\\\\").replace("'", "''") + "'", "'" + text.replace("\\",
            "\\\\").replace("'", "\\'") + "'",
                         '"' + text.replace("\\", "\\\\").replace('"', '""') + '"', "X'" + text.encode().hex() + "'",
                         "CONCAT('" + text.replace("'", "''") + "')", "'" + text.replace("'",
                         "''")[:3] + "' '" + text.replace("'", "''")[3:] + "'")

    def wrapped(self):
        self.depth += 1
        if self.depth > 3:
            self.depth -= 1
            return self.simple()
        text = self.pick(
            lambda: f"EXECUTE IMMEDIATE {self.literal(self.inner())}",
            lambda: f"PREPARE p FROM {self.literal(self.inner())}",
            lambda: "EXECUTE p", lambda: "EXECUTE p", lambda: "DEALLOCATE PREPARE p",
            lambda: f"EXECUTE IMMEDIATE {self.pick('@s', '@d', '@u', '@x')}",
            lambda: f"PREPARE p FROM {self.pick('@s', '@d', '@u')}",
            lambda: f"EXECUTE IMMEDIATE 'SELECT ? FROM {self.table()}' USING {self.pick('1', '@x')}".replace("`", ""),
            lambda: f"SET STATEMENT {self.random.choice(VARIABLES)} = 1000 FOR {self.inner()}",
            lambda: f"SET STATEMENT sql_mode = '{self.random.choice(MODES)}' FOR {self.inner()}",
            lambda: f"SET STATEMENT character_set_client = {self.random.choice(CHARSETS)} FOR {self.inner()}",
            lambda: f"BEGIN NOT ATOMIC {self.inner()}; {self.inner()}; END",
            lambda: f"BEGIN NOT ATOMIC DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 1; {self.inner()}; END",
            lambda: f"BEGIN NOT ATOMIC DECLARE x INT DEFAULT 1; IF x THEN {self.inner()}; ELSE {self.inner()}; END IF; END",
            lambda: f"IF 1 THEN {self.inner()}; END IF",
            lambda: f"CASE 1 WHEN 1 THEN {self.inner()}; ELSE {self.inner()}; END CASE",
            lambda: f"FOR i IN 1..2 DO {self.inner()}; END FOR",
            lambda: f"BEGIN NOT ATOMIC FOR r IN (SELECT a FROM {self.table()}) DO {self.inner()}; END FOR; END",
            lambda: f"CREATE OR REPLACE PROCEDURE proc_new() BEGIN {self.inner()}; {self.inner()}; END",
        )()
        self.depth -= 1
        return text

    def trap(self):
        """A text that reads in two ways, by sql_mode or by character set."""
        inner = self.pick(f"SELECT a FROM {self.table()}", "DROP TABLE IF EXISTS t4", self.ledger(), "SELECT 2", "USE db2",
            "SELECT * FROM secret")
        return self.pick('SELECT 1 AS "\\"; {0} -- "', "SELECT '\\'; {0} -- '", "SELECT '\\\\'; {0} -- '",
            'SELECT 1 AS "a\\\\"; {0} -- "', "SELECT 1 AS `\\`; {0} -- `",
                         "SELECT 1 /*! ; {0} */", "SELECT 1 -- /*\n; {0} -- */", "SELECT 1 --; {0}",
                         "SELECT 1 # ; SELECT 3\n; {0}", "SELECT /*!99999 '*/ 1; {0} -- '",
                         "SELECT '\u00e4\\'; {0} -- '", "SELECT 1 /* /* */ ; {0} -- */",
                         "SELECT /*M!100000 1 AS x; */ 2; {0}", "/*!100000 {0} */", "/*M! {0} */", "/*!50000 {0} */",
                         "/*!101200 {0} */; SELECT 3", "SELECT 'x' /*!80000 ; {0} */", 'SELECT "x\'; {0} -- \'"',
                         "SELECT 1 AS '\"'; {0} -- \"", "SELECT 1;; {0}",
                         "SELECT 1; {0};", "SELECT '/*'; {0} -- */", "SELECT \"-- \"; {0}", "SELECT 1 /*", "{0} /*",
                         "{0}; -- x", "{0} \x00; SELECT 1", "{0}\\G", "DELIMITER ;",
                         "SELECT 1 -- ", "-- \n{0}", "#\n{0}", "/**/{0}/**/", "; {0}", "SELECT _latin1'\\'; {0} -- '",
                         "SELECT N'\\'; {0} -- '", "SELECT 'a''; {0} -- '''",
                         "SELECT X'41'; {0}", "SELECT b'1'; {0}", "SELECT @`a;b`; {0}", "SELECT @'a;b', @\"c;d\"; {0}",
                         "SELECT 1 AS 'a\\'b'; {0} -- '"
                         ).replace("{0}", inner)

    def statement(self):
        return self.random.choices((self.simple, self.definition, self.session, self.other, self.wrapped, self.trap),
                                   (10, 3, 3, 3, 4, 2))[0]()
