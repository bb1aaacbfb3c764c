/* SPDX-License-Identifier: Apache-2.0
 *
 * The backend's part of the login: making it ask, relaying what it asks, and its verdict. Its
 * packets are cut and told apart by a tracker of their own, since they are numbered differently from
 * those of the client. */
#include <string.h>

#include "gateway/session/answers.h"
#include "gateway/session/login.h"
#include "gateway/session/query.h"

#define ASKING_PLUGIN "weir_ask_the_account" /* no account has it: the backend asks */

/* ---- Connecting ---- */

void login_connect(struct session *session)
{
    session_enter(session, SESSION_CONNECTING);
    session_set_deadline(session, environment_of(session)->connect_timeout_s);
}

bool login_connected(struct session *session)
{
    struct login *login = session->login;
    const struct session_environment *environment = environment_of(session);
    if (*login->error) {
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, WIRE_ER_CONNECT_TO_FOREIGN_DATA_SOURCE,
                     NULL, "weir: cannot connect to the backend %s: %s",
                     environment->backend_address, login->error);
        return true;
    }
    if (environment->sends_proxy_header) {
        struct strbuf header = STRBUF_INIT;
        wire_encode_proxy_header(&header, (struct sockaddr *)&login->peer,
                                 (struct sockaddr *)&login->local);
        leg_write(&session->backend, header.data, header.size, 0);
        strbuf_release(&header);
    }
    session_enter(session, SESSION_INTRODUCING);
    return true;
}

void login_backend_timed_out(struct session *session)
{
    session_fail(session, CLOSE_BACKEND_UNREACHABLE, WIRE_ER_CONNECT_TO_FOREIGN_DATA_SOURCE, NULL,
                 "weir: the backend %s did not answer in %ld s",
                 environment_of(session)->backend_address,
                 environment_of(session)->connect_timeout_s);
}

void login_backend_lost(struct session *session)
{
    session_fail(session, CLOSE_BACKEND_UNREACHABLE, WIRE_ER_CONNECT_TO_FOREIGN_DATA_SOURCE, NULL,
                 "weir: the backend %s closed the connection during the login",
                 environment_of(session)->backend_address);
}

/* ---- Writing ---- */

/* Shows packets of the gateway's own to the login's tracker, and sends them. Releases them. */
static void send_framed(struct session *session, struct strbuf *framed)
{
    struct wire_tracker *tracker = &session->login->backend;
    struct wire_input input = {(uint8_t *)framed->data, (uint8_t *)framed->data + framed->size};
    struct wire_packet packet;
    if (!framed->failed &&
        wire_tracker_next(tracker, WIRE_FROM_CLIENT, &input, &packet) == WIRE_PACKET)
        leg_write(&session->backend, framed->data, framed->size, tracker->sequence);
    else
        session_close(session, CLOSE_NO_MEMORY);
    strbuf_release(framed);
}

void login_write_backend(struct session *session, const uint8_t *payload, size_t size)
{
    struct strbuf framed = STRBUF_INIT;
    login_frame(&framed, session->backend.sequence, payload, size);
    send_framed(session, &framed);
}

/* ---- The greeting ---- */

/* The same capabilities on both legs, so that packets can be relayed as they are; but the gateway
 * always wants to know what changes of the session. */
static void answer_greeting(struct session *session, const struct wire_greeting *greeting)
{
    struct login *login = session->login;
    const struct session_environment *environment = environment_of(session);
    if (environment->operations->greeted)
        environment->operations->greeted(environment->owner, greeting);
    if (login->hello.capabilities & ~greeting->capabilities) {
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, WIRE_ER_CONNECT_TO_FOREIGN_DATA_SOURCE,
                     NULL, "weir: the backend has changed its capabilities; connect again");
        return;
    }
    session->backend_id = greeting->connection_id;
    facts_backend(&session->observed, greeting);
    weir_string version = session->observed.handle.text[WEIR_TEXT_backend_version];
    sql_mode_set_server(&session->observed.identity.mode,
                        (struct sql_span){version.data ? version.data : "", version.size});
    struct wire_handshake_response hello = login->hello;
    hello.plugin = wire_text(ASKING_PLUGIN);
    hello.auth_response = wire_text("");
    struct strbuf packet = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&packet, session->backend.sequence);
    wire_encode_handshake_response(&writer, &hello);
    session_enter(session, SESSION_AUTHENTICATING);
    session_set_deadline(session, environment->handshake_timeout_s);
    send_framed(session, &packet);
}

/* ---- The verdict ---- */

/* The backend's ERR goes to the client as it is; its message is the reason of the Reject. */
static void refused(struct session *session, const struct wire_packet *packet)
{
    struct wire_err err;
    if (wire_decode_err(packet->payload, packet->payload_size, &err))
        session_fail(session, CLOSE_BACKEND_REJECTED, err.code, err.sqlstate, "%.*s",
                     (int)err.message.size, err.message.data);
    else
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
}

