# SPDX-License-Identifier: Apache-2.0
"""A running weir-server, in front of a backend or with its embedded one."""
import os
import pathlib
import shlex
import signal
import socket
import warnings

from .paths import TRACE_PLUGINS, WEIR_SERVER
from .ports import free_port
from .process import ServerProcess, leak_check_gave_up, sanitizer_reports
from .tracing import TRACE_CRASH

# Leaks are reported at the end of the process, with exit status 1 of AddressSanitizer's own.
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
}


def serve_others(connect):
    """Connects several times, so that every worker has done all that it had to do before."""
    for _ in range(8):
        with connect() as connection:
            assert connection.query("SELECT 1")


class Gateway:
    """backend: the value of -backend, or None for the embedded database. status: whether it has a status port,
    status_port. start() returns when it listens."""

    def __init__(self, folder, backend=None, plugin_dir=None, plugins=(), options=(), environment=None,
                 host="127.0.0.1", prefix=(), status=False):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.host, self.port = host, free_port()
        self.socket = str(self.folder / "weir.sock")
        self.environment = {**SANITIZER_OPTIONS, **(environment or {})}
        self.prefix = prefix
        self.arguments = ["-host", host, "-P", self.port, "-socket", self.socket, "-path", self.folder / "data"]
        # Gateways that run beside each other would meet at the usual port.
        self.status_port = free_port() if status else None
        self.arguments += ["-status", self.status_port] if status else ["-report-status=false"]
        if backend:
            self.arguments += ["-backend", backend]
        if plugin_dir:
            self.arguments += ["-plugin-dir", plugin_dir]
        if plugins:
            self.arguments += ["-plugin-load", ",".join(plugins)]
        self.arguments += [*options, *shlex.split(os.environ.get("WEIR_TEST_OPTIONS", ""))]
        if TRACE_CRASH and "-trace-plugin" not in options:
            self.arguments += ["-trace-plugin", TRACE_PLUGINS / "test_trace.so"]
        self.process = None

    def launch(self):
        """Starts the program and does not wait."""
        self.process = ServerProcess("weir-server", [WEIR_SERVER, *self.arguments], self.folder, self.environment,
                                     self.prefix)
        return self

    def start(self, timeout=90.0):
        self.launch()
        self.process.wait_ready(lambda: self.greeting()[4:5] == b"\x0a", timeout)
        return self

    def greeting(self):
        """What a client reads first; nothing when it cannot connect. It is an error as long as there is no backend. Asks
        through the Unix socket, which opens last and can be reached from any network namespace."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(self.socket)
                return probe.recv(4096)
            except OSError:
                return b""

    def log(self):
        return self.process.log()

    def stop(self, timeout=40.0):
        """Ends it with SIGTERM: it must say 0, and no sanitizer may have had anything to say."""
        status = self.process.stop(timeout)
        reports = sanitizer_reports(self.log())
        assert not reports, f"{self.process.log_path}: {reports[:5]}"
        if leak_check_gave_up(self.log()):
            warnings.warn(f"nobody has looked for leaks: {self.process.log_path}")
        else:
            assert status == 0, f"weir-server ended with {status}; its log ends with:\n{self.log()[-3000:]}"

    def interrupt(self):
        self.process.signal(signal.SIGTERM)
