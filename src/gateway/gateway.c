/* SPDX-License-Identifier: Apache-2.0
 *
 * The main loop: it starts the upstream, the workers and the listeners in this order, and stops them
 * in the opposite one. Its phases only go forward:
 *
 *     starting ──► serving ──► waiting ──► draining ──► over: the workers are joined, the upstream stops
 *                      └─────────────────────┘
 *
 * While it waits (graceful-wait-before-shutdown) it serves as before, but tells balancers to look elsewhere.
 *
 * It waits for the first look at the upstream before it serves: clients are greeted with what the
 * server says of itself. A node of a cluster waits for its number, too. */
#include "gateway/gateway.h"

#include <assert.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/backends.h"
#include "gateway/cluster_link.h"
#include "gateway/configuration.h"
#include "gateway/listeners.h"
#include "gateway/named_accounts.h"
#include "gateway/processes.h"
#include "gateway/reload.h"
#include "gateway/reporting.h"
#include "gateway/service_manager.h"
#include "gateway/trace_loading.h"
#include "gateway/worker.h"
#include "sql/sql.h"
#include "wire/wire.h"

#define DRAIN_LOOK_MS 20

enum phase { PHASE_STARTING, PHASE_SERVING, PHASE_WAITING, PHASE_DRAINING, PHASE_OVER };

struct server {
    struct gateway gateway;
    uv_loop_t loop;
    uv_signal_t terminate, interrupt, hangup;
    uv_timer_t wait_timer, drain_timer;
    uv_async_t wake_workers;
    uv_work_t key; /* its data is set once the work has begun */
    struct listeners listeners;
    struct worker *workers;
    size_t worker_count;
    struct watchdog *watchdog; /* NULL: nobody watches */
    struct activity **activities;
    struct service_pulse pulse;
    struct reporting *reporting; /* NULL: there is no status port */
    struct process_store *store; /* borrowed */
    enum phase phase;
    bool may_serve; /* the backend is there, or need not be */
    uint64_t drain_until_ms;
    int status;
    struct error *error;
};

static void drain(struct server *server);

/* ---- Serving ---- */

static void say_how(const struct gateway_options *options)
{
    if (options->port)
        log_info("gateway", "connect with: mariadb -h %s -P %ld -u root", options->host,
                 options->port);
    else
        log_info("gateway", "connect with: mariadb -S %s -u root", options->socket);
    log_info("gateway", "stop with: Ctrl-C, or kill %ld", (long)getpid());
}

static struct worker *least_busy(const struct server *server)
{
    struct worker *best = &server->workers[0];
    for (size_t i = 1; i < server->worker_count; i++)
        if (atomic_load(&server->workers[i].connection_count) <
            atomic_load(&best->connection_count))
            best = &server->workers[i];
    return best;
}

static void on_accepted(void *user, const struct arrival *arrival)
{
    worker_give(least_busy(user), arrival);
}

static WEIR_MUST_CHECK int start_serving(struct server *server)
{
    server->phase = PHASE_SERVING;
    if (listeners_start(&server->listeners, &server->loop, on_accepted, server, server->error))
        return -1;
    atomic_store(&server->gateway.serving, true);
    say_how(server->gateway.options);
    reload_start(server->gateway.reload);
    service_is_ready();
    return 0;
}

static void prepare_key(uv_work_t *work)
{
    (void)password_key_prepare(((struct server *)work->data)->gateway.password_key);
}

/* A backend with TLS may be told passwords that clients without TLS encrypt for the gateway. The keys take
 * too long to make while a client waits. */
static void prepare_for_passwords(struct server *server)
{
    struct upstream *upstream = NULL;
    for (size_t i = 0; (upstream = upstream_set_pin_at(server->gateway.upstreams, i)); i++) {
        struct upstream_profile profile;
        const bool is_known = upstream_profile(upstream, &profile);
        upstream_unpin(upstream);
        if (is_known && profile.capabilities & WIRE_CAP(CLIENT_SSL) && !server->key.data) {
            server->key.data = server;
            uv_queue_work(&server->loop, &server->key, prepare_key, NULL);
        }
    }
}

