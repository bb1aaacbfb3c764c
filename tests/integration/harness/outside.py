# SPDX-License-Identifier: Apache-2.0
"""WEIR_TEST_OUTSIDE names a file that says where a database and a gateway run that somebody else has started and goes on
using (tests/soak): the cases that need no more than these run against them, the others are left out."""
import json
import os
import pathlib
import types

from .endpoint import Endpoint
from .mariadb import MariaDB

OUTSIDE = os.environ.get("WEIR_TEST_OUTSIDE")

# Fixtures of cases that see more of a gateway than its clients do, or start servers.
OWN = {"events", "gateway", "other_database", "audited", "settings_server"}


def announce(path, database, gateway):
    """Writes that file."""
    pathlib.Path(path).write_text(json.dumps({
        "database": {"host": database.host, "port": database.port, "socket": database.socket},
        "gateway": {"host": gateway.host, "port": gateway.port, "socket": gateway.socket, "pid": gateway.process.pid}}))


def _announced():
    return json.loads(pathlib.Path(OUTSIDE).read_text())


class OutsideDatabase(MariaDB):
    """The administrator's way to it; it is neither started nor stopped here."""

    def __init__(self):
        self.process = None
        self.__dict__.update(_announced()["database"])


def outside_gateway():
    """As much of a Gateway as cases and fixtures ask of the shared one."""
    said = _announced()["gateway"]
    alive = types.SimpleNamespace(pid=said["pid"], alive=lambda: os.path.exists(f"/proc/{said['pid']}"))
    return types.SimpleNamespace(endpoint=Endpoint("weir", said["host"], said["port"], said["socket"]), process=alive)


def needs_its_own(item):
    """Whether a case looks at more of the gateway than a client can see, or starts a server of its own."""
    return bool(OWN & set(item.fixturenames)) or "shared_gateway" in item.function.__code__.co_varnames
