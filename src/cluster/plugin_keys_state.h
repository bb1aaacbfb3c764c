/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: a plugin's key, shared by plugin_keys.c (names and news), plugin_puts.c (what this node wants of
 * others) and plugin_orders.c (what others want of it); each uses those after it. The lock is held in all functions below.
 *
 * Of each name it is known up to which revision the store has notified of it, and up to which it
 * is settled: ordered, or known to be done here.
 *
 *     settled <= notified   the difference is an order that is due
 *     foreign               some put in between was not this node's
 *     busy                  this node is at it: what is foreign is known once its own put is answered
 *
 * A put holds only if the key has the revision that is known here. So one that etcd carries out late, when nobody waits for
 * it any more, cannot undo what has been done since. Where another node was quicker, it is tried again. One whose answer
 * is missing is doubtful: whether it was done is read from a key of the same transaction, asked/NAME, which says
 * whose put it was; until then nothing is settled.
 *
 * Whether a put of "1" was granted is read from a second key, which nodes write in the same transaction: it has the same
 * revision then. */
#ifndef WEIR_CLUSTER_PLUGIN_KEYS_STATE_H
#define WEIR_CLUSTER_PLUGIN_KEYS_STATE_H

/* uthash: out of memory is reported, not fatal. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "cluster/key_retry.h"
#include "cluster/plugin_keys.h"

#define PLUGIN_KEY_BYTES       512
#define PLUGIN_KEY_UNCERTAIN   16 /* revisions of one name that may be ours; more are foreign */
#define PLUGIN_KEY_OWN         8
#define PLUGIN_KEY_TOKEN_BYTES 48
#define PLUGIN_KEY_GRANTS_ROOM "disabled/"
#define PLUGIN_KEY_ASKED_ROOM  "asked/"

struct plugin_key {
    struct plugin_keys *keys;
    char name[PLUGIN_KEYS_NAME_BYTES + 1];
    int64_t notified, settled; /* revisions; 0: there is no key */
    bool exists, disabled;     /* as notified */
    bool was_granted;          /* ... as of the last order */
    bool foreign;
    bool is_checking; /* whether it was granted is being read */
    int64_t checked;  /* ... of which revision */
    unsigned busy;
    int64_t uncertain[PLUGIN_KEY_UNCERTAIN]; /* revisions that were notified while busy */
    size_t uncertain_count;
    int64_t own[PLUGIN_KEY_OWN]; /* revisions of this node's last puts that were answered: a ring */
    size_t own_count;
    int64_t last_own;                   /* the last of them */
    bool due_disabled, due_granted;     /* of the last statement, */
    bool is_due;                        /* which is not put yet, */
    bool is_putting;                    /* or is being put, */
    int64_t due_after;                  /* where the key has this revision; */
    bool has_failed;                    /* if it has changed since, others have been asked */
    bool is_doubtful, was_unknown;      /* whether it was done is not known; was not, once */
    bool is_looking;                    /* at that */
    bool is_behind;                     /* somebody was quicker, and news of that have not come */
    char token[PLUGIN_KEY_TOKEN_BYTES]; /* of that put alone */
    char sent_token[PLUGIN_KEY_TOKEN_BYTES]; /* of the one that is being put */
    UT_hash_handle hh;
};

struct plugin_keys {
    struct store *store;
    char *prefix; /* owned */
    struct plugin_keys_options options;
    pthread_mutex_t lock; /* of all that follows */
    struct plugin_key *names;
    unsigned long long author, puts; /* tokens are made of them */
    bool has_begun;                  /* there was news */
    bool was_lost;                   /* before that */
    struct key_retry retry;
    char why[256];
};

/* ---- plugin_orders.c ---- */

/* Whether that revision is a put of this node's. */
bool plugin_key_is_own(const struct plugin_key *key, int64_t revision);

/* Gives the order that is due, if it can be known. */
void plugin_key_settle(struct plugin_key *key);

/* The cluster's own key of that kind, written to room. */
struct store_bytes plugin_key_beside(const struct plugin_key *key, const char *kind,
                                     char room[PLUGIN_KEY_BYTES]);

/* ---- plugin_puts.c ---- */

/* Puts what is due, or finds out first whether it was put. */
void plugin_key_put(struct plugin_key *key);

#endif
