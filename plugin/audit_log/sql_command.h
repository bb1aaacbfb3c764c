/* SPDX-License-Identifier: Apache-2.0
 *
 * MySQL's names of statements ("create_table"), derived from weir's kinds ("CreateTable"). Most are
 * the same words in another spelling; the table in sql_command.c has the others, and those that
 * weir does not distinguish. */
#ifndef AUDIT_LOG_SQL_COMMAND_H
#define AUDIT_LOG_SQL_COMMAND_H

#include "encode.h"

/* Adds MySQL's name of a kind. */
void sql_command_add(struct strbuf *text, weir_string kind);

/* Whether a statement of this kind has MySQL's name `name`. */
bool sql_command_is(weir_string kind, weir_string name);

/* For a name that MySQL has and weir does not distinguish, the coarser name that weir has; NULL for
 * every other one. */
const char *sql_command_coarser(weir_string name);

#endif
