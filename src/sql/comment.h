/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: comments in the server's lexer, and which of them are code. */
#ifndef WEIR_SQL_COMMENT_H
#define WEIR_SQL_COMMENT_H

#include "sql/lexer.h"

/* With the lexer at a slash and star: skips the comment, or, when it is code, only what opens it
 * (lexer->in_code is set then). False: it has no end. */
bool sql_comment_skip(struct sql_lexer *lexer);

/* Where the first end of comment at or after `at` ends, or 0. */
size_t sql_comment_end(const unsigned char *text, size_t size, size_t at);

/* TiDB's feature comments: with `at` right after slash, star, T and bang, tells whether TiDB runs
 * what follows, and sets *at after the list of features if there is one. */
bool sql_comment_tidb_runs(const unsigned char *text, size_t size, size_t *at);

#endif
