/* SPDX-License-Identifier: Apache-2.0
 *
 * An entry is active from its first change on until a review finds that it counts nothing and that nothing of it is
 * published: so a review costs as much as is counted now, and not as much as there ever was.
 *
 * Windows have no common clock: a node publishes how long its window still lasts, and the reader counts that
 * from when it reads. */
#include "tally_nodes.h"

#include <stdlib.h>
#include <string.h>

#include "tally_private.h"

#define SHARDS_OF_PART (TALLY_SHARDS / TALLY_PARTS)

_Atomic(tally_watcher *) tally_watching;
static _Atomic int64_t trusted_until = INT64_MAX;

void tally_activate(struct tally_shard *shard, struct tally_entry *entry)
{
    if (entry->is_active)
        return;
    entry->is_active = true;
    entry->next_active = shard->active;
    shard->active = entry;
}

/* ---- Its own ---- */

void tally_watch(void (*changed)(void))
{
    atomic_store(&tally_watching, changed);
    for (size_t i = 0; changed && i < TALLY_SHARDS; i++) {
        struct tally_shard *shard = &tally_shards[i];
        pthread_mutex_lock(&shard->lock);
        for (size_t j = 0; j < TALLY_CHAINS; j++)
            for (struct tally_entry *entry = shard->chains[j]; entry; entry = entry->next)
                if (entry->connections || entry->rate_count || entry->failed_count)
                    tally_activate(shard, entry);
        shard->has_changed = true;
        pthread_mutex_unlock(&shard->lock);
    }
}

/* What is left of a window's count. */
static void count_left(int64_t count, int64_t left, int64_t *counted, int64_t *counted_left)
{
    *counted = left > 0 ? count : 0;
    *counted_left = *counted ? left : 0;
}

static struct tally_counts own_counts(const struct tally_entry *entry,
                                      const struct tally_windows *windows, int64_t now)
{
    struct tally_counts own = {.connections = entry->connections};
    count_left(entry->rate_count, entry->rate_since + windows->rate - now, &own.rate,
               &own.rate_left);
    count_left(entry->failed_count, entry->failed_since + windows->failed - now, &own.failed,
               &own.failed_left);
    return own;
}

static struct tally_counts published_counts(const struct tally_entry *entry, int64_t now)
{
    const struct tally_counts *then = &entry->published;
    const int64_t age = now - entry->published_at;
    struct tally_counts left = {.connections = then->connections};
    count_left(then->rate, then->rate_left - age, &left.rate, &left.rate_left);
    count_left(then->failed, then->failed_left - age, &left.failed, &left.failed_left);
    return left;
}

static bool is_none(const struct tally_counts *counts)
{
    return !counts->connections && !counts->rate && !counts->failed;
}

static bool review_shard(struct tally_shard *shard, const struct tally_windows *windows,
                         int64_t now, tally_judge *judge, void *data)
{
    bool differs = false;
    struct tally_entry **at = &shard->active;
    shard->has_changed = false;
    while (*at) {
        struct tally_entry *entry = *at;
        const struct tally_counts own = own_counts(entry, windows, now);
        const struct tally_counts published = published_counts(entry, now);
        if (is_none(&own) && is_none(&published)) {
            *at = entry->next_active;
            entry->is_active = false;
        } else {
            differs = judge(data, &entry->key, &own, &published) || differs;
            at = &entry->next_active;
        }
    }
    return differs;
}

bool tally_review(unsigned part, bool is_all, const struct tally_windows *windows, int64_t now,
                  tally_judge *judge, void *data)
{
    bool differs = false;
    for (size_t i = 0; i < SHARDS_OF_PART; i++) {
        struct tally_shard *shard = &tally_shards[part * SHARDS_OF_PART + i];
        pthread_mutex_lock(&shard->lock);
        if (is_all || shard->has_changed)
            differs = review_shard(shard, windows, now, judge, data) || differs;
        pthread_mutex_unlock(&shard->lock);
    }
    return differs;
}

