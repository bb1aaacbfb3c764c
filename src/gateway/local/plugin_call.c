/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/functions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/answer.h"
#include "gateway/outcome.h"
#include "gateway/permission.h"
#include "gateway/pool.h"
#include "gateway/question.h"
#include "gateway/statement.h"
#include "gateway/variables.h"

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

struct calling {
    struct pool_job pool;
    struct one_call calls[ANSWER_COLUMNS];
    size_t count;
    size_t permitted, asked; /* calls whose privilege, whose arguments are known */
    bool is_refused;
    struct plugin_refusal refusal;
};

/* ---- Recognising ---- */

static const struct plugin_callable *find(const struct session *session, struct sql_span name)
{
    return plugin_callable_find(session->worker->gateway->registry, name.at, name.size);
}

static struct sql_span text_of(const struct statement *statement)
{
    return (struct sql_span){statement->text, statement->size};
}

bool functions_take(const struct session *session, const struct wire_packet *command)
{
    const struct run *run = &session->run;
    struct sql_calls calls;
    struct sql_call call;
    bool ours = true;
    if (!session->worker->gateway->has_functions || run->many ||
        run->one.kinds.kind != SQL_KIND_SELECT ||
        (command->command != WIRE_COM_QUERY && command->command != WIRE_COM_STMT_PREPARE))
        return false;
    sql_calls_init(&calls, text_of(&run->one), &run->one.mode);
    while (ours && sql_calls_next(&calls, &call))
        ours = find(session, call.name) != NULL;
    return ours && sql_calls_are_all(&calls);
}

/* ---- The end of it ---- */

void functions_release(struct session *session)
{
    struct calling *calling = session->calling;
    session->calling = NULL;
    if (!calling)
        return;
    for (size_t i = 0; i < calling->count; i++) {
        struct one_call *call = &calling->calls[i];
        free(call->title);
        strbuf_release(&call->query);
        strbuf_release(&call->returned.text);
        for (size_t j = 0; j < PLUGIN_CALL_ARGUMENTS; j++)
            strbuf_release(&call->arguments[j]);
    }
    free(calling);
}

static void finish_refused(struct session *session, unsigned code, const char *sqlstate,
                           const char *message)
{
    outcome_error(session, code, sqlstate, message);
    functions_release(session);
    outcome_go_on(session);
}

static void finish(struct session *session)
{
    const struct calling *calling = session->calling;
    const char *titles[ANSWER_COLUMNS], *values[ANSWER_COLUMNS];
    for (size_t i = 0; i < calling->count; i++) {
        const struct one_call *call = &calling->calls[i];
        titles[i] = call->title;
        values[i] = call->returned.is_null     ? NULL
                    : call->returned.text.data ? call->returned.text.data
                                               : "";
    }
    outcome_rows(session, titles, calling->count, values, 1);
    functions_release(session);
    outcome_go_on(session);
}

/* ---- The calls, in the pool ---- */

static void run_in_pool(struct pool_job *job)
{
    struct calling *calling = POOL_JOB_OF(job, struct calling, pool);
    for (size_t i = 0; i < calling->count && !calling->is_refused; i++) {
        struct one_call *call = &calling->calls[i];
        weir_string arguments[PLUGIN_CALL_ARGUMENTS];
        for (size_t j = 0; j < call->argument_count; j++) {
            const struct strbuf *argument = &call->arguments[j];
            const char *text = argument->size ? argument->data : "";
            arguments[j] = (weir_string){call->is_null[j] ? NULL : text, argument->size};
        }
        calling->is_refused =
            !plugin_call(call->callable, &job->session->facts, arguments, call->argument_count,
                         &call->returned, &calling->refusal);
    }
}

static void worked(struct session *session, bool cancelled)
{
    const struct calling *calling = session->calling;
    if (cancelled)
        finish_refused(session, WIRE_ER_SERVER_SHUTDOWN, NULL, "Server shutdown in progress");
    else if (calling->is_refused)
        finish_refused(session, calling->refusal.code, calling->refusal.sqlstate,
                       calling->refusal.message);
    else
        finish(session);
}

/* ---- Arguments ---- */

static void argument_row(struct session *session, const struct wire_string *values, size_t count)
{
    struct one_call *call = &session->calling->calls[session->calling->asked];
    for (size_t i = 0; i < call->argument_count && i < count; i++) {
        strbuf_reset(&call->arguments[i]);
        call->is_null[i] = values[i].data == NULL;
        if (values[i].data)
            sql_unhex(&call->arguments[i], (struct sql_span){values[i].data, values[i].size});
    }
    call->is_answered = count == call->argument_count;
}

static void ask_arguments(struct session *session);

