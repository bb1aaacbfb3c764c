/* SPDX-License-Identifier: Apache-2.0
 *
 * The names, the news of their keys, and what is done here (plugin_keys_state.h). */
#include "cluster/plugin_keys.h"

#include <stdlib.h>
#include <string.h>
#include <weir/unique.h>

#include "cluster/plugin_keys_state.h"

/* ---- Names ---- */

static bool is_name(const char *name, size_t size)
{
    return size > 0 && size <= PLUGIN_KEYS_NAME_BYTES && !memchr(name, '/', size) &&
           !memchr(name, 0, size);
}

static struct plugin_key *find_or_add(struct plugin_keys *keys, const char *name, size_t size)
{
    struct plugin_key *key = NULL;
    if (!is_name(name, size))
        return NULL;
    HASH_FIND(hh, keys->names, name, size, key);
    if (key || HASH_COUNT(keys->names) >= PLUGIN_KEYS_NAMES)
        return key;
    key = calloc(1, sizeof *key);
    if (!key)
        return NULL;
    key->keys = keys;
    memcpy(key->name, name, size);
    const unsigned before = HASH_COUNT(keys->names);
    HASH_ADD_KEYPTR(hh, keys->names, key->name, size, key);
    if (HASH_COUNT(keys->names) > before)
        return key;
    free(key);
    return NULL;
}

/* ---- News ---- */

/* A revision that may be ours is judged once our own put is answered. */
static void note_put(struct plugin_key *key, int64_t revision, bool exists, bool disabled)
{
    if (revision <= key->notified)
        return;
    key->notified = revision;
    key->is_behind = false;
    key->exists = exists;
    key->disabled = disabled;
    if (plugin_key_is_own(key, revision))
        return;
    if ((key->busy || key->is_doubtful) && key->uncertain_count < PLUGIN_KEY_UNCERTAIN)
        key->uncertain[key->uncertain_count++] = revision;
    else
        key->foreign = true;
}

/* TiDB's rule: "1" is disabled, whatever else there is is not, and nor is what is missing. */
static void take_entry(struct plugin_keys *keys, const struct store_entry *entry)
{
    const size_t prefix = sizeof PLUGIN_KEYS_PREFIX - 1;
    if (entry->key.size <= prefix)
        return;
    struct plugin_key *key = find_or_add(keys, entry->key.data + prefix, entry->key.size - prefix);
    const bool disabled =
        !entry->is_deleted && entry->value.size == 1 && entry->value.data[0] == '1';
    if (key)
        note_put(key, entry->revision, !entry->is_deleted, disabled);
}

static bool is_among(const struct plugin_key *key, const struct store_news *news)
{
    const size_t prefix = sizeof PLUGIN_KEYS_PREFIX - 1, size = strlen(key->name);
    for (size_t i = 0; i < news->count; i++)
        if (news->entries[i].key.size == prefix + size &&
            memcmp(news->entries[i].key.data + prefix, key->name, size) == 0)
            return true;
    return false;
}

/* What was there before this node began has been read at its start. */
static void take_everything(struct plugin_keys *keys, const struct store_news *news)
{
    for (struct plugin_key *key = keys->names; key; key = key->hh.next)
        if (key->notified && !is_among(key, news))
            note_put(key, news->revision, false, false);
    for (size_t i = 0; i < news->count; i++)
        take_entry(keys, &news->entries[i]);
    if (keys->has_begun || keys->was_lost)
        return;
    for (struct plugin_key *key = keys->names; key; key = key->hh.next)
        key->foreign = false;
}

static void put_what_is_due(struct plugin_keys *keys)
{
    for (struct plugin_key *key = keys->names; key; key = key->hh.next)
        plugin_key_put(key);
}

static void retry(void *user)
{
    struct plugin_keys *keys = user;
    for (struct plugin_key *key = keys->names; key; key = key->hh.next)
        key->is_behind = false;
    put_what_is_due(keys);
    for (struct plugin_key *key = keys->names; key; key = key->hh.next)
        plugin_key_settle(key);
}

