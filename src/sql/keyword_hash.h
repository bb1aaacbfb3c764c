/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the perfect hash of the keywords, for the program that makes its table
 * (keyword_table.c) and for those that look words up in it (keywords.h).
 *
 * A word of up to 16 bytes, filled up with zeros, is two numbers; one multiplication mixes them.
 * The topmost bits choose a displacement, which moves the place that the next ones give, so that no
 * two keywords have the same. */
#ifndef WEIR_SQL_KEYWORD_HASH_H
#define WEIR_SQL_KEYWORD_HASH_H

#include <stdint.h>

enum {
    KEYWORD_SLOT_BITS = 10,
    KEYWORD_SLOTS = 1 << KEYWORD_SLOT_BITS,
    KEYWORD_GROUP_BITS = 9,
    KEYWORD_GROUPS = 1 << KEYWORD_GROUP_BITS,
    KEYWORD_LONGEST = 30, /* bytes of the longest keyword */
};

static inline uint64_t keyword_hash(const uint64_t half[2], uint64_t multiplier)
{
    return (half[0] + half[1] * UINT64_C(0x9e3779b97f4a7c15)) * multiplier;
}

static inline unsigned keyword_group(uint64_t hash)
{
    return (unsigned)(hash >> (64 - KEYWORD_GROUP_BITS));
}

static inline unsigned keyword_slot(uint64_t hash, unsigned displacement)
{
    uint64_t place = hash >> (64 - KEYWORD_GROUP_BITS - KEYWORD_SLOT_BITS);
    return (unsigned)(place + displacement) % KEYWORD_SLOTS;
}

#endif
