# SPDX-License-Identifier: Apache-2.0
"""What the packages bring beside the programs: the service's unit, completion, the configuration file."""
import os
import re
import shutil
import subprocess

import pytest
from harness.paths import BIN, ROOT, WEIR_SERVER

pytestmark = pytest.mark.gateway_only

SHARE = ROOT / "share"
COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
compopt() { :; }
_weir "$1"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words):
    done = subprocess.run(["bash", "-c", COMPLETE, "bash", str(SHARE / "completion" / "weir.bash"), *map(str, words)],
                          capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


def test_options_are_completed_from_the_programs_own_help():
    helped = subprocess.run([WEIR_SERVER, "--help"], capture_output=True, text=True, timeout=30).stdout
    assert complete(WEIR_SERVER, "-max-conn") == ["-max-connections"]
    assert complete(WEIR_SERVER, "--max-conn") == ["--max-connections"]
    assert len(complete(WEIR_SERVER, "-")) == len(re.findall(r"^ +(?:-[A-Za-z], )?-[a-z]", helped, re.MULTILINE))
    assert "share/weir.toml.tail" in complete(WEIR_SERVER, "-config", "share/w")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_the_units_exposure_is_below_two():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", SHARE / "systemd" / "weir-server.service"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def uncommented(text):
    """Every option set to its default, but for those whose default is not to be set."""
    return re.sub(r'^#(?=[a-z-]+ = (?!""))', "", text, flags=re.MULTILINE)


def test_the_sample_configuration_has_every_option_and_is_read(tmp_path):
    sample = subprocess.run([WEIR_SERVER, "-sample"], capture_output=True, text=True, timeout=30, check=True).stdout
    helped = subprocess.run([WEIR_SERVER, "--help"], capture_output=True, text=True, timeout=30).stdout
    options = set(re.findall(r"^ +(?:-[A-Za-z], )?-([a-z][a-z-]+)", helped, re.MULTILINE))
    assert options - set(re.findall(r"^#([a-z-]+) = ", sample, re.MULTILINE)) == {"config", "check", "help", "manual", "manual-file", "sample", "version"}
    file = tmp_path / "weir.toml"
    file.write_text(uncommented(sample))
    assert file.read_text().count("\n#") < sample.count("\n#")
    done = subprocess.run([WEIR_SERVER, "-config", file, "-version"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout.startswith("weir-server "), done.stderr


PROGRAMS = sorted(path.parent.name for path in (ROOT / "cmd").glob("*/CMakeLists.txt"))


ABI_HEADERS = [ROOT / "include/weir/plugin.h", ROOT / "include/weir/store.h"]


def page_of(name):
    """A man page in roff, as it is installed."""
    if name == "weir.7":
        return (SHARE / "man" / "weir.7.in").read_text().replace("@VERSION@", "0")
    if name == "weir-plugin.7":
        command = ["awk", "-v", "version=0", "-f", SHARE / "man" / "weir-plugin.awk", *ABI_HEADERS]
    elif name == "weir.toml.5":
        command = [WEIR_SERVER, "-manual-file"]
    else:
        command = [BIN / name.removesuffix(".1"), "-manual"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def shown(page, tmp_path):
    """What man shows of it, on one line."""
    file = tmp_path / "page"
    file.write_text(page)
    done = subprocess.run(["man", "-l", "--warnings", file], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "MANWIDTH": "120", "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0 and not done.stderr, done.stderr
    return " ".join(done.stdout.replace("\u2010", "-").split())


needs_man = pytest.mark.skipif(not shutil.which("man"), reason="no man here")


@needs_man
@pytest.mark.parametrize("name", [*(f"{program}.1" for program in PROGRAMS), "weir.toml.5", "weir.7", "weir-plugin.7"])
def test_man_has_no_complaint_about_a_page(name, tmp_path):
    assert "NAME" in shown(page_of(name), tmp_path)


@needs_man
def test_the_page_of_the_configuration_file_has_every_key(tmp_path):
    text = shown(page_of("weir.toml.5"), tmp_path)
    sample = subprocess.run([WEIR_SERVER, "-sample"], capture_output=True, text=True, timeout=30, check=True).stdout
    keys = re.findall(r"^#([a-z-]+) = ", sample, re.MULTILINE)
    assert len(keys) > 50 and not [key for key in keys if f" {key} = " not in text]
    assert 'host = "ADDRESS" Address to listen on' in text
    rows = re.search(r"rows\[\] = \{(.*?)^\};", (ROOT / "cmd/weir-server/backends.c").read_text(), re.DOTALL | re.MULTILINE)[1]
    own = re.findall(r'(?:\.name = |TEXT\()"([a-z-]+)"', rows)
    of_backends = text.partition(" BACKENDS ")[2]
    assert len(own) > 10 and not [key for key in own if f" {key} = " not in of_backends]


@needs_man
def test_the_page_of_the_abi_has_all_that_the_header_has(tmp_path):
    """Facts and what is said of them, events, functions and types, each as the header has it."""
    text = shown(page_of("weir-plugin.7"), tmp_path)
    public = ""
    for header, next_title in zip(ABI_HEADERS, ("/* ---- What a plugin calls", "/* ---- Calls of the store")):
        before, _, rest = header.read_text().partition("/* ---- The line between host and plugin")
        public += before + rest[rest.index(next_title):]
    events = re.findall(r"X\((WEIR_\w+),", public)
    facts = re.findall(r"X\(([a-z]\w*), \d+,", public)
    functions = set(re.findall(r"^static inline [\w *]*?(weir_\w+)\(", public, re.MULTILINE)) - {"weir_"}
    types = re.findall(r"^} (weir_\w+);", public, re.MULTILINE)
    assert len(events) > 20 and len(facts) > 60 and len(functions) > 30 and len(types) > 8
    missing = [f"weir_{name}(session)" for name in facts if f"weir_{name}(session)" not in text]
    missing += [name for name in [*events, *types] if name not in text]
    missing += [name for name in functions if not re.search(rf"\b{name}\(", text)]
    assert not missing
    for said in ("weir_user(session) user name as sent by the client",
                 "PreAuth the client has said who it wants to be",
                 "WEIR_STORE_DIFFERS put: the key has another revision",
                 "size_t weir_client_address(const weir_session *session, uint8_t bytes[16]); The client's address as bytes"):
        assert said in text
    assert "weir_host_functions" not in text and "X(" not in text.replace("TEXT_FACTS(X", "").replace("(X)", "")


@needs_man
def test_the_map_names_all_programs_plugins_and_documents_that_are_there(tmp_path):
    text = shown(page_of("weir.7"), tmp_path)
    plugins = {path.parent.name for path in (ROOT / "plugin").glob("*/manifest.toml")}
    trace = {"simple_trace", "test_trace", "weir_trace"}
    missing = [name for name in [*PROGRAMS, *plugins, *trace] if name not in text]
    assert not missing
    assert not [name for name in re.findall(r"[\w-]+\.md", text) if not (ROOT / "docs" / name).exists()]
