/* SPDX-License-Identifier: Apache-2.0
 *
 * The insides of a session, shared by the files of this room: its struct, its states, and the
 * functions that everything else stands on (state.c, ending.c).
 *
 * Who calls whom: steps.c runs the handlers of login_*.c, commands.c, replies.c, change_user.c, query.c
 * and local_run.c; these use answers.c and ending.c; nothing calls back up. */
#ifndef WEIR_GATEWAY_SESSION_MACHINE_H
#define WEIR_GATEWAY_SESSION_MACHINE_H

#include <assert.h>

#include "gateway/local/local.h"
#include "gateway/session/session.h"
#include "wire/wire.h"

#define MAY(state) (1U << (state))
#define MAY_END    (MAY(SESSION_ENDING) | MAY(SESSION_CLOSED))

/* The step table. X(enumerator, name,
 *     on the client's bytes, on the backend's bytes, once its wish is fulfilled or a verdict is in,
 *     on the client's end, on the backend's end, on the deadline,
 *     on a drain, wish, states that may follow)
 *
 * A handler returns whether it has done something; then the table is looked at again. NULL: bytes
 * wait, and losses and drains are looked at again in a later state. */
#define SESSION_STATES(X)                                                                          \
    X(SESSION_GREETED, "greeted", /* the client owes its handshake response */                     \
      login_client_bytes, login_backend_bytes, NULL, client_gone, login_backend_lost,              \
      login_timed_out, session_shut_down, 0,                                                       \
      MAY(SESSION_AWAITING_HEADER) | MAY(SESSION_SECURING) | MAY(SESSION_JUDGING_LOGIN) |          \
          MAY(SESSION_CONNECTING) | MAY(SESSION_SECURING_BACKEND) | MAY(SESSION_AUTHENTICATING) |  \
          MAY(SESSION_GREETED_IN_VAIN) | MAY_END)                                                  \
    X(SESSION_GREETED_IN_VAIN,                                                                     \
      "greeted in vain", /* the backend has gone since; its response is answered with why */       \
      login_client_bytes, NULL, NULL, client_gone, NULL, login_timed_out, session_shut_down,       \
      SESSION_CLOSES_BACKEND, MAY(SESSION_SECURING) | MAY_END)                                     \
    X(SESSION_AWAITING_HEADER, "awaiting the PROXY header", /* before it is greeted */             \
      login_header_bytes, NULL, NULL, client_gone, NULL, login_header_timed_out,                   \
      session_shut_down, 0,                                                                        \
      MAY(SESSION_GREETED) | MAY(SESSION_JUDGING_LOGIN) | MAY(SESSION_CONNECTING) | MAY_END)       \
    X(SESSION_SECURING, "securing", /* the TLS handshake */                                        \
      NULL, NULL, login_secured, client_gone, NULL, login_timed_out, session_shut_down,            \
      SESSION_SECURES, MAY(SESSION_GREETED) | MAY(SESSION_GREETED_IN_VAIN) | MAY_END)              \
    X(SESSION_JUDGING_LOGIN,                                                                       \
      "judging the login", /* a plugin answers PreConnect or PreAuth later */                      \
      NULL, NULL, login_judged, client_gone, login_backend_lost, login_timed_out,                  \
      session_shut_down, 0,                                                                        \
      MAY(SESSION_CONNECTING) | MAY(SESSION_SECURING_BACKEND) | MAY(SESSION_AUTHENTICATING) |      \
          MAY_END)                                                                                 \
    X(SESSION_CONNECTING, "connecting", /* the backend's leg is being connected */                 \
      NULL, NULL, login_connected, client_gone, NULL, login_backend_timed_out, session_shut_down,  \
      SESSION_CONNECTS, MAY(SESSION_INTRODUCING) | MAY(SESSION_LEAVING) | MAY_END)                 \
    X(SESSION_LEAVING, "leaving", /* the backend's leg is given up; another one is chosen */       \
      NULL, NULL, login_left, client_gone, NULL, NULL, session_shut_down, SESSION_LEAVES,          \
      MAY(SESSION_CONNECTING) | MAY_END)                                                           \
    X(SESSION_INTRODUCING, "introducing", /* the backend owes its greeting */                      \
      NULL, login_backend_bytes, NULL, client_gone, login_backend_lost, login_backend_timed_out,   \
      session_shut_down, 0,                                                                        \
      MAY(SESSION_GREETED) | MAY(SESSION_SECURING_BACKEND) | MAY(SESSION_AUTHENTICATING) |         \
          MAY(SESSION_LEAVING) | MAY_END)                                                          \
    X(SESSION_SECURING_BACKEND,                                                                    \
      "securing the backend", /* the TLS handshake with it; it must not say anything in plain */   \
      NULL, login_backend_bytes, login_backend_secured, NULL, NULL, login_backend_timed_out, NULL, \
      SESSION_SECURES_BACKEND, MAY(SESSION_AUTHENTICATING) | MAY(SESSION_LEAVING) | MAY_END)       \
    X(SESSION_AUTHENTICATING, "authenticating", /* both exchange authentication packets */         \
      login_client_bytes, login_backend_bytes, NULL, client_gone, login_backend_lost,              \
      login_authentication_timed_out, session_shut_down, 0,                                        \
      MAY(SESSION_QUERYING) | MAY(SESSION_READY) | MAY(SESSION_LEAVING) | MAY_END)                 \
    X(SESSION_READY, "ready", /* the next command may come */                                      \
      command_bytes, reply_bytes, NULL, client_gone, backend_gone, NULL, session_shut_down, 0,     \
      MAY(SESSION_JUDGING) | MAY(SESSION_RUNNING) | MAY(SESSION_CHANGING_USER) |                   \
          MAY(SESSION_QUERYING) | MAY(SESSION_WORKING) | MAY(SESSION_PASSTHROUGH) | MAY_END)       \
    X(SESSION_JUDGING, "judging a command", /* a plugin answers PreParse or Starting later */      \
      NULL, NULL, command_judged, NULL, backend_gone, NULL, NULL, 0,                               \
      MAY(SESSION_READY) | MAY(SESSION_RUNNING) | MAY(SESSION_QUERYING) | MAY(SESSION_WORKING) |   \
          MAY_END)                                                                                 \
    X(SESSION_RUNNING, "running", /* the backend owes a reply */                                   \
      command_data, reply_bytes, NULL, client_gone_while_running, backend_lost_while_running,      \
      limited_timed_out, NULL, SESSION_FINISHES_BACKEND,                                           \
      MAY(SESSION_READY) | MAY(SESSION_QUERYING) | MAY(SESSION_PASSTHROUGH) | MAY_END)             \
    X(SESSION_CHANGING_USER,                                                                       \
      "changing the user", /* COM_CHANGE_USER: authentication packets are exchanged */             \
      change_user_client_bytes, change_user_backend_bytes, NULL, change_user_client_gone,          \
      backend_lost_while_running, limited_timed_out, NULL, 0,                                      \
      MAY(SESSION_READY) | MAY(SESSION_QUERYING) | MAY_END)                                        \
    X(SESSION_QUERYING, "querying", /* the gateway itself runs a statement on the backend */       \
      NULL, query_bytes, NULL, NULL, query_backend_lost, login_timed_out, NULL, 0,                 \
      MAY(SESSION_READY) | MAY(SESSION_RUNNING) | MAY(SESSION_WORKING) |                           \
          MAY(SESSION_TURNED_AWAY) | MAY_END)                                                      \
    X(SESSION_TURNED_AWAY,                                                                         \
      "turned away", /* the backend has refused the next command, whatever it is, and closed */    \
      turned_away_bytes, NULL, NULL, client_gone, NULL, NULL, session_shut_down,                   \
      SESSION_CLOSES_BACKEND, MAY_END)                                                             \
    X(SESSION_WORKING, "working", /* a thread that may block works on a local statement */         \
      NULL, NULL, local_worked, NULL, NULL, NULL, NULL, SESSION_WORKS,                             \
      MAY(SESSION_READY) | MAY(SESSION_RUNNING) | MAY(SESSION_QUERYING) | MAY_END)                 \
    X(SESSION_PASSTHROUGH, "passthrough", /* not understood, and no plugin needs to */             \
      pass_to_backend, pass_to_client, NULL, NULL, backend_gone_in_passthrough, NULL, NULL,        \
      SESSION_FINISHES_BACKEND, MAY_END)                                                           \
    X(SESSION_ENDING, "ending", /* the client reads its last error */                              \
      ending_input, NULL, NULL, client_gone, NULL, ending_timed_out, NULL,                         \
      SESSION_CLOSES_BACKEND | SESSION_FINISHES, MAY(SESSION_CLOSED))                              \
    X(SESSION_CLOSED, "closed", NULL, NULL, NULL, NULL, NULL, linger_timed_out, NULL,              \
      SESSION_IS_OVER, 0)

