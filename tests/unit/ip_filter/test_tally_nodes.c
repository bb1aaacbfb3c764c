/* SPDX-License-Identifier: Apache-2.0
 *
 * What other nodes count, in decisions; and which of this node's counts are found to have changed. */
#include "tally_nodes.h"

#include "filter_test.h"

#define SECOND INT64_C(1000000000)
#define START  (1000 * SECOND)

static const struct tally_windows windows = {.rate = SECOND, .failed = 60 * SECOND};

static struct tally_key key_of(const char *text)
{
    struct tally_key key = {.size = (uint8_t)strlen(text)};
    memcpy(key.bytes, text, key.size);
    return key;
}

static int close_tally(void **state)
{
    (void)state;
    tally_watch(NULL);
    tally_trust_shares_until(INT64_MAX);
    tally_clear();
    return 0;
}

/* Whether one more would get in; it does not stay. */
static enum tally_answer knock(const char *text, const struct tally_limits *limits, int64_t now)
{
    const struct tally_key key = key_of(text);
    const enum tally_answer answer = tally_enter(&key, limits, now);
    tally_leave(&key);
    return answer;
}

static void share(const char *text, uint32_t source, struct tally_counts counts, int64_t now)
{
    const struct tally_key key = key_of(text);
    assert_true(tally_set_share(&key, source, 1, &counts, now) >= 0);
}

static void connections_of_other_nodes_count(void **state)
{
    const struct tally_limits limits = {.connections = 20};
    const struct tally_key key = key_of("uapp");
    (void)state;
    for (uint32_t node = 0; node < 19; node++)
        share("uapp", node, (struct tally_counts){.connections = 1}, START);
    assert_int_equal(knock("uapp", &limits, START), TALLY_OK);
    share("uapp", 19, (struct tally_counts){.connections = 1}, START);
    assert_int_equal(knock("uapp", &limits, START), TALLY_TOO_MANY);
    assert_int_equal(knock("uother", &limits, START), TALLY_OK);
    share("uapp", 19, (struct tally_counts){0}, START);
    assert_int_equal(knock("uapp", &limits, START), TALLY_OK);
    share("uapp", 19, (struct tally_counts){.connections = 1}, START);
    assert_false(tally_drop_share(&key, 19, 1)); /* it is of that round */
    assert_true(tally_drop_share(&key, 19, 2));
    assert_false(tally_drop_share(&key, 19, 2));
    assert_int_equal(knock("uapp", &limits, START), TALLY_OK);
}

static void what_others_have_published_counts_for_so_long_only(void **state)
{
    const struct tally_limits limits = {.connections = 1};
    (void)state;
    share("uapp", 1, (struct tally_counts){.connections = 1}, START);
    tally_trust_shares_until(START + 10);
    assert_int_equal(knock("uapp", &limits, START + 9), TALLY_TOO_MANY);
    assert_int_equal(knock("uapp", &limits, START + 10), TALLY_OK);
    tally_trust_shares_until(INT64_MAX);
    assert_int_equal(knock("uapp", &limits, START + 11), TALLY_TOO_MANY);
}

static void rates_of_other_nodes_count_until_their_windows_end(void **state)
{
    const struct tally_limits limits = {.rate = 4, .rate_window = SECOND};
    (void)state;
    share("uapp", 1, (struct tally_counts){.rate = 2, .rate_left = 50}, START);
    share("uapp", 2, (struct tally_counts){.rate = 1, .rate_left = 100}, START);
    assert_int_equal(knock("uapp", &limits, START), TALLY_OK);
    assert_int_equal(knock("uapp", &limits, START + 1), TALLY_TOO_FAST);
    assert_int_equal(knock("uapp", &limits, START + 50), TALLY_OK);  /* 3 here, 1 there */
    assert_int_equal(knock("uapp", &limits, START + 100), TALLY_OK); /* 4 here */
    assert_int_equal(knock("uapp", &limits, START + 101), TALLY_TOO_FAST);
}

static void failures_of_other_nodes_count_towards_a_ban(void **state)
{
    const struct tally_key key = key_of("4abcd");
    const struct tally_limits none = {0};
    (void)state;
    share("4abcd", 1, (struct tally_counts){.failed = 2, .failed_left = 30 * SECOND}, START);
    assert_false(tally_failure(&key, 4, 60 * SECOND, 10 * SECOND, START));
    assert_true(tally_failure(&key, 4, 60 * SECOND, 10 * SECOND, START + 1));
    assert_int_equal(knock("4abcd", &none, START + 2), TALLY_BANNED);
    /* Then they count from the beginning, there and here. */
    assert_false(tally_failure(&key, 2, 60 * SECOND, 10 * SECOND, START + 10 * SECOND));
    share("4abcd", 1, (struct tally_counts){.failed = 2, .failed_left = SECOND}, START);
    assert_false(tally_failure(&key, 4, 60 * SECOND, 10 * SECOND, START + 11 * SECOND));
    tally_set_ban(&key, 10 * SECOND, 1, START + 12 * SECOND); /* by another node */
    assert_true(tally_lift_ban(&key, START + 13 * SECOND));
    assert_false(tally_failure(&key, 2, 60 * SECOND, 10 * SECOND, START + 14 * SECOND));
}

