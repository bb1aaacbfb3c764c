/* SPDX-License-Identifier: Apache-2.0
 *
 * Stepping over nested things without recursion, and cutting pieces. */
#include "sql/cursor.h"

size_t sql_cursor_cut(const struct sql_cursor *cursor, size_t before, struct sql_mode *mode)
{
    const struct sql_lexer *lexer = &cursor->lexer;
    bool opens = lexer->in_code && lexer->code_start >= before;
    mode->in_code = lexer->in_code && !opens;
    return opens ? lexer->code_start : cursor->token.start;
}

void sql_cursor_skip_parentheses(struct sql_cursor *cursor)
{
    size_t open = 0;
    do {
        open += sql_cursor_is(cursor, '(');
        open -= sql_cursor_is(cursor, ')');
        sql_cursor_next(cursor);
    } while (open > 0 && !sql_cursor_at_end(cursor));
}

void sql_cursor_skip_with(struct sql_cursor *cursor)
{
    sql_cursor_next(cursor);
    sql_cursor_accept(cursor, SQL_WORD_RECURSIVE);
    do {
        sql_cursor_next(cursor); /* the name */
        if (sql_cursor_is(cursor, '('))
            sql_cursor_skip_parentheses(cursor);
        if (!sql_cursor_accept(cursor, SQL_WORD_AS) || !sql_cursor_is(cursor, '('))
            return;
        sql_cursor_skip_parentheses(cursor);
        if (sql_cursor_word(cursor) == SQL_WORD_CYCLE) {
            while (!sql_cursor_at_end(cursor) && sql_cursor_word(cursor) != SQL_WORD_RESTRICT)
                sql_cursor_next(cursor);
            sql_cursor_next(cursor);
        }
    } while (sql_cursor_accept_byte(cursor, ','));
}
