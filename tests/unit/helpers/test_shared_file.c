/* SPDX-License-Identifier: Apache-2.0
 *
 * A file that nodes share: which of several counts, on which node, and what becomes of it when the store is away. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared_store.h"

static struct test_node *const one = &nodes[0], *const two = &nodes[1], *const three = &nodes[2];

static bool store_has(const char *text)
{
    char *found = store_text();
    const bool has = found && strcmp(found, text) == 0;
    free(found);
    return has;
}

/* Two nodes that have what the first has put. */
static void start_pair(const char *text)
{
    node_start(one, text);
    store_until(store_has(text));
    node_start(two, text);
    store_quiet();
}

static void without_a_store_each_flush_reads_the_file(void **state)
{
    (void)state;
    fake_host.store_watch = NULL;
    node_start(one, "a");
    assert_true(node_has(one, "a"));
    node_write(one, "b");
    assert_true(node_flush(one));
    assert_true(node_has(one, "b"));
    node_write(one, "wrong");
    assert_false(node_flush(one));
    assert_non_null(strstr(node_error.message, one->path));
    assert_true(node_has(one, "b"));
    unlink(one->path);
    assert_false(node_flush(one));
    assert_non_null(strstr(node_error.message, "No such file"));
    assert_true(node_has(one, "b"));
    node_stop(one);
    node_open(one);
    assert_null(one->file);
}

static void a_store_of_this_nodes_own_has_no_rules(void **state)
{
    (void)state;
    store_is_local = true;
    node_start(one, "a");
    node_write(one, "b");
    assert_true(node_flush(one));
    assert_true(node_has(one, "b"));
    store_quiet();
    assert_int_equal(store_keys(), 0);
    assert_false(node_copy_is(one, "b"));
}

static void the_first_nodes_file_is_the_clusters(void **state)
{
    (void)state;
    node_start(one, "a");
    store_until(store_has("a"));
    store_until(node_copy_is(one, "a"));
    const unsigned before = warnings_logged();
    node_start(two, "b");
    assert_true(node_has(two, "a"));
    assert_int_equal(warnings_logged() - before, 1); /* with the remedy */
    store_quiet();
    assert_true(store_has("a") && node_has(one, "a"));
    assert_true(node_copy_is(two, "a"));
    node_start(three, "a");
    assert_int_equal(warnings_logged() - before, 1);
    assert_int_equal(store_keys(), 2);
    assert_int_equal(store_heads(), 1);
}

static void what_is_flushed_on_one_is_in_force_on_all(void **state)
{
    (void)state;
    start_pair("a");
    node_write(one, "b");
    assert_true(node_flush(one));
    assert_true(node_has(one, "b"));
    store_until(node_has(two, "b"));
    store_quiet();
    assert_true(node_copy_is(one, "b") && node_copy_is(two, "b"));
    assert_int_equal(store_heads(), 2);
    assert_int_equal(store_keys(), 2); /* what was there before is gone */
}

static void a_file_that_is_out_of_date_undoes_nothing(void **state)
{
    (void)state;
    start_pair("a");
    node_write(one, "b");
    assert_true(node_flush(one));
    store_until(node_has(two, "b"));
    assert_true(node_flush(two) && node_flush(one) && node_flush(two));
    store_quiet();
    assert_true(node_has(one, "b") && node_has(two, "b") && store_has("b"));
    node_touch(two);
    assert_true(node_flush(two));
    store_until(node_has(one, "a"));
    assert_int_equal(store_heads(), 3);
}

static void a_file_with_a_mistake_changes_nothing(void **state)
{
    (void)state;
    start_pair("a");
    node_write(one, "wrong");
    for (int i = 0; i < 2; i++) {
        assert_false(node_flush(one));
        assert_non_null(strstr(node_error.message, one->path));
    }
    store_quiet();
    assert_true(node_has(one, "a") && store_has("a"));
    node_write(two, "b");
    assert_true(node_flush(two));
    store_until(node_has(one, "b"));
    node_write(one, "c");
    assert_true(node_flush(one));
    store_until(node_has(two, "c"));
}

static void who_cannot_take_it_keeps_what_it_has_and_says_why(void **state)
{
    (void)state;
    start_pair("a");
    two->refuses = "b";
    const unsigned before = atomic_load(&fake_host.lines_logged[WEIR_LOG_ERROR]);
    node_write(one, "b");
    assert_true(node_flush(one));
    store_until(shared_file_is_refused(two->file) &&
                atomic_load(&fake_host.lines_logged[WEIR_LOG_ERROR]) - before == 1);
    assert_true(node_has(two, "a") && store_has("b"));
    assert_false(node_flush(two));
    assert_string_equal(node_error.message, "rules of the cluster:1: is wrong");
    assert_true(node_has(two, "a"));
    two->refuses = NULL; /* what was missing there is there */
    assert_true(node_flush(two));
    assert_true(node_has(two, "b"));
    assert_false(shared_file_is_refused(two->file));
    assert_false(shared_file_is_refused(one->file));
}

