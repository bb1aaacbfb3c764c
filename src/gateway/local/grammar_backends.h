/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of the statements about backends:
 *
 *     ADMIN SHOW BACKENDS
 *     ADMIN BACKENDS ENABLE | DISABLE | DRAIN name[, name]
 *
 * Names are those of the configuration; an address as a name needs quotes. Pure, no allocation; spans
 * point into the statement, without their quotes (escapes inside are not undone). */
#ifndef WEIR_GATEWAY_LOCAL_GRAMMAR_BACKENDS_H
#define WEIR_GATEWAY_LOCAL_GRAMMAR_BACKENDS_H

#include "base/base.h"
#include "gateway/statement/environment.h"
#include "sql/sql.h"

struct grammar_backends {
    struct sql_cursor cursor;
    bool is_show;
    enum session_backend_order order;
    bool wrong; /* not the grammar above: answer with a syntax error */
    bool done;
};

/* Returns false for another statement; grammar_backends_next() then gives the names. */
WEIR_MUST_CHECK bool grammar_backends(struct sql_span statement, const struct sql_mode *mode,
                                      struct grammar_backends *backends);
WEIR_MUST_CHECK bool grammar_backends_next(struct grammar_backends *backends,
                                           struct sql_span *name);

#endif
