# SPDX-License-Identifier: Apache-2.0
"""Free TCP ports: below the range that the kernel takes for outgoing connections, so that none of those gets there first, and
out of a block that is this process's own, so that no other run of tests gets there either before a server listens."""
import itertools
import os
import socket

_FIRST, _BLOCKS, _IN_BLOCK = 15000, 50, 300

_lease, _numbers = None, None


def _begin():
    """A forked process needs a block of its own; with its parent's, two could take one port at a time."""
    global _lease, _numbers
    if _lease:
        _lease.close()
    _lease = _numbers = None


os.register_at_fork(after_in_child=_begin)


def _take_block():
    """The first port of a block that nobody else has: who has bound the name of it, which ends with the process. With all of them
    taken, one that is shared."""
    global _lease
    for block in (os.getpid() + n for n in range(_BLOCKS)):
        _lease = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            _lease.bind(f"\0weir-test-ports-{block % _BLOCKS}")
            break
        except OSError:
            _lease.close()
    return _FIRST + block % _BLOCKS * _IN_BLOCK


def free_port():
    """A port on which nobody listens, and which this process gives out again only after all the others of its block."""
    global _numbers
    if _numbers is None:
        first = _take_block()
        _numbers = itertools.cycle(range(first, first + _IN_BLOCK))
    for port in itertools.islice(_numbers, _IN_BLOCK):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")
