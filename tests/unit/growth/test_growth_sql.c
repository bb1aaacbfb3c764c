/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts made to be slow: whatever is repeated, each function of the room sql takes steps in
 * proportion to the length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sql/sql.h"
#include "steps.h"

#define SMALL_BYTES ((size_t)5 * 1024)

static struct sql_digester digester;
static struct sql_tables tables;
static struct sql_parts parts;
static struct sql_runs runs;
static struct strbuf out;
static const struct sql_mode unknown,
    mariadb = {.dialect = SQL_DIALECT_MARIADB, .server_version = 101100},
    tricky = {.dialect = SQL_DIALECT_MARIADB, .charset = SQL_CHARSET_GBK, .ansi_quotes = true};

/* ---- What is done with a text ---- */

static void normalize(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_span normalized;
    char hex[SQL_DIGEST_BYTES];
    (void)mode;
    if (sql_normalize(&digester, text, &normalized) && !sql_digest(&digester, normalized, hex))
        abort();
}

static void digest_exact(struct sql_span text, const struct sql_mode *mode)
{
    (void)!sql_digest_is_exact(text, mode);
}

static void kinds(struct sql_span text, const struct sql_mode *mode)
{
    sql_statement_kind(text, mode);
    sql_statement_quick_kind(text, mode);
}

static void read_tables(struct sql_span text, const struct sql_mode *mode)
{
    (void)!sql_tables_read(&tables, text, mode, (struct sql_span){"d", 1});
}

static void read_parts(struct sql_span text, const struct sql_mode *mode)
{
    (void)!sql_parts_read(&parts, text, mode);
}

static void read_runs(struct sql_span text, const struct sql_mode *mode)
{
    (void)!sql_runs_read(&runs, text, &(struct sql_session){.mode = *mode});
}

static void follow(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_mode followed = *mode;
    sql_mode_follow(&followed, text);
}

static void split(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_splitter splitter;
    struct sql_span statement;
    (void)sql_is_multi(text, mode);
    sql_splitter_init(&splitter, text, mode);
    while (sql_splitter_next(&splitter, &statement))
        continue;
}

static void redact(struct sql_span text, const struct sql_mode *mode)
{
    (void)mode;
    strbuf_reset(&out);
    if (sql_may_hold_secret(text))
        (void)!sql_redact(&out, text);
}

/* As if the text held a secret before. */
static void redact_all(struct sql_span text, const struct sql_mode *mode)
{
    (void)mode;
    strbuf_reset(&out);
    (void)!sql_redact(&out, text);
}

static void redact_message(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_span said = {"near 'x' at line 1", 18};
    (void)mode;
    strbuf_reset(&out);
    (void)!sql_redact_message(&out, text, true);
    (void)!sql_redact_message(&out, text, false);
    (void)!sql_message_quotes_other(said, text);
}

static void reading(struct sql_span text, const struct sql_mode *mode)
{
    (void)mode;
    (void)sql_reading_is_fixed(text);
    (void)!sql_reads_diagnostics(text);
}

static bool map_id(void *data, uint64_t id, uint32_t *new_id)
{
    (void)data;
    *new_id = (uint32_t)id + 1;
    return true;
}

static void kill_rewrite(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_kill kill;
    strbuf_reset(&out);
    (void)!sql_kill(text, mode, &kill);
    (void)!sql_kill_rewrite(&out, text, mode, true, map_id, NULL);
}

static void calls(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_calls walk;
    struct sql_call call;
    sql_calls_init(&walk, text, mode);
    while (sql_calls_next(&walk, &call))
        continue;
}

static void settings(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_settings walk;
    struct sql_setting setting;
    struct sql_span value;
    sql_settings_init(&walk, text, mode);
    while (sql_settings_next(&walk, &setting))
        (void)!sql_literal_read(setting.value, mode, &value);
    (void)sql_sets_global(text, mode);
}

static void variables(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_variables walk;
    struct sql_variable_use use;
    struct sql_show_variables show;
    struct sql_span role;
    sql_variables_init(&walk, text, mode);
    while (sql_variables_next(&walk, &use))
        continue;
    if (sql_show_variables(text, mode, &show))
        (void)sql_show_passes(&show, mode, (struct sql_span){"audit_log_format", 16});
    (void)!sql_set_role(text, mode, &role);
}

