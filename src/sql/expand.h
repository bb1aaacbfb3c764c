/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a prepared statement with its parameters written as literals in place of the markers,
 * for logs and for people. The result means the same to the server as the execution did, up to the
 * types of literals (a DECIMAL parameter is a decimal literal, a temporal one a string). */
#ifndef WEIR_SQL_EXPAND_H
#define WEIR_SQL_EXPAND_H

#include "base/base.h"
#include "sql/mode.h"

enum sql_parameter_kind {
    SQL_PARAMETER_NULL,
    SQL_PARAMETER_NUMBER,  /* written as it is: integers, decimals, floating point */
    SQL_PARAMETER_TEXT,    /* in quotes, in the connection's character set; dates and times, too */
    SQL_PARAMETER_BYTES,   /* x'...' */
    SQL_PARAMETER_DEFAULT, /* MariaDB's indicators: DEFAULT, and IGNORE */
    SQL_PARAMETER_IGNORE,
    SQL_PARAMETER_UNKNOWN, /* not kept (too long) or not understood: stays a question mark */
};

struct sql_parameter {
    enum sql_parameter_kind kind;
    struct sql_span text; /* the value as text, or the bytes; borrowed. size is in bytes */
};

/* Adds the text to out, at most `limit` bytes of it (0: no limit; it is then cut in the middle of
 * whatever stands there). Markers beyond the parameters stay question marks. Marks out->failed when
 * there is no memory. Returns the number of markers found. */
size_t sql_expand(struct strbuf *out, struct sql_span statement, const struct sql_mode *mode,
                  const struct sql_parameter *parameters, size_t count, size_t limit);

/* Adds one value as a literal. */
void sql_expand_literal(struct strbuf *out, const struct sql_parameter *parameter,
                        const struct sql_mode *mode);

#endif
