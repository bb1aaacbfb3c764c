/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's number, which no other node has, and what all nodes say of themselves.
 *
 * The number is a key PREFIX/NUMBER, put if there is none, with a lease; its value is the node's record.
 * The lease is kept; where that has not succeeded for as long as it may last, the node has no number: another
 * one may have it. A lease that turns out to have lasted all the same gives it back; otherwise the node takes a
 * new one.
 *
 *     away ──► granting ──► reading ──► looking ──► claiming ──► member
 *       ▲          │           ▲            │ differs  │            │ the lease is gone
 *       └──────────┴───────────┴────────────┴──────────┘            │
 *       ▲                                                           │
 *       └───────────────────────────────────────────────────────────┘
 *
 * A node that is cut off from the store goes on with its sessions, which have ids of its number. So a second key, USED_PREFIX/NUMBER,
 * says that a number was had; it stays when the lease ends, and goes with the node that leaves in order. Numbers with such a
 * key are taken only when no other is left, and membership_is_reused() says so.
 *
 * Nothing waits: who wants a number and finds none goes on without. */
#ifndef WEIR_CLUSTER_MEMBERSHIP_H
#define WEIR_CLUSTER_MEMBERSHIP_H

#include "store/store.h"

struct membership;

struct membership_options {
    const char *prefix;      /* "/weir/NAME/nodes/"; copied */
    const char *used_prefix; /* "/weir/NAME/numbers/"; copied */
    unsigned first, last; /* numbers that nodes may have; at most MEMBERSHIP_NUMBERS, 0 is none */
    long lease_s;
    /* A number has been taken, or the first attempt has failed (number 0, why). On the store's thread. May be NULL. */
    void (*joined)(void *user, unsigned number, const char *why);
    void *user;
};

#define MEMBERSHIP_NUMBERS 4095 /* below 2^12 */

/* Begins to join. store is borrowed. Returns owned (membership_free(), after the store), or NULL without
 * memory. */
struct membership *membership_new(struct store *store,
                                  const struct membership_options *options) WEIR_MUST_CHECK;

/* The number that surely is this node's now; 0: none. Any thread, without a lock. */
unsigned membership_number(const struct membership *membership);

/* The lease that keys of this node may have, which end with it; 0: none now. Any thread. */
int64_t membership_lease(const struct membership *membership);

/* Says the record (copied; at most STORE_VALUE_BYTES) from now on. Any thread. */
void membership_publish(struct membership *membership, const char *record, size_t size);

/* What a node says of itself. Borrowed. */
struct member {
    unsigned number;
    bool is_here; /* it is this one */
    struct store_bytes record;
};

/* Calls each() for the nodes by their numbers, under a lock: it may not call back. Returns whether the store is
 * reached; otherwise they are those of before. Any thread. */
bool membership_each(struct membership *membership,
                     void (*each)(void *user, const struct member *member), void *user);

/* Whether the number may be that of sessions of another node, which had it before and is cut off. Any thread. */
bool membership_is_reused(const struct membership *membership);

/* The lease of another node that has the number, by which it is told apart from those that have it before and after; 0:
 * nobody else has it. Any thread. */
int64_t membership_lease_of(struct membership *membership, unsigned number);

/* Gives the number back, where no session is left that has ids of it, and waits for that a moment. The node has none from now on. Not the store's thread. */
void membership_leave(struct membership *membership, long milliseconds);

void membership_free(struct membership *membership); /* may be NULL */

#endif
