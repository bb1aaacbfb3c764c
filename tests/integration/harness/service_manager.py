# SPDX-License-Identifier: Apache-2.0
"""What a service manager such as systemd does for a service: it hears its notifications, and opens its sockets."""
import socket
import sys
import threading

# Runs a program as systemd does whose unit has sockets: they are the descriptors from 3 on, and for this process only.
WITH_SOCKETS = """
import os, socket, sys
addresses, program = sys.argv[1].split(), sys.argv[2:]
for number, address in enumerate(addresses, 3):
    opened = socket.socket(socket.AF_UNIX if address.startswith("/") else socket.AF_INET)
    opened.bind(address if address.startswith("/") else ("127.0.0.1", int(address)))
    opened.listen()
    os.dup2(opened.detach(), number)
    os.set_inheritable(number, True)
os.environ["LISTEN_FDS"], os.environ["LISTEN_PID"] = str(len(addresses)), str(os.getpid())
os.execv(program[0], program)
"""


class ServiceManager:
    """Hears what is sent to NOTIFY_SOCKET: `heard` has a list of lines for each message, in their order."""

    def __init__(self, path, watchdog_ms=None):
        self.heard = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.environment = {"NOTIFY_SOCKET": str(path)}
        if watchdog_ms:
            self.environment["WATCHDOG_USEC"] = str(watchdog_ms * 1000)
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self):
        while message := self.socket.recv(65536):
            self.heard.append(message.decode().splitlines())

    def said(self, line):
        """How often."""
        return sum(line in message for message in list(self.heard))

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


def with_sockets(*addresses):
    """What stands in front of a program that gets listening sockets: ports of 127.0.0.1, or paths."""
    return [sys.executable, "-c", WITH_SOCKETS, " ".join(map(str, addresses))]
