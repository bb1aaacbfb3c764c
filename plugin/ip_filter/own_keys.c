/* SPDX-License-Identifier: Apache-2.0
 *
 * Each key is on its way once at a time, so that puts do not overtake each other. The lease is made when there is
 * something to put, and kept every third of its time. */
#include "own_keys.h"

#include <stdio.h>
#include <string.h>
#include <weir/text.h>

#define LEASE_NS ((int64_t)(SHARED_COUNTS_LEASE_S * CLOCK_NS_PER_S))
#define KEEP_NS  (LEASE_NS / 3)
#define RETRY_NS ((int64_t)CLOCK_NS_PER_S)

static int64_t now_ns(void)
{
    return (int64_t)clock_monotonic_ns();
}

void own_keys_init(struct own_keys *keys)
{
    *keys = (struct own_keys){.lock = PTHREAD_MUTEX_INITIALIZER};
    alarm_init(&keys->wake);
    for (size_t i = 0; i < OWN_KEYS; i++)
        keys->keys[i].all = keys;
}

void own_keys_release(struct own_keys *keys)
{
    alarm_release(&keys->wake);
}

/* ---- The store's answers ---- */

static void retry_later(struct own_keys *keys)
{
    const int64_t at = now_ns() + RETRY_NS;
    if (keys->not_before < at)
        keys->not_before = at;
}

void own_keys_repeat(struct own_keys *keys)
{
    for (size_t i = 0; i < OWN_KEYS; i++)
        keys->keys[i].is_due = keys->keys[i].is_due || keys->keys[i].is_there;
}

/* The store has none of the keys any more. */
static void drop_lease(struct own_keys *keys, int64_t lease)
{
    if (keys->lease != lease)
        return;
    keys->lease = 0;
    own_keys_repeat(keys);
    for (size_t i = 0; i < OWN_KEYS; i++)
        keys->keys[i].is_there = false;
}

static void on_put(void *user, const weir_store_answer *answer)
{
    struct own_key *key = user;
    struct own_keys *keys = key->all;
    pthread_mutex_lock(&keys->lock);
    key->is_sent = false;
    if (answer->status == WEIR_STORE_GONE)
        drop_lease(keys, key->lease);
    if (answer->status != WEIR_STORE_DONE) {
        key->is_due = true;
        retry_later(keys);
    } else if (key->is_deletion) {
        key->is_there = false;
    }
    pthread_mutex_unlock(&keys->lock);
    alarm_ring(&keys->wake);
}

static void on_lease(void *user, const weir_store_answer *answer)
{
    struct own_keys *keys = user;
    pthread_mutex_lock(&keys->lock);
    keys->is_asking = false;
    if (answer->status == WEIR_STORE_DONE) {
        keys->lease = answer->lease;
        keys->keep_at = now_ns() + KEEP_NS;
        keys->not_before = 0; /* for it they have waited */
    } else {
        retry_later(keys);
    }
    pthread_mutex_unlock(&keys->lock);
    alarm_ring(&keys->wake);
}

static void on_kept(void *user, const weir_store_answer *answer)
{
    struct own_keys *keys = user;
    if (answer->status != WEIR_STORE_GONE)
        return;
    pthread_mutex_lock(&keys->lock);
    drop_lease(keys, keys->lease);
    pthread_mutex_unlock(&keys->lock);
    alarm_ring(&keys->wake);
}

/* ---- What is asked of it ---- */

/* Prints what is to be put. Returns false where it is nothing. */
static bool print(struct own_key *key, unsigned number, const struct own_counts *counts,
                  struct strbuf *value)
{
    if (number == PRESENCE)
        return true;
    key->left_out = own_counts_print(counts, number, now_ns(), value);
    return value->size != 0;
}

/* Returns whether something has been asked. */
static bool send_key(struct own_keys *keys, unsigned number, const struct own_counts *counts)
{
    char name[COUNT_PREFIX_BYTES + NODE_NAME_BYTES + 3];
    struct own_key *key = &keys->keys[number];
    struct strbuf value = STRBUF_INIT;
    const int whole = snprintf(name, sizeof name, COUNT_PREFIX "%s/%u", keys->node, number);
    const size_t size = (size_t)whole - (number == PRESENCE ? 2 : 0);
    const bool is_wanted = print(key, number, counts, &value);
    key->is_due = false;
    key->lease = keys->lease;
    if (is_wanted && !value.failed)
        key->is_sent =
            weir_store_put((weir_string){name, size}, (weir_string){value.data, value.size},
                           WEIR_STORE_ANY, keys->lease, on_put, key);
    else if (key->is_there)
        key->is_sent = weir_store_delete((weir_string){name, size}, on_put, key);
    else
        key->is_sent = false;
    if (!key->is_sent && (is_wanted || key->is_there)) {
        key->is_due = true;
        drop_lease(keys, keys->lease); /* it may be one that the host has dropped */
        retry_later(keys);
    }
    key->is_deletion = !is_wanted;
    key->is_there = key->is_there || key->is_sent;
    strbuf_release(&value);
    return key->is_sent;
}

bool own_keys_are_due(const struct own_keys *keys)
{
    bool due = false;
    for (size_t i = 0; i < OWN_KEYS; i++)
        due = due || (keys->keys[i].is_due && !keys->keys[i].is_sent);
    return due && !keys->is_asking;
}

size_t own_keys_send(struct own_keys *keys, const struct own_counts *counts)
{
    size_t puts = 0;
    if (own_keys_are_due(keys) && !keys->lease) {
        keys->is_asking =
            weir_store_lease(SHARED_COUNTS_LEASE_S * CLOCK_NS_PER_S, on_lease, keys) != 0;
        if (!keys->is_asking)
            retry_later(keys);
    }
    for (unsigned i = 0; i < OWN_KEYS && keys->lease; i++)
        if (keys->keys[i].is_due && !keys->keys[i].is_sent)
            puts += send_key(keys, i, counts);
    return puts;
}

void own_keys_keep(struct own_keys *keys, int64_t now)
{
    keys->keep_at = now + KEEP_NS;
    if (!weir_store_keep(keys->lease, on_kept, keys))
        drop_lease(keys, keys->lease);
}

bool own_keys_notice(struct own_keys *keys, const weir_store_news *news)
{
    bool is_missing = false;
    struct count_key read;
    for (size_t i = 0; i < news->count; i++) {
        const weir_store_entry *entry = weir_store_entry_at(news->entries, news->entry_size, i);
        if (!entry->is_deleted || !count_key_read(entry->key, &read) ||
            strcmp(read.node, keys->node) != 0)
            continue;
        struct own_key *key = &keys->keys[read.part < 0 ? PRESENCE : read.part];
        if (key->is_there && !key->is_sent)
            is_missing = key->is_due = true;
    }
    if (is_missing)
        keys->keep_at = now_ns(); /* which says whether the lease has ended */
    return is_missing;
}

void own_keys_end_lease(struct own_keys *keys)
{
    bool is_needed = !keys->lease;
    for (unsigned i = 0; i < TALLY_PARTS; i++)
        is_needed = is_needed || keys->keys[i].is_due || keys->keys[i].is_sent;
    if (is_needed)
        return;
    weir_store_end(keys->lease, NULL, NULL);
    keys->lease = 0;
    for (size_t i = 0; i < OWN_KEYS; i++)
        keys->keys[i].is_due = keys->keys[i].is_there = false;
}
