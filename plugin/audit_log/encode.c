/* SPDX-License-Identifier: Apache-2.0
 *
 * Text that needs no escape is copied in blocks of sixteen and eight bytes: nearly all of it. */
#include "encode.h"

#include <weir/clock.h>
#include <weir/escape.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

char *encode_digits(char *at, uint64_t number)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char digits[ENCODE_DIGITS], *begin = digits + sizeof digits;
    while (number >= 100) {
        begin -= 2;
        memcpy(begin, pairs + 2 * (number % 100), 2);
        number /= 100;
    }
    if (number >= 10) {
        begin -= 2;
        memcpy(begin, pairs + 2 * number, 2);
    } else {
        *--begin = (char)('0' + number);
    }
    size_t size = (size_t)(digits + sizeof digits - begin);
    for (size_t i = 0; i < size; i++)
        at[i] = begin[i];
    return at + size;
}

void encode_number(struct strbuf *out, uint64_t number)
{
    char *at = strbuf_room(out, ENCODE_DIGITS);
    if (at)
        strbuf_end(out, encode_digits(at, number));
}

void encode_time(struct strbuf *out, uint64_t ns)
{
    char *at = strbuf_room(out, CLOCK_RFC3339_BYTES);
    if (!at)
        return;
    clock_rfc3339(ns, at);
    strbuf_end(out, at + CLOCK_RFC3339_BYTES - 1);
}

size_t encode_utf8_size(const unsigned char *at, size_t left)
{
    unsigned char first = at[0];
    size_t size = first < 0x80                     ? 1
                  : first >= 0xc2 && first <= 0xdf ? 2
                  : first >= 0xe0 && first <= 0xef ? 3
                  : first >= 0xf0 && first <= 0xf4 ? 4
                                                   : 0;
    if (size == 0 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] > 0x9f) ||
        (first == 0xf0 && at[1] < 0x90) || (first == 0xf4 && at[1] > 0x8f))
        return 0;
    return size;
}

/* Bytes that JSON takes as they are: printable ASCII without '"' and '\'. */
static inline bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Tests eight bytes in one word: for a byte below, above, or equal to a limit. */
static inline bool are_plain(const unsigned char *at)
{
    const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    uint64_t word, quote, backslash;
    memcpy(&word, at, sizeof word);
    quote = word ^ ones * '"';
    backslash = word ^ ones * '\\';
    return !(((word - ones * 0x20) | (word + ones) | (quote - ones) | (backslash - ones) | word) &
             tops);
}

static void add_escape(struct strbuf *out, unsigned char byte)
{
    static const char names[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char form[ESCAPE_JSON_BYTES] = {'\\'};
    size_t size = 2;
    if (byte < sizeof names && names[byte])
        form[1] = names[byte];
    else
        size = escape_json_byte(byte, form);
    strbuf_add(out, form, size);
}

/* Four to seven bytes: two fours that overlap, looked at as one eight. */
static inline bool copy_short(char *to, const unsigned char *from, size_t size)
{
    unsigned char both[8];
    memcpy(both, from, 4);
    memcpy(both + 4, from + size - 4, 4);
    if (!are_plain(both))
        return false;
    memcpy(to, both, 4);
    memcpy(to + size - 4, both + 4, 4);
    return true;
}

/* Copies up to the first byte that JSON does not take as it is; returns how many it copied. The
 * last block may reach back into the one before. */
static inline size_t copy_plain(char *to, const unsigned char *from, size_t size)
{
    size_t at = 0;
#ifdef __SSE2__
    /* As signed numbers, bytes below 0x20 and above 0x7f are both below 0x20. */
    const __m128i space = _mm_set1_epi8(0x1f), quote = _mm_set1_epi8('"'),
                  backslash = _mm_set1_epi8('\\'), del = _mm_set1_epi8(0x7f);
    for (; size - at >= 16; at += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(from + at));
        __m128i marks = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
            _mm_cmpeq_epi8(block, del));
        if (_mm_movemask_epi8(_mm_andnot_si128(marks, _mm_cmpgt_epi8(block, space))) != 0xffff)
            break;
        _mm_storeu_si128((__m128i *)(void *)(to + at), block);
    }
