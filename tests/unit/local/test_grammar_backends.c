/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN BACKENDS, taken apart. */
#include "../sql/sql_test.h"

#include "gateway/local/grammar_backends.h"

static struct grammar_backends read_right(const char *text)
{
    struct grammar_backends backends;
    assert_true(grammar_backends(span_of(text), &plain_mode, &backends));
    if (backends.wrong)
        fail_msg("%s", text);
    return backends;
}

static void each_form_is_read(void **state)
{
    (void)state;
    struct sql_span name;
    struct grammar_backends backends = read_right("admin show /* all */ backends;");
    assert_true(backends.is_show);
    assert_false(grammar_backends_next(&backends, &name));
    assert_int_equal(read_right("ADMIN BACKENDS ENABLE a").order, SESSION_BACKEND_ENABLE);
    assert_int_equal(read_right("ADMIN BACKENDS DISABLE a").order, SESSION_BACKEND_DISABLE);
    backends = read_right("admin backends drain one, `tcp://b:2`, 'tcp://c:3';");
    assert_int_equal(backends.order, SESSION_BACKEND_DRAIN);
    assert_true(grammar_backends_next(&backends, &name));
    assert_span(name, "one");
    assert_true(grammar_backends_next(&backends, &name));
    assert_span(name, "tcp://b:2");
    assert_true(grammar_backends_next(&backends, &name));
    assert_span(name, "tcp://c:3");
    assert_false(grammar_backends_next(&backends, &name));
}

static void what_does_not_fit_is_wrong(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "admin backends",           "admin backends drain",
        "admin backends stop a",    "admin backends drain a,",
        "admin backends drain a b", "admin show backends a",
        "admin backends enable 1",  "admin backends drain a; select 1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct grammar_backends backends;
        struct sql_span name;
        assert_true(grammar_backends(span_of(wrong[i]), &plain_mode, &backends));
        if (!backends.wrong)
            fail_msg("%s", wrong[i]);
        assert_false(grammar_backends_next(&backends, &name));
    }
}

static void other_statements_are_others(void **state)
{
    (void)state;
    static const char *const others[] = {"",
                                         "admin",
                                         "admin show",
                                         "admin show trace",
                                         "show backends",
                                         "admin `backends` drain a",
                                         "select backends"};
    struct grammar_backends backends;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (grammar_backends(span_of(others[i]), &plain_mode, &backends))
            fail_msg("%s", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_read),
        cmocka_unit_test(what_does_not_fit_is_wrong),
        cmocka_unit_test(other_statements_are_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
