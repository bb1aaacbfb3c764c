/* SPDX-License-Identifier: Apache-2.0
 *
 * What the statements' functions read with: optional words, lists of tables. */
#include "sql/tables_scan.h"

/* Skips any of up to four words, in any order. */
void sql_scan_skip_words(struct scan *scan, uint16_t a, uint16_t b, uint16_t c, uint16_t d)
{
    while (sql_cursor_word(&scan->cursor) != SQL_NO_WORD &&
           (sql_cursor_word(&scan->cursor) == a || sql_cursor_word(&scan->cursor) == b ||
            sql_cursor_word(&scan->cursor) == c || sql_cursor_word(&scan->cursor) == d))
        sql_scan_next(scan);
}

void sql_scan_skip_if_exists(struct scan *scan)
{
    if (sql_scan_accept(scan, SQL_WORD_IF)) {
        sql_scan_accept(scan, SQL_WORD_NOT);
        sql_scan_accept(scan, SQL_WORD_EXISTS);
    }
}

/* Moves on until one of the words stands at the cursor, outside of parentheses; false: none does.
 */
bool sql_scan_find_word(struct scan *scan, uint16_t a, uint16_t b)
{
    while (!sql_cursor_at_end(&scan->cursor) && !sql_cursor_is(&scan->cursor, ';')) {
        if (sql_cursor_word(&scan->cursor) != SQL_NO_WORD &&
            (sql_cursor_word(&scan->cursor) == a || sql_cursor_word(&scan->cursor) == b))
            return true;
        if (sql_cursor_is(&scan->cursor, '('))
            sql_scan_skip_parentheses(scan);
        else
            sql_scan_next(scan);
    }
    return false;
}

/* table [anything] [, table [anything]] ... */
void sql_scan_table_list(struct scan *scan, enum sql_access access)
{
    do {
        sql_scan_table(scan, access, false);
        while (!sql_cursor_at_end(&scan->cursor) && !sql_cursor_is(&scan->cursor, ',') &&
               !sql_cursor_is(&scan->cursor, ';') && !scan->verb)
            if (sql_cursor_is(&scan->cursor, '('))
                sql_scan_skip_parentheses(scan);
            else
                sql_scan_next(scan);
    } while (sql_scan_accept_byte(scan, ','));
    sql_scan_set_clause(scan, CLAUSE_SKIP);
}

/* The same where a list of other things, with commas, may follow the tables. */
void sql_scan_plain_table_list(struct scan *scan, enum sql_access access)
{
    do {
        sql_scan_table(scan, access, false);
    } while (sql_scan_accept_byte(scan, ','));
    sql_scan_set_clause(scan, CLAUSE_SKIP);
}

bool sql_scan_at_duplicate_key(const struct scan *scan)
{
    struct sql_cursor ahead = scan->cursor;
    return sql_cursor_accept(&ahead, SQL_WORD_ON) &&
           sql_cursor_accept(&ahead, SQL_WORD_DUPLICATE) && sql_cursor_word(&ahead) == SQL_WORD_KEY;
}
