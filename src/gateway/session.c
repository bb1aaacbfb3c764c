/* SPDX-License-Identifier: Apache-2.0
 *
 * A session's states, what its sockets are watched for, and its end. */
#include "gateway/session.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/administration.h"
#include "gateway/answer.h"
#include "gateway/facts.h"
#include "gateway/functions.h"
#include "gateway/hold.h"
#include "gateway/identity.h"
#include "gateway/login.h"
#include "gateway/permission.h"
#include "gateway/prepared.h"
#include "gateway/question.h"
#include "gateway/relay.h"
#include "gateway/statement.h"
#include "gateway/tracing.h"
#include "gateway/variables.h"

#define ENDING_SECONDS 2 /* how long a client may take to read its last error */

#define MAY(state) (1U << (state))

static const struct {
    const char *name;
    unsigned may_follow;
} states[] = {
#define X(enumerator, name, follow) {name, follow},
    SESSION_STATES(X)
#undef X
};

static const struct {
    bool is_error;
    const char *words;
} reasons[] = {
#define X(enumerator, is_error, words) {is_error, words},
    CLOSE_REASONS(X)
#undef X
};

const char *session_state_name(enum session_state state)
{
    return states[state].name;
}

const char *close_reason_words(enum close_reason reason)
{
    return reasons[reason].words;
}

void session_enter(struct session *session, enum session_state state)
{
    if (session->state == state)
        return;
    assert(states[session->state].may_follow & MAY(state));
    session->state = state;
}

/* ---- The beginning ---- */

