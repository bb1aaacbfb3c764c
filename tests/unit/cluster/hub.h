/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes that share a store in memory, and somebody else who writes there: what the tests of keys begin with. */
#ifndef WEIR_TESTS_CLUSTER_HUB_H
#define WEIR_TESTS_CLUSTER_HUB_H

#include "cluster/cluster.h"

extern struct memory_hub *hub;
extern struct store *other; /* somebody else's */

/* Makes both; frees both. */
void hub_begin(void);
void hub_end(void);

/* Somebody else puts a key, or deletes it; news are under way. */
void hub_put(const char *key, const char *value);
void hub_delete(const char *key);

/* Fails the test unless that was written down since the last time. */
void expect_text(struct strbuf *text, const char *expected);

#endif
