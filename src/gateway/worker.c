/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker's loop, its inbox, and what its sessions ask of the process. */
#include "gateway/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/backends.h"
#include "gateway/cluster_link.h"
#include "gateway/compression_names.h"
#include "gateway/configuration.h"
#include "gateway/connection.h"
#include "gateway/crash.h"
#include "gateway/ended_statements.h"
#include "gateway/processes.h"
#include "gateway/reload.h"
#include "gateway/trace_loading.h"

#define HOLD_LOOKS                                                                                 \
    8 /* for late holds, in the time that a hold may take: it is an eighth late at most */
#define LAG_PERIOD_MS 100

/* ---- What sessions ask for ---- */

/* Whose a session is is asked only where it may have another backend than who asks, which it may after a reload, or be
 * at another node. */
static const char *user_to_keep(const struct worker *worker, const char *user)
{
    return worker->configuration->options.backend_count || worker->gateway->cluster ? user : NULL;
}

static bool id_add(void *owner, uint32_t id, const struct session_backend *backend,
                   uint32_t backend_id, const char *user)
{
    const struct worker *worker = owner;
    return connection_ids_add(worker->gateway->connection_ids, id, backend_view_index(backend),
                              backend_id, user_to_keep(worker, user));
}

static void id_remove(void *owner, uint32_t id)
{
    const struct worker *worker = owner;
    connection_ids_remove(worker->gateway->connection_ids, id);
}

static bool id_find(void *owner, uint32_t id, const char *user, struct session_place *place)
{
    const struct worker *worker = owner;
    const unsigned node = cluster_link_other_node(worker->gateway->cluster, id);
    struct connection_place found;
    if (!connection_ids_find(worker->gateway->connection_ids, id, user, &found)) {
        *place = (struct session_place){.node = node};
        return node;
    }
    *place = (struct session_place){.backend = backend_view_at(worker->gateway, found.server),
                                    .backend_id = found.server_id,
                                    .is_same_user = found.is_same_user};
    if (node) /* this node had that number once: the other one may have given the id to its own client */
        place->backend_id = CONNECTION_ID_OF_NOBODY;
    return true;
}

static struct upstream *upstream_of(const struct worker *worker,
                                    const struct session_backend *backend)
{
    return upstream_set_at(worker->gateway->upstreams, backend->number);
}

static int kill_elsewhere(void *owner, const struct session_backend *backend, const char *statement,
                          struct error *error)
{
    const struct worker *worker = owner;
    return backend_kill(worker->gateway, backend, statement, error);
}

static void end_statement(void *owner, const struct session_backend *backend, uint32_t connection)
{
    end_at_backend(owner, backend, connection);
}

static bool backend_choose(void *owner, const char *wanted, uint32_t tried,
                           struct session_choice *choice, struct error *error)
{
    const struct worker *worker = owner;
    const struct gateway *gateway = worker->gateway;
    const size_t number =
        upstream_set_choose(gateway->upstreams, wanted, tried, &choice->others, error);
    if (number == POLICY_NONE)
        return false;
    struct upstream *upstream = upstream_set_at(gateway->upstreams, number);
    choice->backend = upstream_tag(upstream);
    choice->turn = upstream_turn(upstream, &choice->addresses);
    return true;
}

static void list_processes(void *owner, struct session_process_list *list)
{
    struct gateway *gateway = ((const struct worker *)owner)->gateway;
    processes_list(gateway, cluster_link_number(gateway->cluster), list);
}

static void backend_leave(void *owner, const struct session_backend *backend)
{
    upstream_count_session(upstream_of(owner, backend), -1);
}

static bool backend_failed(void *owner, const struct session_choice *choice, const char *why)
{
    return upstream_connection_failed(upstream_of(owner, choice->backend), choice->turn, why);
}

