/* SPDX-License-Identifier: Apache-2.0
 *
 * What stores over struct store_data are made of, besides it: copies of requests, followers, and timers.
 * None of it has a lock. */
#ifndef WEIR_STORE_PARTS_H
#define WEIR_STORE_PARTS_H

#include "store/data.h"

/* ---- request_copy.c ---- */

/* A request that waits. Its bytes lie in the same block. */
struct request_copy {
    struct store_request request;
    struct store *store;        /* that was called */
    struct store_answer answer; /* of one that is carried out, and not answered yet */
    struct request_copy *next, *prev;
    char bytes[];
};

/* Returns owned (free()), or NULL without memory. */
struct request_copy *request_copy_new(struct store *store,
                                      const struct store_request *request) WEIR_MUST_CHECK;
/* Answers it, and frees it. entries of the answer are owned. */
void request_copy_answer(struct request_copy *copy, const struct store_answer *answer);

/* ---- follow.c ---- */

struct follow {
    struct store *store;
    store_follower *follower;
    void *user;
    int64_t seen; /* revision; -1: nothing yet */
    bool is_lost; /* the follower knows it */
    struct follow *next, *prev;
    size_t prefix_size;
    char prefix[];
};

/* Returns owned (free()), or NULL without memory. */
struct follow *follow_new(struct store *store, struct store_bytes prefix, store_follower *follower,
                          void *user) WEIR_MUST_CHECK;
/* Tells the follower what it has not been told, if there is anything. lost: why the store is not reached;
 * NULL: it is. Returns how many entries were told. */
size_t follow_tell(struct follow *follow, const struct store_data *data, const char *lost);

/* ---- timers.c ---- */

struct timer {
    struct store *store;
    uint64_t at_ns;
    store_timer *timer;
    void *user;
    struct timer *next, *prev;
};

/* Returns false without memory. */
WEIR_MUST_CHECK bool timer_add(struct timer **timers, struct store *store, uint64_t at_ns,
                               store_timer *function, void *user);
/* The one that is due first; NULL: there is none. Borrowed. */
struct timer *timer_first(struct timer *timers);
/* Takes it out of the list, calls it, and frees it. */
void timer_run(struct timer **timers, struct timer *timer);

#endif
