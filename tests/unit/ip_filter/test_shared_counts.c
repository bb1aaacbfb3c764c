/* SPDX-License-Identifier: Apache-2.0
 *
 * A node of a cluster, with a store that the test plays: what it puts and when, what it does when a lease is gone, and
 * what becomes of it when the store is away. */
#include "shared_counts.h"

#include <pthread.h>
#include <weir/clock.h>
#include <weir/store.h>
#include <weir/text.h>

#include "count_values.h"
#include "fake_host.h"
#include "filter_test.h"
#include "other_nodes.h"

#define OTHER COUNT_PREFIX "1111111111111111"
#define LEASE 77

/* ---- The store: all that is asked, as text, answered at once or when the test says so ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t asked;
    weir_store_watcher *watcher;
    struct strbuf log; /* a line for each call */
    unsigned calls, pending;
    weir_store_status status;       /* of the answers */
    bool refuses;                   /* calls are not taken */
    char name[NODE_NAME_BYTES + 1]; /* that the node has given itself */
} store = {.lock = PTHREAD_MUTEX_INITIALIZER, .asked = PTHREAD_COND_INITIALIZER};

static const char *const actions[] = {"put",        "get",   "list", "delete",
                                      "delete_all", "lease", "keep", "end"};

static void write_call(const struct weir_store_request *request)
{
    const size_t least = COUNT_PREFIX_BYTES + NODE_NAME_BYTES;
    strbuf_printf(&store.log, "%s", actions[request->action]);
    if (request->key.size >= least) {
        memcpy(store.name, request->key.data + COUNT_PREFIX_BYTES, NODE_NAME_BYTES);
        strbuf_add_text(&store.log, request->key.size == least ? " node" : " part");
    }
    strbuf_add_text(&store.log, "\n");
    store.calls++;
}

struct answer_of {
    weir_store_done *done;
    void *user;
    weir_store_answer answer;
};

static void *answer(void *user)
{
    struct answer_of *of = user;
    of->done(of->user, &of->answer);
    free(of);
    pthread_mutex_lock(&store.lock);
    store.pending--;
    pthread_cond_broadcast(&store.asked);
    pthread_mutex_unlock(&store.lock);
    return NULL;
}

static int on_call(const struct weir_store_request *request)
{
    pthread_t thread;
    struct answer_of *of = calloc(1, sizeof *of);
    assert_non_null(of);
    pthread_mutex_lock(&store.lock);
    write_call(request);
    *of = (struct answer_of){.done = request->done,
                             .user = request->user,
                             .answer = {.struct_size = sizeof of->answer,
                                        .status = store.status,
                                        .lease = LEASE,
                                        .ttl = 10 * CLOCK_NS_PER_S}};
    const bool is_taken = !store.refuses;
    store.pending += is_taken && of->done;
    pthread_cond_broadcast(&store.asked);
    pthread_mutex_unlock(&store.lock);
    if (!is_taken || !of->done) {
        free(of);
        return is_taken;
    }
    assert_int_equal(pthread_create(&thread, NULL, answer, of), 0);
    pthread_detach(thread);
    return 1;
}

static void say(weir_store_news_kind kind, const weir_store_entry *entries, size_t count,
                bool is_shared)
{
    const weir_store_news news = {.struct_size = sizeof news,
                                  .kind = kind,
                                  .entry_size = sizeof *entries,
                                  .entries = entries,
                                  .count = count,
                                  .is_shared = is_shared};
    store.watcher(NULL, &news);
}

static int on_watch(weir_string prefix, weir_store_watcher *watcher, void *user)
{
    (void)user;
    assert_true(text_is(prefix, COUNT_PREFIX));
    store.watcher = watcher;
    return 1;
}

/* Waits until there are so many bytes of calls, or until a line is among them, and all are answered. Returns owned, and
 * clears them. */
static char *take_calls(size_t size, const char *line)
{
    const struct timespec until = clock_deadline(CLOCK_REALTIME, 20 * CLOCK_NS_PER_S);
    int status = 0;
    pthread_mutex_lock(&store.lock);
    while (status == 0 && (store.pending || store.log.size < size ||
                           (line && (!store.log.size || !strstr(store.log.data, line)))))
        status = pthread_cond_timedwait(&store.asked, &store.lock, &until);
    char *taken = strbuf_detach(&store.log);
    pthread_mutex_unlock(&store.lock);
    assert_non_null(taken);
    return taken;
}

/* Waits until the calls are these, since the last time. */
static void expect_calls(const char *lines)
{
    char *taken = take_calls(strlen(lines), NULL);
    assert_string_equal(taken, lines);
    free(taken);
}

/* Waits for a call, whatever comes before it. */
static void wait_call(const char *line)
{
    char *taken = take_calls(0, line);
    assert_non_null(strstr(taken, line));
    free(taken);
}

static void set_status(weir_store_status status)
{
    pthread_mutex_lock(&store.lock);
    store.status = status;
    pthread_mutex_unlock(&store.lock);
}

static unsigned calls(void)
{
    pthread_mutex_lock(&store.lock);
    const unsigned count = store.calls;
    pthread_mutex_unlock(&store.lock);
    return count;
}

