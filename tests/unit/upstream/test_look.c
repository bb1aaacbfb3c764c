/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks: when a probe runs, and which address is in use after it. The resolver is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "fake_server.h"
#include "gateway/upstream/probe.h"

static struct {
    struct address_list found; /* none: the lookup fails */
    struct fake_server one, other;
    struct upstream *upstream;
    struct address nobody; /* where no server listens */
} test;

static int look_up(const struct address_name *name, struct address_list *found, struct error *error)
{
    *found = test.found;
    return found->count ? 0 : error_set(error, "backend %s: no such name", name->text);
}

static void resolve_to(const struct address *first, const struct address *second)
{
    test.found.count = 0;
    if (first)
        test.found.list[test.found.count++] = *first;
    if (second)
        test.found.list[test.found.count++] = *second;
}

static int set_up(void **state)
{
    (void)state;
    struct fake_server gone;
    struct upstream_options options = {.address = "tcp://moves.example:3306",
                                       .connect_timeout_s = 10};
    fake_server_start(&test.one, "8.0.36");
    fake_server_start(&test.other, "10.11.6-MariaDB");
    fake_server_start(&gone, "");
    test.nobody = gone.address;
    fake_server_stop(&gone);
    test.upstream = upstream_new(&options, NULL);
    test.upstream->look_up = look_up;
    resolve_to(&test.one.address, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    upstream_free(test.upstream);
    fake_server_stop(&test.one);
    fake_server_stop(&test.other);
    return 0;
}

static void must_answer(const char *version, int probes_of_one, int probes_of_other)
{
    struct error error = {""};
    struct upstream_profile profile;
    if (upstream_look(test.upstream, &error))
        fail_msg("%s", error.message);
    assert_true(upstream_profile(test.upstream, &profile));
    assert_string_equal(profile.version, version);
    assert_int_equal(atomic_load(&test.one.connections), probes_of_one);
    assert_int_equal(atomic_load(&test.other.connections), probes_of_other);
}

/* Where a session's connection ends up: the port of its peer. */
static void must_connect_to(const struct address *address)
{
    struct address peer = {.size = sizeof peer.storage};
    bool in_progress = false;
    int fd = upstream_connect(test.upstream, &in_progress);
    assert_true(fd >= 0);
    assert_int_equal(getpeername(fd, (struct sockaddr *)&peer.storage, &peer.size), 0);
    assert_true(address_is_same(&peer, address));
    close(fd);
}

static void a_fresh_profile_costs_the_server_nothing(void **state)
{
    (void)state;
    must_answer("8.0.36", 1, 0);
    must_answer("8.0.36", 1, 0);
    must_answer("8.0.36", 1, 0);
}

static void an_old_profile_is_read_again(void **state)
{
    (void)state;
    must_answer("8.0.36", 1, 0);
    test.upstream->confirmed_ns -= (uint64_t)UPSTREAM_PROFILE_MS * 1000000;
    must_answer("8.0.36", 2, 0);
    must_answer("8.0.36", 2, 0);
}

static void a_sessions_greeting_confirms_the_profile(void **state)
{
    (void)state;
    must_answer("8.0.36", 1, 0);
    test.upstream->confirmed_ns -= (uint64_t)UPSTREAM_PROFILE_MS * 1000000;
    struct wire_greeting greeting = fake_greeting("8.0.37");
    upstream_learn(test.upstream, &greeting);
    must_answer("8.0.37", 1, 0);
}

static void a_failed_connection_brings_a_probe(void **state)
{
    (void)state;
    must_answer("8.0.36", 1, 0);
    upstream_connection_failed(test.upstream, 0, "refused");
    must_answer("8.0.36", 2, 0);
}

static void a_new_address_is_taken_into_use(void **state)
{
    (void)state;
    must_answer("8.0.36", 1, 0);
    resolve_to(&test.other.address, NULL);
    must_answer("10.11.6-MariaDB", 1, 1);
    must_connect_to(&test.other.address);
}

static void an_address_that_is_still_among_the_names_stays_in_use(void **state)
{
    (void)state;
    must_answer("8.0.36", 1, 0);
    resolve_to(&test.other.address, &test.one.address);
    must_answer("8.0.36", 1, 0);
    upstream_connection_failed(test.upstream, 0, "refused");
    must_answer("8.0.36", 2, 0);
    must_connect_to(&test.one.address);
}

static void the_next_address_is_tried_when_the_first_does_not_answer(void **state)
{
    (void)state;
    resolve_to(&test.nobody, &test.other.address);
    must_answer("10.11.6-MariaDB", 0, 1);
    must_connect_to(&test.other.address);
}

static void a_new_address_that_does_not_answer_is_not_used(void **state)
{
    (void)state;
    struct error error = {""};
    must_answer("8.0.36", 1, 0);
    resolve_to(&test.nobody, NULL);
    assert_int_equal(upstream_look(test.upstream, &error), -1);
    assert_non_null(strstr(error.message, "stays in use"));
    assert_non_null(strstr(error.message, "Connection refused"));
    must_connect_to(&test.one.address);
}

static void a_lookup_that_fails_leaves_the_address_in_use(void **state)
{
    (void)state;
    must_answer("8.0.36", 1, 0);
    resolve_to(NULL, NULL);
    must_answer("8.0.36", 1, 0);
    upstream_connection_failed(test.upstream, 0, "refused");
    must_answer("8.0.36", 2, 0);
}

static void a_lookup_that_fails_at_first_is_an_error(void **state)
{
    (void)state;
    struct error error = {""};
    resolve_to(NULL, NULL);
    assert_int_equal(upstream_look(test.upstream, &error), -1);
    assert_string_equal(error.message, "backend tcp://moves.example:3306: no such name");
}

/* The first read ends within the refusal, and nothing can be sent after it: the rest is there to be read all the same. Such
 * a probe took the header for accepted. */
static void what_a_server_says_before_it_resets_is_read(void **state)
{
    (void)state;
    char version[3990];
    memset(version, '8', sizeof version - 1);
    version[sizeof version - 1] = 0;
    struct fake_server server;
    fake_server_start(&server, version);
    atomic_store(&server.hurries, true);
    struct upstream_tls tls;
    const struct upstream_tls_options wanted = {.mode = "preferred"};
    assert_int_equal(upstream_tls_open(&tls, &wanted, "it", NULL), 0);
    struct probe_target target = {.address = &server.address,
                                  .text = "it",
                                  .sends_proxy_header = true,
                                  .tls = &tls,
                                  .timeout_s = 10};
    /* One that is reset before the probe has seen it connected has been told nothing. */
    for (int told = 0; told < 20;) {
        struct upstream_profile profile;
        struct probe_findings findings;
        struct error error = {""};
        if (probe_server(&target, &profile, &findings, &error))
            continue;
        assert_string_equal(findings.header_refused.message,
                            "Proxy header is not accepted from 127.0.0.1");
        told++;
    }
    upstream_tls_close(&tls);
    fake_server_stop(&server);
}

/* As one of several is checked: a single failure makes it down. */
static void fail_and_wait(void)
{
    const uint64_t second_ns = UINT64_C(1000000000);
    atomic_store(&test.upstream->lost_s, 30);
    upstream_note(test.upstream, false, "it says nothing");
    assert_false(upstream_is_lost(test.upstream, 0));
    test.upstream->answered_ns -= 31 * second_ns;
}

static void a_server_that_is_down_and_silent_for_long_is_lost(void **state)
{
    (void)state;
    const uint64_t now_ns = clock_monotonic_ns();
    must_answer("8.0.36", 1, 0);
    assert_false(upstream_is_lost(test.upstream, 0));
    fail_and_wait();
    assert_true(upstream_is_lost(test.upstream, 0));
    assert_false(upstream_is_lost(test.upstream, now_ns)); /* this session has just heard of it */
    upstream_note(test.upstream, true, NULL);
    assert_false(upstream_is_lost(test.upstream, 0));
    upstream_note(test.upstream, false, "it says nothing");
    atomic_store(&test.upstream->lost_s, 0);
    assert_false(upstream_is_lost(test.upstream, 0));
}

/* "Too many connections" says that the server and the network are there. */
static void a_server_that_greets_with_an_error_is_not_lost(void **state)
{
    (void)state;
    struct error error = {""};
    must_answer("8.0.36", 1, 0);
    fail_and_wait();
    atomic_store(&test.one.is_full, true);
    test.upstream->confirmed_ns = 0;
    assert_int_equal(upstream_look(test.upstream, &error), -1);
    assert_false(upstream_is_lost(test.upstream, 0));
}

int main(void)
{
#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_fresh_profile_costs_the_server_nothing),
        CASE(an_old_profile_is_read_again),
        CASE(a_sessions_greeting_confirms_the_profile),
        CASE(a_failed_connection_brings_a_probe),
        CASE(a_new_address_is_taken_into_use),
        CASE(an_address_that_is_still_among_the_names_stays_in_use),
        CASE(the_next_address_is_tried_when_the_first_does_not_answer),
        CASE(a_new_address_that_does_not_answer_is_not_used),
        CASE(a_lookup_that_fails_leaves_the_address_in_use),
        CASE(a_lookup_that_fails_at_first_is_an_error),
        CASE(a_server_that_is_down_and_silent_for_long_is_lost),
        CASE(a_server_that_greets_with_an_error_is_not_lost),
        cmocka_unit_test(what_a_server_says_before_it_resets_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
