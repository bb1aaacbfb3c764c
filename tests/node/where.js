// SPDX-License-Identifier: Apache-2.0
// Where to connect, as the tests say in the environment; and printing of results so that two runs compare.
'use strict';

exports.options = {
    host: process.env.WEIR_TEST_HOST,
    port: Number(process.env.WEIR_TEST_PORT),
    user: process.env.WEIR_TEST_USER,
    password: process.env.WEIR_TEST_PASSWORD,
    database: process.env.WEIR_TEST_DATABASE,
};

// JSON has no big integers and no bytes.
function plain(key, value) {
    if (typeof value === 'bigint') return `bigint ${value}`;
    if (value && value.type === 'Buffer') return `bytes ${Buffer.from(value.data).toString('hex')}`;
    return value;
}

exports.show = (name, value) => console.log(`${name}: ${JSON.stringify(value, plain)}`);

// What an error says, and not where in the driver it was thrown.
exports.failure = (error) => ({ errno: error.errno, code: error.code, sqlState: error.sqlState,
    message: error.sqlMessage });

exports.run = (main) => main().catch((error) => {
    console.error(error);
    process.exit(1);
});
