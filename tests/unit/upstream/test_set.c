/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of servers: what clients are greeted with, who is refused, and choosing from several threads while
 * health and modes change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <uv.h>

#include "fake_server.h"
#include "gateway/upstream/upstream_set.h"

#define COUNT   3
#define THREADS 4
#define ROUNDS  2000

static const char *const names[COUNT] = {"one", "two", "three"};

static struct {
    atomic_bool are_over; /* reloads */
    struct upstream_set *set;
    struct fake_server servers[COUNT];
    char addresses[COUNT][64];
    uv_loop_t loop;
    int looks;
} test;

static void on_looked(void *user, bool answers)
{
    (void)user;
    assert_true(answers);
    test.looks++;
    upstream_set_stop(test.set);
}

/* Makes a set of servers with these versions, and looks at all of them once. */
static void begin(const char *const versions[COUNT], enum upstream_policy policy)
{
    struct upstream_options options[COUNT];
    struct error error = {""};
    test.looks = 0;
    for (size_t i = 0; i < COUNT; i++) {
        char text[ADDRESS_TEXT_BYTES];
        fake_server_start(&test.servers[i], versions[i]);
        snprintf(test.addresses[i], sizeof test.addresses[i], "tcp://%.50s",
                 address_describe(&test.servers[i].address, text));
        options[i] =
            (struct upstream_options){.name = names[i],
                                      .address = test.addresses[i],
                                      .role = i == 2 ? "standby" : NULL,
                                      .connect_timeout_s = 10,
                                      .checks = {.interval_ms = 3600000, .rise = 1, .fall = 1}};
    }
    const struct upstream_set_options set = {
        .upstreams = options, .count = COUNT, .policy = policy};
    test.set = upstream_set_new(&set, &error);
    assert_string_equal(error.message, "");
    uv_loop_init(&test.loop);
    assert_int_equal(upstream_set_start(test.set, &test.loop, on_looked, NULL, &error), 0);
    uv_run(&test.loop, UV_RUN_DEFAULT);
    assert_true(test.looks > 0);
}

static int finish(void **state)
{
    (void)state;
    uv_loop_close(&test.loop);
    upstream_set_free(test.set);
    for (size_t i = 0; i < COUNT; i++)
        fake_server_stop(&test.servers[i]);
    return 0;
}

static size_t choose(const char *wanted, uint32_t tried)
{
    struct error error = {""};
    size_t others = 0;
    const size_t number = upstream_set_choose(test.set, wanted, tried, &others, &error);
    if (number != POLICY_NONE)
        upstream_count_session(upstream_set_at(test.set, number), -1);
    else
        assert_string_not_equal(error.message, "");
    return number;
}

static void the_greeting_is_what_all_can_keep(void **state)
{
    (void)state;
    static const char *const versions[COUNT] = {"8.0.1", "8.0.2", "8.0.3"};
    struct upstream_profile profile;
    begin(versions, POLICY_ORDER);
    assert_true(upstream_set_profile(test.set, &profile));
    assert_string_equal(profile.version, "8.0.1");
    const uint64_t all = profile.capabilities;
    struct wire_greeting fewer = fake_greeting("8.0.2");
    fewer.capabilities &= ~WIRE_CAP(CLIENT_SECURE_CONNECTION);
    upstream_learn(upstream_set_at(test.set, 1), &fewer);
    assert_true(upstream_set_profile(test.set, &profile));
    assert_string_equal(profile.version, "8.0.1");
    assert_true(profile.capabilities == (all & ~WIRE_CAP(CLIENT_SECURE_CONNECTION)));
    upstream_note(upstream_set_at(test.set, 0), false,
                  "refused"); /* the next one is greeted with */
    assert_true(upstream_set_profile(test.set, &profile));
    assert_string_equal(profile.version, "8.0.2");
}

static void another_family_is_refused(void **state)
{
    (void)state;
    static const char *const versions[COUNT] = {"10.11.6-MariaDB", "8.0.36", "11.4.2-MariaDB"};
    struct upstream_status status;
    begin(versions, POLICY_ORDER);
    assert_int_equal(choose(NULL, 0), 0);
    assert_int_equal(choose(NULL, 1), 2); /* the standby */
    assert_int_equal(choose("two", 0), POLICY_NONE);
    upstream_status(upstream_set_at(test.set, 1), &status);
    assert_string_equal(status.state, "refused");
    assert_non_null(strstr(status.last_error, "one family"));
}

