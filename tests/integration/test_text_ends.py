# SPDX-License-Identifier: Apache-2.0
"""Where a text ends is the server's to say: NULs, semicolons, comments and blanks at the end, in each kind of text.

The server is the judge, as in test_character_sets.py: the table that its error names is the one that weir must read."""
import itertools
import struct

import pytest
from harness import raw
from harness.endpoint import DATABASE, PASSWORD, USER, program
from test_character_sets import connection, differences  # noqa: F401

ENDS = [b"", b"\0", b";", b" ", b"\n", b"-- ", b"-- x", b"-- x\n", b"#", b"# x\n", b"/*x*/", b"/*!x*/", b"/*! */", b"/*", b"s2"]
# A statement that the server leaves out when it may run one only; what weir reads of it must not be more or less.
MANY = [b"SELECT 1 FROM s1" + b"".join(ends) for ends in itertools.product(ENDS, repeat=3)]


@pytest.mark.parametrize("charset", ["latin1", "utf8mb4", "gbk"])
@pytest.mark.time_limit(120)
def test_every_end_is_the_servers(connection, charset):  # noqa: F811
    """The fault: mariadb-slap sends a NUL at the end of each statement; weir knew no tables then."""
    wrong, judged = differences(connection, MANY, charset, "", "10.11.19-MariaDB")
    assert not wrong, (len(wrong), wrong[:20])
    assert judged > 500


def named(texts, template):
    return [template % text.replace(b"\\", b"\\\\").replace(b"'", b"''") for text in texts]


def test_the_texts_of_prepare_and_execute_immediate_end_the_same(connection):  # noqa: F811
    plain = [text for text in MANY[:600] if b"/*!" not in text]
    for template in (b"EXECUTE IMMEDIATE '%s'", b"PREPARE s FROM '%s'"):
        wrong, judged = differences(connection, named(plain, template), "utf8mb4", "", "10.11.19-MariaDB")
        assert not wrong, (template, len(wrong), wrong[:20])
        assert judged > 100


# Texts that may hold several statements, and what each has: SELECT 1 has one result, and so has the error of another.
SEVERAL = [b"SELECT 1\0", b"SELECT 1;\0", b"SELECT 1;SELECT 2\0", b"SELECT 1;SELECT 2;\0", b"SELECT 1;\n\0\n", b"SELECT 1;\0SELECT 2",
           b"SELECT 1\0;SELECT 2", b"SELECT 1; ;", b"SELECT 1;-- \0x", b"SELECT 1 -- \0", b"SELECT 1;SELECT\0 2;SELECT 3", b"\0SELECT 1",
           b"SELECT '\0';SELECT 2\0", b"SELECT 1\0;", b"SELECT 1\0 ; ;"]


@pytest.mark.parametrize("text", SEVERAL, ids=[text.decode() for text in SEVERAL])
def test_statements_of_a_text_end_as_the_servers_results_do(weir, events, database, text):
    with raw.RawConnection(path=database.socket, user="root") as direct:
        reply = direct.query(text)
    error = raw.error_of(reply)
    selects = sum(packet[:4] == b"\x03def" for _, packet in reply)
    with weir.raw() as connection:  # noqa: F811
        connection.query(text)
        number = connection.greeting.connection_id
    found = [event for event in events.ended(number) if event["point"] == "general" and event["command"] == "Query"
             and event["event"] != "Starting"]
    assert [event["event"] for event in found] == ["Completed"] * selects + (["Error"] if error else [])
    if error:
        assert found[-1]["error_code"] == error[0]


PREPARED = [b"SELECT 1 FROM s1\0", b"SELECT 1 FROM s1;\0", b"SELECT 1 FROM s1 ; \0\n", b"SELECT 1 FROM s1 -- \0", b"SELECT 1 FROM s1\0 x",
            b"SELECT 1 FROM s1\0;", b"\0SELECT 1 FROM s1", b"SELECT 1 FROM s1;\0SELECT 2", b"SELECT 1 FROM s1; \0 ;", b"SELECT 1 FROM s1\0\0"]


@pytest.mark.parametrize("text", PREPARED, ids=[text.decode() for text in PREPARED])
def test_prepared_texts_end_the_same(both, events, text):
    def case(endpoint):
        with endpoint.raw() as connection:  # noqa: F811
            connection.query("CREATE TABLE s1 (a INT)")
            numbers.append(connection.greeting.connection_id)
            try:
                statement, _ = connection.prepare(text)
            except raw.ServerError as error:
                return error.number
            return raw.error_of(connection.command(bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<IBI", statement, 0, 1)))

    numbers = []
    error = both(case)
    assert error in (None, 1064)
    found = [event for event in events.ended(numbers[-1]) if event["point"] == "general" and event["event"] != "Starting"
             and event["command"] in ("Prepare", "Execute")]
    if error:
        assert [event["error_code"] for event in found] == [1064]
    else:
        assert [(event["tables"], event["tables_known"]) for event in found] == [([[DATABASE, "s1", 1]], 1)] * 2


@pytest.mark.parametrize("name", [b"mysql\0", b"mysql\0x", b"\0mysql", b"mysql;", b"mysql "])
def test_a_database_with_a_nul_is_not_used(both, events, name):
    def case(endpoint):
        with endpoint.raw() as connection:  # noqa: F811
            numbers.append(connection.greeting.connection_id)
            return connection.command(b"\2" + name, connection.read_one), connection.query("SELECT DATABASE()")

    numbers = []
    reply, used = both(case)
    assert raw.error_of(reply)[0] in (1049, 1102) and used[3][1][1:] == DATABASE.encode()
    assert {event["database"] for event in events.ended(numbers[-1]) if event["command"] == "Query"} == {DATABASE}


@pytest.mark.gateway_only
def test_the_gateways_own_statements_end_so_too(weir):
    with weir.raw() as connection, weir.raw() as victim:
        reply = connection.query(b"SHOW PLUGINS\0")
        assert any(b"recorder" in packet for _, packet in reply)
        assert raw.error_of(connection.query(b"KILL QUERY %d\0" % victim.greeting.connection_id)) is None
        assert raw.error_of(connection.query(b"KILL %d \0\n" % victim.greeting.connection_id)) is None
        with pytest.raises((raw.Closed, OSError, raw.ServerError)):
            victim.query("SELECT 1")
            victim.query("SELECT 1")


@pytest.mark.gateway_only
def test_mariadb_slap_is_known_by_its_tables(weir, events):
    weir.run(program("mariadb-slap"), "--no-defaults", f"--host={weir.host}", f"--port={weir.port}", "--protocol=tcp", f"--user={USER}",
             f"--password={PASSWORD}", f"--create-schema={DATABASE}",
             "--no-drop", "--delimiter=;", "--query=SELECT 1;SELECT COUNT(*) FROM information_schema.engines", "--iterations=1")
    event = events.wait_for(lambda e: e["event"] == "Completed" and (e["sql"] or "").startswith("SELECT COUNT(*) FROM information_schema.engines"), "the statement")
    assert event["tables"] == [["information_schema", "engines", 1]] and event["tables_known"] == 1
    assert event["digest_exact"] == 1
