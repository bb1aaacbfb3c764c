# SPDX-License-Identifier: Apache-2.0
"""weir's own errors as clients read them: number, SQLSTATE and message arrive whole. Connector/C and what stands on it would
say "2027 Received malformed packet" to a number that is for clients only."""
import re
import threading

import pytest
from harness import raw
from harness.fake_backend import OK, FakeBackend
from harness.observe import failure
from harness.paths import INTEGRATION, NODE, ROOT, program

pytestmark = pytest.mark.gateway_only

ROW = re.compile(r'X\((\d+), WIRE_ER_\w+, "(\w{5})",\s*((?:"[^"]*"\s*)+)\)')


def table():
    """Number, SQLSTATE and when, as src/wire/errors.h has them."""
    text = (ROOT / "src/wire/errors.h").read_text().replace("\\\n", "\n")
    return [(int(number), state, "".join(re.findall(r'"([^"]*)"', when))) for number, state, when in ROW.findall(text)]


def test_the_document_has_the_table():
    lines = (ROOT / "docs/errors.md").read_text().splitlines()
    shown = [tuple(cell.strip() for cell in line.strip("|").split("|")[:3]) for line in lines if re.match(r"\| \d{4} ", line)]
    assert shown == [(str(number), state, when) for number, state, when in table()] and len(shown) > 20


def test_no_number_is_a_clients():
    assert not [number for number, *_ in table() if 2000 <= number < 3000 or 5000 <= number < 6000]


def test_no_number_is_written_outside_of_the_table():
    """Errors are named in the code; a bare number would escape the table."""
    found = []
    for path in [*ROOT.glob("src/gateway/**/*.c"), *ROOT.glob("src/plugin/host/*.c")]:
        text = path.read_text()
        found += [(path.name, match) for match in re.findall(r"(?:session_fail|local_fail|answer_error)\([^;]*?[ ,(]([1-9]\d{3}),", text)]
        found += [(path.name, match) for match in re.findall(r"\.code = (\d+)", text)]
    assert not found


# ---- Clients

def shell(endpoint):
    done = endpoint.shell("SELECT 'wait for it'", "--connect-timeout=10", database="", check=False)
    return re.sub(r"ERROR (\d+) \((\w+)\)(?: at line 1)?: ", r"\1 \2 ", done.stderr)


def mysqldb(endpoint):
    def use():
        connection = endpoint.connect_c(database="")
        connection.query("SELECT 'wait for it'")
        connection.store_result()

    return " ".join(str(word) for word in failure(use)["arguments"])


def pymysql(endpoint):
    return " ".join(str(word) for word in failure(lambda: endpoint.connect(database=None).query("SELECT 'wait for it'"))["arguments"])


def script(*command):
    return lambda endpoint: endpoint.run(*command, check=False).stdout


CLIENTS = {
    "shell": shell, "MySQLdb": mysqldb, "PyMySQL": pymysql,
    "DBD::MariaDB": script(program("perl"), INTEGRATION / "clients" / "error.pl", "MariaDB"),
    "DBD::mysql": script(program("perl"), INTEGRATION / "clients" / "error.pl", "mysql"),
    "mysqli": script(program("php"), INTEGRATION / "clients" / "error.php", "mysqli"),
    "PDO": script(program("php"), INTEGRATION / "clients" / "error.php", "PDO"),
    "mysql2": script(program("node"), NODE / "error.js", "mysql2"),
    "mariadb": script(program("node"), NODE / "error.js", "mariadb"),
}


class Backend(FakeBackend):
    """Answers all with OK, but for one statement: then it goes, or says nothing more."""

    def __init__(self, goes):
        self.is_asked = threading.Event()
        self.goes = goes
        super().__init__(self.answer)

    def answer(self, connection):
        if not connection.greet(raw.BASIC | raw.PLUGIN_AUTH):
            return
        connection.write(OK)
        while (payload := connection.read()) is not None:
            if b"wait for it" not in payload:
                connection.result(b"utf8mb4") if payload[1:7].upper() == b"SELECT" else connection.write(OK)
            elif self.goes:
                return
            else:
                self.is_asked.set()


@pytest.fixture(params=CLIENTS)
def client(request):
    if request.param in ("mysql2", "mariadb"):
        request.getfixturevalue("node_modules")
    return CLIENTS[request.param]


def test_the_backend_is_lost_while_a_statement_runs(gateway, client):
    backend = Backend(goes=True)
    server = gateway(backend.address)
    said = client(server.endpoint)
    assert "1927" in said and "closed the connection while a statement was running" in said, said
    backend.close()


def test_the_backend_is_down_at_the_login(gateway, client):
    backend = Backend(goes=True)
    server = gateway(backend.address)
    backend.close()
    said = client(server.endpoint)
    assert "1429" in said and f"weir: cannot connect to the backend {backend.address}" in said, said


def test_the_gateway_ends_while_a_statement_runs(gateway, client):
    backend = Backend(goes=False)
    server = gateway(backend.address, options=["-drain-timeout", "1"])
    thread = threading.Thread(target=lambda: backend.is_asked.wait(20) and server.interrupt())
    thread.start()
    said = client(server.endpoint)
    thread.join()
    assert "1053" in said and "Server shutdown in progress" in said, said
    assert server.process.wait(20) == 2
    backend.close()


def test_sqlalchemy_takes_it_for_a_lost_connection(gateway):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    backend = Backend(goes=True)
    server = gateway(backend.address)
    for driver in ("mysqldb", "pymysql"):
        dialect = sqlalchemy.create_engine(f"mysql+{driver}://").dialect
        connect = server.endpoint.connect_c if driver == "mysqldb" else server.endpoint.connect
        connection = connect(**{"database": "" if driver == "mysqldb" else None})
        with pytest.raises(dialect.dbapi.OperationalError) as lost:
            connection.cursor().execute("SELECT 'wait for it'")
        assert dialect.is_disconnect(lost.value, connection, None)
    backend.close()
