/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN TRACE and ADMIN SHOW TRACE: what is traced, changed and shown while the gateway runs.
 *
 *     PRIVILEGE ──► WORK ──► ANSWER
 *
 * Loading a plugin runs its code, on a thread that may block. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/local/grammar_trace.h"
#include "gateway/local/local.h"
#include "trace/protocol/trace_protocol.h"

#define NUMBER_BYTES 24 /* a 64-bit number as text */
#define SHOW_COLUMNS 6

struct trace_admin {
    struct local local;
    enum grammar_trace_action action;
    char *plugin, *user, *host; /* owned; NULL: not given */
    uint64_t session;           /* 0: not given */
    int status;                 /* of the work */
    struct error error;
    /* SHOW */
    struct strbuf texts; /* of the selection */
    char id[NUMBER_BYTES], traced[NUMBER_BYTES];
    const char *values[SHOW_COLUMNS];
};

static struct trace_admin *admin_of(struct local *local)
{
    return (struct trace_admin *)local;
}

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    struct grammar_trace trace;
    const struct statement *statement = &observed->command.one;
    return statement->kinds.kind == SQL_KIND_ADMIN && local_is_single_query(observed, packet) &&
           grammar_trace(local_query_text(observed, packet), &statement->mode, &trace);
}

static void release(struct local *local)
{
    struct trace_admin *admin = admin_of(local);
    free(admin->plugin);
    free(admin->user);
    free(admin->host);
    strbuf_release(&admin->texts);
}

static struct trace_host *host_of(const struct trace_admin *admin)
{
    const struct session_environment *environment = admin->local.observed->environment;
    assert(environment->trace);
    return atomic_load(environment->trace);
}

/* ---- Doing ---- */

static int choose(const struct trace_admin *admin, struct error *error)
{
    const struct session_environment *environment = admin->local.observed->environment;
    struct trace_host *host = host_of(admin);
    const struct trace_selection selection = {.is_off = admin->action == GRAMMAR_TRACE_OFF,
                                              .user = admin->user,
                                              .host = admin->host,
                                              .session_id = admin->session};
    if (!host && selection.is_off)
        return 0;
    if (!host)
        return error_set(error,
                         "no trace plugin is loaded; ADMIN TRACE LOAD 'plugin' loads one, and so "
                         "does -trace-plugin");
    if (trace_host_select(host, &selection) < 0)
        return error_set(error, "out of memory");
    environment->operations->trace_changed(environment->owner);
    return 0;
}

static void work(struct local *local)
{
    struct trace_admin *admin = admin_of(local);
    const struct session_environment *environment = local->observed->environment;
    switch (admin->action) {
    case GRAMMAR_TRACE_LOAD:
        admin->status =
            environment->operations->trace_load(environment->owner, admin->plugin, &admin->error);
        break;
    case GRAMMAR_TRACE_SELECT:
    case GRAMMAR_TRACE_OFF:
        admin->status = choose(admin, &admin->error);
        break;
    case GRAMMAR_TRACE_SHOW:
        break;
    }
}

/* ---- Answering ---- */

/* One row, or none where no plugin is loaded. What is NULL in a selection is any. */
static struct local_action show(struct trace_admin *admin)
{
    static const char *const columns[SHOW_COLUMNS] = {"Plugin", "Tracing", "User",
                                                      "Host",   "Session", "Sessions_traced"};
    struct trace_host *host = host_of(admin);
    struct trace_selection selection = {0};
    if (!host)
        return local_rows(&admin->local, columns, SHOW_COLUMNS, admin->values, 0);
    strbuf_init(&admin->texts);
    trace_host_selection(host, &selection, &admin->texts);
    bool is_all = !selection.user && !selection.host && !selection.session_id;
    snprintf(admin->id, sizeof admin->id, "%" PRIu64, selection.session_id);
    snprintf(admin->traced, sizeof admin->traced, "%ld", trace_session_count());
    const char *cells[SHOW_COLUMNS] = {trace_host_plugin(host)->name,
                                       selection.is_off ? "OFF"
                                       : is_all         ? "ALL"
                                                        : "SELECTED",
                                       selection.user,
                                       selection.host,
                                       selection.session_id ? admin->id : NULL,
                                       admin->traced};
    memcpy(admin->values, cells, sizeof cells);
    return local_rows(&admin->local, columns, SHOW_COLUMNS, admin->values, 1);
}

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    struct trace_admin *admin = admin_of(local);
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_UNKNOWN_ERROR, "weir is shutting down");
    if (admin->status)
        return local_fail(local, WIRE_ER_UNKNOWN_ERROR, "%s", admin->error.message);
    return admin->action == GRAMMAR_TRACE_SHOW ? show(admin) : local_ok(local);
}

static struct local_action granted(struct local *local, const struct local_outcome *outcome)
{
    (void)local;
    (void)outcome;
    return (struct local_action){.kind = LOCAL_WORK, .work = work, .next = worked};
}

/* ---- Reading the statement ---- */

/* Returns false if there is no memory. */
static bool copy(char **to, struct sql_span span)
{
    *to = span.at ? strndup(span.at, span.size) : NULL;
    return *to || !span.at;
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    struct trace_admin *admin = admin_of(local);
    struct grammar_trace trace;
    if (!grammar_trace(local_query_text(local->observed, packet),
                       &local->observed->command.one.mode, &trace) ||
        trace.wrong)
        return local_fail(
            local, WIRE_ER_PARSE_ERROR,
            "You have an error in your SQL syntax: give ADMIN TRACE LOAD 'plugin', "
            "ADMIN TRACE ALL | OFF, ADMIN TRACE [USER 'name'] [HOST 'pattern'] [SESSION number], "
            "or ADMIN SHOW TRACE");
    admin->action = trace.action;
    admin->session = trace.session;
    if (!copy(&admin->plugin, trace.plugin) || !copy(&admin->user, trace.user) ||
        !copy(&admin->host, trace.host))
        return local_out_of_memory(local);
    return local_demand(local_privileges(trace.action == GRAMMAR_TRACE_SHOW
                                             ? LOCAL_PRIVILEGE_SHOW_TRACE
                                             : LOCAL_PRIVILEGE_TRACE),
                        granted);
}

const struct local_statement local_trace_admin = {
    .name = "trace_admin",
    .size = sizeof(struct trace_admin),
    .matches = matches,
    .begin = begin,
    .release = release,
};
