/* SPDX-License-Identifier: Apache-2.0
 *
 * What was done here becomes a put for the others, until it is known that it was done, or that somebody else was quicker. */
#include <stdio.h>
#include <string.h>

#include "cluster/plugin_keys_state.h"

/* What was last put, or is being put, has been done. */
static void note_done(struct plugin_key *key, int64_t revision)
{
    key->own[key->own_count++ % PLUGIN_KEY_OWN] = revision;
    key->last_own = revision;
    key->is_doubtful = key->was_unknown = false;
    if (strcmp(key->sent_token, key->token) == 0)
        key->is_due = false;
}

static void give_up(struct plugin_key *key)
{
    log_info("cluster",
             "%s was changed elsewhere meanwhile; what was done here is not asked of others",
             log_foreign(key->name, strlen(key->name)));
    key->is_due = key->is_doubtful = key->was_unknown = false;
}

static void note_failure(struct plugin_key *key, const struct store_answer *answer)
{
    if (!key->has_failed)
        log_warn("cluster", "other nodes were not asked about %s: %s; they will be",
                 log_foreign(key->name, strlen(key->name)), answer->message);
    /* Before there was news, which revision it has is not known: then nobody can have been quicker. */
    key->has_failed = key->keys->has_begun || answer->status == STORE_UNKNOWN;
    key->is_doubtful = key->was_unknown = key->was_unknown || answer->status == STORE_UNKNOWN;
    key_retry_later(&key->keys->retry);
}

/* The key's, as far as is known. */
static int64_t revision_of(const struct plugin_key *key)
{
    const int64_t notified = key->exists ? key->notified : 0;
    return key->last_own > key->notified ? key->last_own : notified;
}

static void on_put(void *user, const struct store_answer *answer)
{
    struct plugin_key *key = user;
    pthread_mutex_lock(&key->keys->lock);
    key->busy--;
    key->is_putting = false;
    if (answer->status == STORE_DONE)
        note_done(key, answer->revision);
    else if (answer->status != STORE_DIFFERS)
        note_failure(key, answer);
    else if (key->was_unknown)
        key->is_doubtful = true; /* it may have been done after all */
    else if (key->has_failed)
        give_up(key);
    if (answer->status == STORE_DIFFERS)
        key->is_behind = revision_of(key) == key->due_after;
    if (answer->status == STORE_DONE || answer->status == STORE_DIFFERS)
        plugin_key_put(key);
    plugin_key_settle(key);
    pthread_mutex_unlock(&key->keys->lock);
}

static void put(struct plugin_key *key)
{
    char room[PLUGIN_KEY_BYTES], grant[PLUGIN_KEY_BYTES], asked[PLUGIN_KEY_BYTES];
    struct store_request request = {
        .action = STORE_WRITE, .write_count = 2, .done = on_put, .user = key};
    snprintf(room, sizeof room, PLUGIN_KEYS_PREFIX "%s", key->name);
    memcpy(key->sent_token, key->token, sizeof key->token);
    request.writes[0] = (struct store_write){.key = STORE_TEXT(room),
                                             .value = STORE_TEXT(key->due_disabled ? "1" : "0")};
    request.writes[1] =
        (struct store_write){.key = plugin_key_beside(key, PLUGIN_KEY_ASKED_ROOM, asked),
                             .value = STORE_TEXT(key->sent_token)};
    if (key->due_granted)
        request.writes[request.write_count++] = (struct store_write){
            .key = plugin_key_beside(key, PLUGIN_KEY_GRANTS_ROOM, grant), .value = STORE_TEXT("1")};
    request.compares[request.compare_count++] =
        (struct store_compare){.key = request.writes[0].key, .revision = key->due_after};
    key->is_putting = store_call(key->keys->store, &request);
    if (key->is_putting)
        key->busy++;
    else
        key_retry_later(&key->keys->retry);
}

/* Whose put the last one was. */
static void on_asked(void *user, const struct store_answer *answer)
{
    struct plugin_key *key = user;
    pthread_mutex_lock(&key->keys->lock);
    const struct store_entry *asked = answer->count ? answer->entries : NULL;
    const bool is_ours = asked && asked->value.size == strlen(key->sent_token) &&
                         memcmp(asked->value.data, key->sent_token, asked->value.size) == 0;
    key->is_looking = false;
    if (answer->status != STORE_DONE) {
        key_retry_later(&key->keys->retry);
    } else if (is_ours) {
        note_done(key, asked->revision);
        plugin_key_put(key);
    } else if (revision_of(key) != key->due_after) {
        give_up(key);
    } else {
        key->is_doubtful = false;
        plugin_key_put(key);
    }
    plugin_key_settle(key);
    pthread_mutex_unlock(&key->keys->lock);
}

static void look_who_asked(struct plugin_key *key)
{
    char room[PLUGIN_KEY_BYTES];
    const struct store_request request = {.action = STORE_READ,
                                          .key =
                                              plugin_key_beside(key, PLUGIN_KEY_ASKED_ROOM, room),
                                          .done = on_asked,
                                          .user = key};
    if (key->is_looking)
        return;
    key->is_looking = store_call(key->keys->store, &request);
    if (!key->is_looking)
        key_retry_later(&key->keys->retry);
}

void plugin_key_put(struct plugin_key *key)
{
    if (key->is_putting || (!key->is_due && !key->is_doubtful))
        return;
    if (key->is_doubtful) {
        look_who_asked(key);
        return;
    }
    if (key->is_behind) {
        key_retry_later(&key->keys->retry);
        return;
    }
    if (!key->has_failed)
        key->due_after = revision_of(key);
    put(key);
}
