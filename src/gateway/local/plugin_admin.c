/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/administration.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/answer.h"
#include "gateway/outcome.h"
#include "gateway/permission.h"
#include "gateway/pool.h"
#include "gateway/relay.h"
#include "gateway/statement.h"
#include "gateway/tracing_order.h"

#define MAX_NAMES 64

struct administration {
    struct pool_job pool;
    enum sql_plugin_action action;
    char *names[MAX_NAMES]; /* owned */
    size_t count;
    struct tracing_order *trace; /* ADMIN TRACE; NULL: one of the plugins' statements */
    int status;
    struct error error;
};

bool administration_may_take(enum sql_kind kind)
{
    return kind == SQL_KIND_SHOW_PLUGINS || kind == SQL_KIND_FLUSH_PLUGINS ||
           kind == SQL_KIND_ADMIN_PLUGINS || kind == SQL_KIND_ADMIN;
}

bool administration_takes(const struct session *session, const struct wire_packet *command)
{
    struct wire_query query;
    struct sql_show_plugins show;
    enum sql_kind kind = session->run.one.kinds.kind;
    if (command->command != WIRE_COM_QUERY || session->run.count != 1 ||
        !administration_may_take(kind))
        return false;
    if (kind != SQL_KIND_SHOW_PLUGINS && kind != SQL_KIND_ADMIN)
        return true;
    if (!wire_decode_query(command->payload, command->payload_size,
                           session->tracker.client_capabilities, &query))
        return false;
    struct sql_span text = {query.text.data, query.text.size};
    /* SHOW PLUGINS SONAME is MariaDB's own. */
    return kind == SQL_KIND_ADMIN ? tracing_order_is(text, &session->run.one.mode)
                                  : sql_show_plugins(text, &session->run.one.mode, &show);
}

/* ---- SHOW PLUGINS ---- */

