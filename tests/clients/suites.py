# SPDX-License-Identifier: Apache-2.0
"""What is more than a driver's program: the clients' own test suites, tools, and servers that are clients (tests/clients/README.md).
Each is a function of (place, endpoint) that returns lines, or raises get.Skipped."""
import dataclasses
import typing

import compare
import get
import own_tests
import runner
import servers
import terminal
import tools
from reasons import REASONS


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    what: str                 # what is run, for the table
    version: typing.Callable
    run: typing.Callable      # (place, endpoint) -> lines
    replace: tuple = ()


def debian(package):
    return lambda: get.debian_version(package)


SUITES = [
    Suite("go-sql-driver of Debian", "its own tests", debian("golang-github-go-sql-driver-mysql-dev"), own_tests.go_of_debian),
    Suite("go-sql-driver, newest", "its own tests", own_tests.go_version, own_tests.go_newest),
    Suite("DBD::MariaDB", "its own tests", debian("libdbd-mariadb-perl"), own_tests.dbd_mariadb),
    Suite("Connector/C", "its own tests", own_tests.connector_c_version, own_tests.connector_c),
    Suite("mariadb-dump", "dumps, and loads what it dumped", debian("mariadb-client"), tools.mariadb_dump),
    Suite("mydumper", "dumps, and myloader loads", debian("mydumper"), tools.mydumper),
    Suite("mariadb-import, -check, -show, -slap", "each once", debian("mariadb-client"), tools.small_ones),
    Suite("percona-toolkit", "pt-table-checksum, pt-archiver, pt-duplicate-key-checker, pt-find, pt-show-grants, "
          "pt-online-schema-change, pt-kill, pt-variable-advisor, pt-query-digest, pt-deadlock-logger", debian("percona-toolkit"),
          tools.percona),
    Suite("mariadb shell", "interrupted, killed, reconnecting, at a terminal", debian("mariadb-client-core"), terminal.shell),
    Suite("mariadb-admin", "ping, status, processlist, kill, shutdown", debian("mariadb-client"), terminal.admin),
    Suite("a restart", "of the backend, and of weir, beneath sessions", debian("mariadb-client-core"), terminal.restarts),
    Suite("a replica", "with GTID, parallel, from the beginning and after a pause", debian("mariadb-server-core"), servers.replica),
    Suite("FEDERATED", "a server whose tables are another's", servers.linked_version("federatedx"), servers.linked("federatedx")),
    Suite("Spider", "the same", servers.linked_version("spider"), servers.linked("spider")),
    Suite("CONNECT", "the same, TABLE_TYPE=MYSQL", servers.linked_version("connect"), servers.linked("connect")),
]


def judge(place, suite):
    """A Verdict as of a client, with one feature."""
    verdict = runner.Verdict(suite)
    try:
        verdict.version = suite.version()
        outcomes = []
        for endpoint in place.endpoints():
            place.empty()
            lines = suite.run(place, endpoint)
            outcomes.append(compare.Outcome({"work": compare.normalised(lines, (*runner.general(place, endpoint), *suite.replace))}, ""))
    except get.Skipped as reason:
        verdict.skipped = str(reason)
        return verdict
    except Exception as error:
        verdict.unknown.append(("the suite itself", f"{type(error).__name__}: {error}"[:2000], None))
        return verdict
    differing = compare.differences(*outcomes)
    verdict.outcomes = outcomes
    verdict.features = {"work": "differs" if differing else "equal"}
    verdict.known, verdict.unknown = compare.unexplained(suite.name, differing, REASONS)
    if not place.gateway.process.alive():
        verdict.unknown.append(("weir-server", "runs", f"has ended: {place.gateway.log()[-500:]}"))
    return verdict
