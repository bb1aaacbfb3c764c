/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in, in one of two orders.
 *
 * As a rule the gateway greets the client with the backend's version and capabilities; once the
 * client has said who it is, plugins judge it (PreAuth), and only then the backend is connected. The gateway's handshake
 * response names an authentication plugin that no account has, so that the backend itself asks with
 * an AuthSwitchRequest for the account's real plugin and a fresh scramble; that one goes to the
 * client, and the exchange goes on packet by packet until OK or ERR. The gateway never knows a
 * password.
 *
 * With environment->backend_first plugins judge the client's address alone (PreConnect), the backend
 * is connected, and the client reads the backend's own greeting: its connection id (of several backends
 * the gateway's, since two may count alike), its scramble, and its capabilities, as far as they can be
 * relayed. So the client's answer is one to the backend, which
 * reads it once PreAuth has passed. Nothing needs to ask again, and clients need not understand that.
 *
 * A balancer may say in a PROXY header who the client is (login_proxy.c).
 *
 * With the backend, TLS begins once it is to be told who logs in: servers go by the capabilities of the
 * request for TLS, and these are the client's. */
#ifndef WEIR_GATEWAY_SESSION_LOGIN_H
#define WEIR_GATEWAY_SESSION_LOGIN_H

#include "gateway/session/exchange.h"
#include "gateway/session/machine.h"

/* What the gateway itself greets with, and what clients mean that name none. */
#define LOGIN_USUAL_PLUGIN "mysql_native_password"

#define LOGIN_ASKING_PLUGIN "weir_ask_the_account" /* no account has it: the backend asks */

/* The backend has failed after its greeting was passed on: what the client's response is answered with. */
struct login_failure {
    bool is_there;
    enum close_reason reason;
    unsigned code;
    char sqlstate[6]; /* "": the usual one of that error */
    char message[512];
};

/* What a session needs until it has logged in. */
struct login {
    uint64_t offered;       /* capabilities of the greeting */
    struct strbuf response; /* payload of the handshake response; what is decoded points into it */
    struct wire_handshake_response hello;
    struct sockaddr_storage peer, local; /* of the client */
    size_t client_bytes;                 /* read so far, less the PROXY header */
    bool looks_for_header;               /* the first bytes have not been looked at */
    bool takes_header;                   /* one may come */
    bool header_is_late;                 /* ... but not any more */
    bool is_unreached, is_too_many;      /* an error takes the place of the greeting */
    bool is_stopping;                    /* ... and of a balancer's check */
    struct strbuf greeting;              /* that waits for the header; empty: none does */
    bool judges_late;                    /* PreConnect is due together with PreAuth */
    struct session_compression client_compression, backend_compression; /* capability 0: none */
    size_t header_least;        /* the header has begun: its bytes, at least; or 0 */
    struct session_choice next; /* the backend that is tried after the one that is left */
    uint32_t tried;             /* bits: backends that have failed this login (login_choose.c) */
    uint8_t failures[SESSION_BACKENDS_MOST]; /* of each backend's addresses, in this login */
    unsigned attempts;                       /* so far */
    uint64_t connect_until; /* monotonic ns: when the time for all attempts is over */
    long attempt_ms;        /* how much of it this one has */
    bool client_was_told; /* the client has read something of a backend: there is no other for it */
    bool backend_is_asked; /* authenticating, and it is the backend's turn */
    char error[256];       /* of the wish that failed; "": it was fulfilled */
    struct login_failure failure;
    bool backend_offers_tls;
    char scramble[WIRE_SCRAMBLE_BYTES]; /* of the backend's greeting */
};

/* Greets. */
void login_begin(struct session *session, const struct session_arrival *arrival);

/* How many bytes of the client may be read now: what follows an SSL request belongs to TLS. 0: those
 * that are here have to be dealt with first. session->login must be set. */
size_t login_read_limit(const struct session *session);

/* Greets the client as this greeting says, less what cannot be relayed. */
void login_greet(struct session *session, const struct wire_greeting *greeting);

/* Reads the header at the start of the client's input, or sees that there is none. false: that cannot
 * be said yet. The session may have failed. */
bool login_read_header(struct session *session);

/* Whether a header may still be read of a client that takes nothing: a balancer's check has left before it was
 * greeted, and has said that it is one. */
bool login_header_is_awaited(const struct session *session);

/* Waits for the header for a moment; then the login begins (login_begin_late()). */
void login_await_header(struct session *session);

/* Begins a login that does not begin with a greeting at once. */
void login_begin_late(struct session *session);

/* Plugins have passed what is known of the client: the backend is to be connected, or to be told. */
void login_go_on(struct session *session);

/* The login has failed. The client reads why as the answer to what it has sent, or to the response that it owes. */
void login_fail(struct session *session, enum close_reason reason, unsigned code,
                const char *sqlstate, const char *message);

void login_release(struct session *session);

/* ---- login_choose.c ---- */

/* Chooses a backend and has it connected. */
void login_choose(struct session *session);

/* The backend has failed before the login was over; why: for people. Returns whether another one is
 * tried, which nobody notices; if not, the session is to be ended. */
WEIR_MUST_CHECK bool login_tries_another(struct session *session, const char *why);

/* The session counts for its backend no more. Once, at its end; does nothing if it has none. */
void login_leave_backend(struct session *session);

/* ---- Handlers of the step table ---- */

bool login_client_bytes(struct session *session);
bool login_header_bytes(struct session *session);
void login_header_timed_out(struct session *session);
bool login_secured(struct session *session);
bool login_judged(struct session *session);
bool login_connected(struct session *session);
bool login_left(struct session *session);
bool login_backend_secured(struct session *session);
bool login_backend_bytes(struct session *session);
void login_backend_lost(struct session *session);
void login_timed_out(struct session *session);
void login_backend_timed_out(struct session *session);
void login_authentication_timed_out(struct session *session);

#endif
