/* SPDX-License-Identifier: Apache-2.0
 *
 * A bucket's number is the place of a time's highest bit, and the six bits below it. */
#include "trace/summary/histogram.h"

#include <assert.h>

static unsigned bucket_of(uint64_t ns)
{
    if (ns >> HISTOGRAM_LEAST_BITS == 0)
        return 0;
    if (ns >> HISTOGRAM_MOST_BITS)
        return HISTOGRAM_BUCKETS - 1;
    unsigned highest = 63U - (unsigned)__builtin_clzll(ns);
    unsigned step = (unsigned)(ns >> (highest - 6)) - HISTOGRAM_STEPS;
    return 1 + (highest - HISTOGRAM_LEAST_BITS) * HISTOGRAM_STEPS + step;
}

/* The middle of a bucket, ns. */
static uint64_t value_of(unsigned bucket)
{
    if (bucket == 0)
        return 1U << (HISTOGRAM_LEAST_BITS - 1);
    unsigned highest = HISTOGRAM_LEAST_BITS + (bucket - 1) / HISTOGRAM_STEPS;
    uint64_t step = (bucket - 1) % HISTOGRAM_STEPS;
    return ((step + HISTOGRAM_STEPS) << (highest - 6)) + (1ULL << (highest - 7));
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    histogram->count++;
    histogram->total_ns += ns;
    if (ns > histogram->most_ns)
        histogram->most_ns = ns;
    histogram->buckets[bucket_of(ns)]++;
}

uint64_t histogram_percentile(const struct histogram *histogram, double share)
{
    assert(share >= 0 && share <= 1);
    uint64_t wanted = (uint64_t)((double)histogram->count * share + 0.999999), seen = 0;
    if (wanted == 0)
        wanted = 1;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted) {
            uint64_t value = value_of(i);
            return value < histogram->most_ns ? value : histogram->most_ns;
        }
    }
    return histogram->most_ns;
}
