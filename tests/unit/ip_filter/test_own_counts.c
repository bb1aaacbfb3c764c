/* SPDX-License-Identifier: Apache-2.0
 *
 * When a count is published, and which are where there are too many. */
#include "own_counts.h"

#include <weir/store.h>

#include "count_values.h"
#include "filter_test.h"

#define SECOND INT64_C(1000000000)
#define START  (1000 * SECOND)

static struct shared_limits limits;

static struct shared_limits limits_of(const struct tally_key *key)
{
    (void)key;
    return limits;
}

static struct tally_windows windows(void)
{
    return (struct tally_windows){.rate = SECOND, .failed = 60 * SECOND};
}

static const struct shared_counts_rules rules = {limits_of, windows};

static void nobody(void)
{
}

static int begin(void **state)
{
    (void)state;
    limits = (struct shared_limits){0};
    tally_watch(nobody);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tally_watch(NULL);
    tally_clear();
    return 0;
}

static struct tally_key key_of(const char *text)
{
    struct tally_key key = {.size = (uint8_t)strlen(text)};
    memcpy(key.bytes, text, key.size);
    return key;
}

static void enter(const char *text, unsigned times)
{
    const struct tally_key key = key_of(text);
    for (unsigned i = 0; i < times; i++)
        tally_enter(&key, &(struct tally_limits){.rate_window = SECOND}, START);
}

static void leave(const char *text, unsigned times)
{
    const struct tally_key key = key_of(text);
    for (unsigned i = 0; i < times; i++)
        tally_leave(&key);
}

/* Whether something is to be published, and whether anything is counted at all. */
static bool is_due(size_t nodes, bool counts_anything)
{
    struct own_counts own = {.rules = &rules, .nodes = nodes};
    bool due = false;
    for (unsigned part = 0; part < TALLY_PARTS; part++)
        due = own_counts_review(&own, part, true, START) || due;
    assert_int_equal(own.counts_anything, counts_anything);
    return due;
}

static void add_line(void *data, const struct tally_key *key, const struct tally_counts *counts)
{
    strbuf_printf(data, "%.*s %d %d %d;", key->size, key->bytes, (int)counts->connections,
                  (int)counts->rate, (int)counts->failed);
}

/* Publishes all parts. Returns how many counts were left out. lines may be NULL. */
static size_t publish(struct strbuf *lines)
{
    const struct own_counts own = {.rules = &rules, .nodes = 1};
    size_t missing = 0;
    for (unsigned part = 0; part < TALLY_PARTS; part++) {
        struct strbuf value = STRBUF_INIT;
        missing += own_counts_print(&own, part, START, &value);
        assert_true(value.size <= WEIR_STORE_VALUE_BYTES);
        if (value.size && lines)
            assert_true(count_value_read((weir_string){value.data, value.size}, add_line, lines));
        strbuf_release(&value);
    }
    return missing;
}

static void of_two_hundred_nodes_each_connection_of_a_small_limit_is_published(void **state)
{
    (void)state;
    limits.connections = 20;
    enter("uapp", 1);
    assert_true(is_due(200, true));
    publish(NULL);
    assert_false(is_due(200, true));
}

static void a_count_may_be_short_by_a_part_of_its_limit_and_never_too_high(void **state)
{
    (void)state;
    limits.connections = 600;
    enter("uapp", 10);
    assert_false(is_due(3, true));
    enter("uapp", 1);
    assert_true(is_due(3, true));
    assert_true(is_due(200, true));
    publish(NULL);
    enter("uapp", 10);
    assert_false(is_due(3, true));
    leave("uapp", 10); /* as published */
    assert_false(is_due(3, true));
    leave("uapp", 1);
    assert_true(is_due(3, true));
}

static void what_no_limit_is_about_is_not_published(void **state)
{
    struct strbuf lines = STRBUF_INIT;
    const struct tally_key key = key_of("uapp");
    (void)state;
    enter("uapp", 3);
    assert_false(tally_failure(&key, 9, 60 * SECOND, SECOND, START));
    assert_false(is_due(3, false));
    limits.failed = 9;
    assert_true(is_due(3, true));
    publish(&lines);
    assert_string_equal(lines.data, "uapp 0 0 1;");
    strbuf_reset(&lines);
    limits = (struct shared_limits){.connections = 2, .rate = 2};
    publish(&lines);
    assert_string_equal(lines.data,
                        "uapp 3 2 0;"); /* beyond its limit a rate is as good as at it */
    limits = (struct shared_limits){0};
    assert_true(is_due(3, false)); /* to be deleted */
    strbuf_release(&lines);
}

static void where_there_are_too_many_the_nearest_to_their_limits_are_published(void **state)
{
    enum { KEYS = TALLY_PARTS * SHARED_COUNTS_MOST * 2 };
    struct strbuf lines = STRBUF_INIT;
    char name[16];
    (void)state;
    limits = (struct shared_limits){.connections = 10};
    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(name, sizeof name, "u%u", i);
        enter(name, i == 77 ? 9 : 1);
    }
    assert_int_equal(publish(&lines), KEYS / 2);
    assert_non_null(strstr(lines.data, "u77 9 "));
    strbuf_release(&lines);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(of_two_hundred_nodes_each_connection_of_a_small_limit_is_published),
        TEST(a_count_may_be_short_by_a_part_of_its_limit_and_never_too_high),
        TEST(what_no_limit_is_about_is_not_published),
        TEST(where_there_are_too_many_the_nearest_to_their_limits_are_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
