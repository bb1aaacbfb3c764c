/* SPDX-License-Identifier: Apache-2.0
 *
 * NULs where a server takes them for the end of a text, and where it does not. That MariaDB does so
 * is what tests/integration/test_text_ends.py asks a server. */
#include "sql_test.h"

#include <string.h>

static const struct sql_mode mariadb = {.dialect = SQL_DIALECT_MARIADB, .server_version = 101100};
static const struct sql_mode mysql = {.dialect = SQL_DIALECT_MYSQL, .server_version = 80000};

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static bool tables_are_known(struct sql_span text, const struct sql_mode *mode, size_t *count)
{
    struct sql_tables tables;
    sql_tables_init(&tables);
    assert_true(sql_tables_read(&tables, text, mode, (struct sql_span){"d", 1}));
    bool known = tables.known;
    *count = tables.count;
    sql_tables_release(&tables);
    return known;
}

static void a_nul_ends_a_text_where_the_server_says_so(void **state)
{
    (void)state;
    static const struct sql_span ended[] = {
        TEXT("select 1 from t\0"),     TEXT("select 1 from t \0 \n"),
        TEXT("select 1 from t\0;"),    TEXT("select 1 from t; \0 junk"),
        TEXT("select 1 from t -- \0"), TEXT("select 1 from t /*! */\0"),
        TEXT("select '\0' from t\0"),
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof ended / sizeof ended[0]; i++) {
        assert_true(tables_are_known(ended[i], &mariadb, &count));
        assert_int_equal(count, 1);
        assert_true(sql_digest_is_exact(ended[i], &mariadb));
        assert_false(sql_digest_is_exact(ended[i], &mysql)); /* nobody has asked one */
    }
    static const struct sql_span broken[] = {
        TEXT("select 1 from t\0\0"),      TEXT("select 1 from t\0, u"),
        TEXT("select\0 1 from t"),        TEXT("select 1 from t # \0 x\n, u"),
        TEXT("select 1 /*! from t\0 */"),
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        assert_false(tables_are_known(broken[i], &mariadb, &count));
        assert_false(sql_digest_is_exact(broken[i], &mariadb));
    }
}

static size_t count_of(struct sql_span text)
{
    struct sql_splitter splitter;
    struct sql_span statement;
    size_t count = 0;
    sql_splitter_init(&splitter, text, &mariadb);
    while (sql_splitter_next(&splitter, &statement))
        count++;
    return count;
}

static void a_nul_after_a_semicolon_is_a_statement_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(count_of((struct sql_span)TEXT("select 1;select 2\0")), 2);
    assert_int_equal(count_of((struct sql_span)TEXT("select 1;\0")), 2);
    assert_int_equal(count_of((struct sql_span)TEXT("select 1;\0;")), 2);
    assert_int_equal(count_of((struct sql_span)TEXT("select 1;\0select 2")), 2);
    assert_int_equal(count_of((struct sql_span)TEXT("select 1\0;select 2")), 1);
}

static void statements_that_are_acted_upon_end_with_a_nul_too(void **state)
{
    (void)state;
    static const struct sql_span text = TEXT("kill 5\0");
    struct sql_kill kill;
    assert_true(sql_kill(text, &mariadb, &kill));
    assert_true(kill.is_number && kill.number == 5);
    struct sql_kinds kinds = sql_statement_kind((struct sql_span)TEXT("show plugins\0"), &mariadb);
    assert_int_equal(kinds.kind, sql_statement_kind(span_of("show plugins"), &mariadb).kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nul_ends_a_text_where_the_server_says_so),
        cmocka_unit_test(a_nul_after_a_semicolon_is_a_statement_of_its_own),
        cmocka_unit_test(statements_that_are_acted_upon_end_with_a_nul_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
