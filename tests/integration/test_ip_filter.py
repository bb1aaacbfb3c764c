# SPDX-License-Identifier: Apache-2.0
"""ip_filter in front of a real server: countries, accounts and their databases, limits, bans, dry_run."""
import contextlib
import ipaddress
import re
import struct
import threading

import pymysql
import pytest
from harness import raw
from harness.endpoint import DATABASE, USER
from harness.observe import failure
from harness.waiting import wait_for

pytestmark = pytest.mark.gateway_only


@pytest.fixture
def filtered(gateway, database, ip_filter, tmp_path):
    """Makes a gateway with these rules and settings."""
    def make(rules="", **settings):
        (tmp_path / "rules").write_text(rules)
        lines = [f'{key} = {str(value).lower() if isinstance(value, (bool, int)) else repr(str(value))}'
                 for key, value in {"file": tmp_path / "rules", **settings}.items()]
        (tmp_path / "weir.toml").write_text("[plugin.ip_filter]\n" + "\n".join(lines) + "\n")
        server = gateway(database.address, plugins=[ip_filter],
                         options=["-config", tmp_path / "weir.toml"])
        server.rules = tmp_path / "rules"
        return server
    return make


def connect(server, source="127.0.0.1", **options):
    return server.endpoint.connect(bind_address=source, **{"database": None, **options})


def refusal(server, source="127.0.0.1", **options):
    """The number of the error that the client reads; 0: it gets in."""
    try:
        connect(server, source, **options).close()
        return 0
    except Exception as error:
        return error.args[0]


def enter(server):
    """The first connection that gets in. One that only tries, and leaves, may still have the place when the next one comes."""
    made = []

    def get_in():
        with contextlib.suppress(pymysql.err.OperationalError):
            made.append(connect(server))
        return bool(made)

    wait_for(get_in, "the place to be free")
    return made[0]


def administer(server, statement):
    with server.endpoint.connect(unix_socket=server.endpoint.socket, database=None) as admin:
        admin.query(statement)


def flush(server):
    administer(server, "FLUSH TIDB PLUGINS ip_filter")


# ---- A MaxMind DB file, written by hand ----

def encode(value):
    """A value of the format's data section."""
    if isinstance(value, dict):
        return bytes([0xE0 | len(value)]) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return bytes([len(value), 4]) + b"".join(map(encode, value))  # extended type 11
    if isinstance(value, str):
        return bytes([0x40 | len(value)]) + value.encode()
    return value  # encoded already: a number, which has a type


def uint(bits, value):
    """An unsigned number: the format has several types of them."""
    size = (value.bit_length() + 7) // 8
    head = {16: bytes([0xA0 | size]), 32: bytes([0xC0 | size]), 64: bytes([size, 2])}[bits]
    return head + value.to_bytes(size, "big")


def write_countries(path, networks):
    """networks: {network: country}; the tree has records of 24 bits."""
    nodes, data, places = [[None, None]], b"", {}
    for network, country in networks.items():
        network = ipaddress.ip_network(network)
        if country not in places:
            places[country] = len(data)
            data += encode({"country": {"iso_code": country}})
        bits = f"{int(network.network_address):032b}"[:network.prefixlen]
        at = 0
        for bit in map(int, bits[:-1]):
            if nodes[at][bit] is None:
                nodes.append([None, None])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        nodes[at][int(bits[-1])] = ("data", places[country])

    def record(entry):
        if entry is None:
            return len(nodes)
        return len(nodes) + 16 + entry[1] if isinstance(entry, tuple) else entry

    tree = b"".join(struct.pack(">I", record(entry))[1:] for node in nodes for entry in node)
    metadata = {"node_count": uint(32, len(nodes)), "record_size": uint(16, 24), "ip_version": uint(16, 4),
                "database_type": "Test-Country", "languages": ["en"], "binary_format_major_version": uint(16, 2),
                "binary_format_minor_version": uint(16, 0), "build_epoch": uint(64, 1700000000),
                "description": {"en": "test"}}
    path.write_bytes(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(metadata))


