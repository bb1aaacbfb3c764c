/* SPDX-License-Identifier: Apache-2.0
 *
 * Shards of chained hash tables, each with a lock. An entry that is no longer needed (no
 * connection, its ban and its windows are over) is freed when another one is added to its chain. */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

#include "tally_private.h"

#define LINGER                                                                                     \
    (INT64_C(86400) *                                                                              \
     1000000000) /* ns that counts of an idle entry are kept at most              \
                                   */

struct tally_shard tally_shards[TALLY_SHARDS] = {
    [0 ... TALLY_SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

struct tally_key tally_key_of_address(const uint8_t *address, size_t size)
{
    struct tally_key key = {.size = size == 4 ? 5 : 9, .bytes = "4"};
    key.bytes[0] = size == 4 ? '4' : '6';
    memcpy(key.bytes + 1, address, key.size - 1U);
    return key;
}

uint64_t tally_hash(const struct tally_key *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key->size; i++)
        hash = (hash ^ (uint8_t)key->bytes[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static bool is_idle(const struct tally_entry *entry, int64_t now)
{
    return entry->connections == 0 && !entry->is_active && !entry->shares &&
           entry->banned_until <= now && now - entry->seen > LINGER;
}

struct tally_entry *tally_find(struct tally_shard *shard, const struct tally_key *key,
                               uint64_t hash, int64_t now)
{
    struct tally_entry **at = &shard->chains[hash / TALLY_SHARDS % TALLY_CHAINS];
    struct tally_entry **chain = at;
    while (*at) {
        struct tally_entry *entry = *at;
        if (entry->key.size == key->size && memcmp(entry->key.bytes, key->bytes, key->size) == 0)
            return entry;
        if (now && is_idle(entry, now)) {
            *at = entry->next;
            free(entry);
        } else {
            at = &entry->next;
        }
    }
    struct tally_entry *made = now ? calloc(1, sizeof *made) : NULL;
    if (made) {
        made->key = *key;
        made->next = *chain;
        *chain = made;
    }
    return made;
}

/* Counts one more in a window, which restarts when it is over. */
static int64_t count_in(int64_t *since, int64_t *count, int64_t window, int64_t now)
{
    if (*count == 0 || now - *since >= window) {
        *since = now;
        *count = 0;
    }
    return ++*count;
}

enum tally_answer tally_enter(const struct tally_key *key, const struct tally_limits *limits,
                              int64_t now)
{
    uint64_t hash = tally_hash(key);
    struct tally_shard *shard = &tally_shards[hash % TALLY_SHARDS];
    enum tally_answer answer = TALLY_OK;
    bool is_due = false;
    pthread_mutex_lock(&shard->lock);
    struct tally_entry *entry = tally_find(shard, key, hash, now);
    if (entry) {
        const struct tally_counts others = tally_others(entry, now);
        entry->seen = now;
        entry->connections++;
        int64_t rate = count_in(&entry->rate_since, &entry->rate_count, limits->rate_window, now);
        if (entry->banned_until > now)
            answer = TALLY_BANNED;
        else if (limits->connections &&
                 entry->connections + others.connections > limits->connections)
            answer = TALLY_TOO_MANY;
        else if (limits->rate && rate + others.rate > limits->rate)
            answer = TALLY_TOO_FAST;
        is_due = tally_touch(shard, entry);
    }
    pthread_mutex_unlock(&shard->lock);
    tally_notify(is_due);
    return answer;
}

void tally_leave(const struct tally_key *key)
{
    uint64_t hash = tally_hash(key);
    struct tally_shard *shard = &tally_shards[hash % TALLY_SHARDS];
    bool is_due = false;
    pthread_mutex_lock(&shard->lock);
    struct tally_entry *entry = tally_find(shard, key, hash, 0);
    if (entry && entry->connections) {
        entry->connections--;
        is_due = tally_touch(shard, entry);
    }
    pthread_mutex_unlock(&shard->lock);
    tally_notify(is_due);
}

bool tally_failure(const struct tally_key *key, int64_t after, int64_t window, int64_t ban_time,
                   int64_t now)
{
    uint64_t hash = tally_hash(key);
    struct tally_shard *shard = &tally_shards[hash % TALLY_SHARDS];
    bool banned = false, is_due = false;
    pthread_mutex_lock(&shard->lock);
    struct tally_entry *entry = tally_find(shard, key, hash, now);
    if (entry) {
        const int64_t own = count_in(&entry->failed_since, &entry->failed_count, window, now);
        entry->seen = now;
        banned = own + tally_others(entry, now).failed >= after;
        if (banned) {
            entry->banned_until = now + ban_time;
            entry->stored_round = 0;
            tally_clear_failures(entry);
        }
        is_due = tally_touch(shard, entry);
    }
    pthread_mutex_unlock(&shard->lock);
    tally_notify(is_due);
    return banned;
}

/* Returns whether the watcher is to be called, as tally_touch() does. */
static bool clear_failures(struct tally_shard *shard, struct tally_entry *entry)
{
    const bool had_some = entry->failed_count != 0;
    tally_clear_failures(entry);
    return had_some && tally_touch(shard, entry);
}

void tally_set_ban(const struct tally_key *key, int64_t left, uint64_t round, int64_t now)
{
    uint64_t hash = tally_hash(key);
    struct tally_shard *shard = &tally_shards[hash % TALLY_SHARDS];
    bool is_due = false;
    pthread_mutex_lock(&shard->lock);
    struct tally_entry *entry = tally_find(shard, key, hash, left > 0 ? now : 0);
    if (entry) {
        entry->banned_until = left > 0 ? now + left : 0;
        entry->stored_round = left > 0 ? round : 0;
        is_due = clear_failures(shard, entry);
    }
    pthread_mutex_unlock(&shard->lock);
    tally_notify(is_due);
}

void tally_lift_missing(uint64_t round)
{
    for (size_t i = 0; i < TALLY_SHARDS; i++) {
        pthread_mutex_lock(&tally_shards[i].lock);
        for (size_t j = 0; j < TALLY_CHAINS; j++)
            for (struct tally_entry *entry = tally_shards[i].chains[j]; entry; entry = entry->next)
                if (entry->stored_round && entry->stored_round < round)
                    entry->banned_until = 0; /* and the round stays: it is of no ban */
        pthread_mutex_unlock(&tally_shards[i].lock);
    }
}

void tally_each_ban(int64_t now,
                    void (*each)(void *data, const struct tally_key *key, int64_t left), void *data)
{
    for (size_t i = 0; i < TALLY_SHARDS; i++) {
        pthread_mutex_lock(&tally_shards[i].lock);
        for (size_t j = 0; j < TALLY_CHAINS; j++)
            for (const struct tally_entry *entry = tally_shards[i].chains[j]; entry;
                 entry = entry->next)
                if (entry->banned_until > now)
                    each(data, &entry->key, entry->banned_until - now);
        pthread_mutex_unlock(&tally_shards[i].lock);
    }
}

static void count_ban(void *data, const struct tally_key *key, int64_t left)
{
    (void)key, (void)left;
    ++*(size_t *)data;
}

size_t tally_banned(int64_t now)
{
    size_t count = 0;
    tally_each_ban(now, count_ban, &count);
    return count;
}

bool tally_lift_ban(const struct tally_key *key, int64_t now)
{
    uint64_t hash = tally_hash(key);
    struct tally_shard *shard = &tally_shards[hash % TALLY_SHARDS];
    bool is_due = false;
    pthread_mutex_lock(&shard->lock);
    struct tally_entry *entry = tally_find(shard, key, hash, 0);
    bool is_banned = entry && entry->banned_until > now;
    if (is_banned) {
        entry->banned_until = 0;
        is_due = clear_failures(shard, entry);
    }
    pthread_mutex_unlock(&shard->lock);
    tally_notify(is_due);
    return is_banned;
}

void tally_unban(void)
{
    bool is_due = false;
    for (size_t i = 0; i < TALLY_SHARDS; i++) {
        struct tally_shard *shard = &tally_shards[i];
        pthread_mutex_lock(&shard->lock);
        for (size_t j = 0; j < TALLY_CHAINS; j++)
            for (struct tally_entry *entry = shard->chains[j]; entry; entry = entry->next) {
                entry->banned_until = 0;
                is_due = clear_failures(shard, entry) || is_due;
            }
        pthread_mutex_unlock(&shard->lock);
    }
    tally_notify(is_due);
}

void tally_clear(void)
{
    for (size_t i = 0; i < TALLY_SHARDS; i++) {
        for (size_t j = 0; j < TALLY_CHAINS; j++) {
            struct tally_entry *next;
            for (struct tally_entry *entry = tally_shards[i].chains[j]; entry; entry = next) {
                next = entry->next;
                tally_free_shares(entry);
                free(entry);
            }
            tally_shards[i].chains[j] = NULL;
        }
        tally_shards[i].active = NULL;
        tally_shards[i].has_changed = false;
    }
}
