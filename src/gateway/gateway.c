/* SPDX-License-Identifier: Apache-2.0
 *
 * The main loop: it starts the upstream, the workers and the listeners in this order, and stops them
 * in the opposite one. Its phases only go forward:
 *
 *     starting ──► serving ──► draining ──► over: the workers are joined, the upstream stops
 *
 * It waits for the first look at the upstream before it serves: clients are greeted with what the
 * server says of itself. */
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

#include "gateway/compression_names.h"
#include "gateway/reporting.h"
#include "gateway/service_manager.h"
#include "gateway/trace_loading.h"
#include "gateway/worker.h"
#include "sql/sql.h"
#include "wire/wire.h"

#define DRAIN_LOOK_MS 20
#define MAX_LISTENERS 16

enum phase { PHASE_STARTING, PHASE_SERVING, PHASE_DRAINING, PHASE_OVER };

struct server {
    struct gateway gateway;
    uv_loop_t loop;
    uv_signal_t terminate, interrupt, hangup;
    uv_timer_t drain_timer;
    uv_async_t wake_workers;
    uv_work_t flush;
    bool flushing;
    uv_work_t key; /* its data is set once the work has begun */
    struct listener listeners[MAX_LISTENERS];
    size_t listener_count;
    struct worker *workers;
    size_t worker_count;
    struct watchdog *watchdog; /* NULL: nobody watches */
    struct activity **activities;
    struct service_pulse pulse;
    struct reporting *reporting; /* NULL: there is no status port */
    enum phase phase;
    uint64_t drain_until_ms;
    int status;
    struct error *error;
};

static void stop(struct server *server);

_Static_assert(GATEWAY_BACKENDS_MOST == UPSTREAM_MOST, "the room upstream takes as many");

const char *const gateway_policies[] = {
#define X(enumerator, name) name,
    UPSTREAM_POLICIES(X)
#undef X
        NULL};

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
    for (size_t i = 0; i < server->listener_count; i++)
        if (listener_start(&server->listeners[i], &server->loop, on_accepted, server,
                           server->error))
            return -1;
    say_how(server->gateway.options);
    service_is_ready();
    return 0;
}

/* Sessions of backends that are lost are ended, and those that were logging in when a drain began. */
static void end_sessions(struct gateway *gateway)
{
    bool is_due = false;
    for (size_t i = 0; i < upstream_set_count(gateway->upstreams); i++) {
        struct upstream_status status;
        struct upstream *upstream = upstream_set_at(gateway->upstreams, i);
        upstream_status(upstream, &status);
        is_due = is_due || (status.sessions && (upstream_mode(upstream) == UPSTREAM_DRAINING ||
                                                upstream_is_lost(upstream, 0)));
    }
    if (!is_due)
        return;
    atomic_fetch_add(&gateway->drains, 1);
    uv_async_send(gateway->wake_workers);
}

static void prepare_key(uv_work_t *work)
{
    (void)password_key_prepare(((struct server *)work->data)->gateway.password_key);
}

/* A backend with TLS may be told passwords that clients without TLS encrypt for the gateway. The keys take
 * too long to make while a client waits. */
static void prepare_for_passwords(struct server *server)
{
    for (size_t i = 0; i < upstream_set_count(server->gateway.upstreams); i++) {
        struct upstream_profile profile;
        if (upstream_profile(upstream_set_at(server->gateway.upstreams, i), &profile) &&
            profile.capabilities & WIRE_CAP(CLIENT_SSL) && !server->key.data) {
            server->key.data = server;
            uv_queue_work(&server->loop, &server->key, prepare_key, NULL);
        }
    }
}

