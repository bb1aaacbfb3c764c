/* SPDX-License-Identifier: Apache-2.0
 *
 * SET of plugins' variables, all of the statement's assignments or none:
 *
 *     read ──► privileges ──► values ──► prepare ──► the rest ──► set ──► answer
 *              (question)     (question,  (pool)     (question)   (pool)
 *                              each that is no literal)
 *
 * The rest is what the backend gets: the assignments that are not ours. Its answer is kept, and is
 * the client's once ours have taken effect too. Only what cannot be undone can break the promise:
 * when the file of values cannot be written after the backend has agreed; the error then says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/answer.h"
#include "gateway/identity.h"
#include "gateway/outcome.h"
#include "gateway/permission.h"
#include "gateway/pool.h"
#include "gateway/question.h"
#include "gateway/relay.h"
#include "gateway/statement.h"
#include "gateway/variables.h"

/* One assignment of ours. */
struct item {
    const struct plugin_variable *variable;
    enum plugin_set_scope scope;
    enum plugin_input_kind kind;
    bool must_ask;      /* text is an expression, for the backend to evaluate */
    struct strbuf text; /* the value */
};

struct setting_job {
    struct pool_job pool;
    struct item *items;
    struct plugin_assignment **assignments; /* as many as items; owned */
    size_t count, asked;
    bool wants_privilege;
    bool is_set;               /* ours have taken effect */
    struct strbuf rest;        /* empty: there is none */
    bool rest_scoped;          /* a GLOBAL, SESSION ... stands in it */
    struct strbuf answer;      /* the backend's OK */
    struct wire_result result; /* of the rest */
    bool is_refused;
    struct plugin_refusal refusal;
};

/* ---- The end of it ---- */

void variables_set_release(struct session *session)
{
    struct setting_job *job = session->setting;
    session->setting = NULL;
    if (!job)
        return;
    for (size_t i = 0; i < job->count; i++) {
        strbuf_release(&job->items[i].text);
        plugin_assignment_free(job->assignments[i]);
    }
    free(job->items);
    free(job->assignments);
    strbuf_release(&job->rest);
    strbuf_release(&job->answer);
    free(job);
}

static void finish_refused(struct session *session, const struct plugin_refusal *refusal)
{
    struct plugin_refusal copy = *refusal;
    variables_set_release(session);
    variables_refuse(session, &copy);
    outcome_go_on(session);
}

static void finish_with(struct session *session, unsigned code, const char *message)
{
    struct plugin_refusal refusal = {.code = code};
    memcpy(refusal.sqlstate, wire_error_sqlstate((uint16_t)code), 6);
    snprintf(refusal.message, sizeof refusal.message, "%s", message);
    finish_refused(session, &refusal);
}

/* The backend's error, to a question whose answer has just been read. */
static void finish_like_backend(struct session *session)
{
    const struct wire_result *result = &session->tracker.result;
    struct plugin_refusal refusal = {.code = result->error_code};
    memcpy(refusal.sqlstate, result->sqlstate, sizeof refusal.sqlstate);
    snprintf(refusal.message, sizeof refusal.message, "%.*s", (int)result->message_size,
             result->message ? result->message : "");
    finish_refused(session, &refusal);
}

static void finish(struct session *session)
{
    struct setting_job *job = session->setting;
    struct wire_result result = {.status = session->tracker.status};
    bool has_rest = job->answer.size > 0;
    struct strbuf answer = job->answer;
    strbuf_init(&job->answer);
    if (has_rest)
        result = job->result;
    variables_set_release(session);
    statement_took_effect(session);
    bool fine = outcome_complete(session, &result);
    if (fine && has_rest)
        answer_payload(session, answer.data, answer.size);
    else if (fine)
        answer_ok(session);
    strbuf_release(&answer);
    outcome_go_on(session);
}

/* ---- In the pool: what plugins and the disk may take their time for ---- */

static void ask_rest(struct session *session);

static void prepare_items(struct setting_job *job)
{
    for (size_t i = 0; i < job->count && !job->is_refused; i++) {
        struct item *item = &job->items[i];
        struct plugin_input input = {item->kind, item->text.data, item->text.size};
        job->assignments[i] = plugin_variable_prepare(item->variable, item->scope, &input,
                                                      &job->pool.session->facts, &job->refusal);
        job->is_refused = job->assignments[i] == NULL;
    }
}

