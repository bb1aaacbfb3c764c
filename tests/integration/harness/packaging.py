# SPDX-License-Identifier: Apache-2.0
"""Building what the tests load and run: plugins with pluginpkg, client programs with the C compiler."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from .paths import BUILD, INTEGRATION, PLUGINPKG, ROOT, WEIR_SERVER


def sanitized():
    """What plugins are compiled with so that AddressSanitizer sees them too, where weir-server is built with it."""
    if b"__asan_init" not in WEIR_SERVER.read_bytes():
        return {}
    return {"CFLAGS": "-g -O1 -fsanitize=address -fno-omit-frame-pointer", "LDFLAGS": "-fsanitize=address"}


def packaged_by_make(folder):
    """The shared object that "make plugins" has left in a plugin's folder, when nothing that it is made of is newer."""
    made = list(pathlib.Path(folder).glob("*.so"))
    if len(made) != 1 or PLUGINPKG.parent != ROOT / "bin":
        return None
    sources = [path for place in (pathlib.Path(folder), ROOT / "src", ROOT / "include", PLUGINPKG.parent)
               for path in place.rglob("*") if path.is_file() and path.suffix != ".so"]
    return made[0] if max(path.stat().st_mtime for path in sources) < made[0].stat().st_mtime else None


def package(folder, into, **environment):
    """Runs pluginpkg on a plugin's folder, unless that has been done. Returns the path of the shared object."""
    into = pathlib.Path(into)
    into.mkdir(parents=True, exist_ok=True)
    made = None if environment or sanitized() else packaged_by_make(folder)
    if made:
        # Put in place whole: somebody else's gateway may have the one that is there loaded.
        with tempfile.TemporaryDirectory(dir=into) as whole:
            return pathlib.Path(shutil.copy(made, whole)).replace(into / made.name)
    before = set(into.glob("*.so"))
    done = subprocess.run([PLUGINPKG, "-pkg-dir", folder, "-out-dir", into], capture_output=True, text=True,
                          env={**os.environ, **sanitized(), **environment})
    assert done.returncode == 0, f"pluginpkg of {folder}: {done.stderr}{done.stdout}"
    made = sorted(set(into.glob("*.so")) - before) or sorted(into.glob(f"{pathlib.Path(folder).name}-*.so"))
    assert len(made) == 1, f"pluginpkg of {folder} left {made}"
    return made[0]


def build_client(name):
    """Compiles clients/NAME.c against Connector/C, when it is newer than the program. Returns the program."""
    sources = [INTEGRATION / "clients" / f"{name}.c", INTEGRATION / "clients" / "client.h"]
    program = BUILD / "clients" / name
    if program.exists() and all(program.stat().st_mtime > source.stat().st_mtime for source in sources):
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmariadb"], check=True, capture_output=True,
                           text=True).stdout.split()
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror",
                    "-o", program, sources[0], *flags], check=True)
    return program
