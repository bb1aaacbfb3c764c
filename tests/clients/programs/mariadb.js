// SPDX-License-Identifier: Apache-2.0
// The driver of node that is called mariadb: pipelining, prepared, batches, local files, cancel, pools.
'use strict';
const fs = require('fs');
const mariadb = require('mariadb');
const { variable, show, attempt, idleTexts, pause, RUNNING } = require('./where.js');

const settings = { host: variable('HOST'), port: Number(variable('PORT')), user: variable('USER'), password: variable('PASSWORD'),
    database: variable('DATABASE'), multipleStatements: true, dateStrings: true, permitLocalInfile: true };

async function open(options) {
    const connection = await mariadb.createConnection({ ...settings, ...options });
    connection.on('error', () => {});
    return connection;
}

async function who(options) {
    const connection = await open(options);
    const found = await connection.query('SELECT USER() AS u, CURRENT_USER() AS c, DATABASE() AS d');
    await connection.end();
    return found;
}

async function idle(watcher, connection) {
    for (const text of idleTexts.own) await connection.query(text);
    for (const text of idleTexts.watcher) await watcher.query(text);
    await pause(300);
    return connection;
}

async function cancel(watcher) {
    for (const which of ["the driver's id", 'CONNECTION_ID()']) {
        const victim = await open();
        const own = Number((await victim.query('SELECT CONNECTION_ID() AS id'))[0].id);
        const start = Date.now();
        const sleeping = attempt('cancel', which, () => victim.query('SELECT SLEEP(30)'));
        while ((await watcher.query(RUNNING))[0].n === 0);
        const id = which === 'CONNECTION_ID()' ? own : victim.threadId;
        const killed = await watcher.query(`KILL QUERY ${id}`).then(() => 'done', (error) => error.sqlMessage);
        await sleeping;
        show('cancel', `${which} KILL`, killed, Date.now() - start < 20000);
        await attempt('cancel', 'and then', () => victim.query('SELECT 1'));
        show('ids', 'agree', own === Number(victim.threadId));
        victim.destroy();
    }
}

async function main() {
    await attempt('login', 'native', () => who());
    await attempt('login', 'no password', () => who({ user: 'nopassword', password: '' }));
    await attempt('login', 'ed25519', () => who({ user: 'ed', password: 'ed-secret' }));
    await attempt('login', 'wrong password', () => who({ password: 'wrong' }));
    await attempt('tls', 'verified', () => who({ ssl: { ca: fs.readFileSync(variable('CA')) } }));
    const connection = await open();
    await connection.query('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100), n DECIMAL(20,5), d DATETIME(3), b LONGBLOB)');
    await attempt('text', 'insert', () => connection.query('INSERT INTO t (t, n, d, b) VALUES (?, ?, ?, ?)',
        ['Grüße 🌍', 12345.678, '2024-02-29 12:34:56.789', Buffer.from([0, 255])]));
    await attempt('text', 'rows', () => connection.query('SELECT * FROM t'));
    for (let i = 0; i < 3; i++) {
        await attempt('prepared', 'insert', () => connection.execute('INSERT INTO t (t, n, b) VALUES (?, ?, ?)', [i === 1 ? null : 'ä', i, Buffer.alloc(i * 100000)]));
        await attempt('prepared', 'select', () => connection.execute('SELECT id, t, n, LENGTH(b) AS l FROM t WHERE id > ?', [i]));
    }
    await attempt('prepared', 'an error', () => connection.execute('SELECT ? FROM nowhere', [1]));
    await attempt('bulk', 'batch', () => connection.batch('INSERT INTO t (t, n) VALUES (?, ?)', Array.from({ length: 3000 }, (_, i) => [`row ${i}`, i])));
    await attempt('bulk', 'rows', () => connection.query('SELECT COUNT(*) AS c, SUM(n) AS s, MAX(t) AS m FROM t'));
    await connection.query('CREATE PROCEDURE p(a INT) BEGIN SELECT a; SELECT a + 1 AS b; END');
    for (const text of ['SELECT 1 AS a; UPDATE t SET n = 1 WHERE id < 3; SELECT 2 AS b', 'CALL p(5)', 'SELECT 1; SELEC; SELECT 3']) {
        await attempt('multi', text, () => connection.query(text));
    }
    await connection.query('CREATE TABLE loaded (a INT, b VARCHAR(20))');
    await attempt('infile', 'loaded', () => connection.query(`LOAD DATA LOCAL INFILE '${variable('FILE')}' INTO TABLE loaded`));
    for (const text of ['SELEC 1', 'SELECT * FROM nowhere', 'INSERT INTO t (id) VALUES (1)', 'SELECT 1']) {
        await attempt('errors', text, () => connection.query(text));
    }
    await attempt('large', 'sent', () => connection.query('SELECT LENGTH(?) AS n', ['x'.repeat(17000000)]));
    await attempt('large', 'read', async () => (await connection.query("SELECT REPEAT('y', 17000000) AS t"))[0].t.length);
    const watcher = await open();
    await cancel(watcher);
    const gone = await idle(watcher, await open());
    await attempt('reconnect', 'a statement', () => gone.query('SELECT 1'));
    await attempt('reconnect', 'another', () => gone.query('SELECT 1'));
    const pinged = await idle(watcher, await open());
    await attempt('pool', 'ping', () => pinged.ping());
    const pool = mariadb.createPool({ ...settings, connectionLimit: 1, minDelayValidation: 0 });
    const pooled = await idle(watcher, await pool.getConnection());
    await pooled.release();
    await attempt('pool', 'taken again', () => pool.query('SELECT 1 AS a'));
    await attempt('compression', 'asked for', () => who({ compress: true }));
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
