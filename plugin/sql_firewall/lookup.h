/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of pointers that only grows, and that is read without a lock while one writer adds to it.
 * A reader sees an item whole or not at all: its slot is stored after the item is complete. A table
 * that has become too small stays readable until the set ends: all of them together are as big as
 * the last one. */
#ifndef SQL_FIREWALL_LOOKUP_H
#define SQL_FIREWALL_LOOKUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/check.h>

struct lookup_table;

struct lookup {
    _Atomic(struct lookup_table *) table; /* NULL: empty */
    size_t count;                         /* the writer's */
};

/* What a set's items are. */
struct lookup_kind {
    uint64_t (*hash)(const void *item); /* its lowest bits must be spread well */
    bool (*fits)(const void *item, const void *key);
};

/* The item that fits the key, whose hash is given; NULL: there is none. Any thread. */
void *lookup_find(const struct lookup *lookup, const struct lookup_kind *kind, uint64_t hash,
                  const void *key);

/* Adds an item that is not there yet. False: no memory. One writer at a time. */
WEIR_MUST_CHECK bool lookup_add(struct lookup *lookup, const struct lookup_kind *kind, void *item);

/* Frees the tables, not the items. Nobody may be reading. */
void lookup_release(struct lookup *lookup);

#endif