static void set_items(struct setting_job *job)
{
    struct session *session = job->pool.session;
    struct error error = {""};
    job->is_set = true;
    if (plugin_variables_set(session->worker->gateway->registry, &session->facts, job->assignments,
                             job->count, &error) == 0)
        return;
    job->is_refused = true;
    job->refusal.code = WIRE_ER_UNKNOWN_ERROR;
    memcpy(job->refusal.sqlstate, "HY000", 6);
    snprintf(job->refusal.message, sizeof job->refusal.message, "weir: %.300s%s", error.message,
             job->answer.size ? "; the statement's other assignments have taken effect" : "");
}

static void run_in_pool(struct pool_job *pool)
{
    struct setting_job *job = POOL_JOB_OF(pool, struct setting_job, pool);
    if (!job->assignments[0])
        prepare_items(job);
    if (!job->is_refused && (job->rest.size == 0 || job->answer.size))
        set_items(job);
}

static void worked(struct session *session, bool cancelled)
{
    const struct setting_job *job = session->setting;
    if (cancelled)
        finish_with(session, WIRE_ER_SERVER_SHUTDOWN, "Server shutdown in progress");
    else if (job->is_refused)
        finish_refused(session, &job->refusal);
    else if (job->is_set)
        finish(session);
    else
        ask_rest(session);
}

static void queue(struct session *session)
{
    pool_run(session, &session->setting->pool, run_in_pool, worked);
}

/* ---- The rest ---- */

/* Keeps the backend's OK, and notes what it says of the session. */
static void rest_packet(struct session *session, const struct wire_packet *packet)
{
    const struct wire_result *result = &session->tracker.result;
    struct setting_job *job = session->setting;
    if (!packet->ends_reply || result->is_error)
        return;
    strbuf_add(&job->answer, packet->payload, packet->payload_size);
    job->result = *result;
    job->result.message = "";
    job->result.message_size = 0;
    job->result.session_state = NULL;
    if (result->session_state)
        identity_after_session_state(session, result->session_state, result->session_state_size);
}

static void rest_known(struct session *session, unsigned error_code)
{
    if (error_code)
        finish_like_backend(session);
    else if (session->setting->answer.failed)
        session_close(session, CLOSE_NO_MEMORY);
    else
        queue(session);
}

static const struct question_handlers rest_question = {.done = rest_known, .packet = rest_packet};

static void ask_rest(struct session *session)
{
    session_enter(session, SESSION_READY);
    if (!question_ask(session, session->setting->rest.data, &rest_question))
        session_close(session, CLOSE_NO_MEMORY);
}

/* ---- Values that are no literals ---- */

static enum plugin_input_kind kind_of_type(uint8_t type)
{
    switch (type) {
    case WIRE_TYPE_TINY:
    case WIRE_TYPE_SHORT:
    case WIRE_TYPE_INT24:
    case WIRE_TYPE_LONG:
    case WIRE_TYPE_LONGLONG:
    case WIRE_TYPE_YEAR:
        return PLUGIN_INPUT_INTEGER;
    case WIRE_TYPE_DECIMAL:
    case WIRE_TYPE_NEWDECIMAL:
    case WIRE_TYPE_FLOAT:
    case WIRE_TYPE_DOUBLE:
        return PLUGIN_INPUT_DECIMAL;
    case WIRE_TYPE_NULL:
        return PLUGIN_INPUT_NULL;
    default:
        return PLUGIN_INPUT_TEXT;
    }
}

static void value_packet(struct session *session, const struct wire_packet *packet)
{
    struct setting_job *job = session->setting;
    struct item *item = &job->items[job->asked];
    struct wire_column_definition column;
    /* The first column tells the type, the second one the value. */
    if (packet->kind == WIRE_COLUMN_DEFINITION && item->kind == PLUGIN_INPUT_FILE &&
        wire_decode_column_definition(packet->payload, packet->payload_size,
                                      session->tracker.client_capabilities, &column))
        item->kind = kind_of_type(column.type);
}

