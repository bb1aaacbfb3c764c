/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements a second, by a clock that the tests turn. */
#include "rates.h"

#include <pthread.h>

#include "firewall_test.h"

#define SECOND UINT64_C(1000000000)
#define START  (1000 * SECOND)

static unsigned taken(struct rates *rates, uint64_t key, uint64_t now, unsigned tries)
{
    unsigned count = 0;
    for (unsigned i = 0; i < tries; i++)
        count += rates_take(rates, key, now);
    return count;
}

static void a_burst_passes_and_then_as_many_as_the_rate_says(void **state)
{
    (void)state;
    struct rates *rates = rates_new(10, 25);
    assert_non_null(rates);
    assert_int_equal(taken(rates, 1, START, 100), 25);
    assert_int_equal(taken(rates, 1, START + SECOND / 20, 100), 0);
    assert_int_equal(taken(rates, 1, START + SECOND / 10, 100), 1);
    assert_int_equal(taken(rates, 1, START + SECOND, 100), 9);
    assert_int_equal(taken(rates, 1, START + 2 * SECOND, 100), 10);
    assert_int_equal(taken(rates, 1, START + 1000 * SECOND, 100), 25); /* no more than a burst */
    rates_free(rates);
}

static void keys_have_buckets_of_their_own(void **state)
{
    (void)state;
    struct rates *rates = rates_new(1, 1);
    unsigned count = 0;
    assert_int_equal(taken(rates, 100, START, 5), 1);
    assert_int_equal(taken(rates, 8192 + 100, START, 5), 1); /* the same slot at first */
    assert_int_equal(taken(rates, 100, START, 5), 0);
    rates_free(rates);
    rates = rates_new(1, 1);
    for (uint64_t key = 0; key < 4096; key++)
        count += taken(rates, key * UINT64_C(0x9e3779b97f4a7c15), START, 2);
    assert_int_equal(count, 4096);
    for (uint64_t key = 4096; key < 8192; key++) /* those of before are idle by now */
        count += taken(rates, key * UINT64_C(0x9e3779b97f4a7c15), START + 2 * SECOND, 2);
    assert_int_equal(count, 8192);
    rates_free(rates);
}

/* When all slots are in use, keys share one: they are refused sooner, and never pass more. */
static void too_many_keys_share_and_pass_less(void **state)
{
    (void)state;
    struct rates *rates = rates_new(1, 1);
    unsigned count = 0;
    for (uint64_t key = 0; key < 100000; key++)
        count += rates_take(rates, key * UINT64_C(0x9e3779b97f4a7c15), START);
    assert_in_range(count, 7000, 8192);
    rates_free(rates);
}

static struct rates *shared;
static atomic_uint passed;

static void *take_many(void *nothing)
{
    atomic_fetch_add(&passed, taken(shared, 7, START, 20000));
    return nothing;
}

static void threads_take_no_more_than_there_is(void **state)
{
    (void)state;
    pthread_t threads[4];
    shared = rates_new(1000000, 1000);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&passed), 1000);
    rates_free(shared);
}

/* '+': it passes. The statement is about to run if it is counted. */
static char judge(const struct rules *rules, const char *text, const char *account, bool is_counted)
{
    struct text_session session;
    struct statement statement;
    const char *blind = NULL;
    test_statement(&session, &statement, text, strlen(text));
    statement.account = (weir_string){account, strlen(account)};
    statement.is_counted = is_counted;
    const struct rule *rule = rules_deny(rules, &statement, &blind, NULL);
    text_session_close(&session);
    return !rule ? '+' : blind ? '?' : '-';
}

static void a_rule_counts_what_it_is_about(void **state)
{
    struct rules *rules = test_read_rules(
        state, "[[deny]]\nname = \"r\"\nkinds = [\"Select\"]\nrate = 1\nburst = 2\n");
    for (int i = 0; i < 9; i++)
        assert_int_equal(judge(rules, "SELECT 1", "a@%", false), '+'); /* tried, and not run */
    assert_int_equal(judge(rules, "DO 1", "a@%", true), '+');
    assert_int_equal(judge(rules, "SELECT 1", "a@%", true), '+');
    assert_int_equal(judge(rules, "SELECT 2 FROM t", "a@%", true), '+');
    assert_int_equal(judge(rules, "SELECT 3", "a@%", true), '-');
    assert_int_equal(judge(rules, "DO 1", "a@%", true), '+');
    assert_int_equal(judge(rules, "SELECT 1", "b@%", true), '+');
    rules_free(rules);
    rules = test_read_rules(
        state,
        "[[deny]]\nname = \"r\"\nrate = 1\nper = [\"account\", \"digest\"]\nmessage = \"slow\"\n");
    assert_int_equal(judge(rules, "SELECT 1", "a@%", true), '+');
    assert_int_equal(judge(rules, "SELECT 2", "a@%", true), '-');
    assert_int_equal(judge(rules, "SELECT 2 FROM t", "a@%", true), '+');
    assert_int_equal(judge(rules, "SELECT 1", "b@%", true), '+');
    assert_string_equal(rules->rules[0].message, "slow");
    rules_free(rules);
    rules = test_read_rules(state, "[[deny]]\nname = \"r\"\nrate = 1\nper = [\"digest\"]\n");
    assert_int_equal(judge(rules, "SELECT 1", "a@%", true), '+');
    assert_int_equal(judge(rules, "SELECT 1", "b@%", true), '-');
    rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_then_as_many_as_the_rate_says),
        cmocka_unit_test(keys_have_buckets_of_their_own),
        cmocka_unit_test(too_many_keys_share_and_pass_less),
        cmocka_unit_test(threads_take_no_more_than_there_is),
        cmocka_unit_test(a_rule_counts_what_it_is_about),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
