/* SPDX-License-Identifier: Apache-2.0
 *
 * How bytes are spelled in JSON, base64 and CSV. */
#include "audit_test.h"
#include "encode.h"

#include <stdio.h>

static void json(const char *bytes, size_t size, const char *expected, bool is_utf8)
{
    struct strbuf text = {0};
    assert_int_equal(encode_json(&text, bytes, size), is_utf8);
    assert_text(&text, expected);
}

static void test_json_strings(void **state)
{
    (void)state;
    json("", 0, "\"\"", true);
    json("plain and quite long text, over several words", 45,
         "\"plain and quite long text, over several words\"", true);
    json("a\"b\\c", 5, "\"a\\\"b\\\\c\"", true);
    json("12345678\"", 9, "\"12345678\\\"\"", true);
    json("1234567\\", 8, "\"1234567\\\\\"", true);
    json("\n\r\t\b\f", 5, "\"\\n\\r\\t\\b\\f\"", true);
    json("\0\x1f\x7f", 3, "\"\\u0000\\u001f\\u007f\"", true);
    json("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 15,
         "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"", true);
}

static void test_bytes_that_are_no_utf8(void **state)
{
    (void)state;
    json("\xff", 1, "\"\xef\xbf\xbd\"", false);
    json("\xc3", 1, "\"\xef\xbf\xbd\"", false);                                 /* cut */
    json("\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"", false);                 /* overlong */
    json("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", false); /* surrogate */
    json("\xf4\x90\x80\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", false);
    json("a\xe2\x82z", 4, "\"a\xef\xbf\xbd\xef\xbf\xbdz\"", false);
}

/* Every byte at every place of texts of every short size: the quick look must not miss one, and what
 * is copied is what was there. */
static void test_the_quick_look_misses_nothing(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 40; size++) {
        for (size_t place = 0; place < size; place++) {
            for (int byte = 0; byte < 256; byte++) {
                char word[41] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN";
                struct strbuf text = {0};
                word[place] = (char)byte;
                encode_json(&text, word, size);
                bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
                assert_int_equal(text.size == size + 2, is_plain);
                assert_memory_equal(text.data + 1, word, place);
                assert_memory_equal(text.data + text.size - (size - place), word + place + 1,
                                    size - place - 1);
                strbuf_release(&text);
            }
        }
    }
}

static void test_numbers(void **state)
{
    (void)state;
    char expected[24];
    for (uint64_t number = 1, i = 0; i < 64; i++, number = number << 1 | (i % 3 == 0)) {
        struct strbuf text = {0};
        encode_number(&text, number);
        snprintf(expected, sizeof expected, "%llu", (unsigned long long)number);
        assert_text(&text, expected);
    }
    struct strbuf text = {0};
    encode_number(&text, 0);
    encode_number(&text, UINT64_MAX);
    assert_text(&text, "018446744073709551615");
}

static void test_exact_bytes_stand_beside(void **state)
{
    (void)state;
    struct strbuf text = {0};
    encode_json_member(&text, ",\"sql\":", sizeof ",\"sql\":" - 1, (weir_string){"a\xff", 2});
    assert_text(&text, ",\"sql\":\"a\xef\xbf\xbd\",\"sql_base64\":\"Yf8=\"");
    encode_json_member(&text, ",\"sql\":", sizeof ",\"sql\":" - 1, (weir_string){"ok", 2});
    assert_text(&text, ",\"sql\":\"ok\"");
}

static void test_base64(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *expected;
    } cases[] = {{"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strbuf text = {0};
        encode_base64(&text, cases[i].bytes, strlen(cases[i].bytes));
        assert_text(&text, cases[i].expected);
    }
}

static void test_csv_is_one_line(void **state)
{
    (void)state;
    struct strbuf text = {0};
    encode_csv(&text, "a \"b\"\r\nc\\\0", 10);
    assert_text(&text, "\"a \"\"b\"\"\\r\\nc\\\\\\0\"");
}

static void test_times(void **state)
{
    (void)state;
    struct strbuf text = {0};
    encode_time(&text, 1769903999123456789U);
    assert_text(&text, "2026-01-31T23:59:59.123456Z");
    encode_time(&text, 0);
    assert_text(&text, "1970-01-01T00:00:00.000000Z");
    encode_number(&text, UINT64_MAX);
    assert_text(&text, "18446744073709551615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_bytes_that_are_no_utf8),
        cmocka_unit_test(test_the_quick_look_misses_nothing),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_exact_bytes_stand_beside),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_csv_is_one_line),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
