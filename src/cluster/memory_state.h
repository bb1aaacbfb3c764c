/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of stores in memory: memory_data.c has keys, leases and what has changed; memory_store.c has
 * requests, followers and the clock. */
#ifndef WEIR_CLUSTER_MEMORY_STATE_H
#define WEIR_CLUSTER_MEMORY_STATE_H

#include "cluster/memory_store.h"

/* A key, or a change of one. */
struct memory_item {
    struct store_entry entry; /* its bytes are in `bytes` */
    struct memory_item *next, *prev;
    char bytes[]; /* the key, then the value */
};

struct memory_lease {
    int64_t id;
    long ttl_s;
    uint64_t ends_ns;
    struct memory_lease *next, *prev;
};

struct memory_data {
    struct memory_item *keys;    /* in their order */
    struct memory_item *changes; /* after `compacted`, in the order of their revisions */
    struct memory_lease *leases;
    int64_t revision, compacted, last_lease;
};

/* Carries a request out at a time. Fills *answer; entries are owned (free()), their bytes borrowed until
 * the next change. */
void memory_data_carry_out(struct memory_data *data, const struct store_request *request,
                           uint64_t now_ns, struct store_answer *answer);
/* When the next lease ends; UINT64_MAX: none does. */
uint64_t memory_data_next_end_ns(const struct memory_data *data);
/* Ends the leases that end now. */
void memory_data_end_leases(struct memory_data *data, uint64_t now_ns);
/* The entries with a prefix: the keys, or the changes after a revision. Returns owned (free()), never
 * NULL; bytes are borrowed as above. */
struct store_entry *memory_data_keys(const struct memory_data *data, struct store_bytes prefix,
                                     size_t *count);
struct store_entry *memory_data_changes(const struct memory_data *data, struct store_bytes prefix,
                                        int64_t after, size_t *count);
void memory_data_compact(struct memory_data *data);
void memory_data_release(struct memory_data *data);

#endif
