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
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        bool found = sql_scan_find_word(scan, SQL_WORD_TO, SQL_WORD_TO); /* WAIT n in between */
        sql_scan_next(scan);
        scan->unknown = scan->unknown || !found;
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
    } while (sql_scan_accept_byte(scan, ','));
    sql_scan_set_clause(scan, CLAUSE_SKIP);
}

static void create_routine(struct scan *scan, uint16_t object)
{
    sql_scan_set_clause(scan, object == SQL_WORD_TRIGGER ? CLAUSE_TRIGGER : CLAUSE_SKIP);
    sql_scan_next(scan);
}

/* CREATE and ALTER of what is not a table: ON t where there is one. */
static void on_table(struct scan *scan, uint16_t object, bool create)
{
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    if (object == SQL_WORD_INDEX || object == SQL_WORD_STATISTICS || object == SQL_WORD_MASKING) {
        if (sql_scan_find_word(scan, SQL_WORD_ON, SQL_WORD_ON)) {
            sql_scan_next(scan);
            sql_scan_table(scan, SQL_ACCESS_DDL, false);
        } else {
            scan->unknown = scan->unknown || create;
        }
    }
}

void sql_scan_create_or_alter(struct scan *scan, bool create)
{
    struct sql_cursor object_at = scan->cursor;
    sql_cursor_next(&object_at);
    sql_cursor_skip_modifiers(&object_at);
    while (scan->cursor.token.start < object_at.token.start) {
        sql_scan_next(scan);
    }
    uint16_t object = sql_cursor_word(&scan->cursor);
    switch (object) {
    case SQL_WORD_TABLE:
        sql_scan_next(scan);
        sql_scan_skip_if_exists(scan);
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        sql_scan_set_clause(scan, create ? CLAUSE_CREATE : CLAUSE_ALTER);
        break;
    case SQL_WORD_VIEW:
        sql_scan_next(scan);
        sql_scan_skip_if_exists(scan);
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        if (sql_cursor_is(&scan->cursor, '(')) {
            sql_scan_skip_parentheses(scan);
        }
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
    case SQL_WORD_INDEX:
        on_table(scan, SQL_WORD_INDEX, true);
        break;
    case SQL_WORD_BINDING:
        sql_scan_set_clause(scan, CLAUSE_BINDING);
        break;
    default:
        sql_scan_set_clause(scan, CLAUSE_SKIP);
        scan->unknown = scan->unknown || sql_cursor_at_end(&scan->cursor);
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