static void logged_in(struct session *session)
{
    struct plugin_verdict verdict;
    session_set_deadline(session, 0);
    events_connection(&session->observed, WEIR_CONNECTED, &verdict);
    session->is_announced = true; /* it was given, so Disconnect is due */
    if (verdict.outcome == PLUGIN_REFUSED) {
        session_fail_refused(session, CLOSE_PLUGIN_FAILED, &verdict.refusal);
        return;
    }
    wire_tracker_want(&session->tracker, RELAY_WANTS);
    client_write(session, session->kept_ok.data, session->kept_ok.size, session->tracker.sequence);
    strbuf_release(&session->kept_ok);
    session_enter(session, SESSION_READY);
}

static void identity_known(struct session *session, unsigned error_code)
{
    if (error_code)
        log_warn("session",
                 "the backend does not say who CURRENT_USER() is: error %u connection=%u",
                 error_code, session->observed.id);
    logged_in(session);
    login_release(session);
}

/* Keeps the OK as the client is to read it, and shows it to the session's tracker. */
static bool keep_ok(struct session *session, const struct wire_packet *ok)
{
    struct wire_packet seen;
    if (!answer_add_reported_ok(session, &session->kept_ok, ok, session->client.sequence))
        return false;
    struct wire_input input = {(uint8_t *)session->kept_ok.data,
                               (uint8_t *)session->kept_ok.data + session->kept_ok.size};
    return wire_tracker_next(&session->tracker, WIRE_FROM_SERVER, &input, &seen) == WIRE_PACKET;
}

/* The OK is kept until Connected has been given, and Connected waits for the account where a plugin
 * wants it. */
static void accepted(struct session *session, const struct wire_packet *ok)
{
    const struct session_environment *environment = environment_of(session);
    struct observed *observed = &session->observed;
    if (!environment->operations->id_add(environment->owner, observed->id, session->backend_id)) {
        session_fail(session, CLOSE_NO_MEMORY, WIRE_ER_OUT_OF_RESOURCES, NULL, "Out of memory");
        return;
    }
    session->is_registered = true;
    tracking_begin(observed, session->backend.capabilities);
    tracking_result(observed, &session->login->backend.result);
    if (!keep_ok(session, ok)) {
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
        return;
    }
    wire_tracker_set_capabilities(&session->tracker, session->backend.capabilities);
    observed->status = session->tracker.status;
    identity_begin(observed);
    if (identity_is_wanted(observed))
        query_identity(session, identity_known);
    else
        logged_in(session);
}

/* ---- Bytes ---- */

static void relay_to_client(struct session *session, const struct wire_packet *packet)
{
    struct wire_auth_switch request;
    if (packet->kind == WIRE_AUTH_SWITCH &&
        wire_decode_auth_switch(packet->payload, packet->payload_size, &request))
        facts_auth_method(&session->observed, request.plugin);
    if (!login_write_client(session, packet->payload, packet->payload_size))
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
}

static void backend_packet(struct session *session, const struct wire_packet *packet)
{
    struct wire_greeting greeting;
    leg_set_sequence(&session->backend, (uint8_t)(packet->sequence + 1));
    if (packet->total_size > LOGIN_PACKET_BYTES) {
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
        return;
    }
    switch (packet->kind) {
    case WIRE_GREETING:
        if (wire_decode_greeting(packet->payload, packet->payload_size, &greeting))
            answer_greeting(session, &greeting);
        else
            session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
        break;
    case WIRE_ERR:
        refused(session, packet);
        break;
    case WIRE_OK:
        accepted(session, packet);
        break;
    case WIRE_AUTH_SWITCH:
    case WIRE_AUTH_MORE:
        relay_to_client(session, packet);
        break;
    default:
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
        break;
    }
}

/* One packet, or what there is of it. */
bool login_backend_bytes(struct session *session)
{
    struct leg *leg = &session->backend;
    struct wire_input input = {leg->pos, leg->end};
    struct wire_packet packet;
    enum wire_step step =
        wire_tracker_next(&session->login->backend, WIRE_FROM_SERVER, &input, &packet);
    size_t done = (size_t)(input.pos - leg->pos);
    if (step == WIRE_BROKEN) {
        session->tracker.broken = session->login->backend.broken;
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
        return true;
    }
    if (step == WIRE_PACKET)
        backend_packet(session, &packet);
    leg_take(leg, done);
    if (session->is_announced)
        login_release(session);
    return true;
}

/* The client's answer was made for a scramble that the backend does not know. */
void login_rewrite_change_user(const struct session *session, const struct wire_packet *command,
                               struct strbuf *out)
{
    struct wire_change_user change;
    uint64_t capabilities = session->backend.capabilities;
    if (!wire_decode_change_user(command->payload, command->payload_size, capabilities, &change)) {
        out->failed = true;
        return;
    }
    change.plugin = wire_text(ASKING_PLUGIN);
    change.auth_response = wire_text("");
    struct wire_writer writer = wire_writer_to(out, 0);
    wire_encode_change_user(&writer, capabilities, &change);
}
