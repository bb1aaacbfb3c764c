/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/statement.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/administration.h"
#include "gateway/facts.h"
#include "gateway/identity.h"
#include "gateway/prepared.h"

#define KEPT_TEXT_BYTES 1024 /* an idle session keeps at most this much memory for its next text   \
                              */
#define ERROR_LOST    2013   /* CR_SERVER_LOST: also what the client will say */
#define ERROR_NOT_RUN 1317   /* ER_QUERY_INTERRUPTED */

const struct statement *statement_current(const struct session *session)
{
    const struct run *run = &session->run;
    return run->many ? &run->many[run->current] : &run->one;
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
    facts_forget(session);
    number[WEIR_NUMBER_statement_number] = run->first_number + run->current;
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
    session->run.one = (struct statement){0};
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
    bool fine = plugin_general_event(registry_of(session), &session->facts, event);
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

/* ---- What the command says ---- */

static bool keeps_statements(const struct session *session)
{
    return session->worker->gateway->has_plugins;
}

static bool may_be_multi(const struct session *session)
{
    return session->run.command == WIRE_COM_QUERY && session->multi_statements;
}

/* One entry for each statement of the text. Without memory: the text as one statement of unknown
 * kind, which no rule takes for harmless. */
static void split_text(struct session *session, struct sql_span text)
{
    struct run *run = &session->run;
    struct sql_splitter splitter;
    struct sql_span span;
    size_t count = 0, capacity = 0;
    sql_splitter_init(&splitter, text, &session->mode);
    while (sql_splitter_next(&splitter, &span)) {
        if (count == capacity) {
            capacity = capacity ? 2 * capacity : 8;
            struct statement *grown = realloc(run->many, capacity * sizeof *grown);
            if (!grown) {
                count = 0;
                break;
            }
            run->many = grown;
        }
        run->many[count++] = (struct statement){
            span.at, span.size, sql_statement_quick_kind(span, &splitter.mode), splitter.mode};
        /* The server reads each statement in the mode that those before it have set. */
        struct sql_mode after;
        if (sql_mode_after(span, &splitter.mode, &after) == SQL_MODE_CHANGED)
            splitter.mode = after;
    }
    if (count == 0) {
        free(run->many);
        run->many = NULL;
        count = 1;
    }
    run->count = count;
}

static void read_statements(struct session *session)
{
    struct run *run = &session->run;
    struct sql_span text = {run->text.data, run->text.size};
    run->count = 1;
    run->one = (struct statement){text.at, text.size,
                                  sql_statement_quick_kind(text, &session->mode), session->mode};
    if (may_be_multi(session) && sql_is_multi(text, &session->mode))
        split_text(session, text);
}

static void quote_name(struct strbuf *out, const uint8_t *name, size_t size)
{
    strbuf_add_byte(out, '`');
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '`')
            strbuf_add_byte(out, '`');
        strbuf_add_byte(out, name[i]);
    }
    strbuf_add_byte(out, '`');
}

/* Some commands are statements in disguise; plugins are shown what they amount to, so that no rule
 * is blind to DROP DATABASE in the form of a COM_DROP_DB. */
static void write_disguised(struct run *run, const uint8_t *argument, size_t size)
{
    const uint8_t *end = memchr(argument, 0, size);
    size_t name = end ? (size_t)(end - argument) : size;
    switch (run->command) {
    case WIRE_COM_INIT_DB:
        strbuf_add_text(&run->text, "USE ");
        quote_name(&run->text, argument, size);
        break;
    case WIRE_COM_CREATE_DB:
        strbuf_add_text(&run->text, "CREATE DATABASE ");
        quote_name(&run->text, argument, size);
        break;
    case WIRE_COM_DROP_DB:
        strbuf_add_text(&run->text, "DROP DATABASE ");
        quote_name(&run->text, argument, size);
        break;
    case WIRE_COM_FIELD_LIST:
        strbuf_add_text(&run->text, "SHOW COLUMNS FROM ");
        quote_name(&run->text, argument, name);
        break;
    case WIRE_COM_PROCESS_KILL: {
        struct wire_reader reader = wire_reader_of(argument, size);
        strbuf_printf(&run->text, "KILL %u", (unsigned)wire_read_u32(&reader));
        break;
    }
    default:
        break;
    }
}

static struct wire_string command_text(const struct session *session,
                                       const struct wire_packet *command)
{
    struct wire_query query;
    if (command->command == WIRE_COM_QUERY &&
        wire_decode_query(command->payload, command->payload_size,
                          session->tracker.client_capabilities, &query))
        return query.text;
    return (struct wire_string){(const char *)command->payload + 1, command->payload_size - 1};
}

static void note_types(struct session *session, const struct wire_packet *command)
{
    struct prepared *prepared = session->run.prepared;
    struct wire_execute execute = {0};
    struct wire_bulk_execute bulk = {0};
    struct wire_string none = {0};
    if (!prepared)
        return;
    if (command->command == WIRE_COM_STMT_BULK_EXECUTE &&
        wire_bulk_execute_begin(&bulk, command->payload, command->payload_size,
                                prepared->parameter_count, none))
        execute.types = bulk.types;
    else if (command->command == WIRE_COM_STMT_EXECUTE)
        wire_execute_begin(&execute, command->payload, command->payload_size,
                           session->tracker.client_capabilities, prepared->parameter_count, none,
                           NULL);
    if (execute.types.data)
        prepared_note_types(prepared, execute.types);
}

