#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions that audit_log costs for one statement, under callgrind: the same on every machine, and undisturbed by what
else runs there.

    bench/audit/instructions.py [--statements 2000] [--pass worker ...] [--keep FOLDER] [setting=value ...]

`bare` and `worker` are all that the thread that serves the session does, without a plugin and with audit_log; `measured` and
`worker-measured` the same with a status port. `callback` is all that happens within OnGeneralEvent on the thread that serves the session: the host's facts (digest, tables),
the record, the queue. `worker` is that thread as a whole: the protocol, the events, the callback. `writer` is the journal's thread, without the kernel's part. Settings are those of [plugin.audit_log]."""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from audit_log_common import packaged, toml  # noqa: E402
from harness import accounts  # noqa: E402
from harness.endpoint import Endpoint  # noqa: E402
from harness.gateway import Gateway  # noqa: E402
from harness.mariadb import MariaDB  # noqa: E402
from harness.paths import PACKAGED, program  # noqa: E402
from harness.sysbench import sysbench  # noqa: E402

# title: the function, whether audit_log is loaded, and whether there is a status port, for which durations are measured
PASSES = {"bare": ("serve*", False, False), "measured": ("serve*", False, True), "worker": ("serve*", True, False),
          "worker-measured": ("serve*", True, True), "callback": ("OnGeneralEvent", True, False), "writer": ("run_journal", True, False)}


def measure(folder, database, function, with_plugin, with_status, statements, settings):
    """Instructions within `function` for each statement."""
    folder.mkdir()
    config, output = folder / "weir.toml", folder / "callgrind.out"
    config.write_text("[plugin.audit_log]\n" + f'file = "{folder}/audit.log"\n'
                      + "".join(f"{name} = {toml(value)}\n" for name, value in settings.items()) if with_plugin else "")
    prefix = [program("valgrind"), "--tool=callgrind", "--collect-atstart=no", f"--toggle-collect={function}",
              f"--callgrind-out-file={output}"]
    gateway = Gateway(folder, f"tcp://{database.host}:{database.port}", PACKAGED, plugins=[packaged()] if with_plugin else [],
                      options=["-config", str(config), "-workers", "1"], prefix=prefix, status=with_status).start()
    try:
        sysbench(Endpoint("weir", gateway.host, gateway.port, gateway.socket), "oltp_point_select", "run", threads=1,
                 events=statements, time=0, table_size=1000, db_ps_mode="disable")
    finally:
        gateway.stop()
    return int(re.search(r"^(?:summary|totals):\s+(\d+)", output.read_text(), re.MULTILINE).group(1)) / statements, output


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=2000)
    parser.add_argument("--keep", help="a folder for callgrind's files, for callgrind_annotate")
    parser.add_argument("--pass", dest="passes", action="append", choices=PASSES, help="what to measure; default: all")
    parser.add_argument("settings", nargs="*")
    options = parser.parse_args()
    settings = dict(setting.split("=", 1) for setting in options.settings)
    with tempfile.TemporaryDirectory() as name:
        database = MariaDB(pathlib.Path(name)).start()
        try:
            database.execute(*accounts.STATEMENTS, "CREATE DATABASE sbtest")
            sysbench(Endpoint("mariadb", database.host, database.port, database.socket), "oltp_point_select", "prepare",
                     table_size=1000)
            for title in options.passes or PASSES:
                count, output = measure(pathlib.Path(name) / title, database, *PASSES[title], options.statements,
                                        settings)
                print(f"{title:<10} {count:8.0f} instructions a statement")
                if options.keep:
                    subprocess.run(["cp", output, pathlib.Path(options.keep) / f"{title}.out"], check=True)
        finally:
            database.process.kill()


if __name__ == "__main__":
    main()