/* ---- The node ---- */

static struct shared_limits limits;

static struct shared_limits limits_of(const struct tally_key *key)
{
    (void)key;
    return limits;
}

static struct tally_windows windows(void)
{
    return (struct tally_windows){.rate = 1000000, .failed = 1000000};
}

static int begin(void **state)
{
    static const struct shared_counts_rules rules = {limits_of, windows};
    (void)state;
    fake_host.store_call = on_call;
    fake_host.store_watch = on_watch;
    limits = (struct shared_limits){.connections = 2};
    store.status = WEIR_STORE_DONE;
    store.refuses = false;
    shared_counts_begin(&rules);
    return 0;
}

static int end(void **state)
{
    (void)state;
    shared_counts_end();
    tally_clear();
    strbuf_release(&store.log);
    return 0;
}

static const struct tally_key app = {.size = 4, .bytes = "uapp"};

static enum tally_answer enter(void)
{
    return tally_enter(&app, &(struct tally_limits){.connections = 2},
                       (int64_t)clock_monotonic_ns());
}

static void another_has(int64_t connections)
{
    struct strbuf value = STRBUF_INIT;
    static int64_t revision;
    count_value_begin(&value);
    count_value_add(&value, &app, &(struct tally_counts){.connections = connections});
    const weir_store_entry entry = {
        .key = text_of(OTHER "/0"), .value = {value.data, value.size}, .revision = ++revision};
    say(WEIR_STORE_CHANGES, &entry, 1, true);
    strbuf_release(&value);
}

static void own_key_is_gone(const char *part)
{
    char name[64];
    snprintf(name, sizeof name, COUNT_PREFIX "%s%s", store.name, part);
    const weir_store_entry entry = {.key = text_of(name), .is_deleted = 1};
    say(WEIR_STORE_CHANGES, &entry, 1, true);
}

static void alone_it_asks_nothing(void **state)
{
    (void)state;
    say(WEIR_STORE_EVERYTHING, NULL, 0, false);
    const unsigned before = calls();
    assert_int_equal(enter(), TALLY_OK);
    tally_leave(&app);
    shared_counts_review();
    assert_int_equal(calls(), before);
    assert_int_equal(shared_counts_nodes(), 0);
}

static void what_is_counted_is_published_with_a_lease_and_taken_away_in_the_end(void **state)
{
    (void)state;
    say(WEIR_STORE_EVERYTHING, NULL, 0, true);
    assert_int_equal(enter(), TALLY_OK);
    expect_calls("lease\nput part\nput node\n");
    tally_leave(&app);
    expect_calls("delete part\n");
    expect_calls("keep\nend\n"); /* at the next look at all of it: 3.3 s later */
}

static void a_lease_that_is_gone_is_made_anew_and_everything_put_again(void **state)
{
    (void)state;
    say(WEIR_STORE_EVERYTHING, NULL, 0, true);
    enter();
    expect_calls("lease\nput part\nput node\n");
    own_key_is_gone("");
    expect_calls("keep\nput node\n");
    set_status(WEIR_STORE_GONE);
    own_key_is_gone("");
    wait_call("lease\n");
    set_status(WEIR_STORE_DONE);
    wait_call("put part\nput node\n");
}

static void what_was_not_done_is_asked_again(void **state)
{
    (void)state;
    say(WEIR_STORE_EVERYTHING, NULL, 0, true);
    set_status(WEIR_STORE_FAILED);
    enter();
    expect_calls("lease\n");
    set_status(WEIR_STORE_DONE);
    expect_calls("lease\nput part\nput node\n"); /* a second later */
    set_status(WEIR_STORE_UNKNOWN);
    enter();
    expect_calls("put part\n");
    set_status(WEIR_STORE_DONE);
    expect_calls("put part\n");
}

static void while_the_store_is_away_others_count_and_nothing_is_asked(void **state)
{
    (void)state;
    say(WEIR_STORE_EVERYTHING, NULL, 0, true);
    another_has(1);
    assert_int_equal(shared_counts_nodes(), 1);
    assert_int_equal(enter(), TALLY_OK);
    expect_calls("lease\nput part\nput node\n");
    say(WEIR_STORE_LOST, NULL, 0, true);
    const unsigned before = calls();
    assert_int_equal(enter(), TALLY_TOO_MANY);
    tally_leave(&app);
    assert_int_equal(shared_counts_nodes(), 1);
    assert_int_equal(calls(), before);
    const weir_store_entry none = {0};
    say(WEIR_STORE_CHANGES, &none, 0, true);
    expect_calls("keep\nput part\nput node\n"); /* they may be gone */
    another_has(0);
    assert_int_equal(enter(), TALLY_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(alone_it_asks_nothing),
        TEST(what_is_counted_is_published_with_a_lease_and_taken_away_in_the_end),
        TEST(a_lease_that_is_gone_is_made_anew_and_everything_put_again),
        TEST(what_was_not_done_is_asked_again),
        TEST(while_the_store_is_away_others_count_and_nothing_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
