/* SPDX-License-Identifier: Apache-2.0
 *
 * What nodes tell each other of their lists: as text and back, in an order, and against lists. */
#include "changes.h"

#include <stdlib.h>
#include <weir/text.h>

#include "firewall_test.h"

static const weir_string app = {"app@%", 5}, other = {"b@%", 3};

static struct key key_of_number(unsigned number, enum key_sort sort, const char *database)
{
    struct key key = test_key(number);
    key.sort = sort;
    if (database)
        key.database = text_of(database);
    return key;
}

struct texts {
    struct changes *read; /* what they say, in order */
    size_t count, bytes_most;
    char *all;
};

static bool add_text(void *user, weir_string text)
{
    struct texts *texts = user;
    size_t wrong = 0;
    assert_true(changes_read(texts->read, text, &wrong));
    assert_int_equal(wrong, 0);
    if (text.size > texts->bytes_most)
        texts->bytes_most = text.size;
    texts->count++;
    if (!texts->all)
        texts->all = strndup(text.data, text.size);
    return true;
}

static struct changes *made(void)
{
    struct changes *changes = changes_new();
    assert_non_null(changes);
    assert_true(changes_are_none(changes));
    return changes;
}

static void what_is_printed_is_read(void **state)
{
    (void)state;
    struct changes *changes = made();
    struct texts texts = {.read = made()};
    struct key shop = key_of_number(1, KEY_DIGEST, "shop"), none = key_of_number(1, KEY_DIGEST, "");
    struct key gone = key_of_number(2, KEY_DIGEST, "shop"),
               any = key_of_number(3, KEY_DIGEST, NULL);
    assert_true(changes_say_key(changes, app, &any, true));
    assert_true(changes_say_key(changes, app, &shop, true));
    assert_true(changes_say_key(changes, app, &none, true));
    assert_true(changes_say_key(changes, app, &gone, false));
    assert_true(changes_say_mode(changes, app, FIREWALL_DETECTING));
    assert_true(changes_say_gone(changes, other));
    assert_true(changes_say_mode(changes, other, NO_MODE));
    assert_true(changes_print(changes, 4096, add_text, &texts));
    assert_int_equal(texts.count, 1);
    assert_true(changes_take_away(texts.read, app, &gone));
    assert_false(changes_take_away(texts.read, app, &shop));
    assert_false(changes_take_away(texts.read, app, NULL));
    assert_true(changes_take_away(texts.read, other, NULL));
    assert_true(changes_take_away(texts.read, other, &shop)); /* all of them */
    assert_non_null(strstr(texts.all, "account app@%\nmode DETECTING\n"));
    assert_non_null(strstr(texts.all, "account b@%\ngone\nmode DEFAULT\n"));
    assert_int_equal(texts.read->first->mode, FIREWALL_DETECTING);
    free(texts.all);
    changes_free(texts.read);
    changes_free(changes);
}

/* A statement that is known by its text may have literals in it. */
static void of_a_text_only_the_digits_are_told(void **state)
{
    (void)state;
    struct changes *changes = made();
    struct texts texts = {.read = made()};
    struct key text = key_of_number(1, KEY_TEXT, "shop");
    text.shown = text_of("select \"secret\"");
    assert_true(changes_say_key(changes, app, &text, true));
    assert_true(changes_print(changes, 4096, add_text, &texts));
    assert_null(strstr(texts.all, "secret"));
    assert_int_equal(texts.read->first->first->key.sort, KEY_TEXT);
    assert_memory_equal(texts.read->first->first->key.bytes, text.bytes, KEY_BYTES);
    free(texts.all);
    changes_free(texts.read);
    changes_free(changes);
}

static void many_are_parted_into_texts(void **state)
{
    (void)state;
    struct changes *changes = made();
    struct texts texts = {.read = made()};
    for (unsigned i = 0; i < 10000; i++) {
        struct key key = key_of_number(i, KEY_DIGEST, i % 2 ? "shop" : "");
        assert_true(changes_say_key(changes, i % 3 ? app : other, &key, true));
    }
    assert_true(changes_print(changes, 65000, add_text, &texts));
    assert_in_range(texts.bytes_most, 60000, 65000);
    assert_in_range(texts.count, 10, 30);
    for (unsigned i = 0; i < 10000; i++) {
        struct key key = key_of_number(i, KEY_DIGEST, i % 2 ? "shop" : "");
        assert_true(changes_say_key(texts.read, i % 3 ? app : other, &key, false));
    }
    size_t count = 0;
    for (const struct changed_account *at = texts.read->first; at; at = at->next)
        for (const struct changed_key *key = at->first; key; key = key->next)
            count++;
    assert_int_equal(count, 10000); /* all of them were there */
    free(texts.all);
    changes_free(texts.read);
    changes_free(changes);
}

