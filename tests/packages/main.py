# SPDX-License-Identifier: Apache-2.0
"""The packages of build/deb in a clean Debian 12: installed, started, used as docs/operations.md and README.md say, removed,
purged (steps.sh). Needs root, debootstrap and, for the first run, a mirror of Debian; says so where they are missing, and fails
there only with --insist.

    tests/packages/main.py [--insist] [--mirror URL]

The clean system, with what apt has to install in it as files, is made once, in build/packages/base, with the network. Each
run gets a layer over it, and neither a network nor anybody else's processes."""
import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "integration"))
from harness.documents import blocks, commands  # noqa: E402

DOCUMENT = "docs/operations.md"
WORK = ROOT / "build" / "packages"
BASE, STAMP = WORK / "base", WORK / "base.stamp"
SUITE = "bookworm"
# What steps.sh installs beside weir, from Debian.
NEEDED = "mariadb-server mariadb-client curl openssl logrotate prometheus man-db".split()
CLEAN = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


def missing():
    """Why this cannot run here; empty: it can."""
    if os.geteuid() != 0:
        return "only root can make a chroot"
    for program in ("debootstrap", "unshare", "ip"):
        if not shutil.which(program):
            return f"{program} is not installed"
    done = subprocess.run(["unshare", "-m", "-p", "-n", "-f", "true"], capture_output=True, text=True)
    return f"namespaces cannot be made: {done.stderr.strip()}" if done.returncode else ""


def unanswered(mirror):
    """Why there is no clean Debian to be had from there; empty: there is."""
    try:
        urllib.request.urlopen(f"{mirror}/dists/{SUITE}/InRelease", timeout=20).close()
    except (OSError, ValueError) as error:
        return f"{mirror} does not answer: {error}"
    return ""


def run(words, **more):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"packages: {' '.join(map(str, words))}: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def packages():
    found = sorted((ROOT / "build" / "deb").glob("*.deb"))
    if not found:
        sys.exit("packages: build/deb is empty; make deb fills it")
    return found


def stamp(debs, mirror):
    """What the base was made for: these dependencies, from there."""
    depends = [run(["dpkg-deb", "-f", deb, "Depends", "Pre-Depends"]) for deb in debs if "-dbgsym_" not in deb.name]
    return hashlib.sha256(repr((depends, NEEDED, SUITE, mirror)).encode()).hexdigest()


def has_base(debs, mirror):
    return STAMP.exists() and STAMP.read_text() == stamp(debs, mirror)


def make_base(debs, mirror):
    print("packages: making a clean Debian in build/packages/base", flush=True)
    STAMP.unlink(missing_ok=True)
    shutil.rmtree(BASE, ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    run(["debootstrap", "--variant=minbase", SUITE, BASE, mirror])
    shutil.copy("/etc/resolv.conf", BASE / "etc/resolv.conf")
    (BASE / "packages").mkdir()
    for deb in debs:
        shutil.copy(deb, BASE / "packages")
    named = [f"/packages/{deb.name}" for deb in debs if "-dbgsym_" not in deb.name]
    run(["chroot", BASE, "apt-get", "-q", "update"], env=CLEAN)
    run(["chroot", BASE, "apt-get", "-q", "-y", "--no-install-recommends", "--download-only", "install", *NEEDED, *named], env=CLEAN)
    shutil.rmtree(BASE / "packages")
    STAMP.write_text(stamp(debs, mirror))


def script_of(document):
    """The document's marked blocks as a script; set -e is with who runs it, and does not see a command with a !."""
    lines = ["set -x"]
    for mark, path, language, text in blocks(document):
        if path:
            lines += [f"cat >{path} <<'END_OF_FILE'", text.rstrip("\n"), "END_OF_FILE"]
        else:
            assert mark == "tested" and language == "console", f"{document}: {mark} {language}"
            for command in commands(text):
                denied = command.startswith("! ")
                lines.append(f"if {command[2:]}; then echo 'this must fail'; exit 1; fi" if denied else command)
    return "\n".join(lines) + "\n"


def layer(debs):
    """A fresh layer, with the packages and the steps in it."""
    for name in ("upper", "work", "root"):
        shutil.rmtree(WORK / name, ignore_errors=True)
        (WORK / name).mkdir()
    inside = WORK / "upper" / "packages"
    inside.mkdir()
    for file in [*debs, HERE / "steps.sh", HERE / "systemctl"]:
        shutil.copy(file, inside)
    (inside / "operations.sh").write_text(script_of(DOCUMENT))


# The namespaces end with their first process, and with them all that was started and mounted.
ENTER = """set -e
mount -t overlay overlay -o "lowerdir=$1/base,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
ip link set lo up
exec chroot "$1/root" bash /packages/steps.sh"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--insist", action="store_true", help="fail where it cannot run")
    parser.add_argument("--mirror", default="http://deb.debian.org/debian")
    options = parser.parse_args()
    reason = missing()
    if not reason:
        debs = packages()
        if not has_base(debs, options.mirror):
            reason = unanswered(options.mirror)
            if not reason:
                make_base(debs, options.mirror)
    if reason:
        print(f"skipped: the packages in a clean Debian: {reason}")
        return 1 if options.insist else 0
    layer(debs)
    done = subprocess.run(["unshare", "-m", "-p", "-n", "-f", "--kill-child", "bash", "-c", ENTER, "bash", WORK], env=CLEAN, timeout=900)
    for name in ("upper", "work"):
        if done.returncode == 0:
            shutil.rmtree(WORK / name)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
