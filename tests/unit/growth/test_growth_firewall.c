/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements made to be slow for sql_firewall: with parts, tables and nested texts by the hundred
 * they are judged by rules of every condition, and looked up, in steps that grow as they do. */
#include <stdio.h>
#include <stdlib.h>

#include "firewall_test.h"
#include "steps.h"

/* None of them applies, so that all are looked at to their ends. */
#define DENY(name, conditions) "[[deny]]\nname = \"" name "\"\n" conditions "\n"
static const char rules_text[] = DENY("kind", "kinds = [\"DropDatabase\"]")
    DENY("table", "tables = [\"secret.*\"]") DENY("like", "tables = [\"*.t_*_x\"]")
        DENY("text", "regex = \"nowhere$\"") DENY("long text", "regex = \"no.*where$\"");
static struct rules *rules;

struct text {
    const char *before, *piece, *after;
};

/* The piece with a number in place of #. */
static void add_piece(struct strbuf *sql, const char *piece, size_t number)
{
    const char *mark = strchr(piece, '#');
    strbuf_add(sql, piece, mark ? (size_t)(mark - piece) : strlen(piece));
    if (mark)
        strbuf_printf(sql, "%zu%s", number, mark + 1);
}

static void judge(const void *what, size_t n)
{
    const struct text *text = what;
    struct text_session session;
    struct statement statement;
    struct strbuf sql = STRBUF_INIT;
    struct key key;
    const char *blind = NULL;
    strbuf_add_text(&sql, text->before);
    for (size_t i = 0; i < n; i++)
        add_piece(&sql, text->piece, i);
    strbuf_add_text(&sql, text->after);
    assert_false(sql.failed);
    test_statement(&session, &statement, sql.data, sql.size);
    (void)rules_deny(rules, &statement, &blind, NULL);
    for (size_t i = 0; key_of(&statement, i, &key) == KEY_FOUND; i++)
        continue;
    (void)statement_is_plain(&statement);
    (void)statement_has_known_parts(&statement);
    text_session_close(&session);
    strbuf_release(&sql);
}

static void steps_grow_with_the_statement(void **state)
{
    static const struct text texts[] = {
        {"select 1 from t", ", t#", ""},
        {"select 1 from t", " join d.`t.#` on 1", ""},
        {"drop table if exists t", ", t#", ""},
        {"begin not atomic select 1", "; insert into t# values (1)", "; end"},
        {"begin not atomic select 1", "; execute immediate 'select #'", "; end"},
        {"execute immediate '", "select #; ", "'"},
        {"insert into t values (1)", ", (#)", ""},
        {"select 1", " union select #", ""},
        {"select ", "(# + ", ""},
        {"set @a = 1", ", @a# = 1", ""},
        {"explain ", "explain ", "select 1"},
    };
    unsigned before = growth_failures();
    rules = test_read_rules(state, rules_text);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_linear(texts[i].piece, 200, judge, &texts[i]);
    rules_free(rules);
    assert_int_equal(growth_failures(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steps_grow_with_the_statement, test_folder_make,
                                        test_folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
