// SPDX-License-Identifier: Apache-2.0
// mariadb: pipelining, bulk, prepared statements with metadata caching, a stream, reset, a pool.
'use strict';
const mariadb = require('mariadb');
const { options, show, failure, run } = require('./where');

run(async () => {
    const connection = await mariadb.createConnection({
        ...options, multipleStatements: true, pipelining: true, dateStrings: true, metaEnumerable: false,
    });
    await connection.query('CREATE TABLE node (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), d DATETIME(3), b BLOB, ' +
        'n DECIMAL(20,5), big BIGINT, j JSON)');
    show('insert', await connection.query('INSERT INTO node (t, d, b, n, big, j) VALUES (?, ?, ?, ?, ?, ?)',
        ['Grüße 🌍', '2024-02-29 12:34:56.789', Buffer.from([0, 255, 254]), '12345.67890', 9007199254740993n, '{"a":[1]}']));
    show('bulk', await connection.batch('INSERT INTO node (t, n) VALUES (?, ?)',
        Array.from({ length: 500 }, (_, i) => [i % 7 ? 'row ' + i : null, i / 2])));
    show('text', await connection.query('SELECT * FROM node ORDER BY id LIMIT 10'));
    for (let i = 0; i < 3; i++) {
        show('prepared', await connection.execute('SELECT *, ? AS p FROM node WHERE id BETWEEN 1 AND ? ORDER BY id', ['v' + i, i + 1]));
    }
    const statement = await connection.prepare('SELECT t FROM node WHERE id = ?');
    for (let i = 1; i < 5; i++) show('kept', await statement.execute([i]));
    statement.close();
    show('multiple', await connection.query('SELECT 1 AS a; UPDATE node SET t = t WHERE 0; SELECT 2 AS b'));
    show('error', await connection.query('SELECT * FROM nowhere').catch(failure));
    show('prepare error', await connection.execute('SELEC ?', [1]).catch(failure));

    // Sent one behind the other, before the first reply is there.
    const pipelined = [];
    for (let i = 0; i < 300; i++) {
        pipelined.push(i % 50 === 49 ? connection.query('SELECT * FROM nowhere' + i).catch(failure)
            : i % 3 ? connection.query('SELECT ? AS i', [i]) : connection.execute('SELECT ? AS i', [i]));
    }
    show('pipelined', await Promise.all(pipelined));

    let count = 0n;
    for await (const row of connection.queryStream('SELECT seq FROM seq_1_to_20000')) count += BigInt(row.seq);
    show('stream', count);

    await connection.query('SET @kept = 1');
    await connection.reset();
    show('reset', await connection.query('SELECT @kept AS kept, DATABASE() AS d'));
    await connection.changeUser({ user: 'ed', password: 'ed-secret', database: options.database });
    show('changed', await connection.query('SELECT CURRENT_USER() AS u'));
    await connection.ping();
    await connection.end();

    const pool = mariadb.createPool({ ...options, connectionLimit: 8 });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => pool.query('SELECT ? AS i', [i])));
    show('pool', answers.map((found) => found[0].i));
    await pool.end();

    const ed = await mariadb.createConnection({ ...options, user: 'ed', password: 'ed-secret' });
    show('ed25519', await ed.query('SELECT CURRENT_USER() AS u'));
    await ed.end();
    show('refused', await mariadb.createConnection({ ...options, password: 'wrong' }).catch(failure));
});
