/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of the plugins, as TiDB lives it: all are loaded, then all validated, then all
 * initialised; then they are Ready, until they are shut down in reverse order.
 *
 *     Uninitialized ──► Ready ──► Dying
 *            └────────► Disable      (failed, and -skip-plugin-on-failure) */
#include "plugin/host/registry.h"
#include "plugin/host/plugin_store.h"
#include "plugin/host/plugin_variables.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- States ---- */

static void set_state(struct weir_plugin *plugin, enum plugin_state state)
{
    static const char *const names[] = {
#define X(enumerator, name) name,
        PLUGIN_STATES(X)
#undef X
    };
    log_debug("plugin", "%s: %s to %s", plugin->identity.name, names[plugin->state], names[state]);
    plugin->state = state;
}

static void update_hears(struct plugin_registry *registry)
{
    unsigned subscribed = 0;
    for (size_t i = 0; i < registry->count; i++) {
        struct weir_plugin *plugin = registry->plugins[i];
        if (plugin->state != PLUGIN_STATE_READY)
            continue;
        subscribed |= plugin->identity.needs; /* also while disabled: sessions of then live on */
        if (atomic_load(&plugin->enabled))
            subscribed |= plugin->subscribed;
    }
    atomic_store(&registry->subscribed, subscribed);
}

unsigned plugin_registry_subscribed(const struct plugin_registry *registry)
{
    return atomic_load_explicit(&registry->subscribed, memory_order_relaxed);
}

/* ---- Start ---- */

static struct weir_plugin *find(const struct plugin_registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++)
        if (strcmp(registry->plugins[i]->identity.name, name) == 0)
            return registry->plugins[i];
    return NULL;
}

static int load_one(struct plugin_registry *registry, const char *id, struct error *error)
{
    struct weir_plugin *plugin = plugin_load(registry, id, error);
    if (!plugin)
        return -1;
    int status = 0;
    if (find(registry, plugin->identity.name))
        status = error_set(error, "-plugin-load %s: plugin %s is named twice", id,
                           plugin->identity.name);
    else if (registry->count == PLUGIN_MAX_LOADED)
        status = error_set(error, "-plugin-load %s: more than %d plugins", id, PLUGIN_MAX_LOADED);
    if (status < 0) {
        plugin_free(plugin);
        return -1;
    }
    plugin->index = registry->count;
    registry->plugins[registry->count++] = plugin;
    return 0;
}

/* What a failure means: an end with *error, or, when failures are skipped, a line in the log.
 * plugin NULL: it could not be loaded. A plugin that must not be switched off must not be missing. */
static int tolerate(const struct plugin_registry *registry, const struct weir_plugin *plugin,
                    const struct error *error)
{
    if (!registry->options.skip_on_failure || (plugin && plugin->is_locked))
        return -1;
    log_warn("plugin", "skipped: %s", error->message);
    return 0;
}

int plugin_for_each_named(const char *option, const char *names,
                          int (*one)(void *user, const char *name, struct error *error), void *user,
                          struct error *error)
{
    char *list = strdup(names ? names : ""), *rest = list;
    if (!list)
        return error_set(error, "%s: not enough memory", option);
    int status = 0;
    for (char *name; status == 0 && (name = strsep(&rest, ",")) != NULL;) {
        name += strspn(name, " \t");
        name[strcspn(name, " \t")] = '\0';
        if (*name)
            status = one(user, name, error);
    }
    free(list);
    return status;
}

static int load_or_tolerate(void *registry, const char *id, struct error *error)
{
    return load_one(registry, id, error) < 0 ? tolerate(registry, NULL, error) : 0;
}

static int load_all(struct plugin_registry *registry, struct error *error)
{
    return plugin_for_each_named("-plugin-load", registry->options.load, load_or_tolerate, registry,
                                 error);
}

/* One that could not be loaded is no plugin here, so that it is not skipped either. */
static int lock_one(void *of, const char *name, struct error *error)
{
    const struct plugin_registry *registry = of;
    struct weir_plugin *plugin = find(registry, name);
    struct nearest nearest = {.wanted = name};
    for (size_t i = 0; i < registry->count; i++)
        nearest_offer(&nearest, registry->plugins[i]->identity.name);
    if (!plugin)
        return error_set(error, "-plugin-locked %s: no such plugin is loaded%s%s", name,
                         nearest.name ? "; did you mean " : "; -plugin-load loads it",
                         nearest.name ? nearest.name : "");
    plugin->is_locked = true;
    log_info("plugin", "%s is locked: no statement can disable, flush or change it", name);
    return 0;
}

