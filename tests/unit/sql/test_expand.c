/* SPDX-License-Identifier: Apache-2.0
 *
 * Prepared statements written out with their parameters. */
#include "sql_test.h"

static void check(const char *text, const struct sql_parameter *parameters, size_t count,
                  const struct sql_mode *mode, const char *expected)
{
    struct strbuf out = STRBUF_INIT;
    sql_expand(&out, span_of(text), mode, parameters, count, 0);
    assert_span((struct sql_span){out.data, out.size}, expected);
    strbuf_release(&out);
}

static struct sql_parameter parameter(enum sql_parameter_kind kind, const char *text)
{
    return (struct sql_parameter){kind, span_of(text)};
}

static void markers_become_literals(void **state)
{
    (void)state;
    const struct sql_parameter parameters[] = {
        parameter(SQL_PARAMETER_NUMBER, "-5"),  parameter(SQL_PARAMETER_TEXT, "it's \\ \n"),
        parameter(SQL_PARAMETER_NULL, ""),      parameter(SQL_PARAMETER_BYTES, "\x01\xff"),
        parameter(SQL_PARAMETER_NUMBER, "inf"),
    };
    check("select ?, ?, ? /* ? */, '?', `?`, ?, ? -- ?", parameters, 5, &plain_mode,
          "select -5, 'it\\'s \\\\ \\n', NULL /* ? */, '?', `?`, x'01FF', 'inf' -- ?");
    check("select 1-?", parameters, 1, &plain_mode, "select 1- -5");
    check("select ?, ?", parameters, 1, &plain_mode, "select -5, ?");
}

static void quoting_follows_the_mode(void **state)
{
    (void)state;
    const struct sql_parameter quote = parameter(SQL_PARAMETER_TEXT, "a'b\\");
    check("?", &quote, 1, &(struct sql_mode){.no_backslash_escapes = true}, "'a''b\\'");
    const struct sql_parameter whole = parameter(SQL_PARAMETER_TEXT, "\xbf\x5c'");
    check("?", &whole, 1, &(struct sql_mode){.charset = SQL_CHARSET_GBK}, "'\xbf\x5c\\''");
    const struct sql_parameter half = parameter(SQL_PARAMETER_TEXT, "\xbf'");
    check("?", &half, 1, &(struct sql_mode){.charset = SQL_CHARSET_GBK}, "x'BF27'");
}

static void the_limit_cuts(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    const struct sql_parameter parameters[] = {parameter(SQL_PARAMETER_TEXT, "0123456789")};
    assert_int_equal(sql_expand(&out, span_of("a ? b ?"), &plain_mode, parameters, 1, 5), 2);
    assert_span((struct sql_span){out.data, out.size}, "a '01");
    strbuf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markers_become_literals),
        cmocka_unit_test(quoting_follows_the_mode),
        cmocka_unit_test(the_limit_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
