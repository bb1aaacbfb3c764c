/* SPDX-License-Identifier: Apache-2.0
 *
 * Character sets as a lexer sees them: where characters end, and which of them can hide a quote. */
#include "sql/charset.h"

#include <string.h>

#define S SQL_BYTE_SPACE
#define N SQL_BYTE_NEVER_BLANK
#define D (SQL_BYTE_DIGIT | SQL_BYTE_HEX | N)
#define L (SQL_BYTE_LETTER | N)
#define H (SQL_BYTE_LETTER | SQL_BYTE_HEX | N)
const unsigned char sql_byte_class[256] = {
    [0x09 ... 0x0d] = S, [0x20] = S,        ['0' ... '9'] = D, ['A' ... 'F'] = H,
    ['G' ... 'Z'] = L,   ['a' ... 'f'] = H, ['g' ... 'z'] = L, ['_'] = L,
    ['$'] = L,           ['('] = N,         [')'] = N,         [','] = N,
    ['.'] = N,           ['='] = N,         ['\''] = N,        ['"'] = N,
    ['`'] = N,           [';'] = N,         ['?'] = N,         ['@'] = N,
    ['<'] = N,           ['>'] = N,         ['+'] = N,         [0x80 ... 0xff] = SQL_BYTE_LETTER,
};
#undef N
#undef S
#undef D
#undef L
#undef H

static bool between(unsigned char byte, unsigned char low, unsigned char high)
{
    return byte >= low && byte <= high;
}

size_t sql_char_bytes(enum sql_charset charset, const unsigned char *at, const unsigned char *end)
{
    if (at[0] < 0x80 || end - at < 2)
        return 1;
    unsigned char trail = at[1];
    switch (charset) {
    case SQL_CHARSET_GBK:
        return between(at[0], 0x81, 0xfe) &&
                       (between(trail, 0x40, 0x7e) || between(trail, 0x80, 0xfe))
                   ? 2
                   : 1;
    case SQL_CHARSET_SJIS:
        return (between(at[0], 0x81, 0x9f) || between(at[0], 0xe0, 0xfc)) &&
                       (between(trail, 0x40, 0x7e) || between(trail, 0x80, 0xfc))
                   ? 2
                   : 1;
    case SQL_CHARSET_BIG5:
        return between(at[0], 0xa1, 0xf9) &&
                       (between(trail, 0x40, 0x7e) || between(trail, 0xa1, 0xfe))
                   ? 2
                   : 1;
    case SQL_CHARSET_GB18030:
        if (!between(at[0], 0x81, 0xfe))
            return 1;
        if (between(trail, 0x40, 0x7e) || between(trail, 0x80, 0xfe))
            return 2;
        return between(trail, 0x30, 0x39) && end - at >= 4 && between(at[2], 0x81, 0xfe) &&
                       between(at[3], 0x30, 0x39)
                   ? 4
                   : 1;
    default:
        return 1;
    }
}

bool sql_span_same(struct sql_span a, struct sql_span b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (sql_byte_lower((unsigned char)a.at[i]) != sql_byte_lower((unsigned char)b.at[i]))
            return false;
    return true;
}

bool sql_span_is(struct sql_span span, const char *word)
{
    return sql_span_same(span, (struct sql_span){word, strlen(word)});
}

static const struct {
    const char *name;
    enum sql_charset charset;
} charset_names[] = {
    {"utf8mb4", SQL_CHARSET_UTF8MB4}, {"utf8", SQL_CHARSET_UTF8MB4},
    {"utf8mb3", SQL_CHARSET_UTF8MB4}, {"latin1", SQL_CHARSET_LATIN1},
    {"gbk", SQL_CHARSET_GBK},         {"sjis", SQL_CHARSET_SJIS},
    {"cp932", SQL_CHARSET_SJIS},      {"big5", SQL_CHARSET_BIG5},
    {"gb18030", SQL_CHARSET_GB18030},
};

enum sql_charset sql_charset_from_name(struct sql_span name)
{
    const char *underscore = name.size > 0 ? memchr(name.at, '_', name.size) : NULL;
    if (underscore != NULL)
        name.size = (size_t)(underscore - name.at);
    for (size_t i = 0; i < sizeof charset_names / sizeof charset_names[0]; i++)
        if (sql_span_is(name, charset_names[i].name))
            return charset_names[i].charset;
    return SQL_CHARSET_OTHER;
}

/* The collations of each character set by number; MariaDB's NOPAD variants are 1024 above. */
enum sql_charset sql_charset_from_collation(unsigned collation)
{
    unsigned number = collation & 1023;
    if (number == 28 || number == 87)
        return SQL_CHARSET_GBK;
    if (number == 13 || number == 88 || number == 95 || number == 96)
        return SQL_CHARSET_SJIS;
    if (number == 1 || number == 84)
        return SQL_CHARSET_BIG5;
    if (collation >= 248 && collation <= 250)
        return SQL_CHARSET_GB18030;
    if (number == 5 || number == 8 || number == 15 || number == 31 ||
        (number >= 47 && number <= 49) || number == 94)
        return SQL_CHARSET_LATIN1;
    bool utf8 = number == 33 || number == 83 || number == 45 || number == 46 ||
                (number >= 192 && number <= 247) || (number >= 255 && number <= 323);
    return utf8 || collation >= 2048 ? SQL_CHARSET_UTF8MB4 : SQL_CHARSET_OTHER;
}