void tally_collect(unsigned part, const struct tally_windows *windows, int64_t now,
                   void (*each)(void *data, const struct tally_key *key,
                                const struct tally_counts *own),
                   void *data)
{
    for (size_t i = 0; i < SHARDS_OF_PART; i++) {
        struct tally_shard *shard = &tally_shards[part * SHARDS_OF_PART + i];
        pthread_mutex_lock(&shard->lock);
        for (struct tally_entry *entry = shard->active; entry; entry = entry->next_active) {
            const struct tally_counts own = own_counts(entry, windows, now);
            entry->published = (struct tally_counts){0};
            if (!is_none(&own))
                each(data, &entry->key, &own);
        }
        pthread_mutex_unlock(&shard->lock);
    }
}

void tally_set_published(const struct tally_key *key, const struct tally_counts *counts,
                         int64_t now)
{
    const uint64_t hash = tally_hash(key);
    struct tally_shard *shard = &tally_shards[hash % TALLY_SHARDS];
    pthread_mutex_lock(&shard->lock);
    struct tally_entry *entry = tally_find(shard, key, hash, 0);
    if (entry) {
        entry->published = *counts;
        entry->published_at = now;
        tally_activate(shard, entry);
    }
    pthread_mutex_unlock(&shard->lock);
}

/* ---- Others' ---- */

struct tally_counts tally_sum_shares(const struct tally_entry *entry, int64_t now)
{
    struct tally_counts sum = {0};
    if (now >= atomic_load_explicit(&trusted_until, memory_order_relaxed))
        return sum;
    for (const struct tally_share *share = entry->shares; share; share = share->next) {
        sum.connections += share->connections;
        sum.rate += now < share->rate_until ? share->rate : 0;
        sum.failed += now < share->failed_until ? share->failed : 0;
    }
    return sum;
}

void tally_clear_failures(struct tally_entry *entry)
{
    entry->failed_count = 0;
    for (struct tally_share *share = entry->shares; share; share = share->next)
        share->failed = 0;
}

void tally_free_shares(struct tally_entry *entry)
{
    while (entry->shares) {
        struct tally_share *next = entry->shares->next;
        free(entry->shares);
        entry->shares = next;
    }
}

/* The place of a source's share, or the end of the list. */
static struct tally_share **place_of(struct tally_entry *entry, uint32_t source)
{
    struct tally_share **at = &entry->shares;
    while (*at && (*at)->source != source)
        at = &(*at)->next;
    return at;
}

int tally_set_share(const struct tally_key *key, uint32_t source, uint32_t round,
                    const struct tally_counts *counts, int64_t now)
{
    const uint64_t hash = tally_hash(key);
    struct tally_shard *shard = &tally_shards[hash % TALLY_SHARDS];
    pthread_mutex_lock(&shard->lock);
    struct tally_entry *entry = tally_find(shard, key, hash, now);
    struct tally_share **at = entry ? place_of(entry, source) : NULL;
    const bool is_new = at && !*at;
    if (is_new)
        *at = calloc(1, sizeof **at);
    struct tally_share *share = at ? *at : NULL;
    if (share) {
        share->source = source;
        share->round = round;
        share->connections = counts->connections;
        share->rate = counts->rate;
        share->rate_until = now + counts->rate_left;
        share->failed = counts->failed;
        share->failed_until = now + counts->failed_left;
    }
    pthread_mutex_unlock(&shard->lock);
    return share ? is_new : -1;
}

bool tally_drop_share(const struct tally_key *key, uint32_t source, uint32_t round)
{
    const uint64_t hash = tally_hash(key);
    struct tally_shard *shard = &tally_shards[hash % TALLY_SHARDS];
    pthread_mutex_lock(&shard->lock);
    struct tally_entry *entry = tally_find(shard, key, hash, 0);
    struct tally_share **at = entry ? place_of(entry, source) : NULL;
    struct tally_share *share = at && *at && (*at)->round != round ? *at : NULL;
    if (share)
        *at = share->next;
    pthread_mutex_unlock(&shard->lock);
    free(share);
    return share != NULL;
}

void tally_trust_shares_until(int64_t until)
{
    atomic_store(&trusted_until, until);
}
