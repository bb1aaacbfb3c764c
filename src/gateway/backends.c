/* SPDX-License-Identifier: Apache-2.0
 *
 * From options to upstreams. Where there are several each has checks of its own; one that stands alone is looked
 * at as upstream.h says. */
#include "gateway/backends.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/named_accounts.h"

_Static_assert(GATEWAY_BACKENDS_MOST == UPSTREAM_MOST && UPSTREAM_MOST <= SESSION_BACKENDS_MOST,
               "the rooms take as many");

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
                                    .lost_s = checks->lost_s,
                                    .user = checks->user,
                                    .password = checks->password,
                                    .query = checks->query,
                                    .expected = checks->expected,
                                    .galera = checks->galera};
}

static void hold(void *configuration)
{
    gateway_configuration_hold(configuration);
}

static void drop(void *configuration)
{
    gateway_configuration_drop(configuration);
}

void backends_describe(struct gateway_configuration *configuration,
                       struct upstream_options list[GATEWAY_BACKENDS_MOST],
                       struct upstream_set_options *set)
{
    const struct gateway_options *options = &configuration->options;
    for (size_t i = 0; i < options->backend_count; i++) {
        const struct gateway_backend *backend = &options->backends[i];
        list[i] = (struct upstream_options){
            .name = backend->name,
            .address = backend->address,
            .role = backend->role,
            .weight = (unsigned)backend->weight,
            .sends_proxy_header = backend->proxy_protocol,
            .status_port = backend->status_port,
            .connect_timeout_s = options->connect_timeout_s,
            .tls = backend->tls,
            .checks = {.user = options->checks.user, .password = options->checks.password}};
        if (options->backend_count > 1)
            list[i].checks = checks_of(&options->checks);
    }
    if (options->backend_count == 0)
        list[0] = (struct upstream_options){.data_directory = options->data_directory,
                                            .mariadbd = options->mariadbd,
                                            .connect_timeout_s = options->connect_timeout_s,
                                            .tls = options->backend_tls};
    for (size_t i = 0; i < options->backend_count || i == 0; i++) {
        list[i].texts = configuration;
        list[i].hold_texts = hold;
        list[i].drop_texts = drop;
    }
    *set =
        (struct upstream_set_options){.upstreams = list,
                                      .count = options->backend_count ? options->backend_count : 1,
                                      .policy = (enum upstream_policy)options->backend_policy};
}

/* ---- As sessions see them ---- */

#define TEXT_BYTES 300 /* a longer name is cut */

/* Sessions and plugins keep pointers to it beyond the upstream's life, so that it lives as long as the gateway; one
 * that comes back after a reload has the one that it had. */
struct backend_view {
    struct session_backend backend; /* first */
    unsigned index;
    char name[TEXT_BYTES], address[TEXT_BYTES], label[2 * TEXT_BYTES];
};

struct backend_views {
    pthread_mutex_t lock;
    struct backend_view **list;
    size_t count, capacity;
};

static enum backend_security security_of(const struct upstream_tls *tls)
{
    return tls->mode == UPSTREAM_TLS_OFF         ? BACKEND_STAYS_PLAIN
           : tls->mode == UPSTREAM_TLS_PREFERRED ? BACKEND_SECURES_IF_OFFERED
                                                 : BACKEND_MUST_BE_SECURE;
}

/* Returns owned, or NULL without memory. */
static struct backend_view *view_of(const struct upstream *upstream, unsigned number)
{
    struct backend_view *view = calloc(1, sizeof *view);
    if (!view)
        return NULL;
    snprintf(view->name, sizeof view->name, "%s", upstream_name(upstream));
    snprintf(view->address, sizeof view->address, "%s", upstream_address(upstream));
    snprintf(view->label, sizeof view->label, "%s", upstream_label(upstream));
    view->backend =
        (struct session_backend){.name = view->name,
                                 .address = view->address,
                                 .label = view->label,
                                 .sends_proxy_header = upstream_sends_proxy_header(upstream),
                                 .is_local = upstream_is_local(upstream),
                                 .security = security_of(upstream_tls(upstream)),
                                 .tls_mode = upstream_tls_mode_name(upstream_tls(upstream)->mode),
                                 .number = number};
    return view;
}

static bool is_same_view(const struct backend_view *view, const struct backend_view *other)
{
    const struct session_backend *own = &view->backend, *its = &other->backend;
    return strcmp(own->name, its->name) == 0 && strcmp(own->address, its->address) == 0 &&
           own->sends_proxy_header == its->sends_proxy_header && own->security == its->security &&
           own->tls_mode == its->tls_mode && own->number == its->number;
}

/* The lock is held. */
static bool make_room(struct backend_views *views)
{
    if (views->count < views->capacity)
        return true;
    const size_t capacity = views->capacity ? 2 * views->capacity : 8;
    struct backend_view **list = realloc(views->list, capacity * sizeof(void *));
    if (!list)
        return false;
    views->list = list;
    views->capacity = capacity;
    return true;
}

static const void *find_or_add_view(void *user, const struct upstream *upstream, unsigned number)
{
    struct backend_views *views = ((struct gateway *)user)->views;
    struct backend_view *fresh = view_of(upstream, number), *found = NULL;
    pthread_mutex_lock(&views->lock);
    for (size_t i = 0; fresh && !found && i < views->count; i++)
        if (is_same_view(views->list[i], fresh))
            found = views->list[i];
    if (fresh && !found && make_room(views)) {
        found = fresh;
        found->index = (unsigned)views->count;
        views->list[views->count++] = found;
    }
    pthread_mutex_unlock(&views->lock);
    if (found != fresh)
        free(fresh);
    return found;
}

