/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker: one thread, one event loop, its sessions, and the buffer into which all of them read.
 *
 * The main thread hands over accepted sockets through a small locked inbox; nothing else of a
 * worker is touched from outside but its atomics. */
#ifndef WEIR_GATEWAY_WORKER_H
#define WEIR_GATEWAY_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "gateway/gateway.h"
#include "gateway/upstream/upstream.h"
#include "sql/sql.h"

#define READ_BYTES 65536 /* one read; fits the second-level cache of today's cores */

struct session;
struct trace_host;
struct tls_context;

/* What all workers share. Set up before they start; immutable but for atomics. */
struct gateway {
    const struct gateway_options *options;
    struct plugin_registry *registry;
    struct upstream *upstream;
    struct connection_ids *connection_ids;
    atomic_long connections; /* sessions that are alive */
    atomic_bool draining;
    bool has_variables;                 /* some plugin has system or status variables */
    bool has_functions;                 /* some plugin has functions that clients call */
    bool has_plugins;                   /* some plugin is loaded, enabled or not */
    struct tls_context *tls;            /* NULL: clients are not offered TLS */
    _Atomic(struct trace_host *) trace; /* the trace plugin; NULL: none (yet) */
    atomic_uint trace_changes;          /* of what is traced; workers that are behind look */
    uv_async_t *wake_workers;           /* the main loop's; any thread may send */
};

struct arrival {
    int fd;
    struct sockaddr_storage peer;
    socklen_t peer_size;
};

struct worker {
    struct gateway *gateway;
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    uint8_t *buffer; /* READ_BYTES; only for the duration of one callback */

    /* Lexing needs memory that is best kept: one set a worker, since it runs one callback at a time
     * (facts.c). */
    struct sql_digester digester;
    struct sql_tables tables;
    struct plugin_refusal refusal; /* of the event at hand; its sessions share it */
    uint32_t tables_session;       /* whose statement's tables are in `tables`; 0: nobody's */
    uint64_t tables_statement;     /* its statement_number */

    pthread_mutex_t lock;    /* of the inbox */
    struct hold *given_back; /* promises of plugins that are back */
    struct arrival *inbox;
    size_t inbox_size, inbox_capacity;
    bool stop_asked;

    struct session *sessions; /* doubly linked */
    struct session *again;    /* to be read from once more: their streams have buffered input */
    uv_idle_t idle;           /* runs while there are any */
    atomic_long session_count;
    bool closing;
    unsigned trace_changes; /* those of the gateway that have been acted upon */
};

/* Starts the thread. */
int worker_start(struct worker *worker, struct gateway *gateway, struct error *error);

/* Takes over a socket, from the main thread. Closes it when there is no memory. */
void worker_give(struct worker *worker, const struct arrival *arrival);

/* Wakes the worker: to look at gateway.draining, or to stop when `stop`. Any thread. */
void worker_wake(struct worker *worker, bool stop);

/* Has the session's client read from once more, though its socket is not readable; and takes that
 * back. On the worker's thread. */
void worker_again(struct worker *worker, struct session *session);
void worker_not_again(struct worker *worker, struct session *session);

/* Ends the loop when it was asked to and the last session is gone: plugins may still hold promises
 * of closed ones. On the worker's thread. */
void worker_end_if_done(struct worker *worker);

/* Waits for the thread's end and frees what it held. */
void worker_join(struct worker *worker);

#endif
