/* SPDX-License-Identifier: Apache-2.0
 *
 * What the meaning of a statement depends on besides its text, and what a statement changes of it. */
#ifndef WEIR_SQL_SESSION_H
#define WEIR_SQL_SESSION_H

#include "sql/mode.h"

struct sql_named;

struct sql_database {
    bool known;
    struct sql_span name; /* empty: there is none. Borrowed */
};

struct sql_session {
    struct sql_mode mode;
    struct sql_database database;
    const struct sql_named *named; /* prepared statements by name; NULL: none is known */
};

enum sql_change {
    SQL_UNCHANGED,
    SQL_CHANGED, /* to a value that is known */
    SQL_UNSURE,  /* unknown now */
};

struct sql_effects {
    enum sql_change flags;    /* of sql_mode */
    enum sql_change charset;  /* character_set_client */
    enum sql_change database; /* the current one */
    enum sql_change account;  /* roles: UNCHANGED or UNSURE */
    struct sql_mode mode;     /* afterwards, as far as it is known; unsure where it is not */
    struct sql_span name;     /* of the database afterwards; empty: none */
};

#endif
