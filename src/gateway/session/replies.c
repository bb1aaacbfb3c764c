/* SPDX-License-Identifier: Apache-2.0
 *
 * Replies, packet by packet, and the fate of a session when they stop or make no sense.
 *
 * The events of a result come before the bytes that end it reach the client: so all that was read
 * is looked at first, and passed on as a whole. */
#include "gateway/session/replies.h"

#include <stddef.h>

#include "gateway/session/answers.h"
#include "gateway/session/commands.h"
#include "gateway/session/limited.h"
#include "gateway/session/local_run.h"
#include "gateway/session/login.h"
#include "gateway/session/query.h"

#define HELD_BACK_BYTES 16384 /* most of a packet that is held back */

/* Without plugins nobody needs to understand the bytes. */
static void pass_through(struct session *session)
{
    log_warn("session",
             "the backend's bytes are not understood (%s); relaying them as they are, since no "
             "plugin is loaded connection=%u",
             session->tracker.broken, session->observed.id);
    session_enter(session, SESSION_PASSTHROUGH);
}

/* A command has its whole reply. */
static void reply_ended(struct session *session, const struct wire_packet *packet)
{
    session_count_outcome(session, session->tracker.result.is_error ? METRIC_OUTCOME_ERROR
                                                                    : METRIC_OUTCOME_OK);
    if (!session->tracker.result.is_error)
        identity_after_command(&session->observed, packet->command);
    events_end(&session->observed);
    limited_end(session);
    session_enter(session, SESSION_READY);
}

static bool note_prepared(struct session *session, const struct wire_packet *packet)
{
    struct observed *observed = &session->observed;
    struct wire_prepare_ok ok;
    if (!has_plugins(observed))
        return true;
    if (!wire_decode_prepare_ok(packet->payload, packet->payload_size,
                                session->backend.capabilities, &ok))
        return false;
    observed->command.prepared = prepared_add(observed, ok.statement_id, ok.parameters);
    facts_prepared(observed, ok.statement_id);
    return observed->command.prepared != NULL;
}

/* The fate of a packet: it reaches the client, or the session ends instead. */
enum fate { FATE_PASSES, FATE_NO_MEMORY, FATE_SMUGGLED, FATE_FAREWELL, FATE_REFUSED, FATE_LIMITED };

static enum fate reply_packet(struct session *session, const struct wire_packet *packet,
                              struct plugin_verdict *verdict)
{
    struct wire_result *result = &session->tracker.result;
    session->observed.status = session->tracker.status;
    if (session_is_smuggled(session, packet))
        return FATE_SMUGGLED;
    if (session_is_farewell(packet))
        return FATE_FAREWELL;
    if (limited_stops(session, packet, &verdict->refusal))
        return FATE_LIMITED;
    if (packet->kind == WIRE_PREPARE_OK && !note_prepared(session, packet))
        return FATE_NO_MEMORY;
    if (packet->ends_result)
        tracking_result(&session->observed, result);
    if (packet->ends_result && result->is_error)
        session_count(session, METRIC_STATEMENTS_FAILED, 1);
    if (packet->ends_result) {
        events_result(&session->observed, result, packet->ends_reply, verdict);
        if (verdict->outcome == PLUGIN_REFUSED)
            return FATE_REFUSED;
    }
    if (packet->ends_reply)
        reply_ended(session, packet);
    return FATE_PASSES;
}

static void end_session(struct session *session, enum fate fate, const struct wire_packet *packet,
                        const struct plugin_verdict *verdict)
{
    if (fate == FATE_FAREWELL) {
        leg_set_sequence(&session->client, packet->sequence);
        session_fail_like_backend(session, packet);
    } else if (fate == FATE_LIMITED) {
        leg_set_sequence(&session->client, packet->sequence);
        limited_fail(session, &verdict->refusal);
    } else if (fate == FATE_REFUSED) {
        session_fail_refused(session, CLOSE_PLUGIN_FAILED, &verdict->refusal);
    } else if (fate == FATE_NO_MEMORY) {
        session_fail(session, CLOSE_NO_MEMORY, WIRE_ER_OUT_OF_RESOURCES, NULL, "Out of memory");
    } else {
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
    }
}

