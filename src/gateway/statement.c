/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/statement.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/command.h"
#include "gateway/facts.h"
#include "gateway/identity.h"
#include "gateway/prepared.h"

#define KEPT_TEXT_BYTES                                                                            \
    1024                   /* an idle session keeps at most this much memory for its next text     \
                            */
#define ERROR_LOST    2013 /* CR_SERVER_LOST: also what the client will say */
#define ERROR_NOT_RUN 1317 /* ER_QUERY_INTERRUPTED */

const struct statement *statement_current(const struct session *session)
{
    static const struct statement none;
    const struct run *run = &session->run;
    if (run->current >= run->count) /* all have ended: a connection event is about none of them */
        return &none;
    return run->many ? &run->many[run->current] : &run->one;
}

static bool keeps_statements(const struct session *session)
{
    return session->worker->gateway->has_plugins;
}

/* ---- Facts ---- */

static void set_text(struct session *session, enum weir_text_fact fact, const char *text,
                     size_t size)
{
    session->facts.text[fact] = (weir_string){text, size};
}

/* What is true of the current statement from its Starting on. */
static void set_statement_facts(struct session *session)
{
    struct run *run = &session->run;
    const struct statement *statement = statement_current(session);
    uint64_t *number = session->facts.number;
    set_text(session, WEIR_TEXT_sql, statement->text, statement->size);
    number[WEIR_NUMBER_statement_number] = run->first_number + run->current;
    facts_of_statement(session, number[WEIR_NUMBER_statement_number]);
    number[WEIR_NUMBER_statement_index] = run->current;
    number[WEIR_NUMBER_sql_size] = statement->size;
    number[WEIR_NUMBER_session_status] = session->tracker.status;
}

static void set_command_facts(struct session *session)
{
    struct run *run = &session->run;
    uint64_t *number = session->facts.number;
    const char *name = wire_command_name(run->command);
    set_text(session, WEIR_TEXT_command, name, strlen(name));
    number[WEIR_NUMBER_command_code] = run->command;
    number[WEIR_NUMBER_statement_count] = run->count;
    number[WEIR_NUMBER_started_at] = run->started_wall_ns;
    number[WEIR_NUMBER_prepared_id] = run->prepared ? run->prepared->id : WEIR_ABSENT;
    number[WEIR_NUMBER_parameter_count] = run->prepared ? run->prepared->parameter_count : 0;
}

static void clear_outcome_facts(struct session *session)
{
    uint64_t *number = session->facts.number;
    number[WEIR_NUMBER_duration] = number[WEIR_NUMBER_rows] = number[WEIR_NUMBER_bytes] =
        number[WEIR_NUMBER_affected_rows] = number[WEIR_NUMBER_last_insert_id] =
            number[WEIR_NUMBER_warnings] = WEIR_ABSENT;
    number[WEIR_NUMBER_error_code] = 0;
    session->facts.text[WEIR_TEXT_sqlstate] = session->facts.text[WEIR_TEXT_message] =
        (weir_string){NULL, 0};
}

static void set_error_facts(struct session *session, unsigned code, const char *sqlstate,
                            const char *message, size_t size)
{
    session->facts.number[WEIR_NUMBER_error_code] = code;
    set_text(session, WEIR_TEXT_sqlstate, sqlstate, strlen(sqlstate));
    set_text(session, WEIR_TEXT_message, message, size);
}

static void set_result_facts(struct session *session, const struct wire_result *result)
{
    uint64_t *number = session->facts.number;
    number[WEIR_NUMBER_rows] = result->rows + session->run.rows_before;
    session->run.rows_before = 0;
    number[WEIR_NUMBER_bytes] = result->bytes - session->run.bytes_before;
    number[WEIR_NUMBER_affected_rows] = result->is_result_set ? 0 : result->affected_rows;
    number[WEIR_NUMBER_last_insert_id] = result->last_insert_id;
    number[WEIR_NUMBER_warnings] = result->warnings;
    number[WEIR_NUMBER_session_status] = result->status;
    session->run.bytes_before = result->bytes;
    if (result->is_error)
        set_error_facts(session, result->error_code, result->sqlstate, result->message,
                        result->message_size);
    else
        set_text(session, WEIR_TEXT_message, result->message, result->message_size);
}

