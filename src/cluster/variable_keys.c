/* SPDX-License-Identifier: Apache-2.0
 *
 * From keys to orders, and back. Of each name it is known up to which revision the store has notified of it, and up to which
 * that was ordered.
 *
 *     settled <= notified   the difference is an order that is due
 *     busy                  a put of this node's is not answered yet: orders wait, so that the value which was just set
 *                           here is not taken back for a moment by one that was put before it
 *     due                   the last put has failed, and is tried again once the store answers */
#include "cluster/variable_keys.h"

#include <stdlib.h>
#include <string.h>

/* uthash: out of memory is reported, not fatal. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "cluster/key_retry.h"

#define KEY_BYTES    512
#define HAS_TEXT     '='
#define DEFAULT_TEXT "DEFAULT"
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_"

struct key {
    struct variable_keys *keys;
    char name[VARIABLE_KEYS_NAME_BYTES + 1];
    int64_t notified, settled; /* revisions; 0: there is no key */
    char *text;                /* as notified; owned; NULL: DEFAULT */
    unsigned busy;
    char *wanted;      /* what was set here last; owned; NULL: DEFAULT */
    bool is_due;       /* and is to be put again, */
    int64_t due_after; /* unless the key has changed since this revision */
    UT_hash_handle hh;
};

struct variable_keys {
    struct store *store;
    char *prefix; /* owned */
    size_t prefix_size;
    struct variable_keys_options options;
    pthread_mutex_t lock; /* of all that follows */
    struct key *names;
    bool has_begun; /* there was news */
    struct key_retry retry;
};

/* ---- Names ---- */

static struct key *find_or_add(struct variable_keys *keys, const char *name, size_t size)
{
    char copy[VARIABLE_KEYS_NAME_BYTES + 1] = "";
    struct key *key = NULL;
    if (size == 0 || size > VARIABLE_KEYS_NAME_BYTES)
        return NULL;
    memcpy(copy, name, size);
    if (strspn(copy, NAME_LETTERS) != size)
        return NULL;
    HASH_FIND(hh, keys->names, copy, size, key);
    if (key || HASH_COUNT(keys->names) >= VARIABLE_KEYS_NAMES)
        return key;
    key = calloc(1, sizeof *key);
    if (!key)
        return NULL;
    key->keys = keys;
    memcpy(key->name, copy, sizeof copy);
    const unsigned before = HASH_COUNT(keys->names);
    HASH_ADD_KEYPTR(hh, keys->names, key->name, size, key);
    if (HASH_COUNT(keys->names) > before)
        return key;
    free(key);
    return NULL;
}

/* ---- Orders ---- */

static void settle(struct key *key)
{
    const struct variable_keys *keys = key->keys;
    if (key->busy || key->is_due || key->notified <= key->settled)
        return;
    const struct variable_order order = {
        .name = key->name, .text = key->text, .revision = key->notified};
    key->settled = key->notified;
    if (!keys->retry.is_stopped)
        keys->options.order(keys->options.user, &order);
}

/* Reads a value. Returns false if it is none; *text is owned, or NULL: DEFAULT. */
static bool read_value(const struct store_entry *entry, char **text)
{
    const struct store_bytes value = entry->value;
    *text = NULL;
    if (entry->is_deleted || (value.size == sizeof DEFAULT_TEXT - 1 &&
                              memcmp(value.data, DEFAULT_TEXT, value.size) == 0))
        return true;
    if (value.size == 0 || value.data[0] != HAS_TEXT || memchr(value.data, 0, value.size))
        return false;
    *text = strndup(value.data + 1, value.size - 1);
    return *text;
}

/* Takes text. */
static void note(struct key *key, int64_t revision, char *text)
{
    if (revision <= key->notified) {
        free(text);
        return;
    }
    free(key->text);
    key->text = text;
    key->notified = revision;
}

static void take_entry(struct variable_keys *keys, const struct store_entry *entry)
{
    if (entry->key.size <= keys->prefix_size)
        return;
    struct key *key =
        find_or_add(keys, entry->key.data + keys->prefix_size, entry->key.size - keys->prefix_size);
    char *text = NULL;
    if (!key || !read_value(entry, &text))
        log_warn("cluster", "%s is no variable's value, and is left alone",
                 log_foreign(entry->key.data, entry->key.size));
    else
        note(key, entry->revision, text);
}

static bool is_among(const struct key *key, const struct store_news *news)
{
    const size_t prefix = key->keys->prefix_size, size = strlen(key->name);
    for (size_t i = 0; i < news->count; i++)
        if (news->entries[i].key.size == prefix + size &&
            memcmp(news->entries[i].key.data + prefix, key->name, size) == 0)
            return true;
    return false;
}

static void put_what_is_due(struct variable_keys *keys);

