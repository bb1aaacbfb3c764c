/* SPDX-License-Identifier: Apache-2.0
 *
 * The prepared statements of a session that have a name (PREPARE s FROM 'text'), as far as their
 * texts were seen: what EXECUTE s runs. A name that is not here may be prepared all the same.
 *
 * Bounded: a text that is too long or one too many is not known. One thread at a time. */
#ifndef WEIR_SQL_NAMED_H
#define WEIR_SQL_NAMED_H

#include "sql/session.h"

enum {
    SQL_NAMED_MAX = 64,              /* statements */
    SQL_NAMED_TEXT_BYTES_MAX = 4096, /* of one */
};

/* What was prepared. A server parses it once: in the mode and the database of its PREPARE. */
struct sql_prepared {
    struct sql_span text;
    struct sql_mode mode;
    struct sql_database database;
};

struct sql_named {
    struct sql_named_item *items; /* private; owned */
};

/* What a statement does to them. */
struct sql_naming {
    enum {
        SQL_NAMING_NOTHING,
        SQL_NAMING_PREPARES, /* name; prepared is what it is now */
        SQL_NAMING_DROPS,    /* name: is not known any more */
        SQL_NAMING_UNSURE,   /* none is known any more */
    } is;
    struct sql_span name;
    struct sql_prepared prepared; /* borrowed from the runs */
};

/* A zeroed struct sql_named knows none. Frees what is owned, and knows none again: COM_RESET_CONNECTION,
 * COM_CHANGE_USER, the end. */
void sql_named_clear(struct sql_named *named);

/* NULL: not known. Borrowed until the next change. named may be NULL. */
const struct sql_prepared *sql_named_find(const struct sql_named *named, struct sql_span name);

/* After a statement. What failed has dropped the statement that it would have prepared. */
void sql_named_follow(struct sql_named *named, const struct sql_naming *naming, bool failed);

#endif
