/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters of the prepared statement that is being executed, decoded when a plugin asks. */
#ifndef WEIR_GATEWAY_STATEMENT_EXECUTE_PARAMETERS_H
#define WEIR_GATEWAY_STATEMENT_EXECUTE_PARAMETERS_H

#include "gateway/statement/observed.h"

/* Where a plugin reads. Parameters lie one after the other: the next is found from the one before,
 * and any other from a waypoint near it, so that the time for all of them is proportional to their
 * number, whatever the order. Zeroed: at none. It borrows from the command, and must be reset when
 * that ends. */
struct parameter_cursor {
    bool is_begun;
    size_t index; /* of the parameter that `at` gives next */
    struct wire_parameters at;
    struct waypoints passed; /* of `at` */
};

/* Frees what it owns; it is at none again. */
void parameters_reset(struct parameter_cursor *cursor);

/* The index-th parameter; its value as text goes into text (emptied first), which out points into.
 * A value that is not one of its type is shown as the bytes that came. false: there is no such
 * parameter, or it cannot be found. A bulk execution has the parameters of its rows one after the
 * other. */
bool parameters_get(const struct observed *observed, struct parameter_cursor *cursor, size_t index,
                    struct strbuf *text, weir_parameter *out);

/* The same parameter's origin. */
bool parameters_origin(const struct observed *observed, struct parameter_cursor *cursor,
                       size_t index, weir_parameter_origin *out);

/* Appends the statement's text with the parameters as literals; of a bulk execution those of the
 * first row. false: no memory. */
bool parameters_expand(const struct observed *observed, struct strbuf *out);

#endif