static int lock_all(struct plugin_registry *registry, struct error *error)
{
    return plugin_for_each_named("-plugin-locked", registry->options.locked, lock_one, registry,
                                 error);
}

typedef weir_verdict life_function(const weir_manifest *manifest);

struct life_arguments {
    life_function *function;
    const weir_manifest *manifest;
};

static weir_verdict invoke_life(void *call)
{
    const struct life_arguments *with = call;
    return with->function(with->manifest);
}

/* Calls a function of the plugin's life; NULL is allowed. -1 and "plugin NAME: WHAT failed: its
 * message". */
static int call(const struct weir_plugin *plugin, life_function *function, const char *what,
                struct error *error)
{
    struct life_arguments arguments = {function, plugin->manifest};
    weir_verdict verdict =
        function ? plugin_enter(plugin, what, invoke_life, &arguments, NULL) : WEIR_OK;
    const char *reason = plugin_take_failure();
    if (verdict == WEIR_OK)
        return 0;
    return error_set(error, "plugin %s: %s failed: %s", plugin->identity.name, what,
                     *reason ? reason : "it didn't say why (weir_fail())");
}

static int validate_all(struct plugin_registry *registry, struct error *error)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < registry->count; i++) {
        struct weir_plugin *plugin = registry->plugins[i];
        if (call(plugin, plugin->manifest->validate, "Validate", error) < 0 ||
            plugin_variables_validate(plugin, error) < 0) {
            set_state(plugin, PLUGIN_STATE_DISABLE);
            status = tolerate(registry, plugin, error);
        }
    }
    return status;
}

static int init_all(struct plugin_registry *registry, struct error *error)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < registry->count; i++) {
        struct weir_plugin *plugin = registry->plugins[i];
        if (plugin->state != PLUGIN_STATE_UNINITIALIZED)
            continue;
        if (call(plugin, plugin->manifest->on_init, "OnInit", error) < 0) {
            plugin_store_close(plugin, plugin_store_grace());
            set_state(plugin, PLUGIN_STATE_DISABLE);
            status = tolerate(registry, plugin, error);
        } else {
            set_state(plugin, PLUGIN_STATE_READY);
            log_info("plugin", "%s %s ready library=%s", plugin->identity.name,
                     plugin->identity.version, plugin->library);
        }
    }
    return status;
}

static void build_chain(const struct plugin_registry *registry, unsigned subscribed,
                        struct plugin_chain *chain)
{
    for (size_t i = 0; i < registry->count; i++) {
        struct weir_plugin *plugin = registry->plugins[i];
        if (plugin->state == PLUGIN_STATE_READY && (plugin->subscribed & subscribed))
            chain->plugins[chain->count++] = plugin;
    }
}

/* A plugin that has nowhere to write finds out when it wants to. */
static void find_data_directory(struct plugin_registry *registry)
{
    const char *path = registry->options.data_directory;
    if (!path || registry->count == 0)
        return;
    if (mkdir(path, 0750) == 0 || errno == EEXIST)
        registry->data_directory = realpath(path, NULL);
    if (!registry->data_directory)
        log_warn("plugin", "%s: %s; plugins have no data directory", path, strerror(errno));
}

struct plugin_registry *plugin_registry_load(const struct plugin_options *options,
                                             struct error *error)
{
    assert(options);
    struct plugin_registry *registry = calloc(1, sizeof *registry);
    if (!registry) {
        error_set(error, "not enough memory for the plugins");
        return NULL;
    }
    registry->options = *options;
    strbuf_init(&registry->accounts_at_start);
    plugin_collect_warnings(NULL, &registry->accounts_at_start);
    int status = load_all(registry, error);
    find_data_directory(registry);
    if (status < 0 || lock_all(registry, error) < 0 ||
        plugin_variables_begin(registry, error) < 0 || validate_all(registry, error) < 0 ||
        init_all(registry, error) < 0)
        status = -1;
    plugin_collect_warnings(NULL, NULL);
    if (status < 0) {
        plugin_registry_shutdown(registry);
        return NULL;
    }
    plugin_variables_report(registry);
    build_chain(registry, PLUGIN_SUBSCRIBES_CONNECTION, &registry->connection);
    build_chain(registry, PLUGIN_SUBSCRIBES_GENERAL, &registry->general);
    build_chain(registry, PLUGIN_SUBSCRIBES_PARSE, &registry->parse);
    build_chain(registry, PLUGIN_SUBSCRIBES_GLOBAL_VARIABLE, &registry->global_variable);
    update_hears(registry);
    return registry;
}

