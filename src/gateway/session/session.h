/* SPDX-License-Identifier: Apache-2.0
 *
 * session: one client's conversation with one backend, as a machine without I/O.
 *
 * It is fed bytes of either side, lost sides, passed deadlines, and verdicts that come late; what it
 * wants to write lies on its two legs, and session_wishes() says what it waits for. A test plays
 * both sides in memory; the gateway's connections (connection.c) carry out what it wishes.
 *
 *     struct session *session = session_new(environment, &arrival, filter);
 *     loop:  session_receive() | session_connected() | session_deadline_passed() ...
 *            leg_flush() both legs; if a leg has failed or ended: session_run()
 *            session_wishes() ── read, connect, secure, work, over ...
 *     session_free()
 *
 * What happens in which state is one table (steps.c), and one loop runs it: no function of this room
 * calls the loop, so that a caller of session_enter(), session_fail() or session_close() knows that
 * the session is still there when it returns.
 *
 * Everything belongs to one thread, but for session_work(). */
#ifndef WEIR_GATEWAY_SESSION_SESSION_H
#define WEIR_GATEWAY_SESSION_SESSION_H

#include <sys/socket.h>

#include "gateway/leg/leg.h"
#include "gateway/statement/statement.h"

#define SESSION_READ_BYTES 65536 /* one read; fits the second-level cache of today's cores */

struct session;

/* X(enumerator, is it an error, message): why sessions end. */
#define CLOSE_REASONS(X)                                                                           \
    X(CLOSE_QUIT, false, "the client said goodbye")                                                \
    X(CLOSE_CLIENT_GONE, false, "the client closed the connection")                                \
    X(CLOSE_HANDSHAKE_TIMEOUT, true, "the client did not log in in time")                          \
    X(CLOSE_TLS, true, "the TLS handshake failed")                                                 \
    X(CLOSE_CLIENT_PROTOCOL, true, "the client does not speak the protocol")                       \
    X(CLOSE_TOO_LARGE, true, "the client sent a command larger than max-command-bytes")            \
    X(CLOSE_REFUSED, false, "a plugin refused")                                                    \
    X(CLOSE_LIMITED, false, "its reply went beyond a plugin's limit")                              \
    X(CLOSE_PLUGIN_FAILED, true, "a plugin could not do its work")                                 \
    X(CLOSE_BACKEND_REJECTED, false, "the backend refused the login")                              \
    X(CLOSE_BACKEND_UNREACHABLE, true, "the backend cannot be reached")                            \
    X(CLOSE_INSECURE, true, "a password would have been sent without encryption")                  \
    X(CLOSE_BACKEND_GONE, true, "the backend closed the connection")                               \
    X(CLOSE_BACKEND_PROTOCOL, true, "the backend's bytes were not understood")                     \
    X(CLOSE_TOO_MANY, true, "max-connections is reached")                                          \
    X(CLOSE_NO_MEMORY, true, "there is no memory")                                                 \
    X(CLOSE_SHUTDOWN, false, "the gateway is shutting down")

enum close_reason {
#define X(enumerator, is_error, message) enumerator,
    CLOSE_REASONS(X)
#undef X
};

enum session_side { SESSION_CLIENT, SESSION_BACKEND };

/* A client that has connected. Everything is borrowed for the call. */
struct session_arrival {
    uint32_t id; /* the gateway's connection id; 0: it is the backend's, and not known yet */
    struct client_address address;
    struct sockaddr_storage peer, local; /* for the PROXY header */
    bool takes_proxy_header;             /* it may be a balancer that sends one */
    bool is_stopping;   /* the gateway still serves, but balancers' checks are to fail */
    bool backend_first; /* the backend is connected before the client is greeted, as it greets */
    char scramble[WIRE_SCRAMBLE_BYTES]; /* fresh random bytes, printable */
    bool too_many;                      /* max-connections is reached */
    /* What the backend's greeting has said; version NULL: it was not reached yet. */
    const char *version;
    uint64_t capabilities;
    uint8_t charset;
};

/* X(enumerator, bit): what the session waits for. */
#define SESSION_WISHES(X)                                                                          \
    X(SESSION_READS_CLIENT, 0) /* session_receive() of that side */                                \
    X(SESSION_READS_BACKEND, 1)                                                                    \
    X(SESSION_CONNECTS, 2) /* open the backend's leg, then session_connected() */                  \
    X(SESSION_SECURES, 3)  /* begin TLS on the client's leg, then session_secured() */             \
    X(SESSION_WORKS, 4)    /* session_begin_work(), session_work() on a thread that may     \
                                     block, then session_worked() */      \
    X(SESSION_CLOSES_BACKEND, 5)   /* the backend's leg is not needed any more */                  \
    X(SESSION_FINISHES, 6)         /* leg_finish() the client's leg */                             \
    X(SESSION_SETS_DEADLINE, 7)    /* session_take_deadline() */                                   \
    X(SESSION_IS_OVER, 8)          /* flush and close both legs, then session_free() */            \
    X(SESSION_FINISHES_BACKEND, 9) /* leg_finish() the backend's leg */                            \
    X(SESSION_LEAVES,                                                                              \
      10) /* close the backend's leg, whatever is going on with it, and then       \
                                      session_left() */               \
    X(SESSION_SECURES_BACKEND, 11) /* begin TLS on the backend's leg, then session_secured() */

