/* SPDX-License-Identifier: Apache-2.0
 *
 * The main loop: it starts the backend, the workers and the listeners in this order, and stops them
 * in the opposite one. Its phases only go forward:
 *
 *     starting ──► serving ──► draining ──► stopping workers ──► stopping the backend ──► over
 *
 * The backend is probed from the pool's threads, since a probe blocks, whenever its greeting is not
 * known. */
#include "gateway/gateway.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/directory.h"
#include "gateway/embedded.h"
#include "gateway/listener.h"
#include "gateway/tls.h"
#include "gateway/tracing.h"
#include "gateway/worker.h"

#define PROBE_PAUSE_MS 200
#define DRAIN_LOOK_MS  20
#define MAX_LISTENERS  2

enum phase { PHASE_STARTING, PHASE_SERVING, PHASE_DRAINING, PHASE_STOPPING, PHASE_OVER };

struct server {
    struct gateway gateway;
    uv_loop_t loop;
    uv_signal_t terminate, interrupt, hangup;
    uv_timer_t probe_timer, drain_timer;
    uv_async_t wake_workers;
    uv_work_t probe, flush;
    bool probing, flushing;
    struct error probe_error;
    int probe_status;
    bool said_waiting;
    struct embedded *embedded;
    struct listener listeners[MAX_LISTENERS];
    size_t listener_count;
    struct worker *workers;
    size_t worker_count;
    enum phase phase;
    uint64_t drain_until_ms;
    int status;
    struct error *error;
};

static void stop(struct server *server);

/* ---- The backend's profile ---- */

static void probe_in_pool(uv_work_t *work)
{
    struct server *server = work->data;
    server->probe_status = backend_probe(
        &server->gateway.backend, server->gateway.options->connect_timeout_s, &server->probe_error);
}

static void say_how(const struct gateway_options *options)
{
    if (options->port)
        log_info("gateway", "connect with: mariadb -h %s -P %ld -u root", options->host,
                 options->port);
    else
        log_info("gateway", "connect with: mariadb -S %s -u root", options->socket);
    log_info("gateway", "stop with: Ctrl-C, or kill %ld", (long)getpid());
}

static int start_serving(struct server *server)
{
    server->phase = PHASE_SERVING;
    for (size_t i = 0; i < server->listener_count; i++)
        if (listener_start(&server->listeners[i], &server->loop, server->workers,
                           server->worker_count, server->error))
            return -1;
    say_how(server->gateway.options);
    return 0;
}

static void on_probe_timer(uv_timer_t *timer);

static void on_probed(uv_work_t *work, int cancelled)
{
    struct server *server = work->data;
    const struct backend *backend = &server->gateway.backend;
    server->probing = false;
    if (cancelled || server->phase > PHASE_SERVING)
        return;
    if (server->probe_status == 0) {
        const struct backend_profile *profile = atomic_load(&server->gateway.backend.profile);
        log_info("backend", "%s is %s", backend->address_text, profile->version);
    } else if (!server->said_waiting) {
        server->said_waiting = true;
        if (backend->is_embedded)
            log_info("backend", "waiting for the embedded MariaDB to answer");
        else
            log_warn("backend", "%s; clients get an error until it answers",
                     server->probe_error.message);
    }
    /* The embedded one is waited for; an upstream backend may come later. */
    bool may_serve = server->probe_status == 0 || !backend->is_embedded;
    if (server->phase == PHASE_STARTING && may_serve && start_serving(server)) {
        server->status = -1;
        stop(server);
        return;
    }
    if (server->probe_status)
        uv_timer_start(&server->probe_timer, on_probe_timer, PROBE_PAUSE_MS, 0);
}

static void on_probe_timer(uv_timer_t *timer)
{
    struct server *server = timer->data;
    if (server->probing || server->phase > PHASE_SERVING)
        return;
    server->probing = true;
    server->probe.data = server;
    uv_queue_work(&server->loop, &server->probe, probe_in_pool, on_probed);
}

