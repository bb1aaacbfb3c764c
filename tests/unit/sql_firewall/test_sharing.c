/* SPDX-License-Identifier: Apache-2.0
 *
 * The lists of a cluster, with a store that the test plays: what is put, in how many puts, and what becomes of what other
 * nodes have put. */
#include "sharing.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/store.h>
#include <weir/text.h>

#include "firewall_test.h"
#include "keeper.h"
#include "told.h"

static const weir_string app = {"app@%", 5};

/* ---- The store ---- */

#define PUTS 64

static struct {
    pthread_mutex_t lock;
    weir_store_watcher *watcher;
    bool is_shared, is_away;
    char *keys[PUTS], *values[PUTS]; /* owned */
    size_t sizes[PUTS];
    unsigned puts;
    weir_store_done *done; /* of the put that is not answered */
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int on_call(const struct weir_store_request *request)
{
    pthread_mutex_lock(&store.lock);
    assert_int_equal(request->action, WEIR_STORE_DO_PUT);
    assert_int_equal(request->revision, 0);
    assert_null(store.done);
    assert_true(store.puts < PUTS);
    store.keys[store.puts] = strndup(request->key.data, request->key.size);
    store.values[store.puts] = strndup(request->value.data, request->value.size);
    store.sizes[store.puts++] = request->value.size;
    store.done = request->done;
    pthread_mutex_unlock(&store.lock);
    return 1;
}

static void say(weir_store_news_kind kind, const weir_store_entry *entries, size_t count)
{
    const weir_store_news news = {.api_version = WEIR_API_VERSION,
                                  .struct_size = sizeof news,
                                  .kind = kind,
                                  .entry_size = sizeof *entries,
                                  .entries = entries,
                                  .count = count,
                                  .is_shared = store.is_shared};
    store.watcher(NULL, &news);
}

static const weir_store_entry *first_entries;
static size_t first_count;

static int on_watch(weir_string prefix, weir_store_watcher *watcher, void *user)
{
    (void)user;
    assert_true(text_equals(prefix, text_of("list/")));
    store.watcher = watcher;
    say(store.is_away ? WEIR_STORE_LOST : WEIR_STORE_EVERYTHING, first_entries, first_count);
    return 1;
}

static weir_store_entry entry(const char *key, const char *value, int64_t revision)
{
    return (weir_store_entry){.key = text_of(key), .value = text_of(value), .revision = revision};
}

static unsigned put_count(void)
{
    pthread_mutex_lock(&store.lock);
    const unsigned count = store.puts;
    pthread_mutex_unlock(&store.lock);
    return count;
}

static void answer(weir_store_status status)
{
    const weir_store_answer said = {.struct_size = sizeof said, .status = status};
    pthread_mutex_lock(&store.lock);
    weir_store_done *done = store.done;
    store.done = NULL;
    pthread_mutex_unlock(&store.lock);
    assert_non_null(done);
    done(NULL, &said);
}

static const char *wait_put(unsigned number)
{
    while (put_count() <= number)
        sched_yield();
    return store.values[number];
}

/* ---- The lists ---- */

static void begin(const char *path)
{
    struct error error = {""};
    assert_true(keeper_open(path, &error));
    sharing_begin();
}

static void end(void)
{
    keeper_close();
    for (unsigned i = 0; i < store.puts; i++) {
        free(store.keys[i]);
        free(store.values[i]);
    }
    store.puts = 0;
    store.done = NULL;
    store.is_away = false;
    first_count = 0;
}

static bool has(unsigned number)
{
    const struct key key = test_key(number);
    unsigned *reading = readers_enter(&keeper_readers);
    const struct account *account = allow_lists_find(keeper_lists(), app);
    const bool found = account && account_has(account, &key);
    readers_leave(reading);
    return found;
}

static int mode(void)
{
    unsigned *reading = readers_enter(&keeper_readers);
    const struct account *account = allow_lists_find(keeper_lists(), app);
    const int found = account ? account_mode(account) : MODE_UNSAID;
    readers_leave(reading);
    return found;
}

static void learn(unsigned number)
{
    const struct key key = test_key(number);
    assert_int_equal(keeper_learn(app, &key), LEARNED_NEW);
}

/* "digest HEX" of a key. */
static const char *line(unsigned number)
{
    static char lines[4][KEY_LINE_BYTES + 1];
    static unsigned turn;
    const struct key key = test_key(number);
    char *at = lines[turn++ % 4];
    at[key_print(&key, at)] = '\0';
    return at;
}

static const char *joined(const char *first, const char *second, const char *third)
{
    static char texts[4][4096];
    static unsigned turn;
    char *at = texts[turn++ % 4];
    snprintf(at, sizeof texts[0], "%s%s%s", first, second, third);
    return at;
}

static bool file_has(const char *path, const char *words)
{
    if (access(path, R_OK) < 0)
        return false;
    char *all = test_read(path);
    const bool found = strstr(all, words) != NULL;
    free(all);
    return found;
}

static int setup(void **state)
{
    fake_host.store_call = on_call;
    fake_host.store_watch = on_watch;
    store.is_shared = true;
    return test_folder_make(state);
}

static void what_is_done_here_is_put(void **state)
{
    const char *path = test_path(state, "allow");
    struct error error = {""};
    const struct key one = test_key(1);
    begin(path);
    learn(1);
    assert_non_null(strstr(wait_put(0), line(1)));
    assert_non_null(strstr(store.keys[0], "list/"));
    answer(WEIR_STORE_DONE);
    assert_true(keeper_set_mode(app, FIREWALL_PROTECTING, &error));
    assert_string_equal(wait_put(1), "account app@%\nmode PROTECTING\n");
    answer(WEIR_STORE_DONE);
    assert_true(keeper_remove(app, &one, &error));
    assert_non_null(strstr(wait_put(2), "forget digest "));
    answer(WEIR_STORE_DONE);
    assert_true(keeper_remove(app, NULL, &error));
    assert_string_equal(wait_put(3), "account app@%\ngone\n");
    end();
}

static void a_list_that_is_edited_here_is_the_one_of_all(void **state)
{
    const char *path = test_path(state, "allow");
    struct error error = {""};
    begin(path);
    learn(1);
    (void)wait_put(0);
    answer(WEIR_STORE_DONE);
    assert_true(keeper_save(&error));
    const char *edited = joined("account app@%\n", line(2), "");
    test_write(path, edited, strlen(edited));
    assert_true(keeper_reload(&error));
    const char *put = wait_put(1);
    assert_non_null(strstr(put, "forget digest "));
    assert_non_null(strstr(put, joined("\n", line(2), "")));
    answer(WEIR_STORE_DONE);
    assert_true(keeper_reload(&error)); /* nothing has changed: nothing is put */
    learn(3);
    assert_non_null(strstr(wait_put(2), line(3)));
    assert_null(strstr(wait_put(2), line(2)));
    end();
}

static void what_other_nodes_do_is_done_here(void **state)
{
    const char *path = test_path(state, "allow");
    begin(path);
    weir_store_entry news[] = {
        entry("list/a", joined("account app@%\nmode DETECTING\n", line(1), line(2)), 5)};
    say(WEIR_STORE_CHANGES, news, 1);
    while (!has(2) || mode() != FIREWALL_DETECTING)
        sched_yield();
    while (!file_has(path, "mode DETECTING") || !file_has(path, line(1)))
        sched_yield();
    news[0] = entry("list/b", joined("account app@%\nforget ", line(1), ""), 6);
    say(WEIR_STORE_CHANGES, news, 1);
    while (has(1) || file_has(path, line(1)))
        sched_yield();
    assert_true(has(2));
    assert_int_equal(put_count(), 0); /* that is nothing new to anybody */
    news[0] = entry("list/c", "account app@%\ngone\n", 7);
    say(WEIR_STORE_CHANGES, news, 1);
    while (mode() != MODE_UNSAID)
        sched_yield();
    end();
}

/* Keys come in the order of their names; what counts is when they were put. */
static void a_node_that_begins_reads_what_there_is_and_tells_what_it_has(void **state)
{
    const char *path = test_path(state, "allow");
    const char *old = joined("account app@%\nmode RECORDING\n", line(1), line(2));
    const weir_store_entry entries[] = {
        entry("list/a", joined("account app@%\nmode PROTECTING\nforget ", line(1), ""), 9),
        entry("list/b", joined("account app@%\nmode OFF\n", line(1), line(3)), 4)};
    test_write(path, old, strlen(old));
    first_entries = entries;
    first_count = 2;
    begin(path);
    assert_int_equal(mode(), FIREWALL_PROTECTING);
    assert_false(has(1));
    assert_true(has(2));
    assert_true(has(3));
    const char *put = wait_put(0);
    assert_non_null(strstr(put, line(2)));
    assert_null(strstr(put, line(1)));
    assert_null(strstr(put, line(3)));
    assert_null(strstr(put, "mode"));
    end();
}

static void without_a_cluster_nothing_is_put(void **state)
{
    const char *path = test_path(state, "allow");
    store.is_shared = false;
    begin(path);
    learn(1);
    struct error error = {""};
    assert_true(keeper_set_mode(app, FIREWALL_OFF, &error));
    end();
    assert_int_equal(put_count(), 0);
    assert_true(file_has(path, line(1)));
}

static void ten_thousand_are_a_few_puts(void **state)
{
    const char *path = test_path(state, "allow");
    begin(path);
    for (unsigned i = 0; i < 10000; i++)
        learn(i);
    unsigned answered = 0;
    size_t bytes = 0;
    const struct key last = test_key(9999);
    char wanted[KEY_LINE_BYTES + 1];
    wanted[key_print(&last, wanted)] = '\0';
    do {
        (void)wait_put(answered);
        bytes += store.sizes[answered];
        assert_in_range(store.sizes[answered], 1, TOLD_TEXT_BYTES);
        answer(WEIR_STORE_DONE);
    } while (!strstr(store.values[answered++], wanted));
    printf("10,000 statements: %u puts, %zu bytes\n", answered, bytes);
    assert_in_range(answered, 2, 30);
    end();
}

/* The same key again: where it is there, it was done. */
static void a_put_that_failed_is_put_again(void **state)
{
    const char *path = test_path(state, "allow");
    begin(path);
    learn(1);
    (void)wait_put(0);
    answer(WEIR_STORE_UNKNOWN);
    (void)wait_put(1);
    assert_string_equal(store.keys[0], store.keys[1]);
    assert_string_equal(store.values[0], store.values[1]);
    answer(WEIR_STORE_DIFFERS);
    learn(2);
    assert_null(strstr(wait_put(2), line(1)));
    assert_string_not_equal(store.keys[1], store.keys[2]);
    end();
}

static void a_node_that_begins_alone_tells_what_it_has_later(void **state)
{
    const char *path = test_path(state, "allow");
    store.is_away = true;
    begin(path);
    learn(1);
    say(WEIR_STORE_EVERYTHING, NULL, 0);
    assert_non_null(strstr(wait_put(0), line(1)));
    end();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, test_folder_remove)
    const struct CMUnitTest tests[] = {
        TEST(what_is_done_here_is_put),
        TEST(a_list_that_is_edited_here_is_the_one_of_all),
        TEST(what_other_nodes_do_is_done_here),
        TEST(a_node_that_begins_reads_what_there_is_and_tells_what_it_has),
        TEST(without_a_cluster_nothing_is_put),
        TEST(ten_thousand_are_a_few_puts),
        TEST(a_put_that_failed_is_put_again),
        TEST(a_node_that_begins_alone_tells_what_it_has_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
