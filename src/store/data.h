/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys and leases of a store in memory, with etcd's rules: one revision for each request that changes
 * something, a lease that ends takes its keys along.
 *
 * A change has two halves. data_plan() finds out what a request changes, and may fail; data_apply() does
 * it, and cannot. What is planned can be written to a file in between, and what is read from one is
 * applied in the same way. */
#ifndef WEIR_STORE_DATA_H
#define WEIR_STORE_DATA_H

#include "store/interface.h"

/* A key as it is, or was changed to; shared by the keys and the changes. */
struct data_item {
    struct store_entry entry; /* its bytes are in `bytes` */
    unsigned uses;
    struct data_item *next, *prev;
    char bytes[]; /* the key, then the value */
};

struct data_lease {
    int64_t id;
    long ttl_s;
    uint64_t ends_ns;
};

/* All zero bits and a revision of 1 (etcd's first; 0 is none): nothing is there. */
struct store_data {
    struct data_item **keys; /* in their order; owned */
    size_t key_count, key_room;
    struct data_lease *leases; /* in the order of their ids; owned */
    size_t lease_count, lease_room;
    struct data_item *changes; /* after `compacted`, in the order of their revisions; owned */
    int64_t revision, compacted, last_lease;
    size_t bytes; /* of all keys and values */
};

/* What a request, or the end of a lease, changes. All zero bits: nothing. */
struct data_step {
    int64_t revision;        /* of the store after it */
    struct data_item *items; /* keys that are put or deleted, in order; owned */
    struct data_lease lease; /* that begins, or ends at another time; id 0: none */
    int64_t ended_lease;     /* 0: none */
    int64_t last_lease;      /* that any lease has had; 0: as before */
};

/* Plans what the request changes, which is no READ. Fills status and message of *answer, and of a lease
 * lease and ttl_s. *step is to be applied, if the status is DONE, or released. */
void data_plan(struct store_data *data, const struct store_request *request, uint64_t now_ns,
               struct data_step *step, struct store_answer *answer);
/* Plans the end of a lease that has ended by now. Returns false when there is none, or no memory. */
WEIR_MUST_CHECK bool data_plan_end(struct store_data *data, uint64_t now_ns,
                                   struct data_step *step);
/* Adds a key that is put or deleted. Returns false without memory. */
WEIR_MUST_CHECK bool data_step_add(struct data_step *step, const struct store_entry *entry);
/* Makes room for a step that data_plan() has not made. Returns false without memory. */
WEIR_MUST_CHECK bool data_reserve(struct store_data *data, const struct data_step *step);
/* Does what is planned, and releases the step. */
void data_apply(struct store_data *data, struct data_step *step);
void data_step_release(struct data_step *step);

/* Answers a READ. entries are owned (free()), their bytes borrowed until the next change. */
void data_read(const struct store_data *data, const struct store_request *request,
               struct store_answer *answer);
/* When the next lease ends; UINT64_MAX: none does. */
uint64_t data_next_end_ns(const struct store_data *data);
/* NULL: there is none. Borrowed until the next change. */
struct data_lease *data_find_lease(const struct store_data *data, int64_t id);
/* The entries with a prefix: the keys, or the changes after a revision. Returns owned (free()), or NULL
 * without memory; bytes are borrowed as above. */
WEIR_MUST_CHECK struct store_entry *data_keys(const struct store_data *data,
                                              struct store_bytes prefix, size_t *count);
WEIR_MUST_CHECK struct store_entry *data_changes(const struct store_data *data,
                                                 struct store_bytes prefix, int64_t after,
                                                 size_t *count);
/* Clears the changes. */
void data_compact(struct store_data *data);
void data_release(struct store_data *data);

#endif
