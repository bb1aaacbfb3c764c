/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN TRACE and ADMIN SHOW TRACE: what is traced, changed and shown while the gateway runs. The
 * life of such a statement is that of the other administrative ones (administration.c). */
#ifndef WEIR_GATEWAY_TRACING_ORDER_H
#define WEIR_GATEWAY_TRACING_ORDER_H

#include "gateway/session.h"

struct tracing_order;

#define TRACING_ORDER_GRAMMAR                                                                      \
    "ADMIN TRACE LOAD 'plugin', ADMIN TRACE ALL | OFF, ADMIN TRACE [USER 'name'] "                 \
    "[HOST 'pattern'] [SESSION number], or ADMIN SHOW TRACE"

/* Whether the text is such a statement, right or wrong. */
bool tracing_order_is(struct sql_span text, const struct sql_mode *mode);

/* Takes the text apart; returns owned. NULL: it is not the grammar, or there is no memory. */
struct tracing_order *tracing_order_read(struct sql_span text, const struct sql_mode *mode);

/* Does it. -1 and error. On a thread of the pool: loading a plugin runs its code. */
int tracing_order_run(const struct tracing_order *order, struct gateway *gateway,
                      struct error *error);

/* Answers it, once it has been done. */
void tracing_order_answer(struct session *session, const struct tracing_order *order);

/* NULL is allowed. */
void tracing_order_free(struct tracing_order *order);

#endif
