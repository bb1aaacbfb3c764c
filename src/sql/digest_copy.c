/* SPDX-License-Identifier: Apache-2.0
 *
 * Making the copy, sixteen bytes at a time. */
#include "sql/digest_copy.h"

static inline void copy_block(block bytes, unsigned char *text, unsigned char *words)
{
    block_store(text, block_lower(bytes));
    block_store(words, block_word(bytes));
}

struct digest_copy digest_copy(struct sql_span text, unsigned char *memory)
{
    unsigned char *lower = memory + DIGEST_PADDING;
    unsigned char *words = lower + text.size + 2 * DIGEST_PADDING;
    const unsigned char *from = (const unsigned char *)text.at;
    const block zeros = {0};
    size_t at = 0;
    block_store(lower - BLOCK_BYTES, zeros);
    for (; text.size - at >= BLOCK_BYTES; at += BLOCK_BYTES)
        copy_block(block_load(from + at), lower + at, words + at);
    copy_block(block_load_part(from, at, text.size), lower + at, words + at);
    /* No store overlaps another: the processor is slow to read what two of them have written. */
    block_store(words + at + BLOCK_BYTES, zeros);
    for (size_t after = 0; after < DIGEST_PADDING; after += BLOCK_BYTES) {
        at += BLOCK_BYTES;
        block_store(lower + at, zeros);
    }
    return (struct digest_copy){lower, words};
}