/* ---- Bytes ---- */

/* What was looked at goes to the client. */
static void pass_reply(struct session *session, const uint8_t *bytes, size_t size, uint8_t sequence,
                       bool is_mid_packet)
{
    if (local_replaces_reply(session))
        local_pass_reply(session, sequence);
    else if (size)
        client_pass(session, bytes, size, sequence, is_mid_packet);
    if (wire_tracker_is_idle(&session->tracker))
        wire_tracker_trim(&session->tracker);
}

/* The backend has reported more in an OK than the client has asked for: passes what is before it, and
 * an OK that reports less. false: it cannot be written. */
static bool pass_less(struct session *session, const struct wire_packet *packet, size_t seen)
{
    struct leg *leg = &session->backend;
    struct strbuf less = STRBUF_INIT;
    size_t whole = WIRE_HEADER_BYTES + packet->payload_size;
    bool is_there = packet->total_size == packet->payload_size && whole <= seen;
    bool is_written = is_there && answer_add_reported_ok(session, &less, packet, packet->sequence);
    if (is_written) {
        if (seen > whole)
            client_pass(session, leg->pos, seen - whole, packet->sequence, false);
        client_write(session, less.data, less.size, (uint8_t)(packet->sequence + 1));
    }
    if (is_written)
        leg_take(leg, seen);
    strbuf_release(&less);
    return is_written;
}

/* Bytes at the end of the input that are a part of a packet which will be shown; 0: there is none,
 * or it began earlier. */
static size_t half_seen(const struct session *session)
{
    uint64_t size = wire_tracker_half_seen(&session->tracker, WIRE_FROM_SERVER);
    return size <= leg_input_size(&session->backend) ? (size_t)size : 0;
}

/* It is held back until all of it is there: its event comes first, and may end the session with an
 * error in its place. Rows are not, and neither is what would be long. What comes after a reply that is replaced is none
 * of it: its rest would go to the client. */
static bool is_held_back(const struct session *session, size_t size)
{
    return size <= HELD_BACK_BYTES && session_is_open(session) && !session->tracker.broken &&
           !(local_replaces_reply(session) && session_is_owed(session));
}

/* The gateway's own replies report nothing. */
static bool reports_too_much(const struct session *session, const struct wire_packet *packet)
{
    return packet->kind == WIRE_OK && !local_replaces_reply(session) &&
           tracking_reports_too_much(&session->observed, session->client.capabilities,
                                     &session->tracker.result);
}

/* Bytes of a packet and its frames' headers. */
static size_t packet_bytes(const struct wire_packet *packet)
{
    return (size_t)(packet->total_size +
                    (packet->total_size / WIRE_FRAME_MAX + 1) * WIRE_HEADER_BYTES);
}

