/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugins' store, as its parts share it: plugin_store.c takes calls and answers them, plugin_storage.c has what
 * outlives the plugins, plugin_leases.c which leases are whose.
 *
 * A plugin's keys are those with its prefix, PREFIX/plugin/NAME/, and its leases those that it has got in this
 * process: a store's leases are everybody's, and whoever ends one deletes its keys. */
#ifndef WEIR_PLUGIN_HOST_PLUGIN_STORE_H
#define WEIR_PLUGIN_HOST_PLUGIN_STORE_H

#include <weir/store.h>

#include "plugin/host/registry.h"
#include "store/store.h"

struct plugin_lease {
    int64_t id;
    uint64_t ends_ns; /* as far as we know */
};

struct plugin_store;

/* A call that the store has not answered. It belongs to the list while that has it, then to the store. */
struct plugin_store_call {
    struct plugin_store *own;
    weir_store_action action;
    weir_store_done *done; /* NULL: nobody wants to know */
    void *user;
    int64_t lease;    /* KEEP, END */
    bool is_listed;   /* the plugin has not been answered */
    bool is_answered; /* the store has, and found the plugin silent */
    struct plugin_store_call *next, *prev;
};

/* A prefix that is watched, as long as the store is there. */
struct plugin_store_watch {
    struct plugin_store *own;
    weir_store_watcher *watcher;
    void *user;
    struct plugin_store_watch *next;
};

/* What a plugin has of the store. It outlives the plugin: see plugin_storage_free(). */
struct plugin_store {
    struct weir_plugin *plugin; /* not touched once it is silent */
    struct store *store;
    bool is_shared; /* other servers may have it, too */
    char *prefix;   /* owned */
    size_t prefix_size;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t quiet; /* a callback has returned, or a call has been answered */
    bool is_closed;       /* calls are taken from callbacks only */
    bool is_silent;       /* no more callbacks begin */
    bool is_calling;      /* a callback runs, */
    pthread_t caller;     /* ... on this thread */
    struct plugin_store_call *calls;
    size_t pending;
    struct plugin_store_watch *watches;
    struct plugin_lease *leases; /* owned, in the order of their ids: plugin_leases.c */
    size_t lease_count, lease_room;
    struct plugin_store *next;
};

/* ---- plugin_storage.c ---- */

/* What the plugin has of the store, made when it is first asked for. NULL: there is no store for plugins, or no
 * memory. Any thread. */
struct plugin_store *plugin_store_of(const struct weir_plugin *plugin);

/* When calls that are pending now are given up: a second from now. */
struct timespec plugin_store_grace(void);

/* Ends the plugin's calls and callbacks, before its OnShutdown: see <weir/store.h>. Waits until then for what is
 * pending. */
void plugin_store_close(struct weir_plugin *plugin, struct timespec until);

/* ---- plugin_store.c ---- */

int plugin_host_store_call(const weir_plugin *plugin, const struct weir_store_request *request);
int plugin_host_store_watch(const weir_plugin *plugin, weir_string prefix,
                            weir_store_watcher *watcher, void *user);
/* Answers a call of the plugin's that has no answer. It is in no list. */
void plugin_store_give_up(const struct plugin_store *own, weir_store_done *done, void *user);

/* ---- plugin_leases.c; the lock is held ---- */

/* Notes that the lease is the plugin's and ends then. Returns false without memory. */
WEIR_MUST_CHECK bool plugin_lease_note(struct plugin_store *own, int64_t id, uint64_t ends_ns);
bool plugin_lease_is_known(const struct plugin_store *own, int64_t id);
void plugin_lease_forget(struct plugin_store *own, int64_t id);
void plugin_leases_release(struct plugin_store *own);

#endif
