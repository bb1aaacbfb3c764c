/* SPDX-License-Identifier: Apache-2.0
 *
 * What was refused is remembered by its digest, until much else was refused. */
#include "refused.h"

#include <stdio.h>
#include <stdlib.h>
#include <weir/text.h>

#include "firewall_test.h"

static bool print(void *data, const struct key *key)
{
    char *text = data;
    snprintf(text + strlen(text), 100, "%d %d %.*s %.*s;", (int)key->sort, key->bytes[0],
             WEIR_STRING_ARGS(key->shown), WEIR_STRING_ARGS(key->database));
    return true;
}

static struct key key_with(enum key_sort sort, unsigned number, const char *database)
{
    struct key key = {.sort = sort, .shown = {"select ?", 8}, .database = text_of(database)};
    memset(key.bytes, (int)number, sizeof key.bytes);
    return key;
}

static enum refused_answer ask(const char *account, uint8_t digest, const char *database,
                               char text[500])
{
    uint8_t bytes[KEY_BYTES];
    memset(bytes, digest, sizeof bytes);
    text[0] = '\0';
    return refused_each(text_of(account), bytes, text_of(database), print, text);
}

static void note(const char *account, uint8_t digest, struct key key)
{
    uint8_t bytes[KEY_BYTES];
    memset(bytes, digest, sizeof bytes);
    refused_note(text_of(account), bytes, &key);
}

static void what_was_refused_is_found_by_account_digest_and_database(void **state)
{
    char text[500];
    (void)state;
    assert_int_equal(ask("app@%", 1, NULL, text), REFUSED_UNKNOWN);
    note("app@%", 1, key_with(KEY_DIGEST, 1, "shop"));
    note("app@%", 1, key_with(KEY_DIGEST, 1, "shop"));
    note("app@%", 1, key_with(KEY_DIGEST, 1, ""));
    note("app@%", 2, key_with(KEY_DIGEST, 2, "shop"));
    note("app@%", 2, key_with(KEY_DIGEST, 3, "shop")); /* of a text in it */
    note("bob@%", 1, key_with(KEY_DIGEST, 1, "shop"));
    assert_int_equal(ask("app@%", 1, NULL, text), REFUSED_FOUND);
    assert_string_equal(text, "0 1 select ? shop;0 1 select ? ;");
    assert_int_equal(ask("app@%", 1, "shop", text), REFUSED_FOUND);
    assert_string_equal(text, "0 1 select ? shop;");
    assert_int_equal(ask("app@%", 2, NULL, text), REFUSED_FOUND);
    assert_string_equal(text, "0 2 select ? shop;0 3 select ? shop;");
    assert_int_equal(ask("app@%", 2, "other", text), REFUSED_UNKNOWN);
    assert_int_equal(ask("app@h", 1, NULL, text), REFUSED_UNKNOWN);
    refused_clear();
    assert_int_equal(ask("app@%", 1, NULL, text), REFUSED_UNKNOWN);
}

/* Whoever allows one text must not allow another that somebody has sent with the same digest. */
static void a_digest_of_several_texts_allows_none(void **state)
{
    char text[500];
    (void)state;
    note("app@%", 5, key_with(KEY_TEXT, 1, "shop"));
    note("app@%", 5, key_with(KEY_TEXT, 1, "other"));
    assert_int_equal(ask("app@%", 5, NULL, text), REFUSED_FOUND);
    note("app@%", 5, key_with(KEY_TEXT, 2, "shop"));
    assert_int_equal(ask("app@%", 5, NULL, text), REFUSED_SEVERAL);
    assert_string_equal(text, "");
    assert_int_equal(ask("app@%", 5, "other", text), REFUSED_FOUND);
    refused_clear();
}

static void the_oldest_goes_when_there_are_too_many(void **state)
{
    char text[500], database[20];
    (void)state;
    note("app@%", 1, key_with(KEY_DIGEST, 1, "shop"));
    for (int i = 0; i < REFUSED_KEPT - 1; i++) {
        snprintf(database, sizeof database, "db%d", i);
        note("app@%", 2, key_with(KEY_DIGEST, 2, database));
    }
    assert_int_equal(ask("app@%", 1, NULL, text), REFUSED_FOUND);
    note("app@%", 3, key_with(KEY_DIGEST, 3, "shop"));
    assert_int_equal(ask("app@%", 1, NULL, text), REFUSED_UNKNOWN);
    assert_int_equal(ask("app@%", 3, NULL, text), REFUSED_FOUND);
    refused_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_refused_is_found_by_account_digest_and_database),
        cmocka_unit_test(a_digest_of_several_texts_allows_none),
        cmocka_unit_test(the_oldest_goes_when_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
