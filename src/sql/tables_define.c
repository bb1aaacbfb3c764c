/* SPDX-License-Identifier: Apache-2.0
 *
 * The clauses after the name in CREATE TABLE and ALTER TABLE, in CREATE TRIGGER and CREATE
 * BINDING. */
#include "sql/charset.h"
#include "sql/tables_scan.h"

/* Whether the parenthesis at the cursor holds a query, and not definitions. */
static bool opens_query(const struct scan *scan)
{
    struct sql_cursor ahead = scan->cursor;
    sql_cursor_next(&ahead);
    uint16_t word = sql_cursor_word(&ahead);
    return word == SQL_WORD_SELECT || word == SQL_WORD_WITH || word == SQL_WORD_TABLE ||
           word == SQL_WORD_VALUES || sql_cursor_is(&ahead, '(');
}

/* UNION [=] ([table [, table] ...]): a MERGE table reads and writes these. TiDB has no such tables and
 * passes over the option. */
static void union_of_tables(struct scan *scan)
{
    sql_scan_next(scan);
    if (scan->cursor.lexer.mode.dialect == SQL_DIALECT_TIDB)
        return;
    sql_scan_accept_byte(scan, '=');
    bool named = sql_scan_accept_byte(scan, '(');
    if (named && sql_scan_accept_byte(scan, ')'))
        return;
    do {
        named = named && sql_scan_used_table(scan);
    } while (named && sql_scan_accept_byte(scan, ','));
    if (!named || !sql_scan_accept_byte(scan, ')'))
        scan->unknown = true;
}

static bool is_any_of(struct sql_span name, const char *const *names, size_t count)
{
    bool found = false;
    for (size_t i = 0; i < count && !found; i++)
        found = sql_span_is(name, names[i]);
    return found;
}

/* Whether an option of the engine CONNECT stands at the cursor whose value names tables, or may. */
static bool is_connect_option(const struct scan *scan)
{
    static const char *const names[] = {"tabname", "dbname", "table_list", "srcdef", "option_list"};
    const struct sql_cursor *cursor = &scan->cursor;
    return sql_token_is_name(&cursor->token) &&
           is_any_of(sql_cursor_inside(cursor), names, sizeof names / sizeof names[0]) &&
           sql_cursor_second_is(cursor, '=');
}

/* Whether ENGINE [=] CONNECT stands at the cursor. */
static bool is_connect_engine(const struct scan *scan)
{
    static const char *const names[] = {"connect"};
    struct sql_cursor ahead = scan->cursor;
    if (!sql_cursor_accept(&ahead, SQL_WORD_ENGINE))
        return false;
    sql_cursor_accept_byte(&ahead, '=');
    return is_any_of(sql_cursor_inside(&ahead), names, 1);
}

/* The tables of CONNECT stand in the values of options; what they are is the engine's to say. */
static void note_connect(struct scan *scan)
{
    if (is_connect_engine(scan) || is_connect_option(scan))
        scan->unknown = true;
}

/* Behind the name in CREATE TABLE: definitions, options, and perhaps LIKE or a query. */
static void step_create(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    note_connect(scan);
    if (word == SQL_WORD_LIKE) {
        sql_scan_next(scan);
        sql_scan_table(scan, SQL_ACCESS_READ, false);
    } else if (word == SQL_WORD_UNION) {
        union_of_tables(scan);
    } else if (word == SQL_WORD_AS) {
        sql_scan_next(scan);
        sql_scan_set_clause(scan, CLAUSE_QUERY);
    } else if (word == SQL_WORD_SELECT || word == SQL_WORD_TABLE || word == SQL_WORD_VALUES ||
               (word == SQL_WORD_WITH &&
                sql_cursor_second_word(&scan->cursor) != SQL_WORD_SYSTEM)) {
        sql_scan_begin_query(scan);
    } else if (sql_cursor_is(&scan->cursor, '(') && opens_query(scan)) {
        sql_scan_open_frame(scan, CLAUSE_QUERY, CLAUSE_OTHER); /* UNION after it is no option */
        sql_scan_next(scan);
    } else if (sql_cursor_is(&scan->cursor, '(')) {
        sql_scan_open_frame(scan, CLAUSE_REFERENCES, CLAUSE_CREATE);
        sql_scan_next(scan);
        if (sql_scan_accept(scan, SQL_WORD_LIKE))
            sql_scan_table(scan, SQL_ACCESS_READ, false);
    } else {
        sql_scan_pass(scan);
    }
}

