/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the statements that define things have their tables: CREATE, ALTER, DROP, RENAME, TRUNCATE.
 */
#include "sql/tables_scan.h"

void sql_scan_rename(struct scan *scan)
{
    sql_scan_next(scan);
    if (!sql_scan_accept(scan, SQL_WORD_TABLE) && !sql_scan_accept(scan, SQL_WORD_TABLES)) {
        scan->unknown = scan->unknown || sql_cursor_word(&scan->cursor) != SQL_WORD_USER;
        sql_scan_set_clause(scan, CLAUSE_SKIP);
        return;
    }
    sql_scan_skip_if_exists(scan);
    do {
        sql_scan_changed_table(scan, SQL_ACCESS_DDL, SQL_DEED_RENAME_FROM, false);
        bool found = sql_scan_find_word(scan, SQL_WORD_TO, SQL_WORD_TO); /* WAIT n in between */
        sql_scan_next(scan);
        scan->unknown = scan->unknown || !found;
        sql_scan_changed_table(scan, SQL_ACCESS_DDL, SQL_DEED_RENAME_TO, false);
    } while (sql_scan_accept_byte(scan, ','));
    sql_scan_set_clause(scan, CLAUSE_SKIP);
}

static void create_routine(struct scan *scan, uint16_t object)
{
    sql_scan_set_clause(scan, object == SQL_WORD_TRIGGER ? CLAUSE_TRIGGER : CLAUSE_SKIP);
    sql_scan_next(scan);
}

/* What is created, altered and dropped without a table in it. Of others it is not known. */
static bool has_no_table(uint16_t object)
{
    switch (object) {
    case SQL_WORD_DATABASE:
    case SQL_WORD_SCHEMA:
    case SQL_WORD_USER:
    case SQL_WORD_ROLE:
    case SQL_WORD_SERVER:
    case SQL_WORD_TABLESPACE:
    case SQL_WORD_UNDO: /* TABLESPACE */
    case SQL_WORD_LOGFILE:
    case SQL_WORD_INSTANCE:
    case SQL_WORD_PLACEMENT:
    case SQL_WORD_RESOURCE: /* GROUP */
    case SQL_WORD_RANGE:
    case SQL_WORD_QUERY: /* WATCH */
    case SQL_WORD_PREPARE:
    case SQL_WORD_PROCEDURE:
    case SQL_WORD_FUNCTION:
    case SQL_WORD_TRIGGER:
    case SQL_WORD_EVENT:
    case SQL_WORD_PACKAGE:
        return true;
    default:
        return false;
    }
}

/* CREATE, ALTER and DROP of what is not a table: ON t where there is one, which there must be when
 * `needed`. */
static void on_table(struct scan *scan, uint16_t object, bool needed)
{
    bool can = object == SQL_WORD_INDEX || object == SQL_WORD_STATISTICS ||
               object == SQL_WORD_MASKING; /* POLICY */
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    if (can && sql_scan_find_word(scan, SQL_WORD_ON, SQL_WORD_ON)) {
        sql_scan_next(scan);
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
    } else {
        scan->unknown = scan->unknown || (can ? needed : !has_no_table(object));
    }
}

void sql_scan_create_or_alter(struct scan *scan, bool create)
{
    struct sql_cursor object_at = scan->cursor;
    sql_cursor_next(&object_at);
    sql_cursor_skip_modifiers(&object_at);
    while (scan->cursor.token.start < object_at.token.start)
        sql_scan_next(scan);
    uint16_t object = sql_cursor_word(&scan->cursor);
    switch (object) {
    case SQL_WORD_TABLE:
        sql_scan_next(scan);
        sql_scan_skip_if_exists(scan);
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        scan->own = scan->last;
        sql_scan_set_clause(scan, create ? CLAUSE_CREATE : CLAUSE_ALTER);
        break;
    case SQL_WORD_VIEW:
        sql_scan_next(scan);
        sql_scan_skip_if_exists(scan);
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        if (sql_cursor_is(&scan->cursor, '('))
            sql_scan_skip_parentheses(scan);
        scan->unknown = scan->unknown || !sql_scan_accept(scan, SQL_WORD_AS);
        sql_scan_set_clause(scan, CLAUSE_QUERY);
        break;
    case SQL_WORD_SEQUENCE:
        sql_scan_next(scan);
        sql_scan_skip_if_exists(scan);
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        sql_scan_set_clause(scan, CLAUSE_OTHER);
        break;
    case SQL_WORD_PROCEDURE:
    case SQL_WORD_FUNCTION:
    case SQL_WORD_TRIGGER:
    case SQL_WORD_EVENT:
    case SQL_WORD_PACKAGE:
        create_routine(scan, object);
        break;
    case SQL_WORD_BINDING:
        sql_scan_set_clause(scan, CLAUSE_BINDING);
        sql_scan_next(scan);
        break;
    default:
        scan->unknown = scan->unknown || sql_cursor_at_end(&scan->cursor);
        on_table(scan, object, create);
        break;
    }
}

void sql_scan_drop(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_skip_words(scan, SQL_WORD_TEMPORARY, SQL_WORD_GLOBAL, SQL_WORD_SESSION, SQL_WORD_HYPO);
    uint16_t object = sql_cursor_word(&scan->cursor);
    sql_scan_next(scan);
    sql_scan_skip_if_exists(scan);
    switch (object) {
    case SQL_WORD_TABLE:
    case SQL_WORD_TABLES:
    case SQL_WORD_VIEW:
    case SQL_WORD_SEQUENCE:
        sql_scan_plain_table_list(scan, SQL_ACCESS_DDL);
        break;
    case SQL_WORD_STATS:
        sql_scan_plain_table_list(scan, SQL_ACCESS_WRITE);
        break;
    case SQL_WORD_BINDING:
        sql_scan_set_clause(scan, CLAUSE_BINDING);
        break;
    default:
        scan->unknown = scan->unknown || sql_cursor_at_end(&scan->cursor);
        on_table(scan, object, object == SQL_WORD_INDEX);
        break;
    }
}

void sql_scan_truncate(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_accept(scan, SQL_WORD_TABLE);
    sql_scan_table(scan, SQL_ACCESS_DDL, false);
    sql_scan_set_clause(scan, CLAUSE_SKIP);
}
