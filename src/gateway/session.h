/* SPDX-License-Identifier: Apache-2.0
 *
 * A session: one client, one backend connection, and what is going on between them.
 *
 * Everything here belongs to one worker's thread. A session ends through session_close() only,
 * which may be called from anywhere, any number of times; its memory goes when the loop has let go
 * of its last handle, so no caller needs to ask whether the session still exists, only whether it
 * is open (session_is_open()). */
#ifndef WEIR_GATEWAY_SESSION_H
#define WEIR_GATEWAY_SESSION_H

#include "gateway/stream.h"
#include "gateway/worker.h"
#include "plugin/plugin.h"
#include "sql/sql.h"
#include "wire/wire.h"

/* X(enumerator, name, states that may follow): see session_enter(). */
#define SESSION_STATES(X)                                                                          \
    X(SESSION_GREETED, "greeted", /* the client owes its handshake response */                     \
      MAY(SESSION_SECURING) | MAY(SESSION_CONNECTING) | MAY(SESSION_ENDING) | MAY(SESSION_CLOSED)) \
    X(SESSION_SECURING, "securing", /* the TLS handshake */                                        \
      MAY(SESSION_GREETED) | MAY(SESSION_ENDING) | MAY(SESSION_CLOSED))                            \
    X(SESSION_CONNECTING, "connecting", /* the backend's socket is being connected */              \
      MAY(SESSION_INTRODUCING) | MAY(SESSION_ENDING) | MAY(SESSION_CLOSED))                        \
    X(SESSION_INTRODUCING, "introducing", /* the backend owes its greeting */                      \
      MAY(SESSION_AUTHENTICATING) | MAY(SESSION_ENDING) | MAY(SESSION_CLOSED))                     \
    X(SESSION_AUTHENTICATING, "authenticating", /* the backend and the client are at it */         \
      MAY(SESSION_ASKING) | MAY(SESSION_READY) | MAY(SESSION_ENDING) | MAY(SESSION_CLOSED))        \
    X(SESSION_READY, "ready", /* the next command may come */                                      \
      MAY(SESSION_RUNNING) | MAY(SESSION_ASKING) | MAY(SESSION_ADMINISTERING) |                    \
          MAY(SESSION_BLIND) | MAY(SESSION_ENDING) | MAY(SESSION_CLOSED))                          \
    X(SESSION_RUNNING, "running", /* the backend owes a reply */                                   \
      MAY(SESSION_READY) | MAY(SESSION_ASKING) | MAY(SESSION_BLIND) | MAY(SESSION_ENDING) |        \
          MAY(SESSION_CLOSED))                                                                     \
    X(SESSION_BLIND, "blind", /* not understood, and nobody needs to: bytes pass as they are */    \
      MAY(SESSION_ENDING) | MAY(SESSION_CLOSED))                                                   \
    X(SESSION_ASKING, "asking", /* the gateway itself asks the backend (question.c) */             \
      MAY(SESSION_READY) | MAY(SESSION_ADMINISTERING) | MAY(SESSION_ENDING) | MAY(SESSION_CLOSED)) \
    X(SESSION_ADMINISTERING, "administering", /* a thread of the pool works on a statement */      \
      MAY(SESSION_READY) | MAY(SESSION_ENDING) | MAY(SESSION_CLOSED))                              \
    X(SESSION_ENDING, "ending", /* the client reads its last error */ MAY(SESSION_CLOSED))         \
    X(SESSION_CLOSED, "closed", 0)

enum session_state {
#define X(enumerator, name, follow) enumerator,
    SESSION_STATES(X)
#undef X
};

/* X(enumerator, is it an error, words): why sessions end. */
#define CLOSE_REASONS(X)                                                                           \
    X(CLOSE_QUIT, false, "the client said goodbye")                                                \
    X(CLOSE_CLIENT_GONE, false, "the client closed the connection")                                \
    X(CLOSE_HANDSHAKE_TIMEOUT, true, "the client did not log in in time")                          \
    X(CLOSE_TLS, true, "the TLS handshake failed")                                                 \
    X(CLOSE_CLIENT_PROTOCOL, true, "the client does not speak the protocol")                       \
    X(CLOSE_TOO_LARGE, true, "the client sent a command larger than max-command-bytes")            \
    X(CLOSE_REFUSED, false, "a plugin refused")                                                    \
    X(CLOSE_PLUGIN_FAILED, true, "a plugin could not do its work")                                 \
    X(CLOSE_BACKEND_REJECTED, false, "the backend refused the login")                              \
    X(CLOSE_BACKEND_UNREACHABLE, true, "the backend cannot be reached")                            \
    X(CLOSE_BACKEND_GONE, true, "the backend closed the connection")                               \
    X(CLOSE_BACKEND_PROTOCOL, true, "the backend's bytes were not understood")                     \
    X(CLOSE_TOO_MANY, true, "max-connections is reached")                                          \
    X(CLOSE_NO_MEMORY, true, "there is no memory")                                                 \
    X(CLOSE_SHUTDOWN, false, "the gateway is shutting down")

enum close_reason {
#define X(enumerator, is_error, words) enumerator,
    CLOSE_REASONS(X)
#undef X
};

struct login;
struct trace_session;
struct question;
struct change_of_user;
struct computed_facts;
struct prepared;
struct administration;
struct setting_job;
struct merge;

#define STALE_ACCOUNT 1U
#define STALE_MODE    2U

/* A statement of the command that is being dealt with. */
struct statement {
    const char *text; /* in run.text, or in the prepared statement */
    size_t size;
    struct sql_kinds kinds;
    struct sql_mode mode; /* that it is lexed in: a SET in front of it in the same text counts */
};

