/* SPDX-License-Identifier: Apache-2.0
 *
 * The watchdog for loops: all sessions of a worker wait while one callback runs, so that one that
 * takes long is said in the log, with what it is doing and in which plugin.
 *
 * A worker marks where it is by relaxed stores, without a clock or a lock: one when it begins with a
 * connection, one before it waits for sockets, and those of struct plugin_activity around plugins'
 * callbacks. One thread looks at all workers, four times in the limit, and measures. */
#ifndef WEIR_GATEWAY_WATCHDOG_H
#define WEIR_GATEWAY_WATCHDOG_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "plugin/host/plugin_host.h"

/* What a worker is doing. Written by its thread only. */
struct activity {
    atomic_uint_fast64_t turn;  /* odd: it works; even: it waits. Counts up */
    _Atomic(const char *) what; /* static text */
    atomic_uint connection;     /* 0: none */
    struct plugin_activity plugin;
};

/* The worker begins with something; what: static text. */
static inline void activity_begin(struct activity *activity, const char *what, uint32_t connection)
{
    uint_fast64_t turn = atomic_load_explicit(&activity->turn, memory_order_relaxed);
    atomic_store_explicit(&activity->what, what, memory_order_relaxed);
    atomic_store_explicit(&activity->connection, connection, memory_order_relaxed);
    atomic_store_explicit(&activity->turn, (turn | 1) + 2, memory_order_relaxed);
}

/* It is about to wait. */
static inline void activity_end(struct activity *activity)
{
    uint_fast64_t turn = atomic_load_explicit(&activity->turn, memory_order_relaxed);
    atomic_store_explicit(&activity->turn, (turn | 1) + 1, memory_order_relaxed);
}

struct watchdog;

/* Starts the thread. activities: borrowed until watchdog_stop(). limit_ms: what is said to be long. NULL
 * and *error when it cannot. */
WEIR_MUST_CHECK struct watchdog *watchdog_start(struct activity *const *activities, size_t count,
                                                long limit_ms, struct error *error);

/* NULL is allowed. */
void watchdog_stop(struct watchdog *watchdog);

#endif
