/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts as a value of the store:
 *
 *     1                              the version of this form
 *     SIZE KEY                       of a tally: '4' and 4 bytes, '6' and 8, or 'u' and a user name
 *     CONNECTIONS RATE RATE_LEFT FAILED FAILED_LEFT        numbers; what is left of windows in ms
 *     SIZE KEY ...
 *
 * SIZE is a byte; a number has 7 bits in each byte, the lowest first, and the highest bit says that more follow. */
#ifndef IP_FILTER_COUNT_VALUES_H
#define IP_FILTER_COUNT_VALUES_H

#include <weir/plugin.h>
#include <weir/strbuf.h>

#include "tally.h"

#define COUNT_VALUE_MOST    1000000  /* of connections, rates and failures: as of the limits */
#define COUNT_VALUE_LEFT_MS 86400000 /* of what is left of a window: as of ip_filter_ban_window */

/* Begins a value. */
void count_value_begin(struct strbuf *out);
/* Adds the counts of a key; what is more than the most is written as the most. */
void count_value_add(struct strbuf *out, const struct tally_key *key,
                     const struct tally_counts *counts);

typedef void count_value_each(void *data, const struct tally_key *key,
                              const struct tally_counts *counts);
/* Calls for each key of a value, unless it is malformed anywhere. Returns false then. each may be NULL. */
bool count_value_read(weir_string value, count_value_each *each, void *data);

#endif
