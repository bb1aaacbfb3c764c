# SPDX-License-Identifier: Apache-2.0
"""Free TCP ports: below the range that the kernel takes for outgoing connections, so that none of those gets there first."""
import itertools
import os
import socket

_first, _count = 15000, 15000


def _begin():
    """A forked process has numbers of its own; with its parent's, two could take one port at a time."""
    global _numbers
    _numbers = itertools.count(os.getpid() * 37 % _count)


_begin()
os.register_at_fork(after_in_child=_begin)


def free_port():
    """A port on which nobody listens, and which is not given out again by this process."""
    for _ in range(1000):
        port = _first + next(_numbers) % _count
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")
