/* SPDX-License-Identifier: Apache-2.0
 *
 * When which event is given. A statement that had a Starting has exactly one Completed or Error:
 * `started` statements had the one, those before `current` the other.
 *
 * command.phase is where the events before the command have come to; each step of judge() either
 * moves it or stops for a plugin that answers later. The first refusal is kept in the command while
 * later events are given, because a text that PreParse refuses still has its Starting. */
#include "gateway/statement/events.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/statement/command.h"
#include "gateway/statement/facts.h"
#include "gateway/statement/memo.h"
#include "gateway/statement/prepared.h"
#include "gateway/statement/session_identity.h"
#include "gateway/statement/tracking.h"

static struct plugin_registry *registry_of(const struct observed *observed)
{
    return observed->environment->registry;
}

/* ---- The session ---- */

void observed_init(struct observed *observed, struct session_environment *environment, uint32_t id,
                   const struct client_address *address)
{
    assert(environment && address);
    observed->environment = environment;
    observed->id = id;
    observed->accepted_ns = clock_monotonic_ns();
    plugin_session_init(&observed->handle);
    plugin_session_values_begin(environment->registry, &observed->handle);
    strbuf_init(&observed->command.text);
    strbuf_init(&observed->command.arguments);
    strbuf_init(&observed->command.forecast);
    identity_init(observed);
    facts_connection(observed, address);
    facts_computed_are_available(observed, true);
}

void observed_release(struct observed *observed)
{
    command_release(observed);
    prepared_release(observed);
    identity_release(observed);
    facts_release(observed);
    plugin_session_values_end(&observed->handle);
}

void events_connection(struct observed *observed, weir_connection_event event,
                       struct plugin_verdict *verdict)
{
    struct plugin_registry *registry = registry_of(observed);
    verdict->outcome = PLUGIN_ALLOWED;
    observed->is_connected = observed->is_connected || event == WEIR_CONNECTED;
    if ((plugin_registry_subscribed(registry) & PLUGIN_SUBSCRIBES_CONNECTION) ||
        observed->handle.knowing)
        plugin_connection_event(registry, &observed->handle, event, verdict);
}

/* ---- Before the command ---- */

/* Refuse a statement that could not be stored: plugins would not see it when it is executed. */
static bool refuse_unkept(struct observed *observed, struct plugin_verdict *verdict)
{
    const struct command *command = &observed->command;
    bool lacks_room =
        command->code == WIRE_COM_STMT_PREPARE && !prepared_has_room(observed, command->text.size);
    if (!command->out_of_memory && !lacks_room)
        return false;
    struct plugin_refusal *refusal = &verdict->refusal;
    uint16_t code =
        command->out_of_memory ? WIRE_ER_OUT_OF_RESOURCES : WIRE_ER_MAX_PREPARED_STMT_COUNT_REACHED;
    *refusal = (struct plugin_refusal){.code = code};
    snprintf(refusal->sqlstate, sizeof refusal->sqlstate, "%s", wire_error_sqlstate(code));
    if (command->out_of_memory)
        snprintf(refusal->message, sizeof refusal->message, "weir: out of memory");
    else
        snprintf(
            refusal->message, sizeof refusal->message,
            "weir: no room to remember this statement (max-prepared-bytes is %zu); close others",
            observed->environment->max_prepared_bytes);
    verdict->outcome = PLUGIN_REFUSED;
    return true;
}

/* Keeps the first refusal. Without memory for it the command is refused all the same. */
static void keep_refusal(struct command *command, const struct plugin_verdict *verdict)
{
    if (verdict->outcome != PLUGIN_REFUSED || command->refusal)
        return;
    command->refusal = malloc(sizeof *command->refusal);
    if (command->refusal)
        *command->refusal = verdict->refusal;
    else
        command->out_of_memory = true;
}

static bool is_refused(const struct command *command)
{
    return command->refusal || command->out_of_memory;
}

