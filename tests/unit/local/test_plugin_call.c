/* SPDX-License-Identifier: Apache-2.0
 *
 * SELECT of a plugin's functions. */
#include "driver.h"

static struct driver *driver;

static int reset(void **state)
{
    driver = *state;
    driver_reset(driver);
    return 0;
}

static void assert_end(const char *text, const char *expected)
{
    assert_string_equal(driver_query(driver, text), expected);
}

static void the_backend_evaluates_the_arguments(void **state)
{
    (void)state;
    static const char *const hi[] = {"6869"}, *const empty_null[] = {"", NULL};
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 1, hi, 1);
    assert_end("SELECT v_echo(CONCAT('h', 'i')) AS greeting", "rows greeting;hi");
    assert_string_equal(driver->queries.data,
                        "SELECT HEX(CONVERT((CONCAT('h', 'i')) USING utf8mb4)) LIMIT 1\n");
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, empty_null, 1);
    assert_end("SELECT v_echo(1), V_ECHO('', NULL)", "rows v_echo(1),V_ECHO('', NULL);hi,");
    driver_reset(driver);
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 1, empty_null + 1, 1);
    assert_end("SELECT v_echo(NULL)", "rows v_echo(NULL);NULL");
}

static void each_call_needs_its_privilege(void **state)
{
    (void)state;
    static const char *const hi[] = {"6869"};
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 1, hi, 1);
    assert_end("SELECT v_echo('hi'), v_secret()",
               "error 1227 Access denied; you need (at least one of) the SUPER privilege(s) for "
               "this operation");
    assert_string_equal(driver->queries.data, "SHOW GRANTS\n");
    driver->grants = "GRANT SUPER ON *.* TO `u`@`%`";
    assert_end("SELECT v_echo('hi'), v_secret()", "error 3000 HY001 secret");
    driver->is_shutting_down = true;
    assert_end("SELECT v_secret()", "error 1053 Server shutdown in progress");
}

static void what_cannot_be_called_is_refused(void **state)
{
    (void)state;
    assert_end("SELECT v_echo()",
               "error 1582 Incorrect parameter count in the call to native function 'v_echo'");
    assert_end("SELECT v_echo(1), v_echo(1), v_echo(1), v_echo(1), v_echo(1), v_echo(1), "
               "v_echo(1), v_echo(1), v_echo(1)",
               "error 1235 This version of weir doesn't yet support 'more than 8 functions of "
               "plugins in a SELECT'");
    driver_reply_error(driver, 1054, "Unknown column 'x'");
    assert_end("SELECT v_echo(x)", "error 1054 Unknown column 'x'");
    driver_reset(driver);
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 1, NULL, 0);
    assert_end("SELECT v_echo(1)", "error 1041 weir: the arguments of v_echo() are too long");
    assert_string_equal(
        driver_prepare(driver, "SELECT v_echo(1)"),
        "error 1295 This command is not supported in the prepared statement protocol yet");
    assert_true(driver->observed.prepare_refused);
}

static void any_other_select_is_the_backends(void **state)
{
    (void)state;
    assert_end("SELECT v_echo(1), 2", "none");
    assert_end("SELECT v_echo(1) FROM t", "none");
    assert_end("SELECT f(1), v_echo(1)", "none");
    driver->observed.identity.multi_statements = true;
    assert_end("SELECT v_echo(1); SELECT 1", "none");
    driver->observed.identity.multi_statements = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_backend_evaluates_the_arguments, reset),
        cmocka_unit_test_setup(each_call_needs_its_privilege, reset),
        cmocka_unit_test_setup(what_cannot_be_called_is_refused, reset),
        cmocka_unit_test_setup(any_other_select_is_the_backends, reset),
    };
    return cmocka_run_group_tests(tests, driver_open, driver_close);
}
