/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables and views that a statement names, and how it uses each.
 *
 *     struct sql_tables tables;
 *     sql_tables_init(&tables);
 *     if (sql_tables_read(&tables, statement, &mode, current_database)) {
 *         for (size_t i = 0; i < tables.count; i++) { ... tables.items[i] ... }
 *     }
 *     sql_tables_release(&tables);
 *
 * Names are what the statement says, in its letter case: no view is looked into, no wildcard
 * expanded. Left out are names of common table expressions where they are in scope, aliases,
 * columns, functions, procedures, DUAL, and the REFERENCES of a single column but for MariaDB and
 * MySQL, which make a foreign key of it. A table that is read and written is two items; so is each
 * table in the UNION of a MERGE table. The text of PREPARE ... FROM 'text' and EXECUTE IMMEDIATE 'text' is
 * read like a statement of its own, in the mode and the database in which it runs (runs.h), and so is the body of a CREATE PROCEDURE, FUNCTION, TRIGGER,
 * EVENT and of compound statements.
 *
 * Executable comments are code (kind.h): what they name is listed, whether this server would run
 * them or not; where the two readings of a text differ, both count.
 *
 * `known` is false when the list may be short: a statement that is not understood (unknown verb, a
 * table name missing where one must stand, parentheses that do not match, an unterminated quote), a
 * text that is computed at run time (EXECUTE IMMEDIATE @x), a table of MariaDB's engine CONNECT,
 * which has names of tables in its options' values, nesting or lists beyond the limits
 * below. A rule that guards tables should refuse such a statement. EXECUTE names no table and is
 * known: what it runs was seen when it was prepared.
 *
 * `routines` are what CALL names, and each name before a parenthesis in an expression that can be a stored
 * (or a loaded) function there: one with a database, and one that is not the server's own (builtin.h). What
 * these use is in no text, so that of a statement with routines the tables are not all known, however
 * `known` is. A call without parentheses in a block of sql_mode=ORACLE is one, too. TiDB has no stored
 * functions. What a view, a trigger or a foreign key brings along is in no text either, and here in no list.
 *
 * Not a parser: text that a server would refuse may pass as known. Memory is kept between
 * statements. Time in proportion to the text (and to tables times the common table expressions in
 * scope). */
#ifndef WEIR_SQL_TABLES_H
#define WEIR_SQL_TABLES_H

#include "base/base.h"
#include "sql/mode.h"

enum {
    SQL_TABLES_MAX = 4096,      /* tables of a statement, and common table expressions in scope */
    SQL_TABLES_DEPTH_MAX = 500, /* nested parentheses */
    SQL_ROUTINES_MAX = 64,      /* different routines of a statement */
};

/* X(enumerator, text): how a statement uses a table. */
#define SQL_ACCESSES(X)                                                                            \
    X(SQL_ACCESS_READ, "read")                                                                     \
    X(SQL_ACCESS_WRITE, "write") /* rows are inserted, changed, deleted, loaded; write locks */    \
    X(SQL_ACCESS_DDL, "ddl")     /* created, altered, dropped, renamed, truncated, granted on */

enum sql_access {
#define X(enumerator, text) enumerator,
    SQL_ACCESSES(X)
#undef X
};

/* X(enumerator, bit, what): what a write or a definition does to the table, where the text says so. One
 * table of a statement may have several: REPLACE inserts and deletes. */
#define SQL_DEEDS(X)                                                                               \
    X(SQL_DEED_INSERT, 1U, "rows are inserted, or loaded")                                         \
    X(SQL_DEED_UPDATE, 2U, "rows are changed, also by ON DUPLICATE KEY UPDATE")                    \
    X(SQL_DEED_DELETE, 4U, "rows are deleted, also by REPLACE")                                    \
    X(SQL_DEED_RENAME_FROM, 8U, "it loses this name")                                              \
    X(SQL_DEED_RENAME_TO, 16U, "it gets this name")

enum sql_deed {
#define X(enumerator, bit, what) enumerator = (bit),
    SQL_DEEDS(X)
#undef X
};

/* "read", "write", "ddl". Static. */
const char *sql_access_name(enum sql_access access);

struct sql_table {
    struct sql_span database; /* empty: not qualified, and there is no current database */
    struct sql_span name;     /* without quotes */
    /* The database of SHOW COLUMNS FROM t FROM db, which TiDB does not count as the table's; empty
     * for nearly all. The server takes it before `database`, which is not filled in then. */
    struct sql_span named_apart;
    enum sql_access access;
    uint8_t deeds; /* SQL_DEED_* */
    bool in_text;  /* named in the text of a PREPARE or EXECUTE IMMEDIATE */
};

/* Compared by bytes: a function that is called as f() and F() is two. */
struct sql_routine {
    struct sql_span database; /* empty: not qualified, and there is no current database */
    struct sql_span
        name;     /* without quotes; "package.routine" where the text says both, and a database */
    bool is_call; /* by CALL; otherwise in an expression */
};

struct sql_tables {
    struct sql_table *items; /* owned; in the order of the text */
    size_t count;
    bool known;                   /* all names of tables and routines are there */
    struct sql_routine *routines; /* owned; likewise */
    size_t routine_count;

    /* Private. */
    size_t capacity, routine_capacity;
    char *names; /* owned: what the spans point to */
    size_t names_size, names_capacity;
    uint16_t *slots;      /* owned: where items stand, by hash; NULL until they are many */
    struct sql_cte *ctes; /* owned: the common table expressions in scope */
    size_t cte_count, cte_capacity;
    uint16_t *cte_heads; /* owned: the newest of each hash; NULL: there was none yet */
    bool has_text;       /* a PREPARE or EXECUTE IMMEDIATE was met, and its text is a string */
    bool failed;         /* no memory */
};

void sql_tables_init(struct sql_tables *tables);
void sql_tables_release(struct sql_tables *tables);

/* The database that the server will look for the table in. Borrows from the table; empty: none. */
static inline struct sql_span sql_table_schema(const struct sql_table *table)
{
    return table->named_apart.size > 0 ? table->named_apart : table->database;
}

/* Reads one statement. current_database fills in the database of names that have none (may be
 * empty). The items live until the next call. False: there is no memory. */
WEIR_MUST_CHECK bool sql_tables_read(struct sql_tables *tables, struct sql_span statement,
                                     const struct sql_mode *mode, struct sql_span current_database);

#endif
