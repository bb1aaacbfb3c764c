/* SPDX-License-Identifier: Apache-2.0
 *
 * Bans in the store of <weir/store.h>: they survive a restart, and hold on all nodes of a cluster.
 *
 *     ban/192.0.2.1 = ns since 1970 until which it is banned, with a lease that ends some seconds later
 *
 * The node that bans has done so before it comes here, so nobody waits for the store. What the store says is put
 * into the tallies (tally.h) as it comes. Clocks of nodes are compared: one that is wrong by a minute bans for a
 * minute more, or less. */
#ifndef IP_FILTER_SHARED_BANS_H
#define IP_FILTER_SHARED_BANS_H

#include <stdbool.h>
#include <stdint.h>

#include "tally.h"

/* Bans that wait to be stored, at most; those beyond it hold on this node only. */
#define SHARED_BANS_MOST 1024
/* ... of which so many are on their way at a time. */
#define SHARED_BANS_SENT 64

/* Takes over the bans that are stored, and follows them; waits for the first for two seconds at most. */
void shared_bans_begin(void);
/* No callback runs or will run: frees what waits. */
void shared_bans_end(void);

/* Stores a ban that holds for so many ns from now. Any thread; never waits. */
void shared_bans_add(const struct tally_key *key, int64_t ban_ns);
/* Deletes one, or all, which were lifted here. Any thread; never waits. */
void shared_bans_lift(const struct tally_key *key);
void shared_bans_clear(void);

/* Whether bans have come from the store: then addresses are looked up even where nothing is counted. One load. */
bool shared_bans_are_known(void);
/* How many bans have held on this node only, because too many waited. */
uint64_t shared_bans_left_out(void);

/* Reads a key and a value of the store. False: they are no ban. */
bool shared_ban_read(const char *key, size_t key_size, const char *value, size_t value_size,
                     struct tally_key *address, uint64_t *until_ns);

#endif
