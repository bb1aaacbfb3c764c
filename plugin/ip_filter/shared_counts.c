/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread that there is only in a cluster, and that sleeps while nothing is counted:
 *
 *     tallies ──► has_changed ──► review ──► parts that are due ──► put ──► the store ──► other_nodes_take()
 *
 * It keeps the lease of its keys as long as it counts anything. While the store is away nothing is put, and
 * what others have published counts as long as their leases would last at most: then this node counts alone. */
#include "shared_counts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <weir/clock.h>
#include <weir/text.h>

#include "former_life.h"
#include "own_keys.h"

#define LEASE_NS ((int64_t)(SHARED_COUNTS_LEASE_S * CLOCK_NS_PER_S))
#define PAUSE_NS ((int64_t)(SHARED_COUNTS_PAUSE_MS * (CLOCK_NS_PER_S / 1000)))
#define PUT_NS   ((int64_t)(CLOCK_NS_PER_S / SHARED_COUNTS_WRITES))

static struct own {
    const struct shared_counts_rules *rules;
    pthread_t thread;
    bool has_thread, is_ending;
    bool is_lost;     /* the store is */
    bool is_alone;    /* ... for so long that others count no more */
    bool reviews_all; /* not only what has changed */
    int64_t alone_at; /* monotonic */
    char former[NODE_NAME_BYTES + 1];
    bool is_former_deleted; /* or asked for */
    size_t nodes;           /* others, at the last review */
} own;

static struct own_keys keys = {.lock =
                                   PTHREAD_MUTEX_INITIALIZER}; /* its lock is that of `own`, too */
static atomic_bool has_changed, is_pausing;
static atomic_size_t left_out;

static int64_t now_ns(void)
{
    return (int64_t)clock_monotonic_ns();
}

/* From sessions: never waits, and wakes the thread only after a pause. */
static void on_change(void)
{
    if (!atomic_exchange(&has_changed, true) && !atomic_load(&is_pausing))
        alarm_ring(&keys.wake);
}

/* ---- A round; the lock is held ---- */

/* Notes which keys are due. */
static void review(struct own_counts *counts, bool is_all)
{
    const int64_t now = now_ns();
    for (unsigned part = 0; part < TALLY_PARTS; part++)
        if (own_counts_review(counts, part, is_all, now))
            keys.keys[part].is_due = true;
    if (counts->counts_anything && !keys.keys[PRESENCE].is_there)
        keys.keys[PRESENCE].is_due = true;
    if (is_all && !counts->counts_anything)
        own_keys_end_lease(&keys);
}

static void send_due(const struct own_counts *counts, int64_t now)
{
    const size_t puts = own_keys_send(&keys, counts);
    size_t missing = 0;
    for (size_t i = 0; i < OWN_KEYS; i++)
        missing += keys.keys[i].left_out;
    atomic_store(&left_out, missing);
    const int64_t paced = (int64_t)(puts * counts->nodes) * PUT_NS;
    if (keys.not_before < now + paced)
        keys.not_before = now + paced;
}

static void run_round(int64_t now)
{
    const bool is_all = own.reviews_all;
    const bool is_some = atomic_exchange(&has_changed, false);
    struct own_counts counts = {.rules = own.rules, .nodes = other_nodes_count() + 1};
    own.nodes = counts.nodes - 1;
    own.reviews_all = false;
    keys.not_before = now + PAUSE_NS;
    if (is_all || is_some)
        review(&counts, is_all);
    send_due(&counts, now);
}

/* ---- The thread ---- */

/* Once what others have published no longer counts. */
static void count_alone(void)
{
    own.is_alone = true;
    weir_log(
        WEIR_LOG_WARN,
        "the store has not been reached for %d s: limits count the connections of this node alone",
        SHARED_COUNTS_LEASE_S);
}

/* Does what there is to do now. Returns when there is something again, unless it is woken. */
static int64_t step(int64_t now)
{
    if (own.is_lost && !own.is_alone && now >= own.alone_at)
        count_alone();
    if (own.is_lost)
        return own.is_alone ? ALARM_NEVER : own.alone_at;
    if (keys.lease && now >= keys.keep_at) {
        own_keys_keep(&keys, now);
        own.reviews_all = true; /* windows end, limits change, and at last nothing is counted */
    }
    atomic_store(&is_pausing, now < keys.not_before);
    if (now >= keys.not_before &&
        (own.reviews_all || atomic_load(&has_changed) || own_keys_are_due(&keys))) {
        atomic_store(&is_pausing, true);
        run_round(now);
    }
    const int64_t until = keys.lease ? keys.keep_at : ALARM_NEVER;
    return keys.not_before > now && keys.not_before < until ? keys.not_before : until;
}

