// SPDX-License-Identifier: Apache-2.0
// The error of a login, or of the statement after it, as mysql2 or mariadb has it.
'use strict';
const driver = process.argv[2];
const mysql = require(driver === 'mysql2' ? 'mysql2/promise' : 'mariadb');

(async () => {
    let connection = null;
    try {
        connection = await mysql.createConnection({
            host: process.env.WEIR_TEST_HOST, port: Number(process.env.WEIR_TEST_PORT),
            user: process.env.WEIR_TEST_USER, password: process.env.WEIR_TEST_PASSWORD,
        });
        connection.on('error', () => {}); // that it is closed afterwards
        await connection.query("SELECT 'wait for it'");
    } catch (error) {
        console.log(error.errno, error.sqlState, error.message);
    }
    process.exit(0);
})();
