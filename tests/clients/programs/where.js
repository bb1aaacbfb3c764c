// SPDX-License-Identifier: Apache-2.0
// What the programs in JavaScript share: where to connect, and lines of `feature: outcome`.
'use strict';

exports.variable = (name) => process.env[`WEIR_TEST_${name}`];
exports.RUNNING = "SELECT CAST(COUNT(*) AS INT) AS n FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(30)'";
exports.idleTexts = {
    own: ['SET SESSION wait_timeout = 1', "DO GET_LOCK('idle', 0)"],
    watcher: ["DO GET_LOCK('idle', 60)", "DO RELEASE_LOCK('idle')"],
};
exports.pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function plain(key, value) {
    if (typeof value === 'bigint') return `bigint ${value}`;
    if (value && value.type === 'Buffer') return `bytes ${Buffer.from(value.data).toString('hex').slice(0, 80)}`;
    if (typeof value === 'string' && value.length > 1000) return `${value.length} characters`;
    return value;
}

exports.show = (feature, ...outcome) => console.log(`${feature}: ${outcome.map((entry) => JSON.stringify(entry, plain)).join(' ')}`);

exports.attempt = async (feature, what, call) => {
    try {
        exports.show(feature, what, await call());
    } catch (thrown) {
        const error = thrown.driverError || thrown.original || thrown;
        exports.show(feature, what, { errno: error.errno, code: error.code, sqlState: error.sqlState, message: error.sqlMessage });
    }
};