/* Starting comes for each statement; for one alone if PreParse has refused the text. */
static void begin_starting(struct observed *observed)
{
    struct command *command = &observed->command;
    bool subscribed = plugin_registry_subscribed(registry_of(observed)) & PLUGIN_SUBSCRIBES_GENERAL;
    command->phase = subscribed ? COMMAND_STARTING : COMMAND_JUDGED;
    command->is_announced = subscribed;
    if (is_refused(command))
        command->count = 1;
}

static void give_pre_parse(struct observed *observed, struct plugin_verdict *verdict)
{
    struct command *command = &observed->command;
    verdict->outcome = PLUGIN_ALLOWED;
    if ((plugin_registry_subscribed(registry_of(observed)) & PLUGIN_SUBSCRIBES_PARSE) &&
        command->text.size) {
        struct statement first = command->one;
        command->one.text = command->text.data;
        command->one.size = command->text.size;
        command->is_whole_text = true;
        facts_whole_text(observed);
        plugin_parse_event(registry_of(observed), &observed->handle, WEIR_PRE_PARSE, verdict);
        command->is_whole_text = false;
        command->one = first;
        memo_next_statement(observed);
    }
    if (verdict->outcome == PLUGIN_PENDING) {
        command->phase = COMMAND_PARSE_PENDING;
        return;
    }
    keep_refusal(command, verdict);
    begin_starting(observed);
}

/* A Starting is over: the next statement's, or the end of judging. */
static void starting_decided(struct observed *observed, const struct plugin_verdict *verdict)
{
    struct command *command = &observed->command;
    keep_refusal(command, verdict);
    identity_forecast(observed, statement_current(observed));
    command->phase = COMMAND_STARTING;
    if (command->started < command->count && !is_refused(command))
        return;
    command->count = command->started; /* the rest had no Starting */
    if (command->started > 1)
        memo_next_statement(observed); /* it holds what was computed of the last one */
    command->current = 0;
    command->phase = COMMAND_JUDGED;
    identity_end_forecast(observed);
}

static void give_starting(struct observed *observed, struct plugin_verdict *verdict)
{
    struct command *command = &observed->command;
    command->current = command->started++;
    observed->statements++;
    memo_next_statement(observed);
    facts_statement(observed);
    facts_clear_outcome(observed);
    plugin_general_event(registry_of(observed), &observed->handle, WEIR_STARTING, verdict);
    if (verdict->outcome == PLUGIN_PENDING)
        command->phase = COMMAND_START_PENDING;
    else
        starting_decided(observed, verdict);
}

/* Gives events until all are given or one is pending. */
static void judge(struct observed *observed, struct plugin_verdict *verdict)
{
    struct command *command = &observed->command;
    if (command->phase == COMMAND_NEW)
        give_pre_parse(observed, verdict);
    while (command->phase == COMMAND_STARTING)
        give_starting(observed, verdict);
    if (command->phase != COMMAND_JUDGED)
        return; /* pending */
    if (command->refusal) {
        verdict->outcome = PLUGIN_REFUSED;
        verdict->refusal = *command->refusal;
    } else if (!refuse_unkept(observed, verdict)) {
        verdict->outcome = PLUGIN_ALLOWED;
    }
}

void events_begin(struct observed *observed, const struct wire_packet *packet)
{
    if (!has_plugins(observed)) {
        command_read_kind(observed, packet);
        if (observed->environment->measures)
            observed->command.started_ns = clock_monotonic_ns();
        return;
    }
    command_begin(observed, packet->command);
    observed->identity.reported = 0; /* what a login or a Prepare has brought is no statement's */
    observed->command.started_ns = clock_monotonic_ns();
    observed->command.started_wall_ns = clock_wall_ns();
    command_read(observed, packet);
    observed->command.first_number = observed->statements + 1;
    facts_command(observed);
}

void events_judge(struct observed *observed, struct plugin_verdict *verdict)
{
    verdict->outcome = PLUGIN_ALLOWED;
    if (has_plugins(observed) && !refuse_unkept(observed, verdict))
        judge(observed, verdict);
}

