/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts that character sets read differently: blanks, comments and letters beyond ASCII. The tables
 * themselves are checked against a server (tests/integration/test_character_sets.py). */
#include "sql_test.h"

#define MARIADB .dialect = SQL_DIALECT_MARIADB, .server_version = 101119

/* The tables that the text names, one after the other; "unknown" in front where there may be more. */
static void check(const char *text, struct sql_mode mode, const char *expected)
{
    struct sql_tables tables;
    struct strbuf out = STRBUF_INIT;
    sql_tables_init(&tables);
    assert_true(sql_tables_read(&tables, span_of(text), &mode, (struct sql_span){"d", 1}));
    strbuf_add_text(&out, tables.known ? "" : "unknown ");
    for (size_t i = 0; i < tables.count; i++) {
        strbuf_add(&out, tables.items[i].name.at, tables.items[i].name.size);
        strbuf_add_byte(&out, ' ');
    }
    assert_string_equal(out.data, expected);
    strbuf_release(&out);
    sql_tables_release(&tables);
}

static struct sql_mode in(enum sql_charset charset)
{
    return (struct sql_mode){.charset = charset, MARIADB};
}

static void a_blank_beyond_ascii_ends_a_word(void **state)
{
    (void)state;
    check("select a from\xa0secret", in(SQL_CHARSET_LATIN1), "secret ");
    check("select a from\xa0secret", in(SQL_CHARSET_LATIN2), "secret ");
    check("select a from\xffsecret", in(SQL_CHARSET_CP866), "secret ");
    check("select a from\xa0secret\xa0where\xa0 1", in(SQL_CHARSET_GREEK), "secret ");
    check("select a from s\xc3\xa0t", in(SQL_CHARSET_UTF8MB4), "s\xc3\xa0t ");
}

static void a_blank_or_a_control_byte_opens_a_comment(void **state)
{
    (void)state;
    static const char text[] = "select 1 --\xa0'\n from t -- ' from u";
    check(text, in(SQL_CHARSET_LATIN1), "t ");
    check(text, in(SQL_CHARSET_LATIN2), "t ");
    check(text, in(SQL_CHARSET_HP8), "t ");
    check(text, in(SQL_CHARSET_CP866), "u ");
    check("select 1 --\x7f'\n from t -- ' from u", in(SQL_CHARSET_LATIN1), "t ");
}

static void a_variable_is_taken_byte_by_byte(void **state)
{
    (void)state;
    check("select @\x81` from t -- ` from u", in(SQL_CHARSET_GBK), "t ");
    check("select @\xb0` from t -- ` from u", in(SQL_CHARSET_GBK), "u ");
    check("select @a[` from t -- ` from u", in(SQL_CHARSET_SWE7), "t ");
}

static void a_line_ends_with_a_nul_too(void **state)
{
    (void)state;
    struct sql_mode mode = in(SQL_CHARSET_UTF8MB4);
    struct sql_tables tables;
    static const char text[] = "select 1 from t -- \0\n, u";
    sql_tables_init(&tables);
    assert_true(sql_tables_read(&tables, (struct sql_span){text, sizeof text - 1}, &mode,
                                (struct sql_span){"d", 1}));
    assert_false(tables.known);
    sql_tables_release(&tables);
}

static void what_is_doubtful_is_not_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct sql_mode mode;
        bool exact;
    } cases[] = {
        {"select a from t", {.charset = SQL_CHARSET_LATIN1}, true},
        {"select '\xa0' from t", {.charset = SQL_CHARSET_LATIN1}, true},
        {"select a from\xa0t", {.charset = SQL_CHARSET_LATIN1}, false},
        {"select a from\xa0t",
         {.charset = SQL_CHARSET_LATIN1, MARIADB},
         false}, /* not to TiDB's digest */
        {"select a from t", {.charset = SQL_CHARSET_OTHER, MARIADB}, false},
        {"select a --\x01", {MARIADB}, false},
        {"select \xd2\xbb from t", {.charset = SQL_CHARSET_GBK, MARIADB}, true},
        {"select \xd2\xbb from t", {.charset = SQL_CHARSET_GB18030, MARIADB}, false},
        {"select '\xd2\xbb' from t", {.charset = SQL_CHARSET_GB18030, MARIADB}, true},
        {"select a --\x01\n from t", {.charset = SQL_CHARSET_LATIN1}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (sql_digest_is_exact(span_of(cases[i].text), &cases[i].mode) != cases[i].exact)
            fail_msg("%zu: %s", i, cases[i].text);
}

static void names_and_numbers(void **state)
{
    (void)state;
    assert_int_equal(sql_charset_from_name(span_of("UTF8")), SQL_CHARSET_UTF8MB4);
    assert_int_equal(sql_charset_from_name(span_of("utf8mb3_bin")), SQL_CHARSET_UTF8MB4);
    assert_int_equal(sql_charset_from_name(span_of("koi8r_general_ci")), SQL_CHARSET_KOI8R);
    assert_int_equal(sql_charset_from_name(span_of("tis620")), SQL_CHARSET_TIS620);
    assert_int_equal(sql_charset_from_name(span_of("utf16le")), SQL_CHARSET_OTHER);
    assert_int_equal(sql_charset_from_name(span_of("")), SQL_CHARSET_OTHER);
    static const struct {
        unsigned collation;
        enum sql_charset charset;
    } numbers[] = {
        {8, SQL_CHARSET_LATIN1},     {1032, SQL_CHARSET_LATIN1}, {9, SQL_CHARSET_LATIN2},
        {45, SQL_CHARSET_UTF8MB4},   {255, SQL_CHARSET_UTF8MB4}, {249, SQL_CHARSET_GB18030},
        {63, SQL_CHARSET_BINARY},    {95, SQL_CHARSET_CP932},    {576, SQL_CHARSET_UTF8MB4},
        {2304, SQL_CHARSET_UTF8MB4}, {2560, SQL_CHARSET_OTHER},  {0, SQL_CHARSET_OTHER},
        {35, SQL_CHARSET_OTHER},     {54, SQL_CHARSET_OTHER},    {65535, SQL_CHARSET_OTHER},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(sql_charset_from_collation(numbers[i].collation), numbers[i].charset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blank_beyond_ascii_ends_a_word),
        cmocka_unit_test(a_blank_or_a_control_byte_opens_a_comment),
        cmocka_unit_test(a_variable_is_taken_byte_by_byte),
        cmocka_unit_test(a_line_ends_with_a_nul_too),
        cmocka_unit_test(what_is_doubtful_is_not_exact),
        cmocka_unit_test(names_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
