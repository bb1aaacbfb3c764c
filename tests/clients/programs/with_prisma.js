// SPDX-License-Identifier: Apache-2.0
// Prisma with its adapter for mariadb: its client writes prepared statements of its own; raw statements, transactions, errors, and a pool
// whose connection the server has closed.
'use strict';
const { PrismaClient } = require('@prisma/client');
const { PrismaMariaDb } = require('@prisma/adapter-mariadb');
const { variable, show, idleTexts, pause } = require('./where.js');

const open = (options) => new PrismaClient({ adapter: new PrismaMariaDb({ host: variable('HOST'), port: Number(variable('PORT')),
    user: variable('USER'), password: variable('PASSWORD'), database: variable('DATABASE'), connectionLimit: 1, ...options }) });

// Its errors hold the driver's, and say in which file they were thrown.
async function attempt(feature, what, call) {
    try {
        show(feature, what, await call());
    } catch (error) {
        const cause = error.meta?.driverAdapterError?.cause ?? error.cause ?? {};
        show(feature, what, { name: error.name, code: error.code, cause, message: error.message.split('\n').pop() });
    }
}

async function main() {
    const database = open();
    await attempt('login', 'native', () => database.$queryRaw`SELECT USER() AS u, DATABASE() AS d`);
    const wrong = open({ password: 'wrong', acquireTimeout: 2000 });
    // Its text counts milliseconds.
    await attempt('login', 'wrong password', () => wrong.$queryRaw`SELECT 1 AS a`.catch((error) => error.meta.driverAdapterError.cause.code));
    await wrong.$disconnect();
    const encrypted = open({ ssl: { rejectUnauthorized: false } });
    await attempt('tls', 'not verified', () => encrypted.$queryRaw`SELECT 1 AS a`);
    await encrypted.$disconnect();
    await database.$executeRaw`CREATE TABLE thing (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) UNIQUE NOT NULL, n DECIMAL(20,5), b BLOB,
        made DATETIME(3)) CHARACTER SET utf8mb4`;
    const made = new Date('2024-02-29T12:34:56.789Z');
    await attempt('prepared', 'create', () => database.thing.create({ data: { name: 'Grüße 🌍', n: '12345.678', b: Buffer.from([0, 255]), made } }));
    await attempt('bulk', 'createMany', () => database.thing.createMany({ data: Array.from({ length: 2000 }, (_, i) => ({ name: `thing ${i}`, n: i })) }));
    await attempt('prepared', 'findMany', () => database.thing.findMany({ take: 3, where: { n: { gte: 5 } }, orderBy: { id: 'asc' } }));
    await attempt('prepared', 'aggregate', () => database.thing.aggregate({ _count: true, _sum: { n: true }, _max: { name: true } }));
    await attempt('prepared', 'updateMany', () => database.thing.updateMany({ where: { id: { lt: 100 } }, data: { n: { increment: 1 } } }));
    await attempt('text', 'raw', () => database.$queryRawUnsafe('SELECT ? AS a, ? AS b', 'it\'s', 5));
    await attempt('errors', 'unique', () => database.thing.create({ data: { name: 'thing 1' } }));
    await attempt('errors', 'syntax', () => database.$queryRawUnsafe('SELEC 1'));
    await attempt('errors', 'rolled back', () => database.$transaction(async (transaction) => {
        await transaction.thing.deleteMany();
        throw new Error('no');
    }));
    await attempt('errors', 'and then', () => database.thing.count());
    await attempt('large', 'sent', () => database.$queryRawUnsafe('SELECT LENGTH(?) AS a', 'x'.repeat(17000000)));
    await attempt('large', 'read', async () => (await database.$queryRawUnsafe("SELECT REPEAT('y', 17000000) AS a"))[0].a.length);
    const watcher = open();
    for (const text of idleTexts.own) await database.$executeRawUnsafe(text);
    for (const text of idleTexts.watcher) await watcher.$executeRawUnsafe(text);
    await pause(300);
    await attempt('pool', 'taken again', () => database.$queryRaw`SELECT 1 AS a`);
    await attempt('pool', 'and again', () => database.$queryRaw`SELECT 1 AS a`);
    show('pool', 'done');
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
