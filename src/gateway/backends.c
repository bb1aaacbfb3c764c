/* SPDX-License-Identifier: Apache-2.0
 *
 * From options to upstreams. Where there are several each has checks of its own; one that stands alone is looked
 * at as upstream.h says. */
#include "gateway/backends.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert(GATEWAY_BACKENDS_MOST == UPSTREAM_MOST, "the room upstream takes as many");

const char *const gateway_policies[] = {
#define X(enumerator, name) name,
    UPSTREAM_POLICIES(X)
#undef X
        NULL};

static struct upstream_checks checks_of(const struct gateway_checks *checks)
{
    return (struct upstream_checks){.interval_ms = checks->interval_ms,
                                    .rise = (unsigned)checks->rise,
                                    .fall = (unsigned)checks->fall,
                                    .slow_start_s = checks->slow_start_s,
                                    .user = checks->user,
                                    .password = checks->password,
                                    .query = checks->query,
                                    .expected = checks->expected,
                                    .galera = checks->galera};
}

int backends_describe(const struct gateway_options *options,
                      struct upstream_options list[GATEWAY_BACKENDS_MOST],
                      struct upstream_set_options *set, struct error *error)
{
    for (size_t i = 0; i < options->backend_count; i++) {
        const struct gateway_backend *backend = &options->backends[i];
        list[i] = (struct upstream_options){.name = backend->name,
                                            .address = backend->address,
                                            .role = backend->role,
                                            .weight = (unsigned)backend->weight,
                                            .sends_proxy_header = backend->proxy_protocol,
                                            .connect_timeout_s = options->connect_timeout_s,
                                            .tls = backend->tls};
        if (options->backend_count > 1)
            list[i].checks = checks_of(&options->checks);
    }
    if (options->backend_count == 0)
        list[0] = (struct upstream_options){.data_directory = options->data_directory,
                                            .mariadbd = options->mariadbd,
                                            .connect_timeout_s = options->connect_timeout_s,
                                            .tls = options->backend_tls};
    *set =
        (struct upstream_set_options){.upstreams = list,
                                      .count = options->backend_count ? options->backend_count : 1,
                                      .policy = (enum upstream_policy)options->backend_policy};
    if (set->count > 1 && options->backend_first)
        return error_set(error, "-backend-first: it needs a single backend: with several, two "
                                "clients could be told the same connection id, and KILL would end "
                                "the wrong one");
    return 0;
}

static enum backend_security security_of(const struct upstream_tls *tls)
{
    return tls->mode == UPSTREAM_TLS_OFF         ? BACKEND_STAYS_PLAIN
           : tls->mode == UPSTREAM_TLS_PREFERRED ? BACKEND_SECURES_IF_OFFERED
                                                 : BACKEND_MUST_BE_SECURE;
}

/* Looks block their threads, one a backend at a time: statements that work there must not wait for a
 * server that does not answer. */
static void make_room_for_looks(size_t count)
{
    enum { USUAL = 4 };
    char size[16];
    snprintf(size, sizeof size, "%zu", USUAL + count);
    setenv("UV_THREADPOOL_SIZE", size, 0);
}

int backends_start(struct gateway *gateway, uv_loop_t *loop, upstream_on_looked *on_looked,
                   void *user, struct error *error)
{
    struct upstream_options list[GATEWAY_BACKENDS_MOST];
    struct upstream_set_options set;
    if (backends_describe(gateway->options, list, &set, error))
        return -1;
    if (set.count > 1)
        make_room_for_looks(set.count);
    gateway->upstreams = upstream_set_new(&set, error);
    if (!gateway->upstreams || upstream_set_start(gateway->upstreams, loop, on_looked, user, error))
        return -1;
    gateway->backends = calloc(set.count, sizeof *gateway->backends);
    if (!gateway->backends)
        return error_set(error, "out of memory");
    for (size_t i = 0; i < set.count; i++) {
        const struct upstream *upstream = upstream_set_at(gateway->upstreams, i);
        gateway->backends[i] = (struct session_backend){
            .name = upstream_name(upstream),
            .address = upstream_address(upstream),
            .label = upstream_label(upstream),
            .sends_proxy_header = upstream_sends_proxy_header(upstream),
            .is_local = upstream_is_local(upstream),
            .security = security_of(upstream_tls(upstream)),
            .tls_mode = upstream_tls_mode_name(upstream_tls(upstream)->mode),
            .number = (unsigned)i};
    }
    return 0;
}

void backends_drain_on(struct gateway *gateway)
{
    bool is_due = false;
    for (size_t i = 0; i < upstream_set_count(gateway->upstreams); i++) {
        struct upstream_status status;
        struct upstream *upstream = upstream_set_at(gateway->upstreams, i);
        upstream_status(upstream, &status);
        is_due = is_due || (upstream_mode(upstream) == UPSTREAM_DRAINING && status.sessions);
    }
    if (!is_due)
        return;
    atomic_fetch_add(&gateway->drains, 1);
    uv_async_send(gateway->wake_workers);
}

void backends_free(struct gateway *gateway)
{
    upstream_set_free(gateway->upstreams);
    free(gateway->backends);
}
