/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session is given by the process that runs it: the plugins, the limits, and the few things
 * that it cannot do by itself because they need other threads or other sessions.
 *
 * One environment a worker: what is not const here is touched by the worker's thread only. It
 * outlives its sessions. */
#ifndef WEIR_GATEWAY_STATEMENT_ENVIRONMENT_H
#define WEIR_GATEWAY_STATEMENT_ENVIRONMENT_H

#include <stdatomic.h>

#include "base/base.h"
#include "gateway/statement/metrics.h"
#include "plugin/host/plugin_host.h"
#include "sql/sql.h"

struct memo;
struct session_hold;
struct trace_host;
struct wire_greeting;
struct leg;

/* How a leg is compressed from its login on. */
struct session_compression {
    uint64_t capability; /* the one bit of its algorithm */
    int zstd_level;
    bool is_client; /* the client's leg: the login's OK is still to be sent, as it is */
};

/* Each gets the environment's `owner`. */
struct session_operations {
    /* The connection id map: which backend connection belongs to which session. add: false means
     * that there is no memory; find: false means that no session has that id, and *backend_id 0 that
     * a connection of the backend's may have it too: nobody is meant then. */
    bool (*id_add)(void *owner, uint32_t id, uint32_t backend_id);
    void (*id_remove)(void *owner, uint32_t id);
    bool (*id_find)(void *owner, uint32_t id, uint32_t *backend_id);
    /* The backend has greeted: what it says of itself is of use to the next client. NULL: nobody
     * wants to know. */
    void (*greeted)(void *owner, const struct wire_greeting *greeting);
    /* Puts compression on a leg. false: no memory. NULL where none is offered or asked for. */
    bool (*compress)(void *owner, struct leg *leg, const struct session_compression *wanted);
    /* A plugin has given a hold back, on any thread: has session_hold_returned() called with it on
     * the session's own thread. */
    void (*hold_is_back)(void *owner, struct session_hold *hold);
    /* Loads a trace plugin (-1 and error; may block), and has every worker look at what is traced
     * now. Any thread. */
    int (*trace_load)(void *owner, const char *name, struct error *error);
    void (*trace_changed)(void *owner);
    /* What all workers have counted so far. NULL: there is only this environment. */
    void (*metrics_read)(void *owner, int64_t sums[METRIC_COUNT]);
};

struct session_environment {
    const struct session_operations *operations;
    void *owner;

    struct plugin_registry *registry;
    bool has_plugins;   /* some plugin is loaded, enabled or not */
    bool has_variables; /* some plugin has system or status variables */
    bool has_functions; /* some plugin has functions that clients call */

    bool offers_tls;              /* to clients */
    uint64_t compression;         /* capabilities that are offered to clients; 0: none */
    uint64_t backend_compression; /* that are asked of the backend */
    int zstd_level;               /* asked of the backend, and the most that clients get */
    bool requires_tls;            /* of TCP clients */
    bool sends_proxy_header;      /* to the backend */
    bool backend_first; /* the backend is connected before a client is greeted: both have one
                           scramble and one connection id */
    const char *backend_address;
    size_t max_command_bytes;  /* largest command that is relayed */
    size_t max_prepared_bytes; /* text of prepared statements that one session may keep */
    long handshake_timeout_s, connect_timeout_s;
    long hold_timeout_s; /* how long plugins may keep a reply or a verdict */

    struct metrics metrics; /* of this worker; METRIC_UPTIME is whoever reads them to say */

    _Atomic(struct trace_host *) *trace; /* the trace plugin; *trace NULL: none (yet) */

    /* Lexing needs memory that is best kept: one set a worker, because it runs one session at a
     * time (memo.c). */
    struct sql_digester digester;
    struct sql_runs runs;
    struct memo *memos; /* unused ones */
};

/* Sets up the part that sessions share; the rest is the caller's to fill in. */
void session_environment_init(struct session_environment *environment);
void session_environment_release(struct session_environment *environment);

#endif
