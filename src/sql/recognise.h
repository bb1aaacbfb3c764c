/* SPDX-License-Identifier: Apache-2.0
 *
 * The statements that a gateway must act upon itself, recognised and taken apart. Each function
 * answers false for anything else after a look at the first word or two. Spans point into the
 * statement, which is borrowed; names are as written, without their quotes (doubled quotes inside
 * are not undone). Pure, no allocation. A statement may be hidden in an executable comment as
 * anywhere. */
#ifndef WEIR_SQL_RECOGNISE_H
#define WEIR_SQL_RECOGNISE_H

#include "base/check.h"
#include "sql/cursor.h"
#include "sql/mode.h"

/* USE name, DROP DATABASE [IF EXISTS] name: the name. */
WEIR_MUST_CHECK bool sql_use_target(struct sql_span statement, const struct sql_mode *mode,
                                    struct sql_span *database);
WEIR_MUST_CHECK bool sql_drop_database_target(struct sql_span statement,
                                              const struct sql_mode *mode,
                                              struct sql_span *database);

/* SET ROLE name | NONE: the role's name; NONE is an empty span. */
WEIR_MUST_CHECK bool sql_set_role(struct sql_span statement, const struct sql_mode *mode,
                                  struct sql_span *role);

/* SHOW PLUGINS [LIKE ... | WHERE ...] */
struct sql_show_plugins {
    bool filtered;           /* has LIKE or WHERE */
    bool is_like;            /* LIKE 'pattern' and nothing else */
    struct sql_span pattern; /* of LIKE: the string's inside, escapes not undone */
};
bool sql_show_plugins(struct sql_span statement, const struct sql_mode *mode,
                      struct sql_show_plugins *show);

/* FLUSH [TIDB] PLUGINS a[, b], ADMIN PLUGINS ENABLE | DISABLE a[, b]: then sql_plugin_names_next()
 * gives the names. An error in the list makes the first function answer true and `wrong` be set. */
enum sql_plugin_action {
    SQL_PLUGIN_FLUSH,
    SQL_PLUGIN_ENABLE,
    SQL_PLUGIN_DISABLE,
};
struct sql_plugin_names {
    struct sql_cursor cursor;
    enum sql_plugin_action action;
    bool wrong; /* not the grammar above: answer with a syntax error */
    bool done;
};
WEIR_MUST_CHECK bool sql_plugin_statement(struct sql_span statement, const struct sql_mode *mode,
                                          struct sql_plugin_names *names);
WEIR_MUST_CHECK bool sql_plugin_names_next(struct sql_plugin_names *names, struct sql_span *name);

#endif
