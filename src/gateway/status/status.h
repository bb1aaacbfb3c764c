/* SPDX-License-Identifier: Apache-2.0
 *
 * status: the status port: an HTTP server that says how the gateway is, to people, to load balancers
 * and to Prometheus.
 *
 * It has one thread of its own (libmicrohttpd's), reads what others count, and changes nothing. What
 * it says comes from a struct status_source, so that it knows neither workers nor sockets:
 *
 *   http.c         the thread, TLS, the token; which page is asked for
 *   pages.c        /status, /healthz, /readyz, /config: JSON
 *   metrics_page.c /metrics: what the gateway counts
 *   plugins_page.c /metrics: what plugins count
 *   exposition.h   Prometheus's text format, and OpenMetrics
 *   process.c      memory, CPU time and files of the process */
#ifndef WEIR_GATEWAY_STATUS_STATUS_H
#define WEIR_GATEWAY_STATUS_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/statement/statement.h"

struct status_backend {
    char name[300];    /* as it was given, or the address */
    char address[300]; /* as it was given */
    char version[128]; /* what it said last; foreign text; "": it was never reached */
    const char *state; /* static text, as ADMIN SHOW BACKENDS has it */
    long sessions;
    uint64_t checks, checks_failed;
    uint64_t connects, connect_ns; /* of sessions */
    bool answers;                  /* and sessions may use it */
};

/* Whom the pages ask. Each function gets `owner`, on the status port's thread. */
struct status_source {
    void *owner;
    struct plugin_registry *registry;
    /* Adds what all workers have counted to metrics, which is zeroed. */
    void (*metrics)(void *owner, struct metrics *metrics);
    /* Connections of a worker now. false: there are no more workers. */
    bool (*worker)(void *owner, size_t index, long *connections);
    const char *const *backend_states; /* all that there are, up to a NULL */
    /* false: there are no more backends. */
    bool (*backend)(void *owner, size_t index, struct status_backend *backend);
    bool (*is_serving)(void *owner); /* clients, since its start */
    bool (*is_stopping)(void *owner);
    /* When the certificate for clients expires: seconds since 1970. false: there is none. */
    bool (*certificate_expires)(void *owner, int64_t *at);
    /* The certificate with its chain, and its key, as PEM. */
    int (*certificate)(void *owner, struct strbuf *chain, struct strbuf *key, struct error *error);
    /* Appends the options in force as a JSON object. */
    void (*options)(void *owner, struct strbuf *json);
    long (*max_connections)(void *owner);
};

struct status_options {
    int fd;           /* listens, non-blocking; owned by the port once it has been opened */
    bool is_loopback; /* nobody but this machine reaches it */
    bool uses_tls;
    const char *token_file; /* borrowed. NULL or "": no token is asked for */
};

struct status_port;

/* Opens the port and starts its thread; source and the texts outlive it. Returns owned
 * (status_close), or NULL and a message; options->fd is then still the caller's. */
WEIR_MUST_CHECK struct status_port *status_open(const struct status_options *options,
                                                const struct status_source *source,
                                                struct error *error);

/* Reads the certificate and the token again; clients wait meanwhile. On failure the port says nothing
 * more than that, or goes on with what it had. One thread at a time. */
WEIR_MUST_CHECK int status_reload(struct status_port *port, struct error *error);

/* Waits for requests that are being answered, and stops the thread. NULL is allowed. */
void status_close(struct status_port *port);

#endif
