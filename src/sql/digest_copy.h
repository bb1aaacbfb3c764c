/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the copy of a statement that the short way of the digest reads: in ASCII lower
 * case, with zeros on both sides, so that a reader may look around a token without asking where the
 * text ends; and beside it, byte for byte, which bytes can stand in a word of ASCII. */
#ifndef WEIR_SQL_DIGEST_COPY_H
#define WEIR_SQL_DIGEST_COPY_H

#include "sql/block.h"
#include "sql/mode.h"

/* Zeros around the text, bytes. */
#define DIGEST_PADDING 80

struct digest_copy {
    const unsigned char *text;
    const unsigned char *words; /* FF for a-z 0-9 _ $, 0 for others */
};

/* The memory that a copy of so many bytes needs. */
static inline size_t digest_copy_bytes(size_t size)
{
    return 2 * size + 5 * DIGEST_PADDING;
}

/* Copies the text to memory, which has the room. */
struct digest_copy digest_copy(struct sql_span text, unsigned char *memory);

/* How many bytes from `at` on can stand in a word, counting no further than a block. */
static inline size_t digest_copy_word(const struct digest_copy *copy, size_t at)
{
    return block_run(block_load(copy->words + at));
}

#endif
