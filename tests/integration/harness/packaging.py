# SPDX-License-Identifier: Apache-2.0
"""Building what the tests load and run: plugins with pluginpkg, client programs with the C compiler."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from .exclusive import alone
from .paths import BUILD, INTEGRATION, PLUGINPKG, ROOT, WEIR_SERVER


def sanitized():
    """What plugins are compiled with so that the sanitizer sees them too that weir-server is built with. Their atomics say who waits
    for whom: where ThreadSanitizer does not see these it reports races that are none."""
    program = WEIR_SERVER.read_bytes()
    for mark, name in ((b"__asan_init", "address"), (b"__tsan_init", "thread")):
        if mark in program:
            return {"CFLAGS": f"-g -O1 -fsanitize={name} -fno-omit-frame-pointer", "LDFLAGS": f"-fsanitize={name}"}
    return {}


def fits(made, folder):
    """Whether nothing that a plugin is made of is newer than this shared object of it."""
    sources = [path for place in (pathlib.Path(folder), ROOT / "src", ROOT / "include", PLUGINPKG.parent)
               for path in place.rglob("*") if path.is_file() and path.suffix != ".so"]
    return max(path.stat().st_mtime for path in sources) < made.stat().st_mtime


def only(found):
    """The one path that there is, or None."""
    paths = list(found)
    return paths[0] if len(paths) == 1 else None


def package(folder, into, **environment):
    """Runs pluginpkg on a plugin's folder, unless that has been done, by whomever. Returns the path of the shared object."""
    folder, into = pathlib.Path(folder), pathlib.Path(into)
    pattern = f"{folder.name}-*.so"
    with alone(into):
        there = None if environment else only(into.glob(pattern))
        if there and fits(there, folder):
            return there
        made = None if environment or sanitized() or PLUGINPKG.parent != ROOT / "bin" else only(folder.glob("*.so"))
        if made and fits(made, folder):  # "make plugins" has left it
            # Put in place whole: somebody else's gateway may have the one that is there loaded.
            with tempfile.TemporaryDirectory(dir=into) as whole:
                return pathlib.Path(shutil.copy(made, whole)).replace(into / made.name)
        before = set(into.glob(pattern))
        done = subprocess.run([PLUGINPKG, "-pkg-dir", folder, "-out-dir", into], capture_output=True, text=True,
                              env={**os.environ, **sanitized(), **environment})
        assert done.returncode == 0, f"pluginpkg of {folder}: {done.stderr}{done.stdout}"
        made = sorted(set(into.glob(pattern)) - before) or sorted(into.glob(pattern))
        assert len(made) == 1, f"pluginpkg of {folder} left {made}"
        return made[0]


def build_client(name):
    """Compiles clients/NAME.c against Connector/C, when it is newer than the program. Returns the program."""
    sources = [INTEGRATION / "clients" / f"{name}.c", INTEGRATION / "clients" / "client.h"]
    program = BUILD / "clients" / name
    with alone(program.parent):
        if program.exists() and all(program.stat().st_mtime > source.stat().st_mtime for source in sources):
            return program
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmariadb"], check=True, capture_output=True,
                               text=True).stdout.split()
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror",
                        "-o", program, sources[0], *flags], check=True)
        return program