void events_judge_again(struct observed *observed, struct plugin_verdict *verdict)
{
    struct command *command = &observed->command;
    assert(verdict->outcome != PLUGIN_PENDING);
    assert(command->phase == COMMAND_PARSE_PENDING || command->phase == COMMAND_START_PENDING);
    if (command->phase == COMMAND_PARSE_PENDING) {
        keep_refusal(command, verdict);
        begin_starting(observed);
    } else {
        starting_decided(observed, verdict);
    }
    judge(observed, verdict);
}

/* ---- How it ended ---- */

static bool is_outstanding(const struct command *command)
{
    return command->is_announced && command->current < command->started;
}

/* Ends the current statement with Completed or Error, and goes on to the next. */
static void give_outcome(struct observed *observed, weir_general_event event,
                         struct plugin_verdict *verdict)
{
    facts_duration(observed);
    plugin_general_event(registry_of(observed), &observed->handle, event, verdict);
    facts_clear_outcome(observed); /* they borrow from the reply */
    observed->command.current++;
    memo_next_statement(observed);
}

static void give_result(struct observed *observed, const struct wire_result *result,
                        struct plugin_verdict *verdict)
{
    struct command *command = &observed->command;
    facts_statement(observed);
    facts_clear_outcome(observed);
    facts_result(observed, result);
    command->rows_before = 0;
    command->bytes_before = result->bytes;
    give_outcome(observed, result->is_error ? WEIR_ERROR : WEIR_COMPLETED, verdict);
}

/* All statements that have begun and not ended end as Error. The verdicts count no more: the
 * command has failed already. */
static void give_errors(struct observed *observed, unsigned code, const char *sqlstate,
                        const char *message)
{
    struct plugin_verdict verdict;
    while (is_outstanding(&observed->command)) {
        facts_statement(observed);
        facts_clear_outcome(observed);
        facts_error(observed, code, sqlstate, message, strlen(message));
        give_outcome(observed, WEIR_ERROR, &verdict);
    }
}

void events_refused(struct observed *observed, const struct plugin_refusal *refusal)
{
    facts_refused_by(observed, refusal->by);
    give_errors(observed, refusal->code, refusal->sqlstate, refusal->message);
    facts_refused_by(observed, NULL);
}

void events_failed(struct observed *observed, unsigned code, const char *sqlstate,
                   const char *message)
{
    give_errors(observed, code, sqlstate, message);
}

/* Whether the result is the last one of its statement. The last statement of a text has all that are
 * left. Where a statement does not show how many it has (EXECUTE of what was not seen), what follows
 * belongs to it or to those after it: is_ambiguous. */
static bool ends_statement(struct observed *observed, const struct wire_result *result,
                           bool ends_reply)
{
    struct command *command = &observed->command;
    if (ends_reply || result->is_error)
        return true;
    if (command->is_ambiguous || command->current + 1 >= command->count)
        return false;
    enum sql_results results = tracking_results(observed, statement_current(observed));
    if (results == SQL_RESULTS_ONE || !result->is_result_set)
        return true;
    command->is_ambiguous = results == SQL_RESULTS_UNKNOWN;
    return false;
}

/* OnGlobalVariableEvent, for each assignment of a SET GLOBAL that has succeeded. */
static void give_global_variables(struct observed *observed)
{
    const struct statement *statement = statement_current(observed);
    struct plugin_registry *registry = registry_of(observed);
    struct sql_settings settings;
    struct sql_setting setting;
    if (statement->kinds.kind != SQL_KIND_SET_GLOBAL ||
        !(plugin_registry_subscribed(registry) & PLUGIN_SUBSCRIBES_GLOBAL_VARIABLE))
        return;
    sql_settings_init(&settings, statement_text(statement), &statement->mode);
    while (sql_settings_next(&settings, &setting)) {
        struct sql_span value = setting.is_literal ? setting.literal : setting.value;
        if (setting.scope == SQL_SCOPE_GLOBAL || setting.scope == SQL_SCOPE_PERSIST)
            plugin_global_variable_event(registry, &observed->handle,
                                         (weir_string){setting.name.at, setting.name.size},
                                         (weir_string){value.at, value.size});
    }
}