static void names_and_roles_can_be_wanted(void **state)
{
    (void)state;
    static const char *const versions[COUNT] = {"8.0.1", "8.0.2", "8.0.3"};
    begin(versions, POLICY_ORDER);
    assert_int_equal(choose("two", 0), 1);
    assert_int_equal(choose("standby", 0), 2);
    assert_int_equal(choose("standby", 4), POLICY_NONE);
    assert_int_equal(choose("four", 0), POLICY_NONE);
    assert_int_equal(choose("", 0), POLICY_NONE);
}

static void the_last_enabled_one_stays(void **state)
{
    (void)state;
    static const char *const versions[COUNT] = {"8.0.1", "8.0.2", "8.0.3"};
    struct error error = {""};
    begin(versions, POLICY_ORDER);
    assert_int_equal(upstream_set_change(test.set, "one", UPSTREAM_DISABLED, &error), 0);
    assert_int_equal(choose(NULL, 0), 1);
    assert_int_equal(upstream_set_change(test.set, "two", UPSTREAM_DRAINING, &error), 0);
    assert_int_equal(choose(NULL, 0), 2);
    assert_int_equal(upstream_set_change(test.set, "three", UPSTREAM_DRAINING, &error), -1);
    assert_int_equal(upstream_set_change(test.set, "four", UPSTREAM_ENABLED, &error), -1);
    assert_int_equal(upstream_set_change(test.set, "one", UPSTREAM_ENABLED, &error), 0);
    assert_int_equal(choose("one", 0), 0);
}

/* ---- From several threads ---- */

static void *have_sessions(void *unused)
{
    size_t wrong = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct error error = {""};
        struct upstream_profile profile;
        size_t others = 0;
        const size_t number = upstream_set_choose(test.set, NULL, 0, &others, &error);
        wrong += number >= 2; /* the standby is never needed: one of the others is always up */
        wrong += !upstream_set_profile(test.set, &profile);
        if (number != POLICY_NONE)
            upstream_count_session(upstream_set_at(test.set, number), -1);
    }
    (void)unused;
    return (void *)wrong;
}

static void *change_health(void *unused)
{
    struct upstream *one = upstream_set_at(test.set, 0);
    struct wire_greeting greeting = fake_greeting("8.0.1");
    struct error error = {""};
    for (size_t i = 0; i < ROUNDS / 10; i++) {
        upstream_note(one, i % 2, "refused");
        upstream_learn(one, &greeting);
        if (upstream_set_change(test.set, "one", i % 3 ? UPSTREAM_ENABLED : UPSTREAM_DISABLED,
                                &error))
            return (void *)1;
    }
    (void)unused;
    return NULL;
}

static void threads_choose_while_health_changes(void **state)
{
    (void)state;
    static const char *const versions[COUNT] = {"8.0.1", "8.0.2", "8.0.3"};
    pthread_t threads[THREADS + 1];
    begin(versions, POLICY_LEAST_CONNECTIONS);
    log_set_level(LOG_LEVEL_ERROR);
    for (size_t i = 0; i < THREADS + 1; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i ? have_sessions : change_health, NULL),
                         0);
    for (size_t i = 0; i < THREADS + 1; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    for (size_t i = 0; i < COUNT; i++) {
        struct upstream_status status;
        upstream_status(upstream_set_at(test.set, i), &status);
        assert_int_equal(status.sessions, 0);
    }
}

/* ---- While servers come and go ---- */

static void commit(void *unused)
{
    (void)unused;
    upstream_set_commit(test.set);
}