/* ---- Stopping ---- */

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void finish(struct server *server)
{
    server->phase = PHASE_OVER;
    for (size_t i = 0; i < server->worker_count; i++)
        worker_wake(&server->workers[i], true);
    for (size_t i = 0; i < server->worker_count; i++)
        worker_join(&server->workers[i]);
    server->worker_count = 0;
    if (server->embedded)
        embedded_stop(server->embedded);
    uv_timer_stop(&server->probe_timer);
    close_handle((uv_handle_t *)&server->probe_timer);
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
    log_info("gateway", "stopping: no new connections; running statements may end (%ld s at most)",
             server->gateway.options->drain_timeout_s);
    server->phase = PHASE_DRAINING;
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
static void flush_in_pool(uv_work_t *work)
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
    if (log_open(server->gateway.options->log_file, &error) ||
        (server->gateway.tls && tls_context_reload(server->gateway.tls, &error)))
        log_error("gateway", "SIGHUP: %s", error.message);
    else
        log_info("gateway", "SIGHUP: log and certificates read again; plugins are flushed");
    if (server->flushing)
        return;
    server->flushing = true;
    server->flush.data = server;
    uv_queue_work(&server->loop, &server->flush, flush_in_pool, on_flushed);
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

static void on_embedded_state(void *user, bool running)
{
    struct server *server = user;
    server->said_waiting = false;
    if (running && server->phase <= PHASE_SERVING)
        uv_timer_start(&server->probe_timer, on_probe_timer, 0, 0);
}

static int choose_backend(struct server *server, struct error *error)
{
    const struct gateway_options *options = server->gateway.options;
    struct backend *backend = &server->gateway.backend;
    if (options->backend && *options->backend) {
        if (backend_parse(backend, options->backend, error))
            return -1;
        backend->sends_proxy_header = options->proxy_protocol;
        if (!backend->host[0] && !backend->sends_proxy_header)
            log_warn("backend",
                     "%s: every client looks like localhost to it; accounts are not told "
                     "apart by host. Use tcp://, or -proxy-protocol",
                     backend->address_text);
        uv_timer_start(&server->probe_timer, on_probe_timer, 0, 0);
        return 0;
    }
    struct embedded_options embedded = {options->data_directory, options->mariadbd,
                                        on_embedded_state, server};
    server->embedded = embedded_start(&server->loop, &embedded, error);
    if (!server->embedded)
        return -1;
    char text[256];
    snprintf(text, sizeof text, "unix://%s", embedded_socket(server->embedded));
    backend->is_embedded = true;
    backend->sends_proxy_header = true;
    return backend_parse(backend, text, error);
}

static int open_listeners(struct server *server, struct error *error)
{
    const struct gateway_options *options = server->gateway.options;
    if (options->port) {
        if (listener_open_tcp(&server->listeners[server->listener_count], options->host,
                              options->port, error))
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

static int start_workers(struct server *server, struct error *error)
{
    long cores = server->gateway.options->workers;
    if (cores == 0)
        cores = sysconf(_SC_NPROCESSORS_ONLN);
    server->workers = calloc((size_t)cores, sizeof *server->workers);
    if (!server->workers)
        return error_set(error, "out of memory for %ld workers", cores);
    for (long i = 0; i < cores; i++) {
        if (worker_start(&server->workers[i], &server->gateway, error))
            return -1;
        server->worker_count++;
    }
    return 0;
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

static void init_loop(struct server *server)
{
    uv_loop_init(&server->loop);
    uv_signal_init(&server->loop, &server->terminate);
    uv_signal_init(&server->loop, &server->interrupt);
    uv_signal_init(&server->loop, &server->hangup);
    uv_timer_init(&server->loop, &server->probe_timer);
    uv_timer_init(&server->loop, &server->drain_timer);
    server->terminate.data = server->interrupt.data = server->hangup.data = server;
    uv_async_init(&server->loop, &server->wake_workers, on_wake_workers);
    server->probe_timer.data = server->drain_timer.data = server->wake_workers.data = server;
    server->gateway.wake_workers = &server->wake_workers;
    uv_signal_start(&server->terminate, on_signal, SIGTERM);
    uv_signal_start(&server->interrupt, on_signal, SIGINT);
    uv_signal_start(&server->hangup, on_signal, SIGHUP);
}

static int start(struct server *server, struct error *error)
{
    const struct gateway_options *options = server->gateway.options;
    struct tls_options tls = {options->tls_certificate, options->tls_key, options->tls_ca,
                              options->tls_automatic};
    if (tls_context_open(&server->gateway.tls, &tls, error))
        return -1;
    if (tracing_open(&server->gateway, error))
        return -1;
    if (options->require_tls && !server->gateway.tls)
        return error_set(error,
                         "-require-secure-transport: there is no certificate; give -ssl-cert and "
                         "-ssl-key, or -auto-tls");
    if (open_listeners(server, error) || choose_backend(server, error))
        return -1;
    server->gateway.directory = directory_new();
    if (!server->gateway.directory)
        return error_set(error, "out of memory");
    return start_workers(server, error);
}

int gateway_run(const struct gateway_options *options, struct plugin_registry *registry,
                struct error *error)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return error_set(error, "out of memory");
    signal(SIGPIPE, SIG_IGN);
    server->gateway.options = options;
    server->gateway.registry = registry;
    server->gateway.has_plugins = plugin_count(registry) > 0;
    server->gateway.has_variables = plugin_has_variables(registry);
    server->gateway.has_functions = plugin_has_callables(registry);
    server->error = error;
    raise_file_limit(options);
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
    uv_loop_close(&server->loop);
    if (server->embedded)
        embedded_free(server->embedded);
    backend_release(&server->gateway.backend);
    directory_free(server->gateway.directory);
    tls_context_free(server->gateway.tls);
    tracing_close(&server->gateway);
    free(server->workers);
    free(server);
    if (status == 0)
        log_info("gateway", "stopped");
    return status;
}
