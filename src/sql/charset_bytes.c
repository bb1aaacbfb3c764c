/* SPDX-License-Identifier: Apache-2.0
 *
 * Made by tools/charset_tables from what a server says: the class of each byte in each character set. */
#include "sql/charset.h"

/* clang-format off */
#define D (SQL_BYTE_DIGIT | SQL_BYTE_HEX | SQL_BYTE_HOST | SQL_BYTE_NEVER_BLANK)
#define A (SQL_BYTE_LETTER | SQL_BYTE_HOST | SQL_BYTE_NEVER_BLANK)
#define X (A | SQL_BYTE_HEX)
#define N SQL_BYTE_NEVER_BLANK
#define I (SQL_BYTE_LETTER | SQL_BYTE_HOST)
#define M SQL_BYTE_LETTER
#define H SQL_BYTE_HOST
#define B (SQL_BYTE_SPACE | SQL_BYTE_COMMENTS)
#define C SQL_BYTE_COMMENTS
#define O 0
#define ASCII \
    [0x00 ... 0x08] = C, [0x09 ... 0x0d] = B, [0x0e ... 0x1f] = C, [0x20] = B, \
    ['0' ... '9'] = D, ['A' ... 'F'] = X, ['G' ... 'Z'] = A, ['a' ... 'f'] = X, ['g' ... 'z'] = A, ['_'] = A, ['$'] = A, \
    ['('] = N, [')'] = N, [','] = N, ['.'] = N | SQL_BYTE_HOST, ['='] = N, ['\''] = N, ['"'] = N, [';'] = N, ['?'] = N, ['<'] = N, ['>'] = N, \
    ['+'] = N
#define SIGNS ['`'] = N, ['@'] = N
#define DELETE [0x7f] = C

