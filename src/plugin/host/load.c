/* SPDX-License-Identifier: Apache-2.0
 *
 * One shared object: from NAME-VERSION to a plugin that can be validated. What the file says of
 * itself is read and checked before dlopen() runs any of its code; what the symbol says afterwards
 * must agree. */
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/declared/plugin_declared.h"
#include "plugin/host/registry.h"

/* The members that version 1 of the API has. */
#define MANIFEST_BYTES (offsetof(weir_manifest, on_global_variable_event) + sizeof(void (*)(void)))

static char *find_library(const struct plugin_options *options, const char *id, struct error *error)
{
    if (!options->directory || !*options->directory) {
        error_set(error, "-plugin-load %s: needs -plugin-dir, the folder of %s.so", id, id);
        return NULL;
    }
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s.so", options->directory, id);
    char *library = length < 0 || (size_t)length >= sizeof path ? NULL : realpath(path, NULL);
    if (!library)
        error_set(error, "-plugin-load %s: %s/%s.so: %s; package it with pluginpkg", id,
                  options->directory, id, strerror(errno));
    return library;
}

/* The file's name must match the manifest in it. */
static int check_name(const struct plugin_identity *identity, const char *id, const char *library,
                      struct error *error)
{
    const char *dash = strchr(id, '-');
    if (strcmp(identity->kind, "Trace") == 0)
        return error_set(error, "%s: it is a protocol trace plugin; load it with -trace-plugin",
                         library);
    size_t size = (size_t)(dash - id);
    if (strlen(identity->name) != size || memcmp(identity->name, id, size) != 0)
        return error_set(error,
                         "%s: its manifest names the plugin \"%s\"; the file should be %s-%s.so",
                         library, identity->name, identity->name, identity->version);
    if (strcmp(identity->version, dash + 1) != 0)
        return error_set(error, "%s: its manifest says version \"%s\"; the file should be %s-%s.so",
                         library, identity->version, identity->name, identity->version);
    return 0;
}

static int open_library(struct weir_plugin *plugin, struct error *error)
{
    plugin->handle = dlopen(plugin->library, RTLD_NOW | RTLD_LOCAL);
    if (!plugin->handle)
        return error_set(error, "%s", dlerror());
    const weir_manifest *manifest = dlsym(plugin->handle, "weir_plugin_manifest");
    if (!manifest)
        return error_set(error,
                         "%s: it doesn't export weir_plugin_manifest; package it with pluginpkg",
                         plugin->library);
    if (manifest->struct_size < MANIFEST_BYTES || !manifest->name || !manifest->version ||
        !manifest->host || !manifest->self || strcmp(manifest->name, plugin->identity.name) != 0 ||
        strcmp(manifest->version, plugin->identity.version) != 0)
        return error_set(error,
                         "%s: weir_plugin_manifest differs from the manifest in section %s; "
                         "package the plugin again",
                         plugin->library, WEIR_MANIFEST_SECTION);
    plugin->manifest = manifest;
    return 0;
}

/* Members that came later are absent from older plugins. */
#define HAS(manifest, member)                                                                      \
    ((manifest)->struct_size >= offsetof(weir_manifest, member) + sizeof(manifest)->member)

int plugin_read_definitions(struct weir_plugin *plugin, struct error *error)
{
    size_t wrong = 0;
    if (plugin_definitions_read(&plugin->definitions, plugin->identity.variables,
                                plugin->identity.name, &wrong, error) < 0)
        return error_prefix(error, "%s: sysVars", plugin->library);
    return 0;
}

/* Where the variables that the JSON declares have their numbers. */
static int read_variables(struct weir_plugin *plugin, struct error *error)
{
    if (plugin_read_definitions(plugin, error))
        return -1;
    size_t count = plugin->definitions.count;
    if (count && (!HAS(plugin->manifest, variable_count) ||
                  plugin->manifest->variable_count != count || !plugin->manifest->variable_numbers))
        return error_set(error,
                         "%s: its variables differ from the manifest in section %s; package "
                         "the plugin again",
                         plugin->library, WEIR_MANIFEST_SECTION);
    plugin->variables = calloc(count + 1, sizeof(struct plugin_variable *));
    return plugin->variables ? 0 : error_set(error, "%s: not enough memory", plugin->library);
}

static int read_callables(struct weir_plugin *plugin, struct error *error)
{
    size_t wrong = 0;
    if (plugin_callables_read(&plugin->callables, &plugin->callable_count,
                              plugin->identity.functions, plugin->identity.name, &wrong, error) < 0)
        return error_prefix(error, "%s: functions", plugin->library);
    for (size_t i = 0; i < plugin->callable_count; i++)
        plugin->callables[i].plugin = plugin;
    if (plugin->callable_count &&
        (!HAS(plugin->manifest, function_count) || !plugin->manifest->on_function ||
         plugin->manifest->function_count != plugin->callable_count))
        return error_set(error,
                         "%s: its functions differ from the manifest in section %s; package "
                         "the plugin again",
                         plugin->library, WEIR_MANIFEST_SECTION);
    return 0;
}

