/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define FIRST_BYTES 1024
#define NS          1000000000U /* in a second */

bool text_grow(struct text *text, size_t more)
{
    size_t capacity = text->capacity ? text->capacity : FIRST_BYTES;
    if (text->failed)
        return false;
    while (capacity - text->size < more && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    char *data = capacity - text->size < more ? NULL : realloc(text->data, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void text_release(struct text *text)
{
    free(text->data);
    memset(text, 0, sizeof *text);
}

char *text_put_number(char *at, uint64_t number)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char digits[TEXT_NUMBER_BYTES], *begin = digits + sizeof digits;
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

void text_add_number(struct text *text, uint64_t number)
{
    char *at = text_room(text, TEXT_NUMBER_BYTES);
    if (at)
        text_end(text, text_put_number(at, number));
}

void text_add_format(struct text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    if (size >= 0 && text_grow(text, (size_t)size + 1)) {
        vsnprintf(text->data + text->size, (size_t)size + 1, format, again);
        text->size += (size_t)size;
    }
    va_end(again);
    va_end(arguments);
}

/* The date changes once a second, and a thread writes thousands of records in one. */
void text_add_time(struct text *text, uint64_t ns)
{
    static __thread time_t shown = -1;
    static __thread char date[sizeof "2026-01-31T23:59:59."];
    time_t seconds = (time_t)(ns / NS);
    if (seconds != shown) {
        struct tm utc;
        gmtime_r(&seconds, &utc);
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S.", &utc);
        shown = seconds;
    }
    char *at = text_room(text, TEXT_TIME_BYTES);
    if (!at)
        return;
    memcpy(at, date, sizeof date - 1);
    at += sizeof date - 1;
    uint32_t microseconds = (uint32_t)(ns % NS / 1000);
    for (int i = 5; i >= 0; i--, microseconds /= 10)
        at[i] = (char)('0' + microseconds % 10);
    at[6] = 'Z';
    text_end(text, at + 7);
}

/* Bytes of the UTF-8 character at `at`, or 0 when there is none: overlong forms, surrogates and
 * what lies beyond U+10FFFF are none. */
static size_t utf8_size(const unsigned char *at, size_t left)
{
    unsigned char first = at[0];
    size_t size = first < 0x80                     ? 1
                  : first >= 0xc2 && first <= 0xdf ? 2
                  : first >= 0xe0 && first <= 0xef ? 3
                  : first >= 0xf0 && first <= 0xf4 ? 4
                                                   : 0;
    if (size == 0 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
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

/* Eight bytes at once; the usual tests for a byte below, a byte above, a byte equal. */
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

static void add_escape(struct text *text, unsigned char byte)
{
    static const char names[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char pair[2] = {'\\', (char)byte};
    if (byte < sizeof names && names[byte])
        pair[1] = names[byte];
    if (byte == '"' || byte == '\\' || pair[1] != (char)byte)
        text_add(text, pair, sizeof pair);
    else
        text_add_format(text, "\\u%04x", byte);
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
static bool add_json_rest(struct text *text, const unsigned char *at, const unsigned char *end)
{
    bool is_utf8 = true;
    while (at < end) {
        size_t character = utf8_size(at, (size_t)(end - at));
        if (*at < 0x80) {
            add_escape(text, *at);
        } else if (character) {
            text_add(text, at, character);
        } else {
            text_add(text, "\\ufffd", 6);
            is_utf8 = false;
        }
        at += character ? character : 1;
        char *room = text_room(text, (size_t)(end - at));
        size_t plain = room ? copy_plain(room, at, (size_t)(end - at)) : (size_t)(end - at);
        if (room)
            text_end(text, room + plain);
        at += plain;
    }
    return is_utf8;
}

bool text_finish_json(struct text *text, char *at, const char *bytes, size_t size)
{
    const unsigned char *from = (const unsigned char *)bytes;
    size_t plain = copy_plain(at, from, size);
    if (plain == size) {
        at[size] = '"';
        text_end(text, at + size + 1);
        return true;
    }
    text_end(text, at + plain);
    bool is_utf8 = add_json_rest(text, from + plain, from + size);
    text_add_byte(text, '"');
    return is_utf8;
}

bool text_add_json(struct text *text, const char *bytes, size_t size)
{
    char *at = text_room(text, size + 2);
    if (!at)
        return true;
    *at = '"';
    return text_finish_json(text, at + 1, bytes, size);
}

void text_add_exact_member(struct text *text, const char *key, size_t key_size, weir_string value)
{
    text_add(text, key, key_size - 2); /* without the quote and the colon */
    text_add_words(text, "_base64\":\"");
    text_add_base64(text, value.data, value.size);
    text_add_byte(text, '"');
}

void text_add_base64(struct text *text, const char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = (const unsigned char *)bytes;
    for (; size; size = size > 3 ? size - 3 : 0, at += 3) {
        uint32_t three = (uint32_t)at[0] << 16 | (size > 1 ? (uint32_t)at[1] << 8 : 0) |
                         (size > 2 ? (uint32_t)at[2] : 0);
        char four[4] = {digits[three >> 18], digits[three >> 12 & 63],
                        size > 1 ? digits[three >> 6 & 63] : '=',
                        size > 2 ? digits[three & 63] : '='};
        text_add(text, four, sizeof four);
    }
}

void text_add_csv(struct text *text, const char *bytes, size_t size)
{
    text_add_byte(text, '"');
    for (size_t i = 0; i < size; i++) {
        switch (bytes[i]) {
        case '"':
            text_add(text, "\"\"", 2);
            break;
        case '\n':
            text_add(text, "\\n", 2);
            break;
        case '\r':
            text_add(text, "\\r", 2);
            break;
        case '\0':
            text_add(text, "\\0", 2);
            break;
        case '\\':
            text_add(text, "\\\\", 2);
            break;
        default:
            text_add_byte(text, bytes[i]);
        }
    }
    text_add_byte(text, '"');
}
