<?php
// SPDX-License-Identifier: Apache-2.0
// What the programs in PHP share: where to connect, and lines of `feature: outcome`.
const SLEEP = 'SELECT SLEEP(30)';
const RUNNING = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(30)'";
const LOCK = "SELECT GET_LOCK('idle', 0)";
const GONE = "SELECT GET_LOCK('idle', 60)";
const RELEASE = "SELECT RELEASE_LOCK('idle')";
error_reporting(E_ALL & ~E_WARNING & ~E_DEPRECATED);
ini_set('memory_limit', '512M');

function variable($name) {
    return getenv("WEIR_TEST_$name");
}

function show($feature, ...$outcome) {
    echo "$feature: ", json_encode($outcome, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}

function attempt($feature, $what, $call) {
    try {
        show($feature, $what, $call());
    } catch (Throwable $error) {
        show($feature, $what, get_class($error), $error->getCode(), $error->getMessage());
    }
}

/* Returns the connection once the server has closed it: the program's fetch() runs statements. */
function idle($connection, $watcher) {
    fetch($connection, 'SET SESSION wait_timeout = 1');
    fetch($connection, LOCK);
    fetch($watcher, GONE);
    fetch($watcher, RELEASE);
    usleep(300000);
    return $connection;
}
