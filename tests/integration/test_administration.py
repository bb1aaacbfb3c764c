# SPDX-License-Identifier: Apache-2.0
"""SHOW PLUGINS, FLUSH TIDB PLUGINS, ADMIN PLUGINS, the example plugin, the filter of networks, and plugins' settings."""
import pytest
from harness import raw
from harness.events import statements
from harness.observe import failure, run
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only

COLUMNS = ["Name", "Status", "Type", "Library", "License", "Version"]


@pytest.fixture(scope="module")
def server(make_gateway, database, example):
    """A gateway of its own, since plugins are switched off in it."""
    server = make_gateway(database.address, plugins=["recorder-1", example])
    yield server
    server.stop()


@pytest.fixture
def connection(server):
    with server.endpoint.connect() as connection:
        yield connection


@pytest.mark.parametrize("sql", ["SHOW PLUGINS", "show plugins", "SHOW /* x */ PLUGINS;", "  show\n\tplugins  "])
def test_show_plugins_lists_the_gateways_plugins(connection, plugins, sql):
    (result,) = run(connection, sql)
    assert [column[0] for column in result["columns"]] == COLUMNS
    assert result["rows"] == [
        ("recorder", "Ready-enable", "Audit", str(plugins / "recorder-1.so"), "Apache-2.0", "1"),
        ("conn_ip_example", "Ready-enable", "Audit", str(plugins / "conn_ip_example-1.so"), "", "1")]


def test_show_plugins_looks_the_same_in_the_shell(server):
    lines = server.endpoint.shell("show plugins", "--table").stdout.splitlines()
    assert [cell.strip() for cell in lines[1].split("|")[1:-1]] == COLUMNS


@pytest.mark.parametrize("capabilities", [raw.BASIC, raw.BASIC | raw.DEPRECATE_EOF | raw.SESSION_TRACK,
                                          raw.BASIC | raw.CACHE_METADATA, raw.BASIC | raw.EXTENDED_METADATA],
                         ids=["classic", "deprecate eof", "metadata caching", "extended metadata"])
def test_the_gateways_own_results_fit_every_capability(server, capabilities):
    with server.endpoint.raw(capabilities=capabilities) as connection:
        reply = connection.query("SHOW PLUGINS")
        assert reply[0][1] == (b"\6\1" if capabilities & raw.CACHE_METADATA else b"\6") and b"recorder" in reply[-3][1]
        assert connection.query("SELECT 1")[0][1][:1] == b"\1"


def test_administration_statements_in_a_pipeline_are_answered_in_their_place(server):
    with server.endpoint.raw() as connection:
        texts = [b"SELECT SLEEP(0.2), 1", b"SHOW PLUGINS", b"SELECT 2", b"FLUSH TIDB PLUGINS recorder", b"SELECT 3"]
        connection.send_queries(*texts)
        replies = [connection.read_result() for _ in texts]
    assert b"recorder" in b"".join(payload for _, payload in replies[1])
    assert replies[3][0][1][:1] == b"\0" and b"\x013" in replies[4][3][1]


@pytest.mark.parametrize("sql", ["FLUSH TIDB PLUGINS recorder", "flush tidb plugins recorder", "FLUSH PLUGINS recorder",
                                 "FLUSH TIDB PLUGINS recorder, recorder"])
def test_flush_calls_the_plugin(server, connection, sql):
    def flushes():
        return [e["event"] for e in server.events.all()].count("OnFlush")

    before = flushes()
    run_ok(connection, sql)
    assert flushes() == before + (2 if "," in sql else 1)


def run_ok(connection, sql):
    (result,) = run(connection, sql)
    assert "error" not in result, result
    return result


def test_flush_of_what_is_not_there_is_an_error_as_in_tidb(connection):
    unknown = failure(lambda: connection.query("FLUSH TIDB PLUGINS nowhere"))
    without = failure(lambda: connection.query("FLUSH TIDB PLUGINS conn_ip_example, nowhere"))
    assert unknown["arguments"] == without["arguments"] == (1105, "plugin nowhere doesn't exist; SHOW PLUGINS lists those that do")
    assert run(connection, "SELECT 1")[0]["rows"] == [(1,)]


