/* SPDX-License-Identifier: Apache-2.0
 *
 * One command at a time: cut off the input, judged, then answered here or sent on. While a plugin
 * still judges it (JUDGING) its bytes stay where they are, at the start of the client's input. */
#include "gateway/session/commands.h"

#include <stdio.h>
#include <string.h>

#include "gateway/session/answers.h"
#include "gateway/session/change_user.h"
#include "gateway/session/hold.h"
#include "gateway/session/limited.h"
#include "gateway/session/local_run.h"
#include "gateway/session/query.h"
#include "gateway/session/tracing.h"

size_t command_bytes_missing(const struct session *session)
{
    size_t least = 0, there = leg_input_size(&session->client);
    size_t whole = wire_packet_whole(session->client.pos, there, &least);
    return whole || least < there ? 0 : least - there;
}

/* ---- What a command changes without a statement ---- */

/* COM_SET_OPTION switches multi-statements on or off, once it has succeeded. */
static void note_option(struct session *session, const struct wire_packet *command)
{
    struct wire_reader reader = command_arguments(command);
    session->observed.identity.multi_statements_asked =
        wire_read_u16(&reader) == 0; /* 0: on, 1: off */
}

/* Bookkeeping of commands that have no reply. */
static void note_replyless(struct session *session, const struct wire_packet *command)
{
    struct wire_reader reader = command_arguments(command);
    uint32_t id = wire_read_u32(&reader);
    if (command->command == WIRE_COM_STMT_CLOSE && !reader.failed) {
        prepared_remove(&session->observed, id);
    } else if (command->command == WIRE_COM_STMT_SEND_LONG_DATA) {
        unsigned parameter = wire_read_u16(&reader);
        if (!reader.failed)
            prepared_add_long_data(&session->observed, prepared_find(&session->observed, id),
                                   parameter, reader.pos, wire_left(&reader));
    }
}

/* MariaDB's id of "the statement prepared last" in a command that names a statement. */
static bool names_last_prepared(const struct wire_packet *command)
{
    struct wire_reader reader = command_arguments(command);
    switch (command->command) {
    case WIRE_COM_STMT_EXECUTE:
    case WIRE_COM_STMT_BULK_EXECUTE:
    case WIRE_COM_STMT_FETCH:
    case WIRE_COM_STMT_RESET:
    case WIRE_COM_STMT_CLOSE:
    case WIRE_COM_STMT_SEND_LONG_DATA:
        return wire_read_u32(&reader) == WIRE_STATEMENT_LAST;
    default:
        return false;
    }
}

/* ---- Refusing ---- */

static bool has_reply(uint8_t code)
{
    return wire_command_error_place(code) == WIRE_ERROR_IN_REPLY;
}

/* Numbers the answer to the command. One that has no reply has no answer: an error then says why
 * the session ends, and has the number 0. */
static void number_answer(struct session *session, uint8_t code, uint8_t sequence)
{
    leg_set_sequence(&session->client, has_reply(code) ? (uint8_t)(sequence + 1) : 0);
}

/* It is not sent on, and ends with this error. */
static void refuse(struct session *session, const struct wire_packet *command,
                   const struct plugin_refusal *refusal)
{
    wire_tracker_withdraw_command(&session->tracker);
    session_count(session, METRIC_STATEMENTS_REFUSED, 1);
    session_count_outcome(session, METRIC_OUTCOME_REFUSED);
    session_count_refusal(session, refusal->by);
    events_refused(&session->observed, refusal);
    if (has_reply(command->command))
        answer_error(session, refusal->code, refusal->sqlstate, refusal->message);
    events_end(&session->observed);
}

static void log_not_refused(const struct session *session, const struct wire_packet *command,
                            const struct plugin_refusal *refusal)
{
    log_warn("session", "%s cannot be refused, and is carried out: %s: %s connection=%u",
             wire_command_name(command->command), refusal->by ? refusal->by : "weir",
             log_foreign(refusal->message, strlen(refusal->message)), session->observed.id);
}

/* What was refused of the statement before. NULL: nothing, or this is no execution. */
static const struct plugin_refusal *refusal_of_data(const struct session *session,
                                                    const struct wire_packet *command)
{
    const struct prepared *prepared = session->observed.command.prepared;
    bool executes =
        command->command == WIRE_COM_STMT_EXECUTE || command->command == WIRE_COM_STMT_BULK_EXECUTE;
    return executes && prepared ? prepared->refusal : NULL;
}

/* The Prepare before it was refused; the backend would take an older statement for the one that is
 * meant. */
static void refuse_unknown_statement(struct session *session, const struct wire_packet *command)
{
    struct plugin_refusal refusal = {.code = WIRE_ER_UNKNOWN_STMT_HANDLER, .sqlstate = "HY000"};
    snprintf(refusal.message, sizeof refusal.message,
             "Unknown prepared statement handler (%u) given to %s", WIRE_STATEMENT_LAST,
             wire_command_name(command->command));
    refuse(session, command, &refusal);
}

/* ---- Sending on ---- */

