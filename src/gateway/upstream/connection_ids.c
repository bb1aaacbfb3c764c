/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection id map is one hash table under one lock: it is touched four times in the life of a
 * session, and by KILL. */
#include "gateway/upstream/connection_ids.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* uthash: out of memory is reported, not fatal. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
    uint32_t id, server_id;
    unsigned server;
    char *user; /* owned; NULL: not kept */
    UT_hash_handle hh;
};

/* Where the gateway's ids lie. */
struct block {
    uint32_t first, last;
    unsigned node_bits; /* of the counter of a node in a cluster */
    unsigned node;      /* the last one that had a number, */
    uint32_t node_next; /* ... and its `next`: it may have none for a while, and goes on then */
    uint32_t low, high; /* the part that is handed out now */
    uint32_t next;      /* counts down, and begins again at `high` */
    uint32_t seen;      /* the highest id of the server's that lies here; first - 1: none */
};

/* The second one is for servers that have used up the first one: after 2^31 connections, or where
 * ids are no plain counters (TiDB puts a server's number into their high bits). */
static const struct block blocks[] = {
    {.first = 0x40000000U, .last = 0x7fffffffU, .node_bits = 20, .seen = 0x3fffffffU},
    {.first = 0x80000000U, .last = 0xffffffffU, .node_bits = 21, .seen = 0x7fffffffU},
};

_Static_assert(CONNECTION_IDS_NUMBERLESS << 20 == 0x40000000 &&
                   CONNECTION_IDS_LAST_NODE << 20 == 0x7ff00000,
               "the parts of nodes are the first block");

#define BLOCKS     (sizeof blocks / sizeof *blocks)
#define BLOCK_ROOM (1U << 21) /* ids that must be left; more than there can be sessions */
#define NODE_ROOM  (1U << 20) /* in the part of a node; -max-connections is less */

struct connection_ids {
    pthread_mutex_t lock;
    struct entry *entries;
    unsigned node; /* whose parts are handed out */
    struct block blocks[BLOCKS];
};

static void hand_out_parts(struct connection_ids *ids, unsigned node)
{
    const unsigned before = ids->node;
    ids->node = node;
    for (size_t i = 0; i < BLOCKS; i++) {
        struct block *block = &ids->blocks[i];
        uint32_t start = 0;
        if (before >= CONNECTION_IDS_FIRST_NODE) {
            block->node = before;
            block->node_next = block->next;
        }
        block->low = block->first;
        block->high = block->last;
        if (node != CONNECTION_IDS_ALONE) {
            block->low += (uint32_t)(node - CONNECTION_IDS_NUMBERLESS) << block->node_bits;
            block->high = block->low + (1U << block->node_bits) - 1;
        }
        if (node == CONNECTION_IDS_NUMBERLESS &&
            getrandom(&start, sizeof start, GRND_NONBLOCK) != sizeof start)
            start = (uint32_t)clock_monotonic_ns();
        block->next = block->high - start % (block->high - block->low + 1);
        if (node != CONNECTION_IDS_ALONE && node == block->node)
            block->next = block->node_next;
    }
}

struct connection_ids *connection_ids_new(void)
{
    struct connection_ids *ids = calloc(1, sizeof *ids);
    if (!ids)
        return NULL;
    pthread_mutex_init(&ids->lock, NULL);
    for (size_t i = 0; i < BLOCKS; i++)
        ids->blocks[i] = blocks[i];
    hand_out_parts(ids, CONNECTION_IDS_ALONE);
    return ids;
}

static void free_entry(struct entry *entry)
{
    if (entry)
        free(entry->user);
    free(entry);
}

void connection_ids_free(struct connection_ids *ids)
{
    if (!ids)
        return;
    struct entry *entry, *next;
    HASH_ITER(hh, ids->entries, entry, next)
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the next one was read before */
        HASH_DEL(ids->entries, entry);
        free_entry(entry);
    }
    pthread_mutex_destroy(&ids->lock);
    free(ids);
}

static struct entry *find(struct connection_ids *ids, uint32_t id)
{
    struct entry *entry;
    HASH_FIND(hh, ids->entries, &id, sizeof id, entry);
    return entry;
}

/* NULL: the server's own. */
static struct block *block_of(struct connection_ids *ids, uint32_t id)
{
    for (size_t i = 0; i < BLOCKS; i++)
        if (id >= ids->blocks[i].first && id <= ids->blocks[i].last)
            return &ids->blocks[i];
    return NULL;
}

