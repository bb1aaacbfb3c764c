/* SPDX-License-Identifier: Apache-2.0
 *
 * weir/store.h: a small store for plugins, beside <weir/plugin.h>.
 *
 * Keys and values that survive a restart, and that all nodes have where several weir-servers are a cluster; a
 * plugin does not see which it is. What is stored belongs to the plugin: each has keys of its own, and reaches no other's.
 *
 * A call is answered once, by its done(). A watcher is notified of everything, then of changes.
 *
 * RULES
 *   - From OnInit on. No call blocks: what it is given is copied, and the answer comes later. So each may be
 *     made in an event. A call returns 1, or 0 when nothing has been asked and done() will not be called: the
 *     server is older or has no data directory, there is no memory, something is longer than allowed, the
 *     lease is none that this process has got for the plugin, WEIR_STORE_PENDING calls of the plugin are not
 *     answered yet, or it is shut down.
 *   - Callbacks run on one thread of the server's own, one at a time, also while the plugin is disabled. What
 *     they are given is valid until they return. They must not block: other plugins' wait. They may make
 *     calls.
 *   - Calls of one thread are carried out one after the other where the store is local. In a cluster they may
 *     overtake each other: what must come after something is asked for in its done().
 *   - At the end of the server, before OnShutdown: no more calls are taken but from done() and watchers, which may finish
 *     what they have begun; the calls of all plugins that are pending have a second to be answered, and what is left is answered
 *     with WEIR_STORE_UNKNOWN on the thread of OnShutdown, where no call is taken.
 *     When OnShutdown is called, no callback runs or will run.
 *   - The store is no secret: it lies in a file of the data directory, or in etcd, as it is. Passwords and
 *     statements with their literals do not belong there.
 *   - What comes back may have been written by another version of the plugin, or by a person: check it.
 *
 * Values have up to WEIR_STORE_VALUE_BYTES, keys up to WEIR_STORE_KEY_BYTES of any bytes. All plugins
 * together have 64 MiB in a local store; a put beyond that, or onto a full disk, fails and changes nothing. */
#ifndef WEIR_STORE_H
#define WEIR_STORE_H

#include <string.h>
#include <weir/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- What is in the store ---- */

#define WEIR_STORE_KEY_BYTES   512
#define WEIR_STORE_VALUE_BYTES 65536
#define WEIR_STORE_PENDING     256  /* calls of a plugin that are not answered yet */
#define WEIR_STORE_ANY         (-1) /* a put whatever there is */

/* X(enumerator, value, what): how a call ended. */
#define WEIR_STORE_STATUSES(X)                                                                     \
    X(WEIR_STORE_DONE, 0, "it is done, and on the disk")                                           \
    X(WEIR_STORE_DIFFERS, 1, "put: the key has another revision; nothing is written")              \
    X(WEIR_STORE_GONE, 2, "the lease has ended")                                                   \
    X(WEIR_STORE_FAILED, 3, "it has not been done; the message says why")                          \
    X(WEIR_STORE_UNKNOWN, 4, "it may have been done: the answer is missing")

#define X(enumerator, value, what) enumerator = (value),
typedef enum weir_store_status { WEIR_STORE_STATUSES(X) } weir_store_status;
#undef X

/* A key and what it has. New members come at the end: weir_store_entry_at() finds the next one. */
typedef struct weir_store_entry {
    weir_string key, value;
    int64_t revision;    /* of its last change: any later change of anything has a greater one */
    int64_t lease;       /* that ends it; 0: none */
    uint32_t is_deleted; /* CHANGES: 1: the key is gone, and value is empty */
    uint32_t reserved;
} weir_store_entry;

typedef struct weir_store_answer {
    uint32_t api_version;
    uint32_t struct_size;
    weir_store_status status;
    uint32_t entry_size;             /* bytes from one entry to the next */
    weir_string message;             /* why it was not done; NUL-terminated; empty otherwise */
    int64_t revision;                /* DONE: of the store; of a put the one that the key has now */
    const weir_store_entry *entries; /* of get and list, in the order of their keys */
    size_t count;
    int64_t lease; /* of lease and keep */
    uint64_t ttl;  /* ... and how long it lasts from now, in ns */
} weir_store_answer;

/* X(enumerator, value, what): what a watcher is notified of. */
#define WEIR_STORE_NEWS(X)                                                                         \
    X(WEIR_STORE_EVERYTHING, 0, "all that there is: keys that are not in it are gone")             \
    X(WEIR_STORE_CHANGES, 1, "what has changed since, in order; may be nothing")                   \
    X(WEIR_STORE_LOST, 2, "the store is not reached: news come late, and then all at once")

#define X(enumerator, value, what) enumerator = (value),
typedef enum weir_store_news_kind { WEIR_STORE_NEWS(X) } weir_store_news_kind;
#undef X

typedef struct weir_store_news {
    uint32_t api_version;
    uint32_t struct_size;
    weir_store_news_kind kind;
    uint32_t entry_size;
    weir_string message; /* LOST: why; NUL-terminated */
    int64_t revision;
    const weir_store_entry *entries;
    size_t count;
    uint32_t is_shared; /* 1: other servers may have the store, too; 0: it is this one's alone */
    uint32_t reserved;
} weir_store_news;

typedef void weir_store_done(void *user, const weir_store_answer *answer);
typedef void weir_store_watcher(void *user, const weir_store_news *news);

/* ---- The line between host and plugin ---- */

