# SPDX-License-Identifier: Apache-2.0
"""Options: where they may be given and which wins, errors that name what is wrong, --help, man pages, installing."""
import os
import re
import subprocess

import pytest
from harness.paths import WEIR_SERVER

BIN = WEIR_SERVER.parent
PROGRAMS = ["weir-server", "pluginpkg", "weir-trace", "weir-audit", "weir-digest", "weir-firewall", "weir-replay"]

pytestmark = pytest.mark.gateway_only


def run(program, *arguments, **environment):
    return subprocess.run([str(BIN / program), *map(str, arguments)], capture_output=True, text=True, timeout=30,
                          env={**os.environ, **environment})


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_and_man_page_tell_the_same_options(program):
    text, manual = run(program, "--help").stdout, run(program, "-manual").stdout
    told = set(re.findall(r"^  (?:-(\S+), )?-(\S+)", text, re.MULTILINE))
    assert "help" in {name for names in told for name in names}
    for names in told:
        for name in filter(None, names):
            assert re.search(r"(^|[ ,])\\-" + re.escape(name.rstrip(",")).replace(r"\-", r"\\-"), manual, re.MULTILINE), name
    assert manual.startswith(f".TH {program} 1")


def test_each_option_of_a_configuration_says_when_it_changes():
    unsaid = set()
    for told in re.split(r"\n  (?=-)", run("weir-server", "--help").stdout)[1:]:
        if not re.search(r"\[changes\s+(at\s+once|for\s+new\s+connections|at\s+the\s+next\s+start)\]", told):
            unsaid.add(told.split()[-1] if told.startswith("-V") else re.search(r"-([a-z-]{3,})", told).group(1))
    assert unsaid == {"config", "check", "help", "manual", "manual-file", "sample", "exit."}


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_say_their_options_and_refuse_others(program):
    assert program in run(program, "--help").stdout
    wrong = run(program, "--no-such-option")
    assert wrong.returncode != 0 and "no-such-option" in wrong.stderr


@pytest.mark.parametrize("arguments, words", [
    (["-P", "70000"], ["-P", "70000", "out of range", "65535"]),
    (["--port=abc"], ["--port=abc", "abc", "whole number"]),
    (["-P", "-L"], ["-P", '"-L"', "whole number"]),
    (["-L", "loud"], ["-L", "loud", "error, warn, info, debug"]),
    (["-backend", "db:3306"], ["-backend", "db:3306", "tcp://host:port"]),
    (["extra"], ["extra", "options only"]),
    (["-plugin-load", "nothing-1"], ["nothing-1"]),
    (["-plugin-load", "nothing-1.so"], ["-plugin-load nothing-1.so: leave out .so: nothing-1"]),
    (["-plugin-load", "/a/nothing-1.so"], ["leave out .so, and the folder, which is -plugin-dir's: nothing-1"]),
    (["-P", "0"], ["nothing to listen on", "-P", "-socket"]),
    (["-log-file", "/nowhere/at/all.log"], ["/nowhere/at/all.log", "No such file"]),
])
def test_an_error_at_start_names_the_option_and_the_fix(arguments, words, tmp_path):
    done = run("weir-server", *arguments, "-path", tmp_path / "data", *([] if "-backend" in arguments else
                                                                         ["-backend", "tcp://127.0.0.1:1"]))
    assert done.returncode == 1
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.mark.parametrize("text, words", [
    ("port = 70000\n", ["weir.toml:1", "port", "out of range"]),
    ("host = '127.0.0.1'\nprot = 1\n", ["weir.toml:2", '"prot"', "no such option"]),
    ("port = \n", ["weir.toml:1"]),
])
def test_a_mistake_in_the_file_is_told_with_its_line(text, words, tmp_path):
    file = tmp_path / "weir.toml"
    file.write_text(text)
    done = run("weir-server", "-config", file)
    assert done.returncode == 1
    for word in words:
        assert word in done.stderr, done.stderr


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path):
    file = tmp_path / "weir.toml"
    file.write_text("backend = 'from-file'\n")

    def backend(*arguments, **environment):
        return re.search(r"-backend (\S+):", run("weir-server", "-config", file, *arguments, **environment).stderr).group(1)

    assert backend() == "from-file"
    assert backend(WEIR_BACKEND="from-environment") == "from-environment"
    assert backend("-backend", "from-arguments", WEIR_BACKEND="from-environment") == "from-arguments"