void plugin_registry_shutdown(struct plugin_registry *registry)
{
    if (!registry)
        return;
    const struct timespec until = plugin_store_grace(); /* of all together */
    for (size_t i = registry->count; i-- > 0;) {
        struct weir_plugin *plugin = registry->plugins[i];
        struct error error;
        plugin_store_close(plugin, until);
        if (plugin->state != PLUGIN_STATE_READY)
            continue;
        set_state(plugin, PLUGIN_STATE_DYING);
        if (call(plugin, plugin->manifest->on_shutdown, "OnShutdown", &error) < 0)
            log_error("plugin", "%s", error.message);
    }
    plugin_variables_end(registry);
    for (size_t i = 0; i < registry->count; i++) {
        complaints_end(&registry->plugins[i]->complaints, registry->plugins[i]->identity.name);
        plugin_free(registry->plugins[i]);
    }
    strbuf_release(&registry->accounts_at_start);
    free(registry->data_directory);
    free(registry);
}

/* ---- Administration ---- */

static struct weir_plugin *find_ready(const struct plugin_registry *registry, const char *name,
                                      struct error *error)
{
    struct weir_plugin *plugin = find(registry, name);
    if (!plugin)
        error_set(error, "plugin %s doesn't exist; SHOW PLUGINS lists those that do", name);
    else if (plugin->state != PLUGIN_STATE_READY)
        error_set(error, "plugin %s isn't ready; the server's log says why", name);
    return plugin && plugin->state == PLUGIN_STATE_READY ? plugin : NULL;
}

int plugin_flush(struct plugin_registry *registry, struct weir_session *session, const char *name,
                 struct error *error)
{
    assert(registry && name);
    struct weir_plugin *plugin = find_ready(registry, name, error);
    if (!plugin)
        return -1;
    if (!plugin->manifest->on_flush)
        return error_set(error, "plugin %s doesn't support flush: its manifest has no onFlush",
                         name);
    pthread_mutex_lock(&plugin->flushing);
    int status = call(plugin, plugin->manifest->on_flush, "OnFlush", error);
    pthread_mutex_unlock(&plugin->flushing);
    if (status == 0) {
        log_info("plugin", "%s flushed", name);
        plugin_notify_of_plugin(registry, session, WEIR_PLUGIN_FLUSHED, plugin);
    }
    return status;
}

int plugin_set_enabled(struct plugin_registry *registry, struct weir_session *session,
                       const char *name, bool enabled, struct error *error)
{
    assert(registry && name);
    struct weir_plugin *plugin = find_ready(registry, name, error);
    if (!plugin)
        return -1;
    if (!enabled)
        plugin_notify_of_plugin(registry, session, WEIR_PLUGIN_DISABLING, plugin);
    atomic_store(&plugin->enabled, enabled);
    update_hears(registry);
    log_info("plugin", "%s %s", name, enabled ? "enabled" : "disabled");
    if (enabled)
        plugin_notify_of_plugin(registry, session, WEIR_PLUGIN_ENABLED, plugin);
    return 0;
}

bool plugin_may_change(const struct plugin_registry *registry, const char *name,
                       struct plugin_refusal *refusal)
{
    assert(registry && name && refusal);
    const struct weir_plugin *plugin = find(registry, name);
    if (!plugin || !plugin->is_locked)
        return true;
    plugin_refusal_locked(refusal, plugin);
    return false;
}

const char *const *plugin_disable_privileges(const struct plugin_registry *registry,
                                             const char *name)
{
    static const char *const none[] = {NULL};
    const struct weir_plugin *plugin = find(registry, name);
    return plugin ? plugin->identity.disable_privileges : none;
}

size_t plugin_count(const struct plugin_registry *registry)
{
    return registry->count;
}

bool plugin_can_flush(const struct plugin_registry *registry, size_t index)
{
    assert(index < registry->count);
    const struct weir_plugin *plugin = registry->plugins[index];
    return plugin->manifest && plugin->manifest->on_flush && atomic_load(&plugin->enabled);
}

struct plugin_row plugin_row_at(const struct plugin_registry *registry, size_t index)
{
    assert(index < registry->count);
    static const char *const statuses[][2] = {
#define X(enumerator, name) {name "-disable", name "-enable"},
        PLUGIN_STATES(X)
#undef X
    };
    const struct weir_plugin *plugin = registry->plugins[index];
    return (struct plugin_row){
        .name = plugin->identity.name,
        .status = statuses[plugin->state][atomic_load(&plugin->enabled)],
        .type = plugin->identity.kind,
        .library = plugin->library,
        .license = plugin->identity.license,
        .version = plugin->identity.version,
    };
}
