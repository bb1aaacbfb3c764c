# SPDX-License-Identifier: Apache-2.0
"""What is large: packets over 16 MiB in both directions, and LOAD DATA LOCAL INFILE, whose content the client sends."""
import hashlib

import pytest
from harness import raw
from harness.observe import run

MIB = 1 << 20
CHUNK = raw.CHUNK


def test_a_row_over_16_mib_comes_whole(both):
    def case(endpoint):
        with endpoint.connect(max_allowed_packet=64 * MIB) as connection:
            (result,) = run(connection, "SELECT REPEAT('0123456789abcdef', 2097152 + 5), 'after', NULL")
            value, *rest = result["rows"][0]
            return len(value), hashlib.md5(value.encode()).hexdigest(), rest

    assert both(case)[0] == 33554432 + 80


def test_a_statement_over_16_mib_goes_whole(both):
    value = "0123456789abcdef" * (MIB + 1000)

    def case(endpoint):
        with endpoint.connect(max_allowed_packet=64 * MIB) as connection:
            return [run(connection, "SELECT LENGTH(%s), MD5(%s)", (value, "x")), run(connection, "SELECT 1")]

    assert both(case)[0][0]["rows"][0][0] == len(value)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_packets_at_the_edge_of_16_mib(both, extra):
    """A packet of exactly 0xffffff bytes is followed by an empty one."""
    def case(endpoint):
        with endpoint.raw() as connection:
            head = b"SELECT LENGTH('"
            size = CHUNK + extra - 1 - len(head) - 2
            up = connection.query(head + b"a" * size + b"')")
            # The row is a length prefix of four bytes and the value.
            down = connection.query(f"SELECT REPEAT('b', {CHUNK + extra - 4})")
            return up, [(sequence, len(payload), hashlib.md5(payload).hexdigest()) for sequence, payload in down]

    assert any(length == CHUNK + extra for _, length, _ in both(case)[1])


def test_a_prepared_statements_parameter_over_16_mib_goes_whole(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            statement, _ = connection.prepare("SELECT LENGTH(?), MD5(?)")
            value = raw.text(b"v" * (17 * MIB))
            head = bytes([raw.COM_STMT_EXECUTE]) + statement.to_bytes(4, "little") + b"\0\1\0\0\0\0\1"
            return connection.command(head + b"\xfd\0\xfd\0" + value + raw.text(b"w"))

    both(case)


def test_a_value_over_the_servers_limit_is_null_with_a_warning(both):
    def case(endpoint):
        with endpoint.connect(max_allowed_packet=128 * MIB) as connection:
            (result,) = run(connection, "SELECT LENGTH(REPEAT('x', 70000000))")
            return result["rows"], result["warnings"]

    assert both(case) == ([(None,)], 1)


LOAD = "LOAD DATA LOCAL INFILE 'given' INTO TABLE load_t FIELDS TERMINATED BY ',' (a, b)"


def load(endpoint, parts, sql=LOAD):
    """Loads from parts (the packets' payloads), and returns the replies and what the table holds then."""
    with endpoint.raw() as connection:
        connection.query("CREATE TABLE load_t (a INT PRIMARY KEY, b VARCHAR(100))")
        reply = connection.command(bytes([raw.COM_QUERY]) + sql.encode(), lambda: connection.read_result(parts))
        return reply, connection.query("SELECT COUNT(*), SUM(a), MD5(GROUP_CONCAT(b ORDER BY a)) FROM load_t")


def test_a_local_file_is_sent_by_the_client(both):
    parts = ["".join(f"{i},value {i}\n" for i in range(start, start + 5000)).encode() for start in range(0, 50000, 5000)]
    reply, _ = both(lambda endpoint: load(endpoint, parts))
    assert reply[0][1] == b"\xfbgiven" and b"Records: 50000" in reply[1][1]


def test_a_local_file_may_be_empty(both):
    assert b"Records: 0" in both(lambda endpoint: load(endpoint, []))[0][1][1]


def test_a_local_file_in_packets_over_16_mib(both):
    content = b"".join(b"%d,%s,%s\n" % (i, b"x" * 90, b"y" * 10000) for i in range(1700))
    assert len(content) > CHUNK
    sql = LOAD.replace("(a, b)", "(a, b, @ignored)")
    assert b"Records: 1700" in both(lambda endpoint: load(endpoint, [content], sql))[0][1][1]


def test_errors_before_and_after_a_local_file(both):
    def case(endpoint):
        seen = [load(endpoint, [b"1,a\nx,b\n2,c,d\n"])]  # warnings
        with endpoint.raw() as connection:
            connection.query("DROP TABLE load_t")
        seen.append(load(endpoint, [b"1,a\n"], LOAD.replace("load_t", "nowhere")))
        with endpoint.raw() as connection:
            connection.query("DROP TABLE load_t")
        seen.append(load(endpoint, [b"1,a\n1,b\n"], LOAD.replace("(a, b)", "(a, b) SET b = (SELECT 1 UNION SELECT 2)")))
        return seen

    seen = both(case)
    assert raw.error_of(seen[1][0])[0] == 1146 and raw.error_of(seen[2][0])[0] == 1242


def test_a_local_file_within_a_multi_statement(both):
    reply, _ = both(lambda endpoint: load(endpoint, [b"1,a\n2,b\n"], f"SELECT 'before'; {LOAD}; SELECT COUNT(*) FROM load_t"))
    assert len(reply) == 12 and reply[5][1] == b"\xfbgiven" and reply[10][1] == raw.text(b"2")


def test_a_client_library_loads_a_local_file(both, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("".join(f"{i},row {i}\n" for i in range(1000)))

    def case(endpoint):
        with endpoint.connect() as connection:
            run(connection, "CREATE TABLE load_t (a INT PRIMARY KEY, b VARCHAR(100))")
            return [run(connection, LOAD.replace("given", str(path))), run(connection, "SELECT COUNT(*), SUM(a) FROM load_t"),
                    run(connection, LOAD.replace("given", str(tmp_path / "missing"))), run(connection, "SELECT 1")]

    assert both(case)[1][0]["rows"] == [(1000, 499500)]
