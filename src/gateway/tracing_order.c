/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tracing_order.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/answer.h"
#include "gateway/outcome.h"
#include "gateway/tracing.h"
#include "trace/protocol/trace_protocol.h"

#define NUMBER_BYTES 24 /* a 64-bit number as text */

struct tracing_order {
    struct sql_trace_statement statement; /* its spans are not to be used */
    char *plugin, *user, *host;           /* NULL: not given */
};

bool tracing_order_is(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_trace_statement statement;
    return sql_trace_statement(text, mode, &statement);
}

/* false: no memory. */
static bool copy(char **to, struct sql_span span)
{
    *to = span.at ? strndup(span.at, span.size) : NULL;
    return *to || !span.at;
}

struct tracing_order *tracing_order_read(struct sql_span text, const struct sql_mode *mode)
{
    struct tracing_order *order = calloc(1, sizeof *order);
    bool fine = order && sql_trace_statement(text, mode, &order->statement) &&
                !order->statement.wrong && copy(&order->plugin, order->statement.plugin) &&
                copy(&order->user, order->statement.user) &&
                copy(&order->host, order->statement.host);
    if (!fine) {
        tracing_order_free(order);
        order = NULL;
    }
    return order;
}

void tracing_order_free(struct tracing_order *order)
{
    if (!order)
        return;
    free(order->plugin);
    free(order->user);
    free(order->host);
    free(order);
}

/* ---- doing ---- */

static int choose(const struct tracing_order *order, struct gateway *gateway, struct error *error)
{
    struct trace_host *host = atomic_load(&gateway->trace);
    const struct trace_selection selection = {.is_off = order->statement.action == SQL_TRACE_OFF,
                                              .user = order->user,
                                              .host = order->host,
                                              .session_id = order->statement.session};
    if (!host && selection.is_off)
        return 0;
    if (!host)
        return error_set(error,
                         "no trace plugin is loaded; ADMIN TRACE LOAD 'plugin' loads one, and so "
                         "does -trace-plugin");
    if (trace_host_select(host, &selection) < 0)
        return error_set(error, "out of memory");
    tracing_tell(gateway);
    return 0;
}

int tracing_order_run(const struct tracing_order *order, struct gateway *gateway,
                      struct error *error)
{
    switch (order->statement.action) {
    case SQL_TRACE_LOAD:
        return tracing_load(gateway, order->plugin, error);
    case SQL_TRACE_SELECT:
    case SQL_TRACE_OFF:
        return choose(order, gateway, error);
    default:
        return 0;
    }
}

/* ---- answering ---- */

/* One row, or none where no plugin is loaded. What is NULL in a selection is any. */
static void show(struct session *session)
{
    static const char *const columns[] = {"Plugin", "Tracing", "User",
                                          "Host",   "Session", "Sessions_traced"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    struct trace_host *host = atomic_load(&session->worker->gateway->trace);
    struct trace_selection selection = {0};
    struct strbuf texts = STRBUF_INIT;
    char id[NUMBER_BYTES], traced[NUMBER_BYTES];
    const char *values[COLUMNS] = {NULL};
    if (host) {
        trace_host_selection(host, &selection, &texts);
        bool is_all = !selection.user && !selection.host && !selection.session_id;
        snprintf(id, sizeof id, "%" PRIu64, selection.session_id);
        snprintf(traced, sizeof traced, "%ld", trace_session_count());
        const char *cells[COLUMNS] = {trace_host_plugin(host)->name,
                                      selection.is_off ? "OFF"
                                      : is_all         ? "ALL"
                                                       : "SELECTED",
                                      selection.user,
                                      selection.host,
                                      selection.session_id ? id : NULL,
                                      traced};
        memcpy(values, cells, sizeof values);
    }
    outcome_rows(session, columns, COLUMNS, values, host ? 1 : 0);
    strbuf_release(&texts);
}

void tracing_order_answer(struct session *session, const struct tracing_order *order)
{
    struct wire_result done = {.status = session->tracker.status};
    if (order->statement.action == SQL_TRACE_SHOW)
        show(session);
    else if (outcome_complete(session, &done))
        answer_ok(session);
}
