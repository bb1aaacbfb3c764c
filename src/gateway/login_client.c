/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's part of the login: the greeting, TLS, who the client wants to be, and PreAuth. */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/identity.h"
#include "gateway/login_state.h"
#include "gateway/tls.h"
#include "gateway/tracing.h"

#define SERVER_PLUGIN "mysql_native_password"
#define REQUIRED_CAPABILITIES                                                                      \
    (WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_SECURE_CONNECTION) |                           \
     WIRE_CAP(CLIENT_PLUGIN_AUTH))

static void make_scramble(char scramble[WIRE_SCRAMBLE_BYTES])
{
    RAND_bytes((unsigned char *)scramble, WIRE_SCRAMBLE_BYTES);
    for (size_t i = 0; i < WIRE_SCRAMBLE_BYTES; i++) /* old clients end at NUL, and want 7 bits */
        scramble[i] = (char)((unsigned char)scramble[i] % 94 + 33);
}

static void greet(struct session *session, const struct upstream_profile *profile)
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
    if (!login_send_to_client(session, &packet))
        session_close(session, CLOSE_NO_MEMORY);
}

void login_begin(struct session *session)
{
    const struct gateway *gateway = session->worker->gateway;
    struct upstream_profile profile;
    session->login = calloc(1, sizeof *session->login);
    if (!session->login) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    strbuf_init(&session->login->response);
    strbuf_init(&session->login->backend_input);
    if (!upstream_profile(gateway->upstream, &profile)) {
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, 2003, "08S01",
                     "weir: the backend %s has not been reached yet; try again",
                     upstream_address(gateway->upstream));
    } else if (atomic_load(&gateway->connections) > gateway->options->max_connections) {
        session_fail(session, CLOSE_TOO_MANY, 1040, "08004", "Too many connections");
    } else {
        session_deadline(session, gateway->options->handshake_timeout_s);
        greet(session, &profile);
    }
}

static void bad_handshake(struct session *session, const char *what)
{
    session_fail(session, CLOSE_CLIENT_PROTOCOL, 1043, "08S01", "Bad handshake: %s", what);
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
        session_fail_refused(session, CLOSE_REFUSED);
        return;
    }
    login_connect_backend(session);
}

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
        login_send_to_backend(session, packet->payload, packet->payload_size);
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
