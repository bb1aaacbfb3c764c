/* SPDX-License-Identifier: Apache-2.0
 *
 * The tallies of several nodes: what this one is to publish of its own, and what others have published, which
 * tally_enter() and tally_failure() add to their counts. Any thread; times are of this process's monotonic clock. */
#ifndef IP_FILTER_TALLY_NODES_H
#define IP_FILTER_TALLY_NODES_H

#include <weir/check.h>

#include "tally.h"

/* ---- Of its own ---- */

#define TALLY_PARTS 8 /* each key belongs to one of them */

struct tally_windows {
    int64_t rate, failed; /* ns */
};

/* From now on notes which counts change, and calls `changed` when some have that tally_review() has not seen: after
 * the change, on its thread, without a lock. NULL: no longer. */
void tally_watch(void (*changed)(void));

/* Whether the counts are to be published, because they differ from those that were. May not call the tallies. */
typedef bool tally_judge(void *data, const struct tally_key *key, const struct tally_counts *own,
                         const struct tally_counts *published);
/* Asks for each key of a part that counts something or is published; unless is_all, only where something has
 * changed. Returns whether one is to be published. */
bool tally_review(unsigned part, bool is_all, const struct tally_windows *windows, int64_t now,
                  tally_judge *judge, void *data);

/* Calls for each key of a part that counts something. From then on none of the part is published. */
void tally_collect(unsigned part, const struct tally_windows *windows, int64_t now,
                   void (*each)(void *data, const struct tally_key *key,
                                const struct tally_counts *own),
                   void *data);
/* Notes that these counts of a key are published. */
void tally_set_published(const struct tally_key *key, const struct tally_counts *counts,
                         int64_t now);

/* ---- Of others ---- */

/* Takes over what a node has published of a key. source: the value that it is from; round: which reading of it.
 * Returns 1 where it had said nothing before, 0 where it had, -1 without memory. */
WEIR_MUST_CHECK int tally_set_share(const struct tally_key *key, uint32_t source, uint32_t round,
                                    const struct tally_counts *counts, int64_t now);
/* Drops what a source has said of a key, unless it is from this round. Returns whether there was something. */
bool tally_drop_share(const struct tally_key *key, uint32_t source, uint32_t round);

/* What others have published counts until then; INT64_MAX: as long as it is there. */
void tally_trust_shares_until(int64_t until);

#endif
