/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of keywords, and the blocks of bytes by which words are read. */
#include "sql/keyword_find.h"
#include "sql_test.h"

#include <stdio.h>

static const struct {
    const char *name;
    uint16_t word, flags;
} words[] = {
#define X(enumerator, name, flags) {name, SQL_WORD_##enumerator, flags},
#include "sql/keywords.def"
#undef X
};
enum { WORDS = sizeof words / sizeof words[0] };

static bool is_listed(const char *name)
{
    bool found = false;
    for (size_t i = 0; i < WORDS; i++)
        found = found || strcmp(words[i].name, name) == 0;
    return found;
}

static void every_word_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < WORDS; i++) {
        struct sql_keyword keyword = sql_keyword_find(words[i].name, strlen(words[i].name));
        if (keyword.word != words[i].word || keyword.flags != words[i].flags)
            fail_msg("%s is found as %u with %u", words[i].name, keyword.word, keyword.flags);
    }
}

static void check_absent(const char *name)
{
    if (!is_listed(name) && sql_keyword_find(name, strlen(name)).word != SQL_NO_WORD)
        fail_msg("%s is taken for a keyword", name);
}

static void no_other_word_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < WORDS; i++) {
        char other[2 * KEYWORD_LONGEST];
        size_t size = strlen(words[i].name);
        snprintf(other, sizeof other, "%sx", words[i].name);
        check_absent(other);
        for (size_t cut = 1; cut < size; cut++) {
            snprintf(other, sizeof other, "%.*s", (int)cut, words[i].name);
            check_absent(other);
        }
        for (size_t at = 0; at < size; at++) {
            snprintf(other, sizeof other, "%s", words[i].name);
            other[at] = other[at] == 'q' ? 'z' : 'q';
            check_absent(other);
        }
    }
    assert_int_equal(sql_keyword_find("", 0).word, SQL_NO_WORD);
}

/* The text lies in memory of its very size, so that reading beyond it is seen. */
static void a_part_of_a_block_is_filled_up_with_zeros(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 3 * BLOCK_BYTES; size++) {
        unsigned char *text = malloc(size);
        for (size_t i = 0; i < size; i++)
            text[i] = (unsigned char)(i + 1);
        for (size_t at = 0; at <= size; at++) {
            unsigned char got[BLOCK_BYTES];
            block_store(got, block_load_at(text, at, size));
            for (size_t i = 0; i < BLOCK_BYTES; i++)
                assert_int_equal(got[i], i < size - at ? at + i + 1 : 0);
        }
        free(text);
    }
}

static void every_byte_has_its_class(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        block bytes = (block){0} + (unsigned char)byte;
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        bool digit = byte >= '0' && byte <= '9';
        unsigned char lower[BLOCK_BYTES];
        block_store(lower, block_lower(bytes));
        assert_int_equal(lower[7], letter ? byte | 0x20 : byte);
        assert_int_equal(block_run(block_digits(bytes)), digit ? BLOCK_BYTES : 0);
        assert_int_equal(block_run(block_word(bytes)),
                         letter || digit || byte == '_' || byte == '$' ? BLOCK_BYTES : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_is_found),
        cmocka_unit_test(no_other_word_is_found),
        cmocka_unit_test(a_part_of_a_block_is_filled_up_with_zeros),
        cmocka_unit_test(every_byte_has_its_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
