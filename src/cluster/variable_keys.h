/* SPDX-License-Identifier: Apache-2.0
 *
 * The values of plugins' variables that all nodes share: a key PREFIX/NAME for each variable that was ever set in the
 * cluster, with "=" and its text, or "DEFAULT": what each node's own configuration says. A variable without a key has on
 * each node what that node has kept.
 *
 *     set here ──► variable_keys_set() ──► put ──► its revision ──► an order, on this node, too
 *     set on another node ──────────────────────► its revision ──► an order
 *
 * Orders of a name come in the order of its revisions, and the last one is the last revision's: so nodes that set
 * a variable at the same time end up with what was put last. An order may stand for several revisions, and may want what
 * is there already.
 *
 * What could not be put is put later, unless somebody else has changed the key meanwhile: then what that one put
 * is ordered. */
#ifndef WEIR_CLUSTER_VARIABLE_KEYS_H
#define WEIR_CLUSTER_VARIABLE_KEYS_H

#include "store/store.h"

#define VARIABLE_KEYS_NAME_BYTES 64   /* of a name, at most; longer ones are nobody's */
#define VARIABLE_KEYS_NAMES      2048 /* that are followed, at most */

struct variable_keys;

/* What the store has of a variable. Borrowed. */
struct variable_order {
    const char *name;
    const char *text; /* NULL: DEFAULT */
    int64_t revision;
};

struct variable_keys_options {
    const char *prefix; /* "/weir/NAME/variables/"; copied */
    /* On the store's thread, under a lock: they may not call back. */
    void (*order)(void *user, const struct variable_order *order);
    void (*begun)(void *user); /* once: all that the store had has been ordered */
    void *user;
};

/* Begins to follow. store is borrowed. Returns owned (variable_keys_free(), after the store), or NULL without memory. */
struct variable_keys *
variable_keys_new(struct store *store, const struct variable_keys_options *options) WEIR_MUST_CHECK;

/* The variable was set here to that text (copied, at most STORE_VALUE_BYTES - 1 bytes), NULL: to DEFAULT; so it is to be on
 * all nodes. Returns false without memory, or where the name cannot be a key's: nobody is asked then. Any thread. */
bool variable_keys_set(struct variable_keys *keys, const char *name,
                       const char *text) WEIR_MUST_CHECK;

/* No orders any more. Any thread. */
void variable_keys_stop(struct variable_keys *keys);

void variable_keys_free(struct variable_keys *keys); /* may be NULL */

#endif
