/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN SHOW BACKENDS and ADMIN BACKENDS, over two backends of the test's own. */
#include "driver.h"

#include <string.h>

static struct driver *driver;

static int reset(void **state)
{
    driver = *state;
    driver_reset(driver);
    strbuf_reset(&driver->backend_orders);
    driver->grants = "GRANT SUPER ON *.* TO `u`@`%`";
    return 0;
}

static int finish(void **state)
{
    (void)state;
    strbuf_release(&driver->backend_orders);
    return 0;
}

static void backends_are_shown(void **state)
{
    (void)state;
    assert_string_equal(driver_query(driver, "ADMIN SHOW BACKENDS"),
                        "rows Name,Address,State,Since,Sessions,Checks,Last_error,Version,TLS,Role"
                        ";one,tcp://a:1,up,1970-01-01T00:00:01.000000Z,2,3,NULL,8.0,TLSv1.3,standby"
                        ";tcp://b:2,tcp://b:2,unknown,NULL,0,0,refused,NULL,NULL,NULL");
}

static void backends_are_changed_in_order(void **state)
{
    (void)state;
    assert_string_equal(driver_query(driver, "ADMIN BACKENDS DRAIN one, 'tcp://b:2'"), "ok");
    assert_memory_equal(driver->backend_orders.data, "2 one;2 tcp://b:2;", 18);
    assert_string_equal(driver_query(driver, "ADMIN BACKENDS ENABLE missing"),
                        "error 1105 there is no backend missing");
}

static void what_is_not_the_grammar_or_not_granted_is_refused(void **state)
{
    (void)state;
    assert_string_equal(
        driver_query(driver, "ADMIN BACKENDS STOP one"),
        "error 1064 You have an error in your SQL syntax: give ADMIN SHOW BACKENDS, "
        "or ADMIN BACKENDS ENABLE | DISABLE | DRAIN name[, name]");
    driver->grants = NULL;
    assert_memory_equal(driver_query(driver, "ADMIN BACKENDS DISABLE one"), "error 1227 ", 11);
    assert_memory_equal(driver_query(driver, "ADMIN SHOW BACKENDS"), "error 1227 ", 11);
    driver->grants = "GRANT PROCESS ON *.* TO `u`@`%`";
    assert_memory_equal(driver_query(driver, "ADMIN BACKENDS DISABLE one"), "error 1227 ", 11);
    assert_memory_equal(driver_query(driver, "ADMIN SHOW BACKENDS"), "rows ", 5);
    driver->observed.identity.multi_statements = true;
    assert_memory_equal(driver_query(driver, "ADMIN BACKENDS DISABLE one; SELECT 1"), "error 1235 ",
                        11);
    driver->observed.identity.multi_statements = false;
    assert_memory_equal(driver_prepare(driver, "ADMIN BACKENDS DISABLE one"), "error 1295 ", 11);
    assert_int_equal(driver->backend_orders.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(backends_are_shown, reset, finish),
        cmocka_unit_test_setup_teardown(backends_are_changed_in_order, reset, finish),
        cmocka_unit_test_setup_teardown(what_is_not_the_grammar_or_not_granted_is_refused, reset,
                                        finish),
    };
    int failed = cmocka_run_group_tests(tests, driver_open_plain, driver_close);
    return failed + cmocka_run_group_tests(tests, driver_open, driver_close);
}
