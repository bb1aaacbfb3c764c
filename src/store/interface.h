/* SPDX-License-Identifier: Apache-2.0
 *
 * struct store: keys and values that several gateways share, with revisions, leases and followers.
 *
 * There are three: etcd (cluster/etcd.h), one in a file (file_store.h), and one in memory for tests and
 * simulations (memory_store.h). No call blocks: a request is copied and queued, and its answer comes by a callback on the store's thread. So
 * do timers, so that what is built on a store needs no lock of its own.
 *
 *     store_call() ──► queued ──► done(answer)      exactly once, never from within store_call()
 *     store_follow() ──► EVERYTHING ──► CHANGES ──► CHANGES ... LOST ... CHANGES or EVERYTHING
 *     store_after() ──► the function, once
 *     store_free()      unanswered requests end as failed; then nothing is called any more
 *
 * Any thread may call; callbacks may call too, but not store_free(). */
#ifndef WEIR_STORE_INTERFACE_H
#define WEIR_STORE_INTERFACE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct store_bytes {
    const char *data;
    size_t size;
};
#define STORE_TEXT(text) ((struct store_bytes){.data = (text), .size = strlen(text)})

/* X(enumerator, name): how a request ended. */
#define STORE_STATUSES(X)                                                                          \
    X(STORE_DONE, "done")                                                                          \
    X(STORE_DIFFERS, "differs") /* WRITE: a key has another revision; nothing is written */        \
    X(STORE_GONE, "gone")       /* the lease does not exist (any more) */                          \
    X(STORE_FAILED, "failed")   /* it has not been done */                                         \
    X(STORE_UNKNOWN, "unknown") /* it may have been done: the answer is missing */

enum store_status {
#define X(enumerator, name) enumerator,
    STORE_STATUSES(X)
#undef X
};

enum store_action {
    STORE_READ,   /* a key, or all keys with a prefix */
    STORE_WRITE,  /* all writes at once, if all compares hold */
    STORE_DELETE, /* a key, or all keys with a prefix */
    STORE_GRANT,  /* a lease for ttl_s */
    STORE_KEEP,   /* makes a lease last ttl_s from now */
    STORE_REVOKE, /* ends a lease, and deletes its keys */
};

struct store_compare {
    struct store_bytes key;
    int64_t revision; /* of its last change; 0: there is no such key */
};

struct store_write {
    struct store_bytes key, value;
    int64_t lease; /* deletes the key when it ends; 0: none */
};

struct store_entry {
    struct store_bytes key, value;
    int64_t revision; /* of its last change */
    int64_t lease;    /* 0: none */
    bool is_deleted;  /* CHANGES: the key is gone; value is empty */
};

/* All of it is borrowed, and lives until the callback returns. */
struct store_answer {
    enum store_status status;
    const char *message; /* why it was not done; "" otherwise */
    int64_t revision;    /* DONE: of the store. A WRITE's is the one that its keys have now */
    const struct store_entry *entries; /* READ: in the order of their keys */
    size_t count;
    int64_t lease; /* GRANT, KEEP */
    long ttl_s;    /* GRANT, KEEP: seconds that the lease lasts */
};

typedef void store_done(void *user, const struct store_answer *answer);

#define STORE_PARTS       4         /* compares, and writes, of one WRITE */
#define STORE_KEY_BYTES   1024      /* of a key, at most */
#define STORE_VALUE_BYTES 0x10000   /* of a value, at most */
#define STORE_TTL_MOST_S  315360000 /* of a lease: ten years */

struct store_request {
    enum store_action action;
    struct store_bytes key; /* READ, DELETE; not empty */
    bool is_prefix;
    struct store_compare compares[STORE_PARTS]; /* WRITE */
    size_t compare_count;
    struct store_write writes[STORE_PARTS];
    size_t write_count;
    int64_t lease;    /* KEEP, REVOKE */
    long ttl_s;       /* GRANT */
    store_done *done; /* NULL: nobody wants to know */
    void *user;
};

enum store_news_kind {
    STORE_EVERYTHING, /* all that there is; keys that are missing are gone */
    STORE_CHANGES,    /* what has changed since the news before, in order; may be nothing */
    STORE_LOST,       /* the store is not reached: news come late, and then all at once */
};

/* All of it is borrowed, and lives until the callback returns. */
struct store_news {
    enum store_news_kind kind;
    const char *message; /* LOST: why; "" otherwise */
    int64_t revision;    /* of the store; 0: LOST */
    const struct store_entry *entries;
    size_t count;
};

typedef void store_follower(void *user, const struct store_news *news);
typedef void store_timer(void *user);

struct store;

struct store_functions {
    bool (*call)(struct store *store, const struct store_request *request);
    bool (*follow)(struct store *store, struct store_bytes prefix, store_follower *follower,
                   void *user);
    bool (*after)(struct store *store, uint64_t milliseconds, store_timer *timer, void *user);
    uint64_t (*now_ns)(struct store *store);
    void (*free)(struct store *store);
};

/* Each implementation's own struct begins with it. */
struct store {
    const struct store_functions *functions;
};

/* Whether sizes and counts are within what stores take. */
static inline bool store_request_is_sound(const struct store_request *request)
{
    bool sound = request->compare_count <= STORE_PARTS && request->write_count <= STORE_PARTS &&
                 request->key.size <= STORE_KEY_BYTES;
    if (request->action == STORE_READ || request->action == STORE_DELETE)
        sound = sound && request->key.size > 0;
    if (request->action == STORE_GRANT)
        sound = sound && request->ttl_s > 0 && request->ttl_s <= STORE_TTL_MOST_S;
    if (request->action == STORE_WRITE)
        sound = sound && request->write_count > 0;
    for (size_t i = 0; sound && i < request->compare_count; i++)
        sound =
            request->compares[i].key.size > 0 && request->compares[i].key.size <= STORE_KEY_BYTES;
    for (size_t i = 0; sound && i < request->write_count; i++)
        sound = request->writes[i].key.size > 0 && request->writes[i].key.size <= STORE_KEY_BYTES &&
                request->writes[i].value.size <= STORE_VALUE_BYTES;
    return sound;
}

/* Queues a copy of the request. Returns false without memory; done() is not called then. */
WEIR_MUST_CHECK static inline bool store_call(struct store *store,
                                              const struct store_request *request)
{
    assert(store_request_is_sound(request));
    return store->functions->call(store, request);
}

/* Follows all keys with a prefix (copied, not empty) until the store is freed. Returns false without
 * memory. */
WEIR_MUST_CHECK static inline bool store_follow(struct store *store, struct store_bytes prefix,
                                                store_follower *follower, void *user)
{
    assert(prefix.size > 0 && prefix.size <= STORE_KEY_BYTES && follower);
    return store->functions->follow(store, prefix, follower, user);
}

/* Calls timer once, unless the store is freed before. Returns false without memory. */
WEIR_MUST_CHECK static inline bool store_after(struct store *store, uint64_t milliseconds,
                                               store_timer *timer, void *user)
{
    assert(timer);
    return store->functions->after(store, milliseconds, timer, user);
}

/* A clock that never jumps back, and goes on while the machine sleeps: leases do. */
static inline uint64_t store_now_ns(struct store *store)
{
    return store->functions->now_ns(store);
}

/* store may be NULL. Not from a callback. */
static inline void store_free(struct store *store)
{
    if (store)
        store->functions->free(store);
}

#endif
