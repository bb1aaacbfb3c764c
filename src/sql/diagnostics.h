/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements that read what the statement before them has left: ROW_COUNT(), FOUND_ROWS(), SHOW
 * WARNINGS, SHOW ERRORS, @@warning_count, @@error_count, GET DIAGNOSTICS,
 * information_schema.OPTIMIZER_TRACE. Whatever is sent to the server between the two would wipe that
 * out. */
#ifndef WEIR_SQL_DIAGNOSTICS_H
#define WEIR_SQL_DIAGNOSTICS_H

#include "base/base.h"
#include "sql/mode.h"

/* Returns true if the text may read the diagnostics of the statement before it: if one of these
 * words stands anywhere in it, in a string, a comment or a longer name, too. Says true too often,
 * and false wrongly only where the word is not in the text (CONCAT('row_', 'count()')). Looks at
 * each byte once; borrows the text. */
WEIR_MUST_CHECK bool sql_reads_diagnostics(struct sql_span text);

#endif
