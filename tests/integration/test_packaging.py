# SPDX-License-Identifier: Apache-2.0
"""What the packages bring beside the programs: the service's unit, completion, the configuration file."""
import re
import shutil
import subprocess

import pytest
from harness.paths import ROOT, WEIR_SERVER

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
    assert options - set(re.findall(r"^#([a-z-]+) = ", sample, re.MULTILINE)) == {"config", "check", "help", "manual", "sample", "version"}
    file = tmp_path / "weir.toml"
    file.write_text(uncommented(sample))
    assert file.read_text().count("\n#") < sample.count("\n#")
    done = subprocess.run([WEIR_SERVER, "-config", file, "-version"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout.startswith("weir-server "), done.stderr