/* The command that is being dealt with, as plugins see it (statement.c). */
struct run {
    bool out_of_memory; /* the command could not be kept: it must be refused */
    bool heard;         /* its Starting events have been given; Completed or Error are due */
    uint8_t command;
    struct strbuf text;      /* the command's text, kept until it ends */
    struct strbuf arguments; /* payload of an Execute, for its parameters */
    struct statement one;    /* the usual case */
    struct statement *many;  /* a multi-statement text; NULL: `one` */
    size_t count, current;
    uint64_t first_number; /* statement_number of the first */
    uint64_t started_wall_ns, started_ns;
    uint64_t bytes_before; /* bytes of the reply that belong to statements before the current one */
    uint64_t rows_before;  /* rows of earlier results of the current statement (CALL) */
    struct prepared *prepared;    /* of an Execute, Fetch ...: borrowed from the session's map */
    struct computed_facts *facts; /* of the current statement; NULL until asked for (facts.c) */
};

struct session {
    struct weir_session facts; /* what plugins see; first, so that their handle is this address */
    struct worker *worker;
    struct session *next, *previous;

    enum session_state state;
    enum close_reason reason;
    uint32_t id; /* the gateway's connection id: top bit set */
    uint32_t backend_id;
    bool announced;    /* Connected was given, so Disconnect is due */
    bool registered;   /* in the connection id map */
    bool work_in_pool; /* a thread of the pool calls plugins with the session (pool.c): do not free,
                          and until it has ended nothing else may happen, or plugins would hear of
                          two things at once */
    bool drain_after_reply;
    bool user_has_changed; /* the backend has agreed to a COM_CHANGE_USER; see relay_backend.c */
    int handles;           /* libuv handles that are not closed yet */
    uint64_t accepted_ns;

    struct stream client, backend;
    bool client_needs_write; /* the TLS handshake waits until it can send */
    bool is_again;           /* in worker->again */
    struct session *next_again;
    uv_timer_t timer; /* deadline of login and of ending */
    bool has_timer;
    struct wire_tracker tracker; /* of the client's side of the conversation */
    struct strbuf kept_ok; /* the OK of a login or COM_CHANGE_USER, until plugins have been told */
    unsigned holds;        /* promises of plugins that are out (hold.c) */
    const char *hold_failed_by;  /* one of them was not kept */
    struct strbuf held;          /* what the client will read when the last one is back */
    uint8_t held_sequence;       /* sequence number of the first packet of that reply's rest */
    struct trace_session *trace; /* NULL: not traced (tracing.c) */
    struct strbuf input;         /* client bytes that wait: half commands, pipelined commands */
    uint8_t reply_sequence;      /* sequence number that the next packet to the client would have */
    bool reply_is_split;         /* the client has been sent a part of a packet */

    struct login *login;           /* until logged in */
    struct question *question;     /* while ASKING */
    struct permission *permission; /* while it is asked for (permission.c) */
    struct administration *administration;
    struct setting_job *setting; /* a SET of plugins' variables (variables_set.c) */
    struct merge *merge;         /* a SHOW VARIABLES (variables_show.c) */
    struct calling *calling;     /* a SELECT of plugins' functions (functions.c) */

    /* identity.c */
    char *user, *attributes;
    struct strbuf database, current_user, current_role;
    unsigned stale;                /* STALE_*: to be asked of the backend before the next event */
    struct change_of_user *change; /* a COM_CHANGE_USER that has no answer yet */
    struct sql_mode mode;          /* how the session's statements are lexed */
    bool multi_statements;         /* a text may hold several */
    bool multi_asked;              /* what the COM_SET_OPTION that is running wants of it */

    struct run run;
    struct prepared *prepared;      /* map by id */
    struct prepared *last_prepared; /* for statement id -1 */
    size_t prepared_bytes;
    bool prepare_refused; /* the last Prepare never reached the backend, whose "last" is an older
                             one */
    uint64_t statements;  /* statement_number so far */

    char client_ip[46], server_ip[46]; /* text; empty for a Unix socket */
    char auth_method[65];
    char backend_version[128];
};

/* Takes the socket; greets the client. */
void session_accept(struct worker *worker, const struct arrival *arrival);

/* The one function that changes the state; asserts that the table allows it. */
void session_enter(struct session *session, enum session_state state);

const char *session_state_name(enum session_state state);
const char *close_reason_words(enum close_reason reason);

static inline bool session_is_open(const struct session *session)
{
    return session->state < SESSION_ENDING;
}

/* Ends the session: outstanding statements end as Error, Disconnect or Reject is given, both
 * sockets are closed. */
void session_close(struct session *session, enum close_reason reason);

/* The same, and the client reads an ERR packet first, when the protocol has a place for one now. */
void session_fail(struct session *session, enum close_reason reason, unsigned code,
                  const char *sqlstate, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* There may be input of the client: deals with it, whatever the state. */
void session_client_ready(struct session *session);

/* Frees a closed session once nothing holds it any more. */
void session_free_if_done(struct session *session);

/* Watches both sockets for what the state allows. Called after every step. */
void session_update_interest(struct session *session);

/* The fact refused_by, for the events that follow; NULL: nobody. */
void session_set_refused_by(struct session *session, const char *plugin);

/* The same with the words of the plugin that refused or failed (facts.refusal). */
void session_fail_refused(struct session *session, enum close_reason reason);

/* Says that the gateway will send no more, once the client can be told. State ENDING. */
void session_finish_sending(struct session *session);

/* (Re)starts the deadline, in seconds; 0 stops it. */
void session_deadline(struct session *session, long seconds);

/* Ends idle sessions at once and the others after their reply, when the gateway is draining. */
void session_drain(struct session *session);

/* Tells the plugins of a connection event. false: refused (facts.refusal_* say why). */
bool session_connection_event(struct session *session, weir_connection_event event);

#endif
