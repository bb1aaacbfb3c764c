# SPDX-License-Identifier: Apache-2.0
"""What a plugin is told: which events, in which order, with which facts. The recorder plugin writes them down."""
import struct
import threading

import pytest
from harness import raw
from harness.endpoint import DATABASE, Endpoint
from harness.events import names, statements
from harness.gateway import serve_others
from harness.observe import failure

pytestmark = pytest.mark.gateway_only


def session(weir, events, do, **options):
    """Connects by hand, lets do(connection) work, quits, and returns the session's events."""
    with weir.raw(**options) as connection:
        do(connection)
        connection.send(bytes([raw.COM_QUIT]))
        connection.at_end()
        return events.ended(connection.greeting.connection_id)


def completed(weir, events, *commands, **options):
    """The Completed and Error events of commands (bytes, or str for a query)."""
    def do(connection):
        for command in commands:
            if isinstance(command, str):
                connection.query(command)
            else:
                connection.command(command, connection.read_one)

    found = session(weir, events, do, **options)
    return [e for e in found if e["event"] in ("Completed", "Error") and e["command"] != "Quit"]


@pytest.mark.greets_first("with -backend-first the event before the login has a number, and no id yet")
def test_the_events_of_a_session_come_in_order_and_are_numbered(weir, events):
    found = session(weir, events, lambda connection: (connection.query("SELECT 1"), connection.query("SELEC")))
    assert names(found)[:8] == ["PreAuth", "Connected", "PreParse", "Starting Query", "Completed Query", "PreParse",
                                "Starting Query", "Error Query"]
    assert found[-1]["event"] == "Disconnect" and names(found).count("Disconnect") == 1
    assert [e["event_number"] for e in found] == list(range(1, len(found) + 1))
    numbers = [e["statement_number"] for e in found if e["event"] == "Starting"]
    assert numbers == sorted(set(numbers)) and numbers[0] == 1


@pytest.mark.greets_first("with -backend-first the greeting's id is the backend's own")
def test_a_session_is_described(weir, events, database, direct):
    attributes = [("_client_name", "by hand"), ("_client_version", "7.8.9"), ("program_name", "tests"), ("odd", "\u00e4")]
    with weir.raw(attributes=attributes) as connection:
        port = connection.socket.getsockname()[1]
        connection.query("SELECT 1")
        number = connection.greeting.connection_id
    events_seen = events.ended(number)
    event = events_seen[1]
    with direct.raw() as connection:
        version = connection.greeting.version
    expected = {"event": "Connected", "user": "tester", "host": "127.0.0.1", "client_ip": "127.0.0.1",
                "client_address": "7f000001", "client_port": port, "server_ip": "127.0.0.1", "server_port": weir.port,
                "database": DATABASE, "current_user": "tester@%", "auth_method": "mysql_native_password",
                "client_version": "7.8.9", "tls_version": None, "connection_type": 0,
                "backend_address": database.address, "connection_id": number}
    assert {key: event[key] for key in expected} == expected
    assert event["backend_version"].endswith(version.removeprefix("5.5.5-"))
    assert [tuple(pair) for pair in event["attributes"]] == [*attributes[:3], ("odd", "\u00c3\u00a4")]  # bytes as latin-1
    assert event["backend_connection_id"] < 1 << 30 < number < 1 << 31
    assert 0 < event["connection_duration"] < 60e9
    assert events_seen[0]["event"] == "PreAuth" and events_seen[0]["backend_connection_id"] is None


def test_a_session_over_the_unix_socket_is_described(weir, events):
    with Endpoint("socket", "", 0, weir.socket).connect(unix_socket=weir.socket) as connection:
        connection.query("SELECT 1")
        number = connection.thread_id()
    event = events.ended(number)[1]
    expected = {"event": "Connected", "host": "localhost", "client_ip": "", "client_address": "", "client_port": 0,
                "server_port": 0, "connection_type": 1}
    assert {key: event[key] for key in expected} == expected


@pytest.mark.parametrize("user, password, method", [
    ("plain", "plain-secret", "mysql_native_password"), ("nopassword", "", "mysql_native_password"),
    ("ed", "ed-secret", "client_ed25519")])
def test_the_authentication_method_is_told(weir, events, user, password, method):
    number = int(weir.shell("SELECT CONNECTION_ID()", user=user, password=password).stdout.split()[-1])
    connected = events.wait_for(lambda e: e["event"] == "Connected" and e["backend_connection_id"] == number, "the session")
    assert (connected["event"], connected["auth_method"], connected["current_user"]) == ("Connected", method, f"{user}@%")


