# SPDX-License-Identifier: Apache-2.0
"""The configuration file: whatever stands in it belongs to something, or the start fails with file, line and the nearest name. And
where the values of variables come from."""
import pytest
from harness.observe import failure, run

pytestmark = pytest.mark.gateway_only


@pytest.fixture
def starts(gateway, database, plugins, tmp_path):
    """Starts a gateway with that file; returns the gateway and whether it serves."""
    def start(text, loaded=("settings-1", "recorder-1"), options=(), **settings):
        config = tmp_path / "weir.toml"
        config.write_text(text)
        server = gateway(database.address, plugins=list(loaded), options=["-config", str(config), *options], start=False, **settings)
        server.config = config
        server.launch()
        return server
    return start


MISTAKES = [
    ("[plugin.setings]\nlimit = 3\n", ':1: [plugin.setings]: no such plugin is loaded, nor in -plugin-dir; did you mean [plugin.settings]?'),
    ("[plugin.nothing_like_it]\n", ":1: [plugin.nothing_like_it]: no such plugin is loaded, nor in -plugin-dir"),
    ("[plugin.settings]\nlimit = 3\nlimt = 4\n", ':3: plugin settings has no setting "limt"; did you mean "limit"?'),
    ("[plugin.settings]\nsettings_limit = 4\n", ':2: plugin settings has no setting "settings_limit"; did you mean "limit"?'),
    ("[plugin.settings]\nLimit = 4\n", ':2: plugin settings has no setting "Limit"; did you mean "limit"?'),
    ("[plugin.recorder]\nwrod = 'x'\n", ':2: plugin recorder has no setting "wrod"; did you mean "word"?'),
    ("[plugin.settings]\nport = 4\n", ':2: plugin settings has no setting "port"; it is an option of weir-server: write it above'),
    ("[plugin.settings]\n[plugin.settings.limit]\nx = 1\n", ':2: setting "limit": must be a value, not a table'),
    ("[plugin.settings]\nformat = ['csv']\n", ':2: setting "format": must be a value, not a list'),
    ("[plugin.settings]\nfile = \"a\\u0000b\"\n", ':2: setting "file": has a NUL byte in it'),
    ("[plugin]\nsettings = 5\n", ":2: plugin.settings: must be a section, [plugin.settings], not an integer"),
    ("plugin = 5\n", ':1: key "plugin": must be sections such as [plugin.audit_log], not an integer'),
    ("[[plugin.settings]]\nlimit = 3\n", ":1: plugin.settings: must be a section, [plugin.settings], not a list"),
    ("[plugins.settings]\nlimit = 3\n", ':1: section "plugins": no such section; did you mean [plugin.NAME]?'),
    ("[settings]\nlimit = 3\n", ':1: key "settings": no such option'),
    ("plugin_load = 'settings-1'\n", ':1: key "plugin_load": no such option; did you mean "plugin-load"?'),
    ("max-conections = 5\n", ':1: key "max-conections": no such option; did you mean "max-connections"?'),
    ("log-file = true\n", ':1: key "log-file": must be a string, in quotes, not true or false'),
    ("workers = 1.5\n", ':1: key "workers": must be a whole number, not a number with a fraction'),
    ("workers = 2026-01-01\n", ':1: key "workers": must be a whole number, not a date or time'),
    ("plugin-load = ['settings-1']\n", ':1: key "plugin-load": must be a value, not a list'),
    ("level = 'infi'\n", ':1: level: "infi" is not one of error, warn, info, debug'),
    ("config = 'other.toml'\n", ':1: key "config": is an option of the command line only'),
    ("help = true\n", ':1: key "help": is an option of the command line only'),
    ("[plugin.settings]\nlimit = 1001\n", ":2: [plugin.settings] settings_limit = \"1001\": Variable 'settings_limit' can't be set to the value of "
                                          "'1001'; give a whole number, 1 to 1000"),
    ("[plugin.settings]\nlimit = 3.5\n", ":2: [plugin.settings] settings_limit = \"3.5\": Incorrect argument type to variable 'settings_limit'; "
                                         "give a whole number"),
    ("[plugin.settings]\nformat = 'cvs'\n", "; give one of jsonl, json, csv"),
    ("[plugin.settings]\nbuffer = '16X'\n", '; give bytes, as in 1048576 or "16M", 4096 to 1073741824'),
    ("[plugin.settings]\nwait = 'soon'\n", '; give seconds, or as in "250ms" and "2h"'),
    ("[plugin.settings]\nchain = 'maybe'\n", "; give true or false"),
    ("[plugin.settings]\nfile = 5\n", ":2: [plugin.settings] file = 5: must be a string, in quotes"),
    ("[plugin.settings]\nfile = true\n", ":2: [plugin.settings] file = true: must be a string, in quotes"),
]


@pytest.mark.parametrize("text, words", MISTAKES)
def test_a_mistake_stops_the_start_and_is_named_with_its_line(starts, text, words):
    server = starts(text)
    assert server.process.wait() == 1
    assert str(server.config) + words in server.log() if words.startswith(":") else words in server.log(), server.log()


@pytest.mark.parametrize("skip", [[], ["-skip-plugin-on-failure"]])
def test_skipping_plugins_is_no_excuse_for_a_misspelt_setting(starts, skip):
    server = starts("[plugin.settings]\nlimt = 4\n", options=skip)
    assert server.process.wait() == 1
    assert 'did you mean "limit"?' in server.log()


