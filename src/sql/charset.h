/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the length of characters, and the class of each byte, that lexers go by. */
#ifndef WEIR_SQL_CHARSET_H
#define WEIR_SQL_CHARSET_H

#include "sql/mode.h"

/* True for the character sets in which a quote or a backslash can be the second byte of a
 * character. */
static inline bool sql_charset_is_tricky(enum sql_charset charset)
{
    return charset >= SQL_CHARSET_GBK && charset <= SQL_CHARSET_CP932;
}

/* Bytes of the character at `at` (at < end): 1 to 4; in UTF8MB4, where no byte of a character is
 * anything else, always 1. What is no whole character counts as single bytes, as servers have it. */
size_t sql_char_bytes(enum sql_charset charset, const unsigned char *at, const unsigned char *end);

/* Bits of sql_byte_class[] and sql_charset_bytes[]; the values are those of sql_byte_class[]. */
enum {
    SQL_BYTE_SPACE = 1,  /* 09-0D, 20 */
    SQL_BYTE_DIGIT = 2,  /* 0-9 */
    SQL_BYTE_LETTER = 4, /* A-Z a-z _ $ and 80-FF: what a name is made of, with digits */
    SQL_BYTE_HEX = 8,    /* 0-9 A-F a-f */
    SQL_BYTE_NEVER_BLANK =
        16, /* begins a token whatever follows: letters below 80, digits, most signs */
    SQL_BYTE_COMMENTS = 32, /* after "--" opens a comment; of sql_charset_bytes[] only */
    SQL_BYTE_HOST = 64,     /* continues @variable or an account's @host; likewise */
    SQL_BYTE_WORD = SQL_BYTE_DIGIT | SQL_BYTE_LETTER,
};

/* TiDB's, whatever the character set; of bytes below 80 they are those of the others, too (but for
 * SWE7, where signs are letters). 85 and A0 are blanks to TiDB where a token would begin. */
extern const unsigned char sql_byte_class[256] SQL_HIDDEN;

/* The same as MariaDB and MySQL have it, for each character set. */
extern const unsigned char sql_charset_bytes[SQL_CHARSETS][256] SQL_HIDDEN;

/* Collations by number, in ascending order. */
struct sql_collations {
    uint16_t first, last; /* both included */
    enum sql_charset charset;
};
extern const struct sql_collations sql_collations[] SQL_HIDDEN;
extern const size_t sql_collations_count SQL_HIDDEN;

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
