/* SPDX-License-Identifier: Apache-2.0
 *
 * SHOW PLUGINS, FLUSH PLUGINS and ADMIN PLUGINS, with a plugin and without; and what privileges are
 * read from SHOW GRANTS. */
#include "driver.h"

#include <string.h>

#define RELOAD "GRANT SELECT, RELOAD ON *.* TO `u`@`%`"
#define SUPER  "GRANT SELECT, SUPER ON *.* TO `u`@`%`"
#define DENIED                                                                                     \
    "error 1227 Access denied; you need (at least one of) the RELOAD or SUPER privilege(s) for "   \
    "this operation"
#define DENIED_SUPER                                                                               \
    "error 1227 Access denied; you need (at least one of) the SUPER or SYSTEM_VARIABLES_ADMIN "    \
    "privilege(s) for this operation"
#define SYNTAX                                                                                     \
    "error 1064 You have an error in your SQL syntax: give FLUSH TIDB PLUGINS name[, name], or "   \
    "ADMIN PLUGINS ENABLE|DISABLE name[, name]"

static void plugins_are_shown(void **state)
{
    const char *end = driver_query(*state, "SHOW PLUGINS");
    assert_memory_equal(end, "rows Name,Status,Type,Library,License,Version;v,Ready-enable,Audit,/",
                        67);
    assert_non_null(strstr(driver_query(*state, "SHOW PLUGINS LIKE 'V'"), ";v,"));
    assert_string_equal(driver_query(*state, "SHOW PLUGINS LIKE 'w%'"),
                        "rows Name,Status,Type,Library,License,Version");
    assert_string_equal(driver_query(*state, "SHOW PLUGINS WHERE Name = 'v'"),
                        "error 1235 This version of weir doesn't yet support 'SHOW PLUGINS WHERE'");
}

static void other_statements_are_the_backends(void **state)
{
    static const char *const others[] = {"SHOW PLUGINS SONAME 'a'",
                                         "FLUSH TABLES",
                                         "SELECT 1",
                                         "ADMIN CHECK TABLE t",
                                         "SHOW TABLES",
                                         "SET a = 1",
                                         "SELECT @@version",
                                         "SELECT f(1)",
                                         "KILL 1",
                                         "SHOW STATUS_OF x",
                                         ""};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_string_equal(driver_query(*state, others[i]), "none");
    assert_string_equal(driver_command(*state, WIRE_COM_PING, "", 0), "none");
    assert_string_equal(driver_prepare(*state, "SHOW TABLES"), "none");
    assert_memory_equal(driver_prepare(*state, "SHOW PLUGINS"), "error 1295 ", 11);
}

static void changes_need_a_privilege(void **state)
{
    struct driver *driver = *state;
    assert_string_equal(driver_query(driver, "FLUSH TIDB PLUGINS v"), DENIED);
    assert_string_equal(driver->queries.data, "SHOW GRANTS\n");
    driver->grants = "GRANT SELECT ON *.* TO `u`@`%`";
    assert_string_equal(driver_query(driver, "FLUSH PLUGINS v"), DENIED);
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS DISABLE v"), DENIED_SUPER);
    driver->grants = "GRANT SUPER ON `a`.* TO `u`@`%`";
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS DISABLE v"), DENIED_SUPER);
}

/* RELOAD is what backups have. */
static void an_account_that_may_flush_cannot_switch_a_plugin_off(void **state)
{
    struct driver *driver = *state;
    driver->grants = RELOAD;
    driver_query(driver, "FLUSH PLUGINS v");
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS DISABLE v"), DENIED_SUPER);
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS ENABLE v"), DENIED_SUPER);
    driver->grants = "GRANT SYSTEM_VARIABLES_ADMIN ON *.* TO `u`@`%`";
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS DISABLE v"), "ok");
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS ENABLE v"), "ok");
}

static void plugins_are_switched_and_flushed(void **state)
{
    struct driver *driver = *state;
    driver->grants = SUPER;
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS DISABLE v"), "ok");
    assert_non_null(strstr(driver_query(driver, "SHOW PLUGINS"), ";v,Ready-disable,"));
    driver->grants = "GRANT ALL PRIVILEGES ON *.* TO `u`@`%` WITH GRANT OPTION";
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS ENABLE v, `v`;"), "ok");
    driver_query(driver, "FLUSH PLUGINS v"); /* its first flush fails */
    assert_string_equal(driver_query(driver, "FLUSH PLUGINS v"), "ok");
}