static void value_row(struct session *session, const struct wire_string *values, size_t count)
{
    struct item *item = &session->setting->items[session->setting->asked];
    strbuf_reset(&item->text);
    if (count < 2 || !values[1].data)
        item->kind = PLUGIN_INPUT_NULL;
    else
        sql_unhex(&item->text, (struct sql_span){values[1].data, values[1].size});
}

static void ask_values(struct session *session);

static void value_known(struct session *session, unsigned error_code)
{
    if (error_code) {
        finish_like_backend(session);
        return;
    }
    session->setting->items[session->setting->asked++].must_ask = false;
    ask_values(session);
}

static const struct question_handlers value_question = {
    .row = value_row, .done = value_known, .packet = value_packet};

static void ask_values(struct session *session)
{
    struct setting_job *job = session->setting;
    while (job->asked < job->count && !job->items[job->asked].must_ask)
        job->asked++;
    if (job->asked == job->count) {
        queue(session);
        return;
    }
    struct strbuf text = STRBUF_INIT;
    struct item *item = &job->items[job->asked];
    strbuf_printf(&text, "SELECT v, HEX(CONVERT(v USING utf8mb4)) FROM (SELECT %s AS v) AS weir",
                  item->text.data);
    item->kind = PLUGIN_INPUT_FILE; /* until its column is seen */
    session_enter(session, SESSION_READY);
    if (text.failed || !question_ask(session, text.data, &value_question))
        session_close(session, CLOSE_NO_MEMORY);
    strbuf_release(&text);
}

/* ---- Privileges ---- */

static const char *const privileges[] = {"SUPER", "SYSTEM_VARIABLES_ADMIN", NULL};

static void permission_known(struct session *session, bool granted)
{
    char words[256];
    permission_denied_words(privileges, words, sizeof words);
    if (granted)
        ask_values(session);
    else
        finish_with(session, WIRE_ER_SPECIFIC_ACCESS_DENIED_ERROR, words);
}

/* ---- Reading the statement ---- */

/* A literal that needs nobody to say what it means; otherwise the backend is asked. */
static void read_value(struct item *item, struct sql_span value, const struct sql_mode *mode)
{
    static const enum plugin_input_kind kinds[] = {
        [SQL_LITERAL_TEXT] = PLUGIN_INPUT_TEXT,       [SQL_LITERAL_INTEGER] = PLUGIN_INPUT_INTEGER,
        [SQL_LITERAL_DECIMAL] = PLUGIN_INPUT_DECIMAL, [SQL_LITERAL_NULL] = PLUGIN_INPUT_NULL,
        [SQL_LITERAL_DEFAULT] = PLUGIN_INPUT_DEFAULT,
    };
    struct sql_span literal;
    enum sql_literal_kind kind = sql_literal_read(value, mode, &literal);
    item->must_ask = kind == SQL_LITERAL_NONE;
    if (!item->must_ask)
        item->kind = kinds[kind];
    strbuf_add(&item->text, literal.at, literal.size);
}

static enum plugin_set_scope scope_of(enum sql_scope scope)
{
    switch (scope) {
    case SQL_SCOPE_GLOBAL:
        return PLUGIN_SET_GLOBAL;
    case SQL_SCOPE_PERSIST:
        return PLUGIN_SET_PERSIST;
    case SQL_SCOPE_PERSIST_ONLY:
        return PLUGIN_SET_PERSIST_ONLY;
    default:
        return PLUGIN_SET_SESSION;
    }
}

static void refuse_memory(struct plugin_refusal *refusal)
{
    *refusal = (struct plugin_refusal){
        .code = WIRE_ER_OUT_OF_RESOURCES, .sqlstate = "HY000", .message = "Out of memory."};
}

