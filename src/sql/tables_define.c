/* SPDX-License-Identifier: Apache-2.0
 *
 * The clauses after the name in CREATE TABLE and ALTER TABLE, in CREATE TRIGGER and CREATE
 * BINDING. */
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

/* Behind the name in CREATE TABLE: definitions, options, and perhaps LIKE or a query. */
static void step_create(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (word == SQL_WORD_LIKE) {
        sql_scan_next(scan);
        sql_scan_table(scan, SQL_ACCESS_READ, false);
    } else if (word == SQL_WORD_UNION) { /* of MERGE tables: not listed */
        sql_scan_next(scan);
        sql_scan_accept_byte(scan, '=');
        if (sql_cursor_is(&scan->cursor, '('))
            sql_scan_skip_parentheses(scan);
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

/* Definitions of columns and constraints. A column's own REFERENCES is not listed. */
static void step_references(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (sql_scan_accept_byte(scan, ',')) {
        frame->foreign = false;
    } else if (word == SQL_WORD_FOREIGN) {
        frame->foreign = true;
        sql_scan_next(scan);
    } else if (word == SQL_WORD_REFERENCES && frame->foreign) {
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
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
    } else if ((word == SQL_WORD_WITH || word == SQL_WORD_TO || word == SQL_WORD_CONVERT) &&
               second == SQL_WORD_TABLE) {
        /* EXCHANGE PARTITION p WITH TABLE t, CONVERT TABLE t TO ..., ... p TO TABLE t */
        sql_scan_next(scan);
        sql_scan_next(scan);
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
    } else if (word == SQL_WORD_UNION) {
        sql_scan_next(scan);
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
