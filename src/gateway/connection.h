/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection: the sockets, the timer and the thread that a session wishes for. It reads bytes and
 * feeds them to the session, flushes its legs, and carries out its wishes; it knows nothing of the
 * protocol. On its worker's thread. */
#ifndef WEIR_GATEWAY_CONNECTION_H
#define WEIR_GATEWAY_CONNECTION_H

#include "gateway/worker.h"

struct connection {
    struct session *session;
    struct leg *client_leg, *backend_leg; /* the session's */
    struct worker *worker;
    struct connection *next, *previous;
    struct net_socket client, backend;
    struct upstream *upstream; /* that it is connected to; pinned. NULL: none yet */
    uv_timer_t *timer;         /* NULL: no deadline is set */
    int handles;               /* libuv handles that are not closed yet */
    bool is_connecting;        /* the backend's socket has no answer to connect() yet */
    bool backend_is_open; /* the loop has the backend's socket, perhaps one that is being closed */
    bool is_leaving;      /* ... and another backend is connected once it has not */
    struct {
        bool is_going_on;         /* the TLS handshake of that side's leg */
        bool writes;              /* ... waits until it can send */
    } securing[2];                /* by enum session_side */
    uint64_t connecting_since_ns; /* monotonic; of the backend's socket */
    uint64_t heard_ms;            /* uv_now(), when the backend last said something */
    bool is_over;                 /* everything is closed or being closed */
    bool is_ready;                /* in worker->ready */
    struct connection *next_ready;
};

/* Takes the socket; the session greets the client. */
void connection_accept(struct worker *worker, const struct arrival *arrival);

/* Filters of its legs have bytes that their sockets do not announce. */
void connection_read_buffered(struct connection *connection);

/* A hold came back through the worker's inbox. */
void connection_hold_returned(struct session_hold *hold);

/* Ends the wait for holds that plugins have had too long. */
void connection_expire_holds(struct connection *connection);

void connection_drain(struct connection *connection);

/* The same if its backend is being drained; if it is lost, the session ends as if the backend had closed its
 * connection. One that is still logging in is left alone: the gateway comes back to it (gateway.c). */
void connection_follow_backend(struct connection *connection);

/* Ends it at once, and drops the holds that plugins have. */
void connection_shut_down(struct connection *connection);
void connection_follow_trace(struct connection *connection);

#endif
