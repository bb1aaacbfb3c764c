/* SPDX-License-Identifier: Apache-2.0
 *
 * From puts to orders: what this node is to do, once it is known which of the puts were its own, and whether who wanted
 * the plugin disabled was allowed to. */
#include <string.h>

#include "cluster/plugin_keys_state.h"

bool plugin_key_is_own(const struct plugin_key *key, int64_t revision)
{
    for (size_t i = 0; i < PLUGIN_KEY_OWN; i++)
        if (key->own[i] == revision)
            return true;
    return false;
}

static void check_grant(struct plugin_key *key);

static void give_order(struct plugin_key *key, bool is_granted)
{
    const struct plugin_order order = {.name = key->name,
                                       .disabled = key->disabled,
                                       .is_granted = is_granted,
                                       .flushes = key->foreign};
    key->settled = key->notified;
    key->foreign = false;
    key->was_granted = key->disabled && is_granted;
    if (!key->keys->retry.is_stopped)
        key->keys->options.order(key->keys->options.user, &order);
}

/* Gives the order that is due, if it can be known. The flag is given after this node's own puts, too: two nodes that
 * want different things end up with what was put last. */
void plugin_key_settle(struct plugin_key *key)
{
    if (key->busy || key->is_checking || key->is_doubtful)
        return;
    for (size_t i = 0; i < key->uncertain_count; i++)
        key->foreign = key->foreign || !plugin_key_is_own(key, key->uncertain[i]);
    key->uncertain_count = 0;
    if (key->notified <= key->settled)
        return;
    if (key->disabled && !plugin_key_is_own(key, key->notified))
        check_grant(key);
    else
        give_order(key, true);
}

static void on_grant(void *user, const struct store_answer *answer)
{
    struct plugin_key *key = user;
    pthread_mutex_lock(&key->keys->lock);
    key->is_checking = false;
    if (answer->status != STORE_DONE)
        key_retry_later(&key->keys->retry); /* looks again */
    else if (key->busy || key->notified != key->checked)
        plugin_key_settle(key);
    else
        give_order(key, answer->count == 1 && answer->entries[0].revision == key->notified);
    pthread_mutex_unlock(&key->keys->lock);
}

struct store_bytes plugin_key_beside(const struct plugin_key *key, const char *kind,
                                     char room[PLUGIN_KEY_BYTES])
{
    snprintf(room, PLUGIN_KEY_BYTES, "%s%s%s", key->keys->prefix, kind, key->name);
    return STORE_TEXT(room);
}

static void check_grant(struct plugin_key *key)
{
    char room[PLUGIN_KEY_BYTES];
    const struct store_request request = {.action = STORE_READ,
                                          .key =
                                              plugin_key_beside(key, PLUGIN_KEY_GRANTS_ROOM, room),
                                          .done = on_grant,
                                          .user = key};
    key->checked = key->notified;
    key->is_checking = store_call(key->keys->store, &request);
    if (!key->is_checking)
        key_retry_later(&key->keys->retry);
}
