/* SPDX-License-Identifier: Apache-2.0
 *
 * System variables in statements: where @@names stand, and what SHOW VARIABLES asks for.
 *
 *     struct sql_variables variables;
 *     struct sql_variable_use use;
 *     sql_variables_init(&variables, statement, &mode);
 *     while (sql_variables_next(&variables, &use)) { ... }
 *
 * Whoever replaces an @@name by something else changes the name of the result's column, unless the
 * column has an alias: each use says where one has to be added. Pure, no allocation. The filter of
 * SHOW VARIABLES is judged in show_filter.c. */
#ifndef WEIR_SQL_VARIABLES_H
#define WEIR_SQL_VARIABLES_H

#include "sql/settings.h"

struct sql_variable_use {
    struct sql_span written; /* @@global.x */
    struct sql_span name;    /* x */
    enum sql_scope scope;
    bool is_scoped;       /* @@global.x, @@session.x; not @@x */
    struct sql_span item; /* the select item that it is a part of, when that has no alias; empty
                             otherwise */
};

struct sql_variables {
    struct sql_cursor cursor;
    size_t base;          /* parentheses around the statement */
    size_t depth;         /* parentheses that are open */
    bool in_list;         /* between the outermost SELECT and what follows its list */
    size_t item_start;    /* offset of the select item's first token */
    struct sql_span item; /* the last one that was measured */
};

/* statement is borrowed. */
void sql_variables_init(struct sql_variables *variables, struct sql_span statement,
                        const struct sql_mode *mode);
bool sql_variables_next(struct sql_variables *variables, struct sql_variable_use *use);

/* SHOW [GLOBAL | SESSION | LOCAL] VARIABLES | STATUS [LIKE 'x' | WHERE x]. false: not that. */
struct sql_show_variables {
    bool is_status, is_global;
    bool is_like;           /* filter is the pattern's literal, as written */
    struct sql_span filter; /* of LIKE or WHERE; empty: none */
};
bool sql_show_variables(struct sql_span statement, const struct sql_mode *mode,
                        struct sql_show_variables *show);

/* What a filter says of a name; AND is the least of two, OR the greatest. */
enum sql_passes {
    SQL_PASSES_NOT,
    SQL_PASSES_PERHAPS, /* it depends on more than the name, or on the server */
    SQL_PASSES,
};

/* Whether the filter lets a variable of this name (ASCII) through, as the server judges its own.
 * Pure, no allocation; a long filter is not read. */
enum sql_passes sql_show_passes(const struct sql_show_variables *show, const struct sql_mode *mode,
                                struct sql_span name);

#endif
