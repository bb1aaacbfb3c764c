/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN RELOAD CONFIG, over a configuration that the test reloads. */
#include "driver.h"

#include <string.h>

static struct driver *driver;

static int reset(void **state)
{
    driver = *state;
    driver_reset(driver);
    driver->grants = "GRANT SUPER ON *.* TO `u`@`%`";
    driver->reload_error = driver->reload_note = NULL;
    driver->reloads = 0;
    return 0;
}

static void a_reload_is_ok_or_says_what_is_wrong(void **state)
{
    (void)state;
    assert_string_equal(driver_query(driver, "ADMIN RELOAD CONFIG"), "ok");
    assert_string_equal(driver_query(driver, "admin reload Config;"), "ok");
    assert_true(driver->reloads > 0);
    driver->reload_error = "weir.toml:3: key \"prot\": no such option";
    assert_string_equal(driver_query(driver, "ADMIN RELOAD CONFIG"),
                        "error 1105 weir.toml:3: key \"prot\": no such option");
}

static void what_is_not_the_grammar_or_not_granted_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"ADMIN RELOAD", "ADMIN RELOAD CONFIG now",
                                        "ADMIN RELOAD PLUGINS"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_string_equal(
            driver_query(driver, wrong[i]),
            "error 1064 You have an error in your SQL syntax: give ADMIN RELOAD CONFIG");
    assert_memory_equal(driver_prepare(driver, "ADMIN RELOAD CONFIG"), "error 1295 ", 11);
    driver->grants = "GRANT RELOAD, PROCESS ON *.* TO `u`@`%`";
    assert_memory_equal(driver_query(driver, "ADMIN RELOAD CONFIG"), "error 1227 ", 11);
    driver->grants = "GRANT SUPER ON *.* TO `u`@`%`";
    driver->observed.identity.multi_statements = true;
    assert_memory_equal(driver_query(driver, "ADMIN RELOAD CONFIG; SELECT 1"), "error 1235 ", 11);
    driver->observed.identity.multi_statements = false;
    assert_int_equal(driver->reloads, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_reload_is_ok_or_says_what_is_wrong, reset),
        cmocka_unit_test_setup(what_is_not_the_grammar_or_not_granted_is_refused, reset),
    };
    return cmocka_run_group_tests(tests, driver_open, driver_close);
}
