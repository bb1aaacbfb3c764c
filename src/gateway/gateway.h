/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway: sessions between clients and a backend.
 *
 * gateway_run() owns the process from the first listening socket to the last closed one. This room
 * joins what knows no sockets (sessions) with what knows nothing else (net).
 *
 * Its rooms, in learning order; each has a header of its own that says more:
 *
 *   statement/   what plugins see of a session: its commands, events and facts
 *   leg/         one side of a session: filters, pending output, buffered input
 *   session/     one client's conversation with one backend, as a step table without I/O
 *   local/       statements that the gateway answers itself
 *   net/         sockets and TLS: the filters of legs, and listeners
 *   upstream/    where the server is, and the embedded one; connection ids
 *   status/      the status port: how the gateway is, over HTTP
 *
 * Its own files:
 *
 *   gateway.c        the main loop: signals, draining
 *   listeners.c      where it listens
 *   worker.c         one event loop a core; sessions are spread over them
 *   configuration.c  the configuration in force, and who holds it
 *   reload.c         reads it again, and has it take effect
 *   check.c          says what is wrong with a configuration without starting anything
 *   backends.c       from the configuration to upstreams, and to backends as sessions see them
 *   watchdog.c       says which worker does not go on
 *   named_accounts.c  the accounts that plugins' files name, and which backends were asked for them
 *   reporting.c      opens the status port, and tells it what it asks
 *   service_manager.c  readiness, pulse and sockets, for systemd
 *   cluster_link.c   the gateway as a node of a cluster: its number, and what nodes share
 *   connection.c     feeds a session and does what it wishes for
 *   trace_loading.c  the trace plugin of the process */
#ifndef WEIR_GATEWAY_GATEWAY_H
#define WEIR_GATEWAY_GATEWAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "gateway/upstream/upstream.h"
#include "plugin/host/plugin_host.h"

/* Names of the ways to choose one of several backends; NULL-terminated. */
extern const char *const gateway_policies[];

#define GATEWAY_BACKENDS_MOST 32

/* A server that sessions may be connected to. */
struct gateway_backend {
    const char *name;    /* NULL: its address */
    const char *address; /* tcp://host:port, unix:///path */
    const char *role;    /* NULL: none */
    long weight;
    bool proxy_protocol; /* send PROXY headers to it */
    long status_port;    /* 0: none */
    struct upstream_tls_options tls;
};

/* How backends are checked, where there are several. */
struct gateway_checks {
    long interval_ms, rise, fall, slow_start_s, lost_s;
    const char *user, *password;  /* NULL: nothing is asked */
    const char *query, *expected; /* NULL: no query; any answer will do */
    bool galera;
};

/* As a node of a cluster; means nothing without a store that is shared. */
struct gateway_cluster {
    const char *name;      /* of the cluster: of its keys */
    const char *advertise; /* what other nodes call this one; NULL or "": where it listens */
    bool required;         /* clients are not served before the cluster was reached once */
    bool refuses_alone; /* statements that are the cluster's are refused while it is not reached */
};

struct gateway_configuration;
struct networks;
struct process_store;