/* The command has been sent on, and no reply is due. */
static void complete_replyless(struct session *session, const struct wire_packet *command)
{
    struct wire_result result = {.status = session->tracker.status};
    struct plugin_verdict verdict;
    events_completed(&session->observed, &result, &verdict);
    if (verdict.outcome == PLUGIN_REFUSED)
        session_fail_refused(session, CLOSE_PLUGIN_FAILED, &verdict.refusal);
    else
        events_end(&session->observed);
    note_replyless(session, command);
}

static void run_on_backend(struct session *session, const struct wire_packet *command, size_t whole)
{
    session->observed.command.is_sent = true;
    if (command->command == WIRE_COM_SET_OPTION)
        note_option(session, command);
    if (command->command == WIRE_COM_CHANGE_USER) {
        change_user_begin(session, command);
        return;
    }
    leg_pass(&session->backend, session->client.pos, whole, (uint8_t)(command->sequence + 1),
             false);
    if (session_is_owed(session)) {
        session_enter(session, SESSION_RUNNING);
        limited_begin(session);
    } else {
        complete_replyless(session, command);
    }
}

/* What refusing a command without a reply means (WIRE_COMMANDS). */
static void refuse_replyless(struct session *session, const struct wire_packet *command,
                             size_t whole, const struct plugin_refusal *refusal)
{
    if (wire_command_error_place(command->command) == WIRE_ERROR_IN_EXECUTE) {
        prepared_keep_refusal(session->observed.command.prepared, refusal);
        refuse(session, command, refusal);
    } else {
        log_not_refused(session, command, refusal);
        run_on_backend(session, command, whole);
    }
}

/* The command has been judged: `whole` bytes at the start of the client's input. */
static void proceed(struct session *session, const struct wire_packet *command, size_t whole,
                    const struct plugin_verdict *verdict)
{
    struct observed *observed = &session->observed;
    const bool allowed = verdict->outcome == PLUGIN_ALLOWED;
    const struct local_statement *local = NULL;
    const struct plugin_refusal *of_data = refusal_of_data(session, command);
    session_enter(session, SESSION_READY);
    if (command->command == WIRE_COM_STMT_PREPARE)
        observed->prepare_refused = !allowed;
    if (!allowed && has_reply(command->command))
        refuse(session, command, &verdict->refusal);
    else if (observed->prepare_refused && names_last_prepared(command))
        refuse_unknown_statement(session, command);
    else if (!allowed)
        refuse_replyless(session, command, whole, &verdict->refusal);
    else if (of_data)
        refuse(session, command, of_data);
    else if ((local = local_find(observed, command)) != NULL)
        local_run(session, local, command);
    else
        run_on_backend(session, command, whole);
    leg_take(&session->client, whole);
}

/* ---- Taking ---- */

/* Judges the command that the tracker has just shown. */
static void count_command(struct session *session, uint8_t code)
{
    session_count(session, METRIC_COMMANDS, 1);
    session->owes_outcome = code == WIRE_COM_QUERY || code == WIRE_COM_STMT_EXECUTE ||
                            code == WIRE_COM_STMT_BULK_EXECUTE;
    if (session->owes_outcome)
        session_count(session, METRIC_STATEMENTS, 1);
}

static void judge(struct session *session, const struct wire_packet *command, size_t whole)
{
    struct plugin_verdict verdict;
    number_answer(session, command->command, command->sequence);
    if (command->command == WIRE_COM_QUIT) {
        leg_pass(&session->backend, session->client.pos, whole, 0, false);
        session_close(session, CLOSE_QUIT);
        return;
    }
    count_command(session, command->command);
    events_begin(&session->observed, command);
    events_judge(&session->observed, &verdict);
    if (verdict.outcome == PLUGIN_PENDING) {
        hold_keep_verdict(session, &verdict);
        session_enter(session, SESSION_JUDGING);
    } else {
        proceed(session, command, whole, &verdict);
    }
}

/* The command at the start of the input, again: it has waited there since it was first seen, and
 * may lie elsewhere now. A packet of several frames lies in the tracker. */
static struct wire_packet judged_command(const struct session *session, size_t *whole)
{
    size_t least = 0;
    const uint8_t *bytes = session->client.pos;
    struct wire_packet command = {.kind = WIRE_COMMAND,
                                  .direction = WIRE_FROM_CLIENT,
                                  .command = session->observed.command.code,
                                  .sequence = (uint8_t)(session->client.sequence - 1)};
    *whole = wire_packet_whole(bytes, leg_input_size(&session->client), &least);
    assert(*whole >= WIRE_HEADER_BYTES); /* an empty command is COM_SLEEP */
    command.payload = bytes + WIRE_HEADER_BYTES;
    command.payload_size = *whole - WIRE_HEADER_BYTES;
    if (wire_frame_length(bytes) == WIRE_FRAME_MAX)
        command.payload =
            wire_tracker_kept(&session->tracker, WIRE_FROM_CLIENT, &command.payload_size);
    command.total_size = command.payload_size;
    return command;
}

