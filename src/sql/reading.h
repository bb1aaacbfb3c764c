/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts that are read the same whatever the session's mode: where the mode is not known, or is one
 * that the lexer does not follow, these can still be relied upon. */
#ifndef WEIR_SQL_READING_H
#define WEIR_SQL_READING_H

#include "sql/mode.h"

/* Whether the text is read the same in every sql_mode and in every character set that a client can
 * use: it holds nothing that depends on them. True of most plain statements without a double quote,
 * a backslash or a byte beyond ASCII; false when in doubt. May be several statements. Takes time
 * in proportion to the text, no memory. */
bool sql_reading_is_fixed(struct sql_span text);

/* Whether how the session reads is known, whatever the text. */
static inline bool sql_mode_is_sure(const struct sql_mode *mode)
{
    return !(mode->unsure || mode->brackets);
}

/* Whether what this room reads in the text is what a session in this mode reads in it. */
static inline bool sql_reading_is_sure(struct sql_span text, const struct sql_mode *mode)
{
    return sql_mode_is_sure(mode) || (!mode->in_code && sql_reading_is_fixed(text));
}

#endif
