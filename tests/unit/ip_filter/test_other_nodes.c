/* SPDX-License-Identifier: Apache-2.0
 *
 * What other nodes have published, from the store's news to the tallies. */
#include "other_nodes.h"

#include <weir/text.h>

#include "count_values.h"
#include "filter_test.h"

#define SECOND INT64_C(1000000000)
#define START  (1000 * SECOND)
#define ONE    COUNT_PREFIX "1111111111111111"
#define TWO    COUNT_PREFIX "2222222222222222"
#define OWN    "aaaaaaaaaaaaaaaa"
#define FORMER "ffffffffffffffff"

static int clear(void **state)
{
    (void)state;
    other_nodes_clear();
    tally_clear();
    return 0;
}

static struct tally_key key_of(const char *text)
{
    struct tally_key key = {.size = (uint8_t)strlen(text)};
    memcpy(key.bytes, text, key.size);
    return key;
}

/* How many of these connections others have. */
static int64_t connections(const char *text)
{
    const struct tally_key key = key_of(text);
    int64_t count = -1;
    enum tally_answer answer = TALLY_TOO_MANY;
    while (answer == TALLY_TOO_MANY) {
        const struct tally_limits limits = {.connections = ++count + 1};
        answer = tally_enter(&key, &limits, START);
        tally_leave(&key);
    }
    return count;
}

/* A value of names with connections: "ua 3 ub 1". */
static void write_value(struct strbuf *value, const char *words)
{
    char name[16];
    int count, used;
    count_value_begin(value);
    for (; sscanf(words, " %15s %d%n", name, &count, &used) == 2; words += used) {
        const struct tally_key key = key_of(name);
        const struct tally_counts counts = {
            .connections = count, .failed = 1, .failed_left = 60 * SECOND};
        count_value_add(value, &key, &counts);
    }
}

static void say(weir_store_news_kind kind, const weir_store_entry *entries, size_t count)
{
    const weir_store_news news = {.struct_size = sizeof news,
                                  .kind = kind,
                                  .entry_size = sizeof *entries,
                                  .entries = entries,
                                  .count = count,
                                  .is_shared = 1};
    other_nodes_take(&news, OWN, FORMER, START);
}

static void change(const char *key, const char *words, int64_t revision)
{
    struct strbuf value = STRBUF_INIT;
    if (words)
        write_value(&value, words);
    const weir_store_entry entry = {.key = text_of(key),
                                    .value = {value.data, value.size},
                                    .revision = revision,
                                    .is_deleted = !words};
    say(WEIR_STORE_CHANGES, &entry, 1);
    strbuf_release(&value);
}

static void values_replace_each_other(void **state)
{
    (void)state;
    assert_int_equal(other_nodes_count(), 0);
    change(ONE, "", 1);
    change(ONE "/0", "ua 3 ub 1", 2);
    change(TWO "/0", "ua 2", 3);
    change(TWO "/7", "ua 1", 4);
    assert_int_equal(other_nodes_count(), 2);
    assert_int_equal(connections("ua"), 6);
    assert_int_equal(connections("ub"), 1);
    change(ONE "/0", "ua 1 uc 5", 5);
    assert_int_equal(connections("ua"), 4);
    assert_int_equal(connections("ub"), 0);
    assert_int_equal(connections("uc"), 5);
    change(ONE "/0", NULL, 6);
    assert_int_equal(connections("ua"), 3);
    assert_int_equal(other_nodes_count(), 2); /* its presence is there */
    change(ONE, NULL, 7);
    assert_int_equal(other_nodes_count(), 1);
    change(TWO "/7", NULL, 8);
    change(TWO "/0", NULL, 8);
    change(TWO "/0", NULL, 9);
    assert_int_equal(other_nodes_count(), 0);
    assert_int_equal(connections("ua"), 0);
}

static void its_own_keys_are_no_others(void **state)
{
    (void)state;
    change(COUNT_PREFIX OWN "/0", "ua 3", 1);
    change(COUNT_PREFIX FORMER "/0", "ua 3", 1);
    change(COUNT_PREFIX FORMER, "", 1);
    assert_int_equal(other_nodes_count(), 0);
    assert_int_equal(connections("ua"), 0);
}

static bool bans(const char *text, int64_t after)
{
    const struct tally_key key = key_of(text);
    return tally_failure(&key, after, SECOND, SECOND, START);
}