def test_a_plugin_is_switched_off_and_on(server, connection):
    try:
        run_ok(connection, "ADMIN PLUGINS DISABLE recorder")
        assert run(connection, "SHOW PLUGINS")[0]["rows"][0][1] == "Ready-disable"
        connection.query("SELECT 'unseen'")
    finally:
        run_ok(connection, "admin plugins enable recorder")
    assert run(connection, "SHOW PLUGINS")[0]["rows"][0][1] == "Ready-enable"
    connection.query("SELECT 'seen'")
    wait_for(lambda: [e for e in statements(server.events.all()) if e["sql"] == "SELECT 'seen'"], "the event")
    assert not [e for e in server.events.all() if e.get("sql") == "SELECT 'unseen'"]
    assert "nowhere" in failure(lambda: connection.query("ADMIN PLUGINS DISABLE nowhere"))["arguments"][1]


def test_a_plugin_is_notified_of_the_whole_statement_that_disables_it(server, database):
    """An audit log that could be switched off without a record of it would prove nothing."""
    with server.endpoint.connect() as other, server.endpoint.connect() as connection:
        number = connection.thread_id()
        connection.query("SELECT 'before'")
        connection.query("ADMIN PLUGINS DISABLE recorder")
        connection.query("SELECT 'unseen'")
        connection.query("ADMIN PLUGINS ENABLE recorder")
        connection.query("SELECT 'after'")
        other.query("SELECT 'other'")
    told = [e["sql"] for e in server.events.ended(number) if e["event"] == "Completed" and e["sql"]]
    assert told[-3:] == ["SELECT 'before'", "ADMIN PLUGINS DISABLE recorder", "SELECT 'after'"]
    changes = [e for e in server.events.all() if e["point"] == "plugin"][-2:]
    assert [(e["event"], e["plugin"], e["by"], e["sql"], e["digest"]) for e in changes] == [
        ("Disabling", "recorder", "tester", "ADMIN PLUGINS DISABLE recorder", None),
        ("Enabled", "recorder", "tester", "ADMIN PLUGINS ENABLE recorder", None)]


def test_a_disabled_plugin_is_notified_of_the_end_of_sessions_that_it_knows(server, connection):
    with server.endpoint.connect() as other:
        number = other.thread_id()
        connection.query("ADMIN PLUGINS DISABLE recorder")
    try:
        assert server.events.ended(number)[-1]["event"] == "Disconnect"
    finally:
        connection.query("ADMIN PLUGINS ENABLE recorder")


def test_administration_statements_are_audited(server, connection):
    connection.query("SHOW PLUGINS")
    failure(lambda: connection.query("FLUSH TIDB PLUGINS nowhere"))
    found = [e for e in server.events.of(connection.thread_id()) if e["point"] == "general" and e["command"] == "Query"]
    shown = [e for e in found if e["sql"] == "SHOW PLUGINS"]
    assert [e["event"] for e in shown] == ["Starting", "Completed"] and shown[1]["rows"] == 2
    failed = [e for e in found if e["sql"] == "FLUSH TIDB PLUGINS nowhere"]
    assert [e["event"] for e in failed] == ["Starting", "Error"] and "nowhere" in failed[1]["message"]


@pytest.mark.parametrize("sql, privilege", [("FLUSH TIDB PLUGINS recorder", "RELOAD"), ("ADMIN PLUGINS DISABLE recorder", "SUPER"),
                                            ("ADMIN PLUGINS ENABLE recorder", "SUPER"), ("FLUSH PLUGINS recorder", "RELOAD")])
def test_what_changes_something_needs_a_privilege(server, database, sql, privilege):
    with server.endpoint.connect(user="limited", password="limited-secret") as connection:
        error = failure(lambda: connection.query(sql))
        assert error["arguments"][0] == 1227 and privilege in error["arguments"][1]
        assert len(run(connection, "SHOW PLUGINS")[0]["rows"]) == 2
        database.execute(f"GRANT {privilege} ON *.* TO limited@'%'")
        try:
            with server.endpoint.connect(user="limited", password="limited-secret") as privileged:
                run_ok(privileged, sql)
        finally:
            database.execute(f"REVOKE {privilege} ON *.* FROM limited@'%'")
            with server.endpoint.connect() as administrator:
                administrator.query("ADMIN PLUGINS ENABLE recorder")


@pytest.mark.parametrize("sql", ["SHOW PLUGINS SONAME 'x'", "SHOW PLUGINSX", "SELECT 'SHOW PLUGINS'", "FLUSH TABLES", "SHOW PLUGIN",
                                 "FLUSH STATUS", "SHOW CREATE TABLE mysql.plugin"])