def test_a_failed_login_is_a_reject_with_the_backends_reason(weir, events):
    with weir.raw(login=False) as connection:
        connection.read_greeting()
        connection.password = "wrong"
        connection.send(connection.handshake_response(), 1)
        with pytest.raises(raw.ServerError):
            connection.finish_authentication()
        found = events.ended(connection.greeting.connection_id)
    assert names(found) == ["PreAuth", "Reject"]
    assert found[1]["error_code"] == 1045 and "Access denied for user 'tester'" in found[1]["reject_reason"]


def test_results_are_counted(weir, events):
    found = completed(weir, events, "CREATE OR REPLACE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY, v TINYINT)",
                      "INSERT INTO counted (v) VALUES (1), (2), (3)", "SELECT * FROM counted", "UPDATE counted SET v = 9",
                      "INSERT IGNORE INTO counted (v) VALUES (1000)", "SELECT * FROM counted WHERE 0", "SELECT nowhere",
                      "DROP TABLE counted")
    facts = [(e["event"], e["rows"], e["affected_rows"], e["last_insert_id"], e["warnings"], e["error_code"]) for e in found]
    assert facts[1] == ("Completed", 0, 3, 1, 0, 0)
    assert facts[2] == ("Completed", 3, 0, 0, 0, 0)
    assert facts[3] == ("Completed", 0, 3, 0, 0, 0)
    assert facts[4] == ("Completed", 0, 1, 4, 1, 0)
    assert facts[5][:2] == ("Completed", 0)
    assert found[6]["event"] == "Error" and (found[6]["error_code"], found[6]["sqlstate"]) == (1054, "42S22")
    assert found[6]["message"] == "Unknown column 'nowhere' in 'SELECT'"
    assert found[3]["message"] == "Rows matched: 3  Changed: 3  Warnings: 0"
    assert all(e["duration"] > 0 and e["started_at"] > 0 for e in found)


def test_bytes_are_those_of_the_reply(weir, events):
    with weir.raw() as connection:
        sizes = []
        for sql in ("SELECT REPEAT('x', 100000) FROM seq_1_to_20", "DO 1", "SELEC"):
            sizes.append(sum(len(payload) + 4 for _, payload in connection.query(sql)))
        number = connection.greeting.connection_id
    found = [e for e in events.ended(number) if e["event"] in ("Completed", "Error") and e["command"] == "Query"]
    assert [e["bytes"] for e in found] == sizes


def test_each_statement_of_a_text_has_events_of_its_own(weir, events):
    text = "SELECT 'a;b'; INSERT INTO nowhere VALUES (1); SELECT 3"

    def do(connection):
        connection.query(text)
        connection.query("DO 1; SELECT 2 UNION SELECT 3;")

    found = session(weir, events, do)
    general = [e for e in found if e["point"] == "general" and e["command"] == "Query"]
    starting = [e for e in general if e["event"] == "Starting"]
    assert [(e["statement_index"], e["statement_count"], e["sql"].strip(" ;")) for e in starting] == [
        (0, 3, "SELECT 'a;b'"), (1, 3, "INSERT INTO nowhere VALUES (1)"), (2, 3, "SELECT 3"), (0, 2, "DO 1"),
        (1, 2, "SELECT 2 UNION SELECT 3")]
    ends = [e for e in general if e["event"] != "Starting"]
    assert len(ends) == len(starting), "every Starting has its end, also after an error"
    assert [(e["event"], e["rows"]) for e in ends[-2:]] == [("Completed", 0), ("Completed", 2)]
    assert [e["event"] for e in ends[:2]] == ["Completed", "Error"] and ends[1]["error_code"] == 1146
    assert [e["sql"] for e in found if e["event"] == "PreParse"] == [text, "DO 1; SELECT 2 UNION SELECT 3;"]


def test_a_procedures_results_belong_to_its_call(weir, events):
    found = completed(weir, events, "CREATE OR REPLACE PROCEDURE pr() BEGIN SELECT 1 UNION SELECT 2; SELECT 3; END",
                      "CALL pr()", "DROP PROCEDURE pr")
    assert [(e["event"], e["rows"]) for e in found] == [("Completed", 0), ("Completed", 3), ("Completed", 0)]


