/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as sql_firewall's rules, with a statement behind a NUL byte: the rules are refused with
 * one sentence that begins with the file's name, or say something about the statement. */
#include <string.h>

#include "input_file.h"
#include "rules.h"
#include "statement.h"
#include "text_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct error error = {""};
    const uint8_t *end = size ? memchr(bytes, 0, size) : NULL;
    size_t length = end ? (size_t)(end - bytes) : size;
    const char *path = input_file(bytes, length);
    struct rules *rules = rules_read(path, &error);
    assert(rules || strncmp(error.message, path, strlen(path)) == 0);
    struct sql_span text = {"EXECUTE IMMEDIATE 'SELECT 1 FROM t'", 35};
    if (end)
        text = (struct sql_span){(const char *)end + 1, size - length - 1};
    struct text_session session;
    struct statement statement;
    const char *blind;
    text_session_open(&session);
    session.account = (struct sql_span){"app@%", 5};
    session.database = (struct sql_span){"shop", 4};
    sql_mode_set_server(&session.mode, (struct sql_span){"10.11.6-MariaDB", 15});
    if (rules && text_session_read(&session, text, 1)) {
        statement_begin(&statement, &session.session);
        rules_deny(rules, &statement, &blind, NULL);
        rules_mode(rules, statement.account, FIREWALL_OFF);
    }
    text_session_close(&session);
    rules_free(rules);
    return 0;
}
