/* SPDX-License-Identifier: Apache-2.0
 *
 * The machine. One step looks at the current token in the current clause, and moves on by at least
 * a token. Parentheses open and close frames; everything that is not of interest in a clause is
 * passed over, so that the machine needs to know only where tables can stand. */
#include "sql/tables_scan.h"

void sql_scan_next(struct scan *scan)
{
    sql_cursor_next(&scan->cursor);
    scan->verb = false;
    if (!scan->compound || sql_cursor_at_end(&scan->cursor)) {
        return;
    }
    if (sql_cursor_is(&scan->cursor, ';')) {
        sql_blocks_semicolon(&scan->blocks);
    } else {
        scan->verb = sql_blocks_take(&scan->blocks, &scan->cursor.lexer, &scan->cursor.token) ==
                     SQL_BLOCK_VERB;
    }
}

bool sql_scan_accept(struct scan *scan, uint16_t word)
{
    if (sql_cursor_word(&scan->cursor) != word) {
        return false;
    }
    sql_scan_next(scan);
    return true;
}

bool sql_scan_accept_byte(struct scan *scan, unsigned char byte)
{
    if (!sql_cursor_is(&scan->cursor, byte)) {
        return false;
    }
    sql_scan_next(scan);
    return true;
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
    uint8_t access = sql_scan_frame(scan)->access;
    scan->frames[++scan->depth] = (struct frame){
        .clause = (uint8_t)inside,
        .access = inside == CLAUSE_FACTOR ? access : (uint8_t)SQL_ACCESS_READ,
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
        frame->clause == CLAUSE_WITH) {
        scan->unknown = true; /* something is missing before the parenthesis */
    }
    scan->tables->cte_count = frame->ctes;
    if (frame->cte && frame->ctes > 0) {
        scan->tables->ctes[frame->ctes - 1].visible = true;
    }
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
        if (sql_scan_accept(scan, SQL_WORD_VALUE) && sql_scan_accept(scan, SQL_WORD_FOR)) {
            sql_scan_table(scan, word == SQL_WORD_NEXT ? SQL_ACCESS_WRITE : SQL_ACCESS_READ, false);
        }
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

static void step(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    if (frame->binding && sql_cursor_word(&scan->cursor) == SQL_WORD_USING) {
        struct sql_cursor ahead = scan->cursor;
        sql_cursor_next(&ahead);
        bool columns = sql_cursor_is(&ahead, '('); /* of JOIN ... USING (columns) */
        sql_cursor_skip_opening(&ahead);
        if (!columns || sql_cursor_word(&ahead) == SQL_WORD_SELECT ||
            sql_cursor_word(&ahead) == SQL_WORD_WITH) {
            scan->tables->cte_count = 0;
            sql_scan_set_clause(scan, CLAUSE_BINDING);
        }
    }
    if (frame->insert && sql_cursor_word(&scan->cursor) == SQL_WORD_ON &&
        sql_scan_at_duplicate_key(scan)) {
        scan->tables->cte_count = frame->ctes;
    }
    if (frame->clause == CLAUSE_SKIP) {
        sql_scan_next(scan);
    } else if (frame->clause == CLAUSE_OTHER ||
               (!sql_scan_query_step(scan) && !sql_scan_define_step(scan))) {
        sql_scan_pass(scan);
    }
}

/* A statement has ended, or is about to begin: nothing may be left open. */
static void end_statement(struct scan *scan)
{
    const struct frame *frame = sql_scan_frame(scan);
    if (scan->depth > 0 || frame->clause == CLAUSE_FACTOR || frame->clause == CLAUSE_QUERY ||
        frame->clause == CLAUSE_WITH || frame->clause == CLAUSE_WITH_NEXT) {
        scan->unknown = true;
    }
    scan->depth = 0;
    scan->frames[0] = (struct frame){0};
    scan->tables->cte_count = 0;
    scan->target_count = 0;
    scan->targets_all = false;
}

static void begin_statement(struct scan *scan)
{
    end_statement(scan);
    sql_scan_statement(scan);
}

/* Whether the statement at the cursor has other statements inside: a compound one, or the creation
 * of something with a body. */
static bool is_compound(const struct scan *scan)
{
    switch (sql_cursor_word(&scan->cursor)) {
    case SQL_WORD_SELECT:
    case SQL_WORD_INSERT:
    case SQL_WORD_UPDATE:
    case SQL_WORD_DELETE:
    case SQL_WORD_SET:
    case SQL_WORD_DROP:
        return false;
    default:
        break;
    }
    struct sql_cursor ahead = scan->cursor;
    bool holds_statement = false;
    enum sql_kind kind = sql_cursor_kind(&ahead, &holds_statement);
    return kind == SQL_KIND_COMPOUND || kind == SQL_KIND_CREATE_PROCEDURE ||
           kind == SQL_KIND_CREATE_FUNCTION || kind == SQL_KIND_CREATE_TRIGGER ||
           kind == SQL_KIND_CREATE_EVENT || kind == SQL_KIND_ALTER_EVENT ||
           kind == SQL_KIND_CREATE_PACKAGE;
}

void sql_scan_run(struct scan *scan)
{
    while (sql_scan_accept_byte(scan, ';')) {
    }
    scan->verb = true;
    if (is_compound(scan)) {
        scan->compound = true;
        sql_blocks_init(&scan->blocks, &scan->cursor.lexer.mode);
        scan->verb = sql_blocks_take(&scan->blocks, &scan->cursor.lexer, &scan->cursor.token) ==
                     SQL_BLOCK_VERB;
    }
    while (!sql_cursor_at_end(&scan->cursor) && !scan->tables->failed) {
        if (scan->verb && !sql_cursor_is(&scan->cursor, ';')) {
            scan->verb = false;
            begin_statement(scan);
        } else if (sql_cursor_is(&scan->cursor, ';')) {
            end_statement(scan);
            sql_scan_next(scan);
            scan->verb = scan->verb || !scan->compound;
        } else {
            step(scan);
        }
    }
    end_statement(scan);
    scan->unknown = scan->unknown || scan->cursor.token.class == SQL_TOKEN_INVALID ||
                    scan->cursor.lexer.ambiguous || (scan->compound && scan->blocks.overflow);
}
