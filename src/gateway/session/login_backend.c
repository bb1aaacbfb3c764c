/* SPDX-License-Identifier: Apache-2.0
 *
 * The backend's part of the login: its greeting, making it ask, relaying what it asks, and its
 * verdict. Its packets are cut and told apart by a tracker of their own, because they are numbered
 * differently from those of the client. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/session/answers.h"
#include "gateway/session/login.h"
#include "gateway/session/query.h"

#define LEAVING_USER "weir-client-has-left" /* no backend knows it */

/* ---- Connecting ---- */

static void tell_who_logs_in(struct session *session);

void login_go_on(struct session *session)
{
    if (leg_is_open(&session->backend))
        tell_who_logs_in(session);
    else
        login_choose(session);
}

static const char *label_of(const struct session *session)
{
    return session->observed.backend->label;
}

/* A client that was greeted has its response on the way: an error before it would be no answer to it, and
 * a connection that closes says nothing. */
void login_fail(struct session *session, enum close_reason reason, unsigned code,
                const char *sqlstate, const char *message)
{
    struct login_failure *failure = &session->login->failure;
    if (session->state != SESSION_GREETED) {
        session_fail(session, reason, code, sqlstate, "%s", message);
        return;
    }
    *failure = (struct login_failure){.is_there = true, .reason = reason, .code = code};
    snprintf(failure->sqlstate, sizeof failure->sqlstate, "%s", sqlstate ? sqlstate : "");
    snprintf(failure->message, sizeof failure->message, "%s", message);
    leg_write(&session->backend, session->farewell.data, session->farewell.size, 0);
    strbuf_reset(&session->farewell);
    session_enter(session, SESSION_GREETED_IN_VAIN);
}

/* Another backend is tried, or the client reads the message. */
static void fail_to_reach(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void fail_to_reach(struct session *session, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (!login_tries_another(session, message))
        login_fail(session, CLOSE_BACKEND_UNREACHABLE, WIRE_ER_CONNECT_TO_FOREIGN_DATA_SOURCE, NULL,
                   message);
}

bool login_connected(struct session *session)
{
    struct login *login = session->login;
    if (*login->error) {
        fail_to_reach(session, "weir: cannot connect to the backend %s: %s", label_of(session),
                      login->error);
        return true;
    }
    if (session->observed.backend->sends_proxy_header) {
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
    const long tenths = (session->login->attempt_ms + 50) / 100;
    fail_to_reach(session, "weir: the backend %s did not answer in %g s", label_of(session),
                  (double)tenths / 10);
}

/* Until the client has been asked for its password, another backend can take the login. */
void login_authentication_timed_out(struct session *session)
{
    const struct login *login = session->login;
    if (!login->client_was_told)
        login_backend_timed_out(session);
    else if (login->backend_is_asked)
        fail_to_reach(session, "weir: the backend %s did not answer the password in %ld s",
                      label_of(session), environment_of(session)->handshake_timeout_s);
    else
        login_timed_out(session);
}

void login_backend_lost(struct session *session)
{
    fail_to_reach(session, "weir: the backend %s closed the connection during the login",
                  label_of(session));
}

/* ---- Compression ---- */

/* What the backend is asked for: zstd, where both have it. */
static uint64_t choose_compression(const struct session *session)
{
    const struct session_environment *environment = environment_of(session);
    struct login *login = session->login;
    const uint64_t both =
        environment->backend_compression & session->exchange->backend.server_capabilities;
    const uint64_t zstd = WIRE_CAP(CLIENT_ZSTD_COMPRESSION_ALGORITHM);
    login->backend_compression = (struct session_compression){
        .capability = both & zstd ? zstd : both, .zstd_level = environment->zstd_level};
    return login->backend_compression.capability;
}

static bool compress_leg(const struct session *session, struct leg *leg,
                         const struct session_compression *wanted)
{
    const struct session_environment *environment = environment_of(session);
    return !wanted->capability ||
           environment->operations->compress(environment->owner, leg, wanted);
}

/* The backend's OK has come: what comes after it is compressed, and after the client's, too. */
static bool begin_compressing(struct session *session)
{
    const struct login *login = session->login;
    if (login->client_compression.capability && leg_input_size(&session->client)) {
        session_fail(session, CLOSE_CLIENT_PROTOCOL, WIRE_ER_NET_PACKETS_OUT_OF_ORDER, NULL,
                     "Got packets out of order: a command before the login has ended");
        return false;
    }
    if (compress_leg(session, &session->backend, &login->backend_compression) &&
        compress_leg(session, &session->client, &login->client_compression))
        return true;
    session_close(session, CLOSE_NO_MEMORY);
    return false;
}

/* ---- The greeting ---- */

static bool secures_backend(const struct session *session)
{
    return session->login->backend_offers_tls &&
           session->observed.backend->security != BACKEND_STAYS_PLAIN;
}

/* The same capabilities on both legs, so that packets can be relayed as they are; but the gateway
 * always wants to know what changes of the session, and TLS and compression are of one leg only. */
static struct wire_handshake_response hello_of(const struct session *session)
{
    struct wire_handshake_response hello = session->login->hello;
    if (secures_backend(session))
        hello.capabilities |= WIRE_CAP(CLIENT_SSL);
    hello.capabilities |= choose_compression(session);
    hello.zstd_level = (uint8_t)environment_of(session)->zstd_level;
    return hello;
}

static void introduce(struct session *session)
{
    const struct session_environment *environment = environment_of(session);
    struct wire_handshake_response hello = hello_of(session);
    struct strbuf packet = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&packet, session->backend.sequence);
    const struct wire_string method =
        hello.plugin.size ? hello.plugin : wire_text(LOGIN_USUAL_PLUGIN);
    if (session->observed.backend_first && password_is_proof(method)) {
        facts_auth_method(&session->observed, method);
        if (!exchange_uses(
                session, method,
                (struct wire_string){session->login->scramble, sizeof session->login->scramble}))
            return;
    } else { /* the backend asks, and what is answered may be relayed or not */
        hello.plugin = wire_text(LOGIN_ASKING_PLUGIN);
        hello.auth_response = wire_text("");
    }
    wire_encode_handshake_response(&writer, &hello);
    strbuf_release(&session->farewell);
    session_enter(session, SESSION_AUTHENTICATING);
    if (session->observed.backend_first) /* else the time for the attempt goes on */
        session_set_deadline(session, environment->handshake_timeout_s);
    session->login->backend_is_asked = true;
    exchange_send_backend(session, &packet);
}

static void request_tls(struct session *session)
{
    const struct session_environment *environment = environment_of(session);
    const struct wire_handshake_response hello = hello_of(session);
    struct login *login = session->login;
    struct strbuf packet = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&packet, session->backend.sequence);
    wire_encode_ssl_request(&writer, &hello);
    strbuf_release(&session->farewell);
    session_enter(session, SESSION_SECURING_BACKEND);
    if (session->observed.backend_first) { /* the time to connect was over with the greeting */
        login->attempt_ms = environment->connect_timeout_s * 1000;
        session_set_deadline_ms(session, login->attempt_ms);
    }
    exchange_send_backend(session, &packet);
}

