/* SPDX-License-Identifier: Apache-2.0
 *
 * TOML: values and lines come back as written, in the order of the file; every failure names file
 * and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static struct toml_document *parse(const char *text)
{
    struct error error = {""};
    struct toml_document *document = toml_parse(text, strlen(text), "t.toml", &error);
    assert_string_equal(error.message, "");
    assert_non_null(document);
    return document;
}

/* The line that errors about the node name. */
static unsigned line_of(const struct toml_document *document, const struct toml_node *node)
{
    struct error error = {""};
    unsigned line = 0;
    assert_int_equal(toml_error(document, node, &error, "here"), -1);
    assert_int_equal(sscanf(error.message, "t.toml:%u: here", &line), 1);
    return line;
}

static void values_have_types_lines_and_texts(void **state)
{
    (void)state;
    struct toml_document *document = parse("s = \"a\\u0000b\"\n"
                                           "i = -5\n"
                                           "f = 2.5\n"
                                           "\n"
                                           "b = true\n"
                                           "d = 2026-01-31\n"
                                           "l = [1,\n"
                                           "  'two']\n"
                                           "[t.u]\n"
                                           "x = 0x10\n");
    static const struct {
        const char *key;
        enum toml_type type;
        unsigned line;
        const char *text;
    } rows[] = {
        {"s", TOML_STRING, 1, "a"},        {"i", TOML_INTEGER, 2, "-5"},
        {"f", TOML_FLOAT, 3, "2.5"},       {"b", TOML_BOOLEAN, 5, "true"},
        {"d", TOML_DATE, 6, "2026-01-31"}, {"l", TOML_ARRAY, 7, ""},
        {"t", TOML_TABLE, 9, ""},
    };
    const struct toml_node *root = toml_root(document);
    assert_int_equal(toml_type(root), TOML_TABLE);
    assert_int_equal(toml_count(root), sizeof rows / sizeof *rows);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct toml_node *node = toml_at(root, i);
        assert_string_equal(toml_key(node), rows[i].key);
        assert_ptr_equal(toml_get(root, rows[i].key), node);
        assert_int_equal(toml_type(node), rows[i].type);
        assert_int_equal(line_of(document, node), rows[i].line);
        assert_string_equal(toml_text(node, NULL), rows[i].text);
    }
    size_t size = 0;
    assert_memory_equal(toml_text(toml_get(root, "s"), &size), "a\0b", 3);
    assert_int_equal(size, 3);
    assert_int_equal(toml_integer(toml_get(root, "i")), -5);
    assert_true(toml_float(toml_get(root, "f")) == 2.5);
    assert_true(toml_boolean(toml_get(root, "b")));
    const struct toml_node *list = toml_get(root, "l");
    assert_int_equal(toml_count(list), 2);
    assert_int_equal(line_of(document, toml_at(list, 1)), 8);
    assert_string_equal(toml_text(toml_at(list, 1), NULL), "two");
    assert_null(toml_at(list, 2));
    assert_null(toml_get(list, "two"));
    assert_int_equal(toml_integer(toml_get(toml_get(toml_get(root, "t"), "u"), "x")), 16);
    toml_free(document);
}

static void members_come_in_the_order_of_the_file(void **state)
{
    (void)state;
    struct toml_document *document = parse("z = 1\na = 2\nm = {k = 1, b = 2}\n");
    const struct toml_node *root = toml_root(document);
    assert_string_equal(toml_key(toml_at(root, 0)), "z");
    assert_string_equal(toml_key(toml_at(root, 1)), "a");
    assert_string_equal(toml_key(toml_at(toml_at(root, 2), 0)), "k");
    assert_string_equal(toml_key(toml_at(toml_at(root, 2), 1)), "b");
    struct error error;
    assert_int_equal(toml_error(document, toml_at(root, 1), &error, "key \"%s\"", "a"), -1);
    assert_string_equal(error.message, "t.toml:2: key \"a\"");
    toml_free(document);
}

static void a_mistake_names_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *start;
    } rows[] = {
        {"a = 1\nb =\n", "t.toml:2: "},
        {"a = 1\n\na = 2\n", "t.toml:3: "},
        {"a = \"\xff\"\n", "t.toml:1: "},
        {"[x\n", "t.toml:1: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error = {""};
        assert_null(toml_parse(rows[i].text, strlen(rows[i].text), "t.toml", &error));
        assert_memory_equal(error.message, rows[i].start, strlen(rows[i].start));
        assert_true(strlen(error.message) > strlen(rows[i].start));
    }
}

static void what_is_too_deep_or_too_long_is_refused(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    for (int i = 0; i < TOML_DEPTH + 1; i++)
        strbuf_add_text(&text, i ? ".a" : "a");
    strbuf_add_text(&text, " = 1\n");
    struct error error = {""};
    assert_null(toml_parse(text.data, text.size, "t.toml", &error));
    assert_string_equal(error.message, "t.toml:1: more than 32 tables and lists inside each other");
    strbuf_release(&text);
    char *many = calloc(1, TOML_FILE_BYTES + 1);
    assert_non_null(many);
    assert_null(toml_parse(many, TOML_FILE_BYTES + 1, "t.toml", &error));
    assert_string_equal(error.message,
                        "t.toml: longer than 16777216 bytes, the limit of a TOML file here");
    free(many);
}

static void a_file_that_is_not_there_says_so(void **state)
{
    (void)state;
    struct error error = {""};
    assert_null(toml_read("/nonexistent/x.toml", &error));
    assert_string_equal(error.message, "/nonexistent/x.toml: No such file or directory");
    assert_null(toml_read("/", &error));
    assert_string_equal(error.message, "/: Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_types_lines_and_texts),
        cmocka_unit_test(members_come_in_the_order_of_the_file),
        cmocka_unit_test(a_mistake_names_file_and_line),
        cmocka_unit_test(what_is_too_deep_or_too_long_is_refused),
        cmocka_unit_test(a_file_that_is_not_there_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