static char *text_of_size(size_t size, char letter)
{
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, letter, size);
    text[size] = '\0';
    return text;
}

static void a_big_file_goes_in_parts(void **state)
{
    static const size_t sizes[] = {65535, 65536, 65537, 200000, SHARED_TEXT_BYTES};
    (void)state;
    start_pair("");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *text = text_of_size(sizes[i], (char)('a' + i));
        node_write(one, text);
        assert_true(node_flush(one));
        store_until(node_has(two, text));
        store_quiet();
        assert_int_equal(store_keys(), 1 + shared_parts_of(sizes[i]));
        free(text);
    }
}

static void a_file_that_is_too_big_stays_the_nodes_own(void **state)
{
    char *text = text_of_size(SHARED_TEXT_BYTES + 1, 'x');
    (void)state;
    start_pair("a");
    node_write(one, text);
    for (int i = 0; i < 2; i++) {
        const unsigned before = warnings_logged();
        assert_true(node_flush(one));
        assert_int_equal(warnings_logged() - before, 1);
    }
    store_quiet();
    assert_true(node_has(one, text) && node_has(two, "a"));
    node_write(two, "b");
    assert_true(node_flush(two));
    store_until(store_has("b"));
    store_quiet();
    assert_true(node_has(one, text));
    node_write(one, "c");
    assert_true(node_flush(one));
    store_until(node_has(two, "c"));
    node_start(three, text);
    store_quiet();
    assert_true(node_has(three, text) && store_has("c"));
    free(text);
}

static void of_two_at_once_one_is_left(void **state)
{
    (void)state;
    start_pair("a");
    node_write(one, "b");
    node_write(two, "c");
    assert_true(node_flush(one) && node_flush(two));
    while (store_waiting() < 2)
        sched_yield();
    store_until((node_has(one, "b") && node_has(two, "b")) ||
                (node_has(one, "c") && node_has(two, "c")));
    store_quiet();
    assert_true(store_has("b") ? node_has(one, "b") && node_has(two, "b") : node_has(two, "c"));
    assert_int_equal(store_heads(), 2);
    assert_int_equal(store_keys(), 2); /* who has given way leaves nothing */
}

/* Answers a request, when there is one. */
static void answer(weir_store_status how)
{
    while (!store_answer(how))
        sched_yield();
}

static void a_second_flush_comes_after_the_first(void **state)
{
    (void)state;
    start_pair("a");
    const unsigned before = warnings_logged();
    node_write(one, "b");
    assert_true(node_flush(one));
    answer(WEIR_STORE_DONE); /* the part; the head is on its way */
    while (store_waiting() == 0)
        sched_yield();
    node_write(one, "c");
    assert_true(node_flush(one));
    answer(WEIR_STORE_DONE);
    store_until(node_has(two, "c"));
    store_quiet();
    assert_true(node_has(one, "c") && store_has("c"));
    assert_int_equal(warnings_logged(), before);
}

static void news_may_come_before_the_answer(void **state)
{
    struct test_node *writers[] = {one, two};
    (void)state;
    start_pair("a");
    const unsigned before = warnings_logged();
    for (int i = 0; i < 2; i++) {
        node_write(writers[i], i ? "d" : "b");
        assert_true(node_flush(writers[i]));
        answer(WEIR_STORE_DONE);
        while (store_waiting() == 0)
            sched_yield();
        node_write(writers[i], i ? "e" : "c");
        assert_true(node_flush(writers[i]));
        answer(WEIR_STORE_UNKNOWN); /* it is done, and nobody says so but the news */
        store_until(store_has(i ? "e" : "c"));
        store_quiet();
        assert_true(node_has(one, i ? "e" : "c") && node_has(two, i ? "e" : "c"));
    }
    assert_int_equal(warnings_logged(), before);
}

static void a_put_that_fails_is_made_when_the_store_is_back(void **state)
{
    (void)state;
    start_pair("a");
    store_leave(one);
    const unsigned before = warnings_logged();
    node_write(one, "b");
    assert_true(node_flush(one));
    assert_int_equal(warnings_logged() - before, 1); /* the client reads it */
    assert_true(node_has(one, "b"));
    store_quiet();
    assert_true(store_has("a"));
    store_return(one);
    store_until(node_has(two, "b"));
    node_write(one, "c"); /* and one that was asked for and not done */
    assert_true(node_flush(one));
    answer(WEIR_STORE_FAILED);
    store_leave(one);
    store_return(one);
    answer(WEIR_STORE_DONE);
    answer(WEIR_STORE_FAILED);
    store_until(node_has(two, "c"));
}

