/* SPDX-License-Identifier: Apache-2.0
 *
 * The backend is made to ask, what it asks and what the client answers goes from leg to leg, and its
 * verdict reaches the client after plugins were notified of who it is now. */
#include "gateway/session/change_user.h"

#include "gateway/session/answers.h"
#include "gateway/session/commands.h"
#include "gateway/session/limited.h"
#include "gateway/session/login.h"
#include "gateway/session/query.h"
#include "gateway/session/replies.h"
#include "gateway/session/tracing.h"

/* ---- The command ---- */

/* The client's answer was made for a scramble that the backend does not know, unless it was the
 * backend's own. false: it cannot be understood. */
static bool rewrite(struct session *session, const struct wire_packet *command, struct strbuf *out)
{
    struct wire_change_user change;
    const uint64_t capabilities = session->backend.capabilities;
    if (!wire_decode_change_user(command->payload, command->payload_size, capabilities, &change))
        return false;
    const struct wire_string method =
        change.plugin.size ? change.plugin : wire_text(LOGIN_USUAL_PLUGIN);
    if (session->observed.backend_first && password_is_only_proof(method)) {
        exchange_frame(out, 0, command->payload, command->payload_size);
        return exchange_uses(session, method, wire_text(""));
    }
    change.plugin = wire_text(LOGIN_ASKING_PLUGIN);
    change.auth_response = wire_text("");
    struct wire_writer writer = wire_writer_to(out, 0);
    wire_encode_change_user(&writer, capabilities, &change);
    return true;
}

void change_user_begin(struct session *session, const struct wire_packet *command)
{
    struct strbuf rewritten = STRBUF_INIT;
    if (session->shown) { /* it has begun to say something that answers nothing: it ends */
        backend_gone(session);
        return;
    }
    if (!exchange_begin(session)) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    wire_tracker_resume(&session->exchange->backend, WIRE_WANT_ALL, EXCHANGE_PACKET_BYTES,
                        session->tracker.server_capabilities, session->backend.capabilities,
                        session->tracker.status);
    session_enter(session, SESSION_CHANGING_USER);
    limited_begin(session);
    if (rewrite(session, command, &rewritten) &&
        identity_prepare_change_user(&session->observed, command)) {
        exchange_send_backend(session, &rewritten);
    } else {
        session_fail(session, CLOSE_CLIENT_PROTOCOL, WIRE_ER_HANDSHAKE_ERROR, NULL,
                     "Bad handshake: malformed COM_CHANGE_USER");
        strbuf_release(&rewritten);
    }
}

/* ---- Its end ---- */

static void notify_user_changed(struct session *session)
{
    struct wire_result result = {.status = session->tracker.status};
    struct plugin_verdict verdict;
    session_enter(session, SESSION_READY);
    events_connection(&session->observed, WEIR_CHANGE_USER, &verdict);
    if (verdict.outcome == PLUGIN_REFUSED) {
        session_fail_refused(session, CLOSE_REFUSED, &verdict.refusal);
        return;
    }
    events_completed(&session->observed, &result, &verdict);
    if (verdict.outcome == PLUGIN_REFUSED) {
        session_fail_refused(session, CLOSE_PLUGIN_FAILED, &verdict.refusal);
        return;
    }
    events_end(&session->observed);
    client_write(session, session->kept_ok.data, session->kept_ok.size, session->tracker.sequence);
    strbuf_release(&session->kept_ok);
}

static void identity_known(struct session *session, unsigned error_code)
{
    (void)error_code; /* then the account stays unknown */
    notify_user_changed(session);
}

/* Whoever may KILL it is another one now. Returns false without memory. */
static bool register_user(const struct session *session)
{
    const struct session_environment *environment = environment_of(session);
    const struct observed *observed = &session->observed;
    return !session->is_registered ||
           environment->operations->id_add(environment->owner, observed->id, observed->backend,
                                           session->backend_id, observed->identity.user);
}

/* The client reads the OK after plugins were notified of who it is now. */
static void user_changed(struct session *session, const struct wire_packet *ok)
{
    const struct strbuf *method = &session->exchange->method;
    if (method->size)
        facts_auth_method(&session->observed, (struct wire_string){method->data, method->size});
    if (!answer_add_reported_ok(session, &session->kept_ok, ok, session->client.sequence))
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
    else if (!identity_change_user(&session->observed) || !register_user(session))
        session_close(session, CLOSE_NO_MEMORY);
    else if (identity_is_wanted(&session->observed))
        query_identity(session, identity_known);
    else
        notify_user_changed(session);
}

