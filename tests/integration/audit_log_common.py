# SPDX-License-Identifier: Apache-2.0
"""What the tests of audit_log share: a gateway with the plugin, its log as records, and weir-audit."""
import functools
import json
import pathlib
import subprocess

from harness.packaging import package
from harness.paths import BIN, PACKAGED, ROOT
from harness.waiting import wait_for

WEIR_AUDIT = BIN / "weir-audit"


@functools.cache
def packaged():
    package(ROOT / "plugin" / "audit_log", PACKAGED)
    return "audit_log-1"


def toml(value):
    return json.dumps(value)  # strings, numbers and booleans are spelled alike in both


class AuditedGateway:
    """A gateway with audit_log: settings are those of [plugin.audit_log]; tables: what else stands in the configuration
    file."""

    def __init__(self, make, backend, folder, plugins=(), settings=None, tables="", options=(), **more):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {"file": str(self.folder / "audit.log"), "filter_file": str(self.folder / "filters.json"),
                    **(settings or {})}
        self.path = pathlib.Path(settings["file"])
        config = self.folder / "weir.toml"
        config.write_text("[plugin.audit_log]\n" + "".join(f"{name} = {toml(value)}\n" for name, value in settings.items())
                          + tables)
        self.server = make(backend, plugins=[*plugins, packaged()], options=["-config", str(config), *options], **more)
        self.endpoint = self.server.endpoint

    def records(self, path=None):
        """The whole lines of the log, parsed."""
        path = path or self.path
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]

    def wait_for(self, condition, what="a record", path=None):
        return wait_for(lambda: next((record for record in self.records(path) if condition(record)), None), what)

    def ended(self, connection_id, path=None):
        """The records of a session once its end is there."""
        self.wait_for(lambda r: r.get("connection_id") == connection_id and r["event"] in ("Disconnect", "Reject"),
                      f"the end of {connection_id}", path)
        return [r for r in self.records(path) if r.get("connection_id") == connection_id]

    def rotated(self):
        """The rotated files, oldest first."""
        return sorted(self.path.parent.glob(self.path.name + ".2*Z*"))


def statements(records, event="Completed"):
    return [r for r in records if r["class"] == "general" and r["event"] == event]


def weir_audit(*arguments, check=True, **options):
    done = subprocess.run([WEIR_AUDIT, *map(str, arguments)], capture_output=True, text=True, timeout=60, **options)
    if check:
        assert done.returncode == 0, f"weir-audit {arguments}: {done.stderr}{done.stdout}"
    return done
