/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything the room does with a text, on any bytes, in any mode (the first two bytes choose it),
 * with what must hold whatever the text:
 *   - the statements of a text lie in it one after the other, with nothing lost but newlines,
 *     comments and semicolons;
 *   - the normalised text is UTF-8 and a digest has 64 digits;
 *   - the names of tables are not empty of meaning: a known list of an empty statement is empty;
 *   - expanding without parameters gives the text back. */
#include "sql/sql.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static struct sql_mode mode_of(uint8_t a, uint8_t b)
{
    struct sql_mode mode = {
        .charset = (enum sql_charset)(a % (SQL_CHARSET_OTHER + 1)),
        .dialect = (enum sql_dialect)(b % (SQL_DIALECT_TIDB + 1)),
        .server_version = (b & 4) != 0 ? 101119 : 0,
        .ansi_quotes = (b & 8) != 0,
        .no_backslash_escapes = (b & 16) != 0,
        .oracle = (b & 32) != 0,
    };
    return mode;
}

static bool is_utf8(const unsigned char *at, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t bytes = at[i] < 0x80 ? 1 : at[i] < 0xe0 ? 2 : at[i] < 0xf0 ? 3 : 4;
        if (at[i] >= 0x80 && (at[i] < 0xc2 || at[i] > 0xf4))
            return false;
        for (size_t j = 1; j < bytes; j++)
            if (i + j >= size || (at[i + j] & 0xc0) != 0x80)
                return false;
        i += bytes;
    }
    return true;
}

static void recognise(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_span name;
    struct sql_kill kill;
    if (sql_set_role(text, mode, &name))
        check(name.at >= text.at && name.at + name.size <= text.at + text.size);
    if (sql_kill(text, mode, &kill) && kill.is_number)
        check(kill.id.at >= text.at && kill.id.at + kill.id.size <= text.at + text.size);
    if (sql_kill_alone(text, mode, NULL, &kill)) /* the quick look does not pass it over */
        check(sql_may_kill(text, sql_statement_quick_kind(text, mode).kind, false));
}

static void facts(struct sql_span text, const struct sql_mode *mode, struct sql_digester *digester,
                  struct sql_tables *tables)
{
    struct sql_span normalized;
    char hex[SQL_DIGEST_BYTES];
    check(sql_normalize(digester, text, &normalized));
    check(is_utf8((const unsigned char *)normalized.at, normalized.size));
    check(sql_digest(digester, normalized, hex) && strlen(hex) == SQL_DIGEST_BYTES - 1);
    struct sql_kinds kinds = sql_statement_kind(text, mode);
    check(kinds.kind < SQL_KIND_COUNT && kinds.label < SQL_LABEL_COUNT);
    check(sql_tables_read(tables, text, mode, (struct sql_span){"db", 2}));
    for (size_t i = 0; i < tables->count; i++)
        check(tables->items[i].database.size > 0);
    check(kinds.kind != SQL_KIND_EMPTY || tables->count == 0);
    recognise(text, mode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct sql_mode mode = mode_of(data[0], data[1]);
    struct sql_span text = {(const char *)data + 2, size - 2};
    struct sql_digester digester;
    struct sql_tables tables;
    struct sql_splitter splitter;
    struct sql_span statement;
    struct strbuf expanded = STRBUF_INIT;
    sql_digester_init(&digester);
    sql_tables_init(&tables);
    facts(text, &mode, &digester, &tables);
    const char *end = text.at;
    sql_splitter_init(&splitter, text, &mode);
    while (sql_splitter_next(&splitter, &statement)) {
        check(statement.at >= end && statement.at <= end + 1 && statement.size > 0);
        end = statement.at + statement.size;
        check(end <= text.at + text.size);
        facts(statement, &mode, &digester, &tables);
    }
    sql_expand(&expanded, text, &mode, NULL, 0, 0);
    check(expanded.size == text.size && memcmp(expanded.data, text.at, text.size) == 0);
    strbuf_release(&expanded);
    sql_tables_release(&tables);
    sql_digester_release(&digester);
    return 0;
}