/* Whether the REFERENCES of a column makes a foreign key. TiDB, like MySQL before 9, takes no notice. */
static bool columns_refer(const struct scan *scan)
{
    enum sql_dialect dialect = scan->cursor.lexer.mode.dialect;
    return dialect == SQL_DIALECT_MARIADB || dialect == SQL_DIALECT_MYSQL;
}

/* Definitions of columns, constraints and partitions. */
static void step_references(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    uint16_t word = sql_cursor_word(&scan->cursor);
    note_connect(scan);
    if (sql_scan_accept_byte(scan, ',')) {
        frame->foreign = false;
    } else if (word == SQL_WORD_FOREIGN) {
        frame->foreign = true;
        sql_scan_next(scan);
    } else if (word == SQL_WORD_REFERENCES && (frame->foreign || columns_refer(scan))) {
        sql_scan_next(scan);
        sql_scan_table(scan, SQL_ACCESS_READ, false);
    } else {
        sql_scan_pass(scan);
    }
}

static void step_alter(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    uint16_t word = sql_cursor_word(&scan->cursor);
    uint16_t second = word == SQL_WORD_RENAME || word == SQL_WORD_CONVERT ||
                              word == SQL_WORD_WITH || word == SQL_WORD_TO
                          ? sql_cursor_second_word(&scan->cursor)
                          : SQL_NO_WORD;
    if (word == SQL_WORD_RENAME && second != SQL_WORD_COLUMN && second != SQL_WORD_INDEX &&
        second != SQL_WORD_KEY) {
        sql_scan_next(scan);
        if (!sql_scan_accept(scan, SQL_WORD_TO) && !sql_scan_accept(scan, SQL_WORD_AS))
            sql_scan_accept_byte(scan, '=');
        sql_scan_changed_table(scan, SQL_ACCESS_DDL, SQL_DEED_RENAME_TO, false);
        if (scan->own < scan->tables->count)
            scan->tables->items[scan->own].deeds |= SQL_DEED_RENAME_FROM;
    } else if ((word == SQL_WORD_WITH || word == SQL_WORD_TO || word == SQL_WORD_CONVERT) &&
               second == SQL_WORD_TABLE) {
        /* EXCHANGE PARTITION p WITH TABLE t, CONVERT TABLE t TO ..., ... p TO TABLE t */
        sql_scan_next(scan);
        sql_scan_next(scan);
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
    } else if (word == SQL_WORD_UNION) {
        union_of_tables(scan);
    } else if (word == SQL_WORD_FOREIGN) {
        frame->foreign = true;
        sql_scan_next(scan);
    } else if (sql_cursor_is(&scan->cursor, '(')) {
        sql_scan_open_frame(scan, CLAUSE_REFERENCES, CLAUSE_ALTER);
        sql_scan_next(scan);
    } else {
        step_references(scan);
    }
}

static void step_trigger(struct scan *scan)
{
    if (sql_scan_accept(scan, SQL_WORD_ON)) {
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        sql_scan_set_clause(scan, CLAUSE_OTHER);
    } else {
        sql_scan_next(scan);
    }
}

/* CREATE BINDING FOR statement USING statement: both are read. */
static void step_binding(struct scan *scan)
{
    if (sql_scan_accept(scan, SQL_WORD_FOR) || sql_scan_accept(scan, SQL_WORD_USING)) {
        sql_scan_frame(scan)->binding = true;
        uint16_t word = sql_cursor_word(&scan->cursor);
        if (word == SQL_WORD_SQL || word == SQL_WORD_PLAN) /* DIGEST 'x' */
            sql_scan_set_clause(scan, CLAUSE_SKIP);
        else
            sql_scan_statement(scan);
    } else {
        sql_scan_next(scan);
    }
}

bool sql_scan_define_step(struct scan *scan)
{
    switch ((enum clause)sql_scan_frame(scan)->clause) {
    case CLAUSE_CREATE:
        step_create(scan);
        return true;
    case CLAUSE_ALTER:
        step_alter(scan);
        return true;
    case CLAUSE_REFERENCES:
        step_references(scan);
        return true;
    case CLAUSE_TRIGGER:
        step_trigger(scan);
        return true;
    case CLAUSE_BINDING:
        step_binding(scan);
        return true;
    default:
        return false;
    }
}
