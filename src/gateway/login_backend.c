/* SPDX-License-Identifier: Apache-2.0
 *
 * The backend's part of the login: connecting, making it ask, relaying what it asks, and its
 * verdict. */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/answer.h"
#include "gateway/hold.h"
#include "gateway/identity.h"
#include "gateway/login_state.h"
#include "gateway/question.h"
#include "gateway/relay.h"

#define ASKING_PLUGIN    "weir_ask_the_account" /* no account has it: the backend asks */
#define MAX_LOGIN_PACKET 65536 /* bytes of one packet of the authentication exchange */

void login_connect_backend(struct session *session)
{
    const struct gateway *gateway = session->worker->gateway;
    bool in_progress = false;
    int fd = upstream_connect(gateway->upstream, &in_progress);
    if (fd < 0 || stream_open(&session->backend, &session->worker->loop, fd, session) < 0) {
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, 2003, "08S01",
                     "weir: cannot connect to the backend %s: %s",
                     upstream_address(gateway->upstream), strerror(errno));
        upstream_connection_failed(gateway->upstream);
        return;
    }
    session->handles++;
    session_enter(session, SESSION_CONNECTING);
    session_deadline(session, gateway->options->connect_timeout_s);
    if (!in_progress)
        login_backend_connected(session);
}

void login_backend_connected(struct session *session)
{
    const struct gateway *gateway = session->worker->gateway;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(session->backend.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error) {
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, 2003, "08S01",
                     "weir: cannot connect to the backend %s: %s",
                     upstream_address(gateway->upstream), strerror(error));
        upstream_connection_failed(gateway->upstream);
        return;
    }
    int yes = 1;
    setsockopt(session->backend.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(session->backend.fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    if (upstream_sends_proxy_header(gateway->upstream)) {
        struct sockaddr_storage peer = {0}, local = {0};
        socklen_t peer_size = sizeof peer, local_size = sizeof local;
        getpeername(session->client.fd, (struct sockaddr *)&peer, &peer_size);
        getsockname(session->client.fd, (struct sockaddr *)&local, &local_size);
        struct strbuf header = STRBUF_INIT;
        wire_encode_proxy_header(&header, (struct sockaddr *)&peer, (struct sockaddr *)&local);
        stream_write(&session->backend, header.data, header.size);
        strbuf_release(&header);
    }
    session_enter(session, SESSION_INTRODUCING);
}

/* The same capabilities on both legs, so that packets can be relayed as they are. */
static void answer_backend_greeting(struct session *session, const struct wire_greeting *greeting)
{
    struct login *login = session->login;
    upstream_learn(session->worker->gateway->upstream, greeting);
    uint64_t missing = login->hello.capabilities & ~greeting->capabilities;
    if (missing) {
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, 2003, "08S01",
                     "weir: the backend has changed its capabilities; connect again");
        return;
    }
    session->backend_id = greeting->connection_id;
    session->facts.number[WEIR_NUMBER_backend_connection_id] = greeting->connection_id;
    size_t version = greeting->server_version.size < sizeof session->backend_version
                         ? greeting->server_version.size
                         : sizeof session->backend_version - 1;
    memcpy(session->backend_version, greeting->server_version.data, version);
    session->facts.text[WEIR_TEXT_backend_version] =
        (weir_string){session->backend_version, version};
    sql_mode_set_server(&session->mode, (struct sql_span){session->backend_version, version});
    struct wire_handshake_response hello = login->hello;
    hello.plugin = wire_text(ASKING_PLUGIN);
    hello.auth_response = wire_text("");
    struct strbuf packet = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&packet, ++login->backend_sequence);
    wire_encode_handshake_response(&writer, &hello);
    session_enter(session, SESSION_AUTHENTICATING);
    session_deadline(session, session->worker->gateway->options->handshake_timeout_s);
    stream_write(&session->backend, packet.data, packet.size);
    strbuf_release(&packet);
}

/* The backend's ERR goes to the client as it is; its words are the reason of the Reject. */
static void backend_refuses(struct session *session, const uint8_t *payload, size_t size)
{
    struct wire_err err;
    if (wire_decode_err(payload, size, &err))
        session_fail(session, CLOSE_BACKEND_REJECTED, err.code, err.sqlstate, "%.*s",
                     (int)err.message.size, err.message.data);
    else
        relay_broken(session, CLOSE_BACKEND_PROTOCOL);
}

static void logged_in(struct session *session)
{
    session_deadline(session, 0);
    if (!session_connection_event(session, WEIR_CONNECTED)) {
        session->announced = true; /* it was given, so that Disconnect is due */
        session_fail_refused(session, CLOSE_PLUGIN_FAILED);
        return;
    }
    session->announced = true;
    wire_tracker_want(&session->tracker, RELAY_WANTS);
    client_send(session, session->kept_ok.data, session->kept_ok.size);
    strbuf_release(&session->kept_ok);
    session_enter(session, SESSION_READY);
    login_release(session);
    relay_go_on(session);
}