/* The highest id that is not handed out. */
static uint32_t floor_of(const struct block *block)
{
    return block->seen < block->low ? block->low - 1 : block->seen;
}

static bool has_room(const struct connection_ids *ids, const struct block *block)
{
    const uint32_t room = ids->node == CONNECTION_IDS_ALONE ? BLOCK_ROOM : NODE_ROOM;
    return floor_of(block) < block->high && block->high - floor_of(block) >= room;
}

/* Where there is no room above the server's ids, those that are given out are told apart from one
 * another, and translated for nobody. */
uint32_t connection_ids_next(struct connection_ids *ids, unsigned node)
{
    assert(node == CONNECTION_IDS_ALONE ||
           (node >= CONNECTION_IDS_NUMBERLESS && node <= CONNECTION_IDS_LAST_NODE));
    uint32_t id;
    pthread_mutex_lock(&ids->lock);
    if (node != ids->node)
        hand_out_parts(ids, node);
    struct block *block = &ids->blocks[0];
    for (size_t i = BLOCKS; i-- > 0;)
        if (has_room(ids, &ids->blocks[i]))
            block = &ids->blocks[i];
    const uint32_t floor = has_room(ids, block) ? floor_of(block) : block->low - 1;
    do {
        if (block->next <= floor || block->next > block->high)
            block->next = block->high;
        id = block->next--;
    } while (find(ids, id));
    pthread_mutex_unlock(&ids->lock);
    return id;
}

unsigned connection_ids_node(uint32_t id)
{
    unsigned node = CONNECTION_IDS_ALONE;
    for (size_t i = 0; i < BLOCKS; i++)
        if (id >= blocks[i].first && id <= blocks[i].last)
            node = CONNECTION_IDS_NUMBERLESS + ((id - blocks[i].first) >> blocks[i].node_bits);
    return node == CONNECTION_IDS_NUMBERLESS ? CONNECTION_IDS_ALONE : node;
}

void connection_ids_saw(struct connection_ids *ids, uint32_t server_id)
{
    pthread_mutex_lock(&ids->lock);
    struct block *block = block_of(ids, server_id);
    if (block && server_id > block->seen)
        block->seen = server_id;
    pthread_mutex_unlock(&ids->lock);
}

/* The lock is held. Returns the entry that is not needed: the new one, or NULL. */
static struct entry *put(struct connection_ids *ids, struct entry *entry)
{
    struct entry *old = find(ids, entry->id);
    if (old) {
        char *user = old->user;
        old->user = entry->user;
        entry->user = user;
        return entry;
    }
    const unsigned before = HASH_COUNT(ids->entries);
    HASH_ADD(hh, ids->entries, id, sizeof entry->id, entry);
    return HASH_COUNT(ids->entries) > before ? NULL : entry;
}

bool connection_ids_add(struct connection_ids *ids, uint32_t id, unsigned server,
                        uint32_t server_id, const char *user)
{
    assert(block_of(ids, id));
    struct entry *entry = malloc(sizeof *entry);
    char *copy = user ? strdup(user) : NULL;
    if (!entry || (user && !copy)) {
        free(entry);
        free(copy);
        return false;
    }
    *entry = (struct entry){.id = id, .server = server, .server_id = server_id, .user = copy};
    pthread_mutex_lock(&ids->lock);
    struct entry *left = put(ids, entry);
    const bool is_there = find(ids, id) != NULL;
    pthread_mutex_unlock(&ids->lock);
    free_entry(left);
    return is_there;
}

void connection_ids_remove(struct connection_ids *ids, uint32_t id)
{
    pthread_mutex_lock(&ids->lock);
    struct entry *entry = find(ids, id);
    if (entry)
        HASH_DEL(ids->entries, entry);
    pthread_mutex_unlock(&ids->lock);
    free_entry(entry);
}

bool connection_ids_find(struct connection_ids *ids, uint32_t id, const char *user,
                         struct connection_place *place)
{
    pthread_mutex_lock(&ids->lock);
    const struct entry *entry = find(ids, id);
    if (entry)
        *place = (struct connection_place){
            .server = entry->server,
            .server_id = id > block_of(ids, id)->seen ? entry->server_id : CONNECTION_ID_OF_NOBODY,
            .is_same_user = user && entry->user && strcmp(user, entry->user) == 0};
    pthread_mutex_unlock(&ids->lock);
    return entry != NULL;
}
