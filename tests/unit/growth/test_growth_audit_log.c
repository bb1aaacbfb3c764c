/* SPDX-License-Identifier: Apache-2.0
 *
 * Records made to be slow: a statement with a long text and message, and with tables, parameters
 * and attributes by the thousand, collected and written in each format of audit_log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collect.h"
#include "fake_host.h"
#include "steps.h"

static const struct format *const formats[] = {&format_json, &format_mysql_json, &format_csv,
                                               &format_server_audit, &format_percona_json};

struct one {
    const struct format *format;
    char byte;          /* what texts are made of */
    uint64_t sql_limit; /* bytes; 0: none */
};

static void fill_session(struct weir_session *session, const char *text, size_t n)
{
    static const unsigned texts[] = {WEIR_TEXT_sql, WEIR_TEXT_redacted_sql, WEIR_TEXT_normalized,
                                     WEIR_TEXT_message, WEIR_TEXT_redacted_message};
    fake_session_init(session);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        session->text[texts[i]] = (weir_string){text, n};
    session->text[WEIR_TEXT_command] = (weir_string){"Query", 5};
    session->number[WEIR_NUMBER_sql_size] = n;
    session->number[WEIR_NUMBER_reading_known] = session->number[WEIR_NUMBER_tables_known] = 1;
    session->number[WEIR_NUMBER_parameter_count] = n;
    session->number[WEIR_NUMBER_error_code] = 1062;
}

/* n of each list, and texts of n bytes. */
static void record(const void *what, size_t n)
{
    const struct one *one = what;
    const weir_string name = {"name'\"\\", 7}, value = {"\xc3\xa4\0'", 4};
    const struct collect_options options = {.with_digest = true,
                                            .with_tables = true,
                                            .with_parameters = true,
                                            .sql_limit = one->sql_limit};
    struct weir_session session;
    struct scratch scratch = {0};
    struct strbuf out = STRBUF_INIT;
    char *text = malloc(n);
    weir_table *tables = calloc(n, sizeof *tables);
    weir_parameter *parameters = calloc(n, sizeof *parameters);
    struct fake_attribute *attributes = calloc(n, sizeof *attributes);
    assert_true(text && tables && parameters && attributes);
    memset(text, one->byte, n);
    fill_session(&session, text, n);
    for (size_t i = 0; i < n; i++) {
        tables[i] = (weir_table){.schema = name, .name = name, .access = WEIR_TABLE_READ};
        parameters[i] = (weir_parameter){.type = name, .value = value};
        attributes[i] = (struct fake_attribute){name, value};
    }
    session.tables = tables;
    session.parameters = parameters;
    session.attributes = attributes;
    session.table_count = session.parameter_count = session.attribute_count = n;

    collect_statement(&scratch, NULL, &session, WEIR_ERROR, &options);
    assert_int_equal(scratch.record.table_count, n);
    one->format->write(&out, &scratch.record);
    collect_redact(&scratch, &session);
    one->format->write(&out, &scratch.record);
    collect_connection(&scratch, NULL, &session, WEIR_CONNECTED);
    one->format->write(&out, &scratch.record);
    assert_true(!out.failed && out.size > n);
    struct audited *audited = audited_new(&session);
    assert_non_null(audited);
    audited_free(audited);

    strbuf_release(&out);
    scratch_release(&scratch);
    free(attributes);
    free(parameters);
    free(tables);
    free(text);
}

static void steps_grow_with_the_record(void **state)
{
    (void)state;
    static const char made_of[] = {'x', '\'', '\\', '\n', '\0', '\xff', '\x80'};
    unsigned before = growth_failures();
    char name[100];
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        for (size_t j = 0; j < sizeof made_of; j++)
            for (uint64_t limit = 0; limit < 2; limit++) {
                struct one one = {formats[i], made_of[j], limit * 1000};
                snprintf(name, sizeof name, "%s of bytes %02x, limit %u", formats[i]->name,
                         (unsigned char)made_of[j], (unsigned)one.sql_limit);
                assert_linear(name, 400, record, &one);
            }
    assert_int_equal(growth_failures(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_grow_with_the_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