static void the_last_word_counts(void **state)
{
    (void)state;
    struct changes *changes = made(), *later = made();
    struct key one = test_key(1), two = test_key(2);
    assert_true(changes_say_key(changes, app, &one, true));
    assert_true(changes_say_key(changes, app, &two, false));
    assert_true(changes_say_mode(changes, app, FIREWALL_RECORDING));
    assert_true(changes_say_gone(later, app));
    assert_true(changes_say_key(later, app, &two, true));
    assert_true(changes_add(changes, later));
    assert_true(changes_take_away(changes, app, &one));
    assert_false(changes_take_away(changes, app, &two));
    assert_int_equal(changes->first->mode, MODE_UNSAID);
    assert_true(changes_take_away(changes, text_of("app@%"), NULL));
    changes_free(later);
    changes_free(changes);
}

static struct allow_lists *lists_of(unsigned first, unsigned end, int mode)
{
    struct allow_lists *lists = allow_lists_new();
    struct account *account = allow_lists_make(lists, app);
    for (unsigned i = first; i < end; i++) {
        struct key key = test_key(i);
        assert_int_equal(account_learn(lists, account, &key), LEARNED_NEW);
    }
    account_set_mode(account, mode);
    return lists;
}

static void lists_are_compared(void **state)
{
    (void)state;
    struct allow_lists *before = lists_of(0, 3, NO_MODE), *after = lists_of(1, 4, FIREWALL_OFF);
    struct changes *changes = made(), *unsaid = made();
    struct key zero = test_key(0), one = test_key(1);
    assert_true(changes_between(changes, before, after));
    assert_int_equal(changes->first->mode, FIREWALL_OFF);
    assert_true(changes_take_away(changes, app, &zero));
    assert_non_null(changes->first->first->next);
    assert_null(changes->first->first->next->next); /* one is gone, one is new */
    /* Of 1 and 2 nothing is said; of 0, that it is gone, and that stays. */
    assert_true(changes_unsaid(unsaid, changes, before));
    assert_false(changes_take_away(unsaid, app, &zero));
    assert_false(changes_take_away(unsaid, app, &one));
    assert_non_null(unsaid->first->first->next);
    assert_null(unsaid->first->first->next->next);
    assert_int_equal(unsaid->first->mode, MODE_UNSAID);
    changes_free(changes);
    changes_free(unsaid);
    changes = made();
    struct allow_lists *none = allow_lists_new();
    assert_true(changes_between(changes, before, none));
    assert_true(changes_take_away(changes, app, NULL));
    changes_free(changes);
    allow_lists_free(none);
    allow_lists_free(before);
    allow_lists_free(after);
}

static void foreign_lines_are_left_out(void **state)
{
    (void)state;
    static const char text[] = "digest 00\nmode OFF\naccount app@%\nnonsense\nmode LOUD\n# said\n\n"
                               "database shop\nforget digest 12\nmode OFF\naccount \ngone\n";
    static const char nul[] = "account app@%\nmode\0 OFF\n";
    struct changes *changes = made();
    size_t wrong = 0;
    assert_true(changes_read(changes, (weir_string){text, sizeof text - 1}, &wrong));
    assert_int_equal(wrong, 7);
    assert_int_equal(changes->first->mode, FIREWALL_OFF);
    assert_null(changes->first->next);
    assert_null(changes->first->first);
    assert_true(changes_read(changes, (weir_string){nul, sizeof nul - 1}, &wrong));
    assert_int_equal(wrong, 8);
    assert_true(changes_read(changes, (weir_string){NULL, 0}, &wrong));
    changes_free(changes);
}

/* They were kept under the long name, and the text printed from them was wrong again. */
static void what_follows_a_name_that_is_too_long_is_left_out(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    struct changes *changes = made();
    size_t wrong = 0;
    strbuf_add_text(&text, "account app@%\ndatabase ");
    for (int i = 0; i < DATABASE_BYTES; i++)
        strbuf_add_byte(&text, 'd');
    strbuf_add_text(&text, "\ngone\naccount b@%\nmode OFF\n");
    assert_true(changes_read(changes, (weir_string){text.data, text.size}, &wrong));
    assert_int_equal(wrong, 2);
    assert_true(text_equals((weir_string){changes->first->name, changes->first->name_size},
                            text_of("b@%")));
    assert_null(changes->first->next);
    changes_free(changes);
    strbuf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_a_name_that_is_too_long_is_left_out),
        cmocka_unit_test(what_is_printed_is_read),
        cmocka_unit_test(of_a_text_only_the_digits_are_told),
        cmocka_unit_test(many_are_parted_into_texts),
        cmocka_unit_test(the_last_word_counts),
        cmocka_unit_test(lists_are_compared),
        cmocka_unit_test(foreign_lines_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
