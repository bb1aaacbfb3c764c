/* SPDX-License-Identifier: Apache-2.0
 *
 * A file that the plugin rewrites with what the cluster has, and whose changes are merged; and histories at random, after
 * which all nodes have the same. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared_store.h"

#define LETTERS 8

static struct test_node *const one = &nodes[0], *const two = &nodes[1], *const three = &nodes[2];

/* Texts are LETTERS letters; what has changed of a text is its letters, one by one. */
static char *merge(weir_string base, weir_string mine, weir_string theirs)
{
    char *text = calloc(1, LETTERS + 1);
    assert_non_null(text);
    for (size_t i = 0; i < LETTERS; i++)
        text[i] = base.data[i] == mine.data[i] ? theirs.data[i] : mine.data[i];
    return text;
}

static int setup(void **state)
{
    store_setup(state);
    node_rewrites = true;
    node_merge = merge;
    return 0;
}

static bool file_is(const char *path, const char *text)
{
    char found[64] = "";
    FILE *stream = fopen(path, "r");
    if (!stream)
        return false;
    found[fread(found, 1, sizeof found - 1, stream)] = '\0';
    fclose(stream);
    return strcmp(found, text) == 0;
}

static bool before_is(const struct test_node *node, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s.before", node->path);
    return file_is(path, text);
}

/* What a plugin's function does. */
static void change(struct test_node *node, size_t at, char letter)
{
    shared_file_enter(node->file);
    pthread_mutex_lock(&node->lock);
    node->in_force[at] = letter;
    char *text = strdup(node->in_force);
    pthread_mutex_unlock(&node->lock);
    node_write(node, text);
    shared_file_written(node->file);
    shared_file_leave(node->file);
    free(text);
}

static void the_file_is_rewritten_on_all(void **state)
{
    (void)state;
    node_start(one, "aaaaaaaa");
    store_quiet();
    node_start(two, "bbbbbbbb");
    assert_true(node_has(two, "aaaaaaaa"));
    assert_true(file_is(two->path, "aaaaaaaa"));
    assert_true(before_is(two, "bbbbbbbb")); /* nothing is lost */
    change(one, 0, 'x');
    store_until(file_is(two->path, "xaaaaaaa"));
    assert_true(node_has(two, "xaaaaaaa"));
    assert_true(before_is(two, "bbbbbbbb"));
    const unsigned puts = store_heads();
    assert_true(node_flush(two) && node_flush(one));
    store_quiet();
    assert_int_equal(store_heads(), puts);
    node_stop(two);
    store_is_away = true;
    node_open(two);
    shared_file_join(two->file);
    assert_true(node_has(two, "xaaaaaaa"));
}

static void what_was_written_and_not_flushed_is_kept(void **state)
{
    (void)state;
    node_start(one, "aaaaaaaa");
    store_quiet();
    node_start(two, "aaaaaaaa");
    assert_false(before_is(two, "aaaaaaaa"));
    node_write(two, "cccccccc");
    change(one, 0, 'x');
    store_until(file_is(two->path, "xaaaaaaa"));
    assert_true(before_is(two, "cccccccc"));
}

static void changes_at_once_are_merged(void **state)
{
    (void)state;
    node_start(one, "aaaaaaaa");
    store_quiet();
    node_start(two, "aaaaaaaa");
    store_quiet();
    change(one, 0, 'x');
    change(two, 7, 'y');
    store_until(node_has(one, "xaaaaaay") && node_has(two, "xaaaaaay"));
    store_quiet();
    assert_true(file_is(one->path, "xaaaaaay") && file_is(two->path, "xaaaaaay"));
    store_leave(one); /* and while one of them is away */
    change(one, 1, 'p');
    change(one, 2, 'q');
    change(two, 2, 'r');
    change(two, 3, 's');
    store_quiet();
    store_return(one);
    store_until(node_has(one, "xpqsaaay") && node_has(two, "xpqsaaay")); /* the last that was put */
    store_quiet();
    assert_int_equal(store_keys(), 2);
}

