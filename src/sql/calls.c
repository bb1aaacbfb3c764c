/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls and nothing else: the first thing that is none ends the reading. */
#include "sql/calls.h"

#include <string.h>

void sql_calls_init(struct sql_calls *calls, struct sql_span statement, const struct sql_mode *mode)
{
    calls->all = calls->more = false;
    if (statement.size == 0 || !memchr(statement.at, '(', statement.size))
        return; /* many statements have no parenthesis, and so no call */
    sql_cursor_begin(&calls->cursor, statement, mode);
    calls->more = sql_cursor_accept(&calls->cursor, SQL_WORD_SELECT);
}

static struct sql_span between(const struct sql_cursor *cursor, size_t start, size_t end)
{
    return (struct sql_span){(const char *)cursor->lexer.text + start, end - start};
}

static void add_argument(struct sql_call *call, struct sql_span argument)
{
    if (call->argument_count < SQL_CALL_ARGUMENTS)
        call->arguments[call->argument_count] = argument;
    call->argument_count++;
}

/* From after the opening parenthesis to after the closing one, whose end is *end. */
static bool read_arguments(struct sql_cursor *cursor, struct sql_call *call, size_t *end)
{
    size_t depth = 0, start = 0, last = 0; /* of the argument's tokens; last 0: none yet */
    for (; !sql_cursor_at_end(cursor); sql_cursor_next(cursor)) {
        bool closes = sql_cursor_is(cursor, ')');
        bool parts = depth == 0 && sql_cursor_is(cursor, ',');
        if (depth == 0 && closes)
            break;
        depth += sql_cursor_is(cursor, '(');
        depth -= closes;
        if (parts) {
            add_argument(call, between(cursor, start, last));
            start = last = 0;
            continue;
        }
        start = last > 0 ? start : cursor->token.start;
        last = cursor->token.end;
    }
    if (last > 0 || call->argument_count > 0)
        add_argument(call, between(cursor, start, last));
    *end = cursor->token.end;
    return sql_cursor_accept_byte(cursor, ')');
}

/* [AS] name | 'text' */
static bool read_alias(struct sql_cursor *cursor, struct sql_call *call)
{
    bool as = sql_cursor_accept(cursor, SQL_WORD_AS);
    bool named =
        cursor->token.class == SQL_TOKEN_NAME || cursor->token.class == SQL_TOKEN_STRING ||
        (cursor->token.class == SQL_TOKEN_WORD && (as || sql_cursor_word(cursor) == SQL_NO_WORD));
    if (named) {
        call->title = sql_token_inside(&cursor->lexer, &cursor->token);
        sql_cursor_next(cursor);
    }
    return named || !as;
}

bool sql_calls_next(struct sql_calls *calls, struct sql_call *call)
{
    struct sql_cursor *cursor = &calls->cursor;
    *call = (struct sql_call){0};
    if (!calls->more || !sql_token_is_name(&cursor->token))
        return false;
    size_t start = cursor->token.start, end = 0;
    call->name = sql_token_inside(&cursor->lexer, &cursor->token);
    sql_cursor_next(cursor);
    calls->more = false;
    if (!sql_cursor_accept_byte(cursor, '(') || !read_arguments(cursor, call, &end))
        return false;
    call->title = between(cursor, start, end);
    if (!read_alias(cursor, call))
        return false;
    calls->more = sql_cursor_accept_byte(cursor, ',');
    while (!calls->more && sql_cursor_accept_byte(cursor, ';')) {
    }
    calls->all = !calls->more && cursor->token.class == SQL_TOKEN_END;
    return true;
}
