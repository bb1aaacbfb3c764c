/* SPDX-License-Identifier: Apache-2.0
 *
 * How a session ends, once, whatever the cause: outstanding statements end as Error, then
 * Disconnect or Reject is given, then the session is ENDING (the client reads why) or CLOSED. A client
 * that waits for an answer reads why; one that has asked for nothing sees the connection closed. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/session/answers.h"
#include "gateway/session/login.h"
#include "gateway/session/tracing.h"

#define ENDING_SECONDS 2  /* how long a client may take to read its last error */
#define ENDING_ROUNDS  60 /* ... so often, while it still sends: it reads when it has sent all */
#define LINGER_SECONDS 10 /* ... or its last reply */

static const struct {
    bool is_error;
    const char *message;
} reasons[] = {
#define X(enumerator, is_error, message) {is_error, message},
    CLOSE_REASONS(X)
#undef X
};

_Static_assert(sizeof reasons / sizeof *reasons <= METRIC_REASONS, "each reason is counted");

const char *close_reason_message(enum close_reason reason)
{
    return reasons[reason].message;
}

static void log_the_end(const struct session *session)
{
    const struct observed *observed = &session->observed;
    const char *user = observed->identity.user ? observed->identity.user : "";
    if (reasons[session->reason].is_error && !session->is_check)
        log_warn("session", "closed: %s connection=%u client=%s user=%s state=%s",
                 reasons[session->reason].message, observed->id,
                 observed->client_ip[0] ? observed->client_ip : "socket",
                 log_foreign(user, strlen(user)), session_state_name(session));
    else
        log_debug("session", "closed: %s connection=%u", reasons[session->reason].message,
                  observed->id);
}

/* What is known of a statement that the session does not see the end of. */
static const char *known_outcome(const struct session *session)
{
    bool is_dump = wire_command_reply_shape(session->observed.command.code) == WIRE_REPLY_BINLOG;
    if (session_runs(session) && !is_dump) /* which nothing else ends */
        return "; whether it took effect is not known";
    return session->state == SESSION_JUDGING ? "; it was not run" : "";
}

/* Statements that were begun end as Error, and the connection's last event is given. */
static void give_last_events(struct session *session)
{
    struct observed *observed = &session->observed;
    const char *reason = reasons[session->reason].message;
    char message[128];
    struct plugin_verdict verdict;
    if (!facts_has_reject_reason(observed))
        facts_reject_reason(observed, reason);
    snprintf(message, sizeof message, "%s%s", reason, known_outcome(session));
    events_lost(observed, message);
    if (!session->is_check)
        events_connection(observed, session->is_announced ? WEIR_DISCONNECT : WEIR_REJECT,
                          &verdict);
    session->is_announced = false;
    if (session->is_registered)
        environment_of(session)->operations->id_remove(environment_of(session)->owner,
                                                       observed->id);
    session->is_registered = false;
}

static void count_end(struct session *session, enum close_reason reason)
{
    struct metrics *metrics = &environment_of(session)->metrics;
    session_count_outcome(session, METRIC_OUTCOME_LOST);
    if (session->is_announced) {
        session_count(session, METRIC_SESSIONS_OPEN, -1);
        metric_add_to(&metrics->endings[reason], 1);
    } else if (!session->is_check) {
        session_count(session, METRIC_LOGINS_FAILED, 1);
        metric_add_to(&metrics->rejections[reason], 1);
    }
    if (reason == CLOSE_TOO_MANY)
        session_count(session, METRIC_CONNECTIONS_REFUSED, 1);
}

void session_count_refusal(const struct session *session, const char *by)
{
    const struct session_environment *environment = environment_of(session);
    size_t index = PLUGIN_MAX_LOADED;
    for (size_t i = 0; by && i < plugin_count(environment->registry); i++)
        if (plugin_row_at(environment->registry, i).name == by)
            index = i;
    metric_add_to(&environment_of(session)->metrics.refusals[index], 1);
}

static void begin_end(struct session *session, enum close_reason reason)
{
    if (!session_is_open(session))
        return;
    session->reason = reason;
    count_end(session, reason);
    if (!session->farewell.failed)
        leg_write(&session->backend, session->farewell.data, session->farewell.size, 0);
    strbuf_release(&session->farewell);
    login_leave_backend(session);
    log_the_end(session);
    give_last_events(session);
}

