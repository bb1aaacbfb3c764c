# SPDX-License-Identifier: Apache-2.0
"""Results of statements: values of every type, in text and in binary, with everything that stands beside them."""
import datetime
import decimal

import pytest
from harness import raw
from harness.observe import run
from harness.waiting import wait_for

# column type, a value of it as SQL, and what PyMySQL makes of it
TYPES = [
    ("TINYINT", "-128", -128), ("TINYINT UNSIGNED", "255", 255), ("SMALLINT", "-32768", -32768),
    ("MEDIUMINT", "-8388608", -8388608), ("INT", "-2147483648", -2147483648),
    ("INT UNSIGNED", "4294967295", 4294967295), ("INT ZEROFILL", "42", 42),
    ("BIGINT", "-9223372036854775808", -2**63), ("BIGINT UNSIGNED", "18446744073709551615", 2**64 - 1),
    ("FLOAT", "1.5", 1.5), ("DOUBLE", "-2.5e300", -2.5e300),
    ("DECIMAL(65,30)", "-12345678901234567890123456789012345.000000000000000000000000000001",
     decimal.Decimal("-12345678901234567890123456789012345.000000000000000000000000000001")),
    ("BIT(12)", "b'101000001111'", b"\x0a\x0f"), ("YEAR", "2155", 2155), ("DATE", "'1000-01-01'", datetime.date(1000, 1, 1)),
    ("DATETIME(6)", "'9999-12-31 23:59:59.999999'", datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)),
    ("TIMESTAMP(3) NULL", "'2038-01-19 03:14:07.123'", datetime.datetime(2038, 1, 19, 3, 14, 7, 123000)),
    ("TIME(6)", "'-838:59:59.999999'", -datetime.timedelta(hours=838, minutes=59, seconds=59, microseconds=999999)),
    ("CHAR(10)", "'ein'", "ein"), ("VARCHAR(100)", "'Grüße, 世界 🌍'", "Grüße, 世界 🌍"), ("BINARY(4)", "x'00FF'", b"\0\xff\0\0"),
    ("VARBINARY(100)", "x'0001FEFF'", b"\0\1\xfe\xff"), ("TEXT", "''", ""), ("LONGTEXT", "REPEAT('x',70000)", "x" * 70000),
    ("BLOB", "x'FE00FF'", b"\xfe\0\xff"), ("ENUM('a','b')", "'b'", "b"), ("SET('x','y','z')", "'x,z'", "x,z"),
    ("JSON", "'{\"k\": [1, null]}'", '{"k": [1, null]}'), ("UUID", "'123e4567-e89b-12d3-a456-426655440000'",
     "123e4567-e89b-12d3-a456-426655440000"), ("INET6", "'2001:db8::1'", "2001:db8::1"),
    ("GEOMETRY", "POINT(1,2)", b"\0\0\0\0\1\1\0\0\0\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\x40"),
]

CREATE = "CREATE TABLE t (id INT PRIMARY KEY, " + ", ".join(
    f"c{i} {kind}" for i, (kind, _, _) in enumerate(TYPES)) + ")"
FILL = (f"INSERT INTO t VALUES (1, {', '.join(sql for _, sql, _ in TYPES)})",
        f"INSERT INTO t (id{''.join(f', c{i}' for i in range(len(TYPES)))}) VALUES (2{', NULL' * len(TYPES)})")

CAPABILITIES = {
    "classic": raw.BASIC,
    "deprecate eof": raw.BASIC | raw.DEPRECATE_EOF,
    "session tracking": raw.BASIC | raw.DEPRECATE_EOF | raw.SESSION_TRACK,
    "metadata caching": raw.BASIC | raw.CACHE_METADATA,
    "extended metadata": raw.BASIC | raw.DEPRECATE_EOF | raw.EXTENDED_METADATA,
    "everything": raw.BASIC | raw.DEPRECATE_EOF | raw.SESSION_TRACK | raw.CACHE_METADATA | raw.EXTENDED_METADATA
    | raw.PROGRESS | raw.BULK,
}
each_capability = pytest.mark.parametrize("capabilities", CAPABILITIES.values(), ids=CAPABILITIES.keys())


