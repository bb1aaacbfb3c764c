# SPDX-License-Identifier: Apache-2.0
"""Servers that are clients of another: a replica, and a server with FEDERATED tables."""
import get
from harness.endpoint import DATABASE, PASSWORD, USER
from harness.mariadb import MariaDB
from harness.paths import mariadb_plugin_dir
from harness.waiting import wait_for

WORK = [f"CREATE TABLE {DATABASE}.r (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), b LONGBLOB)",
        f"INSERT INTO {DATABASE}.r (t) SELECT CONCAT('ä', seq) FROM {DATABASE}.seq_1_to_2000",
        f"UPDATE {DATABASE}.r SET t = 'x' WHERE id % 3 = 0",
        f"INSERT INTO {DATABASE}.r (b) VALUES (REPEAT('b', 17000000))",
        f"DELETE FROM {DATABASE}.r WHERE id % 7 = 0"]
SUM = f"SELECT COUNT(*), MD5(GROUP_CONCAT(COALESCE(t, LENGTH(b)) ORDER BY id)) FROM {DATABASE}.r"


def _other(place, name, *options):
    folder = place.folder / name
    folder.mkdir()
    server = MariaDB(folder, ["--server-id=2", "--max-allowed-packet=64M", *options])
    server.start()
    return server


def _status(replica, *names):
    with replica.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW SLAVE STATUS")
        row = dict(zip([column[0] for column in cursor.description], cursor.fetchone()))
    return [row[name] for name in names]


def _caught_up(place, replica):
    position = place.database.execute("SELECT @@gtid_binlog_pos")[0][0]
    wait_for(lambda: replica.execute("SELECT @@gtid_slave_pos")[0][0] == position
             or _status(replica, "Last_IO_Error", "Last_SQL_Error") != ["", ""], "the replica to have caught up", 120)
    return [f"errors {_status(replica, 'Last_IO_Error', 'Last_SQL_Error', 'Slave_IO_Running', 'Slave_SQL_Running')}",
            f"same {replica.execute(SUM) == place.database.execute(SUM)}", f"rows {replica.execute(SUM)}"]


def replica(place, endpoint):
    """Follows by GTID with four threads; is stopped, and catches up; its own threads are seen by the primary."""
    start = place.database.execute("SELECT @@gtid_binlog_pos")[0][0]
    place.database.execute(*WORK)
    other = _other(place, f"replica-{endpoint.name}", "--slave-parallel-threads=4", "--slave-parallel-mode=optimistic", "--log-slave-updates")
    try:
        other.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4", f"SET GLOBAL gtid_slave_pos = '{start}'",
                      f"CHANGE MASTER TO MASTER_HOST='{endpoint.host}', MASTER_PORT={endpoint.port}, MASTER_USER='{USER}', "
                      f"MASTER_PASSWORD='{PASSWORD}', MASTER_USE_GTID=slave_pos, MASTER_HEARTBEAT_PERIOD=1", "START SLAVE")
        lines = _caught_up(place, other)
        hosts = place.database.execute("SHOW SLAVE HOSTS")
        lines.append(f"registered {[row[0] for row in hosts]}")
        other.execute("STOP SLAVE")
        place.database.execute(f"INSERT INTO {DATABASE}.r (t) SELECT seq FROM {DATABASE}.seq_1_to_500")
        other.execute("START SLAVE")
        lines += ["after a pause", *_caught_up(place, other)]
        # Each transaction of its own, so that the threads have something to share.
        with place.database.connect() as connection, connection.cursor() as cursor:
            for i in range(300):
                cursor.execute(f"INSERT INTO {DATABASE}.r (t) VALUES ('single {i}')")
        lines += ["single transactions", *_caught_up(place, other)]
        other.execute("STOP SLAVE")
        return lines
    finally:
        other.process.kill()


def federated_version():
    if not (mariadb_plugin_dir() / "ha_federatedx.so").exists():
        raise get.Skipped("ha_federatedx.so of Debian's mariadb-server is not there")
    return get.debian_version("mariadb-server-core")


def federated(place, endpoint):
    place.database.execute(f"CREATE TABLE {DATABASE}.f (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), KEY (t))",
                           f"INSERT INTO {DATABASE}.f (t) SELECT CONCAT('ä', seq) FROM {DATABASE}.seq_1_to_500")
    other = _other(place, f"federated-{endpoint.name}", "--plugin-load-add=ha_federatedx")
    try:
        lines = []
        for statement in (f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4",
                          f"CREATE TABLE {DATABASE}.f (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), KEY (t)) ENGINE=FEDERATED "
                          f"CONNECTION='mysql://{USER}:{PASSWORD}@{endpoint.host}:{endpoint.port}/{DATABASE}/f'",
                          f"SELECT COUNT(*), MAX(t) FROM {DATABASE}.f", f"INSERT INTO {DATABASE}.f (t) VALUES ('a'), ('b')",
                          f"UPDATE {DATABASE}.f SET t = 'c' WHERE t = 'a'", f"DELETE FROM {DATABASE}.f WHERE id < 10",
                          f"SELECT * FROM {DATABASE}.f WHERE t = 'ä77' OR id > 495"):
            lines.append(str(other.execute(statement)))
        return [*lines, str(place.database.execute(f"SELECT COUNT(*), MAX(t) FROM {DATABASE}.f"))]
    finally:
        other.process.kill()
