/* SPDX-License-Identifier: Apache-2.0
 *
 * The clauses of queries: WITH, the select list, and the references to tables after FROM, UPDATE
 * and DELETE. In a reference a table must stand after FROM, a comma and JOIN, and nowhere else. */
#include "sql/tables_scan.h"

#include "sql/charset.h"

#include <string.h>

static void with(struct scan *scan)
{
    sql_scan_frame(scan)->defines = false;
    sql_scan_next(scan);
    sql_scan_frame(scan)->recursive = sql_scan_accept(scan, SQL_WORD_RECURSIVE);
    sql_scan_set_clause(scan, CLAUSE_WITH);
}

/* name [(columns)] AS ( */
static void step_with(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    sql_scan_add_cte(scan, frame->recursive);
    sql_scan_next(scan);
    if (sql_cursor_is(&scan->cursor, '('))
        sql_scan_skip_parentheses(scan);
    if (!sql_scan_accept(scan, SQL_WORD_AS) || !sql_cursor_is(&scan->cursor, '(')) {
        scan->unknown = true;
        sql_scan_set_clause(scan, CLAUSE_OTHER);
        return;
    }
    sql_scan_open_frame(scan, CLAUSE_QUERY, CLAUSE_WITH_NEXT);
    sql_scan_frame(scan)->cte = true;
    sql_scan_next(scan);
}

static void step_with_next(struct scan *scan)
{
    if (sql_scan_accept_byte(scan, ','))
        sql_scan_set_clause(scan, CLAUSE_WITH);
    else if (sql_cursor_word(&scan->cursor) == SQL_WORD_CYCLE)
        while (!sql_cursor_at_end(&scan->cursor) && !sql_scan_accept(scan, SQL_WORD_RESTRICT))
            sql_scan_next(scan);
    else
        sql_scan_set_clause(scan, CLAUSE_QUERY);
}

/* At a word that can begin a query: takes it, or false. */
bool sql_scan_begin_query(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    switch (sql_cursor_word(&scan->cursor)) {
    case SQL_WORD_SELECT:
        frame->access = SQL_ACCESS_READ;
        frame->deeds = 0;
        frame->defines = false;
        sql_scan_next(scan);
        sql_scan_set_clause(scan, CLAUSE_SELECT);
        return true;
    case SQL_WORD_WITH:
        with(scan);
        return true;
    case SQL_WORD_VALUES:
        sql_scan_next(scan);
        sql_scan_set_clause(scan, CLAUSE_OTHER);
        return true;
    case SQL_WORD_TABLE:
        sql_scan_next(scan);
        sql_scan_table(scan, SQL_ACCESS_READ, true);
        sql_scan_set_clause(scan, CLAUSE_OTHER);
        return true;
    default:
        return false;
    }
}

static void step_query(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (sql_scan_begin_query(scan))
        return;
    if (sql_cursor_is(&scan->cursor, '(')) {
        sql_scan_open_frame(scan, CLAUSE_QUERY, CLAUSE_OTHER);
        sql_scan_next(scan);
    } else if (word == SQL_WORD_ALL || word == SQL_WORD_DISTINCT || word == SQL_WORD_DISTINCTROW) {
        sql_scan_next(scan);
    } else if (word == SQL_WORD_UPDATE || word == SQL_WORD_DELETE || word == SQL_WORD_INSERT ||
               word == SQL_WORD_REPLACE) {
        sql_scan_statement(scan); /* WITH ... UPDATE */
    } else {
        scan->unknown = true;
        sql_scan_set_clause(scan, CLAUSE_OTHER);
    }
}

/* PARTITION (p), FOR SYSTEM_TIME ..., [AS] alias: nothing that could be taken for another clause.
 */
static void skip_alias(struct scan *scan)
{
    if (sql_cursor_word(&scan->cursor) == SQL_WORD_PARTITION) {
        sql_scan_next(scan);
        if (sql_cursor_is(&scan->cursor, '('))
            sql_scan_skip_parentheses(scan);
    }
    if (sql_scan_accept(scan, SQL_WORD_AS) && sql_cursor_word(&scan->cursor) != SQL_WORD_OF)
        sql_scan_next(scan);
}