enum session_state {
#define X(enumerator, name, client, backend, done, client_end, backend_end, deadline, drain, wish, \
          follow)                                                                                  \
    enumerator,
    SESSION_STATES(X)
#undef X
        SESSION_STATE_COUNT
};

struct login;
struct exchange;
struct query;
struct judgement;
struct local_run;
struct trace_session;

#define SESSION_MAGIC 0x73657373U

struct session {
    struct observed observed; /* first: a plugin's handle is this address */
    uint32_t magic;
    enum session_state state;
    enum close_reason reason;
    uint32_t backend_id;
    bool is_check;      /* a balancer looks who answers: no event is given, unless it logs in */
    bool is_announced;  /* Connected was given, so Disconnect is due */
    bool is_registered; /* in the connection id map */
    bool is_looping;    /* session_run() is at work */
    bool is_done;       /* the state's wish is fulfilled, or a verdict is in */
    bool is_drained;    /* end it once the reply that is due is complete */
    bool was_asked;     /* the backend, for the command at the start of the client's input */
    bool still_sends;   /* ending, and more of the client's has come since the deadline was set */
    uint8_t ending_rounds;   /* ... how often that was so */
    bool lingers;            /* closed, but the client has yet to read what it is owed */
    bool reads_short_errors; /* without SQLSTATE: a client of before 4.1 */
    bool has_lost_reply;     /* the reply that the client waits for was dropped (hold.c) */
    bool is_limited;         /* the reply that is due (limits.h) */
    uint64_t limited_rows;   /* rows of it so far */
    bool owes_outcome;       /* a statement has begun, and how it ended is not counted yet */
    bool work_is_out;        /* another thread uses the session's handle: nothing else may happen */
    bool deadline_changed;
    long deadline_ms;

