/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugins as files: what can be said of them before any code of theirs runs. */
#include <stdlib.h>
#include <string.h>

#include "plugin/host/plugin_variables.h"
#include "plugin/host/registry.h"

struct inspection {
    struct plugin_registry registry; /* of nothing but options and names */
    void (*found)(void *user, const char *name, const char *version, const char *library);
    void *user;
};

static int inspect_settings(struct weir_plugin *plugin, struct error *error)
{
    int status = plugin_read_definitions(plugin, error);
    for (size_t i = 0; status == 0 && i < plugin->definitions.count; i++) {
        const struct plugin_variable variable = {.plugin = plugin,
                                                 .definition = &plugin->definitions.items[i]};
        struct plugin_value value = {0};
        struct plugin_setting_place place;
        status = plugin_variable_read_configured(&variable, &plugin->registry->options.settings,
                                                 &value, &place, error);
        free(value.text);
    }
    return status;
}

static bool is_known(const struct plugin_registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++)
        if (strcmp(registry->plugins[i]->identity.name, name) == 0)
            return true;
    return false;
}

static int inspect_one(void *user, const char *id, struct error *error)
{
    struct inspection *inspection = user;
    struct plugin_registry *registry = &inspection->registry;
    struct weir_plugin *plugin = plugin_find_file(registry, id, error);
    int status = plugin ? inspect_settings(plugin, error) : -1;
    if (status == 0 && is_known(registry, plugin->identity.name))
        status = error_set(error, "-plugin-load %s: plugin %s is named twice", id,
                           plugin->identity.name);
    if (status == 0 && registry->count == PLUGIN_MAX_LOADED)
        status = error_set(error, "-plugin-load %s: more than %d plugins", id, PLUGIN_MAX_LOADED);
    if (status == 0) {
        inspection->found(inspection->user, plugin->identity.name, plugin->identity.version,
                          plugin->library);
        registry->plugins[registry->count++] = plugin;
    } else if (plugin) {
        plugin_free(plugin);
    }
    return status;
}

static int inspect_lock(void *user, const char *name, struct error *error)
{
    const struct inspection *inspection = user;
    return is_known(&inspection->registry, name)
               ? 0
               : error_set(error,
                           "-plugin-locked %s: no such plugin is loaded; -plugin-load loads it",
                           name);
}

int plugin_inspect_files(const struct plugin_options *options,
                         void (*found)(void *user, const char *name, const char *version,
                                       const char *library),
                         void *user, struct error *error)
{
    struct inspection *inspection = calloc(1, sizeof *inspection);
    if (!inspection)
        return error_set(error, "not enough memory for the plugins");
    inspection->registry.options = *options;
    inspection->found = found;
    inspection->user = user;
    int status =
        plugin_for_each_named("-plugin-load", options->load, inspect_one, inspection, error);
    if (status == 0)
        status = plugin_for_each_named("-plugin-locked", options->locked, inspect_lock, inspection,
                                       error);
    for (size_t i = 0; i < inspection->registry.count; i++)
        plugin_free(inspection->registry.plugins[i]);
    free(inspection);
    return status;
}
