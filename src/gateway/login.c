/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/login.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "gateway/answer.h"
#include "gateway/directory.h"
#include "gateway/hold.h"
#include "gateway/identity.h"
#include "gateway/question.h"
#include "gateway/relay.h"
#include "gateway/tls.h"
#include "gateway/tracing.h"

#define ASKING_PLUGIN    "weir_ask_the_account" /* no account has it: the backend asks */
#define SERVER_PLUGIN    "mysql_native_password"
#define MAX_LOGIN_PACKET 65536 /* bytes of one packet of the authentication exchange */

#define REQUIRED_CAPABILITIES                                                                      \
    (WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_SECURE_CONNECTION) |                           \
     WIRE_CAP(CLIENT_PLUGIN_AUTH))

struct login {
    uint64_t offered;       /* capabilities of the greeting */
    struct strbuf response; /* payload of the handshake response; what is decoded points into it */
    struct wire_handshake_response hello;
    struct strbuf backend_input;
    size_t client_bytes;      /* read so far */
    uint8_t backend_sequence; /* of the last packet of either side, on the backend's leg */
};

/* Appends one packet with this payload. */
static void frame_payload(struct strbuf *out, uint8_t sequence, const void *payload, size_t size)
{
    struct wire_writer writer = wire_writer_to(out, sequence);
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, payload, size);
    wire_end_packet(&writer);
}

/* Sends one packet to the client, and shows it to the tracker as part of the client's conversation.
 */
static bool send_to_client(struct session *session, struct strbuf *framed)
{
    struct wire_input input = {(uint8_t *)framed->data, (uint8_t *)framed->data + framed->size};
    struct wire_packet packet;
    bool understood = !framed->failed && wire_tracker_next(&session->tracker, WIRE_FROM_SERVER,
                                                           &input, &packet) == WIRE_PACKET;
    session->reply_sequence++;
    client_send(session, framed->data, framed->size);
    strbuf_release(framed);
    return understood;
}

static void send_to_backend(struct session *session, const uint8_t *payload, size_t size)
{
    struct strbuf framed = STRBUF_INIT;
    frame_payload(&framed, ++session->login->backend_sequence, payload, size);
    stream_write(&session->backend, framed.data, framed.size);
    strbuf_release(&framed);
}

/* ---- The greeting ---- */

static void make_scramble(char scramble[WIRE_SCRAMBLE_BYTES])
{
    RAND_bytes((unsigned char *)scramble, WIRE_SCRAMBLE_BYTES);
    for (size_t i = 0; i < WIRE_SCRAMBLE_BYTES; i++) /* old clients end at NUL, and want 7 bits */
        scramble[i] = (char)((unsigned char)scramble[i] % 94 + 33);
}

static void greet(struct session *session, const struct backend_profile *profile)
{
    struct login *login = session->login;
    char scramble[WIRE_SCRAMBLE_BYTES];
    make_scramble(scramble);
    login->offered = profile->capabilities & wire_relayed_capabilities();
    if (session->worker->gateway->tls)
        login->offered |= WIRE_CAP(CLIENT_SSL);
    struct wire_greeting greeting = {
        .server_version = wire_text(profile->version),
        .connection_id = session->id,
        .scramble1 = {scramble, 8},
        .scramble2 = {scramble + 8, sizeof scramble - 8},
        .capabilities = login->offered,
        .charset = profile->charset,
        .status = WIRE_SERVER_STATUS_AUTOCOMMIT,
        .plugin = wire_text(SERVER_PLUGIN),
    };
    struct strbuf packet = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&packet, 0);
    wire_encode_greeting(&writer, &greeting);
    if (!send_to_client(session, &packet))
        session_close(session, CLOSE_NO_MEMORY);
}

void login_begin(struct session *session)
{
    const struct gateway *gateway = session->worker->gateway;
    const struct backend_profile *profile = atomic_load(&gateway->backend.profile);
    session->login = calloc(1, sizeof *session->login);
    if (!session->login) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    strbuf_init(&session->login->response);
    strbuf_init(&session->login->backend_input);
    if (!profile) {
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, 2003, "08S01",
                     "weir: the backend %s has not been reached yet; try again",
                     gateway->backend.address_text);
    } else if (atomic_load(&gateway->connections) > gateway->options->max_connections) {
        session_fail(session, CLOSE_TOO_MANY, 1040, "08004", "Too many connections");
    } else {
        session_deadline(session, gateway->options->handshake_timeout_s);
        greet(session, profile);
    }
}

