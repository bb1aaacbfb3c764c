/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding any of eight words in one pass: each of them has a pair of letters that is rare in
 * statements (row_count, found_rows, diagnostics: "w_", "d_", "gn"; warnings, warning_count: "rn";
 * errors, error_count: "rr"; optimizer_trace: "iz"), sixteen places at a time are looked at for one of these pairs, and
 * only where one stands are the words compared. A text can be 64 MiB long and all sessions of the thread
 * wait for the answer. */
#include "sql/diagnostics.h"

#include <assert.h>
#include <string.h>

#include "sql/block.h"
#include "sql/charset.h"

/* Whether a pair begins at each of 16 bytes; `next` is what follows each. */
static block may_be_at(block bytes, block next)
{
    /* Lower case; '_' becomes 7F here and there. */
    const unsigned char underscore = '_' | 0x20;
    bytes |= 0x20;
    next |= 0x20;
    return (block_is(bytes, 'r') & (block_is(next, 'r') | block_is(next, 'n'))) |
           (block_is(next, underscore) & (block_is(bytes, 'w') | block_is(bytes, 'd'))) |
           (block_is(bytes, 'g') & block_is(next, 'n')) |
           (block_is(bytes, 'i') & block_is(next, 'z'));
}

/* Whether the word (in lower case) stands in the text with its `anchor`-th byte at `at`. */
static bool is_at(struct sql_span text, size_t at, const char *word, size_t anchor)
{
    size_t size = strlen(word);
    return at >= anchor && text.size - (at - anchor) >= size &&
           sql_byte_lower((unsigned char)text.at[at - anchor]) == (unsigned char)word[0] &&
           sql_span_is((struct sql_span){text.at + (at - anchor), size}, word);
}

/* Whether one of the words stands in the text with its pair at `at`: two comparisons at most. */
static bool is_word_around(struct sql_span text, size_t at)
{
    switch (sql_byte_lower((unsigned char)text.at[at])) {
    case 'w':
        return is_at(text, at, "row_count", 2);
    case 'd':
        return is_at(text, at, "found_rows", 4);
    case 'g':
        return is_at(text, at, "diagnostics", 3);
    case 'i':
        return is_at(text, at, "optimizer_trace", 5);
    default: /* rn, rr */
        return at + 1 < text.size && sql_byte_lower((unsigned char)text.at[at + 1]) == 'n'
                   ? is_at(text, at, "warnings", 2) || is_at(text, at, "warning_count", 2)
                   : is_at(text, at, "errors", 1) || is_at(text, at, "error_count", 1);
    }
}

bool sql_reads_diagnostics(struct sql_span text)
{
    assert(text.at || text.size == 0);
    const unsigned char *bytes = (const unsigned char *)text.at;
    for (size_t at = 0; at < text.size; at += BLOCK_BYTES) {
        block here = block_load_at(bytes, at, text.size);
        block next = block_load_at(bytes, at + 1, text.size);
        unsigned found = block_bits(may_be_at(here, next));
        for (; found; found &= found - 1)
            if (is_word_around(text, at + (size_t)__builtin_ctz(found)))
                return true;
    }
    return false;
}
