/* SPDX-License-Identifier: Apache-2.0
 *
 * The machine. One step looks at the current token in the current clause, and moves on by at least
 * a token. Parentheses open and close frames; everything that is not of interest in a clause is
 * passed over, so that the machine needs to know only where tables can stand. */
#include "sql/tables_scan.h"
#include "sql/charset.h"

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

static void set_clause(struct scan *scan, enum clause clause)
{
    sql_scan_frame(scan)->clause = (uint8_t)clause;
}

/* Opens a frame at a parenthesis; the current frame goes on with `after` when it closes. */
static void open_frame(struct scan *scan, enum clause inside, enum clause after)
{
    set_clause(scan, after);
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

void sql_scan_with(struct scan *scan)
{
    sql_scan_next(scan);
    sql_scan_frame(scan)->recursive = sql_scan_accept(scan, SQL_WORD_RECURSIVE);
    set_clause(scan, CLAUSE_WITH);
}

/* name [(columns)] AS ( */
static void step_with(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    sql_scan_add_cte(scan, frame->recursive);
    sql_scan_next(scan);
    if (sql_cursor_is(&scan->cursor, '(')) {
        sql_scan_skip_parentheses(scan);
    }
    if (!sql_scan_accept(scan, SQL_WORD_AS) || !sql_cursor_is(&scan->cursor, '(')) {
        scan->unknown = true;
        set_clause(scan, CLAUSE_OTHER);
        return;
    }
    open_frame(scan, CLAUSE_QUERY, CLAUSE_WITH_NEXT);
    sql_scan_frame(scan)->cte = true;
    sql_scan_next(scan);
}

static void step_with_next(struct scan *scan)
{
    if (sql_scan_accept_byte(scan, ',')) {
        set_clause(scan, CLAUSE_WITH);
    } else if (sql_cursor_word(&scan->cursor) == SQL_WORD_CYCLE) {
        while (!sql_cursor_at_end(&scan->cursor) && !sql_scan_accept(scan, SQL_WORD_RESTRICT)) {
            sql_scan_next(scan);
        }
    } else {
        set_clause(scan, CLAUSE_QUERY);
    }
}

/* At a word that can begin a query: takes it, or false. */
static bool begin_query(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    switch (sql_cursor_word(&scan->cursor)) {
    case SQL_WORD_SELECT:
        frame->access = SQL_ACCESS_READ;
        sql_scan_next(scan);
        set_clause(scan, CLAUSE_SELECT);
        return true;
    case SQL_WORD_WITH:
        sql_scan_with(scan);
        return true;
    case SQL_WORD_VALUES:
        sql_scan_next(scan);
        set_clause(scan, CLAUSE_OTHER);
        return true;
    case SQL_WORD_TABLE:
        sql_scan_next(scan);
        sql_scan_table(scan, SQL_ACCESS_READ, true);
        set_clause(scan, CLAUSE_OTHER);
        return true;
    default:
        return false;
    }
}

static void step_query(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (begin_query(scan)) {
        return;
    }
    if (sql_cursor_is(&scan->cursor, '(')) {
        open_frame(scan, CLAUSE_QUERY, CLAUSE_OTHER);
        sql_scan_next(scan);
    } else if (word == SQL_WORD_ALL || word == SQL_WORD_DISTINCT || word == SQL_WORD_DISTINCTROW) {
        sql_scan_next(scan);
    } else if (word == SQL_WORD_UPDATE || word == SQL_WORD_DELETE || word == SQL_WORD_INSERT ||
               word == SQL_WORD_REPLACE) {
        sql_scan_statement(scan); /* WITH ... UPDATE */
    } else {
        scan->unknown = true;
        set_clause(scan, CLAUSE_OTHER);
    }
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
            open_frame(scan, CLAUSE_OTHER, (enum clause)sql_scan_frame(scan)->clause);
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
static void pass(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (sql_cursor_is(&scan->cursor, '(')) {
        open_frame(scan, CLAUSE_PAREN, (enum clause)frame->clause);
        sql_scan_next(scan);
    } else if (sql_cursor_is(&scan->cursor, ')')) {
        close_frame(scan);
        sql_scan_next(scan);
    } else if (word != SQL_NO_WORD && is_set_operator(scan, word)) {
        sql_scan_next(scan);
        set_clause(scan, CLAUSE_QUERY);
    } else if (word == SQL_NO_WORD || !step_sequence(scan)) {
        sql_scan_next(scan);
    }
}

/* PARTITION (p), FOR SYSTEM_TIME ..., [AS] alias: nothing that could be taken for another clause.
 */
static void skip_alias(struct scan *scan)
{
    if (sql_cursor_word(&scan->cursor) == SQL_WORD_PARTITION) {
        sql_scan_next(scan);
        if (sql_cursor_is(&scan->cursor, '(')) {
            sql_scan_skip_parentheses(scan);
        }
    }
    if (sql_scan_accept(scan, SQL_WORD_AS) && sql_cursor_word(&scan->cursor) != SQL_WORD_OF) {
        sql_scan_next(scan);
    }
}

/* Whether DELETE's list of targets names the table between the two offsets, or its alias. */
static bool is_target(const struct scan *scan, const struct sql_token *table)
{
    const struct sql_cursor *cursor = &scan->cursor;
    struct sql_cursor ahead = *cursor;
    if (sql_cursor_word(&ahead) == SQL_WORD_AS) {
        sql_cursor_next(&ahead);
    }
    struct sql_span names[2] = {sql_token_inside(&cursor->lexer, table),
                                sql_token_inside(&cursor->lexer, &ahead.token)};
    for (unsigned i = 0; i < scan->target_count; i++) {
        struct sql_span target = sql_token_inside(&cursor->lexer, &scan->targets[i]);
        for (int j = 0; j < 2; j++) {
            if (sql_span_same(target, names[j])) {
                return true;
            }
        }
    }
    return scan->targets_all;
}

/* The last name token of the table at the cursor. */
static struct sql_token last_name(const struct scan *scan)
{
    struct sql_cursor ahead = scan->cursor;
    struct sql_token name = ahead.token;
    while (sql_token_is_name(&ahead.token) || sql_cursor_is(&ahead, '.')) {
        bool dot = sql_cursor_is(&ahead, '.');
        if (!dot) {
            name = ahead.token;
        }
        sql_cursor_next(&ahead);
        if (!dot && !sql_cursor_is(&ahead, '.')) {
            break;
        }
    }
    return name;
}

static void take_factor(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    struct sql_token name = {0};
    size_t before = scan->tables->count;
    bool deletes = scan->target_count > 0 || scan->targets_all;
    if (deletes) {
        name = last_name(scan);
    }
    if (sql_scan_table(scan, (enum sql_access)frame->access, true) && deletes &&
        frame->access == SQL_ACCESS_WRITE && scan->tables->count > before &&
        !is_target(scan, &name)) {
        scan->tables->items[before].access = SQL_ACCESS_READ;
    }
    if (sql_cursor_is(&scan->cursor, '(')) {
        scan->unknown = true; /* a table function that is not known */
    }
    skip_alias(scan);
    set_clause(scan, CLAUSE_REFS);
}

/* USE, FORCE, IGNORE INDEX | KEY [FOR JOIN | ORDER BY | GROUP BY] */
static bool skip_hint(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (word != SQL_WORD_USE && word != SQL_WORD_FORCE && word != SQL_WORD_IGNORE) {
        return false;
    }
    sql_scan_next(scan);
    if (!sql_scan_accept(scan, SQL_WORD_INDEX)) {
        sql_scan_accept(scan, SQL_WORD_KEY);
    }
    if (sql_scan_accept(scan, SQL_WORD_FOR) && !sql_scan_accept(scan, SQL_WORD_JOIN)) {
        sql_scan_next(scan);
        sql_scan_accept(scan, SQL_WORD_BY);
    }
    return true;
}

static void step_factor(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (sql_cursor_is(&scan->cursor, '(')) {
        open_frame(scan, CLAUSE_FACTOR, CLAUSE_REFS);
        sql_scan_next(scan);
    } else if (sql_cursor_is(&scan->cursor, '{')) { /* {OJ ...} */
        sql_scan_next(scan);
        sql_scan_next(scan);
    } else if (word == SQL_WORD_SELECT || word == SQL_WORD_WITH || word == SQL_WORD_VALUES ||
               (word == SQL_WORD_TABLE && scan->depth > 0)) {
        scan->unknown = scan->unknown || scan->depth == 0;
        begin_query(scan);
    } else if (word == SQL_WORD_LATERAL) {
        sql_scan_next(scan);
    } else if (word == SQL_WORD_DUAL) {
        sql_scan_next(scan);
        set_clause(scan, CLAUSE_REFS);
    } else if (word == SQL_WORD_JSON_TABLE) {
        sql_scan_next(scan);
        set_clause(scan, CLAUSE_REFS);
    } else if (skip_hint(scan)) {
        set_clause(scan, CLAUSE_REFS);
    } else {
        take_factor(scan);
    }
}

/* NTH_VALUE(a, 2) FROM FIRST | LAST [RESPECT | IGNORE NULLS] OVER ...: no table. */
static bool is_from_of_window(const struct scan *scan)
{
    struct sql_cursor ahead = scan->cursor;
    sql_cursor_next(&ahead);
    if (!sql_cursor_accept(&ahead, SQL_WORD_LAST) && !sql_cursor_accept(&ahead, SQL_WORD_FIRST)) {
        return false;
    }
    if (sql_cursor_word(&ahead) == SQL_WORD_OVER) {
        return true;
    }
    return (sql_cursor_accept(&ahead, SQL_WORD_IGNORE) ||
            sql_cursor_accept(&ahead, SQL_WORD_RESPECT)) &&
           sql_cursor_word(&ahead) == SQL_WORD_NULLS;
}

static void step_select(struct scan *scan)
{
    if (sql_cursor_word(&scan->cursor) != SQL_WORD_FROM) {
        pass(scan);
        return;
    }
    if (!is_from_of_window(scan)) {
        set_clause(scan, CLAUSE_FACTOR);
    }
    sql_scan_next(scan);
}

static bool ends_references(struct scan *scan, uint16_t word)
{
    switch (word) {
    case SQL_WORD_WHERE:
    case SQL_WORD_GROUP:
    case SQL_WORD_HAVING:
    case SQL_WORD_ORDER:
    case SQL_WORD_LIMIT:
    case SQL_WORD_SET:
    case SQL_WORD_INTO:
    case SQL_WORD_PROCEDURE:
    case SQL_WORD_LOCK:
    case SQL_WORD_WINDOW:
    case SQL_WORD_FETCH:
    case SQL_WORD_RETURNING:
        return true;
    case SQL_WORD_FOR: {
        uint16_t second = sql_cursor_second_word(&scan->cursor);
        return second == SQL_WORD_UPDATE || second == SQL_WORD_SHARE;
    }
    case SQL_WORD_ON:
        return sql_cursor_second_word(&scan->cursor) == SQL_WORD_DUPLICATE;
    default:
        return false;
    }
}

static void step_refs(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (sql_cursor_is(&scan->cursor, ',') || word == SQL_WORD_JOIN ||
        word == SQL_WORD_STRAIGHT_JOIN) {
        sql_scan_next(scan);
        set_clause(scan, CLAUSE_FACTOR);
    } else if (word != SQL_NO_WORD && ends_references(scan, word)) {
        set_clause(scan, CLAUSE_OTHER);
        sql_scan_next(scan);
    } else if (word == SQL_WORD_AS) {
        skip_alias(scan);
    } else if (!skip_hint(scan)) {
        pass(scan);
    }
}

static void step_paren(struct scan *scan)
{
    if (sql_cursor_is(&scan->cursor, '(')) {
        pass(scan);
        return;
    }
    if (sql_cursor_is(&scan->cursor, ')')) {
        pass(scan);
        return;
    }
    if (!begin_query(scan)) {
        set_clause(scan, CLAUSE_OTHER);
    }
}

static void step_insert(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (word == SQL_WORD_SET || word == SQL_WORD_VALUE || word == SQL_WORD_VALUES) {
        sql_scan_next(scan);
        set_clause(scan, CLAUSE_OTHER);
    } else if (!begin_query(scan)) {
        pass(scan);
    }
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
        if (sql_cursor_is(&scan->cursor, '(')) {
            sql_scan_skip_parentheses(scan);
        }
    } else if (word == SQL_WORD_AS) {
        sql_scan_next(scan);
        set_clause(scan, CLAUSE_QUERY);
    } else if (word == SQL_WORD_SELECT || word == SQL_WORD_TABLE || word == SQL_WORD_VALUES ||
               (word == SQL_WORD_WITH &&
                sql_cursor_second_word(&scan->cursor) != SQL_WORD_SYSTEM)) {
        begin_query(scan);
    } else if (sql_cursor_is(&scan->cursor, '(')) {
        open_frame(scan, CLAUSE_REFERENCES, CLAUSE_CREATE);
        sql_scan_next(scan);
        uint16_t first = sql_cursor_word(&scan->cursor);
        if (first == SQL_WORD_SELECT || first == SQL_WORD_WITH ||
            sql_cursor_is(&scan->cursor, '(')) {
            set_clause(scan, CLAUSE_PAREN);
        } else if (sql_scan_accept(scan, SQL_WORD_LIKE)) {
            sql_scan_table(scan, SQL_ACCESS_READ, false);
        }
    } else {
        pass(scan);
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
        pass(scan);
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
        if (!sql_scan_accept(scan, SQL_WORD_TO) && !sql_scan_accept(scan, SQL_WORD_AS)) {
            sql_scan_accept_byte(scan, '=');
        }
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
        open_frame(scan, CLAUSE_REFERENCES, CLAUSE_ALTER);
        sql_scan_next(scan);
    } else {
        step_references(scan);
    }
}

static void step_trigger(struct scan *scan)
{
    if (sql_scan_accept(scan, SQL_WORD_ON)) {
        sql_scan_table(scan, SQL_ACCESS_DDL, false);
        set_clause(scan, CLAUSE_OTHER);
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
        if (word == SQL_WORD_SQL || word == SQL_WORD_PLAN) { /* DIGEST 'x' */
            set_clause(scan, CLAUSE_SKIP);
        } else {
            sql_scan_statement(scan);
        }
    } else {
        sql_scan_next(scan);
    }
}

static void step(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    if (frame->binding && sql_cursor_word(&scan->cursor) == SQL_WORD_USING) {
        struct sql_cursor ahead = scan->cursor;
        sql_cursor_next(&ahead);
        if (!sql_cursor_is(&ahead, '(')) { /* not JOIN ... USING (columns) */
            scan->tables->cte_count = 0;
            set_clause(scan, CLAUSE_BINDING);
        }
    }
    switch ((enum clause)frame->clause) {
    case CLAUSE_OTHER:
        pass(scan);
        break;
    case CLAUSE_PAREN:
        step_paren(scan);
        break;
    case CLAUSE_QUERY:
        step_query(scan);
        break;
    case CLAUSE_SELECT:
        step_select(scan);
        break;
    case CLAUSE_FACTOR:
        step_factor(scan);
        break;
    case CLAUSE_REFS:
        step_refs(scan);
        break;
    case CLAUSE_WITH:
        step_with(scan);
        break;
    case CLAUSE_WITH_NEXT:
        step_with_next(scan);
        break;
    case CLAUSE_INSERT:
        step_insert(scan);
        break;
    case CLAUSE_CREATE:
        step_create(scan);
        break;
    case CLAUSE_ALTER:
        step_alter(scan);
        break;
    case CLAUSE_REFERENCES:
        step_references(scan);
        break;
    case CLAUSE_TRIGGER:
        step_trigger(scan);
        break;
    case CLAUSE_BINDING:
        step_binding(scan);
        break;
    case CLAUSE_SKIP:
        sql_scan_next(scan);
        break;
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
