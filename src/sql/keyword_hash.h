/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the hash of the keywords, for the program that makes its table (keyword_table.c)
 * and for those that look words up in it (keyword_find.h).
 *
 * A word of up to 16 bytes, filled up with zeros, is two numbers; one multiplication mixes them, and
 * the topmost bits are the slot where the word is, or after which it is: the first free one ends the
 * search. */
#ifndef WEIR_SQL_KEYWORD_HASH_H
#define WEIR_SQL_KEYWORD_HASH_H

#include <stdint.h>

enum {
    KEYWORD_SLOT_BITS = 11, /* less than half of the slots are taken */
    KEYWORD_SLOTS = 1 << KEYWORD_SLOT_BITS,
    KEYWORD_LONGEST = 30, /* bytes of the longest keyword */
};

static inline unsigned keyword_slot(const uint64_t half[2])
{
    uint64_t mixed = half[0] + half[1] * UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned)(mixed * UINT64_C(0xd6e8feb86659fd93) >> (64 - KEYWORD_SLOT_BITS));
}

static inline unsigned keyword_slot_after(unsigned slot)
{
    return (slot + 1) % KEYWORD_SLOTS;
}

#endif
