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

/* The same, as fine as MySQL's names are, from the statement's text: insert_select, update_multi,
 * show_tables ... For logs, not for filters: sql_mode and what the server makes of comments are not
 * asked, so that who writes a text can have it named otherwise. */
void sql_command_add_finer(struct strbuf *text, weir_string kind, weir_string sql);

/* The kind that has MySQL's name `name`, written into `kind`: "CreateTable"; false: none has. */
bool sql_command_kind(weir_string name, struct strbuf *kind);

/* Whether a statement of this kind has MySQL's name `name`. */
bool sql_command_is(weir_string kind, weir_string name);

/* For a name that MySQL has and weir does not distinguish, the coarser name that weir has; NULL for
 * every other one. */
const char *sql_command_coarser(weir_string name);

#endif
