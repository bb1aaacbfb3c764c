/* SPDX-License-Identifier: Apache-2.0
 *
 * The statements a gateway acts upon, settings, and the session's mode. */
#include "sql_test.h"

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
        cmocka_unit_test(set_role_tells_none),
        cmocka_unit_test(settings_come_one_by_one),
        cmocka_unit_test(server_versions_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
