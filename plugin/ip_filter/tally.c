/* SPDX-License-Identifier: Apache-2.0
 *
 * Shards of chained hash tables, each with a lock. An entry that is no longer needed (no
 * connection, its ban and its windows are over) is freed when another one is added to its chain. */
#include "tally.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS 64
#define CHAINS 1024 /* of a shard */
#define LINGER                                                                                     \
    (INT64_C(86400) *                                                                              \
     1000000000) /* ns that counts of an idle entry are kept at most              \
                                   */

struct entry {
    struct entry *next;
    struct tally_key key;
    int64_t connections;
    int64_t rate_since, rate_count;
    int64_t failed_since, failed_count;
    int64_t banned_until;
    uint64_t stored_round; /* in which the store had the ban; 0: it is this process's own */
    int64_t seen;          /* when it was counted last */
};

static struct shard {
    pthread_mutex_t lock;
    struct entry *chains[CHAINS];
} shards[SHARDS] = {[0 ... SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

struct tally_key tally_key_of_address(const uint8_t *address, size_t size)
{
    struct tally_key key = {.size = size == 4 ? 5 : 9, .bytes = "4"};
    key.bytes[0] = size == 4 ? '4' : '6';
    memcpy(key.bytes + 1, address, key.size - 1U);
    return key;
}

static uint64_t hash_of(const struct tally_key *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key->size; i++)
        hash = (hash ^ (uint8_t)key->bytes[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static bool is_idle(const struct entry *entry, int64_t now)
{
    return entry->connections == 0 && entry->banned_until <= now && now - entry->seen > LINGER;
}

/* The key's entry; made when it is not there and `now` is no 0. NULL: none, or no memory. */
static struct entry *find(struct shard *shard, const struct tally_key *key, uint64_t hash,
                          int64_t now)
{
    struct entry **at = &shard->chains[hash / SHARDS % CHAINS];
    struct entry **chain = at;
    while (*at) {
        struct entry *entry = *at;
        if (entry->key.size == key->size && memcmp(entry->key.bytes, key->bytes, key->size) == 0)
            return entry;
        if (now && is_idle(entry, now)) {
            *at = entry->next;
            free(entry);
        } else {
            at = &entry->next;
        }
    }
    struct entry *made = now ? calloc(1, sizeof *made) : NULL;
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
    uint64_t hash = hash_of(key);
    struct shard *shard = &shards[hash % SHARDS];
    enum tally_answer answer = TALLY_OK;
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find(shard, key, hash, now);
    if (entry) {
        entry->seen = now;
        entry->connections++;
        int64_t rate = count_in(&entry->rate_since, &entry->rate_count, limits->rate_window, now);
        if (entry->banned_until > now)
            answer = TALLY_BANNED;
        else if (limits->connections && entry->connections > limits->connections)
            answer = TALLY_TOO_MANY;
        else if (limits->rate && rate > limits->rate)
            answer = TALLY_TOO_FAST;
    }
    pthread_mutex_unlock(&shard->lock);
    return answer;
}

void tally_leave(const struct tally_key *key)
{
    uint64_t hash = hash_of(key);
    struct shard *shard = &shards[hash % SHARDS];
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find(shard, key, hash, 0);
    if (entry && entry->connections)
        entry->connections--;
    pthread_mutex_unlock(&shard->lock);
}

bool tally_failure(const struct tally_key *key, int64_t after, int64_t window, int64_t ban_time,
                   int64_t now)
{
    uint64_t hash = hash_of(key);
    struct shard *shard = &shards[hash % SHARDS];
    bool banned = false;
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find(shard, key, hash, now);
    if (entry) {
        entry->seen = now;
        banned = count_in(&entry->failed_since, &entry->failed_count, window, now) >= after;
        if (banned) {
            entry->banned_until = now + ban_time;
            entry->stored_round = 0;
            entry->failed_count = 0;
        }
    }
    pthread_mutex_unlock(&shard->lock);
    return banned;
}

void tally_set_ban(const struct tally_key *key, int64_t left, uint64_t round, int64_t now)
{
    uint64_t hash = hash_of(key);
    struct shard *shard = &shards[hash % SHARDS];
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find(shard, key, hash, left > 0 ? now : 0);
    if (entry) {
        entry->banned_until = left > 0 ? now + left : 0;
        entry->stored_round = left > 0 ? round : 0;
        entry->failed_count = 0;
    }
    pthread_mutex_unlock(&shard->lock);
}

void tally_lift_missing(uint64_t round)
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&shards[i].lock);
        for (size_t j = 0; j < CHAINS; j++)
            for (struct entry *entry = shards[i].chains[j]; entry; entry = entry->next)
                if (entry->stored_round && entry->stored_round < round)
                    entry->banned_until = 0; /* and the round stays: it is of no ban */
        pthread_mutex_unlock(&shards[i].lock);
    }
}

void tally_each_ban(int64_t now,
                    void (*each)(void *data, const struct tally_key *key, int64_t left), void *data)
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&shards[i].lock);
        for (size_t j = 0; j < CHAINS; j++)
            for (const struct entry *entry = shards[i].chains[j]; entry; entry = entry->next)
                if (entry->banned_until > now)
                    each(data, &entry->key, entry->banned_until - now);
        pthread_mutex_unlock(&shards[i].lock);
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
    uint64_t hash = hash_of(key);
    struct shard *shard = &shards[hash % SHARDS];
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find(shard, key, hash, 0);
    bool is_banned = entry && entry->banned_until > now;
    if (is_banned)
        entry->banned_until = entry->failed_count = 0;
    pthread_mutex_unlock(&shard->lock);
    return is_banned;
}

void tally_unban(void)
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&shards[i].lock);
        for (size_t j = 0; j < CHAINS; j++)
            for (struct entry *entry = shards[i].chains[j]; entry; entry = entry->next)
                entry->banned_until = entry->failed_count = 0;
        pthread_mutex_unlock(&shards[i].lock);
    }
}

void tally_clear(void)
{
    for (size_t i = 0; i < SHARDS; i++) {
        for (size_t j = 0; j < CHAINS; j++) {
            struct entry *next;
            for (struct entry *entry = shards[i].chains[j]; entry; entry = next) {
                next = entry->next;
                free(entry);
            }
            shards[i].chains[j] = NULL;
        }
    }
}