const unsigned char sql_charset_bytes[SQL_CHARSETS][256] = {
    [SQL_CHARSET_ARMSCII8] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        B,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,O,},
    [SQL_CHARSET_ASCII] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,},
    [SQL_CHARSET_BIG5] = {ASCII, SIGNS, DELETE, [0x80] =
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,M,M,M,M,M,M,},
    [SQL_CHARSET_BINARY] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,},
    [SQL_CHARSET_CP1250] = {ASCII, SIGNS, DELETE, [0x80] =
        C,C,O,C,O,O,O,O,C,O,I,O,I,I,I,I,C,O,O,O,O,O,O,O,C,O,I,O,I,I,I,I,
        B,O,O,I,O,I,O,I,O,O,I,O,O,O,O,I,O,O,O,I,O,O,O,O,O,I,I,O,I,O,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,O,},
    [SQL_CHARSET_CP1251] = {ASCII, SIGNS, [0x80] =
        I,I,O,I,O,O,O,O,O,O,I,O,I,I,I,I,I,O,O,O,O,O,O,O,O,O,I,O,I,I,I,I,
        O,I,I,I,O,I,O,O,I,O,I,O,O,O,O,I,O,O,I,I,I,O,O,O,I,O,I,O,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,},
    [SQL_CHARSET_CP1256] = {ASCII, SIGNS, DELETE, [0x80] =
        O,I,O,I,O,O,O,O,O,O,O,O,I,I,I,O,I,O,O,O,O,O,O,O,O,O,O,O,I,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,O,O,O,},
    [SQL_CHARSET_CP1257] = {ASCII, SIGNS, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,I,O,I,O,O,O,O,I,O,O,O,O,O,O,O,O,I,O,I,O,O,O,O,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,O,},
    [SQL_CHARSET_CP850] = {ASCII, SIGNS, DELETE, [0x80] =
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,O,O,
        I,I,I,I,I,I,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,I,I,I,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,I,I,O,O,O,O,O,O,O,O,I,I,I,I,I,I,I,I,I,O,O,O,O,O,I,O,
        I,I,I,I,I,I,O,I,I,I,I,I,I,I,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,C,},
    [SQL_CHARSET_CP852] = {ASCII, SIGNS, [0x80] =
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,
        I,I,I,I,I,I,I,I,I,I,O,I,I,I,O,O,O,O,O,O,O,I,I,I,I,O,O,O,O,I,I,O,
        O,O,O,O,O,O,I,I,O,O,O,O,O,O,O,O,I,I,I,I,I,I,I,I,I,O,O,O,O,I,I,O,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,O,O,O,O,O,O,O,O,O,O,O,I,I,I,O,B,},
    [SQL_CHARSET_CP866] = {ASCII, SIGNS, [0x80] =
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,O,O,O,O,O,O,B,},
    [SQL_CHARSET_CP932] = {ASCII, SIGNS, DELETE, [0x80] =
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,},
    [SQL_CHARSET_DEC8] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        B,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,I,},
    [SQL_CHARSET_EUCJPMS] = {ASCII, SIGNS, DELETE, [0x80] =
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,},
    [SQL_CHARSET_EUCKR] = {ASCII, SIGNS, DELETE, [0x80] =
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,},
    [SQL_CHARSET_GB18030] = {ASCII, SIGNS, DELETE, [0x80] =
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,M,},
    [SQL_CHARSET_GB2312] = {ASCII, SIGNS, DELETE, [0x80] =
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,M,},
    [SQL_CHARSET_GBK] = {ASCII, SIGNS, DELETE, [0x80] =
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,M,},
    [SQL_CHARSET_GEOSTD8] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        B,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,},
    [SQL_CHARSET_GREEK] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        B,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,I,O,I,I,I,O,I,O,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,},
    [SQL_CHARSET_HEBREW] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        B,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,O,C,C,O,},
    [SQL_CHARSET_HP8] = {ASCII, SIGNS, DELETE, [0x80] =
        C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,C,
        C,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,C,C,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,I,O,O,O,O,O,O,I,O,I,I,I,O,O,I,I,O,O,I,I,O,I,I,I,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,C,C,C,C,O,O,O,O,O,O,O,O,O,C,},
    [SQL_CHARSET_KEYBCS2] = {ASCII, SIGNS, [0x80] =
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        I,I,I,I,I,I,O,I,I,I,I,I,O,I,I,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,B,},
    [SQL_CHARSET_KOI8R] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,I,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,I,O,O,O,O,O,O,O,O,O,O,O,O,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,},
    [SQL_CHARSET_KOI8U] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,I,I,O,I,I,O,O,O,O,O,I,O,O,O,O,O,I,I,O,I,I,O,O,O,O,O,I,O,O,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,},
    [SQL_CHARSET_LATIN1] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,I,O,O,O,O,O,O,I,O,I,O,I,O,O,O,O,O,O,O,O,O,O,O,I,O,I,O,I,I,
        B,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,I,},
    [SQL_CHARSET_LATIN2] = {ASCII, SIGNS, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        B,I,O,I,O,I,I,O,O,I,I,I,I,O,I,I,O,I,O,I,O,I,I,O,O,I,I,I,I,O,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,O,I,I,I,I,I,I,I,O,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,O,},
    [SQL_CHARSET_LATIN5] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        B,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,I,},
    [SQL_CHARSET_LATIN7] = {ASCII, SIGNS, DELETE, [0x80] =
        I,C,O,C,O,O,O,O,C,O,C,O,C,O,O,O,C,O,O,O,O,O,O,O,C,O,C,O,C,O,O,C,
        B,C,O,O,O,C,O,O,O,O,I,O,O,O,O,I,O,O,O,O,O,O,O,O,O,O,I,O,O,O,O,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,I,I,O,},
    [SQL_CHARSET_MACCE] = {ASCII, SIGNS, [0x80] =
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        O,O,I,O,O,O,O,I,O,O,O,I,O,O,I,I,I,I,O,O,I,I,O,O,I,I,I,I,I,I,I,I,
        I,I,O,O,I,I,O,O,O,O,O,I,I,I,I,I,O,O,O,O,O,O,O,O,I,I,I,I,O,O,I,I,
        I,I,O,O,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,},
    [SQL_CHARSET_MACROMAN] = {ASCII, SIGNS, [0x80] =
        C,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        O,O,O,O,O,O,O,I,O,O,O,O,O,O,I,I,O,O,O,O,O,O,O,O,O,O,O,O,O,O,I,I,
        O,O,O,O,I,O,O,O,O,O,O,C,I,I,O,O,O,O,O,O,O,O,O,O,I,I,O,O,O,O,O,O,
        O,O,O,O,O,C,I,I,I,I,I,I,I,I,I,I,O,I,I,I,I,I,O,O,O,O,O,O,O,O,O,O,},
    [SQL_CHARSET_SJIS] = {ASCII, SIGNS, DELETE, [0x80] =
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,},
    [SQL_CHARSET_SWE7] = {ASCII, DELETE, [0x40] = H, [0x5b] = I, [0x5c] = H, [0x5d] = I, [0x5e] = I, [0x60] = H, [0x7b] = I, [0x7c] = H, [0x7d] = I, [0x7e] = I, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,},
    [SQL_CHARSET_TIS620] = {ASCII, SIGNS, DELETE, [0x80] =
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,
        O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,O,},
    [SQL_CHARSET_UJIS] = {ASCII, SIGNS, DELETE, [0x80] =
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,
        M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,M,},
    [SQL_CHARSET_UTF8MB4] = {ASCII, SIGNS, DELETE, [0x80] =
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,
        I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,I,O,},
    [SQL_CHARSET_OTHER] = {ASCII, SIGNS, DELETE, [0x80 ... 0xff] = I},
};
