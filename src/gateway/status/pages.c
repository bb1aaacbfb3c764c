/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages for people, scripts and load balancers. What they say of passwords and other secrets is
 * nothing: options hold the names of files, and of plugins' variables those are left out whose names
 * promise a secret. */
#include <jansson.h>
#include <string.h>
#include <weir_commit.h>

#include "gateway/status/pages.h"

/* A refusing plugin that has failed takes the gateway out of a load balancer for so long: without
 * statements nobody would learn that it works again. */
#define FAILURE_SECONDS 30

/* Foreign text: JSON has no place for what is no UTF-8. */
static json_t *text_of(const char *text)
{
    json_t *json = json_string(text);
    return json ? json : json_string("(not UTF-8)");
}

static void write_json(struct status_request *request, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
    if (text)
        strbuf_printf(&request->body, "%s\n", text);
    else
        request->body.failed = true;
    free(text);
    json_decref(json);
}

/* ---- /status ---- */

static json_t *backends_of(const struct status_source *source)
{
    json_t *list = json_array();
    struct status_backend backend;
    for (size_t i = 0; source->backend(source->owner, i, &backend); i++)
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:s, s:b, s:I, s:o}", "name", text_of(backend.name),
                            "address", text_of(backend.address), "state", backend.state, "answers",
                            backend.answers, "sessions", (json_int_t)backend.sessions, "version",
                            text_of(backend.version)));
    return list;
}

static json_t *plugins_of(const struct status_source *source)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plugin_count(source->registry); i++) {
        const struct plugin_row row = plugin_row_at(source->registry, i);
        const struct plugin_health health = plugin_health_at(source->registry, i);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s, s:I}", "name", row.name, "version",
                                        row.version, "state", row.status, "on_failure",
                                        health.refuses_on_failure ? "refuse" : "allow", "failures",
                                        (json_int_t)health.failures));
    }
    return list;
}

static json_t *workers_of(const struct status_source *source)
{
    json_t *list = json_array();
    long connections = 0;
    for (size_t i = 0; source->worker(source->owner, i, &connections); i++)
        json_array_append_new(list, json_pack("{s:I}", "connections", (json_int_t)connections));
    return list;
}

/* TiDB's names where it has the same: connections, version, git_hash. */
unsigned page_status(struct status_request *request)
{
    const struct status_source *source = request->source;
    struct metrics metrics = {0};
    source->metrics(source->owner, &metrics);
    write_json(request,
               json_pack("{s:I, s:I, s:I, s:s, s:s, s:I, s:b, s:o, s:o, s:o}", "connections",
                         (json_int_t)metric_value(&metrics, METRIC_CONNECTIONS_OPEN), "sessions",
                         (json_int_t)metric_value(&metrics, METRIC_SESSIONS_OPEN),
                         "max_connections", (json_int_t)source->max_connections(source->owner),
                         "version", WEIR_VERSION, "git_hash", WEIR_COMMIT, "uptime_seconds",
                         (json_int_t)metric_value(&metrics, METRIC_UPTIME), "draining",
                         source->is_stopping(source->owner), "backends", backends_of(source),
                         "plugins", plugins_of(source), "workers", workers_of(source)));
    return 200;
}

/* ---- /healthz, /readyz ---- */

unsigned page_health(struct status_request *request)
{
    strbuf_add_text(&request->body, "ok\n");
    return 200;
}

/* The first of them that answers will do. */
static bool some_backend_answers(const struct status_source *source)
{
    struct status_backend backend;
    for (size_t i = 0; source->backend(source->owner, i, &backend); i++)
        if (backend.answers)
            return true;
    return false;
}

static bool has_failed(const struct plugin_health *health)
{
    const uint64_t since_ns = clock_monotonic_ns() - FAILURE_SECONDS * CLOCK_NS_PER_S;
    return health->refuses_on_failure &&
           (!health->is_ready || (health->is_enabled && health->failed_ns &&
                                  (int64_t)(health->failed_ns - since_ns) > 0));
}

unsigned page_ready(struct status_request *request)
{
    const struct status_source *source = request->source;
    struct strbuf *reasons = &request->body;
    if (source->is_stopping(source->owner))
        strbuf_add_text(reasons, "the gateway is stopping\n");
    if (!some_backend_answers(source))
        strbuf_add_text(reasons, "no backend answers\n");
    else if (!source->is_serving(source->owner))
        strbuf_add_text(reasons, "clients are not served yet\n");
    for (size_t i = 0; i < plugin_count(source->registry); i++) {
        const struct plugin_health health = plugin_health_at(source->registry, i);
        if (has_failed(&health))
            strbuf_printf(reasons, "plugin %s has failed, and its on_failure is \"refuse\"\n",
                          plugin_row_at(source->registry, i).name);
    }
    const bool is_ready = reasons->size == 0;
    if (!is_ready && !request->is_trusted) { /* why is for those who may know */
        strbuf_reset(reasons);
        strbuf_add_text(reasons, "not ready\n");
    }
    if (is_ready)
        strbuf_add_text(reasons, "ok\n");
    return is_ready ? 200 : 503;
}

/* ---- /config ---- */

/* Whether the value of a variable of that name is nobody's business. */
static bool is_secret(const char *name)
{
    static const char *const parts[] = {"password",   "passphrase", "secret", "token",
                                        "credential", "private",    "_key"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcasestr(name, parts[i]))
            return true;
    return false;
}

static json_t *variables_of(const struct status_source *source)
{
    json_t *variables = json_object();
    for (size_t i = 0; i < plugin_variable_count(source->registry); i++) {
        const struct plugin_variable *variable = plugin_variable_at(source->registry, i);
        const char *name = plugin_variable_name(variable);
        struct plugin_variable_origin origin;
        if (!(plugin_variable_scopes(variable) & PLUGIN_SCOPE_GLOBAL))
            continue;
        plugin_variable_origin(variable, &origin);
        json_object_set_new(variables, name,
                            is_secret(name) ? json_null() : text_of(origin.value.data));
        plugin_variable_origin_release(&origin);
    }
    return variables;
}

unsigned page_config(struct status_request *request)
{
    struct strbuf options = STRBUF_INIT;
    json_error_t problem;
    request->source->options(request->source->owner, &options);
    json_t *json = json_loadb(options.data, options.size, 0, &problem);
    write_json(request, json_pack("{s:o, s:o}", "options", json ? json : text_of(options.data),
                                  "variables", variables_of(request->source)));
    strbuf_release(&options);
    return 200;
}
