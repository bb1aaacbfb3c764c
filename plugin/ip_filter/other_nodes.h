/* SPDX-License-Identifier: Apache-2.0
 *
 * The nodes of the cluster that count something, and what they have published: put into the tallies as it comes.
 *
 *     count/NODE          it counts something; NODE is 16 hexadecimal digits
 *     count/NODE/PART     counts of some of its keys (count_values.h); PART is a digit below TALLY_PARTS
 *
 * All calls are of the store's thread, but other_nodes_count() and other_nodes_left_out(). */
#ifndef IP_FILTER_OTHER_NODES_H
#define IP_FILTER_OTHER_NODES_H

#include <weir/store.h>

#include "tally_nodes.h"

#define COUNT_PREFIX       "count/"
#define COUNT_PREFIX_BYTES (sizeof COUNT_PREFIX - 1)
#define NODE_NAME_BYTES    16

#define OTHER_NODES_MOST  1023   /* as of a cluster */
#define OTHER_COUNTS_MOST 500000 /* of all of them; what is beyond is not counted here */

/* What a key of the store is. */
struct count_key {
    char node[NODE_NAME_BYTES + 1];
    int part; /* -1: that there is a node */
};
/* Returns false where the key is none of counts. */
WEIR_MUST_CHECK bool count_key_read(weir_string key, struct count_key *read);

/* Takes over what is news of other nodes than this one: `own`, and `former` where it has had another name. Windows count from `now` on: of those that come with EVERYTHING
 * nobody knows how old they are, so they are left out. */
void other_nodes_take(const weir_store_news *news, const char *own, const char *former,
                      int64_t now);
void other_nodes_clear(void);

size_t other_nodes_count(void);
/* Counts of other nodes that there was no room for. */
size_t other_nodes_left_out(void);

#endif
