/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits and bans, by a clock that the tests turn. */
#include "tally.h"

#include <pthread.h>

#include "filter_test.h"

#define SECOND INT64_C(1000000000)
#define START  (1000 * SECOND)

static struct tally_key key_of(const char *text)
{
    struct tally_key key = {.size = (uint8_t)strlen(text)};
    memcpy(key.bytes, text, key.size);
    return key;
}

static int close_tally(void **state)
{
    (void)state;
    tally_clear();
    return 0;
}

static void connections_are_limited_while_they_last(void **state)
{
    struct tally_key a = key_of("4aaaa"), b = key_of("4bbbb");
    struct tally_limits limits = {.connections = 2};
    (void)state;
    assert_int_equal(tally_enter(&a, &limits, START), TALLY_OK);
    assert_int_equal(tally_enter(&a, &limits, START), TALLY_OK);
    assert_int_equal(tally_enter(&a, &limits, START), TALLY_TOO_MANY);
    assert_int_equal(tally_enter(&b, &limits, START), TALLY_OK);
    tally_leave(&a); /* the one that was refused */
    assert_int_equal(tally_enter(&a, &limits, START), TALLY_TOO_MANY);
    tally_leave(&a);
    tally_leave(&a);
    assert_int_equal(tally_enter(&a, &limits, START), TALLY_OK);
    for (int i = 0; i < 10; i++)
        tally_leave(&a); /* more than came: it stays at none */
    assert_int_equal(tally_enter(&a, &limits, START), TALLY_OK);
    assert_int_equal(tally_enter(&a, &limits, START), TALLY_OK);
    assert_int_equal(tally_enter(&a, &limits, START), TALLY_TOO_MANY);
}

static void add_to_text(void *data, const struct tally_key *key, int64_t left)
{
    char *text = data;
    snprintf(text + strlen(text), 100, "%.*s %d;", key->size, key->bytes, (int)(left / SECOND));
}

static void bans_can_be_seen_and_lifted(void **state)
{
    char text[300] = "";
    struct tally_key a = key_of("4aaaa"), b = key_of("4bbbb"), c = key_of("4cccc");
    (void)state;
    assert_true(tally_failure(&a, 1, SECOND, 10 * SECOND, START));
    assert_true(tally_failure(&b, 1, SECOND, 20 * SECOND, START));
    assert_false(tally_failure(&c, 2, SECOND, 20 * SECOND, START));
    tally_each_ban(START + 15 * SECOND, add_to_text, text);
    assert_string_equal(text, "4bbbb 5;");
    assert_int_equal(tally_banned(START), 2);
    assert_false(tally_lift_ban(&c, START));
    assert_false(tally_lift_ban(&a, START + 10 * SECOND)); /* it is over */
    assert_true(tally_lift_ban(&a, START));
    assert_false(tally_lift_ban(&a, START));
    assert_int_equal(tally_banned(START), 1);
    assert_int_equal(tally_enter(&a, &(struct tally_limits){0}, START), TALLY_OK);
}

static void rates_are_limited_in_windows(void **state)
{
    struct tally_key a = key_of("4aaaa");
    struct tally_limits limits = {.rate = 3, .rate_window = 10 * SECOND};
    (void)state;
    for (int i = 0; i < 6; i++) {
        enum tally_answer answer = tally_enter(&a, &limits, START + i * SECOND);
        assert_int_equal(answer, i < 3 ? TALLY_OK : TALLY_TOO_FAST);
        tally_leave(&a);
    }
    assert_int_equal(tally_enter(&a, &limits, START + 10 * SECOND - 1), TALLY_TOO_FAST);
    assert_int_equal(tally_enter(&a, &limits, START + 10 * SECOND), TALLY_OK);
    limits.rate = 0;
    assert_int_equal(tally_enter(&a, &limits, START + 10 * SECOND), TALLY_OK);
}

static bool fails(struct tally_key key, int64_t now)
{
    return tally_failure(&key, 3, 60 * SECOND, 600 * SECOND, now);
}

static void failed_logins_ban_until_the_time_is_over(void **state)
{
    struct tally_key a = key_of("4aaaa"), b = key_of("4bbbb");
    struct tally_limits none = {0};
    (void)state;
    assert_false(fails(a, START));
    assert_false(fails(a, START + 1));
    assert_false(fails(b, START + 1));
    assert_int_equal(tally_enter(&a, &none, START + 1), TALLY_OK);
    assert_true(fails(a, START + 59 * SECOND));
    assert_int_equal(tally_banned(START + 59 * SECOND), 1);
    assert_int_equal(tally_enter(&a, &none, START + 658 * SECOND), TALLY_BANNED);
    assert_int_equal(tally_enter(&b, &none, START + 658 * SECOND), TALLY_OK);
    assert_int_equal(tally_enter(&a, &none, START + 659 * SECOND), TALLY_OK);
    assert_int_equal(tally_banned(START + 659 * SECOND), 0);
    assert_false(fails(a, START + 660 * SECOND)); /* it counts anew */
}

static void failures_in_different_windows_do_not_add_up(void **state)
{
    struct tally_key a = key_of("4aaaa");
    (void)state;
    assert_false(fails(a, START));
    assert_false(fails(a, START + 1));
    assert_false(fails(a, START + 60 * SECOND));
    assert_false(fails(a, START + 61 * SECOND));
    assert_true(fails(a, START + 62 * SECOND));
}

static void bans_can_be_lifted(void **state)
{
    struct tally_key a = key_of("4aaaa");
    struct tally_limits none = {0};
    (void)state;
    for (int i = 0; i < 3; i++)
        fails(a, START);
    assert_int_equal(tally_enter(&a, &none, START), TALLY_BANNED);
    tally_unban();
    assert_int_equal(tally_banned(START), 0);
    assert_int_equal(tally_enter(&a, &none, START), TALLY_OK);
    assert_false(fails(a, START));
}

#define THREADS 4
#define ROUNDS  5000

static void *come_and_go(void *data)
{
    struct tally_limits limits = {.connections = THREADS};
    size_t *refused = data;
    for (int i = 0; i < ROUNDS; i++) {
        char name[20];
        snprintf(name, sizeof name, "u%d", i % 7);
        struct tally_key key = key_of(name);
        *refused += tally_enter(&key, &limits, START + i) != TALLY_OK;
        tally_leave(&key);
    }
    return NULL;
}

static void threads_do_not_lose_count(void **state)
{
    pthread_t threads[THREADS];
    size_t refused[THREADS] = {0};
    struct tally_limits one = {.connections = 1};
    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &refused[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(refused[i], 0);
    }
    for (int i = 0; i < 7; i++) {
        char name[20];
        snprintf(name, sizeof name, "u%d", i);
        struct tally_key key = key_of(name);
        assert_int_equal(tally_enter(&key, &one, START + ROUNDS), TALLY_OK);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_tally)
    const struct CMUnitTest tests[] = {
        TEST(connections_are_limited_while_they_last),
        TEST(bans_can_be_seen_and_lifted),
        TEST(rates_are_limited_in_windows),
        TEST(failed_logins_ban_until_the_time_is_over),
        TEST(failures_in_different_windows_do_not_add_up),
        TEST(bans_can_be_lifted),
        TEST(threads_do_not_lose_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
