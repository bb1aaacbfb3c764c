/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

void text_add_number(struct text *text, uint64_t number)
{
    char digits[20], *at = digits + sizeof digits;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    text_add(text, at, (size_t)(digits + sizeof digits - at));
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
    char fraction[7];
    uint32_t microseconds = (uint32_t)(ns % NS / 1000);
    for (int i = 5; i >= 0; i--, microseconds /= 10)
        fraction[i] = (char)('0' + microseconds % 10);
    fraction[6] = 'Z';
    text_add(text, date, sizeof date - 1);
    text_add(text, fraction, sizeof fraction);
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

bool text_add_json(struct text *text, const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + size;
    bool is_utf8 = true;
    text_add_byte(text, '"');
    while (at < end) {
        const unsigned char *begin = at;
        while (end - at >= 8 && are_plain(at))
            at += 8;
        while (at < end && is_plain(*at))
            at++;
        text_add(text, begin, (size_t)(at - begin));
        if (at == end)
            break;
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
    }
    text_add_byte(text, '"');
    return is_utf8;
}

void text_add_json_member(struct text *text, const char *name, weir_string value)
{
    text_add(text, ",\"", 2);
    text_add_words(text, name);
    text_add(text, "\":", 2);
    if (text_add_json(text, value.data, value.size))
        return;
    text_add(text, ",\"", 2);
    text_add_words(text, name);
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
