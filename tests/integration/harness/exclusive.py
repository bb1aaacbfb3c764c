# SPDX-License-Identifier: Apache-2.0
"""One at a time, of all the processes that run tests here."""
import contextlib
import fcntl
import pathlib


@contextlib.contextmanager
def alone(folder):
    """In a with statement: nobody else is in one of the same folder, which is made. The lock ends with the process too."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
