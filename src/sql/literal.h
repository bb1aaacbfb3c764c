/* SPDX-License-Identifier: Apache-2.0
 *
 * Values that a text gives in plain words, so that no server has to evaluate them. */
#ifndef WEIR_SQL_LITERAL_H
#define WEIR_SQL_LITERAL_H

#include "base/base.h"
#include "sql/mode.h"

enum sql_literal_kind {
    SQL_LITERAL_NONE, /* an expression, or a literal whose value depends on the server */
    SQL_LITERAL_TEXT, /* a string of printable ASCII; a bare name, which stands for itself (ON) */
    SQL_LITERAL_INTEGER, /* digits; TRUE and FALSE are 1 and 0 */
    SQL_LITERAL_DECIMAL, /* digits and a point; no exponent */
    SQL_LITERAL_NULL,
    SQL_LITERAL_DEFAULT, /* the word DEFAULT */
};

/* Returns what the expression is. *value is the literal's text, without quotes, and the whole
 * expression for NONE; it points into the expression, which is borrowed, or to a constant. Pure, no
 * allocation. */
WEIR_MUST_CHECK enum sql_literal_kind
sql_literal_read(struct sql_span expression, const struct sql_mode *mode, struct sql_span *value);

#endif