static void on_settled(void *user)
{
    struct server *server = user;
    if (server->phase == PHASE_STARTING && server->may_serve &&
        cluster_link_may_serve(server->gateway.cluster) && start_serving(server)) {
        server->status = -1;
        drain(server);
    }
}

/* The embedded server is waited for; another one may come later. */
static void on_looked(void *user, bool answers)
{
    struct server *server = user;
    server->may_serve = server->may_serve || answers || server->gateway.options->backend_count > 0;
    on_settled(server);
    backends_end_sessions(&server->gateway);
    if (server->gateway.password_key)
        prepare_for_passwords(server);
}

/* ---- Stopping ---- */

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void finish(struct server *server)
{
    assert(server->phase != PHASE_OVER);
    server->phase = PHASE_OVER;
    reporting_close(server->reporting);
    for (size_t i = 0; i < server->worker_count; i++)
        worker_wake(&server->workers[i], true);
    processes_close(&server->gateway);
    for (size_t i = 0; i < server->worker_count; i++)
        worker_join(&server->workers[i]);
    watchdog_stop(server->watchdog);
    cluster_link_stop(server->gateway.cluster);
    service_pulse_stop(&server->pulse);
    reload_close(server->gateway.reload);
    server->worker_count = 0;
    if (server->gateway.upstreams)
        upstream_set_stop(server->gateway.upstreams);
    close_handle((uv_handle_t *)&server->wait_timer);
    close_handle((uv_handle_t *)&server->drain_timer);
    close_handle((uv_handle_t *)&server->wake_workers);
    /* Signals are caught to the very end, but do not keep the loop alive. */
    uv_unref((uv_handle_t *)&server->terminate);
    uv_unref((uv_handle_t *)&server->interrupt);
    uv_unref((uv_handle_t *)&server->hangup);
}

static void close_signals(struct server *server)
{
    close_handle((uv_handle_t *)&server->terminate);
    close_handle((uv_handle_t *)&server->interrupt);
    close_handle((uv_handle_t *)&server->hangup);
    uv_run(&server->loop, UV_RUN_DEFAULT);
}

static void on_wake_workers(uv_async_t *handle)
{
    struct server *server = handle->data;
    for (size_t i = 0; i < server->worker_count; i++)
        worker_wake(&server->workers[i], false);
}

static void on_drain_timer(uv_timer_t *timer)
{
    struct server *server = timer->data;
    long left = atomic_load(&server->gateway.connections);
    bool is_late = uv_now(&server->loop) >= server->drain_until_ms;
    if (left && is_late)
        log_warn("gateway", "%ld sessions are still busy after drain-timeout; closing them", left);
    if (left == 0 || is_late)
        finish(server);
}

static void drain(struct server *server)
{
    if (server->phase >= PHASE_DRAINING)
        return;
    log_info("gateway",
             "stopping: no new connections; statements and transactions may end (%ld s at most)",
             server->gateway.options->drain_timeout_s);
    server->phase = PHASE_DRAINING;
    atomic_store(&server->gateway.stopping, true);
    uv_timer_stop(&server->wait_timer);
    reload_stop(server->gateway.reload);
    service_stops("draining", server->gateway.options->drain_timeout_s);
    listeners_close(&server->listeners);
    atomic_store(&server->gateway.draining, true);
    for (size_t i = 0; i < server->worker_count; i++)
        worker_wake(&server->workers[i], false);
    server->drain_until_ms =
        uv_now(&server->loop) + (uint64_t)server->gateway.options->drain_timeout_s * 1000;
    uv_timer_start(&server->drain_timer, on_drain_timer, 0, DRAIN_LOOK_MS);
}

static void on_wait_timer(uv_timer_t *timer)
{
    drain(timer->data);
}

static void stop(struct server *server)
{
    const struct gateway_options *options = server->gateway.options;
    if (server->phase != PHASE_SERVING || options->graceful_wait_s == 0) {
        drain(server);
        return;
    }
    log_info(
        "gateway",
        "stopping in %ld s (graceful-wait-before-shutdown): clients are served until then, and "
        "balancers' checks fail",
        options->graceful_wait_s);
    server->phase = PHASE_WAITING;
    atomic_store(&server->gateway.stopping, true);
    reload_stop(server->gateway.reload);
    service_stops("waiting for balancers", options->graceful_wait_s + options->drain_timeout_s);
    uv_timer_start(&server->wait_timer, on_wait_timer, (uint64_t)options->graceful_wait_s * 1000,
                   0);
}

