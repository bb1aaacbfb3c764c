/* SPDX-License-Identifier: Apache-2.0
 *
 * Which texts are read the same in every mode, and that what is asked of them stays known in one
 * that is unsure. tests/fuzz/sql/fuzz_reading.c tries all modes. */
#include "sql_test.h"

static const struct {
    const char *text;
    bool fixed;
} cases[] = {
    {"select 1", true},
    {"select a, `b`, 'c''d', 1.5, @e, @@f from t where a <= 1 and b <> 2 -- comment", true},
    {"insert into t values (1, 'x'); update t set a = 1 where b /* it's */ = 2;", true},
    {"(select 1) union (select 2)", true},
    {"set @a := 1, names utf8", true},
    {"select case when a then b end from t", true},
    {"create table t (a int)", true},
    {"start transaction; commit", true},
    {"execute s", true},
    {"execute immediate 'select 1'", true},
    {"", true},
    {"-- nothing", true},
    {"select \"a\"", false},
    {"select 'a\\'", false},
    {"select 1 -- it\\s", false},
    {"select caf\xc3\xa9", false},
    {"select 1 as [a]", false},
    {"select 1 from a{b", false},
    {"select 1|2", false},
    {"select 1 /*!50000 + 1 */", false},
    {"select 1 /*M! + 1 */", false},
    {"begin", false},
    {"start transaction; begin; commit", false},
    {"begin not atomic select 1; end", false},
    {"declare a int; begin select 1; end", false},
    {"create procedure p as begin select 1; end", false},
    {"if 1 then select 1; end if", false},
    {"l: loop select 1; end loop", false},
    {"<<l>> select 1", false},
    {"a := 1", false},
    {"select 1 minus select 2", false},
    {"select s.nextval", false},
    {"execute immediate 'begin'", false},
    {"execute immediate 'select ''1'''", false},
    {"execute immediate 'beg' 'in'", false},
    {"prepare s from 'select 1 minus select 2'", false},
    {"set statement a = 1 for begin not atomic select 1; end", false},
    {"select 'open", false},
    {"select 1 \x01", false},
    {"frobnicate", false},
    /* What is after an @ goes on with these in swe7. */
    {"set@s@", false},
    {"grant select on t to a@b`c`", false},
    {"grant select on t to a@b, 'c'@'d', `e`@`f`; select @@g, @`h`, @i", true},
};

static void a_fixed_text_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (sql_reading_is_fixed(span_of(cases[i].text)) != cases[i].fixed)
            fail_msg("%s", cases[i].text);
}

static bool tables_are_known(const char *text, const struct sql_mode *mode)
{
    struct sql_tables tables;
    sql_tables_init(&tables);
    assert_true(sql_tables_read(&tables, span_of(text), mode, span_of("cur")));
    bool known = tables.known;
    sql_tables_release(&tables);
    return known;
}

/* Was: no digest was exact and no tables were known in a mode that was not known, of any text. */
static void a_fixed_text_stays_exact_and_known(void **state)
{
    (void)state;
    struct sql_mode unsure = {.dialect = SQL_DIALECT_MARIADB, .unsure = true};
    struct sql_mode brackets = {.dialect = SQL_DIALECT_MARIADB, .brackets = true};
    assert_true(sql_digest_is_exact(span_of("select 1 from t"), &unsure));
    assert_true(tables_are_known("select 1 from t", &unsure));
    assert_false(sql_digest_is_exact(span_of("select \"a\" from t"), &unsure));
    assert_false(tables_are_known("select \"a\" from t", &unsure));
    /* In sql_mode=MSSQL the name of the column is a quote, and there are two statements. */
    const char *hidden = "select 1 as [']; drop table t -- ']";
    assert_false(sql_digest_is_exact(span_of(hidden), &brackets));
    assert_false(tables_are_known(hidden, &brackets));
    assert_true(tables_are_known("select 1 from t", &brackets));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_text_is_told),
        cmocka_unit_test(a_fixed_text_stays_exact_and_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
