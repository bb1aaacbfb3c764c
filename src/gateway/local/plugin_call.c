/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of plugins in the statements of clients: a SELECT of nothing but calls of them, which
 * the gateway answers with one row.
 *
 *     PRIVILEGE, each call ──► QUERY, the arguments of each ──► WORK, the calls ──► ANSWER
 *
 * The backend evaluates the arguments, in the session, so that they can be any expressions. A
 * function that is called anywhere else goes to the backend, which does not know it and says so.
 * Prepared statements cannot call one: SET and the administrative statements cannot be prepared
 * either. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/local/local.h"

#define CALLS_MOST 8 /* functions in one SELECT */

struct one_call {
    const struct plugin_callable *callable;
    char *title;         /* owned */
    struct strbuf query; /* asks the backend for the arguments; empty: there are none */
    size_t argument_count;
    struct strbuf arguments[PLUGIN_CALL_ARGUMENTS];
    bool is_null[PLUGIN_CALL_ARGUMENTS];
    bool is_answered; /* the backend has sent the arguments */
    struct plugin_returned returned;
};

struct plugin_calls {
    struct local local;
    struct one_call calls[CALLS_MOST];
    size_t count;
    size_t granted, queried; /* calls whose privilege, whose arguments are known */
    bool is_refused;
    struct plugin_refusal refusal;
    const char *titles[LOCAL_COLUMNS], *values[LOCAL_COLUMNS];
};

_Static_assert(CALLS_MOST <= LOCAL_COLUMNS, "the answer has a column for each call");
_Static_assert(PLUGIN_CALL_ARGUMENTS <= LOCAL_COLUMNS, "a row holds the arguments of a call");

static struct plugin_calls *calls_of(struct local *local)
{
    return (struct plugin_calls *)local;
}

/* ---- Matching ---- */

static const struct plugin_callable *find(const struct observed *observed, struct sql_span name)
{
    return plugin_callable_find(observed->environment->registry, name.at, name.size);
}

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    const struct command *command = &observed->command;
    struct sql_calls calls;
    struct sql_call call;
    bool are_ours = true;
    if (!observed->environment->has_functions || command->many ||
        command->one.kinds.kind != SQL_KIND_SELECT ||
        (packet->command != WIRE_COM_QUERY && packet->command != WIRE_COM_STMT_PREPARE))
        return false;
    sql_calls_init(&calls, statement_text(&command->one), &command->one.mode);
    while (are_ours && sql_calls_next(&calls, &call))
        are_ours = find(observed, call.name) != NULL;
    return are_ours && sql_calls_are_all(&calls);
}

static void release(struct local *local)
{
    struct plugin_calls *calls = calls_of(local);
    for (size_t i = 0; i < calls->count; i++) {
        struct one_call *call = &calls->calls[i];
        free(call->title);
        strbuf_release(&call->query);
        strbuf_release(&call->returned.text);
        for (size_t j = 0; j < PLUGIN_CALL_ARGUMENTS; j++)
            strbuf_release(&call->arguments[j]);
    }
}

/* ---- The calls, on a thread that may block ---- */

static void work(struct local *local)
{
    struct plugin_calls *calls = calls_of(local);
    for (size_t i = 0; i < calls->count && !calls->is_refused; i++) {
        struct one_call *call = &calls->calls[i];
        weir_string arguments[PLUGIN_CALL_ARGUMENTS];
        for (size_t j = 0; j < call->argument_count; j++) {
            const struct strbuf *argument = &call->arguments[j];
            arguments[j] = (weir_string){call->is_null[j] ? NULL : argument->data, argument->size};
        }
        calls->is_refused = !plugin_call(call->callable, &local->observed->handle, arguments,
                                         call->argument_count, &call->returned, &calls->refusal);
    }
}

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    struct plugin_calls *calls = calls_of(local);
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_SERVER_SHUTDOWN, "Server shutdown in progress");
    if (calls->is_refused)
        return local_refuse(local, &calls->refusal);
    for (size_t i = 0; i < calls->count; i++) {
        const struct plugin_returned *returned = &calls->calls[i].returned;
        calls->titles[i] = calls->calls[i].title;
        calls->values[i] = returned->is_null ? NULL : returned->text.data;
    }
    return local_rows(local, calls->titles, calls->count, calls->values, 1);
}

/* ---- Arguments ---- */

static void argument_row(struct local *local, const struct wire_string *values, size_t count)
{
    struct plugin_calls *calls = calls_of(local);
    struct one_call *call = &calls->calls[calls->queried];
    for (size_t i = 0; i < call->argument_count && i < count; i++) {
        strbuf_reset(&call->arguments[i]);
        call->is_null[i] = values[i].data == NULL;
        if (values[i].data)
            sql_unhex(&call->arguments[i], (struct sql_span){values[i].data, values[i].size});
    }
    call->is_answered = count == call->argument_count;
}