/* The text of an address; "" for a Unix socket. Returns the port. */
static unsigned describe(const struct sockaddr_storage *address, char text[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    unsigned port = 0;
    text[0] = 0;
    if (address->ss_family == AF_INET) {
        inet_ntop(AF_INET, &v4->sin_addr, text, INET6_ADDRSTRLEN);
        port = ntohs(v4->sin_port);
    } else if (address->ss_family == AF_INET6) {
        port = ntohs(v6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, INET6_ADDRSTRLEN);
        else
            inet_ntop(AF_INET6, &v6->sin6_addr, text, INET6_ADDRSTRLEN);
    }
    return port;
}

static void set_client_address(struct weir_session *facts, const struct sockaddr_storage *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    if (address->ss_family == AF_INET) {
        facts->client_address_size = 4;
        memcpy(facts->client_address, &v4->sin_addr, 4);
    } else if (address->ss_family == AF_INET6) {
        bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
        facts->client_address_size = mapped ? 4 : 16;
        memcpy(facts->client_address, &v6->sin6_addr.s6_addr[mapped ? 12 : 0],
               facts->client_address_size);
    }
}

static void set_connection_facts(struct session *session, const struct arrival *arrival)
{
    struct weir_session *facts = &session->facts;
    struct sockaddr_storage local = {0};
    socklen_t size = sizeof local;
    getsockname(session->client.fd, (struct sockaddr *)&local, &size);
    bool is_unix = arrival->peer.ss_family == AF_UNIX;
    facts->number[WEIR_NUMBER_connection_id] = session->id;
    facts->number[WEIR_NUMBER_connection_type] = is_unix ? WEIR_TYPE_SOCKET : WEIR_TYPE_TCP;
    facts->number[WEIR_NUMBER_connected_at] = clock_wall_ns();
    facts->number[WEIR_NUMBER_client_port] = describe(&arrival->peer, session->client_ip);
    facts->number[WEIR_NUMBER_server_port] = describe(&local, session->server_ip);
    const char *host = is_unix ? "localhost" : session->client_ip;
    const char *backend = upstream_address(session->worker->gateway->upstream);
    facts->text[WEIR_TEXT_host] = (weir_string){host, strlen(host)};
    facts->text[WEIR_TEXT_client_ip] =
        (weir_string){session->client_ip, strlen(session->client_ip)};
    facts->text[WEIR_TEXT_server_ip] =
        (weir_string){session->server_ip, strlen(session->server_ip)};
    facts->text[WEIR_TEXT_backend_address] = (weir_string){backend, strlen(backend)};
    set_client_address(facts, &arrival->peer);
    facts_attach(session);
}

static void link_session(struct worker *worker, struct session *session)
{
    session->worker = worker;
    session->next = worker->sessions;
    if (session->next)
        session->next->previous = session;
    worker->sessions = session;
    atomic_fetch_add(&worker->gateway->connections, 1);
}

void session_accept(struct worker *worker, const struct arrival *arrival)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session) {
        log_error("gateway", "no memory for a new connection; it is closed");
        close(arrival->fd);
        atomic_fetch_sub(&worker->session_count, 1);
        return;
    }
    plugin_session_init(&session->facts, &worker->refusal);
    plugin_session_values_begin(worker->gateway->registry, &session->facts);
    link_session(worker, session);
    stream_init(&session->client);
    stream_init(&session->backend);
    strbuf_init(&session->input);
    strbuf_init(&session->kept_ok);
    strbuf_init(&session->held);
    identity_init(session);
    statement_init(session);
    /* A command is shown to plugins whole. */
    wire_tracker_init(&session->tracker, WIRE_WANT_ALL,
                      (size_t)worker->gateway->options->max_command_bytes);
    session->id = connection_ids_next(worker->gateway->connection_ids);
    session->accepted_ns = clock_monotonic_ns();
    if (stream_open(&session->client, &worker->loop, arrival->fd, session) < 0) {
        close(arrival->fd);
        session_close(session, CLOSE_CLIENT_GONE);
        session_free_if_done(session);
        return;
    }
    session->handles++;
    int yes = 1;
    setsockopt(arrival->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(arrival->fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    set_connection_facts(session, arrival);
    tracing_accept(session);
    login_begin(session);
    session_update_interest(session);
}

/* ---- Sockets ---- */

void session_client_ready(struct session *session)
{
    if (session->state == SESSION_SECURING)
        login_secure(session);
    else if (session->state != SESSION_CLOSED)
        relay_client_readable(session);
    session_update_interest(session);
}

static void on_client_ready(uv_poll_t *poll, int status, int events)
{
    struct session *session = poll->data;
    if (status < 0)
        session->client.failed = true;
    if (events & UV_WRITABLE) {
        stream_flush(&session->client);
        if (session->state == SESSION_ENDING)
            session_finish_sending(session);
    }
    if ((events & UV_READABLE) || status < 0 || session->state == SESSION_SECURING)
        session_client_ready(session);
    else
        session_update_interest(session);
}

static void on_backend_ready(uv_poll_t *poll, int status, int events)
{
    struct session *session = poll->data;
    if (session->state == SESSION_CONNECTING) {
        login_backend_connected(session);
    } else {
        if (status < 0)
            session->backend.failed = true;
        if (events & UV_WRITABLE)
            stream_flush(&session->backend);
        if ((events & UV_READABLE) || status < 0)
            relay_backend_readable(session);
    }
    session_update_interest(session);
}

/* Reads of the client stop while the backend does not take what it was sent, while enough input
 * waits, and once the client has sent its last byte. */
static int client_interest(const struct session *session)
{
    int interest =
        stream_is_clogged(&session->client) || session->client_needs_write ? UV_WRITABLE : 0;
    bool is_full = session->input.size >= READ_BYTES && !relay_needs_more_input(session);
    if (!session->client.ended && !stream_is_clogged(&session->backend) && !is_full)
        interest |= UV_READABLE;
    return interest;
}

static int backend_interest(const struct session *session)
{
    if (session->state == SESSION_CONNECTING)
        return UV_WRITABLE;
    int interest = stream_is_clogged(&session->backend) ? UV_WRITABLE : 0;
    if (!stream_is_clogged(&session->client) && !session_is_held(session))
        interest |= UV_READABLE;
    return interest;
}

void session_update_interest(struct session *session)
{
    if (session->state == SESSION_CLOSED)
        return;
    if (session->work_in_pool) {
        stream_watch(&session->client, 0, on_client_ready);
        stream_watch(&session->backend, 0, on_backend_ready);
        return;
    }
    if (session->client.failed || (session->state == SESSION_ENDING && session->client.ended)) {
        session_close(session, CLOSE_CLIENT_GONE);
        return;
    }
    if (session->backend.failed && session_is_open(session)) {
        relay_backend_lost(session);
        return;
    }
    int interest = client_interest(session);
    stream_watch(&session->client, interest, on_client_ready);
    if ((interest & UV_READABLE) && stream_has_buffered(&session->client))
        worker_again(session->worker, session);
    if (session->backend.watched)
        stream_watch(&session->backend, backend_interest(session), on_backend_ready);
}

/* ---- Time ---- */

static void on_deadline(uv_timer_t *timer)
{
    struct session *session = timer->data;
    if (session->state == SESSION_ENDING)
        session_close(session, session->reason);
    else
        login_timed_out(session);
}

void session_deadline(struct session *session, long seconds)
{
    if (!session->has_timer) {
        uv_timer_init(&session->worker->loop, &session->timer);
        session->timer.data = session;
        session->has_timer = true;
        session->handles++;
    }
    if (seconds)
        uv_timer_start(&session->timer, on_deadline, (uint64_t)seconds * 1000, 0);
    else
        uv_timer_stop(&session->timer);
}

/* ---- The end ---- */

static void free_session(struct session *session)
{
    struct worker *worker = session->worker;
    if (session->previous)
        session->previous->next = session->next;
    else
        worker->sessions = session->next;
    if (session->next)
        session->next->previous = session->previous;
    statement_release(session);
    prepared_release(session);
    identity_release(session);
    login_release(session);
    question_release(session);
    permission_release(session);
    administration_release(session);
    variables_release(session);
    functions_release(session);
    plugin_session_values_end(&session->facts);
    wire_tracker_release(&session->tracker);
    strbuf_release(&session->input);
    strbuf_release(&session->kept_ok);
    strbuf_release(&session->held);
    atomic_fetch_sub(&worker->session_count, 1);
    atomic_fetch_sub(&worker->gateway->connections, 1);
    free(session);
    worker_end_if_done(worker);
}

void session_free_if_done(struct session *session)
{
    if (session->state == SESSION_CLOSED && session->handles == 0 && !session->work_in_pool &&
        !session_is_held(session))
        free_session(session);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct session *session = handle->data;
    session->handles--;
    session_free_if_done(session);
}

static void close_stream(struct stream *stream)
{
    stream_close(stream, on_handle_closed);
}

/* Statements that were begun end as Error, and the connection's last event is given. */
static void tell_plugins_of_the_end(struct session *session)
{
    if (session->state >= SESSION_ENDING)
        return;
    const char *words = reasons[session->reason].words;
    if (!session->facts.text[WEIR_TEXT_reject_reason].data)
        session->facts.text[WEIR_TEXT_reject_reason] = (weir_string){words, strlen(words)};
    statement_lost(session, words);
    statement_forget_facts(session);
    if (session->announced) {
        session->announced = false;
        session_connection_event(session, WEIR_DISCONNECT);
    } else {
        session_connection_event(session, WEIR_REJECT);
    }
    if (session->registered)
        connection_ids_remove(session->worker->gateway->connection_ids, session->id);
    session->registered = false;
}

static void log_the_end(const struct session *session)
{
    if (reasons[session->reason].is_error)
        log_warn("session", "closed: %s connection=%u client=%s user=%s state=%s",
                 reasons[session->reason].words, session->id,
                 session->client_ip[0] ? session->client_ip : "socket",
                 log_foreign(session->user, session->user ? strlen(session->user) : 0),
                 states[session->state].name);
    else
        log_debug("session", "closed: %s connection=%u", reasons[session->reason].words,
                  session->id);
}

static void begin_end(struct session *session, enum close_reason reason)
{
    if (!session_is_open(session))
        return;
    session->reason = reason;
    log_the_end(session);
    tell_plugins_of_the_end(session);
}

void session_close(struct session *session, enum close_reason reason)
{
    if (session->state == SESSION_CLOSED)
        return;
    begin_end(session, reason);
    session_enter(session, SESSION_CLOSED);
    tracing_end(session);
    worker_not_again(session->worker, session);
    close_stream(&session->client);
    close_stream(&session->backend);
    if (session->has_timer)
        uv_close((uv_handle_t *)&session->timer, on_handle_closed);
    session->has_timer = false;
}

/* A socket that is closed with unread input is reset, and the client may never read the error. So
 * the gateway says that it will send no more, and reads on until the client has closed its side,
 * for a moment. */
void session_fail(struct session *session, enum close_reason reason, unsigned code,
                  const char *sqlstate, const char *format, ...)
{
    if (!session_is_open(session))
        return;
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    session->facts.number[WEIR_NUMBER_error_code] = code;
    if (!session->announced)
        session->facts.text[WEIR_TEXT_reject_reason] = (weir_string){message, strlen(message)};
    begin_end(session, reason);
    session->facts.text[WEIR_TEXT_reject_reason] = (weir_string){NULL, 0};
    if (!session->reply_is_split)
        answer_error(session, code, sqlstate, message);
    session_enter(session, SESSION_ENDING);
    close_stream(&session->backend);
    session_deadline(session, ENDING_SECONDS);
    session_finish_sending(session);
}

void session_set_refused_by(struct session *session, const char *plugin)
{
    session->facts.text[WEIR_TEXT_refused_by] = (weir_string){plugin, plugin ? strlen(plugin) : 0};
}

void session_fail_refused(struct session *session, enum close_reason reason)
{
    const struct plugin_refusal refusal = *session->facts.refusal; /* the events may overwrite it */
    session_set_refused_by(session, refusal.by);
    session_fail(session, reason, refusal.code, refusal.sqlstate, "%s", refusal.message);
}

void session_finish_sending(struct session *session)
{
    if (session->client.fd >= 0 && !stream_is_clogged(&session->client) &&
        !session_is_held(session))
        stream_finish(&session->client);
}

void session_drain(struct session *session)
{
    if (!session_is_open(session))
        return;
    if (session->client.ended && !session->work_in_pool) /* it will not read what still
                                                                       runs */
        session_close(session, CLOSE_SHUTDOWN);
    else if (session->state <= SESSION_READY && session->input.size == 0)
        session_fail(session, CLOSE_SHUTDOWN, 1053, "08S01", "Server shutdown in progress");
    else
        session->drain_after_reply = true;
    session_update_interest(session);
}

bool session_connection_event(struct session *session, weir_connection_event event)
{
    struct plugin_registry *registry = session->worker->gateway->registry;
    if (!(plugin_registry_hears(registry) & PLUGIN_HEARS_CONNECTION) && !session->facts.knowing)
        return true;
    return plugin_connection_event(registry, &session->facts, event);
}
