# SPDX-License-Identifier: Apache-2.0
"""Values of parameters as plugins and the audit log have them, beside what the table holds afterwards.

COM_STMT_SEND_LONG_DATA gives a value before the execution, in pieces; the server takes it whatever the NULL bit says (mysqlnd
sets it, Connector/J does not), and a reset or an execution uses it up."""
import struct

import pytest
from harness import raw

LONG_DATA, CUT, DEFAULT, IGNORE = 1, 2, 4, 8
KEPT = 65536
TYPES = struct.pack("<HHH", 3, 252, 10)  # INT, BLOB, DATE
DATE = b"\x04\xea\x07\x01\x1f"


class Client:
    """One statement: INSERT INTO long_data VALUES (?, ?, ?)."""

    def __init__(self, connection):
        self.connection = connection
        connection.query("DROP TABLE IF EXISTS long_data")
        connection.query("CREATE TABLE long_data (a INT DEFAULT 5, v LONGBLOB, d DATE)")
        self.statement, _ = connection.prepare("INSERT INTO long_data VALUES (?, ?, ?)")

    def command(self, code, rest=b""):
        return bytes([code]) + struct.pack("<I", self.statement) + rest

    def long(self, data, parameter=1):
        self.connection.send(self.command(raw.COM_STMT_SEND_LONG_DATA, struct.pack("<H", parameter) + data))

    def reset(self):
        self.connection.command(self.command(raw.COM_STMT_RESET), self.connection.read_one)

    def execute(self, nulls, values):
        return self.connection.command(self.command(raw.COM_STMT_EXECUTE, b"\0\1\0\0\0" + bytes([nulls]) + b"\1" + TYPES + values))

    def bulk(self, values):
        return self.connection.command(self.command(raw.COM_STMT_BULK_EXECUTE, struct.pack("<H", 0x80) + TYPES + values))

    def stored(self):
        """The rows as the table has them, as text; of v its bytes in hex and its length."""
        reply = self.connection.query("SELECT a, HEX(LEFT(v, 70000)), d, LENGTH(v) FROM long_data")
        rows = []
        for _, packet in reply[6:-1]:
            at, row = 0, []
            while at < len(packet):
                if packet[at] == 0xFB:
                    row.append(None)
                    at += 1
                else:
                    size, at = raw.read_lenenc(packet, at)
                    row.append(packet[at:at + size].decode())
                    at += size
            rows.append(row)
        return rows


def insert(value=7, date=DATE):
    return struct.pack("<i", value) + date


# name: (what is done, whether the server has taken it)
CASES = {
    "with the NULL bit": (lambda c: (c.long(b"abc"), c.execute(2, insert()))[-1], b"abc"),
    "without the NULL bit": (lambda c: (c.long(b"abc"), c.execute(0, insert()))[-1], b"abc"),
    "in pieces": (lambda c: (c.long(b"abc"), c.long(b""), c.long(b"def"), c.execute(2, insert()))[-1], b"abcdef"),
    "empty": (lambda c: (c.long(b""), c.execute(2, insert()))[-1], b""),
    "bytes": (lambda c: (c.long(b"\0\xff'\\"), c.execute(2, insert()))[-1], b"\0\xff'\\"),
    "after a reset": (lambda c: (c.long(b"abc"), c.reset(), c.execute(2, insert()))[-1], None),
    "after an execution": (lambda c: (c.long(b"abc"), c.execute(0, insert()), c.connection.query("DELETE FROM long_data"),
                                      c.execute(2, insert()))[-1], None),
    "of many packets": (lambda c: ([c.long(b"x" * 60000) for _ in range(20)], c.execute(2, insert()))[-1], b"x" * 1200000),
    "after a bulk execution": (lambda c: (c.long(b"abc"), c.bulk(b"\0" + struct.pack("<i", 1) + b"\0\1x\1"), c.execute(2, insert()))[-1],
                               None),
}


def executions(events, number):
    return [e for e in events.ended(number) if e["point"] == "general" and e["command"].endswith("Execute") and e["event"] != "Starting"]


@pytest.mark.parametrize("name", CASES)
def test_long_data_is_told_as_the_table_has_it(weir, events, name):
    do, expected = CASES[name]
    with weir.raw(capabilities=raw.BASIC | raw.BULK) as connection:
        client = Client(connection)
        assert raw.error_of(do(client)) is None
        (row,) = client.stored()
        number = connection.greeting.connection_id
    last = executions(events, number)[-1]
    value, origin = last["parameters"][1], last["parameter_origins"][1]
    if expected is None:
        assert row[1] is None and value[1:] == [None, 252, 1, 0] and origin[0] == 0
        return
    assert row[1] == expected[:70000].hex().upper() and int(row[3]) == len(expected)
    assert value[3] == 0 and value[1].encode("latin1") == expected[:KEPT][:len(value[1])]
    assert origin == [LONG_DATA | (CUT if len(expected) > KEPT else 0), len(expected)]
    assert row[2] == last["parameters"][2][1] == "2026-01-31"