static bool backend_describe(void *owner, size_t number, struct session_backend_row *row)
{
    const struct worker *worker = owner;
    const struct gateway *gateway = worker->gateway;
    struct upstream_status status;
    struct upstream *upstream = upstream_set_pin_at(gateway->upstreams, number);
    if (!upstream)
        return false;
    const struct session_backend *backend = upstream_tag(upstream);
    upstream_status(upstream, &status);
    upstream_unpin(upstream);
    *row = (struct session_backend_row){.name = backend->name,
                                        .address = backend->address,
                                        .state = status.state,
                                        .since_s = status.since_s,
                                        .sessions = status.sessions,
                                        .checks = status.checks,
                                        .tls = status.tls};
    snprintf(row->last_error, sizeof row->last_error, "%s", status.last_error);
    snprintf(row->version, sizeof row->version, "%s", status.version);
    snprintf(row->role, sizeof row->role, "%s", status.role);
    return true;
}

static int backend_change(void *owner, const char *name, enum session_backend_order order,
                          struct error *error)
{
    static const enum upstream_mode modes[] = {[SESSION_BACKEND_ENABLE] = UPSTREAM_ENABLED,
                                               [SESSION_BACKEND_DISABLE] = UPSTREAM_DISABLED,
                                               [SESSION_BACKEND_DRAIN] = UPSTREAM_DRAINING};
    static const char *const names[] = {[SESSION_BACKEND_ENABLE] = "enabled",
                                        [SESSION_BACKEND_DISABLE] = "disabled",
                                        [SESSION_BACKEND_DRAIN] = "drained"};
    const struct worker *worker = owner;
    if (upstream_set_change(worker->gateway->upstreams, name, modes[order], error))
        return -1;
    log_info("backend", "%s is %s by ADMIN BACKENDS", log_foreign(name, strlen(name)),
             names[order]);
    atomic_fetch_add(&worker->gateway->drains, 1);
    uv_async_send(worker->gateway->wake_workers);
    return 0;
}

static void greeted(void *owner, const struct session_backend *backend,
                    const struct wire_greeting *greeting)
{
    const struct worker *worker = owner;
    upstream_learn(upstream_of(worker, backend), greeting);
    connection_ids_saw(worker->gateway->connection_ids, greeting->connection_id);
}

static bool compress_leg(void *owner, struct leg *leg, const struct session_compression *wanted)
{
    const struct worker *worker = owner;
    const struct gateway_options *options = &worker->configuration->options;
    const bool is_zstd = wanted->capability == WIRE_CAP(CLIENT_ZSTD_COMPRESSION_ALGORITHM);
    const struct compression_settings settings = {
        .algorithm = is_zstd ? COMPRESSION_ZSTD : COMPRESSION_ZLIB,
        .level = is_zstd ? wanted->zstd_level : (int)options->compression_level,
        .is_server = wanted->is_client,
        .most_bytes = compression_most_bytes(wanted->is_client, options),
    };
    return compression_push(leg, &settings, wanted->is_client ? 1 : 0);
}

/* Any thread. */
static void hold_is_back(void *owner, struct session_hold *hold)
{
    struct worker *worker = owner;
    pthread_mutex_lock(&worker->lock);
    *session_hold_next(hold) = worker->holds;
    worker->holds = hold;
    uv_async_send(&worker->wake); /* under the lock: once the worker has the hold, it may end */
    pthread_mutex_unlock(&worker->lock);
}

static int load_trace(void *owner, const char *name, struct error *error)
{
    const struct worker *worker = owner;
    return trace_loading_load(worker->gateway, name, error);
}

static void trace_changed(void *owner)
{
    const struct worker *worker = owner;
    atomic_fetch_add(&worker->gateway->trace_changes, 1);
    uv_async_send(worker->gateway->wake_workers);
}

/* Workers begin before the first session, and are joined after the last one. */
void workers_read_metrics(const struct gateway *gateway, struct metrics *sums)
{
    const uint64_t up_ns = clock_monotonic_ns() - gateway->serving_since_ns;
    for (size_t i = 0; i < gateway->worker_count; i++)
        metrics_sum(&gateway->workers[i].environment.metrics, sums);
    metric_add(sums, METRIC_UPTIME, (int64_t)(up_ns / CLOCK_NS_PER_S));
}

static void read_metrics(void *owner, struct metrics *sums)
{
    const struct worker *worker = owner;
    workers_read_metrics(worker->gateway, sums);
}

static int reload_configuration(void *owner, struct strbuf *notes, struct error *error)
{
    const struct worker *worker = owner;
    return reload_by_statement(worker->gateway->reload, notes, error);
}

