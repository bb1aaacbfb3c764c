# SPDX-License-Identifier: Apache-2.0
"""What the proofs with failing clusters share: three sites, each an etcd and a gateway behind a cable of its own, sessions
that must outlive everything, and whether all that was done on one node holds on the others."""
import itertools
import threading
import time

from harness.etcd import Etcd
from harness.namespace import Namespace, Switch, namespaces_work
from harness.observe import run
from harness.waiting import wait_for
from test_several_backends_accounts import alive

LISTED = "listed@%"


def ask(server, sql, **login):
    """The first result of a statement of a session of its own, through the Unix socket: no cable is in the way."""
    with server.endpoint.connect(unix_socket=server.endpoint.socket, **login) as connection:
        return run(connection, sql)[0]


def rows(server, sql):
    result = ask(server, sql)
    assert "error" not in result, (sql, result)
    return result["rows"]


class Pulse(threading.Thread):
    """A session that is never idle: how long its longest statement took, and whether one has failed."""

    def __init__(self, connection):
        super().__init__(daemon=True)
        self.connection = connection
        self.longest, self.failure, self.is_over = 0.0, None, False
        self.start()

    def run(self):
        try:
            while not self.is_over:
                begun = time.monotonic()
                run(self.connection, "SELECT 1")
                self.longest = max(self.longest, time.monotonic() - begun)
                time.sleep(0.01)
        except Exception as failure:
            self.failure = failure

    def take_longest(self):
        longest, self.longest = self.longest, 0.0
        return longest

    def end(self):
        self.is_over = True
        self.join(30)
        self.connection.close()


class Site:
    """A gateway and what is asked of it. flushed: how often its recorder has to have flushed."""

    def __init__(self, server, number):
        self.server, self.number = server, number
        self.flushed = 0
        self.meet_clients()

    def meet_clients(self):
        self.idle = [self.server.endpoint.connect(unix_socket=self.server.endpoint.socket) for _ in range(3)]
        self.ids = [session.thread_id() for session in self.idle]
        self.pulse = Pulse(self.server.endpoint.connect(unix_socket=self.server.endpoint.socket))

    def flushes(self):
        return self.server.events.path.read_text().count('"OnFlush"') if self.server.events.path.exists() else 0

    def nodes(self):
        """The ids of the nodes that it knows; None: it has missed its cluster."""
        with self.server.endpoint.connect(unix_socket=self.server.endpoint.socket) as connection:
            found = {int(row[0]) for row in run(connection, "ADMIN SHOW NODES")[0]["rows"]}
            return None if run(connection, "SHOW WARNINGS")[0]["rows"] else found

    def state(self):
        return {row[0]: row[1] for row in rows(self.server, "SHOW PLUGINS")}["settings"]

    def statements(self):
        return rows(self.server, f"SELECT sql_firewall_statements('{LISTED}')")[0][0]

    def mode(self):
        return rows(self.server, f"SELECT sql_firewall_mode('{LISTED}')")[0][0]

    def refuses(self, source):
        """Whether clients of the address are banned, by the way that they come: the cable."""
        try:
            self.server.endpoint.connect(database=None, bind_address=source).close()
            return False
        except Exception as error:
            return error.args[0] == 1129

    def end(self):
        self.pulse.end()
        for session in self.idle:
            session.close()