def test_prepared_statements_are_told_with_text_and_parameters(weir, events):
    def do(connection):
        statement, _ = connection.prepare("SELECT ?, ? + 1, ?")
        head = bytes([raw.COM_STMT_EXECUTE]) + struct.pack("<I", statement) + b"\0\1\0\0\0"
        types = struct.pack("<HHH", 253, 0x8008, 6)
        values = raw.text(b"it's") + struct.pack("<Q", 2**64 - 2)
        connection.command(head + b"\4\1" + types + values)
        connection.command(head + b"\4\0" + values)  # the types are those of the time before
        connection.command(bytes([raw.COM_STMT_RESET]) + struct.pack("<I", statement), connection.read_one)
        connection.send(bytes([raw.COM_STMT_CLOSE]) + struct.pack("<I", statement))
        connection.command(head + b"\4\0" + values)  # is not there any more

    found = session(weir, events, do)
    prepare = next(e for e in found if e["command"] == "Prepare" and e["event"] == "Completed")
    assert prepare["sql"] == "SELECT ?, ? + 1, ?" and prepare["prepared_id"]
    executes = [e for e in found if e["point"] == "general" and e["command"] == "Execute"]
    assert [e["event"] for e in executes] == ["Starting", "Completed", "Starting", "Completed", "Starting", "Error"]
    for event in executes[:4]:
        assert event["sql"] == "SELECT ?, ? + 1, ?" and event["prepared_id"] == prepare["prepared_id"]
        assert event["parameter_count"] == 3
        assert [p[1:] for p in event["parameters"]] == [["it's", 253, 0, 0], ["18446744073709551614", 8, 0, 1], [None, 6, 1, 0]]
    assert executes[1]["rows"] == 1 and executes[5]["error_code"] == 1243
    assert [e["event"] for e in found if e["command"] == "Reset stmt"] == ["Starting", "Completed"]


def test_long_data_bulk_and_direct_execution_are_told(weir, events, client):
    for words, marker in ((["long-data"], "INSERT INTO l VALUES (?, ?)"), (["bulk"], "INSERT INTO k (a, s) VALUES (?, ?)"),
                          (["direct", "SELECT 'told directly'"], "SELECT 'told directly'")):
        weir.shell("DROP TABLE IF EXISTS l; DROP TABLE IF EXISTS k;")
        weir.run(client("prepared"), *words)
        execute = events.wait_for(lambda e, marker=marker: e["event"] == "Completed" and e["command"].endswith("Execute")
                                  and e["sql"] == marker, f"the execution of {marker}")
        assert execute["prepared_id"]
        if words == ["long-data"]:
            assert execute["parameter_count"] == 2 and execute["affected_rows"] == 1
        if words == ["bulk"]:
            assert execute["affected_rows"] == 1000


def test_a_cursors_rows_are_told_by_its_fetches(weir, events, client):
    weir.run(client("prepared"), "cursor", "SELECT seq, 'by cursor' FROM seq_1_to_20", "8")
    one = events.wait_for(lambda e: e["event"] == "Completed" and "by cursor" in (e["sql"] or ""), "the statement")
    found = events.ended(one["connection_id"])
    fetched = [e["rows"] for e in found if e["command"] == "Fetch" and e["event"] == "Completed"]
    assert fetched == [8, 8, 4, 8, 8, 4, 8], fetched


def test_a_long_text_is_whole(weir, events):
    sql = "SELECT '" + "y" * 300000 + "'"
    (event,) = completed(weir, events, sql)
    assert event["sql_size"] == len(sql)
    assert event["sql"] == sql


DATABASES = [
    ("USE information_schema", "information_schema"), (f"use `{DATABASE}`", DATABASE),
    ("USE no_such_database", DATABASE), (f"/* also */ USE information_schema -- here\n", "information_schema"),
    (f"USE {DATABASE}; SELECT 1", DATABASE), ("DO 1; USE information_schema", "information_schema"),
    (bytes([raw.COM_INIT_DB]) + DATABASE.encode(), DATABASE), (bytes([raw.COM_INIT_DB]) + b"no_such_database", DATABASE),
    (bytes([raw.COM_INIT_DB]) + b"information_schema", "information_schema"),
    (bytes([raw.COM_RESET_CONNECTION]), "information_schema"),
    ("PREPARE p FROM 'DO 1'", "information_schema"),
    ("BEGIN NOT ATOMIC DO 1; END", "information_schema"),
]


@pytest.mark.parametrize("capabilities", [raw.BASIC, raw.BASIC | raw.DEPRECATE_EOF | raw.SESSION_TRACK],
                         ids=["plain", "session tracking"])
