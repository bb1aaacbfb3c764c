# SPDX-License-Identifier: Apache-2.0
"""Prepared statements: cursors, long data, reset, close, procedures' OUT parameters, MariaDB's bulk and direct execution."""
import struct

import pytest
from harness import raw


def run_client(both, client, arguments):
    def case(endpoint):
        return endpoint.run(client("prepared"), *arguments, check=False).stdout

    return both(case)


@pytest.mark.parametrize("sql, rows, end", [
    ("SELECT seq, REPEAT('x', seq) FROM seq_1_to_1000", 7, "1000 rows"), ("SELECT seq FROM seq_1_to_50", 100, "50 rows"),
    ("SELECT 1 FROM dual WHERE 0", 5, "0 rows")])
def test_a_cursor_is_fetched_reset_and_closed_early(both, client, sql, rows, end):
    output = run_client(both, client, ["cursor", sql, rows]).splitlines()
    assert "between" in output and output.count(end) == 2


def test_an_error_while_a_cursor_is_opened_is_the_servers(both, client):
    output = run_client(both, client, ["cursor", "SELECT IF(seq < 50, seq, (SELECT 1 UNION SELECT 2)) FROM seq_1_to_100", 10])
    assert "between" not in output and "1242" in output


def test_long_data_arrives_in_pieces_and_reset_forgets_it(both, client):
    output = run_client(both, client, ["long-data"])
    assert "1 | 700000 |" in output and "2 | 5 |" in output


@pytest.mark.parametrize("sql, errors", [("SELECT 1, 'zwei', NULL, 3.5", 0), ("CREATE TABLE IF NOT EXISTS d (a INT)", 0),
                                         ("SELECT * FROM nowhere", 2), ("SELEC", 2)])
def test_a_statement_can_be_prepared_and_executed_in_one_go(both, client, sql, errors):
    output = run_client(both, client, ["direct", sql])
    assert output.count(": error ") == errors and "after" in output


def test_bulk_execution_binds_arrays_with_null_and_default(both, client):
    output = run_client(both, client, ["bulk"])
    assert "affected 1000" in output and "1000 | " in output


def test_out_and_inout_parameters_come_back_as_a_result_of_their_own(both, client):
    output = run_client(both, client, ["out-parameters"])
    assert "out parameters" in output and "42" in output and "in and out" in output


def test_many_statements_are_open_at_once(both, client):
    assert "Com_stmt_close | 300" in run_client(both, client, ["many", "300"])


def test_errors_of_prepared_statements_are_the_servers(both):
    def execute(number):
        return bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<I", number) + b"\0\1\0\0\0"

    def case(endpoint):
        with endpoint.raw() as connection:
            seen = [connection.command(bytes([raw.COM_STMT_PREPARE]) + sql, connection.read_prepared)
                    for sql in (b"SELEC", b"SELECT * FROM nowhere", b"SELECT 1; SELECT 2", b"")]
            # Statements that were never prepared, or are closed.
            seen.append(connection.command(execute(77777)))
            seen.append(connection.command(bytes([raw.COM_STMT_RESET]) + struct.pack("<I", 77777), connection.read_one))
            seen.append(connection.command(bytes([raw.COM_STMT_FETCH]) + struct.pack("<II", 77777, 5),
                                           connection.read_fetched))
            statement, _ = connection.prepare("SELECT 1")
            seen.append(connection.command(execute(statement)))
            connection.send(bytes([raw.COM_STMT_CLOSE]) + struct.pack("<I", statement))  # has no reply
            seen.append(raw.error_of(connection.command(execute(statement)))[0])
            # The table goes away between Prepare and Execute.
            connection.query("CREATE TABLE gone (a INT)")
            statement, _ = connection.prepare("SELECT * FROM gone")
            connection.query("DROP TABLE gone")
            seen.append(connection.command(execute(statement)))
            return seen

    seen = both(case)
    assert raw.error_of(seen[0])[0] == 1064 and seen[8] == 1243 and raw.error_of(seen[9])[0] == 1146


def test_parameters_of_every_binary_type_are_understood_by_the_backend(both):
    """Execute with types sent, then executed again without types, as the protocol allows."""
    kinds = [(1, b"\xfe"), (2, b"\x00\x80"), (3, struct.pack("<i", -5)), (8, struct.pack("<q", -6)), (4, struct.pack("<f", 1.5)),
             (5, struct.pack("<d", 2.5)), (253, raw.text(b"text")), (252, raw.text(b"\0blob")), (246, raw.text(b"12.340")),
             (10, b"\4" + struct.pack("<HBB", 2024, 2, 29)),
             (12, b"\x0b" + struct.pack("<HBBBBBI", 2024, 2, 29, 23, 59, 58, 123456)),
             (11, b"\x0c" + struct.pack("<BIBBBI", 1, 2, 3, 4, 5, 6)), (0x8008, struct.pack("<Q", 2**64 - 1))]

    def case(endpoint):
        with endpoint.raw() as connection:
            statement, prepared = connection.prepare("SELECT " + ", ".join(["?"] * (len(kinds) + 1)))
            count = len(kinds) + 1
            nulls = (1 << len(kinds)).to_bytes((count + 7) // 8, "little")  # the last one is NULL
            types = b"".join(struct.pack("<H", kind) for kind, _ in kinds) + struct.pack("<H", 6)
            values = b"".join(value for _, value in kinds)
            head = bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<IBI", statement, 0, 1) + nulls
            return [prepared, connection.command(head + b"\1" + types + values), connection.command(head + b"\0" + values)]

    prepared, first, again = both(case)
    assert [payload for _, payload in first][-2] == [payload for _, payload in again][-2]
    assert b"12.340" in first[-2][1]
