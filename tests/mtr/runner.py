# SPDX-License-Identifier: Apache-2.0
"""Where the runner of MariaDB's test files is ($WEIR_TRUTH/mtr/run.py, which is not ours), and what it needs. It keeps its
state in globals, so a process has one; loaded as a module it has servers in a place of our own, and several can run at once."""
import importlib.util
import os
import pathlib
import pwd
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("WEIR_TRUTH", ROOT.parent / "shared")) / "mtr"
# tools/bootstrap.sh puts mariadb-test here: its package would bring a system service along.
UNPACKED = ROOT / "build" / "debian" / "usr" / "bin"
TEST_DATA = pathlib.Path("/usr/share/mysql/mysql-test")


def why_not():
    """Why the files cannot be run here at all; None when they can."""
    if not (SHARED / "run.py").exists():
        return f"{SHARED} is not there"
    if os.geteuid() != 0:
        return "the servers run as the account mysql, which only root can start"
    return None


def missing():
    """What tools/bootstrap.sh should have brought and has not."""
    search_programs()
    found = [name for name in ("mariadb-test", "mariadbd", "mariadb-install-db", "mariadb") if not shutil.which(name)]
    if not (TEST_DATA / "main").exists():
        found.append(str(TEST_DATA))
    try:
        pwd.getpwnam("mysql")
    except KeyError:
        found.append("the account mysql")
    return found


def search_programs():
    path = os.environ["PATH"].split(":")
    os.environ["PATH"] = ":".join([*path, *(p for p in ("/usr/sbin", "/sbin", str(UNPACKED)) if p not in path)])


def load(folder, direct_port):
    """The runner as a module, with its servers in `folder` (on tmpfs), which is there, and on `direct_port`. Their temporary
    files are in a folder of their own: each server that starts removes those that it finds, another's too."""
    search_programs()
    temporary = pathlib.Path(folder) / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)
    os.environ |= {"DIRECT_PORT": str(direct_port), "TMPDIR": str(temporary)}
    spec = importlib.util.spec_from_file_location("mtr_run", SHARED / "run.py")
    module = importlib.util.module_from_spec(spec)
    arguments, sys.argv = sys.argv, ["run.py", "nothing", "-"]  # it reads its arguments as it is loaded
    try:
        spec.loader.exec_module(module)
    finally:
        sys.argv = arguments
    module.D = str(folder)
    return module