/* Plugins reread and reopen their files, too, as by FLUSH TIDB PLUGINS of all of them. */
static void on_hangup(struct server *server)
{
    reload_by_signal(server->gateway.reload);
    named_accounts_flush(server->gateway.named_accounts);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    if (number == SIGHUP) {
        on_hangup(server);
        return;
    }
    if (server->phase == PHASE_DRAINING) /* asked once more: do not wait */
        server->drain_until_ms = 0;
    stop(server);
}

/* ---- Starting ---- */

/* The one that says what stands still, and the pulse for the one that starts the gateway again. */
static WEIR_MUST_CHECK int start_watchdogs(struct server *server, size_t count, struct error *error)
{
    long limit_ms = server->gateway.options->stall_limit_ms;
    server->activities = calloc(count, sizeof(struct activity *));
    if (!server->activities)
        return error_set(error, "out of memory for the watchdog");
    for (size_t i = 0; i < count; i++)
        server->activities[i] = &server->workers[i].activity;
    if (service_pulse_start(&server->pulse, &server->loop, server->activities, count, error))
        return -1;
    if (limit_ms == 0)
        return 0;
    server->watchdog = watchdog_start(server->activities, count, limit_ms, error);
    return server->watchdog ? 0 : -1;
}

static WEIR_MUST_CHECK int start_workers(struct server *server, struct error *error)
{
    long cores = server->gateway.options->workers;
    if (cores == 0)
        cores = sysconf(_SC_NPROCESSORS_ONLN);
    server->workers = calloc((size_t)cores, sizeof *server->workers);
    if (!server->workers)
        return error_set(error, "out of memory for %ld workers", cores);
    server->gateway.workers = server->workers;
    server->gateway.worker_count = (size_t)cores;
    server->gateway.serving_since_ns = clock_monotonic_ns();
    for (long i = 0; i < cores; i++) {
        if (worker_start(&server->workers[i], &server->gateway, error))
            return -1;
        server->worker_count++;
    }
    return start_watchdogs(server, server->worker_count, error);
}

/* Two sockets a session. */
static void raise_file_limit(const struct gateway_options *options)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)options->max_connections * 2 + 64;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        log_warn("gateway",
                 "the limit of open files (%lu) allows fewer than max-connections (%ld) "
                 "sessions; raise it with ulimit -n",
                 (unsigned long)limit.rlim_cur, options->max_connections);
}

/* Buffers of megabytes go back to the system when they are freed. Left alone, the allocator would take
 * them from its heaps from the first freed one on, and keep what lies between. */