void session_close(struct session *session, enum close_reason reason)
{
    session_check(session);
    begin_end(session, reason);
    session_enter(session, SESSION_CLOSED);
    tracing_end(session);
    session->lingers = false;
    session_set_deadline(session, 0);
}

void session_linger(struct session *session, enum close_reason reason)
{
    session_close(session, reason);
    session->lingers = leg_unsent(&session->client) > 0;
    if (session->lingers)
        session_set_deadline(session, LINGER_SECONDS);
}

void linger_timed_out(struct session *session)
{
    session->lingers = false;
}

/* ---- With an error ---- */

/* Nothing is due for the last command, and the next one has not been taken: it is at the start of
 * the client's input, if it has begun to arrive. */
static bool is_between_commands(const struct session *session)
{
    bool takes = session->state == SESSION_READY || session->state == SESSION_JUDGING ||
                 session->state == SESSION_QUERYING || session->state == SESSION_TURNED_AWAY;
    return takes && !session->login && !session->local && !session->kept_ok.size &&
           !session->has_lost_reply;
}

/* Whether the command asks nothing but whether the session lives, and makes it new. The end of the
 * connection is the answer then: a library that reads an ERR takes the connection for a living one,
 * and does not connect again (mysql_ping() with MYSQL_OPT_RECONNECT). */
static bool asks_for_life(uint8_t command)
{
    return command == WIRE_COM_PING || command == WIRE_COM_RESET_CONNECTION;
}

/* Whether the client waits for an answer. An ERR that comes unasked is no help: the client takes it
 * for the answer to what it asks next, and one that looks whether its connection still lives, finds
 * bytes where there would be an end. Servers just close. */
static bool is_asked(const struct session *session, enum close_reason reason)
{
    const struct leg *client = &session->client;
    if (reason == CLOSE_CLIENT_PROTOCOL || reason == CLOSE_TOO_LARGE)
        return true; /* it has just spoken */
    if (session->login)
        return !wire_tracker_expects_client_data(&session->tracker);
    const bool is_gone = reason == CLOSE_BACKEND_GONE;
    if (!is_between_commands(session))
        return session->state != SESSION_PASSTHROUGH &&
               !(is_gone && session->state == SESSION_RUNNING &&
                 asks_for_life(session->observed.command.code));
    if (leg_input_size(client) <= WIRE_HEADER_BYTES)
        return false;
    uint8_t command = client->pos[WIRE_HEADER_BYTES];
    return wire_command_error_place(command) == WIRE_ERROR_IN_REPLY &&
           !(is_gone && asks_for_life(command));
}

/* Whether more of the client's may come before it reads: what is there of its input is not just the
 * command that is answered. */
static bool may_still_send(const struct session *session, enum close_reason reason)
{
    const struct leg *client = &session->client;
    size_t least = 0, command = 0;
    if (reason == CLOSE_CLIENT_PROTOCOL || reason == CLOSE_TOO_LARGE ||
        wire_tracker_expects_client_data(&session->tracker))
        return true;
    if (is_between_commands(session) && leg_input_size(client))
        command = wire_packet_whole(client->pos, leg_input_size(client), &least);
    return leg_input_size(client) != command;
}

/* The client reads nothing of the gateway's own. A backend that has reset its connection has done so
 * on purpose, as a server does after wait_timeout. */
static void hang_up(struct session *session, enum close_reason reason)
{
    if (session->backend.error == ECONNRESET || reason == CLOSE_HANDSHAKE_TIMEOUT)
        leg_break_off(&session->client);
    session_enter(session, SESSION_ENDING);
    session_linger(session, reason);
}

/* A socket that is closed with unread input is reset, and the client may never read the error. So
 * where there may be some the gateway says that it will send no more, and reads on until the client
 * has closed its side, for a moment. Otherwise it closes as a server does, so that the client's next
 * write fails. */
static void say_and_close(struct session *session, enum close_reason reason, unsigned code,
                          const char *sqlstate, const char *message, bool still_sends)
{
    if (!session->client.is_mid_packet)
        answer_error(session, code, sqlstate, message);
    session_enter(session, SESSION_ENDING);
    if (still_sends)
        session_set_deadline(session, ENDING_SECONDS);
    else
        session_linger(session, reason);
}