def test_countries(filtered, tmp_path):
    write_countries(tmp_path / "countries.mmdb", {"127.0.0.2/32": "KP", "127.0.0.3/32": "DE", "127.0.0.4/31": "FR"})
    server = filtered("deny country:KP,IR\n", country_file=tmp_path / "countries.mmdb")
    assert [refusal(server, f"127.0.0.{n}") for n in (1, 2, 3, 5)] == [0, 1130, 0, 0]
    server.rules.write_text("allow country:DE,FR\n")
    flush(server)
    assert [refusal(server, f"127.0.0.{n}") for n in (1, 2, 3, 4, 5, 6)] == [1130, 1130, 0, 0, 0, 1130]
    server.rules.write_text(f"allow any\nallow {USER}@country:DE\n")
    flush(server)
    assert [refusal(server, f"127.0.0.{n}") for n in (1, 3)] == [1130, 0]
    assert refusal(server, "127.0.0.1", user="nopassword", password="") == 0


def test_an_account_with_databases_reaches_those_only(filtered, database):
    database.execute("CREATE OR REPLACE DATABASE ip_shop", "CREATE TABLE ip_shop.t (a INT)",
                     "CREATE OR REPLACE DATABASE ip_other", "CREATE TABLE ip_other.t (a INT)")
    server = filtered(f"allow {USER}@127.0.0.0/8 to ip_shop,ip_shop_test\nallow 127.0.0.0/8\n")
    with connect(server, database="ip_shop") as connection:
        for text in ("SELECT * FROM t", "SELECT * FROM ip_shop.t", "SELECT 1", "SET NAMES utf8mb4", "USE ip_other",
                     "SELECT COUNT(*) FROM information_schema.tables"):
            connection.query(text)
        for text in ("SELECT * FROM t", "SELECT * FROM ip_other.t", "INSERT INTO ip_shop.t SELECT * FROM ip_other.t",
                     "EXECUTE IMMEDIATE 'SELECT * FROM ip_other.t'", "EXECUTE IMMEDIATE CONCAT('SELECT', ' 1')",
                     "SELECT * FROM mysql.user", "DROP DATABASE ip_other", "SELECT 1; TRUNCATE ip_other.t"):
            assert failure(lambda text=text: connection.query(text))["arguments"] == \
                (1044, f"Access denied for user '{USER}'@'127.0.0.1' to this database (ip_filter)"), text
    with connect(server, user="limited", password="limited-secret", database=DATABASE) as connection:
        connection.query("SELECT 1 FROM information_schema.tables LIMIT 1")


def test_connections_are_limited_by_address_and_account(filtered):
    server = filtered(connections_per_address=2)
    first, second = connect(server), connect(server)
    assert failure(lambda: connect(server))["arguments"] == (1040, "Host '127.0.0.1' has too many connections (ip_filter)")
    assert refusal(server, "127.0.0.9") == 0
    first.close()
    wait_for(lambda: refusal(server) == 0, "the place to be free again")
    second.close()
    server.stop()
    server = filtered(connections_per_account=1)
    with connect(server):
        assert refusal(server, "127.0.0.9") == 1040
        assert refusal(server, user="nopassword", password="") == 0


def test_failed_logins_count_as_connections_only_while_they_last(filtered):
    server = filtered(connections_per_address=1)
    for _ in range(5):
        wait_for(lambda: refusal(server, password="wrong") == 1045, "the failed login before to be over")
    wait_for(lambda: refusal(server) == 0, "the place to be free")


def test_connections_that_end_while_it_is_disabled_count_no_longer(filtered):
    server = filtered(connections_per_address=1, connections_per_account=2)
    counted = connect(server)
    administer(server, "ADMIN PLUGINS DISABLE ip_filter")
    uncounted = connect(server)
    counted.close()
    administer(server, "ADMIN PLUGINS ENABLE ip_filter")
    with enter(server):
        uncounted.close()  # takes nobody's place away with it
        assert refusal(server) == 1040