static void errors_name_the_plugin(void **state)
{
    struct driver *driver = *state;
    driver->grants = SUPER;
    assert_memory_equal(driver_query(driver, "FLUSH PLUGINS nobody"), "error 1105 ", 11);
    assert_non_null(strstr(driver->end.data, "nobody"));
    assert_memory_equal(driver_query(driver, "ADMIN PLUGINS ENABLE v, nobody"), "error 1105 ", 11);
    driver->is_shutting_down = true;
    assert_string_equal(driver_query(driver, "FLUSH PLUGINS v"),
                        "error 1105 weir is shutting down");
}

static void what_is_no_list_of_names_is_a_syntax_error(void **state)
{
    struct driver *driver = *state;
    struct strbuf many = STRBUF_INIT;
    driver->grants = RELOAD;
    assert_string_equal(driver_query(driver, "FLUSH PLUGINS"), SYNTAX);
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS DISABLE v,"), SYNTAX);
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS v"), SYNTAX);
    strbuf_add_text(&many, "FLUSH PLUGINS v");
    for (int i = 0; i < 64; i++)
        strbuf_add_text(&many, ",v");
    assert_string_equal(driver_query(driver, many.data), SYNTAX);
    strbuf_release(&many);
    assert_string_equal(driver->queries.data, "");
}

static void one_statement_of_several_is_refused(void **state)
{
    struct driver *driver = *state;
    driver->observed.identity.multi_statements = true;
    assert_memory_equal(driver_query(driver, "SHOW PLUGINS; SELECT 1"), "error 1235 ", 11);
    assert_memory_equal(driver_query(driver, "FLUSH PLUGINS v; SELECT 1"), "error 1235 ", 11);
    assert_memory_equal(driver_query(driver, "SHOW PLUGINS;"), "rows ", 5);
    driver->observed.identity.multi_statements = false;
}

static void without_plugins_the_texts_are_read_too(void **state)
{
    struct driver *driver = *state;
    driver->grants = RELOAD;
    assert_string_equal(driver_query(driver, "SHOW PLUGINS LIKE '%'"),
                        "rows Name,Status,Type,Library,License,Version");
    assert_memory_equal(driver_query(driver, "FLUSH TIDB PLUGINS v"), "error 1105 ", 11);
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, NULL, 0);
    assert_string_equal(driver_query(driver, "SHOW STATUS LIKE 'weir_sessions'"),
                        "forward SHOW STATUS LIKE 'weir_sessions'; reads Weir_sessions,0");
    assert_string_equal(driver_query(driver, "SHOW VARIABLES LIKE 'weir%'"), "none");
    assert_string_equal(driver_query(driver, "SHOW TABLE STATUS LIKE 'weir%'"), "none");
    one_statement_of_several_is_refused(state);
}

static void attributes_before_the_text_are_skipped(void **state)
{
    struct driver *driver = *state;
    static const char text[] = "\x00\x01SHOW PLUGINS LIKE 'w'";
    driver->observed.capabilities |= WIRE_CAP(CLIENT_QUERY_ATTRIBUTES);
    assert_string_equal(driver_command(driver, WIRE_COM_QUERY, text, sizeof text - 1),
                        "rows Name,Status,Type,Library,License,Version");
    driver->observed.capabilities &= ~WIRE_CAP(CLIENT_QUERY_ATTRIBUTES);
}

static int reset(void **state)
{
    driver_reset(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(plugins_are_shown, reset),
        cmocka_unit_test_setup(other_statements_are_the_backends, reset),
        cmocka_unit_test_setup(changes_need_a_privilege, reset),
        cmocka_unit_test_setup(an_account_that_may_flush_cannot_switch_a_plugin_off, reset),
        cmocka_unit_test_setup(plugins_are_switched_and_flushed, reset),
        cmocka_unit_test_setup(errors_name_the_plugin, reset),
        cmocka_unit_test_setup(what_is_no_list_of_names_is_a_syntax_error, reset),
        cmocka_unit_test_setup(one_statement_of_several_is_refused, reset),
        cmocka_unit_test_setup(attributes_before_the_text_are_skipped, reset),
    };
    const struct CMUnitTest plain[] = {
        cmocka_unit_test_setup(other_statements_are_the_backends, reset),
        cmocka_unit_test_setup(without_plugins_the_texts_are_read_too, reset),
        cmocka_unit_test_setup(attributes_before_the_text_are_skipped, reset),
    };
    int failed = cmocka_run_group_tests(tests, driver_open, driver_close);
    return failed + cmocka_run_group_tests(plain, driver_open_plain, driver_close);
}
