<?php
// SPDX-License-Identifier: Apache-2.0
//
// mysqli, whose connection ends while it waits for a line: what it says of it, and that it can connect again.
[, $host, $port, $cause] = $argv;
mysqli_report(MYSQLI_REPORT_OFF);
$db = mysqli_init();
$db->real_connect($host, 'tester', 's3cret', null, (int)$port);
$id = $db->query('SELECT CONNECTION_ID()')->fetch_row()[0];
if ($cause === 'timeout') {
    $db->query('SET wait_timeout = 1');
}
echo "$id\n";
fgets(STDIN);
echo 'ping: ', var_export($db->ping(), true), " $db->errno $db->error\n";
echo 'query: ', var_export((bool)@$db->query('SELECT 1'), true), " $db->errno $db->error\n";
@$db->close();
$db = new mysqli($host, 'tester', 's3cret', null, (int)$port);
echo 'again: ', $db->query('SELECT 1')->fetch_row()[0], "\n";
