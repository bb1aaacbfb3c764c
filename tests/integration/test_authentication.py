# SPDX-License-Identifier: Apache-2.0
"""Logging in: each method, and each way in which it fails; the client must read the backend's own words."""
import pytest
from harness import raw
from harness.endpoint import DATABASE, Endpoint
from harness.observe import failure, run

WHO = "SELECT USER(), CURRENT_USER(), DATABASE()"


@pytest.mark.parametrize("user, password", [
    ("tester", "s3cret"), ("plain", "plain-secret"), ("nopassword", ""), ("ed", "ed-secret"), ("two_ways", "ed-secret"),
    ("two_ways", "native-secret"), ("root", "")])
@pytest.mark.parametrize("schema", ["mysql", "information_schema", None])
def test_connector_c_logs_in_as(both, user, password, schema):
    """Plain accounts may not use the database mysql."""
    def case(endpoint):
        done = endpoint.shell(WHO, user=user, password=password, database=schema or "", check=False)
        return done.returncode, done.stdout, done.stderr

    assert (both(case)[0] == 0) is (user in ("tester", "root") or schema != "mysql")


@pytest.mark.parametrize("user, password", [("tester", "s3cret"), ("plain", "plain-secret"), ("nopassword", "")])
def test_pymysql_logs_in_as(both, user, password):
    def case(endpoint):
        with endpoint.connect(user=user, password=password, database=None) as connection:
            return run(connection, WHO)

    assert both(case)[0]["rows"] == [(f"{user}@localhost", f"{user}@%", None)]


FAILURES = {
    "wrong password": (1045, "28000", {"password": "wrong"}),
    "no password where one is needed": (1045, "28000", {"password": ""}),
    "a password where none is needed": (1045, "28000", {"user": "nopassword", "password": "some"}),
    "unknown user": (1045, "28000", {"user": "nobody-knows-me", "password": "some"}),
    "unknown user without password": (1045, "28000", {"user": "nobody-knows-me", "password": ""}),
    "empty user": (1045, "28000", {"user": "", "password": ""}),
    "unknown database": (1049, "42000", {"database": "no_such_database"}),
    "forbidden database": (1044, "42000", {"user": "limited", "password": "limited-secret", "database": "mysql"}),
    "locked account": (4151, "HY000", {"user": "locked", "password": "locked-secret", "database": None}),
    "wrong expired password": (1045, "28000", {"user": "expired", "password": "wrong", "database": None}),
    "a very long user name": (1045, "28000", {"user": "u" * 200, "password": "some"}),
    "a user name that is not ASCII": (1045, "28000", {"user": "jürgen", "password": "some"}),
}


@pytest.mark.parametrize("number, sqlstate, options", FAILURES.values(), ids=FAILURES.keys())
def test_a_failed_login_reads_the_backends_own_error(both, number, sqlstate, options):
    by_hand = both(lambda endpoint: failure(lambda: endpoint.raw(**options)))
    if options.get("user") != "":  # client libraries make the system's user of an empty one
        both(lambda endpoint: failure(lambda: endpoint.connect(**options)))
        both(lambda endpoint: failure(lambda: endpoint.connect_c(**{k: v or "" for k, v in options.items()})))
    assert by_hand["arguments"][:2] == (number, sqlstate)


def test_ed25519_fails_with_a_wrong_password(both):
    def case(endpoint):
        done = endpoint.shell("SELECT 1", user="ed", password="wrong", check=False)
        return done.returncode, done.stderr

    assert "1045" in both(case)[1]


@pytest.fixture
def expired_account(database):
    expire = "ALTER USER expired@'%' IDENTIFIED BY 'expired-secret' PASSWORD EXPIRE"
    yield lambda: database.execute(expire)
    database.execute(expire, "SET GLOBAL disconnect_on_expired_password = OFF")


def test_an_expired_password_can_be_changed_in_the_sandbox(both, expired_account):
    def case(endpoint):
        expired_account()
        with endpoint.connect(user="expired", password="expired-secret", database=None) as connection:
            return [run(connection, "SELECT 1"), run(connection, "SET PASSWORD = PASSWORD('new-secret')"),
                    run(connection, "SELECT 1")]

    assert both(case)[0][0]["arguments"][0] == 1820


def test_an_expired_password_ends_the_session_where_the_server_says_so(both, database, expired_account):
    expired_account()
    database.execute("SET GLOBAL disconnect_on_expired_password = ON")
    error = both(lambda endpoint: failure(
        lambda: endpoint.raw(user="expired", password="expired-secret", database=None)))
    assert error["arguments"][0] == 1862


def who_begins_with(endpoint, plugin):
    """Names the plugin in the handshake response, with an answer that fits no other than the greeting's."""
    with endpoint.raw(login=False, capabilities=raw.BASIC) as connection:
        connection.read_greeting()
        answer = None if plugin == "mysql_native_password" else b"whatever"
        connection.send(connection.handshake_response(plugin, answer), 1)
        connection.finish_authentication()
        return connection.query(WHO)


@pytest.mark.parametrize("plugin", ["mysql_native_password", "client_ed25519", "caching_sha2_password", "sha256_password",
                                    "no_such_plugin", ""])
def test_the_plugin_that_a_client_begins_with_does_not_matter(both, plugin):
    assert any(b"tester@%" in payload for _, payload in both(lambda endpoint: who_begins_with(endpoint, plugin)))


def test_a_client_that_gives_up_in_the_middle_of_the_exchange_harms_nobody(both):
    def case(endpoint):
        for steps in range(3):
            connection = endpoint.raw(login=False)
            connection.user, connection.password = "plain", ""
            if steps > 0:
                connection.read_greeting()
            if steps > 1:
                connection.send(connection.handshake_response("no_such_plugin", b"x"), 1)
                connection.read_packet()  # the switch to the account's method
            connection.close()
        with endpoint.raw() as connection:
            return connection.query(WHO)

    both(case)


def test_unix_socket_clients_are_local(weir):
    with Endpoint("socket", "", 0, weir.socket).connect(unix_socket=weir.socket, database=None) as connection:
        assert run(connection, "SELECT CURRENT_USER()")[0]["rows"] == [("tester@%",)]


def test_the_greeting_offers_what_the_gateway_can_relay_and_the_backends_version(weir, direct):
    with direct.raw() as connection:
        theirs = connection.greeting
    with weir.raw() as connection:
        ours = connection.greeting
    assert ours.version == theirs.version and ours.collation == theirs.collation
    assert ours.capabilities & ~theirs.capabilities == 0, "offers something that the backend does not have"
    wanted = (raw.BASIC | raw.DEPRECATE_EOF | raw.SESSION_TRACK | raw.CONNECT_ATTRS | raw.CACHE_METADATA | raw.BULK
              | raw.PROGRESS | raw.EXTENDED_METADATA)
    assert ours.capabilities & wanted == theirs.capabilities & wanted
    assert not ours.capabilities & raw.COMPRESS
    assert len(ours.nonce) >= 20 and b"\0" not in ours.nonce[:20]


def test_each_greeting_has_a_scramble_and_an_id_of_its_own(weir):
    greetings = []
    for _ in range(20):
        with weir.raw(login=False) as connection:
            connection.read_greeting()
            greetings.append(connection.greeting)
    assert len({greeting.nonce for greeting in greetings}) == 20
    assert len({greeting.connection_id for greeting in greetings}) == 20


def test_the_database_of_the_handshake_is_current(both):
    def case(endpoint):
        with endpoint.raw(database=DATABASE) as connection:
            return connection.query("SELECT DATABASE()")

    both(case)
