/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiles: what sessions learn from greetings, in bounded memory, from many threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "fake_server.h"

static const struct upstream_options options = {.address = "tcp://127.0.0.1:1",
                                                .connect_timeout_s = 10};

/* Bytes that are allocated now. AddressSanitizer has its own count: mallinfo2() says 0 there. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated_bytes(void)
{
    return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
                                                   : mallinfo2().uordblks;
}

static struct upstream *known_upstream(void)
{
    struct upstream *upstream = upstream_new(&options, NULL);
    assert_non_null(upstream);
    upstream->has_profile = true; /* as a probe leaves it */
    return upstream;
}

static void learn(struct upstream *upstream, const char *version)
{
    struct wire_greeting greeting = fake_greeting(version);
    upstream_learn(upstream, &greeting);
}

static void alternating_greetings_need_no_memory(void **state)
{
    (void)state;
    struct upstream *upstream = known_upstream();
    size_t before = allocated_bytes();
    assert_true(before > 0);
    for (int i = 0; i < 100000; i++)
        learn(upstream, i % 2 ? "8.0.36" : "10.11.6-MariaDB");
    assert_true(allocated_bytes() <= before);
    struct upstream_profile profile;
    assert_true(upstream_profile(upstream, &profile));
    assert_string_equal(profile.version, "8.0.36");
    upstream_free(upstream);
}

static void a_version_of_128_bytes_or_more_needs_no_memory(void **state)
{
    (void)state;
    char version[300];
    memset(version, 'v', sizeof version);
    version[sizeof version - 1] = 0;
    struct upstream *upstream = known_upstream();
    size_t before = allocated_bytes();
    for (int i = 0; i < 100000; i++)
        learn(upstream, version);
    assert_true(allocated_bytes() <= before);
    struct upstream_profile profile;
    assert_true(upstream_profile(upstream, &profile));
    assert_int_equal(strlen(profile.version), sizeof profile.version - 1);
    upstream_free(upstream);
}

static void nothing_is_known_before_a_probe(void **state)
{
    (void)state;
    struct upstream *upstream = upstream_new(&options, NULL);
    struct upstream_profile profile;
    assert_false(upstream_profile(upstream, &profile));
    assert_string_equal(upstream_address(upstream), options.address);
    assert_false(upstream_is_embedded(upstream));
    assert_false(upstream_sends_proxy_header(upstream));
    upstream_stop(upstream); /* never started */
    upstream_free(upstream);
}

static void an_address_that_is_none_is_refused(void **state)
{
    (void)state;
    struct upstream_options wrong = options;
    struct error error = {""};
    wrong.address = "127.0.0.1:3306";
    assert_null(upstream_new(&wrong, &error));
    assert_string_equal(error.message,
                        "-backend 127.0.0.1:3306: give tcp://host:port or unix:///path");
}

/* ---- Threads ---- */

#define THREADS 3
#define ROUNDS  300

struct shared {
    struct upstream *upstream;
    struct fake_server *servers;
    atomic_int turn;
};

static struct shared shared;

/* The name has another address at each look. */
static int look_up(const struct address_name *name, struct address_list *found, struct error *error)
{
    (void)name;
    (void)error;
    *found = (struct address_list){
        .list = {shared.servers[atomic_fetch_add(&shared.turn, 1) % 2].address}, .count = 1};
    return 0;
}

/* What a session does: its profile is one of a server, never a mixture. */
static void *be_a_session(void *user)
{
    size_t wrong = 0;
    (void)user;
    for (int i = 0; i < ROUNDS; i++) {
        struct upstream_profile profile;
        bool in_progress = false;
        wrong += !upstream_profile(shared.upstream, &profile);
        wrong += strcmp(profile.version, shared.servers[0].version) != 0 &&
                 strcmp(profile.version, shared.servers[1].version) != 0;
        int fd = upstream_connect(shared.upstream, &in_progress);
        wrong += fd < 0;
        close(fd);
        learn(shared.upstream, shared.servers[i % 2].version);
        upstream_connection_failed(shared.upstream, 0, "refused");
    }
    return (void *)wrong;
}

static void sessions_read_while_looks_replace(void **state)
{
    (void)state;
    struct fake_server servers[2];
    pthread_t threads[THREADS];
    fake_server_start(&servers[0], "8.0.36");
    fake_server_start(&servers[1], "10.11.6-MariaDB");
    shared.upstream = upstream_new(&options, NULL);
    shared.servers = servers;
    shared.upstream->look_up = look_up;
    assert_int_equal(upstream_look(shared.upstream, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, be_a_session, NULL), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(upstream_look(shared.upstream, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    upstream_free(shared.upstream);
    fake_server_stop(&servers[0]);
    fake_server_stop(&servers[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alternating_greetings_need_no_memory),
        cmocka_unit_test(a_version_of_128_bytes_or_more_needs_no_memory),
        cmocka_unit_test(nothing_is_known_before_a_probe),
        cmocka_unit_test(an_address_that_is_none_is_refused),
        cmocka_unit_test(sessions_read_while_looks_replace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