static void on_news(void *user, const struct store_news *news)
{
    struct plugin_keys *keys = user;
    pthread_mutex_lock(&keys->lock);
    keys->retry.is_reached = news->kind != STORE_LOST;
    snprintf(keys->why, sizeof keys->why, "%s", news->message);
    if (news->kind == STORE_LOST) {
        keys->was_lost = true;
        pthread_mutex_unlock(&keys->lock);
        return;
    }
    if (news->kind == STORE_EVERYTHING)
        take_everything(keys, news);
    for (size_t i = 0; news->kind == STORE_CHANGES && i < news->count; i++)
        take_entry(keys, &news->entries[i]);
    keys->has_begun = true;
    for (struct plugin_key *key = keys->names; key; key = key->hh.next)
        plugin_key_settle(key);
    put_what_is_due(keys);
    pthread_mutex_unlock(&keys->lock);
}

/* ---- From any thread ---- */

bool plugin_keys_begin(struct plugin_keys *keys, const char *name)
{
    pthread_mutex_lock(&keys->lock);
    struct plugin_key *key = find_or_add(keys, name, strlen(name));
    if (key)
        key->busy++;
    pthread_mutex_unlock(&keys->lock);
    return key != NULL;
}

static void on_look(void *user)
{
    struct plugin_key *key = user;
    pthread_mutex_lock(&key->keys->lock);
    key->busy--;
    plugin_key_settle(key);
    pthread_mutex_unlock(&key->keys->lock);
}

/* The name stays busy until the store's thread has looked: only there orders are given. */
void plugin_keys_end(struct plugin_keys *keys, const char *name, const struct plugin_change *change)
{
    pthread_mutex_lock(&keys->lock);
    struct plugin_key *key = find_or_add(keys, name, strlen(name));
    assert(key && key->busy);
    if (change->is_done) {
        key->due_disabled = change->keeps_flag ? key->disabled : change->disabled;
        key->due_granted = key->due_disabled && (change->is_granted || key->was_granted);
        key->is_due = true;
        key->has_failed = false;
        snprintf(key->token, sizeof key->token, "%016llx-%llu", keys->author, ++keys->puts);
        plugin_key_put(key);
    }
    if (!store_after(keys->store, 0, on_look, key))
        key->busy--;
    pthread_mutex_unlock(&keys->lock);
}

bool plugin_keys_are_reached(struct plugin_keys *keys, char *why, size_t room)
{
    pthread_mutex_lock(&keys->lock);
    const bool are_reached = keys->retry.is_reached;
    snprintf(why, room, "%s", keys->why[0] ? keys->why : "it has not answered yet");
    pthread_mutex_unlock(&keys->lock);
    return are_reached;
}

/* ---- Start and end ---- */

struct plugin_keys *plugin_keys_new(struct store *store, const struct plugin_keys_options *options)
{
    assert(store && options->order && strlen(options->prefix) < PLUGIN_KEY_BYTES / 2);
    struct plugin_keys *keys = calloc(1, sizeof *keys);
    char *prefix = strdup(options->prefix);
    if (!keys || !prefix) {
        free(keys);
        free(prefix);
        return NULL;
    }
    keys->store = store;
    keys->options = *options;
    keys->prefix = prefix;
    keys->author = unique_number();
    pthread_mutex_init(&keys->lock, NULL);
    keys->retry =
        (struct key_retry){.store = store, .lock = &keys->lock, .retry = retry, .user = keys};
    if (store_follow(store, STORE_TEXT(PLUGIN_KEYS_PREFIX), on_news, keys))
        return keys;
    plugin_keys_free(keys);
    return NULL;
}

void plugin_keys_stop(struct plugin_keys *keys)
{
    pthread_mutex_lock(&keys->lock);
    keys->retry.is_stopped = true;
    pthread_mutex_unlock(&keys->lock);
}

void plugin_keys_free(struct plugin_keys *keys)
{
    struct plugin_key *key, *next;
    if (!keys)
        return;
    HASH_ITER(hh, keys->names, key, next)
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the next one was read before */
        HASH_DEL(keys->names, key);
        free(key);
    }
    pthread_mutex_destroy(&keys->lock);
    free(keys->prefix);
    free(keys);
}