class Cluster:
    """Three sites. do() does one of everything on one of them; agree() waits until others have it."""

    def __init__(self, gateway, database, plugins, folder):
        self.switch = Switch() if namespaces_work() else None
        self.cables = [Namespace(self.switch) for _ in range(3)] if self.switch else []
        self.etcd = Etcd(folder / "etcd", members=3, places=self.cables).start()
        self.folder, self.rounds = folder, itertools.count(1)
        self.modes = itertools.cycle(["DETECTING", "RECORDING"])
        self.expected = {}
        self.direct = Pulse(database.connect())  # what a machine with more work than processors adds to any wait
        self.sites = [Site(self._gateway(gateway, database, plugins, number), number) for number in range(3)]

    def _gateway(self, gateway, database, plugins, number):
        config = self.folder / f"weir{number}.toml"
        (self.folder / "rules").write_text("")
        config.write_text(f'[plugin.ip_filter]\nfile = "{self.folder / "rules"}"\nban_after = 1\nban_time = "1h"\n')
        where = {"host": self.cables[number].inside, "prefix": self.cables[number].prefix} if self.switch else {}
        own_first = [*self.etcd.clients[number:], *self.etcd.clients[:number]]
        return gateway(f"unix://{database.socket}", plugins=["recorder-1", "settings-1", *plugins], **where,
                       options=["-config", config, "-cluster", ",".join(own_first), "-advertise", f"site{number}:4000",
                                "-backend-check-user", "gate"],
                       environment={"WEIR_BACKEND_CHECK_PASSWORD": "gate-secret"})

    def source(self, number):
        """An address of this machine's that no client has come from."""
        return self.switch.add_address(100 + number) if self.switch else f"127.0.0.{100 + number}"

    # ---- Doing ----

    def do(self, at, is_reached=True):
        """A flush, a state, a ban, a mode and a learned statement, at one site; and a KILL of another's session."""
        number = next(self.rounds)
        site, server = self.sites[at], self.sites[at].server
        state = "Ready-enable" if site.state() == "Ready-disable" else "Ready-disable"
        mode = next(self.modes)
        rows(server, "FLUSH TIDB PLUGINS recorder")
        for each in self.sites:
            each.flushed += 1
        rows(server, f"ADMIN PLUGINS {'ENABLE' if state == 'Ready-enable' else 'DISABLE'} settings")
        source = self.source(number)
        try:
            server.endpoint.connect(database=None, bind_address=source, password="wrong").close()
        except Exception as error:
            assert error.args[0] == 1045, error
        rows(server, f"SELECT sql_firewall_set_mode('{LISTED}', 'RECORDING')")
        before = site.statements()
        assert "error" not in ask(server, f"SELECT 1 AS c{number}", user="listed", password="listed", database=None)
        assert int(site.statements()) > int(before or 0)
        rows(server, f"SELECT sql_firewall_set_mode('{LISTED}', '{mode}')")
        self.expected = {"state": state, "source": source, "mode": mode}
        return time.monotonic()

    def kill_across(self, from_site, at):
        """A session of one site's is killed by a client of another's. A node that has just come back may have given its id out
        with a number that its lease then has lost: nobody is met by that, and the next session has another."""
        wait_for(lambda: self.is_killed_across(from_site, at), "a session to be killed at another site")

    def is_killed_across(self, from_site, at):
        victim_server = self.sites[at].server
        victim = victim_server.endpoint.connect(unix_socket=victim_server.endpoint.socket)
        try:
            error = ask(self.sites[from_site].server, f"KILL {victim.thread_id()}").get("error")
            if not error:
                wait_for(lambda: not alive(victim), "the end of the session")
            return not error
        finally:
            victim.close()

    # ---- Judging ----

    def differences(self, among, count):
        """What is not as it should be at these sites; none: they agree."""
        sites = [self.sites[number] for number in among]
        found = [f"site {site.number} has flushed {site.flushes()} times, not {site.flushed}"
                 for site in sites if site.flushes() != site.flushed]
        nodes = [site.nodes() for site in sites]
        if any(known is None or len(known) != count or known != nodes[0] for known in nodes):
            found.append(f"they know these nodes: {nodes}")
        if self.expected:
            found += [f"site {site.number}: {site.state()}" for site in sites if site.state() != self.expected["state"]]
            found += [f"site {site.number}: mode {site.mode()}" for site in sites if site.mode() != self.expected["mode"]]
            found += [f"site {site.number} lets {self.expected['source']} in" for site in sites
                      if not site.refuses(self.expected["source"])]
            lists = [site.statements() for site in sites]
            if len(set(lists)) != 1:
                found.append(f"their lists have {lists} statements")
        return found

    def agree(self, what, since, within, among=(0, 1, 2), count=None):
        """Waits until they agree, and notes how long that took."""
        found = []

        def is_so():
            found[:] = self.differences(among, count or len(among))
            return not found

        try:
            wait_for(is_so, what, within + 20)  # the figure is of more use than a time-out
        except AssertionError:
            raise AssertionError(f"{what}: {found}") from None
        took = time.monotonic() - since
        print(f"\n{what}: all agree after {took:.2f} s")
        assert took <= within, f"{what}: took {took:.1f} s, not {within} s"

    def judge_sessions(self, longest, among=(0, 1, 2)):
        """Every session is there, with its id, and none has waited."""
        longest += self.direct.take_longest()
        for site in (self.sites[number] for number in among):
            assert site.pulse.failure is None, (site.number, site.pulse.failure)
            took = site.pulse.take_longest()
            print(f"site {site.number}: longest statement {took:.2f} s, of at most {longest:.2f} s")
            assert took < longest, (site.number, took)
            for session, number in zip(site.idle, site.ids):
                session.ping(reconnect=False)
                assert session.thread_id() == number and run(session, "SELECT CONNECTION_ID()")[0]["rows"]

    def judge_flushes(self):
        """A while after all has settled, nobody has flushed once more."""
        assert [site.flushes() for site in self.sites] == [site.flushed for site in self.sites]

    def end(self):
        self.direct.end()
        for site in self.sites:
            site.end()
            if site.server.process.alive():
                site.server.stop()
        self.etcd.stop()
        for cable in self.cables:
            cable.remove()
        if self.switch:
            self.switch.remove()
