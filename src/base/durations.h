/* SPDX-License-Identifier: Apache-2.0
 *
 * How long things take, counted by powers of two: a bucket is found without a search and without a
 * division. One thread adds, by plain loads and stores; any thread reads. */
#ifndef WEIR_BASE_DURATIONS_H
#define WEIR_BASE_DURATIONS_H

#include <stdatomic.h>
#include <stdint.h>

#define DURATIONS_FIRST_BITS 10 /* the first bound is 2^10 ns, about a microsecond */
#define DURATIONS_BOUNDS     26 /* ... and the last one 2^35 ns, 34 s */

/* Zeroed: nothing has been counted. */
struct durations {
    _Atomic(int64_t) counts[DURATIONS_BOUNDS + 1]; /* of each bucket alone; the last: longer */
    _Atomic(int64_t) sum_ns;
};

/* The bucket of a duration: the first one whose bound it does not exceed. */
static inline unsigned durations_bucket(uint64_t ns)
{
    const uint64_t rest = (ns - (ns != 0)) >> DURATIONS_FIRST_BITS;
    const unsigned bits = rest ? 64U - (unsigned)__builtin_clzll(rest) : 0;
    return bits < DURATIONS_BOUNDS ? bits : DURATIONS_BOUNDS;
}

/* In nanoseconds; bucket < DURATIONS_BOUNDS. */
static inline uint64_t durations_bound_ns(unsigned bucket)
{
    return UINT64_C(1) << (DURATIONS_FIRST_BITS + bucket);
}

static inline void durations_cell_add(_Atomic(int64_t) *cell, int64_t more)
{
    atomic_store_explicit(cell, atomic_load_explicit(cell, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* On the thread that owns it. */
static inline void durations_add(struct durations *durations, uint64_t ns)
{
    durations_cell_add(&durations->counts[durations_bucket(ns)], 1);
    durations_cell_add(&durations->sum_ns, (int64_t)ns);
}

#endif