/* X(enumerator, value) */
#define WEIR_STORE_ACTIONS(X)                                                                      \
    X(WEIR_STORE_DO_PUT, 0)                                                                        \
    X(WEIR_STORE_DO_GET, 1)                                                                        \
    X(WEIR_STORE_DO_LIST, 2)                                                                       \
    X(WEIR_STORE_DO_DELETE, 3)                                                                     \
    X(WEIR_STORE_DO_DELETE_ALL, 4)                                                                 \
    X(WEIR_STORE_DO_LEASE, 5)                                                                      \
    X(WEIR_STORE_DO_KEEP, 6)                                                                       \
    X(WEIR_STORE_DO_END, 7)

#define X(enumerator, value) enumerator = (value),
typedef enum weir_store_action { WEIR_STORE_ACTIONS(X) } weir_store_action;
#undef X

struct weir_store_request {
    uint32_t api_version;
    uint32_t struct_size;
    weir_store_action action;
    uint32_t reserved;
    weir_string key, value;
    int64_t revision; /* of a put: the one that the key must have; WEIR_STORE_ANY: any */
    int64_t lease;
    uint64_t ttl; /* ns */
    weir_store_done *done;
    void *user;
};

static inline int weir_store_ask(struct weir_store_request request)
{
    request.api_version = WEIR_API_VERSION;
    request.struct_size = sizeof request;
    return WEIR_HOST_HAS(store_call) ? weir_host_table->store_call(weir_self, &request) : 0;
}

static inline struct weir_store_request weir_store_to(weir_store_action action,
                                                      weir_store_done *done, void *user)
{
    struct weir_store_request request;
    memset(&request, 0, sizeof request);
    request.action = action;
    request.done = done;
    request.user = user;
    return request;
}

static inline int weir_store_ask_key(weir_store_action action, weir_string key,
                                     weir_store_done *done, void *user)
{
    struct weir_store_request request = weir_store_to(action, done, user);
    request.key = key;
    return weir_store_ask(request);
}

static inline int weir_store_ask_lease(weir_store_action action, int64_t lease, uint64_t ttl,
                                       weir_store_done *done, void *user)
{
    struct weir_store_request request = weir_store_to(action, done, user);
    request.lease = lease;
    request.ttl = ttl;
    return weir_store_ask(request);
}

/* ---- Calls of the store ---- */

/* Writes a key, if its revision is this one: 0 for one that must not be there, WEIR_STORE_ANY for any. lease: of
 * this plugin, in this process; 0: the key stays. done may be NULL, here and below: nobody wants to know. */
static inline int weir_store_put(weir_string key, weir_string value, int64_t revision,
                                 int64_t lease, weir_store_done *done, void *user)
{
    struct weir_store_request request = weir_store_to(WEIR_STORE_DO_PUT, done, user);
    request.key = key;
    request.value = value;
    request.revision = revision;
    request.lease = lease;
    return weir_store_ask(request);
}

/* The answer has one entry, or none where there is no such key. */
static inline int weir_store_get(weir_string key, weir_store_done *done, void *user)
{
    return weir_store_ask_key(WEIR_STORE_DO_GET, key, done, user);
}

/* All keys that begin with a prefix, which may be empty. */
static inline int weir_store_list(weir_string prefix, weir_store_done *done, void *user)
{
    return weir_store_ask_key(WEIR_STORE_DO_LIST, prefix, done, user);
}

/* A key that is not there is deleted, too: DONE. */
static inline int weir_store_delete(weir_string key, weir_store_done *done, void *user)
{
    return weir_store_ask_key(WEIR_STORE_DO_DELETE, key, done, user);
}

/* All keys that begin with a prefix, which may be empty. */
static inline int weir_store_delete_all(weir_string prefix, weir_store_done *done, void *user)
{
    return weir_store_ask_key(WEIR_STORE_DO_DELETE_ALL, prefix, done, user);
}

/* Makes a lease that lasts this long (ns; full seconds, rounded up), also while no server runs. Its keys end with it.
 * It is this process's: after a restart it only runs out. */
static inline int weir_store_lease(uint64_t ttl, weir_store_done *done, void *user)
{
    return weir_store_ask_lease(WEIR_STORE_DO_LEASE, 0, ttl, done, user);
}

/* It lasts as long as it was made for, from now on. */
static inline int weir_store_keep(int64_t lease, weir_store_done *done, void *user)
{
    return weir_store_ask_lease(WEIR_STORE_DO_KEEP, lease, 0, done, user);
}

/* Ends it, and deletes its keys. */
static inline int weir_store_end(int64_t lease, weir_store_done *done, void *user)
{
    return weir_store_ask_lease(WEIR_STORE_DO_END, lease, 0, done, user);
}

/* Notifies of all keys that begin with a prefix (which may be empty), until the end of the server: first of
 * EVERYTHING, or LOST. What this plugin itself writes is news, too. */
static inline int weir_store_watch(weir_string prefix, weir_store_watcher *watcher, void *user)
{
    return WEIR_HOST_HAS(store_watch)
               ? weir_host_table->store_watch(weir_self, prefix, watcher, user)
               : 0;
}

/* The index-th entry of an answer's or of news' entries. */
static inline const weir_store_entry *weir_store_entry_at(const weir_store_entry *entries,
                                                          uint32_t entry_size, size_t index)
{
    return (const weir_store_entry *)(const void *)((const char *)entries + index * entry_size);
}

/* Whether other servers may have the store, too: is_shared, which older servers do not say. */
static inline int weir_store_is_shared(const weir_store_news *news)
{
    return news->struct_size >= offsetof(weir_store_news, is_shared) + sizeof news->is_shared &&
           news->is_shared;
}

#ifdef __cplusplus
}
#endif

#endif