enum session_wish {
#define X(enumerator, bit) enumerator = 1U << (bit),
    SESSION_WISHES(X)
#undef X
};

/* Begins a session and pushes the filter on its client's leg; the greeting is the leg's output.
 * Returns owned; NULL: no memory, and the filter is still the caller's. */
WEIR_MUST_CHECK struct session *session_new(struct session_environment *environment,
                                            const struct session_arrival *arrival,
                                            struct filter *client);

/* The session must be over, and session_may_be_freed(). */
void session_free(struct session *session);
bool session_may_be_freed(const struct session *session); /* plugins may still have holds */

struct leg *session_leg(struct session *session, enum session_side side);

/* What it waits for: bits of enum session_wish. */
unsigned session_wishes(const struct session *session);

/* The deadline that was set last: milliseconds from now; 0: none. */
long session_take_deadline(struct session *session);

/* Where the next bytes of a side are to be read to, and how many at most: *bytes is the caller's
 * own buffer of SESSION_READ_BYTES, and replaced where the session has a better place. */
size_t session_read_room(struct session *session, enum session_side side, uint8_t **bytes);

/* Bytes have come. What the legs borrow points into them until leg_flush(). */
void session_receive(struct session *session, enum session_side side, const uint8_t *bytes,
                     size_t size);

/* Does what can be done: after a leg has ended, failed, or got rid of its output. */
void session_run(struct session *session);

/* The wish is fulfilled. error NULL: success; otherwise why not (borrowed). */
void session_connected(struct session *session, const char *error);
void session_left(struct session *session);
void session_secured(struct session *session, enum session_side side,
                     const struct tls_agreement *agreement, const char *error);
void session_begin_work(
    struct session *session);               /* nothing else may happen until session_worked() */
void session_work(struct session *session); /* on another thread */
void session_worked(struct session *session, bool cancelled);

void session_deadline_passed(struct session *session);

/* A plugin has given a hold back; came through environment->operations->hold_is_back(). Takes the
 * hold. Returns the session, which may be over by now, or free for session_free(). */
struct session *session_hold_returned(struct session_hold *hold);

/* Plugins that have had a hold for hold_timeout_s have failed: their on_failure decides, and what
 * they answer later changes nothing. Returns whether there was one: session_run() is due. */
bool session_expire_holds(struct session *session, uint64_t now_ns);

/* The same at once, of a session that has ended: the gateway itself ends. */
void session_drop_holds(struct session *session);

/* The session of a hold that is on its way back. Any thread. */
struct session *session_of_hold(const struct session_hold *hold);
struct session_hold **session_hold_next(struct session_hold *hold); /* for the way's own list */

/* Ends an idle session at once, a busy one after its reply, and one with a transaction once that has
 * ended: the gateway is draining. */
void session_drain(struct session *session);

/* Whether its end now would cut off a statement that the backend runs, or a transaction. */
bool session_would_be_cut_off(const struct session *session);

/* Ends it, as busy as it is: a client that waits for an answer reads why. */
void session_shut_down(struct session *session);

/* Ends it now; the client reads no error. */
void session_close(struct session *session, enum close_reason reason);

/* For tracing: ends it for sessions that are no longer wanted. */
void session_follow_trace(struct session *session);

/* For logs and tests. */
/* What a session does. Texts are borrowed until it goes on; "": not known, or none. */
struct session_description {
    uint32_t id;
    const char *user, *host, *database, *command, *state;
    uint64_t since_ns;             /* monotonic; 0: not known */
    char digest[SQL_DIGEST_BYTES]; /* of the statement that runs */
    struct sql_span text; /* normalized; borrowed until the environment's digester is used again */
};

/* Returns false for one that is not worth listing: it is over, or only looks whether somebody answers. */
WEIR_MUST_CHECK bool session_describe(struct session *session,
                                      struct session_description *description);

const char *session_state_name(const struct session *session);
enum close_reason session_close_reason(const struct session *session);
const char *close_reason_message(enum close_reason reason);

/* Where the gateway keeps what is its own (connection.c). */
void session_set_owner(struct session *session, void *owner);
void *session_owner(const struct session *session);

/* The backend's own id of it; 0: not known. */
uint32_t session_backend_id(const struct session *session);

/* The one that it is to be connected to, or is; NULL: none was chosen yet. Constant. */
const struct session_backend *session_backend(const struct session *session);

/* Whether Connected was given, and Disconnect was not. */
bool session_has_logged_in(const struct session *session);

/* The id that the client was told. */
uint32_t session_connection_id(const struct session *session);

#endif