static struct local_action query_arguments(struct plugin_calls *calls);

static struct local_action arguments_known(struct local *local, const struct local_outcome *outcome)
{
    struct plugin_calls *calls = calls_of(local);
    const struct one_call *call = &calls->calls[calls->queried];
    bool failed = false;
    for (size_t i = 0; i < call->argument_count; i++)
        failed = failed || call->arguments[i].failed;
    if (outcome->error_code)
        return local_fail_like(local, outcome->result);
    if (failed || !call->is_answered)
        return local_fail(local, WIRE_ER_OUT_OF_RESOURCES,
                          "weir: the arguments of %s() are too long",
                          plugin_callable_name(call->callable));
    calls->queried++;
    return query_arguments(calls);
}

static struct local_action query_arguments(struct plugin_calls *calls)
{
    while (calls->queried < calls->count && calls->calls[calls->queried].argument_count == 0)
        calls->queried++;
    if (calls->queried == calls->count)
        return (struct local_action){.kind = LOCAL_WORK, .work = work, .next = worked};
    return (struct local_action){.kind = LOCAL_QUERY,
                                 .text = calls->calls[calls->queried].query.data,
                                 .row = argument_row,
                                 .next = arguments_known};
}

/* ---- Privileges ---- */

static local_next granted;

static struct local_action ask_privilege(struct plugin_calls *calls)
{
    if (calls->granted == calls->count)
        return query_arguments(calls);
    const struct plugin_callable *callable = calls->calls[calls->granted].callable;
    return local_demand(plugin_callable_privileges(callable), granted);
}

static struct local_action granted(struct local *local, const struct local_outcome *outcome)
{
    struct plugin_calls *calls = calls_of(local);
    (void)outcome;
    calls->granted++;
    return ask_privilege(calls);
}

/* ---- Reading the statement ---- */

static void init_call(struct one_call *call, const struct sql_call *written)
{
    strbuf_init(&call->query);
    strbuf_init(&call->returned.text);
    for (size_t i = 0; i < PLUGIN_CALL_ARGUMENTS; i++)
        strbuf_init(&call->arguments[i]);
    call->title = strndup(written->title.at, written->title.size);
    call->argument_count = written->argument_count;
    for (size_t i = 0; i < written->argument_count; i++) {
        strbuf_add_text(&call->query, i ? ", HEX(CONVERT((" : "SELECT HEX(CONVERT((");
        strbuf_add(&call->query, written->arguments[i].at, written->arguments[i].size);
        strbuf_add_text(&call->query, ") USING utf8mb4))");
    }
    strbuf_add_text(&call->query,
                    call->argument_count ? " LIMIT 1" : ""); /* whatever sql_select_limit is */
}

/* Returns false, and sets *end to the action that ends the statement, if it cannot be called. */
static bool add_call(struct plugin_calls *calls, const struct sql_call *written,
                     struct local_action *end)
{
    const struct plugin_callable *callable = find(calls->local.observed, written->name);
    assert(callable);
    if (calls->count == CALLS_MOST) {
        *end = local_fail(&calls->local, WIRE_ER_NOT_SUPPORTED_YET,
                          "This version of weir doesn't yet support 'more than %d functions of "
                          "plugins in a SELECT'",
                          CALLS_MOST);
        return false;
    }
    if (!plugin_callable_takes(callable, written->argument_count)) {
        *end = local_fail(&calls->local, WIRE_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT,
                          "Incorrect parameter count in the call to native function '%s'",
                          plugin_callable_name(callable));
        return false;
    }
    struct one_call *call = &calls->calls[calls->count++];
    call->callable = callable;
    init_call(call, written);
    if (call->title && !call->query.failed)
        return true;
    *end = local_out_of_memory(&calls->local);
    return false;
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    const struct statement *statement = &local->observed->command.one;
    struct plugin_calls *calls = calls_of(local);
    struct local_action end;
    struct sql_calls written;
    struct sql_call call;
    if (packet->command == WIRE_COM_STMT_PREPARE)
        return local_fail(local, WIRE_ER_UNSUPPORTED_PS,
                          "This command is not supported in the prepared statement protocol yet");
    sql_calls_init(&written, statement_text(statement), &statement->mode);
    while (sql_calls_next(&written, &call))
        if (!add_call(calls, &call, &end))
            return end;
    return ask_privilege(calls);
}

const struct local_statement local_plugin_call = {
    .name = "plugin_call",
    .needs = LOCAL_NEEDS_FUNCTIONS,
    .size = sizeof(struct plugin_calls),
    .matches = matches,
    .begin = begin,
    .release = release,
};
