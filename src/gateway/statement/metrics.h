/* SPDX-License-Identifier: Apache-2.0
 *
 * What the gateway counts: one table, for SHOW STATUS and whoever else reports it.
 *
 * Each worker has counters of its own, which its thread alone writes, with plain loads and stores:
 * no cache line of them is shared on the path of a statement. Whoever asks adds the workers' up, at
 * a moment of its own for each, so that a sum is exact only while nothing happens. */
#ifndef WEIR_GATEWAY_STATEMENT_METRICS_H
#define WEIR_GATEWAY_STATEMENT_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

/* X(ENUMERATOR, name, kind, help): kind COUNTER only rises; GAUGE is what is now. In SHOW STATUS the
 * name has "Weir_" before it. Bytes are what the sockets carry, TLS included; received and sent
 * stand next to each other, for net_socket. */
#define METRICS(X)                                                                                 \
    X(UPTIME, "uptime", GAUGE, "seconds since the gateway has begun to serve")                     \
    X(CONNECTIONS, "connections", COUNTER, "clients that have connected")                          \
    X(CONNECTIONS_OPEN, "connections_open", GAUGE, "connections of clients now")                   \
    X(CONNECTIONS_REFUSED, "connections_refused", COUNTER,                                         \
      "connections that were one too many for max-connections")                                    \
    X(SESSIONS, "sessions", COUNTER, "logins that have succeeded")                                 \
    X(SESSIONS_OPEN, "sessions_open", GAUGE, "sessions that are logged in now")                    \
    X(LOGINS_FAILED, "logins_failed", COUNTER,                                                     \
      "connections that ended without a login, whoever refused or left")                           \
    X(COMMANDS, "commands", COUNTER, "commands of clients, but for COM_QUIT")                      \
    X(STATEMENTS, "statements", COUNTER,                                                           \
      "texts and executions of prepared statements; a text of several counts once")                \
    X(STATEMENTS_REFUSED, "statements_refused", COUNTER, "commands that plugins have refused")     \
    X(STATEMENTS_FAILED, "statements_failed", COUNTER, "results of the backend that are errors")   \
    X(STATEMENTS_LOCAL, "statements_local", COUNTER,                                               \
      "commands that the gateway has answered or changed itself")                                  \
    X(QUERIES_INTERNAL, "queries_internal", COUNTER,                                               \
      "queries that the gateway has put to the backend in clients' sessions")                      \
    X(BYTES_FROM_CLIENTS, "bytes_from_clients", COUNTER, "bytes received from clients")            \
    X(BYTES_TO_CLIENTS, "bytes_to_clients", COUNTER, "bytes sent to clients")                      \
    X(BYTES_FROM_BACKEND, "bytes_from_backend", COUNTER, "bytes received from the backend")        \
    X(BYTES_TO_BACKEND, "bytes_to_backend", COUNTER, "bytes sent to the backend")                  \
    X(BACKEND_CONNECTIONS, "backend_connections", COUNTER, "connections to the backend")           \
    X(BACKEND_CONNECTIONS_OPEN, "backend_connections_open", GAUGE,                                 \
      "connections to the backend that are open now")                                              \
    X(BACKEND_CONNECTIONS_FAILED, "backend_connections_failed", COUNTER,                           \
      "connections to the backend that its host did not take")                                     \
    X(BACKEND_TLS, "backend_tls", COUNTER, "connections to the backend that TLS encrypts")         \
    X(BACKEND_TLS_RESUMED, "backend_tls_resumed", COUNTER,                                         \
      "... that a ticket has saved the full handshake")                                            \
    X(BACKEND_TLS_FAILED, "backend_tls_failed", COUNTER,                                           \
      "connections to the backend whose TLS handshake failed")

enum metric {
#define X(enumerator, ...) METRIC_##enumerator,
    METRICS(X)
#undef X
        METRIC_COUNT
};

#define METRIC_LINE_BYTES 64 /* of a cache line */

/* Zeroed: nothing has been counted. Nobody else's data is on its cache lines, wherever it lies. */
struct metrics {
    char before[METRIC_LINE_BYTES];
    _Atomic(int64_t) values[METRIC_COUNT];
    char after[METRIC_LINE_BYTES];
};

/* On the thread that owns the counters. */
static inline void metric_add_to(_Atomic(int64_t) *value, int64_t more)
{
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

static inline void metric_add(struct metrics *metrics, enum metric metric, int64_t more)
{
    metric_add_to(&metrics->values[metric], more);
}

/* Any thread: adds what metrics has counted to sums. */
static inline void metrics_sum(const struct metrics *metrics, int64_t sums[METRIC_COUNT])
{
    for (int i = 0; i < METRIC_COUNT; i++)
        sums[i] += atomic_load_explicit(&metrics->values[i], memory_order_relaxed);
}

#endif
