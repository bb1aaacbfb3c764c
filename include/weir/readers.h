/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading something that is replaced as a whole, without a lock (the idea of RCU).
 *
 *     reader                                writer, one at a time
 *     ------                                ------
 *     count = readers_enter(&readers);      old = __atomic_exchange_n(&current, next, ...SEQ_CST);
 *     load current, use it                  readers_wait(&readers);
 *     readers_leave(count);                 free(old);
 *
 * A reader increments one of two counters while it reads. readers_wait() returns when each counter
 * was seen at zero, so nobody can still use the old one. New readers are sent to the other counter
 * meanwhile: the wait is for a few lookups at most.
 *
 * Each of several threads has a pair of counters on cache lines of its own: entering costs the same
 * however many threads do it. */
#ifndef WEIR_READERS_H
#define WEIR_READERS_H

#include <sched.h>

#define READER_STRIPES      32 /* a power of two; more threads than that share */
#define READER_STRIPE_BYTES 64 /* a cache line */

/* All zero bits: nobody reads. */
struct readers {
    unsigned turn; /* its lowest bit: the counter that new readers take */
    struct {
        unsigned count[2] __attribute__((aligned(READER_STRIPE_BYTES)));
    } stripes[READER_STRIPES];
};

/* The calling thread's stripe: threads are numbered in the order in which they first ask. */
static inline unsigned readers_stripe(void)
{
    static unsigned threads;
    static __thread unsigned mine; /* 0: not numbered yet */
    if (!mine)
        mine = __atomic_fetch_add(&threads, 1, __ATOMIC_RELAXED) % READER_STRIPES + 1;
    return mine - 1;
}

/* Begins to read; hand what is returned to readers_leave(). What is replaced must be loaded after
 * this, with sequential consistency (atomic_load(), or __atomic_load_n(..., __ATOMIC_SEQ_CST)). */
static inline unsigned *readers_enter(struct readers *readers)
{
    unsigned turn = __atomic_load_n(&readers->turn, __ATOMIC_SEQ_CST) & 1;
    unsigned *count = &readers->stripes[readers_stripe()].count[turn];
    __atomic_fetch_add(count, 1, __ATOMIC_SEQ_CST);
    return count;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the builtin writes to it */
static inline void readers_leave(unsigned *count)
{
    __atomic_fetch_sub(count, 1, __ATOMIC_RELEASE);
}

static inline void readers_wait_for(struct readers *readers, unsigned turn)
{
    for (unsigned i = 0; i < READER_STRIPES; i++)
        while (__atomic_load_n(&readers->stripes[i].count[turn], __ATOMIC_SEQ_CST))
            sched_yield();
}

/* Waits until all have left who may have loaded what was replaced before this call. Never in two
 * threads at once; never by a reader. */
static inline void readers_wait(struct readers *readers)
{
    unsigned now = __atomic_load_n(&readers->turn, __ATOMIC_SEQ_CST) & 1;
    readers_wait_for(readers, now ^ 1);
    __atomic_fetch_add(&readers->turn, 1, __ATOMIC_SEQ_CST);
    readers_wait_for(readers, now);
}

#endif
