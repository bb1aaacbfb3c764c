/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of addresses. A network is the range of addresses from its first to its last; the ranges of a
 * set are sorted and those that touch are merged, so that they are disjoint and the last one that
 * begins at or before an address is the only one that can hold it. With a million of them a binary
 * search is a microsecond of cache misses: indexes leave a tenth of that. */
#ifndef IP_FILTER_RANGES_H
#define IP_FILTER_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/check.h>

#define ADDRESS_BYTES 16 /* in network order; of IPv4 the first 4 are used, the rest is 0 */

struct range {
    uint8_t first[ADDRESS_BYTES], last[ADDRESS_BYTES];
};

/* Ranges as they are read, of one family. All zeros is empty. */
struct range_list {
    struct range *ranges; /* owned */
    size_t count, room;
};

/* Adds a range. False: no memory. */
WEIR_MUST_CHECK bool range_list_add(struct range_list *list, const struct range *range);
void range_list_release(struct range_list *list);

/* IPv4: the ranges, and how many of them begin before the address n << 16, for each n. */
struct range4;
struct set4 {
    struct range4 *ranges; /* owned; NULL: empty */
    uint32_t *index;       /* owned */
};

/* IPv6: the ranges, and a tree over the first 64 bits of their beginnings. Level 0 has all of them,
 * each further level every 16th of the one below, up to one that has 16 at most. */
#define SET6_LEVELS 8 /* for 16 ^ 8 ranges */
struct range6;
struct set6 {
    struct range6 *ranges;         /* owned; NULL: empty */
    uint64_t *levels[SET6_LEVELS]; /* owned */
    size_t counts[SET6_LEVELS];
    size_t level_count;
};

/* Make a set of the list's ranges, which are sorted. False: no memory; release it all the same. */
WEIR_MUST_CHECK bool set4_make(struct set4 *set, struct range_list *list);
WEIR_MUST_CHECK bool set6_make(struct set6 *set, struct range_list *list);
void set4_release(struct set4 *set);
void set6_release(struct set6 *set);

/* Whether the set has the address. Any thread. */
bool set4_has(const struct set4 *set, const uint8_t address[4]);
bool set6_has(const struct set6 *set, const uint8_t address[16]);

#endif
