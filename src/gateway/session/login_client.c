/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's part of the login: what plugins say of it, the greeting, TLS, and who the client wants
 * to be. */
#include <stdlib.h>
#include <string.h>

#include "gateway/session/answers.h"
#include "gateway/session/hold.h"
#include "gateway/session/login.h"
#include "gateway/session/tracing.h"

/* What a client must understand: the packets after the login, and being asked for another answer
 * than the one to the greeting, unless the greeting was the backend's. */
#define REQUIRED_ALWAYS WIRE_CAP(CLIENT_PROTOCOL_41)
#define REQUIRED_TO_ASK (WIRE_CAP(CLIENT_SECURE_CONNECTION) | WIRE_CAP(CLIENT_PLUGIN_AUTH))

/* ---- The greeting ---- */

/* Less what cannot be relayed. */
static void encode_greeting(struct session *session, const struct wire_greeting *said,
                            struct strbuf *packet)
{
    struct login *login = session->login;
    struct wire_greeting greeting = *said;
    login->offered |= said->capabilities & wire_relayed_capabilities();
    greeting.capabilities = login->offered;
    struct wire_writer writer = wire_writer_to(packet, 0);
    wire_encode_greeting(&writer, &greeting);
}

/* Takes the packet's memory. */
static void send_greeting(struct session *session, struct strbuf *packet)
{
    session_set_deadline(session, environment_of(session)->handshake_timeout_s);
    if (!exchange_send_client(session, packet))
        session_close(session, CLOSE_NO_MEMORY);
}

void login_greet(struct session *session, const struct wire_greeting *said)
{
    struct strbuf packet = STRBUF_INIT;
    encode_greeting(session, said, &packet);
    session->login->client_was_told = session->observed.backend_first;
    send_greeting(session, &packet);
}

/* In the backend's words, before it has been connected. */
static void encode_in_its_place(struct session *session, const struct session_arrival *arrival,
                                struct strbuf *packet)
{
    struct wire_greeting greeting = {
        .server_version = wire_text(arrival->version),
        .connection_id = session->observed.id,
        .scramble1 = {arrival->scramble, 8},
        .scramble2 = {arrival->scramble + 8, WIRE_SCRAMBLE_BYTES - 8},
        .capabilities = arrival->capabilities,
        .charset = arrival->charset,
        .status = WIRE_SERVER_STATUS_AUTOCOMMIT,
        .plugin = wire_text(LOGIN_USUAL_PLUGIN),
    };
    encode_greeting(session, &greeting, packet);
}

/* ---- Plugins ---- */

static void judge(struct session *session, weir_connection_event event);

static void settle(struct session *session, const struct plugin_verdict *verdict)
{
    struct login *login = session->login;
    if (verdict->outcome == PLUGIN_REFUSED) {
        session_fail_refused(session, CLOSE_REFUSED, &verdict->refusal);
    } else if (login->judges_late) {
        login->judges_late = false;
        judge(session, WEIR_PRE_AUTH);
    } else {
        login_go_on(session);
    }
}

static void judge(struct session *session, weir_connection_event event)
{
    struct plugin_verdict verdict;
    events_connection(&session->observed, event, &verdict);
    if (verdict.outcome == PLUGIN_PENDING) {
        hold_keep_verdict(session, &verdict);
        session_enter(session, SESSION_JUDGING_LOGIN);
    } else {
        settle(session, &verdict);
    }
}

bool login_judged(struct session *session)
{
    struct plugin_verdict verdict;
    hold_take_verdict(session, &verdict);
    settle(session, &verdict);
    return true;
}

/* ---- The beginning ---- */

/* A balancer that looks who answers is not judged, unless it logs in. */
void login_begin_late(struct session *session)
{
    struct login *login = session->login;
    const struct session_environment *environment = environment_of(session);
    assert(login->is_unreached || login->is_too_many || session->observed.backend_first ||
           login->greeting.size);
    if (login->is_stopping && session->is_check) {
        session_shut_down(session);
    } else if (login->is_unreached) {
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, WIRE_ER_CONNECT_TO_FOREIGN_DATA_SOURCE,
                     NULL, "weir: the backend %s has not been reached yet; try again",
                     environment->backend ? environment->backend->label : "(any of several)");
    } else if (login->is_too_many) {
        session_fail(session, CLOSE_TOO_MANY, WIRE_ER_CON_COUNT_ERROR, NULL,
                     "Too many connections");
    } else if (login->greeting.size) {
        session_enter(session, SESSION_GREETED);
        send_greeting(session, &login->greeting);
    } else {
        session_set_deadline(session, environment->handshake_timeout_s);
        login->judges_late = session->is_check;
        if (session->is_check)
            login_go_on(session);
        else
            judge(session, WEIR_PRE_CONNECT);
    }
}

