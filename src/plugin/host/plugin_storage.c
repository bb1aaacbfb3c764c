/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the plugins' keys are: the store that this process shares with others, or else one in a file, which is
 * opened when a plugin first asks for something. And the end of a plugin's calls.
 *
 *     plugin_storage_new() ─► registry: plugins, their OnShutdown ─► the shared store is freed ─► plugin_storage_free()
 *
 * A store calls back until it is freed. So what its callbacks touch lives here, and not with the plugins. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "plugin/host/plugin_store.h"

#define GRACE_NS CLOCK_NS_PER_S /* for calls that are pending when a plugin is shut down */

struct plugin_storage {
    struct store *shared;  /* borrowed; NULL: the plugins' store is local */
    char *prefix, *folder; /* owned; folder NULL: there is no local one either */
    pthread_mutex_t lock;  /* of the rest */
    struct store *local;   /* NULL: not made yet */
    bool has_failed;       /* it could not be made */
    struct plugin_store *stores;
};

struct plugin_storage *plugin_storage_new(struct store *shared, const char *prefix,
                                          const char *data_directory)
{
    struct strbuf folder = STRBUF_INIT;
    struct plugin_storage *storage = calloc(1, sizeof *storage);
    if (!storage)
        return NULL;
    storage->shared = shared;
    storage->prefix = strdup(prefix);
    if (data_directory)
        strbuf_printf(&folder, "%s/plugin-store", data_directory);
    storage->folder = data_directory ? strbuf_detach(&folder) : NULL;
    pthread_mutex_init(&storage->lock, NULL);
    if (storage->prefix && (storage->folder || !data_directory))
        return storage;
    plugin_storage_free(storage);
    return NULL;
}

static void free_one(struct plugin_store *own)
{
    while (own->watches) {
        struct plugin_store_watch *watch = own->watches;
        own->watches = watch->next;
        free(watch);
    }
    assert(!own->calls);
    plugin_leases_release(own);
    pthread_mutex_destroy(&own->lock);
    pthread_cond_destroy(&own->quiet);
    free(own->prefix);
    free(own);
}

void plugin_storage_free(struct plugin_storage *storage)
{
    if (!storage)
        return;
    store_free(storage->local);
    while (storage->stores) {
        struct plugin_store *own = storage->stores;
        storage->stores = own->next;
        free_one(own);
    }
    pthread_mutex_destroy(&storage->lock);
    free(storage->prefix);
    free(storage->folder);
    free(storage);
}

/* ---- What a plugin has of it ---- */

static struct store *store_of(struct plugin_storage *storage)
{
    struct error error = {""};
    if (storage->shared)
        return storage->shared;
    if (!storage->local && storage->folder && !storage->has_failed) {
        storage->local = file_store_new(storage->folder, &error);
        storage->has_failed = !storage->local;
        if (storage->has_failed)
            log_error("plugin", "plugins have no store: %s", error.message);
    }
    return storage->local;
}

static struct plugin_store *make(struct plugin_storage *storage, struct weir_plugin *plugin)
{
    struct strbuf prefix = STRBUF_INIT;
    struct store *store = store_of(storage);
    struct plugin_store *own = store ? calloc(1, sizeof *own) : NULL;
    strbuf_printf(&prefix, "%s/plugin/%s/", storage->prefix, plugin->identity.name);
    const size_t size = prefix.size;
    char *text = strbuf_detach(&prefix);
    if (!own || !text || size + WEIR_STORE_KEY_BYTES > STORE_KEY_BYTES) {
        free(own);
        free(text);
        return NULL;
    }
    own->plugin = plugin;
    own->store = store;
    own->is_shared = store == storage->shared;
    own->prefix = text;
    own->prefix_size = size;
    pthread_mutex_init(&own->lock, NULL);
    pthread_cond_init(&own->quiet, NULL);
    own->next = storage->stores;
    storage->stores = own;
    return own;
}

struct plugin_store *plugin_store_of(const struct weir_plugin *plugin)
{
    struct plugin_storage *storage = plugin->registry->options.storage;
    struct weir_plugin *host_owned =
        (struct weir_plugin *)plugin; /* the host's, and it is not const */
    if (!storage)
        return NULL;
    pthread_mutex_lock(&storage->lock);
    if (!host_owned->store)
        host_owned->store = make(storage, host_owned);
    struct plugin_store *own = host_owned->store;
    pthread_mutex_unlock(&storage->lock);
    return own;
}

/* ---- Its end ---- */

struct timespec plugin_store_grace(void)
{
    return clock_deadline(CLOCK_MONOTONIC, GRACE_NS);
}

static void wait_until_quiet(struct plugin_store *own, struct timespec until)
{
    int status = 0;
    while (status != ETIMEDOUT && (own->calls || own->is_calling))
        status = pthread_cond_clockwait(&own->quiet, &own->lock, CLOCK_MONOTONIC, &until);
    own->is_silent = true;
    while (own->is_calling)
        pthread_cond_wait(&own->quiet, &own->lock);
}

void plugin_store_close(struct weir_plugin *plugin, struct timespec until)
{
    struct plugin_store *own = plugin->store;
    struct plugin_store_call *call;
    if (!own)
        return;
    pthread_mutex_lock(&own->lock);
    own->is_closed = true;
    wait_until_quiet(own, until);
    while ((call = own->calls) != NULL) {
        weir_store_done *done = call->done;
        void *user = call->user;
        DL_DELETE(own->calls, call);
        call->is_listed = false;
        if (call->is_answered)
            free(call);
        pthread_mutex_unlock(&own->lock); /* the callback may make calls, which are refused */
        plugin_store_give_up(own, done, user);
        pthread_mutex_lock(&own->lock);
    }
    pthread_mutex_unlock(&own->lock);
}