void events_took_effect(struct observed *observed)
{
    tracking_after_statement(observed, statement_current(observed));
    give_global_variables(observed);
}

/* The reply has ended, and which of its results belong to which of the outstanding statements is not
 * known. Without an error all of them have run. */
static void give_ambiguous(struct observed *observed, const struct wire_result *result,
                           struct plugin_verdict *verdict)
{
    struct command *command = &observed->command;
    struct plugin_verdict one;
    struct strbuf message = STRBUF_INIT;
    strbuf_printf(&message, "Not known whether it ran: the text ended with \"%.*s\"",
                  (int)result->message_size, result->message ? result->message : "");
    tracking_after_unknown(observed);
    if (result->is_error)
        give_errors(observed, result->error_code, result->sqlstate, message.data);
    while (is_outstanding(command)) {
        facts_statement(observed);
        facts_clear_outcome(observed);
        give_outcome(observed, WEIR_COMPLETED, &one);
        if (one.outcome != PLUGIN_ALLOWED)
            *verdict = one;
    }
    command->current = command->count;
    strbuf_release(&message);
}

void events_result(struct observed *observed, const struct wire_result *result, bool ends_reply,
                   struct plugin_verdict *verdict)
{
    struct command *command = &observed->command;
    verdict->outcome = PLUGIN_ALLOWED;
    if (!has_plugins(observed))
        return;
    if (!ends_statement(observed, result, ends_reply)) {
        command->rows_before += result->rows;
        return;
    }
    command->has_failed = result->is_error;
    if (command->is_ambiguous) {
        give_ambiguous(observed, result, verdict);
        return;
    }
    bool has_run = command->code != WIRE_COM_STMT_PREPARE; /* a Prepare changes nothing */
    if (has_run && command->current < command->count) {
        if (result->is_error)
            tracking_after_failure(observed, statement_current(observed), result->error_code);
        else
            events_took_effect(observed);
    }
    if (is_outstanding(command))
        give_result(observed, result, verdict);
    else
        command->current++;
}

void events_completed(struct observed *observed, const struct wire_result *result,
                      struct plugin_verdict *verdict)
{
    struct plugin_verdict one;
    verdict->outcome = PLUGIN_ALLOWED;
    while (is_outstanding(&observed->command)) {
        give_result(observed, result, &one);
        if (one.outcome != PLUGIN_ALLOWED)
            *verdict = one;
    }
}

/* A bulk execution refuses long data, and uses it up all the same. */
static void forget_long_data(struct observed *observed)
{
    const struct command *command = &observed->command;
    if (!command->prepared || !command->is_sent)
        return;
    if (command->code == WIRE_COM_STMT_EXECUTE || command->code == WIRE_COM_STMT_BULK_EXECUTE)
        prepared_clear_long_data(observed, command->prepared);
    else if (command->code == WIRE_COM_STMT_RESET)
        prepared_reset(observed, command->prepared);
}

void events_end(struct observed *observed)
{
    struct command *command = &observed->command;
    give_errors(observed, WIRE_ER_QUERY_INTERRUPTED, wire_error_sqlstate(WIRE_ER_QUERY_INTERRUPTED),
                command->has_failed
                    ? "Not run: an earlier statement of the text failed"
                    : "Not known whether it ran: the backend's results are fewer than the "
                      "statements of the text");
    command->is_announced = false;
    memo_end_command(observed);
    forget_long_data(observed);
}

void events_lost(struct observed *observed, const char *message)
{
    struct command *command = &observed->command;
    give_errors(observed, WIRE_ER_CONNECTION_KILLED, wire_error_sqlstate(WIRE_ER_CONNECTION_KILLED),
                message);
    command->is_announced = false;
    identity_end_forecast(observed);
    facts_clear_statement(observed);
    memo_end_command(observed);
    command->current = command->count;
    command->prepared = NULL;
}
