/* SPDX-License-Identifier: Apache-2.0
 *
 * Which names before a parenthesis are the server's own. A server looks for a stored function of an
 * unqualified name only where it has none of its own, and so a statement that calls its own alone runs
 * no routine.
 *
 * The list (builtin.def) has the versions from which on a name is taken: a function that MySQL has and
 * MariaDB lacks can be a stored one there. Of a server that is not known only what all of them have
 * counts. */
#ifndef WEIR_SQL_BUILTIN_H
#define WEIR_SQL_BUILTIN_H

#include "sql/lexer.h"

/* Whether the name, with an opening parenthesis as the next token, is the server's own. `adjacent`: the
 * parenthesis is the next byte, too, without which COUNT and its like are names as any other. */
bool sql_is_builtin(const struct sql_lexer *lexer, const struct sql_token *name, bool adjacent);

#endif