def test_long_data_of_a_bulk_execution_is_the_servers_error(weir, events):
    with weir.raw(capabilities=raw.BASIC | raw.BULK) as connection:
        client = Client(connection)
        client.long(b"abc")
        row = b"\0" + struct.pack("<i", 1) + b"\0\1x\1"
        assert raw.error_of(client.bulk(row))[0] == 1210
        assert raw.error_of(client.bulk(row + b"\2\1\1")) is None
        assert client.stored() == [["1", "78", None, "1"], ["5", None, None, None]]
        number = connection.greeting.connection_id
    first, second = executions(events, number)
    assert first["event"] == "Error" and second["event"] == "Completed"
    assert [parameter[1] for parameter in second["parameters"]] == ["1", "x", None, None, None, None]
    assert [origin[0] for origin in second["parameter_origins"]] == [0, 0, 0, DEFAULT, 0, 0]


@pytest.mark.parametrize("sent, stored", [(b"\x04\xea\x07\x01\x1f", "2026-01-31"), (b"\x07\xea\x07\x01\x1f\1\2\3", "2026-01-31"),
                                          (b"\x0b\xea\x07\x01\x1f\1\2\3\4\0\0\0", "2026-01-31"), (b"\0", "0000-00-00"),
                                          (b"\x03\xea\x07\x01", "0000-00-00")], ids=["4", "7", "11", "0", "3"])
def test_a_date_is_a_date_whatever_its_size(weir, events, sent, stored):
    with weir.raw() as connection:
        client = Client(connection)
        connection.query("SET sql_mode = ''")
        assert raw.error_of(client.execute(2, insert(date=sent))) is None
        assert client.stored()[0][2] == stored
        number = connection.greeting.connection_id
    assert executions(events, number)[-1]["parameters"][2][:2] == ["DATE", stored]


def test_pymysql_and_connector_c_store_what_is_told(weir, events, client):
    weir.shell("DROP TABLE IF EXISTS l")
    weir.run(client("prepared"), "long-data")
    execute = events.wait_for(lambda e: e["event"] == "Completed" and e["command"] == "Execute"
                              and e["sql"] == "INSERT INTO l VALUES (?, ?)" and e["parameter_origins"][1] == [LONG_DATA | CUT, 700000],
                              "the execution")
    assert len(execute["parameters"][1][1]) > 0 and execute["parameters"][1][3] == 0


@pytest.mark.gateway_only
def test_the_audit_log_has_the_beginning_and_the_size(audited):
    """The limit of the text is that of all parameters, too; what is cut says how long it is."""
    log = audited(sql_limit="1k")
    with log.endpoint.raw(capabilities=raw.BASIC | raw.BULK) as connection:
        client = Client(connection)
        client.long(b"abc")
        client.execute(2, insert())
        client.long(b"\xc3\xa4" * 50000)
        client.execute(2, insert())
        client.bulk(b"".join(b"\0" + struct.pack("<i", number) + b"\0\3abc\3" for number in range(100)))
        number = connection.greeting.connection_id
    first, second, bulk = [r for r in log.ended(number) if r["event"] != "Starting" and r.get("command", "").endswith("Execute")]
    date = {"type": "DATE", "value": "2026-01-31"}
    assert first["parameters"] == [{"type": "LONG", "value": "7"}, {"type": "BLOB", "value": "abc"}, date]
    cut = second["parameters"][1]
    assert cut["size"] == 100000 and cut["value"] == "\u00e4" * len(cut["value"]) and 400 < len(cut["value"]) < 512
    assert second["parameters_left_out"] == 1
    assert bulk["parameters"][:3] == [{"type": "LONG", "value": "0"}, {"type": "BLOB", "value": "abc"}, {"type": "DATE", "ignore": True}]
    assert len(bulk["parameters"]) + bulk["parameters_left_out"] == 300 and len(bulk["parameters"]) < 40


@pytest.mark.gateway_only
def test_many_parameters_and_rows_are_all_told(weir, events):
    """The fault: the n-th parameter was found by walking over all before it, so that 20,000 of them kept the worker for seconds
    (how many steps it takes now: tests/unit/growth)."""
    with weir.raw(capabilities=raw.BASIC | raw.BULK) as connection:
        client = Client(connection)
        row = b"\0" + struct.pack("<i", 1) + b"\0\1x\0" + DATE
        assert raw.error_of(client.bulk(row * 16000)) is None
        number = connection.greeting.connection_id
    (execution,) = executions(events, number)
    assert len(execution["parameters"]) == 48000 and execution["parameters"][-1][1] == "2026-01-31"
