/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of the statements about what is traced:
 *
 *     ADMIN TRACE LOAD 'plugin'
 *     ADMIN TRACE ALL | OFF
 *     ADMIN TRACE [USER 'name'] [HOST 'pattern'] [SESSION number]      (one at least)
 *     ADMIN SHOW TRACE
 *
 * Pure, no allocation; spans point into the statement, without their quotes (escapes inside are not
 * undone). */
#ifndef WEIR_GATEWAY_LOCAL_GRAMMAR_TRACE_H
#define WEIR_GATEWAY_LOCAL_GRAMMAR_TRACE_H

#include "base/base.h"
#include "sql/sql.h"

enum grammar_trace_action {
    GRAMMAR_TRACE_SHOW,
    GRAMMAR_TRACE_LOAD,   /* plugin */
    GRAMMAR_TRACE_SELECT, /* user, host, session; none of them: ALL */
    GRAMMAR_TRACE_OFF,
};

struct grammar_trace {
    enum grammar_trace_action action;
    bool wrong;             /* not the grammar above: answer with a syntax error */
    struct sql_span plugin; /* at NULL: not given; so for the next two */
    struct sql_span user, host;
    uint64_t session; /* 0: not given */
};

/* Returns false for another statement; true, and sets `wrong`, for an error after the first words. */
WEIR_MUST_CHECK bool grammar_trace(struct sql_span statement, const struct sql_mode *mode,
                                   struct grammar_trace *trace);

#endif
