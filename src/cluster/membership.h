/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's number, which no other node has, and what all nodes say of themselves.
 *
 * The number is a key PREFIX/NUMBER, put if there is none, with a lease; its value is the node's record.
 * The lease is kept; where that has not succeeded for as long as it may last, the node has no number: another
 * one may have it. A lease that turns out to have lasted all the same gives it back; otherwise the node takes a
 * new one.
 *
 *     away ──► granting ──► reading ──► claiming ──► member
 *       ▲          │           ▲  differs  │            │ the lease is gone
 *       └──────────┴───────────┴───────────┘            │
 *       ▲                                               │
 *       └───────────────────────────────────────────────┘
 *
 * Nothing waits: who wants a number and finds none goes on without. */
#ifndef WEIR_CLUSTER_MEMBERSHIP_H
#define WEIR_CLUSTER_MEMBERSHIP_H

#include "store/store.h"

struct membership;

struct membership_options {
    const char *prefix;   /* "/weir/NAME/nodes/"; copied */
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

/* Whether another node has the number. Any thread. */
bool membership_has(struct membership *membership, unsigned number);

/* Gives the number back, and waits for that a moment. The node has none from now on. Not the store's thread. */
void membership_leave(struct membership *membership, long milliseconds);

void membership_free(struct membership *membership); /* may be NULL */

#endif
