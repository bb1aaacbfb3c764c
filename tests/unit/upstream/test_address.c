/* SPDX-License-Identifier: Apache-2.0
 *
 * What -backend may say, and what it means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "gateway/upstream/address.h"

static void texts_are_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port;
    } rows[] = {
        {"tcp://db.example:3307", "db.example", "3307"},
        {"tcp://db.example", "db.example", "3306"},
        {"tcp://[::1]:3307", "::1", "3307"},
        {"tcp://[::1]", "::1", "3306"},
        {"unix:///run/x.sock", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address_name name;
        struct error error = {""};
        assert_int_equal(address_parse(&name, rows[i].text, &error), 0);
        assert_string_equal(name.text, rows[i].text);
        assert_string_equal(name.host, rows[i].host);
        assert_string_equal(name.port, rows[i].port);
    }
}

static void texts_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "db.example",
        "",
        "tcp://",
        "tcp://:3306",
        "tcp://db.example:",
        "tcp://db.example:a-service-of-a-long-name",
        "tcp://[::1",
        "tcp://[::1]x",
        "tcp://[::1]x:3306",
        "tcp://[]:3306",
        "unix://run/x.sock",
        ("unix:///"
         "0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
         "23456789012345678901234567890"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address_name name;
        struct error error = {""};
        assert_int_equal(address_parse(&name, rows[i], &error), -1);
        assert_non_null(strstr(error.message, "-backend "));
    }
}

static void addresses_are_found_and_described(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"tcp://127.0.0.1:3307", "127.0.0.1:3307"},
        {"tcp://[::1]:3307", "[::1]:3307"},
        {"unix:///run/x.sock", "/run/x.sock"},
    };
    struct address_list found, again;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address_name name;
        char text[ADDRESS_TEXT_BYTES];
        assert_int_equal(address_parse(&name, rows[i][0], NULL), 0);
        assert_int_equal(address_look_up(&name, &found, NULL), 0);
        assert_int_equal(found.count, 1);
        assert_string_equal(address_describe(&found.list[0], text), rows[i][1]);
        assert_int_equal(address_look_up(&name, &again, NULL), 0);
        assert_true(address_is_same(&found.list[0], &again.list[0]));
    }
    struct address none = {.size = 0};
    assert_false(address_is_same(&found.list[0], &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_parsed),
        cmocka_unit_test(texts_that_are_none_are_refused),
        cmocka_unit_test(addresses_are_found_and_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
