/* SPDX-License-Identifier: Apache-2.0
 *
 * The moves that all parts of the scanner are made of: to the next token, into a frame and out of
 * it, past parentheses, and past everything that is not of interest in a clause. Each moves on by
 * at least a token, so a scan always ends. None of them knows a statement; the loop that calls
 * those that do is in tables_run.c. */
#include "sql/tables_scan.h"

void sql_scan_next(struct scan *scan)
{
    scan->seen[scan->seen_count++ % SCAN_SEEN] = scan->cursor.token;
    sql_cursor_next(&scan->cursor);
    scan->verb = false;
    if (!scan->compound || sql_cursor_at_end(&scan->cursor))
        return;
    if (sql_cursor_is(&scan->cursor, ';')) {
        sql_blocks_semicolon(&scan->blocks);
    } else {
        scan->verb = sql_blocks_take(&scan->blocks, &scan->cursor.lexer, &scan->cursor.token) ==
                     SQL_BLOCK_VERB;
    }
}

void sql_scan_skip_parentheses(struct scan *scan)
{
    size_t open = 0;
    do {
        open += sql_cursor_is(&scan->cursor, '(');
        open -= sql_cursor_is(&scan->cursor, ')');
        sql_scan_next(scan);
    } while (open > 0 && !sql_cursor_at_end(&scan->cursor));
}

/* Opens a frame at a parenthesis; the current frame goes on with `after` when it closes. */
void sql_scan_open_frame(struct scan *scan, enum clause inside, enum clause after)
{
    sql_scan_set_clause(scan, after);
    if (scan->depth + 1 == SQL_TABLES_DEPTH_MAX) {
        scan->unknown = true;
        scan->cursor.lexer.at = scan->cursor.lexer.size;
        return;
    }
    const struct frame outer = *sql_scan_frame(scan);
    const bool is_factor = inside == CLAUSE_FACTOR;
    scan->frames[++scan->depth] = (struct frame){
        .clause = (uint8_t)inside,
        .access = is_factor ? outer.access : (uint8_t)SQL_ACCESS_READ,
        .deeds = is_factor ? outer.deeds : 0,
        .defines = outer.defines || outer.clause == CLAUSE_CREATE || outer.clause == CLAUSE_ALTER ||
                   outer.clause == CLAUSE_REFERENCES,
        .ctes = (uint32_t)scan->tables->cte_count,
    };
}

static void close_frame(struct scan *scan)
{
    if (scan->depth == 0) {
        scan->unknown = true;
        return;
    }
    const struct frame *frame = sql_scan_frame(scan);
    if (frame->clause == CLAUSE_FACTOR || frame->clause == CLAUSE_QUERY ||
        frame->clause == CLAUSE_WITH)
        scan->unknown = true; /* something is missing before the parenthesis */
    sql_scan_drop_ctes(scan->tables, frame->ctes);
    if (frame->cte && frame->ctes > 0)
        scan->tables->ctes[frame->ctes - 1].visible = true;
    scan->depth--;
}

static bool is_sequence_function(uint16_t word)
{
    return word == SQL_WORD_NEXTVAL || word == SQL_WORD_LASTVAL || word == SQL_WORD_SETVAL;
}

/* NEXTVAL(s), LASTVAL(s), SETVAL(s, ...), NEXT VALUE FOR s, PREVIOUS VALUE FOR s; true when the
 * word was one of them, or might have been. */
static bool step_sequence(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (is_sequence_function(word)) {
        sql_scan_next(scan);
        if (sql_cursor_is(&scan->cursor, '(')) {
            if (scan->cursor.lexer.mode.dialect == SQL_DIALECT_MYSQL)
                sql_scan_note_call(scan); /* it has no sequences, and often such a function */
            sql_scan_open_frame(scan, CLAUSE_OTHER, (enum clause)sql_scan_frame(scan)->clause);
            sql_scan_next(scan);
            if (sql_token_is_name(&scan->cursor.token)) {
                sql_scan_table(scan, word == SQL_WORD_LASTVAL ? SQL_ACCESS_READ : SQL_ACCESS_WRITE,
                               false);
            }
        }
        return true;
    }
    if (word == SQL_WORD_NEXT || word == SQL_WORD_PREVIOUS) {
        sql_scan_next(scan);
        if (sql_scan_accept(scan, SQL_WORD_VALUE) && sql_scan_accept(scan, SQL_WORD_FOR))
            sql_scan_table(scan, word == SQL_WORD_NEXT ? SQL_ACCESS_WRITE : SQL_ACCESS_READ, false);
        return true;
    }
    return false;
}

static bool is_set_operator(const struct scan *scan, uint16_t word)
{
    return word == SQL_WORD_UNION || word == SQL_WORD_EXCEPT || word == SQL_WORD_INTERSECT ||
           (word == SQL_WORD_MINUS && scan->cursor.lexer.mode.oracle);
}

/* What every clause does with what it has no use for. */
void sql_scan_pass(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (sql_cursor_is(&scan->cursor, '(')) {
        sql_scan_note_call(scan);
        sql_scan_open_frame(scan, CLAUSE_PAREN, (enum clause)frame->clause);
        sql_scan_next(scan);
    } else if (sql_cursor_is(&scan->cursor, ')')) {
        close_frame(scan);
        sql_scan_next(scan);
    } else if (word != SQL_NO_WORD && is_set_operator(scan, word)) {
        sql_scan_next(scan);
        sql_scan_set_clause(scan, CLAUSE_QUERY);
    } else if (word == SQL_NO_WORD || !step_sequence(scan)) {
        sql_scan_next(scan);
    }
}
