# SPDX-License-Identifier: Apache-2.0
"""A server that a test has started: its log, its end, and that it does end."""
import os
import pathlib
import signal
import subprocess

from .waiting import wait_for


class ServerProcess:
    """A running program in a process group of its own, with stdout and stderr in files."""

    def __init__(self, name, arguments, folder, environment=None, prefix=()):
        self.name = name
        self.folder = pathlib.Path(folder)
        self.log_path = self.folder / f"{name}.log"
        self.output_path = self.folder / f"{name}.out"
        with open(self.log_path, "ab") as log, open(self.output_path, "ab") as output:
            self.process = subprocess.Popen(
                [*prefix, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=output, stderr=log,
                env={**os.environ, **(environment or {})}, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_path.read_text(errors="replace")

    def output(self):
        return self.output_path.read_text(errors="replace")

    def alive(self):
        return self.process.poll() is None

    def wait_ready(self, ready, timeout=60.0):
        """Waits until ready() is true; fails at once, with the log, if the program ends before that."""
        def check():
            assert self.alive(), (f"{self.name} ended with status {self.process.returncode} before it was ready:\n"
                                  + self.log()[-4000:])
            return ready()
        wait_for(check, f"{self.name} to be ready; its log is {self.log_path}", timeout)

    def wait_log(self, text, timeout=20.0, start=0):
        """Waits until `text` stands in the log after the first `start` characters."""
        wait_for(lambda: text in self.log()[start:], f"{text!r} in {self.log_path}", timeout)

    def signal(self, number):
        self.process.send_signal(number)

    def freeze(self):
        """SIGSTOP, and waits until all its threads stand still. SIGCONT lets it go on."""
        self.signal(signal.SIGSTOP)
        stats = pathlib.Path(f"/proc/{self.pid}/task")
        wait_for(lambda: all(path.read_text().rsplit(")", 1)[1].split()[0] in "TZ" for path in stats.glob("*/stat")),
                 f"{self.name} to stand still")

    def wait(self, timeout=30.0):
        """The exit status (negative: the signal)."""
        return self.process.wait(timeout)

    def stop(self, timeout=30.0):
        """SIGTERM, and the exit status. A program that does not end is killed, and that is an error."""
        if self.alive():
            self.signal(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {timeout:g} s of SIGTERM") from None
        finally:
            self.kill()

    def kill(self):
        """Ends what is left of the process group, whatever state it is in."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if self.process.poll() is None:
            self.process.wait(10)


SANITIZER_WORDS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "Assertion `")
LEAK_CHECK_GAVE_UP = ("LeakSanitizer has encountered a fatal error", "LeakSanitizer does not work under ptrace")


def leak_check_gave_up(text):
    """LeakSanitizer could not stop the threads of a process: it has found nothing, and ends it with a status of its own. That
    happens once in some thousand ends on a loaded machine, whatever the program does."""
    return LEAK_CHECK_GAVE_UP[0] in text


def sanitizer_reports(text):
    """The lines of a log that a sanitizer or a failed assertion has written about the program."""
    return [line for line in text.splitlines()
            if any(word in line for word in SANITIZER_WORDS) and not any(word in line for word in LEAK_CHECK_GAVE_UP)]


def _memory(pid, name):
    """A line of /proc/PID/status, in bytes. It must be there: a growth of nothing would pass for a small one."""
    (line,) = [line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024


def resident_bytes(pid):
    """Memory of a process that is in use."""
    return _memory(pid, "VmRSS")


def peak_resident_bytes(pid):
    """The most memory that has been in use since the process began."""
    return _memory(pid, "VmHWM")


def reserved_bytes(pid):
    """Memory that a process has asked for, whether it is in use or not."""
    return _memory(pid, "VmSize")


def unread_bytes(port):
    """What has arrived at the connections of a local TCP port and has not been read by its program."""
    connections = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(queues.split(":")[1], 16) for _, local, _, state, queues, *_ in connections
               if local.endswith(f":{port:04X}") and state == "01")


def cpu_seconds(pid):
    """User and system time of a process, all its threads, in seconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
