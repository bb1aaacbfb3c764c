/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores in memory, for tests and simulations: several nodes, one hub that has the keys and the clock.
 *
 * All is one thread's, and nothing happens but in memory_hub_advance(): there requests are answered,
 * leases end, timers run and news are told, in the order of the hub's clock. A node can be cut off. */
#ifndef WEIR_STORE_MEMORY_STORE_H
#define WEIR_STORE_MEMORY_STORE_H

#include "store/interface.h"

struct memory_hub;

/* Returns owned (memory_hub_free(), after its stores), or NULL without memory. */
struct memory_hub *memory_hub_new(void) WEIR_MUST_CHECK;
void memory_hub_free(struct memory_hub *hub); /* hub may be NULL */

/* Returns owned (store_free()), or NULL without memory. */
struct store *memory_store_new(struct memory_hub *hub) WEIR_MUST_CHECK;

/* Lets time pass: at least what is to be done now is. */
void memory_hub_advance(struct memory_hub *hub, uint64_t milliseconds);

/* From now on the store's requests fail, and its followers hear of nothing; or no longer. */
void memory_store_cut(struct store *store, bool is_cut);

/* From now on the store's writes and deletions are answered with UNKNOWN, and carried out when that ends: as by an etcd that
 * was stopped. Its other requests fail. */
void memory_store_stall(struct store *store, bool is_stalled);

/* What has been asked of the hub so far, and how many entries its followers have been told: reads; changes are all other
 * requests. */
struct memory_counts {
    uint64_t reads, changes, told;
};
struct memory_counts memory_hub_counts(const struct memory_hub *hub);

/* Forgets all changes so far: who has not been told of them reads everything anew. */
void memory_hub_compact(struct memory_hub *hub);

#endif