static void end_with_error(struct session *session, enum close_reason reason, unsigned code,
                           const char *sqlstate, const char *message, bool is_said)
{
    if (!session_is_open(session))
        return;
    const bool still_sends = may_still_send(session, reason);
    facts_error_code(&session->observed, code);
    if (!session->is_announced)
        facts_reject_reason(&session->observed, message);
    begin_end(session, reason);
    facts_reject_reason(&session->observed, NULL);
    if (is_said)
        say_and_close(session, reason, code, sqlstate, message, still_sends);
    else
        hang_up(session, reason);
}

/* The gateway's own error, numbered as the answer to what the client waits for. */
static void end_with_own_error(struct session *session, enum close_reason reason, unsigned code,
                               const char *sqlstate, const char *message)
{
    struct leg *client = &session->client;
    const bool asked = is_asked(session, reason);
    if (asked && is_between_commands(session) && leg_input_size(client) >= WIRE_HEADER_BYTES)
        leg_set_sequence(client,
                         (uint8_t)(wire_packet_number(client->pos, leg_input_size(client)) + 1));
    end_with_error(session, reason, code, sqlstate, message, asked);
}

void session_fail(struct session *session, enum close_reason reason, unsigned code,
                  const char *sqlstate, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    end_with_own_error(session, reason, code, sqlstate, message);
}

void session_fail_refused(struct session *session, enum close_reason reason,
                          const struct plugin_refusal *refusal)
{
    facts_refused_by(&session->observed, refusal->by);
    session_count_refusal(session, refusal->by);
    end_with_own_error(session, reason, refusal->code, refusal->sqlstate, refusal->message);
}

void session_fail_like_backend(struct session *session, const struct wire_packet *err)
{
    struct wire_err said;
    char message[512];
    if (!wire_decode_err(err->payload, err->payload_size, &said)) {
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
        return;
    }
    snprintf(message, sizeof message, "%.*s", (int)said.message.size, said.message.data);
    events_failed(&session->observed, said.code, said.sqlstate, message);
    end_with_error(session, CLOSE_BACKEND_GONE, said.code, said.sqlstate, message, true);
}

bool turned_away_bytes(struct session *session)
{
    struct leg *client = &session->client;
    const struct wire_packet err = {.payload = (const uint8_t *)session->last_words.data,
                                    .payload_size = session->last_words.size};
    if (leg_input_size(client) < WIRE_HEADER_BYTES)
        return false;
    leg_set_sequence(client,
                     (uint8_t)(wire_packet_number(client->pos, leg_input_size(client)) + 1));
    session_fail_like_backend(session, &err);
    return true;
}

/* ---- While the client reads its last error ---- */

bool ending_input(struct session *session)
{
    leg_take(&session->client, leg_input_size(&session->client));
    session->still_sends = true;
    return true;
}

void ending_timed_out(struct session *session)
{
    if (!session->still_sends || session->ending_rounds++ == ENDING_ROUNDS) {
        session_close(session, session->reason);
        return;
    }
    session->still_sends = false;
    session_set_deadline(session, ENDING_SECONDS);
}

/* ---- Other causes ---- */

void session_shut_down(struct session *session)
{
    session_check(session);
    session_fail(session, CLOSE_SHUTDOWN, WIRE_ER_SERVER_SHUTDOWN, NULL,
                 "Server shutdown in progress");
}

void session_fail_broken(struct session *session, enum close_reason reason)
{
    const char *why =
        session->tracker.broken ? session->tracker.broken : "a packet that answers no command";
    log_warn("session", "%s: %s connection=%u state=%s", close_reason_message(reason), why,
             session->observed.id, session_state_name(session));
    if (reason == CLOSE_CLIENT_PROTOCOL)
        session_fail(session, reason, WIRE_ER_NET_PACKETS_OUT_OF_ORDER, NULL,
                     "Got packets out of order: %s", why);
    else
        session_fail(
            session, reason,
            session->login ? WIRE_ER_CONNECT_TO_FOREIGN_DATA_SOURCE : WIRE_ER_CONNECTION_KILLED,
            NULL,
            "weir: the bytes of the backend %s were not understood (%s); the session is ended",
            session->observed.backend->label, why);
}