/* A node without a file has nothing to say, and takes what there is. */
static void a_missing_file_is_not_put(void **state)
{
    (void)state;
    node_if_missing = "--------";
    node_open(one);
    shared_file_join(one->file);
    assert_true(node_has(one, "--------"));
    store_quiet();
    assert_int_equal(store_keys(), 0);
    node_start(two, "aaaaaaaa");
    store_until(file_is(one->path, "aaaaaaaa"));
    assert_true(node_has(one, "aaaaaaaa"));
    assert_false(before_is(one, "--------"));
    unlink(one->path); /* this is a change, too */
    assert_true(node_flush(one));
    store_until(node_has(two, "--------"));
}

/* ---- At random ---- */

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static void do_something(unsigned *seed)
{
    struct test_node *node = &nodes[next_random(seed) % NODES];
    char text[LETTERS + 1];
    const unsigned what = next_random(seed) % 16;
    if (what < 2) {
        for (size_t i = 0; i < LETTERS; i++)
            text[i] = (char)('a' + next_random(seed) % 26);
        text[LETTERS] = '\0';
        shared_file_enter(node->file); /* or both would write PATH.new */
        node_write(node, text);
        shared_file_leave(node->file);
        assert_true(node_flush(node));
    } else if (what == 2) {
        change(node, next_random(seed) % LETTERS, (char)('a' + next_random(seed) % 26));
    } else if (what == 3) {
        assert_true(node_flush(node));
    } else if (what == 4) {
        if (node->is_away)
            store_return(node);
        else
            store_leave(node);
    } else if (what < 10) {
        store_tell(node);
    } else {
        for (int i = 0; i < 50 && store_waiting() == 0; i++)
            sched_yield();
        store_answer(what == 10   ? WEIR_STORE_UNKNOWN
                     : what == 11 ? WEIR_STORE_FAILED
                                  : WEIR_STORE_DONE);
    }
}

static bool all_have_it(void)
{
    char *text = store_text();
    bool ok = text != NULL;
    for (int i = 0; ok && i < NODES; i++)
        ok = node_has(&nodes[i], text);
    free(text);
    return ok;
}

static void play(unsigned seed)
{
    unsigned random = seed;
    for (int i = 0; i < NODES; i++)
        node_start(&nodes[i], "aaaaaaaa");
    for (int i = 0; i < 150; i++)
        do_something(&random);
    for (int i = 0; i < NODES; i++)
        if (nodes[i].is_away)
            store_return(&nodes[i]);
    while (store_waiting() > 0)
        store_run();
    const uint64_t begun_ns = clock_monotonic_ns();
    store_quiet();
    while (!all_have_it() && clock_monotonic_ns() - begun_ns < 5 * CLOCK_NS_PER_S)
        store_quiet(); /* what has failed is tried again after a second */
    if (!all_have_it())
        fail_msg("seed %u: not all nodes have what the store has", seed);
    const unsigned puts = store_heads();
    store_quiet();
    assert_int_equal(store_heads(), puts);
    for (int i = 0; i < NODES; i++)
        node_stop(&nodes[i]);
}

static void play_all(bool merges)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        node_rewrites = merges;
        node_merge = merges ? merge : NULL;
        play(seed);
        store_teardown(NULL);
        store_setup(NULL);
    }
}

static void all_nodes_end_with_the_same(void **state)
{
    (void)state;
    play_all(false);
}

static void all_nodes_end_with_the_same_where_texts_are_merged(void **state)
{
    (void)state;
    play_all(true);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_file_is_rewritten_on_all),
        TEST(what_was_written_and_not_flushed_is_kept),
        TEST(changes_at_once_are_merged),
        TEST(a_missing_file_is_not_put),
        TEST(all_nodes_end_with_the_same),
        TEST(all_nodes_end_with_the_same_where_texts_are_merged),
    };
    (void)three;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
