# SPDX-License-Identifier: Apache-2.0
"""Commands that are sent before the replies to earlier ones have come, as Connector/J and node-mariadb do."""
import random
import struct
import threading

from harness import raw
from harness.paths import TRACE_PLUGINS


def frames(connection, commands):
    return b"".join(connection.frame(command) for command in commands)


def query(sql):
    return bytes([raw.COM_QUERY]) + sql.encode()


def test_replies_come_in_the_order_of_the_commands(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            connection.socket.sendall(frames(connection, [query(f"SELECT {i}, REPEAT('x', {i})") for i in range(500)]))
            return [connection.read_result() for _ in range(500)]

    replies = both(case)
    assert replies[499][4][1].startswith(b"\x03499")


def test_commands_may_arrive_in_any_pieces(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            data = frames(connection, [query("SELECT 1"), bytes([raw.COM_PING]), query("SELECT 'two'"), query("SELEC"),
                                       query("DO 1; SELECT 5")])
            replies = []
            for size in (1, 2, 3, 4, 5, 7, len(data)):
                for start in range(0, len(data), size):
                    connection.socket.sendall(data[start:start + size])
                replies.append([connection.read_result() for _ in range(5)])
            return replies

    replies = both(case)
    assert all(reply == replies[0] for reply in replies)


def test_an_error_in_the_middle_does_not_stop_what_follows(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            connection.socket.sendall(frames(connection, [
                query("SELECT 1"), query("SELECT nowhere"), query("SELECT 2; SELEC 3; SELECT 4"), query("SELECT 5")]))
            return [connection.read_result() for _ in range(4)]

    replies = both(case)
    assert raw.error_of(replies[1])[0] == 1054 and raw.error_of(replies[2])[0] == 1064


def test_commands_of_different_shapes_are_matched_with_their_replies(both):
    def case(endpoint):
        with endpoint.raw() as connection:
            statement, _ = connection.prepare("SELECT ?, REPEAT('y', 300)")
            number = struct.pack("<I", statement)
            execute = bytes([raw.COM_STMT_EXECUTE]) + number + b"\0\1\0\0\0\0\1\x03\0" + struct.pack("<i", 42)
            plan = [(query("SELECT 1; SELECT 2"), connection.read_result), (execute, connection.read_result),
                    (bytes([raw.COM_STMT_SEND_LONG_DATA]) + number + b"\0\0long", None),
                    (bytes([raw.COM_PING]), connection.read_one),
                    (bytes([raw.COM_STMT_RESET]) + number, connection.read_one), (execute, connection.read_result),
                    (bytes([raw.COM_STMT_CLOSE]) + number, None), (bytes([raw.COM_INIT_DB]) + b"mysql", connection.read_one),
                    (bytes([raw.COM_STMT_PREPARE]) + b"SELEC", connection.read_prepared),
                    (query("SELECT DATABASE()"), connection.read_result), (execute, connection.read_result),
                    (bytes([raw.COM_SET_OPTION]) + b"\1\0", connection.read_one),
                    (query("SELECT 1; SELECT 2"), connection.read_result)]
            connection.socket.sendall(frames(connection, [command for command, _ in plan]))
            seen = [reader() for _, reader in plan if reader]
            # The error of a closed statement names its number, which is the server's.
            return [raw.error_of(reply)[0] if raw.error_of(reply) else reply for reply in seen]

    seen = both(case)
    assert 1243 in seen and 1064 in seen


def test_prepare_execute_and_close_with_the_id_of_the_last_prepared_statement(both):
    """MariaDB: statement id -1 means the statement that was just prepared."""
    last = struct.pack("<I", 0xFFFFFFFF)

    def case(endpoint):
        with endpoint.raw() as connection:
            connection.socket.sendall(frames(connection, [
                bytes([raw.COM_STMT_PREPARE]) + b"SELECT 'direct', ?",
                bytes([raw.COM_STMT_EXECUTE]) + last + b"\0\1\0\0\0\0\1\x03\0" + struct.pack("<i", 7),
                bytes([raw.COM_STMT_PREPARE]) + b"SELECT * FROM nowhere",
                bytes([raw.COM_STMT_EXECUTE]) + last + b"\0\1\0\0\0", query("SELECT 'end'")]))
            prepared = connection.read_prepared()[1:]
            return [prepared, connection.read_result(), raw.error_of(connection.read_prepared())[0],
                    raw.error_of(connection.read_result())[0], connection.read_result()]

    assert b"direct" in both(case)[1][-2][1]


def test_a_pipeline_of_large_statements_and_large_results(both):
    """Both directions are full at once: whoever waits for one of them to be empty stands still for ever."""
    def case(endpoint):
        with endpoint.raw() as connection:
            statement = query("SELECT LENGTH('" + "q" * 2000000 + "'), REPEAT('r', 2000000)")
            data = frames(connection, [statement] * 10)
            sender = threading.Thread(target=connection.socket.sendall, args=(data,))
            sender.start()
            sizes = [[len(payload) for _, payload in connection.read_result()] for _ in range(10)]
            sender.join(20)
            return sizes

    assert both(case)[9][4] == 2000000 + 12


def test_many_sessions_at_once_do_not_mix(both):
    def case(endpoint):
        outcome = {}

        def session(name):
            with endpoint.raw() as connection:
                outcome[name] = [connection.query(f"SELECT 'session {name} statement {i}'")[3][1] for i in range(50)]

        threads = [threading.Thread(target=session, args=(name,)) for name in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return outcome

    assert b"session 39 statement 49" in both(case)[39][49]


# ---- A batch of blobs, as Connector/J sends it: nothing is waited for but what has been prepared ----

def blob_batch(connection, statement, blobs):
    number = struct.pack("<I", statement)
    commands = []
    for key, blob in enumerate(blobs):
        commands += [bytes([raw.COM_STMT_SEND_LONG_DATA]) + number + b"\1\0" + blob,
                     bytes([raw.COM_STMT_EXECUTE]) + number + b"\0\1\0\0\0\0\1\x03\0\xfc\0" + struct.pack("<i", key)]
    return frames(connection, [*commands, bytes([raw.COM_STMT_CLOSE]) + number])


def in_pieces(data, generator):
    at = 0
    while at < len(data):
        size = generator.choice([1, 2, 4, 5, 9, 100, 70000])
        yield data[at:at + size]
        at += size


def test_a_batch_of_blobs_in_any_pieces(both, gateway, database):
    """Also under test_trace, which ends the gateway on an event that no library would have made."""
    strict = gateway(database.address, options=["-trace-plugin", TRACE_PLUGINS / "test_trace.so"],
                     environment={"MYSQL_TEST_TRACE_CRASH": "1"})

    def case(endpoint):
        generator = random.Random(7)
        with endpoint.raw() as connection:
            connection.query("CREATE OR REPLACE TABLE blobs (a INT, b LONGBLOB)")
            replies = []
            for round_ in range(20):
                statement, _ = connection.prepare("INSERT INTO blobs VALUES (?, ?)")
                data = blob_batch(connection, statement, [b"x" * generator.choice([0, 1, 300, 70000]) for _ in range(4)])
                for piece in [data] if round_ == 0 else in_pieces(data, generator):
                    connection.socket.sendall(piece)
                replies.append([connection.read_one() for _ in range(4)])
            return replies, connection.query("SELECT a, SUM(LENGTH(b)) FROM blobs GROUP BY a")

    assert both(case) == case(strict.endpoint)
