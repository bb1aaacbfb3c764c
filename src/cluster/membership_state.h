/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the parts of a membership. membership.c is what others call, membership_steps.c how a number is taken
 * and kept, membership_record.c how the record is written. */
#ifndef WEIR_CLUSTER_MEMBERSHIP_STATE_H
#define WEIR_CLUSTER_MEMBERSHIP_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/member_table.h"
#include "cluster/membership.h"

#define MEMBERSHIP_NUMBER_BITS 12
#define MEMBERSHIP_KEY_BYTES   256

_Static_assert(MEMBERSHIP_NUMBERS < 1 << MEMBERSHIP_NUMBER_BITS, "a number fits beside its time");

enum membership_state {
    MEMBERSHIP_AWAY,
    MEMBERSHIP_GRANTING,
    MEMBERSHIP_READING, /* who has which number */
    MEMBERSHIP_LOOKING, /* which numbers were had */
    MEMBERSHIP_CLAIMING,
    MEMBERSHIP_MEMBER,
};

struct membership {
    struct store *store;
    char *prefix, *used_prefix; /* owned */
    struct membership_options options;
    /* Until when the number is surely ours (the store's clock, milliseconds), and the number, in one word, so
     * that no old number is read with a new time. 0: none. */
    atomic_uint_fast64_t held;
    atomic_int_fast64_t held_lease; /* 0: none */
    atomic_bool is_reused;          /* another node may have sessions with ids of the number */

    /* The store's thread. */
    enum membership_state state;
    bool is_asked, has_timer;           /* something is under way */
    bool is_failing;                    /* and has been said to */
    uint64_t wake_ms;                   /* has_timer: when */
    uint64_t sent_ms;                   /* when the lease was asked for, or to last */
    int64_t lease, revision;            /* 0: none. Of the key */
    unsigned number;                    /* CLAIMING: wanted; MEMBER: had */
    bool taken[MEMBERSHIP_NUMBERS + 1]; /* as they were READ */
    int64_t used_revision; /* CLAIMING: of the number's key of those that were had; 0: none */
    bool *had;             /* by this node, since it was made; owned, by number */
    bool is_writing, is_dirty, is_unsure; /* of the record; unsure: what revision the key has */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t left;
    struct member_table table;
    bool is_reached, is_stopping, is_revoked;
    unsigned
        giving_back; /* leaving: answers that are due before the lease is revoked; the store's thread */
    char *record; /* owned */
    size_t record_size;
    bool publishes; /* a timer will write it */
};

/* The store's clock. */
static inline uint64_t membership_now_ms(const struct membership *own)
{
    return store_now_ns(own->store) / 1000000;
}

static inline struct store_bytes membership_key(const char *prefix, unsigned number,
                                                char room[MEMBERSHIP_KEY_BYTES])
{
    snprintf(room, MEMBERSHIP_KEY_BYTES, "%s%u", prefix, number);
    return STORE_TEXT(room);
}

static inline bool membership_is_stopping(struct membership *own)
{
    pthread_mutex_lock(&own->lock);
    const bool stops = own->is_stopping;
    pthread_mutex_unlock(&own->lock);
    return stops;
}

/* ---- membership_steps.c; the store's thread ---- */

/* Begins what the state is there for, unless something is under way. */
void membership_step(struct membership *own);
/* The number may be another node's. A new one is taken. */
void membership_lose(struct membership *own, const char *why);

/* ---- membership_record.c ---- */

/* A write of the record, with the lock held: it may not change while the request is copied. */
struct store_request membership_write_of(struct membership *own, char key[MEMBERSHIP_KEY_BYTES],
                                         int64_t revision);
/* Has it written, if it can be now. The store's thread. */
void membership_write_record(struct membership *own);

#endif
