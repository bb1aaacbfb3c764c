# SPDX-License-Identifier: Apache-2.0
"""A thread of its own."""
import threading


class UntilStopped:
    """Runs _run() on a thread, which begins with super().__init__() and ends once self.stopped is set."""

    def __init__(self):
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def stop(self):
        self.stopped.set()
        self.thread.join(120)
