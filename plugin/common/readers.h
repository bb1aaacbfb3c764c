/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading something that is replaced as a whole, without waiting. A reader counts itself in one of
 * two counters while it looks. Whoever has put something new in place calls readers_wait(), and may
 * free the old one behind it: each counter has then been seen at zero, and whoever still looks at
 * the old one had counted itself before. Newcomers are sent to the other counter in between, so that
 * the wait is for a few lookups at most.
 *
 * There is a pair of counters for each of several threads, on cache lines of their own: counting
 * costs the same however many threads do it. */
#ifndef PLUGIN_COMMON_READERS_H
#define PLUGIN_COMMON_READERS_H

#include <sched.h>
#include <stdatomic.h>

#define READER_STRIPES 32 /* a power of two; more threads than that share */

struct readers {
    atomic_uint turn; /* its lowest bit: the counter that newcomers take */
    struct {
        _Alignas(64) atomic_uint count[2];
    } stripes[READER_STRIPES];
};

/* The calling thread's stripe: threads are numbered as they come. */
static inline unsigned readers_stripe(void)
{
    static atomic_uint threads;
    static _Thread_local unsigned mine; /* 0: not numbered yet */
    if (!mine)
        mine = atomic_fetch_add(&threads, 1) % READER_STRIPES + 1;
    return mine - 1;
}

/* Begins to read; what is returned is handed to readers_leave(). What is read must be loaded with
 * atomic_load() after this. */
static inline atomic_uint *readers_enter(struct readers *readers)
{
    unsigned turn = atomic_load(&readers->turn) & 1;
    atomic_uint *count = &readers->stripes[readers_stripe()].count[turn];
    atomic_fetch_add(count, 1);
    return count;
}

static inline void readers_leave(atomic_uint *count)
{
    atomic_fetch_sub_explicit(count, 1, memory_order_release);
}

static inline void readers_wait_for(struct readers *readers, unsigned turn)
{
    for (unsigned i = 0; i < READER_STRIPES; i++) {
        while (atomic_load(&readers->stripes[i].count[turn]))
            sched_yield();
    }
}

/* Never twice at once; never by a reader. */
static inline void readers_wait(struct readers *readers)
{
    unsigned now = atomic_load(&readers->turn) & 1;
    readers_wait_for(readers, now ^ 1);
    atomic_fetch_add(&readers->turn, 1);
    readers_wait_for(readers, now);
}

#endif
