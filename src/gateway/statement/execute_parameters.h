/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters of the prepared statement that is being executed, decoded when a plugin asks. */
#ifndef WEIR_GATEWAY_STATEMENT_EXECUTE_PARAMETERS_H
#define WEIR_GATEWAY_STATEMENT_EXECUTE_PARAMETERS_H

#include "gateway/statement/observed.h"

/* The index-th parameter; its value as text goes into text (emptied first), which out points into.
 * false: there is no such parameter, or it cannot be decoded. A bulk execution has the parameters
 * of its rows one after the other. */
bool parameters_get(const struct observed *observed, size_t index, struct strbuf *text,
                    weir_parameter *out);

/* Appends the statement's text with the parameters as literals; of a bulk execution those of the
 * first row. false: no memory. */
bool parameters_expand(const struct observed *observed, struct strbuf *out);

#endif
