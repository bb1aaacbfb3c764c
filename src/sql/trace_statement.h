/* SPDX-License-Identifier: Apache-2.0
 *
 * What is traced, as statements: ADMIN TRACE and ADMIN SHOW TRACE, which are weir's own.
 *
 *     ADMIN TRACE LOAD 'plugin'
 *     ADMIN TRACE ALL | OFF
 *     ADMIN TRACE [USER 'name'] [HOST 'pattern'] [SESSION number]      (one at least)
 *     ADMIN SHOW TRACE
 *
 * Pure, no allocation; spans point into the statement, without their quotes (escapes inside are not
 * undone). */
#ifndef WEIR_SQL_TRACE_STATEMENT_H
#define WEIR_SQL_TRACE_STATEMENT_H

#include "base/check.h"
#include "sql/mode.h"

enum sql_trace_action {
    SQL_TRACE_SHOW,
    SQL_TRACE_LOAD,   /* plugin */
    SQL_TRACE_SELECT, /* user, host, session; none of them: ALL */
    SQL_TRACE_OFF,
};

struct sql_trace_statement {
    enum sql_trace_action action;
    bool wrong;             /* not the grammar above: answer with a syntax error */
    struct sql_span plugin; /* at NULL: not given; so for the next two */
    struct sql_span user, host;
    uint64_t session; /* 0: not given */
};

/* false: it is another statement. */
WEIR_MUST_CHECK bool sql_trace_statement(struct sql_span statement, const struct sql_mode *mode,
                                         struct sql_trace_statement *trace);

#endif
