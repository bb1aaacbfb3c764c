// SPDX-License-Identifier: Apache-2.0
// mysql2: text and prepared statements, cached statements, streams, change user, a pool, a local file.
'use strict';
const { Readable } = require('stream');
const mysql = require('mysql2/promise');
const { options, show, failure, run } = require('./where');

run(async () => {
    const connection = await mysql.createConnection({ ...options, multipleStatements: true, dateStrings: true });
    await connection.query('CREATE TABLE node (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), d DATETIME(3), ' +
        'b BLOB, n DECIMAL(20,5), big BIGINT, j JSON)');
    show('insert', (await connection.execute(
        'INSERT INTO node (t, d, b, n, big, j) VALUES (?, ?, ?, ?, ?, ?), (NULL, NULL, NULL, NULL, NULL, NULL)',
        ['Grüße 🌍', '2024-02-29 12:34:56.789', Buffer.from([0, 255, 254]), '12345.67890', '9007199254740993', '{"a":[1]}']))[0]);
    show('text', (await connection.query('SELECT * FROM node ORDER BY id'))[0]);
    for (let i = 0; i < 3; i++) { // the driver keeps the prepared statement
        show('prepared', (await connection.execute('SELECT *, ? AS p FROM node WHERE id >= ? ORDER BY id', ['v' + i, i]))[0]);
    }
    show('multiple', (await connection.query('SELECT 1 AS a; UPDATE node SET t = t WHERE 0; SELECT 2 AS b'))[0]);
    show('error', await connection.query('SELECT * FROM nowhere').catch(failure));
    show('prepare error', await connection.execute('SELEC ?', [1]).catch(failure));

    // Queued by the driver without waiting.
    const queued = [];
    for (let i = 0; i < 200; i++) queued.push(connection.execute('SELECT ? AS i, ? AS s', [i, 'x'.repeat(i)]));
    show('queued', (await Promise.all(queued)).map(([rows]) => rows[0].i + rows[0].s.length));

    const rows = [];
    for await (const row of connection.connection.query('SELECT seq FROM seq_1_to_20000').stream()) rows.push(row.seq);
    show('stream', [rows.length, rows[0], rows[rows.length - 1]]);

    show('local file', (await connection.query({
        sql: "LOAD DATA LOCAL INFILE 'mine' INTO TABLE node FIELDS TERMINATED BY ',' (t, n)",
        infileStreamFactory: () => Readable.from([Buffer.from('one,1.5\ntwo,2.5\n')]),
    }))[0]);
    show('loaded', (await connection.query('SELECT t, n FROM node ORDER BY id'))[0]);

    await connection.changeUser({ user: 'plain', password: 'plain-secret', database: options.database });
    show('changed', (await connection.query('SELECT CURRENT_USER() AS u, DATABASE() AS d'))[0]);
    await connection.ping();
    await connection.end();

    const pool = mysql.createPool({ ...options, connectionLimit: 8 });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => pool.execute('SELECT ? AS i', [i])));
    show('pool', answers.map(([found]) => found[0].i));
    await pool.end();

    show('refused', await mysql.createConnection({ ...options, password: 'wrong' }).catch(failure));
});