/* The embedded server is waited for; another one may come later. */
static void on_looked(void *user, bool answers)
{
    struct server *server = user;
    bool may_serve =
        answers || !upstream_is_embedded(upstream_set_at(server->gateway.upstreams, 0));
    if (server->phase == PHASE_STARTING && may_serve && start_serving(server)) {
        server->status = -1;
        stop(server);
    }
    end_sessions(&server->gateway);
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
    for (size_t i = 0; i < server->worker_count; i++)
        worker_join(&server->workers[i]);
    watchdog_stop(server->watchdog);
    service_pulse_stop(&server->pulse);
    server->worker_count = 0;
    if (server->gateway.upstreams)
        upstream_set_stop(server->gateway.upstreams);
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

static void stop(struct server *server)
{
    if (server->phase >= PHASE_DRAINING)
        return;
    log_info("gateway",
             "stopping: no new connections; statements and transactions may end (%ld s at most)",
             server->gateway.options->drain_timeout_s);
    server->phase = PHASE_DRAINING;
    service_stops(server->gateway.options->drain_timeout_s);
    for (size_t i = 0; i < server->listener_count; i++)
        listener_close(&server->listeners[i]);
    atomic_store(&server->gateway.draining, true);
    for (size_t i = 0; i < server->worker_count; i++)
        worker_wake(&server->workers[i], false);
    server->drain_until_ms =
        uv_now(&server->loop) + (uint64_t)server->gateway.options->drain_timeout_s * 1000;
    uv_timer_start(&server->drain_timer, on_drain_timer, 0, DRAIN_LOOK_MS);
}

/* On SIGHUP plugins reread and reopen their files, as by FLUSH TIDB PLUGINS of all of them. */
static void flush_plugins(uv_work_t *work)
{
    struct plugin_registry *registry = ((struct server *)work->data)->gateway.registry;
    for (size_t i = 0; i < plugin_count(registry); i++) {
        struct error error = {""};
        const char *name = plugin_row_at(registry, i).name;
        if (plugin_can_flush(registry, i) && plugin_flush(registry, NULL, name, &error))
            log_error("plugin", "SIGHUP: %s", error.message);
    }
}

static void on_flushed(uv_work_t *work, int cancelled)
{
    (void)cancelled;
    ((struct server *)work->data)->flushing = false;
}

static void reopen(struct server *server)
{
    struct error error = {""};
    service_reloads();
    if (log_open(server->gateway.options->log_file, &error) ||
        (server->gateway.tls && tls_context_reload(server->gateway.tls, &error)) ||
        upstream_set_reload_tls(server->gateway.upstreams, &error) ||
        reporting_reload(server->reporting, &error))
        log_error("gateway", "SIGHUP: %s", error.message);
    else
        log_info("gateway", "SIGHUP: log and certificates read again; plugins are flushed");
    if (server->phase == PHASE_SERVING)
        service_is_ready();
    if (server->flushing)
        return;
    server->flushing = true;
    server->flush.data = server;
    uv_queue_work(&server->loop, &server->flush, flush_plugins, on_flushed);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    if (number == SIGHUP) {
        reopen(server);
        return;
    }
    if (server->phase == PHASE_DRAINING) /* asked twice: do not wait */
        server->drain_until_ms = 0;
    stop(server);
}

/* ---- Starting ---- */

static void describe_backends(const struct gateway_options *options,
                              struct upstream_options list[GATEWAY_BACKENDS_MOST])
{
    for (size_t i = 0; i < options->backend_count; i++) {
        const struct gateway_backend *backend = &options->backends[i];
        list[i] = (struct upstream_options){
            .name = backend->name,
            .address = backend->address,
            .role = backend->role,
            .weight = (unsigned)backend->weight,
            .sends_proxy_header = backend->proxy_protocol,
            .connect_timeout_s = options->connect_timeout_s,
            .tls = backend->tls,
            .checks = {.user = options->checks.user, .password = options->checks.password}};
        if (options->backend_count > 1)
            list[i].checks = (struct upstream_checks){.interval_ms = options->checks.interval_ms,
                                                      .rise = (unsigned)options->checks.rise,
                                                      .fall = (unsigned)options->checks.fall,
                                                      .slow_start_s = options->checks.slow_start_s,
                                                      .lost_s = options->checks.lost_s,
                                                      .user = options->checks.user,
                                                      .password = options->checks.password,
                                                      .query = options->checks.query,
                                                      .expected = options->checks.expected,
                                                      .galera = options->checks.galera};
    }
    if (options->backend_count == 0)
        list[0] = (struct upstream_options){.data_directory = options->data_directory,
                                            .mariadbd = options->mariadbd,
                                            .connect_timeout_s = options->connect_timeout_s,
                                            .tls = options->backend_tls};
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

static WEIR_MUST_CHECK int start_upstreams(struct server *server, struct error *error)
{
    const struct gateway_options *options = server->gateway.options;
    struct upstream_options list[GATEWAY_BACKENDS_MOST];
    struct gateway *gateway = &server->gateway;
    describe_backends(options, list);
    const struct upstream_set_options set = {
        .upstreams = list,
        .count = options->backend_count ? options->backend_count : 1,
        .policy = (enum upstream_policy)options->backend_policy};
    if (set.count > 1)
        make_room_for_looks(set.count);
    gateway->upstreams = upstream_set_new(&set, error);
    if (!gateway->upstreams ||
        upstream_set_start(gateway->upstreams, &server->loop, on_looked, server, error))
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

/* Sockets that the service manager has opened take the place of those of the options. */
static WEIR_MUST_CHECK int adopt_listeners(struct server *server, int first, int count,
                                           struct error *error)
{
    if (count > MAX_LISTENERS)
        return error_set(error, "the service manager gives %d sockets; weir-server takes %d", count,
                         MAX_LISTENERS);
    for (int i = 0; i < count; i++) {
        if (listener_adopt(&server->listeners[i], first + i, error))
            return -1;
        server->listener_count++;
    }
    return 0;
}

static WEIR_MUST_CHECK int open_listeners(struct server *server, struct error *error)
{
    const struct gateway_options *options = server->gateway.options;
    int first = 0;
    const int given = service_listening_sockets(&first, error);
    if (given)
        return given < 0 ? -1 : adopt_listeners(server, first, given, error);
    if (options->port) {
        if (listener_open_tcp(&server->listeners[server->listener_count], options->host,
                              options->port, "-host", "-P", error))
            return -1;
        server->listener_count++;
    }
    if (options->socket && *options->socket) {
        if (listener_open_unix(&server->listeners[server->listener_count], options->socket, error))
            return -1;
        server->listener_count++;
    }
    if (server->listener_count == 0)
        return error_set(error, "nothing to listen on: give -P PORT or -socket PATH");
    return 0;
}

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
    uv_timer_init(&server->loop, &server->drain_timer);
    server->terminate.data = server->interrupt.data = server->hangup.data = server;
    uv_async_init(&server->loop, &server->wake_workers, on_wake_workers);
    server->drain_timer.data = server->wake_workers.data = server;
    server->gateway.wake_workers = &server->wake_workers;
    uv_signal_start(&server->terminate, on_signal, SIGTERM);
    uv_signal_start(&server->interrupt, on_signal, SIGINT);
    uv_signal_start(&server->hangup, on_signal, SIGHUP);
}

static int start(struct server *server, struct error *error)
{
    const struct gateway_options *options = server->gateway.options;
    const struct tls_options tls = {.prefix = "-",
                                    .certificate = options->tls_certificate,
                                    .key = options->tls_key,
                                    .ca = options->tls_ca,
                                    .automatic = options->tls_automatic};
    if (tls_context_open(&server->gateway.tls, &tls, error) ||
        networks_parse(options->proxy_networks, &server->gateway.proxies, error) ||
        compression_capabilities("compression", options->compression, &server->gateway.compression,
                                 error) ||
        compression_capabilities("backend-compression", options->backend_compression,
                                 &server->gateway.backend_compression, error))
        return -1;
    if (trace_loading_open(&server->gateway, error))
        return -1;
    if (options->require_tls && !server->gateway.tls)
        return error_set(error,
                         "-require-secure-transport: there is no certificate; give -ssl-cert and "
                         "-ssl-key, or -auto-tls");
    if (open_listeners(server, error) || start_upstreams(server, error))
        return -1;
    server->gateway.connection_ids = connection_ids_new();
    if (!server->gateway.connection_ids)
        return error_set(error, "out of memory");
    if (options->backend_count > 0) { /* the embedded server needs none */
        server->gateway.password_key = password_key_new(error);
        if (!server->gateway.password_key)
            return -1;
    }
    if (start_workers(server, error))
        return -1;
    return reporting_open(&server->reporting, &server->gateway, error);
}

const char *gateway_known_name(uint32_t list, size_t index)
{
    if (list == WEIR_NAMES_COMMAND)
        return index <= UINT8_MAX ? wire_command_name((uint8_t)index) : NULL;
    return list == WEIR_NAMES_KIND ? sql_kind_name_at(index) : NULL;
}

int gateway_run(const struct gateway_options *options, struct plugin_registry *registry,
                struct error *error)
{
    assert(options && registry && error);
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return error_set(error, "out of memory");
    signal(SIGPIPE, SIG_IGN);
    server->gateway.options = options;
    server->gateway.registry = registry;
    server->error = error;
    raise_file_limit(options);
    return_large_buffers();
    init_loop(server);
    server->status = start(server, error);
    if (server->status) {
        for (size_t i = 0; i < server->listener_count; i++)
            listener_close(&server->listeners[i]);
        finish(server);
    }
    uv_run(&server->loop, UV_RUN_DEFAULT);
    close_signals(server);
    int status = server->status;
    const long cut_off = atomic_load(&server->gateway.cut_off);
    uv_loop_close(&server->loop);
    uv_library_shutdown(); /* joins the pool's threads: what OpenSSL keeps for each goes with it */
    upstream_set_free(server->gateway.upstreams);
    free(server->gateway.backends);
    connection_ids_free(server->gateway.connection_ids);
    tls_context_free(server->gateway.tls);
    password_key_free(server->gateway.password_key);
    networks_free(server->gateway.proxies);
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