static void what_is_missing_in_everything_is_gone_and_windows_in_it_have_no_age(void **state)
{
    struct strbuf value = STRBUF_INIT;
    (void)state;
    change(ONE "/0", "ua 3 4abcd 1", 1);
    change(TWO "/0", "ua 1", 2);
    write_value(&value, "ua 3 4abcd 1");
    const weir_store_entry same = {
        .key = text_of(ONE "/0"), .value = {value.data, value.size}, .revision = 1};
    say(WEIR_STORE_EVERYTHING, &same, 1);
    assert_int_equal(connections("ua"), 3);
    assert_int_equal(other_nodes_count(), 1);
    assert_true(bans("4abcd", 2)); /* the other's failure is known since it came */
    const weir_store_entry later = {
        .key = text_of(ONE "/0"), .value = {value.data, value.size}, .revision = 9};
    say(WEIR_STORE_EVERYTHING, &later, 1);
    assert_int_equal(connections("ua"), 3);
    assert_false(bans("4abcd", 2));
    say(WEIR_STORE_EVERYTHING, NULL, 0);
    assert_int_equal(other_nodes_count(), 0);
    strbuf_release(&value);
}

static void what_cannot_be_read_counts_as_nothing(void **state)
{
    static const char *const none[] = {"",
                                       "count",
                                       "count/",
                                       "count/111111111111111",
                                       "count/1111111111111111/",
                                       "count/1111111111111111/8",
                                       "count/1111111111111111/00",
                                       "count/1111111111111111x0",
                                       "count/111111111111111G",
                                       "count/111111111111111A/0",
                                       "ban/10.0.0.1"};
    struct count_key read;
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_false(count_key_read(text_of(none[i]), &read));
        change(none[i], "ua 1", 1);
    }
    assert_true(count_key_read(text_of(ONE "/7"), &read) && read.part == 7);
    assert_true(count_key_read(text_of(ONE), &read) && read.part == -1);
    assert_string_equal(read.node, "1111111111111111");
    assert_int_equal(other_nodes_count(), 0);
    change(ONE "/0", "ua 2", 2);
    const weir_store_entry malformed = {
        .key = text_of(ONE "/0"), .value = text_of("\1\2ua\5"), .revision = 3};
    say(WEIR_STORE_CHANGES, &malformed, 1);
    assert_int_equal(connections("ua"), 0); /* and not 2 for ever */
}

static void there_is_room_for_so_many_nodes(void **state)
{
    char key[64];
    (void)state;
    for (unsigned i = 0; i < OTHER_NODES_MOST + 5; i++) {
        snprintf(key, sizeof key, COUNT_PREFIX "%016x/0", i);
        change(key, "ua 1", i + 1);
    }
    assert_int_equal(other_nodes_count(), OTHER_NODES_MOST);
    assert_int_equal(connections("ua"), OTHER_NODES_MOST);
    assert_int_equal(other_nodes_left_out(), 0);
}

static void there_is_room_for_so_many_counts(void **state)
{
    enum { EACH = 5000, NODES = OTHER_COUNTS_MOST / EACH + 1 };
    struct strbuf value = STRBUF_INIT;
    char name[64];
    (void)state;
    count_value_begin(&value);
    for (unsigned i = 0; i < EACH; i++) {
        snprintf(name, sizeof name, "u%04x", i);
        const struct tally_key key = key_of(name);
        count_value_add(&value, &key, &(struct tally_counts){.connections = 1});
    }
    assert_true(value.size <= WEIR_STORE_VALUE_BYTES);
    for (unsigned i = 0; i < NODES; i++) {
        snprintf(name, sizeof name, COUNT_PREFIX "%016x/0", i);
        const weir_store_entry entry = {
            .key = text_of(name), .value = {value.data, value.size}, .revision = 1};
        say(WEIR_STORE_CHANGES, &entry, 1);
    }
    assert_int_equal(other_nodes_left_out(), EACH * NODES - OTHER_COUNTS_MOST);
    assert_int_equal(connections("u0000"), NODES - 1);
    change(COUNT_PREFIX "0000000000000000/0", NULL, 2);
    change(name, NULL, 3); /* the last one, of which there was nothing */
    assert_int_equal(other_nodes_left_out(), 0);
    assert_int_equal(connections("u0000"), NODES - 2);
    strbuf_release(&value);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, clear)
    const struct CMUnitTest tests[] = {
        TEST(values_replace_each_other),
        TEST(its_own_keys_are_no_others),
        TEST(what_is_missing_in_everything_is_gone_and_windows_in_it_have_no_age),
        TEST(what_cannot_be_read_counts_as_nothing),
        TEST(there_is_room_for_so_many_nodes),
        TEST(there_is_room_for_so_many_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