def test_the_current_database_is_right_after_everything(weir, events, capabilities):
    told, asked = [], []

    def do(connection):
        for command, expected in DATABASES:
            if isinstance(command, str):
                connection.query(command)
            else:
                connection.command(command, connection.read_one)
            reply = connection.query("SELECT DATABASE(), 'probe'")
            asked.append(expected)
            assert reply[-2][1].startswith(raw.text(expected.encode())), (command, reply)

    found = session(weir, events, do, capabilities=capabilities)
    told = [e["database"] for e in found if e["event"] == "Starting" and "'probe'" in (e["sql"] or "")]
    assert told == asked


def test_a_dropped_database_is_no_longer_current(weir, events):
    found = completed(weir, events, "CREATE DATABASE short_lived", "USE short_lived", "SELECT 1", "DROP DATABASE short_lived",
                      "SELECT 2", capabilities=raw.BASIC | raw.SESSION_TRACK | raw.DEPRECATE_EOF)
    assert found[2]["database"] == "short_lived" and not found[4]["database"]


def test_roles_are_right_over_set_role_change_user_and_reset(weir, events):
    def do(connection):
        for sql in ("SELECT 1", "SET ROLE reader", "SELECT 2", "SET ROLE NONE", "SELECT 3", "set role writer", "SELECT 4",
                    "SET ROLE no_such_role", "SELECT 5"):
            connection.query(sql)
        connection.command(bytes([raw.COM_RESET_CONNECTION]), connection.read_one)
        connection.query("SELECT 6")
        connection.query("SET ROLE reader")
        with pytest.raises(raw.ServerError):
            connection.change_user("plain", "plain-secret", "mysql")

    found = session(weir, events, do)
    roles = {e["sql"]: e["current_role"] for e in found if e["event"] == "Starting" and (e["sql"] or "").startswith("SELECT")}
    with weir.raw() as connection:
        connection.query("SET ROLE writer")
        connection.command(bytes([raw.COM_RESET_CONNECTION]), connection.read_one)
        assert connection.query("SELECT CURRENT_ROLE()")[3][1] == raw.text(b"writer")  # a reset leaves the role
    assert [roles[f"SELECT {i}"] for i in range(1, 7)] == ["", "reader", "", "writer", "writer", "writer"]


def test_change_user_is_an_event_with_the_new_facts(weir, events):
    def do(connection):
        connection.change_user("plain", "plain-secret", DATABASE)
        connection.query("SELECT 'as plain'")

    found = session(weir, events, do)
    change = next(e for e in found if e["event"] == "ChangeUser")
    assert (change["user"], change["database"], change["current_user"]) == ("plain", DATABASE, "plain@%")
    after = next(e for e in found if e["event"] == "Starting" and "as plain" in (e["sql"] or ""))
    assert (after["user"], after["current_user"]) == ("plain", "plain@%")
    assert found[-1]["event"] == "Disconnect" and found[-1]["user"] == "plain"


COMMANDS = {
    "Ping": bytes([raw.COM_PING]), "Init DB": bytes([raw.COM_INIT_DB]) + DATABASE.encode(),
    "Statistics": bytes([raw.COM_STATISTICS]), "Set option": bytes([raw.COM_SET_OPTION]) + b"\0\0",
    "Reset connect": bytes([raw.COM_RESET_CONNECTION]), "Debug": bytes([raw.COM_DEBUG]),
}


def test_commands_have_tidbs_names_and_their_ends(weir, events):
    found = completed(weir, events, *COMMANDS.values())
    assert [(e["command"], e["command_argument"], e["event"]) for e in found] == [(n, n, "Completed") for n in COMMANDS]
    assert [e["command_code"] for e in found] == [command[0] for command in COMMANDS.values()]


def test_a_field_list_and_a_local_file_have_their_ends(weir, events):
    def do(connection):
        connection.query("CREATE OR REPLACE TABLE fl (a INT, b INT)")
        connection.command(bytes([raw.COM_FIELD_LIST]) + b"fl\0", connection.read_fetched)
        connection.command(bytes([raw.COM_QUERY]) + b"LOAD DATA LOCAL INFILE 'x' INTO TABLE fl FIELDS TERMINATED BY ','",
                           lambda: connection.read_result([b"1,2\n3,4\n"]))
        connection.query("DROP TABLE fl")

    found = [e for e in session(weir, events, do) if e["event"] == "Completed"]
    assert [e["command"] for e in found][:3] == ["Query", "Field List", "Query"]
    assert found[2]["affected_rows"] == 2 and found[2]["message"].startswith("Records: 2")


