/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the table in which words are looked up; keyword_table.c makes it. */
#ifndef WEIR_SQL_KEYWORD_FIND_H
#define WEIR_SQL_KEYWORD_FIND_H

#include "sql/block.h"
#include "sql/keyword_hash.h"
#include "sql/keywords.h"
#include "sql/mode.h"

/* A free slot has an empty name, and the row of no word. */
union sql_keyword_name {
    char bytes[BLOCK_BYTES];
    block block;
};
struct sql_long_keyword {
    char name[KEYWORD_LONGEST + 1];
    struct sql_keyword keyword;
};
extern const union sql_keyword_name sql_keyword_names[KEYWORD_SLOTS] SQL_HIDDEN;
extern const struct sql_keyword sql_keyword_rows[KEYWORD_SLOTS] SQL_HIDDEN;
extern const struct sql_long_keyword sql_long_keywords[] SQL_HIDDEN; /* by length: */
extern const unsigned char sql_long_keyword_starts[KEYWORD_LONGEST + 2] SQL_HIDDEN;

/* The keyword that the block is, in lower case and filled up with zeros. */
static inline struct sql_keyword sql_keyword_of_block(block lower)
{
    uint64_t half[2];
    memcpy(half, &lower, sizeof half);
    unsigned slot = keyword_slot(half);
    while (block_bits((block)(sql_keyword_names[slot].block == lower)) != BLOCK_ALL &&
           sql_keyword_names[slot].bytes[0] != '\0')
        slot = keyword_slot_after(slot);
    return sql_keyword_rows[slot];
}

#endif
