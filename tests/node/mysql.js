// SPDX-License-Identifier: Apache-2.0
// mysql: the old driver, which answers the greeting's scramble and knows no other method unless told to (authPlugins).
'use strict';
const mysql = require('mysql');
const { options, show, failure, run } = require('./where');

const promised = (object, name, ...values) => new Promise((resolve, reject) =>
    object[name](...values, (error, result) => error ? reject(error) : resolve(result)));

run(async () => {
    const connection = mysql.createConnection({ ...options, multipleStatements: true, dateStrings: true });
    await promised(connection, 'connect');
    await promised(connection, 'query', 'CREATE TABLE node (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), b BLOB)');
    show('insert', await promised(connection, 'query', 'INSERT INTO node (t, b) VALUES (?, ?), (NULL, NULL)',
        ['Grüße', Buffer.from([0, 255, 254])]));
    show('text', await promised(connection, 'query', 'SELECT * FROM node ORDER BY id'));
    show('multiple', await promised(connection, 'query', 'SELECT 1 AS a; UPDATE node SET t = t WHERE 0; SELECT 2 AS b'));
    show('error', await promised(connection, 'query', 'SELECT * FROM nowhere').catch(failure));
    show('ping', (await promised(connection, 'ping')).affectedRows);
    await promised(connection, 'changeUser', { user: 'plain', password: 'plain-secret' });
    show('changed user', await promised(connection, 'query', 'SELECT CURRENT_USER() AS u'));
    show('wrong change', await promised(connection, 'changeUser', { user: 'plain', password: 'wrong' }).catch(failure));
    connection.destroy();

    for (const account of [{ user: 'nopassword', password: '' }, { user: 'two_ways', password: 'native-secret' },
        { user: 'ed', password: 'ed-secret' }, { password: 'wrong' }, { user: 'nobody-knows-me' }, { database: 'no_such_database' }]) {
        const other = mysql.createConnection({ ...options, ...account });
        show('login ' + JSON.stringify(account), await promised(other, 'connect').then(() => 'is in', failure));
        other.destroy();
    }

    const pool = mysql.createPool({ ...options, connectionLimit: 3 });
    const jobs = Array.from({ length: 12 }, (_, i) => promised(pool, 'query', 'SELECT ? AS i, SLEEP(0.01)', [i]));
    show('pool', (await Promise.all(jobs)).map((rows) => rows[0].i));
    await promised(pool, 'end');
});