/* ---- The client's answer ---- */

static void bad_handshake(struct session *session, const char *what)
{
    session_fail(session, CLOSE_CLIENT_PROTOCOL, 1043, "08S01", "Bad handshake: %s", what);
}

static void connect_backend(struct session *session)
{
    const struct gateway *gateway = session->worker->gateway;
    bool in_progress = false;
    int fd = backend_connect(&gateway->backend, &in_progress);
    if (fd < 0 || stream_open(&session->backend, &session->worker->loop, fd, session) < 0) {
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, 2003, "08S01",
                     "weir: cannot connect to the backend %s: %s", gateway->backend.address_text,
                     strerror(errno));
        return;
    }
    session->handles++;
    session_enter(session, SESSION_CONNECTING);
    session_deadline(session, gateway->options->connect_timeout_s);
    if (!in_progress)
        login_backend_connected(session);
}

static bool remember_user(struct session *session)
{
    struct login *login = session->login;
    return identity_set_user(session, login->hello.user, login->hello.database,
                             login->hello.attributes, login->hello.charset);
}

static bool is_insecure(const struct session *session)
{
    return session->worker->gateway->options->require_tls &&
           session->facts.number[WEIR_NUMBER_connection_type] == WEIR_TYPE_TCP;
}

static void handshake_response(struct session *session, const struct wire_packet *packet)
{
    struct login *login = session->login;
    strbuf_add(&login->response, packet->payload, packet->payload_size);
    if (login->response.failed) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    if (!wire_decode_handshake_response((uint8_t *)login->response.data, login->response.size,
                                        &login->hello)) {
        bad_handshake(session, "the handshake response is cut short");
        return;
    }
    login->hello.capabilities &=
        login->offered & ~WIRE_CAP(CLIENT_SSL); /* TLS is of one leg only */
    if ((login->hello.capabilities & REQUIRED_CAPABILITIES) != REQUIRED_CAPABILITIES) {
        session_fail(session, CLOSE_CLIENT_PROTOCOL, 1251, "08004",
                     "Client does not support authentication protocol requested by server; "
                     "consider upgrading MySQL client");
        return;
    }
    if (is_insecure(session)) {
        session_fail(session, CLOSE_CLIENT_PROTOCOL, 3159, "HY000",
                     "Connections using insecure transport are prohibited while "
                     "--require_secure_transport=ON.");
        return;
    }
    if (!remember_user(session)) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    session->multi_statements = login->hello.capabilities & WIRE_CAP(CLIENT_MULTI_STATEMENTS);
    if (!session_connection_event(session, WEIR_PRE_AUTH)) {
        session_fail(session, CLOSE_REFUSED, session->facts.refusal.code,
                     session->facts.refusal.sqlstate, "%s", session->facts.refusal.message);
        return;
    }
    connect_backend(session);
}

/* ---- TLS ---- */

static void begin_tls(struct session *session)
{
    if (!tls_accept(session->worker->gateway->tls, &session->client)) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    session_enter(session, SESSION_SECURING);
    login_secure(session);
}

static void secured(struct session *session)
{
    const char *version = tls_version(&session->client), *cipher = tls_cipher(&session->client);
    session->facts.number[WEIR_NUMBER_connection_type] = WEIR_TYPE_TLS;
    session->facts.text[WEIR_TEXT_tls_version] = (weir_string){version, strlen(version)};
    session->facts.text[WEIR_TEXT_tls_cipher] = (weir_string){cipher, strlen(cipher)};
    session_enter(session, SESSION_GREETED);
}

void login_secure(struct session *session)
{
    enum tls_progress progress = tls_handshake(&session->client);
    session->client_needs_write = progress == TLS_NEEDS_WRITE;
    if (progress == TLS_FAILED) {
        log_warn("session", "the TLS handshake failed: %s connection=%u client=%s", tls_failure(),
                 session->id, session->client_ip);
        session->client.failed = true; /* nothing can be said to this client any more */
        session_close(session, CLOSE_TLS);
    } else if (progress == TLS_DONE) {
        secured(session);
    }
}