def test_what_is_right_starts(starts):
    server = starts("level = 'debug'\nworkers = '2'\nrequire-secure-transport = 'no'\n[plugin.settings]\nlimit = '7'\nchain = 1\n"
                    "[plugin.recorder]\nword = 'x'\n[plugin.misbehaves]\nanything = 1\n")
    server.process.wait_ready(lambda: server.greeting()[4:5] == b"\x0a", 60)
    assert f"{server.config}:9: [plugin.misbehaves]: the plugin is not loaded; the section means nothing" in server.log()
    with server.endpoint.connect() as connection:
        assert run(connection, "SELECT @@global.settings_limit, @@settings_chain")[0]["rows"] == [(7, 1)]


def test_a_plugin_that_was_skipped_has_no_say_about_its_section(starts):
    server = starts("[plugin.settings]\nlimit = 0\nlimt = 4\n", options=["-skip-plugin-on-failure"])
    assert server.process.wait() == 1  # a wrong value is none of the plugin's failures
    assert "settings_limit" in server.log()


def test_a_misspelt_environment_is_said(starts):
    server = starts("", environment={"WEIR_BACKEN": "tcp://nowhere:1"})
    server.process.wait_ready(lambda: server.greeting()[4:5] == b"\x0a", 60)
    assert "the environment has WEIR_BACKEN, which is nothing of weir-server's; did you mean WEIR_BACKEND?" in server.log()


def test_a_misspelt_option_of_the_command_line_finds_its_neighbour(starts):
    server = starts("", options=["-plugin-lock", "settings"])
    assert server.process.wait() == 1
    assert "-plugin-lock: no such option; did you mean -plugin-l" in server.log()


# ---- Where values come from

COLUMNS = ["Variable_name", "Value", "Source", "Path", "Configured", "Persisted"]


def origins(connection, like="settings%"):
    (result,) = run(connection, f"ADMIN SHOW VARIABLES LIKE '{like}'")
    assert [column[0] for column in result["columns"]] == COLUMNS
    return {row[0]: row[1:] for row in result["rows"]}


def test_everybody_can_ask_where_a_value_comes_from(starts):
    server = starts("[plugin.settings]\nlimit = 20\nformat = 'csv'\n", loaded=["settings-1"])
    server.process.wait_ready(lambda: server.greeting()[4:5] == b"\x0a", 60)
    kept = str(server.folder / "data" / "plugin-variables.toml")
    with server.endpoint.connect() as connection:
        connection.query("SET GLOBAL settings_limit = 30, GLOBAL settings_wait = 2")
        connection.query("SET PERSIST_ONLY settings_fixed = 12")
        connection.query("SET SESSION settings_limit = 31")
        with server.endpoint.connect(user="limited", password="limited-secret") as limited:
            found = origins(limited)
        expected = {"settings_limit": ("30", "PERSISTED", kept, "20", "30"),
                    "settings_format": ("csv", "FILE", f"{server.config}:3", "csv", None),
                    "settings_wait": ("2.000000", "PERSISTED", kept, "0.250000", "2.000000"),
                    "settings_fixed": ("-3", "DEFAULT", None, "-3", "12"),
                    "settings_chain": ("OFF", "DEFAULT", None, "OFF", None)}
        assert {name: found[name] for name in expected} == expected
        assert list(found) == sorted(found) and len(found) == 8
        connection.query("SET GLOBAL settings_wait = DEFAULT")
        assert origins(connection, "settings_w%") == {"settings_wait": ("0.250000", "DEFAULT", None, "0.250000", None)}
        assert run(connection, "ADMIN SHOW VARIABLES;")[0]["rows"] and not origins(connection, "none")
        for sql in ("ADMIN SHOW VARIABLES x", "ADMIN SHOW VARIABLES LIKE x", "ADMIN SHOW VARIABLES LIKE 'x' y", "ADMIN SHOW VARIABLES WHERE 1"):
            assert failure(lambda sql=sql: connection.query(sql))["arguments"][0] == 1064, sql
    server.stop()
    with open(kept, "a", encoding="utf-8") as file:
        file.write('settings_gone = "1"\nother_thing = "2"\n')
    server.start()
    log = server.log()
    assert (f"settings_limit has a value of SET GLOBAL, in {kept}, which counts more than {server.config}:2; SET GLOBAL settings_limit = "
            "DEFAULT goes back to the file value=30 in_file=20") in log
    assert f"settings_fixed has a value of SET GLOBAL, in {kept} value=12" in log
    assert f"{kept}: plugin settings has no variable settings_gone" in log
    assert f"{kept}: the plugin of other_thing is not loaded" in log
    assert "settings_format has a value" not in log
    with server.endpoint.connect() as connection:
        assert origins(connection)["settings_fixed"] == ("12", "PERSISTED", kept, "-3", "12")


def test_asking_where_values_come_from_is_refused_where_the_gateway_cannot_answer(starts):
    server = starts("", loaded=["settings-1"])
    server.process.wait_ready(lambda: server.greeting()[4:5] == b"\x0a", 60)
    with server.endpoint.connect() as connection:
        for sql in ("PREPARE s FROM 'ADMIN SHOW VARIABLES'", "EXECUTE IMMEDIATE 'ADMIN SHOW VARIABLES'", "ADMIN SHOW VARIABLES; SELECT 1"):
            assert failure(lambda sql=sql: connection.query(sql))["arguments"][0] in (1235, 1295), sql
