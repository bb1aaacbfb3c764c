/* SPDX-License-Identifier: Apache-2.0
 *
 * A text that is said to be read the same in every mode is: its statements, their kinds, parts,
 * tables and tokens are equal under all flags and character sets. And what runs is found in any
 * text, in any mode, unsure or not: what it lists lies in bounds, and a plain kind changes nothing. */
#include "sql/lexer.h"
#include "sql/sql.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In OTHER, which is no set that a server has, no tables are known. */
enum { MODES = SQL_CHARSET_OTHER * 8 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

static struct sql_mode mode_of(unsigned number, uint8_t server)
{
    return (struct sql_mode){
        .charset = (enum sql_charset)(number / 8),
        .dialect = (enum sql_dialect)(server % (SQL_DIALECT_TIDB + 1)),
        .server_version = (server & 4) != 0 ? 101119 : 0,
        .ansi_quotes = (number & 1) != 0,
        .no_backslash_escapes = (number & 2) != 0,
        .oracle = (number & 4) != 0,
    };
}

static void same_tokens(struct sql_span text, const struct sql_mode *a, const struct sql_mode *b)
{
    struct sql_lexer lexers[2];
    struct sql_token tokens[2];
    sql_lexer_init(&lexers[0], text, a, SQL_READING_SERVER);
    sql_lexer_init(&lexers[1], text, b, SQL_READING_SERVER);
    do {
        sql_lexer_next(&lexers[0], &tokens[0]);
        sql_lexer_next(&lexers[1], &tokens[1]);
        check(tokens[0].class == tokens[1].class && tokens[0].word == tokens[1].word &&
              tokens[0].start == tokens[1].start && tokens[0].end == tokens[1].end);
    } while (tokens[0].class != SQL_TOKEN_END);
}

static bool same(struct sql_span a, struct sql_span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static void same_tables(struct sql_span text, const struct sql_mode *a, const struct sql_mode *b)
{
    struct sql_tables tables[2];
    const struct sql_span cur = {"cur", 3};
    sql_tables_init(&tables[0]);
    sql_tables_init(&tables[1]);
    check(sql_tables_read(&tables[0], text, a, cur) && sql_tables_read(&tables[1], text, b, cur));
    check(tables[0].count == tables[1].count && tables[0].known == tables[1].known);
    for (size_t i = 0; i < tables[0].count; i++) {
        const struct sql_table *one = &tables[0].items[i], *other = &tables[1].items[i];
        check(same(one->name, other->name) && same(one->database, other->database) &&
              one->access == other->access);
    }
    sql_tables_release(&tables[0]);
    sql_tables_release(&tables[1]);
}

static void same_parts(struct sql_span text, const struct sql_mode *a, const struct sql_mode *b)
{
    struct sql_parts parts[2];
    sql_parts_init(&parts[0]);
    sql_parts_init(&parts[1]);
    check(sql_parts_read(&parts[0], text, a) && sql_parts_read(&parts[1], text, b));
    check(parts[0].count == parts[1].count && parts[0].known == parts[1].known);
    for (size_t i = 0; i < parts[0].count; i++) {
        const struct sql_part *one = &parts[0].items[i], *other = &parts[1].items[i];
        check(one->kind == other->kind && one->has_where == other->has_where &&
              same(one->text, other->text));
    }
    sql_parts_release(&parts[0]);
    sql_parts_release(&parts[1]);
}

static void same_statements(struct sql_span text, const struct sql_mode *a,
                            const struct sql_mode *b)
{
    struct sql_splitter splitters[2];
    struct sql_span statements[2];
    bool more[2];
    sql_splitter_init(&splitters[0], text, a);
    sql_splitter_init(&splitters[1], text, b);
    do {
        more[0] = sql_splitter_next(&splitters[0], &statements[0]);
        more[1] = sql_splitter_next(&splitters[1], &statements[1]);
        check(more[0] == more[1] && (!more[0] || same(statements[0], statements[1])));
        if (more[0])
            check(sql_statement_kind(statements[0], a).kind ==
                  sql_statement_kind(statements[0], b).kind);
    } while (more[0]);
}

static void what_runs(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_session session = {.mode = *mode, .database = {.known = true, .name = {"cur", 3}}};
    struct sql_runs runs;
    struct sql_named named = {0};
    sql_runs_init(&runs);
    check(sql_runs_read(&runs, text, &session) && runs.count > 0);
    sql_named_follow(&named, &runs.naming, false);
    if (sql_kind_is_plain(sql_statement_quick_kind(text, mode).kind) && !mode->unsure) {
        check(runs.known && runs.texts_known && runs.results == SQL_RESULTS_ONE);
        check(runs.after.flags == SQL_UNCHANGED && runs.after.charset == SQL_UNCHANGED &&
              runs.after.database == SQL_UNCHANGED && runs.after.account == SQL_UNCHANGED);
    }
    session.named = &named;
    check(sql_runs_read(&runs, text, &session) && runs.count > 0);
    sql_named_clear(&named);
    sql_runs_release(&runs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct sql_span text = {(const char *)data + 2, size - 2};
    struct sql_mode mode = mode_of(data[0] % MODES, data[1]);
    const struct sql_mode plain = mode_of(0, data[1]);
    mode.unsure = (data[1] & 8) != 0;
    what_runs(text, &mode);
    for (unsigned i = 1; i < MODES && sql_reading_is_fixed(text); i++) {
        const struct sql_mode other = mode_of(i, data[1]);
        same_tokens(text, &plain, &other);
        same_statements(text, &plain, &other);
        same_tables(text, &plain, &other);
        same_parts(text, &plain, &other);
    }
    return 0;
}
