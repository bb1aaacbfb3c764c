/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking over parameters in place.
 *
 * Two readers go side by side: `types` over the type section (type, flags, and a name where
 * attributes are negotiated) and `values` over the values. In a bulk execution `types` starts again
 * with every row. */
#include <assert.h>
#include <string.h>

#include "wire/parameters.h"

enum {
    PARAMETER_COUNT_AVAILABLE = 0x08, /* flag of COM_STMT_EXECUTE */
    UNSIGNED = 0x80,                  /* flag beside the type */
};

static bool bit_is_set(const uint8_t *bitmap, uint32_t index)
{
    return bitmap && bitmap[index / 8] & (1U << (index % 8));
}

/* The types of `count` parameters: false when the packet ends before. */
static bool skip_types(struct wire_reader *r, uint32_t count, bool named)
{
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        wire_skip(r, 2);
        if (named)
            wire_read_lenenc_string(r);
    }
    return !r->failed;
}

/* Null bitmap, flag, types: the part before the values. types gets the type section when it was
 * sent. */
static bool begin_values(struct wire_parameters *p, struct wire_reader *r,
                         struct wire_string remembered, struct wire_string *types)
{
    struct wire_string nulls = wire_read_bytes(r, (p->count + 7) / 8);
    bool sends_types = wire_read_u8(r) != 0;
    if (r->failed)
        return false;
    p->nulls = (const uint8_t *)nulls.data;
    if (sends_types) {
        const uint8_t *start = r->pos;
        if (!skip_types(r, p->count, p->named))
            return false;
        *types = (struct wire_string){(const char *)start, (size_t)(r->pos - start)};
        remembered = *types;
    }
    p->types = p->types_again = wire_reader_of(remembered.data, remembered.size);
    p->values = *r;
    return true;
}

static struct wire_string read_value(struct wire_reader *r, uint8_t type)
{
    const struct wire_field_type_info *info = wire_field_type_info(type);
    if (info) {
        switch (info->layout) {
        case WIRE_BINARY_NOTHING:
            return (struct wire_string){"", 0};
        case WIRE_BINARY_INTEGER:
        case WIRE_BINARY_FLOAT:
            return wire_read_bytes(r, info->width);
        case WIRE_BINARY_DATE:
        case WIRE_BINARY_TIME:
            return wire_read_bytes(r, wire_read_u8(r));
        case WIRE_BINARY_STRING:
            return wire_read_lenenc_string(r);
        }
    }
    r->failed = true;
    return (struct wire_string){NULL, 0};
}

/* Steps to the next row of a bulk execution; false when there is none. */
static bool next_row(struct wire_parameters *p)
{
    if (p->index < p->count)
        return true;
    if (!p->bulk || p->count == 0 || wire_left(&p->values) == 0)
        return false;
    p->index = 0;
    p->row++;
    p->types = p->types_again;
    return true;
}

bool wire_parameter_next(struct wire_parameters *parameters, struct wire_parameter *parameter)
{
    struct wire_parameters *p = parameters;
    assert(p->index <= p->count);
    if (p->failed || !next_row(p) || (p->bulk && p->index == 0 && wire_left(&p->values) == 0))
        return false;
    *parameter = (struct wire_parameter){.row = p->row, .index = p->index, .raw = {"", 0}};
    parameter->type = wire_read_u8(&p->types);
    parameter->is_unsigned = wire_read_u8(&p->types) & UNSIGNED;
    if (p->named)
        parameter->name = wire_read_lenenc_string(&p->types);
    if (p->bulk)
        parameter->indicator = wire_read_u8(&p->values);
    parameter->is_long_data = p->index < p->long_data_count && bit_is_set(p->long_data, p->index);
    parameter->is_null = !parameter->is_long_data &&
                         (bit_is_set(p->nulls, p->index) || parameter->type == WIRE_TYPE_NULL ||
                          parameter->indicator == WIRE_INDICATOR_NULL);
    if (!parameter->is_null && !parameter->is_long_data &&
        parameter->indicator == WIRE_INDICATOR_VALUE && !p->types.failed)
        parameter->raw = read_value(&p->values, parameter->type);
    p->failed = p->types.failed || p->values.failed;
    p->index++;
    return !p->failed;
}

bool wire_decode_query(const uint8_t *payload, size_t size, uint64_t capabilities,
                       struct wire_query *query)
{
    struct wire_reader r = wire_reader_of(payload, size);
    struct wire_string types = {NULL, 0};
    struct wire_string none = {NULL, 0};
    *query = (struct wire_query){0};
    wire_skip(&r, 1);
    if (capabilities & WIRE_CAP(CLIENT_QUERY_ATTRIBUTES)) {
        uint64_t count = wire_read_lenenc(&r);
        wire_read_lenenc(&r); /* number of sets: always 1 */
        if (r.failed || count > size)
            return false;
        if (count > 0) {
            struct wire_parameters *attributes = &query->attributes;
            struct wire_parameter attribute;
            *attributes = (struct wire_parameters){.count = (uint32_t)count, .named = true};
            if (!begin_values(attributes, &r, none, &types))
                return false;
            struct wire_parameters walk = *attributes;
            while (wire_parameter_next(&walk, &attribute))
                continue;
            if (walk.failed)
                return false;
            r = walk.values;
        }
    }
    query->text = wire_read_rest(&r);
    return !r.failed;
}

bool wire_execute_begin(struct wire_execute *execute, const uint8_t *payload, size_t size,
                        uint64_t capabilities, uint32_t prepared_parameters,
                        struct wire_string remembered, const uint8_t *long_data)
{
    struct wire_reader r = wire_reader_of(payload, size);
    struct wire_parameters *p = &execute->parameters;
    bool attributes = capabilities & WIRE_CAP(CLIENT_QUERY_ATTRIBUTES);
    *execute = (struct wire_execute){0};
    wire_skip(&r, 1);
    execute->statement_id = wire_read_u32(&r);
    execute->flags = wire_read_u8(&r);
    wire_skip(&r, 4); /* iterations: always 1 */
    uint64_t count = prepared_parameters;
    if (attributes && execute->flags & PARAMETER_COUNT_AVAILABLE)
        count = wire_read_lenenc(&r);
    if (r.failed || count > 8 * (uint64_t)size)
        return false;
    *p = (struct wire_parameters){.count = (uint32_t)count, .named = attributes};
    p->long_data = long_data;
    p->long_data_count = prepared_parameters;
    if (count == 0)
        return true;
    const bool is_whole = begin_values(p, &r, remembered, &execute->types);
    execute->values = p->values.pos;
    return is_whole;
}

bool wire_bulk_execute_begin(struct wire_bulk_execute *execute, const uint8_t *payload, size_t size,
                             uint32_t prepared_parameters, struct wire_string remembered)
{
    struct wire_reader r = wire_reader_of(payload, size);
    struct wire_parameters *p = &execute->parameters;
    *execute = (struct wire_bulk_execute){0};
    wire_skip(&r, 1);
    execute->statement_id = wire_read_u32(&r);
    execute->flags = wire_read_u16(&r);
    if (r.failed || prepared_parameters > size)
        return false;
    *p = (struct wire_parameters){.count = prepared_parameters, .bulk = true};
    if (execute->flags & WIRE_BULK_SEND_TYPES) {
        const uint8_t *start = r.pos;
        if (!skip_types(&r, p->count, false))
            return false;
        execute->types = (struct wire_string){(const char *)start, (size_t)(r.pos - start)};
        remembered = execute->types;
    }
    p->types = p->types_again = wire_reader_of(remembered.data, remembered.size);
    p->values = r;
    return true;
}
