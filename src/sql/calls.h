/* SPDX-License-Identifier: Apache-2.0
 *
 * SELECT name(...) [[AS] alias], name(...) ...: a statement of nothing but calls, as those that a
 * gateway may answer itself.
 *
 *     struct sql_calls calls;
 *     struct sql_call call;
 *     sql_calls_init(&calls, statement, &mode);
 *     while (sql_calls_next(&calls, &call)) { ... }
 *     if (sql_calls_are_all(&calls)) { ... it was one ... }
 *
 * Spans point into the statement, which is borrowed. Pure, no allocation. */
#ifndef WEIR_SQL_CALLS_H
#define WEIR_SQL_CALLS_H

#include "sql/cursor.h"

#define SQL_CALL_ARGUMENTS 8 /* spans that are kept; more are counted */

struct sql_call {
    struct sql_span name;  /* without quotes */
    struct sql_span title; /* what the column is called: the alias, without quotes, or the call */
    size_t argument_count;
    struct sql_span arguments[SQL_CALL_ARGUMENTS]; /* expressions, as written */
};

struct sql_calls {
    struct sql_cursor cursor;
    bool more; /* a call must follow */
    bool all;
};

void sql_calls_init(struct sql_calls *calls, struct sql_span statement,
                    const struct sql_mode *mode);
bool sql_calls_next(struct sql_calls *calls, struct sql_call *call);

/* After sql_calls_next() has answered false: whether the statement was calls to its end. */
static inline bool sql_calls_are_all(const struct sql_calls *calls)
{
    return calls->all;
}

#endif
