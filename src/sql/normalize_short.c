/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way for the tokens that nearly all statements are made of. It prints what the long way
 * would; what it does not know, or has no room for, it leaves to that. It works on a copy of the
 * run, so that everything is in registers: nothing here may take the copy's address and keep it
 * from being so. */
#include "sql/charset.h"
#include "sql/normalize_run.h"

enum start {
    START_OTHER,
    START_SPACE,
    START_WORD,
    START_DIGIT,
    START_BYTE, /* always a token of its own */
    START_HALF, /* a token of its own unless a byte follows that `half` knows */
    START_STRING,
    START_QUOTED,
    START_PARAM,
};

static const unsigned char starts[256] = {
    ['\t' ... '\r'] = START_SPACE,
    [' '] = START_SPACE,
    ['a' ... 'z'] = START_WORD,
    ['A' ... 'Z'] = START_WORD,
    ['_'] = START_WORD,
    ['$'] = START_WORD,
    ['0' ... '9'] = START_DIGIT,
    ['('] = START_BYTE,
    [')'] = START_BYTE,
    [','] = START_BYTE,
    ['='] = START_BYTE,
    ['+'] = START_BYTE,
    ['%'] = START_BYTE,
    ['.'] = START_HALF,
    ['<'] = START_HALF,
    ['>'] = START_HALF,
    ['-'] = START_HALF,
    ['/'] = START_HALF,
    ['\''] = START_STRING,
    ['"'] = START_STRING,
    ['`'] = START_QUOTED,
    ['?'] = START_PARAM,
};

static bool is_half(unsigned char byte, unsigned char next)
{
    switch (byte) {
    case '.':
        return sql_byte_is(next, SQL_BYTE_DIGIT);
    case '/':
        return next == '*';
    case '-':
        return next == '-' || next == '>';
    default:
        return next == '<' || next == '=' || next == '>';
    }
}

/* Copies size bytes in lower case, eight at a time, writing up to seven more. `left` bytes can be
 * read at from. False: there is a byte above 7F. */
static ALWAYS_INLINE bool lower_copy(unsigned char *to, const unsigned char *from, size_t size,
                                     size_t left)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t high = 0;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t x = 0;
        if (left - i >= 8) {
            memcpy(&x, from + i, 8);
        } else {
            memcpy(&x, from + i, left - i);
        }
        if (size - i < 8) {
            x &= (UINT64_C(1) << (size - i) * 8) - 1; /* little endian: see the assertion */
        }
        uint64_t low = x & (ones * 0x7f);
        uint64_t upper = (low + ones * (0x80 - 'A')) & ~(low + ones * (0x7f - 'Z')) & (ones * 0x80);
        high |= x;
        x |= upper >> 2;
        memcpy(to + i, &x, 8);
    }
    return (high & (ones * 0x80)) == 0;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lower_copy() masks the last bytes");

static ALWAYS_INLINE size_t run_of(const unsigned char *text, size_t at, size_t size,
                                   unsigned classes)
{
    while (at < size && (sql_byte_class[text[at]] & classes) != 0) {
        at++;
    }
    return at;
}

/* Where the number at `at` ends; 0: it is for digest_scan(). */
static ALWAYS_INLINE size_t number_end(const unsigned char *text, size_t at, size_t size,
                                       enum digest_class *class)
{
    *class = DIGEST_INT;
    size_t end = run_of(text, at + 1, size, SQL_BYTE_DIGIT);
    if (text[at] == '0' && end == at + 1 && end < size && sql_byte_is(text[end], SQL_BYTE_WORD)) {
        return 0;
    }
    if (end < size && text[end] == '.') {
        *class = DIGEST_NUMBER;
        end = run_of(text, end + 1, size, SQL_BYTE_DIGIT);
    }
    return end < size && (text[end] == '.' || sql_byte_is(text[end], SQL_BYTE_WORD)) ? 0 : end;
}

/* Where the quoted text at `at` ends, behind its closing quote; 0: it has none, or has escapes or
 * doubled quotes. */
static ALWAYS_INLINE size_t quoted_end(const unsigned char *text, size_t at, size_t size,
                                       bool escapes)
{
    unsigned char quote = text[at];
    size_t end = at + 1;
    while (end < size && text[end] != quote && !(escapes && text[end] == '\\')) {
        end++;
    }
    if (end == size || text[end] != quote || (end + 1 < size && text[end + 1] == quote)) {
        return 0;
    }
    return end + 1;
}

void normalize_short_tokens(struct normalize_run *whole)
{
    struct normalize_run run = *whole;
    const unsigned char *const text = run.scanner.text;
    const size_t size = run.scanner.size;
    for (;;) {
        size_t at = run.scanner.at;
        size_t end;
        enum digest_class class;
        unsigned char byte = 0;
        unsigned start = START_OTHER;
        for (; at < size; at++) {
            byte = text[at];
            start = starts[byte];
            if (start != START_SPACE) {
                break;
            }
        }
        bool room =
            run.capacity - run.size >= SHORT_BYTES + LITERAL_ROOM && run.count < run.token_capacity;
        /* A semicolon may be the last one, and INDEX behind USE a hint. */
        if (at == size || !room || (last(&run, 1) & IS_HINT) != 0) {
            break;
        }
        switch (start) {
        case START_WORD:
            end = run_of(text, at + 1, size, SQL_BYTE_WORD);
            if (end - at > SHORT_BYTES || (end == at + 1 && end < size && text[end] == '\'') ||
                !lower_copy(literal_place(&run), text + at, end - at, size - at)) {
                goto out; /* long, or x'1F' and the like, or not ASCII */
            }
            run.scanner.at = end;
            word(&run, at, end - at);
            continue;
        case START_HALF:
            if (at + 1 == size || is_half(byte, text[at + 1])) {
                goto out;
            }
            /* fall through */
        case START_BYTE:
            run.scanner.at = at + 1;
            begin(&run, normalize_byte_roles[byte]);
            run.text[run.size++] = byte;
            continue;
        case START_QUOTED:
            end = quoted_end(text, at, size, false);
            if (end == 0 || end - at > SHORT_BYTES ||
                !lower_copy(literal_place(&run), text + at + 1, end - at - 2, size - at - 1) ||
                normalize_role_of(literal_place(&run), end - at - 2) != 0) {
                goto out;
            }
            run.scanner.at = end;
            begin(&run, 0);
            run.text[run.size] = '`';
            run.size += end - at;
            run.text[run.size - 1] = '`';
            continue;
        case START_DIGIT:
            end = number_end(text, at, size, &class);
            if (end == 0 || end - at > SHORT_BYTES) {
                goto out;
            }
            break;
        case START_STRING:
            class = DIGEST_STRING;
            end = quoted_end(text, at, size, true);
            if (end == 0 || (end - at == 3 && text[at + 1] == '*')) {
                goto out;
            }
            break;
        case START_PARAM:
            class = DIGEST_PARAM;
            end = at + 1;
            break;
        default:
            goto out;
        }
        run.scanner.at = end;
        value(&run, class, text + at, end - at);
    }
out:
    *whole = run;
}
