/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN TRACE, taken apart. */
#include "../sql/sql_test.h"

#include "gateway/local/grammar_trace.h"

static struct grammar_trace read_right(const char *text)
{
    struct grammar_trace trace;
    assert_true(grammar_trace(span_of(text), &plain_mode, &trace));
    if (trace.wrong)
        fail_msg("%s", text);
    return trace;
}

static void each_form_is_read(void **state)
{
    (void)state;
    assert_int_equal(read_right("ADMIN SHOW TRACE").action, GRAMMAR_TRACE_SHOW);
    assert_int_equal(read_right("admin /* x */ trace off;").action, GRAMMAR_TRACE_OFF);
    struct grammar_trace trace = read_right("ADMIN TRACE ALL");
    assert_int_equal(trace.action, GRAMMAR_TRACE_SELECT);
    assert_true(!trace.user.at && !trace.host.at && trace.session == 0);
    trace = read_right("ADMIN TRACE LOAD 'simple_trace'");
    assert_int_equal(trace.action, GRAMMAR_TRACE_LOAD);
    assert_span(trace.plugin, "simple_trace");
    trace = read_right("ADMIN TRACE LOAD simple_trace;");
    assert_span(trace.plugin, "simple_trace");
}

static void conditions_can_be_joined(void **state)
{
    (void)state;
    struct grammar_trace trace = read_right("ADMIN TRACE USER 'app'");
    assert_int_equal(trace.action, GRAMMAR_TRACE_SELECT);
    assert_span(trace.user, "app");
    assert_null(trace.host.at);
    trace = read_right("ADMIN TRACE HOST '10.%'");
    assert_span(trace.host, "10.%");
    trace = read_right("ADMIN TRACE SESSION 2147483646");
    assert_true(trace.session == 2147483646u);
    trace = read_right("admin trace user app host \"::1\" session 42;");
    assert_span(trace.user, "app");
    assert_span(trace.host, "::1");
    assert_true(trace.session == 42);
    trace = read_right("admin trace user ''"); /* the anonymous one */
    assert_true(trace.user.at && trace.user.size == 0);
}

static void what_does_not_fit_is_wrong(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "admin trace",
        "admin trace everything",
        "admin trace all off",
        "admin trace off user 'a'",
        "admin trace user",
        "admin trace user 1",
        "admin trace host '%' user 'a'",
        "admin trace session",
        "admin trace session 0",
        "admin trace session -1",
        "admin trace session 1.5",
        "admin trace session 0x10",
        "admin trace session 18446744073709551616",
        "admin trace session '1'",
        "admin trace load",
        "admin trace load 1",
        "admin trace load 'a', 'b'",
        "admin show trace like 'a'",
        "admin trace all; select 1",
        "admin trace user 'a",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct grammar_trace trace;
        assert_true(grammar_trace(span_of(wrong[i]), &plain_mode, &trace));
        if (!trace.wrong)
            fail_msg("%s", wrong[i]);
    }
}

static void other_statements_are_left_alone(void **state)
{
    (void)state;
    static const char *const others[] = {"admin check table t",
                                         "admin show ddl",
                                         "trace select 1",
                                         "admin plugins enable a",
                                         "show trace",
                                         "admin",
                                         ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct grammar_trace trace;
        assert_false(grammar_trace(span_of(others[i]), &plain_mode, &trace));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_read),
        cmocka_unit_test(conditions_can_be_joined),
        cmocka_unit_test(what_does_not_fit_is_wrong),
        cmocka_unit_test(other_statements_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