static bool add_item(struct session *session, const struct sql_setting *setting,
                     const struct plugin_variable *variable, const struct sql_mode *mode)
{
    struct setting_job *job = session->setting;
    struct item *items = realloc(job->items, (job->count + 1) * sizeof *items);
    if (items)
        job->items = items;
    struct plugin_assignment **assignments =
        items ? realloc(job->assignments, (job->count + 1) * sizeof(struct plugin_assignment *))
              : NULL;
    if (!assignments) {
        refuse_memory(&job->refusal);
        return false;
    }
    job->assignments = assignments;
    assignments[job->count] = NULL;
    struct item *item = &items[job->count++];
    *item = (struct item){.variable = variable, .scope = scope_of(setting->scope)};
    strbuf_init(&item->text);
    read_value(item, setting->value, mode);
    if (item->must_ask) { /* its own expression may name our variables */
        strbuf_reset(&item->text);
        strbuf_add_byte(&item->text, '(');
        if (!variables_rewrite(session, setting->value, mode, &item->text, &job->refusal))
            return false;
        strbuf_add_byte(&item->text, ')');
    }
    job->wants_privilege = job->wants_privilege || item->scope != PLUGIN_SET_SESSION;
    return plugin_variable_may_set(variable, item->scope, &job->refusal);
}

/* An assignment of the backend's. Words such as GLOBAL hold for those behind them too, and some of
 * them may go: so each gets its own. */
static bool add_rest(struct session *session, const struct sql_setting *setting,
                     const struct sql_mode *mode)
{
    struct setting_job *job = session->setting;
    const char *word = "";
    strbuf_add_text(&job->rest, job->rest.size ? ", " : "SET ");
    if (setting->whole.at[0] != '@' && setting->scope == SQL_SCOPE_GLOBAL)
        word = "GLOBAL ";
    else if (setting->whole.at[0] != '@' && setting->scope == SQL_SCOPE_PERSIST)
        word = "PERSIST ";
    else if (setting->whole.at[0] != '@' && setting->scope == SQL_SCOPE_PERSIST_ONLY)
        word = "PERSIST_ONLY ";
    else if (setting->whole.at[0] != '@' && setting->scope == SQL_SCOPE_SESSION &&
             (setting->is_scoped || job->rest_scoped))
        word = "SESSION ";
    job->rest_scoped = job->rest_scoped || *word;
    strbuf_add_text(&job->rest, word);
    return variables_rewrite(session, setting->whole, mode, &job->rest, &job->refusal);
}

static bool read_settings(struct session *session, struct sql_span text,
                          const struct sql_mode *mode)
{
    const struct plugin_registry *registry = session->worker->gateway->registry;
    struct plugin_refusal *refusal = &session->setting->refusal;
    struct sql_settings settings;
    struct sql_setting setting;
    bool fine = true, is_right = true;
    sql_settings_init(&settings, text, mode);
    while (fine && is_right && sql_settings_next(&settings, &setting)) {
        bool is_system = setting.scope != SQL_SCOPE_USER && setting.scope != SQL_SCOPE_NAMES;
        const struct plugin_variable *variable =
            is_system ? plugin_variable_find(registry, setting.name.at, setting.name.size) : NULL;
        is_right = setting.value.size > 0;
        if (is_right)
            fine = variable ? add_item(session, &setting, variable, mode)
                            : add_rest(session, &setting, mode);
    }
    if (!fine)
        return false;
    if (is_right && sql_settings_at_end(&settings))
        return true;
    struct sql_span rest = sql_settings_rest(&settings);
    *refusal = (struct plugin_refusal){.code = WIRE_ER_PARSE_ERROR, .sqlstate = "42000"};
    snprintf(
        refusal->message, sizeof refusal->message,
        "You have an error in your SQL syntax: weir does not understand this SET of a plugin's "
        "variable near '%.*s'",
        (int)(rest.size < 80 ? rest.size : 80), rest.at);
    return false;
}

void variables_set_begin(struct session *session, struct sql_span text, const struct sql_mode *mode)
{
    struct setting_job *job = session->setting = calloc(1, sizeof *job);
    if (!job) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    strbuf_init(&job->rest);
    strbuf_init(&job->answer);
    if (!read_settings(session, text, mode)) {
        struct plugin_refusal refusal = job->refusal;
        variables_set_release(session);
        variables_refuse(session, &refusal);
    } else if (!job->wants_privilege) {
        ask_values(session);
    } else if (!permission_ask(session, privileges, permission_known)) {
        session_close(session, CLOSE_NO_MEMORY);
    }
}
