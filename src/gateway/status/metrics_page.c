/* SPDX-License-Identifier: Apache-2.0
 *
 * /metrics: what the gateway counts and measures, from the tables of statement/metrics.h. Label
 * values are names of tables (kinds, outcomes, reasons, states), workers and backends: all of them
 * are bounded by the program and its configuration, and nothing that a client sends is one. */
#include <ctype.h>
#include <string.h>
#include <weir_commit.h>

#include "gateway/session/session.h"
#include "gateway/status/pages.h"

static int64_t cell(const _Atomic(int64_t) *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void expose_gauge(struct exposition *page, const char *name, const char *help, int64_t value)
{
    exposition_family(page, name, EXPOSITION_GAUGE, help);
    exposition_number(page, NULL, 0, value);
}

static void expose_values(struct exposition *page, const struct metrics *metrics)
{
    static const struct {
        enum exposition_kind kind;
        const char *name, *help;
    } rows[] = {
#define X(enumerator, name, kind, exported, help) {EXPOSITION_##kind, exported, help},
        METRICS(X)
#undef X
    };
    for (int i = 0; i < METRIC_COUNT; i++) {
        exposition_family(page, rows[i].name, rows[i].kind, rows[i].help);
        exposition_number(page, NULL, 0, metric_value(metrics, (enum metric)i));
    }
}

static void expose_durations(struct exposition *page, const struct metrics *metrics)
{
    static const struct {
        const char *name, *help;
    } rows[] = {
#define X(enumerator, exported, help) {exported, help},
        METRIC_DURATIONS(X)
#undef X
    };
    for (int i = 0; i < METRIC_DURATION_COUNT; i++) {
        exposition_family(page, rows[i].name, EXPOSITION_HISTOGRAM, rows[i].help);
        exposition_histogram(page, NULL, 0, &metrics->durations[i]);
    }
}

/* ---- Statements ---- */

static const char *const outcomes[] = {
#define X(enumerator, name) name,
    METRIC_OUTCOMES(X)
#undef X
};

/* Selects are always there, so that a rate has a beginning; of other kinds those that were seen. */
static void expose_statements(struct exposition *page, const struct metrics *metrics)
{
    exposition_family(page, "statements", EXPOSITION_COUNTER,
                      "statements that have ended, by their kind and how they ended");
    for (int kind = 0; kind < SQL_KIND_COUNT; kind++)
        for (int outcome = 0; outcome < METRIC_OUTCOME_COUNT; outcome++) {
            const int64_t count = cell(&metrics->statements[kind][outcome]);
            const struct exposition_label labels[] = {{"kind", sql_kind_name((enum sql_kind)kind)},
                                                      {"outcome", outcomes[outcome]}};
            if (count || kind == SQL_KIND_SELECT)
                exposition_number(page, labels, 2, count);
        }
}

static int64_t ended_statements(const struct metrics *metrics)
{
    int64_t ended = 0;
    for (int kind = 0; kind < SQL_KIND_COUNT; kind++)
        for (int outcome = 0; outcome < METRIC_OUTCOME_COUNT; outcome++)
            ended += cell(&metrics->statements[kind][outcome]);
    return ended;
}

/* ---- Connections and sessions ---- */

/* "CLOSE_CLIENT_GONE" as "client_gone". */
static void reason_name(const char *enumerator, char *out, size_t size)
{
    const char *from = enumerator + strlen("CLOSE_");
    size_t i = 0;
    for (; from[i] && i + 1 < size; i++)
        out[i] = (char)tolower((unsigned char)from[i]);
    out[i] = '\0';
}

static void expose_reasons(struct exposition *page, const char *name, const char *help,
                           const _Atomic(int64_t) counts[METRIC_REASONS])
{
    static const char *const reasons[] = {
#define X(enumerator, is_error, message) #enumerator,
        CLOSE_REASONS(X)
#undef X
    };
    char reason[32];
    exposition_family(page, name, EXPOSITION_COUNTER, help);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        reason_name(reasons[i], reason, sizeof reason);
        const struct exposition_label label = {"reason", reason};
        exposition_number(page, &label, 1, cell(&counts[i]));
    }
}

/* Counters of several threads are read one after the other: what their difference says is never
 * negative. */
static void expose_state(struct exposition *page, const char *state, int64_t count)
{
    const struct exposition_label label = {"state", state};
    exposition_number(page, &label, 1, count > 0 ? count : 0);
}

static void expose_sessions(struct exposition *page, const struct metrics *metrics)
{
    const int64_t open = metric_value(metrics, METRIC_SESSIONS_OPEN);
    const int64_t running = metric_value(metrics, METRIC_STATEMENTS) - ended_statements(metrics);
    exposition_family(page, "sessions", EXPOSITION_GAUGE,
                      "connections by state: login until they are logged in, running while a "
                      "statement has not ended, idle otherwise");
    expose_state(page, "login", metric_value(metrics, METRIC_CONNECTIONS_OPEN) - open);
    expose_state(page, "running", running);
    expose_state(page, "idle", open - (running > 0 ? running : 0));
    expose_reasons(page, "rejections", "connections that ended before they were logged in, by why",
                   metrics->rejections);
    expose_reasons(page, "sessions_ended", "sessions that ended after their login, by why",
                   metrics->endings);
}

/* ---- Workers, backends, the gateway as a whole ---- */

static void expose_workers(struct exposition *page, const struct status_source *source)
{
    char number[24];
    long connections = 0;
    exposition_family(page, "worker_connections", EXPOSITION_GAUGE,
                      "connections of each worker, a thread that serves sessions");
    for (size_t i = 0; source->worker(source->owner, i, &connections); i++) {
        snprintf(number, sizeof number, "%zu", i);
        const struct exposition_label label = {"worker", number};
        exposition_number(page, &label, 1, connections);
    }
}

