/* SPDX-License-Identifier: Apache-2.0
 *
 * Thresholds, the slow start, and the policies, with a clock and random numbers of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/upstream/health.h"
#include "gateway/upstream/policy.h"

#define SECOND UINT64_C(1000000000)

static const struct health_options options = {.rise = 2, .fall = 3, .slow_start_ns = 10 * SECOND};

static void the_first_check_decides_at_once(void **state)
{
    (void)state;
    struct health up = {0}, down = {0};
    assert_true(health_note(&up, &options, true, SECOND));
    assert_int_equal(up.state, HEALTH_UP);
    assert_int_equal(up.since_ns, SECOND);
    assert_true(health_note(&down, &options, false, SECOND));
    assert_int_equal(down.state, HEALTH_DOWN);
}

static void failures_count_in_a_row(void **state)
{
    (void)state;
    struct health health = {0};
    assert_true(health_note(&health, &options, true, 1));
    assert_false(health_note(&health, &options, false, 2));
    assert_false(health_note(&health, &options, false, 3));
    assert_false(health_note(&health, &options, true, 4));
    assert_false(health_note(&health, &options, false, 5));
    assert_false(health_note(&health, &options, false, 6));
    assert_int_equal(health.state, HEALTH_UP);
    assert_true(health_note(&health, &options, false, 7));
    assert_int_equal(health.state, HEALTH_DOWN);
    assert_int_equal(health.since_ns, 7);
}

static void successes_count_in_a_row(void **state)
{
    (void)state;
    struct health health = {0};
    assert_true(health_note(&health, &options, false, 1));
    assert_false(health_note(&health, &options, true, 2));
    assert_false(health_note(&health, &options, false, 3));
    assert_false(health_note(&health, &options, true, 4));
    assert_true(health_note(&health, &options, true, 5));
    assert_int_equal(health.state, HEALTH_UP);
}

static void a_server_that_was_never_down_has_its_whole_share(void **state)
{
    (void)state;
    struct health health = {0};
    assert_int_equal(health_share(&health, &options, 1), 0);
    assert_true(health_note(&health, &options, true, SECOND));
    assert_int_equal(health_share(&health, &options, SECOND), HEALTH_SHARE_FULL);
}

static void a_server_that_comes_back_begins_gently(void **state)
{
    (void)state;
    struct health health = {0};
    const struct health_options at_once = {.rise = 1, .fall = 1};
    assert_true(health_note(&health, &options, false, SECOND));
    assert_int_equal(health_share(&health, &options, SECOND), 0);
    health_note(&health, &options, true, 2 * SECOND);
    assert_true(health_note(&health, &options, true, 3 * SECOND));
    assert_int_equal(health_share(&health, &options, 3 * SECOND), 100);
    assert_int_equal(health_share(&health, &options, 8 * SECOND), 550);
    assert_int_equal(health_share(&health, &options, 13 * SECOND), HEALTH_SHARE_FULL);
    assert_int_equal(health_share(&health, &at_once, 3 * SECOND), HEALTH_SHARE_FULL);
}

static void a_server_that_is_enabled_again_begins_gently(void **state)
{
    (void)state;
    struct health health = {0};
    assert_true(health_note(&health, &options, true, SECOND));
    health_return(&health, 5 * SECOND);
    assert_int_equal(health_share(&health, &options, 5 * SECOND), 100);
    assert_int_equal(health_share(&health, &options, 15 * SECOND), HEALTH_SHARE_FULL);
}

/* ---- Policies ---- */

static struct policy_candidate up(unsigned weight, long sessions)
{
    return (struct policy_candidate){
        .is_eligible = true, .weight = weight, .share = HEALTH_SHARE_FULL, .sessions = sessions};
}

static void order_takes_the_first_that_is_up(void **state)
{
    (void)state;
    struct policy_candidate set[3] = {up(1, 900), up(1, 0), up(1, 0)};
    assert_int_equal(policy_pick(POLICY_ORDER, set, 3, 999), 0);
    set[0].share = 0;
    assert_int_equal(policy_pick(POLICY_ORDER, set, 3, 999), 1);
    set[1].is_eligible = false;
    assert_int_equal(policy_pick(POLICY_ORDER, set, 3, 999), 2);
    set[2].is_standby = true;
    set[1].is_eligible = true;
    assert_int_equal(policy_pick(POLICY_ORDER, set, 3, 999), 1);
}

