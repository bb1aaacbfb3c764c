/* SPDX-License-Identifier: Apache-2.0
 *
 * This node's keys in the store (other_nodes.h), and the lease that they have:
 *
 *     is_due ──► is_sent ──► there, or gone
 *       ▲           │
 *       └───────────┘  it was not done: after a second
 *
 * All but own_keys_init() and own_keys_release() are called with the lock held. */
#ifndef IP_FILTER_OWN_KEYS_H
#define IP_FILTER_OWN_KEYS_H

#include "alarm.h"
#include "other_nodes.h"
#include "own_counts.h"

#define OWN_KEYS (TALLY_PARTS + 1)
#define PRESENCE TALLY_PARTS /* the key that says only that the node is there */

struct own_keys;

struct own_key {
    struct own_keys *all;
    bool is_due;      /* to be put, or deleted */
    bool is_sent;     /* the store has not answered */
    bool is_there;    /* the store may have it */
    bool is_deletion; /* that was sent */
    int64_t lease;    /* that it was sent with */
    size_t left_out;  /* of its counts */
};

struct own_keys {
    pthread_mutex_t lock; /* sessions never take it */
    struct alarm wake;    /* rings when the store has answered */
    char node[NODE_NAME_BYTES + 1];
    struct own_key keys[OWN_KEYS];
    bool is_asking;     /* for a lease */
    int64_t lease;      /* 0: none */
    int64_t keep_at;    /* monotonic; so is */
    int64_t not_before; /* ... when the next are sent */
};

void own_keys_init(struct own_keys *keys);
void own_keys_release(struct own_keys *keys);

/* Whether own_keys_send() has something to do. */
bool own_keys_are_due(const struct own_keys *keys);
/* Puts what is due, or asks for the lease that it needs. Returns the number of puts. */
size_t own_keys_send(struct own_keys *keys, const struct own_counts *counts);

/* Makes the lease last. */
void own_keys_keep(struct own_keys *keys, int64_t now);
/* What is there may be gone: it is put again. */
void own_keys_repeat(struct own_keys *keys);
/* Whether the news say that some are gone; they are put again then. */
WEIR_MUST_CHECK bool own_keys_notice(struct own_keys *keys, const weir_store_news *news);
/* Ends the lease, and with it all keys, unless one of them is still to be put. */
void own_keys_end_lease(struct own_keys *keys);

#endif
