# SPDX-License-Identifier: Apache-2.0
"""Network namespaces behind cables of their own, which can be cut, and made slow: nothing outside notices."""
import itertools
import os
import subprocess

from .paths import program

_numbers = itertools.count(1)


def _run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: {done.stderr}"


def _take_number(ip, *kind):
    """Makes a device of this kind; returns its number, which nobody else has: the kernel gives the name of a device once."""
    for number in range(1, 251):
        done = subprocess.run([ip, "link", "add", "name", f"weir-test{number}", "type", *kind], capture_output=True, text=True)
        if "File exists" not in done.stderr:
            assert done.returncode == 0, done.stderr
            return number
    raise RuntimeError("250 runs of tests have cables here, or have left them: ip link | grep weir-test")


def namespaces_work():
    """Whether we may make one here, and a cable (root in a container without rights may not)."""
    if os.geteuid() != 0:
        return False
    return subprocess.run(["unshare", "-n", program("ip"), "link", "add", "name", "weir0", "type", "veth", "peer", "name", "weir1"],
                          capture_output=True).returncode == 0


class Namespace:
    """outside and inside: the addresses at the two ends of the cable, which begin with network. prefix: runs a program inside.
    switch: what the cable's other end is plugged into; otherwise it has this machine alone there."""

    def __init__(self, switch=None):
        self.ip = program("ip")
        self.name = f"weir-test-{os.getpid()}-{next(_numbers)}"
        # Not "ip netns exec", which wants to mount things.
        self.prefix = (program("nsenter"), f"--net=/run/netns/{self.name}")
        _run(self.ip, "netns", "add", self.name)
        number = _take_number(self.ip, "veth", "peer", "name", "cable", "netns", self.name)
        self.device = f"weir-test{number}"
        self.network = switch.network if switch else f"10.213.{number}"
        self.outside, self.inside = (switch.outside, switch.next_address()) if switch else (f"{self.network}.1", f"{self.network}.2")
        if switch:
            _run(self.ip, "link", "set", self.device, "master", switch.device)
        else:
            _run(self.ip, "addr", "add", f"{self.outside}/30", "dev", self.device)
        _run(self.ip, "link", "set", self.device, "up")
        self._inside(self.ip, "addr", "add", f"{self.inside}/{24 if switch else 30}", "dev", "cable")
        self._inside(self.ip, "link", "set", "lo", "up")
        self._inside(self.ip, "link", "set", "cable", "up")

    def _inside(self, *words):
        _run(*self.prefix, *words)

    def cut(self):
        """Packets vanish, in both directions, and nobody is told."""
        self._inside(self.ip, "link", "set", "cable", "down")

    def mend(self):
        self._inside(self.ip, "link", "set", "cable", "up")

    def slow_down(self, rate="64kbit"):
        """What the inside sends waits for a line of this speed. (By tbf: kernels without netem have it.)"""
        self._inside("tc", "qdisc", "replace", "dev", "cable", "root", "tbf", "rate", rate, "burst", "4kb", "latency", "3s")

    def speed_up(self):
        self._inside("tc", "qdisc", "del", "dev", "cable", "root")

    def remove(self):
        subprocess.run([self.ip, "netns", "del", self.name], capture_output=True)
        subprocess.run([self.ip, "link", "del", self.device], capture_output=True)


class Switch:
    """What the cables of several namespaces are plugged into: they reach each other, and this machine at `outside`."""

    def __init__(self):
        self.ip = program("ip")
        number = _take_number(self.ip, "bridge")
        self.device, self.network = f"weir-test{number}", f"10.213.{number}"
        self.outside = f"{self.network}.1"
        self._hosts = itertools.count(2)
        _run(self.ip, "addr", "add", f"{self.outside}/24", "dev", self.device)
        _run(self.ip, "link", "set", self.device, "up")

    def next_address(self):
        return f"{self.network}.{next(self._hosts)}"

    def add_address(self, host):
        """Another address of this machine's, for clients that are to come from it."""
        address = f"{self.network}.{host}"
        _run(self.ip, "addr", "add", f"{address}/24", "dev", self.device)
        return address

    def remove(self):
        subprocess.run([self.ip, "link", "del", self.device], capture_output=True)
