<?php
// SPDX-License-Identifier: Apache-2.0
// PHP's mysqli, which is mysqlnd: logins, TLS, text, prepared, multi-queries, local files, asynchronous queries, ping.
require __DIR__ . '/where.php';
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function connect($user = null, $password = null, $tls = false) {
    $connection = mysqli_init();
    $connection->options(MYSQLI_OPT_LOCAL_INFILE, 1);
    if ($tls) {
        $connection->ssl_set(null, null, variable('CA'), null, null);
    }
    $connection->real_connect(variable('HOST'), $user ?? variable('USER'), $password ?? variable('PASSWORD'), variable('DATABASE'),
        (int)variable('PORT'), null, $tls ? MYSQLI_CLIENT_SSL : 0);
    $connection->set_charset('utf8mb4');
    return $connection;
}

function fetch($connection, $sql) {
    $result = $connection->query($sql);
    return $result === true ? [$connection->affected_rows, $connection->insert_id, $connection->info] : $result->fetch_all();
}

function who(...$arguments) {
    return fetch(connect(...$arguments), 'SELECT USER(), CURRENT_USER(), DATABASE()');
}

function prepared($connection) {
    $insert = $connection->prepare('INSERT INTO t (t, n, f, b) VALUES (?, ?, ?, ?)');
    for ($i = 0; $i < 3; $i++) {
        $text = $i == 1 ? null : 'Grüße 🌍';
        $number = '12345.678';
        $float = $i / 2;
        $blob = null;
        $insert->bind_param('ssdb', $text, $number, $float, $blob);
        $insert->send_long_data(3, str_repeat('x', $i * 100000));
        $insert->execute();
        show('prepared', $insert->affected_rows, $insert->insert_id);
    }
    $select = $connection->prepare('SELECT id, t, n, f, LENGTH(b) FROM t WHERE id > ?');
    foreach ([0, 1] as $id) {
        $select->execute([$id]);
        show('prepared', $select->get_result()->fetch_all());
    }
    // A cursor on the server's side.
    $cursor = $connection->prepare('SELECT seq FROM seq_1_to_500');
    $cursor->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
    $cursor->execute();
    $cursor->bind_result($seq);
    for ($sum = 0; $cursor->fetch(); $sum += $seq);
    show('prepared', 'cursor', $sum);
    $cursor->close();
    attempt('prepared', 'an error', fn() => $connection->prepare('SELECT ? FROM nowhere'));
}

function results($connection) {
    $connection->multi_query("SELECT 1; UPDATE t SET t = 'y' WHERE id < 3; SELECT 2, 3");
    do {
        $result = $connection->store_result();
        show('multi', $result ? $result->fetch_all() : $connection->affected_rows);
    } while ($connection->more_results() && $connection->next_result());
    attempt('multi', 'an error within', function () use ($connection) {
        $connection->multi_query('SELECT 1; SELEC; SELECT 3');
        do {
            $connection->store_result();
        } while ($connection->next_result());
    });
    $connection->query('CREATE PROCEDURE p(a INT) BEGIN SELECT a; SELECT a + 1; END');
    $connection->real_query('CALL p(5)');
    do {
        $result = $connection->store_result();
        show('multi', 'procedure', $result ? $result->fetch_all() : null);
    } while ($connection->more_results() && $connection->next_result());
    $connection->query('CREATE TABLE loaded (a INT, b VARCHAR(20))');
    attempt('infile', 'loaded', fn() => fetch($connection, "LOAD DATA LOCAL INFILE '" . variable('FILE') . "' INTO TABLE loaded"));
    attempt('infile', 'no such file', fn() => fetch($connection, "LOAD DATA LOCAL INFILE '/no/such/file' INTO TABLE loaded"));
    foreach (['SELEC 1', 'SELECT * FROM nowhere', 'INSERT INTO t (id) VALUES (1)', 'SELECT 1'] as $sql) {
        attempt('errors', $sql, fn() => fetch($connection, $sql));
    }
    attempt('large', 'sent', fn() => fetch($connection, "SELECT LENGTH('" . str_repeat('x', 17000000) . "')"));
    attempt('large', 'read', fn() => strlen(fetch($connection, "SELECT REPEAT('y', 17000000)")[0][0]));
    $values = [];
    for ($i = 0; $i < 5000; $i++) {
        $values[] = "('row $i', $i)";
    }
    attempt('bulk', 'insert', fn() => fetch($connection, 'INSERT INTO t (t, n) VALUES ' . implode(',', $values)));
    attempt('bulk', 'unbuffered', function () use ($connection) {
        $count = 0;
        foreach ($connection->query('SELECT * FROM t', MYSQLI_USE_RESULT) as $row) {
            $count++;
        }
        return $count;
    });
    $connection->change_user('plain', 'plain-secret', variable('DATABASE'));
    attempt('login', 'change_user', fn() => fetch($connection, 'SELECT CURRENT_USER()'));
}

function cancel($watcher) {
    foreach (["the driver's id", 'CONNECTION_ID()'] as $which) {
        $connection = connect();
        $id = $which == 'CONNECTION_ID()' ? fetch($connection, 'SELECT CONNECTION_ID()')[0][0] : $connection->thread_id;
        $start = microtime(true);
        $connection->query(SLEEP, MYSQLI_ASYNC);
        while (fetch($watcher, RUNNING)[0][0] == 0);
        attempt('cancel', "$which KILL", fn() => fetch($watcher, "KILL QUERY $id"));
        attempt('cancel', $which, fn() => $connection->reap_async_query()->fetch_all());
        show('cancel', 'soon', microtime(true) - $start < 20);
        attempt('cancel', 'and then', fn() => fetch($connection, 'SELECT 1'));
        show('ids', 'agree', $connection->thread_id == fetch($connection, 'SELECT CONNECTION_ID()')[0][0]);
    }
}

attempt('login', 'native', fn() => who());
attempt('login', 'no password', fn() => who('nopassword', ''));
attempt('login', 'ed25519', fn() => who('ed', 'ed-secret'));
attempt('login', 'wrong password', fn() => who(null, 'wrong'));
attempt('tls', 'verified', fn() => who(null, null, true));
$connection = connect();
fetch($connection, 'CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), n DECIMAL(20,5), f DOUBLE, b LONGBLOB)');
attempt('text', 'types', fn() => fetch($connection, "SELECT 1, -2.50, 'ä 🌍', NULL, DATE'2024-02-29', 1e10"));
prepared($connection);
attempt('text', 'update', fn() => fetch($connection, "UPDATE t SET f = 3 WHERE id < 3"));
results($connection);
$watcher = connect();
cancel($watcher);
$gone = idle(connect(), $watcher);
attempt('reconnect', 'a statement', fn() => fetch($gone, 'SELECT 1'));
attempt('reconnect', 'another', fn() => fetch($gone, 'SELECT 1'));
$gone = idle(connect(), $watcher);
attempt('pool', 'ping', fn() => @$gone->ping());
attempt('pool', 'ping of a living one', fn() => $watcher->ping());