/* Fills run.text and run.prepared from the command's payload. */
static void read_command(struct session *session, const struct wire_packet *command)
{
    struct run *run = &session->run;
    const uint8_t *argument = command->payload + 1;
    size_t size = command->payload_size - 1;
    struct wire_reader reader = wire_reader_of(argument, size);
    switch (command->command) {
    case WIRE_COM_QUERY:
    case WIRE_COM_STMT_PREPARE: {
        struct wire_string text = command_text(session, command);
        strbuf_add(&run->text, text.data, text.size);
        read_statements(session);
        break;
    }
    case WIRE_COM_STMT_EXECUTE:
    case WIRE_COM_STMT_BULK_EXECUTE:
        strbuf_add(&run->arguments, command->payload, command->payload_size);
        run->prepared = prepared_find(session, wire_read_u32(&reader));
        note_types(session, command);
        break;
    case WIRE_COM_STMT_FETCH:
    case WIRE_COM_STMT_RESET:
    case WIRE_COM_STMT_CLOSE:
    case WIRE_COM_STMT_SEND_LONG_DATA:
        run->prepared = prepared_find(session, wire_read_u32(&reader));
        break;
    default:
        write_disguised(run, argument, size);
        if (run->text.size)
            read_statements(session);
        break;
    }
    if (run->prepared) {
        run->one.text = run->prepared->text;
        run->one.size = run->prepared->text_size;
        run->one.kinds = run->prepared->kinds;
        run->one.mode = session->mode;
    }
}

/* Without plugins only what the gateway itself acts upon matters: KILL, and its own statements. */
static void read_kind_only(struct session *session, const struct wire_packet *command)
{
    struct run *run = &session->run;
    run->command = command->command;
    run->count = 1;
    run->one = (struct statement){0};
    if (command->command != WIRE_COM_QUERY)
        return;
    struct wire_string text = command_text(session, command);
    struct sql_span span = {text.data, text.size};
    run->one.kinds = sql_statement_quick_kind(span, &session->mode);
    run->one.mode = session->mode;
    if (administration_may_take(run->one.kinds.kind) && sql_is_multi(span, &session->mode))
        run->count = 2; /* several: not for the gateway */
}

static void reset_run(struct run *run, uint8_t command)
{
    if (run->text.capacity > KEPT_TEXT_BYTES)
        strbuf_release(&run->text);
    strbuf_reset(&run->text);
    strbuf_release(&run->arguments);
    free(run->many);
    run->many = NULL;
    run->one = (struct statement){0};
    run->count = 1;
    run->current = 0;
    run->bytes_before = 0;
    run->rows_before = 0;
    run->prepared = NULL;
    run->heard = false;
    run->command = command;
}

/* A bound that is needed before the backend prepares: what cannot be remembered cannot be audited
 * when it runs. */
static bool refuse_for_room(struct session *session)
{
    const struct run *run = &session->run;
    bool fits =
        !run->text.failed && !run->arguments.failed &&
        (run->command != WIRE_COM_STMT_PREPARE || prepared_has_room(session, run->text.size));
    if (!fits) {
        session->facts.refusal.code = 1461; /* ER_MAX_PREPARED_STMT_COUNT_REACHED */
        memcpy(session->facts.refusal.sqlstate, "42000", 6);
        snprintf(
            session->facts.refusal.message, sizeof session->facts.refusal.message,
            "weir: no room to remember this statement (max-prepared-bytes is %ld); close others",
            session->worker->gateway->options->max_prepared_bytes);
    }
    return !fits;
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
        *allowed = plugin_general_event(registry_of(session), &session->facts, WEIR_STARTING);
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
    struct plugin_refusal refusal;
    if ((hears & PLUGIN_HEARS_PARSE) && run->text.size) {
        set_text(session, WEIR_TEXT_sql, run->text.data, run->text.size);
        parsed = plugin_parse_event(registry, &session->facts, WEIR_PRE_PARSE);
        refusal = session->facts.refusal;
        if (!parsed)
            run->count = 1;
    }
    if (hears & PLUGIN_HEARS_GENERAL) {
        run->heard = true;
        run->count = tell_each_starting(session, &allowed); /* the rest has had no Starting */
        run->current = 0;
    }
    if (!parsed)
        session->facts.refusal = refusal;
    return parsed && allowed;
}

bool statement_begin(struct session *session, const struct wire_packet *command)
{
    struct run *run = &session->run;
    if (!keeps_statements(session)) {
        read_kind_only(session, command);
        return true;
    }
    reset_run(run, command->command);
    run->started_ns = clock_monotonic_ns();
    run->started_wall_ns = clock_wall_ns();
    read_command(session, command);
    run->first_number = session->statements + 1;
    set_command_facts(session);
    if (refuse_for_room(session))
        return false;
    return tell_starting(session);
}

void statement_refused(struct session *session)
{
    const struct weir_session *facts = &session->facts;
    tell_errors(session, facts->refusal.code, facts->refusal.sqlstate, facts->refusal.message);
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
    if (!result->is_error && run->current < run->count) {
        identity_after_statement(session, statement_current(session));
        tell_global_variables(session);
    }
    bool fine = true;
    if (is_outstanding(session)) {
        set_statement_facts(session);
        clear_outcome_facts(session);
        set_result_facts(session, result);
        fine = tell_outcome(session, result->is_error ? WEIR_ERROR : WEIR_COMPLETED);
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
    reset_run(&session->run, 0);
    strbuf_release(&session->run.text);
    facts_release(session);
}
