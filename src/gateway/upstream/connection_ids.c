/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection id map is one hash table under one lock: it is touched twice in the life of a
 * session, and by KILL. */
#include "gateway/upstream/connection_ids.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* uthash: out of memory is reported, not fatal. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
    uint32_t id, server_id;
    UT_hash_handle hh;
};

struct connection_ids {
    pthread_mutex_t lock;
    struct entry *entries;
    uint32_t last;
};

struct connection_ids *connection_ids_new(void)
{
    struct connection_ids *ids = calloc(1, sizeof *ids);
    if (ids)
        pthread_mutex_init(&ids->lock, NULL);
    return ids;
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
        free(entry);
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

uint32_t connection_ids_next(struct connection_ids *ids)
{
    pthread_mutex_lock(&ids->lock);
    uint32_t id;
    do {
        ids->last = (ids->last + 1) & ~CONNECTION_ID_BIT;
        id = ids->last | CONNECTION_ID_BIT;
    } while (ids->last == 0 || find(ids, id));
    pthread_mutex_unlock(&ids->lock);
    return id;
}

bool connection_ids_add(struct connection_ids *ids, uint32_t id, uint32_t server_id)
{
    assert(id & CONNECTION_ID_BIT);
    struct entry *entry = malloc(sizeof *entry);
    if (!entry)
        return false;
    *entry = (struct entry){.id = id, .server_id = server_id};
    pthread_mutex_lock(&ids->lock);
    assert(!find(ids, id));
    unsigned before = HASH_COUNT(ids->entries);
    HASH_ADD(hh, ids->entries, id, sizeof entry->id, entry);
    bool added = HASH_COUNT(ids->entries) > before;
    pthread_mutex_unlock(&ids->lock);
    if (!added)
        free(entry);
    return added;
}

void connection_ids_remove(struct connection_ids *ids, uint32_t id)
{
    pthread_mutex_lock(&ids->lock);
    struct entry *entry = find(ids, id);
    if (entry)
        HASH_DEL(ids->entries, entry);
    pthread_mutex_unlock(&ids->lock);
    free(entry);
}

bool connection_ids_find(struct connection_ids *ids, uint32_t id, uint32_t *server_id)
{
    pthread_mutex_lock(&ids->lock);
    const struct entry *entry = find(ids, id);
    if (entry)
        *server_id = entry->server_id;
    pthread_mutex_unlock(&ids->lock);
    return entry != NULL;
}
