/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar in the order of its words. */
#include "sql/trace_statement.h"

#include <strings.h>

#include "sql/cursor.h"

/* HOST is no keyword of any server. */
static bool accept_host(struct sql_cursor *cursor)
{
    static const char word[] = "host";
    struct sql_span here = sql_cursor_span(cursor);
    bool found = cursor->token.class == SQL_TOKEN_WORD && here.size == sizeof word - 1 &&
                 strncasecmp(here.at, word, here.size) == 0;
    if (found) {
        sql_cursor_next(cursor);
    }
    return found;
}

static void take_string(struct sql_cursor *cursor, struct sql_trace_statement *trace,
                        struct sql_span *text)
{
    bool is_name = sql_token_is_name(&cursor->token) || cursor->token.class == SQL_TOKEN_STRING;
    trace->wrong = trace->wrong || !is_name;
    *text = sql_cursor_inside(cursor);
    sql_cursor_next(cursor);
}

static void take_number(struct sql_cursor *cursor, struct sql_trace_statement *trace)
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
static void take_conditions(struct sql_cursor *cursor, struct sql_trace_statement *trace)
{
    unsigned given = 0;
    if (sql_cursor_accept(cursor, SQL_WORD_USER)) {
        given++;
        take_string(cursor, trace, &trace->user);
    }
    if (accept_host(cursor)) {
        given++;
        take_string(cursor, trace, &trace->host);
    }
    if (sql_cursor_accept(cursor, SQL_WORD_SESSION)) {
        given++;
        take_number(cursor, trace);
    }
    trace->wrong = trace->wrong || given == 0;
}

static void take_order(struct sql_cursor *cursor, struct sql_trace_statement *trace)
{
    trace->action = SQL_TRACE_SELECT;
    if (sql_cursor_accept(cursor, SQL_WORD_LOAD)) {
        trace->action = SQL_TRACE_LOAD;
        take_string(cursor, trace, &trace->plugin);
    } else if (sql_cursor_accept(cursor, SQL_WORD_OFF)) {
        trace->action = SQL_TRACE_OFF;
    } else if (!sql_cursor_accept(cursor, SQL_WORD_ALL)) {
        take_conditions(cursor, trace);
    }
}

bool sql_trace_statement(struct sql_span statement, const struct sql_mode *mode,
                         struct sql_trace_statement *trace)
{
    struct sql_cursor cursor;
    *trace = (struct sql_trace_statement){0};
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_ADMIN)) {
        return false;
    }
    bool is_show = sql_cursor_accept(&cursor, SQL_WORD_SHOW);
    if (!sql_cursor_accept(&cursor, SQL_WORD_TRACE)) {
        return false;
    }
    if (!is_show) {
        take_order(&cursor, trace);
    }
    sql_cursor_accept_byte(&cursor, ';');
    trace->wrong = trace->wrong || cursor.token.class != SQL_TOKEN_END;
    return true;
}
