# SPDX-License-Identifier: Apache-2.0
"""Waiting for conditions, never for time."""
import time


def wait_for(condition, what, timeout=20.0):
    """Calls condition() until it returns something true, and returns that. Fails with `what` after `timeout` seconds."""
    end = time.monotonic() + timeout
    pause = 0.001
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout:g} s for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
