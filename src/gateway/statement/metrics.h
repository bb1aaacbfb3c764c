/* SPDX-License-Identifier: Apache-2.0
 *
 * What the gateway counts and measures: the tables, for SHOW STATUS and the status port.
 *
 * Each worker has counters of its own, which its thread alone writes, with plain loads and stores:
 * no cache line of them is shared on the path of a statement. Whoever asks adds the workers' up, at
 * a moment of its own for each, so that a sum is exact only while nothing happens. */
#ifndef WEIR_GATEWAY_STATEMENT_METRICS_H
#define WEIR_GATEWAY_STATEMENT_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "plugin/host/plugin_host.h"
#include "sql/sql.h"

/* X(ENUMERATOR, name, kind, exported, help): kind COUNTER only rises; GAUGE is what is now. In SHOW
 * STATUS the name has "Weir_" before it; on the status port `exported` has "weir_" before it, and
 * counters "_total" after it. Bytes are what the sockets carry, TLS included; received and sent stand
 * next to each other, for net_socket. */
#define METRICS(X)                                                                                 \
    X(UPTIME, "uptime", GAUGE, "uptime_seconds", "seconds since the gateway has begun to serve")   \
    X(CONNECTIONS, "connections", COUNTER, "connections", "clients that have connected")           \
    X(CONNECTIONS_OPEN, "connections_open", GAUGE, "connections_open",                             \
      "connections of clients now")                                                                \
    X(CONNECTIONS_REFUSED, "connections_refused", COUNTER, "connections_refused",                  \
      "connections that were one too many for max-connections")                                    \
    X(SESSIONS, "sessions", COUNTER, "logins", "logins that have succeeded")                       \
    X(SESSIONS_OPEN, "sessions_open", GAUGE, "sessions_open", "sessions that are logged in now")   \
    X(LOGINS_FAILED, "logins_failed", COUNTER, "logins_failed",                                    \
      "connections that ended without a login, whoever refused or left")                           \
    X(COMMANDS, "commands", COUNTER, "commands", "commands of clients, but for COM_QUIT")          \
    X(STATEMENTS, "statements", COUNTER, "statements_begun",                                       \
      "texts and executions of prepared statements; a text of several counts once")                \
    X(STATEMENTS_REFUSED, "statements_refused", COUNTER, "commands_refused",                       \
      "commands that plugins have refused")                                                        \
    X(STATEMENTS_FAILED, "statements_failed", COUNTER, "results_failed",                           \
      "results of the backend that are errors")                                                    \
    X(STATEMENTS_LOCAL, "statements_local", COUNTER, "commands_local",                             \
      "commands that the gateway has answered or changed itself")                                  \
    X(QUERIES_INTERNAL, "queries_internal", COUNTER, "queries_internal",                           \
      "queries that the gateway has put to the backend in clients' sessions")                      \
    X(PREPARED_STATEMENTS, "prepared_statements", GAUGE, "prepared_statements",                    \
      "prepared statements that the gateway keeps for plugins now")                                \
    X(BYTES_FROM_CLIENTS, "bytes_from_clients", COUNTER, "client_received_bytes",                  \
      "bytes received from clients")                                                               \
    X(BYTES_TO_CLIENTS, "bytes_to_clients", COUNTER, "client_sent_bytes", "bytes sent to clients") \
    X(BYTES_FROM_BACKEND, "bytes_from_backend", COUNTER, "backend_received_bytes",                 \
      "bytes received from the backend")                                                           \
    X(BYTES_TO_BACKEND, "bytes_to_backend", COUNTER, "backend_sent_bytes",                         \
      "bytes sent to the backend")                                                                 \
    X(BACKEND_CONNECTIONS, "backend_connections", COUNTER, "backend_connections",                  \
      "connections to the backend")                                                                \
    X(BACKEND_CONNECTIONS_OPEN, "backend_connections_open", GAUGE, "backend_connections_open",     \
      "connections to the backend that are open now")                                              \
    X(BACKEND_CONNECTIONS_FAILED, "backend_connections_failed", COUNTER,                           \
      "backend_connections_failed", "connections to the backend that its host did not take")