static void show_plugins(struct session *session, struct sql_span text)
{
    static const char *const columns[] = {"Name",    "Status",  "Type",
                                          "Library", "License", "Version"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    const struct plugin_registry *registry = session->worker->gateway->registry;
    const char *values[PLUGIN_MAX_LOADED * COLUMNS];
    struct sql_show_plugins show = {0};
    size_t rows = 0;
    sql_show_plugins(text, &session->run.one.mode, &show);
    if (show.filtered && !show.is_like) {
        outcome_error(session, WIRE_ER_NOT_SUPPORTED_YET, NULL,
                      "This version of weir doesn't yet support 'SHOW PLUGINS WHERE'");
        return;
    }
    for (size_t i = 0; i < plugin_count(registry); i++) {
        struct plugin_row row = plugin_row_at(registry, i);
        if (show.is_like && !text_is_like(row.name, show.pattern.at, show.pattern.size))
            continue;
        const char *cells[COLUMNS] = {row.name,    row.status,  row.type,
                                      row.library, row.license, row.version};
        memcpy(values + rows++ * COLUMNS, cells, sizeof cells);
    }
    outcome_rows(session, columns, COLUMNS, values, rows);
}

/* ---- FLUSH and ADMIN ---- */

static struct administration *read_names(struct session *session, struct sql_plugin_names *names)
{
    struct administration *administration = calloc(1, sizeof *administration);
    struct sql_span name;
    bool fine = administration != NULL;
    if (fine)
        administration->action = names->action;
    while (fine && sql_plugin_names_next(names, &name)) {
        char *copy = administration->count < MAX_NAMES ? strndup(name.at, name.size) : NULL;
        fine = copy != NULL;
        if (fine)
            administration->names[administration->count++] = copy;
    }
    session->administration = administration;
    return fine && !names->wrong && administration->count ? administration : NULL;
}

void administration_release(struct session *session)
{
    struct administration *administration = session->administration;
    session->administration = NULL;
    if (!administration)
        return;
    for (size_t i = 0; i < administration->count; i++)
        free(administration->names[i]);
    tracing_order_free(administration->trace);
    free(administration);
}

static int act(struct session *session, enum sql_plugin_action action, const char *name,
               struct error *error)
{
    struct plugin_registry *registry = session->worker->gateway->registry;
    int status = 0;
    switch (action) {
    case SQL_PLUGIN_FLUSH:
        status = plugin_flush(registry, &session->facts, name, error);
        break;
    case SQL_PLUGIN_ENABLE:
        status = plugin_set_enabled(registry, &session->facts, name, true, error);
        break;
    case SQL_PLUGIN_DISABLE:
        status = plugin_set_enabled(registry, &session->facts, name, false, error);
        break;
    }
    return status;
}

static void run_in_pool(struct pool_job *job)
{
    struct administration *administration = POOL_JOB_OF(job, struct administration, pool);
    struct gateway *gateway = job->session->worker->gateway;
    if (administration->trace)
        administration->status =
            tracing_order_run(administration->trace, gateway, &administration->error);
    for (size_t i = 0; i < administration->count && administration->status == 0; i++)
        administration->status = act(job->session, administration->action, administration->names[i],
                                     &administration->error);
}

static void worked(struct session *session, bool cancelled)
{
    const struct administration *administration = session->administration;
    struct wire_result done = {.status = session->tracker.status};
    if (cancelled || administration->status)
        outcome_error(session, WIRE_ER_UNKNOWN_ERROR, NULL,
                      cancelled ? "weir is shutting down" : administration->error.message);
    else if (administration->trace)
        tracing_order_answer(session, administration->trace);
    else if (outcome_complete(session, &done))
        answer_ok(session);
    administration_release(session);
    outcome_go_on(session);
}

static const char *const privileges[] = {"RELOAD", "SUPER", NULL};

static void permission_known(struct session *session, bool granted)
{
    char words[256];
    if (granted) {
        pool_run(session, &session->administration->pool, run_in_pool, worked);
        return;
    }
    permission_denied_words(privileges, words, sizeof words);
    outcome_error(session, WIRE_ER_SPECIFIC_ACCESS_DENIED_ERROR, NULL, words);
    administration_release(session);
    outcome_go_on(session);
}

static void change_plugins(struct session *session, struct sql_span text)
{
    struct sql_plugin_names names;
    if (!sql_plugin_statement(text, &session->run.one.mode, &names) ||
        !read_names(session, &names)) {
        administration_release(session);
        outcome_error(
            session, WIRE_ER_PARSE_ERROR, NULL,
            "You have an error in your SQL syntax: give FLUSH TIDB PLUGINS name[, name], or "
            "ADMIN PLUGINS ENABLE|DISABLE name[, name]");
    } else if (!permission_ask(session, privileges, permission_known)) {
        session_close(session, CLOSE_NO_MEMORY);
    }
}

static void change_tracing(struct session *session, struct sql_span text)
{
    struct administration *administration = calloc(1, sizeof *administration);
    session->administration = administration;
    if (administration)
        administration->trace = tracing_order_read(text, &session->run.one.mode);
    if (!administration || !administration->trace) {
        administration_release(session);
        outcome_error(session, WIRE_ER_PARSE_ERROR, NULL,
                      "You have an error in your SQL syntax: give " TRACING_ORDER_GRAMMAR);
    } else if (!permission_ask(session, privileges, permission_known)) {
        session_close(session, CLOSE_NO_MEMORY);
    }
}

void administration_begin(struct session *session, const struct wire_packet *command)
{
    struct wire_query query;
    if (!wire_decode_query(command->payload, command->payload_size,
                           session->tracker.client_capabilities, &query)) {
        relay_broken(session, CLOSE_CLIENT_PROTOCOL);
        return;
    }
    struct sql_span text = {query.text.data, query.text.size};
    if (session->run.one.kinds.kind == SQL_KIND_SHOW_PLUGINS)
        show_plugins(session, text);
    else if (session->run.one.kinds.kind == SQL_KIND_ADMIN)
        change_tracing(session, text);
    else
        change_plugins(session, text);
}