void login_begin(struct session *session, const struct session_arrival *arrival)
{
    const struct session_environment *environment = environment_of(session);
    struct login *login = session->login = calloc(1, sizeof *session->login);
    if (!login || !exchange_begin(session)) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    strbuf_init(&login->response);
    strbuf_init(&login->greeting);
    login->peer = arrival->peer;
    login->local = arrival->local;
    login->looks_for_header = true;
    login->takes_header = arrival->takes_proxy_header;
    login->is_unreached = !arrival->version;
    login->is_too_many = arrival->too_many;
    login->is_stopping = arrival->is_stopping;
    login->offered = environment->compression;
    if (environment->offers_tls)
        login->offered |= WIRE_CAP(CLIENT_SSL);
    if (!login->is_unreached && !login->is_too_many && !session->observed.backend_first)
        encode_in_its_place(session, arrival, &login->greeting);
    if (login->greeting.failed)
        session_close(session, CLOSE_NO_MEMORY);
    else if (login->greeting.size && !(login->is_stopping && login->takes_header))
        send_greeting(session, &login->greeting);
    else if (login->takes_header)
        login_await_header(session);
    else
        login_begin_late(session);
}

void login_release(struct session *session)
{
    struct login *login = session->login;
    session->login = NULL;
    if (!login)
        return;
    exchange_release(session);
    strbuf_release(&login->response);
    strbuf_release(&login->greeting);
    free(login);
}

void login_timed_out(struct session *session)
{
    session_fail(session, CLOSE_HANDSHAKE_TIMEOUT, WIRE_ER_NET_READ_INTERRUPTED, NULL,
                 "Got timeout reading communication packets");
}

/* ---- Who the client is ---- */

static void bad_handshake(struct session *session, const char *what)
{
    session_fail(session, CLOSE_CLIENT_PROTOCOL, WIRE_ER_HANDSHAKE_ERROR, NULL, "Bad handshake: %s",
                 what);
}

/* Whether it goes by what was not offered; then the session has failed. */
static bool insists(struct session *session, uint64_t capabilities)
{
    const char *remedy = NULL;
    const char *name = wire_capability_insisted_on(capabilities, session->login->offered, &remedy);
    if (!name)
        return false;
    log_warn("session",
             "the client insists on %s, which is not offered: %s connection=%u client=%s", name,
             remedy, session->observed.id,
             session->observed.client_ip[0] ? session->observed.client_ip : "socket");
    session_fail(session, CLOSE_CLIENT_PROTOCOL, WIRE_ER_HANDSHAKE_ERROR, NULL,
                 "Bad handshake: the client insists on %s, which weir does not offer here: %s",
                 name, remedy);
    return true;
}

static bool is_insecure(const struct session *session)
{
    return environment_of(session)->requires_tls &&
           session->observed.handle.number[WEIR_NUMBER_connection_type] == WEIR_TYPE_TCP;
}

static bool understands(const struct session *session, uint64_t required)
{
    const struct login *login = session->login;
    return (login->hello.capabilities & login->offered & required) == required;
}

/* Returns whether the client understands what it will be sent; if not, the session has failed. */
static bool check_capabilities(struct session *session)
{
    static const char refusal[] = "Client does not support authentication protocol requested by "
                                  "server; consider upgrading MySQL client";
    session->reads_short_errors =
        !(session->login->hello.capabilities & WIRE_CAP(CLIENT_PROTOCOL_41));
    if (!understands(session, REQUIRED_ALWAYS))
        session_fail(session, CLOSE_CLIENT_PROTOCOL, WIRE_ER_NOT_SUPPORTED_AUTH_MODE, NULL, "%s",
                     refusal);
    else if (!session->observed.backend_first && !understands(session, REQUIRED_TO_ASK))
        session_fail(session, CLOSE_CLIENT_PROTOCOL, WIRE_ER_NOT_SUPPORTED_AUTH_MODE, NULL,
                     "%s, or start weir-server with -backend-first or -backend-first-networks",
                     refusal);
    return session_is_open(session);
}

/* Returns whether the client may go on to PreAuth; if not, the session has failed. */
static bool check_response(struct session *session)
{
    struct login *login = session->login;
    if (login->response.failed) {
        session_close(session, CLOSE_NO_MEMORY);
    } else if (!wire_decode_handshake_response((uint8_t *)login->response.data,
                                               login->response.size, &login->hello)) {
        bad_handshake(session, "the handshake response is cut short");
    } else if (!check_capabilities(session)) {
        return false;
    } else if (is_insecure(session)) {
        session_fail(session, CLOSE_CLIENT_PROTOCOL, WIRE_ER_SECURE_TRANSPORT_REQUIRED, NULL,
                     "Connections using insecure transport are prohibited while "
                     "--require_secure_transport=ON.");
    } else if (!identity_set_user(&session->observed, login->hello.user, login->hello.database,
                                  login->hello.attributes, login->hello.charset)) {
        session_close(session, CLOSE_NO_MEMORY);
    } else { /* one that has not asked for TLS goes on without, whatever it says here */
        insists(session, login->hello.capabilities & ~WIRE_CAP(CLIENT_SSL));
    }
    return session_is_open(session);
}

