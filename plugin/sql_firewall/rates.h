/* SPDX-License-Identifier: Apache-2.0
 *
 * How many statements a second: a bucket for each key (an account, a digest, or both) of a rule, which
 * is filled evenly and holds a burst. A table of fixed size, without a lock: keys that have not been
 * used for as long as their bucket takes to fill give their place to others. When that many are in use
 * at once, several share one: what is refused then is too much, never too little. */
#ifndef SQL_FIREWALL_RATES_H
#define SQL_FIREWALL_RATES_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/check.h>

struct rates;

/* Returns owned; NULL: no memory. per_second and burst are 1 at least. */
WEIR_MUST_CHECK struct rates *rates_new(uint64_t per_second, uint64_t burst);
void rates_free(struct rates *rates);

/* Takes one from the key's bucket. False: it is empty. now: ns of a monotonic clock. Any thread. */
bool rates_take(struct rates *rates, uint64_t key, uint64_t now);

#endif
