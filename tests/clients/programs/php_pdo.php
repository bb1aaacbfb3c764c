<?php
// SPDX-License-Identifier: Apache-2.0
// PHP's PDO: logins, TLS, prepared statements emulated and real, several results, local files, persistent connections.
require __DIR__ . '/where.php';

function connect($user = null, $password = null, $options = []) {
    return new PDO('mysql:charset=utf8mb4;host=' . variable('HOST') . ';port=' . variable('PORT') . ';dbname=' . variable('DATABASE'),
        $user ?? variable('USER'), $password ?? variable('PASSWORD'),
        $options + [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::MYSQL_ATTR_LOCAL_INFILE => true]);
}

function fetch($connection, $sql) {
    $statement = $connection->query($sql);
    return $statement->columnCount() ? $statement->fetchAll(PDO::FETCH_NUM) : [$statement->rowCount(), $connection->lastInsertId()];
}

function who(...$arguments) {
    return fetch(connect(...$arguments), 'SELECT USER(), CURRENT_USER(), DATABASE()');
}

function prepared($how, $emulated) {
    $connection = connect(null, null, [PDO::ATTR_EMULATE_PREPARES => $emulated]);
    fetch($connection, 'CREATE OR REPLACE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), n DECIMAL(20,5), f DOUBLE, b LONGBLOB)');
    $insert = $connection->prepare('INSERT INTO t (t, n, f, b) VALUES (?, ?, ?, ?)');
    foreach (['Grüße 🌍', null, "it's"] as $i => $text) {
        $insert->bindValue(1, $text);
        $insert->bindValue(2, '12345.678');
        $insert->bindValue(3, $i / 2);
        $insert->bindValue(4, str_repeat('x', 100000 * $i), PDO::PARAM_LOB);
        attempt('prepared', $how, fn() => [$insert->execute(), $insert->rowCount(), $connection->lastInsertId()]);
    }
    $select = $connection->prepare('SELECT id, t, n, f, LENGTH(b) FROM t WHERE id > :id');
    foreach ([0, 1] as $id) {
        attempt('prepared', $how, fn() => [$select->execute(['id' => $id]), $select->fetchAll(PDO::FETCH_NUM)]);
    }
    attempt('prepared', "$how, an error", fn() => $connection->prepare('SELECT ? FROM nowhere')->execute([1]));
    $values = implode(',', array_fill(0, 3000, '(?, ?)'));
    $arguments = [];
    for ($i = 0; $i < 3000; $i++) {
        array_push($arguments, "row $i", $i);
    }
    attempt('bulk', $how, fn() => $connection->prepare("INSERT INTO t (t, n) VALUES $values")->execute($arguments));
    attempt('bulk', $how, fn() => fetch($connection, 'SELECT COUNT(*), SUM(n), MAX(t) FROM t'));
}

function results($connection) {
    attempt('text', 'types', fn() => fetch($connection, "SELECT 1, -2.50, 'ä 🌍', NULL, DATE'2024-02-29', 1e10"));
    $connection->exec('CREATE PROCEDURE p(a INT) BEGIN SELECT a; SELECT a + 1; END');
    foreach (['SELECT 1; SELECT 2, 3', 'CALL p(5)', 'SELECT 1; SELEC'] as $sql) {
        attempt('multi', $sql, function () use ($connection, $sql) {
            $statement = $connection->query($sql);
            $seen = [];
            do {
                $seen[] = $statement->columnCount() ? $statement->fetchAll(PDO::FETCH_NUM) : $statement->rowCount();
            } while ($statement->nextRowset());
            return $seen;
        });
    }
    $connection->exec('CREATE TABLE loaded (a INT, b VARCHAR(20))');
    attempt('infile', 'loaded', fn() => $connection->exec("LOAD DATA LOCAL INFILE '" . variable('FILE') . "' INTO TABLE loaded"));
    $connection->beginTransaction();
    $connection->exec('DELETE FROM loaded');
    $connection->rollBack();
    attempt('text', 'rolled back', fn() => fetch($connection, 'SELECT COUNT(*) FROM loaded'));
    foreach (['SELEC 1', 'SELECT * FROM nowhere', 'INSERT INTO t (id) VALUES (1)', 'SELECT 1'] as $sql) {
        attempt('errors', $sql, fn() => fetch($connection, $sql));
    }
}

attempt('login', 'native', fn() => who());
attempt('login', 'no password', fn() => who('nopassword', ''));
attempt('login', 'ed25519', fn() => who('ed', 'ed-secret'));
attempt('login', 'wrong password', fn() => who(null, 'wrong'));
attempt('tls', 'verified', fn() => who(null, null, [PDO::MYSQL_ATTR_SSL_CA => variable('CA')]));
prepared('emulated', true);
prepared('real', false);
$watcher = connect();
results($watcher);
$gone = idle(connect(), $watcher);
attempt('reconnect', 'a statement', fn() => fetch($gone, 'SELECT 1'));
attempt('reconnect', 'another', fn() => fetch($gone, 'SELECT 1'));
$gone = null;
// A persistent connection is checked when it is taken again.
$kept = idle(connect(null, null, [PDO::ATTR_PERSISTENT => true]), $watcher);
$kept = null;
attempt('pool', 'persistent', fn() => fetch(connect(null, null, [PDO::ATTR_PERSISTENT => true]), 'SELECT 1'));
attempt('compression', 'asked for', fn() => fetch(connect(null, null, [PDO::MYSQL_ATTR_COMPRESS => true]), 'SELECT 1'));