static bool key_of_passwords(void *owner, struct strbuf *pem)
{
    struct password_key *key = ((const struct worker *)owner)->gateway->password_key;
    return key && password_key_public(key, pem);
}

static bool decrypt_password(void *owner, const uint8_t *bytes, size_t size, struct strbuf *out)
{
    struct password_key *key = ((const struct worker *)owner)->gateway->password_key;
    return key && password_key_decrypt(key, bytes, size, out);
}

static bool encrypt_password(void *owner, const uint8_t *pem, size_t pem_size, const uint8_t *bytes,
                             size_t size, struct strbuf *out)
{
    (void)owner;
    return password_encrypt(pem, pem_size, bytes, size, out);
}

static const struct session_operations operations = {
    .id_add = id_add,
    .id_remove = id_remove,
    .id_find = id_find,
    .kill_elsewhere = kill_elsewhere,
    .processes = list_processes,
    .end_statement = end_statement,
    .backend_choose = backend_choose,
    .backend_leave = backend_leave,
    .backend_failed = backend_failed,
    .backend_describe = backend_describe,
    .backend_change = backend_change,
    .greeted = greeted,
    .compress = compress_leg,
    .hold_is_back = hold_is_back,
    .trace_load = load_trace,
    .trace_changed = trace_changed,
    .metrics_read = read_metrics,
    .configuration_reload = reload_configuration,
    .password_key = key_of_passwords,
    .password_decrypt = decrypt_password,
    .password_encrypt = encrypt_password,
};

/* What a reload may change. */
static void set_limits(struct worker *worker)
{
    const struct gateway_configuration *configuration = worker->configuration;
    const struct gateway_options *options = &configuration->options;
    struct session_environment *environment = &worker->environment;
    environment->backend = atomic_load(&worker->gateway->only_backend);
    environment->offers_tls = configuration->offers_tls;
    environment->compression = configuration->compression;
    environment->backend_compression = configuration->backend_compression;
    environment->zstd_level = (int)options->zstd_level;
    environment->requires_tls = options->require_tls;
    environment->max_command_bytes = (size_t)options->max_command_bytes;
    environment->max_prepared_bytes = (size_t)options->max_prepared_bytes;
    environment->handshake_timeout_s = options->handshake_timeout_s;
    environment->connect_timeout_s = options->connect_timeout_s;
    environment->hold_timeout_s = options->hold_timeout_s;
}

static void set_environment(struct worker *worker)
{
    struct gateway *gateway = worker->gateway;
    const struct gateway_options *options = &worker->configuration->options;
    worker->environment = (struct session_environment){
        .operations = &operations,
        .cluster = gateway->cluster ? &cluster_link_operations : NULL,
        .owner = worker,
        .registry = gateway->registry,
        .has_plugins = plugin_count(gateway->registry) > 0,
        .has_variables = plugin_has_variables(gateway->registry),
        .has_functions = plugin_has_callables(gateway->registry),
        .trace = &gateway->trace,
        .measures = options->report_status,
    };
    if (options->report_status)
        worker->activity.plugin.callbacks = worker->environment.metrics.callbacks;
    set_limits(worker);
    session_environment_init(&worker->environment);
}

static void set_hold_timer(struct worker *worker);

/* Sessions that exist go on with what they have begun with where a new value could not be theirs: a login
 * with its compression, a command with its limit. */
static void follow_configuration(struct worker *worker)
{
    struct gateway_configuration *old = worker->configuration;
    const unsigned configurations = atomic_load(&worker->gateway->configurations);
    if (worker->configurations == configurations)
        return;
    worker->configurations = configurations;
    worker->configuration = configuration_hold(worker->gateway);
    set_limits(worker);
    set_hold_timer(worker);
    gateway_configuration_drop(old);
}

/* ---- The loop ---- */

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void return_holds(struct session_hold *holds)
{
    while (holds) {
        struct session_hold *next = *session_hold_next(holds);
        connection_hold_returned(holds);
        holds = next;
    }
}

static void on_before_waiting(uv_prepare_t *prepare)
{
    struct worker *worker = prepare->data;
    activity_end(&worker->activity);
}

