# SPDX-License-Identifier: Apache-2.0
"""What the programs in Python share: where to connect, and lines of `feature: outcome`."""
import datetime
import decimal
import os
import threading
import time

HOST, PORT = os.environ["WEIR_TEST_HOST"], int(os.environ["WEIR_TEST_PORT"])
USER, PASSWORD, DATABASE = (os.environ["WEIR_TEST_" + name] for name in ("USER", "PASSWORD", "DATABASE"))
CA, FILE = os.environ["WEIR_TEST_CA"], os.environ["WEIR_TEST_FILE"]

SLEEP = "SELECT SLEEP(30)"
RUNNING = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(30)'"
IDLE = ("SET SESSION wait_timeout = 1", "SELECT GET_LOCK('idle', 0)")
GONE = "SELECT GET_LOCK('idle', 60)"  # is had when the server has ended the idle session
RELEASE = "SELECT RELEASE_LOCK('idle')"


def plain(value):
    if isinstance(value, (bytes, bytearray)):
        return "x" + bytes(value).hex() if len(value) < 40 else f"{len(value)} bytes"
    if isinstance(value, str):
        return value if len(value) < 300 else f"{len(value)} characters"
    if isinstance(value, (datetime.date, datetime.timedelta, decimal.Decimal)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def show(feature, *outcome):
    print(f"{feature}:", *(plain(value) for value in outcome), flush=True)


def failure(error):
    return type(error).__name__, [plain(argument) for argument in error.args]


def attempt(feature, what, call):
    """Prints what call() returns, or how it fails."""
    try:
        show(feature, what, call())
    except Exception as error:
        show(feature, what, *failure(error))


def settle():
    """The session has ended in the server; its socket, and through a gateway the next one, follows at once."""
    time.sleep(0.3)


def cancelled(execute, kill, is_running):
    """Runs execute() in a thread, calls kill() when the server is at it, and returns what execute() came to."""
    came_to = []

    def run():
        try:
            came_to.append(execute())
        except Exception as error:
            came_to.append(failure(error))

    thread = threading.Thread(target=run)
    start = time.monotonic()
    thread.start()
    while not is_running():
        time.sleep(0.01)
    kill()
    thread.join(60)
    return came_to, "soon" if time.monotonic() - start < 20 else "only at its end"
