/* SPDX-License-Identifier: Apache-2.0
 *
 * Where @@names stand, which of their select items have no alias, and what SHOW VARIABLES asks for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sql/sql.h"

static const struct sql_mode plain;

/* Each use as "name(scope)[item]". */
static const char *uses(const char *text)
{
    static char out[1024];
    static const char *const scopes[] = {"session",   "global", "persist", "only",
                                         "statement", "user",   "names"};
    struct sql_variables variables;
    struct sql_variable_use use;
    size_t size = 0;
    out[0] = '\0';
    sql_variables_init(&variables, (struct sql_span){text, strlen(text)}, &plain);
    while (sql_variables_next(&variables, &use))
        size +=
            (size_t)snprintf(out + size, sizeof out - size, "%.*s(%s%s)[%.*s] ", (int)use.name.size,
                             use.name.at, use.is_scoped ? "" : "?", scopes[use.scope],
                             (int)use.item.size, use.item.at ? use.item.at : "");
    return out;
}

static void each_use_is_found_with_its_item(void **state)
{
    (void)state;
    static const struct {
        const char *text, *uses;
    } cases[] = {
        {"SELECT @@x", "x(?session)[@@x] "},
        {"select @@global.x, @@Session.`y` , @@local.z;",
         "x(global)[@@global.x] y(session)[@@Session.`y`] z(session)[@@local.z] "},
        {"SELECT @@x AS a, @@x b, @@x `c`, @@x 'd', @@x + 1",
         "x(?session)[] x(?session)[] x(?session)[] x(?session)[] x(?session)[@@x + 1] "},
        {"SELECT DISTINCT  1  + /* c */ @@x /* d */ , 2", "x(?session)[1  + /* c */ @@x] "},
        {"SELECT concat(@@x, 'a', (select @@y)) limit 1",
         "x(?session)[concat(@@x, 'a', (select @@y))] y(?session)[concat(@@x, 'a', (select "
         "@@y))] "},
        {"SELECT concat(@@x) z from t where @@y = 1", "x(?session)[] y(?session)[] "},
        {"SELECT @@x IS NULL, @@x LIKE 'a', @@x COLLATE utf8_bin, CASE @@x WHEN 1 THEN 2 END",
         "x(?session)[@@x IS NULL] x(?session)[@@x LIKE 'a'] x(?session)[@@x COLLATE utf8_bin] "
         "x(?session)[CASE @@x WHEN 1 THEN 2 END] "},
        {"(SELECT @@x)", "x(?session)[@@x] "},
        {"SELECT CAST(@@x AS CHAR)", "x(?session)[CAST(@@x AS CHAR)] "},
        {"SELECT t.a, @@x FROM t", "x(?session)[@@x] "},
        {"WITH c AS (SELECT @@y) SELECT @@x FROM c", "y(?session)[] x(?session)[@@x] "},
        {"SELECT 1 UNION SELECT @@x", "x(?session)[@@x] "},
        {"SELECT @@x ) , (@@y), @@z", "x(?session)[@@x] y(?session)[] z(?session)[] "},
        {"SELECT @@x SELECT @@y", "x(?session)[@@x] y(?session)[@@y] "},
        {"DO @@x", "x(?session)[] "},
        {"SELECT '@@x', \"@@y\", `@@z`, @a, 1 -- @@b", ""},
        {"SELECT @@x INTO @a", "x(?session)[@@x] "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(uses(cases[i].text), cases[i].uses);
}

static void show_variables_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fits, is_status, is_global, is_like;
        const char *filter;
    } cases[] = {
        {"SHOW VARIABLES", true, false, false, false, ""},
        {"show /* x */ global status;", true, true, true, false, ""},
        {"SHOW LOCAL VARIABLES LIKE 'a%' ; ", true, false, false, true, "'a%'"},
        {"SHOW SESSION STATUS WHERE Value > 3 AND (1)", true, true, false, false,
         "Value > 3 AND (1)"},
        {"SHOW VARIABLES LIKE", false, false, false, true, ""},
        {"SHOW VARIABLES FROM x", false, false, false, false, ""},
        {"SHOW GLOBAL SESSION VARIABLES", false, false, true, false, ""},
        {"SHOW TABLES", false, false, false, false, ""},
        {"SHOW TABLE STATUS", false, false, false, false, ""},
        {"SHOW VARIABLES; SELECT 1", false, false, false, false, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sql_show_variables show;
        struct sql_span text = {cases[i].text, strlen(cases[i].text)};
        if (sql_show_variables(text, &plain, &show) != cases[i].fits)
            fail_msg("%s", cases[i].text);
        if (!cases[i].fits)
            continue;
        assert_int_equal(show.is_status, cases[i].is_status);
        assert_int_equal(show.is_global, cases[i].is_global);
        assert_int_equal(show.is_like, cases[i].is_like);
        assert_int_equal(show.filter.size, strlen(cases[i].filter));
        assert_memory_equal(show.filter.at, cases[i].filter, show.filter.size);
    }
}

/* Of the name v_limit, by a server of each dialect. */
static void assert_passes(const char *filter, struct sql_mode mode, enum sql_passes expected)
{
    char text[512];
    struct sql_show_variables show;
    snprintf(text, sizeof text, "SHOW VARIABLES %s", filter);
    if (!sql_show_variables((struct sql_span){text, strlen(text)}, &mode, &show))
        fail_msg("%s", text);
    enum sql_passes passes = sql_show_passes(&show, &mode, (struct sql_span){"v_limit", 7});
    if (passes != expected)
        fail_msg("%s: %d", filter, (int)passes);
}

static void names_pass_like_as_the_server_judges_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *filter;
        enum sql_passes mariadb, mysql;
    } cases[] = {
        {"", SQL_PASSES, SQL_PASSES},
        {"LIKE 'v_limit'", SQL_PASSES, SQL_PASSES},
        {"LIKE 'V\\_LIM%'", SQL_PASSES, SQL_PASSES},
        {"LIKE \"v%t\"", SQL_PASSES, SQL_PASSES},
        {"LIKE 'Handler_read%'", SQL_PASSES_NOT, SQL_PASSES_NOT},
        {"LIKE 'v_limit '", SQL_PASSES_NOT, SQL_PASSES_NOT},
        {"LIKE 'v\\%limit'", SQL_PASSES_NOT, SQL_PASSES_NOT},
        {"LIKE 'v\\\\_limit'", SQL_PASSES, SQL_PASSES},
        {"LIKE 'v''%'", SQL_PASSES_NOT, SQL_PASSES_NOT},
        {"LIKE ''", SQL_PASSES, SQL_PASSES_PERHAPS},
        {"LIKE 'v_limit\\0x'", SQL_PASSES, SQL_PASSES_PERHAPS},
        {"LIKE 'v_l\xc3\xadmit'", SQL_PASSES_NOT, SQL_PASSES_PERHAPS},
        {"LIKE 'v_' 'limit'", SQL_PASSES_PERHAPS, SQL_PASSES_PERHAPS},
        {"LIKE x'76'", SQL_PASSES_PERHAPS, SQL_PASSES_PERHAPS},
        {"LIKE v", SQL_PASSES_PERHAPS, SQL_PASSES_PERHAPS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_passes(cases[i].filter, (struct sql_mode){.dialect = SQL_DIALECT_MARIADB},
                      cases[i].mariadb);
        assert_passes(cases[i].filter, (struct sql_mode){.dialect = SQL_DIALECT_MYSQL},
                      cases[i].mysql);
    }
    struct sql_mode mode = {.dialect = SQL_DIALECT_MARIADB, .no_backslash_escapes = true};
    assert_passes("LIKE 'v\\_l\\imit'", mode, SQL_PASSES);
    mode.dialect = SQL_DIALECT_MYSQL;
    assert_passes("LIKE 'v\\_limit'", mode, SQL_PASSES_PERHAPS);
    mode = (struct sql_mode){.dialect = SQL_DIALECT_MARIADB, .unsure = true};
    assert_passes("LIKE 'v_limit'", mode, SQL_PASSES);
    assert_passes("LIKE 'v\\_limit'", mode, SQL_PASSES_PERHAPS);
    assert_passes("WHERE Variable_name = 'v_limit'", mode, SQL_PASSES_PERHAPS);
}

