/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the tallies share: the tables, and how a change is noted for who publishes it (tally_nodes.h).
 *
 *     shard ──► chains: all entries
 *           └─► active: those that count something, have changed, or are published; only while there is a watcher */
#ifndef IP_FILTER_TALLY_PRIVATE_H
#define IP_FILTER_TALLY_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "tally.h"

#define TALLY_SHARDS 64
#define TALLY_CHAINS 1024 /* of a shard */

/* What another node has published of a key. */
struct tally_share {
    struct tally_share *next;
    uint32_t source, round; /* the value that it is from, and which reading of it */
    int64_t connections;
    int64_t rate, rate_until;
    int64_t failed, failed_until;
};

struct tally_entry {
    struct tally_entry *next;
    struct tally_key key;
    int64_t connections;
    int64_t rate_since, rate_count;
    int64_t failed_since, failed_count;
    int64_t banned_until;
    uint64_t stored_round;      /* in which the store had the ban; 0: it is this process's own */
    int64_t seen;               /* when it was counted last */
    struct tally_share *shares; /* owned */
    struct tally_entry *next_active; /* while it is active */
    bool is_active;
    struct tally_counts published; /* by this node, */
    int64_t published_at;
};

struct tally_shard {
    pthread_mutex_t lock;
    struct tally_entry *chains[TALLY_CHAINS];
    struct tally_entry *active;
    bool has_changed; /* since it was reviewed */
};

extern struct tally_shard tally_shards[TALLY_SHARDS];

typedef void tally_watcher(void);
extern _Atomic(tally_watcher *) tally_watching; /* NULL: nobody does */

/* All of these but tally_hash() and tally_notify(): the shard's lock is held. */
uint64_t tally_hash(const struct tally_key *key);
/* Returns the key's entry; made when it is not there and `now` is no 0. NULL: none, or no memory. */
struct tally_entry *tally_find(struct tally_shard *shard, const struct tally_key *key,
                               uint64_t hash, int64_t now);
/* Puts it among the active ones. */
void tally_activate(struct tally_shard *shard, struct tally_entry *entry);
/* Returns the sum of what other nodes have published, of the windows that are not over. */
struct tally_counts tally_sum_shares(const struct tally_entry *entry, int64_t now);
/* Resets the failed logins, those of other nodes as well. */
void tally_clear_failures(struct tally_entry *entry);
void tally_free_shares(struct tally_entry *entry);

static inline struct tally_counts tally_others(const struct tally_entry *entry, int64_t now)
{
    return entry->shares ? tally_sum_shares(entry, now) : (struct tally_counts){0};
}

/* The entry's counts have changed. Returns whether tally_notify() is to be called once the lock is released. */
static inline bool tally_touch(struct tally_shard *shard, struct tally_entry *entry)
{
    if (!atomic_load_explicit(&tally_watching, memory_order_relaxed))
        return false;
    const bool is_first = !shard->has_changed;
    tally_activate(shard, entry);
    shard->has_changed = true;
    return is_first;
}

static inline void tally_notify(bool is_due)
{
    tally_watcher *watcher = is_due ? atomic_load(&tally_watching) : NULL;
    if (watcher)
        watcher();
}

#endif