static void a_put_that_comes_late_gives_way(void **state)
{
    (void)state;
    start_pair("a");
    store_leave(one);
    node_write(one, "b");
    assert_true(node_flush(one));
    node_write(two, "c");
    assert_true(node_flush(two));
    store_until(store_has("c"));
    store_quiet();
    assert_true(node_has(one, "b"));
    const unsigned before = warnings_logged();
    store_return(one);
    store_until(node_has(one, "c"));
    store_quiet();
    assert_int_equal(warnings_logged() - before, 1);
    assert_true(store_has("c") && node_has(two, "c"));
    assert_true(node_copy_is(one, "c"));
}

static void a_start_without_the_store_begins_with_what_the_cluster_had(void **state)
{
    (void)state;
    start_pair("a");
    node_write(one, "b");
    assert_true(node_flush(one));
    store_until(node_has(two, "b"));
    store_quiet();
    node_stop(two);
    store_is_away = true;
    node_open(two);
    shared_file_join(two->file);
    assert_true(node_has(two, "b"));
    assert_true(node_flush(two));
    assert_true(node_has(two, "b"));
    node_touch(two); /* the administrator insists */
    assert_true(node_flush(two));
    assert_true(node_has(two, "a"));
    store_return(two);
    store_until(node_has(two, "b")); /* the cluster has something */
    assert_true(store_has("b"));
    node_start(three, "c"); /* has never had a cluster */
    assert_true(node_has(three, "c"));
    store_return(three);
    store_until(node_has(three, "b"));
}

static void who_leaves_the_cluster_has_its_own_file(void **state)
{
    (void)state;
    start_pair("a");
    node_write(one, "b");
    assert_true(node_flush(one));
    store_until(node_has(two, "b"));
    store_quiet();
    node_stop(two);
    store_is_local = true;
    node_open(two);
    shared_file_join(two->file);
    assert_true(node_has(two, "a"));
    assert_false(node_copy_is(two, "b"));
}

static void a_put_that_ends_in_the_middle_changes_nothing(void **state)
{
    char *text = text_of_size(200000, 'x');
    (void)state;
    start_pair("a");
    node_write(one, text);
    assert_true(node_flush(one));
    answer(WEIR_STORE_DONE);
    answer(WEIR_STORE_DONE);
    while (store_waiting() == 0)
        sched_yield();
    store_forget();
    node_stop(one);
    store_quiet();
    assert_true(node_has(two, "a") && store_has("a"));
    assert_int_equal(store_keys(), 4);
    node_start(three, "c");
    assert_true(node_has(three, "a"));
    node_write(two, "b");
    assert_true(node_flush(two));
    store_until(node_has(three, "b"));
    store_quiet();
    assert_int_equal(store_keys(), 2); /* and what was left is gone */
    free(text);
}

static void what_is_taken_away_from_the_store_stays_in_force(void **state)
{
    (void)state;
    start_pair("a");
    store_delete("rules/head");
    store_quiet();
    assert_true(node_has(one, "a") && node_has(two, "a"));
    node_write(two, "b");
    assert_true(node_flush(two));
    store_until(node_has(one, "b"));
    store_empty(); /* it has lost everything, and gets it back */
    store_until(store_has("b"));
    store_quiet();
    assert_true(node_has(one, "b") && node_has(two, "b"));
    assert_int_equal(store_heads(), 3);
}

static void what_others_write_there_is_left_alone(void **state)
{
    (void)state;
    start_pair("a");
    store_write("rules/head", "nonsense");
    store_write("rules/else", "nonsense");
    store_quiet();
    assert_true(node_has(one, "a") && node_has(two, "a"));
    store_write("rules/head", "1 0123456789abcdef 1 1"); /* without its part */
    store_quiet();
    assert_true(node_has(one, "a") && node_has(two, "a"));
    store_write("rules/0123456789abcdef/0000", "b");
    store_write("rules/head", "1 0123456789abcdef 1 1");
    store_until(node_has(one, "b") && node_has(two, "b"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
    const struct CMUnitTest tests[] = {
        TEST(without_a_store_each_flush_reads_the_file),
        TEST(a_store_of_this_nodes_own_has_no_rules),
        TEST(the_first_nodes_file_is_the_clusters),
        TEST(what_is_flushed_on_one_is_in_force_on_all),
        TEST(a_file_that_is_out_of_date_undoes_nothing),
        TEST(a_file_with_a_mistake_changes_nothing),
        TEST(who_cannot_take_it_keeps_what_it_has_and_says_why),
        TEST(a_big_file_goes_in_parts),
        TEST(a_file_that_is_too_big_stays_the_nodes_own),
        TEST(of_two_at_once_one_is_left),
        TEST(a_second_flush_comes_after_the_first),
        TEST(news_may_come_before_the_answer),
        TEST(a_put_that_fails_is_made_when_the_store_is_back),
        TEST(a_put_that_comes_late_gives_way),
        TEST(a_start_without_the_store_begins_with_what_the_cluster_had),
        TEST(who_leaves_the_cluster_has_its_own_file),
        TEST(a_put_that_ends_in_the_middle_changes_nothing),
        TEST(what_is_taken_away_from_the_store_stays_in_force),
        TEST(what_others_write_there_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
