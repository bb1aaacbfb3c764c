/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN TRACE and ADMIN SHOW TRACE, in the order of their words. */
#include "gateway/local/grammar_trace.h"

#include <strings.h>

/* HOST is no keyword of any server. */
static bool accept_host(struct sql_cursor *cursor)
{
    static const char word[] = "host";
    struct sql_span here = sql_cursor_span(cursor);
    bool found = cursor->token.class == SQL_TOKEN_WORD && here.size == sizeof word - 1 &&
                 strncasecmp(here.at, word, here.size) == 0;
    if (found)
        sql_cursor_next(cursor);
    return found;
}

static void read_string(struct sql_cursor *cursor, struct grammar_trace *trace,
                        struct sql_span *text)
{
    bool is_name = sql_token_is_name(&cursor->token) || cursor->token.class == SQL_TOKEN_STRING;
    trace->wrong = trace->wrong || !is_name;
    *text = sql_cursor_inside(cursor);
    sql_cursor_next(cursor);
}

static void read_number(struct sql_cursor *cursor, struct grammar_trace *trace)
{
    struct sql_span digits = sql_cursor_span(cursor);
    bool ok = cursor->token.class == SQL_TOKEN_NUMBER;
    uint64_t number = 0;
    for (size_t i = 0; ok && i < digits.size; i++) {
        ok = digits.at[i] >= '0' && digits.at[i] <= '9' &&
             !__builtin_mul_overflow(number, UINT64_C(10), &number) &&
             !__builtin_add_overflow(number, (uint64_t)(digits.at[i] - '0'), &number);
    }
    trace->wrong = trace->wrong || !ok || number == 0;
    trace->session = number;
    sql_cursor_next(cursor);
}

/* In this order, one of them at least. */
static void read_conditions(struct sql_cursor *cursor, struct grammar_trace *trace)
{
    unsigned given = 0;
    if (sql_cursor_accept(cursor, SQL_WORD_USER)) {
        given++;
        read_string(cursor, trace, &trace->user);
    }
    if (accept_host(cursor)) {
        given++;
        read_string(cursor, trace, &trace->host);
    }
    if (sql_cursor_accept(cursor, SQL_WORD_SESSION)) {
        given++;
        read_number(cursor, trace);
    }
    trace->wrong = trace->wrong || given == 0;
}

static void read_order(struct sql_cursor *cursor, struct grammar_trace *trace)
{
    trace->action = GRAMMAR_TRACE_SELECT;
    if (sql_cursor_accept(cursor, SQL_WORD_LOAD)) {
        trace->action = GRAMMAR_TRACE_LOAD;
        read_string(cursor, trace, &trace->plugin);
    } else if (sql_cursor_accept(cursor, SQL_WORD_OFF)) {
        trace->action = GRAMMAR_TRACE_OFF;
    } else if (!sql_cursor_accept(cursor, SQL_WORD_ALL)) {
        read_conditions(cursor, trace);
    }
}

bool grammar_trace(struct sql_span statement, const struct sql_mode *mode,
                   struct grammar_trace *trace)
{
    struct sql_cursor cursor;
    *trace = (struct grammar_trace){0};
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_ADMIN))
        return false;
    bool is_show = sql_cursor_accept(&cursor, SQL_WORD_SHOW);
    if (!sql_cursor_accept(&cursor, SQL_WORD_TRACE))
        return false;
    if (!is_show)
        read_order(&cursor, trace);
    sql_cursor_accept_byte(&cursor, ';');
    trace->wrong = trace->wrong || cursor.token.class != SQL_TOKEN_END;
    return true;
}
