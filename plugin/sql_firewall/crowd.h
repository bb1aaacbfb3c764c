/* SPDX-License-Identifier: Apache-2.0
 *
 * How many sessions each account has. A session joins when it has logged in or changed its user, and
 * leaves when it ends. Joining and leaving take a lock; asking takes none. */
#ifndef SQL_FIREWALL_CROWD_H
#define SQL_FIREWALL_CROWD_H

#include <stdatomic.h>
#include <stdint.h>
#include <weir/plugin.h>

struct crowd; /* the sessions of an account */

/* A session's place; all zeros: it is in no crowd. It must stay where it lies while it is in one. */
struct crowd_place {
    struct crowd *crowd;
    atomic_ullong number; /* from 1 on; no two of a crowd have the same */
};

/* Joins the account's crowd, and leaves the one before. Without memory it joins none. */
void crowd_join(struct crowd_place *place, weir_string account);
void crowd_leave(struct crowd_place *place);

/* Its number among those of its account, from 1 to as many as there are; 0: it is in no crowd. When one
 * leaves, the last gets its number: so of each account as many sessions as a limit says are within it,
 * and those that are stay so. */
uint64_t crowd_position(const struct crowd_place *place);

#endif
