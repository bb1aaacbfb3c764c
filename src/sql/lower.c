/* SPDX-License-Identifier: Apache-2.0
 *
 * Unicode's simple lower-case mappings over UTF-8, as Go has them: strict decoding (no overlong
 * forms, no surrogates, nothing above 10FFFF), one replacement character for each byte that does
 * not decode. */
#include "sql/lower.h"

#include <stdbool.h>
#include <stdint.h>

static const struct {
    uint32_t first, last;
    uint32_t step;
    int32_t delta;
} ranges[] = {
#define X(first, last, step, delta) {first, last, step, delta},
#include "sql/lower.def"
#undef X
};

static uint32_t lower(uint32_t point)
{
    if (point < 0x80)
        return point >= 'A' && point <= 'Z' ? point + 32 : point;
    size_t low = 0;
    size_t high = sizeof ranges / sizeof ranges[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (point > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == sizeof ranges / sizeof ranges[0] || point < ranges[low].first ||
        (point - ranges[low].first) % ranges[low].step != 0)
        return point;
    return (uint32_t)((int32_t)point + ranges[low].delta);
}

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The code point at `at`; returns its bytes, or 0 when there is none. */
static size_t decode(const unsigned char *at, size_t left, uint32_t *point)
{
    if (at[0] < 0x80) {
        *point = at[0];
        return 1;
    }
    size_t bytes = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || bytes > left)
        return 0;
    uint32_t value = at[0] & (0x7fU >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if (!is_continuation(at[i]))
            return 0;
        value = value << 6 | (at[i] & 0x3fU);
    }
    bool overlong = (bytes == 3 && value < 0x800) || (bytes == 4 && value < 0x10000);
    if (overlong || (value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff)
        return 0;
    *point = value;
    return bytes;
}

static size_t encode(uint32_t point, unsigned char *out)
{
    if (point < 0x80) {
        out[0] = (unsigned char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (unsigned char)(0xc0 | point >> 6);
        out[1] = (unsigned char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (unsigned char)(0xe0 | point >> 12);
        out[1] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (unsigned char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (unsigned char)(0xf0 | point >> 18);
    out[1] = (unsigned char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (unsigned char)(0x80 | (point & 0x3f));
    return 4;
}

size_t sql_lower_utf8(const unsigned char *in, size_t size, unsigned char *out)
{
    const unsigned char *end = in + size;
    unsigned char *start = out;
    while (in < end) {
        uint32_t point = 0xfffd;
        size_t bytes = decode(in, (size_t)(end - in), &point);
        in += bytes > 0 ? bytes : 1;
        out += encode(lower(point), out);
    }
    return (size_t)(out - start);
}
