# SPDX-License-Identifier: Apache-2.0
"""What the tests of sql_firewall share: a database with what is to be protected, gateways with the plugin."""
import itertools

import pytest
from harness.packaging import package
from harness.paths import INTEGRATION, ROOT

FILES = INTEGRATION / "firewall"
RULES = (FILES / "rules.toml").read_text()
SCHEMA = [
    "CREATE OR REPLACE DATABASE firewall",
    "CREATE TABLE firewall.secret (word VARCHAR(20))",
    "INSERT INTO firewall.secret VALUES ('xyzzy')",
    "CREATE TABLE firewall.target (id INT, name VARCHAR(20))",
    "INSERT INTO firewall.target VALUES (1, 'one'), (2, 'two'), (3, 'three')",
    "CREATE TABLE firewall.`naïve` (word VARCHAR(20))",
    "CREATE TABLE firewall.`naîve` (word VARCHAR(20))",
    "INSERT INTO firewall.`naîve` VALUES ('xyzzy')",
    "CREATE PROCEDURE firewall.show_target(i INT) SELECT name FROM target WHERE id = i",
    "CREATE PROCEDURE firewall.names_gbk() SET NAMES gbk",
    "CREATE PROCEDURE firewall.drop_target() DROP TABLE target",
]
GOODS = "SELECT (SELECT GROUP_CONCAT(id, name ORDER BY id) FROM firewall.target WHERE id < 7), (SELECT word FROM firewall.secret)"
BLOCKED = "Statement blocked by sql_firewall: rule "


@pytest.fixture(scope="module")
def firewalled(database):
    """The database with what is to be protected, and the accounts that try."""
    users = [f"CREATE OR REPLACE USER {user}@'%' IDENTIFIED BY '{user}'" for user in ("ruled", "tabled", "listed")]
    database.execute(*SCHEMA, *users, "GRANT ALL ON *.* TO ruled@'%', tabled@'%', listed@'%'")
    return database


@pytest.fixture(scope="module")
def firewall(plugins):
    package(ROOT / "plugin" / "sql_firewall", plugins)
    return "sql_firewall-1"


@pytest.fixture(scope="module")
def make_firewall(make_gateway, firewalled, firewall, tmp_path_factory):
    numbers = itertools.count()
    made = []

    def make(mode, rules=RULES, folder=None, plugins=(), options=(), **settings):
        folder = folder or tmp_path_factory.mktemp(f"fw{next(numbers)}")
        (folder / "rules.toml").write_text(rules)
        (folder / "weir.toml").write_text(f'[plugin.sql_firewall]\nmode = "{mode}"\nrules = "{folder}/rules.toml"\n'
                                          f'allow_list = "{folder}/allow"\n')
        server = make_gateway(firewalled.address, plugins=[firewall, *plugins],
                              options=["-config", folder / "weir.toml", *options], **settings)
        server.rules, server.allow_list, server.work = folder / "rules.toml", folder / "allow", folder
        made.append(server)
        return server

    yield make
    for server in made:
        if server.process.alive():
            server.stop()


def connect(server, account, **options):
    return server.endpoint.raw(user=account, password=account, database="firewall", **options)
