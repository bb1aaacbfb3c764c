/* SPDX-License-Identifier: Apache-2.0
 *
 * The watchdog's thread. What it reads of a worker are marks of different moments, so that a line
 * can name a plugin that the worker has just left; each of them is whole. */
#include "gateway/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOKS 4 /* in the limit: a stall is seen a quarter late at most */

/* A worker as the watchdog has seen it. */
struct seen {
    uint_fast64_t turn;
    uint64_t since_ns; /* when it was first seen in this turn */
    bool is_told;
    char what[160]; /* of the stall that was told */
};

struct watchdog {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stops;
    uint64_t limit_ns;
    struct activity *const *activities;
    size_t count;
    struct seen seen[];
};

static unsigned long long ms_of(uint64_t ns)
{
    return ns / 1000000;
}

static void describe(const struct activity *activity, char *out, size_t size)
{
    const char *what = atomic_load_explicit(&activity->what, memory_order_relaxed);
    const char *plugin = atomic_load_explicit(&activity->plugin.plugin, memory_order_relaxed);
    const char *event = atomic_load_explicit(&activity->plugin.event, memory_order_relaxed);
    unsigned connection = atomic_load_explicit(&activity->connection, memory_order_relaxed);
    if (plugin)
        snprintf(out, size, "in plugin %s, %s, while it %s connection=%u", plugin,
                 event ? event : "", what ? what : "", connection);
    else
        snprintf(out, size, "in no plugin, while it %s connection=%u", what ? what : "",
                 connection);
}

static void look_at(struct watchdog *watchdog, size_t index, uint64_t now)
{
    const struct activity *activity = watchdog->activities[index];
    struct seen *seen = &watchdog->seen[index];
    uint_fast64_t turn = atomic_load_explicit(&activity->turn, memory_order_relaxed);
    if (turn != seen->turn) {
        if (seen->is_told)
            log_warn("gateway", "worker %zu goes on after %llu ms; it was %s", index,
                     ms_of(now - seen->since_ns), seen->what);
        *seen = (struct seen){.turn = turn, .since_ns = now};
        return;
    }
    if (turn % 2 == 0 || seen->is_told || now - seen->since_ns < watchdog->limit_ns)
        return;
    seen->is_told = true;
    describe(activity, seen->what, sizeof seen->what);
    log_warn("gateway", "worker %zu has not gone on for %llu ms, and its sessions wait; it is %s",
             index, ms_of(now - seen->since_ns), seen->what);
}

/* Returns when it is time to look, or to stop. The lock is held. */
static void wait_a_while(struct watchdog *watchdog)
{
    const uint64_t period_ns = watchdog->limit_ns / LOOKS;
    uint64_t until = clock_monotonic_ns() + period_ns;
    struct timespec at = {(time_t)(until / 1000000000U), (long)(until % 1000000000U)};
    int status = 0;
    while (!watchdog->stops && status != ETIMEDOUT)
        status = pthread_cond_timedwait(&watchdog->wake, &watchdog->lock, &at);
}

static void *watch(void *argument)
{
    struct watchdog *watchdog = argument;
    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->stops) {
        uint64_t now = clock_monotonic_ns();
        for (size_t i = 0; i < watchdog->count; i++)
            look_at(watchdog, i, now);
        wait_a_while(watchdog);
    }
    pthread_mutex_unlock(&watchdog->lock);
    return NULL;
}

struct watchdog *watchdog_start(struct activity *const *activities, size_t count, long limit_ms,
                                struct error *error)
{
    struct watchdog *watchdog = calloc(1, sizeof *watchdog + count * sizeof *watchdog->seen);
    pthread_condattr_t attributes;
    if (!watchdog) {
        error_set(error, "out of memory for the watchdog");
        return NULL;
    }
    watchdog->activities = activities;
    watchdog->count = count;
    watchdog->limit_ns = (uint64_t)limit_ms * 1000000;
    pthread_mutex_init(&watchdog->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watchdog->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    int status = pthread_create(&watchdog->thread, NULL, watch, watchdog);
    if (status == 0)
        return watchdog;
    error_set(error, "starting the watchdog's thread: %s", strerror(status));
    pthread_mutex_destroy(&watchdog->lock);
    pthread_cond_destroy(&watchdog->wake);
    free(watchdog);
    return NULL;
}

void watchdog_stop(struct watchdog *watchdog)
{
    if (!watchdog)
        return;
    pthread_mutex_lock(&watchdog->lock);
    watchdog->stops = true;
    pthread_cond_signal(&watchdog->wake);
    pthread_mutex_unlock(&watchdog->lock);
    pthread_join(watchdog->thread, NULL);
    pthread_mutex_destroy(&watchdog->lock);
    pthread_cond_destroy(&watchdog->wake);
    free(watchdog);
}
