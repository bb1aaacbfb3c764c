/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of the statements about plugins:
 *
 *     SHOW PLUGINS [LIKE 'pattern' | WHERE ...]
 *     FLUSH [TIDB] PLUGINS name[, name]
 *     ADMIN PLUGINS ENABLE | DISABLE name[, name]
 *     ADMIN SHOW VARIABLES [LIKE 'pattern']
 *
 * Pure, no allocation. Spans point into the statement, which is borrowed; names are as written,
 * without their quotes (doubled quotes inside are not undone). */
#ifndef WEIR_GATEWAY_LOCAL_GRAMMAR_PLUGINS_H
#define WEIR_GATEWAY_LOCAL_GRAMMAR_PLUGINS_H

#include "base/base.h"
#include "sql/sql.h"

struct grammar_show_plugins {
    bool filtered;           /* has LIKE or WHERE */
    bool is_like;            /* LIKE 'pattern' and nothing else */
    struct sql_span pattern; /* of LIKE: the string's inside, escapes not undone */
};

/* Returns false for another statement; SHOW PLUGINS SONAME, which is MariaDB's own, is one. */
WEIR_MUST_CHECK bool grammar_show_plugins(struct sql_span statement, const struct sql_mode *mode,
                                          struct grammar_show_plugins *show);

/* Reads ADMIN SHOW VARIABLES. Returns false for another statement; filtered and not is_like: it is
 * not the grammar above. */
WEIR_MUST_CHECK bool grammar_admin_variables(struct sql_span statement, const struct sql_mode *mode,
                                             struct grammar_show_plugins *show);

enum grammar_plugins_action {
    GRAMMAR_PLUGINS_FLUSH,
    GRAMMAR_PLUGINS_ENABLE,
    GRAMMAR_PLUGINS_DISABLE,
};

struct grammar_plugins {
    struct sql_cursor cursor;
    enum grammar_plugins_action action;
    bool wrong; /* not the grammar above: answer with a syntax error */
    bool done;
};

/* Reads FLUSH and ADMIN PLUGINS; grammar_plugins_next() then gives the names. Returns false for
 * another statement; true, and sets `wrong`, for an error after the first words. */
WEIR_MUST_CHECK bool grammar_plugins(struct sql_span statement, const struct sql_mode *mode,
                                     struct grammar_plugins *plugins);
WEIR_MUST_CHECK bool grammar_plugins_next(struct grammar_plugins *plugins, struct sql_span *name);

#endif
