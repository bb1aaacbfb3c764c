# SPDX-License-Identifier: Apache-2.0
"""Where things are: the tree, the programs under test, the build folder for what the tests compile."""
import os
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[3]
INTEGRATION = ROOT / "tests" / "integration"
NODE = ROOT / "tests" / "node"
BUILD = ROOT / "build" / "integration"

# WEIR_BIN names another build's folder of programs, such as the one with AddressSanitizer.
BIN = pathlib.Path(os.environ.get("WEIR_BIN", ROOT / "bin")).resolve()
WEIR_SERVER = BIN / "weir-server"
PLUGINPKG = BIN / "pluginpkg"

# The plugins that the tests package, by the build whose pluginpkg makes them: one of a sanitizer's does not fit another.
PACKAGED = BUILD / "plugins" / ("release" if BIN == ROOT / "bin" else BIN.parent.name)

# Runs every case against the database alone, twice: proves the cases and the harness without a gateway.
DIRECT_ONLY = os.environ.get("WEIR_TEST_DIRECT_ONLY") == "1"

# A program that is not a sanitizer's cannot load a plugin that is: clients get those of the ordinary build then.
SANITIZED = WEIR_SERVER.exists() and any(word in WEIR_SERVER.read_bytes() for word in (b"__asan_init", b"__tsan_init"))
CLIENT_LIB = (ROOT if SANITIZED else BIN.parent) / "lib"
CLIENT_TRACE_PLUGINS = CLIENT_LIB / "weir" / "plugin"
TRACE_PLUGINS = BIN.parent / "lib" / "weir" / "plugin"


def program(name):
    """The path of a program of the system, which must be there: tools/bootstrap.sh test installs it."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise FileNotFoundError(f"{name} is not installed: run tools/bootstrap.sh test")
    return found


def mariadb_plugin_dir():
    """The folder with the server's ed25519 plugin: Debian's, or where tools/bootstrap.sh has put it."""
    for folder in ("/usr/lib/mysql/plugin", ROOT / "build/debian/usr/lib/mysql/plugin"):
        if (pathlib.Path(folder) / "auth_ed25519.so").exists():
            return pathlib.Path(folder)
    raise FileNotFoundError("auth_ed25519.so is missing: run tools/bootstrap.sh test")