/* ---- This node's ---- */

static unsigned rings;

static void ring(void)
{
    rings++;
}

/* What a review asks about, as text: "KEY CONNECTIONS RATE FAILED (CONNECTIONS RATE FAILED published);" */
static bool note(void *data, const struct tally_key *key, const struct tally_counts *own,
                 const struct tally_counts *published)
{
    char *text = data;
    snprintf(text + strlen(text), 100, "%.*s %d %d %d (%d %d %d);", key->size, key->bytes,
             (int)own->connections, (int)own->rate, (int)own->failed, (int)published->connections,
             (int)published->rate, (int)published->failed);
    return own->connections != published->connections;
}

static void expect_review(bool is_all, int64_t now, const char *expected, bool differs)
{
    char text[1000] = "";
    bool found = false;
    for (unsigned part = 0; part < TALLY_PARTS; part++)
        found = tally_review(part, is_all, &windows, now, note, text) || found;
    assert_string_equal(text, expected);
    assert_int_equal(found, differs);
}

static void publish(void *data, const struct tally_key *key, const struct tally_counts *own)
{
    struct {
        struct tally_key keys[4];
        struct tally_counts counts[4];
        size_t count;
    } *all = data;
    all->keys[all->count] = *key;
    all->counts[all->count++] = *own;
}

static void publish_all(int64_t now)
{
    struct {
        struct tally_key keys[4];
        struct tally_counts counts[4];
        size_t count;
    } all = {.count = 0};
    for (unsigned part = 0; part < TALLY_PARTS; part++)
        tally_collect(part, &windows, now, publish, &all);
    for (size_t i = 0; i < all.count; i++)
        tally_set_published(&all.keys[i], &all.counts[i], now);
}

static void what_has_changed_is_reviewed_once(void **state)
{
    const struct tally_key app = key_of("uapp"), before = key_of("ubefore");
    const struct tally_limits none = {.rate_window = SECOND};
    (void)state;
    rings = 0;
    tally_enter(&before, &none, START);
    expect_review(true, START, "", false); /* nobody watches */
    tally_watch(ring);
    expect_review(false, START, "ubefore 1 1 0 (0 0 0);", true);
    assert_int_equal(rings, 0);
    tally_leave(&before);
    assert_int_equal(rings, 1);
    expect_review(false, START + SECOND, "", false); /* its window is over, too */
    tally_enter(&app, &none, START + SECOND);
    tally_enter(&app, &none, START + SECOND);
    assert_int_equal(rings, 2); /* and not once for each */
    expect_review(false, START + SECOND, "uapp 2 2 0 (0 0 0);", true);
    expect_review(false, START + SECOND, "", false);
    expect_review(true, START + SECOND, "uapp 2 2 0 (0 0 0);", true);
    publish_all(START + SECOND);
    expect_review(true, START + 3 * SECOND / 2, "uapp 2 2 0 (2 2 0);", false);
    expect_review(true, START + 2 * SECOND, "uapp 2 0 0 (2 0 0);", false);
    assert_false(tally_failure(&app, 9, 60 * SECOND, SECOND, START + 2 * SECOND));
    tally_leave(&app);
    tally_leave(&app);
    expect_review(false, START + 2 * SECOND, "uapp 0 0 1 (2 0 0);", true);
    publish_all(START + 2 * SECOND);
    expect_review(true, START + 2 * SECOND, "uapp 0 0 1 (0 0 1);", false);
    expect_review(true, START + 62 * SECOND, "", false); /* nothing counts */
    expect_review(true, START + 62 * SECOND, "", false);
}

static void lifted_bans_reset_failures_and_that_is_a_change(void **state)
{
    const struct tally_key key = key_of("4abcd");
    (void)state;
    tally_watch(ring);
    assert_false(tally_failure(&key, 9, 60 * SECOND, SECOND, START));
    expect_review(false, START, "4abcd 0 0 1 (0 0 0);", false);
    publish_all(START);
    expect_review(false, START, "", false);
    rings = 0;
    tally_unban();
    assert_int_equal(rings, 1);
    expect_review(false, START, "4abcd 0 0 0 (0 0 1);", false);
    publish_all(START);
    expect_review(true, START, "", false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_tally)
    const struct CMUnitTest tests[] = {
        TEST(connections_of_other_nodes_count),
        TEST(what_others_have_published_counts_for_so_long_only),
        TEST(rates_of_other_nodes_count_until_their_windows_end),
        TEST(failures_of_other_nodes_count_towards_a_ban),
        TEST(what_has_changed_is_reviewed_once),
        TEST(lifted_bans_reset_failures_and_that_is_a_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