size_t login_read_limit(const struct session *session)
{
    const size_t request = WIRE_HEADER_BYTES + WIRE_SSL_REQUEST_BYTES;
    const struct login *login = session->login;
    bool may_be_request = session->state == SESSION_GREETED && login &&
                          (login->offered & WIRE_CAP(CLIENT_SSL)) && login->client_bytes < request;
    return may_be_request ? request - login->client_bytes : READ_BYTES;
}

/* Passes one packet of the client on to the backend. */
static void client_packet(struct session *session, const struct wire_packet *packet)
{
    session->reply_sequence = (uint8_t)(packet->sequence + 1);
    if (packet->kind == WIRE_SSL_REQUEST && (session->login->offered & WIRE_CAP(CLIENT_SSL)))
        begin_tls(session);
    else if (packet->kind == WIRE_HANDSHAKE_RESPONSE)
        handshake_response(session, packet);
    else if (packet->kind == WIRE_AUTH_DATA && session->state == SESSION_AUTHENTICATING)
        send_to_backend(session, packet->payload, packet->payload_size);
    else
        bad_handshake(session, "a packet that was not asked for");
}

static const char *what_is_broken(const struct session *session)
{
    return session->tracker.broken ? session->tracker.broken : "not the MySQL protocol";
}

size_t login_client_bytes(struct session *session, const uint8_t *bytes, size_t size)
{
    struct wire_input input = {bytes, bytes + size};
    const uint8_t *shown = bytes; /* how far the trace has seen */
    while (input.pos < input.end &&
           (session->state == SESSION_GREETED || session->state == SESSION_AUTHENTICATING)) {
        struct wire_packet packet;
        enum wire_step step =
            wire_tracker_next(&session->tracker, WIRE_FROM_CLIENT, &input, &packet);
        if (step == WIRE_MORE)
            break;
        if (step == WIRE_BROKEN) {
            bad_handshake(session, what_is_broken(session));
            break;
        }
        tracing_bytes(session, WIRE_FROM_CLIENT, shown, (size_t)(input.pos - shown));
        shown = input.pos;
        client_packet(session, &packet);
    }
    size_t done = (size_t)(input.pos - bytes);
    tracing_bytes(session, WIRE_FROM_CLIENT, shown, (size_t)(input.pos - shown));
    if (session->login)
        session->login->client_bytes += done;
    return done;
}

/* ---- The backend ---- */

void login_backend_connected(struct session *session)
{
    const struct gateway *gateway = session->worker->gateway;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(session->backend.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error) {
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, 2003, "08S01",
                     "weir: cannot connect to the backend %s: %s", gateway->backend.address_text,
                     strerror(error));
        return;
    }
    int yes = 1;
    setsockopt(session->backend.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(session->backend.fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    if (gateway->backend.sends_proxy_header) {
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
    backend_learn(&session->worker->gateway->backend, greeting);
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
        session_fail(session, CLOSE_PLUGIN_FAILED, session->facts.refusal.code,
                     session->facts.refusal.sqlstate, "%s", session->facts.refusal.message);
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
    if (!directory_add(gateway->directory, session->id, session->backend_id)) {
        session_fail(session, CLOSE_NO_MEMORY, 1041, "HY000", "Out of memory");
        return;
    }
    session->registered = true;
    frame_payload(&session->kept_ok, session->reply_sequence, payload, size);
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
        frame_payload(&packet, session->reply_sequence, payload, size);
        if (!send_to_client(session, &packet))
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
                 session->worker->gateway->backend.address_text);
}

void login_timed_out(struct session *session)
{
    if (session->state == SESSION_CONNECTING || session->state == SESSION_INTRODUCING)
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, 2003, "08S01",
                     "weir: the backend %s did not answer in %ld s",
                     session->worker->gateway->backend.address_text,
                     session->worker->gateway->options->connect_timeout_s);
    else
        session_fail(session, CLOSE_HANDSHAKE_TIMEOUT, 1159, "08S01",
                     "Got timeout reading communication packets");
}

void login_release(struct session *session)
{
    struct login *login = session->login;
    session->login = NULL;
    if (!login)
        return;
    strbuf_release(&login->response);
    strbuf_release(&login->backend_input);
    free(login);
}

/* ---- COM_CHANGE_USER ---- */

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
