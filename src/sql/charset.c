/* SPDX-License-Identifier: Apache-2.0
 *
 * Character sets as a lexer sees them: where characters end, and which of them can hide a quote. */
#include "sql/charset.h"

#include <string.h>

#define S (SQL_BYTE_SPACE | SQL_BYTE_COMMENTS)
#define N SQL_BYTE_NEVER_BLANK
#define D (SQL_BYTE_DIGIT | SQL_BYTE_HEX | SQL_BYTE_HOST | N)
#define L (SQL_BYTE_LETTER | SQL_BYTE_HOST | N)
#define H (L | SQL_BYTE_HEX)
const unsigned char sql_byte_class[256] = {
    [0x09 ... 0x0d] = S,
    [0x20] = S,
    ['0' ... '9'] = D,
    ['A' ... 'F'] = H,
    ['G' ... 'Z'] = L,
    ['a' ... 'f'] = H,
    ['g' ... 'z'] = L,
    ['_'] = L,
    ['$'] = L,
    ['('] = N,
    [')'] = N,
    [','] = N,
    ['.'] = N | SQL_BYTE_HOST,
    ['='] = N,
    ['\''] = N,
    ['"'] = N,
    ['`'] = N,
    [';'] = N,
    ['?'] = N,
    ['@'] = N,
    ['<'] = N,
    ['>'] = N,
    ['+'] = N,
    [0x80 ... 0xff] = SQL_BYTE_LETTER | SQL_BYTE_HOST,
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

/* Two bytes where the first is a lead and the second a trail of either range; else one. */
static size_t two_bytes(bool is_lead, bool is_trail)
{
    return is_lead && is_trail ? 2 : 1;
}

static size_t euc_jp_bytes(const unsigned char *at, const unsigned char *end)
{
    if (at[0] == 0x8e)
        return two_bytes(true, between(at[1], 0xa1, 0xdf));
    if (at[0] == 0x8f)
        return end - at >= 3 && between(at[1], 0xa1, 0xfe) && between(at[2], 0xa1, 0xfe) ? 3 : 1;
    return two_bytes(between(at[0], 0xa1, 0xfe), between(at[1], 0xa1, 0xfe));
}

static size_t gb18030_bytes(const unsigned char *at, const unsigned char *end)
{
    bool is_lead = between(at[0], 0x81, 0xfe);
    if (is_lead && end - at >= 4 && between(at[1], 0x30, 0x39) && between(at[2], 0x81, 0xfe) &&
        between(at[3], 0x30, 0x39))
        return 4;
    return two_bytes(is_lead, between(at[1], 0x40, 0x7e) || between(at[1], 0x80, 0xfe));
}

size_t sql_char_bytes(enum sql_charset charset, const unsigned char *at, const unsigned char *end)
{
    if (at[0] < 0x80 || end - at < 2)
        return 1;
    unsigned char lead = at[0], trail = at[1];
    switch (charset) {
    case SQL_CHARSET_GBK:
        return two_bytes(between(lead, 0x81, 0xfe),
                         between(trail, 0x40, 0x7e) || between(trail, 0x80, 0xfe));
    case SQL_CHARSET_SJIS:
    case SQL_CHARSET_CP932:
        return two_bytes(between(lead, 0x81, 0x9f) || between(lead, 0xe0, 0xfc),
                         between(trail, 0x40, 0x7e) || between(trail, 0x80, 0xfc));
    case SQL_CHARSET_BIG5:
        return two_bytes(between(lead, 0xa1, 0xf9),
                         between(trail, 0x40, 0x7e) || between(trail, 0xa1, 0xfe));
    case SQL_CHARSET_EUCKR:
        return two_bytes(between(lead, 0x81, 0xfe), between(trail, 'A', 'Z') ||
                                                        between(trail, 'a', 'z') ||
                                                        between(trail, 0x81, 0xfe));
    case SQL_CHARSET_GB2312:
        return two_bytes(between(lead, 0xa1, 0xf7), between(trail, 0xa1, 0xfe));
    case SQL_CHARSET_UJIS:
    case SQL_CHARSET_EUCJPMS:
        return euc_jp_bytes(at, end);
    case SQL_CHARSET_GB18030:
        return gb18030_bytes(at, end);
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

const char *sql_charset_name(enum sql_charset charset)
{
    static const char *const names[] = {
#define X(enumerator, name) [SQL_CHARSET_##enumerator] = (name),
        SQL_CHARSET_ROWS(X)
#undef X
    };
    return charset < SQL_CHARSET_OTHER ? names[charset] : NULL;
}

enum sql_charset sql_charset_from_name(struct sql_span name)
{
    static const char *const names[] = {
#define X(enumerator, name) [SQL_CHARSET_##enumerator] = (name),
        SQL_CHARSET_ROWS(X)
#undef X
    };
    const char *underscore = name.size > 0 ? memchr(name.at, '_', name.size) : NULL;
    if (underscore != NULL)
        name.size = (size_t)(underscore - name.at);
    if (sql_span_is(name, "utf8") || sql_span_is(name, "utf8mb3"))
        return SQL_CHARSET_UTF8MB4;
    enum sql_charset charset = SQL_CHARSET_UTF8MB4;
    while (charset < SQL_CHARSET_OTHER && !sql_span_is(name, names[charset]))
        charset++;
    return charset;
}

enum sql_charset sql_charset_from_collation(unsigned collation)
{
    for (size_t i = 0; i < sql_collations_count && sql_collations[i].first <= collation; i++)
        if (collation <= sql_collations[i].last)
            return sql_collations[i].charset;
    return SQL_CHARSET_OTHER;
}