static void expand(struct sql_span text, const struct sql_mode *mode)
{
    static const struct sql_parameter parameters[] = {{SQL_PARAMETER_TEXT, {"it's", 4}},
                                                      {SQL_PARAMETER_BYTES, {"\1\2", 2}}};
    strbuf_reset(&out);
    sql_expand(&out, text, mode, parameters, 2, 0);
}

static const struct {
    const char *name;
    void (*run)(struct sql_span text, const struct sql_mode *mode);
} functions[] = {
    {"normalize", normalize},
    {"digest_exact", digest_exact},
    {"kinds", kinds},
    {"tables", read_tables},
    {"parts", read_parts},
    {"runs", read_runs},
    {"mode_follow", follow},
    {"split", split},
    {"redact", redact},
    {"redact_all", redact_all},
    {"redact_message", redact_message},
    {"reading", reading},
    {"kill", kill_rewrite},
    {"calls", calls},
    {"settings", settings},
    {"variables", variables},
    {"expand", expand},
};

/* ---- Texts ---- */

static const struct {
    const char *before, *piece;
} texts[] = {
    {"", "("},
    {"select 1 from ", "("},
    {"", "/*"},
    {"", "/*!"},
    {"", "/*! */"},
    {"", "/*!99999 /* */"},
    {"", "/*M!100100 x"},
    {"", "/*T![a] */"},
    {"select 1 /*", "/* x"},
    {"", "*/"},
    {"", "select 1;"},
    {"", ";"},
    {"", "; "},
    {"", "a,"},
    {"", "1,"},
    {"", "'a',"},
    {"", "''"},
    {"", "\""},
    {"", "\\"},
    {"select '", "\\'"},
    {"", "`"},
    {"", "use index "},
    {"", "use index("},
    {"", "(select * from "},
    {"select * from ", "(select * from t) a, "},
    {"", "with a as ("},
    {"with ", "a as (select 1), "},
    {"", "order by 1,"},
    {"", "begin "},
    {"", "begin not atomic "},
    {"", "begin not atomic select 1; end; "},
    {"create procedure p() begin ", "if 1 then select 1; end if; "},
    {"set ", "a = 1, "},
    {"set ", "@@global.a = 1, "},
    {"", "set a = 1; "},
    {"", "set sql_mode = 'ANSI'; "},
    {"", "set names latin1; "},
    {"", "use d; "},
    {"", "execute immediate '"},
    {"", "execute immediate 'select 1'; "},
    {"", "prepare s from 'select 1'; execute s; "},
    {"execute immediate '", "''execute immediate "},
    {"execute immediate 'begin not atomic ", "select 1; "},
    {"", "if 1 then "},
    {"", "case "},
    {"", "l: "},
    {"", "a."},
    {"", "\xff"},
    {"", "\xe2\x84\xaa"},
    {"", "_utf8'a', "},
    {"", "_utf8 "},
    {"", "use index(a) use "},
    {"", "@@global."},
    {"", "@"},
    {"select ", "@@a, "},
    {"select ", "f(1), "},
    {"", "1e"},
    {"", "0x"},
    {"", "-"},
    {"", " "},
    {"", "\n"},
    {"", "-- \n"},
    {"", "#\n"},
    {"", "explain "},
    {"", "analyze "},
    {"", "prepare s from '"},
    {"select 1 ", "union select 1 "},
    {"", "union select "},
    {"select * from ", "a, "},
    {"select * from t1 ", "join t2 on 1 "},
    {"", "delete a,"},
    {"", "set statement a=1 for "},
    {"drop table ", "a, "},
    {"lock tables ", "a read, "},
    {"do ", "f(), "},
    {"do ", "abs(1), "},
    {"rename table ", "a to b, "},
    {"grant select on a.b to ", "u@h identified by 'x', "},
    {"create user ", "u identified by 'x', "},
    {"set password = ", "password('x' "},
    {"insert into t values ", "(1, 'x'), "},
    {"insert into t values ", "(?), "},
    {"select 1 where a in (", "1, "},
    {"select * from t where ", "a = 1 and "},
    {"alter table t ", "add column c int, "},
    {"change master to ", "master_password = 'x', "},
    {"", "kill 5; "},
    {"", "identified by "},
    {"", "password "},
    {"You have an error near '", "''"},
    {"Duplicate entry ", "'x' "},
    {"show variables like '", "%a"},
    {"show variables where ", "variable_name like '%a' or "},
    {"select 1", "\\0"},
    {"", "values (1) "},
    {"", "{d "},
    {"", "["},
    {"", "a:=1, "},
    {"for x in (select 1) do ", "select 1; "},
    {"", "declare a int; "},
};

