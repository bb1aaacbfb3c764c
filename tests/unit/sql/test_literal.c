/* SPDX-License-Identifier: Apache-2.0
 *
 * Values that are written down: literals read without a server, names and strings quoted for one.
 */
#include "sql_test.h"

static const struct {
    const char *expression;
    enum sql_literal_kind kind;
    const char *value;
} cases[] = {
    {"0", SQL_LITERAL_INTEGER, "0"},
    {" 18446744073709551616 ", SQL_LITERAL_INTEGER, "18446744073709551616"},
    {"true", SQL_LITERAL_INTEGER, "1"},
    {"FALSE", SQL_LITERAL_INTEGER, "0"},
    {"1.50", SQL_LITERAL_DECIMAL, "1.50"},
    {"1.", SQL_LITERAL_DECIMAL, "1."},
    {"Null", SQL_LITERAL_NULL, "Null"},
    {"DEFAULT", SQL_LITERAL_DEFAULT, "DEFAULT"},
    {"'a b'", SQL_LITERAL_TEXT, "a b"},
    {"\"it's\"", SQL_LITERAL_TEXT, "it's"},
    {"ON", SQL_LITERAL_TEXT, "ON"},
    {"_x$1", SQL_LITERAL_TEXT, "_x$1"},
    {"`default`", SQL_LITERAL_TEXT, "default"},
    /* for the server to say */
    {"", SQL_LITERAL_NONE, ""},
    {"''", SQL_LITERAL_NONE, "''"},
    {"-1", SQL_LITERAL_NONE, "-1"},
    {"1e5", SQL_LITERAL_NONE, "1e5"},
    {".5", SQL_LITERAL_NONE, ".5"},
    {"0x41", SQL_LITERAL_NONE, "0x41"},
    {"x'41'", SQL_LITERAL_NONE, "x'41'"},
    {"\\N", SQL_LITERAL_NONE, "\\N"},
    {"'a\\n'", SQL_LITERAL_NONE, "'a\\n'"},
    {"'it''s'", SQL_LITERAL_NONE, "'it''s'"},
    {"'\xc3\xa4'", SQL_LITERAL_NONE, "'\xc3\xa4'"},
    {"'a' 'b'", SQL_LITERAL_NONE, "'a' 'b'"},
    {"'a", SQL_LITERAL_NONE, "'a"},
    {"a b", SQL_LITERAL_NONE, "a b"},
    {"`a b`", SQL_LITERAL_NONE, "`a b`"},
    {"\xc3\xa4", SQL_LITERAL_NONE, "\xc3\xa4"},
    {"@a", SQL_LITERAL_NONE, "@a"},
    {"(1)", SQL_LITERAL_NONE, "(1)"},
    {"1 + 1", SQL_LITERAL_NONE, "1 + 1"},
};

static void literals_are_read_in_plain_words(void **state)
{
    (void)state;
    struct sql_span value;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sql_span expression = span_of(cases[i].expression);
        assert_int_equal(sql_literal_read(expression, &plain_mode, &value), cases[i].kind);
        assert_span(value, cases[i].value);
    }
}

static void names_are_quoted(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    sql_quote_name(&out, span_of("a`b``"));
    sql_quote_name(&out, (struct sql_span){NULL, 0});
    assert_string_equal(out.data, "`a``b`````"
                                  "``");
    strbuf_release(&out);
}

static void a_text_of_any_bytes_is_quoted_and_means_the_same(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT, again = STRBUF_INIT;
    char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    sql_quote_text(&out, span_of("plain (text) \"~\""));
    assert_string_equal(out.data, "'plain (text) \"~\"'");
    strbuf_reset(&out);
    sql_quote_text(&out, span_of("it's"));
    assert_string_equal(out.data, "CONVERT(X'69742773' USING utf8mb4)");
    strbuf_reset(&out);
    sql_quote_text(&out, (struct sql_span){bytes, sizeof bytes});
    const char *digits = out.data + strlen("CONVERT(X'");
    sql_unhex(&again, (struct sql_span){digits, 2 * sizeof bytes});
    assert_int_equal(again.size, sizeof bytes);
    assert_memory_equal(again.data, bytes, sizeof bytes);
    strbuf_reset(&again);
    sql_unhex(&again, span_of("6aA"));
    assert_string_equal(again.data, "j");
    strbuf_release(&out);
    strbuf_release(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_read_in_plain_words),
        cmocka_unit_test(names_are_quoted),
        cmocka_unit_test(a_text_of_any_bytes_is_quoted_and_means_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