bool command_judged(struct session *session)
{
    struct plugin_verdict verdict;
    hold_take_verdict(session, &verdict);
    events_judge_again(&session->observed, &verdict);
    if (verdict.outcome == PLUGIN_PENDING) {
        hold_keep_verdict(session, &verdict);
        return true;
    }
    size_t whole = 0;
    struct wire_packet command = judged_command(session, &whole);
    proceed(session, &command, whole, &verdict);
    return true;
}

static void identity_known(struct session *session, unsigned error_code)
{
    (void)error_code; /* then it stays unknown */
    session_enter(session, SESSION_READY);
}

/* Whether the command waits until the backend has said what is not known of the session. It is asked
 * once a command: what it does not say then stays unknown. */
static bool ask_first(struct session *session, const uint8_t *bytes, size_t whole)
{
    bool was_asked = session->was_asked;
    session->was_asked = false;
    if (was_asked || !identity_is_wanted_for(&session->observed, bytes + WIRE_HEADER_BYTES,
                                             whole - WIRE_HEADER_BYTES))
        return false;
    session->was_asked = true;
    number_answer(session, whole > WIRE_HEADER_BYTES ? bytes[WIRE_HEADER_BYTES] : WIRE_COM_SLEEP,
                  bytes[3]); /* if that fails */
    query_identity(session, identity_known);
    return true;
}

bool command_bytes(struct session *session)
{
    struct leg *leg = &session->client;
    const uint8_t *bytes = leg->pos;
    size_t least = 0;
    size_t whole = wire_packet_whole(bytes, leg_input_size(leg), &least);
    if (least > environment_of(session)->max_command_bytes) {
        session_fail(session, CLOSE_TOO_LARGE, WIRE_ER_NET_PACKET_TOO_LARGE, NULL,
                     "Got a packet bigger than 'max_allowed_packet' bytes");
        return true;
    }
    if (whole == 0)
        return false;
    if (ask_first(session, bytes, whole))
        return true;
    struct wire_input input = {bytes, bytes + whole};
    struct wire_packet command;
    tracing_command(session);
    tracing_bytes(session, WIRE_FROM_CLIENT, bytes, whole);
    if (wire_tracker_next(&session->tracker, WIRE_FROM_CLIENT, &input, &command) == WIRE_PACKET)
        judge(session, &command, whole);
    else
        session_fail_broken(session, CLOSE_CLIENT_PROTOCOL);
    return true;
}

/* ---- Data that is no command ---- */

static bool data_is_due(const struct session *session, const struct wire_input *input)
{
    return wire_tracker_expects_client_data(&session->tracker) ||
           wire_tracker_expects_ack(&session->tracker, input);
}

/* LOCAL INFILE data, or a replica's acknowledgements: passed on packet by packet, since a command may follow it at once. */
bool command_data(struct session *session)
{
    struct leg *leg = &session->client;
    struct wire_input input = {leg->pos, leg->end};
    struct wire_packet packet;
    enum wire_step step = WIRE_PACKET;
    while (step == WIRE_PACKET && data_is_due(session, &input))
        step = wire_tracker_next(&session->tracker, WIRE_FROM_CLIENT, &input, &packet);
    size_t done = (size_t)(input.pos - leg->pos);
    tracing_bytes(session, WIRE_FROM_CLIENT, leg->pos, done);
    if (step == WIRE_BROKEN) {
        session_fail_broken(session, CLOSE_CLIENT_PROTOCOL);
        return true;
    }
    if (done == 0)
        return false;
    leg_pass(&session->backend, leg->pos, done, session->tracker.sequence, false);
    leg_set_sequence(leg, session->tracker.sequence);
    leg_take(leg, done);
    return true;
}

bool pass_to_backend(struct session *session)
{
    struct leg *leg = &session->client;
    leg_pass(&session->backend, leg->pos, leg_input_size(leg), 0, false);
    leg_take(leg, leg_input_size(leg));
    return true;
}

/* ---- The client's end ---- */

bool client_gone(struct session *session)
{
    session_linger(session, CLOSE_CLIENT_GONE);
    return true;
}

/* The gateway's own statements may still have something to ask the backend. A server that has more to read, were it a COM_QUIT, does not notice the end. */
bool client_end_is_due(const struct session *session)
{
    const struct leg *client = &session->client;
    return (client->ended || client->is_deaf) && leg_input_size(client) == 0 && !session->local;
}

/* A server carries a statement to its end, and gives up at once only where it has rows to send, or
 * its log, that nobody takes. */
bool outcome_is_awaited(const struct session *session)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expected = wire_tracker_expects(&session->tracker, &command);
    return session->state == SESSION_RUNNING && expected != WIRE_EXPECT_ROWS &&
           expected != WIRE_EXPECT_BINLOG;
}

/* A statement that runs is waited for, as the server itself does; the backend is sent the end
 * (client_end_is_due()), and gives up what waits for a lock, or for data. A binlog dump goes on until
 * there is something to send, or somebody ends it by a KILL: replicas do so. */
bool client_gone_while_running(struct session *session)
{
    if (!wire_tracker_expects_client_data(&session->tracker) || client_end_is_due(session))
        return false;
    return client_gone(session);
}