struct one {
    size_t function, text;
    const struct sql_mode *mode;
};

static char *buffer;

static void run_one(const void *what, size_t n)
{
    const struct one *one = what;
    const char *before = texts[one->text].before, *piece = texts[one->text].piece;
    size_t head = strlen(before), size = strlen(piece);
    memcpy(buffer, before, head);
    n = n / SMALL_BYTES * (SMALL_BYTES / (2 * size) * (2 * size)); /* pairs of whole pieces */
    for (size_t at = 0; at < n; at++)
        buffer[head + at] = piece[at % size];
    functions[one->function].run((struct sql_span){buffer, head + n}, one->mode);
}

static void steps_grow_with_length(void **state)
{
    (void)state;
    static const struct sql_mode *const modes[] = {&mariadb, &unknown, &tricky};
    static const char *const names[] = {"MariaDB", "unknown", "gbk"};
    unsigned before = growth_failures();
    char name[200];
    buffer = malloc(4 * SMALL_BYTES + 100);
    for (size_t mode = 0; mode < 3; mode++)
        for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
            for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++) {
                struct one one = {i, j, modes[mode]};
                snprintf(name, sizeof name, "%s (%s) of \"%s\" and \"%s\" repeated",
                         functions[i].name, names[mode], texts[j].before, texts[j].piece);
                assert_linear(name, SMALL_BYTES, run_one, &one);
            }
    free(buffer);
    assert_int_equal(growth_failures(), before);
}

/* ---- Filters of SHOW VARIABLES ---- */

struct filter {
    const char *before, *piece, *after;
};

/* Each is read to its end, and decides by the name alone. */
static void show_filter(const void *what, size_t n)
{
    static const char name[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const struct filter *filter = what;
    struct sql_show_variables show;
    strbuf_reset(&out);
    strbuf_add_text(&out, filter->before);
    for (size_t i = 0; i < n; i++)
        strbuf_add_text(&out, filter->piece);
    strbuf_add_text(&out, filter->after);
    assert_true(sql_show_variables((struct sql_span){out.data, out.size}, &mariadb, &show));
    assert_int_not_equal(sql_show_passes(&show, &mariadb, (struct sql_span){name, sizeof name - 1}),
                         SQL_PASSES_PERHAPS);
}

static void steps_grow_with_the_filter_of_a_show(void **state)
{
    (void)state;
    static const struct filter filters[] = {
        {"show variables like '", "%", "b'"},
        {"show variables like '", "%a", "b'"},
        {"show variables like '%", "a", "b'"},
        {"show variables like '", "%_", "b'"},
        {"show status like '", "\\%", "'"},
        {"show variables where variable_name = 'b'", " or variable_name like '%a%ab'", ""},
        {"show variables where variable_name = 'b'", " and variable_name = 'c'", ""},
        {"show variables where variable_name in ('b'", ", 'c'", ")"},
        {"show variables where variable_name = 'b'", " or (variable_name = 'c')", ""},
    };
    unsigned before = growth_failures();
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
        assert_linear(filters[i].piece, 30, show_filter, &filters[i]);
    assert_int_equal(growth_failures(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_grow_with_length),
        cmocka_unit_test(steps_grow_with_the_filter_of_a_show),
    };
    sql_digester_init(&digester);
    sql_tables_init(&tables);
    sql_parts_init(&parts);
    sql_runs_init(&runs);
    strbuf_init(&out);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sql_tables_release(&tables);
    sql_parts_release(&parts);
    sql_runs_release(&runs);
    sql_digester_release(&digester);
    strbuf_release(&out);
    return failed;
}
