/* SPDX-License-Identifier: Apache-2.0
 *
 * What costs something to find out about a statement: kind, digest, normalised text, tables, parts.
 *
 * Computed when a plugin first asks, and remembered in one place: the memo of the statement. A
 * prepared statement keeps its memo from execution to execution; any other statement borrows one of
 * the worker's from the first time that a plugin asks to its end, so that an idle session owns none. */
#ifndef WEIR_GATEWAY_STATEMENT_MEMO_H
#define WEIR_GATEWAY_STATEMENT_MEMO_H

#include "gateway/statement/observed.h"

/* What the handle's source is while facts can be computed; source_data is a struct observed. */
extern const struct plugin_facts_source memo_source;

/* Another statement is current: what was computed of the one before is cleared. */
void memo_next_statement(struct observed *observed);

/* The command is over: gives the memo back. */
void memo_end_command(struct observed *observed);

/* Frees the memo of a prepared statement. NULL is allowed. */
void memo_free(struct memo *memo);

#endif
