/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the length of characters, and the class of each byte, that lexers go by. */
#ifndef WEIR_SQL_CHARSET_H
#define WEIR_SQL_CHARSET_H

#include "sql/mode.h"

/* True for the four character sets whose trail bytes can be ASCII. */
static inline bool sql_charset_is_tricky(enum sql_charset charset)
{
    return charset >= SQL_CHARSET_GBK && charset <= SQL_CHARSET_GB18030;
}

/* Bytes of the character at `at` (at < end) in a tricky character set: 1, 2 or 4. What is no whole
 * character counts as single bytes, as servers have it. */
size_t sql_char_bytes(enum sql_charset charset, const unsigned char *at, const unsigned char *end);

/* Bits of sql_byte_class[]. */
enum {
    SQL_BYTE_SPACE = 1,  /* 09-0D, 20 */
    SQL_BYTE_DIGIT = 2,  /* 0-9 */
    SQL_BYTE_LETTER = 4, /* A-Z a-z _ $ and 80-FF */
    SQL_BYTE_HEX = 8,    /* 0-9 A-F a-f */
    SQL_BYTE_NEVER_BLANK =
        16, /* begins a token whatever follows: letters below 80, digits, most signs */
    SQL_BYTE_WORD = SQL_BYTE_DIGIT | SQL_BYTE_LETTER,
};
extern const unsigned char sql_byte_class[256] SQL_HIDDEN;

static inline bool sql_byte_is(unsigned char byte, unsigned classes)
{
    return (sql_byte_class[byte] & classes) != 0;
}

static inline unsigned char sql_byte_lower(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

/* Whether the span is the word (in lower case), in any case. */
bool sql_span_is(struct sql_span span, const char *word);

/* Whether two spans are equal, ASCII letter case apart. */
bool sql_span_same(struct sql_span a, struct sql_span b);

#endif
