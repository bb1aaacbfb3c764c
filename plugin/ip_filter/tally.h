/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts of connections and of failed logins, for each address and account. Any thread; one of many
 * locks is held for some tens of nanoseconds. Times are nanoseconds of a monotonic clock. */
#ifndef IP_FILTER_TALLY_H
#define IP_FILTER_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_KEY_BYTES 129 /* longer keys are cut: user names have at most 128 */

struct tally_key {
    uint8_t size;
    char bytes[TALLY_KEY_BYTES]; /* the first says what it is: an address or an account */
};

/* The key of an address of 4 or 16 bytes. An IPv6 client owns a /64 as a rule: its addresses count as
 * one. */
struct tally_key tally_key_of_address(const uint8_t *address, size_t size);

struct tally_limits {
    int64_t connections; /* 0: any number, here and below */
    int64_t rate, rate_window;
};

/* Counts of one key: a node's own, or what it publishes to others. The windows end so many ns from now. */
struct tally_counts {
    int64_t connections;
    int64_t rate, rate_left;     /* connections that have begun in a window */
    int64_t failed, failed_left; /* failed logins in one */
};

enum tally_answer { TALLY_OK, TALLY_TOO_MANY, TALLY_TOO_FAST, TALLY_BANNED };

/* Counts a connection that begins, whatever the answer; tally_leave() must follow. What other nodes count of the key
 * (tally_nodes.h) is added to it, here and in tally_failure(). */
enum tally_answer tally_enter(const struct tally_key *key, const struct tally_limits *limits,
                              int64_t now);
void tally_leave(const struct tally_key *key);

/* Counts a failed login; true: the address is banned from now on. */
bool tally_failure(const struct tally_key *key, int64_t after, int64_t window, int64_t ban_time,
                   int64_t now);

/* Bans an address for the ns that are left, because a store says so; 0: lifts its ban. round: counts the times that
 * everything in the store was looked at. */
void tally_set_ban(const struct tally_key *key, int64_t left, uint64_t round, int64_t now);
/* Lifts the bans that came from the store before this round, and not in it. */
void tally_lift_missing(uint64_t round);

size_t tally_banned(int64_t now); /* addresses that are banned */

/* Calls for each address that is banned, with the ns that are left. A lock is held meanwhile. */
void tally_each_ban(int64_t now,
                    void (*each)(void *data, const struct tally_key *key, int64_t left),
                    void *data);

/* Lifts a ban. False: it is not banned. */
bool tally_lift_ban(const struct tally_key *key, int64_t now);
void tally_unban(void);
void tally_clear(void); /* frees everything; no other thread may be in this file */

#endif
