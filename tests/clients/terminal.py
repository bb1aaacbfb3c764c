# SPDX-License-Identifier: Apache-2.0
"""What people do at a terminal: the mariadb shell in a pseudo-terminal, mariadb-admin, and servers that are started again."""
import os
import pty
import re
import select
import subprocess
import time

from harness.endpoint import DATABASE, PASSWORD, USER, Endpoint
from harness.mariadb import MariaDB
from harness.paths import program
from harness.waiting import wait_for


class Shell:
    """The mariadb shell, in a pseudo-terminal."""

    def __init__(self, endpoint, *arguments):
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", HISTFILE="/dev/null", MYSQL_HISTFILE="/dev/null", LC_ALL="C.UTF-8")
            os.execv(program("mariadb"), ["mariadb", "--no-defaults", f"--host={endpoint.host}", f"--port={endpoint.port}", "--protocol=tcp",
                                          f"--user={USER}", f"--password={PASSWORD}", "--skip-ssl", "--no-auto-rehash", "--prompt=weir> ", *arguments, DATABASE])
        self.text = ""
        self.said()

    def said(self, until="weir> ", timeout=60):
        """What it has said until its next prompt."""
        end = time.monotonic() + timeout
        while until not in self.text:
            ready, _, _ = select.select([self.file], [], [], max(0, end - time.monotonic()))
            if not ready:
                return self._lines() + [f"no prompt within {timeout} s"]
            try:
                data = os.read(self.file, 65536)
            except OSError:
                return self._lines() + ["it has ended"]
            self.text += data.decode(errors="replace")
        before, _, self.text = self.text.partition(until)
        return self._lines(before)

    def _lines(self, text=None):
        if text is None:
            text, self.text = self.text, ""
        text = re.sub(r"\x07|\x1b\[[?0-9;]*[a-zA-Z]", "", text.replace("\r", "\n"))
        lines = [re.sub(r"\(\d+\.\d+ sec\)", "(TIME)", line).strip() for line in text.split("\n")]
        return [re.sub(r"^Connection id: .*", "Connection id: ID", line) for line in lines if line]

    def type(self, text):
        os.write(self.file, text.encode())

    def ask(self, text):
        """Without the echo of what was typed."""
        self.type(text + "\n")
        return [line for line in self.said() if line != text]

    def close(self):
        self.type("exit\n")
        try:
            while os.read(self.file, 4096):
                pass
        except OSError:
            pass
        os.close(self.file)
        os.waitpid(self.pid, 0)


def _running(database, text="SELECT SLEEP(30)"):
    return wait_for(lambda: database.execute(f"SELECT ID FROM information_schema.PROCESSLIST WHERE INFO = '{text}'"), f"{text} to run")


def _said(step, *lines):
    """One line for one step."""
    return f"{step}: {' / '.join(line for line in lines if not set(line) <= set('+-'))}"


def shell(place, endpoint):
    shell, database = Shell(endpoint), place.database
    lines = [_said("statements", *shell.ask("SELECT 'ä', 1;"), *shell.ask("SELEC;"), *shell.ask("SHOW TABLES;"))]
    # Control-C kills the statement by a session of its own, and the shell goes on.
    start = time.monotonic()
    shell.type("SELECT SLEEP(30);\n")
    _running(database)
    shell.type("\x03")
    lines += [_said("control-C", *shell.said()), f"soon: {time.monotonic() - start < 20}", _said("and then", *shell.ask("SELECT 2;"))]
    # Somebody kills the statement, and then the session; the shell connects again by itself.
    shell.type("SELECT SLEEP(30);\n")
    number = _running(database)[0][0]
    database.execute(f"KILL QUERY {number}")
    lines.append(_said("its statement is killed", *shell.said()))
    database.execute(f"KILL {number}")
    wait_for(lambda: not database.execute(f"SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = {number}"), "the session's end")
    time.sleep(0.3)
    lines += [_said("it is killed", *shell.ask("SELECT 3;")), _said("and then", *shell.ask("SELECT 4;"))]
    lines += [_said("it kills itself", *shell.ask("KILL CONNECTION_ID();")), _said("and then", *shell.ask("SELECT 5;")),
              _said("and then", *shell.ask("SELECT 6;"))]
    shell.ask("SET SESSION wait_timeout = 1;")
    shell.ask("SELECT GET_LOCK('idle', 0);")
    database.execute("SELECT GET_LOCK('idle', 60)")
    time.sleep(0.3)
    lines += [_said("it was idle", *shell.ask("SELECT 7;")), _said("and then", *shell.ask("SELECT 8;"))]
    shell.close()
    return lines


