/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the statements of administration have their tables: locks, maintenance, SHOW, GRANT, and
 * those of TiDB alone. */
#include "sql/tables_scan.h"

/* t [[AS] alias] READ | WRITE ..., u ... */
void sql_scan_lock(struct scan *scan)
{
    sql_scan_next(scan);
    if (sql_scan_accept(scan, SQL_WORD_STATS)) {
        sql_scan_table_list(scan, SQL_ACCESS_READ);
        return;
    }
    if (!sql_scan_accept(scan, SQL_WORD_TABLE) && !sql_scan_accept(scan, SQL_WORD_TABLES)) {
        scan->unknown = true;
        return;
    }
    do {
        struct sql_cursor ahead = scan->cursor;
        enum sql_access access = SQL_ACCESS_READ;
        while (!sql_cursor_at_end(&ahead) && !sql_cursor_is(&ahead, ',') &&
               !sql_cursor_is(&ahead, ';')) {
            access = sql_cursor_word(&ahead) == SQL_WORD_WRITE ? SQL_ACCESS_WRITE : access;
            sql_cursor_next(&ahead);
        }
        sql_scan_table(scan, access, false);
        while (!sql_cursor_at_end(&scan->cursor) && !sql_cursor_is(&scan->cursor, ',') &&
               !sql_cursor_is(&scan->cursor, ';'))
            sql_scan_next(scan);
    } while (sql_scan_accept_byte(scan, ','));
    sql_scan_set_clause(scan, CLAUSE_SKIP);
}

/* PERSISTENT FOR ALL | COLUMNS ALL | (a) INDEXES ALL | (i): the only option of ANALYZE TABLE that
 * another table can follow. */
static void skip_persistent(struct scan *scan)
{
    while (sql_token_is_name(&scan->cursor.token)) {
        sql_scan_next(scan);
        if (sql_cursor_is(&scan->cursor, '('))
            sql_scan_skip_parentheses(scan);
    }
}

/* [NO_WRITE_TO_BINLOG | LOCAL] TABLE[S] t, u ... */
void sql_scan_maintain(struct scan *scan, enum sql_access access)
{
    sql_scan_next(scan);
    sql_scan_skip_words(scan, SQL_WORD_NO_WRITE_TO_BINLOG, SQL_WORD_LOCAL, SQL_WORD_INCREMENTAL,
                        SQL_NO_WORD);
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    bool object = sql_scan_accept(scan, SQL_WORD_TABLE) || sql_scan_accept(scan, SQL_WORD_TABLES) ||
                  sql_scan_accept(scan, SQL_WORD_VIEW);
    scan->unknown = scan->unknown || !object;
    do {
        sql_scan_table(scan, access, false);
        if (sql_cursor_word(&scan->cursor) == SQL_WORD_PERSISTENT)
            skip_persistent(scan);
    } while (sql_scan_accept_byte(scan, ','));
}

void sql_scan_flush(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_skip_words(scan, SQL_WORD_NO_WRITE_TO_BINLOG, SQL_WORD_LOCAL, SQL_NO_WORD,
                        SQL_NO_WORD);
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    if ((sql_scan_accept(scan, SQL_WORD_TABLE) || sql_scan_accept(scan, SQL_WORD_TABLES)) &&
        (scan->cursor.token.class == SQL_TOKEN_NAME ||
         (scan->cursor.token.class == SQL_TOKEN_WORD &&
          sql_cursor_word(&scan->cursor) != SQL_WORD_WITH &&
          sql_cursor_word(&scan->cursor) != SQL_WORD_FOR)))
        sql_scan_plain_table_list(scan, SQL_ACCESS_READ);
}

/* [FROM | IN] t [FROM | IN db]. TiDB's parser takes the database of COLUMNS for none of the
 * table's, and that of INDEX for the table's. */
static void show_of_table(struct scan *scan, bool apart)
{
    if (!sql_scan_accept(scan, SQL_WORD_FROM) && !sql_scan_accept(scan, SQL_WORD_IN)) {
        scan->unknown = true;
        return;
    }
    sql_scan_shown_table(scan, apart);
    sql_scan_set_clause(scan, CLAUSE_OTHER);
}

void sql_scan_show(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_skip_words(scan, SQL_WORD_FULL, SQL_WORD_EXTENDED, SQL_WORD_GLOBAL, SQL_WORD_SESSION);
    uint16_t what = sql_cursor_word(&scan->cursor);
    sql_scan_next(scan);
    sql_scan_set_clause(scan, CLAUSE_OTHER);
    switch (what) {
    case SQL_WORD_COLUMNS:
    case SQL_WORD_FIELDS:
        show_of_table(scan, true);
        break;
    case SQL_WORD_INDEX:
    case SQL_WORD_INDEXES:
    case SQL_WORD_KEYS:
        show_of_table(scan, false);
        break;
    case SQL_WORD_CREATE: {
        uint16_t object = sql_cursor_word(&scan->cursor);
        sql_scan_next(scan);
        if (object == SQL_WORD_TABLE || object == SQL_WORD_VIEW || object == SQL_WORD_SEQUENCE)
            sql_scan_table(scan, SQL_ACCESS_READ, false);
        break;
    }
    case SQL_WORD_TABLE: /* t [PARTITION (p)] [INDEX i] REGIONS; TABLE STATUS has none */
        if (sql_cursor_word(&scan->cursor) != SQL_WORD_STATUS)
            sql_scan_table(scan, SQL_ACCESS_READ, false);
        break;
    case SQL_WORD_PLACEMENT: /* FOR TABLE t [PARTITION p] */
        if (sql_scan_accept(scan, SQL_WORD_FOR) && sql_scan_accept(scan, SQL_WORD_TABLE))
            sql_scan_table(scan, SQL_ACCESS_READ, false);
        break;
    case SQL_WORD_MASKING: /* POLICIES FOR t */
        sql_scan_next(scan);
        if (sql_scan_accept(scan, SQL_WORD_FOR))
            sql_scan_table(scan, SQL_ACCESS_READ, false);
        break;
    default:
        break;
    }
}