/* Whether DELETE's list of targets names the table between the two offsets, or its alias. */
static bool is_target(const struct scan *scan, const struct sql_token *table)
{
    const struct sql_cursor *cursor = &scan->cursor;
    struct sql_cursor ahead = *cursor;
    if (sql_cursor_word(&ahead) == SQL_WORD_AS)
        sql_cursor_next(&ahead);
    struct sql_span names[2] = {sql_token_inside(&cursor->lexer, table),
                                sql_token_inside(&cursor->lexer, &ahead.token)};
    for (unsigned i = 0; i < scan->target_count; i++) {
        struct sql_span target = sql_token_inside(&cursor->lexer, &scan->targets[i]);
        for (int j = 0; j < 2; j++)
            if (sql_span_same(target, names[j]))
                return true;
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
        if (!dot)
            name = ahead.token;
        sql_cursor_next(&ahead);
        if (!dot && !sql_cursor_is(&ahead, '.'))
            break;
    }
    return name;
}

static void take_factor(struct scan *scan)
{
    struct frame *frame = sql_scan_frame(scan);
    struct sql_token name = {0};
    size_t before = scan->tables->count;
    bool deletes = scan->target_count > 0 || scan->targets_all;
    if (deletes)
        name = last_name(scan);
    if (sql_scan_changed_table(scan, (enum sql_access)frame->access, frame->deeds, true) &&
        deletes && frame->access == SQL_ACCESS_WRITE && scan->tables->count > before &&
        !is_target(scan, &name)) {
        scan->tables->items[before].access = SQL_ACCESS_READ;
        scan->tables->items[before].deeds = 0;
    }
    if (sql_cursor_is(&scan->cursor, '('))
        scan->unknown = true; /* a table function that is not known */
    skip_alias(scan);
    sql_scan_set_clause(scan, CLAUSE_REFS);
}

/* USE, FORCE, IGNORE INDEX | KEY [FOR JOIN | ORDER BY | GROUP BY] */
static bool skip_hint(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (word != SQL_WORD_USE && word != SQL_WORD_FORCE && word != SQL_WORD_IGNORE)
        return false;
    sql_scan_next(scan);
    if (!sql_scan_accept(scan, SQL_WORD_INDEX))
        sql_scan_accept(scan, SQL_WORD_KEY);
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
        sql_scan_open_frame(scan, CLAUSE_FACTOR, CLAUSE_REFS);
        sql_scan_next(scan);
    } else if (sql_cursor_is(&scan->cursor, '{')) { /* {OJ ...} */
        sql_scan_next(scan);
        sql_scan_next(scan);
    } else if (word == SQL_WORD_SELECT || word == SQL_WORD_WITH || word == SQL_WORD_VALUES ||
               (word == SQL_WORD_TABLE && scan->depth > 0)) {
        scan->unknown = scan->unknown || scan->depth == 0;
        sql_scan_begin_query(scan);
    } else if (word == SQL_WORD_LATERAL) {
        sql_scan_next(scan);
    } else if (word == SQL_WORD_DUAL) {
        sql_scan_next(scan);
        sql_scan_set_clause(scan, CLAUSE_REFS);
    } else if (word == SQL_WORD_JSON_TABLE && sql_cursor_second_is(&scan->cursor, '(')) {
        sql_scan_next(scan);
        sql_scan_open_frame(scan, CLAUSE_PAREN, CLAUSE_REFS);
        sql_scan_next(scan);
    } else if (skip_hint(scan)) {
        sql_scan_set_clause(scan, CLAUSE_REFS);
    } else {
        take_factor(scan);
    }
}

/* NTH_VALUE(a, 2) FROM FIRST | LAST [RESPECT | IGNORE NULLS] OVER ...: no table. */
static bool is_from_of_window(const struct scan *scan)
{
    struct sql_cursor ahead = scan->cursor;
    sql_cursor_next(&ahead);
    if (!sql_cursor_accept(&ahead, SQL_WORD_LAST) && !sql_cursor_accept(&ahead, SQL_WORD_FIRST))
        return false;
    if (sql_cursor_word(&ahead) == SQL_WORD_OVER)
        return true;
    return (sql_cursor_accept(&ahead, SQL_WORD_IGNORE) ||
            sql_cursor_accept(&ahead, SQL_WORD_RESPECT)) &&
           sql_cursor_word(&ahead) == SQL_WORD_NULLS;
}