static bool is_named_before(const struct status_source *source, size_t place, const char *name)
{
    struct status_backend earlier;
    bool is_before = false;
    for (size_t i = 0; !is_before && i < place && source->backend(source->owner, i, &earlier); i++)
        is_before = strcmp(earlier.name, name) == 0;
    return is_before;
}

/* The next one with a name of its own, from *place on: a series is of a name. One that was removed may have sessions
 * when another one has its name; they count there. */
static bool next_backend(const struct status_source *source, size_t *place,
                         struct status_backend *backend)
{
    struct status_backend later;
    bool is_there = source->backend(source->owner, *place, backend);
    while (is_there && is_named_before(source, *place, backend->name))
        is_there = source->backend(source->owner, ++*place, backend);
    for (size_t i = ++*place; is_there && source->backend(source->owner, i, &later); i++)
        if (strcmp(later.name, backend->name) == 0)
            backend->sessions += later.sessions;
    return is_there;
}

static void expose_backend_states(struct exposition *page, const struct status_source *source)
{
    struct status_backend backend;
    exposition_family(page, "backend_state", EXPOSITION_GAUGE,
                      "1 of the state that the backend is in, as ADMIN SHOW BACKENDS has it");
    for (size_t place = 0; next_backend(source, &place, &backend);)
        for (const char *const *state = source->backend_states; *state; state++) {
            const struct exposition_label labels[] = {{"backend", backend.name}, {"state", *state}};
            exposition_number(page, labels, 2, strcmp(*state, backend.state) == 0);
        }
}

static int64_t read_checks(const struct status_backend *backend)
{
    return (int64_t)backend->checks;
}

static int64_t read_checks_failed(const struct status_backend *backend)
{
    return (int64_t)backend->checks_failed;
}

static int64_t read_connects(const struct status_backend *backend)
{
    return (int64_t)backend->connects;
}

static void expose_backend_counters(struct exposition *page, const struct status_source *source)
{
    static const struct {
        const char *name, *help;
        int64_t (*read)(const struct status_backend *backend);
    } families[] = {
        {"backend_checks", "checks of the backend, and connections of sessions that failed",
         read_checks},
        {"backend_checks_failed", "those of them that failed", read_checks_failed},
        {"backend_connects", "connections of sessions to the backend", read_connects},
    };
    struct status_backend backend;
    for (size_t family = 0; family < sizeof families / sizeof *families; family++) {
        exposition_family(page, families[family].name, EXPOSITION_COUNTER, families[family].help);
        for (size_t place = 0; next_backend(source, &place, &backend);) {
            const struct exposition_label label = {"backend", backend.name};
            exposition_number(page, &label, 1, families[family].read(&backend));
        }
    }
    exposition_family(page, "backend_connect_seconds", EXPOSITION_COUNTER,
                      "what they have taken together, from connect() on");
    for (size_t place = 0; next_backend(source, &place, &backend);) {
        const struct exposition_label label = {"backend", backend.name};
        exposition_seconds(page, &label, 1, (double)backend.connect_ns / 1e9);
    }
}

static void expose_backends(struct exposition *page, const struct status_source *source)
{
    struct status_backend backend;
    exposition_family(page, "backend_up", EXPOSITION_GAUGE,
                      "1 where the backend is up, by its checks, and sessions may use it");
    for (size_t place = 0; next_backend(source, &place, &backend);) {
        const struct exposition_label label = {"backend", backend.name};
        exposition_number(page, &label, 1, backend.answers);
    }
    exposition_family(page, "backend_sessions", EXPOSITION_GAUGE, "sessions with the backend");
    for (size_t place = 0; next_backend(source, &place, &backend);) {
        const struct exposition_label label = {"backend", backend.name};
        exposition_number(page, &label, 1, backend.sessions);
    }
    exposition_family(page, "backend_info", EXPOSITION_GAUGE,
                      "1 for each backend, with the version that it has greeted with last");
    for (size_t place = 0; next_backend(source, &place, &backend);) {
        const struct exposition_label labels[] = {{"backend", backend.name},
                                                  {"version", backend.version}};
        exposition_number(page, labels, 2, 1);
    }
}

static void expose_gateway(struct exposition *page, const struct status_source *source)
{
    const struct exposition_label build[] = {{"version", WEIR_VERSION}, {"commit", WEIR_COMMIT}};
    int64_t expires = 0;
    exposition_family(page, "build_info", EXPOSITION_GAUGE, "1, with version and commit");
    exposition_number(page, build, 2, 1);
    expose_gauge(page, "max_connections",
                 "connections of clients that there may be (-max-connections)",
                 source->max_connections(source->owner));
    expose_gauge(page, "draining", "1 once the gateway has been told to stop",
                 source->is_stopping(source->owner));
    if (source->certificate_expires(source->owner, &expires))
        expose_gauge(page, "certificate_expiry_timestamp_seconds",
                     "when the certificate for clients expires, in seconds since 1970", expires);
}

unsigned page_metrics(struct status_request *request)
{
    struct exposition page = {.out = &request->body,
                              .is_open_metrics = request->takes_open_metrics};
    const struct status_source *source = request->source;
    struct metrics metrics = {0};
    source->metrics(source->owner, &metrics);
    expose_gateway(&page, source);
    expose_values(&page, &metrics);
    expose_sessions(&page, &metrics);
    expose_statements(&page, &metrics);
    expose_durations(&page, &metrics);
    expose_workers(&page, source);
    expose_backends(&page, source);
    expose_backend_states(&page, source);
    expose_backend_counters(&page, source);
    plugins_expose(&page, source, &metrics);
    process_expose(&page);
    exposition_end(&page);
    return 200;
}