static void tell_who_logs_in(struct session *session)
{
    if (secures_backend(session))
        request_tls(session);
    else
        introduce(session);
}

bool login_backend_secured(struct session *session)
{
    const struct login *login = session->login;
    if (*login->error) {
        log_warn("session", "TLS with the backend %s failed: %s connection=%u", label_of(session),
                 login->error, session->observed.id);
        fail_to_reach(session, "weir: TLS with the backend %s failed: %s", label_of(session),
                      login->error);
    } else {
        introduce(session);
    }
    return true;
}

/* A backend counts hosts that close the connection during the handshake, and blocks them in the end
 * (max_connect_errors): the gateway's, with all its clients. It does not count those that it denies.
 * So a session that ends too early leaves as a user that nobody knows, with an empty answer to
 * whatever else it is asked. */
static void prepare_farewell(struct session *session, const struct wire_greeting *greeting)
{
    struct wire_writer writer = wire_writer_to(&session->farewell, session->backend.sequence);
    const struct wire_handshake_response hello = {
        .capabilities = greeting->capabilities &
                        (WIRE_CAP(CLIENT_MYSQL) | WIRE_CAP(CLIENT_PROTOCOL_41) |
                         WIRE_CAP(CLIENT_SECURE_CONNECTION) | WIRE_CAP(CLIENT_PLUGIN_AUTH)),
        .max_packet = 1 << 24,
        .charset = WIRE_CHARSET_UTF8MB4,
        .user = wire_text(LEAVING_USER),
        .auth_response = wire_text(""),
        .plugin = greeting->plugin,
    };
    wire_encode_handshake_response(&writer, &hello);
    exchange_frame(&session->farewell, (uint8_t)(writer.sequence + 1), "", 0);
}