static void step_select(struct scan *scan)
{
    if (sql_cursor_word(&scan->cursor) != SQL_WORD_FROM) {
        sql_scan_pass(scan);
        return;
    }
    if (!is_from_of_window(scan))
        sql_scan_set_clause(scan, CLAUSE_FACTOR);
    sql_scan_next(scan);
}

/* Whether RETURNING (current) is MariaDB's clause, after which an expression stands. TiDB has no
 * such clause, but tables and columns of that name: a table that follows must not be missed. */
static bool is_returning_clause(const struct scan *scan)
{
    struct sql_cursor ahead = scan->cursor;
    sql_cursor_next(&ahead);
    switch (sql_cursor_word(&ahead)) {
    case SQL_WORD_LEFT: /* also functions */
    case SQL_WORD_RIGHT:
        sql_cursor_next(&ahead);
        return sql_cursor_is(&ahead, '(');
    case SQL_WORD_JOIN:
    case SQL_WORD_STRAIGHT_JOIN:
    case SQL_WORD_INNER:
    case SQL_WORD_CROSS:
    case SQL_WORD_NATURAL:
    case SQL_WORD_ON:
    case SQL_WORD_USE:
    case SQL_WORD_FORCE:
    case SQL_WORD_IGNORE:
    case SQL_WORD_AND:
    case SQL_WORD_OR:
    case SQL_WORD_IS:
    case SQL_WORD_IN:
    case SQL_WORD_LIKE:
    case SQL_WORD_BETWEEN:
        return false;
    default:
        return ahead.token.class != SQL_TOKEN_PUNCTUATION ||
               (ahead.token.byte != 0 && strchr(",)=<>!", ahead.token.byte) == NULL);
    }
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
        return true;
    case SQL_WORD_RETURNING:
        return is_returning_clause(scan);
    case SQL_WORD_FOR: {
        uint16_t second = sql_cursor_second_word(&scan->cursor);
        return second == SQL_WORD_UPDATE || second == SQL_WORD_SHARE;
    }
    case SQL_WORD_ON:
        return sql_scan_at_duplicate_key(scan);
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
        sql_scan_set_clause(scan, CLAUSE_FACTOR);
    } else if (word != SQL_NO_WORD && ends_references(scan, word)) {
        sql_scan_set_clause(scan, CLAUSE_OTHER);
        sql_scan_next(scan);
    } else if (word == SQL_WORD_AS) {
        skip_alias(scan);
    } else if (!skip_hint(scan)) {
        sql_scan_pass(scan);
    }
}

static void step_paren(struct scan *scan)
{
    if (sql_cursor_is(&scan->cursor, '(')) {
        sql_scan_pass(scan);
        return;
    }
    if (sql_cursor_is(&scan->cursor, ')')) {
        sql_scan_pass(scan);
        return;
    }
    if (!sql_scan_begin_query(scan))
        sql_scan_set_clause(scan, CLAUSE_OTHER);
}

static void step_insert(struct scan *scan)
{
    uint16_t word = sql_cursor_word(&scan->cursor);
    if (word == SQL_WORD_SET || word == SQL_WORD_VALUE || word == SQL_WORD_VALUES) {
        sql_scan_next(scan);
        sql_scan_set_clause(scan, CLAUSE_OTHER);
    } else if (!sql_scan_begin_query(scan)) {
        sql_scan_pass(scan);
    }
}

bool sql_scan_query_step(struct scan *scan)
{
    switch ((enum clause)sql_scan_frame(scan)->clause) {
    case CLAUSE_PAREN:
        step_paren(scan);
        return true;
    case CLAUSE_QUERY:
        step_query(scan);
        return true;
    case CLAUSE_SELECT:
        step_select(scan);
        return true;
    case CLAUSE_FACTOR:
        step_factor(scan);
        return true;
    case CLAUSE_REFS:
        step_refs(scan);
        return true;
    case CLAUSE_WITH:
        step_with(scan);
        return true;
    case CLAUSE_WITH_NEXT:
        step_with_next(scan);
        return true;
    case CLAUSE_INSERT:
        step_insert(scan);
        return true;
    default:
        return false;
    }
}