/* The algorithm, if the client has asked for one that was offered; of both, zlib is the one that clients
 * mean. Then it is no matter of the other leg's any more. */
static void take_compression(const struct session *session)
{
    struct login *login = session->login;
    const uint64_t zlib = WIRE_CAP(CLIENT_COMPRESS);
    const uint64_t zstd = WIRE_CAP(CLIENT_ZSTD_COMPRESSION_ALGORITHM);
    const uint64_t agreed = login->hello.capabilities & login->offered;
    const int most = environment_of(session)->zstd_level, asked = login->hello.zstd_level;
    login->client_compression = (struct session_compression){
        .capability = agreed & zlib ? zlib : agreed & zstd,
        .zstd_level = asked >= 1 && asked < most ? asked : most,
        .is_client = true,
    };
    login->hello.capabilities &= ~(zlib | zstd);
}

static void handshake_response(struct session *session, const struct wire_packet *packet)
{
    struct login *login = session->login;
    strbuf_add(&login->response, packet->payload, packet->payload_size);
    session->is_check = false;
    if (!check_response(session))
        return;
    if (login->failure.is_there) {
        const struct login_failure *failure = &login->failure;
        session_fail(session, failure->reason, failure->code,
                     failure->sqlstate[0] ? failure->sqlstate : NULL, "%s", failure->message);
        return;
    }
    take_compression(session);
    login->hello.capabilities &=
        login->offered & ~WIRE_CAP(CLIENT_SSL); /* TLS is of one leg only */
    session->client.capabilities = login->hello.capabilities;
    if (has_plugins(&session->observed))
        login->hello.capabilities |= login->offered & WIRE_CAP(CLIENT_SESSION_TRACK);
    session->backend.capabilities = session->observed.capabilities = login->hello.capabilities;
    session->observed.identity.multi_statements =
        login->hello.capabilities & WIRE_CAP(CLIENT_MULTI_STATEMENTS);
    judge(session, login->judges_late ? WEIR_PRE_CONNECT : WEIR_PRE_AUTH);
}

/* ---- TLS ---- */

bool login_secured(struct session *session)
{
    struct login *login = session->login;
    if (*login->error) {
        log_warn("session", "the TLS handshake failed: %s connection=%u client=%s", login->error,
                 session->observed.id, session->observed.client_ip);
        leg_fail(&session->client, 0); /* nothing can be said to this client any more */
        session_close(session, CLOSE_TLS);
    } else {
        session_enter(session, login->failure.is_there ? SESSION_GREETED_IN_VAIN : SESSION_GREETED);
    }
    return true;
}

size_t login_read_limit(const struct session *session)
{
    const size_t request = WIRE_HEADER_BYTES + WIRE_SSL_REQUEST_BYTES;
    const struct login *login = session->login;
    size_t waiting = leg_input_size(&session->client);
    if (!(login->offered & WIRE_CAP(CLIENT_SSL)) || login->client_bytes >= request)
        return SESSION_READ_BYTES;
    if (login->header_least > waiting) /* and the request after it */
        return login->header_least - waiting + request;
    return waiting < request - login->client_bytes ? request - login->client_bytes - waiting : 0;
}

/* ---- Bytes ---- */

static void client_packet(struct session *session, const struct wire_packet *packet)
{
    leg_set_sequence(&session->client, (uint8_t)(packet->sequence + 1));
    if (packet->kind == WIRE_SSL_REQUEST) {
        if (!insists(session, WIRE_CAP(CLIENT_SSL)))
            session_enter(session, SESSION_SECURING);
    } else if (packet->kind == WIRE_HANDSHAKE_RESPONSE) {
        handshake_response(session, packet);
    } else if (packet->kind == WIRE_AUTH_DATA && leg_is_open(&session->backend)) {
        session->login->backend_is_asked = true;
        exchange_from_client(session, packet);
    } else {
        bad_handshake(session, "a packet that was not asked for");
    }
}

/* One packet, or what there is of it. */
bool login_client_bytes(struct session *session)
{
    struct leg *leg = &session->client;
    if (session->login->looks_for_header)
        return login_read_header(session);
    struct wire_input input = {leg->pos, leg->end};
    struct wire_packet packet;
    enum wire_step step = wire_tracker_next(&session->tracker, WIRE_FROM_CLIENT, &input, &packet);
    size_t done = (size_t)(input.pos - leg->pos);
    session->login->client_bytes += done;
    if (step == WIRE_BROKEN) {
        bad_handshake(session,
                      session->tracker.broken ? session->tracker.broken : "not the MySQL protocol");
        return true;
    }
    tracing_bytes(session, WIRE_FROM_CLIENT, leg->pos, done);
    if (step == WIRE_PACKET)
        client_packet(session, &packet);
    leg_take(leg, done);
    return true;
}