/* Without a scramble of 20 bytes there is none that today's clients could answer. */
static void pass_greeting_on(struct session *session, const struct wire_greeting *greeting)
{
    struct wire_greeting passed = *greeting;
    size_t scramble_bytes = greeting->scramble1.size + greeting->scramble2.size;
    if (scramble_bytes < WIRE_SCRAMBLE_BYTES || scramble_bytes > WIRE_SCRAMBLE_MAX) {
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
        return;
    }
    memcpy(session->login->scramble, greeting->scramble1.data, greeting->scramble1.size);
    memcpy(session->login->scramble + greeting->scramble1.size, greeting->scramble2.data,
           WIRE_SCRAMBLE_BYTES - greeting->scramble1.size);
    if (session->observed.id == 0) /* or else the gateway has one for it, as of several backends */
        facts_connection_id(&session->observed, greeting->connection_id);
    passed.connection_id = session->observed.id;
    prepare_farewell(session, greeting);
    session->login->client_was_told = true; /* its scramble */
    session_enter(session, SESSION_GREETED);
    login_greet(session, &passed);
}

/* Whether TLS is demanded of a backend that does not offer it; then that one has failed. */
static bool fails_without_tls(struct session *session)
{
    const struct session_backend *backend = session->observed.backend;
    if (session->login->backend_offers_tls || backend->security != BACKEND_MUST_BE_SECURE)
        return false;
    fail_to_reach(session,
                  "weir: the backend %s does not offer TLS, and -backend-tls %s demands it: give "
                  "that server a certificate, or start weir-server with -backend-tls preferred",
                  backend->label, backend->tls_mode);
    return true;
}

static void greeted(struct session *session, const struct wire_greeting *greeting)
{
    const struct session_environment *environment = environment_of(session);
    if (environment->operations->greeted)
        environment->operations->greeted(environment->owner, session->observed.backend, greeting);
    session->login->backend_offers_tls = greeting->capabilities & WIRE_CAP(CLIENT_SSL);
    if (fails_without_tls(session))
        return;
    if (!session->observed.backend_first &&
        session->login->hello.capabilities & ~greeting->capabilities) {
        fail_to_reach(session, "weir: the backend %s has changed its capabilities; connect again",
                      label_of(session));
        return;
    }
    session->backend_id = greeting->connection_id;
    facts_backend(&session->observed, greeting);
    weir_string version = session->observed.handle.text[WEIR_TEXT_backend_version];
    sql_mode_set_server(&session->observed.identity.mode,
                        (struct sql_span){version.data ? version.data : "", version.size});
    if (session->observed.backend_first)
        pass_greeting_on(session, greeting);
    else
        tell_who_logs_in(session);
}

/* ---- The verdict ---- */

static bool is_before_the_login(const struct session *session)
{
    return session->state == SESSION_INTRODUCING || session->state == SESSION_SECURING_BACKEND;
}

/* As login_fail(): a client that was greeted reads it as the answer to its response. */
static void fail_broken(struct session *session)
{
    const char *broken = session->tracker.broken;
    char message[512];
    if (session->state != SESSION_GREETED) {
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
        return;
    }
    session->tracker.broken = NULL; /* it goes on to read that response */
    snprintf(message, sizeof message,
             "weir: the bytes of the backend %s were not understood (%s); the session is ended",
             label_of(session), broken ? broken : "a packet that answers no command");
    log_warn("session", "%s connection=%u", message, session->observed.id);
    login_fail(session, CLOSE_BACKEND_PROTOCOL, WIRE_ER_CONNECT_TO_FOREIGN_DATA_SOURCE, NULL,
               message);
}

/* The backend's ERR goes to the client as it is; its message is the reason of the Reject. In place of
 * a greeting it may have no SQLSTATE, which is not made up. */
static void refused(struct session *session, const struct wire_packet *packet)
{
    struct wire_err err;
    bool has_sqlstate = packet->payload_size > 3 && packet->payload[3] == '#';
    const bool is_understood = wire_decode_err(packet->payload, packet->payload_size, &err);
    if (is_before_the_login(session) && is_understood) {
        char why[256];
        snprintf(why, sizeof why, "it says: %.*s", (int)err.message.size, err.message.data);
        if (login_tries_another(session, why))
            return;
    }
    if (session->state == SESSION_INTRODUCING && session->observed.backend_first)
        session->reads_short_errors = !has_sqlstate;
    char message[512];
    if (is_understood) {
        snprintf(message, sizeof message, "%.*s", (int)err.message.size, err.message.data);
        login_fail(session, CLOSE_BACKEND_REJECTED, err.code, err.sqlstate, message);
    } else {
        fail_broken(session);
    }
}

/* Whether it is the PROXY header that the backend's packet complains about. Then the login fails with
 * what to do. */
