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

struct tally_limits {
    int64_t connections; /* 0: any number, here and below */
    int64_t rate, rate_window;
};

enum tally_answer { TALLY_OK, TALLY_TOO_MANY, TALLY_TOO_FAST, TALLY_BANNED };

/* Counts a connection that begins, whatever the answer; tally_leave() must follow. */
enum tally_answer tally_enter(const struct tally_key *key, const struct tally_limits *limits,
                              int64_t now);
void tally_leave(const struct tally_key *key);

/* Counts a failed login; true: the address is banned from now on. */
bool tally_failure(const struct tally_key *key, int64_t after, int64_t window, int64_t ban_time,
                   int64_t now);

size_t tally_banned(int64_t now); /* addresses that are banned */
void tally_unban(void);
void tally_clear(void); /* frees everything; no other thread may be in this file */

#endif
