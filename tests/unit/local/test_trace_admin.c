/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN TRACE, with a trace plugin and without. */
#include "driver.h"

#include <string.h>

#include "trace/protocol/trace_protocol.h"

#define COLUMNS "rows Plugin,Tracing,User,Host,Session,Sessions_traced"

static struct driver *driver;

static int reset(void **state)
{
    driver = *state;
    driver_reset(driver);
    driver->grants = "GRANT SUPER ON *.* TO `u`@`%`";
    return 0;
}

static void assert_end(const char *text, const char *expected)
{
    assert_string_equal(driver_query(driver, text), expected);
}

static void without_a_plugin_there_is_nothing_to_choose(void **state)
{
    (void)state;
    assert_end("ADMIN SHOW TRACE", COLUMNS);
    assert_end("ADMIN TRACE OFF", "ok");
    assert_end("ADMIN TRACE ALL",
               "error 1105 no trace plugin is loaded; ADMIN TRACE LOAD 'plugin' loads one, and so "
               "does -trace-plugin");
    assert_int_equal(driver->trace_changes, 0);
}

static void a_plugin_is_loaded_by_name(void **state)
{
    (void)state;
    assert_end("ADMIN TRACE LOAD 'simple_trace'", "ok");
    assert_string_equal(driver->trace_loaded, "simple_trace");
    assert_end("ADMIN TRACE LOAD 'missing'", "error 1105 no such plugin");
    driver->is_shutting_down = true;
    assert_end("ADMIN TRACE LOAD 'other'", "error 1105 weir is shutting down");
    assert_string_equal(driver->trace_loaded, "missing");
}

static void what_is_traced_is_chosen_and_shown(void **state)
{
    (void)state;
    struct error error = {""};
    struct st_mysql_client_plugin_TRACE plugin = {
        .interface_version = MYSQL_CLIENT_TRACE_PLUGIN_INTERFACE_VERSION, .name = "t"};
    struct trace_host *host = trace_host_adopt(&plugin, &error);
    assert_string_equal(error.message, "");
    atomic_store(&driver->trace, host);
    assert_end("ADMIN SHOW TRACE", COLUMNS ";t,ALL,NULL,NULL,NULL,0");
    assert_end("ADMIN TRACE USER 'app' HOST '10.%' SESSION 42", "ok");
    assert_true(driver->trace_changes > 0);
    assert_end("ADMIN SHOW TRACE;", COLUMNS ";t,SELECTED,app,10.%,42,0");
    assert_end("ADMIN TRACE OFF", "ok");
    assert_end("ADMIN SHOW TRACE", COLUMNS ";t,OFF,NULL,NULL,NULL,0");
    assert_end("ADMIN TRACE ALL", "ok");
    assert_end("ADMIN SHOW TRACE", COLUMNS ";t,ALL,NULL,NULL,NULL,0");
    atomic_store(&driver->trace, NULL);
    trace_host_unload(host);
}

static void what_is_not_the_grammar_or_not_granted_is_refused(void **state)
{
    (void)state;
    assert_end("ADMIN TRACE EVERYTHING",
               "error 1064 You have an error in your SQL syntax: give ADMIN TRACE LOAD 'plugin', "
               "ADMIN TRACE ALL | OFF, ADMIN TRACE [USER 'name'] [HOST 'pattern'] [SESSION "
               "number], or ADMIN SHOW TRACE");
    driver->grants = NULL;
    assert_memory_equal(driver_query(driver, "ADMIN TRACE OFF"), "error 1227 ", 11);
    assert_memory_equal(driver_query(driver, "ADMIN SHOW TRACE"), "error 1227 ", 11);
    driver->observed.identity.multi_statements = true;
    assert_memory_equal(driver_query(driver, "ADMIN SHOW TRACE; SELECT 1"), "error 1235 ", 11);
    driver->observed.identity.multi_statements = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_plugin_there_is_nothing_to_choose, reset),
        cmocka_unit_test_setup(a_plugin_is_loaded_by_name, reset),
        cmocka_unit_test_setup(what_is_traced_is_chosen_and_shown, reset),
        cmocka_unit_test_setup(what_is_not_the_grammar_or_not_granted_is_refused, reset),
    };
    int failed = cmocka_run_group_tests(tests, driver_open_plain, driver_close);
    return failed + cmocka_run_group_tests(tests, driver_open, driver_close);
}
