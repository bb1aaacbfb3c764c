/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the status port, which knows no workers, and the gateway. A port that somebody has named
 * must be free. The usual one need not be: several weir-servers on a machine are usual too, and the
 * first has it. */
#include "gateway/reporting.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/configuration.h"
#include "gateway/status/status.h"

struct reporting {
    struct status_port *port;
    struct status_source source;
};

/* ---- What the pages ask; on the status port's thread ---- */

static void read_metrics(void *owner, struct metrics *metrics)
{
    workers_read_metrics(owner, metrics);
}

static bool read_worker(void *owner, size_t index, long *connections)
{
    const struct gateway *gateway = owner;
    if (index >= gateway->worker_count)
        return false;
    *connections = atomic_load(&gateway->workers[index].connection_count);
    return true;
}

static bool read_backend(void *owner, size_t index, struct status_backend *backend)
{
    struct gateway *gateway = owner;
    struct upstream_status status;
    struct upstream *upstream = upstream_set_pin_at(gateway->upstreams, index);
    if (!upstream)
        return false;
    upstream_status(upstream, &status);
    *backend = (struct status_backend){.state = status.state,
                                       .sessions = status.sessions,
                                       .checks = status.checks,
                                       .checks_failed = status.checks_failed,
                                       .connects = status.connects,
                                       .connect_ns = status.connect_ns,
                                       .answers = strcmp(status.state, "up") == 0};
    snprintf(backend->name, sizeof backend->name, "%s", upstream_name(upstream));
    snprintf(backend->address, sizeof backend->address, "%s", upstream_address(upstream));
    snprintf(backend->version, sizeof backend->version, "%s", status.version);
    upstream_unpin(upstream);
    return true;
}

static bool is_serving(void *owner)
{
    return atomic_load(&((struct gateway *)owner)->serving);
}

static bool is_stopping(void *owner)
{
    return atomic_load(&((struct gateway *)owner)->stopping);
}

static bool certificate_expires(void *owner, int64_t *at)
{
    struct tls_context *tls = atomic_load(&((struct gateway *)owner)->tls);
    if (tls)
        *at = tls_context_expiry(tls);
    return tls != NULL;
}

static int read_certificate(void *owner, struct strbuf *chain, struct strbuf *key,
                            struct error *error)
{
    return tls_context_export(atomic_load(&((struct gateway *)owner)->tls), chain, key, error);
}

static void write_options(void *owner, struct strbuf *json)
{
    struct gateway_configuration *configuration = configuration_hold(owner);
    const struct gateway_options *options = &configuration->options;
    if (options->describe)
        options->describe(options->describe_user, json);
    else
        strbuf_add_text(json, "{}");
    gateway_configuration_drop(configuration);
}

static long max_connections(void *owner)
{
    struct gateway_configuration *configuration = configuration_hold(owner);
    const long most = configuration->options.max_connections;
    gateway_configuration_drop(configuration);
    return most;
}

/* ---- Opening ---- */

/* As the kernel has understood the address. */
static bool is_loopback(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size))
        return false;
    if (address.ss_family == AF_INET)
        return ntohl(((struct sockaddr_in *)&address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return address.ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&address)->sin6_addr);
}

static struct reporting *reporting_new(struct gateway *gateway)
{
    static const char *const states[] = {
#define X(name) #name,
        UPSTREAM_STATES(X)
#undef X
            NULL};
    struct reporting *reporting = calloc(1, sizeof *reporting);
    if (reporting)
        reporting->source = (struct status_source){
            .owner = gateway,
            .registry = gateway->registry,
            .metrics = read_metrics,
            .worker = read_worker,
            .backend = read_backend,
            .backend_states = states,
            .is_serving = is_serving,
            .is_stopping = is_stopping,
            .certificate_expires = certificate_expires,
            .certificate = read_certificate,
            .options = write_options,
            .max_connections = max_connections,
        };
    return reporting;
}

/* Takes the listener's socket on success. */
static int open_on(struct reporting **reporting, struct gateway *gateway,
                   const struct listener *listener, struct error *error)
{
    const struct gateway_options *options = gateway->options;
    const struct status_options status = {.fd = listener->fd,
                                          .is_loopback = is_loopback(listener->fd),
                                          .uses_tls = options->status_tls,
                                          .token_file = options->status_token_file};
    struct reporting *made = reporting_new(gateway);
    if (!made)
        return error_set(error, "out of memory for the status port");
    made->port = status_open(&status, &made->source, error);
    if (!made->port) {
        free(made);
        return -1;
    }
    if (!status.is_loopback && !status.uses_tls)
        log_warn("status", "other machines can reach the status port, and its token goes there in "
                           "the clear; -status-tls encrypts it");
    log_info("status", "the status port is http%s://%s/", status.uses_tls ? "s" : "",
             listener->text);
    *reporting = made;
    return 0;
}

int reporting_open(struct reporting **reporting, struct gateway *gateway, struct error *error)
{
    const struct gateway_options *options = gateway->options;
    struct listener listener;
    struct error reason = {""};
    *reporting = NULL;
    if (!options->report_status)
        return 0;
    if (listener_open_tcp(&listener, options->status_host, options->status_port, "-status-host",
                          "-status", &reason)) {
        if (options->status_port_is_given)
            return error_set(error, "%s, or -report-status=false", reason.message);
        log_warn("status", "there is no status port: %s, or say -report-status=false",
                 reason.message);
        return 0;
    }
    if (open_on(reporting, gateway, &listener, error) == 0)
        return 0;
    close(listener.fd);
    return -1;
}

int reporting_reload(struct reporting *reporting, struct error *error)
{
    return reporting ? status_reload(reporting->port, error) : 0;
}

void reporting_close(struct reporting *reporting)
{
    if (!reporting)
        return;
    status_close(reporting->port);
    free(reporting);
}