static bool failed_by_header(struct session *session, const uint8_t *payload, size_t size)
{
    struct wire_string said;
    if (!session->observed.backend->sends_proxy_header ||
        !wire_refuses_proxy_header(payload, size, &said))
        return false;
    log_warn("session",
             "the backend does not take the PROXY header: " WIRE_PROXY_REMEDY
             " connection=%u it_says=%s",
             session->observed.id, log_foreign((const char *)said.data, said.size));
    fail_to_reach(session,
                  "weir: the backend %s does not take the PROXY header (%.*s): " WIRE_PROXY_REMEDY,
                  label_of(session), (int)(said.size < 160 ? said.size : 160), said.data);
    return true;
}

/* The complaint comes with a number that does not fit, so that the tracker does not understand it. */
static bool is_broken_by_header(struct session *session)
{
    const struct leg *leg = &session->backend;
    size_t least = 0, whole = wire_packet_whole(leg->pos, leg_input_size(leg), &least);
    return whole > WIRE_HEADER_BYTES && whole < WIRE_FRAME_MAX &&
           failed_by_header(session, leg->pos + WIRE_HEADER_BYTES, whole - WIRE_HEADER_BYTES);
}

static void logged_in(struct session *session)
{
    struct plugin_verdict verdict;
    session_set_deadline(session, 0);
    events_connection(&session->observed, WEIR_CONNECTED, &verdict);
    session_count(session, METRIC_SESSIONS, 1);
    session_count(session, METRIC_SESSIONS_OPEN, 1);
    session->is_announced = true; /* it was given, so Disconnect is due */
    if (verdict.outcome == PLUGIN_REFUSED) {
        session_fail_refused(session, CLOSE_PLUGIN_FAILED, &verdict.refusal);
        return;
    }
    wire_tracker_want(&session->tracker, RELAY_WANTS);
    client_write(session, session->kept_ok.data, session->kept_ok.size, session->tracker.sequence);
    strbuf_release(&session->kept_ok);
    session_enter(session, session->last_words.size ? SESSION_TURNED_AWAY : SESSION_READY);
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
    if (!begin_compressing(session))
        return;
    session_set_deadline(session, environment->handshake_timeout_s); /* of what is left to do */
    if (observed->id != session->backend_id) {
        session->is_registered =
            environment->operations->id_add(environment->owner, observed->id, observed->backend,
                                            session->backend_id, observed->identity.user);
        if (!session->is_registered) {
            session_fail(session, CLOSE_NO_MEMORY, WIRE_ER_OUT_OF_RESOURCES, NULL, "Out of memory");
            return;
        }
    }
    tracking_begin(observed, session->backend.capabilities);
    tracking_result(observed, &session->exchange->backend.result);
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
    if (!session->login->client_was_told)
        session_set_deadline(session, environment_of(session)->handshake_timeout_s);
    session->login->client_was_told = true;
    session->login->backend_is_asked = false;
    if (packet->kind == WIRE_AUTH_SWITCH &&
        wire_decode_auth_switch(packet->payload, packet->payload_size, &request))
        facts_auth_method(&session->observed, request.plugin);
    exchange_from_backend(session, packet);
}

/* What does not even greet may be no server of this protocol. */
static void not_understood(struct session *session)
{
    if (is_before_the_login(session) &&
        login_tries_another(session, "it does not speak the MySQL protocol"))
        return;
    fail_broken(session);
}

static void backend_packet(struct session *session, const struct wire_packet *packet)
{
    struct wire_greeting greeting;
    leg_set_sequence(&session->backend, (uint8_t)(packet->sequence + 1));
    if (packet->total_size > EXCHANGE_PACKET_BYTES) {
        not_understood(session);
        return;
    }
    const bool may_only_refuse =
        session->state == SESSION_GREETED || session->state == SESSION_SECURING_BACKEND;
    if (may_only_refuse && packet->kind != WIRE_ERR && !session_is_farewell(packet)) {
        not_understood(session); /* nobody has logged in yet */
        return;
    }
    switch (packet->kind) {
    case WIRE_GREETING:
        if (wire_decode_greeting(packet->payload, packet->payload_size, &greeting))
            greeted(session, &greeting);
        else
            not_understood(session);
        break;
    case WIRE_ERR:
    case WIRE_UNSOLICITED:
        if (!failed_by_header(session, packet->payload, packet->payload_size))
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
        not_understood(session);
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
        wire_tracker_next(&session->exchange->backend, WIRE_FROM_SERVER, &input, &packet);
    size_t done = (size_t)(input.pos - leg->pos);
    if (step == WIRE_BROKEN && is_broken_by_header(session))
        return true;
    if (step == WIRE_BROKEN) {
        session->tracker.broken = session->exchange->backend.broken;
        not_understood(session);
        return true;
    }
    if (step == WIRE_PACKET)
        backend_packet(session, &packet);
    if (session->state == SESSION_LEAVING)
        return true;
    leg_take(leg, done);
    if (session->is_announced)
        login_release(session);
    return true;
}