static void arguments_known(struct session *session, unsigned error_code)
{
    struct calling *calling = session->calling;
    const struct one_call *call = &calling->calls[calling->asked];
    const struct wire_result *result = &session->tracker.result;
    char message[512];
    bool failed = false;
    for (size_t i = 0; i < call->argument_count; i++)
        failed = failed || call->arguments[i].failed;
    if (error_code) {
        snprintf(message, sizeof message, "%.*s", (int)result->message_size,
                 result->message ? result->message : "");
        finish_refused(session, error_code, result->sqlstate, message);
    } else if (failed || !call->is_answered) {
        snprintf(message, sizeof message, "weir: the arguments of %s() are too long",
                 plugin_callable_name(call->callable));
        finish_refused(session, WIRE_ER_OUT_OF_RESOURCES, NULL, message);
    } else {
        calling->asked++;
        ask_arguments(session);
    }
}

static const struct question_handlers argument_question = {.row = argument_row,
                                                           .done = arguments_known};

static void ask_arguments(struct session *session)
{
    struct calling *calling = session->calling;
    while (calling->asked < calling->count && calling->calls[calling->asked].argument_count == 0)
        calling->asked++;
    if (calling->asked == calling->count) {
        pool_run(session, &calling->pool, run_in_pool, worked);
        return;
    }
    session_enter(session, SESSION_READY);
    if (!question_ask(session, calling->calls[calling->asked].query.data, &argument_question))
        session_close(session, CLOSE_NO_MEMORY);
}

/* ---- Privileges ---- */

static void ask_permissions(struct session *session);

static void permission_known(struct session *session, bool granted)
{
    struct calling *calling = session->calling;
    const struct one_call *call = &calling->calls[calling->permitted];
    char words[256];
    if (granted) {
        calling->permitted++;
        ask_permissions(session);
        return;
    }
    permission_denied_words(plugin_callable_privileges(call->callable), words, sizeof words);
    finish_refused(session, WIRE_ER_SPECIFIC_ACCESS_DENIED_ERROR, NULL, words);
}

static void ask_permissions(struct session *session)
{
    struct calling *calling = session->calling;
    if (calling->permitted == calling->count) {
        ask_arguments(session);
        return;
    }
    const struct one_call *call = &calling->calls[calling->permitted];
    session_enter(session, SESSION_READY);
    if (!permission_ask(session, plugin_callable_privileges(call->callable), permission_known))
        session_close(session, CLOSE_NO_MEMORY);
}

/* ---- Reading the statement ---- */

static void write_query(struct one_call *call, const struct sql_call *written)
{
    call->argument_count = written->argument_count;
    for (size_t i = 0; i < written->argument_count; i++)
        strbuf_printf(&call->query, "%s HEX(CONVERT((%.*s) USING utf8mb4))", i ? "," : "SELECT",
                      (int)written->arguments[i].size, written->arguments[i].at);
}

static bool add_call(struct session *session, const struct sql_call *written,
                     struct plugin_refusal *refusal)
{
    struct calling *calling = session->calling;
    const struct plugin_callable *callable = find(session, written->name);
    if (calling->count == ANSWER_COLUMNS) {
        *refusal = (struct plugin_refusal){.code = WIRE_ER_NOT_SUPPORTED_YET};
        snprintf(refusal->message, sizeof refusal->message,
                 "This version of weir doesn't yet support 'more than %d functions of plugins in a "
                 "SELECT'",
                 ANSWER_COLUMNS);
        return false;
    }
    if (!plugin_callable_takes(callable, written->argument_count)) {
        *refusal = (struct plugin_refusal){.code = WIRE_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT};
        snprintf(refusal->message, sizeof refusal->message,
                 "Incorrect parameter count in the call to native function '%s'",
                 plugin_callable_name(callable));
        return false;
    }
    struct one_call *call = &calling->calls[calling->count++];
    call->callable = callable;
    call->title = strndup(written->title.at, written->title.size);
    write_query(call, written);
    if (call->title && !call->query.failed)
        return true;
    *refusal =
        (struct plugin_refusal){.code = WIRE_ER_OUT_OF_RESOURCES, .message = "weir: out of memory"};
    return false;
}

static bool read_calls(struct session *session, struct plugin_refusal *refusal)
{
    const struct statement *statement = &session->run.one;
    struct sql_calls calls;
    struct sql_call call;
    session->calling = calloc(1, sizeof *session->calling);
    bool fine = session->calling != NULL;
    if (!fine)
        *refusal = (struct plugin_refusal){.code = WIRE_ER_OUT_OF_RESOURCES,
                                           .message = "weir: out of memory"};
    sql_calls_init(&calls, text_of(statement), &statement->mode);
    while (fine && sql_calls_next(&calls, &call))
        fine = add_call(session, &call, refusal);
    return fine;
}

void functions_begin(struct session *session, const struct wire_packet *command)
{
    struct plugin_refusal refusal;
    if (command->command == WIRE_COM_STMT_PREPARE) {
        session->prepare_refused = true;
        outcome_error(session, WIRE_ER_UNSUPPORTED_PS, NULL,
                      "This command is not supported in the prepared statement protocol yet");
    } else if (!read_calls(session, &refusal)) {
        outcome_error(session, refusal.code, NULL, refusal.message);
        functions_release(session);
    } else {
        ask_permissions(session);
    }
}
