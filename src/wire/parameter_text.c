/* SPDX-License-Identifier: Apache-2.0
 *
 * One parameter of the binary protocol as the text that a person would write for it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/parameters.h"

static bool put_integer(const struct wire_parameter *parameter, struct wire_reader *r,
                        unsigned width, struct strbuf *out)
{
    unsigned unused_bits = (64 - 8 * width) % 64;
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)wire_read_u8(r) << (8 * i);
    if (parameter->is_unsigned)
        strbuf_printf(out, "%" PRIu64, value);
    else /* shifted up and down again, to extend the sign */
        strbuf_printf(out, "%" PRId64, (int64_t)(value << unused_bits) >> unused_bits);
    return !r->failed;
}

/* The shortest decimal number that reads back as the same value. */
static bool put_float(struct wire_reader *r, unsigned width, struct strbuf *out)
{
    char text[40];
    if (width == sizeof(float)) {
        uint32_t bits = wire_read_u32(r);
        float value;
        memcpy(&value, &bits, sizeof value);
        for (int digits = 1; digits <= 9; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, (double)value);
            if (strtof(text, NULL) == value)
                break;
        }
    } else {
        uint64_t bits = wire_read_u64(r);
        double value;
        memcpy(&value, &bits, sizeof value);
        for (int digits = 1; digits <= 17; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, value);
            if (strtod(text, NULL) == value)
                break;
        }
    }
    strbuf_add_text(out, text);
    return !r->failed;
}

/* After the length byte: nothing, date, date and time, or those with microseconds. A DATE is a date
 * whatever came with it, and fewer bytes than a date has are none: servers read it so. */
static bool put_date(const struct wire_parameter *parameter, struct wire_reader *r,
                     struct strbuf *out)
{
    size_t size = wire_left(r);
    bool is_date = parameter->type == WIRE_TYPE_DATE || parameter->type == WIRE_TYPE_NEWDATE;
    if (!is_date && size != 0 && size != 4 && size != 7 && size != 11)
        return false;
    unsigned year = size >= 4 ? wire_read_u16(r) : 0;
    unsigned month = size >= 4 ? wire_read_u8(r) : 0;
    unsigned day = size >= 4 ? wire_read_u8(r) : 0;
    strbuf_printf(out, "%04u-%02u-%02u", year, month, day);
    if (is_date)
        return !r->failed;
    unsigned hour = size > 4 ? wire_read_u8(r) : 0;
    unsigned minute = size > 4 ? wire_read_u8(r) : 0;
    unsigned second = size > 4 ? wire_read_u8(r) : 0;
    strbuf_printf(out, " %02u:%02u:%02u", hour, minute, second);
    if (size > 7)
        strbuf_printf(out, ".%06" PRIu32, wire_read_u32(r));
    return !r->failed;
}

/* Behind the length byte: nothing, or sign, days, hours, minutes, seconds, and perhaps
 * microseconds. */
static bool put_time(struct wire_reader *r, struct strbuf *out)
{
    size_t size = wire_left(r);
    if (size != 0 && size != 8 && size != 12)
        return false;
    bool negative = size && wire_read_u8(r) == 1;
    uint64_t hours = size ? (uint64_t)wire_read_u32(r) * 24 : 0;
    hours += size ? wire_read_u8(r) : 0;
    unsigned minute = size ? wire_read_u8(r) : 0;
    unsigned second = size ? wire_read_u8(r) : 0;
    strbuf_printf(out, "%s%02" PRIu64 ":%02u:%02u", negative ? "-" : "", hours, minute, second);
    if (size > 8)
        strbuf_printf(out, ".%06" PRIu32, wire_read_u32(r));
    return !r->failed;
}

bool wire_parameter_text(const struct wire_parameter *parameter, struct strbuf *out)
{
    const struct wire_field_type_info *info = wire_field_type_info(parameter->type);
    struct wire_reader r = wire_reader_of(parameter->raw.data, parameter->raw.size);
    if (parameter->is_null || parameter->is_long_data ||
        parameter->indicator != WIRE_INDICATOR_VALUE)
        return true;
    if (!info)
        return false;
    switch (info->layout) {
    case WIRE_BINARY_NOTHING:
        return true;
    case WIRE_BINARY_INTEGER:
        return put_integer(parameter, &r, info->width, out);
    case WIRE_BINARY_FLOAT:
        return put_float(&r, info->width, out);
    case WIRE_BINARY_DATE:
        return put_date(parameter, &r, out);
    case WIRE_BINARY_TIME:
        return put_time(&r, out);
    case WIRE_BINARY_STRING:
        strbuf_add(out, parameter->raw.data, parameter->raw.size);
        return true;
    }
    return false;
}