static int read_status(struct weir_plugin *plugin, struct error *error)
{
    size_t wrong = 0;
    if (plugin_status_definitions_read(&plugin->status, &plugin->status_count,
                                       plugin->identity.status, plugin->identity.name, &wrong,
                                       error) < 0)
        return error_prefix(error, "%s: statusVars", plugin->library);
    return 0;
}

static unsigned subscriptions_of(const weir_manifest *manifest)
{
    return (manifest->on_connection_event ? PLUGIN_SUBSCRIBES_CONNECTION : 0) |
           (manifest->on_general_event ? PLUGIN_SUBSCRIBES_GENERAL : 0) |
           (manifest->on_parse_event ? PLUGIN_SUBSCRIBES_PARSE : 0) |
           (manifest->on_global_variable_event ? PLUGIN_SUBSCRIBES_GLOBAL_VARIABLE : 0);
}

static int read_identity(struct weir_plugin *plugin, const char *id, struct error *error)
{
    char *text = plugin_section_text(plugin->library, WEIR_MANIFEST_SECTION, error);
    if (!text)
        return -1;
    int status = plugin_identity_read(&plugin->identity, text, plugin->library, error);
    free(text);
    return status < 0 ? -1 : check_name(&plugin->identity, id, plugin->library, error);
}

struct weir_plugin *plugin_find_file(struct plugin_registry *registry, const char *id,
                                     struct error *error)
{
    assert(registry && id);
    size_t size = strlen(id);
    if (size > 3 && strcmp(id + size - 3, ".so") == 0) {
        const char *slash = strrchr(id, '/');
        const char *name = slash ? slash + 1 : id;
        error_set(error, "-plugin-load %s: leave out .so%s: %.*s", id,
                  slash ? ", and the folder, which is -plugin-dir's" : "", (int)(strlen(name) - 3),
                  name);
        return NULL;
    }
    if (!strchr(id, '-') || strchr(id, '/') || id[0] == '-') {
        error_set(error, "-plugin-load %s: a plugin is named NAME-VERSION, as in conn_ip_example-1",
                  id);
        return NULL;
    }
    struct weir_plugin *plugin = calloc(1, sizeof *plugin);
    if (!plugin) {
        error_set(error, "-plugin-load %s: not enough memory", id);
        return NULL;
    }
    pthread_mutex_init(&plugin->flushing, NULL);
    complaints_init(&plugin->complaints);
    plugin->registry = registry;
    plugin->library = find_library(&registry->options, id, error);
    if (plugin->library && read_identity(plugin, id, error) == 0)
        return plugin;
    plugin_free(plugin);
    return NULL;
}

struct weir_plugin *plugin_load(struct plugin_registry *registry, const char *id,
                                struct error *error)
{
    struct weir_plugin *plugin = plugin_find_file(registry, id, error);
    if (!plugin)
        return NULL;
    if (open_library(plugin, error) < 0 || read_variables(plugin, error) < 0 ||
        read_callables(plugin, error) < 0 || read_status(plugin, error) < 0) {
        if (plugin->handle)
            dlclose(plugin->handle);
        plugin_free(plugin);
        return NULL;
    }
    plugin->subscribed = subscriptions_of(plugin->manifest);
    if (HAS(plugin->manifest, on_variable))
        plugin->on_variable = plugin->manifest->on_variable;
    if (HAS(plugin->manifest, on_status))
        plugin->on_status = plugin->manifest->on_status;
    if (HAS(plugin->manifest, on_function))
        plugin->on_function = plugin->manifest->on_function;
    if (HAS(plugin->manifest, on_plugin_event))
        plugin->on_plugin_event = plugin->manifest->on_plugin_event;
    plugin->state = PLUGIN_STATE_UNINITIALIZED;
    atomic_init(&plugin->enabled, true);
    *plugin->manifest->host = &plugin_host;
    *plugin->manifest->self = plugin;
    return plugin;
}

/* The shared object stays: a thread of the plugin's own, or a destructor of thread-specific data,
 * may yet run. */
void plugin_free(struct weir_plugin *plugin)
{
    pthread_mutex_destroy(&plugin->flushing);
    pthread_mutex_destroy(&plugin->complaints.lock);
    plugin_definitions_release(&plugin->definitions);
    free(plugin->callables);
    free(plugin->status);
    free(plugin->variables);
    json_decref(plugin->identity.json);
    free(plugin->library);
    free(plugin);
}
