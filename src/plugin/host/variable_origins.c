/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the values of variables come from: for whoever asks (ADMIN SHOW VARIABLES), and in the log at
 * start. What SET GLOBAL has left on disk counts more than the configuration file, which surprises
 * whoever has just edited that. */
#include <assert.h>
#include <string.h>

#include "plugin/host/plugin_variables.h"

/* ---- One variable ---- */

/* The lock is held. A persisted value that is not in effect waits for a restart (PERSIST_ONLY). */
static enum plugin_value_source source_of(const struct plugin_variable *variable,
                                          const char *persisted)
{
    const char *current = atomic_load(&variable->text)->text;
    if (variable->cluster_place)
        return PLUGIN_SOURCE_CLUSTER;
    bool is_configured = strcmp(current, variable->configured.text) == 0;
    if (persisted && (strcmp(persisted, current) == 0 || !is_configured))
        return PLUGIN_SOURCE_PERSISTED;
    return variable->place.file ? PLUGIN_SOURCE_FILE : PLUGIN_SOURCE_DEFAULT;
}

void plugin_variable_origin(const struct plugin_variable *variable,
                            struct plugin_variable_origin *origin)
{
    assert(variable && origin);
    const struct plugin_registry *registry = variable->plugin->registry;
    struct plugin_variables *variables = registry->variables;
    pthread_mutex_lock(&variables->lock);
    const char *persisted =
        plugin_persisted_text(&variables->persisted, variable->definition->name);
    *origin = (struct plugin_variable_origin){.source = source_of(variable, persisted),
                                              .value = STRBUF_INIT,
                                              .path = STRBUF_INIT,
                                              .configured = STRBUF_INIT,
                                              .is_persisted = persisted != NULL,
                                              .persisted = STRBUF_INIT};
    strbuf_add_text(&origin->value, atomic_load(&variable->text)->text);
    strbuf_add_text(&origin->configured, variable->configured.text);
    strbuf_add_text(&origin->persisted, persisted ? persisted : "");
    if (origin->source == PLUGIN_SOURCE_PERSISTED && registry->options.variables_file)
        strbuf_add_text(&origin->path, registry->options.variables_file);
    else if (origin->source == PLUGIN_SOURCE_CLUSTER)
        strbuf_add_text(&origin->path, variable->cluster_place);
    else if (origin->source == PLUGIN_SOURCE_FILE)
        strbuf_printf(&origin->path, "%s:%u", variable->place.file, variable->place.line);
    pthread_mutex_unlock(&variables->lock);
}

void plugin_variable_origin_release(struct plugin_variable_origin *origin)
{
    strbuf_release(&origin->value);
    strbuf_release(&origin->path);
    strbuf_release(&origin->configured);
    strbuf_release(&origin->persisted);
}

/* ---- The log ---- */

/* A value that differs from one that somebody has written into the file is worth a warning. */
static void report_variable(const struct plugin_variable *variable, const char *path)
{
    struct plugin_variable_origin origin;
    plugin_variable_origin(variable, &origin);
    const char *name = variable->definition->name;
    const char *value = log_foreign(origin.value.data, origin.value.size);
    if (origin.source == PLUGIN_SOURCE_PERSISTED && variable->place.file &&
        strcmp(origin.value.data, origin.configured.data) != 0)
        log_warn("plugin",
                 "%s has a value of SET GLOBAL, in %s, which counts more than %s:%u; SET GLOBAL %s "
                 "= DEFAULT goes back to the file value=%s in_file=%s",
                 name, path, variable->place.file, variable->place.line, name, value,
                 log_foreign(origin.configured.data, origin.configured.size));
    else if (origin.source == PLUGIN_SOURCE_PERSISTED)
        log_info("plugin", "%s has a value of SET GLOBAL, in %s value=%s", name, path, value);
    plugin_variable_origin_release(&origin);
}

static bool is_of(const char *name, const struct weir_plugin *plugin)
{
    size_t size = strlen(plugin->identity.name);
    return strncmp(name, plugin->identity.name, size) == 0 && name[size] == '_';
}

static void report_orphan(const struct plugin_registry *registry, const char *name)
{
    const char *path = registry->options.variables_file;
    const struct weir_plugin *plugin = NULL;
    for (size_t i = 0; !plugin && i < registry->count; i++)
        plugin = is_of(name, registry->plugins[i]) ? registry->plugins[i] : NULL;
    if (plugin)
        log_warn("plugin",
                 "%s: plugin %s has no variable %s; the value means nothing, and the line can go",
                 path, plugin->identity.name, log_foreign(name, strlen(name)));
    else
        log_warn("plugin",
                 "%s: the plugin of %s is not loaded; the value is kept, and means nothing", path,
                 log_foreign(name, strlen(name)));
}

void plugin_variables_report(const struct plugin_registry *registry)
{
    const struct plugin_variables *variables = registry->variables;
    for (size_t i = 0; i < variables->count; i++)
        report_variable(&variables->items[i], registry->options.variables_file);
    for (size_t i = 0; i < variables->persisted.count; i++) {
        const char *name = variables->persisted.items[i].name;
        if (!plugin_variable_find(registry, name, strlen(name)))
            report_orphan(registry, name);
    }
}