static void on_news(void *user, const struct store_news *news)
{
    struct variable_keys *keys = user;
    pthread_mutex_lock(&keys->lock);
    keys->retry.is_reached = news->kind != STORE_LOST;
    for (struct key *key = keys->names; news->kind == STORE_EVERYTHING && key; key = key->hh.next)
        if (key->notified && !is_among(key, news))
            note(key, news->revision, NULL);
    for (size_t i = 0; i < news->count; i++)
        take_entry(keys, &news->entries[i]);
    if (keys->retry.is_reached) {
        put_what_is_due(keys);
        for (struct key *key = keys->names; key; key = key->hh.next)
            settle(key);
    }
    const bool has_begun = keys->retry.is_reached && !keys->has_begun;
    keys->has_begun = keys->has_begun || has_begun;
    if (has_begun && !keys->retry.is_stopped)
        keys->options.begun(keys->options.user);
    pthread_mutex_unlock(&keys->lock);
}

/* ---- Puts ---- */

/* Somebody else has put the key since: that holds here, too. */
static void give_way(struct key *key)
{
    log_info("cluster",
             "%s was set elsewhere after it was set here, and before it could be put: that holds",
             key->name);
    key->is_due = false;
}

static void on_put(void *user, const struct store_answer *answer)
{
    struct key *key = user;
    pthread_mutex_lock(&key->keys->lock);
    key->busy--;
    if (answer->status == STORE_DONE) {
        key->is_due = false;
        key->due_after = answer->revision;
    } else if (answer->status == STORE_DIFFERS) {
        give_way(key);
    } else {
        if (!key->is_due)
            log_warn("cluster", "other nodes do not have %s yet: %s; they will", key->name,
                     answer->message);
        key->is_due = true;
        key_retry_later(&key->keys->retry);
    }
    settle(key);
    pthread_mutex_unlock(&key->keys->lock);
}

/* only_after: unless the key has another revision than due_after. Returns false without memory. */
static bool put(struct key *key, bool only_after)
{
    char room[KEY_BYTES];
    const char *text = key->wanted;
    struct strbuf value = STRBUF_INIT;
    snprintf(room, sizeof room, "%s%s", key->keys->prefix, key->name);
    if (text)
        strbuf_add_byte(&value, HAS_TEXT);
    strbuf_add_text(&value, text ? text : DEFAULT_TEXT);
    const struct store_request request = {
        .action = STORE_WRITE,
        .compares = {{.key = STORE_TEXT(room), .revision = key->due_after}},
        .compare_count = only_after,
        .writes = {{.key = STORE_TEXT(room), .value = {value.data, value.size}}},
        .write_count = 1,
        .done = on_put,
        .user = key};
    const bool is_sent = !value.failed && store_call(key->keys->store, &request);
    strbuf_release(&value);
    key->busy += is_sent;
    return is_sent;
}

static void put_what_is_due(struct variable_keys *keys)
{
    for (struct key *key = keys->names; key; key = key->hh.next) {
        if (!key->is_due || key->busy)
            continue;
        if (key->notified > key->due_after)
            give_way(key);
        else if (!put(key, true))
            key_retry_later(&keys->retry);
    }
}

static void retry(void *user)
{
    struct variable_keys *keys = user;
    put_what_is_due(keys);
    for (struct key *key = keys->names; key; key = key->hh.next)
        settle(key);
}

bool variable_keys_set(struct variable_keys *keys, const char *name, const char *text)
{
    assert(keys && name && (!text || strlen(text) < STORE_VALUE_BYTES));
    char *copy = text ? strdup(text) : NULL;
    pthread_mutex_lock(&keys->lock);
    struct key *key = text && !copy ? NULL : find_or_add(keys, name, strlen(name));
    bool is_put = false;
    if (key) {
        free(key->wanted);
        key->wanted = copy;
        copy = NULL;
        key->due_after = key->notified > key->due_after ? key->notified : key->due_after;
        is_put = put(key, false);
    }
    pthread_mutex_unlock(&keys->lock);
    free(copy);
    return is_put;
}

/* ---- Start and end ---- */

struct variable_keys *variable_keys_new(struct store *store,
                                        const struct variable_keys_options *options)
{
    assert(store && options->order && options->begun && strlen(options->prefix) < KEY_BYTES / 2);
    struct variable_keys *keys = calloc(1, sizeof *keys);
    char *prefix = strdup(options->prefix);
    if (!keys || !prefix) {
        free(keys);
        free(prefix);
        return NULL;
    }
    keys->store = store;
    keys->options = *options;
    keys->prefix = prefix;
    keys->prefix_size = strlen(prefix);
    pthread_mutex_init(&keys->lock, NULL);
    keys->retry =
        (struct key_retry){.store = store, .lock = &keys->lock, .retry = retry, .user = keys};
    if (store_follow(store, STORE_TEXT(prefix), on_news, keys))
        return keys;
    variable_keys_free(keys);
    return NULL;
}

void variable_keys_stop(struct variable_keys *keys)
{
    pthread_mutex_lock(&keys->lock);
    keys->retry.is_stopped = true;
    pthread_mutex_unlock(&keys->lock);
}

void variable_keys_free(struct variable_keys *keys)
{
    struct key *key, *next;
    if (!keys)
        return;
    HASH_ITER(hh, keys->names, key, next)
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the next one was read before */
        HASH_DEL(keys->names, key);
        free(key->text);
        free(key->wanted);
        free(key);
    }
    pthread_mutex_destroy(&keys->lock);
    free(keys->prefix);
    free(keys);
}
