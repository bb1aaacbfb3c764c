# SPDX-License-Identifier: Apache-2.0
"""The table of clients: what each is, where it comes from, and how its program is run."""
import dataclasses
import typing

import get
from get import PROGRAMS


@dataclasses.dataclass(frozen=True)
class Client:
    name: str
    source: str                  # "Debian", "PyPI", "npm", "Maven", "Go", "crates.io"
    version: typing.Callable     # what is installed; raises get.Skipped
    command: typing.Callable     # the command to run; raises get.Skipped
    quick: bool = False          # seconds, and Debian's packages only: make test runs it too
    environment: dict = dataclasses.field(default_factory=dict)
    replace: tuple = ()          # further (pattern, text) for what differs by nature
    timeout: int = 240


def debian(package):
    return lambda: get.debian_version(package)


def python(program, *arguments):
    return lambda: ["/usr/bin/python3", PROGRAMS / program, *arguments]


def of_pypi(name):
    def version():
        folder = get.from_pypi()
        return get.run(folder / "bin" / "python", "-c", f"import importlib.metadata as m; print(m.version('{name}'))").strip()
    return version


def venv(program, *arguments):
    return lambda: [get.from_pypi() / "bin" / "python", PROGRAMS / program, *arguments]


def of_npm(name):
    def version():
        return get.run("node", "-p", f"require('{get.from_npm()}/node_modules/{name}/package.json').version").strip()
    return version


def node(program, *arguments):
    """What programs require is looked for by NODE_PATH, as the packages are not beside them."""
    return lambda: ["env", f"NODE_PATH={get.from_npm() / 'node_modules'}", "node", PROGRAMS / program, *arguments]


def prisma():
    """Its client is generated from the schema."""
    return ["env", f"NODE_PATH={get.prisma_client()}", "node", PROGRAMS / "with_prisma.js"]


def java(driver, jar):
    def command():
        return ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{get.java_classes()}:{jar()}", "ConnectorJ", driver]
    return command


MYSQL_JAR = ("com.mysql", "mysql-connector-j", "9.5.0")
MARIADB_JAR = ("org.mariadb.jdbc", "mariadb-java-client", "3.5.6")


def of_maven(jar):
    def version():
        get.from_maven(*jar)
        return jar[2]
    return version


# Which of the two this driver throws depends on whether the reply or the end of its own KILL is there first.
CANCELLED = ((r"MySQLStatementCancelledException 0 null|MySQLQueryInterruptedException 1317 .*", "cancelled"),)


# A connection that the other side has closed reads as its end, or as a reset when what was sent to it comes back first.
RESET = ((r" \(\[Errno 104\] Connection reset by peer\)", ""),)


def jdbc(tls, bulk="allowMultiQueries=true"):
    return {"WEIR_TEST_JDBC_TLS": tls, "WEIR_TEST_JDBC_BULK": bulk}


def of_go():
    found = get.run("go", "list", "-m", "github.com/go-sql-driver/mysql", cwd=get.from_go_modules())
    return found.split()[1]


def of_crates(name):
    def version():
        get.from_crates()
        tree = get.run("cargo", "tree", "--depth", "1", "--prefix", "none", cwd=PROGRAMS / "rust")
        return next(line.split()[1] for line in tree.splitlines() if line.startswith(f"{name} "))
    return version


def rust(program):
    return lambda: [get.from_crates() / "debug" / program]