static void empty_inbox(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    struct arrival *arrivals = worker->inbox;
    size_t count = worker->inbox_size;
    worker->inbox = NULL;
    worker->inbox_size = worker->inbox_capacity = 0;
    struct session_hold *holds = worker->holds;
    worker->holds = NULL;
    pthread_mutex_unlock(&worker->lock);
    return_holds(holds);
    worker_run_visits(worker);
    for (size_t i = 0; i < count; i++)
        connection_accept(worker, &arrivals[i]);
    free(arrivals);
}

static bool asked_to_stop(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool asked = worker->stop_asked;
    pthread_mutex_unlock(&worker->lock);
    return asked;
}

/* The action may end the connection. */
static void connections_do(struct worker *worker, void (*action)(struct connection *connection))
{
    struct connection *next = NULL;
    for (struct connection *connection = worker->connections; connection; connection = next) {
        next = connection->next;
        action(connection);
    }
}

static void on_wake(uv_async_t *handle)
{
    struct worker *worker = handle->data;
    activity_begin(&worker->activity, "empties its inbox", 0);
    follow_configuration(worker); /* first: those who come after a reload have what it brought */
    empty_inbox(worker);
    unsigned changes = atomic_load(&worker->gateway->trace_changes);
    if (worker->trace_changes != changes)
        connections_do(worker, connection_follow_trace);
    worker->trace_changes = changes;
    unsigned drains = atomic_load(&worker->gateway->drains);
    if (worker->drains != drains)
        connections_do(worker, connection_follow_backend);
    worker->drains = drains;
    if (atomic_load(&worker->gateway->draining))
        connections_do(worker, connection_drain);
    if (asked_to_stop(worker) && !worker->closing) {
        worker->closing = true;
        connections_do(worker, connection_shut_down);
    }
    worker_end_if_done(worker);
}

static void on_idle(uv_idle_t *idle)
{
    struct worker *worker = idle->data;
    struct connection *connection = worker->ready;
    if (!connection) {
        uv_idle_stop(idle);
        return;
    }
    worker_remove_ready(worker, connection);
    connection_read_buffered(connection);
}

static void on_hold_timer(uv_timer_t *timer)
{
    connections_do(timer->data, connection_expire_holds);
}

/* ---- How late the loop is ---- */

static void on_lag_timer(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    const uint64_t now_ns = clock_monotonic_ns();
    const uint64_t late_ns = now_ns > worker->lag_due_ns ? now_ns - worker->lag_due_ns : 0;
    durations_add(&worker->environment.metrics.durations[METRIC_DURATION_LOOP_LAG], late_ns);
    worker->lag_due_ns = now_ns + LAG_PERIOD_MS * UINT64_C(1000000);
    uv_timer_start(timer, on_lag_timer, LAG_PERIOD_MS, 0);
}

/* What a clock at each turn of the loop would cost statements, this does not. */
static void start_lag_timer(struct worker *worker)
{
    uv_timer_init(&worker->loop, &worker->lag_timer);
    worker->lag_timer.data = worker;
    uv_unref((uv_handle_t *)&worker->lag_timer);
    if (!worker->environment.measures)
        return;
    worker->lag_due_ns = clock_monotonic_ns() + LAG_PERIOD_MS * UINT64_C(1000000);
    uv_timer_start(&worker->lag_timer, on_lag_timer, LAG_PERIOD_MS, 0);
}

/* ---- The loop's beginning and end ---- */

/* One look at all sessions in a while: a hold of each costs no timer of its own. */
static void set_hold_timer(struct worker *worker)
{
    const uint64_t period_ms = (uint64_t)worker->environment.hold_timeout_s * 1000 / HOLD_LOOKS;
    uv_timer_start(&worker->hold_timer, on_hold_timer, period_ms, period_ms);
}

static void start_hold_timer(struct worker *worker)
{
    uv_timer_init(&worker->loop, &worker->hold_timer);
    worker->hold_timer.data = worker;
    set_hold_timer(worker);
    uv_unref((uv_handle_t *)&worker->hold_timer);
}