static void names_pass_where_as_far_as_they_decide_it(void **state)
{
    (void)state;
    static const struct {
        const char *filter;
        enum sql_passes passes;
    } cases[] = {
        {"WHERE Variable_name = 'V_LIMIT '", SQL_PASSES},
        {"WHERE `variable_name` LIKE 'v%'", SQL_PASSES},
        {"WHERE variable_name LIKE 'v\\_l%' OR Value = 1", SQL_PASSES},
        {"WHERE Variable_name IN ('a', 'v_limit')", SQL_PASSES},
        {"WHERE (Variable_name = 'a' OR (Variable_name = 'v_limit')) AND Variable_name LIKE '%'",
         SQL_PASSES},
        {"WHERE Variable_name LIKE 'Handler%' AND Value <> 0", SQL_PASSES_NOT},
        {"WHERE Value IN (1, (2)) AND Variable_name IN ('a', 'b')", SQL_PASSES_NOT},
        {"WHERE NOT Value AND (Variable_name = 'a' OR Variable_name LIKE 'b%')", SQL_PASSES_NOT},
        {"WHERE Variable_name = 'v_limit' AND Value > 3", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name = 'a' OR Value > 3", SQL_PASSES_PERHAPS},
        {"WHERE 1", SQL_PASSES_PERHAPS},
        {"WHERE NOT Variable_name = 'a'", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name <> 'a'", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name NOT LIKE 'a'", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name = 'a' = 0", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name = 'a' 'b'", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name = 'v_l\xc3\xadmit'", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name LIKE 'a%' ESCAPE 'a'", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name LIKE 'V%' COLLATE utf8mb4_bin", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name = 'a' XOR 1", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name = 'a' || 1", SQL_PASSES_PERHAPS},
        {"WHERE Value BETWEEN 1 AND Variable_name = 'a'", SQL_PASSES_PERHAPS},
        {"WHERE @a := 1 AND Variable_name = 'a'", SQL_PASSES_PERHAPS},
        {"WHERE CASE WHEN 1 THEN 1 AND Variable_name = 'a' END", SQL_PASSES_PERHAPS},
        {"WHERE (SELECT 0 FROM t WHERE 0 OR Variable_name = 'v_limit')", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name IN (SELECT 'a')", SQL_PASSES_PERHAPS},
        {"WHERE (Variable_name = 'a') = 0", SQL_PASSES_PERHAPS},
        {"WHERE ((((((((((((((((((((Variable_name = 'a'))))))))))))))))))))", SQL_PASSES_PERHAPS},
        {"WHERE ((Variable_name = 'a'", SQL_PASSES_PERHAPS},
        {"WHERE Variable_name = 'a') OR 1", SQL_PASSES_PERHAPS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_passes(cases[i].filter, (struct sql_mode){.dialect = SQL_DIALECT_MARIADB},
                      cases[i].passes);
    assert_passes("WHERE Variable_name LIKE 'v\\_limit'",
                  (struct sql_mode){.no_backslash_escapes = true}, SQL_PASSES_PERHAPS);
}

static void a_setting_is_known_as_a_whole(void **state)
{
    (void)state;
    static const char text[] =
        "SET GLOBAL a = 1, b='x', @@session.c := (1, 2) , PERSIST_ONLY d=4, NAMES utf8";
    static const struct {
        const char *whole;
        enum sql_scope scope;
        bool is_scoped;
    } expected[] = {
        {"a = 1", SQL_SCOPE_GLOBAL, true},
        {"b='x'", SQL_SCOPE_GLOBAL, false},
        {"@@session.c := (1, 2)", SQL_SCOPE_SESSION, true},
        {"d=4", SQL_SCOPE_PERSIST_ONLY, true},
        {"NAMES utf8", SQL_SCOPE_NAMES, false},
    };
    struct sql_settings settings;
    struct sql_setting setting;
    size_t i = 0;
    sql_settings_init(&settings, (struct sql_span){text, strlen(text)}, &plain);
    for (; sql_settings_next(&settings, &setting); i++) {
        assert_int_equal(setting.whole.size, strlen(expected[i].whole));
        assert_memory_equal(setting.whole.at, expected[i].whole, setting.whole.size);
        assert_int_equal(setting.scope, expected[i].scope);
        assert_int_equal(setting.is_scoped, expected[i].is_scoped);
    }
    assert_int_equal(i, sizeof expected / sizeof *expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_use_is_found_with_its_item),
        cmocka_unit_test(show_variables_is_taken_apart),
        cmocka_unit_test(names_pass_like_as_the_server_judges_its_own),
        cmocka_unit_test(names_pass_where_as_far_as_they_decide_it),
        cmocka_unit_test(a_setting_is_known_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
