<?php
// SPDX-License-Identifier: Apache-2.0
//
// The error of a login, or of the statement after it, as mysqli or PDO has it. "compress": the client compresses.
$host = getenv('WEIR_TEST_HOST');
$port = (int)getenv('WEIR_TEST_PORT');
[$user, $password] = [getenv('WEIR_TEST_USER'), getenv('WEIR_TEST_PASSWORD')];
$compresses = ($argv[2] ?? '') === 'compress';
try {
    if ($argv[1] === 'mysqli') {
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        $db = mysqli_init();
        $db->real_connect($host, $user, $password, null, $port, null, $compresses ? MYSQLI_CLIENT_COMPRESS : 0);
    } else {
        $db = new PDO("mysql:host=$host;port=$port", $user, $password,
            [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::MYSQL_ATTR_COMPRESS => $compresses]);
    }
    $db->query("SELECT 'wait for it'");
    echo "no error\n";
} catch (Exception $error) {
    echo $error->getCode(), ' ', $error->getMessage(), "\n";
}