void worker_add_ready(struct worker *worker, struct connection *connection)
{
    if (connection->is_ready)
        return;
    connection->is_ready = true;
    connection->next_ready = worker->ready;
    worker->ready = connection;
    uv_idle_start(&worker->idle, on_idle);
}

void worker_remove_ready(struct worker *worker, struct connection *connection)
{
    struct connection **at = &worker->ready;
    if (!connection->is_ready)
        return;
    while (*at != connection)
        at = &(*at)->next_ready;
    *at = connection->next_ready;
    connection->is_ready = false;
}

void worker_end_if_done(struct worker *worker)
{
    if (worker->closing && !worker->connections && !uv_is_closing((uv_handle_t *)&worker->wake))
        uv_close((uv_handle_t *)&worker->wake, NULL); /* the loop's last handle that counts */
}

static void *serve(void *argument)
{
    struct worker *worker = argument;
    plugin_mark_calls(&worker->activity.plugin);
    crash_know_thread(&worker->activity);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    pthread_mutex_lock(&worker->lock);
    worker->has_ended = true;
    pthread_mutex_unlock(&worker->lock);
    uv_walk(&worker->loop, close_handle, NULL);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    worker_run_visits(worker);
    crash_forget_thread();
    return NULL;
}

/* ---- Starting and stopping ---- */

int worker_start(struct worker *worker, struct gateway *gateway, struct error *error)
{
    *worker = (struct worker){.gateway = gateway};
    worker->buffer = malloc(SESSION_READ_BYTES);
    if (!worker->buffer)
        return error_set(error, "out of memory for a worker's buffer");
    pthread_mutex_init(&worker->lock, NULL);
    worker->configuration = configuration_hold(gateway);
    set_environment(worker);
    int status = uv_loop_init(&worker->loop);
    if (status == 0)
        status = uv_async_init(&worker->loop, &worker->wake, on_wake);
    uv_idle_init(&worker->loop, &worker->idle);
    uv_prepare_init(&worker->loop, &worker->before_waiting);
    worker->before_waiting.data = worker;
    uv_prepare_start(&worker->before_waiting, on_before_waiting);
    uv_unref((uv_handle_t *)&worker->before_waiting);
    start_hold_timer(worker);
    start_lag_timer(worker);
    worker->wake.data = worker->idle.data = worker;
    if (status < 0)
        return error_set(error, "starting a worker's event loop: %s", uv_strerror(status));
    status = pthread_create(&worker->thread, NULL, serve, worker);
    if (status)
        return error_set(error, "starting a worker's thread: %s", strerror(status));
    return 0;
}

void worker_give(struct worker *worker, const struct arrival *arrival)
{
    atomic_fetch_add(&worker->connection_count, 1);
    pthread_mutex_lock(&worker->lock);
    if (worker->inbox_size == worker->inbox_capacity) {
        size_t capacity = worker->inbox_capacity ? 2 * worker->inbox_capacity : 16;
        struct arrival *inbox = realloc(worker->inbox, capacity * sizeof *inbox);
        if (inbox) {
            worker->inbox = inbox;
            worker->inbox_capacity = capacity;
        }
    }
    bool fits = worker->inbox_size < worker->inbox_capacity;
    if (fits)
        worker->inbox[worker->inbox_size++] = *arrival;
    pthread_mutex_unlock(&worker->lock);
    if (fits) {
        uv_async_send(&worker->wake);
    } else {
        atomic_fetch_sub(&worker->connection_count, 1);
        log_error("gateway", "no memory for a new connection; it is closed");
        close(arrival->fd);
    }
}

void worker_wake(struct worker *worker, bool stop)
{
    if (stop) {
        pthread_mutex_lock(&worker->lock);
        worker->stop_asked = true;
        pthread_mutex_unlock(&worker->lock);
    }
    uv_async_send(&worker->wake);
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
    worker_run_visits(worker); /* given after its end */
    uv_loop_close(&worker->loop);
    for (size_t i = 0; i < worker->inbox_size; i++)
        close(worker->inbox[i].fd);
    free(worker->inbox);
    free(worker->buffer);
    session_environment_release(&worker->environment);
    gateway_configuration_drop(worker->configuration);
    pthread_mutex_destroy(&worker->lock);
}