unsigned backend_view_index(const struct session_backend *backend)
{
    return ((const struct backend_view *)backend)->index;
}

const struct session_backend *backend_view_at(struct gateway *gateway, unsigned index)
{
    struct backend_views *views = gateway->views;
    pthread_mutex_lock(&views->lock);
    assert(index < views->count);
    const struct session_backend *backend = &views->list[index]->backend;
    pthread_mutex_unlock(&views->lock);
    return backend;
}

int backend_kill(struct gateway *gateway, const struct session_backend *backend,
                 const char *statement, struct error *error)
{
    struct upstream *upstream = upstream_set_pin(gateway->upstreams, backend);
    if (!upstream)
        return error_set(error, "the backend %s was removed, and the session with it",
                         backend->label);
    const int status = upstream_kill(upstream, statement, error);
    upstream_unpin(upstream);
    return status;
}

static WEIR_MUST_CHECK int make_views(struct gateway *gateway, struct error *error)
{
    gateway->views = calloc(1, sizeof *gateway->views);
    if (!gateway->views)
        return error_set(error, "out of memory");
    pthread_mutex_init(&gateway->views->lock, NULL);
    return 0;
}

static void free_views(struct backend_views *views)
{
    for (size_t i = 0; views && i < views->count; i++)
        free(views->list[i]);
    if (views) {
        free(views->list);
        pthread_mutex_destroy(&views->lock);
    }
    free(views);
}

/* ---- The set ---- */

/* The only one; workers look when they are woken. The ids of two servers may be the same number, and KILL of it
 * would end the wrong session: once there has been another server, the gateway's are given out. */
static void note_only_one(struct gateway *gateway)
{
    const bool is_one = upstream_set_count(gateway->upstreams) == 1;
    const struct session_backend *before = atomic_load(&gateway->only_backend);
    struct upstream *upstream = upstream_set_pin_at(gateway->upstreams, 0);
    const struct session_backend *only = is_one ? upstream_tag(upstream) : NULL;
    if (!only || (before && strcmp(only->address, before->address) != 0))
        atomic_store(&gateway->ids_are_backends, false);
    atomic_store(&gateway->only_backend, only);
    upstream_unpin(upstream);
}

/* Looks block their threads, one a backend at a time: statements that work there must not wait for a
 * server that does not answer. A reload may add some. */
static void make_room_for_looks(size_t count)
{
    enum { USUAL = 4, MORE = 4 };
    char size[16];
    snprintf(size, sizeof size, "%zu", USUAL + MORE + count);
    setenv("UV_THREADPOOL_SIZE", size, 0);
}

/* Those that are new ask at their first look. */
static void ask_for_accounts(const struct gateway *gateway,
                             struct gateway_configuration *configuration,
                             struct upstream_options *list, size_t count)
{
    struct strbuf *question = &configuration->accounts_question;
    const size_t asked = named_accounts_question(gateway->named_accounts, question);
    for (size_t i = 0; i < count; i++) {
        list[i].accounts_question = question->size ? question->data : NULL;
        list[i].asked_accounts = asked;
    }
}

int backends_start(struct gateway *gateway, uv_loop_t *loop, upstream_on_looked *on_looked,
                   void *user, struct error *error)
{
    struct upstream_options list[GATEWAY_BACKENDS_MOST];
    struct upstream_set_options set;
    if (make_views(gateway, error))
        return -1;
    backends_describe(gateway->configuration, list, &set);
    ask_for_accounts(gateway, gateway->configuration, list, set.count);
    set.tag = find_or_add_view;
    set.tag_user = gateway;
    if (gateway->options->backend_count > 0)
        make_room_for_looks(set.count);
    gateway->upstreams = upstream_set_new(&set, error);
    if (!gateway->upstreams || upstream_set_start(gateway->upstreams, loop, on_looked, user, error))
        return -1;
    atomic_store(&gateway->ids_are_backends, gateway->options->backend_first);
    note_only_one(gateway);
    return 0;
}

/* The embedded server is a part of this process, as it was started. */
int backends_prepare(struct gateway *gateway, struct gateway_configuration *fresh,
                     void (*on_ready)(void *user), void *user, struct error *error)
{
    struct upstream_options list[GATEWAY_BACKENDS_MOST];
    struct upstream_set_options set;
    const bool is_embedded = gateway->options->backend_count == 0;
    if (is_embedded != (fresh->options.backend_count == 0))
        return error_set(error,
                         "-backend: from the embedded MariaDB to other servers, or back, is a "
                         "change for the next start");
    backends_describe(fresh, list, &set);
    ask_for_accounts(gateway, fresh, list, set.count);
    return upstream_set_prepare(gateway->upstreams, &set, on_ready, user, error);
}

void backends_commit(struct gateway *gateway)
{
    upstream_set_commit(gateway->upstreams);
    note_only_one(gateway);
    atomic_fetch_add(&gateway->drains, 1);
}

void backends_end_sessions(struct gateway *gateway)
{
    bool is_due = false;
    struct upstream *upstream = NULL;
    for (size_t i = 0; (upstream = upstream_set_pin_at(gateway->upstreams, i)); i++) {
        struct upstream_status status;
        upstream_status(upstream, &status);
        is_due = is_due || (status.sessions && (upstream_mode(upstream) == UPSTREAM_DRAINING ||
                                                upstream_is_lost(upstream, 0)));
        upstream_unpin(upstream);
    }
    if (!is_due)
        return;
    atomic_fetch_add(&gateway->drains, 1);
    uv_async_send(gateway->wake_workers);
}

void backends_free(struct gateway *gateway)
{
    upstream_set_free(gateway->upstreams);
    free_views(gateway->views);
}
