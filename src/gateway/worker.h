/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker: one thread, one event loop, its connections, and the buffer into which all of them read.
 *
 * The main thread hands over accepted sockets through a small locked inbox, and plugins their
 * holds; nothing else of a worker is touched from outside but its atomics. */
#ifndef WEIR_GATEWAY_WORKER_H
#define WEIR_GATEWAY_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <uv.h>

#include "gateway/gateway.h"
#include "gateway/net/net.h"
#include "gateway/session/session.h"
#include "gateway/upstream/upstream.h"
#include "gateway/watchdog.h"

struct backend_views;
struct cluster_link;
struct connection;
struct named_accounts;
struct reload;
struct trace_host;

/* What all workers share. Set up before they start; immutable but for atomics
 * and what a reload replaces. */
struct gateway {
    const struct gateway_options *options;       /* of the configuration in force; main thread */
    struct gateway_configuration *configuration; /* under its lock; configuration.h */
    pthread_mutex_t configuration_lock;
    pthread_mutex_t visits_lock; /* of the next one, and of visits that are given */
    bool may_visit;              /* the workers have started, and are not joined yet */
    atomic_uint configurations;  /* that have come into force; workers that are late look */
    struct reload *reload;
    struct plugin_registry *registry;
    struct named_accounts *named_accounts;
    struct upstream_set *upstreams;
    struct backend_views *views;                          /* the same, as sessions see them */
    _Atomic(const struct session_backend *) only_backend; /* NULL: there are several */
    atomic_bool ids_are_backends; /* with -backend-first: there never was more than one server */
    struct connection_ids *connection_ids;
    struct cluster_link *cluster; /* NULL: in none */
    atomic_long connections;      /* that are alive */
    atomic_long cut_off;  /* statements and transactions that the end of the gateway has ended */
    atomic_bool serving;  /* clients, since its start */
    atomic_bool stopping; /* it has been told to; draining follows, perhaps at once */
    atomic_bool draining;
    struct worker *workers; /* whose counters are summed; the array is the main thread's */
    size_t worker_count;
    uint64_t serving_since_ns;          /* monotonic */
    struct password_key *password_key;  /* NULL: the embedded server needs none */
    _Atomic(struct tls_context *) tls;  /* NULL: there was no certificate so far */
    _Atomic(struct trace_host *) trace; /* the trace plugin; NULL: none (yet) */
    atomic_uint trace_changes;          /* of what is traced; workers that are late look */
    atomic_uint drains;                 /* of backends; the same */
    uv_async_t *wake_workers;           /* the main loop's; any thread may send */
};

/* Something that is to be done on a worker's thread, between two events of its loop. */
struct worker_visit {
    void (*run)(struct worker *worker, struct worker_visit *visit);
    struct worker_visit *next;
};

struct worker {
    struct gateway *gateway;
    struct session_environment environment; /* of its sessions */
    pthread_t thread;
    uv_loop_t loop;
    struct activity activity; /* for the watchdog */
    uv_prepare_t before_waiting;
    uv_async_t wake;
    struct gateway_configuration *configuration; /* that it works with; held */
    unsigned configurations;                     /* as trace_changes */
    uint8_t *buffer; /* SESSION_READ_BYTES; only for the duration of one callback */

    pthread_mutex_t lock;       /* of the inbox */
    struct session_hold *holds; /* that plugins have given back */
    struct worker_visit *visits;
    struct arrival *inbox;
    size_t inbox_size, inbox_capacity;
    bool stop_asked;
    bool has_ended; /* nothing wakes it any more */

    struct connection *connections; /* doubly linked */
    struct connection *ready; /* to be read from once more: their filters have buffered input */
    uv_idle_t idle;           /* runs while there are any */
    uv_timer_t hold_timer;    /* looks for holds that plugins do not give back */
    uv_timer_t lag_timer;     /* measures how late the loop is; stopped: nobody asks */
    uint64_t lag_due_ns;      /* monotonic */
    atomic_long connection_count;
    bool closing;
    unsigned drains;        /* as trace_changes */
    unsigned trace_changes; /* those of the gateway that have been acted upon */
};

/* Starts the thread. */
WEIR_MUST_CHECK int worker_start(struct worker *worker, struct gateway *gateway,
                                 struct error *error);

/* Takes over a socket, from the main thread. Closes it when there is no memory. */
void worker_give(struct worker *worker, const struct arrival *arrival);

/* Wakes the worker: to look at gateway.draining, or to stop when `stop`. Any thread. */
void worker_wake(struct worker *worker, bool stop);

/* Has the visit run once, also when the worker ends before. Any thread, while the worker is not joined. */
void worker_give_visit(struct worker *worker, struct worker_visit *visit);

/* On the worker's thread, or once it is joined. */
void worker_run_visits(struct worker *worker);

/* Adds what all workers have counted to sums. Any thread. */
void workers_read_metrics(const struct gateway *gateway, struct metrics *sums);

/* Has the connection read what its filters have buffered, though no socket is readable; and takes
 * that back. On the worker's thread. */
void worker_add_ready(struct worker *worker, struct connection *connection);
void worker_remove_ready(struct worker *worker, struct connection *connection);

/* Ends the loop when it was asked to and the last connection is gone: plugins may still have holds
 * of closed ones. On the worker's thread. */
void worker_end_if_done(struct worker *worker);

/* Waits for the thread's end and frees what it held. */
void worker_join(struct worker *worker);

#endif