static void order_passes_over_one_that_has_just_come_back(void **state)
{
    (void)state;
    struct policy_candidate set[2] = {up(1, 0), up(1, 0)};
    set[0].share = 100;
    size_t taken = 0;
    for (uint64_t random = 0; random < 1000; random++)
        taken += policy_pick(POLICY_ORDER, set, 2, random) == 0;
    assert_int_equal(taken, 100);
    set[1].is_eligible = false; /* nobody else: it gets all */
    for (uint64_t random = 0; random < 1000; random++)
        assert_int_equal(policy_pick(POLICY_ORDER, set, 2, random), 0);
}

static void a_server_that_is_down_is_the_last_resort(void **state)
{
    (void)state;
    for (int policy = POLICY_ORDER; policy <= POLICY_WEIGHTS; policy++) {
        struct policy_candidate set[3] = {up(1, 0), up(1, 0), up(1, 50)};
        set[0].share = 0;
        set[1].is_standby = true;
        assert_int_equal(policy_pick(policy, set, 3, 7), 2);
        set[2].is_eligible = false;
        assert_int_equal(policy_pick(policy, set, 3, 7), 1);
        set[1].is_eligible = false;
        assert_int_equal(policy_pick(policy, set, 3, 7), 0);
        set[0].is_eligible = false;
        assert_int_equal(policy_pick(policy, set, 3, 7), POLICY_NONE);
    }
    assert_int_equal(policy_pick(POLICY_ORDER, NULL, 0, 0), POLICY_NONE);
}

static void least_connections_fills_up_by_weight(void **state)
{
    (void)state;
    struct policy_candidate set[3] = {up(1, 0), up(2, 0), up(1, 0)};
    for (uint64_t session = 0; session < 400; session++)
        set[policy_pick(POLICY_LEAST_CONNECTIONS, set, 3, session)].sessions++;
    assert_in_range(set[0].sessions, 98, 102);
    assert_in_range(set[1].sessions, 198, 202);
    assert_in_range(set[2].sessions, 98, 102);
}

static void equal_loads_take_turns(void **state)
{
    (void)state;
    const struct policy_candidate set[3] = {up(1, 5), up(1, 5), up(1, 5)};
    size_t taken[3] = {0};
    for (uint64_t random = 0; random < 600; random++)
        taken[policy_pick(POLICY_LEAST_CONNECTIONS, set, 3, random)]++;
    assert_in_range(taken[0], 150, 250);
    assert_in_range(taken[1], 50, 250);
    assert_in_range(taken[2], 150, 250);
}

static void weights_are_proportions(void **state)
{
    (void)state;
    struct policy_candidate set[3] = {up(1, 0), up(3, 0), up(4, 0)};
    size_t taken[3] = {0};
    for (uint64_t random = 0; random < 8000; random++)
        taken[policy_pick(POLICY_WEIGHTS, set, 3, random)]++;
    assert_int_equal(taken[0], 1000);
    assert_int_equal(taken[1], 3000);
    assert_int_equal(taken[2], 4000);
    set[1].share = 0;
    assert_int_not_equal(policy_pick(POLICY_WEIGHTS, set, 3, 1500), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_check_decides_at_once),
        cmocka_unit_test(failures_count_in_a_row),
        cmocka_unit_test(successes_count_in_a_row),
        cmocka_unit_test(a_server_that_was_never_down_has_its_whole_share),
        cmocka_unit_test(a_server_that_comes_back_begins_gently),
        cmocka_unit_test(a_server_that_is_enabled_again_begins_gently),
        cmocka_unit_test(order_takes_the_first_that_is_up),
        cmocka_unit_test(order_passes_over_one_that_has_just_come_back),
        cmocka_unit_test(a_server_that_is_down_is_the_last_resort),
        cmocka_unit_test(least_connections_fills_up_by_weight),
        cmocka_unit_test(equal_loads_take_turns),
        cmocka_unit_test(weights_are_proportions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
