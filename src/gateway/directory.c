/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/directory.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* uthash: out of memory is reported, not fatal. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
    uint32_t id, backend_id;
    UT_hash_handle hh;
};

struct directory {
    pthread_mutex_t lock;
    struct entry *entries;
    uint32_t last;
};

struct directory *directory_new(void)
{
    struct directory *directory = calloc(1, sizeof *directory);
    if (directory)
        pthread_mutex_init(&directory->lock, NULL);
    return directory;
}

void directory_free(struct directory *directory)
{
    if (!directory)
        return;
    struct entry *entry, *next;
    HASH_ITER(hh, directory->entries, entry, next)
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the next one was read before */
        HASH_DEL(directory->entries, entry);
        free(entry);
    }
    pthread_mutex_destroy(&directory->lock);
    free(directory);
}

static struct entry *find(struct directory *directory, uint32_t id)
{
    struct entry *entry;
    HASH_FIND(hh, directory->entries, &id, sizeof id, entry);
    return entry;
}

uint32_t directory_next_id(struct directory *directory)
{
    pthread_mutex_lock(&directory->lock);
    uint32_t id;
    do {
        directory->last = (directory->last + 1) & ~DIRECTORY_ID_BIT;
        id = directory->last | DIRECTORY_ID_BIT;
    } while (directory->last == 0 || find(directory, id));
    pthread_mutex_unlock(&directory->lock);
    return id;
}

bool directory_add(struct directory *directory, uint32_t id, uint32_t backend_id)
{
    struct entry *entry = malloc(sizeof *entry);
    if (!entry)
        return false;
    *entry = (struct entry){.id = id, .backend_id = backend_id};
    pthread_mutex_lock(&directory->lock);
    unsigned before = HASH_COUNT(directory->entries);
    HASH_ADD(hh, directory->entries, id, sizeof entry->id, entry);
    bool added = HASH_COUNT(directory->entries) > before;
    pthread_mutex_unlock(&directory->lock);
    if (!added)
        free(entry);
    return added;
}

void directory_remove(struct directory *directory, uint32_t id)
{
    pthread_mutex_lock(&directory->lock);
    struct entry *entry = find(directory, id);
    if (entry)
        HASH_DEL(directory->entries, entry);
    pthread_mutex_unlock(&directory->lock);
    free(entry);
}

bool directory_find(struct directory *directory, uint32_t id, uint32_t *backend_id)
{
    pthread_mutex_lock(&directory->lock);
    const struct entry *entry = find(directory, id);
    if (entry)
        *backend_id = entry->backend_id;
    pthread_mutex_unlock(&directory->lock);
    return entry != NULL;
}