static void return_large_buffers(void)
{
    enum { LARGE_BYTES = 1 << 20 };
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

static void init_loop(struct server *server)
{
    uv_loop_init(&server->loop);
    uv_signal_init(&server->loop, &server->terminate);
    uv_signal_init(&server->loop, &server->interrupt);
    uv_signal_init(&server->loop, &server->hangup);
    uv_timer_init(&server->loop, &server->wait_timer);
    uv_timer_init(&server->loop, &server->drain_timer);
    server->terminate.data = server->interrupt.data = server->hangup.data = server;
    uv_async_init(&server->loop, &server->wake_workers, on_wake_workers);
    server->wait_timer.data = server->drain_timer.data = server->wake_workers.data = server;
    server->gateway.wake_workers = &server->wake_workers;
    uv_signal_start(&server->terminate, on_signal, SIGTERM);
    uv_signal_start(&server->interrupt, on_signal, SIGINT);
    uv_signal_start(&server->hangup, on_signal, SIGHUP);
}

/* Before the workers, who give out ids. */
static WEIR_MUST_CHECK int join_cluster(struct server *server, struct error *error)
{
    if (!process_store_shared(server->store))
        return 0;
    server->gateway.cluster = cluster_link_start(&server->gateway, server->store, &server->loop,
                                                 on_settled, server, error);
    return server->gateway.cluster ? 0 : -1;
}

static int start(struct server *server, struct error *error)
{
    const struct gateway_options *options = server->gateway.options;
    const struct tls_options tls = configuration_tls(options);
    struct tls_context *context = NULL;
    if (configuration_prepare(server->gateway.configuration, error) ||
        tls_context_open(&context, &tls, error))
        return -1;
    atomic_store(&server->gateway.tls, context);
    server->gateway.configuration->offers_tls = context != NULL;
    if (trace_loading_open(&server->gateway, error))
        return -1;
    if (configuration_check_tls(options, context != NULL, error))
        return -1;
    if (listeners_open(&server->listeners, options, error) ||
        backends_start(&server->gateway, &server->loop, on_looked, server, error))
        return -1;
    server->gateway.connection_ids = connection_ids_new();
    if (!server->gateway.connection_ids)
        return error_set(error, "out of memory");
    if (options->backend_count > 0) { /* the embedded server needs none */
        server->gateway.password_key = password_key_new(error);
        if (!server->gateway.password_key)
            return -1;
    }
    if (join_cluster(server, error) || start_workers(server, error))
        return -1;
    processes_open(&server->gateway);
    return reporting_open(&server->reporting, &server->gateway, error);
}

const char *gateway_known_name(uint32_t list, size_t index)
{
    if (list == WEIR_NAMES_COMMAND)
        return index <= UINT8_MAX ? wire_command_name((uint8_t)index) : NULL;
    return list == WEIR_NAMES_KIND ? sql_kind_name_at(index) : NULL;
}

/* Returns owned, or NULL without memory. */
static WEIR_MUST_CHECK struct server *server_new(struct gateway_configuration *configuration,
                                                 struct plugin_registry *registry,
                                                 struct error *error)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return NULL;
    struct gateway *gateway = &server->gateway;
    gateway_configuration_hold(configuration);
    gateway->configuration = configuration;
    gateway->options = &configuration->options;
    gateway->registry = registry;
    pthread_mutex_init(&gateway->configuration_lock, NULL);
    pthread_mutex_init(&gateway->visits_lock, NULL);
    server->error = error;
    init_loop(server);
    gateway->reload = reload_new(gateway, &server->loop, &server->reporting, &server->listeners);
    gateway->named_accounts = named_accounts_new(gateway, &server->loop);
    if (gateway->reload && gateway->named_accounts)
        return server;
    named_accounts_free(gateway->named_accounts);
    gateway_configuration_drop(configuration);
    free(server);
    return NULL;
}

int gateway_run(struct gateway_configuration *configuration, struct plugin_registry *registry,
                struct process_store *store, struct error *error)
{
    assert(configuration && registry && store && error);
    signal(SIGPIPE, SIG_IGN);
    struct server *server = server_new(configuration, registry, error);
    if (!server)
        return error_set(error, "out of memory");
    server->store = store;
    raise_file_limit(&configuration->options);
    return_large_buffers();
    server->status = start(server, error);
    if (server->status) {
        listeners_close(&server->listeners);
        finish(server);
    }
    uv_run(&server->loop, UV_RUN_DEFAULT);
    close_signals(server);
    int status = server->status;
    const long cut_off = atomic_load(&server->gateway.cut_off);
    uv_loop_close(&server->loop);
    uv_library_shutdown(); /* joins the pool's threads: what OpenSSL keeps for each goes with it */
    backends_free(&server->gateway);
    named_accounts_free(server->gateway.named_accounts);
    connection_ids_free(server->gateway.connection_ids);
    tls_context_free(atomic_load(&server->gateway.tls));
    password_key_free(server->gateway.password_key);
    reload_free(server->gateway.reload);
    pthread_mutex_destroy(&server->gateway.configuration_lock);
    pthread_mutex_destroy(&server->gateway.visits_lock);
    gateway_configuration_drop(server->gateway.configuration);
    trace_loading_close(&server->gateway);
    free(server->workers);
    free(server->activities);
    free(server);
    if (status == 0 && cut_off)
        log_warn("gateway", "stopped; %ld statements or transactions were cut off", cut_off);
    else if (status == 0)
        log_info("gateway", "stopped");
    return status == 0 && cut_off ? GATEWAY_HAS_CUT_OFF : status;
}