def test_pipelined_commands_have_their_own_ends(weir, events):
    def do(connection):
        connection.send_queries("SELECT 1", "SELEC", "SELECT 3 UNION SELECT 4", "DO 5")
        for _ in range(4):
            connection.read_result()

    found = session(weir, events, do)
    ends = [(e["sql"], e["event"], e["rows"]) for e in found if e["event"] in ("Completed", "Error") and e["command"] == "Query"]
    assert [end[:2] for end in ends] == [("SELECT 1", "Completed"), ("SELEC", "Error"), ("SELECT 3 UNION SELECT 4", "Completed"),
                                         ("DO 5", "Completed")]
    assert ends[2][2] == 2


def test_a_session_that_is_cut_off_in_mid_statement_has_one_end_and_one_disconnect(weir, events, database):
    holder = database.connect()
    holder.query("SELECT GET_LOCK('cut off', 0)")
    connection = weir.raw()
    connection.send(bytes([raw.COM_QUERY]) + b"SELECT GET_LOCK('cut off', 600)")
    number = connection.greeting.connection_id
    events.wait_for(lambda e: e.get("connection_id") == number and e["event"] == "Starting", "the statement")
    connection.close()
    serve_others(weir.raw)
    assert names(events.of(number))[-1] == "Starting Query", "a statement is waited for, as the server does"
    holder.close()
    found = names(events.ended(number))
    assert found[-2:] == ["Completed Query", "Disconnect"] and found.count("Disconnect") == 1


def test_the_status_flags_are_the_sessions(weir, events):
    found = completed(weir, events, "BEGIN", "SELECT 1", "COMMIT", "SET autocommit = 0", "SELECT 2")
    in_transaction, autocommit = 1, 2
    flags = [e["session_status"] & 3 for e in found]
    assert flags == [autocommit | in_transaction, autocommit | in_transaction, autocommit, 0, 0]


def test_global_variables_that_are_set_are_told(weir, events):
    with weir.raw() as connection:
        for sql in ("SET GLOBAL long_query_time = 11", "SET @@global.long_query_time = 10, @x = 1",
                    "SET GLOBAL no_such_variable = 1", "SET SESSION sql_mode = ''"):
            connection.query(sql)
        number = connection.greeting.connection_id
    found = [(e["name"], e["value"]) for e in events.ended(number) if e["point"] == "global variable"]
    assert found == [("long_query_time", "11"), ("long_query_time", "10")]


@pytest.mark.greets_first("with -backend-first the event before the login has a number, and no id yet")
def test_many_sessions_events_do_not_mix(weir, events):
    numbers = []

    def work(name):
        with weir.connect() as connection, connection.cursor() as cursor:
            numbers.append((name, connection.thread_id()))
            for i in range(20):
                cursor.execute(f"SELECT 'session {name}', {i}")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(numbers) == 20
    for name, number in numbers:
        found = events.ended(number)
        assert [e["event_number"] for e in found] == list(range(1, len(found) + 1))
        texts = [e["sql"] for e in statements(found) if "session" in (e["sql"] or "")]
        assert texts == [f"SELECT 'session {name}', {i}" for i in range(20)]


@pytest.mark.parametrize("sql, end", [(b"SELECT '\xff\xfe'", "Completed"), (b"\xef\xbb\xbfSELECT 1", "Error"),
                                      (b"SELECT 1\0", "Completed"), (b"", "Error"), (b"  ", "Error"), (b";;", "Error")])
def test_odd_texts_are_shown_as_they_are(weir, events, sql, end):
    with weir.raw() as connection:
        connection.query(sql)
        number = connection.greeting.connection_id
    found = [e for e in events.ended(number) if e["point"] == "general" and e["command"] == "Query"]
    assert [(e["event"], e["sql"].encode("latin-1")) for e in found] == [("Starting", sql), (end, sql)]


def test_a_refused_users_events(weir, events):
    with weir.raw(login=False) as connection:
        connection.read_greeting()
        connection.user, connection.password = "refused", "refused-secret"
        connection.send(connection.handshake_response(), 1)
        error = failure(connection.finish_authentication)
        found = events.ended(connection.greeting.connection_id)
    assert names(found) == ["PreAuth", "Reject"]
    assert error["arguments"] == (3159, "HY000", "the recorder does not like refused from 127.0.0.1")
    assert found[1]["error_code"] == 3159 and "does not like" in found[1]["reject_reason"]