struct gateway_options {
    const char *host;   /* address to listen on */
    long port;          /* 0: no TCP */
    const char *socket; /* path of the Unix socket; NULL or "": none */
    const char *data_directory;
    const struct gateway_backend *backends;
    size_t backend_count;                    /* 0: the embedded one, */
    struct upstream_tls_options backend_tls; /* whose TLS this is */
    int backend_policy;                      /* index of gateway_policies */
    struct gateway_checks checks;
    struct gateway_cluster cluster;
    const char *proxy_networks; /* who may send PROXY headers; NULL or "": nobody */
    bool backend_first;         /* connect it before the client is greeted, and greet as it does */
    const char *first_networks; /* only for clients from there; NULL or "": for nobody besides */
    const char *mariadbd;       /* program of the embedded backend */
    const char *tls_certificate, *tls_key, *tls_ca; /* PEM files; NULL or "": none */
    bool tls_automatic;                             /* make a certificate when there is none */
    bool require_tls;                               /* of TCP clients */
    const char *compression, *backend_compression;  /* "off", "on", or a list of algorithms */
    long compression_level, zstd_level;             /* of zlib, of zstd */
    const char *trace_plugin; /* name of a trace plugin, or its path; NULL or "": none */
    const char *trace_directory, *trace_user,
        *trace_host; /* whom to trace; NULL or "": everybody */
    long workers;    /* 0: one a core */
    long max_connections;
    long handshake_timeout_s;
    long connect_timeout_s;
    long graceful_wait_s; /* how long it serves on once it has been told to stop */
    long drain_timeout_s;
    long hold_timeout_s;     /* how long plugins may keep a reply or a verdict */
    long stall_limit_ms;     /* a worker that does not go on for so long is logged; 0: never */
    long max_command_bytes;  /* largest command that is relayed; also bounds what a session holds
                                back */
    long max_prepared_bytes; /* text of prepared statements that one session may keep for plugins */
    bool report_status;      /* the status port is open, and durations are measured */
    bool status_port_is_given;     /* otherwise it is the usual one, and weir serves without it */
    const char *status_host;       /* address of the status port, */
    long status_port;              /* ... and port */
    bool status_tls;               /* with the certificate for clients */
    const char *status_token_file; /* holds the bearer token; NULL or "": none is asked for */
    /* Appends the options in force as a JSON object. NULL: nobody knows them. */
    void (*describe)(void *user, struct strbuf *json);
    void *describe_user;
    const char *log_file; /* reopened on SIGHUP; NULL: standard error */
    enum log_level log_level;
    struct plugin_settings plugin_settings; /* what the file has for the plugins */
    /* Reads the configuration again. current is the one in force. Returns owned, with a single reference, or NULL and
     * a message. notes: sentences about what does not take effect now, with "; " between them. NULL:
     * it cannot be read again. Main thread. */
    struct gateway_configuration *(*read_again)(void *user,
                                                const struct gateway_configuration *current,
                                                struct strbuf *notes, struct error *error);
    void *read_again_user;
};

/* Options, with the memory of their texts. Constant once the gateway has it. */
struct gateway_configuration {
    struct gateway_options options;
    /* Frees it. Any thread. */
    void (*release)(struct gateway_configuration *configuration);
    atomic_uint references; /* 1 at first */
    /* What follows from the options; zeroed at first, the gateway's. */
    struct networks *proxies; /* who may send a PROXY header; NULL: nobody */
    struct networks *first;   /* for whom the backend is connected first; NULL: nobody */
    uint64_t compression, backend_compression; /* capabilities */
    bool offers_tls;                           /* to clients */
    struct strbuf accounts_question;           /* for backends that are new in it; empty: none */
};

/* References. Any thread; the last one that is dropped releases it. NULL may be dropped. */
void gateway_configuration_hold(struct gateway_configuration *configuration);
void gateway_configuration_drop(struct gateway_configuration *configuration);

/* From now on a crash of the process says in the log in which plugin and callback it was, with a
 * backtrace. Once a process, before plugins are loaded. */
void gateway_report_crashes(void);

#define GATEWAY_HAS_CUT_OFF 1 /* statements or transactions were not finished at the end */

/* Looks at a configuration as far as that can be done without a start: certificates, addresses, lists. Returns 0, or -1
 * and a message. Main thread, in place of gateway_run(). */
WEIR_MUST_CHECK int gateway_check(struct gateway_configuration *configuration, struct error *error);

/* The names of a weir_name_list, for plugin_options. */
const char *gateway_known_name(uint32_t list, size_t index);

/* Serves until SIGTERM or SIGINT, and the wait and the drain after it. Takes a reference to the configuration. registry: borrowed;
 * the caller shuts it down afterwards. store: borrowed, closed afterwards as well. Returns 0, GATEWAY_HAS_CUT_OFF when the drain has taken too long, or -1 and *error when
 * serving could not begin. Main thread, once a process. */
int gateway_run(struct gateway_configuration *configuration, struct plugin_registry *registry,
                struct process_store *store, struct error *error);

#endif
