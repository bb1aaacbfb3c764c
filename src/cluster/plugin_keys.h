/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys by which TiDB's servers flush, enable and disable plugins, /tidb/plugins/NAME with 0 or 1 (disabled):
 * each put means "take the flag, then flush". Here they become orders for this node, and what is done here becomes
 * puts for the others.
 *
 *     plugin_keys_begin(name)     what comes from now on waits
 *         ... it is done here ...
 *     plugin_keys_end(name)       the put is queued; once it is answered, what has come is an order
 *
 * An order stands for all puts since the one before: a flush that was missed is done once. This node's own puts are
 * not flushed again. The first news is what there was before this node began: flags, no flushes, unless the store was
 * not reached then.
 *
 * What could not be put is put later, unless somebody else has changed the key meanwhile. */
#ifndef WEIR_CLUSTER_PLUGIN_KEYS_H
#define WEIR_CLUSTER_PLUGIN_KEYS_H

#include "store/store.h"

#define PLUGIN_KEYS_PREFIX     "/tidb/plugins/"
#define PLUGIN_KEYS_NAME_BYTES 128 /* of a name, at most; longer ones are nobody's */
#define PLUGIN_KEYS_NAMES      256 /* that are followed, at most */

struct plugin_keys;

/* What the store wants of a plugin. Borrowed. */
struct plugin_order {
    const char *name;
    bool disabled; /* the flag */
    bool
        is_granted; /* a node has checked who wanted it disabled; otherwise whoever may write the key has */
    bool flushes;
};

struct plugin_keys_options {
    const char *prefix; /* of the cluster's own keys, "/weir/NAME/"; copied */
    /* On the store's thread, under a lock: it may not call back. */
    void (*order)(void *user, const struct plugin_order *order);
    void *user;
};

/* Begins to follow. store is borrowed. Returns owned (plugin_keys_free(), after the store), or NULL without memory. */
struct plugin_keys *plugin_keys_new(struct store *store,
                                    const struct plugin_keys_options *options) WEIR_MUST_CHECK;

/* A statement is about to change or flush the plugin here. Each needs its plugin_keys_end(). Returns false, and nothing
 * has begun, without memory, or where the name cannot be a key's. Any thread. */
bool plugin_keys_begin(struct plugin_keys *keys, const char *name) WEIR_MUST_CHECK;

/* How it went. */
struct plugin_change {
    bool is_done;    /* the others are asked to do it */
    bool keeps_flag; /* as the key has it; otherwise: */
    bool disabled;
    bool is_granted; /* disabled: by somebody who may */
};

/* It is over. Any thread. */
void plugin_keys_end(struct plugin_keys *keys, const char *name,
                     const struct plugin_change *change);

/* Whether the store is reached as far as is known; otherwise why is filled. Any thread. */
bool plugin_keys_are_reached(struct plugin_keys *keys, char *why, size_t room);

/* No orders any more. Any thread. */
void plugin_keys_stop(struct plugin_keys *keys);

void plugin_keys_free(struct plugin_keys *keys); /* may be NULL */

#endif
