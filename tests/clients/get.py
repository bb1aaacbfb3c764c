# SPDX-License-Identifier: Apache-2.0
"""Getting clients: Debian's are installed by tools/bootstrap.sh, the others come from their registries into build/clients. What
cannot be had is skipped, with the reason."""
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess

from place import ROOT

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
INTO = ROOT / "build" / "clients"


class Skipped(Exception):
    """A client that is not run, and why."""


def run(*command, timeout=1800, **options):
    """A command of a registry's client; it fails with the last thing that it said."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout, **options)
    except FileNotFoundError:
        raise Skipped(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Skipped(f"{command[0]} did not end within {timeout} s") from None
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise Skipped(f"{pathlib.Path(str(command[0])).name} failed: {said[-1][:200] if said else done.returncode}")
    return done.stdout


def debian_version(package):
    """The version of an installed package."""
    try:
        return run("dpkg-query", "-W", "-f=${Version}", package)
    except Skipped:
        raise Skipped(f"Debian's package {package} is not installed") from None


def once(name, *sources):
    """Decorates a function that fills build/clients/NAME: it is called when the files that it is made from have changed."""
    def decorate(function):
        @functools.cache
        def made():
            folder = INTO / name
            mark = folder / ".made"
            state = hashlib.sha256(b"".join((PROGRAMS / source).read_bytes() for source in sources)
                                   + function.__code__.co_code + repr(function.__code__.co_consts).encode()).hexdigest()
            if not mark.exists() or mark.read_text() != state:
                folder.mkdir(parents=True, exist_ok=True)
                function(folder)
                mark.write_text(state)
            return folder
        return made
    return decorate


@once("python", "requirements.txt")
def from_pypi(folder):
    run("/usr/bin/python3", "-m", "venv", "--clear", "--system-site-packages", folder)
    run(folder / "bin" / "pip", "install", "--quiet", "-r", PROGRAMS / "requirements.txt")


@once("node", "package.json")
def from_npm(folder):
    shutil.copy(PROGRAMS / "package.json", folder)
    run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", cwd=folder)


@once("prisma", "package.json", "prisma.prisma")
def prisma_client_made(folder):
    """Its generator insists on an engine for migrations, which comes from a host of its own and is not run for this."""
    schema = from_npm() / "schema.prisma"  # beside the packages that it looks for
    shutil.copy(PROGRAMS / "prisma.prisma", schema)
    run(from_npm() / "node_modules" / ".bin" / "prisma", "generate", "--schema", schema, cwd=from_npm(),
        env={**os.environ, "PRISMA_SCHEMA_ENGINE_BINARY": "/bin/true", "PRISMA_HIDE_UPDATE_MESSAGE": "1"})


def prisma_client():
    """It generates into the package that is required."""
    prisma_client_made()
    return from_npm() / "node_modules"


@once("rust", "rust/Cargo.toml", "rust/src/lib.rs", "rust/src/bin/sqlx.rs", "rust/src/bin/mysql_async.rs")
def from_crates(folder):
    run("cargo", "build", cwd=PROGRAMS / "rust", env={**os.environ, "CARGO_TARGET_DIR": str(folder)})


@once("go", "go/main.go")
def from_go_modules(folder):
    shutil.copy(PROGRAMS / "go" / "main.go", folder)
    (folder / "go.mod").unlink(missing_ok=True)
    run("go", "mod", "init", "clients", cwd=folder)
    run("go", "get", "github.com/go-sql-driver/mysql@latest", cwd=folder)
    run("go", "build", "-o", "client", ".", cwd=folder)


@once("go-debian", "go/main.go")
def go_of_debian(folder):
    """Debian's packages of Go's libraries are a GOPATH."""
    place = folder / "src" / "client"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(PROGRAMS / "go" / "main.go", place)
    run("/usr/lib/go/bin/go", "build", "-o", folder / "client", "client",
        env={**os.environ, "GOPATH": f"{folder}:/usr/share/gocode", "GO111MODULE": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local"})


def from_maven(group, artifact, version):
    jar = INTO / "java" / f"{artifact}-{version}.jar"
    if not jar.exists():
        run("mvn", "-q", "-B", "dependency:copy", f"-Dartifact={group}:{artifact}:{version}", f"-DoutputDirectory={jar.parent}",
            "-Dmdep.useBaseVersion=true")
    return jar


def java_classes():
    """The JDBC program, compiled: it names nothing of a driver."""
    folder = INTO / "java" / "classes"
    if not (folder / "ConnectorJ.class").exists() or (folder / "ConnectorJ.class").stat().st_mtime < (PROGRAMS / "ConnectorJ.java").stat().st_mtime:
        run("javac", "-encoding", "UTF-8", "-d", folder, PROGRAMS / "ConnectorJ.java")
    return folder


def source_of_debian(package, version=None):
    """The upstream's archive of a source package, unpacked: apt-get source with lists of its own, so that the system's configuration
    stays as it is."""
    folder = INTO / "sources" / package
    mark = folder / ".made"
    if not mark.exists():
        shutil.rmtree(folder, ignore_errors=True)
        lists = INTO / "sources" / "lists"
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        sources = INTO / "sources" / "sources.list"
        keys = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
        sources.write_text(f"deb-src {keys} http://deb.debian.org/debian bookworm main\n"
                           f"deb-src {keys} http://deb.debian.org/debian-security bookworm-security main\n")
        options = ["-qq", "-o", f"Dir::Etc::sourcelist={sources}", "-o", "Dir::Etc::sourceparts=-", "-o", f"Dir::State::lists={lists}",
                   "-o", "APT::Sandbox::User=root"]
        run("apt-get", *options, "update")
        folder.mkdir(parents=True)
        known = run("apt-cache", *options[1:], "showsrc", package)
        versions = [line.split()[1] for line in known.splitlines() if line.startswith("Version:")]
        for version in sorted(set(versions), reverse=True):
            try:
                run("apt-get", *options, "source", "--download-only", "--tar-only", f"{package}={version}", cwd=folder)
                break
            except Skipped as reason:
                last = reason
        archives = [path for path in folder.glob("*.orig.tar.*") if path.suffix != ".asc"]
        if not archives:
            raise last
        run("tar", "xf", archives[0], "--strip-components=1", cwd=folder)
        archives[0].unlink()
        mark.write_text(version)
    return folder, mark.read_text()


def c_program(name):
    """A program of Connector/C."""
    source, made = PROGRAMS / f"{name}.c", INTO / name
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        INTO.mkdir(parents=True, exist_ok=True)
        flags = run("pkg-config", "--cflags", "--libs", "libmariadb").split()
        run("cc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o", made, source, *flags, "-lpthread")
    return made