void statement_forget_facts(struct session *session)
{
    static const enum weir_text_fact texts[] = {
        WEIR_TEXT_command, WEIR_TEXT_sql,          WEIR_TEXT_kind,         WEIR_TEXT_normalized,
        WEIR_TEXT_digest,  WEIR_TEXT_expanded_sql, WEIR_TEXT_specific_kind};
    static const enum weir_number_fact numbers[] = {
        WEIR_NUMBER_command_code,    WEIR_NUMBER_statement_number, WEIR_NUMBER_prepared_id,
        WEIR_NUMBER_statement_index, WEIR_NUMBER_statement_count,  WEIR_NUMBER_sql_size,
        WEIR_NUMBER_parameter_count, WEIR_NUMBER_table_count,      WEIR_NUMBER_tables_known,
        WEIR_NUMBER_started_at};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        session->facts.text[texts[i]] = (weir_string){NULL, 0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        session->facts.number[numbers[i]] = WEIR_ABSENT;
    uint64_t code = session->facts.number[WEIR_NUMBER_error_code];
    clear_outcome_facts(session);
    session->facts.number[WEIR_NUMBER_error_code] = code;
    facts_forget(session);
    session->run.current = session->run.count;
    session->run.prepared = NULL;
}

/* ---- Events ---- */

static struct plugin_registry *registry_of(const struct session *session)
{
    return session->worker->gateway->registry;
}

/* Ends the current statement with Completed or Error, and goes on to the next. */
static bool tell_outcome(struct session *session, weir_general_event event)
{
    struct run *run = &session->run;
    session->facts.number[WEIR_NUMBER_duration] = clock_monotonic_ns() - run->started_ns;
    plugin_general_event(registry_of(session), &session->facts, event, &session->verdict);
    bool fine = session->verdict.outcome == PLUGIN_ALLOWED;
    clear_outcome_facts(session); /* they borrow from the reply */
    run->current++;
    return fine;
}

static bool is_outstanding(const struct session *session)
{
    return session->run.heard && session->run.current < session->run.count;
}

/* All statements that have begun and not ended end as Error. */
static void tell_errors(struct session *session, unsigned code, const char *sqlstate,
                        const char *message)
{
    while (is_outstanding(session)) {
        set_statement_facts(session);
        clear_outcome_facts(session);
        set_error_facts(session, code, sqlstate, message, strlen(message));
        tell_outcome(session, WEIR_ERROR);
    }
}

/* What cannot be kept cannot be audited when it runs. */
static bool refuse_unkept(struct session *session)
{
    const struct run *run = &session->run;
    struct plugin_refusal *refusal = &session->verdict.refusal;
    bool lacks_room =
        run->command == WIRE_COM_STMT_PREPARE && !prepared_has_room(session, run->text.size);
    if (!run->out_of_memory && !lacks_room)
        return false;
    uint16_t code =
        run->out_of_memory ? WIRE_ER_OUT_OF_RESOURCES : WIRE_ER_MAX_PREPARED_STMT_COUNT_REACHED;
    *refusal = (struct plugin_refusal){.code = code};
    snprintf(refusal->sqlstate, sizeof refusal->sqlstate, "%s", wire_error_sqlstate(code));
    if (run->out_of_memory)
        snprintf(refusal->message, sizeof refusal->message, "weir: out of memory");
    else
        snprintf(
            refusal->message, sizeof refusal->message,
            "weir: no room to remember this statement (max-prepared-bytes is %ld); close others",
            session->worker->gateway->options->max_prepared_bytes);
    return true;
}

/* Starting for each statement, until one is refused. Returns how many were told. */
static size_t tell_each_starting(struct session *session, bool *allowed)
{
    struct run *run = &session->run;
    struct identity_forecast forecast;
    size_t told = 0;
    identity_forecast_begin(&forecast);
    while (told < run->count && *allowed) {
        run->current = told++;
        session->statements++;
        set_statement_facts(session);
        clear_outcome_facts(session);
        plugin_general_event(registry_of(session), &session->facts, WEIR_STARTING,
                             &session->verdict);
        *allowed = session->verdict.outcome == PLUGIN_ALLOWED;
        identity_forecast_statement(session, &forecast, statement_current(session));
    }
    identity_forecast_end(session, &forecast);
    return told;
}

/* The events before a command. A text that PreParse refuses still has its Starting, so that it is
 * audited: as one statement, whose Starting cannot allow it any more. */
static bool tell_starting(struct session *session)
{
    struct run *run = &session->run;
    struct plugin_registry *registry = registry_of(session);
    unsigned hears = plugin_registry_hears(registry);
    bool parsed = true, allowed = true;
    struct plugin_refusal refusal = {0};
    if ((hears & PLUGIN_HEARS_PARSE) && run->text.size) {
        set_text(session, WEIR_TEXT_sql, run->text.data, run->text.size);
        plugin_parse_event(registry, &session->facts, WEIR_PRE_PARSE, &session->verdict);
        parsed = session->verdict.outcome == PLUGIN_ALLOWED;
        refusal = session->verdict.refusal;
        if (!parsed)
            run->count = 1;
    }
    if (hears & PLUGIN_HEARS_GENERAL) {
        run->heard = true;
        run->count = tell_each_starting(session, &allowed); /* the rest has had no Starting */
        run->current = 0;
    }
    if (!parsed)
        session->verdict.refusal = refusal;
    return parsed && allowed;
}

bool statement_begin(struct session *session, const struct wire_packet *command)
{
    struct run *run = &session->run;
    if (!keeps_statements(session)) {
        command_read_kind(session, command);
        return true;
    }
    command_forget(run, command->command);
    run->started_ns = clock_monotonic_ns();
    run->started_wall_ns = clock_wall_ns();
    command_read(session, command);
    facts_forget(session);
    run->first_number = session->statements + 1;
    set_command_facts(session);
    if (refuse_unkept(session))
        return false;
    return tell_starting(session);
}

void statement_refused(struct session *session)
{
    const struct plugin_refusal refusal =
        session->verdict.refusal; /* the events may overwrite it */
    session_set_refused_by(session, refusal.by);
    tell_errors(session, refusal.code, refusal.sqlstate, refusal.message);
    session_set_refused_by(session, NULL);
}

void statement_failed(struct session *session, unsigned code, const char *sqlstate,
                      const char *message)
{
    tell_errors(session, code, sqlstate, message);
}

/* ---- How it ended ---- */

/* CALL and its like: every result but the last one, an OK, belongs to the same statement. The last
 * statement of a text has all results that are left. */
static bool ends_statement(const struct session *session, const struct wire_packet *packet)
{
    const struct wire_result *result = &session->tracker.result;
    const struct run *run = &session->run;
    if (packet->ends_reply || result->is_error)
        return true;
    if (run->current + 1 >= run->count)
        return false;
    bool several = sql_kind_may_return_several(statement_current(session)->kinds.kind);
    return !several || !result->is_result_set;
}

/* OnGlobalVariableEvent, for each assignment of a SET GLOBAL that has succeeded. */
static void tell_global_variables(struct session *session)
{
    const struct statement *statement = statement_current(session);
    struct plugin_registry *registry = registry_of(session);
    struct sql_settings settings;
    struct sql_setting setting;
    if (statement->kinds.kind != SQL_KIND_SET_GLOBAL ||
        !(plugin_registry_hears(registry) & PLUGIN_HEARS_GLOBAL_VARIABLE))
        return;
    sql_settings_init(&settings, (struct sql_span){statement->text, statement->size},
                      &statement->mode);
    while (sql_settings_next(&settings, &setting)) {
        struct sql_span value = setting.is_literal ? setting.literal : setting.value;
        if (setting.scope == SQL_SCOPE_GLOBAL || setting.scope == SQL_SCOPE_PERSIST)
            plugin_global_variable_event(registry, &session->facts,
                                         (weir_string){setting.name.at, setting.name.size},
                                         (weir_string){value.at, value.size});
    }
}

void statement_took_effect(struct session *session)
{
    identity_after_statement(session, statement_current(session));
    tell_global_variables(session);
}

bool statement_result(struct session *session, const struct wire_packet *packet)
{
    struct run *run = &session->run;
    const struct wire_result *result = &session->tracker.result;
    if (!keeps_statements(session))
        return true;
    if (!ends_statement(session, packet)) {
        run->rows_before += result->rows;
        return true;
    }
    if (result->is_error && run->current < run->count)
        identity_after_failure(session, statement_current(session));
    if (!result->is_error && run->current < run->count) {
        statement_took_effect(session);
    }
    bool fine = true;
    if (is_outstanding(session)) {
        set_statement_facts(session);
        clear_outcome_facts(session);
        set_result_facts(session, result);
        fine = tell_outcome(session, result->is_error ? WEIR_ERROR : WEIR_COMPLETED);
    } else {
        run->current++;
    }
    return fine;
}

bool statement_done(struct session *session)
{
    struct wire_result result = {.status = session->tracker.status};
    return statement_answered(session, &result);
}

bool statement_answered(struct session *session, const struct wire_result *result)
{
    bool fine = true;
    while (is_outstanding(session)) {
        set_statement_facts(session);
        clear_outcome_facts(session);
        set_result_facts(session, result);
        fine = tell_outcome(session, WEIR_COMPLETED) && fine;
    }
    return fine;
}

void statement_end(struct session *session)
{
    struct run *run = &session->run;
    if (run->prepared &&
        (run->command == WIRE_COM_STMT_EXECUTE || run->command == WIRE_COM_STMT_RESET))
        prepared_forget_long_data(run->prepared);
    tell_errors(session, ERROR_NOT_RUN, "70100",
                "Not run: an earlier statement of the text failed");
    run->heard = false;
}

void statement_lost(struct session *session, const char *words)
{
    tell_errors(session, ERROR_LOST, "08S01", words);
    session->run.heard = false;
}

void statement_init(struct session *session)
{
    strbuf_init(&session->run.text);
    strbuf_init(&session->run.arguments);
}

void statement_release(struct session *session)
{
    command_forget(&session->run, 0);
    strbuf_release(&session->run.text);
    facts_release(session);
}
