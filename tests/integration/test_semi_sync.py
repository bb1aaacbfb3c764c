# SPDX-License-Identifier: Apache-2.0
"""A replica that acknowledges what it has received (semi-synchronous replication) while the primary goes on sending: both
sides speak at once. The replica reads its primary through the gateway."""
import pytest
from harness.endpoint import PASSWORD, USER
from harness.events import names
from harness.waiting import wait_for

COMMITS = 1000
PRIMARY = ["--rpl-semi-sync-master-enabled=ON", "--rpl-semi-sync-master-timeout=10000",
           "--rpl-semi-sync-master-wait-no-slave=OFF"]
REPLICA = ["--rpl-semi-sync-slave-enabled=ON", "--server-id=2", "--slave-parallel-threads=2"]


def status(server, name):
    return server.execute(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1]


def replica_status(replica, name):
    with replica.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW SLAVE STATUS")
        return dict(zip([column[0] for column in cursor.description], cursor.fetchone()))[name]


def acknowledged(primary):
    return {name: int(status(primary, f"Rpl_semi_sync_master_{name}")) for name in ("yes_tx", "no_tx", "clients")}


def commit(primary, count):
    with primary.connect() as connection, connection.cursor() as cursor:
        for number in range(count):
            cursor.execute("INSERT INTO replicated.t (b) VALUES (REPEAT('x', %s))", (number,))


@pytest.fixture(scope="module")
def primary(other_database):
    server = other_database("primary", *PRIMARY)
    server.execute("CREATE DATABASE replicated", "CREATE TABLE replicated.t (a INT AUTO_INCREMENT PRIMARY KEY, b TEXT)",
                   "RESET MASTER")
    return server


@pytest.fixture(scope="module")
def replica(other_database):
    server = other_database("replica", *REPLICA)
    server.execute("CREATE DATABASE replicated", "CREATE TABLE replicated.t (a INT AUTO_INCREMENT PRIMARY KEY, b TEXT)")
    return server


@pytest.mark.time_limit(180)
@pytest.mark.parametrize("position", ["gtid", "file"])
def test_no_commit_waits_for_its_acknowledgement(gateway, primary, replica, position):
    server = gateway(primary.address, plugins=["recorder-1"])
    log, offset = primary.execute("SHOW MASTER STATUS")[0][:2]
    place = ("MASTER_USE_GTID = slave_pos" if position == "gtid"
             else f"MASTER_USE_GTID = no, MASTER_LOG_FILE = '{log}', MASTER_LOG_POS = {offset}")
    if position == "gtid":
        replica.execute(f"SET GLOBAL gtid_slave_pos = '{primary.execute('SELECT @@GLOBAL.gtid_binlog_pos')[0][0]}'")
    replica.execute(f"CHANGE MASTER TO MASTER_HOST = '{server.host}', MASTER_PORT = {server.port}, MASTER_USER = '{USER}', "
                    f"MASTER_PASSWORD = '{PASSWORD}', MASTER_CONNECT_RETRY = 1, {place}", "START SLAVE")
    try:
        wait_for(lambda: acknowledged(primary)["clients"] == 1, "the replica to be semi-synchronous")
        before = acknowledged(primary)
        commit(primary, COMMITS)
        after = acknowledged(primary)
        assert after["no_tx"] == before["no_tx"] and after["yes_tx"] - before["yes_tx"] == COMMITS
        assert status(primary, "Rpl_semi_sync_master_status") == "ON"
        rows = primary.execute("SELECT COUNT(*) FROM replicated.t")
        wait_for(lambda: replica.execute("SELECT COUNT(*) FROM replicated.t") == rows, "the replica to have all rows", 60)
        assert replica_status(replica, "Last_Error") == "" and replica_status(replica, "Last_IO_Error") == ""
    finally:
        replica.execute("STOP SLAVE", "RESET SLAVE ALL")  # it closes, and ends its dump by a KILL
    wait_for(lambda: acknowledged(primary)["clients"] == 0, "the primary to know that the replica has gone")
    dumps = [e for e in server.events.all() if e["event"] == "Starting" and e["command"] == "Binlog Dump"]
    assert dumps, "the dump was not seen"
    found = server.events.ended(dumps[0]["connection_id"])
    assert [name for name in names(found) if "Binlog" in name] == ["Starting Binlog Dump", "Error Binlog Dump"]
    assert names(found)[-1] == "Disconnect"
    wait_for(lambda: not primary.execute("SELECT 1 FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'"),
             "the primary to end its dump")