/* Another account was refused; the session goes on, or the backend ends it. */
static void user_stays(struct session *session, const struct strbuf *error)
{
    struct plugin_verdict verdict;
    session_count(session, METRIC_STATEMENTS_FAILED, 1);
    events_result(&session->observed, &session->tracker.result, true, &verdict);
    if (verdict.outcome == PLUGIN_REFUSED) {
        session_fail_refused(session, CLOSE_PLUGIN_FAILED, &verdict.refusal);
        return;
    }
    events_end(&session->observed);
    session_enter(session, SESSION_READY);
    client_write(session, error->data, error->size, session->tracker.sequence);
}

/* The backend's OK or ERR, as the client is to see it numbered. */
static void conclude(struct session *session, const struct wire_packet *verdict)
{
    struct strbuf framed = STRBUF_INIT;
    struct wire_packet packet;
    exchange_frame(&framed, session->client.sequence, verdict->payload, verdict->payload_size);
    struct wire_input input = {(uint8_t *)framed.data, (uint8_t *)framed.data + framed.size};
    if (framed.failed) {
        session_close(session, CLOSE_NO_MEMORY);
    } else if (wire_tracker_next(&session->tracker, WIRE_FROM_SERVER, &input, &packet) !=
                   WIRE_PACKET ||
               !packet.ends_reply) {
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
    } else {
        session->observed.status = session->tracker.status;
        limited_end(session);
        tracking_result(&session->observed, &session->tracker.result);
        if (packet.kind == WIRE_OK)
            user_changed(session, &packet);
        else
            user_stays(session, &framed);
    }
    strbuf_release(&framed);
}

/* ---- Bytes ---- */

static void backend_packet(struct session *session, const struct wire_packet *packet)
{
    leg_set_sequence(&session->backend, (uint8_t)(packet->sequence + 1));
    if (packet->total_size > EXCHANGE_PACKET_BYTES) {
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
    } else if (packet->kind == WIRE_AUTH_SWITCH || packet->kind == WIRE_AUTH_MORE) {
        exchange_from_backend(session, packet);
    } else if (session_is_farewell(packet)) {
        leg_set_sequence(&session->client, packet->sequence);
        session_fail_like_backend(session, packet);
    } else {
        conclude(session, packet);
    }
}

bool change_user_backend_bytes(struct session *session)
{
    struct leg *leg = &session->backend;
    struct wire_input input = {leg->pos, leg->end};
    struct wire_packet packet;
    enum wire_step step =
        wire_tracker_next(&session->exchange->backend, WIRE_FROM_SERVER, &input, &packet);
    const size_t done = (size_t)(input.pos - leg->pos);
    if (step == WIRE_PACKET) {
        backend_packet(session, &packet);
    } else if (step == WIRE_BROKEN) {
        session->tracker.broken = session->exchange->backend.broken;
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
    }
    leg_take(leg, done);
    if (session->state != SESSION_CHANGING_USER)
        exchange_release(session);
    return true;
}

/* Packets of the exchange; a command that follows waits. */
bool change_user_client_bytes(struct session *session)
{
    struct leg *leg = &session->client;
    struct wire_input input = {leg->pos, leg->end};
    struct wire_packet packet;
    if (!wire_tracker_expects_client_data(&session->tracker))
        return false;
    enum wire_step step = wire_tracker_next(&session->tracker, WIRE_FROM_CLIENT, &input, &packet);
    const size_t done = (size_t)(input.pos - leg->pos);
    tracing_bytes(session, WIRE_FROM_CLIENT, leg->pos, done);
    if (step == WIRE_PACKET) {
        leg_set_sequence(leg, (uint8_t)(packet.sequence + 1));
        exchange_from_client(session, &packet);
    } else if (step == WIRE_BROKEN) {
        session_fail_broken(session, CLOSE_CLIENT_PROTOCOL);
    }
    leg_take(leg, done);
    return true;
}

/* What the client has sent is carried out; what it owes never comes. */
bool change_user_client_gone(struct session *session)
{
    return wire_tracker_expects_client_data(&session->tracker) && client_gone(session);
}
