# SPDX-License-Identifier: Apache-2.0
"""What happens to the gateway while clients use it: plugins are disabled, enabled and flushed, the log is rotated, and in rough
times the backend is killed with SIGKILL and comes back."""
import collections
import random
import signal

import pymysql
from harness.waiting import wait_for
from until_stopped import UntilStopped

PLUGINS = ("audit_log", "sql_firewall", "ip_filter")


class Mischief(UntilStopped):
    """A thread that does one thing after another until stop(). done counts them; failed has what should not have happened."""

    def __init__(self, database, gateway, seed):
        self.database, self.gateway = database, gateway
        self.random = random.Random(seed)
        self.done, self.failed = collections.Counter(), []
        self.rough = False
        super().__init__()

    def _run(self):
        while not self.stopped.wait(self.random.uniform(0.2, 2.0)):
            try:
                if self.rough and self.random.random() < 0.15:
                    self._kill_the_backend()
                else:
                    self._administer(*self.random.choice(self._choices()))
            except Exception as error:  # noqa: BLE001: whatever it is, the report names it
                self.failed.append(repr(error))

    def _choices(self):
        plugin = self.random.choice(PLUGINS)
        return [("off and on", f"ADMIN PLUGINS DISABLE {plugin}", f"ADMIN PLUGINS ENABLE {plugin}"),
                ("flush", f"FLUSH TIDB PLUGINS {plugin}"),
                ("rotation", "SELECT audit_log_rotate()")]

    def _administer(self, what, *statements):
        """Each statement on a connection of its own, some time apart: sessions come and go in between."""
        for statement in statements:
            connection = self.gateway.connect(database=None)
            try:
                with connection.cursor() as cursor:
                    cursor.execute(statement)
            finally:
                connection.close()
            if len(statements) > 1:
                self.stopped.wait(self.random.uniform(0.0, 0.5))
        self.done[what] += 1

    def _kill_the_backend(self):
        self.database.process.signal(signal.SIGKILL)
        self.database.process.wait()
        self.database.start()
        wait_for(self._works, "the gateway to serve again", 60)
        self.done["backend killed"] += 1

    def _works(self):
        try:
            self.gateway.connect(database=None).close()
            return True
        except pymysql.err.Error:
            return False
