/* SPDX-License-Identifier: Apache-2.0
 *
 * Times in buckets whose width is 1/64 of their value: percentiles are right to 1 %. Below 1 us
 * there is one bucket, above 2^41 ns (36 minutes) another. The greatest is kept as it is. */
#ifndef WEIR_TRACE_HISTOGRAM_H
#define WEIR_TRACE_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_STEPS = 64,      /* in each power of two */
    HISTOGRAM_LEAST_BITS = 10, /* 2^10 ns */
    HISTOGRAM_MOST_BITS = 41,
    HISTOGRAM_BUCKETS = (HISTOGRAM_MOST_BITS - HISTOGRAM_LEAST_BITS) * HISTOGRAM_STEPS + 2,
};

struct histogram {
    uint64_t count, total_ns, most_ns;
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);

/* The time that this share (0 to 1) of them does not exceed, ns; 0: there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, double share);

#endif
