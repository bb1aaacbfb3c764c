// SPDX-License-Identifier: Apache-2.0
// TypeORM with mysql2: a schema, saving, query builder, transactions, errors, and a pool whose connection the server has closed.
'use strict';
require('reflect-metadata');
const { DataSource, EntitySchema } = require('typeorm');
const { variable, show, attempt, idleTexts, pause } = require('./where.js');

const Thing = new EntitySchema({ name: 'thing', columns: {
    id: { type: 'int', primary: true, generated: true }, name: { type: 'varchar', length: 100, unique: true },
    n: { type: 'decimal', precision: 20, scale: 5, nullable: true }, data: { type: 'json', nullable: true } } });
const source = (options) => new DataSource({ type: 'mysql', host: variable('HOST'), port: Number(variable('PORT')), username: variable('USER'),
    password: variable('PASSWORD'), database: variable('DATABASE'), entities: [Thing], synchronize: true, dateStrings: true, poolSize: 1, ...options });

async function main() {
    const database = await source().initialize();
    await attempt('login', 'native', () => database.query('SELECT USER() AS u, DATABASE() AS d'));
    await attempt('login', 'wrong password', () => source({ password: 'wrong' }).initialize());
    const things = database.getRepository(Thing);
    await attempt('text', 'save', () => things.save({ name: 'Grüße 🌍', n: '1.5', data: { a: [1] } }));
    await attempt('bulk', 'insert', async () => (await things.insert(Array.from({ length: 2000 }, (_, i) => ({ name: `thing ${i}`, n: String(i) })))).identifiers.length);
    await attempt('text', 'find', () => things.find({ take: 3, order: { id: 'ASC' } }));
    await attempt('text', 'query builder', () => things.createQueryBuilder('t').select('COUNT(*)', 'c').where('t.n > :n', { n: 5 }).getRawMany());
    await attempt('errors', 'unique', () => things.insert({ name: 'Grüße 🌍' }));
    await attempt('errors', 'rolled back', () => database.transaction(async (manager) => {
        await manager.clear(Thing);
        throw new Error('no');
    }));
    await attempt('errors', 'and then', () => database.query('SELECT COUNT(*) AS c FROM thing'));
    const watcher = await source({ synchronize: false }).initialize();
    for (const text of idleTexts.own) await database.query(text);
    for (const text of idleTexts.watcher) await watcher.query(text);
    await pause(300);
    await attempt('pool', 'taken again', () => database.query('SELECT 1 AS a'));
    await attempt('pool', 'and again', () => database.query('SELECT 1 AS a'));
    show('pool', 'done');
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