#endif
    for (; size - at >= 8 && are_plain(from + at); at += 8)
        memcpy(to + at, from + at, 8);
    if (size - at < 8 && size >= 8 && are_plain(from + size - 8)) {
        memcpy(to + size - 8, from + size - 8, 8);
        return size;
    }
    if (at == 0 && size >= 4 && size < 8 && copy_short(to, from, size))
        return size;
    for (; at < size && is_plain(from[at]); at++)
        to[at] = (char)from[at];
    return at;
}

/* Adds what is left of a string, from a byte that is not plain on. */
static bool add_json_rest(struct strbuf *out, const unsigned char *at, const unsigned char *end)
{
    bool is_utf8 = true;
    while (at < end) {
        size_t character = encode_utf8_size(at, (size_t)(end - at));
        if (*at < 0x80) {
            add_escape(out, *at);
        } else if (character) {
            strbuf_add(out, at, character);
        } else {
            strbuf_add(out, "\xef\xbf\xbd", 3); /* U+FFFD, as it is written when it is read again */
            is_utf8 = false;
        }
        at += character ? character : 1;
        char *room = strbuf_room(out, (size_t)(end - at));
        size_t plain = room ? copy_plain(room, at, (size_t)(end - at)) : (size_t)(end - at);
        if (room)
            strbuf_end(out, room + plain);
        at += plain;
    }
    return is_utf8;
}

bool encode_json_rest(struct strbuf *out, char *at, const char *bytes, size_t size)
{
    const unsigned char *from = (const unsigned char *)bytes;
    size_t plain = copy_plain(at, from, size);
    if (plain == size) {
        at[size] = '"';
        strbuf_end(out, at + size + 1);
        return true;
    }
    strbuf_end(out, at + plain);
    bool is_utf8 = add_json_rest(out, from + plain, from + size);
    strbuf_add_byte(out, '"');
    return is_utf8;
}

bool encode_json(struct strbuf *out, const char *bytes, size_t size)
{
    char *at = strbuf_room(out, size + 2);
    if (!at)
        return true;
    *at = '"';
    return encode_json_rest(out, at + 1, bytes, size);
}

void encode_exact_member(struct strbuf *out, const char *key, size_t key_size, weir_string value)
{
    strbuf_add(out, key, key_size - 2); /* without the quote and the colon */
    strbuf_add_text(out, "_base64\":\"");
    encode_base64(out, value.data, value.size);
    strbuf_add_byte(out, '"');
}

void encode_base64(struct strbuf *out, const char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = (const unsigned char *)bytes;
    for (; size; size = size > 3 ? size - 3 : 0, at += 3) {
        uint32_t three = (uint32_t)at[0] << 16 | (size > 1 ? (uint32_t)at[1] << 8 : 0) |
                         (size > 2 ? (uint32_t)at[2] : 0);
        char four[4] = {digits[three >> 18], digits[three >> 12 & 63],
                        size > 1 ? digits[three >> 6 & 63] : '=',
                        size > 2 ? digits[three & 63] : '='};
        strbuf_add(out, four, sizeof four);
    }
}

void encode_csv(struct strbuf *out, const char *bytes, size_t size)
{
    strbuf_add_byte(out, '"');
    for (size_t i = 0; i < size; i++) {
        switch (bytes[i]) {
        case '"':
            strbuf_add(out, "\"\"", 2);
            break;
        case '\n':
            strbuf_add(out, "\\n", 2);
            break;
        case '\r':
            strbuf_add(out, "\\r", 2);
            break;
        case '\0':
            strbuf_add(out, "\\0", 2);
            break;
        case '\\':
            strbuf_add(out, "\\\\", 2);
            break;
        default:
            strbuf_add_byte(out, bytes[i]);
        }
    }
    strbuf_add_byte(out, '"');
}