/* As a worker does: the session counts, its connection pins, and outlives the session. */
static void *have_connections(void *unused)
{
    size_t wrong = 0;
    while (!atomic_load(&test.are_over)) {
        struct error error = {""};
        struct upstream_status status;
        size_t others = 0, addresses = 0;
        const size_t number = upstream_set_choose(test.set, NULL, 0, &others, &error);
        if (number == POLICY_NONE) {
            wrong++;
            continue;
        }
        struct upstream *upstream = upstream_set_at(test.set, number);
        upstream_pin(upstream);
        wrong += upstream_connection_failed(upstream, upstream_turn(upstream, &addresses) + 1,
                                            "refused");
        upstream_note(upstream, true, NULL);
        upstream_count_session(upstream, -1);
        upstream_status(upstream, &status);
        wrong += !*upstream_label(upstream);
        upstream_unpin(upstream);
        upstream = upstream_set_pin_at(test.set, 2);
        wrong += !upstream || !*upstream_name(upstream);
        if (upstream)
            upstream_unpin(upstream);
    }
    (void)unused;
    return (void *)wrong;
}

/* Puts another one in place of the third, or changes its role. */
static void reload(const char *name, const char *role)
{
    struct upstream_options options[COUNT];
    struct error error = {""};
    for (size_t i = 0; i < COUNT; i++)
        options[i] =
            (struct upstream_options){.name = i == 2 ? name : names[i],
                                      .address = test.addresses[i],
                                      .role = i == 2 ? role : NULL,
                                      .connect_timeout_s = 10,
                                      .checks = {.interval_ms = 3600000, .rise = 1, .fall = 1000}};
    const struct upstream_set_options set = {
        .upstreams = options, .count = COUNT, .policy = POLICY_LEAST_CONNECTIONS};
    assert_int_equal(upstream_set_prepare(test.set, &set, commit, NULL, &error), 0);
    if (upstream_set_is_prepared(test.set))
        upstream_set_commit(test.set);
    uv_run(&test.loop, UV_RUN_DEFAULT);
}

static void servers_come_and_go_under_threads_that_use_them(void **state)
{
    (void)state;
    enum { RELOADS = 100 };
    static const char *const versions[COUNT] = {"8.0.1", "8.0.2", "8.0.3"};
    char texts[RELOADS][16];
    pthread_t threads[THREADS];
    begin(versions, POLICY_ORDER);
    log_set_level(LOG_LEVEL_ERROR);
    atomic_store(&test.are_over, false);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, have_connections, NULL), 0);
    for (size_t i = 0; i < RELOADS;
         i++) { /* more than there are slots: those that are left are free again */
        snprintf(texts[i], sizeof texts[i], "three%zu", i);
        reload(texts[i], i % 2 ? "standby" : NULL);
        reload(texts[i], NULL);
    }
    atomic_store(&test.are_over, true);
    for (size_t i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    assert_int_equal(upstream_set_count(test.set), COUNT);
    reload("three", "standby");
    assert_null(upstream_set_pin_at(test.set, COUNT));
}

static void a_removed_server_lives_until_its_last_session_has_gone(void **state)
{
    (void)state;
    static const char *const versions[COUNT] = {"8.0.1", "8.0.2", "8.0.3"};
    struct error error = {""};
    struct upstream_status status;
    size_t others = 0;
    begin(versions, POLICY_ORDER);
    const size_t number = upstream_set_choose(test.set, "three", 0, &others, &error);
    struct upstream *upstream = upstream_set_at(test.set, number);
    reload("other", NULL);
    struct upstream *shown = upstream_set_pin_at(test.set, COUNT);
    assert_ptr_equal(shown, upstream);
    upstream_unpin(shown);
    upstream_status(upstream, &status);
    assert_string_equal(status.state, "removed");
    assert_int_equal(choose("three", 0), POLICY_NONE);
    assert_int_equal(upstream_set_change(test.set, "three", UPSTREAM_DISABLED, &error), -1);
    assert_int_equal(upstream_set_change(test.set, "three", UPSTREAM_DRAINING, &error), 0);
    upstream_count_session(upstream, -1);
    assert_null(upstream_set_pin_at(test.set, COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_greeting_is_what_all_can_keep, finish),
        cmocka_unit_test_teardown(another_family_is_refused, finish),
        cmocka_unit_test_teardown(names_and_roles_can_be_wanted, finish),
        cmocka_unit_test_teardown(the_last_enabled_one_stays, finish),
        cmocka_unit_test_teardown(threads_choose_while_health_changes, finish),
        cmocka_unit_test_teardown(servers_come_and_go_under_threads_that_use_them, finish),
        cmocka_unit_test_teardown(a_removed_server_lives_until_its_last_session_has_gone, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
