/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing, at most half full. */
#include "lookup.h"

#include <stdlib.h>

#define SLOTS_AT_FIRST 16 /* a power of two */

struct lookup_table {
    struct lookup_table *smaller; /* owned; readers may still use it */
    size_t mask;                  /* number of slots - 1 */
    _Atomic(void *) slots[];
};

void *lookup_find(const struct lookup *lookup, const struct lookup_kind *kind, uint64_t hash,
                  const void *key)
{
    const struct lookup_table *table = atomic_load_explicit(&lookup->table, memory_order_acquire);
    void *item = NULL;
    if (!table)
        return NULL;
    for (size_t at = (size_t)hash & table->mask;; at = (at + 1) & table->mask) {
        item = atomic_load_explicit(&table->slots[at], memory_order_acquire);
        if (!item || kind->fits(item, key))
            return item;
    }
}

static void put(struct lookup_table *table, uint64_t hash, void *item)
{
    size_t at = (size_t)hash & table->mask;
    while (atomic_load_explicit(&table->slots[at], memory_order_relaxed))
        at = (at + 1) & table->mask;
    atomic_store_explicit(&table->slots[at], item, memory_order_release);
}

/* A table of twice the size, with the same items. */
static struct lookup_table *grow(struct lookup *lookup, const struct lookup_kind *kind,
                                 struct lookup_table *table)
{
    size_t size = table ? 2 * (table->mask + 1) : SLOTS_AT_FIRST;
    struct lookup_table *grown = calloc(1, sizeof *grown + size * sizeof *grown->slots);
    if (!grown)
        return NULL;
    grown->smaller = table;
    grown->mask = size - 1;
    for (size_t at = 0; table && at <= table->mask; at++) {
        void *item = atomic_load_explicit(&table->slots[at], memory_order_relaxed);
        if (item)
            put(grown, kind->hash(item), item);
    }
    atomic_store_explicit(&lookup->table, grown, memory_order_release);
    return grown;
}

bool lookup_add(struct lookup *lookup, const struct lookup_kind *kind, void *item)
{
    struct lookup_table *table = atomic_load_explicit(&lookup->table, memory_order_relaxed);
    if (!table || 2 * (lookup->count + 1) > table->mask + 1)
        table = grow(lookup, kind, table);
    if (!table)
        return false;
    put(table, kind->hash(item), item);
    lookup->count++;
    return true;
}

void lookup_release(struct lookup *lookup)
{
    struct lookup_table *table = atomic_load_explicit(&lookup->table, memory_order_relaxed);
    while (table) {
        struct lookup_table *smaller = table->smaller;
        free(table);
        table = smaller;
    }
    atomic_store_explicit(&lookup->table, NULL, memory_order_relaxed);
    lookup->count = 0;
}
