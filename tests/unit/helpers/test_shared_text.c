/* SPDX-License-Identifier: Apache-2.0
 *
 * A text in the store, by parts and a head: what is written is read, and what is not whole is not. */
#include "shared_store.h"

static const char edition[] = "0123456789abcdef";

static bool is_read(const char *value)
{
    struct shared_head head;
    return shared_head_read(text_of(value), &head);
}

static void heads_are_read_as_they_are_written(void **state)
{
    static const uint32_t sizes[] = {0, 1, 65536, 65537, SHARED_TEXT_BYTES};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct shared_head head = {.size = sizes[i], .parts = shared_parts_of(sizes[i])}, again;
        char text[SHARED_HEAD_BYTES];
        memcpy(head.edition, edition, sizeof edition);
        shared_head_print(&head, text);
        assert_true(shared_head_read(text_of(text), &again));
        assert_string_equal(again.edition, edition);
        assert_int_equal(again.size, head.size);
        assert_int_equal(again.parts, head.parts);
    }
}

static void what_is_no_head_is_none(void **state)
{
    static const char *const wrong[] = {
        "",
        "1",
        "2 0123456789abcdef 1 1",
        "1 0123456789abcde 1 1",
        "1 0123456789abcdeF 1 1",
        "1 0123456789abcdef0 1 1",
        "1 0123456789abcdef 1 2",
        "1 0123456789abcdef 65537 1",
        "1 0123456789abcdef 1048577 17",
        "1 0123456789abcdef -1 1",
        "1 0123456789abcdef 01 1",
        "1  0123456789abcdef 1 1",
        "1 0123456789abcdef 1 1 ",
        "1 0123456789abcdef 4294967297 1",
    };
    (void)state;
    assert_true(is_read("1 0123456789abcdef 1 1"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(is_read(wrong[i]));
    struct shared_head head;
    assert_false(shared_head_read((weir_string){"1 0123456789abcdef 1 1\0", 23}, &head));
    assert_false(shared_head_read((weir_string){NULL, 0}, &head));
}

static void keys_of_parts_are_read_as_they_are_written(void **state)
{
    static const char *const wrong[] = {"",
                                        "head",
                                        "0123456789abcdef/001",
                                        "0123456789abcdef/00001",
                                        "0123456789abcdeg/0001",
                                        "0123456789abcdef-0001",
                                        "0123456789abcdef/000x"};
    char key[SHARED_PART_KEY_BYTES], read[SHARED_EDITION_BYTES];
    uint32_t number;
    (void)state;
    shared_part_print(edition, 17, key);
    assert_string_equal(key, "0123456789abcdef/0017");
    assert_true(shared_part_read(text_of(key), read, &number));
    assert_string_equal(read, edition);
    assert_int_equal(number, 17);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(shared_part_read(text_of(wrong[i]), read, &number));
}

static void note(struct shared_part **parts, uint32_t number, const char *value, int64_t revision)
{
    const weir_store_entry entry = {
        .value = text_of(value), .revision = revision, .is_deleted = value == NULL};
    assert_true(shared_parts_note(parts, edition, number, &entry));
}

static void a_text_is_whole_or_none(void **state)
{
    struct shared_head head = {.size = 7, .parts = 3};
    struct shared_part *parts = NULL;
    (void)state;
    memcpy(head.edition, edition, sizeof edition);
    note(&parts, 2, "g", 3);
    note(&parts, 0, "abc", 1);
    assert_null(shared_parts_join(&parts, &head));
    note(&parts, 1, "def", 2);
    char *text = shared_parts_join(&parts, &head);
    assert_string_equal(text, "abcdefg");
    free(text);
    note(&parts, 1, "de", 4); /* another size */
    assert_null(shared_parts_join(&parts, &head));
    note(&parts, 1, "defgh", 5);
    assert_null(shared_parts_join(&parts, &head));
    note(&parts, 1, NULL, 6);
    assert_null(shared_parts_join(&parts, &head));
    head.edition[0] = 'f';
    assert_null(shared_parts_join(&parts, &head));
    shared_parts_free(&parts);
    head.size = head.parts = 0;
    text = shared_parts_join(&parts, &head);
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read_as_they_are_written),
        cmocka_unit_test(what_is_no_head_is_none),
        cmocka_unit_test(keys_of_parts_are_read_as_they_are_written),
        cmocka_unit_test(a_text_is_whole_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
