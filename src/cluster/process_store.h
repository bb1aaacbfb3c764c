/* SPDX-License-Identifier: Apache-2.0
 *
 * The store of this process: made once at start, before whoever uses it, and freed after all of them.
 *
 * Callbacks of a store may come until it has been freed. What they use is therefore handed over here when
 * its owner ends, and released after the store. */
#ifndef WEIR_CLUSTER_PROCESS_STORE_H
#define WEIR_CLUSTER_PROCESS_STORE_H

#include "cluster/etcd.h"

struct process_store;

struct process_store_options {
    struct etcd_options etcd; /* without endpoints: there is no store that others share */
};

/* Returns owned (process_store_close()), or NULL and *error. Without endpoints nothing is started. */
struct process_store *process_store_open(const struct process_store_options *options,
                                         struct error *error) WEIR_MUST_CHECK;

/* The store that is shared with other nodes; borrowed. NULL: there is none. */
struct store *process_store_shared(const struct process_store *own);

/* The head of memory that callbacks use. */
struct process_store_memory {
    void (*release)(struct process_store_memory *memory);
    struct process_store_memory *next;
};

/* Calls memory->release() when no callback can come any more. The thread that closes the store. */
void process_store_keep(struct process_store *own, struct process_store_memory *memory);

/* Frees the store, then what was kept, the last one first. own may be NULL. */
void process_store_close(struct process_store *own);

#endif
