// SPDX-License-Identifier: Apache-2.0
// The drivers of node with callbacks, mysql and mysql2: mysql2.js mysql|mysql2.
'use strict';
const fs = require('fs');
const { variable, show, attempt, idleTexts, pause, RUNNING } = require('./where.js');

const name = process.argv[2];
const driver = require(name);
const settings = { host: variable('HOST'), port: Number(variable('PORT')), user: variable('USER'), password: variable('PASSWORD'),
    database: variable('DATABASE'), multipleStatements: true, dateStrings: true, charset: 'utf8mb4' };
if (name === 'mysql2') settings.infileStreamFactory = (path) => fs.createReadStream(path);

// Calls with a callback, as promises; a connection's own errors are the next call's matter.
const promised = (object, method, ...rest) => new Promise((resolve, reject) =>
    object[method](...rest, (error, found) => (error ? reject(error) : resolve(found))));
const query = (connection, ...rest) => promised(connection, 'query', ...rest);

async function open(options) {
    const connection = driver.createConnection({ ...settings, ...options });
    connection.on('error', () => {});
    await promised(connection, 'connect');
    return connection;
}

async function who(options) {
    const connection = await open(options);
    const found = await query(connection, 'SELECT USER() AS u, CURRENT_USER() AS c, DATABASE() AS d');
    connection.destroy();
    return found;
}

async function idle(watcher) {
    const connection = await open();
    for (const text of idleTexts.own) await query(connection, text);
    for (const text of idleTexts.watcher) await query(watcher, text);
    await pause(300);
    return connection;
}

async function cancel(watcher) {
    for (const which of ["the driver's id", 'CONNECTION_ID()']) {
        const victim = await open();
        const own = (await query(victim, 'SELECT CONNECTION_ID() AS id'))[0].id;
        const start = Date.now();
        const sleeping = attempt('cancel', which, () => query(victim, 'SELECT SLEEP(30)'));
        while ((await query(watcher, RUNNING))[0].n === 0);
        const id = which === 'CONNECTION_ID()' ? own : victim.threadId;
        const killed = await query(watcher, `KILL QUERY ${id}`).then(() => 'done', (error) => error.sqlMessage);
        await sleeping;
        show('cancel', `${which} KILL`, killed, Date.now() - start < 20000);
        await attempt('cancel', 'and then', () => query(victim, 'SELECT 1'));
        show('ids', 'agree', own === victim.threadId);
        victim.destroy();
    }
}

async function pools(watcher) {
    const pool = driver.createPool({ ...settings, connectionLimit: 1 });
    for (const text of idleTexts.own) await query(pool, text);
    for (const text of idleTexts.watcher) await query(watcher, text);
    await pause(300);
    await attempt('pool', 'taken again', () => query(pool, 'SELECT 1'));
    await attempt('pool', 'and again', () => query(pool, 'SELECT 1'));
    const pinged = await idle(watcher);
    await attempt('pool', 'ping', () => promised(pinged, 'ping'));
    await attempt('pool', 'ping of a living one', async () => Boolean(await promised(watcher, 'ping')));
}

async function main() {
    await attempt('login', 'native', () => who());
    await attempt('login', 'no password', () => who({ user: 'nopassword', password: '' }));
    if (name === 'mysql2') await attempt('login', 'ed25519', () => who({ user: 'ed', password: 'ed-secret' }));
    await attempt('login', 'wrong password', () => who({ password: 'wrong' }));
    await attempt('tls', 'verified', () => who({ ssl: { ca: fs.readFileSync(variable('CA')) } }));
    const connection = await open();
    await query(connection, 'CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), n DECIMAL(20,5), d DATETIME(3), b LONGBLOB)');
    await attempt('text', 'insert', () => query(connection, 'INSERT INTO t (t, n, d, b) VALUES (?, ?, ?, ?)',
        ['Grüße 🌍', 12345.678, '2024-02-29 12:34:56.789', Buffer.from([0, 255])]));
    await attempt('text', 'rows', () => query(connection, 'SELECT * FROM t'));
    if (name === 'mysql2') {
        for (let i = 0; i < 3; i++) {
            await attempt('prepared', 'insert', () => promised(connection, 'execute', 'INSERT INTO t (t, n, b) VALUES (?, ?, ?)',
                [i === 1 ? null : 'ä', i, Buffer.alloc(i * 100000)]));
            await attempt('prepared', 'select', () => promised(connection, 'execute', 'SELECT id, t, n, LENGTH(b) FROM t WHERE id > ?', [i]));
        }
        await attempt('prepared', 'an error', () => promised(connection, 'execute', 'SELECT ? FROM nowhere', [1]));
    }
    await attempt('bulk', 'insert', () => query(connection, 'INSERT INTO t (t, n) VALUES ?', [Array.from({ length: 5000 }, (_, i) => [`row ${i}`, i])]));
    await attempt('bulk', 'rows', () => query(connection, 'SELECT COUNT(*), SUM(n), MAX(t) FROM t'));
    await query(connection, 'CREATE PROCEDURE p(a INT) BEGIN SELECT a; SELECT a + 1 AS b; END');
    for (const text of ['SELECT 1 AS a; UPDATE t SET n = 1 WHERE id < 3; SELECT 2 AS b', 'CALL p(5)', 'SELECT 1; SELEC; SELECT 3']) {
        await attempt('multi', text, () => query(connection, text));
    }
    await query(connection, 'CREATE TABLE loaded (a INT, b VARCHAR(20))');
    await attempt('infile', 'loaded', () => query(connection, `LOAD DATA LOCAL INFILE '${variable('FILE')}' INTO TABLE loaded`));
    for (const text of ['SELEC 1', 'SELECT * FROM nowhere', 'INSERT INTO t (id) VALUES (1)', 'SELECT 1']) {
        await attempt('errors', text, () => query(connection, text));
    }
    await attempt('large', 'sent', () => query(connection, `SELECT LENGTH('${'x'.repeat(17000000)}') AS n`));
    await attempt('large', 'read', async () => (await query(connection, "SELECT REPEAT('y', 17000000) AS t"))[0].t.length);
    const watcher = await open();
    await cancel(watcher);
    const gone = await idle(watcher);
    await attempt('reconnect', 'a statement', () => query(gone, 'SELECT 1'));
    await attempt('reconnect', 'another', () => query(gone, 'SELECT 1'));
    await pools(watcher);
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
