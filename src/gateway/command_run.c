/* SPDX-License-Identifier: Apache-2.0
 *
 * One command of the client: what its plugins say to it, who answers it, and how it goes on to the
 * backend. */
#include "gateway/command.h"

#include <stdio.h>

#include "gateway/administration.h"
#include "gateway/answer.h"
#include "gateway/functions.h"
#include "gateway/identity.h"
#include "gateway/kill.h"
#include "gateway/login.h"
#include "gateway/prepared.h"
#include "gateway/relay.h"
#include "gateway/statement.h"
#include "gateway/variables.h"

void relay_refuse(struct session *session)
{
    const struct plugin_refusal refusal =
        session->verdict.refusal; /* the events may overwrite it */
    statement_refused(session);
    answer_error(session, refusal.code, refusal.sqlstate, refusal.message);
    statement_end(session);
}

static void forward_rewritten(struct session *session, struct strbuf *packet)
{
    if (packet->failed)
        session_fail(session, CLOSE_CLIENT_PROTOCOL, 1043, "08S01",
                     "Bad handshake: malformed packet");
    else
        stream_write(&session->backend, packet->data, packet->size);
    strbuf_release(packet);
}

/* Sends the command on: as it came, but for ids and authentication data that are the gateway's own.
 */
static void forward(struct session *session, const struct wire_packet *command,
                    const uint8_t *bytes, size_t size)
{
    struct strbuf rewritten = STRBUF_INIT;
    bool is_rewritten = false;
    if (command->command == WIRE_COM_CHANGE_USER) {
        login_rewrite_change_user(session, command, &rewritten);
        is_rewritten = true;
    } else {
        is_rewritten = kill_rewrite(session, command, &rewritten);
    }
    if (is_rewritten)
        forward_rewritten(session, &rewritten);
    else
        stream_write(&session->backend, bytes, size);
}

/* COM_SET_OPTION switches multi-statements on or off, once it has succeeded. */
static void note_option(struct session *session, const struct wire_packet *command)
{
    struct wire_reader reader = wire_reader_of(command->payload + 1, command->payload_size - 1);
    session->multi_asked = wire_read_u16(&reader) == 0; /* 0: on, 1: off */
}

/* Bookkeeping of commands that have no reply. */
static void note_replyless(struct session *session, const struct wire_packet *command)
{
    struct wire_reader reader = wire_reader_of(command->payload + 1, command->payload_size - 1);
    uint32_t id = wire_read_u32(&reader);
    if (command->command == WIRE_COM_STMT_CLOSE && !reader.failed) {
        prepared_forget(session, id);
    } else if (command->command == WIRE_COM_STMT_SEND_LONG_DATA) {
        unsigned parameter = wire_read_u16(&reader);
        if (!reader.failed)
            prepared_note_long_data(prepared_find(session, id), parameter);
    }
}

/* MariaDB's id of "the statement prepared last" in a command that names a statement. */
static bool names_last_prepared(const struct wire_packet *command)
{
    struct wire_reader reader = wire_reader_of(command->payload + 1, command->payload_size - 1);
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

/* The Prepare before it was refused; the backend would take an older statement for the one that is
 * meant. */
static void answer_unknown_statement(struct session *session, const struct wire_packet *command)
{
    char message[128];
    snprintf(message, sizeof message, "Unknown prepared statement handler (%u) given to %s",
             WIRE_STATEMENT_LAST, wire_command_name(command->command));
    statement_failed(session, WIRE_ER_UNKNOWN_STMT_HANDLER, "HY000", message);
    if (wire_command_reply_shape(command->command) != WIRE_REPLY_NONE)
        answer_error(session, WIRE_ER_UNKNOWN_STMT_HANDLER, "HY000", message);
    statement_end(session);
}

void command_run(struct session *session, const struct wire_packet *command, const uint8_t *bytes,
                 size_t size)
{
    session->reply_sequence = (uint8_t)(command->sequence + 1);
    if (command->command == WIRE_COM_QUIT) {
        stream_write(&session->backend, bytes, size);
        session_close(session, CLOSE_QUIT);
        return;
    }
    bool allowed = statement_begin(session, command);
    if (command->command == WIRE_COM_STMT_PREPARE)
        session->prepare_refused = !allowed;
    if (!allowed) {
        wire_tracker_withdraw_command(&session->tracker);
        relay_refuse(session);
        return;
    }
    if (session->prepare_refused && names_last_prepared(command)) {
        wire_tracker_withdraw_command(&session->tracker);
        answer_unknown_statement(session, command);
        return;
    }
    if (administration_takes(session, command)) {
        wire_tracker_withdraw_command(&session->tracker);
        administration_begin(session, command);
        return;
    }
    if (variables_take(session, command)) {
        wire_tracker_withdraw_command(&session->tracker);
        variables_begin(session, command);
        return;
    }
    if (functions_take(session, command)) {
        wire_tracker_withdraw_command(&session->tracker);
        functions_begin(session, command);
        return;
    }
    if (command->command == WIRE_COM_CHANGE_USER &&
        !identity_prepare_change_user(session, command)) {
        session_fail(session, CLOSE_CLIENT_PROTOCOL, WIRE_ER_HANDSHAKE_ERROR, NULL,
                     "Bad handshake: malformed COM_CHANGE_USER");
        return;
    }
    if (command->command == WIRE_COM_SET_OPTION)
        note_option(session, command);
    forward(session, command, bytes, size);
    if (!session_is_open(session))
        return;
    if (wire_tracker_is_idle(&session->tracker)) { /* no reply is due */
        if (!statement_done(session))
            session_fail_refused(session, CLOSE_PLUGIN_FAILED);
        else
            statement_end(session);
        note_replyless(session, command);
    } else {
        session_enter(session, SESSION_RUNNING);
    }
}
