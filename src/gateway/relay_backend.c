/* SPDX-License-Identifier: Apache-2.0
 *
 * The backend's side of the relay: replies, and what becomes of a session when they stop or make no
 * sense. */
#include "gateway/relay.h"

#include <string.h>

#include "gateway/hold.h"
#include "gateway/identity.h"
#include "gateway/login.h"
#include "gateway/prepared.h"
#include "gateway/question.h"
#include "gateway/statement.h"
#include "gateway/variables.h"

#define READS_A_ROUND 4 /* of one socket before the loop's other sockets have their turn */

void relay_broken(struct session *session, enum close_reason reason)
{
    const char *why =
        session->tracker.broken ? session->tracker.broken : "a packet that answers no command";
    log_warn("session", "%s: %s connection=%u state=%s", close_reason_words(reason), why,
             session->id, session_state_name(session->state));
    if (reason == CLOSE_CLIENT_PROTOCOL)
        session_fail(session, reason, 1156, "08S01", "Got packets out of order: %s", why);
    else
        session_fail(session, reason, 2027, "08S01",
                     "weir: the backend's bytes were not understood (%s); the session is ended",
                     why);
}

/* Without plugins there is nobody to whom an unknown packet could matter. */
static void go_blind(struct session *session)
{
    log_warn("session",
             "the backend's bytes are not understood (%s); relaying them as they are, since no "
             "plugin is loaded connection=%u",
             session->tracker.broken, session->id);
    session_enter(session, SESSION_BLIND);
    stream_write(&session->backend, session->input.data, session->input.size);
    strbuf_release(&session->input);
}

/* A command has its whole reply. */
static void reply_ended(struct session *session, const struct wire_packet *packet)
{
    if (!session->tracker.result.is_error)
        identity_after_command(session, packet->command);
    statement_end(session);
    session_enter(session, SESSION_READY);
}

static bool has_prepared(struct session *session, const struct wire_packet *packet)
{
    struct wire_prepare_ok ok;
    struct run *run = &session->run;
    if (!session->worker->gateway->has_plugins)
        return true;
    if (!wire_decode_prepare_ok(packet->payload, packet->payload_size,
                                session->tracker.client_capabilities, &ok))
        return false;
    run->prepared = prepared_add(session, ok.statement_id, ok.parameters);
    session->facts.number[WEIR_NUMBER_prepared_id] = ok.statement_id;
    return run->prepared != NULL;
}

/* false: the packet must not reach the client. */
static bool reply_packet(struct session *session, const struct wire_packet *packet)
{
    struct wire_result *result = &session->tracker.result;
    session->reply_sequence = (uint8_t)(packet->sequence + 1);
    /* A server may say why it hangs up; anything else that answers no command was smuggled in. */
    if (packet->kind == WIRE_UNSOLICITED && session->worker->gateway->has_plugins &&
        (packet->payload_size == 0 || packet->payload[0] != 0xff)) {
        relay_broken(session, CLOSE_BACKEND_PROTOCOL);
        return false;
    }
    if (packet->kind == WIRE_PREPARE_OK && !has_prepared(session, packet)) {
        session_fail(session, CLOSE_NO_MEMORY, 1041, "HY000", "Out of memory");
        return false;
    }
    if (packet->kind == WIRE_OK && result->session_state)
        identity_after_session_state(session, result->session_state, result->session_state_size);
    if (packet->ends_reply && packet->command == WIRE_COM_CHANGE_USER && !result->is_error) {
        session->user_has_changed = true;
        return true;
    }
    if (packet->ends_result && !statement_result(session, packet)) {
        session_fail_refused(session, CLOSE_PLUGIN_FAILED);
        return false;
    }
    if (packet->ends_reply)
        reply_ended(session, packet);
    return true;
}

