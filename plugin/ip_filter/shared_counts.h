/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits of a cluster: a node publishes what it counts (other_nodes.h has the keys), and what the others have
 * published is added where a client is judged (tally_nodes.h). No client waits for the store.
 *
 * A node leaves unpublished what all nodes together cannot make more than a twentieth of a limit: with three nodes each
 * change of a limit below 60 is published, and of one of 600 every tenth. So a sum is never more than there is, and short
 * by that much at most. What counts fewer is published at once.
 *
 * Publishing has a pace: what has changed goes out at once where nothing has for a while, otherwise after
 * SHARED_COUNTS_PAUSE_MS; with so many nodes that all of them together would make more than SHARED_COUNTS_WRITES puts a
 * second, later. */
#ifndef IP_FILTER_SHARED_COUNTS_H
#define IP_FILTER_SHARED_COUNTS_H

#include "tally_nodes.h"

#define SHARED_COUNTS_PAUSE_MS 200
#define SHARED_COUNTS_WRITES   200 /* a second, of all nodes */
/* Seconds after which what a node has published counts no more, once it has died or is not reached. */
#define SHARED_COUNTS_LEASE_S 10
/* Addresses and accounts that a node publishes at most, in each of TALLY_PARTS keys: those nearest to a limit. */
#define SHARED_COUNTS_MOST 256

/* The limits that hold for a key; 0: none. */
struct shared_limits {
    int64_t connections, rate, failed;
};

/* What the plugin has set. Both are called on any thread; limits_of() may not call the tallies. */
struct shared_counts_rules {
    struct shared_limits (*limits_of)(const struct tally_key *key);
    struct tally_windows (*windows)(void);
};

/* Follows the other nodes, and publishes once there is something to count and somebody else to see it. */
void shared_counts_begin(const struct shared_counts_rules *rules);
/* No callback of the store runs or will run. */
void shared_counts_end(void);

/* Limits have changed: everything is to be compared with what is published. Any thread; never waits. */
void shared_counts_review(void);

/* The number of other nodes whose counts are added here. */
size_t shared_counts_nodes(void);
/* Counts of this node and of others that are left out of sums, as there are too many. */
size_t shared_counts_left_out(void);

#endif