static void *run(void *nothing)
{
    (void)nothing;
    pthread_mutex_lock(&keys.lock);
    while (!own.is_ending) {
        const int64_t now = now_ns();
        const int64_t until = step(now);
        pthread_mutex_unlock(&keys.lock);
        alarm_sleep(&keys.wake, until);
        pthread_mutex_lock(&keys.lock);
    }
    pthread_mutex_unlock(&keys.lock);
    return NULL;
}

/* ---- News ---- */

/* Returns whether the thread has something to do, here and below. The lock is held. */
static bool lose(int64_t now)
{
    if (own.is_lost)
        return false;
    own.is_lost = true;
    own.alone_at = now + LEASE_NS;
    tally_trust_shares_until(own.alone_at);
    return true;
}

/* What was put before may be gone. The lock is held. */
static bool come_back(int64_t now)
{
    if (!own.is_lost)
        return false;
    if (own.is_alone)
        weir_log(WEIR_LOG_INFO,
                 "the store is reached again: limits count the connections of all nodes");
    own.is_lost = own.is_alone = false;
    keys.keep_at = now;
    keys.not_before = now;
    own_keys_repeat(&keys);
    tally_trust_shares_until(INT64_MAX);
    return true;
}

static void on_former_deleted(void *user, const weir_store_answer *answer)
{
    (void)user;
    if (answer->status != WEIR_STORE_DONE)
        weir_log(WEIR_LOG_WARN,
                 "what this node has counted before it was started again counts on other nodes "
                 "for %d s more",
                 SHARED_COUNTS_LEASE_S);
}

/* Deletes what a process that has had this data directory before has left. The lock is held. */
static void delete_former(void)
{
    char name[COUNT_PREFIX_BYTES + NODE_NAME_BYTES + 1];
    if (!own.former[0] || own.is_former_deleted)
        return;
    snprintf(name, sizeof name, COUNT_PREFIX "%s", own.former);
    own.is_former_deleted = weir_store_delete_all(text_of(name), on_former_deleted, NULL) != 0;
}

/* Begins where there are other nodes. The lock is held. */
static void begin_thread(void)
{
    if (own.has_thread)
        return;
    own.has_thread = pthread_create(&own.thread, NULL, run, NULL) == 0;
    own.reviews_all = true;
    if (own.has_thread)
        tally_watch(on_change);
    else
        weir_log(WEIR_LOG_ERROR, "there is no thread: other nodes do not see this one's counts");
}

static void on_news(void *user, const weir_store_news *news)
{
    const int64_t now = now_ns();
    const bool is_lost = news->kind == WEIR_STORE_LOST;
    (void)user;
    if (!weir_store_is_shared(news))
        return;
    if (!*keys.node)
        former_life_replace(keys.node, own.former);
    if (!is_lost)
        other_nodes_take(news, keys.node, own.former, now);
    pthread_mutex_lock(&keys.lock);
    begin_thread();
    bool has_work = false;
    if (is_lost) {
        has_work = lose(now);
    } else {
        has_work = come_back(now);
        has_work = own_keys_notice(&keys, news) || has_work;
        delete_former();
    }
    own.reviews_all = own.reviews_all || own.nodes != other_nodes_count();
    has_work = has_work || own.reviews_all;
    pthread_mutex_unlock(&keys.lock);
    if (has_work)
        alarm_ring(&keys.wake);
}

/* ---- Life ---- */

void shared_counts_begin(const struct shared_counts_rules *rules)
{
    own.rules = rules;
    own_keys_init(&keys);
    weir_store_watch(text_of(COUNT_PREFIX), on_news, NULL);
}

void shared_counts_end(void)
{
    pthread_mutex_lock(&keys.lock);
    const bool has_thread = own.has_thread;
    own.is_ending = true;
    pthread_mutex_unlock(&keys.lock);
    alarm_ring(&keys.wake);
    if (has_thread)
        pthread_join(own.thread, NULL);
    tally_watch(NULL);
    tally_trust_shares_until(INT64_MAX);
    other_nodes_clear();
    own_keys_release(&keys);
    atomic_store(&has_changed, false);
    atomic_store(&left_out, 0);
    own = (struct own){0};
}

void shared_counts_review(void)
{
    pthread_mutex_lock(&keys.lock);
    own.reviews_all = true;
    const bool has_thread = own.has_thread;
    pthread_mutex_unlock(&keys.lock);
    if (has_thread)
        alarm_ring(&keys.wake);
}

size_t shared_counts_nodes(void)
{
    pthread_mutex_lock(&keys.lock);
    const bool is_alone = own.is_alone;
    pthread_mutex_unlock(&keys.lock);
    return is_alone ? 0 : other_nodes_count();
}

size_t shared_counts_left_out(void)
{
    return atomic_load(&left_out) + other_nodes_left_out();
}