def test_everything_else_passes_to_the_backend(server, direct, sql):
    def ask(endpoint):
        with endpoint.raw() as connection:
            return connection.query(sql)

    assert ask(server.endpoint) == ask(direct)


def test_a_gateway_without_plugins_shows_none(gateway, database):
    server = gateway(database.address)
    with server.endpoint.connect() as connection:
        (result,) = run(connection, "SHOW PLUGINS")
        assert [column[0] for column in result["columns"]] == COLUMNS and result["rows"] == []


def test_the_example_prints_what_tidbs_prints(gateway, database, example):
    server = gateway(database.address, plugins=[example])
    with server.endpoint.connect() as connection:
        connection.query("SELECT 'printed'")
        failure(lambda: connection.query("SELEC"))
    failure(lambda: server.endpoint.connect(password="wrong"))
    wait_for(lambda: "Reject" in server.process.output(), "the example's last line")
    server.stop()
    output = server.process.output()
    for words in ("conn_ip_example Validate called", "OnInit called", "SELECT 'printed'", "Connected, reason: []", "PreAuth",
                  "Disconnect", "Statement Starting", "Statement Completed", "ERROR!", "tester@127.0.0.1/weir_case type: TCP",
                  "Reject, reason: [Access denied for user 'tester'"):
        assert words in output, words
    assert output.count("OnShutdown called") == 1


def test_plugins_read_their_settings_and_the_servers_options_stand_in_a_file(gateway, database, tmp_path):
    config = tmp_path / "weir.toml"
    config.write_text('plugin-load = "recorder-1"\nlevel = "debug"\n[plugin.recorder]\nword = "from the file"\n')
    server = gateway(database.address, options=["-config", str(config)])
    with server.endpoint.connect() as connection:
        connection.query("SELECT 1")
    assert {"point": "life", "event": "OnInit", "name": "recorder", "word": "from the file"} in server.events.all()


def test_a_wrong_configuration_is_named_with_its_line(gateway, database, tmp_path):
    for text, words in (('host = "127.0.0.1"\nno-such-option = 1\n', 'wrong.toml:2: key "no-such-option": no such option'),
                        ("workers = [", "wrong.toml:1: Error while parsing array"),
                        ('workers = "many"\n', 'wrong.toml:1: workers: "many" is not a whole number')):
        config = tmp_path / "wrong.toml"
        config.write_text(text)
        server = gateway(database.address, options=["-config", str(config)], start=False).launch()
        assert server.process.wait() == 1
        assert words in server.log()


@pytest.fixture
def filtered(gateway, database, ip_filter, tmp_path):
    """A gateway with ip_filter, and a function that changes its lists."""
    lists = tmp_path / "ip_filter.lists"
    config = tmp_path / "weir.toml"
    config.write_text(f'[plugin.ip_filter]\nfile = "{lists}"\n')

    def change(text):
        lists.write_text(text)

    change("allow 127.0.0.0/8\n")
    return gateway(database.address, plugins=[ip_filter], options=["-config", str(config)]), change


def test_ip_filter_refuses_by_network_and_rereads_its_file_when_flushed(filtered):
    server, change = filtered
    administrator = server.endpoint.connect()

    def attempt():
        try:
            server.endpoint.connect().close()
            return "in"
        except Exception as error:
            return error.args

    assert attempt() == "in"
    change("allow 127.0.0.0/8\ndeny 127.0.0.1\n")
    assert attempt() == "in"  # not before the flush
    run_ok(administrator, "FLUSH TIDB PLUGINS ip_filter")
    denied = (1130, "Host '127.0.0.1' is not allowed to connect to this server (ip_filter)")
    assert attempt() == denied
    change("allow 127.0.0.0/8\n\nallow nonsense\n")
    error = failure(lambda: administrator.query("FLUSH TIDB PLUGINS ip_filter"))
    assert "ip_filter.lists:3" in error["arguments"][1]
    assert attempt() == denied  # the old rules stay
    change("allow 2001:db8::/32\n")
    run_ok(administrator, "FLUSH TIDB PLUGINS ip_filter")
    assert attempt() == denied
    change("# nobody is denied\n")
    run_ok(administrator, "FLUSH TIDB PLUGINS ip_filter")
    assert attempt() == "in"
    administrator.close()
