/* SPDX-License-Identifier: Apache-2.0
 *
 * The statements a gateway acts upon, settings, and the session's mode. */
#include "sql_test.h"

static void use_and_drop_database_name_theirs(void **state)
{
    (void)state;
    struct sql_span name;
    assert_true(sql_use_target(span_of("/* x */ use `a b`;"), &plain_mode, &name));
    assert_span(name, "a b");
    assert_true(sql_use_target(span_of("USE db"), &plain_mode, &name));
    assert_span(name, "db");
    assert_false(sql_use_target(span_of("select 1"), &plain_mode, &name));
    assert_true(sql_drop_database_target(span_of("drop schema if exists x"), &plain_mode, &name));
    assert_span(name, "x");
    assert_false(sql_drop_database_target(span_of("drop table x"), &plain_mode, &name));
}

static void set_role_tells_none(void **state)
{
    (void)state;
    struct sql_span role;
    assert_true(sql_set_role(span_of("set role 'r 1'"), &plain_mode, &role));
    assert_span(role, "r 1");
    assert_true(sql_set_role(span_of("SET ROLE none"), &plain_mode, &role));
    assert_int_equal(role.size, 0);
    assert_false(sql_set_role(span_of("set roles = 1"), &plain_mode, &role));
}

static void settings_come_one_by_one(void **state)
{
    (void)state;
    struct sql_settings settings;
    struct sql_setting setting;
    sql_settings_init(&settings,
                      span_of("set global a = 1 , b := 'x''y', @@session.c = f(1, (2)) + 1, @u=2,"
                              " @@`d` = on, names utf8mb4 collate x; "),
                      &plain_mode);
    static const struct {
        enum sql_scope scope;
        const char *name, *value;
        bool literal;
    } expected[] = {
        {SQL_SCOPE_GLOBAL, "a", "1", true},
        {SQL_SCOPE_GLOBAL, "b", "'x''y'", true},
        {SQL_SCOPE_SESSION, "c", "f(1, (2)) + 1", false},
        {SQL_SCOPE_USER, "u", "2", true},
        {SQL_SCOPE_SESSION, "d", "on", true},
        {SQL_SCOPE_NAMES, "names", "utf8mb4 collate x", false},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_true(sql_settings_next(&settings, &setting));
        assert_int_equal(setting.scope, expected[i].scope);
        assert_span(setting.name, expected[i].name);
        assert_span(setting.value, expected[i].value);
        assert_int_equal(setting.is_literal, expected[i].literal);
    }
    assert_false(sql_settings_next(&settings, &setting));
    sql_settings_init(&settings, span_of("select 1"), &plain_mode);
    assert_false(sql_settings_next(&settings, &setting));
}

static void mode_follows_what_set_says(void **state)
{
    (void)state;
    struct sql_mode after;
    static const struct {
        const char *text;
        enum sql_mode_change change;
        struct sql_mode after;
    } cases[] = {
        {"set names gbk", SQL_MODE_CHANGED, {.charset = SQL_CHARSET_GBK}},
        {"set names 'sjis' collate 'sjis_bin'", SQL_MODE_CHANGED, {.charset = SQL_CHARSET_SJIS}},
        {"set character set latin1", SQL_MODE_CHANGED, {.charset = SQL_CHARSET_LATIN1}},
        {"set @@character_set_client = big5", SQL_MODE_CHANGED, {.charset = SQL_CHARSET_BIG5}},
        {"/*!40101 set names gbk */", SQL_MODE_CHANGED, {.charset = SQL_CHARSET_GBK}},
        {"set sql_mode = 'ansi_quotes, NO_BACKSLASH_ESCAPES'",
         SQL_MODE_CHANGED,
         {.ansi_quotes = true, .no_backslash_escapes = true}},
        {"set session sql_mode = ansi", SQL_MODE_CHANGED, {.ansi_quotes = true}},
        {"set sql_mode = 1048580",
         SQL_MODE_CHANGED,
         {.ansi_quotes = true, .no_backslash_escapes = true}},
        {"set sql_mode = 'oracle'", SQL_MODE_CHANGED, {.ansi_quotes = true, .oracle = true}},
        {"set @@sql_mode = concat(@@sql_mode, ',ansi')", SQL_MODE_UNSURE, {0}},
        {"set names default", SQL_MODE_UNSURE, {0}},
        {"set global sql_mode = 'ansi'", SQL_MODE_UNCHANGED, {0}},
        {"set a = 1", SQL_MODE_UNCHANGED, {0}},
        {"select 1", SQL_MODE_UNCHANGED, {0}},
        {"begin not atomic set names gbk; end", SQL_MODE_UNSURE, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum sql_mode_change change = sql_mode_after(span_of(cases[i].text), &plain_mode, &after);
        if (change != cases[i].change || after.charset != cases[i].after.charset ||
            after.ansi_quotes != cases[i].after.ansi_quotes ||
            after.oracle != cases[i].after.oracle ||
            after.no_backslash_escapes != cases[i].after.no_backslash_escapes)
            fail_msg("%s: %d, charset %d", cases[i].text, change, after.charset);
    }
}

static void server_versions_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sql_dialect dialect;
        uint32_t version;
    } cases[] = {
        {"10.11.19-MariaDB-0+deb12u1", SQL_DIALECT_MARIADB, 101119},
        {"5.5.5-10.6.1-MariaDB-log", SQL_DIALECT_MARIADB, 100601},
        {"8.0.33", SQL_DIALECT_MYSQL, 80033},
        {"8.0.11-TiDB-v8.5.0", SQL_DIALECT_TIDB, 80011},
        {"", SQL_DIALECT_UNKNOWN, 0},
        {"8.0", SQL_DIALECT_UNKNOWN, 0},
        {"x", SQL_DIALECT_UNKNOWN, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sql_mode mode = {.server_version = 1};
        sql_mode_set_server(&mode, span_of(cases[i].text));
        assert_int_equal(mode.dialect, cases[i].dialect);
        assert_int_equal(mode.server_version, cases[i].version);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(use_and_drop_database_name_theirs),
        cmocka_unit_test(set_role_tells_none),
        cmocka_unit_test(settings_come_one_by_one),
        cmocka_unit_test(mode_follows_what_set_says),
        cmocka_unit_test(server_versions_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
