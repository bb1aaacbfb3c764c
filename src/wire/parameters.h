/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client sends with a statement: the text of COM_QUERY, the parameters of COM_STMT_EXECUTE
 * and of MariaDB's COM_STMT_BULK_EXECUTE, and MySQL's query attributes, which change the layout of
 * the first two.
 *
 *     wire_execute_begin(&execute, payload, size, capabilities, prepared_parameters, remembered,
 *                        long_data);
 *     while (wire_parameter_next(&execute.parameters, &parameter))
 *         wire_parameter_text(&parameter, &text);
 *
 * Parameters are walked in place, nothing is allocated. The client names the types only when they
 * change: when execute.types.data is not NULL, the owner keeps a copy of those bytes, and gives it
 * back with the next execution. payload always begins with the command byte. All functions are
 * pure: any thread. */
#ifndef WEIR_WIRE_PARAMETERS_H
#define WEIR_WIRE_PARAMETERS_H

#include "wire/bytes.h"
#include "wire/protocol.h"

/* X(code, enumerator): what stands in place of a value in a bulk row. */
#define WIRE_INDICATORS(X)                                                                         \
    X(0, WIRE_INDICATOR_VALUE)                                                                     \
    X(1, WIRE_INDICATOR_NULL)                                                                      \
    X(2, WIRE_INDICATOR_DEFAULT)                                                                   \
    X(3, WIRE_INDICATOR_IGNORE)

enum wire_indicator {
#define X(code, enumerator) enumerator = (code),
    WIRE_INDICATORS(X)
#undef X
};

struct wire_parameter {
    uint32_t row;   /* of a bulk execution; else 0 */
    uint32_t index; /* from 0 */
    uint8_t type;   /* enum wire_field_type */
    bool is_unsigned;
    bool is_null;
    bool is_long_data;       /* the value came with COM_STMT_SEND_LONG_DATA: raw is empty. Servers
                                take it whatever the NULL bit says, which mysqlnd sets */
    uint8_t indicator;       /* enum wire_indicator; WIRE_INDICATOR_VALUE outside bulk rows */
    struct wire_string name; /* of a query attribute; data NULL: an ordinary parameter */
    struct wire_string raw;  /* the value's bytes, without their length */
};

struct wire_parameters {
    uint32_t count;
    bool failed; /* the packet ended early, or had a type of unknown length */
    /* The rest is private to the room. */
    uint32_t index, row;
    bool named, bulk;
    const uint8_t *nulls;     /* bitmap of `count` bits; NULL: none */
    const uint8_t *long_data; /* the same, for values that were sent before */
    uint32_t long_data_count; /* bits in it */
    struct wire_reader types, types_again, values;
};

/* Reads the next parameter. Returns false after the last one, or if failed. */
WEIR_MUST_CHECK bool wire_parameter_next(struct wire_parameters *parameters,
                                         struct wire_parameter *parameter);

/* Appends the value as text: numbers in decimal, dates as '2026-01-31 23:59:59.000001', strings as
 * they are; nothing for NULL and long data (see is_null, is_long_data). Returns false if the bytes are
 * not a value of that type. */
WEIR_MUST_CHECK bool wire_parameter_text(const struct wire_parameter *parameter,
                                         struct strbuf *out);

struct wire_query {
    struct wire_string text;
    struct wire_parameters attributes; /* count 0 without CLIENT_QUERY_ATTRIBUTES */
};

WEIR_MUST_CHECK bool wire_decode_query(const uint8_t *payload, size_t size, uint64_t capabilities,
                                       struct wire_query *query);

struct wire_execute {
    uint32_t statement_id; /* WIRE_STATEMENT_LAST: the one prepared last (MariaDB) */
    uint8_t flags;         /* low bits: cursor type, 0 for none */
    struct wire_parameters parameters;
    struct wire_string types; /* types as sent, to be remembered; data NULL: none were sent */
    const uint8_t
        *values; /* where they begin, after the flag of the types or these; NULL: there are none */
};

/* prepared_parameters: number that PREPARE_OK announced. remembered: types of the last execution
 * that sent any (size 0: none); borrowed as long as the walk lasts. long_data: bitmap of
 * prepared_parameters bits, set for those that COM_STMT_SEND_LONG_DATA has given a value; may be
 * NULL. */
bool wire_execute_begin(struct wire_execute *execute, const uint8_t *payload, size_t size,
                        uint64_t capabilities, uint32_t prepared_parameters,
                        struct wire_string remembered, const uint8_t *long_data);

#define WIRE_BULK_UNIT_RESULTS 0x40
#define WIRE_BULK_SEND_TYPES   0x80

struct wire_bulk_execute {
    uint32_t statement_id;
    uint16_t flags;                    /* WIRE_BULK_* */
    struct wire_parameters parameters; /* all rows, one after the other: see parameter.row */
    struct wire_string types;
};

bool wire_bulk_execute_begin(struct wire_bulk_execute *execute, const uint8_t *payload, size_t size,
                             uint32_t prepared_parameters, struct wire_string remembered);

#endif