static void identity_known(struct session *session, unsigned error_code)
{
    if (error_code)
        log_warn("session",
                 "the backend does not say who CURRENT_USER() is: error %u connection=%u",
                 error_code, session->id);
    session->stale = 0;
    logged_in(session);
}

static const struct question_handlers identity_question = {.row = identity_answered,
                                                           .done = identity_known};

/* The OK is kept until Connected has been given, and Connected waits for the account where a plugin
 * wants it. */
static void backend_accepts(struct session *session, const uint8_t *payload, size_t size)
{
    struct gateway *gateway = session->worker->gateway;
    if (!connection_ids_add(gateway->connection_ids, session->id, session->backend_id)) {
        session_fail(session, CLOSE_NO_MEMORY, 1041, "HY000", "Out of memory");
        return;
    }
    session->registered = true;
    login_frame(&session->kept_ok, session->reply_sequence, payload, size);
    struct wire_input input = {(uint8_t *)session->kept_ok.data,
                               (uint8_t *)session->kept_ok.data + session->kept_ok.size};
    struct wire_packet packet;
    if (session->kept_ok.failed ||
        wire_tracker_next(&session->tracker, WIRE_FROM_SERVER, &input, &packet) != WIRE_PACKET) {
        relay_broken(session, CLOSE_BACKEND_PROTOCOL);
        return;
    }
    if (session->tracker.result.session_state)
        identity_after_session_state(session, session->tracker.result.session_state,
                                     session->tracker.result.session_state_size);
    session->stale = STALE_ACCOUNT | STALE_MODE;
    if (!identity_must_ask(session)) {
        logged_in(session);
    } else if (!question_ask(session, IDENTITY_QUESTION, &identity_question)) {
        session_fail(session, CLOSE_NO_MEMORY, 1041, "HY000", "Out of memory");
    }
}

static void note_auth_plugin(struct session *session, const uint8_t *payload, size_t size)
{
    struct wire_auth_switch request;
    if (!wire_decode_auth_switch(payload, size, &request))
        return;
    size_t length = request.plugin.size;
    if (length >= sizeof session->auth_method)
        length = sizeof session->auth_method - 1;
    memcpy(session->auth_method, request.plugin.data, length);
    session->facts.text[WEIR_TEXT_auth_method] = (weir_string){session->auth_method, length};
}

static void backend_packet(struct session *session, const uint8_t *payload, size_t size)
{
    uint8_t first = size ? payload[0] : 0xff;
    if (session->state == SESSION_INTRODUCING) {
        struct wire_greeting greeting;
        if (first == 0xff)
            backend_refuses(session, payload, size);
        else if (wire_decode_greeting(payload, size, &greeting))
            answer_backend_greeting(session, &greeting);
        else
            relay_broken(session, CLOSE_BACKEND_PROTOCOL);
    } else if (first == 0xff) {
        backend_refuses(session, payload, size);
    } else if (first == 0x00) {
        backend_accepts(session, payload, size);
    } else {
        struct strbuf packet = STRBUF_INIT;
        if (first == 0xfe)
            note_auth_plugin(session, payload, size);
        login_frame(&packet, session->reply_sequence, payload, size);
        if (!login_send_to_client(session, &packet))
            relay_broken(session, CLOSE_BACKEND_PROTOCOL);
    }
}

void login_backend_bytes(struct session *session, const uint8_t *bytes, size_t size)
{
    struct strbuf *input = &session->login->backend_input;
    strbuf_add(input, bytes, size);
    if (input->failed) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    size_t done = 0;
    while (session->login && session_is_open(session) && session->state != SESSION_ASKING) {
        const uint8_t *frame = (const uint8_t *)input->data + done;
        size_t left = input->size - done;
        if (left < WIRE_HEADER_BYTES)
            break;
        size_t length = wire_frame_length(frame);
        if (length > MAX_LOGIN_PACKET) {
            relay_broken(session, CLOSE_BACKEND_PROTOCOL);
            break;
        }
        if (length > left - WIRE_HEADER_BYTES)
            break;
        session->login->backend_sequence = frame[3];
        done += WIRE_HEADER_BYTES + length;
        backend_packet(session, frame + WIRE_HEADER_BYTES, length);
    }
    if (session->login && done)
        strbuf_consume(&session->login->backend_input, done);
}

void login_backend_lost(struct session *session)
{
    session_fail(session, CLOSE_BACKEND_UNREACHABLE, 2013, "08S01",
                 "weir: the backend %s closed the connection during the login",
                 upstream_address(session->worker->gateway->upstream));
}

/* The client's answer was made for a scramble that the backend does not know. */
void login_rewrite_change_user(const struct session *session, const struct wire_packet *command,
                               struct strbuf *out)
{
    struct wire_change_user change;
    uint64_t capabilities = session->tracker.client_capabilities;
    if (!wire_decode_change_user(command->payload, command->payload_size, capabilities, &change)) {
        out->failed = true;
        return;
    }
    change.plugin = wire_text(ASKING_PLUGIN);
    change.auth_response = wire_text("");
    struct wire_writer writer = wire_writer_to(out, 0);
    wire_encode_change_user(&writer, capabilities, &change);
}