/* FUNCTION f, PROCEDURE p, PACKAGE [BODY] p; not a table that is called FUNCTION or PACKAGE. */
static bool is_routine(const struct scan *scan)
{
    struct sql_cursor ahead = scan->cursor;
    if (!sql_cursor_accept(&ahead, SQL_WORD_FUNCTION) &&
        !sql_cursor_accept(&ahead, SQL_WORD_PROCEDURE) &&
        !sql_cursor_accept(&ahead, SQL_WORD_PACKAGE))
        return false;
    return sql_token_is_name(&ahead.token) && sql_cursor_word(&ahead) != SQL_WORD_TO &&
           sql_cursor_word(&ahead) != SQL_WORD_FROM;
}

/* GRANT ... ON [TABLE] t TO ..., and REVOKE: names but no wildcards. */
void sql_scan_grant(struct scan *scan)
{
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    while (!sql_cursor_at_end(&scan->cursor) && sql_cursor_word(&scan->cursor) != SQL_WORD_ON &&
           sql_cursor_word(&scan->cursor) != SQL_WORD_TO &&
           sql_cursor_word(&scan->cursor) != SQL_WORD_FROM)
        if (sql_cursor_is(&scan->cursor, '('))
            sql_scan_skip_parentheses(scan);
        else if (sql_cursor_word(&scan->cursor) == SQL_WORD_PROXY)
            return;
        else
            sql_scan_next(scan);
    if (!sql_scan_accept(scan, SQL_WORD_ON))
        return;
    sql_scan_accept(scan, SQL_WORD_TABLE);
    if (is_routine(scan))
        return;
    struct sql_cursor ahead = scan->cursor;
    bool wild = sql_cursor_is(&ahead, '*');
    sql_cursor_next(&ahead);
    if (sql_cursor_is(&ahead, '.')) {
        sql_cursor_next(&ahead);
        wild = wild || sql_cursor_is(&ahead, '*');
    }
    if (!wild)
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
}

/* TiDB's statements about one table or a list of them, after TABLE (or INDEX, for ADMIN ...
 * INDEX). */
void sql_scan_admin(struct scan *scan)
{
    sql_scan_next(scan);
    uint16_t action = sql_cursor_word(&scan->cursor);
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    sql_scan_next(scan);
    uint16_t object = sql_cursor_word(&scan->cursor);
    if (action == SQL_WORD_SHOW && object != SQL_WORD_DDL && object != SQL_WORD_SLOW &&
        object != SQL_WORD_BDR) {
        sql_scan_table(scan, SQL_ACCESS_READ, false);
        return;
    }
    if (action == SQL_WORD_SHOW) {
        sql_scan_set_clause(scan, CLAUSE_OTHER); /* DDL JOBS WHERE ... */
        return;
    }
    if (object == SQL_WORD_INDEX) {
        sql_scan_next(scan);
        sql_scan_table(scan, SQL_ACCESS_READ, false);
        return;
    }
    if (object != SQL_WORD_TABLE)
        return;
    sql_scan_next(scan);
    sql_scan_accept(scan, SQL_WORD_LOCK);
    if (action == SQL_WORD_REPAIR) { /* t CREATE TABLE t ... */
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        if (sql_cursor_word(&scan->cursor) == SQL_WORD_CREATE)
            sql_scan_create_or_alter(scan, true);
        return;
    }
    sql_scan_plain_table_list(scan, SQL_ACCESS_READ);
}

void sql_scan_split_region(struct scan *scan)
{
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    if (!sql_scan_find_word(scan, SQL_WORD_TABLE, SQL_WORD_TABLE)) {
        scan->unknown = true;
        return;
    }
    sql_scan_next(scan);
    sql_scan_table(scan, SQL_ACCESS_DDL, false);
}

/* FLASHBACK TABLE t [TO u], RECOVER TABLE t | BY JOB n, FLASHBACK DATABASE | CLUSTER */
void sql_scan_recover(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    if (sql_scan_accept(scan, SQL_WORD_TABLE) && sql_cursor_word(&scan->cursor) != SQL_WORD_BY)
        sql_scan_plain_table_list(scan, SQL_ACCESS_DDL);
}

void sql_scan_backup(struct scan *scan)
{
    bool restore = sql_cursor_word(&scan->cursor) == SQL_WORD_RESTORE;
    sql_scan_next(scan);
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    if (sql_scan_accept(scan, SQL_WORD_TABLE))
        sql_scan_plain_table_list(scan, restore ? SQL_ACCESS_WRITE : SQL_ACCESS_READ);
}

void sql_scan_plan_replayer(struct scan *scan)
{
    sql_scan_set_clause(scan, CLAUSE_SKIP);
    if (sql_scan_find_word(scan, SQL_WORD_EXPLAIN, SQL_WORD_EXPLAIN)) {
        struct sql_cursor inside = scan->cursor;
        bool holds_statement = false;
        sql_cursor_explain(&inside, &holds_statement);
        struct sql_cursor text = inside;
        if (holds_statement && !(sql_cursor_accept_byte(&text, '(') &&
                                 text.token.class == SQL_TOKEN_STRING)) /* ('text', ...) */
            sql_scan_explain(scan);
        else
            sql_scan_set_clause(scan, CLAUSE_OTHER); /* SLOW QUERY WHERE ... */
    }
}
