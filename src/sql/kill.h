/* SPDX-License-Identifier: Apache-2.0
 *
 * KILL: taken apart, and with other ids in place of those that are written. A gateway needs both,
 * because the ids that its clients know are not the server's. */
#ifndef WEIR_SQL_KILL_H
#define WEIR_SQL_KILL_H

#include "base/base.h"
#include "sql/kind.h"
#include "sql/mode.h"
#include "sql/named.h"

/* KILL [TIDB] [HARD | SOFT] [CONNECTION | QUERY [ID]] number. */
struct sql_kill {
    bool query;       /* only the statement, not the connection */
    bool by_query_id; /* QUERY ID n: the number is a query's, not a connection's */
    bool soft;
    /* What stands for the id. None of them: USER name, or another expression. */
    bool is_number, is_parameter, is_variable;
    bool is_kept;       /* sql_kill_alone(): PREPARE keeps it under a name, and does not run it */
    uint64_t number;    /* 0: it is no number */
    struct sql_span id; /* where the number, '?' or @name stands, to be replaced by a number */
};

/* Returns whether the statement is a KILL, and takes it apart. id points into the statement,
 * which is borrowed. */
WEIR_MUST_CHECK bool sql_kill(struct sql_span statement, const struct sql_mode *mode,
                              struct sql_kill *kill);

/* Returns whether a KILL is all that the statement does, and takes it apart: KILL itself, what SET
 * STATEMENT or the string of EXECUTE IMMEDIATE runs, the only statement of BEGIN NOT ATOMIC ... END, what a
 * name of `named` (NULL: none is known) stands for, and the string of PREPARE; in each other, too. id is not set. */
WEIR_MUST_CHECK bool sql_kill_alone(struct sql_span statement, const struct sql_mode *mode,
                                    const struct sql_named *named, struct sql_kill *kill);

/* Returns whether a KILL may be in the text: the quick look before sql_kill_rewrite(). `first` is
 * the kind of the text, which is that of its first statement; is_multi: the server accepts several
 * statements in a text. */
WEIR_MUST_CHECK bool sql_may_kill(struct sql_span text, enum sql_kind first, bool is_multi);

/* Finds the id that is to stand in place of `id`; false: this one stays. */
typedef bool sql_kill_map(void *data, uint64_t id, uint32_t *new_id);

/* Adds the text to out, with the connection ids of its KILL statements replaced as `map` says: those
 * of the text, of SET STATEMENT, of compound statements, and of the strings that PREPARE and EXECUTE
 * IMMEDIATE run. KILL of a query's id, of a USER, and of an expression stay as they are, and so do
 * routines and events. Returns whether anything was
 * replaced; if not, nothing was added. out->failed is set when there is no memory. is_multi as
 * above; `map` is called with `data` before the function returns. */
WEIR_MUST_CHECK bool sql_kill_rewrite(struct strbuf *out, struct sql_span text,
                                      const struct sql_mode *mode, bool is_multi, sql_kill_map *map,
                                      void *data);

#endif