CLIENTS = [
    Client("Connector/C", "Debian", debian("libmariadb3"), lambda: [get.c_program("connector_c")], quick=True),
    Client("MySQLdb", "Debian", debian("python3-mysqldb"), python("dbapi.py", "MySQLdb"), quick=True),
    Client("PyMySQL", "Debian", debian("python3-pymysql"), python("dbapi.py", "pymysql"), quick=True, replace=RESET),
    Client("PHP mysqli", "Debian", debian("php8.2-mysql"), lambda: ["php", PROGRAMS / "php_mysqli.php"], quick=True),
    Client("PHP PDO", "Debian", debian("php8.2-mysql"), lambda: ["php", "-d", "mysqlnd.net_read_timeout=40", PROGRAMS / "php_pdo.php"], quick=True),
    Client("Connector/J of MariaDB 2", "Debian", debian("libmariadb-java"),
           java("mariadb", lambda: "/usr/share/java/mariadb-java-client.jar"), quick=True,
           environment=jdbc("useSsl=true&trustServerCertificate=true", "useBulkStmts=true")),
    Client("go-sql-driver", "Debian", debian("golang-github-go-sql-driver-mysql-dev"), lambda: [get.go_of_debian() / "client"]),
    Client("DBD::MariaDB", "Debian", debian("libdbd-mariadb-perl"), lambda: ["perl", PROGRAMS / "dbd.pl", "MariaDB"], quick=True),
    Client("DBD::mysql", "Debian", debian("libdbd-mysql-perl"), lambda: ["perl", PROGRAMS / "dbd.pl", "mysql"], quick=True),
    Client("Ruby mysql2", "Debian", debian("ruby-mysql2"), lambda: ["ruby", PROGRAMS / "mysql2.rb"], quick=True),
    Client("npm mysql", "Debian", debian("node-mysql"),
           lambda: ["env", "NODE_PATH=/usr/share/nodejs", "node", PROGRAMS / "mysql2.js", "mysql"], quick=True),
    Client("SQLAlchemy 1", "Debian", debian("python3-sqlalchemy"), python("with_sqlalchemy.py", "mysqldb"), quick=True),
    Client("Django", "Debian", debian("python3-django"), python("with_django.py"), quick=True),
    Client("Connector/J of MySQL", "Maven", of_maven(MYSQL_JAR), java("mysql", lambda: get.from_maven(*MYSQL_JAR)),
           environment=jdbc("sslMode=REQUIRED"), replace=CANCELLED),
    Client("Connector/J of MariaDB 3", "Maven", of_maven(MARIADB_JAR), java("mariadb", lambda: get.from_maven(*MARIADB_JAR)),
           environment=jdbc("sslMode=trust", "useBulkStmts=true")),
    Client("Connector/Python of MySQL, C", "PyPI", of_pypi("mysql-connector-python"), venv("dbapi.py", "mysql.connector.c")),
    Client("Connector/Python of MySQL, pure", "PyPI", of_pypi("mysql-connector-python"), venv("dbapi.py", "mysql.connector.pure")),
    Client("Connector/Python of MariaDB", "PyPI", of_pypi("mariadb"), venv("dbapi.py", "mariadb")),
    Client("asyncmy", "PyPI", of_pypi("asyncmy"), venv("asynchronous.py", "asyncmy"), replace=RESET),
    Client("aiomysql", "PyPI", of_pypi("aiomysql"), venv("asynchronous.py", "aiomysql"), replace=RESET),
    Client("SQLAlchemy 2", "PyPI", of_pypi("SQLAlchemy"), venv("with_sqlalchemy.py", "pymysql"), replace=RESET),
    Client("go-sql-driver, newest", "Go", of_go, lambda: [get.from_go_modules() / "client"]),
    Client("sqlx", "crates.io", of_crates("sqlx"), rust("sqlx")),
    Client("mysql_async", "crates.io", of_crates("mysql_async"), rust("mysql_async")),
    Client("mysql2", "npm", of_npm("mysql2"), node("mysql2.js", "mysql2")),
    Client("mariadb", "npm", of_npm("mariadb"), node("mariadb.js")),
    Client("Sequelize", "npm", of_npm("sequelize"), node("with_sequelize.js")),
    Client("TypeORM", "npm", of_npm("typeorm"), node("with_typeorm.js")),
    Client("Prisma", "npm", of_npm("@prisma/client"), prisma),
]
