# SPDX-License-Identifier: Apache-2.0
"""Servers that are clients of another: a replica, and servers whose tables are another's."""
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


# Engines whose tables are another server's: the end of CREATE TABLE that says where, by the engine's name.
LINKS = {
    "federatedx": "ENGINE=FEDERATED CONNECTION='mysql://{user}:{password}@{host}:{port}/{database}/f'",
    "spider": "ENGINE=SPIDER COMMENT='wrapper \"mysql\", host \"{host}\", port \"{port}\", user \"{user}\", password \"{password}\", "
              "database \"{database}\", table \"f\"'",
    "connect": "ENGINE=CONNECT TABLE_TYPE=MYSQL CONNECTION='mysql://{user}:{password}@{host}:{port}/{database}/f'",
}


def linked_version(engine):
    def version():
        if not (mariadb_plugin_dir() / f"ha_{engine}.so").exists():
            raise get.Skipped(f"ha_{engine}.so is not there: tools/bootstrap.sh clients takes it out of Debian's package")
        return get.debian_version("mariadb-server-core")
    return version


def linked(engine):
    """Statements on a server whose table is that of the place's, which the engine reads and writes as a client."""
    def run(place, endpoint):
        place.database.execute(f"CREATE TABLE {DATABASE}.f (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), KEY (t))",
                               f"INSERT INTO {DATABASE}.f (t) SELECT CONCAT('ä', seq) FROM {DATABASE}.seq_1_to_500")
        link = LINKS[engine].format(user=USER, password=PASSWORD, host=endpoint.host, port=endpoint.port, database=DATABASE)
        other = _other(place, f"{engine}-{endpoint.name}", f"--plugin-load-add=ha_{engine}")
        try:
            lines = []
            for statement in (f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4",
                              f"CREATE TABLE {DATABASE}.f (id INT NOT NULL PRIMARY KEY, t VARCHAR(100)) {link}",
                              f"SELECT COUNT(*), MAX(t) FROM {DATABASE}.f", f"INSERT INTO {DATABASE}.f VALUES (600, 'a'), (601, 'b')",
                              f"UPDATE {DATABASE}.f SET t = 'c' WHERE t = 'a'", f"DELETE FROM {DATABASE}.f WHERE id < 10",
                              f"SELECT * FROM {DATABASE}.f WHERE t = 'ä77' OR id > 495 ORDER BY id",
                              f"SELECT a.id FROM {DATABASE}.f a JOIN {DATABASE}.f b ON a.id = b.id + 590 ORDER BY 1"):
                lines.append(str(other.execute(statement)))
            return [*lines, str(place.database.execute(f"SELECT COUNT(*), MAX(t) FROM {DATABASE}.f"))]
        finally:
            other.process.kill()
    return run