def fill(connection):
    connection.query("SET time_zone = '+00:00', sql_mode = ''")
    connection.query(CREATE)
    for statement in FILL:
        connection.query(statement)


def test_text_results_hold_every_type_and_null(both):
    def case(endpoint):
        with endpoint.connect() as connection:
            fill(connection)
            return run(connection, "SELECT * FROM t ORDER BY id")

    (result,) = both(case)
    full, empty = result["rows"]
    assert full == (1, *(value for _, _, value in TYPES))
    assert empty == (2, *(None for _ in TYPES))


@each_capability
def test_text_results_are_the_same_bytes_under(both, capabilities):
    def case(endpoint):
        with endpoint.raw(capabilities=capabilities) as connection:
            fill(connection)
            return [connection.query("SELECT * FROM t ORDER BY id"), connection.query("SELECT 1 FROM t WHERE 0"),
                    connection.query("UPDATE t SET c0 = 5 WHERE id = 2"), connection.query("SELECT nowhere")]

    replies = both(case)
    assert raw.error_of(replies[3])[0] == 1054


@each_capability
def test_binary_results_are_the_same_bytes_under(both, capabilities):
    def case(endpoint):
        with endpoint.raw(capabilities=capabilities) as connection:
            fill(connection)
            statement, prepared = connection.prepare("SELECT * FROM t ORDER BY id")
            execute = bytes([raw.COM_STMT_EXECUTE]) + statement.to_bytes(4, "little") + b"\0\1\0\0\0"
            return [prepared, connection.command(execute), connection.command(execute)]

    first, again = [[payload for _, payload in reply] for reply in both(case)[1:]]
    assert first[-3:-1] == again[-3:-1] and [row[:1] for row in first[-3:-1]] == [b"\0", b"\0"]
    columns = 0 if capabilities & raw.CACHE_METADATA else len(TYPES) + 1
    assert len(first) == len(again) == 1 + columns + (not capabilities & raw.DEPRECATE_EOF) + 2 + 1


def test_binary_results_hold_every_type_and_null_for_a_client_library(both, client):
    def case(endpoint):
        with endpoint.connect() as connection:
            fill(connection)
        return endpoint.run(client("prepared"), "select", "SELECT * FROM t ORDER BY id").stdout

    lines = both(case).splitlines()
    assert len(lines) == 3 + 2 * (len(TYPES) + 1)  # columns, and each value of both rows on a line of its own
    assert lines.count("NULL") == len(TYPES)


def test_affected_rows_insert_ids_warnings_and_info_texts_are_the_servers(both):
    def case(endpoint):
        with endpoint.connect() as connection:
            return [run(connection, sql) for sql in (
                "CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, v TINYINT, UNIQUE (v))",
                "INSERT INTO a (v) VALUES (1), (2), (3)",
                "UPDATE a SET v = v + 10 WHERE id > 1",
                "INSERT INTO a (v) VALUES (1)",
                "INSERT IGNORE INTO a (v) VALUES (1), (1000)",
                "SHOW WARNINGS",
                "INSERT INTO a (id, v) VALUES (1, 1) ON DUPLICATE KEY UPDATE v = 99",
                "REPLACE INTO a (id, v) VALUES (1, 98)",
                "DELETE FROM a",
                "ALTER TABLE a ADD w INT",
                "SELECT 1/0, CAST('12x' AS INT)",
                "SHOW WARNINGS",
                "SELECT ROW_COUNT(), FOUND_ROWS(), LAST_INSERT_ID()",
                "INSERT INTO a (id, v) VALUES (LAST_INSERT_ID(4000000000000), 5)",
                "DROP TABLE a")]

    results = both(case)
    # PyMySQL leaves the length before the text.
    assert results[1][0]["info"] == b"&Records: 3  Duplicates: 0  Warnings: 0"
    assert results[2][0]["info"] == b"(Rows matched: 2  Changed: 2  Warnings: 0"
    assert results[3][0]["arguments"][0] == 1062
    assert results[4][0]["warnings"] == 2