    struct leg client, backend;
    struct wire_tracker tracker; /* of the client's side of the conversation */
    size_t shown;           /* bytes at the start of the backend's input that the tracker has seen:
                              a part of a packet, which is held back until it is whole (replies.c) */
    struct strbuf kept_ok;  /* the OK of a login or COM_CHANGE_USER, until plugins were notified */
    struct strbuf farewell; /* what the backend reads if the session ends before it was told who
                               logs in; see login_backend.c */
    struct strbuf last_words; /* an ERR's payload: what the next command is answered (query.h) */
    void *owner;

    /* What is going on; NULL: it is not. */
    struct login *login;          /* until logged in */
    struct exchange *exchange;    /* of a login, or of a COM_CHANGE_USER */
    struct query *query;          /* state QUERYING */
    struct local_run *local;      /* a statement that the gateway answers */
    struct judgement *judgement;  /* verdicts that plugins owe (hold.c) */
    struct trace_session *trace;  /* not traced */
    struct session_choice choice; /* the backend that it counts for; NULL: none (login_choose.c) */

    unsigned reply_holds; /* holds that plugins have on what the client would read (hold.c) */
    struct plugin_refusal *reply_refusal; /* one of them was not kept; owned */
    struct session_hold *holds_out;       /* all that plugins have, and have not given back */
};

static inline struct session_environment *environment_of(const struct session *session)
{
    return session->observed.environment;
}

/* Whether the backend carries out a command. */
static inline bool session_runs(const struct session *session)
{
    return session->state == SESSION_RUNNING || session->state == SESSION_CHANGING_USER;
}

static inline void session_count(const struct session *session, enum metric metric, int64_t more)
{
    metric_add(&environment_of(session)->metrics, metric, more);
}

