/* SPDX-License-Identifier: Apache-2.0
 *
 * The allow-lists of a cluster: what changes here is told to the other nodes, and what they tell is applied here, by keys
 * of <weir/store.h>:
 *
 *     list/AUTHOR-NUMBER = changes, as text (changes.h)
 *
 * A key is put once, and stays, or is merged with others (tidying.h). All nodes read the keys in one order (told.h), so they end
 * with the same lists. The lists' file is each node's own copy: it is written before a client reads its answer, as without a cluster;
 * the store comes after. What a file has of which no key says anything is told once: a node that joins brings its lists.
 *
 * What changes is gathered while a put is on its way, and for a fifth of a second: recording ten thousand statements makes
 * some dozens of puts. Without a cluster nothing is put. */
#ifndef SQL_FIREWALL_SHARING_H
#define SQL_FIREWALL_SHARING_H

#include "changes.h"

#define SHARING_PAUSE_MS 200 /* from one put to the next, at least */

/* Begins, when the lists are there; waits for what the other nodes have, for two seconds at most. */
void sharing_begin(void);

/* No callback runs or will run: ends the thread. What was not told is told at the next start, if it is in the file. */
void sharing_end(void);

/* Tell the others. Any thread; never wait. */
void sharing_learned(weir_string account, const struct key *key);
void sharing_mode_set(weir_string account, int mode);
void sharing_changed(const struct allow_lists *before, const struct allow_lists *after);

#endif
