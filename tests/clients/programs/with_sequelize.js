// SPDX-License-Identifier: Apache-2.0
// Sequelize with mysql2: a model, inserts in bulk, transactions, errors, and a pool whose connection the server has closed.
'use strict';
const { Sequelize, DataTypes } = require('sequelize');
const { variable, show, attempt, idleTexts, pause } = require('./where.js');

const open = (options) => new Sequelize(variable('DATABASE'), variable('USER'), options?.password ?? variable('PASSWORD'), {
    host: variable('HOST'), port: Number(variable('PORT')), dialect: 'mysql', logging: false, pool: { max: 1, min: 0, idle: 60000, evict: 60000 } });
const rows = async (sequelize, text) => (await sequelize.query(text))[0];

async function main() {
    const sequelize = open();
    await attempt('login', 'native', () => rows(sequelize, 'SELECT USER() AS u, DATABASE() AS d'));
    await attempt('login', 'wrong password', () => open({ password: 'wrong' }).authenticate());
    const Thing = sequelize.define('thing', { name: { type: DataTypes.STRING, unique: true }, n: DataTypes.DECIMAL(20, 5), data: DataTypes.JSON, at: DataTypes.DATE(3) },
        { timestamps: false });
    await sequelize.sync({ force: true });
    await attempt('text', 'create', async () => (await Thing.create({ name: 'Grüße 🌍', n: '1.5', data: { a: [1] }, at: new Date(0) })).id);
    await attempt('bulk', 'bulkCreate', async () => (await Thing.bulkCreate(Array.from({ length: 2000 }, (_, i) => ({ name: `thing ${i}`, n: i })))).length);
    await attempt('text', 'findAll', async () => (await Thing.findAll({ limit: 3, order: ['id'] })).map((thing) => thing.get()));
    await attempt('prepared', 'bind', () => sequelize.query('SELECT name FROM things WHERE id = $1', { bind: [1], type: 'SELECT' }));
    await attempt('errors', 'unique', () => Thing.create({ name: 'Grüße 🌍' }));
    await attempt('errors', 'rolled back', () => sequelize.transaction(async (transaction) => {
        await Thing.destroy({ where: {}, transaction });
        throw new Error('no');
    }));
    await attempt('errors', 'and then', () => Thing.count());
    const watcher = open();
    for (const text of idleTexts.own) await rows(sequelize, text);
    for (const text of idleTexts.watcher) await rows(watcher, text);
    await pause(300);
    await attempt('pool', 'taken again', () => rows(sequelize, 'SELECT 1 AS a'));
    await attempt('pool', 'and again', () => rows(sequelize, 'SELECT 1 AS a'));
    show('pool', 'done');
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
