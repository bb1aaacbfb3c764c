/* SPDX-License-Identifier: Apache-2.0
 *
 * The generic cell rate algorithm: of a bucket only the time is kept at which it will be full again.
 * One that was full before now is as good as new, so that its slot can be another key's without a
 * word: no slot is ever cleared. */
#include "rates.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SLOTS    8192U /* a power of two */
#define PROBES   16U   /* slots that a key may be in */
#define NS_PER_S UINT64_C(1000000000)

struct slot {
    atomic_ullong key;  /* 0: none yet */
    atomic_ullong full; /* when its bucket is full again, ns */
};

struct rates {
    uint64_t interval; /* ns in which one more fits */
    uint64_t depth;    /* ns that a bucket takes to fill */
    struct slot slots[SLOTS];
};

struct rates *rates_new(uint64_t per_second, uint64_t burst)
{
    struct rates *rates = calloc(1, sizeof *rates);
    if (rates) {
        rates->interval = per_second < NS_PER_S ? NS_PER_S / per_second : 1;
        rates->depth = burst * rates->interval;
    }
    return rates;
}

void rates_free(struct rates *rates)
{
    free(rates);
}

/* The key's slot, or one that it takes; where none is to be had, the first that it may be in. */
static struct slot *find(struct rates *rates, unsigned long long key, uint64_t now)
{
    struct slot *idle = NULL;
    unsigned long long before = 0;
    for (unsigned i = 0; i < PROBES; i++) {
        struct slot *slot = &rates->slots[(key + i) % SLOTS];
        unsigned long long its = atomic_load_explicit(&slot->key, memory_order_relaxed);
        if (its == key)
            return slot;
        if (!idle && atomic_load_explicit(&slot->full, memory_order_relaxed) <= now) {
            idle = slot;
            before = its;
        }
    }
    if (idle && (atomic_compare_exchange_strong(&idle->key, &before, key) || before == key))
        return idle;
    return &rates->slots[key % SLOTS];
}

bool rates_take(struct rates *rates, uint64_t key, uint64_t now)
{
    struct slot *slot = find(rates, key | 1, now);
    unsigned long long full = atomic_load_explicit(&slot->full, memory_order_relaxed), next;
    do {
        next = (full > now ? full : now) + rates->interval;
        if (next - now > rates->depth)
            return false;
    } while (!atomic_compare_exchange_weak(&slot->full, &full, next));
    return true;
}