enum metric {
#define X(enumerator, ...) METRIC_##enumerator,
    METRICS(X)
#undef X
        METRIC_COUNT
};

/* X(ENUMERATOR, exported, help): durations, measured where the status port is open; in seconds there. */
#define METRIC_DURATIONS(X)                                                                        \
    X(STATEMENT, "statement_duration_seconds",                                                     \
      "from a statement's arrival to the end of the backend's reply, or to its refusal")           \
    X(CONNECT, "backend_connect_duration_seconds",                                                 \
      "from the beginning of a connection to a backend until its host has taken it")               \
    X(LOOP_LAG, "loop_lag_seconds",                                                                \
      "how late a worker's timer was, which is due ten times a second: its sessions wait so long")

enum metric_duration {
#define X(enumerator, ...) METRIC_DURATION_##enumerator,
    METRIC_DURATIONS(X)
#undef X
        METRIC_DURATION_COUNT
};

/* X(ENUMERATOR, name): how statements end, as METRIC_STATEMENTS counts them. */
#define METRIC_OUTCOMES(X)                                                                         \
    X(OK, "ok")                                                                                    \
    X(ERROR, "error")     /* the backend's */                                                      \
    X(REFUSED, "refused") /* by a plugin, or because it could not be kept for one */               \
    X(LOCAL, "local")     /* answered or changed by the gateway, however that ended */             \
    X(LOST, "lost")       /* the session ended first */

enum metric_outcome {
#define X(enumerator, name) METRIC_OUTCOME_##enumerator,
    METRIC_OUTCOMES(X)
#undef X
        METRIC_OUTCOME_COUNT
};

#define METRIC_REASONS    24 /* room for CLOSE_REASONS of the room session, which is above this one */
#define METRIC_LINE_BYTES 64 /* of a cache line */

/* Zeroed: nothing has been counted. Nobody else's data is on its cache lines, wherever it lies.
 * All between `before` and `after` are cells of one type, which metrics_sum() relies upon. */
struct metrics {
    char before[METRIC_LINE_BYTES];
    _Atomic(int64_t) values[METRIC_COUNT];
    _Atomic(int64_t) statements[SQL_KIND_COUNT][METRIC_OUTCOME_COUNT];
    _Atomic(int64_t) rejections[METRIC_REASONS];      /* ends of connections before the login, */
    _Atomic(int64_t) endings[METRIC_REASONS];         /* and after it */
    _Atomic(int64_t) refusals[PLUGIN_MAX_LOADED + 1]; /* by the plugin's index; last: the gateway */
    struct durations durations[METRIC_DURATION_COUNT];
    struct durations callbacks[PLUGIN_MAX_LOADED]; /* by the plugin's index */
    char after[METRIC_LINE_BYTES];
};

/* On the thread that owns the counters. */
static inline void metric_add_to(_Atomic(int64_t) *value, int64_t more)
{
    durations_cell_add(value, more);
}

static inline void metric_add(struct metrics *metrics, enum metric metric, int64_t more)
{
    metric_add_to(&metrics->values[metric], more);
}

/* Any thread: adds all that metrics has counted to sums, which is the caller's alone. */
static inline void metrics_sum(const struct metrics *metrics, struct metrics *sums)
{
    const size_t first = offsetof(struct metrics, values), end = offsetof(struct metrics, after);
    const _Atomic(int64_t) *from = (const void *)((const char *)metrics + first);
    _Atomic(int64_t) *to = (void *)((char *)sums + first);
    for (size_t i = 0; i < (end - first) / sizeof *from; i++)
        metric_add_to(&to[i], atomic_load_explicit(&from[i], memory_order_relaxed));
}

static inline int64_t metric_value(const struct metrics *metrics, enum metric metric)
{
    return atomic_load_explicit(&metrics->values[metric], memory_order_relaxed);
}

#endif