def test_errors_keep_number_sqlstate_and_message(both):
    statements = ["SELEC 1", "SELECT * FROM nowhere", "SELECT * FROM no_db.t", "SELECT f(1)", "USE no_such_database",
                  "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'mine', MYSQL_ERRNO = 30001", "", ";", "/* only a comment */",
                  "INSERT INTO mysql.user VALUES (1)", "SELECT 1; SELECT 2", "KILL 4294967295"]

    def case(endpoint):
        with endpoint.raw(capabilities=raw.BASIC & ~raw.MULTI_STATEMENTS) as connection:
            return [raw.error_of(connection.query(sql)) for sql in statements]

    errors = both(case)
    assert errors[0][:2] == (1064, "42000")
    assert errors[5] == (30001, "45000", "mine")


def test_rows_of_every_length_around_the_limits_of_a_length_prefix(both):
    sizes = [0, 1, 250, 251, 252, 65535, 65536, 70000]

    def case(endpoint):
        with endpoint.connect() as connection:
            return run(connection, "SELECT " + ", ".join(f"REPEAT('a', {size})" for size in sizes))

    (result,) = both(case)
    assert [len(value) for value in result["rows"][0]] == sizes


def test_many_rows_arrive_whole_and_in_order(both):
    def case(endpoint):
        with endpoint.connect() as connection:
            return run(connection, "SELECT seq, REPEAT(CHAR(65 + seq % 26), seq % 300) FROM seq_1_to_100000")

    (result,) = both(case)
    assert len(result["rows"]) == 100000 and result["rows"][-1][0] == 100000


def test_a_slow_reader_gets_everything(both, database):
    def writing():
        return database.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'Writing to net'")[0][0]

    def case(endpoint):
        with endpoint.raw() as connection:
            connection.send(bytes([raw.COM_QUERY]) + b"SELECT REPEAT('z', 100000) FROM seq_1_to_400")
            wait_for(writing, "the server to be held up by a client that does not read")
            return [len(payload) for _, payload in connection.read_result()]

    assert both(case).count(100004) == 400


def test_multi_statements_give_every_result_up_to_the_first_error(both):
    def case(endpoint):
        with endpoint.connect() as connection:
            return [run(connection, "CREATE TABLE m (a INT); INSERT INTO m VALUES (1), (2); SELECT * FROM m; "
                                    "UPDATE m SET a = a + 1; SELECT 'a;b', COUNT(*) FROM m"),
                    run(connection, "SELECT 1; SELECT * FROM nowhere; SELECT 3"), run(connection, "SELECT 4")]

    results, failed, after = both(case)
    assert len(results) == 5 and results[4]["rows"] == [("a;b", 2)]
    assert len(failed) == 2 and failed[1]["arguments"][0] == 1146
    assert after[0]["rows"] == [(4,)]


@each_capability
def test_multi_results_are_the_same_bytes_under(both, capabilities):
    def case(endpoint):
        with endpoint.raw(capabilities=capabilities) as connection:
            connection.query("CREATE PROCEDURE p(OUT o INT, INOUT io VARCHAR(20)) BEGIN SELECT 1, 2; SELECT 'x' FROM dual "
                             "WHERE 0; SET o = 7, io = CONCAT(io, '!'); DO 1; SELECT io; END")
            return [connection.query("SELECT 1; DO 1; SELECT 2 UNION SELECT 3; SELECT nowhere; SELECT 4"),
                    connection.query("SET @io = 'a'; CALL p(@o, @io); SELECT @o, @io")]

    both(case)


def test_a_failing_statement_in_mid_result_ends_the_result_with_the_error(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            reply = connection.query("SELECT seq, IF(seq < 5000, 1, (SELECT 1 UNION SELECT 2)) FROM seq_1_to_10000")
            return len(reply), raw.error_of(reply), connection.query("SELECT 1")

    assert both(case)[1][0] == 1242


def test_transactions_and_their_status_flags(both):
    def case(endpoint):
        with endpoint.connect(autocommit=None) as connection:
            return [run(connection, sql) for sql in (
                "CREATE TABLE x (a INT) ENGINE=InnoDB", "BEGIN", "INSERT INTO x VALUES (1)", "SELECT * FROM x", "ROLLBACK",
                "SELECT * FROM x", "SET autocommit = 0", "INSERT INTO x VALUES (2)", "COMMIT", "SELECT * FROM x",
                "START TRANSACTION READ ONLY", "INSERT INTO x VALUES (3)", "COMMIT")]

    assert both(case)[9][0]["rows"] == [(2,)]