bool reply_bytes(struct session *session)
{
    struct leg *leg = &session->backend;
    struct wire_input input = {leg->pos + session->shown, leg->end};
    struct wire_packet packet;
    struct plugin_verdict verdict;
    enum wire_step step;
    size_t complete = 0; /* bytes of results whose events were given */
    uint8_t next = session->client.sequence;
    if (input.pos == input.end)
        return false;
    session->shown = 0;
    while ((step = wire_tracker_next(&session->tracker, WIRE_FROM_SERVER, &input, &packet)) ==
           WIRE_PACKET) {
        if (local_replaces_reply(session))
            local_reply_packet(session, &packet);
        enum fate fate = reply_packet(session, &packet, &verdict);
        size_t seen = (size_t)(input.pos - leg->pos);
        if ((fate == FATE_FAREWELL || fate == FATE_LIMITED) && packet_bytes(&packet) < seen)
            complete = seen - packet_bytes(&packet); /* it stands within the result at hand */
        if (fate != FATE_PASSES) { /* the client reads nothing of the result at hand */
            if (complete && !local_replaces_reply(session))
                client_pass(session, leg->pos, complete, next, false);
            end_session(session, fate, &packet, &verdict);
            return true;
        }
        if (packet.ends_result) {
            complete = seen;
            next = (uint8_t)(packet.sequence + 1);
        }
        if (!reports_too_much(session, &packet))
            continue;
        if (!pass_less(session, &packet, complete)) {
            session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
            return true;
        }
        complete = 0;
    }
    if (step == WIRE_BROKEN && has_plugins(&session->observed)) {
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
        return true;
    }
    if (step == WIRE_BROKEN)
        pass_through(session);
    size_t half = half_seen(session), held = is_held_back(session, half) ? half : 0;
    size_t passed = leg_input_size(leg) - held;
    bool is_mid_packet =
        held == 0 && !wire_tracker_is_between_packets(&session->tracker, WIRE_FROM_SERVER);
    uint8_t sequence = session->tracker.sequence;
    if (half >= WIRE_HEADER_BYTES)
        sequence = leg->end[3 - (ptrdiff_t)half]; /* its own number */
    leg_set_sequence(leg, session->tracker.sequence);
    pass_reply(session, leg->pos, passed, sequence, is_mid_packet);
    leg_take(leg, passed);
    session->shown = held;
    return true;
}

bool pass_to_client(struct session *session)
{
    struct leg *leg = &session->backend;
    leg_pass(&session->client, leg->pos, leg_input_size(leg), 0, true);
    leg_take(leg, leg_input_size(leg));
    return true;
}

/* ---- The backend's end ---- */

/* Its last words, where they could not be looked at before: a plugin judges a command. */
static bool said_why(const struct session *session, struct wire_packet *packet)
{
    const struct leg *leg = &session->backend;
    size_t least = 0, whole = wire_packet_whole(leg->pos, leg_input_size(leg), &least);
    *packet = (struct wire_packet){.kind = WIRE_UNSOLICITED, .payload = leg->pos};
    if (whole <= WIRE_HEADER_BYTES || whole > WIRE_FRAME_MAX)
        return false;
    packet->payload += WIRE_HEADER_BYTES;
    packet->payload_size = whole - WIRE_HEADER_BYTES;
    return session_is_farewell(packet);
}

void backend_gone(struct session *session)
{
    struct wire_packet packet;
    if (said_why(session, &packet)) {
        session_fail_like_backend(session, &packet);
        return;
    }
    session_fail(session, CLOSE_BACKEND_GONE, WIRE_ER_CONNECTION_KILLED, NULL,
                 "weir: the backend %s closed the connection", session->observed.backend->label);
}

void backend_gone_in_passthrough(struct session *session)
{
    if (session->client.ended)
        session_linger(session, CLOSE_CLIENT_GONE);
    else
        backend_gone(session);
}

/* A server closes without a word when the data that it reads end too early, and at the end of a dump
 * that was killed. */
static bool closes_for_client(const struct session *session)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expected = wire_tracker_expects(&session->tracker, &command);
    return client_end_is_due(session) &&
           (expected == WIRE_EXPECT_INFILE || expected == WIRE_EXPECT_BINLOG);
}

void backend_lost_while_running(struct session *session)
{
    if (closes_for_client(session)) {
        session_linger(session, CLOSE_CLIENT_GONE);
        return;
    }
    session_fail(session, CLOSE_BACKEND_GONE, WIRE_ER_CONNECTION_KILLED, NULL,
                 "weir: the backend %s closed the connection while a statement was running; "
                 "whether it took effect is not known",
                 session->observed.backend->label);
}

void query_backend_lost(struct session *session)
{
    if (session->login)
        login_backend_lost(session);
    else
        backend_gone(session);
}