static void tell_user_changed(struct session *session, unsigned error_code)
{
    (void)error_code; /* then the account stays unknown */
    session->stale = 0;
    session_enter(session, SESSION_READY);
    if (!session_connection_event(session, WEIR_CHANGE_USER)) {
        session_fail_refused(session, CLOSE_REFUSED);
        return;
    }
    if (!statement_done(session)) {
        session_fail_refused(session, CLOSE_PLUGIN_FAILED);
        return;
    }
    statement_end(session);
    client_send(session, session->kept_ok.data, session->kept_ok.size);
    strbuf_release(&session->kept_ok);
    relay_go_on(session);
}

static const struct question_handlers change_question = {.row = identity_answered,
                                                         .done = tell_user_changed};

/* The client reads the OK after the plugins have been told who it is now. */
static void user_changed(struct session *session, const uint8_t *bytes, size_t size)
{
    session->user_has_changed = false;
    strbuf_add(&session->kept_ok, bytes, size);
    if (!identity_change_user(session) || session->kept_ok.failed)
        session_close(session, CLOSE_NO_MEMORY);
    else if (!identity_must_ask(session))
        tell_user_changed(session, 0);
    else if (!question_ask(session, IDENTITY_QUESTION, &change_question))
        session_close(session, CLOSE_NO_MEMORY);
}

static void relay_reply(struct session *session, const uint8_t *bytes, size_t size)
{
    struct wire_input input = {bytes, bytes + size};
    struct wire_packet packet;
    enum wire_step step;
    session->held_sequence = session->tracker.sequence;
    while ((step = wire_tracker_next(&session->tracker, WIRE_FROM_SERVER, &input, &packet)) ==
           WIRE_PACKET) {
        if (session->merge)
            variables_merge(session, &packet);
        if (!reply_packet(session, &packet))
            return;
    }
    if (step == WIRE_BROKEN && session->worker->gateway->has_plugins) {
        relay_broken(session, CLOSE_BACKEND_PROTOCOL);
        return;
    }
    if (step == WIRE_BROKEN)
        go_blind(session);
    if (session->user_has_changed) {
        user_changed(session, bytes, size);
        return;
    }
    if (session->merge) {
        variables_send_merged(session);
    } else {
        session->reply_is_split =
            !wire_tracker_is_between_packets(&session->tracker, WIRE_FROM_SERVER);
        session->reply_sequence = session->tracker.sequence;
        client_send(session, bytes, size);
    }
    if (session->state == SESSION_READY)
        wire_tracker_trim(&session->tracker);
}

void relay_backend_readable(struct session *session)
{
    uint8_t *buffer = session->worker->buffer;
    for (int round = 0; round < READS_A_ROUND && session_is_open(session); round++) {
        size_t got = stream_read(&session->backend, buffer, READ_BYTES);
        if (got == 0)
            break;
        if (session->state == SESSION_ASKING)
            question_receive(session, buffer, got);
        else if (session->state < SESSION_READY)
            login_backend_bytes(session, buffer, got);
        else if (session->state == SESSION_BLIND)
            stream_write(&session->client, buffer, got);
        else
            relay_reply(session, buffer, got);
        if (got < READ_BYTES || stream_is_clogged(&session->client) || session_is_held(session))
            break;
    }
    if (!session_is_open(session))
        return;
    if (session_is_held(session) || session->work_in_pool)
        return; /* hold.c and pool.c go on from here */
    if (session->backend.ended || session->backend.failed)
        relay_backend_lost(session);
    else if (session->state == SESSION_READY)
        relay_go_on(session);
    else if (session->state == SESSION_RUNNING && session->input.size)
        relay_go_on(session); /* LOCAL INFILE data that came early */
}

void relay_backend_lost(struct session *session)
{
    const char *address = upstream_address(session->worker->gateway->upstream);
    if (session->login) {
        login_backend_lost(session);
    } else if (session->state == SESSION_RUNNING) {
        session_fail(session, CLOSE_BACKEND_GONE, 2013, "08S01",
                     "weir: the backend %s closed the connection while a statement was running; "
                     "whether it took effect is not known",
                     address);
    } else {
        session->reply_sequence = 0; /* nobody has asked: like a server that says why it hangs up */
        session_fail(session, CLOSE_BACKEND_GONE, 2006, "08S01",
                     "weir: the backend %s closed the connection", address);
    }
}