def test_rules_are_read_again_under_load(filtered):
    """127.0.0.9 is denied by all rules and 127.0.0.2 by none, however often they are read meanwhile."""
    server = filtered("deny 127.0.0.9\n")
    stop, answers = threading.Event(), {"127.0.0.2": set(), "127.0.0.9": set()}

    def knock(source):
        while not stop.is_set():
            answers[source].add(refusal(server, source))

    threads = [threading.Thread(target=knock, args=(source,)) for source in answers for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(30):
        others = "".join(f"deny 10.{n}.{i}.0/24\ndeny 2001:db8:{n:x}:{i:x}::/64\n" for i in range(50 * (n % 3)))
        server.rules.write_text(f"deny 127.0.0.9\n{others}")
        flush(server)
    stop.set()
    for thread in threads:
        thread.join()
    assert answers == {"127.0.0.2": {0}, "127.0.0.9": {1130}}


def test_the_rate_of_connections_is_limited(filtered):
    server = filtered(rate_per_address=3, rate_window="1h")
    assert [refusal(server) for _ in range(5)] == [0, 0, 0, 1040, 1040]
    assert refusal(server, "127.0.0.9") == 0


def test_failed_logins_ban_an_address_for_a_while(filtered):
    server = filtered(ban_after=3, ban_window="1h", ban_time="1h")
    assert [refusal(server, password="wrong") for _ in range(3)] == [1045] * 3
    assert failure(lambda: connect(server))["arguments"] == \
        (1129, "Host '127.0.0.1' is blocked for a while because of failed logins (ip_filter)")
    assert refusal(server, "127.0.0.9") == 0
    flush(server)  # lifts bans
    assert refusal(server) == 0
    server.stop()
    server = filtered(ban_after=1, ban_time="200ms")
    assert [refusal(server, password="wrong"), refusal(server)] == [1045, 1129]
    wait_for(lambda: refusal(server) == 0, "the ban to be over")


def ask(server, statement, **login):
    with server.endpoint.connect(unix_socket=server.endpoint.socket, database=None, **login) as admin, admin.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()[0][0]


def test_bans_are_listed_and_lifted_by_functions(filtered):
    server = filtered(ban_after=2, ban_window="1h", ban_time="1h")
    assert ask(server, "SELECT ip_filter_bans()") == ""
    for source in ("127.0.0.1", "127.0.0.9"):
        assert [refusal(server, source, password="wrong") for _ in range(3)] == [1045, 1045, 1129]
    assert sorted(line.split()[0] for line in ask(server, "SELECT ip_filter_bans()").split("\n")) == ["127.0.0.1", "127.0.0.9"]
    assert 3500 < int(ask(server, "SELECT ip_filter_bans()").split()[1]) <= 3600
    assert ask(server, "SELECT ip_filter_unban('127.0.0.1')") == "OK"
    assert refusal(server) == 0 and refusal(server, "127.0.0.9") == 1129
    assert ask(server, "SELECT ip_filter_bans()").startswith("127.0.0.9 ")
    for argument, problem in (("'127.0.0.1'", "127.0.0.1 is not banned"), ("'2001:db8::1/64'", "2001:db8::/64 is not banned"),
                              ("'127.0.0'", '"127.0.0" is no IP address'), ("NULL", '"" is no IP address')):
        error = failure(lambda argument=argument: ask(server, f"SELECT ip_filter_unban({argument})"))
        assert problem in error["arguments"][1], error
    for function in ("bans()", "unban('127.0.0.9')"):
        error = failure(lambda function=function: ask(server, f"SELECT ip_filter_{function}", user="plain", password="plain-secret"))
        assert error["arguments"][0] == 1227


def test_a_ban_survives_a_restart_and_a_kill_and_a_lifted_one_stays_lifted(filtered):
    server = filtered(ban_after=1, ban_window="1h", ban_time="1h")
    for source in ("127.0.0.1", "127.0.0.8", "127.0.0.9"):
        assert [refusal(server, source, password="wrong"), refusal(server, source)] == [1045, 1129]
    data = server.folder / "data" / "plugin-store" / "data"
    wait_for(lambda: all(b"ban/127.0.0.%d" % n in data.read_bytes() for n in (1, 8, 9)), "the bans to be stored")
    server.stop()
    server.start()
    assert [refusal(server, source) for source in ("127.0.0.1", "127.0.0.7", "127.0.0.9")] == [1129, 0, 1129]
    assert 3500 < int(ask(server, "SELECT ip_filter_bans()").split()[1]) <= 3600
    assert ask(server, "SELECT ip_filter_unban('127.0.0.9')") == "OK"
    assert refusal(server, "127.0.0.7", password="wrong") == 1045
    wait_for(lambda: b"ban/127.0.0.7" in data.read_bytes(), "the ban to be stored")
    server.process.kill()
    server.start()
    assert [refusal(server, f"127.0.0.{n}") for n in (1, 7, 8, 9)] == [1129, 1129, 1129, 0]
    flush(server)  # lifts bans
    assert refusal(server) == 0
    server.stop()
    server.start()
    assert [refusal(server, f"127.0.0.{n}") for n in (1, 7, 8, 9)] == [0] * 4
    assert ask_status(server, "Ip_filter_bans_not_stored") == "0"


def test_a_damaged_store_is_said_and_bans_hold_without_it(filtered):
    server = filtered(ban_after=1, ban_window="1h", ban_time="1h")
    server.stop()
    data = server.folder / "data" / "plugin-store" / "data"
    data.write_text("something else\n")
    server.start()
    assert "is no store of this version of weir; move it away" in server.log()
    assert [refusal(server, password="wrong"), refusal(server)] == [1045, 1129]
    assert data.read_text() == "something else\n"


def test_accounts_have_limits_of_their_own(filtered):
    server = filtered("limit 'nopassword' 2\nlimit plain 0\n", connections_per_account=1)
    other = {"user": "nopassword", "password": ""}
    first = connect(server, **other)
    with connect(server), connect(server, user="plain", password="plain-secret"):
        assert refusal(server) == 1040  # by the variable
        assert refusal(server, user="plain", password="plain-secret") == 0
        with connect(server, **other):
            assert failure(lambda: connect(server, **other))["arguments"] == \
                (1040, "Host '127.0.0.1' has a user with too many connections (ip_filter)")
        first.close()
        wait_for(lambda: refusal(server, **other) == 0, "the place to be free again")


def test_refusals_are_logged_some_a_second(filtered):
    server = filtered("deny 127.0.0.9\n")
    assert [refusal(server, "127.0.0.9") for _ in range(100)] == [1130] * 100
    lines = [line for line in server.log().splitlines()
             if "refused: Host '127.0.0.9' is not allowed to connect to this server: user=" in line]
    seconds = [line.split(".")[0] for line in lines]
    assert lines and max(map(seconds.count, seconds)) <= 21  # the clock may turn between a count and its line

    def counted():
        refusal(server, "127.0.0.9")
        log = server.log()
        written = sum("refused: Host '127.0.0.9'" in line for line in log.splitlines())
        missing = sum(int(n) for n in re.findall(r"and (\d+) more refusals", log))
        return written + missing == int(ask_status(server, "Ip_filter_refused"))

    wait_for(counted, "the refusals that were left out to be counted")


def ask_status(server, name):
    with server.endpoint.connect(unix_socket=server.endpoint.socket, database=None) as admin, admin.cursor() as cursor:
        cursor.execute(f"SHOW STATUS LIKE '{name}'")
        return cursor.fetchall()[0][1]


def test_dry_run_logs_and_lets_pass(filtered):
    server = filtered("deny 127.0.0.1\n", dry_run=True)
    assert refusal(server) == 0
    server.stop()
    assert f"dry_run: would refuse: Host '127.0.0.1' is not allowed to connect to this server: user={USER}" in server.log()


def test_changing_the_user_asks_the_rules_again(filtered):
    server = filtered("deny nopassword@any\n")
    with server.endpoint.raw(user="plain", password="plain-secret", database=None) as connection:
        with pytest.raises(raw.ServerError) as refused:
            connection.change_user("nopassword", "")
        assert refused.value.number == 1130