def admin(place, endpoint):
    def run(*words, to=endpoint):
        done = to.run(program("mariadb-admin"), "--no-defaults", "--protocol=tcp", f"--host={to.host}", f"--port={to.port}",
                      f"--user={USER}", f"--password={PASSWORD}", *words, check=False)
        text = re.sub(r"\d+(\.\d+)?", "N", done.stdout + done.stderr)
        return [f"{' '.join(words)}: {line}" for line in text.splitlines()][:5] + [f"{' '.join(words)}: status {done.returncode}"]

    lines = run("ping") + run("status") + run("flush-tables") + run("refresh") + run("create", "made") + run("-f", "drop", "made")
    # The number that the list shows is the one to kill by.
    sleeping = subprocess.Popen([program("mariadb"), "--no-defaults", f"--host={endpoint.host}", f"--port={endpoint.port}", "--protocol=tcp",
                                 f"--user={USER}", f"--password={PASSWORD}", "--skip-ssl", "-e", "SELECT SLEEP(30)"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _running(place.database)
    done = endpoint.run(program("mariadb-admin"), "--no-defaults", "--protocol=tcp", f"--host={endpoint.host}", f"--port={endpoint.port}",
                        f"--user={USER}", f"--password={PASSWORD}", "processlist")
    number = next(line.split("|")[1].strip() for line in done.stdout.splitlines() if "SELECT SLEEP(30)" in line)
    lines += [line.replace(f" {number}:", ":") for line in run("kill", number)]
    _, errors = sleeping.communicate(timeout=60)
    lines.append(f"the killed one: {errors.decode().strip()} {sleeping.returncode}")
    # shutdown: a server of its own, directly and beneath a gateway.
    folder = place.folder / f"shut-{endpoint.name}"
    folder.mkdir()
    database, gateway, other = _further(place, folder, endpoint)
    try:
        lines += run("shutdown", to=other)
        database.process.wait(40)
        lines.append("the server has ended")
        done = other.shell("SELECT 1", check=False, database="")
        lines.append(f"and then: status {done.returncode}")
    finally:
        _end(database, gateway)
    return lines


def _further(place, folder, endpoint):
    """A database of its own, with a gateway before it when that is how it is to be reached."""
    database = MariaDB(folder)
    database.start()
    database.execute(f"CREATE DATABASE {DATABASE}", f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'", f"GRANT ALL ON *.* TO {USER}@'%'")
    gateway = place.start_gateway(folder / "gateway", database) if endpoint.name == "weir" else None
    return database, gateway, gateway.endpoint if gateway else Endpoint("direct", database.host, database.port, database.socket)


def _end(database, gateway):
    for server in (gateway, database):
        if server and server.process:
            server.process.kill()


def restarts(place, endpoint):
    """Sessions of the shell while the backend ends and comes back, by SIGTERM and by SIGKILL; then weir itself."""
    folder = place.folder / f"restart-{endpoint.name}"
    folder.mkdir()
    database, gateway, other = _further(place, folder, endpoint)
    lines = []
    try:
        for how in ("SIGTERM", "SIGKILL"):
            shell = Shell(other)
            lines.append(_said(how, *shell.ask("SELECT 1;")))
            database.process.stop() if how == "SIGTERM" else database.process.kill()
            database.start()
            time.sleep(0.3)
            lines += [_said("it is back", *shell.ask("SELECT 2;")), _said("and then", *shell.ask("SELECT 3;"))]
            shell.close()
        shell = Shell(other)
        for server in [gateway] if gateway else [database]:
            server.stop()
            server.start()
        time.sleep(0.3)
        lines += [_said("what it is connected to is started again", *shell.ask("SELECT 4;")), _said("and then", *shell.ask("SELECT 5;"))]
        shell.close()
    finally:
        _end(database, gateway)
    return lines
