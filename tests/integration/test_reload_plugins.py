# SPDX-License-Identifier: Apache-2.0
"""[plugin.NAME], read again while the plugins run: each variable by its own rules."""
import pytest
from harness.observe import run
from test_reload import connect, failure, serve  # noqa: F401: serve is a fixture

pytestmark = pytest.mark.gateway_only

SOURCES = "ADMIN SHOW VARIABLES"


def value(connection, name, scope="global"):
    return run(connection, f"SELECT @@{scope}.{name}")[0]["rows"][0][0]


def origin(connection, name):
    """The row of ADMIN SHOW VARIABLES, by column."""
    (result,) = run(connection, SOURCES)
    names = [column[0] for column in result["columns"]]
    return next(dict(zip(names, row)) for row in result["rows"] if row[0] == name)


def warnings_of_reload(connection):
    assert failure(connection, "ADMIN RELOAD CONFIG") is None
    return " ".join(row[2] for row in run(connection, "SHOW WARNINGS")[0]["rows"])


@pytest.mark.parametrize("by", ["signal", "statement"])
def test_a_value_of_the_file_takes_effect(serve, by):  # noqa: F811
    weir = serve("[plugin.settings]\nlimit = 7\n", by, loaded=["settings-1"])
    with connect(weir) as before:
        assert value(before, "settings_limit") == 7
        weir.apply("# a line more\n[plugin.settings]\nlimit = 9\nformat = 'csv'\n")
        assert (value(before, "settings_limit"), value(before, "settings_format")) == (9, "csv")
        assert value(before, "settings_limit", "session") == 7  # its own, as after SET GLOBAL
        with connect(weir) as after:
            assert value(after, "settings_limit", "session") == 9
        weir.apply("[plugin.settings]\nformat = 'csv'\n")  # and back to the manifest's
        assert value(before, "settings_limit") == 5


def test_nothing_of_it_is_kept_as_set(serve):  # noqa: F811
    weir = serve("[plugin.settings]\nlimit = 7\n", "statement", loaded=["settings-1"])
    with connect(weir) as connection:
        weir.apply("\n\n[plugin.settings]\nlimit = 9\n")
        row = origin(connection, "settings_limit")
        assert "FILE" in row.values() and any(str(cell).endswith("weir.toml:4") for cell in row.values()), row
        run(connection, "SET GLOBAL settings_limit = 11")
        run(connection, "SET GLOBAL settings_limit = DEFAULT")
        assert value(connection, "settings_limit") == 9


def test_a_value_that_was_set_counts_more_and_is_named(serve):  # noqa: F811
    weir = serve("[plugin.settings]\nlimit = 7\n", "statement", loaded=["settings-1"])
    with connect(weir) as connection:
        run(connection, "SET GLOBAL settings_limit = 8")
        weir.write("[plugin.settings]\nlimit = 9\n")
        assert "settings_limit differ in the file: values of SET GLOBAL" in warnings_of_reload(connection)
        assert value(connection, "settings_limit") == 8
        run(connection, "SET GLOBAL settings_limit = DEFAULT")
        assert value(connection, "settings_limit") == 9


def test_a_read_only_one_waits_for_the_next_start(serve):  # noqa: F811
    weir = serve("", "statement", loaded=["settings-1"])
    with connect(weir) as connection:
        weir.write("[plugin.settings]\nfixed = 4\n")
        for _ in range(2):
            assert "settings_fixed differ in the file: read-only" in warnings_of_reload(connection)
        assert value(connection, "settings_fixed") == -3


@pytest.mark.parametrize("by", ["signal", "statement"])
@pytest.mark.parametrize("text, words", [
    ("[plugin.settings]\nlimit = 9\nlimmit = 9\n", 'weir.toml:3: plugin settings has no setting "limmit"; did you mean "limit"?'),
    ("[plugin.settings]\nlimit = 9\nbuffer = '1'\n", "weir.toml:3: [plugin.settings]"),
    ("[plugin.settings]\nlimit = 9\nfile = 'bad'\n", "there is no such place"),
    ("[plugin.settings]\nlimit = 9\nfile = 'seven'\n", "with the limit 9"),
    ("[plugin.setings]\nlimit = 9\n", "[plugin.setings]: no such plugin is loaded"),
    ("workers = 'x'\n[plugin.settings]\nlimit = 9\n", "weir.toml:1"),
])
def test_a_wrong_one_changes_nothing(serve, by, text, words):  # noqa: F811
    weir = serve("[plugin.settings]\nlimit = 7\n", by, loaded=["settings-1"])
    with connect(weir) as connection:
        weir.write(text)
        error = weir.reload()
        assert words in (error[1] if by == "statement" else error), error
        assert value(connection, "settings_limit") == 7


def test_values_that_belong_together_are_judged_together(serve):  # noqa: F811
    weir = serve("", loaded=["settings-1"])
    weir.apply("[plugin.settings]\nfile = 'seven'\nlimit = 7\n")
    with connect(weir) as connection:
        assert (value(connection, "settings_limit"), value(connection, "settings_file")) == (7, "seven")


def test_a_locked_plugin_is_changed_by_a_signal_alone(serve):  # noqa: F811
    weir = serve("[plugin.settings]\nlimit = 7\n", "statement", loaded=["settings-1"], options=["-plugin-locked", "settings"])
    with connect(weir) as connection:
        weir.write("[plugin.settings]\nlimit = 9\n")
        assert "settings_limit differ in the file: their plugins are locked" in warnings_of_reload(connection)
        assert value(connection, "settings_limit") == 7
        weir.by = "signal"
        assert weir.reload() is None
        assert value(connection, "settings_limit") == 9
