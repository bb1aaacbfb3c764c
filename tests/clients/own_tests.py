# SPDX-License-Identifier: Apache-2.0
"""The clients' own test suites, from their sources as Debian or their registry has them: each test and how it ended."""
import os
import pathlib
import re
import shutil
import subprocess

import get
from harness.endpoint import DATABASE, PASSWORD, USER


# Of Go's driver: connects to an address in the Internet.
BEYOND = ("TestConnectorReturnsTimeout",)


def _go_tests(place, endpoint, go, folder, environment):
    """The names and ends of all tests: the suite's own account has to be able to do everything."""
    environment = {"MYSQL_TEST_USER": USER, "MYSQL_TEST_PASS": PASSWORD, "MYSQL_TEST_PROT": "tcp", "MYSQL_TEST_DBNAME": DATABASE,
                   "MYSQL_TEST_ADDR": f"{endpoint.host}:{endpoint.port}", **environment}
    program = get.INTO / f"{folder.name}.test"
    if not program.exists():
        get.run(go, "test", "-c", "-o", program, ".", cwd=folder, env={**os.environ, **environment})
    listed = get.run(program, "-test.list", "^Test", cwd=folder).split()
    wanted = "|".join(f"^{name}$" for name in listed if name not in BEYOND)
    done = endpoint.run(program, "-test.v", "-test.timeout=500s", f"-test.run={wanted}", check=False, timeout=520, **environment)
    ends = re.findall(r"^ *--- (PASS|FAIL|SKIP): (\S+)", done.stdout, re.MULTILINE)
    told = [f"{name} {end}" for end, name in sorted(ends, key=lambda entry: entry[1])]
    panics = re.findall(r"^panic: .*", done.stdout + done.stderr, re.MULTILINE)
    return told + panics + [f"{len(ends)} tests, status {done.returncode}"]


def go_of_debian(place, endpoint):
    """Debian's package has the tests too; a copy, since a GOPATH's packages are tested where they are."""
    top = get.INTO / "go-tests"
    folder = top / "src" / "github.com" / "go-sql-driver" / "mysql"
    if not folder.exists():
        shutil.copytree("/usr/share/gocode/src/github.com/go-sql-driver/mysql", folder)
        # The program's name is made from the folder's.
    return _go_tests(place, endpoint, "/usr/lib/go/bin/go", folder, {"GOPATH": f"{top}:/usr/share/gocode", "GO111MODULE": "off",
                                                                      "GOTOOLCHAIN": "local"})


def go_version():
    return get.run("go", "list", "-m", "-f", "{{.Version}}", "github.com/go-sql-driver/mysql", cwd=get.from_go_modules()).strip()


def go_newest(place, endpoint):
    place_of_it = get.run("go", "list", "-m", "-f", "{{.Dir}}", "github.com/go-sql-driver/mysql", cwd=get.from_go_modules()).strip()
    folder = get.INTO / "go-newest-tests"
    if not folder.exists():
        shutil.copytree(place_of_it, folder, copy_function=shutil.copy)
        get.run("chmod", "-R", "u+w", folder)
    return _go_tests(place, endpoint, "go", folder, {})


def _prove(output):
    """The tests of TAP files: names of files, their results and their counts."""
    lines = re.findall(r"^(t/\S+) \.+ (.*)$", output, re.MULTILINE)
    return [f"{name} {re.sub(r' *[0-9]+ wallclock.*', '', end)}" for name, end in sorted(lines)]


def dbd_mariadb(place, endpoint):
    """Its tests find the server in t/MariaDB.mtest, which its Makefile.PL writes; the installed module is tested."""
    folder, _ = get.source_of_debian("libdbd-mariadb-perl")
    settings = {"dsn": f"DBI:MariaDB:database={DATABASE};host={endpoint.host};port={endpoint.port}", "user": USER, "password": PASSWORD,
                "host": endpoint.host, "port": str(endpoint.port), "db": DATABASE}
    (folder / "t" / "MariaDB.mtest").write_text("".join(f"$::test_{name} = '{value}';\n" for name, value in settings.items()) + "1;\n")
    tests = sorted(str(path.relative_to(folder)) for path in (folder / "t").glob("*.t"))
    try:
        done = subprocess.run(["prove", "-m", *tests], cwd=folder, capture_output=True, text=True, timeout=580, stdin=subprocess.DEVNULL,
                              env={**os.environ, "PERL_USE_UNSAFE_INC": "1", "CONNECTION_TESTING": "1", "AUTOMATED_TESTING": "1"})
    except subprocess.TimeoutExpired as expired:
        return [*_prove(expired.stdout.decode(errors="replace")), "did not end"]
    failed = re.findall(r"^ *#   Failed test .*", done.stdout, re.MULTILINE)
    return [*_prove(done.stdout), *(line.strip() for line in failed), f"status {done.returncode}"]


def connector_c_version():
    return get.source_of_debian("mariadb")[1]


def _build_connector_c():
    """libmariadb of the server's source with its tests, built on its own."""
    source, _ = get.source_of_debian("mariadb")
    build = get.INTO / "connector-c"
    if not (build / "built").exists():
        shutil.rmtree(build, ignore_errors=True)
        get.run("cmake", "-G", "Ninja", "-S", source / "libmariadb", "-B", build, "-DWITH_UNIT_TESTS=ON", "-DWITH_CURL=OFF",
                "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS=-w -g0 -Wno-error", "-DWITH_EXTERNAL_ZLIB=ON",
                "-DCLIENT_PLUGIN_DIALOG=STATIC", "-DCLIENT_PLUGIN_AUTH_GSSAPI_CLIENT=OFF", "-DCLIENT_PLUGIN_CLIENT_ED25519=STATIC")
        get.run("nice", "ninja", "-C", build)
        (build / "built").touch()
    return build


def connector_c(place, endpoint):
    build = _build_connector_c()
    folder = build / "unittest" / "libmariadb"
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and os.access(path, os.X_OK) and path.suffix == "")
    said = []
    for name in names:
        try:
            done = endpoint.run("env", "-C", folder, folder / name, check=False, timeout=150, MYSQL_TEST_HOST=endpoint.host,
                                MYSQL_TEST_USER=USER, MYSQL_TEST_PASSWD=PASSWORD, MYSQL_TEST_DB=DATABASE,
                                MYSQL_TEST_PORT=str(endpoint.port), MYSQL_TEST_SOCKET="", MYSQL_TEST_TTY="0",
                                MARIADB_CC_TEST="1", MYSQL_TEST_PLUGINDIR=str(pathlib.Path("/usr/lib/x86_64-linux-gnu/libmariadb3/plugin")))
        except subprocess.TimeoutExpired:
            said.append(f"{name} did not end")
            continue
        ends = re.findall(r"^((?:not )?ok) \d+ (?:- )?(\S+)( # ?(?:SKIP|skip).*)?$", done.stdout, re.MULTILINE)
        said += [f"{name}: {test} {'skipped' if skipped else end}" for end, test, skipped in ends]
        said.append(f"{name}: {len(ends)} tests, status {done.returncode}")
    return said
