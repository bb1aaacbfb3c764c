/* SPDX-License-Identifier: Apache-2.0
 *
 * SET statements: their assignments one by one.
 *
 *     struct sql_settings settings;
 *     struct sql_setting setting;
 *     sql_settings_init(&settings, statement, &mode);
 *     while (sql_settings_next(&settings, &setting)) { ... }
 *
 * Reads SET [GLOBAL | SESSION | ...] name = value, ..., @@scope.name = value, @user = value, SET
 * NAMES, SET CHARACTER SET and the settings of SET STATEMENT ... FOR. Anything that is no SET, and
 * SET ROLE, SET PASSWORD, SET TRANSACTION and the like, gives no assignment. Pure, no allocation.
 */
#ifndef WEIR_SQL_SETTINGS_H
#define WEIR_SQL_SETTINGS_H

#include "sql/cursor.h"
#include "sql/mode.h"

enum sql_scope {
    SQL_SCOPE_SESSION, /* also when none is written */
    SQL_SCOPE_GLOBAL,
    SQL_SCOPE_PERSIST,
    SQL_SCOPE_PERSIST_ONLY,
    SQL_SCOPE_STATEMENT, /* SET STATEMENT ... FOR */
    SQL_SCOPE_USER,      /* @name */
    SQL_SCOPE_NAMES, /* SET NAMES x, SET CHARACTER SET x: name is that of the clause's first word */
};

struct sql_setting {
    enum sql_scope scope;
    struct sql_span name;  /* without scope, @ and back quotes; as written */
    struct sql_span whole; /* from the name's first byte (@@ and the like) to the value's last */
    bool is_scoped;        /* a scope word or @@ stands before the name */
    struct sql_span value; /* the expression as written, without white space around it */
    bool is_literal;       /* value is a single string, number or word */
    struct sql_span
        literal; /* then: a string's inside (escapes not undone), or the word or number */
};

struct sql_settings {
    struct sql_cursor cursor;
    enum sql_scope scope; /* of names without one of their own */
    bool done;
};

/* statement and what the settings point to are borrowed. */
void sql_settings_init(struct sql_settings *settings, struct sql_span statement,
                       const struct sql_mode *mode);
bool sql_settings_next(struct sql_settings *settings, struct sql_setting *setting);

/* When there is no further one: whether the statement ends there; and the text that is left, which
 * is no assignment. */
bool sql_settings_at_end(const struct sql_settings *settings);
struct sql_span sql_settings_rest(const struct sql_settings *settings);

/* The name in @@global.x, @@x, @x, or x: without scope, at signs and quotes. *scope changes when
 * the name carries one. */
struct sql_span sql_variable_name(struct sql_span written, enum sql_scope *scope);

/* Whether the statement sets a global variable (GLOBAL, PERSIST). */
bool sql_sets_global(struct sql_span statement, const struct sql_mode *mode);

#endif