/* The statement that the session runs, if it is one, has ended so. Its duration is that of a reply
 * of the backend's, or of a refusal. */
static inline void session_count_outcome(struct session *session, enum metric_outcome outcome)
{
    struct session_environment *environment = environment_of(session);
    const struct command *command = &session->observed.command;
    if (!session->owes_outcome)
        return;
    session->owes_outcome = false;
    metric_add_to(&environment->metrics.statements[command->one.kinds.kind][outcome], 1);
    if (environment->measures && outcome != METRIC_OUTCOME_LOCAL)
        durations_add(&environment->metrics.durations[METRIC_DURATION_STATEMENT],
                      clock_monotonic_ns() - command->started_ns);
}

static inline bool session_is_open(const struct session *session)
{
    return session->state < SESSION_ENDING;
}

/* Whether the backend owes a reply; true during a login. */
static inline bool session_is_owed(const struct session *session)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expected = wire_tracker_expects(&session->tracker, &command);
    return command != WIRE_NO_COMMAND || expected != WIRE_EXPECT_NOTHING;
}

/* Whether a packet answers nothing, and must not pass because plugins would not know of it. A server
 * may say why it closes. */
static inline bool session_is_smuggled(const struct session *session,
                                       const struct wire_packet *packet)
{
    return packet->kind == WIRE_UNSOLICITED && has_plugins(&session->observed) &&
           (packet->payload_size == 0 || packet->payload[0] != 0xff);
}

/* Whether the client's work would be rolled back if the session ended now, as the server has last said. */
static inline bool session_has_transaction(const struct session *session)
{
    return session->tracker.status &
           (WIRE_SERVER_STATUS_IN_TRANS | WIRE_SERVER_STATUS_IN_TRANS_READONLY);
}

static inline void session_check(const struct session *session)
{
    assert(session && session->magic == SESSION_MAGIC);
}

/* What the gateway looks at; rows and definitions are counted by the tracker and passed over. */
#define RELAY_WANTS                                                                                \
    (WIRE_WANT_ALL & ~(WIRE_WANT(WIRE_ROW) | WIRE_WANT(WIRE_COLUMN_DEFINITION) |                   \
                       WIRE_WANT(WIRE_PARAMETER_DEFINITION) | WIRE_WANT(WIRE_COLUMN_COUNT) |       \
                       WIRE_WANT(WIRE_BINLOG_EVENT) | WIRE_WANT(WIRE_PROGRESS)))

/* ---- state.c ---- */

/* The one function that changes the state; asserts that the table allows it. */
void session_enter(struct session *session, enum session_state state);

/* (Re)starts the deadline; 0 stops it. */
void session_set_deadline(struct session *session, long seconds);
void session_set_deadline_ms(struct session *session, long ms);

/* ---- ending.c ---- */

/* Ends the session. A client that waits for an answer reads an ERR packet first, where the protocol
 * has a place for one now. code: of WIRE_ERRORS; sqlstate NULL: the usual one of that error. */
void session_fail(struct session *session, enum close_reason reason, unsigned code,
                  const char *sqlstate, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The same with the message of the plugin that refused or failed. */
void session_fail_refused(struct session *session, enum close_reason reason,
                          const struct plugin_refusal *refusal);

/* A plugin has refused something; by: its name, NULL: the gateway itself has. */
void session_count_refusal(const struct session *session, const char *by);

/* Ends the session; the client is given a while to take what was written. */
void session_linger(struct session *session, enum close_reason reason);
void linger_timed_out(struct session *session);

/* The backend has said why it closes: the client reads its error, and statements that run end with
 * it. */
void session_fail_like_backend(struct session *session, const struct wire_packet *err);

/* Bytes were not understood; the tracker says why. */
void session_fail_broken(struct session *session, enum close_reason reason);

/* Whether the packet is the backend's error that answers no command. */
static inline bool session_is_farewell(const struct wire_packet *packet)
{
    return packet->kind == WIRE_UNSOLICITED && packet->payload_size && packet->payload[0] == 0xff;
}

/* Handlers of the step table: the client reads its last error. */
bool turned_away_bytes(struct session *session);
bool ending_input(struct session *session);
void ending_timed_out(struct session *session);

#endif
